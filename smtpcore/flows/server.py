"""The script of a server: one connection from greeting to close, asking a handler."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, final

from ..errors import LocalProtocolError, ParseError, RemoteProtocolError
from ..extensions import Atrn, Auth, AuthResponse, Bdat, BdatLast, Burl, BurlLast, StartTls, XClient
from ..session.event import (
    NEED_DATA,
    CommandReceived,
    ConnectionClosed,
    ContentEnded,
    ContentReceived,
    ContentRejected,
)
from ..session.limits import BLOCK, COMMAND, Deadline
from ..session.server import ServerConnection
from ..table import State
from ..wire.command import Command, Data
from ..wire.reply import Reply
from .authentication import Authentication
from .content import Source
from .control import FAILED, MINIMUM_RATE, Control, Drain
from .effect import Close, Flow, Handshake, Read, Write
from .handler import Refusal, Served
from .transfer import next_piece
from .turned import relay
from .verbs import (
    NOT_IMPLEMENTED,
    fetched,
    is_awaitable,
    methods_of,
    replies_to_recipients,
    result_of,
)

__all__ = ["MINIMUM_RATE", "Control", "Drain", "serve_connection"]

_OURS: Final = frozenset((Data, Bdat, BdatLast, StartTls, Auth, AuthResponse, XClient, Burl, BurlLast, Atrn))
_URLS: Final = frozenset((Burl, BurlLast))
_CHUNKS: Final = frozenset((Bdat, BdatLast))
_BEGINS_CONTENT: Final = frozenset((Data, Bdat, BdatLast))
#: Where octets of content may come.
_LENGTHY: Final = frozenset((State.CONTENT, State.RCPT, State.CHUNKS))
_TIMEOUT: Final = Reply(421, "timeout exceeded", "4.4.2")
_SHUTDOWN: Final = Reply(421, "service shutting down", "4.3.2")
_NEXT_COMMAND: Final = Read(COMMAND.seconds)


def serve_connection(machine: ServerConnection, handler: Any, session: Served, control: Control) -> Flow[None]:
    """Serve one connection to its end. Handler methods are called here, in order, one at a time."""
    return _Script(machine, handler, session, control).run()


@final
class _Script:
    __slots__ = (
        "_authentication",
        "_command",
        "_content",
        "_control",
        "_data",
        "_failed",
        "_handler",
        "_machine",
        "_message",
        "_methods",
        "_receiving",
        "_session",
    )

    def __init__(self, machine: ServerConnection, handler: Any, session: Served, control: Control) -> None:
        self._machine = machine
        self._handler = handler
        self._session = session
        self._control = control
        self._methods = (control.methods or methods_of)(handler)
        self._command = getattr(handler, "command", None)
        self._content = getattr(handler, "content", None)
        self._data = getattr(handler, "data", None)
        self._message = getattr(handler, "message", None)
        self._authentication: Authentication | None = None
        self._receiving = False  # a content has begun and its end has not been handed over
        self._failed: Reply | None = None  # what went wrong while it was handed over

    def run(self) -> Flow[None]:
        """What happens often is done here and by plain calls; a script within the script costs at every step of it."""
        machine, control = self._machine, self._control
        limit = control.timeout
        next_command = _NEXT_COMMAND if limit is None else Read(limit)
        progress = -1  # octets of content in the last read; -1: a whole unit
        try:
            if (yield from self._ask("trusts")) is True:
                machine.trust()
            answer = yield from self._ask("connected")
            self._answer(answer)
            while True:
                event = machine.next_event()
                kind = type(event)
                more: Flow[None] | None
                if kind is CommandReceived:
                    progress = -1
                    more = self._on_command(event.command)  # type: ignore[union-attr]  # kind is CommandReceived
                elif event is NEED_DATA:
                    if control.draining and not machine.transaction:
                        machine.close(_SHUTDOWN)
                        continue
                    deadline = machine.deadline or BLOCK
                    read = next_command if progress < 0 and deadline is COMMAND else self._next_read(deadline, progress)
                    data = machine.data_to_send()
                    try:
                        data = yield Write(data, read) if data else read
                    except TimeoutError:
                        machine.close(_TIMEOUT)
                        continue
                    except Drain:
                        if not machine.transaction:
                            machine.close(_SHUTDOWN)
                        continue
                    # What the machine has refused already counts too: it has to be read to its end.
                    progress = len(data) if deadline is BLOCK and machine.state in _LENGTHY else 0
                    machine.receive_data(data)
                    continue
                elif kind is ContentReceived:
                    more = self._on_content(event.data)  # type: ignore[union-attr]  # kind is ContentReceived
                elif kind is ContentEnded:
                    progress = -1
                    more = self._on_message()
                elif kind is ContentRejected:
                    progress = -1
                    more = self._abort()
                elif kind is ConnectionClosed:
                    break
                else:
                    continue
                if more is not None:
                    yield from more
        except (OSError, RemoteProtocolError):
            pass  # the connection is gone, or good for nothing; what was not acknowledged was not accepted
        except BaseException:
            self._leave()
            raise
        yield from self._abort()
        yield from self._ask("closed")
        data = machine.data_to_send()
        if data:
            try:
                yield Write(data)
            except OSError:
                pass  # nobody is there any more
        yield Close()

    def _next_read(self, deadline: Deadline, progress: int) -> Read:
        """A whole unit starts the deadline anew, octets of content put it off, anything else leaves it."""
        limit = self._control.timeout
        seconds = deadline.seconds if limit is None else limit
        if progress < 0:
            return Read(seconds)
        return Read(None, progress / self._control.minimum_rate, seconds)

    # -- events: done at once, or a script where the world has to be asked ----------------------

    def _on_command(self, command: Command) -> Flow[None] | None:
        kind = type(command)
        if kind in _OURS:
            return self._on_ours(kind, command)
        more = self._put_to(self._methods.get(kind, self._command), command)
        return self._between_chunks(more) if self._receiving else more

    def _on_ours(self, kind: type[Command], command: Command) -> Flow[None] | None:
        """What takes more than an answer."""
        if kind in _BEGINS_CONTENT:
            self._failed = None
            more = self._put_to(self._data)
            if more is not None:
                return self._receive_behind(more)
            self._receiving = self._machine.receiving
            return None
        if kind is StartTls:
            return self._start_tls()
        if kind is XClient:
            return self._introduce(command)
        if kind in _URLS:
            return self._fetch(command)
        if kind is Atrn:
            return self._turn(command)
        if self._authentication is None:
            machine, session = self._machine, self._session
            self._authentication = Authentication(machine, session, self._handler, self._control, self._ask)
        return self._authentication.hear(command)

    def _receive_behind(self, more: Flow[None]) -> Flow[None]:
        yield from more
        self._receiving = self._machine.receiving

    def _between_chunks(self, more: Flow[None] | None) -> Flow[None]:
        if more is not None:
            yield from more
        if not self._machine.receiving:  # RSET and the like drop what has come
            yield from self._abort()

    def _fetch(self, command: Command) -> Flow[None]:
        """The octets behind a URL, from the handler and through the machine, as if the client had sent them."""
        machine = self._machine
        if not self._receiving:
            self._failed = None
            answer = yield from self._ask("data")
            if isinstance(answer, Reply) and answer.code >= 400:
                machine.reply(answer)
                return
            self._receiving = True
        try:
            source = fetched((yield from self._ask("burl", command)))
            if isinstance(source, Source):
                pieces, more = source.pieces, True
                while more and (piece := (yield from next_piece(pieces))):
                    more = machine.supply(piece, more=True)
                    if isinstance(event := machine.next_event(), ContentReceived):
                        yield from self._on_content(event.data) or ()
        except Exception as error:  # noqa: BLE001 - what a handler returned may raise anything
            self._control.report(error)
            source = FAILED
        if isinstance(source, Reply):
            yield from self._fail(source)
        else:
            machine.supply(b"")  # and what comes of it is an event like any other

    def _turn(self, command: Command) -> Flow[None]:
        if hasattr(self._handler, "atrn"):
            yield from relay(self._machine, (yield from self._ask("atrn", command)), self._ask, self._control)
        else:
            self._machine.reply(NOT_IMPLEMENTED)

    def _introduce(self, command: Command) -> Flow[None]:
        before = self._machine.session.xclient
        more = self._put_to(self._methods.get(XClient, self._command), command)
        if more is not None:
            yield from more
        said = self._machine.session.xclient
        if said is not None and said is not before:
            self._session.follow(said)

    def _on_content(self, data: bytes) -> Flow[None] | None:
        if self._content is None or self._failed is not None:
            return None
        answer = self._call(self._content, data)
        if answer is not None and is_awaitable(answer):
            return self._content_later(answer)
        self._note(answer)
        return None

    def _content_later(self, awaitable: Awaitable[Any]) -> Flow[None]:
        self._note((yield from self._result(awaitable)))

    def _note(self, answer: Any) -> None:
        """What the handler says to a piece of content."""
        if isinstance(answer, Reply):
            if answer.code < 400:
                self._control.report(LocalProtocolError(f"{answer.code} to content, which message() alone accepts"))
                answer = FAILED
            self._failed = answer  # the rest is read and dropped, and this said at its end

    def _on_message(self) -> Flow[None] | None:
        if self._failed is not None:
            return self._fail(self._failed)
        self._receiving = False
        return self._put_to(self._message)

    def _fail(self, reply: Reply) -> Flow[None]:
        yield from self._abort()
        self._answer(reply)

    def _put_to(self, method: Callable[..., Any] | None, *args: Any) -> Flow[None] | None:
        """Answer as the handler does."""
        if method is None:
            self._machine.accept()
            return None
        answer = self._call(method, *args)
        if answer is not None and is_awaitable(answer):
            return self._answer_later(answer)
        self._answer(answer)
        return None

    def _answer_later(self, awaitable: Awaitable[Any]) -> Flow[None]:
        self._answer((yield from self._result(awaitable)))

    def _answer(self, answer: Any) -> None:
        machine = self._machine
        try:
            if answer is None or isinstance(answer, str):
                machine.accept(answer)
            elif isinstance(answer, Reply) and not (answer.code // 100 == 3 and type(machine.awaiting) in _CHUNKS):
                machine.reply(answer)
            elif isinstance(answer, Reply):
                machine.accept()  # what a handler says to DATA goes for BDAT too, where it is not said
            elif isinstance(answer, (list, tuple)):
                machine.reply_each(replies_to_recipients(answer))
            else:
                raise TypeError(f"a handler answers with a Reply, a text or None, not {type(answer).__name__}")
        except (LocalProtocolError, ParseError, TypeError) as error:
            # The handler's answer cannot be given: nothing is accepted by mistake.
            self._control.report(error)
            machine.reply(FAILED)

    def _start_tls(self) -> Flow[None]:
        machine = self._machine
        machine.accept()
        machine.next_event()  # raises when octets in the clear came with STARTTLS
        yield Write(machine.data_to_send())
        try:
            self._session.channel = yield Handshake()
        except OSError:
            machine.tls_failed()
            return
        machine.tls_established()

    # -- the handler --------------------------------------------------------------------------

    def _ask(self, name: str, *args: Any) -> Flow[Any]:
        method = getattr(self._handler, name, None)
        answer = None if method is None else self._call(method, *args)
        return (yield from self._result(answer)) if answer is not None and is_awaitable(answer) else answer

    def _call(self, method: Callable[..., Any], *args: Any) -> Any:
        """The handler's answer, or what has to be awaited for it; 451 in place of anything it raises but a Refusal."""
        try:
            result = method(self._session, *args)
        except Refusal as refusal:
            return refusal.reply
        except Exception as error:  # noqa: BLE001 - a handler may raise anything
            self._control.report(error)
            return FAILED
        return result.reply if isinstance(result, Refusal) else result

    def _result(self, awaitable: Awaitable[Any]) -> Flow[Any]:
        """The same, for what has to be awaited."""
        try:
            result = yield from result_of(awaitable)
        except Refusal as refusal:
            return refusal.reply
        except Exception as error:  # noqa: BLE001 - a handler may raise anything
            self._control.report(error)
            return FAILED
        return result.reply if isinstance(result, Refusal) else result

    def _abort(self) -> Flow[None]:
        if self._receiving:
            self._receiving = False
            yield from self._ask("aborted")

    def _leave(self) -> None:
        """The script is being cancelled: nothing can be awaited any more, but what is plain is called."""
        for name in ("aborted", "closed") if self._receiving else ("closed",):
            method = getattr(self._handler, name, None)
            try:
                result = None if method is None else method(self._session)
            except Exception as error:  # noqa: BLE001 - a handler may raise anything
                self._control.report(error)
            else:
                if isinstance(result, Coroutine):
                    result.close()
