"""What a header says: each field as a value, and no choice between several that nobody asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.message.accessors import READERS, Accessors, read_value
from smtpcore.message.address_list import AddressList
from smtpcore.message.date import DateTime
from smtpcore.message.field import Field, LineEnds
from smtpcore.message.header import Header
from smtpcore.message.identifier import MessageId, MessageIdList
from smtpcore.message.unstructured import Unstructured

LETTER = Header.parse(
    b"Return-Path: <alice@crepes.fr>\r\n"
    b"Received: from crepes.fr ([192.0.2.1]) by hamburger.edu with ESMTP id 1; Tue, 24 Nov 2026 09:33:41 +0000\r\n"
    b"Received: from laptop ([192.0.2.2]) by crepes.fr with ESMTPSA id 2; Tue, 24 Nov 2026 09:33:40 +0000\r\n"
    b"Authentication-Results: hamburger.edu; spf=pass smtp.mailfrom=crepes.fr\r\n"
    b"From: Alice <alice@crepes.fr>\r\nSender: secretary@crepes.fr\r\nReply-To: alice@crepes.fr\r\n"
    b"To: Bob <bob@hamburger.edu>,\r\n\tcarol@hamburger.edu\r\nCc: friends: d@e;\r\nBcc: f@g\r\n"
    b"Date: Tue, 24 Nov 2026 09:33:40 +0000\r\nMessage-ID: <1@crepes.fr>\r\n"
    b"In-Reply-To: <0@hamburger.edu>\r\nReferences: <x@y> <0@hamburger.edu>\r\n"
    b"Subject: =?utf-8?q?Cr=C3=AApes?=\r\n of course\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: text/plain; charset="utf-8"\r\nContent-Disposition: inline\r\n'
    b"Content-Transfer-Encoding: 8bit\r\nX-Mailer: none\r\n\r\n"
)


def test_a_letter():
    assert str(LETTER.from_) == "Alice <alice@crepes.fr>"
    assert str(LETTER.sender) == "secretary@crepes.fr"
    assert str(LETTER.reply_to) == "alice@crepes.fr"
    assert str(LETTER.to) == "Bob <bob@hamburger.edu>, carol@hamburger.edu"
    assert str(LETTER.cc) == "friends: d@e;"
    assert str(LETTER.bcc) == "f@g"
    assert LETTER.date == DateTime(2026, 11, 24, 9, 33, 40)
    assert LETTER.message_id == MessageId("1@crepes.fr")
    assert LETTER.in_reply_to == MessageIdList([MessageId("0@hamburger.edu")])
    assert str(LETTER.references) == "<x@y> <0@hamburger.edu>"
    assert LETTER.subject == Unstructured("Cr\u00eapes of course")
    assert str(LETTER.return_path) == "<alice@crepes.fr>"
    assert [str(each.date) for each in LETTER.received] == [f"Tue, 24 Nov 2026 09:33:4{n} +0000" for n in (1, 0)]
    assert [each.authserv_id for each in LETTER.authentication_results] == ["hamburger.edu"]
    assert str(LETTER.mime_version) == "1.0"
    assert LETTER.content_type.charset == "utf-8"
    assert LETTER.content_disposition is not None
    assert LETTER.content_disposition.is_inline
    assert LETTER.content_transfer_encoding.name == "8bit"
    assert LETTER.value("x-mailer") == Unstructured("none")
    assert LETTER.value("DATE") == LETTER.date
    assert LETTER.values("received") == LETTER.received


def test_an_empty_header():
    header = Header()
    named = ["from_", "sender", "reply_to", "to", "cc", "bcc", "date", "message_id", "in_reply_to", "references"]
    named += ["subject", "return_path", "mime_version", "content_disposition"]
    assert [getattr(header, name) for name in named] == [None] * len(named)
    assert header.received == header.authentication_results == header.values("x") == ()
    assert header.value("x") is None
    # RFC 2045 s5.2, s6.1
    assert str(header.content_type) == "text/plain; charset=us-ascii"
    assert str(header.content_transfer_encoding) == "7bit"


ONCE = {
    "from_": b"From", "sender": b"Sender", "reply_to": b"Reply-To", "to": b"To", "cc": b"Cc", "bcc": b"BCC",
    "date": b"Date", "message_id": b"Message-Id", "in_reply_to": b"In-Reply-To", "references": b"References",
    "subject": b"subject", "return_path": b"Return-Path", "mime_version": b"MIME-Version",
    "content_type": b"Content-Type", "content_disposition": b"Content-Disposition",
    "content_transfer_encoding": b"Content-Transfer-Encoding",
}  # fmt: skip


@pytest.mark.parametrize("name", ONCE)
@pytest.mark.parametrize("line_ends", [LineEnds.CRLF, LineEnds.LF])
def test_hdr_11_nothing_is_chosen_from_several(name, line_ends):
    end = b"\r\n" if line_ends is LineEnds.CRLF else b"\n"
    header = Header.parse(
        b"".join([b"A: b", end, ONCE[name], b": 1", end, ONCE[name].upper(), b": 2", end, end]), line_ends
    )
    with pytest.raises(ParseError, match="several fields"):
        getattr(header, name)
    with pytest.raises(ParseError, match="several fields"):
        header.value(ONCE[name])
    assert len(header.values(ONCE[name])) == 2


def test_an_identifier_that_is_none():
    assert Header.parse(b"Message-ID: <\r\n\r\n").message_id is None  # HDR-08


def test_a_mixin_knows_no_fields():
    for ask in (Accessors().only, Accessors().all):
        with pytest.raises(NotImplementedError):
            ask(b"from")


@pytest.mark.parametrize("name", [*READERS, b"x-other", b""])
@given(body=st.binary(max_size=40))
def test_any_octets_are_read(name, body):
    field = Header.parse(b"%b: %b" % (name, body)).fields[0]
    read_value(field)


NAMES = [b"a", b"bb", b"From", b"from", b"X-" + b"long" * 10, b"Received"]


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from([b"x", b"from: y", b"x\r\n from: z", b"\0"]))))
def test_names_are_found_alike_however_the_header_was_made(pairs):
    """The quick look-up of a plain header, the table of any other, and a loop over the fields say the same."""
    block = b"".join([b"%b: %b\r\n" % pair for pair in pairs]) + b"\r\n"
    plain = Header.parse(block)
    built = Header(plain.fields)
    for name in [*NAMES, b"b", b"y", b"from: y", b"a: x", b"a\r\nfrom", b"", b"\n", b"x-" + b"long" * 10]:
        fields = tuple([field for field in plain if field.name.lower() == name.lower()])
        for header in (plain, built):
            assert header.all(name) == fields
            assert header.get(name) == (fields[0] if fields else None)
            assert (name in header) == bool(fields)
            if len(fields) < 2:
                assert header.only(name) == header.get(name)
            else:
                with pytest.raises(ParseError, match="several fields"):
                    header.only(name)


def test_a_name_is_no_part_of_a_body():
    header = Header.parse(b"A: x\r\nB: From: y\r\n From: z\r\nFrom: me@x\r\n\r\n")
    assert header.only("from") is header.fields[2]
    assert AddressList.read("me@x") == header.from_
    assert header.only("from: me@x\r\n") is None
    assert Field("a", b"b") not in [header.get("b")]
