"""Dates: what is one, at which level, and when that is."""

from __future__ import annotations

import pickle
import time
from datetime import UTC, datetime, timedelta, timezone
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.message import date
from smtpcore.message.date import DateTime
from smtpcore.wire.tolerance import INTEROP, LAX, STRICT, Tolerance
from tests.corpus import vectors
from tests.vectors.message_deviations import DATES
from tests.wire.counting import growth
from tests.wire.records import check_list, judge

# text, its canonical form (None: no date), the least level that parses it
CASES = [
    ("Tue, 24 Nov 2026 09:33:40 +0000", "Tue, 24 Nov 2026 09:33:40 +0000", STRICT),
    ("24 Nov 2026 09:33:40 -0330", "Tue, 24 Nov 2026 09:33:40 -0330", STRICT),
    ("Tue, 24 Nov 2026 09:33:40 -0000", "Tue, 24 Nov 2026 09:33:40 -0000", STRICT),
    ("Tue,24 Nov 2026 09:33:40 +0000", "Tue, 24 Nov 2026 09:33:40 +0000", STRICT),
    ("tue, 24 nov 2026  09:33 +0000 (UTC)", "Tue, 24 Nov 2026 09:33:00 +0000", STRICT),
    ("Tue, 4 Nov 2025 09:33:40 +0000 (a (b) c) ", "Tue, 4 Nov 2025 09:33:40 +0000", STRICT),
    ("Sat, 31 Dec 2016 23:59:60 +0000", "Sat, 31 Dec 2016 23:59:60 +0000", STRICT),
    ("Thu, 29 Feb 2024 00:00:00 +0000", "Thu, 29 Feb 2024 00:00:00 +0000", STRICT),
    ("Tue, 24 Nov 2026 09:33:40 +9959", "Tue, 24 Nov 2026 09:33:40 +9959", STRICT),
    ("Mon, 24 Nov 2026 09:33:40 +0000", "Tue, 24 Nov 2026 09:33:40 +0000", INTEROP),
    ("mon, 24 Nov 2026 09:33 +0000", "Tue, 24 Nov 2026 09:33:00 +0000", INTEROP),
    ("Fri, 21 Nov 97 09:55:06 -0600", "Fri, 21 Nov 1997 09:55:06 -0600", INTEROP),
    ("21 Nov 49 09:55:06 GMT", "Sun, 21 Nov 2049 09:55:06 +0000", INTEROP),
    ("21 Nov 50 09:55:06 UT", "Tue, 21 Nov 1950 09:55:06 +0000", INTEROP),
    ("21 Nov 103 09:55:06 EST", "Fri, 21 Nov 2003 09:55:06 -0500", INTEROP),
    ("21 Nov 2003 09:55:06 PDT", "Fri, 21 Nov 2003 09:55:06 -0700", INTEROP),
    ("21 Nov 2003 09:55:06 Z", "Fri, 21 Nov 2003 09:55:06 -0000", INTEROP),
    ("21 Nov 2003 09:55:06 CEST", "Fri, 21 Nov 2003 09:55:06 -0000", INTEROP),
    ("Fri , 21 Nov 2003 09 : 55 : 06 +0000", "Fri, 21 Nov 2003 09:55:06 +0000", INTEROP),
    ("Fri (x), 21(y) Nov 2003 09(:)::55:06 +0000", None, None),
    ("Fri (x), 21(y) Nov 2003 09(:):55:06 +0000", "Fri, 21 Nov 2003 09:55:06 +0000", INTEROP),
    ("Fri, 21 Nov 2003 09:55:06 GMT+0100", "Fri, 21 Nov 2003 09:55:06 +0100", LAX),
    ("Fri, 21 Nov 2003 09:55:06 +01:00", "Fri, 21 Nov 2003 09:55:06 +0100", LAX),
    ("Fri, 21 Nov 2003 09:55:06", "Fri, 21 Nov 2003 09:55:06 -0000", LAX),
    ("Friday, 21-Nov-03 9:5:6.25 -0100", "Fri, 21 Nov 2003 09:05:06 -0100", LAX),
    ("Vendredi 21 Nov 2003 09:55:06 +0000", "Fri, 21 Nov 2003 09:55:06 +0000", LAX),
    ("21 November 2003", "Fri, 21 Nov 2003 00:00:00 -0000", LAX),
    ("21 Nov 2003 11:30 PM +0000", "Fri, 21 Nov 2003 23:30:00 +0000", LAX),
    ("21 Nov 2003 12:30 am +0000", "Fri, 21 Nov 2003 00:30:00 +0000", LAX),
    ("21 Nov 2003 13:30 PM +0000", None, None),
    ("Fri Nov 21 09:55:06 2003", "Fri, 21 Nov 2003 09:55:06 -0000", LAX),
    ("Fri Nov 21 09:55:06 2003 +0100", "Fri, 21 Nov 2003 09:55:06 +0100", LAX),
    ("Fri Nov 21 09:55:06 EST 2003", "Fri, 21 Nov 2003 09:55:06 -0500", LAX),
    ("Nov 21st, 2003 09:55:06 +0100", "Fri, 21 Nov 2003 09:55:06 +0100", LAX),
    ("2003-11-21T09:55:06Z", "Fri, 21 Nov 2003 09:55:06 -0000", LAX),
    ("2003-11-21 09:55:06.5 +01:00", "Fri, 21 Nov 2003 09:55:06 +0100", LAX),
    ("Fri, 21 Nov 2003 09:55:06 +0000 and more", "Fri, 21 Nov 2003 09:55:06 +0000", LAX),
    ("Fri, 21 Nov 2003 09:55:06 +0000 (open", "Fri, 21 Nov 2003 09:55:06 +0000", LAX),
    ("Fri, 21 Nov 2003 24:00:00 +0000", None, None),
    ("Fri, 21 Nov 2003 23:60:00 +0000", None, None),
    ("Fri, 21 Nov 2003 23:59:61 +0000", None, None),
    ("Fri, 21 Nov 2003 23:59:59 +0060", None, None),
    ("29 Feb 2023 00:00:00 +0000", None, None),
    ("31 Apr 2023 00:00 +0000", None, None),
    ("32 Jan 2023 00:00 +0000", None, None),
    ("1 Jan 1899 00:00:00 +0000", None, None),
    ("1 Jan 10000 00:00:00 +0000", None, None),
    ("2003-13-01", None, None),
    ("99999999999999999999 Jan 2020 00:00:00 +9999", None, None),  # HDR-13
    ("Mon, 0 Jan 0000 00:00:00 +0000", None, None),  # HDR-13
    ("1 Foo 2020 00:00:00 +0000", None, None),
    ("", None, None),
    ("\udc80\0", None, None),
]


