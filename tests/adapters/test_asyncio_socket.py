"""The transport over a plain socket does what asyncio's own does: each case runs on both."""

from __future__ import annotations

import asyncio
import gc
import select
import socket
import struct
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from smtpcore.adapters.asyncio_acceptor import Acceptor
from smtpcore.adapters.asyncio_socket import SocketTransport
from smtpcore.adapters.asyncio_watch import EpollWatch, LoopWatch, Watch, watch

Make = Callable[[socket.socket, asyncio.Protocol], Awaitable[asyncio.Transport]]


class Recorder(asyncio.Protocol):
    """What a transport says, in its order."""

    def __init__(self, *, stays: bool = True) -> None:
        self.heard: list[Any] = []
        self.data = b""
        self.stays = stays
        self.over = False
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.heard.append("made")

    def data_received(self, data: bytes) -> None:
        assert type(data) is bytes
        self.data += data

    def eof_received(self) -> bool:
        self.heard.append("eof")
        return self.stays

    def pause_writing(self) -> None:
        self.heard.append("pause")

    def resume_writing(self) -> None:
        self.heard.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.over = True
        self.heard.append("lost" if exc is None else type(exc))


WATCHES: list[EpollWatch] = []  # of the present test


async def ours(sock: socket.socket, protocol: asyncio.Protocol) -> asyncio.Transport:
    loop = asyncio.get_running_loop()
    return SocketTransport(loop, LoopWatch(loop), sock, "peer", protocol)


async def watched(sock: socket.socket, protocol: asyncio.Protocol) -> asyncio.Transport:
    loop = asyncio.get_running_loop()
    watch = EpollWatch(loop)
    WATCHES.append(watch)
    return SocketTransport(loop, watch, sock, "peer", protocol)


async def theirs(sock: socket.socket, protocol: asyncio.Protocol) -> asyncio.Transport:
    transport, _ = await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, sock)
    return transport


async def so(condition: Callable[[], object]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.002)


WITH_EPOLL = pytest.mark.skipif(not hasattr(select, "epoll"), reason="no epoll on this system")
OURS = [pytest.param(ours, id="loop"), pytest.param(watched, id="epoll", marks=WITH_EPOLL)]
EVERY_WATCH = pytest.mark.parametrize("make", [LoopWatch, pytest.param(EpollWatch, marks=WITH_EPOLL)])
EACH_OF_OURS = pytest.mark.parametrize("make", OURS)
BOTH = pytest.mark.parametrize("make", [*OURS, pytest.param(theirs, id="asyncio")])


