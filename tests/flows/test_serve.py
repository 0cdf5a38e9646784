"""The script of a server: what it asks its handler, and what it makes of the answers."""

from __future__ import annotations

from typing import Any

import pytest

from smtpcore import LocalProtocolError, ParseError, Reply, State
from smtpcore.flows.handler import Refusal, collecting
from tests.flows.driving import EOF
from tests.flows.serving import (
    BODY,
    DATA,
    EHLO,
    END,
    MAIL,
    METHODS,
    NOOP,
    QUIT,
    RCPT,
    RSET,
    WAYS,
    Hall,
    Scripted,
    codes,
)  # fmt: skip

EVERY_WAY = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
SESSION = [EHLO, MAIL, RCPT, RCPT, DATA, BODY, END, NOOP, b"VRFY bob\r\n", QUIT]
CODES = [220, 250, 250, 250, 250, 354, 250, 250, 252, 221]


def test_a_handler_without_any_method():
    hall = Hall()
    assert codes(hall.said() + hall.say(*SESSION)) == CODES
    assert hall.closed
    assert hall.reported == []


@EVERY_WAY
@pytest.mark.parametrize("left_out", [None, *METHODS])
def test_each_method_may_be_left_out(left_out, way):
    """What it would have been asked has the standard answer; the rest is as ever."""
    handler = Scripted(way=way, only=tuple(name for name in METHODS if name != left_out))
    hall = Hall(handler)
    assert codes(hall.said() + hall.say(*SESSION)) == CODES
    expected = [
        "connected", "command", "mail", "rcpt", "rcpt", "data", "content", "message", "command", "command", "command",
        "closed",
    ]  # fmt: skip
    assert handler.calls == [name for name in expected if name != left_out]
    assert left_out == "content" or handler.content_seen == BODY
    assert hall.closed


@EVERY_WAY
@pytest.mark.parametrize("name", METHODS)
def test_each_method_may_be_the_only_one(name, way):
    handler = Scripted(way=way, only=(name,))
    hall = Hall(handler)
    assert codes(hall.said() + hall.say(*SESSION)) == CODES
    assert set(handler.calls) <= {name}


def test_everything_at_once_is_answered_in_order():
    handler = Scripted()
    hall = Hall(handler)
    hall.said()
    assert codes(hall.say(b"".join(SESSION))) == CODES[1:]
    assert hall.closed
    assert len(hall.stage.played.writes) == 2  # the greeting, and all replies in one packet


def test_the_chunks_do_not_matter():
    whole, split = Scripted(), Scripted()
    one, other = Hall(whole), Hall(split)
    octets = b"".join(SESSION)
    assert other.said() + other.say(*[octets[i : i + 1] for i in range(len(octets))]) == one.said() + one.say(octets)
    assert split.content_seen == whole.content_seen
    assert [call for call in split.calls if call != "content"] == [call for call in whole.calls if call != "content"]


def test_what_a_method_is_given():
    handler = Scripted()
    hall = Hall(handler)
    hall.say(*SESSION)
    args = dict(zip(handler.calls, handler.args))
    assert str(args["mail"][0].sender) == "alice@crepes.fr"
    assert str(args["rcpt"][0].recipient) == "bob@hamburger.edu"
    assert args["data"] == args["message"] == args["connected"] == args["closed"] == ()
    assert [type(each[0]).__name__ for each, call in zip(handler.args, handler.calls) if call == "command"] == [
        "Ehlo", "Noop", "Vrfy", "Quit",
    ]  # fmt: skip


def test_what_a_session_shows():
    seen: list[Any] = []

    def look(session, *args):
        seen.append((session.client, session.esmtp, session.tls, session.authenticated, session.identity, session.peer))
        seen.append((str(session.transaction.sender), [str(each) for each in session.transaction.recipients]))

    Hall(Scripted(message=look)).in_content().say(BODY + END)
    assert seen == [
        ("crepes.fr", True, False, False, None, ("192.0.2.1", 4711)),
        ("alice@crepes.fr", ["bob@hamburger.edu"]),
    ]


def test_data_is_the_handlers_own():
    def keep(session, *args):
        session.data = (session.data or 0) + 1

    hall = Hall(Scripted(mail=keep, rcpt=keep))
    hall.ready().say(MAIL, RCPT, RCPT, RSET)
    assert hall.session.data == 3


# --- answers -------------------------------------------------------------------------------------

ASKED = {
    "connected": (0, []), "command": (1, [EHLO]), "mail": (2, [EHLO, MAIL]), "rcpt": (3, [EHLO, MAIL, RCPT]),
    "data": (4, [EHLO, MAIL, RCPT, DATA]), "message": (5, [EHLO, MAIL, RCPT, DATA, BODY + END]),
}  # fmt: skip
POSITIVE = {"connected": 220, "command": 250, "mail": 250, "rcpt": 250, "data": 354, "message": 250}