@pytest.mark.parametrize(("text", "canonical", "least"), CASES)
def test_what_is_read(text, canonical, least):
    found = DateTime.read(text)
    assert str(found) == (canonical or "")
    assert bool(found) == (canonical is not None)
    assert bool(found.defects) == (least is not STRICT)
    for level in (STRICT, INTEROP, LAX):
        tolerance = Tolerance(level)
        if least is None or level.value < least.value:
            with pytest.raises(ParseError) as caught:
                DateTime.parse(text, tolerance)
            assert caught.value.rule.startswith("RFC 5322 s")
            assert 0 <= caught.value.where <= len(text)
        else:
            assert DateTime.parse(text, tolerance) == found
            assert found.defects == tuple(tolerance.defects)
    if canonical:
        assert DateTime.parse(canonical) == found
    else:
        with pytest.raises(ParseError, match="no date"):
            found.to_datetime()


def test_a_date():
    found = DateTime.parse("Tue, 24 Nov 2026 09:33:40 -0330")
    assert (found.year, found.month, found.day, found.hour, found.minute, found.second) == (2026, 11, 24, 9, 33, 40)
    assert found.offset == -210
    assert found.to_datetime() == datetime(2026, 11, 24, 13, 3, 40, tzinfo=UTC)
    assert found.to_datetime().utcoffset() == timedelta(minutes=-210)
    assert DateTime.from_datetime(found.to_datetime()) == found
    assert DateTime.from_datetime(datetime(2026, 11, 24)).offset is None  # noqa: DTZ001 - one without a zone
    assert pickle.loads(pickle.dumps(found)) == found
    assert DateTime(2026, 11, 24) != found


def test_edges_of_the_calendar():
    leap = DateTime(2016, 12, 31, 23, 59, 60)
    assert leap.to_datetime() == datetime(2017, 1, 1, tzinfo=UTC)
    far = DateTime(2016, 12, 31, 23, 0, 0, 99 * 60 + 59)
    assert far.to_datetime() == datetime(2016, 12, 31, 23, tzinfo=UTC) - timedelta(hours=99, minutes=59)
    with pytest.raises(ParseError, match="beyond the year 9999"):
        DateTime(9999, 12, 31, 23, 59, 59, -99 * 60).to_datetime()


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ((1899, 1, 1), "year"),
        ((10_000, 1, 1), "year"),
        ((2000, 0, 1), "not a day"),
        ((2000, 13, 1), "not a day"),
        ((2000, 1, 32), "not a day"),
        ((2001, 2, 29), "not a day of that month"),
        ((2000, 1, 1, 24), "time of day"),
        ((2000, 1, 1, 0, 60), "time of day"),
        ((2000, 1, 1, 0, 0, 61), "time of day"),
        ((2000, 1, 1, 0, 0, 0, 6000), "zone"),
    ],
)
def test_on_no_calendar(parts, why):
    with pytest.raises(ParseError, match=why):
        DateTime(*parts)


