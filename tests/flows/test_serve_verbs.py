"""Verbs of extensions that ask a server to do something: who is asked, and what is said where nobody is there."""

from __future__ import annotations

import io

import pytest

from smtpcore import LocalProtocolError, ParseError, Reply
from smtpcore.adapters.memory import Link
from smtpcore.extensions import (
    BURL,
    CHUNKING,
    ETRN,
    XCLIENT,
    XCLIENT_ATTRIBUTES,
    XFORWARD,
    XFORWARD_ATTRIBUTES,
    Burl,
    BurlLast,
    Etrn,
    XClient,
    XForward,
)
from smtpcore.extensions.etrn import not_allowed, queue_started
from smtpcore.flows import Refusal
from tests.flows.serving import BODY, DATA, EHLO, END, MAIL, RCPT, WAYS, Hall, Scripted, codes

# -- ETRN -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_a_handler_starts_the_queue(way):
    handler = Scripted(way=WAYS[way], etrn=lambda session, command: queue_started(command, 3))
    hall = Hall(handler, capabilities=[ETRN]).ready()
    assert hall.say(b"ETRN crepes.fr\r\n") == "253 2.0.0 3 pending messages for node crepes.fr started\r\n"
    assert handler.args[-1] == (Etrn("crepes.fr"),)
    assert handler.count("command") == 1, "EHLO alone"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (None, 250),
        ("as you like", 250),
        (Refusal(not_allowed(Etrn("a"), "by policy")), 459),
        (ValueError("x"), 451),
        (Reply(354, "go"), 451),
    ],
)
def test_its_answers(answer, code):
    hall = Hall(Scripted(etrn=answer), capabilities=[ETRN]).ready()
    assert codes(hall.say(b"ETRN a\r\n")) == [code]


def test_without_a_method_of_its_own_it_is_a_command():
    handler = Scripted(command=lambda session, command: "so" if isinstance(command, Etrn) else None)
    hall = Hall(handler, capabilities=[ETRN]).ready()
    assert hall.say(b"ETRN a\r\n") == "250 2.0.0 so\r\n"


def test_nobody_starts_a_queue():
    """No positive reply for what nobody does."""
    assert codes(Hall(object(), capabilities=[ETRN]).ready().say(b"ETRN a\r\n")) == [502]


def test_it_is_not_offered_unless_said():
    hall = Hall(Scripted(etrn=None))
    assert "ETRN" not in hall.say(EHLO)
    assert codes(hall.say(b"ETRN a\r\n")) == [502]


def test_a_client_asks():
    link = Link(Scripted(etrn=lambda session, command: queue_started(command, 0)), capabilities=[ETRN])
    with link.connect() as client:
        assert client.command(Etrn("crepes.fr")).code == 251


# -- XCLIENT and XFORWARD -------------------------------------------------------------------------

BOTH = [XCLIENT.offer(XCLIENT_ATTRIBUTES), XFORWARD.offer(XFORWARD_ATTRIBUTES)]
ADDRESS = b"XCLIENT NAME=spike.example ADDR=IPV6:2001:db8::1 PORT=4711\r\n"


@pytest.mark.parametrize("way", WAYS)
def test_a_proxy_is_trusted(way):
    handler = Scripted(way=WAYS[way], trusts=lambda session: session.peer == ("192.0.2.1", 4711), xclient=None)
    hall = Hall(handler, capabilities=BOTH).ready()
    assert hall.session.peer == ("192.0.2.1", 4711)
    assert hall.say(ADDRESS) == "220 hamburger.edu ESMTP\r\n"
    assert hall.session.peer == ("2001:db8::1", 4711)
    assert hall.session.xclient == XClient(name="spike.example", address="2001:db8::1", port=4711)
    assert handler.calls == ["trusts", "connected", "command", "xclient"]
    assert hall.session.client is None
    offered = hall.say(EHLO)
    assert "XCLIENT" not in offered
    assert "XFORWARD" not in offered


