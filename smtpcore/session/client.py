"""ClientConnection: the machine behind a sending client.

Commands in, octets out; octets in, replies out, each with the command it answers. What may go
ahead in one packet and what must wait is decided by the table and by RFC 2920, in the pipeline.
"""

from __future__ import annotations

from typing import Final, NoReturn, final

from ..errors import LocalProtocolError, ParseError, RemoteProtocolError
from ..extensions import STANDARD, ExtensionSet
from ..extensions.auth import Auth, AuthResponse
from ..extensions.chunking import BdatCommand
from ..extensions.xclient import XClient
from ..table import SILENT, Connect, EndOfContent, State
from ..wire.capabilities import Capabilities
from ..wire.command import Command, Data, Ehlo, Lhlo
from ..wire.content import DotStuffer
from ..wire.newlines import BareNewlines
from ..wire.reply import Reply, ReplyReader
from ..wire.secret import scrub
from .event import NEED_DATA, PAUSED, ClientEvent, ConnectionClosed, ReplyReceived, Signal, VerdictReceived
from .limits import ClientLimits
from .pipeline import EXCHANGE, GREETINGS, NO_CAPABILITIES, Pipeline
from .planning import NO_ROW
from .recipients import TEACHES_RECIPIENTS, Recipients
from .standing import Standing

__all__ = ["ClientConnection"]

# Looking a member of an Enum up costs more than all else that a step does with it.
_CONTENT, _UPGRADING, _CLOSED, _TURNED = State.CONTENT, State.UPGRADING, State.CLOSED, State.TURNED
_TEACHING: Final = GREETINGS | EXCHANGE | {XClient}
_TEACHING_LMTP: Final = _TEACHING | TEACHES_RECIPIENTS


