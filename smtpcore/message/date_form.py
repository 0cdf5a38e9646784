"""Dates of every form that mail has had, and of those that it should not have (RFC 5322 s3.3, s4.3)."""

from __future__ import annotations

import re
from datetime import date
from typing import Final

from ..errors import ParseError
from ..wire.tolerance import INTEROP, LAX, Tolerance
from .calendar import DAYS, MONTH_NUMBERS, NAMED_ZONES, OBSOLETE_FORM, SHORT_YEAR, WRONG_DAY, find_wrong, full_year
from .cfws import skip_cfws

__all__ = ["parse_form"]

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


def parse_form(text: str, tolerance: Tolerance) -> tuple[tuple[int, int, int, int, int, int], int | None]:
    """Year, month, day, hour, minute, second, and the offset in minutes, of any text. Raises ParseError."""
    plain = _without_comments(text, tolerance)
    found = _STRICT.match(plain)
    if not found:
        found = _OBSOLETE.match(plain)
        if found:
            tolerance.permit(INTEROP, OBSOLETE_FORM, 0, "RFC 5322 s4.3", text)
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
    month = int(named["digits"]) if named.get("digits") else MONTH_NUMBERS[named["month"].title()]
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
    why = find_wrong(*parts, offset or 0)
    if why:
        raise ParseError(why, 0, "RFC 5322 s3.3", text)
    weekday = named.get("weekday")
    if weekday and DAYS[date(*parts[:3]).weekday()] != weekday.title():
        tolerance.permit(INTEROP, WRONG_DAY, found.start("weekday"), "RFC 5322 s3.3", text)
    return parts, offset


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
    if len(digits) < 4:
        tolerance.permit(INTEROP, SHORT_YEAR, where, "RFC 5322 s4.3", text)
    return full_year(digits)


def _read_zone(zone: str | None, where: int, tolerance: Tolerance, text: str) -> int | None:
    if zone is None:
        tolerance.permit(LAX, "no zone", len(text), "RFC 5322 s3.3", text)
        return None
    sign = max(zone.find("+"), zone.find("-"))
    if sign < 0:
        zone, sign = NAMED_ZONES.get(zone.upper(), "-0000"), 0
    digits = zone[sign + 1 :].replace(":", "")
    hour, minute = int(digits[:-2]), int(digits[-2:])
    if minute > 59:
        raise ParseError("not a zone", where, "RFC 5322 s3.3", text)
    offset = hour * 60 + minute
    if zone[sign] == "-":
        return -offset if offset else None
    return offset
