"""What may not stand in the source, as functions from source text to findings.

Each rule is a trap that mail software has fallen into, or a door that opens one way only. They read the syntax tree, so
a comment or a docstring may name what code may not do.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

# The parser behind re: it tells what a pattern means, where a look at its text would guess.
from re import _constants as sre  # type: ignore[attr-defined]  # private, and the only way to take a pattern apart
from re import _parser as sre_parser  # type: ignore[attr-defined]  # the same
from typing import Any, NamedTuple


class Finding(NamedTuple):
    """One place in the source that breaks a rule."""

    where: str
    line: int
    rule: str

    def __str__(self) -> str:
        return f"{self.where}:{self.line}: {self.rule}"


# --- rooms ---------------------------------------------------------------------------------------

#: Each pure room and the rooms that it may import from, itself aside.
DOORS: dict[str, frozenset[str]] = {
    "errors": frozenset(),
    "wire": frozenset({"errors"}),
    "table": frozenset({"errors", "wire"}),
    "extensions": frozenset({"errors", "wire", "table"}),
    "session": frozenset({"errors", "wire", "table", "extensions"}),
    "sasl": frozenset({"errors", "wire"}),
    "message": frozenset({"errors", "wire"}),
    "policy": frozenset({"errors", "wire"}),
    "delivery": frozenset({"errors", "wire", "message"}),
}

#: Rooms that are machines or values only: no I/O, no clock, nothing outside the standard library.
PURE = frozenset(DOORS)

#: What the pure rooms import from nowhere, not even in a function or for a type checker.
WORLD = frozenset(
    "asyncio concurrent email logging multiprocessing os pathlib random select selectors shutil signal smtplib socket "
    "ssl subprocess tempfile threading time trio".split()
)

#: What takes longer to import than all of smtpcore.
SLOW = frozenset({"dataclasses", "inspect"})

#: Cryptography, which is the business of the SASL mechanisms.
SECRETS = frozenset({"hashlib", "hmac", "secrets"})

#: Who may know it: a policy compares digests of certificates, which everybody may see (RFC 6698 s2.1.3).
KEEPERS: dict[str, frozenset[str]] = {"sasl": SECRETS, "policy": frozenset({"hashlib"})}


def rooms(package: Path) -> Iterator[tuple[str, Path]]:
    """Every source file of the package with the room that it belongs to."""
    for path in sorted(package.rglob("*.py")):
        inside = path.relative_to(package).with_suffix("").parts
        yield inside[0], path


def _imported(node: ast.Import | ast.ImportFrom, package: str) -> Iterator[str]:
    """The full names of what a statement imports, as seen from a module of ``package``."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    base = node.module or ""
    if node.level:
        parents = package.split(".")
        parents = parents[: len(parents) - node.level + 1]
        base = ".".join([*parents, base] if base else parents)
    # "from smtpcore import wire" imports a room, "from smtpcore.wire import Reply" a name of one.
    if base == "smtpcore":
        yield from (f"{base}.{alias.name}" for alias in node.names)
    else:
        yield base


def forbidden_imports(source: str, where: str, room: str, package: str) -> Iterator[Finding]:
    """Imports that a pure room may not make. ``package`` is the one that relative imports start from."""
    allowed = DOORS[room] | {room}
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        for name in _imported(node, package):
            top, _, rest = name.partition(".")
            if top == "smtpcore":
                target = rest.partition(".")[0]
                if target not in allowed:
                    yield Finding(where, node.lineno, f"{room} may not import {name}: {_doors(room)}")
            elif top in WORLD:
                yield Finding(where, node.lineno, f"a pure room imports {top}")
            elif top in SLOW:
                yield Finding(where, node.lineno, f"{top} is slow to import")
            elif top in SECRETS - KEEPERS.get(room, frozenset()):
                yield Finding(where, node.lineno, f"{room} may not know {top}")
            elif top != "__future__" and top not in sys.stdlib_module_names:
                yield Finding(where, node.lineno, f"{top} is not in the standard library")


def _doors(room: str) -> str:
    return f"its doors lead to {', '.join(sorted(DOORS[room])) or 'no other room'}"


# --- patterns ------------------------------------------------------------------------------------

_RE_CALLS = frozenset({"compile", "match", "fullmatch", "search", "split", "findall", "finditer", "sub", "subn"})
_UNICODE_CLASSES = {
    sre.CATEGORY_DIGIT: r"\d",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_NOT_SPACE: r"\S",
    sre.CATEGORY_WORD: r"\w",
    sre.CATEGORY_NOT_WORD: r"\W",
}


