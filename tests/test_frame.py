"""The frame holds: doors open one way, traps stay out of the source, the public face is complete.

Each rule is shown to fail on a bad sample before it is put to the package.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import subprocess
import sys
import types
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, is_typeddict

import pytest

import smtpcore
from tests import source_rules
from tests.corpus import MISSING, corpus_folder
from tests.source_rules import DOORS, PURE, Finding

PACKAGE = Path(smtpcore.__file__).parent
FILES = list(source_rules.rooms(PACKAGE))
PURE_FILES = [(room, path) for room, path in FILES if room in PURE]

#: Traps that are walked into on purpose, and why.
ALLOWED = {
    ("smtpcore/wire/label.py", rule): "RFC 5892 defines which characters a label may have by what NFKC would change"
    for rule in (
        "compatibility normalization makes different addresses equal",
        "casefold() knows more letters and digits than SMTP: match a pattern",
    )
}
CONFIG = Path(__file__).resolve().parent.parent / "pyproject.toml"


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE.parent))


def package_of(path: Path) -> str:
    """The package that relative imports in a file start from."""
    return ".".join(path.relative_to(PACKAGE.parent).parent.parts)


def report(findings: Iterator[Finding]) -> None:
    found = [str(finding) for finding in findings]
    assert not found, "\n" + "\n".join(found)


def rules(findings: Iterator[Finding]) -> list[str]:
    return [finding.rule for finding in findings]


def test_the_package_is_looked_at():
    assert {room for room, _ in FILES} > {"errors", "wire", "table", "extensions", "session"}


# --- traps ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "assert line",
        "text.splitlines()",
        "line.split()",
        "line.split(None)",
        "line.split(None, 1)",
        "line.split(maxsplit=1)",
        "line.rsplit()",
        "line.strip()",
        "line.rstrip()",
        "line.lstrip(None)",
        "re.match(r'^[a-z]+$', text)",
        "re.compile(rb'[a-z]+$')",
        "re.compile('(?m:a$)')",
        r"re.compile(r'\d+')",
        r"re.compile(r'[\w-]+')",
        r"re.fullmatch(r'a(?:\S|b)', text)",
        r"re.compile(rb'\s')",
        r"re.compile(r'(?=\d)')",
        r"re.compile(r'(?:[a-z]+,?)+')",
        r"re.compile(r'(?:x(?:[a-z]*|y))*')",
        "text.isdigit()",
        "text.isspace()",
        "text.casefold()",
        "domain.encode('idna')",
        "domain.decode('punycode')",
        "unicodedata.normalize('NFKC', text)",
        "print(f'got {line}')",
        "open('x')",
        "eval(text)",
        "__import__('socket')",
        "base64.b64decode(text)",
        "binascii.a2b_base64(text, strict_mode=True)",
        "datetime.now()",
        "class A(metaclass=M): pass",
        "def take(self) -> bytearray: ...",
        "def take(self) -> tuple[memoryview, int]: ...",
    ],
)
def test_traps_are_seen(source):
    assert rules(source_rules.traps(source, "sample")), source


@pytest.mark.parametrize(
    "source",
    [
        "line.split(b' ')",
        "line.strip(b' \\t')",
        "line.rstrip(chars)",
        "re.compile(rb'[0-9]{1,20}')",
        "re.compile('[!#$%&]++')",
        r"re.compile(r'\d', re.ASCII)",
        r"re.compile(rb'\d')",
        r"re.compile(r'(?:[a-z]++,?)*+')",
        r"re.compile(r'(?:[a-z]{1,3},)*')",
        r"re.compile(r'(?>[a-z]+)+')",
        "def f():\n    found = base64.b64decode(text)\n    if base64.b64encode(found) != text: raise ValueError",
        "def _take(self) -> bytearray: ...",
        "def take(self) -> bytes: ...",
        "def f():\n    'Unlike splitlines(), which asserts nothing.'\n    # never .split()",
        "domain.encode('ascii')",
        "unicodedata.normalize('NFC', text)",
    ],
)
def test_what_is_no_trap_passes(source):
    assert not rules(source_rules.traps(source, "sample"))


@pytest.mark.parametrize(("room", "path"), PURE_FILES, ids=lambda value: name(value) if isinstance(value, Path) else "")
def test_no_traps(room, path):
    report(finding for finding in traps_in(path) if (name(path), finding.rule) not in ALLOWED)


def traps_in(path: Path) -> list[Finding]:
    return list(source_rules.traps(path.read_text("utf-8"), name(path)))


def test_what_is_allowed_is_still_needed():
    found = {(finding.where, finding.rule) for _, path in PURE_FILES for finding in traps_in(path)}
    assert set(ALLOWED) <= found


def patterns_of(module: types.ModuleType) -> Iterator[tuple[str, re.Pattern[Any]]]:
    """The compiled patterns that a module or its classes hold."""
    owners: list[Any] = [module, *(value for value in vars(module).values() if isinstance(value, type))]
    for owner in owners:
        for key, value in list(vars(owner).items()):
            if isinstance(value, re.Pattern):
                yield f"{owner.__name__}.{key}", value


def test_patterns_are_found():
    module = types.ModuleType("sample")
    module.BAD = re.compile(r"(?:[a-z]+\.?)+$")  # type: ignore[attr-defined]  # a module made for this test
    ((where, pattern),) = patterns_of(module)
    assert where == "sample.BAD"
    assert len(source_rules.pattern_problems(pattern.pattern, pattern.flags)) == 2


@pytest.mark.parametrize(("room", "path"), PURE_FILES, ids=lambda value: name(value) if isinstance(value, Path) else "")
def test_patterns_as_compiled(room, path):
    """The same for patterns that are put together from parts."""
    module = importlib.import_module(".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts))
    problems = [
        f"{where}: {problem}"
        for where, pattern in patterns_of(module)
        for problem in source_rules.pattern_problems(pattern.pattern, pattern.flags)
    ]
    assert not problems, "\n" + "\n".join(problems)


# --- doors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("wire", "import socket"),
        ("session", "import os.path"),
        ("session", "from time import monotonic"),
        ("table", "def f():\n    import logging"),
        ("message", "if TYPE_CHECKING:\n    import email.message"),
        ("delivery", "import random"),
        ("wire", "import dataclasses"),
        ("extensions", "from inspect import signature"),
        ("session", "import secrets"),
        ("extensions", "from hashlib import md5"),
        ("session", "import rich"),
        ("sasl", "import cryptography.x509"),
        ("policy", "import hmac"),
        ("policy", "from secrets import token_bytes"),
        ("policy", "from ..session import event"),
        ("wire", "from smtpcore import Reply"),
        ("wire", "from smtpcore.session import ClientConnection"),
        ("wire", "from .. import table"),
        ("wire", "from ..table import State"),
        ("table", "import smtpcore.session.event"),
        ("message", "from smtpcore import session"),
        ("message", "from ..table import State"),
        ("delivery", "from ..session import event"),
        ("sasl", "from ..extensions import AUTH"),
        ("errors", "from smtpcore.wire import Reply"),
    ],
)
def test_closed_doors_are_seen(room, source):
    assert rules(source_rules.forbidden_imports(source, "sample", room, f"smtpcore.{room}")), source


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("wire", "from ..errors import ParseError"),
        ("wire", "from .grammar import ATOM"),
        ("wire", "from . import grammar"),
        ("session", "from smtpcore.wire.reply import Reply"),
        ("session", "from .. import wire"),
        ("sasl", "import hmac, hashlib, secrets"),
        ("policy", "from hashlib import sha256"),
        ("wire", "from __future__ import annotations\nimport re\nfrom collections.abc import Mapping"),
        ("delivery", "import datetime\nfrom ..message import header"),
    ],
)
def test_open_doors_are_open(room, source):
    assert not rules(source_rules.forbidden_imports(source, "sample", room, f"smtpcore.{room}"))


@pytest.mark.law(13)
@pytest.mark.parametrize(("room", "path"), PURE_FILES, ids=lambda value: name(value) if isinstance(value, Path) else "")
def test_doors_of_the_pure_rooms(room, path):
    report(source_rules.forbidden_imports(path.read_text("utf-8"), name(path), room, package_of(path)))


def test_grammar_stands_at_the_bottom():
    """wire.grammar is what wire is built on: of the package it imports the errors at most."""
    path = PACKAGE / "wire" / "grammar.py"
    report(source_rules.forbidden_imports(path.read_text("utf-8"), name(path), "errors", "smtpcore.errors"))


def test_contracts_are_kept():
    pytest.importorskip("importlinter")
    if not CONFIG.is_file():
        pytest.skip("the contracts stand in pyproject.toml, which is not here")
    run = [sys.executable, "-c", "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"]
    done = subprocess.run([*run, "--no-cache"], cwd=CONFIG.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def contracts_without(config: dict[str, Any], existing: set[str]) -> list[str]:
    """Pure rooms that exist and that a contract over the pure rooms does not name."""
    missing = []
    for contract in config["tool"]["importlinter"]["contracts"]:
        expected = existing & PURE - (set(source_rules.KEEPERS) if contract["id"] == "secrets" else set())
        if contract["id"] in ("pure", "secrets"):
            named = {module.removeprefix("smtpcore.") for module in contract["source_modules"]}
            missing += [f"{contract['id']}: {room}" for room in sorted(expected - named)]
    return missing


def test_contracts_name_every_pure_room():
    """A contract cannot name a room before it exists; this says when it has to."""
    tomllib = pytest.importorskip("tomllib")
    if not CONFIG.is_file():
        pytest.skip("the contracts stand in pyproject.toml, which is not here")
    config = tomllib.loads(CONFIG.read_text("utf-8"))
    assert contracts_without(config, {"wire", "delivery", "sasl"}) == ["pure: delivery", "secrets: delivery"]
    assert contracts_without(config, {room for room, _ in FILES}) == []


# --- purity at run time --------------------------------------------------------------------------

LOADED = """
import sys, json
before = set(sys.modules)
sys.path.insert(0, sys.argv[1])
import {module}
print(json.dumps(sorted(set(sys.modules) - before)))
"""

#: Not loaded by ``import smtpcore``, not even by way of another module of the standard library.
NOT_LOADED = frozenset(
    "asyncio dataclasses email inspect logging random select selectors socket ssl subprocess threading trio".split()
)


def loaded_by(module: str, folder: Path) -> set[str]:
    """The modules that an import loads in an interpreter without site-packages."""
    command = [sys.executable, "-I", "-S", "-c", LOADED.format(module=module), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def impure(modules: set[str]) -> set[str]:
    """Those that ``import smtpcore`` must not load: they touch the world, are slow, or are not of the library."""
    tops = {module.partition(".")[0] for module in modules}
    return tops & NOT_LOADED | tops - sys.stdlib_module_names - {"smtpcore"}


def test_import_of_the_world_is_seen(tmp_path):
    (tmp_path / "outsider.py").write_text("")
    (tmp_path / "sample.py").write_text("import outsider, smtplib, dataclasses")
    assert impure(loaded_by("sample", tmp_path)) >= {"socket", "email", "dataclasses", "outsider", "sample"}


@pytest.mark.parametrize("module", ["smtpcore", "smtpcore.extensions", "smtpcore.session"])
def test_import_is_pure(module):
    loaded = loaded_by(module, PACKAGE.parent)
    assert "smtpcore" in loaded
    assert not impure(loaded)
    assert not {name for name in loaded if name.startswith(("smtpcore.flows", "smtpcore.adapters", "smtpcore.cli"))}


def test_import_loads_no_cryptography():
    assert not loaded_by("smtpcore.session", PACKAGE.parent) & source_rules.SECRETS


# --- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "comment",
    [
        "x = 1  # type: ignore",
        "x = 1  # type: ignore[attr-defined]",
        "x = 1  # noqa",
        "x = 1  # noqa: E501",
        "x = 1  # noqa: E501, F401",
        "x = 1  # pyright: ignore[reportAny]",
        "x = 1  # pragma: no cover",
        "x = 1  # type: ignore[misc]  # noqa: E501",
    ],
)
def test_bare_suppressions_are_seen(comment):
    assert rules(source_rules.bare_suppressions(comment, "sample"))


@pytest.mark.parametrize(
    "comment",
    [
        "x = 1  # type: ignore[attr-defined]  # the stub lacks it",
        "x = 1  # noqa: S105 - no password, a prompt",
        "x = 1  # pragma: no cover - only on Windows",
        "x = '# type: ignore'",
    ],
)
def test_suppressions_with_reasons_pass(comment):
    assert not rules(source_rules.bare_suppressions(comment, "sample"))


def test_unfinished_work_is_seen():
    assert rules(source_rules.unfinished("x = 1  # TODO later", "sample"))
    assert not rules(source_rules.unfinished("XXXVI = 36", "sample"))


@pytest.mark.parametrize(
    "text", ["# RFC 5321 section 4.1", "# RFC 5321 §4.5", "# RFC5321", "# RFC 5321, Section 2", "# rfc5321 4.1"]
)
def test_loose_references_are_seen(text):
    assert rules(source_rules.loose_references(text, "sample"))


@pytest.mark.parametrize("text", ["# RFC 5321 s4.1.1.4, RFC 2920 s3.1", "# what RFC 5321 says", "# RFC 5321 sD.1"])
def test_references_of_the_one_form_pass(text):
    assert not rules(source_rules.loose_references(text, "sample"))


def test_long_files_are_seen():
    assert rules(source_rules.too_long("x\n" * 401, "sample"))
    assert not rules(source_rules.too_long("x\n" * 400, "sample"))


@pytest.mark.parametrize("path", [path for _, path in FILES], ids=name)
def test_words_of_the_package(path):
    source = path.read_text("utf-8")
    for rule in (
        source_rules.bare_suppressions,
        source_rules.unfinished,
        source_rules.loose_references,
        source_rules.too_long,
    ):
        report(rule(source, name(path)))


def test_suppressions_in_the_tests_say_why():
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        if path != Path(__file__):
            report(source_rules.bare_suppressions(path.read_text("utf-8"), path.name))


# --- references ----------------------------------------------------------------------------------


def headings(text: str) -> set[str]:
    """The section numbers that an RFC's text has headings for."""
    return {found.rstrip(".") for found in re.findall(r"(?m)^ *(?:Appendix )?([0-9A-Z]+(?:\.[0-9]+)*\.?) +\S", text)}


