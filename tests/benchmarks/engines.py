"""Peers without sockets: their servers fed by hand, their clients in front of canned replies."""

from __future__ import annotations

import asyncio
import io
import logging
import smtplib
import time
from collections.abc import Callable, Iterable
from email import message_from_bytes
from email.policy import SMTP as SMTP_POLICY
from typing import Any

from .report import LINE, cpu, optional

SENDER, RECIPIENT = "sender@example.org", "recipient.name@mail.example.com"
MAIL = f"MAIL FROM:<{SENDER}>\r\n".encode()
RCPT = f"RCPT TO:<{RECIPIENT}>\r\n".encode()
DATA = b"DATA\r\n"
BODY = f"From: {SENDER}\r\nTo: {RECIPIENT}\r\nSubject: benchmark\r\n\r\n".encode() + LINE * 3

LOCKSTEP = [(MAIL, 1), (RCPT, 1), (DATA, 1), (BODY + b".\r\n", 1)]
PIPELINED = [(MAIL + RCPT + DATA, 3), (BODY + b".\r\n", 1)]
Steps = list[tuple[bytes, int]]


def feed_all(feed: Callable[[bytes], bytes], steps: Steps, count: int) -> float:
    """CPU seconds for a transaction of a server that is a function; every reply is looked at."""

    def work() -> None:
        for data, expected in steps * count:
            replies = feed(data)
            if replies.count(b"\r\n") != expected or replies[:1] not in (b"2", b"3"):
                raise ValueError(f"{replies!r} to {data!r}")

    return cpu(work) / count


# -- servers ----------------------------------------------------------------------------------


class _Transport(asyncio.Transport):
    """What aiosmtpd writes to."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.lines = 0
        self._awaited: tuple[int, asyncio.Future[None]] | None = None

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.lines += bytes(data).count(b"\r\n")
        if self._awaited and self.lines >= self._awaited[0] and not self._awaited[1].done():
            self._awaited[1].set_result(None)

    async def wait(self, lines: int) -> None:
        """Until so many lines have been written."""
        if self.lines < lines:
            self._awaited = lines, asyncio.get_running_loop().create_future()
            await self._awaited[1]
            self._awaited = None

    def is_closing(self) -> bool:
        return False

    def close(self) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class _Accepting:
    """A handler of aiosmtpd."""

    count = 0

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:
        self.count += 1
        return "250 2.0.0 Ok"


def aiosmtpd_server(steps: Steps, count: int) -> float:
    """CPU seconds for a transaction."""
    smtp = optional("aiosmtpd.smtp")
    logging.getLogger("mail.log").setLevel(logging.ERROR)

    async def main() -> float:
        handler, transport = _Accepting(), _Transport()
        protocol = smtp.SMTP(handler, hostname="mx.example", loop=asyncio.get_running_loop())
        protocol.connection_made(transport)
        await transport.wait(1)
        protocol.data_received(b"HELO client.example\r\n")
        await transport.wait(2)
        lines, before = transport.lines, time.process_time()
        for data, expected in steps * count:
            protocol.data_received(data)
            lines += expected
            await transport.wait(lines)
        spent = time.process_time() - before
        protocol.connection_lost(None)
        if handler.count != count:
            raise ValueError(f"{handler.count} messages, not {count}")
        return spent / count

    return asyncio.run(asyncio.wait_for(main(), 120))


def twisted_server(steps: Steps, count: int) -> float:
    """CPU seconds for a transaction."""
    smtp, defer = optional("twisted.mail.smtp"), optional("twisted.internet.defer")
    testing, interface = optional("twisted.internet.testing"), optional("zope.interface")

    class Message:
        def __init__(self) -> None:
            self.lines: list[bytes] = []

        def lineReceived(self, line: bytes) -> None:
            self.lines.append(line)

        def eomReceived(self) -> Any:
            b"\r\n".join(self.lines)
            return defer.succeed(None)

        def connectionLost(self) -> None: ...

    interface.classImplements(Message, smtp.IMessage)

    class Server(smtp.ESMTP):  # type: ignore[name-defined]  # not installed where types are checked
        timeout = None

        def validateFrom(self, helo: Any, origin: Any) -> Any:
            return origin

        def validateTo(self, user: Any) -> Any:
            return Message

        def receivedHeader(self, *_: Any) -> None: ...

    server, transport = Server(), testing.StringTransport()
    server.makeConnection(transport)

    def feed(data: bytes) -> bytes:
        server.dataReceived(data)
        replies = transport.value()
        transport.clear()
        return bytes(replies)

    feed(b"EHLO client.example\r\n")
    return feed_all(feed, steps, count)


def aiosmtpd_content() -> Callable[[Iterable[bytes]], int]:
    """aiosmtpd's own reading of content, driven without a loop that runs."""
    smtp = optional("aiosmtpd.smtp")
    logging.getLogger("mail.log").setLevel(logging.ERROR)

    class Writer:
        def write(self, data: bytes) -> None: ...

        async def drain(self) -> None: ...

    def read(chunks: Iterable[bytes]) -> int:
        loop = asyncio.new_event_loop()
        try:
            server = smtp.SMTP(_Accepting(), data_size_limit=None, loop=loop, hostname="mx.example")
            server.transport, server._writer = _Transport(), Writer()
            server._reader = asyncio.StreamReader(limit=server.line_length_limit, loop=loop)
            server.session = session = smtp.Session(loop)
            session.peer, session.host_name, session.extended_smtp = ("127.0.0.1", 1), "client.example", True
            server.envelope = envelope = smtp.Envelope()
            envelope.mail_from = SENDER
            envelope.rcpt_tos.append(RECIPIENT)
            script = server.smtp_DATA(None)
            try:
                script.send(None)
                for chunk in chunks:
                    server._reader.feed_data(chunk)
                    script.send(None)
            except StopIteration:
                pass
            return len(envelope.content or b"")
        finally:
            loop.close()

    return read


