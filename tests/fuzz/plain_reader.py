"""A reader that knows where lines and contents end, and the table; it keeps step with what a server machine reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from smtpcore import State
from smtpcore.extensions import SIZE, STANDARD
from smtpcore.extensions.auth import AUTH_LINE_LIMIT, Auth, AuthResponse
from smtpcore.session.event import (
    CommandReceived,
    CommandRejected,
    ConnectionClosed,
    ContentEnded,
    ContentReceived,
    ContentRejected,
)
from smtpcore.session.settings import ServerSettings
from smtpcore.table import EndOfContent
from smtpcore.wire.command import Command, Greeting, Mail, Rcpt
from smtpcore.wire.newlines import BareNewlines
from smtpcore.wire.tolerance import Defect
from tests.fuzz.oracle import Oracle, OracleFailure, check, end_of_data, reply_codes, unstuffed
from tests.fuzz.streams import under


class PlainReader:
    """Knows where lines and contents end, and the table; keeps step with the events of a run."""

    def __init__(self, machine: Any, settings: ServerSettings, stretches: Sequence[bytes]) -> None:
        self.machine = machine
        self.settings = settings
        self.stretches = stretches
        self.held = b""  # octets that no event has spoken of yet
        self.state = State.CONNECTED
        self.content: list[bytes] = []
        self.codes: list[int] = []  # of the replies that have to have been written
        self.mail: Mail | None = None
        self.rcpts: list[Rcpt] = []

    def next_stretch(self, number: int) -> None:
        if self.machine.state is State.GREETED:
            self.state = State.GREETED
        self.held += self.stretches[number]

    def on_event(self, event: Any) -> None:
        if isinstance(event, CommandReceived):
            self._on_command(event.command)
        elif isinstance(event, CommandRejected):
            self._on_rejected(event)
        elif isinstance(event, ContentReceived):
            check(self.state is State.CONTENT, Oracle.STATE, "server: content without DATA", event)
            self.content.append(event.data)
        elif isinstance(event, (ContentEnded, ContentRejected)):
            self._on_content(event)
        else:
            check(isinstance(event, (ConnectionClosed, Defect)), Oracle.EXCEPTION, "server: no event", event)

    def _line(self) -> bytes | None:
        line, mark, rest = self.held.partition(b"\r\n")
        if not mark:
            return None
        self.held = rest
        return line

    def _on_command(self, command: Command) -> None:
        line = self._line()
        check(
            type(command) in STANDARD.transitions[self.state],
            Oracle.STATE,
            "server: out of sequence",
            command,
            self.state,
        )
        if line is None:
            raise OracleFailure(Oracle.REFERENCE, "server: a command without a line", command, self.held)
        limit = self.settings.limits.command_line
        if isinstance(command, AuthResponse):
            check(bytes(command) == line + b"\r\n", Oracle.REFERENCE, "server: another response", line)
            limit = AUTH_LINE_LIMIT
        else:
            raw = b"" if command.raw is None else command.raw.rstrip(b" \t")
            meant = b"" if command.confidential else line.rstrip(b" \t")
            check(raw == meant, Oracle.REFERENCE, "server: another line", line, command)
            limit = AUTH_LINE_LIMIT if isinstance(command, Auth) else limit
        check(len(line) + 2 <= limit, Oracle.REFERENCE, "server: longer than the limit", len(line))

    def _on_rejected(self, event: CommandRejected) -> None:
        line = self._line()
        self.codes.append(event.reply.code)
        if line is None:
            check(event.reply.code == 421, Oracle.REFERENCE, "server: refused before its end came", event, self.held)
        else:
            check(line[:100].startswith(event.line), Oracle.REFERENCE, "server: another line", line, event)
        if event.reply.code == 421:
            self.state = State.CLOSED
        elif self.state is State.AUTHENTICATING:
            self.state = State.READY
        machine = self.machine
        kept = machine.transaction.recipients == tuple([rcpt.recipient for rcpt in self.rcpts])
        check(
            kept or machine.state is State.CLOSED, Oracle.STATE, "server: a refused line changed the transaction", event
        )

    def _on_content(self, event: Any) -> None:
        end = end_of_data(self.held)
        check(end >= 0, Oracle.END_OF_DATA, "server: the content has not ended", self.held, event)
        raw, self.held = self.held[:end], self.held[end:]
        meant, bare = under(self.settings.bare_newlines, unstuffed(raw))
        got = b"".join(self.content)
        self.content = []
        rejecting = self.settings.bare_newlines is BareNewlines.REJECT
        size = self.settings.limits.size or self.settings.capabilities.get(SIZE) or len(meant)
        if isinstance(event, ContentEnded):
            check(got == meant, Oracle.REFERENCE, "server: the content", raw, meant, got)
            check(bare < 0 or not rejecting, Oracle.END_OF_DATA, "server: a bare CR or LF is let through", raw)
            check(len(meant) <= size, Oracle.REFERENCE, "server: bigger than the limit", len(meant))
            return
        check(meant.startswith(got), Oracle.REFERENCE, "server: other content", raw, got)
        longest = max(map(len, meant.split(b"\n")))
        justified = (rejecting and bare >= 0) or len(meant) > size or longest >= 999
        check(justified, Oracle.REFERENCE, "server: a good content is refused", raw, event)
        self.codes.append(event.reply.code)
        self._step(EndOfContent(), 5)

    def on_answer(self, command: Command, code: int) -> None:
        self.codes.append(code)
        if code == 421:
            self.state = State.CLOSED
            return
        digit = code // 100
        if digit == 2 and isinstance(command, Mail):
            self.mail = command
        elif digit == 2 and isinstance(command, Rcpt):
            self.rcpts.append(command)
        self._step(command, digit)
        machine = self.machine
        too_many = machine.state is State.CLOSED  # errors beyond the limit: one more reply, 421
        check(machine.state is self.state or too_many, Oracle.STATE, "server", command, code, self.state, machine.state)
        held = machine.transaction
        check(
            (held.mail, list(held.rcpts)) == (self.mail, self.rcpts) or too_many,
            Oracle.STATE,
            "server: transaction",
            held,
        )
        if isinstance(command, Greeting) and digit == 2:
            check(machine.session.client == command.client or too_many, Oracle.STATE, "server: who", command)

    def _step(self, command: Command, digit: int) -> None:
        self.state = STANDARD.transitions[self.state].get(type(command), {}).get(digit, self.state)
        if self.state not in (State.MAIL, State.RCPT, State.CONTENT):
            self.mail, self.rcpts = None, []

    def at_rest(self, *, over: bool) -> None:
        """The machine wants more: then nothing that has come is whole."""
        machine = self.machine
        if over or machine.state in (State.CLOSED, State.UPGRADING):
            return
        check(machine.state is self.state, Oracle.STATE, "server: at rest", self.state, machine.state)
        if machine.state is State.CONTENT:
            check(
                end_of_data(self.held) < 0, Oracle.END_OF_DATA, "server: the end of the content goes unseen", self.held
            )
        else:
            check(b"\r\n" not in self.held, Oracle.ORDER, "server: a line is not answered", self.held)
            check(
                machine.buffered == len(self.held),
                Oracle.REFERENCE,
                "server: octets are lost",
                self.held,
                machine.buffered,
            )

    def at_end(self, output: bytes, events: Sequence[object]) -> None:
        codes = reply_codes(output, "server")
        # Too many errors are answered by one more reply.
        told = codes[:-1] if len(codes) == len(self.codes) + 1 and codes[-1] == 421 else codes
        check(told == self.codes, Oracle.ORDER, "server: replies", self.codes, codes, events)
