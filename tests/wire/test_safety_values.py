"""What a caller cannot make a value write: the cases INJ, and AUTH's own (AU), at the level of values."""

from __future__ import annotations

from enum import Enum

import pytest

from smtpcore import (
    Auth,
    AuthResponse,
    Ehlo,
    Helo,
    Lhlo,
    Mail,
    Mailbox,
    Noop,
    Parameter,
    Parameters,
    ParseError,
    Rcpt,
    Reply,
    ReplyReader,
    Secret,
    parse_command,
)
from smtpcore.extensions import BODY, SIZE, UTF8, Body
from smtpcore.extensions.auth import decode_base64
from smtpcore.wire.xtext import decode_xtext, encode_xtext
from tests.strategies import VOCABULARY
from tests.wire.makers import MAKERS, REFUSALS

pytestmark = pytest.mark.law(2)

CONTROLS = ["\r", "\n", "\0", *map(chr, range(1, 0x20)), "\x7f"]
ALICE = Mailbox("alice", "crepes.fr")


@pytest.mark.parametrize(("name", "make"), MAKERS.items(), ids=MAKERS)
def test_inj_01_no_control_anywhere(name, make):
    for char in CONTROLS:
        if char == "\t" and name in {"INJ-08-reply", "INJ-08-reply-line", "capability-argument"}:
            continue  # RFC 5321 s4.2: the text of a reply may hold a tab
        for text in (char, f"a{char}", f"{char}a", f"a{char}b", f"a{char}RCPT TO:<x@y>"):
            with pytest.raises(REFUSALS):
                make(text)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize(
    "text",
    ["me\r\nMAIL FROM:<x@y>", "b>\r\nRCPT TO:<x@y", "no\r\n250 ok", "a\nb", "1\r\nRSET", "\ud800", "\udc0d\udc0a"],
)
def test_inj_02_no_second_line(make, text):
    with pytest.raises(REFUSALS):
        make(text)


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("value", [b"a", bytearray(b"a\r\nb"), 5.5, object()], ids=lambda value: type(value).__name__)
def test_only_text_is_text(make, value):
    with pytest.raises(REFUSALS):
        make(value)


@pytest.mark.parametrize(
    "make", [Ehlo, Helo, Lhlo, Noop, Rcpt, lambda none: Mailbox("a", none), lambda none: Mailbox(none, "a")]
)
def test_none_is_no_text(make):
    with pytest.raises(TypeError):
        make(None)


class Liar(str):
    """Text that is something else once it is formatted."""

    __slots__ = ()

    def __str__(self) -> str:
        return "x> SIZE=1\r\nRSET"

    def __format__(self, spec: str) -> str:
        return "x> SIZE=1\r\nRSET"

    def upper(self) -> str:
        return "X Y\r\nRSET"

    def __getitem__(self, key: object) -> str:
        return "x\r\ny"


class Place(str, Enum):  # noqa: UP042 - the mixed-in kind, which formats by its name, is what is tried here
    HOME = "home"


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_subclass_writes_what_was_checked(make):
    for text in ("home", "home@b"):
        try:
            expected = make(text)
        except REFUSALS:
            continue
        try:
            lied = make(Liar(text))
        except REFUSALS:
            continue
        assert lied == expected


def test_an_enum_writes_its_value():
    assert bytes(Mail(Mailbox(Place.HOME, "b"))) == b"MAIL FROM:<home@b>\r\n"
    assert bytes(Reply(250, Place.HOME)) == b"250 home\r\n"
    assert bytes(Noop(Place.HOME)) == b"NOOP home\r\n"


@pytest.mark.parametrize("value", [b"1\r\nRSET", -1, True, False, 1.0, "1 ", "", None, 10**20], ids=repr)
def test_inj_03_sizes(value):
    with pytest.raises(ParseError):
        SIZE(value)


