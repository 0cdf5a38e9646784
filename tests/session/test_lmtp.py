"""LMTP, as both machines have it (RFC 2033): LHLO, and a reply for each recipient behind the content."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import (
    Capabilities,
    ClientConnection,
    CommandReceived,
    ConnectionClosed,
    ContentRejected,
    Data,
    Lhlo,
    LocalProtocolError,
    Mail,
    Mailbox,
    Noop,
    Rcpt,
    RemoteProtocolError,
    Reply,
    ReplyReceived,
    Rset,
    ServerConnection,
    ServerLimits,
    State,
    VerdictReceived,
)
from smtpcore import extensions as ext
from smtpcore.extensions import BdatLast
from tests.session.helpers import ALICE, Pair, answer, drain, obliging, run_server, run_server_cut

LHLO = b"LHLO crepes.fr\r\n"
OFFER = Capabilities(ext.PIPELINING, ext.ENHANCEDSTATUSCODES, ext.CHUNKING)
WHO = [Mailbox.parse(f"bob{n}@hamburger.edu") for n in range(3)]
YES, NO, LATER = Reply(250, "ok", "2.1.5"), Reply(550, "no", "5.1.1"), Reply(452, "full", "4.2.2")


def lmtp_server(**options: Any) -> ServerConnection:
    return ServerConnection("hamburger.edu", OFFER, lmtp=True, **options)


def envelope(count: int = 2) -> bytes:
    return LHLO + b"MAIL FROM:<>\r\n" + b"".join([b"RCPT TO:<%b>\r\n" % str(who).encode() for who in WHO[:count]])


def each(*replies: Reply) -> Any:
    """Answers the end of a content so."""

    def application(machine: ServerConnection, command: Any) -> None:
        if command.verb == "(end of content)" or (isinstance(command, BdatLast) and machine.receiving):
            machine.reply_each(replies)
        else:
            obliging(machine, command)

    return application


def pair_of(application: Any = obliging, **options: Any) -> Pair:
    return Pair(application, client=ClientConnection(lmtp=True), server=lmtp_server(**options))


# -- the server -----------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", [b"EHLO", b"HELO"])
def test_there_is_no_other_greeting(verb):
    """RFC 2033 s4.1: 500 is recommended."""
    trace = run_server_cut(verb + b" crepes.fr\r\n" + LHLO, machine=None, lmtp=True, capabilities=OFFER)
    assert trace.codes == [500, 250]
    assert trace.state is State.READY


def test_what_it_calls_itself():
    machine = lmtp_server()
    machine.greet()
    assert machine.data_to_send() == b"220 hamburger.edu LMTP\r\n"
    machine.receive_data(LHLO)
    assert machine.next_event() == CommandReceived(Lhlo("crepes.fr"))
    machine.accept()
    assert b"250-PIPELINING\r\n" in machine.data_to_send()
    assert machine.session.esmtp


@pytest.mark.parametrize("content", [b"DATA\r\na\r\n.\r\n", b"BDAT 3 LAST\r\na\r\n", b"BDAT 3\r\na\r\nBDAT 0 LAST\r\n"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_reply_for_each_recipient(content, count):
    before = len(run_server([content], before=envelope(count), lmtp=True, capabilities=OFFER).codes) - count
    trace = run_server_cut(content + b"NOOP\r\n", before=envelope(count), lmtp=True, capabilities=OFFER)
    assert trace.codes[before:] == [250] * count + [250]
    assert trace.state is State.READY


def test_duplicates_count():
    data = LHLO + b"MAIL FROM:<>\r\n" + b"RCPT TO:<a@b>\r\n" * 3 + b"BDAT 0 LAST\r\n"
    assert run_server_cut(data, lmtp=True, capabilities=OFFER).codes == [250] * 5 + [250] * 3


@pytest.mark.parametrize("content", [b"DATA\r\na\r\n.\r\n", b"BDAT 3 LAST\r\na\r\n"])
def test_replies_of_their_own(content):
    trace = run_server_cut(content, before=envelope(3), application=each(YES, NO, LATER), lmtp=True, capabilities=OFFER)
    assert trace.codes[-3:] == [250, 550, 452]
    assert trace.output.endswith(b"250 2.1.5 ok\r\n550 5.1.1 no\r\n452 4.2.2 full\r\n")
    assert trace.state is State.READY


@pytest.mark.parametrize("content", [b"DATA\r\na\nb\r\n.\r\n", b"BDAT 3 LAST\r\na\nb"])
def test_what_the_machine_refuses_it_refuses_for_each(content):
    trace = run_server_cut(content, before=envelope(2), lmtp=True, capabilities=OFFER)
    assert trace.codes[-2:] == [550, 550]
    assert trace.count(ContentRejected) == 1


def test_a_refused_chunk_has_one_reply():
    """The rest of them too: there is no message any more, and so no recipients."""
    data = b"BDAT 3\r\na\nbBDAT 0 LAST\r\nRSET\r\n"
    assert run_server_cut(data, before=envelope(2), lmtp=True, capabilities=OFFER).codes == [550, 503, 250]


def test_one_answer_for_all():
    for act in (lambda machine: machine.accept("taken"), lambda machine: machine.reply(Reply(250, "taken", "2.0.0"))):

        def application(machine: ServerConnection, command: Any, act: Any = act) -> None:
            act(machine) if command.verb == "(end of content)" else obliging(machine, command)

        trace = run_server(
            [b"DATA\r\n.\r\n"], before=envelope(3), application=application, lmtp=True, capabilities=OFFER
        )
        assert trace.output.endswith(b"250 2.0.0 taken\r\n" * 3)


def test_data_without_a_recipient():
    """RFC 2033 s4.2: 503, and not 354."""
    assert run_server_cut(b"DATA\r\n", before=envelope(0), lmtp=True, capabilities=OFFER).codes == [503]


def test_replies_that_do_not_fit():
    machine = lmtp_server()
    machine.greet()
    machine.receive_data(envelope(2) + b"DATA\r\n.\r\n")
    events: list[Any] = []

    def application(machine: ServerConnection, command: Any) -> None:
        if command.verb != "(end of content)":
            with pytest.raises(LocalProtocolError, match=r"for the end of a content"):
                machine.reply_each([YES, YES])
            machine.accept()
            return
        machine.data_to_send()
        for wrong in ([], [YES], [YES] * 3):
            with pytest.raises(LocalProtocolError, match=rf"{len(wrong)} replies for 2 recipients"):
                machine.reply_each(wrong)
        for code in (354, 421):
            with pytest.raises(LocalProtocolError, match=rf"{code} is no answer for a recipient"):
                machine.reply_each([YES, Reply(code)])
        with pytest.raises(TypeError):
            machine.reply_each([YES, None])  # type: ignore[list-item]  # what is tried
        assert machine.data_to_send() == b""
        machine.reply_each([YES, NO])

    drain(machine, application, events)
    assert machine.data_to_send() == b"250 2.1.5 ok\r\n550 5.1.1 no\r\n"


def test_replies_for_each_are_not_for_smtp():
    machine = ServerConnection("hamburger.edu", OFFER)
    machine.greet()
    with pytest.raises(LocalProtocolError, match=r"in LMTP"):
        run_server(
            [b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n.\r\n"], machine=machine, application=each(YES)
        )


def test_a_message_nobody_got_is_an_error():
    trace = run_server(
        [b"DATA\r\n.\r\n"] * 1,
        before=envelope(2),
        application=each(NO, LATER),
        lmtp=True,
        capabilities=OFFER,
        limits=ServerLimits(errors=0),
    )
    assert trace.codes[-3:] == [550, 452, 421]
    trace = run_server(
        [b"DATA\r\n.\r\n"],
        before=envelope(2),
        application=each(NO, YES),
        lmtp=True,
        capabilities=OFFER,
        limits=ServerLimits(errors=0),
    )
    assert trace.codes[-2:] == [550, 250]


# -- the client -----------------------------------------------------------------------------------


def sent(pair: Pair, count: int, *, chunked: bool) -> list[Any]:
    """The rcpts, and the command that the verdicts come back with."""
    rcpts = [Rcpt(who) for who in WHO[:count]]
    for command in (Mail(ALICE), *rcpts):
        pair.client.send(command)
    if chunked:
        pair.run()
        return [*rcpts, pair.client.send_chunk(b"a\r\n", last=True)]
    pair.client.send(Data())
    pair.run()
    pair.client.send_content(b"a\r\n")
    return [*rcpts, pair.client.end_content()]


@pytest.mark.parametrize("chunked", [False, True])
@given(answers=st.lists(st.sampled_from([YES, NO, LATER]), min_size=1, max_size=3))
def test_each_verdict_comes_with_its_recipient(chunked, answers):
    pair = pair_of(each(*answers))
    pair.client.send(Lhlo("crepes.fr"))
    pair.run()
    *rcpts, end = sent(pair, len(answers), chunked=chunked)
    events = pair.run()
    assert events == [VerdictReceived(reply, end, rcpt) for reply, rcpt in zip(answers, rcpts)]
    assert all(event.rcpt is rcpt and event.command is end for event, rcpt in zip(events, rcpts))
    assert pair.client.state is pair.server.state is State.READY
    assert pair.client.in_flight == ()
    # And the same again: nothing is left of them.
    *rcpts, end = sent(pair, len(answers), chunked=chunked)
    assert [event.rcpt for event in pair.run()] == rcpts


def test_only_accepted_recipients_have_a_verdict():
    def application(machine: ServerConnection, command: Any) -> None:
        if isinstance(command, Rcpt) and command.recipient == WHO[1]:
            machine.reply(NO)
        else:
            machine.accept()

    pair = pair_of(application)
    pair.client.send(Lhlo("crepes.fr"))
    rcpts = [Rcpt(who) for who in WHO]
    pair.run()
    for command in (Mail(ALICE), *rcpts):
        pair.client.send(command)
    pair.client.send_chunk(b"", last=True)
    verdicts = [event for event in pair.run() if isinstance(event, VerdictReceived)]
    assert [event.rcpt for event in verdicts] == [rcpts[0], rcpts[2]]


def test_mail_that_is_refused_leaves_the_recipients():
    """RFC 5321 s4.1.4: MAIL within a transaction is refused, and the transaction goes on."""
    machine = ClientConnection(lmtp=True)
    machine.send(Lhlo("crepes.fr"))
    answer(machine, b"220 x\r\n")
    answer(machine, b"250-x\r\n250-CHUNKING\r\n250 PIPELINING\r\n")
    mail, rcpts = Mail(ALICE), [Rcpt(WHO[0]), Rcpt(WHO[1])]
    for command in (mail, rcpts[0], Rset(), Mail(ALICE), rcpts[1]):
        machine.send(command)
    answer(machine, b"250 ok\r\n250 ok\r\n500 what?\r\n503 nested\r\n250 ok\r\n")
    machine.send_chunk(b"a\r\n", last=True)
    verdicts = answer(machine, b"250 one\r\n250 two\r\n")
    assert [event.rcpt for event in verdicts] == rcpts


def test_no_recipient_no_verdict():
    pair = pair_of(lambda machine, command: machine.reply(NO) if isinstance(command, Rcpt) else machine.accept())
    pair.client.send(Lhlo("crepes.fr"))
    pair.run()
    for command in (Mail(ALICE), Rcpt(WHO[0])):
        pair.client.send(command)
    last = pair.client.send_chunk(b"", last=True)
    assert pair.run()[-1] == ReplyReceived(Reply(503, "bad sequence of commands", "5.5.1"), last)
    assert pair.client.state is pair.server.state is State.MAIL


def lmtp_client(count: int = 2) -> Any:
    """A client that has sent a content to that many recipients."""
    machine = ClientConnection(lmtp=True)
    machine.send(Lhlo("x"))
    answer(machine, b"220 x\r\n")
    answer(machine, b"250-x\r\n250 PIPELINING\r\n")
    for command in (Mail(ALICE), *[Rcpt(who) for who in WHO[:count]], Data()):
        machine.send(command)
    answer(machine, b"250 ok\r\n" + b"250 ok\r\n" * count + b"354 go\r\n")
    machine.send_content(b"a\r\n")
    machine.end_content()
    machine.data_to_send()
    return machine


def test_verdicts_that_never_come():
    machine = lmtp_client()
    assert len(answer(machine, b"250 ok\r\n")) == 1
    (end,) = machine.in_flight
    machine.receive_data(b"")
    assert machine.next_event() == ConnectionClosed((end,), ())


def test_421_in_place_of_a_verdict():
    machine = lmtp_client(3)
    events = answer(machine, b"250 ok\r\n421 bye\r\n")
    assert [event.reply.code for event in events[:2]] == [250, 421]
    assert [event.rcpt.recipient for event in events[:2]] == WHO[:2]
    assert machine.state is State.CLOSED


def test_354_is_no_verdict():
    machine = lmtp_client()
    with pytest.raises(RemoteProtocolError, match=r"354 is no verdict"):
        answer(machine, b"354 go\r\n")
    with pytest.raises(RemoteProtocolError):
        machine.send(Noop())


def test_354_without_a_recipient():
    machine = ClientConnection(lmtp=True)
    machine.send(Lhlo("x"))
    answer(machine, b"220 x\r\n")
    answer(machine, b"250-x\r\n250 PIPELINING\r\n")
    for command in (Mail(ALICE), Rcpt(WHO[0]), Data()):
        machine.send(command)
    with pytest.raises(RemoteProtocolError, match=r"354 without a recipient"):
        answer(machine, b"250 ok\r\n550 no\r\n354 go\r\n")
    assert b".\r\n" not in machine.data_to_send().replace(b">\r\n", b"")
