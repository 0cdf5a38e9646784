"""What a submission server adds to a header, and that nothing else of the message changes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import Mailbox, ParseError
from smtpcore.message.date import DateTime
from smtpcore.message.header import Header, HeaderLimits
from smtpcore.message.submission import HeaderEditor, complete_header
from tests.session.looking import all_cuts, octets

NOW = datetime(2026, 11, 27, 13, 0, 5, tzinfo=UTC)
DATE = b"Date: Fri, 27 Nov 2026 13:00:05 +0000\r\n"
ID = b"Message-ID: <4711.abc@crepes.fr>\r\n"
ALICE, BOB = Mailbox.parse("alice@crepes.fr"), Mailbox.parse("bob@hamburger.edu")


def completed(header: bytes, **options: Any) -> bytes:
    options = {"now": NOW, "domain": "crepes.fr", "unique": "4711.abc", **options}
    return bytes(complete_header(Header.parse(header), **options))


WHOLE = b"Date: Thu, 26 Nov 2026 09:00:00 -0500\r\nFrom: alice@crepes.fr\r\nMessage-ID: <1@crepes.fr>\r\n"
ODD = b"X-Odd:\ta  b \r\n\t folded \xc3\xa4\xff\0\x01 \r\nSubject:=?utf-8?q?a?=\r\n"


@pytest.mark.law(17)
@pytest.mark.parametrize(
    ("before", "behind"),
    [
        pytest.param(b"", DATE + ID, id="nothing"),
        pytest.param(b"\r\n", DATE + ID + b"\r\n", id="empty"),
        pytest.param(b"Subject: x\r\n\r\n", b"Subject: x\r\n" + DATE + ID + b"\r\n", id="both"),
        pytest.param(WHOLE + b"\r\n", WHOLE + b"\r\n", id="whole"),
        pytest.param(WHOLE + ODD + b"\r\n", WHOLE + ODD + b"\r\n", id="whole-and-odd"),
        pytest.param(ODD + b"\r\n", ODD + DATE + ID + b"\r\n", id="odd"),
        pytest.param(b"DATE :Thu, 26 Nov 2026 09:00 GMT\r\n\r\n", None, id="old-syntax"),
        pytest.param(b"message-id:<1@x>\r\n\r\n", b"message-id:<1@x>\r\n" + DATE + b"\r\n", id="date"),
        pytest.param(DATE + b"\r\n", DATE + ID + b"\r\n", id="id"),
        pytest.param(b"Date: today\r\nA: b\r\n" + ID + b"\r\n", DATE + b"A: b\r\n" + ID + b"\r\n", id="no-date"),
        pytest.param(b"Date:\r\n" + ID + b"\r\n", DATE + ID + b"\r\n", id="date-without-one"),
        pytest.param(DATE + b"Message-ID: \r\nA: b\r\n\r\n", DATE + ID + b"A: b\r\n\r\n", id="no-id"),
        pytest.param(b"Date: x\r\nDate: y\r\n" + ID + b"\r\n", b"Date: x\r\nDate: y\r\n" + ID + b"\r\n", id="twice"),
        pytest.param(
            b"A: b\r\nno field\r\nC: d\r\n\r\n", b"A: b\r\n" + DATE + ID + b"no field\r\nC: d\r\n\r\n", id="junk"
        ),
        pytest.param(b"From x\r\nA: b\r\n\r\n", b"From x\r\nA: b\r\n" + DATE + ID + b"\r\n", id="mbox"),
        pytest.param(b" x\r\nA: b\r\n\r\n", b" x\r\nA: b\r\n" + DATE + ID + b"\r\n", id="fold-first"),
        pytest.param(b"A: b", b"A: b\r\n" + DATE + ID, id="cut"),
    ],
)
def test_what_is_added(before: bytes, behind: bytes | None) -> None:
    if behind is None:
        behind = before[:-2] + ID + b"\r\n"
    assert completed(before) == behind
    assert completed(behind) == behind


def test_a_header_that_lacks_nothing_is_itself() -> None:
    header = Header.parse(WHOLE + b"\r\n")
    assert complete_header(header, now=NOW, domain="crepes.fr", unique="1", sender=ALICE) is header


@pytest.mark.parametrize(
    ("before", "behind"),
    [
        pytest.param(b"From: Bob <b@h.edu>\r\n", b"From: Bob <b@h.edu>\r\nSender: alice@crepes.fr\r\n", id="other"),
        pytest.param(b"From: a@b, Alice <alice@CREPES.fr>\r\n", None, id="one-of-the-authors"),
        pytest.param(b"From: alice@crepes.fr\r\nSender: bob@h.edu\r\n", None, id="author-and-another-sender"),
        pytest.param(b"From: bob@h.edu\r\nSender: alice@crepes.fr\r\n", None, id="sender"),
        pytest.param(
            b"From: bob@h.edu\r\nSender: eve@h.edu\r\nA: b\r\n",
            b"From: bob@h.edu\r\nSender: alice@crepes.fr\r\nA: b\r\n",
            id="false-sender",
        ),
        pytest.param(b"From: ALICE@crepes.fr\r\n", b"From: ALICE@crepes.fr\r\nSender: alice@crepes.fr\r\n", id="case"),
        pytest.param(
            b'From: "alice@crepes.fr" <eve@h.edu>\r\n',
            b'From: "alice@crepes.fr" <eve@h.edu>\r\nSender: alice@crepes.fr\r\n',
            id="display-name",
        ),
        pytest.param(b"", b"Sender: alice@crepes.fr\r\n", id="no-from"),
    ],
)  # fmt: skip
def test_sender(before: bytes, behind: bytes | None) -> None:
    start = DATE + ID
    assert completed(start + before + b"\r\n", sender=ALICE) == start + (before if behind is None else behind) + b"\r\n"
    assert completed(start + before + b"\r\n") == start + before + b"\r\n"


def test_a_sender_beyond_ascii_stays_as_it_is() -> None:
    """It could not have logged in but by SMTPUTF8, by which its message goes."""
    header = completed(DATE + ID + b"\r\n", sender=Mailbox.parse("älice@crepes.fr"))
    assert "Sender: älice@crepes.fr\r\n".encode() in header


@pytest.mark.parametrize("unique", ["", "a b", "a@b", "a\r\nX: y", "<", "ä\n"])
def test_what_makes_no_identifier(unique: str) -> None:
    with pytest.raises(ParseError):
        completed(b"\r\n", unique=unique)


def test_a_date_of_ones_own() -> None:
    assert DATE in completed(b"\r\n", now=DateTime.from_datetime(NOW))


# --- in a stream -----------------------------------------------------------------------------------


def edited(parts: list[bytes], **options: Any) -> bytes:
    editor = HeaderEditor(
        lambda header: complete_header(header, now=NOW, domain="crepes.fr", unique="4711.abc"), **options
    )
    return b"".join([*[editor.receive(part) for part in parts], editor.end()])


@pytest.mark.law(6)
@pytest.mark.law(17)
@pytest.mark.parametrize(
    ("message", "result"),
    [
        (b"A: x\r\n\r\nbody \xe4\0\r\n\r\nB: y\r\n", b"A: x\r\n" + DATE + ID + b"\r\nbody \xe4\0\r\n\r\nB: y\r\n"),
        (b"Subject: \xe4\r\n\r\n", b"Subject: \xe4\r\n" + DATE + ID + b"\r\n"),
        (b"\r\nbody\r\n", DATE + ID + b"\r\nbody\r\n"),
        (b"Hello,\r\nthis is all.\r\n", DATE + ID + b"\r\nHello,\r\nthis is all.\r\n"),
        (b" Hello,\r\n\r\nbye\r\n", DATE + ID + b"\r\n Hello,\r\n\r\nbye\r\n"),
        (b"Subject: x\r\n", b"Subject: x\r\n" + DATE + ID),
        (b"", DATE + ID),
        (WHOLE + b"\r\nbody\r\n", WHOLE + b"\r\nbody\r\n"),
    ],
)  # fmt: skip
def test_a_message_that_streams_by(message: bytes, result: bytes) -> None:
    assert edited([message] if message else []) == result
    for parts in all_cuts(message) if message else ():
        assert edited(parts) == result


@pytest.mark.law(14)
def test_only_the_header_is_held() -> None:
    editor = HeaderEditor(lambda header: header)
    for octet in octets(b"A: b\r\n\r"):
        assert editor.receive(octet) == b""
    assert editor.receive(b"\nbody") == b"A: b\r\n\r\nbody"
    chunk = b"x" * 1000
    assert editor.receive(chunk) is chunk
    assert editor.end() == b""


def test_the_limits_are_those_of_the_header() -> None:
    message = b"A: " + b"b" * 993 + b"\r\n\r\n"
    assert len(message) == 1000
    assert edited([message], limits=HeaderLimits(size=1000)).startswith(message[:-2])
    with pytest.raises(ParseError, match="longer than 1000"):
        edited([b"C" + message], limits=HeaderLimits(size=1000))


LINES = st.lists(
    st.sampled_from([b"Date: x\r\n", DATE, ID, b"From: a@b\r\n", b"A: \xe4\r\n", b"\tfold\r\n", b"junk\r\n", b"\r\n"]),
    max_size=8,
).map(b"".join)  # fmt: skip


@given(LINES, st.data())
def test_nothing_of_a_message_is_lost(message: bytes, data: Any) -> None:
    """Whatever it is, all of it comes out in its order, with something more in between; and both fields are there."""
    cut = data.draw(st.integers(0, len(message)))
    result = edited([part for part in (message[:cut], message[cut:]) if part])
    header, _ = Header.split(result)
    assert header.all("Date")
    assert header.all("Message-ID")
    if b"Date: x" not in message:
        places = iter(result)
        assert all(octet in places for octet in message)
