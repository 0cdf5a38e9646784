"""What the client machine does where SMTP leaves room, and where servers do what they should not."""

from __future__ import annotations

from typing import Any

import pytest

from smtpcore import (
    NEED_DATA,
    Capabilities,
    ConnectionClosed,
    Data,
    Ehlo,
    Expn,
    LocalProtocolError,
    Mail,
    Mailbox,
    Noop,
    Quit,
    Rcpt,
    Reply,
    ReplyReceived,
    Rset,
    State,
    Vrfy,
)
from smtpcore import extensions as ext
from smtpcore.table import Connect
from tests.session.helpers import (
    ALICE,
    BOB,
    EHLO,
    OFFER,
    Pair,
    answer,
    content_client,
    fresh,
    greeted_client,
    make_server,
    run_client,
    run_client_cut,
    skipped,
    take,
)
from tests.session.looking import snapshot

pytestmark = pytest.mark.law(9)

# -- groups ---------------------------------------------------------------------------------------


def test_everything_waits_for_the_greeting():
    machine = fresh()
    ehlo = Ehlo("crepes.fr")
    machine.send(ehlo)
    assert machine.data_to_send() == b""
    assert machine.next_event() is NEED_DATA
    assert (machine.in_flight, machine.queued) == ((Connect(),), (ehlo,))
    assert answer(machine, b"220 hamburger.edu\r\n") == [ReplyReceived(Reply(220, "hamburger.edu"), Connect())]
    assert machine.data_to_send() == EHLO
    assert machine.data_to_send() == b""


def test_one_at_a_time_without_pipelining():
    machine = greeted_client(b"250 hamburger.edu\r\n")
    for command in (Mail(ALICE), Rcpt(BOB), Data()):
        machine.send(command)
    for line in (b"MAIL FROM:<alice@crepes.fr>\r\n", b"RCPT TO:<bob@hamburger.edu>\r\n", b"DATA\r\n"):
        assert machine.data_to_send() == line
        assert len(machine.in_flight) == 1
        answer(machine, b"354 go\r\n" if line == b"DATA\r\n" else b"250 ok\r\n")
    assert machine.state is State.CONTENT


def test_a_group_in_one_write():
    """RFC 2920 s3.1: MAIL, RCPT and RSET go ahead; what follows DATA, VRFY, EXPN, NOOP, EHLO or QUIT waits."""
    machine = greeted_client()
    for command in (Rset(), Mail(ALICE), Rcpt(BOB), Rcpt(BOB), Data()):
        machine.send(command)
    sent = machine.data_to_send()
    assert [line[:4] for line in sent.split(b"\r\n")] == [b"RSET", b"MAIL", b"RCPT", b"RCPT", b"DATA", b""]
    for last in (Vrfy("a"), Expn("a"), Noop(), Ehlo("crepes.fr")):
        machine = greeted_client()
        machine.send(Rset())
        machine.send(last)
        machine.send(Rset())
        assert machine.data_to_send() == b"RSET\r\n" + bytes(last)
        answer(machine, b"250 ok\r\n")
        assert machine.data_to_send() == b"", "the end of a group has its answer to come"
        answer(machine, OFFER)
        assert machine.data_to_send() == b"RSET\r\n"


def test_whole_session_queued_at_once():
    """What the server offers is not known yet: one command, then the group."""
    machine = fresh()
    commands: list[Any] = [Ehlo("crepes.fr"), Mail(ALICE, ext.SIZE(5)), Rcpt(BOB), Data()]
    for command in commands:
        machine.send(command)
    answer(machine, b"220 x\r\n")
    assert machine.data_to_send() == EHLO
    answer(machine, OFFER)
    assert machine.data_to_send().count(b"\r\n") == 3
    assert machine.queued == ()
    assert machine.in_flight == tuple(commands[1:])


def test_what_turns_out_not_to_be_offered_is_skipped_within_a_group_too():
    size = ext.SIZE(5)
    machine = fresh()
    first, second, data = Mail(ALICE), Rcpt(BOB), Data()
    utf8 = Rcpt(Mailbox("é", "x.y"))
    for command in (Ehlo("crepes.fr"), first, utf8, second, data):
        machine.send(command)
    answer(machine, b"220 x\r\n")
    answer(machine, b"250-x\r\n250 PIPELINING\r\n")
    assert machine.data_to_send().endswith(b"MAIL FROM:<alice@crepes.fr>\r\n"), "nothing goes ahead of the question"
    assert skipped(answer(machine, b"250 ok\r\n")) == [utf8]
    assert machine.data_to_send() == b"RCPT TO:<bob@hamburger.edu>\r\nDATA\r\n"
    machine = fresh()
    lonely = [Mail(ALICE, size), Rcpt(BOB), Data()]
    for each in (Ehlo("crepes.fr"), *lonely):
        machine.send(each)
    answer(machine, b"220 x\r\n")
    assert skipped(answer(machine, b"250-x\r\n250 PIPELINING\r\n")) == lonely
    assert machine.data_to_send() == EHLO


