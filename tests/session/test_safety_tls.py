"""STARTTLS and the state of sessions: the vectors TLS-01 to TLS-12, and what each end of a transaction must clear."""

from __future__ import annotations

import pytest

from smtpcore import (
    INTEROP,
    PAUSED,
    Auth,
    Capabilities,
    ClientConnection,
    ConnectionClosed,
    Ehlo,
    LocalProtocolError,
    Mail,
    Noop,
    RemoteProtocolError,
    Reply,
    ReplyReceived,
    Rset,
    StartTls,
    State,
)
from smtpcore import extensions as ext
from smtpcore.session.transaction import NO_TRANSACTION
from tests.session.helpers import (
    ALICE,
    EHLO,
    ENVELOPE,
    FULL,
    OFFER,
    Pair,
    answer,
    drain,
    greeted_client,
    make_server,
    obliging,
    reach,
    run_client_cut,
    run_server,
    run_server_cut,
    take,
)
from tests.session.looking import snapshot

pytestmark = pytest.mark.law(11)

# -- plaintext behind STARTTLS ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param(b"RSET\r\nAUTH PLAIN AGEAYg==\r\n", id="TLS-01"),
        pytest.param(b"R", id="TLS-01-one-octet"),
        pytest.param(b"\r\n", id="TLS-01-empty-line"),
        pytest.param(b"EHLO evil", id="TLS-01-half-a-line"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00", id="TLS-01-client-hello-too-early"),
    ],
)
def test_server_refuses_plaintext_behind_starttls(tail):
    trace = run_server_cut(b"STARTTLS\r\n" + tail, before=EHLO)
    assert [type(event.command) for event in trace.events] == [StartTls]
    assert trace.codes == [220]
    assert "RFC 3207" in trace.error
    assert trace.state is State.CLOSED


@pytest.mark.parametrize("tail", [b"R", b"RSET\r\nAUTH PLAIN AGEAYg==\r\n"], ids=["TLS-01-one-octet", "TLS-01"])
@pytest.mark.parametrize("when", ["with", "behind", "at-handshake"])
def test_server_is_dead_after_plaintext(tail, when):
    machine = reach(State.READY)
    machine.receive_data(b"STARTTLS\r\n" + (tail if when == "with" else b""))
    machine.next_event()
    machine.accept()
    if when != "with":
        machine.receive_data(tail)
    if when == "behind":
        with pytest.raises(RemoteProtocolError):
            machine.next_event()
    for call in (machine.tls_established, machine.next_event, machine.accept, lambda: machine.receive_data(b"x")):
        with pytest.raises(RemoteProtocolError, match="in the clear"):
            call()
    assert not machine.session.tls
    assert machine.state is State.CLOSED


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param(b"250-evil\r\n250 AUTH EVIL\r\n", id="TLS-02"),
        pytest.param(b"250-AUTH X", id="TLS-03"),
        pytest.param(b"2", id="TLS-03-one-octet"),
        pytest.param(b"\r\n", id="TLS-03-empty-line"),
        pytest.param(b"421 bye\r\n", id="TLS-03-closing"),
    ],
)
def test_client_refuses_plaintext_behind_220(tail):
    """TLS-04 is among these: one of the cuts is behind the 220."""
    trace = run_client_cut(b"220 go\r\n" + tail, lambda: [StartTls()])
    assert trace.events == [ReplyReceived(Reply(220, "go"), StartTls())]
    assert "RFC 3207" in trace.error
    assert trace.state is State.CLOSED
    assert "EVIL" not in str(trace.transaction)


@pytest.mark.parametrize(
    "tail", [b"250-evil\r\n250 AUTH EVIL\r\n", b"250-AUTH X"], ids=["TLS-04", "TLS-04-half-a-line"]
)
@pytest.mark.parametrize("taken", [False, True], ids=["not-looked-at", "looked-at"])
def test_client_refuses_plaintext_before_the_handshake(tail, taken):
    machine = greeted_client()
    machine.send(StartTls())
    assert answer(machine, b"220 go\r\n")
    machine.receive_data(tail)
    if taken:
        with pytest.raises(RemoteProtocolError):
            machine.next_event()
    for call in (machine.tls_established, machine.next_event, lambda: machine.send(Noop())):
        with pytest.raises(RemoteProtocolError, match="in the clear"):
            call()
    assert not machine.tls


# -- who may say STARTTLS, and when ----------------------------------------------------------------


def test_starttls_with_an_argument():
    """TLS-05"""
    trace = run_server_cut(b"STARTTLS now\r\nNOOP\r\n", before=EHLO)
    assert trace.codes == [501, 250]
    assert trace.state is State.READY


