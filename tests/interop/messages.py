"""Messages whose octets are easy to get wrong on the way."""

from __future__ import annotations

HEADER = (
    b"X-Test: %s\r\n"
    b"From: Alice <alice@crepes.fr>\r\n"
    b"To: Bob <bob@hamburger.edu>\r\n"
    b"Subject: Searching for the meaning of life.\r\n"
    b"Date: Tue, 01 Apr 2025 12:00:00 +0200\r\n"
    b"Message-ID: <1@crepes.fr>\r\n"
    b"\r\n"
)
"""Complete, so that no server on the way sees reason to add to it."""


def message(body: bytes, name: bytes = b"1") -> bytes:
    """A message with this body."""
    return HEADER % name + body


def lines(*texts: bytes) -> bytes:
    return b"".join(text + b"\r\n" for text in texts)


DOTS = lines(b".", b"..", b"...", b".a", b"..a", b"a.", b"", b".", b"", b". ", b" .", b"." * 998, b".QUIT", b"..")

BODIES: dict[str, bytes] = {
    "text": lines(b"Do you like ketchup?", b"How about pickles?"),
    "empty": b"",
    "blank-lines": lines(b"", b"", b"text", b"", b""),
    "dots": DOTS + lines(b"end"),
    "dot-last": lines(b"a", b".", b"."),
    "commands": lines(b"QUIT", b"RSET", b"MAIL FROM:<x@y.example>", b"DATA", b"From here", b">From there"),
    "utf-8": lines("Grüße, κόσμε, 你好 ✓".encode(), b"\xc3\xa9" * 400),
    "8-bit": lines(bytes(range(0x80, 0x100)), b"\xff" * 998, b"\x85\xa0", b"caf\xe9"),
    "controls": lines(b"\t tab \t", b"\x01\x0b\x0c\x1b\x1c\x1d\x1e\x7f", b"trailing   ", b"\t"),
    "998": lines(b"x" * 998, b"." + b"y" * 997, b"\xe9" * 998),
    "large": lines(*(b".%d " % n + b"0123456789abcdef" * 4 for n in range(12_000))),
}
"""Names and bodies: each line is one that RFC 5321 s4.5.3.1.6 allows, and each body ends in CRLF."""

LONG = lines(b"l" * 4_000, b"." * 5_000, b"m" * 20_000, b"end")
"""Lines longer than 1000 octets, which is more than RFC 5321 s4.5.3.1.6 asks receivers to take."""
