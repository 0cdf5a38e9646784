"""Whether to believe a server by what it shows in the handshake, under a verdict of DANE."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from ..errors import ParseError
from ..wire.value import Value, assign
from .certificate import is_for
from .tlsa import DANE_EE, DANE_TA, find_match
from .verdict import Verdict

__all__ = ["Judgement", "anchors_of", "judge", "judge_name"]


@final
class Judgement(Value):
    """What to make of a server's certificates."""

    __slots__ = ("anchors", "why")
    __match_args__ = ("why", "anchors")

    why: str  #: Why it is not believed; empty where it is.
    #: Certificates in DER that records of an authority are of. Who signed the server's is not verified here: believe it
    #: if another handshake is verified by one of these, and by :func:`~smtpcore.policy.peer.judge_name`.
    anchors: tuple[bytes, ...]

    def __init__(self, why: str, anchors: Sequence[bytes] = ()) -> None:
        assign(self, "why", why)
        assign(self, "anchors", tuple(dict.fromkeys(anchors)))


def anchors_of(verdict: Verdict) -> tuple[bytes, ...]:
    """The certificates to verify by, where each record is the certificate of an authority itself (2 0 0); else none."""
    if all(record.is_anchor for record in verdict.records):
        return tuple([record.data for record in verdict.records])
    return ()


def judge(verdict: Verdict, chain: Sequence[bytes], *, complete: bool) -> Judgement:
    """What the records of a verdict say of the certificates that a server has sent, its own first, in DER.

    ``complete`` is whether those are all that it sent: a record with a digest of an authority's certificate is of no
    use without that certificate, and is not taken for no record because of it.
    """
    records = verdict.records
    if not chain:
        return Judgement("the server has shown no certificate")
    # RFC 7672 s3.1.1: with a record of its own certificate, neither names nor dates nor authorities matter
    if find_match([record for record in records if record.usage == DANE_EE], chain[:1]):
        return Judgement("")
    authorities = [record for record in records if record.usage == DANE_TA]
    found = [record.data for record in authorities if record.is_anchor]
    for record in authorities:
        match = find_match([record], chain)
        if match:
            found.append(chain[match[1]])
    if not complete and any(not record.is_anchor for record in authorities):
        return Judgement("no TLSA record matches, as far as can be told without the whole chain", found)
    return Judgement("no TLSA record matches the certificate (RFC 7672 s2.2)", found)


def judge_name(verdict: Verdict, certificate: bytes) -> Judgement:
    """What is left to say of a certificate that an authority of the verdict stands behind, and that holds now."""
    # RFC 7672 s3.1.2: under DANE-TA the name is verified as well
    try:
        if is_for(certificate, verdict.names):
            return Judgement("")
    except ParseError as error:
        return Judgement(f"the certificate cannot be read: {error}")
    return Judgement(f"the certificate is not for {' or '.join(verdict.names)} (RFC 7672 s3.2.3)")
