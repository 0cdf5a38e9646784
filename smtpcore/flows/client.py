"""The scripts of a client: open a session, authenticate, submit messages, ask, quit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Final, Literal, TypeAlias

from ..errors import LocalProtocolError, ParseError, ProtocolError
from ..extensions import AUTH, STARTTLS, Auth, AuthResponse, StartTls, XClient
from ..extensions.auth import decode_base64
from ..sasl import Channel, ClientMechanism, choose
from ..session.client import ClientConnection
from ..session.event import (
    NEED_DATA,
    ClientEvent,
    CommandSkipped,
    ConnectionClosed,
    ReplyReceived,
    Signal,
    VerdictReceived,
)
from ..table import State
from ..wire.command import Command, Ehlo, Helo, Lhlo, Quit
from ..wire.reply import Reply
from .effect import Close, Flow, Handshake, Read, Write
from .error import Disconnected, FlowError, NoMechanism, NotProven, Refused, TlsNotOffered

__all__ = [
    "TlsMode",
    "authenticate",
    "exchange",
    "greet",
    "heed",
    "next_answer",
    "open_session",
    "quit_session",
    "speak_for",
    "unasked",
]

#: ``required``: STARTTLS or nothing; ``opportunistic``: STARTTLS where offered; ``implicit``: TLS from the first octet.
TlsMode: TypeAlias = Literal["required", "opportunistic", "implicit", "none"]

# RFC 5321 s4.1.4: EHLO not understood; RFC 5321 s3.2 has the client try HELO then
_NO_EHLO: Final = frozenset((500, 501, 502, 504, 550))


_within: Final[Callable[[float | None], Read]] = cache(Read)  # there are as many as deadlines
_ANSWERS: Final = frozenset((ReplyReceived, CommandSkipped, VerdictReceived))


def next_answer(
    machine: ClientConnection, event: ClientEvent | Signal | None = None
) -> Flow[ReplyReceived | CommandSkipped | VerdictReceived]:
    """Write what waits to be written and read until a command is answered or skipped.

    ``event`` is one that was taken from the machine already.
    """
    while True:
        if event is None:
            event = machine.next_event()
        if type(event) in _ANSWERS:
            return event  # type: ignore[return-value]  # one of these, as its type says
        data = machine.data_to_send()
        if data:
            yield Write(data)
        if isinstance(event, ConnectionClosed):
            raise Disconnected("the server closed the connection")
        if event is NEED_DATA:
            deadline = machine.deadline
            machine.receive_data((yield _within(deadline.seconds if deadline else None)))
        elif isinstance(event, Signal):
            raise LocalProtocolError("no reply is due")
        event = None


def heed(machine: ClientConnection) -> Reply | None:
    """The 421 that a server has said unasked, if it has; to be called before the next question.

    Raises RemoteProtocolError when it has said anything else: it must not become the answer.
    """
    if machine.in_flight or machine.queued or machine.state is State.CLOSED:
        return None
    return unasked(machine)


def unasked(machine: ClientConnection) -> Reply | None:
    """The same, where no question waits for its answer."""
    event = machine.next_event()
    if isinstance(event, ConnectionClosed):
        raise Disconnected("the server closed the connection")
    return event.reply if isinstance(event, ReplyReceived) else None


def exchange(machine: ClientConnection, command: Command) -> Flow[Reply]:
    """Send one command and wait for its reply, of whatever code.

    A reply that is not waited for to its end would be taken for the answer to something else: when
    anything goes wrong the machine is abandoned.
    """
    unasked = heed(machine)
    if unasked:
        raise Refused(unasked, None)
    machine.send(command)
    while True:
        try:
            answer = yield from next_answer(machine)
        except BaseException:
            machine.abandon()
            raise
        if answer.command is command:
            if isinstance(answer, CommandSkipped):
                raise LocalProtocolError(answer.why)
            return answer.reply
        if isinstance(answer, ReplyReceived) and answer.command is None:
            raise Refused(answer.reply, None)


def greet(machine: ClientConnection, hostname: str) -> Flow[Reply]:
    """EHLO, and HELO where that is not understood (RFC 5321 s3.2); in LMTP, LHLO. Raises Refused."""
    greeting = Lhlo(hostname) if machine.lmtp else Ehlo(hostname)
    reply = yield from exchange(machine, greeting)
    if reply.code in _NO_EHLO and not machine.lmtp:
        reply = yield from exchange(machine, Helo(hostname))
    if not 200 <= reply.code < 300:
        raise Refused(reply, greeting)
    return reply


def open_session(
    machine: ClientConnection, hostname: str, tls: TlsMode, mechanisms: Sequence[ClientMechanism] = ()
) -> Flow[None]:
    """Everything before the first message: greeting, EHLO, TLS, AUTH.

    Raises Refused, TlsNotOffered or NoMechanism after QUIT, NotProven, or OSError when a handshake
    fails; nothing is tried again in a weaker way.
    """
    try:
        yield from _open(machine, hostname, tls, mechanisms)
    except FlowError:
        # RFC 5321 s4.1.1.10: the channel is not closed before QUIT, "even if there was an error response"
        yield from quit_session(machine)
        raise


def _open(machine: ClientConnection, hostname: str, tls: TlsMode, mechanisms: Sequence[ClientMechanism]) -> Flow[None]:
    channel: Channel | None = None
    if tls == "implicit":
        channel = yield Handshake()
        machine.verified = channel is not None and channel.verified
    answer = yield from next_answer(machine)
    if isinstance(answer, ReplyReceived) and not 200 <= answer.reply.code < 300:
        raise Refused(answer.reply, None)
    yield from greet(machine, hostname)
    if tls in {"required", "opportunistic"}:
        channel = yield from _start_tls(machine, hostname, required=tls == "required")
    if mechanisms:
        yield from authenticate(machine, mechanisms, channel)


def _start_tls(machine: ClientConnection, hostname: str, *, required: bool) -> Flow[Channel | None]:
    if STARTTLS not in machine.capabilities:
        if required:
            raise TlsNotOffered("the server does not offer STARTTLS")
        return None
    reply = yield from exchange(machine, StartTls())
    if machine.state is not State.UPGRADING:
        if required or machine.state is State.CLOSED:
            raise Refused(reply, StartTls())
        return None
    if reply.code != 220:  # RFC 3207 s4: the one positive reply there is
        machine.tls_failed()
        raise Refused(reply, StartTls())
    machine.next_event()  # raises when octets in the clear came with the reply
    try:
        channel: Channel | None = yield Handshake()
    except OSError:
        machine.tls_failed()
        raise
    machine.tls_established(verified=channel is not None and channel.verified)
    yield from greet(machine, hostname)
    return channel


def authenticate(
    machine: ClientConnection, mechanisms: Sequence[ClientMechanism], channel: Channel | None = None
) -> Flow[Reply]:
    """AUTH by the first of ``mechanisms`` that the server offers and the channel suits (RFC 4954 s4).

    ``channel`` is what the handshake has given. Raises NoMechanism when the server offers none,
    Refused when it says no: a weaker one is not tried then. Raises NotProven when it says yes
    without having proved what the mechanism asks of it; the machine is abandoned then.
    """
    offered = machine.capabilities.get(AUTH) or ()
    mechanism = choose(mechanisms, offered, channel, tls=machine.tls)
    if mechanism is None:
        raise NoMechanism(f"the server offers {' '.join(offered) or 'no mechanism'}")
    bind: Callable[[Channel | None, Sequence[str]], None] | None = getattr(mechanism, "bind", None)
    if bind is not None:
        bind(channel, offered)
    held = mechanism.step(None) if mechanism.client_first else None
    command: Auth | AuthResponse = Auth(mechanism.name)
    if held is not None and len(held) < _COMMAND_LINE:
        whole = Auth(mechanism.name, held)
        if len(bytes(whole)) <= _COMMAND_LINE:
            command, held = whole, None
    rounds = 0
    while True:
        reply = yield from exchange(machine, command)
        if machine.authenticated:
            if not getattr(mechanism, "proven", True):
                machine.abandon()  # whoever it is gets no mail, and no QUIT either
                raise NotProven(f"the server has not proved that it knows the secret of {mechanism.name}")
            return reply
        rounds += 1
        if machine.state is not State.AUTHENTICATING or (isinstance(command, AuthResponse) and command.gives_up):
            raise Refused(reply, Auth(mechanism.name))
        command, held = _respond(mechanism, reply, held) if rounds < MOST_ROUNDS else AuthResponse(None), None


#: Challenges that a client answers in one exchange; no mechanism that is known has more than a few.
MOST_ROUNDS: Final = 20

# RFC 4954 s4: AUTH with its initial response is subject to the limit of RFC 5321 s4.5.3.1.4; beyond it "the client
# MUST NOT use the initial response parameter", and gives it when it is asked
_COMMAND_LINE: Final = 512


def _respond(mechanism: ClientMechanism, reply: Reply, held: bytes | None) -> AuthResponse:
    """The response to a challenge, or ``*`` where there is none (RFC 4954 s4)."""
    try:
        challenge = decode_base64(reply.text.strip(" "))
        return AuthResponse(mechanism.step(challenge) if challenge or held is None else held)
    except ParseError:
        return AuthResponse(None)


def speak_for(machine: ClientConnection, command: XClient, hostname: str) -> Flow[Reply]:
    """XCLIENT, and EHLO anew where the server takes it; returns the reply to XCLIENT, of whatever code.

    EHLO says the HELO name of the client, where the command has one, else ``hostname``. Raises Refused when EHLO is.
    """
    hostname = Ehlo(command.helo if isinstance(command.helo, str) else hostname).client
    reply = yield from exchange(machine, command)
    if machine.state is State.GREETED:
        yield from greet(machine, hostname)
    return reply


def quit_session(machine: ClientConnection) -> Flow[None]:
    """QUIT, wait for its reply, and close (RFC 5321 s4.1.1.10)."""
    if machine.state not in {State.CLOSED, State.CONTENT, State.UPGRADING, State.AUTHENTICATING, State.CONNECTED}:
        try:
            yield from exchange(machine, Quit())
        except (OSError, ProtocolError, Refused):
            pass  # it was to be closed anyway
    yield Close()
