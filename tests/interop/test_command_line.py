"""``python -m smtpcore`` among other people's programs: ``serve`` files what they send, ``send`` delivers to theirs."""

from __future__ import annotations

import email.policy
import os
import re
import signal
import smtplib
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path

import pytest

import smtpcore
from tests.interop import clients, machinery, messages
from tests.interop.certificates import Certificate
from tests.interop.clients import EXACT, Job
from tests.interop.mailservers import Exim, OpenSmtpd, Postfix
from tests.interop.peers import Aiosmtpd, Peer, SmtpSink, split_trace, trace_values

pytestmark = pytest.mark.interop

SMTPCORE = (sys.executable, "-m", "smtpcore")
HOME = {"PYTHONPATH": str(Path(smtpcore.__file__).parents[1]), "PYTHONUNBUFFERED": "1"}
SERVERS: dict[str, type[Peer]] = {each.name: each for each in (Postfix, Exim, OpenSmtpd, Aiosmtpd)}
TRICKY = messages.message(messages.BODIES["dots"] + messages.BODIES["8-bit"] + messages.BODIES["998"])
LISTENING = re.compile(rb"listening on 127\.0\.0\.1:(\d+)\n")


class Serve(machinery.Daemon):
    """``smtpcore serve`` into a Maildir."""

    def __init__(self, folder: Path, *switches: str) -> None:
        self.maildir = folder / "Maildir"
        command = (*SMTPCORE, "serve", "127.0.0.1:0", "--maildir", str(self.maildir), "--hostname", "hamburger.edu")
        super().__init__((*command, *switches), folder / "serve.log", HOME)
        found = machinery.wait_for("the address", lambda: LISTENING.search(self.log.read_bytes()))
        self.port = int(found[1])

    def kept(self) -> list[bytes]:
        return [path.read_bytes() for path in sorted((self.maildir / "new").iterdir())]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    server = Serve(tmp_path)
    yield server
    server.stop()


@pytest.mark.parametrize("client", EXACT)
def test_serve_files_what_clients_send(serve: Serve, client: str) -> None:
    two = ("bob@hamburger.edu", "carol@hamburger.edu")
    EXACT[client](Job(serve.port, TRICKY, recipients=two)).check()
    (kept,) = serve.kept()
    trace, content = split_trace(kept)
    assert content == TRICKY
    assert trace_values(trace, b"Return-Path") == ["alice@crepes.fr"]
    assert trace.count(b"Received: from ") == 1
    assert list((serve.maildir / "tmp").iterdir()) == []


@pytest.mark.parametrize("tls", ["opportunistic", "required", "implicit"])
def test_serve_with_tls_and_auth(tmp_path: Path, certificate: Certificate, tls: str) -> None:
    (tmp_path / "password").write_text("secret\n")
    switches = ("--tls", tls, "--cert", str(certificate.chain), "--key", str(certificate.key))
    server = Serve(tmp_path, *switches, "--auth", f"user:{tmp_path / 'password'}")
    try:
        mode = "implicit" if tls == "implicit" else "starttls"
        job = Job(server.port, TRICKY, tls=mode, auth="LOGIN", certificate=certificate)
        clients.swaks(job).check()
        clients.curl(replace(job, auth="PLAIN")).check()
        clients.msmtp(job).check()
        assert clients.msmtp(replace(job, password="guess")).status != 0
        assert clients.swaks(replace(job, auth=None)).status != 0
        if tls != "implicit":
            assert clients.swaks(replace(job, tls="plain", auth=None)).status != 0
        assert [split_trace(kept)[1] for kept in server.kept()] == [TRICKY] * 3
    finally:
        server.stop()


@pytest.mark.slow
@pytest.mark.parametrize("reuse", [True, False], ids=["sessions-reused", "a-session-each"])
def test_serve_files_two_thousand_messages_of_16_sessions(tmp_path: Path, serve: Serve, reuse: bool) -> None:
    job = Job(serve.port, b"")
    ran = clients.smtp_source(job, tmp_path, *(["-d"] if reuse else []), messages=2000, sessions=16, length=4096)
    ran.check()
    kept = serve.kept()
    assert len(kept) == 2000
    found = {match[1] for each in kept if (match := re.search(rb"\nMessage-Id: <([^>]+)>", each))}
    assert len(found) == 2000
    assert len({split_trace(each)[1].partition(b"\r\n\r\n")[2] for each in kept}) == 1