@pytest.mark.parametrize(
    ("before", "tls"),
    [
        pytest.param(EHLO, True, id="TLS-06-active"),
        pytest.param(EHLO + b"AUTH PLAIN AGEAYg==\r\n", False, id="TLS-06-after-auth"),
        pytest.param(EHLO + ENVELOPE, False, id="TLS-06-in-transaction"),
        pytest.param(EHLO + b"MAIL FROM:<>\r\n", False, id="TLS-06-behind-mail"),
        pytest.param(b"", False, id="TLS-06-before-ehlo"),
        pytest.param(b"HELO crepes.fr\r\n", False, id="TLS-06-behind-helo"),
    ],
)
def test_starttls_out_of_place(before, tls):
    def trial(data):
        return run_server([data], machine=make_server(tls=tls), before=before)

    trace = trial(b"STARTTLS\r\nNOOP\r\n")
    assert trace.codes == [503, 250]
    assert trace.state is trial(b"").state, "nothing has changed"
    assert trace.transaction == trial(b"").transaction


def test_nothing_is_left_after_tls():
    """TLS-07"""
    machine = make_server()
    before = EHLO + b"AUTH PLAIN AGEAYg==\r\nMAIL FROM:<\xc3\xa9@crepes.fr> SMTPUTF8\r\nRCPT TO:<bob@x>\r\nRSET\r\n"
    drained = run_server([before.replace(b"AUTH PLAIN AGEAYg==\r\n", b"") + b"STARTTLS\r\n"], machine=machine)
    assert drained.codes == [250, 250, 250, 250, 220]
    machine.tls_established()
    session = machine.session
    assert session.tls
    assert not session.authenticated
    assert session.client is None
    assert not session.esmtp
    assert session.transaction is NO_TRANSACTION
    assert not session.offered
    trace = run_server([b"MAIL FROM:<>\r\nAUTH PLAIN AGEAYg==\r\n" + EHLO], machine=machine)
    assert trace.codes == [503, 503, 250]
    assert b"STARTTLS" not in trace.output
    assert b"AUTH PLAIN LOGIN" in trace.output
    assert run_server([b"MAIL FROM:<\xc3\xa9@crepes.fr>\r\n"], machine=machine).codes == [553]
    assert run_server([b"STARTTLS\r\n"], machine=machine).codes == [503]


def test_client_knows_nothing_after_tls():
    """TLS-08"""
    machine = greeted_client()
    assert ext.PIPELINING in machine.capabilities
    machine.send(StartTls())
    answer(machine, b"220 go\r\n")
    machine.data_to_send()
    machine.tls_established()
    assert machine.tls
    assert machine.state is State.GREETED
    assert not machine.capabilities
    for command in (Mail(ALICE, ext.SIZE(1)), Auth("PLAIN", b"x"), StartTls()):
        with pytest.raises(LocalProtocolError):
            machine.send(command)
    machine.send(Ehlo("crepes.fr"))
    machine.send(Noop())
    assert machine.data_to_send() == EHLO, "one at a time: PIPELINING is not known inside TLS"
    answer(machine, b"250 hamburger.edu\r\n")
    for command in (Mail(ALICE, ext.SIZE(1)), Auth("PLAIN", b"x"), StartTls()):
        with pytest.raises(LocalProtocolError, match="does not offer"):
            machine.send(command)


@pytest.mark.parametrize("name", ["STARTTLS", "starttls"])
def test_client_must_have_been_offered_tls(name):
    """TLS-09"""
    machine = greeted_client(b"250-hamburger.edu\r\n250 PIPELINING\r\n")
    before = snapshot(machine)
    with pytest.raises(LocalProtocolError, match="does not offer STARTTLS"):
        machine.send(StartTls())
    assert snapshot(machine) == before
    stripped = greeted_client(f"250-hamburger.edu\r\n250 {name}\r\n".encode())
    stripped.send(StartTls())
    assert stripped.data_to_send() == b"STARTTLS\r\n"


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        pytest.param(b"454 no\r\n", State.READY, id="TLS-09-454"),
        pytest.param(b"501 no\r\n", State.READY, id="TLS-09-501"),
        pytest.param(b"354 go\r\n", State.READY, id="TLS-09-354"),
        pytest.param(b"250 ok\r\n", State.UPGRADING, id="TLS-09-250"),
    ],
)
def test_refused_tls_is_no_tls(reply, state):
    """TLS-09: what was refused is reported, and only STARTTLS has been written; behind 250 nothing but TLS may be."""
    trace = run_client_cut(reply, lambda: [StartTls()])
    assert trace.output == b"STARTTLS\r\n"
    assert trace.state is state
    machine = greeted_client()
    machine.send(StartTls())
    machine.data_to_send()
    answer(machine, reply)
    assert not machine.tls
    assert machine.data_to_send() == b""
    if state is State.UPGRADING:
        for command in (Mail(ALICE), Auth("PLAIN", b"x"), Rset(), Noop(), Ehlo("x")):
            with pytest.raises(LocalProtocolError):
                machine.send(command)


def test_commands_behind_starttls_wait_for_its_answer():
    """TLS-09: nothing can be queued behind STARTTLS that would go in the clear."""
    machine = greeted_client()
    machine.send(StartTls())
    before = snapshot(machine)
    for command in (Mail(ALICE), Auth("PLAIN", b"x"), Ehlo("x")):
        with pytest.raises(LocalProtocolError, match="UPGRADING"):
            machine.send(command)
    assert snapshot(machine) == before


