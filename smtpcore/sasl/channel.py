"""Channel: what a mechanism may know of the TLS that it runs in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from ..wire.secret import Secret
from ..wire.value import Value, assign

__all__ = ["BINDING_TYPES", "Channel"]

#: The types of channel binding, in the order of preference (RFC 9266 s3, RFC 5929 s4).
BINDING_TYPES: Final = ("tls-exporter", "tls-server-end-point")


@final
class Channel(Value):
    """What the transport knows after a TLS handshake; all of it may be left out.

    ``bindings`` has data of channel bindings by type: whoever has a TLS library that can export keying material puts
    ``tls-exporter`` there (RFC 9266 s2). ``tls-server-end-point`` is made from the certificate.
    """

    __slots__ = ("bindings", "identity", "own_certificate", "peer_certificate", "verified")
    __match_args__ = ("bindings", "own_certificate", "peer_certificate", "identity", "verified")

    bindings: tuple[tuple[str, Secret], ...]
    own_certificate: bytes | None  #: Of this side, in DER; a server's is needed for ``tls-server-end-point``.
    peer_certificate: bytes | None  #: Of the other side, in DER, verified or not.
    identity: str | None  #: Who the peer is by a certificate that has been verified; this is what EXTERNAL goes by.
    #: Whether the peer's certificate was verified, and is one for whom was asked for; this is what REQUIRETLS goes by.
    verified: bool

    def __init__(
        self,
        *,
        bindings: Mapping[str, Secret | bytes] | None = None,
        own_certificate: bytes | None = None,
        peer_certificate: bytes | None = None,
        identity: str | None = None,
        verified: bool = False,
    ) -> None:
        given = (bindings or {}).items()
        kept = [(name, data if isinstance(data, Secret) else Secret(data)) for name, data in given]
        assign(self, "bindings", tuple(kept))
        assign(self, "own_certificate", own_certificate)
        assign(self, "peer_certificate", peer_certificate)
        assign(self, "identity", identity)
        assign(self, "verified", verified)

    def binding(self, kind: str) -> Secret | None:
        """The data given for a type of channel binding."""
        return dict(self.bindings).get(kind)
