"""The server half of the asyncio adapter: one protocol object a connection, and no task until one is needed.

The script runs inside ``data_received``: a plain handler costs no switch between tasks.
"""

from __future__ import annotations

import asyncio
from functools import cached_property
from types import TracebackType
from typing import Any, Final, Self, final

from ..flows.effect import Await, Close, Flow, Handshake, Read, Write
from ..flows.server import Drain
from .listening import TOO_MANY, Listening

__all__ = ["Server"]

#: Seconds for a client to take its 421 and to close, once the server is stopping; then it is cut.
_LAST: Final = 1.0


@final
class Server(Listening):
    """A listening server over asyncio; methods of its handler are plain or ``async``."""

    _listener: asyncio.Server | None = None
    _empty: asyncio.Event | None = None
    _stopped: asyncio.Event | None = None

    @cached_property
    def connections(self) -> set[_Connection]:
        """Those that are open now."""
        return set()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on."""
        if self._listener is None or not self._listener.sockets:
            raise RuntimeError("the server does not listen")
        name = self._listener.sockets[0].getsockname()
        return name[0], name[1]

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._empty = asyncio.Event()
        self._stopped = asyncio.Event()
        self._listener = await loop.create_server(lambda: _Connection(self), *self._where, backlog=1000)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def serve_forever(self) -> None:
        """Serve until cancelled or closed."""
        if self._stopped is None:
            raise RuntimeError("the server does not listen")
        # That of asyncio's own server waits for all clients to leave by themselves when it is cancelled.
        await self._stopped.wait()

    async def close(self, grace: float | None = None) -> None:
        """Stop listening, say 421 to who is idle, and wait for transactions in hand, for ``grace`` seconds at most."""
        if self._listener is None or self._empty is None:
            return
        self._listener.close()
        if self._stopped is not None:
            self._stopped.set()
        self.control.draining = True
        for connection in list(self.connections):
            connection.drain()
        try:
            await self._wait_until_empty(self._empty, self._grace if grace is None else grace)
        finally:
            for connection in list(self.connections):
                connection.abort()
            await self._wait_until_empty(self._empty, _LAST)  # for what their handlers have to tidy up

    async def _wait_until_empty(self, empty: asyncio.Event, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                while self.connections:
                    empty.clear()
                    await empty.wait()
        except TimeoutError:
            pass

    def left(self, connection: _Connection) -> None:
        """A connection is over."""
        self.connections.discard(connection)
        if not self.connections and self._empty is not None:
            self._empty.set()

    def _report(self, error: BaseException) -> None:
        asyncio.get_running_loop().call_exception_handler(
            {"message": f"error while serving SMTP: {error!r}", "exception": error}
        )


@final
class _Connection(asyncio.Protocol):
    """One connection: drives the script by what the transport reports."""

    __slots__ = (
        "__weakref__",
        "_encrypted",
        "_eof",
        "_expires",
        "_flow",
        "_held",
        "_inbox",
        "_left",
        "_paused",
        "_server",
        "_task",
        "_timer",
        "_transport",
        "_waiting",
    )

    def __init__(self, server: Server) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._flow: Flow[None] | None = None
        self._waiting = False  # the script waits to read
        self._paused = False  # the peer does not take what is written
        self._held = False  # the script waits for that
        self._encrypted = False
        self._eof = False
        self._inbox: list[bytes] | None = None  # what came while the script was busy
        self._task: asyncio.Task[None] | None = None
        self._expires = 0.0
        self._left = 0.0  # seconds that the next read has where it gets none of its own
        self._timer: asyncio.TimerHandle | None = None

    # -- what the transport reports -----------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a stream transport is needed")
        server = self._server
        self._transport = transport
        if len(server.connections) >= server.max_connections or server.control.draining:
            if not server.implicit_tls:  # a client of TLS could not read it
                transport.write(TOO_MANY)
            transport.close()
            return
        server.connections.add(self)
        if server.implicit_tls:
            self._task = asyncio.get_running_loop().create_task(self._secure())
        else:
            self._begin()

    def data_received(self, data: bytes) -> None:
        if self._waiting:
            self._waiting = False
            self._left = self._expires - asyncio.get_running_loop().time()
            self._advance(data)
        elif self._inbox is None:
            self._inbox = [data]
        else:
            self._inbox.append(data)

    def eof_received(self) -> bool:
        self._eof = True
        if self._waiting:
            self._waiting = False
            self._advance(b"")
        # A client may shut its side down and still wait for replies; over TLS it cannot.
        return not self._encrypted

    def connection_lost(self, exc: Exception | None) -> None:
        self._eof = True
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            self._waiting = False
            self._advance(b"")
        elif self._held:
            self._held = False
            self._advance(None, ConnectionResetError("connection lost"))
        # else the handler is at work: what it accepts stays accepted, though nobody will hear of it
        if self._flow is None:
            self._server.left(self)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        if self._held:
            self._held = False
            if self._transport is not None:
                self._transport.resume_reading()
            self._advance(None)

    # -- the script ---------------------------------------------------------------------------

    def _begin(self) -> None:
        peer = None if self._transport is None else self._transport.get_extra_info("peername")
        _, self._flow = self._server.begin(peer)
        self._advance(None)

    def _advance(self, value: Any, error: BaseException | None = None) -> None:
        """Run the script until it has to wait."""
        flow = self._flow
        if flow is None:
            return
        try:
            while True:
                effect = flow.send(value) if error is None else flow.throw(error)
                value = error = None
                kind = type(effect)
                if kind is Read:
                    value = self._read(effect)  # type: ignore[arg-type]  # kind is Read
                    if value is None:
                        return
                elif kind is Write:
                    transport = self._transport
                    if transport is None:
                        error = ConnectionResetError("connection lost")
                        continue
                    transport.write(effect.data)  # type: ignore[union-attr]  # kind is Write
                    if self._paused:
                        self._hold(transport)
                        return
                elif kind is Close:
                    self._close()
                else:
                    self._wait_for(effect)
                    return
        except StopIteration:
            self._finish()
        except Exception as failure:  # noqa: BLE001 - whatever it is, the server goes on
            self._server.control.report(failure)
            self._finish()

    def _read(self, effect: Read) -> bytes | None:
        """What has come already; else None, and the script waits."""
        self._left = seconds = effect.wait(self._left)
        inbox = self._inbox
        if inbox is not None:
            self._inbox = None
            return inbox[0] if len(inbox) == 1 else b"".join(inbox)
        if self._eof:
            return b""
        self._set_timer(seconds)
        self._waiting = True
        return None

    def _hold(self, transport: asyncio.Transport) -> None:
        """Who does not take what is written is not read from either: its input would pile up here."""
        self._held = True
        transport.pause_reading()
        limit = self._server.control.timeout
        self._set_timer(Write.seconds if limit is None else limit)

    def _set_timer(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._expires = expires = loop.time() + seconds
        timer = self._timer
        # One timer goes off at the earliest deadline it knew of, and is set again if that has moved.
        if timer is None or timer.when() > expires:
            if timer is not None:
                timer.cancel()
            self._timer = loop.call_at(expires, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if not self._waiting and not self._held:
            return
        loop = asyncio.get_running_loop()
        if loop.time() < self._expires:
            self._timer = loop.call_at(self._expires, self._on_timer)
        elif self._waiting:
            self._waiting = False
            self._advance(None, TimeoutError("the client took too long"))
        elif self._transport is not None:
            self._transport.abort()  # nothing could be said to it

    def _wait_for(self, effect: object) -> None:
        """Go on in a task, and read nothing meanwhile."""
        if self._transport is not None:
            self._transport.pause_reading()
        self._task = asyncio.get_running_loop().create_task(self._perform(effect))

    async def _perform(self, effect: object) -> None:
        value: Any = None
        error: BaseException | None = None
        try:
            if isinstance(effect, Await):
                value = await effect.awaitable
            elif isinstance(effect, Handshake):
                await self._handshake()
        except Exception as caught:  # noqa: BLE001 - it belongs to the script, whatever it is
            error = caught
        except asyncio.CancelledError:
            self._cancelled()
            raise
        self._task = None
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
        self._advance(value, error)

    async def _secure(self) -> None:
        """Implicit TLS: the handshake, and then the script."""
        try:
            await self._handshake()
        except OSError:
            self._finish()
        except asyncio.CancelledError:
            self._finish()
            raise
        else:
            self._task = None
            self._begin()

    async def _handshake(self) -> None:
        transport, context, limit = self._transport, self._server.context, self._server.control.timeout
        if transport is None or context is None:
            raise ConnectionError("no connection to encrypt")
        # Until it is done nobody else tells this connection that it is lost.
        self._transport = None
        try:
            upgraded = await asyncio.get_running_loop().start_tls(
                transport,
                self,
                context,
                server_side=True,
                ssl_handshake_timeout=Handshake.seconds if limit is None else limit,
            )
        except BaseException:
            transport.abort()
            raise
        if upgraded is None:
            raise ConnectionError("the connection was lost within the handshake")
        self._transport = upgraded
        self._encrypted = True

    # -- ends ---------------------------------------------------------------------------------

    def drain(self) -> None:
        """Say 421 to a client that is idle."""
        if self._waiting:
            self._waiting = False
            self._advance(None, Drain())
        elif self._flow is None and self._task is None:
            self._linger(_LAST)

    def abort(self) -> None:
        """Cut the connection."""
        task = self._task
        if task is not None:
            task.cancel()
            # A task that had not begun yet ends without a word.
            task.add_done_callback(lambda _: self._cancelled())
        if self._transport is not None:
            self._transport.abort()

    def _cancelled(self) -> None:
        self._task = None
        if self._flow is not None:
            self._flow.close()
        self._finish()

    def _finish(self) -> None:
        """The script is over; what it has written may still be on its way."""
        self._flow = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        transport = self._transport
        if transport is None:
            self._server.left(self)
            return
        self._close()
        if self._encrypted or transport.get_write_buffer_size():
            control = self._server.control
            seconds = Write.seconds if control.timeout is None else control.timeout
            self._linger(_LAST if control.draining else seconds)

    def _close(self) -> None:
        # Once: a second close() takes the transport of TLS apart, and abort() does nothing any more.
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()

    def _linger(self, seconds: float) -> None:
        """Cut a connection that the client does not let end."""
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._transport.abort)
