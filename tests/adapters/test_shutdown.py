"""Stopping a server: 421 to who is idle, the transaction in hand is delivered, and there is an end to waiting."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import time
from typing import Any

import pytest

import smtpcore.adapters.asyncio as asyncio_adapter
from smtpcore.flows.handler import Served
from tests.adapters.running import (
    ASYNC,
    EVERY_SERVER,
    WITH_UVLOOP,
    Keeper,
    Raw,
    in_content,
    run_asyncio,
    serving,
    until,
)

GRACE = 10.0


def stop_and_time(server: Any) -> float:
    begun = time.monotonic()
    server.stop()
    server.join()
    return time.monotonic() - begun


@EVERY_SERVER
def test_nobody_is_there(adapter):
    with serving(adapter, Keeper(), grace=GRACE) as server:
        assert stop_and_time(server) < GRACE / 2


@EVERY_SERVER
@pytest.mark.parametrize(
    "before", [b"", b"HELO crepes.fr\r\n", b"HELO crepes.fr\r\nNOO"], ids=["greeted", "helo", "half-a-line"]
)
def test_an_idle_client_is_told_421(adapter, before):
    handler = Keeper()
    with serving(adapter, handler, grace=GRACE) as server, Raw(server.address) as raw:
        if before:
            assert raw.ask(before)[0].startswith(b"250")
        assert stop_and_time(server) < GRACE / 2
        assert raw.rest() == b"421 service shutting down\r\n"
    assert handler.events == ["connected", "closed"]


@EVERY_SERVER
def test_an_idle_client_over_tls_is_told_421(adapter, certificates):
    handler = Keeper()
    options: Any = {"tls": "implicit", "ssl_context": certificates.server, "grace": GRACE}
    with (
        serving(adapter, handler, **options) as server,
        socket.create_connection(server.address, 10) as sock,
        certificates.trusting.wrap_socket(sock, server_hostname="127.0.0.1") as client,
    ):
        assert client.recv(1000).startswith(b"220")
        assert stop_and_time(server) < GRACE / 2
        assert client.recv(1000) == b"421 service shutting down\r\n"


@EVERY_SERVER
def test_the_transaction_in_hand_is_delivered(adapter):
    handler = Keeper()
    with serving(adapter, handler, grace=GRACE) as server, in_content(Raw(server.address)) as raw:
        raw.say(b"Hello\r\n")
        server.stop()
        time.sleep(0.1)
        assert server.alive
        with pytest.raises(OSError):
            Raw(server.address).close()  # nobody new
        assert raw.ask(b"there\r\n.\r\n", 2) == [b"250 kept as 1\r\n", b"421 service shutting down\r\n"]
        server.join(GRACE / 2)
    assert handler.messages[0][2] == b"Hello\r\nthere\r\n"
    assert handler.events == ["connected", "message", "closed"]


@EVERY_SERVER
def test_a_transaction_that_has_only_begun_may_go_on(adapter):
    handler = Keeper()
    with serving(adapter, handler, grace=GRACE) as server, Raw(server.address) as raw:
        assert len(raw.ask(b"HELO x\r\nMAIL FROM:<>\r\n", 2)) == 2
        server.stop()
        time.sleep(0.05)
        replies = raw.ask(b"RCPT TO:<b@h.edu>\r\nDATA\r\n", 2) + raw.ask(b"Hello\r\n.\r\n", 2)
        assert [line[:3] for line in replies] == [b"250", b"354", b"250", b"421"]
        server.join(GRACE / 2)


@EVERY_SERVER
def test_when_the_grace_is_over_the_connection_is_cut(adapter):
    """What was not answered with 250 was not accepted."""
    handler = Keeper()
    with serving(adapter, handler, grace=0.3) as server, in_content(Raw(server.address)) as raw:
        raw.say(b"Hello\r\n")
        assert 0.2 < stop_and_time(server) < 5.0
        assert b"250" not in raw.rest()
    assert handler.messages == []
    assert handler.events == ["connected", "aborted", "closed"]


@EVERY_SERVER
def test_a_client_that_goes_away_meanwhile_ends_the_waiting(adapter):
    """And the waiting costs nothing."""
    handler = Keeper()
    with serving(adapter, handler, grace=GRACE) as server, in_content(Raw(server.address)) as raw:
        server.stop()
        time.sleep(0.1)
        used = time.process_time()
        time.sleep(0.3)
        assert time.process_time() - used < 0.15
        raw.close()
        server.join(GRACE / 2)
    assert handler.events == ["connected", "aborted", "closed"]


@EVERY_SERVER
def test_a_half_closed_client_within_its_content(adapter):
    handler = Keeper()
    with serving(adapter, handler, grace=GRACE) as server, in_content(Raw(server.address)) as raw:
        server.stop()
        time.sleep(0.05)
        raw.sock.shutdown(socket.SHUT_WR)
        server.join(GRACE / 2)
    assert handler.events == ["connected", "aborted", "closed"]


class Working(Keeper):
    """Busy with a message until it is let go."""

    def __init__(self, adapter: str) -> None:
        super().__init__()
        self.go = threading.Event()
        keep = super().message

        async def over_a_loop(session: Served) -> str:
            self.note("working")
            try:
                await until(adapter, self.go)
            except BaseException:
                self.note("cancelled")
                raise
            return keep(session)

        def over_a_thread(session: Served) -> str:
            self.note("working")
            self.go.wait(20)
            return keep(session)

        message: Any = over_a_thread if adapter == "blocking" else over_a_loop
        self.message = message  # type: ignore[method-assign]  # each adapter wants its own kind of function


@EVERY_SERVER
def test_a_handler_at_work_may_finish(adapter):
    handler = Working(adapter)
    with serving(adapter, handler, grace=GRACE) as server, in_content(Raw(server.address)) as raw:
        raw.say(b"Hello\r\n.\r\n")
        handler.wait_for("working")
        server.stop()
        time.sleep(0.05)
        handler.go.set()
        assert raw.rest() == b"250 kept as 1\r\n421 service shutting down\r\n"
        server.join(GRACE / 2)
    assert handler.events == ["connected", "working", "message", "closed"]


@pytest.mark.parametrize("adapter", ASYNC)
def test_a_handler_that_works_for_too_long_is_cancelled(adapter):
    handler = Working(adapter)
    with serving(adapter, handler, grace=0.2) as server, in_content(Raw(server.address)) as raw:
        raw.say(b"Hello\r\n.\r\n")
        handler.wait_for("working")
        assert stop_and_time(server) < 5.0
        assert b"250" not in raw.rest()
    assert handler.events == ["connected", "working", "cancelled", "closed"]


@EVERY_SERVER
def test_a_client_that_has_not_shaken_hands_yet(adapter, certificates):
    options: Any = {"tls": "implicit", "ssl_context": certificates.server, "grace": 0.3}
    with serving(adapter, Keeper(), **options) as server, Raw(server.address, greeted=False) as raw:
        time.sleep(0.05)
        assert stop_and_time(server) < 5.0
        assert raw.rest() == b""


@EVERY_SERVER
def test_many_clients_at_once(adapter):
    handler = Keeper()
    with serving(adapter, handler, grace=GRACE) as server:
        idle = [Raw(server.address) for _ in range(20)]
        busy = [in_content(Raw(server.address)) for _ in range(5)]
        server.stop()
        for raw in idle:
            assert raw.rest() == b"421 service shutting down\r\n"
        for raw in busy:
            assert raw.ask(b"Hello\r\n.\r\n", 2)[1].startswith(b"421")
        server.join(GRACE / 2)
        for raw in idle + busy:
            raw.close()
    assert len(handler.messages) == 5
    assert handler.events.count("closed") == 25


@pytest.mark.parametrize("loop", ["asyncio", pytest.param("uvloop", marks=WITH_UVLOOP)])
@pytest.mark.parametrize("steps", range(5))
def test_a_client_that_comes_as_the_server_goes(tmp_path, loop, steps):
    """asyncio forgets a connection that was accepted just before its listener is closed; we let it get its protocol."""
    path = str(tmp_path / "lmtp")

    async def one() -> None:
        async with asyncio_adapter.serve(object(), f"unix:{path}", 0):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(path)
            for _ in range(steps):
                await asyncio.sleep(0)

    for _ in range(3):
        run_asyncio(loop, one())
    gc.collect()  # an unclosed transport is a warning, and that an error
