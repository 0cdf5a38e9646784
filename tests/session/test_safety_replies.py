"""Which reply answers which command: the vectors SYN-01 to SYN-10 on the client, and what follows from them."""

from __future__ import annotations

import pytest

from smtpcore import (
    NEED_DATA,
    PAUSED,
    ConnectionClosed,
    Data,
    EndOfContent,
    EnhancedCode,
    LocalProtocolError,
    Mail,
    Mailbox,
    Noop,
    ParseError,
    Quit,
    Rcpt,
    RemoteProtocolError,
    Reply,
    ReplyReceived,
    Rset,
    State,
)
from smtpcore import extensions as ext
from tests.session.helpers import ALICE, BOB, answer, greeted_client, run_client, run_client_cut, take
from tests.session.looking import all_cuts, snapshot


@pytest.mark.parametrize(
    "data", [b"250 unsolicited\r\n", b"354 go\r\n", b"550 no\r\n"], ids=lambda data: data[:3].decode()
)
def test_reply_that_nobody_asked_for(data):
    """SYN-01"""
    trace = run_client_cut(data)
    assert trace.events == []
    assert "without a command" in trace.error


@pytest.mark.parametrize("taken", [False, True], ids=["not-looked-at", "looked-at"])
def test_reply_that_nobody_asked_for_answers_nothing_later(taken):
    """SYN-01: whether it is found before the next command is sent or not."""
    for chunks in ([b"250 unsolicited\r\n"], *all_cuts(b"250 unsolicited\r\n")):
        machine = greeted_client()
        machine.receive_data(chunks[0])
        if taken and len(chunks) == 1:
            with pytest.raises(RemoteProtocolError):
                machine.next_event()
            continue
        machine.send(Noop())
        for chunk in chunks[1:]:
            machine.receive_data(chunk)
        with pytest.raises(RemoteProtocolError, match="without a command"):
            take(machine)


def test_closing_that_nobody_asked_for():
    """SYN-01"""
    trace = run_client_cut(b"421 going down\r\n")
    assert trace.events == [ReplyReceived(Reply(421, "going down"), None), ConnectionClosed()]
    assert trace.state is State.CLOSED


def test_closing_that_came_before_the_command():
    """SYN-01: the command was sent into a closing connection; it has no answer."""
    for chunks in all_cuts(b"421 going down\r\n"):
        machine = greeted_client()
        machine.receive_data(chunks[0])
        noop = Noop()
        machine.send(noop)
        for chunk in chunks[1:]:
            machine.receive_data(chunk)
        assert take(machine) == [ReplyReceived(Reply(421, "going down"), None), ConnectionClosed((noop,))]


def test_verdict_before_the_end_of_the_content():
    """SYN-01: what the server says while content travels is no verdict on it, and no dot is sent for it."""
    machine = greeted_client()
    for command in (Mail(ALICE), Rcpt(BOB), Data()):
        machine.send(command)
    answer(machine, b"250 ok\r\n250 ok\r\n354 go\r\n")
    machine.send_content(b"x\r\n")
    machine.data_to_send()
    machine.receive_data(b"250 accepted\r\n")
    machine.send_content(b"y\r\n")
    machine.end_content()
    assert machine.data_to_send() == b"y\r\n"
    with pytest.raises(RemoteProtocolError, match="without a command"):
        machine.next_event()


def test_closing_before_the_end_of_the_content():
    machine = greeted_client()
    for command in (Mail(ALICE), Rcpt(BOB), Data()):
        machine.send(command)
    answer(machine, b"250 ok\r\n250 ok\r\n354 go\r\n")
    machine.send_content(b"x\r\n")
    assert answer(machine, b"421 timeout\r\n")[0] == ReplyReceived(Reply(421, "timeout"), None)
    for call in (lambda: machine.send_content(b"y"), machine.end_content):
        with pytest.raises(LocalProtocolError, match="closed"):
            call()


