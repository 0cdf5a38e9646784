"""A reader that knows where lines and contents end, and the table; it keeps step with what a server machine reports."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from smtpcore import State
from smtpcore.extensions import CHUNKING, SIZE, STANDARD, Bdat, BdatLast, StartTls
from smtpcore.extensions.auth import AUTH_LINE_LIMIT, Auth, AuthResponse
from smtpcore.session.event import (
    CommandReceived,
    CommandRejected,
    ConnectionClosed,
    ContentEnded,
    ContentReceived,
    ContentRejected,
    ForeignProtocol,
)
from smtpcore.session.settings import ServerSettings
from smtpcore.table import EndOfContent
from smtpcore.wire.command import Command, Data, Greeting, Mail, Quit, Rcpt
from smtpcore.wire.newlines import BareNewlines
from smtpcore.wire.tolerance import STRICT, Defect
from tests.fuzz.oracle import Oracle, OracleFailure, check, end_of_data, reply_codes, unstuffed
from tests.fuzz.streams import metered, under

_BDAT: Final = re.compile(rb"BDAT ([0-9]{1,20})( LAST)?[ \t]*", re.IGNORECASE)
#: As far as the number of its octets can be read, whatever stands behind it.
_COUNTED: Final = re.compile(rb"BDAT ([0-9]+)(?:[ \t].*)?", re.IGNORECASE | re.DOTALL)
_SMALL: Final = 512
_LEADS_ON: Final = (Mail, Rcpt, Data, EndOfContent, BdatLast, Auth, AuthResponse, StartTls, Quit)


class Chunk(NamedTuple):
    """A chunk whose octets are due."""

    size: int
    last: bool
    refused: int = 0  # the code that the application has refused it with

    @property
    def command(self) -> Command:
        return BdatLast(self.size) if self.last else Bdat(self.size)


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
        self.chunk: Chunk | None = None
        self.chunks: bytes | None = None  # the octets of the content in hand, if it comes in chunks
        self.idle = 0  # commands since the last message that do not lead to one
        self.errors = 0  # refusals since the last message

    def next_stretch(self, number: int) -> None:
        if self.machine.state is State.GREETED:
            if self.state is State.UPGRADING:
                self.idle = self.errors = 0
            self.state = State.GREETED
        self.held += self.stretches[number]

    def on_event(self, event: Any) -> None:
        self._advance()
        if isinstance(event, CommandReceived):
            self._on_command(event.command)
        elif isinstance(event, CommandRejected):
            self._on_rejected(event)
        elif isinstance(event, ForeignProtocol):
            check(self.held.startswith(event.line), Oracle.REFERENCE, "server: another line", self.held, event)
            self.codes.append(event.reply.code)
            self.state = State.CLOSED
        elif isinstance(event, ContentReceived):
            expected = self.state is State.CONTENT or self.chunks is not None
            check(expected, Oracle.STATE, "server: content without DATA or BDAT", event)
            self.content.append(event.data)
        elif isinstance(event, (ContentEnded, ContentRejected)):
            if self.state is State.CONTENT:
                self._on_content(event)
            else:
                self._on_chunks(event)
        else:
            check(isinstance(event, (ConnectionClosed, Defect)), Oracle.EXCEPTION, "server: no event", event)

    # -- chunks: what happens without an event ----------------------------------------------------

    def _advance(self) -> None:
        """Over the chunks that are answered without asking anybody, and the lines that announce more of them."""
        while True:
            chunk = self.chunk
            if chunk is None:
                chunk = self._announced()
                if chunk is None:
                    return
                self._line()
                self.chunk = chunk
            if len(self.held) < chunk.size:
                return
            if chunk.refused:
                self.held = self.held[chunk.size :]
                self.chunk = None
                self._verdict(chunk.command, chunk.refused)
                continue
            octets = (self.chunks or b"") + self.held[: chunk.size]
            if chunk.last or self._fault(octets, last=False):
                return  # an event says so
            self.chunks, self.held = octets, self.held[chunk.size :]
            self.chunk = None
            self._verdict(chunk.command, 250)

    def _announced(self) -> Chunk | None:
        """The next chunk of a content that has begun, if its line is there and nothing speaks against it."""
        line, mark, _ = self.held.partition(b"\r\n")
        found = _BDAT.fullmatch(line)
        if not mark or not found or self.state is not State.CHUNKS:
            return None
        if len(line) + 2 > self.settings.limits.command_line or self._refuses_blanks(line):
            return None
        chunk = Chunk(int(found[1]), bool(found[2]))
        if not chunk.last and chunk.size < _SMALL:
            if self.idle + 1 > self.settings.limits.idle_commands:
                return None
            self.idle += 1
        return chunk

    def _refuses_blanks(self, line: bytes) -> bool:
        return self.settings.strictness is STRICT and line != line.rstrip(b" \t")

    def _fault(self, octets: bytes, *, last: bool) -> str:
        """What is wrong with the octets of a content, as far as it has come."""
        mail = self.mail
        if mail is not None and b"BODY=BINARYMIME" in bytes(mail).upper():
            return "size" if self._size is not None and len(octets) > self._size else ""
        if not last and octets.endswith(b"\r"):
            octets = octets[:-1]  # what comes next decides
        meant, bare = under(self.settings.bare_newlines, octets)
        if bare >= 0 and self.settings.bare_newlines is BareNewlines.REJECT:
            return "bare"
        excess = metered(meant, self._size, self.settings.line_limit)[2]
        return "" if excess is None else excess.value

    @property
    def _size(self) -> int | None:
        return self.settings.limits.size or self.settings.capabilities.get(SIZE) or None

    def _on_chunks(self, event: Any) -> None:
        """The end of the last chunk, or of one with a fault."""
        chunk = self.chunk
        if chunk is None or len(self.held) < chunk.size:
            raise OracleFailure(Oracle.END_OF_DATA, "server: the chunk has not ended", self.held, event)
        octets = (self.chunks or b"") + self.held[: chunk.size]
        self.held = self.held[chunk.size :]
        fault = self._fault(octets, last=chunk.last)
        binary = self.mail is not None and b"BODY=BINARYMIME" in bytes(self.mail).upper()
        meant = octets if binary else under(self.settings.bare_newlines, octets)[0]
        got = b"".join(self.content)
        self.content = []
        self.chunk = None
        if isinstance(event, ContentEnded):
            check(chunk.last and not fault, Oracle.REFERENCE, "server: a content with a fault", fault, octets)
            check(got == meant, Oracle.REFERENCE, "server: the content of chunks", octets, meant, got)
            self.chunks = octets
            return
        check(fault, Oracle.REFERENCE, "server: good chunks are refused", octets, event)
        check(meant.startswith(got), Oracle.REFERENCE, "server: other content in chunks", octets, got)
        self._verdict(chunk.command, event.reply.code)

    def _verdict(self, command: Command, code: int) -> None:
        """A reply that nobody outside has to give; in LMTP the end of a content has one for each recipient."""
        ends = isinstance(command, (EndOfContent, BdatLast)) and self.settings.lmtp and code != 421
        self.codes += [code] * (len(self.rcpts) if ends else 1)
        self._step(command, code // 100)
        if code >= 400:
            self._count_error()

    def _count_error(self) -> None:
        self.errors += 1
        if self.errors > self.settings.limits.errors:
            self.state = State.CLOSED  # whatever comes now is not read

    # -- events -----------------------------------------------------------------------------------

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
        small = type(command) is Bdat and command.size < _SMALL
        if not isinstance(command, (Bdat, *_LEADS_ON)) or small:
            self.idle += 1
        if isinstance(command, (Bdat, BdatLast)):
            found = _BDAT.fullmatch(line)
            told = found and Chunk(int(found[1]), bool(found[2])).command
            check(told == command, Oracle.REFERENCE, "server: another chunk", line, command)
            check(CHUNKING in self.settings.capabilities, Oracle.STATE, "server: BDAT is not offered", command)

    def _on_rejected(self, event: CommandRejected) -> None:
        line = self._line()
        self.codes.append(event.reply.code)
        if line is not None and line[:4].upper() == b"BDAT" and event.reply.code != 421:
            self._swallow(line, event)
        if line is None:
            check(event.reply.code == 421, Oracle.REFERENCE, "server: refused before its end came", event, self.held)
        else:
            check(line[:100].startswith(event.line), Oracle.REFERENCE, "server: another line", line, event)
        if event.reply.code == 421:
            self.state = State.CLOSED
        else:
            if self.state is State.AUTHENTICATING:
                self.state = State.READY
            if self.state is not State.CLOSED:
                self._count_error()
        machine = self.machine
        kept = machine.transaction.recipients == tuple([rcpt.recipient for rcpt in self.rcpts])
        check(
            kept or machine.state is State.CLOSED, Oracle.STATE, "server: a refused line changed the transaction", event
        )

    def _swallow(self, line: bytes, event: CommandRejected) -> None:
        """A refused BDAT takes its octets with it; one whose octets cannot be counted is the last that is heard."""
        if self.state is State.AUTHENTICATING:
            return  # a response, whatever it looks like
        found = _COUNTED.fullmatch(line)
        size = int(found[1]) if found and len(found[1]) <= 20 else -1
        if size < 0:
            check(self.machine.state is State.CLOSED, Oracle.END_OF_DATA, "server: who can count that?", line, event)
            check(not found or event.reply.code == 552, Oracle.REFERENCE, "server: more than any chunk", event)
            self.state = State.CLOSED
            return
        whole = len(self.held) >= size
        check(whole, Oracle.END_OF_DATA, "server: refused before its octets came", line, self.held)
        self.held = self.held[size:]

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
        self._verdict(EndOfContent(), event.reply.code)

    def on_answer(self, command: Command, code: int) -> None:
        digit = code // 100
        if isinstance(command, (Bdat, BdatLast)) and self.chunks is None and code != 421:
            # The application has seen the line; what it says is said when the octets have come.
            self.chunk = Chunk(command.size, command.last, 0 if digit == 2 else code)
            self.chunks = b"" if digit == 2 else None
            return
        ends = isinstance(command, (EndOfContent, BdatLast)) and self.settings.lmtp and code != 421
        self.codes += [code] * (len(self.rcpts) if ends else 1)
        if code == 421:
            self.state = State.CLOSED
            return
        if digit == 2 and isinstance(command, Mail):
            self.mail = command
        elif digit == 2 and isinstance(command, Rcpt):
            self.rcpts.append(command)
        self._step(command, digit)
        if digit >= 4:
            self._count_error()
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
        if digit == 2 and isinstance(command, (EndOfContent, BdatLast)):
            self.idle = self.errors = 0
        if self.state not in (State.MAIL, State.RCPT, State.CONTENT, State.CHUNKS):
            self.mail, self.rcpts, self.chunks, self.content = None, [], None, []

    def at_rest(self, *, over: bool) -> None:
        """The machine wants more: then nothing that has come is whole."""
        machine = self.machine
        if over or machine.state in (State.CLOSED, State.UPGRADING):
            return
        self._advance()
        check(machine.state is self.state, Oracle.STATE, "server: at rest", self.state, machine.state)
        if self.chunk is not None or self._refused_chunk_is_due():
            due = self.chunk is None or len(self.held) < self.chunk.size
            check(due, Oracle.END_OF_DATA, "server: the end of a chunk goes unseen", self.held, self.chunk)
            check(machine.buffered == 0, Oracle.REFERENCE, "server: octets of a chunk are kept", machine.buffered)
        elif machine.state is State.CONTENT:
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

    def _refused_chunk_is_due(self) -> bool:
        """Whether a refused BDAT stands there whose octets have not all come, so that no event has spoken of it."""
        line, mark, rest = self.held.partition(b"\r\n")
        found = _COUNTED.fullmatch(line)
        behind_auth = self.state is State.AUTHENTICATING
        return bool(mark and found and len(found[1]) <= 20 and len(rest) < int(found[1]) and not behind_auth)

    def at_end(self, output: bytes, events: Sequence[object]) -> None:
        codes = reply_codes(output, "server")
        # Too many errors are answered by one more reply.
        told = codes[:-1] if len(codes) == len(self.codes) + 1 and codes[-1] == 421 else codes
        check(told == self.codes, Oracle.ORDER, "server: replies", self.codes, codes, events)
