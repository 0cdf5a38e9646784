"""Servers behind a proxy: who the client is, over every library, in the clear and over TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import smtpcore.adapters.blocking as smtp
from smtpcore import RemoteProtocolError
from smtpcore.adapters.asyncio_front import Front
from smtpcore.adapters.proxies import Proxies
from smtpcore.flows.handler import Served
from smtpcore.wire.proxy import LOCAL, ProxyFamily, ProxyHeader, ProxyTlv
from tests.adapters.running import EVERY_SERVER, PATIENCE, Keeper, serving

FROM_HERE = ["127.0.0.1/32"]
CLIENT, TARGET = ("192.0.2.77", 4711), ("198.51.100.7", 25)
TEXT = ProxyHeader(1, ProxyFamily.TCP4, CLIENT, TARGET)
BINARY = ProxyHeader(2, ProxyFamily.TCP4, CLIENT, TARGET, [ProxyTlv(2, b"mx.hamburger.edu")], checksum=True)
VERSIONS = pytest.mark.parametrize("header", [TEXT, BINARY], ids=["text", "binary"])


class Seer(Keeper):
    """A handler that notes who the client is."""

    def __init__(self) -> None:
        super().__init__()
        self.peers: list[Any] = []
        self.headers: list[ProxyHeader | None] = []

    def connected(self, session: Served) -> None:
        self.peers.append(session.peer)
        self.headers.append(session.proxy)
        super().connected(session)


@contextmanager
def connected(address: tuple[str, int], *parts: bytes, pause: float = 0.0) -> Iterator[socket.socket]:
    with socket.create_connection(address, PATIENCE) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            sock.sendall(part)
            time.sleep(pause)
        yield sock


def all_of(sock: socket.socket) -> bytes:
    data = b""
    try:
        while more := sock.recv(65_536):
            data += more
    except ConnectionResetError:
        pass
    return data


@EVERY_SERVER
@VERSIONS
def test_the_client_is_who_the_proxy_says(adapter: str, header: ProxyHeader) -> None:
    handler = Seer()
    octets = bytes(header)
    ways = [
        ([octets], 0.0),
        ([octets + b"EHLO crepes.fr\r\nQUIT\r\n"], 0.0),
        ([octets[:7], octets[7:20], octets[20:] + b"NO", b"OP\r\nQUIT\r\n"], 0.02),
        ([bytes((octet,)) for octet in octets], 0.001),
    ]
    with serving(adapter, handler, proxy_from=FROM_HERE) as server:
        for parts, pause in ways:
            with connected(server.address, *parts, pause=pause) as sock:
                if not parts[-1].endswith(b"QUIT\r\n"):
                    sock.sendall(b"QUIT\r\n")
                said = all_of(sock)
                assert said.startswith(b"220 ")
                assert b"\r\n221 " in said
                assert b"\r\n5" not in said
    assert handler.peers == [CLIENT] * len(ways)
    assert handler.headers == [header] * len(ways)


@EVERY_SERVER
@pytest.mark.parametrize("header", [LOCAL, ProxyHeader(1)], ids=["local", "unknown"])
def test_where_it_names_nobody_the_connection_counts(adapter: str, header: ProxyHeader) -> None:
    handler = Seer()
    with serving(adapter, handler, proxy_from=FROM_HERE) as server, connected(server.address, bytes(header)) as sock:
        sock.sendall(b"QUIT\r\n")
        all_of(sock)
        here = sock.getsockname()
    assert handler.peers == [here]
    assert handler.headers == [header]


@EVERY_SERVER
@VERSIONS
@pytest.mark.parametrize("together", [True, False])
def test_over_tls_the_header_comes_in_the_clear(
    adapter: str, header: ProxyHeader, together: bool, certificates: Any
) -> None:
    """Also where it comes in one packet with the beginning of the handshake."""
    handler = Seer()
    options: Any = {"tls": "implicit", "ssl_context": certificates.server, "proxy_from": FROM_HERE}
    with serving(adapter, handler, **options) as server, connected(server.address) as sock:
        inbox, outbox = ssl.MemoryBIO(), ssl.MemoryBIO()
        secured = certificates.trusting.wrap_bio(inbox, outbox, server_hostname="localhost")
        with pytest.raises(ssl.SSLWantReadError):
            secured.do_handshake()
        for part in [bytes(header) + outbox.read()] if together else [bytes(header), outbox.read()]:
            sock.sendall(part)
            time.sleep(0.02)
        said = b""
        secret = b"EHLO crepes.fr\r\nQUIT\r\n"
        done = False
        while b"\r\n221 " not in said:
            data = sock.recv(65_536)
            assert data, said
            inbox.write(data)
            try:
                if not done:
                    secured.do_handshake()
                    done = True
                    secured.write(secret)
                while b"\r\n221 " not in said:
                    said += secured.read(65_536)
            except ssl.SSLWantReadError:
                pass
            if outbox.pending:
                sock.sendall(outbox.read())
        assert said.startswith(b"220 ")
    assert handler.peers == [CLIENT]


@EVERY_SERVER
def test_starttls_behind_a_proxy(adapter: str, certificates: Any) -> None:
    handler = Seer()
    options: Any = {"tls": "required", "ssl_context": certificates.server, "proxy_from": FROM_HERE}
    with serving(adapter, handler, **options) as server, connected(server.address, bytes(BINARY)) as sock:
        assert sock.recv(1000).startswith(b"220 ")
        sock.sendall(b"EHLO crepes.fr\r\n")
        assert b"STARTTLS" in sock.recv(1000)
        sock.sendall(b"STARTTLS\r\n")
        assert sock.recv(1000).startswith(b"220 ")
        with certificates.trusting.wrap_socket(sock, server_hostname="localhost") as secured:
            secured.sendall(b"EHLO crepes.fr\r\nQUIT\r\n")
            assert b"221 " in all_of(secured)
    assert handler.peers == [CLIENT]


@EVERY_SERVER
@pytest.mark.parametrize(
    "octets",
    [
        b"EHLO crepes.fr\r\nMAIL FROM:<a@b>\r\n",
        b"PROXY TCP4 1.2.3.4\r\nEHLO a\r\n",
        b"\x16\x03\x01\0\x05\x01",
        b"\r\n\r\nQ",
    ],
)
def test_a_proxy_that_says_none_is_cut(adapter: str, octets: bytes) -> None:
    handler = Seer()
    with serving(adapter, handler, proxy_from=FROM_HERE, fails=True) as server:
        with connected(server.address, octets) as sock:
            assert all_of(sock) == b""
        with connected(server.address, bytes(TEXT) + b"QUIT\r\n") as sock:
            assert b"221 " in all_of(sock)
    assert [type(error) for error in server.reported] == [RemoteProtocolError]
    assert handler.peers == [CLIENT]


@EVERY_SERVER
def test_a_proxy_that_only_looks_is_not_reported(adapter: str) -> None:
    handler = Seer()
    with serving(adapter, handler, proxy_from=FROM_HERE) as server:
        for part in (b"", b"PROXY "):
            with connected(server.address, part) as sock:
                sock.shutdown(socket.SHUT_WR)
                assert all_of(sock) == b""
    assert handler.events == []


@EVERY_SERVER
def test_a_proxy_that_takes_its_time_is_cut(adapter: str) -> None:
    handler = Seer()
    with serving(adapter, handler, proxy_from=FROM_HERE, timeout=0.3) as server:
        begun = time.monotonic()
        with connected(server.address) as sock:
            sock.settimeout(0.05)
            said = None
            for _ in range(40):
                try:
                    sock.sendall(b"P" if said is None else b"")  # no octet puts it off
                    said = sock.recv(100)
                    break
                except TimeoutError:
                    said = b"" if said is None else said
                except OSError:
                    break
        assert 0.2 < time.monotonic() - begun < 2
    assert handler.events == []


@EVERY_SERVER
def test_from_others_none_is_read(adapter: str) -> None:
    """A PROXY line of a stranger is a bad command."""
    handler = Seer()
    with serving(adapter, handler, proxy_from=["192.0.2.0/24", "::1", "unix:"]) as server:
        with connected(server.address, bytes(TEXT) + b"QUIT\r\n") as sock:
            here, said = sock.getsockname(), all_of(sock)
        assert said.startswith(b"220 ")
        assert b"\r\n500 " in said
        assert b"\r\n221 " in said
    assert handler.peers == [here]
    assert handler.headers == [None]


@EVERY_SERVER
def test_without_proxies_none_is_read(adapter: str) -> None:
    handler = Seer()
    with serving(adapter, handler) as server, connected(server.address, bytes(TEXT) + b"QUIT\r\n") as sock:
        assert b"\r\n500 " in all_of(sock)
    assert handler.headers == [None]


@EVERY_SERVER
def test_a_unix_socket_may_be_a_proxys(adapter: str, tmp_path: Any) -> None:
    handler = Seer()
    path = str(tmp_path / "smtp")
    with (
        serving(adapter, handler, host=f"unix:{path}", proxy_from=["unix:"]),
        socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock,
    ):
        sock.connect(path)
        sock.sendall(bytes(BINARY) + b"QUIT\r\n")
        assert b"221 " in all_of(sock)
    assert handler.peers == [CLIENT]


@EVERY_SERVER
def test_stopping_does_not_wait_for_a_header(adapter: str) -> None:
    handler = Seer()
    with serving(adapter, handler, proxy_from=FROM_HERE) as server, connected(server.address, b"PROXY ") as sock:
        time.sleep(0.05)
        begun = time.monotonic()
        server.stop()
        assert all_of(sock) == b""
        server.join()
        assert time.monotonic() - begun < 2
    assert handler.events == []


@EVERY_SERVER
def test_the_limit_of_connections_counts_them(adapter: str) -> None:
    with serving(adapter, Seer(), proxy_from=FROM_HERE, max_connections=1) as server, connected(server.address, b"PR"):
        time.sleep(0.05)
        with connected(server.address, bytes(TEXT)) as sock:
            assert b"too many connections" in all_of(sock)


# --- who is believed -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "believed"),
    [
        ("127.0.0.1", True),
        ("127.0.0.2", False),
        ("10.255.255.255", True),
        ("11.0.0.0", False),
        ("::ffff:10.1.2.3", True),
        ("2001:db8::5", True),
        ("2001:db9::5", False),
        ("fe80::1%eth0", True),
    ],
)
def test_who_is_believed(host: str, believed: bool) -> None:
    proxies = Proxies(["127.0.0.1", "10.0.0.0/8", "2001:db8::/32", "fe80::1"])
    assert ((host, 4711) in proxies) is believed
    assert ((host, 4711, 0, 0) in proxies) is believed
    assert "" not in proxies
    assert None not in proxies


def test_nobody_is_believed_unasked() -> None:
    assert not Proxies()
    assert ("127.0.0.1", 1) not in Proxies()
    assert ("127.0.0.1", 1) not in Proxies(["unix:"])
    assert "" in Proxies(["unix:"])
    assert Proxies(["unix:"])


@pytest.mark.parametrize("name", ["localhost", "10.0.0.1/8", "", "10.0.0.0/33", "10.0.0"])
def test_networks_that_are_none(name: str) -> None:
    with pytest.raises(ValueError, match=r"does not appear|has host bits"):
        smtp.serve(object(), "127.0.0.1", proxy_from=[name])


def test_one_text_is_not_several() -> None:
    with pytest.raises(TypeError):
        Proxies("127.0.0.1")


# --- loops that read as they like ------------------------------------------------------------------


class _Transport(asyncio.Transport):
    """As much of a transport as a connection asks for."""

    def __init__(self, peer: Any) -> None:
        super().__init__({"peername": peer})
        self.written = b""
        self.aborted = False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        pass

    def write(self, data: Any) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.aborted

    def pause_reading(self) -> None:
        pass

    def close(self) -> None:
        self.aborted = True

    abort = close


@pytest.mark.parametrize("tls", ["none", "implicit"])
def test_octets_that_come_to_the_wrong_one(tls: Any, certificates: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop of Windows goes on to feed the protocol that it has begun to feed."""
    from smtpcore.adapters.asyncio import serve

    async def endless(*args: object, **options: object) -> None:
        await asyncio.sleep(60)

    async def main() -> tuple[bytes, bool, list[Any]]:
        loop = asyncio.get_running_loop()
        reported: list[Any] = []
        loop.set_exception_handler(lambda _, context: reported.append(context["exception"]))
        monkeypatch.setattr(loop, "start_tls", endless)
        context = certificates.server if tls == "implicit" else None
        async with serve(object(), "127.0.0.1", 0, tls=tls, ssl_context=context, proxy_from=FROM_HERE) as server:
            transport = _Transport(("127.0.0.1", 1))
            front = Front(server)
            front.connection_made(transport)
            data = bytes(TEXT) + b"NOOP\r\nQUIT\r\n"
            while data:
                view = front.get_buffer(len(data))
                count = min(len(view), len(data))
                view[:count] = data[:count]
                front.buffer_updated(count)
                data = data[count:]
                if transport.aborted:
                    break
            for connection in list(server.connections):
                server.connections.discard(connection)
        return transport.written, transport.aborted, reported

    written, aborted, reported = asyncio.run(main())
    assert aborted
    if tls == "none":
        assert written.startswith(b"220 ")
        assert b"250 " in written
        assert b"221 " in written
        assert not reported
    else:
        assert written == b""
        assert [type(each) for each in reported[:1]] == [RuntimeError]
