"""What the connections of an asyncio server share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cached_property
from time import monotonic
from typing import Protocol

from .listening import Listening

__all__ = ["Hub", "Open"]


class Open(Protocol):
    """What can be stopped: a connection, or one that has yet to say whose it is."""

    def drain(self) -> None:
        """Let a client that is idle go."""

    def abort(self) -> None:
        """Cut it off."""


class Hub(Listening):
    """What the connections of a server share."""

    loop: asyncio.AbstractEventLoop  #: The one that the server was entered in.
    time: Callable[[], float]  #: Its clock.
    _empty: asyncio.Event | None = None

    @cached_property
    def connections(self) -> set[Open]:
        """Those that are open now."""
        return set()

    def enter(self, loop: asyncio.AbstractEventLoop) -> None:
        """Serve in that loop."""
        self.loop = loop
        # Where the loop has no clock of its own it is asked for without a step through Python.
        own = getattr(loop.time, "__func__", None) is not asyncio.BaseEventLoop.time
        self.time = loop.time if own else monotonic

    def left(self, connection: Open) -> None:
        """A connection is over."""
        self.connections.discard(connection)
        if not self.connections and self._empty is not None:
            self._empty.set()
