"""To the standard library's messages and back."""

from __future__ import annotations

import email
import email.policy
from email.header import Header as OldHeader
from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.compose import from_email_message, to_email_message
from smtpcore.message.header import Header
from smtpcore.message.unstructured import Unstructured
from tests.compose.test_compose import letter


def there_and_back(octets: bytes) -> bytes:
    message = to_email_message(*Header.split(octets))
    header, body = from_email_message(message)
    return bytes(header) + body


LETTERS = [
    b"\r\n",
    b"\r\nbody",
    b"Subject: x\r\n\r\n",
    b"Subject:\r\n\r\nx",
    b"Subject:   three spaces  \r\n\r\nx\r\n",
    b"Subject:\r\n folded\r\n\tagain\r\n\r\n\r\n\r\n",
    b"To: \"a,\r\n b\" <a@b>\r\nTO: twice@x\r\nX-Long: " + b"x" * 2000 + b"\r\n\r\nx",
    b"Subject: \xff\xfe =?utf-8?q?=0ABcc:_x?=\r\nFrom: caf\xc3\xa9@x\r\n\r\n\xff\x00\r\n",
    b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n\r\n--b\r\nA: y\r\n\r\n\xff\r\n--b\r\n\r\nz\r\n--b--\r\n',
    b"Content-Type: text/plain; charset=nonsense\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!\r\n",
    b"Content-Type: multipart/mixed\r\n\r\nno boundary\r\n",
    b"Content-Type: nonsense\r\nContent-Type: text/plain\r\n\r\nx\r\n",
]  # fmt: skip


@pytest.mark.parametrize("octets", LETTERS)
def test_nothing_is_lost(octets):
    assert there_and_back(octets).replace(b"Subject: \r\n", b"Subject:\r\n") == octets


FIELDS = st.lists(
    st.tuples(
        st.sampled_from([b"Subject", b"subject", b"To", b"X-Other", b"Received", b"Date"]),
        st.lists(
            st.sampled_from([b"a", b" ", b"\t", b"\r\n b", b'"', b"<x@y>", b"\xff", b"\xc3\xa9", b"=?"]), max_size=9
        ),
    ),
    max_size=8,
)
BODIES = st.lists(st.sampled_from([b"a", b"\r\n", b".", b"From x", b"\xff", b"\0", b"--b", b": "]), max_size=12)


@given(FIELDS, BODIES)
def test_any_header_comes_back(fields, body):
    octets = b"".join([b"%b: x%b\r\n" % (name, b"".join(pieces)) for name, pieces in fields])
    octets += b"\r\n" + b"".join(body)
    assert there_and_back(octets) == octets


def test_a_letter_comes_back():
    octets = bytes(letter(subject="caf\xe9", text="x", html="<p>y</p>"))
    assert there_and_back(octets) == octets
    assert to_email_message(*Header.split(octets))["Subject"] == "caf\xe9"


@pytest.mark.parametrize(
    ("octets", "kept"),
    [
        (b"Subject:x\r\n\r\n", b"Subject: x\r\n\r\n"),
        (b"Subject:\tx\r\n\r\n", b"Subject: \tx\r\n\r\n"),
        (
            b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nSubject:  y\r\n\r\n--b--\r\n',
            b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nSubject: y\r\n\r\n\r\n--b--\r\n',
        ),
        (b"Subject: x\r\n\r\na\nb\rc\r\n", b"Subject: x\r\n\r\na\r\nb\r\nc\r\n"),
    ],
)
def test_what_the_standard_library_cannot_hold(octets, kept):
    assert there_and_back(octets) == kept


@pytest.mark.parametrize(
    "octets",
    [
        b"Subject : x\r\nTo: a@b\r\n\r\n",
        b"no field\r\nTo: a@b\r\n\r\n",
        b"From x\r\nTo: a@b\r\n\r\n",
        b"Subject: a\x0bb\r\n\r\n",
        b"Subject: a\rb\r\n\r\n",
        b"Subject: a\nb\r\n\r\n",
    ],
)
def test_headers_that_it_would_take_for_others(octets):
    with pytest.raises(ParseError, match="email"):
        there_and_back(octets)


# --- messages of the standard library ------------------------------------------------------------


def test_values_are_written_anew():
    message = EmailMessage()
    message["Subject"] = "Caf\xe9 " * 30
    message["To"] = 'friends: "Long, name of \\"somebody\\" who is here for the folding" <a@b>, c@d;, Zo\u00eb <e@f>'
    message["Date"] = "Tue, 24 Nov 2026 09:33:40 +0100"
    message["Message-ID"] = "<1@crepes.fr>"
    message["Bcc"] = "hidden@x"
    message.set_content("caf\xe9\n")
    header, body = from_email_message(message)
    assert [field.name.decode() for field in header] == message.keys()
    assert header.subject == Unstructured(message["Subject"])
    assert header.to is not None
    assert [address.addr_spec for address in header.to.addresses] == ["a@b", "c@d", "e@f"]
    assert header.to.addresses[0].display_name == 'Long, name of "somebody" who is here for the folding'
    assert str(header.date) == "Tue, 24 Nov 2026 09:33:40 +0100"
    assert header.content_type.charset == "utf-8"
    assert bytes(header).isascii()
    assert email.message_from_bytes(bytes(header) + body, policy=email.policy.default).get_content() == "caf\xe9\r\n"


