"""Secrets do not show, wherever the mechanisms keep them (AU-12, AU-17, I12)."""

from __future__ import annotations

import hmac
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.sasl import Credentials, Login, LoginServer, Plain, PlainServer
from tests.sasl.exposure import assert_hidden, forms, views, views_of_error

USER = "alice-of-crepes"
PASSWORD = "Tr0ub4dor&3 is no secret"
SECRETS = forms(PASSWORD.encode(), f"\0{USER}\0{PASSWORD}".encode())


def things() -> list[Any]:
    """Everything that holds a password at some time."""
    begun = LoginServer()
    begun.step(None)
    begun.step(USER.encode())
    halfway = Login(USER, PASSWORD)
    halfway.step(b"Username:")
    return [
        Plain(USER, PASSWORD),
        Plain(USER, PASSWORD, "z"),
        Login(USER, PASSWORD),
        halfway,
        PlainServer(),
        begun,
        PlainServer().step(f"\0{USER}\0{PASSWORD}".encode()),
        begun.step(PASSWORD.encode()),
        Credentials("PLAIN", USER, PASSWORD.encode(), "z"),
    ]


@pytest.mark.parametrize("thing", things(), ids=lambda thing: type(thing).__name__)
def test_a_holder_of_a_password_does_not_show_it(thing):
    """AU-17"""
    assert_hidden(views(thing), SECRETS)


def test_the_forms_are_found_where_they_stand():
    """The test itself can fail: base64 of the whole message holds the password's own characters, however shifted."""
    import base64

    for authzid in ("", "z", "zz"):
        blob = base64.b64encode(f"{authzid}\0{USER}\0{PASSWORD}".encode()).decode()
        assert any(form in blob for form in forms(PASSWORD.encode())), authzid


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(lambda: PlainServer().step(f"\0{USER}\0{PASSWORD}\0".encode()), id="plain-three-nul"),
        pytest.param(lambda: PlainServer().step(f"{USER}\0{PASSWORD}".encode()), id="plain-one-nul"),
        pytest.param(lambda: PlainServer().step(b"\0u\0" + PASSWORD.encode() + b"\xff"), id="plain-not-utf8"),
        pytest.param(lambda: PlainServer().step(f"\0{PASSWORD}\x01\0p".encode()), id="plain-password-for-a-name"),
        pytest.param(lambda: LoginServer().step(PASSWORD.encode() + b"\xff"), id="login-password-for-a-name"),
        pytest.param(lambda: LoginServer().step(PASSWORD.encode() + b"\x01"), id="login-control"),
        pytest.param(lambda: Plain(USER, PASSWORD + "\0"), id="plain-client-nul"),
        pytest.param(lambda: Plain(USER, PASSWORD + "\ud800"), id="plain-client-surrogate"),
        pytest.param(lambda: Plain("", PASSWORD), id="plain-client-no-name"),
        pytest.param(lambda: Plain(USER, PASSWORD).step(b"what is it?"), id="plain-client-asked"),
        pytest.param(lambda: Login(USER, PASSWORD + "\udcff"), id="login-client-surrogate"),
        pytest.param(lambda: Login(USER, PASSWORD).step(None), id="login-client-first"),
    ],
)
def test_no_error_shows_a_password(step):
    """AU-17: neither the message of an exception, nor its arguments, nor what it was raised from."""
    with pytest.raises(ParseError) as caught:
        step()
    assert_hidden(views_of_error(caught.value), SECRETS)


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x17F), min_size=4, max_size=30))
def test_no_password_shows(password):
    """I12"""
    if "\x7f" in password:
        return
    try:
        holders = [Plain("u", password), Login("u", password), PlainServer().step(f"\0u\0{password}".encode())]
    except ParseError:
        assert len(password.encode()) > 255
        return
    for holder in holders:
        # A form that a class name or a label may contain by chance proves nothing.
        secrets = [form for form in forms(password.encode()) if form not in _harmless()]
        assert_hidden(views(holder), secrets)


def _harmless() -> str:
    harmless = [*views(Plain("u", "x")), *views(Login("u", "x")), *views(Credentials("PLAIN", "u", b"x"))]
    return " ".join(harmless)


def test_a_failing_handler_shows_no_password_in_a_traceback_with_locals():
    """What an application's error page shows: the frames above hold the credentials and nothing plainer."""
    credentials = PlainServer().step(f"\0{USER}\0{PASSWORD}".encode())

    def authenticate(given: object) -> bool:
        raise RuntimeError("the directory is away")

    with pytest.raises(RuntimeError) as caught:
        authenticate(credentials)
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert_hidden(iter(["".join(shown.format())]), SECRETS)


@pytest.mark.parametrize("password", ["secret", "pässword", "密码", "x" * 255], ids=ascii)
def test_passwords_are_compared_as_octets_in_constant_time(password, monkeypatch):
    """AU-12: a str with anything beyond ASCII would be a TypeError."""
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((type(one), type(other)))
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", compare)
    credentials = Credentials("PLAIN", "u", password.encode())
    assert credentials.verify(password)
    assert credentials.verify(password.encode())
    assert not credentials.verify(password + "x")
    assert not credentials.verify("")
    assert set(compared) == {(bytes, bytes)}
    assert len(compared) == 4


def test_credentials_are_values():
    one = Credentials("PLAIN", "u", b"p", "z")
    assert one == Credentials("PLAIN", "u", b"p", "z")
    assert one != Credentials("PLAIN", "u", b"q", "z")
    assert one != Credentials("PLAIN", "u", b"p")
    with pytest.raises(AttributeError):
        one.authcid = "other"
