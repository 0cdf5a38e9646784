"""ETRN: the sentences of RFC 1985, on both machines."""

from __future__ import annotations

import pytest

from smtpcore import (
    Capabilities,
    CommandReceived,
    CommandRejected,
    LocalProtocolError,
    ParseError,
    Reply,
    ReplyReceived,
    State,
)
from smtpcore import extensions as ext
from smtpcore.extensions import Etrn
from smtpcore.extensions.etrn import not_allowed, queue_started, unable
from tests.session.helpers import EHLO, ENVELOPE, Pair, greeted_client, reach, run_server_cut

LINES = [
    (Etrn("sigurd.innosoft.com"), b"ETRN sigurd.innosoft.com\r\n"),
    (Etrn("foo.com", "@"), b"ETRN @foo.com\r\n"),
    (Etrn("uucp", "#"), b"ETRN #uucp\r\n"),
    (Etrn("@x#y", "#"), b"ETRN #@x#y\r\n"),
    (Etrn("a" * 63 + ".b"), b"ETRN " + b"a" * 63 + b".b\r\n"),
    (Etrn("q" * 255, "#"), b"ETRN #" + b"q" * 255 + b"\r\n"),
]


@pytest.mark.parametrize(("command", "line"), LINES, ids=lambda value: repr(value)[:30])
def test_what_travels(command, line):
    assert bytes(command) == line
    for written in (line, line.replace(b"ETRN", b"etrn"), line.replace(b"\r\n", b" \t\r\n")):
        trace = run_server_cut(written, before=EHLO)
        assert trace.events == [CommandReceived(command)]
        assert trace.codes == [250]
    pair = Pair().meet(State.READY)
    assert [reply.code for reply in pair.exchange(command)] == [250]
    assert pair.client.state is pair.server.state is State.READY


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("", ""), ("", "@"), ("", "#"), ("a b", ""), ("a b", "#"), ("a\r\nQUIT", ""), ("a\r\nQUIT", "#"), ("é", "#"),
        ("a" * 64, ""), ("q" * 256, "#"), ("-a", ""), ("a.com", "+"), ("a.com", "@@"), ("[192.0.2.1]", ""),
    ],
)  # fmt: skip
def test_what_is_none(name, option):
    with pytest.raises(ParseError):
        Etrn(name, option)


@pytest.mark.parametrize("line", [b"ETRN", b"ETRN ", b"ETRN @", b"ETRN #", b"ETRN  a", b"ETRN a b", b"ETRN @@a"])
def test_what_cannot_be_read(line):
    trace = run_server_cut(line + b"\r\nNOOP\r\n", before=EHLO)
    assert trace.codes == [501, 250]
    assert isinstance(trace.events[0], CommandRejected)


def test_octets_beyond_ascii():
    assert run_server_cut(b"ETRN b\xc3\xbccher.example\r\n", before=EHLO).codes == [501]


@pytest.mark.parametrize(
    ("reply", "octets"),
    [
        (queue_started(Etrn("x.y")), b"250 queuing for node x.y started\r\n"),
        (queue_started(Etrn("x.y"), 0), b"251 no messages waiting for node x.y\r\n"),
        (queue_started(Etrn("x.y"), 14), b"253 14 pending messages for node x.y started\r\n"),
        (unable(Etrn("x.y")), b"458 unable to queue messages for node x.y\r\n"),
        (not_allowed(Etrn("x.y"), "no such host"), b"459 node x.y not allowed: no such host\r\n"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_a_server_may_say(reply, octets):
    """RFC 1985 s5.1; each is an answer that the client takes for what it is."""
    assert reply.encode(with_enhanced=False) == octets
    pair = Pair(lambda machine, _: machine.reply(reply)).meet(State.GREETED)
    pair.application, mine = lambda machine, _: machine.accept(), pair.application
    pair.meet(State.READY)
    pair.application = mine
    command = Etrn("x.y")
    assert pair.exchange(command) == [reply]
    assert pair.client_events[-1].command is command
    assert pair.client.state is pair.server.state is State.READY


def test_a_number_below_zero():
    with pytest.raises(ParseError):
        queue_started(Etrn("x"), -1)


@pytest.mark.parametrize("state", [State.GREETED, State.MAIL, State.RCPT, State.CHUNKS, State.SPOILT])
def test_not_within_a_transaction(state):
    """RFC 1985 s5: "illegal between a MAIL FROM: command and the end of the DATA commands and responses"."""
    server = reach(state)
    server.receive_data(b"ETRN a\r\n")
    assert server.next_event().reply.code == 503
    assert server.state is state
    client = Pair().meet(state).client
    with pytest.raises(LocalProtocolError, match="no place"):
        client.send(Etrn("a"))


def test_behind_a_transaction():
    trace = run_server_cut(ENVELOPE + b"DATA\r\n.\r\nETRN a\r\n", before=EHLO)
    assert trace.codes == [250, 250, 354, 250, 250]


def test_where_it_is_not_offered():
    offered = Capabilities(ext.PIPELINING)
    assert run_server_cut(b"ETRN a\r\n", before=EHLO, capabilities=offered).codes == [502]
    assert run_server_cut(b"ETRN a\r\n", before=b"HELO x\r\n").codes == [503]
    client = greeted_client(b"250-hamburger.edu\r\n250 PIPELINING\r\n")
    with pytest.raises(LocalProtocolError, match="does not offer ETRN"):
        client.send(Etrn("a"))


def test_nothing_goes_ahead_of_its_answer():
    """RFC 2920 s3.1: a verb that it does not name ends a group."""
    client = greeted_client()
    client.send(Etrn("a"))
    client.send(Etrn("b"))
    assert client.data_to_send() == b"ETRN a\r\n"
    client.receive_data(b"250 ok\r\n")
    assert client.next_event() == ReplyReceived(Reply(250, "ok"), Etrn("a"))
    assert client.data_to_send() == b"ETRN b\r\n"