def test_headings_are_found():
    text = "4.1.1.4.  DATA (DATA)\n\n   prose 4.9 here\nAppendix B.  Generating\nB.1.  One\n   4.5.3.  Sizes\n"
    assert headings(text) >= {"4.1.1.4", "B", "B.1", "4.5.3"}
    assert "4.9" not in headings(text)


def test_sections_named_in_the_source_exist():
    """Every ``RFC n sX`` names a section that the RFC has, for the RFCs at hand."""
    folder = corpus_folder()
    if folder is None or not (folder / "rfc").is_dir():
        pytest.skip(f"no texts of the RFCs: {MISSING}")
    texts = {path.stem: headings(path.read_text("utf-8", "replace")) for path in (folder / "rfc").glob("rfc*.txt")}
    unknown = []
    for _, path in FILES:
        for rfc, section in re.findall(r"\bRFC ([0-9]{3,5}) s([0-9A-Z]+(?:\.[0-9]+)*)", path.read_text("utf-8")):
            if f"rfc{rfc}" in texts and section not in texts[f"rfc{rfc}"]:
                unknown.append(f"{name(path)}: RFC {rfc} s{section}")
    assert not unknown


# --- the public face -----------------------------------------------------------------------------


def public_modules() -> list[types.ModuleType]:
    """smtpcore and its pure rooms, as far as they say what they offer."""
    names = ["smtpcore"]
    for info in pkgutil.walk_packages([str(PACKAGE)], "smtpcore."):
        if info.name.split(".")[1] in PURE:
            names.append(info.name)
    modules = [importlib.import_module(module) for module in names]
    return [module for module in modules if hasattr(module, "__all__")]


