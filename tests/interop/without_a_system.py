"""What needs no operating system. Prints the same wherever it runs, whatever carries the octets."""

from __future__ import annotations

import sys

from smtpcore import (
    NEED_DATA,
    PAUSED,
    Capabilities,
    ClientConnection,
    CommandReceived,
    ConnectionClosed,
    ContentEnded,
    Data,
    Ehlo,
    EndOfContent,
    LocalProtocolError,
    Mail,
    Mailbox,
    Quit,
    Rcpt,
    ReplyReceived,
    ServerConnection,
)
from smtpcore.adapters.memory import Link
from smtpcore.extensions import PIPELINING, SIZE
from smtpcore.flows import collecting
from smtpcore.message.address_list import AddressList
from smtpcore.message.header import Header

CONTENT = b"From: alice@crepes.fr\r\nTo: bob@hamburger.edu\r\n\r\n.Do you like ketchup?\r\nHow about pickles?\r\n"
#: Smuggling, injection, and what no line ends.
HOSTILE = (
    b"EHLO crepes.fr\nMAIL FROM:<a@b>\r\n",
    b"EHLO crepes.fr\r\nMAIL FROM:<a@b.fr>\r\nRCPT TO:<c@d.edu>\r\nDATA\r\nHi\n.\nMAIL FROM:<e@f.fr>\r\n.\r\nQUIT\r\n",
    b"EHLO crepes.fr\r\nMAIL FROM:<a@b.fr> SIZE=1 SIZE=2\r\nMAIL FROM:<a b@c.fr>\r\nRCPT TO:<x@y.edu>\r\n",
    b"\x00" * 3000 + b"\r\nNOOP\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\r\n",
)


def talk(size: int) -> None:
    """A conversation of both machines, ``size`` octets at a time."""
    client = ClientConnection()
    server = ServerConnection("hamburger.edu", Capabilities(PIPELINING, SIZE(1000)))
    server.greet()
    sender, recipient = Mailbox.parse("alice@crepes.fr"), Mailbox.parse("bob@hamburger.edu")
    for command in (Ehlo("crepes.fr"), Mail(sender, SIZE(len(CONTENT))), Rcpt(recipient), Data()):
        client.send(command)
    to_client = to_server = b""
    while True:
        while (event := client.next_event()) not in (NEED_DATA, PAUSED):
            print("client", event)
            match event:
                case ConnectionClosed():
                    return
                case ReplyReceived(_, Data()):
                    client.send_content(CONTENT)
                    client.end_content()
                case ReplyReceived(_, EndOfContent()):
                    client.send(Quit())
        while (heard := server.next_event()) not in (NEED_DATA, PAUSED):
            print("server", heard)
            if isinstance(heard, ConnectionClosed):
                break
            if isinstance(heard, (CommandReceived, ContentEnded)):
                server.accept()
        to_server += client.data_to_send()
        to_client += server.data_to_send()
        if to_server:
            server.receive_data(to_server[:size])
        if to_client or isinstance(heard, ConnectionClosed):
            client.receive_data(to_client[:size])
        to_server, to_client = to_server[size:], to_client[size:]


def endure(octets: bytes) -> None:
    """What a server says to octets that no client should send."""
    server = ServerConnection("hamburger.edu", Capabilities(PIPELINING, SIZE(1000)))
    server.greet()
    for at in range(0, len(octets), 997):
        server.receive_data(octets[at : at + 997])
        while (event := server.next_event()) not in (NEED_DATA, PAUSED):
            print(event)
            if isinstance(event, (CommandReceived, ContentEnded)):
                server.accept()
            elif isinstance(event, ConnectionClosed):
                print(server.data_to_send())
                return
    print(server.data_to_send())


def deliver() -> None:
    """The scripts of both halves, in memory; and a content that cannot be sent."""
    inbox: list[bytes] = []
    with Link(collecting(lambda session, octets: inbox.append(octets))).connect() as client:
        print(client.send("alice@crepes.fr", ["bob@hamburger.edu", "carol@hamburger.edu"], CONTENT))
        try:
            client.send("alice@crepes.fr", ["bob@hamburger.edu"], b"a bare\nnewline")
        except LocalProtocolError as error:
            print(error)
    print(inbox)


def read() -> None:
    """The values of a message."""
    header = Header.parse(b"Subject: =?utf-8?q?p=C3=BCree?=\r\nDate: Fri, 27 Nov 2026 10:00:00 +0100 (CET)\r\n\r\n")
    subject, date = header.subject, header.date
    assert subject is not None
    assert date is not None
    print(ascii(subject.text), date.to_datetime().isoformat())
    print(AddressList.parse('"Alice, A." <alice@crepes.fr>, friends: bob@hamburger.edu;').addresses)


print(sys.platform, sys.version_info[:2])
for size in (1, 7, 100_000):
    talk(size)
for octets in HOSTILE:
    endure(octets)
deliver()
read()
