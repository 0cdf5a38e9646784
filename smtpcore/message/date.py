"""DateTime: when something was written or passed on (RFC 5322 s3.3, s4.3)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final, final

from ..errors import ParseError
from ..wire.tolerance import LAX, Defect, Tolerance
from ..wire.value import Value, setter
from .calendar import (
    DAYS,
    MONTH_NUMBERS,
    MONTHS,
    NAMED_ZONES,
    OBSOLETE_FORM,
    SHORT_YEAR,
    WRONG_DAY,
    find_wrong,
    full_year,
)

__all__ = ["DateTime"]


@final
class DateTime(Value):
    """A day, a time of day and a zone, as they are written, the zone's own hours.

    ``offset`` is in minutes east of UTC; None is ``-0000``: the time is UTC, and the local zone is
    not told (RFC 5322 s3.3). A date that :meth:`read` found none in has the year 0 and is false.

    Raises ParseError for what is on no calendar, for a year before 1900 or after 9999, and for an
    offset of 100 hours or more.
    """

    __slots__ = ("_defects", "_second", "_stated", "_when")
    __match_args__ = ("year", "month", "day", "hour", "minute", "second", "offset")

    # The time in its own zone; without one where the second is 60, or the zone is farther from UTC than the standard
    # library has any, so that it is another one there. None for a date that is false.
    _when: datetime | None
    _second: int  # where it is another than that of _when; else missing
    _stated: int | None  # the offset, where it is not that of _when; else missing
    _defects: tuple[Defect, ...]  # missing where nothing is wrong

    def __init__(
        self, year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, offset: int | None = 0
    ) -> None:
        why = find_wrong(year, month, day, hour, minute, second, offset or 0)
        if why:
            raise ParseError(why, 0, "RFC 5322 s3.3")
        _fill(self, (year, month, day, hour, minute, second), offset)

    @property
    def year(self) -> int:
        """The year, of four digits; 0 for a date that is false."""
        return self._when.year if self._when else 0

    @property
    def month(self) -> int:
        """1 to 12."""
        return self._when.month if self._when else 0

    @property
    def day(self) -> int:
        """1 to 31."""
        return self._when.day if self._when else 0

    @property
    def hour(self) -> int:
        """0 to 23."""
        return self._when.hour if self._when else 0

    @property
    def minute(self) -> int:
        """0 to 59."""
        return self._when.minute if self._when else 0

    @property
    def second(self) -> int:
        """0 to 60: 60 is a leap second."""
        return getattr(self, "_second", self._when.second if self._when else 0)

    @property
    def offset(self) -> int | None:
        """Minutes east of UTC; None where the local zone is not told."""
        if hasattr(self, "_stated"):
            return self._stated
        away = self._when.utcoffset() if self._when else None
        return None if away is None else away.days * 1440 + away.seconds // 60

    @property
    def defects(self) -> tuple[Defect, ...]:
        """What was wrong with the text it was read from."""
        return getattr(self, "_defects", ())

    @classmethod
    def parse(cls, text: str, tolerance: Tolerance | None = None) -> DateTime:
        """Read an unfolded date. Raises ParseError.

        INTEROP also lets through RFC 5322 s4.3: years of two digits, zones by name, comments and
        space anywhere, and a wrong day of the week; LAX the forms of other standards and habits.
        """
        found = cls.read(text)
        if not found.defects:
            return found
        # What a level below LAX does not let through is found where the tolerance is asked.
        tolerance = tolerance or Tolerance()
        return _parse(text, tolerance, len(tolerance.defects))

    @staticmethod
    def read(text: str) -> DateTime:
        """The date in ``text``, with its defects; a false one where there is none. Never raises."""
        parts = text.split(" ", 6)
        if len(parts) != 6:
            if len(parts) == 7 and parts[6] in _COMMENTS:
                del parts[6]
            else:
                parts = _six_parts(text, parts)
        weekday, day, month, year, clock, zone = parts
        # ISO 8601 also has hours alone, times without colons, and fractions; Python 3.14 and later read 24:00:00.
        if len(clock) != 8 or clock[5] != ":" or clock >= "24" or year not in _YEARS:
            return _read_unusual(text)
        known = zone in _zones
        if not known and zone != "-0000" and not _remember(zone):
            return _read_unusual(text)
        try:
            when = _read_iso(f"{year}{_MONTHS[month]}{_DAYS[day]}{clock}{zone}")
        except (KeyError, ValueError):
            return _read_unusual(text)
        found = _new_date(DateTime)
        _set_when(found, when)
        if weekday != _NAMED[when.weekday()] and weekday:
            if weekday not in _IS_DAY:
                return _read_unusual(text)
            _set_defects(found, _WRONG)
        if not known and zone == "-0000":
            _set_stated(found, None)
        return found

    @classmethod
    def from_datetime(cls, when: datetime) -> DateTime:
        """The same of the standard library; one without a zone is ``-0000``. Raises ParseError."""
        offset = when.utcoffset()
        minutes = None if offset is None else round(offset / timedelta(minutes=1))
        return cls(when.year, when.month, when.day, when.hour, when.minute, when.second, minutes)

    def to_datetime(self) -> datetime:
        """An aware ``datetime``; with an ``offset`` of None one in UTC. A leap second is the second behind it.

        Raises ParseError for a date that is false, and for one in the last hours of the year 9999.
        """
        when = self._when
        if when is None:
            raise ParseError("no date", 0, "RFC 5322 s3.3")
        if when.tzinfo is not None:
            return when
        try:
            return when.replace(tzinfo=UTC) + timedelta(minutes=-(self.offset or 0), seconds=self.second - when.second)
        except OverflowError:
            raise ParseError("a date beyond the year 9999", 0, "RFC 5322 s3.3") from None

    def __bool__(self) -> bool:
        return self._when is not None

    def __str__(self) -> str:
        """``Tue, 24 Nov 2026 09:33:40 +0000``; nothing for a false one."""
        when = self._when
        if when is None:
            return ""
        offset = self.offset
        hours, minutes = divmod(abs(offset or 0), 60)
        sign = "-" if offset is None or offset < 0 else "+"
        clock = when.isoformat()[11:19] if when.second == self.second else f"{when.hour:02}:{when.minute:02}:60"
        day = f"{DAYS[when.weekday()]}, {when.day} {MONTHS[when.month - 1]} {when.year}"
        return f"{day} {clock} {sign}{hours:02}{minutes:02}"


_set_when, _set_second = setter(DateTime, "_when"), setter(DateTime, "_second")
_set_stated, _set_defects = setter(DateTime, "_stated"), setter(DateTime, "_defects")
_new_date: Final = DateTime.__new__


def _fill(found: DateTime, parts: tuple[int, int, int, int, int, int], offset: int | None) -> DateTime:
    """The date of parts that have been looked at."""
    year, month, day, hour, minute, second = parts
    zone = None
    if second > 59:
        _set_second(found, second)
    elif offset is None or abs(offset) < 1440:
        zone = timezone(timedelta(minutes=offset)) if offset else UTC
    _set_when(found, datetime(year, month, day, hour, minute, min(second, 59), 0, zone))
    if not offset or zone is None:
        _set_stated(found, offset)
    return found


# --- the usual form ------------------------------------------------------------------------------

# RFC 5322 s3.3
#   date-time   = [ day-of-week "," ] date time [CFWS]
#   date        = day month year
#   time        = time-of-day zone
#   time-of-day = hour ":" minute [ ":" second ]
#   zone        = (FWS ( "+" / "-" ) 4DIGIT) / obs-zone
# with the seconds, single spaces, and one comment at most: nearly all mail is dated so. Such a date is written anew as
# one of ISO 8601, which the standard library reads in C, so that a day costs the same whether it was met before or not.
_NAMED: Final = tuple(f"{name}," for name in DAYS)
_IS_DAY: Final = frozenset(_NAMED)
_DAYS: Final = {text: f"{day:02}T" for day in range(1, 32) for text in (f"{day}", f"{day:02}")}
_MONTHS: Final = {name: f"-{number:02}-" for name, number in MONTH_NUMBERS.items()}
_YEARS: Final = frozenset(map(str, range(1900, 2100)))
#: Zones that were met, of those below: never more than 2,879.
_zones: Final[set[str]] = set()
_is_zone: Final = re.compile(r"[+\-](?:[01][0-9]|2[0-3])[0-5][0-9]").fullmatch
#: The most frequent of those below.
_COMMENTS: Final = frozenset("(UTC) (GMT) (BST) (CET) (CEST) (EST) (EDT) (CST) (CDT) (PST) (PDT) (JST)".split(" "))
# RFC 5322 s3.2.2, RFC 6532 s3.2: a comment without another in it, and without a backslash.
_COMMENT: Final = r"\([^()\\\x00-\x08\x0a-\x1f\x7f]*+\)"
_is_comment: Final = re.compile(_COMMENT).fullmatch
_read_iso: Final = datetime.fromisoformat
_WRONG: Final = (Defect("RFC 5322 s3.3", WRONG_DAY, 0),)


def _remember(zone: str) -> bool:
    """Whether that is a zone; the next time nobody has to ask."""
    if not _is_zone(zone):
        return False
    _zones.add(zone)
    return True


def _six_parts(text: str, parts: list[str]) -> list[str]:
    """What stands between the spaces of a text with more or fewer than six words; no words for no date."""
    if len(parts) == 5:
        return ["", *parts]
    if len(parts) == 7 and not parts[1]:
        # A day of one digit, as wide as one of two.
        parts = text.replace("  ", " ").split(" ", 6)
    if len(parts) == 7 and (parts[6] in _COMMENTS or _is_comment(parts[6])):
        return parts[:6]
    return parts if len(parts) == 6 else _NO_PARTS


_NO_PARTS: Final = [""] * 6

# The same with all white space and comments that may stand there, without the seconds, and with two things of RFC 5322
# s4.3: a year of two digits, and a zone by name.
_match_near: Final = re.compile(
    r"(?:(Mon|Tue|Wed|Thu|Fri|Sat|Sun),[ \t]*+)?+([0-9]{1,2})[ \t]++([A-Z][a-z]{2})[ \t]++"
    r"((?:19|[2-9][0-9])[0-9]{2}|[0-9]{2})[ \t]++((?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?+)[ \t]++"
    rf"([+\-](?:[01][0-9]|2[0-3])[0-5][0-9]|(?![AP]M)[A-Z]{{2,4}}+)[ \t]*+(?:{_COMMENT}[ \t]*+)*+"
).fullmatch
_OBSOLETE: Final = (Defect("RFC 5322 s4.3", OBSOLETE_FORM, 0),)


def _read_near(text: str) -> DateTime | None:
    """The date in text of a form that is near the usual one; None for every other text."""
    near = _match_near(text)
    if near is None:
        return None
    weekday, day, month, year, clock, zone = near.groups()
    defects: tuple[Defect, ...] = ()
    if len(year) == 2:
        defects = (*_OBSOLETE, Defect("RFC 5322 s4.3", SHORT_YEAR, near.start(4)))
        year = str(full_year(year))
    if zone.isalpha():
        defects = defects or _OBSOLETE
        zone = NAMED_ZONES.get(zone, "-0000")
    try:
        when = _read_iso(f"{year}{_MONTHS[month]}{_DAYS[day]}{clock}{zone}")
    except (KeyError, ValueError):
        return None
    found = _new_date(DateTime)
    _set_when(found, when)
    if weekday is not None and weekday != DAYS[when.weekday()]:
        defects += _WRONG
    if defects:
        _set_defects(found, defects)
    if zone == "-0000":
        _set_stated(found, None)
    return found


# --- every form ----------------------------------------------------------------------------------


def _read_unusual(text: str) -> DateTime:
    """The date in text of any form, or a false one."""
    found = _read_near(text)
    if found is not None:
        return found
    tolerance = Tolerance(LAX)
    try:
        return _parse(text, tolerance, 0)
    except ParseError as error:
        found = _new_date(DateTime)
        _set_when(found, None)
        _set_defects(found, (*tolerance.defects, Defect(error.rule, error.why, error.where)))
        return found


def _parse(text: str, tolerance: Tolerance, before: int) -> DateTime:
    from .date_form import parse_form  # noqa: PLC0415 - hardly a date needs it

    found = _fill(_new_date(DateTime), *parse_form(text, tolerance))
    if len(tolerance.defects) > before:
        _set_defects(found, tuple(tolerance.defects[before:]))
    return found
