"""Names of hosts, as DNS has them, and the patterns that policies and certificates have in their place."""

from __future__ import annotations

import re
from typing import Final

from ..errors import ParseError

__all__ = ["host_name", "matches", "mx_pattern"]

# RFC 1035 s2.3.1, with the underscore that names of hosts in DNS have at times. U-labels are for people (RFC 5890):
# DNS, policies and certificates have A-labels.
_HOST: Final = re.compile(
    r"[0-9A-Za-z_](?:[0-9A-Za-z_\-]{0,61}[0-9A-Za-z_])?+(?:\.[0-9A-Za-z_](?:[0-9A-Za-z_\-]{0,61}[0-9A-Za-z_])?+)*+"
)
# RFC 5321 s4.1.2
#   Domain     = sub-domain *("." sub-domain)
#   sub-domain = Let-dig [Ldh-str]
_DOMAIN: Final = re.compile(
    r"[0-9A-Za-z](?:[0-9A-Za-z\-]{0,61}[0-9A-Za-z])?+(?:\.[0-9A-Za-z](?:[0-9A-Za-z\-]{0,61}[0-9A-Za-z])?+)*+"
)
#: RFC 1035 s2.3.4: 255 octets on the wire are 253 characters.
NAME_LIMIT: Final = 253


def host_name(text: str) -> str:
    """A name from DNS as it is compared: in lower case, without the dot at its end.

    Raises ParseError for what is no name of a host in A-labels, an address above all.
    """
    name = text[:-1] if text.endswith(".") else text
    if len(name) > NAME_LIMIT or not _HOST.fullmatch(name) or not name.strip("0123456789."):
        raise ParseError("not the name of a host, in A-labels", 0, "RFC 1035 s2.3.1", text)
    return name.lower()


def mx_pattern(text: str) -> str:
    """``["*."] Domain`` (RFC 8461 s3.2), in lower case. Raises ParseError."""
    name = text.removeprefix("*.")
    if len(name) > NAME_LIMIT or not _DOMAIN.fullmatch(name):
        raise ParseError("not a name of a host, nor *. before one", 0, "RFC 8461 s3.2", text)
    return text.lower()


def matches(pattern: str, host: str) -> bool:
    """Whether a name in lower case is meant by a pattern in lower case.

    RFC 8461 s4.1: the wildcard is all of the left-most label and stands for exactly one; the rest is compared as it is,
    without regard to ASCII case (RFC 6125 s6.4.1).
    """
    if pattern.startswith("*."):
        label, dot, rest = host.partition(".")
        return bool(label) and bool(dot) and rest == pattern[2:]
    return host == pattern
