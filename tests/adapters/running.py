"""Servers that run in a thread by each adapter, and clients whose one text runs by all of them."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import importlib.util
import os
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from typing import Any

import pytest

import smtpcore.adapters.asyncio as over_asyncio
import smtpcore.adapters.blocking as over_blocking
from smtpcore.flows.handler import Served

HAVE_TRIO = importlib.util.find_spec("trio") is not None
HAVE_UVLOOP = importlib.util.find_spec("uvloop") is not None
# Where CI is set a run without them would prove less than it seems to: there their absence is a failure.
EXPECTED = "CI" in os.environ
WITH_TRIO = pytest.mark.skipif(not (HAVE_TRIO or EXPECTED), reason="trio is not installed")
# A loop that nobody here wrote, and that does what asyncio's own does not: it reads before a task has begun.
WITH_UVLOOP = pytest.mark.skipif(not (HAVE_UVLOOP or EXPECTED), reason="uvloop is not installed"), pytest.mark.interop
#: The adapter of asyncio, by the loop that it runs on.
OVER_ASYNCIO = frozenset(("asyncio", "uvloop"))
ASYNC = ["asyncio", pytest.param("uvloop", marks=WITH_UVLOOP), pytest.param("trio", marks=WITH_TRIO)]
ADAPTERS = [*ASYNC, "blocking"]
EVERY_SERVER = pytest.mark.parametrize("adapter", ADAPTERS)
HOSTNAME = "hamburger.edu"
#: What no test waits for in vain.
PATIENCE = 20.0
#: A time that is to run out, in seconds: what has to be done within it is done even where much else runs.
SHORT = 0.6


def run_asyncio(adapter: str, main: Coroutine[Any, Any, Any]) -> Any:
    """What ``asyncio.run`` does, on the loop of that name."""
    factory: Any = importlib.import_module("uvloop").new_event_loop if adapter == "uvloop" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


class Keeper:
    """A handler that keeps what lands. ``events`` has what was called, across all connections."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, tuple[str, ...], bytes]] = []
        self.events: list[str] = []
        self.changed = threading.Condition()

    def note(self, event: str) -> None:
        with self.changed:
            self.events.append(event)
            self.changed.notify_all()

    def wait_for(self, event: str, count: int = 1) -> None:
        with self.changed:
            found = self.changed.wait_for(lambda: self.events.count(event) >= count, PATIENCE)
        assert found, f"no {event} in {self.events[-10:]}"

    def connected(self, session: Served) -> None:
        self.note("connected")

    def data(self, session: Served) -> None:
        session.data = []

    def content(self, session: Served, chunk: bytes) -> None:
        session.data.append(chunk)

    def message(self, session: Served) -> str:
        octets, session.data = b"".join(session.data), None
        transaction = session.transaction
        self.messages.append((str(transaction.sender), tuple(str(each) for each in transaction.recipients), octets))
        self.note("message")
        return f"kept as {len(self.messages)}"

    def aborted(self, session: Served) -> None:
        session.data = None
        self.note("aborted")

    def closed(self, session: Served) -> None:
        self.note("closed")


class Running:
    """A server in a thread of its own. ``reported`` is what went wrong inside."""

    def __init__(self, adapter: str, handler: object, host: str, options: dict[str, Any]) -> None:
        self.adapter = adapter
        self.handler = handler
        self.reported: list[BaseException] = []
        self.server: Any = None
        self.address: tuple[str, int] = ("", 0)
        self._where = host, 0
        self._options = {"hostname": HOSTNAME, **options}
        self._ready = threading.Event()
        self._stop: Callable[[], object] = lambda: None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"serve-{adapter}", daemon=True)

    @property
    def port(self) -> int:
        return self.address[1]

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(PATIENCE)
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Begin to stop, and do not wait for it."""
        stop, self._stop = self._stop, lambda: None
        stop()

    def join(self, seconds: float = PATIENCE) -> None:
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the server does not stop"
        if self._error is not None:
            raise self._error

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            kinds = {"asyncio": self._asyncio, "uvloop": self._asyncio, "trio": self._trio, "blocking": self._blocking}
            kinds[self.adapter]()
        except BaseException as error:
            self._error = error
        finally:
            self._ready.set()

    def _announce(self, server: Any, stop: Callable[[], object]) -> None:
        self.server, self.address, self._stop = server, server.address, stop
        self._ready.set()

    def _asyncio(self) -> None:
        async def main() -> None:
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda _, context: self.reported.append(_error_of(context)))
            done = asyncio.Event()
            async with over_asyncio.serve(self.handler, *self._where, **self._options) as server:
                self._announce(server, lambda: loop.call_soon_threadsafe(done.set))
                await done.wait()

        run_asyncio(self.adapter, main())

    def _trio(self) -> None:
        import trio

        import smtpcore.adapters.trio as over_trio

        async def main() -> None:
            done = trio.Event()
            token = trio.lowlevel.current_trio_token()
            async with over_trio.serve(self.handler, *self._where, **self._options) as server:
                self._announce(server, lambda: token.run_sync_soon(done.set))
                await done.wait()

        trio.run(main)

    def _blocking(self) -> None:
        done = threading.Event()
        with over_blocking.serve(self.handler, *self._where, **self._options) as server:
            self._announce(server, done.set)
            done.wait()


def _error_of(context: dict[str, Any]) -> BaseException:
    error = context.get("exception")
    return error if isinstance(error, BaseException) else AssertionError(context["message"])


@contextlib.contextmanager
def serving(
    adapter: str, handler: object, *, host: str = "127.0.0.1", fails: bool = False, **options: Any
) -> Iterator[Running]:
    """A server until the block ends. Unless it ``fails``, nothing may have been reported then."""
    running = Running(adapter, handler, host, options)
    hook, sys.excepthook = sys.excepthook, lambda kind, error, traceback: running.reported.append(error)
    try:
        running.start()
        try:
            yield running
        finally:
            running.stop()
            running.join()
    finally:
        sys.excepthook = hook
    assert fails or running.reported == []


async def until(adapter: str, event: threading.Event) -> None:
    """Wait on a loop for what happens in another thread."""
    # No thread may wait instead: it would outlive a cancellation.
    if adapter in OVER_ASYNCIO:
        while not event.is_set():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.005)
    else:
        import trio

        while not event.is_set():  # noqa: ASYNC110 - see above
            await trio.sleep(0.005)


# --- clients -------------------------------------------------------------------------------------


class Awaited:
    """A blocking client under an async face, so that one text does for all."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name not in ("send", "send_all", "command", "quit", "speak_for", "turn"):
            return found

        async def method(*args: Any, **options: Any) -> Any:
            return found(*args, **options)

        return method


