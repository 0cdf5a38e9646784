"""Return-Path and Received: right for every way in, and no place for a stranger's text to grow fields in."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smtpcore import LAX, Capabilities, CommandReceived, ServerConnection
from smtpcore.cli.trace import trace_fields
from smtpcore.extensions import EIGHTBITMIME, SMTPUTF8
from smtpcore.flows.handler import Served
from smtpcore.message.date import DateTime
from smtpcore.message.header import Header
from smtpcore.message.received import Received
from smtpcore.message.trace import ReturnPath
from tests.cli.commandline import Talk, messages, serving, stuffed

NOW = datetime(2026, 11, 23, 20, 20, 17, tzinfo=timezone(timedelta(hours=1)))


def session(*lines: bytes, peer: object = ("192.0.2.1", 40_000), tls: bool = False) -> Served | None:
    """A session after these commands; None when one of them was refused."""
    machine = ServerConnection("hamburger.edu", Capabilities(SMTPUTF8, EIGHTBITMIME), strictness=LAX, tls=tls)
    machine.greet()
    for line in lines:
        machine.receive_data(line + b"\r\n")
        while not isinstance(event := machine.next_event(), CommandReceived):
            if not hasattr(event, "why"):
                return None
        machine.accept()
    return Served(machine, peer)


def fields(*lines: bytes, **options) -> str:
    found = session(*lines, **options)
    assert found is not None
    return trace_fields(found, "hamburger.edu", "M1", NOW).decode()


def test_the_fields():
    assert fields(b"EHLO crepes.fr", b"MAIL FROM:<alice@crepes.fr>", b"RCPT TO:<bob@hamburger.edu>") == (
        "Return-Path: <alice@crepes.fr>\r\n"
        "Received: from crepes.fr ([192.0.2.1])\r\n"
        "\tby hamburger.edu with ESMTP id M1\r\n"
        "\tfor <bob@hamburger.edu>;\r\n"
        "\tMon, 23 Nov 2026 20:20:17 +0100\r\n"
    )


def test_null_reverse_path_and_several_recipients():
    """RFC 5321 s4.5.5, and s7.2: whom else it went to is nobody's business."""
    assert fields(b"HELO crepes.fr", b"MAIL FROM:<>", b"RCPT TO:<Postmaster>", b"RCPT TO:<c@d>") == (
        "Return-Path: <>\r\n"
        "Received: from crepes.fr ([192.0.2.1])\r\n"
        "\tby hamburger.edu with SMTP id M1;\r\n"
        "\tMon, 23 Nov 2026 20:20:17 +0100\r\n"
    )


@pytest.mark.parametrize(
    ("lines", "tls", "word"),
    [
        ([b"HELO a", b"MAIL FROM:<a@b>"], False, "SMTP"),
        ([b"EHLO a", b"MAIL FROM:<a@b>"], False, "ESMTP"),
        ([b"EHLO a", b"MAIL FROM:<a@b>"], True, "ESMTPS"),
        ([b"EHLO a", b"MAIL FROM:<a@b> SMTPUTF8"], False, "UTF8SMTP"),
        ([b"EHLO a", b"MAIL FROM:<a@b> SMTPUTF8"], True, "UTF8SMTPS"),
    ],
)
def test_the_name_of_the_protocol(lines, tls, word):
    assert f" with {word} id M1" in fields(*lines, b"RCPT TO:<c@d>", tls=tls)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"crepes.fr", "crepes.fr"),
        (b"[192.0.2.7]", "[192.0.2.7]"),
        (b"[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]"),
        # RFC 5321 s4.1.4: what is no host is no reason to refuse, and is told in a comment
        (b"my_host", "[192.0.2.1] (HELO my_host)"),
        (b"[192.0.2.7", "[192.0.2.1] (HELO [192.0.2.7)"),
        (b"via", "[192.0.2.1] (HELO via)"),
        (b"x)(y", r"[192.0.2.1] (HELO x\)\(y)"),
        (b"a;b", "[192.0.2.1] (HELO a;b)"),
        (b'"quoted"', '[192.0.2.1] (HELO "quoted")'),
        (b"<a@b>", "[192.0.2.1] (HELO <a@b>)"),
        (b"=?utf-8?q?=0D=0ABcc:x?=", "[192.0.2.1] (HELO =?utf-8?q?=0D=0ABcc:x?=)"),
    ],
)
def test_what_clients_call_themselves(name, shown):
    host, _, said = shown.partition(" ")
    assert fields(b"EHLO " + name, b"MAIL FROM:<a@b>", b"RCPT TO:<c@d>").split("\r\n")[1] == (
        f"Received: from {host} ([192.0.2.1]){' ' * bool(said)}{said}"
    )


