"""SMTP without sockets: a client and a server joined in memory, in virtual time.

Nothing here waits: time passes only when both ends have nothing to do, and then at once, to the
moment when the next octets arrive or the next deadline is over. A night of timeouts takes a
millisecond, and every run is the same::

    link = Link(handler, hostname="hamburger.edu", latency=0.005)
    with link.connect(hostname="crepes.fr") as client:
        outcome = client.send("alice@crepes.fr", ["bob@hamburger.edu"], content)
    print(link.clock.now, link.transcript)

TLS is played: a handshake succeeds (or fails, with ``handshake=False``) and encrypts nothing. The server then counts as
verified where the client would have verified it: with ``tls="required"``, not with ``"opportunistic"``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from math import inf
from typing import Any, Literal, TypeVar, Unpack, final

from ..flows.client import TlsMode
from ..flows.effect import Await, Close, Flow, Handshake, Read, Write
from ..flows.handler import Served
from ..flows.options import ClientOptions, ServerOptions, prepare_server
from ..flows.pool import PoolLimits
from ..flows.server import serve_connection
from ..sasl.channel import Channel
from ..session.server import ServerConnection
from .client import BlockingClient
from .pooling import BlockingPool, ConnectOptions
from .tls import verifies
from .trampoline import finish

__all__ = ["Client", "Clock", "Link", "Pool"]

T = TypeVar("T")


@final
class Clock:
    """Virtual time, in seconds."""

    __slots__ = ("now",)

    def __init__(self, now: float = 0.0) -> None:
        self.now = now


@final
class Link:
    """A server in memory, and the wire to it; each ``connect`` is a new connection.

    ``latency`` is the seconds that octets take in either direction. ``transcript`` is what was
    written, in order, as ``("C", octets)`` and ``("S", octets)``. Exceptions of the handler are in
    ``errors``. Other options are those of :class:`~smtpcore.flows.options.ServerOptions`.
    """

    def __init__(
        self,
        handler: object,
        *,
        tls: TlsMode = "none",
        latency: float = 0.0,
        handshake: bool = True,
        clock: Clock | None = None,
        **options: Unpack[ServerOptions],
    ) -> None:
        self.errors: list[BaseException] = []
        self.settings, self.control = prepare_server(handler, tls, self.errors.append, options)
        self.handler = handler
        self.clock = clock or Clock()
        self.latency = latency
        self.handshake = handshake
        self.transcript: list[tuple[Literal["C", "S"], bytes]] = []
        self._implicit_tls = tls == "implicit"

    def connect(
        self, *, tls: TlsMode = "none", timeout: float | None = None, **options: Unpack[ClientOptions]
    ) -> Client:
        """A client of this server, to be entered with ``with``."""
        return Client(self, tls, timeout, options)

    def pool(self, *, pool_limits: PoolLimits | None = None, **options: Unpack[ConnectOptions]) -> Pool:
        """A pool of clients of this server, by whatever name of a host; to be entered with ``with``."""
        return Pool(self, pool_limits, options)

    def accept(self) -> Flow[None]:
        """The script of the server for a new connection."""
        machine = ServerConnection.from_settings(self.settings, tls=self._implicit_tls)
        return serve_connection(machine, self.handler, Served(machine, ("memory", 0)), self.control)


@final
class Client(BlockingClient):
    """A client over a :class:`Link`; what it waits for happens while it waits."""

    def __init__(self, link: Link, tls: TlsMode, timeout: float | None, options: ClientOptions) -> None:
        super().__init__("memory", 25, tls=tls, timeout=timeout, **options)
        self._link = link

    def _connect(self) -> tuple[_Wire, str]:
        return _Wire(self._link, self._timeout, verified=verifies(self._context)), "127.0.0.1"


@final
class Pool(BlockingPool):
    """A pool of clients over a :class:`Link`, in its time."""

    def __init__(self, link: Link, pool_limits: PoolLimits | None, options: ConnectOptions) -> None:
        super().__init__(pool_limits=pool_limits, **options)
        self._link = link

    def _now(self) -> float:
        return self._link.clock.now

    def _client(self, address: tuple[str, int], options: Mapping[str, Any]) -> Client:
        return self._link.connect(**options)


class _End:
    """One end of a wire: what has been written to it, when it arrives, and how long this end waits for it."""

    def __init__(self, other: str) -> None:
        self.arriving: deque[tuple[float, bytes]] = deque()
        self._other = other
        self._expires = 0.0
        self._left = 0.0
        self._most = 0

    def wait(self, effect: Read, now: float, timeout: float | None = None) -> None:
        """Begin to wait."""
        seconds = effect.wait(self._left)
        if timeout is not None and effect.seconds is not None:
            seconds = timeout
        self._expires = now + seconds
        self._most = effect.most

    def turn(self, now: float) -> bytes | TimeoutError | None:
        """What the waiting has led to by now, if to anything. The end of the stream stays."""
        first = self.arriving[0][0] if self.arriving else inf
        if first > min(now, self._expires):
            return TimeoutError(f"the {self._other} took too long") if self._expires <= now else None
        self._left = max(self._expires - now, 0.0)
        arrived: list[bytes] = []
        while self.arriving and self.arriving[0][0] <= now and self.arriving[0][1]:
            arrived.append(self.arriving.popleft()[1])
        data = b"".join(arrived)
        if 0 < self._most < len(data):
            self.arriving.appendleft((now, data[self._most :]))
            data = data[: self._most]
        return data

    def next_at(self) -> float:
        """When something happens here next."""
        return min(self.arriving[0][0], self._expires) if self.arriving else self._expires


@final
class _Wire:
    """Both ends of one connection; the server's script runs whenever the client waits."""

    def __init__(self, link: Link, timeout: float | None, *, verified: bool) -> None:
        self._link = link
        self._verified = verified
        self._timeout = timeout
        self._client = _End("server")
        self._server = _End("client")
        self._script: Flow[None] | None = link.accept()
        self._closed = False
        self._run_server(None)

    # -- the client's side --------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        if self._closed:
            raise ConnectionResetError("connection closed")
        link = self._link
        link.transcript.append(("C", data))
        self._server.arriving.append((link.clock.now + link.latency, data))

    def read(self, effect: Read) -> bytes:
        clock, client = self._link.clock, self._client
        client.wait(effect, clock.now, self._timeout)
        while True:
            result = client.turn(clock.now)
            if isinstance(result, bytes):
                return result
            if self._serve():
                continue
            if result is not None:
                raise result
            self._pass_time(client)

    def _serve(self) -> bool:
        """Let the server do what it has to do now, if anything."""
        result = None if self._script is None else self._server.turn(self._link.clock.now)
        if isinstance(result, bytes):
            self._run_server(result)
        elif result is not None:
            self._run_server(None, result)
        return result is not None

    def _pass_time(self, *ends: _End) -> None:
        """No end has anything to do now: on to when one of them has."""
        clock = self._link.clock
        if self._script is not None:
            ends = (*ends, self._server)
        clock.now = max(clock.now, min(end.next_at() for end in ends))

    def handshake(self) -> Channel:
        # RFC 3207 s4: both ends learn of it at once; what was written before it has been taken
        if not self._link.handshake:
            raise ConnectionError("the handshake failed")
        return Channel(verified=self._verified)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        link = self._link
        self._server.arriving.append((link.clock.now + link.latency, b""))
        while self._script is not None:
            if not self._serve():
                self._pass_time()

    abort = close

    # -- the server's side --------------------------------------------------------------------

    def _run_server(self, value: Any, error: BaseException | None = None) -> None:
        """Run the server's script until it waits to read."""
        script, link = self._script, self._link
        while script is not None:
            try:
                effect = script.send(value) if error is None else script.throw(error)
            except StopIteration:
                self._end_server()
                return
            value = error = None
            match effect:
                case Write():
                    link.transcript.append(("S", effect.data))
                    self._client.arriving.append((link.clock.now + link.latency, effect.data))
                    if effect.then is not None:
                        self._server.wait(effect.then, link.clock.now)
                        return
                case Read():
                    self._server.wait(effect, link.clock.now)
                    return
                case Await():
                    try:
                        value = finish(effect.awaitable)
                    except Exception as caught:  # noqa: BLE001 - it belongs to the script, whatever it is
                        error = caught
                case Handshake():
                    if not link.handshake:
                        error = ConnectionError("the handshake failed")
                case Close():
                    self._end_server()

    def _end_server(self) -> None:
        if self._script is not None:
            self._script = None
            self._client.arriving.append((self._link.clock.now + self._link.latency, b""))
