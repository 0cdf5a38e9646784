"""The docs say what is so: their examples run, their names exist, their tables are made from the code.

In README.md and docs/, a block fenced as ``python`` with ``>>>`` prompts is run and its output compared, the blocks of
a page one after the other in one namespace. A block without prompts is compiled, and what it imports from smtpcore
must be there.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import re
import sys
import types
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

import smtpcore

ROOT = Path(__file__).resolve().parent.parent
PAGES = [page for page in [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))] if "_build" not in page.parts]
EXTENSIONS = ROOT / "docs" / "_ext"

_BLOCK = re.compile(r"(?ms)^( *)(`{3,}|:{3,})python[^\n]*\n(.*?)^\1\2")


def blocks(text: str) -> Iterator[tuple[int, str]]:
    """The Python blocks of a page, each with the line that it begins on."""
    for found in _BLOCK.finditer(text):
        indent = found[1]
        lines = [line.removeprefix(indent) for line in found[3].split("\n")]
        yield text.count("\n", 0, found.start(3)) + 1, "\n".join(lines)


def check_page(text: str, page: str) -> list[str]:
    """What is wrong with the Python of a page."""
    problems: list[str] = []
    names: dict[str, Any] = {"__name__": "__main__"}
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    for line, block in blocks(text):
        if ">>>" in block:
            test = doctest.DocTestParser().get_doctest(block, names, page, page, line - 1)
            runner.run(test, out=problems.append, clear_globs=False)
            names = test.globs
        else:
            problems += [f"{page}:{line}: {problem}" for problem in check_block(block)]
    return problems


def check_block(block: str) -> Iterator[str]:
    """What is wrong with a block that is not run."""
    try:
        tree = compile(block, "block", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError as error:
        yield f"does not compile: {error}"
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "smtpcore":
            wanted = [(node.module or "", alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            wanted = [(alias.name, "") for alias in node.names if alias.name.partition(".")[0] == "smtpcore"]
        else:
            continue
        for module, name in wanted:
            if not exists(module, name):
                yield f"{module} has no {name}" if name else f"there is no {module}"


def exists(module: str, name: str) -> bool:
    """Whether a module is there and has a name, or a module of that name in it."""
    try:
        found = importlib.import_module(module)
        if name and not hasattr(found, name):
            importlib.import_module(f"{module}.{name}")
    except ModuleNotFoundError as error:
        # An extra that is not installed hides the module, it does not disprove it.
        return not (error.name or "").startswith("smtpcore")
    return True


def test_bad_examples_are_seen():
    good = "```python\n>>> x = 1\n>>> x + 1\n2\n```\ntext\n```python\n>>> x\n1\n```\n"
    assert check_page(good, "good") == []
    assert check_page(good.replace("\n2\n", "\n3\n"), "bad")
    assert check_page("```python\nif x\n```\n", "bad") == ["bad:2: does not compile: expected ':' (block, line 1)"]
    assert check_page("```python\nfrom smtpcore import Missing\n```\n", "bad") == ["bad:2: smtpcore has no Missing"]
    assert check_page("```python\nimport smtpcore.missing as m\n```\n", "bad") == [
        "bad:2: there is no smtpcore.missing"
    ]
    assert check_page("1. a\n\n   ```python\n   >>> 1\n   2\n   ```\n", "indented")
    assert check_page("```python\nasync with a as b:\n    await b\n```\n```console\n$ x\n```\n", "good") == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_examples(page):
    problems = check_page(page.read_text("utf-8"), page.relative_to(ROOT).as_posix())
    assert not problems, "\n" + "".join(problems)


def extension(name: str) -> types.ModuleType:
    """A module of docs/_ext, which is not installed."""
    if not EXTENSIONS.is_dir():
        pytest.skip("the docs are not here")
    sys.path.insert(0, str(EXTENSIONS))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(EXTENSIONS))


def test_references_are_found():
    references = extension("rfc_references")
    source = (
        '"""RFC 5321 s4.1.2."""\nx = 1  # RFC 2920 s3.1, s3.2; RFC 5321 sD.1\n# RFC 5321 says\ny = "RFC 5321 s4.10"\n'
    )
    assert list(references.in_source(source)) == [
        (1, 5321, "4.1.2"),
        (2, 2920, "3.1"),
        (2, 2920, "3.2"),
        (2, 5321, "D.1"),
        (4, 5321, "4.10"),
    ]
    assert sorted(["4.10", "D.1", "4.2", "4"], key=references.section_key) == ["4", "4.2", "4.10", "D.1"]
    assert references.address(5321, "D.1").endswith("rfc5321#appendix-D.1")


def test_the_package_names_its_rfcs():
    references = extension("rfc_references").collect(Path(smtpcore.__file__).parent)
    assert {"4.1.1.4", "4.5.3.1", "4.5.3.2"} & set(references[5321])


class Ahead(Enum):
    """States of a made-up conversation."""

    FIRST_ONE = 1
    SECOND = 2
    LAST = 3
    ALONE = 4


class Go:
    verb = "GO"


class Stay:
    verb = "STAY"


class Back:
    verb = b"BACK"


SAMPLE = {
    Ahead.FIRST_ONE: {Go: {2: Ahead.SECOND, 5: Ahead.LAST}, Stay: {2: Ahead.FIRST_ONE}},
    Ahead.SECOND: {Go: {2: Ahead.LAST, 3: Ahead.LAST}, Back: {2: Ahead.FIRST_ONE}},
    Ahead.LAST: {},
    Ahead.ALONE: {},
}


def test_diagram_of_a_sample():
    diagrams = extension("state_diagrams")
    assert diagrams.states(SAMPLE) == ["first one", "second", "last"]
    assert {tuple(edge) for edge in diagrams.edges(SAMPLE)} == {
        ("first one", "second", "GO → 2"),
        ("first one", "last", "GO → 5"),
        ("second", "last", "GO → 2/3"),
        ("second", "first one", "BACK → 2"),
    }
    assert ("first one", "STAY", "2yz", "first one") in list(diagrams.rows(SAMPLE))
    drawing = diagrams.svg(SAMPLE, "a < b")
    assert drawing == diagrams.svg(SAMPLE, "a < b")
    assert drawing.count("<text") == 4 + 3
    assert "a &lt; b" in drawing


def test_lanes_do_not_overlap():
    diagrams = extension("state_diagrams")
    ways = [
        (diagrams.Edge("a", "b", "x"), start, end) for start, end in [(0, 100), (20, 40), (50, 70), (30, 60), (90, 5)]
    ]
    lanes = diagrams.lanes(ways)
    assert len(lanes) == len(ways)
    for one in lanes:
        for other in lanes:
            if one is not other and one.number == other.number:
                assert max(one.start, one.end) < min(other.start, other.end) or max(other.start, other.end) < min(
                    one.start, one.end
                )


def test_diagram_of_the_table():
    """Every state and every transition of the table is in the page that is built from it."""
    diagrams = extension("state_diagrams")
    table = importlib.import_module("smtpcore.table").TRANSITIONS
    drawing = diagrams.svg(table, "table")
    assert all(f">{state}</text>" in drawing for state in diagrams.states(table))
    assert len(list(diagrams.rows(table))) == sum(len(row) for rows in table.values() for row in rows.values())


def test_every_room_has_its_page():
    """A room that the package has and the reference lacks is a page to write."""
    if not EXTENSIONS.is_dir():
        pytest.skip("the docs are not here")
    package = Path(smtpcore.__file__).parent
    rooms = {path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    pages = {page.stem for page in (ROOT / "docs" / "reference").glob("*.md")}
    assert {room for room in rooms if not room.startswith("_")} - {"cli"} <= pages
