"""Every SASL mechanism of Debian's programs: their clients with our server, our client with their servers."""

from __future__ import annotations

import shlex
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme

from smtpcore.flows.error import Refused
from smtpcore.flows.handler import Served
from smtpcore.sasl import (
    SERVER_MECHANISMS,
    BearerToken,
    ClientMechanism,
    CramMd5,
    CramMd5Server,
    Credentials,
    ExternalServer,
    Login,
    Plain,
    Scram,
    ScramKeys,
    with_token,
)
from tests.interop import clients, machinery, messages
from tests.interop.certificates import Certificate
from tests.interop.clients import Job
from tests.interop.machinery import Ran
from tests.interop.mailservers import CyrusPostfix, Dovecot
from tests.interop.peers import Peer
from tests.interop.receiving import ADAPTERS, Keeper, Running, serving
from tests.interop.sending import ACCEPTED, Letter, send, statuses

pytestmark = pytest.mark.interop
pytest.importorskip("scramp")

CONTENT = messages.message(messages.BODIES["text"])
TOKEN = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg=="
ALL: dict[str, Any] = {**SERVER_MECHANISMS, "EXTERNAL": ExternalServer, "CRAM-MD5": CramMd5Server}


class EveryKeeper(Keeper):
    """Believes one user, by whatever mechanism; ``used`` is by which."""

    def __init__(self) -> None:
        super().__init__()
        self.used: list[str] = []

    def authenticate(self, session: Served, credentials: Credentials) -> bool:
        self.used.append(credentials.mechanism)
        right = credentials.proven or credentials.verify("secret")
        return right and credentials.authcid == "user" and credentials.authzid in ("", "user")

    def scram_keys(self, session: Served, username: str, mechanism: str) -> ScramKeys | None:
        return ScramKeys.derive("secret", mechanism) if username == "user" else None

    def verify_token(self, session: Served, token: BearerToken) -> str | None:
        return "user" if token.token.reveal() == TOKEN.encode() else None


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Whom the server believes about its clients."""
    return trustme.CA()


@pytest.fixture
def server(certificate: Certificate, authority: trustme.CA, mechanism: str) -> Iterator[Running]:
    """Offers that one alone: curl does not take the name that it is given for more than a hint."""
    context = certificate.for_server()
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    options = {"ssl_context": context, "mechanisms": {mechanism: ALL[mechanism]}, "require_auth": True}
    with serving("asyncio", EveryKeeper(), certificate, "required", **options) as running:
        yield running


@pytest.fixture(scope="module")
def own(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """Files of a certificate and its key, by the name in it."""
    folder = tmp_path_factory.mktemp("own")
    found = {}
    for name in ("user", "mallory"):
        leaf = authority.issue_cert(f"{name}@crepes.fr", common_name=name)
        leaf.private_key_pem.write_to_path(str(folder / f"{name}.key"))
        leaf.cert_chain_pems[0].write_to_path(str(folder / f"{name}.pem"))
        found[name] = str(folder / f"{name}.pem"), str(folder / f"{name}.key")
    return found


def swaks(job: Job, own: tuple[str, str]) -> Ran:
    return clients.swaks(job)


def curl(job: Job, own: tuple[str, str]) -> Ran:
    """With a token in place of a password, or a certificate."""
    how = ["--user", f"{job.user}:{job.password}", "--login-options", f"AUTH={job.auth}"]
    if job.auth in ("OAUTHBEARER", "XOAUTH2"):
        how = ["--user", f"{job.user}:", "--oauth2-bearer", job.password, "--login-options", f"AUTH={job.auth}"]
    elif job.auth == "EXTERNAL":
        how = ["--user", f"{job.user}:", "--login-options", "AUTH=EXTERNAL", "--cert", own[0], "--key", own[1]]
    return clients.curl(replace(job, auth=None), *how)


def msmtp(job: Job, own: tuple[str, str]) -> Ran:
    how = [
        f"--auth={(job.auth or '').lower()}",
        f"--user={job.user}",
        f"--passwordeval=echo {shlex.quote(job.password)}",
    ]
    if job.auth == "EXTERNAL":
        how += [f"--tls-cert-file={own[0]}", f"--tls-key-file={own[1]}"]
    return clients.msmtp(replace(job, auth=None), *how)


CASES = [
    *[(swaks, name) for name in ("PLAIN", "LOGIN", "CRAM-MD5")],
    *[(curl, name) for name in ("PLAIN", "LOGIN", "CRAM-MD5", "OAUTHBEARER", "XOAUTH2", "EXTERNAL")],
    *[
        (msmtp, name)
        for name in (
            "PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "OAUTHBEARER", "XOAUTH2", "EXTERNAL",
        )
    ],
]  # fmt: skip
EVERY_CLIENT = pytest.mark.parametrize(
    ("client", "mechanism"), [pytest.param(*case, id=f"{case[0].__name__}-{case[1]}") for case in CASES]
)


@EVERY_CLIENT
def test_their_clients_log_in(server: Running, certificate: Certificate, own: Any, client: Any, mechanism: str) -> None:
    secret = TOKEN if mechanism in ("OAUTHBEARER", "XOAUTH2") else "secret"
    job = Job(server.port, CONTENT, tls="starttls", auth=mechanism, password=secret, certificate=certificate)
    client(job, own["user"]).check()
    (got,) = server.keeper.wait(1)
    assert (got.content, got.user, got.tls) == (CONTENT, "user", True)
    keeper: Any = server.keeper
    assert keeper.used == [mechanism]


@EVERY_CLIENT
def test_their_clients_are_refused(
    server: Running, certificate: Certificate, own: Any, client: Any, mechanism: str
) -> None:
    """A wrong password, a token that nobody has given out, a certificate of somebody else's."""
    job = Job(server.port, CONTENT, tls="starttls", auth=mechanism, password="guess", certificate=certificate)
    ran = client(job, own["mallory"])
    assert ran.status != 0
    # curl does not wait for the refusal behind the error of XOAUTH2
    assert ("Login denied" if (client, mechanism) == (curl, "XOAUTH2") else "535") in ran.output
    assert server.keeper.received == []


