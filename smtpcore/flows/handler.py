"""Handler: what an application says to a server script; every method may be left out.

Methods are plain or, in asyncio and trio, ``async``. A refusal is a returned
:class:`~smtpcore.wire.reply.Reply` or a raised :class:`Refusal`; None is the standard positive
reply. Whatever else a method raises becomes 451, and nothing is accepted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeAlias, final

from ..extensions import Atrn, Burl, BurlLast, Etrn, XClient, XForward, believed_submitter
from ..sasl import BearerToken, Channel, Credentials, ScramKeys, TokenRefused
from ..session.server import ServerConnection
from ..session.transaction import Transaction
from ..wire.address import Mailbox
from ..wire.command import Command, Mail, Rcpt
from ..wire.proxy import ProxyHeader
from ..wire.reply import Reply
from .content import Octets
from .outcome import Outcome
from .turned import Letter, Letters

__all__ = ["Answer", "Answers", "Handler", "Refusal", "Served", "collecting"]

#: None accepts; a text accepts in these words; a reply is given as it is.
Answer: TypeAlias = Reply | str | None
#: One for each recipient, in the order of their RCPT: what LMTP can say to a message (RFC 2033 s4.2).
Answers: TypeAlias = Sequence[Answer]


@final
class Refusal(Exception):
    """Raised by a handler to answer with ``reply``."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        super().__init__(reply)


class Served:
    """One connection, as a handler sees it. ``data`` is the handler's own, to keep what it likes."""

    __slots__ = ("_rewritten", "channel", "data", "identity", "machine", "peer", "proxy")

    def __init__(self, machine: ServerConnection, peer: Any = None, proxy: ProxyHeader | None = None) -> None:
        self.machine = machine  #: The machine behind it.
        #: The client's address, as the transport has it, or as a trusted proxy or XCLIENT says; None where it has none
        #: (a unix socket).
        self.peer = peer
        self.proxy = proxy  #: What a trusted proxy has said of the client.
        #: Who the client has proved to be, by AUTH; ``authenticate`` may set it where a client may act as another.
        self.identity: str | None = None
        #: What TLS knows of the client, such as its certificate; None without TLS, or where the adapter does not say.
        self.channel: Channel | None = None
        self.data: Any = None
        self._rewritten: tuple[Mail, Mailbox] | None = None

    @property
    def sender(self) -> Mailbox | None:
        """The reverse-path of the transaction in hand, as :meth:`Handler.sender` will have it; None is the null one."""
        transaction = self.machine.transaction
        if self._rewritten is not None and self._rewritten[0] is transaction.mail:
            return self._rewritten[1]
        return transaction.sender

    def rewrite(self, command: Mail, sender: Mailbox) -> None:
        """Let ``sender`` be that of the transaction that ``command`` begins."""
        self._rewritten = command, sender

    @property
    def transaction(self) -> Transaction:
        """The transaction in hand."""
        return self.machine.transaction

    @property
    def client(self) -> str | None:
        """What the client called itself."""
        return self.machine.session.client

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.machine.session.tls

    @property
    def esmtp(self) -> bool:
        """Whether the client said EHLO."""
        return self.machine.session.esmtp

    @property
    def lmtp(self) -> bool:
        """Whether it is LMTP, so that a message is answered for each recipient (RFC 2033 s4.2)."""
        return self.machine.settings.lmtp

    @property
    def authenticated(self) -> bool:
        """Whether AUTH has succeeded, or XCLIENT has said that it had elsewhere."""
        return self.machine.session.authenticated

    @property
    def submitter(self) -> Mailbox | None:
        """Who submitted the message first, by AUTH on MAIL; None unless a client that has authenticated says so.

        A server that does not trust this client to say so, ignores it (RFC 4954 s5).
        """
        return believed_submitter(self.machine.session)

    @property
    def xclient(self) -> XClient | None:
        """What a proxy has said of its client, all of it; None where none has."""
        return self.machine.session.xclient

    @property
    def xforward(self) -> XForward | None:
        """What a content filter has said of the client that the message in hand came from; None where none has."""
        return self.machine.session.xforward

    def follow(self, said: XClient) -> None:
        """The client is another from here on."""
        self.identity = said.login if isinstance(said.login, str) else None
        if said.address is not None:
            port = said.port if isinstance(said.port, int) else 0
            self.peer = (said.address, port) if isinstance(said.address, str) else None


