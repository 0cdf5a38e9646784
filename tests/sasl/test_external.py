"""EXTERNAL (RFC 4422, appendix A), both halves."""

from __future__ import annotations

import pytest

from smtpcore import ParseError
from smtpcore.sasl import Channel, Credentials, External, ExternalServer, Unproven
from tests.sasl.exchanges import converse

ALICE = Channel(identity="alice")


@pytest.mark.parametrize("initial", [True, False], ids=["initial", "asked"])
@pytest.mark.parametrize("authzid", ["", "alice", "bob", "bøb"])
def test_who_the_certificate_names(authzid, initial):
    result, said = converse(External(authzid), ExternalServer(), channel=ALICE, initial=initial)
    assert result == Credentials("EXTERNAL", "alice", b"", authzid, proven=True)
    assert said == ([] if initial else [b""]) + [authzid.encode()]


@pytest.mark.parametrize("channel", [None, Channel(), Channel(peer_certificate=b"x"), Channel(identity="")], ids=repr)
def test_nobody_is_proved_without_a_certificate(channel):
    result, _ = converse(External("alice"), ExternalServer(), channel=channel)
    assert isinstance(result, Unproven)


@pytest.mark.parametrize("octets", [b"\xff", b"a\x00b", b"a\r\nb", b"\xc2\x85", b"x" * 256], ids=repr)
def test_names_that_are_none(octets):
    server = ExternalServer()
    server.bind(ALICE, ())
    with pytest.raises(ParseError):
        server.step(octets)


def test_the_client_has_one_message():
    client = External()
    assert client.step(None) == b""
    for challenge in (b"", b"x"):
        with pytest.raises(ParseError):
            client.step(challenge)
    with pytest.raises(ParseError):
        External("a\0b")
