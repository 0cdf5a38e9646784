"""Recipients with parameters of their own: each goes on its RCPT, and on no other."""

from __future__ import annotations

from typing import Any

import pytest

from smtpcore import LocalProtocolError, Mailbox, Rcpt
from smtpcore.extensions import ENVID, NEVER, NOTIFY, ORCPT, RET, Notify, OriginalRecipient, Ret
from smtpcore.wire.address import POSTMASTER
from tests.flows.fakeserver import connected, friendly, statuses, submitted

BOB, EVE = Mailbox.parse("bob@hamburger.edu"), Mailbox.parse("eve@hamburger.edu")
ALWAYS = NOTIFY(Notify(success=True, failure=True, delay=True))
UNITEXT = ORCPT(OriginalRecipient("utf-8", "b\u00f6b@h", unitext=True))

each_way = pytest.mark.parametrize("offered", [("PIPELINING", "DSN"), ("DSN",)], ids=["pipelined", "one-by-one"])


def rcpt_lines(server) -> list[bytes]:
    return [line for line in server.lines if line.startswith(b"RCPT")]


@each_way
def test_each_its_own(offered):
    server = friendly(rcpt=["250 ok", "550 no", "250 ok", "250 ok"])
    to: list = [
        Rcpt(BOB, ALWAYS, ORCPT(OriginalRecipient("rfc822", "b=b@hamburger.edu"))),
        "carol@hamburger.edu",
        Rcpt(EVE, NOTIFY(NEVER)),
        POSTMASTER,
    ]
    played = submitted(connected(*offered), server, to, mail_parameters=[RET(Ret.HDRS), ENVID("QQ1")])
    outcome = played.value()
    assert server.lines[0] == b"MAIL FROM:<alice@crepes.fr> RET=HDRS ENVID=QQ1"
    assert rcpt_lines(server) == [
        b"RCPT TO:<bob@hamburger.edu> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;b+3Db@hamburger.edu",
        b"RCPT TO:<carol@hamburger.edu>",
        b"RCPT TO:<eve@hamburger.edu> NOTIFY=NEVER",
        b"RCPT TO:<Postmaster>",
    ]
    assert statuses(outcome) == ["accepted", "refused", "accepted", "accepted"]
    assert [each.recipient for each in outcome.recipients] == [
        BOB, Mailbox.parse("carol@hamburger.edu"), EVE, POSTMASTER,
    ]  # fmt: skip


@each_way
def test_its_own_come_before_those_of_all(offered):
    server = friendly()
    to: list = [Rcpt(BOB, NOTIFY(NEVER)), Rcpt(EVE, ORCPT(OriginalRecipient.of(EVE))), "carol@hamburger.edu"]
    submitted(connected(*offered), server, to, rcpt_parameters=[ALWAYS]).value()
    assert rcpt_lines(server) == [
        b"RCPT TO:<bob@hamburger.edu> NOTIFY=NEVER",
        b"RCPT TO:<eve@hamburger.edu> ORCPT=rfc822;eve@hamburger.edu NOTIFY=SUCCESS,FAILURE,DELAY",
        b"RCPT TO:<carol@hamburger.edu> NOTIFY=SUCCESS,FAILURE,DELAY",
    ]


@each_way
def test_one_command_given_more_than_once(offered):
    """Duplicates are legal, and the answers to them may differ."""
    server = friendly(rcpt=["250 ok", "451 later", "550 no"])
    same: Any = Rcpt(BOB, NOTIFY(NEVER))
    machine = connected(*offered)
    outcome = submitted(machine, server, [same, same, same]).value()
    assert statuses(outcome) == ["accepted", "refused for now", "refused"]
    assert statuses(submitted(machine, friendly(), [same]).value()) == ["accepted"]


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("offered", [("PIPELINING",), ()], ids=["pipelined", "one-by-one"])
def test_what_is_not_offered_is_found_before_anything_is_said(offered, place):
    """SYN-07, whichever of them it is."""
    to: list = ["a@h", "b@h", "c@h"]
    to[place] = Rcpt(BOB, NOTIFY(NEVER))
    machine = connected(*offered)
    played = submitted(machine, friendly(), to)
    assert isinstance(played.error, LocalProtocolError)
    assert "NOTIFY=NEVER" in str(played.error)
    assert played.effects == []
    assert submitted(machine, friendly(), 2).value().all_accepted


@pytest.mark.parametrize("own", [True, False], ids=["own", "of-all"])
def test_a_parameter_beyond_ascii_asks_for_smtputf8(own):
    server = friendly()
    to: list = [Rcpt(BOB, UNITEXT)] if own else [BOB]
    options: dict[str, Any] = {} if own else {"rcpt_parameters": [UNITEXT]}
    submitted(connected("DSN", "SMTPUTF8"), server, to, **options).value()
    assert server.lines[:2] == [
        b"MAIL FROM:<alice@crepes.fr> SMTPUTF8", "RCPT TO:<bob@hamburger.edu> ORCPT=utf-8;b\u00f6b@h".encode(),
    ]  # fmt: skip
    played = submitted(connected("DSN"), friendly(), to, **options)
    assert isinstance(played.error, LocalProtocolError)
    assert "SMTPUTF8" in str(played.error)
    assert played.effects == []


def test_one_that_is_left_out_takes_its_parameters_along():
    """RFC 6531 s3.2: an address beyond ASCII does not go to a server that does not know it."""
    server = friendly()
    to: list = [Rcpt(Mailbox.parse("b\u00f6b@h"), UNITEXT), Rcpt(EVE, NOTIFY(NEVER))]
    outcome = submitted(connected("DSN"), server, to).value()
    assert statuses(outcome) == ["not sent", "accepted"]
    assert rcpt_lines(server) == [b"RCPT TO:<eve@hamburger.edu> NOTIFY=NEVER"]
