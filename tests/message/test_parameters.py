"""MIME parameters: one reading of what may be written in many ways, and one way of writing it."""

from __future__ import annotations

import pickle
import re
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.message.content_type import ContentType
from smtpcore.message.disposition import ContentDisposition
from smtpcore.message.extended import PIECE_LENGTH, SECTION_LIMIT
from smtpcore.message.parameters import PARAMETER_LIMIT, VALUE_LIMIT, MimeParameter, MimeParameters
from smtpcore.wire.tolerance import INTEROP, LAX, Tolerance
from tests.wire.counting import growth

TOKENS = st.lists(
    st.sampled_from(
        [
            *";=\"()\\*' \t\r\n\0/?@,%",
            *["a", "b", "filename", "name", "boundary", "*0", "*1", "*0*", "*1*", "*", "*00", "*999", "%41", "%C3"],
            *["utf-8''", "iso-8859-1'en'", "=?utf-8?Q?=C3=A9?=", "=?utf-8?B?w6k=?=", "\u00e9", "\udce9", "x y", "(c)"],
            *['"x"', "a=b", "; a=b", "text/plain", "multipart/mixed"],
        ]
    ),
    max_size=30,
).map("".join)
NAMES = st.text("abcXYZ019-_.!#$&+^`{|}~", min_size=1, max_size=12)
VALUES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=150) | st.sampled_from(
    ["", " ", "\t", "a" * 300, 'a"b' * 40, "\\" * 70, "=?utf-8?q?x?=", "\u00e9" * 99, "a;b", "'", "%41", "utf-8''x"]
)


def values_of(found: MimeParameters) -> dict[str, str]:
    return {parameter.name: parameter.value for parameter in found}


# --- strict ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("a=b", {"a": "b"}),
        ('A="b"', {"a": "b"}),
        ('a=""', {"a": ""}),
        ("a = b ; c=d", {"a": "b", "c": "d"}),
        ("(x) a (y) = (z (w)) b (v) ; (u) c=d (t)", {"a": "b", "c": "d"}),
        (r'a="\"\\\b;(c)"', {"a": '"\\b;(c)'}),
        ("a=!#$%&'*+-.^_`{|}~", {"a": "!#$%&'*+-.^_`{|}~"}),
        ('a="\u00e9"', {"a": "\u00e9"}),
        ("a*=utf-8'en'%C3%A9", {"a": "\u00e9"}),
        ("a*=utf-8''b%20c", {"a": "b c"}),
        ("a*=''b", {"a": "b"}),
        ("a*=ISO-8859-1'fr'caf%e9", {"a": "caf\u00e9"}),
        ("a*0=b; a*1=c", {"a": "bc"}),
        ('a*0="b "; a*1="\\"c"', {"a": 'b "c'}),
        ("a*1=c; b=x; a*0=b", {"a": "bc", "b": "x"}),
        ("a*0*=utf-8''%C3; a*1*=%A9", {"a": "\u00e9"}),
        ("a*0*=utf-8''%C3%A9; a*1=%41; a*2*=%41", {"a": "\u00e9%41A"}),
        ('a="=?utf-8?q?b?="', {"a": "=?utf-8?q?b?="}),
    ],
)
def test_what_the_grammar_has(text, values):
    found = MimeParameters.parse(text)
    assert values_of(found) == values
    assert list(values_of(found)) == list(values)
    assert not MimeParameters.read(text).defects or "=?" in text


