"""What stands in front of a server, or comes to the wrong port: haproxy, and clients of HTTP and TLS."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import smtpcore.adapters.blocking as over_blocking
from smtpcore.flows.handler import Served
from smtpcore.wire.proxy import ProxyFamily, ProxyHeader
from tests.interop import clients, machinery, messages
from tests.interop.certificates import Certificate
from tests.interop.clients import Job
from tests.interop.mailservers import Postfix
from tests.interop.peers import split_trace
from tests.interop.receiving import ADAPTERS, Keeper, serving
from tests.interop.test_command_line import Serve

pytestmark = pytest.mark.interop

#: Where the client calls from, so that it is not the proxy.
ELSEWHERE = "127.0.0.77"
FROM_HERE = ["127.0.0.1"]
CONTENT = messages.message(messages.BODIES["dots"] + messages.BODIES["8-bit"])

CONFIG = """
global
    maxconn 100
defaults
    mode tcp
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend smtp
    bind 127.0.0.1:{port} {bind}
    unique-id-format %ci-%cp
    default_backend mail
backend mail
    {check}
    server one 127.0.0.1:{server} {send}
"""


class Haproxy(machinery.Daemon):
    """haproxy in front of one server."""

    def __init__(self, folder: Path, server: int, send: str, *, bind: str = "", check: str = "") -> None:
        self.port = machinery.free_port()
        config = folder / "haproxy.cfg"
        config.write_text(CONFIG.format(port=self.port, server=server, send=send, bind=bind, check=check))
        super().__init__((machinery.program("haproxy"), "-db", "-f", str(config)), folder / "haproxy.log")
        self.wait_port(self.port)


class Seer(Keeper):
    """Keeps what the proxy said of each client that sent something."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[Any, ProxyHeader | None]] = []

    def message(self, session: Served) -> str:
        self.seen.append((session.peer, session.proxy))
        return super().message(session)


SENDS = {
    "text": "send-proxy",
    "binary": "send-proxy-v2",
    "checked": "send-proxy-v2 proxy-v2-options crc32c,unique-id",
}


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("tls", ["plain", "starttls", "implicit"])
@pytest.mark.parametrize("send", SENDS)
def test_who_the_client_is_through_haproxy(
    tmp_path: Path, certificate: Certificate, send: str, tls: str, adapter: str
) -> None:
    """In the clear and with TLS that passes through it."""
    mode = {"plain": "none", "starttls": "required", "implicit": "implicit"}[tls]
    keeper = Seer()
    with serving(adapter, keeper, certificate, mode, proxy_from=FROM_HERE) as server:
        proxy = Haproxy(tmp_path, server.port, SENDS[send])
        try:
            job = Job(proxy.port, CONTENT, tls=tls, certificate=certificate)
            clients.curl(job, "--interface", ELSEWHERE).check()
            (got,) = keeper.wait(1)
        finally:
            proxy.stop()
    assert got.content == CONTENT
    assert got.tls == (tls != "plain")
    ((peer, header),) = keeper.seen
    assert peer[0] == ELSEWHERE
    assert header is not None
    assert header.family is ProxyFamily.TCP4
    assert (header.version, header.source) == (1 if send == "text" else 2, peer)
    assert header.destination == ("127.0.0.1", proxy.port)
    assert header.checksum == (send == "checked")
    if send == "checked":
        assert header.unique_id is not None
        assert header.unique_id.startswith(ELSEWHERE.encode())


def test_what_haproxy_says_of_tls_that_it_ends(tmp_path: Path, certificate: Certificate) -> None:
    keeper = Seer()
    pem = tmp_path / "both.pem"
    pem.write_bytes(certificate.chain.read_bytes() + certificate.key.read_bytes())
    with serving("asyncio", keeper, proxy_from=FROM_HERE) as server:
        send = "send-proxy-v2-ssl-cn proxy-v2-options authority,ssl,cert-cn,ssl-cipher"
        proxy = Haproxy(tmp_path, server.port, send, bind=f"ssl crt {pem}")
        try:
            job = Job(proxy.port, CONTENT, tls="implicit", certificate=certificate)
            clients.curl(job, "--interface", ELSEWHERE).check()
            clients.swaks(job, "--tls-sni", "localhost").check()
            keeper.wait(2)
        finally:
            proxy.stop()
    (peer, header), (_, named) = keeper.seen
    assert peer[0] == ELSEWHERE
    for each in (header, named):
        assert each is not None
        assert each.tls is not None
        assert each.tls.encrypted
        assert not each.tls.verified
        assert (each.tls.version or "").startswith("TLSv1.")
        assert each.tls.cipher
    assert named is not None
    assert named.authority == "localhost"


