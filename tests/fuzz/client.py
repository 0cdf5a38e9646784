"""The target over ClientConnection: a caller that sends what it likes, a stranger's replies.

What the caller does next hangs on the replies only, never on how they were cut, so that every
split has to give the same events, the same octets and the same end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from smtpcore import ClientConnection, Secret, State
from smtpcore.errors import LocalProtocolError, RemoteProtocolError
from smtpcore.extensions import PIPELINING, Auth, AuthResponse
from smtpcore.extensions.chunking import BdatCommand
from smtpcore.session.event import CommandSkipped, ConnectionClosed, ReplyReceived, Signal, VerdictReceived
from smtpcore.table import Connect, EndOfContent
from smtpcore.wire.command import Command, Data, Ehlo, Lhlo, Mail, Noop, Rcpt
from smtpcore.wire.newlines import BareNewlines
from tests.fuzz.oracle import BARE, Oracle, OracleFailure, check, octet_by_octet, scattered, stuffed
from tests.fuzz.script import MOVES, SECRET, Chunk, Chunks, Move, Script
from tests.fuzz.streams import under
from tests.fuzz.tokens import Source
from tests.fuzz.values import CLEAN_LINE

Make = Callable[..., Any]


def client(data: bytes, make: Make = ClientConnection) -> None:
    """ClientConnection."""
    script = Script(Source(data))
    stretches = script.stretches
    first = Play(make(**script.options), script)
    first.play([[stretch] for stretch in stretches])
    for cut in (lambda stretch: scattered(stretch, script.seed), octet_by_octet):
        other = Play(make(**script.options), script)
        other.play([cut(stretch) for stretch in stretches])
        check(other.events == first.events, Oracle.SPLIT, "client: events", stretches, first.events, other.events)
        check(
            other.output == first.output,
            Oracle.SPLIT,
            "client: output",
            stretches,
            bytes(first.output),
            bytes(other.output),
        )
        check(other.end == first.end, Oracle.SPLIT, "client: state", stretches, first.end, other.end)


def snapshot(machine: Any) -> tuple[Any, ...]:
    """All that a caller can see of a client machine."""
    return (
        machine.state, machine.in_flight, machine.queued, machine.deadline, machine.capabilities, machine.authenticated,
        machine.tls,
    )  # fmt: skip


def is_one_of(command: object, commands: Sequence[object]) -> bool:
    """Whether that very object is among them."""
    return any(command is other for other in commands)


class Play:
    """One run of the machine with its caller. Keeps the books of what was sent, skipped, and answered."""

    def __init__(self, machine: Any, script: Script) -> None:
        self.machine = machine
        self.script = script
        self.replies = 0
        self.events: list[Any] = []
        self.output = bytearray()
        self.end: tuple[Any, ...] = ()
        self.over = False
        self.accepted: list[Command] = []  # by send(), and not heard of yet
        self.flight: list[Command] = list(machine.in_flight)
        self.open_ended = False  # the state is CONTENT, and no verdict is due
        self.chunks = Chunks(None, script.options["bare_newlines"])  # of the last MAIL that was taken
        self.carried: dict[int, Chunks] = {}  # by the command that goes before the octets
        self.due: list[Rcpt] = []  # LMTP: accepted, and without a verdict
        self.passed_over: list[Command] = []  # by commands behind them, which left first: these have to be reported
        check(
            len(self.flight) == 1 and isinstance(self.flight[0], Connect),
            Oracle.STATE,
            "client: at the start",
            self.flight,
        )

    def play(self, stretches: Sequence[Sequence[bytes]]) -> None:
        machine = self.machine
        for move in self.script.first:
            self._move(MOVES[move]())
        for number, pieces in enumerate(stretches):
            if self.over:
                break
            if number and machine.state is State.UPGRADING:
                self._shake_hands()
            for piece in pieces:
                if self.over or not piece:
                    break
                if machine.state is State.CLOSED:
                    break
                machine.receive_data(piece)
                self._drain()
        if self.script.eof and not self.over and machine.state is not State.CLOSED:
            machine.receive_data(b"")
            self._drain()
            check(self.over, Oracle.STATE, "client: open behind the end", self.events)
        self._account()
        self.end = (machine.state, [type(command) for command in machine.in_flight], len(machine.queued), machine.tls,
                    machine.authenticated, machine.capabilities)  # fmt: skip

    def _drain(self) -> None:
        while not self.over:
            try:
                event = self.machine.next_event()
            except RemoteProtocolError as error:
                self._dead(error)
                return
            if isinstance(event, Signal):
                return
            self._on_event(event)

    def _on_event(self, event: Any) -> None:
        if isinstance(event, ReplyReceived):
            self._on_reply(event)
        elif isinstance(event, VerdictReceived):
            self._on_verdict(event)
        elif isinstance(event, CommandSkipped):
            self.events.append(event)
            waiting = [*self.passed_over, *self.accepted]
            check(is_one_of(event.command, waiting), Oracle.ORDER, "client: skipped, and not waiting", event, waiting)
            self.accepted = [command for command in self.accepted if command is not event.command]
            self.passed_over = [command for command in self.passed_over if command is not event.command]
        elif isinstance(event, ConnectionClosed):
            self.events.append(event)
            self.over = True
            known = list(event.unanswered)
            check(_same(known, self.flight), Oracle.ORDER, "client: unanswered", event, self.flight)
            check(not self.passed_over, Oracle.ORDER, "client: neither sent nor skipped", self.passed_over)
            check(_same(event.unsent, self.accepted), Oracle.ORDER, "client: unsent", event, self.accepted)
            check(self.machine.next_event() is event, Oracle.STATE, "client: closed only once", event)
            self.flight, self.accepted = [], []
        else:
            raise OracleFailure(Oracle.EXCEPTION, "client: no event", event)

    def _on_reply(self, event: ReplyReceived) -> None:
        machine = self.machine
        self.events.append(event)
        if event.command is None:
            check(
                not self.flight and event.reply.code == 421,
                Oracle.ORDER,
                "client: a reply to nothing",
                event,
                self.flight,
            )
        elif not self.flight and isinstance(event.command, EndOfContent) and self.open_ended:
            refused = event.reply.code >= 400 and machine.state is State.CLOSED
            check(refused, Oracle.ORDER, "client: a content is answered before its end", event, machine.state)
        else:
            check(
                self.flight and event.command is self.flight[0],
                Oracle.ORDER,
                "client: another command's reply",
                event,
                self.flight,
            )
            del self.flight[0]
        self._left()
        if isinstance(event.command, (Auth, AuthResponse)):
            shown = event.reply.text
            check(("sesame" not in shown and "AGFsaWNlAHNlc2FtZQ" not in shown) or not self._holds(event.command),
                  Oracle.SECRET, "client: a reply shows a response", event)  # fmt: skip
        if machine.state is State.CONTENT and not machine.in_flight and isinstance(event.command, Data):
            self._send_content()
        if event.reply.code >= 400 and isinstance(event.command, BdatCommand):
            self.carried[id(event.command)].over = True
        if event.reply.code // 100 == 2 and isinstance(event.command, Mail):
            self.due = []
        elif event.reply.code // 100 == 2 and isinstance(event.command, Rcpt):
            self.due.append(event.command)
        self._next_move()

    def _on_verdict(self, event: VerdictReceived) -> None:
        """In LMTP, one for each accepted recipient, in order; the last one ends the command (RFC 2033 s4.2)."""
        self.events.append(event)
        check(self.machine.lmtp, Oracle.STATE, "client: a verdict in SMTP", event)
        first = self.flight[0] if self.flight else None
        check(event.command is first, Oracle.ORDER, "client: another command's verdict", event, self.flight)
        check(self.due and event.rcpt is self.due[0], Oracle.ORDER, "client: another's verdict", event, self.due)
        del self.due[0]
        if not self.due:
            del self.flight[0]
        self._left()
        if not self.due:
            self._next_move()

    def _next_move(self) -> None:
        number = self.replies
        self.replies += 1
        if number < len(self.script.moves):
            self._move(MOVES[self.script.moves[number]]())

    def _holds(self, command: Auth | AuthResponse) -> bool:
        secret = command.initial_response if isinstance(command, Auth) else command.response
        return secret == Secret(SECRET)

    def _move(self, commands: Move) -> None:
        machine = self.machine
        for given in commands:
            before = snapshot(machine)
            try:
                command = self._send(given)
            except (LocalProtocolError, RemoteProtocolError):
                after = snapshot(machine)
                check(before == after, Oracle.UNCHANGED, "client: send()", given, before, after)
                check(not machine.data_to_send(), Oracle.UNCHANGED, "client: a refused command is sent", given)
                continue
            self.accepted.append(command)
            self._left()

    def _send(self, given: Command | Chunk) -> Command:
        if not isinstance(given, Chunk):
            self.machine.send(given)
            if isinstance(given, Mail):
                self.chunks = Chunks(given, self.script.options["bare_newlines"])
            return given
        command: BdatCommand = self.machine.send_chunk(given.data, last=given.last)
        if self.chunks.over:
            self.chunks = Chunks(self.chunks.mail, self.chunks.policy)
        chunks = self.chunks
        chunks.given += given.data
        chunks.over = given.last
        self.carried[id(command)] = chunks
        bare = BARE.search(chunks.given) if given.last and not chunks.binary else None
        check(
            not bare or chunks.policy is not BareNewlines.REJECT, Oracle.CLEAN_LINES, "client: a bare CR or LF", given
        )
        check(command.last == given.last, Oracle.REFERENCE, "client: another chunk", given, command)
        return command

    def _carries(self, command: BdatCommand, octets: bytes) -> None:
        """These left behind that command."""
        chunks = self.carried[id(command)]
        check(len(octets) == command.size, Oracle.REFERENCE, "client: the size of a chunk", command, octets)
        chunks.sent += octets
        if command.last:
            check(chunks.sent == chunks.meant, Oracle.REFERENCE, "client: chunks", chunks.given, chunks.sent)

    def _left(self) -> None:
        """Take note of what has left since the last look, and that it was allowed to."""
        machine = self.machine
        flight = list(machine.in_flight)
        check(
            _same(flight[: len(self.flight)], self.flight),
            Oracle.ORDER,
            "client: what is under way",
            flight,
            self.flight,
        )
        new = flight[len(self.flight) :]
        written = machine.data_to_send()
        expected = b""
        for command in new:
            if isinstance(command, EndOfContent):
                expected += b".\r\n"  # RFC 2920 s3.1, the lone dot
                continue
            while self.accepted and command is not self.accepted[0] and not is_one_of(self.accepted[0], machine.queued):
                self.passed_over.append(self.accepted.pop(0))
            check(
                self.accepted and command is self.accepted[0],
                Oracle.ORDER,
                "client: out of turn",
                command,
                self.accepted,
            )
            del self.accepted[0]
            line = bytes(command)
            check(CLEAN_LINE.fullmatch(line) or line == b"\r\n", Oracle.CLEAN_LINES, "client", command, line)
            expected += line
            if isinstance(command, BdatCommand):
                octets = written[len(expected) : len(expected) + command.size]
                self._carries(command, octets)
                expected += octets
        check(written == expected, Oracle.ORDER, "client: octets", expected, written)
        self.output += written
        self.flight = flight
        waiting = [command for command in flight if not isinstance(command, EndOfContent)]
        check(
            all(command.pipelines for command in waiting[:-1]),
            Oracle.PIPELINING,
            "client: behind the end of a group",
            flight,
        )
        check(not new or len(flight) <= max(1, machine.limits.in_flight), Oracle.PIPELINING, "client: too many", flight)
        if len(flight) > 1 and new and not isinstance(new[0], EndOfContent):
            check(PIPELINING in machine.capabilities, Oracle.PIPELINING, "client: not offered", flight)

    def _send_content(self) -> None:
        machine = self.machine
        number = self.replies % len(self.script.contents)
        content = self.script.contents[number]
        rejecting = self.script.options["bare_newlines"] is BareNewlines.REJECT
        meant, bare = under(self.script.options["bare_newlines"], content)
        *pieces, last = scattered(content, number) or [b""]
        if number % 2:
            machine.prepare_content(last)
        try:
            for piece in pieces:
                machine.send_content(piece)
            if number % 4 == 3:  # goes on for longer than the server has patience
                self.open_ended = True
                written = machine.data_to_send()
                self.output += written
                check(stuffed(meant).startswith(written), Oracle.REFERENCE, "client: the content", content, written)
                return
            end = machine.end_content(last)
        except LocalProtocolError as error:
            check(rejecting and bare >= 0, Oracle.REFERENCE, "client: a good content is refused", content, error)
            check(
                not BARE.search(machine.data_to_send()), Oracle.CLEAN_LINES, "client: a bare CR or LF is sent", content
            )
            self.over = True
            self.events.append(str(error))
            return
        check(bare < 0 or not rejecting, Oracle.CLEAN_LINES, "client: a bare CR or LF is taken", content)
        written = machine.data_to_send()
        check(written == stuffed(meant), Oracle.REFERENCE, "client: the content", content, written)
        self.output += written
        self.flight.append(end)
        check(_same(machine.in_flight, self.flight), Oracle.ORDER, "client: the end of the content", machine.in_flight)

    def _shake_hands(self) -> None:
        machine = self.machine
        if self.script.fails:
            self.machine.tls_failed()
            self._drain()
            return
        self.machine.tls_established()
        known = snapshot(self.machine)
        fresh = (
            known[0] is State.GREETED
            and not known[1]
            and not known[2]
            and not len(known[4])
            and not known[5]
            and known[6]
        )
        check(fresh, Oracle.STATE, "client: something learned in the clear is kept", known)
        self.flight = []
        if not self.script.moves[2:]:
            self._move([Lhlo("crepes.fr") if machine.lmtp else Ehlo("crepes.fr")])

    def _dead(self, error: RemoteProtocolError) -> None:
        self.over = True
        self.events.append(str(error))
        machine = self.machine
        for call in (machine.next_event, lambda: machine.send(Noop()), lambda: machine.receive_data(b"250 ok\r\n")):
            try:
                call()
            except RemoteProtocolError as again:
                check(str(again) == str(error), Oracle.STATE, "client: another error than before", error, again)
            else:
                raise OracleFailure(Oracle.STATE, "client: alive behind an error", error)

    def _account(self) -> None:
        """Whatever send() took is answered, skipped, under way, or still waits."""
        if self.over:
            return
        skipped = [event.command for event in self._rest() if isinstance(event, CommandSkipped)]
        lost = [command for command in self.passed_over if not is_one_of(command, skipped)]
        check(not lost, Oracle.ORDER, "client: neither sent nor skipped", lost)
        left = [command for command in self.accepted if not is_one_of(command, skipped)]
        check(_same(left, self.machine.queued), Oracle.ORDER, "client: lost", left, self.machine.queued)

    def _rest(self) -> list[Any]:
        """Events that are there without any octet more."""
        found = []
        while not isinstance(event := self.machine.next_event(), (Signal, ConnectionClosed)):
            found.append(event)
        return found


def _same(left: Sequence[object], right: Sequence[object]) -> bool:
    return len(left) == len(right) and all(map(lambda one, other: one is other, left, right))