def answered(name: str, answer: Any, way: Any = WAYS["plain"], **options: Any) -> tuple[str, Hall, Scripted]:
    """What a client is told when that method gives that answer."""
    handler = Scripted(way=way, **{name: answer})
    hall = Hall(handler, **options)
    replies = hall.said() + hall.say(*ASKED[name][1])
    blocks: list[str] = []
    for line in replies.split("\r\n")[:-1]:
        if blocks and blocks[-1].split("\n")[-1][3:4] == "-":
            blocks[-1] += "\n" + line
        else:
            blocks.append(line)
    return blocks[ASKED[name][0]], hall, handler


def in_step(hall: Hall) -> bool:
    """Whether the next commands get the answers that belong to them."""
    return codes(hall.say(RSET, NOOP, QUIT)) == [250, 250, 221] and hall.closed


@EVERY_WAY
@pytest.mark.parametrize("name", ASKED)
def test_none_is_the_standard_positive_reply(name, way):
    reply, hall, _ = answered(name, None, way)
    assert reply.startswith(str(POSITIVE[name]))
    assert in_step(hall) if name not in ("connected", "data") else True


@EVERY_WAY
@pytest.mark.parametrize("name", ASKED)
def test_a_text_is_the_positive_reply_in_these_words(name, way):
    reply, _, _ = answered(name, "as you like it", way)
    assert reply.split("\n")[0][:3] == str(POSITIVE[name])
    assert "as you like it" in reply.split("\n")[0]


@EVERY_WAY
@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("code", [450, 550])
@pytest.mark.parametrize("make", [lambda reply: reply, Refusal], ids=["returned", "raised"])
def test_a_refusal_returned_or_raised(name, code, make, way):
    reply, hall, handler = answered(name, make(Reply(code, "not today", f"{code // 100}.7.1")), way)
    enhanced = "" if name in ("connected", "command") else f"{code // 100}.7.1 "
    assert reply == f"{code} {enhanced}not today"
    assert hall.reported == []
    assert handler.count("aborted") == 0
    if name == "connected":
        assert codes(hall.say(EHLO, QUIT)) == [503, 221]
    elif name == "command":
        assert codes(hall.say(NOOP)) == [code]
    else:
        assert in_step(hall)


@EVERY_WAY
@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize(
    "error", [RuntimeError("boom"), OSError(28, "disk full"), ConnectionResetError("ldap"), TimeoutError()]
)
def test_any_other_exception_is_451_and_reported(name, error, way):
    reply, hall, _ = answered(name, error, way)
    assert reply.startswith("451 ")
    assert "boom" not in reply
    assert hall.reported == [error]
    if name not in ("connected", "command"):
        assert in_step(hall)


@EVERY_WAY
@pytest.mark.parametrize("name", ASKED)
def test_421_closes(name, way):
    reply, hall, handler = answered(name, Reply(421, "enough", "4.7.0"), way)
    assert reply.startswith("421 ")
    assert hall.closed
    assert handler.calls[-1] == "closed"


NONSENSE = {
    "connected": [Reply(354, "go")],
    "command": [Reply(354, "go")],
    "mail": [Reply(354, "go"), Reply(334, "go")],
    "rcpt": [Reply(354, "go")],
    "data": [Reply(250, "ok"), Reply(221, "bye")],
    "message": [Reply(354, "go"), Reply(334, "")],
}


@EVERY_WAY
@pytest.mark.parametrize(
    ("name", "answer"), [(name, answer) for name, answers in NONSENSE.items() for answer in answers], ids=str
)
def test_a_reply_that_makes_no_sense_there_is_451(name, answer, way):
    reply, hall, handler = answered(name, answer, way)
    assert reply.startswith("451 ")
    (error,) = hall.reported
    assert isinstance(error, LocalProtocolError)
    assert handler.count("aborted") == 0
    if name == "data":
        assert hall.machine.state is State.RCPT


@pytest.mark.parametrize("name", ASKED)
@pytest.mark.parametrize("text", ["two\r\nlines", "two\nlines", "nul\0", "\x1b[2J"], ids=ascii)
def test_a_text_that_no_reply_can_carry_is_451(name, text):
    """INJ-08: never a second reply."""
    reply, hall, _ = answered(name, text)
    assert reply.startswith("451 ")
    assert isinstance(hall.reported[0], ParseError)
    assert hall.said().count("\r\n") == 0


def test_a_reply_of_several_lines():
    reply, hall, _ = answered("rcpt", Reply(550, ["no such user", "try eve"], "5.1.1"))
    assert reply == "550-5.1.1 no such user\n550 5.1.1 try eve"
    assert in_step(hall)


@pytest.mark.parametrize("code", [220, 421, 450, 554])
def test_a_greeting_of_the_handlers_own(code):
    hall = Hall(Scripted(connected=Reply(code, "hamburger.edu here")))
    assert hall.said() == f"{code} hamburger.edu here\r\n"
    assert hall.ended == (code == 421)


