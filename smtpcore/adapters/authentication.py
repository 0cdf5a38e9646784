"""TLS as a verdict asks for it: which context, which name, and who is believed after the handshake.

The standard library verifies certificates by authorities and a name. DANE asks for something else, so its context makes
sockets that look at the certificate themselves, at the end of the handshake: one that no record matches is a failed
handshake, with any library that shakes hands by ``ssl``.
"""

from __future__ import annotations

import ssl
from typing import Any, Final, final

from ..flows.client import TlsMode
from ..policy.peer import anchors_of, judge, judge_name
from ..policy.verdict import Decision, Security, Verdict
from .tls import client_context

__all__ = ["HAVE_CHAINS", "DaneContext", "client_tls", "dane_context", "with_found_anchors"]

#: Whether ``ssl`` tells which certificates came along with the server's own: Python 3.13 and later.
HAVE_CHAINS: Final = hasattr(ssl.SSLObject, "get_unverified_chain")


def client_tls(
    verdict: Verdict, context: ssl.SSLContext | None, host: str
) -> tuple[TlsMode, ssl.SSLContext | None, str]:
    """The TLS mode, the context and the server's name of a connection under a verdict.

    Raises ValueError for a verdict that allows no delivery, and for a context of the caller's that is not as strict.
    """
    if verdict.decision is not Decision.DELIVER:
        raise ValueError(f"nothing may be delivered to this host: {verdict.why} ({verdict.rule})")
    name = verdict.names[0] if verdict.names else host
    security = verdict.security
    if security is Security.NONE:
        return "none", client_context("none", context), name
    if security is Security.OPPORTUNISTIC:
        return "opportunistic", client_context("opportunistic", context), name
    if security is Security.REQUIRED:
        # RFC 7672 s2.2: TLS, and any certificate
        return "required", client_context("opportunistic", context), name
    if security is Security.DANE:
        if context is not None:
            raise ValueError("DANE decides who is believed: it takes no ssl_context")
        return "required", dane_context(verdict), name
    if len(verdict.names) != 1:
        raise ValueError("ssl verifies a certificate for one name, not for one of several")
    context = client_context("required", context)
    if context is None or context.verify_mode is not ssl.CERT_REQUIRED or not context.check_hostname:
        raise ValueError("the verdict asks for a verified certificate, and this ssl_context does not verify it")
    return "required", context, name


class _CheckedObject(ssl.SSLObject):
    """What asyncio and trio shake hands with."""

    def do_handshake(self) -> None:
        super().do_handshake()
        if isinstance(self.context, DaneContext):
            self.context.check(self)


class _CheckedSocket(ssl.SSLSocket):
    """The same for blocking sockets."""

    def do_handshake(self, block: bool = False) -> None:
        super().do_handshake(block)
        if isinstance(self.context, DaneContext):
            self.context.check(self)


@final
class DaneContext(ssl.SSLContext):
    """A context for one connection, which believes a certificate that a TLSA record matches.

    A record of the server's own certificate is looked at when the handshake has ended; nothing else of that certificate
    counts (RFC 7672 s3.1.1). A record of an authority is an anchor for the verification by OpenSSL, which has to be
    known before the handshake. Where the record is a digest, the authority's certificate is found in the chain that the
    server sends: then this handshake fails, ``found`` has the anchors, and the next one, with these, decides.
    """

    sslobject_class = _CheckedObject
    sslsocket_class = _CheckedSocket

    verdict: Verdict
    anchors: tuple[bytes, ...]  #: The certificates of authorities that are believed; in DER.
    found: tuple[bytes, ...]  #: Those that a failed handshake has brought.

    def check(self, secured: ssl.SSLObject | ssl.SSLSocket) -> None:
        """Whether to believe the server. Raises ssl.SSLCertVerificationError."""
        leaf = secured.getpeercert(binary_form=True)
        shown = [] if leaf is None else [leaf]
        if self.anchors and shown:
            judgement = judge_name(self.verdict, shown[0])  # OpenSSL has verified the chain and the dates
        else:
            if HAVE_CHAINS:
                shown = _chain_of(secured)
            judgement = judge(self.verdict, shown, complete=HAVE_CHAINS)
            self.found = judgement.anchors
        if judgement.why:
            raise ssl.SSLCertVerificationError(f"certificate verify failed: {judgement.why}")


def _chain_of(secured: Any) -> list[bytes]:
    return list(secured.get_unverified_chain())


def dane_context(verdict: Verdict, anchors: tuple[bytes, ...] = ()) -> DaneContext:
    """The context for a verdict of DANE; ``anchors`` are those that another handshake has found."""
    anchors = anchors or anchors_of(verdict)
    context = DaneContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verdict, context.anchors, context.found = verdict, anchors, ()
    context.check_hostname = False  # a record of the server's certificate stands in for any name
    if anchors:
        # An anchor need not be self-signed (RFC 7671 s5.2.2)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(cadata=b"".join(anchors))
    else:
        context.verify_mode = ssl.CERT_NONE
    return context


def with_found_anchors(context: ssl.SSLContext | None) -> DaneContext | None:
    """The context of a second attempt, where the first has found what to verify by; None where it has not."""
    if isinstance(context, DaneContext) and context.found:
        return dane_context(context.verdict, context.found)
    return None
