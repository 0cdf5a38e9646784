"""The envelope that a header asks for, and the refusals where it asks for none or for two."""

from __future__ import annotations

import pytest

from smtpcore import Mailbox, ParseError
from smtpcore.message.envelope import Envelope, envelope_of
from smtpcore.message.header import Header


def derived(*lines: str) -> tuple[str, list[str]]:
    found = envelope_of(Header.parse("".join([f"{line}\r\n" for line in lines]).encode()))
    return str(found.sender), [str(mailbox) for mailbox in found.recipients]


@pytest.mark.parametrize(
    ("lines", "sender", "recipients"),
    [
        (["From: Alice <a@b>", "To: c@d"], "a@b", ["c@d"]),
        (["From: a@b", "Sender: s@b", "To: c@d, e@f", "Cc: g: h@i, j@k;", "Bcc: l@m"], "s@b", [
            "c@d", "e@f", "h@i", "j@k", "l@m"]),
        (["From: a@b, z@b", "Sender: s@b", "To: c@d"], "s@b", ["c@d"]),
        (["From: a@b", "To: c@d, c@D, C@d", "Cc: c@d"], "a@b", ["c@d", "C@d"]),
        (["From: a@b", "Bcc: c@d"], "a@b", ["c@d"]),
        (["From: a@b", "To: undisclosed:;", "Bcc: c@d"], "a@b", ["c@d"]),
        (["From: a@b", "To: c@d", "Bcc:"], "a@b", ["c@d"]),
        (["Sender: s@b", "To: c@d"], "s@b", ["c@d"]),
        (["Resent-From: r@b", "Resent-To: x@y", "From: a@b", "To: c@d"], "r@b", ["x@y"]),
        (["Received: by x; y", "Resent-Date: z", "Resent-From: r@b, q@b", "Resent-Sender: s@b", "Resent-Bcc: x@y",
          "Resent-From: old@b", "Resent-To: older@y", "From: a@b", "To: c@d"], "s@b", ["x@y"]),
        (["Resent-From: r@b", "Resent-To: x@y", "Received: by x; y", "Resent-Cc: old@y", "From: a@b"], "r@b", ["x@y"]),
    ],
)  # fmt: skip
def test_derived(lines, sender, recipients):
    assert derived(*lines) == (sender, recipients)


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["To: c@d"], "neither From nor Sender"),
        (["From: a@b, z@b", "To: c@d"], "several authors and no Sender"),
        (["From: a@b", "Sender: s@b, t@b", "To: c@d"], "several mailboxes in Sender"),
        (["From: a@b"], "no recipient at offset 0 in 'To'"),
        (["From: a@b", "To: undisclosed:;"], "no recipient"),
        (["From: a@b", "From: z@b", "To: c@d"], "several fields of one name"),
        (["From: a@b", "To: c@d", "To: e@f"], "several fields of one name"),
        (["From: a@b", "To: c@d <e@f>"], "an address in brackets behind another"),
        (["From: a@b", "To:"], "no address"),
        (["Resent-From: r@b", "From: a@b", "To: c@d"], "no recipient at offset 0 in 'Resent-To'"),
        (["Resent-To: x@y", "From: a@b", "To: c@d"], "neither From nor Sender"),
    ],
)
def test_refused(lines, why):
    with pytest.raises(ParseError, match=why):
        derived(*lines)


def test_no_recipient():
    with pytest.raises(ValueError, match="without a recipient"):
        Envelope(Mailbox("a", "b"), [])