class Handler(Protocol):
    """All methods that a server script looks for. Inherit from nothing and write those you need."""

    def connected(self, session: Served) -> Answer | Awaitable[Answer]:
        """A client has connected; a reply other than 220 refuses it."""
        ...

    def mail(self, session: Served, command: Mail) -> Answer | Awaitable[Answer]:
        """MAIL."""
        ...

    def sender(
        self, session: Served, reverse_path: Mailbox | None
    ) -> Mailbox | Reply | Awaitable[Mailbox | Reply | None] | None:
        """MAIL, before ``mail``, with ``submission`` only: whether who has logged in may send so (RFC 6409 s6.1).

        None lets it stand, a Mailbox takes its place in ``session.sender``, a Reply refuses it, as 550 5.7.1 does.
        """
        ...

    def rcpt(self, session: Served, command: Rcpt) -> Answer | Awaitable[Answer]:
        """RCPT: whether this recipient is wanted."""
        ...

    def data(self, session: Served) -> Answer | Awaitable[Answer]:
        """DATA: whether the content may come."""
        ...

    def content(self, session: Served, chunk: bytes) -> Awaitable[None] | None:
        """Octets of the content, in pieces of any size."""
        ...

    def message(self, session: Served) -> Answer | Answers | Awaitable[Answer | Answers]:
        """The content is whole. Returning anything but a refusal takes responsibility (RFC 5321 s6.1).

        In LMTP a list says it for each recipient, a single answer for all of them.
        """
        ...

    def aborted(self, session: Served) -> Awaitable[None] | None:
        """The content was not finished, or was refused: forget it."""
        ...

    def command(self, session: Served, command: Command) -> Answer | Awaitable[Answer]:
        """Any other command: EHLO, HELO, RSET, VRFY, EXPN, HELP, NOOP, QUIT, or a verb of an extension."""
        ...

    def burl(self, session: Served, command: Burl | BurlLast) -> Octets | Reply | Awaitable[Octets | Reply]:
        """BURL, where it is offered: the octets behind the URL, or a refusal such as 554 5.6.6 (RFC 4468 s6).

        They go through the machine, and so to ``content`` and ``message`` like those that a client sends.
        """
        ...

    def trusts(self, session: Served) -> bool | Awaitable[bool]:
        """Whether this client, which has just connected, may say XCLIENT and XFORWARD, where these are offered.

        Asked before ``connected``; False where it is left out.
        """
        ...

    def xclient(self, session: Served, command: XClient) -> Answer | Awaitable[Answer]:
        """XCLIENT, of a client that is trusted: whether its own client is welcome."""
        ...

    def xforward(self, session: Served, command: XForward) -> Answer | Awaitable[Answer]:
        """XFORWARD, of a client that is trusted."""
        ...

    def etrn(self, session: Served, command: Etrn) -> Answer | Awaitable[Answer]:
        """ETRN, where it is offered: start a queue. See :func:`~smtpcore.extensions.etrn.queue_started`."""
        ...

    def atrn(self, session: Served, command: Atrn) -> Letters | Reply | Awaitable[Letters | Reply | None] | None:
        """ATRN, where it is offered, of a client that is authenticated: what waits for it, or a refusal.

        Sent one after the other, when the roles have been reversed. None, or no letters, is 453: there is no mail.
        """
        ...

    def relayed(self, session: Served, letter: Letter, outcome: Outcome) -> Awaitable[None] | None:
        """What has become of a letter that ``atrn`` gave; one that this is not asked for has not been sent."""
        ...

    def authenticate(self, session: Served, credentials: Credentials) -> bool | Reply | Awaitable[bool | Reply]:
        """Whether to believe the credentials.

        Those of SCRAM, OAuth and EXTERNAL are ``proven`` when they come here; what is left to decide is whether their
        owner may be let in, and may act as ``authzid``. Without this method proven ones are believed where they want
        to be nobody else, and PLAIN and LOGIN are not offered.
        """
        ...

    def scram_keys(
        self, session: Served, username: str, mechanism: str
    ) -> ScramKeys | Reply | Awaitable[ScramKeys | Reply | None] | None:
        """The keys of a user for SCRAM-SHA-1 or SCRAM-SHA-256, or None; ``username`` is as SASLprep has it.

        SCRAM is offered only where this is there.
        """
        ...

    def verify_token(
        self, session: Served, token: BearerToken
    ) -> str | TokenRefused | Reply | Awaitable[str | TokenRefused | Reply | None] | None:
        """The name of a token's owner, or why it is refused; None is ``invalid_token``.

        XOAUTH2 and OAUTHBEARER are offered only where this is there.
        """
        ...

    def closed(self, session: Served) -> Awaitable[None] | None:
        """The connection is over."""
        ...


class _Collecting:
    """Gathers each message and hands it over whole."""

    def __init__(self, take: Callable[[Served, bytes], Any]) -> None:
        self._take = take

    def data(self, session: Served) -> None:
        session.data = []

    def content(self, session: Served, chunk: bytes) -> None:
        session.data.append(chunk)

    def message(self, session: Served) -> Any:
        chunks, session.data = session.data, None
        octets = b"".join(chunks)
        del chunks
        return self._take(session, octets)

    def aborted(self, session: Served) -> None:
        session.data = None


def collecting(take: Callable[[Served, bytes], Any]) -> _Collecting:
    """A handler that collects each message and answers as ``take(session, octets)`` does; it may be ``async``."""
    return _Collecting(take)
