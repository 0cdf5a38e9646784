"""A verdict on the way: what each adapter asks of a server's certificate, over real sockets."""

from __future__ import annotations

import hashlib
import ssl
from datetime import UTC, datetime
from typing import Any

import pytest
import trustme

from smtpcore.adapters.authentication import HAVE_CHAINS, client_tls, dane_context
from smtpcore.policy import (
    Decision,
    Dnssec,
    Mode,
    Security,
    StsPolicy,
    Tlsa,
    Verdict,
    dane_verdict,
    public_key_info,
    sts_verdict,
)
from tests.adapters.running import ADAPTERS, Keeper, serving, talk

EVERY_CLIENT = pytest.mark.parametrize("client", ADAPTERS)
WITH_CHAINS = pytest.mark.skipif(not HAVE_CHAINS, reason="Python 3.13 was the first to tell the chain")
NOT_BELIEVED = pytest.raises(OSError, match=r"(?i)certificate|handshake|verify")
NAME = "mx.example.com"
CA = trustme.CA()
CHILD = CA.create_child_ca()
STRANGER = trustme.CA()
PAST = datetime(2020, 1, 1, tzinfo=UTC)


def der(pem: trustme.Blob) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pem.bytes().decode())


class Server:
    """What a server shows, and the names that it was asked for."""

    def __init__(self, authority: trustme.CA, *names: str, not_after: datetime | None = None) -> None:
        made = authority.issue_cert(*names, not_after=not_after)
        self.leaf = der(made.cert_chain_pems[0])
        self.asked: list[str | None] = []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.configure_cert(self.context)
        self.context.sni_callback = lambda _, name, __: self.asked.append(name)


GOOD = Server(CHILD, NAME)
OTHER_NAME = Server(CHILD, "mx.elsewhere.example")
EXPIRED = Server(CHILD, NAME, not_after=PAST)
WILD = Server(CHILD, "*.example.com")
STRANGE = Server(STRANGER, NAME)


def tlsa(usage: int, selector: int, matching: int, certificate: bytes) -> Tlsa:
    data = public_key_info(certificate) if selector else certificate
    return Tlsa(
        usage, selector, matching, hashlib.new(("", "sha256", "sha512")[matching], data).digest() if matching else data
    )


def dane(*records: Tlsa, **options: Any) -> Verdict:
    verdict = dane_verdict(NAME, records, Dnssec.SECURE, **options)
    assert verdict.security is Security.DANE
    return verdict


def tried(client: Any, server: Server, verdict: Verdict, **options: Any) -> bool:
    """Whether a message got there in TLS; it must not get there at all else."""

    async def send(connection: Any) -> bool:
        assert connection.machine.tls
        outcome = await connection.send("alice@crepes.fr", ["bob@example.com"], b"Hello\r\n")
        return bool(outcome.all_accepted)

    handler = Keeper()
    with serving("asyncio", handler, tls="required", ssl_context=server.context, fails=True) as running:
        try:
            return bool(talk(client, running.address, send, tls=verdict, **options))
        except OSError:
            assert handler.messages == []
            raise


# --- DANE-EE -------------------------------------------------------------------------------------


@EVERY_CLIENT
@pytest.mark.parametrize(
    "server", [GOOD, OTHER_NAME, EXPIRED, STRANGE], ids=["good", "other-name", "expired", "strange"]
)
def test_its_own_certificate_is_enough(client, server):
    """RFC 7672 s3.1.1: neither the name nor the dates nor who gave it out count."""
    server.asked.clear()
    assert tried(client, server, dane(tlsa(3, 1, 1, server.leaf)))
    assert server.asked == [NAME]  # RFC 7672 s8.1: the TLSA base domain


@EVERY_CLIENT
@pytest.mark.parametrize(("selector", "matching"), [(0, 0), (0, 1), (0, 2), (1, 0), (1, 2)])
def test_each_form_of_record(client, selector, matching):
    assert tried(client, GOOD, dane(tlsa(3, selector, matching, GOOD.leaf)))
    with NOT_BELIEVED:
        tried(client, STRANGE, dane(tlsa(3, selector, matching, GOOD.leaf)))


