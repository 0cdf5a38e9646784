"""New fields: read again they say the same, and there is never one more of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.message.accessors import READERS
from smtpcore.message.address import Address, Group
from smtpcore.message.address_list import AddressList
from smtpcore.message.build import build_field, build_header
from smtpcore.message.content_type import ContentType
from smtpcore.message.date import DateTime
from smtpcore.message.header import Header
from smtpcore.message.identifier import MessageId, MessageIdList
from smtpcore.message.unstructured import Unstructured


@pytest.mark.parametrize(
    ("name", "value", "raw"),
    [
        ("Subject", "hello", b"Subject: hello\r\n"),
        ("Subject", "", b"Subject:\r\n"),
        ("Subject", Unstructured("caf\u00e9"), b"Subject: =?utf-8?q?caf=C3=A9?=\r\n"),
        ("To", "bob@hamburger.edu", b"To: bob@hamburger.edu\r\n"),
        ("TO", AddressList([Group("friends")]), b"TO: friends:;\r\n"),
        ("Date", DateTime(2026, 11, 24), b"Date: Tue, 24 Nov 2026 00:00:00 +0000\r\n"),
        ("Message-ID", MessageId("1@crepes.fr"), b"Message-ID: <1@crepes.fr>\r\n"),
        ("Content-Type", "text/plain; charset=utf-8", b"Content-Type: text/plain; charset=utf-8\r\n"),
        ("X-Number", "7", b"X-Number: 7\r\n"),
    ],
)
def test_fields(name, value, raw):
    assert build_field(name, value).raw == raw


def test_utf8():
    several = AddressList([Address("Zo\u00eb", "zo\u00eb@x")])
    assert build_field("To", several, utf8=True).raw == "To: Zo\u00eb <zo\u00eb@x>\r\n".encode()
    with pytest.raises(ParseError, match="beyond ASCII"):
        build_field("To", several)


def test_hdr_01_an_encoded_line_end():
    text = "A x\u00e9 =?UTF-8?Q?=0A?=Bcc: injected@example.com"
    header = build_header([("Subject", text)])
    assert len(Header.parse(bytes(header))) == 1
    assert header.subject == Unstructured(text)


@pytest.mark.parametrize("bad", ["a\r\nBcc: x@y", "a\n", "a\r", "\0", "a\x7f"])
@pytest.mark.parametrize("name", ["Subject", "To", "Date", "X-Other"])
def test_hdr_02_line_ends_in_a_value(name, bad):
    with pytest.raises(ParseError):
        build_field(name, bad)


@pytest.mark.parametrize("name", ["X Y", "X:", "", "X\r\nBcc", "\u00e9", "\ud800"])
def test_hdr_03_what_is_no_name(name):
    with pytest.raises(ParseError, match="not a field name"):
        build_field(name, "x")


def test_hdr_05_a_long_quoted_name():
    several = AddressList([Address('a "quoted", name ' * 5, "a@b"), Address("", "c@d")])
    header = build_header([("To", several)])
    assert header.to == several
    assert Header.parse(bytes(header)).to == several


def test_hdr_06_a_name_that_hides_an_address():
    text = "=?utf-8?q?admin=40bank=2Eexample=2C_=3Cx=40evil=2Eexample=3E?= <a@b.example>"
    several = AddressList.parse(text)
    again = Header.parse(bytes(build_header([("To", several)]))).to
    assert again is not None
    assert [address.addr_spec for address in again.addresses] == ["a@b.example"]


def test_hdr_07_the_comma_stays_a_comma():
    several = AddressList.parse(f"{'a' * 60}@{'b' * 60}.example, \u00e4 <foo@x>")
    header = Header.parse(bytes(build_header([("To", several)])))
    assert header.to == several
    assert b", " in header.fields[0].text.encode()


def test_hdr_14_what_cannot_be_folded():
    with pytest.raises(ParseError, match="no place to fold"):
        build_field("Message-ID", MessageId(f"{'a' * 999}@b"))
    for text in ("a" * 999, "\u00e9" * 999, "a" + " " * 1000 + "b", "a b" * 999, "\u00e9 " * 400):
        for utf8 in (False, True):
            field = build_field("X", text.strip(), utf8=utf8)
            assert Unstructured.parse(field.text).text == text.strip()
            assert max(map(len, field.lines)) <= 998


def test_types():
    with pytest.raises(TypeError, match="To takes AddressList or str, not int"):
        build_field("To", 3)
    with pytest.raises(TypeError, match="X takes Unstructured or str, not DateTime"):
        build_field("X", DateTime(2026, 11, 24))


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=90)
NAMES = st.lists(st.sampled_from(["Alice", "Zo\u00eb", ",", '"', "<x@y>", "=?utf-8?q?a?=", " ", "."]), max_size=8).map(
    "".join
)
ADDRESSES = st.lists(
    st.builds(Address, NAMES, st.sampled_from(["a@b", '"a b"@c', "d@[192.0.2.1]", "x" * 64 + "@y.example"])),
    min_size=1,
    max_size=6,
).map(AddressList)
IDS = st.lists(st.sampled_from(["a@b", "c.d@e", "x" * 70 + "@y"]).map(MessageId), min_size=1, max_size=9)
FIELDS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["Subject", "X-Text", "Comments"]), TEXT.map(Unstructured)),
        st.tuples(st.sampled_from(["From", "To", "Cc", "Resent-To"]), ADDRESSES),
        st.tuples(st.just("References"), IDS.map(MessageIdList)),
        st.tuples(st.just("Date"), st.integers(1900, 9999).map(lambda year: DateTime(year, 1, 1))),
        st.tuples(
            st.just("Content-Type"), TEXT.map(lambda text: ContentType("text", "plain", {"name": text, "charset": "x"}))
        ),
    ),
    max_size=8,
)


@given(FIELDS, st.booleans())
def test_i14_a_header_comes_back(fields, utf8):
    """I14: the same names, number, order and values; no line that is empty, white space alone, or too long."""
    header = build_header(fields, utf8=utf8)
    octets = bytes(header)
    again = Header.parse(octets)
    assert [field.name.decode() for field in again] == [name for name, _ in fields]
    for field, (name, value) in zip(again, fields, strict=True):
        reader = READERS.get(name.lower().encode(), Unstructured.read)
        assert reader(field.text) == value
        assert not field.defects
    lines = octets.removesuffix(b"\r\n").split(b"\r\n")[:-1]
    assert all(line.strip() and len(line) <= 998 for line in lines)
    assert bytes(again) == octets
    assert utf8 or octets.isascii()
    rebuilt = build_header(
        [
            (name, READERS.get(name.lower().encode(), Unstructured.read)(field.text))
            for field, (name, _) in zip(again, fields, strict=True)
        ],
        utf8=utf8,
    )
    assert bytes(rebuilt) == octets
