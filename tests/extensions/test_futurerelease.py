"""FUTURERELEASE (RFC 4865): one of two times, within the limits that the server has said."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import Capabilities, Ehlo, LocalProtocolError, Mail, ParseError
from smtpcore.extensions import FUTURERELEASE, HOLDFOR, HOLDUNTIL, ReleaseLimits, Timestamp
from tests.extensions.talking import codes, pair
from tests.session.helpers import ALICE
from tests.strategies import timestamps

LIMITS = ReleaseLimits(864_000, Timestamp("2027-02-23T00:00:00Z"))
OFFERED = FUTURERELEASE.offer(LIMITS)


@pytest.mark.parametrize(("text", "seconds"), [("1", 1), ("3600", 3600), ("999999999", 999_999_999)])
def test_holdfor(text, seconds):
    assert HOLDFOR.decode(text) == seconds
    assert HOLDFOR(seconds).text == text


@pytest.mark.parametrize("text", ["", "0", "01", "-1", "+1", "1000000000", "1_0", "x", "\u0661", "1s", None])
def test_no_holdfor(text):
    with pytest.raises(ParseError):
        HOLDFOR.decode(text)
    wrong: Any
    for wrong in (0, -1, 1_000_000_000, True, "x"):
        with pytest.raises(ParseError):
            HOLDFOR(wrong)


@given(timestamps)
def test_holduntil_round_trip(timestamp):
    text = HOLDUNTIL(timestamp).text
    assert text is not None
    assert HOLDUNTIL.decode(text) == timestamp


@pytest.mark.parametrize("text", ["", "3600", "2022-01-02", "2022-01-02T01:01:01", None])
def test_no_holduntil(text):
    with pytest.raises(ParseError):
        HOLDUNTIL.decode(text)


@given(st.integers(1, 999_999_999), timestamps)
def test_the_offer_round_trip(interval, until):
    limits = ReleaseLimits(interval, until)
    line = str(FUTURERELEASE.offer(limits))
    assert line == f"FUTURERELEASE {interval} {until}"
    assert Capabilities.parse([line]).get(FUTURERELEASE) == limits


@pytest.mark.parametrize("text", ["", "1", "0 2027-02-23T00:00:00Z", "1 x", "1  2027-02-23T00:00:00Z", "x y", "1 2 3"])
def test_an_offer_that_cannot_be_read(text):
    offered = Capabilities.parse([f"FUTURERELEASE {text}"])
    assert FUTURERELEASE in offered
    assert offered.get(FUTURERELEASE) is None


def test_no_limits():
    with pytest.raises(ParseError):
        ReleaseLimits(0, LIMITS.until)
    wrong: Any = "2027-02-23T00:00:00Z"
    with pytest.raises(TypeError):
        ReleaseLimits(1, wrong)
    with pytest.raises(TypeError):
        HOLDUNTIL(wrong)


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ("HOLDFOR=864000", 250),
        ("HOLDFOR=864001", 501),
        ("HOLDUNTIL=2027-02-23T00:00:00Z", 250),
        ("HOLDUNTIL=2027-02-23T01:00:00+01:00", 250),
        ("HOLDUNTIL=2027-02-23T00:00:01Z", 501),
        ("HOLDUNTIL=2027-02-23T00:00:00-00:01", 501),
        ("HOLDUNTIL=2027-02-23T00:00:00.5Z", 501),
        ("HOLDFOR=1 HOLDUNTIL=2027-02-22T00:00:00Z", 501),
        ("HOLDUNTIL=2027-02-22T00:00:00Z HOLDFOR=1", 501),
        ("HOLDFOR=1 HOLDFOR=1", 501),
        ("HOLDFOR=0", 501),
        ("HOLDFOR", 501),
        ("HOLDUNTIL=tomorrow", 501),
    ],
)
def test_a_server(parameters, code):
    assert codes([f"MAIL FROM:<a@b> {parameters}".encode()], OFFERED) == [code]


def test_a_server_without_limits():
    assert codes([b"MAIL FROM:<a@b> HOLDFOR=999999999"], FUTURERELEASE) == [250]
    assert codes([b"MAIL FROM:<a@b> HOLDFOR=1 HOLDUNTIL=2027-02-22T00:00:00Z"], FUTURERELEASE) == [501]


@pytest.mark.parametrize(("greeting", "offered"), [(b"EHLO c", ()), (b"HELO c", (OFFERED,))])
@pytest.mark.parametrize("parameter", [b"HOLDFOR=1", b"HOLDUNTIL=2027-02-22T00:00:00Z"])
def test_not_offered(parameter, greeting, offered):
    assert codes([b"MAIL FROM:<a@b> " + parameter], *offered, greeting=greeting) == [555]


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ([HOLDFOR(864_001)], "more than 864000 seconds"),
        ([HOLDUNTIL(Timestamp("2027-02-23T00:00:01Z"))], "beyond 2027-02-23T00:00:00Z"),
        ([HOLDFOR(1), HOLDUNTIL(Timestamp("2027-02-22T00:00:00Z"))], "exclude each other"),
    ],
)
def test_a_client_keeps_to_the_limits(parameters, says):
    both = pair(OFFERED)
    both.exchange(Ehlo("crepes.fr"))
    with pytest.raises(LocalProtocolError, match=says):
        both.client.send(Mail(ALICE, *parameters))
    assert [reply.code for reply in both.exchange(Mail(ALICE, HOLDFOR(864_000)))] == [250]
    assert both.server.transaction.mail.parameters[HOLDFOR] == 864_000