@EVERY_CLIENT
def test_one_record_of_several_is_enough(client):
    """RFC 7671 s8.1: so keys can be changed."""
    assert tried(client, GOOD, dane(tlsa(3, 1, 1, STRANGE.leaf), Tlsa(1, 1, 1, bytes(32)), tlsa(3, 1, 1, GOOD.leaf)))


# --- DANE-TA -------------------------------------------------------------------------------------


@EVERY_CLIENT
@pytest.mark.parametrize("server", [GOOD, WILD], ids=["name", "wildcard"])
@pytest.mark.parametrize("authority", [CA, CHILD], ids=["root", "intermediate"])
def test_a_whole_certificate_of_an_authority(client, server, authority):
    """On every Python: it is known before the handshake."""
    assert tried(client, server, dane(tlsa(2, 0, 0, der(authority.cert_pem))))


@EVERY_CLIENT
@pytest.mark.parametrize("server", [OTHER_NAME, EXPIRED, STRANGE], ids=["other-name", "expired", "strange"])
def test_under_an_authority_names_and_dates_count(client, server):
    """RFC 7672 s3.1.2"""
    with NOT_BELIEVED:
        tried(client, server, dane(tlsa(2, 0, 0, der(CHILD.cert_pem))))


@EVERY_CLIENT
def test_the_domain_is_a_name_as_well(client):
    """RFC 7672 s3.2.2: behind a secure MX."""
    record = tlsa(2, 0, 0, der(CHILD.cert_pem))
    assert tried(client, OTHER_NAME, dane(record, next_hop="mx.elsewhere.example"))
    with NOT_BELIEVED:
        tried(client, OTHER_NAME, dane(record, next_hop="mx.elsewhere.example", mx=Dnssec.INSECURE))


@EVERY_CLIENT
def test_an_authority_next_to_another_server(client):
    """The certificate of an authority is tried where that of the server does not match."""
    assert tried(client, GOOD, dane(tlsa(3, 1, 1, STRANGE.leaf), tlsa(2, 0, 0, der(CHILD.cert_pem))))
    with NOT_BELIEVED:
        tried(client, STRANGE, dane(tlsa(3, 1, 1, GOOD.leaf), tlsa(2, 0, 0, der(CHILD.cert_pem))))


@WITH_CHAINS
@EVERY_CLIENT
@pytest.mark.parametrize(("selector", "matching"), [(0, 1), (0, 2), (1, 0), (1, 1), (1, 2)])
def test_a_digest_of_an_authority_in_the_chain(client, selector, matching):
    record = tlsa(2, selector, matching, der(CHILD.cert_pem))
    assert tried(client, GOOD, dane(record))
    assert tried(client, GOOD, dane(record, tlsa(3, 1, 1, STRANGE.leaf)))
    for server in (OTHER_NAME, EXPIRED, STRANGE):
        with NOT_BELIEVED:
            tried(client, server, dane(record))


@WITH_CHAINS
@EVERY_CLIENT
def test_an_authority_that_only_came_along(client, tmp_path):
    """Anybody can send the certificate of an authority after one of his own: who signed is verified."""
    forged = STRANGER.issue_cert(NAME)
    server = Server(STRANGER, NAME)
    file = tmp_path / "forged.pem"
    file.write_bytes(forged.private_key_pem.bytes() + forged.cert_chain_pems[0].bytes() + CHILD.cert_pem.bytes())
    server.context.load_cert_chain(file)
    with NOT_BELIEVED:
        tried(client, server, dane(tlsa(2, 1, 1, der(CHILD.cert_pem))))


@pytest.mark.skipif(HAVE_CHAINS, reason="this Python can look at the chain")
@EVERY_CLIENT
def test_without_the_chain_a_digest_of_an_authority_is_not_believed(client):
    """And nothing is sent either: it is not taken for no record at all."""
    with pytest.raises(OSError, match="whole chain"):
        tried(client, GOOD, dane(tlsa(2, 1, 1, der(CHILD.cert_pem))))


