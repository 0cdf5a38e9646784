"""Trampolines: what maps the effects of a script to the calls of a library, for async and for blocking code."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, Final, Protocol, TypeVar

from ..flows.effect import Await, Close, Flow, Handshake, Read, Write
from ..sasl.channel import Channel

__all__ = ["AsyncWorld", "BlockingWorld", "finish", "run", "run_blocking"]

T = TypeVar("T")


class AsyncWorld(Protocol):
    """A connection of an async library. Its methods raise OSError when it is lost, TimeoutError when time is up."""

    async def write(self, data: bytes) -> None:
        """Write all of it."""
        ...

    async def read(self, effect: Read) -> bytes:
        """The next octets; ``b""`` at the end of the stream."""
        ...

    async def handshake(self) -> Channel | None:
        """Do the TLS handshake, and say what it has shown."""
        ...

    async def close(self) -> None:
        """Close in an orderly way."""
        ...

    def abort(self) -> None:
        """Close at once."""
        ...


class BlockingWorld(Protocol):
    """The same for blocking code."""

    def write(self, data: bytes) -> None:
        """Write all of it."""
        ...

    def read(self, effect: Read) -> bytes:
        """The next octets; ``b""`` at the end of the stream."""
        ...

    def handshake(self) -> Channel | None:
        """Do the TLS handshake, and say what it has shown."""
        ...

    def close(self) -> None:
        """Close in an orderly way."""
        ...

    def abort(self) -> None:
        """Close at once."""
        ...


async def run(flow: Flow[T], world: AsyncWorld) -> T:
    """Run a script to its end, and return or raise what it does. Cancelled, it leaves the connection cut."""
    value: Any = None
    error: BaseException | None = None
    while True:
        try:
            effect = flow.send(value) if error is None else flow.throw(error)
        except StopIteration as stop:
            result: T = stop.value
            return result
        value = error = None
        try:
            if isinstance(effect, Write):
                value = await _write(effect, world)
            elif isinstance(effect, Read):
                value = await world.read(effect)
            elif isinstance(effect, Await):
                value = await effect.awaitable
            elif isinstance(effect, Handshake):
                value = await world.handshake()
            elif isinstance(effect, Close):
                await world.close()
        except Exception as caught:  # noqa: BLE001 - it belongs to the script, whatever it is
            error = caught
        except BaseException:
            world.abort()  # within an exchange: what came next would answer the wrong question
            flow.close()
            raise


def run_blocking(flow: Flow[T], world: BlockingWorld) -> T:
    """Run a script to its end, and return or raise what it does. Interrupted, it leaves the connection cut."""
    value: Any = None
    error: BaseException | None = None
    while True:
        try:
            effect = flow.send(value) if error is None else flow.throw(error)
        except StopIteration as stop:
            result: T = stop.value
            return result
        value = error = None
        try:
            if isinstance(effect, Write):
                value = _write_blocking(effect, world)
            elif isinstance(effect, Read):
                value = world.read(effect)
            elif isinstance(effect, Await):
                value = finish(effect.awaitable)
            elif isinstance(effect, Handshake):
                value = world.handshake()
            elif isinstance(effect, Close):
                world.close()
        except Exception as caught:  # noqa: BLE001 - it belongs to the script, whatever it is
            error = caught
        except BaseException:
            world.abort()
            flow.close()
            raise


async def _write(effect: Write, world: AsyncWorld) -> bytes | None:
    if effect.then is None:
        await world.write(effect.data)
        return None
    try:
        await world.write(effect.data)
    except TimeoutError as late:
        raise ConnectionAbortedError(_NOT_TAKEN) from late
    return await world.read(effect.then)


def _write_blocking(effect: Write, world: BlockingWorld) -> bytes | None:
    if effect.then is None:
        world.write(effect.data)
        return None
    try:
        world.write(effect.data)
    except TimeoutError as late:
        raise ConnectionAbortedError(_NOT_TAKEN) from late
    return world.read(effect.then)


_NOT_TAKEN: Final = "the peer does not take what is written"


def finish(awaitable: Awaitable[Any]) -> Any:
    """The result of a coroutine that never waits. Raises TypeError for one that does."""
    steps = awaitable.__await__()
    try:
        next(steps)
    except StopIteration as stop:
        return stop.value
    if hasattr(steps, "close"):
        steps.close()
    raise TypeError("here nothing can be awaited: use plain functions and iterables")
