"""Verdict: which TLS a delivery to one host needs, and whether there may be a delivery at all."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final, final

from ..wire.value import Value, assign
from .names import host_name
from .tlsa import Tlsa

__all__ = ["Decision", "Security", "Verdict", "combine"]


@final
class Security(Enum):
    """What TLS is needed, from the least to the most."""

    NONE = "none"  #: No TLS, even where it is offered.
    OPPORTUNISTIC = "opportunistic"  #: TLS where it is offered, with whatever certificate (RFC 7435).
    REQUIRED = "required"  #: TLS or no delivery, with whatever certificate.
    WEBPKI = "webpki"  #: TLS with a certificate that a trusted authority gave out, for one of the names.
    DANE = "dane"  #: TLS with a certificate that one of the TLSA records matches.


@final
class Decision(Enum):
    """What to do with the message, as far as this host goes. The others of the domain are tried whatever it is."""

    DELIVER = "deliver"  #: To this host, as the verdict's TLS allows.
    DEFER = "defer"  #: Not to this host; where no other takes it, try again later.
    REFUSE = "refuse"  #: Not to this host; where no other takes it, return the message (RFC 8689 s4.2.1).


@final
class Verdict(Value):
    """Which TLS a delivery to one host needs, and why; what ``connect`` of an adapter takes as ``tls``."""

    __slots__ = ("decision", "names", "records", "rule", "security", "tested", "why")
    __match_args__ = ("security", "names", "records", "decision", "rule", "why", "tested")

    security: Security
    #: Whom the certificate must be for, one of them; the first is the name to ask for (SNI). In lower case.
    names: tuple[str, ...]
    records: tuple[Tlsa, ...]  #: For DANE: the usable records; one that matches is enough.
    decision: Decision
    rule: str  #: The RFC and section it follows from, such as ``RFC 8461 s4.1``.
    why: str  #: The same in a few words.
    tested: Verdict | None  #: What an MTA-STS policy in testing would ask: a failure of this is to be reported only.

    def __init__(
        self,
        security: Security,
        names: Iterable[str] = (),
        records: Iterable[Tlsa] = (),
        *,
        decision: Decision = Decision.DELIVER,
        rule: str = "",
        why: str = "",
        tested: Verdict | None = None,
    ) -> None:
        hosts = tuple(dict.fromkeys([host_name(name) for name in names]))  # each once
        usable = tuple(records)
        if not hosts and security in {Security.WEBPKI, Security.DANE}:
            raise ValueError("who is to be authenticated needs a name")
        if (security is Security.DANE) != bool(usable):
            raise ValueError("DANE needs TLSA records, and nothing else does")
        if any(record.problem for record in usable):
            raise ValueError("an unusable TLSA record authenticates nobody (RFC 6698 s4.1)")
        assign(self, "security", security)
        assign(self, "names", hosts)
        assign(self, "records", usable)
        assign(self, "decision", decision)
        assign(self, "rule", rule)
        assign(self, "why", why)
        assign(self, "tested", tested)

    @property
    def is_authenticated(self) -> bool:
        """Whether who is talked to has to show who it is."""
        return self.security in {Security.WEBPKI, Security.DANE}


_ORDER: Final = {security: place for place, security in enumerate(Security)}


def combine(dane: Verdict, sts: Verdict) -> Verdict:
    """What both ask together of the same host.

    DANE decides who is believed where there are usable TLSA records, and MTA-STS does not override it where it fails
    (RFC 8461 s2). Yet a host that an enforced policy does not name gets no message (RFC 8461 s5): TLSA records of the
    wrong host are no help where MX records were forged. Without usable records the stricter of both holds.
    """
    if dane.decision is not Decision.DELIVER:
        return dane
    if sts.decision is not Decision.DELIVER:
        return sts
    chosen = dane if _ORDER[dane.security] >= _ORDER[sts.security] else sts
    if chosen.tested is sts.tested:
        return chosen
    return Verdict(chosen.security, chosen.names, chosen.records, rule=chosen.rule, why=chosen.why, tested=sts.tested)
