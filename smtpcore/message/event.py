"""What a MessageParser reports: each field, the end of the header, and pieces of the body."""

from __future__ import annotations

from typing import TypeAlias, final

from ..wire.value import Value, assign, setter
from .field import Field

__all__ = ["Body", "HeaderEnd", "MessageEvent"]


@final
class HeaderEnd(Value):
    """All fields have come. What follows is body, or nothing."""

    __slots__ = ("line",)
    __match_args__ = ("line",)

    line: bytes  #: The empty line, most often CRLF; no octets where the message ended with its header.

    def __init__(self, line: bytes) -> None:
        assign(self, "line", line)


@final
class Body(Value):
    """Octets of the body, as they came; their borders mean nothing."""

    __slots__ = ("data",)
    __match_args__ = ("data",)

    data: bytes

    def __init__(self, data: bytes) -> None:
        _set_data(self, data)


_set_data = setter(Body, "data")

MessageEvent: TypeAlias = Field | HeaderEnd | Body
