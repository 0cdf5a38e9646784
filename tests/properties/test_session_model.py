"""I7: the server machine against a reference of forty lines, with any commands, verdicts and faults in any order."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from smtpcore import CommandReceived, ContentEnded, ContentReceived, Reply, ServerLimits, State
from tests.session.helpers import drain, make_server
from tests.session.looking import codes

LIMITS = ServerLimits(errors=10_000, idle_commands=10_000)


class Reference:
    """What RFC 5321, 3207 and 4954 say of a session, with nothing of the machine in it but the names of its states."""

    def __init__(self) -> None:
        self.greeted = self.esmtp = self.tls = self.authenticated = self.open = False
        self.mail: str | None = None
        self.rcpts: list[str] = []

    def reset(self) -> None:
        self.mail, self.rcpts, self.open = None, [], False

    def due(self, verb: str, verdict: int) -> int:
        """The code that a command gets, when its application would answer with ``verdict``."""
        if not self.in_order(verb):
            return 503
        if verb == "DATA" and verdict == 250:
            return 354
        return {("AUTH", 250): 235, ("STARTTLS", 250): 220, ("VRFY", 250): 252, ("HELP", 250): 214}.get(
            (verb, verdict), verdict
        )

    def in_order(self, verb: str) -> bool:
        match verb:
            case "MAIL":
                return self.greeted and self.mail is None
            case "RCPT":
                return self.mail is not None
            case "DATA":
                return bool(self.rcpts)
            case "AUTH":
                return self.esmtp and self.mail is None and not self.authenticated
            case "STARTTLS":
                return self.esmtp and self.mail is None and not self.tls and not self.authenticated
        return True

    def take(self, verb: str, path: str, code: int) -> None:
        """The command got that code."""
        if code >= 400:
            return
        match verb:
            case "EHLO" | "HELO":
                self.reset()
                self.greeted, self.esmtp = True, verb == "EHLO"
            case "RSET":
                self.reset()
            case "MAIL":
                self.mail = path
            case "RCPT":
                self.rcpts.append(path)
            case "DATA":
                self.open = True
            case "AUTH":
                self.authenticated = True
            case "STARTTLS":
                self.__init__()  # type: ignore[misc]  # as good as new, which is what it is to be
                self.tls = True

    def state(self) -> State:
        if self.open:
            return State.CONTENT
        if self.mail is not None:
            return State.RCPT if self.rcpts else State.MAIL
        return State.READY if self.greeted else State.GREETED


LINES = {
    "EHLO": "EHLO crepes.fr",
    "HELO": "HELO crepes.fr",
    "MAIL": "MAIL FROM:<{}>",
    "RCPT": "RCPT TO:<{}>",
    "DATA": "DATA",
    "RSET": "RSET",
    "NOOP": "NOOP",
    "VRFY": "VRFY bob",
    "HELP": "HELP",
    "AUTH": "AUTH PLAIN AGFsaWNlAHNlc2FtZQ==",
    "STARTTLS": "STARTTLS",
}
FAULTS = {
    b"XYZZY\r\n": 500,
    b"NOOP\nRSET\r\n": 500,
    b"MAIL FROM:<a@b\r\n": 501,
    b"RCPT TO:<a@b> X=1\r\n": 555,
    b"VRFY \xc3\xa9@x\r\n": 553,
    b"DATA now\r\n": 501,
    b"\r\n": 500,
}


class Session:
    """A server machine whose application answers as it is told, and its reference."""

    def __init__(self) -> None:
        self.machine: Any = make_server(limits=LIMITS)
        self.machine.greet()
        self.machine.data_to_send()
        self.reference = Reference()
        self.verdict = 250
        self.events: list[Any] = []

    def application(self, machine: Any, command: Any) -> None:
        if self.verdict == 250:
            machine.accept()
        else:
            machine.reply(Reply(self.verdict, "as told"))

    def feed(self, data: bytes, verdict: int) -> list[int]:
        self.verdict = verdict
        self.events = []
        self.machine.receive_data(data)
        assert not drain(self.machine, self.application, self.events)
        return codes(self.machine.data_to_send())

    def command(self, verb: str, path: str, verdict: int) -> None:
        expected = self.reference.due(verb, verdict)
        in_order = self.reference.in_order(verb)
        got = self.feed(LINES[verb].format(path).encode() + b"\r\n", verdict)
        assert got == [expected], verb
        asked = [event for event in self.events if isinstance(event, CommandReceived)]
        assert bool(asked) is in_order, "the application is asked in order, and only then"
        if verb == "STARTTLS" and expected == 220:
            self.machine.tls_established()
        self.reference.take(verb, path, expected)
        self.check()

    def content(self, data: bytes, verdict: int) -> None:
        bare = b"\n" in data.replace(b"\r\n", b"")
        got = self.feed(data + b".\r\n", verdict)
        assert got == [550 if bare else verdict]
        assert any(isinstance(event, ContentEnded) for event in self.events) is not bare
        if not bare:
            assert b"".join([event.data for event in self.events if isinstance(event, ContentReceived)]) == data
        self.reference.reset()
        self.check()

    def fault(self, line: bytes) -> None:
        assert self.feed(line, 250) == [FAULTS[line]]
        self.check()

    def check(self) -> None:
        machine, reference = self.machine, self.reference
        assert machine.state is reference.state()
        held = machine.transaction
        assert (str(held.sender) if held.mail else None) == reference.mail
        assert [str(path) for path in held.recipients] == reference.rcpts
        assert machine.session.tls is reference.tls
        assert machine.session.authenticated is reference.authenticated
        assert machine.session.esmtp is reference.esmtp
        assert machine.awaiting is None
        assert machine.buffered == 0


class SessionMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.session = Session()

    @precondition(lambda self: not self.session.reference.open)
    @rule(verb=st.sampled_from(sorted(LINES)), path=st.sampled_from(["a@x", "b@y"]), verdict=st.just(250))
    def accepted(self, verb: str, path: str, verdict: int) -> None:
        self.session.command(verb, path, verdict)

    @precondition(lambda self: not self.session.reference.open)
    @rule(verb=st.sampled_from(sorted(LINES)), path=st.just("a@x"), verdict=st.sampled_from([450, 550, 503, 599, 400]))
    def refused(self, verb: str, path: str, verdict: int) -> None:
        self.session.command(verb, path, verdict)

    @precondition(lambda self: not self.session.reference.open and self.session.reference.greeted)
    @rule(rcpts=st.lists(st.sampled_from(["a@x", "b@y"]), min_size=1, max_size=3))
    def envelope(self, rcpts: list[str]) -> None:
        """Straight to the content, which rules taken one by one hardly ever reach."""
        self.session.command("RSET", "", 250)
        self.session.command("MAIL", "a@x", 250)
        for rcpt in rcpts:
            self.session.command("RCPT", rcpt, 250)
        self.session.command("DATA", "", 250)

    @precondition(lambda self: self.session.reference.open)
    @rule(
        data=st.sampled_from([b"", b"x\r\n", b"RSET\r\nQUIT\r\n", b"a\nb\r\n"]),
        verdict=st.sampled_from([250, 250, 451, 554]),
    )
    def content(self, data: bytes, verdict: int) -> None:
        self.session.content(data, verdict)

    @precondition(lambda self: not self.session.reference.open)
    @rule(line=st.sampled_from(sorted(FAULTS)))
    def fault(self, line: bytes) -> None:
        self.session.fault(line)

    @invariant()
    def agreed(self) -> None:
        self.session.check()


TestSession = SessionMachine.TestCase
TestSession.settings = settings(settings(), stateful_step_count=30)


def test_every_short_session():
    """All sequences of four steps, which any short way to a wrong state would be among."""
    steps = [
        ("EHLO", 250),
        ("MAIL", 250),
        ("MAIL", 550),
        ("RCPT", 250),
        ("RCPT", 450),
        ("DATA", 250),
        ("DATA", 554),
        ("RSET", 250),
        ("AUTH", 250),
    ]
    for sequence in itertools.product(steps, repeat=4):
        session = Session()
        session.command("EHLO", "", 250)
        for verb, verdict in sequence:
            if session.reference.open:
                session.content(b"x\r\n", verdict)
            else:
                session.command(verb, "a@x", verdict)
