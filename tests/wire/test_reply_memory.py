"""ReplyReader remembers what a server says again and again; nothing else may change by that."""

import pytest

from smtpcore import RemoteProtocolError, ReplyReader

KNOWN = b"250 2.1.0 Ok\r\n"
GROUP = b"250 2.1.0 Ok\r\n550 5.1.1 nobody\r\n354 go\r\n"


def drain(reader):
    found = []
    while (reply := reader.next_reply()) is not None:
        found.append(reply)
    return found


def knowing(*chunks):
    """A reader that has seen these."""
    reader = ReplyReader()
    for chunk in chunks:
        reader.receive(chunk)
        drain(reader)
    return reader


@pytest.mark.parametrize("chunk", [KNOWN, GROUP, b"250-a\r\n250 b\r\n", b"250\r\n" * 5])
def test_again_is_the_same(chunk):
    reader = ReplyReader()
    told = []
    for _ in range(3):
        reader.receive(chunk)
        told.append(drain(reader))
    assert told[0] == told[1] == told[2]
    assert b"".join(reply.raw for reply in told[2]) == chunk


def test_known_chunks_come_in_order_with_unknown_ones():
    reader = knowing(KNOWN)
    reader.receive(KNOWN)
    reader.receive(b"251 other\r\n")
    reader.receive(KNOWN)  # behind octets that have not been read yet
    reader.receive(KNOWN)
    assert [reply.code for reply in drain(reader)] == [250, 251, 250, 250]


def test_a_known_chunk_goes_on_with_a_reply_that_has_begun():
    reader = knowing(KNOWN)
    reader.receive(b"250-first\r\n")
    assert reader.next_reply() is None
    reader.receive(KNOWN)
    (reply,) = drain(reader)
    assert reply.raw == b"250-first\r\n" + KNOWN


def test_a_known_chunk_goes_on_with_a_line_that_has_begun():
    reader = knowing(KNOWN)
    reader.receive(b"25")
    for _ in range(2):
        reader.receive(KNOWN)  # the second time behind the failure
        with pytest.raises(RemoteProtocolError, match="not a reply line"):
            reader.next_reply()


def test_what_is_known_and_not_taken_is_pending():
    reader = knowing(GROUP)
    reader.receive(GROUP)
    reader.next_reply()
    reader.next_reply()
    assert reader.pending
    reader.next_reply()
    assert not reader.pending


def test_nothing_is_known_of_a_chunk_with_part_of_a_reply():
    reader = knowing(b"250 a\r\n250-b\r\n", b"250 c\r\n")
    reader.receive(b"250 a\r\n250-b\r\n")
    assert [reply.lines for reply in drain(reader)] == [("a",)]
    reader.receive(b"250 d\r\n")
    assert [reply.lines for reply in drain(reader)] == [("b", "d")]


def test_memory_is_bounded():
    reader = ReplyReader()
    for number in range(1000):
        reader.receive(b"250 queued as %d\r\n" % number)
        assert len(drain(reader)) == 1
        reader.receive(b"250 %s\r\n" % (b"x" * 1000))
        assert len(drain(reader)) == 1
    assert len(reader._seen) <= 16
    assert max(map(len, reader._seen)) <= 512


def test_what_a_message_to_ten_is_answered_with_is_known_as_a_whole():
    """With the verdict on the message before it, which pipelining brings along."""
    chunk = b"250 2.0.0 Ok\r\n250 2.1.0 Ok\r\n" + b"250 2.1.5 Ok\r\n" * 10 + b"354 End data with <CR><LF>.<CR><LF>\r\n"
    reader = knowing(chunk)
    reader.receive(chunk)
    assert not reader.buffer.data
    assert [reply.code for reply in drain(reader)] == [250] * 12 + [354]


def test_a_known_line_is_known_among_others():
    reader = knowing(GROUP)
    reader.receive(b"250 new\r\n" + GROUP + b"221 bye\r\n")
    found = drain(reader)
    assert [(reply.code, reply.text) for reply in found] == [
        (250, "new"), (250, "Ok"), (550, "nobody"), (354, "go"), (221, "bye"),
    ]  # fmt: skip
    assert b"".join(reply.raw or b"" for reply in found) == b"250 new\r\n" + GROUP + b"221 bye\r\n"


def test_a_known_line_may_be_the_last_of_a_longer_reply():
    reader = knowing(b"250 b\r\n")
    reader.receive(b"250-a\r\n250 b\r\n250 b\r\n")
    assert [reply.lines for reply in drain(reader)] == [("a", "b"), ("b",)]


def test_a_known_line_that_contradicts_a_reply_begun_is_a_failure():
    reader = knowing(b"550 b\r\n")
    reader.receive(b"250-a\r\n550 b\r\n")
    with pytest.raises(RemoteProtocolError, match="goes on with"):
        reader.next_reply()


def test_few_lines_are_known_and_short_ones():
    reader = ReplyReader()
    same = []
    for number in range(100):
        reader.receive(b"250 a%d\r\n250 %s\r\n" % (number, b"x" * 600))
        first = drain(reader)
        reader.receive(b"250 new%d\r\n250 a%d\r\n250 %s\r\n" % (number, number, b"x" * 600))
        again = drain(reader)[1:]
        assert first == again
        same.append([one is other for one, other in zip(first, again)])
    assert same[0] == [True, False]
    assert same[-1] == [False, False]
