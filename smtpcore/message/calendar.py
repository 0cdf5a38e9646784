"""What the calendar of mail is made of: months, days of the week, zones, and which dates there are (RFC 5322 s3.3)."""

from __future__ import annotations

from datetime import date
from typing import Final

__all__ = [
    "DAYS",
    "MONTHS",
    "MONTH_NUMBERS",
    "NAMED_ZONES",
    "OBSOLETE_FORM",
    "SHORT_YEAR",
    "WRONG_DAY",
    "find_wrong",
    "full_year",
]

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTH_NUMBERS: Final = {name: number for number, name in enumerate(MONTHS, 1)}
DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
#: RFC 5322 s3.3: "the day-of-week (if included) MUST be the day implied by the date".
WRONG_DAY: Final = "not the day of the week of that date"
OBSOLETE_FORM: Final = "obsolete form of a date"
SHORT_YEAR: Final = "year of two or three digits"
# RFC 5322 s4.3: zones that had a meaning. Every other name, and the letters of the military, which were given wrong in
# RFC 822, "SHOULD be considered equivalent to -0000".
NAMED_ZONES: Final = {
    "UT": "+0000", "GMT": "+0000", "EST": "-0500", "EDT": "-0400", "CST": "-0600", "CDT": "-0500", "MST": "-0700",
    "MDT": "-0600", "PST": "-0800", "PDT": "-0700",
}  # fmt: skip

#: Minutes that a zone is away from UTC at most; RFC 5322 s3.3: "The zone ... in the range -9959 through +9959".
_FARTHEST: Final = 99 * 60 + 59


def full_year(digits: str) -> int:
    """The year that is written in these digits."""
    year = int(digits)
    if len(digits) > 3:
        return year
    # RFC 5322 s4.3: 00 to 49 are of this century, 50 to 99 and all of three digits are counted from 1900
    return year + (2000 if len(digits) == 2 and year < 50 else 1900)


def find_wrong(year: int, month: int, day: int, hour: int, minute: int, second: int, offset: int) -> str:
    """What is wrong with a date, or nothing."""
    # RFC 5322 s3.3: "the ... year is ... 1900 or later"
    if not 1900 <= year <= 9999:
        return "year before 1900 or after 9999"
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        return "not a day"
    if day > 28:
        try:
            date(year, month, day)
        except ValueError:
            return "not a day of that month"
    if not (0 <= hour <= 23 and 0 <= minute <= 59 and 0 <= second <= 60):
        return "not a time of day"
    if abs(offset) > _FARTHEST:
        return "not a zone"
    return ""
