"""A message that comes in, behind DATA or in chunks, and what the machine has to say of it at its end."""

from __future__ import annotations

from typing import Final, final

from ..extensions import BODY, Body
from ..extensions.chunking import BdatCommand
from ..wire.buffer import ReceiveBuffer
from ..wire.chunks import ChunkReader
from ..wire.command import Mail
from ..wire.content import DotUnstuffer, plain_content
from ..wire.meter import TEXT_LINE_LIMIT, ContentMeter, Excess, has_long_line
from ..wire.newlines import BareNewlines
from ..wire.reply import Reply
from ..wire.tolerance import Defect
from . import replies
from .settings import ServerSettings

__all__ = ["END_OF_DATA", "SMALL_CHUNK", "ChunkIntake", "ContentIntake", "RefusedChunk", "whole_content"]


#: Octets of a chunk that is worth its reply; smaller ones are counted like commands that lead nowhere.
SMALL_CHUNK: Final = 512
#: Octets of ``CRLF . CRLF`` behind the CRLF that is content still.
END_OF_DATA: Final = 3


def whole_content(settings: ServerSettings, data: bytes, start: int) -> bytes | None:
    """A content without a fault that is whole in ``data`` from ``start`` on; None where that takes longer to say."""
    content = plain_content(data, start)
    if content is None:
        return None
    size, limit, line_limit = len(content), settings.size_limit, min(settings.line_limit, TEXT_LINE_LIMIT)
    if (limit is not None and size > limit) or (size > line_limit and has_long_line(content, line_limit)):
        return None
    return content


@final
class ContentIntake:
    """Octets from the wire in, content out, and nothing more of it behind the first fault.

    No fault ends the content: it is read to its true end, and judged there.
    """

    __slots__ = ("_meter", "_policy", "unstuffer")

    def __init__(self, settings: ServerSettings) -> None:
        self._policy = settings.bare_newlines
        self.unstuffer = DotUnstuffer(settings.bare_newlines)  #: Knows when the end of the content has come.
        self._meter = ContentMeter(settings.size_limit, settings.line_limit)

    def take(self, data: bytes, start: int) -> tuple[bytes, int]:
        """The faultless content of the octets from ``start``, and the offset behind what was read."""
        content, end = self.unstuffer.take(data, start)
        return self._meter.feed(content), end

    def judge(self) -> tuple[Reply | None, list[Defect]]:
        """The reply to a content with a fault, None for one that the application may have; and what was let through."""
        return _judge(self._meter, self._policy, self.unstuffer.first_bare)


@final
class ChunkIntake:
    """The content of one message that comes in chunks; faults are as behind DATA, and known at the end of a chunk.

    With BODY=BINARYMIME neither line ends nor lines are looked at (RFC 3030 s3).
    """

    __slots__ = ("_binary", "_early", "_meter", "_policy", "_reader", "command", "mail")

    command: BdatCommand  #: The chunk in hand.

    def __init__(self, settings: ServerSettings, mail: Mail) -> None:
        self.mail = mail  #: What its transaction began with.
        self._binary = binary = mail.parameters.get(BODY) is Body.BINARYMIME
        self._policy = BareNewlines.PASS if binary else settings.bare_newlines
        self._reader = ChunkReader(self._policy)
        self._meter = ContentMeter(settings.size_limit, settings.line_limit)
        self._early = b""

    @property
    def remaining(self) -> int:
        """Octets of the chunk in hand that are still to come."""
        return self._reader.remaining

    def begin(self, command: BdatCommand) -> None:
        """The next chunk begins."""
        self.command = command
        self._early = self._reader.begin(command.size, last=command.last)

    def supply(self, data: bytes, *, last: bool) -> bytes:
        """The faultless content of octets that did not come from the client, as of a chunk of their own."""
        content = self._reader.begin(len(data), last=last) or self._reader.take(data, 0)[0]
        return self._meter.count(content) if self._binary else self._meter.feed(content)

    def read(self, buffer: ReceiveBuffer) -> bytes:
        """The faultless content of what has come of the chunk."""
        content = self._early
        if content:
            self._early = b""
        elif buffer.data:
            content, end = self._reader.take(*buffer.view())
            buffer.seek(end)
        return self._meter.count(content) if self._binary else self._meter.feed(content)

    def judge(self) -> tuple[Reply | None, list[Defect]]:
        """The same as of a content behind DATA, as far as it has come."""
        return _judge(self._meter, self._policy, -1 if self._binary else self._reader.first_bare)


@final
class RefusedChunk:
    """A chunk that is not wanted: its octets are counted and dropped before ``reply`` is given (RFC 3030 s2)."""

    __slots__ = ("command", "line", "remaining", "reply")

    def __init__(self, size: int, reply: Reply, line: bytes, command: BdatCommand | None = None) -> None:
        self.remaining = size  #: Octets still to come.
        self.reply = reply
        self.line = line  #: What may be shown of the line.
        self.command = command  #: What the application has refused; None where the machine has.

    def read(self, buffer: ReceiveBuffer) -> bytes:
        """Drop what has come of it."""
        if self.remaining and buffer.data:
            data, start = buffer.view()
            end = min(start + self.remaining, len(data))
            self.remaining -= end - start
            buffer.seek(end)
        return b""


def _judge(meter: ContentMeter, policy: BareNewlines, bare: int) -> tuple[Reply | None, list[Defect]]:
    if bare >= 0 and policy is BareNewlines.REJECT:
        return replies.BARE_NEWLINE, []
    if meter.excess is not None:
        too_big = meter.excess is Excess.SIZE
        return replies.CONTENT_TOO_BIG if too_big else replies.TEXT_LINE_TOO_LONG, []
    found: list[Defect] = []
    if bare >= 0:
        found.append(Defect("RFC 5321 s2.3.8", "bare CR or LF in the content", bare))
    if meter.long_line >= 0:
        found.append(Defect("RFC 5321 s4.5.3.1.6", "line of more than 1,000 octets", meter.long_line))
    return None, found
