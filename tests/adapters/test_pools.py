"""Pools over real sockets: as many connections as there may be, none left behind, whoever is cancelled or hangs up."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import smtpcore.adapters.asyncio as over_asyncio
import smtpcore.adapters.blocking as over_blocking
from smtpcore import Mail, Reply
from smtpcore.extensions import LIMITS, Limits
from smtpcore.flows.handler import Served
from smtpcore.flows.pool import PoolLimits
from tests.adapters.running import ADAPTERS, ASYNC, OVER_ASYNCIO, PATIENCE, SHORT, run_asyncio, serving

EVERY_POOL = pytest.mark.parametrize("adapter", ADAPTERS)
ASYNC_POOL = pytest.mark.parametrize("adapter", ASYNC)
BOB = ["bob@hamburger.edu"]
CONTENT = b"Subject: crepes\r\n\r\nHello\r\n"


class Counting:
    """A handler that counts connections and messages; ``pause`` is how long each message takes, in seconds.

    ``most`` connections were open at a time as the server sees it, which learns late of one that was left;
    ``busiest`` is how many had a transaction in hand, which the server ends before the client does.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.messages = self.connections = self.open = self.most = 0
        self.busy = self.busiest = 0
        self.pause: float = 0.0

    def connected(self, session: Served) -> None:
        with self.lock:
            self.connections += 1
            self.open += 1
            self.most = max(self.most, self.open)

    def closed(self, session: Served) -> None:
        with self.lock:
            self.open -= 1

    def mail(self, session: Served, command: Mail) -> None:
        with self.lock:
            self.busy += 1
            self.busiest = max(self.busiest, self.busy)

    def message(self, session: Served) -> None:
        if self.pause:
            time.sleep(self.pause)
        with self.lock:
            self.messages += 1
            self.busy -= 1

    def wait_until_empty(self) -> None:
        until = time.monotonic() + PATIENCE
        while self.open:
            assert time.monotonic() < until, f"{self.open} connections are left"
            time.sleep(0.005)


Send = Callable[..., Awaitable[Any]]


def pooled(adapter: str, address: tuple[str, int], count: int, tasks: int, **options: Any) -> tuple[list[Any], Any]:
    """What became of ``count`` messages, sent by so many tasks or threads over one pool; and the pool."""
    host, port = address
    outcomes: list[Any] = []
    numbers = iter(range(count))

    if adapter == "blocking":
        lock = threading.Lock()
        with over_blocking.Pool(port=port, **options) as blocking:

            def work() -> None:
                while True:
                    with lock:
                        if next(numbers, None) is None:
                            return
                    outcome = blocking.send(host, "alice@crepes.fr", BOB, CONTENT)
                    outcomes.append(outcome)

            threads = [threading.Thread(target=work) for _ in range(tasks)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(PATIENCE * 5)
                assert not thread.is_alive()
        return outcomes, blocking

    async def each(pool: Any) -> None:
        for _ in numbers:
            outcomes.append(await pool.send(host, "alice@crepes.fr", BOB, CONTENT))

    if adapter in OVER_ASYNCIO:

        async def main() -> Any:
            async with over_asyncio.Pool(port=port, **options) as pool:
                await asyncio.gather(*[each(pool) for _ in range(tasks)])
            return pool

        return outcomes, run_asyncio(adapter, main())
    import trio

    import smtpcore.adapters.trio as over_trio

    async def main_over_trio() -> Any:
        async with over_trio.Pool(port=port, **options) as pool, trio.open_nursery() as nursery:
            for _ in range(tasks):
                nursery.start_soon(each, pool)
        return pool

    return outcomes, trio.run(main_over_trio)


@EVERY_POOL
@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.slow)])
def test_many_messages_over_few_connections(adapter, count):
    handler = Counting()
    with serving("asyncio", handler) as running:
        limits = PoolLimits(per_host=4, messages=100)
        outcomes, pool = pooled(adapter, running.address, count, 16, tls="none", pool_limits=limits)
        handler.wait_until_empty()
    assert len(outcomes) == handler.messages == count
    assert all(outcome.all_accepted for outcome in outcomes)
    assert 2 <= handler.busiest <= 4
    assert handler.most <= 4 + 4, "each of the four may have been left just now"
    assert handler.connections == pool.opened
    assert count / 100 <= pool.opened <= count / 100 + 4
    assert (pool.busy, pool.idle, pool.waiting) == (0, 0, 0)


@EVERY_POOL
def test_messages_that_a_session_takes(adapter):
    handler = Counting()
    with serving("asyncio", handler, capabilities=[LIMITS.offer(Limits(mailmax=3))]) as running:
        outcomes, pool = pooled(adapter, running.address, 20, 4, tls="none")
        handler.wait_until_empty()
    assert all(outcome.all_accepted for outcome in outcomes)
    assert len(outcomes) == handler.messages == 20
    assert pool.opened == handler.connections >= 7


