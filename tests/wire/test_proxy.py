"""The header of the PROXY protocol: what is read, from octets put together by hand, and what is written."""

from __future__ import annotations

import pickle
import socket
import struct
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError, RemoteProtocolError
from smtpcore.wire.crc32c import crc32c
from smtpcore.wire.proxy import LOCAL, ProxyFamily, ProxyHeader, ProxyTls, ProxyTlv
from smtpcore.wire.proxy_reader import ProxyReader, parse_proxy
from tests.session.looking import all_cuts

SIGNATURE = bytes.fromhex("0D0A0D0A000D0A515549540A")
TCP4, TCP6 = ProxyFamily.TCP4, ProxyFamily.TCP6
LINE = b"PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"
#: The longest that there may be: 107 octets.
LONGEST = (
    b"PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"
)


def binary(block: bytes, *, command: int = 0x21, family: int = 0x11, length: int | None = None) -> bytes:
    return SIGNATURE + struct.pack("!BBH", command, family, len(block) if length is None else length) + block


def inet4(source: str = "192.0.2.1", target: str = "198.51.100.7", ports: tuple[int, int] = (4711, 25)) -> bytes:
    return socket.inet_aton(source) + socket.inet_aton(target) + struct.pack("!HH", *ports)


def inet6(source: str, target: str, ports: tuple[int, int] = (4711, 25)) -> bytes:
    packed = [socket.inet_pton(socket.AF_INET6, each) for each in (source, target)]
    return b"".join(packed) + struct.pack("!HH", *ports)


def tlv(kind: int, value: bytes) -> bytes:
    return struct.pack("!BH", kind, len(value)) + value


def plain_crc32c(data: bytes) -> int:
    """Bit by bit, by the book."""
    crc = 0xFFFFFFFF
    for octet in data:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def with_checksum(block: bytes, before: bytes = b"", behind: bytes = b"") -> bytes:
    octets = binary(block + before + tlv(3, bytes(4)) + behind)
    place = len(octets) - len(behind) - 4
    return octets[:place] + struct.pack("!I", plain_crc32c(octets)) + octets[place + 4 :]


def read(parts: Iterable[bytes], **options: Any) -> tuple[ProxyHeader | None, bytes, str]:
    """The header, what is behind it, and what was wrong."""
    reader = ProxyReader(**options)
    for part in parts:
        try:
            reader.receive(part)
        except RemoteProtocolError as error:
            with pytest.raises(RemoteProtocolError):
                reader.receive(b"PROXY UNKNOWN\r\n")
            return None, b"", str(error)
    return reader.header, reader.unused_data, ""


def read_cut(data: bytes, **options: Any) -> tuple[ProxyHeader | None, bytes, str]:
    """The same, after having seen that it is the same however it is cut."""
    whole = read([data], **options)
    for parts in all_cuts(data):
        assert read(parts, **options) == whole, parts
    return whole


def read_exactly(data: bytes) -> tuple[ProxyHeader | None, int]:
    """What comes of reading no more than what is wanted each time, and how much that was."""
    reader, pos = ProxyReader(), 0
    while reader.wanted and pos < len(data):
        part = data[pos : pos + reader.wanted]
        pos += len(part)
        reader.receive(part)
        assert not reader.unused_data
    return reader.header, pos


# --- what is read ----------------------------------------------------------------------------------

