"""Downgrade: a message of 8-bit octets, written so that it can go to a server without 8BITMIME.

RFC 6152 s3 leaves a client two ways there: to give the message back, or to "implement a gateway transformation to
convert the message into valid 7bit MIME". This is that transformation. Each part that has octets beyond ASCII is
written as quoted-printable or base64; whatever needs no change keeps its octets.
"""

from __future__ import annotations

from typing import Final, final

from ..errors import ParseError
from ..wire.newlines import is_clean
from ..wire.tolerance import Defect
from ..wire.value import Value, assign
from .content_type import ContentType
from .field import LINE_LIMIT, Field
from .header import Header
from .multipart import split_parts
from .transfer_coding import encode_base64, encode_quoted_printable

__all__ = ["Downgraded", "downgrade", "is_seven_bit"]

#: Multiparts and messages within each other; Postfix looks into as many (mime_nesting_limit).
DEPTH: Final = 100


@final
class Downgraded(Value):
    """A message that any server takes, and what its reader has to know."""

    __slots__ = ("content", "warnings")
    __match_args__ = ("content", "warnings")

    content: bytes  #: The message; the very object that was given where nothing had to change.
    #: Signatures that no longer hold, and text between parts that was lost, with its offset in what was given.
    warnings: tuple[Defect, ...]

    def __init__(self, content: bytes, warnings: tuple[Defect, ...] = ()) -> None:
        assign(self, "content", content)
        assign(self, "warnings", warnings)


def is_seven_bit(data: bytes) -> bool:
    """Whether these are lines of ASCII that end with CRLF, with 998 octets each at most (RFC 2045 s2.7)."""
    return data.isascii() and b"\0" not in data and is_clean(data) and max(map(len, data.split(b"\r\n"))) <= LINE_LIMIT


def downgrade(content: bytes, *, break_signatures: bool = False, depth: int = DEPTH) -> Downgraded:
    """The message in ASCII, with lines of 998 octets at most where its header has no longer ones.

    Decoded, each part is what it was. The second downgrade of a message changes nothing.

    Raises ParseError, with the offset in ``content``, for what has no form in ASCII: a header field beyond ASCII
    (RFC 6530 s8), a multipart that cannot be taken apart, octets that contradict the transfer encoding of their part,
    types that must not be encoded; for parts more than ``depth`` deep; and for a change within multipart/signed or
    multipart/encrypted, which its signature would not survive (RFC 1847 s2.1), unless ``break_signatures`` says so. A
    signature over the whole message, of DKIM or ARC, breaks with any change, and is a warning.
    """
    if is_seven_bit(content):
        return Downgraded(content)
    walk = _Walk(content, break_signatures, depth)
    return Downgraded(walk.run(), tuple(walk.warnings))


