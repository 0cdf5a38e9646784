"""XCLIENT and XFORWARD: the sentences of Postfix's XCLIENT_README and XFORWARD_README, on both machines."""

from __future__ import annotations

from typing import Any

import pytest

from smtpcore import (
    Auth,
    Capabilities,
    CommandReceived,
    CommandSkipped,
    Data,
    Ehlo,
    LocalProtocolError,
    Mail,
    Noop,
    ParseError,
    Quit,
    Rcpt,
    RemoteProtocolError,
    Reply,
    Rset,
    ServerConnection,
    ServerLimits,
    StartTls,
    State,
)
from smtpcore import extensions as ext
from smtpcore.extensions import MessageSource, Unavailable, XClient, XForward
from tests.session.helpers import (
    ALICE,
    BOB,
    EHLO,
    ENVELOPE,
    FULL,
    OFFER,
    Pair,
    answer,
    greeted_client,
    make_server,
    obliging,
    reach,
    refusing,
    run_client_cut,
    run_server,
    skipped,
)

NOBODY, NOT_NOW = Unavailable.UNAVAILABLE, Unavailable.TEMPUNAVAIL
SPIKE = XClient(name="spike.porcupine.org", address="168.100.189.2")
LINES: list[tuple[Any, bytes]] = [
    (SPIKE, b"XCLIENT NAME=spike.porcupine.org ADDR=168.100.189.2\r\n"),
    (XClient(name=NOT_NOW, address=NOBODY), b"XCLIENT NAME=[TEMPUNAVAIL] ADDR=[UNAVAILABLE]\r\n"),
    (XClient(address="2001:db8::1"), b"XCLIENT ADDR=IPV6:2001:db8::1\r\n"),
    (XClient(port=65_535, protocol="ESMTP"), b"XCLIENT PORT=65535 PROTO=ESMTP\r\n"),
    (XClient(helo="[192.0.2.1]"), b"XCLIENT HELO=[192.0.2.1]\r\n"),
    (XClient(login="al ice+é="), b"XCLIENT LOGIN=al+20ice+2B+C3+A9+3D\r\n"),
    (XClient(destination_address="::1", destination_port=25), b"XCLIENT DESTADDR=IPV6:::1 DESTPORT=25\r\n"),
    (XForward(name="spike", address="x!y", port=NOBODY), b"XFORWARD NAME=spike ADDR=x!y PORT=[UNAVAILABLE]\r\n"),
    (XForward(address="2001:db8::1"), b"XFORWARD ADDR=IPV6:2001:db8::1\r\n"),
    (XForward(source=MessageSource.LOCAL, identifier="4711"), b"XFORWARD IDENT=4711 SOURCE=LOCAL\r\n"),
    (XForward(protocol="p" * 64, source=NOBODY), b"XFORWARD PROTO=" + b"p" * 64 + b" SOURCE=[UNAVAILABLE]\r\n"),
]


@pytest.mark.parametrize(("command", "line"), LINES, ids=lambda value: repr(value)[:40])
def test_what_travels(command, line):
    assert bytes(command) == line
    code = 220 if isinstance(command, XClient) else 250
    for written in (line, line.replace(b"XC", b"xc"), line[:-2] + b" \r\n"):
        trace = run_trusted(written)
        assert trace.events == [CommandReceived(command)]
        assert trace.codes == [code]
    pair = Pair().meet(State.READY)
    assert [reply.code for reply in pair.exchange(command)] == [code]
    assert pair.client.state is pair.server.state


def run_trusted(data: bytes, before: bytes = EHLO, **options: Any) -> Any:
    """Whole and in every cut: a server that trusts its client."""
    whole = run_server([data], machine=make_server(**options), before=before)
    for at in range(1, len(data)):
        assert run_server([data[:at], data[at:]], machine=make_server(**options), before=before) == whole
    octets = [data[at : at + 1] for at in range(len(data))]
    assert run_server(octets, machine=make_server(**options), before=before) == whole
    return whole


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"xclient name=[unavailable] addr=ipv6:::1\r\n", XClient(name=NOBODY, address="::1")),
        (b"XCLIENT PROTO=smtp\r\n", XClient(protocol="SMTP")),
        (b"XCLIENT NAME=[TempUnavail]\r\n", XClient(name=NOT_NOW)),
        (b"XFORWARD SOURCE=remote\r\n", XForward(source=MessageSource.REMOTE)),
        (b"XFORWARD HELO=+61+2Db\r\n", XForward(helo="a-b")),
    ],
)
def test_what_is_read(line, command):
    assert run_trusted(line).events == [CommandReceived(command)]


