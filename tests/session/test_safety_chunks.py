"""BDAT, as both machines have it: the vectors BD-01 to BD-09, and the sentences of RFC 3030 s2 and s3."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import (
    BareNewlines,
    Capabilities,
    ClientConnection,
    ClientLimits,
    CommandReceived,
    CommandRejected,
    ConnectionClosed,
    ContentEnded,
    ContentReceived,
    ContentRejected,
    Data,
    Defect,
    Ehlo,
    LocalProtocolError,
    Mail,
    Noop,
    ParseError,
    Quit,
    Rcpt,
    Reply,
    ReplyReceived,
    Rset,
    ServerConnection,
    ServerLimits,
    State,
    parse_command,
)
from smtpcore import extensions as ext
from smtpcore.extensions import BODY, STANDARD, Bdat, BdatLast, Body
from smtpcore.session.limits import BLOCK, END_OF_CONTENT
from smtpcore.session.transaction import NO_TRANSACTION
from tests.session.helpers import (
    ALICE,
    BOB,
    EHLO,
    ENVELOPE,
    FULL,
    Pair,
    answer,
    answering,
    greeted_client,
    make_server,
    obliging,
    reach,
    run_server,
    run_server_cut,
    skipped,
)
from tests.session.looking import all_cuts
from tests.strategies import partitions

OPEN = EHLO + ENVELOPE
BINARY = EHLO + b"MAIL FROM:<alice@crepes.fr> BODY=BINARYMIME\r\nRCPT TO:<bob@hamburger.edu>\r\n"


def chunked(*parts: bytes) -> bytes:
    """The parts as chunks, the last of them as the last."""
    *first, last = parts
    return b"".join([b"BDAT %d\r\n%b" % (len(part), part) for part in first]) + b"BDAT %d LAST\r\n%b" % (
        len(last),
        last,
    )


# -- vectors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "content"),
    [
        pytest.param(chunked(b"a\r\n", b""), b"a\r\n", id="BD-02"),
        pytest.param(chunked(b"a\r", b"\n.\r\n"), b"a\r\n.\r\n", id="BD-03"),
        pytest.param(b"bdat 3 last\r\na\r\n", b"a\r\n", id="lower case"),
        pytest.param(b"BDAT 00003 LAST \r\na\r\n", b"a\r\n", id="leading zeros, trailing blank"),
        pytest.param(chunked(b""), b"", id="nothing at all"),
        pytest.param(chunked(b"", b"", b""), b"", id="nothing three times"),
        pytest.param(chunked(b"a"), b"a", id="no line end"),
        pytest.param(chunked(b"\r\n.\r\nQUIT\r\n"), b"\r\n.\r\nQUIT\r\n", id="a dot and a verb are content"),
        pytest.param(chunked(b"..a\r\n"), b"..a\r\n", id="dots stay as they are"),
        pytest.param(chunked(b"BDAT 9 LAST\r\n"), b"BDAT 9 LAST\r\n", id="BDAT is content"),
    ],
)
def test_what_the_chunks_hold(data, content):
    trace = run_server_cut(data + b"NOOP\r\n", before=OPEN)
    assert trace.content == content
    assert trace.count(ContentEnded) == 1
    chunks = data.lower().count(b"bdat ") - content.lower().count(b"bdat ")
    assert trace.codes == [250] * chunks + [250]
    assert trace.transaction is NO_TRANSACTION
    assert trace.state is State.READY


def test_octets_are_swallowed_without_a_recipient():
    """BD-01: what looks like a command in them is none."""
    trace = run_server_cut(b"BDAT 9 LAST\r\nMAIL FROMNOOP\r\n", before=EHLO)
    assert trace.codes == [503, 250]
    assert [type(event) for event in trace.events] == [CommandRejected, CommandReceived]
    assert trace.events[1].command == Noop()


@pytest.mark.parametrize(
    ("before", "options", "code"),
    [
        pytest.param(b"", {}, 503, id="before EHLO"),
        pytest.param(EHLO, {}, 503, id="before MAIL"),
        pytest.param(EHLO + b"MAIL FROM:<>\r\n", {}, 503, id="before RCPT"),
        pytest.param(b"HELO x\r\n" + ENVELOPE, {}, 503, id="behind HELO"),
        pytest.param(OPEN, {"capabilities": Capabilities(ext.PIPELINING)}, 502, id="not offered"),
        pytest.param(EHLO, {"require_tls": True}, 530, id="before TLS"),
    ],
)
def test_octets_are_swallowed_wherever_bdat_is_refused(before, options, code):
    for data in (b"BDAT 6\r\nQUIT\r\nNOOP\r\n", b"BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n"):
        trace = run_server_cut(data, before=before, **options)
        assert trace.codes == [code, 250]
        assert trace.count(ContentReceived) == 0
        (refused, noop) = trace.events
        assert refused.line == data.split(b"\r\n")[0]
        assert noop.command == Noop()


@pytest.mark.parametrize("policy", BareNewlines)
def test_bare_newline(policy):
    """BD-04."""
    trace = run_server_cut(b"BDAT 3 LAST\r\na\nbNOOP\r\n", before=OPEN, bare_newlines=policy)
    if policy is BareNewlines.REJECT:
        assert trace.codes == [550, 250]
        assert trace.events[-2:] == [
            ContentRejected(Reply(550, "bare CR or LF in the message", "5.5.2")),
            trace.events[-1],
        ]
    else:
        assert trace.codes == [250, 250]
        assert trace.content == {"normalize": b"a\r\nb", "space": b"a b", "unsafe-pass": b"a\nb"}[policy.value]
        assert Defect("RFC 5321 s2.3.8", "bare CR or LF in the content", 1) in trace.events


@pytest.mark.parametrize("policy", BareNewlines)
def test_a_cr_at_the_end_of_the_last_chunk_is_bare(policy):
    trace = run_server_cut(chunked(b"a\r", b"") + b"NOOP\r\n", before=OPEN, bare_newlines=policy)
    if policy is BareNewlines.REJECT:
        assert trace.codes == [250, 550, 250]
    else:
        assert trace.codes == [250, 250, 250]
        assert trace.content == {"normalize": b"a\r\n", "space": b"a ", "unsafe-pass": b"a\r"}[policy.value]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"BDAT 1_0 LAST", 501),
        (b"BDAT +5", 501),
        (b"BDAT -1", 501),
        (b"BDAT  5", 501),
        (b"BDAT \xd9\xa3", 501),
        (b"BDAT", 501),
        (b"BDAT LAST", 501),
        (b"BDAT 5LAST", 501),
        (b"BDAT 0x5", 501),
        (b"BDAT 99999999999999999999999", 552),
        (b"BDAT " + b"9" * 1000 + b" LAST", 552),
    ],
    ids=lambda value: repr(value)[:24],
)
@pytest.mark.parametrize("before", [OPEN, EHLO], ids=["in place", "out of place"])
def test_who_cannot_be_counted_is_shut_out(line, code, before):
    """BD-05 and BD-06: nobody knows where the next command would begin."""
    trace = run_server_cut(line + b"\r\nNOOP\r\nMAIL FROM:<evil@x>\r\n", before=before)
    assert trace.codes == [code]
    assert trace.state is State.CLOSED
    assert [type(event) for event in trace.events] == [CommandRejected, ConnectionClosed]
    assert trace.buffered == 0


@pytest.mark.parametrize("rest", [b"LASTX", b"LAST LAST", b"\tLAST", b"5", b" LAST"])
def test_what_is_wrong_behind_the_size_does_not_hide_the_size(rest):
    """BD-05."""
    trace = run_server_cut(b"BDAT 6 " + rest + b"\r\nQUIT\r\nNOOP\r\n", before=OPEN)
    assert trace.codes == [501, 250]
    assert trace.state is State.RCPT, "the transaction stands: no content has begun"


def test_no_room_is_made_for_what_is_announced():
    """BD-06: a size is only counted down."""
    trace = run_server([b"BDAT 99999999999999999999\r\n"], before=OPEN)
    assert trace.buffered == 0
    assert trace.codes == []
    assert trace.events == [CommandReceived(Bdat(99_999_999_999_999_999_999))]


def test_a_stream_of_tiny_chunks_is_cut_off():
    """BD-07: each is answered by more octets than it has. They count like commands that lead nowhere, as EHLO does."""
    trace = run_server([OPEN, *[b"BDAT 1\r\na"] * 1000])
    assert trace.codes == [250] * 3 + [250] * 99 + [421]
    assert trace.state is State.CLOSED
    large = run_server([OPEN, *[b"BDAT 512\r\n" + b"a" * 510 + b"\r\n"] * 200, b"BDAT 0 LAST\r\n"])
    assert large.codes == [250] * (3 + 200 + 1)


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        pytest.param(b"BDAT 1\r\naDATA\r\n", [250, 503], id="DATA behind BDAT"),
        pytest.param(b"BDAT 1\r\naRCPT TO:<x@y>\r\n", [250, 503], id="RCPT behind BDAT"),
        pytest.param(b"BDAT 1\r\naMAIL FROM:<>\r\n", [250, 503], id="MAIL behind BDAT"),
        pytest.param(b"BDAT 0 LAST\r\nBDAT 2 LAST\r\nab", [250, 503], id="BDAT behind LAST"),
        pytest.param(b"BDAT 2\r\n\nxBDAT 2\r\nabBDAT 2 LAST\r\nab", [550, 503, 503], id="BDAT behind a refused one"),
        pytest.param(b"BDAT 2\r\n\nxDATA\r\nMAIL FROM:<>\r\nRCPT TO:<x@y>\r\n", [550, 503, 503, 503], id="BD-09"),
        pytest.param(b"BDAT 2\r\n\nxRSET\r\n" + ENVELOPE + b"BDAT 0 LAST\r\n", [550, 250, 250, 250, 250], id="RSET"),
        pytest.param(
            b"BDAT 1\r\naRSET\r\n" + ENVELOPE + b"BDAT 0 LAST\r\n", [250, 250, 250, 250, 250], id="RSET in it"
        ),
        pytest.param(b"BDAT 2\r\n\nx" + EHLO + ENVELOPE + b"DATA\r\n", [550, 250, 250, 250, 354], id="EHLO"),
        pytest.param(b"BDAT 1\r\naNOOP\r\nBDAT 0 LAST\r\n", [250, 250, 250], id="NOOP between chunks"),
        pytest.param(b"BDAT 2\r\n\nxNOOP\r\nQUIT\r\n", [550, 250, 221], id="QUIT"),
    ],
)
def test_sequence(lines, codes):
    """BD-08 and BD-09."""
    trace = run_server_cut(lines, before=OPEN)
    assert trace.codes == codes


def test_rset_leaves_nothing_of_the_content():
    machine = make_server()
    run_server([OPEN + b"BDAT 2\r\na\r"], machine=machine)
    trace = run_server([b"RSET\r\n" + ENVELOPE + b"BDAT 2 LAST\r\n\nb"], machine=machine)
    assert trace.codes == [250, 250, 250, 550], "the CR before RSET is no part of a CRLF"


# -- limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("parts", [[b"a" * 98 + b"\r\n"], [b"a" * 50, b"a" * 48 + b"\r\n"], [b"a" * 98 + b"\r\n", b""]])
def test_size(parts):
    limits = ServerLimits(size=100)
    assert run_server_cut(chunked(*parts), before=OPEN, limits=limits).codes == [250] * len(parts)
    parts = [b"x" + parts[0], *parts[1:]]
    trace = run_server_cut(chunked(*parts) + b"NOOP\r\n", before=OPEN, limits=limits)
    assert trace.codes[-1] == 250
    assert 552 in trace.codes
    assert trace.count(ContentEnded) == 0
    assert len(trace.content) <= 100


@pytest.mark.parametrize("size", [100, 101])
def test_size_of_binary_content(size):
    trace = run_server_cut(chunked(b"\n" * size), before=BINARY, limits=ServerLimits(size=100))
    assert trace.codes == [250 if size == 100 else 552]
    assert trace.content == b"\n" * 100


def test_lines():
    trace = run_server([chunked(b"a" * 1999, b"\r\n")], before=OPEN, limits=ServerLimits(text_line=2000))
    assert trace.codes == [250, 554]
    trace = run_server([chunked(b"a" * 1998, b"\r\n")], before=OPEN, limits=ServerLimits(text_line=2000))
    assert trace.codes == [250, 250]
    assert Defect("RFC 5321 s4.5.3.1.6", "line of more than 1,000 octets", 1000) in trace.events


def test_deadlines():
    machine = reach(State.RCPT)
    machine.receive_data(b"BDAT 5\r\nab")
    assert machine.next_event() == CommandReceived(Bdat(5))
    assert machine.deadline is None
    machine.accept()
    assert machine.deadline is BLOCK
    assert machine.next_event() == ContentReceived(b"ab")
    assert machine.deadline is BLOCK
    machine.receive_data(b"c\r\n")
    assert machine.next_event() == ContentReceived(b"c\r\n")
    machine.next_event()
    assert machine.deadline.name == "next command"


# -- BINARYMIME -----------------------------------------------------------------------------------


@given(content=st.binary(max_size=40), data=st.data())
def test_binary_content_comes_as_it_is(content, data):
    parts = data.draw(partitions(content)) or [b""]
    wire = chunked(*parts)
    trace = run_server(data.draw(partitions(wire)), before=BINARY)
    assert trace.content == content
    assert trace.codes == [250] * len(parts)
    assert trace.count(Defect) == 0


def test_data_is_not_for_binary_content():
    """RFC 3030 s3."""
    trace = run_server_cut(b"DATA\r\n", before=BINARY)
    assert trace.codes == [503]
    client = greeted_client()
    for command in (Mail(ALICE, BODY(Body.BINARYMIME)), Rcpt(BOB)):
        client.send(command)
    with pytest.raises(LocalProtocolError, match=r"RFC 3030 s3"):
        client.send(Data())
    client.send(Rset())
    for command in (Mail(ALICE, BODY(Body.EIGHTBITMIME)), Rcpt(BOB)):
        client.send(command)
    client.send(Data())


@pytest.mark.parametrize(
    ("offered", "body", "code"),
    [
        ((ext.EIGHTBITMIME,), Body.BINARYMIME, 555),
        ((ext.EIGHTBITMIME,), Body.EIGHTBITMIME, 250),
        ((ext.CHUNKING, ext.BINARYMIME), Body.BINARYMIME, 250),
        ((ext.EIGHTBITMIME, ext.CHUNKING, ext.BINARYMIME), Body.BINARYMIME, 250),
        ((ext.EIGHTBITMIME, ext.BINARYMIME), Body.BINARYMIME, 555),
        ((ext.CHUNKING,), Body.SEVENBIT, 555),
    ],
    ids=str,
)
def test_which_body_is_offered(offered, body, code):
    """RFC 3030 s3: BINARYMIME needs CHUNKING; what has not been offered is not known (RFC 5321 s4.1.1.11)."""
    server = make_server(Capabilities(*offered))
    pair = Pair(server=server).meet(State.READY)
    if code == 555:
        with pytest.raises(LocalProtocolError, match=r"does not offer what BODY"):
            pair.client.send(Mail(ALICE, BODY(body)))
    else:
        assert [reply.code for reply in pair.exchange(Mail(ALICE, BODY(body)))] == [250]
    trace = run_server([EHLO + b"MAIL FROM:<> BODY=%b\r\n" % body.value.encode()], capabilities=Capabilities(*offered))
    assert trace.codes == [250, code]


# -- the application ------------------------------------------------------------------------------


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("code", [450, 552])
def test_the_application_refuses_the_first_chunk(last, code):
    """It is asked before the octets, and its answer given behind them (RFC 3030 s2)."""
    kind = BdatLast if last else Bdat
    application = answering({kind: Reply(code, "no")})
    trace = run_server_cut(bytes(kind(6)) + b"QUIT\r\nNOOP\r\n", before=OPEN, application=application)
    assert trace.codes == [code, 250]
    assert trace.events == [CommandReceived(kind(6)), CommandReceived(Noop())]
    assert trace.state is (State.READY if last else State.SPOILT)
    assert trace.transaction is NO_TRANSACTION


def test_the_application_refuses_the_message():
    def application(machine: ServerConnection, command: Any) -> None:
        if isinstance(command, BdatLast) and machine.state is State.CHUNKS:
            machine.reply(Reply(554, "no"))
        else:
            obliging(machine, command)

    trace = run_server_cut(chunked(b"a\r\n", b"b\r\n") + b"NOOP\r\n", before=OPEN, application=application)
    assert trace.codes == [250, 554, 250]
    assert trace.state is State.READY


def test_the_application_may_close_at_once():
    application = answering({Bdat: Reply(421, "no")})
    trace = run_server([b"BDAT 5\r\n"], before=OPEN, application=application)
    assert trace.codes == [421]
    assert trace.state is State.CLOSED


def test_a_chunk_is_not_answered_by_354():
    machine = reach(State.RCPT)
    machine.receive_data(b"BDAT 1\r\na")
    machine.next_event()
    with pytest.raises(LocalProtocolError, match=r"354 is no answer to BDAT"):
        machine.reply(Reply(354))
    machine.accept()
    assert machine.data_to_send() == b"", "the octets are answered, not the line"


def test_the_end_of_the_stream_within_a_chunk():
    """RFC 5321 s4.1.1.10: no message is made of it."""
    for data in (b"BDAT 5 LAST\r\nab", b"BDAT 5\r\nab", b"BDAT 2\r\nab"):
        trace = run_server([data], before=OPEN, eof=True)
        assert trace.count(ContentEnded) == 0
        assert trace.events[-1] == ConnectionClosed()
        assert trace.transaction is NO_TRANSACTION
    trace = run_server([b"BDAT 5 LAST\r\nab"], before=EHLO, eof=True)
    assert trace.events == [ConnectionClosed()]


def test_too_many_refused_chunks():
    limits = ServerLimits(errors=2)
    trace = run_server([b"BDAT 1\r\na" * 5], before=EHLO, limits=limits)
    assert trace.codes == [503, 503, 503, 421]
    application = answering({Bdat: Reply(552, "no")})
    trace = run_server([b"BDAT 1\r\na"], before=OPEN, limits=ServerLimits(errors=0), application=application)
    assert trace.codes == [552, 421]
    assert trace.events[-1] == ConnectionClosed()


def test_a_response_that_looks_like_bdat():
    """Within AUTH every line is a response: nothing is swallowed behind it."""
    trace = run_server_cut(b"BDAT 100\r\nNOOP\r\n", before=EHLO + b"AUTH PLAIN\r\n")
    assert trace.codes == [501, 250]


def test_who_does_not_know_the_verb_swallows_nothing():
    unaware = ext.ExtensionSet(ext.PIPELINING)
    machine = ServerConnection("hamburger.edu", Capabilities(ext.PIPELINING), extensions=unaware)
    assert run_server([EHLO + b"BDAT 6\r\nNOOP\r\n"], machine=machine).codes == [250, 500, 250]


# -- commands -------------------------------------------------------------------------------------


@given(size=st.integers(0, 10**20 - 1), last=st.booleans())
def test_a_command_is_what_its_line_says(size, last):
    command = BdatLast(size) if last else Bdat(size)
    assert bytes(command) == b"BDAT %d%b\r\n" % (size, b" LAST" if last else b"")
    assert parse_command(bytes(command)[:-2], STANDARD.vocabulary) == command
    assert command.last is last


@pytest.mark.parametrize("size", [-1, 10**20])
def test_no_such_size(size):
    with pytest.raises(ParseError, match=r"not a chunk size"):
        Bdat(size)


@pytest.mark.parametrize("size", [True, 1.0, "5", None])
def test_a_size_is_a_number(size):
    with pytest.raises(TypeError, match=r"a size is an int"):
        Bdat(size)


# -- the client -----------------------------------------------------------------------------------


def client_in(state: State, **options: Any) -> Any:
    client = ClientConnection(allow_plaintext_auth=True, **options)
    return Pair(client=client).meet(state).client


def test_what_a_client_sends():
    client = client_in(State.RCPT)
    first = client.send_chunk(b".a\r\n..b")
    last = client.send_chunk(b"c", last=True)
    assert client.data_to_send() == b"BDAT 7\r\n.a\r\n..b" + b"BDAT 3 LAST\r\nc\r\n"
    assert (type(first), type(last)) == (Bdat, BdatLast)
    assert client.in_flight == (first, last)
    assert client.deadline is END_OF_CONTENT
    events = answer(client, b"250 ok\r\n250 accepted\r\n")
    assert [event.command for event in events] == [first, last]
    assert client.state is State.READY


def test_a_chunk_waits_for_its_turn():
    """Without PIPELINING one at a time; when RCPT is refused, it is never sent."""
    for code, state in ((250, State.READY), (550, State.MAIL)):
        client = greeted_client(b"250-x\r\n250 CHUNKING\r\n")
        client.send(Mail(ALICE))
        client.send(Rcpt(BOB))
        client.send_chunk(b"a\r\n", last=True)
        assert client.data_to_send() == bytes(Mail(ALICE))
        answer(client, b"250 ok\r\n")
        assert client.data_to_send() == bytes(Rcpt(BOB))
        events = answer(client, b"%d so\r\n" % code)
        if code == 250:
            assert client.data_to_send() == b"BDAT 3 LAST\r\na\r\n"
            answer(client, b"250 ok\r\n")
        else:
            assert events[-1].command == BdatLast(3)
            assert "no place in state MAIL" in events[-1].why
            assert client.data_to_send() == b""
        assert client.state is state


def test_a_message_in_one_packet():
    client = greeted_client()
    for command in (Mail(ALICE), Rcpt(BOB)):
        client.send(command)
    client.send_chunk(b"a\r\n", last=True)
    client.send(Mail(ALICE))
    packet = bytes(Mail(ALICE)) + bytes(Rcpt(BOB)) + b"BDAT 3 LAST\r\na\r\n" + bytes(Mail(ALICE))
    assert client.data_to_send() == packet


@pytest.mark.parametrize("last", [False, True])
def test_where_a_client_sends_no_chunk(last):
    for state in (State.READY, State.MAIL, State.CONTENT, State.SPOILT):
        client = client_in(state)
        with pytest.raises(LocalProtocolError, match=r"BDAT has no place in state"):
            client.send_chunk(b"a\r\n", last=last)
        assert client.data_to_send() == b""
    client = greeted_client(b"250-x\r\n250 PIPELINING\r\n")
    for command in (Mail(ALICE), Rcpt(BOB)):
        client.send(command)
    with pytest.raises(LocalProtocolError, match=r"does not offer CHUNKING"):
        client.send_chunk(b"a\r\n", last=last)
    with pytest.raises(TypeError):
        client.send_chunk("a", last=last)


def test_a_chunk_goes_with_its_octets():
    client = client_in(State.RCPT)
    for command in (Bdat(5), BdatLast(0)):
        with pytest.raises(LocalProtocolError, match=r"see send_chunk"):
            client.send(command)
    assert client.data_to_send() == b""
    assert client.send_chunk(b"a\r\n") == Bdat(3)


def test_a_bare_newline_is_not_sent():
    client = client_in(State.RCPT)
    client.send_chunk(b"a\r\n")
    client.data_to_send()
    for _ in range(2):
        with pytest.raises(LocalProtocolError, match=r"bare CR or LF in the content.*RSET drops"):
            client.send_chunk(b"b\nc", last=True)
    assert client.data_to_send() == b""
    client.send(Rset())
    for command in (Mail(ALICE), Rcpt(BOB)):
        client.send(command)
    client.send_chunk(b"b\r\n", last=True)
    assert client.data_to_send().endswith(b"BDAT 3 LAST\r\nb\r\n")


@pytest.mark.parametrize("first", [[b"no end"], [b"a\r"], [b"a", b"b"]])
def test_a_content_may_be_begun_again(first):
    """With a recipient at last: what was refused for want of one counts for nothing."""
    machine = greeted_client()
    machine.send(Mail(ALICE))
    machine.send(Rcpt(BOB))
    for chunk in first:
        machine.send_chunk(chunk)
    answer(machine, b"250 ok\r\n550 no\r\n" + b"503 no\r\n" * len(first))
    machine.send(Rcpt(ALICE))
    machine.data_to_send()
    machine.send_chunk(b"", last=True)
    assert machine.data_to_send() == b"BDAT 0 LAST\r\n"


@pytest.mark.parametrize("mail", ["skipped", "refused"])
def test_what_belongs_to_a_mail_that_was_not_taken_is_never_sent(mail):
    """RFC 5321 s4.1.4: or it would go to another transaction, which the server has kept."""
    machine = greeted_client(limits=ClientLimits(in_flight=2))
    first, last = Mail(ALICE), Mail(ALICE, BODY(Body.BINARYMIME))
    between = [Ehlo("a")] if mail == "skipped" else [Rset()]
    for command in (first, *between, last, Noop(), Rcpt(BOB)):
        machine.send(command)
    chunk = machine.send_chunk(b"\0\n", last=True)
    machine.send(Rset())
    machine.send(Noop())
    replies = b"250 ok\r\n" + b"500 no\r\n" * len(between) + b"503 nested\r\n" * (mail == "refused")
    events = [event for line in replies.splitlines(keepends=True) for event in answer(machine, line)]
    gone = skipped(events)
    assert [type(command) for command in gone] == [Mail, Rcpt, BdatLast][mail == "refused" :]
    assert gone[-1] is chunk
    answer(machine, b"250 ok\r\n" * 3)
    assert b"BDAT" not in machine.data_to_send()
    assert machine.in_flight == machine.queued == ()
    assert machine.state is State.READY


@pytest.mark.parametrize("policy", [BareNewlines.REJECT, BareNewlines.NORMALIZE])
@pytest.mark.parametrize("first", [b"no end", b"a\r", b"a\nb"])
def test_the_same_mail_may_begin_another_transaction(first, policy):
    """A value may be sent twice; nothing of one content is left for the next."""
    machine = greeted_client(bare_newlines=policy)
    mail = Mail(ALICE)
    for content, sent in ((first, None), (b"", b"BDAT 0 LAST\r\n"), (b"\n", None), (b"b", b"BDAT 3 LAST\r\nb\r\n")):
        for command in (Rset(), mail, Rcpt(BOB)):
            machine.send(command)
        answer(machine, b"250 ok\r\n" * 3)
        machine.data_to_send()
        try:
            machine.send_chunk(content, last=True)
        except LocalProtocolError:
            assert sent is None
            continue
        assert sent in {None, machine.data_to_send()}
        answer(machine, b"250 ok\r\n")


def test_newlines_made_right():
    client = client_in(State.RCPT, bare_newlines=BareNewlines.NORMALIZE)
    client.send_chunk(b"b\nc", last=True)
    assert client.data_to_send() == b"BDAT 6 LAST\r\nb\r\nc\r\n"


# -- both -----------------------------------------------------------------------------------------


@given(
    tokens=st.lists(st.sampled_from([b"a", b"\r\n", b".", b"..", b"\0", b"\xe9", b"BDAT 3\r\n"]), max_size=10),
    binary=st.booleans(),
    data=st.data(),
)
def test_content_arrives_as_it_was_sent(tokens, binary, data):
    content = b"".join(tokens)
    pair = Pair(server=make_server(limits=ServerLimits(idle_commands=1000))).meet(State.READY)
    pair.client.send(Mail(ALICE, BODY(Body.BINARYMIME if binary else Body.EIGHTBITMIME)))
    pair.client.send(Rcpt(BOB))
    for part in data.draw(partitions(content)):
        pair.client.send_chunk(part)
        if data.draw(st.booleans()):
            pair.run()
    last = pair.client.send_chunk(b"", last=True)
    events = pair.run()
    assert events[-1].command is last
    received = b"".join([event.data for event in pair.server_events if isinstance(event, ContentReceived)])
    assert received == (content if binary or content.endswith(b"\r\n") or not content else content + b"\r\n")
    assert pair.client.state is pair.server.state is State.READY


def is_positive(event: Any) -> bool:
    return isinstance(event, ReplyReceived) and event.reply.code == 250


@given(answers=st.lists(st.sampled_from([250, 451, 554]), min_size=3, max_size=3), chunks=st.integers(0, 3))
def test_both_stand_at_the_same_place(answers, chunks):
    """Whatever the application says to RCPT, the first chunk and the message."""
    to_say = iter(answers)

    def application(machine: ServerConnection, command: Any) -> None:
        if isinstance(command, (Rcpt, Bdat, BdatLast)):
            machine.reply(Reply(next(to_say, 250), "so"))
        else:
            machine.accept()

    pair = Pair(application).meet(State.READY)
    pair.client.send(Mail(ALICE))
    pair.client.send(Rcpt(BOB))
    for _ in range(chunks):
        pair.client.send_chunk(b"a\r\n")
    pair.client.send_chunk(b"", last=True)
    pair.run()
    assert pair.client.state is pair.server.state
    accepted = BdatLast(0) in [event.command for event in pair.client_events if is_positive(event)]
    # The application is asked of RCPT, of the first chunk, and of the message unless all of it was that chunk
    assert accepted is (answers == [250] * 3), "all the way or not at all"
    if pair.client.state not in {State.CLOSED, State.READY}:
        assert [reply.code for reply in pair.exchange(Rset())] == [250]
    pair.application = obliging
    assert [reply.code for reply in pair.exchange(Mail(ALICE), Rcpt(BOB), Quit())] == [250, 250, 221]


def test_chunks_in_the_pipeline_behind_a_refused_one():
    """RFC 3030 s2: they are accepted and discarded."""
    pair = Pair(answering({Bdat: Reply(552, "no")})).meet(State.RCPT)
    for _ in range(3):
        pair.client.send_chunk(b"a\r\n")
    pair.client.send_chunk(b"", last=True)
    replies = [event.reply.code for event in pair.run()]
    assert replies == [552, 503, 503, 503]
    assert pair.client.state is pair.server.state is State.SPOILT


def test_a_server_of_any_offer_is_cut_anywhere():
    data = OPEN + chunked(b"a\r", b"\n", b"b") + BINARY[len(EHLO) :] + chunked(b"\n") + b"QUIT\r\n"
    whole = run_server([data], capabilities=FULL)
    for chunks in all_cuts(data):
        assert run_server(chunks, capabilities=FULL) == whole
    assert whole.codes == [250] * 9 + [221]


def test_a_lone_chunk_before_ehlo_of_the_client():
    client = ClientConnection()
    client.send(Ehlo("x"))
    with pytest.raises(LocalProtocolError, match=r"no place in state READY"):
        client.send_chunk(b"", last=True)
