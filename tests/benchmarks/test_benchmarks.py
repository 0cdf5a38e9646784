"""The benchmarks run, and what in them does not depend on the machine is as it should be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*arguments: str) -> str:
    command = [sys.executable, "-m", "tests.benchmarks", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def tables() -> str:
    return run("--quick", "--only", "codec,envelopes,large,compose,dates,roundtrips,import")


def test_first_line_names_the_machine(tables: str):
    assert "Python " in tables.splitlines()[0]


def test_every_table_has_smtpcore_first(tables: str):
    first_rows = [part.splitlines()[4] for part in tables.split("### ")[1:] if not part.startswith("Round trips")]
    assert len(first_rows) == 14
    for row in first_rows:
        assert row.startswith(("| smtpcore |", "| smtpcore, DATA |"))
        assert row.endswith("| 1.00 |")


@pytest.mark.parametrize("recipients", [1, 10, 100])
def test_a_message_takes_two_round_trips(tables: str, recipients: int):
    # RFC 2920 s3.1: MAIL, RCPT and DATA in one group, then the content
    assert f"| {recipients} | 2 | {recipients + 3} |" in tables


@pytest.mark.parametrize("row", ["send | 2.00", "send_all | 1.01", "send_all in chunks | 0.50"])
def test_a_chained_message_takes_one(tables: str, row: str):
    # RFC 2920 s3.1: "the first 'command' in a group"
    assert f"| smtpcore, {row} |" in tables


def test_unknown_part():
    command = [sys.executable, "-m", "tests.benchmarks", "--only", "nonsense"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "nonsense" in done.stderr
