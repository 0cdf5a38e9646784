"""Server objects by themselves: before they listen, behind that, and where the system plays tricks."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from smtpcore.adapters import asyncio_connection, blocking
from smtpcore.adapters.listening import Listening
from smtpcore.flows.handler import Served
from smtpcore.sasl import Channel
from tests.adapters.running import Keeper, Raw, over_asyncio, over_blocking, serving, welcome

# --- asyncio -------------------------------------------------------------------------------------


def test_an_asyncio_server_that_does_not_listen():
    async def main() -> None:
        server = over_asyncio.serve(object(), "127.0.0.1", 0)
        with pytest.raises(RuntimeError):
            server.address  # noqa: B018 - that it cannot be asked for is what is tested
        with pytest.raises(RuntimeError):
            await server.serve_forever()
        await server.close()
        async with server:
            assert server.address[1] > 0
            serving = asyncio.create_task(server.serve_forever())
            await asyncio.sleep(0)
            await server.close(0.1)
            await asyncio.wait_for(serving, 1.0)
        await server.close()

    asyncio.run(main())


class FakeTransport(asyncio.Transport):
    """One whose peer takes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.written = b""
        self.on_write: Callable[[], None] | None = None  # done once

    def write(self, data: Any) -> None:
        self.written += bytes(data)
        if self.on_write is not None:
            self.on_write()
            self.on_write = None

    def get_write_buffer_size(self) -> int:
        return len(self.written)

    def is_closing(self) -> bool:
        return "close" in self.calls or "abort" in self.calls

    def close(self) -> None:
        self.calls.append("close")

    def abort(self) -> None:
        self.calls.append("abort")

    def pause_reading(self) -> None:
        self.calls.append("pause")

    def resume_reading(self) -> None:
        self.calls.append("resume")


def connection(server: Any) -> tuple[Any, FakeTransport]:
    made = asyncio_connection.Connection(server)
    transport = FakeTransport()
    made.connection_made(transport)
    return made, transport


def test_a_last_reply_that_nobody_takes_is_not_waited_for_without_end():
    async def main() -> None:
        async with over_asyncio.serve(object(), "127.0.0.1", 0, timeout=0.05, grace=0.1) as server:
            made, transport = connection(server)
            made.data_received(b"QUIT\r\n")
            assert transport.written.endswith(b"221 2.0.0 closing connection\r\n") or b"221 " in transport.written
            assert transport.calls == ["close"]
            await asyncio.sleep(0.1)
            assert transport.calls == ["close", "abort"]
            made.connection_lost(None)
            assert not server.connections

    asyncio.run(main())


def test_a_connection_that_lingers_is_cut_when_the_server_stops():
    async def main() -> None:
        server = over_asyncio.serve(object(), "127.0.0.1", 0, timeout=60.0, grace=5.0)
        async with server:
            made, transport = connection(server)
            made.data_received(b"QUIT\r\n")
            begun = time.monotonic()
            asyncio.get_running_loop().call_later(0.1, made.connection_lost, None)
        assert time.monotonic() - begun < 3.0
        assert not server.connections
        assert transport.calls[0] == "close"

    asyncio.run(main())


def held(server: Any, *, within: bool) -> tuple[Any, FakeTransport]:
    """A connection whose client does not take an answer, as is known within its write, or at the end of a step."""
    made, transport = connection(server)
    if within:
        transport.on_write = made.pause_writing
    made.data_received(b"NOOP\r\n")
    if not within:
        made.pause_writing()
    return made, transport


HELD = pytest.mark.parametrize("within", [True, False], ids=["within-write", "behind-it"])


@HELD
def test_input_that_comes_while_the_output_waits_is_kept_in_order(within):
    """What the kernel had handed over already, when reading was paused: in a write, or at the end of a step."""

    async def main() -> None:
        async with over_asyncio.serve(object(), "127.0.0.1", 0, grace=0.1) as server:
            made, transport = held(server, within=within)
            assert transport.calls == ["pause"]
            made.data_received(b"HELP\r\n")
            made.data_received(b"QU")
            made.data_received(b"IT\r\n")
            assert transport.written.endswith(b"250 ok\r\n")
            transport.written = b""
            made.resume_writing()
            assert transport.written == b"214 see RFC 5321\r\n221 closing connection\r\n"
            assert transport.calls == ["pause", "resume", "close"]
            made.connection_lost(None)

    asyncio.run(main())


