"""The page of an extension, as MyST, made from the file that the extension is defined in.

``{{ extension smtpcore.extensions.chunking:CHUNKING }}`` on a line of its own is replaced by it: what the file says
of it, what stands behind the keyword, the parameters with the comments that stand above them, the commands, and what
a server checks before its application is asked.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

ASKED = re.compile(r"(?m)^\{\{ extension ([a-z0-9_.]+):([A-Z0-9_]+) \}\}$")


def comment_above(source: str, name: str) -> str:
    """The ``#:`` comment that stands above the assignment of a name in a source text; empty when there is none."""
    lines = source.split("\n")
    for number, line in enumerate(lines):
        if re.match(rf"{re.escape(name)}\b[^=]*=(?!=)", line):
            above: list[str] = []
            while number and lines[number - 1].startswith("#:"):
                number -= 1
                above.insert(0, lines[number][2:].strip())
            return " ".join(above)
    return ""


def name_of(module: Any, value: object) -> str | None:
    """What a value is called in a module."""
    return next((name for name, held in vars(module).items() if held is value and not name.startswith("__")), None)


def summary(documented: object) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(documented) or "").split("\n\n")[0].split())


def _linked(rfc: str) -> str:
    found = re.fullmatch(r"RFC ([0-9]+)", rfc)
    return f"[{rfc}](https://www.rfc-editor.org/rfc/rfc{found[1]})" if found else rfc


def _parameters(module: Any, keys: Any) -> Iterator[str]:
    for key in keys:
        name = name_of(module, key)
        told = comment_above(inspect.getsource(module), name) if name else ""
        yield f"`{key.keyword}`" + (f": {_plain(told)}" if told else "")


def _plain(text: str) -> str:
    """A comment or docstring without the roles of reStructuredText, which this page is not written in."""
    return re.sub(r":[a-z:]+:`~?([^`<]*?)(?: <[^>]*>)?`", r"`\1`", text).replace("``", "`")


def _checks(extension: Any) -> Iterator[str]:
    for command, check in extension.checks.items():
        yield f"{command.verb}: {_plain(summary(check))}"
    said: dict[Any, list[str]] = {}
    for key, check in extension.parameter_checks.items():
        said.setdefault(check, []).append(f"`{key.keyword}`")
    for check, keywords in said.items():
        yield f"{', '.join(keywords)}: {_plain(summary(check))}"


def _list(items: Iterator[str]) -> str:
    return "".join([f"- {item}\n" for item in items])


def page(module_name: str, name: str) -> str:
    """The MyST source of the page of one extension."""
    module = importlib.import_module(module_name)
    extension = getattr(module, name)
    source = inspect.getsource(module)
    parts = [
        f"```{{eval-rst}}\n.. py:currentmodule:: {module_name}\n\n{inspect.getdoc(module)}\n```\n\n",
        f"{_plain(comment_above(source, name))}\n\n",
        "| | |\n|---|---|\n",
        f"| keyword in the reply to EHLO | `{extension.keyword}` |\n",
        f"| defined in | {_linked(extension.rfc)} |\n",
        f"| value | {{py:data}}`{name} <{module_name}.{name}>`, also in `smtpcore.extensions` |\n\n",
    ]
    for title, items in (
        ("Behind the keyword", _parameters(module, [extension.argument] if extension.argument else [])),
        ("Parameters of MAIL", _parameters(module, extension.mail_parameters)),
        ("Parameters of RCPT", _parameters(module, extension.rcpt_parameters)),
        (
            "Commands",
            (
                f"{{py:class}}`{verb.verb} <{verb.__module__}.{verb.__qualname__}>`: {_plain(summary(verb))}"
                for verb in extension.verbs
            ),
        ),
        ("What a server checks by itself", _checks(extension)),
    ):
        listed = _list(items)
        if listed:
            parts.append(f"## {title}\n\n{listed}\n")
    if extension.transitions:
        parts.append(f"## States\n\n```{{transitions}} {module_name}:{name}.transitions\n```\n")
    return "".join(parts)


def expand(source: str) -> str:
    """The source of a page with what it asks for put in."""
    return ASKED.sub(lambda found: page(found[1], found[2]), source)
