"""ContentMeter: how big a message grows and how long its lines are, without looking at every line."""

from __future__ import annotations

from enum import Enum
from typing import Final, final

__all__ = ["ContentMeter", "Excess", "has_long_line"]

#: RFC 5321 s4.5.3.1.6: octets of a text line with its CRLF.
TEXT_LINE_LIMIT: Final = 1000


def has_long_line(data: bytes, limit: int) -> bool:
    """Whether a line of ``data`` has more than ``limit`` octets with its line end; a step for each ``limit`` octets."""
    pos, size = 0, len(data)
    while size - pos > limit:
        last = data.rfind(b"\n", pos, pos + limit)
        if last < 0:
            return True
        pos = last + 1
    return False


@final
class Excess(Enum):
    """What a message can have too much of."""

    SIZE = "message too big"
    LINE = "line too long"


@final
class ContentMeter:
    """Counts the octets of content; says when there are too many, in all or without a line end.

    Lines end at LF here: whether a CR stood before it is somebody else's question. The line is
    measured by stepping back from the furthest place where it may end, so a chunk costs one step
    for each thousand octets.
    """

    __slots__ = ("_line", "_short", "excess", "line_limit", "long_line", "seen", "size_limit")

    def __init__(self, size_limit: int | None, line_limit: int) -> None:
        self.size_limit = size_limit
        self.line_limit = line_limit  #: Octets of a line with its CRLF.
        self._short = min(line_limit, TEXT_LINE_LIMIT)
        self.seen = 0  #: Octets so far.
        self.long_line = -1  #: Offset at which the first line went beyond TEXT_LINE_LIMIT, or -1.
        self.excess: Excess | None = None
        self._line = 0  # octets of the present line so far

    def feed(self, data: bytes) -> bytes:
        """The part of ``data`` that is within the limits; after the first excess, nothing."""
        if self.excess:
            return b""
        size, limit = len(data), self.size_limit
        if size + self._line <= self._short and (limit is None or self.seen + size <= limit):
            last = data.rfind(b"\n")  # too short for a line to be too long, wherever it ends
            self._line = self._line + size if last < 0 else size - 1 - last
            self.seen += size
            return data
        if self.size_limit is not None and self.seen + len(data) > self.size_limit:
            self.excess = Excess.SIZE
            data = data[: self.size_limit - self.seen]
        cut = self._measure(data)
        if cut < len(data):
            self.excess = Excess.LINE
            data = data[:cut]
        self.seen += len(data)
        return data

    def count(self, data: bytes) -> bytes:
        """The same for content without lines: its size alone counts."""
        limit = self.size_limit
        if self.excess or (limit is not None and self.seen + len(data) > limit):
            data = b"" if self.excess or limit is None else data[: limit - self.seen]
            self.excess = Excess.SIZE
        self.seen += len(data)
        return data

    def _measure(self, data: bytes) -> int:
        """How much of ``data`` is within the limit of lines."""
        pos, size, line = 0, len(data), self._line
        limit = TEXT_LINE_LIMIT if self.long_line < 0 else self.line_limit
        limit = min(limit, self.line_limit)
        step_back = data.rfind
        reach = limit - line
        while reach < size:
            last = step_back(b"\n", pos, reach)
            if last >= 0:
                pos, line = last + 1, 0
                reach = pos + limit
            elif limit < self.line_limit:
                self.long_line = self.seen + reach
                limit = self.line_limit
                reach = pos + limit - line
            else:
                return reach
        last = step_back(b"\n", pos)
        self._line = line + size - pos if last < 0 else size - 1 - last
        return size
