"""Where the parts of a multipart body begin and end (RFC 2046 s5.1.1)."""

from __future__ import annotations

import re
from typing import NamedTuple, final

__all__ = ["Piece", "split_parts"]


@final
class Piece(NamedTuple):
    """Octets of a multipart body: a part, or what stands around the parts."""

    start: int
    end: int
    is_part: bool  #: False for delimiter lines, the preamble and the epilogue.


def split_parts(body: bytes, boundary: bytes) -> list[Piece]:
    """All of a body in order, cut at the lines of its boundary; one piece where there is none.

    A CRLF before a delimiter line belongs to that line, and a part without a delimiter behind it goes to the end.
    """
    # RFC 2046 s5.1.1
    #   delimiter       := CRLF dash-boundary          ; the CRLF is not there at the start of the body
    #   close-delimiter := delimiter "--"
    #   body-part ends before the delimiter; transport-padding := *LWSP-char
    pattern = re.compile(rb"(?:\A|\r\n)--%b(--)?+[ \t]*+(?:(?=\r\n)|\Z)" % re.escape(boundary))
    pieces: list[Piece] = []
    start, is_part = 0, False
    pos = 0
    while found := pattern.search(body, pos):
        begun = max(start, found.start())  # the CRLF that ends one delimiter line may begin the next
        pieces.append(Piece(start, begun, is_part))
        if found[1]:
            pieces.append(Piece(begun, len(body), False))
            return pieces
        pos = found.end()
        start = min(pos + 2, len(body))
        pieces.append(Piece(begun, start, False))
        is_part = True
    pieces.append(Piece(start, len(body), is_part))
    return pieces
