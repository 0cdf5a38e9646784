"""I1, I4, I18, I19: how octets are cut changes nothing, what is written is read back, and twice is the same as once."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import BareNewlines
from smtpcore.wire.buffer import ReceiveBuffer
from smtpcore.wire.content import DotUnstuffer
from smtpcore.wire.meter import TEXT_LINE_LIMIT, ContentMeter, Excess
from smtpcore.wire.newlines import NewlineFilter, find_bare
from tests.strategies import clean_contents, command_lines, contents, octets, partitions, replies, reply_streams
from tests.wire import oracles
from tests.wire.feeding import Received, read_chunks, read_replies, stuff, take_lines, unstuff
from tests.wire.oracles import CRLF, end_of_data, first_bare, one_by_one, under_policy, unstuffed

pytestmark = pytest.mark.law(6)

policies = st.sampled_from(BareNewlines)
sending = st.sampled_from([BareNewlines.REJECT, BareNewlines.NORMALIZE])


@given(st.data(), contents, policies)
def test_content_received(data, stream, policy):
    whole = unstuff([stream], policy)
    assert unstuff(data.draw(partitions(stream)), policy) == whole == unstuff(one_by_one(stream), policy)
    end = end_of_data(stream)
    if end >= 0:
        content = unstuffed(stream)
        assert whole == Received(under_policy(content, policy.value), True, stream[end:], first_bare(content))
    else:
        assert not whole.eof


@given(st.data(), contents, policies, octets)
def test_content_within_other_octets(data, stream, policy, before):
    """``take`` at an offset is ``receive`` of what begins there."""
    whole = unstuff([stream], policy)
    reader = DotUnstuffer(policy)
    content, rest = b"", b""
    for part in data.draw(partitions(stream)):
        if reader.eof:
            rest += part
            continue
        found, end = reader.take(before + part, len(before))
        content += found
        rest = (before + part)[end:]
        assert reader.eof or not rest
    assert (content, reader.eof, rest, reader.first_bare) == whole
    assert reader.take(b"more", 2) == (b"", 2) if reader.eof else reader.unused_data == b""


@given(st.data(), contents | clean_contents, sending)
def test_content_sent(data, content, policy):
    whole = stuff([content], policy)
    assert stuff(data.draw(partitions(content)), policy) == whole == stuff(one_by_one(content), policy)
    if policy is BareNewlines.REJECT and first_bare(content) >= 0:
        assert whole is None
    else:
        assert whole == oracles.stuffed(under_policy(content, "normalize"))


@given(st.data(), clean_contents, policies)
def test_i4_what_is_sent_is_received(data, content, policy):
    sent = stuff(data.draw(partitions(content)))
    assert sent is not None
    whole = content if content.endswith(CRLF) or not content else content + CRLF
    assert unstuff(data.draw(partitions(sent + b"QUIT\r\n")), policy) == Received(whole, True, b"QUIT\r\n", -1)


@given(clean_contents, clean_contents)
def test_i4_two_contents_are_not_sent_alike(one, other):
    if stuff([one]) == stuff([other]):
        assert one.removesuffix(CRLF) == other.removesuffix(CRLF)


@given(st.data(), octets | contents, policies)
def test_chunks(data, content, policy):
    """BDAT carries any octets; sizes of chunks and cuts of the stream are two different things."""
    sizes = [len(part) for part in data.draw(partitions(content))]
    expected = Received(under_policy(content, policy.value), True, b"QUIT", first_bare(content))
    assert read_chunks(data.draw(partitions(content + b"QUIT")), sizes, policy) == expected


@given(st.data(), contents, policies)
def test_newlines(data, content, policy):
    newlines = NewlineFilter(policy)
    parts = [newlines.feed(part) for part in data.draw(partitions(content))]
    assert b"".join([*parts, newlines.finish()]) == under_policy(content, policy.value)
    assert newlines.first_bare == first_bare(content) == find_bare(content)
    assert newlines.finish() == b""


@given(st.data(), reply_streams)
def test_replies(data, stream):
    whole = read_replies([stream])
    assert read_replies(data.draw(partitions(stream))) == whole == read_replies(one_by_one(stream))


@given(st.data(), reply_streams, st.tuples(st.integers(3, 12), st.integers(6, 20), st.integers(1, 3)))
def test_replies_under_limits(data, stream, limits):
    whole = read_replies([stream], *limits)
    assert read_replies(data.draw(partitions(stream)), *limits) == whole


@given(st.data(), st.lists(replies(), max_size=4))
def test_replies_written_and_read(data, written):
    stream = b"".join(map(bytes, written))
    read = read_replies(data.draw(partitions(stream)))
    assert not read.failure
    assert not read.pending
    assert read.raw == [bytes(reply) for reply in written]


# --- the buffer ------------------------------------------------------------------------------------


@given(st.data(), st.lists(command_lines, max_size=4).map(CRLF.join))
def test_lines(data, stream):
    *lines, rest = stream.split(CRLF)
    assert take_lines(data.draw(partitions(stream))) == (lines, rest)
    assert take_lines(one_by_one(stream)) == (lines, rest)


@given(st.data(), command_lines)
def test_the_buffer_is_a_queue(data, stream):
    """Any calls in any order: what comes out is what went in, in its order, and no more than is there."""
    buffer = ReceiveBuffer()
    out, held = b"", b""
    for part in data.draw(partitions(stream)):
        buffer.append(part)
        held += part
        match data.draw(st.integers(0, 5)):
            case 0:
                line = buffer.take_line()
                assert (line is None) == (CRLF not in held)
                taken = b"" if line is None else line + CRLF
            case 1:
                limit = data.draw(st.integers(-1, 9))
                taken = buffer.take(limit)
                assert taken == (held if limit < 0 else held[:limit])
            case 2:
                octets, offset = buffer.view()
                assert octets[offset:] == held
                taken = held[: data.draw(st.integers(0, len(held)))]
                buffer.seek(offset + len(taken))
            case 3:
                taken = buffer.take()
                assert taken == held
            case 4:
                buffer.clear()
                out, taken = out + held, b""
                held = b""
            case _:
                taken = b""
        assert held.startswith(taken)
        out, held = out + taken, held[len(taken) :]
        assert len(buffer) == len(held)
        assert bool(buffer) == bool(held)
    assert out + buffer.take() == stream


def test_a_chunk_is_handed_on_as_it_is():
    """No copy is made of what nothing has to be done to."""
    text = (b"x" * 70 + CRLF) * 100
    buffer = ReceiveBuffer()
    buffer.append(text)
    assert buffer.take() is text
    assert DotUnstuffer().receive(text) is text
    assert NewlineFilter().feed(text) is text
    assert ContentMeter(None, 1000).feed(text) is text


# --- the meter -------------------------------------------------------------------------------------


def metered(parts, size, line):
    meter = ContentMeter(size, line)
    kept = b"".join([meter.feed(part) for part in parts])
    return kept, meter.excess, meter.long_line, meter.seen


_runs = st.lists(
    st.one_of(
        st.sampled_from([b"\n", CRLF]),
        st.integers(990, 1010).map(lambda n: b"a" * n),
        st.integers(1, 3000).map(lambda n: b"b" * n),
    ),
    max_size=8,
).map(b"".join)


@given(st.data(), _runs, st.none() | st.integers(0, 5000), st.sampled_from([1, 999, 1000, 1001, 2000, 65_536]))
def test_lengths(data, content, size, line):
    whole = metered([content], size, line)
    assert metered(data.draw(partitions(content)), size, line) == whole
    kept, excess, long_line, seen = whole
    assert content.startswith(kept)
    assert seen == len(kept)
    longest = max([len(found) for found in re.findall(rb"[^\n]*+\n|[^\n]++", kept)], default=0)
    assert longest <= line
    if excess is None:
        assert kept == content
    elif excess is Excess.SIZE:
        assert len(kept) == size
    else:
        assert len(kept) - (kept.rfind(b"\n") + 1) == line
    if line > TEXT_LINE_LIMIT:
        assert (long_line >= 0) == (longest > TEXT_LINE_LIMIT)


@pytest.mark.parametrize("limit", [1, 2, 1000, 1001, 65_536])
def test_i18_line_at_its_limit(limit):
    assert metered([b"a" * (limit - 1) + b"\n"] * 3, None, limit)[1] is None
    assert metered([b"a" * limit + b"\n"], None, limit)[1] is Excess.LINE
    assert metered([b"a" * limit], None, limit)[1] is None
    assert metered([b"a" * limit, b"a"], None, limit)[1] is Excess.LINE


@pytest.mark.parametrize("limit", [0, 1, 1000])
def test_i18_size_at_its_limit(limit):
    assert metered([b"\n" * limit], limit, 1000)[1] is None
    assert metered([b"\n" * limit, b"\n"], limit, 1000)[:2] == (b"\n" * limit, Excess.SIZE)


@given(contents, reply_streams, policies)
def test_i19_twice_is_the_same_as_once(stream, answers, policy):
    assert unstuff([stream], policy) == unstuff([stream], policy)
    assert read_replies([answers]) == read_replies([answers])
    assert take_lines([stream]) == take_lines([stream])
