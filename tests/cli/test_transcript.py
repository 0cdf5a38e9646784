"""Transcripts of every form that is read: what they are recognised by, and which turns come out."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore.cli import transcript_capture
from smtpcore.cli.explain.replay import replay
from smtpcore.cli.failure import FAILED, USAGE, Failure
from smtpcore.cli.transcript import read_transcript
from smtpcore.cli.transcript_turn import FORMATS, Turn
from tests.cli.commandline import serving
from tests.cli.explaining import CLEAN, TEXTBOOK, Capture, rules_of
from tests.interop.machinery import program
from tests.interop.mailservers import Postfix


def turns_of(text, form="auto"):
    (conversation,) = read_transcript(text.encode("utf-8", "surrogateescape"), "test", form)
    return conversation.turns


def said(text, form="auto"):
    return [(turn.who, turn.data) for turn in turns_of(text, form)]


# -- dialogues -------------------------------------------------------------------------------------------


def test_a_dialogue():
    turns = turns_of("S: 220 hamburger.edu\nC: HELO crepes.fr\n")
    assert turns == [Turn("S", b"220 hamburger.edu\r\n", 1), Turn("C", b"HELO crepes.fr\r\n", 2)]


@pytest.mark.parametrize(
    "text",
    [
        "S:220 a\nC:QUIT\n",
        "S:  220 a\r\nC:  QUIT\r\n",
        "    S: 220 a\n    C: QUIT\n",
        "Server: 220 a\nClient: QUIT",
        "s: 220 a\nc: QUIT",
        "\ufeffS: 220 a\nC: QUIT\n",
        "The server begins.\n\nS: 220 a\n\nC: QUIT\n",
        "```\nS: 220 a\nC: QUIT\n```\n",
    ],
    ids=["tight", "wide", "indented", "words", "small", "mark", "prose", "fence"],
)
def test_ways_to_write_it(text):
    assert said(text) == [("S", b"220 a\r\n"), ("C", b"QUIT\r\n")]


def test_a_content_may_go_on_without_marks():
    text = "S: 354 go\nC: one\n two\n\nC:   three\n.\nS: 250 ok\n"
    assert said("C: DATA\n" + text)[2:] == [
        ("C", b"one\r\n"),
        ("C", b" two\r\n"),
        ("C", b"\r\n"),
        ("C", b"  three\r\n"),
        ("C", b".\r\n"),
        ("S", b"250 ok\r\n"),
    ]


def test_354_to_something_else_begins_no_content():
    assert said("C: RCPT TO:<a@b>\nS: 354 go\n\nC: QUIT\n")[-1] == ("C", b"QUIT\r\n")


def test_a_reply_may_go_on_without_marks():
    assert said("S: 250-a\n   250-b\n   250 c\n")[1:] == [("S", b"250-b\r\n"), ("S", b"250 c\r\n")]


def test_octets_are_kept():
    assert said("S: 250 \udcff\u00e4\n") == [("S", b"250 \xff\xc3\xa4\r\n")]


def test_several_conversations():
    text = "S: 220 a\nC: QUIT\nS: 221 b\nS: 220 c\nC: QUIT\nS: 221 d\n"
    first, second = read_transcript(text.encode(), "test")
    assert (first.title, second.title) == ("conversation 1", "conversation 2")
    assert [turn.line for turn in second.turns] == [4, 5, 6]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hello\nworld\n", "no line looks like SMTP"),
        ("S: 220 a\nwhat is this?\n", "line 2: 'what is this?' begins with neither"),
        ("\0\1\2", "no line looks like SMTP"),
    ],
)
def test_what_cannot_be_read(text, says):
    with pytest.raises(Failure, match=re.escape(says)) as caught:
        read_transcript(text.encode(), "letter.txt")
    assert str(caught.value).startswith("letter.txt")
    assert caught.value.status == USAGE


@pytest.mark.parametrize("form", [form for form in FORMATS if form not in {"auto", "transcript"}])
def test_another_form_was_named(form):
    with pytest.raises(Failure, match="no line is of the form"):
        read_transcript(CLEAN.encode(), "test", form)


# -- swaks -----------------------------------------------------------------------------------------------

SWAKS = """\
*** Using some library
=== Trying 127.0.0.1:25...
=== Connected to 127.0.0.1.
<-  220 hamburger.edu ESMTP
 -> EHLO crepes.fr
