"""Exchange: something that a server has to answer, and what is known of it until then."""

from __future__ import annotations

from typing import final

from ...errors import ParseError
from ...table import Connect
from ...wire.command import Command
from ...wire.reply import Reply
from .story import Step

__all__ = ["Exchange"]


@final
class Exchange:
    """A command, the end of a content, or the connection itself, between its octets and its reply."""

    __slots__ = ("command", "due", "error", "kind", "label", "line", "refusal", "secret", "step")

    def __init__(self, kind: type[Command] | None, label: str, step: Step | None) -> None:
        self.kind = kind  #: None for what is no command.
        self.label = label  #: What replies say they answer.
        self.step = step
        self.line = b""
        self.command: Command | None = None  #: None for a line that could not be read.
        self.error: ParseError | None = None  #: Why it could not be read.
        self.refusal: Reply | None = None  #: What a server machine refuses it with.
        self.due = 1  #: Replies to come: in LMTP one for each recipient.
        self.secret = False  #: Whether its line is not to be shown.

    @classmethod
    def greeting(cls) -> Exchange:
        """What comes before anything that a client says."""
        return cls(Connect, "the connection", None)
