"""TLS for a connection of the asyncio server, whose first step cannot wait for a task."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from functools import partial
from types import coroutine
from typing import Any, TypeVar

from ..flows.effect import Handshake
from .asyncio_hub import Hub
from .asyncio_socket import SocketTransport

__all__ = ["go_on", "upgrade"]

T = TypeVar("T")


async def upgrade(hub: Hub, transport: asyncio.Transport | None, protocol: asyncio.Protocol) -> asyncio.Transport:
    """Do the handshake, and give the encrypted transport. Raises OSError without one; the connection is cut then."""
    limit, context, loop = hub.control.timeout, hub.context, hub.loop
    if transport is None or context is None:
        raise ConnectionError("no connection to encrypt")
    seconds = Handshake.seconds if limit is None else limit
    made: asyncio.Transport | None
    try:
        if isinstance(transport, SocketTransport):
            made, _ = await loop.connect_accepted_socket(
                lambda: protocol, transport.detach(), ssl=context, ssl_handshake_timeout=seconds
            )
        else:
            made = await loop.start_tls(transport, protocol, context, server_side=True, ssl_handshake_timeout=seconds)
    except BaseException:
        transport.abort()
        raise
    if made is None:
        raise ConnectionError("the connection was lost within the handshake")
    return made


async def go_on(steps: Coroutine[Any, Any, T], awaited: object) -> T:
    """The rest of a coroutine whose first step was taken, and which awaits something."""
    return await _rest(steps, awaited)


@coroutine
def _rest(steps: Coroutine[Any, Any, T], awaited: object) -> Generator[Any, Any, T]:
    while True:
        try:
            value = yield awaited
        except BaseException as error:  # noqa: BLE001 - whatever it is, the coroutine has to hear of it
            step = partial(steps.throw, error)
        else:
            step = partial(steps.send, value)
        try:
            awaited = step()
        except StopIteration as stop:
            result: T = stop.value
            return result
