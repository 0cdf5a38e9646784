"""Every adapter as a client of every other as a server, in every TLS mode, over real sockets."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from smtpcore import Noop, Reply, Vrfy
from smtpcore.extensions import STARTTLS
from smtpcore.flows.handler import Served
from smtpcore.sasl import Credentials, Login
from tests.adapters.running import ADAPTERS, ASYNC, EVERY_SERVER, OVER_ASYNCIO, Keeper, serving, talk

pytestmark = pytest.mark.law(17)

MODES = ("none", "opportunistic", "required", "implicit")
MESSAGE = b"Subject: crepes\r\n\r\n.Dot\r\nHello\r\n"
BOB = ["bob@hamburger.edu"]


class Watchful(Keeper):
    """Knows who came, and how."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[bool, str | None]] = []

    def authenticate(self, session: Served, credentials: Credentials) -> bool:
        return credentials.authcid == "alice" and credentials.verify("secret")

    def message(self, session: Served) -> str:
        self.seen.append((session.tls, session.identity))
        return super().message(session)


def tls_options(tls: str, certificates: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a server and a client are given for a mode."""
    if tls == "none":
        return {}, {}
    return {"tls": tls, "ssl_context": certificates.server}, {"tls": tls, "ssl_context": certificates.trusting}


@EVERY_SERVER
@pytest.mark.parametrize("client", ADAPTERS)
@pytest.mark.parametrize("tls", MODES)
def test_messages_arrive(adapter, client, tls, certificates):
    """Many on one connection, authenticated, and nothing is left of one in the next."""
    handler = Watchful()
    of_server, of_client = tls_options(tls, certificates)

    async def body(connection: Any) -> Any:
        assert connection.machine.tls == (tls != "none")
        assert STARTTLS not in connection.capabilities
        outcomes = [
            await connection.send("alice@crepes.fr", BOB, MESSAGE + b"%d\r\n" % n, chunking=n % 2 == 1)
            for n in range(5)
        ]
        assert (await connection.command(Noop())).code == 250
        return outcomes

    with serving(adapter, handler, require_auth=True, allow_plaintext_auth=tls == "none", **of_server) as server:
        outcomes = talk(
            client, server.address, body, auth=("alice", "secret"), allow_plaintext_auth=tls == "none", **of_client
        )
    assert all(outcome.all_accepted for outcome in outcomes)
    assert [str(outcome.reply) for outcome in outcomes] == [f"250 2.0.0 kept as {n}" for n in range(1, 6)]
    assert handler.messages == [("alice@crepes.fr", tuple(BOB), MESSAGE + b"%d\r\n" % n) for n in range(5)]
    assert handler.seen == [(tls != "none", "alice")] * 5
    assert handler.events == ["connected", *["message"] * 5, "closed"]


@EVERY_SERVER
@pytest.mark.parametrize("client", ADAPTERS)
def test_outcomes_by_recipient(adapter, client):
    class Choosy(Keeper):
        def rcpt(self, session: Served, command: Any) -> Reply | None:
            return Reply(550, "not here", "5.1.1") if command.recipient.local_part == "eve" else None

    to = ["bob@hamburger.edu", "eve@hamburger.edu", "bob@hamburger.edu"]

    async def body(connection: Any) -> Any:
        return await connection.send(None, to, [MESSAGE[:7], MESSAGE[7:]])

    handler = Choosy()
    with serving(adapter, handler) as server:
        outcome = talk(client, server.address, body)
    assert [each.status.value for each in outcome.recipients] == ["accepted", "refused", "accepted"]
    assert handler.messages == [("None", ("bob@hamburger.edu",) * 2, MESSAGE)]


@EVERY_SERVER
@pytest.mark.parametrize("client", ADAPTERS)
def test_login(adapter, client):
    handler = Watchful()

    async def body(connection: Any) -> Any:
        return await connection.send(None, BOB, MESSAGE)

    with serving(adapter, handler, allow_plaintext_auth=True) as server:
        talk(client, server.address, body, auth=[Login("alice", "secret")], allow_plaintext_auth=True)
    assert handler.seen == [(False, "alice")]


@EVERY_SERVER
@pytest.mark.parametrize("client", ASYNC)
def test_an_async_iterable(adapter, client):
    async def pieces() -> AsyncIterator[bytes]:
        for chunk in (MESSAGE[:3], MESSAGE[3:9], MESSAGE[9:]):
            yield chunk

    async def body(connection: Any) -> Any:
        return await connection.send(None, BOB, pieces())

    handler = Keeper()
    with serving(adapter, handler) as server:
        assert talk(client, server.address, body).all_accepted
    assert handler.messages[0][2] == MESSAGE


@pytest.mark.parametrize("adapter", ASYNC)
@pytest.mark.parametrize("client", ADAPTERS)
def test_an_async_handler(adapter, client):
    """Methods that really wait, each in turn."""

    async def wait() -> None:
        if adapter in OVER_ASYNCIO:
            import asyncio

            await asyncio.sleep(0.001)
        else:
            import trio

            await trio.sleep(0.001)

    class Patient:
        def __init__(self) -> None:
            self.calls: list[str] = []

        def __getattr__(self, name: str) -> Any:
            if name not in ("connected", "mail", "rcpt", "data", "content", "message", "command", "closed"):
                raise AttributeError(name)

            async def method(session: Served, *args: Any) -> None:
                await wait()
                self.calls.append(name)

            return method

    handler = Patient()

    async def body(connection: Any) -> Any:
        return [await connection.send("a@b.fr", BOB * 3, MESSAGE) for _ in range(3)]

    with serving(adapter, handler) as server:
        outcomes = talk(client, server.address, body)
    assert all(outcome.all_accepted for outcome in outcomes)
    one = ["mail", "rcpt", "rcpt", "rcpt", "data", "content", "message"]
    assert [call for call in handler.calls if call != "content"] == [
        "connected", "command", *[call for call in one if call != "content"] * 3, "command", "closed",
    ]  # fmt: skip


@EVERY_SERVER
@pytest.mark.parametrize("client", ADAPTERS)
def test_commands_and_capabilities(adapter, client):
    async def body(connection: Any) -> Any:
        assert "PIPELINING" in connection.capabilities
        return await connection.command(Vrfy("bob"))

    with serving(adapter, object()) as server:
        assert talk(client, server.address, body).code == 252


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")
@EVERY_SERVER
@pytest.mark.parametrize("client", ADAPTERS)
def test_ipv6(adapter, client):
    names: list[str | None] = []

    class Nosy(Keeper):
        def message(self, session: Served) -> str:
            names.append(session.client)
            return super().message(session)

    async def body(connection: Any) -> Any:
        return await connection.send(None, BOB, MESSAGE)

    with serving(adapter, Nosy(), host="::1") as server:
        assert server.address[0] == "::1"
        assert talk(client, server.address, body, hostname="[IPv6:::1]").all_accepted
    assert names == ["[IPv6:::1]"]


@EVERY_SERVER
def test_port_0_takes_a_free_one(adapter):
    with serving(adapter, object()) as one, serving(adapter, object()) as other:
        assert one.port != other.port
        assert min(one.port, other.port) > 0
