"""LMTP over every adapter, as TCP and as a unix socket; and what unix sockets have of their own."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from smtpcore import Reply
from smtpcore.adapters.unix import listen_unix, release, unix_path
from smtpcore.flows.handler import Answers, Served
from smtpcore.flows.outcome import Status
from tests.adapters.running import ADAPTERS, EVERY_SERVER, Keeper, serving, talk

EVERY_CLIENT = pytest.mark.parametrize("client", ADAPTERS)
TO = ["bob@hamburger.edu", "full@hamburger.edu", "bob@hamburger.edu"]
MESSAGE = b"Subject: crepes\r\n\r\n.Dot\r\nHello\r\n"


class Mailboxes(Keeper):
    """Each recipient has an answer of its own."""

    peer: Any = "nobody yet"

    def message(self, session: Served) -> Answers:  # type: ignore[override]  # a Keeper answers for all at once
        self.peer = session.peer
        kept = super().message(session)
        full = Reply(452, "mailbox full", "4.2.2")
        return [full if str(each).startswith("full@") else kept for each in session.transaction.recipients]


@pytest.fixture
def path(tmp_path: Path) -> Any:
    """A short path: the system takes about a hundred octets."""
    here = os.getcwd()
    os.chdir(tmp_path)
    yield "unix:lmtp.sock"
    os.chdir(here)


async def deliver(client: Any) -> Any:
    assert client.machine.lmtp
    return [await client.send("alice@crepes.fr", TO, MESSAGE, chunking=chunking) for chunking in (False, True)]


def check(outcomes: Any, handler: Mailboxes) -> None:
    for outcome in outcomes:
        assert [each.status for each in outcome.recipients] == [
            Status.ACCEPTED, Status.REFUSED_FOR_NOW, Status.ACCEPTED,
        ]  # fmt: skip
        assert outcome.recipients[1].reply == Reply(452, "mailbox full", "4.2.2")
    assert [octets for _, _, octets in handler.messages] == [MESSAGE] * 2


@EVERY_SERVER
@EVERY_CLIENT
def test_over_tcp(adapter, client):
    handler = Mailboxes()
    with serving(adapter, handler, lmtp=True) as running:
        check(talk(client, running.address, deliver, lmtp=True), handler)
    assert handler.peer is not None


@EVERY_SERVER
@EVERY_CLIENT
def test_over_a_unix_socket(adapter, client, path):
    handler = Mailboxes()
    with serving(adapter, handler, host=path, lmtp=True) as running:
        assert running.address == (path, 0)
        check(talk(client, running.address, deliver, lmtp=True), handler)
        assert handler.peer is None
    assert not Path("lmtp.sock").exists(), "nothing is left behind"


@EVERY_SERVER
def test_what_was_left_behind_is_replaced(adapter, path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind("lmtp.sock")
    handler = Mailboxes()
    with serving(adapter, handler, host=path, lmtp=True) as running:
        check(talk(adapter, running.address, deliver, lmtp=True), handler)


def test_what_is_in_use_stays(path):
    with listen_unix("lmtp.sock"):
        with pytest.raises(OSError, match=r"in use"):
            listen_unix("lmtp.sock")
        assert Path("lmtp.sock").is_socket()
    release(path)
    release(path)


def test_what_is_no_socket_stays(path):
    Path("lmtp.sock").write_text("precious")
    with pytest.raises(OSError, match=r"in use"):
        listen_unix("lmtp.sock")
    assert Path("lmtp.sock").read_text() == "precious"


def test_where_there_are_no_unix_sockets(path, monkeypatch):
    monkeypatch.delattr(socket, "AF_UNIX")
    with pytest.raises(OSError, match=r"no unix sockets"):
        listen_unix("lmtp.sock")


def test_which_hosts_are_paths():
    assert unix_path("unix:/run/lmtp") == "/run/lmtp"
    assert unix_path("mx.hamburger.edu") is None
    release("mx.hamburger.edu")


@EVERY_CLIENT
def test_nobody_listens(client, path):
    async def body(client: Any) -> None:
        raise AssertionError("connected")

    with pytest.raises(OSError):
        talk(client, (path, 0), body, lmtp=True)
    with pytest.raises(ValueError, match=r"no port to connect to at hamburger.edu"):
        talk(client, ("hamburger.edu", 0), body)
