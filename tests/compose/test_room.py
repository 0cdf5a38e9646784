"""The room is pure but for ``email``, and that is not imported before it is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import smtpcore.compose
from tests import source_rules

ROOM = Path(smtpcore.compose.__file__).parent
FILES = sorted(ROOM.glob("*.py"))

LOADED = """
import json, sys
sys.path.insert(0, sys.argv[1])
import smtpcore.compose
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_importing_it_imports_no_email():
    command = [sys.executable, "-I", "-S", "-c", LOADED, str(ROOM.parents[1])]
    loaded = set(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    assert "smtpcore" in loaded
    assert not loaded & (source_rules.WORLD - {"os", "time"} | source_rules.SLOW | source_rules.SECRETS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_traps(path):
    assert not list(source_rules.traps(path.read_text("utf-8"), path.name))
