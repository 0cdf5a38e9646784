"""Outcome: what became of a message, recipient by recipient."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final, final

from ..wire.address import Mailbox, Postmaster
from ..wire.reply import Reply
from ..wire.value import Value, assign, draft, setter

__all__ = ["Outcome", "RecipientOutcome", "Status", "same_for_all"]


@final
class Status(Enum):
    """What became of one recipient. The last two are never mistaken for a refusal."""

    ACCEPTED = "accepted"  #: The server has taken responsibility (RFC 5321 s6.1).
    REFUSED_FOR_NOW = "refused for now"  #: 4yz: the same may succeed later.
    REFUSED = "refused"  #: 5yz: it will not.
    NOT_SENT = "not sent"  #: The server has certainly not taken the message for this recipient.
    UNKNOWN = "unknown"  #: The connection was lost with or after the final dot: the message may have been taken.


@final
class RecipientOutcome(Value):
    """What became of one recipient, and by which words."""

    __slots__ = ("recipient", "reply", "status", "why")
    __match_args__ = ("recipient", "status", "reply", "why")

    recipient: Mailbox | Postmaster
    status: Status
    reply: Reply | None  #: The reply that decided; None where none did.
    why: str  #: What happened, where no reply says it.

    def __init__(
        self, recipient: Mailbox | Postmaster, status: Status, reply: Reply | None = None, why: str = ""
    ) -> None:
        assign(self, "recipient", recipient)
        assign(self, "status", status)
        assign(self, "reply", reply)
        assign(self, "why", why)


_RecipientOutcomeDraft: Final = draft(RecipientOutcome)


def same_for_all(
    recipients: Iterable[Mailbox | Postmaster], status: Status, reply: Reply | None, why: str
) -> list[RecipientOutcome]:
    """What became of several recipients, of whom there is nothing else to say."""
    found: list[RecipientOutcome] = []
    for recipient in recipients:
        made = _RecipientOutcomeDraft()
        made.recipient = recipient
        made.status = status
        made.reply = reply
        made.why = why
        made.__class__ = RecipientOutcome
        found.append(made)
    return found


@final
class Outcome(Value):
    """What became of a message: one entry for each recipient, at the index it was given with."""

    __slots__ = ("error", "recipients", "reply")
    __match_args__ = ("recipients", "reply")

    recipients: tuple[RecipientOutcome, ...]
    reply: Reply | None  #: The server's verdict on the message, if there was one.
    error: Exception | None  #: What ended the connection, where it ended without a reply that says why.

    def __init__(
        self, recipients: tuple[RecipientOutcome, ...], reply: Reply | None = None, error: Exception | None = None
    ) -> None:
        _set_recipients(self, recipients)
        _set_verdict(self, reply)
        _set_error(self, error)

    @property
    def all_accepted(self) -> bool:
        """Whether every recipient was accepted."""
        return all(each.status is Status.ACCEPTED for each in self.recipients)


_set_recipients, _set_verdict = setter(Outcome, "recipients"), setter(Outcome, "reply")
_set_error = setter(Outcome, "error")
