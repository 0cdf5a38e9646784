"""Many messages over a pool, by every adapter over real sockets: connections are counted, and none is left open."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import smtpcore.adapters.asyncio as over_asyncio
import smtpcore.adapters.blocking as over_blocking
from smtpcore import Mail, Reply
from smtpcore.extensions import LIMITS, Limits
from smtpcore.flows.handler import Served
from smtpcore.flows.pool import PoolLimits
from tests.adapters.running import ADAPTERS, ASYNC, OVER_ASYNCIO, PATIENCE, run_asyncio, serving
from tests.adapters.test_pools import Counting

EVERY_POOL = pytest.mark.parametrize("adapter", ADAPTERS)
BOB = ["bob@hamburger.edu"]
MESSAGE = ("alice@crepes.fr", BOB, b"Subject: crepes\r\n\r\nHello\r\n")


class Awaited:
    """The pool of blocking sockets, to be awaited like the others."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._pool, name)
        if not callable(found):
            return found

        async def call(*args: Any, **options: Any) -> Any:
            return found(*args, **options)

        return call


def over(adapter: str, body: Callable[[Any], Awaitable[Any]], **options: Any) -> Any:
    """What ``body`` gives for a pool of that adapter."""
    if adapter == "blocking":
        with over_blocking.Pool(tls="none", **options) as pool:
            steps = body(Awaited(pool)).__await__()
            try:
                next(steps)
            except StopIteration as stop:
                return stop.value
            raise AssertionError("a blocking pool waits for nothing")

    async def main(pool: Any) -> Any:
        async with pool:
            return await body(pool)

    if adapter in OVER_ASYNCIO:
        return run_asyncio(adapter, main(over_asyncio.Pool(tls="none", **options)))
    import trio

    import smtpcore.adapters.trio as over_trio

    return trio.run(main, over_trio.Pool(tls="none", **options))


@EVERY_POOL
@pytest.mark.parametrize("chunking", [False, True])
def test_as_many_connections_as_it_takes(adapter, chunking):
    handler = Counting()
    with serving("asyncio", handler) as running:
        host, port = running.address

        async def body(pool: Any) -> Any:
            outcomes = await pool.send_all(host, [MESSAGE] * 250, chunking=chunking)
            assert (pool.opened, pool.busy, pool.idle) == (3, 0, 1)
            assert (await pool.send(host, *MESSAGE)).all_accepted
            assert pool.opened == 3, "the last one has room for more"
            return outcomes

        outcomes = over(adapter, body, port=port, pool_limits=PoolLimits(messages=100))
        handler.wait_until_empty()
    assert len(outcomes) == 250
    assert all(outcome.all_accepted for outcome in outcomes)
    assert (handler.messages, handler.connections) == (251, 3)
    gc.collect()


@EVERY_POOL
def test_messages_that_a_session_takes(adapter):
    handler = Counting()
    with serving("asyncio", handler, capabilities=[LIMITS.offer(Limits(mailmax=7))]) as running:
        host, port = running.address

        async def body(pool: Any) -> Any:
            return await pool.send_all(host, [MESSAGE] * 20)

        outcomes = over(adapter, body, port=port)
        handler.wait_until_empty()
    assert all(outcome.all_accepted for outcome in outcomes)
    assert (handler.messages, handler.connections) == (20, 3)


@EVERY_POOL
def test_packets(adapter):
    """RFC 2920 s3.1: the end of a content and the next envelope are one write, and each costs one round trip."""
    from tests.adapters.test_clients import scripted

    ends = [b"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"] * 3
    turns = [b"220 hi\r\n", b"250-h\r\n250 PIPELINING\r\n", ends[0][8:], *ends[1:], b"250 ok\r\n", b"221 bye\r\n"]
    with scripted(*turns) as ((host, port), _):

        async def body(pool: Any) -> Any:
            return await pool.send_all(host, [MESSAGE] * 3)

        outcomes = over(adapter, body, port=port)
    assert all(outcome.all_accepted for outcome in outcomes)


