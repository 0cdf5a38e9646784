"""A sending client: ``transmit.py HOST PORT COUNT SIZE RECIPIENTS CONNECTIONS [KIND]``, kinds as at its end."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time

import smtpcore.adapters.asyncio as over_loop
import smtpcore.adapters.blocking as over_threads
from smtpcore.flows import PoolLimits

LINE = b"Hello, this is a line of the body of a message that is sent to measure.\r\n"


def message(size: int) -> bytes:
    """A message of about ``size`` octets."""
    header = b"From: a@example.org\r\nTo: b@example.com\r\nSubject: benchmark\r\n\r\n"
    return header + LINE * max(1, (size - len(header)) // len(LINE))


def share(count: int, connections: int, index: int) -> int:
    """How many of ``count`` messages go over one connection."""
    return count // connections + (index < count % connections)


async def over_asyncio(host: str, port: int, count: int, size: int, recipients: int, connections: int) -> None:
    """All connections at once, in one loop."""
    content = message(size)
    names = [f"b{number}@example.com" for number in range(recipients)]

    async def one(messages: int) -> None:
        async with over_loop.connect(host, port, tls="none", hostname="client.example") as client:
            for _ in range(messages):
                outcome = await client.send("a@example.org", names, content)
                if not outcome.all_accepted:
                    raise SystemExit(f"refused: {outcome}")

    await asyncio.gather(*[one(share(count, connections, index)) for index in range(connections)])


async def over_pool(
    host: str, port: int, count: int, size: int, recipients: int, connections: int, messages: int = 100
) -> None:
    """A pool of that many connections, and four tasks for each; ``messages`` over one connection."""
    content = message(size)
    names = [f"b{number}@example.com" for number in range(recipients)]
    limits = PoolLimits(per_host=connections, messages=messages)
    async with over_loop.Pool(port=port, pool_limits=limits, tls="none", hostname="client.example") as pool:

        async def one(messages: int) -> None:
            for _ in range(messages):
                outcome = await pool.send(host, "a@example.org", names, content)
                if not outcome.all_accepted:
                    raise SystemExit(f"refused: {outcome}")

        tasks = 4 * connections
        await asyncio.gather(*[one(share(count, tasks, index)) for index in range(tasks)])


def over_sockets(
    host: str, port: int, count: int, size: int, recipients: int, connections: int, *, chained: bool = False
) -> None:
    """A thread for each connection, if there are several; ``chained``: each message with the end of the one before."""
    content = message(size)
    names = [f"b{number}@example.com" for number in range(recipients)]

    def one(messages: int) -> None:
        with over_threads.connect(host, port, tls="none", hostname="client.example") as client:
            if chained:
                outcomes = client.send_all([("a@example.org", names, content)] * messages)
                if not all(outcome.all_accepted for outcome in outcomes):
                    raise SystemExit("refused")
                return
            for _ in range(messages):
                outcome = client.send("a@example.org", names, content)
                if not outcome.all_accepted:
                    raise SystemExit(f"refused: {outcome}")

    if connections == 1:
        one(count)
        return
    threads = [threading.Thread(target=one, args=(share(count, connections, index),)) for index in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    host, port, *numbers = sys.argv[1:7]
    kind = sys.argv[7] if len(sys.argv) > 7 else "asyncio"
    port_number, (count, size, recipients, connections) = int(port), map(int, numbers)
    wall, cpu = time.perf_counter(), time.process_time()
    if kind == "asyncio":
        asyncio.run(over_asyncio(host, port_number, count, size, recipients, connections))
    elif kind in {"pool", "anew"}:
        messages = 100 if kind == "pool" else 1
        asyncio.run(over_pool(host, port_number, count, size, recipients, connections, messages))
    else:
        over_sockets(host, port_number, count, size, recipients, connections, chained=kind == "chained")
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(json.dumps({"messages": count, "wall": wall, "cpu": cpu}))
