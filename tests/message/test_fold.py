"""Folding keeps the text, the quoted strings and the header whole."""

from __future__ import annotations

import re
from math import log
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.message.fold import LINE_LENGTH, LINE_LIMIT, fold, unfold
from tests.wire.counting import growth

TOKENS = st.lists(
    st.sampled_from(
        [
            " ",
            "\t",
            "  ",
            "a",
            "word",
            "x" * 30,
            "x" * 77,
            '"',
            '"a b"',
            '"a \\" b"',
            "\\",
            "(c d)",
            "<a@b.example>",
            ",",
            "=?utf-8?q?a_b?=",
        ]
    ),
    max_size=40,
).map("".join)

BALANCED = st.sampled_from(
    [" ", "\t", "  ", "a", "word", "x" * 30, "x" * 77, '"a b"', '"a \\" b"', '" "', "(c", "d)", "<a@b.example>", ","]
)
WORD = r'[ \t]+(?:"(?:[^"\\]|\\.)*"|[^ \t"])+'


def lines(octets: bytes) -> list[str]:
    text = octets.decode()
    assert text.endswith("\r\n")
    return text.removesuffix("\r\n").split("\r\n")


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("Subject", "hello", b"Subject: hello\r\n"),
        ("Subject", "", b"Subject:\r\n"),
        ("Subject", "   ", b"Subject:\r\n"),
        ("Subject", " hello ", b"Subject: hello\r\n"),
        ("Subject", "\thello", b"Subject:\thello\r\n"),
        ("X", "a" * 75 + " b", b"X: " + b"a" * 75 + b"\r\n b\r\n"),
        ("X", "a" * 73 + " b", b"X: " + b"a" * 73 + b" b\r\n"),
        ("X", "a" * 74 + " b", b"X: " + b"a" * 74 + b"\r\n b\r\n"),
        ("X", "a" * 76, b"X:\r\n " + b"a" * 76 + b"\r\n"),
        ("X", "a" * 100 + " b", b"X:\r\n " + b"a" * 100 + b"\r\n b\r\n"),
        ("X", '"' + "a " * 50 + '" <a@b>', b'X:\r\n "' + b"a " * 50 + b'"\r\n <a@b>\r\n'),
    ],
)
def test_where_it_folds(name, body, expected):
    assert fold(name, body) == expected


def test_hdr_05_a_long_quoted_name_is_not_cut():
    name = '"' + "Very Long Display Name, With a Comma " * 2 + '\\" and a quote"'
    folded = fold("To", f"{name} <a@b.example>, c@d.example")
    assert name.encode() in folded
    assert unfold(folded.decode()) == f"To: {name} <a@b.example>, c@d.example\r\n"


@pytest.mark.parametrize("body", ["a\r\nBcc: x@y", "a\n", "a\r", "a\0b", "\x1bm", "\x7f", "a\udc80"])
def test_hdr_02_nothing_ends_a_field_early(body):
    with pytest.raises(ParseError) as caught:
        fold("Subject", body, utf8=True)
    assert caught.value.where == len(re.split(r"[^ -~]", body)[0])
    assert caught.value.rule == "RFC 5322 s2.2"


@pytest.mark.parametrize(("name", "where"), [("X Y", 1), ("X:", 1), ("", 0), ("X\r\nBcc", 1), ("é", 0), ("X\n", 1)])
def test_hdr_03_a_name_is_a_name(name, where):
    with pytest.raises(ParseError) as caught:
        fold(name, "a")
    assert (caught.value.where, caught.value.rule) == (where, "RFC 5322 s3.6.8")


def test_hdr_04_no_line_of_white_space():
    for body in ("a" + " " * 200 + "b", " " * 200 + "a", "a" + " " * 200):
        assert all(line.strip(" \t") for line in lines(fold("X", body)))


def test_hdr_14_a_line_that_cannot_be_folded():
    assert len(lines(fold("X", "a" * (LINE_LIMIT - 1)))[1]) == LINE_LIMIT
    with pytest.raises(ParseError) as caught:
        fold("X", "a" * LINE_LIMIT)
    assert caught.value.rule == "RFC 5322 s2.1.1"


