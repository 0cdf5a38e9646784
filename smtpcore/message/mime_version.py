"""MimeVersion: ``1.0``, with or without comments (RFC 2045 s4)."""

from __future__ import annotations

import re
from typing import Final, final

from ..errors import ParseError
from ..wire.tolerance import LAX, Defect, Tolerance
from ..wire.value import Value, assign
from .cfws import read_comments

__all__ = ["MimeVersion", "parse_mime_version"]

# RFC 2045 s4
#   version := "MIME-Version" ":" 1*DIGIT "." 1*DIGIT
# Nine digits fit any integer, and no version will have as many.
_DIGITS: Final = re.compile(r"[0-9]{1,9}+")
_LIMIT: Final = 10**9


@final
class MimeVersion(Value):
    """The version of MIME that a message keeps to; there is one only, 1.0.

    Raises ParseError for numbers out of range. ``comments`` are those of the text that was read;
    they count for nothing.
    """

    __slots__ = ("comments", "defects", "major", "minor")
    __match_args__ = ("major", "minor")

    major: int  #: Before the dot.
    minor: int  #: Behind it.
    comments: tuple[str, ...]  #: The comments, in order, without their parentheses.
    defects: tuple[Defect, ...]  #: What ``read`` let through.

    def __init__(self, major: int = 1, minor: int = 0) -> None:
        for number in (major, minor):
            if type(number) is not int:
                raise TypeError(f"a version is made of two int, not {type(number).__name__}")
            if not 0 <= number < _LIMIT:
                raise ParseError("not a version of MIME", 0, "RFC 2045 s4")
        assign(self, "major", major)
        assign(self, "minor", minor)
        assign(self, "comments", ())
        assign(self, "defects", ())

    @classmethod
    def parse(cls, text: str, tolerance: Tolerance | None = None) -> MimeVersion:
        """Read the body of a MIME-Version field, unfolded. Raises ParseError."""
        found, end = parse_mime_version(text, 0)
        if end != len(text):
            (tolerance or Tolerance()).permit(LAX, "text after the version", end, "RFC 2045 s4", text)
        return found

    @classmethod
    def read(cls, text: str) -> MimeVersion:
        """What can be understood of a MIME-Version field; 1.0 where that is nothing (RFC 2045 s4)."""
        tolerance = Tolerance(LAX)
        try:
            found = cls.parse(text, tolerance)
            defects = tolerance.defects
        except ParseError as error:
            found = cls()
            defects = [Defect(error.rule, error.why, error.where)]
        assign(found, "defects", tuple(defects))
        return found

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


def parse_mime_version(text: str, pos: int) -> tuple[MimeVersion, int]:
    """``1*DIGIT "." 1*DIGIT`` at ``pos``, with comments anywhere between the tokens."""
    before, pos = read_comments(text, pos)
    major = _DIGITS.match(text, pos)
    if not major:
        raise ParseError("not a version of MIME", pos, "RFC 2045 s4", text)
    between, pos = read_comments(text, major.end())
    if not text.startswith(".", pos):
        raise ParseError("expected . in the version", pos, "RFC 2045 s4", text)
    after, pos = read_comments(text, pos + 1)
    minor = _DIGITS.match(text, pos)
    if not minor:
        raise ParseError("not a version of MIME", pos, "RFC 2045 s4", text)
    behind, pos = read_comments(text, minor.end())
    made = MimeVersion(int(major[0]), int(minor[0]))
    assign(made, "comments", (*before, *between, *after, *behind))
    return made, pos