# --- our client, their servers --------------------------------------------------------------------


@pytest.fixture(scope="module")
def dovecot(folder: Path, certificate: Certificate) -> Iterator[Dovecot]:
    with serving("asyncio", Keeper()) as relay, Dovecot(folder, certificate, relay.port) as running:
        yield running


@pytest.fixture(scope="module")
def cyrus(folder: Path, certificate: Certificate) -> Iterator[CyrusPostfix]:
    with CyrusPostfix(folder, certificate) as running:
        yield running


@pytest.fixture
def peer(request: pytest.FixtureRequest, name: str) -> Any:
    return request.getfixturevalue(name)


def ways(peer: Peer, password: str, token: str) -> dict[str, ClientMechanism]:
    name = peer.user[0]
    found: list[ClientMechanism] = [Plain(name, password), Login(name, password), CramMd5(name, password)]
    found += [Scram(name, password, mechanism) for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-1")]
    return {each.name: each for each in (*found, *with_token(name, token))}


THEIRS = [(each.name, mechanism) for each in (Dovecot, CyrusPostfix) for mechanism in each.mechanisms]


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize(("name", "mechanism"), THEIRS)
def test_our_client_logs_in(peer: Any, certificate: Certificate, adapter: str, mechanism: str) -> None:
    options: dict[str, Any] = {"tls": "required", "ssl_context": certificate.for_client()}
    token = peer.token("user") if peer.name == "dovecot" else TOKEN
    client: Any = ways(peer, "secret", token)[mechanism]
    (outcome,) = send(adapter, peer.port, Letter(CONTENT), auth=[client], **options)
    assert statuses(outcome) == [ACCEPTED], (outcome, peer.log())
    assert getattr(client, "proven", True)
    wrong = ways(peer, "guess", peer.token("user", b"another key") if peer.name == "dovecot" else TOKEN)[mechanism]
    with pytest.raises(Refused, match="535"):
        send(adapter, peer.port, Letter(CONTENT), auth=[wrong], **options)


@pytest.mark.parametrize("name", ["dovecot", "cyrus"])
def test_our_client_takes_the_strongest(peer: Any, certificate: Certificate) -> None:
    """AU-18, as their logs have it."""
    options: dict[str, Any] = {"tls": "required", "ssl_context": certificate.for_client()}
    (outcome,) = send("blocking", peer.port, Letter(CONTENT), auth=peer.user, **options)
    assert statuses(outcome) == [ACCEPTED], (outcome, peer.log())
    if peer.name == "cyrus":
        machinery.wait_for("the log", lambda: "sasl_method=SCRAM-SHA-256" in peer.log())
    else:
        machinery.wait_for("the log", lambda: "method=SCRAM-SHA-256" in peer.log())
