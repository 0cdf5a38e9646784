"""Nothing grows without bound: the vectors RES-01 to RES-15 as far as they are the machines' business."""

from __future__ import annotations

from typing import Any

import pytest

from smtpcore import (
    Auth,
    AuthResponse,
    ClientConnection,
    ClientLimits,
    CommandReceived,
    CommandRejected,
    Connect,
    ConnectionClosed,
    Data,
    Ehlo,
    EndOfContent,
    LocalProtocolError,
    Mail,
    Noop,
    Quit,
    Rcpt,
    RemoteProtocolError,
    Reply,
    ServerLimits,
    StartTls,
    State,
)
from smtpcore.extensions.auth import AUTH_LINE_LIMIT
from tests.session.helpers import (
    ALICE,
    BOB,
    EHLO,
    ENVELOPE,
    Pair,
    answer,
    answering,
    greeted_client,
    make_server,
    reach,
    run_client,
    run_server,
    run_server_cut,
)
from tests.session.looking import octets, snapshot

# -- lines ----------------------------------------------------------------------------------------

LINE = ServerLimits().command_line


@pytest.mark.parametrize(
    ("size", "expected"),
    [(LINE, [250]), (LINE + 1, [500]), (2 * LINE, [500]), (2 * LINE + 1, [421])],
    ids=["fits", "one-more", "twice", "more-than-twice"],
)
@pytest.mark.parametrize("cut", ["whole", "octets", "behind-cr", "64"])
def test_long_command_line(size, expected, cut):
    """RES-01: refused in step while its end is in reach, and nothing of it is ever a command."""
    line = b"NOOP ".ljust(size - 2, b"x") + b"\r\n"
    data = line + b"NOOP\r\n"
    chunks = {
        "whole": [data],
        "octets": octets(data),
        "behind-cr": [data[: size - 1], data[size - 1 :]],
        "64": [data[i : i + 64] for i in range(0, len(data), 64)],
    }[cut]
    trace = run_server(chunks, before=EHLO)
    assert trace.codes == (expected if expected == [421] else [*expected, 250])
    assert trace.state is (State.CLOSED if expected == [421] else State.READY)
    if expected != [250]:
        rejected = trace.events[0]
        assert isinstance(rejected, CommandRejected)
        assert rejected.line == line[:100]


@pytest.mark.parametrize("chunk", [1, 100, 4096, 1 << 20])
def test_line_without_end(chunk):
    """RES-01: the budget is what the longest legal line has to its end; then 421, and the tail is no command."""
    flood = b"x" * (1 << 16) + b"\r\nQUIT\r\n"
    machine = make_server()
    run_server([EHLO], machine=machine)
    held = 0
    for i in range(0, len(flood), chunk):
        machine.receive_data(flood[i : i + chunk])
        held = max(held, machine.buffered)
        event = machine.next_event()
        if isinstance(event, CommandRejected):
            break
    assert event == CommandRejected(b"x" * 100, Reply(421, "line without end", "4.5.2"))
    assert held <= 2 * AUTH_LINE_LIMIT + chunk
    assert machine.data_to_send().startswith(b"421 4.5.2 ")
    assert machine.next_event() == ConnectionClosed()
    machine.receive_data(flood)
    assert machine.buffered == 0


@pytest.mark.parametrize("limit", [512, 20_000], ids=["512", "20000"])
def test_line_limit_of_ones_own(limit):
    limits = ServerLimits(command_line=limit, buffered=0)
    for size, code in ((limit, 250), (limit + 1, 500), (2 * limit, 500), (2 * limit + 1, 421)):
        line = b"NOOP ".ljust(size - 2, b"x") + b"\r\n"
        for chunk in (1, 1000, len(line)):
            chunks = [line[i : i + chunk] for i in range(0, len(line), chunk)]
            assert run_server(chunks, before=EHLO, limits=limits).codes == [code], (size, chunk)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        pytest.param(b"250 " + b"x" * 9000 + b"\r\n", "reply line longer", id="line"),
        pytest.param(b"250 " + b"x" * 9000, "reply line longer", id="line-without-end"),
        pytest.param(b"250-" + b"x" * 8000 + b"\r\n" + b"250-" + b"x" * 1_000_000, "longer", id="second-line"),
        pytest.param((b"250-" + b"x" * 500 + b"\r\n") * 200, "longer", id="octets"),
        pytest.param(b"250-x\r\n" * 1001, "longer", id="lines"),
    ],
)
@pytest.mark.parametrize("chunk", [97, 1 << 20])
def test_reply_without_end(reply, why, chunk):
    """RES-02: CVE-2013-1752"""
    trace = run_client([reply[i : i + chunk] for i in range(0, len(reply), chunk)], [Noop()])
    assert why in trace.error
    assert trace.events == []


@pytest.mark.parametrize("size", [100, 2000], ids=["short", "long"])
def test_drip(size):
    """RES-03: nothing but a look at the new octet; tests/properties counts the work."""
    data = b"NOOP ".ljust(size - 2, b"x") + b"\r\n"
    trace = run_server(octets(data * 3), before=EHLO)
    assert trace.codes == [250] * 3
    reply = b"250-" + b"x" * 500 + b"\r\n250 y\r\n"
    assert [event.reply.code for event in run_client(octets(reply), [Noop()]).events] == [250]


