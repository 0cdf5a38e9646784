"""RFC 2034 s4: every reply has an enhanced code, but the greeting, the answers to HELO and EHLO, and 3yz."""

from __future__ import annotations

import pytest

from smtpcore import Capabilities, CommandReceived, Data, Ehlo, Expn, Helo, Mail, Quit, Rcpt, Reply, ServerConnection
from smtpcore.extensions import CHUNKING, ENHANCEDSTATUSCODES
from tests.session.helpers import run_server

OFFERED = Capabilities(ENHANCEDSTATUSCODES, CHUNKING)
EHLO = b"EHLO c\r\n"
ENVELOPE = b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"


def saying(reply: Reply, kind: type):
    """An application that says this to that kind of command, and accepts all else."""

    def application(machine, command):
        if isinstance(command, kind):
            machine.reply(reply)
        else:
            machine.accept()

    return application


def last(lines: bytes, reply: Reply, kind: type, **options) -> bytes:
    """The last lines that go out, of one code."""
    output = run_server([lines], application=saying(reply, kind), **{"capabilities": OFFERED, **options}).output
    found = output.split(b"\r\n")[:-1]
    code = found[-1][:3]
    while len(found) > 1 and found[-2].startswith(code + b"-"):
        found[-2:] = [found[-2] + b"\r\n" + found[-1]]
    return found[-1]


@pytest.mark.parametrize(
    ("lines", "reply", "kind", "expected"),
    [
        (b"MAIL FROM:<a@b>\r\n", Reply(250, "fine"), Mail, b"250 2.0.0 fine"),
        (b"MAIL FROM:<a@b>\r\n", Reply(451, "later"), Mail, b"451 4.0.0 later"),
        (ENVELOPE, Reply(550, ["no", "and no"]), Rcpt, b"550-5.0.0 no\r\n550 5.0.0 and no"),
        (ENVELOPE, Reply(550, "no", "5.1.1"), Rcpt, b"550 5.1.1 no"),
        (ENVELOPE, Reply(550, "5.1.1 no"), Rcpt, b"550 5.1.1 no"),
        (ENVELOPE, Reply(550, "5.1.1"), Rcpt, b"550 5.1.1"),
        (ENVELOPE, Reply(550, "5.1.1.1 is not the address"), Rcpt, b"550 5.0.0 5.1.1.1 is not the address"),
        (ENVELOPE, Reply(550, ""), Rcpt, b"550 5.0.0 "),
        (ENVELOPE + b"DATA\r\n", Reply(354, "go"), Data, b"354 go"),
        (ENVELOPE + b"DATA\r\n", Reply(554, "no"), Data, b"554 5.0.0 no"),
        (b"EXPN x\r\n", Reply(250, ["a <a@b>", "c <c@d>"]), Expn, b"250-2.0.0 a <a@b>\r\n250 2.0.0 c <c@d>"),
        (b"QUIT\r\n", Reply(221, "bye"), Quit, b"221 2.0.0 bye"),
        (b"RCPT TO:<a@b>\r\n", Reply(421, "bye"), Rcpt, b"503 5.5.1 bad sequence of commands"),
        (b"MAIL FROM:<a@b>\r\n", Reply(421, "bye"), Mail, b"421 4.0.0 bye"),
    ],
)
def test_every_reply(lines, reply, kind, expected):
    assert last(EHLO + lines, reply, kind) == expected


@pytest.mark.parametrize("greeting", [b"EHLO again\r\n", b"HELO again\r\n"])
@pytest.mark.parametrize("reply", [Reply(250, ["hello", "SIZE 5"]), Reply(550, "not you")])
def test_not_the_answers_to_greetings(greeting, reply):
    """Behind EHLO too: the line of a capability would be none any more."""
    kind = Ehlo if greeting.startswith(b"EHLO") else Helo
    server = ServerConnection("hamburger.edu", OFFERED)
    server.greet()
    server.receive_data(EHLO + greeting)
    server.next_event()
    server.accept()
    server.data_to_send()
    event = server.next_event()
    assert isinstance(event, CommandReceived)
    assert isinstance(event.command, kind)
    server.reply(reply)
    assert server.data_to_send() == bytes(reply)


def test_not_in_the_greeting_of_the_connection():
    server = ServerConnection("hamburger.edu", OFFERED)
    server.greet(Reply(554, "no SMTP service here"))
    assert server.data_to_send() == b"554 no SMTP service here\r\n"


@pytest.mark.parametrize(("before", "offered"), [(b"HELO c\r\n", OFFERED), (EHLO, Capabilities(CHUNKING))])
def test_not_where_it_is_not_offered(before, offered):
    assert last(before + ENVELOPE, Reply(550, "no", "5.1.1"), Rcpt, capabilities=offered) == b"550 no"
    assert last(before + ENVELOPE, Reply(550, "no"), Rcpt, capabilities=offered) == b"550 no"


@pytest.mark.parametrize("content", [b"DATA\r\nHello\r\n.\r\n", b"BDAT 7 LAST\r\nHello\r\n"])
def test_verdicts(content):
    trace = run_server([EHLO + ENVELOPE + content], application=verdict, capabilities=OFFERED)
    assert trace.output.endswith(b"\r\n550 5.0.0 not that\r\n")


def verdict(machine, command):
    ends = machine.state.name in {"CONTENT", "CHUNKS"} or (command.verb == "BDAT" and machine.receiving)
    if ends and command.verb != "DATA":
        machine.reply(Reply(550, "not that"))
    else:
        machine.accept()
