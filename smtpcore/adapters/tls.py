"""TLS by the standard library's ``ssl``, for all adapters."""

from __future__ import annotations

import ssl
from typing import Any

from ..flows.client import TlsMode
from ..sasl.channel import Channel

__all__ = ["channel_of", "client_context", "der", "server_context", "verifies"]


def client_context(tls: TlsMode, context: ssl.SSLContext | None) -> ssl.SSLContext | None:
    """The context of a client: the given one; else one that verifies, but for ``opportunistic``.

    Opportunistic TLS takes any certificate, because without TLS there would be none at all (RFC 7435).
    """
    if context is not None or tls == "none":
        return context
    context = ssl.create_default_context()
    if tls == "opportunistic":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def server_context(tls: TlsMode, context: ssl.SSLContext | None) -> ssl.SSLContext | None:
    """The context of a server. Raises ValueError when TLS is asked for without one, or given and not asked for."""
    if tls == "none":
        if context is not None:
            raise ValueError('ssl_context goes with tls="opportunistic", "required" or "implicit"')
        return None
    if context is None:
        raise ValueError(f'tls="{tls}" needs an ssl_context with a certificate')
    return context


def der(certificate: bytes | None) -> bytes | None:
    """A certificate in DER, from DER or the first of PEM. Raises ValueError when it is neither."""
    if certificate is None or certificate[:1] == b"\x30":  # an ASN.1 SEQUENCE
        return certificate
    begin, end = ssl.PEM_HEADER, ssl.PEM_FOOTER
    text = certificate.decode("ascii", "replace")
    at = text.find(begin)
    if at < 0 or end not in text[at:]:
        raise ValueError("not a certificate in DER or PEM")
    return ssl.PEM_cert_to_DER_cert(text[at : text.index(end, at) + len(end)])


def verifies(context: ssl.SSLContext | None) -> bool:
    """Whether a handshake of a client with this context succeeds only with the server that was asked for.

    That is so where authorities and the name are verified, and where TLSA records are (a ``DaneContext``).
    """
    if context is None:
        return False
    return hasattr(context, "verdict") or (context.verify_mode is ssl.CERT_REQUIRED and context.check_hostname)


def channel_of(secured: ssl.SSLObject | ssl.SSLSocket, certificate: bytes | None = None) -> Channel:
    """What SASL may know of a connection behind its handshake; ``certificate`` is our own, in DER.

    The ``ssl`` module of no Python so far exports keying material, so there is no ``tls-exporter`` (RFC 9266). Its
    ``tls-unique`` is left alone: TLS 1.3 has none (RFC 8446 sC.5), and that of TLS 1.2 binds nothing without the
    extended master secret (RFC 7627 s1), which the module does not tell of.
    """
    verified: Any = secured.getpeercert()  # empty unless the context verifies
    return Channel(
        own_certificate=certificate,
        peer_certificate=secured.getpeercert(binary_form=True),
        identity=_common_name(verified) if verified else None,
        verified=verifies(secured.context),
    )


def _common_name(certificate: dict[str, Any]) -> str | None:
    """The common name of the subject, if it has just one; Dovecot goes by the same."""
    names = [value for part in certificate.get("subject", ()) for key, value in part if key == "commonName"]
    return names[0] if len(names) == 1 else None
