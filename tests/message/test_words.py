"""Encoded-words and the text they stand in: decoded as far as they can be, and never a line end."""

from __future__ import annotations

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.message.charset import decode_octets, is_known, show_octets
from smtpcore.message.unstructured import Unstructured
from smtpcore.message.words import WORD_LENGTH, decode_words, encode_words, looks_encoded
from smtpcore.wire.tolerance import INTEROP, LAX, STRICT, Tolerance
from tests.corpus import vectors
from tests.vectors.message_deviations import WORDS
from tests.wire.counting import growth
from tests.wire.records import check_list, judge

# text, what it says, the least level that parses it
CASES = [
    ("", "", STRICT),
    ("plain  text", "plain  text", STRICT),
    ("=?", "=?", STRICT),
    ("=?utf-8?q?a?=", "a", STRICT),
    ("x =?utf-8?q?a_b?=  y", "x a b  y", STRICT),
    ("=?utf-8?q?a?= \t =?utf-8?b?w6k=?= c", "a\u00e9 c", STRICT),
    ("=?ISO-8859-2?Q?=B3?=", "\u0142", STRICT),
    ("=?utf-8*de?q?a?=", "a", STRICT),
    ("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "\u65e5\u672c", STRICT),
    ("(=?utf-8?q?a?=)", "(a)", STRICT),
    ("=?utf-8?q?" + "a" * 63 + "?=", "a" * 63, STRICT),
    ("=?utf-8?q?" + "a" * 64 + "?=", "a" * 64, INTEROP),
    ("=?utf-8?q?" + "a" * 987 + "?=", "=?utf-8?q?" + "a" * 987 + "?=", INTEROP),
    ("a=?utf-8?q?b?=", "ab", INTEROP),
    ("=?utf-8?q?b?=c", "bc", INTEROP),
    ("=?utf-8?q?b?==?utf-8?q?c?=", "bc", INTEROP),
    ("=?utf-8?q?a b?=", "a b", INTEROP),
    ("=?utf-8?q??=", "", INTEROP),
    ("=?utf-8?q?=4?=", "=4", INTEROP),
    ("=?utf-8?q?=zz=41?=", "=zzA", INTEROP),
    ("=?utf-8?b?w6k?=", "\u00e9", INTEROP),
    ("=?utf-8?b?w6l=?=", "\u00e9", INTEROP),
    ("=?utf-8?b?w*6k?=", "\u00e9", INTEROP),
    ("=?utf-8?b?YWJjZ?=", "abc", INTEROP),
    ("=?utf-8?q?=E2=82?= =?utf-8?b?rA==?=", "\u20ac", INTEROP),
    ("=?utf-8?q?=E2=82?= =?koi8-r?b?rA==?=", "\ufffd\u255b", INTEROP),
    ("=?utf-8?q?=FF?= x", "\ufffd x", INTEROP),
    ("=?iso-8859-1?q?=93a=94?=", "\u201ca\u201d", INTEROP),
    ("=?iso-8859-1?q?=E9?=", "\u00e9", STRICT),
    ("=?a?b?\u00ff?=", "=?a?b?\u00ff?=", INTEROP),  # HDR-09
    ("=?utf-8?q?\u00ff?=", "=?utf-8?q?\u00ff?=", INTEROP),
    ("=?x-unknown?q?a?=", "=?x-unknown?q?a?=", INTEROP),
    ("=?utf-16?b?2A==?=", "=?utf-16?b?2A==?=", INTEROP),  # HDR-09
    ("=?idna?q?xn--a?=", "=?idna?q?xn--a?=", INTEROP),  # HDR-09
    ("=?utf-7?q?+AGE-?=", "=?utf-7?q?+AGE-?=", INTEROP),
    ("=?utf-8?x?a?=", "=?utf-8?x?a?=", INTEROP),
    ("=?utf-8?q?a?b?=", "=?utf-8?q?a?b?=", STRICT),
    ("=?utf-8?q?a=0D=0ABcc:_x?=", "a\ufffd\ufffdBcc: x", LAX),
    ("=?utf-8?b?AGE=?=", "\ufffda", LAX),
    ("=?utf-8?q?=C2=85=E2=80=A8?=", "\ufffd\ufffd", LAX),
    ("a\0b", "a\ufffdb", LAX),
    ("a\udcffb", "a\ufffdb", LAX),
    ("a\ud800\u00e9b", "a\ufffd\u00e9b", LAX),
    ("\u00e9", "\u00e9", STRICT),
]


@pytest.mark.parametrize(("text", "said", "least"), CASES)
def test_what_is_said(text, said, least):
    found = Unstructured.read(text)
    assert found.text == said
    assert bool(found.defects) == (least is not STRICT)
    for level in (STRICT, INTEROP, LAX):
        tolerance = Tolerance(level)
        if level.value < least.value:
            with pytest.raises(ParseError) as caught:
                Unstructured.parse(text, tolerance)
            assert caught.value.rule.startswith("RFC ")
            assert 0 <= caught.value.where <= len(text)
        else:
            assert Unstructured.parse(text, tolerance) == found
            assert found.defects == tuple(tolerance.defects)
    # and written again it says the same
    assert Unstructured.parse(str(found)) == found
    assert str(found).isascii()
    assert Unstructured.parse(found.serialise(utf8=True)) == found


@pytest.mark.parametrize(
    ("text", "written", "utf8"),
    [
        ("caf\u00e9 au lait", "=?utf-8?q?caf=C3=A9?= au lait", "caf\u00e9 au lait"),
        (
            "un caf\u00e9, un th\u00e9 noir",
            "un =?utf-8?q?caf=C3=A9=2C_un_th=C3=A9?= noir",
            "un caf\u00e9, un th\u00e9 noir",
        ),
        ("\u0438\u0442\u043e\u0433", "=?utf-8?b?0LjRgtC+0LM=?=", "\u0438\u0442\u043e\u0433"),
        ("see =?x?= here", "see =?utf-8?b?PT94Pz0=?= here", "see =?utf-8?b?PT94Pz0=?= here"),
        (" a b", "=?utf-8?q?_a?= b", "=?utf-8?q?_a?= b"),
        ("a b ", "a =?utf-8?q?b_?=", "a =?utf-8?q?b_?="),
        (" ", "=?utf-8?q?_?=", "=?utf-8?q?_?="),
        (" \u00e9 ", "=?utf-8?q?_=C3=A9_?=", "=?utf-8?q?_=C3=A9_?="),
    ],
)
def test_how_it_is_written(text, written, utf8):
    assert (str(Unstructured(text)), Unstructured(text).serialise(utf8=True)) == (written, utf8)


def test_hdr_01_no_field_comes_out_of_a_word():
    text = "A x\u00e9 =?UTF-8?Q?=0A?=Bcc: injected@example.com"
    assert "\n" not in Unstructured.read(text).text
    written = str(Unstructured(text))
    assert decode_words(written) == text
    assert "\n" not in written


@pytest.mark.parametrize("bad", ["a\r\nb", "a\n", "\0", "\x7f", "\ud800"])
def test_hdr_02_no_control_gets_in(bad):
    for write in (Unstructured, encode_words):
        with pytest.raises(ParseError, match=r"RFC 5322 s2\.2"):
            write(bad)


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=120)


