"""CRAM-MD5 (RFC 2195), both halves."""

from __future__ import annotations

import re
import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.sasl import CramMd5, CramMd5Server, Credentials
from tests.sasl.exchanges import converse

CHALLENGE = b"<1896.697170952@postoffice.reston.mci.net>"


def test_the_example_of_the_rfc():
    """RFC 2195 s2"""
    assert CramMd5("tim", "tanstaaftanstaaf").step(CHALLENGE) == b"tim b913a602c7eda7a495b4e6e7334d3890"
    claim = Credentials("CRAM-MD5", "tim", b"b913a602c7eda7a495b4e6e7334d3890", challenge=CHALLENGE)
    assert claim.verify("tanstaaftanstaaf")
    assert claim.verify(b"tanstaaftanstaaf")
    assert not claim.verify("tanstaaf")
    assert not claim.verify("")
    assert not claim.verify("b913a602c7eda7a495b4e6e7334d3890")


def test_a_challenge_is_new_each_time(monkeypatch):
    """AU-16: from the secrets module; RFC 2195 s2 has it in the form of a message identifier."""
    drawn = []

    def token_hex(count: int) -> str:
        drawn.append(count)
        return "0" * (2 * count)

    one, two = CramMd5Server("hamburger.edu").step(None), CramMd5Server("hamburger.edu").step(None)
    assert isinstance(one, bytes)
    assert one != two
    assert re.fullmatch(rb"<[0-9a-f]{32}@hamburger\.edu>", one)
    monkeypatch.setattr(secrets, "token_hex", token_hex)
    CramMd5Server().step(None)
    assert drawn == [16]


names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=60)


@given(names, names, names)
def test_both_halves(name, password, other):
    result, said = converse(CramMd5(name, password), CramMd5Server())
    assert isinstance(result, Credentials)
    assert (result.authcid, result.authzid, result.proven) == (name, "", False)
    assert result.verify(password)
    assert result.verify(other) == (other == password)
    assert len(said) == 2


@pytest.mark.parametrize(
    "response",
    [
        None,
        b"",
        b"tim",
        b"b913a602c7eda7a495b4e6e7334d3890",
        b" b913a602c7eda7a495b4e6e7334d3890",
        b"tim b913a602c7eda7a495b4e6e7334d389",
        b"tim b913a602c7eda7a495b4e6e7334d38900",
        b"tim B913A602C7EDA7A495B4E6E7334D3890",
        b"tim b913a602c7eda7a495b4e6e7334d3890\n",
        b"ti\nm b913a602c7eda7a495b4e6e7334d3890",
        b"\xff b913a602c7eda7a495b4e6e7334d3890",
        b"t" * 256 + b" b913a602c7eda7a495b4e6e7334d3890",
    ],
    ids=repr,
)
def test_a_response_that_is_none(response):
    server = CramMd5Server()
    server.step(None)
    with pytest.raises(ParseError) as caught:
        server.step(response)
    assert caught.value.text == ""


def test_there_is_no_initial_response():
    for response in (b"", b"tim b913a602c7eda7a495b4e6e7334d3890"):
        with pytest.raises(ParseError):
            CramMd5Server().step(response)
    client = CramMd5("tim", "x")
    assert not client.client_first
    for challenge in (None, b""):
        with pytest.raises(ParseError):
            client.step(challenge)
    client.step(CHALLENGE)
    with pytest.raises(ParseError):
        client.step(CHALLENGE)


@pytest.mark.parametrize("arguments", [("", "x"), ("u", ""), ("u\0", "x"), ("u", "x\0"), ("u", "\ud800")], ids=ascii)
def test_what_cannot_be_said(arguments):
    with pytest.raises(ParseError):
        CramMd5(*arguments)
