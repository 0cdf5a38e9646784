"""ATRN: the sentences of RFC 2645, on both machines, and both with their roles reversed."""

from __future__ import annotations

from typing import Any

import pytest

from smtpcore import (
    PAUSED,
    Auth,
    Capabilities,
    ClientConnection,
    CommandReceived,
    ConnectionClosed,
    Data,
    Ehlo,
    LocalProtocolError,
    Mail,
    Noop,
    ParseError,
    Quit,
    Rcpt,
    RemoteProtocolError,
    Reply,
    ServerConnection,
    State,
)
from smtpcore import extensions as ext
from smtpcore.extensions import Atrn
from smtpcore.extensions.atrn import NO_MAIL, NOT_ALLOWED, NOT_NOW
from smtpcore.session.settings import ServerSettings
from smtpcore.session.turning import become_client, become_server
from tests.session.helpers import (
    ALICE,
    BOB,
    EHLO,
    Pair,
    answer,
    greeted_client,
    make_server,
    reach,
    run_server_cut,
)

LOGIN = EHLO + b"AUTH PLAIN AGFsaWNlAHNlc2FtZQ==\r\n"
CUSTOMER = ServerSettings("example.org", Capabilities(ext.PIPELINING))


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (Atrn(), b"ATRN\r\n"),
        (Atrn("example.org"), b"ATRN example.org\r\n"),
        (Atrn("example.org", "example.com", "a.b"), b"ATRN example.org,example.com,a.b\r\n"),
    ],
)
def test_what_travels(command, line):
    assert bytes(command) == line
    for written in (line, line.lower(), line.replace(b"\r\n", b" \r\n")):
        trace = run_server_cut(written, before=LOGIN)
        assert trace.events == [CommandReceived(command)]
        assert trace.codes == [250]
        assert trace.state is State.TURNED


@pytest.mark.parametrize("domains", [("",), ("a b",), ("a,b",), ("a", "\r\nQUIT"), ("[192.0.2.1]",), ("a" * 64,)])
def test_what_is_none(domains):
    with pytest.raises(ParseError):
        Atrn(*domains)


@pytest.mark.parametrize("line", [b"ATRN a,", b"ATRN ,a", b"ATRN a, b", b"ATRN a b", b"ATRN *"])
def test_what_cannot_be_read(line):
    assert run_server_cut(line + b"\r\nNOOP\r\n", before=LOGIN).codes == [501, 250]


def test_who_has_not_said_who_it_is():
    """RFC 2645 s5.2.1: valid in the authenticated state; 530 otherwise."""
    assert run_server_cut(b"ATRN\r\n", before=EHLO).codes == [530]
    offered = Capabilities(ext.AUTH.offer(("PLAIN",)))
    assert run_server_cut(b"ATRN\r\n", before=LOGIN, capabilities=offered).codes == [502]


@pytest.mark.parametrize(
    "reply", [NOT_ALLOWED, NOT_NOW, NO_MAIL, Reply(502, "no", "5.5.1"), Reply(421, "bye", "4.3.2")]
)
def test_a_refusal_changes_nothing(reply):
    """RFC 2645 s7."""
    pair = Pair().meet(State.READY)
    pair.exchange(Auth("PLAIN", b"\0a\0b"))
    pair.application = lambda machine, _: machine.reply(reply)
    assert pair.exchange(Atrn("a")) == [reply]
    assert pair.client.state is pair.server.state is (State.CLOSED if reply.code == 421 else State.READY)
    for call in (pair.server.hand_over, pair.client.hand_over):
        with pytest.raises(LocalProtocolError):
            call()


@pytest.mark.parametrize("state", [State.GREETED, State.MAIL, State.RCPT, State.CHUNKS, State.SPOILT])
def test_not_within_a_transaction(state):
    server = reach(state)
    server.receive_data(b"ATRN\r\n")
    assert server.next_event().reply.code == 503
    client = Pair().meet(state).client
    with pytest.raises(LocalProtocolError, match="no place"):
        client.send(Atrn())


def test_where_it_is_not_offered():
    client = greeted_client(b"250-x\r\n250 PIPELINING\r\n")
    with pytest.raises(LocalProtocolError, match="does not offer ATRN"):
        client.send(Atrn())


def test_a_provider_may_take_ten_minutes():
    """RFC 2645 s5.2.1: "The timeout for this command MUST be at least 10 minutes"."""
    client = greeted_client()
    client.send(Atrn())
    assert client.deadline is not None
    assert client.deadline.seconds == 600


