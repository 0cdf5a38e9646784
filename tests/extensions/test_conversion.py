"""CONPERM and CONNEG (RFC 4141): keywords that stand alone, one on MAIL and one on RCPT."""

from __future__ import annotations

import pytest

from smtpcore import Ehlo, LocalProtocolError, Mail, ParseError, Rcpt
from smtpcore.extensions import CONNEG, CONPERM
from tests.extensions.talking import codes, pair
from tests.session.helpers import ALICE, BOB

MAIL = b"MAIL FROM:<a@b>"


def test_written():
    assert bytes(Mail(None, CONPERM(True))) == b"MAIL FROM:<> CONPERM\r\n"
    assert bytes(Rcpt(BOB, CONNEG(True))) == b"RCPT TO:<bob@hamburger.edu> CONNEG\r\n"
    for kind in (CONPERM, CONNEG):
        with pytest.raises(ParseError, match="no value"):
            kind(False)


@pytest.mark.parametrize(
    ("lines", "offered", "expected"),
    [
        ([MAIL + b" CONPERM", b"RCPT TO:<c@d> CONNEG"], (CONPERM, CONNEG), [250, 250]),
        ([MAIL + b" conperm", b"RCPT TO:<c@d> conneg"], (CONPERM, CONNEG), [250, 250]),
        ([MAIL + b" CONPERM", MAIL, b"RCPT TO:<c@d> CONNEG"], (CONNEG,), [555, 250, 250]),
        ([MAIL + b" CONPERM", b"RCPT TO:<c@d> CONNEG"], (CONPERM,), [250, 555]),
        ([MAIL + b" CONNEG"], (CONPERM, CONNEG), [555]),
        ([MAIL, b"RCPT TO:<c@d> CONPERM"], (CONPERM, CONNEG), [250, 555]),
        ([MAIL + b" CONPERM=1"], (CONPERM,), [501]),
        ([MAIL, b"RCPT TO:<c@d> CONNEG=1"], (CONNEG,), [250, 501]),
        ([MAIL + b" CONPERM CONPERM"], (CONPERM,), [501]),
    ],
)
def test_a_server(lines, offered, expected):
    assert codes(lines, *offered) == expected


def test_helo():
    lines = [MAIL + b" CONPERM", MAIL, b"RCPT TO:<c@d> CONNEG"]
    assert codes(lines, CONPERM, CONNEG, greeting=b"HELO c") == [555, 250, 555]


def test_both_sides():
    both = pair(CONPERM, CONNEG)
    both.exchange(Ehlo("crepes.fr"), Mail(ALICE, CONPERM(True)), Rcpt(BOB, CONNEG(True)))
    assert CONPERM in both.server.transaction.mail.parameters
    assert CONNEG in both.server.transaction.rcpts[0].parameters
    both = pair()
    both.exchange(Ehlo("crepes.fr"))
    with pytest.raises(LocalProtocolError, match="CONPERM"):
        both.client.send(Mail(ALICE, CONPERM(True)))
