"""Recipients as a caller gives them: addresses, or RCPT commands with parameters of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from ..wire.address import Mailbox, Postmaster
from ..wire.command import Rcpt
from ..wire.parameter import Parameter

__all__ = ["Recipient", "addresses_of", "need_utf8", "rcpt_for"]

#: A recipient: an address, or ``Rcpt(bob, NOTIFY(...), ORCPT(...))`` for one with parameters of its own.
Recipient: TypeAlias = Mailbox | Postmaster | Rcpt


def addresses_of(recipients: Sequence[Recipient]) -> Sequence[Mailbox | Postmaster]:
    """The address of each; what was given itself when all are addresses."""
    if Rcpt not in map(type, recipients):
        return recipients  # type: ignore[return-value]  # none of them is an Rcpt
    return [each.recipient if type(each) is Rcpt else each for each in recipients]


def rcpt_for(recipient: Recipient, parameters: Sequence[Parameter[Any]]) -> Rcpt:
    """A new RCPT for a recipient: its own parameters, and those of ``parameters`` that it does not have itself."""
    if type(recipient) is not Rcpt:
        return Rcpt(recipient, *parameters)
    own = recipient.parameters
    return Rcpt(recipient.recipient, *own.items, *[each for each in parameters if each.keyword not in own])


def need_utf8(rcpts: Sequence[Rcpt]) -> bool:
    """Whether a parameter can be written with SMTPUTF8 alone (RFC 6533 s3)."""
    return not "".join([rcpt.parameters.written for rcpt in rcpts]).isascii()
