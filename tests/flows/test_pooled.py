"""A message over a pool: when a connection is used again, when a message goes again, and when it must not."""

from __future__ import annotations

import io
from typing import Any

import pytest

from smtpcore import Capabilities, LocalProtocolError, ParseError, State
from smtpcore.adapters.memory import Link
from smtpcore.extensions import LIMITS, Limits
from smtpcore.flows.options import addresses
from smtpcore.flows.outcome import Status
from smtpcore.flows.pool import PoolLimits, Roster
from smtpcore.flows.pooled import Drive, Open, Wait, farewell, send_pooled
from tests.flows.driving import EOF, RESET, TIMEOUT, play
from tests.flows.fakeserver import Cut, connected, friendly, names, statuses
from tests.flows.pooling import BOB, CONTENT, Fake, Pool

pytestmark = pytest.mark.law(10)

ACCEPTED, LATER, REFUSED, NOT_SENT, UNKNOWN = (
    status.value
    for status in (Status.ACCEPTED, Status.REFUSED_FOR_NOW, Status.REFUSED, Status.NOT_SENT, Status.UNKNOWN)
)


OFFERS = pytest.mark.parametrize("offered", [("PIPELINING",), ()], ids=["pipelined", "one-by-one"])


@OFFERS
def test_one_connection_for_many_messages(offered):
    pool = Pool(Fake(friendly(), *offered))
    for _ in range(3):
        assert statuses(pool.send()) == [ACCEPTED]
    assert len(pool.opened) == 1
    assert b"RSET" not in pool.opened[0].server.lines, "where nothing was left behind"


@OFFERS
@pytest.mark.parametrize(
    "end",
    [
        {"mail": ["250 ok", Cut(EOF)]},
        {"mail": ["250 ok", Cut(RESET)]},
        {"mail": ["250 ok", Cut(TIMEOUT)]},
        {"mail": ["250 ok", "421 you were idle"]},
        {"rcpt": ["250 ok", "250 ok", Cut(EOF)]},
    ],
    ids=["eof", "reset", "timeout", "421", "mail answered"],
)
@pytest.mark.parametrize("content", [CONTENT, io.BytesIO(CONTENT), iter([CONTENT])], ids=["octets", "file", "once"])
def test_a_connection_that_has_ended_meanwhile(offered, end, content):
    """Nothing of the message can have been taken: no recipient of it was answered."""
    if isinstance(content, io.BytesIO):
        content.seek(0)
    elif not isinstance(content, bytes):
        content = iter([CONTENT])
    old, new = Fake(friendly(**end), *offered), Fake(friendly(), *offered)
    pool = Pool(old, new)
    assert statuses(pool.send(names(2))) == [ACCEPTED] * 2
    assert statuses(pool.send(names(2), content)) == [ACCEPTED] * 2
    assert old.aborted
    assert new.server.contents == [CONTENT]
    assert len(old.server.contents) == 1
    assert (pool.roster.idle, pool.roster.busy, pool.roster.opened) == (1, 0, 2)


NEVER_AGAIN = [
    ({"rcpt": ["250 ok", "250 ok", "250 ok", Cut(EOF)]}, [NOT_SENT, NOT_SENT]),
    ({"data": ["354 go", Cut(EOF)]}, [NOT_SENT, NOT_SENT]),
    ({"data": ["354 go", "421 busy"]}, [LATER, LATER]),
    ({"rcpt": ["250 ok", "250 ok", "250 ok", "421 busy"]}, [NOT_SENT, LATER]),
    (
        {"mail": ["250 ok", "452 busy"], "rcpt": ["250 ok", "250 ok", "503 no"], "data": ["354 go", "503 no"]},
        [LATER] * 2,
    ),
    ({"mail": ["250 ok", "what?"]}, [NOT_SENT, NOT_SENT]),
    ({"end": ["250 ok", Cut(EOF)]}, [UNKNOWN, UNKNOWN]),
    ({"end": ["250 ok", Cut(TIMEOUT)]}, [UNKNOWN, UNKNOWN]),
    ({"end": ["250 ok", "421 busy"]}, [LATER, LATER]),
]


