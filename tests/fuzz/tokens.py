"""From fuzz bytes to the words of SMTP.

A fuzzer that throws octets at a parser hardly ever writes ``CRLF . CRLF`` or a path. Here every
byte of the fuzzer stands for a token of the grammar, so a small change of the input is a small
change of what the parser reads: a token more, one less, another one in its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

T = TypeVar("T")


class Source:
    """Fuzz bytes, read from the front; zeros when they are used up."""

    __slots__ = ("_data", "_pos")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._pos = 0

    def __bool__(self) -> bool:
        return self._pos < len(self._data)

    def byte(self) -> int:
        pos = self._pos
        self._pos = pos + 1
        return self._data[pos] if pos < len(self._data) else 0

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.byte() % len(choices)]

    def take(self, size: int) -> bytes:
        pos = self._pos
        self._pos = pos + size
        return self._data[pos : pos + size]

    def short(self, most: int) -> bytes:
        """A few bytes, with their number in front."""
        return self.take(self.byte() % (most + 1))

    def rest(self) -> bytes:
        return self.take(len(self._data))


_REPEATS: Final = (2, 3, 4, 7, 8, 15, 31, 32, 63, 64, 65, 100, 127, 255, 256, 512)


def octets(source: Source, alphabet: Sequence[bytes], limit: int = 160) -> bytes:
    """The rest of the source as octets: as they are where the next byte is even, through the alphabet where it is odd.

    Bytes from 224 on are no tokens: some put the byte after them there as it is, some repeat the last token.
    ``limit`` keeps that from growing: a fuzzer would love it and try little else.
    """
    if not source.byte() & 1:
        return source.rest()
    made: list[bytes] = []
    size = 0
    token = b""
    while source and size < limit:
        byte = source.byte()
        if byte < 224:
            token = alphabet[byte % len(alphabet)]
        elif byte < 240:
            token = source.take(1)
        else:
            token = token[:64] * _REPEATS[byte - 240]
        made.append(token)
        size += len(token)
    return b"".join(made)[:limit]


def text(source: Source, alphabet: Sequence[bytes], limit: int = 160) -> str:
    """The rest of the source as text; octets that are no UTF-8 stand as surrogate escapes."""
    return octets(source, alphabet, limit).decode("utf-8", "surrogateescape")


def _words(*texts: str) -> tuple[bytes, ...]:
    return tuple([word.encode("utf-8", "surrogatepass") for text in texts for word in text.split(" ")])


NEWLINES: Final = (
    b"\r",
    b"\n",
    b"\r\n",
    b".",
    b"\r\n.\r\n",
    b"\r\n.",
    b".\r\n",
    b"..",
    b"\0",
    b"a",
    b"b c",
    b"\r\r\n",
    b"\n.\n",
)

#: Characters beyond ASCII that have fooled somebody: invisible, of two forms, turned into others, too long, cut short.
_BEYOND_ASCII: Final = (
    *_words("é e\u0301 ü ß ς 中 ℀ ＠ 。 İ ſ ا \u0627\u0661 \U0010ffff 😀"),
    *_words("\u00ad \u200b \u202e \ufeff \u0080 \u2028 \ud800"),
    b"\xff", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xe2\x80",
)  # fmt: skip

_CONTROLS: Final = (b"\0", b"\r", b"\n", b"\r\n", b"\t", b"\x01", b"\x1b", b"\x7f", b"\x0b", b"\x1c", b" ", b"  ")

DOMAINS: Final = (
    *_words("crepes.fr hamburger.edu a b.c xn--bcher-kva.example x-y -x x- x--y _dmarc 127.0.0.1 localhost a."),
    *_words("bücher.example [127.0.0.1] [256.1.1.1] [1.2.3] [IPv6:::1] [IPv6:2001:db8::1] [IPv6:1:2:3:4:5:6:7:8]"),
    *_words("[IPv6:::ffff:1.2.3.4] [IPv6:1::3:4:5:6:7:8] [tag:x] [x-:y] [] [ ] [IPv6: :: : 1 ffff 10000 255 256 . -"),
    b"a" * 62, b"a" * 63, b"a" * 64, b".".join([b"a" * 63] * 3) + b".", b"b" * 61,
)  # fmt: skip

ADDRESSES: Final = (
    *_words('@ < > " \\ . .. , : ; ( ) = + % ! alice bob a+b "a" "a@b" "\\"" \\" \\\\ "" a..b .a =?utf-8?q?a=40b?='),
    *_words("@a,@b: @a: <> Postmaster postmaster <alice@crepes.fr> bob@hamburger.edu"),
    *DOMAINS, *_BEYOND_ASCII, *_CONTROLS,
)  # fmt: skip

PARAMETERS: Final = (
    *_words("SIZE SIZE= SIZE=1200 size=0 SIZE=1_0 SIZE=+5 SIZE=99999999999999999999 SIZE=999999999999999999999"),
    *_words("BODY=8BITMIME BODY=7bit BODY= SMTPUTF8 SMTPUTF8= SMTPUTF8=x AUTH=<> AUTH=alice@crepes.fr AUTH=+3C+3E"),
    *_words("AUTH= X-Y=z X= =X == +0D+0A +00 +C3+A9 +C3 +2B +3D +3d + = 0 1 12 9 ٣ e3e3@x"),
    b" ", b" ", b" ", b"  ",
)  # fmt: skip

BASE64: Final = (
    *_words("AGEAYg== AGFsaWNlAHNlc2FtZQ== c2VzYW1l YQ== YR== YWI= YWJj Zg= Zg === = == * A AA AAA AAAA / + - _"),
    b"AGFsaWNlAHNlc2FtZQ==", b" ", b"\n", b"QUFB" * 16,
)  # fmt: skip

VERBS: Final = (
    *_words("EHLO HELO LHLO MAIL RCPT DATA RSET VRFY EXPN HELP NOOP QUIT STARTTLS AUTH BDAT XFOO ehlo Mail rCPT"),
    *_words("FROM: TO: from: To: FROM TO FROM:<> TO:<Postmaster> to:<pOSTMASTER> PLAIN LOGIN plain XOAUTH2"),
    *_words("FROM:<alice@crepes.fr> TO:<bob@hamburger.edu> FROM:<@a,@b:c@d> ſtarttls ehlo"),
    b"EHLO crepes.fr", b"MAIL FROM:<alice@crepes.fr>", b"RCPT TO:<bob@hamburger.edu>", b"AUTH PLAIN ",
)  # fmt: skip

COMMANDS: Final = (*VERBS, b" ", b" ", b" ", *PARAMETERS, *ADDRESSES, *BASE64)[:223]

#: Between two stretches of what a peer sends: here the TLS handshake is done, if one is due. No octet of UTF-8.
HANDSHAKE: Final = b"\xfe\xfe"

_LINES: Final = (
    b"EHLO crepes.fr", b"HELO crepes.fr", b"MAIL FROM:<alice@crepes.fr>", b"MAIL FROM:<> SIZE=10",
    b"MAIL FROM:<a@b> SIZE=1000", b"MAIL FROM:<\xc3\xa9@b> SMTPUTF8", b"MAIL FROM:<@a:b@c> BODY=8BITMIME",
    b"RCPT TO:<bob@hamburger.edu>", b"RCPT TO:<Postmaster>", b"RCPT TO:<\xc3\xa9@b>", b"RCPT TO:<>", b"RCPT TO:<a@_b>",
    b"DATA", b"RSET", b"NOOP", b"NOOP x", b"VRFY bob", b"VRFY \xc3\xa9 SMTPUTF8", b"EXPN staff", b"HELP", b"QUIT",
    b"STARTTLS", b"AUTH PLAIN AGFsaWNlAHNlc2FtZQ==", b"AUTH LOGIN", b"AUTH PLAIN =", b"AUTH X", b"AUTH PLAIN x",
    b"YWxpY2U=", b"c2VzYW1l", b"*", b".", b"..", b".x", b"", b" ", b"Subject: x", b"DATA x", b"BDAT 5 LAST", b"XFOO",
    b"GET / HTTP/1.1", b"LHLO crepes.fr", b"MAIL FROM:<a@b> BODY=BINARYMIME", b"BDAT 0 LAST", b"BDAT 0", b"BDAT 1",
    b"bdat 3 last", b"BDAT 2", b"BDAT 18", b"BDAT 600", b"BDAT 1_0", b"BDAT +5", b"BDAT  5", b"BDAT 5 LASTX",
    b"BDAT 5\tLAST", b"BDAT", b"BDAT 99999999999999999999999", b"BDAT 99999999999999999999", b"BDAT 007 LAST ",
)  # fmt: skip

#: What a client sends.
DIALOGUE: Final = (
    *[line + b"\r\n" for line in _LINES],
    b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n",
    b"EHLO a\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n",
    b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 3\r\na\r\n", b"BDAT 3 LAST\r\na\r\n",
    b"BDAT 2\r\na\r", b"BDAT 4 LAST\r\n\n.\r\n",
    b"BDAT 3 LAST\r\na\nb", b"BDAT 9 LAST\r\nMAIL FROM", b"BDAT 1\r\na",
    b"x\r\n.\r\n", b"\r\n.\r\n", b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n..\r\n",
    b"AUTH PLAIN " + b"QUFB" * 20,
    b"a" * 64, b"a" * 509, b"a" * 510, b"a" * 511, b"QUFB" * 255, b"QUFB" * 1023, HANDSHAKE,
    b"STARTTLS\r\n" + HANDSHAKE,
    b"NOOP " + b"a" * 505, b"NOOP " + b"a" * 506, b"b" * 998 + b"\r\n", b"c" * 999 + b"\r\n", b"NOOP", b"RCPT TO:",
    *NEWLINES, *_CONTROLS, b"\xc3\xa9", b"\xff",
)  # fmt: skip

_CODES: Final = _words(
    "220 221 235 250 251 252 334 354 421 450 451 452 500 503 530 535 538 550 552 553 554 299 399 599"
)

#: What a server sends.
REPLIES: Final = (
    *[code + b" ok\r\n" for code in _CODES],
    *[code + b"-" for code in (b"220", b"250", b"334", b"550", b"421")],
    *[code + b"\r\n" for code in (b"220", b"250", b"354", b"550", b"200", b"600", b"199", b"2500", b"25")],
    b"250 ok\r\n", b"250 2.1.0 ok\r\n", b"250 2.0.0\r\n", b"250 5.1.1 x\r\n", b"550 5.7.1 no\r\n", b"354 2.0.0 x\r\n",
    b"250-2.1.5 a\r\n250 2.1.5 b\r\n", b"250-2.1.5 a\r\n250 2.1.6 b\r\n", b"250-a\r\n251 b\r\n", b"250-x\r\n",
    b"250-x\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-SMTPUTF8\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n",
    b"250-hamburger.edu\r\n250-PIPELINING\r\n250 AUTH=PLAIN\r\n", b"250-a\r\n250 SIZE x\r\n",
    b"250-SIZE\r\n", b"250 SIZE 10\r\n", b"250-PIPELINING\r\n", b"250-AUTH PLAIN\r\n", b"250 STARTTLS\r\n",
    b"250 8BITMIME\r\n", b"250-x\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 BINARYMIME\r\n", b"250 CHUNKING\r\n",
    b"334 c2VzYW1l\r\n", b"535 AGFsaWNlAHNlc2FtZQ== \x01\r\n", b"535 5.7.8 sesame\r\n",
    b"535-sesame\r\n535 \xc3\xa9\r\n",
    b"535 ", b"sesame", b"AGFsaWNlAHNlc2FtZQ==", b"\xc3\xa9", b"\xff", b" ", b"-", b"\t", b"\x01", b"\x7f", b"\0",
    b"\r", b"\n", b"\r\n", b"\r\n", b"a" * 64, b"250 " + b"b" * 500, b"c" * 36, HANDSHAKE, b"220 go\r\n" + HANDSHAKE,
    b"2_5 x\r\n", b" 250 x\r\n", b"+25 x\r\n", "٢٥٠ x\r\n".encode(),
)  # fmt: skip
