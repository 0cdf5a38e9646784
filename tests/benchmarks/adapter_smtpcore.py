"""smtpcore behind the few functions that a benchmark of many implementations calls.

A benchmark loads this file by its path and uses what it finds: codecs (``stuff``, ``unstuff``),
headers and addresses, engines without sockets (``server_engine``, ``client_engine``), and the commands that start a
receiving server or a sending client.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from smtpcore import (
    NEED_DATA,
    BareNewlines,
    Capabilities,
    ClientConnection,
    CommandReceived,
    ContentEnded,
    Data,
    Ehlo,
    Mail,
    Mailbox,
    Rcpt,
    ServerConnection,
)
from smtpcore.extensions import EIGHTBITMIME, ENHANCEDSTATUSCODES, PIPELINING, SIZE, SMTPUTF8
from smtpcore.message.address_list import AddressList
from smtpcore.message.header import Header
from smtpcore.wire.content import DotStuffer, DotUnstuffer

HERE = Path(__file__).parent


def unstuff(chunks: Iterable[bytes]) -> int:
    """Octets of content in the chunks, bare newlines let through."""
    return _unstuff(chunks, BareNewlines.PASS)


def unstuff_strict(chunks: Iterable[bytes]) -> int:
    """Octets of content in the chunks, bare newlines rejected."""
    return _unstuff(chunks, BareNewlines.REJECT)


def _unstuff(chunks: Iterable[bytes], policy: BareNewlines) -> int:
    unstuffer = DotUnstuffer(policy)
    return sum(len(unstuffer.receive(chunk)) for chunk in chunks)


def stuff(chunks: Iterable[bytes]) -> int:
    """Octets on the wire for the chunks, with the end of data."""
    stuffer = DotStuffer()
    return sum(len(stuffer.stuff(chunk)) for chunk in chunks) + len(stuffer.finish())


def headers(raw: bytes) -> Header:
    """A header block as fields."""
    return Header.parse(raw)


def headers_access(raw: bytes) -> tuple[object, ...]:
    """The same with From and To, Date and Subject decoded: names and addresses as text."""
    header = Header.parse(raw)
    date, subject = header.date, header.subject
    return (
        _decoded(header.from_ or AddressList()),
        _decoded(header.to or AddressList()),
        date.to_datetime() if date else None,
        subject.text if subject else "",
    )


def addresses(text: str) -> AddressList:
    """The addresses of a list, their names as they are written, as ``email.utils.getaddresses`` gives them."""
    return AddressList.read(text)


def _decoded(several: AddressList) -> list[tuple[str, str]]:
    return [(address.display_name, address.addr_spec) for address in several.addresses]


OFFERED = Capabilities(PIPELINING, SIZE(35_882_577), EIGHTBITMIME, SMTPUTF8, ENHANCEDSTATUSCODES)


class ServerEngine:
    """A server that accepts everything and forgets it."""

    def __init__(self) -> None:
        self.messages = 0
        self._machine = ServerConnection("mx.example", OFFERED)
        self._machine.greet()
        self.greeting = self._machine.data_to_send()

    def feed(self, data: bytes) -> bytes:
        """Octets of a client in, replies out."""
        machine = self._machine
        machine.receive_data(data)
        while True:
            event = machine.next_event()
            if event is NEED_DATA:
                return machine.data_to_send()
            kind = type(event)
            if kind is CommandReceived:
                machine.accept()
            elif kind is ContentEnded:
                self.messages += 1
                machine.accept()


def server_engine() -> ServerEngine:
    """A new server."""
    return ServerEngine()


class ClientEngine:
    """A client that sends one command at a time, whatever the server can do."""

    def __init__(self) -> None:
        self.machine = ClientConnection()

    @property
    def receive(self) -> Callable[[bytes], object]:
        """Octets of a server in, one event out."""
        return self._receive

    def _receive(self, data: bytes) -> object:
        self.machine.receive_data(data)
        return self.machine.next_event()

    def greet(self, greeting: bytes, io: Callable[[bytes], bytes]) -> None:
        """The greeting and EHLO."""
        machine = self.machine
        machine.receive_data(greeting)
        machine.next_event()
        machine.send(Ehlo("client.example"))
        self._exchange(io)

    def _exchange(self, io: Callable[[bytes], bytes]) -> None:
        """Write what is queued, and take the reply to it."""
        machine = self.machine
        machine.receive_data(io(machine.data_to_send()))
        event: Any = machine.next_event()  # the reply that is due, or an AttributeError below
        if event.reply.code >= 400:
            raise ValueError(f"unexpected {event}")

    def transaction(self, sender: str, rcpts: list[str], body: bytes, io: Callable[[bytes], bytes]) -> None:
        """One message."""
        machine = self.machine
        send, exchange = machine.send, self._exchange
        send(Mail(Mailbox.parse(sender)))
        exchange(io)
        for each in rcpts:
            send(Rcpt(Mailbox.parse(each)))
            exchange(io)
        send(Data())
        exchange(io)
        machine.send_content(body)
        machine.end_content()
        exchange(io)


class PipelinedClientEngine(ClientEngine):
    """A client that sends MAIL, all RCPTs and DATA in one group."""

    def transaction(self, sender: str, rcpts: list[str], body: bytes, io: Callable[[bytes], bytes]) -> None:
        """One message."""
        machine = self.machine
        machine.send(Mail(Mailbox.parse(sender)))
        for each in rcpts:
            machine.send(Rcpt(Mailbox.parse(each)))
        machine.send(Data())
        machine.receive_data(io(machine.data_to_send()))
        for _ in range(2 + len(rcpts)):
            event: Any = machine.next_event()
            if event.reply.code >= 400:
                raise ValueError(f"unexpected {event}")
        machine.send_content(body)
        machine.end_content()
        self._exchange(io)


def client_engine() -> ClientEngine:
    """A new client without pipelining."""
    return ClientEngine()


def client_engine_pipelined() -> PipelinedClientEngine:
    """A new client with pipelining."""
    return PipelinedClientEngine()


def server_cmds(port: int, python: str) -> dict[str, list[str]]:
    """The commands that start a receiving server on a port."""
    script = str(HERE / "receive.py")
    kinds = ("asyncio", *(("uvloop",) if find_spec("uvloop") else ()), "trio", "blocking")
    return {kind: [python, script, str(port), kind] for kind in kinds}


def sender_cmds(python: str) -> dict[str, tuple[list[str], list[str]]]:
    """The commands that send; HOST PORT COUNT SIZE RECIPIENTS CONNECTIONS stand between the two parts."""
    script = str(HERE / "transmit.py")
    return {kind: ([python, script], [kind]) for kind in ("asyncio", "blocking", "chained")}