@OFFERS
@pytest.mark.parametrize(("answers", "found"), NEVER_AGAIN)
def test_what_was_answered_or_is_unknown_goes_no_second_time(offered, answers, found):
    old = Fake(friendly(**answers), *offered)
    pool = Pool(old, Fake(friendly(), *offered))
    assert statuses(pool.send(names(2))) == [ACCEPTED] * 2
    assert statuses(pool.send(names(2))) == found
    assert len(pool.opened) == 1
    if old.machine.state is State.CLOSED:
        assert old.aborted
        assert pool.roster.idle == 0
        assert statuses(pool.send(names(2))) == [ACCEPTED] * 2
    else:
        assert pool.roster.idle == 1


def test_a_whole_content_in_a_chunk_may_have_been_taken():
    old = Fake(friendly(mail=["250 ok", Cut(EOF)]), "PIPELINING", "CHUNKING")
    pool = Pool(old, Fake(friendly()))
    assert statuses(pool.send(chunking=True)) == [ACCEPTED]
    assert statuses(pool.send(chunking=True)) == [UNKNOWN]
    assert len(pool.opened) == 1


@OFFERS
def test_a_new_connection_that_ends_is_no_old_one(offered):
    pool = Pool(Fake(friendly(mail=Cut(EOF)), *offered), Fake(friendly(), *offered))
    assert statuses(pool.send()) == [NOT_SENT]
    assert len(pool.opened) == 1


def test_several_that_have_ended():
    """Each is asked in vain once; the last one is new, and what it says counts."""
    clients = [Fake(friendly(mail=["250 ok", Cut(EOF)])), Fake(friendly(mail=Cut(EOF)))]
    pool = Pool(*clients)
    pool.send()
    assert statuses(pool.send()) == [NOT_SENT]
    assert len(pool.opened) == 2
    assert (pool.roster.busy, pool.roster.idle) == (0, 0)


def test_nobody_listens_when_it_goes_again():
    pool = Pool(Fake(friendly(mail=["250 ok", Cut(EOF)])))
    pool.send()
    with pytest.raises(OSError, match="nobody listens"):
        pool.send()
    assert (pool.roster.busy, pool.roster.idle) == (0, 0)


@pytest.mark.parametrize(
    ("noop", "used"), [("250 ok", 1), ("500 what?", 1), ("421 no", 2), (Cut(EOF), 2), (Cut(TIMEOUT), 2)]
)
def test_who_was_idle_is_asked(noop, used):
    pool = Pool(Fake(friendly(noop=noop)), Fake(friendly()), probe=10.0)
    pool.send()
    pool.now = 10.0
    pool.send()
    assert b"NOOP" not in pool.opened[0].server.lines
    pool.now = 20.1
    assert statuses(pool.send()) == [ACCEPTED]
    assert b"NOOP" in pool.opened[0].server.lines
    assert len(pool.opened) == used
    assert pool.opened[0].aborted is (used == 2)


def test_what_was_said_unasked_is_heard():
    old = Fake(friendly())
    pool = Pool(old, Fake(friendly()))
    pool.send()
    old.machine.receive_data(b"421 going down\r\n")
    assert statuses(pool.send()) == [ACCEPTED]
    assert len(old.server.contents) == 1
    assert len(pool.opened) == 2


def test_a_transaction_that_was_left_behind():
    """RSET where it is needed, and nowhere else."""
    client = Fake(friendly(rcpt=["550 no", "250 ok"], data=["503 no", "354 go"]), "PIPELINING")
    pool = Pool(client)
    assert statuses(pool.send()) == [REFUSED]
    assert statuses(pool.send()) == [ACCEPTED]
    assert [line for line in client.server.lines if line == b"RSET"] == [b"RSET"]
    assert len(pool.opened) == 1


# -- what a session takes ---------------------------------------------------------------------------


def test_a_session_without_messages_left():
    clients = [Fake(friendly(), "LIMITS MAILMAX=2") for _ in range(3)]
    pool = Pool(*clients)
    for _ in range(5):
        assert statuses(pool.send()) == [ACCEPTED]
    assert [len(client.server.contents) for client in clients] == [2, 2, 1]
    assert pool.roster.closing() == clients[:2], "in an orderly way"


