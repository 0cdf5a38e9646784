"""What accepts connections for a loop that tells when a socket is ready."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, final

from .asyncio_socket import SocketTransport
from .asyncio_watch import Watch
from .listening import PAUSE

__all__ = ["Acceptor"]

#: Connections accepted in one step of the loop, at most.
_AT_ONCE: Final = 100
_TCP: Final = frozenset((socket.AF_INET, socket.AF_INET6))


@final
class Acceptor:
    """Sockets that listen: each connection gets a protocol within the step that accepts it.

    asyncio's own takes three steps for that, and forgets those in between when it is closed.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        watch: Watch,
        sockets: Sequence[socket.socket],
        begin: Callable[[], asyncio.Protocol],
    ) -> None:
        self.sockets = sockets
        self._loop = loop
        self._watch = watch
        self._begin = begin
        for sock in sockets:
            sock.setblocking(False)
            self._listen(sock)

    def _listen(self, sock: socket.socket) -> None:
        if sock.fileno() >= 0:  # it may have been closed in a pause
            self._watch.add(sock, partial(self._accept, sock))

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            try:
                sock, peer = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:  # no handle is left, most likely
                said = f"cannot accept a connection: {error.strerror}"
                self._loop.call_exception_handler({"message": said, "exception": error})
                self._watch.remove(listener)
                self._loop.call_later(PAUSE, self._listen, listener)
                return
            try:
                sock.setblocking(False)
                if sock.family in _TCP:
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # replies are small and waited for
            except OSError:
                sock.close()  # it is gone already
            else:
                SocketTransport(self._loop, self._watch, sock, peer, self._begin())

    def is_serving(self) -> bool:
        """Whether it listens."""
        return bool(self.sockets)

    def close(self) -> None:
        """Listen no more."""
        for sock in self.sockets:
            self._watch.remove(sock)
            sock.close()
        self.sockets = ()
