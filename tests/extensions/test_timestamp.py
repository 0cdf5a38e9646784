"""Timestamps (RFC 3339): what is one, and which moment it is."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.extensions import Timestamp
from tests.strategies import timestamps


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59Z", -1),
        ("2014-04-03T23:01:00Z", 1_396_566_060),
        ("2000-02-29T00:00:00+01:00", 951_778_800),
        ("1985-04-12T23:20:50.52Z", 482_196_050.52),
        ("1996-12-19T16:39:57-08:00", 851_042_397),
        ("1990-12-31T23:59:60Z", 662_688_000),
        ("1990-12-31t15:59:60-08:00", 662_688_000),
        ("9999-12-31T23:59:59Z", 253_402_300_799),
        ("0000-01-01T00:00:00Z", -62_167_219_200),
        ("2024-02-29T12:00:00.000000001z", 1_709_208_000),
    ],
)
def test_moments(text, moment):
    assert Timestamp(text).seconds == moment
    assert str(Timestamp(text)) == text.upper()
    assert Timestamp(text) == Timestamp(text.lower())


@pytest.mark.parametrize(
    "text",
    [
        "", "2022-01-02", "2022-01-02T01:01:01", "2022-01-02 01:01:01Z", "2022-1-02T01:01:01Z", "22-01-02T01:01:01Z",
        "2022-13-01T00:00:00Z", "2022-00-01T00:00:00Z", "2022-04-31T00:00:00Z", "2022-04-00T00:00:00Z",
        "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2022-01-01T24:00:00Z", "2022-01-01T00:60:00Z",
        "2022-01-01T00:00:61Z", "2022-01-01T00:00:00.Z", "2022-01-01T00:00:00.0123456789Z", "2022-01-01T00:00:00,5Z",
        "2022-01-01T00:00Z", "2022-01-01T00:00:00+24:00", "2022-01-01T00:00:00+00:60", "2022-01-01T00:00:00+0100",
        "2022-01-01T00:00:00ZZ", " 2022-01-01T00:00:00Z", "2022-01-01T00:00:00Z\n", "\u0662022-01-01T00:00:00Z",
        "+2022-01-01T00:00:00Z", "2022-01-01T00:00:00UTC",
    ],
)  # fmt: skip
def test_none(text):
    with pytest.raises(ParseError):
        Timestamp(text)


@given(timestamps)
def test_the_standard_library_agrees(timestamp):
    """The oracle: it reads these with up to six digits of a second."""
    whole = Timestamp(re.sub(r"\.[0-9]+", "", timestamp.text))
    assert whole.seconds == datetime.fromisoformat(whole.text).timestamp()
    assert 0 <= timestamp.seconds - whole.seconds <= 1


@given(
    st.datetimes(
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(-timedelta(hours=8))])
    )
)
def test_to_the_standard_library_and_back(when):
    try:
        timestamp = Timestamp.of(when)
    except OverflowError:
        return
    assert timestamp.text.endswith("Z")
    assert timestamp.to_datetime() == when.replace(microsecond=0)


def test_a_datetime_without_an_offset_is_no_moment():
    with pytest.raises(ValueError, match="tzinfo"):
        Timestamp.of(datetime(2022, 1, 1))  # noqa: DTZ001 - what is tried
    with pytest.raises(OverflowError):
        Timestamp("0000-01-01T00:00:00Z").to_datetime()
    wrong: Any = 5
    with pytest.raises(TypeError):
        Timestamp(wrong)
