"""ServerConnection: the machine behind a receiving server.

Octets in, events out, replies out. The machine decides framing, syntax, sequence and limits by
itself and reports what it refused; everything else waits for the application's answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Unpack, final

from ..errors import LocalProtocolError
from ..extensions.auth import Auth, AuthResponse, encode_base64
from ..extensions.burl import BurlCommand
from ..extensions.chunking import Bdat, BdatCommand, BdatLast
from ..extensions.starttls import StartTls
from ..table import SILENT, Connect, EndOfContent, State, may_answer
from ..wire.capabilities import Capabilities
from ..wire.command import Command, Data, Mail, Quit, Rcpt
from ..wire.reply import Reply
from ..wire.tolerance import Tolerance
from . import replies
from .event import (
    NEED_DATA,
    PAUSED,
    CommandReceived,
    CommandRejected,
    ConnectionClosed,
    ContentEnded,
    ServerEvent,
    Signal,
)
from .examination import SHOWN, refuse_length, showable, understand, understand_response
from .foreign import TLS_HELLO, foreign_protocol
from .intake import SMALL_CHUNK
from .limits import BLOCK, COMMAND, Deadline
from .reception import Reception
from .serversession import ServerSession
from .settings import NO_CAPABILITIES, ServerSettings, SettingsOptions
from .transaction import Transaction

__all__ = ["ServerConnection"]

_OF_TRANSACTIONS: Final = frozenset((Mail, Rcpt, Data, EndOfContent, Auth, AuthResponse, StartTls, Quit, Connect))
_CHUNKS: Final = frozenset((Bdat, BdatLast))
# Looking a member of an Enum up costs more than all else that a step does with it.
_CONTENT, _AUTHENTICATING, _UPGRADING, _CLOSED = State.CONTENT, State.AUTHENTICATING, State.UPGRADING, State.CLOSED
_TURNED = State.TURNED
_NO_LINES: Final = SILENT | {_CONTENT}
_END_OF_CONTENT: Final = EndOfContent()
_CONTENT_ENDED: Final = ContentEnded()
_POSITIVE: Final = replies.POSITIVE_OCTETS
# RFC 2033 s4.2: not one reply to the content
_POSITIVE_LMTP: Final = {kind: octets for kind, octets in _POSITIVE.items() if kind is not EndOfContent}


@final
class ServerConnection(Reception):
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

    __slots__ = ("_positive", "_tolerance")

    def __init__(
        self,
        hostname: str,
        capabilities: Capabilities = NO_CAPABILITIES,
        *,
        tls: bool = False,
        **options: Unpack[SettingsOptions],
    ) -> None:
        self._begin(ServerSettings(hostname, capabilities, **options), tls)

    @classmethod
    def from_settings(cls, settings: ServerSettings, *, tls: bool = False) -> ServerConnection:
        """A connection under settings that it shares with others."""
        machine = cls.__new__(cls)
        machine._begin(settings, tls)
        return machine

    def _begin(self, settings: ServerSettings, tls: bool) -> None:
        super().__init__(settings, tls=tls)
        self._tolerance = Tolerance(settings.strictness)
        self._positive = _POSITIVE_LMTP if settings.lmtp else _POSITIVE

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
        """The command that waits for an answer, if one does and its event has been taken."""
        return None if self._events else self._awaiting

    @property
    def deadline(self) -> Deadline | None:
        """How long the client may take for what it has to do next; None when it is not the client's turn."""
        if self._awaiting is not None:
            return None
        state = self.session.state
        if state in _NO_LINES:
            return BLOCK if state is _CONTENT else None
        return COMMAND if self._chunk is None else BLOCK

    @property
    def buffered(self) -> int:
        """Octets received and not yet understood."""
        return len(self._buffer)

    # -- octets -------------------------------------------------------------------------------

    def receive_data(self, data: bytes) -> None:
        """Take octets from the client; ``b""`` is the end of the stream.

        Raises LocalProtocolError, without taking them, when more octets than ``limits.buffered``
        wait already (stop reading while the machine is PAUSED), or behind the end of the stream.
        What comes when the conversation is over is dropped.
        """
        if self._error:
            self._check_error()
        if type(data) is not bytes:
            data = bytes(memoryview(data))  # not bytes(data): a number or None is a mistake of the caller
        if self.session.state is _CLOSED:
            return  # whoever reads while the last reply is written has done nothing wrong
        if not data:
            self._eof = True
            return
        if self._eof:
            raise LocalProtocolError("octets behind the end of the stream")
        buffer = self._buffer
        if not buffer.data:
            buffer.data = data  # what append() does, without the call
            return
        most = self.settings.limits.buffered
        if len(buffer.data) > most < len(buffer) and (self._awaiting or len(buffer) > self.settings.line_budget):
            raise LocalProtocolError("more input than the limit while PAUSED: take events, or stop reading")
        buffer.append(data)

    # -- events -------------------------------------------------------------------------------

    def next_event(self) -> ServerEvent | Signal:
        """The next event, NEED_DATA, or PAUSED while an answer is due. Raises RemoteProtocolError, nothing else."""
        if self._events:
            return self._events.pop(0)
        if self._error:
            self._check_error()
        if self._awaiting is not None:
            return PAUSED
        state = self.session.state
        if state in _NO_LINES:
            return self._next_content() if state is _CONTENT else self._next_beside_lines(state)
        buffer = self._buffer
        while True:
            if self._chunk is not None:
                event = self._next_chunk(self._chunk)
            elif not buffer.data:
                break
            elif (line := buffer.take_line()) is not None:
                event = self._on_line(line)
            elif len(buffer.data) >= self.settings.line_budget <= len(buffer):
                event = self._refuse(buffer.take(SHOWN), replies.LINE_WITHOUT_END)
            elif self.session.client is None and buffer.starts_with(TLS_HELLO):
                event = self._refuse(TLS_HELLO, replies.BAD_OCTETS)  # its lines have no end to wait for
            else:
                break
            if event is not None:
                return event
        return self._end_of_stream() if self._eof else NEED_DATA

    def _next_beside_lines(self, state: State) -> ServerEvent | Signal:
        if state is _CLOSED:
            return ConnectionClosed()
        if state is _UPGRADING:
            self._refuse_plaintext()
        return self._end_of_stream() if self._eof else PAUSED

    def _on_line(self, line: bytes) -> ServerEvent | None:
        session, tolerance = self.session, self._tolerance
        limits = self.settings.limits
        found: Command | Reply
        if session.state is _AUTHENTICATING:
            found = understand_response(session, line)
        elif len(line) + 2 > limits.command_line and (reply := refuse_length(session, line, limits.command_line)):
            found = reply
        else:
            found = understand(session, line, tolerance)
        kind = type(found)
        if kind is Reply:
            return self._refuse(line, found)  # type: ignore[arg-type]  # kind is Reply
        if kind not in _OF_TRANSACTIONS:
            if kind not in _CHUNKS or (kind is Bdat and found.size < SMALL_CHUNK):  # type: ignore[union-attr]  # kind says so
                session.idle_commands += 1
                if session.idle_commands > limits.idle_commands:
                    return self._refuse(line, replies.TOO_MANY_COMMANDS)
            if kind in _CHUNKS and (chunks := self._in_hand) is not None:
                self._go_on(chunks, found)  # type: ignore[arg-type]  # kind is that of a chunk
                return None
        self._awaiting = found  # type: ignore[assignment]  # kind is not Reply
        event = CommandReceived(found)  # type: ignore[arg-type]  # kind is not Reply
        return self._report([*tolerance.take(), event]) if tolerance.defects else event

    def trust(self) -> None:
        """Let this client say who its own client is: XCLIENT and XFORWARD are offered to it, and taken.

        For the address of a proxy or of a content filter that you know; behind an XCLIENT with another address it
        no longer holds (see :mod:`smtpcore.extensions.xclient`).
        """
        self.session.trusted = True

    # -- answers ------------------------------------------------------------------------------

    def greet(self, reply: Reply | None = None) -> None:
        """Send the greeting: 220, or ``reply`` (554 refuses, RFC 5321 s3.1)."""
        if not isinstance(self._awaiting, Connect):
            self._check_error()
            raise LocalProtocolError("the greeting has been sent")
        self.reply(replies.positive(self.session, self._due(), None) if reply is None else reply)

    def accept(self, text: str | None = None) -> None:
        """Answer what is awaited with its standard positive reply, with ``text`` for its words."""
        command = self._awaiting
        if command is None or self._events or self._error:
            command = self._due()
        common = self._positive.get(type(command)) if text is None else None
        if common is None:
            self._answer(command, replies.positive(self.session, command, text))
            return
        # The same, for the replies that are given again and again
        self._awaiting = None
        octets, digit = common
        session = self.session
        self._out.append(octets[session.enhanced])
        session.take(command, digit)

    def reply(self, reply: Reply) -> None:
        """Answer what is awaited.

        Raises LocalProtocolError when nothing is, or when the code makes no sense there (250 to
        DATA, 354 to MAIL).
        """
        self._answer(self._due(), replies.checked(reply))

    def reply_each(self, answers: Sequence[Reply]) -> None:
        """LMTP: answer the end of a content for each recipient, in the order of their RCPT (RFC 2033 s4.2).

        ``accept()`` and ``reply()`` say the same for all of them. Raises LocalProtocolError when the
        content's end is not what waits, in SMTP, for another number of replies than there are
        recipients, and for 421 (``close()`` says that) and 3yz.
        """
        command = self._due()
        if not self.settings.lmtp or not self._is_end(command):
            raise LocalProtocolError("replies for each recipient are for the end of a content in LMTP (RFC 2033 s4.2)")
        count = len(self.session.transaction.rcpts)
        if len(answers) != count:
            raise LocalProtocolError(f"{len(answers)} replies for {count} recipients (RFC 2033 s4.2)")
        for reply in answers:
            if replies.checked(reply).code // 100 == 3 or reply.code == 421:
                raise LocalProtocolError(f"{reply.code} is no answer for a recipient (RFC 2033 s4.2)")
        for reply in answers:
            self._write(reply)
        self._awaiting = None
        digits = {reply.code // 100 for reply in answers}
        self.session.take(command, min(digits))
        if 2 not in digits:
            self._count_error()

    def challenge(self, octets: bytes) -> None:
        """Answer AUTH or a response with 334 and a challenge (RFC 4954 s4)."""
        command = self._due()
        if not isinstance(command, (Auth, AuthResponse)):
            raise LocalProtocolError(f"a challenge is no answer to {command.verb} (RFC 4954 s4)")
        self._answer(command, Reply(334, encode_base64(octets)))

    def supply(self, data: bytes, *, more: bool = False) -> bool:
        """Hand over octets behind the URL of a BURL, in place of what a client would have sent (RFC 4468 s3.2).

        They come back as ContentReceived, as far as the limits and the policy for bare CR and LF let them; take it
        before the next call. Without ``more`` that was all: a part is answered by the machine, the last one is
        followed by ContentEnded and waits for its verdict. False says that the content is refused already,
        so that no more is needed before the last call. Raises LocalProtocolError where it is not BURL that waits.
        """
        command = self._due()
        if not isinstance(command, BurlCommand):
            raise LocalProtocolError(f"no URL waits for its octets, but {command.verb} (RFC 4468 s3.2)")
        return self._supply(command, bytes(memoryview(data)), more=more)

    def close(self, reply: Reply = replies.SHUTTING_DOWN) -> None:
        """Say 421 (or ``reply``) now and close, whatever the client was doing (RFC 5321 s3.8)."""
        replies.checked(reply)
        if self._error or self.session.state is State.CLOSED:
            return
        if self.session.state not in SILENT:
            self._write(reply)
        self._close()

    def _answer(self, command: Command, reply: Reply) -> None:
        digit = reply.code // 100
        row = self.session.rows.get(type(command))
        if row is not None and not may_answer(row, digit):
            raise LocalProtocolError(f"{reply.code} is no answer to {command.verb} (RFC 5321 s4.3.2)")
        if reply.code != 421 and isinstance(command, BdatCommand) and self._in_hand is None:
            self._begin_chunks(command, reply)
            return
        if self.settings.lmtp and reply.code != 421 and self._is_end(command):
            self.reply_each([reply] * len(self.session.transaction.rcpts))
            return
        self._write(reply, command)
        self._awaiting = None
        if reply.code == 421:
            self._close()  # RFC 5321 s3.8
            return
        self.session.take(command, digit)
        if self.session.state is State.CLOSED:
            self._close()
        if digit >= 4:
            self._count_error()

    def hand_over(self) -> tuple[bytes, bool]:
        """Behind ATRN: what the peer has sent since, and whether that was all; this machine is closed.

        For :func:`~smtpcore.session.turning.become_client`, which calls it.
        """
        self._check_error()
        if self.session.state is not _TURNED or self._out:
            raise LocalProtocolError("no ATRN has been accepted, or the reply to it not written yet (RFC 2645 s5.3)")
        rest = self._buffer.take(len(self._buffer))
        self._close()
        return rest, self._eof

    # -- TLS ----------------------------------------------------------------------------------

    def tls_established(self) -> None:
        """The handshake is done: the session begins anew and nothing that came before counts (RFC 3207 s4.2).

        Raises RemoteProtocolError when octets came in the clear after STARTTLS.
        """
        self._check_error()
        if self.session.state is not State.UPGRADING:
            raise LocalProtocolError("STARTTLS has not been accepted")
        self._refuse_plaintext()
        self.session = ServerSession(self.settings, State.GREETED, tls=True, trusted=self.session.trusted)
        self._chunks = None
        self._tolerance.take()

    def tls_failed(self) -> None:
        """The handshake failed: the connection is closed, never continued in the clear."""
        self._close()

    def _refuse_plaintext(self) -> None:
        # RFC 3207 s4.2, CVE-2011-0411: what was sent in the clear must not count inside TLS
        if self._buffer.data:
            self._close()
            self._fail("octets in the clear after STARTTLS (RFC 3207 s4.2)")

    def _refuse(self, line: bytes, reply: Reply) -> ServerEvent | None:
        """Answer a line that the application is not asked about."""
        session = self.session
        if reply.code == 500 or session.client is None:
            protocol = foreign_protocol(line)
            # TLS where it can only be the first word; HTTP wherever there is no such verb
            if protocol is not None and (session.client is None if protocol == "TLS" else reply.code == 500):
                return self._refuse_protocol(protocol, line)
        shown = showable(session, line, reply)
        if line[:4].upper() == b"BDAT" and reply.code != 421 and session.state is not State.AUTHENTICATING:
            if Bdat in self.settings.extensions.verb_owner:
                return self._refuse_chunk(line, shown, reply)
        if session.state is State.AUTHENTICATING:
            session.take(AuthResponse(None), 5)
        self._write(reply)
        if reply.code == 421:
            self._close()
        else:
            self._count_error()
        return CommandRejected(shown, reply)
