"""Both machines, driven over octets cut in any way, with everything that can be seen of them afterwards.

``run_server`` and ``run_client`` play one side's octets against a machine and a scripted application, and give back a
:class:`Trace` in which the borders of chunks have left no mark. :class:`Pair` joins a client and a server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import SimpleNamespace
from typing import Any

from smtpcore import (
    INTEROP,
    NEED_DATA,
    PAUSED,
    Auth,
    AuthResponse,
    Capabilities,
    ClientConnection,
    Command,
    CommandReceived,
    CommandSkipped,
    ConnectionClosed,
    ContentEnded,
    Data,
    Ehlo,
    Expn,
    Helo,
    Help,
    Mail,
    Mailbox,
    Noop,
    Quit,
    Rcpt,
    RemoteProtocolError,
    Reply,
    ReplyReceived,
    Rset,
    ServerConnection,
    StartTls,
    State,
    Strictness,
    Vrfy,
)
from smtpcore import extensions as ext
from smtpcore.extensions import Atrn, Burl, BurlLast, Etrn, XClient, XForward
from tests.session.looking import Trace, all_cuts, join

#: Everything that the first extensions have to offer.
FULL = Capabilities(
    ext.PIPELINING,
    ext.SIZE(1_000_000),
    ext.EIGHTBITMIME,
    ext.SMTPUTF8,
    ext.ENHANCEDSTATUSCODES,
    ext.STARTTLS,
    ext.AUTH.offer(("PLAIN", "LOGIN")),
    ext.HELP,
    ext.CHUNKING,
    ext.BINARYMIME,
    ext.ETRN,
    ext.XCLIENT.offer(ext.XCLIENT_ATTRIBUTES),
    ext.XFORWARD.offer(ext.XFORWARD_ATTRIBUTES),
    ext.BURL.offer(("imap",)),
    ext.ATRN,
)
#: For calls that no type checker would let pass.
untyped: Any = SimpleNamespace(Mail=Mail, Rcpt=Rcpt, Auth=Auth, AuthResponse=AuthResponse, SIZE=ext.SIZE)
ALICE = Mailbox.parse("alice@crepes.fr")
BOB = Mailbox.parse("bob@hamburger.edu")
EHLO = b"EHLO crepes.fr\r\n"
ENVELOPE = b"MAIL FROM:<alice@crepes.fr>\r\nRCPT TO:<bob@hamburger.edu>\r\n"
#: What a server with FULL says to EHLO.
OFFER = (
    b"250-hamburger.edu\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
    b"250-AUTH PLAIN LOGIN\r\n250-STARTTLS\r\n250-CHUNKING\r\n250-BINARYMIME\r\n250-ETRN\r\n250-XCLIENT NAME ADDR\r\n"
    b"250-XFORWARD NAME ADDR\r\n250-BURL imap\r\n250-ATRN\r\n250 ENHANCEDSTATUSCODES\r\n"
)


# -- the server -----------------------------------------------------------------------------------

Application = Callable[[ServerConnection, Command], None]


def obliging(machine: ServerConnection, command: Command) -> None:
    """Takes everything; AUTH without a response gets one empty challenge."""
    if isinstance(command, Auth) and command.initial_response is None:
        machine.challenge(b"")
    else:
        machine.accept()


def choosy(machine: ServerConnection, command: Command) -> None:
    """Refuses who is called after a reply code: ``<550.x@y>`` gets 550."""
    path = command.sender if isinstance(command, Mail) else command.recipient if isinstance(command, Rcpt) else None
    code = path.local_part[:3] if path is not None else ""
    if code.isdigit():
        machine.reply(Reply(int(code), "as you like it"))
    else:
        obliging(machine, command)


def answering(answers: dict[type[Command], Reply]) -> Application:
    """Gives each command the reply that stands there, and takes the others."""

    def application(machine: ServerConnection, command: Command) -> None:
        if type(command) in answers:
            machine.reply(answers[type(command)])
        else:
            obliging(machine, command)

    return application


def make_server(capabilities: Capabilities = FULL, **options: Any) -> Any:
    """A server that lets AUTH do without TLS, as most vectors have it, and trusts its client."""
    options.setdefault("allow_plaintext_auth", True)
    machine = ServerConnection("hamburger.edu", capabilities, **options)
    machine.trust()
    return machine


def drain(machine: ServerConnection, application: Application, events: list[Any]) -> str:
    """Take events and answer them until the machine waits; what it raised, if it did."""
    while True:
        try:
            event = machine.next_event()
        except RemoteProtocolError as error:
            return str(error)
        if event is NEED_DATA or event is PAUSED:
            return ""
        if isinstance(event, ConnectionClosed) and events[-1:] == [event]:
            return ""
        join(events, event)
        if isinstance(event, (CommandReceived, ContentEnded)):
            assert machine.awaiting is not None
            application(machine, machine.awaiting)
        if isinstance(event, ConnectionClosed):
            return ""


def stream(chunks: Iterable[bytes], eof: bool) -> list[bytes]:
    """Chunks as reads give them: none is empty but the last, which is the end."""
    return [*filter(None, chunks), *([b""] if eof else [])]


def run_server(
    chunks: Iterable[bytes],
    *,
    application: Application = obliging,
    machine: ServerConnection | None = None,
    eof: bool = False,
    before: bytes = b"",
    **options: Any,
) -> Trace:
    """Feed ``before`` in one piece and unseen, then ``chunks`` one by one; greet first if nobody has."""
    machine = machine or make_server(**options)
    if machine.state is State.CONNECTED:
        machine.greet()
    if before:
        machine.receive_data(before)
        assert not drain(machine, application, [])
    machine.data_to_send()
    events: list[Any] = []
    error = ""
    for chunk in stream(chunks, eof):
        machine.receive_data(chunk)
        error = drain(machine, application, events)
        if error:
            break
    return Trace(events, machine.data_to_send(), machine.state, machine.buffered, machine.transaction, error)


def run_server_cut(data: bytes, **options: Any) -> Trace:
    """The same, whole, after having seen that octet by octet and at every 2-split nothing differs."""
    whole = run_server([data], **options)
    for chunks in all_cuts(data):
        assert run_server(chunks, **options) == whole, chunks if len(chunks) == 2 else "octet by octet"
    return whole


def reach(state: State, *, tls: bool = False, **options: Any) -> Any:
    """A server machine in that state, with nothing left to write."""
    machine = make_server(tls=tls, **options)
    if state is not State.CONNECTED:
        machine.greet(Reply(554, "no service") if state is State.REFUSED else None)
    lines = {
        State.READY: EHLO,
        State.MAIL: EHLO + ENVELOPE.split(b"\n")[0] + b"\n",
        State.RCPT: EHLO + ENVELOPE,
        State.CONTENT: EHLO + ENVELOPE + b"DATA\r\n",
        State.CHUNKS: EHLO + ENVELOPE + b"BDAT 3\r\na\r\n",
        State.SPOILT: EHLO + ENVELOPE + b"BDAT 2\r\n\nb",
        State.AUTHENTICATING: EHLO + b"AUTH PLAIN\r\n",
        State.UPGRADING: EHLO + b"STARTTLS\r\n",
        State.TURNED: EHLO + b"AUTH PLAIN AGEAYg==\r\nATRN\r\n",
        State.CLOSED: b"QUIT\r\n",
    }.get(state, b"")
    if lines:
        machine.receive_data(lines)
        drain(machine, obliging, [])
    machine.data_to_send()
    assert machine.state is state
    return machine


# -- the client -----------------------------------------------------------------------------------


def refusing(machine: ServerConnection, command: Command) -> None:
    """Takes nothing."""
    machine.reply(Reply(550, "no"))


Caller = Callable[[ClientConnection, Any], None]


def idle(machine: ClientConnection, event: Any) -> None:
    """A caller who sends nothing more."""


def greeted_client(offer: bytes = OFFER, **options: Any) -> Any:
    """A client behind the answer to EHLO, with nothing left to write or to take."""
    options.setdefault("allow_plaintext_auth", True)
    machine = ClientConnection(**options)
    machine.send(Ehlo("crepes.fr"))
    for reply in (b"220 hamburger.edu\r\n", offer):
        machine.receive_data(reply)
        assert isinstance(machine.next_event(), ReplyReceived)
        machine.data_to_send()
    return machine


def fresh() -> Any:
    """A client that waits for its greeting."""
    return ClientConnection()


def content_client() -> Any:
    """A client behind 354, with nothing left to write."""
    machine = greeted_client()
    for command in (Mail(ALICE), Rcpt(BOB), Data()):
        machine.send(command)
    answer(machine, b"250 ok\r\n250 ok\r\n354 go\r\n")
    machine.data_to_send()
    assert machine.state is State.CONTENT
    return machine


def skipped(events: list[Any]) -> list[Command]:
    """The commands that were never sent."""
    return [event.command for event in events if isinstance(event, CommandSkipped)]


def take(machine: ClientConnection) -> list[Any]:
    """The events there are now."""
    events: list[Any] = []
    while True:
        event = machine.next_event()
        if event is NEED_DATA or event is PAUSED:
            return events
        events.append(event)
        if isinstance(event, ConnectionClosed):
            return events


def answer(machine: ClientConnection, replies: bytes) -> list[Any]:
    """The events that come of octets of the server."""
    machine.receive_data(replies)
    return take(machine)


def run_client(
    chunks: Iterable[bytes],
    commands: Sequence[Command] = (),
    *,
    caller: Caller = idle,
    machine: ClientConnection | None = None,
    eof: bool = False,
    **options: Any,
) -> Trace:
    """Send the commands, feed the chunks; ``caller`` is told of each event."""
    machine = machine or greeted_client(**options)
    for command in commands:
        machine.send(command)
    events: list[Any] = []
    error = ""
    output = b""
    for chunk in stream(chunks, eof):
        machine.receive_data(chunk)
        try:
            while (event := machine.next_event()) not in {NEED_DATA, PAUSED}:
                if isinstance(event, ConnectionClosed):
                    events += [event] if event not in events else []
                    break
                events.append(event)
                caller(machine, event)
        except RemoteProtocolError as broken:
            error = str(broken)
            break
    output = machine.data_to_send()
    return Trace(events, output, machine.state, 0, (machine.in_flight, machine.queued, machine.capabilities), error)


def run_client_cut(data: bytes, commands: Callable[[], Sequence[Command]] = list, **options: Any) -> Trace:
    """The same, whole, after having seen that no cut makes a difference."""
    whole = run_client([data], commands(), **options)
    for chunks in all_cuts(data):
        cut = run_client(chunks, commands(), **options)
        assert cut == whole, chunks if len(chunks) == 2 else "octet by octet"
    return whole


# -- both -----------------------------------------------------------------------------------------


class Pair:
    """A client and a server that hear each other at once."""

    def __init__(
        self,
        application: Application = obliging,
        *,
        client: ClientConnection | None = None,
        server: ServerConnection | None = None,
        strictness: Strictness = INTEROP,
        greeting: Reply | None = None,
    ) -> None:
        self.client: Any = client or ClientConnection(allow_plaintext_auth=True)
        self.server: Any = server or make_server(strictness=strictness)
        self.application = application
        self.server_events: list[Any] = []
        self.client_events: list[Any] = []
        if self.server.state is State.CONNECTED:
            self.server.greet(greeting)
            self.run()

    def run(self) -> list[Any]:
        """Carry octets to and fro until nobody has anything to say; the client's new events."""
        begun = len(self.client_events)
        while True:
            self.client_events += take(self.client)
            up = self.client.data_to_send()
            if up:
                self.server.receive_data(up)
            drain(self.server, self.application, self.server_events)
            down = self.server.data_to_send()
            if down:
                self.client.receive_data(down)
            if not up and not down:
                return self.client_events[begun:]

    def exchange(self, *commands: Command) -> list[Reply]:
        """Send them all; the replies that came."""
        for command in commands:
            self.client.send(command)
        return [event.reply for event in self.run() if isinstance(event, ReplyReceived)]

    def message(self, *parts: bytes) -> Reply:
        """Send a content; the verdict."""
        for part in parts:
            self.client.send_content(part)
        end = self.client.end_content()
        verdict = next(event for event in self.run() if isinstance(event, ReplyReceived) and event.command is end)
        return verdict.reply

    def upgrade(self, *, verified: bool = False) -> None:
        """STARTTLS, with a handshake that needs no octets."""
        self.exchange(StartTls())
        self.server.tls_established()
        self.client.tls_established(verified=verified)

    def meet(self, state: State) -> Pair:
        """Bring both to that state."""
        steps: dict[State, list[Command]] = {
            State.READY: [Ehlo("crepes.fr")],
            State.MAIL: [Ehlo("crepes.fr"), Mail(ALICE)],
            State.RCPT: [Ehlo("crepes.fr"), Mail(ALICE), Rcpt(BOB)],
            State.CONTENT: [Ehlo("crepes.fr"), Mail(ALICE), Rcpt(BOB), Data()],
            State.AUTHENTICATING: [Ehlo("crepes.fr"), Auth("PLAIN")],
            State.UPGRADING: [Ehlo("crepes.fr"), StartTls()],
            State.TURNED: [Ehlo("crepes.fr"), Auth("PLAIN", b"\0a\0b"), Atrn()],
        }
        for command in steps.get(state, []):
            self.exchange(command)
        if state in {State.CHUNKS, State.SPOILT}:
            self.meet(State.RCPT)
            self.client.send_chunk(b"a\r\n")
            application = self.application
            self.application = refusing if state is State.SPOILT else application
            self.run()
            self.application = application
        assert self.client.state is self.server.state is state
        return self


def each_command() -> list[Command]:
    """One of each command that a client can send, new ones each time."""
    return [
        Ehlo("crepes.fr"),
        Helo("crepes.fr"),
        Mail(ALICE),
        Rcpt(BOB),
        Data(),
        Rset(),
        Noop(),
        Help(),
        Vrfy("bob"),
        Expn("staff"),
        StartTls(),
        Auth("PLAIN", b"\0alice\0sesame"),
        Etrn("crepes.fr"),
        XClient(name="crepes.fr", port=4711),
        XForward(name="crepes.fr", address="192.0.2.1"),
        Atrn("crepes.fr", "example.org"),
        Burl("imap://crepes.fr/outbox"),
        BurlLast("imap://crepes.fr/outbox"),
        Quit(),
    ]
