"""Which sockets of a server are ready, in one step of the loop for all of them."""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Callable
from typing import Final, Protocol, final

__all__ = ["EpollWatch", "LoopWatch", "Watch", "watch"]

#: Reads of one step, of which the last look may have found more; then it is the turn of others in the loop.
_MOST: Final = 64


class Waiting(Protocol):
    """What has something to write when everything has been read."""

    def flush(self) -> None:
        """Write it."""


class Watch(Protocol):
    """Calls back when there is something to read."""

    #: Within a step who has something to write; None between steps, when nobody would be asked.
    later: list[Waiting] | None

    def add(self, sock: socket.socket, ready: Callable[[], None]) -> None:
        """Call ``ready`` whenever the socket can be read."""

    def remove(self, sock: socket.socket) -> None:
        """And no longer."""

    def close(self) -> None:
        """Watch nothing any more."""


@final
class EpollWatch:
    """One for all, which the loop watches in its turn.

    Of the connections that are ready at once all are read before anything is written: to read is a short way through
    the kernel and to write a long one, behind which the caches hold little of ours.
    """

    later: list[Waiting] | None = None

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._epoll = select.epoll()
        self._ready: dict[int, Callable[[], None]] = {}
        self._loop = loop
        loop.add_reader(self._epoll.fileno(), self._step)

    def add(self, sock: socket.socket, ready: Callable[[], None]) -> None:
        """Call ``ready`` whenever the socket can be read."""
        fd = sock.fileno()
        self._ready[fd] = ready
        self._epoll.register(fd, select.EPOLLIN)

    def remove(self, sock: socket.socket) -> None:
        """And no longer."""
        fd = sock.fileno()
        if self._ready.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def close(self) -> None:
        """Watch nothing any more."""
        for fd in self._ready:
            self._epoll.unregister(fd)
        self._ready.clear()
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()

    def _step(self) -> None:
        count = 0
        # Who is ready by then is served too, as long as it is a few: a look costs less than a step of the loop.
        while count < _MOST and (ready := self._epoll.poll(0)):
            count += len(ready)
            self._serve(ready)

    def _serve(self, ready: list[tuple[int, int]]) -> None:
        find = self._ready.get
        later: list[Waiting] = []
        self.later = later
        try:
            for fd, _ in ready:
                read = find(fd)
                if read is not None:  # one before it may have ended it
                    read()
        finally:
            self.later = None
            for each in later:
                each.flush()


@final
class LoopWatch:
    """Leaves it to the loop, on systems without epoll; what is to be written is written at once."""

    later: list[Waiting] | None = None

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._sockets: set[socket.socket] = set()

    def add(self, sock: socket.socket, ready: Callable[[], None]) -> None:
        """Call ``ready`` whenever the socket can be read."""
        self._sockets.add(sock)
        self._loop.add_reader(sock, ready)

    def remove(self, sock: socket.socket) -> None:
        """And no longer."""
        if sock in self._sockets:
            self._sockets.discard(sock)
            self._loop.remove_reader(sock)

    def close(self) -> None:
        """Watch nothing any more."""
        for sock in list(self._sockets):
            self.remove(sock)


def watch(loop: asyncio.AbstractEventLoop) -> Watch:
    """What suits the system."""
    return EpollWatch(loop) if hasattr(select, "epoll") else LoopWatch(loop)
