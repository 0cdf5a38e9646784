"""Limits are exact (I18): the number itself passes, and one more does not."""

from __future__ import annotations

from typing import Any

import pytest

from smtpcore import (
    LAX,
    STRICT,
    Capabilities,
    ClientLimits,
    Defect,
    LocalProtocolError,
    Mail,
    Noop,
    Rcpt,
    RemoteProtocolError,
    ServerLimits,
    State,
)
from smtpcore import extensions as ext
from tests.session.helpers import ALICE, BOB, EHLO, answer, greeted_client, make_server, reach, run_client, run_server
from tests.session.looking import octets

_OPEN = EHLO + b"MAIL FROM:<>\r\nRCPT TO:<bob@x>\r\nDATA\r\n"


def content(data: bytes, chunk: int = 0, **options: Any) -> int:
    """The verdict on a content, fed in pieces of that size."""
    data += b".\r\n"
    pieces = [data[i : i + chunk] for i in range(0, len(data), chunk)] if chunk else [data]
    (code,) = run_server(pieces, before=_OPEN, **options).codes
    return code


@pytest.mark.parametrize("limit", [512, 513, 2048, 9000])
def test_command_line(limit):
    """In octets, with CRLF (RFC 5321 s4.5.3.1.4)."""
    for size, code in ((limit - 1, 250), (limit, 250), (limit + 1, 500)):
        line = b"NOOP ".ljust(size - 2, b"x") + b"\r\n"
        for pieces in ([line], octets(line)):
            assert run_server(pieces, before=EHLO, limits=ServerLimits(command_line=limit)).codes == [code]


@pytest.mark.parametrize("limit", [1000, 1001, 4096])
@pytest.mark.parametrize("chunk", [0, 1, 999, 1000])
def test_text_line(limit, chunk):
    """In octets, with CRLF, without the dot of transparency (RFC 5321 s4.5.3.1.6)."""
    limits = ServerLimits(text_line=limit)
    for size, code in ((limit, 250), (limit + 1, 554)):
        line = b"x" * (size - 2) + b"\r\n"
        assert content(line, chunk, limits=limits) == code
        assert content(b"a\r\n" + line + b"b\r\n", chunk, limits=limits) == code
        assert content(b"." + b"." + line[1:], chunk, limits=limits) == code
        assert content(b"a\r\n." + b"." + line[1:], chunk, limits=limits) == code


def test_text_line_of_the_rfc():
    """1,000 octets are what STRICT takes; beyond that the others take it and say so."""
    for size, defects in ((1000, 0), (1001, 1), (1002, 1)):
        line = b"x" * (size - 2) + b"\r\n"
        trace = run_server([line + b".\r\n"], before=_OPEN)
        assert trace.codes == [250]
        assert trace.count(Defect) == defects
        if defects:
            assert trace.events[1] == Defect("RFC 5321 s4.5.3.1.6", "line of more than 1,000 octets", 1000)
        assert content(line, strictness=STRICT) == (554 if defects else 250)
        assert content(line, strictness=LAX) == 250


@pytest.mark.parametrize("where", ["limits", "SIZE", "both"])
@pytest.mark.parametrize("chunk", [0, 1, 7])
def test_size(where, chunk):
    """In octets of content: CRLF counts, the dots of transparency and the end of data do not (RFC 1870 s4)."""
    options: dict[str, Any] = {}
    if where != "SIZE":
        options["limits"] = ServerLimits(size=100)
    if where != "limits":
        options["capabilities"] = Capabilities(ext.SIZE(100 if where == "SIZE" else 50))
    for size, code in ((99, 250), (100, 250), (101, 552)):
        assert content(b"x" * (size - 2) + b"\r\n", chunk, **options) == code
        assert content(b"..".ljust(size - 1, b"x") + b"\r\n", chunk, **options) == code


@pytest.mark.parametrize("size", [0, None], ids=["SIZE-0", "SIZE"])
def test_no_size(size):
    """RFC 1870 s3: zero is no limit, and neither is a keyword alone."""
    from smtpcore import Capability

    offered = Capabilities(ext.SIZE(0) if size == 0 else Capability("SIZE"))
    assert content(b"x\r\n" * 50_000, capabilities=offered) == 250
    assert run_server([b"MAIL FROM:<> SIZE=99999999999\r\n"], before=EHLO, capabilities=offered).codes == [250]


@pytest.mark.parametrize("where", ["offered", "limits"])
def test_size_declared(where):
    """RFC 1870 s6.1: what is declared to be more than is taken, whether or not that was announced."""
    limits = ServerLimits(size=1000) if where == "limits" else ServerLimits()
    offered = Capabilities(ext.SIZE(0 if where == "limits" else 1000), ext.ENHANCEDSTATUSCODES)
    for size, code in ((0, 250), (1000, 250), (1001, 552), (10**20 - 1, 552), (10**20, 501)):
        trace = run_server([b"MAIL FROM:<> SIZE=%d\r\n" % size], before=EHLO, capabilities=offered, limits=limits)
        assert trace.codes == [code]
        assert code != 552 or trace.output.startswith(b"552 5.3.4 ")


@pytest.mark.parametrize("limit", [100, 101])
def test_recipients(limit):
    limits = ServerLimits(recipients=limit)
    machine = make_server(limits=limits)
    trace = run_server([EHLO + b"MAIL FROM:<>\r\n" + b"RCPT TO:<bob@x>\r\n" * (limit + 1)], machine=machine)
    assert trace.codes == [250] * (limit + 2) + [452]
    assert len(machine.transaction.rcpts) == limit
    assert run_server([b"RSET\r\nMAIL FROM:<>\r\nRCPT TO:<bob@x>\r\n"], machine=machine).codes == [250] * 3


