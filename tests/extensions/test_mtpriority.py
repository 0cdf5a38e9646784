"""MT-PRIORITY (RFC 6710): from -9 to 9, and the name of a policy."""

from __future__ import annotations

import pytest

from smtpcore import Capabilities, Ehlo, LocalProtocolError, Mail, ParseError
from smtpcore.extensions import MT_PRIORITY, PRIORITY
from tests.extensions.talking import codes, pair
from tests.session.helpers import ALICE


@pytest.mark.parametrize("number", range(-9, 10))
def test_priorities(number):
    assert str(PRIORITY(number)) == f"MT-PRIORITY={number}"
    assert len(f" {PRIORITY(number)}") <= 15, "RFC 6710 s3"
    assert PRIORITY.decode(str(number)) == number
    assert codes([f"MAIL FROM:<a@b> MT-PRIORITY={number}".encode()], MT_PRIORITY) == [250]


@pytest.mark.parametrize("text", ["", "10", "-10", "-0", "+1", "00", "01", "-", "1.0", "x", "\u0661", None])
def test_no_priorities(text):
    with pytest.raises(ParseError):
        PRIORITY.decode(text)


@pytest.mark.parametrize("number", [10, -10, True])
def test_no_values(number):
    with pytest.raises(ParseError):
        PRIORITY(number)


@pytest.mark.parametrize("name", ["MIXER", "STANAG4406", "NSEP", "a.b_c-d", "x" * 20])
def test_policies(name):
    assert str(MT_PRIORITY.offer(name)) == f"MT-PRIORITY {name}"
    assert Capabilities.parse([f"MT-PRIORITY {name}"]).get(MT_PRIORITY) == name


@pytest.mark.parametrize("name", ["", "x" * 21, "a b", "a/b", "\u00e9"])
def test_no_policies(name):
    with pytest.raises(ParseError):
        MT_PRIORITY.offer(name)
    offered = Capabilities.parse([f"MT-PRIORITY {name}"])
    assert MT_PRIORITY in offered
    assert offered.get(MT_PRIORITY) is None


@pytest.mark.parametrize("value", [b"10", b"+1", b"-0"])
def test_wrong(value):
    """RFC 6710 s4.1."""
    assert codes([b"MAIL FROM:<a@b> MT-PRIORITY=" + value], MT_PRIORITY) == [501]
    assert codes([b"MAIL FROM:<a@b> MT-PRIORITY=1 MT-PRIORITY=1"], MT_PRIORITY) == [501]


@pytest.mark.parametrize(("greeting", "offered"), [(b"EHLO c", ()), (b"HELO c", (MT_PRIORITY,))])
def test_not_offered(greeting, offered):
    assert codes([b"MAIL FROM:<a@b> MT-PRIORITY=1"], *offered, greeting=greeting) == [555]


def test_both_sides():
    both = pair(MT_PRIORITY.offer("MIXER"))
    both.exchange(Ehlo("crepes.fr"), Mail(ALICE, PRIORITY(-4)))
    assert both.server.transaction.mail.parameters[PRIORITY] == -4
    both = pair()
    both.exchange(Ehlo("crepes.fr"))
    with pytest.raises(LocalProtocolError, match="MT-PRIORITY=1"):
        both.client.send(Mail(ALICE, PRIORITY(1)))
