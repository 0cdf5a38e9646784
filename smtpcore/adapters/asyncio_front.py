"""A connection of the asyncio server before it is known who the client is: a proxy may have to say so first."""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast, final

from ..flows.proxy import read_proxy_header
from ..wire.proxy import ProxyHeader
from .asyncio_connection import Connection
from .asyncio_hub import Hub

__all__ = ["Front"]

#: Octets read at a time. Not one may be read behind the header: a TLS handshake could not be given it.
_BUFFER: Final = 128


@final
class Front(asyncio.BufferedProtocol):
    """Reads the header of a proxy, and then, or where there is none to be read, puts a ``Connection`` in its place."""

    def __init__(self, server: Hub) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._script = read_proxy_header(server.control)
        self._buffer = memoryview(bytearray(_BUFFER))
        self._most = 0  # octets that may be read now
        self._connection: Connection | None = None  # what has taken its place
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody is there: a proxy, or a client."""
        self._transport = transport = cast("asyncio.Transport", transport)  # other loops have classes of their own
        server = self._server
        full = len(server.connections) >= server.max_connections or server.control.draining
        if full or transport.get_extra_info("peername") not in server.proxies:
            self._hand_over(transport, None)
            return
        server.connections.add(self)
        self._advance(None)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next octets arrive."""
        return self._buffer[: self._most]

    def buffer_updated(self, nbytes: int) -> None:
        """They are there."""
        data = self._buffer[:nbytes].tobytes()
        if self._connection is None:
            self._advance(data)
        else:
            self._pass_on(self._connection, data)

    def eof_received(self) -> None:
        """There are no more."""
        self._advance(b"")

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended before the header."""
        self._end()
        self._server.left(self)

    def drain(self) -> None:
        """Nobody has been greeted here."""
        self.abort()

    def abort(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.abort()

    def _advance(self, value: bytes | None, error: BaseException | None = None) -> None:
        """Run the script, which does nothing but read."""
        transport, server = self._transport, self._server
        if transport is None or transport.is_closing():
            return
        try:
            effect: Any = self._script.send(value) if error is None else self._script.throw(error)
        except StopIteration as stop:
            self._end()
            server.connections.discard(self)
            self._hand_over(transport, stop.value)
        except OSError:
            self._end()
            transport.abort()
        else:
            self._most = min(effect.most, _BUFFER)
            if effect.seconds is not None:
                late = TimeoutError("the proxy took too long")
                self._timer = server.loop.call_later(effect.seconds, self._advance, None, late)

    def _hand_over(self, transport: asyncio.Transport, proxy: ProxyHeader | None) -> None:
        self._connection = connection = Connection(self._server)
        transport.set_protocol(connection)
        connection.connection_made(transport, proxy)

    def _pass_on(self, connection: Connection, data: bytes) -> None:
        """Octets behind the header, from a loop that reads as it likes: that of Windows."""
        if self._server.implicit_tls:
            self._server.control.report(RuntimeError("this event loop reads behind a PROXY header, where TLS begins"))
            self.abort()
        else:
            connection.data_received(data)

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
