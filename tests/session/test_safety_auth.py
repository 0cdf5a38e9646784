"""AUTH on both machines: the vectors AU-01 to AU-11 and AU-17, as far as they are no mechanism's business."""

from __future__ import annotations

import pytest

from smtpcore import (
    PAUSED,
    Auth,
    AuthResponse,
    Capabilities,
    CommandReceived,
    CommandRejected,
    LocalProtocolError,
    Mail,
    Noop,
    Reply,
    ReplyReceived,
    Rset,
    Secret,
    State,
)
from smtpcore import extensions as ext
from tests.session.helpers import (
    ALICE,
    EHLO,
    FULL,
    Pair,
    answer,
    answering,
    greeted_client,
    make_server,
    reach,
    run_client_cut,
    run_server,
    run_server_cut,
    untyped,
)
from tests.session.looking import snapshot


def asked(trace):
    """What the application was asked."""
    return [event.command for event in trace.events if isinstance(event, CommandReceived)]


def test_empty_initial_response():
    """AU-01: not the same as none."""
    trace = run_server_cut(b"AUTH PLAIN =\r\n", before=EHLO)
    assert asked(trace) == [Auth("PLAIN", b"")]
    assert asked(trace) != [Auth("PLAIN")]
    assert bytes(Auth("PLAIN", b"")) == b"AUTH PLAIN =\r\n"


def test_empty_challenge():
    """AU-02: the space is part of it."""
    trace = run_server_cut(b"AUTH PLAIN\r\n", before=EHLO)
    assert trace.output == b"334 \r\n"
    assert trace.state is State.AUTHENTICATING
    trace = run_server_cut(b"AUTH PLAIN\r\nAGEAYg==\r\nNOOP\r\n", before=EHLO)
    assert trace.codes == [334, 235, 250]
    assert asked(trace) == [Auth("PLAIN"), AuthResponse(b"\0a\0b"), Noop()]


def test_empty_response():
    trace = run_server_cut(b"AUTH PLAIN\r\n\r\nNOOP\r\n", before=EHLO)
    assert asked(trace)[1] == AuthResponse(b"")
    assert bytes(AuthResponse(b"")) == b"\r\n"


def test_cancelled():
    """AU-03"""
    trace = run_server_cut(b"AUTH PLAIN\r\n*\r\nNOOP\r\nMAIL FROM:<>\r\n", before=EHLO)
    assert trace.codes == [334, 501, 250, 250]
    assert b"501 5.7.0 " in trace.output
    assert [command.verb for command in asked(trace)] == ["AUTH", "NOOP", "MAIL"]
    pair = Pair().meet(State.AUTHENTICATING)
    (reply,) = pair.exchange(AuthResponse(None))
    assert reply.code == 501
    assert pair.client.state is pair.server.state is State.READY
    assert not pair.client.authenticated
    assert not pair.server.session.authenticated


@pytest.mark.parametrize("code", [235, 250, 334, 454, 501, 535])
def test_giving_up_is_no_success(code):
    """AU-03, I17: whatever a server says to ``*``, the client is not authenticated."""
    machine = greeted_client()
    machine.send(Auth("PLAIN"))
    answer(machine, b"334 \r\n")
    machine.send(AuthResponse(None))
    answer(machine, b"%d what\r\n" % code)
    assert not machine.authenticated
    assert machine.state is (State.AUTHENTICATING if code == 334 else State.READY)


BAD = {
    "space": b"YW Jj",
    "lf": b"YWJj\n",
    "no-padding": b"YQ",
    "twice": b"YQ==YQ==",
    "padding-only": b"====",
    "url-alphabet": b"-_-_",
    "too-much-padding": b"Y===",
    "stray-padding": b"YWJj=",
    "stray-bits": b"YR==",
    "tab": b"\tYWJj",
    "star-and-more": b"*YWJj",
    "high": b"\xff\xff\xff\xff",
}


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in BAD.items()])
def test_what_is_no_base64(text):
    """AU-04: within the exchange, and as an initial response."""
    trace = run_server_cut(text + b"\r\nNOOP\r\n", before=EHLO + b"AUTH PLAIN\r\n")
    assert trace.codes == [501, 250]
    assert trace.output.startswith(b"501 5.5.2 ")
    assert trace.events[0] == CommandRejected(b"", trace.events[0].reply)
    trace = run_server_cut(b"AUTH PLAIN " + text + b"\r\nNOOP\r\n", before=EHLO)
    assert trace.codes == [500 if b"\n" in text else 501, 250]
    assert trace.output[4:9] == b"5.5.2"
    assert trace.events[0].line == b"AUTH"


