"""What may be given as content, in what pieces it travels, and what happens when it goes wrong."""

from __future__ import annotations

import io
import tempfile
from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage, Message
from email.policy import SMTP, SMTPUTF8
from typing import Any

import pytest
from hypothesis import given

from smtpcore import BareNewlines, LocalProtocolError, State
from smtpcore.flows.content import CHUNK, octets_of
from tests.flows.driving import EOF, RESET, TIMEOUT
from tests.flows.fakeserver import Cut, connected, friendly, statuses, submitted
from tests.strategies import clean_contents

TEXT = b"Subject: crepes\r\n\r\n.Dot\r\nHello\r\n"
STUFFED = b"Subject: crepes\r\n\r\n..Dot\r\nHello\r\n"


async def pieces(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


class Doubtful:
    """An async iterable that is no generator."""

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = list(chunks)

    def __aiter__(self) -> Doubtful:
        return self

    async def __anext__(self) -> bytes:
        if not self._chunks:
            raise StopAsyncIteration
        return self._chunks.pop(0)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: TEXT, id="bytes"),
        pytest.param(lambda: bytearray(TEXT), id="bytearray"),
        pytest.param(lambda: memoryview(TEXT), id="memoryview"),
        pytest.param(lambda: [TEXT[:5], TEXT[5:]], id="list"),
        pytest.param(lambda: (bytearray(TEXT[:9]), memoryview(TEXT)[9:]), id="tuple-of-buffers"),
        pytest.param(lambda: iter([b"", TEXT[:3], b"", TEXT[3:], b""]), id="iterator-with-empty-pieces"),
        pytest.param(lambda: (TEXT[i : i + 1] for i in range(len(TEXT))), id="generator-byte-by-byte"),
        pytest.param(lambda: pieces(b"", TEXT[:7], b"", TEXT[7:]), id="async-generator"),
        pytest.param(lambda: Doubtful(b"", TEXT[:7], TEXT[7:], b""), id="async-iterator"),
        pytest.param(lambda: io.BytesIO(TEXT), id="file-in-memory"),
    ],
)
def test_every_kind_of_content_arrives_as_it_was(make):
    server = friendly()
    outcome = submitted(connected("PIPELINING"), server, 1, content=make()).value()
    assert statuses(outcome) == ["accepted"]
    assert server.contents == [STUFFED]


def test_a_file():
    server = friendly()
    with tempfile.TemporaryFile() as file:
        file.write(TEXT)
        file.seek(0)
        submitted(connected(), server, 1, content=file).value()
        assert not file.closed
    assert server.contents == [STUFFED]


def test_a_file_goes_from_where_it_stands():
    server = friendly()
    file = io.BytesIO(b"skipped" + TEXT)
    file.seek(7)
    submitted(connected(), server, 1, content=file).value()
    assert server.contents == [STUFFED]


def test_a_buffer_that_changes_later_does_not_change_the_message():
    content = bytearray(TEXT)
    source = octets_of(content)
    content[:] = b"x" * len(content)
    assert b"".join(source.chunks) == TEXT  # type: ignore[arg-type]  # plain octets make plain chunks


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5])
@pytest.mark.parametrize("wrap", [bytes, bytearray, io.BytesIO], ids=lambda wrap: wrap.__name__)
def test_large_contents_travel_in_pieces(size, wrap):
    octets = (b"0123456789" * 13 + b"\r\n") * (size // 132 + 1)
    octets = octets[: max(0, size - 2)] + b"\r\n"[: min(2, size)]
    source = octets_of(wrap(octets))
    chunks = list(source.chunks)  # type: ignore[arg-type]  # plain octets make plain chunks
    assert b"".join(chunks) == octets
    assert all(0 < len(chunk) <= CHUNK for chunk in chunks) or octets == b""
    assert source.size == (None if wrap is io.BytesIO else len(octets))


@pytest.mark.parametrize(
    "content",
    ["text", 5, None, 1.5, object(), ["text"], [5], [None], io.StringIO("text")],
    ids=lambda content: repr(content)[:20],
)
def test_what_is_no_content(content):
    """A number in an iterable is not so many NULs, a text is not octets."""
    machine = connected()
    played = submitted(machine, friendly(), 1, content=content)
    assert isinstance(played.error, TypeError)
    assert b"\r\n.\r\n" not in played.written
    assert b"\0" not in played.written


@given(clean_contents)
def test_any_clean_content_arrives_and_ends_once(content):
    server = friendly()
    assert statuses(submitted(connected(), server, 1, content=content, eight_bit="send").value()) == ["accepted"]
    (received,) = server.contents
    wanted = content if content.endswith(b"\r\n") or not content else content + b"\r\n"
    assert b"\r\n".join(line[1:] if line.startswith(b".") else line for line in received.split(b"\r\n")) == wanted


# --- EmailMessage --------------------------------------------------------------------------------


def mail_of(policy: Any = None, body: str = "Bonjour\n.\nÀ bientôt\n") -> EmailMessage:
    message = EmailMessage(policy) if policy else EmailMessage()
    message["From"] = "alice@crepes.fr"
    message["To"] = "bob@hamburger.edu"
    message["bcc"] = "eve@spy.example"
    message["Resent-BCC"] = "mallory@spy.example"
    message["Subject"] = "Crêpes"
    message.set_content(body)
    return message


@pytest.mark.parametrize("policy", [None, SMTP, SMTPUTF8], ids=["default", "SMTP", "SMTPUTF8"])
def test_a_message_goes_with_crlf_and_without_bcc(policy):
    message = mail_of(policy)
    before = message.as_bytes()
    server = friendly()
    submitted(connected("8BITMIME", "SMTPUTF8"), server, 1, content=message).value()
    (received,) = server.contents
    head, _, _ = received.partition(b"\r\n\r\n")
    assert b"bcc" not in head.lower()
    assert b"spy.example" not in received
    assert b"\nTo: bob@hamburger.edu" in head
    assert received.count(b"\n") == received.count(b"\r\n") == received.count(b"\r")
    # The caller's own message is as it was.
    assert message.as_bytes() == before
    assert message["Bcc"] == "eve@spy.example"


def test_a_message_without_bcc_is_not_copied():
    message = mail_of()
    del message["Bcc"]
    del message["Resent-Bcc"]
    server = friendly()
    submitted(connected("8BITMIME", "SMTPUTF8"), server, 1, content=message).value()
    assert server.contents


def test_the_older_message_class_with_attachments():
    from email.mime.multipart import MIMEMultipart
    from email.mime.text import MIMEText

    message = MIMEMultipart()
    message["To"] = "bob@hamburger.edu"
    message["BCC"] = "eve@spy.example"
    message.attach(MIMEText("one\ntwo\n", "plain", "us-ascii"))
    assert isinstance(message, Message)
    server = friendly()
    submitted(connected(), server, 1, content=message).value()
    assert b"one\r\ntwo\r\n" in server.contents[0]
    assert b"spy.example" not in server.contents[0]


def test_the_size_of_a_message_is_what_travels():
    source = octets_of(mail_of(SMTP))
    assert source.size == len(b"".join(source.chunks))  # type: ignore[arg-type]  # plain octets make plain chunks


# --- line ends -----------------------------------------------------------------------------------

BARE = [
    b"a\nb\r\n",
    b"a\rb\r\n",
    b"a\n.\nb",
    b"a\r.\rb",
    b"ends in LF\n",
    b"ends in CR\r",
    [b"a\r", b"b"],
    [b"a", b"\n"],
]


@pytest.mark.parametrize("content", BARE, ids=repr)
@pytest.mark.parametrize("offered", [("PIPELINING",), ()], ids=["pipelined", "one-by-one"])
def test_a_bare_newline_is_an_error_and_no_final_dot_follows(content, offered):
    """SAFETY s1.3: the only legal next step is to give the connection up."""
    machine = connected(*offered)
    server = friendly()
    played = submitted(machine, server, 1, content=content)
    assert isinstance(played.error, LocalProtocolError)
    assert played.closed
    assert server.contents == []
    assert not played.written.endswith(b".\r\n")
    assert machine.state is State.CLOSED


@pytest.mark.parametrize("content", BARE, ids=repr)
def test_normalize_makes_lines_of_them(content):
    server = friendly()
    machine = connected(bare_newlines=BareNewlines.NORMALIZE)
    assert statuses(submitted(machine, server, 1, content=content).value()) == ["accepted"]
    octets = content if isinstance(content, bytes) else b"".join(content)
    lines = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    wanted = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)
    assert server.contents[0] == (wanted if wanted.endswith(b"\r\n") else wanted + b"\r\n")


