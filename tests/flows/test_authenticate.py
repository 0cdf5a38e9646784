"""AUTH on the client's side: which mechanism, one exchange, and never a weaker one behind it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import pytest

from smtpcore import ClientConnection, LocalProtocolError, ParseError, State
from smtpcore.flows.client import authenticate, open_session
from smtpcore.flows.error import Disconnected, NoMechanism, Refused
from smtpcore.flows.options import begin_client, open_client
from smtpcore.sasl import ClientMechanism, Login, Plain, with_password
from tests.flows.driving import EOF, Played, Stage, play
from tests.sasl.exposure import assert_hidden, forms, views_of_error

PASSWORD = "swordfish-and-chips"
BLOB = base64.b64encode(f"\0alice\0{PASSWORD}".encode())
AUTH_PLAIN = b"AUTH PLAIN " + BLOB + b"\r\n"


def ready(offered: str = "AUTH PLAIN LOGIN", *, plaintext: bool = True) -> ClientConnection:
    machine = ClientConnection(allow_plaintext_auth=plaintext)
    play(
        open_session(machine, "crepes.fr", "none"),
        b"220 hi\r\n",
        f"250-hamburger.edu\r\n250-{offered}\r\n250 HELP\r\n".encode(),
    ).value()
    return machine


def login(machine: ClientConnection, *turns: bytes, mechanisms: Sequence[ClientMechanism] | None = None) -> Played:
    return play(authenticate(machine, mechanisms or with_password("alice", PASSWORD)), *turns)


def test_plain_with_its_initial_response():
    machine = ready()
    played = login(machine, b"235 welcome\r\n")
    assert played.value().code == 235
    assert played.writes == [AUTH_PLAIN]
    assert machine.authenticated
    assert machine.state is State.READY


def test_login_where_there_is_no_plain():
    machine = ready("AUTH LOGIN GSSAPI")
    played = login(machine, b"334 VXNlcm5hbWU6\r\n", b"334 UGFzc3dvcmQ6\r\n", b"235 welcome\r\n")
    assert played.value().code == 235
    assert played.writes == [
        b"AUTH LOGIN\r\n",
        base64.b64encode(b"alice") + b"\r\n",
        base64.b64encode(PASSWORD.encode()) + b"\r\n",
    ]
    assert machine.authenticated


def test_the_legacy_form_of_the_offer():
    """AU-18: ``AUTH=`` is read like ``AUTH``."""
    assert login(ready("AUTH=PLAIN LOGIN"), b"235 ok\r\n").writes == [AUTH_PLAIN]


@pytest.mark.parametrize("offered", ["AUTH LOGIN PLAIN", "AUTH PLAIN", "AUTH plain login"])
def test_the_callers_order_decides_not_the_servers(offered):
    assert login(ready(offered), b"235 ok\r\n").writes == [AUTH_PLAIN]


def test_the_callers_own_order():
    mechanisms: list[ClientMechanism] = [Login("alice", PASSWORD), Plain("alice", PASSWORD)]
    assert login(ready(), b"535 no\r\n", mechanisms=mechanisms).writes == [b"AUTH LOGIN\r\n"]


@pytest.mark.parametrize("offered", ["AUTH GSSAPI", "AUTH ", "SIZE 1", "AUTHPLAIN", "AUTH PLAINER"])
def test_no_mechanism_that_the_client_has(offered):
    machine = ready(offered)
    played = login(machine)
    assert isinstance(played.error, NoMechanism)
    assert played.written == b""
    assert not machine.authenticated


@pytest.mark.parametrize("code", [432, 454, 500, 503, 504, 530, 534, 535, 538, 554])
def test_no_downgrade_after_a_refusal(code):
    """AU-18: a weaker mechanism is not tried behind the server's no."""
    machine = ready()
    played = login(machine, f"{code} no\r\n".encode())
    assert isinstance(played.error, Refused)
    assert played.error.reply.code == code
    assert played.writes == [AUTH_PLAIN]
    assert not machine.authenticated
    assert_hidden(views_of_error(played.error), forms(PASSWORD.encode()))


def test_no_auth_in_the_clear_unless_it_is_allowed():
    """TLS-11"""
    machine = ready(plaintext=False)
    played = login(machine)
    assert isinstance(played.error, LocalProtocolError)
    assert played.written == b""
    assert machine.data_to_send() == b""


@pytest.mark.parametrize(
    "challenge",
    [
        b"334 not base64!\r\n",
        b"334 YWJj=\r\n",
        b"334 YR==\r\n",
        b"334 YQ\r\n",
        b"334-YQ==\r\n334 YQ==\r\n",
        b"334 \xff\xff\xff\xff\r\n",
    ],
    ids=repr,
)
@pytest.mark.parametrize("offered", ["AUTH PLAIN", "AUTH LOGIN"])
def test_a_challenge_that_is_none_is_given_up(challenge, offered):
    """RFC 4954 s4: ``*`` cancels, and the server says 501."""
    machine = ready(offered)
    played = login(machine, challenge, b"501 cancelled\r\n")
    assert isinstance(played.error, Refused)
    assert played.writes[-1] == b"*\r\n"
    assert len(played.writes) == 2
    assert machine.state is State.READY
    assert not machine.authenticated


