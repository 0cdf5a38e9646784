"""AUTH on the server's side: the exchange belongs to the script, the verdict to the handler."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from smtpcore import Reply, State
from smtpcore.flows.handler import Refusal
from smtpcore.sasl import Credentials, PlainServer
from tests.flows.serving import EHLO, MAIL, NOOP, QUIT, RSET, WAYS, Hall, Scripted, codes
from tests.sasl.exposure import assert_hidden, forms, views

EVERY_WAY = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
PASSWORD = "swordfish-and-chips"


def b64(text: str | bytes) -> bytes:
    return base64.b64encode(text.encode() if isinstance(text, str) else text)


GOOD = b64(f"\0alice\0{PASSWORD}")
PLAIN = b"AUTH PLAIN " + GOOD + b"\r\n"


def check(session: Any, credentials: Credentials) -> bool:
    return credentials.authcid == "alice" and credentials.verify(PASSWORD)


def door(answer: Any = check, way: Any = WAYS["plain"], **options: Any) -> tuple[Hall, Scripted]:
    handler = Scripted(way=way, authenticate=answer)
    return Hall(handler, **{"allow_plaintext_auth": True, **options}).ready(), handler


def still_a_stranger(hall: Hall) -> bool:
    return not hall.session.authenticated and hall.session.identity is None and hall.machine.state is State.READY


@EVERY_WAY
@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([PLAIN], id="plain"),
        pytest.param([b"auth plain " + GOOD + b"\r\n"], id="AU-07-case"),
        pytest.param([b"AUTH PLAIN\r\n", GOOD + b"\r\n"], id="AU-02-plain-when-asked"),
        pytest.param([b"AUTH LOGIN\r\n", b64("alice") + b"\r\n", b64(PASSWORD) + b"\r\n"], id="login"),
        pytest.param([b"AUTH LOGIN " + b64("alice") + b"\r\n", b64(PASSWORD) + b"\r\n"], id="login-initial"),
    ],
)
def test_good_credentials(lines, way):
    hall, handler = door(way=way)
    replies = hall.say(*lines)
    assert codes(replies) == [334] * (len(lines) - 1) + [235]
    assert hall.session.authenticated
    assert hall.session.identity == "alice"
    assert handler.count("authenticate") == 1
    assert codes(hall.say(MAIL)) == [250]


def test_an_empty_challenge_has_its_space():
    """AU-02"""
    hall, _ = door()
    assert hall.say(b"AUTH PLAIN\r\n") == "334 \r\n"


def test_the_prompts_of_login():
    hall, _ = door()
    assert hall.say(b"AUTH LOGIN\r\n") == "334 VXNlcm5hbWU6\r\n"
    assert hall.say(b64("alice") + b"\r\n") == "334 UGFzc3dvcmQ6\r\n"


@EVERY_WAY
def test_bad_credentials(way):
    """AU-11"""
    hall, _ = door(way=way)
    assert (
        hall.say(b"AUTH PLAIN " + b64("\0alice\0wrong") + b"\r\n") == "535 5.7.8 authentication credentials invalid\r\n"
    )
    assert still_a_stranger(hall)
    assert codes(hall.say(PLAIN)) == [235]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(432, "a password transition is needed", "4.7.12"),
        Reply(454, "temporary authentication failure", "4.7.0"),
        Reply(534, "authentication mechanism is too weak", "5.7.9"),
        Reply(535, "no", "5.7.8"),
        Reply(538, "encryption required", "5.7.11"),
    ],
    ids=lambda reply: f"AU-11-{reply.code}",
)
@pytest.mark.parametrize("make", [lambda reply: reply, Refusal], ids=["returned", "raised"])
@EVERY_WAY
def test_a_refusal_in_the_handlers_words(reply, make, way):
    hall, _ = door(make(reply), way)
    assert hall.say(PLAIN) == f"{reply.code} {reply.enhanced} {reply.text}\r\n"
    assert still_a_stranger(hall)
    assert hall.reported == []


@EVERY_WAY
def test_a_success_in_the_handlers_words(way):
    hall, _ = door(Reply(235, "welcome, alice", "2.7.0"), way)
    assert hall.say(PLAIN) == "235 2.7.0 welcome, alice\r\n"
    assert hall.session.authenticated
    assert hall.session.identity == "alice"


@EVERY_WAY
@pytest.mark.parametrize("error", [RuntimeError("boom"), OSError("the directory is away"), TimeoutError()], ids=repr)
def test_a_handler_that_cannot_tell_is_a_temporary_failure(error, way):
    """AU-11: 454, which says nothing of the password."""
    hall, _ = door(error, way)
    assert hall.say(PLAIN) == "454 4.7.0 temporary authentication failure\r\n"
    assert hall.reported == [error]
    assert still_a_stranger(hall)


@pytest.mark.parametrize("answer", [None, False, 0, 1, "yes", b"", object(), []], ids=repr)
def test_only_true_is_yes(answer):
    """A handler that forgets to answer lets nobody in."""
    hall, _ = door(answer)
    assert codes(hall.say(PLAIN)) == [535]
    assert still_a_stranger(hall)


@pytest.mark.parametrize("code", [334, 354])
def test_a_challenge_is_no_verdict(code):
    hall, _ = door(Reply(code, "eA=="))
    assert codes(hall.say(PLAIN)) == [454]
    assert len(hall.reported) == 1
    assert still_a_stranger(hall)


def test_421_closes():
    hall, _ = door(Reply(421, "too many attempts", "4.7.0"))
    assert codes(hall.say(PLAIN)) == [421]
    assert hall.closed


# --- who it is -----------------------------------------------------------------------------------


def test_who_a_client_wants_to_act_as_is_not_who_it_has_proved_to_be():
    """AU-09: a handler that looks at the name and the password alone gives nobody another's identity."""
    hall, handler = door()
    assert codes(hall.say(b"AUTH PLAIN " + b64(f"admin\0alice\0{PASSWORD}") + b"\r\n")) == [235]
    assert hall.session.identity == "alice"
    given = handler.args[handler.calls.index("authenticate")][0]
    assert (given.authcid, given.authzid) == ("alice", "admin")


