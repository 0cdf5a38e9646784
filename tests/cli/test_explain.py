"""The textbook's dialogue, explained: all that is printed."""

from __future__ import annotations

import io
import re
import sys
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import Defect
from smtpcore.cli import main
from smtpcore.cli.explain import command
from smtpcore.cli.explain.extensions import explain_capability, explain_parameter
from smtpcore.cli.explain.fields import FIELDS, FieldKind, explain_header
from smtpcore.cli.explain.story import Finding, Remark
from smtpcore.message.header import Header
from tests.cli.explaining import CLEAN, TEXTBOOK, explain

# fmt: off
GOLDEN = """\
{name}: dialogue

   1 S: 220 hamburger.edu                                                   connected -> greeted
        The greeting: the server is ready. [RFC 5321 s3.1]

   2 C: HELO crepes.fr                                                          greeted -> ready
        The client calls itself crepes.fr; it asks for no extensions. [RFC 5321 s4.1.1.1]

   3 S: 250 Hello crepes.fr, pleased to meet you                                greeted -> ready
        The server knows the client by this name now, and a transaction may begin.
          [RFC 5321 s4.1.1.1]

   4 C: MAIL FROM: <alice@crepes.fr>                                               ready -> mail
        A transaction begins; failures are reported to alice@crepes.fr. [RFC 5321 s4.1.1.2]
        ! client: space after FROM:, at offset 10 [RFC 5321 s3.3]

   5 S: 250 alice@crepes.fr ... Sender ok                                          ready -> mail
        The reverse-path is accepted: a transaction has begun. [RFC 5321 s3.3]

   6 C: RCPT TO: <bob@hamburger.edu>                                                mail -> rcpt
        One recipient: bob@hamburger.edu. [RFC 5321 s4.1.1.3]
        ! client: space after TO:, at offset 8 [RFC 5321 s3.3]

   7 S: 250 bob@hamburger.edu ... Recipient ok                                      mail -> rcpt
        This recipient is accepted. [RFC 5321 s3.3]

   8 C: DATA                                                                     rcpt -> content
        The client asks leave to send the content. [RFC 5321 s4.1.1.4]

   9 S: 354 Enter mail, end with "." on a line by itself                         rcpt -> content
        Go ahead with the content; end it with a line of one dot. [RFC 5321 s4.1.1.4]

  10 C: Do you like ketchup?                                                    content -> ready
     C: How about pickles?
     C: .
        The content: 42 octets in 2 lines. [RFC 5321 s2.3.9]
        ! client: the message does not begin with a header [RFC 5322 s2.1]

  13 S: 250 Message accepted for delivery                                       content -> ready
        The server has the message and is responsible for it: it delivers, relays or reports.
          [RFC 5321 s4.2.5]

  14 C: QUIT                                                                     ready -> closed
        The client wants to end the session. [RFC 5321 s4.1.1.10]

  15 S: 221 hamburger.edu closing connection                                     ready -> closed
        The server says goodbye and closes the connection. [RFC 5321 s4.1.1.10]

Message from alice@crepes.fr:
  bob@hamburger.edu  accepted  250 Message accepted for delivery

3 violations:
  line 4, client: space after FROM:, at offset 10 [RFC 5321 s3.3]
  line 6, client: space after TO:, at offset 8 [RFC 5321 s3.3]
  line 10, client: the message does not begin with a header [RFC 5322 s2.1]

"""
# fmt: on


def test_the_textbook_s_dialogue(tmp_path, capsys):
    assert explain(tmp_path, TEXTBOOK) == 1
    shown = capsys.readouterr()
    assert shown.out == GOLDEN.format(name=tmp_path / "transcript.txt")
    assert not shown.err


def test_nothing_is_wrong(tmp_path, capsys):
    assert explain(tmp_path, CLEAN) == 0
    shown = capsys.readouterr().out
    assert "No rule was broken." in shown
    assert "bob@hamburger.edu  accepted  250 2.0.0 queued as 4711" in shown
    assert "carol@hamburger.edu  refused  550 5.1.1 no such mailbox here" in shown
    assert "SIZE: the client may say how big a message is, up to 35,882,577 octets [RFC 1870 s3]" in shown
    assert "5.1.1: refused for good, bad destination mailbox address. [RFC 3463 s3.2]" in shown
    assert max(map(len, shown.split("\n"))) <= 96


def test_colours_on_a_terminal(tmp_path, capsys, monkeypatch):
    pytest.importorskip("rich")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert explain(tmp_path, TEXTBOOK) == 1
    shown = capsys.readouterr().out
    assert "\x1b[" in shown
    assert re.sub(r"\x1b\[[0-9;]*m", "", shown) == GOLDEN.format(name=tmp_path / "transcript.txt")


def test_help(capsys):
    assert main(["explain", "--help"]) == 0
    assert "smtpcore explain" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty; expected a transcript of SMTP"),
        (" \r\n\t\n", "is empty"),
        ("nothing like it\n", "no line looks like SMTP"),
        ("S: 220 a\nx\n", "line 2: 'x' begins with neither"),
    ],
)
def test_what_cannot_be_explained(text, says, tmp_path, capsys):
    assert explain(tmp_path, text) == 2
    shown = capsys.readouterr()
    assert not shown.out
    assert shown.err.startswith(f"smtpcore explain: {tmp_path}")
    assert says in shown.err
    assert shown.err.count("\n") == 1


def test_no_such_file(tmp_path, capsys):
    assert main(["explain", str(tmp_path / "missing")]) == 2
    assert "cannot read" in capsys.readouterr().err


def test_no_such_format(tmp_path, capsys):
    assert explain(tmp_path, CLEAN, "--format", "pop3") == 2
    assert "invalid choice" in capsys.readouterr().err


