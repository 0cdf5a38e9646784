"""Pools of connections, as far as they are the same over every library."""

from __future__ import annotations

import ssl
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping
from types import TracebackType
from typing import Any, Self, TypeAlias, TypeVar, Unpack, final

from ..flows.batch import Addressed, send_all_pooled
from ..flows.client import TlsMode
from ..flows.content import Content
from ..flows.options import ClientOptions, SendOptions, addresses
from ..flows.outcome import Outcome
from ..flows.pool import PoolLimits, Roster, Ticket
from ..flows.pooled import Drive, Open, PoolEffect, PoolFlow, Wait, farewell, send_pooled
from ..flows.recipient import Recipient
from ..wire.address import Mailbox
from .client import AsyncClient, BlockingClient

__all__ = ["AsyncPool", "BlockingPool", "ConnectOptions"]

T = TypeVar("T")


class ConnectOptions(ClientOptions, total=False):
    """What a pool passes on to ``connect`` besides the address."""

    tls: TlsMode
    ssl_context: ssl.SSLContext
    timeout: float


@final
class _Destination:
    """Where a connection leads and how; those that are equal may share connections."""

    __slots__ = ("_mark", "address", "options")

    def __init__(self, address: tuple[str, int], options: Mapping[str, Any]) -> None:
        self.address = address
        self.options = options
        self._mark = address[0].lower(), address[1], tuple([(name, _mark(options[name])) for name in sorted(options)])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Destination) and self._mark == other._mark

    def __hash__(self) -> int:
        return hash(self._mark)


def _mark(value: object) -> Hashable:
    try:
        hash(value)
    except TypeError:
        return id(value)  # equal to itself alone; the options keep it alive
    return value


#: A message in the caller's own terms: reverse-path, recipients, content.
Given: TypeAlias = tuple[str | Mailbox | None, Iterable[str | Recipient], Content]


def _parsed(message: Given) -> Addressed:
    sender, recipients, content = message
    mailboxes = addresses(recipients)
    return Mailbox.parse(sender) if isinstance(sender, str) else sender, mailboxes, content


class _Pool(ABC):
    """A pool; entering it opens nothing yet, leaving it says QUIT over all connections.

    ``port`` and what ``connect`` takes hold for every host, unless ``send`` says otherwise.
    ``pool_limits`` says how many connections there are, and for how long.
    """

    def __init__(
        self, *, port: int = 25, pool_limits: PoolLimits | None = None, **options: Unpack[ConnectOptions]
    ) -> None:
        self._port = port
        self._options = options
        self._roster = Roster(pool_limits)

    @property
    def opened(self) -> int:
        """How many connections it has set out to open so far."""
        return self._roster.opened

    @property
    def busy(self) -> int:
        """How many connections are in use, or being opened."""
        return self._roster.busy

    @property
    def idle(self) -> int:
        """How many connections wait to be used again."""
        return self._roster.idle

    @property
    def waiting(self) -> int:
        """How many messages wait for a connection."""
        return self._roster.waiting

    @abstractmethod
    def _now(self) -> float: ...

    def _destination(self, host: str, port: int | None, connect: ConnectOptions | None) -> _Destination:
        return _Destination((host, self._port if port is None else port), {**self._options, **(connect or {})})

    def _script(self, destination: _Destination, message: Given, options: SendOptions) -> PoolFlow[Outcome]:
        return send_pooled(self._roster, self._now, destination, *_parsed(message), options)

    def _script_of_all(
        self, destination: _Destination, messages: Iterable[Given], options: SendOptions
    ) -> PoolFlow[list[Outcome]]:
        parsed = [_parsed(message) for message in messages]
        return send_all_pooled(self._roster, self._now, destination, parsed, options)


class AsyncPool(_Pool):
    """Connections that are used again, to any number of hosts; for any number of tasks at a time."""

    @abstractmethod
    def _client(self, address: tuple[str, int], options: Mapping[str, Any]) -> AsyncClient: ...

    @abstractmethod
    async def _wait(self, ticket: Ticket) -> None: ...

    @abstractmethod
    def _wake(self, ticket: Ticket) -> None: ...

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None and not issubclass(kind, Exception):
            self._roster.close(self._now())
            for client in (*self._roster.closing(), *self._roster.connections()):
                client.abort()
        await self.close()

    async def send(
        self,
        host: str,
        sender: str | Mailbox | None,
        recipients: Iterable[str | Recipient],
        content: Content,
        *,
        port: int | None = None,
        connect: ConnectOptions | None = None,
        **options: Unpack[SendOptions],
    ) -> Outcome:
        """Send one message to ``host``; see :func:`smtpcore.flows.pooled.send_pooled`.

        ``connect`` has options of ``connect`` for this host. Raises what ``send`` of a client does,
        and what entering one does where a connection has to be opened; RuntimeError when the pool is
        closed.
        """
        destination = self._destination(host, port, connect)
        return await self._run(self._script(destination, (sender, recipients, content), options))

    async def send_all(
        self,
        host: str,
        messages: Iterable[Given],
        *,
        port: int | None = None,
        connect: ConnectOptions | None = None,
        **options: Unpack[SendOptions],
    ) -> list[Outcome]:
        """Send messages to ``host``, each a tuple of sender, recipients and content, over one connection at a time.

        See :func:`smtpcore.flows.batch.send_all_pooled` for what is returned and raised; other arguments are as for
        ``send``.
        """
        return await self._run(self._script_of_all(self._destination(host, port, connect), messages, options))

    async def _run(self, script: PoolFlow[T]) -> T:
        value: Any = None
        error: BaseException | None = None
        try:
            while True:
                try:
                    effect = script.send(value) if error is None else script.throw(error)
                except StopIteration as stop:
                    result: T = stop.value
                    return result
                value = error = None
                try:
                    await self._settle()
                    value = await self._perform(effect)
                except BaseException as caught:  # noqa: BLE001 - the script gives its place back, and raises it again
                    error = caught
        finally:
            await self._settle()

    async def expire(self) -> None:
        """Close connections that have been idle for too long; ``send`` does so too, whenever it is called."""
        self._roster.expire(self._now())
        await self._settle()

    async def close(self) -> None:
        """Take no more messages, and say QUIT over idle connections; over the others when they are done."""
        self._roster.close(self._now())
        await self._settle()

    async def _perform(self, effect: PoolEffect) -> Any:
        if isinstance(effect, Drive):
            return await effect.connection._drive(effect.flow)
        if isinstance(effect, Open):
            where: Any = effect.key
            return await self._client(where.address, where.options).__aenter__()
        if isinstance(effect, Wait):
            if effect.ticket.grant is None and not self._roster.closed:
                await self._wait(effect.ticket)
            return None
        return await self._part(effect.connection)

    async def _part(self, client: AsyncClient) -> None:
        try:
            await client._drive(farewell(client.machine))
        finally:
            client.abort()

    async def _settle(self) -> None:
        """Close what has left the pool, and wake whom it has given a place."""
        closing = self._roster.closing()
        try:
            while closing:
                await self._part(closing.pop())
        finally:
            for client in closing:
                client.abort()
            for ticket in self._roster.called():
                self._wake(ticket)


