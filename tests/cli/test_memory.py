"""A message of 64 MiB takes no more memory than one of 64 KiB, in the server and in the user agent."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.commandline import Process, Talk, messages

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

MIB = 1 << 20
LINE = b"0123456789abcdef" * 4 + b"\r\n"
#: What allocators and caches may add to the same work.
SLACK = 6 * MIB
SEND = """
import resource, sys
from smtpcore.cli import main
status = main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
sys.exit(status)
"""


def peak(process: Process) -> int:
    """The most octets of memory that a process has had at one time."""
    status = Path(f"/proc/{process.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].partition("kB")[0]) * 1024


def put(talk: Talk, size: int) -> None:
    talk.envelope()
    block = LINE * 1000
    for _ in range(size // len(block)):
        talk.write(block)
    talk.write(b".\r\n")
    assert talk.reply().startswith("250")
    assert talk.say("RSET")[0].startswith("250")


def test_the_server(tmp_path):
    size = 64 * MIB
    command = ["-m", "smtpcore", "serve", "127.0.0.1:0", "--maildir", tmp_path, "--size", 2 * size]
    with Process(*command) as process, Talk(process.address()) as talk:
        put(talk, 2 * MIB)
        before = peak(process)
        put(talk, size)
        assert peak(process) - before < SLACK
    assert sorted(len(message) // MIB for message in messages(tmp_path)) == [1, 63]


def test_the_user_agent(tmp_path):
    found = []
    with Process("-m", "smtpcore", "serve", "127.0.0.1:0", "--maildir", tmp_path / "m", "--size", 1 << 30) as server:
        host, port = server.address()
        for size in (2 * MIB, 64 * MIB):
            path = tmp_path / "file"
            with path.open("wb") as file:
                file.truncate(size)
            to = ["--server", f"{host}:{port}", "--from", "alice@crepes.fr", "--to", "bob@hamburger.edu"]
            with Process("-c", SEND, "send", *to, "--attach", path) as process:
                status, out, error = process.end()
                assert (status, error) == (0, "")
                found.append(int(out.split("\n")[-2]))
    assert found[1] - found[0] < SLACK
