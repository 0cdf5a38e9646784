"""8BITMIME (RFC 6152): content with octets beyond ASCII, announced by BODY=8BITMIME."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, final

from ..errors import ParseError
from ..wire.parameters import ParameterType
from .extension import Extension

__all__ = ["BODY", "EIGHTBITMIME", "Body"]


@final
class Body(Enum):
    """What octets the content is made of."""

    SEVENBIT = "7BIT"
    EIGHTBITMIME = "8BITMIME"


_BODIES: Final = {body.value: body for body in Body}


def _decode(text: str) -> Body:
    # In upper case a dotless i is an I.
    found = _BODIES.get(text.upper()) if text.isascii() else None
    if found is None:
        raise ParseError("expected 7BIT or 8BITMIME", 0, "RFC 6152 s3", text)
    return found


#: ``BODY=7BIT`` or ``BODY=8BITMIME`` on MAIL.
BODY: Final = ParameterType("BODY", _decode, lambda body: body.value)

#: Content may hold octets beyond ASCII.
EIGHTBITMIME: Final[Extension[Any]] = Extension("8BITMIME", "RFC 6152", mail_parameters=[BODY])
