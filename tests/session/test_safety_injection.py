"""Nobody gets a line of his own into the conversation: the vectors INJ-01 to INJ-12, on both machines."""

from __future__ import annotations

import pytest

from smtpcore import (
    Auth,
    AuthResponse,
    ClientConnection,
    CommandRejected,
    Domain,
    Ehlo,
    Help,
    LocalProtocolError,
    Mail,
    Mailbox,
    Noop,
    ParseError,
    Rcpt,
    Reply,
    ServerConnection,
    State,
    Vrfy,
)
from smtpcore import extensions as ext
from tests.session.helpers import (
    ALICE,
    EHLO,
    ENVELOPE,
    FULL,
    Pair,
    greeted_client,
    reach,
    run_server,
    run_server_cut,
    untyped,
)
from tests.session.looking import snapshot

pytestmark = pytest.mark.law(4)

CONTROLS = [*range(0x20), 0x7F]


def refused(machine: ClientConnection, make) -> None:
    """Neither building nor sending it may get an octet out."""
    before = snapshot(machine)
    with pytest.raises((ValueError, TypeError, LocalProtocolError)):
        machine.send(make())
    assert snapshot(machine) == before
    assert machine.data_to_send() == b""


@pytest.mark.parametrize("octet", CONTROLS, ids=lambda octet: f"{octet:#04x}")
def test_controls_in_a_path(octet):
    """INJ-01"""
    machine = greeted_client()
    char = chr(octet)
    refused(machine, lambda: Mail(Mailbox(f"a{char}b", "crepes.fr")))
    refused(machine, lambda: Mail(Mailbox("a", f"crepes{char}.fr")))
    refused(machine, lambda: Mail(Mailbox.parse(f"a@b{char}")))
    refused(machine, lambda: Vrfy(f"a{char}b"))
    refused(machine, lambda: Ehlo(f"me{char}"))
    if char != "\t":
        refused(machine, lambda: Noop(f"a{char}b"))
        refused(machine, lambda: Help(f"{char}"))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: Mail(Mailbox.parse("a@b>\r\nRCPT TO:<x@y")), id="INJ-01"),
        pytest.param(lambda: Mail(Mailbox("a", "b>\r\nRCPT TO:<x@y")), id="INJ-01-domain"),
        pytest.param(lambda: Ehlo("me\r\nMAIL FROM:<x@y>"), id="INJ-02"),
        pytest.param(lambda: Ehlo("me there"), id="INJ-02-space"),
        pytest.param(lambda: Ehlo(""), id="INJ-02-empty"),
        pytest.param(lambda: Mail(ALICE, untyped.SIZE("1\r\nRSET")), id="INJ-03-text"),
        pytest.param(lambda: Mail(ALICE, untyped.SIZE(b"1\r\nRSET")), id="INJ-03-octets"),
        pytest.param(lambda: Mail(ALICE, ext.SIZE(-1)), id="INJ-03-negative"),
        pytest.param(lambda: Mail(ALICE, ext.SIZE(True)), id="INJ-03-true"),
        pytest.param(lambda: untyped.Mail(ALICE, "SIZE=1"), id="INJ-03-parameter"),
        pytest.param(lambda: Mail(ALICE, ext.SUBMITTER(Mailbox("a\r\nb", "x"))), id="INJ-04"),
        pytest.param(lambda: Rcpt(Mailbox("a\r\nb", "x")), id="INJ-06"),
        pytest.param(lambda: Rcpt(Mailbox.parse('"a\r\nb"@x')), id="INJ-06-quoted"),
        pytest.param(lambda: Rcpt(Mailbox.parse('"a\\\rb"@x')), id="INJ-06-escaped"),
        pytest.param(lambda: untyped.Mail("a@b"), id="INJ-01-text"),
        pytest.param(lambda: untyped.Rcpt("a@b"), id="INJ-06-text"),
        pytest.param(lambda: Auth("PLAIN\r\nRSET", b"x"), id="INJ-10-mechanism"),
        pytest.param(lambda: untyped.Auth("PLAIN", "YWJj\r\nRSET"), id="INJ-10-text"),
    ],
)
def test_client_raises_before_anything_is_queued(make):
    refused(greeted_client(), make)


def test_quoted_local_part_goes_quoted():
    """INJ-05"""
    hostile = Mailbox.parse('"foo@psres.net> ORCPT=admin@admin.com"@test.com')
    pair = Pair().meet(State.MAIL)
    pair.client.send(Rcpt(hostile))
    wire = pair.client.data_to_send()
    assert wire == b'RCPT TO:<"foo@psres.net> ORCPT=admin@admin.com"@test.com>\r\n'
    trace = run_server([wire], machine=pair.server)
    command = trace.events[0].command
    assert command.recipient.domain == Domain("test.com")
    assert command.recipient == hostile
    assert not command.parameters