@pytest.mark.parametrize("value", [0, 1, 2**63 - 1, 2**63, 10**20 - 1])
def test_inj_03_sizes_that_are(value):
    assert bytes(Mail(None, SIZE(value))) == b"MAIL FROM:<> SIZE=%d\r\n" % value


@pytest.mark.parametrize(
    "text",
    ["+0D+0A", "+00", "a+0Ab", "+7F", "+C2+85", "+", "+4", "+4g", "+2b", "a=b", "a b", "\u00e9", "+C3", "\udcff"],
)
def test_inj_04_xtext_received(text):
    with pytest.raises(ParseError):
        decode_xtext(text)


@pytest.mark.parametrize("text", ["\r\n", "\0", "\x7f", "\x85", chr(0xD800), chr(0xDCFF)])
def test_inj_04_xtext_sent(text):
    with pytest.raises(ParseError):
        encode_xtext(f"a{text}b")


@pytest.mark.parametrize(
    ("text", "wire"), [("a+b=c d", "a+2Bb+3Dc+20d"), ("\u00e9", "+C3+A9"), ("", ""), ("<>", "<>"), ("!~*,;", "!~*,;")]
)
def test_xtext(text, wire):
    assert encode_xtext(text) == wire
    assert decode_xtext(wire) == text


@pytest.mark.parametrize("text", ["\u760d\u760a", "\u010d\u010a", "\u560a"])
def test_inj_07_octets_are_not_cut_from_characters(text):
    """CVE-2025-7962: a character whose low octet is CR or LF goes as UTF-8, or not at all."""
    for make in MAKERS.values():
        try:
            line = make(text)
        except REFUSALS:
            continue
        assert (line.count(b"\r"), line.count(b"\n"), line[-2:]) in {(1, 1, b"\r\n"), (2, 2, b"\r\n")}
        assert text.encode() in line or encode_xtext(text).encode() in line


def test_inj_08_never_a_second_reply():
    assert bytes(Reply(550, ["no", "250 ok"])) == b"550-no\r\n550 250 ok\r\n"
    reader = ReplyReader()
    reader.receive(bytes(Reply(550, ["no", "250 ok", "550 x", "550-y"])))
    assert reader.next_reply() == Reply(550, ["no", "250 ok", "550 x", "550-y"])
    assert not reader.pending


def test_inj_08_what_a_server_sent_is_no_danger_to_send_on():
    reader = ReplyReader()
    reader.receive(b"550 \x1b[2J\x08no\r\n")
    reply = reader.next_reply()
    assert reply
    assert bytes(reply) == b"550 ?[2J?no\r\n"
    assert reply.raw == b"550 \x1b[2J\x08no\r\n"
    assert Reply(reply.code, reply.lines) == reply


def test_inj_09_errors_show_little():
    with pytest.raises(ParseError) as caught:
        parse_command(b"MAIL FROM:<" + b"\xff\r\x1b" * 1000)
    assert len(str(caught.value)) < 800
    assert str(caught.value).isascii()
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("response", [b"AGEAYg==\r\n", b"AGEA\r\nYg==", b"AGEA\nYg==", b"\r"])
def test_inj_10_line_ends_within_base64(response):
    with pytest.raises(ParseError):
        parse_command(b"AUTH PLAIN " + response, VOCABULARY)
    with pytest.raises(ParseError):
        AuthResponse.parse_line(response)


def test_inj_10_octets_of_the_client_are_encoded():
    assert bytes(Auth("PLAIN", b"\r\nRSET\r\n")) == b"AUTH PLAIN DQpSU0VUDQo=\r\n"
    assert bytes(AuthResponse(b"\r\n" * 60)).count(b"\r\n") == 1


def test_inj_11_the_same_keyword_twice():
    with pytest.raises(ParseError, match="twice"):
        Mail(ALICE, SIZE(1), SIZE(2))
    with pytest.raises(ParseError, match="twice"):
        Parameters([SIZE(1), Parameter("size", 2, "2")])
    with pytest.raises(ParseError, match="keyword"):
        Parameter("SIZE=1", True, None)


