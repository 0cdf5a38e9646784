"""SMTP over blocking sockets: ``connect``, ``Pool``, and ``serve`` with a thread for each connection.

::

    with connect("mx.hamburger.edu", 25, tls="opportunistic") as client:
        outcome = client.send(sender, recipients, content)

    with Pool() as pool:
        outcome = pool.send("mx.hamburger.edu", sender, recipients, content)

    with serve(handler, "127.0.0.1", 0, hostname="hamburger.edu") as server:
        print(server.address)
"""

from __future__ import annotations

import selectors
import socket
import ssl
import sys
import threading
import time
from collections.abc import Mapping
from functools import cached_property
from types import TracebackType
from typing import Any, Final, Self, final

from ..flows.proxy import read_proxy_header
from ..flows.server import Drain
from ..session.server import ServerConnection
from .blocking_stream import Stream
from .client import BlockingClient
from .listening import BACKLOG, PAUSE, TOO_MANY, Listening
from .pooling import BlockingPool
from .trampoline import run_blocking
from .unix import LOCAL_ADDRESS, listen_unix, release, unix_path

__all__ = ["Client", "Pool", "Server", "connect", "serve"]


@final
class Client(BlockingClient):
    """A connection over a blocking socket."""

    def _connect(self) -> tuple[Stream, str]:
        path = unix_path(self._address[0])
        if path is not None:
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.settimeout(self._timeout)
            try:
                sock.connect(path)
            except BaseException:
                sock.close()
                raise
            return Stream(sock, self._context, "localhost", timeout=self._timeout), LOCAL_ADDRESS
        sock = socket.create_connection(self._address, self._timeout)
        stream = Stream(sock, self._context, self._server_name, timeout=self._timeout)
        return stream, sock.getsockname()[0]


@final
class Pool(BlockingPool):
    """Connections over blocking sockets that are used again, for any number of threads."""

    def _now(self) -> float:
        return time.monotonic()

    def _client(self, address: tuple[str, int], options: Mapping[str, Any]) -> Client:
        return Client(*address, **options)