@pytest.mark.parametrize("content", [CONTENT, io.BytesIO(CONTENT)], ids=["octets", "file"])
@pytest.mark.parametrize("limits", ["RCPTDOMAINMAX=1", "MAILMAX=1 RCPTMAX=2", "MAILMAX=1 RCPTDOMAINMAX=1 RCPTMAX=2"])
def test_recipients_beyond_a_session(content, limits):
    if isinstance(content, io.BytesIO):
        content.seek(0)
    clients = [Fake(friendly(rcpt=["250 ok", f"25{number} ok"]), f"LIMITS {limits}") for number in range(6)]
    pool = Pool(*clients)
    to = [f"{who}@{domain}.example" for who in "ab" for domain in "xyz"]
    outcome = pool.send(to, content)
    assert statuses(outcome) == [ACCEPTED] * 6
    assert [str(each.recipient) for each in outcome.recipients] == to
    assert len(pool.opened) == 3
    assert all(client.parted for client in clients[:2])
    assert [client.server.contents for client in clients[:3]] == [[CONTENT]] * 3
    assert pool.roster.busy == 0


def test_recipients_beyond_a_session_and_a_content_that_can_be_read_once():
    pool = Pool(Fake(friendly(), "LIMITS RCPTDOMAINMAX=1"), Fake(friendly()))
    outcome = pool.send(["a@x.example", "a@y.example"], iter([CONTENT]))
    assert statuses(outcome) == [ACCEPTED, NOT_SENT]
    assert outcome.recipients[1].why == "the server takes RCPTDOMAINMAX=1 domains in a session"


def test_domains_of_earlier_messages_count():
    clients = [Fake(friendly(), "LIMITS RCPTDOMAINMAX=1") for _ in range(2)]
    pool = Pool(*clients)
    assert statuses(pool.send(["a@x.example"])) == [ACCEPTED]
    assert statuses(pool.send(["a@y.example"])) == [ACCEPTED]
    assert [len(client.server.contents) for client in clients] == [1, 1]
    assert (clients[0].parted, clients[0].aborted) == (True, False)


# -- mistakes of the caller -------------------------------------------------------------------------


def test_a_content_that_fails():
    def failing() -> Any:
        yield b"Hello\r\n"
        raise ZeroDivisionError

    pool = Pool(Fake(friendly()), Fake(friendly()))
    with pytest.raises(ZeroDivisionError):
        pool.send(content=failing())
    assert pool.opened[0].aborted
    assert (pool.roster.busy, pool.roster.idle) == (0, 0)
    assert statuses(pool.send()) == [ACCEPTED]


def test_a_mistake_that_breaks_nothing():
    from smtpcore.extensions import BODY, Body

    pool = Pool(Fake(friendly()))
    with pytest.raises(LocalProtocolError):
        pool.send(mail_parameters=[BODY(Body.BINARYMIME)])
    assert (pool.roster.busy, pool.roster.idle) == (0, 1), "the connection is as good as before"
    assert statuses(pool.send()) == [ACCEPTED]
    assert len(pool.opened) == 1


@pytest.mark.parametrize("step", [Wait, Open, Drive])
def test_cancelled_at_any_step(step):
    roster = Roster(PoolLimits(per_host=1))
    other = roster.acquire("key", 0.0).grant if step is Wait else None
    client = Fake(friendly())
    script = send_pooled(roster, lambda: 0.0, "key", None, addresses(BOB), CONTENT, {})
    effect = next(script)
    if step is Drive:
        effect = script.send(client)
        client.machine.abandon()  # as the trampoline leaves it
    assert isinstance(effect, step)
    with pytest.raises(KeyboardInterrupt):
        script.throw(KeyboardInterrupt())
    if other is not None:
        roster.release(other, 0.0, keep=False)
    assert (roster.busy, roster.idle, roster.waiting) == (0, 0, 0)
    assert client.aborted is (step is Drive)


