"""Edits of a header touch what they name; nothing that is put in becomes two fields, or part of another."""

from __future__ import annotations

import pytest

from smtpcore import ParseError
from smtpcore.message.field import Field, LineEnds
from smtpcore.message.header import Header, HeaderLimits
from smtpcore.message.parser import MessageParser

BLOCK = b"Received: one\r\nFrom:  a@b \r\nSUBJECT: x\r\n y\r\nreceived: two\r\n\r\n"


@pytest.fixture
def header():
    return Header.parse(BLOCK)


@pytest.mark.parametrize("name", [b"X Y", b"X:", b"", b"X\r\nBcc", b"\xc3\xa9", "X\n", "\u00e9"])
def test_hdr_03_a_name_is_a_name(name):
    with pytest.raises(ParseError) as caught:
        Field.build(name, b" x")
    assert caught.value.rule == "RFC 5322 s3.6.8"


@pytest.mark.parametrize(
    "body",
    [
        b" a\r\nBcc: x@y",
        b" a\n",
        b" a\r",
        b" a\0",
        b" a\r\n",
        b" a\r\n \r\n b",
        b" a\r\n\r\n b",
        b"\xff",
        b"x" * 998,
        b"\x1b",
    ],
)
def test_hdr_02_hdr_04_nothing_ends_a_field_early(body):
    with pytest.raises(ParseError):
        Field.build("Subject", body)


def test_a_field_that_was_built():
    field = Field.build("Subject", b" a\r\n b")
    assert bytes(field) == field.raw == b"Subject: a\r\n b\r\n"
    assert (field.name, field.body, field.text, field.offset, field.defects) == (b"Subject", b" a\r\n b", "a b", -1, ())


def test_edits_leave_the_others_as_they_were(header):
    new = Field.build("X-New", b" z")
    assert bytes(header.with_added(new)) == BLOCK[:-2] + b"X-New: z\r\n\r\n"
    assert bytes(header.with_prepended(new)) == b"X-New: z\r\n" + BLOCK
    assert bytes(header.with_replaced("Subject", new)) == BLOCK.replace(b"SUBJECT: x\r\n y", b"X-New: z")
    assert bytes(header.with_replaced(header.fields[3], new)) == BLOCK.replace(b"received: two", b"X-New: z")
    assert bytes(header.with_replaced("Missing", new)) == bytes(header.with_added(new))
    assert bytes(header.without("RECEIVED")) == b"From:  a@b \r\nSUBJECT: x\r\n y\r\n\r\n"
    assert bytes(header.without(header.fields[0])) == BLOCK.removeprefix(b"Received: one\r\n")
    assert bytes(header.with_order(reversed(header.fields))).startswith(b"received: two\r\nSUBJECT: x\r\n y\r\nFrom:")
    assert bytes(header) == BLOCK
    assert all(one is other for one, other in zip(header.with_added(new), header))


def test_edits_that_cannot_be(header):
    with pytest.raises(ParseError):
        header.with_replaced("Received", Field.build("X", b" z"))
    with pytest.raises(ValueError):
        header.without(Field.build("X", b" z"))
    with pytest.raises(ValueError):
        header.with_order(header.fields[:-1])
    with pytest.raises(ParseError):
        Header(Header.parse(b"no field\r\n\r\n").fields)
    folded = Header.parse(b" folded\r\nA: b\r\n\r\n")
    with pytest.raises(ParseError):
        folded.with_prepended(Field.build("X", b" z"))
    assert bytes(folded.with_added(Field.build("X", b" z"))) == b" folded\r\nA: b\r\nX: z\r\n\r\n"


def test_a_field_that_was_cut_off_gets_its_end_when_another_follows():
    header = Header.parse(b"A: b")
    assert bytes(header) == b"A: b"
    assert bytes(header.with_added(Field.build("C", b" d"))) == b"A: b\r\nC: d\r\n"


def test_a_line_is_as_long_as_it_may_be():
    assert len(Field.build("X", b"x" * 996).raw) == 1000
    with pytest.raises(ParseError) as caught:
        Field.build("X", b"x" * 997)
    assert caught.value.rule == "RFC 5322 s2.1.1"
    assert Field.build("X", b" a\r\n " + b"x" * 997).defects == ()


@pytest.mark.parametrize(
    ("block", "sent"),
    [
        (b"A: b\r\n\0Bcc: d\r\n\r\n", b"A: b\r\n? Bcc: d\r\n\r\n"),
        (b"A: b\nBcc: d\r\n\r\n", b"A: b Bcc: d\r\n\r\n"),
        (b"A: b\r\n \r\n c\r\n\r\n", b"A: b\r\n c\r\n\r\n"),
        (b"  \r\nA: b\r\n\r\n", b"A: b\r\n\r\n"),
        (b"A: b", b"A: b\r\n"),
    ],
)
def test_what_may_be_sent_on_has_no_field_more(block, sent):
    assert bytes(Header.parse(block).normalized()) == sent


def test_what_a_header_cannot_be_made_of():
    with pytest.raises(ParseError, match="not an empty line"):
        Header(end=b"\r\n\r\n")
    with pytest.raises(TypeError, match="Field objects"):
        Header([b"A: b\r\n"])  # type: ignore[list-item]  # the mistake it is about
    with pytest.raises(ParseError, match="lines that end otherwise"):
        Header(Header.parse(b"A: b\n\n", LineEnds.LF).fields)
    with pytest.raises(ParseError, match="no line end"):
        Header(Header.parse(b"A: b").fields)
    with pytest.raises(TypeError, match="must be bytes"):
        Field.build("A", "b")  # type: ignore[arg-type]  # the mistake it is about
    for limits in ({"size": 999}, {"fields": 0}, {"line": 999}):
        with pytest.raises(ValueError, match="limit"):
            HeaderLimits(**limits)


def test_a_header_as_a_collection(header):
    assert len(header) == 4
    assert header.size == len(BLOCK)
    assert "subject" in header
    assert b"SUBJECT" in header
    assert "Bcc" not in header
    assert 7 not in header
    assert [field.raw for field in header] == [field.raw for field in header.all("received")[:1]] + [
        field.raw for field in header.fields[1:]
    ]
    assert Header.parse(bytearray(BLOCK)) == header  # type: ignore[arg-type]  # octets of another kind are copied
    assert header.normalized() is header


def test_octets_behind_the_end():
    parser = MessageParser()
    parser.receive_data(b"")
    with pytest.raises(ValueError, match="behind the end"):
        parser.receive_data(b"x")


def test_a_header_and_its_body(header):
    assert Header.split(BLOCK + b"body\r\n\r\n") == (header, b"body\r\n\r\n")
    with pytest.raises(TypeError):
        Header.parse(5)  # type: ignore[arg-type]  # the mistake it is about
