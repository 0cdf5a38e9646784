"""The roster of a pool, in any order of events; and its script, over connections in memory."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from smtpcore.flows.pool import Grant, PoolLimits, Roster, Ticket

A, B, C = "a.example", "b.example", "c.example"


def placed(roster: Roster, key: Hashable, now: float = 0.0) -> Grant:
    """A place that there is at once, with a connection in it."""
    grant = roster.acquire(key, now).grant
    assert grant is not None
    if grant.connection is None:
        grant.connection = object()
    return grant


def small(**limits: Any) -> Roster:
    return Roster(PoolLimits(**limits))


# -- one thing at a time --------------------------------------------------------------------------


def test_a_connection_is_used_again():
    roster = small()
    first = placed(roster, A)
    connection = first.connection
    roster.release(first, 1.0, keep=True)
    assert (roster.busy, roster.idle, roster.opened) == (0, 1, 1)
    again = placed(roster, A, 2.0)
    assert again.connection is connection
    assert placed(roster, B, 2.0).connection is not connection
    assert roster.opened == 2


def test_one_that_is_broken_is_not():
    roster = small()
    roster.release(placed(roster, A), 1.0, keep=False)
    assert (roster.busy, roster.idle) == (0, 0)
    assert roster.closing() == [], "the caller cuts it"
    assert roster.acquire(A, 1.0).grant.connection is None  # type: ignore[union-attr]  # there is one


@pytest.mark.parametrize("most", [1, 3])
def test_connections_to_one_host(most):
    roster = small(per_host=most)
    grants = [placed(roster, A) for _ in range(most)]
    waiter = roster.acquire(A, 0.0)
    assert waiter.grant is None
    placed(roster, B)
    roster.release(grants[0], 1.0, keep=True)
    assert roster.called() == [waiter]
    assert waiter.grant is grants[0]
    assert roster.opened == most + 1


@pytest.mark.parametrize("most", [1, 3])
def test_connections_in_total(most):
    roster = small(total=most)
    grants = [placed(roster, f"{number}.example") for number in range(most)]
    waiter = roster.acquire(A, 0.0)
    assert waiter.grant is None
    connection = grants[0].connection
    roster.release(grants[0], 1.0, keep=True)
    assert waiter.grant is not None
    assert waiter.grant.connection is None, "one of another host has made room"
    assert roster.closing() == [connection]
    assert roster.closing() == []


def test_the_one_that_was_idle_longest_makes_room():
    roster = small(total=2)
    one, two = placed(roster, A), placed(roster, B)
    connection = two.connection
    roster.release(two, 1.0, keep=True)
    roster.release(one, 2.0, keep=True)
    placed(roster, C, 3.0)
    assert roster.closing() == [connection]


def test_in_the_order_in_which_they_asked():
    roster = small(total=1)
    grant = placed(roster, A)
    tickets = [roster.acquire(key, 0.0) for key in (B, A, B, C)]
    order: list[Ticket] = []
    while roster.busy:
        roster.release(grant, 1.0, keep=True)
        roster.closing()
        for ticket in roster.called():
            assert ticket.grant is not None
            grant = ticket.grant
            grant.connection = grant.connection or object()
            order.append(ticket)
    assert order == tickets


def test_who_cannot_be_served_holds_up_nobody_else():
    roster = small(per_host=1, total=2)
    placed(roster, A)
    assert roster.acquire(A, 0.0).grant is None
    assert roster.acquire(B, 0.0).grant is not None


@pytest.mark.parametrize(("limits", "at", "used"), [
    ({"messages": 2}, 0.0, 2), ({"messages": 1}, 0.0, 1),
    ({"lifetime": 10.0, "idle": 99.0}, 5.0, 3), ({"lifetime": 10.0}, 11.0, 1),
    ({"idle": 5.0}, 5.0, 4), ({"idle": 5.0}, 5.1, 1),
])  # fmt: skip
def test_how_long_a_connection_is_used(limits, at, used):
    """Messages, seconds since it was opened, seconds since it was used last; each exact."""
    roster = small(**limits)
    grant = placed(roster, A)
    connection, count, now = grant.connection, 1, 0.0
    while count < 4:
        roster.release(grant, now, keep=True)
        now += at
        grant = placed(roster, A, now)
        if grant.connection is not connection:
            break
        count += 1
    assert count == used
    assert roster.closing() == ([connection] if used < 4 else [])


def test_a_server_that_takes_no_more():
    roster = small()
    grant = placed(roster, A)
    connection = grant.connection
    roster.release(grant, 0.0, keep=True, worn=True)
    assert roster.closing() == [connection]
    assert roster.idle == 0


def test_who_was_idle_is_asked_first():
    roster = small(probe=10.0)
    roster.release(placed(roster, A), 0.0, keep=True)
    grant = placed(roster, A, 10.0)
    assert not grant.probe
    roster.release(grant, 10.0, keep=True)
    assert placed(roster, A, 20.1).probe


def test_one_that_is_opened_anew_in_its_place():
    roster = small(messages=2)
    grant = placed(roster, A)
    roster.release(grant, 0.0, keep=True)
    grant = placed(roster, A)
    roster.renew(grant, 5.0)
    assert grant.connection is None
    assert grant.messages == 0
    assert (roster.count(A), roster.busy, roster.opened) == (1, 1, 2)


def test_cancelled_while_waiting_and_while_called():
    roster = small(per_host=1)
    grant = placed(roster, A)
    first, second, third = (roster.acquire(A, 0.0) for _ in range(3))
    roster.cancel(second, 0.0)
    roster.release(grant, 1.0, keep=True)
    assert first.grant is grant
    roster.cancel(first, 1.0)
    assert roster.called() == [third], "the place goes on, to the next who waits"
    assert third.grant is grant
    assert grant.messages == 1
    roster.cancel(second, 1.0)
    assert roster.waiting == 0


def test_the_end():
    roster = small(per_host=1)
    busy, other = placed(roster, A), placed(roster, B)
    connections = other.connection, busy.connection
    roster.release(other, 0.0, keep=True)
    waiter = roster.acquire(A, 0.0)
    roster.close(1.0)
    assert roster.called() == [waiter]
    assert waiter.grant is None
    assert roster.closing() == [connections[0]]
    with pytest.raises(RuntimeError, match="the pool is closed"):
        roster.acquire(A, 1.0)
    assert list(roster.connections()) == [connections[1]]
    roster.release(busy, 2.0, keep=True)
    assert roster.closing() == [connections[1]]
    with pytest.raises(RuntimeError, match="given back before"):
        roster.release(busy, 2.0, keep=True)


@pytest.mark.parametrize("wrong", [
    {"per_host": 0}, {"total": 0}, {"messages": 0}, {"lifetime": -1.0}, {"idle": -1.0}, {"probe": -1.0},
    {"idle": float("nan")},
])  # fmt: skip
def test_no_limits(wrong):
    with pytest.raises(ValueError):
        PoolLimits(**wrong)


def test_many_who_wait_for_few():
    """The work for one more is the same, however many wait."""
    roster = small(per_host=2)
    grants = [placed(roster, A) for _ in range(2)]
    tickets = [roster.acquire(A, 0.0) for _ in range(20_000)]
    done = 0
    while grants:
        roster.release(grants.pop(), 0.0, keep=True)
        done += 1
        for ticket in roster.called():
            assert ticket is tickets[done - 1]
            assert ticket.grant is not None
            ticket.grant.connection = ticket.grant.connection or object()
            grants.append(ticket.grant)
        for connection in roster.closing():
            assert connection
    assert done == 20_002


# -- anything at any time ---------------------------------------------------------------------------


class Anything(RuleBasedStateMachine):
    """What may never happen, whatever is asked and whatever becomes of connections."""

    KEYS = (A, B, C)

    def __init__(self) -> None:
        super().__init__()
        self.limits = PoolLimits(per_host=2, total=3, messages=3, lifetime=20.0, idle=8.0, probe=4.0)
        self.roster = Roster(self.limits)
        self.now = 0.0
        self.waiting: list[Ticket] = []
        self.busy: list[Grant] = []
        self.alive: set[object] = set()
        self.seen: set[int] = set()

    def settle(self) -> None:
        """What an adapter does after each step."""
        for connection in self.roster.closing():
            assert connection in self.alive, "each is closed once"
            assert all(grant.connection is not connection for grant in self.busy), "nobody uses it"
            self.alive.discard(connection)
        for ticket in self.roster.called():
            assert ticket in self.waiting
            earlier = [other for other in self.waiting if other.key == ticket.key and other.number < ticket.number]
            assert not [other for other in earlier if other.grant is None], "first come, first served"
            self.waiting.remove(ticket)
            if ticket.grant is not None:
                self.enter(ticket.grant)
            else:
                assert self.roster.closed
        for ticket in self.waiting:
            assert ticket.grant is None, "who has a place is called"

    def enter(self, grant: Grant) -> None:
        assert grant not in self.busy, "a place for one"
        if grant.connection is None:
            grant.connection = object()
            self.alive.add(grant.connection)
        else:
            assert grant.connection in self.alive, "used again, and not closed"
        assert all(grant.connection is not other.connection for other in self.busy)
        self.busy.append(grant)

    @precondition(lambda self: not self.roster.closed)
    @rule(key=st.sampled_from(KEYS))
    def ask(self, key):
        ticket = self.roster.acquire(key, self.now)
        if ticket.grant is None:
            self.waiting.append(ticket)
        else:
            self.enter(ticket.grant)
        self.settle()

    @precondition(lambda self: self.busy)
    @rule(data=st.data(), keep=st.booleans(), worn=st.booleans())
    def give_back(self, data, keep, worn):
        grant = self.busy.pop(data.draw(st.integers(0, len(self.busy) - 1)))
        if not keep:
            self.alive.discard(grant.connection)
        self.roster.release(grant, self.now, keep=keep, worn=worn)
        self.settle()

    @precondition(lambda self: self.busy)
    @rule(data=st.data())
    def open_anew(self, data):
        grant = self.busy.pop(data.draw(st.integers(0, len(self.busy) - 1)))
        self.alive.discard(grant.connection)
        self.roster.renew(grant, self.now)
        self.enter(grant)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def give_up(self, data):
        ticket = self.waiting.pop(data.draw(st.integers(0, len(self.waiting) - 1)))
        self.roster.cancel(ticket, self.now)
        self.settle()

    @precondition(lambda self: self.busy and self.waiting)
    @rule(data=st.data())
    def give_up_when_called(self, data):
        """Between the call and the one who hears it."""
        grant = self.busy.pop(data.draw(st.integers(0, len(self.busy) - 1)))
        self.roster.release(grant, self.now, keep=True)
        called = [ticket for ticket in self.waiting if ticket.grant is not None]
        if called:
            ticket = data.draw(st.sampled_from(called))
            self.waiting.remove(ticket)
            self.roster.cancel(ticket, self.now)
        self.settle()

    @rule(seconds=st.sampled_from([0.5, 3.0, 5.0, 9.0]))
    def time_passes(self, seconds):
        self.now += seconds

    @rule()
    def tidy(self):
        self.roster.expire(self.now)
        self.settle()

    @precondition(lambda self: len(self.alive) > 1)
    @rule()
    def end(self):
        self.roster.close(self.now)
        self.settle()
        assert self.waiting == []

    @invariant()
    def never_too_many(self):
        roster = self.roster
        assert roster.busy == len(self.busy)
        assert roster.busy + roster.idle <= self.limits.total
        assert sum(roster.count(key) for key in self.KEYS) == roster.busy + roster.idle
        assert all(roster.count(key) <= self.limits.per_host for key in self.KEYS)

    @invariant()
    def nothing_is_lost(self):
        """Each connection is idle, in use, or closed; and whoever waits is known."""
        assert set(self.roster.connections()) == self.alive
        assert len(self.alive) == self.roster.busy + self.roster.idle
        assert self.roster.waiting == len(self.waiting)

    @invariant()
    def nobody_waits_without_need(self):
        roster = self.roster
        for ticket in self.waiting:
            full = roster.count(ticket.key) >= self.limits.per_host
            assert full or (roster.busy == self.limits.total), "there is no place"
            assert not any(grant.key == ticket.key for grant in roster._idle)

    @invariant()
    def nobody_carries_more(self):
        assert all(grant.messages < self.limits.messages for grant in self.busy)


Anything.TestCase.settings = settings(stateful_step_count=60)
TestAnything = Anything.TestCase
