"""Submit: one message to any number of recipients, in as few round trips as the server allows."""

from __future__ import annotations

from collections.abc import AsyncIterable, Sequence
from typing import Any, Final, final

from ..errors import LocalProtocolError, RemoteProtocolError
from ..extensions import BODY, EIGHTBITMIME, SIZE, SMTPUTF8, STANDARD, UTF8, Body
from ..session.client import ClientConnection
from ..session.event import NEED_DATA, CommandSkipped, ConnectionClosed, ReplyReceived
from ..session.planning import why_not_offered
from ..table import State
from ..wire.address import Mailbox, Postmaster
from ..wire.command import Data, Mail, Rcpt, Rset
from ..wire.parameters import Parameter
from ..wire.reply import Reply
from .client import heed, next_answer, unasked
from .content import Source
from .effect import Await, Close, Flow, Read, Write
from .outcome import Outcome, RecipientOutcome, Status

__all__ = ["submit"]


def submit(
    machine: ClientConnection,
    sender: Mailbox | None,
    recipients: Sequence[Mailbox | Postmaster],
    source: Source,
    mail_parameters: Sequence[Parameter[Any]] = (),
    rcpt_parameters: Sequence[Parameter[Any]] = (),
) -> Flow[Outcome]:
    """Send a message; the outcome tells the truth about each recipient.

    MAIL, all RCPTs and DATA go in one group where the server has PIPELINING. What the content and
    the addresses need is asked for where the server offers it (8BITMIME, SMTPUTF8, SIZE).

    A connection that is lost, or a server that breaks the protocol, is an outcome (``error``), not
    an exception. A content that cannot be read or sent raises what its source raised, or
    LocalProtocolError, and the connection is closed without a final dot.
    """
    if not recipients:
        raise ValueError("a message needs a recipient")
    state = machine.state
    if state is not _READY and state is not _MAIL and state is not _RCPT:
        raise LocalProtocolError(f"no message can be sent in state {machine.state.name}")
    ledger = _Ledger(recipients)
    mail = _mail(machine, sender, source, mail_parameters, ledger)
    if mail is None:
        return ledger.outcome()
    pending = ledger.pending
    rcpts = [Rcpt(recipients[index], *rcpt_parameters) for index in pending]
    # What was put in above is offered; a mistake of the caller must not be found when half of the group is on its way.
    if mail_parameters or rcpt_parameters or machine.extensions is not STANDARD:
        for command in (mail, rcpts[0]):
            why = why_not_offered(machine.extensions, machine.capabilities, command)
            if why:
                raise LocalProtocolError(why)
    try:
        ledger.refused_all = heed(machine)
        if ledger.refused_all is None and (yield from _envelope(machine, mail, rcpts, pending, ledger)):
            ledger.refused_all = unasked(machine)
            if ledger.refused_all is None:
                yield from _send_content(machine, source, ledger)
    except Exception as error:
        machine.abandon()
        yield Close()
        if ledger.content_failed or not isinstance(error, (OSError, RemoteProtocolError)):
            raise
        ledger.error = None if ledger.last_words else error
    except BaseException:
        machine.abandon()  # the script is being cancelled: a reply that comes later would answer something else
        raise
    return ledger.outcome()


# Looking a member of an Enum up costs more than all else that a step does with it.
_READY, _MAIL, _RCPT, _CONTENT, _CLOSED = State.READY, State.MAIL, State.RCPT, State.CONTENT, State.CLOSED
_EIGHT_BIT: Final = BODY(Body.EIGHTBITMIME)
_UTF8: Final = UTF8(True)