ZONES = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(1900, 1, 2), datetime(9999, 12, 30), timezones=ZONES))  # noqa: DTZ001 - bounds have none
def test_the_standard_library_agrees(when):
    found = DateTime.from_datetime(when)
    assert found.to_datetime() == when.replace(microsecond=0)
    assert DateTime.parse(str(found)) == found
    assert DateTime.read(f"{found} (comment)") == found
    assert datetime.strptime(str(found)[5:].replace("-0000", "+0000"), "%d %b %Y %H:%M:%S %z") == found.to_datetime()


PIECES = st.lists(
    st.sampled_from(
        [
            "Tue",
            ",",
            " ",
            "24",
            "Nov",
            "2026",
            "09:33:40",
            "+0000",
            "(",
            ")",
            "GMT",
            ":",
            "-",
            "T",
            "1",
            "\\",
            "\udc80",
            "PM",
        ]
    ),
    max_size=12,
).map("".join)


@given(PIECES)
def test_any_text_is_read(text):
    found = DateTime.read(text)
    assert found or found.defects
    if found:
        assert DateTime.parse(str(found)) == found
    try:
        strict = DateTime.parse(text)
    except ParseError:
        assert found.defects
    else:
        assert strict == found
        assert not found.defects


# The usual form, whole or with something wrong in one place: each list begins with what is usual.
DAYS = ["Tue, ", "Mon, ", "", "Tue,  ", "Tue,   ", "Mon,  ", "tue, ", "Tue,", "Tue , ", " Tue, ", "Die, ", ", ", "  "]
DAYS_OF_MONTHS = [
    "24 Nov 2026",
    "4 Nov 2025",
    "04 Nov 2025",
    "29 Feb 2024",
    "29 Feb 2023",
    "31 Apr 2024",
    "0 Nov 2026",
    "32 Nov 2026",
]
DAYS_OF_MONTHS += [
    "24 nov 2026",
    "24 Nov  2026",
    "24\tNov 2026",
    "24 Now 2026",
    "24 Nov 9999",
    "24 Nov 2026-",
    "24 Nov 26",
    "24 Nov 49",
    "24 Nov 50",
    "24 Nov 126",
    "24 Nov 1899",
    "24 Nov 3000",
    "\u0662\u0664 Nov 2026",
    "24 Nov",
]
TIMES = [
    "09:33:40",
    "23:59:59",
    "24:00:00",
    "23:59:60",
    "09:60:00",
    "9:33:40",
    "09:33",
    "09:33:4",
    "09.33.40",
    "09:33:40.5",
]
TIMES += ["23:59", "24:00", "09:33:60", "093340.5", "09:33.40", "09.33:40", "09+01:00", "09:33+01", "0933", "09:33:4Z"]
TIMES += ["+9:33:40", "009:33:40", "09:033:40", "09:33:40:00", "\uff10\uff19:33:40", "09: 33:40"]
ZONES_WRITTEN = [
    "+0000",
    "-0000",
    "-0330",
    "+1400",
    "+2359",
    "+2400",
    "-9959",
    "+0160",
    "GMT",
    "EST",
    "gmt",
    "JST",
    "CEST",
    "AMT",
    "PM",
    "UT",
    "Z",
    "+01.5",
    "+01:0",
    "+1_00",
    "+0000Z",
    "0000",
    "+000",
    "+00000",
    "",
    "+\u0660000",
]
BEHIND = ["", " (UTC)", " (a(b)c)", "(UTC)", " ", " x", " (", "\n", " (UTC) ", " +0000"]
BEHIND += [" (a b)", " (a) (b)", "\t(a\tb)  ", " (a\\b)", " (a\\)", " (a(b)", " (a\0b)", " (\u00e9)", " (a"]


SPACES = [" ", "  ", "\t", ""]


def usually(parts: list[str]) -> st.SearchStrategy[str]:
    return st.one_of(st.just(parts[0]), st.sampled_from(parts))


