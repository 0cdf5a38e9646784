"""The docs say what is so: their examples run, their tables are made from the code.

In README.md and docs/, every block fenced as ``python`` is run, the blocks of a page one after the other in one
namespace. With ``>>>`` prompts it is a doctest. Without them it is a program; where a block fenced as ``output`` comes
next, that is what it prints, with ``...`` for what differs from run to run.
"""

from __future__ import annotations

import contextlib
import doctest
import importlib
import io
import re
import sys
import traceback
import types
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

import smtpcore
from smtpcore.extensions import STANDARD

ROOT = Path(__file__).resolve().parent.parent
PAGES = [page for page in [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))] if "_build" not in page.parts]
EXTENSIONS = ROOT / "docs" / "_ext"

_BLOCK = re.compile(r"(?ms)^( *)(`{3,}|:{3,})(python|output)\b[^\n]*\n(.*?)^\1\2")


def blocks(text: str) -> Iterator[tuple[int, str, str]]:
    """The blocks of a page that matter here: the line that each begins on, its kind, and what is in it."""
    for found in _BLOCK.finditer(text):
        indent = found[1]
        lines = [line.removeprefix(indent) for line in found[4].split("\n")]
        yield text.count("\n", 0, found.start(4)) + 1, found[3], "\n".join(lines)


def check_page(text: str, page: str) -> list[str]:
    """What is wrong with the examples of a page."""
    problems: list[str] = []
    names: dict[str, Any] = {"__name__": "__main__"}
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    printed: str | None = None
    for line, kind, block in blocks(text):
        if kind == "output":
            problems += check_output(printed, block, f"{page}:{line}")
            printed = None
        elif ">>> " in block:
            test = doctest.DocTestParser().get_doctest(block, names, page, page, line - 1)
            runner.run(test, out=problems.append, clear_globs=False)
            names = test.globs
            printed = None
        else:
            printed, failure = run_program(block, names, page, line)
            problems += failure
    return problems


def run_program(block: str, names: dict[str, Any], page: str, line: int) -> tuple[str, list[str]]:
    """What a block without prompts prints, and how it fails. Raises ModuleNotFoundError where it needs a stranger."""
    printed = io.StringIO()
    try:
        # Empty lines before it let a traceback show the line of the page.
        program = compile("\n" * (line - 1) + block, page, "exec", dont_inherit=True)
        with contextlib.redirect_stdout(printed):
            exec(program, names)
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("smtpcore"):
            raise
        return "", [f"{page}:{line}: does not run:\n{traceback.format_exc()}"]
    return printed.getvalue().replace("\r\n", "\n"), []


def check_output(printed: str | None, expected: str, where: str) -> list[str]:
    """How what a program printed differs from what the page says."""
    if printed is None:
        return [f"{where}: no program comes before this output\n"]
    if doctest.OutputChecker().check_output(expected, printed, doctest.ELLIPSIS):
        return []
    return [f"{where}: expected\n{expected}but it printed\n{printed}"]


def test_bad_examples_are_seen():
    good = "```python\n>>> x = 1\n>>> x + 1\n2\n```\ntext\n```python\n>>> x\n1\n```\n"
    assert check_page(good, "good") == []
    assert check_page(good.replace("\n2\n", "\n3\n"), "bad")
    assert check_page("1. a\n\n   ```python\n   >>> 1\n   2\n   ```\n", "indented")
    program = "```python\nx = 1\n```\n```python\nprint(x, id(x))\n```\nIt prints\n```output\n1 ...\n```\n"
    assert check_page(program, "good") == []
    assert check_page(program.replace("1 ...", "2 ..."), "bad")
    assert check_page(program.replace("print", "1 / 0, print"), "bad")
    assert "line 2" in check_page("```python\nif x\n```\n", "bad")[0]
    assert check_page("```python\nfrom smtpcore import Missing\n```\n", "bad")
    assert check_page("```output\n1\n```\n", "bad")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_examples(page):
    try:
        problems = check_page(page.read_text("utf-8"), page.relative_to(ROOT).as_posix())
    except ModuleNotFoundError as error:
        pytest.skip(f"{error.name} is not installed")
    assert not problems, "\n" + "".join(problems)


@pytest.mark.parametrize("limits", [smtpcore.ServerLimits, smtpcore.ClientLimits], ids=lambda kind: kind.__name__)
def test_limits_are_written_down(limits):
    """The tables of the page on security have every limit, with its default."""
    page = ROOT / "docs" / "security.md"
    if not page.is_file():
        pytest.skip("the docs are not here")
    table = page.read_text("utf-8").partition(f"| `{limits.__name__}` |")[2].partition("\n\n")[0]
    written = re.findall(r"(?m)^\| `(\w+)` \| (\S+) \|", table)
    assert written == [(name, str(getattr(limits(), name))) for name in limits.__match_args__]


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


def test_every_extension_has_its_page():
    """The page is made from the file that it asks for, so it has to ask for the right one."""
    pages = extension("extension_pages")
    held = {path.stem: path.read_text("utf-8") for path in (ROOT / "docs" / "extensions").glob("*.md")}
    for each in STANDARD:
        text = held.pop(each.keyword.lower())
        module, name = pages.ASKED.findall(text)[0]
        assert getattr(importlib.import_module(module), name) is each
        assert text.startswith(f"# {each.keyword}\n")
        assert pages.expand(text) != text
    assert list(held) == ["index"]


def test_every_check_says_what_it_refuses():
    """Which is what its extension's page tells."""
    checks = [check for each in STANDARD for check in (*each.checks.values(), *each.parameter_checks.values())]
    assert not [check.__name__ for check in checks if not check.__doc__]


def test_page_of_an_extension():
    page = extension("extension_pages").page("smtpcore.extensions.chunking", "CHUNKING")
    for part in (
        "BDAT says how many octets of the content follow",
        "| keyword in the reply to EHLO | `CHUNKING` |",
        "[RFC 3030](https://www.rfc-editor.org/rfc/rfc3030)",
        "{py:class}`BDAT <smtpcore.extensions.chunking.BdatLast>`: BDAT with LAST",
        "{transitions} smtpcore.extensions.chunking:CHUNKING.transitions",
    ):
        assert part in page
    page = extension("extension_pages").page("smtpcore.extensions.eightbitmime", "BINARYMIME")
    assert "## Parameters of MAIL\n\n- `BODY`: `BODY=7BIT`, `BODY=8BITMIME` or `BODY=BINARYMIME` on MAIL." in page
    assert "DATA: " in page


def test_adapter_matrix():
    """A row for each option that an adapter has, and a mark for each adapter that has it."""
    pytest.importorskip("trio")
    table = extension("adapter_matrix").table()
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    assert lines[0][2:] == ["asyncio", "trio", "blocking", "memory"]
    marks = {(line[1], *line[2:]) for line in lines[2:]}
    assert ("`chunking`", "✓", "✓", "✓", "✓") in marks
    assert ("`max_connections`", "✓", "✓", "✓", "") in marks
    assert ("`latency`", "", "", "", "✓") in marks
