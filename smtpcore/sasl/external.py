"""EXTERNAL (RFC 4422 sA): the client is who its TLS certificate says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, final

from ..errors import ParseError
from ..wire.secret import Secret
from .channel import Channel
from .mechanism import Credentials, Unproven
from .text import decode_name, encode_text

__all__ = ["External", "ExternalServer"]

_RULE: Final = "RFC 4422 sA.1"


@final
class External:
    """The client's half; ``authzid`` is who it wants to act as, empty for whom the certificate names."""

    name: str = "EXTERNAL"
    client_first: bool = True

    def __init__(self, authzid: str = "") -> None:
        self._message = encode_text(authzid, "authzid", _RULE)
        self._said = False

    def step(self, challenge: bytes | None) -> bytes:
        """The one message, whether asked for at once or by an empty challenge."""
        if challenge or (self._said and challenge is not None):
            raise ParseError("EXTERNAL has one message and no challenges", 0, _RULE)
        self._said = True
        return self._message


@final
class ExternalServer:
    """The server's half; it is proven who the client is where TLS has verified its certificate."""

    name: str = "EXTERNAL"
    needs: tuple[str, ...] = ()

    def __init__(self) -> None:
        self._identity: str | None = None

    def bind(self, channel: Channel | None, offered: Sequence[str]) -> None:
        """Learn who the client is."""
        self._identity = channel.identity if channel else None

    def step(self, response: bytes | None) -> bytes | Credentials | Unproven:
        """Who it is, or an empty challenge that asks who it wants to be."""
        if response is None:
            return b""
        authzid = decode_name(response, _RULE)
        if not self._identity:
            return Unproven("the client has shown no certificate that was verified")
        return Credentials("EXTERNAL", self._identity, Secret(b""), authzid, proven=True)
