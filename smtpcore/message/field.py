"""Field: one header field as it stood in the message, octet for octet.

A field knows its octets and nothing else; its name, its text and what is wrong with it are found
out when somebody asks. A line that is no field at all is kept as one without a name.
"""

from __future__ import annotations

import re
from enum import Enum
from itertools import accumulate
from typing import Final, final

from ..errors import ParseError
from ..wire.tolerance import Defect
from ..wire.value import Value, setter

__all__ = ["LINE_LIMIT", "Field", "LineEnds"]

#: RFC 5322 s2.1.1: octets of a line, without its CRLF, that nobody may write more of.
LINE_LIMIT: Final = 998


@final
class LineEnds(Enum):
    """What ends a line of a header. Chosen by the caller for what it reads; never guessed from it."""

    CRLF = "crlf"  #: CRLF and nothing else, as mail travels (RFC 5322 s2.1). The default.
    LF = "lf"  #: LF too, as mailboxes on Unix store messages; a bare CR is still none.
    ANY = "any"  #: CRLF, LF or CR, for files of unknown descent.


# RFC 5322 s2.2, s3.6.8
#   optional-field = field-name ":" unstructured CRLF
#   field-name     = 1*ftext
#   ftext          = %d33-57 / %d59-126
_FTEXT: Final = rb"[!-9;-~]++"
# RFC 5322 s4.5.8
#   obs-optional   = field-name *WSP ":" unstructured CRLF
_NAME: Final = re.compile(rb"(" + _FTEXT + rb")([ \t]*+):")
_OF_NAMES: Final = bytes(octet for octet in range(33, 127) if octet != 58)
_is_name: Final = re.compile(_FTEXT).fullmatch

_TAILS: Final = {
    LineEnds.CRLF: re.compile(rb"\r\n\Z"),
    LineEnds.LF: re.compile(rb"\r?+\n\Z"),
    LineEnds.ANY: re.compile(rb"(?:\r\n|\r|\n)\Z"),
}
# RFC 5322 s2.2.3: "Unfolding is accomplished by simply removing any CRLF that is immediately followed by WSP."
_FOLDS: Final = {
    LineEnds.CRLF: re.compile(rb"\r\n(?=[ \t])"),
    LineEnds.LF: re.compile(rb"\r?+\n(?=[ \t])"),
    LineEnds.ANY: re.compile(rb"(?:\r\n?+|\n)(?=[ \t])"),
}
_CUTS: Final = {
    LineEnds.CRLF: re.compile(rb"\r\n"),
    LineEnds.LF: re.compile(rb"\r?+\n"),
    LineEnds.ANY: re.compile(rb"\r\n?+|\n"),
}


