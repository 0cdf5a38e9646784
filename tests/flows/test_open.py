"""Opening a session: greeting, EHLO, HELO, and TLS in every mode."""

from __future__ import annotations

import ssl

import pytest

from smtpcore import ClientConnection, Noop, RemoteProtocolError, State
from smtpcore.extensions import AUTH, SIZE, STARTTLS
from smtpcore.flows.client import exchange, open_session
from smtpcore.flows.error import Disconnected, FlowError, Refused, TlsNotOffered
from smtpcore.sasl import Plain, with_password
from tests.flows.driving import EOF, RESET, TIMEOUT, Played, play

GREETING = b"220 hamburger.edu ESMTP\r\n"
EHLO = b"EHLO crepes.fr\r\n"
QUIT = b"QUIT\r\n"
PLAIN_OFFER = b"250-hamburger.edu\r\n250-SIZE 1000\r\n250 AUTH PLAIN LOGIN\r\n"
TLS_OFFER = b"250-hamburger.edu\r\n250-SIZE 1000\r\n250-STARTTLS\r\n250 AUTH LOGIN\r\n"
BYE = b"221 bye\r\n"


def opened(tls, *turns, machine=None, mechanisms=()) -> Played:
    return play(open_session(machine or ClientConnection(), "crepes.fr", tls, mechanisms), *turns)


def secretive(played: Played) -> bool:
    """Whether nothing was written that TLS should have hidden, beyond the client's name."""
    commands = {bytes(line) for line in played.written.split(b"\r\n")}
    return commands <= {b"EHLO crepes.fr", b"HELO crepes.fr", b"STARTTLS", b"QUIT", b""}


# --- without TLS ---------------------------------------------------------------------------------


def test_greeting_and_ehlo():
    machine = ClientConnection()
    played = opened("none", GREETING, PLAIN_OFFER, machine=machine)
    assert played.value() is None
    assert played.writes == [EHLO]
    assert machine.state is State.READY
    assert machine.capabilities.get(SIZE) == 1000
    assert not played.closed


@pytest.mark.parametrize("chunk", [1, 2, 7])
def test_the_chunks_of_the_replies_do_not_matter(chunk):
    octets = GREETING + PLAIN_OFFER
    # The reply to EHLO cannot come before EHLO has gone.
    turns = [GREETING[i : i + chunk] for i in range(0, len(GREETING), chunk)]
    turns += [PLAIN_OFFER[i : i + chunk] for i in range(0, len(PLAIN_OFFER), chunk)]
    assert b"".join(turns) == octets
    played = opened("none", *turns)
    assert played.value() is None
    assert played.writes == [EHLO]


@pytest.mark.parametrize("code", [500, 501, 502, 504, 550])
def test_helo_where_ehlo_is_not_understood(code):
    """RFC 5321 s3.2"""
    machine = ClientConnection()
    played = opened("none", GREETING, f"{code} what?\r\n".encode(), b"250 hamburger.edu\r\n", machine=machine)
    assert played.value() is None
    assert played.writes == [EHLO, b"HELO crepes.fr\r\n"]
    assert machine.state is State.READY
    assert not machine.capabilities


@pytest.mark.parametrize("code", [421, 450, 451, 503, 521, 554])
def test_other_refusals_of_ehlo_are_final(code):
    played = opened("none", GREETING, f"{code} no\r\n".encode(), *([BYE] if code != 421 else []))
    assert isinstance(played.error, Refused)
    assert played.error.reply.code == code
    assert "EHLO was refused" in str(played.error)
    assert b"HELO" not in played.written.replace(EHLO, b"")


def test_helo_may_be_refused_too():
    played = opened("none", GREETING, b"502 what?\r\n", b"550 go away\r\n", BYE)
    assert isinstance(played.error, Refused)
    assert played.error.reply.code == 550


@pytest.mark.parametrize("code", [421, 450, 451, 550, 554])
def test_a_greeting_that_refuses(code):
    """RFC 5321 s3.1: nothing but QUIT is said to such a server."""
    played = opened("none", f"{code} no mail here\r\n".encode(), *([BYE] if code != 421 else []))
    assert isinstance(played.error, Refused)
    assert played.error.command is None
    assert played.error.reply.code == code
    assert "the connection was refused" in str(played.error)
    assert played.written == (b"" if code == 421 else QUIT)


def test_a_greeting_of_several_lines():
    assert opened("none", b"220-hamburger.edu\r\n220-no spam\r\n220 please\r\n", PLAIN_OFFER).value() is None


