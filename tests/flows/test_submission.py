"""A submission server: who may send, as whom, and to which domains (RFC 6409)."""

from __future__ import annotations

import base64
from typing import Any

import pytest

import smtpcore.adapters.blocking as smtp
from smtpcore import Mailbox, Reply
from smtpcore.flows.handler import Refusal
from tests.flows.serving import BODY, EHLO, END, RCPT, RSET, WAYS, Hall, Scripted, codes

EVERY_WAY = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
PLAIN = b"AUTH PLAIN " + base64.b64encode(b"\0alice\0sesame") + b"\r\n"
NOT_YOURS = Reply(550, "not an address of yours", "5.7.1")
ALICE = Mailbox.parse("alice@crepes.fr")


class Submitters(Scripted):
    """The same with the method that only a submission server asks."""

    def __init__(self, sender: Any = None, way: Any = WAYS["plain"], **answers: Any) -> None:
        super().__init__(way=way, authenticate=True, **answers)
        self.sender = way(self._method("sender", sender))


def door(handler: Any, **options: Any) -> Hall:
    hall = Hall(handler, **{"tls": "implicit", "submission": True, **options})
    hall.said()
    return hall


def mail(path: str) -> bytes:
    return f"MAIL FROM:<{path}>\r\n".encode()


def test_nobody_sends_without_auth() -> None:
    handler = Submitters()
    hall = door(handler)
    hall.say(EHLO)
    assert hall.say(mail("alice@crepes.fr")) == "530 5.7.0 authentication required\r\n"
    assert codes(hall.say(PLAIN, mail("alice@crepes.fr"))) == [235, 250]
    assert handler.calls[-2:] == ["sender", "mail"]


def test_there_is_no_auth_without_tls() -> None:
    handler = Submitters()
    hall = Hall(handler, tls="required", submission=True)
    hall.said()
    offer = hall.say(EHLO)
    assert "AUTH" not in offer
    assert "STARTTLS" in offer
    assert codes(hall.say(PLAIN, mail("alice@crepes.fr"))) == [538, 530]
    hall.say(b"STARTTLS\r\n", None)
    assert "AUTH" in hall.say(EHLO)
    assert codes(hall.say(PLAIN, mail("alice@crepes.fr"))) == [235, 250]


@EVERY_WAY
def test_whose_the_reverse_path_is(way: Any) -> None:
    """RFC 6409 s6.1"""

    def sender(session: Any, reverse_path: Mailbox | None) -> Any:
        assert session.identity == "alice"
        if reverse_path is None:
            return None
        return {"alice": None, "al": ALICE, "bob": NOT_YOURS, "eve": Refusal(NOT_YOURS)}[reverse_path.local_part]

    handler = Submitters(sender, way=way)
    hall = door(handler)
    hall.say(EHLO, PLAIN)
    for path, code, meant in (
        ("alice@crepes.fr", 250, ALICE),
        ("al@crepes.fr", 250, ALICE),
        ("", 250, None),
        ("bob@crepes.fr", 550, None),
        ("eve@crepes.fr", 550, None),
        ("alice@CREPES.fr", 250, ALICE),
    ):
        before = handler.count("mail")
        assert codes(hall.say(mail(path))) == [code]
        assert hall.session.sender == meant
        assert handler.count("mail") == before + (code == 250)
        hall.say(RSET)
        assert hall.session.sender is None


@EVERY_WAY
@pytest.mark.parametrize("refusal", [Reply(451, "later", "4.3.0"), Refusal(Reply(451, "later", "4.3.0"))])
def test_the_method_of_mail_is_asked_behind_it(way: Any, refusal: Any) -> None:
    handler = Submitters(ALICE, way=way, mail=refusal)
    hall = door(handler)
    hall.say(EHLO, PLAIN)
    assert codes(hall.say(mail("al@crepes.fr"))) == [451]
    assert handler.calls[-2:] == ["sender", "mail"]


def test_a_message_goes_as_who_the_handler_says() -> None:
    seen: list[Any] = []
    handler = Submitters(ALICE, message=lambda session: seen.append((session.sender, session.transaction.sender)))
    hall = door(handler)
    hall.say(EHLO, PLAIN, mail("al@crepes.fr"), RCPT, b"DATA\r\n")
    assert codes(hall.say(BODY + END)) == [250]
    assert seen == [(ALICE, Mailbox.parse("al@crepes.fr"))]
    assert handler.content_seen == BODY
    hall.say(mail("bob@crepes.fr"))
    assert hall.session.sender == ALICE


@pytest.mark.parametrize("wrong", ["alice", 250, b"alice@crepes.fr", True])
def test_an_answer_that_is_none(wrong: Any) -> None:
    handler = Submitters(lambda session, path: wrong)
    hall = door(handler)
    hall.say(EHLO, PLAIN)
    assert codes(hall.say(mail("al@crepes.fr"))) == [451]
    assert [type(error) for error in hall.reported] == [TypeError]
    assert not hall.machine.transaction


def test_domains_have_to_be_whole() -> None:
    """RFC 6409 s4.2"""
    handler = Submitters()
    hall = door(handler)
    hall.say(EHLO, PLAIN)
    assert hall.say(mail("alice@crepes")) == "554 5.1.8 the domain of the sender is not fully qualified\r\n"
    for path in ("alice@crepes.fr", "", "alice@[192.0.2.1]", "alice@[IPv6:2001:db8::1]"):
        assert codes(hall.say(mail(path))) == [250]
        hall.say(RSET)
    hall.say(mail("alice@crepes.fr"))
    assert codes(hall.say(b"RCPT TO:<bob@hamburger>\r\n")) == [554]
    for path in ("bob@hamburger.edu", "Postmaster", "bob@[192.0.2.1]"):
        assert codes(hall.say(f"RCPT TO:<{path}>\r\n".encode())) == [250]
    assert handler.count("rcpt") == 3


def test_other_servers_ask_none_of_it() -> None:
    handler = Submitters(NOT_YOURS)
    hall = Hall(handler, tls="implicit")
    hall.say(EHLO)
    assert codes(hall.say(mail("alice@crepes"), b"RCPT TO:<bob@hamburger>\r\n")) == [250, 250]
    assert handler.count("sender") == 0


def test_a_handler_of_the_least() -> None:
    class Least:
        def authenticate(self, session: Any, credentials: Any) -> bool:
            return True

    hall = door(Least())
    hall.say(EHLO, PLAIN)
    assert codes(hall.say(mail("alice@crepes.fr"), RCPT)) == [250, 250]


class Authentic:
    def authenticate(self, session: Any, credentials: Any) -> bool:
        return True


@pytest.mark.parametrize(
    ("handler", "options", "why"),
    [
        (Authentic(), {}, "needs TLS"),
        (Authentic(), {"tls": "implicit", "allow_plaintext_auth": True}, "needs TLS"),
        (object(), {"tls": "implicit"}, "authenticate"),
        (Authentic(), {"tls": "implicit", "lmtp": True}, "LMTP"),
    ],
)
def test_servers_that_make_no_sense(handler: object, options: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        smtp.serve(handler, "127.0.0.1", submission=True, **options)
