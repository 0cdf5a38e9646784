"""OAUTHBEARER (RFC 7628): an OAuth token."""

from __future__ import annotations

import re
from typing import ClassVar, Final, final

from ..errors import ParseError
from .bearer import BearerClient, BearerServer, BearerToken, check_token, read_auth
from .gs2 import decode_saslname, encode_saslname

__all__ = ["OAuthBearer", "OAuthBearerServer"]

_RULE: Final = "RFC 7628 s3.1"
# RFC 7628 s3.1
#   kvsep = %x01 ; key = 1*(ALPHA) ; value = *(VCHAR / SP / HTAB / CR / LF)
#   client-resp = (gs2-header kvsep *kvpair kvsep) / kvsep
_MESSAGE: Final = re.compile(rb"[ny],(?:a=([^,\x00\x01]++))?,\x01((?:[A-Za-z]++=[\x21-\x7e \t\r\n]*+\x01)*+)\x01")
_HOST: Final = re.compile(r"[\x21-\x7e]*+")


@final
class OAuthBearer(BearerClient):
    """The client's half; ``host`` and ``port`` are those that the client has connected to, where it wants to say so.

    Raises ParseError for what cannot be sent.
    """

    name: str = "OAUTHBEARER"
    rule: ClassVar[str] = _RULE
    behind_error: ClassVar[bytes] = b"\x01"  # RFC 7628 s3.2.3

    def __init__(self, username: str, token: str, *, host: str = "", port: int | None = None) -> None:
        if not _HOST.fullmatch(host):
            raise ParseError("not a host name", 0, _RULE)
        parts = [b"n,a=%b," % encode_saslname(username, "username", _RULE) if username else b"n,,"]
        if host:
            parts.append(f"host={host}".encode())
        if port is not None:
            parts.append(b"port=%d" % port)
        parts.append(b"auth=Bearer " + check_token(token, _RULE))
        super().__init__(b"\x01".join(parts) + b"\x01\x01")


@final
class OAuthBearerServer(BearerServer):
    """The server's half; the handler's ``verify_token`` says whose token it is."""

    name: str = "OAUTHBEARER"

    def read(self, response: bytes) -> BearerToken:
        """The token in the client's message. Raises ParseError."""
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
        return BearerToken("OAUTHBEARER", token, authzid, host, port)
