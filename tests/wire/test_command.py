"""Commands: how each is written, and what is wrong with what is refused."""

from __future__ import annotations

from typing import ClassVar

import pytest

from smtpcore import (
    LAX,
    POSTMASTER,
    STRICT,
    AddressLiteral,
    Auth,
    Command,
    Data,
    Domain,
    Ehlo,
    Expn,
    Helo,
    Help,
    Lhlo,
    Mail,
    Mailbox,
    Noop,
    ParseError,
    Quit,
    Rcpt,
    Rset,
    StartTls,
    Vrfy,
    parse_command,
)
from smtpcore.extensions import BODY, SIZE, UTF8, Body
from smtpcore.wire.command import BASE_VERBS, UnknownCommand
from smtpcore.wire.line import encode_line
from smtpcore.wire.parameters import UnknownParameter
from smtpcore.wire.tolerance import Tolerance
from smtpcore.wire.vocabulary import Vocabulary
from tests.wire.feeding import parsed

ALICE, BOB = Mailbox("alice", "crepes.fr"), Mailbox("bob", "hamburger.edu")

WRITTEN: list[tuple[bytes, Command]] = [
    (b"HELO crepes.fr", Helo("crepes.fr")),
    (b"EHLO [192.0.2.1]", Ehlo(AddressLiteral("IPv4", "192.0.2.1"))),
    (b"EHLO crepes.fr", Ehlo(Domain("crepes.fr"))),
    (b"LHLO [IPv6:::1]", Lhlo("[IPv6:::1]")),
    (b"MAIL FROM:<>", Mail(None)),
    (b"MAIL FROM:<alice@crepes.fr> SIZE=1200 BODY=8BITMIME", Mail(ALICE, SIZE(1200), BODY(Body.EIGHTBITMIME))),
    (b"MAIL FROM:<b\xc3\xbc@x> SMTPUTF8", Mail(Mailbox("b\u00fc", "x"), UTF8(True))),
    (b"RCPT TO:<bob@hamburger.edu>", Rcpt(BOB)),
    (b"RCPT TO:<Postmaster>", Rcpt(POSTMASTER)),
    (b'RCPT TO:<"a b"@x>', Rcpt(Mailbox("a b", "x"))),
    (b"DATA", Data()),
    (b"RSET", Rset()),
    (b"VRFY Crispin", Vrfy("Crispin")),
    (b"EXPN Example-People", Expn("Example-People")),
    (b"HELP", Help()),
    (b"HELP MAIL", Help("MAIL")),
    (b"NOOP", Noop()),
    (b"NOOP  two", Noop(" two")),
    (b"QUIT", Quit()),
    (b"STARTTLS", StartTls()),
    (b"AUTH PLAIN AGEAYg==", Auth("PLAIN", b"\0a\0b")),
]


@pytest.mark.parametrize(("line", "command"), WRITTEN, ids=[line.decode() for line, _ in WRITTEN])
def test_written_and_read(line, command):
    assert bytes(command) == line + b"\r\n"
    assert parsed(line) == command
    assert type(parsed(line)) is type(command)


@pytest.mark.parametrize(
    ("line", "where", "why"),
    [
        (b"", 0, "not recognized"),
        (b"FOO", 0, "not recognized"),
        (b"MAIL\tFROM:<a@b>", 0, "not recognized"),
        (b"\xc5\xbftarttls", 0, "not recognized"),
        (b"NO\0OP", 0, "not recognized"),
        (b" NOOP", 0, "not recognized"),
        (b"DATA now", 5, "no argument"),
        (b"QUIT \0", 5, "no argument"),
        (b"STARTTLS now", 9, "no argument"),
        (b"EHLO", 5, "needs a domain"),
        (b"EHLO a b", 5, "not a domain"),
        (b"EHLO \xe2\x80\x8b", 5, "not a domain"),
        (b"EHLO " + b"x" * 256, 5, "not a domain"),
        (b"MAIL", 5, "expected FROM:"),
        (b"MAIL TO:<a@b>", 5, "expected FROM:"),
        (b"MAIL FROM:<a@b", 14, "expected >"),
        (b"MAIL FROM:<a b@c>", 12, "expected @"),
        (b"MAIL FROM:<a@b>SIZE=1", 15, "expected a parameter"),
        (b"MAIL FROM:<a@b> SIZE=x", 16, "digits"),
        (b"MAIL FROM:<a@b> SIZE=1\0", 22, "not allowed in a parameter"),
        (b"MAIL FROM:<a@b> BODY=9BIT", 16, "8BITMIME"),
        (b"MAIL FROM:<a@b> BODY=8B\xc4\xb1TMIME", 16, "8BITMIME"),
        (b"MAIL FROM:<a@b> SMTPUTF8=1", 16, "takes no value"),
        (b"MAIL FROM:<a@b> SIZE", 16, "needs a value"),
        (b"MAIL FROM:<a@b> AUTH=\xe2\x80\x8b", 21, "not allowed in a parameter"),
        (b"MAIL FROM:<a@b> X=1", 16, "not recognized"),
        (b"RCPT TO:<a@b> SIZE=1", 14, "not recognized"),
        (b"VRFY", 5, "needs an argument"),
        (b"VRFY a\tb", 5, "not a text"),
        (b"NOOP \xc2\x80\x01", 5, "not a text"),
        (b"AUTH PL*IN", 5, "mechanism"),
        (b"LHLO", 5, "needs a domain"),
        (b"ETRN", 5, "name of a node"),
        (b"ATRN a,", 7, "expected a domain"),
        (b"ATRN a,b c", 8, "not a domain"),
        (b"ATRN a b", 6, "not a domain"),
        (b"BURL", 5, "absolute URI"),
        (b"BURL LAST", 5, "absolute URI"),
        (b"BURL imap://a#b", 5, "absolute URI"),
        (b"BURL imap:// a", 5, "absolute URI"),
        (b"BURL imap://%zz LAST", 5, "absolute URI"),
        (b"XCLIENT", 8, "expected a parameter"),
        (b"XCLIENT NAME", 8, "needs a value"),
        (b"XCLIENT ADDR=a", 9, "not an IPv4 address"),
        (b"XCLIENT ADDR=192.0.2.1 PORT=0", 23, "not a TCP port"),
        (b"XCLIENT NAME=a NAME=b", 15, "occurs twice"),
        (b"XCLIENT SOURCE=LOCAL", 8, "attribute not known"),
        (b"XFORWARD NAME=a  PORT=1", 15, "expected a parameter"),
        (b"XFORWARD NAME=a+ZZ", 9, "not xtext"),
        (b"XFORWARD SOURCE=HERE", 9, "LOCAL or REMOTE"),
        (b"ETRN @", 6, "expected a domain"),
        (b"ETRN #", 6, "not the name of a queue"),
        (b"ETRN a b", 6, "not a domain"),
        (b"ETRN #a b", 6, "not the name of a queue"),
    ],
)
def test_refused(line, where, why):
    with pytest.raises(ParseError, match=why) as caught:
        parsed(line)
    assert caught.value.where == where
    assert caught.value.rule.startswith(("RFC ", "XCLIENT_README", "XFORWARD_README"))


