"""I2: every receiver there ever was finds the end of what we send where we put it, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given

from smtpcore import BareNewlines
from tests.strategies import contents
from tests.wire.feeding import Received, stuff, unstuff
from tests.wire.oracles import (
    CRLF,
    DIALECTS,
    Dialect,
    disagreements,
    end_of_data,
    ends_at,
    first_bare,
    is_clean,
    lines_of,
    strings,
    stuffed,
    under_policy,
)

pytestmark = pytest.mark.law(5)

POLICIES = pytest.mark.parametrize(
    "policy", [BareNewlines.REJECT, BareNewlines.NORMALIZE], ids=lambda policy: policy.value
)
CRLF_ONLY = frozenset({"CRLF"})


def test_there_are_256_dialects():
    assert len(set(DIALECTS)) == 256


def test_the_strictest_dialect_is_the_rule():
    strict = Dialect(False, False, CRLF_ONLY, CRLF_ONLY, False, False)
    for stream in strings(6):
        assert ends_at(lines_of(stream, False, False), strict) == end_of_data(stream)


@pytest.mark.parametrize(
    ("stream", "dialect", "end"),
    [
        (
            b"a\n.\nNOOP\r\n.\r\n",
            Dialect(True, False, frozenset({"CRLF", "LF"}), frozenset({"CRLF", "LF"}), False, False),
            4,
        ),
        (
            b"a\r.\rNOOP\r\n.\r\n",
            Dialect(False, True, frozenset({"CRLF", "CR"}), frozenset({"CRLF", "CR"}), False, False),
            4,
        ),
        (b"a\r\n.\r\r\nNOOP\r\n.\r\n", Dialect(False, False, CRLF_ONLY, CRLF_ONLY, True, False), 7),
        (b"a\r\n.\0\r\nNOOP\r\n.\r\n", Dialect(False, False, CRLF_ONLY, CRLF_ONLY, False, True), 7),
        (b"a\n.\r\nNOOP\r\n.\r\n", Dialect(True, False, frozenset({"CRLF", "LF"}), CRLF_ONLY, False, False), 5),
    ],
)
def test_the_dialects_are_what_smuggling_lived_on(stream, dialect, end):
    assert ends_at(lines_of(stream, dialect.lf, dialect.cr), dialect) == end


def test_a_sender_that_lets_bare_newlines_through_is_caught():
    """The oracle has teeth: the same sender without a policy is misunderstood thousands of times."""
    assert sum(disagreements(stuffed(body)) for body in strings(4) if not is_clean(body)) > 5000


@POLICIES
def test_every_short_body(policy):
    sent = {body: stuff([body], policy) for body in strings(5)}
    assert len(sent) == 3906
    for octets in set(sent.values()) - {None}:
        assert octets is not None
        assert disagreements(octets) == 0, octets
    for body, octets in sent.items():
        if octets is None:
            assert policy is BareNewlines.REJECT
            assert first_bare(body) >= 0
        else:
            body = under_policy(body, "normalize")
            whole = body if body.endswith(CRLF) or not body else body + CRLF
            assert unstuff([octets + b"QUIT\r\n"]) == Received(whole, True, b"QUIT\r\n", -1)


@POLICIES
@given(body=contents)
def test_any_body(policy, body):
    octets = stuff([body], policy)
    if octets is None:
        assert first_bare(body) >= 0
        return
    assert disagreements(octets) == 0
    received = unstuff([octets])
    assert received.eof
    assert not received.rest
    assert received.content.removesuffix(CRLF) == under_policy(body, "normalize").removesuffix(CRLF)
