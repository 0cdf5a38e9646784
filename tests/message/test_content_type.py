"""Content-Type: strict, tolerant, and as other projects' tests and messages have it."""

from __future__ import annotations

import pickle
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.message.content_type import BOUNDARY_LIMIT, ContentType
from smtpcore.message.disposition import ContentDisposition
from smtpcore.message.parameters import MimeParameters
from smtpcore.wire.tolerance import INTEROP, Tolerance
from tests.corpus import vectors
from tests.wire.records import check_list, judge


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("text/plain", "text/plain"),
        ("Text/HTML; Charset=UTF-8", "text/html; charset=UTF-8"),
        (" text/plain ;charset=utf-8", "text/plain; charset=utf-8"),
        ("(a) text (b) / (c) plain (d) ; (e) charset=x", "text/plain; charset=x"),
        ('multipart/mixed; boundary="a b"', 'multipart/mixed; boundary="a b"'),
        ("application/vnd.x+json", "application/vnd.x+json"),
    ],
)
def test_what_the_grammar_has(text, written):
    found = ContentType.parse(text)
    assert str(found) == written
    assert ContentType.parse(written) == found
    assert ContentType.read(text) == found
    assert not ContentType.read(text).defects
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "text",
        "text/",
        "/plain",
        "text/;charset=us-ascii",
        "te xt/plain",
        '"text/plain"',
        "(text/plain",
        "text(/plain",
        "text/(plain",
        "application/åtom",
        "bogus/<script>",
        "á/b",
        "; charset=us-ascii",
    ],
)
def test_rfc_2045_5_2_the_default(text):
    for level in (Tolerance(), Tolerance(INTEROP)):
        with pytest.raises(ParseError) as caught:
            ContentType.parse(text, level)
        assert (caught.value.rule, caught.value.where) == ("RFC 2045 s5.2", 0)
    found = ContentType.read(text)
    assert str(found) == "text/plain; charset=us-ascii"
    assert found.defects[0].rule == "RFC 2045 s5.2"


def test_the_default_keeps_the_parameters():
    found = ContentType.read('"x;y=z"; name=a; charset=utf-8')
    assert str(found) == "text/plain; name=a; charset=utf-8"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("text/plain x; a=b", {"a": "b"}),
        ("text/plain a=b", {"a": "b"}),
        ("text/plain/x; a=b", {"a": "b"}),
        ("text/plain, text/html; a=b", {"a": "b"}),
        ("text/plain (x; a=b", {}),
    ],
)
def test_what_follows_the_subtype(text, values):
    with pytest.raises(ParseError):
        ContentType.parse(text, Tolerance(INTEROP))
    found = ContentType.read(text)
    assert found.essence == "text/plain"
    assert {parameter.name: parameter.value for parameter in found.parameters} == values
    assert len(found.defects) == 1


@pytest.mark.parametrize("boundary", ["a", "'()+_,-./:=?", "a b", " a", "0" * BOUNDARY_LIMIT, "----=_Part_1.2", "=_x"])
def test_boundaries(boundary):
    made = ContentType("Multipart", "Mixed", {"boundary": boundary})
    assert made.is_multipart
    assert made.boundary == boundary
    assert ContentType.parse(str(made)) == made


@pytest.mark.parametrize("boundary", ["", "a ", "a*b", "\u00e9", "0" * (BOUNDARY_LIMIT + 1), "a;b", 'a"', "a@b", "[a]"])
def test_boundaries_that_are_none(boundary):
    with pytest.raises(ParseError) as caught:
        ContentType("multipart", "mixed", {"boundary": boundary})
    assert caught.value.rule == "RFC 2046 s5.1.1"
    text = f"multipart/mixed; {MimeParameters({'boundary': boundary})}"
    with pytest.raises(ParseError):
        ContentType.parse(text)
    found = ContentType.parse(text, Tolerance(INTEROP))
    assert found.boundary == boundary
    assert [defect.rule for defect in ContentType.read(text).defects] == ["RFC 2046 s5.1.1"]
    assert ContentType("text", "plain", {"boundary": boundary}).boundary == boundary


def test_a_multipart_without_a_boundary():
    for text in ("multipart/mixed", "MULTIPART/x; a=b"):
        with pytest.raises(ParseError):
            ContentType.parse(text, Tolerance(INTEROP))
        assert [defect.rule for defect in ContentType.read(text).defects] == ["RFC 2046 s5.1.1"]
    with pytest.raises(ParseError):
        ContentType("multipart", "mixed")


