"""What the script says belongs together goes in one write: a small content and its end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from smtpcore import ClientConnection, LocalProtocolError, Mailbox
from smtpcore.adapters.trampoline import run, run_blocking
from smtpcore.flows.content import SMALL, octets_of
from smtpcore.flows.effect import Close, Flow, Read, Write
from smtpcore.flows.outcome import Outcome, Status
from smtpcore.flows.submit import submit
from tests.flows.fakeserver import connected

WAYS = pytest.mark.parametrize("way", ["async", "blocking"])
ENVELOPE = b"250 ok\r\n250 ok\r\n354 go\r\n"


class World:
    """Takes what is written, up to the write that is to fail, and answers reads in order."""

    def __init__(self, *answers: bytes, fails: int = 0, error: BaseException | None = None) -> None:
        self.answers = list(answers)
        self.fails = fails
        self.error = error or ConnectionResetError("gone")
        self.writes: list[bytes] = []
        self.ended: list[str] = []

    def write(self, data: bytes) -> None:
        self.writes.append(data)
        if len(self.writes) == self.fails:
            raise self.error

    def read(self, effect: Read) -> bytes:
        return self.answers.pop(0) if self.answers else b""

    def handshake(self) -> None:
        raise AssertionError

    def close(self) -> None:
        self.ended.append("close")

    def abort(self) -> None:
        self.ended.append("abort")


class Async:
    """The same, to be awaited."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def write(self, data: bytes) -> None:
        self.world.write(data)

    async def read(self, effect: Read) -> bytes:
        return self.world.read(effect)

    async def handshake(self) -> None:
        self.world.handshake()

    async def close(self) -> None:
        self.world.close()

    def abort(self) -> None:
        self.world.abort()


def driven(way: str, flow: Flow[Any], world: World) -> Any:
    return asyncio.run(run(flow, Async(world))) if way == "async" else run_blocking(flow, world)


def message(content: Any) -> tuple[ClientConnection, Flow[Outcome]]:
    machine = connected("PIPELINING")
    return machine, submit(machine, None, [Mailbox.parse("bob@hamburger.edu")], octets_of(content))


@WAYS
def test_a_small_content_goes_with_its_end(way):
    world = World(ENVELOPE, b"250 taken\r\n")
    _, flow = message(b"Subject: crepes\r\n\r\nHello\r\n")
    assert driven(way, flow, world).all_accepted
    assert world.writes[1:] == [b"Subject: crepes\r\n\r\nHello\r\n.\r\n"]


@WAYS
def test_a_large_content_does_not_wait(way):
    content = b"x" * (SMALL - 1) + b"\r\n"
    world = World(ENVELOPE, b"250 taken\r\n")
    _, flow = message(content)
    assert driven(way, flow, world).all_accepted
    assert world.writes[1:] == [content, b".\r\n"]


@WAYS
def test_pieces_do_not_wait_for_each_other(way):
    """Whoever makes them may take long for the next."""
    world = World(ENVELOPE, b"250 taken\r\n")
    _, flow = message(iter([b"one\r\n", b"two\r\n"]))
    assert driven(way, flow, world).all_accepted
    assert world.writes[1:] == [b"one\r\n", b"two\r\n", b".\r\n"]


@WAYS
@pytest.mark.parametrize("error", [ConnectionResetError("gone"), TimeoutError("too long")], ids=repr)
def test_a_write_with_the_final_dot_in_it_that_fails_leaves_open_what_became_of_it(way, error):
    world = World(ENVELOPE, fails=2, error=error)
    _, flow = message(b"Hello\r\n")
    outcome = driven(way, flow, world)
    assert [each.status for each in outcome.recipients] == [Status.UNKNOWN]
    assert outcome.error is error
    assert world.ended == ["close"]


@WAYS
def test_a_refusal_said_before_it_failed_is_heard(way):
    world = World(ENVELOPE, b"552 too much\r\n", fails=2)
    _, flow = message(b"Hello\r\n")
    outcome = driven(way, flow, world)
    assert [(each.status, str(each.reply)) for each in outcome.recipients] == [(Status.REFUSED, "552 too much")]


@WAYS
@pytest.mark.parametrize("content", [b"bare\rreturn\r\n", b"bare return at the end\r"])
def test_a_content_that_cannot_end_has_no_final_dot(way, content):
    world = World(ENVELOPE, b"250 taken\r\n")
    _, flow = message(content)
    with pytest.raises(LocalProtocolError):
        driven(way, flow, world)
    assert len(world.writes) == 1
    assert world.ended == ["close"]


@pytest.mark.parametrize("size", [0, 1, SMALL - 1, SMALL, SMALL + 1])
def test_what_is_small(size):
    octets = b"x" * size
    source = octets_of(octets)
    assert source.whole == (octets if size <= SMALL else None)
    assert b"".join(source.chunks) == octets  # type: ignore[arg-type]  # plain octets make plain chunks


def test_it_is_one_write_for_any_driver():
    """Lost, it leaves open what became of the message: the final dot was in it."""
    _, flow = message(b"Hello\r\n")
    effects = [next(flow), flow.send(None), flow.send(ENVELOPE)]
    assert isinstance(effects[2], Write)
    assert effects[2].data == b"Hello\r\n.\r\n"
    last_words = flow.throw(ConnectionResetError("gone"))
    assert isinstance(last_words, Read)
    assert isinstance(flow.send(b""), Close)
    with pytest.raises(StopIteration) as stop:
        next(flow)
    assert [each.status for each in stop.value.value.recipients] == [Status.UNKNOWN]
