"""``smtpcore demo``: the textbook's dialogue between both halves, over real TCP, to a real mailbox."""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, final

from ..adapters.asyncio import connect, serve
from ..message.date import DateTime
from ..message.header import Header
from ..session.limits import ClientLimits
from .arguments import Subparsers
from .failure import FAILED, Failure
from .maildir import Maildir
from .receiver import Receiver
from .sinks import Filing
from .terminal import styled

__all__ = ["add", "run"]

_STYLES: Final = {"C": "cyan", "S": "green"}
_SECONDS: Final = 30.0


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    description = (
        "Alice of crepes.fr sends Bob of hamburger.edu a message, over TCP on this machine; shown are the lines "
        "as they were on the wire, and what lies in Bob's mailbox then."
    )
    parser = subparsers.add_parser("demo", help="the textbook's dialogue, over real TCP", description=description)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Play the dialogue; success is Bob having the message octet for octet."""
    content = _content()
    wire = Wiretap()
    with tempfile.TemporaryDirectory(prefix="smtpcore-demo-") as folder:
        mailbox = Maildir(Path(folder) / "bob")
        try:
            accepted = asyncio.run(_deliver(content, mailbox, wire))
        except (OSError, TimeoutError) as error:
            raise Failure(f"no TCP on this machine's loopback: {error}; check its network", FAILED) from None
        found = [path.read_bytes() for path in mailbox.messages()]
    styled([(f"{who}: {line}", _STYLES[who]) for who, line in wire.lines()])
    styled(_show_mailbox(found))
    return 0 if accepted and len(found) == 1 and _is_delivered(found[0], content) else FAILED


def _content() -> bytes:
    lines = (
        "From: alice@crepes.fr",
        "To: bob@hamburger.edu",
        "Subject: Searching for the meaning of life.",
        f"Date: {DateTime.from_datetime(datetime.now(UTC))}",
        "",
        "Do you like ketchup?",
        "How about pickles?",
        "",
    )
    return "\r\n".join(lines).encode()


async def _deliver(content: bytes, mailbox: Maildir, wire: Wiretap) -> bool:
    """Alice's server to Bob's server; whether that has taken the message."""
    receiver = Receiver(lambda session: Filing(mailbox, session, "hamburger.edu"), {})
    async with (
        asyncio.timeout(_SECONDS),
        serve(receiver, "127.0.0.1", 0, hostname="hamburger.edu") as server,
        wire.tap(server.address) as address,
    ):
        # One command in flight makes it a dialogue as in the book, where PIPELINING would send a group at a time.
        one_by_one = ClientLimits(in_flight=1)
        async with connect(*address, tls="none", hostname="crepes.fr", limits=one_by_one) as client:
            outcome = await client.send("alice@crepes.fr", ["bob@hamburger.edu"], content)
    return outcome.all_accepted


def _show_mailbox(found: list[bytes]) -> Iterator[tuple[str, str]]:
    yield "", ""
    yield f"Bob's mailbox has {len(found)} message{'' if len(found) == 1 else 's'}:", "bold"
    for message in found:
        yield "", ""
        for line in message.decode("utf-8", "backslashreplace").split("\r\n")[:-1]:
            yield line.expandtabs(4), ""


def _is_delivered(found: bytes, content: bytes) -> bool:
    """Whether this is the content, behind the two fields that final delivery adds (RFC 5321 s4.4)."""
    trace = Header.parse(found.removesuffix(content))
    names = [field.name for field in trace]
    return bytes(trace) + content == found and not trace.end and names == [b"Return-Path", b"Received"]


@final
class Wiretap:
    """Stands between a client and a server, hands on what it hears, and writes it down."""

    def __init__(self) -> None:
        self._heard: list[tuple[str, bytes]] = []

    @asynccontextmanager
    async def tap(self, server: tuple[str, int]) -> AsyncGenerator[tuple[str, int], None]:
        """Listen for one client of ``server``, where the address says; the end waits until both have closed."""
        over = asyncio.Event()

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            server_reader, server_writer = await asyncio.open_connection(*server)
            try:
                await asyncio.gather(self._pump("C", reader, server_writer), self._pump("S", server_reader, writer))
            finally:
                over.set()

        async with await asyncio.start_server(handle, "127.0.0.1", 0) as listener:
            yield listener.sockets[0].getsockname()
            await over.wait()

    async def _pump(self, who: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                # Written down before it is handed on, so that no answer stands before its question.
                self._heard.append((who, data))
                writer.write(data)
                await writer.drain()
            writer.close()
            await writer.wait_closed()
        except OSError:
            writer.close()  # one side has closed while the other was still speaking

    def lines(self) -> Iterator[tuple[str, str]]:
        """``C`` or ``S``, and a line without CRLF, in the order in which they were complete."""
        begun = {"C": b"", "S": b""}
        for who, data in self._heard:
            *whole, begun[who] = (begun[who] + data).split(b"\r\n")
            for line in whole:
                yield who, line.decode("utf-8", "backslashreplace")
