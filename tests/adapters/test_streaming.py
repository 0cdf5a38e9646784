"""Large messages in constant memory, through a client and a server in one process."""

from __future__ import annotations

import functools
import hashlib
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from smtpcore.flows.handler import Served
from tests.adapters.running import ADAPTERS, EVERY_SERVER, serving, talk

LINE = b".a line of text that begins with a dot, like many a line does not, and that is longer than most\r\n"
PIECE = LINE * 1300
#: A dot in every tenth line: the most that can be expected of a gibibyte.
MIXED = (LINE + LINE[1:] * 9) * 130
MIB = 1024 * 1024


def pieces(size: int, piece: bytes = PIECE) -> Iterator[bytes]:
    sent = 0
    while sent < size:
        yield piece
        sent += len(piece)


@functools.cache
def digest(size: int, piece: bytes = PIECE) -> str:
    found = hashlib.blake2b()
    for each in pieces(size, piece):
        found.update(each)
    return found.hexdigest()


class Digesting:
    """Keeps nothing of a message but its digest."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.largest = 0

    def data(self, session: Served) -> None:
        session.data = hashlib.blake2b()

    def content(self, session: Served, chunk: bytes) -> None:
        session.data.update(chunk)
        self.largest = max(self.largest, len(chunk))

    def message(self, session: Served) -> None:
        self.found.append(session.data.hexdigest())


def peak_of(adapter: str, client: str, size: int, piece: bytes = PIECE, **options: Any) -> tuple[int, Digesting]:
    """The most memory that a message of that size took on its way, both ends together."""
    handler = Digesting()
    of_client = options.pop("of_client", {})

    async def body(connection: Any) -> Any:
        # Everything that is made once is made before.
        assert (await connection.send(None, ["b@h.edu"], pieces(2 * MIB))).all_accepted
        tracemalloc.start()
        try:
            outcome = await connection.send(None, ["b@h.edu"], pieces(size, piece))
            return outcome, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    with serving(adapter, handler, size=0, **options) as server:
        outcome, peak = talk(client, server.address, body, **of_client)
    assert outcome.all_accepted
    return peak, handler


@EVERY_SERVER
@pytest.mark.parametrize("client", ADAPTERS)
def test_8_mib_pass_as_they_are(adapter, client):
    peak, handler = peak_of(adapter, client, 8 * MIB)
    assert handler.found[-1] == digest(8 * MIB)
    assert peak < 6 * MIB


@EVERY_SERVER
def test_64_mib_take_no_more_memory_than_8(adapter):
    peak, handler = peak_of(adapter, adapter, 64 * MIB)
    assert handler.found[-1] == digest(64 * MIB)
    assert peak < 6 * MIB


@EVERY_SERVER
def test_over_tls(adapter, certificates):
    options: Any = {"tls": "implicit", "ssl_context": certificates.server}
    options["of_client"] = {"tls": "implicit", "ssl_context": certificates.trusting}
    peak, handler = peak_of(adapter, adapter, 12 * MIB, **options)
    assert handler.found[-1] == digest(12 * MIB)
    assert peak < 8 * MIB


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_one_gib():
    """Over one library: that a longer message takes no more memory was shown for each."""
    peak, handler = peak_of("asyncio", "asyncio", 1024 * MIB, MIXED)
    assert handler.found[-1] == digest(1024 * MIB, MIXED)
    assert peak < 6 * MIB
