"""Runs a script by hand: each of its effects is answered by the test, and nothing touches the world."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from smtpcore.flows.effect import Await, Close, Effect, Flow, Handshake, Read, Write

EOF = b""
TIMEOUT = TimeoutError("no answer in time")
RESET = ConnectionResetError("connection reset")


@dataclass
class Played:
    """What a script did, and how it ended."""

    effects: list[Effect] = field(default_factory=list)
    result: Any = None
    error: BaseException | None = None
    ended: bool = False

    @property
    def writes(self) -> list[bytes]:
        return [effect.data for effect in self.effects if isinstance(effect, Write)]

    @property
    def written(self) -> bytes:
        return b"".join(self.writes)

    @property
    def reads(self) -> list[Read]:
        return [effect for effect in self.effects if isinstance(effect, Read)]

    @property
    def handshakes(self) -> int:
        return sum(isinstance(effect, Handshake) for effect in self.effects)

    @property
    def closed(self) -> bool:
        return any(isinstance(effect, Close) for effect in self.effects)

    def value(self) -> Any:
        """The result of a script that came to its end."""
        if self.error is not None:
            raise self.error
        assert self.ended, "the script still waits"
        return self.result


def at_once(awaitable: Awaitable[Any]) -> Any:
    """The result of an awaitable that waits for nothing."""
    steps = awaitable.__await__()
    try:
        next(steps)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits for something")


class Stage:
    """A script on stage. ``go_on`` runs it to the next effect that only the test can answer."""

    def __init__(self, flow: Flow[Any]) -> None:
        self.flow = flow
        self.played = Played()

    def start(self) -> Effect | None:
        return self.go_on(None)

    def feed(self, *turns: bytes | BaseException | Callable[[], Any]) -> Effect | None:
        """Answer one Read or Handshake after the other. The last effect is returned, None at the end of the script."""
        effect: Effect | None = None
        for turn in turns:
            effect = self.go_on(turn() if callable(turn) else turn)
        return effect

    def go_on(self, value: Any) -> Effect | None:
        played = self.played
        while True:
            try:
                effect = self.flow.throw(value) if isinstance(value, BaseException) else self.flow.send(value)
            except StopIteration as stop:
                played.result, played.ended = stop.value, True
                return None
            except BaseException as error:
                played.error, played.ended = error, True
                return None
            played.effects.append(effect)
            value = None
            if isinstance(effect, Write) and effect.then is not None:
                effect = effect.then
                played.effects.append(effect)
            if isinstance(effect, Await):
                try:
                    value = at_once(effect.awaitable)
                except Exception as error:
                    value = error
            elif isinstance(effect, (Read, Handshake)):
                return effect


def play(flow: Flow[Any], *turns: bytes | BaseException | None) -> Played:
    """Run a script to its end. Each turn answers a Read or, when it is None or an exception, a Handshake."""
    stage = Stage(flow)
    effect = stage.start()
    for turn in turns:
        assert effect is not None, f"the script ended before {turn!r}: {stage.played.error!r}"
        if not isinstance(turn, BaseException):
            assert isinstance(effect, Handshake) == (turn is None), f"{effect!r} is not answered by {turn!r}"
        effect = stage.go_on(turn)
    assert stage.played.ended, f"the script still waits, having written {stage.played.written!r}"
    return stage.played
