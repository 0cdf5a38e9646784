"""White space and comments between the tokens of a structured field (RFC 5322 s3.2.2).

Text comes unfolded, so folding white space is spaces and tabs. Comments may nest; they are
counted, not entered, so that no depth of them costs more than their length.
"""

from __future__ import annotations

import re
from typing import Final

from ..errors import ParseError

__all__ = ["DEPTH", "read_comments", "skip_cfws"]

#: How deep comments may nest. RFC 5322 sets no limit; nobody writes more than two or three, and a bound keeps what
#: means harm from looking like mail.
DEPTH: Final = 32

# RFC 5322 s3.2.2
#   FWS      = ([*WSP CRLF] 1*WSP) / obs-FWS
_SPACE: Final = re.compile(r"[ \t]*+")

# RFC 5322 s3.2.2
#   comment  = "(" *([FWS] ccontent) [FWS] ")"
#   ccontent = ctext / quoted-pair / comment
#   ctext    = %d33-39 / %d42-91 / %d93-126 / obs-ctext
# RFC 6532 s3.2
#   ctext   =/ UTF8-non-ascii
_CTEXT: Final = re.compile(r"(?:[^()\\\x00-\x08\x0a-\x1f\x7f]++|\\[^\x00-\x08\x0a-\x1f\x7f])*+")
_QUOTED_PAIR: Final = re.compile(r"\\(.)")


def skip_cfws(text: str, pos: int) -> int:
    """The offset behind the white space and the comments that begin at ``pos``.

    Raises ParseError, at its parenthesis, for a comment that is not closed, holds a control
    character, or nests more than ``DEPTH`` deep.
    """
    pos = _end_of_space(text, pos)
    while text.startswith("(", pos):
        pos = _end_of_space(text, _end_of_comment(text, pos))
    return pos


def read_comments(text: str, pos: int) -> tuple[list[str], int]:
    """The comments that begin at ``pos``, without their parentheses and backslashes, and the offset behind them.

    A comment within a comment keeps its parentheses. Raises ParseError as ``skip_cfws`` does.
    """
    found: list[str] = []
    pos = _end_of_space(text, pos)
    while text.startswith("(", pos):
        end = _end_of_comment(text, pos)
        found.append(_QUOTED_PAIR.sub(r"\1", text[pos + 1 : end - 1]))
        pos = _end_of_space(text, end)
    return found, pos


def _end_of_space(text: str, pos: int) -> int:
    found = _SPACE.match(text, pos)
    return found.end() if found else pos


def _end_of_comment(text: str, start: int) -> int:
    """The offset behind the comment that begins at ``start``."""
    pos, depth, size = start, 0, len(text)
    while pos < size:
        octet = text[pos]
        if octet == "(":
            depth += 1
            if depth > DEPTH:
                raise ParseError(f"comments more than {DEPTH} deep", start, "RFC 5322 s3.2.2", text)
        elif octet == ")":
            depth -= 1
            if not depth:
                return pos + 1
        else:
            break  # what ctext does not take
        found = _CTEXT.match(text, pos + 1)
        pos = found.end() if found else pos + 1
    if pos < size and (text[pos] != "\\" or pos + 1 < size):
        raise ParseError("character not allowed in a comment", pos, "RFC 5322 s3.2.2", text)
    raise ParseError("comment without an end", start, "RFC 5322 s3.2.2", text)
