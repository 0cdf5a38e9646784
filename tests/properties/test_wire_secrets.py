"""I12: secrets do not show: in no representation, no error, no traceback and no copy of what was received."""

from __future__ import annotations

import copy
import pickle
import traceback
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import Auth, AuthResponse, Mail, ParseError, Secret, parse_command
from smtpcore.extensions.auth import decode_base64
from smtpcore.wire.secret import scrub
from tests.strategies import VOCABULARY

pytestmark = pytest.mark.law(15)

#: No text that the package itself writes, nor a part of one.
passwords = st.text("QWZqwz578\u00e9", min_size=8, max_size=24).map(str.encode)
HIDDEN = "[secret]"


def forms(user: bytes, password: bytes) -> list[str]:
    """Everything by which somebody could know the password."""
    plain = b"\0" + user + b"\0" + password
    encoded = b64encode(plain).decode()
    return [
        password.decode(),
        repr(password)[2:-1],
        b64encode(password).decode(),
        encoded,
        *[encoded[start : start + 16] for start in range(len(encoded) - 15)],
    ]


def views_of(value: object) -> list[str]:
    """Everything that may be written of a value, in a log or elsewhere."""
    views = [
        repr(value),
        str(value),
        f"{value}",
        f"{value!a}",
        f"{value} {value!r}",
        repr([value]),
        repr({1: value}),
    ]
    for attempt in (pickle.dumps, copy.copy, vars):
        try:
            views.append(repr(attempt(value)))
        except TypeError as error:
            views.append(repr(error))
    return views


@given(passwords, passwords)
def test_values_show_nothing(user, password):
    plain = b"\0" + user + b"\0" + password
    line = b"AUTH PLAIN " + b64encode(plain)
    read = parse_command(line, VOCABULARY)
    values = [Secret(plain), Auth("PLAIN", plain), read, AuthResponse(plain), AuthResponse.parse_line(b64encode(plain))]
    for value in values:
        for view in views_of(value):
            assert not [form for form in forms(user, password) if form in view]
        with pytest.raises(TypeError):
            pickle.dumps(value)
    assert read.raw is None
    assert bytes(read) == line + b"\r\n"


def test_a_secret_that_is_not_there_hides_nothing():
    assert pickle.loads(pickle.dumps(Auth("PLAIN"))) == Auth("PLAIN")
    assert repr(Auth("PLAIN")) == "Auth(mechanism='PLAIN', initial_response=None)"
    assert repr(Auth("PLAIN", b"x")) == "Auth(mechanism='PLAIN', initial_response=[secret])"


@given(passwords, passwords, st.sampled_from([b"=", b"!", b" ", b"\xff", b"=="]), st.sampled_from([0, 5, -1]))
def test_errors_show_nothing(user, password, noise, where):
    """What cannot be read is not shown either: not in the message, its arguments, or the error's own copies."""
    encoded = b64encode(b"\0" + user + b"\0" + password)
    spoilt = encoded[:where] + noise + encoded[where:]
    for attempt in (
        lambda: parse_command(b"AUTH PLAIN " + spoilt, VOCABULARY),
        lambda: parse_command(b"AUTH " + spoilt + b"/", VOCABULARY),
        lambda: parse_command(b"AUTH PLAIN " + spoilt + b" x", VOCABULARY),
        lambda: AuthResponse.parse_line(spoilt),
        lambda: decode_base64(spoilt.decode("utf-8", "surrogateescape")),
    ):
        try:
            attempt()
        except ParseError as error:
            views = [
                repr(error),
                str(error),
                repr(error.args),
                repr(vars(error)),
                "".join(traceback.format_exception(error)),
            ]
            views += [repr(error.__cause__), repr(pickle.loads(pickle.dumps(error)))]
            for view in views:
                assert not [form for form in forms(user, password) if form in view]


@pytest.mark.parametrize("make", [lambda secret: Auth("no mechanism", secret), lambda secret: Mail(secret)])
def test_tracebacks_with_locals_show_nothing(make):
    """A Secret is safe in every frame, also where what it was given to raises."""
    secret = Secret(b"\0alice\0hunter22")
    try:
        make(secret)
    except (ParseError, TypeError) as error:
        shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
        assert "hunter" not in shown
        assert b64encode(b"\0alice\0hunter22").decode() not in shown
        assert HIDDEN in shown
    else:
        pytest.fail("not refused")


# --- what a server repeats -------------------------------------------------------------------------

words = st.text("AUTH PLAIN bad () .,", max_size=12)


@given(passwords, passwords, words, words, st.integers(0, 30), st.integers(4, 40))
def test_what_a_server_repeats_does_not_show(user, password, before, behind, start, length):
    """The whole, its base64 form or a part of either, between any other words."""
    secret = Secret(b"\0" + user + b"\0" + password)
    for form in (password.decode(), b64encode(secret.reveal()).decode(), b64encode(password).decode()):
        part = form[start : start + length]
        if len(part) < 4:
            continue
        shown = scrub(f"{before} {part} {behind}", [secret])
        for text in shown.split(HIDDEN):
            assert not [i for i in range(len(part) - 3) if part[i : i + 4] in text]
        assert HIDDEN in shown
        assert scrub(part, [secret]) == HIDDEN or part not in scrub(part, [secret])


@given(passwords, words)
def test_what_is_no_secret_stays(password, text):
    assert scrub(text, []) == text
    if not text.isalnum():
        assert scrub(text, [Secret(password)]) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("(AGFsaWNlAHNlY3JldA==)", "([secret])"),
        ("no such user: alice", "no such user: [secret]"),
        ("got AGFsaWNlAH...", "got [secret]..."),
        ("got sec", "got sec"),
        ("\u00e9 secre \u00e9", "\u00e9 [secret] \u00e9"),
        ("", ""),
        ("AGFsaWNlAHNlY3JldA==", "[secret]"),
        ("AGFsaWNl", "[secret]"),
        ("x" * 100, "x" * 100),
    ],
)
def test_scrub(text, shown):
    assert scrub(text, [Secret(b"\0alice\0secret")]) == shown


def test_a_challenge_is_left_alone():
    """A challenge of SASL may have octets in common with what was answered before, and must not change for it."""
    response = b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"
    challenge = b64encode(b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096").decode()
    assert scrub(challenge, [Secret(response)]) == challenge


def test_short_secrets_are_hidden_where_they_stand():
    assert scrub("pin 12 is wrong", [Secret(b"12")]) == "pin [secret] is wrong"


def test_a_secret_is_its_octets():
    held: Any = bytearray(b"abc")
    assert Secret(b"abc") == Secret(held) != Secret(b"b")
    assert Secret(b"a") != b"a"
    assert hash(Secret(b"a")) == hash(Secret(b"a"))
    assert len(Secret(b"abc")) == 3
    assert Secret(b"abc").reveal() == b"abc"
    secret = Secret(held)
    held[0] = 0
    assert secret.reveal() == b"abc"