def wrong(kind: Any, **values: Any) -> Any:
    return pytest.param(kind, values, id=f"{kind.__name__}-{values}"[:60])


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        wrong(XClient), wrong(XForward), wrong(XClient, name="a b"), wrong(XClient, name="a@b"),
        wrong(XClient, name=""),
        wrong(XClient, name=5), wrong(XClient, address="spike"), wrong(XClient, address="[192.0.2.1]"),
        wrong(XClient, address="192.0.2.256"), wrong(XClient, address="IPV6:::1"), wrong(XClient, address=NOT_NOW),
        wrong(XClient, port=0), wrong(XClient, port=65_536), wrong(XClient, port="25"), wrong(XClient, port=True),
        wrong(XClient, protocol="LMTP"), wrong(XClient, protocol=NOBODY), wrong(XClient, helo="a\r\nQUIT"),
        wrong(XClient, helo="<a>"), wrong(XClient, helo="(a)"), wrong(XClient, helo="é"), wrong(XClient, login="a\0b"),
        wrong(XClient, login="l" * 256), wrong(XForward, protocol="p" * 65), wrong(XForward, source="LOCAL"),
        wrong(XForward, name="a b"), wrong(XForward, name='"a"'), wrong(XForward, name=NOT_NOW),
        wrong(XForward, identifier="a;b"), wrong(XForward, address="a,b"), wrong(XForward, name="n" * 256),
    ],
)  # fmt: skip
def test_what_is_none(kind, values):
    with pytest.raises(ParseError):
        kind(**values)


@pytest.mark.parametrize(
    "line",
    [
        b"XCLIENT", b"XCLIENT NAME", b"XCLIENT NAME=", b"XCLIENT NAME=a NAME=b", b"XCLIENT  NAME=a", b"XCLIENT FOO=a",
        b"XCLIENT IDENT=a", b"XCLIENT NAME=a+0D+0AQUIT", b"XCLIENT NAME=a+zz", b"XCLIENT ADDR=::1", b"XFORWARD",
        b"XFORWARD LOGIN=a", b"XFORWARD NAME=a=b", b"XFORWARD NAME=+C3+28", b"XFORWARD PORT=+32 PORT=5",
        b"XCLIENT PORT=\xd9\xa3", b"XCLIENT PORT=+D9+A3",
    ],
)  # fmt: skip
def test_what_cannot_be_read(line):
    trace = run_trusted(line + b"\r\nNOOP\r\n")
    assert trace.codes == [501, 250]
    assert trace.events[-1].command == Noop()


def test_a_line_has_512_octets():
    """The limit is exact, and what is too long is said in two commands."""
    room = 512 - 2 - len("XCLIENT HELO= LOGIN=") - 255
    longest = XClient(helo="h" * 255, login="l" * room)
    assert len(bytes(longest)) == 512
    client = greeted_client()
    longer = XClient(helo="h" * 255, login="l" * (room + 1))
    with pytest.raises(ParseError, match="longer than 512 octets"):
        client.send(longer)
    assert client.data_to_send() == b""
    client.send(longest)


# -- who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", [b"XCLIENT NAME=a\r\n", b"XFORWARD NAME=a\r\n"])
def test_nobody_is_trusted_by_default(line):
    machine = ServerConnection("hamburger.edu", FULL)
    trace = run_server([EHLO, line], machine=machine)
    assert b"XCLIENT" not in trace.output
    assert b"XFORWARD" not in trace.output
    assert trace.codes == [250, 550]
    assert (machine.session.xclient, machine.session.xforward) == (None, None)


@pytest.mark.parametrize("line", [b"XCLIENT NAME=a\r\n", b"XFORWARD NAME=a\r\n"])
def test_who_is_trusted_is_offered_it(line):
    trace = run_trusted(line, before=b"")
    assert trace.codes == [503], "before EHLO"
    trace = run_server([EHLO], machine=make_server())
    assert b"\r\n250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT\r\n" in trace.output
    assert b"\r\n250-XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n" in trace.output
    assert run_trusted(line, capabilities=Capabilities(ext.PIPELINING)).codes == [502]
    assert run_trusted(line, before=b"HELO x\r\n").codes == [503]
    assert run_trusted(line, require_tls=True).codes == [530]