@final
class Server(Listening):
    """A listening server with threads; methods of its handler are plain, and called from many threads."""

    _listener: socket.socket | None = None
    _acceptor: threading.Thread | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on."""
        if self._listener is None:
            raise RuntimeError("the server does not listen")
        name = self._listener.getsockname()
        return (self._where[0], 0) if isinstance(name, str) else (name[0], name[1])

    def __enter__(self) -> Self:
        family = socket.AF_INET6 if ":" in self._where[0] else socket.AF_INET
        self._threads: dict[threading.Thread, _ServedStream] = {}
        self._lock = threading.Lock()
        path = unix_path(self._where[0])
        if path is None:
            self._listener = socket.create_server(self._where, family=family, backlog=BACKLOG)
        else:
            self._listener = listen_unix(path)
        self._bell = _Bell()
        self._acceptor = threading.Thread(target=self._accept, args=(self._listener,), name="smtp-accept", daemon=True)
        self._acceptor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def serve_forever(self) -> None:
        """Serve until interrupted or closed."""
        if self._acceptor is None:
            raise RuntimeError("the server does not listen")
        while self._acceptor.is_alive():
            self._acceptor.join(1.0)

    def close(self, grace: float | None = None) -> None:
        """Stop listening, say 421 to who is idle, and wait for transactions in hand, for ``grace`` seconds at most."""
        listener, self._listener = self._listener, None
        if listener is None or self._acceptor is None:
            return
        self.control.draining = True
        # close() alone does not wake a thread in accept()
        listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        listener.close()
        release(self._where[0])
        deadline = time.monotonic() + (self._grace if grace is None else grace)
        self._bell.ring()
        with self._lock:
            threads = dict(self._threads)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        for thread, stream in threads.items():
            if thread.is_alive():
                stream.cut()
                thread.join()
        self._bell.close()

    def _accept(self, listener: socket.socket) -> None:
        while not self.control.draining:
            try:
                sock, peer = listener.accept()
            except OSError:
                if not self.control.draining:
                    time.sleep(PAUSE)  # no handle is left, or the client has gone: there are others to serve
                continue
            with self._lock:
                full = len(self._threads) >= self.max_connections
            if full:
                _refuse(sock, b"" if self.implicit_tls else TOO_MANY)
            else:
                self._welcome(sock, peer)

    def _welcome(self, sock: socket.socket, peer: object) -> None:
        """A thread for a new connection."""
        try:
            stream = _ServedStream(sock, self.context, timeout=self.control.timeout, certificate=self.certificate)
            stream.bell = self._bell
            thread = threading.Thread(target=self._serve, args=(stream, peer), name=f"smtp-{peer}", daemon=True)
            with self._lock:
                thread.start()
                self._threads[thread] = stream
        except (OSError, RuntimeError):
            sock.close()  # it is gone already, or there can be no more threads

    def _serve(self, stream: _ServedStream, peer: object) -> None:
        try:
            proxy = run_blocking(read_proxy_header(self.control), stream) if peer in self.proxies else None
            channel = stream.handshake() if self.implicit_tls else None
            stream.machine, flow = self.begin(peer, proxy, channel)
            run_blocking(flow, stream)
        except OSError:
            pass  # no header of a proxy, or no handshake
        except Exception as error:  # noqa: BLE001 - whatever it is, the server goes on
            self._report(error)
        finally:
            stream.close()
            with self._lock:
                self._threads.pop(threading.current_thread(), None)

    def _report(self, error: BaseException) -> None:
        sys.excepthook(type(error), error, error.__traceback__)


@final
class _Bell:
    """What every thread of a server listens to while it waits; once rung, it rings for ever."""

    def __init__(self) -> None:
        self.ear, self._rope = socket.socketpair()

    def ring(self) -> None:
        self._rope.close()

    def close(self) -> None:
        self._rope.close()
        self.ear.close()


@final
class _ServedStream(Stream):
    """A connection of a server, whose wait for octets ends when the server stops."""

    machine: ServerConnection | None = None
    bell: _Bell

    @cached_property
    def _selectors(self) -> tuple[selectors.BaseSelector, selectors.BaseSelector]:
        """One that waits for the client alone, and one that waits for the bell too."""
        alone, both = _Selector(), _Selector()
        # TLS, which takes the socket over, keeps its handle.
        alone.register(self._sock.fileno(), selectors.EVENT_READ)
        both.register(self._sock.fileno(), selectors.EVENT_READ)
        both.register(self.bell.ear, selectors.EVENT_READ)
        return alone, both

    def _wait(self, seconds: float, until: float) -> float:
        if isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():
            return max(seconds, 0.001)
        alone, both = self._selectors
        # Who has a transaction in hand may finish it.
        busy = self.machine is not None and self.machine.transaction
        ready = (alone if busy else both).select(max(until - time.monotonic(), 0.0))
        if any(key.fileobj is self.bell.ear for key, _ in ready):
            raise Drain
        # Never zero, which would mean not to wait at all; and what is there is read, however late.
        return max(until - time.monotonic(), 0.001) if ready else 0.0

    def cut(self) -> None:
        """Make every call on the socket fail."""
        try:
            # Below TLS, which would wait for the peer.
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)
        except OSError:
            pass


# One that needs no handle of its own, where there is one.
_Selector: Final[type[selectors.BaseSelector]] = getattr(selectors, "PollSelector", selectors.SelectSelector)


def _refuse(sock: socket.socket, reply: bytes) -> None:
    """Turn a client away, without waiting for it."""
    try:
        sock.settimeout(1.0)
        sock.sendall(reply)
    except OSError:
        pass
    finally:
        sock.close()


#: A client, to be entered with ``with``.
connect: Final = Client
#: A server, to be entered with ``with``.
serve: Final = Server
