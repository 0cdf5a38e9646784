"""What the parameters of DSN and SIZE cost: a transaction with them beside one without.

In each machine by itself, and over a socket with both ends in one process. ``send`` says SIZE of itself, so there it is
DSN that is compared.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import process_time
from typing import Any

import smtpcore.adapters.asyncio as over_asyncio
from smtpcore import (
    NEED_DATA,
    PAUSED,
    Capabilities,
    ClientConnection,
    ContentReceived,
    Data,
    Ehlo,
    Mail,
    Mailbox,
    Rcpt,
    ServerConnection,
)
from smtpcore.extensions import (
    DSN,
    ENHANCEDSTATUSCODES,
    ENVID,
    NOTIFY,
    ORCPT,
    PIPELINING,
    RET,
    SIZE,
    Notify,
    OriginalRecipient,
    Ret,
)

from . import engines
from .report import Case, Run, cpu, table

_OFFER = Capabilities(PIPELINING, SIZE(35_882_577), ENHANCEDSTATUSCODES, DSN)
_ON_MAIL = f"SIZE={len(engines.BODY)} RET=HDRS ENVID=QQ314159"
_ON_RCPT = f"NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;{engines.RECIPIENT}"
_MAIL = f"MAIL FROM:<{engines.SENDER}> {_ON_MAIL}\r\n".encode()
_RCPT = f"RCPT TO:<{engines.RECIPIENT}> {_ON_RCPT}\r\n".encode()
_END = engines.BODY + b".\r\n"

_PLAIN: engines.Steps = engines.PIPELINED
_WITH: engines.Steps = [(_MAIL + _RCPT + engines.DATA, 3), (_END, 1)]


def _server(steps: engines.Steps, count: int) -> float:
    machine = ServerConnection("mx.example", _OFFER)
    machine.greet()

    def feed(data: bytes) -> bytes:
        machine.receive_data(data)
        while (event := machine.next_event()) is not NEED_DATA:
            if type(event) is not ContentReceived:
                machine.accept()
        return machine.data_to_send()

    feed(b"EHLO client.example\r\n")
    return engines.feed_all(feed, steps, count)


def _client(count: int, *, with_parameters: bool) -> float:
    machine = ClientConnection()
    machine.receive_data(b"220 mx.example\r\n")
    machine.next_event()
    machine.send(Ehlo("client.example"))
    machine.data_to_send()
    machine.receive_data(b"250-mx.example\r\n" + b"\r\n".join(_lines(_OFFER)) + b"\r\n")
    machine.next_event()

    def take(replies: bytes) -> None:
        machine.receive_data(replies)
        while machine.next_event() not in (NEED_DATA, PAUSED):
            pass

    def work() -> None:
        for number in range(count):
            sender, recipient = Mailbox.parse(engines.SENDER), Mailbox.parse(engines.RECIPIENT)
            on_mail: Sequence[Any] = ()
            on_rcpt: Sequence[Any] = ()
            if with_parameters:
                on_mail = SIZE(len(engines.BODY)), RET(Ret.HDRS), ENVID(f"QQ{number}")
                on_rcpt = NOTIFY(Notify(success=True, failure=True)), ORCPT(OriginalRecipient.of(recipient))
            machine.send(Mail(sender, *on_mail))
            machine.send(Rcpt(recipient, *on_rcpt))
            machine.send(Data())
            machine.data_to_send()
            take(b"250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go\r\n")
            machine.send_content(engines.BODY)
            machine.end_content()
            machine.data_to_send()
            take(b"250 2.0.0 ok\r\n")

    return cpu(work) / count


def _over_a_socket(count: int, *, with_parameters: bool) -> float:
    async def main() -> float:
        options: dict[str, Any] = {"hostname": "mx.example", "capabilities": [DSN]}
        async with (
            over_asyncio.serve(object(), "127.0.0.1", 0, **options) as server,
            over_asyncio.connect(*server.address, tls="none") as client,
        ):
            begun = process_time()
            for number in range(count):
                given: dict[str, Any] = {}
                if with_parameters:
                    given["mail_parameters"] = [RET(Ret.HDRS), ENVID(f"QQ{number}")]
                    recipient = OriginalRecipient("rfc822", engines.RECIPIENT)
                    given["rcpt_parameters"] = [NOTIFY(Notify(success=True, failure=True)), ORCPT(recipient)]
                outcome = await client.send(engines.SENDER, [engines.RECIPIENT], engines.BODY, **given)
                if not outcome.all_accepted:
                    raise RuntimeError(f"not accepted: {outcome}")
            return (process_time() - begun) / count

    return asyncio.run(main())


def _lines(offer: Capabilities) -> list[bytes]:
    lines = [str(each) for each in offer]
    return [f"250{'-' if line is not lines[-1] else ' '}{line}".encode() for line in lines]


def envelopes(run: Run) -> None:
    """SIZE, RET, ENVID, NOTIFY and ORCPT, against nothing."""
    count = run.amount(2000, 100)
    for title, plain, given in (
        ("server in memory", lambda: _server(_PLAIN, count), lambda: _server(_WITH, count)),
        (
            "client in memory",
            lambda: _client(count, with_parameters=False),
            lambda: _client(count, with_parameters=True),
        ),
        (
            "both ends over asyncio",
            lambda: _over_a_socket(count, with_parameters=False),
            lambda: _over_a_socket(count, with_parameters=True),
        ),
    ):
        cases: dict[str, Case | None] = {"smtpcore": plain, "smtpcore, with DSN and SIZE": given}
        heading = f"Parameters of DSN and SIZE, {title}, pipelined"
        table(heading, "µs of CPU per transaction", cases, run, lambda cost: f"{cost * 1e6:.1f}")
