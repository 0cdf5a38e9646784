"""Reception: the half of a server machine that takes a message in, behind DATA or in chunks."""

from __future__ import annotations

from typing import Final

from ..errors import LocalProtocolError
from ..extensions import XClient
from ..extensions.burl import BurlCommand, BurlLast
from ..extensions.chunking import BEYOND, BdatCommand, BdatLast, announced_octets
from ..table import Connect, EndOfContent, State
from ..wire.buffer import ReceiveBuffer
from ..wire.command import Command, Greeting
from ..wire.reply import Reply
from . import replies
from .endpoint import Endpoint
from .event import (
    NEED_DATA,
    CommandRejected,
    ConnectionClosed,
    ContentEnded,
    ContentReceived,
    ContentRejected,
    ForeignProtocol,
    ServerEvent,
    Signal,
)
from .examination import SHOWN
from .foreign import TLS_HELLO, foreign_reply
from .intake import END_OF_DATA, ChunkIntake, ContentIntake, RefusedChunk, whole_content
from .serversession import ServerSession
from .settings import ServerSettings

__all__ = ["Reception"]

_END_OF_CONTENT: Final = EndOfContent()
_CONTENT_ENDED: Final = ContentEnded()


class Reception(Endpoint):
    """What is in hand of a connection and of a message, and the steps that a message takes."""

    __slots__ = ("_awaiting", "_buffer", "_chunk", "_chunks", "_content", "_events", "session", "settings")

    def __init__(self, settings: ServerSettings, *, tls: bool) -> None:
        super().__init__()
        self.settings = settings
        #: What is known of the session; STARTTLS replaces it.
        self.session = ServerSession(settings, State.CONNECTED, tls=tls)
        self._buffer = ReceiveBuffer()
        self._events: list[ServerEvent] | None = None  # made on demand: an idle connection needs none
        self._awaiting: Command | None = Connect()  # what the application has to answer next
        self._content: ContentIntake | None = None
        self._chunks: ChunkIntake | None = None  # the last content that came in chunks
        self._chunk: ChunkIntake | RefusedChunk | None = None  # of which octets are still to come

    @property
    def receiving(self) -> bool:
        """Whether a content has begun to come, and neither its end nor its refusal has been reported."""
        return self.session.state is State.CONTENT or self._in_hand is not None

    # -- behind DATA --------------------------------------------------------------------------

    def _next_content(self) -> ServerEvent | Signal:
        buffer, content = self._buffer, self._content
        if content is None and buffer.data:
            octets, start = buffer.view()
            data = whole_content(self.settings, octets, start)
            if data is not None:
                buffer.seek(start + len(data) + END_OF_DATA)
                self._awaiting = _END_OF_CONTENT
                self._events = [_CONTENT_ENDED]
                return ContentReceived(data)
            content = self._content = ContentIntake(self.settings)
        while content is not None and buffer.data:
            data, end = content.take(*buffer.view())
            buffer.seek(end)
            if content.unstuffer.eof:
                return self._end_content(content, data)
            if data:
                return ContentReceived(data)
        return self._end_of_stream() if self._eof else NEED_DATA

    def _end_content(self, content: ContentIntake, data: bytes) -> ServerEvent:
        self._content = None
        reply, defects = content.judge()
        if reply is None:
            self._awaiting = _END_OF_CONTENT
            events: list[ServerEvent] = [*defects, _CONTENT_ENDED]
        else:
            events = [self._reject_content(_END_OF_CONTENT, reply)]
        return self._report([ContentReceived(data), *events] if data else events)

    def _reject_content(self, command: Command, reply: Reply) -> ServerEvent:
        self._write_verdict(command, reply)
        self.session.take(command, reply.code // 100)
        self._count_error()
        return ContentRejected(reply)

    # -- behind BDAT --------------------------------------------------------------------------

    @property
    def _in_hand(self) -> ChunkIntake | None:
        """The content of the transaction in hand, if it comes in chunks and the first of them was accepted."""
        chunks = self._chunks
        return chunks if chunks is not None and chunks.mail is self.session.transaction.mail else None

    def _go_on(self, chunks: ChunkIntake, command: BdatCommand) -> None:
        chunks.begin(command)
        self._chunk = chunks

    def _begin_chunks(self, command: BdatCommand, reply: Reply) -> None:
        """The application has answered the first chunk, of which the octets come in any case."""
        self._awaiting = None
        session = self.session
        if reply.code >= 400:
            self._chunk = RefusedChunk(command.size, reply, b"", command)
            return
        mail = session.transaction.mail
        if mail is not None:
            self._chunks = ChunkIntake(self.settings, mail)
            self._go_on(self._chunks, command)

    def _supply(self, command: BurlCommand, data: bytes, *, more: bool) -> bool:
        """Octets that the application has fetched for BURL; whether there is sense in more of them."""
        chunks, mail = self._in_hand, self.session.transaction.mail
        if chunks is None:
            if mail is None:
                return False
            chunks = self._chunks = ChunkIntake(self.settings, mail)
        last = command.last and not more
        content = chunks.supply(data, last=last)
        events: list[ServerEvent] = [ContentReceived(content)] if content else []
        reply, defects = chunks.judge()
        if more:
            pass
        elif reply is not None:
            self._awaiting = None
            events.append(self._reject_content(command, reply))
        elif last:
            events += [*defects, _CONTENT_ENDED]
        else:
            self._awaiting = None
            self._write(replies.CHUNK_TAKEN)
            self.session.take(command, 2)
        self._events = events or None
        return reply is None

    def _next_chunk(self, chunk: ChunkIntake | RefusedChunk) -> ServerEvent | Signal | None:
        """What has come of the chunk in hand; None when it has ended and the next line is to be read."""
        data = chunk.read(self._buffer)
        if data:
            return ContentReceived(data)
        if chunk.remaining:
            return self._end_of_stream() if self._eof else NEED_DATA
        self._chunk = None
        return self._end_refused_chunk(chunk) if isinstance(chunk, RefusedChunk) else self._end_chunk(chunk)

    def _end_chunk(self, chunks: ChunkIntake) -> ServerEvent | None:
        command = chunks.command
        reply, defects = chunks.judge()
        if reply is not None:
            return self._reject_content(command, reply)
        if command.last:
            self._awaiting = command
            return self._report([*defects, _CONTENT_ENDED])
        self._write(replies.CHUNK_TAKEN)
        self.session.take(command, 2)
        return None

    def _end_refused_chunk(self, chunk: RefusedChunk) -> ServerEvent | None:
        self._write_verdict(chunk.command, chunk.reply)
        if chunk.command is not None:
            self.session.take(chunk.command, chunk.reply.code // 100)
        self._count_error()
        if chunk.command is None:
            return CommandRejected(chunk.line, chunk.reply)
        return ConnectionClosed() if self.session.state is State.CLOSED else None

    def _refuse_chunk(self, line: bytes, shown: bytes, reply: Reply) -> ServerEvent | None:
        """A line that begins with BDAT is refused: behind its octets, or for good where nobody can say how many."""
        size = announced_octets(line)
        if size is not None and size < BEYOND:
            self._chunk = RefusedChunk(size, reply, shown)
            return None
        # RFC 3030 s2: the octets are counted, so where the next command begins is not known
        reply = reply if size is None else replies.CONTENT_TOO_BIG
        self._write(reply)
        self._close()
        return CommandRejected(shown, reply)

    # -- steps --------------------------------------------------------------------------------

    def _due(self) -> Command:
        """What waits for an answer; its event must have been taken."""
        self._check_error()
        if self._awaiting is None or self._events:
            raise LocalProtocolError("nothing waits for a reply")
        return self._awaiting

    def _is_end(self, command: Command) -> bool:
        """Whether it ends a content, and does not begin one."""
        if type(command) is EndOfContent or type(command) is BurlLast:
            return True
        return type(command) is BdatLast and self._in_hand is not None

    def _refuse_protocol(self, protocol: str, line: bytes) -> ServerEvent:
        """Close, with no look at what else the client has said."""
        reply = foreign_reply(protocol)
        self._write(reply)
        self._close()
        return ForeignProtocol(protocol, TLS_HELLO if protocol == "TLS" else line[:SHOWN], reply)

    def _report(self, events: list[ServerEvent]) -> ServerEvent:
        """The first of these now; the others before anything else."""
        first = events.pop(0)
        if events:
            self._events = events
        return first

    def _write(self, reply: Reply, command: Command | None = None) -> None:
        enhanced = self.session.enhanced
        if enhanced and reply.enhanced is None and not isinstance(command, Greeting):
            # RFC 2034 s4: a greeting has none, nor has the new one behind XCLIENT
            if type(command) is not XClient or reply.code >= 400:
                reply = replies.with_enhanced(reply)
        self._out.append(reply.encode(with_enhanced=enhanced))

    def _write_verdict(self, command: Command | None, reply: Reply) -> None:
        """The same to the end of a content, which LMTP answers for each recipient (RFC 2033 s4.2)."""
        ends = self.settings.lmtp and isinstance(command, (EndOfContent, BdatLast, BurlLast))
        for _ in range(len(self.session.transaction.rcpts) if ends else 1):
            self._write(reply)

    def _count_error(self) -> None:
        session = self.session
        session.errors += 1
        if session.errors > self.settings.limits.errors and session.state is not State.CLOSED:
            self._write(replies.TOO_MANY_ERRORS)
            self._close()

    def _end_of_stream(self) -> ServerEvent:
        self._close()
        return ConnectionClosed()

    def _close(self) -> None:
        self.session.close()
        self._awaiting = None
        self._content = None
        self._chunk = self._chunks = None
        self._events = None  # what they reported can no longer be answered
        self._buffer.clear()
