"""CRAM-MD5 (RFC 2195): a digest of the password and of the server's challenge. Old; the server keeps the password."""

from __future__ import annotations

import re
from typing import Final, final

from ..errors import ParseError
from ..wire.secret import Secret
from .mechanism import Credentials
from .text import decode_name, encode_text

__all__ = ["CramMd5", "CramMd5Server"]

_RULE: Final = "RFC 2195 s2"
_DIGEST: Final = re.compile(rb"[0-9a-f]{32}")


@final
class CramMd5:
    """The client's half. It does not show its password, but lets whoever reads along guess at it."""

    name: str = "CRAM-MD5"
    client_first: bool = False

    def __init__(self, username: str, password: str) -> None:
        self._username = encode_text(username, "username", _RULE)
        self._password = Secret(encode_text(password, "password", _RULE))
        self._said = False

    def step(self, challenge: bytes | None) -> bytes:
        """The name and the digest of the challenge."""
        if not challenge or self._said:
            raise ParseError("CRAM-MD5 has one challenge", 0, _RULE)
        from hmac import digest  # noqa: PLC0415 - few need it

        self._said = True
        return b"%b %b" % (self._username, digest(self._password.reveal(), challenge, "md5").hex().encode())


@final
class CramMd5Server:
    """The server's half; what it ends with verifies the password that the application has kept.

    ``hostname`` stands in the challenge, behind 128 random bits.
    """

    name: str = "CRAM-MD5"

    def __init__(self, hostname: str = "localhost") -> None:
        self._hostname = hostname
        self._challenge = b""

    def step(self, response: bytes | None) -> bytes | Credentials:
        """The challenge, and then the credentials. There is no initial response."""
        if not self._challenge:
            if response is not None:
                raise ParseError("CRAM-MD5 has no initial response", 0, _RULE)
            from secrets import token_hex  # noqa: PLC0415 - few need it

            self._challenge = f"<{token_hex(16)}@{self._hostname}>".encode()
            return self._challenge
        name, _, digest = (response or b"").rpartition(b" ")
        if not name or not _DIGEST.fullmatch(digest):
            raise ParseError("expected a name and 32 digits of a digest", 0, _RULE)
        return Credentials("CRAM-MD5", decode_name(name, _RULE), digest, challenge=self._challenge)