@HELD
def test_a_client_that_takes_its_output_when_the_server_stops_is_told(within):
    async def main() -> None:
        async with over_asyncio.serve(object(), "127.0.0.1", 0, grace=5.0) as server:
            made, transport = held(server, within=within)
            stopping = asyncio.create_task(server.close())
            await asyncio.sleep(0.01)
            assert transport.written.endswith(b"250 ok\r\n")
            made.resume_writing()
            assert transport.written.endswith(b"250 ok\r\n421 service shutting down\r\n")
            assert transport.calls == ["pause", "resume", "close"]
            made.connection_lost(None)
            await asyncio.wait_for(stopping, 1.0)

    asyncio.run(main())


@HELD
def test_the_deadline_of_a_read_goes_on_behind_output_that_waited(within):
    """It does not run while our side waits for the output to be taken, and what is left of it counts then."""

    async def main() -> None:
        async with over_asyncio.serve(object(), "127.0.0.1", 0, timeout=0.2, grace=0.1) as server:
            made, transport = held(server, within=within)
            await asyncio.sleep(0.1)
            made.resume_writing()
            await asyncio.sleep(0.15)
            assert b"421" not in transport.written
            await asyncio.sleep(0.15)
            assert transport.written.count(b"421") == 1
            made.connection_lost(None)

    asyncio.run(main())


def test_the_end_of_the_input_that_comes_while_the_output_waits():
    """What came before it is answered, and then it is the end."""

    async def main() -> None:
        async with over_asyncio.serve(object(), "127.0.0.1", 0, grace=0.1) as server:
            made, transport = connection(server)
            made.pause_writing()
            made.data_received(b"NOOP\r\n")
            assert made.eof_received()
            transport.written = b""
            made.resume_writing()
            assert transport.written == b"250 ok\r\n"
            assert transport.calls == ["pause", "resume", "close"]
            made.connection_lost(None)
            assert not server.connections

    asyncio.run(main())


def test_a_connection_that_is_lost_while_its_output_waits():
    async def main() -> None:
        async with over_asyncio.serve(object(), "127.0.0.1", 0, grace=0.1) as server:
            made, transport = connection(server)
            made.data_received(b"NOOP\r\n")
            made.pause_writing()
            made.connection_lost(ConnectionResetError())
            assert not server.connections
            made.pause_writing()
            made.resume_writing()
            assert b"421" not in transport.written

    asyncio.run(main())


class HurriedLoop(asyncio.SelectorEventLoop):
    """A loop with a clock of its own, which goes ten times as fast."""

    asked = 0

    def time(self) -> float:
        self.asked += 1
        return time.monotonic() * 10


def test_the_time_is_that_of_the_loop():
    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        async with over_asyncio.serve(object(), "127.0.0.1", 0, timeout=2.0, grace=0.1) as server:
            made, transport = connection(server)
            made.data_received(b"NOOP\r\n")
            begun, asked = time.monotonic(), loop.asked
            while b"421" not in transport.written and time.monotonic() < begun + 1.5:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.05)
            assert transport.written.endswith(b"421 timeout exceeded\r\n")
            assert time.monotonic() - begun >= 0.1
            assert loop.asked < asked + 1000, "the timer is set again and again"
            made.connection_lost(None)

    with asyncio.Runner(loop_factory=HurriedLoop) as runner:
        runner.run(main())


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="no list of open files on this system")
def test_a_server_leaves_no_file_open():
    async def main() -> None:
        counts = []
        for _ in range(4):
            async with over_asyncio.serve(object(), "127.0.0.1", 0, grace=0.1) as server:
                reader, writer = await asyncio.open_connection(*server.address)
                assert (await reader.readline()).startswith(b"220")
            writer.close()
            await writer.wait_closed()
            gc.collect()
            counts.append(len(os.listdir("/proc/self/fd")))
        assert len(set(counts)) == 1

    asyncio.run(main())


def test_a_port_that_is_taken_while_the_server_begins(monkeypatch):
    """Between its bind() and its listen(), which the system finds out then; no socket is left open."""
    made: list[socket.socket] = []

    def listen(sock: socket.socket, backlog: int = 0) -> None:
        made.append(sock)
        raise OSError(98, "Address already in use")

    async def main() -> None:
        monkeypatch.setattr(socket.socket, "listen", listen)
        with pytest.raises(OSError, match="already in use"):
            async with over_asyncio.serve(object(), "127.0.0.1", 0):
                pass
        assert [sock.fileno() for sock in made] == [-1]

    asyncio.run(main())


