"""Many messages over a pool: what one connection carries, when the next one is opened, and what never goes again."""

from __future__ import annotations

import io
from email.message import EmailMessage
from itertools import chain, product
from typing import Any

import pytest

from smtpcore import LocalProtocolError, Mailbox, Rcpt, Reply
from smtpcore.adapters.memory import Link
from smtpcore.extensions import LIMITS, REQUIRETLS, BurlLast, Limits
from smtpcore.flows.batch import send_all_pooled
from smtpcore.flows.error import Disconnected
from smtpcore.flows.options import addresses
from smtpcore.flows.outcome import Outcome, Status
from smtpcore.flows.pool import PoolLimits, Roster
from smtpcore.flows.pooled import Drive, Open, Part, Wait
from tests.flows.driving import EOF, RESET, TIMEOUT
from tests.flows.fakeserver import Cut, FakeServer, friendly, names, statuses
from tests.flows.pooling import BOB, CONTENT, Fake, Pool

pytestmark = pytest.mark.law(10)

ACCEPTED, LATER, REFUSED, NOT_SENT, UNKNOWN = (
    status.value
    for status in (Status.ACCEPTED, Status.REFUSED_FOR_NOW, Status.REFUSED, Status.NOT_SENT, Status.UNKNOWN)
)
OFFERS = pytest.mark.parametrize("offered", [("PIPELINING",), ()], ids=["pipelined", "one-by-one"])
WAYS = pytest.mark.parametrize("chunking", [False, True], ids=["data", "chunks"])
BOTH = ("PIPELINING", "CHUNKING")


def content(number: int) -> bytes:
    return b"Subject: %d\r\n\r\nHello\r\n" % number


def messages(count: int, recipients: int = 1) -> list[Any]:
    return [(f"alice{number}@crepes.fr", names(recipients), content(number)) for number in range(count)]


class Hanging(FakeServer):
    """One that looks at nothing any more once it has said 421."""

    hung = False

    def write(self, data: bytes) -> None:
        if not self.hung:
            super().write(data)

    def _answer(self, verb: str) -> None:
        super()._answer(verb)
        if self._output and self._output[-1].startswith(b"421"):
            self.hung = True
            self._input.clear()


def found(outcomes: list[Outcome]) -> list[str]:
    """The one status of each message."""
    several = [set(statuses(outcome)) for outcome in outcomes]
    assert all(len(each) == 1 for each in several)
    return [each.pop() for each in several]


def carried(*clients: Fake) -> list[list[int]]:
    """The numbers of the messages that got to each server."""
    return [[int(octets.split()[1]) for octets in (*each.server.contents, *each.server.chunks)] for each in clients]


# -- what one connection carries --------------------------------------------------------------------


@WAYS
def test_they_are_chained(chunking):
    """RFC 2920 s3.1: one round trip for each, and one more behind DATA."""
    pool = Pool(Fake(friendly(), *BOTH))
    assert found(pool.send_all(messages(10, 3), chunking=chunking)) == [ACCEPTED] * 10
    (client,) = pool.opened
    assert carried(client) == [list(range(10))]
    assert client.server.turns == (5 if chunking else 11), "two at a time in chunks"
    assert (pool.roster.idle, pool.roster.busy, pool.roster.opened) == (1, 0, 1)


def test_one_after_the_other_where_nothing_can_be_chained():
    pool = Pool(Fake(friendly()))
    assert found(pool.send_all(messages(5))) == [ACCEPTED] * 5
    assert carried(*pool.opened) == [[0, 1, 2, 3, 4]]


@OFFERS
def test_a_connection_that_is_there_is_used(offered):
    pool = Pool(Fake(friendly(), *offered))
    pool.send()
    assert found(pool.send_all(messages(3))) == [ACCEPTED] * 3
    assert statuses(pool.send()) == [ACCEPTED]
    assert len(pool.opened) == 1


def test_nothing_to_send():
    pool = Pool()
    assert pool.send_all([]) == []
    assert (pool.roster.busy, pool.roster.opened) == (0, 0)


def test_refusals_break_nothing():
    pool = Pool(Fake(friendly(rcpt=["250 ok", "550 no", "450 later", "250 ok"]), "PIPELINING"))
    assert found(pool.send_all(messages(4))) == [ACCEPTED, REFUSED, LATER, ACCEPTED]
    assert len(pool.opened) == 1