def test_two_errors_have_a_class_of_their_own():
    """They are answered with codes of their own: 500 and 555."""
    with pytest.raises(UnknownCommand):
        parsed(b"FOO bar")
    with pytest.raises(UnknownParameter):
        parsed(b"MAIL FROM:<> FOO=bar")
    with pytest.raises(UnknownCommand):
        parse_command(b"STARTTLS")
    with pytest.raises(UnknownParameter):
        parse_command(b"MAIL FROM:<> SIZE=1")


@pytest.mark.parametrize("name", ["under_score", "-a", "a-", "a..b", "[1.2.3]", "127.0.0.1.", "localhost:25", "\u00dc"])
def test_names_that_are_no_domains_are_kept(name):
    """RFC 5321 s4.1.4: a server does not refuse mail over a name; it is said to be wrong, and kept as it came."""
    line = f"EHLO {name}".encode()
    with pytest.raises(ParseError):
        parsed(line, STRICT)
    tolerance = Tolerance(LAX)
    command = parse_command(line, None, tolerance)
    assert command == parsed(line, LAX)
    assert [defect.rule for defect in tolerance.take()] == ["RFC 5321 s4.1.1.1"]
    assert bytes(command) == line + b"\r\n"
    with pytest.raises(ParseError):
        Ehlo(name)


def test_the_longest_name():
    assert parsed(b"EHLO " + b"_" * 255, LAX).client == "_" * 255


@pytest.mark.parametrize(
    ("kind", "given"), [(Mail, ["a@b"]), (Rcpt, ["a@b"]), (Rcpt, [None]), (Mail, [POSTMASTER]), (Mail, [None, 5])]
)
def test_texts_are_no_mailboxes(kind, given):
    with pytest.raises(TypeError):
        kind(*given)


@pytest.mark.parametrize(("kind", "text"), [(Vrfy, ""), (Noop, " "), (Noop, "a "), (Help, "a\t"), (Help, "\t")])
def test_texts_that_would_not_be_read_back(kind, text):
    with pytest.raises(ParseError):
        kind(text)


def test_raw_is_the_line():
    assert parsed(b"noop  x \t").raw == b"noop  x \t"
    assert parsed(b"AUTH PLAIN AGEAYg==").raw is None
    assert Noop().raw is None


class Careless(Command):
    """A verb of somebody who checks nothing."""

    __slots__ = ("text",)
    __match_args__ = ("text",)
    verb: ClassVar[str] = "XNOTE"
    text: str

    def __init__(self, text: str) -> None:
        super().__init__()
        object.__setattr__(self, "text", text)

    def arguments(self) -> str:
        return f" {self.text}"


@pytest.mark.parametrize("text", ["a\r\nRSET", "a\nb", "\0", "\x7f", "\t", "\ud800", chr(0xDC0A)])
def test_every_line_goes_by_the_same_check(text):
    """What an extension does not check is checked where lines are written."""
    with pytest.raises(ParseError, match="not allowed in a command line") as caught:
        bytes(Careless(text))
    assert caught.value.rule == "RFC 5321 s2.3.8"
    assert bytes(Careless("a \u00e9\udcff")) == b"XNOTE a \xc3\xa9\xff\r\n"


def test_an_empty_line_is_no_line():
    with pytest.raises(ParseError) as caught:
        encode_line("")
    assert caught.value.where == 0


def test_a_verb_without_arguments_needs_no_code():
    class Ping(Command):
        __slots__ = ()
        verb: ClassVar[str] = "XPING"

    vocabulary = Vocabulary([*BASE_VERBS, Ping])
    assert parse_command(b"xping", vocabulary) == Ping()
    assert bytes(Ping()) == b"XPING\r\n"
    with pytest.raises(ParseError):
        parse_command(b"XPING pong", vocabulary)


def test_which_commands_go_in_groups():
    """RFC 2920 s3.1: what may be followed by another before it is answered."""
    verbs: list[type[Command]] = [*BASE_VERBS, StartTls, Auth, Lhlo]
    assert {verb.verb for verb in verbs if verb.pipelines} == {"MAIL", "RCPT", "RSET"}