class BlockingPool(_Pool):
    """Connections that are used again, to any number of hosts; for any number of threads at a time."""

    def __init__(
        self, *, port: int = 25, pool_limits: PoolLimits | None = None, **options: Unpack[ConnectOptions]
    ) -> None:
        super().__init__(port=port, pool_limits=pool_limits, **options)
        self._lock = threading.Lock()  # held while it is decided, and never while anything is waited for

    @abstractmethod
    def _client(self, address: tuple[str, int], options: Mapping[str, Any]) -> BlockingClient: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None and not issubclass(kind, Exception):
            with self._lock:
                self._roster.close(self._now())
                clients = [*self._roster.closing(), *self._roster.connections()]
            for client in clients:
                client.abort()
        self.close()

    def send(
        self,
        host: str,
        sender: str | Mailbox | None,
        recipients: Iterable[str | Recipient],
        content: Content,
        *,
        port: int | None = None,
        connect: ConnectOptions | None = None,
        **options: Unpack[SendOptions],
    ) -> Outcome:
        """Send one message to ``host``; see :func:`smtpcore.flows.pooled.send_pooled`.

        ``connect`` has options of ``connect`` for this host. Raises what ``send`` of a client does,
        and what entering one does where a connection has to be opened; RuntimeError when the pool is
        closed.
        """
        destination = self._destination(host, port, connect)
        return self._run(self._script(destination, (sender, recipients, content), options))

    def send_all(
        self,
        host: str,
        messages: Iterable[Given],
        *,
        port: int | None = None,
        connect: ConnectOptions | None = None,
        **options: Unpack[SendOptions],
    ) -> list[Outcome]:
        """Send messages to ``host``, each a tuple of sender, recipients and content, over one connection at a time.

        See :func:`smtpcore.flows.batch.send_all_pooled` for what is returned and raised; other arguments are as for
        ``send``.
        """
        return self._run(self._script_of_all(self._destination(host, port, connect), messages, options))

    def _run(self, script: PoolFlow[T]) -> T:
        value: Any = None
        error: BaseException | None = None
        try:
            while True:
                try:
                    with self._lock:
                        effect = script.send(value) if error is None else script.throw(error)
                except StopIteration as stop:
                    result: T = stop.value
                    return result
                value = error = None
                try:
                    self._settle()
                    value = self._perform(effect)
                except BaseException as caught:  # noqa: BLE001 - the script gives its place back, and raises it again
                    error = caught
        finally:
            self._settle()

    def expire(self) -> None:
        """Close connections that have been idle for too long; ``send`` does so too, whenever it is called."""
        self._locked(lambda: self._roster.expire(self._now()))
        self._settle()

    def close(self) -> None:
        """Take no more messages, and say QUIT over idle connections; over the others when they are done."""
        self._locked(lambda: self._roster.close(self._now()))
        self._settle()

    def _locked(self, call: Callable[[], T]) -> T:
        with self._lock:
            return call()

    def _perform(self, effect: PoolEffect) -> Any:
        if isinstance(effect, Drive):
            return effect.connection._drive(effect.flow)
        if isinstance(effect, Open):
            where: Any = effect.key
            return self._client(where.address, where.options).__enter__()
        if isinstance(effect, Wait):
            return self._wait(effect.ticket)
        return self._part(effect.connection)

    def _wait(self, ticket: Ticket) -> None:
        with self._lock:
            if ticket.grant is not None or self._roster.closed:
                return
            ticket.waiter = threading.Event()
        ticket.waiter.wait()

    def _part(self, client: BlockingClient) -> None:
        try:
            client._drive(farewell(client.machine))
        finally:
            client.abort()

    def _settle(self) -> None:
        """Close what has left the pool, and wake whom it has given a place."""
        closing = self._locked(self._roster.closing)
        try:
            while closing:
                self._part(closing.pop())
        finally:
            for client in closing:
                client.abort()
            for ticket in self._locked(self._roster.called):
                if ticket.waiter is not None:
                    ticket.waiter.set()
