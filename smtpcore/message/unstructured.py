"""Unstructured text: Subject, Comments and whatever has no grammar (RFC 5322 s2.2.1, s3.2.5)."""

from __future__ import annotations

import re
from typing import Final, final

from ..errors import ParseError
from ..wire.tolerance import LAX, Defect, Tolerance
from ..wire.value import Value, assign, setter
from .charset import show_octets
from .words import decode_words, encode_words

__all__ = ["Unstructured"]

_NOT_TEXT: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_PIECE: Final = re.compile(r"[^ \t]++|[ \t]++")


@final
class Unstructured(Value):
    """Text for people to read, such as a subject, decoded.

    Raises ParseError for a CR, an LF or another control character, and for surrogates (RFC 5322 s2.2).
    """

    __slots__ = ("defects", "text")
    __match_args__ = ("text",)

    text: str  #: What it says; a character that could not be decoded is U+FFFD.
    defects: tuple[Defect, ...]  #: What was wrong with the text it was read from.

    def __init__(self, text: str) -> None:
        bad = _NOT_TEXT.search(text)
        if bad:
            raise ParseError("character not allowed in a header field", bad.start(), "RFC 5322 s2.2", text)
        assign(self, "text", str.__str__(text))
        assign(self, "defects", ())

    @classmethod
    def parse(cls, text: str, tolerance: Tolerance | None = None) -> Unstructured:
        """Read unfolded text. Raises ParseError for controls and for encoded-words that RFC 2047 does not allow."""
        if "=?" not in text and text.isascii() and not _NOT_TEXT.search(text):
            return _made(text, ())
        tolerance = tolerance or Tolerance()
        before = len(tolerance.defects)
        bad = _NOT_TEXT.search(text)
        if bad:
            # RFC 5322 s2.2, RFC 6532 s3.1
            tolerance.permit(LAX, "character not allowed in a header field", bad.start(), "RFC 5322 s2.2", text)
        decoded = decode_words(text, tolerance)
        return _made(
            _NOT_TEXT.sub("\ufffd", show_octets(decoded)) if bad else decoded, tuple(tolerance.defects[before:])
        )

    @classmethod
    def read(cls, text: str) -> Unstructured:
        """What ``text`` says, with its defects. Never raises."""
        # Most texts are printable and hold no encoded-word, and nothing is wrong with them.
        if "=?" not in text and text.isascii() and text.isprintable():
            return _made(text, ())
        return cls.parse(text, Tolerance(LAX))

    def serialise(self, *, utf8: bool = False) -> str:
        """The text of it, unfolded: words beyond ASCII are encoded, unless ``utf8`` lets them stay (RFC 6532 s3.2).

        What would be taken for an encoded-word is encoded, so that it is read as it was meant.
        """
        text = self.text
        if "=?" not in text and _stays(text, utf8) and text.strip(" \t") == text:
            return text
        pieces = _PIECE.findall(text)
        plain = ["=?" not in piece and _stays(piece, utf8) for piece in pieces]
        last = len(pieces) - 1
        for place, piece in enumerate(pieces):
            # White space at an end, or longer than a line, would be lost; it is encoded with the words beside it.
            if piece[0] in " \t" and (not plain[place] or place in (0, last)):
                plain[max(place - 1, 0) : place + 2] = [False] * len(plain[max(place - 1, 0) : place + 2])
        if False not in plain:
            return text
        # The white space within what is encoded would be lost, so all from the first to the last such word is.
        first, stop = plain.index(False), len(plain) - plain[::-1].index(False)
        return "".join(pieces[:first]) + encode_words("".join(pieces[first:stop])) + "".join(pieces[stop:])

    def __str__(self) -> str:
        return self.serialise()


_set_text, _set_defects = setter(Unstructured, "text"), setter(Unstructured, "defects")


def _made(text: str, defects: tuple[Defect, ...]) -> Unstructured:
    found = Unstructured.__new__(Unstructured)
    _set_text(found, text)
    _set_defects(found, defects)
    return found


#: Octets that a line has room for beside the name of a field (RFC 5322 s2.1.1: 998).
_ROOM: Final = 900


def _stays(text: str, utf8: bool) -> bool:
    """Whether text may be written as it is."""
    return len(text) <= _ROOM if text.isascii() else utf8 and 4 * len(text) <= _ROOM
