"""DANE: records of all kinds, what they match in real certificates, and what follows for a delivery."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Sequence
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.policy import (
    DANE_EE,
    DANE_TA,
    Decision,
    Dnssec,
    Security,
    Tlsa,
    Verdict,
    combine,
    dane_verdict,
    find_match,
    is_for,
    names_of,
    public_key_info,
    usable,
)
from smtpcore.policy.certificate import CERTIFICATE_LIMIT

SECURE, INSECURE, BOGUS = Dnssec.SECURE, Dnssec.INSECURE, Dnssec.BOGUS


def der(pem: trustme.Blob) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pem.bytes().decode())


CA = trustme.CA()
LEAF = der(CA.issue_cert("mx.example.com", "*.example.net").cert_chain_pems[0])
PARENT = der(CA.cert_pem)
OTHER = der(trustme.CA().issue_cert("mx.example.com").cert_chain_pems[0])
EC = trustme.KeyType.ECDSA
RSA = trustme.KeyType.RSA


def tlsa(usage: int, selector: int, matching: int, certificate: bytes) -> Tlsa:
    """A record of a certificate, made by others: the standard library and cryptography."""
    data = certificate
    if selector:
        key = x509.load_der_x509_certificate(certificate).public_key()
        data = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if matching:
        data = hashlib.new({1: "sha256", 2: "sha512"}[matching], data).digest()
    return Tlsa(usage, selector, matching, data)


# --- records -------------------------------------------------------------------------------------


def test_the_forms_of_a_record():
    record = Tlsa(3, 1, 1, bytes(32))
    assert Tlsa.parse("3 1 1 " + "00" * 32) == record
    assert Tlsa.parse("3\t1  1 " + "0 " * 64) == record
    assert Tlsa.from_wire(b"\x03\x01\x01" + bytes(32)) == record
    assert Tlsa.parse(str(record)) == record


@pytest.mark.parametrize(
    "text", ["", "3 1 1", "3 1 1 0", "3 1 1 zz", "-1 1 1 00", "256 0 0 00", "3 1 1 00\n", "\u0663 1 1 00", "3 1 00"]
)
def test_texts_that_are_none(text):
    with pytest.raises(ParseError, match="RFC 6698 s2"):
        Tlsa.parse(text)


@pytest.mark.parametrize("rdata", [b"", b"\x03", b"\x03\x01"])
def test_octets_that_are_none(rdata):
    with pytest.raises(ParseError, match="RFC 6698"):
        Tlsa.from_wire(rdata)


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (Tlsa(0, 0, 1, bytes(32)), "PKIX"), (Tlsa(1, 1, 1, bytes(32)), "PKIX"),
        (Tlsa(4, 1, 1, bytes(32)), "usage"), (Tlsa(255, 1, 1, bytes(32)), "usage"),
        (Tlsa(3, 2, 1, bytes(32)), "selector"), (Tlsa(3, 255, 1, bytes(32)), "selector"),
        (Tlsa(3, 1, 3, bytes(32)), "matching"), (Tlsa(3, 1, 255, bytes(32)), "matching"),
        (Tlsa(3, 1, 1, bytes(31)), "digest"), (Tlsa(3, 1, 1, bytes(33)), "digest"), (Tlsa(3, 1, 1, b""), "digest"),
        (Tlsa(3, 1, 2, bytes(32)), "digest"), (Tlsa(2, 0, 2, bytes(65)), "digest"),
        (Tlsa(3, 1, 0, b""), "no data"),
        (Tlsa(3, 0, 0, b"x"), "certificate"), (Tlsa(2, 0, 0, LEAF[:-1]), "certificate"),
    ],
)  # fmt: skip
def test_unusable(record, problem):
    """RFC 6698 s4.1, RFC 7672 s3.1.3"""
    assert problem in record.problem
    assert usable([record]) == ()
    assert not record.matches(LEAF)


def test_of_digests_the_strongest_counts():
    """RFC 7671 s9: by usage and selector."""
    weak, strong, full = tlsa(3, 1, 1, LEAF), tlsa(3, 1, 2, LEAF), tlsa(3, 1, 0, LEAF)
    elsewhere = tlsa(3, 0, 1, LEAF), tlsa(2, 1, 1, PARENT)
    assert usable([weak, *elsewhere]) == (weak, *elsewhere)
    assert usable([weak, strong, full, *elsewhere]) == (strong, full, *elsewhere)
    assert usable([weak, Tlsa(3, 1, 2, b"short")]) == (weak,)


# --- certificates --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [RSA, EC], ids=["rsa", "ec"])
@pytest.mark.parametrize(
    "names", [["mx.example.com"], ["a.example", "*.b.example", "c.example"], ["192.0.2.1"], ["xn--mx-eka.example"]]
)
def test_a_certificate_is_taken_apart_as_others_do(kind, names):
    made = der(trustme.CA().issue_cert(*names, key_type=kind).cert_chain_pems[0])
    theirs = x509.load_der_x509_certificate(made)
    wanted = theirs.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert public_key_info(made) == wanted
    alternatives = theirs.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names_of(made)) == alternatives.get_values_for_type(x509.DNSName)


def test_a_common_name_stands_in_where_there_is_no_other():
    """RFC 7672 s3.2.3"""
    named = der(trustme.CA().issue_cert("192.0.2.1", common_name="mx.example.com").cert_chain_pems[0])
    assert names_of(named) == ("mx.example.com",)
    assert is_for(named, ["mx.example.com"])
    both = der(trustme.CA().issue_cert("mx.example.com", common_name="cn.example.com").cert_chain_pems[0])
    assert names_of(both) == ("mx.example.com",)
    assert not is_for(both, ["cn.example.com"])


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["mx.example.com"], True), (["other.example", "mx.example.com"], True), (["a.example.net"], True),
        (["example.net"], False), (["a.b.example.net"], False), (["example.com"], False), ([], False),
    ],
)  # fmt: skip
def test_whom_it_is_for(names, wanted):
    assert is_for(LEAF, names) is wanted


@pytest.mark.parametrize("odd", [b"evil.example\0m", b"mx.example\0com", b"mx*.example.com", b"*", b"", b"\xff"])
def test_odd_names_in_a_certificate_match_nothing(odd):
    place = LEAF.index(b"mx.example.com")
    name = odd[:14].ljust(14, b"\0")
    assert not is_for(LEAF[:place] + name + LEAF[place + 14 :], ["mx.example.com", "mxa.example.com", "evil.example"])


def test_every_beginning_of_a_certificate_is_none():
    for size in range(len(LEAF)):
        with pytest.raises(ParseError):
            public_key_info(LEAF[:size])
    with pytest.raises(ParseError, match="behind"):
        public_key_info(LEAF + b"\0")


def test_how_long_a_certificate_may_be():
    with pytest.raises(ParseError, match="longer"):
        public_key_info(b"\x30\x83\x02\x00\x00" + bytes(CERTIFICATE_LIMIT))


@given(st.integers(0, len(LEAF) - 1), st.integers(0, 255))
def test_a_wrong_octet_is_read_or_refused(place, octet):
    damaged = LEAF[:place] + bytes([octet]) + LEAF[place + 1 :]
    for read in (public_key_info, names_of):
        try:
            read(damaged)
        except ParseError:
            pass


@given(
    st.lists(
        st.sampled_from([b"\x30", b"\x80", b"\x82", b"\x00", b"\xff", b"\x02", b"\x01", b"\xa0", b"\xa3", b"\x84"]),
        max_size=40,
    ).map(b"".join)
)
def test_any_octets_are_read_or_refused(data):
    with pytest.raises(ParseError):
        names_of(data)


# --- matching ------------------------------------------------------------------------------------

CHAIN = [LEAF, PARENT]


@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize("matching", [0, 1, 2])
def test_what_matches(selector, matching):
    server, authority = tlsa(3, selector, matching, LEAF), tlsa(2, selector, matching, PARENT)
    assert find_match([server], CHAIN) == (server, 0)
    assert find_match([server], [LEAF]) == (server, 0)
    assert find_match([authority], CHAIN) == (authority, 1)
    assert find_match([authority, server], CHAIN) == (server, 0)
    # Each only where it belongs, and only of its own certificate.
    assert find_match([tlsa(3, selector, matching, PARENT)], CHAIN) is None
    assert find_match([tlsa(2, selector, matching, LEAF)], CHAIN) is None
    assert find_match([server, authority], [OTHER]) is None
    assert find_match([server], []) is None
    assert find_match([Tlsa(3, selector, 1, bytes(32))], CHAIN) is None


@pytest.mark.parametrize("place", [0, 1])
def test_a_chain_of_nonsense_matches_nothing(place):
    chain = [b"nonsense", b"nonsense", PARENT]
    assert find_match([tlsa(3, 1, 1, LEAF)], chain) is None
    record = tlsa(2, 1, 1, PARENT)
    assert find_match([record], chain) == (record, 2)


def test_only_the_digest_itself_matches():
    record = tlsa(3, 1, 1, LEAF)
    for place in range(32):
        data = bytearray(record.data)
        data[place] ^= 1
        assert find_match([Tlsa(3, 1, 1, bytes(data))], CHAIN) is None


# --- what follows --------------------------------------------------------------------------------

EE = tlsa(DANE_EE, 1, 1, LEAF)
TA = tlsa(DANE_TA, 0, 1, PARENT)
USELESS = Tlsa(1, 1, 1, bytes(32))


@pytest.mark.parametrize(
    ("records", "status", "security", "decision"),
    [
        ([EE], SECURE, Security.DANE, Decision.DELIVER),
        ([USELESS, TA], SECURE, Security.DANE, Decision.DELIVER),
        ([USELESS], SECURE, Security.REQUIRED, Decision.DELIVER),
        ([], SECURE, Security.OPPORTUNISTIC, Decision.DELIVER),
        ([EE], INSECURE, Security.OPPORTUNISTIC, Decision.DELIVER),
        ([], INSECURE, Security.OPPORTUNISTIC, Decision.DELIVER),
        ([], BOGUS, Security.REQUIRED, Decision.DEFER),
        ([EE], BOGUS, Security.REQUIRED, Decision.DEFER),
    ],
)
def test_the_four_ways_of_rfc_7672(records: Sequence[Tlsa], status, security, decision):
    """RFC 7672 s2.2"""
    verdict = dane_verdict("MX.example.com.", records, status)
    assert (verdict.security, verdict.decision) == (security, decision)
    assert verdict.rule.startswith("RFC 7672 s2")
    assert verdict.why
    assert (USELESS in verdict.records, bool(verdict.records)) == (False, security is Security.DANE)


def test_without_chains_an_authority_counts_by_its_whole_certificate_alone():
    whole, digest, key = tlsa(2, 0, 0, PARENT), tlsa(2, 0, 1, PARENT), tlsa(2, 1, 0, PARENT)
    assert dane_verdict("mx.example.com", [EE, whole, digest, key], SECURE, chains=False).records == (EE, whole)
    # Not as if there were no records: those were secure.
    assert dane_verdict("mx.example.com", [digest, key], SECURE, chains=False).security is Security.REQUIRED
    assert dane_verdict("mx.example.com", [], SECURE, chains=False).security is Security.OPPORTUNISTIC


def test_a_forged_mx_is_no_mx():
    assert dane_verdict("mx.example.com", [EE], SECURE, mx=BOGUS).decision is Decision.DEFER


def test_whom_the_certificate_may_be_for():
    """RFC 7672 s3.2.2"""
    names: Any = {"next_hop": "Example.com", "expanded_next_hop": "example.org."}
    assert dane_verdict("mx.example.com", [TA], SECURE, **names).names == (
        "mx.example.com",
        "example.com",
        "example.org",
    )
    assert dane_verdict("mx.example.com", [TA], SECURE, mx=INSECURE, **names).names == ("mx.example.com",)
    assert dane_verdict("example.com", [TA], SECURE, next_hop="example.com").names == ("example.com",)
    assert dane_verdict("mx.example.com", [TA], SECURE).names == ("mx.example.com",)


# --- together with MTA-STS -----------------------------------------------------------------------

OPEN = Verdict(Security.OPPORTUNISTIC)
FORCED = Verdict(Security.REQUIRED, ["mx.example.com"])
BY_DANE = Verdict(Security.DANE, ["mx.example.com"], [EE])
BY_STS = Verdict(Security.WEBPKI, ["mx.example.com"])
NO_DANE = Verdict(Security.REQUIRED, decision=Decision.DEFER)
NO_STS = Verdict(Security.WEBPKI, ["mx.example.com"], decision=Decision.DEFER)


@pytest.mark.parametrize(
    ("dane", "sts", "wanted"),
    [
        (OPEN, OPEN, OPEN), (OPEN, BY_STS, BY_STS), (OPEN, NO_STS, NO_STS),
        (FORCED, OPEN, FORCED), (FORCED, BY_STS, BY_STS), (FORCED, NO_STS, NO_STS),
        (BY_DANE, OPEN, BY_DANE), (BY_DANE, BY_STS, BY_DANE), (BY_DANE, NO_STS, NO_STS),
        (NO_DANE, OPEN, NO_DANE), (NO_DANE, BY_STS, NO_DANE), (NO_DANE, NO_STS, NO_DANE),
    ],
)  # fmt: skip
def test_both_together(dane, sts, wanted):
    assert combine(dane, sts) is wanted


@pytest.mark.parametrize("dane", [OPEN, FORCED, BY_DANE])
def test_what_is_tested_stays_known(dane):
    tested = Verdict(Security.OPPORTUNISTIC, tested=NO_STS)
    found = combine(dane, tested)
    assert (found.security, found.records, found.decision) == (dane.security, dane.records, Decision.DELIVER)
    assert found.tested is NO_STS


@pytest.mark.parametrize(
    "build",
    [
        lambda: Verdict(Security.WEBPKI),
        lambda: Verdict(Security.DANE, records=[EE]),
        lambda: Verdict(Security.DANE, ["mx.example.com"]),
        lambda: Verdict(Security.DANE, ["mx.example.com"], [USELESS]),
        lambda: Verdict(Security.REQUIRED, ["mx.example.com"], [EE]),
        lambda: Verdict(Security.WEBPKI, ["192.0.2.1"]),
    ],
)
def test_a_verdict_cannot_be_wrong(build):
    with pytest.raises(ValueError):
        build()
