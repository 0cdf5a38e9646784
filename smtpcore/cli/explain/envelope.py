"""Envelope: the recipients of the transaction in hand, and what is known of their fate."""

from __future__ import annotations

from collections import deque
from typing import Final, final

from ...wire.address import Mailbox
from ...wire.command import Mail, Rcpt
from ...wire.reply import Reply
from .exchange import Exchange
from .story import Message, Recipient, Story, Verdict

__all__ = ["Envelope"]

_NOT_SENT: Final = "the message was never sent"
_UNKNOWN: Final = "no reply to the content is known"
_WORDS: Final = 200


@final
class Envelope:
    """One transaction after the other."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._message: Message | None = None
        self._waiting: deque[int] = deque()  # places of accepted recipients without a verdict
        self._sent = False

    @property
    def accepted(self) -> int:
        """Recipients that wait for the verdict on the content."""
        return len(self._waiting)

    def begin(self, exchange: Exchange) -> None:
        """MAIL was accepted."""
        self.end()
        command = exchange.command
        if isinstance(command, Mail):
            sender = "<>" if command.sender is None else str(command.sender)
        else:
            sender = exchange.label
        self._message = Message(sender, [])
        self._story.messages.append(self._message)

    def add(self, exchange: Exchange, reply: Reply) -> None:
        """RCPT was answered."""
        if self._message is None:  # RCPT without MAIL
            self._message = Message("(no MAIL)", [])
            self._story.messages.append(self._message)
        command = exchange.command
        path = exchange.label
        if isinstance(command, Rcpt):
            recipient = command.recipient
            path = str(recipient) if isinstance(recipient, Mailbox) else "Postmaster"
        held = self._message.recipients
        if reply.code < 400:
            self._waiting.append(len(held))
            held.append(Recipient(path, "not sent", _NOT_SENT))
        else:
            held.append(Recipient(path, "refused" if reply.code >= 500 else "deferred", _shown(reply)))

    def send(self) -> None:
        """The content is on its way."""
        if self._message is not None and not self._sent:
            self._sent = True
            held = self._message.recipients
            for place in self._waiting:
                held[place] = held[place]._replace(verdict="unknown", words=_UNKNOWN)

    def judge(self, reply: Reply, *, all_of_them: bool) -> None:
        """The content was answered: for all recipients, or in LMTP for the next one."""
        if self._message is None:
            return
        code = reply.code
        verdict: Verdict = "accepted" if code < 300 else "refused" if code >= 500 else "deferred"
        held = self._message.recipients
        for _ in range(len(self._waiting) if all_of_them else min(1, len(self._waiting))):
            place = self._waiting.popleft()
            held[place] = Recipient(held[place].path, verdict, _shown(reply))
        if not self._waiting:
            self.end()

    def end(self) -> None:
        """The transaction is over, whatever became of it."""
        self._message = None
        self._waiting.clear()
        self._sent = False


def _shown(reply: Reply) -> str:
    words = " ".join(str(reply).split("\n"))
    return words[:_WORDS]