# -- when another one is opened ---------------------------------------------------------------------


@OFFERS
@pytest.mark.parametrize(
    ("limits", "announced", "expected"),
    [
        ({"messages": 3}, (), [3, 3, 2]),
        ({}, ("LIMITS MAILMAX=3",), [3, 3, 2]),
        ({"messages": 2}, ("LIMITS MAILMAX=5",), [2, 2, 2, 2]),
        ({"messages": 8}, ("LIMITS MAILMAX=9",), [8]),
        ({"messages": 1}, (), [1] * 8),
    ],
)
def test_as_many_as_a_connection_carries(offered, limits, announced, expected):
    pool = Pool(*[Fake(friendly(), *offered, *announced) for _ in range(8)], **limits)
    assert found(pool.send_all(messages(8))) == [ACCEPTED] * 8
    assert [len(each) for each in carried(*pool.opened)] == expected
    assert list(chain(*carried(*pool.opened))) == list(range(8)), "in order"
    assert [client.parted for client in pool.opened[:-1]] == [True] * (len(expected) - 1), "in an orderly way"
    assert pool.roster.busy == 0


@OFFERS
def test_messages_before_count(offered):
    pool = Pool(Fake(friendly(), *offered), Fake(friendly(), *offered), messages=3)
    pool.send(content=content(8))
    assert found(pool.send_all(messages(4))) == [ACCEPTED] * 4
    assert carried(*pool.opened) == [[8, 0, 1], [2, 3]]
    pool.send(content=content(9))
    assert carried(pool.opened[1]) == [[2, 3, 9]]
    assert pool.roster.closing() == [pool.opened[1]], "and behind"


def test_a_connection_grows_old():
    class Slow(Fake):
        def __init__(self, pool: Pool) -> None:
            super().__init__(friendly())
            self.pool = pool

    pool = Pool(lifetime=10.0)
    pool.clients = [Slow(pool), Slow(pool), Slow(pool)]
    tick = pool.roster.carried

    def carried_slowly(grant: Any, now: float, count: int) -> None:
        tick(grant, now, count)
        pool.now += 6.0

    wrapped: Any = _Wrapped(pool.roster, carried_slowly)
    pool.roster = wrapped
    assert found(pool.send_all(messages(5))) == [ACCEPTED] * 5
    assert [len(each) for each in carried(*pool.opened)] == [2, 2, 1]


class _Wrapped:
    """A roster on whose clock each message takes its time."""

    def __init__(self, roster: Roster, carried: Any) -> None:
        self._roster = roster
        self.carried = carried

    def __getattr__(self, name: str) -> Any:
        return getattr(self._roster, name)


@pytest.mark.parametrize("limits", ["RCPTMAX=2", "RCPTDOMAINMAX=1", "MAILMAX=1 RCPTMAX=2", "MAILMAX=2 RCPTDOMAINMAX=2"])
def test_those_that_need_more_than_one_transaction(limits):
    to = ["a@x.example", "b@x.example", "c@y.example"]
    clients = [Fake(friendly(), "PIPELINING", f"LIMITS {limits}") for _ in range(9)]
    pool = Pool(*clients)
    batch = [("alice@crepes.fr", to, content(0)), ("alice@crepes.fr", to[:1], content(1)), ("a@b", to, content(2))]
    outcomes = pool.send_all(batch)
    assert [statuses(outcome) for outcome in outcomes] == [[ACCEPTED] * 3, [ACCEPTED], [ACCEPTED] * 3]
    lines = [line for client in pool.opened for line in client.server.lines if line.startswith(b"RCPT")]
    assert len(lines) == 7, "nobody is told twice"


# -- connections that end ---------------------------------------------------------------------------


