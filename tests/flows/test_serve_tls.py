"""STARTTLS on the server's side: a wall, whatever comes with it and however the handshake ends."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from smtpcore import State
from smtpcore.flows.effect import Handshake
from tests.flows.driving import EOF
from tests.flows.serving import EHLO, MAIL, NOOP, QUIT, RCPT, WAYS, Hall, Scripted, codes

STARTTLS = b"STARTTLS\r\n"


def offering(handler: Any = None, tls: Any = "opportunistic") -> Hall:
    hall = Hall(handler or Scripted(), tls=tls)
    hall.said()
    return hall


def test_the_upgrade():
    handler = Scripted()
    hall = offering(handler).ready()
    assert hall.say(STARTTLS).endswith("220 2.0.0 ready to start TLS\r\n")
    assert isinstance(hall.waits, Handshake)
    replies = hall.say(None, EHLO)
    assert "STARTTLS" not in replies
    assert hall.session.tls
    assert codes(hall.say(MAIL, QUIT)) == [250, 221]
    assert hall.closed
    # It is the script's business, not the handler's.
    assert [type(args[0]).__name__ for call, args in zip(handler.calls, handler.args) if call == "command"] == [
        "Ehlo", "Ehlo", "Quit",
    ]  # fmt: skip


def test_the_session_begins_anew():
    """TLS-07"""
    hall = offering(Scripted(authenticate=True)).ready()
    assert hall.session.client == "crepes.fr"
    hall.say(STARTTLS, None)
    assert hall.session.client is None
    assert not hall.session.esmtp
    assert codes(hall.say(MAIL)) == [503]
    assert "AUTH PLAIN LOGIN" in hall.say(EHLO)
    assert codes(hall.say(STARTTLS)) == [503]


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param(b"RSET\r\nAUTH PLAIN AGEAYg==\r\n", id="TLS-01"),
        pytest.param(b"MAIL FROM:<a@b>\r\n", id="TLS-01-mail"),
        pytest.param(b"\r\n", id="TLS-01-line"),
        pytest.param(b"R", id="TLS-01-half-a-line"),
    ],
)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_octets_in_the_clear_behind_starttls(tail, way):
    handler = Scripted(way=way, authenticate=True)
    hall = offering(handler).ready()
    before = list(handler.calls)
    hall.say(STARTTLS + tail)
    assert hall.closed
    assert hall.stage.played.handshakes == 0
    assert handler.calls == [*before, "closed"]
    assert not hall.session.tls
    assert hall.session.identity is None
    # A peer that breaks the protocol is no error of this side.
    assert hall.reported == []


@pytest.mark.parametrize(
    "error",
    [
        ssl.SSLError("no shared cipher"),
        ConnectionResetError("gone"),
        TimeoutError("too slow"),
        ConnectionError("closed"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_failed_handshake_ends_the_connection(error):
    handler = Scripted()
    hall = offering(handler).ready()
    said = len(hall.stage.played.written)
    hall.say(STARTTLS, error)
    assert hall.closed
    assert hall.machine.state is State.CLOSED
    assert hall.stage.played.error is None
    assert hall.reported == []
    assert handler.calls[-1] == "closed"
    assert hall.stage.played.written[said:] == b"220 2.0.0 ready to start TLS\r\n"  # and nothing behind it


@pytest.mark.parametrize(
    ("line", "code"), [(b"STARTTLS now\r\n", 501), (b"STARTTLS \r\n", 220)], ids=["TLS-05", "trailing-space"]
)
def test_an_argument(line, code):
    hall = offering().ready()
    replies = codes(hall.say(line))
    assert replies == [code]
    if code == 501:
        assert codes(hall.say(NOOP, QUIT)) == [250, 221]


def test_in_a_transaction():
    """TLS-06"""
    assert codes(offering().ready().say(MAIL, STARTTLS, NOOP)) == [250, 503, 250]


def test_not_offered():
    hall = Hall(Scripted()).ready()
    assert codes(hall.say(STARTTLS)) == [502]
    assert codes(Hall(Scripted(), tls="implicit").ready().say(STARTTLS)) == [502]


def test_required():
    """TLS-12: nothing that matters is done before TLS."""
    handler = Scripted(authenticate=True)
    hall = offering(handler, "required")
    offer = hall.say(EHLO)
    assert "AUTH" not in offer
    assert "STARTTLS" in offer
    replies = hall.say(MAIL, RCPT, b"VRFY bob\r\n", b"AUTH PLAIN =\r\n", NOOP)
    assert codes(replies) == [530, 530, 530, 538, 250]
    assert "530 5.7.0" in replies
    hall.say(STARTTLS, None, EHLO)
    assert codes(hall.say(b"AUTH PLAIN AGEAYg==\r\n", MAIL)) == [235, 250]


def test_implicit_tls_is_there_from_the_start():
    hall = Hall(Scripted(), tls="implicit")
    assert hall.session.tls
    assert hall.stage.played.handshakes == 0  # the adapter has done it


def test_the_client_goes_away_instead():
    hall = offering().ready()
    hall.say(STARTTLS, ConnectionError("end of stream"))
    assert hall.closed
    hall = offering().ready()
    hall.say(STARTTLS, None, EOF)
    assert hall.closed
