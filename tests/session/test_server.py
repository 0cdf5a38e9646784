"""What the server machine does with its application, and with the end of the stream."""

from __future__ import annotations

from typing import Any

import pytest

from smtpcore import (
    NEED_DATA,
    PAUSED,
    Capabilities,
    CommandReceived,
    Connect,
    ConnectionClosed,
    ContentEnded,
    ContentReceived,
    Data,
    Ehlo,
    EndOfContent,
    LocalProtocolError,
    Mail,
    Rcpt,
    RemoteProtocolError,
    Reply,
    ServerConnection,
    State,
)
from smtpcore import extensions as ext
from smtpcore.session.transaction import NO_TRANSACTION, Transaction
from tests.session.helpers import (
    ALICE,
    BOB,
    EHLO,
    ENVELOPE,
    answering,
    choosy,
    make_server,
    reach,
    run_server,
    run_server_cut,
)
from tests.session.looking import snapshot

pytestmark = pytest.mark.law(7)

# -- the application's part -------------------------------------------------------------------------


def test_order_of_calls():
    """The textbook's dialogue, call by call."""
    machine = ServerConnection("hamburger.edu", Capabilities(ext.PIPELINING, ext.SIZE(1000)))
    assert machine.state is State.CONNECTED
    assert machine.awaiting == Connect()
    assert machine.next_event() is PAUSED
    machine.greet()
    assert machine.data_to_send() == b"220 hamburger.edu ESMTP\r\n"
    assert machine.awaiting is None
    assert machine.next_event() is NEED_DATA
    machine.receive_data(EHLO + ENVELOPE)
    assert machine.next_event() == CommandReceived(Ehlo("crepes.fr"))
    assert machine.next_event() is PAUSED
    machine.accept()
    assert machine.data_to_send() == b"250-hamburger.edu greets crepes.fr\r\n250-PIPELINING\r\n250 SIZE 1000\r\n"
    assert machine.session.client == "crepes.fr"
    assert machine.next_event() == CommandReceived(Mail(ALICE))
    assert machine.transaction is NO_TRANSACTION, "not before it has been accepted"
    machine.accept()
    assert machine.next_event() == CommandReceived(Rcpt(BOB))
    machine.accept()
    assert machine.transaction == Transaction(Mail(ALICE), (Rcpt(BOB),))
    assert machine.transaction.sender == machine.session.sender == ALICE
    assert machine.transaction.recipients == (BOB,)
    assert machine.data_to_send() == b"250 sender ok\r\n250 recipient ok\r\n"
    machine.receive_data(b"DATA\r\nDo you like ketchup?\r\n.\r\nQUIT\r\n")
    assert machine.next_event() == CommandReceived(Data())
    machine.accept()
    assert machine.next_event() == ContentReceived(b"Do you like ketchup?\r\n")
    assert machine.next_event() == ContentEnded()
    assert machine.awaiting == EndOfContent()
    assert machine.transaction, "it stands until the content has been answered"
    machine.accept("queued as 4711")
    assert not machine.transaction
    assert machine.next_event().command.verb == "QUIT"
    machine.accept()
    assert machine.next_event() == ConnectionClosed()
    assert machine.data_to_send().split(b"\r\n")[1:] == [b"250 queued as 4711", b"221 closing connection", b""]


@pytest.mark.parametrize(
    ("reply", "state", "octets"),
    [
        (None, State.GREETED, b"220 hamburger.edu ESMTP\r\n"),
        (Reply(220, "me", "2.0.0"), State.GREETED, b"220 me\r\n"),
        (Reply(554, "go away", "5.7.1"), State.REFUSED, b"554 go away\r\n"),
        (Reply(450, "later"), State.REFUSED, b"450 later\r\n"),
        (Reply(421, "full"), State.CLOSED, b"421 full\r\n"),
    ],
    ids=["220", "220-own", "554", "450", "421"],
)
def test_greeting(reply, state, octets):
    machine = make_server()
    machine.greet(reply)
    assert machine.data_to_send() == octets
    assert machine.state is state
    with pytest.raises(LocalProtocolError, match="greeting"):
        machine.greet()


def test_greeting_by_answering():
    """greet() is accept() and reply() under a name of its own."""
    for answer in (lambda machine: machine.accept("hello"), lambda machine: machine.reply(Reply(220, "hello"))):
        machine = make_server()
        answer(machine)
        assert machine.data_to_send() == b"220 hello\r\n"


def test_refused_by_the_greeting():
    """RFC 5321 s3.1: 503 to all but QUIT; even where TLS is required."""
    for options in ({}, {"require_tls": True}):
        machine = reach(State.REFUSED, **options)
        trace = run_server([EHLO + b"NOOP\r\nMAIL FROM:<>\r\nSTARTTLS\r\nXXXX\r\nQUIT\r\n"], machine=machine)
        assert trace.codes == [503, 503, 503, 503, 500, 221]
        assert trace.state is State.CLOSED


@pytest.mark.parametrize("command", ["MAIL FROM:<>", "RCPT TO:<a@b>", "DATA", "RSET", "NOOP", "VRFY a", "QUIT"])
def test_words_of_the_application(command):
    state = State.READY if command.startswith("MAIL") else State.RCPT
    machine = reach(state)
    machine.receive_data(command.encode() + b"\r\n")
    machine.next_event()
    machine.accept("with pleasure")
    assert machine.data_to_send().endswith(b" with pleasure\r\n")


def test_replies_of_the_application():
    """Per recipient, duplicates and all, in order."""
    data = b"".join(b"RCPT TO:<%s@x>\r\n" % name for name in (b"a", b"550", b"a", b"450", b"b", b"551"))
    trace = run_server_cut(data + b"DATA\r\n", before=EHLO + b"MAIL FROM:<>\r\n", application=choosy)
    assert trace.codes == [250, 550, 250, 450, 250, 551, 354]
    assert [str(path) for path in trace.transaction.recipients] == ["a@x", "a@x", "b@x"]


