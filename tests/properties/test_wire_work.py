"""I10: work is linear in octets, whatever their shape and however they are cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import log
from time import process_time
from typing import Any

import pytest

from smtpcore import AddressLiteral, Capabilities, Domain, Mailbox, ParseError, ReplyReader, Secret
from smtpcore.extensions.auth import AuthResponse, decode_base64
from smtpcore.wire import buffer as buffer_module
from smtpcore.wire import content as content_module
from smtpcore.wire.buffer import ReceiveBuffer
from smtpcore.wire.chunks import ChunkReader
from smtpcore.wire.content import DotStuffer, DotUnstuffer
from smtpcore.wire.meter import ContentMeter
from smtpcore.wire.newlines import BareNewlines, NewlineFilter
from smtpcore.wire.secret import scrub
from smtpcore.wire.tolerance import LAX
from smtpcore.wire.xtext import decode_xtext, encode_xtext
from tests.conftest import profile
from tests.wire.counting import Counted, CountedArray, cost, growth
from tests.wire.feeding import parsed

pytestmark = pytest.mark.law(14)

LINEAR = 1.1
SMALL = 1 << (8 if profile() != "ci" else 10)

#: What the octets of a stream are repetitions of.
SHAPES = {
    "no-line-end": b"a",
    "line-ends": b"\r\n",
    "cr": b"\r",
    "lf": b"\n",
    "dots": b".",
    "dot-lines": b".\r\n.a\r\n",
    "stuffed": b"\r\n..",
    "half-an-end": b"\r\n.\r",
    "lf-ends": b"\n.\n",
    "cr-cr-lf": b"\r\r\n",
    "short-lines": b"ab\r\n",
    "lines": b"x" * 70 + b"\r\n",
    "nul": b"\0",
}
CUTS: dict[str, Callable[[bytes], list[bytes]]] = {
    "whole": lambda data: [Counted(data)],
    "one": lambda data: [Counted(data[i : i + 1]) for i in range(len(data))],
    "three": lambda data: [Counted(data[i : i + 3]) for i in range(0, len(data), 3)],
    "half": lambda data: [
        Counted(data[: len(data) // 2]),
        *[Counted(data[i : i + 1]) for i in range(len(data) // 2, len(data))],
    ],
}


def fed(make: Callable[[], Any], method: str) -> Callable[[list[bytes]], None]:
    """A codec of that kind, given part after part."""

    def run(parts: list[bytes]) -> None:
        feed = getattr(make(), method)
        for part in parts:
            feed(part)

    return run


def lines(parts: list[bytes]) -> None:
    buffer = ReceiveBuffer()
    for part in parts:
        buffer.append(part)
        while buffer.take_line() is not None:
            pass


def halves(parts: list[bytes]) -> None:
    buffer = ReceiveBuffer()
    for part in parts:
        buffer.append(part)
        buffer.take(max(1, len(part) // 2))


def in_place(parts: list[bytes]) -> None:
    """Content as a server takes it: from the buffer's own octets, behind what was taken already."""
    buffer, reader = ReceiveBuffer(), DotUnstuffer(BareNewlines.PASS)
    for part in parts:
        buffer.append(part)
        _, end = reader.take(*buffer.view())
        buffer.seek(end)
        if reader.eof:
            buffer.clear()
            reader = DotUnstuffer()


def chunked(parts: list[bytes]) -> None:
    reader = ChunkReader(BareNewlines.NORMALIZE)
    for part in parts:
        reader.begin(len(part), last=False)
        reader.receive(part)


CODECS: dict[str, Callable[[list[bytes]], None]] = {
    "buffer-lines": lines,
    "buffer-octets": halves,
    "unstuff": fed(lambda: DotUnstuffer(BareNewlines.PASS), "receive"),
    "unstuff-in-place": in_place,
    "unstuff-reject": fed(DotUnstuffer, "receive"),
    "unstuff-normalize": fed(lambda: DotUnstuffer(BareNewlines.NORMALIZE), "receive"),
    "stuff": fed(lambda: DotStuffer(BareNewlines.NORMALIZE), "stuff"),
    "filter": fed(lambda: NewlineFilter(BareNewlines.SPACE), "feed"),
    "meter": fed(lambda: ContentMeter(None, 65_536), "feed"),
    "meter-of-short-lines": fed(lambda: ContentMeter(10_000_000, 1000), "feed"),
    "chunks": chunked,
}


