"""BURL: the sentences of RFC 4468 s3, on both machines, alone and with BDAT in one content."""

from __future__ import annotations

from typing import Any

import pytest

from smtpcore import (
    BareNewlines,
    Capabilities,
    ClientConnection,
    CommandReceived,
    CommandRejected,
    ContentEnded,
    ContentReceived,
    ContentRejected,
    Data,
    Lhlo,
    LocalProtocolError,
    Mail,
    ParseError,
    Rcpt,
    Reply,
    ReplyReceived,
    Rset,
    ServerConnection,
    ServerLimits,
    State,
    VerdictReceived,
    parse_command,
)
from smtpcore import extensions as ext
from smtpcore.extensions import BODY, STANDARD, BdatLast, Body, Burl, BurlLast
from smtpcore.extensions.burl import BurlCommand
from smtpcore.session.limits import END_OF_CONTENT
from tests.session.helpers import (
    ALICE,
    BOB,
    EHLO,
    ENVELOPE,
    Pair,
    answer,
    greeted_client,
    obliging,
    reach,
    run_server,
    run_server_cut,
)

OPEN = EHLO + ENVELOPE
URL = "imap://harry@gryffindor.example.com/outbox;uidvalidity=1078863300/;uid=25;urlauth=submit+harry:internal:91354a47"
WIRE = URL.encode()


def fetching(octets: bytes) -> Any:
    """Has what lies behind every URL."""

    def application(machine: ServerConnection, command: Any) -> None:
        if isinstance(command, BurlCommand) and not (command.last and machine.receiving and done.get(id(machine))):
            done[id(machine)] = command.last
            machine.supply(octets)
        else:
            done.pop(id(machine), None)
            obliging(machine, command)

    done: dict[int, bool] = {}
    return application


# -- what travels ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"BURL " + WIRE, Burl(URL)),
        (b"BURL " + WIRE + b" LAST", BurlLast(URL)),
        (b"burl a:b last", BurlLast("a:b")),
        (b"BURL http://x/?q=[1]&LAST", Burl("http://x/?q=[1]&LAST")),
        (b"BURL imap://%41 LAST \t", BurlLast("imap://%41")),
    ],
)
def test_what_is_read(line, command):
    assert parse_command(line, STANDARD.vocabulary) == command
    assert command.raw is None
    assert parse_command(bytes(command)[:-2], STANDARD.vocabulary) == command
    assert run_server_cut(line + b"\r\n", before=OPEN).events[0] == CommandReceived(command)


@pytest.mark.parametrize(
    "url",
    ["", "LAST", "outbox", "://x", "imap:", "imap://a b", "imap://a#b", "imap://a\r\nQUIT", "imap://é", "a:%4", "1:a"],
)
def test_what_is_no_absolute_uri(url):
    for kind in (Burl, BurlLast):
        with pytest.raises(ParseError):
            kind(url)
    trace = run_server([OPEN + b"BURL " + url.encode().replace(b"\r\n", b"\t") + b" LAST\r\nNOOP\r\n"])
    assert trace.codes[-2:] == [501, 250]
    assert trace.state is State.RCPT, "the transaction stands"


def test_what_gives_access_does_not_show():
    """RFC 4468 s8, law 15: the token of a URL is as good as a password."""
    for kind in (Burl, BurlLast):
        assert "91354a47" not in repr(kind(URL))
        assert "uid=25" in repr(kind(URL))
    with pytest.raises(ParseError) as caught:
        Burl(URL + " ")
    assert "91354a47" not in str(caught.value)
    for before in (EHLO, OPEN):
        trace = run_server_cut(b"BURL " + WIRE + b"# LAST\r\n", before=before)
        assert isinstance(trace.events[0], CommandRejected)
        assert trace.events[0].line == b"BURL"
        assert b"91354a47" not in trace.output


def test_what_stands_behind_the_keyword():
    assert str(ext.BURL.offer(("imap", "imap://imap.example.com"))) == "BURL imap imap://imap.example.com"
    assert ext.BURL.decode("imap  imap://x") == ("imap", "imap://x")
    with pytest.raises(ParseError):
        ext.BURL.offer(("imap ", "x"))
    assert Capabilities(ext.BURL).argument("BURL") == "", "alone, where AUTH has to come first"


