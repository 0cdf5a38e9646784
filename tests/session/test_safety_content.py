"""The end of the data, as the server machine sees it and the client machine writes it: the vectors EOD-01 to EOD-25."""

from __future__ import annotations

import pytest

from smtpcore import (
    BareNewlines,
    Capabilities,
    ClientConnection,
    CommandReceived,
    ConnectionClosed,
    ContentEnded,
    ContentReceived,
    ContentRejected,
    Defect,
    LocalProtocolError,
    Mail,
    Noop,
    ServerLimits,
    State,
)
from smtpcore import extensions as ext
from smtpcore.session.transaction import NO_TRANSACTION
from tests.session.helpers import Pair, make_server, reach, run_server, run_server_cut
from tests.session.looking import all_cuts

#: The vectors whose bare CR or LF has the whole content refused, at its true end.
REFUSED = {
    "EOD-01": b"a\n.\nMAIL FROM:<e@x>\r\n.\r\n",
    "EOD-02": b"a\n.\r\nNOOP\r\n.\r\n",
    "EOD-03": b"a\r\n.\nNOOP\r\n.\r\n",
    "EOD-04": b"a\r.\rNOOP\r\n.\r\n",
    "EOD-05": b"a\r\n.\rNOOP\r\n.\r\n",
    "EOD-06": b"a\r.\r\nNOOP\r\n.\r\n",
    "EOD-06b": b"a\r.\nNOOP\r\n.\r\n",
    "EOD-06c": b"a\n.\rNOOP\r\n.\r\n",
    "EOD-07": b"a\r\n.\r\r\nNOOP\r\n.\r\n",
    "EOD-08": b"a\r\r\n.\r\n",
}
#: The others, with the content that they stand for.
ACCEPTED = {
    "EOD-09": (b"a\r\n\x00.\r\nb\r\n.\r\n", b"a\r\n\x00.\r\nb\r\n"),
    "EOD-10": (b"a\r\n.\x00\r\nb\r\n.\r\n", b"a\r\n\x00\r\nb\r\n"),
    "EOD-11": (b"a\r\n. \r\nb\r\n.\r\n", b"a\r\n \r\nb\r\n"),
    "EOD-11b": (b"a\r\n.\t\r\nb\r\n.\r\n", b"a\r\n\t\r\nb\r\n"),
    "EOD-12": (b".\r\n", b""),
    "EOD-13": (b"\r\n.\r\n", b"\r\n"),
    "EOD-14": (b"..\r\n.\r\n", b".\r\n"),
    "EOD-15": (b"..a\r\n...\r\n.\r\n", b".a\r\n..\r\n"),
    "EOD-16": (b".a\r\n.\r\n", b"a\r\n"),
    "EOD-17": (b"..x\r\n.\r\n", b".x\r\n"),
    "EOD-19": (b"a\x0b.\x0cb\x85.\xe2\x80\xa8.\r\n.\r\n", b"a\x0b.\x0cb\x85.\xe2\x80\xa8.\r\n"),
    "EOD-20": (b"..\r\nNOOP x\r\n.\r\n", b".\r\nNOOP x\r\n"),
    "EOD-21": (b"a\r\n.\r\n", b"a\r\n"),
}


def asked(trace):
    """The verbs that the application was asked about."""
    return [event.command.verb for event in trace.events if isinstance(event, CommandReceived)]


@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in REFUSED.items()])
def test_bare_newlines_are_refused_at_the_true_end(data):
    trace = run_server_cut(data + b"NOOP\r\n", before=_OPEN)
    assert trace.codes == [550, 250]
    assert trace.output.startswith(b"550 5.5.2 ")
    assert trace.count(ContentRejected) == 1
    assert trace.count(ContentEnded) == 0
    assert asked(trace) == ["NOOP"], "once, behind the content"
    assert trace.transaction is NO_TRANSACTION
    assert b"\r" not in trace.content.replace(b"\r\n", b"")
    assert b"\n" not in trace.content.replace(b"\r\n", b"")


_OPEN = b"EHLO crepes.fr\r\nMAIL FROM:<>\r\nRCPT TO:<bob@x>\r\nDATA\r\n"


@pytest.mark.parametrize(("data", "content"), [pytest.param(*pair, id=name) for name, pair in ACCEPTED.items()])
def test_content(data, content):
    trace = run_server_cut(data + b"NOOP\r\n", before=_OPEN)
    assert trace.codes == [250, 250]
    assert trace.content == content
    assert trace.kinds == [*(["ContentReceived"] if content else []), "ContentEnded", "CommandReceived"]
    assert trace.buffered == 0


