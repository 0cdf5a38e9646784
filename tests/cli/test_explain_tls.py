"""TLS in transcripts: octets that nobody can read, and conversations that are readable all the same."""

from __future__ import annotations

import pytest

from smtpcore import State
from smtpcore.cli.explain.page import write_page
from smtpcore.cli.explain.report import tell
from tests.cli.explaining import rules_of, story_of, story_of_text

OFFER = b"250-hamburger.edu\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"
START = [("S", b"220 hamburger.edu\r\n"), ("C", b"EHLO crepes.fr\r\n"), ("S", OFFER), ("C", b"STARTTLS\r\n")]
GO = ("S", b"220 go\r\n")
INSIDE = [
    ("C", b"EHLO crepes.fr\r\n"),
    ("S", b"250-hamburger.edu\r\n250 AUTH PLAIN\r\n"),
    ("C", b"AUTH PLAIN AGEAYg==\r\n"),
    ("S", b"235 ok\r\n"),
]
HANDSHAKE = [
    ("C", b"\x16\x03\x01\x02\x00"),
    ("S", b"\x16\x03\x03\x00"),
    ("C", b"\x17\x03\x03"),
    ("S", b"220 not that\r\n"),
]


def words(story):
    return [remark.text for step in story.steps for remark in step.remarks]


def test_a_capture():
    story = story_of([*START, GO, *HANDSHAKE])
    assert rules_of(story) == []
    assert len(story.steps) == 6
    last = story.steps[-1]
    assert (last.who, last.before) == ("note", State.UPGRADING)
    assert "nobody but the two ends can read them" in last.remarks[0].text
    assert last.remarks[1].text == "8 octets of the client and 18 of the server."


def test_tls_from_the_first_octet():
    story = story_of(HANDSHAKE)
    assert [step.who for step in story.steps] == ["note"]
    assert rules_of(story) == []


def test_a_capture_as_ascii():
    """tshark prints dots for what is no text."""
    story = story_of([*START, GO, ("C", b"....\r\n..x"), ("S", b"..\n")])
    assert rules_of(story) == []
    assert story.steps[-1].remarks[1].text == "9 octets of the client and 3 of the server."


@pytest.mark.parametrize("told", [[], [("tls", b"")]], ids=["untold", "told"])
def test_a_log(told):
    """What was said inside is readable: a session of its own, and no credentials in the clear."""
    story = story_of([*START, GO, *told, *INSIDE], exact=False)
    assert rules_of(story) == []
    assert any("TLS handshake is done" in text for text in words(story))
    assert story.steps[-1].after is State.READY
    assert [step.before for step in story.steps[-4:]] == [State.GREETED] * 2 + [State.READY] * 2


def test_credentials_outside_and_inside():
    turns = [*START[:3], *INSIDE[2:]]
    assert rules_of(story_of(turns)) == [("client", "RFC 4954 s9")]
    assert rules_of(story_of([("tls", b""), *turns])) == []


def test_a_handshake_that_comes_from_nowhere():
    story = story_of([*START[:3], ("tls", b""), ("C", b"NOOP\r\n"), ("S", b"250 ok\r\n")])
    assert rules_of(story) == []
    assert story.steps[-1].after is State.READY


def test_what_was_offered_before_does_not_count():
    turns = [*START, GO, ("tls", b""), ("C", b"MAIL FROM:<a@b>\r\n"), ("S", b"503 no\r\n")]
    assert rules_of(story_of(turns)) == [("client", "RFC 5321 s4.1.4")]


@pytest.mark.parametrize("turns", [[("S", GO[1] + b"250 ok\r\n")], [GO, ("S", b"250 ok\r\n")]], ids=["at once", "then"])
def test_a_reply_in_the_clear(turns):
    assert rules_of(story_of([*START, *turns])) == [("server", "RFC 3207 s4.2")]


def test_words_of_a_program():
    story = story_of_text("=== Trying\n<-  220 a\n -> QUIT\n<-  221 b\n*** Remote host closed\n")
    assert [(step.who, step.lines) for step in story.steps] == [
        ("note", ["Trying"]),
        ("S", ["220 a"]),
        ("C", ["QUIT"]),
        ("S", ["221 b"]),
        ("note", ["Remote host closed"]),
    ]
    assert "   Remote host closed" in "\n".join(line for line, _ in tell(story))
    assert "<pre>Remote host closed</pre>" in write_page([story])
