"""What the docs draw from the code at build time: the support table, the state diagrams, the reference pages.

``rfc-support``
    a table of the sections of RFCs that the source refers to.
``transitions``
    a drawing and a table of states and transitions, from the object named as ``module:attribute``.
``extension-list``
    a table of the extensions in the set named as ``module:attribute``, and the transitions of those that have any.
``{{ room smtpcore.wire }}`` on a line of its own
    the reference of a room: each of its modules with its public members.
``{{ extension smtpcore.extensions.size:SIZE }}`` on a line of its own
    the page of an extension, see :mod:`extension_pages`.
``{{ adapter matrix }}`` on a line of its own
    what each adapter can do, see :mod:`adapter_matrix`.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from pathlib import Path
from types import WrapperDescriptorType
from typing import Any, ParamSpec, TypeVar, TypeVarTuple

import adapter_matrix
import extension_pages
import rfc_references
import state_diagrams
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


def _table(headings: list[str], widths: list[int], lines: list[list[nodes.Node]]) -> nodes.table:
    """A table of cells, each of them a paragraph's content."""
    group = nodes.tgroup("", *[nodes.colspec(colwidth=width) for width in widths], cols=len(widths))
    head, body = nodes.thead(), nodes.tbody()
    head += nodes.row("", *[nodes.entry("", nodes.paragraph(text=text)) for text in headings])
    for line in lines:
        body += nodes.row("", *[nodes.entry("", nodes.paragraph("", "", cell)) for cell in line])
    group += [head, body]
    return nodes.table("", group)


class RfcSupport(SphinxDirective):
    """The table of the sections that the source refers to."""

    def run(self) -> list[nodes.Node]:
        """One table for each RFC, under a heading of its own."""
        package = Path(importlib.import_module("smtpcore").__file__ or "").parent
        for path in package.rglob("*.py"):
            self.env.note_dependency(str(path))
        found: list[nodes.Node] = []
        for rfc, sections in rfc_references.collect(package).items():
            lines: list[list[nodes.Node]] = []
            for section, files in sections.items():
                link = nodes.reference("", section, refuri=rfc_references.address(rfc, section))
                where = ", ".join(f"{file}:{','.join(map(str, at))}" for file, at in files.items())
                lines.append([link, nodes.literal("", where)])
            heading = nodes.section("", nodes.title(text=f"RFC {rfc}"), ids=[f"rfc-{rfc}"])
            heading += _table(["Section", "Where"], [12, 88], lines)
            found.append(heading)
        if not found:
            raise self.error("the source refers to no RFC")
        return found


def _named(directive: SphinxDirective, name: str) -> Any:
    """The object that ``module:attribute`` names; the page is built anew when its module changes."""
    module, _, path = name.partition(":")
    found: Any = importlib.import_module(module)
    for attribute in path.split("."):
        found = getattr(found, attribute)
    source = sys.modules[module].__file__
    if source:
        directive.env.note_dependency(source)
    return found


def _transitions(transitions: Any, title: str) -> list[nodes.Node]:
    """The drawing (for HTML), then the rows."""
    drawn = state_diagrams.svg(transitions, title)
    drawing = nodes.raw("", f'<figure class="states">{drawn}</figure>', format="html")
    lines: list[list[nodes.Node]] = [
        [nodes.Text(state), nodes.literal("", verb), nodes.Text(digit), nodes.Text(target)]
        for state, verb, digit, target in state_diagrams.rows(transitions)
    ]
    return [drawing, _table(["In state", "command", "answered", "leads to"], [25, 25, 20, 30], lines)]


class TransitionsDirective(SphinxDirective):
    """A table of transitions, drawn and written out."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The drawing and the rows; a table without rows is an error."""
        name = self.arguments[0]
        transitions = _named(self, name)
        if not transitions:
            raise self.error(f"{name} has no transitions")
        return _transitions(transitions, f"States and transitions of {name.replace(':', '.')}")