@pytest.mark.parametrize("greeting", [b"hello\r\n", b"\r\n", b"22 x\r\n", b"HTTP/1.1 400 Bad Request\r\n"])
def test_a_greeting_that_is_no_reply(greeting):
    played = opened("none", greeting)
    assert isinstance(played.error, RemoteProtocolError)
    assert played.written == b""


@pytest.mark.parametrize(
    "turns", [[EOF], [b"220 half", EOF], [GREETING, EOF], [GREETING, b"250-half", EOF]], ids=lambda turns: repr(turns)
)
def test_the_server_hangs_up(turns):
    played = opened("none", *turns)
    assert isinstance(played.error, Disconnected)
    assert isinstance(played.error, ConnectionError)
    assert isinstance(played.error, FlowError)


@pytest.mark.parametrize("error", [TIMEOUT, RESET])
@pytest.mark.parametrize("before", [[], [GREETING]], ids=["greeting", "ehlo"])
def test_what_the_driver_throws_comes_out(error, before):
    assert opened("none", *before, error).error is error


def test_the_deadlines_are_those_of_the_machine():
    """RFC 5321 s4.5.3.2.1 and, for what it does not name, as long."""
    assert [read.seconds for read in opened("none", GREETING, PLAIN_OFFER).reads] == [300, 300]


# --- STARTTLS ------------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", ["required", "opportunistic"])
def test_starttls(tls):
    machine = ClientConnection()
    played = opened(tls, GREETING, TLS_OFFER, b"220 go\r\n", None, PLAIN_OFFER, machine=machine)
    assert played.value() is None
    assert played.writes == [EHLO, b"STARTTLS\r\n", EHLO]
    assert machine.tls
    assert STARTTLS not in machine.capabilities
    assert machine.capabilities.get(AUTH) == ("PLAIN", "LOGIN")


@pytest.mark.parametrize(
    ("turns", "error"),
    [
        pytest.param([GREETING, PLAIN_OFFER, BYE], TlsNotOffered, id="TLS-09-lacks-starttls"),
        pytest.param([GREETING, b"502 what?\r\n", b"250 hi\r\n", BYE], TlsNotOffered, id="TLS-09-helo-only"),
        pytest.param([GREETING, TLS_OFFER, b"454 no\r\n", BYE], Refused, id="TLS-09-454"),
        pytest.param([GREETING, TLS_OFFER, b"250 ok\r\n"], Refused, id="TLS-09-250"),
        pytest.param([GREETING, TLS_OFFER, b"502 no\r\n", BYE], Refused, id="TLS-09-502"),
        pytest.param([GREETING, TLS_OFFER, b"354 go\r\n", BYE], Refused, id="TLS-09-354"),
        pytest.param([GREETING, TLS_OFFER, b"421 no\r\n"], Refused, id="TLS-09-421"),
        pytest.param([GREETING, TLS_OFFER, EOF], Disconnected, id="TLS-09-end-of-stream"),
        pytest.param([GREETING, TLS_OFFER, b"go on\r\n"], RemoteProtocolError, id="TLS-09-garbage"),
    ],
)
@pytest.mark.parametrize("allow_plaintext_auth", [False, True])
def test_required_means_required(turns, error, allow_plaintext_auth):
    machine = ClientConnection(allow_plaintext_auth=allow_plaintext_auth)
    played = opened("required", *turns, machine=machine, mechanisms=with_password("alice", "secret"))
    assert isinstance(played.error, error)
    assert secretive(played)
    assert not played.handshakes
    assert not machine.tls


def test_opportunistic_goes_on_in_the_clear_where_tls_is_not_offered():
    machine = ClientConnection()
    played = opened("opportunistic", GREETING, PLAIN_OFFER, machine=machine)
    assert played.value() is None
    assert (played.writes, machine.tls, machine.state) == ([EHLO], False, State.READY)


@pytest.mark.parametrize("code", [454, 502, 554])
def test_opportunistic_goes_on_in_the_clear_where_tls_is_refused(code):
    machine = ClientConnection()
    played = opened("opportunistic", GREETING, TLS_OFFER, f"{code} no\r\n".encode(), machine=machine)
    assert played.value() is None
    assert played.writes == [EHLO, b"STARTTLS\r\n"]
    assert not machine.tls
    assert play(exchange(machine, Noop()), b"250 ok\r\n").value().code == 250


def test_opportunistic_does_not_take_a_closed_connection_for_an_open_one():
    played = opened("opportunistic", GREETING, TLS_OFFER, b"421 shutting down\r\n")
    assert isinstance(played.error, Refused)
    assert played.error.reply.code == 421


