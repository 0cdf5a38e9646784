"""How the octets of a message travel behind DATA: dot-stuffed (for BDAT see :mod:`~smtpcore.wire.chunks`).

``CRLF . CRLF`` ends the content of DATA and nothing else does (RFC 5321 s4.1.1.4); the start of
the content counts as behind a CRLF. Whole chunks are searched and handed on; no octet is looked
at by itself and no line is cut out.
"""

from __future__ import annotations

from typing import Final, final

from ..errors import ParseError
from .newlines import BareNewlines, NewlineFilter, is_clean, new_decoder

__all__ = ["DotStuffer", "DotUnstuffer"]

_REJECT, _NORMALIZE = BareNewlines.REJECT, BareNewlines.NORMALIZE
_END: Final = b"\r\n.\r\n"
_HELD_DOTS: Final = frozenset((b".", b".\r"))


def _put(new: bytes, old: bytes, data: bytes) -> bytes:
    """``data`` with ``new`` for ``old``: by pieces where they are few, which is faster, but never by a heap of them."""
    # From the end: that search of Python's is twice as fast as the one from the start.
    pieces = data.rsplit(old, _PIECES)
    count = len(pieces)
    if count == 1:
        return data
    return new.join(pieces) if count <= _PIECES else data.replace(old, new)


_PIECES: Final = 1000


def _find(part: bytes, data: bytes, start: int) -> int:
    """Where the first ``part`` is in ``data`` from ``start`` on, or -1.

    Beyond the next few octets windows are searched by ``rfind``, which is twice as fast as ``find``. They are small
    enough that looking from the wrong end costs little where there is much to be found.
    """
    end = start + _NEAR
    found = data.find(part, start, end)
    size, behind = len(data), len(part) - 1
    while found < 0 and end < size:
        start = end - behind
        end = start + _WINDOW
        found = data.rfind(part, start, end)
        if found >= 0 and data.rfind(part, start, found + behind) >= 0:
            found = data.find(part, start, end)
    return found


_NEAR: Final = 512
#: Less than most lines have: more than that in one piece has a line end.
_SHORT: Final = 64
_WINDOW: Final = 16_384


def plain_content(data: bytes, start: int) -> bytes | None:
    """The content that is whole in ``data`` from ``start`` on and can be had as it stands; else None.

    Nothing in it was stuffed, and no CR or LF in it is bare. Only the next octets are looked at: most
    messages are small, and one that is not takes no harm.
    """
    end = data.find(b"\r\n.", start, start + _WINDOW)
    if end < 0 or not data.startswith(_END, end) or data[start] == 0x2E:
        return None
    content = data[start : end + 2]
    return content if is_clean(content) else None


@final
class DotStuffer:
    """Content in, what goes behind 354 out (RFC 5321 s4.5.2).

    With REJECT, the default, a bare CR or LF raises ParseError; with NORMALIZE it becomes CRLF.
    The other policies are not for sending: our side never writes a bare CR or LF.
    """

    __slots__ = ("_ahead", "_decoder", "_filter", "_line_start", "_policy", "_seen", "_stuffed")

    def __init__(self, bare_newlines: BareNewlines = _REJECT) -> None:
        if bare_newlines is not _REJECT and bare_newlines is not _NORMALIZE:
            raise ValueError(f"{bare_newlines} is not for sending: choose REJECT or NORMALIZE")
        self._policy = bare_newlines
        self._decoder = new_decoder()
        self._filter: NewlineFilter | None = None  # from the first chunk on that is not clean by itself
        self._seen = 0  # octets before that
        self._line_start = True
        self._ahead: bytes | None = None  # a content looked at before its time
        self._stuffed = b""  # the same, stuffed, with the end of data

    def prepare(self, data: bytes) -> None:
        """Look at the whole of the next content, so that ``finish`` with the same octets has nothing left to do.

        What cannot be sent is for ``finish`` to say.
        """
        if data and is_clean(data, self._decoder):
            dot = b"." if data[0] == 0x2E else b""
            end = b".\r\n" if data.endswith(b"\r\n") else _END
            self._stuffed = b"".join((dot, _put(b"\r\n..", b"\r\n.", data), end))
            self._ahead = data

    def stuff(self, data: bytes) -> bytes:
        """The next octets of the content, dot-stuffed; ``data`` itself where there is nothing to stuff.

        Raises ParseError for a bare CR or LF, with its offset in the content. What follows it must
        not be sent: the only way on is to end the connection.
        """
        if self._filter is None and is_clean(data, self._decoder):
            self._seen += len(data)
        else:
            data = self._filtered(data)
        if not data:
            return data
        at_start = self._line_start
        self._line_start = data.endswith(b"\r\n")
        # RFC 5321 s4.5.2: a period at the beginning of a line gets another one.
        stuffed = _put(b"\r\n..", b"\r\n.", data)
        return b"." + stuffed if at_start and data[0] == 0x2E else stuffed

    def finish(self, data: bytes = b"") -> bytes:
        """The last octets of the content, stuffed, and the end of data, behind a CRLF if there was none.

        Raises ParseError for a bare CR or LF. What is stuffed after that is the next content.
        """
        if data:
            if data is self._ahead and not self._seen and self._filter is None:
                stuffed, self._stuffed, self._ahead = self._stuffed, b"", None
                return stuffed
            return self.stuff(data) + self.finish()
        content, last = self._filter, b""
        if content is not None:
            last = content.finish()
            self._check(content)
            self._filter = None
        end = b".\r\n" if self._line_start or last else _END  # last: a CR that has become CRLF
        self._line_start = True
        self._seen = 0
        self._ahead, self._stuffed = None, b""  # it was another one
        return last + end

    def _filtered(self, data: bytes) -> bytes:
        content = self._filter
        if content is None:
            content = self._filter = NewlineFilter(self._policy, self._seen)
        data = content.feed(data)
        self._check(content)
        return data

    def _check(self, content: NewlineFilter) -> None:
        if content.first_bare >= 0 and content.policy is _REJECT:
            raise ParseError("bare CR or LF in the content", content.first_bare, "RFC 5321 s2.3.8")


