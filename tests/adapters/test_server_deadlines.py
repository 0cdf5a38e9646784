"""Deadlines over real sockets: a client that takes too long is told so, and time of our own is not charged to it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from smtpcore.flows.handler import Served
from tests.adapters.running import ASYNC, EVERY_SERVER, OVER_ASYNCIO, Keeper, Raw, in_content, serving

TIMEOUT = 0.2
#: How late a loaded machine may be.
SLACK = 3.0


def elapsed(since: float) -> float:
    return time.monotonic() - since


@EVERY_SERVER
@pytest.mark.parametrize(
    "before", [b"", b"HELO crepes.fr\r\n", b"HELO crepes.fr\r\nNOO"], ids=["greeting", "helo", "half-a-line"]
)
def test_a_silent_client_is_told_421(adapter, before):
    handler = Keeper()
    with serving(adapter, handler, timeout=TIMEOUT) as server, Raw(server.address) as raw:
        begun = time.monotonic()
        raw.say(before)
        rest = raw.rest()
        assert TIMEOUT * 0.9 <= elapsed(begun) <= TIMEOUT + SLACK
        assert rest.endswith(b"421 timeout exceeded\r\n")
        handler.wait_for("closed")


@EVERY_SERVER
@pytest.mark.parametrize("octets", [b"x", b"?\r\n"], ids=["octet-by-octet", "bad-lines"])
def test_a_slow_drip_is_ended(adapter, octets):
    """RES-12: neither part of a line nor a bad one sets the time anew."""
    with serving(adapter, Keeper(), timeout=TIMEOUT) as server, Raw(server.address) as raw:
        begun = time.monotonic()
        try:
            while elapsed(begun) < TIMEOUT + SLACK:
                raw.say(octets)
                time.sleep(0.05)
        except OSError:
            pass
        assert elapsed(begun) < TIMEOUT + SLACK
        assert b"421 " in raw.rest() or octets != b"x"


@EVERY_SERVER
def test_a_slow_drip_of_content_is_ended(adapter):
    handler = Keeper()
    with (
        serving(adapter, handler, timeout=TIMEOUT, minimum_rate=1000.0) as server,
        in_content(Raw(server.address)) as raw,
    ):
        begun = time.monotonic()
        try:
            while elapsed(begun) < TIMEOUT + SLACK:
                raw.say(b"x\r\n")
                time.sleep(0.03)
        except OSError:
            pass
        assert elapsed(begun) < TIMEOUT + SLACK
        handler.wait_for("closed")
    assert handler.events == ["connected", "aborted", "closed"]


@EVERY_SERVER
def test_content_that_keeps_up_may_take_longer(adapter):
    handler = Keeper()
    line = b"x" * 98 + b"\r\n"
    with (
        serving(adapter, handler, timeout=TIMEOUT, minimum_rate=1000.0) as server,
        in_content(Raw(server.address)) as raw,
    ):
        begun = time.monotonic()
        while elapsed(begun) < 2 * TIMEOUT:
            raw.say(line * 2)
            time.sleep(0.03)
        assert raw.ask(b".\r\n")[0].startswith(b"250 ")
    assert len(handler.messages) == 1


async def asleep(adapter: str, seconds: float) -> None:
    if adapter in OVER_ASYNCIO:
        import asyncio

        await asyncio.sleep(seconds)
    else:
        import trio

        await trio.sleep(seconds)


class Slow(Keeper):
    """Takes longer over one thing than a client may."""

    def __init__(self, adapter: str, name: str) -> None:
        super().__init__()
        kept = getattr(super(), name, None)
        pauses = [1.5 * TIMEOUT, 0.0, 0.0, 0.0]

        async def over_a_loop(session: Served, *args: Any) -> Any:
            await asleep(adapter, pauses.pop(0))
            return kept(session, *args) if kept else None

        def over_a_thread(session: Served, *args: Any) -> Any:
            time.sleep(pauses.pop(0))
            return kept(session, *args) if kept else None

        setattr(self, name, over_a_thread if adapter == "blocking" else over_a_loop)


@EVERY_SERVER
@pytest.mark.parametrize("name", ["rcpt", "content", "message"])
def test_a_client_does_not_pay_for_a_slow_handler(adapter, name):
    """Its time is what it takes itself."""
    handler = Slow(adapter, name)
    with serving(adapter, handler, timeout=TIMEOUT, minimum_rate=1000.0) as server, Raw(server.address) as raw:
        raw.ask(b"HELO crepes.fr\r\nMAIL FROM:<a@b.fr>\r\nRCPT TO:<c@d.edu>\r\nDATA\r\n", 4)
        raw.say(b"Hello\r\n")
        time.sleep(0.05)
        raw.say(b"there\r\n")
        assert raw.ask(b".\r\n")[0].startswith(b"250 ")
        assert raw.ask(b"NOOP\r\n")[0].startswith(b"250 ")
    assert handler.messages[0][2] == b"Hello\r\nthere\r\n"


@EVERY_SERVER
def test_each_good_command_has_its_own_time(adapter):
    with serving(adapter, Keeper(), timeout=TIMEOUT) as server, Raw(server.address) as raw:
        begun = time.monotonic()
        while elapsed(begun) < 2 * TIMEOUT:
            time.sleep(TIMEOUT / 4)
            assert raw.ask(b"NOOP\r\n")[0].startswith(b"250 ")


@pytest.mark.parametrize("adapter", ASYNC)
def test_one_slow_handler_keeps_nobody_else_waiting(adapter):
    handler = Slow(adapter, "rcpt")
    with serving(adapter, handler, timeout=5.0) as server, Raw(server.address) as one, Raw(server.address) as other:
        one.say(b"HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<c@d.edu>\r\n")
        begun = time.monotonic()
        assert other.ask(b"NOOP\r\n")[0].startswith(b"250 ")
        assert elapsed(begun) < TIMEOUT
