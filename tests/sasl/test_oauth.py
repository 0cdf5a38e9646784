"""XOAUTH2 and OAUTHBEARER (RFC 7628), both halves."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.sasl import (
    BearerToken,
    Credentials,
    OAuthBearer,
    OAuthBearerServer,
    Question,
    TokenRefused,
    Unproven,
    XOAuth2,
    XOAuth2Server,
    with_token,
)
from tests.sasl.exchanges import TOKEN, converse

SERVERS: dict[str, Any] = {"XOAUTH2": XOAuth2Server, "OAUTHBEARER": OAuthBearerServer}
BOTH = pytest.mark.parametrize("name", SERVERS)
#: What the client says to an error.
DUMMY = {"XOAUTH2": b"", "OAUTHBEARER": b"\x01"}


def client_of(name: str, user: str = "someuser@example.com", token: str = TOKEN) -> Any:
    return next(each for each in with_token(user, token) if each.name == name)


def test_the_example_of_google():
    client = XOAuth2("someuser@example.com", TOKEN)
    assert client.step(None) == b"user=someuser@example.com\x01auth=Bearer " + TOKEN.encode() + b"\x01\x01"


def test_the_example_of_the_rfc():
    """RFC 7628 s4.1"""
    client = OAuthBearer("user@example.com", TOKEN, host="server.example.com", port=143)
    assert client.step(None) == (
        b"n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer " + TOKEN.encode() + b"\x01\x01"
    )
    assert OAuthBearer("", TOKEN).step(None) == b"n,,\x01auth=Bearer " + TOKEN.encode() + b"\x01\x01"
    assert OAuthBearer("a=b,c", TOKEN).step(None).startswith(b"n,a=a=3Db=2Cc,\x01")


def told(answer: Any, asked: list[BearerToken]) -> Any:
    def give(question: Question) -> Any:
        assert question.method == "verify_token"
        asked.extend(question.arguments)
        return answer

    return give


@BOTH
@pytest.mark.parametrize("initial", [True, False], ids=["initial", "asked"])
def test_a_token_that_is_good(name, initial):
    asked: list[BearerToken] = []
    result, said = converse(client_of(name), SERVERS[name](), told("alice", asked), initial=initial)
    assert result == Credentials(name, "alice", b"", "someuser@example.com", proven=True)
    assert asked == [BearerToken(name, TOKEN.encode(), "someuser@example.com")]
    assert len(said) == (1 if initial else 2)


def test_where_the_client_wants_to_go():
    asked: list[BearerToken] = []
    client = OAuthBearer("u", TOKEN, host="mx.hamburger.edu", port=587)
    converse(client, OAuthBearerServer(), told("alice", asked))
    assert asked == [BearerToken("OAUTHBEARER", TOKEN.encode(), "u", "mx.hamburger.edu", "587")]


@BOTH
@pytest.mark.parametrize(
    ("verdict", "error"),
    [
        (None, {"status": "invalid_token"}),
        (False, {"status": "invalid_token"}),
        (
            TokenRefused("insufficient_scope", "mail", "https://example.com/oauth"),
            {"status": "insufficient_scope", "scope": "mail", "openid-configuration": "https://example.com/oauth"},
        ),
    ],
    ids=["none", "false", "refused"],
)
def test_a_token_that_is_refused(name, verdict, error):
    """RFC 7628 s3.2.2, s3.2.3: the error is told in a challenge, and the server fails behind the client's answer."""
    client = client_of(name)
    result, said = converse(client, SERVERS[name](), told(verdict, []))
    assert isinstance(result, Unproven)
    assert json.loads(said[1]) == error
    assert said[2:] == [DUMMY[name]]
    assert json.loads(client.error) == error


@BOTH
@pytest.mark.parametrize("verdict", [True, "", b"alice", 1, ["alice"]], ids=repr)
def test_a_verdict_that_is_none(name, verdict):
    server = SERVERS[name]()
    server.step(client_of(name).step(None))
    with pytest.raises(TypeError):
        server.answer(verdict)


@BOTH
def test_the_client_hears_one_error(name):
    client = client_of(name)
    with pytest.raises(ParseError):
        client.step(b"who are you?")
    client.step(None)
    with pytest.raises(ParseError):
        client.step(b"")
    assert client.step(b'{"status":"401"}') == DUMMY[name]
    with pytest.raises(ParseError):
        client.step(b'{"status":"401"}')


def test_an_error_that_is_none():
    client = client_of("XOAUTH2")
    client.step(None)
    client.step(b"\xff" * 10_000)
    assert client.error == ""


