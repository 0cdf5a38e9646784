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
from tests.cli.commandline import Talk, messages, serving

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
        (b"my_host", "my_host"),
        (b"[192.0.2.7]", "[192.0.2.7]"),
        (b"[IPv6:2001:db8::1]", "[IPv6:2001:db8::1]"),
        (b"[192.0.2.7", "[192.0.2.1]"),
        (b"x)(y", "[192.0.2.1]"),
        (b"a;b", "[192.0.2.1]"),
        (b'"quoted"', "[192.0.2.1]"),
        (b"<a@b>", "[192.0.2.1]"),
        (b"=?utf-8?q?=0D=0ABcc:x?=", "[192.0.2.1]"),
    ],
)
def test_what_clients_call_themselves(name, shown):
    assert fields(b"EHLO " + name, b"MAIL FROM:<a@b>", b"RCPT TO:<c@d>").split("\r\n")[1] == (
        f"Received: from {shown} ([192.0.2.1])"
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
    assert re.fullmatch(rb"Received: from [^\s();]+ \(\[192\.0\.2\.1\]\)", shown[1])
    assert shown[2].removesuffix(b";") in {
        b"\tby hamburger.edu with " + kind + b" id M1" for kind in (b"ESMTP", b"UTF8SMTP")
    }
    assert shown[-1] == b"\tMon, 23 Nov 2026 20:20:17 +0100"
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", octets.replace(b"\r\n", b""))
    parsed = email.message_from_bytes(octets + b"\r\nbody", policy=email.policy.compat32)
    assert parsed.keys() == ["Return-Path", "Received"]


def test_through_the_server(tmp_path):
    """The same over a socket, with what a client might try."""
    with serving("--maildir", tmp_path, "--hostname", "hamburger.edu") as address, Talk(address) as talk:
        talk.say("EHLO x)\x0bBcc:(y", "EHLO a;b")
        replies = talk.say('MAIL FROM:<"a>\\" x: y"@crepes.fr>', "RCPT TO:<bob@hamburger.edu>", "DATA")
        assert [reply[:3] for reply in replies] == ["250", "250", "354"]
        talk.write(b"Return-Path: <old@x>\r\nReceived: from elsewhere\r\n\r\nbody\r\n.\r\n")
        assert talk.reply().startswith("250")
    (message,) = messages(tmp_path)
    shown = message.split(b"\r\n")
    assert shown[0] == b'Return-Path: <"a>\\" x: y"@crepes.fr>'
    assert shown[1] == b"Received: from [127.0.0.1] ([127.0.0.1])"
    # the content is as it came, whatever it claims
    assert message.endswith(b"\r\nReturn-Path: <old@x>\r\nReceived: from elsewhere\r\n\r\nbody\r\n")
