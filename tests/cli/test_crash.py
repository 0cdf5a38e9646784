"""kill -9 at every step: 250 means there, once and whole; no 250 means not there, or there and whole."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from smtpcore.cli.maildir import Maildir
from tests.cli.commandline import CONTENT, Talk, files, messages, stuffed, untraced

STEPS = [
    *[("open", 1), ("open", 2), ("write", 1), ("write", 2), ("fstat", 1)],
    *[("fsync", 1), ("fsync", 2), ("close", 1), ("close", 2), ("rename", 1)],
]


@pytest.fixture(scope="module")
def mother() -> Iterator[subprocess.Popen[str]]:
    """What the servers that die are children of."""
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("crash_server.py"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(30) == 0


def serve_until_it_dies(mother: subprocess.Popen[str], folder: Path, step: str, nth: int, when: str) -> list[str]:
    """Send messages to a server until it dies; what it has said to each content."""
    assert mother.stdin is not None
    assert mother.stdout is not None
    mother.stdin.write(f"{folder} {step} {nth} {when}\n")
    mother.stdin.flush()
    where = mother.stdout.readline()
    assert where.startswith("listening on "), where
    verdicts = []
    try:
        with Talk(("127.0.0.1", int(where.rpartition(":")[2]))) as talk:
            while talk.envelope()[-1].startswith("354"):
                talk.write(stuffed(CONTENT))
                verdict = talk.reply()
                if verdict:
                    verdicts.append(verdict)
    except OSError:
        pass
    assert mother.stdout.readline() == f"died {int(signal.SIGKILL)}\n"
    return verdicts


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("step", "nth"), STEPS, ids=lambda value: str(value))
def test_killed_at(mother, tmp_path, step, nth, when):
    assert serve_until_it_dies(mother, tmp_path, step, nth, when) == []  # it has died before it could say anything
    found = messages(tmp_path)
    assert [untraced(message) for message in found] in ([], [CONTENT])
    # What was renamed is whole; what was not is no message, and stays none over any number of restarts.
    renamed = (step, nth, when) == ("rename", 1, "after") or (step, nth) in {("fsync", 2), ("close", 2)}
    assert len(found) == renamed
    left = files(tmp_path)["tmp"]
    assert left == (not renamed and (step, nth, when) != ("open", 1, "before"))
    for _ in range(2):
        maildir = Maildir(tmp_path)
        assert maildir.reap() == 0
        assert messages(tmp_path) == found
        assert files(tmp_path)["tmp"] == left
    assert maildir.reap(now=4e9) == left
    assert messages(tmp_path) == found


@pytest.mark.parametrize("when", ["before", "after"])
def test_250_is_still_true_after_the_crash(mother, tmp_path, when):
    """Killed within the third message, when 250 has been said to two."""
    verdicts = serve_until_it_dies(mother, tmp_path, "rename", 3, when)
    assert [verdict[:3] for verdict in verdicts] == ["250", "250"]
    found = messages(tmp_path)
    assert [untraced(message) for message in found] == [CONTENT] * (2 + (when == "after"))
    for verdict in verdicts:
        identity = verdict.rpartition(" ")[2].encode()
        assert sum(b" id " + identity in message for message in found) == 1
