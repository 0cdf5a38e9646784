"""How a content is handed over, behind DATA or in chunks, once the server is ready for it."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from typing import Any, Final

from ..errors import LocalProtocolError, RemoteProtocolError
from ..extensions import PIPELINING, BdatLast
from ..session.client import ClientConnection
from ..session.event import NEED_DATA, ConnectionClosed, ReplyReceived, VerdictReceived
from ..table import State
from ..wire.reply import Reply
from .client import next_answer
from .content import SMALL, Source
from .effect import Await, Flow, Read, Write
from .ledger import Ledger, is_positive

__all__ = ["last_words", "next_piece", "send_chunks", "send_content", "send_pieces"]


def send_content(machine: ClientConnection, source: Source, ledger: Ledger) -> Flow[None]:
    """The content, its end, and the verdict. Whatever goes wrong with it must not be followed by a final dot."""
    ledger.content_failed = True  # until it has not
    if source.whole is None:
        yield from send_pieces(machine, source, ledger)
    end = machine.end_content(source.whole or b"")
    ledger.content_failed = False
    ledger.content_ended = True
    try:
        answer = yield from next_answer(machine, NEED_DATA)
        while answer.command is not end or isinstance(answer, VerdictReceived):
            if isinstance(answer, VerdictReceived):
                ledger.settle(answer.rcpt, answer.reply)
                if not machine.in_flight:
                    return
            answer = yield from next_answer(machine)
    except OSError:
        ledger.verdict = ledger.last_words = yield from last_words(machine)
        raise
    if isinstance(answer, ReplyReceived):
        ledger.judge(answer.reply)


def send_pieces(machine: ClientConnection, source: Source, ledger: Ledger) -> Flow[None]:
    """The content but for its end, which must not follow if anything goes wrong here."""
    if isinstance(source.chunks, AsyncIterable):
        iterator = aiter(source.chunks)
        while chunk := (yield Await(_next_chunk(iterator))):
            machine.send_content(chunk)
            yield from _write(machine, ledger)
    else:
        for chunk in source.chunks:
            machine.send_content(chunk)
            yield from _write(machine, ledger)


def _write(machine: ClientConnection, ledger: Ledger) -> Flow[None]:
    data = machine.data_to_send()
    if data:
        ledger.content_failed = False  # what fails now is the connection
        try:
            yield Write(data)
        except OSError:
            ledger.refused_all = ledger.last_words = yield from last_words(machine)
            raise
        ledger.content_failed = True


def last_words(machine: ClientConnection) -> Flow[Reply | None]:
    """The refusal that a server gave before it hung up on a content, if it can still be read."""
    try:
        while True:
            event = machine.next_event()
            if isinstance(event, ReplyReceived):
                return event.reply if event.reply.code >= 400 else None
            if isinstance(event, ConnectionClosed):
                return None
            machine.receive_data((yield Read(_LAST_WORDS)))
    except (OSError, LocalProtocolError, RemoteProtocolError):
        return None


#: Seconds for what has been sent already to be read.
_LAST_WORDS: Final = 1.0


async def _next_chunk(iterator: Any) -> bytes:
    """The next chunk that is not empty; an empty one is the end."""
    async for chunk in iterator:
        if chunk:
            octets: bytes = chunk
            return octets
    return b""


def send_chunks(machine: ClientConnection, source: Source, ledger: Ledger) -> Flow[None]:
    """The content by BDAT, and the verdict (RFC 3030 s2). The first chunk that is refused is the last one sent."""
    # What the pipeline has no room for would be held, however much it is.
    ahead = min(_AHEAD, machine.limits.in_flight - 1) if PIPELINING in machine.capabilities else 0
    pieces: Any = source.pieces
    ledger.content_failed = True  # until it has not
    held = yield from _next_chunk_of(pieces)
    last = False
    while not last and ledger.verdict is None:
        ledger.content_failed = True
        following = (yield from _next_chunk_of(pieces)) if held else b""
        last = not following
        machine.send_chunk(held, last=last)
        ledger.content_failed = False
        ledger.content_ended = last
        yield from _write(machine, ledger)
        yield from _heed_chunks(machine, ledger, 0 if last else ahead)
        held = following
    ledger.content_failed = False


#: Chunks on their way and not answered: enough to keep the line busy, few enough to stop early.
_AHEAD: Final = 8


def _heed_chunks(machine: ClientConnection, ledger: Ledger, ahead: int) -> Flow[None]:
    """The replies to chunks, as far as they have to be waited for; all of them once one is a refusal."""
    ledger.content_failed = False
    while len(machine.in_flight) > (ahead if ledger.verdict is None else 0):
        answer = yield from next_answer(machine)
        if isinstance(answer, VerdictReceived):
            ledger.settle(answer.rcpt, answer.reply)
        elif isinstance(answer, ReplyReceived):
            if isinstance(answer.command, BdatLast) or not is_positive(answer.reply):
                ledger.judge(answer.reply)
                if machine.state is State.CLOSED:
                    return  # RFC 5321 s3.8: nothing comes behind 421


def _next_chunk_of(pieces: Any) -> Flow[bytes]:
    """The octets of the next chunk, or none at the end: a large piece as it is, small ones together."""
    first: bytes = yield from next_piece(pieces)
    size = len(first)
    if not first or size >= SMALL:
        return first
    several = [first]
    while size < SMALL:
        piece = yield from next_piece(pieces)
        if not piece:
            break
        several.append(piece)
        size += len(piece)
    return b"".join(several)


def next_piece(pieces: Any) -> Flow[bytes]:
    """The next octets of a content, or none at its end."""
    if isinstance(pieces, AsyncIterator):
        piece: bytes = yield Await(_next_chunk(pieces))
    else:
        piece = next(pieces, b"")
    return piece
