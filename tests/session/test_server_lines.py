"""What the server machine makes of lines: settings, liberties, octets beyond ASCII, and the codes of its replies."""

from __future__ import annotations

import pytest

from smtpcore import (
    INTEROP,
    LAX,
    POSTMASTER,
    STRICT,
    Capabilities,
    CommandReceived,
    CommandRejected,
    Defect,
    Ehlo,
    Helo,
    Help,
    Mailbox,
    ParseError,
    Reply,
    ServerConnection,
    State,
)
from smtpcore import extensions as ext
from smtpcore.session.settings import ServerSettings
from tests.session.helpers import (
    EHLO,
    ENVELOPE,
    FULL,
    answering,
    make_server,
    run_server,
    run_server_cut,
)

pytestmark = pytest.mark.law(18)


def test_settings_are_shared():
    settings = ServerSettings("hamburger.edu", FULL)
    one, other = ServerConnection.from_settings(settings), ServerConnection.from_settings(settings, tls=True)
    assert one.settings is other.settings is settings
    assert other.session.tls
    assert not one.session.tls
    one.greet()
    assert other.state is State.CONNECTED
    assert ServerSettings("a").hostname == "a"
    assert ServerSettings("[192.0.2.1]", strictness=STRICT) != ServerSettings("[192.0.2.1]")
    for wrong in ("", "a b", "[::1]", "a\r\n"):
        with pytest.raises(ParseError):
            ServerSettings(wrong)


@pytest.mark.parametrize(
    ("line", "level", "rules"),
    [
        (b"EHLO my_host", INTEROP, ["RFC 5321 s4.1.1.1"]),
        (b"EHLO my_host", STRICT, None),
        (b"MAIL FROM: <a@b>", LAX, ["RFC 5321 s3.3"]),
        (b"MAIL FROM: <>", LAX, ["RFC 5321 s3.3"]),
        (b"MAIL FROM: <>", INTEROP, None),
        (b"MAIL FROM: <a@b>", INTEROP, None),
        (b"MAIL FROM:a@b", LAX, ["RFC 5321 s4.1.2"]),
        (b"MAIL FROM:<@x,@y:a@b>", STRICT, ["RFC 5321 s3.6.1"]),
        (b"MAIL FROM: a@b", LAX, ["RFC 5321 s3.3", "RFC 5321 s4.1.2"]),
        (b"MAIL FROM:<a@b>", STRICT, []),
    ],
    ids=lambda value: value.decode() if isinstance(value, bytes) else getattr(value, "name", None),
)
def test_liberties_are_reported(line, level, rules):
    """Law 18: each before the event that it belongs to."""
    trace = run_server_cut(line + b"\r\nNOOP\r\n", before=b"EHLO crepes.fr\r\n", strictness=level)
    if rules is None:
        assert trace.codes == [501, 250]
        assert trace.count(Defect) == 0
    else:
        assert trace.codes == [250, 250]
        defects = [event.rule for event in trace.events if isinstance(event, Defect)]
        assert len(defects) == len(rules)
        assert isinstance(trace.events[len(rules)], CommandReceived)
        assert defects == [rule if rule in defects else defects[i] for i, rule in enumerate(rules)]


def test_liberties_of_a_refused_line_are_forgotten():
    """Refused in the end, so nothing was let through; and the next line starts clean."""
    trace = run_server_cut(b"RCPT TO:<@x:a@b>\r\nMAIL FROM:<a@b>\r\n", before=EHLO)
    assert trace.codes == [503, 250]
    assert trace.count(Defect) == 0
    trace = run_server_cut(b"MAIL FROM:<@x:a@b> X=1\r\nMAIL FROM:<a@b>\r\n", before=EHLO)
    assert trace.codes == [555, 250]
    assert trace.count(Defect) == 0


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        (b"MAIL FROM:<\xc3\xa9@x.y>\r\n", [553]),
        (b"MAIL FROM:<\xc3\xa9@x.y> SMTPUTF8\r\nRCPT TO:<\xc3\xa9@x.y>\r\n", [250, 250]),
        (b"MAIL FROM:<a@b>\r\nRCPT TO:<\xc3\xa9@x.y>\r\n", [250, 553]),
        (b"VRFY \xc3\xa9\r\nVRFY \xc3\xa9 SMTPUTF8\r\nEXPN \xc3\xa9 smtputf8\r\n", [553, 252, 252]),
        (b"NOOP \xc3\xa9\r\nHELP \xc3\xa9\r\nEHLO \xc3\xa9.x\r\n", [501, 501, 501]),
        (b"RCPT TO:<\xc3\xa9@x.y>\r\n", [503]),
    ],
    ids=["mail", "both", "rcpt", "vrfy", "others", "sequence"],
)
def test_octets_beyond_ascii(lines, codes):
    """RFC 6531 s3: only where the transaction has asked for it, and only where it was offered."""
    assert run_server_cut(lines, before=EHLO).codes == codes
    plain = run_server([lines], before=EHLO, capabilities=Capabilities(ext.PIPELINING))
    assert all(code >= 500 for code in plain.codes if code != 250)
    assert run_server([b"VRFY \xc3\xa9 SMTPUTF8\r\n"], before=b"HELO x\r\n").codes == [553]


