"""The tokens of RFC 5321, 5322 and 6531 as patterns, each with its ABNF above it.

Patterns are ``str`` over one decoded line, and name every character they accept; no class
depends on Unicode tables. Repetition is possessive (``++``, ``*+``), so no input makes a match
take more than linear time. Each is matched at a position or as a whole, never searched.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

__all__ = [
    "ADDRESS_LITERAL",
    "ATEXT",
    "DOMAIN",
    "DOMAIN_LAX",
    "DOT_STRING",
    "FORBIDDEN",
    "FROM_PATH",
    "KEYWORD",
    "NO_OCTETS",
    "PARAMETER",
    "PLAIN_MAILBOX",
    "PRINTABLE",
    "QUOTED_STRING",
    "TO_PATH",
    "VALUE",
    "find_forbidden",
]

# What octets beyond ASCII are read as: characters, and U+DC80 to U+DCFF for an octet that is no
# UTF-8. Every other surrogate stands for no octets, and cannot be written.
NO_OCTETS: Final = r"\ud800-\udc7f\udd00-\udfff"

# RFC 5322 s3.2.3
#   atext = ALPHA / DIGIT / "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "/" /
#           "=" / "?" / "^" / "_" / "`" / "{" / "|" / "}" / "~"
ATEXT: Final = r"A-Za-z0-9!#$%&'*+\-/=?^_`{|}~"

# RFC 6531 s3.3
#   atext =/ UTF8-non-ascii
# Everything beyond ASCII but what no reader could tell apart or see: see FORBIDDEN.
# A class that reaches beyond ASCII is written by what it leaves out of ASCII: that compiles a hundred times faster.
_NOT_ATEXT: Final = r"\x00- \"(),.:;<>@\[\\\]\x7f"

# Characters that have no place in an address: C1 controls, soft hyphen, format characters
# (zero width, bidirectional controls), line and paragraph separators, noncharacters, and the
# surrogates by which octets that are not UTF-8 stand here.
FORBIDDEN: Final = (
    r"\x80-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u08e2\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u3164\ud800-\udfff\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    r"\U000e0000-\U000e0fff"
)

# RFC 5321 s4.1.2
#   Dot-string = Atom *("."  Atom)
#   Atom       = 1*atext
DOT_STRING: Final = re.compile(f"[^{_NOT_ATEXT}]++(?:\\.[^{_NOT_ATEXT}]++)*+")

# RFC 5321 s4.1.2
#   Quoted-string  = DQUOTE *QcontentSMTP DQUOTE
#   QcontentSMTP   = qtextSMTP / quoted-pairSMTP
#   quoted-pairSMTP = %d92 %d32-126
#   qtextSMTP      = %d32-33 / %d35-91 / %d93-126
# RFC 6531 s3.3
#   qtextSMTP      =/ UTF8-non-ascii
QUOTED_STRING: Final = re.compile(r'"((?:[^\x00-\x1f"\\\x7f]++|\\[ -~])*+)"')

# RFC 5321 s4.1.2
#   Domain     = sub-domain *("." sub-domain)
#   sub-domain = Let-dig [Ldh-str]
#   Let-dig    = ALPHA / DIGIT
#   Ldh-str    = *( ALPHA / DIGIT / "-" ) Let-dig
# RFC 6531 s3.3
#   sub-domain =/ U-label
_LABEL = r"[^\x00-/:-@\[-`{-\x7f]++(?:-++[^\x00-/:-@\[-`{-\x7f]++)*+"
DOMAIN: Final = re.compile(f"{_LABEL}(?:\\.{_LABEL})*+")

# What hosts call themselves in spite of that: underscores, hyphens anywhere, a final dot.
DOMAIN_LAX: Final = re.compile(r"[^\x00-,./:-@\[-^`{-\x7f]++(?:\.[^\x00-,./:-@\[-^`{-\x7f]++)*+\.?")

# RFC 5321 s4.1.3
#   address-literal = "[" ( IPv4-address-literal / IPv6-address-literal / General-address-literal ) "]"
#   dcontent        = %d33-90 / %d94-126
ADDRESS_LITERAL: Final = re.compile(r"\[([!-Z^-~]++)\]")

# The mailbox that nearly every MAIL and RCPT carries, in one step: ASCII, no quotes.
_ASCII_LABEL = r"[A-Za-z0-9]++(?:-++[A-Za-z0-9]++)*+"
PLAIN_MAILBOX: Final = re.compile(
    f"[{ATEXT}]++(?:\\.[{ATEXT}]++)*+@{_ASCII_LABEL}(?:\\.{_ASCII_LABEL})*+",
)
# RFC 5321 s4.1.1.2, s4.1.1.3: the same between angle brackets, without a source route
FROM_PATH: Final = re.compile(f"[Ff][Rr][Oo][Mm]:<({PLAIN_MAILBOX.pattern})>")
TO_PATH: Final = re.compile(f"[Tt][Oo]:<({PLAIN_MAILBOX.pattern})>")

# RFC 5321 s4.1.2
#   esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
KEYWORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-]*+")

# RFC 5321 s4.1.2
#   esmtp-param = esmtp-keyword ["=" esmtp-value]
#   esmtp-value = 1*(%d33-60 / %d62-126)
# RFC 6531 s3.3
#   esmtp-value =/ UTF8-non-ascii
VALUE: Final = re.compile(r"[^\x00- =\x7f]++")
PARAMETER: Final = re.compile(f"({KEYWORD.pattern})(?:=({VALUE.pattern}))?")

# RFC 5321 s4.2, for the text of replies, and for that of VRFY, EXPN, HELP and NOOP
#   textstring = 1*(%d09 / %d32-126)
PRINTABLE: Final = re.compile(f"[^\\x00-\\x08\\x0a-\\x1f\\x7f{NO_OCTETS}]*+")


@cache
def _forbidden() -> re.Pattern[str]:
    return re.compile(f"[{FORBIDDEN}]")  # slow to compile, and ASCII mail never needs it


def find_forbidden(text: str) -> int:
    """The offset of the first character that may not stand in an address, or -1."""
    if text.isascii():
        return -1
    found = _forbidden().search(text)
    return found.start() if found else -1