def test_what_it_says():
    assert ContentType("text", "plain").charset == "us-ascii"
    assert ContentType("text", "html").charset is None
    assert ContentType("text", "html", [("Charset", "UTF-8")]).charset == "utf-8"
    assert ContentType("text", "plain", {"charset": ""}).charset == "us-ascii"
    assert ContentType("text", "plain").boundary is None
    assert not ContentType("text", "plain").is_multipart
    assert ContentType("TEXT", "Plain") == ContentType("text", "plain", MimeParameters())
    assert ContentType("text", "plain") != ContentType("text", "plain", {"a": "b"})
    with pytest.raises(AttributeError):
        ContentType("text", "plain").type = "x"


@pytest.mark.parametrize(
    ("kind", "subtype"), [("", "a"), ("a", ""), ("a b", "c"), ("a", "b;"), ("a\n", "b"), ("\u00e9", "b")]
)
def test_types_that_are_none(kind, subtype):
    with pytest.raises(ParseError):
        ContentType(kind, subtype)


TYPES = st.text("abcXYZ019-+.!#$%&'*^_`{|}~", min_size=1, max_size=10).filter(lambda name: name.lower() != "multipart")


@given(
    TYPES, TYPES, st.dictionaries(st.sampled_from(["a", "charset", "name"]), st.text("ab \"\\;=\u00e9'*%", max_size=80))
)
def test_round_trip(kind, subtype, values):
    made = ContentType(kind, subtype, values)
    assert ContentType.parse(str(made)) == made
    assert ContentType.read(str(made)) == made
    assert made.essence == f"{kind}/{subtype}".lower()


# --- other projects' records -------------------------------------------------------------------------------

_CHARSETS = "RFC 2231 s4: a value that cannot be decoded is kept, with a defect, where there is no other"
_QUOTED_PAIR = "RFC 822 s3.3: a backslash quotes what follows it"
_GAP = "RFC 2231 s3: sections are numbered from 0, without gaps; the first of two with one number counts"

DEVIATIONS = {
    "params-00031": "RFC 2231 s4.1: the character set stands before the first section only",
    "params-00048": "RFC 2183 s2: no disposition, so what is there is its parameter",
    "params-00054": "RFC 2045 s5.1: a token is ASCII",
    "params-00058": "RFC 2183 s2: no disposition, so what is there is its parameter",
    "params-00059": "RFC 2231 s3: section 9999 lies behind a gap, and RFC 5322 s2.2 has no NUL",
    "params-00067": "RFC 2045 s5.2: no subtype, so text/plain",
    "params-00068": "RFC 2045 s5.2: no subtype, so text/plain",
    "params-00069": "RFC 2045 s5.2: no subtype, so text/plain",
    "params-00163": "RFC 2231 s4: the character set may be left blank",
    "params-00170": _CHARSETS,
    "params-00185": "RFC 2045 s5.1: the parameter is there, the record leaves it out",
    "params-00196": _QUOTED_PAIR,
    "params-00241": _CHARSETS,
    "params-00244": _CHARSETS,
    "params-00254": "RFC 2231 s4: a value in both forms is read in one, not dropped",
    "params-00258": _QUOTED_PAIR,
    "params-00259": _QUOTED_PAIR,
    "params-00286": _GAP,
    "params-00287": _GAP,
    "params-00290": "RFC 2231 s4: the form with a character set goes before the plain one, in any order",
    "params-00291": _GAP,
    "params-00316": "RFC 2045 s5.2: the default has a charset",
    "params-00317": "RFC 2045 s5.2: the default has a charset",
    "params-00359": "RFC 2231 s7: a section has no leading zeros",
    "params-00395": "RFC 2183 s2: no disposition has an equals sign in it",
    "params-00405": "RFC 2045 s5.1: about a field that the record does not have",
    "params-00422": "RFC 2231 s4.1: apostrophes of a section that is not extended are part of it",
}


def unfolded(text: str) -> str:
    return re.sub(r"\r?\n(?=[ \t])", "", text).rstrip("\r\n")


def strictly(text: str) -> bool:
    """Whether either field's grammar has it."""
    for kind in (ContentType, ContentDisposition):
        try:
            kind.parse(text)
        except ParseError:
            continue
        return True
    return False


def body_of(block: str, name: str) -> str | None:
    """The body of the field of that name in a block, unfolded."""
    found = re.search(rf"(?im)^{re.escape(name)}:((?:.|\n[ \t])*)", block.replace("\r\n", "\n").replace("\r", ""))
    return unfolded(found[1]).strip(" \t") if found else None


def told(found: MimeParameters, expected: dict[str, str]) -> str:
    values = {parameter.name: parameter.value for parameter in found}
    return "" if values == {name.lower(): value for name, value in expected.items()} else f"has {values}"