@OFFERS
@WAYS
@pytest.mark.parametrize(
    "end",
    [
        {"mail": ["250 ok", Cut(EOF)]}, {"mail": ["250 ok", Cut(RESET)]}, {"mail": ["250 ok", Cut(TIMEOUT)]},
        {"mail": ["250 ok", "421 you were idle"]}, {"rcpt": ["250 ok", Cut(EOF)]},
    ],
    ids=["eof", "reset", "timeout", "421", "mail-answered"],
)  # fmt: skip
def test_a_connection_that_has_ended_meanwhile(offered, chunking, end):
    old, new = Fake(friendly(**end), *offered), Fake(friendly(), *offered)
    pool = Pool(old, new)
    pool.send(content=content(9))
    assert found(pool.send_all(messages(3), chunking=chunking)) == [ACCEPTED] * 3
    assert carried(old, new) == [[9], [0, 1, 2]]
    assert old.aborted
    assert (pool.roster.idle, pool.roster.busy, pool.roster.opened) == (1, 0, 2)


@OFFERS
@pytest.mark.parametrize("last", ["421 too many messages", Cut(EOF), Cut(RESET)], ids=["421", "eof", "reset"])
def test_a_server_that_takes_two_at_a_time(offered, last):
    """It does not say so beforehand, as Exim and Gmail do not; what it had not begun with goes on elsewhere."""
    clients = [Fake(friendly(mail=["250 ok", "250 ok", last]), *offered) for _ in range(5)]
    pool = Pool(*clients)
    assert found(pool.send_all(messages(7, 2))) == [ACCEPTED] * 7
    assert carried(*pool.opened) == [[0, 1], [2, 3], [4, 5], [6]]
    assert all(client.aborted for client in pool.opened[:3])


@OFFERS
def test_what_may_have_been_taken_goes_no_second_time(offered):
    first = Fake(friendly(end=["250 taken", Cut(EOF)]), *offered)
    pool = Pool(first, Fake(friendly(), *offered))
    assert found(pool.send_all(messages(4))) == [ACCEPTED, UNKNOWN, ACCEPTED, ACCEPTED]
    assert carried(*pool.opened) == [[0, 1], [2, 3]]


def test_two_in_chunks_may_have_been_taken():
    pool = Pool(Fake(friendly(last=["250 taken", Cut(EOF)]), *BOTH), Fake(friendly(), *BOTH))
    assert found(pool.send_all(messages(5), chunking=True)) == [ACCEPTED, UNKNOWN, UNKNOWN, ACCEPTED, ACCEPTED]
    assert carried(pool.opened[1]) == [[3, 4]]


@OFFERS
def test_who_was_answered_is_not_asked_again(offered):
    pool = Pool(Fake(friendly(rcpt=["250 ok", "250 ok", Cut(EOF)]), *offered), Fake(friendly(), *offered))
    outcomes = pool.send_all([messages(1)[0], ("alice@crepes.fr", names(2), content(1)), messages(3)[2]])
    assert [statuses(outcome) for outcome in outcomes] == [[ACCEPTED], [NOT_SENT] * 2, [ACCEPTED]]
    assert carried(*pool.opened) == [[0], [2]]


@OFFERS
@pytest.mark.parametrize(
    ("answers", "first"),
    [
        ({"mail": "421 busy"}, LATER), ({"mail": Cut(EOF)}, NOT_SENT), ({"rcpt": Cut(RESET)}, NOT_SENT),
        ({"data": Cut(TIMEOUT)}, NOT_SENT), ({"end": Cut(TIMEOUT)}, UNKNOWN), ({"mail": "what?"}, NOT_SENT),
    ],
)  # fmt: skip
def test_a_new_connection_that_ends_with_its_first_message_ends_it_all(offered, answers, first):
    """Or a server that is out of order would get a connection for each of a thousand messages."""
    pool = Pool(*[Fake(friendly(**answers), *offered) for _ in range(4)])
    outcomes = pool.send_all(messages(4))
    assert found(outcomes) == [first] + [NOT_SENT] * 3
    assert len(pool.opened) == 1
    assert all(outcome.error is not None for outcome in outcomes[1:])
    assert "421" not in str(answers) or isinstance(outcomes[1].error, Disconnected)
    assert (pool.roster.idle, pool.roster.busy) == (0, 0)


@OFFERS
def test_a_new_connection_in_place_of_one_that_has_ended_may_end_it_all(offered):
    old, new = friendly(mail=["250 ok", Cut(EOF)]), friendly(mail="421 busy")
    pool = Pool(Fake(old, *offered), Fake(new, *offered), Fake(friendly(), *offered))
    pool.send()
    assert found(pool.send_all(messages(3))) == [LATER, NOT_SENT, NOT_SENT]
    assert len(pool.opened) == 2


