"""Looking at a content before 354 commits to nothing; its last octets may come with its end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import NEED_DATA, PAUSED, ClientConnection, ConnectionClosed, LocalProtocolError, RemoteProtocolError
from smtpcore.table import EndOfContent, State
from smtpcore.wire.command import Data, Ehlo, Mail, Rcpt
from smtpcore.wire.newlines import BareNewlines
from tests.session.helpers import ALICE, BOB, OFFER, answer, content_client, greeted_client
from tests.session.looking import octets
from tests.session.strategies import reply_streams

CONTENT = b".a\r\n.\r\nb"
SENT = b"..a\r\n..\r\nb\r\n.\r\n"


def begun(**options: Any) -> ClientConnection:
    """A client whose DATA is on its way."""
    machine: ClientConnection = greeted_client(**options)
    for command in (Mail(ALICE), Rcpt(BOB), Data()):
        machine.send(command)
    machine.data_to_send()
    return machine


def test_what_was_prepared_is_sent_by_the_end():
    machine = begun()
    machine.prepare_content(CONTENT)
    assert machine.data_to_send() == b""
    answer(machine, b"250 ok\r\n250 ok\r\n354 go\r\n")
    assert machine.data_to_send() == b""
    end = machine.end_content(CONTENT)
    assert machine.data_to_send() == SENT
    (event,) = answer(machine, b"250 taken\r\n")
    assert (event.command, machine.state) == (end, State.READY)
    assert isinstance(end, EndOfContent)


@pytest.mark.parametrize(
    "data", [CONTENT, bytearray(CONTENT), memoryview(CONTENT)], ids=lambda data: type(data).__name__
)
def test_the_last_octets_come_with_the_end(data):
    machine = content_client()
    machine.send_content(b"x\r\n")
    machine.end_content(data)
    assert machine.data_to_send() == b"x\r\n" + SENT


@pytest.mark.parametrize(
    ("replies", "written"),
    [(b"250 ok\r\n550 no\r\n354 go\r\n", b".\r\n"), (b"250 ok\r\n550 no\r\n554 no\r\n", b"")],
    ids=["lone dot", "refused"],
)
def test_it_is_not_sent_where_nobody_gets_it(replies, written):
    """RFC 2920 s3.1: 354 without an accepted recipient is answered by a dot alone. The next content is another one."""
    machine = begun()
    machine.prepare_content(CONTENT)
    answer(machine, replies)
    assert machine.data_to_send() == written
    if written:
        answer(machine, b"554 none\r\n")
    for command in (Mail(ALICE), Rcpt(BOB), Data()) if machine.state is State.READY else (Rcpt(BOB), Data()):
        machine.send(command)
    answer(machine, b"250 ok\r\n250 ok\r\n354 go\r\n"[0 if machine.state is State.READY else 8 :])
    machine.data_to_send()
    machine.end_content(b"another\r\n")
    assert machine.data_to_send() == b"another\r\n.\r\n"


def test_amid_a_content_it_is_no_whole_one():
    machine = content_client()
    machine.send_content(b"x\r\n")
    machine.prepare_content(CONTENT)
    machine.end_content(CONTENT)
    assert machine.data_to_send() == b"x\r\n" + SENT


def test_a_bare_newline_is_said_when_it_is_to_be_sent():
    machine = begun()
    machine.prepare_content(b"ab\ncd\r\n")
    answer(machine, b"250 ok\r\n250 ok\r\n354 go\r\n")
    with pytest.raises(LocalProtocolError, match="bare CR or LF"):
        machine.end_content(b"ab\ncd\r\n")
    assert machine.data_to_send() == b""
    mending = begun(bare_newlines=BareNewlines.NORMALIZE)
    mending.prepare_content(b"ab\ncd\r\n")
    answer(mending, b"250 ok\r\n250 ok\r\n354 go\r\n")
    mending.end_content(b"ab\ncd\r\n")
    assert mending.data_to_send() == b"ab\r\ncd\r\n.\r\n"


def test_nothing_of_it_goes_to_a_server_that_has_spoken_out_of_turn():
    machine = content_client()
    machine.receive_data(b"250 taken\r\n")
    machine.end_content(CONTENT)
    assert b"\r\n.\r\n" not in b"\r\n" + machine.data_to_send()
    with pytest.raises(RemoteProtocolError):
        machine.next_event()


def test_when_the_conversation_is_over_nothing_is_prepared():
    machine = begun()
    machine.abandon()
    with pytest.raises(LocalProtocolError, match="closed"):
        machine.prepare_content(CONTENT)
    broken = begun()
    with pytest.raises(RemoteProtocolError) as first:
        answer(broken, b"what\r\n")
    with pytest.raises(RemoteProtocolError) as again:
        broken.prepare_content(CONTENT)
    assert str(again.value) == str(first.value)


# -- idle ---------------------------------------------------------------------------------------------


def test_idle():
    machine = ClientConnection()
    assert machine.idle
    machine.send(Ehlo("crepes.fr"))
    assert machine.idle
    for octet in octets(b"220 hi\r\n"):
        machine.receive_data(octet)
        assert not machine.idle  # a part of a line has come
    assert not isinstance(machine.next_event(), type(NEED_DATA))
    assert machine.idle
    machine.receive_data(b"250-crepes.fr\r\n")
    assert machine.next_event() is NEED_DATA
    assert not machine.idle  # one line of several has come
    answer(machine, b"250 PIPELINING\r\n")
    assert machine.idle
    machine.receive_data(b"")
    assert not machine.idle
    assert isinstance(machine.next_event(), ConnectionClosed)
    assert not machine.idle


def test_it_is_not_idle_while_a_command_that_was_never_sent_is_not_reported():
    machine = ClientConnection()
    machine.send(Ehlo("crepes.fr"))
    machine.send(Mail(ALICE))
    machine.receive_data(b"220 hi\r\n250 crepes.fr\r\n")
    machine.next_event()
    machine.send(Rcpt(BOB))
    machine.send(Data())
    machine.next_event()
    machine.receive_data(b"550 no\r\n")
    machine.next_event()
    assert not machine.idle
    assert machine.next_event() is not NEED_DATA


@given(reply_streams, st.integers(1, 40))
def test_while_it_is_idle_there_is_no_event(data, size):
    machine = ClientConnection(allow_plaintext_auth=True)
    for command in (Ehlo("crepes.fr"), Mail(ALICE), Rcpt(BOB), Data()):
        machine.send(command)
    data = b"220 x\r\n" + OFFER + data
    seen = set()
    try:
        for start in [*range(0, len(data), size), len(data)]:
            machine.receive_data(data[start : start + size])
            while True:
                idle, event = machine.idle, machine.next_event()
                seen.add(idle)
                if event is NEED_DATA or event is PAUSED:
                    break
                assert not idle
                if isinstance(event, ConnectionClosed):
                    return
    except RemoteProtocolError:
        assert not machine.idle
