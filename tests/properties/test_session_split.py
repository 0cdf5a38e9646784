"""I1: however the octets of a session are cut, both machines report, write and end the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import (
    AuthResponse,
    ClientConnection,
    Data,
    Ehlo,
    LocalProtocolError,
    Mail,
    Noop,
    Quit,
    Rcpt,
    ReplyReceived,
    Rset,
    StartTls,
    State,
)
from smtpcore.extensions import Auth
from tests.session.helpers import (
    ALICE,
    BOB,
    EHLO,
    ENVELOPE,
    choosy,
    make_server,
    run_client,
    run_server,
)
from tests.session.looking import all_cuts, octets
from tests.session.strategies import reply_streams, server_options, sessions
from tests.strategies import partitions

pytestmark = pytest.mark.law(6)


@given(st.data())
def test_server(data):
    stream = data.draw(sessions())
    options = data.draw(server_options())
    eof = data.draw(st.booleans())
    whole = run_server([stream], application=choosy, eof=eof, **options)
    assert run_server(data.draw(partitions(stream)), application=choosy, eof=eof, **options) == whole
    assert run_server(octets(stream), application=choosy, eof=eof, **options) == whole


@given(sessions())
def test_server_that_reads_everything_before_it_answers(stream):
    """The same when the application comes to its turn only after all of it has arrived."""
    machine = make_server()
    machine.greet()
    machine.data_to_send()
    for octet in octets(stream):
        machine.receive_data(octet)
    late = run_server([], machine=machine, eof=True, application=choosy)
    at_once = run_server([stream], eof=True, application=choosy)
    assert (late.events, late.output, late.state) == (at_once.events, at_once.output, at_once.state)


def commands_of(number: int) -> Any:
    return [
        [Ehlo("crepes.fr"), Mail(ALICE), Rcpt(BOB), Rcpt(BOB), Data()],
        [Ehlo("crepes.fr")],
        [Ehlo("crepes.fr"), StartTls()],
        [Ehlo("crepes.fr"), Noop(), Quit()],
    ][number]


def react(machine: ClientConnection, event: Any) -> None:
    """A caller whose next step hangs on the reply alone."""
    if not isinstance(event, ReplyReceived):
        return
    steps: dict[State, list[Any]] = {
        State.READY: [Mail(ALICE), Rcpt(BOB), Rcpt(ALICE), Data()],
        State.GREETED: [Ehlo("crepes.fr")],
        State.MAIL: [Rset()],
        State.AUTHENTICATING: [AuthResponse(b"\0alice\0sesame")],
    }
    if isinstance(event.command, Data) and machine.state is State.CONTENT and not machine.in_flight:
        machine.send_content(b"x\r\n.y\r\n")
        machine.end_content()
    elif event.reply.code % 2 and not machine.in_flight:
        try:
            machine.send(Auth("PLAIN"))
        except LocalProtocolError:
            pass
    elif not machine.in_flight and not machine.queued:
        for command in steps.get(machine.state, []):
            machine.send(command)


@given(st.data())
def test_client(data):
    stream = data.draw(reply_streams)
    if data.draw(st.booleans()):
        stream = b"220 x\r\n250-hamburger.edu\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n" + stream
    number = data.draw(st.integers(0, 3))
    eof = data.draw(st.booleans())

    def play(pieces: list[bytes]) -> Any:
        machine = ClientConnection(allow_plaintext_auth=True)
        return run_client(pieces, commands_of(number), machine=machine, caller=react, eof=eof)

    whole = play([stream])
    assert play(data.draw(partitions(stream))) == whole
    assert play(octets(stream)) == whole


SESSION = (
    EHLO
    + b"AUTH LOGIN\r\nYWxpY2U=\r\nMAIL FROM:<550@x>\r\n"
    + ENVELOPE
    + b"RCPT TO:<450@x>\r\nDATA\r\n.a\r\n..\r\n...\r\n.\r\nNOOP\nNOOP\r\nXYZZY\r\n"
    + ENVELOPE
    + b"DATA\r\na\n.\r\nb\r\n.\r\nQUIT\r\nNOOP\r\n"
)


def test_one_long_session_at_every_cut():
    whole = run_server([SESSION], application=choosy)
    assert whole.codes == [250, 334, 235, 550, 250, 250, 450, 354, 250, 500, 500, 250, 250, 354, 550, 221]
    for pieces in all_cuts(SESSION):
        assert run_server(pieces, application=choosy) == whole


@pytest.mark.parametrize("size", [2, 3, 5, 7, 61])
def test_one_long_session_in_pieces_of_one_size(size):
    pieces = [SESSION[i : i + size] for i in range(0, len(SESSION), size)]
    assert run_server(pieces, application=choosy) == run_server([SESSION], application=choosy)
