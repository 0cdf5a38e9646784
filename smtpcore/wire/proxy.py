"""ProxyHeader: what a proxy says of the client that it speaks for, before the client's first octet.

This is the PROXY protocol of HAProxy, as text (version 1) and in binary (version 2); "PROXY s2.1" refers to a section
of its specification, haproxy's ``doc/proxy-protocol.txt``. Whoever may send such a header can claim to be anybody: it
is for the reader's owner to know from whom to take it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final, TypeAlias, final

from ..errors import ParseError
from .crc32c import crc32c
from .value import Value, assign, exact

__all__ = ["LOCAL", "Endpoint", "ProxyFamily", "ProxyHeader", "ProxyTls", "ProxyTlv"]

#: PROXY s2.2: what a header of version 2 begins with; no SMTP server takes it for a command.
SIGNATURE: Final = b"\r\n\r\n\0\r\nQUIT\n"
#: Octets of a header of version 2 before its addresses.
FIXED: Final = 16
#: PROXY s2.1: octets of the longest line, with CRLF.
LINE_LIMIT: Final = 107
#: Octets of the path of a unix socket.
PATH: Final = 108

# PROXY s2.2
ALPN: Final = 0x01
AUTHORITY: Final = 0x02
CRC32C: Final = 0x03
NOOP: Final = 0x04
UNIQUE_ID: Final = 0x05
SSL: Final = 0x20
NETNS: Final = 0x30
#: PROXY s2.2.5: octets
_UNIQUE_ID_LIMIT: Final = 128

#: A host and a port; or, for a unix socket, its path.
Endpoint: TypeAlias = tuple[str, int] | bytes


class ProxyFamily(Enum):
    """What kind of connection the client has to the proxy (PROXY s2.2)."""

    UNKNOWN = 0x00
    TCP4 = 0x11
    UDP4 = 0x12
    TCP6 = 0x21
    UDP6 = 0x22
    UNIX_STREAM = 0x31
    UNIX_DATAGRAM = 0x32


_IPV4: Final = frozenset((ProxyFamily.TCP4, ProxyFamily.UDP4))
_IPV6: Final = frozenset((ProxyFamily.TCP6, ProxyFamily.UDP6))
_UNIX: Final = frozenset((ProxyFamily.UNIX_STREAM, ProxyFamily.UNIX_DATAGRAM))
_TEXT_FAMILIES: Final = frozenset((ProxyFamily.UNKNOWN, ProxyFamily.TCP4, ProxyFamily.TCP6))


@final
class ProxyTlv(Value):
    """One more thing that a header of version 2 says: a type and octets. Raises ParseError for what does not fit."""

    __slots__ = ("kind", "value")
    __match_args__ = ("kind", "value")

    kind: int  #: 0 to 255, such as 0x02 for the name that the client asked for.
    value: bytes

    def __init__(self, kind: int, value: bytes) -> None:
        if type(kind) is not int or not 0 <= kind <= 0xFF:
            raise ParseError("no type of a TLV", 0, "PROXY s2.2", str(kind))
        if len(value) > 0xFFFF:
            raise ParseError("TLV longer than 65535 octets", 0xFFFF, "PROXY s2.2")
        assign(self, "kind", kind)
        assign(self, "value", bytes(memoryview(value)))

    def __bytes__(self) -> bytes:
        return bytes((self.kind, *divmod(len(self.value), 256))) + self.value


@final
class ProxyTls(Value):
    """What the proxy knows of the client's TLS, where it has ended it (PROXY s2.2.6)."""

    __slots__ = ("client", "tlvs", "verify")
    __match_args__ = ("client", "verify", "tlvs")

    client: int  #: Bits: 1 the client came by TLS, 2 with a certificate on this connection, 4 in this TLS session.
    verify: int  #: 0 where a certificate was presented and found good.
    tlvs: tuple[ProxyTlv, ...]

    def __init__(self, client: int, verify: int = 0, tlvs: Iterable[ProxyTlv] = ()) -> None:
        if type(client) is not int or type(verify) is not int or not (0 <= client <= 0xFF and 0 <= verify < 2**32):
            raise ParseError("client or verify out of range", 0, "PROXY s2.2.6", f"{client} {verify}")
        assign(self, "client", client)
        assign(self, "verify", verify)
        assign(self, "tlvs", tuple(tlvs))
        check_once(self.tlvs, frozenset(range(0x21, 0x26)), "PROXY s2.2.6")
        for tlv in self.tlvs:
            if tlv.kind in _TLS_TEXTS:
                check_text(tlv.value, "PROXY s2.2.6")

    @property
    def encrypted(self) -> bool:
        """Whether the client came by TLS."""
        return bool(self.client & 1)

    @property
    def verified(self) -> bool:
        """Whether it presented a certificate that the proxy found good."""
        return bool(self.client & 6) and not self.verify

    @property
    def version(self) -> str | None:
        """The version of TLS, such as ``TLSv1.3``."""
        return _text_of(self.tlvs, 0x21)

    @property
    def common_name(self) -> str | None:
        """The common name in the client's certificate."""
        return _text_of(self.tlvs, 0x22)

    @property
    def cipher(self) -> str | None:
        """The cipher in use."""
        return _text_of(self.tlvs, 0x23)

    def __bytes__(self) -> bytes:
        return bytes((self.client,)) + self.verify.to_bytes(4, "big") + b"".join(map(bytes, self.tlvs))


