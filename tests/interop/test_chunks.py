"""BDAT with other people's servers: what they keep of our chunks, and what we get of theirs (RFC 3030)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smtpcore.adapters.blocking import connect
from smtpcore.extensions import CHUNKING
from smtpcore.flows.options import SendOptions
from tests.interop import machinery, messages
from tests.interop.certificates import Certificate
from tests.interop.mailservers import Dovecot, Exim, Postfix
from tests.interop.peers import Aiosmtpd, Peer, split_trace
from tests.interop.receiving import ADAPTERS, Keeper, serving
from tests.interop.sending import ACCEPTED, REFUSED, REFUSED_FOR_NOW, Letter, send, statuses

pytestmark = pytest.mark.interop

SERVERS: dict[str, type[Peer]] = {each.name: each for each in (Postfix, Exim)}
TRICKY = messages.message(messages.BODIES["dots"] + messages.BODIES["8-bit"] + messages.BODIES["998"])
BY_CHUNKS: SendOptions = {"chunking": True}


@pytest.fixture(scope="module", params=SERVERS)
def running(request: pytest.FixtureRequest, folder: Path, certificate: Certificate) -> Iterator[Peer]:
    with SERVERS[request.param](folder, certificate) as peer:
        with connect("127.0.0.1", peer.port, tls="none") as client:
            assert CHUNKING in client.capabilities
        yield peer


@pytest.fixture
def peer(running: Peer) -> Peer:
    running.forget()
    return running


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("body", messages.BODIES)
def test_content_arrives_octet_for_octet(peer: Peer, body: str, adapter: str) -> None:
    content = messages.message(messages.BODIES[body])
    (outcome,) = send(adapter, peer.port, Letter(content), sending=BY_CHUNKS)
    assert statuses(outcome) == [ACCEPTED], outcome
    (got,) = peer.delivered(1)
    assert got.content == content
    assert (got.sender, got.recipients) == ("alice@crepes.fr", ("bob@example.com",))


@pytest.mark.parametrize("size", [1, 7, 20_000])
def test_pieces_of_any_size(peer: Peer, size: int) -> None:
    content = messages.message(messages.BODIES["large"][:40_000]) + messages.DOTS
    letters = [Letter(content[at : at + size] for at in range(0, len(content), size)) for _ in range(2)]
    for outcome in send("asyncio", peer.port, *letters, sending=BY_CHUNKS):
        assert statuses(outcome) == [ACCEPTED], outcome
    assert [got.content for got in peer.delivered(2)] == [content] * 2


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_each_recipient_has_an_outcome_of_its_own(peer: Peer, adapter: str) -> None:
    """Some, or nobody at all: then the octets that came along are dropped, and the next message goes."""
    some = Letter(TRICKY, ("refuse1@example.com", "bob@example.com", "defer1@example.com"))
    nobody = Letter(messages.message(messages.BODIES["commands"]), ("refuse1@example.com", "defer1@example.com"))
    for outcome in send(adapter, peer.port, some, nobody, some, nobody, some, sending=BY_CHUNKS)[::2]:
        assert statuses(outcome) == [REFUSED, ACCEPTED, REFUSED_FOR_NOW], outcome
    assert [got.content for got in peer.delivered(3)] == [TRICKY] * 3


def test_more_than_they_take(peer: Peer) -> None:
    """Refused at MAIL by its SIZE where that is known, and by a chunk where it is not.

    Exim then reads the octets of that chunk as commands, and hangs up: nothing of it is taken for anything else.
    """
    line = b"x" * 998 + b"\r\n"
    pieces = (line * 100 for _ in range(210))
    known, unknown = send("blocking", peer.port, Letter(line * 21_000), Letter(pieces), sending=BY_CHUNKS)
    assert [statuses(known), statuses(unknown)] == [[REFUSED], [REFUSED]]
    (small,) = send("blocking", peer.port, Letter(TRICKY), sending=BY_CHUNKS)
    assert statuses(small) == [ACCEPTED]
    assert [got.content for got in peer.delivered(1)] == [TRICKY]


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_in_tls(peer: Peer, certificate: Certificate, adapter: str) -> None:
    options: dict[str, Any] = {"tls": "required", "ssl_context": certificate.for_client()}
    for outcome in send(adapter, peer.port, Letter(TRICKY), Letter(TRICKY), sending=BY_CHUNKS, **options):
        assert statuses(outcome) == [ACCEPTED], outcome
    assert [got.content for got in peer.delivered(2)] == [TRICKY] * 2


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_dovecot_submission(folder: Path, certificate: Certificate, adapter: str) -> None:
    options: dict[str, Any] = {"tls": "required", "ssl_context": certificate.for_client(), "auth": ("user", "secret")}
    with Aiosmtpd(folder, certificate) as final, Dovecot(folder, certificate, final.port) as dovecot:
        letter = Letter(TRICKY, ("bob@hamburger.edu", "refuse@hamburger.edu"))
        for outcome in send(adapter, dovecot.port, letter, letter, sending=BY_CHUNKS, **options):
            assert statuses(outcome) == [ACCEPTED, REFUSED], outcome
        assert [split_trace(got.content)[1] for got in final.delivered(2)] == [TRICKY] * 2


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("body", ["dots", "8-bit", "empty", "commands", "large"])
def test_exim_sends_us_chunks(folder: Path, certificate: Certificate, adapter: str, body: str) -> None:
    content = messages.message(messages.BODIES[body])
    with serving(adapter, Keeper()) as final, Exim(folder, certificate, final.port) as exim:
        letters = [Letter(content, ("bob@hamburger.edu", "refuse@hamburger.edu")) for _ in range(2)]
        for outcome in send(adapter, exim.port, *letters, sending=BY_CHUNKS):
            assert statuses(outcome) == [ACCEPTED, ACCEPTED], outcome
        machinery.wait_for("messages", lambda: len(final.keeper.received) >= 4)  # and what the sender is told
        got = [each for each in final.keeper.received if each.sender]
        assert [split_trace(each.content)[1] for each in got] == [content] * 2
        sent = [line for line in exim.log().splitlines() if " => bob@hamburger.edu" in line]
        assert sent
        assert all(" K " in line for line in sent), "so it says that it sent BDAT"