def test_octets_count_for_the_hard_limit():
    body = " ".join(["é" * 100] * 8)
    for line in lines(fold("X", body, utf8=True, length=2000)):
        assert len(line.encode()) <= LINE_LIMIT
    assert unfold(fold("X", body, utf8=True, length=2000).decode()) == f"X: {body}\r\n"


@given(
    st.lists(st.sampled_from([" ", "\u00e9", "\U0001f600" * 30, "\u00a0", "a b", "x" * 76]), max_size=30).map("".join)
)
def test_beyond_ascii_lines_are_filled_as_those_of_ascii(body):
    """Against the greedy filling of lines, and against the same in letters of ASCII."""
    alike = re.sub("[^ ]", "x", body)
    folded = lines(fold("To", body, utf8=True))
    assert list(map(len, folded)) == list(map(len, lines(fold("To", alike))))
    assert unfold("\r\n".join(folded)) == unfold(fold("To", body, utf8=True, length=200).decode()).removesuffix("\r\n")


@pytest.mark.parametrize("length", [LINE_LENGTH, 249, 250, 2000])
def test_a_line_of_too_many_octets_for_any_length(length):
    assert len(lines(fold("X", "\u00e9" * 498, utf8=True, length=length))[-1].encode()) == 997
    with pytest.raises(ParseError, match="no place to fold"):
        fold("X", "\u00e9" * 499 + "a b", utf8=True, length=length)


def test_beyond_ascii_has_to_be_asked_for():
    with pytest.raises(ParseError) as caught:
        fold("Subject", "caf\u00e9")
    assert caught.value.where == 3
    assert fold("Subject", "caf\u00e9", utf8=True) == "Subject: caf\u00e9\r\n".encode()


@given(TOKENS)
def test_unfolding_gives_the_text_back(body):
    folded = fold("Subject", body)
    kept = body.rstrip(" \t")
    expected = "Subject:" + (kept if not kept or kept[0] in " \t" else f" {kept}")
    assert unfold(folded.decode()) == expected + "\r\n"
    found = lines(folded)
    assert all(line[:1] in " \t" for line in found[1:])
    assert all(line.strip(" \t") for line in found)


@given(st.lists(BALANCED, max_size=40).map("".join))
def test_lines_are_as_long_as_they_may_be_and_quoted_strings_whole(body):
    """Against the greedy filling of lines, word by word, where no quotation mark stands alone."""
    folded = fold("To", f" {body}")
    words = re.findall(WORD, " " + body.rstrip(" \t"))
    expected = ["To:"]
    for word in words:
        if len(expected[-1]) + len(word) > LINE_LENGTH:
            expected.append(word)
        else:
            expected[-1] += word
    assert lines(folded) == expected


@given(TOKENS)
def test_folding_again_changes_nothing(body):
    folded = fold("To", body)
    assert fold("To", unfold(folded.decode()).removeprefix("To:").removesuffix("\r\n")) == folded


FAMILIES = {
    "words": lambda n: "a " * n,
    "spaces": lambda n: "a" + " " * n + "b",
    "one word": lambda n: "a" * n,
    "quotes": lambda n: '"' * n,
    "open quote": lambda n: '"' + "a " * n,
    "quoted pairs": lambda n: '\\"' * n,
    "quotes in quotes": lambda n: '"a\\" ' * n,
    "quoted words": lambda n: '"a b" ' * n,
}


@pytest.mark.law(14)
@pytest.mark.parametrize("family", FAMILIES)
def test_work_grows_with_the_text(family):
    def work(size):
        body = FAMILIES[family](size)

        def run():
            try:
                fold("X", body)
            except ParseError:
                pass  # longer than a line may be

        return run

    assert growth(work, 512) <= 1.1
    # A match of a pattern is one opcode: time tells whether it looks at the same again and again.
    assert min(measured(work, 8192) for _ in range(5)) < 1.6


def measured(work, size: int) -> float:
    def seconds(run) -> float:
        found = []
        for _ in range(3):
            begun = process_time()
            run()
            found.append(process_time() - begun)
        return min(found) + 20e-6

    return log(seconds(work(size * 8)) / seconds(work(size))) / log(8)
