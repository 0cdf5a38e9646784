"""Every state times every command times every class of reply, on both machines, against the table."""

from __future__ import annotations

from typing import Any

import pytest

from smtpcore import (
    PAUSED,
    AuthResponse,
    ClientConnection,
    CommandReceived,
    CommandRejected,
    ConnectionClosed,
    Ehlo,
    EndOfContent,
    Helo,
    Lhlo,
    LocalProtocolError,
    RemoteProtocolError,
    Reply,
    ReplyReceived,
    State,
)
from smtpcore.extensions import STANDARD
from smtpcore.table import Connect
from tests.session.helpers import Pair, answer, each_command, greeted_client, make_server, reach
from tests.session.looking import snapshot

pytestmark = pytest.mark.law(1)

CLASSES = {2: 250, 3: 354, 4: 450, 5: 550}
COMMANDS = [pytest.param(index, id=command.verb) for index, command in enumerate(each_command())]
STATES = [pytest.param(state, id=state.name) for state in State]
#: The states in which a client has something to say, and how to get there.
TALKING = (
    State.REFUSED,
    State.GREETED,
    State.READY,
    State.MAIL,
    State.RCPT,
    State.CHUNKS,
    State.SPOILT,
    State.AUTHENTICATING,
)


IN_SEQUENCE = [
    pytest.param(state, index, id=f"{state.name}-{command.verb}")
    for state in TALKING
    for index, command in enumerate(each_command())
    if type(command) in STANDARD.transitions[state] and (state, command.verb) != (State.GREETED, "XCLIENT")
]


def row_of(state: State, command: Any) -> Any:
    if (state, command.verb) == (State.GREETED, "XCLIENT"):
        return None  # its place is behind another one: see test_xclient
    return STANDARD.transitions[state].get(type(command))


def client_at(state: State) -> Any:
    """A client in that state, with nothing to write or to take."""
    pair = Pair(greeting=Reply(554, "no service") if state is State.REFUSED else None)
    if state is State.CLOSED:
        pair.client.tls_failed()
        return pair.client
    return pair.meet(state).client


def served_at(state: State, command: Any) -> Any:
    """A server in that state, whose client has said who it is where the command takes that."""
    machine = reach(state)
    machine.session.authenticated |= command.verb == "ATRN"
    return machine


# -- the server -----------------------------------------------------------------------------------


@pytest.mark.parametrize("index", COMMANDS)
@pytest.mark.parametrize("state", STATES)
def test_server_takes_what_the_table_lists(state, index):
    command = each_command()[index]
    machine = served_at(state, command)
    before = snapshot(machine.session)
    machine.receive_data(bytes(command))
    if state is State.CONNECTED:
        assert machine.next_event() is PAUSED, "nothing is read before the greeting"
        return
    if state is State.UPGRADING:
        with pytest.raises(RemoteProtocolError):
            machine.next_event()
        return
    event = machine.next_event()
    if state is State.TURNED:
        assert event is PAUSED, "it is for another machine"
    elif state is State.CLOSED:
        assert event == ConnectionClosed()
    elif state is State.CONTENT:
        assert event.data == bytes(command)
    elif state is State.AUTHENTICATING:
        if isinstance(event, CommandReceived):
            assert isinstance(event.command, AuthResponse), "a verb of four letters is base64"
        else:
            assert event.reply.code == 501
    elif row_of(state, command) is not None and not (state is State.GREETED and command.verb in {"AUTH", "STARTTLS"}):
        assert event == CommandReceived(command)
        assert machine.awaiting == command
        assert machine.state is state, "nothing is decided before the answer"
    else:
        assert isinstance(event, CommandRejected)
        assert event.reply == Reply(503, "bad sequence of commands", "5.5.1")
        assert machine.data_to_send().startswith(b"503 ")
        machine.session.errors -= 1
        machine.session.mails -= command.verb == "MAIL"
        machine.session.auth_failed = False
        assert snapshot(machine.session) == before


