"""An asyncio server that streams messages to files: a message of any size takes the same memory.

``data`` opens the file, ``content`` is called with each piece as it comes, ``message`` when it is whole. Only what
``message`` returns is said to the client, so 250 comes after the file is safe; ``aborted`` is for what did not end.
"""

import asyncio
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from smtpcore import Reply
from smtpcore.adapters.asyncio import connect, serve
from smtpcore.flows import Served


class ToFile:
    """One file for each message. What a method raises becomes 451, and nothing is accepted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.count = 0

    def data(self, session: Served) -> None:
        """DATA: begin a file."""
        self.count += 1
        session.data = (self.folder / f"{self.count}.part").open("xb")

    def content(self, session: Served, chunk: bytes) -> None:
        """A piece of the content, of any size."""
        session.data.write(chunk)

    async def message(self, session: Served) -> Reply:
        """The content is whole. The disk may take its time; other clients are served meanwhile."""
        path = await asyncio.to_thread(finish, session.data)
        return Reply(250, f"stored as {path.name}", "2.0.0")

    def aborted(self, session: Served) -> None:
        """The content did not end, or was refused."""
        session.data.close()
        Path(session.data.name).unlink()


def finish(file: BinaryIO) -> Path:
    with file:
        file.flush()
        os.fsync(file.fileno())
    path = Path(file.name)
    return path.rename(path.with_suffix(".eml"))


def long_message(lines: int) -> Iterator[bytes]:
    yield b"From: alice@crepes.fr\r\nTo: bob@hamburger.edu\r\nSubject: A long letter\r\n\r\n"
    for number in range(lines):
        yield b"%08d: and another thing, dear Bob, that I have always wanted to tell you\r\n" % number


async def main(folder: Path) -> None:
    async with (
        serve(ToFile(folder), "127.0.0.1", 0, hostname="hamburger.edu") as server,
        connect(*server.address, tls="none", hostname="crepes.fr") as client,
    ):
        outcome = await client.send("alice@crepes.fr", ["bob@hamburger.edu"], long_message(100_000))
        print(outcome.reply)  # a real server would now: await server.serve_forever()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(main(Path(name)))
        for path in Path(name).iterdir():
            print(f"{path.name}: {path.stat().st_size} octets")
