"""Standing: what is known of a conversation, seen from the client."""

from __future__ import annotations

from ..table import SILENT, State
from ..wire.capabilities import Capabilities
from ..wire.command import Command
from ..wire.reply import ReplyReader
from .endpoint import Endpoint
from .limits import BLOCK, DEADLINES, OTHER, Deadline
from .pipeline import Pipeline
from .usage import Usage

__all__ = ["Standing"]


class Standing(Endpoint):
    """Where a client's conversation stands. Reading it changes nothing."""

    __slots__ = ("_pipeline", "_reader", "state")

    _pipeline: Pipeline
    _reader: ReplyReader
    state: State  #: Where the conversation stands, by the replies so far.

    @property
    def capabilities(self) -> Capabilities:
        """What the server offers; empty before EHLO and after STARTTLS."""
        return self._pipeline.capabilities

    @property
    def usage(self) -> Usage:
        """What this session has used of what the server takes (RFC 9422)."""
        return self._pipeline.usage

    @property
    def in_flight(self) -> tuple[Command, ...]:
        """The commands that were sent and are not answered yet, in order."""
        return tuple(self._pipeline.flight)

    @property
    def queued(self) -> tuple[Command, ...]:
        """The commands that wait to be sent, in order."""
        return self._pipeline.queued

    @property
    def idle(self) -> bool:
        """Whether nothing has come or happened that was not taken as an event: the next would be a mere signal."""
        over = self._eof or self._error or self.state in SILENT
        return not (over or self._reader.pending or self._pipeline.skipped)

    @property
    def deadline(self) -> Deadline | None:
        """How long the server may take for what it has to do next; None when it is not the server's turn."""
        flight = self._pipeline.flight
        if flight:
            return DEADLINES.get(type(flight[0]), OTHER)
        return BLOCK if self.state is State.CONTENT else None
