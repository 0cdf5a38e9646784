"""I6, I17: STARTTLS is a wall, and neither TLS nor AUTH is ever believed in without its step."""

from __future__ import annotations

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from smtpcore import (
    Auth,
    AuthResponse,
    ClientConnection,
    Ehlo,
    Helo,
    LocalProtocolError,
    Quit,
    RemoteProtocolError,
    Reply,
    ReplyReceived,
    ServerConnection,
    StartTls,
    State,
)
from smtpcore import extensions as ext
from smtpcore.session.serversession import ServerSession
from tests.session.helpers import (
    EHLO,
    FULL,
    answer,
    choosy,
    drain,
    each_command,
    make_server,
    obliging,
    run_server,
    take,
)
from tests.session.looking import snapshot
from tests.session.strategies import reply_streams, sessions
from tests.strategies import octets as any_octets

STEP_REPLIES = st.sampled_from([b"250 ok", b"235 ok", b"450 no", b"550 no"])
EVIL = st.one_of(any_octets, sessions(), reply_streams)


def upgraded(before: bytes) -> ServerConnection:
    """A server that has been through ``before`` in the clear, and through STARTTLS."""
    machine = make_server()
    machine.greet()
    machine.receive_data(before + b"\r\n.\r\nRSET\r\n" + EHLO + b"STARTTLS\r\n")
    drain(machine, choosy, [])
    assume(machine.state is State.UPGRADING)
    machine.data_to_send()
    machine.tls_established()
    return machine


@given(sessions(max_size=6))
def test_server_session_is_as_good_as_new(before):
    machine = upgraded(before)
    fresh = make_server(tls=True)
    fresh.greet()
    fresh.data_to_send()
    shown, expected = snapshot(machine)[1], snapshot(fresh)[1]
    shown["_events"] = shown["_events"] or None  # made on demand, and kept
    assert shown == expected
    assert snapshot(machine.session) == snapshot(ServerSession(machine.settings, State.GREETED, tls=True, trusted=True))


@given(sessions(max_size=6), sessions(max_size=8))
def test_server_says_the_same_as_a_new_one(before, after):
    fresh = make_server(tls=True)
    fresh.greet()
    assert run_server([after], machine=upgraded(before), application=choosy) == run_server(
        [after], machine=fresh, application=choosy
    )


@given(st.data())
def test_nothing_gets_through_the_wall_of_the_server(data):
    """Octets between STARTTLS and the handshake: no event, no reply, no session."""
    evil = data.draw(EVIL.filter(bool))
    glued = data.draw(st.booleans())
    machine = make_server()
    machine.greet()
    machine.receive_data(EHLO + b"STARTTLS\r\n" + (evil if glued else b""))
    events: list[Any] = []
    broken = drain(machine, obliging, events)
    if not glued:
        assert not broken
        machine.receive_data(evil)
    said = machine.data_to_send()
    assert said.endswith(b"220 2.0.0 ready to start TLS\r\n")
    for call in (machine.tls_established, machine.next_event, machine.accept, lambda: machine.receive_data(b"x")):
        try:
            call()
            raise AssertionError("alive")
        except RemoteProtocolError:
            pass
    assert len(events) == 2
    assert machine.data_to_send() == b""
    assert not machine.session.tls
    assert machine.buffered == 0


@given(st.data())
def test_nothing_gets_through_the_wall_of_the_client(data):
    evil = data.draw(EVIL.filter(bool))
    glued = data.draw(st.booleans())
    machine = ClientConnection(allow_plaintext_auth=True)
    machine.send(Ehlo("crepes.fr"))
    answer(machine, b"220 x\r\n")
    answer(machine, b"250-x\r\n250-STARTTLS\r\n250 SIZE 5\r\n")
    machine.send(StartTls())
    machine.data_to_send()
    machine.receive_data(b"220 go\r\n" + (evil if glued else b""))
    assert isinstance(machine.next_event(), ReplyReceived)
    if not glued:
        machine.receive_data(evil)
    offered = machine.capabilities
    for call in (machine.tls_established, machine.next_event, lambda: machine.send(Ehlo("x"))):
        try:
            call()
            raise AssertionError("alive")
        except RemoteProtocolError:
            pass
    assert machine.capabilities is offered
    assert not machine.tls
    assert not machine.authenticated
    assert machine.data_to_send() == b""


