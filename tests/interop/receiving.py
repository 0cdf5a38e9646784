"""smtpcore's server half, run in a thread by each of its adapters, with a handler that keeps what lands."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import trio

import smtpcore.adapters.asyncio
import smtpcore.adapters.blocking
import smtpcore.adapters.trio
from smtpcore import Reply
from smtpcore.flows.handler import Served
from smtpcore.sasl import Credentials
from tests.interop import machinery
from tests.interop.certificates import Certificate

ADAPTERS = ("asyncio", "trio", "blocking")
HOSTNAME = "hamburger.edu"


@dataclass(frozen=True)
class Received:
    """One message, as the handler was given it."""

    sender: str
    """"" is the null reverse-path."""
    recipients: tuple[str, ...]
    content: bytes
    tls: bool
    user: str | None
    esmtp: bool
    connection: int
    """Which connection brought it: each has a number of its own."""


@dataclass
class Keeper:
    """A handler. It refuses refuse...@ for good and defer...@ for now, and keeps the rest."""

    digest: Callable[[bytes], bytes] = bytes
    """What is kept of a content, where thousands of them come."""
    received: list[Received] = field(default_factory=list)
    aborts: int = 0
    connections: int = 0
    wrong: list[BaseException] = field(default_factory=list)

    def connected(self, session: Served) -> None:
        self.connections += 1
        session.data = (self.connections, [])

    def rcpt(self, session: Served, command: Any) -> Reply | None:
        if str(command.recipient).startswith("refuse"):
            return Reply(550, "no such mailbox", enhanced="5.1.1")
        if str(command.recipient).startswith("defer"):
            return Reply(450, "come back later", enhanced="4.2.1")
        return None

    def content(self, session: Served, chunk: bytes) -> None:
        session.data[1].append(chunk)

    def message(self, session: Served) -> str:
        transaction = session.transaction
        number, chunks = session.data
        session.data = (number, [])
        sender = transaction.sender
        self.received.append(
            Received(
                sender="" if sender is None else str(sender),
                recipients=tuple(str(each) for each in transaction.recipients),
                content=self.digest(b"".join(chunks)),
                tls=session.tls,
                user=session.identity,
                esmtp=session.esmtp,
                connection=number,
            )
        )
        return f"kept as {len(self.received)}"

    def aborted(self, session: Served) -> None:
        self.aborts += 1
        session.data = (session.data[0], [])

    def wait(self, count: int, seconds: float = 30.0) -> list[Received]:
        """What has landed, once it is ``count`` messages."""
        try:
            machinery.wait_for(f"{count} messages", lambda: len(self.received) >= count, seconds)
        except TimeoutError as error:
            raise AssertionError(f"{error}, but {len(self.received)}") from None
        assert len(self.received) == count
        return list(self.received)


class LoginKeeper(Keeper):
    """The same, and it believes one user."""

    def authenticate(self, session: Served, credentials: Credentials) -> bool:
        return credentials.authcid == "user" and credentials.verify("secret")


@dataclass
class Running:
    """A server that runs."""

    port: int
    keeper: Keeper


def _context(tls: str, certificate: Certificate | None) -> dict[str, Any]:
    return {"tls": tls, "ssl_context": certificate.for_server() if certificate and tls != "none" else None}


@contextmanager
def serving(
    adapter: str, keeper: Keeper, certificate: Certificate | None = None, tls: str = "none", /, **options: Any
) -> Iterator[Running]:
    """A server on a free port of 127.0.0.1, unless another ``host`` is given, until the block ends."""
    arguments = {"hostname": HOSTNAME, "host": "127.0.0.1", **_context(tls, certificate), **options}
    begin = {"asyncio": _asyncio, "trio": _trio, "blocking": _blocking}[adapter]
    with begin(keeper, arguments) as port:
        yield Running(port, keeper)
    assert keeper.wrong == []


class _Thread(threading.Thread):
    """Runs an event loop that announces its port and then waits to be told to stop."""

    def __init__(self, body: Callable[[_Thread], None]) -> None:
        super().__init__(daemon=True)
        self._body = body
        self.ready = threading.Event()
        self.port = 0
        self.stop: Callable[[], object] = lambda: None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self._body(self)
        except BaseException as error:
            self.error = error
        finally:
            self.ready.set()

    def announce(self, port: int, stop: Callable[[], object]) -> None:
        self.port, self.stop = port, stop
        self.ready.set()


@contextmanager
def _threaded(body: Callable[[_Thread], None]) -> Iterator[int]:
    thread = _Thread(body)
    thread.start()
    thread.ready.wait(10)
    try:
        if thread.error is None:
            yield thread.port
    finally:
        if thread.is_alive():
            thread.stop()
        thread.join(30)
    if thread.error is not None:
        raise thread.error
    assert not thread.is_alive(), "the server does not stop"


def _asyncio(keeper: Keeper, arguments: dict[str, Any]) -> Any:
    async def main(thread: _Thread) -> None:
        done = asyncio.Event()
        loop = asyncio.get_running_loop()
        async with smtpcore.adapters.asyncio.serve(keeper, arguments.pop("host"), 0, **arguments) as server:
            thread.announce(server.address[1], lambda: loop.call_soon_threadsafe(done.set))
            await done.wait()

    return _threaded(lambda thread: asyncio.run(main(thread)))


def _trio(keeper: Keeper, arguments: dict[str, Any]) -> Any:
    async def main(thread: _Thread) -> None:
        done = trio.Event()
        token = trio.lowlevel.current_trio_token()
        async with smtpcore.adapters.trio.serve(keeper, arguments.pop("host"), 0, **arguments) as server:
            thread.announce(server.address[1], lambda: token.run_sync_soon(done.set))
            await done.wait()

    return _threaded(lambda thread: trio.run(main, thread))


@contextmanager
def _blocking(keeper: Keeper, arguments: dict[str, Any]) -> Iterator[int]:
    with smtpcore.adapters.blocking.serve(keeper, arguments.pop("host"), 0, **arguments) as server:
        yield server.address[1]