@given(TEXT)
def test_what_is_written_says_the_same(text):
    words = encode_words(text)
    assert decode_words(words, Tolerance()) == text or any(mark in text for mark in "\u2028\u2029")
    assert words.isascii()
    assert all(len(word) <= WORD_LENGTH and looks_encoded(word) for word in words.split())
    if not set(text) & {"\u2028", "\u2029"}:
        value = Unstructured(text)
        assert Unstructured.parse(str(value)) == value
        assert Unstructured.parse(value.serialise(utf8=True)) == value
        assert str(value).strip(" ") == str(value)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60))
def test_no_character_is_split(text):
    for word in encode_words(text).split():
        inner = word[len("=?utf-8?q?") : -2]
        if word[8] == "b":
            base64.b64decode(inner, validate=True).decode()
        else:
            assert "\ufffd" in text or "\ufffd" not in decode_words(word)


TOKENS = st.lists(
    st.sampled_from(
        [*"=?_ \t()", "=?utf-8?q?", "=?utf-8?b?", "?=", "=0A", "=C3", "=A9", "w6k=", "a", "\u00e9", "\udcc3", "\ud800",
         "\0", "\r\n", "=?koi8-r?q?=C1?=", "=?nope?q?a?=", "=?utf-8*x?b?YQ==?="]
    ),
    max_size=12,
).map("".join)  # fmt: skip


