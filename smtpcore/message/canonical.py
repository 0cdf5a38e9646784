"""What a DKIM signature is computed over (RFC 6376 s3.4): views of fields and of the body, never changes of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, final

from .field import Field
from .header import Header

__all__ = ["RelaxedBody", "SimpleBody", "relaxed_field", "signed_fields", "simple_field"]

_SPACES: Final = re.compile(rb"[ \t]++")


def simple_field(field: Field) -> bytes:
    """The field as it is (RFC 6376 s3.4.1), with CRLF for the line ends of a stored file."""
    raw = field.raw
    return raw if raw.endswith(b"\r\n") and b"\n" not in raw[:-2] else b"\r\n".join(field.lines) + b"\r\n"


def relaxed_field(field: Field) -> bytes:
    """``name:value`` in lower case, unfolded, each run of white space one space (RFC 6376 s3.4.2), with its CRLF."""
    value = _SPACES.sub(b" ", b"".join(field.lines).partition(b":")[2]).strip(b" ")
    # RFC 6376 s3.4.2: "Delete any WSP characters remaining before and after the colon"
    return b"%b:%b\r\n" % (field.name.lower(), value)


def signed_fields(header: Header, names: Iterable[bytes | str]) -> list[Field]:
    """The fields that an ``h=`` tag means: each name again is the next one up from the bottom (RFC 6376 s5.4.2).

    A name that the header has no further field of stands for nothing, and is passed over.
    """
    waiting: dict[bytes, list[Field]] = {}
    for field in header:
        waiting.setdefault(field.name.lower(), []).append(field)
    found: list[Field] = []
    for name in names:
        key = (name.encode("ascii", "replace") if isinstance(name, str) else name).lower()
        if key and waiting.get(key):
            found.append(waiting[key].pop())
    return found


class _Lines:
    """Octets with the empty lines at their end held back as a number."""

    __slots__ = ("_begun", "_empty", "_held")

    def __init__(self) -> None:
        self._begun = False  # something has come out
        self._empty = 0  # CRLFs held back: they count only if something follows
        self._held = b""  # white space and a CR, of which the next octet decides

    def _put(self, data: bytes) -> bytes:
        # Read backwards, the line ends come first: a pattern finds how many in one pass.
        tail = data[len(data.rstrip(b"\r\n")) :]
        found = _TAIL.match(tail[::-1])
        ends = found.end() // 2 if found else 0
        if 2 * ends == len(data):
            self._empty += ends
            return b""
        out = b"\r\n" * self._empty + data[: len(data) - 2 * ends]
        self._empty = ends
        self._begun = True
        return out


_TAIL: Final = re.compile(rb"(?:\n\r)*+")


@final
class SimpleBody(_Lines):
    """The ``simple`` form of a body (RFC 6376 s3.4.3), whatever the pieces it comes in; holds only a count and a CR."""

    __slots__ = ()

    def feed(self, data: bytes) -> bytes:
        """The next octets of the body; returns those that can be hashed."""
        data = self._held + data
        self._held = data[-1:] if data.endswith(b"\r") else b""
        return self._put(data[: len(data) - len(self._held)])

    def finish(self) -> bytes:
        """The end of the body: what was held back, and the one CRLF that stands for all empty lines there."""
        held, self._held = self._held, b""
        return self._put(held) + b"\r\n"


@final
class RelaxedBody(_Lines):
    """The ``relaxed`` form of a body (RFC 6376 s3.4.4), whatever its pieces; holds a count and two octets."""

    __slots__ = ()

    def feed(self, data: bytes) -> bytes:
        """The next octets of the body; returns those that can be hashed."""
        data = _SPACES.sub(b" ", self._held + data)
        found = _UNDECIDED.search(data, max(0, len(data) - 2))
        self._held = found[0] if found else b""
        return self._put(data[: len(data) - len(self._held)].replace(b" \r\n", b"\r\n"))

    def finish(self) -> bytes:
        """The end of the body: one CRLF, or nothing for a body of empty lines only."""
        held, self._held = self._held, b""
        out = self._put(held.removesuffix(b" "))
        return out + b"\r\n" if self._begun else b""


_UNDECIDED: Final = re.compile(rb" \r?\Z|\r\Z")
