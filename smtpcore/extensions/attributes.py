"""What XCLIENT and XFORWARD have in common: attributes of a client, each with its value in xtext."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, ClassVar, Final, Self, TypeAlias, final

from ..errors import ParseError
from ..wire.host import AddressLiteral
from ..wire.line import encode_line
from ..wire.parameter import ParameterType
from ..wire.parameters import ParameterTypes, UnknownParameter, parse_parameters
from ..wire.reply import Reply
from ..wire.tolerance import Tolerance
from ..wire.value import assign
from ..wire.vocabulary import Command, Vocabulary
from ..wire.xtext import decode_xtext, encode_xtext
from .extension import SessionView

__all__ = ["AttributeCommand", "Attributes", "Unavailable", "attribute_list", "check_attributes", "in_xtext"]

#: XCLIENT_README: octets of a line with its CRLF, as of any command of RFC 5321; more goes in several commands.
LINE_LIMIT: Final = 512
#: Characters of one value.
VALUE_LIMIT: Final = 255


@final
class Unavailable(Enum):
    """What stands in place of a value that nobody has."""

    UNAVAILABLE = "[UNAVAILABLE]"  #: There is none, or it is not known.
    TEMPUNAVAIL = "[TEMPUNAVAIL]"  #: It could not be found out for now; of a name alone.


_UNAVAILABLE: Final = {member.value: member for member in Unavailable}

#: How each attribute travels, by the name of the field that holds its value.
Attributes: TypeAlias = Mapping[str, ParameterType[Any]]


class AttributeCommand(Command):
    """A command that is made of attributes. A field that the command says nothing of is None."""

    __slots__ = ()
    attributes: ClassVar[Attributes]

    def __init__(self, **values: Any) -> None:
        super().__init__()
        if not any(value is not None for value in values.values()):
            raise ParseError(f"{self.verb} needs an attribute", 0, f"{self.verb}_README")
        for field, kind in self.attributes.items():
            value = values.get(field)
            if value is not None:
                read = kind.decode(kind(value).text)
                if read != value or type(read) is not type(value):
                    raise ParseError(f"not a value of {kind.keyword}", 0, f"{self.verb}_README", str(value))
            assign(self, field, value)

    def arguments(self) -> str:
        """The attributes, each behind a space."""
        said = [(kind, getattr(self, field)) for field, kind in self.attributes.items()]
        return "".join([f" {kind(value)}" for kind, value in said if value is not None])

    def encode(self) -> bytes:
        """The line as octets, with CRLF. Raises ParseError beyond 512 of them: say it in several commands."""
        octets = encode_line(self.verb + self.arguments())
        if len(octets) > LINE_LIMIT:
            raise ParseError(f"{self.verb} longer than {LINE_LIMIT} octets", LINE_LIMIT, f"{self.verb}_README")
        return octets

    @classmethod
    def parse_arguments(cls, text: str | None, vocabulary: Vocabulary, tolerance: Tolerance) -> Self:
        """``1*( SP attribute-name "=" attribute-value )``."""
        try:
            found = parse_parameters(f" {text or ''}", 0, ParameterTypes(cls.attributes.values()))
        except UnknownParameter as error:
            raise ParseError("attribute not known", error.where - 1, f"{cls.verb}_README", text or "") from None
        except ParseError as error:
            error.where = max(error.where - 1, 0)
            raise
        return cls(**{field: found.get(kind) for field, kind in cls.attributes.items()})

    @property
    def keywords(self) -> tuple[str, ...]:
        """The names of the attributes that it has."""
        return tuple([kind.keyword for field, kind in self.attributes.items() if getattr(self, field) is not None])

    def over(self, earlier: Self | None) -> Self:
        """What both say together; of what they both say, this counts."""
        if earlier is None:
            return self
        values = {field: getattr(self, field) for field in self.attributes}
        return type(self)(**{field: getattr(earlier, field) if own is None else own for field, own in values.items()})


def in_xtext(
    keyword: str,
    read: Callable[[str], Any] = str,
    write: Callable[[Any], str] = str,
    *unavailable: Unavailable,
) -> ParameterType[Any]:
    """An attribute whose value travels as xtext (RFC 3461 s4), or in brackets where it is one of ``unavailable``."""

    def decode(text: str) -> Any:
        shown = decode_xtext(text)
        found = _UNAVAILABLE.get(shown.upper()) if shown.isascii() else None
        if found is not None and found in unavailable:
            return found
        if not 1 <= len(shown) <= VALUE_LIMIT:
            raise ParseError(f"a value has 1 to {VALUE_LIMIT} characters", 0, "RFC 3461 s4", text)
        return read(shown)

    def encode(value: Any) -> str:
        return encode_xtext(value.value if isinstance(value, Unavailable) else write(value))

    return ParameterType(keyword, decode, encode)


# What is special in a header, where such a value may come to stand.
_TOKEN: Final = re.compile(r"[!#-'*+\--:=?A-\[\]-~]++")
_PORT: Final = re.compile(r"[0-9]{1,5}+")


def read_token(text: str) -> str:
    """Printable ASCII without what is special in a header. Raises ParseError."""
    if not _TOKEN.fullmatch(text):
        raise ParseError("character not allowed in an attribute", 0, "XFORWARD_README", text)
    return text


def read_port(text: str) -> int:
    """A TCP port. Raises ParseError."""
    if not _PORT.fullmatch(text) or not 1 <= int(text) <= 65_535:
        raise ParseError("not a TCP port", 0, "XCLIENT_README", text)
    return int(text)


def read_address(text: str) -> str:
    """An IP address as everybody writes it, of one that has ``IPV6:`` before it where it is such. Raises ParseError."""
    return AddressLiteral.parse(f"[{text}]").address if "[" not in text and _is_ip(text) else _no_address(text)


def _is_ip(text: str) -> bool:
    return ":" not in text or text[:5].upper() == "IPV6:"


def _no_address(text: str) -> str:
    raise ParseError("not an IP address", 0, "RFC 5321 s4.1.3", text)


def write_address(address: str) -> str:
    """The same, back."""
    return f"IPV6:{address}" if ":" in address else address


def attribute_list(keyword: str, attributes: Attributes) -> ParameterType[Sequence[str]]:
    """What stands behind the keyword in the reply to EHLO: the names of attributes that the server takes."""
    known = frozenset([kind.keyword for kind in attributes.values()])

    def encode(names: Sequence[str]) -> str:
        for name in names:
            if name not in known:
                raise ParseError(f"no attribute of {keyword}", 0, f"{keyword}_README", name)
        return " ".join(names)

    def decode(text: str) -> Sequence[str]:
        return tuple([name.upper() for name in text.split(" ") if name.isascii() and name])

    return ParameterType(keyword, decode, encode)


def check_attributes(session: SessionView, command: AttributeCommand, offered: Sequence[str] | None) -> Reply | None:
    """What XCLIENT and XFORWARD are refused for."""
    if not session.trusted:
        return Reply(550, "insufficient authorization", "5.7.0")
    if set(command.keywords) - set(offered or ()):
        return Reply(501, "attribute not offered", "5.5.4")
    return None
