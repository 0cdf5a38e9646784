"""LIMITS (RFC 9422): the server says how many messages, recipients and domains it takes in a session."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, final

from ..errors import ParseError
from ..wire.parameter import ParameterType
from ..wire.value import Value, assign, exact
from .extension import Extension

__all__ = ["LIMITS", "NO_LIMITS", "Limits"]

# RFC 9422 s3
#   limits-param     = limit-name-value 0*[SP limit-name-value]
#   limit-name-value = limit-name ["=" limit-value]
#   limit-name       = 1*(ALPHA / DIGIT / "-" / "_")
#   limit-value      = 1*(%x21-3A / %x3C-7E)  ; any VCHAR except ";"
_LIMIT: Final = re.compile(r"([A-Za-z0-9_\-]++)(?:=([!-:<-~]++))?+")
# RFC 9422 s4.1, s4.2, s4.3: six digits at most, and 0 is not allowed
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,5}+")
_MOST: Final = 999_999
_KNOWN: Final = ("MAILMAX", "RCPTMAX", "RCPTDOMAINMAX")


@final
class Limits(Value):
    """What a server takes in one session: ``Limits(mailmax=100, rcptmax=1000)``. None is no limit.

    Raises ParseError for a number outside 1 to 999,999, and for one of ``others`` that is no limit
    or is one of the three that have a field.
    """

    __slots__ = ("mailmax", "others", "rcptdomainmax", "rcptmax")
    __match_args__ = ("mailmax", "rcptmax", "rcptdomainmax", "others")

    mailmax: int | None  #: MAIL commands in a session, whatever becomes of them (RFC 9422 s4.1).
    rcptmax: int | None  #: RCPT commands in a transaction (RFC 9422 s4.2).
    rcptdomainmax: int | None  #: Different domains of recipients in a session (RFC 9422 s4.3).
    others: tuple[str, ...]  #: Limits that are not known here, as ``NAME`` or ``NAME=value``.

    def __init__(
        self,
        mailmax: int | None = None,
        rcptmax: int | None = None,
        rcptdomainmax: int | None = None,
        others: Iterable[str] = (),
    ) -> None:
        for name, number in zip(_KNOWN, (mailmax, rcptmax, rcptdomainmax)):
            if number is None:
                continue
            if type(number) is not int:
                raise TypeError(f"{name} is an int, not {type(number).__name__}")
            if not 1 <= number <= _MOST:
                raise ParseError(f"{name} outside 1 to 999999", 0, "RFC 9422 s4", str(number)[:100])
        held = tuple([exact(other) for other in others])
        for other in held:
            found = _LIMIT.fullmatch(other)
            if not found or found[1].upper() in _KNOWN:
                raise ParseError("not the name and value of another limit", 0, "RFC 9422 s3", other)
        assign(self, "mailmax", mailmax)
        assign(self, "rcptmax", rcptmax)
        assign(self, "rcptdomainmax", rcptdomainmax)
        assign(self, "others", held)

    @classmethod
    def parse(cls, text: str) -> Limits:
        """Read what stands behind LIMITS. What is malformed is left out; of a limit given twice the smaller counts."""
        # RFC 9422 s3.7: a limit that cannot be understood is ignored, and not the others with it
        known: dict[str, int] = {}
        others: list[str] = []
        for part in text.split(" "):
            found = _LIMIT.fullmatch(part)
            if not found:
                continue
            name = found[1].upper()
            if name not in _KNOWN:
                others.append(part)
            elif found[2] and _NUMBER.fullmatch(found[2]):
                known[name] = min(int(found[2]), known.get(name, _MOST))
        return cls(known.get("MAILMAX"), known.get("RCPTMAX"), known.get("RCPTDOMAINMAX"), others)

    def __str__(self) -> str:
        numbers = zip(_KNOWN, (self.mailmax, self.rcptmax, self.rcptdomainmax))
        return " ".join([*[f"{name}={number}" for name, number in numbers if number is not None], *self.others])


#: Nothing that is announced.
NO_LIMITS: Final = Limits()
_ARGUMENT: Final = ParameterType("LIMITS", Limits.parse)

#: How much the server takes in one session; ``LIMITS.offer(Limits(rcptmax=1000))`` announces it.
LIMITS: Final[Extension[Limits]] = Extension("LIMITS", "RFC 9422", argument=_ARGUMENT)
