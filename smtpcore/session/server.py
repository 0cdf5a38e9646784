"""ServerConnection: the machine behind a receiving server.

Octets in, events out, replies out. The machine decides framing, syntax, sequence and limits by
itself and reports what it refused; everything else waits for the application's answer.
"""

from __future__ import annotations

from collections import deque
from typing import Final, final

from ..errors import LocalProtocolError, ParseError, ProtocolError, RemoteProtocolError
from ..extensions import ENHANCEDSTATUSCODES, SIZE, STANDARD, ExtensionSet
from ..extensions.auth import AUTH_LINE_LIMIT, Auth, AuthResponse, encode_base64
from ..extensions.starttls import StartTls
from ..table import Connect, EndOfContent, State, may_answer
from ..wire.address import Mailbox, Postmaster
from ..wire.buffer import ReceiveBuffer
from ..wire.capabilities import Capabilities
from ..wire.command import Command, Data, Greeting, Helo, Mail, Quit, Rcpt, parse_command
from ..wire.meter import TEXT_LINE_LIMIT
from ..wire.newlines import BareNewlines
from ..wire.reply import Reply
from ..wire.tolerance import INTEROP, STRICT, Strictness, Tolerance
from . import replies
from .event import (
    NEED_DATA,
    PAUSED,
    CommandReceived,
    CommandRejected,
    ConnectionClosed,
    ContentEnded,
    ContentReceived,
    ContentRejected,
    ServerEvent,
    Signal,
)
from .examination import examine
from .intake import ContentIntake
from .limits import BLOCK, COMMAND, Deadline, ServerLimits
from .serversession import ServerSession
from .settings import NO_CAPABILITIES, ServerSettings
from .transaction import Transaction

__all__ = ["ServerConnection"]

_OF_TRANSACTIONS: Final = frozenset((Mail, Rcpt, Data, EndOfContent, Auth, AuthResponse, StartTls, Quit, Connect))
_NOT_WAITING: Final = frozenset((State.CLOSED, State.UPGRADING))
_OK: Final = Reply(250, "ok", "2.0.0")


