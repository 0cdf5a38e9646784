"""Which sending an envelope is for."""

from __future__ import annotations

import pytest

from smtpcore import ParseError
from smtpcore.compose import envelope_of
from smtpcore.message.header import Header

FIRST = b"From: a@b\r\nTo: c@d\r\n"
AGAIN = b"Resent-From: r@b\r\nRESENT-To: x@y\r\n"
OLDER = b"Resent-From: old@b\r\nResent-To: older@y\r\n"


@pytest.mark.parametrize(
    ("header", "resent", "sender", "recipient"),
    [
        (FIRST, None, "a@b", "c@d"),
        (FIRST, False, "a@b", "c@d"),
        (AGAIN + FIRST, None, "r@b", "x@y"),
        (AGAIN + FIRST, True, "r@b", "x@y"),
        (AGAIN + OLDER + FIRST, True, "r@b", "x@y"),
        (AGAIN + OLDER + FIRST, False, "a@b", "c@d"),
    ],
)
def test_which_sending(header, resent, sender, recipient):
    found = envelope_of(Header.parse(header), resent=resent)
    assert (str(found.sender), list(map(str, found.recipients))) == (sender, [recipient])


def test_not_sent_again():
    with pytest.raises(ParseError, match="no Resent field"):
        envelope_of(Header.parse(FIRST), resent=True)
    with pytest.raises(ParseError, match="neither From nor Sender"):
        envelope_of(Header.parse(AGAIN), resent=False)
