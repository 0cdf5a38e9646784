"""PLAIN (RFC 4616): identity and password in one message, for use inside TLS."""

from __future__ import annotations

from typing import Final, final

from ..errors import ParseError
from ..wire.secret import Secret
from .mechanism import Credentials
from .text import LIMIT, decode_name, decode_utf8, encode_text

__all__ = ["Plain", "PlainServer"]

_RULE: Final = "RFC 4616 s2"


@final
class Plain:
    """The client's half. Raises ParseError for a name or password with NUL, or none at all."""

    name: str = "PLAIN"
    client_first: bool = True
    reveals: bool = True

    def __init__(self, authcid: str, password: str, authzid: str = "") -> None:
        # message = [authzid] UTF8NUL authcid UTF8NUL passwd
        self._message = Secret(
            b"\0".join(
                (
                    encode_text(authzid, "authzid", _RULE),
                    encode_text(authcid, "authcid", _RULE),
                    encode_text(password, "password", _RULE),
                )
            )
        )
        self._said = False

    def step(self, challenge: bytes | None) -> bytes:
        """The message, whether asked for at once or by an empty challenge; a second challenge is one too many."""
        if challenge or (self._said and challenge is not None):
            raise ParseError("PLAIN has one message and no challenges", 0, _RULE)
        self._said = True
        return self._message.reveal()


@final
class PlainServer:
    """The server's half."""

    name: str = "PLAIN"

    def step(self, response: bytes | None) -> bytes | Credentials:
        """The credentials, or an empty challenge that asks for them."""
        if response is None:
            return b""
        parts = response.split(b"\0")
        if len(parts) != 3 or not parts[1] or not parts[2] or len(parts[2]) > LIMIT:
            raise ParseError("expected [authzid] NUL authcid NUL password", 0, _RULE)
        if decode_utf8(parts[2]) is None:
            raise ParseError("password is not UTF-8", 0, _RULE)
        return Credentials("PLAIN", decode_name(parts[1], _RULE), parts[2], decode_name(parts[0], _RULE))
