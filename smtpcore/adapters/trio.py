"""SMTP over trio: ``connect``, ``Pool`` and ``serve``; needs the extra ``trio``.

::

    async with connect("mx.hamburger.edu", 25, tls="opportunistic") as client:
        outcome = await client.send(sender, recipients, content)

    async with Pool() as pool:
        outcome = await pool.send("mx.hamburger.edu", sender, recipients, content)

    async with serve(handler, "127.0.0.1", 0, hostname="hamburger.edu") as server:
        print(server.address)
"""

from __future__ import annotations

import math
import ssl
import sys
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Any, Final, Self, final

import trio

from ..flows.effect import Handshake, Read, Write
from ..flows.pool import Ticket
from ..flows.proxy import read_proxy_header
from ..flows.server import Drain
from ..sasl.channel import Channel
from ..session.server import ServerConnection
from .client import AsyncClient
from .listening import BACKLOG, TOO_MANY, Listening
from .pooling import AsyncPool
from .tls import channel_of
from .trampoline import run
from .unix import LOCAL_ADDRESS, listen_unix, release, unix_path

__all__ = ["Client", "Pool", "Server", "connect", "serve"]

#: Octets read at a time.
_CHUNK: Final = 65_536
#: How often a port that is free at all addresses of a name is looked for.
_TRIES: Final = 10


@final
class Client(AsyncClient):
    """A connection over trio."""

    async def _connect(self) -> tuple[_Stream, str]:
        with trio.move_on_after(math.inf if self._timeout is None else self._timeout):
            path = unix_path(self._address[0])
            if path is not None:
                stream = await trio.open_unix_socket(path)
                return _Stream(stream, self._context, "localhost", timeout=self._timeout), LOCAL_ADDRESS
            stream = await trio.open_tcp_stream(*self._address)
            world = _Stream(stream, self._context, self._server_name, timeout=self._timeout)
            return world, stream.socket.getsockname()[0]
        raise TimeoutError("no connection in time")


@final
class Pool(AsyncPool):
    """Connections over trio that are used again, for any number of tasks."""

    def _now(self) -> float:
        return time.monotonic()

    def _client(self, address: tuple[str, int], options: Mapping[str, Any]) -> Client:
        return Client(*address, **options)

    async def _wait(self, ticket: Ticket) -> None:
        ticket.waiter = trio.Event()
        await ticket.waiter.wait()

    def _wake(self, ticket: Ticket) -> None:
        if ticket.waiter is not None:
            ticket.waiter.set()


class _Stream:
    """A connected stream. ``server_hostname`` is None on the side of a server."""

    def __init__(
        self,
        stream: trio.SocketStream,
        context: ssl.SSLContext | None = None,
        server_hostname: str | None = None,
        timeout: float | None = None,
        certificate: bytes | None = None,
    ) -> None:
        self._raw = stream  # trio sets TCP_NODELAY by itself
        self._stream: trio.SocketStream | trio.SSLStream[trio.SocketStream] = stream
        self._context = context
        self._server_hostname = server_hostname
        self._timeout = timeout
        self._certificate = certificate
        self._left = 0.0  # seconds that the next read has where it gets none of its own

    async def read(self, effect: Read) -> bytes:
        seconds = effect.wait(self._left)
        if self._timeout is not None and effect.seconds is not None:
            seconds = self._timeout
        with trio.move_on_after(seconds) as scope:
            try:
                data = bytes(await self._stream.receive_some(effect.most or _CHUNK))
            except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
                raise ConnectionResetError("connection lost") from error
            self._left = max(scope.deadline - trio.current_time(), 0.0)
            return data
        raise TimeoutError("the peer took too long")

    async def write(self, data: bytes) -> None:
        with trio.move_on_after(Write.seconds if self._timeout is None else self._timeout) as scope:
            try:
                await self._stream.send_all(data)
            except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
                raise ConnectionResetError("connection lost") from error
        if scope.cancelled_caught:
            raise TimeoutError("the peer does not read")

    async def handshake(self) -> Channel:
        if self._context is None:
            raise ConnectionError("no context to encrypt with")
        # https_compatible: many peers close without saying so in TLS, and end of data is never end of file here.
        upgraded = trio.SSLStream(
            self._raw,
            self._context,
            server_hostname=self._server_hostname,
            server_side=self._server_hostname is None,
            https_compatible=True,
        )
        with trio.move_on_after(Handshake.seconds if self._timeout is None else self._timeout) as scope:
            try:
                await upgraded.do_handshake()
            except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
                raise ConnectionError(f"no handshake: {error.__cause__ or error}") from error
        if scope.cancelled_caught:
            raise TimeoutError("no handshake in time")
        self._stream = upgraded
        secured: Any = upgraded  # it passes what it does not know on to its SSLObject
        return channel_of(secured, self._certificate)

    async def close(self) -> None:
        await trio.aclose_forcefully(self._stream)

    def abort(self) -> None:
        self._raw.socket.close()


