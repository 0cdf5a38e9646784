"""DANE between mail servers (RFC 7672): what the TLSA records of a host, and how far DNS is to be believed, mean."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import final

from .names import host_name
from .tlsa import Tlsa, usable
from .verdict import Decision, Security, Verdict

__all__ = ["Dnssec", "dane_verdict"]


@final
class Dnssec(Enum):
    """What a validating resolver says of an answer, or of there being none (RFC 4035 s4.3, RFC 7672 s2.1.1)."""

    SECURE = "secure"  #: Signed, and the signature holds.
    INSECURE = "insecure"  #: The zone is not signed, and that is proven.
    BOGUS = "bogus"  #: Neither: a signature that does not hold, SERVFAIL, a timeout, any other failed lookup.


def dane_verdict(
    base: str,
    records: Iterable[Tlsa],
    status: Dnssec,
    *,
    mx: Dnssec = Dnssec.SECURE,
    next_hop: str | None = None,
    expanded_next_hop: str | None = None,
    chains: bool = True,
) -> Verdict:
    """What DANE asks of a delivery to one host (RFC 7672 s2.2).

    ``base`` is the TLSA base domain: the name of the host, after CNAMEs where those are secure and lead to TLSA records
    (RFC 7672 s2.2.3). ``records`` and ``status`` are the answer for ``_25._tcp.BASE``; where the addresses of the host
    are INSECURE nothing need be asked for, and that is the status (RFC 7672 s2.2.2). ``mx`` is how far to believe what
    led from ``next_hop``, the domain of the mailbox, to the host; ``expanded_next_hop`` is that domain after CNAMEs.
    ``chains`` is False where a record of an authority that is no whole certificate cannot be verified, as by ``ssl``
    before Python 3.13: then it counts as unusable.
    """
    host = host_name(base)
    if Dnssec.BOGUS in (status, mx):
        # RFC 7672 s2.2: lookup errors "MUST result in falling back to the next SMTP server or delayed delivery"
        what = "TLSA" if status is Dnssec.BOGUS else "MX"
        why = f"the {what} records could not be looked up securely"
        return Verdict(Security.REQUIRED, [host], decision=Decision.DEFER, rule="RFC 7672 s2.1.1", why=why)
    given = tuple(records)
    if status is Dnssec.INSECURE or not given:
        why = "the TLSA records are not signed" if given else "there are no TLSA records"
        return Verdict(Security.OPPORTUNISTIC, rule="RFC 7672 s2.2", why=why)
    good = usable(given, chains=chains)
    if not good:
        # RFC 7672 s2.2: "MUST be made via TLS, but authentication is not required"
        problems = ", ".join(dict.fromkeys([record.problem or "no chain to verify by" for record in given]))
        return Verdict(Security.REQUIRED, [host], rule="RFC 7672 s2.2", why=f"no TLSA record is usable: {problems}")
    names = [host]
    # RFC 7672 s3.2.2: behind a secure MX the domain itself is a reference identifier as well, before and after CNAMEs;
    # behind one that is not, "the MX hostname is the only reference identifier"
    if mx is Dnssec.SECURE:
        names += [name for name in (next_hop, expanded_next_hop) if name is not None]
    return Verdict(Security.DANE, names, good, rule="RFC 7672 s2.2", why="there are usable TLSA records")
