"""The codecs, driven over octets cut in any way, with everything that can be seen of them afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from smtpcore import STRICT, ParseError, RemoteProtocolError, Strictness, parse_command
from smtpcore.wire.buffer import ReceiveBuffer
from smtpcore.wire.chunks import ChunkReader
from smtpcore.wire.content import DotStuffer, DotUnstuffer
from smtpcore.wire.newlines import BareNewlines
from smtpcore.wire.reply import Reply, ReplyReader
from smtpcore.wire.tolerance import Tolerance
from tests.strategies import VOCABULARY


def parsed(line: bytes, level: Strictness = STRICT) -> Any:
    """The command in a line, whatever its class."""
    return parse_command(line, VOCABULARY, Tolerance(level))


def path_of(command: Any) -> Any:
    """The path that MAIL or RCPT carries."""
    return command.recipient if command.verb == "RCPT" else command.sender


class Received(NamedTuple):
    content: bytes
    eof: bool
    rest: bytes
    bare: int


def unstuff(parts: Iterable[bytes], policy: BareNewlines = BareNewlines.REJECT) -> Received:
    reader = DotUnstuffer(policy)
    content = b"".join([reader.receive(part) for part in parts])
    return Received(content, reader.eof, reader.unused_data, reader.first_bare)


def stuff(parts: Iterable[bytes], policy: BareNewlines = BareNewlines.REJECT) -> bytes | None:
    """What is sent, or None where the sender refuses; the same whether the last part goes with the end or before it."""
    parts = list(parts)
    sent = _stuff(DotStuffer(policy), parts, b"")
    if parts:
        *before, last = parts
        assert _stuff(DotStuffer(policy), before, last) == sent
        prepared = DotStuffer(policy)
        prepared.prepare(last)
        assert _stuff(prepared, before, last) == sent
    return sent


def _stuff(writer: DotStuffer, parts: Iterable[bytes], last: bytes) -> bytes | None:
    try:
        return b"".join([*[writer.stuff(part) for part in parts], writer.finish(last)])
    except ParseError:
        return None


def read_chunks(parts: Iterable[bytes], sizes: list[int], policy: BareNewlines = BareNewlines.REJECT) -> Received:
    """The octets of BDAT chunks of these sizes, the last of which is the LAST one."""
    reader = ChunkReader(policy)
    to_come = list(sizes)
    content, rest = b"", b""

    def begin() -> bytes:
        out = b""
        while to_come and not reader.remaining:
            out += reader.begin(to_come.pop(0), last=not to_come)
        return out

    content += begin()
    for part in parts:
        while part and reader.remaining:
            content += reader.receive(part)
            assert len(reader.unused_data) < len(part), "no octet was taken"
            part = reader.unused_data
            content += begin()
        rest += part
    return Received(content, reader.eof, rest, reader.first_bare)


def take_lines(parts: Iterable[bytes]) -> tuple[list[bytes], bytes]:
    """The lines of a stream, and what is left of it."""
    buffer = ReceiveBuffer()
    lines = []
    for part in parts:
        buffer.append(part)
        while (line := buffer.take_line()) is not None:
            lines.append(line)
    return lines, buffer.take()


class Replies(NamedTuple):
    replies: list[Reply]
    raw: list[bytes | None]
    failure: str
    pending: bool


def read_replies(parts: Iterable[bytes], *limits: int) -> Replies:
    """The replies of a stream, up to what is none."""
    reader = ReplyReader(*limits)
    replies: list[Reply] = []
    failure = ""
    for part in parts:
        reader.receive(part)
        try:
            while (reply := reader.next_reply()) is not None:
                replies.append(reply)
        except RemoteProtocolError as error:
            failure = str(error)
    return Replies(replies, [reply.raw for reply in replies], failure, reader.pending and not failure)
