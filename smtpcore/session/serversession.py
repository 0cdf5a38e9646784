"""ServerSession: all that a server learns in one session, in one place that can be replaced as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from ..extensions.auth import Auth, AuthResponse
from ..table import EndOfContent, State
from ..wire.address import Mailbox, Postmaster
from ..wire.capabilities import Capabilities
from ..wire.command import Command, Greeting, Helo, Mail, Rcpt
from .settings import NO_CAPABILITIES, ServerSettings
from .transaction import NO_TRANSACTION, Transaction

__all__ = ["ServerSession"]

_IN_TRANSACTION: Final = frozenset((State.MAIL, State.RCPT, State.CONTENT))
_NOTHING: Final[Mapping[int, State]] = {}


@final
class ServerSession:
    """Where one session stands. STARTTLS puts a new one in its place, so nothing learned before can stay."""

    __slots__ = (
        "auth_tried",
        "authenticated",
        "client",
        "errors",
        "esmtp",
        "idle_commands",
        "offered",
        "settings",
        "state",
        "tls",
        "transaction",
    )

    def __init__(self, settings: ServerSettings, state: State, *, tls: bool) -> None:
        self.settings = settings
        self.state = state
        self.tls = tls  #: Whether the octets of this session travel in TLS.
        self.client: str | None = None  #: What the client called itself in EHLO or HELO.
        self.esmtp = False  #: Whether it said EHLO.
        self.offered = NO_CAPABILITIES  #: What was announced to it; nothing before EHLO, and nothing after HELO.
        self.authenticated = False  #: Whether AUTH has succeeded.
        self.auth_tried = False  #: Whether it was tried.
        self.transaction = NO_TRANSACTION  #: The transaction in hand.
        self.errors = 0  #: Refusals since the last message.
        self.idle_commands = 0  #: Commands since the last message that do not lead to one.

    @property
    def capabilities(self) -> Capabilities:
        """What the server has to offer."""
        return self.settings.capabilities

    @property
    def sender(self) -> Mailbox | None:
        """The reverse-path of the transaction in hand."""
        return self.transaction.sender

    @property
    def recipients(self) -> tuple[Mailbox | Postmaster, ...]:
        """The accepted recipients of the transaction in hand."""
        return self.transaction.recipients

    @property
    def allow_plaintext_auth(self) -> bool:
        """Whether AUTH is to be had without TLS."""
        return self.settings.allow_plaintext_auth

    @property
    def require_auth(self) -> bool:
        """Whether a transaction needs AUTH first."""
        return self.settings.require_auth

    def to_offer(self) -> Capabilities:
        """What may be announced in this session now."""
        capabilities = self.settings.capabilities
        gone = [each for each in self.settings.extensions if each.announced is not None and not each.announced(self)]
        return capabilities.without(*gone) if gone else capabilities

    def row(self, kind: type[Command]) -> Mapping[int, State]:
        """The row of the table for a command now."""
        return self.settings.extensions.transitions[self.state].get(kind, _NOTHING)

    def take(self, command: Command, digit: int) -> None:
        """``command`` was answered with a reply of that first digit: learn from it, and take the step."""
        if digit == 2:
            if isinstance(command, Mail):
                self.transaction = Transaction(command)
            elif isinstance(command, Rcpt):
                held = self.transaction
                self.transaction = Transaction(held.mail, (*held.rcpts, command))
            elif isinstance(command, EndOfContent):
                self.errors = self.idle_commands = 0
            elif isinstance(command, Greeting):
                self.client = command.client
                self.esmtp = not isinstance(command, Helo)
                self.offered = self.to_offer() if self.esmtp else NO_CAPABILITIES
            elif isinstance(command, (Auth, AuthResponse)):
                self.authenticated = True
        self.step(type(command), digit)

    def step(self, kind: type[Command], digit: int) -> None:
        """Take the step of the table; a transaction that it leads out of is forgotten as a whole."""
        after = self.row(kind).get(digit)
        if after is not None:
            self.state = after
            if after not in _IN_TRANSACTION:
                self.transaction = NO_TRANSACTION

    def close(self) -> None:
        """The connection is over."""
        self.state = State.CLOSED
        self.transaction = NO_TRANSACTION