# --- the others ----------------------------------------------------------------------------------


@EVERY_CLIENT
def test_mta_sts(client):
    """RFC 8461 s4.2: a trusted authority, and the name of the MX record whatever address it has."""
    trusting = ssl.create_default_context()
    CA.configure_trust(trusting)
    verdict = sts_verdict(StsPolicy(Mode.ENFORCE, 1, ["*.example.com"]), NAME)
    GOOD.asked.clear()
    assert tried(client, GOOD, verdict, ssl_context=trusting)
    assert GOOD.asked == [NAME]
    for server in (OTHER_NAME, EXPIRED, STRANGE):
        with NOT_BELIEVED:
            tried(client, server, verdict, ssl_context=trusting)
    with NOT_BELIEVED:
        tried(client, GOOD, verdict)


@EVERY_CLIENT
@pytest.mark.parametrize("server", [GOOD, OTHER_NAME, EXPIRED, STRANGE])
def test_without_authentication_any_certificate_will_do(client, server):
    assert tried(client, server, Verdict(Security.REQUIRED, [NAME]))
    assert tried(client, server, Verdict(Security.OPPORTUNISTIC))


@EVERY_CLIENT
@pytest.mark.parametrize(
    "verdict", [Verdict(Security.REQUIRED), dane(tlsa(3, 1, 1, GOOD.leaf)), Verdict(Security.WEBPKI, [NAME])], ids=str
)
def test_a_server_without_tls_gets_nothing(client, verdict):
    from smtpcore.flows.error import TlsNotOffered

    handler = Keeper()
    with serving("asyncio", handler) as running, pytest.raises(TlsNotOffered):
        talk(client, running.address, None, tls=verdict)  # type: ignore[arg-type]  # it is not called
    assert handler.messages == []


@EVERY_CLIENT
def test_without_tls(client):
    async def plain(connection: Any) -> bool:
        return not connection.machine.tls

    with serving("asyncio", Keeper(), tls="opportunistic", ssl_context=GOOD.context) as running:
        assert talk(client, running.address, plain, tls=Verdict(Security.NONE))
    with serving("asyncio", Keeper()) as running:
        assert talk(client, running.address, plain, tls=Verdict(Security.OPPORTUNISTIC))


# --- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize("decision", [Decision.DEFER, Decision.REFUSE])
def test_a_verdict_against_delivery_makes_no_connection(decision):
    with pytest.raises(ValueError, match=r"not named \(RFC 8461 s4\.1\)"):
        client_tls(
            Verdict(Security.WEBPKI, [NAME], decision=decision, why="not named", rule="RFC 8461 s4.1"), None, "h"
        )


def test_contexts_that_would_verify_less():
    lax = ssl.create_default_context()
    lax.check_hostname = False
    with pytest.raises(ValueError, match="does not verify"):
        client_tls(Verdict(Security.WEBPKI, [NAME]), lax, "h")
    lax.verify_mode = ssl.CERT_NONE
    with pytest.raises(ValueError, match="does not verify"):
        client_tls(Verdict(Security.WEBPKI, [NAME]), lax, "h")
    with pytest.raises(ValueError, match="ssl_context"):
        client_tls(dane(tlsa(3, 1, 1, GOOD.leaf)), ssl.create_default_context(), "h")
    with pytest.raises(ValueError, match="one name"):
        client_tls(Verdict(Security.WEBPKI, [NAME, "example.com"]), None, "h")


def test_the_contexts_of_dane():
    context = dane_context(dane(tlsa(3, 1, 1, GOOD.leaf)))
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)
    context = dane_context(dane(tlsa(2, 0, 0, der(CHILD.cert_pem))))
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, False)
    assert context.get_ca_certs(binary_form=True) == [der(CHILD.cert_pem)]


def test_who_has_no_verdict_loads_no_policy():
    import subprocess
    import sys

    source = (
        "import sys, smtpcore.adapters.blocking as smtp; smtp.connect('h', 25); print('smtpcore.policy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
