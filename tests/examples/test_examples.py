"""Each example runs by itself, ends by itself, and shows what it says it shows."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"

SHOWS = {
    "asyncio_server_to_file.py": ["250 2.0.0 stored as 1.eml", "1.eml: 7800072 octets"],
    "client_outcomes.py": [
        "bob@hamburger.edu: accepted (250 2.0.0 message accepted) -> done",
        "carol@hamburger.edu: refused for now (450 4.2.1 mailbox busy) -> try again later",
        "dave@hamburger.edu: refused (550 5.1.1 no such mailbox) -> tell the sender",
        "bob@mx.example: unknown (the server closed the connection) -> a second try may make a duplicate",
    ],
    "raw_blocking_loop.py": [
        "client: RCPT: 550 relay access denied",
        "server: 90 octets from alice@crepes.fr",
        "client: QUIT: 221 closing connection",
    ],
    "smtp_over_queue.py": ["the server says: 250 message accepted", "in the mailbox: True, octet for octet"],
    "trio_server.py": [
        "bob@hamburger.edu: accepted (250 2.0.0 message 2 taken)",
        "dora@hamburger.edu: refused (550 5.1.1 no such mailbox here)",
        "the server has 2 messages",
    ],
}


def test_each_example_is_run():
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(SHOWS)


@pytest.mark.parametrize("name", SHOWS)
def test_example(name):
    if name.startswith("trio"):
        pytest.importorskip("trio")
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / name)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.split("\n")
    assert [line for line in SHOWS[name] if line not in lines] == []


@pytest.mark.parametrize("name", SHOWS)
def test_example_is_short_and_says_what_it_shows(name):
    source = (EXAMPLES / name).read_text("utf-8")
    assert source.count("\n") <= 80
    assert len((ast.get_docstring(ast.parse(source)) or "").split("\n")) > 2
