"""A connection over a blocking socket, and who ends a wait on it.

On Linux that is the kernel: a read is one call of the operating system, and so is a write. Python's own time-outs ask
before each call whether it would have to wait. They are for other systems; for TLS, where one read may be several; and
for unix sockets, where the kernel's would begin anew with each part of what is written.
"""

from __future__ import annotations

import socket
import ssl
import struct
import sys
import time
from math import inf
from typing import Final

from ..flows.effect import Handshake, Read, Write
from ..sasl.channel import Channel
from .tls import channel_of

__all__ = ["Stream"]

_INTERNET: Final = frozenset((socket.AF_INET, socket.AF_INET6))
#: Octets read at a time.
_CHUNK: Final = 65_536
#: Whether the kernel takes a time-out as two of C's long.
_BY_KERNEL: Final = sys.platform == "linux" and sys.maxsize > 2**32
#: The most seconds that the kernel waits in one piece. Deadlines differ from step to step; this need not be told anew.
_SPAN: Final = 10.0


class Stream:
    """A connected socket. ``server_hostname`` is None on the side of a server."""

    def __init__(
        self,
        sock: socket.socket,
        context: ssl.SSLContext | None = None,
        server_hostname: str | None = None,
        timeout: float | None = None,
        certificate: bytes | None = None,
    ) -> None:
        # A group of commands is one write and must leave at once.
        internet = sock.family in _INTERNET
        if internet:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._context = context
        self._server_hostname = server_hostname
        self._timeout = timeout
        self._certificate = certificate
        self._left = 0.0  # seconds that the next read has where it gets none of its own
        self._limit: float | None = None  # what the socket was told last
        # RFC 5321 s4.5.3.2.5: no less for a block of content
        self._to_write = Write.seconds if timeout is None else timeout
        self._by_kernel = _BY_KERNEL and internet
        self._span = _SPAN if self._by_kernel else inf
        if self._by_kernel:
            sock.settimeout(None)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(self._to_write))

    def read(self, effect: Read) -> bytes:
        """The next octets; ``b""`` at the end of the stream."""
        seconds = effect.seconds
        if seconds is None:
            seconds = effect.wait(self._left)
        elif self._timeout is not None:
            seconds = self._timeout
        until = time.monotonic() + seconds
        rest = self._wait(seconds, until)
        while rest > 0:
            span = rest if rest < self._span else self._span
            if span != self._limit:  # or it would be one more call of the operating system
                self._set_limit(span)
            try:
                data = self._sock.recv(effect.most or _CHUNK)
            except BlockingIOError:  # the span is over
                rest = until - time.monotonic()
            else:
                self._left = until - time.monotonic()
                return data
        raise TimeoutError("the peer took too long")

    def _wait(self, seconds: float, until: float) -> float:
        """The seconds that are left to read; waiting before is for those who wait for something else too."""
        return seconds

    def write(self, data: bytes) -> None:
        """Write all of it."""
        if not self._by_kernel:
            # What a longer read was given will do
            if self._limit is None or self._limit < self._to_write or (self._timeout and self._limit != self._to_write):
                self._set_limit(self._to_write)
            self._sock.sendall(data)
            return
        began = time.monotonic()
        try:
            sent = self._sock.send(data)
            while sent < len(data):  # the time is up, or there was a signal
                if time.monotonic() - began >= self._to_write:
                    raise BlockingIOError
                sent += self._sock.send(memoryview(data)[sent:])
        except BlockingIOError:
            raise TimeoutError("the peer took too long to take what was written") from None

    def _set_limit(self, seconds: float) -> None:
        if self._by_kernel:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(seconds))
        else:
            self._sock.settimeout(seconds)
        self._limit = seconds

    def handshake(self) -> Channel:
        """Do the TLS handshake, and say what it has shown."""
        if self._context is None:
            raise ConnectionError("no context to encrypt with")
        self._by_kernel, self._span = False, inf
        self._sock.settimeout(Handshake.seconds if self._timeout is None else self._timeout)
        self._sock.getpeername()  # or ssl, where the peer is gone, would lose the socket without closing it
        secured = self._context.wrap_socket(
            self._sock,
            server_side=self._server_hostname is None,
            server_hostname=self._server_hostname,
            do_handshake_on_connect=False,
        )
        self._sock = secured  # from here on whoever closes or cuts closes this one
        self._limit = None
        secured.do_handshake()
        return channel_of(secured, self._certificate)

    def close(self) -> None:
        """Close; what is still to be read is lost."""
        self._sock.close()

    abort = close


def _timeval(seconds: float) -> bytes:
    """Seconds as the kernel takes them; none would be for ever."""
    micros = max(int(seconds * 1_000_000), 1)
    return struct.pack("ll", *divmod(micros, 1_000_000))