def _appended(held: bytes | bytearray, data: bytes) -> bytes | bytearray:
    """Octets that nobody has taken yet, and more of them, which costs no copy of the former."""
    if not held:
        return data
    held = held if isinstance(held, bytearray) else bytearray(held)
    held += data
    return held


@final
class DotUnstuffer:
    """What came behind 354 in, content out (RFC 5321 s4.5.2); works like a decompressor of ``zlib``.

    ``eof`` becomes true at the end of data, and ``unused_data`` holds the octets behind it.
    ``first_bare`` is the offset in the content of the first bare CR or LF, or -1; the policy on
    them is applied to the content only, after its end has been found.
    """

    __slots__ = ("_filter", "_held", "_line_start", "_unused", "eof")

    def __init__(self, bare_newlines: BareNewlines = BareNewlines.REJECT) -> None:
        self.eof = False  #: Whether the end of data has come.
        self._unused: bytes | bytearray = b""
        self._filter = NewlineFilter(bare_newlines)
        self._line_start = True
        self._held = b""  # what may be the beginning of the end of data: CR, or at a line's start "." or ".CR"

    @property
    def first_bare(self) -> int:
        """The offset of the first bare CR or LF in the content, or -1."""
        return self._filter.first_bare

    @property
    def unused_data(self) -> bytes:
        """The octets behind the end of data."""
        return bytes(self._unused)

    def receive(self, data: bytes) -> bytes:
        """The content of the next octets; ``data`` itself where nothing had to be taken out."""
        content, end = self.take(data, 0)
        if self.eof:
            self._unused = _appended(self._unused, data[end:])
        return content

    def take(self, data: bytes, start: int) -> tuple[bytes, int]:
        """The content of the octets from ``start``, and the offset in ``data`` behind what was read.

        What ``receive`` is made of, for a caller that has more than content in one piece.
        """
        if self.eof:
            return b"", start
        behind = 0  # how far offsets in ``data`` are behind those of the caller
        if self._held:
            behind = start - len(self._held)
            data = self._held + data[start:]
            start = 0
            self._held = b""
        first, stop = start, len(data)
        end = stop
        if self._line_start and data.startswith(b".", start):
            head = data[start : start + 3]
            if head == b".\r\n":
                self.eof = True
                return self._filter.finish(), start + 3 + behind
            if head in _HELD_DOTS:
                self._held = head
                return b"", end + behind
            first += 1  # RFC 5321 s4.5.2: a period at the beginning of a line is taken off.
        if stop - first < _SHORT and data.find(b"\r", first) < 0:
            # A piece of a line, which ends nothing.
            if stop > start:
                self._line_start = False
            return self._filter.feed(data[first:] if first else data), end + behind
        dot = data.find(b"\r\n.", first, first + _NEAR)
        if dot < 0 and stop - first > _NEAR:
            dot = _find(b"\r\n.", data, first + _NEAR - 2)
        if dot >= 0:
            # Most often the first line with a period is the last one.
            found = dot if data.startswith(_END, dot) else _find(_END, data, dot)
            if found >= 0:
                self.eof = True
                stop, end = found + 2, found + 5
            elif data.endswith(b"\r\n."):
                stop -= 1
                self._held = b"."
            elif data.endswith(b"\r\n.\r"):
                stop -= 2
                self._held = b".\r"
        content = data[first:stop] if first or stop < len(data) else data
        if 0 <= dot < stop - 2:
            content = _put(b"\r\n", b"\r\n.", content)
        if self.eof:
            content = self._filter.feed(content)
            return content + self._filter.finish(), end + behind
        if content[-1:] == b"\r":
            self._held = b"\r"
            content = content[:-1]
        if content:
            self._line_start = content[-2:] == b"\r\n"
        elif first > start or self._held == b"\r":
            self._line_start = False
        return self._filter.feed(content), end + behind