def test_parameters_keep_their_order():
    assert bytes(Mail(ALICE, BODY(Body.SEVENBIT), UTF8(True), SIZE(5))).endswith(b"> BODY=7BIT SMTPUTF8 SIZE=5\r\n")


# --- AUTH ------------------------------------------------------------------------------------------


def test_au_01_empty_is_not_absent():
    empty, absent = parse_command(b"AUTH PLAIN =", VOCABULARY), parse_command(b"AUTH PLAIN", VOCABULARY)
    assert empty == Auth("PLAIN", b"") != absent == Auth("PLAIN")
    assert bytes(empty) == b"AUTH PLAIN =\r\n"
    assert bytes(absent) == b"AUTH PLAIN\r\n"


@pytest.mark.parametrize(
    "text",
    [
        "YW Jj",
        "YWJj\n",
        "YWJj\r\n",
        "YQ",
        "YQ==YQ==",
        "====",
        "-_-_",
        "Y===",
        "YWJj=",
        "YR==",
        "YQ=",
        "=",
        "\u00e9",
        "\udcff",
        "YWJ=",
        " ",
    ],
)
def test_au_04_not_base64(text):
    with pytest.raises(ParseError) as caught:
        decode_base64(text)
    assert not caught.value.text
    with pytest.raises(ParseError):
        AuthResponse.parse_line(text.encode("utf-8", "surrogateescape"))


@pytest.mark.parametrize(
    ("text", "octets"), [("", b""), ("YQ==", b"a"), ("YWI=", b"ab"), ("YWJj", b"abc"), ("AGEAYg==", b"\0a\0b")]
)
def test_au_04_base64(text, octets):
    assert decode_base64(text) == octets
    assert AuthResponse.parse_line(text.encode()) == AuthResponse(octets)
    assert bytes(AuthResponse(octets)) == text.encode() + b"\r\n"


def test_au_03_giving_up():
    assert AuthResponse.parse_line(b"*") == AuthResponse(None)
    assert bytes(AuthResponse(None)) == b"*\r\n"
    assert AuthResponse(None).gives_up
    assert not AuthResponse(b"").gives_up
    assert not Auth("PLAIN").gives_up
    assert AuthResponse(b"x").secret == Auth("PLAIN", b"x").secret == Secret(b"x")
    assert AuthResponse(None).secret is Auth("PLAIN").secret is None


@pytest.mark.parametrize("name", ["plain", "Plain", "PLAIN"])
def test_au_07_mechanisms_have_no_case(name):
    assert parse_command(f"AUTH {name} =".encode(), VOCABULARY) == Auth("PLAIN", b"")
    assert Auth(name).mechanism == "PLAIN"


def test_au_07_any_mechanism_is_read():
    assert parse_command(b"AUTH X", VOCABULARY) == Auth("X")


@pytest.mark.parametrize(
    "line",
    [
        b"AUTH PLAIN a b",
        b"AUTH ",
        b"AUTH",
        b"AUTH " + b"X" * 21,
        b"AUTH PL.AIN",
        b"AUTH PL\xc4\xb1AIN",
        b"AUTH  PLAIN",
        b"AUTH PLAIN YQ",
    ],
)
def test_au_08_not_auth(line):
    with pytest.raises(ParseError):
        parse_command(line, VOCABULARY)


def test_au_08_longest_name():
    assert parse_command(b"AUTH " + b"X" * 20, VOCABULARY) == Auth("X" * 20)


def test_res_13_a_long_response():
    octets = (bytes(range(256)) * 36)[:9213]
    line = bytes(AuthResponse(octets))
    assert len(line) == 12_286  # the next that would fit has 12,290 with its CRLF
    assert AuthResponse.parse_line(line[:-2]) == AuthResponse(Secret(octets))
