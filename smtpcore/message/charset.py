"""The character sets that text in a header may be in.

A list and not the codecs of Python, of which some run state machines that nobody checked against
hostile input, some are no character sets at all (``idna``, ``unicode_escape``, ``rot13``), and one
(UTF-7) spells characters such as ``<`` in a second way.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["PLAIN_CODECS", "decode_octets", "is_known", "show_octets"]

# Names of the IANA's registry and those that are seen beside them, to Python's codecs.
_CODECS: Final = {
    "us-ascii": "ascii",
    "ascii": "ascii",
    "ansi_x3.4-1968": "ascii",
    "ansi-x3.4-1968": "ascii",
    "utf-8": "utf-8",
    "utf8": "utf-8",
    **{f"iso-8859-{part}": f"iso8859-{part}" for part in range(1, 17) if part != 12},
    "iso-8859-8-i": "iso8859-8",
    "latin1": "iso8859-1",
    "latin-1": "iso8859-1",
    "iso8859-1": "iso8859-1",
    **{f"windows-125{part}": f"cp125{part}" for part in range(9)},
    **{f"cp125{part}": f"cp125{part}" for part in range(9)},
    "windows-874": "cp874",
    "tis-620": "cp874",
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
    "macintosh": "mac-roman",
    # Of these three the last holds the others, and labels are often too small.
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "big5": "big5",
    "euc-jp": "euc-jp",
    "shift_jis": "cp932",
    "iso-2022-jp": "iso2022-jp",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
    "iso-2022-kr": "iso2022-kr",
}
# RFC 2045 s5.1, RFC 2047 s2: names of character sets have no case
#: Those of which a word is whole by itself: a name means one thing, and one piece of text needs no state.
PLAIN_CODECS: Final = {
    name: codec for name, codec in _CODECS.items() if codec[:7] != "iso2022" and codec != "iso8859-1"
}
_WINDOWS: Final = bytes(range(0x80, 0xA0))


def is_known(charset: str) -> bool:
    """Whether text in that character set can be decoded; case does not count."""
    return charset.lower() in _CODECS


def decode_octets(octets: bytes, charset: str) -> tuple[str, str]:
    """The text of ``octets``, and what is wrong with them; U+FFFD stands for what cannot be decoded. Never raises.

    ISO-8859-1 with octets from 80 to 9F, which are controls there, is read as windows-1252, which it nearly always is.
    """
    codec = _CODECS.get(charset.lower())
    if codec is None:
        return octets.decode("ascii", "replace"), "unknown character set"
    why = ""
    if codec == "iso8859-1" and octets.translate(None, _WINDOWS) != octets:
        codec, why = "cp1252", "windows-1252 that is called ISO-8859-1"
    try:
        return octets.decode(codec), why
    except UnicodeDecodeError:
        return octets.decode(codec, "replace"), "octets that the character set does not have"


# Surrogates that stand for no octet
_UNPAIRED: Final = re.compile(r"[\ud800-\udc7f\udd00-\udfff]")


def show_octets(text: str) -> str:
    """``text`` with U+FFFD for what is no UTF-8, which was read as surrogates, and for controls beyond ASCII."""
    if text.isascii() or text.isprintable():  # a surrogate is not printable
        return text
    shown = _UNPAIRED.sub("\ufffd", text).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return shown if shown.isprintable() else _CONTROL.sub("\ufffd", shown)


# RFC 5198 s2 leaves the controls of C1 out of text; U+2028 and U+2029 end lines for some programs.
_CONTROL: Final = re.compile(r"[\x80-\x9f\u2028\u2029]")