_TLS_TEXTS: Final = frozenset((0x21, 0x22, 0x23, 0x24, 0x25))
_ONCE: Final = frozenset((ALPN, AUTHORITY, UNIQUE_ID, SSL, NETNS))


@final
class ProxyHeader(Value):
    """A header of the PROXY protocol; ``bytes(header)`` is what a proxy sends.

    Raises ParseError for what the version cannot say: version 1 has TCP or an unknown family, and no TLVs.
    """

    __slots__ = ("checksum", "destination", "family", "local", "source", "tls", "tlvs", "version")
    __match_args__ = ("version", "local", "family", "source", "destination", "tlvs", "checksum")

    version: int  #: 1 or 2.
    local: bool  #: LOCAL: the proxy speaks for itself, as in its health checks, and nothing else is said (PROXY s2.2).
    family: ProxyFamily
    source: Endpoint | None  #: The client's end of its connection; None where the family is unknown.
    destination: Endpoint | None  #: The proxy's end of it.
    tlvs: tuple[ProxyTlv, ...]  #: What else it says, in order, also of types that are not known here.
    checksum: bool  #: Whether it carries a CRC-32C of itself, which then was found right.
    tls: ProxyTls | None  #: What it says of the client's TLS.

    def __init__(
        self,
        version: int,
        family: ProxyFamily = ProxyFamily.UNKNOWN,
        source: Endpoint | None = None,
        destination: Endpoint | None = None,
        tlvs: Iterable[ProxyTlv] = (),
        *,
        local: bool = False,
        checksum: bool = False,
    ) -> None:
        tlvs = tuple(tlvs)
        if version not in {1, 2}:
            raise ParseError("no version of the PROXY protocol", 0, "PROXY s2", str(version))
        if version == 1 and (family not in _TEXT_FAMILIES or tlvs or local or checksum):
            raise ParseError("version 1 has TCP4, TCP6 or UNKNOWN and nothing else", 0, "PROXY s2.1")
        if local and (family is not ProxyFamily.UNKNOWN or tlvs or checksum):
            raise ParseError("LOCAL says nothing of a client", 0, "PROXY s2.2")
        assign(self, "version", version)
        assign(self, "local", local)
        assign(self, "family", family)
        assign(self, "source", _checked_endpoint(family, source))
        assign(self, "destination", _checked_endpoint(family, destination))
        assign(self, "tlvs", tlvs)
        assign(self, "checksum", checksum)
        assign(self, "tls", _checked_tlvs(tlvs))
        if version == 2 and len(self._block()) > 0xFFFF:
            raise ParseError("header longer than 65535 octets", 0xFFFF, "PROXY s2.2")

    @property
    def authority(self) -> str | None:
        """The name that the client asked for, as a rule that of its TLS handshake (PROXY s2.2.2)."""
        return _text_of(self.tlvs, AUTHORITY)

    @property
    def alpn(self) -> bytes | None:
        """The protocol that the client negotiated in its TLS handshake (PROXY s2.2.1)."""
        return _value_of(self.tlvs, ALPN)

    @property
    def unique_id(self) -> bytes | None:
        """What the proxy calls the connection, 128 octets at most (PROXY s2.2.5)."""
        return _value_of(self.tlvs, UNIQUE_ID)

    def peer(self, actual: object) -> object:
        """Who the client of a connection from ``actual`` is: that itself, where the header names nobody else.

        A host and a port; None for the client of a unix socket. Families of datagrams say nothing of a connection.
        """
        if self.family in {ProxyFamily.TCP4, ProxyFamily.TCP6}:
            return self.source
        return None if self.family is ProxyFamily.UNIX_STREAM else actual

    def __bytes__(self) -> bytes:
        if self.version == 1:
            return self._line()
        block = self._block()
        head = SIGNATURE + bytes((0x20 if self.local else 0x21, self.family.value, *divmod(len(block), 256)))
        octets = head + block
        return octets[:-4] + crc32c(octets).to_bytes(4, "big") if self.checksum else octets

    def _line(self) -> bytes:
        source, destination = self.source, self.destination
        if not isinstance(source, tuple) or not isinstance(destination, tuple):
            return b"PROXY UNKNOWN\r\n"
        hosts = f"{_text_address(source[0])} {_text_address(destination[0])}"
        return f"PROXY {self.family.name} {hosts} {source[1]} {destination[1]}\r\n".encode("ascii")

    def _block(self) -> bytes:
        """What stands behind the fixed part, the checksum's octets at its end as zeros."""
        source, destination = self.source, self.destination
        addresses = b""
        if isinstance(source, bytes) and isinstance(destination, bytes):
            addresses = source.ljust(PATH, b"\0") + destination.ljust(PATH, b"\0")
        elif isinstance(source, tuple) and isinstance(destination, tuple):
            ports = source[1].to_bytes(2, "big") + destination[1].to_bytes(2, "big")
            addresses = _packed(source[0]) + _packed(destination[0]) + ports
        found = addresses + b"".join(map(bytes, self.tlvs))
        return found + bytes(ProxyTlv(CRC32C, bytes(4))) if self.checksum else found


