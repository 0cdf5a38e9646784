"""``smtpcore send``, to our own server, to aiosmtpd, and to servers that misbehave."""

from __future__ import annotations

import asyncio
import email
import email.policy
import os
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.header import decode_header, make_header
from pathlib import Path
from typing import Any

import pytest

from smtpcore import Mailbox
from smtpcore.cli import main
from smtpcore.cli.failure import Failure
from smtpcore.cli.letter import new_letter
from smtpcore.compose import Content
from tests.cli.commandline import CONTENT, messages, serving, untraced

ALICE, BOB = "alice@crepes.fr", "bob@hamburger.edu"


def send(address: tuple[str, int], *argv: object, sender: str = ALICE, to: tuple[str, ...] = (BOB,)) -> int:
    recipients = [word for recipient in to for word in ("--to", recipient)]
    server = f"{address[0]}:{address[1]}"
    return main(["send", "--server", server, "--from", sender, *recipients, *map(str, argv)])


class Keeper:
    """What aiosmtpd was given."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, list[str], bytes, list[str]]] = []

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("no"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("later"):
            return "451 4.2.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        self.kept.append((envelope.mail_from, envelope.rcpt_tos, envelope.content, envelope.mail_options))
        return "250 2.0.0 kept"


@contextmanager
def aiosmtpd(**options: Any) -> Iterator[tuple[tuple[str, int], Keeper]]:
    """A server of aiosmtpd in a thread."""
    from aiosmtpd.smtp import SMTP

    keeper, ready, loop = Keeper(), threading.Event(), asyncio.new_event_loop()
    found: list[tuple[str, int]] = []

    async def begin() -> asyncio.Server:
        server = await loop.create_server(
            lambda: SMTP(keeper, hostname="peer.test", loop=loop, **options), "127.0.0.1", 0
        )
        found.append(server.sockets[0].getsockname())
        ready.set()
        return server

    def run() -> None:
        server = loop.run_until_complete(begin())
        loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0.05))
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(10)
        yield found[0], keeper
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


@contextmanager
def scripted(*script: bytes) -> Iterator[tuple[str, int]]:
    """A server that says these, one for each line that comes, and hangs up behind the last."""

    def run() -> None:
        sock, _ = listener.accept()
        with suppress(OSError), sock, sock.makefile("rb") as lines:  # the client may be gone first
            for said in script:
                sock.sendall(said)
                if not lines.readline():
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield listener.getsockname()
        with suppress(OSError):
            socket.create_connection(listener.getsockname(), 1).close()  # there may have been no client at all
        thread.join(10)
        assert not thread.is_alive()


def written(*said: Any) -> Content:
    return new_letter(*said).content


# --- messages ------------------------------------------------------------------------------------


def test_to_our_own_server(tmp_path, capsys):
    (tmp_path / "picture.jpg").write_bytes(bytes(range(256)) * 500)
    (tmp_path / "naïve name.txt").write_bytes(b"")
    (tmp_path / "letter.txt").write_text("Dear Bob,\n.\n..\nFrom here on: \xfc\n", "utf-8")
    attachments = ["--attach", tmp_path / "picture.jpg", "--attach", tmp_path / "naïve name.txt"]
    subject = "Soup =?utf-8?q?=0A?= du jour: pur\xe9e " + "and more " * 20
    with serving("--maildir", tmp_path / "m") as address:
        assert send(address, "--subject", subject, "--body", f"@{tmp_path}/letter.txt", *attachments) == 0
    shown = capsys.readouterr()
    assert shown.out.split("\n")[1:3] == [
        "recipient          status    reply",
        f"{BOB}  accepted  250 2.0.0 kept as {shown.out.rpartition(' ')[2]}".rstrip("\n"),
    ]
    assert shown.err.startswith("kept ")
    content = untraced(*messages(tmp_path / "m"))
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 998
    message = email.message_from_bytes(content, policy=email.policy.default)
    plain = email.message_from_bytes(content)
    assert str(make_header(decode_header(plain["Subject"]))) == subject
    assert (plain["From"], plain["To"]) == (ALICE, BOB)
    assert plain["Date"]
    assert plain["Message-ID"].endswith("@crepes.fr>")
    text = message.get_body()
    assert text is not None
    assert text.get_content().replace("\r\n", "\n") == "Dear Bob,\n.\n..\nFrom here on: \xfc\n"
    found = {part.get_filename(): part.get_payload(decode=True) for part in message.iter_attachments()}
    assert found == {"picture.jpg": bytes(range(256)) * 500, "naïve name.txt": b""}
    assert [part.get_content_type() for part in message.iter_attachments()] == ["image/jpeg", "text/plain"]


def test_outcomes_per_recipient(capsys):
    to = (BOB, "nobody@hamburger.edu", "later@hamburger.edu", BOB)
    with aiosmtpd() as (address, keeper):
        assert send(address, "--subject", "x", "--body", "y", to=to) == 1
        assert send(address, "--body", "y", to=to[:1]) == 0
        assert send(address, "--body", "y", to=to[1:2]) == 1
    assert capsys.readouterr().out.split("\n")[:5] == [
        "recipient             status           reply",
        "bob@hamburger.edu     accepted         250 2.0.0 kept",
        "nobody@hamburger.edu  refused          550 5.1.1 no such mailbox",
        "later@hamburger.edu   refused for now  451 4.2.1 come back later",
        "bob@hamburger.edu     accepted         250 2.0.0 kept",
    ]
    (sender, recipients, content, options), _ = keeper.kept
    assert (sender, recipients) == (ALICE, [BOB, BOB])
    assert options == [f"SIZE={len(content)}", "BODY=7BIT"]
    assert b"Subject: x\r\n" in content
    assert b"\r\n\r\ny\r\n" in content


def test_a_message_that_is_in_a_file(tmp_path):
    """Its octets are sent as they are, but for line ends, which are CRLF on the wire."""
    path = tmp_path / "message"
    with serving("--maildir", tmp_path / "m", "--raw") as address:
        path.write_bytes(CONTENT)
        assert send(address, "--message", path, sender="<>") == 0
        path.write_bytes(CONTENT.replace(b"\r\n", b"\n"))
        assert send(address, "--message", path) == 0
        path.write_bytes(b".\n.x\r\n\r.")
        assert send(address, "--message", path) == 0
    assert messages(tmp_path / "m") == [CONTENT, CONTENT, b".\r\n.x\r\n\r\n.\r\n"]


def test_many_recipients_have_one_line_each(tmp_path):
    with serving("--maildir", tmp_path) as address:
        assert send(address, to=tuple(f"r{number}@hamburger.edu" for number in range(150))) == 0
    content = untraced(*messages(tmp_path))
    assert max(map(len, content.split(b"\r\n"))) < 78
    plain = email.message_from_bytes(content, policy=email.policy.default)
    assert [each.addr_spec for each in plain["To"].addresses] == [f"r{number}@hamburger.edu" for number in range(150)]


def test_addresses_beyond_ascii(tmp_path, capsys):
    to = ("b\xf6b@hamburger.edu", "bob@h\xe4mburger.edu")
    with serving("--maildir", tmp_path) as address:
        assert send(address, "--subject", "x", sender="al\xefce@cr\xeapes.fr", to=to) == 0
    (message,) = messages(tmp_path)
    assert b" with UTF8SMTP id " in message
    head = untraced(message).decode()
    assert "\r\nFrom: al\xefce@cr\xeapes.fr\r\nTo: b\xf6b@hamburger.edu, bob@h\xe4mburger.edu\r\n" in head


def test_addresses_beyond_ascii_where_the_server_has_no_smtputf8(capsys):
    """Nobody gets a header that the server does not understand (RFC 6531 s3.2)."""
    with aiosmtpd(enable_SMTPUTF8=False) as (address, keeper):
        assert send(address, to=(BOB, "b\xf6b@hamburger.edu")) == 1
    assert keeper.kept == []
    assert capsys.readouterr().out.count("the server does not offer SMTPUTF8, which b\xf6b@hamburger.edu needs") == 2


@pytest.mark.parametrize("subject", ["x\ny", "x\r\nBcc: y@z", "x\x00", "x\x7f", "x\x1b[0m"])
def test_subjects_that_would_be_more(subject, capsys):
    with pytest.raises(Failure, match="one line"):
        written(Mailbox.parse(ALICE), [Mailbox.parse(BOB)], subject, "", [])


@pytest.mark.parametrize(("subject", "body", "what"), [("b\udcff", "", "subject"), ("x", "b\udcff", "body")])
def test_what_is_no_text(subject, body, what):
    with pytest.raises(Failure, match=f"the {what} is not text"):
        written(Mailbox.parse(ALICE), [Mailbox.parse(BOB)], subject, body, [])


@pytest.mark.parametrize(
    "sender", ['"a b"@[192.0.2.1]', '"a\\"@x"@[IPv6:2001:db8::1]', "a@b", "x" * 64 + "@" + "y." * 60 + "z"]
)
def test_senders_of_every_form(sender):
    mailbox = Mailbox.parse(sender)
    found = email.message_from_bytes(b"".join(written(mailbox, [mailbox], None, "", [])))
    assert found["From"].strip() == found["To"].strip() == str(mailbox)
    assert found["Message-ID"].strip().endswith(f"@{mailbox.domain}>")


@pytest.mark.parametrize(
    "subject",
    [
        "",
        " ",
        "  two  spaces  ",
        "a" * 500,
        "word " * 100,
        "\U0001f600" * 100,
        "=?utf-8?q?=0A?=Bcc: x@y",
        "a\xa0b",
        ";,:" * 99,
    ],
)
def test_subjects_come_back(subject):
    octets = b"".join(written(Mailbox.parse(ALICE), [Mailbox.parse(BOB)], subject, "", []))
    lines = octets.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert all(line.strip() for line in lines)
    # RFC 5322 s2.1.1: 78 where there is a place to fold
    assert all(len(line) <= 78 or len(line.split()) == 1 for line in lines)
    plain = email.message_from_bytes(octets)
    assert plain.keys() == [
        *["Date", "From", "To", "Subject", "Message-ID", "MIME-Version"],
        *["Content-Type", "Content-Transfer-Encoding"],
    ]
    unfolded = str(plain["Subject"]).replace("\r\n", "").replace("\n", "")
    assert str(make_header(decode_header(unfolded))) == subject


@pytest.mark.parametrize(
    "body", ["", "x", "x\n", "\n\n", "a" * 5000, "\x00", "\xfc" * 3000, "From me\n.\n", "a\rb", "\f\x85\u2028"]
)
def test_bodies_come_back(body):
    octets = b"".join(letter := written(Mailbox.parse(ALICE), [Mailbox.parse(BOB)], "x", body, []))
    assert len(octets) == letter.size
    assert octets.isascii()
    assert b"\0" not in octets
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    assert not set(octets.replace(b"\r\n", b"")) & {10, 13}
    found = email.message_from_bytes(octets).get_payload(decode=True)
    assert isinstance(found, bytes)
    expected = body.replace("\r", "\n").removesuffix("\n") + "\n"
    assert found.decode().replace("\r\n", "\n") == expected


@pytest.mark.parametrize("size", [0, 1, 2, 3, 56, 57, 58, 57 * 1600 - 1, 57 * 1600, 57 * 1600 + 1, 300_000])
def test_the_size_is_known_before(tmp_path, size):
    path = tmp_path / "file"
    path.write_bytes(os.urandom(size))
    octets = b"".join(letter := written(Mailbox.parse(ALICE), [Mailbox.parse(BOB)], "x", "y", [path, path]))
    assert len(octets) == letter.size
    message = email.message_from_bytes(octets, policy=email.policy.default)
    assert [part.get_payload(decode=True) for part in message.iter_attachments()] == [path.read_bytes()] * 2


def test_file_names_cannot_be_more_than_names(tmp_path):
    names = [
        'a"b; filename="c',
        "a\\b",
        "a\r\nBcc: x@y",
        "\xfc" * 60,
        "=?utf-8?q?=0A?=",
        "b\udcff",
        "letter.eml",
        "plain name.tar.gz",
    ]
    for name in names:
        (tmp_path / name).write_bytes(b"x")
    octets = b"".join(
        written(Mailbox.parse(ALICE), [Mailbox.parse(BOB)], "x", "y", [tmp_path / name for name in names])
    )
    message = email.message_from_bytes(octets, policy=email.policy.compat32)
    parts = list(message.walk())[1:]
    assert [part.get_filename() for part in parts[1:]] == [*names[:2], "a??Bcc: x@y", *names[3:5], "b?", *names[6:]]
    assert {tuple(part.keys()) for part in parts[1:]} == {
        ("Content-Type", "Content-Disposition", "Content-Transfer-Encoding")
    }
    # Neither what is inside of the .gz, nor a message in base64 (RFC 2046 s5.2.1).
    assert {part.get_content_type() for part in parts[-2:]} == {"application/octet-stream"}


@pytest.mark.parametrize("change", ["shorter", "longer", "gone"])
def test_a_file_that_changes_while_it_is_sent(tmp_path, change):
    """Half an attachment is no attachment: nothing is finished."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1_000_000)
    letter = written(Mailbox.parse(ALICE), [Mailbox.parse(BOB)], "x", "y", [path])
    match change:
        case "shorter":
            os.truncate(path, 500_000)
        case "longer":
            os.truncate(path, 1_500_000)
        case "gone":
            path.unlink()
    with pytest.raises(Failure, match="cannot read" if change == "gone" else "changed while it was sent"):
        b"".join(letter)


