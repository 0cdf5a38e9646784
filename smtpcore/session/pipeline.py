"""Pipeline: the commands of a client on their way, and what may go ahead of what (RFC 2920)."""

from __future__ import annotations

from collections import deque
from typing import Any, Final, NoReturn, final

from ..errors import LocalProtocolError, ParseError
from ..extensions import BODY, LIMITS, PIPELINING, Body, ExtensionSet
from ..extensions.auth import Auth, AuthResponse
from ..extensions.burl import BurlCommand
from ..extensions.chunking import Bdat, BdatCommand, BdatLast
from ..table import HAPPENINGS, EndOfContent, State
from ..wire.capabilities import Capabilities
from ..wire.chunks import ChunkWriter
from ..wire.command import Command, Data, Ehlo, Helo, Lhlo, Mail, Rcpt, Rset
from ..wire.newlines import BareNewlines
from ..wire.parameters import NO_PARAMETERS
from ..wire.reply import Reply
from ..wire.secret import Secret, scrub
from .event import CommandSkipped, ConnectionClosed
from .planning import find_plan, why_misplaced, why_not_offered
from .usage import Usage

__all__ = ["EXCHANGE", "GREETINGS", "NO_CAPABILITIES", "Pipeline"]

NO_CAPABILITIES: Final = Capabilities()
#: The commands whose replies may repeat a secret.
EXCHANGE: Final = frozenset((Auth, AuthResponse))
#: The commands whose replies say what the server offers.
GREETINGS: Final = frozenset((Ehlo, Helo, Lhlo))
_BEGINS_ANEW: Final = GREETINGS | {Mail, Rset}
_OF_TRANSACTION: Final = (Rcpt, Data, BdatCommand)


