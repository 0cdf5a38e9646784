"""FUTURERELEASE (RFC 4865): a submitted message that the server keeps until some time, and sends then.

``Mail(alice, HOLDFOR(3600))`` has it kept for an hour, ``Mail(alice, HOLDUNTIL(Timestamp("2027-01-01T00:00:00Z")))``
until then; one of them, not both. The server says how far ahead it plans: ``FUTURERELEASE.offer(ReleaseLimits(864_000,
Timestamp("2027-02-23T00:00:00Z")))``. Beyond that, a client machine does not ask, and a server refuses.

Machines have no clock: whether a date and time lies within the longest interval is for the application to see. Keeping
messages is its business as well, so this is not offered unless it is among the capabilities.
"""

from __future__ import annotations

import re
from typing import Final, final

from ..errors import ParseError
from ..wire.command import Mail
from ..wire.parameter import ParameterType
from ..wire.reply import Reply
from ..wire.value import Value, assign
from .extension import Extension, ServerView, SessionView
from .timestamp import Timestamp

__all__ = ["FUTURERELEASE", "HOLDFOR", "HOLDUNTIL", "ReleaseLimits"]

# RFC 4865 s3
#   future-release-integer = %x31-39 *8DIGIT
_INTERVAL: Final = re.compile(r"[1-9][0-9]{0,8}")
_LIMITS: Final = re.compile(r"([1-9][0-9]{0,8}) ([^\x00-\x20\x7f]++)")


def _decode_interval(text: str) -> int:
    if not _INTERVAL.fullmatch(text):
        raise ParseError("expected a number of seconds, of 1 to 9 digits", 0, "RFC 4865 s3", text)
    return int(text)


#: ``HOLDFOR=seconds`` on MAIL: keep the message that long; 1 to 999,999,999.
HOLDFOR: Final[ParameterType[int]] = ParameterType("HOLDFOR", _decode_interval)

#: ``HOLDUNTIL=date-time`` on MAIL: keep the message until then.
HOLDUNTIL: Final[ParameterType[Timestamp]] = ParameterType("HOLDUNTIL", Timestamp, str, kind=Timestamp)


@final
class ReleaseLimits(Value):
    """How far ahead a server plans (RFC 4865 s3). Raises ParseError for an interval that HOLDFOR cannot have."""

    __slots__ = ("interval", "until")
    __match_args__ = ("interval", "until")

    interval: int  #: The longest interval, in seconds.
    until: Timestamp  #: The last date and time.

    def __init__(self, interval: int, until: Timestamp) -> None:
        if type(until) is not Timestamp:
            raise TypeError(f"until must be a Timestamp, not {type(until).__name__}")
        HOLDFOR.encode(interval)
        assign(self, "interval", interval)
        assign(self, "until", until)

    @classmethod
    def parse(cls, text: str) -> ReleaseLimits:
        """Read ``864000 2027-02-23T00:00:00Z``. Raises ParseError."""
        found = _LIMITS.fullmatch(text)
        if not found:
            raise ParseError("expected a number of seconds, and a date and time", 0, "RFC 4865 s3", text)
        return cls(int(found[1]), Timestamp(found[2]))

    def __str__(self) -> str:
        return f"{self.interval} {self.until}"


def _objection(server: ServerView | SessionView, command: Mail) -> str:
    interval, until = command.parameters.get(HOLDFOR), command.parameters.get(HOLDUNTIL)
    if interval is None and until is None:
        return ""
    if interval is not None and until is not None:
        return "HOLDFOR and HOLDUNTIL exclude each other (RFC 4865 s4)"
    limits = server.capabilities.get(FUTURERELEASE)
    if limits is not None and interval is not None and interval > limits.interval:
        return f"no message is held here for more than {limits.interval} seconds (RFC 4865 s4)"
    if limits is not None and until is not None and until.seconds > limits.until.seconds:
        return f"no message is held here beyond {limits.until} (RFC 4865 s4)"
    return ""


def _check_mail(session: SessionView, command: Mail) -> Reply | None:
    """Refused beyond the limits that were announced, and with both parameters at once (RFC 4865 s4)."""
    why = _objection(session, command)
    return Reply(501, why, "5.5.4") if why else None


#: Messages can be held; announced with the limits: ``FUTURERELEASE.offer(ReleaseLimits(...))``.
FUTURERELEASE: Final[Extension[ReleaseLimits]] = Extension(
    "FUTURERELEASE",
    "RFC 4865",
    argument=ParameterType("FUTURERELEASE", ReleaseLimits.parse, str, kind=ReleaseLimits),
    mail_parameters=[HOLDFOR, HOLDUNTIL],
    parameter_checks={HOLDFOR: _check_mail, HOLDUNTIL: _check_mail},
    objection=_objection,
)
