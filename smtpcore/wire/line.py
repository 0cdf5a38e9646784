"""The one place where a line of ours is written."""

from __future__ import annotations

import re
from typing import Final

from ..errors import ParseError
from . import grammar

__all__ = ["encode_line"]

# RFC 5321 s2.3.8: CR and LF only as CRLF, at the end; NUL and other controls nowhere.
_NOT_LINE: Final = re.compile(f"[\\x00-\\x1f\\x7f{grammar.NO_OCTETS}]")


def encode_line(text: str) -> bytes:
    """The octets of one command line, CRLF added.

    Raises ParseError if anything in it could end the line early, hide in it, or stands for no octets.
    """
    if text.isascii() and text.isprintable() and text:
        return f"{text}\r\n".encode()  # the common case, without a pattern
    found = _NOT_LINE.search(text)
    if found or not text:
        where = found.start() if found else 0
        raise ParseError("character not allowed in a command line", where, "RFC 5321 s2.3.8", text)
    return f"{text}\r\n".encode("utf-8", "surrogateescape")
