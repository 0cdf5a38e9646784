"""Control: what all connections of one server share; and Drain, which ends those that are idle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, final

from ..sasl import SERVER_MECHANISMS, ServerMechanism
from ..wire.command import Command
from ..wire.reply import Reply

__all__ = ["FAILED", "MINIMUM_RATE", "Control", "Drain"]

#: In place of what a handler raises.
FAILED: Final = Reply(451, "local error in processing", "4.3.0")
#: Octets per second that a client has to keep up with its content; Postfix has the same.
MINIMUM_RATE: Final = 500.0


class Drain(Exception):
    """Thrown into a script that waits to read: say 421 and close, unless a transaction is in hand."""


@final
class Control:
    """What all connections of one server share."""

    __slots__ = ("draining", "mechanisms", "methods", "minimum_rate", "report", "timeout")

    def __init__(
        self,
        report: Callable[[BaseException], None],
        mechanisms: Mapping[str, Callable[[], ServerMechanism]] = SERVER_MECHANISMS,
        timeout: float | None = None,
        minimum_rate: float = MINIMUM_RATE,
        methods: Callable[[object], Mapping[type[Command], Any]] | None = None,
    ) -> None:
        self.report = report  #: Told of every exception of a handler.
        self.mechanisms = mechanisms
        self.timeout = timeout  #: Seconds that take the place of the machine's deadlines.
        self.minimum_rate = minimum_rate  #: Octets per second.
        self.methods = methods  #: Which method of a handler answers which command; None: as it has them.
        self.draining = False  #: No new transaction begins.
