"""The addresses of real messages, as two parsers that share nothing with ours agree on them."""

from __future__ import annotations

from email import policy
from email.utils import getaddresses

import pytest

from smtpcore.message.address_list import AddressList
from smtpcore.wire.tolerance import LAX, Tolerance
from tests.message.trace_corpus import fields_of

NAMES = ["from", "sender", "reply-to", "to", "cc", "bcc"]


def theirs(text: str) -> list[str] | None:
    """The addresses that both of the standard library's parsers find; None where they do not agree, or fail."""
    try:
        one = [spec for _, spec in getaddresses([text]) if spec]
        header = policy.default.header_factory("To", text)
        other = [address.addr_spec for address in header.addresses]
    except Exception:
        return None
    return one if one == other and all("@" in spec for spec in one) else None


#: Where both say something else, by what the text begins with.
DEVIATIONS = {
    "test1@local>": "RFC 5322 s3.4: a bracket that nothing opened",
    "andy.zipper@enron.com, david.berberian@": "RFC 5322 s3.4.1: two dots in a row in the fourth address",
    "\udcb4google@": "RFC 6531 s3.3: an octet that is no UTF-8 in an address",
}


@pytest.mark.parametrize("name", NAMES)
def test_real_addresses(name):
    texts = fields_of(name)
    if not texts:
        pytest.skip("no corpus")
    compared = 0
    for text in dict.fromkeys(texts):
        found = AddressList.read(text)
        if found.items:
            assert AddressList.parse(str(found), Tolerance(LAX)) == found, text
        expected = theirs(text)
        if expected is None:
            continue
        compared += 1
        mine = [address.addr_spec for address in found.addresses]
        listed = [why for start, why in DEVIATIONS.items() if text.startswith(start)]
        same = [spec.lower() for spec in mine] == [spec.lower() for spec in expected]
        assert same != bool(listed), (text, mine, expected, found.defects)
    assert compared
