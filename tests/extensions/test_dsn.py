"""DSN (RFC 3461, RFC 6533): what its parameters mean, their limits, and where they are refused."""

from __future__ import annotations

import copy
import pickle
from itertools import product
from typing import Any

import pytest
from hypothesis import given

from smtpcore import (
    Ehlo,
    Helo,
    LocalProtocolError,
    Mail,
    Mailbox,
    ParseError,
    Rcpt,
    parse_command,
)
from smtpcore.extensions import (
    DSN,
    ENVID,
    NEVER,
    NOTIFY,
    ORCPT,
    PIPELINING,
    RET,
    SMTPUTF8,
    STANDARD,
    UTF8,
    Notify,
    OriginalRecipient,
    Ret,
)
from smtpcore.wire.address import POSTMASTER
from tests.extensions.talking import codes, pair
from tests.session.helpers import ALICE, BOB
from tests.strategies import notifies, original_recipients, printable

# --- RET -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "ret"), [("FULL", Ret.FULL), ("HDRS", Ret.HDRS), ("hdrs", Ret.HDRS), ("fUlL", Ret.FULL)]
)
def test_ret(text, ret):
    """RFC 3461 s4.3: "any combination of upper and lower case letters"."""
    assert RET.decode(text) is ret
    assert str(RET(ret)) == f"RET={text.upper()}"


@pytest.mark.parametrize("text", ["", "BODY", "FULL,HDRS", "FULL ", "H", "\u0131", "FUL\u013f", None])
def test_no_ret(text):
    with pytest.raises(ParseError):
        RET.decode(text)


# --- ENVID ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "meaning"), [("QQ314159", "QQ314159"), ("e+3Dmc2", "e=mc2"), ("a+20b", "a b"), ("+2B", "+"), ("+41", "A")]
)
def test_envid(text, meaning):
    assert ENVID.decode(text) == meaning
    assert ENVID.decode(ENVID(meaning).text) == meaning


def test_limits_of_an_envid():
    assert ENVID.decode("a" * 100) == "a" * 100
    assert ENVID.decode("+2B" * 33 + "a") == "+" * 33 + "a"
    assert ENVID("a" * 100).text == "a" * 100
    for text in ("a" * 101, "+2B" * 33 + "aa"):
        with pytest.raises(ParseError, match="longer than 100"):
            ENVID.decode(text)
    for value in ("a" * 101, "+" * 34):
        with pytest.raises(ParseError, match="longer than 100"):
            ENVID(value)


@pytest.mark.parametrize(
    "text", ["", "a=b", "a b", "+3d", "+3", "+", "+C3+A9", "+0D+0A", "+00", "+7F", "\u00e9", "+FF"]
)
def test_no_envid(text):
    """INJ-04; RFC 3461 s4.4: "printable (graphic and white space) characters from the US-ASCII repertoire"."""
    with pytest.raises(ParseError):
        ENVID.decode(text)


@pytest.mark.parametrize("value", ["", "a\r\nRCPT TO:<x@y>", "\0", "\t", "\x7f", "\u00e9", "\ud800"])
def test_no_value_of_an_envid(value):
    with pytest.raises(ParseError):
        ENVID(value)


@given(printable(30))
def test_envid_round_trip(value):
    parameter = ENVID(value)
    assert parameter.text is not None
    assert set(parameter.text).isdisjoint(" =")
    assert ENVID.decode(parameter.text) == value


# --- NOTIFY --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "notify", "written"),
    [
        ("NEVER", NEVER, "NEVER"),
        ("never", Notify(), "NEVER"),
        ("SUCCESS", Notify(success=True), "SUCCESS"),
        ("Success,delay", Notify(success=True, delay=True), "SUCCESS,DELAY"),
        ("DELAY,FAILURE,SUCCESS", Notify(success=True, failure=True, delay=True), "SUCCESS,FAILURE,DELAY"),
        ("FAILURE,FAILURE", Notify(failure=True), "FAILURE"),
    ],
)
def test_notify(text, notify, written):
    """RFC 3461 s4.1: a list in any order and case."""
    assert NOTIFY.decode(text) == notify
    assert str(NOTIFY(notify)) == f"NOTIFY={written}"
    assert bool(notify) is (written != "NEVER")
    command = parse_command(b"RCPT TO:<b@h> NOTIFY=" + text.encode(), STANDARD.vocabulary)
    assert isinstance(command, Rcpt)
    assert command.parameters[NOTIFY] == notify
    assert bytes(command) == b"RCPT TO:<b@h> NOTIFY=" + text.encode() + b"\r\n", "it is passed on as it came"


