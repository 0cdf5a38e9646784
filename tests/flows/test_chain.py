"""Many messages over one connection, the next begun with the end of the last: what becomes of each recipient."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ClientConnection, LocalProtocolError, State
from smtpcore.adapters.memory import Link
from smtpcore.extensions import BODY, LIMITS, Body, Limits
from smtpcore.flows import collecting
from smtpcore.flows.error import Disconnected
from smtpcore.flows.options import send_all
from smtpcore.flows.outcome import Status
from tests.flows.driving import EOF, RESET, TIMEOUT, Played
from tests.flows.fakeserver import Cut, FakeServer, connected, friendly, names, statuses

pytestmark = pytest.mark.law(10)

ACCEPTED, LATER, REFUSED, NOT_SENT, UNKNOWN = (
    status.value
    for status in (Status.ACCEPTED, Status.REFUSED_FOR_NOW, Status.REFUSED, Status.NOT_SENT, Status.UNKNOWN)
)
BY_DIGIT = {"2": ACCEPTED, "4": LATER, "5": REFUSED}
REPLIES = ("250 ok", "450 later", "550 no")
WAYS = pytest.mark.parametrize("chunking", [False, True], ids=["data", "chunks"])
OFFERED = ("PIPELINING", "CHUNKING")


def content(number: int) -> bytes:
    return b"Subject: %d\r\n\r\n.Hello\r\n" % number


def messages(count: int, recipients: int = 1) -> list[Any]:
    return [(f"alice{number}@crepes.fr", names(recipients), content(number)) for number in range(count)]


def chained(
    machine: ClientConnection, server: FakeServer, what: Any, write_error: Any = None, **options: Any
) -> Played:
    try:
        flow = send_all(machine, what, options)  # type: ignore[arg-type]  # options as given
    except Exception as error:
        return Played(error=error, ended=True)
    return server.run(flow, write_error)


def found(played: Played) -> list[list[str]]:
    return [statuses(outcome) for outcome in played.value()]


def taken(server: FakeServer, *, chunking: bool) -> list[bytes]:
    if chunking:
        return server.chunks
    return [octets.replace(b"\r\n..", b"\r\n.") for octets in server.contents]


# -- what goes together -----------------------------------------------------------------------------


def test_the_next_message_goes_with_the_end_of_the_last():
    """RFC 2920 s3.1"""
    played = chained(connected("PIPELINING"), friendly(), messages(3))
    assert found(played) == [[ACCEPTED]] * 3
    envelope = b"MAIL FROM:<alice%d@crepes.fr>\r\nRCPT TO:<bob0@hamburger.edu>\r\nDATA\r\n"
    octets = b"Subject: %d\r\n\r\n..Hello\r\n.\r\n"
    assert groups(played) == [
        envelope % 0, octets % 0 + envelope % 1, octets % 1 + envelope % 2, octets % 2,
    ]  # fmt: skip


def groups(played: Played) -> list[bytes]:
    """What is written at a time."""
    from smtpcore.flows.effect import Write

    return [effect.data for effect in played.effects if isinstance(effect, Write)]


def test_in_chunks_two_are_on_their_way():
    played = chained(connected(*OFFERED), friendly(), messages(4), chunking=True)
    assert found(played) == [[ACCEPTED]] * 4
    envelope = b"MAIL FROM:<alice%d@crepes.fr>\r\nRCPT TO:<bob0@hamburger.edu>\r\nBDAT 22 LAST\r\n%s"
    one, two, three, four = (envelope % (number, content(number)) for number in range(4))
    assert groups(played) == [one + b"RSET\r\n" + two, b"RSET\r\n" + three + b"RSET\r\n" + four]


@WAYS
@pytest.mark.parametrize("offered", [(), ("CHUNKING",)])
def test_without_pipelining_one_after_the_other(offered, chunking):
    server = friendly()
    assert found(chained(connected(*offered), server, messages(3, 2), chunking=chunking)) == [[ACCEPTED] * 2] * 3
    assert taken(server, chunking=chunking and bool(offered)) == [content(number) for number in range(3)]


@pytest.mark.parametrize(("chunking", "turns"), [(False, 101), (True, 50)])
def test_round_trips(chunking, turns):
    """At 10 ms there and back: one for each message, and one to begin with; half of one in chunks."""
    inbox: list[bytes] = []
    link = Link(collecting(lambda session, octets: inbox.append(octets)), latency=0.005)
    with link.connect() as client:
        before = link.clock.now
        outcomes = client.send_all(messages(100, 3), chunking=chunking)
        spent = link.clock.now - before
    assert all(outcome.all_accepted for outcome in outcomes)
    assert inbox == [content(number) for number in range(100)]
    assert round(spent / 0.010) == turns


@WAYS
def test_large_ones_among_small_ones(chunking):
    large = b"0123456789abcde\r\n" * 20_000
    what: list[Any] = messages(5)
    what[1] = (None, names(2), large)
    what[3] = (None, names(2), [large, b"", large])
    what[4] = (None, names(1), iter([b"one\r\n", b"two\r\n"]))
    server = friendly()
    assert found(chained(connected(*OFFERED), server, what, chunking=chunking)) == [
        [ACCEPTED], [ACCEPTED] * 2, [ACCEPTED], [ACCEPTED] * 2, [ACCEPTED],
    ]  # fmt: skip
    octets = b"".join(server.chunks if chunking else server.contents)
    octets = octets if chunking else octets.replace(b"\r\n..", b"\r\n.")
    assert octets == content(0) + large + content(2) + large * 2 + b"one\r\ntwo\r\n"


def test_nothing_to_send():
    assert found(chained(connected("PIPELINING"), friendly(), [])) == []


# -- every mixture ----------------------------------------------------------------------------------


def truth(mail: str, rcpts: tuple[str, ...], data: str, end: str) -> list[str]:
    """The plainest way to say it, for a server that keeps to the protocol."""
    if mail[0] != "2":
        return [BY_DIGIT[mail[0]]] * len(rcpts)
    verdict = end if data[0] == "3" else data
    return [BY_DIGIT[(verdict if rcpt[0] == "2" else rcpt)[0]] for rcpt in rcpts]


CASES = list(product(REPLIES, product(REPLIES, repeat=2), ("354 go", "451 busy", "554 no"), REPLIES))


def correct_server(cases: list[Any], *, chunking: bool, lone_dot: bool) -> FakeServer:
    """Answers each message as its case says, and out of sequence what has become so."""
    answers: dict[str, list[str]] = {"mail": [], "rcpt": [], "data": [], "end": [], "last": []}
    for mail, rcpts, data, end in cases:
        answers["mail"].append(mail)
        answers["rcpt"] += rcpts if mail[0] == "2" else ["503 need MAIL"] * len(rcpts)
        nobody = mail[0] != "2" or all(rcpt[0] != "2" for rcpt in rcpts)
        answers["last"].append("503 nobody" if nobody else end)
        if not nobody:
            answers["data"].append(data)
        elif lone_dot and mail[0] == "2":
            answers["data"].append("354 go")
        else:
            answers["data"].append("503 nobody")
        if answers["data"][-1][0] == "3":
            answers["end"].append("554 nobody" if nobody else end)
    return friendly(**{verb: replies for verb, replies in answers.items() if replies})


@WAYS
@given(st.lists(st.sampled_from(CASES), min_size=1, max_size=6), st.booleans())
def test_every_mixture(chunking, cases, lone_dot):
    cases = [(mail, rcpts, "354 go" if chunking else data, end) for mail, rcpts, data, end in cases]
    server = correct_server(cases, chunking=chunking, lone_dot=lone_dot)
    machine = connected(*OFFERED)
    played = chained(machine, server, messages(len(cases), 2), chunking=chunking)
    assert found(played) == [truth(*case) for case in cases]
    for outcome in played.value():
        assert outcome.error is None
        assert [str(each.recipient) for each in outcome.recipients] == names(2)
    assert not played.closed
    # Whatever became of them, the next message finds a connection in step.
    assert found(chained(machine, friendly(), messages(1))) == [[ACCEPTED]]


@WAYS
def test_every_mixture_of_two(chunking):
    for one, two in product(CASES[::5], CASES[::7]):
        cases = [(mail, rcpts, "354 go" if chunking else data, end) for mail, rcpts, data, end in (one, two)]
        for lone_dot in (False, True):
            server = correct_server(cases, chunking=chunking, lone_dot=lone_dot)
            played = chained(connected(*OFFERED), server, messages(2, 2), chunking=chunking)
            assert found(played) == [truth(*case) for case in cases], cases


# -- what is lost -----------------------------------------------------------------------------------

LOST = [Cut(EOF), Cut(TIMEOUT), Cut(RESET)]


@pytest.mark.parametrize("cut", LOST, ids=["eof", "timeout", "reset"])
@pytest.mark.parametrize("at", range(4))
@pytest.mark.parametrize("verb", ["mail", "rcpt", "data", "end"])
def test_lost_behind_data(verb, at, cut):
    """Whose end was written is UNKNOWN, and who comes later NOT_SENT; their envelope counts for nothing."""
    answers: list[Any] = [{"data": "354 go"}.get(verb, "250 ok")] * at
    machine = connected("PIPELINING")
    played = chained(machine, friendly(**{verb: [*answers, cut]}), messages(4))
    if verb == "end":
        expected = [ACCEPTED] * at + [UNKNOWN] + [NOT_SENT] * (3 - at)
    else:
        # The verdict on the one before has come, since it comes first
        expected = [ACCEPTED] * at + [NOT_SENT] * (4 - at)
    assert found(played) == [[each] for each in expected]
    assert machine.state is State.CLOSED
    assert played.closed
    for outcome in played.value()[at:]:
        assert isinstance(outcome.error, OSError)
        assert outcome.recipients[0].why


@pytest.mark.parametrize("cut", LOST, ids=["eof", "timeout", "reset"])
@pytest.mark.parametrize("at", range(5))
@pytest.mark.parametrize("verb", ["mail", "rcpt", "last"])
def test_lost_in_chunks(verb, at, cut):
    """Two may be on their way with their ends."""
    played = chained(connected(*OFFERED), friendly(**{verb: [*["250 ok"] * at, cut]}), messages(5), chunking=True)
    written = sum(octets.count(b"LAST\r\n") for octets in played.writes)
    assert found(played) == [[ACCEPTED]] * at + [[UNKNOWN]] * (written - at) + [[NOT_SENT]] * (5 - written)
    assert at < written <= at + 2


@WAYS
@pytest.mark.parametrize("verb", ["mail", "rcpt", "data", "end", "last"])
@pytest.mark.parametrize("at", range(4))
def test_the_server_hangs_up(verb, at, chunking):
    """RFC 5321 s3.8: behind 421 nothing was looked at, since replies come in order."""
    if verb in (("data", "end") if chunking else ("last",)):
        return
    usual = "354 go" if verb == "data" else "250 ok"
    machine = connected(*OFFERED)
    played = chained(machine, friendly(**{verb: [*[usual] * at, "421 no more"]}), messages(4), chunking=chunking)
    assert found(played) == [[ACCEPTED]] * at + [[LATER]] + [[NOT_SENT]] * (3 - at)
    assert machine.state is State.CLOSED
    outcomes = played.value()
    assert outcomes[at].error is None
    assert all(isinstance(outcome.error, Disconnected) for outcome in outcomes[at + 1 :])


@WAYS
@pytest.mark.parametrize("nth", range(12))
def test_a_write_that_fails(nth, chunking):
    """What was handed over with its end may have been taken."""
    machine = connected(*OFFERED)
    server = friendly()
    played = chained(machine, server, messages(4), (nth, ConnectionResetError("gone")), chunking=chunking)
    result = [each for (each,) in found(played)]
    count = len(taken(server, chunking=chunking))
    assert result == sorted(result, key=[ACCEPTED, UNKNOWN, NOT_SENT].index), "in this order"
    assert result.count(ACCEPTED) <= count <= result.count(ACCEPTED) + result.count(UNKNOWN)
    assert result.count(UNKNOWN) <= 2
    if ACCEPTED in result and result != [ACCEPTED] * 4:
        assert machine.state is State.CLOSED


@WAYS
def test_a_reply_that_makes_no_sense(chunking):
    verb = "last" if chunking else "end"
    played = chained(connected(*OFFERED), friendly(**{verb: ["250 ok", "354 what?"]}), messages(4), chunking=chunking)
    assert found(played)[:2] == [[ACCEPTED], [UNKNOWN]]
    assert {each for (each,) in found(played)[2:]} <= {UNKNOWN, NOT_SENT}


# -- mistakes of the caller -------------------------------------------------------------------------


def test_a_content_that_cannot_be_sent_behind_data():
    """It was begun and cannot be finished: the connection is given up, and nobody's outcome is lost."""
    what = messages(4)
    what[2] = (None, names(1), b"bare\nnewline\r\n")
    machine = connected("PIPELINING")
    server = friendly()
    played = chained(machine, server, what)
    assert found(played) == [[ACCEPTED], [ACCEPTED], [NOT_SENT], [NOT_SENT]]
    assert isinstance(played.value()[2].error, LocalProtocolError)
    assert machine.state is State.CLOSED
    assert len(server.contents) == 2


