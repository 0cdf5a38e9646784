"""What became of each recipient: accepted, refused for now, refused for good - or nobody knows.

A refusal is data, not an exception; each recipient has an outcome at the index it was given with. When the connection
dies behind the final dot the message may have been taken, and the outcome says ``unknown``, never ``refused``: sending
it again risks a duplicate, not sending it again risks a loss, and that is for the caller to choose (RFC 1047).
"""

import socket
import threading

from smtpcore import Rcpt, Reply
from smtpcore.adapters.blocking import connect, serve
from smtpcore.flows import Outcome, Served, Status

LETTER = b"From: alice@crepes.fr\r\nSubject: Ketchup\r\n\r\nDo you like ketchup?\r\nHow about pickles?\r\n"


class Picky:
    """Knows bob, is busy with carol's mailbox, and has never heard of anybody else."""

    def rcpt(self, session: Served, command: Rcpt) -> Reply | None:
        """RCPT: None accepts, a reply refuses."""
        match command.recipient.local_part:
            case "bob":
                return None
            case "carol":
                return Reply(450, "mailbox busy", "4.2.1")
        return Reply(550, "no such mailbox", "5.1.1")


def hang_up_after_the_dot(listener: socket.socket) -> None:
    """A server that takes a message and dies before it says so."""
    sock, _ = listener.accept()
    with sock, sock.makefile("rb") as lines:
        sock.sendall(b"220 mx.example\r\n")
        for line in lines:
            if line == b".\r\n":
                return
            if line.startswith((b"EHLO", b"MAIL", b"RCPT")):
                sock.sendall(b"250 ok\r\n")
            elif line.startswith(b"DATA"):
                sock.sendall(b"354 go on\r\n")


def show(outcome: Outcome) -> None:
    for each in outcome.recipients:
        advice = {
            Status.ACCEPTED: "done",
            Status.REFUSED_FOR_NOW: "try again later",
            Status.REFUSED: "tell the sender",
            Status.NOT_SENT: "try again, nothing was taken",
            Status.UNKNOWN: "a second try may make a duplicate",
        }[each.status]
        print(f"{each.recipient}: {each.status.value} ({each.reply or each.why}) -> {advice}")


if __name__ == "__main__":
    recipients = ["bob@hamburger.edu", "carol@hamburger.edu", "dave@hamburger.edu"]
    with (
        serve(Picky(), "127.0.0.1", 0, hostname="hamburger.edu") as server,
        connect(*server.address, tls="none", hostname="crepes.fr") as client,
    ):
        show(client.send("alice@crepes.fr", recipients, LETTER))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=hang_up_after_the_dot, args=(listener,))
        thread.start()
        with connect(*listener.getsockname(), tls="none", hostname="crepes.fr") as client:
            show(client.send("alice@crepes.fr", ["bob@mx.example"], LETTER))
        thread.join()
