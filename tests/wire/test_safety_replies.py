"""Replies as a client reads them: the cases SYN and RES, whole, octet by octet and cut at every place."""

from __future__ import annotations

import pytest

from smtpcore import RemoteProtocolError, Reply, ReplyReader
from tests.vectors.wire import NO_REPLIES, REPLIES
from tests.wire.feeding import Replies, read_replies
from tests.wire.oracles import splits


@pytest.mark.parametrize("stream", [case[1] for case in NO_REPLIES], ids=[case[0] for case in NO_REPLIES])
def test_no_replies(stream):
    whole = read_replies([stream])
    assert whole.failure
    assert not whole.replies
    for parts in splits(stream):
        assert read_replies(parts) == whole, parts


@pytest.mark.parametrize("stream", [case[1] for case in NO_REPLIES], ids=[case[0] for case in NO_REPLIES])
def test_after_what_is_no_reply_there_is_none(stream):
    """SYN-03: the reply behind garbage is never taken for the next one."""
    reader = ReplyReader()
    reader.receive(b"220 hello\r\n" + stream + b"250 ok\r\n")
    assert reader.next_reply() == Reply(220, "hello")
    for _ in range(3):
        with pytest.raises(RemoteProtocolError):
            reader.next_reply()
        reader.receive(b"250 ok\r\n")


@pytest.mark.parametrize(
    ("stream", "code", "lines", "enhanced"), [case[1:] for case in REPLIES], ids=[case[0] for case in REPLIES]
)
def test_replies(stream, code, lines, enhanced):
    for parts in splits(stream + stream):
        read = read_replies(parts)
        assert not read.failure
        assert not read.pending
        assert [(reply.code, reply.lines) for reply in read.replies] == [(code, lines)] * 2
        assert {reply.enhanced and str(reply.enhanced) for reply in read.replies} == {enhanced}
        assert read.raw == [stream, stream]


def test_syn_08_nothing_stays_from_the_reply_before():
    read = read_replies([b"550 5.1.1 no\r\n250 ok\r\n550-5.1.1 a\r\n550 5.1.1 b\r\n250 5.1.1 c\r\n"])
    assert [str(reply.enhanced) for reply in read.replies] == ["5.1.1", "None", "5.1.1", "None"]


def test_a_reply_may_stop_anywhere():
    stream = b"250-one\r\n250 two\r\n"
    for length in range(1, len(stream)):
        assert read_replies([stream[:length]]) == Replies([], [], "", True)


# --- limits: L is read, L + 1 is refused -----------------------------------------------------------


@pytest.mark.parametrize("limit", [3, 4, 100, 8192])
def test_res_02_limit_of_a_line(limit):
    fits = (b"250 " + b"x" * limit)[:limit]
    more = b"250 " + b"x" * (limit - 3)
    for line, reads in ((fits, True), (more, False)):
        for parts in ([line + b"\r\n"], [line, b"\r\n"], [line, b"\r", b"\n"]):
            assert bool(read_replies(parts, limit).replies) is reads, parts
    assert not read_replies([fits, b"\r"], limit).failure
    assert "longer than" in read_replies([more, b"\r"], limit).failure
    assert "longer than" in read_replies([b"x" * (limit + 2)], limit).failure


@pytest.mark.parametrize("count", [1, 2, 7])
def test_res_02_limit_of_lines(count):
    fits = b"250-a\r\n" * (count - 1) + b"250 a\r\n"
    assert read_replies([fits], 8192, 65_536, count).replies
    assert read_replies([b"250-a\r\n" + fits], 8192, 65_536, count).failure


@pytest.mark.parametrize("stream", [b"250 123\r\n", b"250-\r\n250 12\r\n"])
def test_res_02_limit_of_a_reply(stream):
    assert read_replies([stream], 8192, len(stream)).replies
    assert read_replies([stream], 8192, len(stream) - 1).failure


def test_res_02_limits_are_by_reply():
    assert len(read_replies([b"250-ab\r\n250 c\r\n" * 50], 6, 15, 2).replies) == 50


def test_res_02_endless_reply():
    """CVE-2013-1752: what never ends is refused at the limit, not when memory is full."""
    reader = ReplyReader()
    for _ in range(1000):
        reader.receive(b"250-more\r\n")
        assert reader.next_reply() is None
    reader.receive(b"250-more\r\n")
    with pytest.raises(RemoteProtocolError, match="1000 lines"):
        reader.next_reply()


def test_res_05_the_error_is_short():
    """What a stranger sent is in the message up to a hundred octets, escaped."""
    failure = read_replies([b"\xffgarbage" * 1000 + b"\r\n"]).failure
    assert len(failure) < 500
    assert failure.isprintable()
