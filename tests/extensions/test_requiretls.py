"""REQUIRETLS (RFC 8689): within TLS, where it is offered and the server was verified, or not at all."""

from __future__ import annotations

import pytest

from smtpcore import Capabilities, ClientConnection, Ehlo, LocalProtocolError, Mail, ParseError, Rcpt, ServerConnection
from smtpcore.extensions import PIPELINING, REQUIRETLS, STARTTLS
from smtpcore.flows.client import TlsMode, open_session
from smtpcore.flows.options import send_all
from smtpcore.sasl import Channel
from tests.extensions.talking import codes, pair
from tests.flows.driving import Stage
from tests.flows.fakeserver import connected, friendly, submitted
from tests.session.helpers import ALICE, BOB, Pair, answer

MAIL = Mail(ALICE, REQUIRETLS(True))
LINE = b"MAIL FROM:<alice@crepes.fr> REQUIRETLS"


def test_a_keyword_that_stands_alone():
    assert bytes(MAIL) == LINE + b"\r\n"
    assert MAIL.parameters[REQUIRETLS] is True
    with pytest.raises(ParseError, match="no value"):
        REQUIRETLS(False)


# --- a server ------------------------------------------------------------------------------------


def test_a_server_announces_it_within_tls_only():
    both = pair(REQUIRETLS, STARTTLS)
    both.exchange(Ehlo("crepes.fr"))
    assert REQUIRETLS not in both.client.capabilities
    both.upgrade(verified=True)
    both.exchange(Ehlo("crepes.fr"))
    assert REQUIRETLS in both.client.capabilities
    assert [reply.code for reply in both.exchange(MAIL)] == [250]
    assert REQUIRETLS in both.server.transaction.mail.parameters


@pytest.mark.parametrize(
    ("line", "code"),
    [(LINE, 250), (b"MAIL FROM:<a@b> requiretls", 250), (b"MAIL FROM:<a@b> REQUIRETLS=YES", 501),
     (b"MAIL FROM:<a@b> REQUIRETLS REQUIRETLS", 501)],
)  # fmt: skip
def test_a_server_within_tls(line, code):
    assert codes([line], REQUIRETLS, tls=True) == [code]


def test_a_server_refuses_it_elsewhere():
    """RFC 8689 s2: "only in the context of a session meeting the security requirements"."""
    assert codes([LINE], REQUIRETLS) == [555], "in the clear"
    assert codes([LINE], tls=True) == [555], "not offered"
    assert codes([LINE], REQUIRETLS, greeting=b"HELO c", tls=True) == [555], "HELO"
    assert codes([b"MAIL FROM:<a@b>", b"RCPT TO:<c@d> REQUIRETLS"], REQUIRETLS, tls=True) == [250, 555]


# --- a client ------------------------------------------------------------------------------------


UNVERIFIED = r"certificate was not verified \(5\.7\.10, RFC 8689 s4\.2\.1\)"


def client(*, tls: bool, offer: bytes, verified: bool = True) -> ClientConnection:
    machine = ClientConnection(tls=tls, verified=verified)
    machine.send(Ehlo("crepes.fr"))
    answer(machine, b"220 x\r\n")
    machine.data_to_send()
    answer(machine, b"250-x\r\n250 " + offer + b"\r\n")
    return machine


def test_a_client_within_tls():
    machine = client(tls=True, offer=b"REQUIRETLS")
    machine.send(MAIL)
    assert machine.data_to_send() == LINE + b"\r\n"


@pytest.mark.parametrize(("tls", "offer"), [(True, b"SIZE"), (False, b"SIZE"), (False, b"REQUIRETLS")])
def test_a_client_elsewhere(tls, offer):
    """What is announced in the clear, anybody on the way may have announced."""
    machine = client(tls=tls, offer=offer)
    assert REQUIRETLS not in machine.capabilities
    with pytest.raises(LocalProtocolError, match="what REQUIRETLS belongs to, which counts within TLS only"):
        machine.send(MAIL)
    machine.send(Mail(ALICE))
    assert machine.data_to_send() == b"MAIL FROM:<alice@crepes.fr>\r\n"


def test_a_client_of_a_server_that_has_not_shown_who_it_is():
    """RFC 8689 s4.2.1: "authenticate the server's certificate"."""
    machine = client(tls=True, offer=b"REQUIRETLS", verified=False)
    assert REQUIRETLS in machine.capabilities
    with pytest.raises(LocalProtocolError, match=UNVERIFIED):
        machine.send(MAIL)
    machine.send(Mail(ALICE))
    assert machine.data_to_send() == b"MAIL FROM:<alice@crepes.fr>\r\n"


