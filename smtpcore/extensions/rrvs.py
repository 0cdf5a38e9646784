"""RRVS (RFC 7293): a message for who had the mailbox at some time, and for nobody who got it later.

``Rcpt(bob, RRVS(ValidSince(Timestamp("2014-04-03T23:01:00Z"))))`` asks that the message be delivered only if the
mailbox has been in the same hands ever since; a new owner is not to read what was meant for the old one. A server
refuses the recipient with 550 5.7.17 where the mailbox has changed hands, and 5.7.18 where the domain has.

Where the next server on the way does not offer it, ``IfUnsupported`` says what to do.

Since when somebody owns a mailbox is known to the application alone, so this is not offered unless it is among the
capabilities.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, final

from ..errors import ParseError
from ..wire.parameter import ParameterType
from ..wire.value import Value, assign
from .extension import Extension
from .timestamp import Timestamp

__all__ = ["RRVS", "IfUnsupported", "ValidSince"]


@final
class IfUnsupported(Enum):
    """What becomes of a message that comes to a server without RRVS (RFC 7293 s3.1)."""

    CONTINUE = "C"  #: It goes on without.
    REJECT = "R"  #: It is returned.


@final
class ValidSince(Value):
    """Since when a mailbox must have been in the same hands (RFC 7293 s3.1).

    Raises ParseError for a time with a fraction of a second.
    """

    __slots__ = ("if_unsupported", "since")
    __match_args__ = ("since", "if_unsupported")

    since: Timestamp
    if_unsupported: IfUnsupported | None  #: What to do where the next server has no RRVS; None: not said.

    def __init__(self, since: Timestamp, if_unsupported: IfUnsupported | None = None) -> None:
        if type(since) is not Timestamp:
            raise TypeError(f"since must be a Timestamp, not {type(since).__name__}")
        if if_unsupported is not None and type(if_unsupported) is not IfUnsupported:
            raise TypeError(f"if_unsupported must be an IfUnsupported or None, not {type(if_unsupported).__name__}")
        # RFC 7293 s3.1: "with the added restriction that a 'time-secfrac' MUST NOT be used"
        if "." in since.text:
            raise ParseError("a time with a fraction of a second", since.text.index("."), "RFC 7293 s3.1", since.text)
        assign(self, "since", since)
        assign(self, "if_unsupported", if_unsupported)

    @classmethod
    def parse(cls, text: str) -> ValidSince:
        """Read ``date-time [";" ("C" / "R")]``. Raises ParseError."""
        since, semicolon, letter = text.partition(";")
        when = Timestamp(since)
        if not semicolon:
            return cls(when)
        found = _LETTERS.get(letter)
        if found is None:
            raise ParseError("expected C or R behind the semicolon", len(since) + 1, "RFC 7293 s3.1", text)
        return cls(when, found)

    def __str__(self) -> str:
        return str(self.since) if self.if_unsupported is None else f"{self.since};{self.if_unsupported.value}"


_LETTERS: Final = {
    "C": IfUnsupported.CONTINUE,
    "c": IfUnsupported.CONTINUE,
    "R": IfUnsupported.REJECT,
    "r": IfUnsupported.REJECT,
}

#: ``RRVS=date-time`` on RCPT: since when the mailbox must have had its owner.
RRVS: Final[Extension[ValidSince]] = Extension(
    "RRVS", "RFC 7293", rcpt_parameters=[ParameterType("RRVS", ValidSince.parse, str, kind=ValidSince)]
)
