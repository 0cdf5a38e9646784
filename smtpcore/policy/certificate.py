"""What DANE asks of a certificate in DER: where its public key is, and whom it is for (RFC 5280 s4.1).

Nothing is verified here. The walk goes over siblings and into those few that are needed: it does not recurse, and looks
at an octet a handful of times at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from ..errors import ParseError
from .names import host_name, matches

__all__ = ["is_for", "names_of", "public_key_info"]

#: Octets of a certificate; OpenSSL takes a whole chain of 100 KiB.
CERTIFICATE_LIMIT: Final = 102_400

_RULE: Final = "RFC 5280 s4.1"
_SEQUENCE, _SET, _INTEGER, _OCTETS, _OID = 0x30, 0x31, 0x02, 0x04, 0x06
_VERSION, _EXTENSIONS = 0xA0, 0xA3
_DNS_NAME: Final = 0x82  # RFC 5280 s4.2.1.6: dNSName [2] IA5String
_SUBJECT_ALT_NAME: Final = b"\x55\x1d\x11"  # 2.5.29.17
_COMMON_NAME: Final = b"\x55\x04\x03"  # 2.5.4.3


class _Element:
    """One element of DER: its tag, and where it and its content stand."""

    __slots__ = ("begin", "end", "start", "tag")

    def __init__(self, tag: int, begin: int, start: int, end: int) -> None:
        self.tag = tag
        self.begin = begin  # of its tag
        self.start = start  # of its content
        self.end = end


def _read(data: bytes, pos: int, end: int) -> _Element:
    """The element at ``pos``, within ``end``. Raises ParseError."""
    if end - pos < 2:
        raise ParseError("certificate ends too early", pos, _RULE)
    tag, length, start = data[pos], data[pos + 1], pos + 2
    if tag & 0x1F == 0x1F:
        raise ParseError("tag of more than one octet", pos, _RULE)
    if length >= 0x80:
        # X.690 s10.1: DER has the definite form only, in as few octets as will do
        count = length & 0x7F
        if not 1 <= count <= 3 or start + count > end:
            raise ParseError("length that no certificate has", pos + 1, _RULE)
        length = int.from_bytes(data[start : start + count], "big")
        if length < 0x80 or length >> (8 * count - 8) == 0:
            raise ParseError("length in more octets than it needs", pos + 1, _RULE)
        start += count
    if start + length > end:
        raise ParseError("certificate ends too early", pos, _RULE)
    return _Element(tag, pos, start, start + length)


def _inside(data: bytes, element: _Element) -> Iterator[_Element]:
    """The elements that one is made of, one after the other."""
    pos = element.start
    while pos < element.end:
        found = _read(data, pos, element.end)
        yield found
        pos = found.end


def _expect(element: _Element | None, tag: int, what: str) -> _Element:
    if element is None or element.tag != tag:
        raise ParseError(f"no {what}", -1 if element is None else element.begin, _RULE)
    return element


def _fields(data: bytes) -> list[_Element]:
    """The fields of TBSCertificate behind its version."""
    if len(data) > CERTIFICATE_LIMIT:
        raise ParseError(f"certificate longer than {CERTIFICATE_LIMIT} octets", CERTIFICATE_LIMIT, _RULE)
    whole = _expect(_read(data, 0, len(data)), _SEQUENCE, "Certificate")
    if whole.end != len(data):
        raise ParseError("octets behind the certificate", whole.end, _RULE)
    signed = _expect(_read(data, whole.start, whole.end), _SEQUENCE, "TBSCertificate")
    fields = list(_inside(data, signed))
    if fields and fields[0].tag == _VERSION:
        del fields[0]
    # serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo
    kinds = (_INTEGER, _SEQUENCE, _SEQUENCE, _SEQUENCE, _SEQUENCE, _SEQUENCE)
    for place, kind in enumerate(kinds):
        _expect(fields[place] if place < len(fields) else None, kind, "field that every certificate has")
    return fields


def public_key_info(certificate: bytes) -> bytes:
    """The SubjectPublicKeyInfo of a certificate, as it stands there. Raises ParseError for what is none."""
    found = _fields(certificate)[5]
    return certificate[found.begin : found.end]


def names_of(certificate: bytes) -> tuple[str, ...]:
    """The names of hosts that a certificate is for, as written: its DNS-IDs, else its CN-ID (RFC 7672 s3.2.3).

    Raises ParseError for what is no certificate.
    """
    fields = _fields(certificate)
    found: list[bytes] = []
    for field in fields[6:]:
        if field.tag == _EXTENSIONS:
            found = list(_alternative_names(certificate, field))
    if not found:
        # RFC 7672 s3.2.3: "The CN-ID is only considered when no DNS-IDs are present."
        found = list(_common_names(certificate, fields[4]))[-1:]
    return tuple([name.decode("latin-1") for name in found])


def _alternative_names(data: bytes, field: _Element) -> Iterator[bytes]:
    extensions = _expect(_read(data, field.start, field.end), _SEQUENCE, "Extensions")
    for extension in _inside(data, extensions):
        # Extension ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
        parts = list(_inside(data, _expect(extension, _SEQUENCE, "Extension")))
        if not parts or data[parts[0].start : parts[0].end] != _SUBJECT_ALT_NAME:
            continue
        value = _expect(parts[-1], _OCTETS, "value of an extension")
        names = _expect(_read(data, value.start, value.end), _SEQUENCE, "GeneralNames")
        for name in _inside(data, names):
            if name.tag == _DNS_NAME:
                yield data[name.start : name.end]


def _common_names(data: bytes, subject: _Element) -> Iterator[bytes]:
    # RDNSequence ::= SEQUENCE OF SET OF SEQUENCE { type OBJECT IDENTIFIER, value ANY }
    for relative in _inside(data, subject):
        for pair in _inside(data, _expect(relative, _SET, "RelativeDistinguishedName")):
            parts = list(_inside(data, _expect(pair, _SEQUENCE, "AttributeTypeAndValue")))
            if len(parts) == 2 and parts[0].tag == _OID and data[parts[0].start : parts[0].end] == _COMMON_NAME:
                yield data[parts[1].start : parts[1].end]


def is_for(certificate: bytes, names: Iterable[str]) -> bool:
    """Whether a certificate is for one of these names, in lower case (RFC 7672 s3.2.3).

    A ``*`` that is all of the first label stands for one label; a presented name of any other form matches nothing.
    Raises ParseError for what is no certificate.
    """
    presented: list[str] = []
    for name in names_of(certificate):
        try:
            presented.append(("*." if name.startswith("*.") else "") + host_name(name.removeprefix("*.")))
        except ParseError:
            continue
    return any(matches(each, name) for each in presented for name in names)
