"""PLAIN (RFC 4616), both halves."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.sasl import Credentials, Plain, PlainServer

LIMIT = 255
CONTROLS = [chr(octet) for octet in (*range(1, 0x20), *range(0x7F, 0xA0))]


def message(authcid: str, password: str, authzid: str = "") -> bytes:
    """RFC 4616 s2: ``[authzid] UTF8NUL authcid UTF8NUL passwd``."""
    return f"{authzid}\0{authcid}\0{password}".encode()


@pytest.mark.parametrize(
    ("octets", "authcid", "password", "authzid"),
    [
        pytest.param(b"\0u\0p", "u", b"p", "", id="AU-09-no-authzid"),
        pytest.param(b"z\0u\0p", "u", b"p", "z", id="AU-09-authzid-apart"),
        pytest.param(b"u\0u\0p", "u", b"p", "u", id="AU-09-authzid-the-same"),
        pytest.param("\0ü\0ß".encode(), "ü", "ß".encode(), "", id="AU-09-utf8"),
        pytest.param(b"\0" + b"u" * LIMIT + b"\0" + b"p" * LIMIT, "u" * LIMIT, b"p" * LIMIT, "", id="AU-09-255-octets"),
        pytest.param(b"\0u v\0 p ", "u v", b" p ", "", id="AU-09-spaces-count"),
        pytest.param(b"\0u\0p\r\n\x01", "u", b"p\r\n\x01", "", id="AU-10-a-password-is-any-text"),
        pytest.param(
            b"\0test\x00" + "test\u2028".encode(), "test", "test\u2028".encode(), "", id="AU-09-line-separator"
        ),
    ],
)
def test_the_server_takes_three_fields(octets, authcid, password, authzid):
    found = PlainServer().step(octets)
    assert isinstance(found, Credentials)
    assert (found.mechanism, found.authcid, found.authzid) == ("PLAIN", authcid, authzid)
    assert found.password.reveal() == password
    assert found.verify(password)


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"", id="AU-09-empty"),
        pytest.param(b"\0u\0", id="AU-09-empty-password"),
        pytest.param(b"\0\0p", id="AU-09-empty-authcid"),
        pytest.param(b"\0\0", id="AU-09-all-empty"),
        pytest.param(b"z\0\0", id="AU-09-authzid-alone"),
        pytest.param(b"u", id="AU-09-no-nul"),
        pytest.param(b"u\0p", id="AU-09-one-nul"),
        pytest.param(b"\0u\0p\0x", id="AU-09-three-nul"),
        pytest.param(b"\0u\0p\0", id="AU-09-nul-at-the-end"),
        pytest.param(b"\0\xff\0p", id="AU-09-authcid-not-utf8"),
        pytest.param(b"\0u\0\xff", id="AU-09-password-not-utf8"),
        pytest.param(b"\xff\0u\0p", id="AU-09-authzid-not-utf8"),
        pytest.param(b"\0\xc0\x80\0p", id="AU-09-overlong-nul"),
        pytest.param(b"\0\xed\xa0\x80\0p", id="AU-09-surrogate"),
        pytest.param(b"\0" + b"u" * (LIMIT + 1) + b"\0p", id="AU-09-authcid-256"),
        pytest.param(b"\0u\0" + b"p" * (LIMIT + 1), id="AU-09-password-256"),
        pytest.param(b"z" * (LIMIT + 1) + b"\0u\0p", id="AU-09-authzid-256"),
    ],
)
def test_the_server_takes_nothing_else(octets):
    with pytest.raises(ParseError) as caught:
        PlainServer().step(octets)
    assert "RFC 4616" in caught.value.rule
    assert caught.value.text == ""


@pytest.mark.parametrize("control", CONTROLS, ids=lambda char: f"AU-10-{ord(char):02x}")
@pytest.mark.parametrize("where", ["authcid", "authzid"])
def test_no_control_character_in_a_name(control, where):
    name = f"us{control}er"
    octets = message(name, "p") if where == "authcid" else message("user", "p", name)
    with pytest.raises(ParseError):
        PlainServer().step(octets)


def test_a_password_cannot_be_taken_for_a_name():
    """AU-09: what stands left of the first NUL never becomes part of the name."""
    found = PlainServer().step(b"admin\0user\0secret")
    assert isinstance(found, Credentials)
    assert found.authcid == "user"
    assert "admin" not in found.authcid


def test_without_an_initial_response_the_server_asks():
    server = PlainServer()
    assert server.step(None) == b""
    assert isinstance(server.step(b"\0u\0p"), Credentials)


def test_the_client_says_it_at_once_or_when_asked():
    for challenge in (None, b""):
        assert Plain("u", "p").step(challenge) == b"\0u\0p"
    assert Plain("u", "p", "z").step(None) == b"z\0u\0p"
    assert Plain.client_first


def test_the_client_says_it_once_in_an_exchange():
    client = Plain("u", "p")
    client.step(None)
    with pytest.raises(ParseError):
        client.step(b"")
    assert client.step(None) == b"\0u\0p"


@pytest.mark.parametrize("challenge", [b"x", b" ", b"Username:", b"\0"])
def test_the_client_gives_its_password_to_no_other_question(challenge):
    with pytest.raises(ParseError):
        Plain("u", "p").step(challenge)


@pytest.mark.parametrize(
    "arguments",
    [
        ("", "p"),
        ("u", ""),
        ("u\0", "p"),
        ("u", "p\0x"),
        ("u", "p", "\0"),
        ("u", "\ud800"),
        ("\udcff", "p"),
        ("u", "p", "\ud800"),
    ],
    ids=ascii,
)
def test_the_client_refuses_what_cannot_be_said(arguments):
    with pytest.raises(ParseError):
        Plain(*arguments)


# The grammar of RFC 4616 s2, read off by a pattern of its own: no NUL within a field, two between them.
ORACLE = re.compile(rb"([^\0]{0,255})\0([^\0]{1,255})\0([^\0]{1,255})", re.DOTALL)


def is_name(octets: bytes) -> bool:
    try:
        text = octets.decode()
    except UnicodeDecodeError:
        return False
    return not any(char in "\0" or char in CONTROLS for char in text)


tokens = st.lists(
    st.sampled_from([b"\0", b"u", b"p", b"\xc3\xa9", b"\xff", b"\r", b"\n", b"\x1f", b"\x7f", b"\xc2\x85", b"x" * 255]),
    max_size=7,
).map(b"".join)


@given(st.one_of(tokens, st.binary(max_size=40)))
def test_the_server_agrees_with_the_grammar_on_any_octets(octets):
    found = ORACLE.fullmatch(octets)
    wanted = None
    if found and is_name(found[1]) and is_name(found[2]):
        try:
            found[3].decode()
            wanted = (found[1].decode(), found[2].decode(), found[3])
        except UnicodeDecodeError:
            pass
    try:
        result = PlainServer().step(octets)
    except ParseError:
        assert wanted is None
    else:
        assert isinstance(result, Credentials)
        assert (result.authzid, result.authcid, result.password.reveal()) == wanted


names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=60)
passwords = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=60)


@given(names, passwords, st.one_of(st.just(""), names))
def test_what_the_client_says_the_server_understands(authcid, password, authzid):
    found = PlainServer().step(Plain(authcid, password, authzid).step(None))
    assert found == Credentials("PLAIN", authcid, password.encode(), authzid)
