"""Law 16: an adapter is a trampoline. What SMTP says and means is decided elsewhere, once for all of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import smtpcore.adapters

pytestmark = pytest.mark.law(16)

ROOM = Path(smtpcore.adapters.__file__).parent
FILES = sorted(path for path in ROOM.glob("*.py") if path.name != "__init__.py")

#: Rooms below that an adapter may know: the scripts, what their values are called in its own signatures, and who judges
#: the certificates that only an adapter sees.
KNOWN = {
    "flows", "session.client", "session.server", "wire.address", "wire.capabilities", "wire.proxy", "wire.reply",
    "policy.verdict", "policy.peer", "sasl.channel",
}  # fmt: skip
#: Names out of modules that otherwise are none of an adapter's business, and what for.
EXCEPTIONS = {
    ("client.py", "wire.command", "Command"): "the type of an argument that is handed on",
    ("client.py", "extensions", "XClient"): "the same",
    ("client.py", "extensions", "Atrn"): "the same",
}
#: Where a reply is written, and the only one: before there is a machine that could say it.
REPLIES = {"listening.py": {421}}

VERBS = re.compile(r"\b(EHLO|HELO|LHLO|MAIL FROM|RCPT TO|DATA|RSET|VRFY|EXPN|QUIT|STARTTLS|AUTH|BDAT)\b")


def imports(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """What a file imports from other rooms of the package: module and name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == 2:
            for name in node.names:
                yield node.module or "", name.name


def strings(tree: ast.AST) -> Iterator[str]:
    """Literal texts and octets, but for docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docstrings:
            if isinstance(node.value, str):
                yield node.value
            elif isinstance(node.value, bytes):
                yield node.value.decode("latin-1")


def decisions(source: str, name: str) -> list[str]:
    """What a file decides that is not its to decide."""
    tree = ast.parse(source)
    found = []
    for module, imported in imports(tree):
        room = module.split(".")[0]
        if module in KNOWN or room in KNOWN or (name, module, imported) in EXCEPTIONS:
            continue
        found.append(f"imports {imported} from {module}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and type(node.value) is int and 200 <= node.value <= 599:
            if node.value not in REPLIES.get(name, set()):
                found.append(f"mentions {node.value}")
        if isinstance(node, ast.Attribute) and node.attr in ("code", "enhanced", "is_positive"):
            found.append(f"looks at the {node.attr} of a reply")
        if isinstance(node, ast.Attribute) and node.attr in ("next_event", "data_to_send", "receive_data"):
            found.append(f"drives a machine by {node.attr}")
    found += [
        f"speaks of {text!r}" for text in strings(tree) if VERBS.search(text) or re.match(r"[2-5][0-9]{2}[ -]", text)
    ]
    return found


@pytest.mark.parametrize(
    "source",
    [
        "from ..wire.command import Quit",
        "from ..wire.reply import Reply\nBUSY = Reply(450, 'later')",
        "from ..extensions import STARTTLS",
        "from ..table import State",
        "if reply.code == x: pass",
        "sock.sendall(b'QUIT\\r\\n')",
        "sock.sendall(b'421 no\\r\\n')",
        "machine.next_event()",
    ],
)
def test_a_decision_is_seen(source):
    assert decisions(source, "sample.py")


def test_the_adapters_are_looked_at():
    expected = {"asyncio.py", "asyncio_connection.py", "asyncio_server.py", "blocking.py", "memory.py", "trio.py"}
    assert expected <= {path.name for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_an_adapter_decides_nothing(path):
    assert decisions(path.read_text("utf-8"), path.name) == []


def test_every_exception_is_still_needed():
    for name, module, imported in EXCEPTIONS:
        tree = ast.parse((ROOM / name).read_text("utf-8"))
        assert (module, imported) in set(imports(tree))
    assert "Reply(421" in (ROOM / "listening.py").read_text("utf-8")
