"""SMTP over asyncio: ``connect``, ``Pool`` and ``serve``.

::

    async with connect("mx.hamburger.edu", 25, tls="opportunistic") as client:
        outcome = await client.send(sender, recipients, content)

    async with Pool() as pool:
        outcome = await pool.send("mx.hamburger.edu", sender, recipients, content)

    async with serve(handler, "127.0.0.1", 0, hostname="hamburger.edu") as server:
        print(server.address)
"""

from __future__ import annotations

import asyncio
import math
import ssl
import time
from collections.abc import Awaitable, Mapping
from typing import Any, Final, TypeVar, final

from ..flows.effect import Handshake, Read, Write
from ..flows.pool import Ticket
from ..sasl.channel import Channel
from .asyncio_server import Server
from .client import AsyncClient
from .pooling import AsyncPool
from .tls import channel_of
from .unix import LOCAL_ADDRESS, unix_path

__all__ = ["Client", "Pool", "Server", "connect", "serve"]


#: Octets that wait to be read, beyond which no more are taken.
_MOST: Final = 262_144


@final
class Client(AsyncClient):
    """A connection over asyncio."""

    async def _connect(self) -> tuple[_Channel, str]:
        loop = asyncio.get_running_loop()
        path = unix_path(self._address[0])
        if path is not None:
            channel = _Channel("localhost", self._context, self._timeout)
            await _in_time(loop.create_unix_connection(lambda: channel, path), self._timeout)
            return channel, LOCAL_ADDRESS
        channel = _Channel(self._server_name, self._context, self._timeout)
        transport, _ = await _in_time(loop.create_connection(lambda: channel, *self._address), self._timeout)
        return channel, transport.get_extra_info("sockname")[0]


@final
class Pool(AsyncPool):
    """Connections over asyncio that are used again, for any number of tasks."""

    def _now(self) -> float:
        return time.monotonic()

    def _client(self, address: tuple[str, int], options: Mapping[str, Any]) -> Client:
        return Client(*address, **options)

    async def _wait(self, ticket: Ticket) -> None:
        ticket.waiter = asyncio.get_running_loop().create_future()
        await ticket.waiter

    def _wake(self, ticket: Ticket) -> None:
        _wake(ticket.waiter)


T = TypeVar("T")


async def _in_time(awaitable: Awaitable[T], seconds: float | None) -> T:
    """What it gives. Raises a TimeoutError that says what it is about; that of asyncio says nothing."""
    try:
        async with asyncio.timeout(seconds):
            return await awaitable
    except TimeoutError as error:
        if error.args:
            raise  # the operating system's own
        raise TimeoutError("the server took too long") from None


#: Octets read at a time; replies are short.
_BUFFER: Final = 8192
#: Octets of a write that are worth a look at the other direction.
_LARGE: Final = 65_536


@final
class _Channel(asyncio.BufferedProtocol):
    """A connection of a client: octets that have come, and whether more can be written."""

    def __init__(self, host: str, context: ssl.SSLContext | None, timeout: float | None) -> None:
        self.timeout = timeout
        self._host = host
        self._context = context
        self._transport: asyncio.Transport | None = None
        self._eof = False
        self._lost: Exception | None = None
        # A protocol without its own has a buffer of 256 KiB made for each read, and given back to the system after it.
        self._buffer = memoryview(bytearray(_BUFFER))
        self._chunks: list[bytes] = []
        self._held = 0  # octets in them
        self._readable: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._loop = asyncio.get_running_loop()
        self._awaited: asyncio.Future[None] | None = None  # the one of these two that the script waits for
        self._expires = 0.0  # ... until then
        self._timer: asyncio.TimerHandle | None = None

    # -- what the transport reports -----------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a stream has a Transport

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        self._chunks.append(self._buffer[:nbytes].tobytes())
        self._held += nbytes
        if self._held > _MOST and self._transport is not None:
            self._transport.pause_reading()
        _wake(self._readable)

    def eof_received(self) -> None:
        self._eof = True
        _wake(self._readable)

    def connection_lost(self, exc: Exception | None) -> None:
        self._eof = True
        self._lost = exc or ConnectionResetError("connection lost")
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        _wake(self._readable)
        self.resume_writing()

    def pause_writing(self) -> None:
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        writable, self._writable = self._writable, None
        _wake(writable)

    # -- what a script asks for ---------------------------------------------------------------

    async def read(self, effect: Read) -> bytes:
        if not self._chunks and not self._eof:
            self._readable = self._awaited = waiter = self._loop.create_future()
            self._set_timer(effect.seconds if self.timeout is None else self.timeout)
            try:
                await waiter
            finally:
                self._readable = self._awaited = None
        chunks = self._chunks
        if self._held > _MOST and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
        self._held = 0
        if len(chunks) == 1:
            return chunks.pop()
        self._chunks = []
        return b"".join(chunks)

    async def write(self, data: bytes) -> None:
        if self._lost is not None or self._transport is None:
            raise self._lost or ConnectionResetError("no connection")
        self._transport.write(data)
        if len(data) >= _LARGE and self._writable is None:
            await asyncio.sleep(0)  # or a long content would keep what the server says unheard
        if self._writable is not None:
            self._awaited = self._writable
            self._set_timer(Write.seconds if self.timeout is None else self.timeout)
            try:
                await self._awaited
            finally:
                self._awaited = None
        if self._lost is not None:
            raise self._lost

    async def handshake(self) -> Channel:
        if self._transport is None or self._context is None:
            raise ConnectionError("no connection to encrypt")
        upgraded = await asyncio.get_running_loop().start_tls(
            self._transport,
            self,
            self._context,
            server_hostname=self._host,
            ssl_handshake_timeout=Handshake.seconds if self.timeout is None else self.timeout,
        )
        if upgraded is None:
            raise ConnectionError("the connection was lost within the handshake")
        self._transport = upgraded
        return channel_of(upgraded.get_extra_info("ssl_object"))

    async def close(self) -> None:
        # Once: a second close takes the transport of Python 3.11.2 apart, and a later abort fails then.
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # -- time ---------------------------------------------------------------------------------

    def _set_timer(self, seconds: float | None) -> None:
        """A deadline for what the script waits for now."""
        if seconds is None:
            self._expires = math.inf
            return
        self._expires = expires = self._loop.time() + seconds
        timer = self._timer
        # One timer goes off at the earliest deadline it knew of, and is set again if that has moved.
        if timer is None or timer.when() > expires:
            if timer is not None:
                timer.cancel()
            self._timer = self._loop.call_at(expires, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        waiter = self._awaited
        if waiter is None or waiter.done() or self._expires == math.inf:
            return
        if self._loop.time() < self._expires:
            self._timer = self._loop.call_at(self._expires, self._on_timer)
        else:
            waiter.set_exception(TimeoutError("the server took too long"))


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


#: A client, to be entered with ``async with``.
connect: Final = Client
#: A server, to be entered with ``async with``.
serve: Final = Server
