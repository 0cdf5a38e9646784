"""smtpcore's client half, by each of its adapters, as one blocking call."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import trio

import smtpcore.adapters.asyncio
import smtpcore.adapters.blocking
import smtpcore.adapters.trio
from smtpcore.flows.options import SendOptions
from smtpcore.flows.outcome import Outcome, Status

ACCEPTED, REFUSED, REFUSED_FOR_NOW = Status.ACCEPTED, Status.REFUSED, Status.REFUSED_FOR_NOW
NOT_SENT, UNKNOWN = Status.NOT_SENT, Status.UNKNOWN


@dataclass(frozen=True)
class Letter:
    """One message to send."""

    content: Any
    recipients: Sequence[str] = ("bob@example.com",)
    sender: str | None = "alice@crepes.fr"


def send(
    adapter: str,
    port: int,
    *letters: Letter,
    hostname: str = "crepes.fr",
    host: str = "127.0.0.1",
    sending: SendOptions | None = None,
    **options: Any,
) -> list[Outcome]:
    """Send letters over one connection and return what became of each; raises what ``connect`` raises."""
    options = {"tls": "none", "hostname": hostname, **options}
    more = sending or {}
    if adapter == "asyncio":
        return asyncio.run(_asyncio(host, port, letters, options, more))
    if adapter == "trio":
        return trio.run(_trio, host, port, letters, options, more)
    with smtpcore.adapters.blocking.connect(host, port, **options) as client:
        return [client.send(each.sender, each.recipients, each.content, **more) for each in letters]


async def _asyncio(
    host: str, port: int, letters: Sequence[Letter], options: dict[str, Any], more: SendOptions
) -> list[Outcome]:
    async with smtpcore.adapters.asyncio.connect(host, port, **options) as client:
        return [await client.send(each.sender, each.recipients, each.content, **more) for each in letters]


async def _trio(
    host: str, port: int, letters: Sequence[Letter], options: dict[str, Any], more: SendOptions
) -> list[Outcome]:
    async with smtpcore.adapters.trio.connect(host, port, **options) as client:
        return [await client.send(each.sender, each.recipients, each.content, **more) for each in letters]


def statuses(outcome: Outcome) -> list[Status]:
    """What became of each recipient, by index."""
    return [each.status for each in outcome.recipients]
