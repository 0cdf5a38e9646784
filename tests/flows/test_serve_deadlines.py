"""How long a client may take: told by each Read, kept by the driver (RFC 5321 s4.5.3.2.7, RES-12)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore.flows.effect import Read
from tests.flows.driving import RESET, TIMEOUT
from tests.flows.serving import BODY, DATA, EHLO, END, MAIL, NOOP, QUIT, RCPT, WAYS, Hall, Scripted

pytestmark = pytest.mark.law(13)

COMMAND, BLOCK, RATE = 300.0, 180.0, 500.0
FIELDS = ("seconds", "extend", "cap")


def told(hall: Hall) -> tuple[float | None, float, float]:
    read = hall.read
    return read.seconds, read.extend, read.cap


ANEW = (COMMAND, 0.0, 0.0)


def test_a_command_has_its_time():
    hall = Hall(Scripted())
    assert told(hall) == ANEW
    for line in (EHLO, MAIL, RCPT, NOOP):
        hall.say(line)
        assert told(hall) == ANEW


@pytest.mark.parametrize(
    "octets",
    [
        b"E",
        b"NOO",
        b"\0",
        b"NONSENSE\r\n",
        b"RCPT TO:<\r\n",
        b"DATA\r\n",
        b"\r\n",
        b"x\r\n" * 10,
        b"A" * 3000 + b"\r\n",
        b"NO\nOP\r\n",
    ],
    ids=lambda octets: repr(octets[:12]),
)
def test_neither_part_of_a_line_nor_a_bad_one_sets_the_time_anew(octets):
    hall = Hall(Scripted()).ready()
    hall.say(octets)
    assert hall.read.seconds is None
    assert hall.read.extend == 0.0
    hall.say(NOOP[-len(NOOP) :] if octets.endswith(b"\n") else b"\r\n" + NOOP)
    assert told(hall) == ANEW


def test_a_good_line_among_bad_ones_does():
    hall = Hall(Scripted()).ready()
    hall.say(b"NONSENSE\r\nNOOP\r\nNONSENSE\r\nNO")
    assert told(hall) == ANEW


def test_content_has_its_own_time():
    hall = Hall(Scripted()).in_content()
    assert told(hall) == (BLOCK, 0.0, 0.0)


@pytest.mark.parametrize("size", [1, 100, 500, 65_536])
def test_octets_of_content_put_the_deadline_off(size):
    """At the minimum rate; a block may not take longer than RFC 5321 s4.5.3.2.5 has it."""
    hall = Hall(Scripted()).in_content()
    hall.say(b"x" * size)
    assert told(hall) == (None, size / RATE, BLOCK)
    hall.say(b"y" * size)
    assert told(hall) == (None, size / RATE, BLOCK)


def test_behind_the_content_the_time_is_that_of_a_command_again():
    hall = Hall(Scripted()).in_content()
    hall.say(BODY, END)
    assert told(hall) == ANEW
    hall.in_content().say(b"bare\nLF\r\n" + END)
    assert told(hall) == ANEW


def test_content_that_is_refused_has_no_more_time():
    """What is only read to its end and dropped must still keep up."""
    hall = Hall(Scripted(), size=1000).in_content()
    hall.say(b"x" * 2000)
    assert hall.read.seconds is None
    before = hall.read.extend
    hall.say(b"x" * 2000)
    assert hall.read.extend <= before


def test_the_deadlines_may_be_others():
    hall = Hall(Scripted(), timeout=7.0, minimum_rate=10.0)
    assert told(hall) == (7.0, 0.0, 0.0)
    hall.in_content()
    assert told(hall) == (7.0, 0.0, 0.0)
    hall.say(b"x" * 50)
    assert told(hall) == (None, 5.0, 7.0)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("before", [[], [EHLO], [EHLO, MAIL], [EHLO, MAIL, RCPT, DATA], [EHLO, b"NOO"]], ids=len)
def test_when_it_is_over_421_is_said(before, way):
    handler = Scripted(way=way)
    hall = Hall(handler)
    hall.say(*before)
    assert "421 " in hall.say(TIMEOUT)
    assert hall.closed
    assert handler.calls[-1] == "closed"
    assert handler.count("aborted") == (DATA in before)
    assert hall.reported == []


def test_421_with_its_enhanced_code():
    assert Hall(Scripted()).ready().say(TIMEOUT) == "421 4.4.2 timeout exceeded\r\n"


def test_the_peer_may_be_gone_when_421_is_said():
    """The last write fails: that is an end, not an error."""
    from smtpcore.flows.effect import Write
    from tests.flows.driving import Played

    handler = Scripted()
    hall = Hall(handler).ready()
    flow = hall.stage.flow
    assert isinstance(flow.throw(TIMEOUT), Write)
    played = Played()
    try:
        played.effects.append(flow.throw(RESET))
        while True:
            played.effects.append(next(flow))
    except StopIteration:
        pass
    assert played.closed
    assert handler.count("closed") == 1
    assert hall.reported == []


# --- a driver's clock over it --------------------------------------------------------------------


def lifetime(hall: Hall, chunks: list[tuple[float, bytes]]) -> float | None:
    """When a driver would end the connection; None when it does not, or the script has ended by itself."""
    now, wait = 0.0, hall.read.wait(0.0)
    for pause, octets in chunks:
        if pause >= wait:
            return now + wait
        now += pause
        hall.say(octets)
        if hall.ended:
            return None
        wait = hall.read.wait(wait - pause)
    return None


@pytest.mark.parametrize("octet", [b"x", b"\0", b"\r"], ids=repr)
def test_a_command_octet_by_octet_is_ended(octet):
    """RES-12: one octet a minute keeps nothing open for longer than one command may take."""
    ended = lifetime(Hall(Scripted()), [(60.0, octet)] * 1000)
    assert ended == COMMAND


def test_a_bad_line_a_minute_is_ended():
    assert lifetime(Hall(Scripted()), [(60.0, b"nonsense\r\n")] * 1000) == COMMAND


def test_a_slow_drip_of_content_is_ended():
    """RES-12: a tenth of the minimum rate keeps a connection for 200 seconds, not for days."""
    hall = Hall(Scripted()).in_content()
    ended = lifetime(hall, [(1.0, b"x" * 50)] * 100_000)
    assert ended is not None
    assert ended <= BLOCK / (1 - 0.1) + 1


def test_content_at_the_minimum_rate_goes_on_for_ever():
    hall = Hall(Scripted()).in_content()
    assert lifetime(hall, [(1.0, b"x" * 500)] * 2000) is None


def test_a_burst_saves_no_more_than_one_block():
    hall = Hall(Scripted()).in_content()
    ended = lifetime(hall, [(1.0, b"x" * 1_000_000), *[(10.0, b"x")] * 1000])
    assert ended is not None
    assert ended <= 1.0 + BLOCK + 1


@given(st.lists(st.tuples(st.floats(0.1, 50.0), st.integers(1, 30_000)), max_size=60))
def test_no_content_outlives_its_rate(chunks):
    """Whatever the pauses and the sizes: it has a block's time, and what its octets earned."""
    hall = Hall(Scripted(only=())).in_content()
    ended = lifetime(hall, [(pause, b"x" * size) for pause, size in chunks])
    if ended is not None:
        earned = sum(size for _, size in chunks) / RATE
        assert ended <= BLOCK + earned + 1e-6
        spent = 0.0
        for pause, _ in chunks:
            spent += pause
            if spent >= ended:
                break
        assert spent >= ended


def test_a_content_that_comes_together_with_data_begins_with_its_own_time():
    """A client that sends ahead of the 354 is no slower than others."""
    hall = Hall(Scripted()).ready()
    hall.say(MAIL, RCPT)
    hall.say(DATA + b"x" * 500)
    assert told(hall) == (BLOCK, 0.0, 0.0)


def test_quit_waits_for_nothing():
    hall = Hall(Scripted()).ready()
    reads = len(hall.stage.played.reads)
    hall.say(QUIT)
    assert hall.closed
    assert len(hall.stage.played.reads) == reads


def test_every_read_names_a_deadline():
    hall = Hall(Scripted()).in_content()
    hall.say(b"x", BODY, END, EHLO, b"N", NOOP[1:])
    first, *others = hall.stage.played.reads
    assert first.seconds is not None
    for read in others:
        assert isinstance(read, Read)
        assert read.seconds is not None or (read.extend >= 0 and read.cap > 0)
