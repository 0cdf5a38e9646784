"""Dates and subjects of real messages, as two readers that share nothing with ours agree on them."""

from __future__ import annotations

import re
from datetime import datetime
from email import policy
from email.header import decode_header, make_header
from email.utils import parsedate_to_datetime

import pytest

from smtpcore.message.date import DateTime
from smtpcore.message.unstructured import Unstructured
from tests.message.trace_corpus import fields_of

#: A subject on which both say something else, by what it begins with.
DEVIATIONS = {
    "=?utf-16?B?": "RFC 2781 sA.3: UTF-16 is not for MIME text, and no name on the list of character sets",
}


def by_form(text: str) -> datetime | None:
    """The date in ``text``, if it has one of the two usual forms, with a comment behind it or not."""
    text = re.sub(r"[ \t]*\([^()]*\)[ \t]*\Z", "", text)
    for form in ("%a, %d %b %Y %H:%M:%S %z", "%d %b %Y %H:%M:%S %z"):
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - both forms have a zone
        except ValueError:
            continue
    return None


@pytest.mark.parametrize("name", ["date", "resent-date"])
def test_real_dates(name):
    texts = fields_of(name)
    if not texts:
        pytest.skip("no corpus")
    compared = 0
    for text in dict.fromkeys(texts):
        expected = by_form(text)
        if expected is None or parsedate_to_datetime(text) != expected:
            continue
        compared += 1
        found = DateTime.read(text)
        assert found.to_datetime() == expected, text
        assert DateTime.parse(str(found)) == found
    assert compared


def test_real_subjects():
    texts = fields_of("subject")
    if not texts:
        pytest.skip("no corpus")
    compared = 0
    for text in dict.fromkeys(texts):
        try:
            expected = str(make_header(decode_header(text)))
            same = str(policy.default.header_factory("Subject", text)) == expected
        except Exception:
            continue
        if not same:
            continue
        compared += 1
        found = Unstructured.read(text)
        listed = [why for start, why in DEVIATIONS.items() if text.startswith(start)]
        assert (found.text == expected) != bool(listed), (text, found.text, expected)
        assert Unstructured.read(str(found)).text == found.text
    assert compared > 300
