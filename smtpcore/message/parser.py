"""MessageParser: octets of a message in, its fields, the end of its header, and its body out.

What stands behind ``ContentReceived`` of a server, or reads a file in pieces. The header is held until its end is
known, within the limits given; the body is handed on as it comes and never looked at.
"""

from __future__ import annotations

from collections import deque
from typing import final

from ..errors import ParseError
from .event import Body, HeaderEnd, MessageEvent
from .field import LineEnds
from .header import Header, HeaderLimits, find_end, make_header

__all__ = ["MessageParser"]


@final
class MessageParser:
    """The same events for the same octets, however they are cut; only the body comes in other pieces.

    ``next_event`` raises ParseError where a limit is exceeded, and nothing else, for any octets; it has given no event
    before that, and says the same from then on.
    """

    __slots__ = ("_ended", "_events", "_failure", "_held", "_limits", "_line_ends", "_searched", "header")

    def __init__(self, line_ends: LineEnds = LineEnds.CRLF, limits: HeaderLimits | None = None) -> None:
        self.header: Header | None = None  #: The whole header, as soon as its end has been seen.
        self._line_ends = line_ends
        self._limits = HeaderLimits() if limits is None else limits
        self._held = bytearray()  # the octets of the header so far
        self._searched = 0  # no empty line begins before this offset
        self._events: deque[MessageEvent] = deque()
        self._failure: ParseError | None = None
        self._ended = False

    def receive_data(self, data: bytes) -> None:
        """The next octets; ``b""`` is the end of the message, behind which octets raise ValueError."""
        if self._ended and data:
            raise ValueError("octets behind the end of the message")
        if not data:
            self._ended = True
        if self.header is not None:
            if data:
                self._events.append(Body(bytes(data)))
        elif self._failure is None:
            self._receive_header(data)

    def next_event(self) -> MessageEvent | None:
        """The next field, the end of the header, or octets of the body; None until more is received, or at the end."""
        if self._failure is not None:
            raise self._failure
        return self._events.popleft() if self._events else None

    def _receive_header(self, data: bytes) -> None:
        held, limits = self._held, self._limits
        held += data
        size, line = find_end(held, self._searched, self._line_ends, whole=self._ended)
        if size < 0:
            # The longest beginning of two line ends that may be there, and one octet more where a CR alone ends a line.
            self._searched = max(0, len(held) - 4)
            if not self._ended and len(held) <= limits.size:
                return
            size = len(held)
        try:
            # What is beyond the limit decides nothing: the header is refused whatever it is.
            self.header = make_header(bytes(held[: min(size, limits.size + 1)]), line, self._line_ends, limits)
        except ParseError as error:
            self._failure = error
        else:
            self._events.extend(self.header.fields)
            self._events.append(HeaderEnd(line))
            if len(held) > size + len(line):
                self._events.append(Body(bytes(held[size + len(line) :])))
        self._held = bytearray()
