"""OAUTHBEARER (RFC 7628): an OAuth token."""

from __future__ import annotations

import re
from typing import Any, Final, final

from ..errors import ParseError
from ..wire.secret import Secret
from .bearer import BearerToken, TokenRefused, ask, believe, check_token, read_auth, read_error
from .gs2 import decode_saslname, encode_saslname
from .mechanism import Credentials, Question, Unproven

__all__ = ["OAuthBearer", "OAuthBearerServer"]

_RULE: Final = "RFC 7628 s3.1"
# RFC 7628 s3.1
#   kvsep = %x01 ; key = 1*(ALPHA) ; value = *(VCHAR / SP / HTAB / CR / LF)
#   client-resp = (gs2-header kvsep *kvpair kvsep) / kvsep
_MESSAGE: Final = re.compile(rb"[ny],(?:a=([^,\x00\x01]++))?,\x01((?:[A-Za-z]++=[\x21-\x7e \t\r\n]*+\x01)*+)\x01")
_HOST: Final = re.compile(r"[\x21-\x7e]*+")
#: RFC 7628 s3.2.3: what the client says to an error, so that the server can refuse.
_DUMMY: Final = b"\x01"


@final
class OAuthBearer:
    """The client's half; ``host`` and ``port`` are those that the client has connected to, where it wants to say so.

    Raises ParseError for what cannot be sent.
    """

    name: str = "OAUTHBEARER"
    client_first: bool = True
    reveals: bool = True

    def __init__(self, username: str, token: str, *, host: str = "", port: int | None = None) -> None:
        if not _HOST.fullmatch(host):
            raise ParseError("not a host name", 0, _RULE)
        parts = [b"n,a=%b," % encode_saslname(username, "username", _RULE) if username else b"n,,"]
        if host:
            parts.append(f"host={host}".encode())
        if port is not None:
            parts.append(b"port=%d" % port)
        parts.append(b"auth=Bearer " + check_token(token, _RULE))
        self._message = Secret(b"\x01".join(parts) + b"\x01\x01")
        self._said = False
        #: What the server said of the token when it refused it: JSON, as a text.
        self.error: str | None = None

    def step(self, challenge: bytes | None) -> bytes:
        """The message; and a lone ``^A`` to the error that a server tells in a challenge (RFC 7628 s3.2.3)."""
        if not self._said or challenge is None:
            if challenge:
                raise ParseError("OAUTHBEARER begins with the client's message", 0, _RULE)
            self._said = True
            return self._message.reveal()
        if not challenge or self.error is not None:
            raise ParseError("OAUTHBEARER has one message, and one error in answer to it", 0, "RFC 7628 s3.2.3")
        self.error = read_error(challenge)
        return _DUMMY


@final
class OAuthBearerServer:
    """The server's half; the handler's ``verify_token`` says whose token it is."""

    name: str = "OAUTHBEARER"
    needs: tuple[str, ...] = ("verify_token",)

    def __init__(self) -> None:
        self._token: BearerToken | None = None
        self._refused = False

    def step(self, response: bytes | None) -> bytes | Question | Unproven:
        """The question about the token; behind an error, the end."""
        if self._refused:
            # RFC 7628 s3.2.3 has a lone ^A here; msmtp says something else, and it makes no difference
            return Unproven("the token was refused")
        if response is None:
            return b""
        found = _MESSAGE.fullmatch(response)
        if not found:
            raise ParseError("expected a GS2 header and pairs of key and value", 0, _RULE)
        pairs = [pair.partition(b"=") for pair in found[2].split(b"\x01")[:-1]]
        values = {key.lower(): value for key, _, value in pairs}
        if len(values) != len(pairs):
            raise ParseError("a key that stands there twice", 0, _RULE)
        token = read_auth(values.get(b"auth", b""), _RULE)
        authzid = decode_saslname(found[1] or b"", _RULE)
        host, port = values.get(b"host", b"").decode("ascii"), values.get(b"port", b"").decode("ascii")
        self._token = BearerToken("OAUTHBEARER", token, authzid, host, port)
        return ask(self._token)

    def answer(self, given: Any) -> bytes | Credentials:
        """Whose token it is, or the error that the client is told (RFC 7628 s3.2.2)."""
        if self._token is None:
            raise TypeError("nothing was asked")
        result = believe(self._token, given)
        if isinstance(result, TokenRefused):
            self._refused = True
            return bytes(result)
        return result