def pair() -> tuple[socket.socket, socket.socket]:
    """Two ends over TCP, with small buffers; neither blocks."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        here = socket.create_connection(listener.getsockname())
        there, _ = listener.accept()
    for each in (here, there):
        each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 131_072)
        each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 131_072)
        each.setblocking(False)
    return here, there


def run(case: Callable[..., Coroutine[Any, Any, None]], make: Make, *, stays: bool = True) -> None:
    """Run a case with a transport on one end, and the other end in hand; nothing is left behind."""

    async def main() -> None:
        here, there = pair()
        protocol = Recorder(stays=stays)
        with here:
            transport = await make(there, protocol)
            try:
                await case(here, transport, protocol)
            finally:
                if not protocol.over:
                    transport.abort()
                    await so(lambda: protocol.over)
                while WATCHES:
                    WATCHES.pop().close()
        assert there.fileno() == -1
        gc.collect()

    asyncio.run(main())


async def drain(sock: socket.socket, size: int) -> bytes:
    """That many octets, or all there are before the end."""
    loop, found = asyncio.get_running_loop(), b""
    while len(found) < size and (data := await loop.sock_recv(sock, 65536)):
        found += data
    return found


@BOTH
def test_octets_go_both_ways(make):
    async def case(here: socket.socket, transport: asyncio.Transport, protocol: Recorder) -> None:
        assert protocol.heard == ["made"]
        assert transport.is_reading()
        here.send(b"one")
        await so(lambda: protocol.data == b"one")
        transport.write(b"two")
        transport.write(bytearray(b"three"))
        transport.write(memoryview(b"four"))
        assert await drain(here, 12) == b"twothreefour"
        assert transport.get_write_buffer_size() == 0

    run(case, make)


@BOTH
def test_nothing_is_read_in_a_pause(make):
    async def case(here: socket.socket, transport: asyncio.Transport, protocol: Recorder) -> None:
        transport.pause_reading()
        transport.pause_reading()
        assert not transport.is_reading()
        here.send(b"later")
        await asyncio.sleep(0.05)
        assert protocol.data == b""
        transport.resume_reading()
        transport.resume_reading()
        await so(lambda: protocol.data == b"later")

    run(case, make)


@BOTH
@pytest.mark.parametrize("stays", [True, False])
def test_the_end_of_what_the_peer_sends(make, stays):
    """A protocol that stays may still write."""

    async def case(here: socket.socket, transport: asyncio.Transport, protocol: Recorder) -> None:
        here.send(b"last")
        here.shutdown(socket.SHUT_WR)
        await so(lambda: "eof" in protocol.heard)
        assert protocol.data == b"last"
        if stays:
            transport.write(b"reply")
            assert await drain(here, 5) == b"reply"
            assert protocol.heard == ["made", "eof"]
        else:
            assert transport.is_closing()
            await so(lambda: protocol.heard == ["made", "eof", "lost"])

    run(case, make, stays=stays)


@EACH_OF_OURS
def test_the_end_is_heard_once_whatever_is_paused_behind_it(make):
    async def case(here: socket.socket, transport: asyncio.Transport, protocol: Recorder) -> None:
        here.shutdown(socket.SHUT_WR)
        await so(lambda: "eof" in protocol.heard)
        assert not transport.is_reading()
        transport.pause_reading()
        transport.resume_reading()
        await asyncio.sleep(0.05)
        assert protocol.heard == ["made", "eof"]

    run(case, make)


@BOTH
def test_a_peer_that_takes_nothing(make):
    """What it does not take waits, in order; the protocol hears when that is much, and when it is little again."""
    piece = bytes(range(256)) * 64  # 16 KiB
    count = 400

    async def case(here: socket.socket, transport: asyncio.Transport, protocol: Recorder) -> None:
        for _ in range(count):
            transport.write(piece)
        assert "pause" in protocol.heard
        waits = transport.get_write_buffer_size()
        assert 65_536 < waits < count * len(piece)
        assert await drain(here, count * len(piece)) == piece * count
        await so(lambda: protocol.heard[-1] == "resume")
        assert transport.get_write_buffer_size() == 0
        assert protocol.heard.count("resume") == 1
        transport.write(b"more")
        assert await drain(here, 4) == b"more"

    run(case, make)


@EACH_OF_OURS
def test_a_pause_is_not_ended_before_the_octets_that_wait_are_few(make):
    async def case(here: socket.socket, transport: asyncio.Transport, protocol: Recorder) -> None:
        sizes: list[int] = []

        def resumed() -> None:
            sizes.append(transport.get_write_buffer_size())

        protocol.resume_writing = resumed  # type: ignore[method-assign]  # what is heard is looked at in that moment
        for _ in range(400):
            transport.write(bytes(16_384))
        assert protocol.heard == ["made", *["pause"] * protocol.heard.count("pause")]
        await drain(here, 400 * 16_384)
        await so(lambda: sizes)
        assert len(sizes) == 1
        assert sizes[0] <= 16_384

    run(case, make)


@BOTH
def test_what_waits_is_written_before_the_end(make):
    async def case(here: socket.socket, transport: asyncio.Transport, protocol: Recorder) -> None:
        transport.write(bytes(4_000_000))
        transport.write(b"end")
        transport.close()
        transport.close()
        if make is not theirs:  # asyncio's takes it still
            transport.write(b"dropped")
        assert transport.is_closing()
        assert not transport.is_reading()
        await asyncio.sleep(0.02)
        assert "lost" not in protocol.heard
        found = await drain(here, 5_000_000)
        assert len(found) == 4_000_003
        assert found.endswith(b"end")
        await so(lambda: protocol.heard[-1] == "lost")
        assert protocol.heard.count("lost") == 1

    run(case, make)


@BOTH
def test_closed_at_once_and_not_within_the_step(make):
    async def case(here: socket.socket, transport: asyncio.Transport, protocol: Recorder) -> None:
        transport.write(b"bye")
        transport.close()
        assert protocol.heard == ["made"]
        transport.resume_reading()
        assert not transport.is_reading()
        transport.abort()
        assert await drain(here, 10) == b"bye"
        await so(lambda: protocol.heard == ["made", "lost"])
        await asyncio.sleep(0.01)
        assert protocol.heard == ["made", "lost"]

    run(case, make)


@BOTH
def test_cut_off(make):
    async def case(here: socket.socket, transport: asyncio.Transport, protocol: Recorder) -> None:
        transport.write(bytes(4_000_000))
        transport.abort()
        assert transport.get_write_buffer_size() == 0
        await so(lambda: protocol.heard[-1] == "lost")
        assert len(await drain(here, 5_000_000)) < 4_000_000

    run(case, make)


@BOTH
@pytest.mark.parametrize("waits", [False, True], ids=["reads", "writes"])
def test_a_peer_that_has_gone(make, waits):
    async def case(here: socket.socket, transport: asyncio.Transport, protocol: Recorder) -> None:
        if waits:
            transport.pause_reading()
            transport.write(bytes(4_000_000))
        here.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        here.close()
        await so(lambda: protocol.heard[-1] in {ConnectionResetError, BrokenPipeError})
        transport.write(b"nobody")
        assert transport.is_closing()
        assert protocol.heard.count("lost") == 0

    run(case, make)


@BOTH
def test_a_write_to_a_peer_that_has_gone(make):
    """The failure is heard a step later, not within the write."""

    async def case(here: socket.socket, transport: asyncio.Transport, protocol: Recorder) -> None:
        transport.pause_reading()
        here.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        here.close()
        await asyncio.sleep(0.01)
        transport.write(b"x")
        transport.write(b"y")
        assert "lost" not in protocol.heard[1:]
        await so(lambda: protocol.heard[-1] in {ConnectionResetError, BrokenPipeError})
        assert len(protocol.heard) == 2

    run(case, make)


class Wavering(socket.socket):
    """One that says it is ready, and then is not, now and then."""

    wavers = 0

    def _waver(self) -> None:
        self.wavers += 1
        if self.wavers % 2:
            raise BlockingIOError

    def recv(self, size: int, flags: int = 0) -> bytes:
        self._waver()
        return super().recv(size, flags)

    def send(self, data: Any, flags: int = 0) -> int:
        self._waver()
        return super().send(data, flags)


class Narrow(socket.socket):
    """One that takes few octets at a time."""

    def send(self, data: Any, flags: int = 0) -> int:
        return super().send(memoryview(data)[:10_000], flags)


def test_a_protocol_goes_on_while_a_few_octets_still_wait():
    async def main() -> None:
        loop = asyncio.get_running_loop()
        here, there = pair()
        sizes: list[int] = []
        protocol = Recorder()
        transport = SocketTransport(loop, LoopWatch(loop), Narrow(fileno=there.detach()), None, protocol)

        def resumed() -> None:
            sizes.append(transport.get_write_buffer_size())

        protocol.resume_writing = resumed  # type: ignore[method-assign]  # what is heard is looked at in that moment
        transport.write(bytes(95_000))
        assert protocol.heard == ["made", "pause"]
        assert await drain(here, 95_000) == bytes(95_000)
        assert sizes == [15_000]
        transport.close()
        await so(lambda: protocol.over)
        here.close()

    asyncio.run(main())


def test_a_socket_that_is_not_ready_when_it_says_so():
    async def main() -> None:
        loop = asyncio.get_running_loop()
        here, there = pair()
        wavering = Wavering(fileno=there.detach())
        protocol = Recorder()
        transport = SocketTransport(loop, LoopWatch(loop), wavering, None, protocol)
        here.send(b"in")
        await so(lambda: protocol.data == b"in")
        for _ in range(300):
            transport.write(bytes(16_384))
        assert await drain(here, 300 * 16_384) == bytes(300 * 16_384)
        await so(lambda: protocol.heard[-1] == "resume")
        assert wavering.wavers > 4
        transport.close()
        await so(lambda: protocol.over)
        here.close()

    asyncio.run(main())


@EACH_OF_OURS
def test_who_the_peer_is(make):
    async def case(here: socket.socket, transport: asyncio.Transport, protocol: Recorder) -> None:
        assert transport.get_extra_info("peername") == "peer"
        assert transport.get_extra_info("sslcontext") is None

    run(case, make)


def test_a_socket_that_is_let_go_is_for_somebody_else():
    async def main() -> None:
        loop = asyncio.get_running_loop()
        here, there = pair()
        protocol = Recorder()
        transport = SocketTransport(loop, LoopWatch(loop), there, None, protocol)
        assert transport.detach() is there
        here.send(b"not for you")
        await asyncio.sleep(0.02)
        assert there.recv(100) == b"not for you"
        transport.abort()
        transport.close()
        transport.write(b"dropped")
        await asyncio.sleep(0.02)
        assert protocol.heard == ["made"]
        assert protocol.data == b""
        assert there.send(b"still open") == 10
        here.close()
        there.close()

    asyncio.run(main())


def test_a_socket_is_not_let_go_while_something_waits():
    async def main() -> None:
        loop = asyncio.get_running_loop()
        here, there = pair()
        protocol = Recorder()
        transport = SocketTransport(loop, LoopWatch(loop), there, None, protocol)
        transport.write(bytes(4_000_000))
        with pytest.raises(ConnectionError):
            transport.detach()
        assert len(await drain(here, 4_000_000)) == 4_000_000
        await so(lambda: not transport.get_write_buffer_size())
        transport.detach().close()
        here.close()

    asyncio.run(main())


# --- steps of many -------------------------------------------------------------------------------


class Echo(Recorder):
    """Says what it hears, and writes down when it does what."""

    def __init__(self, log: list[str], then: Callable[[Any], None]) -> None:
        super().__init__()
        self.log = log
        self.then = then

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self.log.append(f"read {data.decode()}")
        self.transport.write(data)
        self.transport.write(b"!")
        self.log.append(f"waits {self.transport.get_write_buffer_size()}")
        self.then(self)


def steps(count: int, then: Callable[[Any, list[Any]], None]) -> tuple[list[str], list[Echo], list[bytes]]:
    """So many connections that are ready in one step; what was done, and what each peer heard."""
    log: list[str] = []
    made: list[Echo] = []
    heard: list[bytes] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: log.append(f"said {context['exception']}"))
        watching = EpollWatch(loop)
        peers = []
        for number in range(count):
            here, there = pair()
            peers.append(here)
            made.append(Echo(log, lambda each: then(each, made)))
            SocketTransport(loop, watching, there, number, made[-1])
        for number, peer in enumerate(peers):
            peer.send(str(number).encode())
        await so(lambda: sum(len(each.data) or each.over for each in made) >= count)
        for each in made:
            each.transport.close()
        await so(lambda: all(each.over for each in made))
        for peer in peers:
            try:
                heard.append(peer.recv(100))
            except ConnectionError:
                heard.append(b"")
            peer.close()
        watching.close()

    asyncio.run(main())
    return log, made, heard


@WITH_EPOLL
def test_all_are_read_before_anything_is_written():
    log, _, heard = steps(3, lambda each, made: None)
    assert log == ["read 0", "waits 2", "read 1", "waits 2", "read 2", "waits 2"]
    assert heard == [b"0!", b"1!", b"2!"]


@WITH_EPOLL
def test_one_that_closes_within_its_step_has_still_written():
    log, made, heard = steps(2, lambda each, made: each.transport.close())
    assert heard == [b"0!", b"1!"]
    assert [each.heard for each in made] == [["made", "lost"]] * 2
    assert len(log) == 4


@WITH_EPOLL
def test_one_that_is_cut_within_its_step_has_not():
    _, _, heard = steps(2, lambda each, made: each.transport.abort())
    assert heard == [b"", b""]


@WITH_EPOLL
def test_one_that_ends_another_within_a_step():
    """Nobody reads for it any more, though it was ready."""
    log, made, heard = steps(2, lambda each, made: made[1].transport.abort())
    assert log == ["read 0", "waits 2"]
    assert made[1].data == b""
    assert heard == [b"0!", b""]


@WITH_EPOLL
def test_a_protocol_that_fails_is_one_of_many():
    """What the others have said is written; who was not asked yet is asked in the next step."""

    def fail(each: Any, made: list[Any]) -> None:
        if each is made[1]:
            raise RuntimeError("one of many")

    log, _, heard = steps(3, fail)
    assert log == ["read 0", "waits 2", "read 1", "waits 2", "said one of many", "read 2", "waits 2"]
    assert heard == [b"0!", b"1!", b"2!"]


@WITH_EPOLL
def test_who_is_ready_by_the_end_of_a_step_is_served_in_it():
    """But not for ever: there are others in the loop."""
    log: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        watching = EpollWatch(loop)
        here, there = pair()
        count = 0

        def again(each: Any) -> None:
            nonlocal count
            count += 1
            if count == 1:
                loop.call_soon(log.append, "others")
            if count < 1000:
                here.send(b"x")

        protocol = Echo(log, again)
        SocketTransport(loop, watching, there, None, protocol)
        here.send(b"x")
        await so(lambda: count == 1000)
        protocol.transport.abort()
        await so(lambda: protocol.over)
        watching.close()
        here.close()

    asyncio.run(main())
    turn = log.index("others")
    assert log[:turn] == ["read x", "waits 2"] * 64
    assert log[turn:] == ["others", *["read x", "waits 2"] * 936]


@EVERY_WATCH
def test_what_is_watched_ends(make):
    async def main() -> None:
        here, there = pair()
        watching: Watch = make(asyncio.get_running_loop())
        calls: list[int] = []
        watching.add(there, lambda: calls.append(1))
        watching.remove(here)  # which it does not know
        here.send(b"x")
        await so(lambda: calls)
        watching.remove(there)
        watching.remove(there)
        count = len(calls)
        await asyncio.sleep(0.02)
        assert len(calls) == count
        watching.add(there, lambda: calls.append(1))
        watching.close()
        watching.remove(there)
        await asyncio.sleep(0.02)
        assert len(calls) == count
        here.close()
        there.close()

    asyncio.run(main())


def test_the_system_says_how_to_watch(monkeypatch):
    async def main() -> None:
        loop = asyncio.get_running_loop()
        with monkeypatch.context() as patched:
            patched.delattr(select, "epoll", raising=False)
            other = watch(loop)
        assert type(other) is LoopWatch
        usual = watch(loop)
        assert type(usual) is (EpollWatch if hasattr(select, "epoll") else LoopWatch)
        usual.close()

    asyncio.run(main())


# --- accepting -----------------------------------------------------------------------------------


def listening() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0), backlog=200)


@EVERY_WATCH
@pytest.mark.parametrize("count", [5, 101])
def test_all_that_wait_are_accepted_in_one_step(make, count):
    async def main() -> None:
        made: list[Recorder] = []

        def begin() -> Recorder:
            made.append(Recorder())
            return made[-1]

        listener = listening()
        watching = make(asyncio.get_running_loop())
        acceptor = Acceptor(asyncio.get_running_loop(), watching, [listener], begin)
        assert acceptor.is_serving()
        clients = [socket.create_connection(listener.getsockname()) for _ in range(count)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        # Beyond a hundred they wait for another look, which an epoll has in the same step.
        assert [each.heard for each in made] == [["made"]] * (min(count, 100) if make is LoopWatch else count)
        await so(lambda: len(made) == count)
        peers = [each.transport.get_extra_info("peername") for each in made]
        assert sorted(peers) == sorted(each.getsockname() for each in clients)
        acceptor.close()
        assert not acceptor.is_serving()
        assert listener.fileno() == -1
        for each in made:
            each.transport.abort()
        await asyncio.sleep(0.01)
        watching.close()
        for client in clients:
            client.close()

    asyncio.run(main())


class Poor:
    """A listening socket of a process that has no handle left, for a while."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.fails = 1

    def accept(self) -> Any:
        if self.fails:
            self.fails -= 1
            raise OSError(24, "no handle")
        return self._listener.accept()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._listener, name)


