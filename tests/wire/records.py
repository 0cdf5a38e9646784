"""Records of other projects' tests: each passes, or is listed with the section that says why not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.corpus import MISSING, corpus_folder, load


def judge(row: dict[str, Any], problem: str, deviations: dict[str, str]) -> None:
    """Fail for a problem that is not listed, and for a listed record that has none."""
    reason = deviations.get(row["id"])
    if problem and reason is None:
        pytest.fail(f"{problem}\n{row}")
    if reason is not None and not problem:
        pytest.fail(f"listed ({reason}) and yet it passes: take it off the list\n{row}")


def check_list(name: str, deviations: dict[str, str]) -> None:
    """Every id that is listed is one of a record, and every reason names a section."""
    assert not [reason for reason in deviations.values() if not reason.startswith("RFC ") or " s" not in reason]
    if corpus_folder() is None:
        pytest.skip(MISSING)
    assert not set(deviations) - {row["id"] for row in load(name)}
