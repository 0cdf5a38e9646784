"""Work, counted and not timed: the opcodes that the package executes, and the octets that it lets C look at.

Opcodes alone would not see a search that starts anew at every octet, because it is one opcode however long it takes.
So the octets handed in are of a kind that adds up what is searched, copied or compared of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from math import log
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import smtpcore

PACKAGE = str(Path(smtpcore.__file__).parent)


class Meter:
    """The octets looked at so far."""

    octets = 0


def _span(data: bytes | bytearray, sub: bytes, start: int, end: int | None, found: int) -> None:
    stop = len(data) if end is None else min(end, len(data))
    Meter.octets += (found + len(sub) if found >= 0 else max(stop, start)) - start


class Counted(bytes):
    """Octets that count what is done with them, and so do those cut from them."""

    __slots__ = ()

    def find(self, sub: Any, start: Any = 0, end: Any = None) -> int:
        found = super().find(sub, start, len(self) if end is None else end)
        _span(self, sub, start, end, found)
        return found

    def rfind(self, sub: Any, start: Any = 0, end: Any = None) -> int:
        stop = len(self) if end is None else min(end, len(self))
        found = super().rfind(sub, start, stop)
        Meter.octets += stop - (found if found >= 0 else start)
        return found

    def split(self, *args: Any, **keywords: Any) -> list[bytes]:
        Meter.octets += len(self)
        return [Counted(part) for part in super().split(*args, **keywords)]

    def rsplit(self, *args: Any, **keywords: Any) -> list[bytes]:
        Meter.octets += len(self)
        return [Counted(part) for part in super().rsplit(*args, **keywords)]

    def decode(self, *args: Any, **keywords: Any) -> str:
        Meter.octets += len(self)
        return super().decode(*args, **keywords)

    def translate(self, *args: Any, **keywords: Any) -> bytes:
        Meter.octets += len(self)
        return Counted(super().translate(*args, **keywords))

    def __contains__(self, sub: Any) -> bool:
        return self.find(sub) >= 0

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        if isinstance(found, int):
            return found
        Meter.octets += len(found)
        return Counted(found)

    def __add__(self, other: Any) -> bytes:
        Meter.octets += len(self) + len(other)
        return Counted(super().__add__(other))

    def __radd__(self, other: Any) -> bytes:
        Meter.octets += len(self) + len(other)
        return Counted(other + bytes(self))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, bytes) and len(other) == len(self):
            Meter.octets += len(self)
        return super().__eq__(other)

    def __hash__(self) -> int:
        Meter.octets += len(self)
        return super().__hash__()


class CountedArray(bytearray):
    """The same for what a buffer holds; taking octets off its front and adding some at its end costs no copy."""

    def __init__(self, data: Any = b"") -> None:
        super().__init__(data)
        Meter.octets += len(self)

    def find(self, sub: Any, start: Any = 0, end: Any = None) -> int:
        found = super().find(sub, start, len(self) if end is None else end)
        _span(self, sub, start, end, found)
        return found

    def __getitem__(self, key: Any) -> Any:
        found = super().__getitem__(key)
        if not isinstance(found, int):
            Meter.octets += len(found)
        return found

    def __delitem__(self, key: Any) -> None:
        start = key.start or 0
        Meter.octets += 1 if start == 0 else len(self) - start
        super().__delitem__(key)

    def __iadd__(self, other: Any) -> CountedArray:  # type: ignore[misc]  # bytearray has it, and adds no other kind
        Meter.octets += len(other)
        super().__iadd__(other)
        return self


def cost(work: Callable[[], object]) -> int:
    """The opcodes that the package executes in that work, and the octets looked at."""
    Meter.octets = 0
    if sys.version_info >= (3, 12):
        opcodes = _monitored(work)
    else:
        opcodes = _traced(work)
    return opcodes + Meter.octets


def _traced(work: Callable[[], object]) -> int:
    opcodes = 0

    def inside(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal opcodes
        if event == "opcode":
            opcodes += 1
        return inside

    def enter(frame: FrameType, event: str, argument: object) -> Any:
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return inside

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        work()
    finally:
        sys.settrace(before)
    return opcodes


if sys.version_info >= (3, 12):
    _TOOL = 4  # no debugger, no profiler and no coverage

    def _monitored(work: Callable[[], object]) -> int:
        monitoring, instruction = sys.monitoring, sys.monitoring.events.INSTRUCTION
        opcodes = 0

        def executed(code: CodeType, offset: int) -> object:
            nonlocal opcodes
            if not code.co_filename.startswith(PACKAGE):
                return monitoring.DISABLE
            opcodes += 1
            return None

        monitoring.use_tool_id(_TOOL, "counting")
        monitoring.register_callback(_TOOL, instruction, executed)
        monitoring.set_events(_TOOL, instruction)
        try:
            work()
        finally:
            monitoring.set_events(_TOOL, 0)
            monitoring.register_callback(_TOOL, instruction, None)
            monitoring.free_tool_id(_TOOL)
        return opcodes


def growth(work: Callable[[int], Callable[[], object]], small: int, factor: int = 4) -> float:
    """The exponent by which the cost of ``work(size)`` grows from one size to ``factor`` times that size."""
    first, second = cost(work(small)), cost(work(small * factor))
    return log(second / first) / log(factor)
