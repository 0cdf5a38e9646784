"""Comments and white space: skipped to their true end, or refused at their beginning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.message.cfws import DEPTH, read_comments, skip_cfws
from tests.wire.counting import growth

TOKENS = st.lists(
    st.sampled_from(["(", ")", "\\", " ", "\t", "a", '"', "\\)", "\\(", "\u00e9", "\n", "\0"]), max_size=30
).map("".join)


def naive(text: str, pos: int) -> int | None:
    """The same, one character at a time; None for what is refused."""
    depth = 0
    while pos < len(text):
        character = text[pos]
        control = (character < " " and character != "\t") or character == "\x7f"
        if depth and (control or (character == "\\" and text[pos + 1 : pos + 2] in ("", "\n", "\0"))):
            return None
        if depth and character == "\\":
            pos += 1
        elif character == "(":
            depth += 1
            if depth > DEPTH:
                return None
        elif depth and character == ")":
            depth -= 1
        elif not depth and character not in " \t":
            return pos
        pos += 1
    return None if depth else pos


@pytest.mark.parametrize(
    ("text", "end", "comments"),
    [
        ("", 0, []),
        ("a", 0, []),
        (" \t a", 3, []),
        ("(c) a", 4, ["c"]),
        ("(a)(b) (c)x", 10, ["a", "b", "c"]),
        ("(a (b) c)x", 9, ["a (b) c"]),
        (r"(a\)b)x", 6, ["a)b"]),
        (r"(a\\)x", 5, ["a\\"]),
        ('("))"', 3, ['"']),
        ("()", 2, [""]),
        (")", 0, []),
        ("\r\n a", 0, []),
    ],
)
def test_what_is_skipped(text, end, comments):
    assert skip_cfws(text, 0) == end
    assert read_comments(text, 0) == (comments, end)
    assert skip_cfws(f"xy{text}", 2) == end + 2


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("(", 0),
        (" (a", 1),
        ("(a (b)", 0),
        ("(a\\", 0),
        ("(a\\\n)", 2),
        ("(\\)", 0),
        ("(a\nb)", 2),
        ("(a\0)", 2),
        ("(a)(\x7f)", 4),
    ],
)
def test_adr_03_a_comment_has_an_end(text, where):
    for read in (skip_cfws, read_comments):
        with pytest.raises(ParseError) as caught:
            read(text, 0)
        assert (caught.value.where, caught.value.rule) == (where, "RFC 5322 s3.2.2")


def test_adr_11_comments_nest_so_deep_and_no_deeper():
    assert skip_cfws("(" * DEPTH + ")" * DEPTH, 0) == 2 * DEPTH
    with pytest.raises(ParseError, match="deep"):
        skip_cfws("(" * (DEPTH + 1) + ")" * (DEPTH + 1), 0)
    assert skip_cfws("()" * 1000, 0) == 2000


@given(TOKENS)
def test_one_character_at_a_time(text):
    expected = naive(text, 0)
    if expected is None:
        with pytest.raises(ParseError):
            skip_cfws(text, 0)
    else:
        assert skip_cfws(text, 0) == read_comments(text, 0)[1] == expected


@pytest.mark.parametrize(
    "family",
    [lambda n: "(" * n, lambda n: "()" * n, lambda n: "(" + "\\)" * n, lambda n: " " * n, lambda n: "(" + "a()" * n],
)
def test_work_grows_with_the_text(family):
    def work(size):
        text = family(size)

        def run():
            try:
                skip_cfws(text, 0)
            except ParseError:
                pass  # as it should be

        return run

    assert growth(work, 256) <= 1.1