def test_a_message_that_is_not_finished_is_not_delivered(tmp_path, capsys, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 500_000)
    monkeypatch.setattr("smtpcore.cli.letter._size", lambda path: 1_000_000)
    with serving("--maildir", tmp_path / "m") as address:
        assert send(address, "--attach", path) == 2
    assert "changed while it was sent" in capsys.readouterr().err
    assert messages(tmp_path / "m") == []


# --- sessions ------------------------------------------------------------------------------------


def test_auth_and_tls(tmp_path, certificate, secret, capsys):
    switches = ["--cert", certificate.chain, "--key", certificate.key, "--auth", f"alice:{secret}"]
    user = ["--user", "alice", "--password-file", secret]
    trusted = ["--ca", certificate.authority]
    for mode in ("opportunistic", "required", "implicit"):
        with serving("--maildir", tmp_path / "m", "--tls", mode, *switches) as address:
            tls = ["--tls", "implicit"] if mode == "implicit" else []
            assert send(address, *user, *trusted, *tls) == 0
            assert send(address, *user, *tls) == 3  # nobody vouches for the certificate
            assert send(address, *trusted, *tls) == 1  # 530 to MAIL
            if mode == "opportunistic":
                assert send(address, *user, "--tls", "none") == 3
    assert len(messages(tmp_path / "m")) == 3
    shown = capsys.readouterr()
    assert shown.out.count("530 5.7.0") == 3
    assert shown.err.count("its certificate is not to be trusted") == 3
    for line in (shown.out + shown.err).split("\n"):
        assert "spaces" not in line
        assert "Z2Vo" not in line  # nor in base64


