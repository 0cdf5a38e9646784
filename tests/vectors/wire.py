"""Cases that real mail software got wrong, octet by octet, each with the id by which the project knows it.

Facts only: what comes in, and what must come of it. The tests say how it is tried.
"""

from __future__ import annotations

from typing import NamedTuple


class Content(NamedTuple):
    """What came behind 354."""

    id: str
    stream: bytes
    content: bytes  #: What the message is when bare CR and LF are let through.
    bare: int = -1  #: The offset in the content of the first of these; with one the message is refused.
    rest: bytes = b""  #: What lies behind the end of data.


CONTENTS = [
    Content("EOD-01", b"a\n.\nMAIL FROM:<e@x>\r\n.\r\n", b"a\n.\nMAIL FROM:<e@x>\r\n", 1),
    Content("EOD-02", b"a\n.\r\nNOOP\r\n.\r\n", b"a\n.\r\nNOOP\r\n", 1),
    Content("EOD-03", b"a\r\n.\nNOOP\r\n.\r\n", b"a\r\n\nNOOP\r\n", 3),
    Content("EOD-04", b"a\r.\rNOOP\r\n.\r\n", b"a\r.\rNOOP\r\n", 1),
    Content("EOD-05", b"a\r\n.\rNOOP\r\n.\r\n", b"a\r\n\rNOOP\r\n", 3),
    Content("EOD-06-cr-crlf", b"a\r.\r\nNOOP\r\n.\r\n", b"a\r.\r\nNOOP\r\n", 1),
    Content("EOD-06-cr-lf", b"a\r.\nNOOP\r\n.\r\n", b"a\r.\nNOOP\r\n", 1),
    Content("EOD-06-lf-cr", b"a\n.\rNOOP\r\n.\r\n", b"a\n.\rNOOP\r\n", 1),
    Content("EOD-07", b"a\r\n.\r\r\nNOOP\r\n.\r\n", b"a\r\n\r\r\nNOOP\r\n", 3),
    Content("EOD-08", b"a\r\r\n.\r\n", b"a\r\r\n", 1),
    Content("EOD-09", b"a\r\n\x00.\r\nb\r\n.\r\n", b"a\r\n\x00.\r\nb\r\n"),
    Content("EOD-10", b"a\r\n.\x00\r\nb\r\n.\r\n", b"a\r\n\x00\r\nb\r\n"),
    Content("EOD-11-space", b"a\r\n. \r\nb\r\n.\r\n", b"a\r\n \r\nb\r\n"),
    Content("EOD-11-tab", b"a\r\n.\t\r\nb\r\n.\r\n", b"a\r\n\t\r\nb\r\n"),
    Content("EOD-12", b".\r\n", b""),
    Content("EOD-13", b"\r\n.\r\n", b"\r\n"),
    Content("EOD-14", b"..\r\n.\r\n", b".\r\n"),
    Content("EOD-15", b"..a\r\n...\r\n.\r\n", b".a\r\n..\r\n"),
    Content("EOD-16", b".a\r\n.\r\n", b"a\r\n"),
    Content("EOD-17", b"..x\r\n.\r\n", b".x\r\n"),
    Content("EOD-18", b".\r\nQUIT\r\n", b"", rest=b"QUIT\r\n"),
    Content("EOD-19", b"a\x0b.\x0cb\x85.\xe2\x80\xa8.\r\n.\r\n", b"a\x0b.\x0cb\x85.\xe2\x80\xa8.\r\n"),
    Content("EOD-20", b"..\r\nNOOP x\r\n.\r\n", b".\r\nNOOP x\r\n"),
    Content("EOD-21", b"a\r\n.\r\n", b"a\r\n"),
    Content("EOD-22", b"x" * 4095 + b"\r\n.\r\n", b"x" * 4095 + b"\r\n"),
]

#: What the application hands over in pieces; what is sent, None where it is refused; the same when newlines are mended.
SENT: list[tuple[str, list[bytes], bytes | None, bytes]] = [
    ("bare-lf", [b"a\n.\nb"], None, b"a\r\n..\r\nb\r\n.\r\n"),
    ("bare-cr", [b"a\r.\rb"], None, b"a\r\n..\r\nb\r\n.\r\n"),
    ("lone-dot", [b".\r\n"], b"..\r\n.\r\n", b"..\r\n.\r\n"),
    ("nothing", [b""], b".\r\n", b".\r\n"),
    ("no-line-end", [b"a"], b"a\r\n.\r\n", b"a\r\n.\r\n"),
    ("cut-crlf", [b"a\r", b"\n.b"], b"a\r\n..b\r\n.\r\n", b"a\r\n..b\r\n.\r\n"),
    ("chunk-is-no-line", [b"a", b".b"], b"a.b\r\n.\r\n", b"a.b\r\n.\r\n"),
    ("chunk-after-line", [b"a\r\n", b".b"], b"a\r\n..b\r\n.\r\n", b"a\r\n..b\r\n.\r\n"),
    ("cr-at-the-end", [b"a\r"], None, b"a\r\n.\r\n"),
    ("leading-dot", [b".a\r\n.b\r\n"], b"..a\r\n..b\r\n.\r\n", b"..a\r\n..b\r\n.\r\n"),
    ("lf-first", [b"\n"], None, b"\r\n.\r\n"),
    ("lf-cr", [b"\n\r"], None, b"\r\n\r\n.\r\n"),
]