@pytest.mark.parametrize(
    "text",
    ["", "NEVER,SUCCESS", "SUCCESS,NEVER", "NEVER,NEVER", "SUCCESS,", ",SUCCESS", "SUCCESS,,DELAY", "SUCCESS;DELAY",
     "ALWAYS", "\u017fUCCESS", "SUCCESS,DELAY,X"],
)  # fmt: skip
def test_no_notify(text):
    with pytest.raises(ParseError, match="NEVER"):
        NOTIFY.decode(text)


@given(notifies)
def test_notify_round_trip(notify):
    text = NOTIFY(notify).text
    assert text is not None
    assert len(f"NOTIFY={text}") <= 28, "RFC 3461 s5.4"
    assert NOTIFY.decode(text) == notify


def test_only_values_of_their_kind():
    """A text that looks right is no value: whoever reads it would find no ``failure`` in it."""
    tried: list[tuple[Any, Any]] = [(NOTIFY, "NEVER"), (RET, "FULL"), (ORCPT, "rfc822;bob@hamburger.edu"), (NOTIFY, 0)]
    for kind, wrong in tried:
        with pytest.raises(TypeError, match=f"a value of {kind.keyword} is a "):
            kind(wrong)
    never: Any = Notify
    for wrong in (1, "yes", None):
        with pytest.raises(TypeError, match="success is True or False"):
            never(success=wrong)
    with pytest.raises(AttributeError):
        NEVER.success = True


def test_of_what_is_few_there_is_one_of_each():
    for wanted in product((False, True), repeat=3):
        success, failure, delay = wanted
        notify = Notify(success=success, failure=failure, delay=delay)
        assert notify is Notify(success=success, failure=failure, delay=delay)
        assert (notify.success, notify.failure, notify.delay) == wanted
        assert NOTIFY(notify) is NOTIFY(notify)
        for copied in (pickle.loads(pickle.dumps(notify)), copy.copy(notify), copy.deepcopy(notify)):
            assert copied is notify
        assert Notify.parse(str(notify).lower()) is notify
        assert len({notify, NEVER}) == 1 + bool(notify)
    assert RET(Ret.HDRS) is RET(Ret.HDRS)
    assert {ret: RET(ret).text for ret in pickle.loads(pickle.dumps(list(Ret)))} == {Ret.FULL: "FULL", Ret.HDRS: "HDRS"}


# --- ORCPT ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "address"),
    [
        ("rfc822;bob@hamburger.edu", "rfc822", "bob@hamburger.edu"),
        ("RFC822;e+3Dmc2@example.com", "rfc822", "e=mc2@example.com"),
        ("x-400;/C+3DUS/A=no".replace("=no", ""), "x-400", "/C=US/A"),
        ("rfc822;a;b", "rfc822", "a;b"),
        ("rfc822;\\x{41}", "rfc822", "\\x{41}"),
        ("utf-8;e\\x{3D}mc2@\\x{30C9}.jp", "utf-8", "e=mc2@\u30c9.jp"),
        ("UTF-8;e\\x{3d}@\\x{1F600}", "utf-8", "e=@\U0001f600"),
        ("utf-8;e\\x{3D}mc2@\u30c9.jp", "utf-8", "e=mc2@\u30c9.jp"),
        ("utf-8;a\\x{20}b\\x{2B}\\x{5C}\\x{E9}\\x{10FFFD}", "utf-8", "a b+\\\u00e9\U0010fffd"),
        ("utf-8;bob@hamburger.edu", "utf-8", "bob@hamburger.edu"),
    ],
)
def test_orcpt(text, kind, address):
    found = ORCPT.decode(text)
    assert (found.kind, found.address, str(found)) == (kind, address, address)
    assert found == OriginalRecipient(kind.upper(), address)
    assert ORCPT.decode(ORCPT(found).text) == found
    assert found.unitext is not text.isascii()