@pytest.mark.parametrize("code", [250, 354, 421, 450, 550])
def test_answer_that_makes_no_sense_leaves_the_question_open(code):
    machine = reach(State.RCPT)
    machine.receive_data(b"DATA\r\n")
    machine.next_event()
    if code == 250:
        with pytest.raises(LocalProtocolError, match="250 is no answer to DATA"):
            machine.reply(Reply(250))
        assert machine.awaiting == Data()
        machine.accept()
    else:
        machine.reply(Reply(code))
    assert machine.state is {250: State.CONTENT, 354: State.CONTENT, 421: State.CLOSED}.get(code, State.RCPT)


def test_questions_whose_events_were_not_taken():
    """The answer to a content whose end nobody has seen yet would be a guess."""
    machine = reach(State.CONTENT)
    machine.receive_data(b"x\r\n.\r\n")
    assert isinstance(machine.next_event(), ContentReceived)
    before = snapshot(machine)
    assert machine.awaiting is None
    for call in (machine.accept, lambda: machine.reply(Reply(554, "no"))):
        with pytest.raises(LocalProtocolError, match="nothing waits"):
            call()
    assert snapshot(machine) == before
    assert machine.next_event() == ContentEnded()
    machine.accept()


def test_close_takes_back_what_was_not_taken():
    """Behind 421 nothing can be answered any more, so nothing is asked."""
    machine = reach(State.CONTENT)
    machine.receive_data(b"x\r\n.\r\nNOOP\r\n")
    assert isinstance(machine.next_event(), ContentReceived)
    machine.close(Reply(421, "shutting down", "4.3.2"))
    assert machine.data_to_send() == b"421 4.3.2 shutting down\r\n"
    assert machine.next_event() == ConnectionClosed()
    machine.close()
    assert machine.data_to_send() == b""


@pytest.mark.parametrize("state", State, ids=lambda state: state.name)
def test_close_in_every_state(state):
    machine = reach(state)
    machine.close()
    silent = state in {State.UPGRADING, State.TURNED, State.CLOSED}
    assert machine.data_to_send() == (b"" if silent else farewell(state))
    assert machine.state is State.CLOSED
    assert machine.next_event() == ConnectionClosed()
    assert machine.transaction is NO_TRANSACTION
    assert machine.deadline is None


def farewell(state: State) -> bytes:
    """421, with its enhanced code where that was offered."""
    enhanced = b"" if state in {State.CONNECTED, State.REFUSED, State.GREETED} else b"4.3.2 "
    return b"421 " + enhanced + b"service closing transmission channel\r\n"


# -- the end of the stream --------------------------------------------------------------------------


@pytest.mark.parametrize("state", State, ids=lambda state: state.name)
@pytest.mark.parametrize("rest", [b"", b"N", b"NOOP\r"], ids=repr)
def test_end_of_stream_in_every_state(state, rest):
    machine = reach(state)
    if rest and state is not State.CLOSED:
        machine.receive_data(rest)
    machine.receive_data(b"")
    machine.receive_data(b"")
    if state is State.CONNECTED:
        assert machine.next_event() is PAUSED, "the application may greet a client that has gone"
        machine.greet()
    if state is State.UPGRADING and rest:
        with pytest.raises(RemoteProtocolError):
            machine.next_event()
        return
    event: Any = machine.next_event()
    if state is State.CONTENT and rest:
        assert event == ContentReceived(rest.rstrip(b"\r"))
        event = machine.next_event()
    assert event == ConnectionClosed()
    assert machine.next_event() == ConnectionClosed()
    assert machine.state is State.CLOSED
    assert machine.transaction is NO_TRANSACTION
    assert machine.buffered == 0


def test_commands_before_the_end_of_the_stream():
    trace = run_server([EHLO + ENVELOPE + b"NOOP\r\nNOO"], eof=True)
    assert trace.codes == [250] * 4
    assert trace.events[-1] == ConnectionClosed()


def test_octets_behind_the_end_of_the_stream():
    machine = reach(State.READY)
    machine.receive_data(b"")
    before = snapshot(machine)
    with pytest.raises(LocalProtocolError, match="behind the end"):
        machine.receive_data(b"NOOP\r\n")
    assert snapshot(machine) == before


def test_octets_behind_quit():
    trace = run_server_cut(b"QUIT\r\nNOOP\r\nMAIL FROM:<>\r\n", before=EHLO)
    assert trace.codes == [221]
    assert trace.kinds == ["CommandReceived", "ConnectionClosed"]
    assert trace.buffered == 0
    refused = run_server_cut(b"QUIT\r\nNOOP\r\n", before=EHLO, application=answering({}))
    assert refused.codes == [221]


@pytest.mark.parametrize("misuse", [None, "", "NOOP\r\n", 0, 5], ids=repr)
def test_octets_are_octets(misuse):
    machine = reach(State.READY)
    before = snapshot(machine)
    with pytest.raises(TypeError):
        machine.receive_data(misuse)
    assert snapshot(machine) == before
    machine.receive_data(bytearray(b"NO"))
    machine.receive_data(memoryview(b"OP\r\n"))
    assert machine.next_event().command.raw == b"NOOP"


def test_chunks_may_be_reused_by_the_caller():
    machine = reach(State.CONTENT)
    chunk = bytearray(b"first\r\n")
    machine.receive_data(chunk)
    chunk[:5] = b"wrong"
    assert machine.next_event() == ContentReceived(b"first\r\n")
