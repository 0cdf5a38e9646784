"""A pool whose script runs by hand, over clients of servers that answer as they are told."""

from __future__ import annotations

from typing import Any, TypeVar

from smtpcore import Mailbox
from smtpcore.flows.batch import send_all_pooled
from smtpcore.flows.options import addresses
from smtpcore.flows.outcome import Outcome
from smtpcore.flows.pool import PoolLimits, Roster
from smtpcore.flows.pooled import Drive, Open, Part, PoolFlow, Wait, send_pooled
from tests.flows.fakeserver import FakeServer, connected

CONTENT = b"Subject: crepes\r\n\r\nHello\r\n"
BOB = ["bob@hamburger.edu"]
T = TypeVar("T")


class Fake:
    """A client of a server that answers as it is told."""

    def __init__(self, server: FakeServer, *offered: str) -> None:
        self.machine = connected(*offered)
        self.server = server
        self.aborted = self.parted = False

    def abort(self) -> None:
        self.aborted = True


class Pool:
    """Runs the script by hand over such clients, which are opened in turn."""

    def __init__(self, *clients: Fake, **limits: Any) -> None:
        self.roster = Roster(PoolLimits(**limits))
        self.clients = list(clients)
        self.opened: list[Fake] = []
        self.now = 0.0

    def send(self, recipients: Any = BOB, content: Any = CONTENT, **options: Any) -> Outcome:
        given: Any = options
        to = addresses(recipients)
        sender = "alice@crepes.fr"
        return self.run(send_pooled(self.roster, lambda: self.now, "key", sender, to, content, given))

    def send_all(self, messages: Any, **options: Any) -> list[Outcome]:
        given: Any = options
        parsed = [(Mailbox.parse(sender), addresses(to), content) for sender, to, content in messages]
        return self.run(send_all_pooled(self.roster, lambda: self.now, "key", parsed, given))

    def run(self, script: PoolFlow[T]) -> T:
        value: Any = None
        while True:
            try:
                effect = script.throw(value) if isinstance(value, BaseException) else script.send(value)
            except StopIteration as stop:
                result: T = stop.value
                return result
            value = None
            match effect:
                case Open():
                    if not self.clients:
                        value = OSError("nobody listens")
                    else:
                        value = self.clients.pop(0)
                        self.opened.append(value)
                case Drive(connection=client, flow=flow):
                    played = client.server.run(flow)
                    value = played.error if played.error is not None else played.result
                case Part(connection=client):
                    client.parted = True
                case Wait():
                    raise AssertionError("nobody is there to wait for")
