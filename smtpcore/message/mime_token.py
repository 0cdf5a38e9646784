"""What the fields of MIME are made of: tokens (RFC 2045 s5.1), and what is passed over between them."""

from __future__ import annotations

import re
from typing import Final

from ..errors import ParseError
from ..wire.tolerance import LAX, Defect, Tolerance
from .cfws import skip_cfws

__all__ = ["CONTROL", "TCHAR", "TOKEN", "cleaned", "in_order", "skip_junk", "skip_softly"]

# RFC 2045 s5.1
#   token     := 1*<any (US-ASCII) CHAR except SPACE, CTLs, or tspecials>
#   tspecials :=  "(" / ")" / "<" / ">" / "@" / "," / ";" / ":" / "\" / <"> / "/" / "[" / "]" / "?" / "="
#: One character of a token.
TCHAR: Final = r"[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]"
TOKEN: Final = re.compile(f"{TCHAR}++")
# Text that means nothing, up to a semicolon that is not quoted.
_JUNK: Final = re.compile(r'(?:[^;"]++|"(?:[^"\\]++|\\.)*+(?:"|\\?\Z))*+', re.DOTALL)

# Controls, and the surrogates that stand for octets that are no UTF-8: no part of any value.
CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
_UNSAID: Final = {13: " ", 10: " "}


def cleaned(text: str, tolerance: Tolerance) -> str:
    """The same, of the same length, without what has no place in a structured field: CR and LF are spaces."""
    if text.isascii() and text.isprintable():
        return text
    found = CONTROL.search(text)
    if not found:
        return text
    tolerance.permit(LAX, "character not allowed in a header field", found.start(), "RFC 5322 s2.2", text)
    return CONTROL.sub(lambda found: _UNSAID.get(ord(found[0]), "\ufffd"), text)


def in_order(tolerance: Tolerance) -> tuple[Defect, ...]:
    """The defects so far, in order of position."""
    found = tolerance.take()
    return tuple(sorted(found, key=lambda defect: defect.where)) if found else ()


def skip_softly(text: str, pos: int) -> int:
    """The offset behind white space and comments; -1 where a comment is broken."""
    try:
        return skip_cfws(text, pos)
    except ParseError:
        return -1


def skip_junk(text: str, pos: int) -> int:
    """The offset of the next semicolon that is not quoted, or of the end."""
    found = _JUNK.match(text, pos)
    return found.end() if found else pos
