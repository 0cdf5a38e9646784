"""What a script raises when it cannot reach its end.

::

    Exception
      FlowError
        Refused          the server said no to something the script cannot do without
        Disconnected     the connection ended before its time
        TlsNotOffered    tls="required", and the server has no STARTTLS
        NoMechanism      the server offers no mechanism that the client has
        NotProven        the server says that AUTH has succeeded, without the proof that the mechanism asks of it
"""

from __future__ import annotations

from typing import final

from ..wire.command import Command
from ..wire.reply import Reply

__all__ = ["Disconnected", "FlowError", "NoMechanism", "NotProven", "Refused", "TlsNotOffered"]


class FlowError(Exception):
    """A script could not reach its end."""


@final
class Refused(FlowError):
    """The server refused ``command`` with ``reply``, and there is no way on."""

    def __init__(self, reply: Reply, command: Command | None) -> None:
        self.reply = reply
        self.command = command
        super().__init__(reply, command)

    def __str__(self) -> str:
        what = self.command.verb if self.command else "the connection"
        return f"{what} was refused: {self.reply}"


@final
class Disconnected(FlowError, ConnectionError):
    """The connection ended before its time."""


@final
class TlsNotOffered(FlowError):
    """TLS is required and the server does not offer it; nothing was sent that TLS should have hidden."""


@final
class NoMechanism(FlowError):
    """The server offers no SASL mechanism that the client can use."""


@final
class NotProven(FlowError):
    """AUTH has succeeded, says a server that has not proved that it knows the secret: it may be anybody."""
