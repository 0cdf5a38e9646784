"""Where content ends, and what is in it: the cases EOD and BD, whole, octet by octet and cut at every place."""

from __future__ import annotations

import tracemalloc

import pytest

from smtpcore import BareNewlines, ParseError
from smtpcore.wire.chunks import ChunkReader
from smtpcore.wire.content import DotStuffer, DotUnstuffer
from smtpcore.wire.meter import ContentMeter, Excess
from smtpcore.wire.newlines import find_bare
from smtpcore.wire.parameter import parse_number
from tests.vectors.wire import CHUNKS, CONTENTS, NO_NUMBERS, SENT
from tests.wire.feeding import Received, read_chunks, stuff, unstuff
from tests.wire.oracles import end_of_data, first_bare, splits, under_policy, unstuffed


@pytest.mark.parametrize("case", CONTENTS, ids=lambda case: case.id)
def test_vectors_agree_with_the_oracle(case):
    assert end_of_data(case.stream) == len(case.stream) - len(case.rest)
    assert unstuffed(case.stream) == case.content
    assert first_bare(case.content) == case.bare == find_bare(case.content)


@pytest.mark.parametrize("policy", BareNewlines, ids=lambda policy: policy.value)
@pytest.mark.parametrize("case", CONTENTS, ids=lambda case: case.id)
def test_end_of_data(case, policy):
    expected = Received(under_policy(case.content, policy.value), True, case.rest, case.bare)
    for parts in splits(case.stream):
        assert unstuff(parts, policy) == expected, parts


@pytest.mark.parametrize("case", CONTENTS, ids=lambda case: case.id)
def test_nothing_ends_early(case):
    """Any octet short of the end of data is not the end."""
    for length in range(end_of_data(case.stream)):
        assert not unstuff([case.stream[:length]]).eof


@pytest.mark.parametrize(
    ("parts", "content"),
    [
        pytest.param([b"..", b"\r\nNOOP x\r\n.\r\n"], b".\r\nNOOP x\r\n", id="EOD-20"),
        pytest.param([b"a\r\n.\r", b"\n"], b"a\r\n", id="EOD-21"),
        pytest.param([b"x" * 4095 + b"\r", b"\n.\r\n"], b"x" * 4095 + b"\r\n", id="EOD-22"),
        pytest.param([b"", b".", b"", b"\r", b"", b"\n"], b"", id="EOD-18-nothing-between"),
    ],
)
def test_end_of_data_as_cut(parts, content):
    assert unstuff(parts) == Received(content, True, b"", -1)


