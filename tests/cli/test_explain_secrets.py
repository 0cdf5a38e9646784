"""Credentials are hidden wherever they stand, unless somebody asks to see them."""

from __future__ import annotations

from base64 import b64encode

import pytest

from smtpcore.cli.explain.page import write_page
from smtpcore.cli.explain.report import tell
from tests.cli.explaining import explain, story_of

PASSWORD = "gehëim-w1th-words"
START = [
    ("S", b"220 hamburger.edu\r\n"),
    ("C", b"EHLO crepes.fr\r\n"),
    ("S", b"250-hamburger.edu\r\n250 AUTH PLAIN LOGIN\r\n"),
]


def base64(octets: str) -> bytes:
    return b64encode(octets.encode())


RESPONSE = base64(f"\0alice\0{PASSWORD}")
WORD = base64(PASSWORD)
CASES = {
    "initial response": [("C", b"AUTH PLAIN " + RESPONSE), ("S", b"235 ok")],
    "in small letters": [("C", b"auth plain " + RESPONSE), ("S", b"235 ok")],
    "refused": [("C", b"AUTH PLAIN " + RESPONSE), ("S", b"535 no " + WORD)],
    "repeated in clear": [("C", b"AUTH PLAIN " + RESPONSE), ("S", b"535 not " + PASSWORD.encode())],
    "repeated in a broken reply": [("C", b"AUTH PLAIN " + RESPONSE), ("S", WORD)],
    "of no mechanism": [("C", b"AUTH  " + RESPONSE), ("S", b"501 no")],
    "of a mechanism not offered": [("C", b"AUTH XOAUTH2 " + RESPONSE), ("S", b"504 no")],
    "not base64": [("C", b"AUTH PLAIN " + RESPONSE + b"%"), ("S", b"501 no")],
    "response": [
        ("C", b"AUTH LOGIN"),
        ("S", b"334 VXNlcm5hbWU6"),
        ("C", WORD),
        ("S", b"334 UGFzc3dvcmQ6"),
        ("C", WORD),
    ],
    "response that is not base64": [("C", b"AUTH LOGIN"), ("S", b"334 "), ("C", WORD + b"%"), ("S", b"501 no")],
    "response behind a refusal": [("C", b"AUTH LOGIN"), ("S", b"504 no"), ("C", WORD), ("S", b"500 no")],
    "ahead of the challenge": [("C", b"AUTH LOGIN\r\n" + WORD), ("S", b"504 no"), ("S", b"500 no")],
    "with a space before": [("C", b" AUTH PLAIN " + RESPONSE), ("S", b"500 no")],
    "with a bare LF": [("C", b"AUTH PLAIN " + RESPONSE + b"\nRSET"), ("S", b"500 no")],
    "without an answer": [("C", b"AUTH PLAIN " + RESPONSE)],
    "without an end": [("C", b"AUTH LOGIN"), ("S", b"334 "), ("C", WORD[:-2])],
    "behind STARTTLS": [("C", b"STARTTLS\r\nAUTH PLAIN " + RESPONSE), ("S", b"220 go")],
    "behind the end": [("C", b"QUIT"), ("S", b"221 bye"), ("C", b"AUTH PLAIN " + RESPONSE)],
    "before EHLO": [("C", b"RSET"), ("S", b"250 ok"), ("C", b"AUTH PLAIN " + RESPONSE), ("S", b"503 no")],
}
#: What must not show: the octets, and any base64 of them.
SECRETS = [PASSWORD, "gehëim", WORD.decode(), WORD[:8].decode(), RESPONSE.decode(), RESPONSE[:12].decode()]


def turns(name):
    return [*START, *[(who, data + b"\r\n") for who, data in CASES[name]]]


@pytest.mark.parametrize("name", CASES)
def test_hidden(name):
    story = story_of(turns(name))
    shown = "\n".join(line for line, _ in tell(story)) + write_page([story])
    assert not [secret for secret in SECRETS if secret in shown]


def test_shown_when_asked_for():
    story = story_of(turns("initial response"), show_secrets=True)
    shown = "\n".join(line for line, _ in tell(story))
    assert f"AUTH PLAIN {RESPONSE.decode()}" in shown
    assert f"In clear:  NUL alice NUL {PASSWORD}" in shown


def test_responses_shown_when_asked_for():
    story = story_of(turns("response"), show_secrets=True)
    shown = "\n".join(line for line, _ in tell(story))
    assert f"C: {WORD.decode()}" in shown
    assert "The challenge says: Password:" in shown


def test_the_option(tmp_path, capsys):
    lines = [(who.encode(), line) for who, data in turns("response") for line in data.split(b"\r\n")[:-1]]
    text = b"".join(who + b": " + line + b"\n" for who, line in lines)
    assert explain(tmp_path, text) == 1
    assert WORD.decode() not in capsys.readouterr().out
    assert explain(tmp_path, text, "--show-secrets") == 1
    assert WORD.decode() in capsys.readouterr().out


def test_a_challenge_is_no_secret():
    story = story_of(turns("response"))
    assert "334 UGFzc3dvcmQ6" in [line for step in story.steps for line in step.lines]
