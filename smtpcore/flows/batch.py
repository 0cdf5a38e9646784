"""Batch: many messages over the connections of a pool, chained as far as one connection carries them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import TypeAlias, final

from ..errors import RemoteProtocolError
from ..session.client import ClientConnection
from ..table import State
from ..wire.address import Mailbox
from .chain import Letter, may_be_chained, prepare, send_run
from .content import Content, Message, octets_of
from .effect import Flow
from .error import Disconnected, FlowError
from .ledger import Ledger
from .limited import repeatable
from .options import SendOptions
from .outcome import Outcome
from .pool import Grant, Roster
from .pooled import Connection, Drive, Part, PoolFlow, connected, in_place, is_unheard, last_event, send_through
from .recipient import Recipient, addresses_of

__all__ = ["Addressed", "send_all_pooled"]

#: Reverse-path, recipients, content.
Addressed: TypeAlias = tuple[Mailbox | None, Sequence[Recipient], Content]


def send_all_pooled(
    roster: Roster, now: Callable[[], float], key: Hashable, messages: Sequence[Addressed], options: SendOptions
) -> PoolFlow[list[Outcome]]:
    """Send messages from one place in the pool; the outcomes are in their order.

    They go as by :func:`~smtpcore.flows.chain.submit_all`: where the server has PIPELINING, each begins in the packet
    that ends the one before. When a connection has carried as many as the pool or the server (MAILMAX) lets it, another
    one is opened in its place.

    A connection that has carried a message may end at any time. A message of which no recipient was answered by then
    goes over a new one, as by :func:`~smtpcore.flows.pooled.send_pooled`; what is UNKNOWN, or was answered, never goes
    again by itself. Where a new connection ends and has brought no verdict, the messages that are left are NOT_SENT.

    Raises what opening the first connection does, and LocalProtocolError for what the server does not offer. Once
    something was sent nothing is raised, since it would hide what became of it: what goes wrong is the ``error`` of the
    messages that it keeps from being sent.
    """
    posts = [_Post(message) for message in messages]

    def work(grant: Grant) -> PoolFlow[list[Outcome]]:
        return _Batch(roster, now, grant, posts, options).send()

    return (yield from in_place(roster, now, key, work, messages=0)) if posts else []


@final
class _Post:
    """A message, and what became of it once that is known."""

    __slots__ = ("content", "outcome", "recipients", "sender")

    def __init__(self, message: Addressed) -> None:
        self.sender, self.recipients, self.content = message
        if not self.recipients:
            raise ValueError("a message needs a recipient")
        if not isinstance(self.content, Message):
            octets_of(self.content)  # raises for what is no content, before anything is sent
        self.outcome: Outcome | None = None

    def not_sent(self, error: Exception) -> Outcome:
        ledger = Ledger(addresses_of(self.recipients))
        ledger.error = error
        return ledger.outcome()

    def letter(self, options: SendOptions) -> Letter:
        self.content, _ = repeatable(self.content)  # a message of the standard library becomes octets once
        return Letter(self.sender, self.recipients, self.content, options.get("is_ascii"))


@final
class _Batch:
    """Messages on their way, and the place that they go from."""

    __slots__ = ("_grant", "_now", "_options", "_posts", "_roster", "_waiting")

    def __init__(
        self,
        roster: Roster,
        now: Callable[[], float],
        grant: Grant,
        posts: Sequence[_Post],
        options: SendOptions,
    ) -> None:
        self._roster = roster
        self._now = now
        self._grant = grant
        self._options = options
        self._posts = posts
        self._waiting = deque(posts)

    def send(self) -> PoolFlow[list[Outcome]]:
        error: Exception | None = None
        try:
            while self._waiting and error is None:
                error = yield from self._send_next()
        except Exception as caught:
            if self._nothing_known:
                raise
            error = caught
        lost = error or Disconnected("the connection had ended before")
        return [post.outcome or post.not_sent(lost) for post in self._posts]

    @property
    def _nothing_known(self) -> bool:
        return all(post.outcome is None for post in self._posts)

    def _send_next(self) -> PoolFlow[Exception | None]:
        """Send what one connection carries, or one message; why no other connection is tried, if none is."""
        grant, roster = self._grant, self._roster
        connection, used = yield from connected(roster, self._now, grant)
        machine = connection.machine
        room, mails_left = roster.room(grant, self._now()), machine.usage.mails_left
        room = room if mails_left is None else min(room, mails_left)
        if used and not room:
            yield Part(connection)
            roster.renew(grant, self._now())
            return None
        count: int
        why: Exception | None
        count, why = yield Drive(connection, self._send_run(machine, max(room, 1), used=used))
        if count:
            roster.carried(grant, self._now(), count)
        elif self._waiting:
            why = yield from self._send_alone(self._waiting.popleft(), connection, used=used)
            roster.carried(grant, self._now(), 1)
        else:
            return None
        connection = grant.connection
        if why is None and self._waiting and connection.machine.state is State.CLOSED:
            connection.abort()
            roster.renew(grant, self._now())
        return why

    def _send_run(self, machine: ClientConnection, most: int, *, used: bool) -> Flow[tuple[int, Exception | None]]:
        """Send the next ones that can be chained; how many these are, and why no other connection is to be tried."""
        run, chunked = self._next_run(machine, most)
        yield from send_run(machine, [letter for _, letter in run], chunked=chunked)
        return len(run), self._settle(machine, run, used=used) if run else None

    def _next_run(self, machine: ClientConnection, most: int) -> tuple[list[tuple[_Post, Letter]], bool]:
        """The next ones that can be chained, taken from those that wait, and whether their contents go in chunks."""
        options = self._options
        chunking, eight_bit = options.get("chunking", False), options.get("eight_bit", "refuse")
        on_mail, on_rcpt = options.get("mail_parameters", ()), options.get("rcpt_parameters", ())
        run: list[tuple[_Post, Letter]] = []
        chunked = False
        while self._waiting and len(run) < most:
            post = self._waiting[0]
            try:
                letter = post.letter(options)
                chunked = prepare(machine, [letter], on_mail, on_rcpt, chunking=chunking)
            except Exception as error:
                if self._nothing_known:
                    raise
                post.outcome = post.not_sent(error)
            else:
                if letter.mail is None:
                    post.outcome = letter.ledger.outcome()  # nobody can get it
                elif may_be_chained(machine, letter, eight_bit, chunked=chunked):
                    run.append((post, letter))
                else:
                    break
            self._waiting.popleft()
        return run, chunked

    def _settle(
        self, machine: ClientConnection, run: Sequence[tuple[_Post, Letter]], *, used: bool
    ) -> Exception | None:
        """Take down what became of these; those that can go again by another connection wait again."""
        outcomes = [letter.outcome or letter.ledger.outcome() for _, letter in run]
        why: Exception | None = None
        unheard: set[int] = set()
        if machine.state is State.CLOSED:
            why = _why_not_on(outcomes, used=used)
            if why is None:
                unheard = _unheard(machine, [letter for _, letter in run], outcomes)
        for index, (post, _) in enumerate(run):
            if index not in unheard:
                post.outcome = outcomes[index]
        self._waiting.extendleft([run[index][0] for index in sorted(unheard, reverse=True)])
        return why

    def _send_alone(self, post: _Post, connection: Connection, *, used: bool) -> PoolFlow[Exception | None]:
        """One that is not chained to others, in as many transactions and over as many connections as it needs."""
        grant = self._grant
        try:
            post.outcome = yield from send_through(
                self._roster,
                self._now,
                grant,
                post.sender,
                post.recipients,
                post.content,
                self._options,
                fresh=not used,
            )
        except Exception as error:
            if grant.connection is None:
                raise  # there is no other connection
            post.outcome = post.not_sent(error)
            return None
        if grant.connection.machine.state is not State.CLOSED:
            return None
        return _why_not_on([post.outcome], used=used and grant.connection is connection)


def _why_not_on(outcomes: Sequence[Outcome], *, used: bool) -> Exception | None:
    """Why another connection would be no better than the one that ended so; None where it may be."""
    if used or any(outcome.reply is not None for outcome in outcomes):
        return None  # it has carried messages, and ended as any may
    errors = [outcome.error for outcome in outcomes if outcome.error is not None]
    if errors and not isinstance(errors[0], (OSError, RemoteProtocolError, FlowError)):
        return None  # a content could not be sent, which is no fault of the server's
    return errors[0] if errors else Disconnected("the server closed the connection")


def _unheard(machine: ClientConnection, letters: Sequence[Letter], outcomes: Sequence[Outcome]) -> set[int]:
    """The indices of those of which no recipient was answered when the connection ended."""
    event = last_event(machine)
    left = () if event is None else (*event.unanswered, *event.unsent)
    unanswered = {id(command) for command in left}
    return {
        index
        for index, letter in enumerate(letters)
        if is_unheard(outcomes[index])
        and (not letter.ledger.begun or all(id(rcpt) in unanswered for rcpt in letter.rcpts))
    }
