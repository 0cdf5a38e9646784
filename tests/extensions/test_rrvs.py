"""RRVS (RFC 7293): since when, and what a server without it is to mean."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from smtpcore import Ehlo, LocalProtocolError, Mail, ParseError, Rcpt
from smtpcore.extensions import RRVS, IfUnsupported, Timestamp, ValidSince
from tests.extensions.talking import codes, pair
from tests.session.helpers import ALICE, BOB
from tests.strategies import valid_sinces

WHEN = Timestamp("2014-04-03T23:01:00Z")
MAIL = b"MAIL FROM:<a@b>"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2014-04-03T23:01:00Z", ValidSince(WHEN)),
        ("2014-04-03t23:01:00z", ValidSince(WHEN)),
        ("2014-04-03T23:01:00Z;C", ValidSince(WHEN, IfUnsupported.CONTINUE)),
        ("2014-04-03T23:01:00Z;r", ValidSince(WHEN, IfUnsupported.REJECT)),
    ],
)
def test_read(text, value):
    command = Rcpt(BOB, RRVS(value))
    assert RRVS.rcpt_parameters[0].decode(text) == value
    assert bytes(command) == f"RCPT TO:<bob@hamburger.edu> RRVS={text.upper()}\r\n".encode()
    assert command.parameters[RRVS] == value


@pytest.mark.parametrize(
    "text",
    ["", "2022-01-02", "2022-01-02T01:01:01", "ABC", "2014-04-03T23:01:00Z;", "2014-04-03T23:01:00Z;X", ";C",
     "2014-04-03T23:01:00Z;CR", "2014-04-03T23:01:00Z;C;R", "2020-03-19T11:13:00Z;ign0r3.th1s",
     "2014-04-03T23:01:00.5Z", "2014-04-03T23:01:00.000Z;C", None],
)  # fmt: skip
def test_not_read(text):
    with pytest.raises(ParseError):
        RRVS.rcpt_parameters[0].decode(text)


@given(valid_sinces)
def test_round_trip(value):
    text = RRVS(value).text
    assert text is not None
    assert RRVS.rcpt_parameters[0].decode(text) == value


def test_no_values():
    wrong: Any
    for wrong in (("2014-04-03T23:01:00Z",), (WHEN, "C"), (None,)):
        with pytest.raises(TypeError):
            ValidSince(*wrong)
    for wrong in ("2014-04-03T23:01:00Z", WHEN):
        with pytest.raises(TypeError):
            RRVS(wrong)


def test_a_server():
    lines = [MAIL, b"RCPT TO:<c@d> RRVS=2014-04-03T23:01:00Z;C", b"RCPT TO:<c@d> RRVS=1234"]
    assert codes(lines, RRVS) == [250, 250, 501]
    assert codes([MAIL, b"RCPT TO:<c@d> RRVS=2014-04-03T23:01:00Z RRVS=2014-04-03T23:01:00Z"], RRVS) == [250, 501]
    assert codes([MAIL + b" RRVS=2014-04-03T23:01:00Z"], RRVS) == [555]


@pytest.mark.parametrize(("greeting", "offered"), [(b"EHLO c", ()), (b"HELO c", (RRVS,))])
def test_not_offered(greeting, offered):
    assert codes([MAIL, b"RCPT TO:<c@d> RRVS=2014-04-03T23:01:00Z"], *offered, greeting=greeting) == [250, 555]


def test_both_sides():
    both = pair(RRVS)
    both.exchange(Ehlo("crepes.fr"), Mail(ALICE), Rcpt(BOB, RRVS(ValidSince(WHEN))))
    assert both.server.transaction.rcpts[0].parameters[RRVS].since.seconds == WHEN.seconds
    both = pair()
    both.exchange(Ehlo("crepes.fr"), Mail(ALICE))
    with pytest.raises(LocalProtocolError, match="RRVS"):
        both.client.send(Rcpt(BOB, RRVS(ValidSince(WHEN))))