def test_the_longest_name_that_the_server_takes():
    found = fields(b"EHLO " + b"(" * 255, b"MAIL FROM:<a@b>", b"RCPT TO:<c@d>")
    assert found.split("\r\n")[1].endswith(" (HELO " + "\\(" * 255 + ")")


@pytest.mark.parametrize("recipient", [b'"a> for <evil"@b', b"bob@my_host", b"x" * 1900 + b"@b"])
def test_a_recipient_that_received_cannot_tell_is_left_out(recipient):
    """The message is delivered all the same; ``for`` may be missing (RFC 5321 s4.4)."""
    assert fields(b"EHLO a", b"MAIL FROM:<" + recipient + b">", b"RCPT TO:<" + recipient + b">") == (
        f"Return-Path: <{recipient.decode()}>\r\n"
        "Received: from a ([192.0.2.1])\r\n"
        "\tby hamburger.edu with ESMTP id M1;\r\n"
        "\tMon, 23 Nov 2026 20:20:17 +0100\r\n"
    )


def test_utf8_where_it_was_asked_for():
    found = fields(b"EHLO a", "MAIL FROM:<\xe5@cr\xeapes.fr> SMTPUTF8".encode(), "RCPT TO:<\xfc@d>".encode())
    assert found.startswith("Return-Path: <\xe5@cr\xeapes.fr>\r\nReceived: from a ([192.0.2.1])\r\n")
    assert "\r\n\tfor <\xfc@d>;\r\n" in found


@pytest.mark.parametrize(
    ("peer", "shown"),
    [
        (("2001:db8::1", 1, 0, 0), "a ([IPv6:2001:db8::1])"),
        (("fe80::1%eth0", 1, 0, 2), "a ([IPv6:fe80::1])"),
        ("/run/socket", "a"),
        (None, "a"),
        (("not an address", 1), "a"),
    ],
)
def test_peers_of_any_kind(peer, shown):
    assert f"from {shown}\r\n" in fields(b"EHLO a", b"MAIL FROM:<a@b>", b"RCPT TO:<c@d>", peer=peer)


PIECES = b'a . - @ < > " \\ ( ) ; : , [ ] \xc3\xbc Bcc:x@y \xff \x00 \x0b \xe2\x80\xa8 \x85 =?utf-8?q?=0A?= IPv6: ::1'
WORDS = st.lists(st.sampled_from([*PIECES.split(b" "), b" ", b"\t"]), max_size=12).map(b"".join)


@given(WORDS, WORDS, WORDS, st.booleans())
@example(b"x", b'"\\" ; x"@b', b'"a> for <evil"@b', False)
def test_nobody_gets_a_field_of_their_own(name, sender, recipient, utf8):
    """Whatever the server lets through, these are two fields, and every line is one of ours."""
    parameter = b" SMTPUTF8" if utf8 else b""
    lines = (b"EHLO " + name, b"MAIL FROM:<" + sender + b">" + parameter, b"RCPT TO:<" + recipient + b">")
    found = session(*lines) or session(b"EHLO a", *lines[1:]) or session(lines[0], b"MAIL FROM:<>", b"RCPT TO:<a@b>")
    if found is None:
        return
    octets = trace_fields(found, "hamburger.edu", "M1", NOW)
    assert octets.endswith(b"\r\n")
    shown = octets[:-2].split(b"\r\n")
    assert [line[:1] == b"\t" for line in shown] == [False, False] + [True] * (len(shown) - 2)
    assert shown[0].startswith(b"Return-Path: <")
    assert shown[0].endswith(b">")
    assert re.match(rb"Received: from [^\s();]+ \(\[192\.0\.2\.1\]\)(?= \(HELO |$)", shown[1])
    assert shown[2].removesuffix(b";") in {
        b"\tby hamburger.edu with " + kind + b" id M1" for kind in (b"ESMTP", b"UTF8SMTP")
    }
    assert shown[-1] == b"\tMon, 23 Nov 2026 20:20:17 +0100"
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", octets.replace(b"\r\n", b""))
    parsed = email.message_from_bytes(octets + b"\r\nbody", policy=email.policy.compat32)
    assert parsed.keys() == ["Return-Path", "Received"]
    check_told(octets, found)


def check_told(octets: bytes, session: Served) -> None:
    """Read back, the fields say what the session was, and nothing that a stranger would have liked them to say."""
    received = told(octets, "[192.0.2.1]")
    assert received.id == "M1"
    assert str(received.date) == str(DateTime.from_datetime(NOW))
    if received.for_ is not None:
        assert session.transaction.recipients == (received.for_,)
    assert Header.parse(octets).return_path == ReturnPath(session.transaction.sender)


