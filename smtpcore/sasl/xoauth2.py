"""XOAUTH2: an OAuth token, as Google and Microsoft have it. Never standardised; OAUTHBEARER came of it."""

from __future__ import annotations

import re
from typing import Any, Final, final

from ..errors import ParseError
from ..wire.secret import Secret
from .bearer import BearerToken, TokenRefused, ask, believe, check_token, read_auth, read_error
from .mechanism import Credentials, Question, Unproven
from .text import decode_name, encode_text

__all__ = ["XOAuth2", "XOAuth2Server"]

_RULE: Final = "XOAUTH2"
_MESSAGE: Final = re.compile(rb"user=([^\x01]++)\x01auth=([^\x01]++)\x01\x01")


@final
class XOAuth2:
    """The client's half. Raises ParseError for a name or token that cannot be sent."""

    name: str = "XOAUTH2"
    client_first: bool = True
    reveals: bool = True

    def __init__(self, username: str, token: str) -> None:
        user = encode_text(username, "username", _RULE)
        if b"\x01" in user:
            raise ParseError("control character in the username", 0, _RULE)
        self._message = Secret(b"user=%b\x01auth=Bearer %b\x01\x01" % (user, check_token(token, _RULE)))
        self._said = False
        #: What the server said of the token when it refused it: JSON, as a text.
        self.error: str | None = None

    def step(self, challenge: bytes | None) -> bytes:
        """The message; and to the error that a server tells in a challenge, nothing, so that it can refuse."""
        if not self._said or challenge is None:
            if challenge:
                raise ParseError("XOAUTH2 begins with the client's message", 0, _RULE)
            self._said = True
            return self._message.reveal()
        if not challenge or self.error is not None:
            raise ParseError("XOAUTH2 has one message, and one error in answer to it", 0, _RULE)
        self.error = read_error(challenge)
        return b""


@final
class XOAuth2Server:
    """The server's half; the handler's ``verify_token`` says whose token it is."""

    name: str = "XOAUTH2"
    needs: tuple[str, ...] = ("verify_token",)

    def __init__(self) -> None:
        self._token: BearerToken | None = None
        self._refused = False

    def step(self, response: bytes | None) -> bytes | Question | Unproven:
        """The question about the token; behind an error, the end."""
        if self._refused:
            return Unproven("the token was refused")
        if response is None:
            return b""
        found = _MESSAGE.fullmatch(response)
        if not found:
            raise ParseError("expected user=... and auth=Bearer ...", 0, _RULE)
        self._token = BearerToken("XOAUTH2", read_auth(found[2], _RULE), decode_name(found[1], _RULE))
        return ask(self._token)

    def answer(self, given: Any) -> bytes | Credentials:
        """Whose token it is, or the error that the client is told."""
        if self._token is None:
            raise TypeError("nothing was asked")
        result = believe(self._token, given)
        if isinstance(result, TokenRefused):
            self._refused = True
            return bytes(result)
        return result
