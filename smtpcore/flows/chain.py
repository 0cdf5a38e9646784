"""Chain: many messages over one connection, each begun in the packet that ends the one before (RFC 2920 s3.1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, final

from ..errors import LocalProtocolError, RemoteProtocolError
from ..extensions import PIPELINING, SMTPUTF8, UTF8
from ..session.client import ClientConnection
from ..session.event import CommandSkipped, ReplyReceived, VerdictReceived
from ..session.planning import why_not_offered
from ..table import EndOfContent, State
from ..wire.address import Mailbox
from ..wire.command import Command, Data, Mail, Rcpt, Rset
from ..wire.parameter import Parameter
from .client import heed, next_answer, unasked
from .content import Content, Source, octets_of
from .effect import Close, Flow, Write
from .error import Disconnected
from .ledger import Ledger, is_positive
from .limited import submit_within_limits
from .needs import EightBit, may_go_as_it_is
from .outcome import Outcome
from .recipient import Recipient, addresses_of, need_utf8, rcpt_for
from .submit import is_chunked, mail_for
from .transfer import last_words, send_pieces

__all__ = ["Letter", "may_be_chained", "prepare", "send_run", "submit_all"]


@final
class Letter:
    """One message of many, and how far it has come."""

    __slots__ = (
        "content",
        "data",
        "end",
        "last",
        "ledger",
        "mail",
        "outcome",
        "rcpts",
        "recipients",
        "sender",
        "source",
    )

    def __init__(
        self, sender: Mailbox | None, recipients: Sequence[Recipient], content: Content, is_ascii: bool | None = None
    ) -> None:
        if not recipients:
            raise ValueError("a message needs a recipient")
        self.sender = sender
        self.recipients = recipients
        self.content = content
        self.source: Source = octets_of(content, is_ascii)
        self.ledger = Ledger(addresses_of(recipients))
        self.mail: Mail | None = None
        self.rcpts: list[Rcpt] = []
        self.data: Data | None = None  # where the content goes behind DATA
        self.end: Command | None = None  # what is answered by the verdict
        self.last: Command | None = None  # what is answered last
        self.outcome: Outcome | None = None  #: What became of it, once that is known.

    def not_sent(self, error: Exception) -> Outcome:
        """What became of it where the session had ended before."""
        self.ledger.error = error
        return self.ledger.outcome()


def submit_all(
    machine: ClientConnection,
    letters: Sequence[Letter],
    mail_parameters: Sequence[Parameter[Any]] = (),
    rcpt_parameters: Sequence[Parameter[Any]] = (),
    *,
    chunking: bool = False,
    eight_bit: EightBit = "refuse",
) -> Flow[list[Outcome]]:
    """Send messages; the outcomes are in their order, and each tells the truth as that of ``submit`` does.

    Where the server has PIPELINING, MAIL, RCPT and DATA of a message go in the packet with the end
    of the content before. With ``chunking``, where it has CHUNKING too, a small content goes in that
    packet as well, and two messages at most are on their way and not answered.

    Once the first has begun nothing is raised, since it would hide what became of the others: what
    ends the connection, or what a content raises, is the ``error`` of those it keeps from being sent.
    Raises LocalProtocolError before that for what the server does not offer.
    """
    if machine.state not in _OPEN:
        raise LocalProtocolError(f"no message can be sent in state {machine.state.name}")
    chunked = prepare(machine, letters, mail_parameters, rcpt_parameters, chunking=chunking)
    run: list[Letter] = []
    for letter in letters:
        if letter.mail is None:
            letter.outcome = letter.ledger.outcome()  # nobody can get it
        elif may_be_chained(machine, letter, eight_bit, chunked=chunked):
            run.append(letter)
        else:
            yield from send_run(machine, run, chunked=chunked)
            run = []
            yield from _alone(machine, letter, mail_parameters, rcpt_parameters, chunking=chunking, eight_bit=eight_bit)
    yield from send_run(machine, run, chunked=chunked)
    return [letter.outcome or letter.ledger.outcome() for letter in letters]


def prepare(
    machine: ClientConnection,
    letters: Iterable[Letter],
    mail_parameters: Sequence[Parameter[Any]],
    rcpt_parameters: Sequence[Parameter[Any]],
    *,
    chunking: bool,
) -> bool:
    """Write the commands of each, as this server may have them; whether contents go in chunks.

    Raises LocalProtocolError for what the server does not offer.
    """
    chunked = is_chunked(machine, mail_parameters, chunking=chunking)
    utf8 = SMTPUTF8 in machine.capabilities
    for letter in letters:
        with_own = letter.ledger.recipients is not letter.recipients
        rcpts = [rcpt_for(recipient, rcpt_parameters) for recipient in letter.recipients]
        on_mail = mail_parameters
        if utf8 and (with_own or rcpt_parameters) and need_utf8(rcpts):
            on_mail = [*mail_parameters, UTF8(True)]
        letter.mail = mail_for(machine, letter.sender, letter.source, on_mail, letter.ledger)
        letter.rcpts = [rcpts[index] for index in letter.ledger.pending]
        for command in (letter.mail, *(letter.rcpts if with_own else letter.rcpts[:1])):
            why = command and why_not_offered(machine.extensions, machine, command)
            if why:
                raise LocalProtocolError(why)
    return chunked


# Looking a member of an Enum up costs more than all else that a step does with it.
_CLOSED: Final = State.CLOSED
_OPEN: Final = frozenset((State.READY, State.MAIL, State.RCPT, State.CHUNKS, State.SPOILT))


def may_be_chained(machine: ClientConnection, letter: Letter, eight_bit: EightBit, *, chunked: bool) -> bool:
    """Whether one that is prepared goes in one transaction, begun in the packet that ends the one before."""
    limits = machine.usage.limits
    if PIPELINING not in machine.capabilities or limits.rcptdomainmax is not None or letter.source.url is not None:
        return False
    if limits.rcptmax is not None and len(letter.rcpts) > limits.rcptmax:
        return False
    if chunked and letter.source.whole is None:
        return False
    return may_go_as_it_is(machine, letter.source, eight_bit)


def _alone(
    machine: ClientConnection,
    letter: Letter,
    mail_parameters: Sequence[Parameter[Any]],
    rcpt_parameters: Sequence[Parameter[Any]],
    *,
    chunking: bool,
    eight_bit: EightBit,
) -> Flow[None]:
    """One that is not chained to others, in as many transactions as it needs."""
    if machine.state is State.CLOSED:
        letter.outcome = letter.not_sent(Disconnected("the connection had ended before"))
        return
    try:
        letter.outcome = yield from submit_within_limits(
            machine,
            letter.sender,
            letter.recipients,
            letter.content,
            mail_parameters,
            rcpt_parameters,
            chunking=chunking,
            eight_bit=eight_bit,
            is_ascii=letter.source.is_ascii,
        )
    except Exception as error:  # noqa: BLE001 - what became of the others must not be lost
        letter.outcome = letter.not_sent(error)


def send_run(machine: ClientConnection, run: Sequence[Letter], *, chunked: bool) -> Flow[None]:
    """Send these, which may be chained, and settle what becomes of each."""
    left = machine.usage.mails_left
    sent = run if left is None else run[:left]
    error: Exception | None = None
    if machine.state is State.CLOSED:
        error = Disconnected("the connection had ended before")
    elif sent:
        try:
            sent[0].ledger.refused_all = heed(machine)
            if sent[0].ledger.refused_all is None:
                yield from _by_chunks(machine, sent) if chunked else _by_data(machine, sent)
        except Exception as caught:  # noqa: BLE001 - what became of the others must not be lost
            error = caught
            yield from _hear_last_words(machine, sent, error)
            machine.abandon()
            yield Close()
        except BaseException:
            machine.abandon()
            raise
    if machine.state is State.CLOSED and error is None:
        error = Disconnected("the server closed the connection")
        for letter in sent:
            letter.ledger.content_ended = False  # 421: replies come in order, so nothing behind it was looked at
    for letter in sent:
        ledger = letter.ledger
        if letter.outcome is None:
            if ledger.refused_all is None and ledger.verdict is None and ledger.pending:
                ledger.error = error
            letter.outcome = ledger.outcome()
    for letter in run[len(sent) :]:
        limit = machine.usage.limits.mailmax
        why = error or LocalProtocolError(f"the server takes MAILMAX={limit} messages in a session")
        letter.outcome = letter.not_sent(why)


def _hear_last_words(machine: ClientConnection, sent: Sequence[Letter], error: Exception) -> Flow[None]:
    """A server that hung up on a content may have said why."""
    flight = machine.in_flight
    for letter in sent:
        ends = letter.end is not None and flight and flight[0] is letter.end
        if ends and letter.data is not None and isinstance(error, OSError) and not letter.ledger.last_words:
            letter.ledger.verdict = letter.ledger.last_words = yield from last_words(machine)


# -- behind DATA ------------------------------------------------------------------------------------


def _by_data(machine: ClientConnection, letters: Sequence[Letter]) -> Flow[None]:
    owners: dict[int, Letter] = {}
    _begin(machine, letters[0], owners)
    for number, letter in enumerate(letters):
        following = letters[number + 1] if number + 1 < len(letters) else None
        if octets := machine.data_to_send():
            yield Write(octets)
        if letter.source.whole is not None:
            machine.prepare_content(letter.source.whole)  # the server is at work
        yield from _hear(machine, owners, letter.data)
        while machine.in_flight and machine.state is not State.CLOSED:
            yield from next_answer(machine)  # the verdict on a lone dot (RFC 2920 s3.1)
        if machine.state is State.CONTENT:
            letter.ledger.refused_all = unasked(machine)
        if machine.state is State.CLOSED:
            return
        if machine.state is State.CONTENT:
            letter.ledger.content_failed = True  # until it has not
            whole = letter.source.whole
            if whole is None:
                yield from send_pieces(machine, letter.source, letter.ledger)
            letter.end = machine.end_content(whole or b"", chained=following is not None)
            letter.ledger.content_failed = False
            letter.ledger.content_ended = True
            owners[id(letter.end)] = letter
        else:
            letter.outcome = letter.ledger.outcome()
        if following is not None:
            _begin(machine, following, owners)
    if letters[-1].end is not None:
        yield from _hear(machine, owners, letters[-1].end)


def _begin(machine: ClientConnection, letter: Letter, owners: dict[int, Letter]) -> None:
    """MAIL, RCPT and DATA, which go along with the end of a content, if there is one."""
    reset = [] if machine.state in {State.READY, State.CONTENT} else [Rset()]
    letter.data = Data()
    _queue(machine, letter, [*reset, *_envelope(letter), letter.data], owners)


def _envelope(letter: Letter) -> list[Command]:
    return [*([letter.mail] if letter.mail else []), *letter.rcpts]


def _queue(machine: ClientConnection, letter: Letter, commands: Sequence[Command], owners: dict[int, Letter]) -> None:
    letter.ledger.ask(letter.rcpts)
    for command in commands:
        owners[id(command)] = letter
        machine.send(command)


# -- in chunks --------------------------------------------------------------------------------------


def _by_chunks(machine: ClientConnection, letters: Sequence[Letter]) -> Flow[None]:
    """Whole contents, one message ahead of the one whose verdict is awaited."""
    owners: dict[int, Letter] = {}
    for number, letter in enumerate(letters):
        # What becomes of the one before is not known: RSET leaves nothing of it behind if nobody could get it.
        reset = [Rset()] if number or machine.state is not State.READY else []
        _queue(machine, letter, [*reset, *_envelope(letter)], owners)
        try:
            letter.last = letter.end = machine.send_chunk(letter.source.whole or b"", last=True)
            owners[id(letter.end)] = letter
            letter.ledger.content_ended = True
        except LocalProtocolError as error:
            letter.last = letter.rcpts[-1]  # of the content nothing goes; the others need not suffer from it
            letter.outcome = letter.not_sent(error)
        if number:
            yield from _hear(machine, owners, letters[number - 1].last)
            if machine.state is State.CLOSED:
                return
    yield from _hear(machine, owners, letters[-1].last)


# -- answers ----------------------------------------------------------------------------------------


def _hear(machine: ClientConnection, owners: dict[int, Letter], last: Command | None) -> Flow[None]:
    """The answers up to that to ``last``, each for the message that it is about."""
    while machine.state is not _CLOSED:
        event = machine.next_event()
        answer = event if type(event) is ReplyReceived else (yield from next_answer(machine, event))
        command = answer.command
        if command is None:
            # RFC 5321 s3.8: 421, which answers nothing; it is for the first that waits
            first = owners.get(id(machine.in_flight[0])) if machine.in_flight else None
            if first is not None and isinstance(answer, ReplyReceived):
                first.ledger.refused_all = answer.reply
            return
        if isinstance(answer, VerdictReceived):
            letter = owners[id(command)]
            letter.ledger.settle(answer.rcpt, answer.reply)
            if machine.in_flight and machine.in_flight[0] is command:
                continue
            letter.outcome = letter.ledger.outcome()
            del owners[id(command)]
            if command is last:
                return
            continue
        letter = owners.pop(id(command))
        if letter.outcome is not None:
            pass  # it is settled: its content cannot be sent
        elif isinstance(answer, CommandSkipped):
            if isinstance(command, Rcpt):
                letter.ledger.skipped(command, answer.why)
        else:
            _take(machine, letter, command, answer)
        if command is last:
            return


def _take(machine: ClientConnection, letter: Letter, command: Command, answer: ReplyReceived) -> None:
    reply, ledger = answer.reply, letter.ledger
    if command is letter.end:
        # In chunks there is a reply also where nobody could get it
        if ledger.refused_all is None and (isinstance(command, EndOfContent) or machine.state is State.READY):
            ledger.judge(reply)
        elif machine.state is State.CLOSED:
            ledger.refused_all = ledger.refused_all or reply  # 421
        letter.outcome = ledger.outcome()
    elif is_positive(reply):
        return
    elif isinstance(command, Rcpt):
        ledger.refused(command, reply)
    elif isinstance(command, Rset) and machine.state is not State.CLOSED:
        # What was left behind would get this message, too.
        raise RemoteProtocolError(f"{reply.code} is no answer to RSET (RFC 5321 s4.1.1.5)")
    elif reply.code >= 400:
        ledger.refused_all = ledger.refused_all or reply