def test_a_refused_client_may_still_say_quit():
    """RFC 5321 s3.1"""
    hall = Hall(Scripted(connected=Reply(554, "no")))
    assert codes(hall.said() + hall.say(EHLO, MAIL, QUIT)) == [554, 503, 503, 221]
    assert hall.closed


def test_commands_without_a_method_of_their_own():
    """One method hears of them all, and its refusal counts."""
    handler = Scripted(command=lambda session, command: Reply(502, "no", "5.5.1") if command.verb == "VRFY" else None)
    hall = Hall(handler).ready()
    assert codes(hall.say(b"VRFY bob\r\n", b"EXPN list\r\n", b"HELP\r\n", NOOP, RSET)) == [502, 252, 214, 250, 250]
    assert handler.count("command") == 6


def test_what_the_machine_refuses_never_comes_to_the_handler():
    handler = Scripted()
    hall = Hall(handler).ready()
    before = list(handler.calls)
    replies = hall.say(
        b"NONSENSE\r\n", DATA, RCPT, b"MAIL FROM:<a b>\r\n", b"NO\0OP\r\n", b"STARTTLS\r\n", b"AUTH PLAIN\r\n"
    )
    assert codes(replies) == [500, 503, 503, 501, 500, 502, 502]
    assert handler.calls == before


# --- ends ----------------------------------------------------------------------------------------


@EVERY_WAY
def test_closed_is_called_once_behind_quit(way):
    handler = Scripted(way=way)
    hall = Hall(handler).ready()
    hall.say(QUIT)
    assert handler.calls[-2:] == ["command", "closed"]
    assert handler.count("closed") == 1


@EVERY_WAY
@pytest.mark.parametrize("before", [[], [EHLO], [EHLO, MAIL, RCPT], [b"EHL"]], ids=repr)
def test_closed_is_called_once_at_the_end_of_the_stream(before, way):
    handler = Scripted(way=way)
    hall = Hall(handler)
    hall.say(*before, EOF)
    assert hall.closed
    assert handler.count("closed") == 1
    assert handler.count("aborted") == 0
    assert hall.reported == []


@pytest.mark.parametrize(
    "error", [ConnectionResetError("reset"), BrokenPipeError("gone"), OSError(113, "no route")], ids=repr
)
def test_a_lost_connection_is_an_end_like_others(error):
    handler = Scripted()
    hall = Hall(handler).ready()
    hall.say(error)
    assert hall.closed
    assert hall.stage.played.error is None
    assert handler.calls[-1] == "closed"
    assert hall.reported == []


@pytest.mark.parametrize("name", ["closed", "aborted"])
@EVERY_WAY
def test_an_exception_of_the_last_methods_is_reported(name, way):
    error = RuntimeError("boom")
    answers: dict[str, Any] = {name: error}
    handler = Scripted(way=way, **answers)
    hall = Hall(handler).in_content()
    hall.say(EOF)
    assert hall.closed
    assert hall.reported == [error]
    assert handler.count("closed") == 1


# --- collecting ----------------------------------------------------------------------------------


@EVERY_WAY
def test_collecting(way):
    taken = []

    def take(session, octets):
        taken.append((str(session.transaction.sender), octets))
        return Reply(552, "enough") if len(taken) > 1 else "queued as 4711"

    hall = Hall(collecting(way(take))).in_content()
    assert hall.say(BODY[:5], BODY[5:], END) == "250 2.0.0 queued as 4711\r\n"
    assert hall.session.data is None
    assert codes(hall.say(MAIL + RCPT + DATA, b"..\r\n" + END)) == [250, 250, 354, 552]
    assert taken == [("alice@crepes.fr", BODY), ("alice@crepes.fr", b".\r\n")]


def test_collecting_forgets_what_was_not_finished():
    taken = []
    hall = Hall(collecting(lambda session, octets: taken.append(octets))).in_content()
    hall.say(BODY, EOF)
    assert taken == []
    assert hall.session.data is None


@EVERY_WAY
@pytest.mark.parametrize("name", ["connected", "command", "mail", "rcpt", "data", "message"])
@pytest.mark.parametrize("answer", [False, True, 250, b"ok", {}], ids=repr)
def test_what_is_no_answer_accepts_nothing(name, answer, way):
    reply, hall, _ = answered(name, answer, way)
    assert reply.startswith("451 ")
    (error,) = hall.reported
    assert isinstance(error, TypeError)


@EVERY_WAY
@pytest.mark.parametrize("name", ASKED)
def test_a_refusal_may_be_returned_as_well_as_raised(name, way):
    reply, hall, _ = answered(name, lambda *args: Refusal(Reply(550, "no")), way)
    assert reply == ("550 no" if name in {"connected", "command"} else "550 5.0.0 no")
    assert hall.reported == []