def test_every_mechanism(tmp_path, certificate, secret, capsys):
    pytest.importorskip("scramp")
    token = tmp_path / "token"
    token.write_text("ya29.not-a-token-that-anybody-has==\n")
    wrong = tmp_path / "wrong"
    wrong.write_text("ya29.wrong\n")
    names = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN", "LOGIN", "CRAM-MD5"]
    switches: list[object] = ["--cert", certificate.chain, "--key", certificate.key, "--maildir", tmp_path / "m"]
    switches += ["--auth", f"alice:{secret}", "--auth-token", f"bob:{token}"]
    for name in names:
        switches += ["--auth-mechanism", name]
    trusted = ["--ca", certificate.authority]
    with serving(*switches, "--auth-mechanism", "XOAUTH2") as address:
        for name in [*names, ""]:
            mechanism = ["--auth-mechanism", name] if name else []
            assert send(address, "--user", "alice", "--password-file", secret, *mechanism, *trusted) == 0, name
            assert send(address, "--user", "bob", "--password-file", secret, *mechanism, *trusted) == 3, name
        assert send(address, "--user", "bob", "--token-file", token, *trusted) == 0
        assert send(address, "--user", "alice", "--token-file", token, *trusted) == 3
        assert send(address, "--user", "bob", "--token-file", wrong, *trusted) == 3
        assert send(address, "--user", "bob", "--token-file", secret, *trusted) == 2  # no characters of a token
        assert send(address, "--user", "bob", "--token-file", token, "--auth-mechanism", "OAUTHBEARER", *trusted) == 3
        assert send(address, "--user", "bob", "--token-file", token, "--auth-mechanism", "PLAIN", *trusted) == 2
    with serving(*switches[:6], "--auth-token", f"bob:{token}") as address:
        assert send(address, "--user", "bob", "--token-file", token, "--auth-mechanism", "OAUTHBEARER", *trusted) == 0
    shown = capsys.readouterr()
    assert "cannot log in by PLAIN" in shown.err
    assert "ya29" not in shown.out + shown.err
    assert len(messages(tmp_path / "m")) == len(names) + 3