def test_a_handler_may_say_who_it_is():
    def become(session: Any, credentials: Credentials) -> bool:
        session.identity = credentials.authzid
        return True

    hall, _ = door(become)
    hall.say(b"AUTH PLAIN " + b64(f"shared-box\0alice\0{PASSWORD}") + b"\r\n")
    assert hall.session.identity == "shared-box"


def test_an_identity_that_was_refused_does_not_stay():
    def half(session: Any, credentials: Credentials) -> bool:
        session.identity = "admin"
        return False

    hall, _ = door(half)
    assert codes(hall.say(PLAIN)) == [535]
    assert hall.session.identity is None


# --- bad exchanges -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "code"),
    [
        pytest.param(b"AUTH PLAIN a b", 501, id="AU-08-two-arguments"),
        pytest.param(b"AUTH ", 501, id="AU-08-none"),
        pytest.param(b"AUTH", 501, id="AU-08-nothing"),
        pytest.param(b"AUTH ABCDEFGHIJKLMNOPQRSTU", 501, id="AU-08-21-characters"),
        pytest.param(b"AUTH PL@IN", 501, id="AU-08-not-a-name"),
        pytest.param(b"AUTH X", 504, id="AU-07-unknown"),
        pytest.param(b"AUTH GSSAPI", 504, id="AU-07-not-offered"),
        pytest.param(b"AUTH plain =", 501, id="AU-01-empty-is-no-message"),
        pytest.param(b"AUTH PLAIN " + b64("\0u\0"), 501, id="AU-09-no-password"),
        pytest.param(b"AUTH PLAIN " + b64("u\0p"), 501, id="AU-09-one-nul"),
        pytest.param(b"AUTH PLAIN " + b64("\0u\0p\0x"), 501, id="AU-09-three-nul"),
        pytest.param(b"AUTH PLAIN " + b64(b"\0\xff\0p"), 501, id="AU-09-not-utf8"),
        pytest.param(b"AUTH PLAIN " + b64("\0" + "u" * 256 + "\0p"), 501, id="AU-09-256"),
        pytest.param(b"AUTH PLAIN " + b64("\0al\r\nice\0p"), 501, id="AU-10-crlf"),
        pytest.param(b"AUTH PLAIN " + b64("\0al\x85ice\0p"), 501, id="AU-10-c1"),
        pytest.param(b"AUTH PLAIN YWJj=", 501, id="AU-04-padding"),
        pytest.param(b"AUTH PLAIN YR==", 501, id="AU-04-stray-bits"),
        pytest.param(b"AUTH LOGIN =", 501, id="AU-09-login-empty-name"),
    ],
)
def test_what_never_comes_to_the_handler(line, code):
    hall, handler = door()
    assert codes(hall.say(line + b"\r\n")) == [code]
    assert handler.count("authenticate") == 0
    assert still_a_stranger(hall)
    assert codes(hall.say(PLAIN)) == [235]


