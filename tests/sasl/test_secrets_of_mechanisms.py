"""I12 for every mechanism: no password, token, proof or key shows, wherever it is kept and whatever goes wrong."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from smtpcore import ParseError
from smtpcore.sasl import (
    BearerToken,
    Channel,
    CramMd5,
    CramMd5Server,
    Credentials,
    OAuthBearer,
    OAuthBearerServer,
    Scram,
    ScramKeys,
    ScramServer,
    XOAuth2,
    XOAuth2Server,
    with_password,
    with_token,
)
from tests.sasl.exchanges import EXPORTED, PASSWORD, TOKEN, USER
from tests.sasl.exposure import assert_hidden, forms, views, views_of_error

pytest.importorskip("scramp")

KEYS = ScramKeys.derive(PASSWORD, salt=b"0123456789abcdef")
SECRETS = forms(
    PASSWORD.encode(),
    TOKEN.encode(),
    KEYS.stored_key.reveal(),
    KEYS.server_key.reveal(),
    EXPORTED,
    b"Bearer " + TOKEN.encode(),
)
CHANNEL = Channel(bindings={"tls-exporter": EXPORTED})


def things() -> list[tuple[str, Any]]:
    """Everything that holds a secret at some time, at each step of its exchange."""
    found: list[tuple[str, Any]] = [
        ("keys", KEYS),
        ("channel", CHANNEL),
        ("token", BearerToken("XOAUTH2", TOKEN.encode())),
    ]
    for name in ("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"):
        for step in range(4):
            client, server = Scram(USER, PASSWORD, name), ScramServer(name, seed=PASSWORD.encode())
            for half in (client, server):
                half.bind(CHANNEL, (name,))
            said: Any = None
            for number in range(step):
                said = client.step(said)
                said = server.step(said)
                if number == 0:
                    said = server.answer(KEYS)
            found += [(f"{name}-client-{step}", client), (f"{name}-server-{step}", server)]
    token_servers: list[Any] = [OAuthBearerServer(), XOAuth2Server()]
    for token_client, token_server in zip(with_token(USER, TOKEN), token_servers, strict=True):
        found.append((f"{token_client.name}-client", token_client))
        question = token_server.step(token_client.step(None))
        found += [(f"{token_client.name}-server", token_server), (f"{token_client.name}-question", question)]
        found.append((f"{token_client.name}-credentials", token_server.answer("alice")))
    cram, cram_server = CramMd5(USER, PASSWORD), CramMd5Server()
    challenge = cram_server.step(None)
    assert isinstance(challenge, bytes)
    claim = cram_server.step(cram.step(challenge))
    found += [("cram-client", cram), ("cram-server", cram_server), ("cram-credentials", claim)]
    found += [(f"with_password-{each.name}", each) for each in with_password(USER, PASSWORD)]
    return found


@pytest.mark.parametrize("thing", [pytest.param(thing, id=name) for name, thing in things()])
def test_a_holder_of_a_secret_does_not_show_it(thing):
    """AU-17"""
    assert_hidden(views(thing), SECRETS)
    # What it keeps of its own is no leak either; scramp's objects are behind one that shows nothing.
    for value in getattr(thing, "__dict__", {}).values():
        assert_hidden(views(value), SECRETS)


def test_the_forms_would_be_found():
    for leak in (PASSWORD, TOKEN, repr(KEYS.stored_key.reveal())):
        with pytest.raises(AssertionError):
            assert_hidden(iter([f"it is {leak}!"]), SECRETS)


def test_a_digest_is_a_secret():
    """AU-17: who has it can guess at the password."""
    cram, server = CramMd5(USER, PASSWORD), CramMd5Server()
    challenge = server.step(None)
    assert isinstance(challenge, bytes)
    response = cram.step(challenge)
    claim = server.step(response)
    assert_hidden(views(claim), [response.decode().split(" ")[1]])


def test_an_exchange_of_scram_is_neither_pickled_nor_copied():
    client = Scram(USER, PASSWORD)
    client.step(None)
    for store in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="exchange"):
            store(client._client)
    with pytest.raises(TypeError):
        pickle.dumps(KEYS)


CASES: dict[str, Any] = {
    "scram-name": lambda: Scram(USER, PASSWORD, "x"),
    "scram-surrogate": lambda: Scram(USER, PASSWORD + "\ud800"),
    "scram-saslprep": lambda: Scram(USER, PASSWORD + "\x07").step(None),
    "scram-asked": lambda: Scram(USER, PASSWORD).step(b"who?"),
    "keys-saslprep": lambda: ScramKeys.derive(PASSWORD + "\x07"),
    "keys-length": lambda: ScramKeys(b"x" * 12, 4096, KEYS.stored_key, KEYS.stored_key.reveal()[:-1]),
    "cram-surrogate": lambda: CramMd5(USER, PASSWORD + "\ud800"),
    "cram-server": lambda: cram_answered(PASSWORD.encode()),
    "xoauth2-token": lambda: XOAuth2(USER, TOKEN + " "),
    "oauthbearer-token": lambda: OAuthBearer(USER, TOKEN + "\x01"),
    "oauthbearer-host": lambda: OAuthBearer(USER, TOKEN, host="a b"),
    "xoauth2-server": lambda: XOAuth2Server().step(b"user=u\x01auth=Bearer " + TOKEN.encode() + b" \x01\x01"),
    "oauthbearer-server": lambda: OAuthBearerServer().step(b"n,,\x01auth=Bearer " + TOKEN.encode() + b"\x01"),
    "scram-server-first": lambda: ScramServer().step(b"n,,n=" + PASSWORD.encode() + b"\x01,r=x"),
    "scram-server-keys": lambda: scram_asked().answer(PASSWORD),
    "token-verdict": lambda: token_asked().answer(TOKEN.encode()),
}


def cram_answered(response: bytes) -> Any:
    server = CramMd5Server()
    server.step(None)
    return server.step(response)


def scram_asked() -> ScramServer:
    server = ScramServer()
    server.step(b"n,,n=u,r=x")
    return server


def token_asked() -> XOAuth2Server:
    server = XOAuth2Server()
    server.step(XOAuth2(USER, TOKEN).step(None))
    return server


@pytest.mark.parametrize("case", CASES)
def test_no_error_shows_a_secret(case):
    """AU-17: neither its message, nor its arguments, nor what it was raised from."""
    with pytest.raises((ParseError, ValueError, TypeError)) as caught:
        CASES[case]()
    assert_hidden(views_of_error(caught.value), SECRETS)


@pytest.mark.parametrize("challenge", [b"r=x,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", b"e=other-error", b"\xff"], ids=repr)
def test_no_error_of_scramp_is_behind_ours(challenge):
    """Its frames hold the password."""
    client = Scram(USER, PASSWORD)
    client.step(None)
    with pytest.raises(ParseError) as caught:
        client.step(challenge)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_what_is_proven_has_no_password_to_verify():
    """A handler that forgets to look lets nobody in with an empty one."""
    claim = Credentials("EXTERNAL", "alice", proven=True)
    for password in ("", b"", "x"):
        assert not claim.verify(password)
