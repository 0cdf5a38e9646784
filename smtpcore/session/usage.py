"""Usage: what a client has used of what its server takes in one session (RFC 9422)."""

from __future__ import annotations

from typing import final

from ..errors import LocalProtocolError
from ..extensions.limits import NO_LIMITS, Limits
from ..wire.address import Mailbox, Postmaster
from .limits import domain_of

__all__ = ["Usage"]


@final
class Usage:
    """Counts of one session, and the limits that they are up against. STARTTLS begins anew, EHLO does not."""

    __slots__ = ("domains", "limits", "mails")

    def __init__(self) -> None:
        self.limits = NO_LIMITS  #: What the server has announced last (RFC 9422 s3.6).
        self.mails = 0  #: MAIL commands so far, whatever became of them.
        self.domains: set[str] = set()  #: Of the recipients so far, where the server counts them.

    @property
    def mails_left(self) -> int | None:
        """How many transactions the session has left; None when there is no limit."""
        most = self.limits.mailmax
        return None if most is None else max(most - self.mails, 0)

    def count_mail(self) -> None:
        """Another MAIL. Raises LocalProtocolError when it is one too many."""
        most = self.limits.mailmax
        if most is not None and self.mails >= most:
            raise LocalProtocolError(f"the server takes {most} messages in a session: connect anew (RFC 9422 s4.1)")
        self.mails += 1

    def count_recipient(self, recipient: Mailbox | Postmaster) -> None:
        """Another RCPT."""
        self.domains |= domain_of(recipient)

    def learn(self, limits: Limits | None) -> None:
        """The server has said what it takes."""
        self.limits = limits or NO_LIMITS
