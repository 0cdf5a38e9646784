"""``smtpcore serve`` as a client that is only a socket sees it."""

from __future__ import annotations

import base64
import os
import signal
import socket
import ssl
import sys
import time

import pytest

from smtpcore.cli import main
from tests.adapters.running import WITH_UVLOOP
from tests.cli.commandline import CONTENT, Process, Talk, files, messages, serving, stuffed, untraced

BODY = b"Subject: x\r\n\r\nhello\r\n.\r\n"


# --- a message -----------------------------------------------------------------------------------


def test_octet_for_octet(tmp_path):
    with serving("--maildir", tmp_path, "--hostname", "hamburger.edu") as address, Talk(address) as talk:
        assert talk.greeting == "220 hamburger.edu ESMTP"
        assert [reply[:3] for reply in talk.envelope()] == ["250", "250", "250", "354"]
        talk.write(stuffed(CONTENT))
        assert talk.reply().startswith("250 2.0.0 kept as ")
        assert talk.say("QUIT") == ["221 2.0.0 closing connection"]
        assert talk.reply() == ""
    (message,) = messages(tmp_path)
    assert untraced(message) == CONTENT
    assert files(tmp_path) == {"tmp": 0, "new": 1, "cur": 0}


def test_raw_is_as_it_came(tmp_path):
    with serving("--maildir", tmp_path, "--raw") as address, Talk(address) as talk:
        talk.envelope()
        talk.write(stuffed(CONTENT))
        assert talk.reply().startswith("250")
    assert messages(tmp_path) == [CONTENT]


@pytest.mark.parametrize("content", [b"", b"\r\n", b".\r\n", b"x" * 60_000 + b"\r\n"])
def test_messages_that_are_hardly_any(tmp_path, content):
    with serving("--maildir", tmp_path, "--raw") as address, Talk(address) as talk:
        talk.envelope()
        talk.write(stuffed(content))
        assert talk.reply().startswith("250")
    assert messages(tmp_path) == [content]


def test_byte_by_byte(tmp_path):
    """As somebody types it."""
    with serving("--maildir", tmp_path, "--raw") as address, Talk(address) as talk:
        for octet in b"HELO crepes.fr\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n" + stuffed(b"hi\r\n.\r\n"):
            talk.write(bytes([octet]))
        assert [talk.reply()[:3] for _ in range(5)] == ["250", "250", "250", "354", "250"]
    assert messages(tmp_path) == [b"hi\r\n.\r\n"]


def test_pipelined_in_one_packet(tmp_path):
    with serving("--maildir", tmp_path, "--raw") as address, Talk(address) as talk:
        one = b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\n"
        talk.write(b"EHLO crepes.fr\r\n" + one + BODY + one + BODY + b"NOOP\r\nQUIT\r\n")
        replies = [talk.reply()[:3] for _ in range(13)]
    assert replies == ["250", "250", "250", "250", "354", "250", "250", "250", "250", "354", "250", "250", "221"]
    assert messages(tmp_path) == [BODY[:-3]] * 2


def test_many_at_one_time(tmp_path):
    with serving("--maildir", tmp_path, "--raw") as address:
        talks = [Talk(address) for _ in range(20)]
        for talk in talks:
            talk.envelope()
        for number, talk in enumerate(talks):
            talk.write(b"%d\r\n.\r\n" % number)
        assert {talk.reply()[:3] for talk in talks} == {"250"}
        for talk in talks:
            talk.close()
    assert sorted(messages(tmp_path)) == sorted([b"%d\r\n" % number for number in range(20)])


# --- bad input -----------------------------------------------------------------------------------


def test_bad_input_gets_its_reply_and_the_session_goes_on(tmp_path):
    with serving("--maildir", tmp_path, "--raw", "--size", "1000") as address, Talk(address) as talk:
        replies = talk.say("MAIL FROM:<a@b>", "DATA", "EHLO", "NOOP")
        assert [reply[:3] for reply in replies] == ["503", "503", "501", "250"]
        assert talk.say("EHLO crepes.fr")[0][:3] == "250"
        wrong = {
            "BLAH": "500 5.5.1",
            "\xff": "500 5.5.",
            "RCPT TO:<a@b>": "503 5.5.1",
            "DATA": "503 5.5.1",
            "MAIL FROM:a b": "501 5.1.7",
            "MAIL FROM:<a@b> SIZE=1001": "552 5.3.4",
            "MAIL FROM:<a@b> X=1": "555 5.5.4",
            "MAIL FROM:<\xfc@b>": "553 5.6.7",
            "AUTH PLAIN": "502 5.5.1",
            "STARTTLS": "502 5.5.1",
        }
        found = {command: talk.say(command)[0] for command in wrong}
        assert {command: reply[: len(wrong[command])] for command, reply in found.items()} == wrong
        assert [reply[:3] for reply in talk.envelope()] == ["250", "250", "250", "354"]
        talk.write(BODY)
        assert talk.reply().startswith("250")
    assert messages(tmp_path) == [BODY[:-3]]


