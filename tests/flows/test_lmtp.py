"""LMTP: what becomes of each recipient, and what a handler can say of each (RFC 2033 s4.2)."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from smtpcore import RemoteProtocolError, Reply, State
from smtpcore.flows.client import open_session
from smtpcore.flows.error import Refused
from smtpcore.flows.handler import Refusal
from smtpcore.flows.options import begin_client
from smtpcore.flows.outcome import Status
from tests.flows.driving import EOF, RESET, TIMEOUT, play
from tests.flows.fakeserver import Cut, connected, friendly, statuses, submitted
from tests.flows.serving import BODY, DATA, END, MAIL, QUIT, RCPT, WAYS, Hall, Scripted, codes

pytestmark = pytest.mark.law(10)

OFFERED = ("PIPELINING", "ENHANCEDSTATUSCODES", "CHUNKING")
WAYS_TO_SEND = pytest.mark.parametrize("chunking", [False, True], ids=["DATA", "BDAT"])
CONTENTS = pytest.mark.parametrize("content", [b"Hello\r\n", b"0123456789abcde\r\n" * 20_000], ids=["small", "large"])
REPLIES = ("250 ok", "450 later", "550 no")
BY_DIGIT = {"2": Status.ACCEPTED.value, "4": Status.REFUSED_FOR_NOW.value, "5": Status.REFUSED.value}
UNKNOWN = Status.UNKNOWN.value


def lmtp(**answers: Any) -> Any:
    end = answers.pop("end", "250 ok|250 ok")
    return friendly(end=end, last=end, **answers)


def test_the_greeting():
    machine = begin_client({"lmtp": True})
    played = play(open_session(machine, "crepes.fr", "none"), b"220 x\r\n", b"250-x\r\n250 PIPELINING\r\n")
    played.value()
    assert played.written == b"LHLO crepes.fr\r\n"
    assert machine.state is State.READY


def test_there_is_no_weaker_greeting():
    machine = begin_client({"lmtp": True})
    played = play(open_session(machine, "crepes.fr", "none"), b"220 x\r\n", b"500 what?\r\n", b"221 bye\r\n")
    assert isinstance(played.error, Refused)
    assert b"HELO" not in played.written.replace(b"LHLO", b"")


@WAYS_TO_SEND
@CONTENTS
def test_every_mixture_of_verdicts(chunking, content):
    for rcpts in product(REPLIES, repeat=2):
        accepted = [rcpt for rcpt in rcpts if rcpt[0] == "2"]
        for verdicts in product(REPLIES, repeat=len(accepted)):
            said = "|".join(verdicts) or "503 no recipients"
            server = lmtp(rcpt=rcpts, data="354 go" if accepted else "503 no recipients", end=said)
            machine = connected(*OFFERED, lmtp=True)
            outcome = submitted(machine, server, 2, content, chunking=chunking).value()
            to_come = iter(verdicts)
            expected = [BY_DIGIT[(next(to_come) if rcpt[0] == "2" else rcpt)[0]] for rcpt in rcpts]
            assert statuses(outcome) == expected, (rcpts, verdicts)
            again = submitted(machine, lmtp(), 2, content, chunking=chunking).value()
            assert statuses(again) == [BY_DIGIT["2"]] * 2


@WAYS_TO_SEND
@CONTENTS
def test_duplicates_have_verdicts_of_their_own(chunking, content):
    server = lmtp(end="250 ok|550 no|450 later")
    outcome = submitted(connected(*OFFERED, lmtp=True), server, ["bob@x"] * 3, content, chunking=chunking).value()
    assert statuses(outcome) == [BY_DIGIT[digit] for digit in "254"]
    assert [each.reply for each in outcome.recipients] == [Reply(250, "ok"), Reply(550, "no"), Reply(450, "later")]


@WAYS_TO_SEND
@CONTENTS
@pytest.mark.parametrize("cut", [EOF, RESET, TIMEOUT], ids=repr)
def test_verdicts_that_never_come_are_unknown(chunking, content, cut):
    class Mute(type(lmtp())):  # type: ignore[misc]  # made for this
        """Says one verdict and no more."""

        def _answer(self, verb: str) -> None:
            super()._answer(verb)
            if verb in {"end", "last"}:
                self._cut = cut

    server = Mute(**{name: list(answers) for name, answers in lmtp(end="250 ok").answers.items()})
    outcome = submitted(connected(*OFFERED, lmtp=True), server, 3, content, chunking=chunking).value()
    assert statuses(outcome) == [BY_DIGIT["2"], UNKNOWN, UNKNOWN]
    assert outcome.error is not None


@WAYS_TO_SEND
@CONTENTS
def test_421_decides_for_one_and_leaves_the_others_open(chunking, content):
    server = lmtp(end="250 ok|421 bye")
    outcome = submitted(connected(*OFFERED, lmtp=True), server, 3, content, chunking=chunking).value()
    assert statuses(outcome) == [BY_DIGIT["2"], BY_DIGIT["4"], UNKNOWN]


@WAYS_TO_SEND
@CONTENTS
def test_354_is_no_verdict(chunking, content):
    server = lmtp(end="354 go|250 ok")
    outcome = submitted(connected(*OFFERED, lmtp=True), server, 2, content, chunking=chunking).value()
    assert statuses(outcome) == [UNKNOWN] * 2
    assert isinstance(outcome.error, RemoteProtocolError)


# -- the server -----------------------------------------------------------------------------------

EVERY_WAY = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
LHLO = b"LHLO crepes.fr\r\n"


def in_content(handler: object, **options: Any) -> Hall:
    hall = Hall(handler, lmtp=True, **options)
    assert codes(hall.say(LHLO, MAIL, RCPT, RCPT, DATA))[-4:] == [250, 250, 250, 354]
    return hall


@EVERY_WAY
def test_a_handler_answers_for_each(way):
    answers = ["delivered", Reply(552, "mailbox full", "5.2.2")]
    handler = Scripted(way=way, message=answers)
    hall = in_content(handler)
    assert hall.session.lmtp
    assert hall.say(BODY + END) == "250 2.0.0 delivered\r\n552 5.2.2 mailbox full\r\n"
    handler = Scripted(way=way, message=(None, Refusal(Reply(450, "later", "4.2.0"))))
    assert in_content(handler).say(BODY + END) == "250 2.0.0 message accepted\r\n450 4.2.0 later\r\n"


@EVERY_WAY
@pytest.mark.parametrize(
    ("answer", "reply"),
    [
        (None, "250 2.0.0 message accepted"),
        ("kept", "250 2.0.0 kept"),
        (Refusal(Reply(554, "no", "5.7.1")), "554 5.7.1 no"),
        (KeyError(), "451 4.3.0 local error in processing"),
        ([None], "451 4.3.0 local error in processing"),
        ([None, 5], "451 4.3.0 local error in processing"),
    ],
    ids=repr,
)
def test_one_answer_is_for_all(way, answer, reply):
    hall = in_content(Scripted(way=way, message=answer))
    assert hall.say(BODY + END) == f"{reply}\r\n" * 2
    assert bool(hall.reported) is reply.startswith("451")
    assert codes(hall.say(QUIT)) == [221]


@EVERY_WAY
def test_answers_for_each_are_not_for_smtp(way):
    """Nothing is accepted by mistake."""
    hall = Hall(Scripted(way=way, message=["kept"])).in_content()
    assert codes(hall.say(BODY + END)) == [451]
    assert len(hall.reported) == 1


@EVERY_WAY
def test_in_chunks(way):
    handler = Scripted(way=way, message=["kept", Reply(550, "no", "5.1.1")])
    hall = Hall(handler, lmtp=True)
    hall.say(LHLO)
    said = hall.say(MAIL, RCPT, RCPT, b"BDAT 3\r\na\r\n", b"BDAT 0 LAST\r\n")
    assert codes(said) == [250, 250, 250, 250, 250, 550]
    assert handler.content_seen == b"a\r\n"


def test_a_lost_client_of_lmtp():
    handler = Scripted()
    hall = in_content(handler)
    hall.say(Cut(EOF).what)
    assert handler.calls[-2:] == ["aborted", "closed"]
