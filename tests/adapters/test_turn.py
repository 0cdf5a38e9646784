"""ATRN, XCLIENT and BURL over every adapter: what a client's own connection becomes when the roles are reversed."""

from __future__ import annotations

from typing import Any

import pytest

from smtpcore import Reply
from smtpcore.extensions import ATRN, BURL, XCLIENT, XCLIENT_ATTRIBUTES, Atrn, BurlLast, XClient
from smtpcore.flows import Letter
from smtpcore.flows.handler import Served
from smtpcore.flows.outcome import Outcome, Status
from tests.adapters.running import ADAPTERS, EVERY_SERVER, Keeper, serving, talk

EVERY_CLIENT = pytest.mark.parametrize("client", ADAPTERS)
BIG = b"Subject: crepes\r\n\r\n" + b".Dot and more of it\r\n" * 20_000


class Provider(Keeper):
    """Has two letters for its one customer, and takes mail like any other."""

    def __init__(self) -> None:
        super().__init__()
        self.outcomes: list[Outcome] = []

    def authenticate(self, session: Served, credentials: Any) -> bool:
        return credentials.authcid == "customer" and bool(credentials.verify("sesame"))

    def atrn(self, session: Served, command: Atrn) -> list[Letter] | Reply:
        if [str(each) for each in command.domains] != ["example.org"]:
            return Reply(450, "not yours", "4.7.1")
        return [Letter("alice@crepes.fr", ["bob@example.org"], content) for content in (BIG, BIG[:50])]

    def relayed(self, session: Served, letter: Letter, outcome: Outcome) -> None:
        self.outcomes.append(outcome)
        self.note("relayed")


@EVERY_SERVER
@EVERY_CLIENT
@pytest.mark.parametrize("tls", ["none", "required"])
def test_a_customer_gets_its_mail(adapter, client, tls, certificates):
    provider, customer = Provider(), Keeper()
    seen: list[Any] = []

    async def body(client: Any) -> None:
        seen.append(await client.turn(Atrn("elsewhere.example"), customer))
        seen.append(await client.turn(Atrn("example.org"), customer, hostname="example.org"))

    options: dict[str, Any] = {"auth": ("customer", "sesame"), "allow_plaintext_auth": True, "tls": tls}
    inside = {"tls": tls, "ssl_context": certificates.server} if tls == "required" else {}
    if tls == "required":
        options["ssl_context"] = certificates.trusting
    with serving(adapter, provider, capabilities=[ATRN], allow_plaintext_auth=True, **inside) as running:
        talk(client, running.address, body, **options)
        provider.wait_for("closed")
    assert [reply.code for reply in seen] == [450, 250]
    assert [octets for _, _, octets in customer.messages] == [BIG, BIG[:50] + b"\r\n"[: 2 * (BIG[48:50] != b"\r\n")]]
    assert customer.messages[0][:2] == ("alice@crepes.fr", ("bob@example.org",))
    assert [outcome.recipients[0].status for outcome in provider.outcomes] == [Status.ACCEPTED] * 2
    assert customer.events == ["connected", "message", "message", "closed"]


class Trusting(Keeper):
    """Trusts whoever comes from here, and has a letter behind every URL."""

    peers: list[Any]

    def trusts(self, session: Served) -> bool:
        self.peers = [session.peer[0]]
        return bool(session.peer[0] == "127.0.0.1")

    def burl(self, session: Served, command: Any) -> bytes:
        self.peers.append(session.peer)
        return BIG


@EVERY_SERVER
@EVERY_CLIENT
def test_a_proxy_sends_by_url(adapter, client):
    handler = Trusting()

    async def body(client: Any) -> Any:
        assert (await client.speak_for(XClient(address="2001:db8::1", port=5))).code == 220
        return await client.send("alice@crepes.fr", ["bob@hamburger.edu"], BurlLast("imap://a/b"))

    with serving(adapter, handler, capabilities=[XCLIENT.offer(XCLIENT_ATTRIBUTES), BURL]) as running:
        outcome = talk(client, running.address, body)
    assert outcome.recipients[0].status is Status.ACCEPTED
    assert handler.messages == [("alice@crepes.fr", ("bob@hamburger.edu",), BIG)]
    assert handler.peers == ["127.0.0.1", ("2001:db8::1", 5)]
