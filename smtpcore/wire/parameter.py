"""One parameter of MAIL or RCPT, and the types that such parameters have.

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
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, Final, Generic, Protocol, TypeVar, cast, final

from ..errors import ParseError
from . import grammar
from .value import Value, assign, draft, exact

__all__ = ["Keyed", "Parameter", "ParameterType", "make_parameter", "parse_number"]

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


@final
class Parameter(Value, Generic[T]):
    """One ``keyword=value`` of MAIL or RCPT, with its value as a Python object.

    ``text`` is the value as it goes on the wire, None for a keyword that stands alone.
    """

    __slots__ = ("keyword", "value", "written")
    __match_args__ = ("keyword", "value")

    keyword: str  #: In upper case.
    value: T  #: What the text means.
    written: str  #: As it goes on the wire, behind a space.

    def __init__(self, keyword: str, value: T, text: str | None) -> None:
        name = grammar.KEYWORD.fullmatch(keyword)
        if not name:
            raise ParseError("not an ESMTP keyword", 0, "RFC 5321 s4.1.2", keyword)
        keyword = name[0].upper()
        assign(self, "keyword", keyword)
        assign(self, "value", value)
        assign(self, "written", f" {keyword}" if text is None else f" {keyword}={_checked(text)}")

    @property
    def text(self) -> str | None:
        """The value on the wire."""
        return self.written[len(self.keyword) + 2 :] or None

    def __str__(self) -> str:
        return self.written[1:]


def _checked(text: str) -> str:
    """``text``, if it can be the value of a parameter."""
    text = exact(text)
    if not grammar.VALUE.fullmatch(text) or (not text.isascii() and grammar.find_forbidden(text) >= 0):
        raise ParseError("not the value of an ESMTP parameter", 0, "RFC 5321 s4.1.2", text)
    return text


_ParameterDraft: Final = draft(Parameter)


def make_parameter(keyword: str, value: Any, text: str | None) -> Parameter[Any]:
    """A parameter from parts that have been checked already."""
    made = _ParameterDraft()
    made.keyword = keyword
    made.value = value
    made.written = f" {keyword}" if text is None else f" {keyword}={text}"
    made.__class__ = Parameter
    parameter: Parameter[Any] = made
    return parameter


@final
class ParameterType(Generic[T]):
    """A keyword, and how its value is read and written.

    ``decode`` gets the text behind ``=`` and raises ParseError when it is not valid; ``encode``
    is its inverse. A keyword that stands alone has no ``decode``: its value is True. With a ``kind``
    no value of another class can be written.

    ``plain`` is a regular expression for texts that ``decode`` is sure to read, such as what nearly everybody
    writes: they are read no sooner than somebody asks for the value. It must not match a space, which ends a
    value. Where the kind is ``str``, such a text is its own value too.

    ``usual`` are values whose parameters are made once and handed out again, such as the members of an Enum.
    """

    __slots__ = (
        "_decode",
        "_encode",
        "_kind",
        "_made",
        "_quick",
        "_quickly",
        "_sound",
        "is_plain",
        "keyword",
        "plain",
        "read_plain",
    )

    def __init__(
        self,
        keyword: str,
        decode: Callable[[str], T] | None = None,
        encode: Callable[[T], str] = str,
        *,
        kind: type[T] | None = None,
        plain: str | None = None,
        usual: Iterable[T] = (),
    ) -> None:
        if not grammar.KEYWORD.fullmatch(keyword):
            raise ParseError("not an ESMTP keyword", 0, "RFC 5321 s4.1.2", keyword)
        self.keyword: str = keyword.upper()
        self.plain = plain  #: What is sure to be read, as a regular expression.
        self._decode = decode
        self._encode = encode
        self._kind = kind
        self._sound = kind is not None and issubclass(kind, (Value, Enum))
        #: Finds out whether a text is sure to be read.
        self.is_plain = re.compile(plain).fullmatch if plain is not None else None
        # Values of this class may be written quickly: those that need not be read back to be known for right
        self._quick, self._quickly = self._find_quick_way()
        #: Reads a text that is plain.
        self.read_plain: Callable[[str], Any] = int if self._quickly is _write_count else decode or self.decode
        self._made: Mapping[Any, Parameter[T]]
        if decode is None:
            self._made = {True: make_parameter(self.keyword, True, None)}
        else:
            self._made = {value: self._make(value) for value in usual}

    def _find_quick_way(self) -> tuple[type[Any] | None, Callable[[Any], str | None]]:
        """A class, and what writes those of its values that are surely right; it gives None for others."""
        decode, encode, is_plain = self._decode, self._encode, self.is_plain
        reading, writing = cast("object", decode), cast("object", encode)
        if decode is None:
            return bool, _write_nothing
        if reading is parse_number and writing is str:
            return int, _write_count
        if self._kind is str and is_plain is not None:
            return str, lambda text: text if is_plain(text) else None
        if self._sound:
            return self._kind, lambda value: text if _is_simple(text := encode(value)) else None
        return None, _write_nothing

    def __call__(self, value: T) -> Parameter[T]:
        """A parameter with this value. Raises ParseError when the value cannot be written or read back."""
        if type(value) is not self._quick:
            return self._make(value)
        if self._made and (ready := self._made.get(value)) is not None:
            return ready
        text = self._quickly(value)
        if text is None:
            return self._make(value)
        return make_parameter(self.keyword, value, text)

    def _make(self, value: T) -> Parameter[T]:
        if self._decode is None:
            raise ParseError("takes no value", 0, "RFC 5321 s4.1.2", self.keyword)
        return make_parameter(self.keyword, value, _checked(self.encode(value)))

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


def _write_nothing(_: object) -> None:
    return None


def _write_count(number: int) -> str | None:
    return str(number) if 0 <= number <= _LARGEST else None


def _is_simple(text: str) -> bool:
    """Whether ``text`` can be the value of a parameter, seen without a pattern."""
    return text.isascii() and text.isprintable() and " " not in text and "=" not in text and text != ""


_NUMBER: Final = re.compile(r"[0-9]{1,20}")
_LARGEST: Final = 10**20 - 1


def parse_number(text: str) -> int:
    """A number of 1 to 20 ASCII digits (RFC 1870 s3). Raises ParseError."""
    if not _NUMBER.fullmatch(text):
        raise ParseError("expected 1 to 20 digits", 0, "RFC 1870 s3", text)
    return int(text)