def test_what_has_become_impossible_is_skipped():
    machine = greeted_client(b"250 hamburger.edu\r\n")
    commands = [Mail(ALICE), Rcpt(BOB), Data()]
    for command in commands:
        machine.send(command)
    events = answer(machine, b"550 no\r\n")
    assert skipped(events) == commands[1:]
    assert "RCPT has no place in state READY" in events[1].why
    machine.send(Mail(ALICE))
    assert machine.data_to_send().count(b"MAIL") == 2


def test_in_flight_commands_are_answered_by_the_server_though():
    """Pipelined behind a MAIL that was refused: they were sent, so the server answers them."""
    trace = run_client_cut(b"550 no\r\n503 no\r\n503 no\r\n", lambda: [Mail(ALICE), Rcpt(BOB), Data()])
    assert [event.reply.code for event in trace.events] == [550, 503, 503]
    assert trace.state is State.READY


def test_planning_goes_on_behind_a_refusal():
    machine = greeted_client()
    machine.send(Mail(ALICE))
    machine.send(Rcpt(BOB))
    answer(machine, b"250 ok\r\n550 no\r\n")
    with pytest.raises(LocalProtocolError, match="DATA has no place in state MAIL"):
        machine.send(Data())
    machine.send(Rcpt(ALICE))
    machine.send(Data())
    with pytest.raises(LocalProtocolError, match="CONTENT"):
        machine.send(Rset())


# -- 421 and the end of the stream ------------------------------------------------------------------


@pytest.mark.parametrize("answered", range(5))
@pytest.mark.parametrize("how", ["421", "eof", "421-eof"])
def test_closing_in_the_middle_of_a_group(answered, how):
    """Those behind it are unanswered: what the server did about them is not known."""
    commands = [Mail(ALICE), Rcpt(BOB), Rcpt(BOB), Rcpt(ALICE), Data()]
    replies = [b"250 ok\r\n"] * answered
    data = b"".join(replies) + (b"" if how == "eof" else b"421 4.3.2 going down\r\n250 never read\r\n")
    trace = run_client([data], commands, eof=how != "421")
    given = answered + (how != "eof")
    assert [event.command for event in trace.events[:-1]] == commands[:given]
    closed = trace.events[-1]
    assert closed == ConnectionClosed(tuple(commands[given:]))
    assert all(mine is theirs for mine, theirs in zip(closed.unanswered, commands[given:]))
    assert trace.state is State.CLOSED


@pytest.mark.parametrize("answered", range(5))
def test_closing_one_at_a_time(answered):
    """Without PIPELINING those behind it have never been sent."""
    commands = [Mail(ALICE), Rcpt(BOB), Rcpt(BOB), Rcpt(ALICE), Data()]
    machine = greeted_client(b"250 hamburger.edu\r\n")
    trace = run_client([b"250 ok\r\n"] * answered + [b"421 bye\r\n"], commands, machine=machine)
    assert trace.events[-1] == ConnectionClosed((), tuple(commands[answered + 1 :]))
    assert trace.output.count(b"\r\n") == answered + 1


def test_nothing_is_sent_into_a_closed_stream():
    """The greeting and the end of the stream in one piece: EHLO never left, and is reported so."""
    machine = fresh()
    ehlo = Ehlo("crepes.fr")
    machine.send(ehlo)
    machine.receive_data(b"220 x\r\n")
    machine.receive_data(b"")
    assert take(machine)[-1] == ConnectionClosed((), (ehlo,))
    assert machine.data_to_send() == b""


def test_closing_before_the_greeting():
    machine = fresh()
    ehlo = Ehlo("crepes.fr")
    machine.send(ehlo)
    events = answer(machine, b"421 too many connections\r\n")
    assert events == [
        ReplyReceived(Reply(421, "too many connections"), Connect()),
        ConnectionClosed((), (ehlo,)),
    ]
    silent = fresh()
    silent.receive_data(b"")
    assert take(silent) == [ConnectionClosed((Connect(),))]


