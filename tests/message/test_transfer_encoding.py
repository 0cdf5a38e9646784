"""Content-Transfer-Encoding: one of five, a private one, or something else that is kept with a defect."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.message.transfer_encoding import NAME_LIMIT, TransferEncoding
from smtpcore.wire.tolerance import INTEROP, LAX, Tolerance
from tests.wire.counting import growth


@pytest.mark.parametrize("name", ["7bit", "8bit", "binary", "quoted-printable", "base64"])
def test_the_five(name):
    for text in (name, name.upper(), f" {name}\t", f"(a (b)) {name} (c)"):
        for found in (TransferEncoding.parse(text), TransferEncoding.read(text), TransferEncoding(name.upper())):
            assert str(found) == name
            assert found.is_known
            assert found.is_identity == (name in ("7bit", "8bit", "binary"))
            assert found.defects == ()
    assert pickle.loads(pickle.dumps(TransferEncoding(name))) == TransferEncoding.read(name)


def test_private_ones():
    found = TransferEncoding.parse("X-UUencode")
    assert found == TransferEncoding("x-uuencode")
    assert str(found) == "x-uuencode"
    assert not found.is_known
    assert not found.is_identity
    assert TransferEncoding.read("x-uuencode") == found
    assert str(TransferEncoding("x-" + "a" * (NAME_LIMIT - 2))) == "x-" + "a" * (NAME_LIMIT - 2)


@pytest.mark.parametrize(
    "name", ["", "x-", "uuencode", "base64 ", "x-a b", "x-\n", "x-" + "a" * NAME_LIMIT, "bin\u0131ry", "7bit\n"]
)
def test_what_cannot_be_built(name):
    with pytest.raises(ParseError) as caught:
        TransferEncoding(name)
    assert caught.value.rule == "RFC 2045 s6.1"


@pytest.mark.parametrize(
    ("text", "least", "name", "wheres"),
    [
        ("uuencode", INTEROP, "uuencode", [0]),
        (" 8-Bit", INTEROP, "8bit", [1]),
        ("7-bit", INTEROP, "7bit", [0]),
        ("base64;", LAX, "base64", [6]),
        ("7bit, base64", LAX, "7bit", [4]),
        ("base64 (a", LAX, "base64", [6]),
        ('"base64"', LAX, "base64", [0]),
        ('"base64', LAX, "base64", [0]),
        ('base64"', LAX, "base64", [6]),
        ('"base64"x', LAX, "base64", [0, 8]),
        ("", LAX, "7bit", [0]),
        ("  ;x", LAX, "7bit", [0]),
        ("(a", LAX, "7bit", [0]),
        ("\u00e9", LAX, "7bit", [0]),
        ("base64\r\n", LAX, "base64", [6]),
        ("\0base64", LAX, "7bit", [0, 0]),
        ("z" * (NAME_LIMIT + 1), LAX, "7bit", [0, 0]),
        ("x-" + "z" * NAME_LIMIT, LAX, "7bit", [0]),
    ],
)
def test_what_is_let_through(text, least, name, wheres):
    for level in (Tolerance(), Tolerance(INTEROP)):
        if level.level is least:
            break
        with pytest.raises(ParseError):
            TransferEncoding.parse(text, level)
    found = TransferEncoding.read(text)
    assert found.name == name
    assert [defect.where for defect in found.defects] == wheres
    assert TransferEncoding.parse(text, Tolerance(least)) == found
    assert TransferEncoding.read(name).defects == () or not TransferEncoding.read(name).is_known


@given(
    st.text(max_size=20)
    | st.lists(st.sampled_from(["base64", "x-", "8bit", '"', "(", ")", " ", ";", "\n"])).map("".join)
)
def test_reading_is_total(text):
    found = TransferEncoding.read(text)
    assert TransferEncoding.read(str(found)) == found
    if not found.defects:
        assert TransferEncoding.parse(text) == found
        assert TransferEncoding(found.name) == found


@pytest.mark.law(14)
@pytest.mark.parametrize("piece", ["x", "(", "(a)", " ", '"', ";"])
def test_work_is_linear(piece):
    assert growth(lambda n: lambda: TransferEncoding.read(piece * n), 1024, 8) <= 1.1