def test_opportunistic_is_not_fooled_by_another_positive_reply():
    """220 is the one reply that begins a handshake (RFC 3207 s4); 250 leaves both sides at odds."""
    machine = ClientConnection()
    played = opened("opportunistic", GREETING, TLS_OFFER, b"250 ok\r\n", machine=machine)
    assert isinstance(played.error, Refused)
    assert machine.state is State.CLOSED
    assert not played.handshakes


@pytest.mark.parametrize("tls", ["required", "opportunistic", "implicit"])
@pytest.mark.parametrize(
    "error",
    [ssl.SSLError("bad record"), ssl.SSLCertVerificationError("self-signed"), RESET, TIMEOUT],
    ids=lambda error: type(error).__name__,
)
def test_a_failed_handshake_never_falls_back(tls, error):
    """TLS-10"""
    machine = ClientConnection(tls=tls == "implicit", allow_plaintext_auth=True)
    turns = [] if tls == "implicit" else [GREETING, TLS_OFFER, b"220 go\r\n"]
    played = opened(tls, *turns, error, machine=machine, mechanisms=[Plain("alice", "secret")])
    assert played.error is error
    assert played.effects[-1] is not None
    assert played.handshakes == 1
    assert secretive(played)
    if tls != "implicit":
        assert machine.state is State.CLOSED


@pytest.mark.parametrize(
    "tail",
    [b"250-evil\r\n250 AUTH EVIL\r\n", b"250-AUTH X", b"2", b"\r\n"],
    ids=["TLS-02", "TLS-03", "one-octet", "line"],
)
def test_octets_in_the_clear_behind_the_220(tail):
    machine = ClientConnection()
    played = opened("opportunistic", GREETING, TLS_OFFER, b"220 go\r\n" + tail, machine=machine)
    assert isinstance(played.error, RemoteProtocolError)
    assert not played.handshakes
    assert "EVIL" not in repr(machine.capabilities)
    assert not machine.tls


def test_what_was_offered_in_the_clear_does_not_count_inside():
    """TLS-08: LOGIN was offered outside only."""
    machine = ClientConnection()
    inside = b"250-hamburger.edu\r\n250 AUTH PLAIN\r\n"
    played = opened(
        "required", GREETING, TLS_OFFER, b"220 go\r\n", None, inside, b"235 ok\r\n",
        machine=machine, mechanisms=with_password("alice", "secret"),
    )  # fmt: skip
    assert played.value() is None
    assert machine.authenticated
    assert machine.capabilities.get(SIZE) is None
    assert played.writes[-1].startswith(b"AUTH PLAIN ")


def test_ehlo_refused_inside_tls():
    played = opened("required", GREETING, TLS_OFFER, b"220 go\r\n", None, b"421 no\r\n")
    assert isinstance(played.error, Refused)


# --- implicit TLS --------------------------------------------------------------------------------


def test_the_handshake_comes_before_the_greeting_is_read():
    """TLS-13"""
    machine = ClientConnection(tls=True)
    played = opened("implicit", None, GREETING, TLS_OFFER, machine=machine)
    assert played.value() is None
    assert [type(effect).__name__ for effect in played.effects[:2]] == ["Handshake", "Read"]
    assert played.writes == [EHLO]
    assert machine.tls


# --- replies too many ----------------------------------------------------------------------------


@pytest.mark.parametrize("tail", [b"250 more\r\n", b"235 come in\r\n", b"334 \r\n"], ids=repr)
def test_a_reply_too_many_answers_nothing(tail):
    """SYN-01: one packet with the reply to EHLO and with the answer to a question that was not asked yet."""
    machine = ClientConnection(allow_plaintext_auth=True)
    played = opened("none", GREETING, PLAIN_OFFER + tail, machine=machine, mechanisms=[Plain("alice", "secret")])
    assert isinstance(played.error, RemoteProtocolError)
    assert not machine.authenticated


def test_a_server_that_answers_before_it_is_asked():
    played = opened("none", GREETING + PLAIN_OFFER)
    assert isinstance(played.error, RemoteProtocolError)


# --- exchange ------------------------------------------------------------------------------------


def test_a_command_and_its_reply_of_whatever_code():
    machine = ClientConnection()
    opened("none", GREETING, PLAIN_OFFER, machine=machine)
    assert play(exchange(machine, Noop()), b"500 what?\r\n").value().code == 500


def test_a_421_that_nobody_asked_for():
    machine = ClientConnection()
    opened("none", GREETING, PLAIN_OFFER, machine=machine)
    machine.receive_data(b"421 too idle\r\n")
    played = play(exchange(machine, Noop()))
    assert isinstance(played.error, Refused)
    assert played.error.reply.code == 421
    assert machine.state is State.CLOSED