def pattern_problems(pattern: str | bytes, flags: int = 0) -> list[str]:
    """What is wrong with a regular expression over a peer's octets."""
    state = sre_parser.State()
    parsed = sre_parser.parse(pattern, flags & ~re.DEBUG, state)
    ascii_only = isinstance(pattern, bytes) or bool((flags | state.flags) & re.ASCII)
    return list(dict.fromkeys(_walk_pattern(parsed, isinstance(pattern, bytes), ascii_only, False)))


def _walk_pattern(parsed: Any, octets: bool, ascii_only: bool, repeated: bool) -> Iterator[str]:
    """Problems of a parsed pattern. ``repeated``: it stands in a repetition without end that may backtrack."""
    for op, argument in parsed:
        if op is sre.AT and argument is sre.AT_END:
            yield "'$' also matches before a final newline: use fullmatch"
        elif op is sre.CATEGORY and argument in _UNICODE_CLASSES:
            name = _UNICODE_CLASSES[argument]
            if not ascii_only:
                yield f"{name} in a str pattern means all of Unicode"
            elif name in (r"\s", r"\S"):
                yield rf"{name} counts \x0b and \x0c as spaces"
        elif op is sre.IN:
            yield from _walk_pattern(argument, octets, ascii_only, repeated)
        elif op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            _, most, body = argument
            endless = most is sre.MAXREPEAT and op is not sre.POSSESSIVE_REPEAT
            if endless and repeated:
                yield "a repetition inside a repetition, both of which backtrack: make them possessive"
            yield from _walk_pattern(body, octets, ascii_only, repeated or endless)
        elif op is sre.ATOMIC_GROUP:
            yield from _walk_pattern(argument, octets, ascii_only, False)
        elif op is sre.SUBPATTERN:
            yield from _walk_pattern(argument[-1], octets, ascii_only, repeated)
        elif op in (sre.ASSERT, sre.ASSERT_NOT):
            yield from _walk_pattern(argument[1], octets, ascii_only, repeated)
        elif op is sre.BRANCH:
            for branch in argument[1]:
                yield from _walk_pattern(branch, octets, ascii_only, repeated)
        elif op is sre.GROUPREF_EXISTS:
            for branch in argument[1:]:
                if branch is not None:
                    yield from _walk_pattern(branch, octets, ascii_only, repeated)


# --- traps ---------------------------------------------------------------------------------------

_NO_ARGUMENTS = {"split": "white space", "rsplit": "white space", "strip": "", "lstrip": "", "rstrip": ""}
_UNICODE_TESTS = frozenset({"isdigit", "isdecimal", "isnumeric", "isspace", "casefold"})
_CLOCKS = frozenset({"now", "utcnow", "today"})
_BASE64_DECODERS = frozenset({"a2b_base64", "b64decode", "decodebytes", "standard_b64decode"})
_BASE64_TRAP = "even strict base64 takes what no encoder writes: encode again and compare"
_BASE64_ENCODERS = frozenset({"b2a_base64", "b64encode", "encode_base64", "encodebytes", "standard_b64encode"})


def traps(source: str, where: str) -> Iterator[Finding]:
    """Constructs of Python that go wrong on a peer's octets."""
    tree = ast.parse(source)
    careful = _compared_base64(tree)
    for node in ast.walk(tree):
        if node not in careful:
            for rule in _node_traps(node):
                yield Finding(where, getattr(node, "lineno", 0), rule)


def _called(node: ast.AST) -> str:
    """The last name of what a call calls."""
    function = node.func if isinstance(node, ast.Call) else None
    return getattr(function, "attr", getattr(function, "id", ""))


def _compared_base64(tree: ast.AST) -> set[ast.AST]:
    """The calls that decode base64 in functions that also encode it, to compare."""
    careful: set[ast.AST] = set()
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            calls = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
            if any(_called(call) in _BASE64_ENCODERS for call in calls):
                careful.update(call for call in calls if _called(call) in _BASE64_DECODERS)
    return careful


def _node_traps(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Assert):
        yield "assert is no check: it disappears with -O"
    elif isinstance(node, ast.ClassDef):
        if any(keyword.arg == "metaclass" for keyword in node.keywords):
            yield "no metaclasses"
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        if not node.name.startswith("_") and node.returns is not None:
            names = {part.id for part in ast.walk(node.returns) if isinstance(part, ast.Name)}
            for name in sorted(names & {"bytearray", "memoryview"}):
                yield f"{node.name} hands out a {name}"
    elif isinstance(node, ast.Call):
        yield from _call_traps(node)


