"""Content on its way through a server script: whole, refused, broken off; and when ``aborted`` is called."""

from __future__ import annotations

from typing import Any

import pytest

from smtpcore import BareNewlines, Reply, ServerLimits
from smtpcore.flows.handler import Refusal
from smtpcore.flows.server import Drain
from tests.flows.driving import EOF, RESET, TIMEOUT
from tests.flows.serving import (
    BODY,
    DATA,
    END,
    MAIL,
    NOOP,
    QUIT,
    RCPT,
    WAYS,
    Hall,
    Scripted,
    codes,
)  # fmt: skip

EVERY_WAY = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
NO = Reply(554, "looks like spam", "5.7.1")


def next_message_is_taken(hall: Hall) -> bool:
    return codes(hall.say(MAIL, RCPT, DATA, BODY + END, QUIT)) == [250, 250, 354, 250, 221] and hall.closed


@EVERY_WAY
def test_content_comes_in_pieces_and_whole(way):
    handler = Scripted(way=way)
    hall = Hall(handler).in_content()
    assert codes(hall.say(b"one\r", b"\n..two\r\n.", b"\r\n")) == [250]
    assert handler.content_seen == b"one\r\n.two\r\n"
    assert handler.count("aborted") == 0


@EVERY_WAY
@pytest.mark.parametrize(
    ("answer", "reply"),
    [
        pytest.param(Refusal(NO), "554 5.7.1 looks like spam\r\n", id="refusal-raised"),
        pytest.param(lambda *args: Refusal(NO), "554 5.7.1 looks like spam\r\n", id="refusal-returned"),
        pytest.param(Refusal(Reply(452, "full", "4.3.1")), "452 4.3.1 full\r\n", id="refusal-for-now"),
        pytest.param(RuntimeError("boom"), "451 4.3.0 local error in processing\r\n", id="exception"),
        pytest.param(OSError(28, "disk full"), "451 4.3.0 local error in processing\r\n", id="oserror"),
    ],
)
def test_content_that_fails_is_read_to_its_end_and_then_refused(answer, reply, way):
    handler = Scripted(way=way, content=answer)
    hall = Hall(handler).in_content()
    assert hall.say(BODY, BODY, BODY) == ""
    assert handler.count("content") == 1
    assert handler.count("aborted") == 0
    assert hall.say(END) == reply
    assert handler.count("aborted") == 1
    assert handler.count("message") == 0
    assert hall.reported == ([answer] if isinstance(answer, (RuntimeError, OSError)) else [])


def test_the_next_message_starts_afresh():
    """A content that failed has no part in what comes after it."""
    fails = [True, False]

    def content(session, chunk):
        if fails.pop(0):
            raise Refusal(NO)

    handler = Scripted(content=content)
    hall = Hall(handler).in_content()
    assert codes(hall.say(BODY + END)) == [554]
    assert codes(hall.say(MAIL, RCPT, DATA, BODY + END)) == [250, 250, 354, 250]
    assert (handler.count("message"), handler.count("aborted")) == (1, 1)


@pytest.mark.parametrize("answer", [Reply(250, "fine"), Reply(354, "go on"), Reply(221, "bye")], ids=str)
@pytest.mark.parametrize("make", [lambda reply: reply, Refusal], ids=["returned", "raised"])
def test_no_answer_of_content_is_an_acceptance(answer, make):
    """Law 8: only what ``message`` says can be, and it was not asked."""
    handler = Scripted(content=make(answer))
    hall = Hall(handler).in_content()
    assert codes(hall.say(BODY + END)) == [451]
    assert len(hall.reported) == 1
    assert handler.count("message") == 0
    assert handler.count("aborted") == 1


# --- message -------------------------------------------------------------------------------------


@EVERY_WAY
@pytest.mark.parametrize(
    "answer", [None, "queued", Reply(250, "ok"), NO, Refusal(NO), RuntimeError("boom"), Reply(354, "x")], ids=repr
)
def test_behind_message_nothing_is_aborted(answer, way):
    """Once it has been called, what there is of the content is its own to tidy up."""
    handler = Scripted(way=way, message=answer)
    hall = Hall(handler).in_content()
    hall.say(BODY + END, EOF)
    assert handler.count("message") == 1
    assert handler.count("aborted") == 0


def test_a_client_that_leaves_behind_the_dot_does_not_unmake_the_message():
    """SAFETY D4: what the handler has taken stays taken."""
    handler = Scripted()
    hall = Hall(handler).in_content()
    hall.say(BODY + END + NOOP, RESET)
    assert handler.count("message") == 1
    assert handler.count("aborted") == 0
    assert hall.closed


# --- aborted -------------------------------------------------------------------------------------


@EVERY_WAY
@pytest.mark.parametrize(
    ("ending", "reply"),
    [
        pytest.param([EOF], [], id="end-of-stream"),
        pytest.param([BODY, EOF], [], id="end-of-stream-within"),
        pytest.param([BODY, RESET], [], id="reset"),
        pytest.param([BODY, TIMEOUT], [421], id="timeout"),
        pytest.param([b"bare\nLF\r\n" + END], [550], id="bare-newline"),
        pytest.param([b"x" * 2000 + b"\r\n" + END], [552], id="too-big"),
    ],
)
def test_aborted_is_called_once_when_a_content_does_not_end_well(ending, reply, way):
    handler = Scripted(way=way)
    hall = Hall(handler, size=1000).in_content()
    assert codes(hall.say(*ending)) == reply
    assert handler.count("aborted") == 1
    assert handler.count("message") == 0
    if hall.ended:
        assert handler.calls[-2:] == ["aborted", "closed"]
    else:
        assert next_message_is_taken(hall)
        assert handler.count("aborted") == 1
    assert hall.reported == []


