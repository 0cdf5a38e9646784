"""Endpoint: what both machines have, whatever they say."""

from __future__ import annotations

from typing import NoReturn

from ..errors import ProtocolError, RemoteProtocolError

__all__ = ["Endpoint"]


class Endpoint:
    """Octets to be written, the end of the stream, and the error that has ended it all."""

    __slots__ = ("_eof", "_error", "_out")

    def __init__(self) -> None:
        self._out: list[bytes] = []
        self._eof = False
        self._error: ProtocolError | None = None

    def data_to_send(self) -> bytes:
        """The octets to write to the peer now; they are handed out once."""
        out = self._out
        if not out:
            return b""
        if len(out) == 1:
            return out.pop()
        data = b"".join(out)
        out.clear()
        return data

    def _check_error(self) -> None:
        if self._error:
            raise self._error.with_traceback(None)  # or it would grow by each of these calls

    def _fail(self, why: str) -> NoReturn:
        """The peer has broken the protocol, and this machine is dead."""
        self._error = RemoteProtocolError(why)
        raise self._error

    def __reduce__(self) -> NoReturn:
        raise TypeError("a connection is not pickled: it may hold secrets")
