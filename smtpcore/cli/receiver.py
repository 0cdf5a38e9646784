"""Receiver: the handler of ``serve``, which streams each message into a sink and answers for it."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Mapping
from hmac import compare_digest
from types import MappingProxyType
from typing import Final, final

from ..errors import ParseError
from ..flows.handler import Answer, Refusal, Served
from ..sasl import BearerToken, Credentials, ScramKeys
from ..sasl.scram_keys import scramp_is_there
from ..wire.reply import Reply
from .sinks import Sink
from .terminal import say

__all__ = ["Receiver"]

_NO_ROOM: Final = frozenset((errno.ENOSPC, errno.EDQUOT))
#: What an unknown user's password is compared with, so that it takes as long as a known one's.
_NOBODY: Final = b"\0"


@final
class Receiver:
    """A handler that takes mail for anybody; ``users`` and ``tokens`` are who may log in, empty where nobody has to.

    Users have passwords by their names, tokens are names by the token.
    """

    def __init__(
        self,
        open_sink: Callable[[Served], Sink],
        users: Mapping[str, bytes],
        tokens: Mapping[bytes, str] = MappingProxyType({}),
    ) -> None:
        self._open_sink = open_sink
        self._users = users
        self._tokens = tokens
        self._keys: dict[tuple[str, str], ScramKeys] = {}
        # Mechanisms are offered where a handler has the methods for them.
        if users:
            self.authenticate = self._believe
        if users and scramp_is_there():
            self.scram_keys = self._find_keys
        if tokens:
            self.authenticate = self._believe
            self.verify_token = self._find_owner

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
        if credentials.proven:
            return credentials.authzid in {"", credentials.authcid}
        expected = self._users.get(credentials.authcid)
        right = credentials.verify(_NOBODY if expected is None else expected)
        # RFC 4616 s2: nobody here may act as somebody else
        return right and expected is not None and credentials.authzid in {"", credentials.authcid}

    def _find_keys(self, session: Served, username: str, mechanism: str) -> ScramKeys | None:
        password = self._users.get(username)
        if password is None:
            return None
        keys = self._keys.get((username, mechanism))
        if keys is None:
            try:
                keys = ScramKeys.derive(password.decode(), mechanism)
            except ParseError:
                return None  # SASLprep allows no such password
            self._keys[username, mechanism] = keys
        return keys

    def _find_owner(self, session: Served, token: BearerToken) -> str | None:
        # Each is compared, in constant time: how long it takes tells nothing of the others.
        given = token.token.reveal()
        owners = [owner for known, owner in self._tokens.items() if compare_digest(known, given)]
        return owners[0] if owners else None


def _refusal(error: OSError) -> Reply:
    """A failure of ours is never the message's fault: the client is to try again (RFC 5321 s4.2.3)."""
    say(f"message not kept: {error}")
    if error.errno in _NO_ROOM:
        return Reply(452, "insufficient system storage", "4.3.1")
    return Reply(451, "local error in processing", "4.3.0")