@pytest.mark.parametrize(
    "text",
    [
        "", ";", "rfc822", "rfc822;", ";bob", "bob@hamburger.edu", "rfc 822;b", "rfc822;a=b", "a=b;c", "a@b;c", "a.b;c",
        "rfc822;+0D+0A", "rfc822;+00", "rfc822;+C3+A9", "rfc822;+3d", "rfc822;\u00e9", "\u00e9;bob",
        "utf-8;", "utf-8;a+2Bb", "utf-8;\\", "utf-8;\\x", "utf-8;\\x{}", "utf-8;\\x{E}", "utf-8;\\x{0E9}",
        "utf-8;\\x{41}",
        "utf-8;\\x{0D}\\x{0A}", "utf-8;\\x{00}", "utf-8;\\x{7F}", "utf-8;\\x{85}", "utf-8;\\x{D800}", "utf-8;\\x{DCFF}",
        "utf-8;\\x{110000}", "utf-8;\\x{1000000}", "utf-8;\\X{E9}", "utf-8;\\x{200B}", "utf-8;\\x{GG}", "utf-8;\udcff",
    ],
)  # fmt: skip
def test_no_orcpt(text):
    with pytest.raises(ParseError):
        ORCPT.decode(text)


def test_limits_of_an_orcpt():
    most = "a" * (500 - len("rfc822;"))
    assert ORCPT.decode(f"rfc822;{most}").address == most
    assert len(ORCPT(OriginalRecipient("rfc822", most)).text or "") == 500
    with pytest.raises(ParseError, match="longer than 500"):
        ORCPT.decode(f"rfc822;{most}a")
    for kind, address in (("rfc822", most + "a"), ("rfc822", "+" * 165), ("utf-8", "\u00e9" * 83)):
        with pytest.raises(ParseError, match="longer than 500"):
            OriginalRecipient(kind, address)
    assert OriginalRecipient("rfc822", "+" * 164).written == "rfc822;" + "+2B" * 164
    assert OriginalRecipient("utf-8", "\u00e9" * 83, unitext=True).written == "utf-8;" + "\u00e9" * 83


def test_the_forms_of_an_address_beyond_ascii():
    """RFC 6533 s3: one form goes everywhere, the other only with SMTPUTF8."""
    plain, unitext = (OriginalRecipient("utf-8", "b\u00f6b+x@h", unitext=how) for how in (False, True))
    assert plain.written == "utf-8;b\\x{F6}b\\x{2B}x@h"
    assert unitext.written == "utf-8;b\u00f6b\\x{2B}x@h"
    assert plain == unitext
    assert not OriginalRecipient("rfc822", "b@h", unitext=True).unitext


def test_the_recipient_itself():
    assert str(ORCPT(OriginalRecipient.of(BOB))) == "ORCPT=rfc822;bob@hamburger.edu"
    assert str(ORCPT(OriginalRecipient.of(POSTMASTER))) == "ORCPT=rfc822;Postmaster"
    assert str(ORCPT(OriginalRecipient.of(Mailbox.parse("b\u00f6b@h.edu")))) == "ORCPT=utf-8;b\\x{F6}b@h.edu"


@pytest.mark.parametrize(
    ("kind", "address"),
    [("", "a"), ("a b", "a"), ("a;b", "a"), ("rfc822", ""), ("rfc822", "a\r\nb"), ("rfc822", "b\u00f6b"),
     ("rfc822", "\x7f"),
     ("utf-8", "a\r\nb"), ("utf-8", "\u0085"), ("utf-8", "\ud800"), ("utf-8", "\u200b"), ("\u00e9", "a")],
)  # fmt: skip
def test_no_original_recipient(kind, address):
    with pytest.raises(ParseError):
        OriginalRecipient(kind, address)


@given(original_recipients)
def test_orcpt_round_trip(recipient):
    text = ORCPT(recipient).text
    assert text is not None
    assert text.isascii() or recipient.unitext
    found = ORCPT.decode(text)
    assert found == recipient
    assert found.written == text


# --- a server ------------------------------------------------------------------------------------

MAIL = b"MAIL FROM:<a@b> RET=HDRS ENVID=QQ314159"
RCPT = b"RCPT TO:<b@h> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b@h"


def test_offered():
    assert codes([MAIL, RCPT], DSN) == [250, 250]


@pytest.mark.parametrize(("greeting", "offered"), [(b"EHLO c", ()), (b"HELO c", (DSN,))], ids=["not-offered", "HELO"])
@pytest.mark.parametrize("parameter", [b"RET=HDRS", b"ENVID=x", b"NOTIFY=NEVER", b"ORCPT=rfc822;b@h"])
def test_not_offered(parameter, greeting, offered):
    """RFC 5321 s4.1.1.11."""
    on_mail = parameter[:3] in {b"RET", b"ENV"}
    lines = [b"MAIL FROM:<a@b> " + parameter] if on_mail else [b"MAIL FROM:<a@b>", b"RCPT TO:<b@h> " + parameter]
    assert codes(lines, *offered, greeting=greeting)[-1] == 555


