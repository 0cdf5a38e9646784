"""Verbs of extensions against other people's programs: XCLIENT, XFORWARD and ETRN into Postfix, XCLIENT from swaks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import smtpcore.adapters.blocking
from smtpcore import Rcpt, Reply
from smtpcore.extensions import (
    ETRN,
    XCLIENT,
    XCLIENT_ATTRIBUTES,
    XFORWARD,
    Etrn,
    MessageSource,
    Unavailable,
    XClient,
    XForward,
)
from smtpcore.flows.handler import Served
from tests.interop import clients, messages
from tests.interop.certificates import Certificate
from tests.interop.clients import Job
from tests.interop.mailservers import Exim, Postfix
from tests.interop.receiving import ADAPTERS, Keeper, serving

pytestmark = pytest.mark.interop

CONTENT = messages.message(messages.BODIES["dots"])


class Trusting(Postfix):
    """Postfix that believes whoever comes from here, and has a queue for one domain."""

    name = "postfix"
    more = """
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_authorized_xforward_hosts = 127.0.0.0/8
smtpd_client_restrictions = check_client_access inline:{ 198.51.100.66=REJECT }
fast_flush_domains = example.com
inet_protocols = all
"""


@pytest.fixture(scope="module")
def postfix(folder: Path, certificate: Certificate) -> Iterator[Trusting]:
    with Trusting(folder / "trusting", certificate) as peer:
        yield peer


def connected(port: int) -> Any:
    return smtpcore.adapters.blocking.connect("127.0.0.1", port, tls="none", hostname="proxy.example")


def received(postfix: Postfix, content: bytes = CONTENT) -> str:
    """The Received field of the one message that was delivered."""
    (got,) = postfix.delivered(1)
    assert got.content == content
    postfix.forget()
    return " ".join(got.trace.decode().split())


def test_postfix_believes_xclient(postfix: Trusting) -> None:
    said = XClient(name="spike.example", address="198.51.100.7", helo="spike.helo.example", protocol="ESMTP")
    with connected(postfix.port) as client:
        assert set(client.capabilities.get(XCLIENT)) >= set(XCLIENT_ATTRIBUTES)
        assert client.speak_for(XClient(login="alice", port=4711)).code == 220
        assert client.speak_for(said).code == 220
        (refused,) = client.send("alice@crepes.fr", ["bob@example.com"], CONTENT).recipients
        assert str(refused.reply).startswith("554"), "not of its own network"
        assert "XCLIENT" not in client.capabilities, "and it may not speak for anybody else"
    with connected(postfix.port) as client:
        assert client.speak_for(XClient(name="localhost", address="127.0.0.1", helo="spike.helo.example")).code == 220
        assert str(client.send("alice@crepes.fr", ["bob@example.com"], CONTENT).reply).startswith("250")
    assert "from spike.helo.example (localhost [127.0.0.1])" in received(postfix)
    assert logged(postfix, "spike.example[198.51.100.7]")


def logged(postfix: Trusting, text: str) -> bool:
    """Whether its log has it; a line may come some time after what it tells of."""
    for _ in range(100):
        if text in postfix.log():
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("address", ["2001:db8::66", "198.51.100.1"])
def test_postfix_reads_every_kind_of_value(postfix: Trusting, address: str) -> None:
    with connected(postfix.port) as client:
        for said in (
            XClient(name=Unavailable.TEMPUNAVAIL, helo=Unavailable.UNAVAILABLE, login=Unavailable.UNAVAILABLE),
            XClient(destination_address=address, destination_port=25, protocol="SMTP"),
            XClient(login="al+ice=1 2", port=Unavailable.UNAVAILABLE),
            XClient(address=address, name=Unavailable.UNAVAILABLE),
        ):
            assert client.speak_for(said).code == 220, said
    assert logged(postfix, f"unknown[{address}]")


def test_postfix_refuses_a_client_of_a_proxy(postfix: Trusting) -> None:
    with connected(postfix.port) as client:
        reply = client.command(XClient(address="198.51.100.66", name="bad.example"))
        assert reply.code == 220, "it greets, and refuses what follows"
        assert client.machine.state.name == "GREETED"


def test_postfix_records_xforward(postfix: Trusting) -> None:
    said = XForward(
        name="spike.example", address="198.51.100.9", port=4711, protocol="ESMTP", helo="spike.helo.example",
        identifier="4711", source=MessageSource.REMOTE,
    )  # fmt: skip
    with connected(postfix.port) as client:
        offered = client.capabilities.get(XFORWARD)
        assert set(said.keywords) <= set(offered)
        assert client.command(said).code == 250
        assert client.command(XForward(helo=Unavailable.UNAVAILABLE)).code == 250
        assert str(client.send("alice@crepes.fr", ["bob@example.com"], CONTENT).reply).startswith("250")
    received(postfix)
    log = postfix.log()
    assert "client=proxy" in log or "orig_client=spike.example[198.51.100.9]" in log, log
    assert "198.51.100.9" in log


def test_postfix_answers_etrn(postfix: Trusting) -> None:
    with connected(postfix.port) as client:
        assert ETRN in client.capabilities
        assert client.command(Etrn("example.com")).code == 250
        assert client.command(Etrn("elsewhere.example")).code == 459


def test_exim_answers_etrn(folder: Path, certificate: Certificate) -> None:
    class Willing(Exim):
        name = "exim"
        more = "acl_smtp_etrn = data\n"

    with Willing(folder / "willing", certificate) as peer, connected(peer.port) as client:
        assert ETRN in client.capabilities
        assert client.command(Etrn("example.com")).code == 501, "it knows queues by # alone"
        assert client.command(Etrn("example.com", "#")).code == 250


class Proxied(Keeper):
    """Trusts whoever comes from here, and notes who a message came from."""

    def trusts(self, session: Served) -> bool:
        return bool(session.peer[0] == "127.0.0.1")

    def rcpt(self, session: Served, command: Rcpt) -> Reply | None:
        self.seen = (session.peer, session.identity, session.xclient, session.client)
        return super().rcpt(session, command)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_swaks_speaks_for_another(adapter: str) -> None:
    keeper = Proxied()
    with serving(adapter, keeper, capabilities=[XCLIENT.offer(XCLIENT_ATTRIBUTES)]) as running:
        said = ["--xclient-name", "spike.example", "--xclient-addr", "IPV6:2001:db8::1", "--xclient-port", "4711"]
        said += ["--xclient-helo", "spike.helo.example", "--xclient-login", "al+ice", "--xclient-proto", "ESMTP"]
        clients.swaks(Job(running.port, CONTENT), *said).check()
        (got,) = keeper.wait(1)
    assert got.content == CONTENT
    peer, identity, xclient, client = keeper.seen
    assert (peer, identity, client) == (("2001:db8::1", 4711), "al+ice", "crepes.fr")
    assert xclient == XClient(
        name="spike.example", address="2001:db8::1", port=4711, helo="spike.helo.example", login="al+ice",
        protocol="ESMTP",
    )  # fmt: skip


def test_swaks_says_it_in_several_commands() -> None:
    keeper = Proxied()
    with serving("asyncio", keeper, capabilities=[XCLIENT.offer(XCLIENT_ATTRIBUTES)]) as running:
        said = ["--xclient-helo", "spike", "--xclient-delim", "--xclient-name", "[UNAVAILABLE]"]
        said += ["--xclient-addr", "198.51.100.7"]
        ran = clients.swaks(Job(running.port, CONTENT), *said)
        ran.check()
        keeper.wait(1)
    assert keeper.seen[2] == XClient(helo="spike", name=Unavailable.UNAVAILABLE, address="198.51.100.7")
