"""What a message asks of the server, only where the server offers it; and how few round trips it takes."""

from __future__ import annotations

import pytest

from smtpcore import LocalProtocolError, Mailbox, ParseError, Postmaster, RemoteProtocolError
from smtpcore.extensions import BODY, SIZE, SUBMITTER, UTF8, Body
from smtpcore.wire.address import POSTMASTER
from smtpcore.wire.parameter import ParameterType
from tests.flows.fakeserver import connected, friendly, names, statuses, submitted

ALL = ("PIPELINING", "SIZE 1000000", "8BITMIME", "SMTPUTF8")
ASCII = b"Subject: x\r\n\r\nHello\r\n"
EIGHT_BIT = "Subject: x\r\n\r\nÀ bientôt\r\n".encode()


def mail_line(*offered: str, content: object = ASCII, sender: str | None = "alice@crepes.fr", **options: object) -> str:
    server = friendly()
    scene = submitted(connected(*offered), server, 1, content=content, sender=sender, **options)  # type: ignore[arg-type]  # passed on
    scene.value()
    return server.lines[0].decode()


# --- SIZE, 8BITMIME ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offered", "content", "line"),
    [
        pytest.param((), ASCII, "", id="nothing-offered"),
        pytest.param((), [ASCII], "", id="nothing-offered-not-known-whether-7bit"),
        pytest.param(("SIZE",), ASCII, f" SIZE={len(ASCII)}", id="size"),
        pytest.param(("SIZE 0",), ASCII, f" SIZE={len(ASCII)}", id="size-0"),
        pytest.param(("SIZE",), [ASCII], "", id="size-not-known"),
        pytest.param(("8BITMIME",), ASCII, "", id="7bit"),
        pytest.param(("8BITMIME",), EIGHT_BIT, " BODY=8BITMIME", id="8bit"),
        pytest.param(("8BITMIME",), [ASCII], " BODY=8BITMIME", id="not-known-whether-7bit"),
        pytest.param(ALL, EIGHT_BIT, f" SIZE={len(EIGHT_BIT)} BODY=8BITMIME", id="both"),
    ],
)
def test_parameters_only_where_they_are_offered(offered, content, line):
    assert mail_line(*offered, content=content) == f"MAIL FROM:<alice@crepes.fr>{line}"


def test_the_null_reverse_path():
    assert mail_line(sender=None) == "MAIL FROM:<>"


def test_the_callers_parameters_come_before_ours():
    mine = [SIZE(5), BODY(Body.SEVENBIT)]
    assert mail_line(*ALL, content=EIGHT_BIT, mail_parameters=mine).endswith("> SIZE=5 BODY=7BIT")


# --- SMTPUTF8 ------------------------------------------------------------------------------------


@pytest.mark.parametrize("sender", ["ålice@crepes.fr", "alice@crêpes.fr"])
def test_smtputf8_for_the_sender(sender):
    assert mail_line(*ALL, sender=sender) == f"MAIL FROM:<{sender}> SIZE={len(ASCII)} SMTPUTF8"


def test_smtputf8_for_a_recipient():
    server = friendly()
    outcome = submitted(connected(*ALL), server, ["bob@hamburger.edu", "böb@hamburger.edu"]).value()
    assert outcome.all_accepted
    assert server.lines[0].endswith(b" SMTPUTF8")
    assert server.lines[2] == "RCPT TO:<böb@hamburger.edu>".encode()


def test_smtputf8_is_not_asked_for_where_nobody_needs_it():
    assert "SMTPUTF8" not in mail_line(*ALL, content=EIGHT_BIT)


@pytest.mark.parametrize("offered", [("PIPELINING",), ()], ids=["pipelined", "one-by-one"])
def test_a_recipient_that_needs_smtputf8_is_left_out_where_it_is_not_offered(offered):
    """RFC 6531 s3.2: such an address must not go to a server that does not know it. The others are served."""
    server = friendly(rcpt=["250 ok", "550 no"])
    to = ["bob@hamburger.edu", "böb@hamburger.edu", "eve@hamburger.edu"]
    outcome = submitted(connected(*offered), server, to).value()
    assert statuses(outcome) == ["accepted", "not sent", "refused"]
    assert "SMTPUTF8" in outcome.recipients[1].why
    assert all(line.isascii() for line in server.lines)


@pytest.mark.parametrize(
    ("sender", "to"), [("ålice@crepes.fr", names(2)), ("alice@crepes.fr", ["böb@hamburger.edu"])], ids=["sender", "all"]
)
def test_when_everybody_needs_it_nothing_is_said(sender, to):
    server = friendly()
    played = submitted(connected("PIPELINING"), server, to, sender=sender)
    assert statuses(played.value()) == ["not sent"] * len(to)
    assert played.effects == []


# --- what the caller gives -----------------------------------------------------------------------