DEVIATIONS: dict[str, tuple[Any, str, int, dict[str, str]]] = {
    # text: least level, section, offset, values
    "a=b;": (INTEROP, "RFC 2045 s5.1", 3, {"a": "b"}),
    "a=b;;c=d": (INTEROP, "RFC 2045 s5.1", 3, {"a": "b", "c": "d"}),
    "a=b/c:d=": (INTEROP, "RFC 2045 s5.1", 2, {"a": "b/c:d="}),
    "a=b/c (x); d=e": (INTEROP, "RFC 2045 s5.1", 2, {"a": "b/c", "d": "e"}),
    "a=b; a*=utf-8''c": (INTEROP, "RFC 2231 s3", 0, {"a": "c"}),
    "a*0=c; a=b": (INTEROP, "RFC 2231 s3", 7, {"a": "c"}),
    "a=b; a*=utf-8''c; a*0=d": (INTEROP, "RFC 2231 s3", 18, {"a": "c"}),
    "a*=\"utf-8''%41\"": (INTEROP, "RFC 2231 s7", 0, {"a": "A"}),
    "a*=utf-8''%4": (INTEROP, "RFC 2231 s7", 0, {"a": "%4"}),
    "a*=utf-8''b'c": (INTEROP, "RFC 2231 s7", 0, {"a": "b'c"}),
    "a=b; A=c": (LAX, "RFC 2045 s5.1", 5, {"a": "b"}),
    "a*=''b; a*=''c": (LAX, "RFC 2231 s3", 8, {"a": "b"}),
    "a*0=b; a*0=c": (LAX, "RFC 2231 s3", 7, {"a": "b"}),
    "a*0=b; a*2=c": (LAX, "RFC 2231 s3", 7, {"a": "b"}),
    "a*1=b": (LAX, "RFC 2231 s3", 0, {}),
    "a*0=b; a*01=c": (LAX, "RFC 2231 s3", 7, {"a": "b"}),
    "a*0=b; a*x=c": (LAX, "RFC 2231 s3", 7, {"a": "b"}),
    "a*999=b": (LAX, "RFC 2231 s3", 0, {}),
    "a*=b%20c": (LAX, "RFC 2231 s4", 0, {"a": "b c"}),
    "a*=utf-8''%E9": (LAX, "RFC 2231 s4", 0, {"a": "\ufffd"}),
    "a*=x-none''%E9b": (LAX, "RFC 2231 s4", 0, {"a": "\ufffdb"}),
    "a*=x-none''b": (LAX, "RFC 2231 s4", 0, {"a": "b"}),
    "a*=iso-8859-1''%80": (LAX, "RFC 2231 s4", 0, {"a": "\u20ac"}),
    "c=d; a=b; a*0=e": (INTEROP, "RFC 2231 s3", 5, {"c": "d", "a": "e"}),
    "a*=utf-8'e n'b": (LAX, "RFC 2045 s5.1", 3, {"a": "b"}),
    "a*=\"utf-8'e n'b\"": (LAX, "RFC 2231 s7", 0, {"a": "b"}),
    "a*0=b; a*1*=%41": (LAX, "RFC 2231 s4.1", 7, {"a": "bA"}),
    "a*=''%0A": (LAX, "RFC 2045 s5.1", 0, {"a": "\ufffd"}),
    "a%=b": (LAX, "RFC 2231 s7", 0, {}),
    "*=b": (LAX, "RFC 2231 s7", 0, {}),
    "=b; c=d": (LAX, "RFC 2045 s5.1", 0, {"c": "d"}),
    "a; c=d": (LAX, "RFC 2045 s5.1", 0, {"c": "d"}),
    '"x;y" a=b; c=d': (LAX, "RFC 2045 s5.1", 0, {"c": "d"}),
    "a=; c=d": (LAX, "RFC 2045 s5.1", 2, {"a": "", "c": "d"}),
    "a=": (LAX, "RFC 2045 s5.1", 2, {"a": ""}),
    "a=b c (d).pdf; e=f": (LAX, "RFC 2045 s5.1", 2, {"a": "b c (d).pdf", "e": "f"}),
    "a=b(c;d=e": (LAX, "RFC 2045 s5.1", 2, {"a": "b(c", "d": "e"}),
    "a=(c;d=e": (LAX, "RFC 2045 s5.1", 2, {"a": "(c", "d": "e"}),
    "a=b c=d": (LAX, "RFC 2045 s5.1", 4, {"a": "b", "c": "d"}),
    'a="b" c=d': (LAX, "RFC 2045 s5.1", 6, {"a": "b", "c": "d"}),
    'a="b"c; d=e': (LAX, "RFC 2045 s5.1", 5, {"a": "b", "d": "e"}),
    'a="b; c=d': (LAX, "RFC 822 s3.3", 2, {"a": "b; c=d"}),
    'a="b\\': (LAX, "RFC 822 s3.3", 2, {"a": "b"}),
    "(a=b": (LAX, "RFC 5322 s3.2.2", 0, {}),
    "a=b;(c=d": (LAX, "RFC 5322 s3.2.2", 3, {"a": "b"}),
    "a(=b; c=d": (LAX, "RFC 2045 s5.1", 0, {"c": "d"}),
    'a="b\rc"': (LAX, "RFC 5322 s2.2", 4, {"a": "b c"}),
    'a="b\0c"': (LAX, "RFC 5322 s2.2", 4, {"a": "b\ufffdc"}),
    'a="b\udce9"': (LAX, "RFC 5322 s2.2", 4, {"a": "b\ufffd"}),
}


