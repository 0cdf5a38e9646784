"""SMTP without a socket: client and server, each in a thread, joined by two queues of octets.

The machines do not know what carries their octets. Here it is ``queue.Queue``; it could as well be a serial line, a
message bus, or a test that hands them over one by one. ``b""`` is the end of the stream, as it is for ``recv``.
"""

import queue
import threading
from typing import TypeAlias

import smtpcore as smtp
from smtpcore.extensions import PIPELINING

Octets: TypeAlias = "queue.Queue[bytes]"
CONTENT = b"From: alice@crepes.fr\r\nTo: bob@hamburger.edu\r\n\r\nDo you like ketchup?\r\nHow about pickles?\r\n"


def serve(incoming: Octets, outgoing: Octets, mailbox: list[bytes]) -> None:
    server = smtp.ServerConnection("hamburger.edu", smtp.Capabilities(PIPELINING))
    server.greet()
    chunks: list[bytes] = []
    while True:
        event = server.next_event()
        if data := server.data_to_send():
            outgoing.put(data)
        match event:
            case smtp.NEED_DATA:
                server.receive_data(incoming.get())
            case smtp.CommandReceived():
                server.accept()
            case smtp.ContentReceived(data):
                chunks.append(data)
            case smtp.ContentEnded():
                mailbox.append(b"".join(chunks))
                server.accept()
            case smtp.ConnectionClosed():
                outgoing.put(b"")
                return


def send(incoming: Octets, outgoing: Octets) -> None:
    client = smtp.ClientConnection()
    alice, bob = smtp.Mailbox.parse("alice@crepes.fr"), smtp.Mailbox.parse("bob@hamburger.edu")
    for command in (smtp.Ehlo("crepes.fr"), smtp.Mail(alice), smtp.Rcpt(bob), smtp.Data()):
        client.send(command)
    while True:
        event = client.next_event()
        if data := client.data_to_send():
            outgoing.put(data)
        match event:
            case smtp.NEED_DATA:
                client.receive_data(incoming.get())
            case smtp.ReplyReceived(_, smtp.Data()):
                client.send_content(CONTENT)
                client.end_content()
            case smtp.ReplyReceived(reply, smtp.EndOfContent()):
                print(f"the server says: {reply}")
                client.send(smtp.Quit())
            case smtp.ConnectionClosed():
                return


if __name__ == "__main__":
    there: Octets = queue.Queue()
    back: Octets = queue.Queue()
    mailbox: list[bytes] = []
    server = threading.Thread(target=serve, args=(there, back, mailbox))
    server.start()
    send(back, there)
    server.join()
    print(f"in the mailbox: {mailbox == [CONTENT]}, octet for octet")
