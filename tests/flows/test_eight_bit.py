"""Octets beyond ASCII and a server without 8BITMIME: nothing, or something else, or as it is, as the caller says."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from smtpcore import BareNewlines, State
from smtpcore.extensions import BODY, Body
from smtpcore.flows.needs import has_utf8_header
from tests.flows.fakeserver import connected, friendly, octets_of, statuses, submitted

ASCII = b"Subject: x\r\n\r\nHello\r\n"
EIGHT_BIT = "Subject: x\r\n\r\nÀ bientôt\r\n".encode()
SEVEN_BIT = b"=C3=80 bient=C3=B4t\r\n"
UTF8_HEADER = "Subject: é\r\n\r\nHello\r\n".encode()
LATIN1_HEADER = b"Subject: \xe9\r\n\r\nHello\r\n"
LONG = EIGHT_BIT + b"x" * 70 + b"\r\n" + (b"y" * 70 + b"\r\n") * 5000

EVERY_SERVER = pytest.mark.parametrize(
    "offered", [(), ("PIPELINING",), ("PIPELINING", "CHUNKING")], ids=["plain", "pipelined", "chunking"]
)


async def one_by_one(octets: bytes) -> AsyncIterator[bytes]:
    for start in range(len(octets)):
        yield octets[start : start + 1]


STREAMS: dict[str, Callable[[bytes], Any]] = {
    "list": lambda octets: [octets],
    "octets": lambda octets: (octets[at : at + 1] for at in range(len(octets))),
    "buffers": lambda octets: [bytearray(octets[:9]), memoryview(octets)[9:]],
    "file": io.BytesIO,
    "async": one_by_one,
}
EVERY_STREAM = pytest.mark.parametrize("stream", list(STREAMS.values()), ids=list(STREAMS))


# --- refused -------------------------------------------------------------------------------------


@EVERY_SERVER
@pytest.mark.parametrize("content", [EIGHT_BIT, LONG], ids=["small", "large"])
@pytest.mark.parametrize("lmtp", [False, True])
def test_nothing_is_said_to_a_server_that_must_not_get_it(offered, content, lmtp):
    """RFC 6152 s3: "must not, under any circumstances"."""
    machine, server = connected_lmtp(*offered) if lmtp else connected(*offered), friendly()
    played = submitted(machine, server, 2, content=content, chunking=True)
    outcome = played.value()
    assert statuses(outcome) == ["not sent"] * 2
    assert all("8BITMIME" in each.why and "RFC 6152 s3" in each.why for each in outcome.recipients)
    assert (outcome.error, outcome.reply) == (None, None)
    assert played.effects == []
    assert machine.state is State.READY
    assert submitted(machine, friendly(end="250 ok", last="250 ok"), 1, content=ASCII).value().all_accepted


def connected_lmtp(*offered: str) -> Any:
    from smtpcore import ClientConnection
    from smtpcore.flows.client import open_session
    from tests.flows.driving import play

    machine = ClientConnection(lmtp=True)
    lines = "".join(f"250-{keyword}\r\n" for keyword in ("hamburger.edu", *offered))
    play(open_session(machine, "crepes.fr", "none"), b"220 hi\r\n", f"{lines}250 HELP\r\n".encode()).value()
    return machine


@EVERY_SERVER
@EVERY_STREAM
def test_a_stream_of_ascii_goes(offered, stream):
    server = friendly()
    assert submitted(connected(*offered), server, 1, content=stream(ASCII)).value().all_accepted
    assert server.contents == [ASCII]


@EVERY_SERVER
@EVERY_STREAM
@pytest.mark.parametrize("chunking", [False, True])
def test_a_stream_is_broken_off_where_it_turns_out_to_be_more(offered, stream, chunking):
    """Neither a final dot nor a last chunk, so nothing was taken; and no octet beyond ASCII has left."""
    machine, server = connected(*offered), friendly(rcpt=["250 ok", "550 no"])
    played = submitted(machine, server, 2, content=stream(EIGHT_BIT), chunking=chunking)
    outcome = played.value()
    assert statuses(outcome) == ["not sent", "refused"]
    assert "8BITMIME" in outcome.recipients[0].why
    assert outcome.error is None
    assert played.closed
    assert machine.state is State.CLOSED
    assert played.written.isascii()
    assert b"\r\n.\r\n" not in played.written
    assert b"LAST" not in played.written
    assert server.contents == []


@EVERY_STREAM
def test_what_the_caller_knows_is_believed(stream):
    server = friendly()
    assert submitted(connected(), server, 1, content=stream(ASCII), is_ascii=True).value().all_accepted
    played = submitted(connected(), friendly(), 1, content=stream(EIGHT_BIT), is_ascii=False)
    assert statuses(played.value()) == ["not sent"]
    assert played.effects == []


@EVERY_STREAM
def test_8bitmime_is_not_asked_for_where_the_caller_knows_better(stream):
    server = friendly()
    submitted(connected("8BITMIME"), server, 1, content=stream(ASCII), is_ascii=True).value()
    assert server.lines[0] == b"MAIL FROM:<alice@crepes.fr>"


def test_what_is_read_may_fail_and_is_its_own_error():
    def broken() -> Any:
        yield ASCII
        raise RuntimeError("the disk is gone")

    played = submitted(connected(), friendly(), 1, content=broken())
    assert isinstance(played.error, RuntimeError)
    assert played.closed
    played = submitted(connected(), friendly(), 1, content=broken(), eight_bit="downgrade")
    assert isinstance(played.error, RuntimeError)
    assert played.effects == []


# --- downgraded ----------------------------------------------------------------------------------


@EVERY_SERVER
@pytest.mark.parametrize("wrap", [lambda octets: octets, *STREAMS.values()], ids=["bytes", *STREAMS])
def test_written_as_ascii(offered, wrap):
    machine, server = connected("SIZE", *offered), friendly()
    assert submitted(machine, server, 2, content=wrap(EIGHT_BIT), eight_bit="downgrade").value().all_accepted
    (content,) = server.contents
    assert content.isascii()
    assert content.endswith(b"\r\n\r\n" + SEVEN_BIT)
    assert f"SIZE={len(content)}" in server.lines[0].decode()
    assert "BODY" not in server.lines[0].decode()


def test_not_where_it_need_not_be():
    server = friendly()
    submitted(connected("8BITMIME"), server, 1, content=EIGHT_BIT, eight_bit="downgrade").value()
    submitted(connected(), server, 1, content=ASCII, eight_bit="downgrade").value()
    assert server.contents == [EIGHT_BIT, ASCII]


def test_line_ends_are_made_first():
    server = friendly()
    machine = connected(bare_newlines=BareNewlines.NORMALIZE)
    submitted(machine, server, 1, content=EIGHT_BIT.replace(b"\r", b""), eight_bit="downgrade").value()
    assert server.contents[0].endswith(b"\r\n\r\n" + SEVEN_BIT)


def test_what_cannot_be_written_as_ascii():
    played = submitted(connected(), friendly(), 2, content=LATIN1_HEADER, eight_bit="downgrade")
    outcome = played.value()
    assert statuses(outcome) == ["not sent"] * 2
    assert "RFC 6530 s8" in outcome.recipients[0].why
    assert played.effects == []


# --- sent anyway ---------------------------------------------------------------------------------


@EVERY_SERVER
@pytest.mark.parametrize("content", [EIGHT_BIT, UTF8_HEADER, [EIGHT_BIT]], ids=["body", "header", "stream"])
def test_sent_anyway(offered, content):
    server = friendly()
    assert submitted(connected(*offered), server, 1, content=content, eight_bit="send").value().all_accepted
    assert server.contents == [content if isinstance(content, bytes) else EIGHT_BIT]
    assert server.lines[0] == b"MAIL FROM:<alice@crepes.fr>"


def test_binary_mime_takes_any_octets():
    """RFC 3030 s3: it does not need 8BITMIME, only the two extensions of its own."""
    machine = connected("CHUNKING", "BINARYMIME")
    server = friendly()
    options: Any = {"content": EIGHT_BIT, "mail_parameters": [BODY(Body.BINARYMIME)]}
    assert submitted(machine, server, 1, **options).value().all_accepted
    assert server.chunks == [EIGHT_BIT]


# --- headers -------------------------------------------------------------------------------------


def test_a_header_beyond_ascii_asks_for_smtputf8():
    """RFC 6531 s3.2"""
    server = friendly()
    assert submitted(connected("8BITMIME", "SMTPUTF8"), server, 1, content=UTF8_HEADER).value().all_accepted
    assert server.lines[0].endswith(b" BODY=8BITMIME SMTPUTF8")


@pytest.mark.parametrize("eight_bit", ["refuse", "downgrade"])
@pytest.mark.parametrize("offered", [(), ("8BITMIME",)], ids=["nothing", "8BITMIME"])
def test_and_goes_nowhere_else(eight_bit, offered):
    played = submitted(connected(*offered), friendly(), 2, content=UTF8_HEADER, eight_bit=eight_bit)
    outcome = played.value()
    assert statuses(outcome) == ["not sent"] * 2
    assert "SMTPUTF8" in outcome.recipients[0].why
    assert played.effects == []


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (UTF8_HEADER, True),
        (UTF8_HEADER.replace(b"\r", b""), True),
        ("Subject: é".encode(), True),
        (EIGHT_BIT, False),
        (EIGHT_BIT.replace(b"\r", b""), False),
        (LATIN1_HEADER, False),
        (ASCII, False),
        (b"", False),
        (b"\r\n\xc3\xa9", False),
        ([UTF8_HEADER], False),
    ],
)
def test_what_counts_as_a_header_beyond_ascii(content, wanted):
    assert has_utf8_header(octets_of(content)) is wanted
