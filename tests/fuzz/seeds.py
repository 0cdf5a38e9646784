"""The inputs that the targets start from: what has fooled somebody, and the edges of the limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tests.fuzz.tokens import HANDSHAKE


def _raw(*texts: bytes, before: bytes = b"") -> tuple[bytes, ...]:
    """Seeds that are read as they stand, behind the bytes that a target takes for itself."""
    return tuple([before + b"\0" + text for text in texts])


def _starts(*before: bytes, texts: Sequence[bytes]) -> tuple[bytes, ...]:
    """Each text behind each choice of what a target takes for itself."""
    return tuple([start + b"\0" + text for start in before for text in texts])


_LABEL: Final = b"d" * 63
_ADDRESSES: Final = (
    b"alice@crepes.fr",
    b'"a@b>\\"c"@hamburger.edu',
    b"a@[IPv6:::1]",
    b"a@[127.0.0.1]",
    b"\xc3\xa9@b\xc3\xbccher.example",
    b"a" * 64 + b"@b",
    b"a" * 65 + b"@b",
    b'"\\a"@b',
    b'""@b',
    b"a@exa\xc2\xadmple.com",
    b"a@b_c.",
    b"a@" + b".".join([_LABEL] * 3),
)
_CONTENTS: Final = (
    b".\r\n",
    b"..\r\n.\r\nQUIT\r\n",
    b"a\n.\n\r\n.\r\n",
    b"a\r.\r\r\n.\r\n",
    b"\r\n.\r\r\n.\r\n",
    b".\r.\r\n.\r\n",
    b"a\r\n.b\r\n.\r\n",
    b"\n.\r\n",
    b"\r\n.\n\r\n.\r\n",
    b".\r\r\n.\r\n",
    b"a\r",
    b"\r",
    b"a\r\n.\r",
    b".",
    b"",
)
_REPLIES: Final = (
    b"220 ok\r\n",
    b"250-2.1.0 a\r\n250 2.1.0 b\r\n",
    b"250\r\n",
    b"250-a\r\n251 b\r\n",
    b"2_5 x\r\n",
    b"250 " + b"x" * 8188 + b"\r\n",
    b"250-a\r\n" * 5 + b"250 a\r\n",
    b"250 \xff\r\n",
    b"\r\n",
)

_GREETED: Final = b"EHLO crepes.fr\r\n"
_TRANSACTION: Final = b"MAIL FROM:<alice@crepes.fr> SIZE=9\r\nRCPT TO:<bob@hamburger.edu>\r\nRCPT TO:<x@y>\r\nDATA\r\n"
_SESSIONS: Final = (
    _GREETED + _TRANSACTION + b"Subject: x\r\n\r\n..x\r\n.\r\nQUIT\r\n",
    _GREETED + _TRANSACTION + b"a\n.\nb\r\n.\r\nRSET\r\nNOOP\r\n",
    _GREETED + b"STARTTLS\r\n" + HANDSHAKE + _GREETED + _TRANSACTION,
    _GREETED + b"STARTTLS\r\nEHLO evil\r\n",
    _GREETED + b"AUTH PLAIN AGFsaWNlAHNlc2FtZQ==\r\n" + _TRANSACTION,
    _GREETED + b"AUTH LOGIN\r\nYWxpY2U=\r\nc2VzYW1l\r\n*\r\n",
    _GREETED + b"AUTH PLAIN " + b"QUFB" * 400 + b"\r\nNOOP\r\n",
    b"x" * 1022 + b"\r\n",
    b"x" * 1023 + b"\r\n",
    b"x" * 1030,
    b"NOOP " + b"y" * 505 + b"\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"HELO a\r\n" + b"RSET\r\n" * 6,
    b"\0\r\n\n\r\n\r\r\n",
    _GREETED + b"MAIL FROM:<a@b>\r\nVRFY \xc3\xa9\r\nRCPT TO:<>\r\nDATA\r\n",
)

_CHUNKED: Final = b"MAIL FROM:<a@b> BODY=BINARYMIME\r\nRCPT TO:<x@y>\r\nRCPT TO:<x@y>\r\n"
_SESSIONS_OF_CHUNKS: Final = (
    _GREETED + _CHUNKED + b"BDAT 3\r\na\nb" + b"BDAT 4 LAST\r\n\r\n\n.QUIT\r\n",
    _GREETED + b"MAIL FROM:<>\r\nRCPT TO:<x@y>\r\nBDAT 3\r\na\nbBDAT 2 LAST\r\n\r\nRSET\r\nNOOP\r\n",
    _GREETED + b"BDAT 10 LAST\r\nMAIL FROM:BDAT 1_0 LAST\r\nNOOP\r\n",
    _GREETED.replace(b"EHLO", b"LHLO") + _CHUNKED + b"BDAT 0\r\nNOOP\r\nBDAT 2 LAST\r\nx\rNOOP\r\n",
    _GREETED.replace(b"EHLO", b"LHLO") + _TRANSACTION + b"Subject: x\r\n.\r\nBDAT 5 LASTX\r\nNOOP\nNOOP\r\n",
)

_OFFER: Final = b"220 x\r\n250-x\r\n250-PIPELINING\r\n250-SIZE 9\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"
_ANSWERS: Final = (
    _OFFER + b"250 a\r\n250 b\r\n550 c\r\n354 go\r\n250 done\r\n221 bye\r\n",
    _OFFER + b"550 a\r\n503 b\r\n503 c\r\n354 go\r\n554 no\r\n",
    _OFFER + b"220 go\r\n" + HANDSHAKE + b"250 x\r\n",
    _OFFER + b"220 go\r\n250-evil\r\n250 AUTH EVIL\r\n",
    _OFFER + b"334 \r\n535 5.7.8 sesame \x01\r\n",
    b"554 no\r\n",
    b"220 x\r\n421 bye\r\n",
    b"220 x\r\n250 x\r\n250 y\r\n",
    b"220",
)


#: The seeds of each target, by its name.
_FIELDS: Final = (
    b"Alice <alice@crepes.fr>, friends: bob@hamburger.edu;",
    b"Tue, 24 Nov 2026 09:33:40 +0000 (UTC)",
    b"from a ([1.2.3.4]) by b (Postfix) with ESMTPS id 1 for <c@d>; Tue, 24 Nov 2026 09:33:40 +0000",
    b"text/plain; charset*0*=utf-8''a%C3; charset*1*=%A9",
    b"=?utf-8?b??= =?utf-8?q?a?=",
    b"mx.example; spf=pass smtp.mailfrom=a@b",
)
_HEADERS: Final = (
    b"From: a@b\r\nTo: c@d,\r\n e@f\r\n\r\nbody\r\n",
    b"From: a@b\nno field\n\nbody",
    b"a:\r\n \r\nb:\r\n\r\n",
)

SEEDS: Final[dict[str, tuple[bytes, ...]]] = {
    "fields": tuple([bytes([kind]) + b"\0" + text for kind in range(16) for text in _FIELDS]),
    "words": _raw(*_FIELDS),
    "header": _starts(b"\0\0", b"\1\1", b"\2\0", texts=_HEADERS),
    "message-parser": _starts(b"\0\0\1", b"\1\1\2", b"\2\0\3", texts=_HEADERS),
    "command": (
        *_raw(
            b"MAIL FROM:<alice@crepes.fr> SIZE=1200 BODY=8BITMIME",
            b"RCPT TO:<Postmaster>",
            b"RCPT TO:<@a,@b:c@d>",
            b"NOOP x",
            b"AUTH PLAIN =",
            b"AUTH PLAIN AGFsaWNlAHNlc2FtZQ==",
            b"MAIL FROM:<> AUTH=+3C+3E",
            b"MAIL FROM: a@b",
            b"EHLO [::]",
            b"VRFY \xc3\xa9 SMTPUTF8",
            b"DATA x",
            b"STARTTLS\t",
            b"MAIL FROM:<\xff@b>",
            before=b"\0",
        ),
    ),
    "mailbox": _raw(*_ADDRESSES),
    "path": (*_raw(*[b"<" + text + b">" for text in _ADDRESSES], b"<@a,@b:c@d> x", b" a@b", before=b"\0"),),
    "literal": (
        *_raw(
            b"[127.0.0.1]", b"[IPv6:::1]", b"[IPv6:1::3:4:5:6:7:8]", b"[IPv6:::ffff:1.2.3.4]", b"[x-y:z]", b"[1.2.3]"
        ),
    ),
    "domain": (
        *_raw(
            b"crepes.fr",
            b"a" * 63,
            b"a" * 64,
            b".".join([b"a" * 63] * 4),
            b"b\xc3\xbccher.example",
            b"a-",
            b"\xc3\x9f.de",
        ),
    ),
    "parameters": (
        *_raw(
            b" SIZE=1 BODY=7BIT SMTPUTF8 AUTH=<>",
            b" SIZE=1 SIZE=2",
            b" SIZE=",
            b" AUTH=a+2Bb@c",
            b" X=1",
            b" AUTH=+0D+0A",
        ),
    ),
    "xtext": _raw(b"a+2Bb", b"+C3+A9", b"+FF", b"+00", b"\xc3\xa9", b"a=b c", b"\xff"),
    "number": _raw(b"0", b"007", b"9" * 20, b"9" * 21, b"1_0", b"+5", "٣".encode()),
    "base64": _raw(b"AGEAYg==", b"", b"=", b"*", b"YR==", b"YQ==\n", before=b"\3abc"),
    "capabilities": (
        *_raw(b"SIZE 10\nPIPELINING\nAUTH=PLAIN LOGIN\nX y z", b"auth=\nAUTH PLAIN", b"-X\nX_Y\n\nsize  9 "),
    ),
    "enhanced-code": _raw(b"5.7.1", b"2.0.0", b"2.00.0", b"5.1000.1", b"3.0.0"),
    "reply": (
        *_raw(b"ok", b"a\nb", b"2.1.0\n2.1.0 x", b"", b"a\rb", before=b"\0\0"),
        *_raw(b"ok\nno", before=b"\0\2"),
    ),
    "reply-reader": _starts(b"\5\0", b"\6\1", texts=_REPLIES),
    "receive-buffer": (bytes(range(0, 256, 5)), b"\0\1\2\x80\3\xb0\x04\xd0"),
    "dot-unstuffer": _starts(b"\0\7", b"\1\7", b"\2\7", b"\3\7", texts=_CONTENTS),
    "dot-stuffer": _starts(b"\0\7", b"\1\7", texts=_CONTENTS),
    "proxy-header": _raw(
        b"PROXY TCP4 1.2.3.4 5.6.7.8 9 25\r\nEHLO a\r\n",
        b"PROXY UNKNOWN\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes(12) + b"EHLO a\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0",
        before=b"\7",
    ),
    "chunk-reader": _starts(b"\0\7\2\3\4", b"\3\7\3\0\2\x05", texts=_CONTENTS),
    "newline-filter": _starts(b"\0\7", b"\1\7", b"\2\7", texts=_CONTENTS),
    "content-meter": _starts(b"\7\0\0", b"\7\5\2", texts=(b"x" * 999 + b"\r\n", b"x\r\n" * 400, b"y" * 2200)),
    "server": (
        *_starts(b"\0\7\0", b"\x11\7\0", b"\7\7\3\0\6\7", b"\2\7\2\0\0", b"\3\7\0", texts=_SESSIONS),
        *_starts(b"\0\3\0", b"\1\3\0", b"\0\7\6\0\0\0\0\0\6", b"\1\7\0", texts=_SESSIONS_OF_CHUNKS),
    ),
    "client": (
        *_starts(
            b"\x10\7\2\0\1\3\1\0\1\0",
            b"\x31\7\1\0\3\2\x10\x16\4abcd",
            b"\x18\7\1\0\2\x02\x11\0",
            b"\0\7\1\0\4\2\1\x11\x13\0",
            texts=_ANSWERS,
        ),
    ),
    "pair": (
        b"\0\3\0\1\2" + bytes((3, 0, 255, 4, 255, 0, 255)),
        b"\x28\2\4\2" + bytes((0, 255, 64, 255, 0, 255, 4, 255)),
        b"\x28\0" + bytes((0, 5, 3, 10, 3, 255, 68, 255, 76, 255, 4, 255, 0, 255)),
    ),
}
