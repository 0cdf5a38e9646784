"""The textbook's dialogue, line by line."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from smtpcore.cli import main
from smtpcore.cli.maildir import Delivery

ID = r"M\d+P\d+Q\d+R[0-9a-f]{12}"
DATE = r"\w{3}, \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}"
DIALOGUE = rf"""
S: 220 hamburger.edu ESMTP
C: EHLO crepes.fr
S: 250-hamburger.edu greets crepes.fr
S: 250-PIPELINING
S: 250-SIZE \d+
S: 250-8BITMIME
S: 250-SMTPUTF8
S: 250-ENHANCEDSTATUSCODES
S: 250 CHUNKING
C: MAIL FROM:<alice@crepes.fr> SIZE=17[34]
S: 250 2.1.0 sender ok
C: RCPT TO:<bob@hamburger.edu>
S: 250 2.1.5 recipient ok
C: DATA
S: 354 end data with <CR><LF>.<CR><LF>
C: From: alice@crepes.fr
C: To: bob@hamburger.edu
C: Subject: Searching for the meaning of life.
C: Date: {DATE}
C:
C: Do you like ketchup\?
C: How about pickles\?
C: .
S: 250 2.0.0 kept as {ID}
C: QUIT
S: 221 2.0.0 closing connection

Bob's mailbox has 1 message:

Return-Path: <alice@crepes.fr>
Received: from crepes.fr \(\[127.0.0.1\]\)
    by hamburger.edu with ESMTP id {ID}
    for <bob@hamburger.edu>;
    {DATE}
From: alice@crepes.fr
To: bob@hamburger.edu
Subject: Searching for the meaning of life.
Date: {DATE}

Do you like ketchup\?
How about pickles\?
"""


def check(shown: str) -> None:
    expected = DIALOGUE.strip("\n").split("\n")
    lines = [line.rstrip(" ") for line in shown.strip("\n").split("\n")]
    for line, pattern in zip(lines, expected):
        assert re.fullmatch(pattern, line), (line, pattern)
    assert len(lines) == len(expected)


def test_the_dialogue(capsys):
    assert main(["demo"]) == 0
    shown = capsys.readouterr()
    check(shown.out)
    assert not shown.err


def test_without_any_extra_and_with_warnings_as_errors():
    """As it runs where nothing but the package is installed."""
    code = (
        "import sys\n"
        "for name in ('rich', 'trio', 'dns'): sys.modules[name] = None\n"
        "from smtpcore.cli import main\n"
        "sys.exit(main(['demo']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    check(done.stdout)


def test_colours_on_a_terminal(capsys, monkeypatch):
    pytest.importorskip("rich")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["demo"]) == 0
    shown = capsys.readouterr().out
    assert "\x1b[" in shown
    check(re.sub(r"\x1b\[[0-9;]*m", "", shown))


@pytest.mark.parametrize("damage", ["cut", "change", "lose"])
def test_it_fails_when_bob_has_not_got_the_message(damage, capsys, monkeypatch):
    commit = Delivery.commit

    def damaged(self):
        path = commit(self)
        octets = path.read_bytes()
        match damage:
            case "cut":
                path.write_bytes(octets[:-1])
            case "change":
                path.write_bytes(octets.replace(b"ketchup", b"mustard"))
            case "lose":
                path.unlink()
        return path

    monkeypatch.setattr(Delivery, "commit", damaged)
    assert main(["demo"]) == 1


def test_it_fails_when_the_message_is_refused(capsys, monkeypatch):
    def full(self):
        self.abandon()
        raise OSError(28, "no space")

    monkeypatch.setattr(Delivery, "commit", full)
    assert main(["demo"]) == 1
    shown = capsys.readouterr()
    assert "S: 452 4.3.1 insufficient system storage" in shown.out
    assert "Bob's mailbox has 0 messages" in shown.out