@OFFERS
def test_nobody_listens(offered):
    with pytest.raises(OSError, match="nobody listens"):
        Pool().send_all(messages(2))
    pool = Pool(Fake(friendly(), *offered), messages=2)
    outcomes = pool.send_all(messages(4))
    assert found(outcomes) == [ACCEPTED, ACCEPTED, NOT_SENT, NOT_SENT]
    assert [str(outcome.error) for outcome in outcomes[2:]] == ["nobody listens"] * 2
    pool = Pool(Fake(friendly(mail=["250 ok", Cut(EOF)]), *offered))
    pool.send()
    with pytest.raises(OSError, match="nobody listens"):
        pool.send_all(messages(2))
    assert (pool.roster.idle, pool.roster.busy) == (0, 0)


def test_a_server_that_speaks_something_else():
    pool = Pool(Fake(friendly(mail=["250 ok", "hello"]), "PIPELINING"), Fake(friendly(), "PIPELINING"))
    assert found(pool.send_all(messages(3))) == [ACCEPTED, NOT_SENT, ACCEPTED]


ENDS = [
    (verb, at, cut, offered, chunking)
    for verb, at, cut, (offered, chunking) in product(
        ("mail", "rcpt", "data", "end", "last"), range(4), ("421 bye", Cut(EOF), Cut(RESET), "xyz"),
        [(("PIPELINING",), False), ((), False), (BOTH, True), (("CHUNKING",), True)],
    )
    if (verb in {"data", "end"}) is not chunking or verb in {"mail", "rcpt"}
]  # fmt: skip


@pytest.mark.parametrize(("verb", "at", "cut", "offered", "chunking"), ENDS)
@pytest.mark.parametrize("used", [False, True])
def test_wherever_it_ends(verb, at, cut, offered, chunking, used):
    """Nobody gets a message twice, what is told to have been taken was, and what is told not to have been was not."""
    answers = friendly(**{verb: [*["354 go" if verb == "data" else "250 ok"] * at, cut]}).answers
    clients = [Fake(Hanging(**answers), *offered), *[Fake(friendly(), *offered) for _ in range(4)]]
    pool = Pool(*clients)
    if used:
        pool.send(content=content(9))
        if not pool.roster.idle:
            return  # it has ended before
    outcomes = pool.send_all(messages(4, 2), chunking=chunking)
    handed = [number for each in carried(*pool.opened) for number in each]
    for number, outcome in enumerate(outcomes):
        times = handed.count(number)
        assert times <= 1, "a content that was handed over goes no second time"
        for status in statuses(outcome):
            if status == ACCEPTED:
                assert times == 1
            if status == NOT_SENT and not chunking:
                assert times == 0
    assert (pool.roster.busy, pool.roster.waiting) == (0, 0)
    assert pool.roster.idle <= 1
    if used:
        lost = sum(not outcome.all_accepted for outcome in outcomes)
        assert lost <= (2 if chunking or cut == "xyz" else 1), "and those that were on their way"


# -- mistakes and contents --------------------------------------------------------------------------


def test_mistakes_are_raised_before_anything_is_sent():
    pool = Pool(Fake(friendly(), "PIPELINING"))
    mistakes: Any = [[("a@b", [], CONTENT)], [messages(1)[0], ("a@b", BOB, "text")]]
    for wrong in mistakes:
        with pytest.raises((ValueError, TypeError)):
            pool.send_all(wrong)
    assert pool.opened == []
    with pytest.raises(LocalProtocolError, match="REQUIRETLS"):
        pool.send_all(messages(3), mail_parameters=[REQUIRETLS(True)])
    (client,) = pool.opened
    assert b"MAIL" not in b"".join(client.server.lines)
    assert (pool.roster.idle, pool.roster.busy) == (1, 0), "the connection is as good as before"
    assert found(pool.send_all(messages(3))) == [ACCEPTED] * 3


