"""Bearer tokens (RFC 6750), which XOAUTH2 and OAUTHBEARER carry: what a server asks and is told of them."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Final, final

from ..errors import ParseError
from ..wire.secret import Secret
from ..wire.value import Value, assign
from .mechanism import Credentials, Question, Unproven
from .text import decode_utf8

__all__ = ["BearerClient", "BearerServer", "BearerToken", "TokenRefused"]

# RFC 6750 s2.1
#   b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
_TOKEN: Final = re.compile(rb"[A-Za-z0-9\-._~+/]++=*+")
#: What stands behind ``auth=``; the name of the scheme is read in any case (RFC 7628 s3.1).
_AUTH: Final = re.compile(rb"[Bb][Ee][Aa][Rr][Ee][Rr] ++([A-Za-z0-9\-._~+/]++=*+)")
#: Octets of the longest error that is kept.
_ERROR_LIMIT: Final = 4096


@final
class BearerToken(Value):
    """A token, for the application to look up: whose it is, and whether it lets its owner send mail."""

    __slots__ = ("authzid", "host", "mechanism", "port", "token")
    __match_args__ = ("mechanism", "token", "authzid", "host", "port")

    mechanism: str  #: XOAUTH2 or OAUTHBEARER.
    token: Secret
    authzid: str  #: Whose mailbox it is meant for, as the client says; it may be empty.
    host: str  #: The server that the client wants to speak to; empty where it does not say.
    port: str  #: And its port, in digits.

    def __init__(
        self, mechanism: str, token: Secret | bytes, authzid: str = "", host: str = "", port: str = ""
    ) -> None:
        assign(self, "mechanism", mechanism)
        assign(self, "token", token if isinstance(token, Secret) else Secret(token))
        assign(self, "authzid", authzid)
        assign(self, "host", host)
        assign(self, "port", port)


@final
class TokenRefused(Value):
    """Why a token is refused, in the terms that the client is told in (RFC 7628 s3.2.2)."""

    __slots__ = ("configuration", "scope", "status")
    __match_args__ = ("status", "scope", "configuration")

    status: str  #: ``invalid_token``, ``insufficient_scope``, or another of OAuth's codes.
    scope: str  #: The scope that a token has to have.
    configuration: str  #: The URL of a document on where to get one (``openid-configuration``).

    def __init__(self, status: str = "invalid_token", scope: str = "", configuration: str = "") -> None:
        assign(self, "status", status)
        assign(self, "scope", scope)
        assign(self, "configuration", configuration)

    def __bytes__(self) -> bytes:
        import json  # noqa: PLC0415 - few need it

        said = {"status": self.status, "scope": self.scope, "openid-configuration": self.configuration}
        return json.dumps({key: value for key, value in said.items() if value}).encode()


class BearerClient:
    """The client's half of both: one message, and one answer to the error that a server may tell in a challenge."""

    name: str
    client_first: bool = True
    reveals: bool = True
    rule: ClassVar[str]  #: Where its errors say that it is defined.
    behind_error: ClassVar[bytes]  #: What is said to an error, so that the server can refuse.

    def __init__(self, message: bytes) -> None:
        self._message = Secret(message)
        self._said = False
        #: What the server said of the token when it refused it: JSON, as a text.
        self.error: str | None = None

    def step(self, challenge: bytes | None) -> bytes:
        """The message; and the answer to an error."""
        if not self._said or challenge is None:
            if challenge:
                raise ParseError(f"{self.name} begins with the client's message", 0, self.rule)
            self._said = True
            return self._message.reveal()
        if not challenge or self.error is not None:
            raise ParseError(f"{self.name} has one message, and one error in answer to it", 0, self.rule)
        self.error = decode_utf8(challenge[:_ERROR_LIMIT]) or ""
        return self.behind_error


class BearerServer(ABC):
    """The server's half of both; the handler's ``verify_token`` says whose token it is."""

    name: str
    needs: tuple[str, ...] = ("verify_token",)

    def __init__(self) -> None:
        self._token: BearerToken | None = None
        self._refused = False

    @abstractmethod
    def read(self, response: bytes) -> BearerToken:
        """The token in the client's message. Raises ParseError."""

    def step(self, response: bytes | None) -> bytes | Question | Unproven:
        """The question about the token; behind an error, the end."""
        if self._refused:
            # RFC 7628 s3.2.3 has a lone ^A here; msmtp says something else, and it makes no difference
            return Unproven("the token was refused")
        if response is None:
            return b""
        self._token = self.read(response)
        return Question("verify_token", self._token)

    def answer(self, given: Any) -> bytes | Credentials:
        """Whose token it is, or the error that the client is told (RFC 7628 s3.2.2)."""
        if self._token is None:
            raise TypeError("nothing was asked")
        result = believe(self._token, given)
        if isinstance(result, TokenRefused):
            self._refused = True
            return bytes(result)
        return result


def check_token(token: str, rule: str) -> bytes:
    """The octets of a token of ours. Raises ParseError, without showing it, for what is none."""
    octets = token.encode("ascii", "replace")
    if not _TOKEN.fullmatch(octets):
        raise ParseError("not a bearer token", 0, rule)
    return octets


def read_auth(value: bytes, rule: str) -> Secret:
    """The token in ``Bearer ...``. Raises ParseError."""
    found = _AUTH.fullmatch(value)
    if not found:
        raise ParseError("expected a bearer token", 0, rule)
    return Secret(found[1])


def believe(token: BearerToken, verdict: Any) -> Credentials | TokenRefused:
    """What the application's answer comes to: the name of the token's owner, or a refusal."""
    if isinstance(verdict, str) and verdict:
        return Credentials(token.mechanism, verdict, b"", token.authzid, proven=True)
    if isinstance(verdict, TokenRefused):
        return verdict
    if verdict is None or verdict is False:
        return TokenRefused()
    raise TypeError(f"verify_token answers with a name, a TokenRefused or None, not {type(verdict).__name__}")