# --- addresses -----------------------------------------------------------------------------------


def _checked_endpoint(family: ProxyFamily, endpoint: Endpoint | None) -> Endpoint | None:
    """``endpoint`` as it is kept. Raises ParseError for one that is not of the family."""
    if family is ProxyFamily.UNKNOWN:
        if endpoint is not None:
            raise ParseError("an address of an unknown family", 0, "PROXY s2.2")
        return None
    if family in _UNIX:
        if not isinstance(endpoint, bytes) or len(endpoint) > PATH or endpoint.endswith(b"\0"):
            raise ParseError(f"not the path of a unix socket in {PATH} octets", 0, "PROXY s2.2")
        return endpoint
    if not isinstance(endpoint, tuple) or len(endpoint) != 2:
        raise ParseError(f"{family.name} needs a host and a port at both ends", 0, "PROXY s2.2")
    host, port = endpoint
    if type(port) is not int or not 0 <= port <= 0xFFFF:
        raise ParseError("port outside 0 to 65535", 0, "PROXY s2.1", str(port))
    return (ipv4(host) if family in _IPV4 else ipv6(host)), port


_DIGIT: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_IPV4_TEXT: Final = re.compile(rf"{_DIGIT}\.{_DIGIT}\.{_DIGIT}\.{_DIGIT}")
_IPV6_TEXT: Final = re.compile(r"[0-9A-Fa-f:.]{2,45}")


def ipv4(text: str) -> str:
    """An IPv4 address. Raises ParseError."""
    # PROXY s2.1: "Heading zeroes are not permitted in front of numbers"
    if not _IPV4_TEXT.fullmatch(text):
        raise ParseError("not an IPv4 address", 0, "PROXY s2.1", text)
    return exact(text)