# -- counts ---------------------------------------------------------------------------------------


def test_recipients():
    """RES-08: 1,000 pass, each one more is refused for now and counted as an error."""
    rcpts = b"RCPT TO:<bob@x>\r\n" * 1000
    machine = make_server()
    trace = run_server([EHLO + b"MAIL FROM:<>\r\n" + rcpts], machine=machine)
    assert trace.codes == [250] * 1002
    more = run_server([b"RCPT TO:<bob@x>\r\n" * 3 + b"DATA\r\n.\r\n"], machine=machine)
    assert more.codes == [452, 452, 452, 354, 250]
    assert b"452 4.5.3 " in more.output


def test_refused_recipients_close_the_connection():
    """RES-08: Postfix calls it overshoot."""
    refuse = answering({Rcpt: Reply(550, "no such user", "5.1.1")})
    trace = run_server([b"RCPT TO:<bob@x>\r\n" * 1000], before=EHLO + b"MAIL FROM:<>\r\n", application=refuse)
    assert trace.codes == [550] * 21 + [421]
    assert trace.events[-1] == ConnectionClosed()


@pytest.mark.parametrize("line", [b"XXXX\r\n", b"DATA\r\n", b"MAIL FROM:<\r\n", b"\r\n", b"a\nb\r\n"], ids=repr)
def test_errors(line):
    """RES-10: twenty are answered, behind the next one comes 421 too."""
    trace = run_server_cut(line * 22, before=EHLO)
    assert trace.codes[:-1] == [trace.codes[0]] * 21
    assert trace.codes[-1] == 421
    assert b"421 4.7.0 too many errors" in trace.output
    assert trace.state is State.CLOSED
    assert trace.count(CommandRejected) == 21
    assert trace.events[-1] == ConnectionClosed()


@pytest.mark.parametrize("line", [b"NOOP\r\n", b"RSET\r\n", b"VRFY a\r\n", b"EXPN a\r\n", b"HELP\r\n", EHLO], ids=repr)
def test_commands_that_lead_nowhere(line):
    """RES-10"""
    trace = run_server([line * 150], before=b"" if line == EHLO else b"HELO x\r\n")
    told = 100 if line == EHLO else 99
    assert trace.codes == [*[trace.codes[0]] * told, 421]
    assert b"too many commands" in trace.output
    assert isinstance(trace.events[-2], CommandRejected)


def test_a_message_wipes_the_slate():
    """RES-10: what counts is what comes between messages."""
    round_ = b"XXXX\r\n" * 20 + b"NOOP\r\n" * 99 + ENVELOPE + b"DATA\r\nx\r\n.\r\n"
    trace = run_server([round_ * 3 + b"NOOP\r\n"], before=EHLO)
    assert trace.codes.count(500) == 60
    assert trace.codes[-1] == 250
    refused = run_server([round_ * 3], before=EHLO, application=answering({EndOfContent: Reply(554, "no")}))
    assert 421 in refused.codes


def test_limit_of_zero():
    strict = ServerLimits(errors=0, idle_commands=0)
    assert run_server([b"XXXX\r\nNOOP\r\n"], limits=strict).codes == [500, 421]
    assert run_server([b"NOOP\r\n"], limits=strict).codes == [421]


# -- time -----------------------------------------------------------------------------------------


def seconds(machine):
    """The deadline that a machine names, by its seconds."""
    return machine.deadline.seconds if machine.deadline else None


def test_deadlines_of_the_client():
    """RES-12: RFC 5321 s4.5.3.2"""
    machine: Any = ClientConnection()
    assert machine.in_flight == (Connect(),)
    assert seconds(machine) == 300, "greeting"
    machine.send(Ehlo("crepes.fr"))
    assert seconds(machine) == 300
    answer(machine, b"220 x\r\n")
    assert seconds(machine) == 300, "EHLO, which has no number of its own"
    answer(machine, b"250-x\r\n250 PIPELINING\r\n")
    assert seconds(machine) is None, "it is the caller's turn"
    for command in (Mail(ALICE), Rcpt(BOB), Data()):
        machine.send(command)
    assert seconds(machine) == 300
    assert machine.deadline.name == "reply to MAIL"
    answer(machine, b"250 ok\r\n")
    assert machine.deadline.name == "reply to RCPT"
    assert seconds(machine) == 300
    answer(machine, b"250 ok\r\n")
    assert seconds(machine) == 120, "DATA"
    answer(machine, b"354 go\r\n")
    assert seconds(machine) == 180, "a block of the content"
    machine.send_content(b"x")
    assert seconds(machine) == 180
    machine.end_content()
    assert seconds(machine) == 600, "the verdict"
    machine.receive_data(b"250")
    assert seconds(machine) == 600, "part of a reply is no progress"
    answer(machine, b" ok\r\n")
    assert seconds(machine) is None
    machine.send(Quit())
    answer(machine, b"221 bye\r\n")
    assert seconds(machine) is None


