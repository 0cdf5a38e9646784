"""TransferEncoding: how the octets of a body were made fit to travel (RFC 2045 s6)."""

from __future__ import annotations

import re
from typing import Final, final

from ..errors import ParseError
from ..wire.tolerance import INTEROP, LAX, Defect, Tolerance
from ..wire.value import Value, assign, exact
from .mime_token import TOKEN, cleaned, in_order, skip_softly

__all__ = ["TransferEncoding", "parse_transfer_encoding"]

# RFC 2045 s6.1
#   mechanism := "7bit" / "8bit" / "binary" / "quoted-printable" / "base64" / ietf-token / x-token
#   x-token   := <The two characters "X-" or "x-" followed, with no intervening white space, by any token>
_IDENTITY: Final = frozenset({"7bit", "8bit", "binary"})
_STANDARD: Final = _IDENTITY | {"quoted-printable", "base64"}
_PRIVATE: Final = re.compile(f"[Xx]-{TOKEN.pattern}")
#: Longer names than this are nobody's: those of RFC 2045 have 16 characters at most.
NAME_LIMIT: Final = 64

# What some write for it.
_MISSPELT: Final = {"7-bit": "7bit", "8-bit": "8bit", "7bits": "7bit", "8bits": "8bit", "base-64": "base64"}


@final
class TransferEncoding(Value):
    """A mechanism of Content-Transfer-Encoding, such as ``base64`` (RFC 2045 s6.1).

    Raises ParseError for a name that is neither one of the five nor begins with ``x-``.
    """

    __slots__ = ("defects", "name")
    __match_args__ = ("name",)

    name: str  #: In lower case.
    defects: tuple[Defect, ...]  #: What ``read`` let through.

    def __init__(self, name: str) -> None:
        name = exact(name)
        lower = name.lower() if name.isascii() else name
        if lower not in _STANDARD and not (_PRIVATE.fullmatch(lower) and len(lower) <= NAME_LIMIT):
            raise ParseError("not a transfer encoding", 0, "RFC 2045 s6.1", name)
        assign(self, "name", lower)
        assign(self, "defects", ())

    @classmethod
    def parse(cls, text: str, tolerance: Tolerance | None = None) -> TransferEncoding:
        """Read the body of a Content-Transfer-Encoding field, unfolded. Raises ParseError."""
        return parse_transfer_encoding(text, 0, tolerance or Tolerance())[0]

    @classmethod
    def read(cls, text: str) -> TransferEncoding:
        """What can be understood of the field, for any text at all; 7bit, the default, where that is nothing.

        A mechanism that nobody knows is kept: the body is then of no known type (RFC 2045 s6.4).
        """
        known = _CANNED.get(text)
        if known:
            return known
        tolerance = Tolerance(LAX)
        found, _ = parse_transfer_encoding(text, 0, tolerance)
        if tolerance.defects:
            found = _make(found.name)
            assign(found, "defects", in_order(tolerance))
        return found

    @property
    def is_identity(self) -> bool:
        """Whether the octets are those of the body itself: 7bit, 8bit, binary (RFC 2045 s6.2)."""
        return self.name in _IDENTITY

    @property
    def is_known(self) -> bool:
        """Whether it is one of the five of RFC 2045, which every reader can undo."""
        return self.name in _STANDARD

    def __str__(self) -> str:
        return self.name


_CANNED: Final = {name: TransferEncoding(name) for name in sorted(_STANDARD)}


def _make(name: str) -> TransferEncoding:
    """A mechanism that was checked already, or let through."""
    made = TransferEncoding.__new__(TransferEncoding)
    assign(made, "name", name)
    assign(made, "defects", ())
    return made


def parse_transfer_encoding(text: str, pos: int, tolerance: Tolerance) -> tuple[TransferEncoding, int]:
    """``mechanism`` from ``pos`` to the end of the text."""
    text = cleaned(text, tolerance)
    start, size = pos, len(text)
    pos = skip_softly(text, pos)
    quoted = pos >= 0 and text.startswith('"', pos)
    token = TOKEN.match(text, pos + quoted) if pos >= 0 else None
    if not token:
        tolerance.permit(LAX, "not a transfer encoding", start, "RFC 2045 s6.1", text)
        return _CANNED["7bit"], size
    if quoted:
        tolerance.permit(LAX, "transfer encoding in quotes", pos, "RFC 2045 s6.1", text)
    name = token[0].lower()
    if name not in _STANDARD and not _PRIVATE.fullmatch(name):
        tolerance.permit(INTEROP, "transfer encoding that nobody registered", pos, "RFC 2045 s6.1", text)
        name = _MISSPELT.get(name, name)
    if len(name) > NAME_LIMIT:
        tolerance.permit(LAX, "not a transfer encoding", pos, "RFC 2045 s6.1", text)
        return _CANNED["7bit"], size
    end = token.end() + (quoted and text.startswith('"', token.end()))
    if skip_softly(text, end) != size:
        tolerance.permit(LAX, "text after the transfer encoding", end, "RFC 2045 s6.1", text)
    return _CANNED.get(name) or _make(name), size
