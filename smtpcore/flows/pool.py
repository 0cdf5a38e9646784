"""Roster: which connection of a pool serves whom, decided without a connection: time is an argument.

An adapter asks, does what it is told, and says what has become of it. Nothing here waits, opens or
closes anything, so that every order of events can be tried out.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any, Final, final

from ..wire.value import Value, assign

__all__ = ["Grant", "PoolLimits", "Roster", "Ticket"]


@final
class PoolLimits(Value):
    """How many connections a pool has, and for how long. Each is exact: the number itself is still allowed.

    Raises ValueError for numbers with which nothing could be sent.
    """

    __slots__ = ("idle", "lifetime", "messages", "per_host", "probe", "total")
    __match_args__ = ("per_host", "total", "messages", "lifetime", "idle", "probe")

    per_host: int  #: Connections to one host, busy and idle; nodemailer has 5.
    total: int  #: Connections to all hosts; Postfix has 100 delivery agents of a kind.
    messages: int  #: Messages over one connection; nodemailer sends 100.
    lifetime: float  #: Seconds in which a connection is used again; Postfix has 300.
    idle: float  #: Seconds that one may be idle and used again; servers wait for 300 (RFC 5321 s4.5.3.2.7).
    probe: float  #: Seconds of being idle behind which NOOP asks first whether it is still there.

    def __init__(
        self,
        per_host: int = 5,
        total: int = 100,
        messages: int = 100,
        lifetime: float = 300.0,
        idle: float = 240.0,
        probe: float = 10.0,
    ) -> None:
        if min(per_host, total, messages) < 1:
            raise ValueError("a pool without connections, or with ones that carry no message")
        if not (lifetime >= 0 and idle >= 0 and probe >= 0):
            raise ValueError("seconds below zero")
        assign(self, "per_host", per_host)
        assign(self, "total", total)
        assign(self, "messages", messages)
        assign(self, "lifetime", lifetime)
        assign(self, "idle", idle)
        assign(self, "probe", probe)


@final
class Grant:
    """A place in the pool, for one who sends: with a connection, or empty for a new one."""

    __slots__ = ("_idle_since", "_opened", "connection", "key", "messages", "probe")

    def __init__(self, key: Hashable, now: float) -> None:
        self.key = key
        self.connection: Any = None  #: What the adapter has put there; None where one is to be opened.
        self.probe = False  #: Whether it has been idle for so long that it should be asked first.
        self.messages = 0  #: How many it has carried.
        self._opened = self._idle_since = now


@final
class Ticket:
    """Somebody who waits for a place. ``grant`` is it, once there is one."""

    __slots__ = ("grant", "key", "number", "waiter")

    def __init__(self, key: Hashable, number: int) -> None:
        self.key = key
        self.number = number  #: How many asked before.
        self.grant: Grant | None = None
        self.waiter: Any = None  #: How the adapter wakes whoever waits.


@final
class Roster:
    """The places of a pool: who has which, which are free, and who waits for one, in order.

    Whatever is called, look at :meth:`closing` and :meth:`called` afterwards: connections that have
    left the pool and are to be closed, and tickets that have got their place.
    """

    __slots__ = ("_asked", "_busy", "_called", "_closing", "_counts", "_idle", "_waiting", "closed", "limits", "opened")

    def __init__(self, limits: PoolLimits | None = None) -> None:
        self.limits: Final = limits or PoolLimits()
        self.closed = False  #: Whether it takes nobody any more.
        self.opened = 0  #: Places that were given for a new connection so far.
        self._busy: set[Grant] = set()
        self._idle: dict[Grant, None] = {}  # in the order in which they became idle
        self._counts: dict[Hashable, int] = {}
        self._waiting: dict[Hashable, dict[Ticket, None]] = {}  # in the order in which they asked
        self._asked = 0
        self._closing: list[Any] = []
        self._called: dict[Ticket, None] = {}

    @property
    def busy(self) -> int:
        """How many places are in use."""
        return len(self._busy)

    @property
    def idle(self) -> int:
        """How many connections wait to be used again."""
        return len(self._idle)

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return sum(map(len, self._waiting.values()))

    def count(self, key: Hashable) -> int:
        """How many places there are for that key, in use or idle."""
        return self._counts.get(key, 0)

    def connections(self) -> Iterator[Any]:
        """All connections that are in the pool, in use or idle."""
        for grant in (*self._busy, *self._idle):
            if grant.connection is not None:
                yield grant.connection

    # -- what is asked ------------------------------------------------------------------------

    def acquire(self, key: Hashable, now: float) -> Ticket:
        """A place for ``key``, at once if the ticket has a ``grant`` already. Raises RuntimeError when closed."""
        if self.closed:
            raise RuntimeError("the pool is closed")
        ticket = Ticket(key, self._asked)
        self._asked += 1
        self.expire(now)
        # Nobody is overtaken: who waits still is one for whom there is no place, nor for another of the same key
        ticket.grant = self._find(key, now)
        if ticket.grant is None:
            self._waiting.setdefault(key, {})[ticket] = None
        return ticket

    def cancel(self, ticket: Ticket, now: float) -> None:
        """Whoever had the ticket waits no more; a place that it has got already goes to the next."""
        if ticket.grant is not None:
            grant, ticket.grant = ticket.grant, None
            self._called.pop(ticket, None)
            # As it was: nobody has touched it
            self.release(grant, now, keep=grant.connection is not None, messages=0)
        elif ticket in self._waiting.get(ticket.key, ()):
            self._leave(ticket)

    def release(self, grant: Grant, now: float, *, keep: bool, messages: int = 1, worn: bool = False) -> None:
        """The place is free again, after that many messages; without ``keep`` its connection is gone or is of no use.

        A connection that is not kept is the caller's to cut; one that is ``worn`` is in order, and
        carries no more. Raises RuntimeError for a place that was given back before.
        """
        if grant not in self._busy:
            raise RuntimeError("the place was given back before")
        self._busy.remove(grant)
        grant.messages += messages
        if messages:
            grant._idle_since = now
        if not keep or grant.connection is None:
            self._forget(grant)
        elif self.closed or worn or self._is_worn(grant, now):
            self._close(grant)
        else:
            self._idle[grant] = None
        self._serve(now)

    def room(self, grant: Grant, now: float) -> int:
        """How many messages more its connection may carry."""
        return 0 if now - grant._opened > self.limits.lifetime else max(self.limits.messages - grant.messages, 0)

    def carried(self, grant: Grant, now: float, messages: int) -> None:
        """The connection has carried these, and the place is kept."""
        grant.messages += messages
        grant._idle_since = now

    def renew(self, grant: Grant, now: float) -> None:
        """The connection of that place is gone, and another one is to be opened in it."""
        grant.connection = None
        grant.probe = False
        grant.messages = 0
        grant._opened = grant._idle_since = now
        self.opened += 1

    def expire(self, now: float) -> None:
        """Let go of connections that have been idle for too long."""
        for grant in list(self._idle):
            if now - grant._idle_since > self.limits.idle or self._is_worn(grant, now):
                del self._idle[grant]
                self._close(grant)
        self._serve(now)

    def close(self, now: float) -> None:
        """No more: who waits is called without a place; connections are closed, now or when they are given back."""
        self.closed = True
        for grant in list(self._idle):
            del self._idle[grant]
            self._close(grant)
        for tickets in self._waiting.values():
            self._called |= tickets
        self._waiting.clear()

    # -- what has come of it ------------------------------------------------------------------

    def closing(self) -> list[Any]:
        """Connections that have left the pool since this was asked last, to be closed in an orderly way."""
        closing, self._closing = self._closing, []
        return closing

    def called(self) -> list[Ticket]:
        """Tickets that need not wait any longer: they have a ``grant``, or the pool is closed."""
        called, self._called = self._called, {}
        return list(called)

    # -- how it is decided --------------------------------------------------------------------

    def _find(self, key: Hashable, now: float) -> Grant | None:
        # The one that was used last: few connections are kept warm, and the others may end
        for grant in reversed(self._idle):
            if grant.key == key:
                del self._idle[grant]
                grant.probe = now - grant._idle_since > self.limits.probe
                self._busy.add(grant)
                return grant
        if self.count(key) >= self.limits.per_host:
            return None
        if len(self._busy) + len(self._idle) >= self.limits.total:
            if not self._idle:
                return None
            eldest = next(iter(self._idle))
            del self._idle[eldest]
            self._close(eldest)
        grant = Grant(key, now)
        self._busy.add(grant)
        self._counts[key] = self.count(key) + 1
        self.opened += 1
        return grant

    def _serve(self, now: float) -> None:
        """Give places to who waits, in order; who cannot have one does not hold up who can."""
        served = bool(self._waiting)
        while served:
            served = False
            # All who wait for the same are in the same case, so that the first of them stands for all.
            for ticket in sorted([next(iter(tickets)) for tickets in self._waiting.values()], key=_number):
                ticket.grant = self._find(ticket.key, now)
                if ticket.grant is not None:
                    self._leave(ticket)
                    self._called[ticket] = None
                    served = bool(self._waiting)
                    break

    def _leave(self, ticket: Ticket) -> None:
        """The ticket waits no more."""
        tickets = self._waiting[ticket.key]
        del tickets[ticket]
        if not tickets:
            del self._waiting[ticket.key]

    def _is_worn(self, grant: Grant, now: float) -> bool:
        limits = self.limits
        return grant.messages >= limits.messages or now - grant._opened > limits.lifetime

    def _close(self, grant: Grant) -> None:
        self._closing.append(grant.connection)
        self._forget(grant)

    def _forget(self, grant: Grant) -> None:
        grant.connection = None
        left = self.count(grant.key) - 1
        if left:
            self._counts[grant.key] = left
        else:
            del self._counts[grant.key]


def _number(ticket: Ticket) -> int:
    return ticket.number
