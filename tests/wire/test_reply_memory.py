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
    assert max(map(len, reader._seen)) <= 200