def test_a_password_in_the_clear_only_when_asked_for(tmp_path, secret, capsys):
    user = ["--user", "alice", "--password-file", secret]
    switches = ["--maildir", tmp_path / "m", "--allow-plaintext-auth", "--auth", f"alice:{secret}"]
    with serving(*switches) as address:
        assert send(address, *user) == 3
        assert send(address, *user, "--tls", "none") == 3
        assert send(address, *user, "--allow-plaintext-auth") == 0
        secret.write_text("wrong\n")
        assert send(address, *user, "--allow-plaintext-auth") == 3
    shown = capsys.readouterr().err.split("\n")
    assert "does not offer STARTTLS" in shown[0]
    assert "--allow-plaintext-auth" in shown[1]
    assert "AUTH was refused: 535 5.7.8" in shown[3]


@pytest.mark.parametrize(
    ("script", "argv", "status", "says"),
    [
        ([b"554 go away\r\n"], [], 3, "the connection was refused: 554 go away"),
        ([b"HTTP/1.1 400 Bad Request\r\n"], [], 3, "HTTP, not a reply"),
        ([b""], ["--timeout", "0.2"], 3, "no answer in time"),
        ([b"220 x\r\n"], [], 3, "closed the connection"),
        ([b"220 x\r\n", b"250 x\r\n"], ["--tls", "required"], 3, "does not offer STARTTLS"),
        ([b"220 x\r\n", b"250-x\r\n250 STARTTLS\r\n", b"454 no\r\n"], ["--tls", "required"], 3, "454 no"),
        ([b"220 x\r\n", b"250-x\r\n250 STARTTLS\r\n", b"220 go\r\n", b"no TLS"], ["--tls", "required"], 3, "no TLS"),
        ([b"220 x\r\n"], ["--tls", "implicit", "--timeout", "5"], 3, "no TLS"),
        ([b"220 x\r\n", b"250 x\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"], [], 1, "unknown"),
        ([b"220 x\r\n", b"250 x\r\n", b"250 ok\r\n", b"nonsense\r\n"], [], 1, "not sent"),
        ([b"220 x\r\n", b"250 x\r\n", b"421 bye\r\n"], [], 1, "421 bye"),
    ],
)
def test_servers_that_misbehave(script, argv, status, says, capsys):
    with scripted(*script) as address:
        assert send(address, *argv) == status
    shown = capsys.readouterr()
    assert says in shown.err + shown.out
    assert "Traceback" not in shown.err
    assert shown.err.count("\n") <= 1


