"""A connection of the asyncio server: one protocol object, and no task until one is needed.

The script runs inside ``data_received``: a plain handler costs no switch between tasks.
"""

from __future__ import annotations

import asyncio
from math import inf
from typing import Any, Final, cast

from ..flows.effect import Await, Close, Flow, Handshake, Read, Write
from ..flows.server import Drain
from ..sasl.channel import Channel
from ..wire.proxy import ProxyHeader
from .asyncio_hub import Hub
from .asyncio_upgrade import go_on, upgrade
from .listening import TOO_MANY
from .tls import channel_of

__all__ = ["LAST", "Connection"]

#: Seconds for a client to take its 421 and to close, once the server is stopping; then it is cut.
LAST: Final = 1.0


class Connection(asyncio.Protocol):
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
        "_rings",
        "_server",
        "_task",
        "_then",
        "_timer",
        "_transport",
        "_waiting",
    )

    def __init__(self, server: Hub) -> None:
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._flow: Flow[None] | None = None
        self._waiting = False  # the script waits to read
        self._paused = False  # the peer does not take what is written
        self._held = False  # the script waits for that
        self._then: Read | None = None  # what it does next then
        self._encrypted = False
        self._eof = False
        self._inbox: list[bytes] | None = None  # what came while the script was busy; a list for good behind the end
        self._task: asyncio.Task[None] | None = None
        self._expires: float = 0.0
        self._left: float = 0.0  # seconds that the next read has where it gets none of its own
        self._timer: asyncio.TimerHandle | None = None
        self._rings = inf  # when it goes off

    # -- what the transport reports -----------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport, proxy: ProxyHeader | None = None) -> None:
        """A client is there, behind a proxy that has said so or not: begin, or send it away."""
        server = self._server
        if self in server.connections:
            return  # TLS is there, behind STARTTLS
        self._transport = transport = cast("asyncio.Transport", transport)  # other loops have classes of their own
        if len(server.connections) >= server.max_connections or server.control.draining:
            if not server.implicit_tls:  # a client of TLS could not read it
                transport.write(TOO_MANY)
            transport.close()
            return
        server.connections.add(self)
        if server.implicit_tls:
            # Its first step is taken now: a loop that reads before its tasks would read past the beginning of TLS.
            steps = self._secure(proxy)
            try:
                awaited = steps.send(None)
            except StopIteration:
                return
            self._task = server.loop.create_task(go_on(steps, awaited))
        else:
            self._begin(proxy)

    def data_received(self, data: bytes) -> None:
        """Octets for the script, now or when it reads."""
        if self._waiting:
            self._waiting = False
            self._left = self._expires - self._server.time()
            self._advance(data)
        elif self._inbox is None:
            self._inbox = [data]
        else:
            self._inbox.append(data)

    def eof_received(self) -> bool:
        """The client has shut its side down."""
        self._end_inbox()
        if self._waiting:
            self._waiting = False
            self._advance(b"")
        # A client may shut its side down and still wait for replies; over TLS it cannot.
        return not self._encrypted

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing goes in or out any more."""
        self._end_inbox()
        transport, self._transport = self._transport, None
        self._stop_timer()
        if self._waiting:
            self._waiting = False
            self._advance(b"")
        elif self._held:
            self._held = False
            self._advance(None, ConnectionResetError("connection lost"))
        # else the handler is at work: what it accepts stays accepted, though nobody will hear of it
        if self._flow is None or transport is None:  # in a handshake, whose task has yet to hear that it was done
            self._server.left(self)

    def pause_writing(self) -> None:
        """The client does not take what is written."""
        self._paused = True
        if self._waiting and self._transport is not None:
            self._waiting = False
            self._hold(self._transport, Read(None))

    def resume_writing(self) -> None:
        """It does again."""
        self._paused = False
        if self._held:
            self._held = False
            if self._transport is not None:
                self._transport.resume_reading()
            then, self._then = self._then, None
            if then is None:
                self._advance(None)
            elif self._server.control.draining:
                self._advance(None, Drain())
            else:
                self._read(then)

    # -- the script ---------------------------------------------------------------------------

    def _begin(self, proxy: ProxyHeader | None, channel: Channel | None = None) -> None:
        peer = None if self._transport is None else self._transport.get_extra_info("peername")
        _, self._flow = self._server.begin(peer, proxy, channel)
        self._advance(None)

    def _advance(self, value: Any, error: BaseException | None = None) -> None:
        """Run the script until it has to wait."""
        flow = self._flow
        if flow is None:
            return
        try:
            while True:
                effect = flow.send(value) if error is None else flow.throw(error)
                kind = type(effect)
                known: Any = effect  # as kind says, which is quicker than isinstance
                read: Any  # a Read, or None behind a Write alone
                if kind is Write:
                    transport = self._transport
                    if transport is None:
                        error = ConnectionResetError("connection lost")
                        continue
                    transport.write(known.data)
                    read = known.then
                    if self._paused:
                        self._hold(transport, read)
                        return
                    if read is None:
                        value = error = None
                        continue
                elif kind is Read:
                    read = known
                elif kind is Close:
                    self._close()
                    value = error = None
                    continue
                else:
                    self._wait_for(effect)
                    return
                # what _read does, without the call
                seconds: Any = read.seconds
                if seconds is None:
                    seconds = read.wait(self._left)
                self._left = seconds
                if self._inbox is None:
                    self._expires = expires = self._server.time() + seconds
                    if expires < self._rings:
                        self._ring(expires)
                    self._waiting = True
                    return
                value, error = self._take_inbox(), None
        except StopIteration:
            self._finish()
        except Exception as failure:  # noqa: BLE001 - whatever it is, the server goes on
            self._server.control.report(failure)
            self._finish()

    def _read(self, read: Read) -> None:
        """Wait for octets, or go on with those that have come."""
        self._left = read.wait(self._left)
        if self._inbox is None:
            self._set_timer(self._left)
            self._waiting = True
        else:
            self._advance(self._take_inbox())

    def _end_inbox(self) -> None:
        self._eof = True
        if self._inbox is None:
            self._inbox = []

    def _take_inbox(self) -> bytes:
        """What has come already."""
        inbox = self._inbox or []
        self._inbox = [] if self._eof else None
        return inbox[0] if len(inbox) == 1 else b"".join(inbox)

    def _hold(self, transport: asyncio.Transport, then: Read | None) -> None:
        """Who does not take what is written is not read from either: its input would pile up here."""
        self._held = True
        self._then = then
        transport.pause_reading()
        self._set_timer(self._patience)

    @property
    def _patience(self) -> float:
        """Seconds that a client has to take what is written."""
        limit = self._server.control.timeout
        return Write.seconds if limit is None else limit

    def _set_timer(self, seconds: float) -> None:
        self._expires = expires = self._server.time() + seconds
        # One timer goes off at the earliest deadline it knew of, and is set again if that has moved.
        if expires < self._rings:
            self._ring(expires)

    def _ring(self, when: float) -> None:
        """Let the timer go off at that time of the loop."""
        self._stop_timer()
        self._timer = self._server.loop.call_at(when, self._on_timer)
        self._rings = when

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._rings = inf

    def _on_timer(self) -> None:
        self._timer = None
        self._rings = inf
        if not self._waiting and not self._held:
            pass  # nobody waits for the client
        elif self._server.time() < self._expires:
            self._ring(self._expires)
        elif self._waiting:
            self._waiting = False
            self._advance(None, TimeoutError("the client took too long"))
        elif self._transport is not None:
            self._transport.abort()  # nothing could be said to it

    def _wait_for(self, effect: object) -> None:
        """Go on in a task, and read nothing meanwhile."""
        if self._transport is not None:
            self._transport.pause_reading()
        self._task = self._server.loop.create_task(self._perform(effect))

    async def _perform(self, effect: object) -> None:
        value: Any = None
        error: BaseException | None = None
        try:
            if isinstance(effect, Await):
                value = await effect.awaitable
            elif isinstance(effect, Handshake):
                value = await self._handshake()
        except Exception as caught:  # noqa: BLE001 - it belongs to the script, whatever it is
            error = caught
        except asyncio.CancelledError:
            self._cancelled()
            raise
        self._task = None
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
        self._advance(value, error)

    async def _secure(self, proxy: ProxyHeader | None) -> None:
        """Implicit TLS: the handshake, and then the script."""
        try:
            channel = await self._handshake()
        except OSError:
            self._finish()
        except asyncio.CancelledError:
            self._finish()
            raise
        else:
            self._task = None
            self._begin(proxy, channel)

    async def _handshake(self) -> Channel:
        transport = self._transport
        # Until it is done nobody else tells this connection that it is lost.
        self._transport = None
        self._transport = upgraded = await upgrade(self._server, transport, self)
        self._encrypted = True
        return channel_of(upgraded.get_extra_info("ssl_object"), self._server.certificate)

    # -- ends ---------------------------------------------------------------------------------

    def drain(self) -> None:
        """Say 421 to a client that is idle."""
        if self._waiting:
            self._waiting = False
            self._advance(None, Drain())
        elif self._flow is None and self._task is None:
            self._linger(LAST)

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
        self._stop_timer()
        transport = self._transport
        if transport is None:
            self._server.left(self)
            return
        self._close()
        if self._encrypted or transport.get_write_buffer_size():
            self._linger(LAST if self._server.control.draining else self._patience)

    def _close(self) -> None:
        # Once: a second close() takes the transport of TLS apart, and abort() does nothing any more.
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()

    def _linger(self, seconds: float) -> None:
        """Cut a connection that the client does not let end."""
        self._stop_timer()
        if self._transport is not None:
            self._timer = self._server.loop.call_later(seconds, self._transport.abort)