@pytest.mark.parametrize("response", [b"\x01", b"", b"\x01\x01", b"n,,\x01auth=Bearer again\x01\x01", None], ids=repr)
@BOTH
def test_behind_an_error_is_the_end(name, response):
    """RFC 7628 s3.2.3: whatever the client says; msmtp, for one, says something else than ``^A``."""
    server = SERVERS[name]()
    server.step(client_of(name).step(None))
    server.answer(None)
    assert isinstance(server.step(response), Unproven)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x01",
        b"user=u",
        b"user=u\x01auth=Bearer t",
        b"user=u\x01auth=Bearer t\x01",
        b"user=\x01auth=Bearer t\x01\x01",
        b"user=u\x01auth=Bearer \x01\x01",
        b"user=u\x01auth=Basic t\x01\x01",
        b"user=u\x01auth=Bearer t t\x01\x01",
        b"user=u\x01auth=Bearert\x01\x01",
        b"user=u\x01auth=Bearer t\x01\x01\x01",
        b"user=\xff\x01auth=Bearer t\x01\x01",
        b"user=u\r\n\x01auth=Bearer t\x01\x01",
        b"user=" + b"u" * 256 + b"\x01auth=Bearer t\x01\x01",
        b"auth=Bearer t\x01user=u\x01\x01",
        b"user=u\x01auth=Bearer t\x80\x01\x01",
        b"n,a=u,\x01auth=Bearer t\x01\x01",
    ],
    ids=repr,
)
def test_what_xoauth2_does_not_take(message):
    with pytest.raises(ParseError) as caught:
        XOAuth2Server().step(message)
    assert caught.value.text == ""


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x01",
        b"n,,",
        b"n,,\x01",
        b"n,,\x01\x01",
        b"n,,\x01auth=Bearer t",
        b"n,,\x01auth=Bearer t\x01",
        b"p=tls-exporter,,\x01auth=Bearer t\x01\x01",
        b"n,u,\x01auth=Bearer t\x01\x01",
        b"n,a=,\x01auth=Bearer t\x01\x01",
        b"n,a=u=x,\x01auth=Bearer t\x01\x01",
        b"n,,\x01auth=Bearer t\x01auth=Bearer t\x01\x01",
        b"n,,\x01auth=Bearer t\x01AUTH=Bearer t\x01\x01",
        b"n,,\x01host=x\x01\x01",
        b"n,,\x01a1=x\x01auth=Bearer t\x01\x01",
        b"n,,\x01auth=Bearer \xff\x01\x01",
        b"n,,\x01host=\x00\x01auth=Bearer t\x01\x01",
        b"n,,\x01auth=Bearer t\x01\x01x",
        b"n,a=\xff,\x01auth=Bearer t\x01\x01",
        b"user=u\x01auth=Bearer t\x01\x01",
        b"n,,\x01auth=\x01\x01",
    ],
    ids=repr,
)
def test_what_oauthbearer_does_not_take(message):
    with pytest.raises(ParseError) as caught:
        OAuthBearerServer().step(message)
    assert caught.value.text == ""


@pytest.mark.parametrize("scheme", [b"Bearer ", b"bearer ", b"BEARER ", b"Bearer  "])
def test_the_scheme_is_read_in_any_case(scheme):
    """RFC 7628 s3.1"""
    for name, message in (("XOAUTH2", b"user=u\x01auth=%bt\x01\x01"), ("OAUTHBEARER", b"y,,\x01auth=%bt\x01\x01")):
        question = SERVERS[name]().step(message % scheme)
        assert isinstance(question, Question)
        assert question.arguments[0].token.reveal() == b"t"


@pytest.mark.parametrize("token", ["", " ", "a b", "a\x01b", "tökén", "a\n", "==", "a=b", "\ud800"], ids=ascii)
def test_tokens_that_are_none(token):
    for make in (XOAuth2, OAuthBearer):
        with pytest.raises(ParseError) as caught:
            make("u", token)
        assert caught.value.text == ""


@pytest.mark.parametrize("user", ["", "\0", "a\x01auth=Bearer x", "\ud800"], ids=ascii)
def test_names_that_cannot_be_said(user):
    with pytest.raises(ParseError):
        XOAuth2(user, TOKEN)
    if user:
        with pytest.raises(ParseError):
            OAuthBearer(user, TOKEN)


@pytest.mark.parametrize("host", ["a\x01b", "a b", "ä"], ids=ascii)
def test_hosts_that_cannot_be_said(host):
    with pytest.raises(ParseError):
        OAuthBearer("u", TOKEN, host=host)


tokens = st.lists(
    st.sampled_from(
        [b"n,", b"y,", b"a=", b"u", b",", b"\x01", b"user=", b"auth=", b"Bearer ", b"host=", b"\xff", b"\0", b"t", b"="]
    ),
    max_size=12,
).map(b"".join)


@BOTH
@given(st.one_of(tokens, st.binary(max_size=40)))
def test_nothing_but_parse_errors(name, octets):
    """I9"""
    try:
        result = SERVERS[name]().step(octets)
    except ParseError:
        return
    assert isinstance(result, Question)


names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=60)
good_tokens = st.from_regex(r"\A[A-Za-z0-9\-._~+/]{1,60}={0,2}\Z")


@BOTH
@given(names, good_tokens)
def test_what_the_client_says_the_server_understands(name, user, token):
    question = SERVERS[name]().step(client_of(name, user, token).step(None))
    assert question == Question("verify_token", BearerToken(name, token.encode(), user))
