"""Finds which sections of which RFCs the source names, and where.

A reference has one form, ``RFC 5321 s4.1.1.4``; further sections of the same RFC may follow after commas, as in
``RFC 5321 s4.1.2, s4.5.3.1``. Comments, docstrings and the rules that errors name all count.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from pathlib import Path

#: RFC number -> section -> file -> lines.
References = Mapping[int, Mapping[str, Mapping[str, list[int]]]]

_SECTION = r"s[0-9A-Z]+(?:\.[0-9]+)*"
_REFERENCE = re.compile(rf"\bRFC ([0-9]{{3,5}}) ({_SECTION}(?:(?:, | and | or ){_SECTION})*)\b")
_ONE_SECTION = re.compile(r"\bs([0-9A-Z]+(?:\.[0-9]+)*)")
_TEXT = {getattr(tokenize, name) for name in ("COMMENT", "STRING", "FSTRING_MIDDLE") if hasattr(tokenize, name)}


def in_line(text: str) -> Iterator[tuple[int, str]]:
    """The references in one line of text, as (RFC, section)."""
    for found in _REFERENCE.finditer(text):
        for section in _ONE_SECTION.findall(found[2]):
            yield int(found[1]), section


def in_source(source: str) -> Iterator[tuple[int, int, str]]:
    """The references in the comments and strings of a source text, as (line, RFC, section)."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in _TEXT:
            for offset, text in enumerate(token.string.split("\n")):
                for rfc, section in in_line(text):
                    yield token.start[0] + offset, rfc, section


def section_key(section: str) -> list[tuple[int, int, str]]:
    """Sorts 4.2 before 4.10, and the appendices after the sections."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in section.split(".")]


def collect(package: Path) -> References:
    """All references of a package, in order of RFC, section and file."""
    found: dict[int, dict[str, dict[str, list[int]]]] = {}
    for path in sorted(package.rglob("*.py")):
        where = path.relative_to(package).as_posix()
        for line, rfc, section in in_source(path.read_text("utf-8")):
            lines = found.setdefault(rfc, {}).setdefault(section, {}).setdefault(where, [])
            if line not in lines:
                lines.append(line)
    return {rfc: {key: found[rfc][key] for key in sorted(found[rfc], key=section_key)} for rfc in sorted(found)}


def address(rfc: int, section: str) -> str:
    """Where a section can be read."""
    kind = "section" if section[0].isdigit() else "appendix"
    return f"https://www.rfc-editor.org/rfc/rfc{rfc}#{kind}-{section}"