def test_a_content_that_cannot_be_sent_in_chunks():
    """Nothing of it goes, and the others do not suffer."""
    for at in range(4):
        what = messages(4)
        what[at] = (None, names(2), b"bare\nnewline\r\n")
        machine = connected(*OFFERED)
        server = friendly()
        played = chained(machine, server, what, chunking=True)
        assert found(played) == [[NOT_SENT] * 2 if number == at else [ACCEPTED] for number in range(4)]
        assert isinstance(played.value()[at].error, LocalProtocolError)
        assert server.chunks == [content(number) for number in range(4) if number != at]
        assert found(chained(machine, friendly(), messages(2), chunking=True)) == [[ACCEPTED]] * 2


@WAYS
def test_a_content_that_fails(chunking):
    def failing() -> Any:
        yield b"Hello\r\n"
        raise ZeroDivisionError

    what: list[Any] = messages(4)
    what[2] = (None, names(1), failing())
    played = chained(connected(*OFFERED), friendly(), what, chunking=chunking)
    assert found(played) == [[ACCEPTED], [ACCEPTED], [NOT_SENT], [NOT_SENT]]
    assert isinstance(played.value()[2].error, ZeroDivisionError)


def test_mistakes_are_found_before_anything_is_sent():
    machine, server = connected("PIPELINING"), friendly()
    wrong: list[Any] = [(None, [], b""), (None, names(1), "text"), (None, ["no address"], b""), ("x", names(1), b"")]
    for message in wrong:
        with pytest.raises((ValueError, TypeError)):
            chained(machine, server, [*messages(1), message]).value()
    with pytest.raises(LocalProtocolError, match="needs CHUNKING"):
        chained(machine, server, messages(1), mail_parameters=[BODY(Body.BINARYMIME)]).value()
    assert server.lines == []
    assert machine.state is State.READY


