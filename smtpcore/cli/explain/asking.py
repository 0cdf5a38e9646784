"""The client's side of a replay: octets become commands and contents, one at a time, as a server takes them."""

from __future__ import annotations

from typing import Final, final

from ...errors import ParseError
from ...extensions import Auth, AuthResponse
from ...extensions.chunking import Bdat, BdatCommand
from ...table import EndOfContent, State
from ...wire.command import Command, Data, Lhlo
from ...wire.newlines import find_bare
from ...wire.secret import Secret
from ...wire.tolerance import Defect, Tolerance
from ..transcript_turn import Conversation
from .content import explain_content
from .exchange import Exchange
from .extensions import EXTENSIONS
from .inbox import Inbox, Unit
from .machine import Machine, Understood
from .rules import check_command, check_early, parse, why_refused
from .story import Step, Story
from .verbs import KINDS, explain_command, verb_of

__all__ = ["HIDDEN", "Asking"]

HIDDEN: Final = b"********"
#: What is shown of a command where a reply is said to answer it.
_LABEL: Final = 80
_ALL: Final = 1 << 40


@final
class Asking:
    """What the client has said, and which of it waits for a reply."""

    def __init__(self, story: Story, conversation: Conversation, show_secrets: bool) -> None:
        self._story = story
        self._conversation = conversation
        self._show_secrets = show_secrets
        self.machine = Machine()
        self.inbox = Inbox()
        self.waiting: Exchange | None = Exchange.greeting()  #: What the next reply answers.
        self.secrets: list[Secret] = []  #: What replies may repeat.
        self.lmtp = False
        self.recipients = 0  #: Accepted ones of the transaction in hand.
        self.quits = False  #: QUIT was accepted.
        self._previous: Exchange | None = None
        self._answered = -1  # the turn of the last reply
        self._chunk: tuple[Step, BdatCommand] | None = None  # BDAT, of which the octets are still to come
        self._chunks: list[bytes] = []
        self._data_refused = False

    # -- what comes next ----------------------------------------------------------------------

    def advance(self) -> None:
        """Take the next command or content, if one is there and nothing waits for a reply."""
        while self.waiting is None:
            state = self.machine.state
            if state in {State.CLOSED, State.UPGRADING}:
                return
            if self._chunk is not None:
                if not self._give_chunk(*self._chunk):
                    return
            elif state is State.CONTENT:
                content = self.inbox.take_content()
                if content is None:
                    return
                self._give_content(content)
            else:
                line = self.inbox.take_line()
                if line is None:
                    return
                self._give_line(line)

    def settled(self, exchange: Exchange, turn: int) -> None:
        """What waited has its reply, which came in that turn; the machine stands where it led."""
        if exchange.step is not None:
            exchange.step.after = self.machine.state
        self.waiting = None
        self._previous = exchange
        self._answered = turn
        if self.machine.state is not State.AUTHENTICATING and exchange.kind in {Auth, AuthResponse}:
            self.secrets.clear()

    def skip_greeting(self) -> None:
        """The transcript has no greeting."""
        self.waiting = self._previous = None

    def begin_tls(self) -> None:
        """The handshake is done: after STARTTLS, or before anything was said."""
        if self.machine.state is State.UPGRADING:
            self.machine.begin_tls()
            self._previous = None
        elif self.machine.state is State.CONNECTED:
            self.machine = Machine(tls=True)

    def is_readable(self, data: bytes) -> bool:
        """Whether octets begin with a command."""
        return verb_of(data.partition(b"\r\n")[0]) in KINDS

    # -- lines --------------------------------------------------------------------------------

    def _begin(self, unit: Unit) -> Step:
        step = Step("C", (unit.turn, unit.start), unit.line, self.machine.state)
        self._story.steps.append(step)
        if self._previous is not None:
            check_early(step, unit.turn, self._previous, self._answered, self.machine.offered)
        return step

    def _give_line(self, unit: Unit, *, loose: bool = False) -> None:
        line = unit.data.rstrip(b"\r\n") if loose else unit.data[:-2]
        machine = self.machine
        before = machine.state
        verb = verb_of(line)
        kind = AuthResponse if before is State.AUTHENTICATING else KINDS.get(verb)
        step = self._begin(unit)
        if loose:
            step.blame("client", "RFC 5321 s2.3.8", "a command line that ends without CRLF")
            step.blame("server", "RFC 5321 s2.3.8", "a bare LF was taken for the end of a line")
        exchange = Exchange(kind, "", step)
        exchange.line = line
        if kind is Bdat and self._expect_chunk(line, step):
            return
        fed = line
        if kind is Lhlo:
            self.lmtp = True
            fed = b"EHLO" + line.lstrip(b" \t")[4:]
        found = machine.refuse(line) if kind is Bdat else machine.understand(fed + b"\r\n")
        if found.refusal is not None and found.command is None and before is not State.AUTHENTICATING:
            parsed = parse(fed)
            if isinstance(parsed, ParseError):
                exchange.error = parsed
            else:
                found.command = parsed  # refused, and yet a command that can be told
        exchange.command, exchange.refusal = found.command, found.refusal
        self._show(step, exchange, found)
        for remark in explain_command(found.command, line):
            step.say(*remark)
        self._judge(step, exchange, found)
        if self._show_secrets:
            _reveal(step, found.command)
        self.waiting = exchange

    def _judge(self, step: Step, exchange: Exchange, found: Understood) -> None:
        for defect in found.defects:
            where = defect.where + len(verb_of(exchange.line)) + 1  # it counts from behind the verb
            step.blame("client", defect.rule, f"{defect.why}, at offset {where}")
        check_command(step, exchange, self.machine)
        if found.refusal is None:
            self._data_refused = False
            return
        if exchange.kind is AuthResponse and exchange.line == b"*":
            step.remarks.clear()
            step.say("The client gives the log-in up.", "RFC 4954 s4")
            return
        if exchange.kind is None and self._data_refused:
            step.remarks.clear()
            step.say("Part of a content that nobody asked for; the server takes it for a command.", "RFC 5321 s4.1.1.4")
            step.blame("client", "RFC 5321 s4.1.1.4", "content although DATA was refused")
            return
        if exchange.kind is None and verb_of(exchange.line) in self.machine.offered:
            return  # a command of an extension that is not known here
        if found.refusal.code == 452:
            return  # a limit of the machine, not a rule
        step.findings.append(why_refused(exchange, found.refusal, step.before, self.machine))

    def data_refused(self) -> None:
        """DATA was answered with a refusal."""
        self._data_refused = True

    def _show(self, step: Step, exchange: Exchange, found: Understood) -> None:
        line, command, kind = exchange.line, found.command, exchange.kind
        cut = found.shown is not None and len(found.shown) < min(len(line), 100)
        exchange.secret = cut or (kind is not None and kind.confidential)
        shown = line
        label = verb_of(line) or "a line that is no command"
        if exchange.secret:
            self._keep_secret(line, command)
            if isinstance(command, Auth):
                shown = f"AUTH {command.mechanism}".encode() + (
                    b"" if command.initial_response is None else b" " + HIDDEN
                )
                label = f"AUTH {command.mechanism}"
            elif kind is AuthResponse:
                shown = line if line == b"*" else HIDDEN
                label = "the response"
            else:
                shown = ((found.shown or b"") + b" " + HIDDEN).lstrip(b" ")
            if self._show_secrets:
                shown = line
        elif kind is not None:
            label = line[:_LABEL].decode("utf-8", "surrogateescape")
        exchange.label = label
        step.show([shown])

    def _keep_secret(self, line: bytes, command: Command | None) -> None:
        found = command.secret if isinstance(command, (Auth, AuthResponse)) else None
        if found is None and not isinstance(command, (Auth, AuthResponse)):
            found = Secret(line.rpartition(b" ")[2])
        if found is not None and found.reveal() and not self._show_secrets:
            self.secrets.append(found)

    # -- contents -----------------------------------------------------------------------------

    def _give_content(self, unit: Unit) -> None:
        step = self._begin(unit)
        if self._previous is not None and self._previous.kind is Data and unit.turn <= self._answered:
            step.findings.clear()
            step.blame("client", "RFC 5321 s4.1.1.4", "content sent before 354 had asked for it")
        step.show(_rows(unit.data))
        mail = self.machine.mail
        found = self.machine.understand(unit.data)
        if found.refusal is not None:
            step.blame("client", "RFC 1870 s6.3", "the message is bigger than the server said it takes")
        explain_content(step, found.content, mail, found.defects)
        self._wait_for_verdict(step).refusal = found.refusal

    def _wait_for_verdict(self, step: Step) -> Exchange:
        exchange = self.waiting = Exchange(EndOfContent, "the content", step)
        exchange.command = EndOfContent()
        exchange.due = max(1, self.recipients) if self.lmtp else 1  # RFC 2033 s4.2
        return exchange

    def end_content(self, turn: int, line: int, code: int) -> Exchange:
        """A reply has come within a content: tell how that can be, and what it answers."""
        pending = len(self.inbox)
        loose = self.inbox.take_loose_content() if pending and code < 400 else None
        unit = loose[0] if loose else self.inbox.take(_ALL) or Unit(b"", turn, turn, line, -1)
        step = self._begin(unit)
        mail = self.machine.mail
        self.machine.understand(b".\r\n")
        if not unit.data:
            step.say("The content, which is not in this transcript.", "RFC 5321 s4.1.1.4")
        else:
            step.show(_rows(unit.data))
            explain_content(step, loose[1] if loose else unit.data, mail, ())
        if loose is not None:
            step.blame("client", "RFC 5321 s2.3.8", "bare CR or LF in the content, at its end too")
            step.blame(
                "server", "RFC 5321 s4.1.1.4", "a dot between bare line ends was taken for the end of the content"
            )
        elif self._conversation.whole:
            step.say("The server has answered before the end of the content had come.", "RFC 5321 s4.1.1.4")
            if code < 400:
                step.blame("server", "RFC 5321 s4.1.1.4", "accepted before CRLF . CRLF had come")
        return self._wait_for_verdict(step)

    def take_loose_line(self) -> bool:
        """A reply has come to a line that has no CRLF yet; whether there is one that it can be for."""
        unit = self.inbox.take_loose_line()
        if unit is not None:
            self._give_line(unit, loose=True)
        return self.waiting is not None

    # -- chunks -------------------------------------------------------------------------------

    def _expect_chunk(self, line: bytes, step: Step) -> bool:
        """Take BDAT, of which the octets follow at once; False where it cannot be read."""
        try:
            command = Bdat.parse_arguments(
                line.lstrip(b" \t")[5:].decode("latin-1"), EXTENSIONS.vocabulary, Tolerance()
            )
        except ParseError:
            return False
        if "CHUNKING" not in self.machine.offered:
            step.blame("client", "RFC 5321 s2.2.1", "BDAT used, but the server has not offered CHUNKING")
        if self.machine.state not in {State.RCPT, State.CHUNKS}:
            step.blame(
                "client", "RFC 5321 s4.1.4", f"BDAT out of order: it has no place in state {self.machine.state.value}"
            )
        step.show([line])
        for remark in explain_command(command, line):
            step.say(*remark)
        self._chunk = (step, command)
        return True

    def _give_chunk(self, step: Step, command: BdatCommand) -> bool:
        if len(self.inbox) < command.size:
            return False
        self._chunk = None
        data = self.inbox.take(command.size)
        if data is not None:
            self._chunks.append(data.data)
            step.show(_rows(data.data))
        if command.last:
            content, self._chunks = b"".join(self._chunks), []
            bare = find_bare(content)
            defects = [Defect("RFC 5321 s2.3.8", "bare CR or LF in the content", bare)] if bare >= 0 else []
            explain_content(step, content, self.machine.mail, defects)
        exchange = self.waiting = Exchange(Bdat, step.lines[0][:_LABEL], step)
        exchange.command = command
        exchange.due = max(1, self.recipients) if self.lmtp and command.last else 1
        return True

    # -- the end ------------------------------------------------------------------------------

    def drop(self) -> int:
        """Forget what has come; how many octets that was."""
        dropped = self.inbox.take(_ALL)
        return len(dropped.data) if dropped else 0

    def finish(self) -> None:
        """The transcript is over."""
        if self.waiting is not None:
            if self.waiting.step is not None and self.machine.state is not State.CLOSED:
                self.waiting.step.say("The transcript has no reply to this.")
        rest = self.inbox.take(_ALL)
        if rest is None:
            return
        step = Step("C", (rest.turn, rest.start), rest.line, self.machine.state)
        inside = self.machine.state is State.CONTENT
        if inside:
            step.show(_rows(rest.data))
            step.say("The content begins here, and the transcript ends within it.", "RFC 5321 s4.1.1.4")
        else:
            # What nobody has read may be a secret.
            step.say(f"{len(rest.data):,} octets more, to which the transcript has no reply.")
        self._story.steps.append(step)


def _rows(data: bytes) -> list[bytes]:
    """Its lines, whatever ends the last one."""
    rows = data.split(b"\r\n")
    return rows if rows[-1] else rows[:-1]


def _reveal(step: Step, command: Command | None) -> None:
    if isinstance(command, (Auth, AuthResponse)) and command.secret is not None:
        words = command.secret.reveal().replace(b"\0", b" NUL ").decode("utf-8", "backslashreplace")
        step.say(f"In clear: {words}", "RFC 4648 s4")