def test_only_the_attributes_that_are_offered():
    offered = Capabilities(ext.XCLIENT.offer(("NAME",)), ext.XFORWARD.offer(("ADDR",)))
    assert run_trusted(b"XCLIENT NAME=a PORT=5\r\n", capabilities=offered).codes == [501]
    assert run_trusted(b"XCLIENT NAME=a\r\n", capabilities=offered).codes == [220]
    assert run_trusted(b"XFORWARD NAME=a\r\n", capabilities=offered).codes == [501]
    assert run_trusted(b"XFORWARD ADDR=a\r\n", capabilities=offered).codes == [250]
    with pytest.raises(ParseError, match="no attribute of XCLIENT"):
        ext.XCLIENT.offer(("IDENT",))
    assert ext.XCLIENT.decode("name  Addr") == ("NAME", "ADDR")


@pytest.mark.parametrize("state", [State.GREETED, State.MAIL, State.RCPT, State.CHUNKS, State.SPOILT])
@pytest.mark.parametrize("command", [SPIKE, XForward(name="a")], ids=["XCLIENT", "XFORWARD"])
def test_not_within_a_transaction(state, command):
    """503 "mail transaction in progress"."""
    server = reach(state)
    server.receive_data(bytes(command))
    assert server.next_event().reply.code == 503
    assert server.state is state
    assert not server.session.proxied
    client = Pair().meet(state).client
    with pytest.raises(LocalProtocolError, match=r"no place|does not offer XCLIENT"):
        client.send(command)


# -- XCLIENT begins the session anew --------------------------------------------------------------


def test_the_session_begins_anew():
    """ "the server resets state to the initial SMTP greeting protocol stage" """
    pair = Pair().meet(State.READY)
    pair.exchange(Auth("PLAIN", b"\0alice\0sesame"))
    pair.exchange(XForward(name="a"))
    session = pair.server.session
    assert (session.client, session.esmtp, session.enhanced, session.authenticated) == ("crepes.fr", True, True, True)
    assert pair.exchange(SPIKE) == [Reply(220, "hamburger.edu ESMTP")]
    assert (session.client, session.esmtp, session.enhanced, session.authenticated) == (None, False, False, False)
    assert (session.xclient, session.xforward) == (SPIKE, None)
    assert session.offered == pair.client.capabilities == Capabilities()
    assert not pair.client.authenticated
    assert pair.client.state is pair.server.state is State.GREETED
    for command in (Mail(ALICE), SPIKE, Auth("PLAIN", b"")):
        with pytest.raises(LocalProtocolError):
            pair.client.send(command)
    assert [reply.code for reply in pair.exchange(Ehlo("spike.porcupine.org"))] == [250]
    assert [reply.code for reply in pair.exchange(Mail(ALICE), Rcpt(BOB), Data())] == [250, 250, 354]
    assert pair.message(b"x\r\n").code == 250
    assert session.xclient == SPIKE, "XCLIENT attributes persist until the end of an SMTP session"


@pytest.mark.parametrize("reply", [Reply(code, "no", f"{code // 100}.7.1") for code in (421, 450, 550, 554)])
def test_a_refusal_changes_nothing(reply):
    pair = Pair().meet(State.READY)
    offered = pair.client.capabilities
    pair.application = lambda machine, _: machine.reply(reply)
    assert pair.exchange(SPIKE) == [reply]
    state = State.CLOSED if reply.code == 421 else State.READY
    assert pair.client.state is pair.server.state is state
    assert pair.server.session.xclient is None
    assert pair.client.capabilities == offered


def test_several_add_up():
    machine = make_server()
    run_server(
        [EHLO, b"XCLIENT HELO=a PROTO=SMTP PORT=5\r\n", EHLO, b"XCLIENT HELO=b ADDR=192.0.2.1\r\n"], machine=machine
    )
    assert machine.session.xclient == XClient(helo="b", protocol="SMTP", port=5, address="192.0.2.1")