def test_too_big(tmp_path):
    with serving("--maildir", tmp_path, "--raw", "--size", "1000") as address, Talk(address) as talk:
        talk.envelope()
        talk.write(b"x" * 99 + b"\r\n")
        talk.write((b"x" * 99 + b"\r\n") * 20 + b".\r\n")
        assert talk.reply().startswith("552 5.3.4")
        assert talk.say("NOOP")[0].startswith("250")
    assert files(tmp_path) == {"tmp": 0, "new": 0, "cur": 0}


@pytest.mark.parametrize(
    ("policy", "code", "stored"),
    [
        ("reject", "550", []),
        ("normalize", "250", [b"a\r\nb\r\n\r\n.\r\nMAIL FROM:<x@y>\r\n"]),
        ("space", "250", [b"a b\r\n .\r\nMAIL FROM:<x@y>\r\n"]),
    ],
)
def test_bare_newlines(tmp_path, policy, code, stored):
    with serving("--maildir", tmp_path, "--raw", "--bare-newlines", policy) as address, Talk(address) as talk:
        talk.envelope()
        talk.write(b"a\nb\r\n\n.\r\nMAIL FROM:<x@y>\r\n.\r\n")
        assert talk.reply()[:3] == code
        assert talk.say("NOOP")[0].startswith("250")
    assert messages(tmp_path) == stored


def test_a_message_that_does_not_end(tmp_path):
    with serving("--maildir", tmp_path) as address:
        with Talk(address) as talk:
            talk.envelope()
            talk.write(b"Subject: half\r\n\r\nand then")
        end = time.monotonic() + 10
        while files(tmp_path)["tmp"] and time.monotonic() < end:
            time.sleep(0.01)
    assert files(tmp_path) == {"tmp": 0, "new": 0, "cur": 0}


@pytest.mark.parametrize(("level", "code"), [("strict", "501"), ("interop", "501"), ("lax", "250")])
def test_strictness(tmp_path, level, code):
    with serving("--maildir", tmp_path, "--strictness", level) as address, Talk(address) as talk:
        assert [reply[:3] for reply in talk.say("EHLO crepes.fr", "MAIL FROM: <a@b>")] == ["250", code]


@pytest.mark.parametrize(
    "header", [b"PROXY TCP4 192.0.2.77 198.51.100.7 4711 25\r\n", b"PROXY TCP6 2001:db8::7 ::1 1 25\r\n"]
)
def test_behind_a_proxy_its_client_is_named_in_received(tmp_path, header):
    with (
        serving("--maildir", tmp_path, "--proxy-from", "127.0.0.0/8", "--proxy-from", "unix:") as address,
        socket.create_connection(address) as sock,
    ):
        sock.sendall(header + b"EHLO crepes.fr\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n" + BODY + b"QUIT\r\n")
        while sock.recv(10_000):
            pass
    (message,) = messages(tmp_path)
    client = b"[192.0.2.77]" if b"TCP4" in header else b"[IPv6:2001:db8::7]"
    assert b"Received: from crepes.fr (" + client + b")" in message


@pytest.mark.parametrize("network", ["localhost", "10.0.0.1/8"])
def test_proxies_that_are_none(tmp_path, network, capsys):
    assert main(["serve", "127.0.0.1:0", "--maildir", str(tmp_path), "--proxy-from", network]) == 2
    assert "--proxy-from takes" in capsys.readouterr().err


def test_limit_of_connections(tmp_path):
    with serving("--maildir", tmp_path, "--max-connections", "1") as address, Talk(address) as first:
        with Talk(address) as second:
            assert second.greeting.startswith("421 4.7.0")
            assert second.reply() == ""
        assert first.say("NOOP")[0].startswith("250")


# --- who may -------------------------------------------------------------------------------------


def plain(user: str, password: str, authzid: str = "") -> str:
    return base64.b64encode(f"{authzid}\0{user}\0{password}".encode()).decode()


