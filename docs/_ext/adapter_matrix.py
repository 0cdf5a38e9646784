"""What each adapter can do, as a table in MyST, drawn from the signatures and classes of the adapters.

``{{ adapter matrix }}`` on a line of its own is replaced by it. An option of ``connect``, ``serve`` or ``send``, or a
method of what they give, has a row of its own as soon as one of the adapters has it, and a mark for each that does.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable
from typing import Any, get_args

ASKED = re.compile(r"(?m)^\{\{ adapter matrix \}\}$")
ADAPTERS = ("asyncio", "trio", "blocking", "memory")

Names = Callable[[Any], "list[str]"]


def options(function: Any) -> list[str]:
    """The options of a call, those in a TypedDict that it unpacks with them."""
    found: list[str] = []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            found.append(name)
        elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
            owner = inspect.unwrap(function.__init__ if inspect.isclass(function) else function)
            # Of this one alone: what the others name may be imported for type checkers only.
            unpacking = eval(owner.__annotations__[name], owner.__globals__)
            for unpacked in get_args(unpacking):
                found += list(unpacked.__annotations__)
    return found


def methods(kind: Any) -> list[str]:
    """The public methods and properties of a class."""
    return [name for name, _ in inspect.getmembers(kind) if not name.startswith("_") and name != "machine"]


def _of_link(adapter: Any, name: str) -> Any:
    """What is called ``name`` in an adapter; the one in memory has a Link with a method in place of two functions."""
    link = getattr(adapter, "Link", None)
    if link is None:
        return getattr(adapter, name)
    return link.connect if name == "connect" else link


#: What a server has for those who run it; the rest is for its own connections.
_SERVER = ("address", "serve_forever", "close", "connect")


def _for_users(names: list[str]) -> list[str]:
    return [name for name in _SERVER if name in names]


ROWS: tuple[tuple[str, Names], ...] = (
    ("option of `connect`", lambda adapter: options(_of_link(adapter, "connect"))),
    ("option of `send`", lambda adapter: options(adapter.Client.send)),
    ("of a client", lambda adapter: methods(adapter.Client)),
    ("option of `serve`", lambda adapter: options(_of_link(adapter, "serve"))),
    ("of a server", lambda adapter: _for_users(methods(getattr(adapter, "Server", None) or adapter.Link))),
    ("option of `Pool`", lambda adapter: options(adapter.Pool) if hasattr(adapter, "Pool") else []),
    ("of a pool", lambda adapter: methods(adapter.Pool) if hasattr(adapter, "Pool") else []),
)


def table() -> str:
    """The rows, in MyST."""
    adapters = [importlib.import_module(f"smtpcore.adapters.{name}") for name in ADAPTERS]
    lines = ["| | | " + " | ".join(ADAPTERS) + " |", "|---|---|" + ":-:|" * len(ADAPTERS)]
    for title, names in ROWS:
        held = [names(adapter) for adapter in adapters]
        every = dict.fromkeys(name for found in held for name in found)
        for name in every:
            marks = " | ".join("✓" if name in found else "" for found in held)
            lines.append(f"| {title} | `{name}` | {marks} |")
            title = ""
    return "\n".join(lines) + "\n"


def expand(source: str) -> str:
    """The source of a page with the table put in."""
    return ASKED.sub(lambda found: table(), source)