@pytest.mark.parametrize("send", ["send-proxy", "send-proxy-v2"])
def test_serve_names_the_client_in_received(tmp_path: Path, send: str) -> None:
    server = Serve(tmp_path, "--proxy-from", "127.0.0.1/32")
    try:
        proxy = Haproxy(tmp_path, server.port, send)
        try:
            clients.curl(Job(proxy.port, CONTENT), "--interface", ELSEWHERE).check()
        finally:
            proxy.stop()
        (kept,) = server.kept()
        trace, content = split_trace(kept)
        assert content == CONTENT
        assert f"from crepes.fr ([{ELSEWHERE}])".encode() in trace
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("send", "check"),
    [
        ("send-proxy-v2 check inter 100ms", ""),
        ("send-proxy-v2 check check-send-proxy inter 100ms", ""),
        ("send-proxy-v2 check check-send-proxy inter 100ms", "option smtpchk EHLO proxy.crepes.fr"),
        ("send-proxy check check-send-proxy inter 100ms", "option smtpchk EHLO proxy.crepes.fr"),
    ],
)
def test_health_checks_find_it_healthy(tmp_path: Path, send: str, check: str) -> None:
    """With a header of their own or without, and nothing is reported of them."""
    server = Serve(tmp_path, "--proxy-from", "127.0.0.1/32")
    try:
        proxy = Haproxy(tmp_path, server.port, send, check=check)
        try:
            for _ in range(5):
                clients.curl(Job(proxy.port, CONTENT)).check()
        finally:
            proxy.stop()
        assert b"DOWN" not in proxy.log.read_bytes()
        assert len(server.kept()) == 5
        assert b"PROXY" not in server.log.read_bytes()
    finally:
        server.stop()


def test_haproxy_that_says_nothing_is_cut_and_reported(tmp_path: Path) -> None:
    server = Serve(tmp_path, "--proxy-from", "127.0.0.1/32")
    try:
        with socket.create_connection(("127.0.0.1", server.port), 20) as sock:
            sock.sendall(b"EHLO crepes.fr\r\n")
            try:
                assert sock.recv(100) == b""
            except ConnectionResetError:
                pass
        machinery.wait_for("a report", lambda: b"no PROXY header" in server.log.read_bytes())
    finally:
        server.stop()


class Behind(Postfix):
    """Postfix behind a proxy, which relays for two networks that its clients come from."""

    name = "postfix"
    more = """
smtpd_upstream_proxy_protocol = haproxy
inet_protocols = all
mynetworks = 198.51.100.0/24 [2001:db8::]/32
"""


class Through(over_blocking.Client):  # type: ignore[misc]  # final, for all but who plays a proxy
    """A client that a proxy speaks for."""

    header: ProxyHeader

    def _connect(self) -> Any:
        stream, address = super()._connect()
        stream.write(bytes(self.header))
        return stream, address


@pytest.fixture(scope="module")
def postfix(folder: Path, certificate: Certificate) -> Iterator[Behind]:
    with Behind(folder / "behind", certificate) as peer:
        yield peer


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("family", "host"), [(ProxyFamily.TCP4, "198.51.100.7"), (ProxyFamily.TCP6, "2001:db8::7")], ids=["ipv4", "ipv6"]
)
def test_postfix_reads_what_we_write(postfix: Behind, version: int, family: ProxyFamily, host: str) -> None:
    destination = ("192.0.2.1", 25) if family is ProxyFamily.TCP4 else ("2001:db8:1::1", 25)
    client = Through("127.0.0.1", postfix.port, tls="none", hostname="elsewhere.example")
    client.header = ProxyHeader(version, family, (host, 40_000), destination)
    with client as connection:
        assert connection.send(None, ["bob@example.com"], CONTENT).all_accepted
    (got,) = postfix.delivered(1)
    postfix.forget()
    assert got.content == CONTENT
    assert f"from elsewhere.example (unknown [{'IPv6:' if ':' in host else ''}{host}])" in " ".join(
        got.trace.decode().split()
    )