def face_problems(module: types.ModuleType) -> Iterator[str]:
    """Names that are not there, classes and functions that say nothing, classes that could be subclassed by chance."""
    if len(set(module.__all__)) != len(module.__all__):
        yield f"{module.__name__}.__all__ names something twice"
    for public in module.__all__:
        where = f"{module.__name__}.{public}"
        if not hasattr(module, public):
            yield f"{where} does not exist"
            continue
        value = getattr(module, public)
        if isinstance(value, type | types.FunctionType) and not (getattr(value, "__doc__", None) or "").strip():
            yield f"{where} has no docstring"
        if isinstance(value, type) and not may_be_subclassed(value) and not getattr(value, "__final__", False):
            yield f"{where} is not @final"


def may_be_subclassed(cls: type) -> bool:
    """Exceptions, enumerations, protocols, typed dicts, and what the package itself derives from or leaves abstract."""
    return (
        issubclass(cls, BaseException | Enum)
        or is_typeddict(cls)
        or getattr(cls, "_is_protocol", False)
        or bool(cls.__subclasses__())
        or getattr(cls, "__abstractmethods__", None) not in (None, frozenset())
    )


def test_a_bad_face_is_seen():
    class Open:
        pass

    def silent():
        pass

    module = types.ModuleType("sample")
    vars(module).update(Open=Open, silent=silent, __all__=["Open", "silent", "silent", "missing"])
    assert sorted(set(face_problems(module))) == [
        "sample.Open has no docstring",
        "sample.Open is not @final",
        "sample.__all__ names something twice",
        "sample.missing does not exist",
        "sample.silent has no docstring",
    ]


@pytest.mark.parametrize("module", public_modules(), ids=lambda module: module.__name__)
def test_public_face(module):
    problems = list(face_problems(module))
    assert not problems, "\n" + "\n".join(problems)


def test_values_have_no_dict():
    """Values are slotted: nothing can be hung on them, and they stay small."""
    public = [getattr(smtpcore, public) for public in smtpcore.__all__]
    classes = [cls for cls in public if isinstance(cls, type) and not issubclass(cls, BaseException | Enum)]
    values = [cls for cls in classes if cls.__module__.startswith(("smtpcore.wire.", "smtpcore.session.event"))]
    assert len(values) > 20
    assert not [cls.__name__ for cls in values if cls.__dictoffset__]


def test_typed():
    assert (PACKAGE / "py.typed").is_file()


def test_doors_are_known_for_every_pure_room():
    for room, doors in DOORS.items():
        assert room not in doors
        assert doors <= set(DOORS)
