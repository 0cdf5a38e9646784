"""What can be seen of a machine, and the ways in which its input can be cut."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from enum import Enum
from typing import Any, NamedTuple

from smtpcore import ContentReceived, Secret, State
from smtpcore.extensions import ExtensionSet
from smtpcore.wire.value import Value

# -- cutting --------------------------------------------------------------------------------------


def octets(data: bytes) -> list[bytes]:
    """One octet at a time."""
    return [data[i : i + 1] for i in range(len(data))]


def two_splits(data: bytes) -> Iterator[list[bytes]]:
    """Every way to cut it in two."""
    for i in range(1, len(data)):
        yield [data[:i], data[i:]]


def all_cuts(data: bytes) -> Iterator[list[bytes]]:
    """Octet by octet, and every way to cut it in two."""
    yield octets(data)
    yield from two_splits(data)


# -- looking --------------------------------------------------------------------------------------

_PLAIN = (str, bytes, int, float, type(None), Value, Enum, ExtensionSet, Secret, type)


def snapshot(thing: Any) -> Any:
    """All there is in a machine, down to its private parts, in a form that can be compared."""
    if isinstance(thing, _PLAIN) or callable(thing):
        return thing
    if isinstance(thing, bytearray):
        return bytes(thing)
    if isinstance(thing, BaseException):
        return type(thing), thing.args
    if isinstance(thing, (list, tuple, deque)):
        return [snapshot(each) for each in thing]
    if isinstance(thing, (dict, frozenset, set)):
        return {key: snapshot(thing[key]) for key in thing} if isinstance(thing, dict) else thing
    return type(thing).__name__, {name: snapshot(getattr(thing, name)) for name in slots(thing)}


def slots(thing: Any) -> list[str]:
    """The names of all attributes that an object has of its own."""
    names = [name for cls in type(thing).__mro__ for name in getattr(cls, "__slots__", ())]
    return sorted(name for name in {*names, *getattr(thing, "__dict__", ())} - _CACHES if hasattr(thing, name))


#: What a look may fill in without anything having changed.
_CACHES = frozenset(("planned", "_searched"))


class Trace(NamedTuple):
    """What one side did to a machine."""

    events: list[Any]
    output: bytes
    state: State
    buffered: int
    transaction: Any
    error: str

    @property
    def kinds(self) -> list[str]:
        """The names of the events."""
        return [type(event).__name__ for event in self.events]

    @property
    def codes(self) -> list[int]:
        """The codes of the replies that went out, one for each reply."""
        return codes(self.output)

    @property
    def content(self) -> bytes:
        """All content that was reported."""
        return b"".join([event.data for event in self.events if isinstance(event, ContentReceived)])

    def count(self, kind: type) -> int:
        """How many events of that kind there were."""
        return sum(isinstance(event, kind) for event in self.events)


def codes(output: bytes) -> list[int]:
    """The codes of the replies in ``output``; each line must be one of a reply, and none may be cut short."""
    assert output.endswith(b"\r\n") or not output
    lines = output.split(b"\r\n")[:-1]
    assert all(line[:3].isdigit() and line[3:4] in {b"-", b" "} for line in lines), lines
    return [int(line[:3]) for line in lines if line[3:4] == b" "]


def join(events: list[Any], event: Any) -> None:
    """Add an event; content behind content becomes one."""
    if isinstance(event, ContentReceived) and events and isinstance(events[-1], ContentReceived):
        events[-1] = ContentReceived(events[-1].data + event.data)
    else:
        events.append(event)