GOOD = {
    "text": (LINE, ProxyHeader(1, TCP4, ("192.168.0.1", 56324), ("192.168.0.11", 443))),
    "text-least": (b"PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", ProxyHeader(1, TCP4, ("0.0.0.0", 0), ("0.0.0.0", 0))),
    "text-most": (
        b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
        ProxyHeader(1, TCP4, ("255.255.255.255", 65535), ("255.255.255.255", 65535)),
    ),
    "text-6": (
        b"PROXY TCP6 2001:DB8::1 2001:db8:0:0::2 4711 25\r\n",
        ProxyHeader(1, TCP6, ("2001:db8::1", 4711), ("2001:db8::2", 25)),
    ),
    "text-6-mapped": (
        b"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:c633:6407 1 2\r\n",
        ProxyHeader(1, TCP6, ("::ffff:192.0.2.1", 1), ("::ffff:198.51.100.7", 2)),
    ),
    "unknown": (b"PROXY UNKNOWN\r\n", ProxyHeader(1)),
    "unknown-with-anything": (b"PROXY UNKNOWN \0 \xff PROXY\r\n", ProxyHeader(1)),
    "unknown-longest": (LONGEST, ProxyHeader(1)),
    "local": (binary(b"", command=0x20, family=0), LOCAL),
    "local-with-a-block": (binary(b"any octets at all", command=0x20, family=0x77), LOCAL),
    "tcp4": (binary(inet4()), ProxyHeader(2, TCP4, ("192.0.2.1", 4711), ("198.51.100.7", 25))),
    "udp4": (
        binary(inet4(), family=0x12),
        ProxyHeader(2, ProxyFamily.UDP4, ("192.0.2.1", 4711), ("198.51.100.7", 25)),
    ),
    "tcp6": (
        binary(inet6("2001:db8::1", "::ffff:192.0.2.1"), family=0x21),
        ProxyHeader(2, TCP6, ("2001:db8::1", 4711), ("::ffff:192.0.2.1", 25)),
    ),
    "udp6": (
        binary(inet6("::", "::1"), family=0x22),
        ProxyHeader(2, ProxyFamily.UDP6, ("::", 4711), ("::1", 25)),
    ),
    "unix": (
        binary(b"/a\0b".ljust(108, b"\0") + b"c" * 108, family=0x31),
        ProxyHeader(2, ProxyFamily.UNIX_STREAM, b"/a\0b", b"c" * 108),
    ),
    "unix-datagram": (binary(bytes(216), family=0x32), ProxyHeader(2, ProxyFamily.UNIX_DATAGRAM, b"", b"")),
    "unspecified": (binary(tlv(4, b""), family=0), ProxyHeader(2, tlvs=[ProxyTlv(4, b"")])),
    "tlvs": (
        binary(
            inet4() + tlv(2, "mx.hämburger.edu".encode()) + tlv(0xE0, b"") + tlv(0xE0, b"\0\1") + tlv(5, b"i" * 128)
        ),
        ProxyHeader(
            2,
            TCP4,
            ("192.0.2.1", 4711),
            ("198.51.100.7", 25),
            [
                ProxyTlv(2, "mx.hämburger.edu".encode()),
                ProxyTlv(0xE0, b""),
                ProxyTlv(0xE0, b"\0\1"),
                ProxyTlv(5, b"i" * 128),
            ],
        ),
    ),
    "checksum": (
        with_checksum(inet4(), tlv(4, b"pad")),
        ProxyHeader(2, TCP4, ("192.0.2.1", 4711), ("198.51.100.7", 25), [ProxyTlv(4, b"pad")], checksum=True),
    ),
    "checksum-in-front": (
        with_checksum(inet4(), behind=tlv(1, b"smtp")),
        ProxyHeader(2, TCP4, ("192.0.2.1", 4711), ("198.51.100.7", 25), [ProxyTlv(1, b"smtp")], checksum=True),
    ),
}


@pytest.mark.law(6)
@pytest.mark.parametrize(("data", "header"), GOOD.values(), ids=GOOD)
def test_what_is_read(data: bytes, header: ProxyHeader) -> None:
    assert read_cut(data) == (header, b"", "")
    assert read_cut(data + b"EHLO crepes.fr\r\n") == (header, b"EHLO crepes.fr\r\n", "")
    assert parse_proxy(data) == header
    assert pickle.loads(pickle.dumps(header)) == header


@pytest.mark.parametrize(("data", "header"), GOOD.values(), ids=GOOD)
def test_nothing_behind_it_needs_to_be_read(data: bytes, header: ProxyHeader) -> None:
    assert read_exactly(data + b"\x16\x03\x01 what is for TLS") == (header, len(data))


