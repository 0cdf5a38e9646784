"""The bounds of both machines, by name, each with its precedent; and the deadlines, as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from ..extensions.atrn import Atrn
from ..extensions.burl import Burl, BurlLast
from ..extensions.chunking import Bdat, BdatLast
from ..table import Connect, EndOfContent
from ..wire.address import Mailbox, Postmaster
from ..wire.command import Command, Data, Mail, Rcpt
from ..wire.value import Value, assign

__all__ = ["ClientLimits", "Deadline", "ServerLimits", "domain_of"]


@final
class Deadline(Value):
    """How long to wait, and for what (RFC 5321 s4.5.3.2). The machines name it, adapters keep it."""

    __slots__ = ("name", "seconds")
    __match_args__ = ("name", "seconds")

    name: str  #: What is waited for.
    seconds: float

    def __init__(self, name: str, seconds: float) -> None:
        assign(self, "name", name)
        assign(self, "seconds", seconds)


GREETING: Final = Deadline("greeting", 300)  # RFC 5321 s4.5.3.2.1
MAIL: Final = Deadline("reply to MAIL", 300)  # RFC 5321 s4.5.3.2.2
RCPT: Final = Deadline("reply to RCPT", 300)  # RFC 5321 s4.5.3.2.3
_DATA: Final = Deadline("reply to DATA", 120)  # RFC 5321 s4.5.3.2.4
BLOCK: Final = Deadline("block of content", 180)  # RFC 5321 s4.5.3.2.5
END_OF_CONTENT: Final = Deadline("reply to the content", 600)  # RFC 5321 s4.5.3.2.6
TURN: Final = Deadline("reply to ATRN", 600)  # RFC 2645 s5.2.1: "at least 10 minutes"
OTHER: Final = Deadline("reply", 300)  # what RFC 5321 s4.5.3.2 does not name is given as long as MAIL
COMMAND: Final = Deadline("next command", 300)  # RFC 5321 s4.5.3.2.7

#: What a client waits for, by the command that waits.
DEADLINES: Final[Mapping[type[Command], Deadline]] = {
    Connect: GREETING,
    Mail: MAIL,
    Rcpt: RCPT,
    Data: _DATA,
    EndOfContent: END_OF_CONTENT,
    Bdat: END_OF_CONTENT,
    BdatLast: END_OF_CONTENT,
    Burl: END_OF_CONTENT,
    BurlLast: END_OF_CONTENT,
    Atrn: TURN,
}


@final
class ServerLimits(Value):
    """What a server machine takes before it refuses or closes. Each is exact: the number itself still passes."""

    __slots__ = ("buffered", "command_line", "errors", "idle_commands", "recipients", "size", "text_line")
    __match_args__ = ("size", "command_line", "text_line", "recipients", "errors", "idle_commands", "buffered")

    size: int | None  #: Octets of content; None: what SIZE announces, or no limit.
    command_line: int  #: Octets of a command line with CRLF; RFC 5321 s4.5.3.1.4 asks for 512, Postfix takes 2,048.
    text_line: int  #: Octets of a line of content with CRLF; RFC 5321 s4.5.3.1.6 asks for 1,000.
    recipients: int  #: Accepted recipients of one message; RFC 5321 s4.5.3.1.8 asks for 100, Postfix takes 1,000.
    errors: int  #: Refused commands without a message between them; Postfix closes at 20.
    idle_commands: int  #: NOOP, RSET, VRFY and the like without a message between them; Postfix closes at 100.
    buffered: int  #: Octets held while PAUSED; one chunk of any size is taken beyond it.

    def __init__(
        self,
        size: int | None = None,
        command_line: int = 2048,
        text_line: int = 65_536,
        recipients: int = 1000,
        errors: int = 20,
        idle_commands: int = 100,
        buffered: int = 65_536,
    ) -> None:
        if command_line < 512 or text_line < 1000 or recipients < 100:
            raise ValueError("a limit below the least that RFC 5321 s4.5.3.1 lets a server have")
        if (size is not None and size < 1) or min(errors, idle_commands, buffered) < 0:
            raise ValueError("a limit below zero, or a size of zero: None is no limit")
        assign(self, "size", size)
        assign(self, "command_line", command_line)
        assign(self, "text_line", text_line)
        assign(self, "recipients", recipients)
        assign(self, "errors", errors)
        assign(self, "idle_commands", idle_commands)
        assign(self, "buffered", buffered)


@final
class ClientLimits(Value):
    """What a client machine takes from a server, and how far ahead of it it goes."""

    __slots__ = ("in_flight", "reply_line", "reply_lines", "reply_size")
    __match_args__ = ("in_flight", "reply_line", "reply_size", "reply_lines")

    in_flight: int  #: Commands sent and not yet answered; their replies must fit the receive window (RFC 2920 s3.1).
    reply_line: int  #: Octets of a reply line without CRLF; RFC 5321 s4.5.3.1.5 says 512, smtplib takes 8,192.
    reply_size: int  #: Octets of a reply.
    reply_lines: int  #: Lines of a reply.

    def __init__(
        self, in_flight: int = 1000, reply_line: int = 8192, reply_size: int = 65_536, reply_lines: int = 1000
    ) -> None:
        if in_flight < 1 or reply_line < 510 or reply_lines < 1 or reply_size < 512:
            raise ValueError("a limit below the least that RFC 5321 s4.5.3.1.5 lets a client have")
        assign(self, "in_flight", in_flight)
        assign(self, "reply_line", reply_line)
        assign(self, "reply_size", reply_size)
        assign(self, "reply_lines", reply_lines)


def domain_of(recipient: Mailbox | Postmaster) -> frozenset[str]:
    """The domain of a recipient as RCPTDOMAINMAX counts it, without regard to case; none of ``<Postmaster>``."""
    domain = recipient.domain
    return frozenset() if domain is None else frozenset((str(domain).lower(),))
