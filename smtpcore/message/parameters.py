"""MimeParameters: the ``; name=value`` behind a media type or a disposition (RFC 2045 s5.1, RFC 2231).

What is read twice or in several forms is decided here once, and the same way every time:

- ``name*=charset'language'value`` goes before ``name*0=...; name*1=...``, that before ``name=value``;
- of two in the same form the first counts;
- sections count from 0, without gaps; what lies behind a gap is left out;
- a value that cannot be decoded is passed over where there is another form, and else read with U+FFFD.

Names are compared without regard to ASCII case, and kept in lower case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, cast, final

from ..errors import ParseError
from ..wire.tolerance import INTEROP, LAX, Defect, Tolerance
from ..wire.value import Value, assign, exact, setter
from .extended import PIECE_LENGTH, Pieces, extended_form, pack
from .mime_token import CONTROL, TCHAR, TOKEN, cleaned, in_order, skip_junk, skip_softly
from .words import decode_words, looks_encoded

__all__ = [
    "PARAMETER_LIMIT",
    "VALUE_LIMIT",
    "MimeParameter",
    "MimeParameters",
    "parse_parameters",
]

#: How many parameters a field may have. Nothing in the world has more than a dozen.
PARAMETER_LIMIT: Final = 1000
#: Characters of one value: what Postfix keeps of a whole header field (header_size_limit).
VALUE_LIMIT: Final = 102_400

# RFC 2231 s7
#   attribute-char := <any (ASCII) CHAR except SPACE, CTLs, "*", "'", "%", or tspecials>
_ATTRIBUTE: Final = re.compile(r"[!#$&+\-.0-9A-Z^_`a-z{|}~]++")
# RFC 2045 s5.1
#   parameter := attribute "=" value
#   value     := token / quoted-string
# in the form that nearly all of them have: no comments, nothing escaped, no section.
_PLAIN: Final = re.compile(
    r"[ \t]*+;[ \t]*+([!#$&+\-.0-9A-Z^_`a-z{|}~]++)="
    rf'(?:({TCHAR}++)|"([^"\\]*+)")[ \t]*+(?=;|\Z)'
)
_NAME_FOLLOWS: Final = re.compile(f"({TCHAR}++)[ \\t]*+=")

# RFC 822 s3.3
#   quoted-string = <"> *(qtext/quoted-pair) <">
_QUOTED: Final = re.compile(r'"((?:[^"\\]++|\\.)*+)("?+)', re.DOTALL)
_QUOTED_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)
# What people leave without quotes, and what is then left of it: to the next semicolon.
_LOOSE: Final = re.compile(r'[^ \t;"()\\]++')
_RUN: Final = re.compile(r"[^;]*+")
_LANGUAGE: Final = re.compile(r"[A-Za-z0-9\-]{0,64}+")
# What a quoted string carries as it is (RFC 2045 s5.1), without the tab, which is as good as a space to many readers
_QUOTABLE: Final = re.compile(r"[ -~]*+")

#: A boundary is compared with lines, so it is never decoded, and never cut in sections, which few readers put together.
_VERBATIM: Final = "boundary"


#: A parameter as it stands there: its name, its value without quotes, its offset, and whether it was quoted.
_Piece = tuple[str, str, int, bool]


@final
class MimeParameter(Value):
    """One parameter: ``name=value`` (RFC 2045 s5.1), with the language of the value where one is given (RFC 2231 s4).

    Raises ParseError for a name that is none, and for a value with control characters other than
    TAB or with surrogates, or of more than ``VALUE_LIMIT`` characters.
    """

    __slots__ = ("language", "name", "value")
    __match_args__ = ("name", "value", "language")

    name: str  #: In lower case.
    value: str  #: What it means: unquoted, decoded.
    language: str  #: A tag such as ``en``; empty when nothing is said, as nearly always.

    def __init__(self, name: str, value: str, language: str = "") -> None:
        name, value, language = exact(name), exact(value), exact(language)
        if not _ATTRIBUTE.fullmatch(name):
            raise ParseError("not the name of a parameter", 0, "RFC 2231 s7", name)
        found = CONTROL.search(value)
        if found:
            raise ParseError("character not allowed in a parameter", found.start(), "RFC 2045 s5.1", value)
        if len(value) > VALUE_LIMIT:
            raise ParseError(f"value of more than {VALUE_LIMIT} characters", VALUE_LIMIT, "RFC 2045 s5.1", value)
        if not _LANGUAGE.fullmatch(language):
            raise ParseError("not a language", 0, "RFC 2231 s7", language)
        assign(self, "name", name.lower())
        assign(self, "value", value)
        assign(self, "language", language)

    def __str__(self) -> str:
        name, value = self.name, self.value
        # Who reads encoded-words where there are none would change a value that looks like one.
        if self.language or not _QUOTABLE.fullmatch(value) or looks_encoded(value):
            return extended_form(name, value, self.language)
        if TOKEN.fullmatch(value):
            text = f"{name}={value}"
        else:
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            text = f'{name}="{escaped}"'
        if len(text) <= PIECE_LENGTH or name == _VERBATIM:
            return text
        units = ["\\" + character if character in '"\\' else character for character in value]
        return "; ".join(f'{name}*{number}="{part}"' for number, part in enumerate(pack(name, units)))


_new_parameter = MimeParameter.__new__
_set_name, _set_value = setter(MimeParameter, "name"), setter(MimeParameter, "value")
_set_language = setter(MimeParameter, "language")


def _make_parameter(name: str, value: str, language: str) -> MimeParameter:
    """A parameter from parts that were checked already."""
    made = _new_parameter(MimeParameter)
    _set_name(made, name)
    _set_value(made, value)
    _set_language(made, language)
    return made


@final
class MimeParameters(Value):
    """Parameters by name, in their order, each name once.

    Built from a mapping, from pairs, or from MimeParameter objects. Two are equal when they have
    the same parameters: "the ordering of parameters is not significant" (RFC 2045 s5.1).

    Raises ParseError for a name given twice, for more than ``PARAMETER_LIMIT`` parameters, and as
    :class:`~smtpcore.message.parameters.MimeParameter` does.
    """

    __slots__ = ("_by_name", "defects")
    __match_args__ = ("parameters",)

    _by_name: dict[str, MimeParameter]
    defects: tuple[Defect, ...]  #: What ``read`` let through, in order of position.

    def __init__(self, parameters: Mapping[str, str] | Iterable[MimeParameter | tuple[str, str]] = ()) -> None:
        by_name: dict[str, MimeParameter] = {}
        if isinstance(parameters, Mapping):
            parameters = cast("Mapping[str, str]", parameters).items()
        for given in parameters:
            parameter = given if isinstance(given, MimeParameter) else MimeParameter(*given)
            if parameter.name in by_name:
                raise ParseError("parameter given twice", 0, "RFC 2045 s5.1", parameter.name)
            by_name[parameter.name] = parameter
        if len(by_name) > PARAMETER_LIMIT:
            raise ParseError(f"more than {PARAMETER_LIMIT} parameters", 0, "RFC 2045 s5.1")
        assign(self, "_by_name", by_name)
        assign(self, "defects", ())

    @classmethod
    def parse(cls, text: str, tolerance: Tolerance | None = None) -> MimeParameters:
        """Read ``name=value; name=value``. Raises ParseError."""
        tolerance = tolerance or Tolerance()
        return parse_parameters(cleaned(text, tolerance), 0, tolerance, bare=True)[0]

    @classmethod
    def read(cls, text: str) -> MimeParameters:
        """What can be understood of ``name=value; name=value``, for any text at all."""
        tolerance = Tolerance(LAX)
        found = cls.parse(text, tolerance)
        assign(found, "defects", in_order(tolerance))
        return found

    @property
    def parameters(self) -> tuple[MimeParameter, ...]:
        """All of them, in their order."""
        return tuple(self._by_name.values())

    def get(self, name: str, default: str | None = None) -> str | None:
        """The value of that name, whatever its case."""
        found = self._by_name.get(name.lower())
        return found.value if found else default

    def __getitem__(self, name: str) -> str:
        return self._by_name[name.lower()].value

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._by_name

    def __iter__(self) -> Iterator[MimeParameter]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def with_value(self, name: str, value: str, language: str = "") -> MimeParameters:
        """The same with that value of that name, in its place or at the end. Raises ParseError."""
        new = MimeParameter(name, value, language)
        return MimeParameters({**self._by_name, new.name: new}.values())

    def without(self, name: str) -> MimeParameters:
        """The same without that name."""
        return MimeParameters([parameter for parameter in self if parameter.name != name.lower()])

    def __str__(self) -> str:
        return "; ".join(map(str, self._by_name.values()))

    def __eq__(self, other: object) -> bool:
        return self._by_name == other._by_name if isinstance(other, MimeParameters) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self._by_name.values()))


_new_parameters = MimeParameters.__new__
_set_by_name, _set_defects = setter(MimeParameters, "_by_name"), setter(MimeParameters, "defects")


def parse_parameters(text: str, pos: int, tolerance: Tolerance, *, bare: bool = False) -> tuple[MimeParameters, int]:
    """``*(";" parameter)`` from ``pos`` to the end of the text, which must be clean.

    With ``bare`` no semicolon is wanted before the first.
    """
    found: dict[str, Pieces | _Piece] = {}
    size = len(text)
    while pos < size:
        plain = _PLAIN.match(text, pos)
        if plain:
            name, value = plain[1].lower(), plain[2] or plain[3] or ""
            pos = plain.end()
            piece = (name, value, plain.start(1), plain[2] is None)
            if name not in found and len(found) < PARAMETER_LIMIT:
                found[name] = piece
                continue
        else:
            taken, pos = _parse_piece(text, pos, tolerance, bare)
            bare = False
            if taken is None:
                continue
            piece = taken
        _add(found, piece, tolerance, text)
    by_name: dict[str, MimeParameter] = {}
    for name, said in found.items():
        made = _finish(name, said, tolerance, text)
        if made is not None:
            by_name[name] = made
    parameters = _new_parameters(MimeParameters)
    _set_by_name(parameters, by_name)
    _set_defects(parameters, ())
    return parameters, pos


def _add(found: dict[str, Pieces | _Piece], piece: _Piece, tolerance: Tolerance, text: str) -> None:
    """Put a piece to the others of its name."""
    name, value, where, quoted = piece
    name, star, suffix = name.lower().partition("*")
    if not _ATTRIBUTE.fullmatch(name):
        tolerance.permit(LAX, "not the name of a parameter", where, "RFC 2231 s7", text)
        return
    pieces = found.get(name)
    if pieces is None and len(found) >= PARAMETER_LIMIT:
        tolerance.permit(LAX, f"more than {PARAMETER_LIMIT} parameters", where, "RFC 2045 s5.1", text)
        return
    if not isinstance(pieces, Pieces):
        held, pieces = pieces, Pieces(where)
        if held is not None:
            pieces = Pieces(held[2])
            pieces.add(None, *held[1:])
    problem = pieces.add(suffix if star else None, value, where, quoted)
    if problem:
        rule = "RFC 2231 s3" if star else "RFC 2045 s5.1"
        tolerance.permit(LAX, problem, where, rule, text)
    found[name] = pieces


def _finish(name: str, said: Pieces | _Piece, tolerance: Tolerance, text: str) -> MimeParameter | None:
    if isinstance(said, Pieces):
        assembled = said.assemble(tolerance, text)
        if assembled is None:
            return None
        value, language, extended = assembled
        where = said.where
    else:
        _, value, where, _ = said
        language, extended = "", False
    if "=?" in value and not extended and tolerance.level is LAX and name != _VERBATIM and looks_encoded(value):
        # RFC 2047 s5: "An 'encoded-word' MUST NOT be used in parameter of a MIME Content-Type or Content-Disposition"
        tolerance.permit(LAX, f"encoded-word in the parameter {name[:40]}", where, "RFC 2047 s5", text)
        value = decode_words(value)
    if not value.isascii() or not value.isprintable():
        control = CONTROL.search(value)
        if control:
            tolerance.permit(LAX, f"control character in the parameter {name[:40]}", where, "RFC 2045 s5.1", text)
            value = CONTROL.sub("\ufffd", value)
    if len(value) > VALUE_LIMIT:
        tolerance.permit(LAX, f"value of more than {VALUE_LIMIT} characters", where, "RFC 2045 s5.1", text)
        value = value[:VALUE_LIMIT]
    return _make_parameter(name, value, language)


def _parse_piece(text: str, pos: int, tolerance: Tolerance, bare: bool) -> tuple[_Piece | None, int]:
    """One parameter with all that may stand around it, or what stands in its place; always at least a character."""
    size, start = len(text), pos
    pos = skip_softly(text, pos)
    if pos == size:
        return None, pos
    if pos < 0:
        tolerance.permit(LAX, "comment without an end", start, "RFC 5322 s3.2.2", text)
        return None, size
    if text[pos] == ";":
        start = pos
        pos = skip_softly(text, pos + 1)
        if pos < 0:
            tolerance.permit(LAX, "comment without an end", start, "RFC 5322 s3.2.2", text)
            return None, size
        if pos == size or text[pos] == ";":
            tolerance.permit(INTEROP, "semicolon without a parameter", start, "RFC 2045 s5.1", text)
            return None, pos
    elif bare:
        pass
    elif _NAME_FOLLOWS.match(text, pos):
        tolerance.permit(LAX, "no semicolon before the parameter", pos, "RFC 2045 s5.1", text)
    else:
        tolerance.permit(LAX, "text that is no parameter", pos, "RFC 2045 s5.1", text)
        return None, skip_junk(text, pos)
    name = TOKEN.match(text, pos)
    equals = skip_softly(text, name.end()) if name else -1
    if not name or text[equals : equals + 1] != "=" or equals < 0:
        tolerance.permit(LAX, "not a parameter with a value", pos, "RFC 2045 s5.1", text)
        return None, skip_junk(text, pos)
    value, quoted, end = _parse_value(text, equals + 1, tolerance)
    return (name[0], value, pos, quoted), end


def _parse_value(text: str, start: int, tolerance: Tolerance) -> tuple[str, bool, int]:
    """``token / quoted-string``, or all up to the semicolon; whether it was quoted."""
    pos, size = skip_softly(text, start), len(text)
    if pos < 0:
        pos = start
    quoted = _QUOTED.match(text, pos)
    if quoted:
        if not quoted[2]:
            tolerance.permit(LAX, "quoted string without an end", pos, "RFC 822 s3.3", text)
        return _QUOTED_PAIR.sub(r"\1", quoted[1]), True, quoted.end() if quoted[2] else size
    token = TOKEN.match(text, pos)
    if token:
        end = skip_softly(text, token.end())
        if end == size or (text[end : end + 1] == ";" and end >= 0):
            return token[0], False, end
        if end > token.end() and _NAME_FOLLOWS.match(text, end):
            return token[0], False, end  # a semicolon is missing, as will be seen
    loose = _LOOSE.match(text, pos)
    if loose:
        end = skip_softly(text, loose.end())
        if end == size or (text[end : end + 1] == ";" and end >= 0):
            tolerance.permit(INTEROP, "value that needs quotes", pos, "RFC 2045 s5.1", text)
            return loose[0], False, end
    run = _RUN.match(text, pos)
    value = run[0].rstrip(" \t") if run else ""
    why = "value that needs quotes" if value else "parameter without a value"
    tolerance.permit(LAX, why, pos, "RFC 2045 s5.1", text)
    return value, False, run.end() if run else pos
