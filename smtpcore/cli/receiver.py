"""Receiver: the handler of ``serve``, which streams each message into a sink and answers for it."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Mapping
from typing import Final, final

from ..flows.handler import Answer, Refusal, Served
from ..sasl import Credentials
from ..wire.reply import Reply
from .sinks import Sink
from .terminal import say

__all__ = ["Receiver"]

_NO_ROOM: Final = frozenset((errno.ENOSPC, errno.EDQUOT))
#: What an unknown user's password is compared with, so that it takes as long as a known one's.
_NOBODY: Final = b"\0"


@final
class Receiver:
    """A handler that takes mail for anybody; ``users`` are names and passwords, empty where nobody has to log in."""

    def __init__(self, open_sink: Callable[[Served], Sink], users: Mapping[str, bytes]) -> None:
        self._open_sink = open_sink
        self._users = users
        if users:
            self.authenticate = self._believe  # AUTH is offered where a handler has this

    def data(self, session: Served) -> Answer:
        """Open a sink for the content that is to come."""
        try:
            session.data = self._open_sink(session)
        except OSError as error:
            return _refusal(error)
        return None

    def content(self, session: Served, chunk: bytes) -> None:
        """Write on. After a failure the rest is read and dropped, and the client hears of it at the end."""
        try:
            session.data.write(chunk)
        except OSError as error:
            raise Refusal(_refusal(error)) from None

    async def message(self, session: Served) -> Answer:
        """Keep the message and say 250, in this order; a disk may take its time without holding up other clients."""
        sink, session.data = session.data, None
        try:
            return await asyncio.to_thread(sink.commit)
        except OSError as error:
            return _refusal(error)

    def aborted(self, session: Served) -> None:
        """Forget what came."""
        sink, session.data = session.data, None
        if sink is not None:
            sink.abandon()

    def _believe(self, session: Served, credentials: Credentials) -> bool:
        expected = self._users.get(credentials.authcid)
        right = credentials.verify(_NOBODY if expected is None else expected)
        # RFC 4616 s2: nobody here may act as somebody else
        return right and expected is not None and credentials.authzid in {"", credentials.authcid}


def _refusal(error: OSError) -> Reply:
    """A failure of ours is never the message's fault: the client is to try again (RFC 5321 s4.2.3)."""
    say(f"message not kept: {error}")
    if error.errno in _NO_ROOM:
        return Reply(452, "insufficient system storage", "4.3.1")
    return Reply(451, "local error in processing", "4.3.0")
