"""REQUIRETLS through every adapter: to a server whose certificate was verified, or not at all (RFC 8689 s4.2.1)."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Callable
from typing import Any, Literal

import pytest
import trustme

import smtpcore.adapters.asyncio as over_asyncio
import smtpcore.adapters.blocking as over_blocking
from smtpcore import LocalProtocolError
from smtpcore.adapters.memory import Link
from smtpcore.adapters.tls import verifies
from smtpcore.extensions import REQUIRETLS
from smtpcore.flows.pool import PoolLimits
from smtpcore.policy import Dnssec, Security, Tlsa, Verdict, dane_verdict
from tests.adapters.running import ADAPTERS, OVER_ASYNCIO, Keeper, run_asyncio, serving, talk

EVERY_CLIENT = pytest.mark.parametrize("client", ADAPTERS)
REFUSED = pytest.raises(LocalProtocolError, match=r"certificate was not verified \(5\.7\.10, RFC 8689 s4\.2\.1\)")
NAME = "mx.example.com"
BOB = ["bob@example.com"]
HELLO = b"Hello\r\n"

AUTHORITY = trustme.CA()
ISSUED = AUTHORITY.issue_cert(NAME, "127.0.0.1")
SERVER = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
ISSUED.configure_cert(SERVER)
LEAF = ssl.PEM_cert_to_DER_cert(ISSUED.cert_chain_pems[0].bytes().decode())


def trusting(*, names: bool = True) -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    context.check_hostname = names
    return context


def unverified() -> ssl.SSLContext:
    context = trusting(names=False)
    context.verify_mode = ssl.CERT_NONE
    return context


def dane() -> Verdict:
    return dane_verdict(NAME, [Tlsa(3, 0, 1, hashlib.sha256(LEAF).digest())], Dnssec.SECURE)


#: How a connection is made, and whether it shows who the server is.
WAYS: dict[str, tuple[bool, Callable[[], dict[str, Any]]]] = {
    "required": (True, lambda: {"tls": "required", "ssl_context": trusting()}),
    "opportunistic-and-verified": (True, lambda: {"tls": "opportunistic", "ssl_context": trusting()}),
    "webpki": (True, lambda: {"tls": Verdict(Security.WEBPKI, [NAME]), "ssl_context": trusting()}),
    "dane": (True, lambda: {"tls": dane()}),
    "opportunistic": (False, lambda: {"tls": "opportunistic"}),
    "any-certificate": (False, lambda: {"tls": "required", "ssl_context": unverified()}),
    "any-name": (False, lambda: {"tls": "required", "ssl_context": trusting(names=False)}),
    "verdict-of-any": (False, lambda: {"tls": Verdict(Security.REQUIRED, [NAME])}),
    "verdict-of-opportunistic": (False, lambda: {"tls": Verdict(Security.OPPORTUNISTIC)}),
}  # fmt: skip


def told(handler: Keeper, client: Any, address: tuple[str, int], verified: bool, **options: Any) -> None:
    """One client that sends with REQUIRETLS, and what came of it."""

    async def send(connection: Any) -> None:
        assert connection.machine.tls
        assert connection.machine.verified is verified
        asked: Any = {"mail_parameters": [REQUIRETLS(True)]}
        if verified:
            assert (await connection.send("alice@crepes.fr", BOB, HELLO, **asked)).all_accepted
            return
        with REFUSED:
            await connection.send("alice@crepes.fr", BOB, HELLO, **asked)
        with REFUSED:
            await connection.send_all([("alice@crepes.fr", BOB, HELLO)], **asked)
        assert handler.messages == []
        assert (await connection.send(None, BOB, HELLO, **asked)).all_accepted, "a notification"
        assert (await connection.send("alice@crepes.fr", BOB, HELLO)).all_accepted, "without REQUIRETLS"

    talk(client, address, send, **options)


@EVERY_CLIENT
@pytest.mark.parametrize("way", WAYS)
def test_over_starttls(client, way):
    verified, options = WAYS[way]
    handler = Keeper()
    with serving("asyncio", handler, tls="required", ssl_context=SERVER, capabilities=[REQUIRETLS]) as running:
        told(handler, client, running.address, verified, **options())
    assert len(handler.messages) == (1 if verified else 2)


@EVERY_CLIENT
@pytest.mark.parametrize("verified", [True, False])
def test_over_implicit_tls(client, verified):
    handler = Keeper()
    context = trusting() if verified else unverified()
    with serving("asyncio", handler, tls="implicit", ssl_context=SERVER, capabilities=[REQUIRETLS]) as running:
        told(handler, client, running.address, verified, tls="implicit", ssl_context=context)


@pytest.mark.parametrize(
    ("tls", "verified"), [("required", True), ("implicit", True), ("opportunistic", False), ("none", False)]
)
def test_in_memory(tls: Literal["required", "implicit", "opportunistic", "none"], verified: bool):
    handler = Keeper()
    served: Any = {"none": "none", "implicit": "implicit"}.get(tls, "required")
    link = Link(handler, tls=served, capabilities=[REQUIRETLS])
    with link.connect(tls=tls) as client:
        assert client.machine.verified is verified
        if verified:
            assert client.send("alice@crepes.fr", BOB, HELLO, mail_parameters=[REQUIRETLS(True)]).all_accepted
        else:
            with pytest.raises(LocalProtocolError, match="REQUIRETLS"):
                client.send("alice@crepes.fr", BOB, HELLO, mail_parameters=[REQUIRETLS(True)])
    assert len(handler.messages) == verified


async def in_pool(pool: Any, host: str, tries: int) -> None:
    """A pool goes on behind a message that may not go, over the same connection."""
    async with pool:
        for _ in range(tries):
            with REFUSED:
                await pool.send(host, "alice@crepes.fr", BOB, HELLO, mail_parameters=[REQUIRETLS(True)])
        assert (await pool.send(host, "alice@crepes.fr", BOB, HELLO)).all_accepted
        verifying: Any = {"tls": "required", "ssl_context": trusting()}
        sent = await pool.send(
            host, "alice@crepes.fr", BOB, HELLO, connect=verifying, mail_parameters=[REQUIRETLS(True)]
        )
        assert sent.all_accepted
        assert pool.opened == 2
        assert pool.busy == 0


@EVERY_CLIENT
def test_in_a_pool(client):
    handler = Keeper()
    with serving("asyncio", handler, tls="required", ssl_context=SERVER, capabilities=[REQUIRETLS]) as running:
        host, port = running.address
        options: Any = {"port": port, "tls": "opportunistic", "pool_limits": PoolLimits(per_host=1)}
        if client in OVER_ASYNCIO:
            run_asyncio(client, in_pool(over_asyncio.Pool(**options), host, 3))
        elif client == "trio":
            import trio

            import smtpcore.adapters.trio as over_trio

            trio.run(in_pool, over_trio.Pool(**options), host, 3)
        else:
            with over_blocking.Pool(**options) as pool:
                for _ in range(3):
                    with REFUSED:
                        pool.send(host, "alice@crepes.fr", BOB, HELLO, mail_parameters=[REQUIRETLS(True)])
                assert pool.send(host, "alice@crepes.fr", BOB, HELLO).all_accepted
                assert pool.opened == 1
    assert len(handler.messages) == (1 if client == "blocking" else 2)


def test_a_pool_in_memory():
    handler = Keeper()
    with Link(handler, tls="required", capabilities=[REQUIRETLS]).pool(tls="opportunistic") as pool:
        with REFUSED:
            pool.send("mx", "alice@crepes.fr", BOB, HELLO, mail_parameters=[REQUIRETLS(True)])
        strict: Any = {"tls": "required"}
        asked: Any = {"mail_parameters": [REQUIRETLS(True)]}
        assert pool.send("mx", "alice@crepes.fr", BOB, HELLO, connect=strict, **asked).all_accepted
    assert len(handler.messages) == 1


def test_the_contexts_that_verify():
    assert verifies(trusting())
    assert not verifies(None)
    assert not verifies(trusting(names=False))
    assert not verifies(unverified())
    optional = trusting(names=False)
    optional.verify_mode = ssl.CERT_OPTIONAL
    assert not verifies(optional)
    assert not verifies(SERVER)