@EVERY_POOL
def test_a_server_that_hangs_up_after_each(adapter):
    """It says 421 once it has been idle for a while, and the next message goes over a new connection."""
    handler = Counting()
    with serving("asyncio", handler, timeout=SHORT) as running:
        host, port = running.address

        async def main(pool: Any, sleep: Callable[[float], Awaitable[None]]) -> None:
            async with pool:
                for _ in range(3):
                    assert (await pool.send(host, None, BOB, CONTENT)).all_accepted
                    while handler.open:
                        await sleep(0.05)
                assert pool.opened == 3

        if adapter in OVER_ASYNCIO:
            run_asyncio(adapter, main(over_asyncio.Pool(port=port, tls="none"), asyncio.sleep))
        elif adapter == "trio":
            import trio

            import smtpcore.adapters.trio as over_trio

            trio.run(main, over_trio.Pool(port=port, tls="none"), trio.sleep)
        else:
            with over_blocking.Pool(port=port, tls="none") as pool:
                for _ in range(3):
                    assert pool.send(host, None, BOB, CONTENT).all_accepted
                    handler.wait_until_empty()
                assert pool.opened == 3
        handler.wait_until_empty()
    assert handler.messages == 3


@EVERY_POOL
def test_nobody_listens(adapter):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    with pytest.raises((OSError, ExceptionGroup)):  # trio's nursery makes a group of it
        pooled(adapter if adapter != "blocking" else "asyncio", address, 1, 1, tls="none")
    with over_blocking.Pool(port=address[1]) as pool:
        for _ in range(9):  # more often than there are places
            with pytest.raises(OSError):
                pool.send("127.0.0.1", None, BOB, CONTENT)
        assert (pool.busy, pool.idle) == (0, 0)


@ASYNC_POOL
@pytest.mark.parametrize("delay", [0.0, 0.01, 0.05])
def test_cancelled_among_others(adapter, delay):
    """Who is cancelled, waiting or sending, gives the place to the next; nothing is left open."""
    handler = Counting()
    handler.pause = 0.01
    with serving("blocking", handler) as running:
        host, port = running.address
        limits = PoolLimits(per_host=2)

        async def over_loop() -> list[Any]:
            async with over_asyncio.Pool(port=port, tls="none", pool_limits=limits) as pool:
                tasks = [asyncio.create_task(pool.send(host, None, BOB, CONTENT)) for _ in range(12)]
                await asyncio.sleep(delay)
                for task in tasks[::2]:
                    task.cancel()
                found = await asyncio.gather(*tasks, return_exceptions=True)
                assert (pool.busy, pool.waiting) == (0, 0)
                assert pool.idle <= 2
            return found[1::2]

        async def over_nursery() -> list[Any]:
            import trio

            import smtpcore.adapters.trio as over_trio

            found: list[Any] = []
            async with over_trio.Pool(port=port, tls="none", pool_limits=limits) as pool:

                async def one(scope: Any) -> None:
                    with scope:
                        found.append(await pool.send(host, None, BOB, CONTENT))

                async with trio.open_nursery() as nursery:
                    scopes = [trio.CancelScope() for _ in range(12)]
                    for scope in scopes:
                        nursery.start_soon(one, scope)
                    await trio.sleep(delay)
                    for scope in scopes[::2]:
                        scope.cancel()
                assert (pool.busy, pool.waiting) == (0, 0)
            return found

        if adapter in OVER_ASYNCIO:
            found = run_asyncio(adapter, over_loop())
        else:
            import trio

            found = trio.run(over_nursery)
        assert len(found) >= 6
        assert all(outcome.all_accepted for outcome in found)
        handler.wait_until_empty()
    assert handler.most <= 4, "the server learns of the two that were cut when their messages are done"
    gc.collect()  # a socket left open would be a ResourceWarning, which is an error here


def interrupted(adapter: str, host: str, port: int) -> None:
    """A pool whose block is left by KeyboardInterrupt."""
    if adapter == "blocking":
        with over_blocking.Pool(port=port, tls="none") as pool:
            pool.send(host, None, BOB, CONTENT)
            raise KeyboardInterrupt

    async def main(pool: Any) -> None:
        async with pool:
            await pool.send(host, None, BOB, CONTENT)
            raise KeyboardInterrupt

    if adapter in OVER_ASYNCIO:
        run_asyncio(adapter, main(over_asyncio.Pool(port=port, tls="none")))
    import trio

    import smtpcore.adapters.trio as over_trio

    trio.run(main, over_trio.Pool(port=port, tls="none"))


@EVERY_POOL
def test_left_by_an_interruption(adapter):
    """Connections are cut, in use or idle."""
    handler = Counting()
    with serving("asyncio", handler) as running:
        with pytest.raises(KeyboardInterrupt):
            interrupted(adapter, *running.address)
        handler.wait_until_empty()
    assert handler.messages == 1
    gc.collect()


class Refusing(Counting):
    def rcpt(self, session: Served, command: object) -> Reply:
        return Reply(452, "full", "4.2.2")


@EVERY_POOL
def test_a_refusal_breaks_nothing(adapter):
    handler = Refusing()
    with serving("asyncio", handler) as running:
        outcomes, pool = pooled(adapter, running.address, 10, 1, tls="none")
        handler.wait_until_empty()
    assert [outcome.recipients[0].reply for outcome in outcomes] == [Reply(452, "full", "4.2.2")] * 10
    assert pool.opened == handler.connections == 1
