"""A trio server with an async handler, and a trio client that sends two messages to it on one connection.

Needs the extra ``trio``. The same names are in ``smtpcore.adapters.asyncio`` and ``smtpcore.adapters.blocking``.
"""

import trio

from smtpcore import Rcpt, Reply
from smtpcore.adapters.trio import connect, serve
from smtpcore.flows import Served

USERS = {"bob", "postmaster"}


class Mailroom:
    """Takes messages for users of hamburger.edu; methods may be plain or async."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []

    async def rcpt(self, session: Served, command: Rcpt) -> Reply | None:
        """RCPT: whether this recipient is wanted."""
        who = command.recipient
        await trio.sleep(0.01)  # this could be a look-up in a database
        if who.local_part.lower() in USERS:
            return None  # the standard positive reply
        return Reply(550, "no such mailbox here", "5.1.1")

    def data(self, session: Served) -> None:
        """DATA: a content is about to come."""
        session.data = bytearray()

    def content(self, session: Served, chunk: bytes) -> None:
        """A piece of it."""
        session.data += chunk

    async def message(self, session: Served) -> str:
        """All of it; the words are those of the 250."""
        self.messages.append(bytes(session.data))
        return f"message {len(self.messages)} taken"


async def main() -> None:
    room = Mailroom()
    recipients = ["bob@hamburger.edu", "dora@hamburger.edu"]
    async with (
        serve(room, "127.0.0.1", 0, hostname="hamburger.edu") as server,
        connect(*server.address, tls="none", hostname="crepes.fr") as client,
    ):
        for subject in ("Ketchup", "Pickles"):
            content = f"From: alice@crepes.fr\r\nSubject: {subject}\r\n\r\nDo you like it?\r\n"
            outcome = await client.send("alice@crepes.fr", recipients, content.encode())
            for each in outcome.recipients:
                print(f"{each.recipient}: {each.status.value} ({each.reply})")
    print(f"the server has {len(room.messages)} messages")


if __name__ == "__main__":
    trio.run(main)