def test_a_servers_words_do_not_steer_the_terminal(capsys):
    words = "550-5.1.1 \x1b]0;owned\x07\r\n550 5.1.1 \x9b31m\u202eno\r\n".encode()
    with scripted(b"220 x\r\n", b"250 x\r\n", b"250 ok\r\n", words) as address:
        assert send(address) == 1
    shown = capsys.readouterr().out
    assert shown.split("\n")[1] == rf"{BOB}  refused  550 5.1.1 ?]0;owned?; \x9b31m\u202eno"


def test_the_outcome_is_shown_before_quit_is_answered(capfd, monkeypatch):
    """A server may have taken the message and then say nothing more."""
    shown = []

    def quit_session(client):
        shown.append(capfd.readouterr().out)

    monkeypatch.setattr("smtpcore.adapters.client.BlockingClient.quit", quit_session)
    with scripted(b"220 x\r\n", b"250 x\r\n", b"250 ok\r\n", b"550 no\r\n", b"") as address:
        assert send(address) == 1
    assert len(shown) == 1
    assert "refused  550 no" in shown[0]


@pytest.mark.parametrize("argv", [["--hostname", "a b"], ["--hostname", "x\r\nRSET"], []])
def test_names_that_cannot_be_sent(argv, secret, capsys):
    if not argv:
        secret.write_bytes(b"a\0b\n")
        argv = ["--user", "alice", "--password-file", secret, "--allow-plaintext-auth"]
    with scripted(b"220 x\r\n", b"250-x\r\n250 AUTH PLAIN\r\n") as address:
        assert send(address, *argv) == 2
    shown = capsys.readouterr().err
    assert "check --hostname, --user and the password" in shown
    assert shown.count("\n") == 1


