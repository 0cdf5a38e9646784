"""AutoSubmitted: whether a person wrote a message, or a program did (RFC 3834 s5)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, final

from ..errors import ParseError
from ..wire.tolerance import LAX, Defect, Tolerance
from ..wire.value import Value, assign, exact
from .cfws import skip_cfws
from .trace import without_controls

__all__ = ["AutoSubmitted"]

#: RFC 3834 s5; ``auto-notified`` is from RFC 5436 s2.7.1.
KEYWORDS: Final = frozenset(["no", "auto-generated", "auto-replied", "auto-notified"])

# RFC 3834 s5.2
#   auto-submitted-field     = "Auto-Submitted:" [CFWS] auto-submitted [CFWS] CRLF
#   auto-submitted           = ( "no" / "auto-generated" / "auto-replied" / extension ) opt-parameter-list
#   extension                = token
#   opt-parameter-list       = *( [CFWS] ";" [CFWS] parameter )
# RFC 2045 s5.1
#   parameter = attribute "=" value
#   value     = token / quoted-string
#   token     = 1*<any (US-ASCII) CHAR except SPACE, CTLs, or tspecials>
TOKEN: Final = r"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]++"
_token: Final = re.compile(TOKEN)
_quoted: Final = re.compile(r'"((?:[^"\\\x00-\x08\x0a-\x1f\x7f]++|\\[^\x00-\x08\x0a-\x1f\x7f])*+)"')
_PAIR: Final = re.compile(r"\\(.)")


@final
class AutoSubmitted(Value):
    """The body of an Auto-Submitted field: ``auto-replied``, with parameters as a rule none.

    A message that is ``is_automatic`` gets no automatic answer (RFC 3834 s2).
    """

    __slots__ = ("defects", "keyword", "parameters")
    __match_args__ = ("keyword", "parameters")

    keyword: str  #: In lower case; empty where there was none to read.
    parameters: tuple[tuple[str, str], ...]  #: Names in lower case, and values, in their order.
    defects: tuple[Defect, ...]  #: What was let through when it was read.

    def __init__(self, keyword: str, parameters: Iterable[tuple[str, str]] = ()) -> None:
        pairs = tuple([(exact(name).lower(), exact(value)) for name, value in parameters])
        _fill(self, exact(keyword).lower(), pairs, ())
        # What it is written as has to be what it is.
        if AutoSubmitted.parse(str(self)) != self:
            raise ParseError("not what can be written", 0, "RFC 3834 s5.2", str(self))

    @classmethod
    def parse(cls, text: str, tolerance: Tolerance | None = None) -> AutoSubmitted:
        """Read the body of an Auto-Submitted field. Raises ParseError."""
        tolerance = tolerance or Tolerance()
        text = without_controls(text, tolerance)
        pos = skip_cfws(text, 0)
        keyword, pos = parse_token(text, pos, "RFC 3834 s5.2")
        parameters, pos = _parse_parameters(text, pos, tolerance)
        if pos != len(text):
            tolerance.permit(LAX, "text after the keyword", pos, "RFC 3834 s5.2", text)
        found = cls.__new__(cls)
        _fill(found, keyword.lower(), tuple(parameters), tuple(tolerance.defects))
        return found

    @classmethod
    def read(cls, text: str) -> AutoSubmitted:
        """The same for any text at all: never raises."""
        tolerance = Tolerance(LAX)
        try:
            return cls.parse(text, tolerance)
        except ParseError as error:
            found = cls.__new__(cls)
            _fill(found, "", (), (*tolerance.defects, Defect(error.rule, error.why, error.where)))
            return found

    @property
    def is_automatic(self) -> bool:
        """Whether a program sent it: all but ``no``, also what nobody has heard of (RFC 3834 s5)."""
        # RFC 3834 s2: any value but "no" keeps a responder silent
        return self.keyword != "no"

    @property
    def is_registered(self) -> bool:
        """Whether IANA knows the keyword."""
        return self.keyword in KEYWORDS

    def __str__(self) -> str:
        return "; ".join([self.keyword] + [f"{name}={write_value(value)}" for name, value in self.parameters])


def _fill(
    found: AutoSubmitted, keyword: str, parameters: tuple[tuple[str, str], ...], defects: tuple[Defect, ...]
) -> None:
    assign(found, "keyword", keyword)
    assign(found, "parameters", parameters)
    assign(found, "defects", defects)


def _parse_parameters(text: str, pos: int, tolerance: Tolerance) -> tuple[list[tuple[str, str]], int]:
    found: list[tuple[str, str]] = []
    pos = end = skip_cfws(text, pos)
    try:
        while text.startswith(";", pos):
            name, pos = parse_token(text, skip_cfws(text, pos + 1), "RFC 2045 s5.1")
            if not text.startswith("=", pos):
                raise ParseError("expected = after the name of a parameter", pos, "RFC 2045 s5.1", text)
            value, pos = parse_value(text, pos + 1, "RFC 2045 s5.1")
            found.append((name.lower(), value))
            pos = end = skip_cfws(text, pos)
    except ParseError as error:
        tolerance.permit(LAX, error.why, error.where, error.rule, text)
        return found, len(text)
    return found, end


def parse_token(text: str, pos: int, rule: str) -> tuple[str, int]:
    """``token`` of RFC 2045 s5.1 at ``pos``."""
    found = _token.match(text, pos)
    if not found:
        raise ParseError("expected a token", pos, rule, text)
    return found[0], found.end()


def parse_value(text: str, pos: int, rule: str) -> tuple[str, int]:
    """``value`` of RFC 2045 s5.1 at ``pos``, without its quotes."""
    found = _quoted.match(text, pos)
    if found:
        return _PAIR.sub(r"\1", found[1]), found.end()
    return parse_token(text, pos, rule)


def write_value(value: str) -> str:
    """``value`` as a token, or in quotes where it is none."""
    if _token.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
