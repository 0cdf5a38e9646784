"""xtext (RFC 3461 s4): how any text travels within the value of a parameter."""

from __future__ import annotations

import re
from typing import Final

from ..errors import ParseError

__all__ = ["decode_xtext", "encode_xtext"]

# RFC 3461 s4
#   xtext = *( xchar / hexchar )
#   xchar = any ASCII CHAR between "!" (33) and "~" (126) inclusive, except for "+" and "="
#   hexchar = ASCII "+" immediately followed by two upper case hexadecimal digits
_XTEXT: Final = re.compile(r"(?:[!-*,-<>-~]++|\+[0-9A-F]{2})*+")
_NOT_XCHAR: Final = re.compile(r"[^!-*,-<>-~]")
_XCHARS: Final = re.compile(r"[!-*,-<>-~]*+")


def encode_xtext(text: str) -> str:
    """Text as xtext (RFC 3461 s4); characters beyond ASCII go as UTF-8 octets.

    Raises ParseError for control characters (what carries them into an envelope means harm) and
    for lone surrogates.
    """
    if _XCHARS.fullmatch(text):
        return text
    _refuse_controls(text)
    return _NOT_XCHAR.sub(lambda found: "".join([f"+{octet:02X}" for octet in found[0].encode()]), text)


def decode_xtext(text: str) -> str:
    """The text that xtext stands for. Raises ParseError."""
    if not _XTEXT.fullmatch(text):
        raise ParseError("not xtext", 0, "RFC 3461 s4", text)
    if "+" not in text:
        return text  # xchars stand for themselves
    octets = re.sub(rb"\+([0-9A-F]{2})", lambda found: bytes.fromhex(found[1].decode()), text.encode())
    try:
        decoded = octets.decode()
    except UnicodeDecodeError as error:
        raise ParseError("not UTF-8 within xtext", error.start, "RFC 6533 s3", text) from None
    _refuse_controls(decoded)
    return decoded


# Surrogates stand for no character, and so for no octets.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def _refuse_controls(text: str) -> None:
    found = _CONTROL.search(text)
    if found:
        raise ParseError("control character within xtext", found.start(), "RFC 3461 s4", text)