@pytest.mark.parametrize(("state", "index"), IN_SEQUENCE)
def test_server_takes_the_step_of_its_answer(state, index):
    command = each_command()[index]
    row = row_of(state, command)
    for digit, code in (*CLASSES.items(), (4, 421)):
        machine = served_at(state, command)
        machine.receive_data(bytes(command))
        assert machine.next_event() == CommandReceived(command)
        before = snapshot(machine)
        if digit in row or digit >= 4:
            machine.reply(Reply(code, "so be it"))
            expected = State.CLOSED if code == 421 else row.get(digit, state)
            assert machine.state is expected
            assert machine.data_to_send()[:3] == b"%d" % code
            assert bool(machine.transaction) is (expected in {State.MAIL, State.RCPT, State.CONTENT, State.CHUNKS})
        else:
            with pytest.raises(LocalProtocolError, match=f"{code} is no answer to"):
                machine.reply(Reply(code, "so be it"))
            assert snapshot(machine) == before
            machine.accept()


@pytest.mark.parametrize("code", [200, 220, 250, 299, 300, 354, 399, 400, 421, 450, 499, 500, 554, 599])
@pytest.mark.parametrize("state", [State.CONNECTED, State.CONTENT, State.AUTHENTICATING], ids=lambda state: state.name)
def test_server_answers_what_is_no_command(state, code):
    """The greeting, the end of the content, a response: the first digit decides, whatever the others are."""
    machine = reach(state)
    machine.receive_data({State.CONTENT: b".\r\n", State.AUTHENTICATING: b"YWJj\r\n"}.get(state, b"NOOP\r\n"))
    machine.next_event()
    kind = {State.CONTENT: EndOfContent, State.AUTHENTICATING: AuthResponse, State.CONNECTED: Connect}[state]
    row = STANDARD.transitions[state][kind]
    before = snapshot(machine)
    if code // 100 in row:
        machine.reply(Reply(code))
        assert machine.state is (State.CLOSED if code == 421 else row[code // 100])
    else:
        with pytest.raises(LocalProtocolError):
            machine.reply(Reply(code))
        assert snapshot(machine) == before


@pytest.mark.parametrize("state", STATES)
def test_server_answers_only_when_asked(state):
    """Calls out of place raise and change nothing, in every state."""
    machine = reach(state)
    before = snapshot(machine)
    calls = [machine.accept, lambda: machine.reply(Reply(250)), lambda: machine.challenge(b""), machine.greet]
    if state is State.CONNECTED:
        calls = [lambda: machine.challenge(b""), lambda: machine.reply(Reply(354))]
    if state is not State.UPGRADING:
        calls.append(machine.tls_established)
    for call in calls:
        with pytest.raises(LocalProtocolError):
            call()
    assert snapshot(machine) == before
    assert machine.data_to_send() == b""


# -- the client -----------------------------------------------------------------------------------


@pytest.mark.parametrize("index", COMMANDS)
@pytest.mark.parametrize("state", STATES)
def test_client_sends_what_the_table_lists(state, index):
    command = each_command()[index]
    machine = reach_client(state)
    before = snapshot(machine)
    if state is State.CONNECTED and row_of(State.GREETED, command) is not None:
        machine.send(command)  # the greeting is on its way, and assumed to be good
        assert machine.queued == (command,)
        assert machine.data_to_send() == b""
        answer(machine, b"220 hello\r\n")
        assert machine.data_to_send() == bytes(command)
        return
    if row_of(state, command) is not None and state is not State.CLOSED:
        machine.send(command)
        assert machine.data_to_send() == bytes(command)
        assert machine.in_flight == (command,)
        assert machine.in_flight[0] is command
        assert machine.state is state, "nothing is decided before the reply"
    else:
        with pytest.raises(LocalProtocolError):
            machine.send(command)
        assert snapshot(machine) == before
        assert machine.data_to_send() == b""


@pytest.mark.parametrize(("state", "index"), IN_SEQUENCE)
def test_client_takes_the_step_of_the_reply(state, index):
    """Every class, listed or not: the reply is an event, and the table says what it changes (law 3)."""
    command = each_command()[index]
    row = row_of(state, command)
    for digit, code in (*CLASSES.items(), (4, 421)):
        command = each_command()[index]
        machine = client_at(state)
        machine.send(command)
        machine.data_to_send()
        events = answer(machine, b"%d so be it\r\n" % code)
        assert events[0] == ReplyReceived(Reply(code, "so be it"), command)
        assert events[0].command is command
        expected = State.CLOSED if code == 421 else row.get(digit, state)
        assert machine.state is expected
        assert machine.in_flight == ()
        assert machine.authenticated is (command.verb == "AUTH" and digit == 2)
        assert not machine.tls
        assert machine.data_to_send() == b""
        assert events[1:] == ([ConnectionClosed()] if expected is State.CLOSED else [])


@pytest.mark.parametrize("code", [200, 220, 250, 300, 354, 400, 421, 450, 500, 554, 599])
def test_client_takes_any_greeting(code):
    machine = Pair(greeting=Reply(554, "x")).client
    assert machine.state is State.REFUSED
    machine = ClientConnection()
    (event, *closed) = answer(machine, b"%d hello\r\n" % code)
    assert event == ReplyReceived(Reply(code, "hello"), Connect())
    expected = {2: State.GREETED, 3: State.CONNECTED, 4: State.REFUSED, 5: State.REFUSED}[code // 100]
    assert machine.state is (State.CLOSED if code == 421 else expected)
    assert bool(closed) is (code == 421)


@pytest.mark.parametrize("code", [250, 354, 450, 421, 550])
def test_client_takes_any_verdict(code):
    machine = client_at(State.CONTENT)
    machine.send_content(b"x\r\n")
    end = machine.end_content()
    (event, *_) = answer(machine, b"%d so\r\n" % code)
    assert event.command is end
    if code == 354:
        # Neither accepted nor refused; the content has been sent, and nothing more can be.
        assert machine.state is State.CONTENT
        for call in (lambda: machine.send_content(b"y"), machine.end_content, lambda: machine.send(each_command()[0])):
            with pytest.raises(LocalProtocolError):
                call()
    else:
        assert machine.state is (State.CLOSED if code == 421 else State.READY)


@pytest.mark.parametrize("state", STATES)
def test_client_calls_out_of_place(state):
    machine = reach_client(state)
    before = snapshot(machine)
    calls: list[Any] = [
        lambda: machine.send(EndOfContent()),
        lambda: machine.send(Connect()),
        lambda: machine.send(None),
    ]
    if state is not State.CONTENT:
        calls += [lambda: machine.send_content(b"x"), machine.end_content]
    if state is not State.UPGRADING:
        calls.append(machine.tls_established)
    for call in calls:
        with pytest.raises((LocalProtocolError, TypeError)):
            call()
    assert snapshot(machine) == before
    assert machine.data_to_send() == b""


def reach_client(state: State) -> Any:
    """The same as ``client_at``, and a client that waits for its greeting too."""
    return ClientConnection() if state is State.CONNECTED else client_at(state)


# -- both -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("state", "index"), IN_SEQUENCE)
def test_both_take_the_same_step(state, index):
    """After every exchange both stand at the same place, whatever the server has answered."""
    for code in (*CLASSES.values(), 421):

        def application(machine, command, code=code):
            try:
                machine.reply(Reply(code, "so be it"))
            except LocalProtocolError:
                machine.accept()

        pair = Pair(greeting=Reply(554, "no service") if state is State.REFUSED else None).meet(state)
        pair.application = application
        command = each_command()[index]
        if command.verb == "ATRN":
            pair.client.authenticated = pair.server.session.authenticated = True
        (reply,) = pair.exchange(command)
        assert pair.client.state is pair.server.state
        assert pair.client_events[-1].command is command if pair.client.state is not State.CLOSED else True
        assert pair.client.authenticated is pair.server.session.authenticated
        assert reply.code in {code, 214, 220, 221, 235, 250, 252, 354}


@pytest.mark.parametrize("verb", [Lhlo], ids=["LHLO"])
def test_verbs_of_another_protocol(verb):
    """LHLO has rows of the table, and no SMTP server has the verb (RFC 2033 s4.1)."""
    machine = make_server()
    machine.greet()
    machine.receive_data(bytes(verb("crepes.fr")))
    assert machine.next_event().reply.code == 500
    client = greeted_client()
    with pytest.raises(LocalProtocolError, match=r"LHLO is no greeting of SMTP"):
        client.send(verb("crepes.fr"))
    for command in (Ehlo("crepes.fr"), Helo("crepes.fr")):
        with pytest.raises(LocalProtocolError, match=r"is no greeting of LMTP"):
            ClientConnection(lmtp=True).send(command)
