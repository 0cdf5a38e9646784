"""``smtpcore serve --lmtp`` and ``smtpcore send --lmtp``, over TCP and over unix sockets (RFC 2033)."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from smtpcore.cli import main
from tests.cli.commandline import CONTENT, Process, Talk, messages, serving, stuffed, untraced
from tests.cli.test_send import scripted

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="there are no unix sockets on this system")

ALICE, BOB, CAROL = "alice@crepes.fr", "bob@hamburger.edu", "carol@hamburger.edu"
MESSAGE = b"From: alice@crepes.fr\r\n\r\n.Hello\r\n"


@pytest.fixture
def where(tmp_path: Path) -> Iterator[str]:
    path = tmp_path / "lmtp"
    yield f"unix:{path}"
    assert not path.exists()


def send(server: str, *argv: object) -> int:
    return main(["send", "--server", server, "--from", ALICE, "--to", BOB, "--to", CAROL, *map(str, argv)])


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    path = tmp_path / "letter"
    path.write_bytes(MESSAGE)
    return path


def test_a_reply_for_each_recipient(tmp_path):
    with serving("--maildir", tmp_path, "--hostname", "hamburger.edu", "--lmtp") as address, Talk(address) as talk:
        assert talk.greeting == "220 hamburger.edu LMTP"
        assert [reply[:3] for reply in talk.say("EHLO crepes.fr", "HELO crepes.fr")] == ["500", "500"]
        replies = talk.say("LHLO crepes.fr", f"MAIL FROM:<{ALICE}>", f"RCPT TO:<{BOB}>", f"RCPT TO:<{CAROL}>", "DATA")
        assert [reply[:3] for reply in replies] == ["250", "250", "250", "250", "354"]
        talk.write(stuffed(CONTENT))
        assert [talk.reply()[:14] for _ in range(2)] == ["250 2.0.0 kept"] * 2
        assert talk.say("NOOP")[0][:3] == "250"
    (message,) = messages(tmp_path)
    assert untraced(message) == CONTENT


@pytest.mark.parametrize("chunking", [(), ("--chunking",)], ids=["data", "bdat"])
def test_send_to_serve_over_tcp(tmp_path, letter, chunking, capsys):
    with serving("--maildir", tmp_path / "mail", "--raw", "--lmtp") as (host, port):
        assert send(f"{host}:{port}", "--lmtp", "--message", letter, *chunking) == 0
    assert capsys.readouterr().out.count("accepted") == 2
    assert messages(tmp_path / "mail") == [MESSAGE]


@pytest.mark.parametrize("chunking", [(), ("--chunking",)], ids=["data", "bdat"])
def test_send_to_serve_over_a_unix_socket(tmp_path, where, letter, chunking, capsys):
    with serving("--maildir", tmp_path / "mail", "--raw", "--lmtp", where=where):
        assert send(where, "--lmtp", "--message", letter, *chunking) == 0
    out = capsys.readouterr().out
    assert f"listening on {where}\n" in out
    assert out.count("accepted") == 2
    assert messages(tmp_path / "mail") == [MESSAGE]


def test_smtp_over_a_unix_socket(tmp_path, where, letter):
    with serving("--maildir", tmp_path / "mail", where=where):
        assert send(where, "--message", letter, "--chunking") == 0
    assert len(messages(tmp_path / "mail")) == 1


def test_the_protocol_in_the_trace(tmp_path, where, letter):
    """RFC 3848 s2: LMTP has names of its own."""
    with serving("--maildir", tmp_path / "mail", "--lmtp", where=where):
        assert send(where, "--lmtp", "--message", letter) == 0
    (message,) = messages(tmp_path / "mail")
    assert b" with LMTP" in message.replace(b"\r\n\t", b" ")


def test_each_has_a_verdict_of_its_own(letter, capsys):
    script = (
        b"220 x LMTP\r\n", b"250-x\r\n250 PIPELINING\r\n", b"250 ok\r\n", b"250 ok\r\n", b"250 ok\r\n",
        b"354 go\r\n", b"", b"", b"", b"250 2.0.0 kept\r\n452 4.2.2 full\r\n", b"221 bye\r\n",
    )  # fmt: skip
    with scripted(*script) as (host, port):
        assert send(f"{host}:{port}", "--lmtp", "--message", letter) == 1
    rows = [line for line in capsys.readouterr().out.splitlines() if "@" in line]
    assert [("accepted" in row, "full" in row) for row in rows] == [(True, False), (False, True)]


def test_a_server_of_smtp_is_no_server_of_lmtp(tmp_path, letter, capsys):
    with serving("--maildir", tmp_path / "mail") as (host, port):
        assert send(f"{host}:{port}", "--lmtp", "--message", letter) == 3
    assert "500" in capsys.readouterr().err


def test_not_on_the_port_of_smtp(capsys):
    assert main(["serve", "127.0.0.1:25", "--lmtp"]) == 2
    assert "RFC 2033 s5" in capsys.readouterr().err


def test_nobody_listens_at_a_path(tmp_path, letter, capsys):
    assert send(f"unix:{tmp_path / 'nobody'}", "--lmtp", "--message", letter) == 3
    assert "no session with unix:" in capsys.readouterr().err


def test_a_path_that_is_in_use(tmp_path, where, capsys):
    with serving("--maildir", tmp_path / "mail", "--lmtp", where=where):
        assert main(["serve", where, "--lmtp"]) == 1
        assert f"cannot listen on {where}" in capsys.readouterr().err
        assert os.path.exists(where.removeprefix("unix:"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_takes_the_path_away(tmp_path, where, number):
    with Process("-m", "smtpcore", "serve", where, "--lmtp", "--maildir", tmp_path / "mail") as server:
        assert server.line() == f"listening on {where}"
        assert server.end(number) == (0, "", "")