def test_recipients_in_all_their_forms():
    server = friendly()
    to = ["bob@hamburger.edu", Mailbox.parse('"b o b"@[192.0.2.1]'), POSTMASTER]
    outcome = submitted(connected(), server, to).value()  # type: ignore[arg-type]  # mailboxes too
    assert outcome.all_accepted
    assert [line for line in server.lines if line.startswith(b"RCPT")] == [
        b"RCPT TO:<bob@hamburger.edu>", b'RCPT TO:<"b o b"@[192.0.2.1]>', b"RCPT TO:<Postmaster>",
    ]  # fmt: skip
    assert isinstance(outcome.recipients[2].recipient, Postmaster)


@pytest.mark.parametrize("bad", ["bob", "bob@", "bob@h.edu>\r\nRCPT TO:<eve@spy>", "a@b@c", ""], ids=repr)
@pytest.mark.parametrize("where", ["sender", "recipient"])
def test_an_address_that_is_none_is_found_before_anything_is_said(bad, where):
    machine = connected("PIPELINING")
    to = ["bob@hamburger.edu", bad] if where == "recipient" else ["bob@hamburger.edu"]
    played = submitted(machine, friendly(), to, sender=bad if where == "sender" else "a@b.fr")
    assert isinstance(played.error, ParseError)
    assert played.effects == []
    assert submitted(machine, friendly()).value().all_accepted


def test_one_string_is_not_several_recipients():
    played = submitted(connected(), friendly(), "bob@hamburger.edu")
    assert isinstance(played.error, TypeError)


NOTIFY = ParameterType[str]("NOTIFY", str, str)


@pytest.mark.parametrize("offered", [("PIPELINING",), ()], ids=["pipelined", "one-by-one"])
@pytest.mark.parametrize(
    "options",
    [{"mail_parameters": [SUBMITTER(None)]}, {"mail_parameters": [UTF8(True)]}, {"rcpt_parameters": [NOTIFY("NEVER")]}],
    ids=["mail-auth", "mail-smtputf8", "rcpt"],
)
def test_a_parameter_that_is_not_offered_is_found_before_anything_is_said(offered, options):
    """SYN-07: the connection is as good as before."""
    machine = connected(*offered)
    played = submitted(machine, friendly(), 2, **options)
    assert isinstance(played.error, LocalProtocolError)
    assert played.effects == []
    assert machine.data_to_send() == b""
    server = friendly()
    assert submitted(machine, server, 1).value().all_accepted
    assert server.lines[0].startswith(b"MAIL")


# --- round trips ---------------------------------------------------------------------------------


@pytest.mark.parametrize("recipients", [1, 2, 10, 100, 500])
def test_two_round_trips_with_pipelining(recipients):
    """One for MAIL, every RCPT and DATA; one for the content with its dot."""
    server = friendly()
    played = submitted(connected(*ALL), server, recipients)
    assert played.value().all_accepted
    assert server.turns == 2
    assert len(played.writes) == 2  # the group, the content with its dot


def test_in_flight_is_bounded_and_costs_round_trips_only():
    server = friendly()
    played = submitted(connected("PIPELINING"), server, 2500)
    assert played.value().all_accepted
    assert server.turns < 2500 / 100


@pytest.mark.parametrize("recipients", [1, 2, 10])
def test_one_at_a_time_without_pipelining(recipients):
    server = friendly()
    assert submitted(connected(), server, recipients).value().all_accepted
    assert server.turns == 3 + recipients


def test_many_messages_on_one_connection():
    machine = connected(*ALL)
    server = friendly()
    for number in range(20):
        assert submitted(machine, server, 3, content=f"{number}\r\n".encode()).value().all_accepted
    assert server.turns == 40
    assert server.contents == [f"{number}\r\n".encode() for number in range(20)]
    assert b"RSET" not in server.lines


@pytest.mark.parametrize("offered", [("PIPELINING",), ()], ids=["pipelined", "one-by-one"])
def test_rset_behind_half_a_transaction(offered):
    """What a refused message left behind does not count for the next one."""
    machine = connected(*offered)
    assert statuses(submitted(machine, friendly(data="451 busy"), 2).value()) == ["refused for now"] * 2
    server = friendly()
    assert submitted(machine, server, 1).value().all_accepted
    assert server.lines[:2] == [b"RSET", b"MAIL FROM:<alice@crepes.fr>"]
    assert server.turns == (2 if offered else 5)


@pytest.mark.parametrize("offered", [("PIPELINING",), ()], ids=["pipelined", "one-by-one"])
@pytest.mark.parametrize("mail", ["503 nested MAIL", "250 ok"])
def test_a_refused_rset_ends_the_connection(offered, mail):
    """Recipients of the transaction before might get this message, too."""
    machine = connected(*offered)
    submitted(machine, friendly(data="451 busy"), 1).value()
    server = friendly(rset="500 what?", mail=mail)
    played = submitted(machine, server, 1)
    assert statuses(played.value()) == ["not sent"]
    assert isinstance(played.value().error, RemoteProtocolError)
    assert played.closed
    assert server.contents == []


@pytest.mark.parametrize("offered", [("PIPELINING",), ()], ids=["pipelined", "one-by-one"])
def test_421_to_rset(offered):
    machine = connected(*offered)
    submitted(machine, friendly(data="451 busy"), 1).value()
    assert statuses(submitted(machine, friendly(rset="421 bye"), 2).value()) == ["refused for now"] * 2
