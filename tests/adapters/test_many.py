"""``send_all`` over real sockets: the outcomes of many messages, whatever they are made of."""

from __future__ import annotations

from typing import Any

import pytest

from smtpcore import Reply
from smtpcore.flows.handler import Served
from smtpcore.flows.outcome import Status
from tests.adapters.running import ADAPTERS, Keeper, serving, talk

EVERY_CLIENT = pytest.mark.parametrize("client", ADAPTERS)
LARGE = b"0123456789abcde\r\n" * 60_000


class Choosy(Keeper):
    def rcpt(self, session: Served, command: Any) -> Reply | None:
        return Reply(550, "no such user") if str(command.recipient).startswith("eve") else None


@EVERY_CLIENT
@pytest.mark.parametrize("chunking", [False, True], ids=["data", "chunks"])
def test_many_messages(client, chunking):
    handler = Choosy()
    contents: list[Any] = [b"Number %d\r\n" % number for number in range(200)]
    contents[50] = LARGE
    contents[100] = iter([b"one\r\n", LARGE])
    expected = [b"one\r\n" + LARGE if number == 100 else each for number, each in enumerate(contents)]

    async def body(connection: Any) -> Any:
        messages = [
            (
                "alice@crepes.fr",
                ["bob@hamburger.edu", "eve@hamburger.edu"] if number % 3 else ["eve@hamburger.edu"],
                each,
            )
            for number, each in enumerate(contents)
        ]
        return await connection.send_all(messages, chunking=chunking)

    with serving("asyncio", handler) as running:
        outcomes = talk(client, running.address, body)
    for number, outcome in enumerate(outcomes):
        statuses = [each.status for each in outcome.recipients]
        assert statuses == ([Status.ACCEPTED, Status.REFUSED] if number % 3 else [Status.REFUSED])
    assert [octets for _, _, octets in handler.messages] == [each for number, each in enumerate(expected) if number % 3]
