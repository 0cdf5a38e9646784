"""Peers over sockets: ``peers.py serve PORT``, or ``peers.py CLIENT HOST PORT COUNT SIZE RECIPIENTS CONNECTIONS``.

The server is aiosmtpd's, on uvloop where that stands behind the port; the clients, smtplib and aiosmtplib, print JSON
as ``transmit.py`` does, and use one connection.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import smtplib
import sys
import time
from collections.abc import Callable

LINE = b"Hello, this is a line of the body of a message that is sent to measure.\r\n"
HEADER = b"From: a@example.org\r\nTo: b@example.com\r\nSubject: benchmark\r\n\r\n"


def serve(port: int, new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None) -> None:
    """Serve with aiosmtpd until killed, on a loop of that kind or asyncio's own."""
    from aiosmtpd.smtp import SMTP

    logging.getLogger("mail.log").setLevel(logging.ERROR)

    class Forget:
        async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
            return "250 2.0.0 Ok"

    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: SMTP(Forget(), hostname="mx.example", loop=loop), "127.0.0.1", port, backlog=1000
        )
        await server.serve_forever()

    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())


def by_smtplib(host: str, port: int, names: list[str], content: bytes, count: int) -> None:
    """Send with smtplib."""
    with smtplib.SMTP(host, port, local_hostname="client.example", timeout=30) as client:
        for _ in range(count):
            if client.sendmail("a@example.org", names, content):
                raise SystemExit("refused")


def by_aiosmtplib(host: str, port: int, names: list[str], content: bytes, count: int) -> None:
    """Send with aiosmtplib."""

    async def main() -> None:
        options = {"local_hostname": "client.example", "start_tls": False, "timeout": 30}
        async with aiosmtplib.SMTP(hostname=host, port=port, **options) as client:  # type: ignore[arg-type]  # a dict of any
            for _ in range(count):
                refused, _reply = await client.sendmail("a@example.org", names, content)
                if refused:
                    raise SystemExit("refused")

    asyncio.run(main())


CLIENTS: dict[str, Callable[[str, int, list[str], bytes, int], None]] = {
    "smtplib": by_smtplib,
    "aiosmtplib": by_aiosmtplib,
}


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(int(sys.argv[2]), importlib.import_module("uvloop").new_event_loop if "uvloop" in sys.argv else None)
    host, port, count, size, recipients = sys.argv[2], *map(int, sys.argv[3:7])
    content = HEADER + LINE * max(1, (size - len(HEADER)) // len(LINE))
    names = [f"b{number}@example.com" for number in range(recipients)]
    if sys.argv[1] == "aiosmtplib":
        import aiosmtplib  # importing is not sending, and measured elsewhere
    wall, cpu = time.perf_counter(), time.process_time()
    CLIENTS[sys.argv[1]](host, port, names, content, count)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(json.dumps({"messages": count, "wall": wall, "cpu": cpu}))
