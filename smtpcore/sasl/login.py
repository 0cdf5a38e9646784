"""LOGIN: name and password in two answers. Never standardised, still asked for by old clients."""

from __future__ import annotations

from typing import Final, final

from ..errors import ParseError
from ..wire.secret import Secret
from .mechanism import Credentials
from .text import decode_name, encode_text

__all__ = ["Login", "LoginServer"]

_RULE: Final = "draft-murchison-sasl-login-00"


@final
class Login:
    """The client's half: whatever the prompts say, the name is the first answer and the password the second."""

    name: str = "LOGIN"
    client_first: bool = False
    reveals: bool = True

    def __init__(self, username: str, password: str) -> None:
        self._answers = [
            Secret(encode_text(username, "username", _RULE)),
            Secret(encode_text(password, "password", _RULE)),
        ]

    def step(self, challenge: bytes | None) -> bytes:
        """The next answer."""
        if challenge is None or not self._answers:
            raise ParseError("LOGIN has two challenges", 0, _RULE)
        return self._answers.pop(0).reveal()


@final
class LoginServer:
    """The server's half."""

    name: str = "LOGIN"

    def __init__(self) -> None:
        self._username: str | None = None

    def step(self, response: bytes | None) -> bytes | Credentials:
        """The prompts, then the credentials. An initial response, which some clients send, is the name."""
        if response is None:
            return b"Username:"
        if self._username is None:
            self._username = decode_name(response, _RULE)
            if not self._username:
                raise ParseError("empty username", 0, _RULE)
            return b"Password:"
        if not response:
            raise ParseError("empty password", 0, _RULE)
        return Credentials("LOGIN", self._username, response)
