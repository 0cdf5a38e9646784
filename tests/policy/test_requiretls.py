"""What a message asks about TLS, on top of what the domain does (RFC 8689)."""

from __future__ import annotations

import pytest

from smtpcore.policy import Decision, Dnssec, Mode, Security, StsPolicy, Tlsa, Verdict, tls_optional, tls_required

HOST = "mx.example.com"
OPEN = Verdict(Security.OPPORTUNISTIC)
FORCED = Verdict(Security.REQUIRED, [HOST])
BY_DANE = Verdict(Security.DANE, [HOST], [Tlsa(3, 1, 1, bytes(32))])
BY_STS = Verdict(Security.WEBPKI, [HOST])
NEVER = Verdict(Security.REQUIRED, decision=Decision.DEFER)


def policy(mode: Mode, *names: str) -> StsPolicy:
    return StsPolicy(mode, 1, names)


@pytest.mark.parametrize(
    ("verdict", "mx", "sts", "security", "decision"),
    [
        (OPEN, Dnssec.SECURE, None, Security.WEBPKI, Decision.DELIVER),
        (FORCED, Dnssec.SECURE, None, Security.WEBPKI, Decision.DELIVER),
        (BY_DANE, Dnssec.SECURE, None, Security.DANE, Decision.DELIVER),
        (OPEN, Dnssec.INSECURE, None, Security.WEBPKI, Decision.REFUSE),
        (BY_DANE, Dnssec.INSECURE, None, Security.WEBPKI, Decision.REFUSE),
        (BY_STS, Dnssec.INSECURE, policy(Mode.ENFORCE, HOST), Security.WEBPKI, Decision.DELIVER),
        (BY_DANE, Dnssec.INSECURE, policy(Mode.ENFORCE, HOST), Security.DANE, Decision.DELIVER),
        (OPEN, Dnssec.INSECURE, policy(Mode.TESTING, HOST), Security.WEBPKI, Decision.DELIVER),
        (OPEN, Dnssec.INSECURE, policy(Mode.TESTING, "other.example"), Security.WEBPKI, Decision.REFUSE),
        (OPEN, Dnssec.INSECURE, policy(Mode.NONE, HOST), Security.WEBPKI, Decision.REFUSE),
        (NEVER, Dnssec.SECURE, None, Security.REQUIRED, Decision.DEFER),
    ],
)
def test_required(verdict, mx, sts, security, decision):
    """RFC 8689 s4.2.1"""
    found = tls_required(verdict, HOST, mx=mx, policy=sts)
    assert (found.security, found.decision) == (security, decision)
    if found is not verdict:
        assert found.rule == "RFC 8689 s4.2.1"
        assert found.names == (HOST,)


@pytest.mark.parametrize("verdict", [OPEN, FORCED, BY_DANE, BY_STS, NEVER])
def test_optional(verdict):
    """RFC 8689 s4.2.2"""
    found = tls_optional(verdict)
    assert (found.security, found.decision, found.rule) == (Security.OPPORTUNISTIC, Decision.DELIVER, "RFC 8689 s4.2.2")