@pytest.mark.parametrize("chunk", [1000, 65_536, 2 << 20])
def test_eod_23_line_without_end(chunk):
    """EOD-23: refused, in step, and nothing of it kept."""
    reader, meter = DotUnstuffer(), ContentMeter(None, 65_536)
    line = b"a" * chunk
    kept = 0
    tracemalloc.start()
    for _ in range((2 << 20) // chunk):
        kept += len(meter.feed(reader.receive(line)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    kept += len(meter.feed(reader.receive(b"\r\n.\r\nNOOP\r\n")))
    assert meter.excess is Excess.LINE
    assert kept == 65_536
    assert reader.eof
    assert reader.unused_data == b"NOOP\r\n"
    assert peak < 3 * chunk + 4096


def test_eod_24_too_big():
    """EOD-24: the end is found behind the limit too, and what follows is no part of the message."""
    for parts in splits(b"abcdef\r\n.x\r\n.\r\nNOOP\r\n"):
        reader, meter = DotUnstuffer(), ContentMeter(5, 1000)
        content = b"".join([meter.feed(reader.receive(part)) for part in parts])
        assert (content, meter.excess, reader.eof, reader.unused_data) == (b"abcde", Excess.SIZE, True, b"NOOP\r\n")


@pytest.mark.parametrize("stream", [b"", b"a", b"a\r\n", b"a\r\n.", b"a\r\n.\r", b".", b".\r", b"a\r\n.\n", b"a\n.\n"])
def test_eod_25_end_of_stream(stream):
    """EOD-25: what has no end of data is no message."""
    for parts in splits(stream):
        received = unstuff(parts)
        assert not received.eof
        assert not received.rest


# --- sending -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("parts", "strict", "mended"), [case[1:] for case in SENT], ids=[case[0] for case in SENT])
def test_sent(parts, strict, mended):
    assert stuff(parts) == strict
    assert stuff(parts, BareNewlines.NORMALIZE) == mended
    for again in splits(b"".join(parts)):
        assert stuff(again) == strict
        assert stuff(again, BareNewlines.NORMALIZE) == mended


def test_after_a_refusal_nothing_ends_the_content():
    """What failed can be neither continued nor finished: no end of data is written by mistake."""
    writer = DotStuffer()
    assert writer.stuff(b"a\r\n") == b"a\r\n"
    with pytest.raises(ParseError) as caught:
        writer.stuff(b"b\nc")
    assert caught.value.where == 4
    for call in (lambda: writer.stuff(b"d\r\n"), writer.finish, writer.finish):
        with pytest.raises(ParseError):
            call()


@pytest.mark.parametrize("policy", [BareNewlines.SPACE, BareNewlines.PASS])
def test_not_for_sending(policy):
    with pytest.raises(ValueError, match="REJECT or NORMALIZE"):
        DotStuffer(policy)


# --- chunks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", BareNewlines, ids=lambda policy: policy.value)
@pytest.mark.parametrize(
    ("stream", "sizes", "content", "bare"), [case[1:] for case in CHUNKS], ids=[case[0] for case in CHUNKS]
)
def test_chunks(stream, sizes, content, bare, policy):
    expected = Received(under_policy(content, policy.value), True, stream[sum(sizes) :], bare)
    for parts in splits(stream):
        assert read_chunks(parts, sizes, policy) == expected, parts


@pytest.mark.parametrize("text", [case[1] for case in NO_NUMBERS], ids=[case[0] for case in NO_NUMBERS])
def test_no_numbers(text):
    """BD-05, BD-06: refused before anything is made of it."""
    with pytest.raises(ParseError):
        parse_number(text)


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("00", 0), ("9" * 20, 10**20 - 1), ("0" * 19 + "7", 7)])
def test_numbers(text, number):
    assert parse_number(text) == number


def test_bd_07_many_small_chunks():
    """BD-07: a hundred thousand chunks of an octet are held nowhere."""
    reader = ChunkReader()
    tracemalloc.start()
    count = 0
    for _ in range(100_000):
        reader.begin(1, last=False)
        count += len(reader.receive(b"a"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 100_000
    assert reader.remaining == 0
    assert peak < 10_000


def test_bd_08_order_of_chunks():
    """BD-08: no chunk behind the last one, and none within another."""
    reader = ChunkReader()
    reader.begin(2, last=False)
    with pytest.raises(ValueError, match="not complete"):
        reader.begin(1, last=False)
    assert reader.receive(b"ab") == b"ab"
    with pytest.raises(ValueError, match="no such size"):
        reader.begin(-1, last=False)
    assert not reader.eof
    assert reader.begin(0, last=True) == b""
    assert reader.eof
    with pytest.raises(ValueError, match="was the last"):
        reader.begin(0, last=True)


def test_a_cr_at_the_very_end_of_the_last_chunk_is_bare():
    assert read_chunks([b"a\r"], [2]) == Received(b"a", True, b"", 1)
    assert read_chunks([b"a\r"], [2, 0], BareNewlines.NORMALIZE) == Received(b"a\r\n", True, b"", 1)


def test_octets_behind_the_chunk_wait():
    reader = ChunkReader()
    reader.begin(1, last=True)
    assert reader.receive(b"aQU") == b"a"
    assert reader.receive(b"IT") == b""
    assert reader.unused_data == b"QUIT"


@pytest.mark.parametrize("policy", [BareNewlines.REJECT, BareNewlines.NORMALIZE])
def test_a_stuffer_begins_anew_behind_the_end_of_data(policy):
    stuffer = DotStuffer(policy)
    for content in (b"a", b".b\r\n", b"", b"c\r\n.d"):
        again = DotStuffer(policy)
        assert stuffer.stuff(content) + stuffer.finish() == again.stuff(content) + again.finish()
    with pytest.raises(ParseError) as caught:
        DotStuffer().stuff(b"ab\n")
    used = DotStuffer()
    used.stuff(b"something\r\n")
    used.finish()
    with pytest.raises(ParseError) as later:
        used.stuff(b"ab\n")
    assert later.value.where == caught.value.where == 2


def test_a_stuffer_begins_anew_behind_a_cr_held_back():
    stuffer = DotStuffer(BareNewlines.NORMALIZE)
    assert stuffer.stuff(b"a\r") + stuffer.finish() == b"a\r\n.\r\n"
    assert stuffer.stuff(b"\nb") + stuffer.finish() == b"\r\nb\r\n.\r\n"


def test_offsets_begin_anew_behind_a_cr_cut_from_its_lf():
    stuffer = DotStuffer()
    assert stuffer.stuff(b"a\r") + stuffer.stuff(b"\n") + stuffer.finish() == b"a\r\n.\r\n"
    with pytest.raises(ParseError) as caught:
        stuffer.stuff(b"ab\n")
    assert caught.value.where == 2
