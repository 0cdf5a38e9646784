"""Target over what a proxy sends first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from smtpcore.errors import ParseError, RemoteProtocolError
from smtpcore.wire.proxy import SIGNATURE, ProxyHeader
from smtpcore.wire.proxy_reader import ProxyReader, parse_proxy
from tests.fuzz import tokens
from tests.fuzz.oracle import Oracle, check, splits
from tests.fuzz.tokens import Source

TOKENS: Final = (
    SIGNATURE, b"\x21", b"\x20", b"\x11", b"\x21\x11\0\x0c", b"\x21\x21\0\x24", b"\x21\x31\0\xd8", b"\x20\0\0\0",
    b"\x21\x11\0\x13" + bytes(12) + b"\x03\0\x04", b"\x21\0\0\x03\x04\0\0", b"\0\x03", b"\x02\0\x01a", b"\x20\0\x05",
    bytes(4), bytes(12), b"\xff", b"PROXY ", b"TCP4 ", b"TCP6 ", b"UNKNOWN", b"1.2.3.4 ", b"::1 ", b"::ffff:1.2.3.4 ",
    b"0", b"65535 ", b"1 2", b" ", b"\r\n", b"\r", b"\n", b"EHLO a\r\n", b"x" * 20,
)  # fmt: skip


def proxy(data: bytes, kind: Callable[[], Any] = ProxyReader) -> None:
    """ProxyReader: one header whatever the cut, all octets behind it, and what it says can be said again."""
    source = Source(data)
    seed = source.byte()
    octets = tokens.octets(source, TOKENS, 300)
    results: list[Any] = []
    for pieces in splits(octets, seed):
        reader = kind()
        try:
            for piece in pieces:
                reader.receive(piece)
        except RemoteProtocolError as error:
            results.append(str(error))
        else:
            results.append((reader.header, reader.unused_data))
    for result in results[1:]:
        check(result == results[0], Oracle.SPLIT, "ProxyReader", octets, results[0], result)
    if isinstance(results[0], str) or results[0][0] is None:
        return
    header, unused = results[0]
    check(octets.endswith(unused), Oracle.REFERENCE, "ProxyReader: what is behind it", octets, unused)
    whole = octets[: len(octets) - len(unused)]
    # By the octets alone: a line up to its CRLF, or as many as the length says.
    end = whole.find(b"\r\n") + 2 if whole[:1] == b"P" else 16 + int.from_bytes(whole[14:16], "big")
    check(len(whole) == end, Oracle.REFERENCE, "ProxyReader: where it ends", octets, whole)
    check(_again(header) == header == parse_proxy(whole), Oracle.ROUND_TRIP, "ProxyReader", octets, header)


def _again(header: ProxyHeader) -> ProxyHeader | None:
    try:
        return parse_proxy(bytes(header))
    except ParseError:
        return None
