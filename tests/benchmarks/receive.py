"""A receiving server that forgets what it gets: ``receive.py PORT [asyncio|uvloop|trio|blocking]``."""

from __future__ import annotations

import asyncio
import importlib
import sys


class Forget:
    """A handler that accepts everything."""


async def over_asyncio(port: int) -> None:
    """Serve until killed."""
    from smtpcore.adapters.asyncio import serve

    async with serve(Forget(), "127.0.0.1", port, hostname="mx.example", max_connections=5000) as server:
        print("ready", flush=True)
        await server.serve_forever()


async def over_trio(port: int) -> None:
    """Serve until killed."""
    from smtpcore.adapters.trio import serve

    async with serve(Forget(), "127.0.0.1", port, hostname="mx.example", max_connections=5000) as server:
        print("ready", flush=True)
        await server.serve_forever()


def over_threads(port: int) -> None:
    """Serve until killed."""
    from smtpcore.adapters.blocking import serve

    with serve(Forget(), "127.0.0.1", port, hostname="mx.example", max_connections=5000) as server:
        print("ready", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    port, kind = int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "asyncio"
    if kind in {"asyncio", "uvloop"}:
        new_loop = importlib.import_module("uvloop").new_event_loop if kind == "uvloop" else None
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(over_asyncio(port))
    elif kind == "trio":
        import trio

        trio.run(over_trio, port)
    else:
        over_threads(port)
