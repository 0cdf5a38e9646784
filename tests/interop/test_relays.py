"""Mail that travels on: other people's servers take it from smtpcore's client half, queue it, and pass it on to
smtpcore's server half. They are clients of a kind of their own: they pipeline, send BDAT where they may, and reuse
connections."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smtpcore.flows.error import FlowError
from tests.interop import messages
from tests.interop.certificates import Certificate
from tests.interop.mailservers import Dovecot, Exim, Postfix
from tests.interop.peers import Aiosmtpd, Peer, split_trace
from tests.interop.receiving import ADAPTERS, Keeper, Running, serving
from tests.interop.sending import ACCEPTED, Letter, send, statuses

pytestmark = pytest.mark.interop

RELAYS: dict[str, type[Peer]] = {each.name: each for each in (Postfix, Exim)}
TRICKY = messages.message(messages.BODIES["dots"] + messages.BODIES["8-bit"] + messages.BODIES["998"])
TWO = ("bob@hamburger.edu", "carol@hamburger.edu")


@pytest.fixture(scope="module", params=ADAPTERS)
def final(request: pytest.FixtureRequest, certificate: Certificate) -> Iterator[Running]:
    with serving(request.param, Keeper(), certificate, "opportunistic") as running:
        yield running


@pytest.fixture(scope="module", params=RELAYS)
def relay(request: pytest.FixtureRequest, folder: Path, certificate: Certificate, final: Running) -> Iterator[Peer]:
    with RELAYS[request.param](folder, certificate, final.port) as peer:
        yield peer


@pytest.fixture
def keeper(final: Running) -> Keeper:
    final.keeper.received.clear()
    return final.keeper


@pytest.mark.parametrize("body", [name for name in messages.BODIES if name != "controls"])
def test_content_travels_octet_for_octet(relay: Peer, keeper: Keeper, body: str) -> None:
    content = messages.message(messages.BODIES[body])
    (outcome,) = send("asyncio", relay.port, Letter(content, TWO))
    assert statuses(outcome) == [ACCEPTED, ACCEPTED], outcome
    (got,) = keeper.wait(1)
    trace, rest = split_trace(got.content)
    assert rest == content
    assert trace.startswith(b"Received: from ")
    assert got.sender == "alice@crepes.fr"
    assert sorted(got.recipients) == sorted(TWO)
    assert got.tls
    assert got.esmtp


def test_thirty_messages_travel(relay: Peer, keeper: Keeper) -> None:
    letters = [Letter(messages.message(messages.DOTS, b"%d" % number), TWO) for number in range(30)]
    for outcome in send("asyncio", relay.port, *letters):
        assert statuses(outcome) == [ACCEPTED, ACCEPTED], outcome
    received = keeper.wait(30, 60)
    assert {split_trace(got.content)[1] for got in received} == {letter.content for letter in letters}


def test_a_bounce_travels_with_the_null_reverse_path(relay: Peer, keeper: Keeper) -> None:
    """One of two recipients is refused for good: the other gets the message, and the sender hears of it."""
    letter = Letter(TRICKY, ("bob@hamburger.edu", "refuse@hamburger.edu"))
    (outcome,) = send("asyncio", relay.port, letter)
    assert statuses(outcome) == [ACCEPTED, ACCEPTED], outcome
    received = {got.sender: got for got in keeper.wait(2)}
    assert split_trace(received["alice@crepes.fr"].content)[1] == TRICKY
    assert received["alice@crepes.fr"].recipients == ("bob@hamburger.edu",)
    assert received[""].recipients == ("alice@crepes.fr",)
    assert b"no such mailbox" in received[""].content


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("tls", ["required", "implicit"])
def test_dovecot_submission_passes_it_on(folder: Path, certificate: Certificate, tls: str, adapter: str) -> None:
    """Submission asks for AUTH, and then speaks to the next server while its own client waits."""
    options: dict[str, Any] = {"tls": tls, "ssl_context": certificate.for_client()}
    with Aiosmtpd(folder, certificate) as final, Dovecot(folder, certificate, final.port) as dovecot:
        port = dovecot.implicit_port if tls == "implicit" else dovecot.port
        letter = Letter(TRICKY, ("bob@hamburger.edu", "refuse@hamburger.edu", "defer@hamburger.edu"))
        for outcome in send(adapter, port, letter, letter, auth=dovecot.user, **options):
            assert [each.reply.code for each in outcome.recipients if each.reply] == [250, 550, 451], outcome
        for got in final.delivered(2):
            trace, rest = split_trace(got.content)
            assert rest == TRICKY
            assert b"with ESMTPSA" in trace
            assert got.recipients == ("bob@hamburger.edu",)
        with pytest.raises(FlowError, match="535"):
            send(adapter, port, letter, auth=("user", "guess"), **options)
        # without AUTH there is a session, but no message
        (outcome,) = send(adapter, port, letter, **options)
        assert ACCEPTED not in statuses(outcome), outcome


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_dovecot_submission_into_our_own_server(folder: Path, certificate: Certificate, adapter: str) -> None:
    options: dict[str, Any] = {"tls": "required", "ssl_context": certificate.for_client(), "auth": ("user", "secret")}
    with serving(adapter, Keeper()) as final, Dovecot(folder, certificate, final.port) as dovecot:
        for outcome in send(adapter, dovecot.port, Letter(TRICKY, TWO), Letter(TRICKY, TWO), **options):
            assert statuses(outcome) == [ACCEPTED, ACCEPTED], outcome
        for got in final.keeper.wait(2):
            assert split_trace(got.content)[1] == TRICKY
            assert got.recipients == TWO