@pytest.fixture(autouse=True)
def counted_buffers(monkeypatch):
    for module in (buffer_module, content_module):
        monkeypatch.setattr(module, "bytearray", CountedArray, raising=False)


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("codec", CODECS)
def test_res_03_codecs(codec, cut):
    run = CODECS[codec]
    for name, shape in SHAPES.items():

        def work(count: int, shape: bytes = shape) -> Callable[[], object]:
            parts = CUTS[cut](shape * count)
            return lambda: run(parts)

        size = SMALL * (16 if cut == "whole" else 1) // len(shape)
        exponent = growth(work, size)
        if exponent > LINEAR:
            # A step in the cost of each octet, as where windows begin, is no growth: beyond it there is none.
            exponent = growth(work, size * 4)
        assert exponent <= LINEAR, name


REPLIES = {
    "single": lambda count: b"250 ok\r\n" * count,
    "one-of-many-lines": lambda count: b"250-ok\r\n" * count + b"250 ok\r\n",
    "one-long-line": lambda count: b"250 " + b"x" * (8 * count) + b"\r\n",
    "endless-line": lambda count: b"250 " + b"x" * (8 * count),
    "enhanced": lambda count: b"250-2.1.0 a\r\n" * count + b"250 2.1.0 b\r\n",
    "line-ends-cut": lambda count: b"250 " + b"\xff" * (4 * count) + b"\r\n",
    "controls": lambda count: b"250 " + b"\x1b" * (4 * count) + b"\r\n",
}


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("family", REPLIES)
def test_res_04_replies(family, cut):
    def work(size: int) -> Callable[[], object]:
        parts = CUTS[cut](REPLIES[family](size // 8))

        def run() -> None:
            reader = ReplyReader(1 << 30, 1 << 30, 1 << 30)
            for part in parts:
                reader.receive(part)
                while reader.next_reply():
                    pass

        return run

    assert growth(work, SMALL) <= LINEAR


def test_a_search_that_starts_anew_is_seen():
    """The counters have teeth: quadratic work in C, and in Python, is found out."""

    def forgetful(size: int) -> Callable[[], object]:
        def run() -> None:
            held = CountedArray()
            for _ in range(size):
                held += b"a"
                held.find(b"\r\n")

        return run

    def growing(size: int) -> Callable[[], object]:
        def run() -> None:
            held: bytes = Counted()
            for _ in range(size):
                held = held + b"a"

        return run

    assert growth(forgetful, 256) > 1.8
    assert growth(growing, 256) > 1.8
    assert cost(lambda: Mailbox.parse("a@b")) > 20


# --- grammar: n times a piece, which must be refused or read in linear time ----------------------------

TEXTS: dict[str, tuple[Callable[[str], object], Callable[[int], str]]] = {
    "local-part": (Mailbox.parse, lambda n: "a" * n + "@b"),
    "local-part-only": (Mailbox.parse, lambda n: "a" * n),
    "dots": (Mailbox.parse, lambda n: "a." * n),
    "quoted": (Mailbox.parse, lambda n: '"' + "a" * n),
    "quoted-pairs": (Mailbox.parse, lambda n: '"' + '\\"' * n),
    "quoted-backslashes": (Mailbox.parse, lambda n: '"' + "\\" * n),
    "beyond-ascii": (Mailbox.parse, lambda n: "\u00e9" * n + "@b"),
    "at": (Mailbox.parse, lambda n: "a@" * n),
    "labels": (Domain, lambda n: "a." * n),
    "hyphens": (Domain, lambda n: "a" + "-" * n),
    "hyphens-and-letters": (Domain, lambda n: "a-" * n),
    "one-label": (Domain, lambda n: "a" * n),
    "u-labels": (Domain, lambda n: "\u00e9." * n),
    "literal": (AddressLiteral.parse, lambda n: "[" + "a" * n + "]"),
    "literal-tag": (AddressLiteral.parse, lambda n: "[" + "a-" * n + ":x]"),
    "literal-open": (AddressLiteral.parse, lambda n: "[" * n),
    "literal-colons": (AddressLiteral.parse, lambda n: "[IPv6:" + ":" * n + "]"),
    "literal-groups": (AddressLiteral.parse, lambda n: "[IPv6:" + "1:" * n + "]"),
    "literal-ipv4": (AddressLiteral.parse, lambda n: "[" + "1." * n + "]"),
    "comments": (Mailbox.parse, lambda n: "(" * n + ")" * n + "a@b"),
    "groups": (Mailbox.parse, lambda n: "g: " * n),
    "xtext": (decode_xtext, lambda n: "+41" * n),
    "xtext-pluses": (decode_xtext, lambda n: "+" * n),
    "xtext-half": (decode_xtext, lambda n: "a" * n + "+"),
    "to-xtext": (encode_xtext, lambda n: "+" * n),
    "base64": (decode_base64, lambda n: "QUFB" * n),
    "base64-padding": (decode_base64, lambda n: "=" * n),
    "base64-blanks": (decode_base64, lambda n: "Q " * n),
    "capabilities": (
        lambda text: Capabilities.parse(text.split(",")),
        lambda n: ",".join(f"X{i} a b" for i in range(n)),
    ),
    "capability-words": (lambda text: Capabilities.parse([text]), lambda n: "AUTH" + " PLAIN" * n),
    "scrub": (lambda text: scrub(text, [Secret(b"\0alice\0secret")]), lambda n: "secre " * n),
    "scrub-of-much": (lambda text: scrub("235 ok", [Secret(text.encode())]), lambda n: "ab" * n),
    "scrub-of-many": (lambda text: scrub(text, [Secret(b"pass%d" % i) for i in range(4)]), lambda n: "x" * n),
}
LINES: dict[str, Callable[[int], bytes]] = {
    "mail": lambda n: b"MAIL FROM:<" + b"a" * n + b"@b>",
    "mail-open": lambda n: b"MAIL FROM:<" + b"a" * n,
    "mail-angles": lambda n: b"MAIL FROM:" + b"<" * n,
    "route": lambda n: b"MAIL FROM:<" + b"@a," * n + b"@a:b@c>",
    "route-open": lambda n: b"MAIL FROM:<" + b"@a," * n,
    "parameters-unknown": lambda n: b"MAIL FROM:<> " + b"X" * n + b"=1",
    "parameters-twice": lambda n: b"MAIL FROM:<>" + b" SIZE=1" * n,
    "parameters-digits": lambda n: b"MAIL FROM:<> SIZE=" + b"1" * n,
    "parameters-hyphens": lambda n: b"MAIL FROM:<> A" + b"-" * n,
    "parameters-equals": lambda n: b"MAIL FROM:<> SIZE" + b"=" * n,
    "parameters-octets": lambda n: b"MAIL FROM:<> AUTH=" + b"\xff" * n,
    "parameters-xtext": lambda n: b"MAIL FROM:<> AUTH=" + b"+41" * n + b"@b",
    "ehlo": lambda n: b"EHLO " + b"a." * n,
    "ehlo-hyphens": lambda n: b"EHLO " + b"-" * n,
    "vrfy": lambda n: b"VRFY " + b"a " * n + b"\t",
    "blanks": lambda n: b"NOOP" + b" " * n,
    "verb": lambda n: b"X" * n,
    "nul": lambda n: b"\0" * n,
    "auth": lambda n: b"AUTH PLAIN " + b"QUFB" * n,
    "auth-mechanism": lambda n: b"AUTH " + b"-" * n,
}


def families() -> Iterator[Any]:
    for name, (read, text) in TEXTS.items():
        yield pytest.param(read, text, id=name)
    for name, line in LINES.items():
        yield pytest.param(lambda line: parsed(line, LAX), line, id=f"line-{name}")
    yield pytest.param(AuthResponse.parse_line, lambda n: b"QUFB" * n, id="line-response")


def attempt(read: Callable[[Any], object], text: Any) -> None:
    try:
        read(text)
    except ParseError:
        pass


@pytest.mark.parametrize(("read", "text"), list(families()))
def test_res_05_res_07_grammar(read, text):
    attempt(read, text(2))  # what is imported late is not counted

    def work(size: int) -> Callable[[], object]:
        made = text(size)
        return lambda: attempt(read, made)

    assert growth(work, SMALL * 2, 8) <= LINEAR
    # A match of a pattern is one opcode, so time has to tell; not how linear it is, but whether it is worse than that.
    for _ in range(5):
        if measured_growth(work, 4096, 8) < 1.6:
            return
    pytest.fail("takes more than linear time")


def measured_growth(work: Callable[[int], Callable[[], object]], small: int, factor: int) -> float:
    return log(seconds(work(small * factor)) / seconds(work(small))) / log(factor)


def seconds(run: Callable[[], object]) -> float:
    """The least of a few measurements; never so little that the clock would be what is measured."""
    best = float("inf")
    for _ in range(3):
        begun = process_time()
        run()
        best = min(best, process_time() - begun)
    return best + 20e-6