@pytest.mark.parametrize("closed", [False, True])
def test_no_handle_is_left(monkeypatch, closed):
    """It is said, and tried again in a while; unless there is nothing to accept at any more."""
    monkeypatch.setattr("smtpcore.adapters.asyncio_acceptor.PAUSE", 0.05)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        said: list[Any] = []
        loop.set_exception_handler(lambda _, context: said.append(context))
        protocol = Recorder()
        poor: Any = Poor(listening())
        acceptor = Acceptor(loop, LoopWatch(loop), [poor], lambda: protocol)
        with socket.create_connection(poor.getsockname()):
            await so(lambda: said)
            assert "no handle" in said[0]["message"]
            assert protocol.heard == []
            if closed:
                acceptor.close()
                await asyncio.sleep(0.1)
                assert protocol.heard == []
            else:
                await so(lambda: protocol.heard == ["made"])
                acceptor.close()
                protocol.transport.abort()
                await asyncio.sleep(0.01)
        assert len(said) == 1

    asyncio.run(main())


def test_a_client_that_is_gone_when_it_is_accepted():
    """Some systems say so when an option is set."""

    class Gone:
        family = socket.AF_INET
        closed = False

        def setblocking(self, flag: bool) -> None:
            pass

        def setsockopt(self, *option: int) -> None:
            raise OSError(22, "invalid")

        def close(self) -> None:
            self.closed = True

    async def main() -> None:
        gone = Gone()

        class Listener(Poor):
            def accept(self) -> Any:
                if not gone.closed:
                    return gone, None
                raise BlockingIOError

        listener: Any = Listener(listening())
        loop = asyncio.get_running_loop()
        acceptor = Acceptor(loop, LoopWatch(loop), [listener], Recorder)
        with socket.create_connection(listener.getsockname()):
            await so(lambda: gone.closed)
        acceptor.close()

    asyncio.run(main())