class ExtensionList(SphinxDirective):
    """What the extensions of a set add to the conversation."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """One table of all, then a section for each that brings rows of the table of states."""
        lines: list[list[nodes.Node]] = []
        sections: list[nodes.Node] = []
        for extension in _named(self, self.arguments[0]):
            keys = (extension.mail_parameters, extension.rcpt_parameters)
            mail, rcpt = (" ".join(key.keyword for key in part) for part in keys)
            verbs = " ".join(state_diagrams.verb(verb) for verb in extension.verbs)
            texts = [nodes.Text(text) for text in (extension.rfc, mail, rcpt, verbs)]
            lines.append([nodes.literal("", extension.keyword), *texts])
            if extension.transitions:
                identifier = f"transitions-{extension.keyword.lower()}"
                section = nodes.section("", nodes.title(text=f"Transitions of {extension.keyword}"), ids=[identifier])
                section += _transitions(extension.transitions, f"Transitions of {extension.keyword}")
                sections.append(section)
        if not lines:
            raise self.error(f"{self.arguments[0]} holds no extensions")
        return [_table(["Keyword", "Defined in", "MAIL", "RCPT", "Commands"], [25, 20, 15, 15, 25], lines), *sections]


_ROOM = re.compile(r"(?m)^\{\{ room ([a-z_.]+) \}\}$")


def room(name: str) -> str:
    """The MyST source of a room's reference."""
    module = importlib.import_module(name)
    names = [name]
    if hasattr(module, "__path__"):
        names += [info.name for info in pkgutil.iter_modules(module.__path__, f"{name}.") if _public(info.name)]
    parts = []
    for member in names:
        # What a package re-exports is described where it is defined.
        options = "" if member == name and len(names) > 1 else "\n   :members:\n   :show-inheritance:"
        heading = "" if member == name else f"## {member}\n\n"
        parts.append(f"{heading}```{{eval-rst}}\n.. automodule:: {member}{options}\n```\n")
    return "\n".join(parts)


def _public(name: str) -> bool:
    return not name.rpartition(".")[2].startswith("_")


def expand_rooms(app: Sphinx, page: str, source: list[str]) -> None:
    """Puts the reference of a room, or the page of an extension, where a page asks for it."""
    text = _ROOM.sub(lambda found: room(found[1]), source[0])
    source[0] = adapter_matrix.expand(extension_pages.expand(text))


#: Packages that an adapter or a command needs; their docs are not at hand when these are built.
_OTHERS = frozenset({"trio", "rich", "dns"})


def find_elsewhere(app: Sphinx, env: Any, node: Any, content: nodes.TextElement) -> nodes.Node | None:
    """What a reference leads to that is not described here.

    Names of the standard library get a link to Python's docs, without an inventory being fetched: the name is looked up
    in the running interpreter, so one that does not exist is still a warning. Type variables and private names, which
    signatures show, stay plain text.
    """
    target = node.get("reftarget", "")
    top = target.partition(".")[0]
    if node.get("refdomain") != "py":
        return None
    if top in _OTHERS:
        return content
    found = _look_up(target)
    if found is None:
        return None
    page, value = found
    if top in sys.stdlib_module_names:
        anchor = target if page != target else f"module-{page}"
        uri = f"https://docs.python.org/3/library/{page}.html#{anchor}"
        return nodes.reference("", "", content, internal=False, refuri=uri, reftitle=f"(in Python) {target}")
    if isinstance(value, TypeVar | ParamSpec | TypeVarTuple) or target.rpartition(".")[2].startswith("_"):
        return content
    return None


def _look_up(target: str) -> tuple[str, Any] | None:
    """The module that a dotted name begins with, and what the whole name stands for."""
    parts = target.split(".")
    for length in range(len(parts), 0, -1):
        module = ".".join(parts[:length])
        try:
            value: Any = importlib.import_module(module)
        except ImportError:
            continue
        try:
            for attribute in parts[length:]:
                value = getattr(value, attribute)
        except AttributeError:
            return None
        return module, value
    return None


def skip_borrowed(app: Sphinx, what: str, name: str, member: Any, skip: bool, options: Any) -> bool | None:
    """Leaves out methods of ``object`` that a module uses under a name of its own."""
    return True if what == "module" and isinstance(member, WrapperDescriptorType) else None


def setup(app: Sphinx) -> dict[str, Any]:
    """Registers all of it."""
    app.add_directive("rfc-support", RfcSupport)
    app.add_directive("transitions", TransitionsDirective)
    app.add_directive("extension-list", ExtensionList)
    app.connect("source-read", expand_rooms)
    app.connect("autodoc-skip-member", skip_borrowed)
    app.connect("missing-reference", find_elsewhere)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
