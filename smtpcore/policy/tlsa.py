"""Tlsa: a TLSA record (RFC 6698), which certificates it matches, and which records of a set count (RFC 7671)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256, sha512
from typing import Final, final

from ..errors import ParseError
from ..wire.value import Value, assign
from .certificate import public_key_info

__all__ = ["DANE_EE", "DANE_TA", "Tlsa", "find_match", "usable"]

#: RFC 7218 s2.1: the record is of an authority above the server's certificate.
DANE_TA: Final = 2
#: The record is of the server's certificate itself.
DANE_EE: Final = 3
#: Octets of the data of a record: what RDATA leaves behind the three numbers.
DATA_LIMIT: Final = 65_532

# RFC 6698 s2.2
#   presentation format: usage SP selector SP matching-type SP data, in hexadecimal, in which white space is allowed
_TEXT: Final = re.compile(r"([0-9]{1,3})[ \t]++([0-9]{1,3})[ \t]++([0-9]{1,3})[ \t]++([0-9A-Fa-f \t]*+)")
_WHITE: Final = {32: None, 9: None}


@final
class Tlsa(Value):
    """A TLSA record. Any numbers and data can be in DNS: ``problem`` says whether they are of use.

    Raises ParseError for numbers that are no octets, and for more data than a record can have.
    """

    __slots__ = ("data", "matching", "problem", "selector", "usage")
    __match_args__ = ("usage", "selector", "matching", "data")

    usage: int  #: Whose certificate: 2, an authority's; 3, the server's own (RFC 7218 s2.1).
    selector: int  #: Of what in it: 0, all of it; 1, its public key (SubjectPublicKeyInfo).
    matching: int  #: What the data are: 0, the thing itself; 1, its SHA-256; 2, its SHA-512.
    data: bytes  #: The certificate association data.
    problem: str  #: Why the record is unusable; empty for one that is usable.

    def __init__(self, usage: int, selector: int, matching: int, data: bytes) -> None:
        for number in (usage, selector, matching):
            if not 0 <= number <= 255:
                raise ParseError("not an octet", 0, "RFC 6698 s2.1", str(number))
        if len(data) > DATA_LIMIT:
            raise ParseError("more data than a record has room for", DATA_LIMIT, "RFC 6698 s2.1.4")
        assign(self, "usage", usage)
        assign(self, "selector", selector)
        assign(self, "matching", matching)
        assign(self, "data", bytes(data))
        assign(self, "problem", _find_problem(usage, selector, matching, data))

    @classmethod
    def parse(cls, text: str) -> Tlsa:
        """Read the form of zone files, ``3 1 1 5f3a...`` (RFC 6698 s2.2). Raises ParseError."""
        found = _TEXT.fullmatch(text)
        digits = found[4].translate(_WHITE) if found else ""
        if not found or len(digits) % 2:
            raise ParseError("not a TLSA record", 0, "RFC 6698 s2.2", text)
        return cls(int(found[1]), int(found[2]), int(found[3]), bytes.fromhex(digits))

    @classmethod
    def from_wire(cls, rdata: bytes) -> Tlsa:
        """Read the RDATA of an answer (RFC 6698 s2.1). Raises ParseError."""
        if len(rdata) < 3:
            raise ParseError("a TLSA record has three octets before its data", len(rdata), "RFC 6698 s2.1")
        return cls(rdata[0], rdata[1], rdata[2], rdata[3:])

    def __str__(self) -> str:
        return f"{self.usage} {self.selector} {self.matching} {self.data.hex()}"

    @property
    def is_anchor(self) -> bool:
        """Whether it is the certificate of an authority itself, ``2 0 0``, which then is known beforehand."""
        return (self.usage, self.selector, self.matching) == (DANE_TA, 0, 0)

    def matches(self, certificate: bytes) -> bool:
        """Whether it is of this certificate, in DER; where that stands in a chain is not looked at.

        Raises ParseError for a certificate whose public key cannot be found.
        """
        if self.problem:
            return False
        found = certificate if self.selector == 0 else public_key_info(certificate)
        # RFC 6698 s2.1.3
        if self.matching:
            found = (sha256 if self.matching == 1 else sha512)(found).digest()
        return found == self.data


def _find_problem(usage: int, selector: int, matching: int, data: bytes) -> str:
    # RFC 6698 s4.1: unusable is what the client does not know, or what is not well-formed
    if usage in {0, 1}:
        # RFC 7672 s3.1.3: PKIX-TA and PKIX-EE need a set of authorities that both sides trust, which mail has not
        return "usage PKIX-TA or PKIX-EE is of no use between mail servers"
    if usage not in {DANE_TA, DANE_EE}:
        return f"usage {usage} is not known"
    if selector not in {0, 1}:
        return f"selector {selector} is not known"
    if matching not in _SIZES:
        return f"matching type {matching} is not known"
    size = _SIZES[matching]
    if size and len(data) != size:
        return f"a digest of {len(data)} octets instead of {size}"
    if not data:
        return "no data"
    if not size and selector == 0:
        try:
            public_key_info(data)
        except ParseError as error:
            return f"data are no certificate: {error.why}"
    return ""


# RFC 6698 s2.1.3, RFC 6234: octets of a digest; 0 for the thing itself
_SIZES: Final = {0: 0, 1: 32, 2: 64}


def usable(records: Iterable[Tlsa], *, chains: bool = True) -> tuple[Tlsa, ...]:
    """The records of a set that count: those without a problem, and of digests of the same thing the strongest.

    RFC 7671 s9: a SHA-256 is passed over where there is a SHA-512 of the same usage and selector. Without ``chains``,
    where nobody will see what comes along with the server's own certificate, a record of an authority counts only if it
    is its whole certificate.
    """
    good = [record for record in records if not record.problem]
    if not chains:
        good = [record for record in good if record.usage != DANE_TA or record.is_anchor]
    strong = {(record.usage, record.selector) for record in good if record.matching == 2}
    return tuple([record for record in good if record.matching != 1 or (record.usage, record.selector) not in strong])


def find_match(records: Sequence[Tlsa], chain: Sequence[bytes]) -> tuple[Tlsa, int] | None:
    """The first record that matches a certificate of a chain in DER, the server's own first, and at which place.

    A record of usage 3 is of the first certificate, and then nothing else matters: neither its names nor its dates
    (RFC 7672 s3.1.1). One of usage 2 is of a later one; that the first is signed by it, holds now and is for the
    right name still has to be verified (RFC 7672 s3.1.2). Records of usage 3 are looked at before. Certificates that
    cannot be read match nothing.
    """
    for usage, first, last in ((DANE_EE, 0, 1), (DANE_TA, 1, len(chain))):
        for record in records:
            if record.usage == usage:
                for place in range(first, min(last, len(chain))):
                    try:
                        if record.matches(chain[place]):
                            return record, place
                    except ParseError:
                        continue
    return None
