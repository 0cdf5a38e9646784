"""A content that was looked at before its time goes out as any other, and nothing else comes of having looked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import smtpcore.wire.content as codec
from smtpcore.errors import ParseError
from smtpcore.wire.content import DotStuffer
from smtpcore.wire.newlines import BareNewlines

POLICIES = st.sampled_from([BareNewlines.REJECT, BareNewlines.NORMALIZE])
CONTENTS = st.lists(st.sampled_from([b"a", b".", b"..", b"\r\n", b"\r\n.", b"\r", b"\n", b"\0", b""]), max_size=8).map(
    b"".join
)


def written(stuffer: DotStuffer, pieces: list[bytes], last: bytes) -> tuple[bytes, int]:
    """What goes out of one content, and where the fault in it is, or -1."""
    made = b""
    try:
        for piece in pieces:
            made += stuffer.stuff(piece)
        return made + stuffer.finish(last), -1
    except ParseError as error:
        return made, error.where


@given(POLICIES, st.lists(st.tuples(st.lists(CONTENTS, max_size=2), CONTENTS, st.none() | CONTENTS), max_size=4))
def test_one_content_after_the_other_is_what_it_would_be_without(policy, contents):
    """Each is prepared, or another one is, or none; what was prepared and not sent leaves nothing behind."""
    looked, plain = DotStuffer(policy), DotStuffer(policy)
    for pieces, last, other in contents:
        looked.prepare(last if other is None else other)
        found = written(looked, pieces, last)
        assert found == written(plain, pieces, last)
        if found[1] >= 0:
            return  # it can be neither continued nor finished


@given(POLICIES, CONTENTS)
def test_the_last_octets_may_come_with_the_end(policy, content):
    together, apart = DotStuffer(policy), DotStuffer(policy)
    sent, fault = written(together, [], content)
    before, same = written(apart, [content], b"")
    assert fault == same
    assert sent == before or (fault >= 0 and not sent)


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        (b"Hello\r\n", b"Hello\r\n.\r\n"),
        (b"Hello", b"Hello\r\n.\r\n"),
        (b".Hello\r\n", b"..Hello\r\n.\r\n"),
        (b"a\r\n.\r\nb", b"a\r\n..\r\nb\r\n.\r\n"),
        (b".\r\n", b"..\r\n.\r\n"),
    ],
)
def test_nothing_is_looked_at_twice(monkeypatch, content, sent):
    stuffer = DotStuffer()
    stuffer.prepare(content)
    monkeypatch.setattr(codec, "is_clean", pytest.fail)
    monkeypatch.setattr(codec, "_put", pytest.fail)
    assert stuffer.finish(content) == sent


def test_it_is_known_by_what_it_is_and_counts_once():
    """The same octets in another object are looked at anew; and so is the same object, a second time."""
    stuffer = DotStuffer()
    content = b"a\r\n.b\r\n"
    stuffer.prepare(content)
    assert stuffer.finish(bytes(bytearray(content))) == b"a\r\n..b\r\n.\r\n"
    assert stuffer.finish(content) == stuffer.finish(content) == b"a\r\n..b\r\n.\r\n"


@pytest.mark.parametrize("policy", [BareNewlines.REJECT, BareNewlines.NORMALIZE])
@pytest.mark.parametrize("before", [b"a", b"a\r\n", b"\r", b"."])
def test_it_is_prepared_as_a_whole_and_not_as_the_rest_of_one(policy, before):
    last = b".b\r\n"
    stuffer = DotStuffer(policy)
    stuffer.prepare(last)
    assert written(stuffer, [before], last) == written(DotStuffer(policy), [before], last)


def test_what_cannot_be_sent_is_said_when_it_is_to_be_sent():
    stuffer = DotStuffer()
    stuffer.prepare(b"ab\ncd")
    with pytest.raises(ParseError) as caught:
        stuffer.finish(b"ab\ncd")
    assert caught.value.where == 2


def test_when_another_content_has_ended_it_is_forgotten():
    stuffer = DotStuffer()
    stuffer.prepare(b"one\r\n")
    stuffer.finish(b"another\r\n")
    assert (stuffer._ahead, stuffer._stuffed) == (None, b"")
