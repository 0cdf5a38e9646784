"""TraceHost: who handed a message over, as a Received field tells it (RFC 5321 s4.4)."""

from __future__ import annotations

import re
from collections.abc import Container
from typing import Final, final

from ..errors import ParseError
from ..wire.host import AddressLiteral, Domain, parse_host
from ..wire.tolerance import LAX, Tolerance
from ..wire.value import Value, assign, exact
from .trace import write_comment

__all__ = ["TraceHost"]


@final
class TraceHost(Value):
    """A host of a ``from`` or ``by`` clause: what it is called, and what the server found out by itself.

    Only ``address`` and ``reverse_name`` come from the server that wrote the field; all else is hearsay.
    """

    __slots__ = ("address", "helo", "name", "reverse_name")
    __match_args__ = ("name", "helo", "reverse_name", "address")

    name: (
        Domain | AddressLiteral | str
    )  #: What the clause names; a str where that is no host, such as ``unknown host``.
    helo: str | None  #: What the client called itself in HELO or EHLO, where the field says so apart from the name.
    reverse_name: str | None  #: The name that DNS has for the address, as the server wrote it.
    address: AddressLiteral | None  #: The address of the TCP connection.

    def __init__(
        self,
        name: Domain | AddressLiteral | str,
        helo: str | None = None,
        reverse_name: str | None = None,
        address: AddressLiteral | None = None,
    ) -> None:
        assign(self, "name", name)
        assign(self, "helo", helo)
        assign(self, "reverse_name", reverse_name)
        assign(self, "address", address)


# RFC 5321 s4.4
#   TCP-info = address-literal / ( Domain FWS address-literal )
# and what is written in its place: a port, the user that IDENT gave, no space, no brackets, a remark behind it.
_INFO: Final = re.compile(r"(?:([^ \t\[\]()=]++)[ \t]*+)?\[([^\[\] \t]++)\]")
_ALONE: Final = re.compile(r"(?:([^ \t\[\]()=]++)[ \t]++)?([^ \t\[\]()=]++)")
_REMARK: Final = re.compile(r"[^\[\]()]*+\[([^\[\] \t]++)\]")
_HELO: Final = re.compile(r"(?i:helo|ehlo)[ \t=]++([^ \t]*+)")
_HELO_BEHIND: Final = re.compile(r"[ \t](?i:helo)=([^ \t]*+)")
_IPV4: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_PORT: Final = re.compile(r":[0-9]{1,5}")
_IPV6: Final = re.compile(r"[0-9A-Fa-f:]++(?:[0-9]++(?:\.[0-9]++){3})?")


def is_tcp_info(comment: str) -> bool:
    """Whether a comment begins as TCP-info does, with an address literal and perhaps a name."""
    return bool(_INFO.match(comment))


def read_host(value: str, comments: tuple[str, ...]) -> TraceHost:
    """The host of a clause that says ``value``, with these comments. Takes any text."""
    first, _, rest = value.partition(" ")
    name = _host_of(first)
    helo = reverse = None
    address = _address_of(rest) if rest else None
    for comment in comments:
        called = _HELO.match(comment)
        if called:
            helo = helo if helo is not None else called[1]
            continue
        info = _INFO.match(comment)
        if info:
            called = _HELO_BEHIND.search(comment, info.end())
            if called and helo is None:
                helo = called[1]
            if address is None:
                address = _address_of(info[2])
                reverse = reverse or _name_of(info[1])
            continue
        alone = _ALONE.fullmatch(comment)
        remark = None if alone else _REMARK.match(comment)
        if remark:
            address = address or _address_of(remark[1])
        elif alone:
            found = _address_of(alone[2])
            if found is not None:
                address = address or found
                reverse = reverse or _name_of(alone[1])
            elif not alone[1]:
                reverse = reverse or _name_of(comment)
    if helo is not None:
        # What is named in front is then what the server knows.
        if isinstance(name, AddressLiteral):
            address = address or name
        else:
            reverse = reverse or _name_of(str(name))
    return TraceHost(name, helo, reverse, address)


def _host_of(text: str) -> Domain | AddressLiteral | str:
    try:
        found, end = parse_host(text, 0, Tolerance(LAX))
    except ParseError:
        return text
    return found if end == len(text) else text


def _name_of(text: str | None) -> str | None:
    """A name of a host as DNS gives it: one that says nothing, as Postfix's ``unknown``, is none."""
    name = (text or "").rpartition("@")[2]
    return name if "." in name or name.startswith("localhost") else None


def _address_of(text: str) -> AddressLiteral | None:
    text = text.rpartition("@")[2].strip("[]")
    text = text[5:] if text[:5].upper() == "IPV6:" else text
    text = text.partition("%")[0]
    plain = _IPV4.match(text)
    tag = "IPv4" if plain else "IPv6"
    if plain:
        if plain.end() != len(text) and not _PORT.fullmatch(text, plain.end()):
            return None
        text = plain[0]
    elif ":" not in text or not _IPV6.fullmatch(text):
        return None
    try:
        return AddressLiteral(tag, text)
    except ParseError:
        return None


# --- writing -------------------------------------------------------------------------------------

_MAPPED: Final = re.compile(r"(?i:::ffff:)([0-9]{1,3}(?:\.[0-9]{1,3}){3})")
_UNSEEN: Final = re.compile(r"[^ -~]")


def from_clause(name: str, address: str | None, reverse_name: str | None, names: Container[str]) -> str:
    """``from`` with what the client said, which may be anything, and what is known of it.

    ``names`` are those of clauses, for which a host may not be taken. Raises ParseError for what is known.
    """
    literal = address_literal(address) if address else None
    info: list[str] = []
    if reverse_name:
        info.append(str(Domain(reverse_name)))
    if literal:
        info.append(str(literal))
    known = f" ({' '.join(info)})" if literal else ""
    said = ""
    try:
        host, end = parse_host(name, 0, Tolerance())
    except ParseError:
        host, end = None, -1
    if end != len(name) or not name.isascii() or name.lower() in names or (not literal and name.startswith("[")):
        # What is no name of a host stands in a comment, and no octet of it has a meaning there.
        shown = _UNSEEN.sub("?", name[:HELO_SHOWN])
        said = " " + write_comment(f"HELO {shown}")
        host = literal or Domain("unknown")
    return f"from {host}{known}{said}"


#: How much of an argument of EHLO that is no host is shown, in characters; a domain has no more (RFC 5321 s4.5.3.1.2).
HELO_SHOWN: Final = 255


def address_literal(address: str) -> AddressLiteral:
    """The literal of a peer's address as sockets give it: with a zone or not, an IPv4 address mapped to IPv6 or not."""
    address = exact(address).partition("%")[0]
    mapped = _MAPPED.fullmatch(address)
    if mapped:
        address = mapped[1]
    if ":" not in address:
        return AddressLiteral("IPv4", address)
    found = _address_of(address)
    if found is None:
        raise ParseError("not an address", 0, "RFC 5321 s4.1.3", address)
    return found
