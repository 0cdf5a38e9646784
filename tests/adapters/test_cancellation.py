"""A client that is given up half-way: the connection is cut, and nothing on it is ever taken for an answer again."""

from __future__ import annotations

import asyncio
import importlib
import socket
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from smtpcore import LocalProtocolError, Noop
from tests.adapters.running import (
    ASYNC,
    OVER_ASYNCIO,
    PATIENCE,
    Keeper,
    Raw,
    in_content,
    over_blocking,
    run_asyncio,
    serving,
    talk,
)

BOB = ["bob@hamburger.edu"]


@contextmanager
def mute(*replies: bytes) -> Iterator[tuple[tuple[str, int], bytearray]]:
    """A server that gives these replies, one for each time it is spoken to, and then none; and all it was told."""
    heard = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(PATIENCE)
                for reply in replies:
                    connection.sendall(reply)
                    heard.extend(connection.recv(65536))
                try:
                    while data := connection.recv(65536):
                        heard.extend(data)
                except ConnectionError:
                    pass

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield listener.getsockname(), heard
        thread.join(PATIENCE)
        assert not thread.is_alive(), "the connection was not cut"


OPEN = (b"220 hi\r\n", b"250-h\r\n250 PIPELINING\r\n")


def over(adapter: str) -> Any:
    return importlib.import_module(f"smtpcore.adapters.{'asyncio' if adapter in OVER_ASYNCIO else adapter}")


def run(adapter: str, main: Any) -> Any:
    if adapter in OVER_ASYNCIO:
        return run_asyncio(adapter, main())
    import trio

    return trio.run(main)


async def given_up(adapter: str, work: Any, seconds: float = 0.1) -> bool:
    """Whether the work had to be cancelled."""
    if adapter in OVER_ASYNCIO:
        try:
            async with asyncio.timeout(seconds):
                await work
        except TimeoutError:
            return True
    else:
        import trio

        with trio.move_on_after(seconds) as scope:
            await work
        return bool(scope.cancelled_caught)
    return False


@pytest.mark.parametrize("adapter", ASYNC)
@pytest.mark.parametrize(
    "replies",
    [OPEN, (*OPEN, b"250 ok\r\n"), (*OPEN, b"250 ok\r\n250 ok\r\n354 go\r\n")],
    ids=["envelope", "half-the-envelope", "verdict"],
)
def test_cancelled_while_it_waits(adapter, replies):
    async def body(client: Any) -> None:
        assert await given_up(adapter, client.send(None, BOB, b"Hello\r\n"))
        with pytest.raises(LocalProtocolError):
            await client.send(None, BOB, b"Another\r\n")
        with pytest.raises(LocalProtocolError):
            await client.command(Noop())

    with mute(*replies) as (address, heard):
        talk(adapter, address, body)
    assert b"Another" not in heard
    assert b"QUIT" not in heard
    assert b"NOOP" not in heard


@pytest.mark.parametrize("adapter", ASYNC)
def test_cancelled_within_its_content(adapter):
    """No final dot follows, and the server knows that the message is not whole."""
    handler = Keeper()

    async def endless() -> AsyncGenerator[bytes, None]:
        while True:
            yield b"and so on\r\n"
            if adapter in OVER_ASYNCIO:
                await asyncio.sleep(0.01)
            else:
                import trio

                await trio.sleep(0.01)

    async def body(client: Any) -> None:
        source = endless()
        try:
            assert await given_up(adapter, client.send(None, BOB, source))
            with pytest.raises(LocalProtocolError):
                await client.send(None, BOB, b"Another\r\n")
        finally:
            await source.aclose()

    with serving(adapter, handler) as server:
        talk(adapter, server.address, body)
        handler.wait_for("closed")
    assert handler.messages == []
    assert handler.events == ["connected", "aborted", "closed"]


@pytest.mark.parametrize("adapter", ASYNC)
def test_cancelled_while_the_peer_does_not_read(adapter):
    async def body(client: Any) -> None:
        assert await given_up(adapter, client.send(None, BOB, b"x" * 70 + b"\r\n" + b"y" * 20_000_000), 0.3)
        with pytest.raises(LocalProtocolError):
            await client.command(Noop())

    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended = threading.Event()

        def run() -> None:
            connection, _ = listener.accept()
            with connection:
                for reply in (*OPEN, b"250 ok\r\n250 ok\r\n354 go\r\n"):
                    connection.sendall(reply)
                    connection.recv(1000)
                ended.wait(PATIENCE)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        begun = time.monotonic()
        talk(adapter, listener.getsockname(), body)
        assert time.monotonic() - begun < 5.0
        ended.set()
        thread.join(PATIENCE)


@pytest.mark.parametrize("adapter", ASYNC)
def test_cancelled_while_it_opens(adapter):
    with mute(b"220 hi\r\n") as (address, _):

        async def body() -> None:
            async def enter() -> None:
                async with over(adapter).connect(*address, tls="none"):
                    raise AssertionError("it was never opened")

            assert await given_up(adapter, enter())

        run(adapter, body)


def test_an_interrupted_blocking_client():
    """Ctrl-C within the content: no dot, no QUIT, and the connection is cut."""
    handler = Keeper()

    def interrupted() -> Iterator[bytes]:
        yield b"Hello\r\n"
        raise KeyboardInterrupt

    with serving("blocking", handler) as server:
        with pytest.raises(KeyboardInterrupt), over_blocking.connect(*server.address, tls="none") as client:
            client.send(None, BOB, interrupted())
        handler.wait_for("closed")
    assert handler.messages == []
    assert handler.events == ["connected", "aborted", "closed"]


@pytest.mark.parametrize("adapter", ASYNC)
def test_one_message_at_a_time(adapter):
    """Two at once would answer each other's questions."""

    async def body(client: Any) -> None:
        async def second() -> None:
            with pytest.raises(RuntimeError, match="busy"):
                await client.send(None, BOB, b"Two\r\n")

        async def source() -> AsyncIterator[bytes]:
            yield b"One\r\n"
            await second()

        assert (await client.send(None, BOB, source())).all_accepted
        assert (await client.send(None, BOB, b"Three\r\n")).all_accepted

    handler = Keeper()
    with serving(adapter, handler) as server:
        talk(adapter, server.address, body)
    assert [octets for _, _, octets in handler.messages] == [b"One\r\n", b"Three\r\n"]


@pytest.mark.parametrize("adapter", ASYNC)
def test_a_server_is_cancelled_with_its_task(adapter):
    """Cancelling the task around ``serve`` stops it, with the usual grace."""
    handler = Keeper()
    ready = threading.Event()
    where: list[Any] = []

    async def main() -> bool:
        async def work() -> None:
            async with over(adapter).serve(handler, "127.0.0.1", 0, grace=0.2) as server:
                where.append(server.address)
                ready.set()
                await server.serve_forever()

        return await given_up(adapter, work(), 0.6)

    def client() -> None:
        assert ready.wait(PATIENCE)
        with in_content(Raw(where[0])) as raw:
            assert b"250" not in raw.rest()

    thread = threading.Thread(target=client, daemon=True)
    thread.start()
    assert run(adapter, main)
    thread.join(PATIENCE)
    assert handler.events == ["connected", "aborted", "closed"]


@pytest.mark.parametrize("adapter", ASYNC)
def test_what_the_block_of_a_server_raises_comes_out(adapter):
    class Own(Exception):
        pass

    async def main() -> None:
        async with over(adapter).serve(object(), "127.0.0.1", 0):
            raise Own

    with pytest.raises(Own):
        run(adapter, main)
