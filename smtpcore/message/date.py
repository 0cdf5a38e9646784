"""DateTime: when something was written or passed on (RFC 5322 s3.3, s4.3)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final, final

from ..errors import ParseError
from ..wire.tolerance import INTEROP, LAX, Defect, Tolerance
from ..wire.value import Value, setter
from .cfws import skip_cfws

__all__ = ["DateTime"]

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

#: Minutes that a zone is away from UTC at most; RFC 5322 s3.3: "The zone ... in the range -9959 through +9959".
_FARTHEST: Final = 99 * 60 + 59


@final
class DateTime(Value):
    """A day, a time of day and a zone, as they are written, the zone's own hours.

    ``offset`` is in minutes east of UTC; None is ``-0000``: the time is UTC, and the local zone is
    not told (RFC 5322 s3.3). A date that :meth:`read` found none in has the year 0 and is false.

    Raises ParseError for what is on no calendar, for a year before 1900 or after 9999, and for an
    offset of 100 hours or more.
    """

    __slots__ = ("day", "defects", "hour", "minute", "month", "offset", "second", "year")
    __match_args__ = ("year", "month", "day", "hour", "minute", "second", "offset")

    year: int
    month: int  #: 1 to 12
    day: int
    hour: int
    minute: int
    second: int  #: 0 to 60: 60 is a leap second.
    offset: int | None
    defects: tuple[Defect, ...]  #: What was wrong with the text it was read from.

    def __init__(
        self, year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, offset: int | None = 0
    ) -> None:
        why = _find_wrong(year, month, day, hour, minute, second, offset or 0)
        if why:
            raise ParseError(why, 0, "RFC 5322 s3.3")
        _fill(self, (year, month, day, hour, minute, second), offset, ())

    @classmethod
    def parse(cls, text: str, tolerance: Tolerance | None = None) -> DateTime:
        """Read an unfolded date. Raises ParseError.

        INTEROP also lets through RFC 5322 s4.3: years of two digits, zones by name, comments and
        space anywhere, and a wrong day of the week; LAX the forms of other standards and habits.
        """
        usual = _match_usual(text)
        if usual:
            found = _read_usual(usual, tolerance)
            if found:
                return found
        tolerance = tolerance or Tolerance()
        before = len(tolerance.defects)
        return _parse(text, tolerance, before)

    @classmethod
    def read(cls, text: str) -> DateTime:
        """The date in ``text``, with its defects; a false one where there is none. Never raises."""
        tolerance = Tolerance(LAX)
        try:
            return cls.parse(text, tolerance)
        except ParseError as error:
            defects = (*tolerance.defects, Defect(error.rule, error.why, error.where))
            return _fill(cls.__new__(cls), (0, 0, 0, 0, 0, 0), None, defects)

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
        if not self.year:
            raise ParseError("no date", 0, "RFC 5322 s3.3")
        offset = self.offset or 0
        far = abs(offset) >= 1440  # farther than the standard library has zones
        zone = UTC if far or not offset else _zone(offset)
        try:
            found = datetime(self.year, self.month, self.day, self.hour, self.minute, min(self.second, 59), 0, zone)
            if far or self.second > 59:
                found += timedelta(minutes=-offset if far else 0, seconds=1 if self.second > 59 else 0)
            return found
        except OverflowError:
            raise ParseError("a date beyond the year 9999", 0, "RFC 5322 s3.3") from None

    def __bool__(self) -> bool:
        return self.year > 0

    def __str__(self) -> str:
        """``Tue, 24 Nov 2026 09:33:40 +0000``; nothing for a false one."""
        if not self.year:
            return ""
        weekday = _DAYS[date(self.year, self.month, self.day).weekday()]
        hours, minutes = divmod(abs(self.offset or 0), 60)
        sign = "-" if self.offset is None or self.offset < 0 else "+"
        return (
            f"{weekday}, {self.day} {_MONTHS[self.month - 1]} {self.year}"
            f" {self.hour:02}:{self.minute:02}:{self.second:02} {sign}{hours:02}{minutes:02}"
        )


_zones: Final[dict[int, timezone]] = {}


def _zone(offset: int) -> timezone:
    found = _zones.get(offset)
    if found is None:
        found = timezone(timedelta(minutes=offset))
        if len(_zones) < 200:  # more than there are
            _zones[offset] = found
    return found


_set_year, _set_month, _set_day = setter(DateTime, "year"), setter(DateTime, "month"), setter(DateTime, "day")
_set_hour, _set_minute, _set_second = setter(DateTime, "hour"), setter(DateTime, "minute"), setter(DateTime, "second")
_SETTERS: Final = [_set_year, _set_month, _set_day, _set_hour, _set_minute, _set_second]
_set_offset, _set_defects = setter(DateTime, "offset"), setter(DateTime, "defects")
_new_date: Final = DateTime.__new__


def _fill(
    found: DateTime, parts: tuple[int, int, int, int, int, int], offset: int | None, defects: tuple[Defect, ...]
) -> DateTime:
    for set_slot, part in zip(_SETTERS, parts, strict=True):
        set_slot(found, part)
    _set_offset(found, offset)
    _set_defects(found, defects)
    return found


def _find_wrong(year: int, month: int, day: int, hour: int, minute: int, second: int, offset: int) -> str:
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


# --- the usual form ------------------------------------------------------------------------------

_NUMBERS: Final = {f"{number:02}": number for number in range(61)} | {f"{number}": number for number in range(10)}
_MONTH_NUMBERS: Final = {name: number for number, name in enumerate(_MONTHS, 1)}
_DAY_NUMBERS: Final = {name: number for number, name in enumerate(_DAYS)}

# RFC 5322 s3.3
#   date-time   = [ day-of-week "," ] date time [CFWS]
#   date        = day month year
#   time        = time-of-day zone
#   time-of-day = hour ":" minute [ ":" second ]
#   zone        = (FWS ( "+" / "-" ) 4DIGIT) / obs-zone
# with every part, single spaces, and one comment at most
_match_usual: Final = re.compile(
    r"(?:(Mon|Tue|Wed|Thu|Fri|Sat|Sun), )?+([0-3]?[0-9]) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) "
    r"((?:19|2[0-9])[0-9]{2}) ([0-2][0-9]):([0-5][0-9]):([0-5][0-9]) ([+\-])([0-9]{2})([0-5][0-9])"
    r"(?: \([A-Za-z0-9 +\-:/_]*+\))?+\Z"
).match


def _read_usual(usual: re.Match[str], tolerance: Tolerance | None) -> DateTime | None:
    """The date in text of the usual form; None where it is on no calendar."""
    weekday, day, month, year, hour, minute, second, sign, hours, minutes = usual.groups()
    parts = int(year), _MONTH_NUMBERS[month], _NUMBERS[day]
    try:
        implied = date(*parts).weekday()
    except ValueError:
        return None
    if hour > "23":
        return None
    defects: tuple[Defect, ...] = ()
    if weekday and implied != _DAY_NUMBERS[weekday]:
        defects = _note_weekday(tolerance or Tolerance(), 0, usual.string)
    offset: int | None = int(hours) * 60 + int(minutes)
    if sign == "-":
        offset = -offset if offset else None
    found = _new_date(DateTime)
    _set_year(found, parts[0])
    _set_month(found, parts[1])
    _set_day(found, parts[2])
    _set_hour(found, _NUMBERS[hour])
    _set_minute(found, _NUMBERS[minute])
    _set_second(found, _NUMBERS[second])
    _set_offset(found, offset)
    _set_defects(found, defects)
    return found


def _note_weekday(tolerance: Tolerance, where: int, text: str) -> tuple[Defect, ...]:
    # RFC 5322 s3.3: "the day-of-week (if included) MUST be the day implied by the date"
    before = len(tolerance.defects)
    tolerance.permit(INTEROP, "not the day of the week of that date", where, "RFC 5322 s3.3", text)
    return tuple(tolerance.defects[before:])


# --- every form ----------------------------------------------------------------------------------

_S = r"[ \t]*+"
_MONTH = r"(?P<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_WEEKDAY = r"(?P<weekday>Mon|Tue|Wed|Thu|Fri|Sat|Sun)"

_STRICT: Final = re.compile(
    rf"{_S}(?:{_WEEKDAY}{_S},)?{_S}(?P<day>[0-9]{{1,2}})[ \t]++{_MONTH}[ \t]++(?P<year>[0-9]{{4,9}})[ \t]++"
    r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?[ \t]++(?P<zone>[+\-][0-9]{4})",
    re.IGNORECASE | re.ASCII,
)
# RFC 5322 s4.3
#   obs-day-of-week = [CFWS] day-name [CFWS]        obs-hour   = [CFWS] 2DIGIT [CFWS]
#   obs-day         = [CFWS] 1*2DIGIT [CFWS]        obs-minute = [CFWS] 2DIGIT [CFWS]
#   obs-year        = [CFWS] 2*DIGIT [CFWS]         obs-second = [CFWS] 2DIGIT [CFWS]
#   obs-zone        = "UT" / "GMT" / "EST" ... / %d65-73 / %d75-90 / %d97-105 / %d107-122
_OBSOLETE: Final = re.compile(
    rf"{_S}(?:{_WEEKDAY}{_S},)?{_S}(?P<day>[0-9]{{1,2}}){_S}{_MONTH}{_S}(?P<year>[0-9]{{2,9}})[ \t]++"
    rf"(?P<hour>[0-9]{{2}}){_S}:{_S}(?P<minute>[0-9]{{2}})(?:{_S}:{_S}(?P<second>[0-9]{{2}}))?{_S}"
    r"(?P<zone>[+\-][0-9]{4}|(?![AP]M)[A-Z]{1,5}(?![A-Z0-9+\-]))",
    re.IGNORECASE | re.ASCII,
)
_TIME = (
    rf"(?P<hour>[0-9]{{1,2}}){_S}[:.]{_S}(?P<minute>[0-9]{{1,2}})"
    rf"(?:{_S}[:.]{_S}(?P<second>[0-9]{{1,2}})(?:[.,][0-9]++)?)?"
    rf"(?:{_S}(?P<half>[AP])M(?![A-Z]))?"
)
_ZONE = rf"(?:{_S}(?P<zone>(?:UTC?|GMT)?{_S}[+\-][0-9]{{1,2}}:?[0-9]{{2}}|[A-Z]{{1,5}}(?![A-Z0-9])))?"
_OTHERS: Final = (
    # full names, full stops, hyphens, a missing comma, a missing zone or time
    re.compile(
        rf"{_S}(?:(?:{_WEEKDAY}[a-z]*+|[a-z]{{2,12}}+)[., \t]*+)?(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?[ \t\-/.,]*+"
        rf"{_MONTH}[a-z]*+[ \t\-/.,]*+(?P<year>[0-9]{{2,9}})(?:[ \t,T]*+{_TIME}{_ZONE})?",
        re.IGNORECASE | re.ASCII,
    ),
    # asctime() and its like: the year is behind the time, or a comma
    re.compile(
        rf"{_S}(?:{_WEEKDAY}[a-z]*+[., \t]*+)?{_MONTH}[a-z]*+[. \t]*+(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?[, \t]++"
        rf"{_TIME}{_ZONE}[ \t]++(?P<year>[0-9]{{4}})(?:{_S}(?P<late>[+\-][0-9]{{4}}))?",
        re.IGNORECASE | re.ASCII,
    ),
    re.compile(
        rf"{_S}(?:{_WEEKDAY}[a-z]*+[., \t]*+)?{_MONTH}[a-z]*+[. \t]*+(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?[, \t]++"
        rf"(?P<year>[0-9]{{4}})(?:[ \t,]*+{_TIME}{_ZONE})?",
        re.IGNORECASE | re.ASCII,
    ),
    # ISO 8601, RFC 3339
    re.compile(
        rf"{_S}(?P<year>[0-9]{{4}})-(?P<digits>[0-9]{{2}})-(?P<day>[0-9]{{2}})(?:[ \tT]++{_TIME}{_ZONE})?",
        re.IGNORECASE | re.ASCII,
    ),
)

# RFC 5322 s4.3: zones that had a meaning, in hours. Every other name, and the letters of the military, which were
# given wrong in RFC 822, "SHOULD be considered equivalent to -0000".
_ZONES: Final = {
    "UT": 0, "GMT": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip


def _parse(text: str, tolerance: Tolerance, before: int) -> DateTime:
    plain = _without_comments(text, tolerance)
    found = _STRICT.match(plain)
    if not found:
        found = _OBSOLETE.match(plain)
        if found:
            tolerance.permit(INTEROP, "obsolete form of a date", 0, "RFC 5322 s4.3", text)
        else:
            found = next(filter(None, (form.match(plain) for form in _OTHERS)), None)
            if not found:
                raise ParseError("not a date", 0, "RFC 5322 s3.3", text)
            tolerance.permit(LAX, "not the form of a date in mail", 0, "RFC 5322 s3.3", text)
    end = found.end()
    if plain[end:].strip(" \t"):
        if not found["hour"]:
            raise ParseError("not a time of day", end, "RFC 5322 s3.3", text)
        tolerance.permit(LAX, "text behind the date", end, "RFC 5322 s3.3", text)
    named = found.groupdict()
    month = int(named["digits"]) if named.get("digits") else _MONTH_NUMBERS[named["month"].title()]
    year = _read_year(named["year"], found.start("year"), tolerance, text)
    hour, minute, second = (int(named[part] or 0) for part in ("hour", "minute", "second"))
    half = named.get("half")
    if half:
        if not 1 <= hour <= 12:
            raise ParseError("not a time of day", found.start("hour"), "RFC 5322 s3.3", text)
        hour = hour % 12 + (12 if half in "Pp" else 0)
    zone = named.get("late") or named["zone"]
    offset = _read_zone(zone, found.start("zone"), tolerance, text)
    parts = year, month, int(named["day"]), hour, minute, second
    why = _find_wrong(*parts, offset or 0)
    if why:
        raise ParseError(why, 0, "RFC 5322 s3.3", text)
    weekday = named.get("weekday")
    if weekday and _DAYS[date(*parts[:3]).weekday()] != weekday.title():
        _note_weekday(tolerance, found.start("weekday"), text)
    return _fill(_new_date(DateTime), parts, offset, tuple(tolerance.defects[before:]))


def _without_comments(text: str, tolerance: Tolerance) -> str:
    """The text with spaces for its comments, so that offsets stay what they are."""
    pos = text.find("(")
    if pos < 0:
        return text
    pieces: list[str] = []
    last = 0
    while pos >= 0:
        try:
            end = skip_cfws(text, pos)
        except ParseError as error:
            tolerance.permit(LAX, error.why, error.where, error.rule, text)
            end = len(text)
        # RFC 5322 s3.3 has a place for them at the end, s4.3 everywhere
        if text[end:].strip(" \t"):
            tolerance.permit(INTEROP, "comment within a date", pos, "RFC 5322 s4.3", text)
        pieces += text[last:pos], " " * (end - pos)
        last = end
        pos = text.find("(", last)
    pieces.append(text[last:])
    return "".join(pieces)


def _read_year(digits: str, where: int, tolerance: Tolerance, text: str) -> int:
    year = int(digits)
    if len(digits) < 4:
        # RFC 5322 s4.3: 00 to 49 are of this century, 50 to 99 and all of three digits are counted from 1900
        tolerance.permit(INTEROP, "year of two or three digits", where, "RFC 5322 s4.3", text)
        year += 2000 if len(digits) == 2 and year < 50 else 1900
    return year


def _read_zone(zone: str | None, where: int, tolerance: Tolerance, text: str) -> int | None:
    if zone is None:
        tolerance.permit(LAX, "no zone", len(text), "RFC 5322 s3.3", text)
        return None
    sign = max(zone.find("+"), zone.find("-"))
    if sign < 0:
        hours = _ZONES.get(zone.upper())
        return None if hours is None else hours * 60
    digits = zone[sign + 1 :].replace(":", "")
    hour, minute = int(digits[:-2]), int(digits[-2:])
    if minute > 59:
        raise ParseError("not a zone", where, "RFC 5322 s3.3", text)
    offset = hour * 60 + minute
    if zone[sign] == "-":
        return -offset if offset else None
    return offset