def _call_traps(node: ast.Call) -> Iterator[str]:
    function = node.func
    if isinstance(function, ast.Name):
        if function.id == "print":
            yield "print: the library says nothing by itself"
        elif function.id in ("eval", "exec", "__import__", "input", "open"):
            yield f"{function.id}() has no place in a pure room"
        elif function.id in _BASE64_DECODERS:
            yield _BASE64_TRAP
        return
    if not isinstance(function, ast.Attribute):
        return
    name = function.attr
    first = node.args[0] if node.args else None
    if name == "splitlines":
        yield "splitlines() ends lines at more than CRLF"
    elif name in _NO_ARGUMENTS and (first is None or (isinstance(first, ast.Constant) and first.value is None)):
        if not any(keyword.arg in ("sep", "chars") for keyword in node.keywords):
            yield f"{name}() without an argument eats every kind of white space"
    elif name in _UNICODE_TESTS:
        yield f"{name}() knows more letters and digits than SMTP: match a pattern"
    elif name in _CLOCKS:
        yield f"{name}() reads a clock"
    elif name in ("encode", "decode") and isinstance(first, ast.Constant) and first.value in ("idna", "punycode"):
        yield f'{name}("{first.value}") changes the address by NFKC'
    elif name == "normalize" and isinstance(first, ast.Constant) and first.value in ("NFKC", "NFKD"):
        yield "compatibility normalization makes different addresses equal"
    elif name in _BASE64_DECODERS:
        yield _BASE64_TRAP
    elif name in _RE_CALLS and isinstance(function.value, ast.Name) and function.value.id == "re":
        if isinstance(first, ast.Constant) and isinstance(first.value, str | bytes):
            yield from pattern_problems(first.value, _literal_flags(node))


def _literal_flags(node: ast.Call) -> int:
    """The flags of a call to re that are written out as ``re.X``."""
    flags = 0
    for argument in [*node.args[1:], *(keyword.value for keyword in node.keywords)]:
        for part in ast.walk(argument):
            if isinstance(part, ast.Attribute) and isinstance(getattr(re, part.attr, None), re.RegexFlag):
                flags |= int(getattr(re, part.attr))
    return flags


# --- words ---------------------------------------------------------------------------------------

_SUPPRESSION = re.compile(
    r"#\s*(type:\s*ignore|noqa|pragma:\s*no\s*(?:cover|branch)|pyright:\s*ignore)(\[[^\]]*\]|:\s*[A-Z]+[0-9]+(?:[,\s]+[A-Z]+[0-9]+)*)?"
)
_UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
_LOOSE_REFERENCE = re.compile(
    r"\bRFC ?[0-9]{3,5},?\s*(?:§|\(?(?:[Ss]ections?|[Ss]ec\.?)\b|s\s+[0-9])|\brfc[0-9]{3,5}\s*s?[0-9]|\bRFC[0-9]{3,5}\b"
)


def _comments(source: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def bare_suppressions(source: str, where: str) -> Iterator[Finding]:
    """Comments that silence a tool without a code, or without saying why."""
    for line, comment in _comments(source):
        for found in _SUPPRESSION.finditer(comment):
            what = found[1]
            if found[2] is None and not what.startswith("pragma"):
                yield Finding(where, line, f"{what} silences everything: name the code")
            reason = _SUPPRESSION.sub("", comment[found.start() :])
            if len(re.findall(r"[^\W\d_]{2,}", reason)) < 2:
                yield Finding(where, line, f"{what} does not say why")


def unfinished(source: str, where: str) -> Iterator[Finding]:
    """Marks of work left undone."""
    for number, line in enumerate(source.split("\n"), 1):
        found = _UNFINISHED.search(line)
        if found:
            yield Finding(where, number, f"{found[1]} in the product")


def loose_references(source: str, where: str) -> Iterator[Finding]:
    """References to an RFC in any form but ``RFC 5321 s4.1.1.4``, which the docs' table cannot see."""
    for number, line in enumerate(source.split("\n"), 1):
        found = _LOOSE_REFERENCE.search(line)
        if found:
            yield Finding(where, number, f"write {found[0]!r} as 'RFC 5321 s4.1.1.4'")


def too_long(source: str, where: str, limit: int = 400) -> Iterator[Finding]:
    """A file that has stopped being one thing."""
    lines = source.count("\n") + (not source.endswith("\n"))
    if lines > limit:
        yield Finding(where, lines, f"{lines} lines, {limit} at most")
