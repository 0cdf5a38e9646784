"""LMTP with other people's programs: Dovecot and smtp-sink take it, Postfix, swaks and smtp-source speak it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from smtpcore import Reply
from smtpcore.flows.handler import Served
from smtpcore.flows.options import SendOptions
from smtpcore.flows.outcome import Status
from tests.cli.commandline import Process, untraced
from tests.cli.commandline import messages as kept_in
from tests.interop import clients, messages
from tests.interop.certificates import Certificate
from tests.interop.clients import Job
from tests.interop.mailservers import Dovecot, Postfix
from tests.interop.peers import SmtpSink, split_trace
from tests.interop.receiving import ADAPTERS, Keeper, serving
from tests.interop.sending import ACCEPTED, REFUSED, REFUSED_FOR_NOW, UNKNOWN, Letter, send, statuses

pytestmark = pytest.mark.interop

TRICKY = messages.message(messages.BODIES["dots"] + messages.BODIES["8-bit"] + messages.BODIES["998"])
#: Dovecot knows bob and carol.
SOME = ("bob@example.com", "nobody@example.com", "carol@example.com")
TWO = ("bob@example.com", "carol@example.com")
CHUNKED = pytest.mark.parametrize("chunking", [False, True], ids=["data", "bdat"])


# -- our client -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dovecot(folder: Path, certificate: Certificate) -> Iterator[Dovecot]:
    with Dovecot(folder, certificate) as peer:
        yield peer


@CHUNKED
@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("socket", ["tcp", "unix"])
def test_dovecot_keeps_it_for_whom_it_knows(dovecot: Dovecot, adapter: str, socket: str, chunking: bool) -> None:
    dovecot.forget()
    host = "127.0.0.1" if socket == "tcp" else dovecot.lmtp_socket
    more: SendOptions = {"chunking": chunking}
    contents = [TRICKY, *[messages.message(body) for body in messages.BODIES.values()]]
    letters = [Letter(content, SOME) for content in contents]
    outcomes = send(adapter, dovecot.lmtp_port, *letters, host=host, lmtp=True, sending=more)
    for outcome in outcomes:
        assert statuses(outcome) == [ACCEPTED, REFUSED, ACCEPTED], outcome
        replies = [each.reply for each in outcome.recipients]
        assert [reply.code for reply in replies if reply] == [250, 550, 250]
    got = dovecot.delivered(2 * len(contents))
    assert sorted(each.content for each in got) == sorted(contents * 2)


@CHUNKED
def test_dovecot_and_nobody_it_knows(dovecot: Dovecot, chunking: bool) -> None:
    dovecot.forget()
    nobody, somebody = Letter(TRICKY, ("x@example.com", "y@example.com")), Letter(TRICKY, TWO)
    more: SendOptions = {"chunking": chunking}
    outcomes = send("asyncio", dovecot.lmtp_port, nobody, somebody, nobody, lmtp=True, sending=more)
    assert [statuses(outcome) for outcome in outcomes] == [[REFUSED] * 2, [ACCEPTED] * 2, [REFUSED] * 2]
    assert [each.content for each in dovecot.delivered(2)] == [TRICKY] * 2


SINKS: dict[str, list[Status]] = {
    "": [ACCEPTED, ACCEPTED],
    "-p": [ACCEPTED, ACCEPTED],
    "-8 -E": [ACCEPTED, ACCEPTED],
    "-w 1": [ACCEPTED, ACCEPTED],
    "-f .": [REFUSED, REFUSED],
    "-r .": [REFUSED_FOR_NOW, REFUSED_FOR_NOW],
    "-f RCPT": [REFUSED, REFUSED],
    "-r RCPT": [REFUSED_FOR_NOW, REFUSED_FOR_NOW],
    "-f DATA": [REFUSED, REFUSED],
    "-r MAIL": [REFUSED_FOR_NOW, REFUSED_FOR_NOW],
    "-q .": [UNKNOWN, UNKNOWN],
    "-M 1": [UNKNOWN, UNKNOWN],
    # 421 is for the first; what became of the second nobody says
    "-Q .": [REFUSED_FOR_NOW, UNKNOWN],
}


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("switches", SINKS)
def test_a_sink_with_faults(folder: Path, certificate: Certificate, switches: str, adapter: str) -> None:
    with SmtpSink(folder, certificate, "-L", *switches.split()) as sink:
        # Where the sink does not offer 8BITMIME, it has to be told to go all the same.
        insisting: SendOptions = {"eight_bit": "send"}
        (outcome,) = send(adapter, sink.port, Letter(TRICKY, TWO), lmtp=True, timeout=20, sending=insisting)
        assert statuses(outcome) == SINKS[switches], outcome
        # It makes its file when the content begins to come, and may be asked before that is gone.
        assert [got.content for got in sink.delivered(0) if got.content] in ([], [TRICKY])
        if ACCEPTED in SINKS[switches]:
            assert [got.content for got in sink.delivered(1)] == [TRICKY]


# -- our server -----------------------------------------------------------------------------------


@dataclass
class Fastidious(Keeper):
    """Has later...@ come back once when it has seen the message."""

    seen: set[str] = field(default_factory=set)

    def message(self, session: Served) -> Any:
        whom = [str(each) for each in session.transaction.recipients]
        late = [who for who in whom if who.startswith("later") and who not in self.seen]
        self.seen.update(late)
        text = super().message(session)
        return [Reply(451, "come back later", enhanced="4.2.0") if who in late else text for who in whom]


@pytest.mark.parametrize("adapter", ADAPTERS)
@pytest.mark.parametrize("socket", ["tcp", "unix"])
def test_postfix_delivers_to_us(folder: Path, certificate: Certificate, socket: str, adapter: str) -> None:
    """Each recipient of a message has a verdict: one is told to come back later, and gets it then."""

    keeper = Fastidious()
    peer = Postfix(folder, certificate)
    path = peer.folder / "lmtp"
    if socket == "tcp":
        with serving(adapter, keeper, lmtp=True) as ours:
            peer.via = f"lmtp:inet:127.0.0.1:{ours.port}"
            with peer:
                _through_postfix(peer, keeper)
        return
    peer.via = "lmtp:unix:/peer/lmtp"
    with peer, serving(adapter, keeper, host=f"unix:{path}", lmtp=True):
        path.chmod(0o666)
        _through_postfix(peer, keeper)


def _through_postfix(peer: Postfix, keeper: Keeper) -> None:
    whom = ("bob@hamburger.edu", "later@hamburger.edu", "refuse@hamburger.edu")
    (outcome,) = send("blocking", peer.port, Letter(TRICKY, whom))
    assert statuses(outcome) == [ACCEPTED] * 3, outcome
    got = keeper.wait(3)  # for bob and later, for later again, and what the sender is told
    told = [each for each in got if not each.sender]
    ours = [each for each in got if each.sender]
    assert [each.recipients for each in told] == [("alice@crepes.fr",)]
    assert b"no such mailbox" in told[0].content
    assert sorted(each.recipients for each in ours) == [whom[:2], whom[1:2]]
    assert [split_trace(each.content)[1] for each in ours] == [TRICKY] * 2


@pytest.fixture
def maildir(tmp_path: Path) -> Path:
    return tmp_path / "mail"


@pytest.mark.parametrize("socket", ["tcp", "unix"])
def test_swaks_into_serve(tmp_path: Path, maildir: Path, socket: str) -> None:
    where = f"unix:{tmp_path / 'lmtp'}" if socket == "unix" else "127.0.0.1:0"
    with Process("-m", "smtpcore", "serve", where, "--lmtp", "--maildir", maildir) as server:
        port = server.address()[1] if socket == "tcp" else 0
        if socket == "unix":
            assert server.line() == f"listening on {where}"
        path = "" if port else where.removeprefix("unix:")
        job = Job(port, messages.message(messages.BODIES["dots"]), recipients=("bob@h.edu", "carol@h.edu"), socket=path)
        ran = clients.swaks(job, "--protocol", "LMTP").check()
        assert ran.output.count("kept as") == 2, ran
    assert [untraced(each) for each in kept_in(maildir)] == [job.content]


def test_smtp_source_into_serve(tmp_path: Path, maildir: Path) -> None:
    with Process("-m", "smtpcore", "serve", "127.0.0.1:0", "--lmtp", "--maildir", maildir) as server:
        job = Job(server.address()[1], b"")
        ran = clients.smtp_source(job, tmp_path, "-L", "-r", "3", messages=40, sessions=4, length=5000)
        ran.check()
    assert len(kept_in(maildir)) == 40
