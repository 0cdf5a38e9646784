"""What a submission server asks beyond what every server does (RFC 6409): who may send as whom, and whole domains."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, Final

from ..wire.address import Mailbox, Postmaster
from ..wire.command import Command, Mail, Rcpt
from ..wire.host import Domain
from ..wire.reply import Reply
from .handler import Refusal, Served
from .verbs import Method, methods_of

__all__ = ["submission_methods"]

# RFC 6409 s4.2: "The MSA MUST ensure that all domains in the SMTP envelope are fully qualified"; s4.1: 554
_SENDER_NOT_WHOLE: Final = Reply(554, "the domain of the sender is not fully qualified", "5.1.8")
_RECIPIENT_NOT_WHOLE: Final = Reply(554, "the domain of the recipient is not fully qualified", "5.1.2")


def submission_methods(handler: object) -> Mapping[type[Command], Method | None]:
    """The method for each command; those of MAIL and RCPT are asked once nothing stands against it."""
    sender: Method | None = getattr(handler, "sender", None)
    mail: Method | None = getattr(handler, "mail", None)
    rcpt: Method | None = getattr(handler, "rcpt", None)

    def on_mail(session: Served, command: Mail) -> Any:
        if not _is_whole(command.sender):
            return _SENDER_NOT_WHOLE
        if sender is None:
            return None if mail is None else mail(session, command)
        answer: Any = sender(session, command.sender)
        return later(session, command, answer) if _is_awaitable(answer) else settle(session, command, answer)

    def settle(session: Served, command: Mail, answer: Any) -> Any:
        if isinstance(answer, (Reply, Refusal)):
            return answer
        if answer is not None:
            if not isinstance(answer, Mailbox):
                raise TypeError(f"sender() gives a Mailbox, a Reply or None, not {type(answer).__name__}")
            session.rewrite(command, answer)
        return None if mail is None else mail(session, command)

    async def later(session: Served, command: Mail, awaitable: Awaitable[Any]) -> Any:
        answer: Any = settle(session, command, await awaitable)
        return await answer if _is_awaitable(answer) else answer

    def on_rcpt(session: Served, command: Rcpt) -> Any:
        if not _is_whole(command.recipient):
            return _RECIPIENT_NOT_WHOLE
        return None if rcpt is None else rcpt(session, command)

    return {**methods_of(handler), Mail: on_mail, Rcpt: on_rcpt}


def _is_whole(mailbox: Mailbox | Postmaster | None) -> bool:
    """Whether it can be found from everywhere: its domain has more than one label."""
    domain = None if mailbox is None else mailbox.domain
    return not isinstance(domain, Domain) or "." in domain.text


def _is_awaitable(answer: object) -> bool:
    return isinstance(answer, Awaitable)