#: Octets of BDAT chunks, their sizes, and the content.
CHUNKS: list[tuple[str, bytes, list[int], bytes, int]] = [
    ("BD-01", b"MAIL FROMQUIT\r\n", [9], b"MAIL FROM", -1),
    ("BD-02", b"a\r\n", [3, 0], b"a\r\n", -1),
    ("BD-03", b"a\r\n.\r\n", [2, 4], b"a\r\n.\r\n", -1),
    ("BD-04", b"a\nb", [3], b"a\nb", 1),
    ("BD-08-empty-first", b"ab", [0, 1, 0, 1], b"ab", -1),
]

#: The number behind BDAT as it may not stand there.
NO_NUMBERS = [
    ("BD-05-underscore", "1_0"), ("BD-05-plus", "+5"), ("BD-05-minus", "-1"), ("BD-05-space", " 5"),
    ("BD-05-empty", ""), ("BD-05-arabic", "\u0663"), ("BD-05-octets", "\udcd9\udca3"),
    ("BD-05-newline", "5\n"), ("BD-05-hex", "0x5"), ("BD-06", "99999999999999999999999"),
]  # fmt: skip

#: Replies that are none.
NO_REPLIES = [
    ("SYN-04", b"\r\n250 ok\r\n"),
    ("SYN-05", b"250-a\r\n251 b\r\n"),
    ("SYN-10-underscore", b"2_5 ok\r\n"),
    ("SYN-10-space", b" 25 ok\r\n"),
    ("SYN-10-plus", b"+25 ok\r\n"),
    ("SYN-10-four-digits", b"2500 ok\r\n"),
    ("SYN-10-arabic", b"\xd9\xa2\xd9\xa5\xd9\xa0 ok\r\n"),
    ("SYN-10-zero", b"099 x\r\n"),
    ("SYN-10-six", b"600 x\r\n"),
    ("SYN-10-one", b"150 x\r\n"),
    ("SYN-10-no-separator", b"250ok\r\n"),
    ("SYN-10-two-digits", b"25\r\n"),
    ("SYN-10-bare-lf", b"250 ok\n250 ok\r\n"),
    ("SYN-10-bare-cr", b"250 ok\r250 ok\r\n"),
    ("SYN-10-nul", b"250 o\0k\r\n"),
    ("SYN-10-control-in-code", b"25\x1b ok\r\n"),
    ("SYN-03", b"garbage\r\n221 bye\r\n"),
]

#: Replies as they come, with what they say: code, lines, enhanced code.
REPLIES: list[tuple[str, bytes, int, tuple[str, ...], str | None]] = [
    ("SYN-08-ok", b"250 2.1.0 ok\r\n", 250, ("ok",), "2.1.0"),
    ("SYN-08-class", b"250 5.1.1 x\r\n", 250, ("5.1.1 x",), None),
    ("SYN-08-none-for-3", b"354 2.0.0 x\r\n", 354, ("2.0.0 x",), None),
    ("SYN-08-every-line", b"550-5.1.1 a\r\n550 5.1.1 b\r\n", 550, ("a", "b"), "5.1.1"),
    ("SYN-08-first-line", b"550-5.1.1 a\r\n550 b\r\n", 550, ("5.1.1 a", "b"), None),
    ("SYN-08-other-line", b"550-5.1.1 a\r\n550 5.1.10 b\r\n", 550, ("5.1.1 a", "5.1.10 b"), None),
    ("SYN-08-longer", b"250 2.1.0.5 x\r\n", 250, ("2.1.0.5 x",), None),
    ("SYN-08-leading-zero", b"250 2.01.0 x\r\n", 250, ("2.01.0 x",), None),
    ("SYN-08-alone", b"250 2.1.0\r\n", 250, ("",), "2.1.0"),
    ("SYN-09-empty-last", b"550-x\r\n550\r\n", 550, ("x", ""), None),
    ("SYN-09-bare", b"250\r\n", 250, ("",), None),
    ("SYN-09-empty-text", b"250 \r\n", 250, ("",), None),
    ("SYN-09-empty-middle", b"250-\r\n250 \r\n", 250, ("", ""), None),
    ("eight-bit", b"250 \xe9t\xc3\xa9\r\n", 250, ("\udce9t\u00e9",), None),
    ("control", b"550 \x1b[2J\x7f\tx\r\n", 550, ("?[2J?\tx",), None),
]
