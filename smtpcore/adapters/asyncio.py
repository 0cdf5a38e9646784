"""SMTP over asyncio: ``connect`` and ``serve``.

::

    async with connect("mx.hamburger.edu", 25, tls="opportunistic") as client:
        outcome = await client.send(sender, recipients, content)

    async with serve(handler, "127.0.0.1", 0, hostname="hamburger.edu") as server:
        print(server.address)
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack, final

from ..flows.client import TlsMode, exchange, quit_session
from ..flows.content import Content
from ..flows.effect import Await, Close, Flow, Handshake, Read, Write
from ..flows.options import ClientOptions, SendOptions, ServerOptions, begin_client, open_client, send
from ..flows.outcome import Outcome
from ..session.client import ClientConnection
from ..wire.address import Mailbox, Postmaster
from ..wire.capabilities import Capabilities
from ..wire.command import Command
from ..wire.reply import Reply
from .asyncio_server import Server
from .tls import client_context

__all__ = ["Client", "Server", "connect", "serve"]

T = TypeVar("T")


def connect(
    host: str,
    port: int,
    *,
    tls: TlsMode = "opportunistic",
    ssl_context: ssl.SSLContext | None = None,
    timeout: float | None = None,
    **options: Unpack[ClientOptions],
) -> Client:
    """A client, to be entered with ``async with``, which opens the session.

    ``timeout`` is how long to wait for each step, in seconds; None is what RFC 5321 s4.5.3.2 says.
    Other options are those of :class:`~smtpcore.flows.options.ClientOptions`.

    Entering raises OSError when there is no connection or no handshake, and
    :class:`~smtpcore.flows.error.FlowError` when the server refuses or lacks what was asked for.
    """
    return Client(host, port, tls, client_context(tls, ssl_context), timeout, options)


def serve(
    handler: object,
    host: str,
    port: int,
    *,
    tls: TlsMode = "none",
    ssl_context: ssl.SSLContext | None = None,
    max_connections: int = 1000,
    grace: float = 30.0,
    **options: Unpack[ServerOptions],
) -> Server:
    """A server, to be entered with ``async with``, which listens.

    ``handler`` has any of the methods of :class:`~smtpcore.flows.handler.Handler`, plain or
    ``async``. Port 0 takes a free one; ``server.address`` says which. Beyond ``max_connections`` a
    client is told 421. Leaving says 421 to idle clients and lets transactions finish for at most
    ``grace`` seconds. Other options are those of :class:`~smtpcore.flows.options.ServerOptions`.
    """
    return Server(handler, host, port, tls, ssl_context, max_connections, grace, options)


@final
class _Channel(asyncio.Protocol):
    """A connection of a client: octets that have come, and whether more can be written."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.eof = False
        self._chunks: list[bytes] = []
        self._waiter: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._lost: Exception | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # a stream has a Transport

    def data_received(self, data: bytes) -> None:
        self._chunks.append(data)
        self._wake()

    def eof_received(self) -> None:
        self.eof = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.eof = True
        self._lost = exc or ConnectionResetError("connection lost")
        self._wake()
        self.resume_writing()

    def pause_writing(self) -> None:
        self._writable = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        writable, self._writable = self._writable, None
        if writable is not None and not writable.done():
            writable.set_result(None)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def read(self, seconds: float | None) -> bytes:
        """The octets that have come, or come next; ``b""`` at the end of the stream."""
        if not self._chunks and not self.eof:
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(seconds):
                    await self._waiter
            finally:
                self._waiter = None
        chunks, self._chunks = self._chunks, []
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def write(self, data: bytes, seconds: float | None) -> None:
        """Write, and wait while the peer does not take it."""
        if self._lost is not None:
            raise self._lost
        if self.transport is not None:
            self.transport.write(data)
        if self._writable is not None:
            async with asyncio.timeout(seconds):
                await self._writable
            if self._lost is not None:
                raise self._lost


@final
class Client:
    """A connection to a server; enter it to open the session. One message at a time."""

    def __init__(
        self,
        host: str,
        port: int,
        tls: TlsMode,
        context: ssl.SSLContext | None,
        timeout: float | None,
        options: ClientOptions,
    ) -> None:
        self._address = host, port
        self._tls: TlsMode = tls
        self._context = context
        self._timeout = timeout
        self._options = options
        self._channel = _Channel()
        self._busy = False
        self.machine: ClientConnection = begin_client(options)  #: The machine behind it.

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(self._timeout):
            transport, _ = await loop.create_connection(lambda: self._channel, *self._address)
        local_address = transport.get_extra_info("sockname")[0]
        try:
            await self._drive(open_client(self.machine, self._tls, local_address, self._options))
        except BaseException:
            self.abort()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None or issubclass(kind, Exception):
            await self.quit()
        self.abort()

    @property
    def capabilities(self) -> Capabilities:
        """What the server offers."""
        return self.machine.capabilities

    async def send(
        self,
        sender: str | Mailbox | None,
        recipients: Iterable[str | Mailbox | Postmaster],
        content: Content,
        **options: Unpack[SendOptions],
    ) -> Outcome:
        """Send one message; see :func:`smtpcore.flows.submit.submit` for what is returned and raised."""
        return await self._drive(send(self.machine, sender, recipients, content, options))

    async def command(self, command: Command) -> Reply:
        """Send one command, such as ``Noop()`` or ``Vrfy("bob")``, and return its reply, of whatever code."""
        return await self._drive(exchange(self.machine, command))

    async def quit(self) -> None:
        """Say QUIT and close."""
        await self._drive(quit_session(self.machine))

    def abort(self) -> None:
        """Close at once, without a word."""
        if self._channel.transport is not None:
            self._channel.transport.abort()

    async def _drive(self, flow: Flow[T]) -> T:
        """Run a script to its end."""
        if self._busy:
            flow.close()
            raise RuntimeError("the connection is busy: one message at a time, or more connections")
        self._busy = True
        try:
            return await self._run(flow)
        except Exception:
            raise
        except BaseException:
            self.abort()  # cancelled within an exchange: what comes next would answer the wrong question
            raise
        finally:
            self._busy = False

    async def _run(self, flow: Flow[T]) -> T:
        value: Any = None
        error: BaseException | None = None
        while True:
            try:
                effect = flow.send(value) if error is None else flow.throw(error)
            except StopIteration as stop:
                result: T = stop.value
                return result
            value = error = None
            try:
                match effect:
                    case Write():
                        await self._channel.write(effect.data, self._timeout)
                    case Read():
                        value = await self._channel.read(effect.seconds if self._timeout is None else self._timeout)
                    case Await():
                        value = await effect.awaitable
                    case Handshake():
                        await self._handshake()
                    case Close():
                        if self._channel.transport is not None:
                            self._channel.transport.close()
            except Exception as caught:
                error = caught

    async def _handshake(self) -> None:
        transport = self._channel.transport
        if transport is None or self._context is None:
            raise ConnectionError("no connection to encrypt")
        loop = asyncio.get_running_loop()
        upgraded = await loop.start_tls(
            transport,
            self._channel,
            self._context,
            server_hostname=self._address[0],
            ssl_handshake_timeout=self._timeout,
        )
        if upgraded is None:
            raise ConnectionError("the connection was lost within the handshake")
        self._channel.transport = upgraded
