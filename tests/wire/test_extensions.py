"""Extensions as data: what each adds, and what it checks before an application sees a command."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from smtpcore import (
    Auth,
    Capabilities,
    Ehlo,
    Extension,
    ExtensionSet,
    Mail,
    Mailbox,
    Noop,
    ParameterType,
    ParseError,
    StartTls,
)
from smtpcore import extensions as ext
from smtpcore.extensions import AUTH, SIZE, STANDARD, STARTTLS
from smtpcore.extensions.auth import AUTH_LINE_LIMIT
from smtpcore.table import State, merge
from smtpcore.wire.parameter import parse_number


class Session:
    """Only what a check may look at."""

    esmtp = True
    mail: Mail | None = None
    sender: Mailbox | None = None
    recipients: tuple[Mailbox, ...] = ()

    def __init__(self, *offered: Any, **facts: bool) -> None:
        self.capabilities = Capabilities(*offered)
        self.size_limit = self.capabilities.get(SIZE) or None
        self.trusted = self.proxied = False
        self.tls = self.authenticated = self.allow_plaintext_auth = self.require_auth = False
        for name, value in facts.items():
            setattr(self, name, value)


def refusals(session: Session, command: Any) -> list[tuple[int, str]]:
    of_parameters = [STANDARD.parameter_checks.get(each.keyword, ()) for each in getattr(command, "parameters", ())]
    checks = [*STANDARD.checks.get(type(command), ()), *[check for found in of_parameters for check in found]]
    replies = [check(session, command) for check in checks]
    return [(reply.code, str(reply.enhanced)) for reply in replies if reply]


def test_all_of_them():
    assert [extension.keyword for extension in STANDARD] == [
        "PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "STARTTLS", "AUTH", "HELP",
        "CHUNKING", "BINARYMIME", "ETRN", "XCLIENT", "XFORWARD", "DSN", "REQUIRETLS", "DELIVERBY", "FUTURERELEASE",
        "MT-PRIORITY", "RRVS", "NO-SOLICITING", "CONPERM", "CONNEG", "LIMITS", "BURL", "ATRN",
    ]  # fmt: skip
    assert len(STANDARD) == len(list(STANDARD))
    for extension in STANDARD:
        assert extension.rfc.startswith("RFC ") or extension.rfc == "Postfix"
        assert extension in STANDARD
        assert extension.keyword.lower() in STANDARD
        assert repr(extension) == f"Extension({extension.keyword!r})"
    assert "XCHUNKING" not in STANDARD
    assert "\u017ftarttls" not in STANDARD
    assert 5 not in STANDARD
    assert set(STANDARD.verb_owner.values()) == {
        STARTTLS, AUTH, ext.CHUNKING, ext.ETRN, ext.XCLIENT, ext.XFORWARD, ext.BURL, ext.ATRN,
    }  # fmt: skip
    assert set(STANDARD.parameter_owners) == {
        "SIZE", "BODY", "SMTPUTF8", "AUTH", "RET", "ENVID", "NOTIFY", "ORCPT", "REQUIRETLS", "BY", "HOLDFOR",
        "HOLDUNTIL", "MT-PRIORITY", "RRVS", "SOLICIT", "CONPERM", "CONNEG",
    }  # fmt: skip


def test_every_verb_of_an_extension_has_a_row():
    for verb, extension in STANDARD.verb_owner.items():
        assert any(verb in rows for rows in extension.transitions.values())
        assert any(verb in rows for rows in STANDARD.transitions.values())


def test_one_of_your_own():
    shout: Extension[int] = Extension(
        "x-shout",
        "nowhere",
        argument=ParameterType("X-LOUD", parse_number),
        rcpt_parameters=[ParameterType("X-LOUD", parse_number)],
    )
    extended = STANDARD.with_extensions(shout)
    assert shout in extended
    assert shout not in STANDARD
    assert "X-LOUD" in extended.vocabulary.rcpt_parameters
    assert extended.parameter_owners["X-LOUD"] == (shout,)
    assert str(shout.offer(5)) == "X-SHOUT 5"
    assert shout.decode("5") == 5
    with pytest.raises(TypeError, match="no parameter with a value of that kind"):
        shout(5)


def test_a_second_one_of_a_keyword_takes_its_place():
    other: Extension[Any] = Extension("size", "mine")
    assert [extension.rfc for extension in ExtensionSet(SIZE, other)] == ["mine"]


def test_parameters_of_two_extensions_by_one_name():
    one: Extension[Any] = Extension("ONE", "mine", mail_parameters=[ParameterType("X")])
    two: Extension[Any] = Extension("TWO", "mine", rcpt_parameters=[ParameterType("X")])
    assert ExtensionSet(one, two).parameter_owners == {"X": (one, two)}


@pytest.mark.parametrize("keyword", ["", "-X", "X Y", "X=Y", "X\r\n", "\u00c4"])
def test_no_keywords(keyword):
    with pytest.raises(ParseError):
        Extension(keyword, "mine")


def test_an_extension_without_a_value():
    with pytest.raises(TypeError, match="takes no value"):
        ext.PIPELINING.offer(1)
    with pytest.raises(TypeError):
        ext.PIPELINING(1)
    with pytest.raises(ParseError, match="takes no value"):
        ext.PIPELINING.decode("x")
    with pytest.raises(ParseError, match="takes no value"):
        ext.PIPELINING.decode(None)


def test_size_serves_in_both_places():
    assert str(SIZE(5)) == "SIZE=5"
    assert str(SIZE.offer(5)) == "SIZE 5"
    assert SIZE.decode("5") == 5
    with pytest.raises(ParseError):
        SIZE.decode(None)


# --- checks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "declared", "refused"),
    [(100, 100, []), (100, 101, [(552, "5.3.4")]), (0, 101, []), (None, 101, []), (100, None, []), (100, 0, [])],
)
def test_size_is_checked(limit, declared, refused):
    """RFC 1870 s6.1: what is declared to be bigger than the limit is refused at once; a limit of 0 is none."""
    session = Session(*[SIZE(limit)] if limit is not None else [])
    assert refusals(session, Mail(None, *[SIZE(declared)] if declared is not None else [])) == refused


def test_transactions_that_need_auth():
    assert refusals(Session(require_auth=True), Mail(None)) == [(530, "5.7.0")]
    assert refusals(Session(require_auth=True, authenticated=True), Mail(None)) == []


@pytest.mark.parametrize(
    ("facts", "mechanism", "refused"),
    [
        ({"tls": True}, "PLAIN", []),
        ({"tls": True}, "plain", []),
        ({"tls": True}, "X", [(504, "5.5.4")]),
        ({}, "PLAIN", [(538, "5.7.11")]),
        ({"allow_plaintext_auth": True}, "PLAIN", []),
        ({"tls": True, "authenticated": True}, "PLAIN", [(503, "5.5.1")]),
    ],
)
def test_auth_is_checked(facts, mechanism, refused):
    """AU-06, AU-07, AU-11."""
    assert refusals(Session(AUTH.offer(("PLAIN", "LOGIN")), **facts), Auth(mechanism)) == refused


def test_auth_that_is_not_offered():
    assert refusals(Session(tls=True), Auth("PLAIN")) == [(504, "5.5.4")]


def test_starttls_is_checked():
    assert refusals(Session(), StartTls()) == []
    assert refusals(Session(tls=True), StartTls()) == [(503, "5.5.1")]
    assert refusals(Session(authenticated=True), StartTls()) == [(503, "5.5.1")]
    assert refusals(Session(proxied=True), StartTls()) == [(503, "5.5.1")]
    assert refusals(Session(), Noop()) == refusals(Session(), Ehlo("x")) == []


@pytest.mark.parametrize(
    ("extension", "facts", "announced"),
    [
        (STARTTLS, {}, True),
        (STARTTLS, {"tls": True}, False),
        (STARTTLS, {"proxied": True}, False),
        (ext.XCLIENT, {}, False),
        (ext.XCLIENT, {"trusted": True}, True),
        (ext.XFORWARD, {}, False),
        (ext.XFORWARD, {"trusted": True}, True),
        (AUTH, {}, False),
        (AUTH, {"tls": True}, True),
        (AUTH, {"allow_plaintext_auth": True}, True),
        (AUTH, {"tls": True, "authenticated": True}, False),
    ],
)
def test_announced(extension, facts, announced):
    assert extension.announced(Session(**facts)) is announced


def test_the_limit_of_an_exchange():
    assert AUTH_LINE_LIMIT == 12_288


def test_secrets_given_as_octets_only():
    for wrong in (5, "text", 5.5):
        with pytest.raises(TypeError):
            Auth("PLAIN", wrong)  # type: ignore[arg-type]  # what is tried
    held = bytearray(b"x")
    command = Auth("PLAIN", held)  # type: ignore[arg-type]  # any octets will do
    held[0] = 0
    assert command == Auth("PLAIN", b"x")


def test_a_row_of_an_extension_wins():
    rows = merge([STANDARD.transitions, {State.READY: {Noop: {2: State.CLOSED}}}])
    assert rows[State.READY][Noop] == {2: State.CLOSED}
    assert STANDARD.transitions[State.READY][Noop] == {2: State.READY}


def test_objections_of_a_client():
    """What an extension of one's own has against a command; the first that has anything counts."""

    def too_much(server, command):
        return "too much" if command.parameters[loud] > (server.capabilities.get(shout) or 9) else ""

    loud = ParameterType("X-LOUD", parse_number)
    shout: Extension[int] = Extension(
        "X-SHOUT", "mine", argument=ParameterType("X-SHOUT", parse_number), mail_parameters=[loud], objection=too_much
    )
    known = STANDARD.with_extensions(shout)
    server: Any = SimpleNamespace(capabilities=Capabilities(shout.offer(5)), verified=False)
    assert known.objection(Mail(None, loud(5)), server) == ""
    assert known.objection(Mail(None, loud(6)), server) == "too much"
    assert known.objection(Mail(None, SIZE(6)), server) == ""
    assert STANDARD.objection(Mail(None), server) == ""


def test_what_is_to_be_had_within_tls_only():
    secret: Extension[bool] = Extension("X-SECRET", "mine", mail_parameters=[ParameterType("X-SECRET")], needs_tls=True)
    known = STANDARD.with_extensions(secret)
    offered = Capabilities(SIZE(5), secret)
    assert known.within(offered, tls=True) is offered
    assert known.within(offered, tls=False) == Capabilities(SIZE(5))
    assert known.within(Capabilities(SIZE(5)), tls=False) == Capabilities(SIZE(5))
    assert secret.announced is not None
    assert (secret.announced(Session()), secret.announced(Session(tls=True))) == (False, True)
    assert str(secret(True)) == "X-SECRET", "a parameter of the same name is made by a call"