# --- sources that fail ---------------------------------------------------------------------------


class Broken(Exception):
    pass


def failing(error: BaseException, after: int) -> Iterator[bytes]:
    for _ in range(after):
        yield b"one line\r\n"
    raise error


async def failing_async(error: BaseException, after: int) -> AsyncIterator[bytes]:
    for chunk in [b"one line\r\n"] * after:
        yield chunk
    raise error


class BadFile(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise OSError(5, "the disk is broken")


@pytest.mark.parametrize(
    "error",
    [
        Broken("no more"),
        OSError(5, "the disk is broken"),
        ConnectionResetError("another connection"),
        TimeoutError("slow disk"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("after", [0, 1, 3])
@pytest.mark.parametrize("source", [failing, failing_async], ids=["iterator", "async"])
def test_a_source_that_fails_closes_the_connection_without_a_final_dot(error, after, source):
    """Whatever it raises comes out, and is not mistaken for a fault of the connection."""
    machine = connected("PIPELINING")
    server = friendly()
    played = submitted(machine, server, 2, content=source(error, after))
    assert played.error is error
    assert played.closed
    assert server.contents == []
    assert played.written.endswith(b"one line\r\n" * after)
    assert machine.state is State.CLOSED


def test_a_file_that_cannot_be_read():
    played = submitted(connected(), friendly(), 1, content=BadFile())
    assert isinstance(played.error, OSError)
    assert played.closed


@pytest.mark.parametrize(
    "stop", [KeyboardInterrupt(), SystemExit(1), GeneratorExit()], ids=lambda stop: type(stop).__name__
)
def test_what_is_not_an_exception_comes_out_too(stop):
    machine = connected("PIPELINING")
    server = friendly()
    played = submitted(machine, server, 1, content=failing(stop, 1))
    assert played.error is stop
    assert server.contents == []
    assert machine.state is State.CLOSED


@pytest.mark.parametrize("error", [RESET, TIMEOUT], ids=lambda error: type(error).__name__)
def test_a_connection_that_fails_is_an_outcome(error):
    """The counterpart: here the source is not to blame."""
    server = friendly()
    played = submitted(connected("PIPELINING"), server, 1, content=[TEXT, TEXT], write_error=(3, error))
    assert played.value().error is error


def test_a_source_is_not_touched_before_the_server_asks():
    touched = []

    def source() -> Iterator[bytes]:
        touched.append(True)
        yield TEXT

    outcome = submitted(connected("PIPELINING"), friendly(rcpt="550 no", data="554 no"), 1, content=source()).value()
    assert statuses(outcome) == ["refused"]
    assert not touched


def test_end_of_stream_within_the_content_is_found_at_its_end():
    """The client does not read while it writes; at the end the truth is not known."""
    assert statuses(submitted(connected(), friendly(end=Cut(EOF)), 1).value()) == ["unknown"]