def test_auth(tmp_path, secret):
    right = "gehëim w1th spaces"
    switches = ["--auth", f"alice:{secret}", "--allow-plaintext-auth"]
    with serving("--maildir", tmp_path, *switches) as address, Talk(address) as talk:
        talk.write(b"EHLO crepes.fr\r\n")
        assert [line[4:] for line in talk.lines() if line[4:].startswith("AUTH ")] == [
            "AUTH SCRAM-SHA-256 SCRAM-SHA-1 PLAIN LOGIN"
        ]
        assert talk.say("MAIL FROM:<a@b>")[0].startswith("530 5.7.0")
        wrong = (plain("alice", "x"), plain("bob", right), plain("alice", right, "bob"), plain("", "x"), "=")
        replies = [talk.say(f"AUTH PLAIN {response}")[0][:9] for response in wrong]
        assert replies == ["535 5.7.8", "535 5.7.8", "535 5.7.8", "501 5.5.2", "501 5.5.2"]
        assert talk.say(f"AUTH PLAIN {plain('alice', right)}")[0].startswith("235 2.7.0")
        assert [reply[:3] for reply in talk.envelope()] == ["250", "250", "250", "354"]
        talk.write(BODY)
        assert talk.reply().startswith("250")
    (message,) = messages(tmp_path)
    assert b" with ESMTPA id " in message
    assert untraced(message) == BODY[:-3]


def test_starttls(tmp_path, certificate):
    switches = ["--tls", "required", "--cert", certificate.chain, "--key", certificate.key]
    with serving("--maildir", tmp_path, *switches) as address, Talk(address) as talk:
        replies = talk.say("EHLO crepes.fr", "MAIL FROM:<a@b>", "STARTTLS")
        assert [reply[:9] for reply in replies] == ["250 START", "530 5.7.0", "220 2.0.0"]
        talk.wrap(certificate.for_client())
        assert talk.say("MAIL FROM:<a@b>")[0].startswith("503")
        talk.envelope()
        talk.write(BODY)
        assert talk.reply().startswith("250")
    (message,) = messages(tmp_path)
    assert b" with ESMTPS id " in message


def test_nothing_in_the_clear_counts_inside_tls(tmp_path, certificate):
    with serving("--maildir", tmp_path, "--cert", certificate.chain, "--key", certificate.key) as at, Talk(at) as talk:
        talk.say("EHLO crepes.fr")
        talk.write(b"STARTTLS\r\nMAIL FROM:<evil@b>\r\n")
        assert talk.reply()[:3] in {"220", ""}
        with pytest.raises((OSError, AssertionError)):
            talk.wrap(certificate.for_client())


def test_implicit_tls_and_auth(tmp_path, certificate, secret):
    switches = ["--tls", "implicit", "--cert", certificate.chain, "--key", certificate.key, "--auth", f"alice:{secret}"]
    with serving("--maildir", tmp_path, *switches) as at, Talk(at, certificate.for_client()) as talk:
        talk.say("EHLO crepes.fr")
        assert talk.say(f"AUTH PLAIN {plain('alice', 'gehëim w1th spaces')}")[0].startswith("235")
        talk.say("MAIL FROM:<a@b>", "RCPT TO:<c@d>", "DATA")
        talk.write(BODY)
        assert talk.reply().startswith("250")
    (message,) = messages(tmp_path)
    assert b" with ESMTPSA id " in message


def test_a_certificate_and_its_key_in_one_file(tmp_path, certificate):
    both = tmp_path / "both.pem"
    both.write_bytes(certificate.key.read_bytes() + certificate.chain.read_bytes())
    with serving("--tls", "implicit", "--cert", both) as at, Talk(at, certificate.for_client()) as talk:
        assert talk.greeting.startswith("220")


# --- printing ------------------------------------------------------------------------------------


def test_print(capsys):
    with serving("--hostname", "hamburger.edu") as address, Talk(address) as talk:
        talk.envelope("bob@hamburger.edu", "carol@hamburger.edu")
        talk.write(stuffed(b"Subject: \xc3\xbc\r\n\r\n\x1b]0;owned\x07\tand \x9b31m\r\n.\r\n"))
        assert talk.reply() == "250 2.0.0 printed as 1"
    assert capsys.readouterr().out == (
        f"listening on 127.0.0.1:{address[1]}\n"
        "--- message 1, 39 octets from <alice@crepes.fr> for <bob@hamburger.edu>, <carol@hamburger.edu>\n"
        "Subject: \xfc\n\n\\x1b]0;owned\\x07\tand \\x9b31m\n.\n"
    )


def test_of_many_recipients_some_are_printed(capsys):
    with serving() as address, Talk(address) as talk:
        talk.envelope(*[f"r{number}@hamburger.edu" for number in range(12)])
        talk.write(b".\r\n")
        talk.reply()
    assert "<r9@hamburger.edu> and 2 more\n" in capsys.readouterr().out


