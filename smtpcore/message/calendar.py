"""What the calendar of mail is made of: months, days of the week, and which dates there are (RFC 5322 s3.3)."""

from __future__ import annotations

from datetime import date
from typing import Final

__all__ = ["DAYS", "MONTHS", "MONTH_NUMBERS", "WRONG_DAY", "find_wrong"]

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
MONTH_NUMBERS: Final = {name: number for number, name in enumerate(MONTHS, 1)}
DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
#: RFC 5322 s3.3: "the day-of-week (if included) MUST be the day implied by the date".
WRONG_DAY: Final = "not the day of the week of that date"

#: Minutes that a zone is away from UTC at most; RFC 5322 s3.3: "The zone ... in the range -9959 through +9959".
_FARTHEST: Final = 99 * 60 + 59


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
