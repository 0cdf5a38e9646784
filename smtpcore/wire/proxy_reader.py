"""ProxyReader: the header of a proxy, found at the start of a stream of octets."""

from __future__ import annotations

import re
from typing import Final, NoReturn, final

from ..errors import ParseError, RemoteProtocolError
from .crc32c import crc32c
from .proxy import (
    CRC32C,
    FIXED,
    LINE_LIMIT,
    LOCAL,
    PATH,
    SIGNATURE,
    Endpoint,
    ProxyFamily,
    ProxyHeader,
    ProxyTlv,
    parse_tlvs,
    unpacked6,
)

__all__ = ["SIZE_LIMIT", "ProxyReader", "parse_proxy"]

#: Octets of a header of version 2; nginx takes as many.
SIZE_LIMIT: Final = 4096

_TEXT: Final = b"PROXY "
_NEWLINE: Final = re.compile(rb"[\r\n]")
# PROXY s2.1
#   PROXY TCP4 <source> <destination> <source port> <destination port> CRLF
#   PROXY UNKNOWN [ SP anything ] CRLF
_ADDRESSES: Final = re.compile(
    rb"PROXY (TCP[46]) ([0-9A-Fa-f:.]{2,45}) ([0-9A-Fa-f:.]{2,45}) (0|[1-9][0-9]{0,4}) (0|[1-9][0-9]{0,4})"
)
_UNKNOWN: Final = re.compile(rb"PROXY UNKNOWN(?: .*+)?+", re.DOTALL)
#: The shortest line of all: ``PROXY UNKNOWN`` and CRLF.
_LEAST: Final = 15


@final
class ProxyReader:
    """Octets in, one header out, and nothing taken that is not of it.

    ``size`` is how many octets a header of version 2 may have; a line of version 1 has 107 at most. Either version is
    taken, and must be there. A peer that sends anything else has to be cut off: from then on ``receive`` raises
    RemoteProtocolError, and what comes behind it means nothing.
    """

    __slots__ = ("_failure", "_held", "_size", "header", "unused_data")

    def __init__(self, size: int = SIZE_LIMIT) -> None:
        if not FIXED <= size <= FIXED + 0xFFFF:
            raise ValueError(f"a header has from {FIXED} to {FIXED + 0xFFFF} octets")
        self._size = size
        self._held = bytearray()
        self._failure = ""
        self.header: ProxyHeader | None = None  #: The header, once it is whole.
        self.unused_data = b""  #: The octets behind it.

    @property
    def wanted(self) -> int:
        """How many octets can be read without reading behind the header; 0 when it is whole."""
        held = self._held
        if self.header is not None:
            return 0
        if len(held) < _LEAST:
            return _LEAST - len(held)
        if held[:1] == _TEXT[:1]:
            return 1 if held[-1:] == b"\r" else 2
        if len(held) < FIXED:
            return FIXED - len(held)
        return FIXED + int.from_bytes(held[14:16], "big") - len(held)

    def receive(self, data: bytes) -> ProxyHeader | None:
        """Take octets, ``b""`` being the end of the stream; the header once it is whole, None before.

        Octets behind it are in ``unused_data``. Raises RemoteProtocolError for what is no header.
        """
        if self._failure:
            raise RemoteProtocolError(self._failure)
        if self.header is not None:
            self.unused_data += data
            return self.header
        if not data:
            self._fail(ParseError("the stream ends before the header does", len(self._held), "PROXY s2.2"))
        held = self._held
        held += data
        try:
            end = self._find_end()
            if end:
                self.header = parse_proxy(bytes(held[:end]))
                self.unused_data = bytes(held[end:])
                held.clear()
        except ParseError as error:
            self._fail(error)
        return self.header

    def _find_end(self) -> int:
        """How many octets the header has; 0 as long as that is not known."""
        held = self._held
        if held[: len(_TEXT)] == _TEXT[: len(held)]:
            return self._find_line_end()
        if held[: len(SIGNATURE)] != SIGNATURE[: len(held)]:
            where = next(i for i in range(len(held)) if not _begins(bytes(held[: i + 1])))
            raise ParseError("no PROXY header", where, "PROXY s2.2", bytes(held[: where + 1]).decode("latin-1"))
        if len(held) > 12:
            _check_command(held[12])
        if len(held) < FIXED:
            return 0
        end = FIXED + int.from_bytes(held[14:16], "big")
        if end > self._size:
            raise ParseError(f"header longer than {self._size} octets", 14, "PROXY s2.2")
        return end if len(held) >= end else 0

    def _find_line_end(self) -> int:
        held = self._held
        found = _NEWLINE.search(held, 0, LINE_LIMIT)
        if found is None or found.start() == LINE_LIMIT - 1:
            if len(held) >= LINE_LIMIT:
                raise ParseError(f"no line end within {LINE_LIMIT} octets", LINE_LIMIT, "PROXY s2.1")
            return 0
        end = found.start() + 2
        # "The receiver must not tolerate a single CR or LF character to end the line"
        if found[0] == b"\n" or bytes(held[end - 1 : end]) not in {b"\n", b""}:
            raise ParseError("a CR or LF that stands alone", found.start(), "PROXY s2.1")
        return end if len(held) >= end else 0

    def _fail(self, error: ParseError) -> NoReturn:
        self._failure = str(error)
        self._held.clear()
        raise RemoteProtocolError(self._failure) from None


