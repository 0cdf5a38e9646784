"""Replies as values: what each is, and how it is written."""

from __future__ import annotations

from typing import Any

import pytest

from smtpcore import EnhancedCode, ParseError, Reply


@pytest.mark.parametrize(
    ("reply", "octets"),
    [
        (Reply(250, "ok"), b"250 ok\r\n"),
        (Reply(250), b"250 \r\n"),
        (Reply(250, []), b"250 \r\n"),
        (Reply(250, "ok", "2.1.0"), b"250 2.1.0 ok\r\n"),
        (Reply(550, ["a", "b"], EnhancedCode(5, 7, 1)), b"550-5.7.1 a\r\n550 5.7.1 b\r\n"),
        (Reply(250, (line for line in ("a", "", "c"))), b"250-a\r\n250-\r\n250 c\r\n"),
        (Reply(220, "caf\u00e9 \udcff"), b"220 caf\xc3\xa9 \xff\r\n"),
    ],
)
def test_written(reply, octets):
    assert bytes(reply) == octets == reply.encode(with_enhanced=True)


def test_written_without_its_enhanced_code():
    assert Reply(250, ["a", "b"], "2.0.0").encode(with_enhanced=False) == b"250-a\r\n250 b\r\n"


@pytest.mark.parametrize("code", [199, 600, 0, -250, 25, 2500, True, 250.0, "250", None])
def test_no_codes(code):
    with pytest.raises(ParseError):
        Reply(code, "x")


@pytest.mark.parametrize("code", [200, 599])
def test_codes_at_their_limits(code):
    assert Reply(code).code == code


@pytest.mark.parametrize(("code", "enhanced"), [(250, "5.0.0"), (550, "4.0.0"), (354, "2.0.0"), (450, "5.1.1")])
def test_enhanced_codes_of_another_class(code, enhanced):
    """RFC 2034 s4: the class of one is the first digit of the other."""
    with pytest.raises(ParseError):
        Reply(code, "x", enhanced)


@pytest.mark.parametrize(
    "text",
    ["", "5", "5.1", "5.1.1.1", "3.0.0", "5.01.0", "5.1.1000", "5.1.1 ", "5.1.-1", "5,1,1", "\u0665.1.1", "5.1.1\n"],
)
def test_no_enhanced_codes(text):
    with pytest.raises(ParseError):
        EnhancedCode.parse(text)


def test_enhanced_codes():
    code = EnhancedCode.parse("5.7.999")
    assert (code.klass, code.subject, code.detail) == (5, 7, 999)
    assert code == EnhancedCode(5, 7, 999)
    assert str(code) == "5.7.999"
    with pytest.raises(ParseError):
        EnhancedCode(5, 1000, 0)
    with pytest.raises(ParseError):
        EnhancedCode(True, 0, 0)
    number: Any = 5.5
    with pytest.raises(TypeError):
        Reply(250, "x", number)


def test_classes():
    assert [Reply(code).is_positive for code in (250, 354, 450, 550)] == [True, True, False, False]
    assert [Reply(code).is_transient for code in (250, 354, 450, 550)] == [False, False, True, False]
    assert [Reply(code).is_permanent for code in (250, 354, 450, 550)] == [False, False, False, True]


def test_text():
    assert Reply(550, ["a", "b"]).text == "a\nb"
    assert str(Reply(550, ["a", "b"], "5.1.1")) == "550 5.1.1 a\nb"
    assert str(Reply(250, "ok")) == "250 ok"
    assert repr(Reply(250, "ok", "2.0.0")) == (
        "Reply(code=250, lines=('ok',), enhanced=EnhancedCode(klass=2, subject=0, detail=0))"
    )