@given(TOKENS)
def test_any_text_is_read(text):
    found = Unstructured.read(text)
    assert not [character for character in found.text if character < " " and character != "\t"]
    found.text.encode()
    if not set(found.text) & {"\u2028", "\u2029"}:
        assert Unstructured.parse(str(found)) == found
    try:
        strict = Unstructured.parse(text)
    except ParseError:
        assert found.defects
    else:
        assert strict == found
        assert not found.defects


def test_character_sets():
    assert is_known("UTF-8")
    assert not is_known("rot13")
    assert decode_octets(b"a\xff", "nope") == ("a\ufffd", "unknown character set")
    assert decode_octets(b"\xe9", "Latin1") == ("\u00e9", "")
    assert show_octets("a") == "a"
    assert show_octets("\ud800\udcc3\udca9\udcff") == "\ufffd\u00e9\ufffd"
    assert not looks_encoded("=? ?=")


FAMILIES = {
    "words": lambda n: "word " * n,
    "encoded-words": lambda n: "=?utf-8?q?a?= " * n,
    "bad words": lambda n: "=?utf-8?b?a?=" * n,
    "halves": lambda n: "=?utf-8?q?=C3?= " * n,
    "=?": lambda n: "=?" * n,
    "=?a?q?": lambda n: "=?a?q?" * n,
    "=?a?q? without an end": lambda n: "=?utf-8?q?" + "a" * n,
    "spaces": lambda n: "a" + " " * (n + 1000) + "\u00e9",
    "one": lambda n: "=?utf-8?q?" + "a" * (n + 1000) + "?=",
}


@pytest.mark.parametrize("family", FAMILIES)
def test_work_grows_with_the_text(family):
    def work(size):
        text = FAMILIES[family](size)
        return lambda: str(Unstructured.read(text))

    assert growth(work, 500) < 1.15
    text = FAMILIES[family](32_000)
    start = time.process_time()
    str(Unstructured.read(text))
    assert time.process_time() - start < 5


def text_of(row):
    if "input_utf8_surrogatepass_hex" in row:
        text = bytes.fromhex(row["input_utf8_surrogatepass_hex"]).decode("utf-8", "surrogatepass")
    else:
        text = row["input"]
    text = text.replace("\r\n", "\n").replace("\n ", " ").replace("\n\t", "\t").rstrip("\n")
    return text.strip(" \t") if row["source"].startswith("stalwart") else text


def problem_of(row):
    text, expected = text_of(row), row["expected"]
    if row["kind"] == "header-line":
        text = text.partition(":")[2].strip()
    if row["kind"] == "encode":
        try:
            return "" if decode_words(encode_words(text)) == text else "does not come back"
        except ParseError as error:
            return str(error)
    if row["kind"] == "decode_header-chunks":
        return ""  # chunks of octets, which is no question here
    said = Unstructured.read(text).text
    if row["kind"] == "encoded-word-prefix" and expected is not None:
        return "" if said.startswith(expected) else f"{said!r} and not {expected!r}"
    if expected is None:
        return "" if said == text else f"{said!r}, where nothing can be decoded"
    return "" if said == expected else f"{said!r} and not {expected!r}"


@pytest.mark.parametrize("row", vectors("encoded_words"))
def test_words_of_other_projects(row):
    judge(row, problem_of(row), WORDS)


def test_the_list():
    check_list("encoded_words", WORDS)