def test_end_of_stream_leaves_nothing_to_use():
    """SYN-02: an adapter whose read timed out calls it the end; from then on the machine can only be closed."""
    machine = greeted_client()
    mail = Mail(ALICE)
    machine.send(mail)
    machine.receive_data(b"")
    assert take(machine) == [ConnectionClosed((mail,))]
    for call in (lambda: machine.send(Rset()), machine.end_content, machine.tls_established):
        with pytest.raises(LocalProtocolError):
            call()
    machine.receive_data(b"250 too late\r\n")
    assert take(machine) == [ConnectionClosed((mail,))]


def test_garbage_for_a_verdict():
    """SYN-03: QUIT's reply is never taken for the verdict on the content."""
    quit_ = Quit()

    def caller(machine, event):
        if isinstance(event.command, Data):
            machine.end_content()
            machine.send(quit_)

    data = b"250 ok\r\n250 ok\r\n354 go\r\n"
    for chunks in all_cuts(b"garbage\r\n221 bye\r\n"):
        trace = run_client([data, *chunks], [Mail(ALICE), Rcpt(BOB), Data()], caller=caller)
        assert [event.reply.code for event in trace.events] == [250, 250, 354]
        assert "not a reply line" in trace.error
        assert trace.output.endswith(b"DATA\r\n.\r\n"), "QUIT waits for the verdict"
        assert trace.transaction[1] == (quit_,)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\r\n250 ok\r\n", id="SYN-04"),
        pytest.param(b"250-a\r\n251 b\r\n", id="SYN-05"),
        pytest.param(b"250-a\r\n\r\n250 b\r\n", id="SYN-04-within"),
        pytest.param(b"2_5 ok\r\n", id="SYN-10-underscore"),
        pytest.param(b" 25 ok\r\n", id="SYN-10-space"),
        pytest.param(b"+25 ok\r\n", id="SYN-10-plus"),
        pytest.param(b"2500 ok\r\n", id="SYN-10-four"),
        pytest.param(b"\xd9\xa2\xd9\xa5\xd9\xa0 ok\r\n", id="SYN-10-arabic"),
        pytest.param(b"099 x\r\n", id="SYN-10-099"),
        pytest.param(b"199 x\r\n", id="SYN-10-199"),
        pytest.param(b"600 x\r\n", id="SYN-10-600"),
        pytest.param(b"25\r\n", id="SYN-10-two"),
        pytest.param(b"250\tok\r\n", id="SYN-10-tab"),
        pytest.param(b"250 a\nb\r\n", id="SYN-04-bare-lf"),
        pytest.param(b"250 a\rb\r\n", id="SYN-04-bare-cr"),
        pytest.param(b"250 a\0\r\n", id="SYN-04-nul"),
    ],
)
def test_what_is_no_reply(data):
    trace = run_client_cut(data + b"250 next\r\n", lambda: [Noop()])
    assert trace.events == []
    assert "RFC 5321 s4.2" in trace.error
    machine = greeted_client()
    machine.send(Noop())
    machine.receive_data(data)
    for call in (machine.next_event, lambda: machine.send(Noop()), lambda: machine.receive_data(b"250 ok\r\n")):
        with pytest.raises(RemoteProtocolError):
            call()


@pytest.mark.parametrize("replies", [b"550 no\r\n550 no\r\n", b"451 no\r\n550 no\r\n"], ids=["550", "451"])
@pytest.mark.parametrize("mail", [b"250 ok\r\n", b"550 no\r\n"], ids=["mail-accepted", "mail-refused"])
@pytest.mark.parametrize("verdict", [b"554 no recipients\r\n", b"250 thrown away\r\n"], ids=["554", "250"])
def test_content_for_nobody(replies, mail, verdict):
    """SYN-06: RFC 2920 s3.1 has the client send a single dot, and nothing of the verdict counts."""
    machine = greeted_client()
    data = Data()
    for command in (Mail(ALICE), Rcpt(BOB), Rcpt(BOB), data):
        machine.send(command)
    machine.data_to_send()
    events = answer(machine, mail + replies + b"354 go\r\n")
    assert events[-1] == ReplyReceived(Reply(354, "go"), data)
    assert machine.data_to_send() == b".\r\n"
    assert machine.in_flight == (EndOfContent(),), "so a caller can tell it from a 354 that waits for content"
    assert machine.next_event() is NEED_DATA
    for call in (lambda: machine.send_content(b"x\r\n"), machine.end_content):
        with pytest.raises(LocalProtocolError):
            call()
    machine.send(Rset())
    assert machine.data_to_send() == b""
    (event,) = answer(machine, verdict)
    assert isinstance(event.command, EndOfContent)
    assert machine.state is State.READY
    assert machine.data_to_send() == b"RSET\r\n"


