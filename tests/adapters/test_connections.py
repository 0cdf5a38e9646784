"""Connections as such: how many, how half, how often; and that none of them leaves anything behind."""

from __future__ import annotations

import gc
import os
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.running import ADAPTERS, EVERY_SERVER, OVER_ASYNCIO, Keeper, Raw, in_content, serving, talk, welcome

MESSAGE = b"Subject: crepes\r\n\r\nHello\r\n"


@EVERY_SERVER
def test_beyond_the_limit_a_client_is_told_421(adapter):
    handler = Keeper()
    with (
        serving(adapter, handler, max_connections=2) as server,
        Raw(server.address) as one,
        Raw(server.address) as two,
    ):
        for _ in range(3):
            with Raw(server.address, greeted=False) as third:
                assert third.rest() == b"421 4.7.0 too many connections\r\n"
        assert one.ask(b"NOOP\r\n")[0].startswith(b"250")
        assert two.ask(b"QUIT\r\n")[0].startswith(b"221")
        with welcome(server.address) as next_one:
            assert next_one.ask(b"NOOP\r\n")[0].startswith(b"250")
    assert handler.events.count("connected") == 3


@EVERY_SERVER
def test_beyond_the_limit_a_client_of_tls_is_cut(adapter, certificates):
    """It could not read a 421 in the clear, and shaking hands for it would be the load that the limit is against."""
    options: Any = {"tls": "implicit", "ssl_context": certificates.server, "max_connections": 1}
    with serving(adapter, Keeper(), **options) as server, Raw(server.address, greeted=False) as first:
        time.sleep(0.05)
        with Raw(server.address, greeted=False) as second:
            assert second.rest() == b""
        assert first.sock.fileno() >= 0


@EVERY_SERVER
@pytest.mark.parametrize(
    ("octets", "replies"),
    [
        pytest.param(b"", b"", id="nothing"),
        pytest.param(b"NOOP\r\nNOOP\r\nHELP\r\n", b"250,250,214", id="commands"),
        pytest.param(b"NOOP\r\nNOO", b"250", id="half-a-line"),
        pytest.param(b"NOOP\r\nQUIT\r\nNOOP\r\n", b"250,221", id="quit"),
        pytest.param(
            b"HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<b@h.edu>\r\nDATA\r\n" + MESSAGE + b".\r\nNOOP\r\n",
            b"250,250,250,354,250,250",
            id="message",
        ),
    ],
)
def test_a_half_closed_client_gets_its_replies(adapter, octets, replies):
    """``printf ... | nc`` shuts down its side and waits."""
    handler = Keeper()
    with serving(adapter, handler) as server, Raw(server.address) as raw:
        raw.say(octets)
        raw.sock.shutdown(socket.SHUT_WR)
        said = raw.rest()
        assert b",".join(line[:3] for line in said.split(b"\r\n")[:-1]) == replies
    assert handler.events[-1] == "closed"
    assert len(handler.messages) == (b"DATA" in octets)


@EVERY_SERVER
def test_a_client_that_vanishes(adapter):
    """A reset, in every place where it may come."""
    handler = Keeper()
    with serving(adapter, handler) as server:
        for before in (b"", b"HELO x\r\n", b"HELO x\r\nMAIL FROM:<>\r\n", b"NOOP\r\n" * 50):
            raw = Raw(server.address)
            raw.say(before)
            # Octets that nobody has read make a reset of the close.
            raw.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            raw.close()
        raw = in_content(Raw(server.address))
        raw.say(b"Hello\r\n")
        raw.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        raw.close()
        handler.wait_for("closed", 5)
    assert handler.events.count("aborted") == 1
    assert handler.messages == []


def handles() -> int:
    return len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").is_dir() else 0


@EVERY_SERVER
def test_a_thousand_connections_one_after_the_other(adapter):
    handler = Keeper()
    gc.collect()
    before = handles()
    with serving(adapter, handler) as server:
        for _ in range(1000):
            with socket.create_connection(server.address, 10) as sock:
                sock.sendall(b"QUIT\r\n")
                said = b""
                while data := sock.recv(1000):
                    said += data
                assert said.endswith(b"221 closing connection\r\n")
        handler.wait_for("closed", 1000)
        if adapter in OVER_ASYNCIO:
            assert not server.server.connections
    assert handler.events.count("connected") == handler.events.count("closed") == 1000
    gc.collect()
    assert handles() <= before + 2


@EVERY_SERVER
def test_a_hundred_connections_side_by_side(adapter):
    handler = Keeper()
    with serving(adapter, handler) as server:
        clients = [Raw(server.address, greeted=False) for _ in range(100)]
        for raw in clients:
            assert raw.line().startswith(b"220")
        for raw in clients:
            raw.say(b"HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<b@h.edu>\r\nDATA\r\n")
        for raw in clients:
            assert [raw.line()[:3] for _ in range(4)] == [b"250", b"250", b"250", b"354"]
            raw.say(MESSAGE + b".\r\nQUIT\r\n")
        for raw in clients:
            assert raw.rest().startswith(b"250 ")
            raw.close()
    assert [octets for _, _, octets in handler.messages] == [MESSAGE] * 100


@EVERY_SERVER
@pytest.mark.parametrize("client", ADAPTERS)
def test_a_hundred_messages_on_one_connection(adapter, client):
    handler = Keeper()

    async def body(connection: Any) -> Any:
        return [await connection.send(None, ["b@h.edu"] * 3, b"%d\r\n" % number) for number in range(100)]

    with serving(adapter, handler) as server:
        assert all(outcome.all_accepted for outcome in talk(client, server.address, body))
    assert [octets for _, _, octets in handler.messages] == [b"%d\r\n" % number for number in range(100)]
    assert handler.events.count("connected") == 1


@EVERY_SERVER
def test_an_exception_of_the_handler_is_reported_where_the_library_has_it(adapter):
    """And the connection goes on."""

    class Broken(Keeper):
        def rcpt(self, session: Any, command: Any) -> None:
            raise ZeroDivisionError("of the handler")

    with serving(adapter, Broken(), fails=True) as server, Raw(server.address) as raw:
        replies = raw.ask(b"HELO x\r\nMAIL FROM:<>\r\nRCPT TO:<b@h.edu>\r\nNOOP\r\n", 4)
        assert [line[:3] for line in replies] == [b"250", b"250", b"451", b"250"]
    assert [type(error) for error in server.reported] == [ZeroDivisionError]
