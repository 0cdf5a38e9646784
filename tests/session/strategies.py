"""Hypothesis strategies over whole sessions: what a client may send to a server, and a server to a client."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from smtpcore import INTEROP, LAX, STRICT, BareNewlines, Capabilities, ServerLimits
from smtpcore import extensions as ext
from tests.session.helpers import EHLO, ENVELOPE, FULL
from tests.strategies import command_lines, contents, joined

#: Whole lines, so that a session gets anywhere at all; with who is refused by choosy applications among the paths.
LINES = (
    EHLO,
    b"HELO crepes.fr\r\n",
    b"MAIL FROM:<alice@crepes.fr>\r\n",
    b"MAIL FROM:<> SIZE=100\r\n",
    b"MAIL FROM:<550@x>\r\n",
    b"RCPT TO:<bob@hamburger.edu>\r\n",
    b"RCPT TO:<450@x>\r\n",
    b"RCPT TO:<550@x>\r\n",
    b"DATA\r\n",
    b"Subject: x\r\n\r\nhello\r\n.\r\n",
    b".\r\n",
    b"BDAT 7\r\nhello\r\n",
    b"BDAT 1\r\n\r",
    b"BDAT 3 LAST\r\n\n.\r",
    b"BDAT 0 LAST\r\n",
    b"BDAT 5 LATE\r\nQUIT",
    b"MAIL FROM:<a@b> BODY=BINARYMIME\r\n",
    b"RSET\r\n",
    b"ATRN crepes.fr\r\n",
    b"BURL imap://a\r\n",
    b"BURL imap://a/b LAST\r\n",
    b"ETRN crepes.fr\r\n",
    b"XCLIENT ADDR=192.0.2.1 LOGIN=alice\r\n",
    b"XFORWARD NAME=a\r\n",
    b"NOOP\r\n",
    b"VRFY bob\r\n",
    b"VRFY \xc3\xa9 SMTPUTF8\r\n",
    b"QUIT\r\n",
    b"STARTTLS\r\n",
    b"AUTH PLAIN AGFsaWNlAHNlc2FtZQ==\r\n",
    b"AUTH LOGIN\r\n",
    b"YWxpY2U=\r\n",
    b"*\r\n",
    b"XYZZY\r\n",
    b"MAIL FROM:<a@b\r\n",
    b"NOOP\nQUIT\r\n",
    b"\r\n",
    ENVELOPE + b"DATA\r\n",
    ENVELOPE + b"DATA\r\nhello\r\n.\r\n",
)
#: What breaks lines, contents and limits.
PIECES = (
    b"\r",
    b"\n",
    b"\r\n",
    b".",
    b"\0",
    b"\r\n.\r\n",
    b"\n.\n",
    b"a",
    b"x" * 600,
    b"AUTH ",
    b"NOOP ",
)

lines: SearchStrategy[bytes] = st.sampled_from(LINES)
pieces: SearchStrategy[bytes] = st.one_of(
    lines, st.sampled_from(PIECES), contents, command_lines.map(lambda line: line + b"\r\n")
)


@st.composite
def sessions(draw: DrawFn, max_size: int = 14) -> bytes:
    """What a client may say, from its first octet to its last; most of it makes sense, some of it does not."""
    start = draw(st.sampled_from([b"", EHLO, EHLO, EHLO + ENVELOPE, EHLO + ENVELOPE + b"DATA\r\n"]))
    return start + b"".join(draw(st.lists(st.one_of(lines, pieces), max_size=max_size)))


@st.composite
def server_options(draw: DrawFn) -> dict[str, Any]:
    """What the owner of a server may have chosen."""
    return {
        "capabilities": draw(st.sampled_from([FULL, Capabilities(), Capabilities(ext.SIZE(50), ext.PIPELINING)])),
        "strictness": draw(st.sampled_from([INTEROP, STRICT, LAX])),
        "bare_newlines": draw(st.sampled_from(list(BareNewlines))),
        "limits": draw(st.sampled_from([ServerLimits(), ServerLimits(size=20, command_line=512, errors=2)])),
        "require_auth": draw(st.booleans()),
        "require_tls": draw(st.sampled_from([False, False, True])),
        "allow_plaintext_auth": draw(st.booleans()),
    }


REPLIES = (
    b"250 ok\r\n",
    b"250 2.1.5 ok\r\n",
    b"250-hamburger.edu\r\n250-PIPELINING\r\n250-AUTH PLAIN\r\n250 SIZE 100\r\n",
    b"250 x\r\n",
    b"220 hello\r\n",
    b"354 go\r\n",
    b"334 \r\n",
    b"235 welcome\r\n",
    b"450 later\r\n",
    b"550-no\r\n550 no\r\n",
    b"503 what\r\n",
    b"554 no\r\n",
    b"221 bye\r\n",
    b"421 going down\r\n",
)
BROKEN_REPLIES = (b"250", b"-", b" ", b"ok", b"\r\n", b"\r", b"\n", b"600 x\r\n", b"2", b"\0", b"250-a\r\n251 b\r\n")

replies: SearchStrategy[bytes] = st.sampled_from(REPLIES)
reply_streams: SearchStrategy[bytes] = st.one_of(
    st.lists(replies, max_size=14).map(b"".join), joined((*REPLIES, *REPLIES, *BROKEN_REPLIES), max_size=14)
)
codes = st.one_of(st.sampled_from([250, 251, 354, 450, 451, 550, 554, 421]), st.integers(200, 599))
