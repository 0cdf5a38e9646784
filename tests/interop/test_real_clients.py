"""Other people's clients drive smtpcore's server half, and what lands is what they were given, octet for octet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.interop import clients, messages
from tests.interop.certificates import Certificate
from tests.interop.clients import EXACT, Job
from tests.interop.receiving import ADAPTERS, Keeper, LoginKeeper, Running, serving

pytestmark = pytest.mark.interop

TWO = ("bob@hamburger.edu", "carol@hamburger.edu")
TRICKY = messages.message(messages.BODIES["dots"] + messages.BODIES["8-bit"] + messages.BODIES["998"])


@pytest.fixture(scope="module")
def plain() -> Iterator[Running]:
    with serving("asyncio", Keeper()) as running:
        yield running


@pytest.fixture
def server(plain: Running) -> Running:
    plain.keeper.received.clear()
    return plain


@pytest.mark.parametrize("body", messages.BODIES)
@pytest.mark.parametrize("client", EXACT)
def test_content_arrives_octet_for_octet(server: Running, client: str, body: str) -> None:
    content = messages.message(messages.BODIES[body])
    EXACT[client](Job(server.port, content, recipients=TWO)).check()
    (got,) = server.keeper.wait(1)
    assert got.content == content
    assert (got.sender, got.recipients) == ("alice@crepes.fr", TWO)
    assert got.esmtp
    assert not got.tls


@pytest.mark.parametrize("client", EXACT)
def test_lines_longer_than_the_standard_asks_for(server: Running, client: str) -> None:
    content = messages.message(messages.LONG)
    EXACT[client](Job(server.port, content)).check()
    (got,) = server.keeper.wait(1)
    assert got.content == content


@pytest.mark.parametrize("client", EXACT)
def test_three_hundred_recipients_keep_their_order(server: Running, client: str) -> None:
    many = tuple(f"reader{number}@hamburger.edu" for number in range(300))
    EXACT[client](Job(server.port, TRICKY, recipients=many)).check()
    (got,) = server.keeper.wait(1)
    assert got.recipients == many
    assert got.content == TRICKY


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("client", EXACT)
@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_over_tls_with_auth(certificate: Certificate, tls: str, client: str, adapter: str) -> None:
    mode = "implicit" if tls == "implicit" else "required"
    with serving(adapter, LoginKeeper(), certificate, mode) as server:
        job = Job(server.port, TRICKY, recipients=TWO, tls=tls, certificate=certificate)
        for mechanism in (None, "PLAIN", "LOGIN"):
            server.keeper.received.clear()
            EXACT[client](replace(job, auth=mechanism)).check()
            (got,) = server.keeper.wait(1)
            assert got.content == TRICKY
            assert got.recipients == TWO
            assert got.tls
            assert got.user == ("user" if mechanism else None)


@pytest.mark.parametrize("client", EXACT)
def test_starttls_is_a_choice_where_the_server_makes_it_one(certificate: Certificate, client: str) -> None:
    with serving("asyncio", Keeper(), certificate, "opportunistic") as server:
        job = Job(server.port, TRICKY, certificate=certificate)
        EXACT[client](job).check()
        EXACT[client](replace(job, tls="starttls")).check()
        assert [got.tls for got in server.keeper.wait(2)] == [False, True]


@pytest.mark.parametrize("client", EXACT)
def test_a_server_that_requires_tls_takes_nothing_in_the_clear(certificate: Certificate, client: str) -> None:
    with serving("asyncio", Keeper(), certificate, "required") as server:
        ran = EXACT[client](Job(server.port, TRICKY))
        assert ran.status != 0
        assert server.keeper.received == []


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("client", EXACT)
def test_a_wrong_password_is_refused(certificate: Certificate, client: str, mechanism: str) -> None:
    with serving("asyncio", LoginKeeper(), certificate, "required", require_auth=True) as server:
        job = Job(server.port, TRICKY, tls="starttls", auth=mechanism, password="guess", certificate=certificate)
        ran = EXACT[client](job)
        assert ran.status != 0
        assert "535" in ran.output
        # nor does it go without a password
        assert EXACT[client](replace(job, auth=None)).status != 0
        assert server.keeper.received == []


@pytest.mark.parametrize("client", ["smtplib", "aiosmtplib"])
@pytest.mark.parametrize("adapter", ADAPTERS)
def test_the_client_learns_of_each_recipient(adapter: str, client: str) -> None:
    with serving(adapter, Keeper()) as server:
        mixed = ("bob@hamburger.edu", "refuse@hamburger.edu", "defer@hamburger.edu", "carol@hamburger.edu")
        ran = EXACT[client](Job(server.port, TRICKY, recipients=mixed)).check()
        refused = json.loads(ran.output.splitlines()[-1])
        assert {who: code for who, (code, _) in refused.items()} == {mixed[1]: 550, mixed[2]: 450}
        (got,) = server.keeper.wait(1)
        assert got.recipients == TWO


@pytest.mark.parametrize("client", EXACT)
def test_nobody_wanted_means_nothing_landed(server: Running, client: str) -> None:
    ran = EXACT[client](Job(server.port, TRICKY, recipients=("refuse1@hamburger.edu", "refuse2@hamburger.edu")))
    assert ran.status != 0
    assert "550" in ran.output
    assert server.keeper.received == []


@pytest.mark.parametrize("client", ["smtplib", "aiosmtplib", "nodemailer"])
@pytest.mark.parametrize("adapter", ADAPTERS)
def test_ten_messages_on_one_connection(adapter: str, client: str) -> None:
    with serving(adapter, Keeper()) as server:
        EXACT[client](Job(server.port, TRICKY, times=10)).check()
        received = server.keeper.wait(10)
        assert {got.content for got in received} == {TRICKY}
        assert len({got.connection for got in received}) == 1


@pytest.mark.parametrize("client", ["smtplib", "aiosmtplib", "curl"])
def test_addresses_beyond_ascii(server: Running, client: str) -> None:
    job = Job(server.port, TRICKY, "алиса@crepes.fr", ("用户@hamburger.edu", "bob@hamburger.edu"), utf8=True)
    EXACT[client](job).check()
    (got,) = server.keeper.wait(1)
    assert (got.sender, got.recipients) == (job.sender, job.recipients)
    assert got.content == TRICKY


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_swaks_pipelines(adapter: str, certificate: Certificate) -> None:
    with serving(adapter, LoginKeeper(), certificate, "opportunistic") as server:
        clients.swaks(Job(server.port, TRICKY, recipients=TWO), "--pipeline").check()
        job = Job(server.port, TRICKY, recipients=TWO, tls="starttls", auth="PLAIN", certificate=certificate)
        clients.swaks(job, "--pipeline").check()
        assert {(got.content, got.recipients) for got in server.keeper.wait(2)} == {(TRICKY, TWO)}


@pytest.mark.parametrize("body", messages.BODIES)
def test_smtp_source_sends_a_file(server: Running, tmp_path: Path, body: str) -> None:
    content = messages.message(messages.BODIES[body])
    clients.smtp_source(Job(server.port, content), tmp_path, "-d", "-r", "3", messages=2).check()
    for got in server.keeper.wait(2):
        assert got.content == content + b"\r\n"
        assert sorted(got.recipients) == ["2bob@hamburger.edu", "3bob@hamburger.edu", "bob@hamburger.edu"]


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r"])
def test_a_smuggled_message_stays_inside_the_first(server: Running, tmp_path: Path, end: bytes) -> None:
    """RFC 5321 s2.3.8: only CRLF ends a line. swaks sends these octets as they are."""
    inner = b"MAIL FROM:<mallory@example.org>\r\nRCPT TO:<bob@hamburger.edu>\r\nDATA\r\nfake\r\n.\r\n"
    wire = messages.message(b"outer") + end + inner.removesuffix(b"\r\n.\r\n").replace(b"\r\n.", b"\r\n..") + b"\r\n."
    file = tmp_path / "wire"
    file.write_bytes(wire)
    ran = clients.swaks(Job(server.port, b"\r\n"), "--no-data-fixup", "--data", f"@{file}")
    assert ran.status != 0
    assert "550 5.5.2" in ran.output
    assert server.keeper.received == []
