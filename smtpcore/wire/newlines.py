"""What becomes of a CR or LF that stands alone in the content of a message.

RFC 5321 s2.3.8 lets CR and LF occur only together, as CRLF. Programs that take either one for a
line end have let strangers' mail end early and smuggle commands behind it, so what happens here
is decided by name, per connection, and never before the true end of the content is known.
"""

from __future__ import annotations

import re
from enum import Enum
from io import IncrementalNewlineDecoder
from typing import Final, final

__all__ = ["BareNewlines", "NewlineFilter", "find_bare"]


@final
class BareNewlines(Enum):
    """The policies on a bare CR or LF."""

    REJECT = "reject"  #: Read on to the true end, then refuse with 550 5.5.2. The default.
    NORMALIZE = "normalize"  #: Each becomes CRLF, after the end of the content has been found.
    SPACE = "space"  #: Each becomes a space.
    PASS = "unsafe-pass"  #: Each stays, and the message is marked; our own sender refuses such content.


_SPACED: Final = bytes(0x20 if octet in b"\r\n" else octet for octet in range(256))
_BARE: Final = re.compile(rb"\r(?!\n)|(?<!\r)\n")
#: Octets looked at in one piece: what is made of them stays within the processor's nearer caches.
_WINDOW: Final = 65_536
_CLEAN: Final = frozenset((None, "\r\n"))


def is_clean(data: bytes, decoder: IncrementalNewlineDecoder | None = None) -> bool:
    """Whether every CR of ``data`` is followed by LF and every LF preceded by CR, within ``data``.

    Who asks often may keep a ``decoder`` for it, from :func:`new_decoder`.
    """
    size = len(data)
    if size < 2:
        return data not in _ALONE
    if size <= _WINDOW:
        # The decoder behind text files notes which line ends it has seen, in one pass: seven times as fast as a regular
        # expression, and twice as fast as two tables and a comparison. Every octet is one character of Latin-1.
        if decoder is None:
            decoder = IncrementalNewlineDecoder(None, False)
        else:
            decoder.reset()  # it forgets what it has seen
        decoder.decode(data.decode("latin-1"), True)
        return decoder.newlines in _CLEAN
    start = 0
    while start < size:
        end = start + _WINDOW - 1
        if data[end - 1 : end] == b"\r":
            end += 1  # what is behind it decides
        if not is_clean(data[start:end]):
            return False
        start = end
    return True


_ALONE: Final = frozenset((b"\r", b"\n"))


def new_decoder() -> IncrementalNewlineDecoder:
    """What :func:`is_clean` looks with; for one thread at a time."""
    return IncrementalNewlineDecoder(None, False)


def find_bare(data: bytes) -> int:
    """The offset of the first bare CR or LF in ``data``, or -1."""
    if is_clean(data):
        return -1
    found = _BARE.search(data)
    return found.start() if found else -1


@final
class NewlineFilter:
    """Octets of content in, octets under the policy out; CRLF may be cut anywhere.

    ``first_bare`` is the offset of the first bare CR or LF, counted from the start of the content,
    or -1. With REJECT nothing from that offset on comes out.
    """

    __slots__ = ("_cr", "_seen", "first_bare", "policy")

    def __init__(self, policy: BareNewlines = BareNewlines.REJECT, seen: int = 0) -> None:
        self.policy = policy
        self.first_bare = -1
        self._seen = seen  # octets let through, before any replacement
        self._cr = False  # the last octet was a CR, held back until the next one is known

    @property
    def holds_cr(self) -> bool:
        """Whether the last octet was a CR, which what follows will decide about."""
        return self._cr

    def feed(self, data: bytes) -> bytes:
        """The next octets; returns ``data`` itself where nothing has to change."""
        if not self._cr and self.first_bare < 0 and is_clean(data):
            self._seen += len(data)
            return data
        if self._cr and data:
            data = b"\r" + data
            self._cr = False
        if data[-1:] == b"\r":
            data = data[:-1]
            self._cr = True
        if is_clean(data):
            self._seen += len(data)
            return data if self.first_bare < 0 or self.policy is not BareNewlines.REJECT else b""
        return self._apply(data)

    def finish(self) -> bytes:
        """The end of the content: a CR still held back is a bare one."""
        if not self._cr:
            return b""
        self._cr = False
        return self._apply(b"\r")

    def _apply(self, data: bytes) -> bytes:
        if self.first_bare < 0:
            found = _BARE.search(data)
            at = found.start() if found else 0
            self.first_bare = self._seen + at
            kept = data[:at]
        else:
            kept = b""
        self._seen += len(data)
        match self.policy:
            case BareNewlines.REJECT:
                return kept
            case BareNewlines.NORMALIZE:
                # Three passes over the whole, where a pattern would make an object of every piece between two of them.
                return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
            case BareNewlines.SPACE:
                return b"\r\n".join([part.translate(_SPACED) for part in data.split(b"\r\n")])
            case BareNewlines.PASS:
                return data
