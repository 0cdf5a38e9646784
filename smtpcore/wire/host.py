"""Domain and AddressLiteral: what names a host, behind ``@`` and in HELO and EHLO."""

from __future__ import annotations

import re
from typing import Final, final

from ..errors import ParseError
from . import grammar
from .label import find_bad_label
from .tolerance import INTEROP, Tolerance
from .value import Value, assign

__all__ = ["AddressLiteral", "Domain", "parse_domain", "parse_host", "parse_literal"]

#: RFC 5321 s4.5.3.1.2: octets of a domain.
DOMAIN_LIMIT: Final = 255
#: RFC 1035 s2.3.4: octets of one label.
LABEL_LIMIT: Final = 63


@final
class Domain(Value):
    """A domain name, kept as written and compared without regard to ASCII case.

    It equals a ``str`` of the same name, so ``mailbox.domain == "hamburger.edu"`` reads as it should.

    Raises ParseError for text that RFC 5321 s4.1.2 or RFC 6531 s3.3 do not allow.
    """

    __slots__ = ("text",)
    __match_args__ = ("text",)

    text: str  #: The name as written, ASCII or with U-labels (RFC 5890), never converted.

    def __init__(self, text: str) -> None:
        found, end = parse_domain(text, 0, Tolerance())
        if end != len(text):
            raise ParseError("not a domain", end, "RFC 5321 s4.1.2", text)
        assign(self, "text", found.text)

    def __str__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        # RFC 5321 s2.4: domains are not case sensitive
        if isinstance(other, Domain):
            return _fold(self.text) == _fold(other.text)
        if isinstance(other, str):
            return _fold(self.text) == _fold(other)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(_fold(self.text))


@final
class AddressLiteral(Value):
    """An address in brackets that stands where a domain would: ``[192.0.2.1]``, ``[IPv6:2001:db8::1]``.

    RFC 5321 s4.1.3. ``tag`` is ``IPv4``, ``IPv6`` or any other registered tag.
    """

    __slots__ = ("address", "tag")
    __match_args__ = ("tag", "address")

    tag: str  #: ``IPv4``, ``IPv6``, or the tag of a general address literal.
    address: str  #: What follows the tag, as written.

    def __init__(self, tag: str, address: str) -> None:
        text = f"[{address}]" if tag == "IPv4" else f"[{tag}:{address}]"
        found, end = parse_literal(text, 0, Tolerance())
        if end != len(text) or found.tag != tag:
            raise ParseError("not an address literal", end, "RFC 5321 s4.1.3", text)
        assign(self, "tag", found.tag)
        assign(self, "address", found.address)

    def __str__(self) -> str:
        return f"[{self.address}]" if self.tag == "IPv4" else f"[{self.tag}:{self.address}]"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (AddressLiteral, str)):
            return _fold(str(self)) == _fold(str(other))
        return NotImplemented

    def __hash__(self) -> int:
        return hash(_fold(str(self)))

    @classmethod
    def parse(cls, text: str) -> AddressLiteral:
        """Read a literal with its brackets. Raises ParseError."""
        found, end = parse_literal(text, 0, Tolerance())
        if end != len(text):
            raise ParseError("text after the address literal", end, "RFC 5321 s4.1.3", text)
        return found


def make_domain(text: str) -> Domain:
    """A domain from text that a pattern has checked already."""
    found = Domain.__new__(Domain)
    assign(found, "text", text)
    return found


def parse_host(text: str, pos: int, tolerance: Tolerance) -> tuple[Domain | AddressLiteral, int]:
    """``Domain / address-literal`` at ``pos``."""
    if text[pos : pos + 1] == "[":
        return parse_literal(text, pos, tolerance)
    return parse_domain(text, pos, tolerance)


