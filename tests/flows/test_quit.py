"""QUIT, and the ends of a connection on which it has no place any more."""

from __future__ import annotations

import pytest

from smtpcore import Auth, ClientConnection, Data, Mail, Rcpt, RemoteProtocolError, StartTls, State
from smtpcore.extensions import STARTTLS
from smtpcore.flows.client import exchange, next_answer, open_session, quit_session
from smtpcore.wire.address import Mailbox
from tests.flows.driving import EOF, RESET, TIMEOUT, play

QUIT = b"QUIT\r\n"


def ready(*offered: str) -> ClientConnection:
    machine = ClientConnection(allow_plaintext_auth=True)
    lines = "".join(f"250-{keyword}\r\n" for keyword in ("hamburger.edu", *offered))
    play(open_session(machine, "crepes.fr", "none"), b"220 hi\r\n", f"{lines}250 HELP\r\n".encode()).value()
    return machine


def test_quit_waits_for_its_reply_and_closes():
    """RFC 5321 s4.1.1.10"""
    machine = ready()
    played = play(quit_session(machine), b"221 bye\r\n")
    assert played.value() is None
    assert played.writes == [QUIT]
    assert [type(effect).__name__ for effect in played.effects] == ["Write", "Read", "Close"]
    assert machine.state is State.CLOSED


@pytest.mark.parametrize(
    "turn",
    [EOF, TIMEOUT, RESET, b"500 what?\r\n", b"421 no time\r\n", b"garbage\r\n", b"\r\n", b"221 bye\r\n250 more\r\n"],
    ids=repr,
)
def test_whatever_the_server_says_the_connection_is_closed(turn):
    played = play(quit_session(ready()), turn)
    assert played.value() is None
    assert played.closed


def test_quit_behind_an_open_transaction():
    machine = ready()
    play(exchange(machine, Mail(None)), b"250 ok\r\n").value()
    assert play(quit_session(machine), b"221 bye\r\n").writes == [QUIT]


def silent_ends():
    machine = ClientConnection()
    yield "before-the-greeting", machine

    machine = ready()
    for command, reply in ((Mail(None), b"250"), (Rcpt(Mailbox.parse("b@h.edu")), b"250"), (Data(), b"354")):
        play(exchange(machine, command), reply + b" ok\r\n").value()
    assert machine.state is State.CONTENT
    yield "within-content", machine

    machine = ready("AUTH PLAIN")
    play(exchange(machine, Auth("PLAIN")), b"334 \r\n").value()
    yield "within-auth", machine

    machine = ready(STARTTLS.keyword)
    play(exchange(machine, StartTls()), b"220 go\r\n").value()
    yield "before-the-handshake", machine
    machine = ready(STARTTLS.keyword)
    play(exchange(machine, StartTls()), b"220 go\r\n").value()
    machine.tls_failed()
    yield "after-a-failed-handshake", machine

    machine = ready()
    play(quit_session(machine), b"221 bye\r\n").value()
    yield "a-second-time", machine


@pytest.mark.parametrize("machine", [pytest.param(machine, id=name) for name, machine in silent_ends()])
def test_where_no_command_is_in_its_place_nothing_is_said(machine):
    played = play(quit_session(machine))
    assert played.value() is None
    assert played.written == b""
    assert played.closed


def test_after_the_server_broke_the_protocol_nothing_is_said():
    machine = ready()
    with pytest.raises(RemoteProtocolError):
        play(exchange(machine, Mail(None)), b"250-ok\r\n251 no\r\n").value()
    played = play(quit_session(machine))
    assert played.value() is None
    assert played.written == b""
    assert played.closed


def test_a_lost_connection_is_no_error_of_quit():
    machine = ready()
    machine.send(Mail(None))
    played = play(next_answer(machine), TIMEOUT)
    assert played.error is TIMEOUT
    assert play(quit_session(machine), EOF).value() is None
