"""TLS over real sockets: who is believed, who is not, and that nothing goes on in the clear behind a failure."""

from __future__ import annotations

import gc
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import smtpcore.adapters.blocking as over_blocking
from smtpcore.adapters import tls as contexts
from smtpcore.flows.error import Refused, TlsNotOffered
from tests.adapters.running import ADAPTERS, EVERY_SERVER, PATIENCE, SHORT, Keeper, Raw, serving, talk

EVERY_CLIENT = pytest.mark.parametrize("client", ADAPTERS)


NOT_BELIEVED = pytest.raises(OSError, match=r"(?i)certificate|handshake|verify")


async def nothing(connection: Any) -> Any:
    return connection.machine.tls


# --- certificates --------------------------------------------------------------------------------


@EVERY_SERVER
@EVERY_CLIENT
@pytest.mark.parametrize("tls", ["required", "implicit"])
@pytest.mark.parametrize("wrong", ["strange_server", "other_name"])
def test_a_wrong_certificate_is_refused(adapter, client, tls, wrong, certificates):
    handler = Keeper()
    with serving(adapter, handler, tls=tls, ssl_context=getattr(certificates, wrong)) as server, NOT_BELIEVED:
        talk(client, server.address, nothing, tls=tls, ssl_context=certificates.trusting)
    assert handler.messages == []


@EVERY_SERVER
@EVERY_CLIENT
def test_without_a_context_a_client_trusts_the_system_only(adapter, client, certificates):
    with serving(adapter, Keeper(), tls="required", ssl_context=certificates.server) as server, NOT_BELIEVED:
        talk(client, server.address, nothing, tls="required")


@EVERY_SERVER
@EVERY_CLIENT
@pytest.mark.parametrize("wrong", ["strange_server", "other_name", "server"])
def test_opportunistic_tls_takes_any_certificate(adapter, client, wrong, certificates):
    """RFC 7435: without TLS there would be none at all."""
    with serving(adapter, Keeper(), tls="opportunistic", ssl_context=getattr(certificates, wrong)) as server:
        assert talk(client, server.address, nothing, tls="opportunistic") is True


@EVERY_SERVER
@EVERY_CLIENT
def test_opportunistic_with_a_context_of_ones_own_believes_that(adapter, client, certificates):
    options: Any = {"tls": "opportunistic", "ssl_context": certificates.strange_server}
    with serving(adapter, Keeper(), **options) as server, NOT_BELIEVED:
        talk(client, server.address, nothing, tls="opportunistic", ssl_context=certificates.trusting)


# --- what is missing -----------------------------------------------------------------------------


@EVERY_SERVER
@EVERY_CLIENT
def test_required_where_there_is_none(adapter, client):
    """TLS-09"""
    handler = Keeper()
    with serving(adapter, handler) as server, pytest.raises(TlsNotOffered):
        talk(client, server.address, nothing, tls="required", auth=("alice", "secret"))
    assert handler.events == ["connected", "closed"]


@EVERY_SERVER
@EVERY_CLIENT
def test_opportunistic_where_there_is_none(adapter, client):
    with serving(adapter, Keeper()) as server:
        assert talk(client, server.address, nothing, tls="opportunistic") is False


# --- a server that lies --------------------------------------------------------------------------


@contextmanager
def liar(serve: Callable[[socket.socket], None]) -> Iterator[tuple[tuple[str, int], bytearray]]:
    """A server of sockets for one connection; what it read last is kept."""
    heard = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(PATIENCE)
                serve(connection)
                try:
                    while data := connection.recv(65536):
                        heard.extend(data)
                except OSError:
                    pass

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield listener.getsockname(), heard
        thread.join(PATIENCE)
        assert not thread.is_alive()


def up_to_starttls(connection: socket.socket) -> None:
    connection.sendall(b"220 hi\r\n")
    assert connection.recv(1000).startswith(b"EHLO")
    connection.sendall(b"250-h\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n")
    assert connection.recv(1000) == b"STARTTLS\r\n"


@EVERY_CLIENT
@pytest.mark.parametrize("tls", ["required", "opportunistic"])
def test_a_handshake_that_fails_is_the_end(client, tls):
    """TLS-10: nothing is said in the clear behind it."""

    def serve(connection: socket.socket) -> None:
        up_to_starttls(connection)
        connection.sendall(b"220 go\r\n")
        assert connection.recv(5)[:1] == b"\x16"  # a ClientHello
        connection.sendall(b"no, thank you\r\n")

    with liar(serve) as (address, heard), pytest.raises(OSError):
        talk(client, address, nothing, tls=tls, auth=("alice", "secret"), allow_plaintext_auth=True)
    for word in (b"EHLO", b"AUTH", b"QUIT"):
        assert word not in heard


