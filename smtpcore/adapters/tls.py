"""TLS by the standard library's ``ssl``, for all adapters."""

from __future__ import annotations

import ssl

from ..flows.client import TlsMode

__all__ = ["client_context", "server_context"]


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
