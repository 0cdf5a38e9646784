"""New messages: what the author said comes back, nobody else's words become fields, and Bcc never leaves."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smtpcore import Mailbox, ParseError
from smtpcore.compose import Letter, compose
from smtpcore.message.accessors import read_value
from smtpcore.message.address import Address, Group
from smtpcore.message.address_list import AddressList
from smtpcore.message.date import DateTime
from smtpcore.message.header import Header
from smtpcore.message.identifier import MessageId
from smtpcore.message.unstructured import Unstructured

ALICE, BOB = "alice@crepes.fr", "bob@hamburger.edu"
DATE = DateTime(2026, 11, 24, 9, 33, 40)


def letter(**said: Any) -> Letter:
    """A letter of which only what matters to a test is said."""
    usual: dict[str, Any] = {"from_": ALICE, "to": BOB, "date": DATE, "message_id": "1@crepes.fr"}
    return compose(**(usual | said))


def read(made: Letter) -> EmailMessage:
    message = email.message_from_bytes(bytes(made), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        assert not part.defects
    return message


def names(made: Letter) -> list[str]:
    return [field.name.decode() for field in made.header]


def text_of(part: Any) -> str:
    return part.get_payload(decode=True).decode()


# --- the whole -----------------------------------------------------------------------------------


def test_a_plain_letter():
    made = letter(subject="Picture for you", text="Do you like ketchup?\n")
    assert bytes(made) == (
        b"Date: Tue, 24 Nov 2026 09:33:40 +0000\r\n"
        b"From: alice@crepes.fr\r\n"
        b"To: bob@hamburger.edu\r\n"
        b"Subject: Picture for you\r\n"
        b"Message-ID: <1@crepes.fr>\r\n"
        b"MIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=us-ascii\r\n"
        b"Content-Transfer-Encoding: 7bit\r\n"
        b"\r\n"
        b"Do you like ketchup?\r\n"
    )
    assert bytes(made) == bytes(made.content) == b"".join(made.content)
    assert made.content.size == len(bytes(made))
    assert made.is_ascii
    assert made == letter(subject="Picture for you", text="Do you like ketchup?\n")
    assert made.envelope.sender == Mailbox.parse(ALICE)


def test_everything_that_can_be_said():
    made = letter(
        from_=[Address("Alice", ALICE), "Zoe <zoe@crepes.fr>"],
        sender=Mailbox.parse("desk@crepes.fr"),
        reply_to="Desk <desk@crepes.fr>, friends: a@b;",
        to=AddressList([Address("Bob", BOB)]),
        cc=Group("others", [Address("", "c@d")]),
        in_reply_to="<2@crepes.fr>",
        references=["1@crepes.fr", MessageId("2@crepes.fr")],
        subject="x",
        fields=[("X-Number", "7"), ("List-Id", "<list.crepes.fr>")],
    )
    assert names(made) == [
        *["Date", "From", "Sender", "Reply-To", "To", "Cc", "Subject", "Message-ID", "In-Reply-To", "References"],
        *["X-Number", "List-Id", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"],
    ]
    assert str(made.header.references) == "<1@crepes.fr> <2@crepes.fr>"
    assert str(made.envelope.sender) == "desk@crepes.fr"
    assert list(map(str, made.envelope.recipients)) == [BOB, "c@d"]
    assert bytes(made).endswith(b"\r\n\r\n\r\n")  # a body of one empty line


def test_bcc_never_leaves():
    made = letter(bcc=["Eve <eve@hidden.example>", Group("g", [Address("", "mallory@hidden.example")])], cc=BOB)
    assert b"hidden" not in bytes(made)
    assert "Bcc" not in made.header
    assert list(map(str, made.envelope.recipients)) == [BOB, "eve@hidden.example", "mallory@hidden.example"]
    assert list(map(str, letter(to=(), bcc=BOB).envelope.recipients)) == [BOB]


@pytest.mark.parametrize("name", ["Bcc", "bCC", "Resent-Bcc", "From", "Content-Type", "Resent-To", "Received", "DATE"])
def test_fields_that_are_not_for_anybody(name):
    with pytest.raises(ValueError, match="is not for fields"):
        letter(fields=[(name, "x@y")])


# --- when, and what it is called -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("date", "written"),
    [
        (DATE, "Tue, 24 Nov 2026 09:33:40 +0000"),
        (datetime(2026, 11, 24, 9, 33, 40, tzinfo=UTC), "Tue, 24 Nov 2026 09:33:40 +0000"),
        (datetime(2026, 11, 24, 9, 33, 40, tzinfo=UTC).replace(tzinfo=None), "Tue, 24 Nov 2026 09:33:40 -0000"),
        (lambda: DATE, "Tue, 24 Nov 2026 09:33:40 +0000"),
        (lambda: datetime(2026, 11, 24, tzinfo=UTC), "Tue, 24 Nov 2026 00:00:00 +0000"),
    ],
)
def test_dates(date, written):
    assert str(letter(date=date).header.date) == written


@pytest.mark.parametrize("message_id", ["1@b", "<1@b>", MessageId("1@b"), lambda: "1@b", lambda: MessageId("1@b")])
def test_identifiers(message_id):
    assert letter(message_id=message_id).header.message_id == MessageId("1@b")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"date": None}, "date is missing: give a DateTime"),
        ({"message_id": None}, "message_id is missing: give a MessageId"),
        ({"message_id": lambda: None}, "message_id is missing"),
        ({"date": "today"}, "date must be a DateTime or a datetime, not str"),
        ({"message_id": 3}, "an identifier is a MessageId or a str, not int"),
        ({"to": [3]}, "To takes text, Mailbox, Address and Group objects, not int"),
        ({"subject": 3}, "subject must be a str, not int"),
        ({"text": b"x"}, "text must be a str, not bytes"),
        ({"attachments": [b"x"]}, "attachments are Attachment objects, not bytes"),
    ],
)
def test_what_is_missing_or_of_another_kind(said, why):
    with pytest.raises(TypeError, match=why):
        letter(**said)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"date": DateTime.read("")}, "no date"),
        ({"message_id": "no identifier"}, "identifier"),
        ({"message_id": MessageId("a")}, "identifier"),
        ({"references": "<a@b> <c@d>"}, "text behind the identifier"),
        ({"from_": ()}, "no author"),
        ({"from_": [ALICE, "zoe@crepes.fr"]}, "several authors and no Sender"),
        ({"sender": [ALICE, BOB]}, "several mailboxes in Sender"),
        ({"to": ()}, "no recipient"),
        ({"to": Group("undisclosed-recipients")}, "no recipient"),
        ({"to": "bob"}, "expected an address"),
        ({"to": ""}, "no address"),
        ({"to": "b\xf6b@hamburger.edu"}, "beyond ASCII"),
        ({"bcc": "b\xf6b@hamburger.edu"}, "beyond ASCII"),
        ({"text": "\udcff"}, "not text"),
    ],
)
def test_what_is_refused(said, why):
    with pytest.raises(ParseError, match=why):
        letter(**said)


# --- injection -----------------------------------------------------------------------------------


def test_hdr_01_an_encoded_line_end():
    text = "A x\u00e9 =?UTF-8?Q?=0A?=Bcc: injected@example.com"
    for utf8 in (False, True):
        made = letter(subject=text, utf8=utf8)
        again = Header.parse(bytes(made))
        assert [field.name for field in again] == [field.name for field in made.header]
        assert again.subject == Unstructured(text)
        assert names(made).count("Subject") == 1
    assert "Bcc" not in read(letter(subject=text))


@pytest.mark.parametrize("bad", ["a\r\nBcc: x@y", "a\n", "a\r", "\0", "a\r\n b"])
@pytest.mark.parametrize("argument", ["from_", "to", "cc", "bcc", "sender", "reply_to", "subject", "message_id"])
def test_hdr_02_line_ends_in_a_value(argument, bad):
    with pytest.raises(ParseError):
        letter(**{argument: bad})
    with pytest.raises(ParseError):
        letter(fields=[("X-Other", bad)])
    if argument == "to":
        with pytest.raises(ParseError):
            letter(to=Address(bad, BOB))


@pytest.mark.parametrize("name", ["X Y", "X:", "", "X\r\nBcc", "\u00e9", "Bcc\r\n", "Bcc "])
def test_hdr_03_what_is_no_name(name):
    with pytest.raises(ParseError, match="not a field name"):
        letter(fields=[(name, "x")])


def test_hdr_05_a_long_quoted_name():
    several = AddressList([Address('Long, "quoted" and \\ more <x@y>, ' * 3, "a@b"), Address("", "c@d")])
    made = letter(to=several)
    assert Header.parse(bytes(made)).to == several
    found = read(made)["To"].addresses
    assert [each.addr_spec for each in found] == ["a@b", "c@d"]


def test_hdr_06_a_name_that_hides_an_address():
    text = "=?utf-8?q?admin=40bank=2Eexample=2C_=3Cx=40evil=2Eexample=3E?= <a@b.example>"
    made = letter(to=text)
    assert list(map(str, made.envelope.recipients)) == ["a@b.example"]
    assert [each.addr_spec for each in read(made)["To"].addresses] == ["a@b.example"]


def test_hdr_07_the_comma_stays_a_comma():
    made = letter(to=[f"{'a' * 60}@{'b' * 60}.example", Address("\u00e4", "foo@x")])
    assert b"," in made.header.fields[2].raw
    assert [each.addr_spec for each in read(made)["To"].addresses][1:] == ["foo@x"]


def test_hdr_14_lines_that_cannot_be_folded():
    with pytest.raises(ParseError, match="no place to fold"):
        letter(message_id=f"{'a' * 999}@b")
    for subject in ("a" * 999, "\u00e9" * 999, "\U0001f600" * 700):
        for utf8 in (False, True):
            made = letter(subject=subject, utf8=utf8)
            assert Header.parse(bytes(made)).subject == Unstructured(subject)
            assert max(map(len, bytes(made).split(b"\r\n"))) <= 998


# --- SMTPUTF8 ------------------------------------------------------------------------------------


def test_utf8_has_to_be_asked_for():
    said: dict[str, Any] = {"to": Address("B\xf6b", BOB), "subject": "caf\xe9"}
    assert letter(**said).is_ascii
    assert b"Subject: =?utf-8?q?caf=C3=A9?=\r\n" in bytes(letter(**said))
    made = letter(**said, utf8=True)
    assert not made.is_ascii
    assert "To: B\xf6b <bob@hamburger.edu>\r\nSubject: caf\xe9\r\n".encode() in bytes(made)
    assert not letter(bcc="b\xf6b@hamburger.edu", utf8=True).is_ascii
    assert bytes(letter(bcc="b\xf6b@hamburger.edu", utf8=True)).isascii()


# --- bodies --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("", "7bit"),
        ("plain\n", "7bit"),
        ("x" * 78, "7bit"),
        ("x" * 79, "quoted-printable"),
        ("a\0b" + "x" * 90, "quoted-printable"),
        ("\x1b[0m", "quoted-printable"),
        ("\u00fc and all the rest of it is in ASCII, as most of what people write", "quoted-printable"),
        ("\u00fc" * 100, "base64"),
    ],
)
def test_encodings_of_text(text, encoding):
    assert str(letter(text=text).header.content_transfer_encoding) == encoding


LINES = st.lists(
    st.sampled_from([
        *["\n", "\r", "\r\n", " ", "\t", ".", "From x", "=", "=20", "=_0000000000000000", "--=_0000000000000000"],
        *["--=_0000000000000001--", "a" * 75, "x" * 79, "\0", "\x0c", "\u2028", "\u00fc", "\u00fc" * 60, "\x7f"],
    ]),
    max_size=14,
).map("".join)  # fmt: skip


def canonical(text: str) -> str:
    lines = re.sub("\r\n?", "\n", text)
    return lines if lines.endswith("\n") else f"{lines}\n"


@given(LINES, LINES)
@example("\n--=_0000000000000000\n--=_0000000000000001", "--=_0000000000000002--\n--=_000000000000000")
def test_bodies_come_back(text, html):
    made = letter(text=text, html=html)
    octets = bytes(made)
    assert octets.isascii()
    assert b"\0" not in octets
    assert max(map(len, octets.split(b"\r\n"))) <= 78
    assert not set(octets.replace(b"\r\n", b"")) & {10, 13}
    message = read(made)
    assert message.get_content_type() == "multipart/alternative"
    parts = list(message.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    assert [text_of(part).replace("\r\n", "\n") for part in parts] == [canonical(text), canonical(html)]


def test_html_alone():
    message = read(letter(html="<p>x</p>"))
    assert (message.get_content_type(), text_of(message)) == ("text/html", "<p>x</p>\r\n")


def test_a_boundary_is_in_no_part():
    taken = "".join([f"--=_{number:016}\r\n" for number in range(300) if number != 150])
    message = read(letter(text=taken, html=taken))
    assert message.get_boundary() == "=_0000000000000150"
    assert [text_of(part) for part in message.iter_parts()] == [taken, taken]


# --- I14 -----------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=120)
WORDS = st.lists(st.sampled_from(["Al", "Zo\u00eb", ",", '"', "<x@y>", "=?utf-8?q?=0A?=", " ", "\\", "."]), max_size=9)
PEOPLE = st.lists(
    st.builds(Address, WORDS.map("".join), st.sampled_from(["a@b", '"a b"@c', "d@[192.0.2.1]", "x" * 64 + "@y.z"])),
    min_size=1,
    max_size=5,
)


@given(PEOPLE, PEOPLE, PEOPLE, TEXT, TEXT, st.booleans())
def test_i14_a_letter_comes_back(to, cc, bcc, subject, other, utf8):
    made = letter(to=to, cc=cc, bcc=bcc, subject=subject, fields=[("X-Other", other)], utf8=utf8)
    octets = bytes(made.header)
    again = Header.parse(octets)
    assert [field.name for field in again] == [field.name for field in made.header]
    assert list(map(read_value, again)) == list(map(read_value, made.header))
    assert again.to == AddressList(to)
    assert again.cc == AddressList(cc)
    assert again.subject == Unstructured(subject)
    assert again.value("X-Other") == Unstructured(other)
    lines = octets.removesuffix(b"\r\n").split(b"\r\n")[:-1]
    assert all(line.strip() and len(line) <= 998 for line in lines)
    assert bytes(again) == octets
    assert utf8 or octets.isascii()
    assert made.envelope.recipients == tuple(dict.fromkeys(each.mailbox for each in [*to, *cc, *bcc]))
