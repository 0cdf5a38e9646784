"""DELIVERBY (RFC 2852): a message that is of use until some time only.

``Mail(alice, BY(DeliverBy(120, ByMode.RETURN)))`` asks that the message be delivered within 120 seconds or else be
returned; with ``ByMode.NOTIFY`` it stays on its way, and its sender is told that it is late. Each server on the way
subtracts what the message spent with it.

A server may say the least time that it takes for a message to be returned: ``DELIVERBY.offer(240)``. Below that, a
client machine does not ask, and a server refuses. Whether a server can keep such a time is known to its application
alone, so it is not offered unless it is among the capabilities.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final, final

from ..errors import ParseError
from ..wire.command import Mail
from ..wire.parameter import ParameterType
from ..wire.reply import Reply
from ..wire.value import Value, assign
from .extension import Extension, ServerView, SessionView

__all__ = ["BY", "DELIVERBY", "ByMode", "DeliverBy"]

# RFC 2852 s4
#   by-value = by-time ";" by-mode [by-trace]
#   by-time  = ["-" / "+"] 1*9digit ; "a negative or zero value is not allowed with a by-mode of "R""
#   by-mode  = "N" / "R"
#   by-trace = "T"
_BY: Final = re.compile(r"([+\-]?[0-9]{1,9});([NRnr])([Tt]?)")
_MOST: Final = 999_999_999


@final
class ByMode(Enum):
    """What becomes of a message that is late."""

    NOTIFY = "N"  #: It stays on its way, and its sender is told.
    RETURN = "R"  #: It is returned.


@final
class DeliverBy(Value):
    """By when a message shall be delivered, and what if not (RFC 2852 s4).

    ``seconds`` count from the MAIL that says so; zero and below mean that the time is over, and go with NOTIFY alone.
    Raises ParseError for a number of more than nine digits, and for one that does not go with the mode.
    """

    __slots__ = ("mode", "seconds", "trace")
    __match_args__ = ("seconds", "mode", "trace")

    seconds: int
    mode: ByMode
    trace: bool  #: Whether the sender wants to know which servers the message was handed to.

    def __init__(self, seconds: int, mode: ByMode, *, trace: bool = False) -> None:
        given: tuple[object, ...] = (seconds, mode, trace)
        if [type(each) for each in given] != [int, ByMode, bool]:
            raise TypeError("DeliverBy takes a whole number of seconds, a ByMode, and True or False for trace")
        if not -_MOST <= seconds <= _MOST:
            raise ParseError("not a time of up to nine digits", 0, "RFC 2852 s4", str(seconds)[:100])
        if mode is ByMode.RETURN and seconds <= 0:
            raise ParseError("a message to be returned needs a time above zero", 0, "RFC 2852 s4", str(seconds))
        assign(self, "seconds", seconds)
        assign(self, "mode", mode)
        assign(self, "trace", trace)

    @classmethod
    def parse(cls, text: str) -> DeliverBy:
        """Read ``120;R`` or ``-10;NT``. Raises ParseError."""
        found = _BY.fullmatch(text)
        if not found:
            raise ParseError("expected seconds, a semicolon, N or R, and perhaps T", 0, "RFC 2852 s4", text)
        return cls(int(found[1]), ByMode(found[2].upper()), trace=bool(found[3]))

    def __str__(self) -> str:
        return f"{self.seconds};{self.mode.value}{'T' if self.trace else ''}"


#: ``BY=seconds;mode`` on MAIL: by when the message shall be delivered, and what if not.
BY: Final[ParameterType[DeliverBy]] = ParameterType("BY", DeliverBy.parse, str, kind=DeliverBy)

# RFC 2852 s2
#   deliverby-param = min-by-time *( "," extension-token )
#   min-by-time     = [1*9DIGIT]
_LEAST: Final = re.compile(r"([0-9]{1,9})(?:,[^\x00-\x20,\x7f]++)*+")


def _decode_least(text: str) -> int:
    found = _LEAST.fullmatch(text)
    if not found:
        raise ParseError("expected a number of seconds", 0, "RFC 2852 s2", text)
    return int(found[1])


def _objection(server: ServerView | SessionView, command: Mail) -> str:
    by = command.parameters.get(BY)
    least = server.capabilities.get(DELIVERBY) if by is not None else None
    if by is not None and least and by.mode is ByMode.RETURN and by.seconds < least:
        return f"a message to be returned needs at least {least} seconds here (RFC 2852 s3)"
    return ""


def _check_mail(session: SessionView, command: Mail) -> Reply | None:
    """Refused, where it is to be returned, with a time below the least that was announced (RFC 2852 s3)."""
    why = _objection(session, command)
    return Reply(555, why, "5.5.4") if why else None


#: A time for the delivery can be set; ``DELIVERBY.offer(seconds)`` says the least for a message to be returned.
DELIVERBY: Final[Extension[int]] = Extension(
    "DELIVERBY",
    "RFC 2852",
    argument=ParameterType("DELIVERBY", _decode_least),
    mail_parameters=[BY],
    parameter_checks={BY: _check_mail},
    objection=_objection,
)
