"""``smtpcore send``, asking for reports of delivery."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import smtpcore.adapters.asyncio as smtp
from smtpcore.cli import main
from smtpcore.extensions import DSN


class Keeper:
    """A handler that keeps the envelope."""

    def __init__(self) -> None:
        self.envelope: list[bytes] = []

    def message(self, session: Any) -> None:
        held = session.transaction
        self.envelope = [bytes(held.mail), *map(bytes, held.rcpts)]


@contextmanager
def serving(*offered: Any) -> Iterator[tuple[str, Keeper]]:
    keeper, ready, done = Keeper(), threading.Event(), asyncio.Event()
    found: list[Any] = []

    async def run() -> None:
        async with smtp.serve(keeper, "127.0.0.1", 0, capabilities=offered) as server:
            found.extend((f"127.0.0.1:{server.address[1]}", asyncio.get_running_loop()))
            ready.set()
            await done.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    ready.wait(10)
    try:
        yield found[0], keeper
    finally:
        found[1].call_soon_threadsafe(done.set)
        thread.join(10)


def send(address: str, *argv: str) -> int:
    to = ["--to", "bob@hamburger.edu", "--to", "carol@hamburger.edu"]
    return main(["send", "--server", address, "--from", "alice@crepes.fr", *to, "--body", "Hello", *argv])


def test_all_three():
    with serving(DSN) as (address, keeper):
        assert send(address, "--notify", "success,delay", "--ret", "hdrs", "--envid", "e=mc2 1") == 0
    mail, *rcpts = keeper.envelope
    assert mail.endswith(b" RET=HDRS ENVID=e+3Dmc2+201\r\n")
    assert rcpts == [
        b"RCPT TO:<bob@hamburger.edu> NOTIFY=SUCCESS,DELAY\r\n",
        b"RCPT TO:<carol@hamburger.edu> NOTIFY=SUCCESS,DELAY\r\n",
    ]


def test_nothing_is_asked_for_by_itself():
    with serving(DSN) as (address, keeper):
        assert send(address) == 0
    assert not any(word in b"".join(keeper.envelope) for word in (b"RET", b"ENVID", b"NOTIFY", b"ORCPT"))


@pytest.mark.parametrize("argv", [("--notify", "never"), ("--ret", "full"), ("--envid", "x")])
def test_a_server_without_it(argv, capsys):
    with serving() as (address, keeper):
        assert send(address, *argv) == 1
    assert f"the server does not offer DSN, which {argv[0]} needs" in capsys.readouterr().err
    assert keeper.envelope == []


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (("--notify", "never,success"), "expected NEVER, or a list"),
        (("--notify", ""), "expected NEVER, or a list"),
        (("--ret", "some"), "expected FULL or HDRS"),
        (("--envid", ""), "needs a character"),
        (("--envid", "x" * 101), "longer than 100"),
        (("--envid", "a\r\nRCPT TO:<x@y>"), "control character"),
    ],
)
def test_what_cannot_be_asked_for(argv, says, capsys):
    assert send("127.0.0.1:1", *argv) == 2
    assert says in capsys.readouterr().err
