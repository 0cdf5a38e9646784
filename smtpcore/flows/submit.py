"""Submit: one message to any number of recipients, in as few round trips as the server allows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from ..errors import LocalProtocolError, RemoteProtocolError
from ..extensions import BODY, CHUNKING, EIGHTBITMIME, PIPELINING, SIZE, SMTPUTF8, STANDARD, UTF8, Body, BurlLast
from ..session.client import ClientConnection
from ..session.event import CommandSkipped, ReplyReceived, VerdictReceived
from ..session.planning import why_not_offered
from ..table import State
from ..wire.address import Mailbox
from ..wire.command import Command, Data, Mail, Rcpt, Rset
from ..wire.parameter import Parameter
from .client import heed, next_answer, unasked
from .content import Source
from .effect import Close, Flow, Write
from .ledger import Ledger, is_positive
from .needs import EightBit, EightBitFound, fit, has_utf8_header
from .outcome import Outcome
from .recipient import Recipient, addresses_of, need_utf8, rcpt_for
from .transfer import send_chunks, send_content

__all__ = ["is_chunked", "mail_for", "submit"]


def submit(
    machine: ClientConnection,
    sender: Mailbox | None,
    recipients: Sequence[Recipient],
    source: Source,
    mail_parameters: Sequence[Parameter[Any]] = (),
    rcpt_parameters: Sequence[Parameter[Any]] = (),
    *,
    chunking: bool = False,
    eight_bit: EightBit = "refuse",
) -> Flow[Outcome]:
    """Send a message; the outcome tells the truth about each recipient.

    MAIL, all RCPTs and DATA go in one group where the server has PIPELINING. What the octets of the
    content and the addresses need is asked for where the server offers it (8BITMIME, SMTPUTF8, SIZE);
    8BITMIME also for a content of which nothing is known beforehand. A recipient given as an Rcpt has
    parameters of its own; they come before those of ``rcpt_parameters``.

    Where the server does not offer what they need, nobody gets the message, or who needs it does not.
    ``eight_bit`` says otherwise of a content beyond ASCII: ``"downgrade"`` writes it as ASCII,
    ``"send"`` sends it as it is. A content of unknown octets goes until the first one beyond ASCII
    appears; then it is broken off, the connection closed, and the message certainly not taken.

    With ``chunking`` the content goes by BDAT where the server offers CHUNKING, and by DATA elsewhere;
    with BODY=BINARYMIME among the parameters it goes by BDAT or not at all (RFC 3030 s3).

    A connection that is lost, or a server that breaks the protocol, is an outcome (``error``), not
    an exception. A content that cannot be read or sent raises what its source raised, or
    LocalProtocolError, and the connection is closed without a final dot.
    """
    if not recipients:
        raise ValueError("a message needs a recipient")
    state = machine.state
    if state not in _OPEN:
        raise LocalProtocolError(f"no message can be sent in state {machine.state.name}")
    chunked = source.url is not None or is_chunked(machine, mail_parameters, chunking=chunking)
    ledger = Ledger(addresses_of(recipients))
    if source.is_ascii is not True and source.url is None and eight_bit != "send" and not _is_binary(mail_parameters):
        source, ledger.why = yield from fit(machine, source, eight_bit)
        if ledger.why:
            return ledger.outcome()
    with_own = ledger.recipients is not recipients
    rcpts: list[Rcpt] = []
    if with_own or rcpt_parameters:
        rcpts = [rcpt_for(recipient, rcpt_parameters) for recipient in recipients]
        if need_utf8(rcpts) and SMTPUTF8 in machine.capabilities:
            mail_parameters = [*mail_parameters, _UTF8]
    mail = mail_for(machine, sender, source, mail_parameters, ledger)
    if mail is None:
        return ledger.outcome()
    if rcpts:
        rcpts = [rcpts[index] for index in ledger.pending]
    else:
        rcpts = [Rcpt(recipient) for recipient in ledger.waiting]
    # What was put in above is offered; a mistake of the caller must not be found when half of the group is on its way.
    asked: list[Command] = [source.url] if source.url is not None else []
    if mail_parameters or rcpt_parameters or with_own or asked or machine.extensions is not STANDARD:
        for command in (mail, *(rcpts if with_own else rcpts[:1]), *asked):
            why = why_not_offered(machine.extensions, machine, command)
            if why:
                raise LocalProtocolError(why)
    try:
        if not machine.idle:
            ledger.refused_all = heed(machine)
        if ledger.refused_all is None:
            if chunked:
                yield from _by_chunks(machine, mail, rcpts, source, ledger)
            elif (yield from _envelope(machine, mail, rcpts, Data(), ledger, ahead=source.whole)):
                if not machine.idle:
                    ledger.refused_all = unasked(machine)
                if ledger.refused_all is None:
                    yield from send_content(machine, source, ledger)
    except EightBitFound as found:
        machine.abandon()  # without a final dot, or the last chunk
        yield Close()
        ledger.why = str(found)
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
_READY, _RCPT, _CONTENT, _CLOSED = State.READY, State.RCPT, State.CONTENT, State.CLOSED
#: Where the reply to a content leads, and where 354, which is none, leaves it.
_JUDGED: Final = frozenset((State.READY, State.RCPT))
_OPEN: Final = frozenset((State.READY, State.MAIL, State.RCPT, State.CHUNKS, State.SPOILT))
#: MAIL and the content.
_BESIDE_RECIPIENTS: Final = 2
_EIGHT_BIT: Final = BODY(Body.EIGHTBITMIME)
_UTF8: Final = UTF8(True)


def mail_for(
    machine: ClientConnection,
    sender: Mailbox | None,
    source: Source,
    parameters: Sequence[Parameter[Any]],
    ledger: Ledger,
) -> Mail | None:
    """MAIL with what this message needs; None when nobody can get it."""
    added = {parameter.keyword: parameter for parameter in parameters} if parameters else {}
    if source.size is not None and SIZE in machine.capabilities:
        added.setdefault("SIZE", SIZE(source.size))  # RFC 1870 s6
    if source.is_ascii is not True and EIGHTBITMIME in machine.capabilities:
        added.setdefault("BODY", _EIGHT_BIT)  # RFC 6152 s3
    if (sender is not None and not sender.is_ascii) or ledger.needs_utf8 or has_utf8_header(source):
        if SMTPUTF8 in machine.capabilities:
            added.setdefault("SMTPUTF8", _UTF8)  # RFC 6531 s3.4
        else:
            # RFC 6531 s3.2: such an address must not go to a server that does not know it
            ledger.leave_out_utf8(everybody=sender is not None and not sender.is_ascii)
    return Mail(sender, *added.values()) if ledger.waiting else None


def is_chunked(machine: ClientConnection, parameters: Sequence[Parameter[Any]], *, chunking: bool) -> bool:
    """Whether the content goes by BDAT.

    Raises LocalProtocolError for BODY=BINARYMIME where the server offers no CHUNKING (RFC 3030 s3).
    """
    if not (chunking or parameters):
        return False  # nobody has asked for it
    offered = CHUNKING in machine.capabilities
    if not offered and _is_binary(parameters):
        raise LocalProtocolError("BODY=BINARYMIME needs CHUNKING, which the server does not offer (RFC 3030 s3)")
    return offered and (chunking or _is_binary(parameters))


def _is_binary(parameters: Sequence[Parameter[Any]]) -> bool:
    """Whether any octets may go: BINARYMIME is asked for, which is checked to be offered before anything is said."""
    return any(parameter.value is Body.BINARYMIME for parameter in parameters)


def _envelope(
    machine: ClientConnection,
    mail: Mail,
    rcpts: list[Rcpt],
    data: Data | None,
    ledger: Ledger,
    whole: bytes | BurlLast | None = None,
    ahead: bytes | None = None,
) -> Flow[bool]:
    """MAIL, RCPT and DATA or a ``whole`` content, and their answers; whether the content may follow now.

    One that is to follow and all at hand is looked at ``ahead``, while the server is at work.
    """
    send = machine.send
    if machine.state is not _READY:
        send(Rset())  # what an earlier message left behind
    send(mail)
    for rcpt in rcpts:
        send(rcpt)
    last: Command = rcpts[-1]
    if data is not None:
        last = data
        send(data)
    elif whole is not None:
        ledger.content_ended = True
        last = whole if isinstance(whole, BurlLast) else machine.send_chunk(whole, last=True)
        if last is whole:
            send(last)
    ledger.ask(rcpts)
    if octets := machine.data_to_send():
        yield Write(octets)
    if ahead is not None:
        machine.prepare_content(ahead)
    while True:
        event = machine.next_event()
        if type(event) is ReplyReceived:
            answer: ReplyReceived | CommandSkipped | VerdictReceived = event
        else:
            answer = yield from next_answer(machine, event)
        command = answer.command
        if command is not last and type(answer) is ReplyReceived and is_positive(answer.reply):
            continue
        if command is data and machine.state is _CONTENT:
            break
        if isinstance(answer, VerdictReceived):
            ledger.settle(answer.rcpt, answer.reply)
            if machine.in_flight and machine.in_flight[0] is last:
                continue
        elif isinstance(answer, CommandSkipped):
            if isinstance(command, Rcpt):
                ledger.skipped(command, answer.why)
        elif isinstance(command, Rcpt):
            if not is_positive(answer.reply):
                ledger.refused(command, answer.reply)
        elif command is None or command is mail:
            ledger.refused_all = answer.reply
        elif isinstance(command, Rset):
            if machine.state is not _CLOSED:
                # RFC 5321 s4.1.1.5: 250 is the one reply. What was left behind would get this message, too.
                raise RemoteProtocolError(f"{answer.reply.code} is no answer to RSET (RFC 5321 s4.1.1.5)")
            ledger.refused_all = answer.reply  # 421
        elif command is data and answer.reply.code >= 400:
            ledger.refused_all = ledger.refused_all or answer.reply
        elif whole is not None and command is last and machine.state in _JUDGED and ledger.refused_all is None:
            ledger.judge(answer.reply)
        if command is last or machine.state is _CLOSED:
            # No message without a recipient; nor behind 421, since replies come in order
            ledger.content_ended = ledger.content_ended and machine.state is _READY
            break
    while machine.in_flight and machine.state is not _CLOSED:
        yield from next_answer(machine)  # the verdict on a lone dot (RFC 2920 s3.1)
    return machine.state is _CONTENT or (data is None and machine.state is _RCPT)


def _by_chunks(machine: ClientConnection, mail: Mail, rcpts: list[Rcpt], source: Source, ledger: Ledger) -> Flow[None]:
    """All of it behind BDAT: a small content goes along with the envelope, any other when a recipient was accepted."""
    if source.url is not None:
        yield from _envelope(machine, mail, rcpts, None, ledger, source.url)
        return
    # Not behind RSET, which may fail. What has to wait for room would be taken for sent when the connection is lost.
    goes_along = machine.state is _READY and len(rcpts) + _BESIDE_RECIPIENTS <= machine.limits.in_flight
    whole = source.whole if goes_along and PIPELINING in machine.capabilities else None
    if (yield from _envelope(machine, mail, rcpts, None, ledger, whole)):
        ledger.refused_all = unasked(machine)
        if ledger.refused_all is None:
            yield from send_chunks(machine, source, ledger)
