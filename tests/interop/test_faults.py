"""Postfix's smtp-sink fails on command, and the outcome says what it did, recipient by recipient."""

from __future__ import annotations

from pathlib import Path

import pytest

from smtpcore.flows.error import Disconnected, Refused
from smtpcore.flows.outcome import Status
from tests.interop import messages
from tests.interop.certificates import Certificate
from tests.interop.peers import SmtpSink
from tests.interop.receiving import ADAPTERS
from tests.interop.sending import ACCEPTED, NOT_SENT, REFUSED, REFUSED_FOR_NOW, UNKNOWN, Letter, send, statuses

pytestmark = pytest.mark.interop

CONTENT = messages.message(messages.DOTS)
LARGE = messages.message(messages.BODIES["large"] * 16)
TWO = ("bob@example.com", "carol@example.com")


def sink(folder: Path, certificate: Certificate, switches: str) -> SmtpSink:
    options, equals, text = switches.partition("=")
    return SmtpSink(folder, certificate, *options.split(), *([text] if equals else []))


ENVELOPE: dict[str, tuple[list[Status], int | None]] = {
    # refused for good
    "-f MAIL": ([REFUSED, REFUSED], 500),
    "-f RCPT": ([REFUSED, REFUSED], 500),
    "-f DATA": ([REFUSED, REFUSED], 500),
    "-f .": ([REFUSED, REFUSED], 500),
    # refused for now
    "-r MAIL": ([REFUSED_FOR_NOW, REFUSED_FOR_NOW], 450),
    "-r RCPT": ([REFUSED_FOR_NOW, REFUSED_FOR_NOW], 450),
    "-r DATA": ([REFUSED_FOR_NOW, REFUSED_FOR_NOW], 450),
    "-r .": ([REFUSED_FOR_NOW, REFUSED_FOR_NOW], 450),
    # in words of one's own
    "-f RCPT -B=552 5.2.2 mailbox full": ([REFUSED, REFUSED], 552),
    "-f . -B=554 5.7.1 spam": ([REFUSED, REFUSED], 554),
    "-r RCPT -b=452 4.5.3 too many recipients": ([REFUSED_FOR_NOW, REFUSED_FOR_NOW], 452),
    "-r . -b=451 4.7.1 greylisted": ([REFUSED_FOR_NOW, REFUSED_FOR_NOW], 451),
    # closing without a word: nobody has the message before the final dot, and nobody knows after it
    "-q MAIL": ([NOT_SENT, NOT_SENT], None),
    "-q RCPT": ([NOT_SENT, NOT_SENT], None),
    "-q DATA": ([NOT_SENT, NOT_SENT], None),
    "-q .": ([UNKNOWN, UNKNOWN], None),
    "-M 1": ([UNKNOWN, UNKNOWN], None),
    # 421 and closing
    "-Q MAIL": ([REFUSED_FOR_NOW, REFUSED_FOR_NOW], 421),
    "-Q RCPT": ([REFUSED_FOR_NOW, NOT_SENT], 421),
    "-Q DATA": ([REFUSED_FOR_NOW, REFUSED_FOR_NOW], 421),
    "-Q .": ([REFUSED_FOR_NOW, REFUSED_FOR_NOW], 421),
    # 550 right after 354, and nothing is read any more
    "-A 0": ([REFUSED, REFUSED], 550),
    "-A 1": ([REFUSED, REFUSED], 550),
    # what does not concern the message
    "-f EHLO": ([ACCEPTED, ACCEPTED], 250),
    "-f RSET,NOOP,VRFY": ([ACCEPTED, ACCEPTED], 250),
    "-f QUIT": ([ACCEPTED, ACCEPTED], 250),
    "-r QUIT": ([ACCEPTED, ACCEPTED], 250),
    "-q QUIT": ([ACCEPTED, ACCEPTED], 250),
    "-Q QUIT": ([ACCEPTED, ACCEPTED], 250),
    # fewer extensions, or none
    "-e": ([ACCEPTED, ACCEPTED], 250),
    "-p": ([ACCEPTED, ACCEPTED], 250),
    "-8": ([ACCEPTED, ACCEPTED], 250),
    "-E": ([ACCEPTED, ACCEPTED], 250),
    "-a -C -F -N": ([ACCEPTED, ACCEPTED], 250),
    "-P": ([ACCEPTED, ACCEPTED], 250),
    # slow, but in time
    "-w 1": ([ACCEPTED, ACCEPTED], 250),
    "-W .:1": ([ACCEPTED, ACCEPTED], 250),
    "-T 1024": ([ACCEPTED, ACCEPTED], 250),
}


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("switches", ENVELOPE)
def test_each_outcome_is_what_the_sink_was_told(
    tmp_path: Path, certificate: Certificate, switches: str, adapter: str
) -> None:
    expected, code = ENVELOPE[switches]
    with sink(tmp_path, certificate, switches) as peer:
        (outcome,) = send(adapter, peer.port, Letter(CONTENT, TWO), timeout=10)
        assert statuses(outcome) == expected, outcome
        for each in outcome.recipients:
            if each.reply is not None:
                assert each.reply.code == code
                assert switches.partition("=")[2] in str(each.reply)
            else:
                assert each.status in (NOT_SENT, UNKNOWN)
                assert each.why
        assert (outcome.error is not None) == (UNKNOWN in expected or expected == [NOT_SENT, NOT_SENT])
        if expected == [ACCEPTED, ACCEPTED]:
            (got,) = peer.delivered(1)
            assert got.content == CONTENT
            assert got.sender == "alice@crepes.fr"
            assert set(got.recipients) == set(TWO)


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize(
    ("switches", "error", "says"),
    [
        ("-f CONNECT", Refused, "500"),
        ("-r CONNECT", Refused, "450"),
        ("-q CONNECT", Disconnected, None),
        ("-Q CONNECT", Refused, "421"),
        ("-f EHLO,HELO", Refused, "500"),
        ("-r EHLO", Refused, "450"),
        ("-q EHLO", Disconnected, None),
        ("-Q EHLO", Refused, "421"),
        ("-L", Refused, "500"),
        ("-W CONNECT:20", TimeoutError, None),
    ],
)
def test_no_session_can_be_opened(
    tmp_path: Path, certificate: Certificate, switches: str, error: type[Exception], says: str | None, adapter: str
) -> None:
    with sink(tmp_path, certificate, switches) as peer:
        with pytest.raises(error, match=says):
            send(adapter, peer.port, Letter(CONTENT), timeout=1)
        assert peer.delivered(0) == []


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize(
    ("switches", "expected"),
    [("-p -W MAIL:20", NOT_SENT), ("-p -W RCPT:20", NOT_SENT), ("-W DATA:20", NOT_SENT), ("-W .:20", UNKNOWN)],
)
def test_a_reply_that_does_not_come_in_time(
    tmp_path: Path, certificate: Certificate, switches: str, expected: Status, adapter: str
) -> None:
    with sink(tmp_path, certificate, switches) as peer:
        (outcome,) = send(adapter, peer.port, Letter(CONTENT, TWO), timeout=0.7)
        assert statuses(outcome) == [expected, expected]
        assert isinstance(outcome.error, TimeoutError)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_server_that_does_not_read(tmp_path: Path, certificate: Certificate, adapter: str) -> None:
    with sink(tmp_path, certificate, "-H 20") as peer:
        (outcome,) = send(adapter, peer.port, Letter(LARGE, TWO), timeout=1)
        assert statuses(outcome) == [NOT_SENT, NOT_SENT], outcome


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("switches", ["-H 1", "-H 1 -T 2048", "-w 1 -p"])
def test_a_server_that_reads_late(tmp_path: Path, certificate: Certificate, switches: str, adapter: str) -> None:
    with sink(tmp_path, certificate, switches) as peer:
        (outcome,) = send(adapter, peer.port, Letter(LARGE), timeout=10)
        assert statuses(outcome) == [ACCEPTED], outcome
        assert [got.content for got in peer.delivered(1)] == [LARGE]


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("delay", [0, 1])
def test_a_refusal_in_the_middle_of_a_large_content(
    tmp_path: Path, certificate: Certificate, delay: int, adapter: str
) -> None:
    """550 comes while the client writes, and then the connection breaks: the server has certainly not taken it."""
    with sink(tmp_path, certificate, f"-A {delay}") as peer:
        (outcome,) = send(adapter, peer.port, Letter(LARGE, TWO), timeout=5)
        assert set(statuses(outcome)) <= {REFUSED, NOT_SENT}, outcome


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("switches", ["-f .", "-r .", "-f RCPT", "-r RCPT", "-f DATA", "-r MAIL"])
def test_the_connection_serves_on_after_a_refusal(
    tmp_path: Path, certificate: Certificate, switches: str, adapter: str
) -> None:
    with sink(tmp_path, certificate, switches) as peer:
        outcomes = send(adapter, peer.port, *[Letter(CONTENT, TWO)] * 3, timeout=10)
        expected = REFUSED if switches.startswith("-f") else REFUSED_FOR_NOW
        assert [statuses(outcome) for outcome in outcomes] == [[expected, expected]] * 3


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_8_bit_content_for_a_7_bit_server(tmp_path: Path, certificate: Certificate, adapter: str) -> None:
    """Whatever is done about it, the octets are not changed and the outcome is true."""
    content = messages.message(messages.BODIES["8-bit"])
    with sink(tmp_path, certificate, "-8") as peer:
        (outcome,) = send(adapter, peer.port, Letter(content), timeout=10)
        if statuses(outcome) == [ACCEPTED]:
            assert [got.content for got in peer.delivered(1)] == [content]
        else:
            assert statuses(outcome) == [NOT_SENT]
            assert peer.delivered(0) == []


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("body", messages.BODIES)
@pytest.mark.parametrize("switches", ["-c", "-p", "-e"])
def test_content_arrives_octet_for_octet(
    tmp_path: Path, certificate: Certificate, switches: str, body: str, adapter: str
) -> None:
    """With pipelining, without it, and without ESMTP, where octets beyond ASCII go only to who insists."""
    content = messages.message(messages.BODIES[body])
    with sink(tmp_path, certificate, switches) as peer:
        if switches == "-e" and not content.isascii():
            (outcome,) = send(adapter, peer.port, Letter(content), timeout=10)
            assert statuses(outcome) == [NOT_SENT], outcome
        both = Letter(content), Letter(content)
        for outcome in send(adapter, peer.port, *both, timeout=10, sending={"eight_bit": "send"}):
            assert statuses(outcome) == [ACCEPTED], outcome
        assert [got.content for got in peer.delivered(2)] == [content, content]
