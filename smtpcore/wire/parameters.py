"""What follows the path in MAIL and RCPT: typed parameters, and xtext.

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
    "Parameters",
    "UnknownParameter",
    "decode_xtext",
    "encode_xtext",
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
    """

    __slots__ = ("_decode", "_encode", "_kind", "_sound", "keyword")

    def __init__(
        self,
        keyword: str,
        decode: Callable[[str], T] | None = None,
        encode: Callable[[T], str] = str,
        *,
        kind: type[T] | None = None,
    ) -> None:
        if not grammar.KEYWORD.fullmatch(keyword):
            raise ParseError("not an ESMTP keyword", 0, "RFC 5321 s4.1.2", keyword)
        self.keyword: str = keyword.upper()
        self._decode = decode
        self._encode = encode
        self._kind = kind
        self._sound = kind is not None and issubclass(kind, (Value, Enum))

    def __call__(self, value: T) -> Parameter[T]:
        """A parameter with this value. Raises ParseError when the value cannot be written or read back."""
        if self._decode is None:
            given: object = value
            if given is not True:
                raise ParseError("takes no value", 0, "RFC 5321 s4.1.2", self.keyword)
            return Parameter(self.keyword, value, None)
        return _make_parameter(self.keyword, value, _checked(self.encode(value)))

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

    __slots__ = ("_items", "_values", "written")
    __match_args__ = ("items",)

    _items: tuple[Parameter[Any], ...]  # made when somebody asks, of those that were read
    _values: Mapping[str, Any]
    written: str  #: All of them as they go on the wire, each behind a space.

    def __init__(self, items: Iterable[Parameter[Any]] = ()) -> None:
        held = tuple(items)
        seen: dict[str, str] = {}
        for item in held:
            if not isinstance(item, Parameter):
                raise TypeError(f"not a parameter: {item!r}; call its type with a value, as in SIZE(1200)")
            keyword, text = item.keyword, item.text
            if keyword in seen:
                raise ParseError(f"{keyword} occurs twice", 0, "RFC 5321 s4.1.1.11")
            seen[keyword] = f" {keyword}" if text is None else f" {keyword}={text}"
        _set_items(self, held)
        _set_values(self, {item.keyword: item.value for item in held})
        _set_written(self, "".join(seen.values()))

    @property
    def items(self) -> tuple[Parameter[Any], ...]:
        """All parameters, in order."""
        try:
            return self._items
        except AttributeError:
            made: list[Parameter[Any]] = []
            for each in self.written[1:].split(" "):
                keyword, equals, text = each.partition("=")
                made.append(_make_parameter(keyword, self._values[keyword], text if equals else None))
            _set_items(self, tuple(made))
            return self._items

    @property
    def keywords(self) -> Set[str]:
        """The keyword of each, in order and in upper case."""
        return self._values.keys()

    def get(self, key: Keyed[T]) -> T | None:
        """The value of that parameter, or None when it is not there."""
        return self._values.get(key.keyword)

    def __getitem__(self, key: Keyed[T]) -> T:
        if key not in self:
            raise KeyError(key.keyword)
        return self.get(key)  # type: ignore[return-value]  # present, so None is a value of it

    def __contains__(self, key: object) -> bool:
        keyword = key if isinstance(key, str) else getattr(key, "keyword", None)
        if not isinstance(keyword, str) or not keyword.isascii():
            return False
        return keyword.upper() in self._values

    def __iter__(self) -> Iterator[Parameter[Any]]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self._values)

    def __str__(self) -> str:
        return self.written


_set_items, _set_written = setter(Parameters, "_items"), setter(Parameters, "written")
_set_values = setter(Parameters, "_values")
NO_PARAMETERS: Final = Parameters()