COLUMNS = (DAYS, DAYS_OF_MONTHS, SPACES, TIMES, SPACES, ZONES_WRITTEN, BEHIND)
USUAL = st.tuples(*map(usually, COLUMNS)).map("".join)
MUTATED = st.tuples(
    USUAL, st.integers(0, 40), st.integers(0, 2), st.sampled_from(["", " ", "0", ":", ",", "+", "(", "\udc80"])
).map(lambda change: change[0][: change[1]] + change[3] + change[0][change[1] + change[2] :])


def result(parse, text, level):
    tolerance = Tolerance(level)
    try:
        found = parse(text, tolerance)
    except ParseError as error:
        return error.why, error.where, error.rule, tolerance.defects
    return found, found.defects, found.to_datetime(), str(found), tolerance.defects


def check_both_ways(text):
    def long_way(text, tolerance):
        return date._parse(text, tolerance, 0)

    for level in (STRICT, INTEROP, LAX):
        assert result(DateTime.parse, text, level) == result(long_way, text, level)
    expected = result(long_way, text, LAX)
    read = DateTime.read(text)
    if read:
        assert (read, list(read.defects)) == (expected[0], expected[-1])
        assert pickle.loads(pickle.dumps(read)) == read
    else:
        *defects, last = read.defects
        assert expected == (last.why, last.where, last.rule, defects)


def test_both_ways_are_one_where_at_most_two_parts_are_unusual():
    usual = [column[0] for column in COLUMNS]
    for (one, first), (other, second) in combinations(enumerate(COLUMNS), 2):
        for pair in product(first, second):
            parts = list(usual)
            parts[one], parts[other] = pair
            check_both_ways("".join(parts))


@given(st.one_of(USUAL, MUTATED), st.booleans())
def test_both_ways_are_one(text, fresh):
    if fresh:
        date._zones.clear()
    check_both_ways(text)


@pytest.mark.parametrize("text", ["Fri, 21 Nov 2003 24:00:00 +0000", "21 Nov 2003 24:00 +0000"])
def test_no_day_has_an_hour_24(text, monkeypatch):
    # Python 3.14 and later read it as the next day.
    def read_iso(text):
        return datetime.fromisoformat(text.replace("T24:00", "T00:00")) + timedelta(days="T24:00" in text)

    monkeypatch.setattr(date, "_read_iso", read_iso)
    assert DateTime.read(text.replace("24:00", "23:00"))
    assert not DateTime.read(text)


def test_no_more_zones_are_remembered_than_there_are():
    for hour, minute in product(range(100), range(100)):
        for sign in "+-":
            DateTime.read(f"24 Nov 2026 09:33:40 {sign}{hour:02}{minute:02}")
    for zone in ("+0\u0660\u06600", "GMT", "x" * 5, "+000", "+00000"):
        DateTime.read(f"24 Nov 2026 09:33:40 {zone}")
    known = {f"{sign}{hour:02}{minute:02}" for sign in "+-" for hour in range(24) for minute in range(60)}
    assert date._zones == known - {"-0000"}


FAMILIES = {
    "spaces": lambda n: "Mon, 01 Jan 2024" + " " * n + "00:00:00 +0000",
    "commas": lambda n: "," * n,
    "digits": lambda n: "1" * n,
    "letters": lambda n: "a" * n,
    "comments": lambda n: "(" * n,
    "pairs": lambda n: "()" * n + "1 Jan 2024 00:00:00 +0000",
    "year": lambda n: "1 Jan " + "2" * n,
    "fraction": lambda n: "1 Jan 2024 00:00:00." + "2" * n,
    "dates": lambda n: "1 Jan 2024 00:00:00 +0000 " * n,
}


@pytest.mark.parametrize("family", FAMILIES)
def test_work_grows_with_the_text(family):
    def work(size):
        text = FAMILIES[family](size)
        return lambda: DateTime.read(text)

    assert growth(work, 500) < 1.15
    text = FAMILIES[family](32_000)
    start = time.process_time()
    DateTime.read(text)
    assert time.process_time() - start < 5


def problem_of(row):
    text = row["input"].replace("\n", "")
    found = DateTime.read(text)
    stamp = (row.get("expected") or {}).get("timestamp")
    if row.get("valid") is False:
        return "" if found.defects else f"read without a defect as {found}"
    mine = int(found.to_datetime().timestamp()) if found else None
    return "" if stamp is None or mine == stamp else f"{found} ({mine}) and not {stamp}"


@pytest.mark.parametrize("row", vectors("dates"))
def test_dates_of_other_projects(row):
    judge(row, problem_of(row), DATES)


def test_the_list():
    check_list("dates", DATES)
