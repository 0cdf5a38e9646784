"""The laws of the plan (docs/architecture.md), and the tests that show them."""

from __future__ import annotations

import ast
import re
from pathlib import Path


def laws_shown(source: str) -> set[int]:
    """The laws that a file of tests says it shows, by ``pytest.mark.law``."""
    return {
        int(str(argument.value))
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "law"
        for argument in node.args
        if isinstance(argument, ast.Constant)
    }


def test_laws_shown_are_seen() -> None:
    assert laws_shown("pytestmark = pytest.mark.law(3, 4)\n@pytest.mark.law(5)\ndef test(): law(6)") == {3, 4, 5}


def test_each_law_is_shown() -> None:
    """Each law of the plan has tests that show it, and names no law that is none."""
    plan = Path(__file__).parent.parent / "docs" / "architecture.md"
    laws = re.findall(r"^(\d+)\. \*\*", plan.read_text().partition("## The laws")[2].partition("\n## ")[0], re.M)
    assert len(laws) == 18
    shown = set().union(*[laws_shown(path.read_text()) for path in Path(__file__).parent.rglob("test_*.py")])
    assert shown == {int(law) for law in laws}
