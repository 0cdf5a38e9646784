"""What a message itself asks about TLS (RFC 8689), on top of what its recipient's domain does."""

from __future__ import annotations

from .dane import Dnssec
from .names import host_name
from .sts import Mode, StsPolicy
from .verdict import Decision, Security, Verdict

__all__ = ["tls_optional", "tls_required"]


def tls_required(verdict: Verdict, host: str, *, mx: Dnssec, policy: StsPolicy | None = None) -> Verdict:
    """The verdict for a message with REQUIRETLS and a reverse-path that is not null (RFC 8689 s4.2.1).

    ``verdict`` is what the domain asks; ``mx`` is how far to believe that ``host`` is one of the domain's; ``policy``
    is its MTA-STS policy in force. Without DNSSEC a policy must vouch for the name; the certificate must be verified in
    any case. That behind TLS the server offers REQUIRETLS the client machine sees to. Where no host will do, the
    message is returned, with 5.7.30 where that was not offered, with 5.7.10 where there was no TLS.
    """
    if verdict.decision is not Decision.DELIVER:
        return verdict
    # RFC 8689 s4.2.1, 2: an MX record without a valid signature is to be validated by MTA-STS
    vouched = policy is not None and policy.mode is not Mode.NONE and policy.matches(host)
    if mx is not Dnssec.SECURE and not vouched:
        why = f"neither DNSSEC nor MTA-STS vouches for {host_name(host)}, and the message has REQUIRETLS"
        return Verdict(Security.WEBPKI, [host], decision=Decision.REFUSE, rule="RFC 8689 s4.2.1", why=why)
    if verdict.is_authenticated:
        return verdict
    # RFC 8689 s4.2.1, 4: the certificate is verified by its names, as in RFC 6125, or by DANE
    return Verdict(
        Security.WEBPKI, [host], rule="RFC 8689 s4.2.1", why="the message has REQUIRETLS", tested=verdict.tested
    )


def tls_optional(verdict: Verdict) -> Verdict:
    """The verdict for a message with ``TLS-Required: No`` (RFC 8689 s4.2.2): delivery matters more than TLS."""
    rule, why = "RFC 8689 s4.2.2", "the message has TLS-Required: No"
    return Verdict(Security.OPPORTUNISTIC, rule=rule, why=why, tested=verdict.tested)
