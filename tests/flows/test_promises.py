"""What a server offers by itself, and what only because its application says that it keeps the promise."""

from __future__ import annotations

from typing import Any

import pytest

from smtpcore import Capabilities
from smtpcore.adapters.memory import Link
from smtpcore.extensions import (
    CONNEG,
    CONPERM,
    DELIVERBY,
    DSN,
    FUTURERELEASE,
    MT_PRIORITY,
    NO_SOLICITING,
    NOTIFY,
    RET,
    RRVS,
    STANDARD,
    Notify,
    Ret,
)

PROMISES = [DSN, DELIVERBY, FUTURERELEASE, MT_PRIORITY, RRVS, NO_SOLICITING, CONPERM, CONNEG]


class Keeper:
    """A handler that keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def mail(self, session: Any, command: Any) -> None:
        self.asked.append(command.parameters.get(RET))

    def rcpt(self, session: Any, command: Any) -> None:
        self.asked.append(command.parameters.get(NOTIFY))

    def message(self, session: Any) -> None:
        self.asked.append(session.transaction.rcpts[0].parameters[NOTIFY])


def offered(**options: Any) -> Capabilities:
    with Link(object(), hostname="hamburger.edu", **options).connect(hostname="crepes.fr") as client:
        return client.capabilities


def test_by_itself():
    assert [str(line) for line in offered()] == [
        "PIPELINING", "SIZE 35882577", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "CHUNKING",
    ]  # fmt: skip


@pytest.mark.parametrize("extension", PROMISES, ids=lambda extension: extension.keyword)
def test_when_asked_to(extension):
    assert extension not in offered()
    assert extension in offered(capabilities=[extension])
    assert extension in STANDARD


def test_a_handler_is_told():
    keeper = Keeper()
    wanted = Notify(success=True)
    with Link(keeper, hostname="hamburger.edu", capabilities=[DSN]).connect(hostname="crepes.fr") as client:
        outcome = client.send(
            "alice@crepes.fr",
            ["bob@hamburger.edu"],
            b"Hello\r\n",
            mail_parameters=[RET(Ret.HDRS)],
            rcpt_parameters=[NOTIFY(wanted)],
        )
    assert outcome.all_accepted
    assert keeper.asked == [Ret.HDRS, wanted, wanted]
