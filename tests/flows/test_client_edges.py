"""What a client's scripts make of misplaced calls, and of what a server says out of turn or in its last breath."""

from __future__ import annotations

import pytest

from smtpcore import ClientConnection, Ehlo, LocalProtocolError, Mail, Noop, Rcpt, Reply, State
from smtpcore.flows.client import exchange, heed, next_answer
from smtpcore.flows.content import octets_of
from smtpcore.flows.effect import Read, Write
from smtpcore.flows.error import Disconnected, Refused
from smtpcore.flows.submit import submit
from smtpcore.wire.address import Mailbox
from tests.flows.driving import EOF, RESET, TIMEOUT, Stage, play
from tests.flows.fakeserver import connected, statuses

BOB = Mailbox.parse("bob@hamburger.edu")


def test_no_answer_without_a_question():
    machine = connected()
    played = play(next_answer(machine))
    assert isinstance(played.error, LocalProtocolError)


def test_a_connection_that_has_ended_meanwhile():
    machine = connected()
    machine.receive_data(EOF)
    assert isinstance(play(exchange(machine, Noop())).error, Disconnected)
    assert isinstance(play(exchange(connected_then_closed(), Noop())).error, LocalProtocolError)


def connected_then_closed() -> ClientConnection:
    machine = connected()
    machine.abandon()
    return machine


def test_a_421_of_which_half_had_come_before():
    machine = connected()
    machine.receive_data(b"42")
    played = play(exchange(machine, Noop()), b"1 idle too long\r\n")
    assert isinstance(played.error, Refused)
    assert played.error.reply == Reply(421, "idle too long")


def test_nothing_to_heed():
    machine = connected()
    assert heed(machine) is None
    machine.send(Noop())
    machine.receive_data(b"250 ok\r\n")
    assert heed(machine) is None  # it has been asked for
    machine.next_event()
    assert heed(machine) is None


def test_a_command_that_was_made_impossible_by_the_one_before():
    machine = ClientConnection()
    machine.send(Ehlo("crepes.fr"))
    played = play(exchange(machine, Mail(None)), b"220 hi\r\n", b"550 go away\r\n")
    assert isinstance(played.error, LocalProtocolError)
    assert "MAIL" in str(played.error)


def test_commands_that_the_caller_had_queued_are_answered_on_the_way():
    machine = connected()
    machine.send(Mail(None))
    assert play(exchange(machine, Rcpt(BOB)), b"250 ok\r\n", b"551 not here\r\n").value().code == 551


# --- last words ----------------------------------------------------------------------------------


def on_the_way(*chunks: bytes) -> Stage:
    """A script that has been told 354, at the write of its first chunk."""
    stage = Stage(submit(connected("PIPELINING"), None, [BOB, BOB], octets_of(list(chunks))))
    stage.start()
    effect = stage.flow.send(b"250 ok\r\n250 ok\r\n550 no\r\n354 go\r\n")
    assert isinstance(effect, Write)
    return stage


LAST_WORDS = pytest.mark.parametrize(
    ("words", "status"),
    [
        pytest.param([b"552 too big\r\n"], "refused", id="552"),
        pytest.param([b"452 ", b"disk full\r\n"], "refused for now", id="452-in-pieces"),
        pytest.param([b"421 going down\r\n"], "refused for now", id="421"),
        pytest.param([EOF], None, id="nothing"),
        pytest.param([TIMEOUT], None, id="silence"),
        pytest.param([RESET], None, id="reset"),
        pytest.param([b"garbage\r\n"], None, id="garbage"),
        pytest.param([b"250 taken\r\n"], None, id="250"),
    ],
)


@LAST_WORDS
def test_a_refusal_that_is_still_to_be_read_when_a_chunk_cannot_be_written(words, status):
    stage = on_the_way(b"one\r\n")
    effect = stage.flow.throw(RESET)
    assert isinstance(effect, Read)
    assert effect.seconds is not None
    assert effect.seconds <= 5.0  # what has been said has arrived, or never will
    stage.feed(*words)
    outcome = stage.played.value()
    assert statuses(outcome) == [status or "not sent", "refused"]
    assert outcome.error is (None if status else RESET)
    assert stage.played.closed


@LAST_WORDS
def test_the_same_when_the_dot_cannot_be_written(words, status):
    stage = on_the_way(b"one\r\n")
    effect = stage.flow.send(None)
    assert isinstance(effect, Write)
    assert effect.data.endswith(b".\r\n")
    assert isinstance(stage.flow.throw(RESET), Read)
    stage.feed(*words)
    outcome = stage.played.value()
    # Whether the dot arrived nobody knows, so an acceptance is not believed, and silence is not a refusal.
    assert statuses(outcome) == [status or "unknown", "refused"]
    assert outcome.error is (None if status else RESET)


def test_a_content_that_is_refused_with_its_354():
    stage = Stage(submit(connected("PIPELINING"), None, [BOB], octets_of(b"Hello\r\n")))
    stage.start()
    stage.feed(b"250 ok\r\n250 ok\r\n354 go\r\n552 no, stop\r\n")
    outcome = stage.played.value()
    assert statuses(outcome) == ["refused"]
    assert b"Hello" not in stage.played.written
    assert outcome.recipients[0].reply == Reply(552, "no, stop")


def test_an_abandoned_machine_says_nothing_more():
    machine = connected()
    machine.send(Noop())
    machine.abandon()
    assert machine.data_to_send() == b""
    assert machine.state is State.CLOSED
    with pytest.raises(LocalProtocolError):
        machine.send(Noop())


@pytest.mark.parametrize("late", [b"250 once more\r\n", b"354 go\r\n", b"550 no\r\n"])
def test_a_reply_too_many_does_not_answer_the_next_message(late):
    """SYN: it came with the verdict before, and MAIL would be answered by it."""
    machine = connected("PIPELINING")
    one = play(message(machine), b"250 ok\r\n250 ok\r\n354 go\r\n", b"250 taken\r\n" + late).value()
    assert one.all_accepted
    two = play(message(machine))
    assert two.writes == []
    assert statuses(two.value()) == ["not sent"]
    assert "without a command to answer" in str(two.value().error)


def test_a_421_that_came_with_the_verdict_is_for_the_next_message():
    machine = connected("PIPELINING")
    play(message(machine), b"250 ok\r\n250 ok\r\n354 go\r\n", b"250 taken\r\n421 bye\r\n")
    two = play(message(machine))
    assert two.writes == []
    (recipient,) = two.value().recipients
    assert (recipient.status.value, str(recipient.reply)) == ("refused for now", "421 bye")


def message(machine):
    return submit(machine, None, [Mailbox.parse("bob@hamburger.edu")], octets_of(b"Hello\r\n"))
