"""How the octets of a message travel behind BDAT: in chunks of a size said before (RFC 3030 s2).

Octets are counted, never searched for an end; whether a CR or LF stands alone is asked of the
whole content, wherever chunks have cut it.
"""

from __future__ import annotations

from typing import Final, final

from ..errors import ParseError
from .newlines import BareNewlines, NewlineFilter

__all__ = ["ChunkReader", "ChunkWriter"]


@final
class ChunkReader:
    """The octets of BDAT chunks in, content out (RFC 3030 s2): counted, never searched.

    One reader serves all chunks of a message, so that a CRLF cut by the end of a chunk is still
    one CRLF. With PASS, for BODY=BINARYMIME, every octet is content.
    """

    __slots__ = ("_filter", "_last", "_unused", "eof", "remaining")

    def __init__(self, bare_newlines: BareNewlines = BareNewlines.REJECT) -> None:
        self.remaining = 0  #: Octets of the present chunk still to come.
        self.eof = False  #: Whether the last chunk is complete.
        self._unused = bytearray()
        self._last = False
        self._filter = NewlineFilter(bare_newlines)

    @property
    def first_bare(self) -> int:
        """The offset of the first bare CR or LF in the content, or -1."""
        return self._filter.first_bare

    @property
    def unused_data(self) -> bytes:
        """The octets behind the present chunk."""
        return bytes(self._unused)

    def begin(self, size: int, *, last: bool) -> bytes:
        """A chunk of ``size`` octets begins; returns content that this completes (an empty last chunk)."""
        if self.eof or self.remaining or size < 0:
            raise ValueError("the chunk before this one is not complete, or was the last, or there is no such size")
        self.remaining = size
        self._last = last
        self._unused.clear()
        return self._complete() if not size else b""

    def receive(self, data: bytes) -> bytes:
        """The content of the next octets."""
        content, end = self.take(data, 0)
        if end < len(data):
            self._unused += data[end:]
        return content

    def take(self, data: bytes, start: int) -> tuple[bytes, int]:
        """The content of the octets from ``start``, and the offset in ``data`` behind what was read.

        What ``receive`` is made of, for a caller that has more than the chunk in one piece.
        """
        end = min(start + self.remaining, len(data))
        if end == start:
            return b"", start
        self.remaining -= end - start
        content = self._filter.feed(data if end - start == len(data) else data[start:end])
        return content if self.remaining else content + self._complete(), end

    def _complete(self) -> bytes:
        if not self._last:
            return b""
        self.eof = True
        return self._filter.finish()


@final
class ChunkWriter:
    """Content in, the octets of its chunks out (RFC 3030 s2).

    The policies are those of :class:`~smtpcore.wire.content.DotStuffer`, and so is what comes out:
    the last line gets its CRLF where it has none, so that a server has the same message by BDAT and
    by DATA. With PASS, for BODY=BINARYMIME alone, nothing is looked at and nothing changed.
    """

    __slots__ = ("_filter", "_tail")

    def __init__(self, bare_newlines: BareNewlines = BareNewlines.REJECT) -> None:
        if bare_newlines is BareNewlines.SPACE:
            raise ValueError(f"{bare_newlines} is not for sending: choose REJECT, NORMALIZE or, for BINARYMIME, PASS")
        self._filter = None if bare_newlines is BareNewlines.PASS else NewlineFilter(bare_newlines)
        self._tail = _LINE_END  # the last two octets of the content so far; its start is the start of a line

    @property
    def is_cut(self) -> bool:
        """Whether a CR is held back, that the next chunk may make a CRLF of."""
        return self._filter is not None and self._filter.holds_cr

    def write(self, data: bytes, *, last: bool = False) -> bytes:
        """The octets of the next chunk; ``data`` itself where nothing has to change.

        Raises ParseError for a bare CR or LF, with its offset in the content. The content cannot be
        finished then: RSET drops what has been sent of it.
        """
        found = self._filter
        if found is None:
            return data
        data = found.feed(data)
        if last:
            data += found.finish()
        if found.first_bare >= 0 and found.policy is BareNewlines.REJECT:
            raise ParseError("bare CR or LF in the content", found.first_bare, "RFC 5321 s2.3.8")
        if data:
            self._tail = data[-2:] if len(data) > 1 else self._tail[-1:] + data
        # RFC 5321 s2.3.8: a line ends with CRLF, the last one too
        return data + _LINE_END if last and self._tail != _LINE_END else data


_LINE_END: Final = b"\r\n"
