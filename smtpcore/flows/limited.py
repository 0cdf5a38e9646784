"""Limited: one message in as many transactions as its server's limits ask for (RFC 9422)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import LocalProtocolError
from ..extensions import BurlLast
from ..session.client import ClientConnection
from ..session.limits import domain_of
from ..session.usage import Usage
from ..table import State
from ..wire.address import Mailbox, Postmaster
from ..wire.parameter import Parameter
from ..wire.reply import Reply
from .content import Content, Message, Source, flatten, octets_of
from .effect import Flow
from .ledger import is_positive
from .needs import EightBit
from .outcome import Outcome, RecipientOutcome, Status
from .recipient import Recipient, addresses_of
from .submit import submit

__all__ = ["divide", "repeatable", "submit_within_limits"]


def divide(
    usage: Usage, recipients: Sequence[Mailbox | Postmaster]
) -> tuple[Sequence[Sequence[int]], Mapping[int, str]]:
    """The indices that go together, transaction by transaction, and why which others cannot go in this session."""
    limits = usage.limits
    left: dict[int, str] = {}
    kept: Sequence[int] = range(len(recipients))
    if limits.rcptdomainmax is not None:
        # RFC 9422 s4.3: they are counted over the whole session, so another transaction is of no help
        domains = set(usage.domains)
        for index, recipient in enumerate(recipients):
            domain = domain_of(recipient)
            if domain <= domains or len(domains) < limits.rcptdomainmax:
                domains |= domain
            else:
                left[index] = f"the server takes RCPTDOMAINMAX={limits.rcptdomainmax} domains in a session"
        kept = [index for index in kept if index not in left]
    most = limits.rcptmax or max(len(kept), 1)
    groups = [kept[start : start + most] for start in range(0, len(kept), most)]
    if usage.mails_left is not None:
        for group in groups[usage.mails_left :]:
            left.update(dict.fromkeys(group, f"the server takes MAILMAX={limits.mailmax} messages in a session"))
        del groups[usage.mails_left :]
    return groups, left


def repeatable(content: Content, is_ascii: bool | None = None) -> tuple[Content, Callable[[], Source] | None]:
    """The content, and what gives a source of it again and again; None where it can be read only once."""
    if isinstance(content, Message):
        content = flatten(content)  # once for all
    if isinstance(content, (bytes, bytearray, memoryview, list, tuple, BurlLast)):
        held = content
        return content, lambda: octets_of(held, is_ascii)
    seekable: Any = getattr(content, "seekable", None)
    if seekable is not None and seekable():
        file: Any = content
        start = file.tell()

        def rewound() -> Source:
            file.seek(start)
            return octets_of(file, is_ascii)

        return content, rewound
    return content, None


def submit_within_limits(
    machine: ClientConnection,
    sender: Mailbox | None,
    recipients: Sequence[Recipient],
    content: Content,
    mail_parameters: Sequence[Parameter[Any]] = (),
    rcpt_parameters: Sequence[Parameter[Any]] = (),
    *,
    chunking: bool = False,
    eight_bit: EightBit = "refuse",
    is_ascii: bool | None = None,
) -> Flow[Outcome]:
    """Send a message as :func:`~smtpcore.flows.submit.submit` does, in several transactions where RCPTMAX says so.

    Who cannot be sent to in this session, by MAILMAX or RCPTDOMAINMAX or because the content can be
    read only once, is NOT_SENT. Raises LocalProtocolError, with nothing sent, when the session has
    no transaction left.

    What goes wrong with the content once a transaction has ended is an outcome (``error``) too: an
    exception would hide who has the message.
    """
    usage = machine.usage
    if usage.mails_left == 0:
        raise LocalProtocolError(
            f"the server takes {usage.limits.mailmax} messages in a session: connect anew (RFC 9422 s4.1)"
        )
    addresses = addresses_of(recipients)
    groups, left = divide(usage, addresses)
    again: Callable[[], Source] | None = None
    if len(groups) > 1:
        content, again = repeatable(content, is_ascii)
    source = octets_of(content, is_ascii)

    def sent(group: Sequence[Recipient], source: Source) -> Flow[Outcome]:
        on_mail, on_rcpt = mail_parameters, rcpt_parameters
        return submit(machine, sender, group, source, on_mail, on_rcpt, chunking=chunking, eight_bit=eight_bit)

    if len(groups) == 1 and not left:
        return (yield from sent(recipients, source))
    found = {index: RecipientOutcome(addresses[index], Status.NOT_SENT, why=why) for index, why in left.items()}
    verdict: Reply | None = None
    error: Exception | None = None
    stopped = ""
    for number, group in enumerate(groups):
        if not stopped:
            try:
                if number and again is not None:
                    source = again()
                outcome = yield from sent([recipients[index] for index in group], source)
            except Exception as caught:
                if not number:
                    raise
                error = caught
                stopped = str(caught) or type(caught).__name__
            else:
                found.update(zip(group, outcome.recipients))
                error = outcome.error
                if verdict is None or is_positive(verdict):
                    verdict = outcome.reply or verdict
                stopped = _why_not_on(machine, error, again)
                continue
        found.update({index: RecipientOutcome(addresses[index], Status.NOT_SENT, why=stopped) for index in group})
    return Outcome(tuple([found[index] for index in range(len(recipients))]), verdict, error)


def _why_not_on(machine: ClientConnection, error: Exception | None, again: Callable[[], Source] | None) -> str:
    """Why there is no further transaction; empty when there may be one."""
    if machine.state is State.CLOSED:
        return (str(error) or type(error).__name__) if error else "the server closed the connection"
    if again is None:
        return "the server takes fewer recipients at a time, and the content can be read only once"
    return ""