@pytest.mark.parametrize("text", DEVIATIONS)
def test_what_is_let_through(text):
    least, rule, where, values = DEVIATIONS[text]
    with pytest.raises(ParseError) as caught:
        MimeParameters.parse(text)
    assert (caught.value.rule, caught.value.where) == (rule, where)
    if least is LAX:
        with pytest.raises(ParseError):
            MimeParameters.parse(text, Tolerance(INTEROP))
    tolerance = Tolerance(least)
    assert values_of(MimeParameters.parse(text, tolerance)) == values
    assert (rule, where) in [(defect.rule, defect.where) for defect in tolerance.defects]
    read = MimeParameters.read(text)
    assert values_of(read) == values
    assert [defect.where for defect in read.defects] == sorted(defect.where for defect in tolerance.defects)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('a="=?utf-8?B?w6k=?="', "\u00e9"),
        ('a="=?utf-8?B?w6k?="', "\u00e9"),
        ('a="x =?utf-8?q?=C3=A9_b?= y"', "x \u00e9 b y"),
        ('a="=?utf-8?q?b?= =?utf-8*en?Q?c?="', "bc"),
        ("a==?iso-8859-6?b?5dHNyMcg?=.gif", "\u0645\u0631\u062d\u0628\u0627 .gif"),
        ('a="=?x-none?q?b=E9?="', "=?x-none?q?b=E9?="),
        ('a="=?utf-8?b?w6k?w6k?="', "=?utf-8?b?w6k?w6k?="),
        ('a="=?utf-8?q?\u00e9?="', "=?utf-8?q?\u00e9?="),
        ('a="=?utf-8?q?b=0D=0Ac?="', "b\ufffd\ufffdc"),
    ],
)
def test_encoded_words(text, value):
    read = MimeParameters.read(text)
    assert read["a"] == value
    assert ("RFC 2047 s5" in [defect.rule for defect in read.defects]) == bool(re.search(r"=\?\S+\?.\?[^?]*\?=", text))
    assert MimeParameters.parse(text, Tolerance(INTEROP))["a"] != value or "=?" in value


def test_a_boundary_is_never_decoded():
    assert MimeParameters.read('boundary="=?utf-8?q?b?="')["boundary"] == "=?utf-8?q?b?="


def test_a_form_that_cannot_be_decoded_gives_way():
    read = MimeParameters.read("a=b; a*=utf-8''%E9")
    assert read["a"] == "b"
    assert [defect.rule for defect in read.defects] == ["RFC 2231 s3", "RFC 2231 s4"]
    assert MimeParameters.read("a=b; a*=x-none''c")["a"] == "c"  # nothing of it is in doubt
    read = MimeParameters.read("a*=utf-8''%E9; a*0*=x''%E9; a*1=y; a=b")
    assert read["a"] == "b"


def test_bounds():
    many = "; ".join(f"a{number}=b" for number in range(PARAMETER_LIMIT))
    assert len(MimeParameters.parse(many)) == PARAMETER_LIMIT
    for last in ("z=b", "z (c)=b"):
        with pytest.raises(ParseError):
            MimeParameters.parse(f"{many}; {last}")
        with pytest.raises(ParseError):
            MimeParameters.parse(f"{many}; {last}", Tolerance(INTEROP))
        assert len(MimeParameters.read(f"{many}; {last}")) == PARAMETER_LIMIT
    with pytest.raises(ParseError):
        MimeParameters([(f"a{number}", "b") for number in range(PARAMETER_LIMIT + 1)])
    assert MimeParameters.parse("a=" + "b" * VALUE_LIMIT)["a"] == "b" * VALUE_LIMIT
    with pytest.raises(ParseError):
        MimeParameters.parse("a=" + "b" * (VALUE_LIMIT + 1))
    assert len(MimeParameters.read("a=" + "b" * (VALUE_LIMIT + 1))["a"]) == VALUE_LIMIT
    with pytest.raises(ParseError):
        MimeParameter("a", "b" * (VALUE_LIMIT + 1))