def test_farewell():
    machine = connected("PIPELINING")
    played = play(farewell(machine), b"221 bye\r\n")
    assert (played.written, played.closed) == (b"QUIT\r\n", True)
    assert played.reads[0].seconds == 5.0
    for turn in (EOF, RESET, TIMEOUT, b"what?\r\n", b"421 no\r\n", b"250 and more\r\n"):
        assert play(farewell(connected()), turn).closed
    assert play(farewell(machine)).written == b"", "there is nobody to say it to"


# -- over connections in memory ---------------------------------------------------------------------


class Inbox:
    def __init__(self) -> None:
        self.count = 0
        self.connections = 0

    def connected(self, session: Any) -> None:
        self.connections += 1

    def message(self, session: Any) -> None:
        self.count += 1


def test_a_pool_in_memory():
    inbox = Inbox()
    link = Link(inbox, latency=0.005)
    with link.pool() as pool:
        for _ in range(10):
            assert pool.send("mx.hamburger.edu", "alice@crepes.fr", BOB, CONTENT).all_accepted
        assert (pool.opened, pool.idle, pool.busy, pool.waiting) == (1, 1, 0, 0)
    assert inbox.count == 10
    assert inbox.connections == 1
    assert [octets for who, octets in link.transcript if who == "C"][-1] == b"QUIT\r\n"
    assert pool.idle == 0
    with pytest.raises(RuntimeError, match="the pool is closed"):
        pool.send("mx.hamburger.edu", None, BOB, CONTENT)


def test_a_server_that_has_waited_long_enough():
    """Its 421 and our MAIL meet on the way."""
    inbox = Inbox()
    link = Link(inbox, latency=0.005, timeout=5.0)
    with link.pool(pool_limits=PoolLimits(probe=100.0)) as pool:
        for _ in range(3):
            assert pool.send("mx", "alice@crepes.fr", BOB, CONTENT).all_accepted
            link.clock.now += 6.0
        assert pool.opened == 3
    assert inbox.count == 3


def test_many_hosts_and_few_connections():
    inbox = Inbox()
    link = Link(inbox)
    with link.pool(pool_limits=PoolLimits(total=2)) as pool:
        for number in range(12):
            pool.send(f"mx{number % 4}", None, BOB, CONTENT)
            assert pool.idle <= 2
        pool.send("MX3", None, BOB, CONTENT)
        assert pool.opened == 12, "four hosts in turn, and two places; names have no case"
        pool.send("mx3", None, BOB, CONTENT, connect={"hostname": "other.example"})
        pool.send("mx3", None, BOB, CONTENT, port=26)
        assert pool.opened == 14, "another way to connect is another connection"
    quits = [octets for who, octets in link.transcript if octets == b"QUIT\r\n"]
    assert len(quits) == 14
    assert inbox.connections == 14


def test_time_goes_by():
    link = Link(Inbox())
    with link.pool(pool_limits=PoolLimits(idle=50.0, lifetime=70.0)) as pool:
        for seconds in (0.0, 50.0, 50.1, 10.0):
            link.clock.now += seconds
            pool.send("mx", None, BOB, CONTENT)
        assert pool.opened == 2
        link.clock.now += 50.1
        pool.expire()
        assert pool.idle == 0


def test_nobody_parses_what_is_wrong_for_nothing():
    link = Link(Inbox())
    with link.pool() as pool:
        with pytest.raises(ParseError):
            pool.send("mx", None, ["no address"], CONTENT)
        with pytest.raises(TypeError):
            pool.send("mx", None, "bob@hamburger.edu", CONTENT)
        with pytest.raises(ParseError):
            pool.send("mx", "no address", BOB, CONTENT)
        assert (pool.opened, pool.busy) == (0, 0)


def test_limits_that_our_own_server_announces():
    inbox = Inbox()
    capabilities = Capabilities(LIMITS.offer(Limits(mailmax=3, rcptmax=2, rcptdomainmax=2)))
    link = Link(inbox, capabilities=list(capabilities))
    to = [f"{who}@{domain}.example" for who in "abc" for domain in "uvwxyz"]
    with link.pool() as pool:
        for _ in range(3):
            assert pool.send("mx", None, to, CONTENT).all_accepted
    refused = [octets for who, octets in link.transcript if who == "S" and octets[:1] in b"45"]
    assert refused == []