@final
class ServerConnection:
    """One connection, seen from the server.

    The arguments are those of :class:`~smtpcore.session.settings.ServerSettings`; ``tls`` says that
    the connection is encrypted from the start.

    Call ``greet()`` first. Then, for every chunk that arrives, ``receive_data`` it (``b""`` at the
    end of the stream) and take events until NEED_DATA; answer each CommandReceived and
    ContentEnded by ``accept()`` or ``reply()``, and write ``data_to_send()`` out.

    Methods raise LocalProtocolError when called out of place, without having changed anything.
    ``next_event`` raises RemoteProtocolError when the peer broke the protocol beyond answering;
    from then on the machine is dead and every call raises that error again.
    """

    __slots__ = (
        "_awaiting",
        "_buffer",
        "_content",
        "_eof",
        "_error",
        "_events",
        "_out",
        "_tolerance",
        "session",
        "settings",
    )

    def __init__(
        self,
        hostname: str,
        capabilities: Capabilities = NO_CAPABILITIES,
        *,
        tls: bool = False,
        strictness: Strictness = INTEROP,
        bare_newlines: BareNewlines = BareNewlines.REJECT,
        limits: ServerLimits | None = None,
        extensions: ExtensionSet = STANDARD,
        require_tls: bool = False,
        require_auth: bool = False,
        allow_plaintext_auth: bool = False,
    ) -> None:
        settings = ServerSettings(
            hostname,
            capabilities,
            strictness=strictness,
            bare_newlines=bare_newlines,
            limits=limits,
            extensions=extensions,
            require_tls=require_tls,
            require_auth=require_auth,
            allow_plaintext_auth=allow_plaintext_auth,
        )
        self._begin(settings, tls)

    @classmethod
    def from_settings(cls, settings: ServerSettings, *, tls: bool = False) -> ServerConnection:
        """A connection under settings that it shares with others."""
        machine = cls.__new__(cls)
        machine._begin(settings, tls)
        return machine

    def _begin(self, settings: ServerSettings, tls: bool) -> None:
        self.settings = settings
        #: What is known of the session; STARTTLS replaces it.
        self.session = ServerSession(settings, State.CONNECTED, tls=tls)
        self._tolerance = Tolerance(settings.strictness)
        self._buffer = ReceiveBuffer()
        self._events: deque[ServerEvent] | None = None  # made on demand: an idle connection needs none
        self._out: list[bytes] = []
        self._awaiting: Command | None = Connect()  # what the application has to answer next
        self._content: ContentIntake | None = None
        self._eof = False
        self._error: ProtocolError | None = None

    # -- what is known ------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """Where the conversation stands."""
        return self.session.state

    @property
    def transaction(self) -> Transaction:
        """The transaction in hand; it stands until the end of the content has been answered."""
        return self.session.transaction

    @property
    def awaiting(self) -> Command | None:
        """The command that waits for an answer, if one does."""
        return self._awaiting

    @property
    def deadline(self) -> Deadline | None:
        """How long the client may take for what it has to do next; None when it is not the client's turn."""
        if self._awaiting or self.session.state in _NOT_WAITING:
            return None
        return BLOCK if self.session.state is State.CONTENT else COMMAND

    @property
    def buffered(self) -> int:
        """Octets received and not yet understood."""
        return len(self._buffer)

    # -- octets -------------------------------------------------------------------------------

    def receive_data(self, data: bytes) -> None:
        """Take octets from the client; ``b""`` is the end of the stream.

        Raises LocalProtocolError, without taking them, when more octets than ``limits.buffered``
        wait already: stop reading while the machine is PAUSED.
        """
        if self._error:
            raise self._error
        if not data:
            self._eof = True
            return
        if len(self._buffer) > max(self.settings.limits.buffered, 2 * AUTH_LINE_LIMIT):
            raise LocalProtocolError("more input than the limit while PAUSED: take events, or stop reading")
        if self.session.state is not State.CLOSED:
            self._buffer.append(data if type(data) is bytes else bytes(data))

    def data_to_send(self) -> bytes:
        """The octets to write to the client now; they are handed out once."""
        out = self._out
        if not out:
            return b""
        data = out[0] if len(out) == 1 else b"".join(out)
        out.clear()
        return data

    # -- events -------------------------------------------------------------------------------

    def next_event(self) -> ServerEvent | Signal:
        """The next event, NEED_DATA, or PAUSED while an answer is due. Raises RemoteProtocolError, nothing else."""
        if self._events:
            return self._events.popleft()
        if self._error:
            raise self._error
        if self._awaiting is not None:
            return PAUSED
        state = self.session.state
        if state is State.CONTENT:
            return self._next_content()
        if state is State.CLOSED:
            return ConnectionClosed()
        if state is State.UPGRADING:
            self._refuse_plaintext()
            return self._need_data() if self._eof else PAUSED
        line = self._buffer.take_line()
        limit = AUTH_LINE_LIMIT if state is State.AUTHENTICATING else self.settings.limits.command_line
        if line is None:
            # A line may be read to twice its limit, to be refused in step; nobody waits for its end beyond that.
            if len(self._buffer) >= 2 * limit:
                return self._give_up(b"", replies.LINE_WITHOUT_END)
            return self._need_data()
        if len(line) + 2 > limit and not self._may_be_long(line):
            return self._on_long_line(line, limit)
        return self._on_line(line)

    def _need_data(self) -> ServerEvent | Signal:
        if not self._eof:
            return NEED_DATA
        self._close()
        return ConnectionClosed()

    def _may_be_long(self, line: bytes) -> bool:
        # RFC 4954 s4: an initial response has the limit of the exchange, not that of a command
        return line[:5].upper() == b"AUTH " and len(line) + 2 <= AUTH_LINE_LIMIT

    def _on_long_line(self, line: bytes, limit: int) -> ServerEvent:
        if len(line) + 2 > 2 * limit:
            return self._give_up(line, replies.LINE_WITHOUT_END)
        if self.session.state is State.AUTHENTICATING:
            self.session.step(AuthResponse, 5)
            return self._refuse(b"", replies.AUTH_LINE_TOO_LONG)
        return self._refuse(line, replies.LINE_TOO_LONG)

    def _on_line(self, line: bytes) -> ServerEvent:
        session = self.session
        if session.state is State.AUTHENTICATING:
            return self._on_response(line)
        tolerance = self._tolerance
        try:
            command = parse_command(line, self.settings.extensions.vocabulary, tolerance)
        except ParseError as error:
            tolerance.take()
            return self._refuse(line, replies.refusal(error, line))
        reply = examine(session, command, line)
        if reply is not None:
            tolerance.take()
            return self._refuse(line, reply)
        kind = type(command)
        if kind not in _OF_TRANSACTIONS:
            session.idle_commands += 1
            if session.idle_commands > self.settings.limits.idle_commands:
                return self._give_up(line, replies.TOO_MANY_COMMANDS)
        self._awaiting = command
        if tolerance.defects:
            self._push(*tolerance.take(), CommandReceived(command))
            return self._pop()
        return CommandReceived(command)

    def _on_response(self, line: bytes) -> ServerEvent:
        try:
            command = AuthResponse.parse_line(line)
        except ParseError:
            reply = replies.BAD_BASE64
        else:
            if command.response is not None:
                self._awaiting = command
                return CommandReceived(command)
            reply = replies.AUTH_CANCELLED
        self.session.step(AuthResponse, 5)
        return self._refuse(b"", reply)

    # -- content ------------------------------------------------------------------------------

    def _next_content(self) -> ServerEvent | Signal:
        content = self._content
        if content is None:
            size = self.settings.limits.size or self.settings.capabilities.get(SIZE) or None
            line = TEXT_LINE_LIMIT if self._tolerance.level is STRICT else self.settings.limits.text_line
            content = self._content = ContentIntake(self.settings.bare_newlines, size, line)
        while self._buffer:
            data = content.receive(self._buffer.take())
            if content.eof:
                self._end_content(content)
            if data:
                return ContentReceived(data)
            if content.eof:
                return self._pop()
        return self._need_data()

    def _end_content(self, content: ContentIntake) -> None:
        self._content = None
        if content.unused_data:
            self._buffer.append(content.unused_data)
        reply = content.refusal
        if reply is None:
            self._awaiting = EndOfContent()
            self._push(*content.defects, ContentEnded())
        else:
            self.session.step(EndOfContent, 5)
            self._write(reply)
            self._push(ContentRejected(reply))
            self._count_error()

    # -- answers ------------------------------------------------------------------------------

    def greet(self, reply: Reply | None = None) -> None:
        """Send the greeting: 220, or ``reply`` (554 refuses, RFC 5321 s3.1)."""
        if not isinstance(self._awaiting, Connect):
            raise self._error or LocalProtocolError("the greeting has been sent")
        if reply:
            self.reply(reply)
        else:
            self.accept()

    def accept(self, text: str | None = None) -> None:
        """Answer what is awaited with its standard positive reply, with ``text`` for its words."""
        command = self._awaiting
        if command is None:
            raise self._error or LocalProtocolError("nothing waits for a reply")
        if isinstance(command, Greeting):
            lines = [text or f"{self.settings.hostname} greets {_printable(command.client)}"]
            if not isinstance(command, Helo):
                lines += [str(line) for line in self.session.to_offer()]
            self.reply(Reply(250, lines))
        elif isinstance(command, Connect):
            self.reply(Reply(220, text or f"{self.settings.hostname} ESMTP"))
        else:
            found = replies.POSITIVE.get(type(command), _OK)
            self.reply(found if text is None else Reply(found.code, text, found.enhanced))

    def reply(self, reply: Reply) -> None:
        """Answer what is awaited.

        Raises LocalProtocolError when nothing is, or when the code makes no sense there (250 to
        DATA, 354 to MAIL).
        """
        if self._error:
            raise self._error
        command = self._awaiting
        if command is None:
            raise LocalProtocolError("nothing waits for a reply")
        session = self.session
        digit = reply.code // 100
        if not may_answer(session.row(type(command)), digit):
            raise LocalProtocolError(f"{reply.code} is no answer to {command.verb} (RFC 5321 s4.3.2)")
        self._awaiting = None
        self._write(reply)
        if reply.code == 421:
            self._close()  # RFC 5321 s3.8
            return
        session.take(command, digit)
        if session.state is State.CLOSED:
            self._close()
        if digit >= 4:
            self._count_error()

    def challenge(self, octets: bytes) -> None:
        """Answer AUTH or a response with 334 and a challenge (RFC 4954 s4)."""
        self.reply(Reply(334, encode_base64(octets)))

    def close(self, reply: Reply = replies.SHUTTING_DOWN) -> None:
        """Say 421 (or ``reply``) now and close, whatever the client was doing (RFC 5321 s3.8)."""
        if self._error or self.session.state is State.CLOSED:
            return
        if self.session.state is not State.UPGRADING:
            self._write(reply)
        self._close()

    # -- TLS ----------------------------------------------------------------------------------

    def tls_established(self) -> None:
        """The handshake is done: the session begins anew and nothing that came before counts (RFC 3207 s4.2).

        Raises RemoteProtocolError when octets came in the clear after STARTTLS.
        """
        if self._error:
            raise self._error
        if self.session.state is not State.UPGRADING:
            raise LocalProtocolError("STARTTLS has not been accepted")
        self._refuse_plaintext()
        self.session = ServerSession(self.settings, State.GREETED, tls=True)
        self._tolerance.take()

    def tls_failed(self) -> None:
        """The handshake failed: the connection is closed, never continued in the clear."""
        self._close()

    def _refuse_plaintext(self) -> None:
        # RFC 3207 s4.2, CVE-2011-0411: what was sent in the clear must not count inside TLS
        if self._buffer:
            self._close()
            self._error = RemoteProtocolError("octets in the clear after STARTTLS (RFC 3207 s4.2)")
            raise self._error

    # -- steps --------------------------------------------------------------------------------

    def _close(self) -> None:
        self.session.close()
        self._awaiting = None
        self._content = None
        self._buffer.clear()

    def _write(self, reply: Reply) -> None:
        session = self.session
        # RFC 2034 s4: not in the greeting and not in the reply to EHLO or HELO, which have none of their own
        self._out.append(reply.encode(with_enhanced=session.esmtp and ENHANCEDSTATUSCODES in session.offered))

    def _refuse(self, line: bytes, reply: Reply) -> ServerEvent:
        """Answer a line that the application is not asked about."""
        self._write(reply)
        self._count_error()
        return CommandRejected(self._showable(line, reply), reply)

    def _give_up(self, line: bytes, reply: Reply) -> ServerEvent:
        self._write(reply)
        self._close()
        return CommandRejected(self._showable(line, reply), reply)

    def _count_error(self) -> None:
        self.session.errors += 1
        if self.session.errors > self.settings.limits.errors:
            self.close(replies.TOO_MANY_ERRORS)

    def _showable(self, line: bytes, reply: Reply) -> bytes:
        if line[:4].upper() == b"AUTH":
            self.session.auth_tried = True
            return line[:4]
        # A response sent behind an AUTH that was refused is no command, and a secret.
        return b"" if self.session.auth_tried and reply is replies.UNKNOWN_COMMAND else line[:100]

    def _push(self, *events: ServerEvent) -> None:
        if self._events is None:
            self._events = deque()
        self._events.extend(events)

    def _pop(self) -> ServerEvent:
        return self._events.popleft()  # type: ignore[union-attr]  # called behind _push only


def _printable(name: str) -> str:
    """A name that a stranger gave, fit for a reply."""
    return name[:100] if name.isascii() else "you"
