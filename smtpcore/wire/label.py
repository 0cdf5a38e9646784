"""U-labels: which non-ASCII labels may stand in a domain (RFC 5890, 5892; RFC 6531 s3.3).

A label is judged as it stands and never mapped to another: normalising an address turns one
host into a different one (``exa\\u00admple.com`` is not ``example.com``). Only Python's own
Unicode tables are needed, and only when such a label comes by.
"""

from __future__ import annotations

from typing import Final

__all__ = ["find_bad_label"]

# RFC 5892 s2.6: valid although the general rules say otherwise.
_VALID: Final = frozenset("\u00df\u03c2\u06fd\u06fe\u0f0b\u3007")
# RFC 5892 s2.1
_LETTER_DIGITS: Final = frozenset(("Ll", "Lu", "Lo", "Nd", "Lm", "Mn", "Mc"))


def find_bad_label(domain: str) -> int:
    """The offset of the first label with a character that RFC 5892 does not allow, or -1.

    Contextual rules (RFC 5892 appendix A) are not applied: what they would allow is refused.
    """
    pos = 0
    for label in domain.split("."):
        if not label.isascii() and not _is_u_label(label):
            return pos
        pos += len(label) + 1
    return -1


def _is_u_label(label: str) -> bool:
    import unicodedata  # noqa: PLC0415 - a megabyte of tables that ASCII mail never needs

    # RFC 5891 s4.2.1, s4.2.3.2: normalised, and not beginning with a combining mark
    if unicodedata.normalize("NFC", label) != label or unicodedata.category(label[0])[0] == "M":
        return False
    for char in label:
        if char.isascii() or char in _VALID:
            continue
        if unicodedata.category(char) not in _LETTER_DIGITS:
            return False
        # RFC 5892 s2.2: unstable under compatibility normalisation and case folding
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", char).casefold())
        if folded != char:
            return False
    return True
