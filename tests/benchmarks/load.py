"""A client that keeps several connections to a server busy, one command at a time on each."""

from __future__ import annotations

import socket

from .report import LINE


class Load:
    """Open connections after EHLO."""

    def __init__(self, port: int, connections: int) -> None:
        self._sockets: list[socket.socket] = []
        try:
            for _ in range(connections):
                self._sockets.append(socket.create_connection(("127.0.0.1", port), 10))
                self._reply(self._sockets[-1])
                self._sockets[-1].sendall(b"EHLO client.example\r\n")
                self._reply(self._sockets[-1])
        except BaseException:
            self.close()
            raise

    def _reply(self, sock: socket.socket) -> None:
        """Read one reply, however many lines it has."""
        data = b""
        while True:
            chunk = sock.recv(65536)
            if not chunk:
                raise ConnectionError("the server went away")
            data += chunk
            if data.endswith(b"\r\n") and data[:-2].rpartition(b"\r\n")[2][3:4] in (b" ", b""):
                break
        if data[:1] not in (b"2", b"3"):
            raise ConnectionError(f"refused: {data!r}")

    def send(self, count: int, size: int) -> None:
        """So many messages, spread over the connections."""
        content = b"Subject: benchmark\r\n\r\n" + LINE * (size // len(LINE)) + b".\r\n"
        steps = b"MAIL FROM:<a@example.org>\r\n", b"RCPT TO:<b@example.com>\r\n", b"DATA\r\n", content
        while count:
            busy = self._sockets[:count]
            for step in steps:
                for sock in busy:
                    sock.sendall(step)
                for sock in busy:
                    self._reply(sock)
            count -= len(busy)

    def close(self) -> None:
        """Hang up."""
        for sock in self._sockets:
            sock.close()
