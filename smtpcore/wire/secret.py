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


# A challenge of SASL is one such word. It is no echo of what was sent, even where they have octets in common.
_BASE64: Final = re.compile(r"[A-Za-z0-9+/=]++")
_PIECE: Final = 4
_KEY: Final = re.compile(rb"auth=Bearer |user=")


def scrub(text: str, secrets: Iterable[Secret]) -> str:
    """``text`` without the secrets, their base64 forms, or pieces of four and more characters of these."""
    forms: set[str] = set()
    for secret in secrets:
        octets = secret.reveal()
        # PLAIN joins identity and password by NUL (RFC 4616), and with a token keys and values stand between ^A
        # (RFC 7628 s3.1); each alone counts, and the keys, which are words of any text, do not.
        values = [value for value in octets.split(b"\1") if _KEY.match(value)] if b"\1" in octets else []
        for piece in {octets, *octets.split(b"\0"), *[_KEY.sub(b"", value) for value in values]}:
            if piece:
                if not values or b"\1" not in piece:
                    forms.add(piece.decode("utf-8", "surrogateescape"))
                forms.add(b2a_base64(piece, newline=False).decode())
    if _BASE64.fullmatch(text) and not any(form in text for form in forms):
        return _HIDDEN if len(text) >= _PIECE and any(text in form for form in forms) else text
    # A server may repeat a part only: cut at its end, or behind punctuation.
    pieces = {form[i : i + _PIECE] for form in forms for i in range(max(1, len(form) - _PIECE + 1))}
    marks = bytearray(len(text))
    for length in {len(piece) for piece in pieces}:
        for pos in range(len(text) - length + 1):
            if text[pos : pos + length] in pieces:
                marks[pos : pos + length] = b"\1" * length
    shown: list[str] = []
    last = 0
    for found in _MARKED.finditer(marks):
        shown += (text[last : found.start()], _HIDDEN)
        last = found.end()
    return "".join([*shown, text[last:]]) if last else text


_MARKED: Final = re.compile(b"\1++")
