"""Files come back, and their size is known before they are read."""

from __future__ import annotations

import base64
import email
import email.policy

import pytest

from smtpcore import ParseError
from smtpcore.compose import Attachment
from smtpcore.message.content_type import ContentType
from tests.compose.test_compose import letter, read


@pytest.mark.parametrize("size", [0, 1, 2, 3, 56, 57, 58, 57 * 1600 - 1, 57 * 1600, 57 * 1600 + 1, 300_000])
@pytest.mark.parametrize("step", [0, 7000, 91_201])
def test_octets(size, step):
    content = (bytes(range(251)) * 1200)[:size]
    file = (
        Attachment(lambda: (content[at : at + step] for at in range(0, size, step)), size=size)
        if step
        else Attachment(content)
    )
    encoded = b"".join(file.encoded())
    assert len(encoded) == file.encoded_size
    assert base64.b64decode(encoded) == content
    assert max(map(len, encoded.split(b"\r\n"))) <= 76
    made = letter(text="x", attachments=[file, file])
    assert made.content.size == len(bytes(made))
    assert [part.get_payload(decode=True) for part in read(made).iter_attachments()] == [content] * 2


def test_nothing_is_held():
    """Of a file in pieces only a piece at a time is there."""
    pieces = 200
    read_so_far = []

    def content():
        for number in range(pieces):
            read_so_far.append(number)
            yield b"x" * 91_200

    made = letter(attachments=[Attachment(content, "big", size=91_200 * pieces)])
    assert not read_so_far
    for number, octets in enumerate(made.content):
        assert len(octets) < 1 << 18
        assert len(read_so_far) <= number + 1


def test_structure():
    files = [Attachment(b"a", "a.txt", "text/plain"), Attachment(b"b", inline=True)]
    message = read(letter(text="x", html="<p>x</p>", attachments=files))
    assert [part.get_content_type() for part in message.walk()] == [
        *["multipart/mixed", "multipart/alternative", "text/plain", "text/html", "text/plain"],
        "application/octet-stream",
    ]
    assert [part.get_content_disposition() for part in message.iter_parts()] == [None, "attachment", "inline"]
    (alone,) = read(letter(attachments=files[:1])).iter_parts()
    assert alone.get_filename() == "a.txt"


@pytest.mark.parametrize(
    "name",
    [
        "plain name.tar.gz",
        'a"b; filename="c',
        "a\\b",
        "\u00fc" * 60,
        "=?utf-8?q?=0A?=",
        "--=_0000000000000000",
        "a" * 300,
    ],
)
def test_names(name):
    """RFC 2231."""
    file = Attachment(b"x", name)
    assert file.filename == name
    octets = bytes(letter(attachments=[file]))
    assert octets.isascii()
    assert max(map(len, octets.split(b"\r\n"))) <= 78
    message = email.message_from_bytes(octets, policy=email.policy.compat32)
    _, part = message.walk()
    assert part.get_filename() == name
    assert part.keys() == ["Content-Type", "Content-Disposition", "Content-Transfer-Encoding"]


@pytest.mark.parametrize("name", ["a\r\nBcc: x@y", "a\n", "\0", "\udcff", ""])
def test_names_that_are_none(name):
    with pytest.raises(ParseError):
        Attachment(b"x", name)


@pytest.mark.parametrize("kind", ["text", "text/plain\r\nBcc: x@y", "multipart/mixed"])
def test_types_that_are_none(kind):
    with pytest.raises(ParseError):
        Attachment(b"x", "x", kind)


@pytest.mark.parametrize(
    "kind", [ContentType("message", "rfc822"), ContentType("multipart", "mixed", {"boundary": "x"})]
)
def test_types_that_are_not_in_base64(kind):
    with pytest.raises(ValueError, match="cannot be base64: attach it as application/octet-stream"):
        Attachment(b"x", "x", kind)


def test_what_is_no_content():
    with pytest.raises(TypeError, match="content must be bytes or a function"):
        Attachment("x")  # type: ignore[arg-type]  # which is what is tested
    with pytest.raises(TypeError, match="content_type must be"):
        Attachment(b"x", "x", 3)  # type: ignore[arg-type]  # which is what is tested
    for size in (None, -1):
        with pytest.raises(ValueError, match="give the size"):
            Attachment(lambda: [b"x"], size=size)
    with pytest.raises(ValueError, match="has 1 octets, not 2"):
        Attachment(b"x", size=2)


@pytest.mark.parametrize(("size", "why"), [(2, "'a' has more than the 2"), (4, "'a' has 1 octets less")])
def test_content_that_is_not_what_was_said(size, why):
    made = letter(attachments=[Attachment(lambda: [b"xyz"], "a", size=size)])
    with pytest.raises(ValueError, match=why):
        bytes(made)
    with pytest.raises(ValueError, match="an attachment has"):
        list(Attachment(lambda: [b"xyz"], size=size).encoded())