@pytest.mark.parametrize(
    ("line", "code"), [(b"*", 501), (b"!", 501), (b"YQ", 501), (b"", 501), (b64("no nul"), 501)], ids=repr
)
def test_an_exchange_that_goes_wrong(line, code):
    """AU-03: the state is as it was before AUTH."""
    hall, handler = door()
    assert codes(hall.say(b"AUTH PLAIN\r\n", line + b"\r\n")) == [334, code]
    assert handler.count("authenticate") == 0
    assert still_a_stranger(hall)
    assert codes(hall.say(b"AUTH LOGIN\r\n", b64("alice") + b"\r\n", b64(PASSWORD) + b"\r\n")) == [334, 334, 235]


def test_a_cancelled_login_does_not_begin_the_next_one():
    hall, handler = door()
    hall.say(b"AUTH LOGIN\r\n", b64("mallory") + b"\r\n", b"*\r\n")
    assert codes(hall.say(b"AUTH LOGIN\r\n", b64("alice") + b"\r\n", b64(PASSWORD) + b"\r\n")) == [334, 334, 235]
    assert hall.session.identity == "alice"
    assert handler.count("authenticate") == 1


def test_a_mechanism_that_is_offered_and_not_there():
    """The settings and the mechanisms may be of different minds where an application builds them by hand."""
    hall, _ = door()
    hall.control.mechanisms = {"PLAIN": PlainServer}
    assert codes(hall.say(b"AUTH LOGIN\r\n", NOOP)) == [504, 250]


def test_out_of_place():
    """AU-05, AU-06"""
    hall, _ = door()
    assert codes(hall.say(MAIL, PLAIN, RSET, PLAIN, PLAIN)) == [250, 503, 250, 235, 503]
    handler = Scripted(authenticate=True)
    hall = Hall(handler, allow_plaintext_auth=True)
    hall.said()
    assert codes(hall.say(PLAIN, b"HELO crepes.fr\r\n", PLAIN)) == [503, 250, 503]
    assert handler.count("authenticate") == 0


def test_not_in_the_clear():
    """TLS-12"""
    handler = Scripted(authenticate=True)
    hall = Hall(handler, tls="opportunistic")
    hall.said()
    assert "AUTH" not in hall.say(EHLO)
    assert hall.say(PLAIN).startswith("538 5.7.11 ")
    assert handler.count("authenticate") == 0


def test_not_offered_without_a_method_for_it():
    hall = Hall(Scripted(), allow_plaintext_auth=True)
    hall.said()
    assert "AUTH" not in hall.say(EHLO)
    assert codes(hall.say(PLAIN)) == [502]


def test_required():
    hall, _ = door(require_auth=True)
    assert codes(hall.say(MAIL, PLAIN, MAIL, QUIT)) == [530, 235, 250, 221]


def test_nothing_of_the_script_shows_the_password():
    """AU-17: not within the exchange, not behind it, not while the handler fails."""
    seen: list[Any] = []

    def fail(session: Any, credentials: Credentials) -> bool:
        seen.extend([session, credentials, session.machine])
        raise RuntimeError("the directory is away")

    hall, _ = door(fail)
    hall.say(b"AUTH LOGIN\r\n", b64("alice") + b"\r\n")
    secrets = forms(PASSWORD.encode())
    hall.say(b64(PASSWORD) + b"\r\n")
    hall.say(PLAIN)
    for thing in (*seen, *hall.reported, hall.session, hall.machine.session, hall.control):
        assert_hidden(views(thing), secrets)
    import traceback

    shown = traceback.TracebackException.from_exception(hall.reported[0], capture_locals=True)
    assert_hidden(iter("".join(shown.format()).split("\n")), secrets)
