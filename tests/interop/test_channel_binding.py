"""SCRAM bound to TLS (-PLUS) with GNU SASL, which nobody here wrote: its client over SMTP, its server in this process.

The ``ssl`` module of no Python so far exports keying material; pyOpenSSL does, and GNU SASL has GnuTLS.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from smtpcore.adapters.trampoline import run_blocking
from smtpcore.extensions import HELP
from smtpcore.flows.effect import Read
from smtpcore.flows.handler import Served
from smtpcore.flows.options import prepare_server
from smtpcore.flows.server import serve_connection
from smtpcore.sasl import SERVER_MECHANISMS, Channel, Credentials, Scram, ScramKeys
from smtpcore.session.server import ServerConnection
from tests.interop import machinery
from tests.interop.certificates import Certificate
from tests.interop.machinery import Ran

pytestmark = pytest.mark.interop
pytest.importorskip("scramp")
SSL = pytest.importorskip("OpenSSL.SSL")

BOUND = pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS"])
LABEL = b"EXPORTER-Channel-Binding"  # RFC 9266 s4.1


class Believer:
    """Has the keys of one user; ``used`` is by which mechanism he came."""

    def __init__(self) -> None:
        self.used: list[str] = []

    def authenticate(self, session: Served, credentials: Credentials) -> bool:
        self.used.append(credentials.mechanism)
        return credentials.proven

    def scram_keys(self, session: Served, username: str, mechanism: str) -> ScramKeys | None:
        return ScramKeys.derive("secret", mechanism) if username == "user" else None


# --- their client, our server ---------------------------------------------------------------------


class World:
    """A connection of a server, by a TLS library that exports keying material."""

    def __init__(self, sock: socket.socket, context: Any, label: bytes) -> None:
        self._sock = sock
        self._io: Any = sock
        self._context = context
        self._label = label

    def write(self, data: bytes) -> None:
        self._io.sendall(data)

    def read(self, effect: Read) -> bytes:
        try:
            octets: bytes = self._io.recv(effect.most or 65_536)
        except SSL.Error:  # the end of the stream, said in TLS or not
            return b""
        return octets

    def handshake(self) -> Channel:
        secured = SSL.Connection(self._context, self._sock)
        secured.set_accept_state()
        try:
            secured.do_handshake()
        except SSL.Error as error:
            raise ConnectionError("no handshake") from error
        self._io = secured
        assert secured.get_protocol_version_name() == "TLSv1.3"
        return Channel(bindings={"tls-exporter": secured.export_keying_material(self._label, 32, b"")})

    def close(self) -> None:
        self._sock.close()

    abort = close


@contextmanager
def serving(certificate: Certificate, mechanism: str, handler: object, label: bytes = LABEL) -> Iterator[int]:
    """The port of a server that takes one connection and offers one mechanism."""
    context = SSL.Context(SSL.TLS_METHOD)
    context.use_certificate_chain_file(str(certificate.chain))
    context.use_privatekey_file(str(certificate.key))
    wrong: list[BaseException] = []
    # Behind STARTTLS something else is offered: gsasl does not look at the last line of the reply to EHLO
    mechanisms = {mechanism: SERVER_MECHANISMS[mechanism]}
    options: Any = {"mechanisms": mechanisms, "capabilities": [HELP], "certificate": b"\x30"}
    settings, control = prepare_server(handler, "required", wrong.append, options)

    def serve() -> None:
        sock, peer = listener.accept()
        machine = ServerConnection.from_settings(settings)
        with sock:
            run_blocking(
                serve_connection(machine, handler, Served(machine, peer), control), World(sock, context, label)
            )

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(20)
        assert not thread.is_alive()
    assert wrong == []


def gsasl(port: int, certificate: Certificate, mechanism: str, password: str = "secret") -> Ran:
    where = ["--smtp", f"--connect=127.0.0.1:{port}", "--hostname=localhost", f"--x509-ca-file={certificate.authority}"]
    who = [f"--mechanism={mechanism}", "--authentication-id=user", f"--password={password}"]
    return machinery.run([machinery.program("gsasl"), *where, *who, "--verbose"])


@BOUND
def test_their_client_logs_in(certificate: Certificate, mechanism: str) -> None:
    handler = Believer()
    with serving(certificate, mechanism, handler) as port:
        ran = gsasl(port, certificate, mechanism)
    ran.check()
    assert "235 2.7.0" in ran.output
    assert "server trusted" in ran.output, "ours has proved that it knows the keys"
    assert handler.used == [mechanism]


@BOUND
def test_their_client_is_refused(certificate: Certificate, mechanism: str) -> None:
    """With a wrong password; and with the right one where it is at the end of another TLS connection than we are."""
    handler = Believer()
    with serving(certificate, mechanism, handler) as port:
        assert "535" in gsasl(port, certificate, mechanism, "guess").output
    with serving(certificate, mechanism, handler, label=b"EXPORTER-somebody-between") as port:
        assert "535" in gsasl(port, certificate, mechanism).output
    assert handler.used == []


# --- our client, their server ---------------------------------------------------------------------

OK, NEEDS_MORE, AUTHENTICATION_ERROR = 0, 1, 31
PASSWORD, TLS_EXPORTER = 3, 25  # properties, by gsasl.h


class TheirServer:
    """libgsasl's half of a server: the password and the keying material are told it, the rest is its own."""

    def __init__(self, mechanism: str, exported: bytes) -> None:
        name = ctypes.util.find_library("gsasl") or machinery.missing("libgsasl")
        self._library: Any = ctypes.CDLL(name)
        self._context, self._session = ctypes.c_void_p(), ctypes.c_void_p()
        assert self._library.gsasl_init(ctypes.byref(self._context)) == OK
        session = ctypes.byref(self._session)
        assert self._library.gsasl_server_start(self._context, mechanism.encode(), session) == OK
        set_property: Callable[..., int] = self._library.gsasl_property_set
        assert set_property(self._session, PASSWORD, b"secret") == OK
        assert set_property(self._session, TLS_EXPORTER, b64encode(exported)) == OK

    def step(self, response: bytes) -> tuple[int, bytes]:
        """What it makes of a response: its status, and its challenge."""
        output, size = ctypes.c_void_p(), ctypes.c_size_t()
        status: int = self._library.gsasl_step(
            self._session, response, ctypes.c_size_t(len(response)), ctypes.byref(output), ctypes.byref(size)
        )
        challenge = ctypes.string_at(output, size.value) if output.value else b""
        self._library.gsasl_free(output)
        return status, challenge

    def close(self) -> None:
        self._library.gsasl_finish(self._session)
        self._library.gsasl_done(self._context)


def met(mechanism: str, password: str, ours: bytes, theirs: bytes) -> tuple[int, bool]:
    """How their server ends with our client, and whether that believes it."""
    client, server = Scram("user", password, mechanism), TheirServer(mechanism, theirs)
    channel = Channel(bindings={"tls-exporter": ours})
    assert client.suits(channel)
    client.bind(channel, (mechanism,))
    try:
        status, challenge = server.step(client.step(None))
        while status == NEEDS_MORE:
            status, challenge = server.step(client.step(challenge))
        if status == OK and not client.proven:
            client.step(challenge)
        return status, client.proven
    finally:
        server.close()


@BOUND
def test_our_client_logs_in(mechanism: str) -> None:
    assert met(mechanism, "secret", b"keying material", b"keying material") == (OK, True)


@BOUND
@pytest.mark.parametrize(("password", "theirs"), [("guess", b"keying material"), ("secret", b"of another connection")])
def test_our_client_is_refused(mechanism: str, password: str, theirs: bytes) -> None:
    assert met(mechanism, password, b"keying material", theirs) == (AUTHENTICATION_ERROR, False)
