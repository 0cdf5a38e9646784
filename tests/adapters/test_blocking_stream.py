"""Who ends a wait on a blocking socket: the kernel, or Python's own time-outs; both at the deadline, not before."""

from __future__ import annotations

import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from smtpcore.adapters import blocking as over_blocking
from smtpcore.adapters import blocking_stream
from smtpcore.adapters.blocking_stream import Stream
from smtpcore.flows import collecting
from smtpcore.flows.effect import Read, Write

KERNEL = blocking_stream._BY_KERNEL
WAYS = ["kernel", "python"] if KERNEL else ["python"]
#: More than buffers hold.
MUCH = b"x" * 8_000_000


def connected() -> tuple[socket.socket, socket.socket]:
    """Two ends of a connection over TCP, with buffers that do not grow to hold whatever is written."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = socket.create_connection(listener.getsockname())
        other, _ = listener.accept()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
    other.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    return one, other


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(blocking_stream, "_BY_KERNEL", request.param == "kernel")
    return str(request.param)


@pytest.fixture
def ends(way: str) -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = connected()
    with one, other:
        yield one, other


def later(seconds: float, call: Any) -> threading.Thread:
    thread = threading.Timer(seconds, call)
    thread.start()
    return thread


def test_linux_waits_by_the_kernel():
    assert KERNEL is (sys.platform == "linux" and sys.maxsize > 2**32)


def test_a_read_ends_at_its_deadline(ends):
    stream = Stream(ends[0])
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        stream.read(Read(0.15))
    assert 0.15 <= time.monotonic() - began < 5


@pytest.mark.parametrize("span", [0.02, 0.05])
def test_a_wait_longer_than_a_span_goes_on(ends, monkeypatch, span):
    monkeypatch.setattr(blocking_stream, "_SPAN", span)
    stream = Stream(ends[0])
    thread = later(0.2, lambda: ends[1].send(b"220 late\r\n"))
    assert stream.read(Read(30.0)) == b"220 late\r\n"
    thread.join()
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        stream.read(Read(0.12))
    assert 0.12 <= time.monotonic() - began < 5


def test_a_timeout_goes_before_the_deadlines_of_the_protocol(ends):
    stream = Stream(ends[0], timeout=0.1)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        stream.read(Read(300.0))
    assert 0.1 <= time.monotonic() - began < 5


def test_a_deadline_of_next_to_nothing_is_none_at_all_to_the_kernel(ends):
    """To it, no time would be for ever."""
    stream = Stream(ends[0])
    for seconds in (1e-9, 1e-7):
        with pytest.raises(TimeoutError):
            stream.read(Read(seconds))


def test_what_was_left_is_for_the_next_read(ends):
    stream = Stream(ends[0])
    ends[1].send(b"a")
    stream.read(Read(0.3))
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        stream.read(Read(None))
    assert 0.1 <= time.monotonic() - began <= 0.3 + 5


def test_a_write_that_nobody_takes_ends(ends):
    stream = Stream(ends[0], timeout=0.1)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        stream.write(MUCH)
    assert 0.1 <= time.monotonic() - began < 5


def test_a_write_taken_too_slowly_ends(ends):
    """What is taken now and then puts nothing off for ever."""
    stream = Stream(ends[0], timeout=0.2)
    over = threading.Event()

    def take() -> None:
        while not over.wait(0.02):
            ends[1].recv(100_000)

    thread = threading.Thread(target=take)
    thread.start()
    began = time.monotonic()
    try:
        with pytest.raises(TimeoutError):
            stream.write(MUCH)
    finally:
        over.set()
        thread.join()
    assert time.monotonic() - began < 5


def received(sock: socket.socket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size:
        found += sock.recv(1 << 20)
    return bytes(found)


def test_a_write_that_has_to_wait_is_written_whole(ends):
    stream = Stream(ends[0], timeout=20)
    found: list[bytes] = []
    thread = threading.Thread(target=lambda: found.append(received(ends[1], len(MUCH))))
    thread.start()
    stream.write(MUCH)
    thread.join()
    assert found == [MUCH]


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers that send signals here")
def test_signals_cut_no_write_short(ends):
    """A call that a signal interrupts has written a part, and the rest has to follow."""
    stream = Stream(ends[0], timeout=20)
    content = bytes(range(256)) * 31_250
    found: list[bytes] = []
    rung = []

    def take() -> None:
        time.sleep(0.1)
        found.append(received(ends[1], len(content)))

    thread = threading.Thread(target=take)
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.005)
        thread.start()
        stream.write(content)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        thread.join()
    assert rung
    assert found == [content]


class Counted:
    """A socket that notes what is asked of it."""

    def __init__(self, real: socket.socket) -> None:
        self.real = real
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name not in {"family"}:
            self.asked.append(name)
        return getattr(self.real, name)


@pytest.mark.skipif(not KERNEL, reason="here the kernel does not end waits")
def test_each_read_and_write_is_one_call(monkeypatch):
    """Whatever the deadlines: Python's time-outs would be set before each, and ask first whether it has to wait."""
    one, other = connected()
    with one, other:
        counted: Any = Counted(one)
        stream = Stream(counted)
        stream.write(b"first")
        other.send(b"x")
        stream.read(Read(300.0))
        counted.asked.clear()
        for seconds in (300.0, 120.0, 600.0):
            stream.write(b"more")
            other.send(b"x")
            stream.read(Read(seconds))
        assert counted.asked == ["send", "recv"] * 3
        assert one.gettimeout() is None