@EVERY_WAY
@pytest.mark.parametrize(
    "refusal", [Reply(451, "busy"), Reply(250, "nonsense"), RuntimeError("boom"), "two\nlines"], ids=repr
)
def test_a_content_that_never_began_is_not_aborted(refusal, way):
    handler = Scripted(way=way, data=refusal)
    hall = Hall(handler).ready()
    assert codes(hall.say(MAIL, RCPT, DATA)) == [250, 250, 451]
    hall.say(EOF)
    assert handler.count("aborted") == 0


@pytest.mark.parametrize("answer", [None, "go", Reply(354, "go"), Reply(350, "go")], ids=repr)
def test_a_content_that_began_is_aborted_whatever_began_it(answer):
    handler = Scripted(data=answer)
    hall = Hall(handler).ready()
    assert codes(hall.say(MAIL, RCPT, DATA))[-1] // 100 == 3
    hall.say(EOF)
    assert handler.count("aborted") == 1


def test_a_transaction_without_content_is_not_aborted():
    handler = Scripted()
    Hall(handler).ready().say(MAIL, RCPT, EOF)
    assert "aborted" not in handler.calls


def test_the_machines_limit_of_errors_within_the_content():
    handler = Scripted()
    hall = Hall(handler, limits=ServerLimits(errors=0)).in_content()
    assert codes(hall.say(b"bare\nLF\r\n" + END)) == [550, 421]
    assert hall.closed
    assert handler.calls[-2:] == ["aborted", "closed"]


# --- cancelled -----------------------------------------------------------------------------------


@pytest.mark.parametrize("within", [True, False], ids=["content", "idle"])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_cancelled_script_calls_what_is_plain_and_leaves_the_rest(within, way):
    """Nothing can be awaited any more; a coroutine that never ran leaves no warning."""
    handler = Scripted(way=way)
    hall = Hall(handler)
    if within:
        hall.in_content().say(BODY)
    else:
        hall.ready()
    hall.stage.flow.close()
    wanted = ["aborted", "closed"] if within else ["closed"]
    assert [call for call in handler.calls if call in ("aborted", "closed")] == (wanted if way is WAYS["plain"] else [])


def test_an_exception_while_it_is_cancelled_is_reported():
    first, second = RuntimeError("first"), RuntimeError("second")
    handler = Scripted(aborted=first, closed=second)
    hall = Hall(handler).in_content()
    hall.stage.flow.close()
    assert hall.reported == [first, second]


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit(1)], ids=lambda stop: type(stop).__name__)
def test_an_interrupt_within_a_handler_comes_out(stop):
    handler = Scripted(content=stop)
    hall = Hall(handler).in_content()
    hall.say(BODY)
    assert hall.stage.played.error is stop
    assert handler.calls[-2:] == ["aborted", "closed"]


# --- draining ------------------------------------------------------------------------------------


def drain(hall: Hall, *turns: Any) -> list[int]:
    hall.control.draining = True
    return codes(hall.say(Drain(), *turns))


@EVERY_WAY
@pytest.mark.parametrize("before", [[], [b"EHLO crepes.fr\r\n"], [b"EHLO crepes.fr\r\n", b"NOO"]], ids=repr)
def test_draining_says_421_to_who_is_idle(before, way):
    handler = Scripted(way=way)
    hall = Hall(handler)
    hall.say(*before)
    assert drain(hall) == [421]
    assert hall.closed
    assert handler.calls[-1] == "closed"


@EVERY_WAY
def test_draining_lets_the_transaction_in_hand_finish(way):
    handler = Scripted(way=way)
    hall = Hall(handler).ready()
    hall.say(MAIL)
    assert drain(hall, RCPT, DATA, BODY, END) == [250, 354, 250, 421]
    assert hall.closed
    assert handler.count("message") == 1
    assert handler.count("aborted") == 0


def test_draining_within_the_content():
    handler = Scripted()
    hall = Hall(handler).in_content()
    assert drain(hall, BODY, END) == [250, 421]
    assert handler.count("message") == 1


def test_draining_ends_with_the_transaction_however_it_ends():
    assert drain(Hall(Scripted()).in_content(), b"bare\nLF\r\n" + END) == [550, 421]
    hall = Hall(Scripted()).ready()
    hall.say(MAIL)
    assert drain(hall, b"RSET\r\n") == [250, 421]
    assert hall.closed


def test_a_draining_server_begins_nothing_new():
    """Commands that are there already are answered; then it is over."""
    handler = Scripted()
    hall = Hall(handler).ready()
    hall.control.draining = True
    assert codes(hall.say(NOOP)) == [250, 421]
    assert hall.closed


def test_draining_while_a_client_goes_away():
    hall = Hall(Scripted()).in_content()
    assert drain(hall, EOF) == []
    assert hall.closed


# --- policies ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "seen"),
    [(BareNewlines.NORMALIZE, b"a\r\nb\r\n"), (BareNewlines.SPACE, b"a b\r\n")],
    ids=["normalize", "space"],
)
def test_policies_on_bare_newlines(policy, seen):
    handler = Scripted()
    hall = Hall(handler, bare_newlines=policy).in_content()
    assert codes(hall.say(b"a\nb\r\n" + END)) == [250]
    assert handler.content_seen == seen