@final
class Pipeline:
    """What waits to be sent in one session, what has been sent and not answered, and what was never sent."""

    __slots__ = (
        "_chained",
        "_chunks",
        "_counts_domains",
        "_extensions",
        "_free",
        "_greetings",
        "_limit",
        "_lmtp",
        "_out",
        "_pipelining",
        "_successes",
        "capabilities",
        "flight",
        "mail",
        "open",
        "planned",
        "queue",
        "secrets",
        "skipped",
        "usage",
        "verified",
    )

    def __init__(self, extensions: ExtensionSet, limit: int, out: list[bytes], *, lmtp: bool = False) -> None:
        self._lmtp = lmtp
        self._extensions = extensions
        self._successes = extensions.successes
        self._limit = limit
        self._out = out
        self.capabilities = NO_CAPABILITIES
        self.verified = False  #: Whether the server has shown who it is.
        self._free: frozenset[str] = frozenset()  # keywords of parameters that may be said with any value
        self._pipelining = False  # whether PIPELINING is among them
        #: Not sent yet: the command, its line, and whether it is known that the server offers what it needs.
        self.queue: deque[tuple[Command, bytes, bool]] = deque()
        self.flight: deque[Command] = deque()  #: Sent, not answered yet.
        self.skipped: deque[CommandSkipped] = deque()  #: Not to be sent any more, and not reported yet.
        self.secrets: list[Secret] = []  #: What the answers may repeat.
        self.mail: Mail | None = None  #: The last MAIL that was taken.
        self._chunks: tuple[Mail | None, ChunkWriter] | None = None  # the content that goes in chunks, by its MAIL
        self.planned: State | None = None  #: Where it will stand when all have succeeded; None: to be found.
        self.open = True  #: Whether anything may still be written.
        self.usage = Usage()  #: What the server takes in a session, and what of it is used.
        self._counts_domains = False  # whether it has a limit to their number
        self._chained = False  # whether commands follow the end of the last content at once
        self._greetings = 0  # EHLO and the like among them, so that what the server offers is still to come

    @property
    def queued(self) -> tuple[Command, ...]:
        """The commands that wait, in order."""
        return tuple([command for command, _, _ in self.queue]) if self.queue else ()

    @property
    def is_binary(self) -> bool:
        """Whether the content of the last transaction begun is BINARYMIME (RFC 3030 s3)."""
        mail = self.mail
        return mail is not None and mail.parameters.get(BODY) is Body.BINARYMIME

    def learn(self, capabilities: Capabilities, *, tls: bool, verified: bool) -> None:
        """The server has said what it offers, within TLS or not, and having shown who it is or not."""
        self.verified = verified
        self.capabilities = self._extensions.within(capabilities, tls=tls)
        self._free = self._extensions.free(self.capabilities)
        self._pipelining = PIPELINING in capabilities
        self.usage.learn(capabilities.get(LIMITS))
        self._counts_domains = self.usage.limits.rcptdomainmax is not None

    def send(self, command: Command, state: State, content: bytes | None = None) -> None:
        """Queue a command, or let it go at once; ``content`` follows its line.

        Raises LocalProtocolError when it has no place behind those before it.
        """
        planned = self.planned
        if planned is None:
            planned = self.planned = find_plan(self._extensions, state, (*self.flight, *self.queued))
        kind = type(command)
        after = self._successes[planned].get(kind)
        if after is None:
            self._refuse(command, planned)
        octets = command.encode()  # raises here, before anything is queued, if it cannot be written
        known = not self._greetings
        if kind is Mail or kind is Rcpt:
            envelope: Any = command  # as kind says, which is quicker than isinstance
            given = envelope.parameters
            if known and not ((given is NO_PARAMETERS or given.all_among(self._free)) and octets.isascii()):
                self._check_offered(command)
            if kind is Mail:
                self.usage.count_mail()
                self.mail = envelope
            elif self._counts_domains:
                self.usage.count_recipient(envelope.recipient)
        elif kind is Data:
            mail = self.mail
            if mail is not None and mail.parameters is not NO_PARAMETERS and self.is_binary:
                raise LocalProtocolError("DATA cannot carry BODY=BINARYMIME, see send_chunk (RFC 3030 s3)")
        elif kind in self._extensions.verb_owner:
            if known:
                self._check_offered(command)
            if command.carries:
                octets += _carried(command, content)
            elif isinstance(command, BurlCommand):
                self._end_chunks()
        elif kind in GREETINGS:
            if (kind is Lhlo) is not self._lmtp:
                protocol = "LMTP" if self._lmtp else "SMTP"
                raise LocalProtocolError(f"{command.verb} is no greeting of {protocol} (RFC 2033 s4.1)")
            self._greetings += 1
        self.planned = after
        flight = self.flight
        # At once, if it would go from the queue at once
        follows = not flight or (flight[-1].pipelines and self._pipelining and len(flight) < self._limit)
        if follows and known and self.open and not self.queue:
            flight.append(command)
            self._out.append(octets)
            if command.confidential:
                self._keep_secret(command)
        else:
            self.queue.append((command, octets, known))
            self.release(state)

    def send_chunk(self, data: bytes, state: State, policy: BareNewlines, *, last: bool) -> BdatCommand:
        """BDAT with its octets. Raises LocalProtocolError out of place, and for a bare CR or LF."""
        self.check(BdatLast(0) if last else Bdat(0), state)
        # A content begins where it is to stand in RCPT; behind its first chunk that is CHUNKS
        if self._chunks is None or self.planned is State.RCPT or self._chunks[0] is not self.mail:
            self._chunks = (self.mail, ChunkWriter(BareNewlines.PASS if self.is_binary else policy))
        try:
            data = self._chunks[1].write(data, last=last)
        except ParseError as error:
            raise LocalProtocolError(f"{error}; the message cannot be finished, RSET drops what was sent") from None
        command = BdatLast(len(data)) if last else Bdat(len(data))
        self.send(command, state, data)
        return command

    def _end_chunks(self) -> None:
        """Something else goes on with the content: what was written is whole, and what follows begins anew."""
        chunks, self._chunks = self._chunks, None
        if chunks is not None and chunks[0] is self.mail and chunks[1].is_cut:
            self._chunks = chunks
            raise LocalProtocolError("a CR before BURL stands alone: RSET drops what was sent (RFC 5321 s2.3.8)")

    def end(self) -> ConnectionClosed:
        """The connection is over: what was not answered, what was not sent, and nothing is left."""
        closed = ConnectionClosed(tuple(self.flight), self.queued)
        self.flight.clear()
        self.queue.clear()
        return closed

    def check(self, command: Command, state: State) -> None:
        """Raise what ``send`` would, and change nothing. ``planned`` is where the command would be said."""
        if self.planned is None:
            self.planned = find_plan(self._extensions, state, (*self.flight, *self.queued))
        why = why_misplaced(self._extensions, self.planned, command)
        if not why and not self._greetings:
            why = why_not_offered(self._extensions, self, command)
        if why:
            raise LocalProtocolError(why)

    def _check_offered(self, command: Command) -> None:
        why = why_not_offered(self._extensions, self, command, self._free)
        if why:
            raise LocalProtocolError(why)

    def _refuse(self, command: Command, planned: State) -> NoReturn:
        if not isinstance(command, Command):
            raise TypeError(f"not a command: {type(command).__name__}")
        if type(command) in HAPPENINGS:
            raise TypeError(f"{command!r} happens, it is not sent")
        raise LocalProtocolError(why_misplaced(self._extensions, planned, command))

    def send_end(self, *, chained: bool) -> EndOfContent:
        """The end of the content is on its way, and is answered like a command; what comes next goes along or waits."""
        end = EndOfContent()
        self._chained = chained
        self.flight.append(end)
        self.planned = None
        return end

    def greeted(self) -> None:
        """EHLO, HELO or LHLO was answered, with whatever reply."""
        self._greetings -= 1

    def settle(self, digit: int, state: State, kind: type[Command]) -> None:
        """A command of that kind, taken off the flight, was answered with that first digit, which led to ``state``."""
        if kind is Mail and digit >= 4 and self.queue and state is not State.READY:
            self._skip_transaction()
        if digit >= 4 or not self.flight:
            self.planned = None if self.flight or self.queue else state
        self.release(state)

    def release(self, state: State) -> None:
        """Move commands from the queue to the wire, as far as they may go."""
        queue, flight = self.queue, self.flight
        while queue and self.open:
            command, octets, known = queue[0]
            if flight:
                if not self._may_follow(flight[-1]):
                    return
                if not known and why_not_offered(self._extensions, self, command):
                    return  # it is skipped when the answers to the others have come
            else:
                why = why_misplaced(self._extensions, state, command)
                if not known:
                    why = why or why_not_offered(self._extensions, self, command)
                if why:
                    queue.popleft()
                    self.skipped.append(CommandSkipped(command, why))
                    self._greetings -= type(command) in GREETINGS
                    self.planned = None
                    if type(command) is Mail:
                        self._skip_transaction()
                    continue
            queue.popleft()
            flight.append(command)
            self._out.append(octets)
            self._keep_secret(command)

    def _skip_transaction(self) -> None:
        """MAIL was not taken. What waits behind it is for no other transaction, should the server have kept one."""
        queue = self.queue
        kept: list[tuple[Command, bytes, bool]] = []
        while queue and type(queue[0][0]) not in _BEGINS_ANEW:
            waiting = queue.popleft()
            if isinstance(waiting[0], _OF_TRANSACTION):
                self.skipped.append(CommandSkipped(waiting[0], "its MAIL was not accepted (RFC 5321 s4.1.4)"))
            else:
                kept.append(waiting)
        queue.extendleft(reversed(kept))
        self.planned = None

    def _keep_secret(self, command: Command) -> None:
        if isinstance(command, (Auth, AuthResponse)) and command.secret is not None:
            self.secrets.append(command.secret)

    def scrubbed(self, reply: Reply, kind: type[Command]) -> Reply:
        """A reply that repeats a secret, without it (law 15)."""
        lines = [scrub(line, self.secrets) for line in reply.lines]
        if reply.code // 100 != 3 and kind in EXCHANGE:
            self.secrets.clear()
        return reply if tuple(lines) == reply.lines else Reply(reply.code, lines, reply.enhanced)

    def _may_follow(self, last: Command) -> bool:
        # RFC 2920 s3.1: the content may be "the first 'command' in a group"
        pipelines = last.pipelines or (self._chained and type(last) is EndOfContent)
        return pipelines and self._pipelining and len(self.flight) < self._limit


def _carried(command: Command, content: bytes | None) -> bytes:
    if content is None:
        raise LocalProtocolError(f"{command.verb} goes with its octets, see send_chunk (RFC 3030 s2)")
    return content