@final
class Server(Listening):
    """A listening server over trio; methods of its handler are plain or ``async``."""

    _address: tuple[str, int] | None = None
    _running: AbstractAsyncContextManager[None]
    _accepting: trio.CancelScope | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on."""
        if self._address is None:
            raise RuntimeError("the server does not listen")
        return self._address

    async def __aenter__(self) -> Self:
        self._streams: set[_ServedStream] = set()
        self._left = trio.Event()
        self._stopped = trio.Event()
        self._running = self._run()
        await self._running.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        try:
            return await self._running.__aexit__(kind, error, traceback)
        except BaseExceptionGroup as group:
            # What the block raised comes out as it was: that there are nurseries is nobody's business.
            if group.split(lambda each: each is error)[1] is None:
                return False
            raise

    @asynccontextmanager
    async def _run(self) -> AsyncGenerator[None, None]:
        listeners = await self._listen()
        name = listeners[0].socket.getsockname()
        self._address = (self._where[0], 0) if isinstance(name, str) else (name[0], name[1])
        async with trio.open_nursery() as nursery:
            self._accepting = trio.CancelScope()
            nursery.start_soon(self._accept_from, listeners, self._accepting, nursery)
            try:
                yield
            finally:
                with trio.CancelScope(shield=True):
                    await self.close()

    async def _listen(self) -> list[trio.SocketListener]:
        host, port = self._where
        path = unix_path(host)
        if path is not None:
            return [trio.SocketListener(trio.socket.from_stdlib_socket(listen_unix(path)))]
        listeners = await trio.open_tcp_listeners(port, host=host, backlog=BACKLOG)
        # A name with several addresses was given a free port for each, where one for all was meant.
        for _ in range(_TRIES):
            ports = {listener.socket.getsockname()[1] for listener in listeners}
            if len(ports) == 1:
                break
            for listener in listeners:
                await listener.aclose()
            try:
                listeners = await trio.open_tcp_listeners(ports.pop(), host=host, backlog=BACKLOG)
            except OSError:  # taken at another address
                listeners = await trio.open_tcp_listeners(0, host=host, backlog=BACKLOG)
        return listeners

    async def _accept_from(
        self, listeners: list[trio.SocketListener], scope: trio.CancelScope, nursery: trio.Nursery
    ) -> None:
        with scope:
            await trio.serve_listeners(self.accept, listeners, handler_nursery=nursery)

    async def serve_forever(self) -> None:
        """Serve until cancelled or closed."""
        if self._address is None:
            raise RuntimeError("the server does not listen")
        await self._stopped.wait()

    async def close(self, grace: float | None = None) -> None:
        """Stop listening, say 421 to who is idle, and wait for transactions in hand, for ``grace`` seconds at most."""
        accepting, self._accepting = self._accepting, None
        if accepting is None:
            return
        accepting.cancel()
        release(self._where[0])
        self._stopped.set()
        self.control.draining = True
        for stream in list(self._streams):
            stream.drain()
        with trio.move_on_after(self._grace if grace is None else grace):
            await self._wait_until_empty()
        for stream in list(self._streams):
            stream.life.cancel()
        await self._wait_until_empty()

    async def _wait_until_empty(self) -> None:
        while self._streams:
            self._left = trio.Event()
            await self._left.wait()

    async def accept(self, stream: trio.SocketStream) -> None:
        """Serve one connection to its end."""
        if len(self._streams) >= self.max_connections or self.control.draining:
            try:
                if not self.implicit_tls:  # a client of TLS could not read it
                    await _Stream(stream, timeout=1.0).write(TOO_MANY)
            except OSError:
                pass
            finally:
                stream.socket.close()
            return
        world = _ServedStream(stream, self.context, timeout=self.control.timeout, certificate=self.certificate)
        world.life = trio.CancelScope()
        self._streams.add(world)
        try:
            with world.life:
                peer = stream.socket.getpeername()
                proxy = await run(read_proxy_header(self.control), world) if peer in self.proxies else None
                channel = await world.handshake() if self.implicit_tls else None
                world.machine, flow = self.begin(peer, proxy, channel)
                await run(flow, world)
        except OSError:
            pass  # no header of a proxy, or no handshake
        except Exception as error:  # noqa: BLE001 - whatever it is, the server goes on
            self._report(error)
        finally:
            self._streams.discard(world)
            self._left.set()
            world.abort()

    def _report(self, error: BaseException) -> None:
        sys.excepthook(type(error), error, error.__traceback__)


@final
class _ServedStream(_Stream):
    """A connection of a server, whose read can be ended from outside."""

    machine: ServerConnection | None = None
    life: trio.CancelScope  #: Ends all that the connection does.
    draining = False  #: The server stops.
    _scope: trio.CancelScope | None = None

    async def read(self, effect: Read) -> bytes:
        if self.draining and self.machine is not None and not self.machine.transaction:
            raise Drain  # it has begun while something was written
        with trio.CancelScope() as self._scope:
            try:
                return await super().read(effect)
            finally:
                self._scope = None
        raise Drain

    def drain(self) -> None:
        """End the read, if the script waits in one and no transaction is in hand; or the next."""
        self.draining = True
        if self._scope is not None and (self.machine is None or not self.machine.transaction):
            self._scope.cancel()


#: A client, to be entered with ``async with``.
connect: Final = Client
#: A server, to be entered with ``async with``.
serve: Final = Server