def test_the_time_for_taking_the_output_begins_when_there_is_some():
    async def main() -> None:
        async with over_asyncio.serve(object(), "127.0.0.1", 0, timeout=0.3, grace=0.1) as server:
            made, transport = connection(server)
            await asyncio.sleep(0.2)
            made.pause_writing()
            made.data_received(b"NOOP\r\n")
            await asyncio.sleep(0.2)
            assert transport.calls == ["pause"]
            await asyncio.sleep(0.2)
            assert transport.calls == ["pause", "abort"]
            made.connection_lost(None)

    asyncio.run(main())


def test_the_output_of_a_lost_connection_is_not_waited_for():
    handler = Keeper()

    async def main() -> None:
        async with over_asyncio.serve(handler, "127.0.0.1", 0, grace=0.1) as server:
            made, _ = connection(server)
            made.pause_writing()
            made.data_received(b"NOOP\r\n")
            made.connection_lost(ConnectionResetError())
            assert not server.connections
            made.resume_writing()

    asyncio.run(main())
    assert handler.events == ["connected", "closed"]


def test_a_handler_that_was_cancelled_before_it_began():
    """Data and the end of the server in one turn of the loop: nothing is left, and nothing warns."""
    calls: list[str] = []

    class Async:
        async def command(self, session: Served, command: Any) -> None:
            calls.append("command")

        def closed(self, session: Served) -> None:
            calls.append("closed")

    async def main() -> None:
        server = over_asyncio.serve(Async(), "127.0.0.1", 0)
        async with server:
            made, transport = connection(server)
            made.data_received(b"NOOP\r\n")
            await server.close(0.0)
            assert not server.connections or transport.calls
            made.connection_lost(None)
        assert not server.connections

    asyncio.run(main())
    assert calls in (["closed"], ["command", "closed"])


@pytest.mark.parametrize("fails", [False, True], ids=["done", "fails"])
@pytest.mark.parametrize("waits", [True, False], ids=["later", "at-once"])
def test_implicit_tls_begins_before_anything_can_be_read(monkeypatch, certificates, fails, waits):
    """Not in a task that begins later: a loop may read before that, and what it read would be lost to TLS."""
    begun: list[Any] = []

    async def start_tls(transport: Any, protocol: Any, context: Any, **options: Any) -> Any:
        begun.append(transport)
        if waits:
            await asyncio.sleep(0)
        if fails:
            raise OSError("no handshake")
        return FakeTransport()

    async def main() -> None:
        options = {"tls": "implicit", "ssl_context": certificates.server, "grace": 0.1}
        async with over_asyncio.serve(object(), "127.0.0.1", 0, **options) as server:
            monkeypatch.setattr(server.loop, "start_tls", start_tls)
            monkeypatch.setattr(asyncio_connection, "channel_of", lambda secured, certificate: Channel())
            made = asyncio_connection.Connection(server)
            transport = FakeTransport()
            made.connection_made(transport)
            assert begun == [transport]
            for _ in range(5):
                await asyncio.sleep(0)
            if fails:
                assert transport.calls == ["abort"]
                assert not server.connections
            else:
                encrypted: Any = made._transport
                assert encrypted.written.startswith(b"220 ")
                made.connection_lost(None)

    asyncio.run(main())


@pytest.mark.parametrize("tls", ["opportunistic", "implicit"])
def test_a_connection_that_is_lost_just_behind_its_handshake(monkeypatch, certificates, tls):
    """It hears of that before its own task hears that the handshake is done, and keeps no place on the server."""

    async def start_tls(transport: Any, protocol: Any, context: Any, **options: Any) -> Any:
        await asyncio.sleep(0)
        made = FakeTransport()
        made.close()
        protocol.connection_lost(ConnectionResetError())
        return made

    async def main() -> None:
        async with over_asyncio.serve(
            object(), "127.0.0.1", 0, tls=tls, ssl_context=certificates.server, grace=0.1
        ) as server:
            monkeypatch.setattr(server.loop, "start_tls", start_tls)
            monkeypatch.setattr(asyncio_connection, "channel_of", lambda secured, certificate: Channel())
            made, _ = connection(server)
            if tls == "opportunistic":
                made.data_received(b"EHLO crepes.fr\r\nSTARTTLS\r\n")
            assert server.connections
            for _ in range(5):
                await asyncio.sleep(0)
            assert not server.connections
            assert made._flow is None

    asyncio.run(main())


