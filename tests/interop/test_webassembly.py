"""Another Python: CPython in WebAssembly (Pyodide), which has no sockets, threads or processes, and is a newer one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import smtpcore
from tests.interop import machinery

pytestmark = pytest.mark.interop


def test_the_core_does_the_same_without_a_system():
    """Both machines, octet by octet and whole, hostile input, scripts in memory, header values: word for word."""
    modules = machinery.node_modules("pyodide")
    folder = Path(smtpcore.__file__).parent.parent
    script = machinery.HERE / "without_a_system.py"
    runner = machinery.HERE / "in_webassembly.js"
    here = machinery.run([sys.executable, str(script)], env={"PYTHONPATH": str(folder)}).check()
    there = machinery.run(
        [machinery.program("node"), str(runner), str(folder), str(script)], env={"NODE_PATH": str(modules)}
    ).check()
    kind, *told = there.output.splitlines()
    assert kind.startswith("emscripten ")
    assert told == here.output.splitlines()[1:]
    assert len(told) > 100
