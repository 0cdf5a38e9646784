"""What TLS tells SASL, over real sockets: the end point to bind to, and who a client's certificate names."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from smtpcore.adapters import tls as contexts
from smtpcore.flows.error import Refused
from smtpcore.flows.handler import Served
from smtpcore.sasl import (
    SERVER_MECHANISMS,
    Channel,
    Credentials,
    External,
    ExternalServer,
    Scram,
    ScramKeys,
    with_password,
    with_token,
)
from tests.adapters.running import ADAPTERS, EVERY_SERVER, Keeper, serving, talk

pytest.importorskip("scramp")

EVERY_CLIENT = pytest.mark.parametrize("client", ADAPTERS)
PASSWORD = "swordfish-and-chips"


class Doorkeeper(Keeper):
    """Knows alice, and keeps what each session was like."""

    def __init__(self) -> None:
        super().__init__()
        self.claims: list[Credentials] = []
        self.channels: list[Channel | None] = []

    def authenticate(self, session: Served, credentials: Credentials) -> bool:
        self.claims.append(credentials)
        self.channels.append(session.channel)
        return credentials.authcid == "alice" and (credentials.proven or credentials.verify(PASSWORD))

    def scram_keys(self, session: Served, username: str, mechanism: str) -> ScramKeys | None:
        return ScramKeys.derive(PASSWORD, mechanism) if username == "alice" else None


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def leaf(authority: trustme.CA) -> trustme.LeafCert:
    return authority.issue_cert("127.0.0.1", "localhost")


def server_context(authority: trustme.CA, leaf: trustme.LeafCert, *, ask: bool = False) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf.configure_cert(context)
    if ask:
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def client_context(authority: trustme.CA, own: trustme.LeafCert | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    if own is not None:
        own.configure_cert(context)
    return context


async def send(connection: Any) -> Any:
    outcome = await connection.send("alice@crepes.fr", ["bob@hamburger.edu"], b"Subject: crepes\r\n\r\nHello\r\n")
    return outcome.all_accepted


@EVERY_SERVER
@EVERY_CLIENT
@pytest.mark.parametrize("tls", ["required", "implicit"])
def test_scram_is_bound_to_the_servers_certificate(adapter, client, tls, authority, leaf):
    """RFC 5929 s4, through each adapter's own TLS, on both sides."""
    handler = Doorkeeper()
    options = {
        "tls": tls,
        "ssl_context": server_context(authority, leaf),
        "certificate": leaf.cert_chain_pems[0].bytes(),
    }
    with serving(adapter, handler, **options) as server:
        auth = ("alice", PASSWORD)
        assert talk(client, server.address, send, tls=tls, ssl_context=client_context(authority), auth=auth)
    (claim,) = handler.claims
    assert (claim.mechanism, claim.proven) == ("SCRAM-SHA-256-PLUS", True)
    (channel,) = handler.channels
    assert channel is not None
    assert channel.own_certificate == contexts.der(leaf.cert_chain_pems[0].bytes())
    assert channel.peer_certificate is None
    assert channel.identity is None


@EVERY_SERVER
def test_a_server_in_between_is_found_out(adapter, authority, leaf):
    """AU-14: it has a certificate that the client believes, and it is not the one of the server behind it."""
    other = authority.issue_cert("127.0.0.1")
    handler = Doorkeeper()
    options = {"ssl_context": server_context(authority, other), "certificate": leaf.cert_chain_pems[0].bytes()}
    with serving(adapter, handler, tls="required", **options) as server, pytest.raises(Refused, match="535"):
        talk(
            adapter,
            server.address,
            send,
            tls="required",
            ssl_context=client_context(authority),
            auth=("alice", PASSWORD),
        )
    assert handler.claims == []


@EVERY_SERVER
def test_without_its_certificate_a_server_offers_no_binding(adapter, authority, leaf):
    """RFC 5802 s6: and the client that could bind says so, in vain."""
    handler = Doorkeeper()
    with serving(adapter, handler, tls="required", ssl_context=server_context(authority, leaf)) as server:
        options = {"tls": "required", "ssl_context": client_context(authority), "auth": ("alice", PASSWORD)}
        assert talk(adapter, server.address, send, **options)
        bound = {**options, "auth": [Scram("alice", PASSWORD, "SCRAM-SHA-256-PLUS"), *with_password("alice", PASSWORD)]}
        assert talk(adapter, server.address, send, **bound)
    assert [claim.mechanism for claim in handler.claims] == ["SCRAM-SHA-256", "SCRAM-SHA-256"]