@final
class ClientConnection(Standing):
    """One connection, seen from the client.

    ``send`` takes commands at any time, before the greeting too, and holds back what may not go yet: everything until
    the greeting has come, one at a time without PIPELINING, a group at a time with it. Write ``data_to_send()`` after
    each call, ``receive_data`` what arrives (``b""`` at the end), and take events until NEED_DATA or PAUSED.

    A command that has become impossible by the time its turn comes (RCPT after MAIL was refused, a parameter that the
    server turned out not to know) is never sent and reported as CommandSkipped.

    Methods raise LocalProtocolError when called out of place, without having changed anything. ``next_event`` raises
    RemoteProtocolError when the server broke the protocol; from then on the machine is dead and every call raises that
    error again.
    """

    __slots__ = (
        "_closed_event",
        "_dots",
        "_recipients",
        "_stuffer",
        "_teaching",
        "_transitions",
        "_unasked",
        "allow_plaintext_auth",
        "authenticated",
        "bare_newlines",
        "extensions",
        "limits",
        "lmtp",
        "tls",
        "verified",
    )

    def __init__(
        self,
        *,
        bare_newlines: BareNewlines = BareNewlines.REJECT,
        limits: ClientLimits | None = None,
        extensions: ExtensionSet = STANDARD,
        tls: bool = False,
        verified: bool = False,
        allow_plaintext_auth: bool = False,
        lmtp: bool = False,
    ) -> None:
        super().__init__()
        self.bare_newlines = bare_newlines  #: What becomes of a CR or LF that stands alone in content to be sent.
        self._dots = DotStuffer(bare_newlines)  # for one content after the other
        self.limits = limits or ClientLimits()
        self.extensions = extensions  #: What this machine understands.
        self._transitions = extensions.transitions
        self.lmtp = lmtp  #: Whether it speaks LMTP (RFC 2033).
        self._teaching = _TEACHING_LMTP if lmtp else _TEACHING
        self.allow_plaintext_auth = allow_plaintext_auth
        self.tls = tls  #: Whether the octets of this conversation travel in TLS.
        self.verified = verified  #: Whether the server's certificate was verified (RFC 8689 s4.2.1).
        self._begin(State.CONNECTED)
        self._pipeline.flight.append(Connect())

    def _begin(self, state: State) -> None:
        """A session of which nothing is known yet."""
        self.state = state
        self.authenticated = False  #: Whether AUTH has succeeded in this session.
        self._reader = ReplyReader(self.limits.reply_line, self.limits.reply_size, self.limits.reply_lines)
        self._pipeline = Pipeline(self.extensions, self.limits.in_flight, self._out, lmtp=self.lmtp)
        self._recipients = Recipients()
        self._stuffer: DotStuffer | None = None  # while content may be sent
        self._unasked = False  # octets have come while no reply was due
        self._closed_event: ConnectionClosed | None = None

    # -- commands -----------------------------------------------------------------------------

    def send(self, command: Command) -> None:
        """Queue a command, to go as soon as it may.

        Raises LocalProtocolError when it has no place in the conversation, if all that was queued before it succeeds.
        """
        if self._error or self.state is _CLOSED:
            self._check_alive()
        if type(command) is Auth and not self.tls and not self.allow_plaintext_auth:
            raise LocalProtocolError("AUTH without TLS; allow_plaintext_auth=True permits it (RFC 4954 s4)")
        self._pipeline.send(command, self.state)

    def prepare_content(self, data: bytes) -> None:
        """Look at the whole of the next content while the server thinks about DATA.

        It commits to nothing: ``end_content`` with the same object has less to do then, and that is all.
        Raises LocalProtocolError when the conversation is over.
        """
        if self._error or self.state is _CLOSED:
            self._check_alive()
        if type(data) is not bytes:
            data = bytes(memoryview(data))
        self._dots.prepare(data)

    def send_content(self, data: bytes) -> None:
        """Send octets of the content, dot-stuffed; CRLF ends lines, in any chunks.

        Raises LocalProtocolError outside of the content. A bare CR or LF raises it too (unless the policy is NORMALIZE)
        and leaves the machine dead: a content begun and not finished can only be abandoned with its connection.
        """
        stuffer = self._stuffer
        if stuffer is None or self._error or self.state is not _CONTENT:
            stuffer = self._content()
        if type(data) is not bytes:
            data = bytes(memoryview(data))
        try:
            data = stuffer.stuff(data)
        except ParseError as error:
            self._abandon(error)
        if data:
            self._out.append(data)

    def end_content(self, data: bytes = b"", *, chained: bool = False) -> EndOfContent:
        """End the content, with ``data`` as its last octets; returns what the verdict will come back with.

        Raises as ``send_content``. What is sent next waits for the verdict; ``chained`` lets it go along with the end
        (RFC 2920 s3.1).
        """
        stuffer = self._stuffer
        if stuffer is None or self._error or self.state is not _CONTENT:
            stuffer = self._content()
        if type(data) is not bytes:
            data = bytes(memoryview(data))
        try:
            last = stuffer.finish(data)
        except ParseError as error:
            self._abandon(error)
        if not self._unasked:  # no dot for a server that has spoken out of turn: its verdict would mean nothing
            self._out.append(last)
        self._stuffer = None
        return self._pipeline.send_end(chained=chained)

    def send_chunk(self, data: bytes, *, last: bool = False) -> BdatCommand:
        """Send octets of the content behind BDAT, as they are; returns what the reply to them will come back with.

        The reply to the ``last`` is the verdict. Lines are as for ``send_content``, but with BODY=BINARYMIME
        any octets go (RFC 3030 s2, s3). Raises LocalProtocolError out of place, without CHUNKING, and for a
        bare CR or LF, with nothing of this chunk sent: RSET drops the others.
        """
        self._check_alive()
        return self._pipeline.send_chunk(bytes(memoryview(data)), self.state, self.bare_newlines, last=last)

    def _content(self) -> DotStuffer:
        self._check_alive()
        if self._stuffer is None:
            raise LocalProtocolError(f"no content to send in state {self.state.name}: there is no 354 to begin it")
        return self._stuffer

    def _abandon(self, error: ParseError) -> NoReturn:
        self._error = LocalProtocolError(f"{error}; the message cannot be finished, close the connection")
        raise self._error from None

    # -- octets -------------------------------------------------------------------------------

    def receive_data(self, data: bytes) -> None:
        """Take octets from the server; ``b""`` is the end of the stream.

        Raises LocalProtocolError behind the end of the stream. What comes when the conversation is
        over is dropped.
        """
        if self._error:
            self._check_error()
        if type(data) is not bytes:
            data = bytes(memoryview(data))  # not bytes(data): a number or None is a mistake of the caller
        if self.state is _CLOSED:
            return  # whoever reads while the last octets are written has done nothing wrong
        if not data:
            self._eof = True
            self._pipeline.open = False
        elif self._eof:
            raise LocalProtocolError("octets behind the end of the stream")
        else:
            if not self._pipeline.flight:
                self._unasked = True  # nor do they answer what is sent from now on
            self._reader.receive(data)

    # -- events -------------------------------------------------------------------------------

    def next_event(self) -> ClientEvent | Signal:
        """The next event; NEED_DATA when a reply is due; PAUSED when it is the caller's turn.

        Raises RemoteProtocolError when the server broke the protocol.
        """
        pipeline = self._pipeline
        if pipeline.skipped:
            return pipeline.skipped.popleft()
        if self._error:
            self._check_error()
        state = self.state
        if state in SILENT:
            return self._next_beside_replies(state)
        reader, flight = self._reader, pipeline.flight
        if reader.ready:
            reply = reader.ready.popleft()
        else:
            found = self._read() if reader.buffer.data else None
            if found is None:
                if self._eof:
                    return self._closed()
                return NEED_DATA if flight else PAUSED
            reply = found
        if self._unasked or not flight:
            return self._on_unasked(reply)
        command = flight.popleft()
        kind = type(command)
        if pipeline.secrets:
            reply = pipeline.scrubbed(reply, kind)
        code = reply.code
        event = self._learn(command, reply) if kind in self._teaching else None
        if code == 421:
            self.state = _CLOSED  # RFC 5321 s3.8
            return event or ReplyReceived(reply, command)
        if event and self._recipients:
            return event  # and another one of the same
        digit = code // 100
        if (after := self._transitions[state].get(kind, NO_ROW).get(digit)) is not None:
            self.state = after
        if digit == 3 and kind is Data:
            self._begin_content()
        if digit >= 4 or pipeline.queue:
            pipeline.settle(digit, self.state, kind)
        elif not flight:
            pipeline.planned = self.state
        return event or ReplyReceived(reply, command)

    def _next_beside_replies(self, state: State) -> ClientEvent | Signal:
        if state is _UPGRADING:
            self._refuse_plaintext()
        return self._closed() if self._eof or state is _CLOSED else PAUSED

    def _read(self) -> Reply | None:
        try:
            return self._reader.next_reply()
        except RemoteProtocolError as error:
            secrets = self._pipeline.secrets
            self._error = RemoteProtocolError(scrub(str(error), secrets)) if secrets else error
        raise self._error.with_traceback(None)  # and outside of the handler: no frame with the line hangs on to it

    def _on_unasked(self, reply: Reply) -> ReplyReceived:
        """A reply that came before what it could answer: a refusal of all that follows, or a broken protocol."""
        flight = self._pipeline.flight
        # ... of a content that goes on, or whose end is on its way
        early = self.state is State.CONTENT and reply.code >= 400 and bool(self._stuffer or flight)
        if reply.code != 421 and not early:
            self._fail(f"{reply.code} without a command to answer (RFC 5321 s4.2)")
        self.state = State.CLOSED
        self._stuffer = None
        if not early or reply.code == 421:
            return ReplyReceived(reply, None)  # RFC 5321 s3.8
        # A content refused before its end. Whatever the end of it would be taken for, it was not accepted.
        return ReplyReceived(reply, flight.popleft() if flight else EndOfContent())

    def _begin_content(self) -> None:
        if self.state is _CONTENT:
            self._stuffer = self._dots
            return
        if self.lmtp:
            self._fail("354 without a recipient (RFC 2033 s4.2)")
        # RFC 2920 s3.1: 354 although no recipient was accepted is answered with a single dot
        self.state = State.CONTENT
        self._out.append(b".\r\n")
        self._pipeline.flight.append(EndOfContent())

    def _learn(self, command: Command, reply: Reply) -> VerdictReceived | None:
        success = 200 <= reply.code < 300
        kind = type(command)
        if kind in TEACHES_RECIPIENTS:
            return self._hear_recipient(command, reply)
        if isinstance(command, (Auth, AuthResponse)):
            self.authenticated = self.authenticated or (success and not command.gives_up)
            return None
        if kind is XClient:
            self.authenticated = self.authenticated and not success
        else:
            self._pipeline.greeted()
        if success:  # to XCLIENT: EHLO has to be said again
            extended = isinstance(command, (Ehlo, Lhlo))
            offered = Capabilities.parse(reply.lines[1:]) if extended else NO_CAPABILITIES
            self._pipeline.learn(offered, tls=self.tls, verified=self.tls and self.verified)
        return None

    def _hear_recipient(self, command: Command, reply: Reply) -> VerdictReceived | None:
        try:
            event = self._recipients.learn(command, reply, self.state)
        except RemoteProtocolError as error:
            self._error = error
            raise
        if event is not None and self._recipients:
            self._pipeline.flight.appendleft(command)
        return event

    # -- TLS ----------------------------------------------------------------------------------

    def tls_established(self, *, verified: bool = False) -> None:
        """The handshake is done: the session begins anew, and EHLO has to be said again (RFC 3207 s4.2).

        ``verified``: its certificate was verified, and is one for whom was asked for.
        Raises RemoteProtocolError when octets came in the clear behind the 220.
        """
        self._check_alive()
        if self.state is not State.UPGRADING:
            raise LocalProtocolError("STARTTLS has not been accepted")
        self._refuse_plaintext()
        self._begin(State.GREETED)
        self.tls = True
        self.verified = verified

    def tls_failed(self) -> None:
        """The handshake failed: the connection is over, never continued in the clear."""
        self.state = State.CLOSED

    def _refuse_plaintext(self) -> None:
        # RFC 3207 s4.2: a reply in the clear, whole or in part, must not count inside TLS
        if self._reader.pending:
            self.state = State.CLOSED
            self._fail("octets in the clear after the reply to STARTTLS (RFC 3207 s4.2)")

    # -- roles reversed -----------------------------------------------------------------------

    def hand_over(self) -> bool:
        """Behind ATRN: whether the stream has ended already; this machine is closed.

        For :func:`~smtpcore.session.turning.become_server`, which calls it.
        """
        self._check_alive()
        if self.state is not _TURNED:
            raise LocalProtocolError("no ATRN has been accepted (RFC 2645 s5.3)")
        self.state = _CLOSED
        if self._reader.pending:
            self._fail("octets before the greeting of the reversed roles (RFC 2645 s5.3)")
        return self._eof

    def abandon(self) -> None:
        """The connection is lost, or given up half-way: nothing is sent any more, and no reply answers anything."""
        self.state = State.CLOSED
        self._out.clear()

    def _closed(self) -> ConnectionClosed:
        self.state = State.CLOSED
        if self._closed_event is None:
            self._closed_event = self._pipeline.end()
        return self._closed_event

    def _check_alive(self) -> None:
        self._check_error()
        if self.state is State.CLOSED:
            raise LocalProtocolError("the connection is closed")