@pytest.mark.parametrize("answer", [False, None, 1, "yes", ValueError("x"), Refusal(Reply(550, "no"))])
def test_nothing_but_true_is_trust(answer):
    hall = Hall(Scripted(trusts=answer, xclient=None), capabilities=BOTH)
    assert "XCLIENT" not in hall.say(EHLO)
    assert codes(hall.say(ADDRESS)) == [550]
    assert hall.session.peer == ("192.0.2.1", 4711)


def test_nobody_is_trusted_where_nobody_says_so():
    hall = Hall(object(), capabilities=BOTH)
    assert "XFORWARD" not in hall.say(EHLO)
    assert codes(hall.say(ADDRESS, b"XFORWARD NAME=a\r\n")) == [550, 550]


def test_a_client_of_a_proxy_may_be_unwelcome():
    hall = Hall(Scripted(trusts=True, xclient=Reply(554, "not from there", "5.7.1")), capabilities=BOTH).ready()
    assert codes(hall.say(ADDRESS)) == [554]
    assert hall.session.peer == ("192.0.2.1", 4711)
    assert hall.session.xclient is None


@pytest.mark.parametrize(
    ("said", "identity", "peer"),
    [
        (b"LOGIN=alice", "alice", ("192.0.2.1", 4711)),
        (b"LOGIN=[UNAVAILABLE]", None, ("192.0.2.1", 4711)),
        (b"NAME=a", None, ("192.0.2.1", 4711)),
        (b"ADDR=198.51.100.7", None, ("198.51.100.7", 0)),
        (b"ADDR=198.51.100.7 PORT=[UNAVAILABLE]", None, ("198.51.100.7", 0)),
        (b"ADDR=[UNAVAILABLE]", None, None),
    ],
)
def test_who_a_session_is_with(said, identity, peer):
    """What it says takes the place of what the session knew, and nothing of the proxy's own log-in is left."""
    handler = Scripted(trusts=True, authenticate=True)
    hall = Hall(handler, capabilities=BOTH, allow_plaintext_auth=True).ready()
    hall.say(b"AUTH PLAIN AHByb3h5AHNlc2FtZQ==\r\n")
    assert hall.session.identity == "proxy"
    assert codes(hall.say(b"XCLIENT " + said + b"\r\n")) == [220]
    assert (hall.session.identity, hall.session.peer) == (identity, peer)
    assert hall.session.authenticated is (identity is not None)


def test_who_a_message_came_from():
    seen = []
    handler = Scripted(trusts=True, message=lambda session: seen.append(session.xforward))
    hall = Hall(handler, capabilities=BOTH).ready()
    hall.say(b"XFORWARD NAME=a\r\nXFORWARD ADDR=198.51.100.7\r\n", MAIL, RCPT, DATA, BODY + END)
    hall.say(MAIL, RCPT, DATA, BODY + END)
    assert seen == [XForward(name="a", address="198.51.100.7"), None]
    assert hall.session.peer == ("192.0.2.1", 4711), "nothing else has changed"


def test_a_handler_of_its_own_for_xforward():
    hall = Hall(Scripted(trusts=True, xforward=Reply(451, "later")), capabilities=BOTH).ready()
    assert codes(hall.say(b"XFORWARD NAME=a\r\n")) == [451]
    assert hall.session.xforward is None


def test_a_client_speaks_for_another():
    peers = []
    handler = Scripted(trusts=True, message=lambda session: peers.append((session.peer, session.client)))
    link = Link(handler, capabilities=BOTH)
    with link.connect(hostname="proxy.example") as client:
        assert client.speak_for(XClient(protocol="ESMTP")).code == 220
        assert client.speak_for(XClient(address="198.51.100.7", port=5, helo="spike.example")).code == 220
        client.send("alice@crepes.fr", ["bob@hamburger.edu"], b"Hi\r\n")
        with pytest.raises(LocalProtocolError, match="does not offer XCLIENT"):
            client.speak_for(XClient(address="192.0.2.9"))
        client.send("alice@crepes.fr", ["bob@hamburger.edu"], b"Hi\r\n")
    assert peers == [(("198.51.100.7", 5), "spike.example")] * 2
    said = [octets for who, octets in link.transcript if who == "C" and octets.startswith(b"EHLO")]
    assert said == [b"EHLO proxy.example\r\n"] * 2 + [b"EHLO spike.example\r\n"]