@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in REFUSED.items()])
@pytest.mark.parametrize(
    "policy", [BareNewlines.NORMALIZE, BareNewlines.SPACE, BareNewlines.PASS], ids=lambda p: p.value
)
def test_other_policies_end_at_the_same_place(data, policy):
    """Section 1.3: a policy says what becomes of the octets, and only when the end has been found."""
    trace = run_server_cut(data + b"NOOP\r\n", before=_OPEN, bare_newlines=policy)
    assert trace.codes == [250, 250]
    assert asked(trace) == ["NOOP"]
    defects = [event for event in trace.events if isinstance(event, Defect)]
    assert [defect.rule for defect in defects] == ["RFC 5321 s2.3.8"], "and what was let through is reported"
    if policy is not BareNewlines.PASS:
        assert b"\n" not in trace.content.replace(b"\r\n", b"")


def test_end_in_a_read_of_its_own():
    """EOD-18"""
    machine = make_server()
    assert run_server([_OPEN], machine=machine).codes == [250, 250, 250, 354]
    assert run_server([b".\r\n"], machine=machine).codes == [250]


def test_crlf_cut_at_the_edge_of_a_buffer():
    """EOD-22"""
    for size in (4095, 8191, 65_534):
        trace = run_server([b"x" * size + b"\r", b"\n.\r\n"], before=_OPEN)
        assert trace.codes == [250]
        assert trace.content == b"x" * size + b"\r\n"


@pytest.mark.parametrize("chunk", [1 << 21, 65_536, 4093], ids=["whole", "64KiB", "4093"])
def test_line_without_end(chunk):
    """EOD-23"""
    data = b"a" * (2 << 20) + b"\r\n.\r\nNOOP\r\n"
    machine = make_server(Capabilities(ext.ENHANCEDSTATUSCODES))
    run_server([_OPEN], machine=machine)
    trace = run_server([data[i : i + chunk] for i in range(0, len(data), chunk)], machine=machine)
    assert trace.codes == [554, 250]
    assert trace.kinds == ["ContentReceived", "ContentRejected", "CommandReceived"]
    assert len(trace.content) == ServerLimits().text_line


@pytest.mark.parametrize("where", ["SIZE", "limits"])
def test_content_beyond_the_limit(where):
    """EOD-24"""
    options = {"capabilities": Capabilities(ext.SIZE(1000))} if where == "SIZE" else {"limits": ServerLimits(size=1000)}
    data = b"MAIL FROM:<e@x>\r\n" * 100 + b"\r\n.\r\nNOOP\r\n"
    trace = run_server([data], before=_OPEN, **options)
    assert trace == run_server([data[i : i + 7] for i in range(0, len(data), 7)], before=_OPEN, **options)
    assert trace.codes == [552, 250]
    assert asked(trace) == ["NOOP"]
    assert trace.content == data[:1000]
    assert trace.events[1] == ContentRejected(trace.events[1].reply)


@pytest.mark.parametrize("data", [b"", b"a", b"a\r\n", b"a\r\n.", b"a\r\n.\r", b"a\nb"], ids=repr)
def test_end_of_stream_before_the_end_of_the_content(data):
    """EOD-25: RFC 5321 s4.1.1.10"""
    for chunks in ([data], *all_cuts(data)):
        trace = run_server(chunks, before=_OPEN, eof=True)
        assert trace.count(ContentEnded) == trace.count(ContentRejected) == 0
        assert trace.events[-1] == ConnectionClosed()
        assert trace.transaction is NO_TRANSACTION
        assert trace.output == b""


def test_accepted_content_survives_the_end_of_stream():
    """Section 7, D4: once the end of data has been read, the application decides, whoever is still there."""
    machine = reach(State.CONTENT)
    machine.receive_data(b"x\r\n.\r\n")
    machine.receive_data(b"")
    assert machine.next_event() == ContentReceived(b"x\r\n")
    assert machine.next_event() == ContentEnded()
    machine.accept("queued as 4711")
    assert machine.data_to_send() == b"250 2.0.0 queued as 4711\r\n"
    assert machine.next_event() == ConnectionClosed()


