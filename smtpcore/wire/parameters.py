"""What follows the path in MAIL and RCPT: typed parameters.

A :class:`ParameterType` knows one keyword and how its value is read and written; calling it
with a value gives a :class:`Parameter`, which is what commands carry::

    >>> SIZE = ParameterType("SIZE", decode=parse_number, encode=str)
    >>> SIZE(1200)
    Parameter(keyword='SIZE', value=1200)
    >>> str(SIZE(1200))
    'SIZE=1200'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from enum import Enum
from typing import Any, Final, Generic, Protocol, TypeVar, final

from ..errors import ParseError
from . import grammar
from .value import Value, assign, exact, setter

__all__ = [
    "NO_PARAMETERS",
    "Keyed",
    "Parameter",
    "ParameterType",
    "ParameterTypes",
    "Parameters",
    "UnknownParameter",
    "parse_number",
    "parse_parameters",
]

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Keyed(Protocol[T_co]):
    """Whatever has a keyword and can read a value of it: a parameter type or an extension."""

    @property
    def keyword(self) -> str:
        """The ESMTP keyword, in upper case."""
        ...

    def decode(self, text: str | None, /) -> T_co:
        """Read the text behind the keyword; None when there is none. Raises ParseError."""
        ...


class UnknownParameter(ParseError):
    """A parameter whose keyword nobody registered: reply 555 (RFC 5321 s4.1.1.11)."""


@final
class Parameter(Value, Generic[T]):
    """One ``keyword=value`` of MAIL or RCPT, with its value as a Python object.

    ``text`` is the value as it goes on the wire, None for a keyword that stands alone.
    """

    __slots__ = ("keyword", "text", "value")
    __match_args__ = ("keyword", "value")

    keyword: str  #: In upper case.
    value: T  #: What the text means.
    text: str | None  #: The value on the wire.

    def __init__(self, keyword: str, value: T, text: str | None) -> None:
        name = grammar.KEYWORD.fullmatch(keyword)
        if not name:
            raise ParseError("not an ESMTP keyword", 0, "RFC 5321 s4.1.2", keyword)
        assign(self, "keyword", name[0].upper())
        assign(self, "value", value)
        assign(self, "text", None if text is None else _checked(text))

    def __str__(self) -> str:
        return self.keyword if self.text is None else f"{self.keyword}={self.text}"


def _checked(text: str) -> str:
    """``text``, if it can be the value of a parameter."""
    text = exact(text)
    if not grammar.VALUE.fullmatch(text) or (not text.isascii() and grammar.find_forbidden(text) >= 0):
        raise ParseError("not the value of an ESMTP parameter", 0, "RFC 5321 s4.1.2", text)
    return text


_set_keyword, _set_value, _set_text = [setter(Parameter, name) for name in ("keyword", "value", "text")]
_new_parameter: Callable[[type[Any]], Parameter[Any]] = Parameter.__new__


def _make_parameter(keyword: str, value: Any, text: str | None) -> Parameter[Any]:
    """A parameter from parts that have been checked already."""
    found = _new_parameter(Parameter)
    _set_keyword(found, keyword)
    _set_value(found, value)
    _set_text(found, text)
    return found


@final
class ParameterType(Generic[T]):
    """A keyword, and how its value is read and written.

    ``decode`` gets the text behind ``=`` and raises ParseError when it is not valid; ``encode``
    is its inverse. A keyword that stands alone has no ``decode``: its value is True. With a ``kind``
    no value of another class can be written.

    ``plain`` is a regular expression for texts that ``decode`` is sure to read, such as what nearly everybody
    writes: they are read no sooner than somebody asks for the value. It must not match a space, which ends a
    value. Where the kind is ``str``, such a text is its own value too.
    """

    __slots__ = ("_decode", "_encode", "_is_count", "_is_plain", "_kind", "_sound", "keyword", "plain")

    def __init__(
        self,
        keyword: str,
        decode: Callable[[str], T] | None = None,
        encode: Callable[[T], str] = str,
        *,
        kind: type[T] | None = None,
        plain: str | None = None,
    ) -> None:
        if not grammar.KEYWORD.fullmatch(keyword):
            raise ParseError("not an ESMTP keyword", 0, "RFC 5321 s4.1.2", keyword)
        self.keyword: str = keyword.upper()
        self.plain = plain  #: What is sure to be read, as a regular expression.
        self._decode = decode
        self._encode = encode
        self._kind = kind
        self._sound = kind is not None and issubclass(kind, (Value, Enum))
        # Values that need not be read back to be known for right: numbers, sound ones, and texts that are their own
        counting: object = decode
        writing: object = encode
        self._is_count = counting is parse_number and writing is str
        self._is_plain = re.compile(plain).fullmatch if plain is not None and (self._sound or kind is str) else None

    def __call__(self, value: T) -> Parameter[T]:
        """A parameter with this value. Raises ParseError when the value cannot be written or read back."""
        if self._decode is None:
            given: object = value
            if given is not True:
                raise ParseError("takes no value", 0, "RFC 5321 s4.1.2", self.keyword)
            return Parameter(self.keyword, value, None)
        known: Any = value
        if self._is_count:
            if type(known) is int and 0 <= known <= _LARGEST:
                return _make_parameter(self.keyword, known, str(known))
        elif self._is_plain is not None:
            if type(known) is self._kind:
                text: Any = known if self._kind is str else self._encode(known)
                if self._is_plain(text):
                    return _make_parameter(self.keyword, known, text)
        return _make_parameter(self.keyword, value, _checked(self.encode(value)))

    @property
    def stands_alone(self) -> bool:
        """Whether the keyword has no value."""
        return self._decode is None

    def encode(self, value: T) -> str:
        """The text for this value. Raises ParseError when reading it would not give the value back.

        Raises TypeError for a value of another kind, where the kind is known.
        """
        if self._kind is not None and type(value) is not self._kind:
            raise TypeError(f"a value of {self.keyword} is a {self._kind.__name__}, not {type(value).__name__}")
        text = self._encode(value)
        if self._sound:
            return text  # such a value cannot be wrong
        # What cannot be read back cannot be right: True for a number, a control character, another type.
        if self._decode is None or self._encode(self._decode(text)) != text:
            raise ParseError(f"not a value of {self.keyword}", 0, "RFC 5321 s4.1.2", text)
        return text

    def decode(self, text: str | None, /) -> T:
        """Read the text behind the keyword; None when there is none. Raises ParseError."""
        if self._decode is None:
            if text is not None:
                raise ParseError(f"{self.keyword} takes no value", 0, "RFC 5321 s4.1.2", text)
            return True  # type: ignore[return-value]  # a keyword without a decoder is a ParameterType[bool]
        if text is None:
            raise ParseError(f"{self.keyword} needs a value", 0, "RFC 5321 s4.1.2")
        return self._decode(text)

    def __repr__(self) -> str:
        return f"ParameterType({self.keyword!r})"


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

    def __init__(self, items: Iterable[Parameter[Any]] = ()) -> None:
        given = tuple(items)
        held: dict[str, Any] = {}
        written = ""
        for item in given:
            if type(item) is not Parameter:
                raise TypeError(f"not a parameter: {item!r}; call its type with a value, as in SIZE(1200)")
            keyword, text = item.keyword, item.text
            if keyword in held:
                raise ParseError(f"{keyword} occurs twice", 0, "RFC 5321 s4.1.1.11")
            held[keyword] = item.value
            written += f" {keyword}" if text is None else f" {keyword}={text}"
        _set_items(self, given)
        _set_held(self, held)
        _set_values(self, held)
        _set_written(self, written)

    @property
    def items(self) -> tuple[Parameter[Any], ...]:
        """All parameters, in order."""
        try:
            return self._items
        except AttributeError:
            _set_items(self, tuple([self.parameter(keyword) for keyword in self._held]))
            return self._items

    def parameter(self, keyword: str) -> Parameter[Any]:
        """The parameter of that keyword, in upper case. Raises KeyError when it is not there."""
        text = self._held[keyword]
        if self._held is not self._values:
            return _make_parameter(keyword, self._value(keyword), text or None)
        return next(item for item in self._items if item.keyword == keyword)

    @property
    def keywords(self) -> Set[str]:
        """The keyword of each, in order and in upper case."""
        return self._held.keys()

    def _value(self, keyword: str) -> Any:
        """What one that is there means."""
        values = self._values
        if keyword not in values:
            values[keyword] = self._known[keyword].decode(self._held[keyword] or None)
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


_set_items, _set_written = setter(Parameters, "_items"), setter(Parameters, "written")
_set_held, _set_values = setter(Parameters, "_held"), setter(Parameters, "_values")
_set_known = setter(Parameters, "_known")
_new_parameters: Final[Callable[[type[Parameters]], Parameters]] = Parameters.__new__
NO_PARAMETERS: Final = Parameters()


@final
class ParameterTypes(dict[str, Keyed[Any]]):
    """Who can read the parameters of one command, by their keywords."""

    __slots__ = ("plain",)

    def __init__(self, types: Iterable[Keyed[Any]] = ()) -> None:
        super().__init__({each.keyword: each for each in types})
        plain = [
            each.keyword if each.stands_alone else f"{each.keyword}=(?=[^ ])(?:{each.plain})"
            for each in self.values()
            if isinstance(each, ParameterType) and (each.stands_alone or each.plain is not None)
        ]
        #: Finds out whether a text is made of such parameters alone as are sure to be read.
        self.plain = re.compile(f"(?: (?:{'|'.join(plain)}))++").fullmatch if plain else None


def parse_parameters(text: str, pos: int, known: ParameterTypes) -> Parameters:
    """The parameters from ``pos`` to the end of ``text``, each one after one space.

    Raises UnknownParameter for a keyword that is not in ``known``, ParseError for anything else
    that is wrong.
    """
    if pos == len(text):
        return NO_PARAMETERS
    if known.plain is not None and known.plain(text, pos):
        written = text[pos:]
        held = dict(_PAIRS(written))
        if len(held) == written.count(" "):
            parameters = _new_parameters(Parameters)
            _set_held(parameters, held)
            _set_values(parameters, {})
            _set_known(parameters, known)
            _set_written(parameters, written)
            return parameters
    return _parse_slowly(text, pos, known)


_PAIRS: Final = re.compile(" ([^ =]++)(?:=([^ ]++))?+").findall


def _parse_slowly(text: str, pos: int, known: ParameterTypes) -> Parameters:
    items: dict[str, Parameter[Any]] = {}
    written: list[str] = []
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
            items[keyword] = _make_parameter(keyword, kind.decode(value), value)
        except ParseError as error:
            raise ParseError(error.why, found.start() + error.where, error.rule, text) from None
        written.append(f" {keyword}" if value is None else f" {keyword}={value}")
    parameters = Parameters.__new__(Parameters)
    _set_items(parameters, tuple(items.values()))
    held = {keyword: item.value for keyword, item in items.items()}
    _set_held(parameters, held)
    _set_values(parameters, held)
    _set_written(parameters, "".join(written))
    return parameters


_NUMBER: Final = re.compile(r"[0-9]{1,20}")
_LARGEST: Final = 10**20 - 1


def parse_number(text: str) -> int:
    """A number of 1 to 20 ASCII digits (RFC 1870 s3). Raises ParseError."""
    if not _NUMBER.fullmatch(text):
        raise ParseError("expected 1 to 20 digits", 0, "RFC 1870 s3", text)
    return int(text)