# -- clients ----------------------------------------------------------------------------------


def canned(data: bytes) -> bytes:
    """Replies of a server that looks at the verb only."""
    match data[:4]:
        case b"EHLO" | b"ehlo":
            return b"250-mx.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE\r\n"
        case b"MAIL" | b"mail" if data.endswith(DATA):
            return b"250 2.1.0 Ok\r\n" * (data.count(b"\r\n") - 1) + b"354 Go on\r\n"
        case b"DATA" | b"data":
            return b"354 Go on\r\n"
        case _:
            return b"250 2.0.0 Ok\r\n"


class CannedSocket:
    """A socket that smtplib can send to; ``turns`` counts how often it had to wait for a reply."""

    def __init__(self, client: smtplib.SMTP) -> None:
        self.turns = 0
        self._client = client

    def sendall(self, data: bytes) -> None:
        self.turns += 1
        self._client.file = io.BytesIO(canned(data))

    def close(self) -> None: ...


def smtplib_on_canned() -> tuple[smtplib.SMTP, CannedSocket]:
    """An smtplib client that has said EHLO."""
    client = smtplib.SMTP(local_hostname="client.example")
    sock = CannedSocket(client)
    client.sock = sock  # type: ignore[assignment]  # it only sends
    client.ehlo()
    return client, sock


def smtplib_client(count: int) -> float:
    """CPU seconds for a transaction."""
    client, _ = smtplib_on_canned()

    def work() -> None:
        for _ in range(count):
            client.mail(SENDER)
            client.rcpt(RECIPIENT)
            if client.data(BODY)[0] != 250:
                raise ValueError("refused")

    return cpu(work) / count


def smtpproto_client(count: int) -> float:
    """CPU seconds for a transaction; smtpproto takes a parsed message only, which is parsed once before."""
    client = optional("smtpproto.protocol").SMTPClientProtocol()
    message = message_from_bytes(BODY, policy=SMTP_POLICY)

    def go(method: Callable[..., object], *values: object) -> None:
        method(*values)
        reply = client.feed_bytes(canned(client.get_outgoing_data()))
        if reply is None or reply.code >= 400:
            raise ValueError(f"{reply}")

    client.feed_bytes(b"220 mx.example ESMTP\r\n")
    go(client.send_greeting, "client.example")

    def work() -> None:
        for _ in range(count):
            go(client.mail, SENDER)
            go(client.recipient, RECIPIENT)
            go(client.start_data)
            go(client.data, message)

    return cpu(work) / count
