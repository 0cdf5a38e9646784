"""The server half of the asyncio adapter: what listens, and stops. Its connections are a file of their own."""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from types import TracebackType
from typing import Final, Self, final

from .asyncio_acceptor import Acceptor
from .asyncio_connection import LAST, Connection
from .asyncio_front import Front
from .asyncio_hub import Hub
from .asyncio_watch import Watch, watch
from .listening import BACKLOG
from .unix import listen_unix, release, unix_path

__all__ = ["Server"]

#: How often a port that is free at all addresses of a name is looked for.
_TRIES: Final = 10


#: Steps of a loop from an accepted connection to ``connection_made`` of its protocol, at most.
_STEPS_TO_A_PROTOCOL: Final = 3


@final
class Server(Hub):
    """A listening server over asyncio; methods of its handler are plain or ``async``."""

    _listener: asyncio.Server | Acceptor | None = None
    _stopped: asyncio.Event | None = None
    _watch: Watch | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on."""
        if self._listener is None or not self._listener.sockets:
            raise RuntimeError("the server does not listen")
        name = self._listener.sockets[0].getsockname()
        return (self._where[0], 0) if isinstance(name, str) else (name[0], name[1])

    async def __aenter__(self) -> Self:
        self.enter(asyncio.get_running_loop())
        self._empty = asyncio.Event()
        self._stopped = asyncio.Event()
        self._listener = await self._listen()
        return self

    async def _listen(self) -> asyncio.Server | Acceptor:
        loop = self.loop
        host, port = self._where
        path = unix_path(host)
        # Octets that a TLS handshake or the header of a proxy is made of are read by asyncio's own transports, and so
        # is all where a loop has ways of its own to read.
        plain = isinstance(loop, asyncio.SelectorEventLoop) and not (self.proxies or self.implicit_tls)
        begin = partial(Front, self) if self.proxies else partial(Connection, self)
        if path is not None:
            sock = listen_unix(path)
            if plain:
                return self._accept_at([sock])
            return await loop.create_unix_server(begin, sock=sock, backlog=BACKLOG)

        async def listen(at: int) -> asyncio.Server:
            return await loop.create_server(begin, host, at, backlog=BACKLOG, start_serving=False)

        made = await listen(port)
        # A name with several addresses was given a free port for each, where one for all was meant.
        for _ in range(_TRIES):
            ports = {each.getsockname()[1] for each in made.sockets}
            if len(ports) == 1:
                break
            made.close()
            try:
                made = await listen(ports.pop())
            except OSError:  # taken at another address
                made = await listen(0)
        if plain:
            sockets = [each.dup() for each in made.sockets]
            made.close()
            try:
                for sock in sockets:
                    sock.listen(BACKLOG)
            except OSError:  # taken meanwhile
                for sock in sockets:
                    sock.close()
                raise
            return self._accept_at(sockets)
        await made.start_serving()
        return made

    def _accept_at(self, sockets: list[socket.socket]) -> Acceptor:
        self._watch = watch(self.loop)
        return Acceptor(self.loop, self._watch, sockets, partial(Connection, self))

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
        self.control.draining = True
        if self._stopped is not None:
            self._stopped.set()
        try:
            await self._stop_accepting(self._listener)
            for connection in list(self.connections):
                connection.drain()
            await self._wait_until_empty(self._empty, self._grace if grace is None else grace)
        finally:
            if self._listener.is_serving():  # when cancelled on the way
                self._listener.close()
                release(self._where[0])
            for connection in list(self.connections):
                connection.abort()
            await self._wait_until_empty(self._empty, LAST)  # for what their handlers have to tidy up
            if self._watch is not None:
                self._watch.close()
                self._watch = None

    async def _stop_accepting(self, listener: asyncio.Server | Acceptor) -> None:
        """Close it, but not between a connection that it has accepted and the protocol of that.

        asyncio would forget such a connection, which neither its client nor this server would hear of again.
        """
        if not isinstance(listener, Acceptor):
            if isinstance(self.loop, asyncio.SelectorEventLoop):  # others accept in ways of their own
                for sock in listener.sockets:
                    self.loop.remove_reader(sock.fileno())
            for _ in range(_STEPS_TO_A_PROTOCOL):
                await asyncio.sleep(0)
        listener.close()
        release(self._where[0])

    async def _wait_until_empty(self, empty: asyncio.Event, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                while self.connections:
                    empty.clear()
                    await empty.wait()
        except TimeoutError:
            pass

    def _report(self, error: BaseException) -> None:
        self.loop.call_exception_handler({"message": f"error while serving SMTP: {error!r}", "exception": error})