# --- built and written -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "a b", "a*", "a'", "a%", "a=", "\u00e9", "a\n", 'a"'])
def test_names_that_are_none(name):
    with pytest.raises(ParseError):
        MimeParameter(name, "x")


@pytest.mark.parametrize("value", ["\n", "a\rb", "\0", "\x7f", "\udce9"])
def test_hdr_02_values_that_are_none(value):
    with pytest.raises(ParseError) as caught:
        MimeParameters({"a": value})
    assert caught.value.rule == "RFC 2045 s5.1"


def test_languages():
    assert str(MimeParameter("a", "b", "en")) == "a*=utf-8'en'b"
    with pytest.raises(ParseError):
        MimeParameter("a", "b", "e'n")


def test_a_name_once():
    with pytest.raises(ParseError):
        MimeParameters([("a", "b"), ("A", "c")])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("b", "a=b"),
        ("", 'a=""'),
        ("b c", 'a="b c"'),
        ('"\\', r'a="\"\\"'),
        ("\u00e9'*%", "a*=utf-8''%C3%A9%27%2A%25"),
        ("\t", "a*=utf-8''%09"),
        ("=?utf-8?q?x?=", "a*=utf-8''%3D%3Futf-8%3Fq%3Fx%3F%3D"),
        ("b" * (PIECE_LENGTH - 2), "a=" + "b" * (PIECE_LENGTH - 2)),
        ("b" * (PIECE_LENGTH - 1), f'a*0="{"b" * 53}"; a*1="bbbbbb"'),
    ],
)
def test_what_is_written(value, text):
    assert str(MimeParameters({"a": value})) == text
    assert MimeParameters.parse(text)["a"] == value


def test_a_boundary_stays_whole():
    assert str(MimeParameter("boundary", "b" * 70)) == "boundary=" + "b" * 70


def test_no_piece_is_long_but_where_there_would_be_too_many():
    pieces = str(MimeParameters({"filename": "\u00e9" * 500})).split("; ")
    assert len(pieces) > 20
    assert max(map(len, pieces)) <= PIECE_LENGTH
    for value in ("\U0001f600" * 20_000, "b" * VALUE_LIMIT, '"' * VALUE_LIMIT):
        made = MimeParameters({"filename": value})
        assert len(str(made).split("; filename*")) <= SECTION_LIMIT
        assert MimeParameters.parse(str(made)) == made


def test_access():
    found = MimeParameters.parse("a=b; C*=utf-8'en'd")
    assert len(found) == 2
    assert found["A"] == "b"
    assert found.get("c") == "d"
    assert found.get("e") is None
    assert found.get("e", "f") == "f"
    assert "C" in found
    assert 1 not in found
    assert [parameter.language for parameter in found] == ["", "en"]
    with pytest.raises(KeyError):
        found["e"]
    assert found == MimeParameters([MimeParameter("c", "d", "en"), ("a", "b")])
    assert hash(found) == hash(MimeParameters([MimeParameter("c", "d", "en"), ("a", "b")]))
    assert found != MimeParameters({"a": "b", "c": "d"})
    assert found != "a=b"
    assert str(found.with_value("A", "x")) == "a=x; c*=utf-8'en'd"
    assert str(found.without("C").with_value("e", "f")) == "a=b; e=f"
    assert pickle.loads(pickle.dumps(found)) == found
    assert "name='a'" in repr(found)


# --- properties --------------------------------------------------------------------------------------------


def attempt(kind: Any, text: str) -> tuple[ParseError | None, Any]:
    try:
        return None, kind.parse(text)
    except ParseError as error:
        return error, None


@given(TOKENS | st.text(max_size=60))
def test_reading_is_total_and_writing_is_a_fixpoint(text):
    for kind in (MimeParameters, ContentType, ContentDisposition):
        found = kind.read(text)
        written = str(found)
        assert kind.read(written) == found
        assert str(kind.read(written)) == written
        assert all(0 <= defect.where <= len(text) for defect in found.defects)
        assert [defect.where for defect in found.defects] == sorted(defect.where for defect in found.defects)
        assert not re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", written)
        if not found.defects:
            assert kind.parse(text) == found
        problem, strict = attempt(kind, text)
        if problem:
            assert 0 <= problem.where <= len(text)
            assert found.defects
        else:
            assert {defect.rule for defect in found.defects} <= {"RFC 2047 s5", "RFC 2045 s5.1"}
            assert strict == found or "=?" in text


