"""Both machines over plain sockets: what an adapter does, in the open.

A machine never reads or writes. Whoever owns the socket takes events until NEED_DATA, writes ``data_to_send()`` out,
and hands ``receive_data()`` what has come. That is all, on either side; the rest is what the events mean to you.
"""

import socket
import threading

import smtpcore as smtp
from smtpcore.extensions import ENHANCEDSTATUSCODES, PIPELINING

CONTENT = b"From: alice@crepes.fr\r\nTo: bob@hamburger.edu\r\n\r\nDo you like ketchup?\r\nHow about pickles?\r\n"


def serve_one_client(listener: socket.socket) -> None:
    server = smtp.ServerConnection("hamburger.edu", smtp.Capabilities(PIPELINING, ENHANCEDSTATUSCODES))
    server.greet()
    message = bytearray()
    sock, _ = listener.accept()
    with sock:
        while True:
            match server.next_event():
                case smtp.NEED_DATA:
                    sock.sendall(server.data_to_send())
                    server.receive_data(sock.recv(65_536))
                case smtp.CommandReceived(smtp.Rcpt(recipient=who)) if who.domain != "hamburger.edu":
                    server.reply(smtp.Reply(550, "relay access denied", "5.7.1"))
                case smtp.CommandReceived():
                    server.accept()
                case smtp.ContentReceived(data):
                    message += data
                case smtp.ContentEnded():
                    print(f"server: {len(message)} octets from {server.transaction.sender}")
                    server.accept("thank you")
                case smtp.ConnectionClosed():
                    sock.sendall(server.data_to_send())
                    return


def send(address: tuple[str, int]) -> None:
    client = smtp.ClientConnection()
    client.send(smtp.Ehlo("crepes.fr"))  # queued: the greeting has not come yet
    client.send(smtp.Mail(smtp.Mailbox.parse("alice@crepes.fr")))
    client.send(smtp.Rcpt(smtp.Mailbox.parse("bob@hamburger.edu")))
    client.send(smtp.Rcpt(smtp.Mailbox.parse("carol@example.com")))
    client.send(smtp.Data())  # leaves with MAIL and RCPT in one packet, because the server offers PIPELINING
    with socket.create_connection(address) as sock:
        while True:
            event = client.next_event()
            sock.sendall(client.data_to_send())
            match event:
                case smtp.NEED_DATA:
                    client.receive_data(sock.recv(65_536))
                case smtp.ReplyReceived(reply, command):
                    print(f"client: {command.verb if command else '-'}: {reply.code} {reply.lines[-1]}")
                    if isinstance(command, smtp.Data) and reply.code == 354:
                        client.send_content(CONTENT)
                        client.end_content()
                    elif isinstance(command, smtp.Data | smtp.EndOfContent):
                        client.send(smtp.Quit())
                case smtp.CommandSkipped(command, why):
                    print(f"client: {command.verb} was not sent: {why}")
                    if isinstance(command, smtp.Data):
                        client.send(smtp.Quit())
                case smtp.ConnectionClosed():
                    return


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve_one_client, args=(listener,))
        thread.start()
        send(listener.getsockname())
        thread.join()