def test_an_error_of_the_script_itself_is_reported_and_ends_the_connection():
    reported: list[Any] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["exception"]))
        async with over_asyncio.serve(object(), "127.0.0.1", 0, grace=0.1) as server:
            made, transport = connection(server)

            def broken() -> Any:
                raise ZeroDivisionError("in the script")
                yield

            made._flow = broken()
            made._waiting = False
            made._advance(None)
            assert transport.calls == ["close"]
            made.connection_lost(None)

    asyncio.run(main())
    assert [type(error) for error in reported] == [ZeroDivisionError]


# --- blocking ------------------------------------------------------------------------------------


def test_a_blocking_server_that_does_not_listen():
    server = over_blocking.serve(object(), "127.0.0.1", 0)
    with pytest.raises(RuntimeError):
        server.address  # noqa: B018 - that it cannot be asked for is what is tested
    with pytest.raises(RuntimeError):
        server.serve_forever()
    server.close()
    with server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        server.close(0.1)
        thread.join(5.0)
        assert not thread.is_alive()


def test_a_port_that_is_taken_leaves_nothing_open():
    taken = socket.create_server(("127.0.0.1", 0))
    with taken, pytest.raises(OSError), over_blocking.serve(object(), *taken.getsockname()):
        pass


def test_an_accept_that_fails_does_not_end_the_server(monkeypatch):
    """No handle left, say: there are some again later."""
    monkeypatch.setattr(blocking, "PAUSE", 0.01)

    class Failing:
        def __init__(self, listener: Any) -> None:
            self._listener = listener
            self.failures = 3

        def __getattr__(self, name: str) -> Any:
            return getattr(self._listener, name)

        def accept(self) -> Any:
            if self.failures:
                self.failures -= 1
                raise OSError(24, "too many open files")
            return self._listener.accept()

    server = over_blocking.serve(Keeper(), "127.0.0.1", 0)
    real = socket.create_server
    monkeypatch.setattr(socket, "create_server", lambda *args, **options: Failing(real(*args, **options)))
    with server, Raw(server.address) as raw:
        assert raw.ask(b"NOOP\r\n")[0].startswith(b"250")


def test_a_thread_that_cannot_start_costs_one_connection(monkeypatch):
    real = threading.Thread.start
    refused: list[str] = []

    def start(thread: threading.Thread) -> None:
        if thread.name.startswith("smtp-(") and not refused:
            refused.append(thread.name)
            raise RuntimeError("can't start new thread")
        real(thread)

    monkeypatch.setattr(threading.Thread, "start", start)
    with serving("blocking", Keeper(), max_connections=1) as server:
        with Raw(server.address, greeted=False) as raw:
            assert raw.rest() == b""
        with welcome(server.address) as raw:
            assert raw.ask(b"NOOP\r\n")[0].startswith(b"250")
    assert len(refused) == 1


# --- all of them ---------------------------------------------------------------------------------


def test_a_listening_of_ones_own_says_where_errors_go():
    class Own(Listening):
        def __init__(self) -> None:
            super().__init__(object(), "127.0.0.1", 0)

    with pytest.raises(NotImplementedError):
        Own().control.report(ValueError())


@pytest.mark.parametrize("serve", [over_asyncio.serve, over_blocking.serve], ids=["asyncio", "blocking"])
def test_what_a_server_cannot_be_asked_for(serve):
    for options in ({"tls": "required"}, {"tls": "implicit"}, {"hostname": "no name"}):
        with pytest.raises(ValueError):
            serve(object(), "127.0.0.1", 0, **options)


def test_a_name_with_several_addresses_has_one_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Port 0 is one free port, not one for each address of the name."""
    both = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.2", 0)),
    ]

    async def main() -> None:
        loop = asyncio.get_running_loop()

        async def resolve(host: str, port: int, **options: object) -> list[Any]:
            return [(*entry[:4], (entry[4][0], port)) for entry in both]

        monkeypatch.setattr(loop, "getaddrinfo", resolve)
        async with over_asyncio.serve(object(), "somewhere", 0) as server:
            listener = server._listener
            assert listener is not None
            names = [each.getsockname() for each in listener.sockets]
            assert {name[0] for name in names} == {"127.0.0.1", "127.0.0.2"}
            assert {name[1] for name in names} == {server.address[1]}

    asyncio.run(main())