<-  250-hamburger.edu
<-  250 STARTTLS
 -> STARTTLS
<-  220 go on
=== TLS started with cipher TLSv1.3:TLS_AES_256_GCM_SHA384:256
=== TLS no local certificate set
 ~> EHLO crepes.fr
<~  250 hamburger.edu
 ~> MAIL FROM:<alice@crepes.fr>
<~* 550 no
*~> QUIT
<~  221 bye
=== Connection closed with remote host.
"""


def test_swaks():
    turns = said(SWAKS)
    assert turns[:5] == [
        ("note", b"Using some library"),
        ("note", b"Trying 127.0.0.1:25..."),
        ("note", b"Connected to 127.0.0.1."),
        ("S", b"220 hamburger.edu ESMTP\r\n"),
        ("C", b"EHLO crepes.fr\r\n"),
    ]
    (started,) = [data for who, data in turns if who == "tls"]
    assert started == b"TLS started with cipher TLSv1.3:TLS_AES_256_GCM_SHA384:256"
    assert turns[-5:-1] == [
        ("C", b"MAIL FROM:<alice@crepes.fr>\r\n"),
        ("S", b"550 no\r\n"),
        ("C", b"QUIT\r\n"),
        ("S", b"221 bye\r\n"),
    ]


def test_swaks_without_hints_of_tls():
    assert said("<-  220 a\n -> QUIT\n<** 421 no\n**> X\nPerl says something\n ->\n") == [
        ("S", b"220 a\r\n"),
        ("C", b"QUIT\r\n"),
        ("S", b"421 no\r\n"),
        ("C", b"X\r\n"),
        ("C", b"\r\n"),
    ]


# -- Postfix ---------------------------------------------------------------------------------------------

POSTFIX = """\
Nov 24 09:00:00 mx postfix/smtpd[4711]: connect from crepes.fr[192.0.2.1]
Nov 24 09:00:00 mx postfix/smtpd[4711]: > crepes.fr[192.0.2.1]: 220 hamburger.edu ESMTP Postfix
Nov 24 09:00:00 mx postfix/smtpd[4711]: < crepes.fr[192.0.2.1]: EHLO crepes.fr
Nov 24 09:00:00 mx postfix/smtp[12]: < mx.example[2001:db8::1]:25: 220 mx.example
Nov 24 09:00:01 mx postfix/smtp[12]: > mx.example[2001:db8::1]:25: HELO hamburger.edu
Nov 24 09:00:01 mx postfix/smtpd[4711]: > crepes.fr[192.0.2.1]: 250-hamburger.edu
Nov 24 09:00:01 mx postfix/smtpd[4711]: > crepes.fr[192.0.2.1]: 250 STARTTLS
Nov 24 09:00:01 mx postfix/smtpd[4711]: < crepes.fr[192.0.2.1]: STARTTLS
Nov 24 09:00:01 mx postfix/smtpd[4711]: > crepes.fr[192.0.2.1]: 220 2.0.0 Ready to start TLS
Nov 24 09:00:01 mx postfix/smtpd[4711]: Anonymous TLS connection established from crepes.fr[192.0.2.1]: TLSv1.3
Nov 24 09:00:01 mx postfix/smtpd[4711]: < crepes.fr[192.0.2.1]: QUIT
Nov 24 09:00:01 mx postfix/smtpd[4711]: > crepes.fr[192.0.2.1]: 221 2.0.0 Bye
Nov 24 09:00:02 mx postfix/smtpd[4711]: > other[192.0.2.9]: 220 hamburger.edu ESMTP Postfix
"""


def test_postfix():
    first, second, third = read_transcript(POSTFIX.encode(), "test")
    assert first.title == "crepes.fr[192.0.2.1], process 4711"
    assert not first.exact
    assert not first.whole
    assert [(turn.who, turn.line) for turn in first.turns] == [
        ("S", 2), ("C", 3), ("S", 6), ("S", 7), ("C", 8), ("S", 9), ("tls", 10), ("C", 11), ("S", 12)
    ]  # fmt: skip
    assert [(turn.who, turn.data) for turn in second.turns] == [
        ("S", b"220 mx.example\r\n"),
        ("C", b"HELO hamburger.edu\r\n"),
    ]
    assert third.title == "other[192.0.2.9], process 4711"


@pytest.mark.parametrize(("server", "client"), ["<>", "><"])
def test_a_log_without_names(server, client):
    """Which side logs is seen from who greets."""
    text = f"{server} mx[192.0.2.1]:25: 220 a\n{client} mx[192.0.2.1]:25: QUIT\n"
    assert said(text) == [("S", b"220 a\r\n"), ("C", b"QUIT\r\n")]
    assert said(text[text.index("\n") + 1 :]) == [("C", b"QUIT\r\n")]


def test_a_log_of_probes():
    """A connection in which nobody spoke, then another of the same process; a greeting may have several lines."""
    text = "> a[192.0.2.1]: 220-b\n> a[192.0.2.1]: 220 c\n> d[192.0.2.2]: 220 e\n< d[192.0.2.2]: QUIT\n"
    first, second = read_transcript(text.encode(), "test")
    assert [turn.data for turn in first.turns] == [b"220-b\r\n", b"220 c\r\n"]
    assert [turn.line for turn in second.turns] == [3, 4]


def test_a_handshake_of_a_process_that_said_nothing():
    text = "x postfix/smtpd[1]: Anonymous TLS connection established from a[b]\n> a[192.0.2.1]: 220 a\n"
    assert said(text) == [("S", b"220 a\r\n")]


# -- tshark ----------------------------------------------------------------------------------------------

RULE = "=" * 67
HEAD = f"\n{RULE}\nFollow: tcp,ascii\nFilter: tcp.stream eq 0\nNode 0: 192.0.2.1:40000\nNode 1: 192.0.2.2:25\n"
COUNTED = f"{HEAD}\t9\n220 you\r\n\n16\nEHLO me\r\nRSET\r\n.\n{RULE}\n"


def test_tshark_with_lengths():
    assert turns_of(COUNTED) == [Turn("S", b"220 you\r\n", 8), Turn("C", b"EHLO me\r\nRSET\r\n.", 11)]


def test_tshark_with_other_line_ends():
    """Copied through a terminal: the lengths are no longer true, and lines end with LF."""
    text = COUNTED.replace("\r\n", "\n").replace("\n.\n", "\n\nQUIT\n\n")
    assert said(text) == [("S", b"220 you\r\n"), ("C", b"EHLO me\r\nRSET\r\n\r\nQUIT\r\n")]
    assert said(COUNTED.replace("\r\n", "\n").replace("\n", "\r\n")) == said(COUNTED)


def test_tshark_without_lengths():
    text = f"{HEAD}\t220 you\nEHLO me\n\n\t250 hello\n{RULE}\nnothing more\n"
    assert turns_of(text) == [
        Turn("S", b"220 you\r\n", 7),
        Turn("C", b"EHLO me\r\n", 8),
        Turn("S", b"250 hello\r\n", 10),
    ]


def test_tshark_in_hexadecimal():
    text = HEAD.replace("ascii", "raw") + "\t3232302061ff0d0a\n515549540d0a\n" + RULE + "\n"
    assert turns_of(text) == [Turn("S", b"220 a\xff\r\n", 7), Turn("C", b"QUIT\r\n", 8)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HEAD.replace("ascii", "raw") + "32\nxyz\n", "line 8: 'xyz' is not hexadecimal"),
        (HEAD.replace("ascii", "ebcdic") + "32\nxyz\n", "the form 'ebcdic' of tshark is not read here"),
        (HEAD + "3\nabc\nnonsense\n", "line 9: 'nonsense' stands where the length"),
        (HEAD + RULE, "no line is of the form tshark"),
    ],
)
def test_tshark_that_cannot_be_read(text, says):
    with pytest.raises(Failure, match=says):
        read_transcript(text.encode(), "test")


@pytest.mark.parametrize(
    ("first", "ports", "server"),
    [
        ("0", ("40000", "25"), "1"),
        ("0", ("25", "40000"), "0"),
        ("0", ("7", "8"), "1"),
    ],
)
def test_which_node_is_the_server(first, ports, server):
    """Nobody has greeted: the port tells."""
    text = HEAD.replace("40000", "X").replace(":25", f":{ports[1]}").replace("X", ports[0]) + "6\nEHLO a\n"
    expected = "C" if server != first else "S"
    assert said(text) == [(expected, b"EHLO a")]


def test_several_streams():
    text = COUNTED + COUNTED.replace("40000", "40001")
    first, second = read_transcript(text.encode(), "test")
    assert first.title == "192.0.2.1:40000 to 192.0.2.2:25"
    assert second.title == "192.0.2.1:40001 to 192.0.2.2:25"
    lines = text.split("\n")
    assert [lines[turn.line - 1] for turn in second.turns] == ["220 you\r", "EHLO me\r"]


# -- captures --------------------------------------------------------------------------------------------

TURNS = [
    ("S", b"220 hamburger.edu\r\n"),
    ("C", b"EHLO crepes.fr\r\n"),
    ("S", b"250 hello \xff\n\r\n"),
    ("C", b"QUIT\r\n"),
]


def test_a_capture_without_tshark(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(Failure, match="needs tshark, which is not installed; install it") as caught:
        read_transcript(bytes(Capture().connection(TURNS)), "x.pcap")
    assert caught.value.status == FAILED


def test_a_capture_that_is_said_to_be_something_else():
    with pytest.raises(Failure, match="is a capture of packets, not of the form swaks"):
        read_transcript(bytes(Capture()), "x.pcap", "swaks")


@pytest.mark.parametrize("error", [OSError(2, "gone"), subprocess.TimeoutExpired("tshark", 1)])
def test_tshark_does_not_run(error, monkeypatch):
    def run(*args, **options):
        raise error

    monkeypatch.setattr(shutil, "which", lambda name: "/nonexistent/tshark")
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(Failure, match="tshark could not be run"):
        read_transcript(bytes(Capture()), "x.pcap")


def played(monkeypatch, *outputs, status=0):
    """tshark is played; it prints these."""
    waiting = list(outputs)
    commands = []

    def run(command, **options):
        commands.append(command)
        return subprocess.CompletedProcess(command, status, waiting.pop(0).encode(), b"first\ntshark: cut short\n")

    monkeypatch.setattr(shutil, "which", lambda name: "/played/tshark")
    monkeypatch.setattr(subprocess, "run", run)
    return commands


def test_what_tshark_is_asked(monkeypatch):
    follow = HEAD.replace("ascii", "raw") + "\t3232302061ff0d0a\n"
    commands = played(monkeypatch, "0\t\n1\tSimple Mail Transfer Protocol\n1\t\n", follow)
    (conversation,) = read_transcript(bytes(Capture()), "-x.pcap")
    assert conversation.turns == [Turn("S", b"220 a\xff\r\n", 7)]
    assert commands[1][-2:] == ["-z", "follow,tcp,raw,1"]
    assert not any("x.pcap" in word for command in commands for word in command)


def test_tshark_finds_nothing(monkeypatch):
    played(monkeypatch, "")
    with pytest.raises(Failure, match="no TCP connection with octets"):
        read_transcript(bytes(Capture()), "x.pcap")


def test_tshark_finds_too_much(monkeypatch):
    played(monkeypatch, "".join(f"{number}\t\n" for number in range(transcript_capture.STREAMS + 1)))
    with pytest.raises(Failure, match="101 TCP connections, 100 at most"):
        read_transcript(bytes(Capture()), "x.pcap")


def test_tshark_fails(monkeypatch):
    played(monkeypatch, "", status=2)
    with pytest.raises(Failure, match="tshark cannot read it: tshark: cut short"):
        read_transcript(bytes(Capture()), "x.pcap")


@pytest.mark.interop
def test_a_capture_through_tshark():
    program("tshark")
    capture = Capture().connection(TURNS).connection([("C", b"GET / HTTP/1.0\r\n\r\n")], port=80, client_port=40001)
    (conversation,) = read_transcript(bytes(capture), "x.pcap")
    assert [(turn.who, turn.data) for turn in conversation.turns] == TURNS
    assert conversation.title == "192.0.2.1:40000 to 192.0.2.2:25"
    assert conversation.exact


@pytest.mark.interop
@pytest.mark.parametrize("mode", ["ascii", "raw"])
def test_the_output_of_tshark(mode, tmp_path):
    path = tmp_path / "x.pcap"
    path.write_bytes(bytes(Capture().connection(TURNS)))
    command = [program("tshark"), "-r", str(path), "-q", "-z", f"follow,tcp,{mode},0"]
    output = subprocess.run(command, capture_output=True, timeout=60, check=True).stdout
    (conversation,) = read_transcript(output, "test")
    turns = [(turn.who, turn.data) for turn in conversation.turns]
    if mode == "ascii":  # where tshark prints a dot for what is not ASCII
        assert turns == [(who, data.replace(b"\xff", b".")) for who, data in TURNS]
    else:
        assert turns == TURNS


@pytest.mark.interop
def test_a_capture_that_is_none():
    program("tshark")
    with pytest.raises(Failure, match=r"x\.pcap: tshark cannot read it"):
        read_transcript(bytes(Capture())[:10], "x.pcap")


# -- anything --------------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        "C: ", "S: ", "\n", "\r\n", " -> ", "<-  ", "<** ", "=== TLS started", "> h[192.0.2.1]: ", "< h[192.0.2.1]: ",
        "x postfix/smtpd[1]: ", "Follow: tcp,ascii\n", "Follow: tcp,raw\n", "Node 0: a:1\n", "Node 1: b:25\n", "\t4\n",
        "220 a", "250-x", "354 go", "DATA", ".", "QUIT", "EHLO a", "3232", "\t", RULE, "\0", "\udcff", "é",
    ]
)  # fmt: skip


@given(st.lists(PIECES, max_size=40).map("".join), st.sampled_from(FORMATS))
def test_anything_is_read_or_refused(text, form):
    try:
        found = read_transcript(text.encode("utf-8", "surrogateescape"), "test", form)
    except Failure:
        return
    assert found
    lines = text.count("\n") + 1
    for conversation in found:
        assert conversation.turns
        places = [turn.line for turn in conversation.turns]
        assert places == sorted(places)
        assert 1 <= places[0] <= places[-1] <= lines


def test_the_textbook_s():
    assert len(turns_of(TEXTBOOK)) == 15


class Verbose(Postfix):
    """A Postfix that logs what is said."""

    def _command(self):
        command = super()._command()
        command[-1] = command[-1].replace(" smtpd'", " smtpd -v'")
        return command


@pytest.mark.interop
def test_a_real_postfix(tmp_path, certificate):
    """What smtpd -v logs of swaks with STARTTLS: nothing is wrong, and one recipient is refused."""
    command = [program("swaks"), "--from", "alice@crepes.fr", "--to", "bob@example.com,refuse@example.com", "--tls"]
    with Verbose(tmp_path, certificate) as server:
        command += ["--helo", "crepes.fr", "--server", "127.0.0.1", "--port", str(server.port)]
        subprocess.run(command, capture_output=True, timeout=60, check=True)
        server.delivered(1)
        log = (server.folder / "maillog").read_bytes()
    stories = [replay(conversation, "test") for conversation in read_transcript(log, "test")]
    assert [rules_of(story) for story in stories] == [[]] * len(stories)
    (message,) = [message for story in stories for message in story.messages]
    assert [each.verdict for each in message.recipients] == ["accepted", "refused"]
    whole = next(story for story in stories if story.messages)
    assert any("TLS handshake is done" in remark.text for step in whole.steps for remark in step.remarks)
    lines = [step.line for step in whole.steps]
    assert lines == sorted(lines)


@pytest.mark.interop
def test_a_real_swaks(tmp_path):
    """What it prints of a conversation with our server: nothing in it is wrong."""
    command = [program("swaks"), "--from", "alice@crepes.fr", "--to", "bob@hamburger.edu", "--helo", "crepes.fr"]
    with serving("--maildir", tmp_path / "mail") as (host, port):
        command += ["--server", host, "--port", str(port)]
        done = subprocess.run(command, capture_output=True, timeout=60, check=True)
    (conversation,) = read_transcript(done.stdout, "test")
    story = replay(conversation, "test")
    assert rules_of(story) == []
    assert [each.verdict for each in story.messages[0].recipients] == ["accepted"]
    assert {row.name for step in story.steps for row in step.fields} >= {"From", "To", "Date", "Subject", "X-Mailer"}
