"""ContentType: what a body is (RFC 2045 s5, RFC 2046)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, final

from ..errors import ParseError
from ..wire.tolerance import INTEROP, LAX, Defect, Tolerance
from ..wire.value import Value, assign, exact, setter
from .mime_token import TOKEN, cleaned, in_order, skip_junk, skip_softly
from .parameters import MimeParameter, MimeParameters, parse_parameters

__all__ = ["BOUNDARY_LIMIT", "ContentType", "parse_content_type"]

#: RFC 2046 s5.1.1: "no longer than 70 characters".
BOUNDARY_LIMIT: Final = 70

# RFC 2046 s5.1.1
#   boundary      := 0*69<bchars> bcharsnospace
#   bchars        := bcharsnospace / " "
#   bcharsnospace := DIGIT / ALPHA / "'" / "(" / ")" / "+" / "_" / "," / "-" / "." / "/" / ":" / "=" / "?"
_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]")

# RFC 2045 s5.1
#   content := "Content-Type" ":" type "/" subtype *(";" parameter)
#   type, subtype: token
_TYPE: Final = re.compile(f"[ \\t]*+({TOKEN.pattern})/({TOKEN.pattern})[ \\t]*+(?=;|\\Z)")


@final
class ContentType(Value):
    """``type/subtype; name=value`` (RFC 2045 s5.1).

    Raises ParseError for a type or subtype that is no token, and for a multipart type whose
    ``boundary`` is missing or is not what RFC 2046 s5.1.1 lets it be.
    """

    __slots__ = ("defects", "parameters", "subtype", "type")
    __match_args__ = ("type", "subtype", "parameters")

    type: str  #: In lower case.
    subtype: str  #: In lower case.
    parameters: MimeParameters  #: What follows.
    defects: tuple[Defect, ...]  #: What ``read`` let through, in order of position.

    def __init__(
        self,
        type: str,
        subtype: str,
        parameters: MimeParameters | Mapping[str, str] | Iterable[MimeParameter | tuple[str, str]] = (),
    ) -> None:
        type, subtype = exact(type), exact(subtype)
        for name in (type, subtype):
            if not TOKEN.fullmatch(name):
                raise ParseError("not a media type", 0, "RFC 2045 s5.1", name)
        if not isinstance(parameters, MimeParameters):
            parameters = MimeParameters(parameters)
        type = type.lower()
        _check_boundary(type, parameters, 0, Tolerance(), "")
        assign(self, "type", type)
        assign(self, "subtype", subtype.lower())
        assign(self, "parameters", parameters)
        assign(self, "defects", ())

    @classmethod
    def parse(cls, text: str, tolerance: Tolerance | None = None) -> ContentType:
        """Read the body of a Content-Type field, unfolded. Raises ParseError."""
        return parse_content_type(text, 0, tolerance or Tolerance())[0]

    @classmethod
    def read(cls, text: str) -> ContentType:
        """What can be understood of the body of a Content-Type field, for any text at all.

        Where that is no media type, ``text/plain; charset=us-ascii`` with what parameters there
        are: "it is also recommended that this default be assumed when a syntactically invalid
        Content-Type header field is encountered" (RFC 2045 s5.2).
        """
        tolerance = Tolerance(LAX)
        found, _ = parse_content_type(text, 0, tolerance)
        if tolerance.defects:
            _set_defects(found, in_order(tolerance))
        return found

    @property
    def essence(self) -> str:
        """``type/subtype``, in lower case."""
        return f"{self.type}/{self.subtype}"

    @property
    def charset(self) -> str | None:
        """The ``charset`` parameter in lower case; ``us-ascii`` where text/plain has none (RFC 2046 s4.1.2)."""
        said = self.parameters.get("charset")
        if said:
            return said.lower()
        return "us-ascii" if self.essence == "text/plain" else None

    @property
    def boundary(self) -> str | None:
        """The ``boundary`` parameter, as it stands between the parts behind two hyphens (RFC 2046 s5.1.1)."""
        return self.parameters.get("boundary")

    @property
    def is_multipart(self) -> bool:
        """Whether the body is made of parts (RFC 2046 s5.1)."""
        return self.type == "multipart"

    def __str__(self) -> str:
        return f"{self.type}/{self.subtype}; {self.parameters}" if self.parameters else f"{self.type}/{self.subtype}"


_new = ContentType.__new__
_set_type, _set_subtype = setter(ContentType, "type"), setter(ContentType, "subtype")
_set_parameters, _set_defects = setter(ContentType, "parameters"), setter(ContentType, "defects")


def parse_content_type(text: str, pos: int, tolerance: Tolerance) -> tuple[ContentType, int]:
    """``type "/" subtype *(";" parameter)`` from ``pos`` to the end of the text."""
    text = cleaned(text, tolerance)
    found = _TYPE.match(text, pos)
    media, end = ((found[1], found[2]), found.end()) if found else _parse_type(text, pos, tolerance)
    parameters, end = parse_parameters(text, end, tolerance)
    if media is None:
        media = ("text", "plain")
        if "charset" not in parameters:
            parameters = MimeParameters([*parameters, ("charset", "us-ascii")])
    made = _new(ContentType)
    _set_type(made, media[0].lower())
    _set_subtype(made, media[1].lower())
    _set_parameters(made, parameters)
    _set_defects(made, ())
    _check_boundary(made.type, parameters, pos, tolerance, text)
    return made, end


def _parse_type(text: str, start: int, tolerance: Tolerance) -> tuple[tuple[str, str] | None, int]:
    """The type with comments between its tokens; None when it is none."""
    pos = skip_softly(text, start)
    kind = TOKEN.match(text, pos) if pos >= 0 else None
    if kind:
        pos = skip_softly(text, kind.end())
        if pos >= 0 and text.startswith("/", pos):
            pos = skip_softly(text, pos + 1)
            subtype = TOKEN.match(text, pos) if pos >= 0 else None
            if subtype:
                return (kind[0], subtype[0]), subtype.end()
    tolerance.permit(LAX, "not a media type", start, "RFC 2045 s5.2", text)
    return None, skip_junk(text, start)


def _check_boundary(kind: str, parameters: MimeParameters, pos: int, tolerance: Tolerance, text: str) -> None:
    if kind != "multipart":
        return
    boundary = parameters.get("boundary")
    if boundary is None:
        tolerance.permit(LAX, "multipart without a boundary", pos, "RFC 2046 s5.1.1", text)
    elif not _BOUNDARY.fullmatch(boundary):
        tolerance.permit(INTEROP, "not a boundary", pos, "RFC 2046 s5.1.1", text)