def test_several_in_a_row():
    """ "The XCLIENT command may be sent at any time": swaks says them without an EHLO between them."""
    trace = run_trusted(b"XCLIENT HELO=a\r\nXCLIENT PORT=5\r\nXCLIENT ADDR=192.0.2.1\r\nXCLIENT NAME=b\r\n" + EHLO)
    assert trace.codes == [220, 220, 220, 550, 250]
    machine = make_server()
    run_server([EHLO, b"XCLIENT HELO=a\r\nXCLIENT PORT=5\r\n"], machine=machine)
    assert machine.session.xclient == XClient(helo="a", port=5)
    assert run_trusted(b"XCLIENT NAME=a\r\nXFORWARD NAME=a\r\nAUTH PLAIN\r\n").codes == [220, 503, 503]


@pytest.mark.parametrize(
    ("said", "trusted"),
    [(b"NAME=a", True), (b"ADDR=192.0.2.1", False), (b"ADDR=[UNAVAILABLE]", False), (b"LOGIN=alice", True)],
)
def test_whom_it_speaks_for_is_not_trusted(said, trusted):
    """A proxy hands on what its client says: that must not be XCLIENT."""
    trace = run_trusted(b"XCLIENT " + said + b"\r\n" + EHLO + b"XCLIENT NAME=b\r\n")
    assert trace.codes == [220, 250, 220 if trusted else 550]
    assert (b"-XCLIENT" in trace.output) is trusted
    machine = make_server()
    run_server([EHLO, b"XCLIENT " + said + b"\r\n"], machine=machine)
    machine.trust()
    assert run_server([EHLO, b"XCLIENT NAME=b\r\n"], machine=machine).codes == [250, 220], "as the application says"


def test_starttls_brings_nobody_back():
    """TLS forgets what came before it (RFC 3207 s4.2): the proxy itself would stand there again, and be trusted."""
    trace = run_trusted(b"XCLIENT NAME=a\r\n" + EHLO + b"STARTTLS\r\n")
    assert trace.codes == [220, 250, 503]
    assert b"STARTTLS" not in trace.output
    machine = reach(State.UPGRADING)
    machine.tls_established()
    assert machine.session.trusted, "which the application has said, not the client"
    assert run_server([EHLO, b"XCLIENT NAME=a\r\n"], machine=machine).codes == [250, 220]


def test_tls_stays():
    pair = Pair().meet(State.READY)
    pair.upgrade()
    pair.exchange(Ehlo("crepes.fr"), SPIKE, Ehlo("crepes.fr"))
    assert pair.server.session.tls
    assert pair.client.tls
    with pytest.raises(LocalProtocolError, match="does not offer STARTTLS"):
        pair.client.send(StartTls())


@pytest.mark.parametrize(("login", "authenticated"), [("alice", True), (NOBODY, False), (None, False)])
def test_a_login_counts_as_one(login, authenticated):
    pair = Pair(server=make_server(require_auth=True)).meet(State.READY)
    pair.exchange(XClient(name="a", login=login), Ehlo("a"))
    assert pair.server.session.authenticated is authenticated
    assert ("AUTH" in pair.client.capabilities) is not authenticated
    assert [reply.code for reply in pair.exchange(Mail(ALICE))] == [250 if authenticated else 530]


def test_it_counts_as_a_command_without_a_message():
    limits = ServerLimits(idle_commands=4)
    trace = run_server([EHLO, *[b"XCLIENT NAME=a\r\n", EHLO] * 4], machine=make_server(limits=limits))
    assert trace.codes == [250, 220, 250, 220, 421]


def test_a_client_says_it_all_at_once():
    """EHLO and what needs no offer may be queued behind it; nothing of that goes ahead of the new greeting."""
    client = greeted_client()
    for command in (SPIKE, Ehlo("spike"), Mail(ALICE), Rcpt(BOB)):
        client.send(command)
    assert client.data_to_send() == bytes(SPIKE)
    answer(client, b"220 again\r\n")
    assert client.data_to_send() == b"EHLO spike\r\n"
    answer(client, b"250-x\r\n250 PIPELINING\r\n")
    assert client.data_to_send() == ENVELOPE


