"""Transaction: one message on its way, as one immutable object; and the state that a session is made of."""

from __future__ import annotations

from typing import Final, final

from ..wire.address import Mailbox, Postmaster
from ..wire.command import Mail, Rcpt
from ..wire.value import Value, setter

__all__ = ["NO_TRANSACTION", "Transaction"]


@final
class Transaction(Value):
    """The MAIL and the RCPTs that were accepted so far (RFC 5321 s3.3).

    It is replaced, never edited: whatever ends a transaction puts :data:`NO_TRANSACTION` there,
    whole, so no part of one message is left for the next.
    """

    __slots__ = ("mail", "rcpts")
    __match_args__ = ("mail", "rcpts")

    mail: Mail | None  #: None outside of a transaction.
    rcpts: tuple[Rcpt, ...]  #: In the order of their acceptance; duplicates are legal.

    def __init__(self, mail: Mail | None = None, rcpts: tuple[Rcpt, ...] = ()) -> None:
        _set_mail(self, mail)
        _set_rcpts(self, rcpts)

    @property
    def sender(self) -> Mailbox | None:
        """The reverse-path; None when it is null, and outside of a transaction."""
        return self.mail.sender if self.mail else None

    @property
    def recipients(self) -> tuple[Mailbox | Postmaster, ...]:
        """The forward-paths."""
        return tuple([rcpt.recipient for rcpt in self.rcpts])

    def __bool__(self) -> bool:
        return self.mail is not None


_set_mail, _set_rcpts = setter(Transaction, "mail"), setter(Transaction, "rcpts")

#: Outside of a transaction; false.
NO_TRANSACTION: Final = Transaction()
