"""MIME-Version: two numbers, and comments that count for nothing."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.message.mime_version import MimeVersion, parse_mime_version
from smtpcore.wire.tolerance import INTEROP, LAX, Tolerance
from tests.wire.counting import growth


@pytest.mark.parametrize(
    ("text", "version", "comments"),
    [
        # RFC 2045 s4 has the first five
        ("1.0", (1, 0), ()),
        ("1.0 (produced by MetaSend Vx.x)", (1, 0), ("produced by MetaSend Vx.x",)),
        ("(produced by MetaSend Vx.x) 1.0", (1, 0), ("produced by MetaSend Vx.x",)),
        ("1.(produced by MetaSend Vx.x)0", (1, 0), ("produced by MetaSend Vx.x",)),
        ("1(a) . (b)0(c(d))(e)", (1, 0), ("a", "b", "c(d)", "e")),
        (" 01.10\t", (1, 10), ()),
        ("999999999.0", (999_999_999, 0), ()),
    ],
)
def test_versions(text, version, comments):
    for found in (MimeVersion.parse(text), MimeVersion.read(text)):
        assert (found.major, found.minor) == version
        assert found.comments == comments
        assert found == MimeVersion(*version)
        assert MimeVersion.parse(str(found)) == found
        assert found.defects == ()


@pytest.mark.parametrize(
    ("text", "where", "rule"),
    [
        ("", 0, "RFC 2045 s4"),
        ("1", 1, "RFC 2045 s4"),
        ("1.", 2, "RFC 2045 s4"),
        (".0", 0, "RFC 2045 s4"),
        ("1,0", 1, "RFC 2045 s4"),
        ("1.x", 2, "RFC 2045 s4"),
        ("v1.0", 0, "RFC 2045 s4"),
        ("\u0661.\u0660", 0, "RFC 2045 s4"),
        ("1234567890.0", 9, "RFC 2045 s4"),
        ("(a", 0, "RFC 5322 s3.2.2"),
        ("1.0 (a", 4, "RFC 5322 s3.2.2"),
        ("\n1.0", 0, "RFC 2045 s4"),
    ],
)
def test_what_is_none(text, where, rule):
    for level in (INTEROP, LAX):
        with pytest.raises(ParseError) as caught:
            MimeVersion.parse(text, Tolerance(level))
        assert (caught.value.where, caught.value.rule) == (where, rule)
    found = MimeVersion.read(text)
    assert found == MimeVersion()
    assert [(defect.where, defect.rule) for defect in found.defects] == [(where, rule)]


@pytest.mark.parametrize(("text", "where"), [("1.0x", 3), ("1.0 1.0", 4), ("2.0\n", 3), ("1.0;", 3)])
def test_what_follows(text, where):
    with pytest.raises(ParseError) as caught:
        MimeVersion.parse(text)
    assert caught.value.where == where
    found = MimeVersion.read(text)
    assert found.major == int(text[0])
    assert [defect.where for defect in found.defects] == [where]


def test_built():
    assert str(MimeVersion()) == "1.0"
    assert str(MimeVersion(2, 1)) == "2.1"
    assert pickle.loads(pickle.dumps(MimeVersion.read("1.0 (a)"))) == MimeVersion()
    assert parse_mime_version("x1.0 y", 1) == (MimeVersion(), 5)
    for numbers in ((-1, 0), (1, 10**9)):
        with pytest.raises(ParseError):
            MimeVersion(*numbers)
    for wrong in ("1", 1.0, True):
        with pytest.raises(TypeError):
            MimeVersion(wrong)  # type: ignore[arg-type]  # what is refused


@given(st.text(max_size=20) | st.lists(st.sampled_from(["1", "0", ".", "(", ")", "a", " ", "\\", "\n"])).map("".join))
def test_reading_is_total(text):
    found = MimeVersion.read(text)
    assert MimeVersion.parse(str(found)) == found
    assert all(0 <= defect.where <= len(text) for defect in found.defects)
    if not found.defects:
        assert MimeVersion.parse(text) == found


@pytest.mark.law(14)
@pytest.mark.parametrize("piece", ["1", "(", "(a)", " ", "1.0", "(\\)", "."])
def test_work_is_linear(piece):
    assert growth(lambda n: lambda: MimeVersion.read("1" + piece * n), 1024, 8) <= 1.1
