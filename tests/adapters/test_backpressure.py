"""What a peer cannot make grow: octets that wait on our side."""

from __future__ import annotations

import select
import socket
import threading
import time
from typing import Any

import pytest

from smtpcore import Command, Reply, ServerLimits
from smtpcore.flows.handler import Served
from tests.adapters.running import ADAPTERS, EVERY_SERVER, OVER_ASYNCIO, Keeper, Raw, serving, talk, until, welcome

pytestmark = pytest.mark.law(7)

#: More than the kernel holds of one connection, both buffers of both ends together.
PLENTY = 48 * 1024 * 1024
CHATTY = ServerLimits(idle_commands=10**9)


def pour(sock: socket.socket, octets: bytes, most: int) -> int:
    """Send until nothing more is taken for a while; how much was."""
    sock.setblocking(False)
    poured = 0
    while poured < most:
        _, writable, _ = select.select([], [sock], [], 0.3)
        if not writable:
            break
        try:
            poured += sock.send(octets)
        except ConnectionError:
            break  # cut
    sock.settimeout(20)
    return poured


@EVERY_SERVER
def test_a_peer_that_does_not_read_is_not_read_from(adapter):
    """Its replies wait, and so does what it sends."""
    with serving(adapter, Keeper(), limits=CHATTY, grace=0.2) as server, Raw(server.address) as raw:
        assert pour(raw.sock, b"HELP\r\n" * 10_000, PLENTY) < PLENTY
        # Once it reads, everything goes on.
        for _ in range(1000):
            assert raw.line().startswith(b"214 ")


@EVERY_SERVER
def test_a_peer_that_does_not_read_is_cut_in_time(adapter):
    """It must not keep a place for ever."""
    handler = Keeper()
    with serving(adapter, handler, limits=CHATTY, timeout=0.3, grace=15.0, max_connections=1) as server:
        with Raw(server.address, window=8192) as raw:
            pour(raw.sock, b"HELP\r\n" * 10_000, PLENTY)
            handler.wait_for("closed")
            with welcome(server.address) as other:
                assert other.ask(b"NOOP\r\n")[0].startswith(b"250")
        begun = time.monotonic()
        server.stop()
        server.join()
        assert time.monotonic() - begun < 5.0


class Stuck(Keeper):
    """A handler that waits until it is let go."""

    def __init__(self, adapter: str) -> None:
        super().__init__()
        self._adapter = adapter
        self.go = threading.Event()

    def mail(self, session: Served, command: Any) -> Any:
        self.note("mail")
        return None if self._adapter == "blocking" and self.go.wait(20) else until(self._adapter, self.go)


@EVERY_SERVER
def test_input_waits_while_the_handler_works(adapter):
    """RES-15: in the kernel, but for one read."""
    handler = Stuck(adapter)
    with serving(adapter, handler, limits=CHATTY, grace=5.0) as server, Raw(server.address) as raw:
        raw.ask(b"HELO x\r\n")
        raw.say(b"MAIL FROM:<>\r\n")
        handler.wait_for("mail")
        poured = pour(raw.sock, b"NOOP\r\n" * 10_000, PLENTY)
        assert poured < PLENTY
        handler.go.set()
        assert raw.line().startswith(b"250 ")
        for _ in range(1000):
            assert raw.line().startswith(b"250 ")


@pytest.mark.parametrize("client", ADAPTERS)
def test_a_server_that_talks_and_talks_does_not_fill_a_client(client):
    """The client is busy with a content of its own meanwhile, and does not listen."""
    poured: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(20)
                connection.sendall(b"220 hi\r\n")
                connection.recv(1000)
                connection.sendall(b"250-h\r\n250 PIPELINING\r\n")
                connection.recv(1000)
                connection.sendall(b"250 ok\r\n250 ok\r\n354 go\r\n")
                connection.recv(1000)
                poured.append(pour(connection, b"450 and another thing\r\n" * 4000, PLENTY))
                done.set()

        done = threading.Event()
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()

        def content() -> Any:
            yield b"one\r\n"
            assert done.wait(20)

        async def content_of_asyncio() -> Any:
            yield b"one\r\n"
            await until("asyncio", done)

        async def body(connection: Any) -> Any:
            source = content_of_asyncio() if client in OVER_ASYNCIO else content()
            return await connection.send(None, ["b@h.edu"], source)

        assert not talk(client, listener.getsockname(), body).all_accepted
        thread.join(20)
    assert poured[0] < PLENTY


@EVERY_SERVER
def test_a_peer_that_reads_at_last_hears_that_the_server_stops(adapter):
    """The server has begun to stop while a write to it was under way; nothing that it says now is waited for."""
    grace = 15.0

    class Chatterbox(Keeper):
        def command(self, session: Served, command: Command) -> Reply:
            return Reply(214, ["x" * 500] * 20_000)

    with serving(adapter, Chatterbox(), grace=grace) as server, Raw(server.address, window=8192) as raw:
        raw.sock.sendall(b"HELP\r\n")
        assert raw.sock.recv(1) == b"2"
        server.stop()
        time.sleep(0.1)
        begun = time.monotonic()
        size, last = 1, b""
        while data := raw.sock.recv(1_000_000):
            size += len(data)
            last = (last + data)[-100:]
        assert size > 10_000_000
        assert last.endswith(b"x\r\n421 service shutting down\r\n")
        assert time.monotonic() - begun < grace / 2
        server.join(grace / 2)
