"""What the client machine makes of greetings and replies, of those too that make no sense."""

from __future__ import annotations

import pytest

from smtpcore import (
    NEED_DATA,
    PAUSED,
    Capabilities,
    ConnectionClosed,
    Data,
    Ehlo,
    EndOfContent,
    Helo,
    LocalProtocolError,
    Mail,
    Noop,
    Quit,
    Rcpt,
    RemoteProtocolError,
    Rset,
    State,
)
from smtpcore import extensions as ext
from tests.session.helpers import (
    ALICE,
    BOB,
    answer,
    content_client,
    fresh,
    greeted_client,
    skipped,
)

pytestmark = pytest.mark.law(3)


@pytest.mark.parametrize("code", [500, 502, 504, 550, 421, 250])
def test_ehlo_refused_then_helo(code):
    """RFC 5321 s3.2: what was queued behind EHLO is skipped; HELO brings no extensions with it."""
    machine = fresh()
    mail = Mail(ALICE)
    for command in (Ehlo("crepes.fr"), mail):
        machine.send(command)
    answer(machine, b"220 x\r\n")
    events = answer(machine, b"%d-x\r\n%d SIZE 5\r\n" % (code, code))
    if code == 421:
        assert machine.state is State.CLOSED
        return
    if code == 250:
        assert ext.SIZE in machine.capabilities
        return
    assert skipped(events) == [mail]
    assert machine.state is State.GREETED
    assert not machine.capabilities, "the lines of a refusal are no offer"
    machine.send(Helo("crepes.fr"))
    answer(machine, b"250-x\r\n250 SIZE 5\r\n")
    assert machine.state.name == "READY"
    assert not machine.capabilities
    with pytest.raises(LocalProtocolError, match="SIZE"):
        machine.send(Mail(ALICE, ext.SIZE(5)))
    machine.send(Mail(ALICE))


def test_second_ehlo_replaces_what_was_offered():
    machine = greeted_client()
    machine.send(Ehlo("crepes.fr"))
    assert ext.PIPELINING in machine.capabilities, "the old offer stands until there is a new one"
    answer(machine, b"250-x\r\n250 8BITMIME\r\n")
    assert machine.capabilities == Capabilities(ext.EIGHTBITMIME)
    machine.send(Ehlo("crepes.fr"))
    answer(machine, b"550 not twice\r\n")
    assert machine.capabilities == Capabilities(ext.EIGHTBITMIME), "a refusal changes nothing"
    machine.send(Helo("crepes.fr"))
    answer(machine, b"250 x\r\n")
    assert not machine.capabilities


@pytest.mark.parametrize("code", [554, 450, 521])
def test_refused_by_the_greeting(code):
    """RFC 5321 s3.1: nothing but QUIT will do."""
    machine = fresh()
    ehlo = Ehlo("crepes.fr")
    machine.send(ehlo)
    events = answer(machine, b"%d no service\r\n" % code)
    assert machine.state is State.REFUSED
    assert skipped(events) == [ehlo]
    with pytest.raises(LocalProtocolError):
        machine.send(Noop())
    machine.send(Quit())
    assert machine.data_to_send() == b"QUIT\r\n"
    assert answer(machine, b"221 bye\r\n")[-1] == ConnectionClosed()


# -- replies that make no sense ----------------------------------------------------------------------


def test_data_accepted_with_2yz():
    """A reply is data: 250 to DATA changes nothing, so no content goes, and RSET leads out."""
    machine = greeted_client()
    for command in (Mail(ALICE), Rcpt(BOB), Data()):
        machine.send(command)
    answer(machine, b"250 ok\r\n250 ok\r\n250 ok\r\n")
    assert machine.state is State.RCPT
    assert machine.in_flight == ()
    for call in (lambda: machine.send_content(b"x"), machine.end_content):
        with pytest.raises(LocalProtocolError, match="no content to send"):
            call()
    machine.send(Rset())
    answer(machine, b"250 ok\r\n")
    assert machine.state.name == "READY"


def test_3yz_to_what_it_does_not_belong_to():
    """354 to RCPT begins no content."""
    machine = greeted_client()
    machine.send(Mail(ALICE))
    machine.send(Rcpt(BOB))
    answer(machine, b"354 go\r\n354 go\r\n")
    assert machine.state is State.READY
    assert machine.data_to_send().count(b"\r\n") == 2


def test_verdicts_come_back_with_their_content():
    machine = content_client()
    ends = []
    for code in (250, 554):
        machine.send_content(b"x\r\n")
        ends.append(machine.end_content())
        assert machine.in_flight == (ends[-1],)
        for call in (machine.end_content, lambda: machine.send_content(b"y")):
            with pytest.raises(LocalProtocolError):
                call()
        (event,) = answer(machine, b"%d so\r\n" % code)
        assert event.command is ends[-1]
        if code == 250:
            for command in (Mail(ALICE), Rcpt(BOB), Data()):
                machine.send(command)
            answer(machine, b"250 ok\r\n250 ok\r\n354 go\r\n")
    assert isinstance(ends[0], EndOfContent)
    assert ends[0] is not ends[1]


def test_nothing_due_is_paused():
    machine = greeted_client()
    assert machine.next_event() is PAUSED
    machine.send(Noop())
    assert machine.next_event() is NEED_DATA
    assert content_client().next_event() is PAUSED


def test_an_error_is_told_at_every_call_and_does_not_grow():
    machine = greeted_client()
    machine.send(Noop())
    machine.receive_data(b"nonsense\r\n")
    lengths = set()
    for _ in range(50):
        with pytest.raises(RemoteProtocolError) as caught:
            machine.next_event()
        trace = caught.value.__traceback__
        length = 0
        while trace:
            length, trace = length + 1, trace.tb_next
        lengths.add(length)
    assert max(lengths) - min(lengths) <= 2
    for call in (lambda: machine.send(Noop()), machine.end_content, machine.tls_established):
        with pytest.raises(RemoteProtocolError, match="not a reply line"):
            call()
