"""Return-Path: the reverse-path, and never a bounce by mistake."""

from __future__ import annotations

import copy
from math import log
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import Mailbox, ParseError
from smtpcore.message.cfws import read_comments
from smtpcore.message.trace import ReturnPath, check_text, write_comment
from smtpcore.wire.tolerance import INTEROP, LAX, Tolerance
from tests.corpus import MISSING, corpus_folder
from tests.message.trace_corpus import fields_of
from tests.wire.counting import growth


@pytest.mark.parametrize("text", ["<alice@crepes.fr>", '<"a b"@crepes.fr>', "<a@[192.0.2.1]>", "<\u00e9@\u00e9.fr>"])
def test_strict(text):
    found = ReturnPath.parse(text)
    assert found == ReturnPath(text[1:-1]) == ReturnPath(Mailbox.parse(text[1:-1]))
    assert (found.is_null, found.defects) == (False, ())
    assert str(found) == text


def test_the_null_path():
    found = ReturnPath.parse("<>")
    assert found == ReturnPath(None)
    assert (found.mailbox, found.is_null, str(found)) == (None, True, "<>")
    assert copy.copy(found) is found


OBSOLETE = {
    "< alice@crepes.fr>": "<alice@crepes.fr>",
    "<alice@crepes.fr > ": "<alice@crepes.fr>",
    "(c) <alice@crepes.fr> (d)": "<alice@crepes.fr>",
    "<(c)alice@crepes.fr(d)>": "<alice@crepes.fr>",
    "< >": "<>",
    " <>": "<>",
    "<(c)> ": "<>",
}


@pytest.mark.parametrize("text", OBSOLETE)
def test_what_rfc_5322_takes(text):
    with pytest.raises(ParseError, match="white space"):
        ReturnPath.parse(text)
    found = ReturnPath.parse(text, Tolerance(INTEROP))
    assert str(found) == OBSOLETE[text]
    assert {defect.rule for defect in found.defects} == {"RFC 5321 s4.4"}


def test_a_route_is_dropped():
    found = ReturnPath.parse("<@a,@b:alice@crepes.fr>")
    assert str(found) == "<alice@crepes.fr>"
    assert [defect.rule for defect in found.defects] == ["RFC 5321 s3.6.1"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("alice@crepes.fr", "<alice@crepes.fr>"),
        ("<alice@crepes.fr> x", "<alice@crepes.fr>"),
        ("<>x", "<>"),
        ("<alice@crepes.fr>\r\nBcc: x", "<alice@crepes.fr>"),
    ],
)
def test_what_is_out_there(text, shown):
    with pytest.raises(ParseError):
        ReturnPath.parse(text, Tolerance(INTEROP))
    found = ReturnPath.read(text)
    assert str(found) == shown
    assert found.defects


@pytest.mark.parametrize(
    "text", ["", "<postmaster>", "<a", "<a@b", "<", "(", "< (", "<a@b c>", "<(c", "nobody", "<> (", "<a\0@b>"]
)
def test_what_is_no_path_is_no_bounce(text):
    """RFC 5321 s4.5.5: what comes with the null reverse-path gets no answer, so nothing else may be taken for it."""
    found = ReturnPath.read(text)
    assert (found.mailbox, found.is_null, str(found)) == (None, False, "")
    assert found.defects
    assert found != ReturnPath(None)
    with pytest.raises(ParseError):
        ReturnPath.parse(text, Tolerance(LAX))


def test_what_cannot_be_built():
    with pytest.raises(ParseError):
        ReturnPath("a@b> x")
    with pytest.raises(ParseError):
        ReturnPath("")
    with pytest.raises(TypeError):
        ReturnPath(b"a@b")  # type: ignore[arg-type]  # what is tested


TOKENS = st.lists(
    st.sampled_from(["<", ">", "@", "a", "b.c", " ", "(c)", "(", ")", '"', "\\", ",", ":", "\r", "\0"])
    | st.text(max_size=2)
)


@given(TOKENS.map("".join))
def test_reading_is_total(text):
    found = ReturnPath.read(text)
    assert ReturnPath.read(str(found)) == found
    if found.mailbox or found.is_null:
        assert ReturnPath.parse(str(found)) == found


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_comments_are_read_as_they_were_written(text):
    written = write_comment(text)
    assert read_comments(written, 0) == ([text], len(written))


@given(st.lists(st.sampled_from("()\\ab "), max_size=90).map("".join))
def test_parentheses_in_comments(text):
    written = write_comment(text)
    assert read_comments(written, 0) == ([text], len(written))


def test_deep_parentheses_in_comments():
    for depth in (31, 32, 40):
        text = "(" * depth + ")" * depth
        written = write_comment(text)
        assert written.startswith("(\\(") is (depth > 31)
        assert read_comments(written, 0) == ([text], len(written))


def test_text_without_controls():
    check_text("a\u00e9\t", "a field")
    with pytest.raises(ParseError, match="a field at offset 1"):
        check_text("a\x7f", "a field")


HOSTILE = {
    "open": lambda n: "<" * n,
    "comments": lambda n: "(" * n,
    "pairs": lambda n: "()" * n,
    "route": lambda n: "<" + "@a," * n,
    "quoted": lambda n: '<"' + "\\" * n,
    "dots": lambda n: "<a" + ".a" * n,
    "blanks": lambda n: " " * n,
    "nul": lambda n: "\0" * n,
}


@pytest.mark.law(14)
@pytest.mark.parametrize("family", HOSTILE)
def test_work_is_linear(family):
    make = HOSTILE[family]
    ReturnPath.read(make(2))
    assert growth(lambda size: lambda: ReturnPath.read(make(size)), 256, 8) <= 1.1
    for _ in range(5):
        # What is over in the twentieth of a second has tried nothing again and again.
        if (most := seconds(make(32_000))) < 0.05 or log(most / seconds(make(4000))) / log(8) < 1.6:
            return
    pytest.fail("takes more than linear time")


def seconds(text: str) -> float:
    best = float("inf")
    for _ in range(3):
        begun = process_time()
        ReturnPath.read(text)
        best = min(best, process_time() - begun)
    return best + 20e-6


def test_the_corpus():
    if corpus_folder() is None:
        pytest.skip(MISSING)
    texts = fields_of("return-path")
    odd = [text for text in texts if ReturnPath.read(text).defects]
    assert len(texts) > 300
    assert len(odd) / len(texts) < 0.15
    for text in texts:
        found = ReturnPath.read(text)
        first = text.partition(">")[0].lstrip("<").partition("\r")[0]
        assert (str(found.mailbox) if found.mailbox else "") in (first, ""), text
        assert found.is_null == text.startswith("<>")