@given(
    st.lists(st.tuples(st.integers(0, 12), st.sampled_from([b"250 ok", b"235 ok", b"450 no", b"550 no"])), max_size=12)
)
def test_client_session_is_as_good_as_new(steps):
    machine: Any = ClientConnection(allow_plaintext_auth=True)
    answer(machine, b"220 x\r\n")
    for number, reply in steps:
        command = each_command()[number]
        if not isinstance(command, (StartTls, Quit)):
            try:
                machine.send(command)
                answer(machine, reply + b"\r\n")
            except LocalProtocolError:
                pass
    for command, reply in ((Ehlo("crepes.fr"), b"250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN"), (StartTls(), b"220 go")):
        machine.send(command)
        answer(machine, reply + b"\r\n")
    assert machine.state is State.UPGRADING
    machine.data_to_send()
    machine.tls_established()
    fresh = ClientConnection(tls=True, allow_plaintext_auth=True)
    answer(fresh, b"220 x\r\n")
    shown, expected = snapshot(machine)[1], snapshot(fresh)[1]
    shown["_reader"], expected["_reader"] = [], []  # the lines that it has seen before, for speed
    assert shown == expected


@given(sessions())
def test_server_believes_in_nothing_without_its_step(stream):
    """An application that refuses every AUTH: no octets of the client's make it authenticated, or TLS."""

    def application(machine: ServerConnection, command: Any) -> None:
        if isinstance(command, (Auth, AuthResponse)) and len(stream) % 2:
            machine.reply(Reply(535, "no", "5.7.8"))
        elif isinstance(command, (Auth, AuthResponse)):
            machine.challenge(b"again")
        else:
            choosy(machine, command)

    machine = make_server()
    machine.greet()
    for i in range(0, len(stream), 11):
        machine.receive_data(stream[i : i + 11])
        drain(machine, application, [])
        said = machine.session.xclient  # a login that a trusted proxy vouches for is one
        assert not machine.session.authenticated or (said is not None and said.login == "alice")
        assert not machine.session.tls
        if machine.state in {State.CLOSED, State.UPGRADING}:
            break


@given(reply_streams, st.booleans())
def test_client_believes_in_nothing_without_its_step(stream, gives_up):
    """A client that never says AUTH, or gives up each exchange, is authenticated by no reply."""
    machine = ClientConnection(allow_plaintext_auth=True)
    machine.send(Ehlo("crepes.fr"))
    machine.receive_data(b"220 x\r\n250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n" + stream)
    try:
        while isinstance(event := machine.next_event(), ReplyReceived):
            assert not machine.tls
            if isinstance(event.command, Auth):
                assert machine.authenticated is (event.reply.code // 100 == 2)
                return
            assert not machine.authenticated
            if machine.state is State.READY and not machine.in_flight:
                machine.send(Auth("PLAIN") if gives_up else Ehlo("crepes.fr"))
            elif machine.state is State.AUTHENTICATING:
                machine.send(AuthResponse(None))
    except (RemoteProtocolError, LocalProtocolError):
        pass
    assert not machine.tls


@given(st.lists(st.sampled_from(["ehlo", "helo", "tls", "auth"]), max_size=8))
def test_what_is_used_was_offered_in_this_epoch(steps):
    """Capabilities are those of the last EHLO within the present layer of TLS."""
    machine = ClientConnection(allow_plaintext_auth=True)
    answer(machine, b"220 x\r\n")
    offered: set[str] = set()
    for number, step in enumerate(steps):
        try:
            if step == "tls":
                machine.send(StartTls())
                answer(machine, b"220 go\r\n")
                machine.tls_established()
                offered = set()
            elif step == "auth":
                machine.send(Auth("PLAIN", b"\0alice\0sesame"))
                answer(machine, b"235 ok\r\n")
            else:
                machine.send(Ehlo("x") if step == "ehlo" else Helo("x"))
                names = [b"X%d" % number, b"STARTTLS", b"AUTH PLAIN"]
                answer(machine, b"250-x\r\n" + b"".join(b"250-%b\r\n" % name for name in names) + b"250 SIZE\r\n")
                offered = {f"X{number}", "STARTTLS", "AUTH", "SIZE"} if step == "ehlo" else set()
        except LocalProtocolError:
            needed = {"tls": ext.STARTTLS, "auth": ext.AUTH}[step].keyword
            assert needed not in offered or machine.state is not State.READY
            continue
        assert {capability.keyword for capability in machine.capabilities} == offered
        machine.data_to_send()
        assert take(machine) == []
    assert machine.tls is ("tls" in steps and bool(machine.tls))


def test_full_offer_is_used_in_these_tests():
    assert {"STARTTLS", "AUTH"} <= {capability.keyword for capability in FULL}