def test_who_needs_what_the_server_does_not_have():
    what = messages(3)
    what[1] = ("älice@crepes.fr", names(1), b"")
    assert found(chained(connected("PIPELINING"), friendly(), what)) == [[ACCEPTED], [NOT_SENT], [ACCEPTED]]


# -- what a session takes ---------------------------------------------------------------------------


@WAYS
@pytest.mark.parametrize("most", [1, 3, 5])
def test_messages_of_a_session(most, chunking):
    machine = connected(*OFFERED, f"LIMITS MAILMAX={most}")
    played = chained(machine, friendly(), messages(5), chunking=chunking)
    assert found(played) == [[ACCEPTED]] * most + [[NOT_SENT]] * (5 - most)
    if most < 5:
        assert played.value()[-1].recipients[0].why == f"the server takes MAILMAX={most} messages in a session"
    assert machine.state is State.READY


@WAYS
def test_recipients_of_a_transaction(chunking):
    server = friendly()
    what = [*messages(2, 2), (None, names(5), content(2)), *messages(1, 1)]
    played = chained(connected(*OFFERED, "LIMITS RCPTMAX=2"), server, what, chunking=chunking)
    assert found(played) == [[ACCEPTED] * 2, [ACCEPTED] * 2, [ACCEPTED] * 5, [ACCEPTED]]
    assert taken(server, chunking=chunking) == [content(number) for number in (0, 1, 2, 2, 2, 0)]


