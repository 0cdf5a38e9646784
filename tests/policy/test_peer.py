"""Whether to believe what a server shows, without a server."""

from __future__ import annotations

import pytest

from smtpcore.policy import Dnssec, Tlsa, Verdict, anchors_of, dane_verdict, judge, judge_name
from tests.policy.test_dane import CHAIN, LEAF, OTHER, PARENT, tlsa


def dane(*records: Tlsa) -> Verdict:
    return dane_verdict("mx.example.com", records, Dnssec.SECURE)


@pytest.mark.parametrize("complete", [True, False])
def test_its_own_certificate(complete):
    for records in ([tlsa(3, 1, 1, LEAF)], [tlsa(2, 0, 1, OTHER), tlsa(3, 1, 1, LEAF)]):
        assert judge(dane(*records), [LEAF], complete=complete).why == ""
        assert judge(dane(*records), [OTHER, LEAF], complete=complete).why
        assert judge(dane(*records), [], complete=complete).why


@pytest.mark.parametrize(("selector", "matching"), [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2)])
def test_an_authority_is_found_and_not_believed_yet(selector, matching):
    found = judge(dane(tlsa(2, selector, matching, PARENT)), CHAIN, complete=True)
    assert found.why
    assert found.anchors == (PARENT,)


def test_an_authority_that_was_not_sent():
    whole, digest = tlsa(2, 0, 0, PARENT), tlsa(2, 0, 1, PARENT)
    assert judge(dane(whole), [LEAF], complete=True).anchors == (PARENT,)
    assert judge(dane(digest), [LEAF], complete=True).anchors == ()
    assert "whole chain" in judge(dane(digest), [LEAF], complete=False).why
    assert "whole chain" not in judge(dane(whole), [LEAF], complete=False).why


def test_what_can_be_verified_at_once():
    assert anchors_of(dane(tlsa(2, 0, 0, PARENT), tlsa(2, 0, 0, OTHER))) == (PARENT, OTHER)
    for other in (tlsa(3, 1, 1, LEAF), tlsa(2, 0, 1, PARENT), tlsa(2, 1, 0, PARENT)):
        assert anchors_of(dane(tlsa(2, 0, 0, PARENT), other)) == ()


def test_the_name():
    assert judge_name(dane(tlsa(2, 0, 0, PARENT)), LEAF).why == ""
    wrong = dane_verdict("mx.elsewhere.example", [tlsa(2, 0, 0, PARENT)], Dnssec.SECURE)
    assert "mx.elsewhere.example" in judge_name(wrong, LEAF).why
    assert "cannot be read" in judge_name(wrong, b"nonsense").why
