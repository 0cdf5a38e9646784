"""Messages of 1 MiB through the machines, behind DATA and in chunks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from smtpcore import (
    NEED_DATA,
    Capabilities,
    ClientConnection,
    CommandReceived,
    ContentEnded,
    ContentReceived,
    Data,
    Ehlo,
    Mail,
    Mailbox,
    Rcpt,
    ServerConnection,
)
from smtpcore.extensions import BINARYMIME, BODY, CHUNKING, EIGHTBITMIME, PIPELINING, SIZE, Body
from smtpcore.flows.content import CHUNK

from .report import LINE, Case, Run, cpu, table

SIZE_OF_ONE: Final = 1 << 20
_READ: Final = 65_536
_OFFERED: Final = Capabilities(PIPELINING, SIZE(35_882_577), EIGHTBITMIME, CHUNKING, BINARYMIME)
_PAGE: Final = LINE * 199 + b"." + LINE
_CONTENT: Final = _PAGE * (SIZE_OF_ONE // len(_PAGE))
_PIECES: Final = [_CONTENT[at : at + CHUNK] for at in range(0, len(_CONTENT), CHUNK)]
_ALICE, _BOB = Mailbox.parse("a@example.org"), Mailbox.parse("b@example.com")
_BINARY: Final = BODY(Body.BINARYMIME)


def _per_second(cost: float) -> str:
    return f"{1 / cost:,.0f}"


def large(run: Run) -> None:
    """Receiving and sending, next to what the same costs behind DATA."""
    count = run.amount(40, 2)
    chunks = b"".join(
        [b"BDAT %d%b\r\n%b" % (len(piece), b" LAST" if piece is _PIECES[-1] else b"", piece) for piece in _PIECES]
    )
    data = b"DATA\r\n" + _CONTENT.replace(b"\r\n.", b"\r\n..") + b".\r\n"
    cases: dict[str, Case | None] = {
        "smtpcore, DATA": lambda: _receive(data, b"", count),
        "smtpcore, BDAT": lambda: _receive(chunks, b"", count),
        "smtpcore, BDAT with BINARYMIME": lambda: _receive(chunks, b" BODY=BINARYMIME", count),
    }
    table("Server in memory, messages of 1 MiB, reads of 64 KiB", "MB per CPU second", cases, run, _per_second)
    cases = {
        "smtpcore, DATA": lambda: _transmit(_behind_data, count),
        "smtpcore, BDAT": lambda: _transmit(_in_chunks, count),
        "smtpcore, BDAT with BINARYMIME": lambda: _transmit(_in_binary_chunks, count),
    }
    table("Client in memory, messages of 1 MiB", "MB per CPU second", cases, run, _per_second)


def _receive(wire: bytes, parameter: bytes, count: int) -> float:
    """CPU seconds for a megabyte."""
    machine = ServerConnection("mx.example", _OFFERED)
    machine.greet()
    reads = [wire[at : at + _READ] for at in range(0, len(wire), _READ)]

    def feed(octets: bytes) -> int:
        machine.receive_data(octets)
        received = 0
        while (event := machine.next_event()) is not NEED_DATA:
            kind = type(event)
            if kind is ContentReceived:
                received += len(event.data)  # type: ignore[union-attr]  # kind says so
            elif kind is CommandReceived or kind is ContentEnded:
                machine.accept()
        machine.data_to_send()
        return received

    feed(b"EHLO client.example\r\n")

    def work() -> None:
        for _ in range(count):
            feed(b"MAIL FROM:<a@example.org>" + parameter + b"\r\nRCPT TO:<b@example.com>\r\n")
            if sum(map(feed, reads)) != len(_CONTENT):
                raise ValueError("another content")

    return cpu(work) / (count * len(_CONTENT) / 1e6)


def _transmit(send: Callable[[Any, Callable[[bytes], None]], int], count: int) -> float:
    """CPU seconds for a megabyte."""
    machine = ClientConnection()

    def hear(octets: bytes) -> None:
        machine.receive_data(octets)
        while machine.in_flight:
            event: Any = machine.next_event()
            if event is NEED_DATA:
                return
            if event.reply.code >= 400:
                raise ValueError(f"unexpected {event}")

    machine.send(Ehlo("client.example"))
    hear(b"220 x\r\n")
    machine.data_to_send()
    hear(b"250-x\r\n250-PIPELINING\r\n250-BINARYMIME\r\n250 CHUNKING\r\n")

    def work() -> None:
        for _ in range(count):
            if send(machine, hear) < len(_CONTENT):
                raise ValueError("another content")

    return cpu(work) / (count * len(_CONTENT) / 1e6)


def _behind_data(machine: ClientConnection, hear: Callable[[bytes], None]) -> int:
    for command in (Mail(_ALICE), Rcpt(_BOB), Data()):
        machine.send(command)
    machine.data_to_send()
    hear(b"250 ok\r\n250 ok\r\n354 go\r\n")
    sent = 0
    for piece in _PIECES:
        machine.send_content(piece)
        sent += len(machine.data_to_send())
    machine.end_content()
    sent += len(machine.data_to_send())
    hear(b"250 ok\r\n")
    return sent


def _in_chunks(machine: ClientConnection, hear: Callable[[bytes], None], mail: Mail | None = None) -> int:
    machine.send(mail or Mail(_ALICE))
    machine.send(Rcpt(_BOB))
    machine.data_to_send()
    hear(b"250 ok\r\n250 ok\r\n")
    sent = 0
    for piece in _PIECES:
        machine.send_chunk(piece, last=piece is _PIECES[-1])
        sent += len(machine.data_to_send())
    hear(b"250 ok\r\n" * len(_PIECES))
    return sent


def _in_binary_chunks(machine: ClientConnection, hear: Callable[[bytes], None]) -> int:
    return _in_chunks(machine, hear, Mail(_ALICE, _BINARY))