@OFFERS
def test_what_only_one_needs_is_its_own_trouble(offered):
    """Of a server that is told of it late: here, of the second connection."""
    from smtpcore.extensions import NEVER, NOTIFY

    clients = [Fake(friendly(), *offered, "DSN"), Fake(friendly(), *offered)]
    pool = Pool(*clients, messages=1)
    to: Any = [Rcpt(Mailbox.parse(BOB[0]), NOTIFY(NEVER))]
    outcomes = pool.send_all([("a@b", to, content(0)), ("a@b", to, content(1))])
    assert found(outcomes) == [ACCEPTED, NOT_SENT]
    assert isinstance(outcomes[1].error, LocalProtocolError)
    assert (pool.roster.idle, pool.roster.busy) == (1, 0)


def test_who_cannot_be_written_to():
    pool = Pool(Fake(friendly(), "PIPELINING"))
    batch = messages(3)
    batch[1] = ("alice@crepes.fr", ["jürgen@hamburger.edu"], content(1))
    outcomes = pool.send_all(batch)
    assert found(outcomes) == [ACCEPTED, NOT_SENT, ACCEPTED]
    assert outcomes[1].recipients[0].why == "the server does not offer SMTPUTF8"
    assert found(pool.send_all(batch[1:2])) == [NOT_SENT]
    assert len(pool.opened) == 1


@OFFERS
@pytest.mark.parametrize("broken", [iter([b"a\rb\r\n"]), None], ids=["bare-cr", "raises"])
def test_a_content_that_fails_is_no_fault_of_the_server(offered, broken):
    def failing() -> Any:
        yield b"Hello\r\n"
        raise ZeroDivisionError

    batch = messages(3)
    batch[0] = ("alice@crepes.fr", BOB, iter([b"a\rb\r\n"]) if broken else failing())
    pool = Pool(Fake(friendly(), *offered), Fake(friendly(), *offered))
    outcomes = pool.send_all(batch)
    assert found(outcomes) == [NOT_SENT, ACCEPTED, ACCEPTED]
    assert isinstance(outcomes[0].error, LocalProtocolError if broken else ZeroDivisionError)
    assert carried(*pool.opened) == [[], [1, 2]]


@OFFERS
def test_contents_of_every_kind(offered):
    mime = EmailMessage()
    mime["Subject"] = "2"
    mime.set_content("Hello\n")
    kinds = [content(0), io.BytesIO(content(1)), mime, iter([content(3)]), [content(4)], bytearray(content(5))]
    old, new = Fake(friendly(mail=["250 ok", Cut(EOF)]), *offered), Fake(friendly(), *offered)
    pool = Pool(old, new)
    pool.send(content=content(9))
    outcomes = pool.send_all([("alice@crepes.fr", BOB, each) for each in kinds])
    assert found(outcomes) == [ACCEPTED] * 6
    assert carried(old, new) == [[9], [0, 1, 2, 3, 4, 5]]


def test_large_ones_in_chunks_among_small_ones():
    batch = messages(4)
    batch[1] = ("alice@crepes.fr", BOB, content(1) + b"x" * 998 + b"\r\n" + (b"y" * 998 + b"\r\n") * 30)
    pool = Pool(Fake(friendly(), *BOTH))
    assert found(pool.send_all(batch, chunking=True)) == [ACCEPTED] * 4
    assert len(pool.opened) == 1


def test_a_url_among_them():
    url = BurlLast("imap://bob.ar@example.org/INBOX;UIDVALIDITY=385759045/;UID=20")
    pool = Pool(Fake(friendly(burl="250 taken"), *BOTH, "BURL imap"))
    batch = messages(3)
    batch[1] = ("alice@crepes.fr", BOB, url)
    assert found(pool.send_all(batch)) == [ACCEPTED] * 3
    assert len(pool.opened) == 1


# -- who waits, and who gives up --------------------------------------------------------------------


