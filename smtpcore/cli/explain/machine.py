"""Machine: a server machine that gets a recorded client's octets and answers as the recorded server did.

Where the recorded server was of another opinion than the machine, the machine is led to where the recorded one went,
by the same table.
"""

from __future__ import annotations

from typing import Final, final

from ...errors import LocalProtocolError
from ...extensions import Unavailable
from ...extensions.attributes import AttributeCommand
from ...session.event import (
    CommandReceived,
    CommandRejected,
    ConnectionClosed,
    ContentEnded,
    ContentReceived,
    ContentRejected,
    ForeignProtocol,
    Signal,
)
from ...session.limits import ServerLimits
from ...session.server import ServerConnection
from ...session.settings import ServerSettings
from ...table import State
from ...wire.capabilities import Capabilities
from ...wire.command import Command, Ehlo, Helo, Lhlo, Mail, Rcpt
from ...wire.newlines import BareNewlines
from ...wire.reply import Reply
from ...wire.tolerance import LAX, Defect
from .extensions import EXTENSIONS

__all__ = ["Machine", "Understood"]

_NAME: Final = "server.invalid"
#: More than any transcript has: what is too long is to be told, and not to end the telling.
_MUCH: Final = 1 << 40
#: Recipients that the machine holds; each new one copies those before it, so that more would take ever longer.
_RECIPIENTS: Final = 1000
_LIMITS: Final = ServerLimits(None, _MUCH, _MUCH, _RECIPIENTS, _MUCH, _MUCH, _MUCH)
#: Where a command has its place, for one that was taken elsewhere.
_PLACES: Final = (State.READY, State.MAIL, State.RCPT, State.GREETED, State.CONTENT, State.AUTHENTICATING)


@final
class Understood:
    """What the machine made of some octets."""

    __slots__ = ("command", "content", "defects", "refusal", "shown")

    def __init__(self) -> None:
        self.command: Command | None = None
        self.refusal: Reply | None = None  #: What it refuses them with.
        self.shown: bytes | None = None  #: What of a refused line may be shown.
        self.defects: list[Defect] = []
        self.content = b""


@final
class Machine:
    """The server machine of a replay."""

    def __init__(self, *, tls: bool = False) -> None:
        self._connection = ServerConnection.from_settings(_settings(Capabilities()), tls=tls)

    @property
    def state(self) -> State:
        """Where the conversation stands."""
        return self._connection.state

    @property
    def tls(self) -> bool:
        """Whether TLS has begun."""
        return self._connection.session.tls

    @property
    def offered(self) -> Capabilities:
        """What the server has offered in this session."""
        return self._connection.session.offered

    @property
    def mail(self) -> Mail | None:
        """What has begun the transaction in hand."""
        return self._connection.transaction.mail

    @property
    def authenticated(self) -> bool:
        """Whether AUTH has succeeded."""
        return self._connection.session.authenticated

    def understand(self, octets: bytes) -> Understood:
        """Hand on a whole line, or a whole content."""
        connection = self._connection
        found = Understood()
        pieces: list[bytes] = []
        before = connection.session.state
        connection.receive_data(octets)
        while not isinstance(event := connection.next_event(), (Signal, ConnectionClosed)):
            match event:
                case CommandReceived(command):
                    found.command = command
                case CommandRejected(line, reply):
                    found.refusal, found.shown = reply, line
                case ForeignProtocol(_, line, reply):
                    found.refusal, found.shown = reply, line
                    self.put(before)  # the recorded server may have gone on
                    break
                case ContentReceived(data):
                    pieces.append(data)
                case ContentRejected(reply):
                    found.refusal = reply
                case Defect():
                    found.defects.append(event)
                case ContentEnded():
                    pass
        found.content = b"".join(pieces)
        connection.data_to_send()
        return found

    def refuse(self, line: bytes) -> Understood:
        """A line that the machine would end the connection for, while the recorded server may have gone on."""
        found = Understood()
        found.refusal, found.shown = Reply(501), line
        return found

    def learn(self, capabilities: Capabilities) -> None:
        """The server is about to accept EHLO and offers this."""
        settings = _settings(capabilities)
        self._connection.settings = self._connection.session.settings = settings
        self._connection.trust()  # whom XCLIENT is offered to, that client was trusted

    def answer(self, reply: Reply) -> bool:
        """Answer what waits as the recorded server did; False where that is no answer to it by the table."""
        connection = self._connection
        answer = Reply(reply.code, "as recorded")
        fits = True
        try:
            connection.reply(answer)
        except LocalProtocolError:
            fits = False
            # A class that the table does not list changes nothing, and neither does a refusal.
            if connection.awaiting is not None:
                connection.reply(Reply(500, "as recorded"))
        connection.data_to_send()
        return fits

    def lead(self, kind: type[Command], command: Command | None, digit: int) -> None:
        """Go where ``command`` leads when it is answered so, although the machine would have refused it."""
        session = self._connection.session
        kind = Ehlo if kind is Lhlo else kind
        for state in (session.state, *_PLACES):
            row = EXTENSIONS.transitions[state].get(kind)
            if row is not None and digit in row:
                self.put(state)
                if kind is Rcpt:
                    self.put(row[digit])
                    return
                known = command if command is not None and type(command) is kind else _stand_in(kind)
                session.take(known, digit)
                return

    def put(self, state: State) -> None:
        """The session stands there now."""
        session = self._connection.session
        session.state = state
        session.rows = EXTENSIONS.transitions[state]

    def close(self) -> None:
        """The connection is over."""
        self._connection.close()
        self._connection.data_to_send()

    def begin_tls(self) -> None:
        """The handshake is done."""
        self._connection.tls_established()


def _settings(capabilities: Capabilities) -> ServerSettings:
    return ServerSettings(
        _NAME,
        capabilities,
        strictness=LAX,
        bare_newlines=BareNewlines.PASS,
        limits=_LIMITS,
        extensions=EXTENSIONS,
        allow_plaintext_auth=True,
    )


def _stand_in(kind: type[Command]) -> Command:
    """A command in place of one that could not be read."""
    if kind is Mail:
        return Mail(None)
    if issubclass(kind, (Ehlo, Helo)):
        return kind("client.invalid")
    if issubclass(kind, AttributeCommand):
        return kind(name=Unavailable.UNAVAILABLE)
    return kind.__new__(kind)