@given(st.dictionaries(NAMES.map(str.lower), VALUES, max_size=5))
def test_any_mapping_round_trips(values):
    made = MimeParameters(values)
    assert values_of(made) == values
    written = str(made)
    assert values_of(MimeParameters.parse(written)) == values
    assert values_of(MimeParameters.read(written)) == values
    assert not MimeParameters.read(written).defects
    assert written.isascii()
    assert str(ContentDisposition.parse(f"attachment; {written}" if written else "attachment").parameters) == written


@given(st.permutations(["a=1", "a*=''2", "a*0=3", "a*1=4", "b=5", "a*2*=%36"]))
def test_order_does_not_count(pieces):
    assert values_of(MimeParameters.read("; ".join(pieces))) == {"a": "2", "b": "5"}
    without = [piece for piece in pieces if piece != "a*=''2"]
    assert values_of(MimeParameters.read("; ".join(without)))["b"] == "5"


# --- work --------------------------------------------------------------------------------------------------

FAMILIES = {
    "semicolons": lambda n: ";" * n,
    "parameters": lambda n: ";".join(f"a{number}=b" for number in range(n // 8)),
    "same": lambda n: "a=b;" * (n // 4),
    "sections": lambda n: ";".join(f"a*{number}=b" for number in range(n // 8)),
    "extended-sections": lambda n: "a*0*=utf-8''%41;" + ";".join(f"a*{number}*=%C3" for number in range(1, n // 10)),
    "backwards": lambda n: ";".join(f"a*{number}=b" for number in range(n // 8, 0, -1)),
    "quotes": lambda n: '"' * n,
    "open-quotes": lambda n: 'a="b;' * (n // 5),
    "quoted-pairs": lambda n: '"' + '\\"' * (n // 2),
    "junk-quoted-pairs": lambda n: 'x"' + '\\"' * (n // 2),
    "backslashes": lambda n: 'a="' + "\\" * n,
    "comments": lambda n: "(" * n,
    "nested": lambda n: "a=b" + "(" * (n // 2) + ")" * (n // 2),
    "open-comments": lambda n: ";(" * (n // 2),
    "values-with-comments": lambda n: "a=b(;" * (n // 5),
    "names-with-comments": lambda n: "a(;" * (n // 3),
    "closed-comments": lambda n: "a=b" + "(c)" * (n // 3) + "x",
    "comments-then-control": lambda n: "a=(" + ";()" * (n // 3) + "\0",
    "blanks": lambda n: " " * n + "a",
    "equals": lambda n: "=" * n,
    "asterisks": lambda n: "a" + "*" * n + "=b",
    "words": lambda n: "a" * n,
    "no-semicolons": lambda n: "a=b " * (n // 4),
    "percent": lambda n: "a*=utf-8''" + "%" * n,
    "apostrophes": lambda n: "a*=" + "'" * n,
    "escapes": lambda n: "a*=utf-8''" + "%C3%A9" * (n // 6),
    "encoded-words": lambda n: 'a="' + "=?utf-8?q?b?= " * (n // 14) + '"',
    "encoded-word-beginnings": lambda n: 'a="' + "=?a?q?" * (n // 6) + '"',
    "encoded-word-blanks": lambda n: 'a="=?a?q?b?=' + "?= \t" * (n // 4) + '"',
}


@pytest.mark.law(14)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", [MimeParameters, ContentType])
def test_work_is_linear(family, kind):
    lead = "a/b;" if kind is ContentType else ""

    def work(size: int) -> Any:
        text = lead + FAMILIES[family](size)
        return lambda: str(kind.read(text))

    work(256)()
    assert growth(work, 512, 4) <= 1.1
    for _ in range(4):  # a match is one opcode, so time has to tell, though only whether it is much worse than linear
        if seconds(work(32_000)) < 16 * (seconds(work(4_000)) + 50e-6):
            return
    pytest.fail("takes more than linear time")


def seconds(run: Any) -> float:
    best = float("inf")
    for _ in range(3):
        begun = process_time()
        run()
        best = min(best, process_time() - begun)
    return best