def _mail(
    machine: ClientConnection,
    sender: Mailbox | None,
    source: Source,
    parameters: Sequence[Parameter[Any]],
    ledger: _Ledger,
) -> Mail | None:
    """MAIL with what this message needs; None when nobody can get it."""
    added = {parameter.keyword: parameter for parameter in parameters}
    if source.size is not None and SIZE in machine.capabilities:
        added.setdefault("SIZE", SIZE(source.size))  # RFC 1870 s6
    if source.is_ascii is not True and EIGHTBITMIME in machine.capabilities:
        added.setdefault("BODY", _EIGHT_BIT)  # RFC 6152 s3
    if (sender is not None and not sender.is_ascii) or ledger.needs_utf8:
        if SMTPUTF8 in machine.capabilities:
            added.setdefault("SMTPUTF8", _UTF8)  # RFC 6531 s3.4
        else:
            # RFC 6531 s3.2: such an address must not go to a server that does not know it
            ledger.leave_out_utf8(everybody=sender is not None and not sender.is_ascii)
    return Mail(sender, *added.values()) if ledger.pending else None


def _envelope(
    machine: ClientConnection, mail: Mail, rcpts: list[Rcpt], pending: Sequence[int], ledger: _Ledger
) -> Flow[bool]:
    """MAIL, RCPT and DATA, and their answers; whether the server waits for the content now."""
    send = machine.send
    if machine.state is not _READY:
        send(Rset())  # what an earlier message left behind
    send(mail)
    for rcpt in rcpts:
        send(rcpt)
    data = Data()
    send(data)
    indices: dict[int, int] = {}
    while True:
        event = machine.next_event()
        answer = event if type(event) is ReplyReceived else (yield from next_answer(machine, event))
        command = answer.command
        if type(answer) is ReplyReceived and command is not data and _positive(answer.reply):
            continue
        if isinstance(command, Rcpt) and not indices:
            indices = {id(rcpt): index for rcpt, index in zip(rcpts, pending)}
        if isinstance(answer, CommandSkipped):
            if isinstance(command, Rcpt):
                ledger.skipped(indices[id(command)], answer.why)
        elif isinstance(command, Rcpt):
            ledger.refused(indices[id(command)], answer.reply)
        elif command is None or command is mail:
            ledger.refused_all = answer.reply
        elif isinstance(command, Rset):
            if machine.state is not _CLOSED:
                # RFC 5321 s4.1.1.5: 250 is the one reply. What was left behind would get this message, too.
                raise RemoteProtocolError(f"{answer.reply.code} is no answer to RSET (RFC 5321 s4.1.1.5)")
            ledger.refused_all = answer.reply  # 421
        elif command is data and answer.reply.code >= 400:
            ledger.refused_all = ledger.refused_all or answer.reply
        if command is data or machine.state is _CLOSED:
            break
    while machine.in_flight and machine.state is not _CLOSED:
        yield from next_answer(machine)  # the verdict on a lone dot (RFC 2920 s3.1)
    return machine.state is _CONTENT


def _send_content(machine: ClientConnection, source: Source, ledger: _Ledger) -> Flow[None]:
    """The content, its end, and the verdict. Whatever goes wrong with it must not be followed by a final dot."""
    ledger.content_failed = True  # until it has not
    if source.whole is not None:
        machine.send_content(source.whole)
        yield from _write(machine, ledger, more=True)
    elif isinstance(source.chunks, AsyncIterable):
        iterator = aiter(source.chunks)
        while chunk := (yield Await(_next_chunk(iterator))):
            machine.send_content(chunk)
            yield from _write(machine, ledger)
    else:
        for chunk in source.chunks:
            machine.send_content(chunk)
            yield from _write(machine, ledger)
    end = machine.end_content()
    ledger.content_failed = False
    ledger.content_ended = True
    try:
        answer = yield from next_answer(machine, NEED_DATA)
        while answer.command is not end:
            answer = yield from next_answer(machine)
    except OSError:
        ledger.verdict = ledger.last_words = yield from _last_words(machine)
        raise
    if isinstance(answer, ReplyReceived):
        if answer.reply.code // 100 == 3:
            raise RemoteProtocolError(f"{answer.reply.code} is no verdict on a message (RFC 5321 s4.3.2)")
        ledger.verdict = answer.reply