class Weary(Counting):
    """Hangs up with the fourth MAIL of a connection, and does not say so beforehand."""

    def mail(self, session: Served, command: Mail) -> Reply | None:  # type: ignore[override]  # it may refuse
        session.data = (session.data or 0) + 1
        if session.data > 3:
            return Reply(421, "enough", "4.7.0")
        super().mail(session, command)
        return None


@EVERY_POOL
@pytest.mark.parametrize("server", ADAPTERS)
def test_a_server_that_hangs_up_now_and_then(adapter, server):
    handler = Weary()
    with serving(server, handler) as running:
        host, port = running.address

        async def body(pool: Any) -> Any:
            return await pool.send_all(host, [MESSAGE] * 10)

        outcomes = over(adapter, body, port=port)
        handler.wait_until_empty()
    assert all(outcome.all_accepted for outcome in outcomes)
    assert (handler.messages, handler.connections) == (10, 4)
    gc.collect()


@EVERY_POOL
def test_beside_others(adapter):
    """One place serves the batch, another one whoever else sends."""
    handler = Counting()
    with serving("asyncio", handler) as running:
        host, port = running.address
        limits = PoolLimits(per_host=2)
        if adapter == "blocking":
            with over_blocking.Pool(port=port, tls="none", pool_limits=limits) as pool:
                found: list[Any] = []
                threads = [
                    threading.Thread(target=lambda: found.extend(pool.send_all(host, [MESSAGE] * 30))) for _ in range(4)
                ]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join(PATIENCE)
                    assert not thread.is_alive()
                assert pool.opened == 2
        else:

            async def body(pool: Any) -> Any:
                found: list[Any] = []

                async def one() -> None:
                    found.extend(await pool.send_all(host, [MESSAGE] * 30))

                if adapter in OVER_ASYNCIO:
                    await asyncio.gather(*[one() for _ in range(4)])
                else:
                    import trio

                    async with trio.open_nursery() as nursery:
                        for _ in range(4):
                            nursery.start_soon(one)
                assert pool.opened == 2
                return found

            found = over(adapter, body, port=port, pool_limits=limits)
        handler.wait_until_empty()
    assert len(found) == handler.messages == 120
    assert all(outcome.all_accepted for outcome in found)


@pytest.mark.parametrize("adapter", ASYNC)
@pytest.mark.parametrize("delay", [0.0, 0.01, 0.1])
def test_cancelled(adapter, delay):
    """Whatever it is at, nothing is left open, and the place is free."""
    handler = Counting()
    handler.pause = 0.005
    with serving("blocking", handler) as running:
        host, port = running.address

        async def body(pool: Any) -> None:
            if adapter in OVER_ASYNCIO:
                tasks = [asyncio.create_task(pool.send_all(host, [MESSAGE] * 1000)) for _ in range(3)]
                await asyncio.sleep(delay)
                for task in tasks:
                    task.cancel()
                assert all(
                    isinstance(error, asyncio.CancelledError)
                    for error in await asyncio.gather(*tasks, return_exceptions=True)
                )
            else:
                import trio

                with trio.move_on_after(delay):
                    async with trio.open_nursery() as nursery:
                        for _ in range(3):
                            nursery.start_soon(pool.send_all, host, [MESSAGE] * 1000)
            assert (pool.busy, pool.waiting, pool.idle) == (0, 0, 0)
            assert (await pool.send(host, *MESSAGE)).all_accepted

        over(adapter, body, port=port, pool_limits=PoolLimits(per_host=2, messages=5))
        handler.wait_until_empty()
    assert handler.messages < 1000
    gc.collect()  # a socket left open would be a ResourceWarning, which is an error here


@EVERY_POOL
def test_mistakes(adapter):
    with serving("asyncio", Counting()) as running:
        host, port = running.address

        async def body(pool: Any) -> None:
            assert await pool.send_all(host, []) == []
            mistakes: Any = [("a b", BOB, b""), ("a@b", "c@d", b""), ("a@b", BOB, "text"), ("a@b", [], b"")]
            for wrong in mistakes:
                with pytest.raises((ValueError, TypeError)):
                    await pool.send_all(host, [MESSAGE, wrong])
            assert (pool.opened, pool.busy) == (0, 0)

        over(adapter, body, port=port)