@pytest.mark.parametrize("text", ["\u760d\u760a", "\u010d\u010a", "a\u560ab"], ids=["U+760D", "U+010D", "U+560A"])
def test_characters_are_not_cut_to_octets(text):
    """INJ-07"""
    machine = greeted_client()
    machine.send(Mail(Mailbox(text, "x.y"), ext.UTF8(True)))
    wire = machine.data_to_send()
    assert wire.count(b"\r\n") == 1
    assert text.encode() in wire
    assert b"\n" not in wire[:-2]
    plain = greeted_client(b"250-hamburger.edu\r\n250 PIPELINING\r\n")
    refused(plain, lambda: Mail(Mailbox(text, "x.y")))
    refused(plain, lambda: Mail(Mailbox("a", "x.y"), ext.UTF8(True)))
    plain.send(Mail(ALICE))
    plain.data_to_send()
    refused(plain, lambda: Rcpt(Mailbox(text, "x.y")))


#: Lone surrogates; those that stand for CR, LF and NUL are no better than the others.
_NO_OCTETS = {"high": "\ud800", "low": "a\udfffb", "LF": "\udc0a", "NUL": "\udc00"}


@pytest.mark.parametrize("text", list(_NO_OCTETS.values()), ids=list(_NO_OCTETS))
def test_what_stands_for_no_octets(text):
    """INJ-07"""
    machine = greeted_client()
    refused(machine, lambda: Mail(Mailbox(text, "x.y"), ext.UTF8(True)))
    refused(machine, lambda: Noop(text))
    server = reach(State.READY)
    server.receive_data(b"NOOP\r\n")
    server.next_event()
    before = snapshot(server)
    with pytest.raises((ValueError, LocalProtocolError)):
        server.reply(Reply(250, text))
    with pytest.raises((ValueError, LocalProtocolError)):
        server.accept(text)
    assert snapshot(server) == before


#: What makes the machine ask its application, by state.
_ASKING = {State.CONNECTED: b"NOOP", State.READY: EHLO, State.CONTENT: b".\r\n", State.AUTHENTICATING: b"YWJj\r\n"}


@pytest.mark.parametrize("text", ["no\r\n250 ok", "a\nb", "a\rb", "a\0b", "a\x1bb", "a\x7f"], ids=ascii)
@pytest.mark.parametrize("state", list(_ASKING), ids=lambda state: state.name)
def test_reply_text_is_one_line(text, state):
    """INJ-08"""
    machine = reach(state)
    machine.receive_data(_ASKING[state])
    machine.next_event()
    before = snapshot(machine)
    for call in (
        lambda: machine.reply(Reply(550, text)),
        lambda: machine.reply(Reply(550, ["ok", text])),
        lambda: machine.accept(text),
        lambda: machine.close(Reply(421, text)),
    ):
        with pytest.raises(ParseError):
            call()
    assert snapshot(machine) == before
    machine.accept()


def test_reply_lines_are_one_reply():
    """INJ-08"""
    machine = reach(State.READY)
    machine.receive_data(b"NOOP\r\n")
    machine.next_event()
    machine.reply(Reply(550, ["no", "250 ok"], "5.7.1"))
    assert machine.data_to_send() == b"550-5.7.1 no\r\n550 5.7.1 250 ok\r\n"


@pytest.mark.parametrize("misuse", ["250 ok", b"250 ok", 250, None], ids=repr)
def test_only_replies_are_replies(misuse):
    """INJ-08"""
    machine = reach(State.READY)
    machine.receive_data(b"NOOP\r\n")
    machine.next_event()
    before = snapshot(machine)
    for call in (machine.reply, machine.close):
        with pytest.raises(TypeError):
            call(misuse)
    assert snapshot(machine) == before


@pytest.mark.parametrize(
    "line",
    [
        b"XEVIL " + b"<script>" * 100,
        b"MAIL FROM:<" + b"evil" * 200,
        b"EHLO \x1b[2Jevil",
        b"RCPT TO:<a@b> \x7f",
        b"VRFY \xff\xfe",
        b"MAIL FROM:<a@b> EVIL=1",
    ],
    ids=lambda line: line[:10].decode("latin-1"),
)
def test_what_a_client_wrote_is_not_echoed(line):
    """INJ-09: neither in replies, nor more than a hundred octets of it in events."""
    trace = run_server_cut(line + b"\r\n", before=EHLO)
    (event,) = trace.events
    assert isinstance(event, CommandRejected)
    assert event.line == line[:100]
    assert b"evil" not in trace.output.lower() or b"EVIL not recognized" in trace.output
    assert b"<script>" not in trace.output
    assert len(trace.output) < 200
    assert trace.output[:-2].isascii()
    assert trace.output[:-2].decode().isprintable()


