"""I8: one verdict for each question, in order, and none for what nobody asked; outcomes say no more than is known."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import (
    NEED_DATA,
    PAUSED,
    ClientConnection,
    CommandReceived,
    CommandRejected,
    CommandSkipped,
    ConnectionClosed,
    ContentEnded,
    ContentRejected,
    Data,
    EndOfContent,
    Mail,
    Rcpt,
    RemoteProtocolError,
    Reply,
    ReplyReceived,
    State,
)
from tests.session.helpers import ALICE, BOB, drain, greeted_client, make_server
from tests.session.looking import codes
from tests.session.strategies import codes as reply_codes
from tests.session.strategies import server_options, sessions

pytestmark = pytest.mark.law(8)

# -- the client -----------------------------------------------------------------------------------


class Told(NamedTuple):
    """What a caller learned, by the place of a command among MAIL, the RCPTs, DATA and the end of the content."""

    answered: dict[int, int]
    skipped: set[int]
    unanswered: set[int]
    unsent: set[int]
    content_sent: bool


def expected(rcpts: int, pipelined: bool, script: list[int], eof: bool) -> Told:
    """The same by counting: replies answer in the order in which commands were sent, whatever they say."""
    last = rcpts + 1
    answered: dict[int, int] = {}
    skipped: set[int] = set()
    replies = iter(script)
    mail_ok = rcpt_ok = closed = False
    content_sent = False

    def question(place: int) -> int | None:
        nonlocal closed
        code = None if closed else next(replies, None)
        if code is not None:
            answered[place] = code
            closed = code == 421
        return code

    sent: set[int] = set()
    for place in range(last + 1):
        if pipelined or (not closed and (place == 0 or len(answered) + len(skipped) == place)):
            possible = pipelined or place == 0 or (mail_ok if place < last else rcpt_ok)
            if not possible:
                skipped.add(place)
                continue
            sent.add(place)
            code = question(place)
            mail_ok |= place == 0 and code is not None and code // 100 == 2
            rcpt_ok |= 0 < place < last and mail_ok and code is not None and code // 100 == 2
    if answered.get(last, 0) // 100 == 3:
        content_sent = rcpt_ok
        sent.add(last + 1)
        question(last + 1)
    over = closed or eof
    unsent = set(range(last + 1)) - sent - skipped if over else set()
    return Told(answered, skipped, sent - set(answered) if over else set(), unsent, content_sent)


def cut(data: bytes, at: int) -> list[bytes]:
    return [piece for piece in (data[: at % len(data)], data[at % len(data) :]) if piece]


def told(rcpts: int, pipelined: bool, script: list[int], eof: bool, at: int) -> Told:
    offer = b"250-x\r\n250 PIPELINING\r\n" if pipelined else b"250 x\r\n"
    machine: ClientConnection = greeted_client(offer)
    commands: list[Any] = [Mail(ALICE), *[Rcpt(BOB) for _ in range(rcpts)], Data()]
    for command in commands:
        machine.send(command)
    answered: dict[int, int] = {}
    skipped: set[int] = set()
    unanswered: set[int] = set()
    unsent: set[int] = set()
    content_sent = False

    def place(command: Any) -> int:
        """By identity: these RCPTs are equal."""
        return next((i for i, each in enumerate(commands) if each is command), len(commands))

    def listen() -> None:
        nonlocal content_sent
        while (event := machine.next_event()) not in {NEED_DATA, PAUSED}:
            if isinstance(event, CommandSkipped):
                skipped.add(place(event.command))
            elif isinstance(event, ConnectionClosed):
                unanswered.update(place(command) for command in event.unanswered)
                unsent.update(place(command) for command in event.unsent)
                return
            elif isinstance(event, ReplyReceived):
                answered[place(event.command)] = event.reply.code
                if machine.state is State.CONTENT and isinstance(event.command, Data) and not machine.in_flight:
                    machine.send_content(b"x\r\n")
                    assert isinstance(machine.end_content(), EndOfContent)
                    content_sent = True

    listen()
    for number, code in enumerate(script):
        if not machine.in_flight:
            break
        for piece in cut(b"%d-number %d\r\n%d so it is\r\n" % (code, number, code), at):
            machine.receive_data(piece)
            listen()
        if machine.state is State.CLOSED:
            break
    if eof:
        machine.receive_data(b"")
    listen()
    return Told(answered, skipped, unanswered, unsent, content_sent)


@given(
    st.integers(1, 5),
    st.booleans(),
    st.lists(reply_codes, max_size=9),
    st.booleans(),
    st.integers(1, 40),
)
def test_replies_find_their_commands(rcpts, pipelined, script, eof, at):
    assert told(rcpts, pipelined, script, eof, at) == expected(rcpts, pipelined, script, eof)


@given(st.integers(1, 3), st.booleans(), st.lists(reply_codes, max_size=6), st.integers(1, 40))
def test_one_reply_too_many_is_never_an_answer(rcpts, pipelined, script, at):
    """What a server says when nothing is due ends the conversation, now or at the next question."""
    machine = greeted_client(b"250-x\r\n250 PIPELINING\r\n" if pipelined else b"250 x\r\n")
    for code in script:
        if machine.state is not State.READY:
            return
        machine.send(Mail(ALICE))
        machine.receive_data(b"%d so\r\n" % code)
        assert machine.next_event().reply.code == code
    if machine.state is not State.READY:
        return
    for piece in cut(b"250 one too many\r\n", at):
        machine.receive_data(piece)
    mail = Mail(ALICE)
    machine.send(mail)
    try:
        event = machine.next_event()
        raise AssertionError(f"it was taken for an answer: {event}")
    except RemoteProtocolError:
        pass
    assert machine.in_flight == (mail,)


# -- the server -----------------------------------------------------------------------------------

_REFUSALS = (None, None, Reply(250, "mine"), Reply(451, "later"), Reply(554, "no"), Reply(421, "down"))


@given(st.data())
def test_server_promises_nothing_of_its_own(data):
    """Law 8: what it writes without being told is a refusal; 250 for a content means that the application said so."""
    machine = make_server(**data.draw(server_options()))
    own: list[int] = []
    answers: list[tuple[str, int]] = []

    def application(machine: Any, command: Any) -> None:
        own.extend(codes(machine.data_to_send()))
        reply = data.draw(st.sampled_from(_REFUSALS)) if isinstance(command, EndOfContent) else None
        if reply is None:
            machine.accept()
        else:
            machine.reply(reply)
        said = codes(machine.data_to_send())
        answers.append((command.verb, said[0]))
        assert len(said) == 1 or said[1:] == [421]
        if reply is not None:
            assert said[0] == reply.code

    machine.greet()
    machine.data_to_send()
    events: list[Any] = []
    machine.receive_data(data.draw(sessions()))
    drain(machine, application, events)
    own.extend(codes(machine.data_to_send()))
    assert all(code >= 400 for code in own)
    asked = sum(isinstance(event, (CommandReceived, ContentEnded)) for event in events)
    refused = sum(isinstance(event, (CommandRejected, ContentRejected)) for event in events)
    assert len(answers) == asked
    assert len(own) - refused in {0, 1}, "one reply for each line, and perhaps 421 behind the last"
    assert sum(verb == "(end of content)" for verb, _ in answers) == sum(
        isinstance(event, ContentEnded) for event in events
    )
