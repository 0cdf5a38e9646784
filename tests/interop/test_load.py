"""Postfix's smtp-source in numbers: many sessions at once, and nothing lost, doubled or changed."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from tests.interop import clients
from tests.interop.clients import Job
from tests.interop.receiving import ADAPTERS, Keeper, serving

pytestmark = [pytest.mark.interop, pytest.mark.slow]

MESSAGE_ID = re.compile(rb"\r\nMessage-Id: <([^>]+)>\r\n")


def digest(content: bytes) -> bytes:
    """The Message-ID, which smtp-source uses once, and a hash of the body, which is the same in all of a run."""
    header, _, body = content.partition(b"\r\n\r\n")
    found = MESSAGE_ID.search(header + b"\r\n")
    assert found is not None
    return found[1] + b" " + hashlib.sha256(body).hexdigest().encode()


def body(length: int) -> bytes:
    """What smtp-source -l sends: numbered lines of 80 octets, one line of up to 80 more, and its end."""
    lines = [b"%d%s\r\n" % (at // 80 % 10, b"X" * 77) for at in range(80, length, 80)]
    return b"".join(lines) + b"X" * (length - 80 * len(lines)) + b"\r\n"


def load(
    adapter: str, folder: Path, count: int, length: int, *switches: str, sessions: int = 16
) -> tuple[Keeper, list[bytes]]:
    keeper = Keeper(digest)
    with serving(adapter, keeper) as server:
        job = Job(server.port, b"")
        clients.smtp_source(job, folder, *switches, messages=count, sessions=sessions, length=length).check()
        kept = [got.content for got in keeper.wait(count)]
    assert len({each.split(b" ")[0] for each in kept}) == count
    assert len({each.split(b" ")[1] for each in kept}) == 1
    return keeper, kept


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("reuse", [True, False], ids=["sessions-reused", "a-session-each"])
def test_thousands_of_messages_of_4_kib(tmp_path: Path, adapter: str, reuse: bool) -> None:
    count = 10_000 if reuse else 2000
    keeper, _ = load(adapter, tmp_path, count, 4096, *(["-d"] if reuse else []))
    assert keeper.connections == (16 if reuse else count)
    assert keeper.aborts == 0


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("reuse", [True, False], ids=["sessions-reused", "a-session-each"])
def test_messages_of_1_mib(tmp_path: Path, adapter: str, reuse: bool) -> None:
    _, kept = load(adapter, tmp_path, 64, 1 << 20, *(["-d"] if reuse else []))
    assert kept[0].split(b" ")[1].decode() == hashlib.sha256(body(1 << 20)).hexdigest()


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_messages_to_a_hundred_recipients(tmp_path: Path, adapter: str) -> None:
    keeper, _ = load(adapter, tmp_path, 100, 4096, "-d", "-r", "100")
    assert {len(set(got.recipients)) for got in keeper.received} == {100}