def test_nothing_is_promised_before_the_application_has_spoken():
    """Law 8: an application that fails or forgets leaves no 250 behind."""
    machine = reach(State.CONTENT)
    machine.receive_data(b"x\r\n.\r\nNOOP\r\n")
    machine.next_event()
    machine.next_event()
    for _ in range(3):
        assert machine.next_event().name == "PAUSED"
    assert machine.data_to_send() == b""
    machine.close()
    assert machine.data_to_send().startswith(b"421 ")


# -- the sender -----------------------------------------------------------------------------------

SENT = [
    pytest.param([b".\r\n"], b"..\r\n.\r\n", id="leading-dot"),
    pytest.param([], b".\r\n", id="nothing"),
    pytest.param([b""], b".\r\n", id="empty"),
    pytest.param([b"a"], b"a\r\n.\r\n", id="no-final-crlf"),
    pytest.param([b"a\r", b"\n.b"], b"a\r\n..b\r\n.\r\n", id="crlf-cut"),
    pytest.param([b"a", b".b"], b"a.b\r\n.\r\n", id="dot-within"),
    pytest.param([b"a\r\n", b".b"], b"a\r\n..b\r\n.\r\n", id="dot-in-next"),
    pytest.param([b"a\r\n.\r\nQUIT\r\n"], b"a\r\n..\r\nQUIT\r\n.\r\n", id="end-within"),
]


@pytest.mark.parametrize(("parts", "wire"), SENT)
def test_content_is_stuffed(parts, wire):
    pair = Pair().meet(State.CONTENT)
    for part in parts:
        pair.client.send_content(part)
    pair.client.end_content()
    assert pair.client.data_to_send() == wire
    received = b"".join(parts)
    ended = received if not received or received.endswith(b"\r\n") else received + b"\r\n"
    pair = Pair().meet(State.CONTENT)
    assert pair.message(*parts).code == 250
    content = b"".join([event.data for event in pair.server_events if isinstance(event, ContentReceived)])
    assert content == ended


@pytest.mark.parametrize("parts", [[b"a\n.\nb"], [b"a\r.\rb"], [b"a\r", b"b"], [b"\n"], [b"a\r\n\n"]], ids=repr)
def test_our_side_sends_no_bare_newline(parts):
    pair = Pair().meet(State.CONTENT)
    for part in parts[:-1]:
        pair.client.send_content(part)
    with pytest.raises(LocalProtocolError, match="bare CR or LF"):
        pair.client.send_content(parts[-1])
    assert b".\r\n" not in pair.client.data_to_send()
    with pytest.raises(LocalProtocolError, match="close the connection"):
        pair.client.end_content()


def test_bare_cr_at_the_end():
    pair = Pair().meet(State.CONTENT)
    pair.client.send_content(b"a\r")
    with pytest.raises(LocalProtocolError, match="bare CR or LF"):
        pair.client.end_content()
    assert b"." not in pair.client.data_to_send()
    assert pair.client.in_flight == ()


def test_bare_newlines_normalised_by_request():
    pair = Pair(client=ClientConnection(bare_newlines=BareNewlines.NORMALIZE)).meet(State.CONTENT)
    assert pair.message(b"a\n.\n", b"b\r", b"c\r").code == 250
    content = b"".join([event.data for event in pair.server_events if isinstance(event, ContentReceived)])
    assert content == b"a\r\n.\r\nb\r\nc\r\n"
    for policy in (BareNewlines.SPACE, BareNewlines.PASS):
        with pytest.raises(ValueError, match="not for sending"):
            ClientConnection(bare_newlines=policy)


@pytest.mark.parametrize("misuse", ["text", 5, None], ids=repr)
def test_content_is_octets(misuse):
    pair = Pair().meet(State.CONTENT)
    with pytest.raises(TypeError):
        pair.client.send_content(misuse)
    pair.client.send_content(bytearray(b"a"))
    pair.client.send_content(memoryview(b"b"))
    pair.client.end_content()
    assert pair.client.data_to_send() == b"ab\r\n.\r\n"


def test_messages_in_one_piece():
    """Everything at once: EHLO, two messages, QUIT."""
    message = b"MAIL FROM:<>\r\nRCPT TO:<bob@x>\r\nDATA\r\nx\r\n.\r\n"
    data = b"EHLO crepes.fr\r\n" + message * 2 + b"QUIT\r\n"
    trace = run_server_cut(data)
    assert trace.codes == [250, *[250, 250, 354, 250] * 2, 221]
    assert [type(event.command) for event in trace.events if isinstance(event, CommandReceived)][1] is Mail
    assert Noop() not in [getattr(event, "command", None) for event in trace.events]
