"""Recipients: in LMTP, who the end of a content is answered for (RFC 2033 s4.2)."""

from __future__ import annotations

from collections import deque
from typing import Final, final

from ..errors import RemoteProtocolError
from ..extensions.burl import BurlLast
from ..extensions.chunking import BdatLast
from ..table import EndOfContent, State
from ..wire.command import Command, Mail, Rcpt
from ..wire.reply import Reply
from .event import VerdictReceived

__all__ = ["TEACHES_RECIPIENTS", "Recipients"]

#: The commands whose replies say something of recipients.
TEACHES_RECIPIENTS: Final = frozenset((Mail, Rcpt, EndOfContent, BdatLast, BurlLast))
#: Where the end of a content is answered for each recipient; elsewhere there is one reply, which refuses it.
_WITH_RECIPIENTS: Final = frozenset((State.CONTENT, State.RCPT, State.CHUNKS))


@final
class Recipients:
    """The accepted recipients of a transaction that have not had their verdict."""

    __slots__ = ("_accepted",)

    def __init__(self) -> None:
        self._accepted: deque[Command] = deque()

    def __bool__(self) -> bool:
        return bool(self._accepted)

    def learn(self, command: Command, reply: Reply, state: State) -> VerdictReceived | None:
        """Take note of a reply; the verdict, where it is one for a recipient. Raises RemoteProtocolError for 3yz."""
        kind, accepted = type(command), self._accepted
        if kind is Mail:
            if reply.code // 100 == 2:  # RFC 5321 s4.1.4: one within a transaction is refused, and changes nothing
                accepted.clear()
        elif kind is Rcpt:
            if reply.code // 100 == 2:
                accepted.append(command)
        elif accepted and state in _WITH_RECIPIENTS:
            if reply.code // 100 == 3:
                raise RemoteProtocolError(f"{reply.code} is no verdict on a message (RFC 5321 s4.3.2)")
            return VerdictReceived(reply, command, accepted.popleft())
        return None
