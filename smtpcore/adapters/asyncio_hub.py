"""What the connections of an asyncio server share."""

from __future__ import annotations

import asyncio
from functools import cached_property
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
    _empty: asyncio.Event | None = None

    @cached_property
    def connections(self) -> set[Open]:
        """Those that are open now."""
        return set()

    def left(self, connection: Open) -> None:
        """A connection is over."""
        self.connections.discard(connection)
        if not self.connections and self._empty is not None:
            self._empty.set()
