"""What a caller may give as the content of a message, and the chunks that it is sent in."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import IO, Any, Protocol, TypeAlias, runtime_checkable

from ..extensions import BurlLast

__all__ = ["CHUNK", "Content", "Message", "Octets", "Source", "at_hand", "flatten", "octets_of"]

#: Octets handed to the connection at a time: large enough to make each step cheap, small enough to stream.
CHUNK = 131_072
#: Octets of a content that is worth one write together with its end; a record of TLS holds as many.
SMALL = 16_384


@runtime_checkable
class Message(Protocol):
    """An ``email.message.EmailMessage``, as far as it matters here."""

    policy: Any

    def as_bytes(self, unixfrom: bool = False, policy: Any = None) -> bytes:
        """The message as octets."""
        ...


#: Octets whole, in pieces, from a binary file, or as a message of the standard library.
Octets: TypeAlias = bytes | bytearray | memoryview | Iterable[bytes] | AsyncIterable[bytes] | IO[bytes] | Message
#: The same; or the URL of a content that a server with BURL is to fetch (RFC 4468).
Content: TypeAlias = Octets | BurlLast


class Source:
    """A content ready to be sent: its chunks, and what is known of it beforehand."""

    __slots__ = ("chunks", "is_ascii", "octets", "size", "url", "whole")

    def __init__(
        self,
        chunks: Iterator[bytes] | AsyncIterable[bytes],
        size: int | None = None,
        is_ascii: bool | None = None,
        whole: bytes | None = None,
        octets: bytes | None = None,
        url: BurlLast | None = None,
    ) -> None:
        self.chunks = chunks
        self.url = url  #: What the server is to fetch it by, where the client does not have it.
        self.whole = whole  #: All of a small content that is at hand.
        self.octets = octets  #: All of any content that is at hand.
        self.size = size  #: In octets; None when it is not known before the end.
        self.is_ascii = is_ascii  #: None when it is not known before the end.

    @property
    def pieces(self) -> Iterator[bytes] | AsyncIterator[bytes]:
        """Its octets, one piece after the other, once."""
        return aiter(self.chunks) if isinstance(self.chunks, AsyncIterable) else filter(None, self.chunks)


def octets_of(content: Content, is_ascii: bool | None = None) -> Source:
    """The source for a content. Raises TypeError for what is none, a ``str`` above all.

    ``is_ascii`` is what the caller knows of octets that are not at hand yet.
    """
    if isinstance(content, (bytes, bytearray, memoryview)):
        return at_hand(bytes(content))
    if isinstance(content, BurlLast):
        return Source(iter(()), is_ascii=is_ascii, url=content)
    if isinstance(content, Message):
        return at_hand(flatten(content))
    if isinstance(content, AsyncIterable):
        return Source(content, is_ascii=is_ascii)
    read = getattr(content, "read", None)
    if read is not None:
        return Source(_reads(read), is_ascii=is_ascii)
    pieces: Any = content
    if isinstance(pieces, str) or not hasattr(pieces, "__iter__"):
        raise TypeError(f"content must be octets, not {type(content).__name__}")
    return Source(iter(pieces), is_ascii=is_ascii)


def at_hand(octets: bytes) -> Source:
    """The source for octets that are all there."""
    size = len(octets)
    if size <= SMALL:
        return Source(iter((octets,)), size, octets.isascii(), octets, octets)
    return Source(_slices(octets), size, octets.isascii(), octets=octets)


def _slices(octets: bytes) -> Iterator[bytes]:
    for start in range(0, len(octets), CHUNK):
        yield octets[start : start + CHUNK]


def _reads(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while chunk := read(CHUNK):
        yield chunk


def flatten(message: Message) -> bytes:
    """A message of the standard library with CRLF, and without the fields that name hidden recipients."""
    # RFC 5322 s3.6.3: Bcc is for the sender alone
    hidden = {"bcc", "resent-bcc"}
    if any(name.lower() in hidden for name in message):  # type: ignore[attr-defined]  # a mapping of fields
        from copy import copy  # noqa: PLC0415 - few messages have such a field

        shown: Any = copy(message)
        shown._headers = [field for field in shown._headers if field[0].lower() not in hidden]
        message = shown
    return message.as_bytes(policy=message.policy.clone(linesep="\r\n"))
