"""MTA-STS: the record, the policy, which host is meant, for how long, and what follows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.policy import CachedPolicy, Decision, Mode, Security, StsPolicy, StsRecord, find_record, sts_verdict
from smtpcore.policy.sts import MOST_AGE, POLICY_LIMIT

POLICY = (
    b"version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmx: backupmx.example.com\r\n"
    b"max_age: 604800\r\n"
)

# --- the record ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "id", "extensions"),
    [
        ("v=STSv1; id=20160831085700Z;", "20160831085700Z", ()),
        ("v=STSv1;id=1", "1", ()),
        ("v=STSv1 \t;\t id=1 ; ", "1", ()),
        ("v=STSv1; x=y; id=1", "1", (("x", "y"),)),
        ("v=STSv1; id=1; id=2", "1", ()),
        ("v=STSv1; id=1; ID=2", "1", (("ID", "2"),)),
        ("v=STSv1; id=" + "a" * 32, "a" * 32, ()),
        ("v=STSv1; id=1; " + "n" * 32 + "=!~", "1", (("n" * 32, "!~"),)),
    ],
)
def test_a_record(text, id, extensions):
    assert StsRecord.parse(text) == StsRecord(id, extensions)
    assert find_record([text.encode()]) == StsRecord(id, extensions)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", 0), ("v=STSv1", 0), ("v=stsv1; id=1", 0), (" v=STSv1; id=1", 0), ("v=STSv2; id=1", 0),
        ("id=1; v=STSv1;", 0),
        ("v=STSv1;", 8), ("v=STSv1; x=y", 12),
        ("v=STSv1; id=", 9), ("v=STSv1; id=a-b", 12), ("v=STSv1; id=" + "a" * 33, 12), ("v=STSv1; id=1 2", 13),
        ("v=STSv1;; id=1", 8), ("v=STSv1; id=1;;", 14), ("v=STSv1; id = 1", 9), ("v=STSv1; id=1; x=a=b", 18),
        ("v=STSv1; id=1; _x=y", 15), ("v=STSv1; id=1; " + "n" * 33 + "=y", 15), ("v=STSv1; id=1; x=", 15),
        ("v=STSv1; id=1\n", 13), ("v=STSv1; id=\u0661", 9), ("v=STSv1; id=1; x=\xe9", 15),
    ],
)  # fmt: skip
def test_no_record(text, where):
    with pytest.raises(ParseError, match=r"RFC 8461 s3\.1") as caught:
        StsRecord.parse(text)
    assert caught.value.where == where


GOOD, OTHER = b"v=STSv1; id=1", b"v=STSv1; id=2"


@pytest.mark.parametrize(
    ("records", "found"),
    [
        ([], None),
        ([GOOD], "1"),
        ([b"spf", GOOD, b"v=STSv2; id=3", b"\xff"], "1"),
        ([GOOD, OTHER], None),
        ([GOOD, GOOD], None),
        ([GOOD, b"v=STSv1; id=?"], None),
        ([b"v=STSv1; id=?"], None),
        ([[b"v=STS", b"v1; id", b"=1"]], "1"),
        ([bytearray(GOOD)], "1"),
    ],
)
def test_exactly_one_record(records, found):
    """RFC 8461 s3.1: several or none mean no policy."""
    record = find_record(records)
    assert (record.id if record else None) == found


@given(
    st.lists(st.sampled_from(["v=STSv1", ";", " ", "id=", "a", "=", "x=y", "\t", "\n", "id=1"]), max_size=9).map(
        "".join
    )
)
def test_any_record_is_read_or_refused(text):
    try:
        record = StsRecord.parse(text)
    except ParseError:
        pass
    else:
        assert text.startswith("v=STSv1")
        assert record.id.isalnum()


# --- the policy ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "policy", [POLICY, POLICY.replace(b"\r\n", b"\n"), POLICY[:-2], POLICY.replace(b"\r\n", b" \t\r\n")]
)
def test_a_policy(policy):
    """The example of RFC 8461 s3.2, in each form of lines."""
    mx = ("mail.example.com", "*.example.net", "backupmx.example.com")
    assert StsPolicy.parse(policy) == StsPolicy(Mode.ENFORCE, 604800, mx)


def policy_of(**changed: str | None) -> bytes:
    fields: dict[str, str | None] = {"version": "STSv1", "mode": "testing", "mx": "mx.example.com", "max_age": "1"}
    return "".join(f"{key}: {value}\n" for key, value in {**fields, **changed}.items() if value is not None).encode()


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [("0", 0), ("31557600", MOST_AGE), ("31557601", MOST_AGE), ("9999999999", MOST_AGE), ("0000000005", 5)],
)
def test_how_long_it_holds(seconds, wanted):
    assert StsPolicy.parse(policy_of(max_age=seconds)).max_age == wanted


@pytest.mark.parametrize("bad", ["", "-1", "1.0", "1e3", "10000000000", "+1", "1_0", "\u0661", "x"])
def test_no_time(bad):
    with pytest.raises(ParseError, match="max_age"):
        StsPolicy.parse(policy_of(max_age=bad))


@pytest.mark.parametrize("missing", ["version", "mode", "mx", "max_age"])
def test_what_must_be_there(missing):
    with pytest.raises(ParseError, match=rf"{missing}.*RFC 8461 s3\.2"):
        StsPolicy.parse(policy_of(**{missing: None}))


def test_none_needs_no_mx():
    assert StsPolicy.parse(policy_of(mode="none", mx=None)) == StsPolicy(Mode.NONE, 1)


@pytest.mark.parametrize(
    ("key", "value"), [("version", "STSv2"), ("version", "stsv1"), ("mode", "Enforce"), ("mode", "report")]
)
def test_values_are_exact(key, value):
    with pytest.raises(ParseError, match=key):
        StsPolicy.parse(policy_of(**{key: value}))


def test_the_first_of_a_key_holds_and_each_mx_does():
    text = policy_of() + b"mode: none\nmax_age: 9\nversion: STSv9\nmx: mx2.example.com\n"
    assert StsPolicy.parse(text) == StsPolicy(Mode.TESTING, 1, ["mx.example.com", "mx2.example.com"])


def test_unknown_keys_and_empty_lines_are_passed_over():
    text = b"x: y\n\n" + policy_of() + "snörkel: no".encode().replace(b"\xc3\xb6", b"o") + "\nz:: é \n \n".encode()
    assert StsPolicy.parse(text) == StsPolicy(Mode.TESTING, 1, ["mx.example.com"])


@pytest.mark.parametrize("line", [b"mx", b"mx mx.example.com", b": x", b"m x: y", b"<html>", b"\xff: y"])
def test_lines_that_are_none(line):
    with pytest.raises(ParseError, match=r"RFC 8461 s3\.2"):
        StsPolicy.parse(policy_of() + line + b"\n")


@pytest.mark.parametrize(
    "pattern",
    [
        "*",
        "*.",
        "*example.com",
        "mx.*.com",
        "*.*.com",
        ".example.com",
        "mx..com",
        "mx.example.com.",
        "-a.com",
        "a_b.com",
        "m\xfcx.de",
        "a" * 64 + ".com",
        "",
        "[192.0.2.1]",
    ],
)
def test_patterns_that_are_none(pattern):
    text = policy_of(mx=pattern)
    with pytest.raises(ParseError, match=r"RFC 8461 s3\.2") as caught:
        StsPolicy.parse(text)
    assert caught.value.where in (
        len(b"version: STSv1\nmode: testing\nmx: "),
        len(b"version: STSv1\nmode: testing\nmx:"),
    )
    with pytest.raises(ParseError):
        StsPolicy(Mode.ENFORCE, 1, [pattern])


def test_how_long_a_policy_may_be():
    text = policy_of()
    assert StsPolicy.parse(text + b"\n" * (POLICY_LIMIT - len(text))).max_age == 1
    with pytest.raises(ParseError, match=r"RFC 8461 s3\.3"):
        StsPolicy.parse(text + b"\n" * (POLICY_LIMIT - len(text) + 1))


@pytest.mark.parametrize("seconds", [-1, MOST_AGE + 1])
def test_a_policy_cannot_be_built_wrong(seconds):
    with pytest.raises(ParseError, match="max_age"):
        StsPolicy(Mode.NONE, seconds)


@given(
    st.lists(
        st.sampled_from(
            [
                b"mx",
                b"mode",
                b"version",
                b"max_age",
                b": ",
                b"STSv1",
                b"\n",
                b"\r",
                b"none",
                b"*.",
                b"a.b",
                b"1",
                b"\xc3",
            ]
        )
    ).map(b"".join)
)
def test_any_octets_are_a_policy_or_an_error(data):
    try:
        policy = StsPolicy.parse(data)
    except ParseError:
        return
    assert policy.mx or policy.mode is Mode.NONE


# --- which host ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "host", "wanted"),
    [
        ("mx.example.com", "mx.example.com", True),
        ("mx.example.com", "MX.Example.COM.", True),
        ("MX.example.com", "mx.example.com", True),
        ("mx.example.com", "mx.example.org", False),
        ("mx.example.com", "a.mx.example.com", False),
        ("*.example.com", "mx.example.com", True),
        ("*.example.com", "MX.EXAMPLE.com.", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "a.b.example.com", False),
        ("*.example.com", "mxexample.com", False),
        ("*.xn--bcher-kva.example", "xn--mx-eka.xn--bcher-kva.example", True),
    ],
)
def test_who_is_meant(pattern, host, wanted):
    """RFC 8461 s4.1: the wildcard is one whole label, the left-most."""
    assert StsPolicy(Mode.ENFORCE, 1, [pattern]).matches(host) is wanted
    assert StsPolicy(Mode.ENFORCE, 1, ["other.example", pattern]).matches(host) is wanted


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "..",
        "mx..com",
        "192.0.2.1",
        "[192.0.2.1]",
        "2001:db8::1",
        "m\xfcx.de",
        "mx.com..",
        "a" * 64,
        "-a",
        "a b",
        "mx.com\n",
        ".".join(["a" * 63] * 4),
    ],
)
def test_what_is_no_host(host):
    with pytest.raises(ParseError):
        StsPolicy(Mode.ENFORCE, 1, ["mx.example.com"]).matches(host)


# --- for how long --------------------------------------------------------------------------------


def test_freshness():
    cached = CachedPolicy(StsPolicy(Mode.ENFORCE, 100, ["mx.example.com"]), 1000.0, "1")
    assert cached.is_fresh(1000.0)
    assert cached.is_fresh(1100.0)
    assert not cached.is_fresh(1100.5)
    same, other = StsRecord("1"), StsRecord("2")
    assert not cached.needs_refresh(1100.0, same)
    assert not cached.needs_refresh(1100.0, None)  # RFC 8461 s3.1: a record that has gone does not undo it
    assert cached.needs_refresh(1000.0, other)
    assert cached.needs_refresh(1101.0, same)
    assert cached.needs_refresh(1101.0, None)


# --- what follows --------------------------------------------------------------------------------


def test_enforced():
    policy = StsPolicy(Mode.ENFORCE, 1, ["*.example.com"])
    verdict = sts_verdict(policy, "MX.example.com.")
    assert (verdict.security, verdict.names, verdict.decision) == (
        Security.WEBPKI,
        ("mx.example.com",),
        Decision.DELIVER,
    )
    assert verdict.rule == "RFC 8461 s4.2"
    verdict = sts_verdict(policy, "mx.evil.example")
    assert (verdict.decision, verdict.rule) == (Decision.DEFER, "RFC 8461 s4.1")
    assert "mx.evil.example" in verdict.why


@pytest.mark.parametrize(
    ("host", "decision"), [("mx.example.com", Decision.DELIVER), ("mx.evil.example", Decision.DEFER)]
)
def test_tested(host, decision):
    verdict = sts_verdict(StsPolicy(Mode.TESTING, 1, ["mx.example.com"]), host)
    assert (verdict.security, verdict.decision) == (Security.OPPORTUNISTIC, Decision.DELIVER)
    assert verdict.tested is not None
    assert (verdict.tested.security, verdict.tested.decision) == (Security.WEBPKI, decision)


@pytest.mark.parametrize("policy", [None, StsPolicy(Mode.NONE, 1), StsPolicy(Mode.NONE, 1, ["mx.example.com"])])
def test_not_in_force(policy):
    verdict = sts_verdict(policy, "mx.evil.example")
    assert (verdict.security, verdict.decision, verdict.tested) == (Security.OPPORTUNISTIC, Decision.DELIVER, None)
