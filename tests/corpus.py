"""Other people's test data, read where it lies.

``SMTPCORE_CORPUS`` names the folder that holds ``vectors/`` and ``corpus/``. Without it the tests over that data skip
and say so::

    from tests.corpus import vectors

    @pytest.mark.parametrize("row", vectors("dot_codec"))
    def test_codec(row): ...
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

VARIABLE = "SMTPCORE_CORPUS"
MISSING = f"{VARIABLE} does not name a folder with vectors/ and corpus/"


def corpus_folder() -> Path | None:
    """The folder that ``SMTPCORE_CORPUS`` names, or None."""
    named = os.environ.get(VARIABLE)
    if not named:
        return None
    folder = Path(named)
    return folder if (folder / "vectors").is_dir() and (folder / "corpus").is_dir() else None


def load(name: str) -> list[dict[str, Any]]:
    """The records of ``vectors/NAME.jsonl``; none without the folder."""
    folder = corpus_folder()
    if folder is None:
        return []
    lines = (folder / "vectors" / f"{name}.jsonl").read_text("utf-8").split("\n")
    return [json.loads(line) for line in lines if line]


def vectors(name: str) -> list[Any]:
    """The same as parameters of a test, each with an id; a single skipped one without the folder."""
    if corpus_folder() is None:
        return [pytest.param(None, id="no-corpus", marks=pytest.mark.skip(reason=MISSING))]
    rows = load(name)
    if not rows:
        raise ValueError(f"vectors/{name}.jsonl is empty")
    return [pytest.param(row, id=str(row.get("id", f"{name}-{number}"))) for number, row in enumerate(rows, 1)]
