"""What maps effects to calls: results go in, errors go in, and a script that is cancelled leaves nothing open."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

import pytest

from smtpcore.adapters.trampoline import finish, run, run_blocking
from smtpcore.flows.effect import Await, Close, Effect, Flow, Handshake, Read, Write


class World:
    """Answers from a list, and keeps what it was asked."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def _do(self, name: str) -> Any:
        self.asked.append(name)
        answer = self.answers.get(name)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def write(self, data: bytes) -> None:
        self._do("write")

    def read(self, effect: Read) -> bytes:
        return self._do("read")

    def handshake(self) -> None:
        self._do("handshake")

    def close(self) -> None:
        self._do("close")

    def abort(self) -> None:
        self._do("abort")


class AsyncWorld(World):
    async def write(self, data: bytes) -> None:  # type: ignore[override]  # the same method, awaited in this world
        self._do("write")

    async def read(self, effect: Read) -> bytes:  # type: ignore[override]  # the same method, awaited in this world
        return self._do("read")

    async def handshake(self) -> None:  # type: ignore[override]  # the same method, awaited in this world
        self._do("handshake")

    async def close(self) -> None:  # type: ignore[override]  # the same method, awaited in this world
        self._do("close")


async def value(of: Any) -> Any:
    return of


def driven(way: str, flow: Flow[Any], **answers: Any) -> tuple[Any, World]:
    if way == "async":
        world = AsyncWorld(**answers)
        return asyncio.run(run(flow, world)), world
    plain = World(**answers)
    return run_blocking(flow, plain), plain


WAYS = pytest.mark.parametrize("way", ["async", "blocking"])


@WAYS
def test_each_effect_is_asked_of_the_world_and_its_result_sent_back(way):
    def flow() -> Flow[Any]:
        results = []
        effects: list[Effect] = [Write(b"x"), Read(1.0), Handshake(), Await(value("awaited")), Close()]
        for each in effects:
            results.append((yield each))
        return results

    result, world = driven(way, flow(), read=b"octets")
    assert result == [None, b"octets", None, "awaited", None]
    assert world.asked == ["write", "read", "handshake", "close"]


@WAYS
def test_a_read_follows_a_write_in_one_effect(way):
    def flow() -> Flow[Any]:
        return (yield Write(b"x", Read(1.0)))

    result, world = driven(way, flow(), read=b"octets")
    assert result == b"octets"
    assert world.asked == ["write", "read"]


@WAYS
@pytest.mark.parametrize("late", ["write", "read"])
def test_which_of_the_two_was_late(way, late):
    """A peer that does not read is none that does not speak: nothing can be said to it."""
    error = TimeoutError("late")

    def flow() -> Flow[Any]:
        try:
            yield Write(b"x", Read(1.0))
        except OSError as caught:
            return caught

    result, world = driven(way, flow(), **{late: error})
    if late == "read":
        assert result is error
        assert world.asked == ["write", "read"]
    else:
        assert type(result) is ConnectionAbortedError
        assert result.__cause__ is error
        assert world.asked == ["write"]


@WAYS
@pytest.mark.parametrize("name", ["write", "read", "handshake", "close"])
def test_what_goes_wrong_is_thrown_in(way, name):
    error = ConnectionResetError("gone")
    effects: dict[str, Effect] = {"write": Write(b""), "read": Read(1.0), "handshake": Handshake(), "close": Close()}

    def flow() -> Flow[Any]:
        try:
            yield effects[name]
        except ConnectionResetError as caught:
            return caught

    assert driven(way, flow(), **{name: error})[0] is error


@WAYS
def test_what_an_awaitable_raises_is_thrown_in(way):
    error = ValueError("mine")

    async def failing() -> None:
        raise error

    def flow() -> Flow[Any]:
        try:
            yield Await(failing())
        except ValueError as caught:
            return caught

    assert driven(way, flow())[0] is error


@WAYS
def test_what_a_script_does_not_catch_comes_out(way):
    def flow() -> Flow[Any]:
        yield Write(b"")

    with pytest.raises(BrokenPipeError):
        driven(way, flow(), write=BrokenPipeError())


@WAYS
@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_cuts_the_connection_and_closes_the_script(way, stop):
    closed = []

    def flow() -> Flow[Any]:
        try:
            yield Read(1.0)
        finally:
            closed.append(True)

    world: Any = AsyncWorld(read=stop()) if way == "async" else World(read=stop())
    with pytest.raises(stop):
        at_once(run(flow(), world)) if way == "async" else run_blocking(flow(), world)
    assert world.asked == ["read", "abort"]
    assert closed == [True]


def at_once(coroutine: Any) -> None:
    try:
        coroutine.send(None)
    finally:
        coroutine.close()


class Pause:
    """An awaitable that waits once."""

    def __await__(self) -> Generator[Any, None, str]:
        yield
        return "waited"


def test_finish_is_for_what_waits_for_nothing():
    assert finish(value(5)) == 5
    with pytest.raises(TypeError, match="nothing can be awaited"):
        finish(Pause())

    async def waits() -> None:
        await Pause()

    with pytest.raises(TypeError, match="nothing can be awaited"):
        finish(waits())


def test_an_awaitable_without_close():
    class Steps:
        def __iter__(self) -> Steps:
            return self

        def __next__(self) -> None:
            return None

    class Odd:
        def __await__(self) -> Any:
            return Steps()

    with pytest.raises(TypeError):
        finish(Odd())
