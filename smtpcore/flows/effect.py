"""Effects: all that a script ever asks of the world.

A script is a generator that yields one of these and is sent its result. Whoever drives it maps
each to a call of its own library, and throws what went wrong back in. Nothing else crosses.
"""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from typing import Any, TypeAlias, TypeVar, final

__all__ = ["Await", "Close", "Effect", "Flow", "Handshake", "Read", "Write"]

T = TypeVar("T")


@final
class Write:
    """Write all of ``data``. No result; throw OSError when the connection is lost."""

    __slots__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data


@final
class Read:
    """Wait for octets. The result is what came, ``b""`` at the end of the stream; throw TimeoutError at the deadline.

    The driver keeps one deadline. ``seconds`` sets it anew, from now; without it the one set last
    still runs, put off by ``extend`` seconds, though never to more than ``cap`` seconds from now.
    """

    __slots__ = ("cap", "extend", "seconds")

    def __init__(self, seconds: float | None, extend: float = 0.0, cap: float = 0.0) -> None:
        self.seconds = seconds
        self.extend = extend
        self.cap = cap

    def expires(self, now: float, before: float) -> float:
        """The deadline, given the time and the deadline before."""
        if self.seconds is not None:
            return now + self.seconds
        return min(before + self.extend, now + self.cap) if self.extend else before


@final
class Handshake:
    """Do a TLS handshake on the connection. No result; throw OSError (``ssl.SSLError`` is one) when it fails."""

    __slots__ = ()


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
