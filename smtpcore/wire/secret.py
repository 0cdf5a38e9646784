"""Secret: octets that do not show, and the scrubbing of texts that repeat them."""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Iterable
from typing import Final, NoReturn, final

__all__ = ["Secret", "scrub"]

_HIDDEN: Final = "[secret]"


@final
class Secret:
    """Octets that only :meth:`reveal` shows: not repr, str, format, vars or pickle."""

    __slots__ = ("_octets",)

    def __init__(self, octets: bytes) -> None:
        self._octets = bytes(octets)

    def reveal(self) -> bytes:
        """The octets."""
        return self._octets

    def __repr__(self) -> str:
        return _HIDDEN

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._octets == other._octets

    def __hash__(self) -> int:
        return hash((Secret, self._octets))

    def __len__(self) -> int:
        return len(self._octets)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled")


# What a server may have cut out of a base64 text or a password when it repeats it.
_WORD: Final = re.compile(r"[!-~]{4,}")


def scrub(text: str, secrets: Iterable[Secret]) -> str:
    """``text`` without the secrets, their base64 forms, or pieces of four and more characters of these."""
    forms: set[str] = set()
    for secret in secrets:
        octets = secret.reveal()
        # PLAIN joins identity and password by NUL (RFC 4616); either alone counts.
        for piece in {octets, *octets.split(b"\0")}:
            if piece:
                forms.add(piece.decode("utf-8", "surrogateescape"))
                forms.add(b2a_base64(piece, newline=False).decode())
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, _HIDDEN)
    return _WORD.sub(lambda found: _HIDDEN if any(found[0] in form for form in forms) else found[0], text)