def test_plain_has_no_second_question():
    machine = ready()
    played = login(machine, b"334 UGFzc3dvcmQ6\r\n", b"501 cancelled\r\n")
    assert isinstance(played.error, Refused)
    assert played.writes == [AUTH_PLAIN, b"*\r\n"]


@pytest.mark.parametrize("challenge", [b"334 \r\n", b"334 !\r\n", b"334 eA==\r\n"], ids=repr)
@pytest.mark.parametrize("offered", ["AUTH PLAIN", "AUTH LOGIN"])
def test_a_server_that_asks_for_ever_is_left(challenge, offered):
    """RES-13: an exchange has an end, and behind ``*`` no challenge is answered."""
    machine = ready(offered)
    stage = Stage(authenticate(machine, with_password("alice", PASSWORD)))
    effect = stage.start()
    for _ in range(20):
        if effect is None:
            break
        effect = stage.feed(challenge)
    played = stage.played
    assert isinstance(played.error, Refused)
    assert played.writes.count(b"*\r\n") <= 1
    assert len(played.writes) <= 4
    assert not machine.authenticated


def test_success_within_the_exchange_is_the_servers_to_give():
    """A server that is content with less is taken at its word."""
    machine = ready("AUTH LOGIN")
    assert login(machine, b"235 in already\r\n").value().code == 235
    assert machine.authenticated


@pytest.mark.parametrize("offered", ["AUTH PLAIN", "AUTH LOGIN"])
def test_the_server_hangs_up_within_the_exchange(offered):
    machine = ready(offered)
    played = login(machine, *([] if "PLAIN" in offered else [b"334 VXNlcm5hbWU6\r\n"]), EOF)
    assert isinstance(played.error, Disconnected)
    assert not machine.authenticated


@pytest.mark.parametrize(
    "text",
    [f"no {PASSWORD} here", f"got {BLOB.decode()}", f"user alice {base64.b64encode(PASSWORD.encode()).decode()}"],
    ids=["plain", "blob", "base64"],
)
def test_a_server_that_repeats_the_secret_does_not_make_it_show(text):
    """AU-17"""
    played = login(ready(), f"535 {text}\r\n".encode())
    assert isinstance(played.error, Refused)
    assert_hidden(views_of_error(played.error), forms(PASSWORD.encode(), f"\0alice\0{PASSWORD}".encode()))


# --- long responses ------------------------------------------------------------------------------


def longest(line_limit: int) -> int:
    """The longest password of which the command still is of that many octets, CRLF included."""
    return max(length for length in range(1, line_limit) if len(_command("p" * length)) <= line_limit)


def _command(password: str) -> bytes:
    return b"AUTH PLAIN " + base64.b64encode(f"\0alice\0{password}".encode()) + b"\r\n"


def test_an_initial_response_of_the_length_that_a_command_may_have():
    password = "p" * longest(512)
    assert 509 <= len(_command(password)) <= 512
    played = login(ready(), b"235 ok\r\n", mechanisms=[Plain("alice", password)])
    assert played.writes == [_command(password)]


@pytest.mark.parametrize("more", [1, 3, 1000])
def test_a_longer_one_waits_for_the_servers_question(more):
    """RFC 4954 s4: an initial response that makes the command too long is not sent with it."""
    password = "p" * (longest(512) + more)
    machine = ready()
    played = login(machine, b"334 \r\n", b"235 ok\r\n", mechanisms=[Plain("alice", password)])
    assert played.value().code == 235
    assert played.writes == [b"AUTH PLAIN\r\n", _command(password)[len("AUTH PLAIN ") :]]
    assert machine.authenticated


def test_it_answers_no_other_question():
    played = login(ready(), b"334 eA==\r\n", b"501 ok\r\n", mechanisms=[Plain("alice", "p" * 600)])
    assert isinstance(played.error, Refused)
    assert played.writes == [b"AUTH PLAIN\r\n", b"*\r\n"]


# --- as an option of connect ---------------------------------------------------------------------


@pytest.mark.parametrize("auth", [("alice", PASSWORD), [Plain("alice", PASSWORD)]], ids=["password", "mechanisms"])
def test_as_an_option(auth):
    options: Any = {"auth": auth, "allow_plaintext_auth": True, "hostname": "crepes.fr"}
    machine = begin_client(options)
    played = play(
        open_client(machine, "none", "127.0.0.1", options),
        b"220 hi\r\n", b"250-h\r\n250 AUTH PLAIN\r\n", b"235 ok\r\n",
    )  # fmt: skip
    assert played.value() is None
    assert played.writes == [b"EHLO crepes.fr\r\n", AUTH_PLAIN]
    assert machine.authenticated


def test_a_name_that_cannot_be_sent():
    with pytest.raises(ParseError):
        open_client(ClientConnection(), "none", "127.0.0.1", {"auth": ("ali\0ce", PASSWORD)})


@pytest.mark.parametrize("auth", [None, (), []], ids=repr)
def test_without_it_nothing_is_said_of_auth(auth):
    options: Any = {"auth": auth, "hostname": "crepes.fr"}
    played = play(
        open_client(ClientConnection(allow_plaintext_auth=True), "none", "", options),
        b"220 hi\r\n", b"250-h\r\n250 AUTH PLAIN\r\n",
    )  # fmt: skip
    assert played.written == b"EHLO crepes.fr\r\n"
