"""Pooled: one message over a connection of a pool, which is used again, opened or waited for.

The script stands above those of single connections: what it yields is done with whole connections.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias, TypeVar, final

from ..errors import ProtocolError
from ..extensions.limits import NO_LIMITS
from ..session.client import ClientConnection
from ..session.event import NEED_DATA, ConnectionClosed, ReplyReceived
from ..table import State
from ..wire.address import Mailbox
from ..wire.command import Command, Noop, Quit, Rcpt
from ..wire.reply import Reply
from .client import heed
from .content import Content
from .effect import Close, Flow, Read, Write
from .error import FlowError
from .ledger import is_positive
from .limited import divide, repeatable
from .options import SendOptions, send
from .outcome import Outcome, RecipientOutcome, Status
from .pool import Grant, Roster, Ticket
from .recipient import Recipient, addresses_of

__all__ = [
    "Connection",
    "Drive",
    "Open",
    "Part",
    "PoolEffect",
    "PoolFlow",
    "Wait",
    "connected",
    "farewell",
    "in_place",
    "is_unheard",
    "last_event",
    "send_pooled",
    "send_through",
]

T = TypeVar("T")


class Connection(Protocol):
    """A client of an adapter, as far as it matters here."""

    machine: ClientConnection

    def abort(self) -> None:
        """Close at once."""
        ...


@final
class Wait:
    """Wait until the ticket is called. No result."""

    __slots__ = ("ticket",)

    def __init__(self, ticket: Ticket) -> None:
        self.ticket = ticket


@final
class Open:
    """Open a connection for ``key``. The result is the client; throw what entering it raises."""

    __slots__ = ("key",)

    def __init__(self, key: Hashable) -> None:
        self.key = key


@final
class Drive:
    """Run a script over a connection. The result is its result; throw what it raises."""

    __slots__ = ("connection", "flow")

    def __init__(self, connection: Any, flow: Flow[Any]) -> None:
        self.connection = connection
        self.flow = flow


@final
class Part:
    """Say QUIT over a connection and close it. No result; throw nothing but what cancels."""

    __slots__ = ("connection",)

    def __init__(self, connection: Any) -> None:
        self.connection = connection


PoolEffect: TypeAlias = Wait | Open | Drive | Part
#: A script over whole connections, with a result of type ``T``.
PoolFlow: TypeAlias = Generator[PoolEffect, Any, T]

# Those that a further message can begin in, with RSET where one was left behind
_USABLE: Final = frozenset((State.READY, State.MAIL, State.RCPT, State.CHUNKS, State.SPOILT))


def send_pooled(
    roster: Roster,
    now: Callable[[], float],
    key: Hashable,
    sender: str | Mailbox | None,
    recipients: Sequence[Recipient],
    content: Content,
    options: SendOptions,
) -> PoolFlow[Outcome]:
    """Send a message over a connection of the pool; see :func:`~smtpcore.flows.submit.submit` for the outcome.

    A connection that was used before may have ended meanwhile. If that shows before any RCPT of this
    message was answered, nothing of it can have been taken, and it goes over a new connection; what
    is UNKNOWN, or was answered, never goes again by itself. Recipients beyond what a session takes
    (MAILMAX, RCPTDOMAINMAX) go over further connections, in the same place.

    A connection on which anything went wrong is not used again.
    """

    def work(grant: Grant) -> PoolFlow[Outcome]:
        return send_through(roster, now, grant, sender, recipients, content, options)

    return (yield from in_place(roster, now, key, work))


def in_place(
    roster: Roster, now: Callable[[], float], key: Hashable, work: Callable[[Grant], PoolFlow[T]], messages: int = 1
) -> PoolFlow[T]:
    """What ``work`` gives, done in a place of the pool, which is given back whatever comes, after that many messages.

    Raises RuntimeError when the pool is closed.
    """
    ticket = roster.acquire(key, now())
    if ticket.grant is None:
        try:
            yield Wait(ticket)
        except BaseException:
            roster.cancel(ticket, now())
            raise
    grant = ticket.grant
    if grant is None:
        raise RuntimeError("the pool is closed")
    try:
        return (yield from work(grant))
    finally:
        connection: Connection | None = grant.connection
        kept = connection is not None and connection.machine.state in _USABLE and not connection.machine.in_flight
        if connection is not None and not kept:
            connection.abort()
        worn = connection is not None and connection.machine.usage.mails_left == 0
        roster.release(grant, now(), keep=kept, worn=worn, messages=messages)


def send_through(
    roster: Roster,
    now: Callable[[], float],
    grant: Grant,
    sender: str | Mailbox | None,
    recipients: Sequence[Recipient],
    content: Content,
    options: SendOptions,
    *,
    fresh: bool = False,
) -> PoolFlow[Outcome]:
    """Send a message from a place in the pool, over as many connections as it needs.

    ``fresh`` says that the one which is there was opened just now.
    """
    content, again = repeatable(content)
    outcome: Outcome | None = None
    found: dict[int, RecipientOutcome] = {}
    asked: Sequence[int] = range(len(recipients))
    while True:
        connection, used = yield from connected(roster, now, grant)
        used, fresh = used and not fresh, False
        usage = connection.machine.usage
        mails = usage.mails
        to = [recipients[index] for index in asked]
        beyond: Mapping[int, str] = {}
        groups: Sequence[Sequence[int]] = [asked]
        if usage.limits is not NO_LIMITS:
            groups, beyond = divide(usage, addresses_of(to))
        latest: Outcome = yield Drive(connection, send(connection.machine, sender, to, content, options))
        told = len(groups[0]) if usage.mails > mails else 0
        # A content that comes once may have been read, to be written as ASCII
        may_again = again is not None or options.get("eight_bit") != "downgrade"
        if used and may_again and is_stale(connection.machine, latest, told):
            connection.abort()
            roster.renew(grant, now())
            if again is not None:
                again()
            continue
        found.update(zip(asked, latest.recipients))
        outcome = _joined(outcome, latest, found)
        if not beyond or again is None or connection.machine.state not in _USABLE:
            return outcome
        yield Part(connection)
        roster.renew(grant, now())
        again()  # a file goes back to its beginning
        asked = [asked[index] for index in sorted(beyond)]


def connected(roster: Roster, now: Callable[[], float], grant: Grant) -> PoolFlow[tuple[Connection, bool]]:
    """The connection of a place, opened if need be, and whether it was there before."""
    if grant.connection is not None and grant.probe:
        yield from _probe(roster, now, grant)
    held: Connection | None = grant.connection
    if held is not None:
        return held, True
    opened: Connection = yield Open(grant.key)
    grant.connection = opened
    return opened, False


def _probe(roster: Roster, now: Callable[[], float], grant: Grant) -> PoolFlow[None]:
    """Ask a connection that was idle whether it is still there, and let go of it if it is not."""
    grant.probe = False
    connection: Connection = grant.connection
    alive = yield Drive(connection, _ask(connection.machine, Noop(), PROBE_SECONDS))
    if alive is None or connection.machine.state is State.CLOSED:
        connection.abort()
        roster.renew(grant, now())


def _joined(before: Outcome | None, latest: Outcome, found: dict[int, RecipientOutcome]) -> Outcome:
    verdict = before.reply if before else None
    if verdict is None or is_positive(verdict):
        verdict = latest.reply or verdict
    return Outcome(tuple([found[index] for index in sorted(found)]), verdict, latest.error)


def is_stale(machine: ClientConnection, outcome: Outcome, told: int) -> bool:
    """Whether a connection has shown to be over before any recipient of a message was answered.

    ``told`` is how many recipients the first MAIL was for; 0 where MAIL has not gone out at all. A
    server that hangs up says 421 or nothing; either may cross with MAIL on the way, and looks like
    its answer then.
    """
    if machine.state is not State.CLOSED or not is_unheard(outcome):
        return False
    if not told:
        return True
    event = last_event(machine)
    return event is not None and sum(type(each) is Rcpt for each in (*event.unanswered, *event.unsent)) == told


def is_unheard(outcome: Outcome) -> bool:
    """Whether nothing was said of any recipient, but that the server hangs up."""
    if outcome.reply is not None:
        return False
    for each in outcome.recipients:
        hung_up = each.status is Status.REFUSED_FOR_NOW and each.reply is not None and each.reply.code == 421
        if each.status is not Status.NOT_SENT and not hung_up:
            return False
    return True


def last_event(machine: ClientConnection) -> ConnectionClosed | None:
    """The end of a connection that is closed; None where the server is alive, and speaks something else."""
    try:
        while not isinstance(event := machine.next_event(), ConnectionClosed):
            pass
    except ProtocolError:
        return None
    return event


#: Seconds for the reply to NOOP; a connection that needs longer is not worth the wait.
PROBE_SECONDS: Final = 10.0
#: Seconds for the reply to QUIT, which nobody needs.
QUIT_SECONDS: Final = 5.0


def farewell(machine: ClientConnection) -> Flow[None]:
    """QUIT, its reply if it comes soon, and close; raises nothing, whatever the server does (RFC 5321 s4.1.1.10)."""
    if machine.state is not State.CLOSED:
        yield from _ask(machine, Quit(), QUIT_SECONDS)
    yield Close()


def _ask(machine: ClientConnection, command: Command, seconds: float) -> Flow[Reply | None]:
    """Send a command and wait that long for its reply; None when there is none and the connection is of no use."""
    try:
        if heed(machine) is None:
            machine.send(command)
            yield Write(machine.data_to_send())
            while True:
                event = machine.next_event()
                if isinstance(event, ReplyReceived):
                    return event.reply if event.command is command else None
                if event is not NEED_DATA:
                    break
                machine.receive_data((yield Read(seconds)))
    except (OSError, ProtocolError, FlowError):
        pass
    machine.abandon()
    return None
