"""Names and passwords: which octets they may be made of."""

from __future__ import annotations

import re
from typing import Final

from ..errors import ParseError

__all__ = ["LIMIT", "decode_name", "decode_utf8", "encode_text"]

#: RFC 4616 s2 has no limit; servers with one have this.
LIMIT: Final = 255
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def decode_name(octets: bytes, rule: str) -> str:
    """A name from octets. Raises ParseError, without showing them, for what is not one."""
    if len(octets) > LIMIT:
        raise ParseError(f"name longer than {LIMIT} octets", 0, rule)
    name = decode_utf8(octets)
    if name is None:
        raise ParseError("name is not UTF-8", 0, rule)
    if _CONTROL.search(name):
        raise ParseError("control character in a name", 0, rule)
    return name


def encode_text(text: str, what: str, rule: str) -> bytes:
    """Octets of a name or password of ours. Raises ParseError for what cannot be sent."""
    if not text and what != "authzid":
        raise ParseError(f"empty {what}", 0, rule)
    if "\0" in text:
        raise ParseError(f"NUL in {what}", 0, rule)
    octets = _encode_utf8(text)
    if octets is None:
        raise ParseError(f"{what} is not Unicode", 0, rule)
    return octets


# An error of a codec holds what it failed on, and whatever is raised while it is handled holds that error (law 15).


def decode_utf8(octets: bytes) -> str | None:
    """The text; None when it is not UTF-8."""
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _encode_utf8(text: str) -> bytes | None:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        return None
