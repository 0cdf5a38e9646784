"""Message-ID, In-Reply-To and References: what is an identifier, and what is only near one."""

from __future__ import annotations

import pickle
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.message.identifier import MessageId, MessageIdList
from smtpcore.wire.tolerance import INTEROP, LAX, STRICT, Tolerance
from tests.wire.counting import growth

# text, identifiers that are read, the least level that parses it (None: no level does)
CASES = [
    ("<a@b>", ["a@b"], STRICT),
    (" (x) <a@b> (y) ", ["a@b"], STRICT),
    ("<a.b.c@[192.0.2.1]>", ["a.b.c@[192.0.2.1]"], STRICT),
    ("<a@b> <c@d>\t<e@f>", ["a@b", "c@d", "e@f"], STRICT),
    ("<a@b><c@d>", ["a@b", "c@d"], STRICT),
    ("<\u00e9@b>", ["\u00e9@b"], STRICT),
    ('<"a"@b>', ['"a"@b'], INTEROP),
    ("< a @ b >", ["a@b"], INTEROP),
    ("Your message of <a@b>", ["a@b"], INTEROP),
    ('Alice\'s "a (b" <a@b>', ["a@b"], INTEROP),
    ("<a@b>, <c@d>", ["a@b", "c@d"], LAX),
    ("<a>", ["a"], LAX),
    ("<a@>", ["a@"], LAX),
    ("<@b>", ["@b"], LAX),
    ("<a:b@c>", ["a:b@c"], LAX),
    ("<[x@y]>", ["[x@y]"], LAX),
    ("<a@b", [], None),
    ("<", [], None),
    ("<>", [], None),
    ("", [], None),
    ("a b c", [], None),
    ("a@b", ["a@b"], None),
    ("x a@b c@d", ["a@b", "c@d"], None),
    ("(<a@b>", ["a@b"], None),
    ("<a\0@b>", [], None),
    ("<a@b> \\ <c@d>", ["a@b", "c@d"], None),
    ("<a@b> ) <c@d>", ["a@b", "c@d"], None),
    ('<a@b> " <c@d>', ["a@b", "c@d"], None),
    ("<a@b> \0", ["a@b"], None),
    ("<a\udc80@b>", [], None),
    ("<a@b> <\udc80>", ["a@b"], None),
]


@pytest.mark.parametrize(("text", "expected", "least"), CASES)
def test_lists(text, expected, least):
    found = MessageIdList.read(text)
    assert [each.text for each in found] == expected
    assert len(found) == len(expected)
    assert bool(found.defects) == (least is not STRICT)
    for level in (STRICT, INTEROP, LAX):
        tolerance = Tolerance(level)
        if least is None or level.value < least.value:
            with pytest.raises(ParseError, match=r"RFC (5322|6532) s"):
                MessageIdList.parse(text, tolerance)
        else:
            assert MessageIdList.parse(text, tolerance) == found
            assert found.defects == tuple(tolerance.defects)


@pytest.mark.parametrize(
    ("text", "expected", "defects"),
    [
        ("<a@b>", "a@b", 0),
        ("<a@b> <c@d>", "a@b", 1),
        ("<a>", "a", 1),
        ("a@b", "a@b", 2),
    ],
)
def test_one(text, expected, defects):
    found = MessageId.read(text)
    assert found is not None
    assert (found.text, len(found.defects)) == (expected, defects)


@pytest.mark.parametrize("text", ["", "<", "<>", "words", "HDR-08: <"])
def test_none(text):
    assert MessageId.read(text) is None


def test_the_strict_one():
    found = MessageId.parse("(x) <a.b@c> ")
    assert (found.left, found.right, str(found), found.defects) == ("a.b", "c", "<a.b@c>", ())
    assert MessageId.parse("a@b", Tolerance(LAX)) == MessageId("a@b")
    assert MessageId.parse("<a>", Tolerance(LAX)).left == "a"
    assert MessageId("a").right == ""
    assert str(MessageIdList([MessageId("a@b"), MessageId("c@d")])) == "<a@b> <c@d>"
    assert pickle.loads(pickle.dumps(found)) == found
    for text in ("<a@b> <c@d>", "<a@b> x", "", "(", "<a b", ">"):
        with pytest.raises(ParseError):
            MessageId.parse(text)


@pytest.mark.parametrize("text", ["", "a b", "a\r\nb", "<a>", "\0", "\udc80"])
def test_what_none_can_be(text):
    with pytest.raises(ParseError, match="not an identifier"):
        MessageId(text)


def test_types():
    with pytest.raises(TypeError, match="MessageId objects"):
        MessageIdList(["<a@b>"])  # type: ignore[list-item]  # what must be refused


TOKENS = st.lists(
    st.sampled_from([*'<>@.,;()"\\[]', "a", "b.c", "<x@y>", " ", "\t", "\u00e9", "\udc80", "\0", "\r\n"]), max_size=14
).map("".join)


@given(TOKENS)
def test_any_text_is_read(text):
    found = MessageIdList.read(text)
    assert found.items or found.defects
    if found.items:
        assert MessageIdList.parse(str(found), Tolerance(LAX)) == found
        assert MessageId.read(text) == found.items[0]
    try:
        strict = MessageIdList.parse(text)
    except ParseError:
        assert found.defects
    else:
        assert strict == found
        assert not found.defects


FAMILIES = {
    "identifiers": lambda n: "<a@b> " * n,
    "words": lambda n: "word " * n + "<a@b>",
    "<": lambda n: "<" * n,
    "<a": lambda n: "<a" * n,
    "quotes": lambda n: '"' * n,
    "open quotes": lambda n: 'a"b ' * n,
    "comments": lambda n: "(c)" * n + "<a@b>",
    "one": lambda n: "<" + "a" * n,
    "spaces": lambda n: "<a" + " " * n + "@b>",
    "bare": lambda n: "a@b " * n,
}


@pytest.mark.parametrize("family", FAMILIES)
def test_work_grows_with_the_text(family):
    def work(size):
        text = FAMILIES[family](size)
        return lambda: str(MessageIdList.read(text))

    assert growth(work, 500) < 1.15
    text = FAMILIES[family](32_000)
    start = time.process_time()
    MessageIdList.read(text)
    assert time.process_time() - start < 5