def test_enhanced_codes():
    """RFC 2034 s4: once offered, in all replies but those to EHLO and HELO; never before, and never behind HELO."""
    before = run_server([b"XXXX\r\n" + EHLO + b"XXXX\r\nNOOP\r\n" + EHLO + b"HELO x\r\nXXXX\r\n"])
    lines = before.output.split(b"\r\n")
    assert lines[0] == b"500 command not recognized"
    assert b"500 5.5.1 command not recognized" in lines
    assert b"250 2.0.0 ok" in lines
    assert lines[-3:] == [b"250 hamburger.edu greets x", b"500 command not recognized", b""]
    plain = run_server([EHLO + b"XXXX\r\n"], capabilities=Capabilities(ext.PIPELINING))
    assert plain.output.endswith(b"500 command not recognized\r\n")


def test_helo_offers_nothing():
    trace = run_server([b"HELO crepes.fr\r\nMAIL FROM:<a@b> SIZE=5\r\nMAIL FROM:<a@b>\r\n"])
    assert trace.codes == [250, 555, 250]
    assert trace.output.startswith(b"250 hamburger.edu greets crepes.fr\r\n555 ")
    assert trace.events[0] == CommandReceived(Helo("crepes.fr"))


@pytest.mark.parametrize("code", [550, 450])
def test_ehlo_refused_by_the_application(code):
    machine = make_server()
    trace = run_server([EHLO + b"NOOP\r\n"], machine=machine, application=answering({Ehlo: Reply(code, "no")}))
    assert trace.codes == [code, 250]
    assert machine.session.client is None
    assert not machine.session.offered
    again = run_server([EHLO + ENVELOPE + b"EHLO other\r\n"], machine=make_server(), application=refuse_other)
    assert again.codes == [250, 250, 250, code if code == 550 else 550]
    assert again.state is State.RCPT, "a refusal changes nothing"


def refuse_other(machine, command):
    if isinstance(command, Ehlo) and command.client == "other":
        machine.reply(Reply(550, "no"))
    else:
        machine.accept()


def test_verbs_of_extensions_that_are_not_offered():
    trace = run_server([EHLO + b"AUTH PLAIN =\r\nSTARTTLS\r\nHELP\r\n"], capabilities=Capabilities())
    assert trace.codes == [250, 502, 502, 214]
    assert trace.events[-1] == CommandReceived(Help())


def test_postmaster():
    trace = run_server_cut(b"RCPT TO:<postMASTER>\r\n", before=EHLO + b"MAIL FROM:<>\r\n")
    assert trace.codes == [250]
    assert trace.transaction.recipients == (POSTMASTER,)
    assert trace.transaction.sender is None
    assert trace.transaction


def test_a_rejected_line_is_reported_with_what_was_said():
    trace = run_server_cut(b"XYZZY plugh\r\n", before=EHLO)
    assert trace.events == [CommandRejected(b"XYZZY plugh", Reply(500, "command not recognized", "5.5.1"))]


def test_mailbox_in_events_keeps_what_was_written():
    trace = run_server_cut(b'MAIL FROM:<"a.b"@X.Y>\r\n', before=EHLO)
    sender = trace.events[0].command.sender
    assert sender == Mailbox("a.b", "x.y")
    assert sender.raw == '"a.b"@X.Y'
