"""smtpcore's client half delivers into other people's servers: what they keep equals what was sent, below their own
trace fields, and the outcome agrees with what they were told to refuse."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from smtpcore.flows.error import FlowError, NoMechanism, Refused
from tests.interop import messages
from tests.interop.certificates import Certificate
from tests.interop.mailservers import Exim, OpenSmtpd, Postfix
from tests.interop.peers import Aiosmtpd, Peer
from tests.interop.receiving import ADAPTERS
from tests.interop.sending import ACCEPTED, REFUSED, REFUSED_FOR_NOW, Letter, send, statuses

pytestmark = pytest.mark.interop

SERVERS: dict[str, type[Peer]] = {each.name: each for each in (Postfix, Exim, OpenSmtpd, Aiosmtpd)}
TRICKY = messages.message(messages.BODIES["dots"] + messages.BODIES["8-bit"] + messages.BODIES["998"])


class AiosmtpdImplicit(Aiosmtpd):
    """The same, with TLS from the first octet, and so without STARTTLS."""

    name = "aiosmtpd-implicit"
    mode = "implicit"
    offers = frozenset({"auth"})


@pytest.fixture(scope="module", params=SERVERS)
def running(request: pytest.FixtureRequest, folder: Path, certificate: Certificate) -> Iterator[Peer]:
    with SERVERS[request.param](folder, certificate) as peer:
        yield peer


@pytest.fixture
def peer(running: Peer) -> Peer:
    running.forget()
    return running


def offering(what: str) -> list[Any]:
    return [pytest.param(name, id=name) for name, each in SERVERS.items() if what in each.offers]


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("body", messages.BODIES)
def test_content_arrives_octet_for_octet(peer: Peer, body: str, adapter: str) -> None:
    content = messages.message(messages.BODIES[body])
    (outcome,) = send(adapter, peer.port, Letter(content))
    assert statuses(outcome) == [ACCEPTED], outcome
    (got,) = peer.delivered(1)
    assert got.content == content
    assert (got.sender, got.recipients) == ("alice@crepes.fr", ("bob@example.com",))


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_lines_longer_than_the_standard_asks_for(peer: Peer, adapter: str) -> None:
    content = messages.message(messages.LONG)
    (outcome,) = send(adapter, peer.port, Letter(content))
    assert statuses(outcome) == [ACCEPTED], outcome
    assert [got.content for got in peer.delivered(1)] == [content]


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("running", offering("refusals"), indirect=True)
def test_each_recipient_has_an_outcome_of_its_own(peer: Peer, adapter: str) -> None:
    letter = Letter(
        TRICKY,
        (
            "refuse1@example.com",
            "bob@example.com",
            "defer1@example.com",
            "carol@example.com",
            "refuse2@example.com",
            "defer2@example.com",
        ),
    )
    first, second = send(adapter, peer.port, letter, letter)
    for outcome in (first, second):
        expected = [REFUSED, ACCEPTED, REFUSED_FOR_NOW, ACCEPTED, REFUSED, REFUSED_FOR_NOW]
        assert statuses(outcome) == expected, outcome
        replies = [str(each.reply) for each in outcome.recipients]
        assert [reply[:2] for reply in replies] == ["55", "25", "45", "25", "55", "45"]
        assert "no such mailbox" in replies[0]
        assert "come back later" in replies[2]
    assert {got.content for got in peer.delivered(2 if peer.name == "aiosmtpd" else 4)} == {TRICKY}


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("running", offering("refusals"), indirect=True)
def test_nobody_wanted_means_no_content_is_sent_and_the_next_message_goes(peer: Peer, adapter: str) -> None:
    letters = (Letter(TRICKY, ("refuse1@example.com", "defer1@example.com")), Letter(TRICKY))
    nobody, somebody = send(adapter, peer.port, *letters)
    assert statuses(nobody) == [REFUSED, REFUSED_FOR_NOW], nobody
    assert statuses(somebody) == [ACCEPTED], somebody
    assert [got.content for got in peer.delivered(1)] == [TRICKY]


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_twenty_messages_on_one_connection(peer: Peer, adapter: str) -> None:
    letters = [Letter(messages.message(messages.DOTS, b"%d" % number)) for number in range(20)]
    for outcome in send(adapter, peer.port, *letters):
        assert statuses(outcome) == [ACCEPTED], outcome
    assert {got.content for got in peer.delivered(20)} == {letter.content for letter in letters}


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_hundred_recipients(peer: Peer, adapter: str) -> None:
    many = [f"reader{number}@example.com" for number in range(100)]
    (outcome,) = send(adapter, peer.port, Letter(TRICKY, many))
    assert statuses(outcome) == [ACCEPTED] * 100, outcome
    delivered = peer.delivered(1 if peer.name == "aiosmtpd" else 100, 60)
    assert sorted(who for got in delivered for who in got.recipients) == sorted(many)
    assert {got.content for got in delivered} == {TRICKY}


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_the_null_reverse_path(peer: Peer, adapter: str) -> None:
    (outcome,) = send(adapter, peer.port, Letter(TRICKY, sender=None))
    assert statuses(outcome) == [ACCEPTED], outcome
    (got,) = peer.delivered(1)
    # OpenSMTPD writes no Return-Path then.
    assert got.sender == (None if peer.name == "opensmtpd" else "")
    assert got.content == TRICKY


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_any_kind_of_content(peer: Peer, adapter: str, tmp_path: Path) -> None:
    email = EmailMessage()
    email["From"], email["To"], email["Subject"] = "alice@crepes.fr", "bob@example.com", "Grüße"
    email["Date"], email["Message-ID"] = "Tue, 01 Apr 2025 12:00:00 +0200", "<2@crepes.fr>"
    email.set_content(".dot\n\n..\nGrüße\n")
    email.add_attachment(bytes(range(256)) * 40, maintype="application", subtype="octet-stream", filename="all")
    file = tmp_path / "message.eml"
    file.write_bytes(TRICKY)
    with file.open("rb") as opened:
        pieces = (TRICKY[at : at + 7] for at in range(0, len(TRICKY), 7))
        letters = (Letter(TRICKY), Letter(pieces), Letter(opened), Letter(email))
        for outcome in send(adapter, peer.port, *letters):
            assert statuses(outcome) == [ACCEPTED], outcome
    delivered = [got.content for got in peer.delivered(4)]
    flat = email.as_bytes(policy=email.policy.clone(linesep="\r\n"))
    assert sorted(delivered) == sorted([TRICKY, TRICKY, TRICKY, flat])


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_last_line_without_an_end_gets_one(peer: Peer, adapter: str) -> None:
    (outcome,) = send(adapter, peer.port, Letter(TRICKY + b"."))
    assert statuses(outcome) == [ACCEPTED], outcome
    assert [got.content for got in peer.delivered(1)] == [TRICKY + b".\r\n"]


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("running", offering("utf8"), indirect=True)
def test_addresses_beyond_ascii(peer: Peer, adapter: str) -> None:
    letter = Letter(TRICKY, ("用户@example.com", "bob@example.com"), "алиса@crepes.fr")
    (outcome,) = send(adapter, peer.port, letter)
    assert statuses(outcome) == [ACCEPTED, ACCEPTED], outcome
    delivered = peer.delivered(1 if peer.name == "aiosmtpd" else 2)
    assert {who for got in delivered for who in got.recipients} == set(letter.recipients)
    assert {got.sender for got in delivered} == {letter.sender}
    assert {got.content for got in delivered} == {TRICKY}


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("tls", ["opportunistic", "required"])
@pytest.mark.parametrize("running", offering("starttls"), indirect=True)
def test_starttls(peer: Peer, certificate: Certificate, tls: str, adapter: str) -> None:
    options: dict[str, Any] = {"tls": tls, "ssl_context": certificate.for_client()}
    for outcome in send(adapter, peer.port, Letter(TRICKY), Letter(TRICKY), **options):
        assert statuses(outcome) == [ACCEPTED], outcome
    for got in peer.delivered(2):
        assert got.content == TRICKY
        assert got.tls is not False
        assert got.tls or b"TLS" in got.trace


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("running", offering("implicit"), indirect=True)
def test_implicit_tls(peer: Peer, certificate: Certificate, adapter: str) -> None:
    options: dict[str, Any] = {"tls": "implicit", "ssl_context": certificate.for_client()}
    for outcome in send(adapter, peer.implicit_port, Letter(TRICKY), Letter(TRICKY), **options):
        assert statuses(outcome) == [ACCEPTED], outcome
    for got in peer.delivered(2):
        assert got.content == TRICKY
        assert b"TLS" in got.trace


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("tls", ["opportunistic", "required"])
@pytest.mark.parametrize("running", offering("starttls"), indirect=True)
def test_a_certificate_that_nobody_vouches_for(peer: Peer, adapter: str, tls: str) -> None:
    """Required TLS verifies by default and sends nothing; opportunistic TLS takes what there is (RFC 7435)."""
    if tls == "required":
        with pytest.raises(OSError, match=r"(?i)certificate"):
            send(adapter, peer.port, Letter(TRICKY), tls=tls)
        assert peer.delivered(0) == []
    else:
        (outcome,) = send(adapter, peer.port, Letter(TRICKY), tls=tls)
        assert statuses(outcome) == [ACCEPTED], outcome
        peer.delivered(1)


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("tls", ["opportunistic", "required"])
@pytest.mark.parametrize("running", ["opensmtpd"], indirect=True)
def test_a_handshake_that_fails_ends_it(peer: Peer, certificate: Certificate, tls: str, adapter: str) -> None:
    """This server offers STARTTLS and then cannot: nothing falls back to the clear by itself."""
    with pytest.raises(OSError):
        send(adapter, peer.port, Letter(TRICKY), tls=tls, ssl_context=certificate.for_client(), timeout=10)
    assert peer.delivered(0) == []


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("running", offering("auth"), indirect=True)
def test_auth(peer: Peer, certificate: Certificate, adapter: str) -> None:
    options: dict[str, Any] = {"tls": "required", "ssl_context": certificate.for_client()}
    (outcome,) = send(adapter, peer.port, Letter(TRICKY), auth=peer.user, **options)
    assert statuses(outcome) == [ACCEPTED], outcome
    (got,) = peer.delivered(1)
    assert got.content == TRICKY
    assert got.user == "user" or b"esmtpsa" in got.trace
    with pytest.raises(Refused, match="535"):
        send(adapter, peer.port, Letter(TRICKY), auth=("user", "guess"), **options)


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("running", ["postfix", "opensmtpd"], indirect=True)
def test_auth_that_is_not_offered(peer: Peer, adapter: str) -> None:
    with pytest.raises(FlowError) as caught:
        send(adapter, peer.port, Letter(TRICKY), auth=("user", "secret"), allow_plaintext_auth=True)
    assert isinstance(caught.value, NoMechanism)
    assert peer.delivered(0) == []


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_content_refused_after_the_final_dot(folder: Path, certificate: Certificate, adapter: str) -> None:
    with Aiosmtpd(folder / "refusing", certificate) as peer:
        refused = TRICKY.replace(b"X-Test: 1\r\n", b"X-Test: 1\r\nX-Refuse: 1\r\n")
        many = ("bob@example.com", "refuse@example.com", "carol@example.com")
        first, second = send(adapter, peer.port, Letter(refused, many), Letter(TRICKY, many))
        assert statuses(first) == [REFUSED] * 3
        assert [each.reply.code for each in first.recipients if each.reply] == [554, 550, 554]
        assert statuses(second) == [ACCEPTED, REFUSED, ACCEPTED]
        assert [got.content for got in peer.delivered(1)] == [TRICKY]


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_implicit_tls_with_auth_into_aiosmtpd(folder: Path, certificate: Certificate, adapter: str) -> None:
    options: dict[str, Any] = {"tls": "implicit", "ssl_context": certificate.for_client(), "auth": ("user", "secret")}
    with AiosmtpdImplicit(folder, certificate) as peer:
        (outcome,) = send(adapter, peer.port, Letter(TRICKY), **options)
        assert statuses(outcome) == [ACCEPTED], outcome
        (got,) = peer.delivered(1)
        assert (got.content, got.tls, got.user) == (TRICKY, True, "user")