# -- the server -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "codes", "content"),
    [
        (b"BURL a:b LAST\r\n", [250], b"got\r\n"),
        (b"BURL a:b\r\nBURL a:b LAST\r\n", [250, 250], b"got\r\ngot\r\n"),
        (b"BDAT 3\r\nx\r\nBURL a:b\r\nBDAT 3 LAST\r\ny\r\n", [250, 250, 250], b"x\r\ngot\r\ny\r\n"),
        (b"BURL a:b\r\nBDAT 0 LAST\r\n", [250, 250], b"got\r\n"),
        (b"BDAT 0\r\nBURL a:b LAST\r\n", [250, 250], b"got\r\n"),
        (b"BURL a:b\r\nNOOP\r\nBURL a:b LAST\r\n", [250, 250, 250], b"got\r\ngot\r\n"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_octets_that_an_application_has_fetched(lines, codes, content):
    trace = run_server_cut(lines + b"NOOP\r\n", before=OPEN, application=fetching(b"got\r\n"))
    assert trace.codes == [*codes, 250]
    assert trace.content == content
    assert trace.count(ContentEnded) == 1
    assert trace.state is State.READY
    assert not trace.transaction


def test_they_may_come_in_pieces():
    machine: Any = reach(State.RCPT)
    machine.receive_data(b"BURL a:b LAST\r\n")
    assert machine.next_event() == CommandReceived(BurlLast("a:b"))
    assert machine.deadline is None
    assert machine.supply(b"a\r", more=True)
    with pytest.raises(LocalProtocolError, match="nothing waits"):
        machine.supply(b"", more=True)
    assert machine.next_event() == ContentReceived(b"a")
    assert machine.supply(b"\nb", more=True)
    assert machine.next_event() == ContentReceived(b"\r\nb")
    assert machine.next_event().name == "PAUSED"
    assert machine.data_to_send() == b""
    assert machine.supply(b"")
    assert machine.next_event() == ContentEnded()
    assert machine.state.name == "RCPT", "nothing is decided before the verdict"
    machine.accept("kept")
    assert machine.data_to_send() == b"250 2.0.0 kept\r\n"
    assert machine.state.name == "READY"


@pytest.mark.parametrize("policy", BareNewlines)
def test_fetched_octets_are_looked_at_too(policy):
    """Law 5: a URL is no way around it."""
    application = fetching(b"a\nb")
    trace = run_server([OPEN + b"BURL a:b LAST\r\nNOOP\r\n"], application=application, bare_newlines=policy)
    if policy is BareNewlines.REJECT:
        assert trace.codes[-2:] == [550, 250]
        assert trace.count(ContentRejected) == 1
    else:
        assert trace.codes[-2:] == [250, 250]
        assert trace.content == {"normalize": b"a\r\nb", "space": b"a b", "unsafe-pass": b"a\nb"}[policy.value]


def test_a_crlf_may_be_cut_by_a_url():
    application = fetching(b"\nx\r")
    trace = run_server([OPEN + b"BDAT 1\r\n\rBURL a:b\r\nBDAT 1 LAST\r\n\n"], application=application)
    assert trace.codes[-3:] == [250, 250, 250]
    assert trace.content == b"\r\nx\r\n"


@pytest.mark.parametrize(("size", "code"), [(100, 250), (101, 552)])
def test_the_limit_of_a_size(size, code):
    application = fetching(b"a" * (size - 52) + b"\r\n")
    data = OPEN + b"BDAT 50\r\n" + b"b" * 48 + b"\r\nBURL a:b LAST\r\n"
    trace = run_server([data], application=application, limits=ServerLimits(size=100))
    assert trace.codes[-1] == code
    assert trace.state is State.READY


def test_no_more_is_asked_for_than_fits():
    machine = reach(State.RCPT, limits=ServerLimits(size=10))
    machine.receive_data(b"BURL a:b\r\n")
    machine.next_event()
    assert not machine.supply(b"a" * 11, more=True)
    machine.next_event()
    machine.supply(b"")
    assert machine.next_event() == ContentRejected(Reply(552, "message too big", "5.3.4"))
    assert machine.state is State.SPOILT


def test_binary_content():
    machine = reach(State.READY)
    before = b"MAIL FROM:<> BODY=BINARYMIME\r\nRCPT TO:<b@c>\r\nBURL a:b LAST\r\n"
    trace = run_server([before], machine=machine, application=fetching(b"\n\r\0"))
    assert trace.content == b"\n\r\0"
    assert trace.codes == [250, 250, 250]


def test_an_application_may_keep_the_octets_for_itself():
    """Without ``supply`` the machine does the states alone."""
    trace = run_server_cut(b"BURL a:b\r\nBURL a:b LAST\r\n", before=OPEN)
    assert trace.codes == [250, 250]
    assert trace.content == b""
    assert trace.state is State.READY


@pytest.mark.parametrize("reply", [Reply(554, "no such message", "5.6.6"), Reply(451, "the server is down", "4.4.1")])
@pytest.mark.parametrize("before", [b"", b"BDAT 1\r\na"])
def test_a_refusal(reply, before):
    def application(machine: ServerConnection, command: Any) -> None:
        if isinstance(command, BurlCommand):
            machine.reply(reply)
        else:
            obliging(machine, command)

    trace = run_server_cut(b"BURL a:b LAST\r\n" + ENVELOPE, before=OPEN + before, application=application)
    assert trace.codes == [reply.code, 250, 250]
    trace = run_server_cut(b"BURL a:b\r\nDATA\r\nBURL a:b\r\nRSET\r\n", before=OPEN + before, application=application)
    assert trace.codes == [reply.code, 503, 503, 250]


@pytest.mark.parametrize("state", [State.GREETED, State.READY, State.MAIL, State.SPOILT])
@pytest.mark.parametrize("last", [b"", b" LAST"])
def test_out_of_place(state, last):
    machine = reach(state)
    machine.receive_data(b"BURL a:b" + last + b"\r\n")
    assert machine.next_event().reply.code == 503
    assert machine.state is state
    client = Pair().meet(state).client
    with pytest.raises(LocalProtocolError, match="no place"):
        client.send(BurlLast("a:b") if last else Burl("a:b"))


def test_no_data_behind_it():
    assert run_server_cut(b"BURL a:b\r\nDATA\r\nRCPT TO:<x@y>\r\n", before=OPEN).codes == [250, 503, 503]
    client = Pair().meet(State.RCPT).client
    client.send(Burl("a:b"))
    for command in (Data(), Rcpt(BOB), Mail(ALICE)):
        with pytest.raises(LocalProtocolError):
            client.send(command)


def test_nothing_is_supplied_unasked():
    machine = reach(State.RCPT)
    for line in (b"", b"NOOP\r\n", b"BDAT 1\r\n"):
        if line:
            machine.receive_data(line)
            machine.next_event()
        with pytest.raises(LocalProtocolError):
            machine.supply(b"x")
        if line:
            machine.accept()
    machine = reach(State.RCPT)
    machine.receive_data(b"BURL a:b\r\n")
    machine.next_event()
    with pytest.raises(TypeError):
        machine.supply(5)
    machine.accept()


def test_it_does_without_chunking():
    offered = Capabilities(ext.PIPELINING, ext.BURL)
    trace = run_server_cut(b"BURL a:b\r\nRSET\r\n", before=OPEN, capabilities=offered)
    assert trace.codes == [250, 250]
    alone = ext.ExtensionSet(ext.BURL)
    machine = ServerConnection("hamburger.edu", Capabilities(ext.BURL), extensions=alone)
    data = OPEN + b"BURL a:b\r\nNOOP\r\nRSET\r\nQUIT\r\n"
    assert run_server([data], machine=machine).codes == [250, 250, 250, 250, 250, 250, 221]
    assert run_server_cut(b"BURL a:b\r\n", before=OPEN, capabilities=Capabilities(ext.CHUNKING)).codes == [502]


def test_a_stream_of_them_is_cut_off():
    limits = ServerLimits(idle_commands=3)
    trace = run_server([OPEN + b"BURL a:b\r\n" * 5], application=fetching(b"x"), limits=limits)
    assert trace.codes[3:] == [250, 250, 250, 421] or trace.codes[-1] == 421


# -- LMTP -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("supplied", [True, False])
@pytest.mark.parametrize("refused", [True, False])
def test_lmtp_answers_for_each_recipient(supplied, refused):
    """RFC 2033 s4.2."""
    yes, no = Reply(250, "ok", "2.1.5"), Reply(550, "no", "5.1.1")

    def application(machine: ServerConnection, command: Any) -> None:
        if not isinstance(command, BurlCommand):
            obliging(machine, command)
        elif supplied and not machine.receiving:
            machine.supply(b"got\r\n")
        elif refused:
            machine.reply(no)
        else:
            machine.reply_each([yes, no])

    offered = Capabilities(ext.PIPELINING, ext.BURL, ext.ENHANCEDSTATUSCODES)
    server = ServerConnection("hamburger.edu", offered, lmtp=True)
    pair = Pair(application, client=ClientConnection(lmtp=True), server=server)
    pair.exchange(Lhlo("crepes.fr"))
    rcpts = [Rcpt(BOB), Rcpt(ALICE)]
    command = BurlLast("a:b")
    pair.exchange(Mail(None), *rcpts)
    pair.client.send(command)
    events = pair.run()
    first = no if refused else yes
    assert events == [VerdictReceived(first, command, rcpts[0]), VerdictReceived(no, command, rcpts[1])]
    assert pair.client.state is pair.server.state is State.READY


# -- the client -----------------------------------------------------------------------------------


def test_what_a_client_sends():
    client = Pair().meet(State.RCPT).client
    first, part = client.send_chunk(b"a\r\n"), Burl(URL)
    client.send(part)
    last = client.send_chunk(b"b", last=True)
    assert client.data_to_send() == b"BDAT 3\r\na\r\nBURL " + WIRE + b"\r\n", "nothing goes ahead of its reply"
    assert client.deadline is END_OF_CONTENT
    events = answer(client, b"250 ok\r\n250 ok\r\n")
    assert [event.command for event in events] == [first, part]
    assert client.data_to_send() == b"BDAT 3 LAST\r\nb\r\n"
    assert answer(client, b"250 done\r\n") == [ReplyReceived(Reply(250, "done"), last)]
    assert client.state is State.READY


def test_a_line_is_whole_before_a_url():
    client = Pair().meet(State.RCPT).client
    client.send_chunk(b"a\r")
    with pytest.raises(LocalProtocolError, match="a CR before BURL"):
        client.send(Burl("a:b"))
    client.send_chunk(b"\n")
    client.send(Burl("a:b"))
    client.send_chunk(b"", last=True)
    answer(client, b"250 ok\r\n" * 2)
    octets = client.data_to_send() + (answer(client, b"250 ok\r\n") and client.data_to_send())
    assert octets.endswith(b"BURL a:b\r\nBDAT 0 LAST\r\n"), "and nothing is put behind what the URL names"


def test_binary_content_goes_by_url():
    client = greeted_client()
    for command in (Mail(ALICE, BODY(Body.BINARYMIME)), Rcpt(BOB), BurlLast("a:b")):
        client.send(command)
    assert client.data_to_send().endswith(b"BURL a:b LAST\r\n")


def test_a_refused_part_leaves_rset_alone():
    pair = Pair().meet(State.RCPT)
    pair.client.send(Burl("a:b"))
    pair.application = lambda machine, _: machine.reply(Reply(554, "no", "5.6.6"))
    pair.run()
    assert pair.client.state.name == pair.server.state.name == "SPOILT"
    with pytest.raises(LocalProtocolError):
        pair.client.send(BurlLast("a:b"))
    with pytest.raises(LocalProtocolError):
        pair.client.send_chunk(b"")
    pair.application = obliging
    pair.exchange(Rset())
    assert pair.client.state is pair.server.state is State.READY


def test_where_it_is_not_offered():
    client = greeted_client(b"250-x\r\n250 CHUNKING\r\n")
    client.send(Mail(ALICE))
    client.send(Rcpt(BOB))
    with pytest.raises(LocalProtocolError, match="does not offer BURL"):
        client.send(BurlLast("a:b"))
    assert type(client.send_chunk(b"", last=True)) is BdatLast
