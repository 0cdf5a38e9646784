"""Phrases: what stands before an address or a group to be shown to people (RFC 5322 s3.2.5).

A phrase is only ever shown. It is decoded when somebody asks for it, and nothing that comes out
is looked at as an address (RFC 2047 s6.2).
"""

from __future__ import annotations

import re
from typing import Final

from ..errors import ParseError
from ..wire import grammar
from .charset import show_octets
from .words import decode_words, encode_words

__all__ = ["decode_phrase", "encode_phrase"]

# RFC 5322 s3.2.5
#   phrase        = 1*word / obs-phrase
#   word          = atom / quoted-string
# RFC 5322 s3.2.4
#   quoted-string = [CFWS] DQUOTE *([FWS] qcontent) [FWS] DQUOTE [CFWS]
#   qcontent      = qtext / quoted-pair
QUOTED_STRING: Final = re.compile(r'"((?:[^"\\\x00-\x08\x0a-\x1f\x7f]++|\\[^\x00-\x08\x0a-\x1f\x7f])*+)"')
_ATOM = r"[^\x00- \"(),.:;<>@\[\\\]\x7f]++"
_ATOMS: Final = re.compile(f"{_ATOM}(?: {_ATOM})*+")
_PIECES: Final = re.compile(r'"((?:[^"\\]++|\\.)*+)"|([^"]++)')
_PAIR: Final = re.compile(r"\\(.)")
_CONTROL: Final = re.compile(f"[\\x00-\\x08\\x0a-\\x1f\\x7f-\\x9f\\u2028\\u2029{grammar.NO_OCTETS}\\udc80-\\udcff]")

#: The longest quoted string that is written: it cannot be folded, and a line has 998 octets (RFC 5322 s2.1.1).
_QUOTED_LIMIT: Final = 200


def decode_phrase(phrase: str) -> str:
    """What a phrase says: quotes and backslashes taken off, encoded-words outside of quotes decoded.

    ``phrase`` is words as they were written, with one space where there was white space or a
    comment. Octets that are no UTF-8 are shown as U+FFFD.
    """
    if '"' not in phrase:
        text = decode_words(phrase) if "=?" in phrase else phrase
    elif "\\" not in phrase and phrase.find('"', 1) == len(phrase) - 1 and phrase[0] == '"':
        text = phrase[1:-1]
    else:
        # RFC 2047 s5: "An 'encoded-word' MUST NOT appear within a 'quoted-string'", so there it is none
        text = "".join([
            _PAIR.sub(r"\1", each[1]) if each[1] is not None else _decode_atoms(each[2])
            for each in _PIECES.finditer(phrase)
        ])  # fmt: skip
    return show_octets(text)


def _decode_atoms(text: str) -> str:
    return decode_words(text) if "=?" in text else text


def encode_phrase(text: str, *, utf8: bool = False) -> str:
    """The phrase that says ``text``: atoms, a quoted string, or encoded-words, whichever will do; nothing for nothing.

    With ``utf8`` what is beyond ASCII stays as it is (RFC 6532 s3.2).
    """
    if not text or ((utf8 or text.isascii()) and "=?" not in text and _ATOMS.fullmatch(text)):
        return text
    if (utf8 or text.isascii()) and len(text) <= _QUOTED_LIMIT:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return encode_words(text)


def check_display(text: str) -> str:
    """``text``, if it may be shown as a name. Raises ParseError for controls and for what is no text."""
    bad = _CONTROL.search(text)
    if bad:
        raise ParseError("character not allowed in a display name", bad.start(), "RFC 5322 s3.2.5", text)
    return str.__str__(text)
