"""Effects: all that a script ever asks of the world.

A script is a generator that yields one of these and is sent its result. Whoever drives it maps
each to a call of its own library, and throws what went wrong back in. Nothing else crosses.
"""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from typing import Any, ClassVar, TypeAlias, TypeVar, final

__all__ = ["Await", "Close", "Effect", "Flow", "Handshake", "Read", "Write"]

T = TypeVar("T")


@final
class Read:
    """Wait for octets. The result is what came, ``b""`` at the end of the stream; throw TimeoutError at the deadline.

    The driver keeps one deadline, which runs while it waits here and at no other time: what our own
    side takes is not charged to the peer. ``seconds`` sets it anew, from now; without it what was
    left of the one set last still runs, put off by ``extend`` seconds, though never to more than
    ``cap`` seconds from now. No more than ``most`` octets may come of it, unless that is 0: what is
    behind them is for a handshake to read.
    """

    __slots__ = ("cap", "extend", "most", "seconds")

    def __init__(self, seconds: float | None, extend: float = 0.0, cap: float = 0.0, most: int = 0) -> None:
        self.seconds = seconds
        self.extend = extend
        self.cap = cap
        self.most = most

    def wait(self, left: float) -> float:
        """How many seconds to wait, given how many the Read before had left of its own."""
        if self.seconds is not None:
            return self.seconds
        return min(left + self.extend, self.cap) if self.extend else left


@final
class Write:
    """Write all of ``data``. No result; throw OSError when the connection is lost, TimeoutError behind ``seconds``.

    Where ``then`` is given, do that next: the result is its result, and a TimeoutError is of its deadline. A peer that
    did not take what was written is a ConnectionError there.
    """

    __slots__ = ("data", "then")

    #: How long the peer may take to take it; RFC 5321 s4.5.3.2.5 has that for a block of content.
    seconds: ClassVar[float] = 180.0

    def __init__(self, data: bytes, then: Read | None = None) -> None:
        self.data = data
        self.then = then


@final
class Handshake:
    """Do a TLS handshake on the connection; throw OSError (``ssl.SSLError`` is one) when it fails.

    The result is a :class:`~smtpcore.sasl.channel.Channel`, or None where nothing is known that SASL could use.
    """

    __slots__ = ()

    #: How long it may take; asyncio has the same.
    seconds: ClassVar[float] = 60.0


@final
class Await:
    """Wait for something that the caller's own code returned. The result is its result."""

    __slots__ = ("awaitable",)

    def __init__(self, awaitable: Awaitable[Any]) -> None:
        self.awaitable = awaitable


@final
class Close:
    """Close the connection. No result."""

    __slots__ = ()


Effect: TypeAlias = Write | Read | Handshake | Await | Close
#: A script with a result of type ``T``.
Flow: TypeAlias = Generator[Effect, Any, T]
