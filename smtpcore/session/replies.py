"""The replies that a server gives of its own: the standard positive ones, and the refusals of the machine."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ..errors import ParseError
from ..extensions.atrn import Atrn
from ..extensions.auth import Auth, AuthResponse
from ..extensions.burl import Burl, BurlLast
from ..extensions.chunking import BdatLast
from ..extensions.etrn import Etrn, queue_started
from ..extensions.starttls import StartTls
from ..extensions.xclient import XClient
from ..table import Connect, EndOfContent
from ..wire.command import (
    Command,
    Data,
    Expn,
    Greeting,
    Helo,
    Help,
    Mail,
    Noop,
    Quit,
    Rcpt,
    Rset,
    UnknownCommand,
    Vrfy,
)
from ..wire.parameters import UnknownParameter
from ..wire.reply import EnhancedCode, Reply
from .serversession import ServerSession

__all__ = ["POSITIVE", "checked", "positive", "refusal", "with_enhanced"]

_ACCEPTED: Final = Reply(250, "message accepted", "2.0.0")
CHUNK_TAKEN: Final = Reply(250, "octets received", "2.0.0")  # RFC 3030 s2
#: What ``accept()`` says to each command. EHLO, HELO and the greeting are made for each session.
POSITIVE: Final[Mapping[type[Command], Reply]] = {
    Mail: Reply(250, "sender ok", "2.1.0"),
    Rcpt: Reply(250, "recipient ok", "2.1.5"),
    Data: Reply(354, "end data with <CR><LF>.<CR><LF>"),
    EndOfContent: _ACCEPTED,
    BdatLast: _ACCEPTED,
    BurlLast: _ACCEPTED,
    Burl: CHUNK_TAKEN,
    Rset: Reply(250, "ok", "2.0.0"),
    Noop: Reply(250, "ok", "2.0.0"),
    Quit: Reply(221, "closing connection", "2.0.0"),
    # RFC 5321 s3.5.3: 252 where the server will not say but would try
    Vrfy: Reply(252, "cannot verify, but will take mail for it", "2.1.5"),
    Expn: Reply(252, "cannot expand, but will take mail for it", "2.1.5"),
    Help: Reply(214, "see RFC 5321", "2.0.0"),
    Atrn: Reply(250, "now reversing the connection", "2.0.0"),
    StartTls: Reply(220, "ready to start TLS", "2.0.0"),
    Auth: Reply(235, "authentication succeeded", "2.7.0"),
    AuthResponse: Reply(235, "authentication succeeded", "2.7.0"),
}
_OK: Final = Reply(250, "ok", "2.0.0")

#: The same as octets, without and with the enhanced code, and the first digit; where no more comes of it than a step.
POSITIVE_OCTETS: Final = {
    kind: ((reply.encode(with_enhanced=False), reply.encode(with_enhanced=True)), reply.code // 100)
    for kind, reply in POSITIVE.items()
    # LMTP answers some for each recipient, and one closes the connection.
    if kind not in {BdatLast, BurlLast, Quit}
}

BAD_SEQUENCE: Final = Reply(503, "bad sequence of commands", "5.5.1")
NOT_IMPLEMENTED: Final = Reply(502, "command not implemented", "5.5.1")
UNKNOWN_COMMAND: Final = Reply(500, "command not recognized", "5.5.1")
BAD_OCTETS: Final = Reply(500, "bare CR, bare LF or NUL in a command", "5.5.2")
LINE_TOO_LONG: Final = Reply(500, "line too long", "5.5.2")
AUTH_LINE_TOO_LONG: Final = Reply(500, "authentication exchange line too long", "5.5.6")  # RFC 4954 s6
AUTH_CANCELLED: Final = Reply(501, "authentication cancelled", "5.7.0")  # RFC 4954 s4
BAD_BASE64: Final = Reply(501, "not base64", "5.5.2")  # RFC 4954 s4
TLS_REQUIRED: Final = Reply(530, "must issue a STARTTLS command first", "5.7.0")  # RFC 3207 s4
# RFC 6531 s3.5: 553 for MAIL and RCPT that need SMTPUTF8 and do not say so
NEEDS_UTF8: Final = Reply(553, "address beyond ASCII needs SMTPUTF8", "5.6.7")
NO_UTF8: Final = Reply(501, "octets beyond ASCII in a command", "5.5.2")  # RFC 5321 s2.4
TOO_MANY_RECIPIENTS: Final = Reply(452, "too many recipients", "4.5.3")  # RFC 5321 s4.5.3.1.10
TOO_MANY_DOMAINS: Final = Reply(452, "too many domains of recipients", "4.5.3")  # RFC 9422 s4.3
TOO_MANY_MESSAGES: Final = Reply(421, "too many messages", "4.7.0")  # RFC 9422 s4.1
TOO_MANY_ERRORS: Final = Reply(421, "too many errors", "4.7.0")
TOO_MANY_COMMANDS: Final = Reply(421, "too many commands without a message", "4.7.0")
LINE_WITHOUT_END: Final = Reply(421, "line without end", "4.5.2")
BARE_NEWLINE: Final = Reply(550, "bare CR or LF in the message", "5.5.2")
TEXT_LINE_TOO_LONG: Final = Reply(554, "line of the message too long", "5.6.0")
CONTENT_TOO_BIG: Final = Reply(552, "message too big", "5.3.4")
SHUTTING_DOWN: Final = Reply(421, "service closing transmission channel", "4.3.2")  # RFC 5321 s3.8
NO_PARAMETER: Final = Reply(555, "parameter not recognized or not implemented", "5.5.4")


def checked(reply: Reply) -> Reply:
    """``reply``. Raises TypeError for what is none."""
    if not isinstance(reply, Reply):
        raise TypeError(f"not a Reply: {type(reply).__name__}")
    return reply


def with_enhanced(reply: Reply) -> Reply:
    """A reply that has no enhanced code of its own, with the one that says least (RFC 2034 s4, RFC 3463 s3.1)."""
    klass = reply.code // 100
    # 3yz has none; and somebody may have written one into the text
    if klass == 3 or _WRITTEN.match(reply.lines[0]):
        return reply
    return Reply(reply.code, reply.lines, EnhancedCode(klass, 0, 0))


_WRITTEN: Final = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?: |\Z)")


def positive(session: ServerSession, command: Command, text: str | None) -> Reply:
    """The standard positive reply to ``command``, with ``text`` for its words if there is any."""
    if isinstance(command, Greeting):
        lines = [text or f"{session.settings.hostname} greets {_printable(command.client)}"]
        if not isinstance(command, Helo):
            lines += [str(line) for line in session.to_offer()]
        return Reply(250, lines)
    if isinstance(command, (Connect, XClient)):
        return Reply(220, text or f"{session.settings.hostname} {'LMTP' if session.settings.lmtp else 'ESMTP'}")
    found = queue_started(command) if isinstance(command, Etrn) else POSITIVE.get(type(command), _OK)
    return found if text is None else Reply(found.code, text, found.enhanced)


def _printable(name: str) -> str:
    """A name that a stranger gave, fit for a reply."""
    return name[:100] if name.isascii() else "you"


def refusal(error: ParseError, line: bytes) -> Reply:
    """The reply to a line that cannot be understood (RFC 5321 s4.2.2, s4.2.4)."""
    if b"\n" in line or b"\r" in line or b"\0" in line:
        return BAD_OCTETS
    if error.rule in _BASE64_RULES:
        return BAD_BASE64
    if isinstance(error, UnknownCommand):
        return UNKNOWN_COMMAND
    if isinstance(error, UnknownParameter):
        return NO_PARAMETER
    verb = line[:4].upper()
    enhanced = "5.5.4"
    if error.rule in _ADDRESS_RULES:
        enhanced = {b"MAIL": "5.1.7", b"RCPT": "5.1.3"}.get(verb, enhanced)
    # Only our own words: what the client wrote is not repeated to it.
    return Reply(501, f"{error.why} at offset {error.where}", enhanced)


_BASE64_RULES: Final = frozenset(("RFC 4648 s4", "RFC 4648 s3.5"))
_ADDRESS_RULES: Final = frozenset(
    (
        "RFC 5321 s4.1.2",
        "RFC 5321 s4.1.3",
        "RFC 5321 s4.5.3.1.1",
        "RFC 5321 s4.5.3.1.2",
        "RFC 5321 s4.5.3.1.3",
        "RFC 5321 s3.3",
        "RFC 1035 s2.3.4",
        "RFC 5890 s2.3.2.1",
        "RFC 6531 s3.3",
    )
)