def test_nothing_is_said_behind_it():
    client = greeted_client()
    client.send(Atrn())
    for command in (Noop(), Quit(), Mail(ALICE)):
        with pytest.raises(LocalProtocolError, match="no place in state TURNED"):
            client.send(command)
    answer(client, b"250 turning\r\n")
    assert client.state is State.TURNED
    assert client.next_event() is PAUSED
    assert client.deadline is None
    with pytest.raises(LocalProtocolError):
        client.send(Ehlo("x"))
    with pytest.raises(LocalProtocolError):
        client.send_content(b"x")


def test_a_server_that_has_turned_waits():
    server = reach(State.TURNED)
    assert server.next_event() is PAUSED
    assert server.deadline is None
    for call in (server.accept, server.greet, lambda: server.reply(Reply(250)), server.tls_established):
        with pytest.raises(LocalProtocolError):
            call()
    server.close()
    assert server.data_to_send() == b"", "nothing is said that the other conversation would take for its own"
    assert server.next_event() == ConnectionClosed()
    with pytest.raises(LocalProtocolError):
        become_client(server)


def turned() -> tuple[ClientConnection, ServerConnection]:
    """The provider, now a client, and the customer, now a server."""
    pair = Pair().meet(State.TURNED)
    return become_client(pair.server), become_server(pair.client, CUSTOMER)


def test_the_roles_are_reversed():
    """RFC 2645 s6, from the greeting of the customer to QUIT of the provider."""
    provider, customer = turned()
    assert provider.state is customer.state is State.CONNECTED
    pair: Any = Pair(client=provider, server=customer)
    for command, code in ((Ehlo("example.net"), 250), (Mail(ALICE), 250), (Rcpt(BOB), 250), (Data(), 354)):
        assert [reply.code for reply in pair.exchange(command)][-1] == code
    assert pair.message(b"Hi\r\n").code == 250
    assert pair.exchange(Quit())[-1].code == 221
    assert pair.client.state is pair.server.state is State.CLOSED


@pytest.mark.parametrize("at", range(len(b"220 example.org ready\r\n") + 1))
def test_the_greeting_may_be_there_already(at):
    """What the customer says behind the 250 belongs to its greeting, wherever it was cut."""
    greeting = b"220 example.org ready\r\n"
    server = reach(State.TURNED)
    if greeting[:at]:
        server.receive_data(greeting[:at])
    assert server.next_event() is PAUSED
    client = become_client(server)
    if greeting[at:]:
        client.receive_data(greeting[at:])
    event: Any = client.next_event()
    assert event.reply == Reply(220, "example.org ready")
    assert client.state is State.GREETED
    assert server.state is State.CLOSED


def test_the_end_of_the_stream_goes_over():
    server = reach(State.TURNED)
    server.receive_data(b"220 a\r\n")
    server.receive_data(b"")
    client: Any = become_client(server)
    assert client.next_event().reply.code == 220
    assert isinstance(client.next_event(), ConnectionClosed)
    pair = Pair().meet(State.TURNED)
    pair.client.receive_data(b"")
    customer = become_server(pair.client, CUSTOMER)
    customer.greet()
    assert customer.next_event() == ConnectionClosed()


def test_a_provider_waits_for_the_greeting():
    pair = Pair().meet(State.TURNED)
    pair.client.receive_data(b"EHLO example.net\r\n")
    with pytest.raises(RemoteProtocolError, match="before the greeting"):
        become_server(pair.client, CUSTOMER)
    with pytest.raises(RemoteProtocolError):
        pair.client.send(Noop())


def test_the_reply_is_written_before_the_roles_are_reversed():
    server = make_server()
    server.greet()
    server.receive_data(LOGIN + b"ATRN\r\n")
    for _ in range(3):
        server.next_event()
        server.accept()
    with pytest.raises(LocalProtocolError, match="not written yet"):
        become_client(server)
    server.data_to_send()
    become_client(server)


@pytest.mark.parametrize("tls", [True, False])
def test_tls_goes_over_and_nothing_else(tls):
    pair = Pair().meet(State.READY)
    if tls:
        pair.upgrade()
        pair.exchange(Ehlo("crepes.fr"))
    pair.exchange(Auth("PLAIN", b"\0a\0b"))
    pair.exchange(Atrn())
    provider, customer = become_client(pair.server), become_server(pair.client, CUSTOMER)
    assert provider.tls is customer.session.tls is tls
    assert not provider.authenticated
    assert not customer.session.authenticated
    assert provider.capabilities == Capabilities()
    assert customer.session.client is None
    for over in (pair.server, pair.client):
        assert over.state is State.CLOSED
        with pytest.raises(LocalProtocolError):
            over.hand_over()


def test_a_transaction_does_not_go_over():
    pair = Pair().meet(State.TURNED)
    assert not pair.server.transaction
    provider, _ = become_client(pair.server), become_server(pair.client, CUSTOMER)
    with pytest.raises(LocalProtocolError):
        provider.send(Rcpt(BOB))