@pytest.mark.parametrize("step", range(5))
def test_cancelled_at_any_step(step):
    """Waiting, opening, sending, leaving, opening again."""
    roster = Roster(PoolLimits(per_host=1, messages=1))
    other = roster.acquire("key", 0.0).grant
    assert other is not None
    clients = [Fake(friendly()), Fake(friendly())]
    parsed = [(None, addresses(BOB), CONTENT)] * 2
    script = send_all_pooled(roster, lambda: 0.0, "key", parsed, {})
    kinds: list[type[Any]] = [Wait, Open, Drive, Drive, Part, Open]
    effect: Any = next(script)
    opened = 0
    for kind in kinds[:step]:
        assert isinstance(effect, kind)
        if kind is Wait:
            roster.release(other, 0.0, keep=False)
            effect = script.send(None)
        elif kind is Open:
            opened += 1
            effect = script.send(clients[opened - 1])
        elif kind is Drive:
            effect = script.send(effect.connection.server.run(effect.flow).result)
        else:
            effect = script.send(None)
    assert isinstance(effect, kinds[step])
    if isinstance(effect, Drive):
        effect.connection.machine.abandon()  # as the trampoline leaves it
    with pytest.raises(KeyboardInterrupt):
        script.throw(KeyboardInterrupt())
    if step == 0:
        roster.release(other, 0.0, keep=False)
    assert (roster.busy, roster.waiting) == (0, 0)
    assert all(client.aborted or client in roster.closing() or client.machine.in_flight == () for client in clients)


def test_a_pool_that_is_closed_meanwhile():
    roster = Roster(PoolLimits(per_host=1))
    roster.acquire("key", 0.0)
    script = send_all_pooled(roster, lambda: 0.0, "key", [(None, addresses(BOB), CONTENT)], {})
    assert isinstance(next(script), Wait)
    roster.close(0.0)
    with pytest.raises(RuntimeError, match="closed"):
        script.send(None)


# -- over connections in memory ---------------------------------------------------------------------


class Inbox:
    def __init__(self) -> None:
        self.count = self.connections = 0

    def connected(self, session: Any) -> None:
        self.connections += 1

    def message(self, session: Any) -> None:
        self.count += 1


@pytest.mark.parametrize(("chunking", "trips"), [(False, 101), (True, 50)])
def test_round_trips_in_memory(chunking, trips):
    inbox = Inbox()
    link = Link(inbox, latency=0.5)
    with link.pool(pool_limits=PoolLimits(messages=1000, lifetime=1e6)) as pool:
        pool.send("mx", "alice@crepes.fr", BOB, CONTENT)
        before = link.clock.now
        outcomes = pool.send_all("mx", [("alice@crepes.fr", BOB, CONTENT)] * 100, chunking=chunking)
        assert found(outcomes) == [ACCEPTED] * 100
        assert link.clock.now - before == pytest.approx(trips, abs=1.0)
    assert (inbox.count, inbox.connections, pool.opened) == (101, 1, 1)


@WAYS
def test_limits_that_our_own_server_announces(chunking):
    inbox = Inbox()
    link = Link(inbox, capabilities=[LIMITS.offer(Limits(mailmax=4, rcptmax=2))])
    with link.pool() as pool:
        batch = [("alice@crepes.fr", names(1 + number % 4), CONTENT) for number in range(20)]
        outcomes = pool.send_all("mx", batch, chunking=chunking)
        assert all(outcome.all_accepted for outcome in outcomes)
        assert pool.idle <= 1
    assert inbox.count == 30, "one transaction for up to two recipients"
    assert inbox.connections == pool.opened >= 8


def test_a_server_that_has_waited_long_enough():
    """Its 421 and our MAIL meet on the way."""
    inbox = Inbox()
    link = Link(inbox, latency=0.005, timeout=5.0)
    with link.pool(pool_limits=PoolLimits(probe=100.0)) as pool:
        for _ in range(3):
            assert found(pool.send_all("mx", [("alice@crepes.fr", BOB, CONTENT)] * 4)) == [ACCEPTED] * 4
            link.clock.now += 6.0
        assert pool.opened == 3
    assert inbox.count == 12


def test_a_handler_that_hangs_up():
    class Weary(Inbox):
        def mail(self, session: Any, command: Any) -> Reply | None:
            session.data = (session.data or 0) + 1
            return Reply(421, "enough", "4.7.0") if session.data > 3 else None

    inbox = Weary()
    with Link(inbox).pool() as pool:
        outcomes = pool.send_all("mx", [("alice@crepes.fr", BOB, CONTENT)] * 10)
    assert found(outcomes) == [ACCEPTED] * 10
    assert (inbox.count, inbox.connections) == (10, 4)