@pytest.mark.parametrize("state", [State.MAIL, State.RCPT], ids=lambda state: state.name)
def test_auth_in_a_transaction(state):
    """AU-05: RFC 4954 s4"""
    machine = reach(state)
    trace = run_server([b"AUTH PLAIN AGEAYg==\r\nNOOP\r\n"], machine=machine)
    assert trace.codes == [503, 250]
    assert trace.state is state
    client = Pair().meet(state).client
    before = snapshot(client)
    with pytest.raises(LocalProtocolError, match="AUTH has no place"):
        client.send(Auth("PLAIN", b"\0a\0b"))
    assert snapshot(client) == before


def test_auth_once_only():
    """AU-06"""
    trace = run_server_cut(b"AUTH PLAIN AGEAYg==\r\nAUTH PLAIN AGEAYg==\r\n" + EHLO, before=EHLO)
    assert trace.codes == [235, 503, 250]
    assert b"AUTH" not in trace.output


@pytest.mark.parametrize("before", [b"", b"HELO crepes.fr\r\n"], ids=["nothing", "HELO"])
def test_auth_needs_ehlo(before):
    """AU-06"""
    trace = run_server_cut(b"AUTH PLAIN AGEAYg==\r\n", before=before)
    assert trace.codes == [503]


def test_mechanism_nobody_has():
    """AU-07"""
    trace = run_server_cut(b"AUTH X\r\nauth plain =\r\n", before=EHLO)
    assert trace.codes == [504, 235]
    assert trace.output.startswith(b"504 5.5.4 ")
    assert asked(trace) == [Auth("PLAIN", b"")]
    assert Auth("plain") == Auth("PLAIN")


@pytest.mark.parametrize(
    "line",
    [b"AUTH PLAIN a b", b"AUTH ", b"AUTH", b"AUTH " + b"X" * 21, b"AUTH PLA!N", b"AUTH  PLAIN", b"AUTH \xc5\xbf"],
    ids=repr,
)
def test_auth_out_of_shape(line):
    """AU-08"""
    trace = run_server_cut(line + b"\r\nNOOP\r\n", before=EHLO)
    assert trace.codes == [501, 250]
    assert trace.events[0].line == b"AUTH"
    assert trace.state is State.READY


def test_what_is_in_a_response_is_not_ours_to_judge():
    """AU-09, AU-10: the three fields are the mechanism's; the machine hands the octets on as they are."""
    for octets in (b"\0u\0p", b"z\0u\0p", b"u\0p", b"\0u\0p\0x", b"\xff\xfe", b"a\r\nb", b"x" * 300):
        machine = reach(State.AUTHENTICATING)
        machine.receive_data(bytes(AuthResponse(octets)))
        event = machine.next_event()
        assert event == CommandReceived(AuthResponse(octets))
        assert event.command.response.reveal() == octets


@pytest.mark.parametrize(
    "reply",
    [
        Reply(535, "no", "5.7.8"),
        Reply(534, "too weak", "5.7.9"),
        Reply(454, "not now", "4.7.0"),
        Reply(432, "a password transition is needed", "4.7.12"),
        Reply(501, "malformed", "5.5.2"),
    ],
    ids=lambda reply: str(reply.code),
)
@pytest.mark.parametrize("rounds", [0, 1], ids=["AUTH", "response"])
def test_refused_by_the_application(reply, rounds):
    """AU-11: whatever the application answers, the state is that before AUTH."""
    kind = AuthResponse if rounds else Auth
    data = b"AUTH PLAIN\r\nAGEAYg==\r\n" if rounds else b"AUTH PLAIN AGEAYg==\r\n"
    trace = run_server_cut(data + b"MAIL FROM:<>\r\n", before=EHLO, application=answering({kind: reply}))
    assert trace.codes == [*[334] * rounds, reply.code, 250]
    pair = Pair(answering({kind: reply})).meet(State.READY)
    replies = pair.exchange(Auth("PLAIN", None if rounds else b"\0alice\0sesame"))
    if rounds:
        replies = pair.exchange(AuthResponse(b"\0alice\0sesame"))
    assert replies[-1] == reply
    assert pair.client.state is pair.server.state is State.READY
    assert not pair.client.authenticated
    assert not pair.server.session.authenticated