@pytest.mark.parametrize(
    "line",
    [
        b"MAIL FROM:<a@b> RET=SOME", b"MAIL FROM:<a@b> RET", b"MAIL FROM:<a@b> RET=FULL RET=FULL",
        b"MAIL FROM:<a@b> ENVID=a ENVID=b", b"MAIL FROM:<a@b> ENVID=a+0D+0ARSET", b"MAIL FROM:<a@b> ENVID",
    ],
)  # fmt: skip
def test_wrong_on_mail(line):
    """RFC 3461 s4.5: 501, for one that occurs twice too. INJ-04."""
    assert codes([line], DSN) == [501]


@pytest.mark.parametrize(
    "line",
    [
        b"RCPT TO:<b@h> NOTIFY=NEVER,DELAY", b"RCPT TO:<b@h> NOTIFY", b"RCPT TO:<b@h> NOTIFY=NEVER NOTIFY=NEVER",
        b"RCPT TO:<b@h> ORCPT=b@h", b"RCPT TO:<b@h> ORCPT=rfc822;b@h ORCPT=rfc822;b@h",
        b"RCPT TO:<b@h> ORCPT=rfc822;b+0D+0ARSET",
    ],
)  # fmt: skip
def test_wrong_on_rcpt(line):
    assert codes([b"MAIL FROM:<a@b>", line], DSN) == [250, 501]


@pytest.mark.parametrize("line", [b"MAIL FROM:<a@b> NOTIFY=NEVER", b"MAIL FROM:<a@b> ORCPT=rfc822;b@h"])
def test_of_the_other_command(line):
    assert codes([line], DSN) == [555]


def test_unitext_needs_smtputf8():
    """RFC 6533 s3."""
    unitext = "RCPT TO:<b@h> ORCPT=utf-8;b\u00f6b@h".encode()
    embedded = b"RCPT TO:<b@h> ORCPT=utf-8;b\\x{F6}b@h"
    assert codes([b"MAIL FROM:<a@b>", embedded, unitext], DSN) == [250, 250, 553]
    assert codes([b"MAIL FROM:<a@b>", embedded, unitext], DSN, SMTPUTF8) == [250, 250, 553]
    assert codes([b"MAIL FROM:<a@b> SMTPUTF8", embedded, unitext], DSN, SMTPUTF8) == [250, 250, 250]


# --- a client ------------------------------------------------------------------------------------


def test_what_a_client_says_a_server_reads():
    both = pair(PIPELINING, SMTPUTF8, DSN)
    both.exchange(Ehlo("crepes.fr"))
    original = OriginalRecipient("utf-8", "b\u00f6b@h", unitext=True)
    mail = Mail(ALICE, RET(Ret.HDRS), ENVID("e=mc2"), UTF8(True))
    rcpt = Rcpt(BOB, NOTIFY(Notify(success=True)), ORCPT(original))
    assert [reply.code for reply in both.exchange(mail, rcpt)] == [250, 250]
    held = both.server.transaction
    assert held.mail is not None
    assert held.mail.parameters[RET] is Ret.HDRS
    assert held.mail.parameters[ENVID] == "e=mc2"
    assert held.rcpts[0].parameters[NOTIFY] == Notify(success=True)
    assert held.rcpts[0].parameters[ORCPT] == original


@pytest.mark.parametrize("greeting", [Ehlo, Helo])
def test_a_client_asks_only_where_it_is_offered(greeting):
    both = pair(DSN if greeting is Helo else PIPELINING)
    both.exchange(greeting("crepes.fr"))
    with pytest.raises(LocalProtocolError, match="RET=FULL"):
        both.client.send(Mail(ALICE, RET(Ret.FULL)))


def test_a_client_writes_unitext_only_where_smtputf8_is_offered():
    both = pair(DSN)
    both.exchange(Ehlo("crepes.fr"), Mail(ALICE))
    with pytest.raises(LocalProtocolError, match="SMTPUTF8"):
        both.client.send(Rcpt(BOB, ORCPT(OriginalRecipient("utf-8", "b\u00f6b@h", unitext=True))))
    both.client.send(Rcpt(BOB, ORCPT(OriginalRecipient("utf-8", "b\u00f6b@h"))))
    assert both.client.data_to_send() == b"RCPT TO:<bob@hamburger.edu> ORCPT=utf-8;b\\x{F6}b@h\r\n"
