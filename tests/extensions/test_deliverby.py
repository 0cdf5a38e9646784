"""DELIVERBY (RFC 2852): a time, a mode, and the least that a server takes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from smtpcore import Capabilities, Ehlo, LocalProtocolError, Mail, ParseError
from smtpcore.extensions import BY, DELIVERBY, ByMode, DeliverBy
from tests.extensions.talking import codes, pair
from tests.session.helpers import ALICE
from tests.strategies import deliver_bys

NOTIFY, RETURN = ByMode.NOTIFY, ByMode.RETURN


@pytest.mark.parametrize(
    ("text", "value", "written"),
    [
        ("120;R", DeliverBy(120, RETURN), "120;R"),
        ("+120;r", DeliverBy(120, RETURN), "120;R"),
        ("1;R", DeliverBy(1, RETURN), "1;R"),
        ("0;N", DeliverBy(0, NOTIFY), "0;N"),
        ("-10;NT", DeliverBy(-10, NOTIFY, trace=True), "-10;NT"),
        ("999999999;Rt", DeliverBy(999_999_999, RETURN, trace=True), "999999999;RT"),
        ("-999999999;n", DeliverBy(-999_999_999, NOTIFY), "-999999999;N"),
        ("000000001;R", DeliverBy(1, RETURN), "1;R"),
    ],
)
def test_read(text, value, written):
    assert BY.decode(text) == value
    assert BY(value).text == written


@pytest.mark.parametrize(
    "text",
    ["", ";", "120", "120;", ";R", "120;X", "120;RX", "120;T", "120;RTT", "1234567890;R", "+1234567890;N", "--1;N",
     "+;N", "1.5;N", "120,R", "120; R", "\u0661;R", "0;R", "-0;R", "-10;RT", "-1;R", None],
)  # fmt: skip
def test_not_read(text):
    with pytest.raises(ParseError):
        BY.decode(text)


@given(deliver_bys)
def test_round_trip(value):
    text = BY(value).text
    assert text is not None
    assert len(f" BY={text}") <= 17, "RFC 2852 s2"
    assert BY.decode(text) == value


def test_no_values():
    with pytest.raises(ParseError, match="nine digits"):
        DeliverBy(1_000_000_000, RETURN)
    with pytest.raises(ParseError, match="nine digits"):
        DeliverBy(-1_000_000_000, NOTIFY)
    with pytest.raises(ParseError, match="above zero"):
        DeliverBy(0, RETURN)
    wrong: Any
    for wrong in (("5", RETURN), (5, "R"), (True, RETURN), (1.5, NOTIFY)):
        with pytest.raises(TypeError):
            DeliverBy(*wrong)
    with pytest.raises(TypeError, match="DeliverBy"):
        BY("120;R")  # type: ignore[arg-type]  # what is tried


@pytest.mark.parametrize(("text", "least"), [("240", 240), ("0", 0), ("240,X,y-z", 240), ("999999999", 999_999_999)])
def test_offered(text, least):
    assert Capabilities.parse([f"DELIVERBY {text}"]).get(DELIVERBY) == least


@pytest.mark.parametrize("text", ["", "x", "-1", "1234567890", "240,", "240 x", ",x"])
def test_offered_without_a_least_time(text):
    offered = Capabilities.parse([f"DELIVERBY {text}"])
    assert DELIVERBY in offered
    assert offered.get(DELIVERBY) is None


@pytest.mark.parametrize(
    ("least", "value", "code"),
    [(240, "240;R", 250), (240, "239;R", 555), (240, "1;N", 250), (240, "-5;N", 250), (0, "1;R", 250),
     (None, "1;R", 250), (240, "0;R", 501), (240, "x", 501)],
)  # fmt: skip
def test_a_server(least, value, code):
    offer = DELIVERBY if least is None else DELIVERBY.offer(least)
    assert codes([f"MAIL FROM:<a@b> BY={value}".encode()], offer) == [code]


@pytest.mark.parametrize(("greeting", "offered"), [(b"EHLO c", ()), (b"HELO c", (DELIVERBY,))])
def test_not_offered(greeting, offered):
    assert codes([b"MAIL FROM:<a@b> BY=120;R"], *offered, greeting=greeting) == [555]
    assert codes([b"MAIL FROM:<a@b>", b"RCPT TO:<c@d> BY=120;R"], DELIVERBY) == [250, 555]


def test_a_client_keeps_to_the_least_time():
    both = pair(DELIVERBY.offer(240))
    both.exchange(Ehlo("crepes.fr"))
    with pytest.raises(LocalProtocolError, match="at least 240 seconds"):
        both.client.send(Mail(ALICE, BY(DeliverBy(239, RETURN))))
    assert [reply.code for reply in both.exchange(Mail(ALICE, BY(DeliverBy(240, RETURN, trace=True))))] == [250]
    assert both.server.transaction.mail.parameters[BY] == DeliverBy(240, RETURN, trace=True)
