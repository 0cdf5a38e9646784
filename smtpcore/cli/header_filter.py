"""HeaderFilter: what final delivery does to the header of a content that streams by (RFC 5321 s4.4, s6.3)."""

from __future__ import annotations

import re
from typing import Final, final

from ..flows.handler import Refusal
from ..wire.reply import Reply

__all__ = ["HOPS", "HeaderFilter"]

#: Received fields that a content may bring; RFC 5321 s6.3: a threshold of "normally at least 100 Received entries".
HOPS: Final = 100

_LOOP: Final = Reply(554, "too many hops", "5.4.6")
# RFC 5322 s3.6.7, with the white space of s4.5
_find_trace: Final = re.compile(rb"(?i:(return-path)|received)[ \t]*+:").match


@final
class HeaderFilter:
    """Counts Received fields, and with ``strip`` leaves Return-Path out; all other octets pass as they are.

    At most one line is held, and only of the header; how long one may be is for the server to say.
    """

    def __init__(self, *, strip: bool) -> None:
        self._strip = strip
        self._held: bytearray | None = bytearray()  # a line that has not ended; None behind the header
        self._keeping = True  # whether lines that are folded belong to a field that stays
        self._hops = 0

    def receive(self, data: bytes) -> bytes:
        """What of the content may go on, behind ``data``. Raises Refusal where it has been passed on too often."""
        held = self._held
        if held is None:
            return data
        searched = max(0, len(held) - 1)  # a CR at its end may be half a line end
        held += data
        kept: list[bytes] = []
        start = 0
        while (found := held.find(b"\r\n", searched)) >= 0:
            searched = found + 2
            if found == start:
                # RFC 5322 s2.1: an empty line; behind it is body
                kept.append(bytes(held[start:]))
                self._held = None
                return b"".join(kept)
            line = bytes(held[start:searched])
            start = searched
            if self._stays(line):
                kept.append(line)
        del held[:start]
        return b"".join(kept)

    def end(self) -> bytes:
        """What is left of a content that has ended within a line of its header. Raises Refusal."""
        line, self._held = bytes(self._held or b""), None
        return line if self._stays(line) else b""

    def _stays(self, line: bytes) -> bool:
        if line[:1] not in (b" ", b"\t"):
            trace = _find_trace(line)
            self._keeping = not (self._strip and trace and trace[1])
            if trace and not trace[1]:
                self._hops += 1
                if self._hops > HOPS:
                    raise Refusal(_LOOP)
        return self._keeping