def test_too_much(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command, "SIZE_LIMIT", 10)
    assert explain(tmp_path, CLEAN) == 2
    assert "has more than 10 octets; cut the conversation out of it" in capsys.readouterr().err


def test_the_standard_input(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(CLEAN.encode())))
    assert main(["explain", "-"]) == 0
    assert capsys.readouterr().out.startswith("standard input: dialogue\n")


def test_several_conversations(tmp_path, capsys):
    assert explain(tmp_path, CLEAN + TEXTBOOK) == 1
    shown = capsys.readouterr().out
    assert ": dialogue, conversation 1\n" in shown
    assert ": dialogue, conversation 2\n" in shown
    assert shown.count("No rule was broken.") == 1


def test_nothing_steers_the_terminal(tmp_path, capsys):
    evil = "\x1b[2J\x07\u202e\u2028\x9b"
    text = CLEAN.replace("Ketchup", f"Ketchup{evil}").replace("queued as", f"queued {evil} as")
    assert explain(tmp_path, text.replace("crepes.fr", f"cre{evil}pes.fr", 1)) == 1
    shown = capsys.readouterr().out
    assert not set(evil) - {"[", "2", "J"} & set(shown)
    assert r"Ketchup\x1b[2J\x07\u202e\u2028\x9b" in shown


def test_no_recipient(tmp_path, capsys):
    text = "S: 220 a\nC: HELO b\nS: 250 a\nC: MAIL FROM:<>\nS: 250 ok\nC: QUIT\nS: 221 bye\n"
    assert explain(tmp_path, text) == 0
    assert "Message from <>:\n  no recipient was named\n" in capsys.readouterr().out


def test_long_lines_are_cut_into_pieces(tmp_path, capsys):
    text = f"S: 220 {'word ' * 100}\n"
    assert explain(tmp_path, text) == 0
    lines = capsys.readouterr().out.split("\n")
    assert max(map(len, lines)) <= 96
    assert "".join(line[5:].removeprefix("    ") for line in lines if "word" in line).count("word") == 100


def test_extensions_in_words():
    assert explain_parameter("HAM", "green") == Remark("HAM: a parameter that is not known here", "RFC 5321 s4.1.1.11")
    assert explain_parameter("notify", "NEVER").text == "NOTIFY: reports are wanted for NEVER"
    assert explain_capability("X-HAM").text == "X-HAM: an extension that is not known here"
    assert explain_capability("SIZE 0").text.endswith(", of any size")
    assert explain_capability("auth=LOGIN PLAIN").text.startswith("AUTH=: clients can log in")


class Reader:
    """A reader of values, as they come with the room for the message."""

    def __init__(self, text):
        self.held = text
        self.defects = (Defect("RFC 5322 s3.3", "no such day", 2),) if text == "today" else ()

    def __str__(self):
        return self.held.upper()

    @classmethod
    def read(cls, text):
        return cls(text)


class Words(Reader):
    """One that has what people read."""

    @property
    def text(self):
        return f"words of {self.held}"


class Serialised(Reader):
    """One that can leave words as they are."""

    def serialise(self, *, utf8=False):
        return f"{self.held} {utf8}"


def test_values_are_read_where_there_is_a_reader(monkeypatch):
    module = types.ModuleType("smtpcore.message.played")
    module.Played, module.Words, module.Serialised = Reader, Words, Serialised  # type: ignore[attr-defined]  # a module of the test's own
    monkeypatch.setitem(sys.modules, "smtpcore.message.played", module)
    monkeypatch.setitem(FIELDS, "cc", FieldKind("whom", "RFC 5322 s3.6.3", ("played", "Played")))
    monkeypatch.setitem(FIELDS, "bcc", FieldKind("whom", "RFC 5322 s3.6.3", ("played", "Serialised")))
    monkeypatch.setitem(FIELDS, "subject", FieldKind("what", "RFC 5322 s3.6.5", ("played", "Words")))
    values = [row.value for row in explain_header(Header.parse(b"Cc: a\r\nBcc: b\r\nSubject: c\r\n\r\n"))]
    assert values == ["A", "b True", "words of c"]
    monkeypatch.setitem(FIELDS, "date", FieldKind("when", "RFC 5322 s3.6.1", ("played", "Played")))
    monkeypatch.setitem(FIELDS, "from", FieldKind("who", "RFC 5322 s3.6.2", ("played", "Missing")))
    monkeypatch.setitem(FIELDS, "to", FieldKind("whom", "RFC 5322 s3.6.3", ("missing", "Missing")))
    long = b"x" * 100_001
    rows = explain_header(
        Header.parse(b"Date: today\r\nFrom: a\r\nTo: b\r\nX-Own: c\r\nOther: d\r\nDate: %b\r\n\r\n" % long)
    )
    assert [(row.name, row.value) for row in rows[:-1]] == [
        ("Date", "today"), ("From", "a"), ("To", "b"), ("X-Own", "c"), ("Other", "d")
    ]  # fmt: skip
    assert rows[0].defects == (Finding("client", "RFC 5322 s3.3", "Date: no such day"),)
    assert [row.meaning.rule for row in rows[3:5]] == ["RFC 6648 s2", "RFC 5322 s3.6.8"]
    assert rows[-1].value == "x" * 500 + "..."


@given(st.sampled_from(sorted(FIELDS)), st.text(max_size=60))
def test_every_reader_that_is_there_reads_anything(name, text):
    field = f"{name}: {text}".encode("utf-8", "surrogatepass").replace(b"\r", b"").replace(b"\n", b"")
    (row,) = explain_header(Header.parse(field + b"\r\n\r\n"))
    assert row.name == name
    assert row.meaning.text
