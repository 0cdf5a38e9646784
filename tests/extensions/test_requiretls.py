"""REQUIRETLS (RFC 8689): within TLS, where it is offered, or not at all."""

from __future__ import annotations

import pytest

from smtpcore import Capabilities, ClientConnection, Ehlo, LocalProtocolError, Mail, ParseError, Rcpt, ServerConnection
from smtpcore.extensions import PIPELINING, REQUIRETLS, STARTTLS
from tests.extensions.talking import codes, pair
from tests.flows.fakeserver import connected, friendly, submitted
from tests.session.helpers import ALICE, BOB, answer

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
    both.upgrade()
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


def client(*, tls: bool, offer: bytes) -> ClientConnection:
    machine = ClientConnection(tls=tls)
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


def test_a_client_that_asks_before_it_knows():
    """What waits in the queue is judged when the offer is there."""
    machine = ClientConnection()
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


def test_the_answer_to_ehlo_in_the_clear_says_nothing():
    server = ServerConnection("hamburger.edu", Capabilities(PIPELINING, REQUIRETLS))
    server.greet()
    server.receive_data(b"EHLO c\r\n")
    server.next_event()
    server.accept()
    assert b"REQUIRETLS" not in server.data_to_send()
