"""What becomes of each recipient, for every mixture of answers (law 10, SAFETY D2)."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ClientConnection, Mailbox, Noop, RemoteProtocolError, Reply, State
from smtpcore.flows.client import exchange, quit_session
from smtpcore.flows.error import Disconnected
from smtpcore.flows.outcome import Outcome, RecipientOutcome, Status
from tests.flows.driving import EOF, RESET, TIMEOUT
from tests.flows.fakeserver import Cut, FakeServer, connected, friendly, names, statuses, submitted

pytestmark = pytest.mark.law(10)

PIPELINING = "PIPELINING"
OFFERS = pytest.mark.parametrize("offered", [(PIPELINING,), ()], ids=["pipelined", "one-by-one"])
ACCEPTED, LATER, REFUSED, NOT_SENT, UNKNOWN = (
    status.value
    for status in (Status.ACCEPTED, Status.REFUSED_FOR_NOW, Status.REFUSED, Status.NOT_SENT, Status.UNKNOWN)
)
BY_DIGIT = {"2": ACCEPTED, "4": LATER, "5": REFUSED}
LOST = [Cut(EOF), Cut(TIMEOUT), Cut(RESET)]


# --- every mixture -------------------------------------------------------------------------------

REPLIES = ("250 ok", "450 later", "550 no")


def truth(mail: str, rcpts: tuple[str, ...], data: str, end: str) -> list[str]:
    """The plainest way to say it, for a server that keeps to the protocol."""
    if mail[0] != "2":
        return [BY_DIGIT[mail[0]]] * len(rcpts)
    verdict = end if data[0] == "3" else data
    return [BY_DIGIT[(verdict if rcpt[0] == "2" else rcpt)[0]] for rcpt in rcpts]


def correct_server(mail: str, rcpts: tuple[str, ...], data: str, end: str) -> FakeServer:
    """Answers out of sequence what has become so."""
    if mail[0] != "2":
        return friendly(mail=mail, rcpt="503 need MAIL", data="503 need MAIL")
    if all(rcpt[0] != "2" for rcpt in rcpts):
        data = "554 no valid recipients" if data[0] == "3" else data
    return friendly(rcpt=rcpts, data=data, end=end)


@OFFERS
@pytest.mark.parametrize("mail", REPLIES)
@pytest.mark.parametrize("data", ["354 go", "451 busy", "554 no"])
@pytest.mark.parametrize("end", REPLIES)
def test_every_mixture_of_replies_for_three_recipients(offered, mail, data, end):
    for rcpts in product(REPLIES, repeat=3):
        machine = connected(*offered)
        server = correct_server(mail, rcpts, data, end)
        played = submitted(machine, server, 3)
        outcome = played.value()
        assert statuses(outcome) == truth(mail, rcpts, data, end), (mail, rcpts, data, end)
        assert len(server.contents) == (mail[0] == "2" and data[0] == "3" and any(rcpt[0] == "2" for rcpt in rcpts))
        assert [str(each.recipient) for each in outcome.recipients] == names(3)
        assert outcome.error is None
        assert not played.closed
        # Whatever became of it, the next message finds a connection in step.
        assert statuses(submitted(machine, friendly(), 2).value()) == [ACCEPTED] * 2


@OFFERS
@given(st.lists(st.sampled_from([*REPLIES, "251 forwarded", "552 full", "421x"]), min_size=1, max_size=12), st.data())
def test_many_recipients(offered, rcpts, data):
    rcpts = [reply.replace("421x", "452 too many") for reply in rcpts]
    given_to = data.draw(st.lists(st.sampled_from(names(3)), min_size=len(rcpts), max_size=len(rcpts)))
    server = correct_server("250 ok", tuple(rcpts), "354 go", "250 taken")
    outcome = submitted(connected(*offered), server, given_to).value()
    assert statuses(outcome) == truth("250 ok", tuple(rcpts), "354 go", "250 taken")
    assert [str(each.recipient) for each in outcome.recipients] == given_to
    for each, reply in zip(outcome.recipients, rcpts):
        assert str(each.reply) == (reply if reply[0] != "2" else "250 taken")


@OFFERS
def test_a_recipient_given_twice_has_two_outcomes(offered):
    server = friendly(rcpt=["250 ok", "550 twice", "250 ok"])
    to = ["bob@hamburger.edu", "bob@hamburger.edu", "eve@hamburger.edu"]
    outcome = submitted(connected(*offered), server, to).value()
    assert statuses(outcome) == [ACCEPTED, REFUSED, ACCEPTED]
    assert [line for line in server.lines if line.startswith(b"RCPT")] == [f"RCPT TO:<{each}>".encode() for each in to]


@OFFERS
def test_the_words_that_decided_are_there(offered):
    server = friendly(rcpt=["250 ok", "550 no such user"], end="452 disk full")
    outcome = submitted(connected(*offered), server, 2).value()
    assert outcome.recipients[0].reply == outcome.reply == Reply(452, "disk full")
    assert outcome.recipients[1].reply == Reply(550, "no such user")
    assert not outcome.all_accepted


# --- nobody is wanted ----------------------------------------------------------------------------


@pytest.mark.parametrize("lone_dot", ["250 taken", "554 no recipients", "451 what?"])
@pytest.mark.parametrize("rcpt", ["550 no", "450 later"])
def test_354_although_nobody_is_wanted(lone_dot, rcpt):
    """SYN-06, RFC 2920 s3.1: a lone dot, whose verdict counts for nobody."""
    machine = connected(PIPELINING)
    server = friendly(rcpt=rcpt, end=lone_dot)
    outcome = submitted(machine, server, 2).value()
    assert statuses(outcome) == [BY_DIGIT[rcpt[0]]] * 2
    assert server.contents == [b""]
    assert outcome.reply is None
    assert statuses(submitted(machine, friendly(), 1).value()) == [ACCEPTED]


@pytest.mark.parametrize("data", ["503 need RCPT", "554 no valid recipients", "451 later"])
def test_data_refused_because_nobody_is_wanted(data):
    machine = connected(PIPELINING)
    server = friendly(rcpt=["550 no", "450 later"], data=data)
    outcome = submitted(machine, server, 2).value()
    assert statuses(outcome) == [REFUSED, LATER]
    assert server.contents == []


def test_without_pipelining_data_is_not_even_asked():
    server = friendly(rcpt="550 no")
    assert statuses(submitted(connected(), server, 2).value()) == [REFUSED] * 2
    assert b"DATA" not in server.lines


def test_without_pipelining_no_recipient_is_named_to_a_server_that_refused_the_sender():
    server = friendly(mail="550 no", rcpt="250 ok")
    assert statuses(submitted(connected(), server, 3).value()) == [REFUSED] * 3
    assert len(server.lines) == 1


def test_a_server_that_takes_recipients_behind_a_refused_sender():
    """What it says is of no account: no content follows, and nobody is accepted."""
    server = friendly(mail="550 no", rcpt="250 ok", data="354 go", end="250 taken")
    outcome = submitted(connected(PIPELINING), server, 2).value()
    assert statuses(outcome) == [REFUSED] * 2
    assert server.contents == [b""]


# --- replies of the wrong class ------------------------------------------------------------------


@OFFERS
@pytest.mark.parametrize("code", [200, 250, 299])
def test_a_positive_reply_to_data_is_no_acceptance(offered, code):
    """The content never left, so nobody has it."""
    server = friendly(data=f"{code} ok")
    outcome = submitted(connected(*offered), server, 2).value()
    assert statuses(outcome) == [NOT_SENT] * 2
    assert server.contents == []
    assert not outcome.all_accepted


@OFFERS
@pytest.mark.parametrize("code", [300, 354])
def test_a_reply_to_the_content_that_is_no_verdict(offered, code):
    """Whether the server has the message nobody can tell."""
    machine = connected(*offered)
    played = submitted(machine, friendly(end=f"{code} go on"), 2)
    assert statuses(played.value()) == [UNKNOWN] * 2
    assert played.closed


@OFFERS
def test_an_intermediate_reply_to_mail_or_rcpt_accepts_nobody(offered):
    assert statuses(submitted(connected(*offered), friendly(mail="354 go", rcpt="503 x", data="503 x"), 1).value()) == [
        NOT_SENT
    ]
    assert statuses(submitted(connected(*offered), friendly(rcpt=["354 go", "250 ok"]), 2).value()) == [
        NOT_SENT,
        ACCEPTED,
    ]


# --- 421 anywhere --------------------------------------------------------------------------------

CLOSING = "421 4.3.2 going down"


@OFFERS
@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param({"mail": CLOSING}, [LATER] * 3, id="mail"),
        pytest.param({"rcpt": [CLOSING, "250 ok"]}, [LATER, NOT_SENT, NOT_SENT], id="first-rcpt"),
        pytest.param({"rcpt": ["250 ok", CLOSING, "250 ok"]}, [NOT_SENT, LATER, NOT_SENT], id="second-rcpt"),
        pytest.param({"rcpt": ["550 no", "250 ok", CLOSING]}, [REFUSED, NOT_SENT, LATER], id="last-rcpt"),
        pytest.param({"rcpt": ["550 no", "250 ok"], "data": CLOSING}, [REFUSED, LATER, LATER], id="data"),
        pytest.param({"rcpt": ["550 no", "250 ok"], "end": CLOSING}, [REFUSED, LATER, LATER], id="end"),
    ],
)
def test_421_anywhere(offered, answers, expected):
    """Never more than was said, never a refusal of what was accepted; and the connection is over (RFC 5321 s3.8)."""
    machine = connected(*offered)
    server = friendly(**answers)
    outcome = submitted(machine, server, 3).value()
    assert statuses(outcome) == expected
    assert machine.state is State.CLOSED
    assert len(server.contents) == ("end" in answers)


@OFFERS
def test_421_that_nobody_asked_for(offered):
    """It came while the connection was idle, and answers no command."""
    machine = connected(*offered)
    machine.receive_data(b"421 idle too long\r\n")
    server = friendly()
    outcome = submitted(machine, server, 2).value()
    assert statuses(outcome) == [LATER] * 2
    assert [each.reply for each in outcome.recipients] == [Reply(421, "idle too long")] * 2
    assert server.contents == []


# --- lost connections ----------------------------------------------------------------------------


@OFFERS
@pytest.mark.parametrize("cut", LOST, ids=repr)
@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param({"mail": "cut"}, [NOT_SENT] * 3, id="mail"),
        pytest.param({"rcpt": ["550 no", "250 ok", "cut"]}, [REFUSED, NOT_SENT, NOT_SENT], id="rcpt"),
        pytest.param({"rcpt": ["550 no", "250 ok"], "data": "cut"}, [REFUSED, NOT_SENT, NOT_SENT], id="before-354"),
        pytest.param({"rcpt": ["550 no", "250 ok"], "end": "cut"}, [REFUSED, UNKNOWN, UNKNOWN], id="after-the-dot"),
    ],
)
def test_the_connection_is_lost(offered, cut, answers, expected):
    filled = {
        verb: cut
        if given == "cut"
        else [cut if each == "cut" else each for each in given]
        if isinstance(given, list)
        else given
        for verb, given in answers.items()
    }
    machine = connected(*offered)
    played = submitted(machine, friendly(**filled), 3)
    outcome = played.value()
    assert statuses(outcome) == expected
    assert isinstance(outcome.error, OSError)
    assert outcome.reply is None
    assert played.closed
    for each in outcome.recipients:
        if each.status in (Status.NOT_SENT, Status.UNKNOWN):
            assert each.reply is None
            assert each.why


@pytest.mark.parametrize("error", [RESET, TIMEOUT, BrokenPipeError("gone"), OSError(113, "no route to host")], ids=repr)
@pytest.mark.parametrize(
    ("write", "expected"),
    [(1, [NOT_SENT] * 2), (2, [NOT_SENT] * 2), (3, [NOT_SENT] * 2), (4, [UNKNOWN] * 2)],
    ids=["envelope", "first-chunk", "second-chunk", "final-dot"],
)
def test_a_write_fails(error, write, expected):
    played = submitted(
        connected(PIPELINING), friendly(), 2, content=[b"one\r\n", b"two\r\n"], write_error=(write, error)
    )
    outcome = played.value()
    assert statuses(outcome) == expected
    assert outcome.error is error
    assert played.closed
    assert all(str(error) in each.why for each in outcome.recipients)


@OFFERS
@pytest.mark.parametrize(
    "garbage", [b"hello?\r\n", b"\r\n", b"2500 ok\r\n", b"250-a\r\n251 b\r\n", b"250 o\nk\r\n"], ids=repr
)
@pytest.mark.parametrize(
    ("verb", "expected"), [("mail", NOT_SENT), ("rcpt", NOT_SENT), ("data", NOT_SENT), ("end", UNKNOWN)]
)
def test_the_server_breaks_the_protocol(offered, garbage, verb, expected):
    machine = connected(*offered)
    played = submitted(machine, friendly(**{verb: Cut(garbage)}), 2)
    outcome = played.value()
    assert statuses(outcome) == [expected] * 2
    assert isinstance(outcome.error, RemoteProtocolError)
    assert played.closed


def test_a_reply_too_many_is_never_taken_for_the_verdict():
    """SYN-01, SYN-03: what comes before the content was sent cannot be about it."""
    server = friendly(data="354 go\r\n250 taken", end="550 no")
    played = submitted(connected(PIPELINING), server, 1)
    assert statuses(played.value()) == [NOT_SENT]
    assert server.contents == []
    assert played.closed


def test_421_behind_the_354():
    server = friendly(rcpt=["550 no", "250 ok"], data="354 go\r\n421 no, stop")
    played = submitted(connected(PIPELINING), server, 2)
    assert statuses(played.value()) == [REFUSED, LATER]
    assert server.contents == []


# --- after a lost connection ---------------------------------------------------------------------


@OFFERS
@pytest.mark.parametrize("cut", [*LOST, Cut(b"garbage\r\n")], ids=repr)
@pytest.mark.parametrize("verb", ["mail", "rcpt", "data", "end"])
def test_a_connection_that_was_lost_is_never_used_again(offered, cut, verb):
    """SYN-02: a reply that comes late must not be taken for the answer to something else."""
    machine = connected(*offered)
    submitted(machine, friendly(**{verb: cut}), 1).value()
    server = friendly()
    for flow in (exchange(machine, Noop()), quit_session(machine)):
        server.run(flow)
    again = submitted(machine, server, 1)
    assert server.lines == []
    assert server.contents == []
    assert again.error is not None


def test_disconnected_says_what_happened():
    outcome = submitted(connected(), friendly(end=Cut(EOF)), 1).value()
    assert isinstance(outcome.error, Disconnected)
    assert outcome.recipients[0].why == "the server closed the connection"


# --- values --------------------------------------------------------------------------------------


def test_outcomes_are_values():
    bob = Mailbox.parse("bob@hamburger.edu")
    one = RecipientOutcome(bob, Status.ACCEPTED, Reply(250, "ok"))
    assert one == RecipientOutcome(bob, Status.ACCEPTED, Reply(250, "ok"))
    assert one != RecipientOutcome(bob, Status.UNKNOWN, Reply(250, "ok"))
    assert Outcome((one,)).all_accepted
    assert not Outcome((one, RecipientOutcome(bob, Status.UNKNOWN))).all_accepted
    with pytest.raises(AttributeError):
        one.status = Status.REFUSED


def test_a_message_needs_a_recipient():
    played = submitted(connected(), friendly(), [])
    assert isinstance(played.error, ValueError)
    assert played.written == b""


@pytest.mark.parametrize("machine", [ClientConnection()], ids=["before-the-greeting"])
def test_no_message_out_of_place(machine):
    played = submitted(machine, friendly(), 1)
    assert played.error is not None
    assert "CONNECTED" in str(played.error)
    assert played.written == b""