@pytest.mark.parametrize(("data", "header"), GOOD.values(), ids=GOOD)
def test_written_and_read_again(data: bytes, header: ProxyHeader) -> None:
    assert parse_proxy(bytes(header)) == header


@pytest.mark.parametrize(
    "name", ["text", "text-least", "text-most", "local", "tcp4", "tcp6", "udp6", "unix", "tlvs", "checksum"]
)
def test_written_as_by_hand(name: str) -> None:
    data, header = GOOD[name]
    assert bytes(header) == data


def test_version_1_has_no_digits_of_ipv4_within_ipv6() -> None:
    header = ProxyHeader(1, TCP6, ("::ffff:192.0.2.1", 1), ("::1", 2))
    assert bytes(header) == b"PROXY TCP6 ::ffff:c000:201 ::1 1 2\r\n"


@pytest.mark.parametrize(("data", "header"), GOOD.values(), ids=GOOD)
def test_the_end_of_the_stream_within_it(data: bytes, header: ProxyHeader) -> None:
    for end in range(len(data)):
        header_, _rest, why = read([*([data[:end]] if end else []), b""])
        assert header_ is None
        assert "ends before" in why


# --- what is not -----------------------------------------------------------------------------------

BAD = {
    "smtp": (b"EHLO crepes.fr\r\n", "no PROXY header"),
    "tls": (b"\x16\x03\x01\x02\0\x01", "no PROXY header"),
    "almost": (b"PROXZ", "no PROXY header"),
    "lower-case": (b"proxy TCP4", "no PROXY header"),
    "signature": (SIGNATURE[:-1] + b"!", "no PROXY header"),
    "http": (b"GET / HTTP/1.1\r\n", "no PROXY header"),
    "text-no-family": (b"PROXY \r\n", "not a PROXY line"),
    "text-udp": (b"PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n", "not a PROXY line"),
    "text-unknown-more": (b"PROXY UNKNOWNS\r\n", "not a PROXY line"),
    "text-spaces": (b"PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n", "not a PROXY line"),
    "text-tab": (b"PROXY\tTCP4 1.2.3.4 1.2.3.4 1 2\r\n", "no PROXY header"),
    "text-space-behind": (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n", "not a PROXY line"),
    "text-zeros": (b"PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n", "not an IPv4 address"),
    "text-256": (b"PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n", "not an IPv4 address"),
    "text-three": (b"PROXY TCP4 1.2.300 1.2.3.4 1 2\r\n", "not an IPv4 address"),
    "text-port-zeros": (b"PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n", "not a PROXY line"),
    "text-port-big": (b"PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n", "port outside"),
    "text-port-huge": (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 999999\r\n", "not a PROXY line"),
    "text-port-signed": (b"PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n", "not a PROXY line"),
    "text-port-missing": (b"PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "not a PROXY line"),
    "text-wrong-family": (b"PROXY TCP4 ::1 ::1 1 2\r\n", "not an IPv4 address"),
    "text-other-family": (b"PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n", "not an IPv6 address"),
    "text-6-zone": (b"PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", "not a PROXY line"),
    "text-6-two-gaps": (b"PROXY TCP6 1::2::3 ::1 1 2\r\n", "not an IPv6 address"),
    "text-6-short": (b"PROXY TCP6 1:2:3 ::1 1 2\r\n", "not an IPv6 address"),
    "text-lf": (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\nEHLO a\r\n", "stands alone"),
    "text-cr": (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2\rEHLO a\r\n", "stands alone"),
    "text-unknown-lf": (b"PROXY UNKNOWN a\nb\r\n", "stands alone"),
    "text-crcrlf": (b"PROXY UNKNOWN\r\r\n", "stands alone"),
    "text-108": (LONGEST[:-2] + b"5\r\n", "no line end within 107"),
    "text-endless": (b"PROXY UNKNOWN" + b" " * 200, "no line end within 107"),
    "version-1": (binary(inet4(), command=0x11), "version that is not 2"),
    "version-3": (binary(inet4(), command=0x31), "version that is not 2"),
    "command-2": (binary(inet4(), command=0x22), "neither LOCAL nor PROXY"),
    "family-4": (binary(inet4(), family=0x41), "no address family"),
    "transport-3": (binary(inet4(), family=0x13), "no address family"),
    "transport-0": (binary(inet4(), family=0x10), "no address family"),
    "family-0": (binary(inet4(), family=0x01), "no address family"),
    "short-4": (binary(inet4()[:-1]), "too short for its addresses"),
    "short-6": (binary(inet6("::", "::1")[:-1], family=0x21), "too short for its addresses"),
    "short-unix": (binary(bytes(215), family=0x31), "too short for its addresses"),
    "tlv-type-alone": (binary(inet4() + b"\x04"), "behind the end"),
    "tlv-half-length": (binary(inet4() + b"\x04\0"), "behind the end"),
    "tlv-too-long": (binary(inet4() + b"\x04\0\x02a"), "behind the end"),
    "tlv-twice": (binary(inet4() + tlv(2, b"a") * 2), "several TLVs"),
    "authority-no-utf8": (binary(inet4() + tlv(2, b"a\xff")), "not a text"),
    "authority-newline": (binary(inet4() + tlv(2, b"a\r\nb")), "not a text"),
    "unique-id-129": (binary(inet4() + tlv(5, b"i" * 129)), "unique ID longer"),
    "tls-4": (binary(inet4() + tlv(0x20, bytes(4))), "shorter than 5"),
    "tls-within": (binary(inet4() + tlv(0x20, bytes(5) + b"\x21\0\x01")), "behind the end"),
    "tls-name": (binary(inet4() + tlv(0x20, bytes(5) + tlv(0x22, b"\n"))), "not a text"),
    "tls-twice": (binary(inet4() + tlv(0x20, bytes(5) + tlv(0x22, b"a") * 2)), "several TLVs"),
    "checksum-wrong": (with_checksum(inet4())[:-1] + b"!", "not that of the header"),
    "checksum-3": (binary(inet4() + tlv(3, bytes(3))), "has not 4 octets"),
    "checksum-twice": (with_checksum(inet4(), tlv(3, bytes(4))), "several checksums"),
}  # fmt: skip


@pytest.mark.law(6)
@pytest.mark.parametrize(("data", "why"), BAD.values(), ids=BAD)
def test_what_is_no_header(data: bytes, why: str) -> None:
    header, rest, failure = read_cut(data)
    assert header is None
    assert rest == b""
    assert why in failure
    assert "PROXY s2" in failure


@pytest.mark.parametrize(("data", "why"), BAD.values(), ids=BAD)
def test_the_parser_of_a_whole_header_takes_none_of_them(data: bytes, why: str) -> None:
    with pytest.raises(ParseError):
        parse_proxy(data)


def test_nothing_more_is_waited_for_than_tells_it() -> None:
    """A client that is not a proxy is seen at its first octet that no proxy sends."""
    for data, seen in ((b"EHLO", 1), (b"PROXZ", 5), (b"\r\nEHLO", 3), (binary(b"", command=0x31), 13)):
        reader = ProxyReader()
        for octet in data[: seen - 1]:
            assert reader.receive(bytes((octet,))) is None
        with pytest.raises(RemoteProtocolError):
            reader.receive(data[seen - 1 : seen])


@pytest.mark.law(14)
def test_the_limit_is_exact() -> None:
    data = binary(inet4() + tlv(4, bytes(69)))
    assert len(data) == 100
    assert read_cut(data, size=100)[0] is not None
    header, _, why = read_cut(data, size=99)
    assert header is None
    assert "longer than 99 octets" in why
    # ... and nothing of it is waited for
    assert "longer" in read([data[:16]], size=99)[2]


@pytest.mark.parametrize("size", [15, 65_552, -1])
def test_limits_that_make_no_sense(size: int) -> None:
    with pytest.raises(ValueError, match="a header has"):
        ProxyReader(size)


def test_as_much_as_there_can_be() -> None:
    data = binary(inet4() + tlv(4, bytes(65_535 - 15)))
    header = ProxyReader(65_551).receive(data)
    assert header is not None
    assert bytes(header) == data
    with pytest.raises(ParseError, match="longer than 65535"):
        ProxyHeader(2, TCP4, header.source, header.destination, [ProxyTlv(4, bytes(65_535 - 14))])


# --- values ----------------------------------------------------------------------------------------

HERE, THERE = ("192.0.2.1", 1), ("192.0.2.2", 2)


@pytest.mark.parametrize(
    "make",
    [
        lambda: ProxyHeader(3),
        lambda: ProxyHeader(1, ProxyFamily.UDP4, HERE, THERE),
        lambda: ProxyHeader(1, local=True),
        lambda: ProxyHeader(1, checksum=True),
        lambda: ProxyHeader(1, TCP4, HERE, THERE, [ProxyTlv(4, b"")]),
        lambda: ProxyHeader(2, TCP4, HERE, THERE, local=True),
        lambda: ProxyHeader(2, local=True, checksum=True),
        lambda: ProxyHeader(2, TCP4),
        lambda: ProxyHeader(2, TCP4, HERE),
        lambda: ProxyHeader(2, TCP4, ("192.0.2.1\r\n", 1), THERE),
        lambda: ProxyHeader(2, TCP4, ("192.0.2.١", 1), THERE),
        lambda: ProxyHeader(2, TCP4, ("::1", 1), THERE),
        lambda: ProxyHeader(2, TCP4, ("192.0.2.1", 65_536), THERE),
        lambda: ProxyHeader(2, TCP4, ("192.0.2.1", -1), THERE),
        lambda: ProxyHeader(2, TCP4, ("192.0.2.1", True), THERE),
        lambda: ProxyHeader(2, TCP4, b"/path", b"/path"),
        lambda: ProxyHeader(2, TCP6, ("fe80::1%1", 1), ("::1", 2)),
        lambda: ProxyHeader(2, ProxyFamily.UNKNOWN, HERE, THERE),
        lambda: ProxyHeader(2, ProxyFamily.UNIX_STREAM, b"a" * 109, b""),
        lambda: ProxyHeader(2, ProxyFamily.UNIX_STREAM, b"a\0", b""),
        lambda: ProxyHeader(2, ProxyFamily.UNIX_STREAM, HERE, THERE),
        lambda: ProxyHeader(2, TCP4, HERE, THERE, [ProxyTlv(3, bytes(4))]),
        lambda: ProxyTlv(256, b""),
        lambda: ProxyTlv(-1, b""),
        lambda: ProxyTlv(True, b""),
        lambda: ProxyTlv(1, bytes(65_536)),
        lambda: ProxyTls(256),
        lambda: ProxyTls(0, 2**32),
        lambda: ProxyTls(1, 0, [ProxyTlv(0x21, b"\n")]),
    ],
)  # fmt: skip
def test_values_cannot_be_wrong(make: Any) -> None:
    with pytest.raises(ParseError):
        make()


def test_what_it_says_beyond_addresses() -> None:
    tls = ProxyTls(3, 0, [ProxyTlv(0x21, b"TLSv1.3"), ProxyTlv(0x22, "älice".encode()), ProxyTlv(0x23, b"AES")])
    more = [ProxyTlv(1, b"smtp"), ProxyTlv(2, b"mx.hamburger.edu"), ProxyTlv(5, b"\0id"), ProxyTlv(0x20, bytes(tls))]
    header = parse_proxy(bytes(ProxyHeader(2, TCP4, HERE, THERE, more, checksum=True)))
    assert (header.alpn, header.authority, header.unique_id) == (b"smtp", "mx.hamburger.edu", b"\0id")
    assert header.tls == tls
    assert (tls.encrypted, tls.verified) == (True, True)
    assert (tls.version, tls.common_name, tls.cipher) == ("TLSv1.3", "älice", "AES")
    nothing = ProxyHeader(2, TCP4, HERE, THERE)
    assert (nothing.alpn, nothing.authority, nothing.unique_id, nothing.tls) == (None, None, None, None)


@pytest.mark.parametrize(("client", "verify", "verified"), [(1, 0, False), (3, 0, True), (5, 0, True), (3, 18, False)])
def test_a_certificate_is_good_only_where_there_was_one(client: int, verify: int, verified: bool) -> None:
    assert ProxyTls(client, verify).verified is verified


@pytest.mark.parametrize(
    ("header", "peer"),
    [
        (LOCAL, "actual"),
        (ProxyHeader(1), "actual"),
        (ProxyHeader(2), "actual"),
        (ProxyHeader(2, ProxyFamily.UDP4, HERE, THERE), "actual"),
        (ProxyHeader(2, ProxyFamily.UNIX_DATAGRAM, b"", b""), "actual"),
        (ProxyHeader(2, ProxyFamily.UNIX_STREAM, b"", b""), None),
        (ProxyHeader(1, TCP4, HERE, THERE), HERE),
        (ProxyHeader(2, TCP6, ("::1", 1), ("::", 2)), ("::1", 1)),
    ],
)
def test_who_the_client_is(header: ProxyHeader, peer: object) -> None:
    assert header.peer("actual") == peer


def test_checksum_of_the_book() -> None:
    """RFC 3720 sB.4, and the check value of the algorithm's catalogues."""
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E


# --- any octets ------------------------------------------------------------------------------------

PORTS = st.integers(0, 65_535)
ENDS = {
    TCP4: st.tuples(st.ip_addresses(v=4).map(str), PORTS),
    TCP6: st.tuples(st.ip_addresses(v=6).map(str), PORTS),
    ProxyFamily.UNIX_STREAM: st.binary(max_size=108).filter(lambda path: not path.endswith(b"\0")),
}
TLVS = st.lists(st.builds(ProxyTlv, st.sampled_from([0, 4, 0x42, 0xE0, 0xFF]), st.binary(max_size=20)), max_size=4)


@st.composite
def headers(draw: Any) -> ProxyHeader:
    version = draw(st.sampled_from([1, 2]))
    family = draw(st.sampled_from([TCP4, TCP6] if version == 1 else list(ENDS)))
    ends = draw(ENDS[family]), draw(ENDS[family])
    more = [draw(TLVS)] if version == 2 else []
    return ProxyHeader(version, family, *ends, *more, checksum=version == 2 and draw(st.booleans()))


@given(headers(), st.binary(max_size=20), st.data())
def test_round_trip(header: ProxyHeader, rest: bytes, data: Any) -> None:
    octets = bytes(header) + rest
    cut = data.draw(st.integers(1, len(octets)))
    assert read([part for part in (octets[:cut], octets[cut:]) if part]) == (header, rest, "")
    assert read_exactly(octets) == (header, len(octets) - len(rest))


TOKENS = st.sampled_from(
    [
        b"PROXY ",
        b"TCP4 ",
        b"TCP6 ",
        b"UNKNOWN",
        b"1.2.3.4 ",
        b"::1 ",
        b"1",
        b" ",
        b"2\r\n",
        b"\r",
        b"\n",
        b"\r\n",
        SIGNATURE,
        b"!",
        b" ",
        b"\x11",
        b"\x00",
        b"\x00\x0c",
        b"\x00\x03",
        b"\x03\x00\x04",
        b"abcd",
        b"\xff\xff",
    ]
)


@given(st.lists(TOKENS, max_size=14).map(b"".join), st.data())
def test_any_octets_give_the_same_however_they_are_cut(octets: bytes, data: Any) -> None:
    cut = data.draw(st.integers(0, len(octets)))
    whole = read([octets] if octets else [])
    assert read([part for part in (octets[:cut], octets[cut:]) if part]) == whole
    assert read([bytes((octet,)) for octet in octets]) == whole
