"""ContentIntake: a message that comes in behind DATA, and what the machine has to say of it at its end."""

from __future__ import annotations

from typing import Final, final

from ..wire.content import DotUnstuffer, plain_content
from ..wire.meter import TEXT_LINE_LIMIT, ContentMeter, Excess, has_long_line
from ..wire.newlines import BareNewlines
from ..wire.reply import Reply
from ..wire.tolerance import Defect
from . import replies
from .settings import ServerSettings

__all__ = ["END_OF_DATA", "ContentIntake", "whole_content"]


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
        bare, meter = self.unstuffer.first_bare, self._meter
        if bare >= 0 and self._policy is BareNewlines.REJECT:
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
