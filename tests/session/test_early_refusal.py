"""A server that refuses a content before its end: the refusal counts, an acceptance breaks the protocol."""

from __future__ import annotations

from typing import Any

import pytest

from smtpcore import (
    ClientConnection,
    ConnectionClosed,
    Data,
    Ehlo,
    EndOfContent,
    LocalProtocolError,
    Mail,
    Mailbox,
    Rcpt,
    RemoteProtocolError,
    ReplyReceived,
    State,
)

SOMEBODY = Mailbox("a", "b.example")


def sending(*behind_354: bytes) -> Any:
    """A client that has been given 354, and what came in the same breath."""
    machine: Any = ClientConnection()
    for command, answer in (
        (Ehlo("c.example"), b"250 hi\r\n"),
        (Mail(SOMEBODY), b"250 ok\r\n"),
        (Rcpt(SOMEBODY), b"250 ok\r\n"),
    ):
        machine.send(command)
        if command.verb == "EHLO":
            machine.receive_data(b"220 mx.example\r\n")
            machine.next_event()
        machine.data_to_send()
        machine.receive_data(answer)
        machine.next_event()
    machine.send(Data())
    machine.data_to_send()
    machine.receive_data(b"354 go\r\n" + b"".join(behind_354))
    assert machine.next_event().reply.code == 354
    return machine


@pytest.mark.parametrize("when", ["with 354", "before the content", "amid the content", "before the dot is on its way"])
@pytest.mark.parametrize("code", [450, 452, 550, 552, 554])
def test_the_refusal_is_the_verdict(when, code):
    refusal = b"%d no\r\n" % code
    machine = sending(refusal) if when == "with 354" else sending()
    if when == "before the content":
        machine.receive_data(refusal)
    if when != "before the content":
        machine.send_content(b"x\r\n")
    if when == "amid the content":
        machine.receive_data(refusal)
    if when == "before the dot is on its way":
        machine.receive_data(refusal)
        machine.end_content()
        assert b"\r\n.\r\n" not in b"\r\n" + machine.data_to_send()
    event = machine.next_event()
    assert isinstance(event, ReplyReceived)
    assert event.reply.code == code
    assert isinstance(event.command, EndOfContent)
    assert machine.state is State.CLOSED
    assert isinstance(machine.next_event(), ConnectionClosed)
    with pytest.raises(LocalProtocolError):
        machine.send_content(b"more")


@pytest.mark.parametrize("reply", [b"250 ok\r\n", b"354 again\r\n", b"220 hi\r\n"])
def test_an_acceptance_before_the_end_is_none(reply):
    machine = sending(reply)
    machine.send_content(b"x\r\n")
    with pytest.raises(RemoteProtocolError):
        machine.next_event()


@pytest.mark.parametrize("reply", [b"250 ok\r\n", b"354 again\r\n", b"220 hi\r\n"])
def test_an_acceptance_that_came_before_the_dot_is_none(reply):
    machine = sending()
    machine.send_content(b"x\r\n")
    machine.receive_data(reply)
    machine.end_content()
    assert b"\r\n.\r\n" not in b"\r\n" + machine.data_to_send()
    with pytest.raises(RemoteProtocolError):
        machine.next_event()


def test_421_amid_the_content_closes():
    machine = sending()
    machine.send_content(b"x\r\n")
    machine.receive_data(b"421 going down\r\n")
    event = machine.next_event()
    assert (event.reply.code, event.command) == (421, None)
    assert machine.state is State.CLOSED


@pytest.mark.parametrize("code", [450, 550])
def test_behind_a_verdict_that_is_none_nothing_more_is_due(code):
    machine = sending()
    machine.send_content(b"x\r\n")
    machine.end_content()
    machine.receive_data(b"399 what\r\n%d no\r\n" % code)
    assert isinstance(machine.next_event().command, EndOfContent)
    with pytest.raises(RemoteProtocolError, match=f"{code} without a command"):
        machine.next_event()
