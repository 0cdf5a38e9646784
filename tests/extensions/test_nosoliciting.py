"""NO-SOLICITING (RFC 3865): what is named at the door is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import Capabilities, Ehlo, LocalProtocolError, Mail, ParseError
from smtpcore.extensions import ENHANCEDSTATUSCODES, NO_SOLICITING, SOLICIT
from tests.extensions.talking import codes, pair
from tests.session.helpers import ALICE
from tests.strategies import solicitations

ADV = ("net.example:ADV", "org.example:ADV:ADLT")


def test_written_and_read():
    assert str(SOLICIT(ADV)) == "SOLICIT=net.example:ADV,org.example:ADV:ADLT"
    assert SOLICIT.decode("net.example:ADV,org.example:ADV:ADLT") == ADV
    assert str(NO_SOLICITING.offer(ADV)) == "NO-SOLICITING net.example:ADV,org.example:ADV:ADLT"
    assert Capabilities.parse([str(NO_SOLICITING.offer(ADV))]).get(NO_SOLICITING) == ADV
    assert Capabilities.parse(["NO-SOLICITING"]).get(NO_SOLICITING) is None


@given(st.lists(solicitations, min_size=1, max_size=4).map(tuple))
def test_round_trip(words):
    text = SOLICIT(words).text
    assert text is not None
    assert SOLICIT.decode(text) == words


@pytest.mark.parametrize(
    "text", ["", ",", "a,", ",a", "a,,b", "1a", ".a", "a b", "a;b", "a,\u00e9", "a\r\n", "a=b", None]
)
def test_not_read(text):
    with pytest.raises(ParseError):
        SOLICIT.decode(text)


def test_limits():
    assert SOLICIT.decode("a" * 1000) == ("a" * 1000,)
    assert len(SOLICIT(("a" * 500, "b" * 499)).text or "") == 1000
    for words in (("a" * 1001,), ("a" * 500, "b" * 500)):
        with pytest.raises(ParseError, match="longer than 1000"):
            SOLICIT(words)


def test_no_values():
    for wrong in ((), ("",), ("a", "b c"), ("a,b\r\n",)):
        with pytest.raises(ParseError):
            SOLICIT(wrong)
    text: Any = "net.example:ADV"
    with pytest.raises(TypeError, match="several"):
        SOLICIT(text)


@pytest.mark.parametrize(
    ("offer", "value", "code"),
    [
        (ADV, "net.example:ADV", 550),
        (ADV, "NET.example:adv", 550),
        (ADV, "com.example:X,org.example:ADV:ADLT", 550),
        (ADV, "net.example:ADVENT", 250),
        (ADV, "org.example:ADV", 250),
        (None, "net.example:ADV", 250),
        (ADV, "1", 501),
        (ADV, "", 501),
    ],
)
def test_a_server(offer, value, code):
    offered = NO_SOLICITING if offer is None else NO_SOLICITING.offer(offer)
    assert codes([f"MAIL FROM:<a@b> SOLICIT={value}".encode()], offered) == [code]
    assert codes([b"MAIL FROM:<a@b>"], offered) == [250]


@pytest.mark.parametrize(("greeting", "offered"), [(b"EHLO c", ()), (b"HELO c", (NO_SOLICITING,))])
def test_not_offered(greeting, offered):
    assert codes([b"MAIL FROM:<a@b> SOLICIT=net.example:ADV"], *offered, greeting=greeting) == [555]


def test_both_sides():
    both = pair(ENHANCEDSTATUSCODES, NO_SOLICITING.offer(ADV))
    both.exchange(Ehlo("crepes.fr"))
    assert both.client.capabilities.get(NO_SOLICITING) == ADV
    replies = both.exchange(Mail(ALICE, SOLICIT(("net.example:ADV",))))
    assert [(reply.code, str(reply.enhanced), reply.text) for reply in replies] == [
        (550, "5.7.1", "no soliciting: net.example:ADV")
    ]
    both = pair()
    both.exchange(Ehlo("crepes.fr"))
    with pytest.raises(LocalProtocolError, match="SOLICIT"):
        both.client.send(Mail(ALICE, SOLICIT(ADV)))