class _Walk:
    """One pass over a message; what waits is on a stack, the next on top: octets to copy, or an entity to look at."""

    def __init__(self, content: bytes, break_signatures: bool, depth: int) -> None:
        self.warnings: list[Defect] = []
        self._content = content
        self._break_signatures = break_signatures
        self._limit = depth
        self._out: list[bytes] = []
        self._waiting: list[_Entity | bytes] = [_Entity(0, len(content), 0, "", True)]

    def run(self) -> bytes:
        while self._waiting:
            each = self._waiting.pop()
            if isinstance(each, bytes):
                self._out.append(each)
            else:
                self._visit(each)
        return b"".join(self._out)

    def _visit(self, entity: _Entity) -> None:
        raw = self._content[entity.start : entity.end]
        if is_seven_bit(raw):
            self._out.append(raw)
            return
        if entity.depth > self._limit:
            raise ParseError(f"parts more than {self._limit} deep", entity.start, "RFC 2046 s5.1")
        if entity.sealed and not self._break_signatures:
            why = f"8-bit octets or long lines in {entity.sealed}, which must not be changed"
            raise ParseError(why, entity.start, "RFC 1847 s2.1")
        header, body = Header.split(raw)
        where = entity.start
        for field in header:
            if not field.raw.isascii():
                # RFC 6530 s8: nobody but its author can say what should stand there in its place
                why = "a header field beyond ASCII, which needs SMTPUTF8"
                raise ParseError(why, where, "RFC 6530 s8", field.name.decode("ascii"))
            where += len(field.raw)
        if is_seven_bit(body):
            self._out.append(raw)  # only a line of its header is too long: how to fold that is for its author to say
            return
        if entity.is_message:
            self._warn_of_signatures(header, entity.start)
        try:
            kind, encoding = header.content_type, header.content_transfer_encoding
        except ParseError as error:  # several of them
            raise ParseError(error.why, entity.start + error.where, error.rule, error.text) from None
        if not encoding.is_identity:
            # RFC 2045 s6.2: what is encoded is ASCII
            where = entity.end - len(body)
            raise ParseError(f"8-bit octets or long lines in {encoding} text", where, "RFC 2045 s6.2")
        self._convert(entity, header, body, kind)

    def _warn_of_signatures(self, header: Header, where: int) -> None:
        for field in header:
            if field.name.lower() in _SIGNATURES:
                # RFC 6376 s5.3: who signs is to convert before, since a relay may have to
                self.warnings.append(Defect("RFC 6376 s5.3", f"{field.name.decode('ascii')} no longer holds", where))
            where += len(field.raw)

    def _convert(self, entity: _Entity, header: Header, body: bytes, kind: ContentType) -> None:
        start = entity.end - len(body)
        if kind.is_multipart:
            self._open_multipart(entity, _relabelled(header, entity), body, kind, start)
        elif kind.essence == "message/rfc822":
            # RFC 2046 s5.2.1: no encoding other than 7bit, 8bit or binary is permitted for its body
            self._out.append(bytes(_relabelled(header, entity)))
            self._waiting.append(_Entity(start, entity.end, entity.depth + 1, entity.sealed, True))
        elif kind.type == "message" and kind.essence not in _GLOBAL:
            # RFC 2045 s6.4: "EXPRESSLY FORBIDDEN to use any encodings other than" these with "message"
            raise ParseError(f"8-bit octets or long lines in {kind.essence}", start, "RFC 2045 s6.4")
        else:
            self._encode(entity, header, body, kind)

    def _open_multipart(self, entity: _Entity, header: Header, body: bytes, kind: ContentType, start: int) -> None:
        boundary = kind.boundary
        if not boundary:
            raise ParseError("multipart without a boundary", start, "RFC 2046 s5.1.1")
        pieces = split_parts(body, boundary.encode("utf-8", "surrogateescape"))
        if not any(piece.is_part for piece in pieces):
            raise ParseError("multipart without a part", start, "RFC 2046 s5.1.1")
        sealed = entity.sealed
        if kind.subtype in _SEALED and not sealed:
            sealed = kind.essence
            if self._break_signatures:
                # RFC 1847 s2.1: the signed part must be treated as opaque
                self.warnings.append(Defect("RFC 1847 s2.1", f"the signature of {kind.essence} no longer holds", start))
        ahead: list[_Entity | bytes] = [bytes(header)]
        for piece in pieces:
            text = body[piece.start : piece.end]
            if piece.is_part:
                ahead.append(_Entity(start + piece.start, start + piece.end, entity.depth + 1, sealed, False))
            else:
                ahead.append(self._plain(text, start + piece.start))
        self._waiting += reversed(ahead)

    def _plain(self, text: bytes, where: int) -> bytes:
        """What stands before the first part and behind the last one, which no reader of MIME shows, in ASCII."""
        if text.isascii() and b"\0" not in text:
            return text
        self.warnings.append(Defect("RFC 2046 s5.1.1", "text around the parts was lost in part", where))
        return text.translate(_ASCII)

    def _encode(self, entity: _Entity, header: Header, body: bytes, kind: ContentType) -> None:
        ends = entity.is_message and body.endswith(b"\r\n")
        name, text = "base64", encode_base64(body) + (b"\r\n" if ends else b"")
        if kind.type == "text":
            quoted = encode_quoted_printable(body)
            if len(quoted) <= len(text):
                name, text = "quoted-printable", quoted
        self._out += (bytes(_labelled(header, name, entity, guess=not body.isascii())), text)


@final
class _Entity:
    """A message or a part: its octets in the content, how deep it is, and what it is sealed by."""

    __slots__ = ("depth", "end", "is_message", "sealed", "start")

    def __init__(self, start: int, end: int, depth: int, sealed: str, is_message: bool) -> None:
        self.start = start
        self.end = end
        self.depth = depth
        self.sealed = sealed  # the media type that forbids changes; empty for none
        self.is_message = is_message  # with a header of its own, not that of a part


_SIGNATURES: Final = frozenset((b"dkim-signature", b"arc-message-signature", b"arc-seal"))
_SEALED: Final = frozenset(("signed", "encrypted"))
# RFC 6532 s3.7, RFC 6533 s4 to s6: these alone of their kind may be encoded
_GLOBAL: Final = frozenset((
    "message/global", "message/global-headers", "message/global-delivery-status",
    "message/global-disposition-notification",
))  # fmt: skip
_ASCII: Final = bytes(octet if 0 < octet < 128 else 0x3F for octet in range(256))
_ENCODING: Final = "Content-Transfer-Encoding"


def _relabelled(header: Header, entity: _Entity) -> Header:
    """The header of what has parts, once they are 7bit."""
    return header if header.content_transfer_encoding.name == "7bit" else _labelled(header, "7bit", entity)


def _labelled(header: Header, encoding: str, entity: _Entity, *, guess: bool = False) -> Header:
    header = header.with_replaced(_ENCODING, Field(_ENCODING, f" {encoding}".encode()))
    if entity.is_message:
        if guess and "Content-Type" not in header:
            # RFC 1428: what a gateway says where it cannot know
            header = header.with_added(Field("Content-Type", b" text/plain; charset=unknown-8bit"))
        if "MIME-Version" not in header:
            header = header.with_added(Field("MIME-Version", b" 1.0"))  # RFC 2045 s4: else the encoding means nothing
    return header
