"""What a server machine has to say against a command that is well formed, before its application sees it."""

from __future__ import annotations

from typing import Final

from ..extensions import UTF8
from ..extensions.auth import Auth
from ..extensions.starttls import StartTls
from ..wire.command import Command, Ehlo, Expn, Helo, Mail, Noop, Quit, Rcpt, Vrfy
from ..wire.reply import Reply
from . import replies
from .serversession import ServerSession

__all__ = ["examine"]

_BEFORE_TLS: Final = frozenset((Ehlo, Helo, Noop, Quit, StartTls, Auth))  # RFC 3207 s4; AUTH has an answer of its own


def examine(session: ServerSession, command: Command, line: bytes) -> Reply | None:
    """The refusal that ``command``, parsed from ``line``, gets from the machine; None when it is the application's turn."""
    kind = type(command)
    settings = session.settings
    extensions = settings.extensions
    if settings.require_tls and not session.tls and kind not in _BEFORE_TLS:
        return replies.TLS_REQUIRED
    owner = extensions.verb_owner.get(kind)
    if owner is not None and owner.keyword not in settings.capabilities:
        return replies.NOT_IMPLEMENTED
    if kind not in extensions.transitions[session.state]:
        return replies.BAD_SEQUENCE
    if owner is not None and not session.esmtp:
        return replies.BAD_SEQUENCE  # RFC 5321 s2.2.1: an extension is offered by the reply to EHLO
    if isinstance(command, (Mail, Rcpt)):
        for parameter in command.parameters.items:
            owners = extensions.parameter_owners[parameter.keyword]
            if not any(extension.keyword in session.offered for extension in owners):
                return replies.NO_PARAMETER  # RFC 5321 s4.1.1.11
        if kind is Rcpt and len(session.transaction.rcpts) >= settings.limits.recipients:
            return replies.TOO_MANY_RECIPIENTS  # RFC 5321 s4.5.3.1.10
    if not line.isascii() and not _may_be_utf8(session, command):
        return replies.NEEDS_UTF8 if kind in {Mail, Rcpt, Vrfy, Expn} else replies.NO_UTF8
    for check in extensions.checks.get(kind, ()):
        reply = check(session, command)
        if reply is not None:
            return reply
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
