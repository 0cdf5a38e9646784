"""Who broke which rule: each rule is broken once, and nothing else is found."""

from __future__ import annotations

from itertools import pairwise

import pytest

from smtpcore import State
from tests.cli.explaining import CLEAN, rules_of, story_of, story_of_text

GREETING = ("S", b"220 hamburger.edu ESMTP\r\n")
EHLO = ("C", b"EHLO crepes.fr\r\n")
OFFER = "PIPELINING;SIZE 1000;STARTTLS;AUTH PLAIN LOGIN CRAM-MD5;DSN".split(";")
HELLO = ("S", b"".join(b"250-%b\r\n" % line.encode() for line in ["hamburger.edu", *OFFER]) + b"250 8BITMIME\r\n")
BEGIN = [GREETING, EHLO, HELLO]
PLAIN = [GREETING, ("C", b"HELO crepes.fr\r\n"), ("S", b"250 hamburger.edu\r\n")]
MAIL = [("C", b"MAIL FROM:<alice@crepes.fr>\r\n"), ("S", b"250 ok\r\n")]
RCPT = [("C", b"RCPT TO:<bob@hamburger.edu>\r\n"), ("S", b"250 ok\r\n")]
DATA = [("C", b"DATA\r\n"), ("S", b"354 go\r\n")]
HEAD = b"From: alice@crepes.fr\r\nDate: Mon, 23 Nov 2026 15:54:20 +0000\r\n\r\n"
ACCEPTED = ("S", b"250 ok\r\n")
ENVELOPE = [*BEGIN, *MAIL, *RCPT, *DATA]


def content(octets):
    return [*ENVELOPE, ("C", octets), ACCEPTED]