def of_stalwart(text: str, expected: Any) -> str:
    if expected is None:
        return "" if ContentType.read(text).defects else "a type"
    attributes = dict(expected["attributes"] or ())
    languages = {name: attributes.pop(name) for name in list(attributes) if name.endswith("-language")}
    if expected["c_subtype"] is None and "/" not in text:
        shown = ContentDisposition.read(text)
        return told(shown.parameters, attributes) or ("" if shown.disposition == expected["c_type"] else f"is {shown}")
    found = ContentType.read(text)
    said = {f"{parameter.name}-language": parameter.language for parameter in found.parameters if parameter.language}
    if (found.type, found.subtype) != (expected["c_type"], expected["c_subtype"]) or said != languages:
        return f"is {found}"
    return told(found.parameters, attributes)


def of_a_value(text: str, expected: Any) -> str:
    """Sources with the value in front and a mapping of parameters."""
    value = expected["value"]
    if "error" in expected or not value:
        return "read strictly" if strictly(text) else ""
    if "/" in value:
        found = ContentType.read(text)
        return told(found.parameters, expected["params"]) or ("" if found.essence == value else f"is {found}")
    shown = ContentDisposition.read(text)
    return told(shown.parameters, expected["params"]) or ("" if shown.disposition == value else f"is {shown}")


def of_cpython(text: str, expected: Any, kind: str) -> str:
    found: Any = MimeParameters.read(text)
    if kind == "Content-Type":
        found = ContentType.read(text)
    elif kind == "Content-Disposition":
        found = ContentDisposition.read(text)
    problem = told(found if kind == "params-only" else found.parameters, dict(expected["params"]))
    if not expected["defects"] and found.defects:
        problem = f"{problem} has {found.defects}"
    for key, attribute in (("content_type", "essence"), ("content_disposition", "disposition")):
        if expected.get(key) and getattr(found, attribute) != expected[key]:
            problem = f"{problem} is {found}"
    return problem


def of_messages(block: str, expected: Any) -> str:
    keywords = expected.get("kw") or {}
    name = keywords.get("header", "content-type")
    if "get_filename" in expected:
        name = "content-disposition"
    body = body_of(block, name)
    if body is None:
        return "" if None in expected.values() or name == "content-type" else "no such field"
    found: Any = ContentType.read(body) if name == "content-type" else ContentDisposition.read(body)
    for key, value in expected.items():
        if key == "get_params" and value is not None:
            problem = told(found.parameters, {n: v.strip('"') for n, v in value[1:]})
            head = found.essence if name == "content-type" else found.disposition
            if problem or head != value[0][0]:
                return problem or f"is {found}"
        elif key == "get_filename":
            if found.filename != value:
                return f"is {found}"
        elif key == "get_boundary":
            if found.boundary != value:
                return f"is {found}"
        elif parameter := re.fullmatch(r"get_param\['(.*)'\]", key):
            wanted = value[2] if isinstance(value, list) else value
            said = found.parameters.get(parameter[1])
            if said != (wanted[1:-1] if wanted.startswith('"') else wanted):
                return f"{parameter[1]} is {said!r}"
    return ""


def of_mimekit(text: str, expected: Any, kind: str) -> str:
    wanted = expected["object"][0]
    if kind == "content-disposition":
        shown = ContentDisposition.read(text)
        return "" if f"['{shown.disposition}']" in wanted else f"is {shown}"
    found = ContentType.read(text)
    if wanted == "None":
        return "" if "RFC 2045 s5.2" in [defect.rule for defect in found.defects] else f"is {found}"
    return "" if f"['{found.type}', '{found.subtype}']" in wanted else f"is {found}"


def problem_of(row: dict[str, Any]) -> str:
    source, kind, expected = row["source"], row["kind"], row["expected"]
    if kind == "message-headers":
        return of_messages(row["input"], expected)
    text = unfolded(row["input"])
    if "stalwart" in source:
        return of_stalwart(text, expected)
    if "MimeKit" in source:
        return of_mimekit(text, expected, kind)
    if "cpython" in source:
        return of_cpython(text, expected, kind)
    return of_a_value(text, expected)


@pytest.mark.parametrize("row", vectors("params"))
def test_records(row):
    judge(row, problem_of(row), DEVIATIONS)


def test_the_list():
    check_list("params", DEVIATIONS)


def of_fields() -> list[Any]:
    rows = vectors("headers")
    return [row for row in rows if row.values[0] is None or "ontent-Type:" in str(row.values[0].get("input"))]


@pytest.mark.parametrize("row", of_fields())
def test_header_records(row):
    found = ContentType.read(str(body_of(row["input"], "content-type")))
    if "bogus" in row["input"]:
        assert str(found) == "text/plain; charset=us-ascii"
    else:
        assert str(found) == "image/jpeg; name=06613981.jpg"
        assert [defect.rule for defect in found.defects] == ["RFC 2047 s5"]


def test_hdr_08():
    found = ContentType.read("a/b; x*0*")
    assert (found.essence, len(found.parameters), len(found.defects)) == ("a/b", 0, 1)