def test_a_name_that_is_none(capsys):
    assert main(["send", "--server", "no.such.host.invalid:25", "--from", ALICE, "--to", BOB]) == 3
    assert main(["send", "--server", "a..b:25", "--from", ALICE, "--to", BOB]) == 3
    assert "Traceback" not in capsys.readouterr().err


# --- how it looks --------------------------------------------------------------------------------


class Screen:
    """A standard error that says it is a terminal."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return True


def show_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 3_000_000)
    screen = Screen()
    with serving("--maildir", tmp_path / "m") as address:
        monkeypatch.setattr(sys, "stderr", screen)
        assert send(address, "--attach", path) == 0
    monkeypatch.undo()
    return screen.text


def test_progress_without_rich(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.console", None)
    assert "sending 3.9 of 3.9 MiB (100 %)\n" in show_progress(tmp_path, monkeypatch)


def test_progress_with_rich(tmp_path, monkeypatch):
    pytest.importorskip("rich")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "4.1/4.1 MB" in show_progress(tmp_path, monkeypatch)


def test_a_table_with_rich(tmp_path, monkeypatch, capsys):
    pytest.importorskip("rich")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with aiosmtpd() as (address, _):
        assert send(address, to=("[red]@x".replace("[red]", '"[red]"'), BOB)) == 0
    shown = capsys.readouterr().out
    assert '"[red]"@x' in shown
    assert "\x1b[32m" in shown


def test_without_a_terminal_there_is_no_progress(tmp_path, capsys):
    path = tmp_path / "file"
    path.write_bytes(b"x" * 3_000_000)
    with aiosmtpd() as (address, _):
        assert send(address, "--attach", path) == 0
    assert capsys.readouterr().err == ""


def test_certificates_are_looked_at(certificate):
    """The fixture is what the tests above think it is."""
    assert isinstance(certificate.for_client(), ssl.SSLContext)
