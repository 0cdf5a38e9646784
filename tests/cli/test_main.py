"""The command as such: help, version, exit statuses, and one clear line for whatever goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import smtpcore
from smtpcore.cli import main
from smtpcore.cli.terminal import visible
from tests.cli.commandline import Process

SEND = ["send", "--server", "127.0.0.1:1", "--from", "alice@crepes.fr", "--to", "bob@hamburger.edu"]


def test_without_arguments_it_helps(capsys):
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("usage: smtpcore")
    assert all(name in shown for name in ("demo", "serve", "send", "explain"))


def test_as_a_module():
    done = subprocess.run([sys.executable, "-W", "error", "-m", "smtpcore"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "serve" in done.stdout


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"smtpcore {smtpcore.__version__}\n"


@pytest.mark.parametrize("command", ["demo", "serve", "send", "explain"])
def test_each_subcommand_has_help(command, capsys):
    assert main([command, "--help"]) == 0
    assert f"smtpcore {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["nonsense"], "invalid choice"),
        (["--nonsense"], "unrecognized arguments"),
        (["send"], "--server"),
        (["send", "--server", "127.0.0.1", "--from", "a@b", "--to", "c@d"], "HOST:PORT"),
        (["send", "--server", "h:99999", "--from", "a@b", "--to", "c@d"], "HOST:PORT"),
        (["send", "--server", "h:\N{ARABIC-INDIC DIGIT FIVE}", "--from", "a@b", "--to", "c@d"], "HOST:PORT"),
        (["send", "--server", "h:25", "--from", "alice", "--to", "c@d"], "expected @"),
        (["send", "--server", "h:25", "--from", "a@b", "--to", "c@d>\r\nRSET"], "text after the mailbox"),
        ([*SEND, "--timeout", "-1"], "seconds above 0"),
        ([*SEND, "--timeout", "soon"], "invalid"),
        ([*SEND, "--message", "x", "--subject", "y"], "leave out"),
        ([*SEND, "--attach", "/nonexistent/file"], "cannot read"),
        ([*SEND, "--attach", "/dev/null"], "no plain file"),
        ([*SEND, "--body", "@/nonexistent/file"], "cannot read"),
        ([*SEND, "--subject", "a\nBcc: x@y"], "one line"),
        ([*SEND, "--user", "alice"], "--token-file"),
        ([*SEND, "--password-file", "x"], "--user goes with"),
        ([*SEND, "--tls", "none", "--ca", "x"], "leave out one"),
        ([*SEND, "--ca", "/nonexistent/file"], "PEM"),
        ([*SEND[:4], "<>", *SEND[5:]], "author"),
        (["serve"], "HOST:PORT"),
        (["serve", "2525"], "HOST:PORT"),
        (["serve", "127.0.0.1:0", "--print", "--maildir", "x"], "not allowed with"),
        (["serve", "127.0.0.1:0", "--raw"], "--maildir"),
        (["serve", "127.0.0.1:0", "--size", "0"], "number above 0"),
        (["serve", "127.0.0.1:0", "--size", "1_0"], "number above 0"),
        (["serve", "127.0.0.1:0", "--tls", "required"], "--cert"),
        (["serve", "127.0.0.1:0", "--tls", "required", "--cert", "/nonexistent/file"], "PEM"),
        (["serve", "127.0.0.1:0", "--tls", "none", "--cert", "x"], "without TLS"),
        (["serve", "127.0.0.1:0", "--auth", "alice"], "USER:FILE"),
        (["serve", "127.0.0.1:0", "--auth-mechanism", "PLAIN"], "goes with --auth"),
        (["serve", "127.0.0.1:0", "--auth-mechanism", "X"], "invalid choice"),
        ([*SEND, "--auth-mechanism", "X"], "invalid choice"),
        (["serve", "127.0.0.1:0", "--auth", "alice:/nonexistent/file"], "cannot read"),
        (["serve", "127.0.0.1:0", "--auth", "alice:/dev/null"], "first line"),
        (["serve", "127.0.0.1:0", "--hostname", "a b"], "--hostname"),
        (["serve", "127.0.0.1:0", "--maildir", "/dev/null/x"], "Maildir"),
        (["serve", "127.0.0.1:0", "--bare-newlines", "unsafe-pass"], "invalid choice"),
    ],
)
def test_what_is_no_usage(argv, says, capsys):
    assert main(argv) == 2
    shown = capsys.readouterr()
    assert says in shown.err
    assert "Traceback" not in shown.err
    assert not shown.out
    # argparse shows the usage first; what is wrong is one line in any case
    assert shown.err.rstrip("\n").split("\n")[-1].startswith("smtpcore")


def test_passwords_without_tls_are_no_usage(secret, capsys):
    assert main(["serve", "127.0.0.1:0", "--auth", f"alice:{secret}"]) == 2
    assert "--allow-plaintext-auth" in capsys.readouterr().err


def test_text_that_is_not_text(tmp_path, capsys):
    path = tmp_path / "latin1"
    path.write_bytes(b"p\xfcree")
    assert main([*SEND, "--body", f"@{path}"]) == 2
    assert "--attach" in capsys.readouterr().err
    assert main([*SEND, "--user", "alice", "--password-file", str(path)]) == 2
    assert "UTF-8" in capsys.readouterr().err


def test_nobody_listens(capsys):
    assert main(SEND) == 3
    shown = capsys.readouterr()
    assert shown.err == (
        "smtpcore send: no session with 127.0.0.1:1: connection refused; check that a server listens there\n"
    )


def test_an_address_in_use(capsys):
    with Process("-m", "smtpcore", "serve", "127.0.0.1:0") as first:
        _, port = first.address()
        assert main(["serve", f"127.0.0.1:{port}"]) == 1
    assert "cannot listen" in capsys.readouterr().err


def test_whoever_reads_the_output_may_go_away():
    """``smtpcore demo | true``."""
    with subprocess.Popen(
        [sys.executable, "-m", "smtpcore", "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(60) == 1
        assert process.stderr.read() == b""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_output_that_cannot_be_written():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "smtpcore", "demo"], stdout=full, stderr=subprocess.PIPE, timeout=60
        )
    assert done.returncode == 1
    assert done.stderr == b"smtpcore demo: No space left on device; check the output\n"


def test_closed_output():
    """``smtpcore demo >&-``."""
    command = [sys.executable, "-m", "smtpcore", "demo"]
    done = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *command], stderr=subprocess.PIPE, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")


def test_what_could_steer_a_terminal_is_shown():
    assert visible("plain \N{LATIN SMALL LETTER U WITH DIAERESIS}") == "plain \xfc"
    assert visible("a\x1b[31m\x9b\r\n\t\x00") == r"a\x1b[31m\x9b\r\n\t\x00"
    assert visible("\N{RIGHT-TO-LEFT OVERRIDE}\udc80") == r"\u202e\udc80"
    assert visible("a\tb\n", keep="\t") == "a\tb\\n"
