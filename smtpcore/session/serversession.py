"""ServerSession: all that a server learns in one session, in one place that can be replaced as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from ..extensions import ENHANCEDSTATUSCODES, BurlLast, XClient, XForward
from ..extensions.auth import AUTH, Auth, AuthResponse, offered_mechanisms
from ..extensions.chunking import BdatLast
from ..extensions.extension import Check
from ..table import EndOfContent, State
from ..wire.address import Mailbox, Postmaster
from ..wire.capabilities import Capabilities, Capability
from ..wire.command import Command, Ehlo, Greeting, Helo, Lhlo, Mail, Rcpt, Rset
from .limits import domain_of
from .settings import NO_CAPABILITIES, ServerSettings
from .transaction import NO_TRANSACTION, Transaction

__all__ = ["ServerSession"]

_IN_TRANSACTION: Final = frozenset((State.MAIL, State.RCPT, State.CONTENT, State.CHUNKS))
_ENDS: Final = frozenset((EndOfContent, BdatLast, BurlLast))
_DROPS: Final = frozenset((Rset, Ehlo, Helo, Lhlo))
_NOTHING: Final[Mapping[int, State]] = {}


@final
class ServerSession:
    """Where one session stands. STARTTLS puts a new one in its place, so nothing learned before can stay."""

    __slots__ = (
        "_expected",
        "auth_failed",
        "authenticated",
        "client",
        "domains",
        "enhanced",
        "errors",
        "esmtp",
        "idle_commands",
        "mails",
        "offered",
        "require_auth",
        "rows",
        "settings",
        "state",
        "tls",
        "transaction",
        "trusted",
        "xclient",
        "xforward",
    )

    def __init__(self, settings: ServerSettings, state: State, *, tls: bool, trusted: bool = False) -> None:
        self.settings = settings
        self.state = state
        self.rows = settings.extensions.transitions[state]  #: The rows of the table for this state.
        self.tls = tls  #: Whether the octets of this session travel in TLS.
        self.client: str | None = None  #: What the client called itself in EHLO or HELO.
        self.esmtp = False  #: Whether it said EHLO.
        self.offered = NO_CAPABILITIES  #: What was announced to it; nothing before EHLO, and nothing after HELO.
        self._expected: tuple[Capabilities, Mapping[str, tuple[Check, ...]]] | None = None
        self.enhanced = False  #: Whether replies carry enhanced status codes (RFC 2034).
        self.require_auth = settings.require_auth  #: Whether a transaction needs AUTH first.
        self.authenticated = False  #: Whether AUTH has succeeded.
        self.auth_failed = False  #: Whether it was refused, so that a secret may follow in place of a command.
        self.transaction = NO_TRANSACTION  #: The transaction in hand.
        self.trusted = trusted  #: Whether the client may say who its own client is, as the application has it.
        self.xclient: XClient | None = None  #: Who the client is by XCLIENT, in place of what the connection shows.
        self.xforward: XForward | None = None  #: Who the client of the next or present message was, by XFORWARD.
        self.errors = 0  #: Refusals since the last message.
        self.mails = 0  #: MAIL commands so far, whatever became of them.
        #: Of the recipients taken so far; None where nobody counts them.
        self.domains: set[str] | None = None if settings.domain_limit is None else set()
        self.idle_commands = 0  #: Commands since the last message that do not lead to one.

    @property
    def expected(self) -> Mapping[str, tuple[Check, ...]]:
        """The keywords of the parameters that were offered, whatever their value, each with its checks."""
        held, offered = self._expected, self.offered
        if held is None or held[0] is not offered:
            extensions = self.settings.extensions
            found = {keyword: extensions.parameter_checks.get(keyword, ()) for keyword in extensions.certain(offered)}
            held = self._expected = (offered, found)
        return held[1]

    @property
    def capabilities(self) -> Capabilities:
        """What the server has to offer."""
        return self.settings.capabilities

    @property
    def size_limit(self) -> int | None:
        """Octets of the largest message that is taken."""
        return self.settings.size_limit

    @property
    def proxied(self) -> bool:
        """Whether XCLIENT has said who the client is."""
        return self.xclient is not None

    @property
    def mail(self) -> Mail | None:
        """The MAIL of the transaction in hand."""
        return self.transaction.mail

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
        return self.settings.allow_plaintext_auth and not self.settings.require_tls  # RFC 3207 s4

    def to_offer(self) -> Capabilities:
        """What may be announced in this session now."""
        capabilities = self.settings.capabilities
        gone = [each for each in self.settings.extensions if each.announced is not None and not each.announced(self)]
        if gone:
            capabilities = capabilities.without(*gone)
        if AUTH in capabilities and not self.tls:
            capabilities = self._with_mechanisms(capabilities)
        return capabilities

    def _with_mechanisms(self, capabilities: Capabilities) -> Capabilities:
        """The same with those mechanisms alone that can be used without TLS."""
        names = offered_mechanisms(self)
        if not names:
            return capabilities.without(AUTH)
        offer = Capability(AUTH.keyword, " ".join(names))
        return Capabilities(*[offer if item.keyword == AUTH.keyword else item for item in capabilities])

    def take(self, command: Command, digit: int) -> None:
        """``command`` was answered with a reply of that first digit: learn from it, and take the step."""
        kind = type(command)
        if digit == 2:
            if kind is Mail:
                self.transaction = Transaction(command)  # type: ignore[arg-type]  # kind says so
            elif kind is Rcpt:
                held = self.transaction
                self.transaction = Transaction(held.mail, (*held.rcpts, command))  # type: ignore[arg-type]  # kind says so
                if self.domains is not None:
                    self.domains |= domain_of(command.recipient)  # type: ignore[attr-defined]  # kind says so
            elif kind in _ENDS:
                self.errors = self.idle_commands = 0
            elif isinstance(command, Greeting):
                self.client = command.client
                self.esmtp = kind is not Helo
                self.offered = self.to_offer() if self.esmtp else NO_CAPABILITIES
                # RFC 2034 s4: from here on; the greeting and the reply to EHLO have none of their own
                self.enhanced = ENHANCEDSTATUSCODES in self.offered
            elif isinstance(command, (Auth, AuthResponse)):
                self.authenticated = True
            elif isinstance(command, XClient):
                self._begin_anew(command)
            elif isinstance(command, XForward):
                self.xforward = command.over(self.xforward)
        elif digit >= 4 and isinstance(command, (Auth, AuthResponse)):
            self.auth_failed = True
        # The step of the table; a transaction that it leads out of is forgotten as a whole.
        after = self.rows.get(kind, _NOTHING).get(digit)
        if after is not None:
            self.state = after
            self.rows = self.settings.extensions.transitions[after]
            if after not in _IN_TRANSACTION:
                if self.xforward is not None and (self.transaction or kind in _DROPS):
                    self.xforward = None  # XFORWARD_README: "At the end of the next MAIL FROM transaction"
                self.transaction = NO_TRANSACTION

    def _begin_anew(self, command: XClient) -> None:
        """Where a connection stands behind its greeting, with another client; TLS and what is counted stay."""
        self.xclient = command.over(self.xclient)
        if command.address is not None:
            self.trusted = False  # XCLIENT_README: "usually no longer authorized to send XCLIENT commands"
        self.client = None
        self.esmtp = self.enhanced = self.auth_failed = False
        self.offered = NO_CAPABILITIES
        self.authenticated = isinstance(self.xclient.login, str)
        self.xforward = None

    def close(self) -> None:
        """The connection is over."""
        self.state = State.CLOSED
        self.rows = self.settings.extensions.transitions[State.CLOSED]
        self.transaction = NO_TRANSACTION
