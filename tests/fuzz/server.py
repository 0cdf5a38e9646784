"""The target over ServerConnection: a stranger's octets, an application that answers as it likes.

Every input is played whole, cut at places, octet by octet, and all at once before the first
answer; events, output and state must be the same each time. One of these is also followed by a
reader that knows nothing but where lines and contents end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from smtpcore import Reply, ServerConnection, State
from smtpcore.errors import LocalProtocolError, RemoteProtocolError
from smtpcore.extensions import (
    AUTH,
    BINARYMIME,
    CHUNKING,
    EIGHTBITMIME,
    ENHANCEDSTATUSCODES,
    HELP,
    PIPELINING,
    SIZE,
    SMTPUTF8,
    STARTTLS,
)
from smtpcore.extensions.auth import Auth, AuthResponse
from smtpcore.extensions.chunking import BdatCommand, BdatLast
from smtpcore.session.event import (
    CommandReceived,
    ConnectionClosed,
    ContentEnded,
    ContentReceived,
    Signal,
)
from smtpcore.session.limits import ServerLimits
from smtpcore.session.settings import ServerSettings
from smtpcore.table import Connect, EndOfContent
from smtpcore.wire.capabilities import Capabilities
from smtpcore.wire.command import Command
from smtpcore.wire.newlines import BareNewlines
from smtpcore.wire.tolerance import INTEROP, LAX, STRICT
from tests.fuzz import tokens
from tests.fuzz.oracle import (
    Oracle,
    OracleFailure,
    check,
    octet_by_octet,
    scattered,
)
from tests.fuzz.plain_reader import PlainReader
from tests.fuzz.tokens import HANDSHAKE, Source

Make = Callable[[ServerSettings, bool], Any]

FULL: Final = Capabilities(
    PIPELINING, SIZE(300), EIGHTBITMIME, SMTPUTF8, ENHANCEDSTATUSCODES, STARTTLS, AUTH.offer(("PLAIN", "LOGIN")), HELP,
    CHUNKING, BINARYMIME,
)  # fmt: skip
_TIGHT: Final = ServerLimits(size=100, command_line=512, text_line=1000, recipients=100, errors=3, idle_commands=4)
_ROOMY: Final = ServerLimits(command_line=512, errors=1000, idle_commands=1000)
SETTINGS: Final = (
    ServerSettings("hamburger.edu", FULL, limits=_ROOMY, allow_plaintext_auth=True),
    ServerSettings(
        "hamburger.edu", FULL, limits=_TIGHT, allow_plaintext_auth=True, bare_newlines=BareNewlines.NORMALIZE
    ),
    ServerSettings("hamburger.edu", FULL, limits=_ROOMY, strictness=LAX, bare_newlines=BareNewlines.SPACE),
    ServerSettings("hamburger.edu", FULL, limits=_TIGHT, require_tls=True, require_auth=True),
    ServerSettings("hamburger.edu", FULL, strictness=STRICT, allow_plaintext_auth=True, require_auth=True),
    ServerSettings(
        "[127.0.0.1]", Capabilities(PIPELINING, ENHANCEDSTATUSCODES, CHUNKING), limits=_ROOMY, strictness=LAX
    ),
    ServerSettings("hamburger.edu", limits=_TIGHT, strictness=INTEROP, bare_newlines=BareNewlines.PASS),
    ServerSettings("hamburger.edu", Capabilities(SIZE(0), AUTH.offer(("LOGIN",))), allow_plaintext_auth=True),
)
#: The same, speaking LMTP.
LMTP_SETTINGS: Final = tuple(
    [
        ServerSettings(
            each.hostname,
            each.capabilities,
            strictness=each.strictness,
            bare_newlines=each.bare_newlines,
            limits=each.limits,
            require_tls=each.require_tls,
            require_auth=each.require_auth,
            allow_plaintext_auth=each.allow_plaintext_auth,
            lmtp=True,
        )
        for each in SETTINGS
    ]
)

#: What an application may say; None is accept(), True a challenge, False close(). Some of it makes no sense somewhere.
ANSWERS: Final[tuple[Reply | bool | None, ...]] = (
    None, None, None, None, None, None, Reply(550, "no", "5.7.1"), Reply(450, ["not", "now"], "4.2.0"), True,
    Reply(354, "go on"), Reply(250, "2.0.0"), Reply(220, ""), Reply(421, "bye", "4.3.2"), False, Reply(599, "é"),
    Reply(334, ""),
)  # fmt: skip


#: What comes before what the fuzzer chooses, and how many answers that takes, the greeting with them.
BEGINNINGS: Final = (
    (b"", 0),
    (b"EHLO crepes.fr\r\n", 2),
    (b"EHLO crepes.fr\r\nMAIL FROM:<alice@crepes.fr>\r\nRCPT TO:<bob@hamburger.edu>\r\n", 4),
    (b"EHLO crepes.fr\r\nMAIL FROM:<alice@crepes.fr>\r\nRCPT TO:<bob@hamburger.edu>\r\nDATA\r\n", 5),
)


def server(data: bytes, make: Make = lambda settings, tls: ServerConnection.from_settings(settings, tls=tls)) -> None:
    """ServerConnection."""
    source = Source(data)
    choice, seed = source.byte(), source.byte()
    settings = (LMTP_SETTINGS if seed & 4 else SETTINGS)[choice & 7]
    beginning, replies = BEGINNINGS[choice >> 6]
    if seed & 4:
        beginning = beginning.replace(b"EHLO", b"LHLO")
    if seed & 8:
        beginning = beginning.replace(b"DATA\r\n", b"BDAT 3\r\na\r\n")
    answers = [*[0] * replies, *[byte % len(ANSWERS) for byte in source.short(15)]]
    octets = tokens.octets(source, tokens.DIALOGUE, 1400 if choice & 32 else 120)
    stretches = (beginning + octets).split(HANDSHAKE)
    whole: Sequence[Sequence[bytes]] = [[stretch] for stretch in stretches]
    first = Play(make(settings, bool(choice & 8)), settings, answers)
    first.follow(stretches)
    first.play(whole, eof=bool(choice & 16))
    ways: list[tuple[Sequence[Sequence[bytes]], bool]] = [
        ([scattered(stretch, seed) for stretch in stretches], False),
        ([octet_by_octet(stretch) for stretch in stretches], False),
        ([scattered(stretch, seed + 1) for stretch in stretches], True),
    ]
    if seed & 1:
        del ways[0 if seed & 2 else 2]  # half of the inputs go without one of them, and are more for it
    for pieces, late in ways:
        other = Play(make(settings, bool(choice & 8)), settings, answers)
        other.play(pieces, eof=bool(choice & 16), late=late)
        check(other.events == first.events, Oracle.SPLIT, "server: events", stretches, first.events, other.events)
        check(
            other.output == first.output,
            Oracle.SPLIT,
            "server: output",
            stretches,
            bytes(first.output),
            bytes(other.output),
        )
        check(other.end == first.end, Oracle.SPLIT, "server: state", stretches, first.end, other.end)


def snapshot(machine: Any) -> tuple[Any, ...]:
    """All that a caller can see of a server machine."""
    session = machine.session
    return (
        machine.state, machine.awaiting, machine.transaction, machine.deadline, machine.buffered, machine.receiving,
        session.client, session.esmtp,
        session.tls, session.authenticated, session.offered, session.errors, session.idle_commands,
    )  # fmt: skip


class Play:
    """One run of the machine with its application, and what the plainest reader thinks of it."""

    def __init__(self, machine: Any, settings: ServerSettings, answers: Sequence[int]) -> None:
        self.machine = machine
        self.settings = settings
        self.answers = answers
        self.answered = 0
        self.events: list[Any] = []
        self.output = bytearray()
        self.end: tuple[Any, ...] = ()
        self.over = False
        self.reader: PlainReader | None = None

    def follow(self, stretches: Sequence[bytes]) -> None:
        """Have this run followed by a plain reader."""
        self.reader = PlainReader(self.machine, self.settings, stretches)

    def play(self, stretches: Sequence[Sequence[bytes]], *, eof: bool, late: bool = False) -> None:
        """Feed the pieces; ``late`` gives the machine the whole of a stretch before the first event is taken."""
        machine = self.machine
        self._answer(Connect())
        self._drain()
        for number, pieces in enumerate(stretches):
            if self.over:
                break
            if number and machine.state is State.UPGRADING:
                self._shake_hands()
            if self.reader:
                self.reader.next_stretch(number)
            for piece in pieces:
                if self.over or not piece:
                    break
                machine.receive_data(piece)
                if not late:
                    self._drain()
            self._drain()
            if self.reader:
                self.reader.at_rest(over=self.over)
        if eof and not self.over:
            machine.receive_data(b"")
            self._drain()
            check(
                machine.state is State.CLOSED or machine.awaiting,
                Oracle.STATE,
                "server: open behind the end",
                self.events,
            )
        self.output += machine.data_to_send()
        self.end = snapshot(machine)
        if self.reader:
            self.reader.at_end(bytes(self.output), self.events)

    def _drain(self) -> None:
        while not self.over:
            try:
                event = self.machine.next_event()
            except RemoteProtocolError as error:
                self._dead(error)
                return
            if isinstance(event, Signal):
                check(
                    self.machine.awaiting is None,
                    Oracle.STATE,
                    "server: an answer is due, nobody was asked",
                    self.events,
                )
                return
            self._on_event(event)

    def _on_event(self, event: Any) -> None:
        machine = self.machine
        last = self.events[-1] if self.events else None
        if isinstance(event, ContentReceived) and isinstance(last, ContentReceived):
            self.events[-1] = ContentReceived(last.data + event.data)
        else:
            self.events.append(event)
        if self.reader:
            self.reader.on_event(event)
        if isinstance(event, CommandReceived):
            self._secret_is_hidden(event)
            self._answer(event.command)
        elif isinstance(event, ContentEnded):
            self._answer(machine.awaiting if isinstance(machine.awaiting, BdatLast) else EndOfContent())
        elif isinstance(event, ConnectionClosed):
            self.over = True
        self.output += self.machine.data_to_send()

    def _answer(self, command: Command) -> None:
        machine = self.machine
        check(machine.awaiting == command, Oracle.ORDER, "server: another command waits", command, machine.awaiting)
        number = self.answered
        self.answered += 1
        answer = ANSWERS[self.answers[number]] if number < len(self.answers) else None
        if answer is False:
            machine.close()
            if self.reader:
                self.reader.on_answer(command, 421)
            return
        try:
            if answer is not None:
                self._try(answer)
                if self.reader:
                    self.reader.on_answer(command, 334 if answer is True else answer.code)
                return
        except LocalProtocolError:
            pass
        self.output += machine.data_to_send()
        begins = isinstance(command, BdatCommand) and not machine.receiving
        machine.accept()
        written = machine.data_to_send()
        self.output += written
        if begins:  # its octets come first
            check(not written, Oracle.ORDER, "server: a chunk is answered before it has come", command, written)
            if self.reader:
                self.reader.on_answer(command, 250)
        elif self.reader:
            check(written[:3].isdigit(), Oracle.CLEAN_LINES, "server: no reply", command, written)
            self.reader.on_answer(command, int(written[:3]))

    def _try(self, answer: Reply | bool) -> None:
        before = snapshot(self.machine)
        self.output += self.machine.data_to_send()
        try:
            if isinstance(answer, Reply):
                self.machine.reply(answer)
            else:
                self.machine.challenge(b"user")
        except LocalProtocolError:
            after = snapshot(self.machine)
            check(before == after, Oracle.UNCHANGED, "server: reply()", answer, before, after)
            check(not self.machine.data_to_send(), Oracle.UNCHANGED, "server: a refused reply is sent", answer)
            raise

    def _shake_hands(self) -> None:
        if len(self.answers) % 5 == 4:
            self.machine.tls_failed()
        else:
            self.machine.tls_established()
            session = self.machine.session
            known = (session.client, session.esmtp, session.authenticated, len(session.offered), self.machine.buffered)
            check(
                known == (None, False, False, 0, 0),
                Oracle.STATE,
                "server: something learned in the clear is kept",
                known,
            )
        self._drain()

    def _dead(self, error: RemoteProtocolError) -> None:
        self.over = True
        self.events.append(str(error))
        for call in (self.machine.next_event, self.machine.accept, lambda: self.machine.receive_data(b"NOOP\r\n")):
            try:
                call()
            except RemoteProtocolError as again:
                check(str(again) == str(error), Oracle.STATE, "server: another error than before", error, again)
            else:
                raise OracleFailure(Oracle.STATE, "server: alive behind an error", error)

    def _secret_is_hidden(self, event: CommandReceived) -> None:
        command = event.command
        secret = command.initial_response if isinstance(command, Auth) else None
        secret = command.response if isinstance(command, AuthResponse) else secret
        if secret is not None and len(secret) > 5:
            shown = repr(event)
            check(repr(secret.reveal())[2:-1] not in shown, Oracle.SECRET, "server: repr shows a response", shown)
