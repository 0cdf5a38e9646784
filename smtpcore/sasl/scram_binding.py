"""Channel binding (RFC 5056) for SCRAM: which types of data there are on either side of a TLS connection."""

from __future__ import annotations

from typing import Final, final

from ..wire.secret import Secret
from .channel import BINDING_TYPES, Channel
from .scram_keys import scramp

__all__ = ["Gs2Header", "bindings_of"]

_END_POINT: Final = "tls-server-end-point"


def bindings_of(channel: Channel | None, *, server: bool) -> dict[str, Secret]:
    """The data by type, in the order of preference; none of it without TLS."""
    found: dict[str, Secret] = {}
    if channel is None:
        return found
    for kind in BINDING_TYPES:
        data = channel.binding(kind)
        if data is None and kind == _END_POINT:
            certificate = channel.own_certificate if server else channel.peer_certificate
            data = _end_point(certificate) if certificate else None
        if data:
            found[kind] = data
    return found


def _end_point(certificate: bytes) -> Secret | None:
    """The hash of a certificate, by that of its signature (RFC 5929 s4.1); None where that has none, as Ed448."""
    core = scramp()
    try:
        return Secret(bytes(core.CBindData.from_der(certificate)))
    except (core.ScramException, ValueError, TypeError):  # TypeError: a hash without a length of its own
        return None


@final
class Gs2Header:
    """A GS2 header in place of scramp's, which knows neither an authzid nor ``tls-exporter``."""

    __slots__ = ("_data", "_text")

    def __init__(self, text: str, data: Secret | None) -> None:
        self._text = text
        self._data = data

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"Gs2Header({self._text!r})"

    def make_cbind_input(self, binding: object) -> bytes:
        """What ``c=`` stands for (RFC 5802 s7): the header, and the data of the binding."""
        return self._text.encode() + (self._data.reveal() if self._data else b"")
