"""I10, I11: work grows with the octets and no faster, and memory not at all, whatever a peer sends.

Work is counted, not timed: every line that Python runs within the package. That machines have slow days is nobody's
fault, and a square in it shows at a few thousand units.
"""

from __future__ import annotations

import gc
import math
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from smtpcore import (
    NEED_DATA,
    PAUSED,
    Auth,
    BareNewlines,
    Capabilities,
    ClientConnection,
    ClientLimits,
    ConnectionClosed,
    ContentReceived,
    ContentRejected,
    Data,
    Ehlo,
    LocalProtocolError,
    Mail,
    Noop,
    Rcpt,
    RemoteProtocolError,
    Reply,
    ReplyReceived,
    Rset,
    ServerLimits,
    State,
)
from tests.session.helpers import (
    ALICE,
    BOB,
    EHLO,
    ENVELOPE,
    answering,
    content_client,
    drain,
    greeted_client,
    make_server,
    obliging,
    reach,
    take,
)

pytestmark = pytest.mark.law(14)

Play: TypeAlias = Callable[[], Any]

HUGE = 10**9
ROOMY = ServerLimits(errors=HUGE, idle_commands=HUGE, recipients=HUGE, buffered=HUGE)
ROOMY_CLIENT = ClientLimits(reply_size=HUGE, reply_lines=HUGE)
GROWTH = 1.1
SMALL, LARGE = 200, 1600


def work(call: Play) -> int:
    """How many lines of the package ran."""
    count = 0

    def lines(frame: Any, event: str, arg: Any) -> Any:
        nonlocal count
        count += event == "line"
        return lines

    def calls(frame: Any, event: str, arg: Any) -> Any:
        return lines if "/smtpcore/" in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(calls)
    try:
        call()
    finally:
        sys.settrace(before)
    return count


def exponent(family: Callable[[int], Play]) -> float:
    small, large = work(family(SMALL)), work(family(LARGE))
    return math.log(large / small) / math.log(LARGE / SMALL)


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


def serve(data: bytes, size: int = HUGE, application: Any = obliging, **options: Any) -> Play:
    """A server that gets the octets in pieces of that size."""
    options.setdefault("limits", ROOMY)
    machine = make_server(**options)
    machine.greet()

    def play() -> None:
        for piece in pieces(data, size):
            machine.receive_data(piece)
            events: list[Any] = []
            while (event := machine.next_event()) not in {NEED_DATA, PAUSED}:
                events.append(event)
                if machine.awaiting is not None:
                    application(machine, machine.awaiting)
                if isinstance(event, ConnectionClosed):
                    return
        machine.data_to_send()

    return play


def converse(data: bytes, commands: list[Any], size: int = HUGE, again: Any = None, **options: Any) -> Play:
    """A client that has sent the commands and gets the octets; ``again`` is what it does at each reply."""
    options.setdefault("limits", ROOMY_CLIENT)
    machine = greeted_client(**options)

    def play() -> None:
        for command in commands:
            machine.send(command)
        for piece in pieces(data, size):
            machine.receive_data(piece)
            while (event := machine.next_event()) not in {NEED_DATA, PAUSED}:
                if again and isinstance(event, ReplyReceived):
                    again(machine)
                if isinstance(event, ConnectionClosed):
                    return
        machine.data_to_send()

    return play


def one_by_one(data: bytes, commands: Callable[[], list[Any]]) -> Play:
    """The same without PIPELINING."""
    machine = greeted_client(b"250 x\r\n", limits=ROOMY_CLIENT)

    def play() -> None:
        for command in commands():
            machine.send(command)
        machine.receive_data(data)
        while machine.next_event() not in {NEED_DATA, PAUSED}:
            pass

    return play


REFUSE = answering({Rcpt: Reply(550, "no such user", "5.1.1")})
OPEN = EHLO + ENVELOPE + b"DATA\r\n"
MESSAGE = b"MAIL FROM:<>\r\nRCPT TO:<bob@x>\r\nDATA\r\n.\r\n"


def send_rcpt(machine: ClientConnection) -> None:
    """At each refusal one more, which has to be planned anew."""
    if len(machine.in_flight) > 2:
        try:
            machine.send(Rcpt(BOB))
        except LocalProtocolError:
            machine.send(Rset())


def again_please(machine: Any, command: Any) -> None:
    if isinstance(command, Ehlo):
        machine.accept()
    else:
        machine.challenge(b"again")