def _write(machine: ClientConnection, ledger: _Ledger, *, more: bool = False) -> Flow[None]:
    data = machine.data_to_send()
    if data:
        ledger.content_failed = False  # what fails now is the connection
        try:
            yield Write(data, more)
        except OSError:
            ledger.refused_all = ledger.last_words = yield from _last_words(machine)
            raise
        ledger.content_failed = True


def _last_words(machine: ClientConnection) -> Flow[Reply | None]:
    """The refusal that a server gave before it hung up on a content, if it can still be read."""
    try:
        while True:
            event = machine.next_event()
            if isinstance(event, ReplyReceived):
                return event.reply if event.reply.code >= 400 else None
            if isinstance(event, ConnectionClosed):
                return None
            machine.receive_data((yield Read(_LAST_WORDS)))
    except (OSError, LocalProtocolError, RemoteProtocolError):
        return None


#: Seconds for what has been sent already to be read.
_LAST_WORDS: Final = 1.0


async def _next_chunk(iterator: Any) -> bytes:
    """The next chunk that is not empty; an empty one is the end."""
    async for chunk in iterator:
        if chunk:
            octets: bytes = chunk
            return octets
    return b""


def _positive(reply: Reply) -> bool:
    return 200 <= reply.code < 300


@final
class _Ledger:
    """What is known so far of each recipient."""

    __slots__ = (
        "_settled",
        "content_ended",
        "content_failed",
        "error",
        "last_words",
        "recipients",
        "refused_all",
        "verdict",
    )

    def __init__(self, recipients: Sequence[Mailbox | Postmaster]) -> None:
        self.recipients = recipients
        self.content_ended = False
        self.content_failed = False  # what goes wrong is the fault of the content, not of the connection
        self.verdict: Reply | None = None
        self.refused_all: Reply | None = None
        self.last_words: Reply | None = None  # of a server that hung up on a content
        self.error: Exception | None = None
        self._settled: dict[int, RecipientOutcome] = {}

    @property
    def pending(self) -> Sequence[int]:
        """The indices nothing has been settled for."""
        indices, settled = range(len(self.recipients)), self._settled
        return [index for index in indices if index not in settled] if settled else indices

    @property
    def needs_utf8(self) -> bool:
        return not "".join([recipient.written for recipient in self.recipients]).isascii()

    def leave_out_utf8(self, *, everybody: bool) -> None:
        why = "the server does not offer SMTPUTF8"
        for index, recipient in enumerate(self.recipients):
            if everybody or not recipient.is_ascii:
                self._settled[index] = RecipientOutcome(recipient, Status.NOT_SENT, why=why)

    def skipped(self, index: int, why: str) -> None:
        if self.refused_all is None:
            self._settled[index] = RecipientOutcome(self.recipients[index], Status.NOT_SENT, why=why)

    def refused(self, index: int, reply: Reply) -> None:
        if self.refused_all is None:
            self._settled[index] = RecipientOutcome(self.recipients[index], _status(reply), reply)

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
            found = [RecipientOutcome(recipient, status, reply, why) for recipient in self.recipients]
        return Outcome(tuple(found), self.verdict, self.error)

    def _of_the_others(self) -> tuple[Status, Reply | None, str]:
        """What became of those that nothing was settled for: all share it."""
        decided = self.verdict
        if decided is None:
            if self.content_ended:
                return Status.UNKNOWN, None, _why(self.error)
            decided = self.refused_all
            if decided is None:
                return Status.NOT_SENT, None, _why(self.error)
        return _status(decided), decided, ""


def _status(reply: Reply) -> Status:
    return _BY_DIGIT.get(reply.code // 100, Status.NOT_SENT)


_BY_DIGIT: Final = {2: Status.ACCEPTED, 4: Status.REFUSED_FOR_NOW, 5: Status.REFUSED}


def _why(error: Exception | None) -> str:
    return str(error) or type(error).__name__ if error else "the server did not ask for the content"