@final
class Field(Value):
    """A header field (RFC 5322 s2.2), or a line that should have been one: then its name is empty.

    Two fields are equal when their octets are; where they stood does not count.
    """

    __slots__ = ("_ends", "offset", "raw")
    __match_args__ = ("raw",)

    raw: bytes  #: The whole field with its line ends, as it came or as it will be written.
    offset: int  #: Where it began in what was parsed, in octets; -1 for one that was built.
    _ends: LineEnds  # missing where CRLF ends lines

    def __init__(self, name: bytes | str, body: bytes) -> None:
        """A field from its name and the octets behind the colon; see :meth:`build`."""
        _set_raw(self, _checked(name, body))
        _set_offset(self, -1)

    @classmethod
    def build(cls, name: bytes | str, body: bytes) -> Field:
        """A new field: ``body`` is all that stands between the colon and the last CRLF, folded where it needs to be.

        Raises ParseError for what could be read as more than one field, or not be sent: a name that is not 1*ftext,
        a CR or LF that does not fold, a folded line of white space only, NUL and other controls, octets that are no
        UTF-8 (RFC 6532 s3.1), a line longer than 998 octets (RFC 5322 s2.1.1).
        """
        return cls(name, body)

    def __bytes__(self) -> bytes:
        return self.raw

    @property
    def line_ends(self) -> LineEnds:
        """What ended its lines where it was read."""
        return getattr(self, "_ends", _CRLF)

    @property
    def name(self) -> bytes:
        """The name as it was written, without the colon; empty for a line that is no field."""
        found = _NAME.match(self.raw)
        return found[1] if found else b""

    @property
    def body(self) -> bytes:
        """The octets between the colon and the last line end, folded as they came; all of a line that is no field."""
        raw = self.raw
        found = _NAME.match(raw)
        start = found.end() if found else 0
        if raw.endswith(b"\r\n"):
            return raw[start:-2]
        tail = _TAILS[self.line_ends].search(raw)
        return raw[start : tail.start()] if tail else raw[start:]

    @property
    def text(self) -> str:
        """The body unfolded (RFC 5322 s2.2.3), without white space around it; what is no UTF-8 as surrogates."""
        name, colon, body = self.raw.partition(b":")
        ends = getattr(self, "_ends", _CRLF)
        if colon and name and ends is _CRLF and not name.translate(None, _OF_NAMES):
            return read_text(body)
        body = self.body
        body = _FOLDS[ends].sub(b"", body)
        return body.decode("utf-8", "surrogateescape").strip(" \t")

    @property
    def lines(self) -> list[bytes]:
        """Its lines, without their ends."""
        lines = _CUTS[self.line_ends].split(self.raw)
        if not lines[-1]:
            del lines[-1]
        return lines

    @property
    def defects(self) -> tuple[Defect, ...]:
        """What is wrong with its octets: the first place of each kind, as an offset in ``raw``."""
        return tuple(sorted(_find_defects(self), key=_position))

    def normalized(self) -> Field:
        """The field as it may be sent on: CRLF behind each line, none of white space only, no bare CR, LF or NUL.

        Each of those three becomes a space: nothing that was in one field gets out of it. The field itself where
        nothing has to change.
        """
        lines = [line.translate(_SPACED) for line in self.lines]
        # RFC 5322 s3.2.2: no line of a header field "is made up entirely of WSP characters and nothing else"
        begins_black = self.raw[:1] not in (b" ", b"\t")
        kept = [line for place, line in enumerate(lines) if (begins_black and not place) or line.strip(b" \t")]
        raw = b"\r\n".join(kept) + b"\r\n"
        if begins_black and raw[:1] == b" ":
            raw = b"?" + raw  # or it would become part of the field before it
        return self if raw == self.raw and self.line_ends is _CRLF else make_field(raw, self.offset)


_CRLF: Final = LineEnds.CRLF
_new_field: Final = Field.__new__
_set_raw, _set_offset, _set_ends = setter(Field, "raw"), setter(Field, "offset"), setter(Field, "_ends")
_SPACED: Final = bytes(0x20 if octet in b"\0\r\n" else octet for octet in range(256))


def make_field(raw: bytes, offset: int = -1, ends: LineEnds = LineEnds.CRLF) -> Field:
    """A field of octets that were found as one."""
    field = _new_field(Field)
    _set_raw(field, raw)
    _set_offset(field, offset)
    if ends is not _CRLF:
        _set_ends(field, ends)
    return field


def make_fields(pieces: list[bytes]) -> tuple[Field, ...]:
    """The fields of a header that follow each other from its start."""
    fields = tuple(map(_new_field, [Field] * len(pieces)))
    # What sets a slot returns None.
    any(map(_set_raw, fields, pieces))
    any(map(_set_offset, fields, accumulate(map(len, pieces), initial=0)))
    return fields


def read_text(raw: bytes, start: int = 0) -> str:
    """The text of a field whose lines end in CRLF and whose body begins at ``start`` of these octets."""
    # Each CRLF but the last has white space behind it.
    return raw[start:].replace(b"\r\n", b"").decode("utf-8", "surrogateescape").strip(" \t")


# --- building ------------------------------------------------------------------------------------

_CONTROL: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def check_name(name: bytes | str) -> bytes:
    """The octets of a field name. Raises ParseError where it is none."""
    octets = str.__str__(name).encode("utf-8", "surrogatepass") if isinstance(name, str) else bytes(name)
    if not _is_name(octets):
        begun = re.match(_FTEXT, octets)
        raise ParseError("not a field name", begun.end() if begun else 0, "RFC 5322 s3.6.8", _shown(octets))
    return octets