def told(octets: bytes, address: str) -> Received:
    """The Received field, of octets that are a Return-Path and a Received field and no more."""
    header = Header.parse(octets)
    assert bytes(header) == octets
    assert [field.name for field in header] == [b"Return-Path", b"Received"]
    assert not header.defects
    received = Received.parse(header.fields[1].text)
    clauses = [clause.name for clause in received.clauses]
    assert clauses in (["from", "by", "with", "id"], ["from", "by", "with", "id", "for"])
    assert received.from_ is not None
    assert received.by is not None
    assert (str(received.from_.address), str(received.by.name)) == (address, "hamburger.edu")
    return received


def put(tmp_path, *commands: bytes, content: bytes = b"\r\n") -> bytes:
    """What is delivered of a message that came in over a socket."""
    with serving("--maildir", tmp_path, "--hostname", "hamburger.edu") as address, Talk(address) as talk:
        assert [reply[:3] for reply in talk.say(*commands, b"DATA")] == ["250"] * len(commands) + ["354"]
        talk.write(stuffed(content))
        assert talk.reply().startswith("250")
    (message,) = messages(tmp_path)
    return message


def test_through_the_server(tmp_path):
    """What the content brings along of the same kind: Return-Path goes, all else is as it came."""
    message = put(
        tmp_path,
        b"EHLO a;b",
        b'MAIL FROM:<"a>\\" x: y"@crepes.fr>',
        b"RCPT TO:<bob@hamburger.edu>",
        content=b"return-path : <old@x>\r\n\tfolded\r\nReceived: from elsewhere\r\n\r\nReturn-Path: <in@body>\r\n",
    )
    shown = message.split(b"\r\n")
    assert shown[0] == b'Return-Path: <"a>\\" x: y"@crepes.fr>'
    assert shown[1] == b"Received: from [127.0.0.1] ([127.0.0.1]) (HELO a;b)"
    assert shown[4].startswith(b"\t")
    assert b"\r\n".join(shown[5:]) == b"Received: from elsewhere\r\n\r\nReturn-Path: <in@body>\r\n"


HOSTILE = [
    (b"EHLO \xff\x00)\x0bBcc:(y", b"MAIL FROM:<>", b"RCPT TO:<bob@hamburger.edu>"),
    (b"HELO \r)\x85Bcc: z@y(", b"MAIL FROM:<a@b>", b"RCPT TO:<Postmaster>"),
    (b"EHLO " + b"\\(" * 900, b"MAIL FROM:<" + b"x" * 64 + b"@b>", b"RCPT TO:<" + b"y" * 64 + b"@d>"),
    (b"EHLO " + b"a.b " * 450, b'MAIL FROM:<"\\"> \\" Bcc: x"@b>', b'RCPT TO:<"a> for <evil"@b>'),
    (b"EHLO " + b"\\(" * 127, b'MAIL FROM:<"x"@b>', b'RCPT TO:<"y) for (z"@b>'),
    (b'EHLO by;x)("\\', b"MAIL FROM:<>", b'RCPT TO:<"\\""@b>'),
    (b"EHLO by with id for; x", b'MAIL FROM:<"\\\\"@b>', b'RCPT TO:<"(; Mon, 1 Jan 2001 00:00:00 +0000"@b>'),
    (b"EHLO [IPv6:::1] by", b'MAIL FROM:<"a\\ b"@[192.0.2.9]>', b'RCPT TO:<" with ESMTPSA"@b>'),
    (b"EHLO a", 'MAIL FROM:<"\xfc> \u2028"@b> SMTPUTF8'.encode(), "RCPT TO:<\xe9@b>".encode()),
]


@pytest.mark.parametrize("commands", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_input_gets_in_between_two_fields_at_most(tmp_path, commands):
    """However the octets are meant: the delivered message is two new fields and the content."""
    content = b"Subject: x\r\n\r\nReceived: body\r\n"
    with serving("--maildir", tmp_path, "--hostname", "hamburger.edu") as address, Talk(address) as talk:
        replies = talk.say(*commands)
        # What the server refuses does not get that far; the rest of the dialogue is an ordinary one.
        if not replies[0].startswith("250"):
            talk.say(b"EHLO crepes.fr")
        if not replies[1].startswith("250") or not replies[0].startswith("250"):
            talk.say(b"MAIL FROM:<a@b>")
        talk.say(b"RCPT TO:<bob@hamburger.edu>" if not replies[2].startswith("250") else b"NOOP", b"DATA")
        talk.write(stuffed(content))
        assert talk.reply().startswith("250")
    (message,) = messages(tmp_path)
    assert message.endswith(content)
    told(message.removesuffix(content), "[127.0.0.1]")
    parsed = email.message_from_bytes(message, policy=email.policy.compat32)
    assert parsed.keys() == ["Return-Path", "Received", "Subject"]