def parse_parameters(text: str, pos: int, known: Mapping[str, Keyed[Any]]) -> Parameters:
    """The parameters from ``pos`` to the end of ``text``, each one after one space.

    Raises UnknownParameter for a keyword that is not in ``known``, ParseError for anything else
    that is wrong.
    """
    if pos == len(text):
        return NO_PARAMETERS
    if _PLAIN.fullmatch(text, pos):
        found = _plain_parameters(text[pos:], known)
        if found is not None:
            return found
    return _parse_slowly(text, pos, known)


# Parameters as nearly everybody writes them: keywords in upper case, all of it ASCII, and nothing wrong in the syntax.
_PLAIN: Final = re.compile(r"(?: [A-Z0-9][A-Z0-9\-]*+(?:=[!-<>-~]++)?+)++")


def _plain_parameters(written: str, known: Mapping[str, Keyed[Any]]) -> Parameters | None:
    """The same for such a text, in fewer steps; None where anything is wrong, for the other way to say what."""
    values: dict[str, Any] = {}
    pieces = written[1:].split(" ")
    try:
        for each in pieces:
            keyword, equals, text = each.partition("=")
            values[keyword] = known[keyword].decode(text if equals else None)
    except (KeyError, ParseError):
        return None
    if len(values) != len(pieces):
        return None
    parameters = _new_parameters(Parameters)
    _set_values(parameters, values)
    _set_written(parameters, written)
    return parameters


_new_parameters: Final[Callable[[type[Parameters]], Parameters]] = Parameters.__new__


def _parse_slowly(text: str, pos: int, known: Mapping[str, Keyed[Any]]) -> Parameters:
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
    _set_values(parameters, {keyword: item.value for keyword, item in items.items()})
    _set_written(parameters, "".join(written))
    return parameters


_NUMBER: Final = re.compile(r"[0-9]{1,20}")


def parse_number(text: str) -> int:
    """A number of 1 to 20 ASCII digits (RFC 1870 s3). Raises ParseError."""
    if not _NUMBER.fullmatch(text):
        raise ParseError("expected 1 to 20 digits", 0, "RFC 1870 s3", text)
    return int(text)


# RFC 3461 s4
#   xtext = *( xchar / hexchar )
#   xchar = any ASCII CHAR between "!" (33) and "~" (126) inclusive, except for "+" and "="
#   hexchar = ASCII "+" immediately followed by two upper case hexadecimal digits
_XTEXT: Final = re.compile(r"(?:[!-*,-<>-~]++|\+[0-9A-F]{2})*+")
_NOT_XCHAR: Final = re.compile(r"[^!-*,-<>-~]")
_XCHARS: Final = re.compile(r"[!-*,-<>-~]*+")


def encode_xtext(text: str) -> str:
    """Text as xtext (RFC 3461 s4); characters beyond ASCII go as UTF-8 octets.

    Raises ParseError for control characters (what carries them into an envelope means harm) and
    for lone surrogates.
    """
    if _XCHARS.fullmatch(text):
        return text
    _refuse_controls(text)
    return _NOT_XCHAR.sub(lambda found: "".join([f"+{octet:02X}" for octet in found[0].encode()]), text)


def decode_xtext(text: str) -> str:
    """The text that xtext stands for. Raises ParseError."""
    if not _XTEXT.fullmatch(text):
        raise ParseError("not xtext", 0, "RFC 3461 s4", text)
    if "+" not in text:
        return text  # xchars stand for themselves
    octets = re.sub(rb"\+([0-9A-F]{2})", lambda found: bytes.fromhex(found[1].decode()), text.encode())
    try:
        decoded = octets.decode()
    except UnicodeDecodeError as error:
        raise ParseError("not UTF-8 within xtext", error.start, "RFC 6533 s3", text) from None
    _refuse_controls(decoded)
    return decoded


# Surrogates stand for no character, and so for no octets.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def _refuse_controls(text: str) -> None:
    found = _CONTROL.search(text)
    if found:
        raise ParseError("control character within xtext", found.start(), "RFC 3461 s4", text)