@EVERY_SERVER
@EVERY_CLIENT
@pytest.mark.parametrize("tls", ["required", "implicit"])
def test_external_goes_by_the_clients_certificate(adapter, client, tls, authority, leaf):
    """RFC 4422 sA"""
    own = authority.issue_cert("alice@crepes.fr", common_name="alice")
    handler = Doorkeeper()
    options: dict[str, Any] = {"mechanisms": {**SERVER_MECHANISMS, "EXTERNAL": ExternalServer}}
    with serving(adapter, handler, tls=tls, ssl_context=server_context(authority, leaf, ask=True), **options) as server:
        mine = {"tls": tls, "ssl_context": client_context(authority, own), "auth": [External()]}
        assert talk(client, server.address, send, **mine)
        with pytest.raises(Refused, match="535"):
            talk(client, server.address, send, **{**mine, "ssl_context": client_context(authority)})
    (claim,) = handler.claims
    assert claim == Credentials("EXTERNAL", "alice", proven=True)
    (channel,) = handler.channels
    assert channel is not None
    assert channel.peer_certificate == contexts.der(own.cert_chain_pems[0].bytes())


def test_a_certificate_that_was_not_verified_names_nobody(authority, leaf):
    """Opportunistic TLS takes any; that is no reason to believe it."""
    handler = Doorkeeper()
    with serving("blocking", handler, tls="required", ssl_context=server_context(authority, leaf)) as server:
        own = authority.issue_cert("alice@crepes.fr", common_name="alice")
        options = {"ssl_context": client_context(authority, own), "auth": with_password("alice", PASSWORD)}
        assert talk("blocking", server.address, send, tls="required", **options)
    (channel,) = handler.channels
    assert channel is not None
    assert channel.identity is None


@EVERY_SERVER
def test_a_token_over_sockets(adapter, authority, leaf):
    class Tokens(Keeper):
        def verify_token(self, session: Served, token: Any) -> str | None:
            return "alice" if token.token.reveal() == b"good" else None

    handler = Tokens()
    with serving(adapter, handler, tls="required", ssl_context=server_context(authority, leaf)) as server:
        options = {"tls": "required", "ssl_context": client_context(authority)}
        assert talk(adapter, server.address, send, auth=with_token("alice", "good"), **options)
        with pytest.raises(Refused, match="535"):
            talk(adapter, server.address, send, auth=with_token("alice", "bad"), **options)


@pytest.mark.parametrize("how", ["pem", "chain", "der"])
def test_a_certificate_as_it_may_be_given(how, authority, leaf):
    pem = leaf.cert_chain_pems[0].bytes()
    octets = ssl.PEM_cert_to_DER_cert(pem.decode())
    given = {"pem": pem, "chain": b"a comment\n" + pem + authority.cert_pem.bytes(), "der": octets}[how]
    assert contexts.der(given) == octets
    assert contexts.der(None) is None


@pytest.mark.parametrize(
    "given", [b"", b"hello", b"-----BEGIN CERTIFICATE-----\nAAAA", Path(__file__).read_bytes()[:40]], ids=repr
)
def test_a_certificate_that_is_none(given):
    with pytest.raises(ValueError, match="not a certificate"):
        contexts.der(given)


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ((), None),
        (((("commonName", "alice"),),), "alice"),
        (((("countryName", "FR"),), (("commonName", "alice"),)), "alice"),
        (((("commonName", "alice"),), (("commonName", "admin"),)), None),
    ],
    ids=["none", "one", "among-others", "two"],
)
def test_whom_a_certificate_names(subject, name):
    class Secured:
        context = ssl.create_default_context()

        def getpeercert(self, binary_form: bool = False) -> Any:
            return b"\x30" if binary_form else {"subject": subject}

    secured: Any = Secured()
    assert contexts.channel_of(secured).identity == name


def test_no_python_so_far_exports_keying_material():
    """RFC 9266: once one does, ``tls-exporter`` is to be had here, and the docs have to say so."""
    assert not [name for name in dir(ssl.SSLObject) if "export" in name]