def test_a_client_that_may_not():
    with Link(Scripted(trusts=True, xclient=Reply(550, "no")), capabilities=BOTH).connect() as client:
        assert client.speak_for(XClient(name="a")).code == 550
        assert str(client.send("alice@crepes.fr", ["bob@hamburger.edu"], b"Hi\r\n").reply).startswith("250")
        with pytest.raises(ParseError):
            client.speak_for(XClient(helo="a_b:c"))


# -- BURL -----------------------------------------------------------------------------------------

LETTER = b"Subject: crepes\r\n\r\nHello\r\n"


class Fetching(Scripted):
    """Has a letter behind every URL, in one form or another."""

    def __init__(self, form=lambda octets: octets, **answers):
        super().__init__(burl=lambda session, command: form(LETTER), **answers)


async def slowly(octets):
    for at in range(len(octets)):
        yield octets[at : at + 1]


FORMS = {
    "bytes": lambda octets: octets,
    "pieces": lambda octets: [octets[:5], b"", octets[5:]],
    "generator": lambda octets: (octets[at : at + 3] for at in range(0, len(octets), 3)),
    "file": io.BytesIO,
    "async": slowly,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("way", WAYS)
def test_a_handler_fetches(form, way):
    handler = Fetching(FORMS[form], way=WAYS[way])
    hall = Hall(handler, capabilities=[BURL]).ready()
    assert hall.say(MAIL, RCPT, b"BURL imap://a/b LAST\r\n").endswith("250 2.0.0 message accepted\r\n")
    assert handler.content_seen == LETTER
    assert [name for name in handler.calls if name != "content"] == [
        "connected", "command", "mail", "rcpt", "data", "burl", "message",
    ]  # fmt: skip
    assert (BurlLast("imap://a/b"),) in handler.args


def test_parts_of_one_content():
    handler = Fetching()
    hall = Hall(handler, capabilities=[BURL]).ready()
    said = hall.say(MAIL, RCPT, b"BDAT 6\r\nX: y\r\n", b"BURL a:b\r\n", b"BDAT 3 LAST\r\n.\r\n", MAIL)
    assert codes(said) == [250, 250, 250, 250, 250, 250]
    assert handler.content_seen == b"X: y\r\n" + LETTER + b".\r\n"
    assert handler.count("data") == handler.count("message") == 1
    assert handler.count("aborted") == 0


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Reply(554, "no such message", "5.6.6"), 554),
        (Refusal(Reply(451, "IMAP server unavailable", "4.4.1")), 451),
        (Reply(250, "ok"), 451),
        (Reply(354, "go"), 451),
        (None, 502),
        ("text", 451),
        (5, 451),
        (OSError("x"), 451),
        ([b"x", "y"], 451),
    ],
    ids=repr,
)
@pytest.mark.parametrize("last", [b"", b" LAST"])
def test_what_cannot_be_fetched(answer, code, last):
    handler = Scripted(burl=answer)
    hall = Hall(handler, capabilities=[BURL]).ready()
    assert codes(hall.say(MAIL, RCPT, b"BURL a:b" + last + b"\r\n"))[-1] == code
    assert (handler.count("message"), handler.count("aborted")) == (0, 1)
    assert codes(hall.say(b"RSET\r\n", MAIL)) == [250, 250]
    assert bool(hall.reported) is (code == 451 and not isinstance(answer, Refusal))