# --- as a program --------------------------------------------------------------------------------


EVERY_LOOP = pytest.mark.parametrize("loop", ["asyncio", pytest.param("uvloop", marks=WITH_UVLOOP)])


@EVERY_LOOP
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_when_the_transaction_in_hand_has_ended(tmp_path, number, loop):
    command = ["-m", "smtpcore", "serve", "127.0.0.1:0", "--maildir", tmp_path, "--loop", loop]
    with Process("-W", "error", *command) as process:
        address = process.address()
        with Talk(address) as idle, Talk(address) as busy:
            idle.say("EHLO crepes.fr")
            busy.envelope()
            busy.write(b"Subject: x\r\n")
            process.process.send_signal(number)
            assert idle.reply().startswith("421 4.3.2")
            assert idle.reply() == ""
            busy.write(b"\r\nhello\r\n.\r\n")
            assert busy.reply().startswith("250")
            assert busy.reply().startswith("421 4.3.2")
        status, out, error = process.end()
    assert (status, out) == (0, "")
    assert error.startswith("kept ")
    assert error.count("\n") == 1
    assert untraced(messages(tmp_path)[0]) == b"Subject: x\r\n\r\nhello\r\n"


@EVERY_LOOP
def test_the_second_signal_does_not_wait(tmp_path, loop):
    command = ["-m", "smtpcore", "serve", "127.0.0.1:0", "--maildir", tmp_path, "--loop", loop]
    with Process(*command) as process, Talk(process.address()) as busy:
        busy.envelope()
        busy.write(b"Subject: x\r\n")
        process.process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        begun = time.monotonic()
        status, _, error = process.end(signal.SIGINT)
    assert time.monotonic() - begun < 5
    assert status == 130
    assert "Traceback" not in error
    assert files(tmp_path) == {"tmp": 0, "new": 0, "cur": 0}


def test_a_loop_that_is_not_installed(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert main(["serve", "127.0.0.1:0", "--loop", "uvloop"]) == 2
    assert "install smtpcore[uvloop]" in capsys.readouterr().err


def test_it_says_where_it_listens_first_and_at_once():
    with Process("-m", "smtpcore", "serve", "127.0.0.1:0", env={"PYTHONUNBUFFERED": ""}) as process:
        host, port = process.address()
        assert (host, port > 0) == ("127.0.0.1", True)
        status, out, error = process.end(signal.SIGTERM)
    assert (status, out, error) == (0, "", "")


def test_ipv6_when_there_is_any(tmp_path):
    if not os.path.exists("/proc/net/if_inet6"):
        pytest.skip("no IPv6 here")
    with Process("-m", "smtpcore", "serve", "[::1]:0", "--maildir", tmp_path) as process:
        line = process.line()
        if not line:
            pytest.skip("no IPv6 here")
        assert line.startswith("listening on [::1]:")
        with Talk(("::1", int(line.rpartition(":")[2]))) as talk:
            talk.envelope()
            talk.write(BODY)
            assert talk.reply().startswith("250")
        process.end(signal.SIGTERM)
    assert b"Received: from crepes.fr ([IPv6:::1])\r\n" in messages(tmp_path)[0]


def test_a_broken_handshake_does_not_disturb_others(tmp_path, certificate):
    switches = ["--tls", "implicit", "--cert", certificate.chain, "--key", certificate.key]
    with serving("--maildir", tmp_path, *switches) as at:
        with pytest.raises((OSError, ssl.SSLError, AssertionError)):
            Talk(at, ssl.create_default_context())  # does not trust it
        with Talk(at, certificate.for_client()) as talk:
            assert talk.say("NOOP")[0].startswith("250")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "cannot accept a connection: Too many open files\n"),
        # With proxies asyncio's own server listens, and says it in its own words.
        (["--proxy-from", "192.0.2.1"], "socket.accept() out of system resource\n"),
    ],
    ids=["plain", "proxies"],
)
def test_out_of_handles_it_says_so_once_and_goes_on_when_there_are_some(tmp_path, options, said):
    code = (
        "import resource, sys\n"
        "from smtpcore.cli import main\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    with Process("-c", code, "serve", "127.0.0.1:0", "--maildir", tmp_path, *options) as process:
        address = process.address()
        crowd = [socket.create_connection(address) for _ in range(40)]
        time.sleep(0.1)
        for one in crowd:
            one.close()
        with Talk(address) as talk:
            assert talk.greeting.startswith("220")
        _, _, error = process.end(signal.SIGTERM)
    assert error == said
