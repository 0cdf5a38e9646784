"""What GS2 mechanisms begin with (RFC 5801 s4, RFC 5802 s7): the flag of channel binding, and who to act as."""

from __future__ import annotations

import re
from typing import Final

from ..errors import ParseError
from .text import decode_name, encode_text

__all__ = ["HEADER", "decode_saslname", "encode_saslname"]

# RFC 5801 s4
#   gs2-cb-flag = ("p=" cb-name) / "n" / "y"
#   gs2-header = gs2-cb-flag "," [gs2-authzid] "," ; gs2-authzid = "a=" saslname
#: The flag, the type of binding, the authzid, and what follows.
HEADER: Final = re.compile(rb"(n|y|p=([A-Za-z0-9.\-]++)),(?:a=([^,\x00]++))?,([^\x00]*+)", re.DOTALL)
_STRAY_EQUALS: Final = re.compile(rb"=(?!2C|3D)")


def encode_saslname(text: str, what: str, rule: str) -> bytes:
    """A name, with ``=`` and ``,`` as ``=3D`` and ``=2C``. Raises ParseError for one that cannot be sent."""
    octets = encode_text(text, what, rule)
    decode_name(octets, rule)  # without control characters, and no longer than a server takes
    return octets.replace(b"=", b"=3D").replace(b",", b"=2C")


def decode_saslname(octets: bytes, rule: str) -> str:
    """The opposite. Raises ParseError, without showing it, for what is no name."""
    if _STRAY_EQUALS.search(octets):
        raise ParseError("= in a name stands for itself", 0, rule)
    return decode_name(octets.replace(b"=2C", b",").replace(b"=3D", b"="), rule)
