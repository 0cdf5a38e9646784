"""The scripts of ATRN (RFC 2645): what the provider sends, and how the customer receives it."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Sequence
from typing import Any, TypeAlias, cast, final

from ..errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from ..extensions import Atrn
from ..extensions.atrn import NO_MAIL
from ..session.client import ClientConnection
from ..session.event import ReplyReceived
from ..session.server import ServerConnection
from ..session.settings import ServerSettings
from ..session.turning import become_client, become_server
from ..table import State
from ..wire.address import Mailbox, Postmaster
from ..wire.parameter import Parameter
from ..wire.reply import Reply
from .client import exchange, greet, next_answer, quit_session
from .content import Content, octets_of
from .control import FAILED, Control, Drain
from .effect import Await, Flow, Write
from .error import FlowError
from .ledger import Ledger
from .outcome import Outcome
from .submit import submit

__all__ = ["Letter", "Letters", "deliver", "letters_of", "relay", "turn"]


@final
class Letter:
    """One message for the customer of an on-demand mail relay.

    Raises ParseError for an address that is none, TypeError for a content that is none.
    """

    __slots__ = ("chunking", "mail_parameters", "rcpt_parameters", "recipients", "sender", "source")

    def __init__(
        self,
        sender: str | Mailbox | None,
        recipients: Iterable[str | Mailbox | Postmaster],
        content: Content,
        *,
        mail_parameters: Sequence[Parameter[Any]] = (),
        rcpt_parameters: Sequence[Parameter[Any]] = (),
        chunking: bool = False,
    ) -> None:
        if isinstance(recipients, str):
            raise TypeError("recipients must be several: a list of addresses")
        self.sender = Mailbox.parse(sender) if isinstance(sender, str) else sender  #: None is the null reverse-path.
        #: In the order of the outcome's recipients.
        self.recipients = [Mailbox.parse(each) if isinstance(each, str) else each for each in recipients]
        self.source = octets_of(content)
        self.mail_parameters = mail_parameters
        self.rcpt_parameters = rcpt_parameters
        self.chunking = chunking


#: What a provider has for a customer.
Letters: TypeAlias = Iterable[Letter] | AsyncIterable[Letter]


def letters_of(answer: Any) -> Letters | Reply:
    """What a handler's ``atrn`` has returned: letters, or the reply that refuses.

    No letters are 453. Raises TypeError for anything else, a reply that is no refusal too.
    """
    if isinstance(answer, Reply) and answer.code >= 400:
        return answer
    if answer is None or (isinstance(answer, (list, tuple)) and not answer):
        return NO_MAIL  # RFC 2645 s5.2.1
    if isinstance(answer, (Reply, str, bytes)) or not isinstance(answer, (Iterable, AsyncIterable)):
        raise TypeError(f"ATRN is answered with letters or with a refusal, not with {answer!r}")
    return cast("Letters", answer)


def deliver(
    machine: ClientConnection,
    hostname: str,
    letters: Letters,
    tell: Callable[[Letter, Outcome], Flow[Any]],
    is_over: Callable[[], bool],
) -> Flow[None]:
    """The provider, behind its 250: wait for the greeting, say EHLO, send, and quit.

    ``tell`` is told what became of each letter, as soon as that is known. Of those that come behind a lost
    connection, or when ``is_over`` says so, nothing is told: they have not been sent.
    """
    waiting = aiter(letters) if isinstance(letters, AsyncIterable) else iter(letters)
    try:
        answer = yield from next_answer(machine)
        if isinstance(answer, ReplyReceived) and 200 <= answer.reply.code < 300:
            yield from greet(machine, hostname)
            while machine.state is not State.CLOSED and not is_over():
                letter: Letter | None = yield from _next(waiting)
                if letter is None:
                    break
                yield from tell(letter, (yield from _send(machine, letter)))
    except (FlowError, ProtocolError, OSError):
        machine.abandon()  # it is the customer's to ask again
        raise
    yield from quit_session(machine)


def relay(machine: ServerConnection, answer: Any, ask: Callable[..., Flow[Any]], control: Control) -> Flow[None]:
    """The provider, from the ATRN that waits to the end of the connection; ``answer`` is what its handler has said."""
    try:
        letters = letters_of(answer)
    except TypeError as error:
        control.report(error)
        letters = FAILED
    if isinstance(letters, Reply):
        machine.reply(letters)
        return
    machine.accept()
    yield Write(machine.data_to_send())
    client = become_client(machine)
    hostname = machine.settings.hostname

    def tell(letter: Letter, outcome: Outcome) -> Flow[None]:
        yield from ask("relayed", letter, outcome)

    try:
        yield from _undisturbed(deliver(client, hostname, letters, tell, lambda: control.draining))
    except (FlowError, OSError, RemoteProtocolError):
        pass  # the customer did not go on
    except Exception as error:  # noqa: BLE001 - what a handler returned may raise anything
        control.report(error)


def _undisturbed(flow: Flow[None]) -> Flow[None]:
    """The same script, which waits on where it would be drained."""
    try:
        effect = next(flow)
        while True:
            try:
                value = yield effect
            except Drain:
                continue
            except Exception as error:  # noqa: BLE001 - it belongs to the script, whatever it is
                effect = flow.throw(error)
            else:
                effect = flow.send(value)
    except StopIteration:
        pass
    finally:
        flow.close()


def _send(machine: ClientConnection, letter: Letter) -> Flow[Outcome]:
    try:
        return (
            yield from submit(
                machine,
                letter.sender,
                letter.recipients,
                letter.source,
                letter.mail_parameters,
                letter.rcpt_parameters,
                chunking=letter.chunking,
            )
        )
    except LocalProtocolError as error:
        if machine.state is State.CLOSED:
            raise
        # What this customer must not get (REQUIRETLS) or cannot take holds up no other letter
        ledger = Ledger(letter.recipients)
        ledger.why = str(error)
        return ledger.outcome()


def _next(waiting: Any) -> Flow[Letter | None]:
    if isinstance(waiting, AsyncIterator):
        found: Letter | None = yield Await(_from(cast("AsyncIterator[Letter]", waiting)))
        return found
    return next(waiting, None)


async def _from(waiting: AsyncIterator[Letter]) -> Letter | None:
    async for letter in waiting:
        return letter
    return None


def turn(
    machine: ClientConnection,
    command: Atrn,
    settings: ServerSettings,
    serve: Callable[[ServerConnection], Flow[None]],
) -> Flow[Reply]:
    """The customer: ATRN, and where it is taken a server of its own that receives; returns the reply to ATRN."""
    reply = yield from exchange(machine, command)
    if machine.state is State.TURNED:
        yield from serve(become_server(machine, settings))
    return reply