def ipv6(text: str) -> str:
    """An IPv6 address in the one form that sockets give it. Raises ParseError."""
    try:
        if not _IPV6_TEXT.fullmatch(text):
            raise AddressValueError
        return unpacked6(IPv6Address(text).packed)
    except AddressValueError:
        raise ParseError("not an IPv6 address", 0, "PROXY s2.1", text) from None


def unpacked6(octets: bytes) -> str:
    """The text of an IPv6 address of 16 octets."""
    address = IPv6Address(octets)
    # RFC 5952 s5; Python's own differs by version
    return str(address) if address.ipv4_mapped is None else f"::ffff:{address.ipv4_mapped}"


def _packed(host: str) -> bytes:
    return IPv6Address(host).packed if ":" in host else IPv4Address(host).packed


def _text_address(host: str) -> str:
    # PROXY s2.1: "sets of 4 hexadecimal digits", and no digits of IPv4 among them
    mapped = IPv6Address(host).ipv4_mapped if ":" in host else None
    return host if mapped is None else f"::ffff:{int(mapped) >> 16:x}:{int(mapped) & 0xFFFF:x}"


# --- more of a header ----------------------------------------------------------------------------


def _checked_tlvs(tlvs: tuple[ProxyTlv, ...]) -> ProxyTls | None:
    """What there is of TLS in them. Raises ParseError for what their types do not allow."""
    check_once(tlvs, _ONCE, "PROXY s2.2")
    tls = None
    for tlv in tlvs:
        if tlv.kind == CRC32C:
            raise ParseError("the checksum is none of the TLVs: checksum=True adds it", 0, "PROXY s2.2.3")
        if tlv.kind == AUTHORITY:
            check_text(tlv.value, "PROXY s2.2.2")
        elif tlv.kind == UNIQUE_ID and len(tlv.value) > _UNIQUE_ID_LIMIT:
            raise ParseError(f"unique ID longer than {_UNIQUE_ID_LIMIT} octets", _UNIQUE_ID_LIMIT, "PROXY s2.2.5")
        elif tlv.kind == SSL:
            if len(tlv.value) < 5:
                raise ParseError("TLV of TLS shorter than 5 octets", len(tlv.value), "PROXY s2.2.6")
            tls = ProxyTls(tlv.value[0], int.from_bytes(tlv.value[1:5], "big"), parse_tlvs(tlv.value, 5))
    return tls


def parse_tlvs(data: bytes, pos: int) -> list[ProxyTlv]:
    """The TLVs from ``pos`` to the end. Raises ParseError where the last of them does not end there."""
    found: list[ProxyTlv] = []
    while pos < len(data):
        value = pos + 3
        end = value + int.from_bytes(data[pos + 1 : value], "big")
        if value > len(data) or end > len(data):
            raise ParseError("TLV goes on behind the end of the header", pos, "PROXY s2.2")
        found.append(ProxyTlv(data[pos], data[value:end]))
        pos = end
    return found


def check_once(tlvs: tuple[ProxyTlv, ...], kinds: frozenset[int], rule: str) -> None:
    """Raise ParseError for several of one kind: programs differ in which they take."""
    known = [tlv.kind for tlv in tlvs if tlv.kind in kinds]
    if len(set(known)) != len(known):
        raise ParseError("several TLVs of one type", 0, rule)


_TEXT: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]*+")


def check_text(octets: bytes, rule: str) -> None:
    """Raise ParseError for what is no UTF-8, or has controls in it."""
    text = octets.decode("utf-8", "surrogateescape")
    if not _TEXT.fullmatch(text):
        raise ParseError("not a text in UTF-8 without controls", 0, rule, text)


def _value_of(tlvs: tuple[ProxyTlv, ...], kind: int) -> bytes | None:
    for tlv in tlvs:
        if tlv.kind == kind:
            return tlv.value
    return None


def _text_of(tlvs: tuple[ProxyTlv, ...], kind: int) -> str | None:
    value = _value_of(tlvs, kind)
    return None if value is None else value.decode("utf-8")


#: What a proxy says that speaks for itself.
LOCAL: Final = ProxyHeader(2, local=True)
