"""DateTime: when something was written or passed on (RFC 5322 s3.3, s4.3)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final, final

from ..errors import ParseError
from ..wire.tolerance import INTEROP, LAX, Defect, Tolerance
from ..wire.value import Value, setter
from .calendar import DAYS, MONTH_NUMBERS, MONTHS, WRONG_DAY, find_wrong

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
        found = _read_known(text) or _read_usual(text)
        tolerance = tolerance or Tolerance()
        if found is None:
            return _parse(text, tolerance, len(tolerance.defects))
        if found.defects:
            # RFC 5322 s3.3: "the day-of-week (if included) MUST be the day implied by the date"
            tolerance.permit(INTEROP, WRONG_DAY, 0, "RFC 5322 s3.3", text)
        return found

    @classmethod
    def read(cls, text: str) -> DateTime:
        """The date in ``text``, with its defects; a false one where there is none. Never raises."""
        found = _read_known(text)
        return _read_unknown(text) if found is None else found

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

_HOURS: Final = {f"{number:02}": number for number in range(24)}
_SIXTY: Final = {f"{number:02}": number for number in range(60)}
_WRONG: Final = (Defect("RFC 5322 s3.3", WRONG_DAY, 0),)

# RFC 5322 s3.3
#   date-time   = [ day-of-week "," ] date time [CFWS]
#   date        = day month year
#   time        = time-of-day zone
#   time-of-day = hour ":" minute [ ":" second ]
#   zone        = (FWS ( "+" / "-" ) 4DIGIT) / obs-zone
# with the seconds, single spaces, and one comment at most
_match_usual: Final = re.compile(
    r"((?:(Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?+([0-3]?[0-9]) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) "
    r"((?:19|2[0-9])[0-9]{2})) ([0-2][0-9]:[0-5][0-9]:[0-5][0-9]) ([+\-](?:[01][0-9]|2[0-3])[0-5][0-9])"
    r"(?: \([A-Za-z0-9 +\-:/_]*+\))?+\Z"
).match

#: Days and zones that are remembered: mail that is read together was written on the same few days.
_REMEMBERED: Final = 1000
_days: Final[dict[str, tuple[int, int, int, bool]]] = {}  # year, month, day, whether it is another day of the week
_zones: Final[dict[str, timezone | None]] = {}


def _read_usual(text: str) -> DateTime | None:
    """The date in text of the usual form; None for every other text."""
    usual = _match_usual(text)
    if usual and _learn(*usual.group(1, 2, 3, 4, 5, 7)):
        return _read_known(text[: usual.end(7)])
    return None


def _read_known(text: str) -> DateTime | None:
    """The same where the day and the zone have been seen before, and nothing stands behind them."""
    try:
        day, clock, zone_text = text.rsplit(" ", 2)
        hour, minute, second = clock.split(":")
        year, month, number, wrong = _days[day]
        zone = _zones[zone_text]
        when = datetime(year, month, number, _HOURS[hour], _SIXTY[minute], _SIXTY[second], 0, zone or UTC)
    except (KeyError, ValueError):
        return None
    found = _new_date(DateTime)
    _set_when(found, when)
    if zone is None:
        _set_stated(found, None)
    if wrong:
        _set_defects(found, _WRONG)
    return found


def _learn(whole: str, weekday: str | None, day: str, month: str, year: str, zone: str) -> bool:
    """Remember a day and a zone; whether it is one."""
    parts = int(year), MONTH_NUMBERS[month], int(day)
    try:
        implied = DAYS[date(*parts).weekday()]
    except ValueError:
        return False
    if len(_days) >= _REMEMBERED:
        _days.clear()
    _days[whole] = (*parts, weekday is not None and weekday != implied)
    if zone not in _zones:
        if len(_zones) >= _REMEMBERED:
            _zones.clear()
        away = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:]))
        _zones[zone] = None if zone == "-0000" else timezone(-away if zone[0] == "-" else away)
    return True


# --- every form ----------------------------------------------------------------------------------


def _read_unknown(text: str) -> DateTime:
    """The date in text of any form, or a false one."""
    found = _read_usual(text)
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