def test_data_refused_for_nobody():
    """SYN-06, the usual way."""
    trace = run_client_cut(b"250 ok\r\n550 no\r\n503 no recipients\r\n", lambda: [Mail(ALICE), Rcpt(BOB), Data()])
    assert trace.output.endswith(b"DATA\r\n")
    assert trace.state is State.MAIL


def test_a_command_that_cannot_be_written_takes_no_place():
    """SYN-07"""
    machine = greeted_client()
    machine.send(Mail(ALICE))
    before = snapshot(machine)
    with pytest.raises(ParseError):
        machine.send(Mail(Mailbox("a\r\nRCPT TO:<x@y>", "b")))
    with pytest.raises(LocalProtocolError):
        machine.send(Mail(ALICE))
    with pytest.raises(TypeError):
        machine.send("RCPT TO:<a@b>\r\n")
    with pytest.raises(TypeError):
        machine.send(Rcpt)
    with pytest.raises(TypeError):
        machine.send(EndOfContent())
    assert snapshot(machine) == before
    rcpt = Rcpt(BOB)
    machine.send(rcpt)
    assert [event.command for event in answer(machine, b"250 ok\r\n550 no\r\n")] == [Mail(ALICE), rcpt]


def test_a_content_that_cannot_be_sent_takes_no_place():
    """SYN-07: the dot is not sent behind a content with a fault, and no verdict is waited for."""
    machine = greeted_client()
    for command in (Mail(ALICE), Rcpt(BOB), Data()):
        machine.send(command)
    answer(machine, b"250 ok\r\n250 ok\r\n354 go\r\n")
    machine.data_to_send()
    with pytest.raises(LocalProtocolError, match="bare CR or LF"):
        machine.send_content(b"a\n.\nb")
    assert machine.data_to_send() == b""
    assert machine.in_flight == ()
    for call in (machine.end_content, lambda: machine.send(Rset()), machine.next_event):
        with pytest.raises(LocalProtocolError, match="close the connection"):
            call()


@pytest.mark.parametrize(
    ("data", "enhanced", "text"),
    [
        (b"250 2.1.0 ok\r\n", "2.1.0", "ok"),
        (b"250 5.1.1 x\r\n", None, "5.1.1 x"),
        (b"354 2.0.0 x\r\n", None, "2.0.0 x"),
        (b"250 x\r\n", None, "x"),
        (b"250 2.1\r\n", None, "2.1"),
    ],
    ids=["fits", "other-class", "3yz", "none", "no-code"],
)
def test_enhanced_codes_of_another_class(data, enhanced, text):
    """SYN-08: behind a reply that has one, so that a value left over would show."""
    noop = Noop()
    trace = run_client_cut(b"250 2.9.9 first\r\n" + data, lambda: [Rset(), noop])
    reply = trace.events[1].reply
    assert reply.enhanced == (EnhancedCode.parse(enhanced) if enhanced else None)
    assert reply.text == text
    assert trace.events[0].reply.enhanced == EnhancedCode(2, 9, 9)


@pytest.mark.parametrize(
    ("data", "lines"), [(b"550-x\r\n550\r\n", ("x", "")), (b"250\r\n", ("",)), (b"250-\r\n250 \r\n", ("", ""))]
)
def test_replies_without_text(data, lines):
    """SYN-09"""
    trace = run_client_cut(data, lambda: [Noop()])
    assert trace.events[0].reply.lines == lines


def test_parameters_that_were_not_offered():
    """SYN-07: refused before anything is queued where the offer is known, skipped where it was not yet."""
    machine = greeted_client(b"250 hamburger.edu\r\n")
    before = snapshot(machine)
    with pytest.raises(LocalProtocolError, match="does not offer what SIZE"):
        machine.send(Mail(ALICE, ext.SIZE(5)))
    assert snapshot(machine) == before
    assert machine.next_event() is PAUSED