def test_nobody_fetches():
    hall = Hall(object(), capabilities=[BURL]).ready()
    assert codes(hall.say(MAIL, RCPT, b"BURL a:b LAST\r\n"))[-1] == 502
    hall = Hall(Fetching()).ready()
    assert codes(hall.say(MAIL, RCPT, b"BURL a:b LAST\r\n"))[-1] == 502, "not offered unless said"


def test_a_content_that_is_not_wanted():
    handler = Fetching(data=Reply(451, "not now"))
    hall = Hall(handler, capabilities=[BURL]).ready()
    assert codes(hall.say(MAIL, RCPT, b"BURL a:b LAST\r\n"))[-1] == 451
    assert (handler.count("burl"), handler.count("aborted")) == (0, 0)


def test_a_content_that_stops_being_wanted():
    handler = Fetching(FORMS["pieces"], content=Reply(552, "no room", "5.2.2"))
    hall = Hall(handler, capabilities=[BURL]).ready()
    assert codes(hall.say(MAIL, RCPT, b"BURL a:b LAST\r\n"))[-1] == 552
    assert (handler.count("content"), handler.count("message"), handler.count("aborted")) == (1, 0, 1)


def test_what_is_too_big_is_not_fetched_whole():
    taken = []

    def endless(octets):
        while True:
            taken.append(1)
            yield b"x" * 100 + b"\r\n"

    hall = Hall(Fetching(endless), capabilities=[BURL], size=1000).ready()
    assert codes(hall.say(MAIL, RCPT, b"BURL a:b LAST\r\n"))[-1] == 552
    assert len(taken) == 10


def test_rset_between_parts():
    handler = Fetching()
    hall = Hall(handler, capabilities=[BURL]).ready()
    hall.say(MAIL, RCPT, b"BURL a:b\r\n", b"RSET\r\n")
    assert (handler.count("message"), handler.count("aborted")) == (0, 1)


def test_a_client_sends_by_url():
    handler = Fetching(rcpt=lambda session, command: None if "bob" in str(command.recipient) else Reply(550, "no"))
    link = Link(handler, capabilities=[BURL.offer(("imap",))])
    url = BurlLast("imap://a/b;urlauth=submit+alice:internal:91354a47")
    with link.connect() as client:
        outcome = client.send("alice@crepes.fr", ["bob@hamburger.edu", "eve@hamburger.edu"], url)
        assert [each.status.name for each in outcome.recipients] == ["ACCEPTED", "REFUSED"]
        outcome = client.send("alice@crepes.fr", ["eve@hamburger.edu"], url)
        assert [each.status.name for each in outcome.recipients] == ["REFUSED"]
        outcome = client.send("alice@crepes.fr", ["bob@hamburger.edu"], url)
        assert str(outcome.reply) == "250 2.0.0 message accepted"
    assert handler.content_seen == LETTER * 2
    groups = [octets for who, octets in link.transcript if who == "C" and b"BURL" in octets]
    assert groups[0].startswith(b"MAIL FROM"), "in one group with the envelope"


def test_a_server_that_cannot():
    with Link(Fetching(), capabilities=[CHUNKING]).connect() as client:
        with pytest.raises(LocalProtocolError, match="does not offer BURL"):
            client.send("alice@crepes.fr", ["bob@hamburger.edu"], BurlLast("imap://a/b"))
        with pytest.raises(LocalProtocolError, match="no place"):
            client.command(Burl("imap://a/b"))
        assert str(client.send("alice@crepes.fr", ["bob@hamburger.edu"], LETTER).reply).startswith("250")


def test_lmtp_by_url():
    handler = Fetching(message=[None, Reply(550, "no", "5.1.1")])
    link = Link(handler, capabilities=[BURL], lmtp=True)
    with link.connect(lmtp=True) as client:
        outcome = client.send("alice@crepes.fr", ["bob@hamburger.edu", "eve@hamburger.edu"], BurlLast("imap://a/b"))
    assert [each.status.name for each in outcome.recipients] == ["ACCEPTED", "REFUSED"]
