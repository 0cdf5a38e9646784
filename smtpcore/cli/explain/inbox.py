"""Inbox: octets of one side that wait to be understood, each with its place in the transcript."""

from __future__ import annotations

import re
from collections import deque
from typing import Final, NamedTuple, final

__all__ = ["Inbox", "Unit"]

# Where a server that takes bare CR or LF for a line end has seen the last line.
_LOOSE_END: Final = re.compile(rb"(?:\A|\r\n|\n|\r)\.(?:\r\n|\n|\r)")


class Unit(NamedTuple):
    """Octets that belong together: a line, a content."""

    data: bytes
    turn: int  #: The turn in which they began.
    end_turn: int  #: The turn in which they ended.
    line: int  #: The line of the file in which they began.
    start: int  #: The octet of this side with which they began.


@final
class Inbox:
    """Octets in, in turns; lines and contents out."""

    def __init__(self) -> None:
        self._octets = bytearray()
        self._base = 0  # octets taken before the first that is held
        self._searched: dict[bytes, int] = {}  # of those held, without the end that was looked for
        self._marks: deque[tuple[int, int, int]] = deque()  # where a turn ends, its number, its line

    def __len__(self) -> int:
        return len(self._octets)

    def append(self, data: bytes, turn: int, line: int) -> None:
        """The octets of a turn."""
        if data:
            self._octets += data
            self._marks.append((self._base + len(self._octets), turn, line))

    def take_line(self) -> Unit | None:
        """The next line, with its CRLF."""
        return self._take_behind(b"\r\n")

    def take_loose_line(self) -> Unit | None:
        """The next line up to a LF of any kind."""
        return self._take_behind(b"\n")

    def take_content(self) -> Unit | None:
        """The content up to the line of one dot, with that line."""
        if self._octets.startswith(b".\r\n"):
            return self.take(3)
        return self._take_behind(b"\r\n.\r\n")

    def take_loose_content(self) -> tuple[Unit, bytes] | None:
        """The content up to a dot between line ends of any kind; with that dot, and without."""
        found = _LOOSE_END.search(self._octets)
        unit = self.take(found.end()) if found else None
        return (unit, unit.data[: found.start()] + b"\r\n") if found and unit else None

    def _take_behind(self, end: bytes) -> Unit | None:
        at = self._octets.find(end, self._searched.get(end, 0))
        if at < 0:
            self._searched[end] = max(0, len(self._octets) - len(end) + 1)
            return None
        return self.take(at + len(end))

    def take(self, size: int) -> Unit | None:
        """The next octets, as many as there are of these; None where there are none."""
        if not size or not self._octets:
            return None
        data = bytes(self._octets[:size])
        del self._octets[:size]
        self._searched.clear()
        start = self._base
        self._base += len(data)
        marks = self._marks
        _, turn, line = marks[0]
        while marks[0][0] < self._base:
            marks.popleft()
        last = marks[0][1]
        if marks[0][0] == self._base:
            marks.popleft()
        return Unit(data, turn, last, line, start)