BROKEN = {
    # -- commands
    "no greeting": ([EHLO, ("S", b"250 hamburger.edu\r\n")], [("server", "RFC 5321 s4.3.1")]),
    "before the greeting": ([EHLO, GREETING, HELLO], [("client", "RFC 5321 s4.3.1")]),
    "unknown command": ([*PLAIN, ("C", b"FOOB\r\n"), ("S", b"500 no\r\n")], [("client", "RFC 5321 s4.1.1")]),
    "syntax": ([*PLAIN, ("C", b"MAIL TO:<a@b>\r\n"), ("S", b"501 no\r\n")], [("client", "RFC 5321 s4.1.1")]),
    "space": ([*PLAIN, ("C", b"MAIL FROM: <a@b>\r\n"), ACCEPTED], [("client", "RFC 5321 s3.3")]),
    "order": ([*PLAIN, *RCPT[:1], ("S", b"503 no\r\n")], [("client", "RFC 5321 s4.1.4")]),
    "order, and taken": (
        [*PLAIN, *RCPT],
        [("client", "RFC 5321 s4.1.4"), ("server", "RFC 5321 s4.1.4")],
    ),
    "bare LF": ([*PLAIN, ("C", b"RSET\nNOOP\r\n"), ("S", b"500 no\r\n")], [("client", "RFC 5321 s2.3.8")]),
    "bare CR": ([*PLAIN, ("C", b"RSET\rNOOP\r\n"), ("S", b"500 no\r\n")], [("client", "RFC 5321 s2.3.8")]),
    "NUL": ([*PLAIN, ("C", b"RS\0ET\r\n"), ("S", b"500 no\r\n")], [("client", "RFC 5321 s2.3.8")]),
    "bare LF, taken for a line end": (
        [*PLAIN, ("C", b"NOOP\n"), ACCEPTED],
        [("client", "RFC 5321 s2.3.8"), ("server", "RFC 5321 s2.3.8")],
    ),
    "line too long": ([*PLAIN, ("C", b"NOOP %b\r\n" % (b"x" * 600)), ACCEPTED], [("client", "RFC 5321 s4.5.3.1.4")]),
    "beyond ASCII": (
        [*BEGIN, ("C", "MAIL FROM:<älice@crepes.fr>\r\n".encode()), ("S", b"553 no\r\n")],
        [("client", "RFC 6531 s3.1")],
    ),
    "parameter not offered": (
        [*BEGIN, ("C", b"MAIL FROM:<a@b> MT-PRIORITY=3\r\n"), ("S", b"555 no\r\n")],
        [("client", "RFC 5321 s2.2.1")],
    ),
    "parameter behind HELO": (
        [*PLAIN, ("C", b"MAIL FROM:<a@b> SIZE=10\r\n"), ("S", b"555 no\r\n")],
        [("client", "RFC 5321 s2.2.1")],
    ),
    "parameter nobody knows": (
        [*BEGIN, ("C", b"MAIL FROM:<a@b> HAM=3\r\n"), ("S", b"555 no\r\n")],
        [("client", "RFC 5321 s4.1.1.11")],
    ),
    "BINARYMIME not offered": (
        [*BEGIN, ("C", b"MAIL FROM:<a@b> BODY=BINARYMIME\r\n"), ("S", b"555 no\r\n")],
        [("client", "RFC 5321 s2.2.1")],
    ),
    "BODY of another kind": (
        [*BEGIN, ("C", b"MAIL FROM:<a@b> BODY=9BIT\r\n"), ("S", b"501 no\r\n")],
        [("client", "RFC 6152 s3")],
    ),
    "too big, said before": (
        [*BEGIN, ("C", b"MAIL FROM:<a@b> SIZE=2000\r\n"), ("S", b"552 no\r\n")],
        [("client", "RFC 5321 s4.2.4")],
    ),
    "verb not offered": ([*PLAIN, ("C", b"STARTTLS\r\n"), ("S", b"502 no\r\n")], [("client", "RFC 5321 s2.2.1")]),
    "pipelining not offered": (
        [*PLAIN, ("C", MAIL[0][1] + RCPT[0][1]), ACCEPTED, ACCEPTED],
        [("client", "RFC 2920 s3.1")],
    ),
    "not the last of its group": (
        [*BEGIN, ("C", b"NOOP\r\nRSET\r\n"), ACCEPTED, ACCEPTED],
        [("client", "RFC 2920 s3.1")],
    ),
    "behind EHLO": (
        [GREETING, ("C", b"EHLO crepes.fr\r\nNOOP\r\n"), HELLO, ACCEPTED],
        [("client", "RFC 2920 s3.1")],
    ),
    "in the clear": (
        [*BEGIN, ("C", b"AUTH PLAIN AGEAYg==\r\n"), ("S", b"235 ok\r\n")],
        [("client", "RFC 4954 s9")],
    ),
    "not base64": (
        [*BEGIN, ("C", b"AUTH CRAM-MD5\r\n"), ("S", b"334 PDE+\r\n"), ("C", b"%%\r\n"), ("S", b"501 no\r\n")],
        [("client", "RFC 4954 s4")],
    ),
    "said before the challenge": (
        [*BEGIN, ("C", b"AUTH CRAM-MD5\r\nYQ==\r\n"), ("S", b"334 PDE+\r\n"), ("S", b"235 ok\r\n")],
        [("client", "RFC 4954 s4")],
    ),
    "behind STARTTLS": (
        [*BEGIN, ("C", b"STARTTLS\r\nNOOP\r\n"), ("S", b"220 go\r\n")],
        [("client", "RFC 3207 s4.2")],
    ),
    "behind STARTTLS, refused": (
        [*BEGIN, ("C", b"STARTTLS\r\nNOOP\r\n"), ("S", b"454 no\r\n250 ok\r\n")],
        [("client", "RFC 3207 s4")],
    ),
    # -- contents
    "content before 354": (
        [*BEGIN, *MAIL, *RCPT, ("C", b"DATA\r\n" + HEAD + b".\r\n"), ("S", b"354 go\r\n"), ACCEPTED],
        [("client", "RFC 5321 s4.1.1.4")],
    ),
    "content after a refusal": (
        [*BEGIN, *MAIL, *RCPT, DATA[0], ("S", b"554 no\r\n"), ("C", b"hello there\r\n"), ("S", b"500 no\r\n")],
        [("client", "RFC 5321 s4.1.1.4")],
    ),
    "bare LF in the content": (content(HEAD + b"a\nb\r\n.\r\n"), [("client", "RFC 5321 s2.3.8")]),
    "a hidden dot": (
        content(HEAD + b"a\n.\nb\r\n.\r\n"),
        [("client", "RFC 5321 s2.3.8"), ("client", "RFC 5321 s2.3.8")],
    ),
    "a hidden dot, taken for the end": (
        content(HEAD + b"a\n.\n"),
        [("client", "RFC 5321 s2.3.8"), ("server", "RFC 5321 s4.1.1.4")],
    ),
    "no end": (content(HEAD + b"a\r\n"), [("server", "RFC 5321 s4.1.1.4")]),
    "8 bits": (content(HEAD + b"\xc3\xa4\r\n.\r\n"), [("client", "RFC 6152 s3")]),
    "8 bits in the header": (content(b"Subject: \xc3\xa4\r\n" + HEAD + b".\r\n"), [("client", "RFC 6531 s3.4")]),
    "long line": (
        [*PLAIN, *MAIL, *RCPT, *DATA, ("C", HEAD + b"x" * 999 + b"\r\n.\r\n"), ACCEPTED],
        [("client", "RFC 5321 s4.5.3.1.6")],
    ),
    "too big": (content(HEAD + b"x\r\n" * 400 + b".\r\n"), [("client", "RFC 1870 s6.3")]),
    "no header": (content(b"hello\r\n.\r\n"), [("client", "RFC 5322 s2.1")]),
    "no Date": (content(HEAD[:23] + b"\r\n.\r\n"), [("client", "RFC 5322 s3.6")]),
    "two Dates": (content(HEAD[23:-2] + HEAD + b".\r\n"), [("client", "RFC 5322 s3.6")]),
    "a line that is no field": (
        content(HEAD[:-2] + b"hello\r\n\r\n.\r\n"),
        [("client", "RFC 5322 s2.2")],
    ),
    # -- replies
    "no reply": ([*PLAIN, ("C", b"NOOP\r\n"), ("S", b"hello\r\n250 ok\r\n")], [("server", "RFC 5321 s4.2")]),
    "two codes": (
        [*PLAIN, ("C", b"NOOP\r\n"), ("S", b"250-a\r\n251 b\r\n250 ok\r\n")],
        [("server", "RFC 5321 s4.2.1")],
    ),
    "bare LF in a reply": ([*PLAIN, ("C", b"NOOP\r\n"), ("S", b"250 ok\n")], [("server", "RFC 5321 s2.3.8")]),
    "unasked": ([*PLAIN, ("S", b"250 ok\r\n")], [("server", "RFC 5321 s4.2")]),
    "another command's code": ([*PLAIN, MAIL[0], ("S", b"354 go\r\n")], [("server", "RFC 5321 s4.3.2")]),
    "a command that is not known": (
        [*PLAIN, MAIL[0], ("S", b"502 no\r\n")],
        [("server", "RFC 5321 s4.5.1")],
    ),
    "no class of it": ([*PLAIN, MAIL[0], ("S", b"350 go\r\n")], [("server", "RFC 5321 s4.3.2")]),
    "250 to DATA": (
        [*PLAIN, *MAIL, *RCPT, DATA[0], ACCEPTED],
        [("server", "RFC 5321 s4.3.2")],
    ),
    "no greeting's code": ([("S", b"250 hello\r\n"), EHLO, HELLO], [("server", "RFC 5321 s4.3.2")]),
    "long reply": (
        [*PLAIN, ("C", b"NOOP\r\n"), ("S", b"250 %b\r\n" % (b"x" * 600))],
        [("server", "RFC 5321 s4.5.3.1.5")],
    ),
    "second digit": ([*PLAIN, ("C", b"NOOP\r\n"), ("S", b"270 ok\r\n")], [("server", "RFC 5321 s4.2")]),
    "class of the enhanced code": (
        [*PLAIN, ("C", b"NOOP\r\n"), ("S", b"250 5.0.0 ok\r\n")],
        [("server", "RFC 2034 s4")],
    ),
    "no enhanced code": (
        [GREETING, EHLO, ("S", b"250-a\r\n250 ENHANCEDSTATUSCODES\r\n"), ("C", b"NOOP\r\n"), ACCEPTED],
        [("server", "RFC 2034 s4")],
    ),
    "behind the end": (
        [*PLAIN, ("C", b"QUIT\r\n"), ("S", b"221 bye\r\n"), ("C", b"NOOP\r\n")],
        [("client", "RFC 5321 s4.1.1.10")],
    ),
    "a reply behind the end": (
        [*PLAIN, ("C", b"QUIT\r\n"), ("S", b"221 bye\r\n"), ("S", b"250 ok\r\n")],
        [("server", "RFC 5321 s4.1.1.10")],
    ),
    # -- chunks
    "BDAT not offered": (
        [*BEGIN, *MAIL, *RCPT, ("C", b"BDAT %d LAST\r\n" % len(HEAD) + HEAD), ACCEPTED],
        [("client", "RFC 5321 s2.2.1")],
    ),
    "BDAT of no length": (
        [*BEGIN, *MAIL, *RCPT, ("C", b"BDAT x\r\n"), ("S", b"501 no\r\n")],
        [("client", "RFC 3030 s2")],
    ),
}
RIGHT = {
    "EHLO is not known": [GREETING, EHLO, ("S", b"500 no\r\n"), PLAIN[1], PLAIN[2]],
    "421 at any time": [*PLAIN, ("S", b"421 bye\r\n")],
    "refused from the start": [("S", b"554 no\r\n"), ("C", b"QUIT\r\n"), ("S", b"221 bye\r\n")],
    "client behind a 421": [*PLAIN, ("S", b"421 bye\r\n"), ("C", b"QUIT\r\n")],
    "group": [*BEGIN, ("C", MAIL[0][1] + RCPT[0][1] + b"DATA\r\n"), ("S", b"250 a\r\n250 b\r\n354 c\r\n")],
    "MAIL behind the content": [
        *content(HEAD + b".\r\n")[:-1],
        ("C", MAIL[0][1]),
        ("S", b"250 ok\r\n250 ok\r\n"),
    ],
    "dots": content(HEAD + b"..\r\n..a\r\n.\r\n"),
    "8BITMIME": [
        *BEGIN,
        ("C", b"MAIL FROM:<a@b> BODY=8BITMIME\r\n"),
        ACCEPTED,
        *RCPT,
        *DATA,
        ("C", HEAD + b"\xff\r\n.\r\n"),
        ACCEPTED,
    ],
    "a verb of an extension nobody knows": [
        GREETING,
        EHLO,
        ("S", b"250-a\r\n250 XMUMBLE NAME\r\n"),
        ("C", b"XMUMBLE NAME=a\r\n"),
        ("S", b"220 ok\r\n"),
    ],
    "ETRN": [
        *[GREETING, EHLO, ("S", b"250-a\r\n250 ETRN\r\n"), ("C", b"ETRN a\r\n"), ("S", b"253 3 pending\r\n")],
        *[("C", b"ETRN b\r\n"), ("S", b"251 none\r\n")],
    ],
    "BURL": [
        *[GREETING, EHLO, ("S", b"250-a\r\n250 BURL imap\r\n"), *MAIL, *RCPT],
        *[("C", b"BURL imap://a/b\r\n"), ACCEPTED, ("C", b"BURL imap://a/b LAST\r\n"), ACCEPTED, *MAIL],
    ],
    "XCLIENT, twice": [
        *[GREETING, EHLO, ("S", b"250-a\r\n250 XCLIENT NAME ADDR\r\n"), ("C", b"XCLIENT NAME=a ADDR=192.0.2.1\r\n")]
        * 2,
        *BEGIN,
        *MAIL,
    ],
    "long line with parameters": [
        *BEGIN,
        ("C", b"MAIL FROM:<a@b>\r\n"),
        ACCEPTED,
        ("C", b"RCPT TO:<a@b> NOTIFY=NEVER ORCPT=rfc822;%b\r\n" % (b"x" * 493)),
        ACCEPTED,
    ],
    "CRAM-MD5": [*BEGIN, ("C", b"AUTH CRAM-MD5\r\n"), ("S", b"334 PDE+\r\n"), ("C", b"*\r\n"), ("S", b"501 no\r\n")],
    "nothing behind the greeting": [GREETING],
    "half a line": [*PLAIN, ("C", b"NO")],
    "half a reply": [GREETING, EHLO, ("S", b"250-half\r\n25")],
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_rule_is_broken(name):
    turns, expected = BROKEN[name]
    assert rules_of(story_of(turns)) == expected


@pytest.mark.parametrize("name", RIGHT)
def test_no_rule_is_broken(name):
    assert rules_of(story_of(RIGHT[name])) == []


@pytest.mark.parametrize("name", [*BROKEN, *RIGHT])
def test_cut_into_octets(name):
    """How octets came in packets is no part of the protocol, beyond what came before what."""
    turns = BROKEN[name][0] if name in BROKEN else RIGHT[name]
    pieces = [(who, data[at : at + 1]) for who, data in turns for at in range(len(data))]
    if any(b"\n" in data.replace(b"\r\n", b"") for who, data in turns if who == "S"):
        return  # a bare LF ends a reply line where nothing else has come
    assert rules_of(story_of(pieces)) == rules_of(story_of(turns))


def states(story):
    return [(step.who, step.before, step.after) for step in story.steps]


def test_states():
    found = states(story_of([*ENVELOPE, ("C", HEAD + b".\r\n"), ACCEPTED, ("C", b"QUIT\r\n"), ("S", b"221 bye\r\n")]))
    walk = [State.GREETED, State.READY, State.MAIL, State.RCPT, State.CONTENT, State.READY, State.CLOSED]
    assert found[0] == ("S", State.CONNECTED, State.GREETED)
    expected = [(who, *step) for step in pairwise(walk) for who in "CS"]
    assert found[1:] == expected


def test_where_a_lenient_server_leads():
    """What was taken out of its place leads where it leads in its place."""
    story = story_of([GREETING, *MAIL, *RCPT, *DATA, ("C", HEAD + b".\r\n"), ACCEPTED])
    assert [step.after for step in story.steps if step.who == "S"] == [
        State.GREETED, State.MAIL, State.RCPT, State.CONTENT, State.READY
    ]  # fmt: skip
    assert story.messages[0].recipients[0].verdict == "accepted"


def test_what_cannot_be_read_is_taken_all_the_same():
    story = story_of([*PLAIN, ("C", b"MAIL FROM:<>>\r\n"), ACCEPTED, ("C", b"RCPT TO:<<\r\n"), ACCEPTED, *DATA])
    assert story.steps[-1].after is State.CONTENT
    assert story.messages[0].sender == "MAIL FROM:<>>"
    assert story.messages[0].recipients[0].path == "RCPT TO:<<"


@pytest.mark.parametrize(
    ("turns", "verdicts"),
    [
        ([*ENVELOPE, ("C", HEAD + b".\r\n"), ("S", b"550 5.7.1 no\r\n")], ["refused"]),
        ([*ENVELOPE, ("C", HEAD + b".\r\n"), ("S", b"451 later\r\n")], ["deferred"]),
        ([*ENVELOPE, ("C", HEAD + b".\r\n")], ["unknown"]),
        ([*ENVELOPE, ("C", HEAD)], ["unknown"]),
        ([*BEGIN, *MAIL, *RCPT, ("C", b"RSET\r\n"), ACCEPTED], ["not sent"]),
        ([*BEGIN, *MAIL, RCPT[0], ("S", b"450 later\r\n")], ["deferred"]),
        ([*BEGIN, *MAIL, RCPT[0], ("S", b"550 no\r\n"), *RCPT], ["refused", "not sent"]),
        ([*BEGIN, *MAIL, *RCPT, DATA[0], ("S", b"554 no\r\n")], ["not sent"]),
        ([*BEGIN, *RCPT], ["not sent"]),
    ],
)
def test_outcomes(turns, verdicts):
    (message,) = story_of(turns).messages
    assert [recipient.verdict for recipient in message.recipients] == verdicts


def test_lmtp():
    turns = [
        GREETING,
        ("C", b"LHLO crepes.fr\r\n"),
        ("S", b"250-a\r\n250 PIPELINING\r\n"),
        ("C", b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\n"),
        ("S", b"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"),
        ("C", HEAD + b".\r\n"),
        ("S", b"250 first\r\n452 second\r\n"),
        ("C", b"QUIT\r\n"),
        ("S", b"221 bye\r\n"),
    ]
    story = story_of(turns)
    assert rules_of(story) == []
    assert [each[1:] for each in story.messages[0].recipients] == [
        ("accepted", "250 first"),
        ("deferred", "452 second"),
    ]
    assert story.steps[-1].after is State.CLOSED


def chunked(*chunks):
    return [
        GREETING,
        EHLO,
        ("S", b"250-a\r\n250-PIPELINING\r\n250 CHUNKING\r\n"),
        *MAIL,
        *RCPT,
        *[turn for chunk in chunks for turn in (("C", chunk), ACCEPTED)],
    ]


def test_chunks():
    story = story_of(chunked(b"BDAT %d\r\n" % len(HEAD) + HEAD, b"BDAT 4 LAST\r\na\r\n", b"BDAT 0"))
    assert ("client", "RFC 5321 s2.3.8") in rules_of(story)  # 250 to half a line, and the LF was taken
    story = story_of(chunked(b"BDAT %d\r\n" % len(HEAD) + HEAD, b"BDAT 3 LAST\r\na\r\n"))
    assert rules_of(story) == []
    assert story.messages[0].recipients[0].verdict == "accepted"
    assert story.steps[-1].after is State.READY
    assert [row.name for step in story.steps for row in step.fields] == ["From", "Date"]


def test_chunks_in_the_wrong_place():
    turns = [*chunked()[:3], ("C", b"BDAT 0 LAST\r\n"), ("S", b"503 no\r\n")]
    assert ("client", "RFC 5321 s4.1.4") in rules_of(story_of(turns))


def test_a_chunk_that_is_cut():
    story = story_of([*chunked(), ("C", b"BDAT 100 LAST\r\nabc")])
    assert story.messages[0].recipients[0].verdict == "not sent"


def test_a_log_leaves_contents_out():
    text = "".join(
        f"{'<' if line[0] == 'C' else '>'} crepes.fr[192.0.2.1]: {line[3:]}\n"
        for line in CLEAN.split("\n")
        if line and not line.startswith(("C: From", "C: Date", "C: Subject", "C: Do", "C: .")) and line != "C:"
    )
    story = story_of_text(text)
    assert rules_of(story) == []
    assert [recipient.verdict for recipient in story.messages[0].recipients] == ["accepted", "refused"]
    places = [place for place, step in enumerate(story.steps) if "not in this transcript" in step.remarks[0].text]
    (place,) = places
    assert story.steps[place].who == "C"
    assert story.steps[place + 1].lines == ["250 2.0.0 queued as 4711"]


def told(turns):
    return [remark.text for step in story_of(turns).steps for remark in step.remarks]


def test_what_is_refused_is_told_all_the_same():
    words = told([*BEGIN, ("C", b"MAIL FROM:<a@b> MT-PRIORITY=3\r\n"), ("S", b"555 no\r\n")])
    assert "A transaction begins; failures are reported to a@b." in words
    assert "MT-PRIORITY: the priority is 3" in words


def test_what_cannot_be_read_is_told_by_its_verb():
    assert "A MAIL command that cannot be read." in told([*PLAIN, ("C", b"MAIL <a@b>\r\n"), ("S", b"501 no\r\n")])
    story = story_of([GREETING, ("C", b"LHLO\r\n"), ("S", b"501 no\r\n")])
    assert rules_of(story) == [("client", "RFC 5321 s4.1.1.1")]


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("TURN", "of old"),
        ("ETRN a", "its queue for a."),
        ("ETRN @a", "for a and all hosts"),
        ("ETRN #q", "its queue q."),
        ("XCLIENT NAME=a", "Of Postfix"),
    ],
)
def test_verbs_beyond(verb, words):
    assert any(words in text for text in told([*PLAIN, ("C", verb.encode() + b"\r\n"), ("S", b"502 no\r\n")]))


def test_many_recipients():
    """More than the machine holds."""
    group = [("C", RCPT[0][1] * 1500), ("S", ACCEPTED[1] * 1500)]
    story = story_of([*BEGIN, *MAIL, *group, *DATA, ("C", HEAD + b".\r\n"), ACCEPTED])
    assert rules_of(story) == []
    assert [each.verdict for each in story.messages[0].recipients] == ["accepted"] * 1500


def test_a_long_log_in_shows_nothing_of_its_replies():
    turns = [*BEGIN, ("C", b"AUTH LOGIN\r\n"), *[("S", b"334 YWJj\r\n"), ("C", b"YWJj\r\n")] * 40, ("S", b"235 ok\r\n")]
    story = story_of(turns)
    assert [step.lines for step in story.steps if step.who == "S"][-1] == ["235 ********"]