def parse_domain(text: str, pos: int, tolerance: Tolerance) -> tuple[Domain, int]:
    """``Domain`` at ``pos``, with the characters that real hosts use beyond it where tolerated."""
    strict = grammar.DOMAIN.match(text, pos)
    found = grammar.DOMAIN_LAX.match(text, pos)
    if not found:
        raise ParseError("expected a domain", pos, "RFC 5321 s4.1.2", text)
    if not strict or strict.end() != found.end():
        where = strict.end() if strict else pos
        tolerance.permit(INTEROP, "character not allowed in a domain", where, "RFC 5321 s4.1.2", text)
    name = found[0]
    if len(name) > LABEL_LIMIT:
        _check_labels(name, pos, text)
    if not name.isascii():
        bad = grammar.find_forbidden(name)
        bad = bad if bad >= 0 else find_bad_label(name)
        if bad >= 0:
            raise ParseError("not a U-label", pos + bad, "RFC 5890 s2.3.2.1", text)
    return make_domain(name), found.end()


def _check_labels(name: str, pos: int, text: str) -> None:
    if len(name.encode("utf-8", "surrogateescape")) > DOMAIN_LIMIT:
        raise ParseError(f"domain longer than {DOMAIN_LIMIT} octets", pos, "RFC 5321 s4.5.3.1.2", text)
    offset = 0
    for label in name.split("."):
        if len(label) > LABEL_LIMIT:
            raise ParseError(f"label longer than {LABEL_LIMIT} octets", pos + offset, "RFC 1035 s2.3.4", text)
        offset += len(label) + 1


# RFC 5321 s4.1.3
#   IPv4-address-literal  = Snum 3("."  Snum)
#   Snum                  = 1*3DIGIT ; a decimal integer value in the range 0 through 255
_SNUM = r"(?:25[0-5]|2[0-4][0-9]|[01]?[0-9]?[0-9])"
_IPV4: Final = re.compile(rf"{_SNUM}\.{_SNUM}\.{_SNUM}\.{_SNUM}")
# Standardized-tag = Ldh-str
_TAG: Final = re.compile(r"([A-Za-z0-9\-]*[A-Za-z0-9]):")
_IPV6_TEXT: Final = re.compile(r"[0-9A-Fa-f:.]++")


def parse_literal(text: str, pos: int, tolerance: Tolerance) -> tuple[AddressLiteral, int]:
    """``address-literal`` at ``pos``."""
    found = grammar.ADDRESS_LITERAL.match(text, pos)
    if not found:
        raise ParseError("expected an address literal", pos, "RFC 5321 s4.1.3", text)
    inner = found[1]
    tag = _TAG.match(inner)
    if not tag:
        if not _IPV4.fullmatch(inner):
            raise ParseError("not an IPv4 address", pos + 1, "RFC 5321 s4.1.3", text)
        return _make_literal("IPv4", inner), found.end()
    name, address = tag[1], inner[tag.end() :]
    if name.upper() == "IPV6":
        _check_ipv6(address, pos + 1 + tag.end(), tolerance, text)
        name = "IPv6"
    elif not address or name.upper() == "IPV4":
        # RFC 5321 s4.1.3: tags are registered, and there is none for IPv4
        raise ParseError("not an address literal", pos + 1, "RFC 5321 s4.1.3", text)
    return _make_literal(name, address), found.end()


def _make_literal(tag: str, address: str) -> AddressLiteral:
    found = AddressLiteral.__new__(AddressLiteral)
    assign(found, "tag", tag)
    assign(found, "address", address)
    return found


def _check_ipv6(address: str, pos: int, tolerance: Tolerance, text: str) -> None:
    from ipaddress import AddressValueError, IPv6Address  # noqa: PLC0415 - 3 ms that few sessions need

    try:
        if not _IPV6_TEXT.fullmatch(address):
            raise AddressValueError
        IPv6Address(address)
    except AddressValueError:
        raise ParseError("not an IPv6 address", pos, "RFC 5321 s4.1.3", text) from None
    # RFC 5321 s4.1.3: the "::" represents at least two 16-bit groups of zeros
    groups = len([group for group in address.split(":") if group]) + ("." in address)
    if "::" in address and groups > 6:
        tolerance.permit(INTEROP, ":: stands for one group only", pos, "RFC 5321 s4.1.3", text)


def _fold(text: str) -> str | bytes:
    """The form in which names are compared: without regard to the case of ASCII letters, and of no others."""
    # str.lower() would make a k of the Kelvin sign.
    return text.lower() if text.isascii() else text.encode("utf-8", "surrogatepass").lower()