def _begins(data: bytes) -> bool:
    return _TEXT.startswith(data) or SIGNATURE.startswith(data)


def _check_command(octet: int) -> None:
    if octet >> 4 != 2:
        raise ParseError("version that is not 2", 12, "PROXY s2.2", f"{octet:#x}")
    if octet & 0xF > 1:
        raise ParseError("command that is neither LOCAL nor PROXY", 12, "PROXY s2.2", f"{octet:#x}")


def parse_proxy(data: bytes) -> ProxyHeader:
    """The header that ``data`` is, in either version. Raises ParseError."""
    if data[:1] == _TEXT[:1]:
        return _parse_line(data)
    if data[:12] != SIGNATURE or len(data) < FIXED or len(data) != FIXED + int.from_bytes(data[14:16], "big"):
        raise ParseError("no PROXY header, or part of one", 0, "PROXY s2.2")
    _check_command(data[12])
    if data[12] == 0x20:
        # "must use the real connection endpoints and discard the protocol block including the family"
        return LOCAL
    try:
        family = ProxyFamily(data[13])
    except ValueError:
        raise ParseError("no address family and transport", 13, "PROXY s2.2", f"{data[13]:#x}") from None
    source, destination, pos = _parse_addresses(family, data)
    tlvs = parse_tlvs(data, pos)
    return ProxyHeader(
        2,
        family,
        source,
        destination,
        [tlv for tlv in tlvs if tlv.kind != CRC32C],
        checksum=_is_checked(data, pos, tlvs),
    )


def _parse_line(data: bytes) -> ProxyHeader:
    line = data[:-2]
    if not data.endswith(b"\r\n") or len(data) > LINE_LIMIT or _NEWLINE.search(line):
        raise ParseError(f"not one line of {LINE_LIMIT} octets at most", 0, "PROXY s2.1")
    # "the receiver must ignore anything presented before the CRLF is found"
    if _UNKNOWN.fullmatch(line):
        return ProxyHeader(1)
    found = _ADDRESSES.fullmatch(line)
    if not found:
        raise ParseError("not a PROXY line", 0, "PROXY s2.1", line.decode("latin-1"))
    kind, source, destination, from_port, to_port = [each.decode("ascii") for each in found.groups()]
    return ProxyHeader(1, ProxyFamily[kind], (source, int(from_port)), (destination, int(to_port)))


def _parse_addresses(family: ProxyFamily, data: bytes) -> tuple[Endpoint | None, Endpoint | None, int]:
    """Both ends, and the offset behind them."""
    width = {0: 0, 1: 4, 2: 16, 3: PATH}[family.value >> 4]
    first, second, pos = FIXED, FIXED + width, FIXED + 2 * width
    end = pos + 4 if width in {4, 16} else pos
    if end > len(data):
        raise ParseError("header too short for its addresses", len(data), "PROXY s2.2")
    one, other = data[first:second], data[second:pos]
    if not width:
        return None, None, end
    if width == PATH:
        return one.rstrip(b"\0"), other.rstrip(b"\0"), end
    ports = int.from_bytes(data[pos : pos + 2], "big"), int.from_bytes(data[pos + 2 : end], "big")
    show = unpacked6 if width == 16 else _unpacked4
    return (show(one), ports[0]), (show(other), ports[1]), end


def _unpacked4(octets: bytes) -> str:
    return ".".join(map(str, octets))


def _is_checked(data: bytes, pos: int, tlvs: list[ProxyTlv]) -> bool:
    """Whether there is a checksum. Raises ParseError for one that is wrong, and for several."""
    places: list[int] = []
    for tlv in tlvs:
        if tlv.kind == CRC32C:
            places.append(pos + 3)
            if len(tlv.value) != 4:
                raise ParseError("checksum that has not 4 octets", pos, "PROXY s2.2.3")
        pos += 3 + len(tlv.value)
    if not places:
        return False
    (place, *more) = places
    if more:
        raise ParseError("several checksums", more[0], "PROXY s2.2.3")
    # "replace the 32 bits of the checksum field in the received PROXY header with all '0's"
    if crc32c(data[:place] + bytes(4) + data[place + 4 :]).to_bytes(4, "big") != data[place : place + 4]:
        raise ParseError("checksum that is not that of the header", place, "PROXY s2.2.3")
    return True
