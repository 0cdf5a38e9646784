"""What the octets of a content need from the server, and what becomes of it where that is not offered."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any, Final, Literal, TypeAlias, final

from ..errors import ParseError
from ..extensions import EIGHTBITMIME, SMTPUTF8
from ..session.client import ClientConnection
from ..wire.newlines import BareNewlines, NewlineFilter
from .content import Source, at_hand
from .effect import Flow
from .transfer import next_piece

__all__ = ["EightBit", "EightBitFound", "fit", "has_utf8_header", "may_go_as_it_is"]

#: What to do with octets beyond ASCII where the server does not offer 8BITMIME. ``refuse``: send nothing;
#: ``downgrade``: write them as ASCII (RFC 6152 s3); ``send``: send them anyway, which RFC 6152 s3 forbids.
EightBit: TypeAlias = Literal["refuse", "downgrade", "send"]

# LF alone ends a line where the machine makes that CRLF
_EMPTY_LINE: Final = re.compile(rb"(?:\A|\n)\r?\n")
_NO_8BITMIME: Final = "the server does not offer 8BITMIME, and the message has octets beyond ASCII (RFC 6152 s3)"
_NO_SMTPUTF8: Final = "the server does not offer SMTPUTF8, and the message has a header beyond ASCII (RFC 6531 s3.2)"


@final
class EightBitFound(Exception):
    """A content whose octets were not known has shown some beyond ASCII, where the server must not get any."""

    def __init__(self) -> None:
        super().__init__(_NO_8BITMIME)


def fit(machine: ClientConnection, source: Source, eight_bit: EightBit) -> Flow[tuple[Source, str]]:
    """The source as this server may have it, and why it may not have it at all, or no text.

    Of octets that are not at hand nothing is known before they are read. For a server without
    8BITMIME they come out watched, and the first ones beyond ASCII raise EightBitFound; to be
    downgraded they are read to their end, into memory.
    """
    capabilities = machine.capabilities
    if has_utf8_header(source) and SMTPUTF8 not in capabilities:
        # RFC 6531 s3.2: the client "MUST NOT transmit a mail message containing internationalized mail headers"
        return source, _NO_SMTPUTF8
    if EIGHTBITMIME in capabilities:
        return source, ""
    if eight_bit == "downgrade":
        return (yield from _downgraded(machine, source))
    if source.is_ascii is False:
        # RFC 6152 s3: "a client SMTP system must not, under any circumstances, attempt to transfer a content which
        # contains octets outside of the US-ASCII octet range"
        return source, _NO_8BITMIME
    chunks = source.chunks
    watched: Any = _Watched(chunks) if isinstance(chunks, AsyncIterable) else map(_watch, chunks)
    return Source(watched, source.size), ""


def may_go_as_it_is(machine: ClientConnection, source: Source, eight_bit: EightBit) -> bool:
    """Whether this server may have the octets as they are, so that ``fit`` need not look at them."""
    capabilities = machine.capabilities
    if source.is_ascii or eight_bit == "send":
        return True
    return EIGHTBITMIME in capabilities and (SMTPUTF8 in capabilities or not has_utf8_header(source))


def has_utf8_header(source: Source) -> bool:
    """Whether the header of a content at hand is one of RFC 6532: beyond ASCII, and UTF-8."""
    octets = source.octets
    if octets is None or source.is_ascii:
        return False
    end = _EMPTY_LINE.search(octets)
    header = octets[: end.start() if end else len(octets)]
    if header.isascii():
        return False
    try:
        header.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _downgraded(machine: ClientConnection, source: Source) -> Flow[tuple[Source, str]]:
    from ..message.downgrade import downgrade  # noqa: PLC0415 - few need it, and all of message comes with it

    octets = source.octets
    if octets is None:
        octets = yield from _read(source)
    policy = machine.bare_newlines
    if policy is not BareNewlines.REJECT:
        newlines = NewlineFilter(policy)
        octets = newlines.feed(octets) + newlines.finish()
    try:
        return at_hand(downgrade(octets).content), ""
    except ParseError as error:
        return source, f"the server does not offer 8BITMIME, and the message cannot be written as ASCII: {error}"


def _read(source: Source) -> Flow[bytes]:
    chunks = source.chunks
    pieces: Any = aiter(chunks) if isinstance(chunks, AsyncIterable) else filter(None, chunks)
    read: list[bytes] = []
    while piece := (yield from next_piece(pieces)):
        read.append(bytes(memoryview(piece)))
    return b"".join(read)


def _watch(chunk: bytes) -> bytes:
    if not (chunk if type(chunk) is bytes else bytes(memoryview(chunk))).isascii():
        raise EightBitFound
    return chunk


@final
class _Watched(AsyncIterator[bytes]):
    """Chunks of ASCII; no generator, which would have to be closed."""

    __slots__ = ("_chunks",)

    def __init__(self, chunks: AsyncIterable[bytes]) -> None:
        self._chunks = aiter(chunks)

    async def __anext__(self) -> bytes:
        return _watch(await anext(self._chunks))
