"""What a client offers, which is the same over every library; only its connection differs."""

from __future__ import annotations

import ssl
from abc import ABC, abstractmethod
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar, Unpack

from ..extensions import Atrn, XClient
from ..flows.client import TlsMode, exchange, quit_session, speak_for
from ..flows.content import Content
from ..flows.effect import Flow
from ..flows.options import (
    ClientOptions,
    SendOptions,
    ServerOptions,
    begin_client,
    client_name,
    open_client,
    send,
    send_all,
    turn_round,
    without_password,
)
from ..flows.outcome import Outcome
from ..flows.recipient import Recipient
from ..session.client import ClientConnection
from ..wire.address import Mailbox
from ..wire.capabilities import Capabilities
from ..wire.command import Command
from ..wire.reply import Reply
from .tls import client_context
from .trampoline import AsyncWorld, BlockingWorld, run, run_blocking
from .unix import unix_path

if TYPE_CHECKING:
    from ..policy.verdict import Verdict

__all__ = ["AsyncClient", "BlockingClient"]

T = TypeVar("T")


class _Client:
    """A client that is not connected yet; entering it connects and opens the session.

    ``host`` is a name or an address, or a unix socket as ``unix:/path``, which has no port.
    ``tls`` is ``"required"``, ``"opportunistic"``, ``"implicit"`` or ``"none"``, or the
    :class:`~smtpcore.policy.verdict.Verdict` on a delivery to this host; nothing falls back to less by
    itself. Without an ``ssl_context`` certificates are verified, but for
    ``"opportunistic"``. ``timeout`` is how long to wait for each step, in seconds; None is what
    RFC 5321 s4.5.3.2 says. Other options are those of
    :class:`~smtpcore.flows.options.ClientOptions`.

    Entering raises OSError when there is no connection or no handshake, and
    :class:`~smtpcore.flows.error.FlowError` when the server refuses or lacks what was asked for.
    """

    def __init__(
        self,
        host: str,
        port: int = 0,
        *,
        tls: TlsMode | Verdict = "opportunistic",
        ssl_context: ssl.SSLContext | None = None,
        timeout: float | None = None,
        **options: Unpack[ClientOptions],
    ) -> None:
        if not port and unix_path(host) is None:
            raise ValueError(f"no port to connect to at {host}; only unix:/path has none")
        self._address = host, port
        self._peer = None if unix_path(host) is not None else (host, port)
        self._tls: TlsMode
        if isinstance(tls, str):
            self._tls, self._context, self._server_name = tls, client_context(tls, ssl_context), host
        else:
            from .authentication import client_tls  # noqa: PLC0415 - who has a verdict has loaded the policies already

            self._tls, self._context, self._server_name = client_tls(tls, ssl_context, host)
        self._timeout = timeout
        self._options = without_password(options)
        self._busy = False
        self.machine: ClientConnection = begin_client(options)  #: The machine behind it.

    @property
    def capabilities(self) -> Capabilities:
        """What the server offers."""
        return self.machine.capabilities

    def _can_try_again(self) -> bool:
        """Whether a handshake has failed only because it brought what the next one is to be verified by."""
        if self._context is None or not hasattr(self._context, "found"):
            return False
        from .authentication import with_found_anchors  # noqa: PLC0415 - the context is of there

        context = with_found_anchors(self._context)
        if context is None:
            return False
        self._context, self.machine = context, begin_client(self._options)
        return True

    def _begin(self) -> None:
        if self._busy:
            raise RuntimeError("the connection is busy: one message at a time, or more connections")
        self._busy = True