Body = Callable[[Any], Awaitable[Any]]


def talk(adapter: str, address: tuple[str, int], body: Body, **options: Any) -> Any:
    """Run ``body(client)`` with a connected client, and return its result."""
    options = {"hostname": "crepes.fr", "tls": "none", "timeout": PATIENCE, **options}
    if adapter in OVER_ASYNCIO:

        async def main() -> Any:
            wrong: list[BaseException] = []
            asyncio.get_running_loop().set_exception_handler(lambda _, context: wrong.append(_error_of(context)))
            async with over_asyncio.connect(*address, **options) as client:
                result = await body(client)
            assert wrong == []
            return result

        return run_asyncio(adapter, main())
    if adapter == "trio":
        import trio

        import smtpcore.adapters.trio as over_trio

        async def main_over_trio() -> Any:
            async with over_trio.connect(*address, **options) as client:
                return await body(client)

        return trio.run(main_over_trio)
    with over_blocking.connect(*address, **options) as client:
        steps = body(Awaited(client)).__await__()
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value
        raise AssertionError("a blocking client waits for nothing")


class Raw:
    """A client of sockets and octets."""

    def __init__(self, address: tuple[str, int], *, greeted: bool = True, window: int = 0) -> None:
        self.sock = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        if window:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self.sock.settimeout(PATIENCE)
        try:
            self.sock.connect(address)
        except OSError:
            self.sock.close()
            raise
        self._received = b""
        greeting = self.line() if greeted else b"220"
        if not greeting.startswith(b"220"):
            self.close()
            raise AssertionError(greeting)

    def say(self, octets: bytes) -> None:
        self.sock.sendall(octets)

    def line(self) -> bytes:
        """The next line; what there is at the end of the stream."""
        while b"\n" not in self._received:
            data = self._receive()
            if not data:
                line, self._received = self._received, b""
                return line
            self._received += data
        line, _, self._received = self._received.partition(b"\n")
        return line + b"\n"

    def ask(self, octets: bytes, replies: int = 1) -> list[bytes]:
        """Say it, and return that many replies, of one line each."""
        self.say(octets)
        return [self.line() for _ in range(replies)]

    def rest(self) -> bytes:
        """All that comes before the end of the stream."""
        while data := self._receive():
            self._received += data
        rest, self._received = self._received, b""
        return rest

    def _receive(self) -> bytes:
        try:
            return self.sock.recv(65536)
        except ConnectionError:
            return b""

    def close(self) -> None:
        self.sock.close()

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()


def welcome(address: tuple[str, int]) -> Raw:
    """A place on a server, as soon as one is free."""
    deadline = time.monotonic() + PATIENCE
    while True:
        raw = Raw(address, greeted=False)
        if (line := raw.line()).startswith(b"220"):
            return raw
        raw.close()
        assert line.startswith(b"421")
        assert time.monotonic() < deadline, "no place was given back"
        time.sleep(0.01)


def in_content(raw: Raw) -> Raw:
    """Behind DATA."""
    codes = raw.ask(b"HELO crepes.fr\r\nMAIL FROM:<a@b.fr>\r\nRCPT TO:<c@d.edu>\r\nDATA\r\n", 4)
    assert [line[:3] for line in codes] == [b"250", b"250", b"250", b"354"]
    return raw