def test_python_waits_no_less_for_a_write_than_the_standard_asks(monkeypatch):
    """RFC 5321 s4.5.3.2.5: three minutes for a block of content, however short the read before it."""
    monkeypatch.setattr(blocking_stream, "_BY_KERNEL", False)
    one, other = connected()
    with one, other:
        stream = Stream(one)
        stream.write(b"x")
        assert one.gettimeout() == Write.seconds
        other.send(b"x")
        stream.read(Read(10.0))
        assert one.gettimeout() == pytest.approx(10.0)
        stream.write(b"x")
        assert one.gettimeout() == Write.seconds
        other.send(b"x")
        stream.read(Read(600.0))
        stream.write(b"x")  # more will do
        assert one.gettimeout() == pytest.approx(600.0)
        hurried = Stream(one, timeout=7.0)
        hurried.write(b"x")
        assert one.gettimeout() == 7.0


def test_within_tls_deadlines_are_those_of_each_read(certificates, way):
    """There the kernel's would be overrun: what is read may need several reads, or none."""
    one, other = connected()
    with one, other:
        client = Stream(one, certificates.trusting, "localhost")
        server = Stream(other, certificates.server)
        thread = threading.Thread(target=server.handshake)
        thread.start()
        client.handshake()
        thread.join()
        server.write(b"250 ok\r\n")
        assert client.read(Read(20.0)) == b"250 ok\r\n"
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            client.read(Read(0.15))
        assert 0.15 <= time.monotonic() - began < 5
        client.close()
        server.close()


def test_over_a_unix_socket_a_write_ends_as_well(monkeypatch):
    """The kernel's time would begin anew with each part of it that somebody takes."""
    one, other = socket.socketpair()
    over = threading.Event()

    def take() -> None:
        while not over.wait(0.02):
            other.recv(100_000)

    thread = threading.Thread(target=take)
    with one, other:
        thread.start()
        try:
            with pytest.raises(TimeoutError):
                Stream(one, timeout=0.2).write(MUCH)
        finally:
            over.set()
            thread.join()


def test_a_served_connection_makes_what_it_waits_with_once(monkeypatch):
    """Two of them: with a transaction in hand it is deaf to the end of the server."""
    made: list[Any] = []

    def make() -> Any:
        made.append(real())
        return made[-1]

    real = over_blocking._Selector
    monkeypatch.setattr(over_blocking, "_Selector", make)
    taken: list[bytes] = []
    handler = collecting(lambda session, octets: taken.append(octets))
    with over_blocking.serve(handler, "127.0.0.1", 0, hostname="hamburger.edu") as server:
        host, port = server.address
        with over_blocking.connect(host, port, hostname="crepes.fr") as client:
            for number in range(5):
                assert client.send(None, ["bob@hamburger.edu"], b"%d\r\n" % number).all_accepted
    assert taken == [b"%d\r\n" % number for number in range(5)]
    assert len(made) == 2