class AsyncClient(_Client, ABC):
    """A connection to a server; enter it to open the session. One message at a time."""

    _world: AsyncWorld

    @abstractmethod
    async def _connect(self) -> tuple[AsyncWorld, str]:
        """A new connection, and the local IP address."""

    async def __aenter__(self) -> Self:
        try:
            await self._open()
        except OSError:
            if not self._can_try_again():
                raise
            await self._open()
        return self

    async def _open(self) -> None:
        self._world, local_address = await self._connect()
        self._name = client_name(self._options, local_address)
        try:
            await self._drive(open_client(self.machine, self._tls, local_address, self._options))
        except BaseException:
            self._world.abort()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None or issubclass(kind, Exception):
                await self.quit()
        finally:
            self._world.abort()

    async def send(
        self,
        sender: str | Mailbox | None,
        recipients: Iterable[str | Recipient],
        content: Content,
        **options: Unpack[SendOptions],
    ) -> Outcome:
        """Send one message; see :func:`smtpcore.flows.submit.submit` for what is returned and raised."""
        return await self._drive(send(self.machine, sender, recipients, content, options))

    async def send_all(
        self,
        messages: Iterable[tuple[str | Mailbox | None, Iterable[str | Recipient], Content]],
        **options: Unpack[SendOptions],
    ) -> list[Outcome]:
        """Send messages, each a tuple of sender, recipients and content, in one round trip each.

        See :func:`smtpcore.flows.chain.submit_all` for what is returned and raised.
        """
        return await self._drive(send_all(self.machine, messages, options))

    async def command(self, command: Command) -> Reply:
        """Send one command, such as ``Noop()`` or ``Vrfy("bob")``, and return its reply, of whatever code."""
        return await self._drive(exchange(self.machine, command))

    async def speak_for(self, command: XClient) -> Reply:
        """Say by XCLIENT who this client's own client is, and begin the session anew; returns the reply to XCLIENT.

        For a server that offers it. Raises Refused where the new EHLO is refused.
        """
        return await self._drive(speak_for(self.machine, command, self._name))

    async def turn(self, command: Atrn, handler: object, **options: Unpack[ServerOptions]) -> Reply:
        """Say ATRN, and where it is taken be the server that receives, until the other side quits; the reply to ATRN.

        For a server that offers it, behind AUTH (RFC 2645). ``handler`` is asked as by ``serve``, whose options these
        are. An exception of the handler is raised when all is over. The connection is good for nothing behind it.
        """
        return await self._drive(turn_round(self.machine, command, handler, self._peer, options))

    async def quit(self) -> None:
        """Say QUIT and close."""
        await self._drive(quit_session(self.machine))

    def abort(self) -> None:
        """Close at once, without a word."""
        self._world.abort()

    async def _drive(self, flow: Flow[T]) -> T:
        self._begin()
        try:
            return await run(flow, self._world)
        finally:
            self._busy = False


class BlockingClient(_Client, ABC):
    """A connection to a server; enter it to open the session. One message at a time."""

    _world: BlockingWorld

    @abstractmethod
    def _connect(self) -> tuple[BlockingWorld, str]:
        """A new connection, and the local IP address."""

    def __enter__(self) -> Self:
        try:
            self._open()
        except OSError:
            if not self._can_try_again():
                raise
            self._open()
        return self

    def _open(self) -> None:
        self._world, local_address = self._connect()
        self._name = client_name(self._options, local_address)
        try:
            self._drive(open_client(self.machine, self._tls, local_address, self._options))
        except BaseException:
            self._world.abort()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if kind is None or issubclass(kind, Exception):
                self.quit()
        finally:
            self._world.abort()

    def send(
        self,
        sender: str | Mailbox | None,
        recipients: Iterable[str | Recipient],
        content: Content,
        **options: Unpack[SendOptions],
    ) -> Outcome:
        """Send one message; see :func:`smtpcore.flows.submit.submit` for what is returned and raised."""
        return self._drive(send(self.machine, sender, recipients, content, options))

    def send_all(
        self,
        messages: Iterable[tuple[str | Mailbox | None, Iterable[str | Recipient], Content]],
        **options: Unpack[SendOptions],
    ) -> list[Outcome]:
        """Send messages, each a tuple of sender, recipients and content, in one round trip each.

        See :func:`smtpcore.flows.chain.submit_all` for what is returned and raised.
        """
        return self._drive(send_all(self.machine, messages, options))

    def command(self, command: Command) -> Reply:
        """Send one command, such as ``Noop()`` or ``Vrfy("bob")``, and return its reply, of whatever code."""
        return self._drive(exchange(self.machine, command))

    def speak_for(self, command: XClient) -> Reply:
        """Say by XCLIENT who this client's own client is, and begin the session anew; returns the reply to XCLIENT.

        For a server that offers it. Raises Refused where the new EHLO is refused.
        """
        return self._drive(speak_for(self.machine, command, self._name))

    def turn(self, command: Atrn, handler: object, **options: Unpack[ServerOptions]) -> Reply:
        """Say ATRN, and where it is taken be the server that receives, until the other side quits; the reply to ATRN.

        For a server that offers it, behind AUTH (RFC 2645). ``handler`` is asked as by ``serve``, whose options these
        are. An exception of the handler is raised when all is over. The connection is good for nothing behind it.
        """
        return self._drive(turn_round(self.machine, command, handler, self._peer, options))

    def quit(self) -> None:
        """Say QUIT and close."""
        self._drive(quit_session(self.machine))

    def abort(self) -> None:
        """Close at once, without a word."""
        self._world.abort()

    def _drive(self, flow: Flow[T]) -> T:
        self._begin()
        try:
            return run_blocking(flow, self._world)
        finally:
            self._busy = False