@pytest.mark.parametrize("partial", [b"2", b"250-x\r\n", b"250-x\r\n250"], ids=repr)
def test_end_of_stream_within_a_reply(partial):
    noop = Noop()
    trace = run_client([partial], [noop], eof=True)
    assert trace.events == [ConnectionClosed((noop,))]


def test_content_that_may_have_arrived():
    """Law 10: the dot was sent, so nobody can say what became of the message."""
    machine = content_client()
    machine.send_content(b"x\r\n")
    end = machine.end_content()
    machine.receive_data(b"")
    assert take(machine) == [ConnectionClosed((end,))]
    unfinished = content_client()
    unfinished.send_content(b"x\r\n")
    unfinished.receive_data(b"")
    assert take(unfinished) == [ConnectionClosed()], "no dot, no message: there is nothing to be unknown"


def test_quit():
    machine = greeted_client()
    machine.send(Quit())
    with pytest.raises(LocalProtocolError, match="CLOSED"):
        machine.send(Noop())
    assert answer(machine, b"221 bye\r\n250 more\r\n")[-1] == ConnectionClosed()
    machine.receive_data(b"250 more\r\n")
    machine.receive_data(b"")
    machine.receive_data(b"")
    assert take(machine) == [ConnectionClosed()]
    with pytest.raises(LocalProtocolError, match="closed"):
        machine.send(Noop())


def test_quit_that_is_refused():
    machine = greeted_client()
    machine.send(Quit())
    answer(machine, b"500 what\r\n")
    assert machine.state is State.READY
    machine.send(Rset())


def test_end_of_stream_twice_and_octets_behind_it():
    machine = greeted_client()
    machine.receive_data(b"")
    machine.receive_data(b"")
    before = snapshot(machine)
    with pytest.raises(LocalProtocolError, match="behind the end"):
        machine.receive_data(b"250 ok\r\n")
    assert snapshot(machine) == before
    assert take(machine) == [ConnectionClosed()]


@pytest.mark.parametrize("misuse", [None, "", "250 ok\r\n", 0, 5, []], ids=repr)
def test_octets_are_octets(misuse):
    machine = greeted_client()
    before = snapshot(machine)
    with pytest.raises(TypeError):
        machine.receive_data(misuse)
    assert snapshot(machine) == before
    machine.send(Noop())
    machine.receive_data(bytearray(b"250 "))
    machine.receive_data(memoryview(b"ok\r\n"))
    assert take(machine)[0].reply.raw == b"250 ok\r\n"


def test_a_pair_without_pipelining():
    both = Pair(server=make_server(Capabilities(ext.SIZE(5))))
    replies = both.exchange(Ehlo("crepes.fr"), Mail(ALICE), Rcpt(BOB), Data())
    assert [reply.code for reply in replies] == [250, 250, 250, 354]
    assert both.message(b"x\r\n").code == 250


# -- the next message along with the end of one -----------------------------------------------------


def test_what_goes_along_with_the_end_of_a_content():
    """RFC 2920 s3.1: the content may be "the first 'command' in a group"; only where the caller says so."""
    machine = content_client()
    machine.send_content(b"Hello\r\n")
    end = machine.end_content(chained=True)
    mail, rcpt, data = Mail(ALICE), Rcpt(BOB), Data()
    for command in (mail, rcpt, data):
        machine.send(command)
    assert machine.data_to_send() == (
        b"Hello\r\n.\r\nMAIL FROM:<alice@crepes.fr>\r\nRCPT TO:<bob@hamburger.edu>\r\nDATA\r\n"
    )
    events = answer(machine, b"452 full\r\n250 ok\r\n250 ok\r\n354 go\r\n")
    assert [event.command for event in events] == [end, mail, rcpt, data]
    assert machine.state is State.CONTENT
    machine.end_content()
    machine.send(Mail(ALICE))
    assert machine.data_to_send() == b".\r\n", "it waits, as ever"


def test_without_pipelining_nothing_goes_along():
    machine = greeted_client(b"250 hamburger.edu\r\n")
    for command in (Mail(ALICE), Rcpt(BOB), Data()):
        machine.send(command)
        answer(machine, b"354 go\r\n" if isinstance(command, Data) else b"250 ok\r\n")
    machine.data_to_send()
    machine.end_content(chained=True)
    machine.send(Mail(ALICE))
    assert machine.data_to_send() == b".\r\n"