# --- the wrong port --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain() -> Iterator[int]:
    with serving("asyncio", Keeper()) as server:
        yield server.port


@pytest.mark.parametrize(
    "more", [(), ("-X", "PROPFIND"), ("-d", "\r\nHELO a\r\nMAIL FROM:<a@b>\r\nQUIT\r\n"), ("-I",), ("--http0.9",)]
)
def test_http_on_a_port_of_smtp(plain: int, more: tuple[str, ...]) -> None:
    ran = machinery.run(
        [machinery.program("curl"), "-sv", "--max-time", "20", *more, f"http://127.0.0.1:{plain}/index.html"]
    )
    assert "Operation timed out" not in ran.output
    if "--http0.9" in more:
        assert "220 hamburger.edu ESMTP" in ran.output
        assert "421 this is not HTTP" in ran.output
        assert ran.output.count("\n500 ") == 0
    else:
        assert ran.status != 0


def test_tls_on_a_port_that_begins_in_the_clear(plain: int) -> None:
    ran = machinery.run([machinery.program("openssl"), "s_client", "-connect", f"127.0.0.1:{plain}"], b"", 20)
    assert ran.status != 0
    assert "wrong version number" in ran.output or "packet length too long" in ran.output
    ran = machinery.run([machinery.program("openssl"), "s_client", "-connect", f"127.0.0.1:{plain}", "-msg"], b"", 20)
    assert "ClientHello" in ran.output
    assert "ServerHello" not in ran.output


def test_a_client_in_the_clear_on_a_port_of_tls(tmp_path: Path, certificate: Certificate) -> None:
    """The server of OpenSSL and that of this library say the same: nothing that is SMTP."""
    from smtpcore import RemoteProtocolError
    from smtpcore.adapters.blocking import connect
    from smtpcore.flows import Disconnected

    port = machinery.free_port()
    command = [machinery.program("openssl"), "s_server", "-accept", f"127.0.0.1:{port}", "-quiet"]
    server = machinery.Daemon(
        [*command, "-cert", str(certificate.chain), "-key", str(certificate.key)], tmp_path / "log"
    )
    try:
        server.wait_port(port)
        with socket.create_connection(("127.0.0.1", port), 20) as sock:
            sock.sendall(b"EHLO crepes.fr\r\n")
            try:
                said = sock.recv(100)
            except ConnectionResetError:
                said = b""
        assert not said or said[:2] == b"\x15\x03"
        with pytest.raises((RemoteProtocolError, Disconnected, OSError)):
            connect("127.0.0.1", port, tls="none", timeout=1.0).__enter__()
    finally:
        server.stop()


def test_a_client_on_a_port_of_http(tmp_path: Path) -> None:
    """haproxy in its usual mode answers to EHLO with a page."""
    from smtpcore import RemoteProtocolError
    from smtpcore.adapters.blocking import connect

    port = machinery.free_port()
    config = tmp_path / "http.cfg"
    config.write_text(
        "defaults\n    mode http\n    timeout client 300ms\n    timeout connect 1s\n    timeout server 1s\n"
        f"frontend web\n    bind 127.0.0.1:{port}\n    http-request return status 200\n"
    )
    server = machinery.Daemon((machinery.program("haproxy"), "-db", "-f", str(config)), tmp_path / "log")
    try:
        server.wait_port(port)
        # It is silent until it has waited long enough for a request, and then says 408.
        with pytest.raises(RemoteProtocolError, match=r"HTTP, not a reply: b'HTTP/1\.[01] 408"):
            connect("127.0.0.1", port, tls="none", timeout=10.0).__enter__()
    finally:
        server.stop()


def test_tls_of_the_wrong_port_is_an_ordinary_error(certificate: Certificate) -> None:
    """A client that is set up for TLS from the start, on port 25."""
    from smtpcore.adapters.blocking import connect

    with serving("asyncio", Keeper()) as server, pytest.raises(ssl.SSLError):
        connect("127.0.0.1", server.port, tls="implicit", ssl_context=certificate.for_client()).__enter__()