SERVER: dict[str, Callable[[int], Play]] = {
    "drip-of-commands": lambda n: serve(b"NOOP\r\n" * (n // 6), 1),
    "drip-of-one-line": lambda n: serve(EHLO + b"x" * n, 1),
    "drip-of-auth": lambda n: serve(EHLO + b"AUTH PLAIN " + b"A" * n, 1),
    "commands-in-one-piece": lambda n: serve(b"NOOP\r\n" * n),
    "empty-lines": lambda n: serve(b"\r\n" * n),
    "junk": lambda n: serve(b"x\r\n" * n),
    "bare-newlines": lambda n: serve(b"\n" * n + b"\r\n" + b"\r\r\n" * n),
    "recipients-refused": lambda n: serve(EHLO + b"MAIL FROM:<>\r\n" + b"RCPT TO:<bob@x>\r\n" * n, application=REFUSE),
    "recipients": lambda n: serve(EHLO + b"MAIL FROM:<>\r\n" + b"RCPT TO:<bob@x>\r\n" * n),
    "recipients-too-many": lambda n: serve(
        EHLO + b"MAIL FROM:<>\r\n" + b"RCPT TO:<bob@x>\r\n" * n, limits=ServerLimits(recipients=100, errors=HUGE)
    ),
    "messages-in-one-piece": lambda n: serve(EHLO + MESSAGE * n),
    "messages-in-reads": lambda n: serve(EHLO + MESSAGE * n, 4096),
    "resets": lambda n: serve(EHLO + (ENVELOPE + b"RSET\r\n") * n),
    "greetings": lambda n: serve(EHLO * n),
    "parameters": lambda n: serve(EHLO + (b"MAIL FROM:<a@b>" + b" SIZE=1" * 50 + b"\r\n") * (n // 50)),
    "rounds-of-auth": lambda n: serve(EHLO + b"AUTH PLAIN\r\n" + b"YWJj\r\n" * n, application=again_please),
    "auth-cancelled": lambda n: serve(EHLO + b"AUTH PLAIN\r\n*\r\n" * n),
    "content-of-dots": lambda n: serve(OPEN + b"..\r\n" * n + b".\r\n"),
    "content-that-nearly-ends": lambda n: serve(OPEN + b"\r\n.\r" * n + b"\r\n.\r\n", bare_newlines=BareNewlines.SPACE),
    "content-drip": lambda n: serve(OPEN + b"\r\n..x" * (n // 5) + b"\r\n.\r\n", 1),
    "content-drip-of-cr": lambda n: serve(OPEN + b"\r" * n, 1),
    "content-lines-without-end": lambda n: serve(OPEN + b"x" * 100 * n, 100),
    "content-too-big": lambda n: serve(OPEN + b"x\r\n" * n, 7, limits=ServerLimits(size=10)),
}


CLIENT: dict[str, Callable[[int], Play]] = {
    "drip-of-a-reply": lambda n: converse(b"250-" + b"x" * min(n, 8000), [Noop()], 1),
    "drip-of-lines": lambda n: converse(b"250-x\r\n" * (n // 7), [Noop()], 1),
    "lines-in-one-piece": lambda n: converse(b"250-x\r\n" * n + b"250 x\r\n", [Noop()]),
    "recipients-refused": lambda n: converse(b"250 ok\r\n" + b"550 no\r\n" * n, [Mail(ALICE), *[Rcpt(BOB)] * n]),
    "recipients-refused-in-drips": lambda n: converse(
        b"250 ok\r\n" + b"550 no\r\n" * n, [Mail(ALICE), *[Rcpt(BOB)] * n], 3
    ),
    "recipients-refused-few-at-a-time": lambda n: converse(
        b"250 ok\r\n" + b"550 no\r\n" * n, [Mail(ALICE), *[Rcpt(BOB)] * n], limits=ClientLimits(in_flight=10)
    ),
    "recipients-refused-and-more-sent": lambda n: converse(
        b"250 ok\r\n" + b"550 no\r\n" * n, [Mail(ALICE), *[Rcpt(BOB)] * 20], again=send_rcpt
    ),
    "commands-queued": lambda n: one_by_one(b"250 ok\r\n" * n, lambda: [Noop() for _ in range(n)]),
    "commands-skipped": lambda n: one_by_one(
        b"550 no\r\n", lambda: [Mail(ALICE), *[Rcpt(BOB) for _ in range(n)], Data()]
    ),
    "capabilities": lambda n: converse(b"".join(b"250-X%d\r\n" % i for i in range(n)) + b"250 x\r\n", [Ehlo("x")]),
    "secrets-repeated": lambda n: converse(
        b"334 " + b"QUJD" * min(n, 2000) + b"\r\n", [Auth("PLAIN", b"\0alice\0sesame")]
    ),
}


@pytest.mark.parametrize("name", SERVER)
def test_growth_of_the_server(name):
    assert exponent(SERVER[name]) <= GROWTH


@pytest.mark.parametrize("name", CLIENT)
def test_growth_of_the_client(name):
    assert exponent(CLIENT[name]) <= GROWTH


def test_growth_is_seen():
    """Work that grows with the square shows."""

    def square(n: int) -> Play:
        def play() -> None:
            for size in range(0, n, 10):
                take_all = greeted_client()
                for _ in range(size):
                    take_all.send(Rset())

        return play

    small, large = work(square(100)), work(square(400))
    assert math.log(large / small) / math.log(4) > 1.5


# -- memory ---------------------------------------------------------------------------------------

MIB = 1 << 20
TOTAL = 16 * MIB
CHUNK = 65_536
SLACK = 256 * 1024


def peak(call: Play) -> int:
    """Octets allocated at most, beyond what was there before."""
    gc.collect()
    tracemalloc.start()
    try:
        begun = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        call()
        return tracemalloc.get_traced_memory()[1] - begun
    finally:
        tracemalloc.stop()


CONTENTS = {
    "lines": (b"x" * 62 + b"\r\n") * (CHUNK // 64),
    "dots": b".." + b"\r\n.." * (CHUNK // 4 - 1) + b"\r\n",
    "no-crlf": b"x" * CHUNK,
    "bare-newlines": b"x\n" * (CHUNK // 2),
    "nearly-the-end": b"\r\n.\r" * (CHUNK // 4),
    "cr": b"\r" * CHUNK,
}


@pytest.mark.parametrize("name", CONTENTS)
def test_memory_of_a_server_that_receives(name):
    machine = reach(State.CONTENT, capabilities=Capabilities())
    chunk = CONTENTS[name]
    received = 0

    def play() -> None:
        nonlocal received
        for _ in range(TOTAL // CHUNK):
            machine.receive_data(chunk)
            while (event := machine.next_event()) is not NEED_DATA:
                assert isinstance(event, ContentReceived)
                received += len(event.data)

    assert peak(play) <= 4 * CHUNK + SLACK
    assert (received >= TOTAL // 2) is (name in {"lines", "dots"})
    machine.receive_data(b"\r\n.\r\n")
    event = machine.next_event()
    assert isinstance(event, ContentRejected) or name in {"lines", "dots"}


def test_memory_of_a_client_that_sends():
    machine = content_client()
    chunk = CONTENTS["dots"]

    def play() -> None:
        for _ in range(TOTAL // CHUNK):
            machine.send_content(chunk)
            machine.data_to_send()

    assert peak(play) <= 4 * CHUNK + SLACK


@pytest.mark.parametrize(
    "flood",
    [
        b"x" * CHUNK,
        b"XXXX\r\n" * 10_000,
        b"NOOP\r\n" * 10_000,
        b"\n" * CHUNK,
        b"AUTH PLAIN " + b"A" * CHUNK,
        b"\r\n" * 30_000,
    ],
    ids=["no-crlf", "junk", "noop", "bare-lf", "auth", "empty"],
)
def test_memory_of_a_server_that_is_flooded(flood):
    machine = reach(State.READY)

    def play() -> None:
        for _ in range(TOTAL // 16 // len(flood)):
            machine.receive_data(flood)
            drain(machine, obliging, [])

    assert peak(play) <= 4 * CHUNK + SLACK
    assert machine.state is State.CLOSED
    assert machine.buffered == 0


@pytest.mark.parametrize(
    "flood",
    [b"250-x\r\n" * 9000, b"250-" + b"x" * CHUNK, b"x" * CHUNK, b"\r" * CHUNK],
    ids=["lines", "line", "no-crlf", "cr"],
)
def test_memory_of_a_client_that_is_flooded(flood):
    machine = greeted_client()
    machine.send(Noop())

    def play() -> None:
        for _ in range(TOTAL // 16 // len(flood)):
            try:
                machine.receive_data(flood)
                take(machine)
            except RemoteProtocolError:
                pass

    assert peak(play) <= 4 * CHUNK + SLACK


def test_memory_of_a_connection_at_rest():
    """DESIGN's table: 6 KiB at most; both machines, behind EHLO."""

    def servers() -> Any:
        return [reach(State.READY) for _ in range(50)]

    held: list[Any] = []
    warm = servers()
    assert warm
    gc.collect()
    tracemalloc.start()
    try:
        begun = tracemalloc.get_traced_memory()[0]
        held = servers()
        gc.collect()
        each = (tracemalloc.get_traced_memory()[0] - begun) / len(held)
    finally:
        tracemalloc.stop()
    assert each <= 6 * 1024
