"""What follows the path in MAIL and RCPT: parameters, looked up by their types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any, Final, TypeVar, final

from ..errors import ParseError
from . import grammar
from .parameter import Keyed, Parameter, ParameterType, make_parameter
from .value import Value, assign, draft

__all__ = [
    "NO_PARAMETERS",
    "ParameterTypes",
    "Parameters",
    "UnknownParameter",
    "make_parameters",
    "parse_parameters",
]

T = TypeVar("T")


class UnknownParameter(ParseError):
    """A parameter whose keyword nobody registered: reply 555 (RFC 5321 s4.1.1.11)."""


@final
class Parameters(Value):
    """The parameters of one command, in their order; looked up by type, extension or keyword.

    ``parameters[SIZE]`` and ``parameters.get(SIZE)`` give the value as the type has it. A keyword
    may occur once only (RFC 5321 s4.1.1.11).
    """

    __slots__ = ("_held", "_items", "_known", "_values", "written")
    __match_args__ = ("items",)

    _held: Mapping[str, Any]  # by keyword, in order: the values; or texts that are sure to be read, empty for none
    _values: dict[str, Any]  # the same where it has the values; else those that have been read
    _known: ParameterTypes  # who reads the others; missing where there are none
    _items: tuple[Parameter[Any], ...]  # made when somebody asks, of those that were read
    written: str  #: All of them as they go on the wire, each behind a space.

    def __new__(cls, items: Iterable[Parameter[Any]] = ()) -> Parameters:
        """Raises ParseError for a keyword that occurs twice, TypeError for what is not a parameter."""
        return make_parameters(tuple(items))

    @property
    def items(self) -> tuple[Parameter[Any], ...]:
        """All parameters, in order."""
        try:
            return self._items
        except AttributeError:
            assign(self, "_items", tuple([self.parameter(keyword) for keyword in self._held]))
            return self._items

    def parameter(self, keyword: str) -> Parameter[Any]:
        """The parameter of that keyword, in upper case. Raises KeyError when it is not there."""
        text = self._held[keyword]
        if self._held is not self._values:
            return make_parameter(keyword, self._value(keyword), text or None)
        return next(item for item in self._items if item.keyword == keyword)

    @property
    def keywords(self) -> Set[str]:
        """The keyword of each, in order and in upper case."""
        return self._held.keys()

    def all_among(self, keywords: frozenset[str]) -> bool:
        """Whether the keyword of each is one of these."""
        return keywords.issuperset(self._held)

    def _value(self, keyword: str) -> Any:
        """What one that is there means."""
        values = self._values
        if keyword not in values:
            text = self._held[keyword]
            values[keyword] = self._known.read[keyword](text) if text else self._known[keyword].decode(None)
        return values[keyword]

    def get(self, key: Keyed[T]) -> T | None:
        """The value of that parameter, or None when it is not there."""
        keyword = key.keyword
        return self._value(keyword) if keyword in self._held else None

    def __getitem__(self, key: Keyed[T]) -> T:
        keyword = key.keyword
        if keyword not in self._held:
            raise KeyError(keyword)
        found: T = self._value(keyword)
        return found

    def __contains__(self, key: object) -> bool:
        keyword = key if isinstance(key, str) else getattr(key, "keyword", None)
        if not isinstance(keyword, str) or not keyword.isascii():
            return False
        return keyword.upper() in self._held

    def __iter__(self) -> Iterator[Parameter[Any]]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self._held)

    def __str__(self) -> str:
        return self.written

    def __getstate__(self) -> dict[str, Any]:
        # All of them are read before: who can read them is not for a pickle
        return {"_items": self.items, "_held": self._values, "_values": self._values, "written": self.written}


_ParametersDraft: Final = draft(Parameters)


def make_parameters(items: tuple[Parameter[Any], ...]) -> Parameters:
    """What ``Parameters`` makes of them."""
    held: dict[str, Any] = {}
    written = ""
    for item in items:
        if type(item) is not Parameter:
            raise TypeError(f"not a parameter: {item!r}; call its type with a value, as in SIZE(1200)")
        held[item.keyword] = item.value
        written += item.written
    if len(held) != len(items):
        keywords = [item.keyword for item in items]
        twice = next(keyword for keyword in keywords if keywords.count(keyword) > 1)
        raise ParseError(f"{twice} occurs twice", 0, "RFC 5321 s4.1.1.11")
    made = _ParametersDraft()
    made._items = items
    made._held = made._values = held
    made.written = written
    made.__class__ = Parameters
    parameters: Parameters = made
    return parameters


NO_PARAMETERS: Final = Parameters()


@final
class ParameterTypes(dict[str, Keyed[Any]]):
    """Who can read the parameters of one command, by their keywords."""

    __slots__ = ("alone", "plain", "read")

    def __init__(self, types: Iterable[Keyed[Any]] = ()) -> None:
        super().__init__({each.keyword: each for each in types})
        ours = [each for each in self.values() if isinstance(each, ParameterType)]
        #: What finds out whether a value is sure to be read, by keyword.
        self.plain = {each.keyword: each.is_plain for each in ours if each.is_plain is not None}
        #: What reads such a value.
        self.read = {each.keyword: each.read_plain for each in ours if each.is_plain is not None}
        #: The keywords that have none.
        self.alone = frozenset([each.keyword for each in ours if each.stands_alone])


def parse_parameters(text: str, pos: int, known: ParameterTypes) -> Parameters:
    """The parameters from ``pos`` to the end of ``text``, each one after one space.

    Raises UnknownParameter for a keyword that is not in ``known``, ParseError for anything else
    that is wrong.
    """
    if pos == len(text):
        return NO_PARAMETERS
    if text[pos] != " ":
        return _parse_slowly(text, pos, known)
    given = text[pos + 1 :].split(" ")
    held: dict[str, str] = {}
    for each in given:
        keyword, equals, value = each.partition("=")
        if equals and value and (is_plain := known.plain.get(keyword)) is not None and is_plain(value):
            held[keyword] = value
        elif not equals and keyword in known.alone:
            held[keyword] = ""
        else:
            return _parse_slowly(text, pos, known)
    if len(held) != len(given):
        return _parse_slowly(text, pos, known)
    made = _ParametersDraft()
    made._held = held
    made._values = {}
    made._known = known
    made.written = text[pos:]
    made.__class__ = Parameters
    parameters: Parameters = made
    return parameters


def _parse_slowly(text: str, pos: int, known: ParameterTypes) -> Parameters:
    items: dict[str, Parameter[Any]] = {}
    size, is_ascii = len(text), text.isascii()
    while pos < size:
        found = grammar.PARAMETER.match(text, pos + 1) if text[pos] == " " else None
        if not found:
            raise ParseError("expected a parameter", pos, "RFC 5321 s4.1.2", text)
        keyword, value = found.groups()
        keyword = keyword.upper()
        if not is_ascii and value is not None and grammar.find_forbidden(value) >= 0:
            raise ParseError("character not allowed in a parameter", found.start(2), "RFC 6531 s3.3", text)
        pos = found.end()
        # A value may be cut short by a character it cannot hold: that is an error of syntax, not a keyword.
        if pos < size and text[pos] != " ":
            raise ParseError("character not allowed in a parameter", pos, "RFC 5321 s4.1.2", text)
        kind = known.get(keyword)
        if kind is None:
            raise UnknownParameter(
                f"parameter {keyword[:32]} not recognized", found.start(), "RFC 5321 s4.1.1.11", text
            )
        if keyword in items:
            raise ParseError(f"{keyword} occurs twice", found.start(), "RFC 5321 s4.1.1.11", text)
        try:
            items[keyword] = make_parameter(keyword, kind.decode(value), value)
        except ParseError as error:
            raise ParseError(error.why, found.start() + error.where, error.rule, text) from None
    return make_parameters(tuple(items.values()))
