"""AUTH on MAIL (RFC 4954 s5): xtext of a mailbox or of ``<>``, believed of nobody who has not authenticated."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import Auth, Capability, Ehlo, LocalProtocolError, Mail, Mailbox, ParseError, Rset
from smtpcore.extensions import AUTH, STARTTLS, SUBMITTER, believed_submitter
from smtpcore.flows.handler import Served
from tests.extensions.talking import codes, pair
from tests.session.helpers import ALICE
from tests.strategies import mailboxes

OFFERED = AUTH.offer(("PLAIN",))
EVE = Mailbox.parse("e=v+e@example.org")


@pytest.mark.parametrize(
    ("text", "mailbox"),
    [
        ("<>", None),
        ("+3C+3E", None),
        ("alice@crepes.fr", ALICE),
        ("e+3Dv+2Be@example.org", EVE),
        ("+22a+20b+22@example.org", Mailbox.parse('"a b"@example.org')),
        ("b+C3+B6b@example.org", Mailbox.parse("b\u00f6b@example.org")),
    ],
)
def test_read(text, mailbox):
    assert SUBMITTER.decode(text) == mailbox
    assert SUBMITTER.decode(SUBMITTER(mailbox).text) == mailbox


@pytest.mark.parametrize(
    "text",
    [
        "", "alice", "<alice@crepes.fr>", "a@b@c", "alice@", "a b@c", "e+3dv@x.org", "+", "x@y+0D+0ARCPT", "x@y+00",
        "b\u00f6b@example.org", "+FF@example.org", None,
    ],
)  # fmt: skip
def test_not_read(text):
    """INJ-04."""
    with pytest.raises(ParseError):
        SUBMITTER.decode(text)


@given(st.none() | mailboxes)
def test_round_trip(mailbox):
    text = SUBMITTER(mailbox).text
    assert text is not None
    assert text.isascii()
    assert SUBMITTER.decode(text) == mailbox


@pytest.mark.parametrize("wrong", ["alice@crepes.fr", "<>", "", 0, False])
def test_only_mailboxes(wrong):
    kind: Any = SUBMITTER
    with pytest.raises(TypeError, match="a submitter is a Mailbox"):
        kind(wrong)


def test_believed_of_those_who_have_authenticated():
    """ "Without authentication the server behaves as if AUTH=<> was given", and takes the message."""
    both = pair(OFFERED, allow_plaintext_auth=True)
    session, served = both.server.session, Served(both.server)
    assert believed_submitter(session) is None
    both.exchange(Ehlo("crepes.fr"))
    assert [reply.code for reply in both.exchange(Mail(None, SUBMITTER(EVE)))] == [250]
    assert both.server.transaction.mail.parameters[SUBMITTER] == EVE, "that it was said can be seen"
    assert believed_submitter(session) is served.submitter is None
    both.exchange(Rset(), Auth("PLAIN", b"\0alice\0sesame"))
    both.exchange(Mail(None, SUBMITTER(EVE)))
    assert believed_submitter(session) == served.submitter == EVE
    both.exchange(Rset(), Mail(None, SUBMITTER(None)))
    assert served.submitter is None
    both.exchange(Rset(), Mail(None))
    assert served.submitter is None
    both.exchange(Rset())
    assert served.submitter is None


def test_a_new_session_believes_nothing():
    """RFC 3207 s4.2: what was known before TLS is not known within."""
    both = pair(OFFERED, STARTTLS)
    both.exchange(Ehlo("crepes.fr"))
    both.upgrade()
    both.exchange(Ehlo("crepes.fr"), Mail(None, SUBMITTER(EVE)))
    assert believed_submitter(both.server.session) is None


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"MAIL FROM:<a@b> AUTH=<>", 250),
        (b"MAIL FROM:<a@b> auth=e+3Dmc2@example.com", 250),
        (b"MAIL FROM:<a@b> AUTH=<> AUTH=<>", 501),
        (b"MAIL FROM:<a@b> AUTH=", 501),
        (b"MAIL FROM:<a@b> AUTH", 501),
        (b"MAIL FROM:<a@b> AUTH=alice", 501),
        (b"MAIL FROM:<a@b> AUTH=a@b+0D+0ARSET", 501),
    ],
)
def test_a_server(line, code):
    assert codes([line], OFFERED, allow_plaintext_auth=True) == [code]


def test_not_on_rcpt():
    assert codes([b"MAIL FROM:<a@b>", b"RCPT TO:<a@b> AUTH=<>"], OFFERED, allow_plaintext_auth=True) == [250, 555]


@pytest.mark.parametrize(("greeting", "offered"), [(b"EHLO c", ()), (b"HELO c", (OFFERED,))])
def test_not_offered(greeting, offered):
    assert codes([b"MAIL FROM:<a@b> AUTH=<>"], *offered, greeting=greeting, allow_plaintext_auth=True) == [555]


@pytest.mark.parametrize("offered", [(OFFERED,), (OFFERED, Capability("SUBMITTER"))])
def test_the_submitter_of_rfc_4405_is_something_else(offered):
    """It is historic: its parameter is refused, even where its keyword is offered."""
    assert codes([b"MAIL FROM:<a@b> SUBMITTER=a@b"], *offered, allow_plaintext_auth=True) == [555]


def test_a_client_says_it_only_where_auth_is_offered():
    both = pair(OFFERED)
    both.exchange(Ehlo("crepes.fr"))
    with pytest.raises(LocalProtocolError, match="AUTH=<>"):
        both.client.send(Mail(ALICE, SUBMITTER(None)))