def _checked(name: bytes | str, body: bytes) -> bytes:
    name = check_name(name)
    if not isinstance(body, bytes):
        raise TypeError(f"the body of a field must be bytes, not {type(body).__name__}")
    where = 0
    for number, line in enumerate((body := bytes(body)).split(b"\r\n")):
        bad = _CONTROL.search(line)
        if bad:
            raise ParseError("control character in a field", where + bad.start(), "RFC 5322 s2.2", _shown(body))
        if number:
            if line[:1] not in (b" ", b"\t"):
                raise ParseError("line end that does not fold", where - 2, "RFC 5322 s2.2.3", _shown(body))
            if not line.strip(b" \t"):
                raise ParseError("folded line of white space only", where, "RFC 5322 s3.2.2", _shown(body))
        if len(line) + (0 if number else len(name) + 1) > LINE_LIMIT:
            raise ParseError(f"line longer than {LINE_LIMIT} octets", where, "RFC 5322 s2.1.1", _shown(body))
        where += len(line) + 2
    bad_octet = _find_no_utf8(body)
    if bad_octet >= 0:
        raise ParseError("not UTF-8", bad_octet, "RFC 6532 s3.1", _shown(body))
    return b"%b:%b\r\n" % (name, body)


def _shown(octets: bytes) -> str:
    return octets[:200].decode("utf-8", "replace")


def _find_no_utf8(octets: bytes) -> int:
    """The offset of the first octet that is not part of UTF-8, or -1."""
    if octets.isascii():
        return -1
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return -1


# --- defects -------------------------------------------------------------------------------------

_BARE: Final = {
    LineEnds.CRLF: re.compile(rb"\r(?!\n)|(?<!\r)\n"),
    LineEnds.LF: re.compile(rb"\r(?!\n)"),
}
_BLANK: Final = {
    LineEnds.CRLF: re.compile(rb"\r\n([ \t]++)(?=\r\n|\Z)"),
    LineEnds.LF: re.compile(rb"\n([ \t]++)(?=\r?+\n|\Z)"),
    LineEnds.ANY: re.compile(rb"[\r\n]([ \t]++)(?=[\r\n]|\Z)"),
}


def _position(defect: Defect) -> int:
    return defect.where


def _find_defects(field: Field) -> list[Defect]:
    raw, ends = field.raw, field.line_ends
    found: list[Defect] = []
    name = _NAME.match(raw)
    if not name:
        if raw[:1] in (b" ", b"\t"):
            found.append(Defect("RFC 5322 s2.2.3", "a folded line behind no field", 0))
        else:
            begun = re.match(_FTEXT, raw)
            found.append(Defect("RFC 5322 s2.2", "not a header field", begun.end() if begun else 0))
    elif name[2]:
        found.append(Defect("RFC 5322 s4.5", "white space before the colon", name.end(1)))
    bare = _BARE[ends].search(raw) if ends in _BARE else None
    if bare:
        found.append(Defect("RFC 5322 s2.2", "bare CR or LF in a header field", bare.start()))
    nul = raw.find(b"\0")
    if nul >= 0:
        found.append(Defect("RFC 5322 s4.1", "NUL in a header field", nul))
    blank = _BLANK[ends].search(raw)
    if blank:
        found.append(Defect("RFC 5322 s4.2", "folded line of white space only", blank.start(1)))
    if len(raw) > LINE_LIMIT:
        where = 0
        for line in _CUTS[ends].split(raw):
            if len(line) > LINE_LIMIT:
                where = raw.find(line, where)
                found.append(Defect("RFC 5322 s2.1.1", f"line longer than {LINE_LIMIT} octets", where))
                break
            where += len(line)
    bad = _find_no_utf8(raw)
    if bad >= 0:
        found.append(Defect("RFC 6532 s3.1", "not UTF-8", bad))
    if not _TAILS[ends].search(raw, max(0, len(raw) - 2)):
        found.append(Defect("RFC 5322 s2.2", "no line end behind the header field", len(raw)))
    return found
