"""I11: what streams through takes no memory, and what is held is bounded."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from smtpcore import RemoteProtocolError, ReplyReader
from smtpcore.wire.buffer import ReceiveBuffer
from smtpcore.wire.chunks import ChunkReader
from smtpcore.wire.content import DotStuffer, DotUnstuffer
from smtpcore.wire.meter import ContentMeter
from smtpcore.wire.newlines import BareNewlines, NewlineFilter

pytestmark = pytest.mark.law(14)

CHUNK = 65_536
TOTAL = 32 << 20
#: A few copies of the chunk in hand, the worst of them one in lines of three octets; however much has come.
BOUND = 40 * CHUNK

FAMILIES = {
    "no-line-end": b"a" * CHUNK,
    "lines": b"x" * 62 + b"\r\n",
    "short-lines": b"a\r\n\r",
    "dots": b"\r\n..",
    "half-an-end": b"\r\n.\r\r\n.\n",
    "cr": b"\r",
    "lf": b"\n",
    "nul": b"\0",
}


def peak_of(run: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def chunks(piece: bytes, total: int = TOTAL) -> Iterator[bytes]:
    chunk = (piece * (CHUNK // len(piece)))[:CHUNK]
    for _ in range(total // CHUNK):
        yield chunk


def chunked() -> Callable[[bytes], object]:
    reader = ChunkReader(BareNewlines.PASS)

    def feed(data: bytes) -> None:
        reader.begin(len(data), last=False)
        reader.receive(data)

    return feed


CODECS: dict[str, Callable[[], Callable[[bytes], object]]] = {
    "unstuff": lambda: DotUnstuffer().receive,
    "unstuff-pass": lambda: DotUnstuffer(BareNewlines.PASS).receive,
    "stuff": lambda: DotStuffer(BareNewlines.NORMALIZE).stuff,
    "filter": lambda: NewlineFilter(BareNewlines.SPACE).feed,
    "meter": lambda: ContentMeter(None, 1 << 40).feed,
    "chunks": chunked,
}


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("family", FAMILIES)
def test_content_streams(codec, family):
    total = TOTAL if family == "no-line-end" else TOTAL // 128

    def run() -> None:
        feed = CODECS[codec]()
        for chunk in chunks(FAMILIES[family], total):
            feed(chunk)

    assert peak_of(run) < BOUND


@pytest.mark.parametrize(
    "piece",
    [
        b"250-more\r\n",
        b"250 " + b"x" * 16_384,
        b"x" * CHUNK,
        b"\r" * CHUNK,
        b"250-" + b"y" * 2000 + b"\r\n",
        b"250-\r\n",
    ],
)
def test_res_02_replies_without_end(piece):
    """A reply that never ends is refused before it is big, however the limits are met."""
    reader = ReplyReader()

    def run() -> None:
        for chunk in chunks(piece):
            reader.receive(chunk)
            try:
                while reader.next_reply():
                    pass
            except RemoteProtocolError:
                return
        raise AssertionError("never refused")

    assert peak_of(run) < reader.size_limit * 4 + 256 * 1024


def test_replies_that_end_are_not_kept():
    reader = ReplyReader()

    def run() -> None:
        for chunk in chunks(b"250 ok\r\n", TOTAL // 64):
            reader.receive(chunk)
            while reader.next_reply():
                pass

    assert peak_of(run) < BOUND


@pytest.mark.parametrize("size", [1, 7, CHUNK])
def test_lines_taken_are_not_kept(size):
    """A buffer that is emptied as fast as it is filled holds what came last."""
    total = 1 << 16 if size < CHUNK else 1 << 20

    def run() -> None:
        buffer = ReceiveBuffer()
        piece = (b"NOOP x\r\n" * (size // 8 + 1))[:size]
        line = b"y" * 100 + b"\r\n"
        for number in range(total // size):
            buffer.append(piece)
            if not number % 50:
                buffer.append(line)
            while buffer.take_line() is not None:
                pass

    assert peak_of(run) < BOUND


def test_octets_behind_the_end_are_held_once():
    """What follows the end of data is kept for who asks, and costs itself."""
    reader = DotUnstuffer()
    reader.receive(b".\r\n")

    def run() -> None:
        for chunk in chunks(b"QUIT\r\n", 1 << 20):
            reader.receive(chunk)

    assert peak_of(run) < (1 << 20) * 2.5
    assert len(reader.unused_data) == sum(map(len, chunks(b"QUIT\r\n", 1 << 20)))