def test_what_was_accepted_survives_a_kill(tmp_path: Path, serve: Serve) -> None:
    """RFC 5321 s6.1: 250 means that the message will not be lost."""
    accepted: list[str] = []

    def send_until_it_dies(number: int) -> None:
        try:
            with smtplib.SMTP("127.0.0.1", serve.port, "crepes.fr", timeout=10) as client:
                for count in range(100_000):
                    name = f"{number}-{count}"
                    client.sendmail("alice@crepes.fr", ["bob@hamburger.edu"], messages.message(b"x\r\n", name.encode()))
                    accepted.append(name)
        except (OSError, smtplib.SMTPException):
            pass

    threads = [threading.Thread(target=send_until_it_dies, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    machinery.wait_for("messages", lambda: len(accepted) > 200)
    os.kill(serve.pid, signal.SIGKILL)
    for thread in threads:
        thread.join(20)
    kept = {match[1].decode() for each in serve.kept() if (match := re.search(rb"\nX-Test: (\S+)\r\n", each))}
    assert set(accepted) <= kept
    # the last of each connection may have been filed without the client ever knowing
    assert len(kept) <= len(accepted) + len(threads)


def test_a_signal_ends_it_in_order(serve: Serve) -> None:
    """RFC 5321 s3.8: 421 to who is idle, and the transaction in hand ends first."""
    with (
        socket.create_connection(("127.0.0.1", serve.port), timeout=10) as idle,
        closing(smtplib.SMTP("127.0.0.1", serve.port, "crepes.fr", timeout=10)) as busy,
    ):
        lines = idle.makefile("rb")
        assert lines.readline().startswith(b"220 hamburger.edu ")
        busy.ehlo()
        busy.mail("alice@crepes.fr")
        busy.rcpt("bob@hamburger.edu")
        os.kill(serve.pid, signal.SIGTERM)
        assert lines.readline().startswith(b"421 ")
        assert lines.readline() == b""
        time.sleep(0.2)
        assert busy.data(TRICKY)[0] == 250
        assert busy.noop()[0] == 421
        lines.close()
    machinery.wait_for("the end", lambda: not machinery.listens(serve.port), 10)
    assert [split_trace(kept)[1] for kept in serve.kept()] == [TRICKY]


@pytest.fixture(scope="module", params=SERVERS)
def running(request: pytest.FixtureRequest, folder: Path, certificate: Certificate) -> Iterator[Peer]:
    with SERVERS[request.param](folder, certificate) as peer:
        yield peer


@pytest.fixture
def peer(running: Peer) -> Peer:
    running.forget()
    return running


def send(port: int, *arguments: str) -> machinery.Ran:
    command = (
        *SMTPCORE,
        "send",
        "--server",
        f"127.0.0.1:{port}",
        "--from",
        "alice@crepes.fr",
        "--hostname",
        "crepes.fr",
    )
    return machinery.run((*command, *arguments), env=HOME)


def test_send_with_attachments(tmp_path: Path, peer: Peer) -> None:
    picture = tmp_path / "picture.jpg"
    picture.write_bytes(bytes(range(256)) * 2000)
    note = tmp_path / "Grüße.txt"
    note.write_bytes("über\r\n.\r\nallem\n".encode())
    arguments = ("--to", "bob@example.com", "--subject", "Bild für dich", "--body", "Do you like it?\n.\n..Grüße\n")
    send(peer.port, *arguments, "--attach", str(picture), "--attach", str(note), "--tls", "none").check()
    (got,) = peer.delivered(1)
    assert got.content.isascii()
    message = message_from_bytes(got.content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert message["Subject"] == "Bild für dich"
    body = message.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == "Do you like it?\n.\n..Grüße\n"
    files = {part.get_filename(): part for part in message.iter_attachments()}
    assert set(files) == {"picture.jpg", "Grüße.txt"}
    assert files["picture.jpg"].get_payload(decode=True) == picture.read_bytes()
    assert files["Grüße.txt"].get_payload(decode=True) == note.read_bytes()


def test_send_a_message_as_it_is(tmp_path: Path, peer: Peer) -> None:
    file = tmp_path / "message.eml"
    file.write_bytes(TRICKY)
    send(peer.port, "--to", "bob@example.com", "--message", str(file), "--tls", "none").check()
    assert [got.content for got in peer.delivered(1)] == [TRICKY]


def test_send_over_tls_with_auth(folder: Path, certificate: Certificate, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret\n")
    (tmp_path / "wrong").write_text("guess\n")
    file = tmp_path / "message.eml"
    file.write_bytes(TRICKY)
    with Exim(folder / "auth", certificate) as peer:
        for tls, port in (("required", peer.port), ("implicit", peer.implicit_port)):
            peer.forget()
            arguments = ("--to", "bob@example.com", "--message", str(file), "--tls", tls, "--user", "user")
            trusting = (*arguments, "--ca", str(certificate.authority))
            send(port, *trusting, "--password-file", str(tmp_path / "password")).check()
            (got,) = peer.delivered(1)
            assert got.content == TRICKY
            assert b"esmtpsa" in got.trace
            assert send(port, *trusting, "--password-file", str(tmp_path / "wrong")).status == 3
            # nobody vouches for the certificate: nothing is sent, the password least of all
            assert send(port, *arguments, "--password-file", str(tmp_path / "password")).status == 3


def test_send_says_what_became_of_each(tmp_path: Path, certificate: Certificate) -> None:
    with Postfix(tmp_path, certificate) as peer:
        to = ("bob", "refuse", "defer")
        arguments = [text for name in to for text in ("--to", f"{name}@example.com")]
        ran = send(peer.port, *arguments, "--subject", "S", "--body", "B", "--tls", "none")
        assert ran.status == 1
        assert "no such mailbox" in ran.output
        assert "come back later" in ran.output
        assert [got.recipients for got in peer.delivered(1)] == [("bob@example.com",)]
    with SmtpSink(tmp_path, certificate, "-q", ".") as sink:
        ran = send(sink.port, "--to", "bob@example.com", "--subject", "S", "--body", "B", "--tls", "none")
        assert ran.status == 1
        assert "unknown" in ran.output
    assert send(sink.port, "--to", "bob@example.com", "--subject", "S", "--body", "B").status == 3