def test_hdr_01_an_encoded_line_end():
    """The standard library decodes it to a line end, before it is asked for what the field says."""
    message = EmailMessage()
    message["Subject"] = "A x\u00e9 =?UTF-8?Q?=0A?=Bcc: injected@example.com"
    with pytest.raises(ParseError, match="not allowed"):
        from_email_message(message)


def test_hdr_06_a_name_that_hides_an_address():
    text = b"To: =?utf-8?q?admin=40bank=2Eexample=2C_=3Cx=40evil=2Eexample=3E?= <a@b.example>\r\n\r\n"
    message = email.message_from_bytes(text, policy=email.policy.default)
    assert bytes(from_email_message(message)[0]) == text
    again = EmailMessage()
    again["To"] = message["To"]
    header, _ = from_email_message(again)
    assert header.to is not None
    assert [address.addr_spec for address in header.to.addresses] == ["a@b.example"]


def test_a_content_type_with_line_ends():
    message = Message()
    message["Content-Type"] = "text/plain;\n\n x\r\n\r\n"
    message.set_payload("x")
    with pytest.raises(ParseError, match="line end that does not fold"):
        from_email_message(message)
    for boundary in ("a\nb", "\xe9"):
        del message["Content-Type"]
        message.set_raw("Content-Type", f'multipart/mixed; boundary="{boundary}"')
        with pytest.raises(ParseError, match="not a boundary"):
            from_email_message(message)


def test_a_name_of_a_file():
    message = EmailMessage()
    message.set_content(b"x", "image", "png", disposition="attachment", filename="na\xefve.png")
    header, _ = from_email_message(message)
    assert header.content_disposition is not None
    assert header.content_disposition.filename == "na\xefve.png"


def test_a_boundary_that_is_chosen_late():
    message = EmailMessage()
    message["Subject"] = "x"
    message.set_content("x")
    message.add_alternative("<p>x</p>", subtype="html")
    header, body = from_email_message(message)
    boundary = header.content_type.boundary
    assert boundary
    assert body.count(f"--{boundary}".encode()) == 3
    old = MIMEMultipart()
    old.attach(MIMEText("caf\xe9", _charset="utf-8"))
    header, body = from_email_message(old)
    assert header.content_type.boundary
    (part,) = email.message_from_bytes(bytes(header) + body, policy=email.policy.default).iter_parts()
    assert part.get_content() == "caf\xe9"


def test_a_message_is_not_changed():
    message = Message()
    message.set_payload("x")
    from_email_message(message)
    assert message.keys() == []


def test_old_messages():
    message: Message[Any, Any] = Message()
    message["Subject"] = OldHeader("caf\xe9", "utf-8")
    message["X-Text"] = "caf\xe9 =?utf-8?q?=C3=A9?="
    message["To"] = "Zo\xeb <a@b>"
    message["Cc"] = OldHeader("c@d")
    message.set_payload("x\n")
    header, body = from_email_message(message)
    assert header.subject == Unstructured("caf\xe9")
    assert header.value("X-Text") == Unstructured("caf\xe9 \xe9")
    assert str(header.to) == "=?utf-8?q?Zo=C3=AB?= <a@b>"
    assert str(header.cc) == "c@d"
    assert body == b"x\r\n"
    assert from_email_message(message, utf8=True)[0].all("To")[0].raw == "To: Zo\xeb <a@b>\r\n".encode()


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("Subject", "x\nBcc: y@z", "line end that does not fold"),
        ("Subject", "x\r\nBcc: y@z", "line end that does not fold"),
        ("Subject", "x\rBcc: y@z", "line end that does not fold"),
        ("Subject", "x\n", "line end that does not fold"),
        ("Subject", "x\n \n y", "white space only"),
        ("Subject", "x\0y", "NUL"),
        ("Subject", "\xe9\nBcc: y@z", "not allowed"),
        ("X Y", "x", "not a field name"),
        ("X:", "x", "not a field name"),
        ("X\r\nBcc", "x", "not a field name"),
        ("\xe9", "x", "not a field name"),
        ("To", "Zo\xeb", "expected an address"),
    ],
)
def test_hdr_02_and_03_nothing_becomes_a_second_field(name, value, why):
    message = Message()
    message.set_raw(name, value)
    with pytest.raises(ParseError, match=why):
        from_email_message(message)


def test_addresses_that_are_none():
    message = EmailMessage()
    message["To"] = "nobody"
    with pytest.raises(ParseError):
        from_email_message(message)
