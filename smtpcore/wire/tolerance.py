"""How strictly a peer's octets are read, and what is said about each liberty taken.

There are three names and no others. What a level lets through is decided where the rule is
applied, by :meth:`Tolerance.permit`, so the rule, its RFC section and its leniency stand on one
line.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, final

from ..errors import ParseError
from .value import Value, assign

__all__ = ["INTEROP", "LAX", "STRICT", "Defect", "Strictness", "Tolerance"]


@final
class Strictness(Enum):
    """How much deviation from the RFCs is let through."""

    STRICT = 0  #: Every MUST and SHOULD.
    INTEROP = 1  #: What the big servers accept, never at the cost of framing. The default.
    LAX = 2  #: For test benches: whatever can still be understood in one way only.


STRICT: Final = Strictness.STRICT
INTEROP: Final = Strictness.INTEROP
LAX: Final = Strictness.LAX


@final
class Defect(Value):
    """A deviation from an RFC that was let through."""

    __slots__ = ("rule", "where", "why")
    __match_args__ = ("rule", "why", "where")

    rule: str  #: The RFC and section that say otherwise, such as ``RFC 5321 s4.1.2``.
    why: str  #: What is wrong, in a few words.
    where: int  #: The offset in the line or content, in octets or characters.

    def __init__(self, rule: str, why: str, where: int = 0) -> None:
        assign(self, "rule", rule)
        assign(self, "why", why)
        assign(self, "where", where)

    def __str__(self) -> str:
        return f"{self.why} at offset {self.where} ({self.rule})"


@final
class Tolerance:
    """A level of strictness and the defects let through so far; parsers pass it along.

    ``Tolerance(STRICT)`` raises at the first deviation; a parser that is given none gets that.
    """

    __slots__ = ("defects", "level")

    def __init__(self, level: Strictness = STRICT) -> None:
        self.level = level
        self.defects: list[Defect] = []

    def permit(self, least: Strictness, why: str, where: int, rule: str, text: str = "") -> None:
        """Note a deviation that ``least`` and laxer levels let through; at stricter ones, raise ParseError."""
        if self.level.value < least.value:
            raise ParseError(why, where, rule, text)
        self.defects.append(Defect(rule, why, where))

    def take(self) -> list[Defect]:
        """The defects so far, in order; the list starts anew."""
        defects, self.defects = self.defects, []
        return defects
