"""What a server machine makes of a line, before its application sees it: a command, or the reply that refuses it."""

from __future__ import annotations

from typing import Any, Final

from ..errors import ParseError
from ..extensions import UTF8, Check, Extension
from ..extensions.auth import AUTH_LINE_LIMIT, Auth, AuthResponse
from ..extensions.starttls import StartTls
from ..extensions.xclient import XClient
from ..table import State
from ..wire.command import Command, Ehlo, Expn, Helo, Lhlo, Mail, Noop, Quit, Rcpt, Vrfy, parse_command
from ..wire.parameters import NO_PARAMETERS, Parameters
from ..wire.reply import Reply
from ..wire.tolerance import Tolerance
from . import replies
from .limits import domain_of
from .serversession import ServerSession

__all__ = ["SHOWN", "refuse_length", "showable", "understand", "understand_response"]

#: How much of a refused line is reported, in octets.
SHOWN: Final = 100

_REFUSED = State.REFUSED
# RFC 3207 s4; AUTH has an answer of its own
_BEFORE_TLS: Final = frozenset((Ehlo, Helo, Lhlo, Noop, Quit, StartTls, Auth))


def understand(session: ServerSession, line: bytes, tolerance: Tolerance) -> Command | Reply:
    """The command in ``line``, or the refusal that it gets."""
    settings = session.settings
    try:
        command = parse_command(line, settings.vocabulary, tolerance)
    except ParseError as error:
        tolerance.take()
        return replies.refusal(error, line)
    kind = type(command)
    known: Any = command  # as kind says, which is quicker than isinstance
    if kind is Mail:
        session.mails += 1  # RFC 9422 s4.1: whatever becomes of it
    extensions = settings.extensions
    owner = extensions.verb_owner.get(kind)
    reply: Reply | None = None
    if owner is not None or kind not in session.rows or settings.require_tls:
        reply = _examine_place(session, kind, owner)
    checks = extensions.checks.get(kind, ())
    if reply is None and (kind is Mail or kind is Rcpt):
        reply = _examine_count(session, known)
        if reply is None and known.parameters is not NO_PARAMETERS:
            reply, more = _examine_parameters(session, known.parameters)
            checks += more
    if reply is None and not line.isascii() and not _may_be_utf8(session, command):
        reply = replies.NEEDS_UTF8 if kind in {Mail, Rcpt, Vrfy, Expn} else replies.NO_UTF8
    if reply is None:
        for check in checks:
            reply = check(session, command)
            if reply is not None:
                break
        else:
            return command
    tolerance.take()
    return reply


def understand_response(session: ServerSession, line: bytes) -> AuthResponse | Reply:
    """The same for a line within AUTH."""
    refused = refuse_length(session, line, AUTH_LINE_LIMIT)
    if refused is not None:
        return refused
    try:
        command = AuthResponse.parse_line(line)
    except ParseError:
        return replies.BAD_BASE64
    return command if command.response is not None else replies.AUTH_CANCELLED


def _examine_count(session: ServerSession, command: Mail | Rcpt) -> Reply | None:
    """Whether there may be one more of them."""
    settings = session.settings
    if type(command) is Mail:
        if settings.mail_limit is not None and session.mails > settings.mail_limit:
            return replies.TOO_MANY_MESSAGES  # RFC 9422 s4.1
    elif len(session.transaction.rcpts) >= settings.recipient_limit:
        return replies.TOO_MANY_RECIPIENTS  # RFC 5321 s4.5.3.1.10
    elif session.domains is not None and len(session.domains) >= (settings.domain_limit or 0):
        if not domain_of(command.recipient) <= session.domains:
            return replies.TOO_MANY_DOMAINS  # RFC 9422 s4.3
    return None


def _examine_parameters(session: ServerSession, parameters: Parameters) -> tuple[Reply | None, tuple[Check, ...]]:
    """Whether each was offered, and what else is to be asked of them."""
    extensions = session.settings.extensions
    checks: tuple[Check, ...] = ()
    expected = session.expected
    for keyword in parameters.keywords:
        more = expected.get(keyword)
        if more is None:
            if not extensions.is_offered(parameters.parameter(keyword), session.offered):
                return replies.NO_PARAMETER, ()  # RFC 5321 s4.1.1.11
            more = extensions.parameter_checks.get(keyword, ())
        checks += more
    return None, checks


def _examine_place(session: ServerSession, kind: type[Command], owner: Extension[Any] | None) -> Reply | None:
    """Whether the verb may be said here and now."""
    settings = session.settings
    if session.state is _REFUSED and kind is not Quit:
        return replies.BAD_SEQUENCE  # RFC 5321 s3.1
    if settings.require_tls and not session.tls and kind not in _BEFORE_TLS:
        return replies.TLS_REQUIRED
    if owner is not None and owner.keyword not in settings.capabilities:
        return replies.NOT_IMPLEMENTED
    # RFC 5321 s2.2.1: an extension is offered by the reply to EHLO
    offered = owner is None or session.esmtp or (kind is XClient and session.proxied)
    if kind not in session.rows or not offered:
        return replies.BAD_SEQUENCE
    return None


def _may_be_utf8(session: ServerSession, command: Command) -> bool:
    # RFC 6531 s3.1: only what says SMTPUTF8, to a server that offers it
    if "SMTPUTF8" not in session.offered:
        return False
    if isinstance(command, (Vrfy, Expn)):
        return command.text.upper().endswith(" SMTPUTF8")  # RFC 6531 s3.7.4.2
    if isinstance(command, Mail):
        return UTF8 in command.parameters
    mail = session.transaction.mail
    return isinstance(command, Rcpt) and mail is not None and UTF8 in mail.parameters


def refuse_length(session: ServerSession, line: bytes, limit: int) -> Reply | None:
    """The refusal that a line of more than ``limit`` octets gets; None for AUTH, which may be that long.

    A line is refused in step up to twice its limit; beyond that with 421.
    """
    auth = session.state is State.AUTHENTICATING or line[:5].upper() == b"AUTH "
    if auth:
        # RFC 4954 s4: an initial response has the limit of the exchange, not that of a command
        limit = AUTH_LINE_LIMIT
        if len(line) + 2 <= limit:
            return None
    if len(line) + 2 > 2 * limit:
        return replies.LINE_WITHOUT_END
    return replies.AUTH_LINE_TOO_LONG if auth else replies.LINE_TOO_LONG


def showable(session: ServerSession, line: bytes, reply: Reply) -> bytes:
    """What of a refused line may be reported: its beginning, without what may be a secret."""
    if session.state is State.AUTHENTICATING:
        return b""
    if line[:5].upper() == b"BURL ":
        return line[:4]  # RFC 4468 s8: the URL may carry its own authorization
    line = line[:SHOWN]
    at = line.upper().find(b"AUTH")
    if at >= 0 and (not line[:at].strip(b" \t") or line[at + 4 : at + 5] in _BLANK):
        session.auth_failed = True
        return line[: at + 4]
    # A response sent behind an AUTH that was refused is no command, and a secret.
    return b"" if session.auth_failed and reply.code in _NO_COMMAND else line


_BLANK: Final = frozenset((b" ", b"\t"))
_NO_COMMAND: Final = frozenset((421, 500))
