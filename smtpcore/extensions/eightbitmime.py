"""8BITMIME (RFC 6152) and BINARYMIME (RFC 3030): what octets the content is made of, announced by BODY."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, final

from ..errors import ParseError
from ..wire.command import Data
from ..wire.parameter import ParameterType
from ..wire.reply import Reply
from .extension import Extension, SessionView

__all__ = ["BINARYMIME", "BODY", "EIGHTBITMIME", "Body"]


@final
class Body(Enum):
    """What octets the content is made of."""

    SEVENBIT = "7BIT"
    EIGHTBITMIME = "8BITMIME"
    BINARYMIME = "BINARYMIME"  #: Any octets at all; CR and LF need not make lines (RFC 3030 s3).


_BODIES: Final = {body.value: body for body in Body}


def _decode(text: str) -> Body:
    # In upper case a dotless i is an I.
    found = _BODIES.get(text.upper()) if text.isascii() else None
    if found is None:
        raise ParseError("expected 7BIT, 8BITMIME or BINARYMIME", 0, "RFC 6152 s3", text)
    return found


#: ``BODY=7BIT``, ``BODY=8BITMIME`` or ``BODY=BINARYMIME`` on MAIL.
BODY: Final = ParameterType("BODY", _decode, lambda body: body.value, kind=Body, plain="|".join(_BODIES), usual=Body)

#: Content may hold octets beyond ASCII.
EIGHTBITMIME: Final[Extension[Any]] = Extension(
    "8BITMIME", "RFC 6152", mail_parameters=[BODY], covers=lambda body: body.value is not Body.BINARYMIME
)


def _check_data(session: SessionView, command: Data) -> Reply | None:
    """Refused behind BODY=BINARYMIME, which needs BDAT (RFC 3030 s3)."""
    mail = session.mail
    if mail is not None and mail.parameters.get(BODY) is Body.BINARYMIME:
        return Reply(503, "BODY=BINARYMIME needs BDAT", "5.5.1")  # RFC 3030 s3
    return None


#: Content may hold any octets, in chunks: not announced without CHUNKING (RFC 3030 s3).
BINARYMIME: Final[Extension[Any]] = Extension(
    "BINARYMIME",
    "RFC 3030",
    mail_parameters=[BODY],
    checks={Data: _check_data},
    announced=lambda session: "CHUNKING" in session.capabilities,
)