def test_refused_by_the_machine():
    """AU-11: 538 without TLS, 504, 500 too long; and none of it for a server that has no AUTH."""
    assert run_server([b"AUTH PLAIN AGEAYg==\r\n"], before=EHLO, allow_plaintext_auth=False).codes == [538]
    assert run_server([b"AUTH PLAIN AGEAYg==\r\n"], before=EHLO, capabilities=Capabilities(ext.SIZE(0))).codes == [502]


def test_mail_without_auth():
    machine = make_server(require_auth=True)
    trace = run_server([EHLO + b"MAIL FROM:<>\r\nVRFY x\r\nAUTH PLAIN AGEAYg==\r\nMAIL FROM:<>\r\n"], machine=machine)
    assert trace.codes == [250, 530, 252, 235, 250]
    assert b"530 5.7.0 " in trace.output


def test_success_at_once():
    """235 to AUTH itself, although there was no response: law 3 takes it as it comes."""
    trace = run_client_cut(b"235 welcome\r\n", lambda: [Auth("EXTERNAL")])
    assert trace.state is State.READY
    pair = Pair(answering({Auth: Reply(235, "welcome")})).meet(State.READY)
    assert pair.exchange(Auth("PLAIN"))[0].code == 235
    assert pair.client.authenticated
    assert pair.server.session.authenticated
    assert pair.client.state is pair.server.state is State.READY


def test_commands_wait_for_the_exchange():
    pair = Pair().meet(State.AUTHENTICATING)
    assert pair.client.next_event() is PAUSED
    for command in (Mail(ALICE), Noop(), Auth("PLAIN")):
        with pytest.raises(LocalProtocolError):
            pair.client.send(command)
    machine = reach(State.AUTHENTICATING)
    assert run_server([b"MAIL FROM:<>\r\n"], machine=machine).codes == [501], "a line of the exchange, and no base64"


def test_challenges_belong_to_auth():
    for state, line in (
        (State.READY, b"NOOP\r\n"),
        (State.READY, b"MAIL FROM:<>\r\n"),
        (State.RCPT, b"DATA\r\n"),
        (State.CONTENT, b".\r\n"),
    ):
        machine = reach(state)
        machine.receive_data(line)
        machine.next_event()
        before = snapshot(machine)
        with pytest.raises(LocalProtocolError):
            machine.challenge(b"")
        assert snapshot(machine) == before


def test_reset_of_authentication():
    """RSET and EHLO end a transaction, not what AUTH has shown; STARTTLS ends that (RFC 3207 s4.2)."""
    trace = run_server([b"AUTH PLAIN AGEAYg==\r\nRSET\r\n" + EHLO + b"AUTH PLAIN AGEAYg==\r\n"], before=EHLO)
    assert trace.codes == [235, 250, 250, 503]


# -- secrets ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        (b"AUTH PLAIN c2VzYW1l!\r\n", [b"AUTH"]),
        (b"auth plain c2VzYW1l c2VzYW1l\r\n", [b"auth"]),
        (b" AUTH PLAIN c2VzYW1l\r\n", [b" AUTH"]),
        (b"\tAUTH PLAIN c2VzYW1l\r\n", [b"\tAUTH"]),
        (b"AUTHPLAIN c2VzYW1l\r\n", [b"AUTH"]),
        (b"NOOP\nAUTH PLAIN c2VzYW1l\r\n", [b"NOOP\nAUTH"]),
        (b"AUTH X\r\nc2VzYW1l\r\n", [b"AUTH", b""]),
        (b"AUTH LOGIN=\r\nc2VzYW1l\r\nc2VzYW1l\r\n", [b"AUTH", b"", b""]),
        (b"AUTH X\r\n" + b"c2VzYW1l" * 300 + b"\r\n", [b"AUTH", b""]),
        (b"AUTH X\r\nc2Vz\rYW1l\r\n", [b"AUTH", b""]),
        (b"AUTH PLAIN\r\nc2VzYW1l!\r\nc2VzYW1l\r\n", [b"", b""]),
        (b"AUTH PLAIN\r\n*\r\nc2VzYW1l\r\n", [b"", b""]),
        (b"MAIL FROM:<a@b> AUTH=<> X=1\r\n", [b"MAIL FROM:<a@b> AUTH=<> X=1"]),
        (b"EXPN authors \xff\r\n", [b"EXPN authors \xff"]),
    ],
    ids=lambda value: repr(value)[:40] if isinstance(value, bytes) else None,
)
def test_refused_lines_show_no_secret(lines, shown):
    """AU-17: a response that comes where a command should is a secret too."""
    trace = run_server_cut(lines, before=EHLO, capabilities=FULL)
    assert [event.line for event in trace.events if isinstance(event, CommandRejected)] == shown
    assert b"c2Vz" not in trace.output
    assert "c2VzYW1l" not in repr(trace.events)