def test_what_stands_behind_a_refused_one():
    """EHLO has its place there too; the session goes on as whom the server knows."""
    client = greeted_client()
    client.send(SPIKE)
    client.send(Ehlo("spike"))
    client.data_to_send()
    answer(client, b"550 no\r\n")
    assert client.data_to_send() == b"EHLO spike\r\n"
    assert skipped(answer(client, OFFER)) == []


def test_octets_of_the_old_session_behind_the_new_greeting():
    """A reply that nobody asked for breaks the protocol, as anywhere."""
    client = greeted_client()
    client.send(SPIKE)
    client.receive_data(b"220 again\r\n250-x\r\n250 XEVIL\r\n")
    client.next_event()
    with pytest.raises(RemoteProtocolError, match="without a command"):
        client.next_event()


@pytest.mark.parametrize(
    "replies", [b"220 x\r\n250-x\r\n250 SIZE 5\r\n", b"550 x\r\n250 x\r\n", b"220 x\r\n550 no\r\n"]
)
def test_replies_cut_anywhere(replies):
    trace = run_client_cut(replies, lambda: [SPIKE, Ehlo("a")])
    assert trace.error == ""
    assert len(trace.events) == 2


def test_where_a_server_does_not_offer_it():
    client = greeted_client(b"250-x\r\n250 PIPELINING\r\n")
    for command in (SPIKE, XForward(name="a")):
        with pytest.raises(LocalProtocolError, match=f"does not offer {command.verb}"):
            client.send(command)
    unknown = greeted_client()
    unknown.send(Ehlo("a"))
    unknown.send(SPIKE)
    assert answer(unknown, b"250 x\r\n")[-1] == CommandSkipped(SPIKE, "the server does not offer XCLIENT")


# -- XFORWARD belongs to a transaction ------------------------------------------------------------


def test_it_stands_until_the_transaction_has_ended():
    """ "At the end of the next MAIL FROM transaction (i.e. RSET or DOT), all XFORWARD attributes are reset" """
    pair = Pair().meet(State.READY)
    session = pair.server.session
    pair.exchange(XForward(name="a", port=5), XForward(name="b", source=MessageSource.LOCAL))
    both = XForward(name="b", port=5, source=MessageSource.LOCAL)
    assert session.xforward == both
    pair.exchange(Noop(), Mail(ALICE), Rcpt(BOB), Data())
    assert session.xforward == both
    seen = []

    def application(machine, command):
        seen.append(machine.session.xforward)
        obliging(machine, command)

    pair.application = application
    pair.message(b"x\r\n")
    assert seen == [both]
    assert session.xforward is None
    pair.exchange(XForward(port=7))
    assert session.xforward == XForward(port=7), "nothing is left of the one before"


@pytest.mark.parametrize("way_out", [Rset(), Ehlo("x")], ids=["RSET", "EHLO"])
@pytest.mark.parametrize("inside", [False, True])
def test_what_ends_a_transaction_drops_it(way_out, inside):
    pair = Pair().meet(State.READY)
    pair.exchange(XForward(name="a"), *[Mail(ALICE)] * inside, way_out)
    assert pair.server.session.xforward is None


def test_a_refused_mail_leaves_it():
    pair = Pair().meet(State.READY)
    pair.exchange(XForward(name="a"))
    pair.application = refusing
    pair.exchange(Mail(ALICE))
    assert pair.server.session.xforward == XForward(name="a")


def test_it_goes_in_one_group_with_the_envelope():
    """ "The command may be pipelined" """
    client = greeted_client()
    for command in (XForward(name="a"), XForward(port=5), Mail(ALICE), Rcpt(BOB), Data()):
        client.send(command)
    assert client.data_to_send() == b"XFORWARD NAME=a\r\nXFORWARD PORT=5\r\n" + ENVELOPE + b"DATA\r\n"


def test_rejected_content_drops_it_too():
    machine = make_server()
    run_server([EHLO + b"XFORWARD NAME=a\r\n" + ENVELOPE + b"DATA\r\na\nb\r\n.\r\n"], machine=machine)
    assert machine.session.xforward is None
    run_server([b"XFORWARD NAME=a\r\n" + ENVELOPE + b"BDAT 1 LAST\r\na"], machine=machine)
    assert machine.session.xforward is None
    run_server([b"XFORWARD NAME=a\r\n" + bytes(Quit())], machine=machine)
    assert machine.state is State.CLOSED
