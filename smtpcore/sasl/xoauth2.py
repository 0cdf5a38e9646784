"""XOAUTH2: an OAuth token, as Google and Microsoft have it. Never standardised; OAUTHBEARER came of it."""

from __future__ import annotations

import re
from typing import ClassVar, Final, final

from ..errors import ParseError
from .bearer import BearerClient, BearerServer, BearerToken, check_token, read_auth
from .text import decode_name, encode_text

__all__ = ["XOAuth2", "XOAuth2Server"]

_RULE: Final = "XOAUTH2"
_MESSAGE: Final = re.compile(rb"user=([^\x01]++)\x01auth=([^\x01]++)\x01\x01")


@final
class XOAuth2(BearerClient):
    """The client's half. Raises ParseError for a name or token that cannot be sent."""

    name: str = "XOAUTH2"
    rule: ClassVar[str] = _RULE
    behind_error: ClassVar[bytes] = b""

    def __init__(self, username: str, token: str) -> None:
        user = encode_text(username, "username", _RULE)
        if b"\x01" in user:
            raise ParseError("control character in the username", 0, _RULE)
        super().__init__(b"user=%b\x01auth=Bearer %b\x01\x01" % (user, check_token(token, _RULE)))


@final
class XOAuth2Server(BearerServer):
    """The server's half; the handler's ``verify_token`` says whose token it is."""

    name: str = "XOAUTH2"

    def read(self, response: bytes) -> BearerToken:
        """The token in the client's message. Raises ParseError."""
        found = _MESSAGE.fullmatch(response)
        if not found:
            raise ParseError("expected user=... and auth=Bearer ...", 0, _RULE)
        return BearerToken("XOAUTH2", read_auth(found[2], _RULE), decode_name(found[1], _RULE))