@pytest.mark.parametrize("kind", [Auth, AuthResponse], ids=["AUTH", "response"])
def test_a_response_behind_a_refusal_of_the_application_is_a_secret(kind):
    """AU-17: a client that did not wait for the verdict."""
    data = b"AUTH LOGIN\r\nYWxpY2U=\r\nc2VzYW1l\r\n"
    trace = run_server_cut(data, before=EHLO, application=answering({kind: Reply(535, "no", "5.7.8")}))
    assert [event.line for event in trace.events if isinstance(event, CommandRejected)][-1] == b""
    assert "c2VzYW1l" not in repr(trace.events)


def test_a_line_without_end_is_no_secret_told():
    """AU-17"""
    trace = run_server([b"AUTH PLAIN " + b"c2VzYW1l" * 5000], before=EHLO)
    assert trace.codes == [421]
    assert trace.events[0].line == b"AUTH"
    trace = run_server([b"c2VzYW1l" * 5000], before=EHLO + b"AUTH PLAIN\r\n")
    assert trace.events[0].line == b""


@pytest.mark.parametrize(
    "reply",
    [
        b"535 \0alice\0sesame\r\n".replace(b"\0", b" "),
        b"535 you said AGFsaWNlAHNlc2FtZQ==\r\n",
        b"535-AGFsaWNlAHNlc2Ft\r\n535 ZQ==\r\n",
        b"501 c2VzYW1l\r\n",
        b"454 sesame\r\n",
        b"334 AGFsaWNlAHNlc2FtZQ==\r\n",
        b"235 2.7.0 sesame\r\n",
        b"421 sesame\r\n",
    ],
    ids=repr,
)
def test_replies_that_repeat_a_secret(reply):
    """AU-17"""
    trace = run_client_cut(reply, lambda: [Auth("PLAIN", b"\0alice\0sesame")])
    event = trace.events[0]
    assert isinstance(event, ReplyReceived)
    for hidden in ("sesame", "AGFsaWNlAHNlc2FtZQ", "c2VzYW1l", "HNlc2Ft"):
        assert hidden not in repr(event) + str(event.reply) + repr(event.reply.raw) + repr(bytes(event.reply))
    assert event.reply.code == int(reply[:3])


def test_a_secret_that_waits_for_its_reply_is_hidden_from_replies_before_it():
    """AU-17: the mechanism's exchange decides when a secret is done with, not the reply to what went ahead of it."""
    machine = greeted_client()
    for command in (Rset(), Auth("PLAIN", b"\0alice\0sesame")):
        machine.send(command)
    machine.receive_data(b"250 ok\r\n535 you said AGFsaWNlAHNlc2FtZQ==\r\n")
    assert machine.next_event().reply.code == 250
    answer = machine.next_event()
    assert isinstance(answer.command, Auth)
    assert "AGFsaWNl" not in str(answer.reply)


def test_errors_that_repeat_a_secret():
    """AU-17: what is no reply is quoted in the error, without the secret."""
    trace = run_client_cut(b"AUTH PLAIN AGFsaWNlAHNlc2FtZQ==\r\n", lambda: [Auth("PLAIN", b"\0alice\0sesame")])
    assert "not a reply line" in trace.error
    assert "AGFsaWNl" not in trace.error


def test_secrets_as_given():
    """A Secret, octets, or nothing; never a text, which would show."""
    assert Auth("PLAIN", Secret(b"x")) == Auth("PLAIN", b"x") == untyped.Auth("PLAIN", bytearray(b"x"))
    for misuse in ("x", 5, ["x"]):
        with pytest.raises(TypeError):
            untyped.Auth("PLAIN", misuse)
        with pytest.raises(TypeError):
            untyped.AuthResponse(misuse)