def test_deadlines_of_the_server():
    """RES-12"""
    machine = make_server()
    assert seconds(machine) is None, "it is the application's turn to greet"
    machine.greet()
    assert seconds(machine) == 300
    machine.receive_data(EHLO[:-2])
    machine.next_event()
    assert seconds(machine) == 300
    machine.receive_data(b"\r\n")
    machine.next_event()
    assert seconds(machine) is None, "the application's turn"
    machine.accept()
    assert seconds(machine) == 300
    assert seconds(reach(State.CONTENT)) == 180
    assert seconds(reach(State.AUTHENTICATING)) == 300
    assert seconds(reach(State.REFUSED)) == 300
    assert seconds(reach(State.UPGRADING)) is None
    assert seconds(reach(State.CLOSED)) is None


def test_deadlines_elsewhere():
    pair = Pair().meet(State.AUTHENTICATING)
    assert seconds(pair.client) is None
    pair.client.send(AuthResponse(b"x"))
    assert seconds(pair.client) == 300
    upgrading = greeted_client()
    upgrading.send(StartTls())
    answer(upgrading, b"220 go\r\n")
    assert seconds(upgrading) is None


# -- AUTH -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("initial", [True, False], ids=["initial-response", "response"])
@pytest.mark.parametrize(
    ("limit", "more", "codes"),
    [
        (AUTH_LINE_LIMIT, 0, [235]),
        (AUTH_LINE_LIMIT, 4, [500]),
        (2 * AUTH_LINE_LIMIT, 0, [500]),
        (2 * AUTH_LINE_LIMIT, 4, [421]),
    ],
    ids=["fits", "too-long", "twice", "beyond"],
)
@pytest.mark.parametrize("chunk", [1, 1460, 1 << 20])
def test_line_of_the_exchange(initial, limit, more, codes, chunk):
    """RES-13: RFC 4954 s4 and s6; however it is cut, and never shown."""
    start = b"AUTH PLAIN " if initial else b""
    room = limit - len(start) - 2
    data = start + b"A" * (room - room % 4 + more) + b"\r\nNOOP\r\n"
    before = EHLO if initial else EHLO + b"AUTH PLAIN\r\n"
    trace = run_server([data[i : i + chunk] for i in range(0, len(data), chunk)], before=before)
    assert trace.codes == (codes if codes == [421] else [*codes, 250])
    if codes == [500]:
        assert trace.output.startswith(b"500 5.5.6 ")
        assert trace.state is State.READY
    if codes != [235]:
        assert trace.events[0].line == (b"AUTH" if initial else b"")


def test_rounds_of_an_exchange_are_counted_by_nobody_but_the_application():
    """RES-13: each round needs a challenge of the application's; the machine adds no state for it."""
    machine = reach(State.AUTHENTICATING)
    sizes = []
    for _ in range(50):
        machine.receive_data(b"YWJj\r\n")
        assert isinstance(machine.next_event(), CommandReceived)
        machine.challenge(b"more")
        machine.data_to_send()
        sizes.append(str(snapshot(machine)))
    assert len(set(sizes)) == 1


def test_failed_auth_counts_as_an_error():
    refuse = answering({Auth: Reply(535, "no", "5.7.8")})
    trace = run_server([b"AUTH PLAIN AGEAYg==\r\n" * 30], before=EHLO, application=refuse)
    assert trace.codes == [535] * 21 + [421]


# -- what waits -----------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [0, 10, 70_000])
def test_input_while_paused(limit):
    """RES-15: the machine takes nothing up while an answer is due, and takes no more than its limit and a chunk."""
    machine = make_server(limits=ServerLimits(buffered=limit))
    machine.greet()
    machine.receive_data(b"NOOP\r\n")
    assert isinstance(machine.next_event(), CommandReceived)
    machine.data_to_send()
    if limit:
        machine.receive_data(b"x" * limit)
    machine.receive_data(b"y")
    assert machine.buffered == limit + 1
    before = snapshot(machine)
    with pytest.raises(LocalProtocolError, match="PAUSED"):
        machine.receive_data(b"z")
    assert snapshot(machine) == before
    machine.receive_data(b"")
    machine.accept()
    assert machine.data_to_send() == b"250 ok\r\n"


def test_input_that_nobody_takes():
    machine = make_server()
    machine.greet()
    machine.receive_data(b"NOOP\r\n" * 20_000)
    with pytest.raises(LocalProtocolError, match="PAUSED"):
        machine.receive_data(b"NOOP\r\n")


def test_commands_in_flight():
    """RFC 2920 s3.1: no more than the limit wait for their answers."""
    machine = greeted_client(limits=ClientLimits(in_flight=3))
    for _ in range(10):
        machine.send(Mail(ALICE) if machine.state is State.READY and not machine.in_flight else Rcpt(BOB))
    assert len(machine.in_flight) == 3
    assert len(machine.queued) == 7
    answer(machine, b"250 ok\r\n")
    assert (len(machine.in_flight), len(machine.queued)) == (3, 6)
    with pytest.raises(RemoteProtocolError):
        answer(machine, b"250 ok\r\n" * 9 + b"250 one too many\r\n")
