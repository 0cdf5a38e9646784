"""ATRN from end to end: a customer's handler receives, over its own connection, what a provider's handler has."""

from __future__ import annotations

from typing import Any

import pytest

from smtpcore import LocalProtocolError, ParseError, Reply
from smtpcore.adapters.memory import Link
from smtpcore.extensions import ATRN, BY, REQUIRETLS, Atrn, ByMode, DeliverBy
from smtpcore.extensions.atrn import NO_MAIL, NOT_ALLOWED
from smtpcore.flows import Letter, Refusal
from smtpcore.flows.server import Drain
from tests.flows.driving import EOF, RESET
from tests.flows.serving import EHLO, WAYS, Hall, Scripted, codes

LOGIN = b"AUTH PLAIN AGFsaWNlAHNlc2FtZQ==\r\n"
HI = b"Subject: crepes\r\n\r\nHello\r\n"


def letters(count: int = 2) -> list[Letter]:
    return [Letter(f"user{n}@example.net", ["bob@example.org", "eve@example.org"], HI) for n in range(count)]


async def slowly(count: int) -> Any:
    for letter in letters(count):
        yield letter


class Provider(Scripted):
    """Has letters for whoever says ATRN, and notes what has become of them."""

    def __init__(self, answer: Any, **answers: Any) -> None:
        self.told: list[Any] = []
        answers.setdefault("relayed", lambda session, letter, outcome: self.told.append(outcome))
        super().__init__(authenticate=True, atrn=answer, **answers)

    def statuses(self) -> list[list[str]]:
        return [[each.status.name for each in outcome.recipients] for outcome in self.told]


class Customer(Scripted):
    """Takes mail for everybody but eve."""

    def __init__(self, **answers: Any) -> None:
        self.got: list[tuple[str, list[str]]] = []
        answers.setdefault("rcpt", lambda session, rcpt: Reply(550, "no") if "eve" in str(rcpt.recipient) else None)
        answers.setdefault("message", self.take)
        super().__init__(**answers)

    def take(self, session: Any) -> None:
        self.got.append((str(session.transaction.sender), [str(each) for each in session.transaction.recipients]))


def link_to(provider: Any) -> Link:
    return Link(provider, capabilities=[ATRN], allow_plaintext_auth=True, hostname="example.net")


def login(link: Link) -> Any:
    return link.connect(auth=("alice", "sesame"), allow_plaintext_auth=True, hostname="example.org")


# -- both, in memory ------------------------------------------------------------------------------

MANY = {
    "list": lambda *_: letters(),
    "tuple": lambda *_: tuple(letters()),
    "generator": lambda *_: (each for each in letters()),
    "async": lambda *_: slowly(2),
}


@pytest.mark.parametrize("form", MANY)
@pytest.mark.parametrize("way", WAYS)
def test_the_mail_that_waits(form, way):
    provider = Provider(MANY[form], way=WAYS[way])
    customer = Customer(way=WAYS[way])
    link = link_to(provider)
    with login(link) as client:
        assert client.turn(Atrn("example.org"), customer, hostname="example.org").code == 250
        with pytest.raises(LocalProtocolError):
            client.send("a@b", ["c@d"], HI)
    assert customer.got == [("user0@example.net", ["bob@example.org"]), ("user1@example.net", ["bob@example.org"])]
    assert customer.content_seen == HI * 2
    assert provider.statuses() == [["ACCEPTED", "REFUSED"]] * 2
    assert customer.calls.count("closed") == provider.calls.count("closed") == 1
    assert link.errors == []
    said = b"".join([who.encode() + b": " + octets for who, octets in link.transcript])
    at = said.index(b"ATRN example.org\r\n")
    assert said[at:].startswith(
        b"ATRN example.org\r\nS: 250 2.0.0 now reversing the connection\r\n"
        b"C: 220 example.org ESMTP\r\nS: EHLO example.net\r\n"
    )
    assert said.endswith(b"S: QUIT\r\nC: 221 2.0.0 closing connection\r\n")


@pytest.mark.parametrize(
    ("answer", "code"),
    [(None, 453), ([], 453), ((), 453), (NOT_ALLOWED, 450), (Refusal(NO_MAIL), 453), (ValueError("x"), 451)],
    ids=repr,
)
def test_a_refusal_is_a_reply(answer, code):
    provider, customer = Provider(answer), Customer()
    with login(link_to(provider)) as client:
        assert client.turn(Atrn(), customer).code == code
        assert customer.calls == []
        assert client.send("a@b", ["c@d"], HI).recipients[0].status.name == "ACCEPTED", "the session goes on"


def test_who_has_not_logged_in():
    with link_to(Provider(letters())).connect() as client:
        assert client.turn(Atrn(), Customer()).code == 530


def test_a_server_that_does_not_offer_it():
    with Link(Provider(letters())).connect() as client, pytest.raises(LocalProtocolError, match="does not offer ATRN"):
        client.turn(Atrn(), Customer())


def test_options_are_looked_at_before_anything_is_said():
    link = link_to(Provider(letters()))
    with login(link) as client:
        with pytest.raises(ParseError):
            client.turn(Atrn(), Customer(), hostname="a b")
        assert client.turn(Atrn(), Customer()).code == 250


def test_a_customer_that_takes_nothing_now():
    provider = Provider(letters())
    with login(link_to(provider)) as client:
        client.turn(Atrn(), Customer(connected=Reply(554, "not now")))
    assert provider.told == [], "and nothing is said of what was not sent"


