"""Every string of a few octets, over the octets that matter: where content ends, what it is, and how it is sent.

Six octets are tried out in full whatever the profile. Seven are, with every cut, where the profile is thorough; else
whole and octet by octet.
"""

from __future__ import annotations

import pytest

from smtpcore import BareNewlines
from smtpcore.wire.meter import ContentMeter, Excess
from smtpcore.wire.newlines import NewlineFilter, find_bare, is_clean
from tests.conftest import profile
from tests.wire import oracles
from tests.wire.feeding import Received, read_chunks, stuff, unstuff
from tests.wire.oracles import CRLF, END, end_of_data, first_bare, one_by_one, splits, strings, under_policy, unstuffed

pytestmark = pytest.mark.law(5)

THOROUGH = profile() == "ci"
#: What stands for the limit of RFC 5321 s4.5.3.1.6 here.
SHORT_LINE = 3
POLICIES = pytest.mark.parametrize("policy", BareNewlines, ids=lambda policy: policy.value)


def expected_of(stream: bytes, policy: BareNewlines) -> Received | None:
    """What has to come of a stream, or None where it has no end of data."""
    end = end_of_data(stream)
    if end < 0:
        return None
    content = unstuffed(stream)
    return Received(under_policy(content, policy.value), True, stream[end:], first_bare(content))


def check(stream: bytes, policy: BareNewlines, parts: list[bytes], expected: Received | None) -> Received:
    received = unstuff(parts, policy)
    if expected is None:
        assert not received.eof, (stream, parts)
        assert not received.rest, (stream, parts)
    else:
        assert received == expected, (stream, parts)
    return received


def test_the_oracle_in_one_line():
    """The end of data is where RFC 5321 s4.1.1.4 has it, by the plainest search there is."""
    for stream in strings(6):
        assert (unstuff([stream]).eof, end_of_data(stream)) in {(False, -1), (True, (CRLF + stream).find(END) + 3)}


@POLICIES
def test_every_string_at_every_cut(policy):
    for stream in strings(7 if THOROUGH else 6):
        expected = expected_of(stream, policy)
        results = {check(stream, policy, parts, expected) for parts in splits(stream)}
        assert len(results) == 1, stream


def test_every_string_of_seven():
    policy = BareNewlines.REJECT
    for stream in strings(7, 7):
        expected = expected_of(stream, policy)
        assert check(stream, policy, [stream], expected) == check(stream, policy, one_by_one(stream), expected)


@POLICIES
def test_what_is_held_back_is_little_and_comes_out(policy):
    """Content is handed on at once, but for the three octets that may begin its end."""
    for stream in strings(5):
        if end_of_data(stream) >= 0:
            continue
        early = unstuff([stream], policy).content
        whole = expected_of(stream + b"xx" + END, policy)
        assert whole
        assert whole.content.startswith(early)
        if whole.bare < 0:
            assert len(unstuffed(stream + END)) - len(early) <= 4


# --- sending -------------------------------------------------------------------------------------


def test_every_string_sent():
    """What is sent is what the oracle stuffs; it is read back as it was, and nothing bare is ever sent."""
    for content in strings(7 if THOROUGH else 6):
        clean = first_bare(content) < 0
        expected = oracles.stuffed(content) if clean else None
        assert stuff([content]) == expected == stuff(one_by_one(content)), content
        mended = under_policy(content, "normalize")
        sent = stuff([content], BareNewlines.NORMALIZE)
        assert sent == oracles.stuffed(mended) == stuff(one_by_one(content), BareNewlines.NORMALIZE), content
        assert sent is not None
        whole = mended if mended.endswith(CRLF) or not mended else mended + CRLF
        assert unstuff([sent]) == Received(whole, True, b"", -1), content


def test_every_string_sent_at_every_cut():
    for content in strings(5):
        for policy in (BareNewlines.REJECT, BareNewlines.NORMALIZE):
            assert len({stuff(parts, policy) for parts in splits(content)}) == 1, content


def test_two_contents_are_never_sent_alike():
    sent: dict[bytes, bytes] = {}
    for content in strings(7):
        if content.endswith(CRLF) and first_bare(content) < 0:
            octets = stuff([content])
            assert octets is not None
            assert sent.setdefault(octets, content) == content
    assert len(sent) > 500


@POLICIES
def test_every_string_in_chunks(policy):
    """Chunks are counted: no octet of theirs means anything, but to the policy on bare newlines."""
    for content in strings(5):
        expected = Received(under_policy(content, policy.value), True, b"", first_bare(content))
        for cut in range(len(content) + 1):
            assert read_chunks([content], [cut, len(content) - cut], policy) == expected, content
        assert read_chunks(one_by_one(content), [len(content), 0], policy) == expected


# --- newlines and lengths --------------------------------------------------------------------------


def filtered(parts: list[bytes], policy: BareNewlines) -> tuple[bytes, int]:
    newlines = NewlineFilter(policy)
    content = b"".join([*[newlines.feed(part) for part in parts], newlines.finish()])
    return content, newlines.first_bare


@POLICIES
def test_every_string_through_the_filter(policy):
    for content in strings(6):
        expected = under_policy(content, policy.value), first_bare(content)
        assert filtered([content], policy) == expected == filtered(one_by_one(content), policy), content
    for content in strings(5):
        for parts in splits(content):
            assert filtered(parts, policy) == (under_policy(content, policy.value), first_bare(content)), parts


def test_every_string_searched_for_bare_newlines():
    for content in strings(7):
        assert find_bare(content) == first_bare(content), content
        assert is_clean(content) == (first_bare(content) < 0), content


def measured(content: bytes, size: int | None, line_limit: int) -> tuple[bytes, Excess | None, int]:
    """The plainest meter: octet by octet."""
    line, long_line = 0, -1
    for at, octet in enumerate(content):
        line += 1
        too_long = line > line_limit
        if size is not None and at >= size:
            return content[:at], Excess.SIZE, long_line
        if too_long:
            return content[:at], Excess.LINE, long_line
        if line > SHORT_LINE and long_line < 0:
            long_line = at
        if octet == 0x0A:
            line = 0
    return content, None, long_line


@pytest.mark.parametrize("size", [None, 0, 2, 4])
@pytest.mark.parametrize("line_limit", [1, 2, 3, 4, 5])
def test_every_string_measured(monkeypatch, size, line_limit):
    """Limits that small are enough to see all there is, since nothing depends on how big they are."""
    monkeypatch.setattr("smtpcore.wire.meter.TEXT_LINE_LIMIT", SHORT_LINE)
    for content in map(bytes, _lines(8)):
        expected = measured(content, size, line_limit)
        for parts in ([content], one_by_one(content), [content[:3], content[3:]]):
            meter = ContentMeter(size, line_limit)
            kept = b"".join([meter.feed(part) for part in parts])
            assert (kept, meter.excess, meter.long_line) == expected, parts
            assert meter.seen == len(kept)


def _lines(longest: int) -> list[bytes]:
    """Every string of an octet and LF."""
    found = [b""]
    for length in range(1, longest + 1):
        found += [bytes(0x0A if number >> i & 1 else 0x61 for i in range(length)) for number in range(1 << length)]
    return found
