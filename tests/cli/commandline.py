"""What the tests of the command line share: a server in this process or its own, a client that is only a socket."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import IO

from smtpcore.cli import _parser, serve
from smtpcore.cli.maildir import Maildir

CONTENT = (
    b"From: alice@crepes.fr\r\nTo: bob@hamburger.edu\r\nSubject: =?utf-8?q?p=C3=BCree?=\r\n\r\n"
    b"Do you like ketchup?\r\nHow about pickles?\r\n.\r\n..\r\n.dot at the start\r\n\r\n\xff\x00\t trailing \r\n"
)


def stuffed(content: bytes) -> bytes:
    """The content as it travels behind DATA, in the plainest way."""
    lines = content.split(b"\r\n")
    return b"\r\n".join([b"." + line if line.startswith(b".") else line for line in lines]) + b".\r\n"


@contextmanager
def serving(*argv: object, where: str = "127.0.0.1:0") -> Iterator[tuple[str, int]]:
    """``smtpcore serve 127.0.0.1:0 ...`` in a thread of this process; the address that it listens on."""
    arguments = _parser().parse_args(["serve", where, *map(str, argv)])
    ready = threading.Event()
    found: list[tuple[str, int]] = []
    stop: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def main() -> None:
        async with AsyncExitStack() as listening:
            server = serve.prepare(arguments)
            await serve.listen(server, where, listening)
            found.append(server.address)
            event = asyncio.Event()
            stop.append((asyncio.get_running_loop(), event))
            ready.set()
            await event.wait()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    try:
        if not ready.wait(10):
            raise TimeoutError("the server does not listen")
        yield found[0]
    finally:
        for loop, event in stop:
            loop.call_soon_threadsafe(event.set)
        thread.join(60)


class Talk:
    """A client that knows nothing: lines out, replies in."""

    def __init__(self, address: tuple[str, int], context: ssl.SSLContext | None = None) -> None:
        self.socket: socket.socket = socket.create_connection(address, timeout=10)
        if context is not None:
            self.wrap(context)
        else:
            self._file: IO[bytes] = self.socket.makefile("rb")
        self.greeting = self.reply()

    def wrap(self, context: ssl.SSLContext) -> None:
        self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self._file = self.socket.makefile("rb")

    def write(self, octets: bytes) -> None:
        self.socket.sendall(octets)

    def reply(self) -> str:
        """The last line of the next reply, without CRLF; empty at the end of the stream."""
        while True:
            line = self._file.readline().decode()
            if line[3:4] != "-":
                return line.removesuffix("\r\n")

    def lines(self) -> list[str]:
        """All lines of the next reply."""
        found = []
        while True:
            line = self._file.readline().decode().removesuffix("\r\n")
            found.append(line)
            if line[3:4] != "-":
                return found

    def say(self, *commands: str | bytes) -> list[str]:
        """One command after the other, and what was replied to each."""
        replies = []
        for command in commands:
            self.write((command.encode() if isinstance(command, str) else command) + b"\r\n")
            replies.append(self.reply())
        return replies

    def envelope(self, *recipients: str, sender: str = "alice@crepes.fr") -> list[str]:
        to = [f"RCPT TO:<{recipient}>" for recipient in recipients or ("bob@hamburger.edu",)]
        return self.say("EHLO crepes.fr", f"MAIL FROM:<{sender}>", *to, "DATA")

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def __enter__(self) -> Talk:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def messages(folder: Path) -> list[bytes]:
    """The messages in a Maildir."""
    return [path.read_bytes() for path in Maildir(folder).messages()]


def files(folder: Path) -> dict[str, int]:
    """How many files there are in each folder of a Maildir."""
    return {name: len(list((folder / name).iterdir())) for name in ("tmp", "new", "cur")}


def untraced(message: bytes) -> bytes:
    """A message without the two fields of final delivery."""
    first, second, rest = message.replace(b"\r\n\t", b" ", 3).split(b"\r\n", 2)
    assert first.startswith(b"Return-Path: <")
    assert second.startswith(b"Received: from ")
    return rest


class Process:
    """A program of its own; it is ended with the test, whatever happens."""

    def __init__(self, *command: object, env: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
        )

    def line(self) -> str:
        """The next line that it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode().rstrip("\n")

    def address(self) -> tuple[str, int]:
        """What ``serve`` says first."""
        line = self.line()
        assert line.startswith("listening on 127.0.0.1:"), line + self.end(signal.SIGKILL)[2]
        return "127.0.0.1", int(line.rpartition(":")[2])

    def end(self, number: signal.Signals | None = None) -> tuple[int, str, str]:
        """Wait for its end, perhaps after a signal: exit status, and what it has still printed."""
        if number is not None:
            self.process.send_signal(number)
        out, error = self.process.communicate(timeout=60)
        return self.process.returncode, out.decode(), error.decode()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
