"""What it costs to read a date: from the text of a field to an object, which goes before the next one comes."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from smtpcore.message.calendar import DAYS, MONTHS
from smtpcore.message.date import DateTime

from .report import Case, Run, cpu, table

_ZONES = ("+0000", "-0000", "+0100", "+0200", "+0530", "+0900", "-0330", "-0500", "-0700", "-0800")


def days_of_mail(count: int, number: int) -> list[str]:
    """Dates on so many days from 1990 on, each as likely as the others; one in five with a comment."""
    choose = random.Random(822)
    dates = []
    for _ in range(count):
        when = datetime(1990, 1, 1, tzinfo=UTC) + timedelta(choose.randrange(number), choose.randrange(86_400))
        zone = choose.choice(_ZONES) + (" (UTC)" if choose.random() < 0.2 else "")
        day = f"{when.day:02}" if choose.random() < 0.5 else f"{when.day}"
        dates.append(f"{DAYS[when.weekday()]}, {day} {MONTHS[when.month - 1]} {when:%Y %H:%M:%S} {zone}")
    return dates


def _reading(texts: Sequence[str]) -> dict[str, Case | None]:
    for text in texts[:1000]:
        # For -0000 the library of the standard has no zone.
        if DateTime.read(text).to_datetime() != parsedate_to_datetime(text).astimezone(UTC) and "-0000" not in text:
            raise ValueError(f"two dates in {text}")

    def ours() -> None:
        for text in texts:
            DateTime.read(text)

    def converted() -> None:
        for text in texts:
            DateTime.read(text).to_datetime()

    def theirs() -> None:
        for text in texts:
            parsedate_to_datetime(text)

    def case(work: Callable[[], None]) -> Case:
        return lambda: cpu(work) / len(texts)

    return {
        "smtpcore": case(ours),
        "smtpcore, as a datetime": case(converted),
        "parsedate_to_datetime": case(theirs),
    }


def dates(run: Run) -> None:
    """The values of Date fields."""
    count = run.amount(20_000, 500)
    for title, number in ("50 years", 18_262), ("one week", 7):
        cases = _reading(days_of_mail(count, number))
        table(f"Reading dates of {title}", "dates per CPU second", cases, run, lambda cost: f"{1 / cost:,.0f}")
