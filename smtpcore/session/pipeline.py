"""Pipeline: the commands of a client on their way, and what may go ahead of what (RFC 2920)."""

from __future__ import annotations

from collections import deque
from typing import Final, final

from ..errors import LocalProtocolError
from ..extensions import PIPELINING, ExtensionSet
from ..extensions.auth import Auth, AuthResponse
from ..table import Connect, EndOfContent, State
from ..wire.capabilities import Capabilities
from ..wire.command import Command, Greeting
from ..wire.secret import Secret
from .event import CommandSkipped
from .planning import expected, find_plan, why_misplaced, why_not_offered

__all__ = ["NO_CAPABILITIES", "Pipeline"]

NO_CAPABILITIES: Final = Capabilities()
_HAPPENINGS: Final = frozenset((Connect, EndOfContent))


@final
class Pipeline:
    """What waits to be sent in one session, what has been sent and not answered, and what was never sent."""

    __slots__ = (
        "_extensions",
        "_greetings",
        "_limit",
        "_out",
        "_pipelining",
        "_planned",
        "capabilities",
        "flight",
        "queue",
        "secrets",
        "skipped",
    )

    def __init__(self, extensions: ExtensionSet, limit: int, out: list[bytes]) -> None:
        self._extensions = extensions
        self._limit = limit
        self._out = out
        self.capabilities = NO_CAPABILITIES
        self._pipelining = False  # whether PIPELINING is among them
        #: Not sent yet: the command, its line, and whether it is known that the server offers what it needs.
        self.queue: deque[tuple[Command, bytes, bool]] = deque()
        self.flight: deque[Command] = deque()  #: Sent, not answered yet.
        self.skipped: deque[CommandSkipped] = deque()  #: Not to be sent any more, and not reported yet.
        self.secrets: list[Secret] = []  #: What the answers may repeat.
        self._planned: State | None = None  # where it will stand when all have succeeded; None: to be found
        self._greetings = 0  # EHLO and the like among them, so that what the server offers is still to come

    @property
    def queued(self) -> tuple[Command, ...]:
        """The commands that wait, in order."""
        return tuple([command for command, _, _ in self.queue])

    def learn(self, capabilities: Capabilities) -> None:
        """The server has said what it offers."""
        self.capabilities = capabilities
        self._pipelining = PIPELINING in capabilities

    def send(self, command: Command, state: State, *, open_: bool) -> None:
        """Queue a command, or let it go at once; nothing goes where the stream is not ``open_``.

        Raises LocalProtocolError when it has no place behind those before it.
        """
        planned = self._planned
        if planned is None:
            planned = self._planned = find_plan(self._extensions, state, (*self.flight, *self.queued))
        kind = type(command)
        row = self._extensions.transitions[planned].get(kind)
        if row is None or kind in _HAPPENINGS:
            if not isinstance(command, Command):
                raise TypeError(f"not a command: {kind.__name__}")
            if kind in _HAPPENINGS:
                raise TypeError(f"{command!r} happens, it is not sent")
            raise LocalProtocolError(why_misplaced(self._extensions, planned, command))
        octets = bytes(command)  # raises here, before anything is queued, if it cannot be written
        known = not self._greetings
        if known and (why := why_not_offered(self._extensions, self.capabilities, command)):
            raise LocalProtocolError(why)
        self._planned = expected(row, planned)
        if isinstance(command, Greeting):
            self._greetings += 1
        queue, flight = self.queue, self.flight
        if known and not queue and open_ and (not flight or self._may_follow(flight[-1])):
            self._fly(command, octets)  # as it would from the queue, since nothing is in its way
        else:
            queue.append((command, octets, known))
            self.release(state, open_=open_)

    def send_end(self) -> EndOfContent:
        """The end of the content is on its way, and is answered like a command."""
        end = EndOfContent()
        self.flight.append(end)
        self._planned = None
        return end

    def settle(self, command: Command, digit: int, state: State, *, open_: bool) -> None:
        """``command``, taken off the flight, was answered with that first digit, which has led to ``state``."""
        if isinstance(command, Greeting):
            self._greetings -= 1
        if digit >= 4 or not self.flight:
            self._planned = None if self.flight or self.queue else state
        if self.queue:
            self.release(state, open_=open_)

    def release(self, state: State, *, open_: bool) -> None:
        """Move commands from the queue to the wire, as far as they may go."""
        queue, flight = self.queue, self.flight
        while queue and open_:
            command, octets, known = queue[0]
            if flight:
                if not self._may_follow(flight[-1]):
                    return
                if not known and why_not_offered(self._extensions, self.capabilities, command):
                    return  # it is skipped when the answers to the others have come
            else:
                why = why_misplaced(self._extensions, state, command)
                if not known:
                    why = why or why_not_offered(self._extensions, self.capabilities, command)
                if why:
                    queue.popleft()
                    self.skipped.append(CommandSkipped(command, why))
                    self._greetings -= isinstance(command, Greeting)
                    self._planned = None
                    continue
            queue.popleft()
            self._fly(command, octets)

    def _fly(self, command: Command, octets: bytes) -> None:
        self.flight.append(command)
        self._out.append(octets)
        if command.confidential and isinstance(command, (Auth, AuthResponse)) and command.secret is not None:
            self.secrets.append(command.secret)

    def _may_follow(self, last: Command) -> bool:
        return last.pipelines and self._pipelining and len(self.flight) < self._limit