def test_failed_handshake_ends_the_connection():
    """TLS-10"""
    pair = Pair().meet(State.UPGRADING)
    pair.client.tls_failed()
    pair.server.tls_failed()
    assert pair.client.state is pair.server.state is State.CLOSED
    assert not pair.client.tls
    assert not pair.server.session.tls
    assert isinstance(pair.client.next_event(), ConnectionClosed)
    assert isinstance(pair.server.next_event(), ConnectionClosed)
    for call in (lambda: pair.client.send(Mail(ALICE)), pair.client.tls_established, pair.server.tls_established):
        with pytest.raises(LocalProtocolError):
            call()
    assert pair.client.data_to_send() == pair.server.data_to_send() == b""


@pytest.mark.parametrize("command", [Auth("PLAIN", b"\0a\0b"), Auth("LOGIN")], ids=["PLAIN", "LOGIN"])
def test_client_gives_no_password_in_the_clear(command):
    """TLS-11"""
    machine = greeted_client(allow_plaintext_auth=False)
    before = snapshot(machine)
    with pytest.raises(LocalProtocolError, match="AUTH without TLS"):
        machine.send(command)
    assert snapshot(machine) == before
    allowed = greeted_client()
    allowed.send(command)
    assert allowed.data_to_send() == bytes(command)
    secure = greeted_client(tls=True, allow_plaintext_auth=False)
    secure.send(command)
    assert secure.data_to_send() == bytes(command)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"MAIL FROM:<a@b>\r\n", 530),
        (b"AUTH PLAIN =\r\n", 538),
        (b"RCPT TO:<a@b>\r\n", 530),
        (b"DATA\r\n", 530),
        (b"VRFY a\r\n", 530),
        (b"HELP\r\n", 530),
        (b"RSET\r\n", 530),
        (b"NOOP\r\n", 250),
        (EHLO, 250),
        (b"QUIT\r\n", 221),
    ],
    ids=lambda value: value.decode().strip() if isinstance(value, bytes) else None,
)
@pytest.mark.parametrize("allowed", [False, True], ids=["", "with-plaintext-auth"])
def test_server_that_requires_tls(line, code, allowed):
    """TLS-12"""
    trace = run_server_cut(line + b"NOOP\r\n", before=EHLO, require_tls=True, allow_plaintext_auth=allowed)
    assert trace.codes == [code, 250] if code != 221 else [221]
    if code >= 400:
        enhanced = trace.output.split(b" ")[1]
        assert enhanced == (b"5.7.11" if code == 538 else b"5.7.0")
    assert b"AUTH" not in run_server([EHLO], require_tls=True, allow_plaintext_auth=allowed).output


def test_server_that_requires_tls_is_content_with_it():
    """TLS-12"""
    machine = make_server(require_tls=True, allow_plaintext_auth=False)
    assert run_server([EHLO + b"STARTTLS\r\n"], machine=machine).codes == [250, 220]
    machine.tls_established()
    trace = run_server([EHLO + b"AUTH PLAIN AGEAYg==\r\n" + ENVELOPE], machine=machine)
    assert trace.codes == [250, 235, 250, 250]
    assert b"AUTH PLAIN" in trace.output


def test_upgrade_in_memory():
    """The whole way, both machines: nothing of the first session can be seen in the second."""
    pair = Pair(server=make_server(FULL, allow_plaintext_auth=False, strictness=INTEROP))
    pair.meet(State.READY)
    offered = pair.client.capabilities
    assert ext.AUTH not in offered
    pair.upgrade()
    assert pair.client.next_event() is PAUSED
    pair.exchange(Ehlo("crepes.fr"))
    assert ext.AUTH in pair.client.capabilities
    assert ext.STARTTLS not in pair.client.capabilities
    assert pair.exchange(Auth("PLAIN", b"\0alice\0sesame"))[0].code == 235
    assert pair.client.authenticated
    assert pair.server.session.authenticated


def test_offer_in_the_clear_without_tls_in_sight():
    server = make_server(Capabilities(ext.AUTH.offer(("PLAIN",))), allow_plaintext_auth=False)
    assert b"AUTH" not in run_server([EHLO], machine=server).output
    assert run_server([b"STARTTLS\r\n"], machine=server).codes == [502]


def test_end_of_stream_in_the_middle_of_an_upgrade():
    machine = reach(State.UPGRADING)
    machine.receive_data(b"")
    assert machine.next_event() == ConnectionClosed()
    client = ClientConnection()
    client.send(Ehlo("crepes.fr"))
    answer(client, b"220 x\r\n")
    answer(client, OFFER)
    client.send(StartTls())
    answer(client, b"220 go\r\n")
    client.receive_data(b"")
    assert take(client) == [ConnectionClosed()]
    events: list[object] = []
    assert drain(machine, obliging, events) == ""
    assert events == [ConnectionClosed()]
