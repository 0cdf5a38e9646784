"""The body of a new message: parts in 7-bit lines, and what stands between them (RFC 2045, RFC 2046)."""

from __future__ import annotations

import re
from base64 import encodebytes
from binascii import b2a_qp
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias, final

from ..errors import ParseError
from ..message.build import build_field
from ..message.content_type import ContentType
from ..message.field import Field
from .attachment import Attachment

__all__ = ["Part", "make_body"]

#: Octets, or a file that is encoded when it is its turn.
Piece: TypeAlias = bytes | Attachment


@final
class Part:
    """A body with the fields that say what it is."""

    __slots__ = ("fields", "pieces")

    def __init__(self, fields: Iterable[tuple[str, object]], pieces: Iterable[Piece]) -> None:
        self.fields: list[Field] = [build_field(name, value) for name, value in fields]
        self.pieces: list[Piece] = list(pieces)


def make_body(text: str | None, html: str | None, attachments: Iterable[Attachment]) -> Part:
    """The body that says ``text``, or the same as ``html``, and has these files behind it."""
    # RFC 2046 s5.1.4: the plainest first
    bodies = [(kind, said) for kind, said in (("plain", text), ("html", html)) if said is not None]
    files: list[Attachment] = []
    for attachment in attachments:
        if not isinstance(attachment, Attachment):
            raise TypeError(f"attachments are Attachment objects, not {type(attachment).__name__}")
        files.append(attachment)
    if not bodies and not files:
        bodies = [("plain", "")]
    boundaries = _boundaries([said for _, said in bodies])
    parts = [_text_part(kind, said) for kind, said in bodies]
    if len(parts) > 1:
        parts = [_multipart("alternative", next(boundaries), parts)]
    if not files:
        return parts[0]
    return _multipart("mixed", next(boundaries), [*parts, *map(_file_part, files)])


# --- one part ------------------------------------------------------------------------------------

_LINE_END: Final = re.compile(r"\r\n?+|\n")
# RFC 2045 s2.7: 7-bit data has no NUL; of the other controls none is sure to arrive but TAB.
# RFC 5322 s2.1.1: 78 characters
_PLAIN: Final = re.compile(r"(?:[\t -~]{0,78}\r\n)*+")


def _text_part(kind: str, text: str) -> Part:
    if not isinstance(text, str):
        raise TypeError(f"text must be a str, not {type(text).__name__}")
    # RFC 2046 s4.1.1: a line of text ends with CRLF, in every encoding
    text = _LINE_END.sub("\r\n", text)
    if not text.endswith("\r\n"):
        text += "\r\n"
    try:
        octets = text.encode()
    except UnicodeEncodeError as error:
        raise ParseError("not text", error.start, "RFC 3629 s3", text) from None
    if _PLAIN.fullmatch(text):
        encoding = "7bit"
    else:
        encoding, octets = _encode(octets)
    charset = "us-ascii" if text.isascii() else "utf-8"
    fields = [
        ("Content-Type", ContentType("text", kind, {"charset": charset})),
        ("Content-Transfer-Encoding", encoding),
    ]
    return Part(fields, [octets])


def _encode(octets: bytes) -> tuple[str, bytes]:
    """Text whose lines end with CRLF, in the shorter of the two encodings."""
    quoted = b2a_qp(octets)
    whole = encodebytes(octets).replace(b"\n", b"\r\n")
    return ("quoted-printable", quoted) if len(quoted) <= len(whole) else ("base64", whole)


def _file_part(attachment: Attachment) -> Part:
    fields = [
        ("Content-Type", attachment.content_type),
        ("Content-Disposition", attachment.disposition),
        ("Content-Transfer-Encoding", "base64"),
    ]
    return Part(fields, [attachment])


# --- several parts -------------------------------------------------------------------------------

# Neither base64 nor quoted-printable has "=_" (RFC 2045 s6.7, s6.8), so it can stand only in 7-bit text. All boundaries
# have one length, so that none begins as another does.
_BOUNDARY: Final = re.compile(r"=_([0-9]{16})")


def _boundaries(texts: Iterable[str]) -> Iterator[str]:
    """Boundaries that stand in none of these, in order."""
    taken = {int(number) for text in texts for number in _BOUNDARY.findall(text)}
    number = 0
    while True:
        if number not in taken:
            yield f"=_{number:016}"
        number += 1


def _multipart(subtype: str, boundary: str, parts: Iterable[Part]) -> Part:
    # RFC 2046 s5.1.1
    #   multipart-body    := [preamble CRLF] dash-boundary transport-padding CRLF body-part *encapsulation
    #                        close-delimiter transport-padding [CRLF epilogue]
    #   delimiter         := CRLF dash-boundary
    #   close-delimiter   := delimiter "--"
    pieces: list[Piece] = []
    begin = f"--{boundary}\r\n".encode()
    for part in parts:
        pieces.append(begin + b"".join([field.raw for field in part.fields]) + b"\r\n")
        pieces += part.pieces
        begin = f"\r\n--{boundary}\r\n".encode()
    pieces.append(f"\r\n--{boundary}--\r\n".encode())
    return Part([("Content-Type", ContentType("multipart", subtype, {"boundary": boundary}))], pieces)