def test_the_name_of_a_client_is_cut_in_the_greeting():
    """INJ-09"""
    assert b"greets " + b"x" * 100 + b"\r\n" in run_server([b"HELO " + b"x" * 250 + b"\r\n"]).output
    trace = run_server(["EHLO b\u00fccher.example\r\n".encode()], capabilities=FULL)
    assert trace.output.isascii()


@pytest.mark.parametrize("response", [b"a\r\nb", b"\r\n", b"\0"], ids=repr)
def test_responses_are_base64_on_one_line(response):
    """INJ-10: octets of any kind go as base64, so there is nothing to inject with."""
    pair = Pair().meet(State.AUTHENTICATING)
    pair.client.send(AuthResponse(response))
    wire = pair.client.data_to_send()
    assert wire.count(b"\r") == wire.count(b"\n") == 1
    assert run_server([wire], machine=pair.server).codes == [235]


@pytest.mark.parametrize("response", ["YWJj\r\n", "YWJj", 5], ids=repr)
def test_responses_are_octets(response):
    """INJ-10"""
    pair = Pair().meet(State.AUTHENTICATING)
    refused(pair.client, lambda: AuthResponse(response))
    server = reach(State.READY)
    server.receive_data(b"AUTH PLAIN\r\n")
    server.next_event()
    before = snapshot(server)
    with pytest.raises(TypeError):
        server.challenge(response)
    assert snapshot(server) == before


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"MAIL FROM:<a@b> =X", 501),
        (b"MAIL FROM:<a@b> SIZE=1 SIZE=2", 501),
        (b"MAIL FROM:<a@b> SIZE=", 501),
        (b"MAIL FROM:<a@b> SIZE", 501),
        (b"MAIL FROM:<a@b> AUTH=+0D+0A", 501),
        (b"MAIL FROM:<a@b> AUTH=a+00@b", 501),
        (b"MAIL FROM:<a@b>  SIZE=1", 501),
        (b"MAIL FROM:<a@b> SIZE=1_0", 501),
        (b"MAIL FROM:<a@b> BODY=TRINARYMIME", 501),
        (b"MAIL FROM:<a@b> X=1", 555),
        (b"MAIL FROM:<a@b>SIZE=1", 501),
    ],
    ids=lambda value: value.decode() if isinstance(value, bytes) else None,
)
def test_parameters_out_of_shape(line, code):
    """INJ-11, INJ-04"""
    trace = run_server_cut(line + b"\r\nNOOP\r\n", before=EHLO)
    assert trace.codes == [code, 250]
    assert trace.state is State.READY


@pytest.mark.parametrize("local_part", [b";id;", b"${run{x}}", b"-oQ/tmp", b"|sh", b"`id`", b"%s%n"], ids=repr)
def test_shells_are_no_business_of_ours(local_part):
    """INJ-12: data, and handed on as it came."""
    quoted = b'"%b"' % local_part if b";" in local_part else local_part
    trace = run_server_cut(b"MAIL FROM:<%b@x.y>\r\n" % quoted, before=EHLO)
    assert trace.codes == [250]
    (event,) = trace.events
    assert event.command.sender.local_part == local_part.decode()


@pytest.mark.parametrize(
    "line",
    [
        b"NOOP\nMAIL FROM:<e@x>",
        b"NOOP\rMAIL FROM:<e@x>",
        b"NOOP \0MAIL FROM:<e@x>",
        b"MAIL FROM:<a@b>\nRCPT TO:<c@d>",
        b"QUIT\n",
        b"QUIT\r",
        b"\nQUIT",
        b"EHLO a\rb",
        b"NOOP\n.\nQUIT",
    ],
    ids=repr,
)
def test_bare_newlines_never_split_a_line(line):
    """Section 1.3: the whole line is rejected, and what stands behind it is in step."""
    trace = run_server_cut(line + b"\r\nNOOP\r\n", before=EHLO + ENVELOPE)
    assert trace.codes == [500, 250]
    assert b"5.5.2" in trace.output
    assert trace.events[0] == CommandRejected(line, trace.events[0].reply)
    assert trace.state is State.RCPT


def test_hostname_of_the_server():
    for name in ("a\r\n250 ok", "", "a b", "a\0"):
        with pytest.raises(ParseError):
            ServerConnection(name)
