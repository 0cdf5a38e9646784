"""A transport of our own over a plain socket, for loops that tell when a socket is ready.

asyncio's takes a good part of what a whole small message costs. What this one does is what a server of one protocol
needs: it reads into what it hands over, writes what the kernel takes, and keeps the rest.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final, final

from .asyncio_watch import Watch

__all__ = ["SocketTransport"]

#: Octets of one read. asyncio's own makes room for four times as many each time, which costs more than what it is for.
_READ: Final = 65_536
#: Octets that wait to be written: beyond the first the protocol is asked to pause, below the second to go on.
_HIGH: Final = 65_536
_LOW: Final = 16_384


@final
class SocketTransport(asyncio.Transport):
    """A connected socket that does not block, and the protocol that it feeds, which hears of it at once.

    It behaves as asyncio's own, but for what it leaves out (``writelines``, ``write_eof``, limits of one's own), and
    that what is written within a step of its watch goes out at the end of the step.
    """

    __slots__ = (
        "_closing",
        "_end",
        "_eof",
        "_loop",
        "_paused",
        "_protocol",
        "_receive",
        "_send",
        "_slow",
        "_socket",
        "_unsent",
        "_watch",
        "_writer",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        watch: Watch,
        sock: socket.socket,
        peer: object,
        protocol: asyncio.Protocol,
    ) -> None:
        super().__init__({"peername": peer})
        self._loop = loop
        self._watch = watch
        self._socket = sock
        self._protocol = protocol
        self._receive = sock.recv
        self._send = sock.send
        self._unsent: bytes | bytearray = b""  # what was not written yet
        self._writer = False  # the loop tells when more of it can be
        self._slow = False  # the protocol was asked to pause
        self._paused = False  # nothing is read for now
        self._eof = False  # nor will there be anything any more
        self._closing = False  # nothing more is read, and nothing new is written
        self._end = False  # the protocol is being told that it is over
        watch.add(sock, self._read)
        protocol.connection_made(self)

    # -- reading ------------------------------------------------------------------------------

    def _read(self) -> None:
        try:
            data = self._receive(_READ)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(error)
            return
        if data:
            self._protocol.data_received(data)
            return
        self._eof = True
        self._watch.remove(self._socket)
        if not self._protocol.eof_received():
            self.close()

    def pause_reading(self) -> None:
        """Nothing is read from now on."""
        if self.is_reading():
            self._watch.remove(self._socket)
        self._paused = True

    def resume_reading(self) -> None:
        """It is again."""
        if self._paused:
            self._paused = False
            if self.is_reading():
                self._watch.add(self._socket, self._read)

    def is_reading(self) -> bool:
        """Whether anything is read."""
        return not (self._paused or self._eof or self._closing)

    # -- writing ------------------------------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        """Write it soon, or as soon as the peer takes it; what comes behind ``close()`` is dropped."""
        if self._closing:
            return
        unsent = self._unsent
        if not unsent:
            self._unsent = data if type(data) is bytes else bytes(data)
            later = self._watch.later
            if later is None:
                self.flush()
            else:
                later.append(self)
        else:
            if type(unsent) is bytes:
                unsent = self._unsent = bytearray(unsent)
            unsent += data
            if self._writer:
                self._pause_if_slow()

    def flush(self) -> None:
        """Write what the kernel takes of what waits."""
        unsent = self._unsent  # nothing, if it was cut since
        try:
            sent = self._send(unsent)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._lose(error)
            return
        if sent == len(unsent):
            self._unsent = b""
            if self._writer or self._closing:
                self._sent()
            return
        if type(unsent) is bytearray:
            del unsent[:sent]
        else:
            self._unsent = bytearray(memoryview(unsent)[sent:])
        if not self._writer:
            self._writer = True
            self._loop.add_writer(self._socket, self.flush)
        self._pause_if_slow()
        self._resume_if_quick()

    def _sent(self) -> None:
        """All is written."""
        if self._writer:
            self._writer = False
            self._loop.remove_writer(self._socket)
            self._resume_if_quick()
        if self._closing:
            self._end_soon(None)

    def _pause_if_slow(self) -> None:
        if not self._slow and len(self._unsent) > _HIGH:
            self._slow = True
            self._protocol.pause_writing()

    def _resume_if_quick(self) -> None:
        if self._slow and len(self._unsent) <= _LOW:
            self._slow = False
            self._protocol.resume_writing()

    def get_write_buffer_size(self) -> int:
        """Octets that wait to be written."""
        return len(self._unsent)

    # -- the end ------------------------------------------------------------------------------

    def is_closing(self) -> bool:
        """Whether it is closed, or will be when all is written."""
        return self._closing

    def close(self) -> None:
        """Read no more, write what waits, and close."""
        if not self._closing:
            self._stop_reading()
            if not self._unsent:
                self._end_soon(None)

    def abort(self) -> None:
        """Close at once."""
        self._lose(None)

    def detach(self) -> socket.socket:
        """Let the socket go, for somebody else to use; the protocol hears nothing more from here.

        Raises ConnectionError, with nothing changed, while something waits to be written.
        """
        if self._unsent:
            raise ConnectionError("the peer has not taken all that was written")
        self._stop_reading()
        self._end = True
        return self._socket

    def _stop_reading(self) -> None:
        if self.is_reading():
            self._watch.remove(self._socket)
        self._closing = True

    def _lose(self, error: OSError | None) -> None:
        self._stop_reading()
        self._unsent = b""
        if self._writer:
            self._writer = False
            self._loop.remove_writer(self._socket)
        self._end_soon(error)

    def _end_soon(self, error: OSError | None) -> None:
        if not self._end:
            self._end = True
            # Not at once: the protocol may be in the middle of a step.
            self._loop.call_soon(self._over, error)

    def _over(self, error: OSError | None) -> None:
        try:
            self._protocol.connection_lost(error)
        finally:
            self._socket.close()