def test_a_notification_goes_over_any_tls():
    """RFC 8689 s4.2.1 asks for verification where "the MAIL FROM return-path is not empty"."""
    machine = client(tls=True, offer=b"REQUIRETLS", verified=False)
    machine.send(Mail(None, REQUIRETLS(True)))
    assert machine.data_to_send() == b"MAIL FROM:<> REQUIRETLS\r\n"


def test_what_was_verified_outside_of_tls_says_nothing():
    machine = ClientConnection(verified=True)
    both = Pair(client=machine, server=ServerConnection("hamburger.edu", Capabilities(REQUIRETLS, STARTTLS)))
    both.exchange(Ehlo("crepes.fr"))
    both.upgrade()
    both.exchange(Ehlo("crepes.fr"))
    with pytest.raises(LocalProtocolError, match=UNVERIFIED):
        machine.send(MAIL)


@pytest.mark.parametrize("machine", [ClientConnection(), ClientConnection(tls=True)], ids=["clear", "unverified"])
def test_a_client_that_asks_before_it_knows(machine):
    """What waits in the queue is judged when the offer is there."""
    for command in (Ehlo("crepes.fr"), MAIL, Rcpt(BOB)):
        machine.send(command)
    answer(machine, b"220 x\r\n")
    events = answer(machine, b"250-x\r\n250-PIPELINING\r\n250 REQUIRETLS\r\n")
    assert [type(event).__name__ for event in events] == ["ReplyReceived", "CommandSkipped", "CommandSkipped"]
    assert b"MAIL" not in machine.data_to_send()


@pytest.mark.parametrize(
    "offered", [("PIPELINING",), ("PIPELINING", "REQUIRETLS")], ids=["not-offered", "in-the-clear"]
)
def test_a_message_that_would_not_be_safe_does_not_go(offered):
    server = friendly()
    machine = connected(*offered)
    played = submitted(machine, server, 2, mail_parameters=[REQUIRETLS(True)])
    assert isinstance(played.error, LocalProtocolError)
    assert "REQUIRETLS" in str(played.error)
    assert played.effects == []
    assert submitted(machine, server, 2).value().all_accepted, "another one may"


# --- a script ------------------------------------------------------------------------------------

HELLO = (b"220 x\r\n", b"250-x\r\n250 STARTTLS\r\n", b"220 go\r\n")
OFFER = b"250-x\r\n250-PIPELINING\r\n250 REQUIRETLS\r\n"


def opened(tls: TlsMode, channel: Channel | None) -> ClientConnection:
    """A client whose handshake has shown that."""
    machine = ClientConnection(tls=tls == "implicit")
    turns = [channel, b"220 x\r\n", OFFER] if tls == "implicit" else [*HELLO, channel, OFFER]
    stage = Stage(open_session(machine, "crepes.fr", tls))
    stage.start()
    for turn in turns:
        stage.go_on(turn)
    stage.played.value()
    return machine


@pytest.mark.parametrize("tls", ["required", "opportunistic", "implicit"])
def test_a_script_goes_by_what_the_handshake_has_shown(tls):
    server = friendly()
    machine = opened(tls, Channel(verified=True))
    assert machine.verified
    assert submitted(machine, server, 2, mail_parameters=[REQUIRETLS(True)]).value().all_accepted
    assert server.lines[0] == LINE
    for channel in (None, Channel(), Channel(peer_certificate=b"x", identity="hamburger.edu")):
        machine = opened(tls, channel)
        assert (machine.tls, machine.verified) == (True, False)
        played = submitted(machine, server, 2, mail_parameters=[REQUIRETLS(True)])
        with pytest.raises(LocalProtocolError, match=UNVERIFIED):
            played.value()
        assert played.effects == []
        assert submitted(machine, server, 2).value().all_accepted, "another one may"


def test_of_many_messages_none_goes_where_one_must_not():
    server = friendly()
    machine = opened("required", Channel())
    messages = [("alice@crepes.fr", ["bob@hamburger.edu"], b"Hello\r\n")] * 2
    played = server.run(send_all(machine, messages, {"mail_parameters": [REQUIRETLS(True)]}))
    with pytest.raises(LocalProtocolError, match=UNVERIFIED):
        played.value()
    assert played.effects == []


def test_the_answer_to_ehlo_in_the_clear_says_nothing():
    server = ServerConnection("hamburger.edu", Capabilities(PIPELINING, REQUIRETLS))
    server.greet()
    server.receive_data(b"EHLO c\r\n")
    server.next_event()
    server.accept()
    assert b"REQUIRETLS" not in server.data_to_send()
