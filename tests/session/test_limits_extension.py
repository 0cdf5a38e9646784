"""LIMITS (RFC 9422): what is announced is read, counted by the client's machine and kept to by the server's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import Capabilities, Ehlo, LocalProtocolError, Mail, Mailbox, ParseError, Rcpt, Rset, ServerLimits
from smtpcore.extensions import DSN, EIGHTBITMIME, LIMITS, PIPELINING, SIZE, STARTTLS, Limits
from smtpcore.session.settings import ServerSettings
from tests.session.helpers import ALICE, BOB, EHLO, answer, greeted_client, run_server
from tests.session.looking import octets

CARA = Mailbox.parse("cara@deli.example")
OFFER = b"250-hamburger.edu\r\n250-PIPELINING\r\n250 LIMITS %s\r\n"


# -- the words ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("MAILMAX=3", Limits(mailmax=3)),
        ("RCPTMAX=1 MAILMAX=999999 RCPTDOMAINMAX=7", Limits(999_999, 1, 7)),
        ("mailmax=3 RcptMax=4", Limits(3, 4)),
        ("X-ODD=#1:a MAILMAX=3 flag a_b-c=", Limits(3, others=("X-ODD=#1:a", "flag"))),
        # RFC 9422 s3.7: what is malformed is ignored, the rest is not
        ("MAILMAX=0 RCPTMAX=5", Limits(rcptmax=5)),
        ("MAILMAX=01 RCPTMAX=5", Limits(rcptmax=5)),
        ("MAILMAX=1000000 RCPTMAX=5", Limits(rcptmax=5)),
        ("MAILMAX=-1 MAILMAX=+1 MAILMAX=1_0 MAILMAX=0x1 RCPTMAX=5", Limits(rcptmax=5)),
        ("MAILMAX= MAILMAX =5 RCPTMAX=5", Limits(rcptmax=5)),
        ("MAILMAX=3;RCPTMAX=4 RCPTMAX=5", Limits(rcptmax=5)),
        ("MAILMAX=\u0663 \u017fMAX=3 RCPTMAX=5", Limits(rcptmax=5)),
        # of two the smaller, whichever comes first
        ("RCPTMAX=5 RCPTMAX=4", Limits(rcptmax=4)),
        ("RCPTMAX=4 RCPTMAX=5 RCPTMAX=0", Limits(rcptmax=4)),
        ("  RCPTMAX=4  ", Limits(rcptmax=4)),
        ("=3", Limits()),
        ("", Limits()),
    ],
)
def test_what_a_server_says(text, limits):
    assert Limits.parse(text) == limits


@given(
    st.lists(st.sampled_from(["MAILMAX=", "RCPTMAX=", "X=", "X", "0", "3", "12", " ", ";", "=", "é", "_"])).map("".join)
)
def test_whatever_a_server_says(text):
    limits = Limits.parse(text)
    assert Limits.parse(str(limits)) == limits
    for number in (limits.mailmax, limits.rcptmax, limits.rcptdomainmax):
        assert number is None or 1 <= number <= 999_999


def test_where_it_stands():
    capabilities = Capabilities.parse(["LIMITS RCPTMAX=20 X=1", "PIPELINING"])
    assert capabilities.get(LIMITS) == Limits(rcptmax=20, others=("X=1",))
    assert str(LIMITS.offer(Limits(5, 6, 7, ["X"]))) == "LIMITS MAILMAX=5 RCPTMAX=6 RCPTDOMAINMAX=7 X"
    assert Capabilities(LIMITS).get(LIMITS) is None
    with pytest.raises(TypeError, match="see offer"):
        LIMITS(Limits(5))


@pytest.mark.parametrize("number", [1, 999_999])
def test_numbers_that_can_be_said(number):
    assert Limits.parse(str(Limits(number, number, number))) == Limits(number, number, number)


@pytest.mark.parametrize("number", [0, -1, 1_000_000])
def test_numbers_that_cannot_be_said(number):
    for field in ("mailmax", "rcptmax", "rcptdomainmax"):
        with pytest.raises(ParseError, match=f"{field.upper()} outside 1 to 999999"):
            Limits(**{field: number})


@pytest.mark.parametrize("other", ["", "MAILMAX=3", "rcptmax", "a b", "a=", "a=;", "é"])
def test_other_limits_that_are_none(other):
    with pytest.raises(ParseError, match="RFC 9422 s3"):
        Limits(others=[other])


def test_no_numbers():
    wrong: list[Any] = [True, "3", 3.0]
    for value in wrong:
        with pytest.raises(TypeError):
            Limits(mailmax=value)


# -- the server -----------------------------------------------------------------------------------


def server(data: bytes, **limits: Any) -> list[int]:
    offered = Capabilities(PIPELINING, LIMITS.offer(Limits(**limits)))
    traces = [run_server(pieces, before=EHLO, capabilities=offered) for pieces in ([data], octets(data))]
    assert traces[0].codes == traces[1].codes
    return traces[0].codes


@pytest.mark.parametrize("most", [1, 2, 5])
def test_messages_of_a_session(most):
    """Whatever becomes of them, also where they are out of sequence; one more is told 421 (RFC 9422 s4.1)."""
    one = b"MAIL FROM:<>\r\nRSET\r\n"
    assert server(one * most, mailmax=most) == [250, 250] * most
    assert server(one * (most + 1), mailmax=most) == [250, 250] * most + [421]
    refused = b"MAIL FROM:<>\r\n" * most + b"RSET\r\n" + one
    assert server(refused, mailmax=most) == [250] + [503] * (most - 1) + [250, 421]


def test_recipients_of_a_transaction():
    """RFC 9422 s4.2; RFC 5321 s4.5.3.1.10: "too many recipients" is 452."""
    three = b"MAIL FROM:<>\r\n" + b"RCPT TO:<bob@x>\r\n" * 3
    assert server(three, rcptmax=3) == [250] * 4
    assert server(three + b"RCPT TO:<bob@x>\r\n", rcptmax=3) == [250] * 4 + [452]
    assert server(three + b"RSET\r\n" + three, rcptmax=3) == [250] * 9, "in each transaction anew"


def test_domains_of_a_session():
    """In all of its transactions together, without regard to case, and not those of refused ones (RFC 9422 s4.3)."""
    two = b"MAIL FROM:<>\r\nRCPT TO:<a@X>\r\nRCPT TO:<b@y>\r\nRCPT TO:<c@x>\r\nRCPT TO:<Postmaster>\r\n"
    assert server(two, rcptdomainmax=2) == [250] * 5
    assert server(two + b"RCPT TO:<a@z>\r\nRCPT TO:<d@Y>\r\n", rcptdomainmax=2) == [250] * 5 + [452, 250]
    again = b"RSET\r\nMAIL FROM:<>\r\nRCPT TO:<a@z>\r\nRCPT TO:<a@y>\r\n"
    assert server(two + again, rcptdomainmax=2) == [250] * 7 + [452, 250]
    assert server(b"MAIL FROM:<>\r\nRCPT TO:<550.a@x>\r\nRCPT TO:<a@y>\r\nRCPT TO:<a@z>\r\n", rcptdomainmax=1) == [
        250, 250, 452, 452,
    ]  # fmt: skip


def test_parameters_do_not_undo_a_refusal():
    """Whatever is wrong with a command first, and however right its parameters are."""

    def codes(data: bytes, **limits: Any) -> list[int]:
        offered = Capabilities(SIZE, EIGHTBITMIME, DSN, LIMITS.offer(Limits(**limits)))
        return run_server([data], before=EHLO, capabilities=offered).codes

    mail, rcpt = b"MAIL FROM:<> SIZE=10 BODY=8BITMIME\r\n", b"RCPT TO:<a@x> NOTIFY=NEVER\r\n"
    other = b"RCPT TO:<a@y> NOTIFY=NEVER\r\n"
    assert codes(mail + mail, rcptmax=5) == [250, 503]
    assert codes(rcpt, rcptmax=5) == [503]
    assert codes(mail + b"RSET\r\n" + mail, mailmax=1) == [250, 250, 421]
    assert codes(mail + rcpt + rcpt, rcptmax=1) == [250, 250, 452]
    assert codes(mail + rcpt + other + rcpt, rcptdomainmax=1) == [250, 250, 452, 250]
    trace = run_server([mail], before=EHLO, capabilities=Capabilities(SIZE, EIGHTBITMIME, STARTTLS), require_tls=True)
    assert trace.codes == [530]


def test_what_is_announced_is_taken():
    offered = Capabilities(LIMITS.offer(Limits(rcptmax=1000)))
    assert ServerSettings("x", offered).recipient_limit == 1000
    with pytest.raises(ValueError, match="RCPTMAX=1001, and 1000 are taken"):
        ServerSettings("x", Capabilities(LIMITS.offer(Limits(rcptmax=1001))))
    limits = ServerLimits(recipients=1001)
    assert ServerSettings("x", Capabilities(LIMITS.offer(Limits(rcptmax=1001))), limits=limits).recipient_limit == 1001


# -- the client -----------------------------------------------------------------------------------


def client(limits: bytes) -> Any:
    return greeted_client(OFFER % limits)


@pytest.mark.parametrize("most", [1, 3])
def test_a_client_keeps_count_of_messages(most):
    machine = client(b"MAILMAX=%d" % most)
    assert machine.usage.mails_left == most
    for _ in range(most):
        for command in (Mail(ALICE), Rset()):
            machine.send(command)
            answer(machine, b"250 ok\r\n")
    assert machine.usage.mails_left == 0
    machine.data_to_send()
    with pytest.raises(LocalProtocolError, match=f"takes {most} messages in a session: connect anew"):
        machine.send(Mail(ALICE))
    assert machine.data_to_send() == b""
    machine.send(Rset())
    assert machine.data_to_send() == b"RSET\r\n", "nothing has changed"


def test_a_second_ehlo_announces_anew_and_forgets_nothing():
    """RFC 9422 s3.6"""
    machine = client(b"MAILMAX=1")
    machine.send(Mail(ALICE))
    answer(machine, b"250 ok\r\n")
    machine.send(Ehlo("crepes.fr"))
    answer(machine, OFFER % b"MAILMAX=2 RCPTDOMAINMAX=9")
    assert machine.usage.mails_left == 1
    assert machine.usage.limits == Limits(2, rcptdomainmax=9)
    machine.send(Ehlo("crepes.fr"))
    answer(machine, b"250 hamburger.edu\r\n")
    assert machine.usage.mails_left is None


def test_a_client_keeps_count_of_domains():
    machine = client(b"RCPTDOMAINMAX=3")
    for command in (Mail(ALICE), Rcpt(BOB), Rcpt(CARA), Rcpt(Mailbox.parse("x@HAMBURGER.edu"))):
        machine.send(command)
    assert machine.usage.domains == {"hamburger.edu", "deli.example"}
    machine = client(b"RCPTMAX=3")
    for command in (Mail(ALICE), Rcpt(BOB)):
        machine.send(command)
    assert machine.usage.domains == set(), "where nobody asks"