def test_a_customer_that_fails_on_one():
    """Its exception is 451 to the provider, and comes out at the end."""
    answers = iter([ValueError("disk"), None])

    def message(session: Any) -> None:
        answer = next(answers)
        if answer:
            raise answer

    provider = Provider(letters())
    with login(link_to(provider)) as client, pytest.raises(ValueError, match="disk"):
        client.turn(Atrn(), Customer(message=message))
    assert provider.statuses() == [["REFUSED_FOR_NOW", "REFUSED"], ["ACCEPTED", "REFUSED"]]


@pytest.mark.parametrize("parameter", [REQUIRETLS(True), BY(DeliverBy(60, ByMode.RETURN))], ids=str)
def test_a_letter_that_may_not_go_holds_up_no_other(parameter):
    """RFC 8689 s4.2.1: a customer shows no certificate. Or what it does not offer."""
    first, second = letters()
    bound = Letter("alice@example.net", ["bob@example.org"], HI, mail_parameters=[parameter])
    provider, customer = Provider([first, bound, second]), Customer()
    link = link_to(provider)
    with login(link) as client:
        assert client.turn(Atrn(), customer, hostname="example.org").code == 250
    assert provider.statuses() == [["ACCEPTED", "REFUSED"], ["NOT_SENT"], ["ACCEPTED", "REFUSED"]]
    assert parameter.keyword in provider.told[1].recipients[0].why
    assert link.errors == []
    assert len(customer.got) == 2


def test_what_a_customer_may_know():
    sessions = []
    customer = Customer(connected=lambda session: sessions.append((session.peer, session.tls, session.identity)))
    with login(link_to(Provider(letters()))) as client:
        client.turn(Atrn(), customer)
    assert sessions == [(("memory", 25), False, None)]


def test_letters():
    with pytest.raises(TypeError, match="must be several"):
        Letter(None, "bob@example.org", HI)
    with pytest.raises(ParseError):
        Letter("a b", ["bob@example.org"], HI)
    with pytest.raises(TypeError):
        Letter(None, ["bob@example.org"], "text")  # type: ignore[arg-type]  # what is tried


# -- the provider alone ---------------------------------------------------------------------------


def turned(provider: Any) -> Hall:
    """Behind the 250 to ATRN."""
    hall = Hall(provider, capabilities=[ATRN], allow_plaintext_auth=True)
    hall.ready()
    assert codes(hall.say(LOGIN)) == [235]
    assert hall.say(b"ATRN\r\n") == "250 2.0.0 now reversing the connection\r\n"
    return hall


def test_a_provider_waits_for_the_greeting():
    hall = turned(Provider(letters(1)))
    assert hall.read.seconds == 300
    assert hall.say(b"22") == ""
    assert hall.say(b"0 example.org\r\n") == "EHLO hamburger.edu\r\n"
    assert hall.say(b"250 example.org\r\n").startswith("MAIL FROM:<user0@example.net>")


@pytest.mark.parametrize("turn", [EOF, RESET, TimeoutError("x"), b"NOOP\r\n", b"554 no\r\n", b"421 no\r\n"], ids=repr)
def test_a_customer_that_does_not_go_on(turn):
    provider = Provider(letters())
    hall = turned(provider)
    hall.say(turn)
    if not hall.ended:
        hall.say(b"221 bye\r\n")
    assert hall.closed
    assert provider.told == hall.reported == []
    assert provider.count("closed") == 1


def test_a_connection_that_is_lost_in_a_message():
    """Law 10: the one in hand is told, with what is known of it, and those behind it are not."""
    provider = Provider(letters(3))
    hall = turned(provider)
    hall.say(b"220 a\r\n", b"250-a\r\n250 PIPELINING\r\n", b"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", EOF)
    assert hall.closed
    assert provider.statuses() == [["UNKNOWN", "UNKNOWN"]]


@pytest.mark.parametrize("answer", ["text", b"octets", Reply(250, "ok"), 5])
def test_an_answer_that_makes_no_sense(answer):
    hall = Hall(Provider(answer), capabilities=[ATRN], allow_plaintext_auth=True)
    hall.ready()
    assert codes(hall.say(LOGIN, b"ATRN\r\n")) == [235, 451]
    assert len(hall.reported) == 1
    assert codes(hall.say(b"NOOP\r\n")) == [250]


@pytest.mark.parametrize("broken", [iter([5]), (each for each in [letters(1)[0], 1 / 1])], ids=["first", "second"])
def test_letters_that_are_none(broken):
    hall = turned(Provider(broken))
    hall.say(b"220 a\r\n", b"250-a\r\n250 PIPELINING\r\n")
    if not hall.ended:
        hall.say(b"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", b"250 ok\r\n")
    assert hall.closed
    assert len(hall.reported) == 1


def test_a_server_that_is_to_stop():
    """The letter in hand is finished, and no other begun."""
    provider = Provider(letters(3))
    hall = turned(provider)
    hall.say(b"220 a\r\n", b"250-a\r\n250 PIPELINING\r\n")
    hall.control.draining = True
    assert hall.say(Drain()) == ""
    said = hall.say(b"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n", b"250 ok\r\n")
    assert said.endswith("QUIT\r\n")
    hall.say(b"221 bye\r\n")
    assert hall.closed
    assert provider.statuses() == [["ACCEPTED", "ACCEPTED"]]


def test_nobody_has_letters():
    hall = Hall(Scripted(authenticate=True), capabilities=[ATRN], allow_plaintext_auth=True)
    hall.ready()
    assert codes(hall.say(LOGIN, b"ATRN\r\n")) == [235, 502]
    assert codes(Hall(Provider([]), allow_plaintext_auth=True).say(EHLO, LOGIN, b"ATRN\r\n"))[-1] == 502
