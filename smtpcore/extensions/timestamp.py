"""Timestamp: a date and time as RFC 3339 writes them, which some parameters have.

It keeps what was written, and can say which of two is earlier; what time it is now, it does not know.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, final

from ..errors import ParseError
from ..wire.value import Value, assign, exact

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Timestamp"]

# RFC 3339 s5.6
#   date-time   = full-date "T" full-time
#   full-date   = 4DIGIT "-" 2DIGIT "-" 2DIGIT
#   full-time   = 2DIGIT ":" 2DIGIT ":" 2DIGIT ["." 1*DIGIT] time-offset
#   time-offset = "Z" / ("+" / "-") 2DIGIT ":" 2DIGIT
# "T" and "Z" may be in lower case; more digits of a second than nine are of no use to anybody.
_DATE_TIME: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(?:[Zz]|([+\-])([0-9]{2}):([0-9]{2}))"
)
_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@final
class Timestamp(Value):
    """A date and time such as ``2014-04-03T23:01:00Z`` (RFC 3339 s5.6).

    Two are equal when they are written alike, in whatever case; ``seconds`` says which moment it is. Raises ParseError
    for what is not of that form, and for a date or a time that there is not.
    """

    __slots__ = ("seconds", "text")
    __match_args__ = ("text",)

    text: str  #: As it is written, with its letters in upper case.
    seconds: float  #: Seconds since the beginning of 1970 in UTC, without leap seconds, to the microsecond.

    def __init__(self, text: str) -> None:
        text = exact(text)
        found = _DATE_TIME.fullmatch(text)
        if not found:
            raise ParseError("expected a date and time, as 2014-04-03T23:01:00Z", 0, "RFC 3339 s5.6", text)
        year, month, day, hour, minute, second = map(int, found.groups()[:6])
        fraction, sign, hours, minutes = found.groups()[6:]
        offset = (int(hours) * 60 + int(minutes)) * (-1 if sign == "-" else 1) if sign else 0
        _check(year, month, day, hour, minute, second, text)
        if sign and (int(hours) > 23 or int(minutes) > 59):
            raise ParseError("no such offset from UTC", found.start(8), "RFC 3339 s5.6", text)
        whole = _day_number(year, month, day) * 86_400 + (hour * 60 + minute - offset) * 60 + second
        assign(self, "text", text.upper())
        assign(self, "seconds", whole + round(int(fraction.ljust(9, "0")) / 1e9, 6) if fraction else float(whole))

    @classmethod
    def of(cls, when: datetime) -> Timestamp:
        """The same moment as an object of the standard library; in UTC, in whole seconds. Raises ValueError for one
        without an offset, which could be any moment.
        """
        offset = when.utcoffset()
        if offset is None:
            raise ValueError("a datetime without tzinfo is no moment; give it one, such as UTC")
        there = when.replace(tzinfo=None, microsecond=0) - offset
        return cls(f"{there.isoformat()}Z")

    def to_datetime(self) -> datetime:
        """The same moment as an object of the standard library, in UTC. A leap second is the second behind it.

        Raises OverflowError before the year 1 and behind the year 9999.
        """
        from datetime import UTC, datetime, timedelta  # noqa: PLC0415 - who asks for one, has it already

        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def __str__(self) -> str:
        return self.text


def _check(year: int, month: int, day: int, hour: int, minute: int, second: int, text: str) -> None:
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= month <= 12 or not 1 <= day <= _DAYS[month - 1] + leap:
        raise ParseError("no such date", 0, "RFC 3339 s5.7", text)
    # RFC 3339 s5.7: 60 is a leap second
    if hour > 23 or minute > 59 or second > 60:
        raise ParseError("no such time", 11, "RFC 3339 s5.7", text)


def _day_number(year: int, month: int, day: int) -> int:
    """Days since the first of January 1970, by the calendar of today."""
    # Counted from March, so that the leap day is the last of its year
    year, month = (year, month - 3) if month > 2 else (year - 1, month + 9)
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 + day - 719_469
