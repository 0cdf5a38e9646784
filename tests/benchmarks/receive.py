"""A receiving server that forgets what it gets: ``receive.py PORT [asyncio|trio|blocking]``."""

from __future__ import annotations

import asyncio
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
    if kind == "asyncio":
        asyncio.run(over_asyncio(port))
    elif kind == "trio":
        import trio

        trio.run(over_trio, port)
    else:
        over_threads(port)
