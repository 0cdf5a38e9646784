"""Ledger: what a submission knows so far of each recipient."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Final, final

from ..errors import RemoteProtocolError
from ..wire.address import Mailbox, Postmaster
from ..wire.command import Command, Rcpt
from ..wire.reply import Reply
from .outcome import Outcome, RecipientOutcome, Status, same_for_all

__all__ = ["Ledger", "is_positive"]

_written: Final = attrgetter("written")


@final
class Ledger:
    """What is known so far of each recipient."""

    __slots__ = (
        "_indices",
        "_rcpts",
        "_settled",
        "content_ended",
        "content_failed",
        "error",
        "last_words",
        "recipients",
        "refused_all",
        "verdict",
        "why",
    )

    def __init__(self, recipients: Sequence[Mailbox | Postmaster]) -> None:
        self.recipients = recipients
        self.content_ended = False
        self.content_failed = False  # what goes wrong is the fault of the content, not of the connection
        self.verdict: Reply | None = None
        self.refused_all: Reply | None = None
        self.last_words: Reply | None = None  # of a server that hung up on a content
        self.error: Exception | None = None
        self.why = ""  # what kept the message back, where neither a reply nor an error did
        self._settled: dict[int, RecipientOutcome] = {}
        self._indices: Mapping[int, int] = {}
        self._rcpts: Sequence[Rcpt] = ()

    @property
    def pending(self) -> Sequence[int]:
        """The indices nothing has been settled for."""
        indices, settled = range(len(self.recipients)), self._settled
        return [index for index in indices if index not in settled] if settled else indices

    @property
    def waiting(self) -> Sequence[Mailbox | Postmaster]:
        """The recipients nothing has been settled for."""
        recipients = self.recipients
        return [recipients[index] for index in self.pending] if self._settled else recipients

    @property
    def begun(self) -> bool:
        """Whether anything was asked of the server for it."""
        return bool(self._rcpts)

    @property
    def needs_utf8(self) -> bool:
        """Whether a recipient can be written with SMTPUTF8 alone."""
        return not "".join(map(_written, self.recipients)).isascii()

    def leave_out_utf8(self, *, everybody: bool) -> None:
        """Those who need SMTPUTF8, or everybody, are not to be told to this server (RFC 6531 s3.2)."""
        why = "the server does not offer SMTPUTF8"
        for index, recipient in enumerate(self.recipients):
            if everybody or not recipient.is_ascii:
                self._settled[index] = RecipientOutcome(recipient, Status.NOT_SENT, why=why)

    def ask(self, rcpts: Sequence[Rcpt]) -> None:
        """These go out, one for each recipient that is pending."""
        self._rcpts = rcpts

    def _index(self, rcpt: Command) -> int:
        # Made when it is first needed, which is before anything is settled by an answer
        if not self._indices:
            self._indices = {id(asked): index for asked, index in zip(self._rcpts, self.pending)}
        return self._indices[id(rcpt)]

    def skipped(self, rcpt: Command, why: str) -> None:
        """RCPT was never sent."""
        if self.refused_all is None:
            index = self._index(rcpt)
            self._settled[index] = RecipientOutcome(self.recipients[index], Status.NOT_SENT, why=why)

    def refused(self, rcpt: Command, reply: Reply) -> None:
        """RCPT was refused."""
        if self.refused_all is None:
            self.settle(rcpt, reply)

    def settle(self, rcpt: Command, reply: Reply) -> None:
        """The reply that decides for this recipient alone."""
        index = self._index(rcpt)
        self._settled[index] = RecipientOutcome(self.recipients[index], _status(reply), reply)

    def judge(self, reply: Reply) -> None:
        """The server's verdict on the message; what it says after a refusal is none."""
        if reply.code // 100 == 3:
            raise RemoteProtocolError(f"{reply.code} is no verdict on a message (RFC 5321 s4.3.2)")
        if self.verdict is None:
            self.verdict = reply

    def outcome(self) -> Outcome:
        """The truth about each recipient."""
        settled = self._settled
        status, reply, why = self._of_the_others()
        if settled:
            found = [
                settled.get(index) or RecipientOutcome(recipient, status, reply, why)
                for index, recipient in enumerate(self.recipients)
            ]
        else:
            found = same_for_all(self.recipients, status, reply, why)
        return Outcome(tuple(found), self.verdict, self.error)

    def _of_the_others(self) -> tuple[Status, Reply | None, str]:
        """What became of those that nothing was settled for: all share it."""
        decided = self.verdict
        if decided is None:
            decided = self.refused_all
            if decided is None:
                # Law 10: what was handed over with its end and not answered may have been taken
                return Status.UNKNOWN if self.content_ended else Status.NOT_SENT, None, self.why or _why(self.error)
        return _status(decided), decided, ""


def is_positive(reply: Reply) -> bool:
    """Whether it is a 2yz."""
    return 200 <= reply.code < 300


def _status(reply: Reply) -> Status:
    return _BY_DIGIT.get(reply.code // 100, Status.NOT_SENT)


_BY_DIGIT: Final = {2: Status.ACCEPTED, 4: Status.REFUSED_FOR_NOW, 5: Status.REFUSED}


def _why(error: Exception | None) -> str:
    return str(error) or type(error).__name__ if error else "the server did not ask for the content"
