"""LOGIN, both halves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.sasl import Credentials, Login, LoginServer

CONTROLS = [chr(octet) for octet in (*range(0x20), *range(0x7F, 0xA0))]


def test_the_server_asks_for_the_name_and_then_the_password():
    server = LoginServer()
    assert server.step(None) == b"Username:"
    assert server.step(b"user") == b"Password:"
    found = server.step(b"secret")
    assert found == Credentials("LOGIN", "user", b"secret")
    assert isinstance(found, Credentials)
    assert found.authzid == ""


def test_an_initial_response_is_the_name():
    server = LoginServer()
    assert server.step(b"user") == b"Password:"
    assert server.step(b"secret") == Credentials("LOGIN", "user", b"secret")


@pytest.mark.parametrize(
    "responses",
    [
        pytest.param([b""], id="AU-09-empty-name"),
        pytest.param([b"user", b""], id="AU-09-empty-password"),
        pytest.param([b"\xff"], id="AU-09-name-not-utf8"),
        pytest.param([b"u" * 256], id="AU-09-name-256"),
        pytest.param([b"user\0"], id="AU-09-nul"),
    ],
)
def test_the_server_takes_nothing_else(responses):
    server = LoginServer()
    server.step(None)
    for response in responses[:-1]:
        server.step(response)
    with pytest.raises(ParseError):
        server.step(responses[-1])


@pytest.mark.parametrize("control", CONTROLS, ids=lambda char: f"AU-10-{ord(char):02x}")
def test_no_control_character_in_a_name(control):
    with pytest.raises(ParseError):
        LoginServer().step(f"us{control}er".encode())


@pytest.mark.parametrize(
    "prompts",
    [(b"Username:", b"Password:"), (b"User Name\0", b"Password\0"), (b"", b""), (b"Password:", b"Username:")],
    ids=repr,
)
def test_the_client_answers_in_its_order_whatever_the_prompts_say(prompts):
    client = Login("user", "secret")
    assert not client.client_first
    assert [client.step(prompt) for prompt in prompts] == [b"user", b"secret"]


def test_a_third_question_gets_no_answer():
    client = Login("user", "secret")
    client.step(b"Username:")
    client.step(b"Password:")
    with pytest.raises(ParseError):
        client.step(b"PIN:")


def test_the_client_has_nothing_to_say_first():
    with pytest.raises(ParseError):
        Login("user", "secret").step(None)


@pytest.mark.parametrize("arguments", [("", "p"), ("u", ""), ("u\0", "p"), ("u", "p\0"), ("u", "\ud800")], ids=ascii)
def test_the_client_refuses_what_cannot_be_said(arguments):
    with pytest.raises(ParseError):
        Login(*arguments)


names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=60)
passwords = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=60)


@given(names, passwords, st.booleans())
def test_what_the_client_says_the_server_understands(name, password, initial):
    server, client = LoginServer(), Login(name, password)
    challenge = b"Username:" if initial else server.step(None)
    result: bytes | Credentials = challenge
    while isinstance(result, bytes):
        result = server.step(client.step(result))
    assert result == Credentials("LOGIN", name, password.encode())


@given(st.lists(st.one_of(st.none(), st.binary(max_size=8), st.sampled_from([b"u", b"p"])), max_size=4))
def test_any_responses_end_in_credentials_or_a_parse_error(responses):
    """I9 for the server's half: no other exception, whatever comes."""
    server = LoginServer()
    for response in responses:
        try:
            result = server.step(response)
        except ParseError:
            return
        if isinstance(result, Credentials):
            assert result.authcid
            assert len(result.password) > 0
            return
        assert result in (b"Username:", b"Password:")
