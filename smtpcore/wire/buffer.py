"""ReceiveBuffer: octets that have arrived and have not been understood yet.

A line ends at CRLF and nowhere else (RFC 5321 s2.3.8). The search for it goes on where the last
one stopped, so a line that drips in octet by octet costs no more than one that comes whole.
"""

from __future__ import annotations

from typing import final

__all__ = ["ReceiveBuffer"]


@final
class ReceiveBuffer:
    """Octets in; lines or chunks out. Holds what the caller put in and has not taken yet.

    A chunk that arrives while nothing is held is kept as it is and read in place; only a rest
    that has to be joined to later octets is copied. ``data`` is empty when nothing is held, so its
    truth can be asked for without a call.
    """

    __slots__ = ("_searched", "_start", "data")

    def __init__(self) -> None:
        self.data: bytes | bytearray = b""  #: What is held, and before it what has been taken already.
        self._start = 0  # offset of the first octet not taken yet
        self._searched = 0  # no CRLF begins before this offset

    def __len__(self) -> int:
        return len(self.data) - self._start

    def append(self, data: bytes) -> None:
        """Add octets at the end."""
        held = self.data
        if not held:
            self.data = data
            return
        if not isinstance(held, bytearray):
            start = self._start
            if len(data) >= len(held) - start:
                # A rest of a line, most often, and many lines: what is copied now was not copied before.
                self.data = held[start:] + data
                self._searched -= start
                self._start = 0
                return
            held = self.data = bytearray(memoryview(held)[start:])
        elif self._start:
            del held[: self._start]
        if self._start:
            self._searched -= self._start
            self._start = 0
        held += data

    def starts_with(self, octets: bytes | tuple[bytes, ...]) -> bool:
        """Whether what is held begins with these octets, or with any of several."""
        return self.data.startswith(octets, self._start)

    def take_line(self) -> bytes | None:
        """The next line without its CRLF, or None when no whole line is there."""
        data = self.data
        end = data.find(b"\r\n", self._searched)
        if end < 0:
            # The last octet may be the CR of a CRLF to come.
            end = len(data) - 1
            self._searched = end if end > self._start else self._start
            return None
        line = data[self._start : end]
        if type(line) is not bytes:
            line = bytes(line)
        end += 2
        if end == len(data):
            self.data = b""
            self._start = self._searched = 0
        else:
            self._start = self._searched = end
        return line

    def take(self, limit: int = -1) -> bytes:
        """All octets held, or at most ``limit`` of them."""
        data, start = self.data, self._start
        end = len(data) if limit < 0 else min(start + limit, len(data))
        # Not by a view: that would copy all there is for each few octets of it.
        taken = bytes(data if not start and end == len(data) else data[start:end])
        self.seek(end)
        return taken

    def view(self) -> tuple[bytes, int]:
        """The octets held, in one piece, and the offset where they begin in it; ``seek`` says how many were used."""
        data = self.data
        if not isinstance(data, bytes):
            data = self.data = bytes(memoryview(data)[self._start :])
            self._start = self._searched = 0
        return data, self._start

    def seek(self, offset: int) -> None:
        """Go on at an offset in what ``view`` gave."""
        if offset >= len(self.data):
            self.data = b""
            self._start = self._searched = 0
        else:
            self._start = self._searched = offset

    def clear(self) -> None:
        """Drop everything held."""
        self.data = b""
        self._start = self._searched = 0
