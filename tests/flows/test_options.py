"""What a caller chooses, and what becomes of it on the machines."""

from __future__ import annotations

from typing import Any

import pytest

from smtpcore import INTEROP, STRICT, BareNewlines, ClientLimits, LocalProtocolError, ServerLimits
from smtpcore.extensions import AUTH, EIGHTBITMIME, ENHANCEDSTATUSCODES, HELP, PIPELINING, SIZE, SMTPUTF8, STARTTLS
from smtpcore.flows.options import DEFAULT_SIZE, begin_client, literal, open_client, prepare_server
from smtpcore.flows.server import MINIMUM_RATE
from smtpcore.sasl import SERVER_MECHANISMS, CramMd5Server, ExternalServer, PlainServer, scram_keys
from tests.flows.driving import play

GREETING, OFFER = b"220 hi\r\n", b"250 hamburger.edu\r\n"


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("127.0.0.1", "[127.0.0.1]"),
        ("::1", "[IPv6:::1]"),
        ("2001:db8::1", "[IPv6:2001:db8::1]"),
        ("fe80::1%eth0", "[IPv6:fe80::1]"),
    ],
)
def test_a_client_without_a_name_gives_its_address(address, text):
    """RFC 5321 s4.1.3, s4.1.4"""
    assert literal(address) == text
    options: Any = {}
    played = play(open_client(begin_client(options), "none", address, options), GREETING, OFFER)
    assert played.written == f"EHLO {text}\r\n".encode()


def test_a_client_with_a_name():
    options: Any = {"hostname": "crepes.fr"}
    assert (
        play(open_client(begin_client(options), "none", "::1", options), GREETING, OFFER).written
        == b"EHLO crepes.fr\r\n"
    )


def test_the_options_of_a_client():
    limits = ClientLimits(in_flight=3)
    options: Any = {"limits": limits, "bare_newlines": BareNewlines.NORMALIZE, "allow_plaintext_auth": True}
    machine = begin_client(options)
    assert machine.limits is limits
    assert machine.allow_plaintext_auth
    assert not begin_client({}).allow_plaintext_auth
    assert begin_client({}).limits == ClientLimits()


def test_implicit_tls_is_known_to_the_machine():
    machine = begin_client({})
    flow = open_client(machine, "implicit", "::1", {})
    assert machine.tls
    flow.close()


class Nobody:
    pass


class Doorman:
    def authenticate(self, session: object, credentials: object) -> bool:
        return False


def prepared(handler: object = None, tls: Any = "none", **options: Any) -> Any:
    return prepare_server(handler or Nobody(), tls, print, options)  # type: ignore[arg-type]  # as the test has it


def test_a_server_offers_the_usual():
    settings, control = prepared()
    for extension in (PIPELINING, EIGHTBITMIME, SMTPUTF8, ENHANCEDSTATUSCODES):
        assert extension in settings.capabilities
    assert settings.capabilities.get(SIZE) == DEFAULT_SIZE
    for extension in (STARTTLS, AUTH):
        assert extension not in settings.capabilities
    assert (settings.hostname, settings.strictness, settings.bare_newlines) == (
        "localhost",
        INTEROP,
        BareNewlines.REJECT,
    )
    assert (control.timeout, control.minimum_rate, control.draining) == (None, MINIMUM_RATE, False)


@pytest.mark.parametrize(
    ("tls", "offered", "required"),
    [("none", False, False), ("opportunistic", True, False), ("required", True, True), ("implicit", False, False)],
)
def test_starttls_is_offered_where_it_leads_somewhere(tls, offered, required):
    settings, _ = prepared(tls=tls)
    assert (STARTTLS in settings.capabilities) == offered
    assert settings.require_tls == required


def test_auth_is_offered_where_a_handler_can_tell():
    assert prepared(Doorman())[0].capabilities.get(AUTH) == ("PLAIN", "LOGIN")
    settings, control = prepared(Doorman(), mechanisms={"PLAIN": PlainServer})
    assert settings.capabilities.get(AUTH) == ("PLAIN",)
    assert set(control.mechanisms) == {"PLAIN"}


class Everything(Doorman):
    def scram_keys(self, session, username, mechanism):
        return None

    def verify_token(self, session, token):
        return None


def test_mechanisms_are_offered_for_which_a_handler_has_the_methods():
    pytest.importorskip("scramp")

    def names(handler, **options):
        return prepared(handler, **options)[0].capabilities.get(AUTH)

    assert names(Everything(), certificate=b"\x30") == tuple(SERVER_MECHANISMS)
    without = tuple([name for name in SERVER_MECHANISMS if not name.endswith("-PLUS")])
    assert names(Everything()) == without, "a server that does not know its certificate cannot be bound to it"
    keys = type("Keys", (), {"scram_keys": Everything.scram_keys})
    assert names(keys()) == ("SCRAM-SHA-256", "SCRAM-SHA-1")
    tokens = type("Tokens", (), {"verify_token": Everything.verify_token})
    assert names(tokens()) == ("OAUTHBEARER", "XOAUTH2")
    assert names(object()) is None
    wanted = {**SERVER_MECHANISMS, "EXTERNAL": ExternalServer, "CRAM-MD5": CramMd5Server}
    assert names(object(), mechanisms=wanted) == ("EXTERNAL",)
    assert names(Doorman(), mechanisms=wanted) == ("PLAIN", "LOGIN", "EXTERNAL", "CRAM-MD5")


def test_scram_without_scramp_is_told_before_the_first_client(monkeypatch):
    monkeypatch.setattr(scram_keys, "scramp_is_there", lambda: False)
    assert prepared(Doorman())
    with pytest.raises(ModuleNotFoundError, match=r"smtpcore\[scram\]"):
        prepared(Everything())


def test_the_options_of_a_server():
    limits = ServerLimits(recipients=100)
    settings, control = prepared(
        hostname="hamburger.edu", size=1234, capabilities=[HELP], strictness=STRICT, limits=limits,
        bare_newlines=BareNewlines.SPACE, require_auth=True, allow_plaintext_auth=True, timeout=5.0, minimum_rate=9.0,
    )  # fmt: skip
    assert settings.hostname == "hamburger.edu"
    assert settings.capabilities.get(SIZE) == 1234
    assert HELP in settings.capabilities
    assert (settings.strictness, settings.limits, settings.bare_newlines) == (STRICT, limits, BareNewlines.SPACE)
    assert settings.require_auth
    assert settings.allow_plaintext_auth
    assert (control.timeout, control.minimum_rate) == (5.0, 9.0)


def test_plaintext_auth_of_a_client_is_refused_before_anything_is_sent():
    options: Any = {"auth": ("alice", "secret"), "hostname": "crepes.fr"}
    played = play(open_client(begin_client(options), "none", "", options), GREETING, b"250-h\r\n250 AUTH PLAIN\r\n")
    assert isinstance(played.error, LocalProtocolError)
    assert played.written == b"EHLO crepes.fr\r\n"