@WAYS
@given(st.lists(st.integers(1, 4), min_size=1, max_size=6), st.integers(1, 3), st.integers(1, 8))
def test_with_our_own_server(chunking, counts, rcptmax, mailmax):
    inbox: list[tuple[int, bytes]] = []
    handler = collecting(lambda session, octets: inbox.append((len(session.transaction.rcpts), octets)))
    link = Link(handler, capabilities=[LIMITS.offer(Limits(mailmax, rcptmax))])
    with link.connect() as client:
        outcomes = client.send_all(
            [(None, names(count), content(number)) for number, count in enumerate(counts)], chunking=chunking
        )
    accepted = [statuses(outcome).count(ACCEPTED) for outcome in outcomes]
    assert [len(outcome.recipients) for outcome in outcomes] == counts
    assert all(set(statuses(outcome)) <= {ACCEPTED, NOT_SENT} for outcome in outcomes)
    assert sum(number for number, _ in inbox) == sum(accepted)
    assert len(inbox) <= mailmax
    assert not [octets for who, octets in link.transcript if who == "S" and octets[:1] in b"45"]


# -- LMTP -------------------------------------------------------------------------------------------


@WAYS
def test_lmtp(chunking):
    """RFC 2033 s4.2: each recipient of each message has a verdict of its own."""

    class Choosy:
        def message(self, session: Any) -> Any:
            from smtpcore import Reply

            return [
                Reply(550, "no") if str(each).startswith("bob1") else Reply(250, "ok")
                for each in session.transaction.recipients
            ]

    link = Link(Choosy(), lmtp=True)
    with link.connect(lmtp=True) as client:
        outcomes = client.send_all(messages(4, 3), chunking=chunking)
    assert [statuses(outcome) for outcome in outcomes] == [[ACCEPTED, REFUSED, ACCEPTED]] * 4
