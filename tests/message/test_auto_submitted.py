"""Auto-Submitted: what a program sent gets no automatic answer."""

from __future__ import annotations

import re
from math import log
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.message.auto_submitted import AutoSubmitted
from smtpcore.wire.tolerance import LAX, Tolerance
from tests.corpus import MISSING, corpus_folder
from tests.message.trace_corpus import fields_of
from tests.wire.counting import growth

STRICT = {
    "no": (AutoSubmitted("no"), False),
    "No (a person)": (AutoSubmitted("no"), False),
    "auto-generated": (AutoSubmitted("auto-generated"), True),
    "(x) Auto-Replied ": (AutoSubmitted("auto-replied"), True),
    'auto-notified; owner-email="bob@hamburger.edu"; owner-token=af': (
        AutoSubmitted("auto-notified", [("owner-email", "bob@hamburger.edu"), ("owner-token", "af")]),
        True,
    ),
    'auto-generated (failure) ; (c) A="b \\" \\\\" (d)': (AutoSubmitted("auto-generated", [("a", 'b " \\')]), True),
    "x-mine": (AutoSubmitted("X-Mine"), True),
}


@pytest.mark.parametrize("text", STRICT)
def test_strict(text):
    expected, automatic = STRICT[text]
    found = AutoSubmitted.parse(text)
    assert found == expected == AutoSubmitted.parse(str(found)) == AutoSubmitted.read(text)
    assert found.is_automatic is automatic
    assert found.is_registered is (found.keyword != "x-mine")
    assert found.defects == ()


def test_canonical():
    assert str(AutoSubmitted("Auto-Replied", [("A", "b c"), ("d", "e")])) == 'auto-replied; a="b c"; d=e'


@pytest.mark.parametrize(
    ("text", "keyword", "why"),
    [
        ("", "", "expected a token"),
        (";", "", "expected a token"),
        ("(", "", "comment without an end"),
        ("no x", "no", "text after the keyword"),
        ("no; x", "no", "expected = after the name of a parameter"),
        ("no; =x", "no", "expected a token"),
        ("no; a=", "no", "expected a token"),
        ('no; a="', "no", "expected a token"),
        ("no (", "", "comment without an end"),
        ("auto-replied; a=b; (", "auto-replied", "comment without an end"),
        ("no\r", "no", "control character in a field"),
    ],
)
def test_what_is_out_there(text, keyword, why):
    with pytest.raises(ParseError, match=re.escape(why)):
        AutoSubmitted.parse(text)
    found = AutoSubmitted.read(text)
    assert found.keyword == keyword
    assert why in [defect.why for defect in found.defects]
    assert found.is_automatic is (keyword != "no")


def test_what_cannot_be_built():
    for keyword, parameters in (
        ("", []),
        ("a b", []),
        ("a;b", []),
        ("no (c)", []),
        ("no", [("", "x")]),
        ("no", [("a b", "x")]),
        ("no", [("a", "\r")]),
    ):
        with pytest.raises(ParseError):
            AutoSubmitted(keyword, parameters)


TEXTS = st.lists(
    st.sampled_from(
        ["no", "auto-replied", ";", " ", "a", "=", '"', "\\", "(", ")", "(c)", '"b c"', "\r", "\0", "\u00e9"]
    )
    | st.text(max_size=2)
).map("".join)


@given(TEXTS)
def test_reading_is_total(text):
    found = AutoSubmitted.read(text)
    again = AutoSubmitted.read(str(found))
    assert again == found
    if found.keyword:
        assert AutoSubmitted.parse(str(found)) == found
        assert not AutoSubmitted.parse(str(found)).defects


HOSTILE = {
    "comments": lambda n: "(" * n,
    "pairs": lambda n: "no" + "()" * n,
    "parameters": lambda n: "no" + ";a=b" * n,
    "quotes": lambda n: "no" + ';a="' * n,
    "escapes": lambda n: 'no;a="' + "\\" * n,
    "token": lambda n: "a" * n,
    "comments-between": lambda n: "no" + ";a=b(c)" * n + "(",
}


def seconds(text: str) -> float:
    best = float("inf")
    for _ in range(3):
        begun = process_time()
        AutoSubmitted.read(text)
        best = min(best, process_time() - begun)
    return best + 20e-6


@pytest.mark.law(14)
@pytest.mark.parametrize("family", HOSTILE)
def test_work_is_linear(family):
    make = HOSTILE[family]
    AutoSubmitted.read(make(2))
    assert growth(lambda size: lambda: AutoSubmitted.read(make(size)), 256, 8) <= 1.1
    for _ in range(5):
        # What is over in the twentieth of a second has tried nothing again and again.
        if (most := seconds(make(32_000))) < 0.05 or log(most / seconds(make(4000))) / log(8) < 1.6:
            return
    pytest.fail("takes more than linear time")


def test_the_corpus():
    if corpus_folder() is None:
        pytest.skip(MISSING)
    texts = fields_of("auto-submitted")
    assert len(texts) > 100
    for text in texts:
        found = AutoSubmitted.parse(text, Tolerance(LAX))
        assert not found.defects, text
        assert found.keyword == re.split(r"[ ;(]", text.lower())[0]
