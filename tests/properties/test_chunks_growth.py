"""I10, I11 for BDAT and LMTP: work grows with the octets and no faster, and memory not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from smtpcore import (
    NEED_DATA,
    PAUSED,
    BareNewlines,
    ClientConnection,
    ContentReceived,
    Lhlo,
    Mail,
    Rcpt,
    Reply,
    ServerLimits,
    State,
)
from smtpcore.adapters.memory import Link
from smtpcore.extensions import Bdat
from tests.properties.test_session_growth import (
    CHUNK,
    CONTENTS,
    GROWTH,
    ROOMY_CLIENT,
    SLACK,
    TOTAL,
    Play,
    exponent,
    peak,
    serve,
)
from tests.session.helpers import ALICE, BOB, EHLO, ENVELOPE, answer, answering, greeted_client, obliging, reach

pytestmark = pytest.mark.law(14)

OPEN = EHLO + ENVELOPE
BINARY = EHLO + b"MAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<bob@x>\r\n"
LHLO = b"LHLO x\r\n"
MESSAGE = b"MAIL FROM:<>\r\nRCPT TO:<bob@x>\r\nBDAT 3 LAST\r\na\r\n"
REFUSE = answering({Bdat: Reply(451, "no", "4.3.0")})


def lmtp(data: bytes, size: int = 10**9) -> Play:
    return serve(LHLO + data, size, lmtp=True)


SERVER: dict[str, Callable[[int], Play]] = {
    "chunks-in-one-piece": lambda n: serve(OPEN + b"BDAT 1\r\na" * n),
    "chunks-in-reads": lambda n: serve(OPEN + b"BDAT 1\r\na" * n, 4096),
    "drip-of-chunks": lambda n: serve(OPEN + b"BDAT 1\r\na" * (n // 9), 1),
    "empty-chunks": lambda n: serve(OPEN + b"BDAT 0\r\n" * n),
    "drip-of-one-chunk": lambda n: serve(OPEN + b"BDAT %d LAST\r\n" % n + b"x" * n, 1),
    "drip-of-a-binary-chunk": lambda n: serve(BINARY + b"BDAT %d LAST\r\n" % n + b"\n" * n, 1),
    "chunks-of-cr": lambda n: serve(OPEN + b"BDAT 1\r\n\r" * n, bare_newlines=BareNewlines.SPACE),
    "halves-of-crlf": lambda n: serve(OPEN + b"BDAT 1\r\n\rBDAT 1\r\n\n" * (n // 2)),
    "chunks-without-a-recipient": lambda n: serve(EHLO + b"BDAT 3\r\nabc" * n),
    "chunks-refused": lambda n: serve((EHLO + ENVELOPE + b"BDAT 3\r\nabc") * n, application=REFUSE),
    "chunks-behind-a-bad-one": lambda n: serve(OPEN + b"BDAT 1\r\n\n" + b"BDAT 3\r\nabc" * n),
    "drip-of-a-refused-chunk": lambda n: serve(EHLO + b"BDAT %d LAST\r\n" % n + b"x" * n, 1),
    "chunks-too-big": lambda n: serve(OPEN + b"BDAT 3\r\nx\r\n" * n, 7, limits=ServerLimits(size=10, errors=10**9)),
    "chunks-of-a-long-line": lambda n: serve(OPEN + b"BDAT 100\r\n" + (b"x" * 100 + b"BDAT 100\r\n") * n, 110),
    "messages-in-one-piece": lambda n: serve(EHLO + MESSAGE * n),
    "messages-in-reads": lambda n: serve(EHLO + MESSAGE * n, 4096),
    "verdicts": lambda n: lmtp(b"MAIL FROM:<>\r\n" + b"RCPT TO:<bob@x>\r\n" * n + b"BDAT 0 LAST\r\n"),
    "verdicts-behind-data": lambda n: lmtp(b"MAIL FROM:<>\r\n" + b"RCPT TO:<bob@x>\r\n" * n + b"DATA\r\n.\r\n"),
    "verdicts-on-a-bad-content": lambda n: lmtp(b"MAIL FROM:<>\r\n" + b"RCPT TO:<x@x>\r\n" * n + b"BDAT 1 LAST\r\n\n"),
}


def in_chunks(offer: bytes, replies: Callable[[int], bytes], size: int = 10**9) -> Callable[[int], Play]:
    """A client that gives n chunks and hears the replies in pieces of that size."""

    def family(count: int) -> Play:
        machine = greeted_client(offer, limits=ROOMY_CLIENT)
        octets = b"250 ok\r\n250 ok\r\n" + replies(count)

        def play() -> None:
            machine.send(Mail(ALICE))
            machine.send(Rcpt(BOB))
            for _ in range(count):
                machine.send_chunk(b"a")
            machine.send_chunk(b"", last=True)
            for at in range(0, len(octets), size):
                machine.receive_data(octets[at : at + size])
                while machine.next_event() not in {NEED_DATA, PAUSED}:
                    pass
            machine.data_to_send()

        return play

    return family


def verdicts(count: int) -> Play:
    """A client of LMTP that hears what became of each of n recipients."""
    machine = ClientConnection(lmtp=True, limits=ROOMY_CLIENT)
    machine.send(Lhlo("crepes.fr"))
    answer(machine, b"220 x\r\n")
    answer(machine, b"250-x\r\n250-PIPELINING\r\n250 CHUNKING\r\n")

    def play() -> None:
        machine.send(Mail(ALICE))
        for _ in range(count):
            machine.send(Rcpt(BOB))
        machine.send_chunk(b"a\r\n", last=True)
        answer(machine, b"250 ok\r\n" * (2 * count + 1))
        assert machine.state is State.READY

    return play


PIPELINED, ONE_BY_ONE = b"250-x\r\n250-PIPELINING\r\n250 CHUNKING\r\n", b"250-x\r\n250 CHUNKING\r\n"
CLIENT: dict[str, Callable[[int], Play]] = {
    "chunks": in_chunks(PIPELINED, lambda n: b"250 ok\r\n" * (n + 1)),
    "chunks-in-drips": in_chunks(PIPELINED, lambda n: b"250 ok\r\n" * (n + 1), 1),
    "chunks-one-by-one": in_chunks(ONE_BY_ONE, lambda n: b"250 ok\r\n" * (n + 1)),
    "chunks-refused": in_chunks(PIPELINED, lambda n: b"503 no\r\n" * (n + 1)),
    "chunks-skipped": in_chunks(ONE_BY_ONE, lambda n: b"552 no\r\n"),
    "verdicts": verdicts,
}


@pytest.mark.parametrize("name", SERVER)
def test_growth_of_the_server(name):
    assert exponent(SERVER[name]) <= GROWTH


@pytest.mark.parametrize("name", CLIENT)
def test_growth_of_the_client(name):
    assert exponent(CLIENT[name]) <= GROWTH


# -- memory ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [CHUNK, TOTAL], ids=["many", "one"])
@pytest.mark.parametrize("name", CONTENTS)
@pytest.mark.parametrize("where", ["text", "binary", "refused"])
def test_memory_of_a_server_that_receives_chunks(name, size, where):
    """In many chunks or a single one of 16 MiB, accepted or not."""
    machine = reach(State.READY, limits=ServerLimits(size=10 * TOTAL, errors=10**9))
    lines = {"text": ENVELOPE, "binary": BINARY.removeprefix(EHLO), "refused": b""}[where]
    if lines:
        machine.receive_data(lines)
    while machine.next_event() is not NEED_DATA:
        machine.accept()
    received = 0

    def play() -> None:
        nonlocal received
        for number in range(TOTAL // CHUNK):
            if number * CHUNK % size == 0:
                last = b" LAST" if number * CHUNK + size == TOTAL else b""
                machine.receive_data(b"BDAT %d%b\r\n" % (size, last))
            machine.receive_data(CONTENTS[name])
            while (event := machine.next_event()) is not NEED_DATA:
                if isinstance(event, ContentReceived):
                    received += len(event.data)
                elif machine.awaiting is not None:
                    obliging(machine, machine.awaiting)
            machine.data_to_send()

    good = where == "binary" or (where == "text" and name in {"lines", "dots"})
    assert peak(play) <= 4 * CHUNK + SLACK
    assert (received == TOTAL) is good


@pytest.mark.parametrize("name", CONTENTS)
def test_memory_of_a_client_that_sends_chunks(name):
    machine = greeted_client(bare_newlines=BareNewlines.NORMALIZE)
    machine.send(Mail(ALICE))
    machine.send(Rcpt(BOB))
    answer(machine, b"250 ok\r\n250 ok\r\n")
    machine.data_to_send()

    def play() -> None:
        for _ in range(TOTAL // CHUNK):
            machine.send_chunk(CONTENTS[name])
            machine.data_to_send()
            answer(machine, b"250 ok\r\n")

    assert peak(play) <= 8 * CHUNK + SLACK


class Counting:
    """Forgets what it gets."""

    octets = 0

    def content(self, session: object, data: bytes) -> None:
        self.octets += len(data)


@pytest.mark.parametrize("lmtp", [False, True], ids=["smtp", "lmtp"])
def test_memory_of_both_with_their_scripts(lmtp):
    """16 MiB of a stream by BDAT: the client holds what is on its way, the server what it was just given."""
    handler = Counting()
    link = Link(handler, lmtp=lmtp, size=2 * TOTAL)

    def stream() -> Iterator[bytes]:
        for _ in range(TOTAL // CHUNK):
            link.transcript.clear()
            yield CONTENTS["lines"]

    def play() -> None:
        with link.connect(lmtp=lmtp) as client:
            outcome: Any = client.send(None, ["bob@x", "carol@x"], stream(), chunking=True)
            assert outcome.all_accepted

    assert peak(play) <= 16 * CHUNK + SLACK
    assert handler.octets == TOTAL