@EVERY_CLIENT
@pytest.mark.parametrize("tls", ["required", "opportunistic"])
def test_octets_in_the_clear_behind_the_220(client, tls):
    """TLS-02"""
    from smtpcore import RemoteProtocolError

    def serve(connection: socket.socket) -> None:
        up_to_starttls(connection)
        connection.sendall(b"220 go\r\n250-evil\r\n250 AUTH EVIL\r\n")

    with liar(serve) as (address, heard), pytest.raises(RemoteProtocolError):
        talk(client, address, nothing, tls=tls)
    assert heard == b""


@EVERY_CLIENT
@pytest.mark.parametrize(
    "reply", [b"454 no\r\n", b"421 no\r\n", b"250 ok\r\n"], ids=lambda reply: f"TLS-09-{reply[:3].decode()}"
)
def test_a_refusal_under_required(client, reply):
    def serve(connection: socket.socket) -> None:
        up_to_starttls(connection)
        connection.sendall(reply)

    with liar(serve) as (address, heard), pytest.raises(Refused):
        talk(client, address, nothing, tls="required", auth=("alice", "secret"), timeout=SHORT)
    assert bytes(heard) in (b"", b"QUIT\r\n")


@EVERY_CLIENT
@pytest.mark.parametrize("tls", ["implicit", "required"])
def test_a_server_that_never_shakes_hands(client, tls):
    """The time for each step holds for the handshake too."""

    def serve(connection: socket.socket) -> None:
        if tls == "required":
            up_to_starttls(connection)
            connection.sendall(b"220 go\r\n")

    with liar(serve) as (address, _), pytest.raises(OSError):
        talk(client, address, nothing, tls=tls, timeout=SHORT)


# --- a client that lies --------------------------------------------------------------------------


@EVERY_SERVER
def test_commands_in_the_clear_behind_starttls_are_never_run(adapter, certificates):
    """TLS-01"""
    handler = Keeper()
    with serving(adapter, handler, tls="opportunistic", ssl_context=certificates.server) as server:
        with Raw(server.address) as raw:
            raw.say(b"EHLO x\r\n")
            while not raw.line().startswith(b"250 "):
                pass
            raw.say(b"STARTTLS\r\nRSET\r\nMAIL FROM:<a@b>\r\n")
            assert b"250" not in raw.rest()
        handler.wait_for("closed")
    assert handler.events == ["connected", "closed"]


@EVERY_SERVER
@pytest.mark.parametrize(
    "octets", [b"", b"EHLO crepes.fr\r\n", b"\x16\x03\x01\x00\x05hello"], ids=["silence", "clear", "garbage"]
)
@pytest.mark.parametrize("tls", ["implicit", "opportunistic"])
@pytest.mark.timeout(60)
def test_a_client_that_never_shakes_hands(adapter, octets, tls, certificates):
    """It is cut in time, and keeps nobody else out."""
    handler = Keeper()
    with serving(adapter, handler, tls=tls, ssl_context=certificates.server, timeout=SHORT, grace=5.0) as server:
        with Raw(server.address, greeted=tls != "implicit") as raw:
            if tls != "implicit":
                raw.say(b"EHLO x\r\n")
                while not raw.line().startswith(b"250 "):
                    pass
                assert raw.ask(b"STARTTLS\r\n")[0].startswith(b"220")
            raw.say(octets)
            raw.rest()
        assert talk(adapter, server.address, nothing, tls=tls, ssl_context=certificates.trusting) is True
        handler.wait_for("closed", 1 if tls == "implicit" else 2)
        # Nobody is counted who is not there.
        server.stop()
        server.join(2.0)


@pytest.mark.filterwarnings("error::ResourceWarning")
def test_a_client_that_breaks_off_before_the_handshake_leaves_no_socket_open(certificates):
    """ssl would raise ConnectionResetError, and let go of a socket that nobody can close any more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()) as peer:
            accepted, _ = listener.accept()
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # so that closing resets
        stream = over_blocking._ServedStream(accepted, certificates.server)
        with pytest.raises(OSError):
            stream.handshake()
        stream.close()
        assert accepted.fileno() == -1
    gc.collect()


# --- contexts ------------------------------------------------------------------------------------


def test_the_contexts_of_a_client():
    tls: Any
    assert contexts.client_context("none", None) is None
    for tls in ("required", "implicit"):
        context = contexts.client_context(tls, None)
        assert context is not None
        assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    context = contexts.client_context("opportunistic", None)
    assert context is not None
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)
    mine = ssl.create_default_context()
    for tls in ("none", "required", "implicit", "opportunistic"):
        assert contexts.client_context(tls, mine) is mine


def test_the_contexts_of_a_server():
    mine = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls: Any
    assert contexts.server_context("none", None) is None
    for tls in ("required", "implicit", "opportunistic"):
        assert contexts.server_context(tls, mine) is mine
        with pytest.raises(ValueError, match="ssl_context"):
            contexts.server_context(tls, None)
    with pytest.raises(ValueError, match="ssl_context"):
        contexts.server_context("none", mine)
