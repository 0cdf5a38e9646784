"""What the machines report.

``next_event`` returns one of these, or :data:`NEED_DATA`, or :data:`PAUSED`, or a
:class:`~smtpcore.wire.tolerance.Defect` that was let through and belongs to the event after it.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, TypeAlias, final

from ..wire.command import Command
from ..wire.reply import Reply
from ..wire.tolerance import Defect
from ..wire.value import Value

__all__ = [
    "NEED_DATA",
    "PAUSED",
    "ClientEvent",
    "CommandReceived",
    "CommandRejected",
    "CommandSkipped",
    "ConnectionClosed",
    "ContentEnded",
    "ContentReceived",
    "ContentRejected",
    "ForeignProtocol",
    "ReplyReceived",
    "ServerEvent",
    "Signal",
    "VerdictReceived",
]


@final
class Signal(Enum):
    """What ``next_event`` returns when there is no event."""

    NEED_DATA = "NEED_DATA"
    PAUSED = "PAUSED"


#: Nothing more can be said until ``receive_data`` is called.
NEED_DATA: Final = Signal.NEED_DATA
#: Nothing more will be said until the caller has done its part: answered a command, sent the content, upgraded to TLS.
PAUSED: Final = Signal.PAUSED


class _Event(Value):
    """Made at every step, read once and dropped: its fields are final to type checkers, and at run time unguarded.

    A guard would cost each more than all else that making it does.
    """

    __slots__ = ()

    if not TYPE_CHECKING:
        __setattr__ = object.__setattr__
        __delattr__ = object.__delattr__


@final
class CommandReceived(_Event):
    """Server: a command in its place, which waits for ``accept()`` or ``reply()``."""

    __slots__ = ("command",)
    __match_args__ = ("command",)

    command: Final[Command]

    def __init__(self, command: Command) -> None:
        self.command = command


@final
class CommandRejected(_Event):
    """Server: a line that the machine has refused already, for syntax, sequence or limits."""

    __slots__ = ("line", "reply")
    __match_args__ = ("line", "reply")

    line: Final[bytes]  #: The line without CRLF, cut at 100 octets; without its argument where that may be a secret.
    reply: Final[Reply]  #: What the client was told.

    def __init__(self, line: bytes, reply: Reply) -> None:
        self.line = line
        self.reply = reply


@final
class ContentReceived(_Event):
    """Server: octets of the message, without dot-stuffing; their borders mean nothing."""

    __slots__ = ("data",)
    __match_args__ = ("data",)

    data: Final[bytes]

    def __init__(self, data: bytes) -> None:
        self.data = data


@final
class ContentEnded(_Event):
    """Server: the whole content has come. It waits for ``accept()`` or ``reply()``; nothing is promised before that."""

    __slots__ = ()


@final
class ContentRejected(_Event):
    """Server: the end of a content that the machine has refused; what came of it is to be thrown away."""

    __slots__ = ("reply",)
    __match_args__ = ("reply",)

    reply: Final[Reply]  #: What the client was told.

    def __init__(self, reply: Reply) -> None:
        self.reply = reply


@final
class ForeignProtocol(_Event):
    """Server: the client speaks another protocol, and was told 421; nothing from here on is taken for a command."""

    __slots__ = ("line", "protocol", "reply")
    __match_args__ = ("protocol", "line", "reply")

    protocol: Final[str]  #: ``"TLS"`` or ``"HTTP"``.
    line: Final[bytes]  #: What gave it away: a line of HTTP without CRLF, cut at 100 octets; the first two of TLS.
    reply: Final[Reply]  #: What the client was told.

    def __init__(self, protocol: str, line: bytes, reply: Reply) -> None:
        self.protocol = protocol
        self.line = line
        self.reply = reply


@final
class ReplyReceived(_Event):
    """Client: the reply to ``command``, which is the very object that was sent.

    ``command`` is a :class:`~smtpcore.table.Connect` for the greeting, and None for a 421 that nobody asked for.
    """

    __slots__ = ("command", "reply")
    __match_args__ = ("reply", "command")

    reply: Final[Reply]
    command: Final[Command | None]

    def __init__(self, reply: Reply, command: Command | None) -> None:
        self.reply = reply
        self.command = command


@final
class VerdictReceived(_Event):
    """LMTP client: the reply to the end of a content for one recipient (RFC 2033 s4.2).

    There is one for each RCPT that was accepted, in their order; ``rcpt`` and ``command`` are the very
    objects that were sent.
    """

    __slots__ = ("command", "rcpt", "reply")
    __match_args__ = ("reply", "command", "rcpt")

    reply: Final[Reply]
    command: Final[Command]
    rcpt: Final[Command]

    def __init__(self, reply: Reply, command: Command, rcpt: Command) -> None:
        self.reply = reply
        self.command = command
        self.rcpt = rcpt


@final
class CommandSkipped(_Event):
    """Client: a queued command that was never sent, because what came before it has made it impossible."""

    __slots__ = ("command", "why")
    __match_args__ = ("command", "why")

    command: Final[Command]
    why: Final[str]

    def __init__(self, command: Command, why: str) -> None:
        self.command = command
        self.why = why


@final
class ConnectionClosed(_Event):
    """The conversation is over: QUIT, 421, or the end of the stream.

    ``unanswered`` are the commands that were sent and got no reply: what became of them is unknown.
    ``unsent`` are those that never left. A server leaves both empty.
    """

    __slots__ = ("unanswered", "unsent")
    __match_args__ = ("unanswered", "unsent")

    unanswered: Final[tuple[Command, ...]]
    unsent: Final[tuple[Command, ...]]

    def __init__(self, unanswered: tuple[Command, ...] = (), unsent: tuple[Command, ...] = ()) -> None:
        self.unanswered = unanswered
        self.unsent = unsent


ServerEvent: TypeAlias = (
    CommandReceived
    | CommandRejected
    | ContentReceived
    | ContentEnded
    | ContentRejected
    | ForeignProtocol
    | ConnectionClosed
    | Defect
)
ClientEvent: TypeAlias = ReplyReceived | VerdictReceived | CommandSkipped | ConnectionClosed | Defect