@pytest.mark.parametrize("limit", [0, 1, 20])
def test_errors(limit):
    limits = ServerLimits(errors=limit)
    assert run_server([b"XXXX\r\n" * limit + b"NOOP\r\n"], before=EHLO, limits=limits).codes == [500] * limit + [250]
    assert run_server([b"XXXX\r\n" * (limit + 1)], before=EHLO, limits=limits).codes == [500] * (limit + 1) + [421]


@pytest.mark.parametrize("limit", [0, 1, 100])
def test_idle_commands(limit):
    limits = ServerLimits(idle_commands=limit)
    assert run_server([b"NOOP\r\n" * limit + b"QUIT\r\n"], limits=limits).codes == [250] * limit + [221]
    trace = run_server([b"NOOP\r\n" * (limit + 1)], limits=limits)
    assert trace.codes == [250] * limit + [421]
    assert trace.state is State.CLOSED


@pytest.mark.parametrize("limit", [0, 1, 1000])
def test_buffered(limit):
    """While an answer is due; a whole chunk is taken beyond it, since nobody can know what a read brings."""
    machine = make_server(limits=ServerLimits(buffered=limit))
    machine.receive_data(b"x" * (limit or 1))
    if limit:
        machine.receive_data(b"y" * 5000)
    with pytest.raises(LocalProtocolError, match="PAUSED"):
        machine.receive_data(b"z")
    machine.greet()
    machine.receive_data(b"z")


def test_a_partial_line_may_be_longer_than_what_is_buffered():
    """While the machine waits for more, it takes more, whatever ``buffered`` says."""
    limits = ServerLimits(buffered=0, command_line=40_000)
    line = b"NOOP ".ljust(39_998, b"x") + b"\r\n"
    assert run_server([line[i : i + 1000] for i in range(0, len(line), 1000)], limits=limits).codes == [250]
    assert run_server([b"x" * 1000] * 30, before=_OPEN, limits=ServerLimits(buffered=0)).codes == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"command_line": 511},
        {"text_line": 999},
        {"recipients": 99},
        {"size": 0},
        {"size": -1},
        {"errors": -1},
        {"idle_commands": -1},
        {"buffered": -1},
    ],
    ids=str,
)
def test_limits_below_what_the_rfc_asks_for(wrong):
    with pytest.raises(ValueError, match="limit"):
        ServerLimits(**wrong)


# -- the client -----------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 7])
def test_in_flight(limit):
    machine = greeted_client(limits=ClientLimits(in_flight=limit))
    machine.send(Mail(ALICE))
    for _ in range(20):
        machine.send(Rcpt(BOB))
    for _ in range(22 - limit):
        assert len(machine.in_flight) == limit
        answer(machine, b"250 ok\r\n")
    assert len(machine.in_flight) == limit - 1


@pytest.mark.parametrize("limit", [510, 8192])
def test_reply_line(limit):
    """In octets without CRLF."""
    limits = ClientLimits(reply_line=limit)
    for size, error in ((limit, ""), (limit + 1, "reply line longer")):
        reply = b"250 ".ljust(size, b"x") + b"\r\n"
        for pieces in ([reply], octets(reply), [b"250-a\r\n", reply]):
            assert error in run_client(pieces, [Noop()], limits=limits).error
            assert bool(run_client(pieces, [Noop()], limits=limits).events) is not bool(error)


def test_reply_size():
    """In octets with every CRLF."""
    limits = ClientLimits(reply_size=1000)
    for size, fits in ((1000, True), (1001, False)):
        reply = b"250-".ljust(498, b"x") + b"\r\n" + b"250 ".ljust(size - 502, b"y") + b"\r\n"
        assert len(reply) == size
        for pieces in ([reply], octets(reply)):
            assert bool(run_client(pieces, [Noop()], limits=limits).events) is fits


@pytest.mark.parametrize("limit", [20, 1000])
def test_reply_lines(limit):
    limits = ClientLimits(reply_lines=limit)
    for lines, fits in ((limit, True), (limit + 1, False)):
        reply = b"250-x\r\n" * (lines - 1) + b"250 x\r\n"
        assert bool(run_client([reply], [Noop()], limits=limits).events) is fits
    machine = greeted_client(b"250 x\r\n", limits=limits)
    machine.send(Noop())
    machine.receive_data(b"250-x\r\n" * limit)
    assert machine.next_event().name == "NEED_DATA"
    machine.receive_data(b"250-x\r\n")
    with pytest.raises(RemoteProtocolError):
        machine.next_event()


@pytest.mark.parametrize(
    "wrong", [{"in_flight": 0}, {"reply_line": 509}, {"reply_size": 511}, {"reply_lines": 0}], ids=str
)
def test_limits_no_server_could_stay_within(wrong):
    with pytest.raises(ValueError, match="limit"):
        ClientLimits(**wrong)


def test_limits_are_values():
    assert ServerLimits() == ServerLimits(None, 2048, 65_536, 1000, 20, 100, 65_536)
    assert ServerLimits(size=5) != ServerLimits()
    assert ClientLimits() == ClientLimits(1000, 8192, 65_536, 1000)
    with pytest.raises(AttributeError):
        ServerLimits().size = 5
    assert reach(State.READY).settings.limits == ServerLimits()
