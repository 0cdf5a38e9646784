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
    that has to be joined to later octets is copied.
    """

    __slots__ = ("_data", "_searched", "_start")

    def __init__(self) -> None:
        self._data: bytes | bytearray = b""
        self._start = 0  # offset of the first octet not taken yet
        self._searched = 0  # no CRLF begins before this offset

    def __len__(self) -> int:
        return len(self._data) - self._start

    def __bool__(self) -> bool:
        return len(self._data) > self._start

    def append(self, data: bytes) -> None:
        """Add octets at the end."""
        held = self._data
        if len(held) == self._start:
            self._data = data
            self._start = self._searched = 0
            return
        if not isinstance(held, bytearray):
            held = self._data = bytearray(memoryview(held)[self._start :])
        elif self._start:
            del held[: self._start]
        self._searched -= self._start
        self._start = 0
        held += data

    def take_line(self) -> bytes | None:
        """The next line without its CRLF, or None when no whole line is there."""
        data = self._data
        start = self._start
        end = data.find(b"\r\n", self._searched)
        if end < 0:
            if start == len(data):
                return None
            # The last octet may be the CR of a CRLF to come.
            self._searched = max(start, len(data) - 1)
            return None
        self._start = self._searched = end + 2
        return bytes(data[start:end])

    def line_length(self) -> int:
        """How long the next line is without its CRLF, as far as it is known: a lower bound when no CRLF is there."""
        end = self._data.find(b"\r\n", self._searched)
        if end < 0:
            self._searched = max(self._start, len(self._data) - 1)
            end = len(self._data)
        else:
            self._searched = end
        return end - self._start

    def take(self, limit: int = -1) -> bytes:
        """All octets held, or at most ``limit`` of them."""
        start = self._start
        data = self._data
        if limit < 0 or limit >= len(data) - start:
            self._data = b""
            self._start = self._searched = 0
            return bytes(data) if not start else bytes(data[start:])
        self._start = self._searched = start + limit
        return bytes(data[start : start + limit])

    def view(self) -> tuple[bytes, int]:
        """The octets held, in one piece, and the offset where they begin in it; ``seek`` says how many were used."""
        data = self._data
        if not isinstance(data, bytes):
            data = self._data = bytes(memoryview(data)[self._start :])
            self._start = self._searched = 0
        return data, self._start

    def seek(self, offset: int) -> None:
        """Go on at an offset in what ``view`` gave."""
        if offset >= len(self._data):
            self.clear()
        else:
            self._start = self._searched = offset

    def clear(self) -> None:
        """Drop everything held."""
        self._data = b""
        self._start = self._searched = 0
