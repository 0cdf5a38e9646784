"""Which TLS a delivery needs: MTA-STS (RFC 8461), DANE (RFC 7672) and REQUIRETLS (RFC 8689), as pure functions.

What was looked up goes in, with the time where it matters; a :class:`~smtpcore.policy.verdict.Verdict` comes out, which
the adapters take as ``tls``.
"""

from .certificate import is_for, names_of, public_key_info
from .dane import Dnssec, dane_verdict
from .peer import Judgement, anchors_of, judge, judge_name
from .requiretls import tls_optional, tls_required
from .sts import CachedPolicy, Mode, StsPolicy, StsRecord, find_record, sts_verdict
from .tlsa import DANE_EE, DANE_TA, Tlsa, find_match, usable
from .verdict import Decision, Security, Verdict, combine

__all__ = [
    "DANE_EE",
    "DANE_TA",
    "CachedPolicy",
    "Decision",
    "Dnssec",
    "Judgement",
    "Mode",
    "Security",
    "StsPolicy",
    "StsRecord",
    "Tlsa",
    "Verdict",
    "anchors_of",
    "combine",
    "dane_verdict",
    "find_match",
    "find_record",
    "is_for",
    "judge",
    "judge_name",
    "names_of",
    "public_key_info",
    "sts_verdict",
    "tls_optional",
    "tls_required",
    "usable",
]
