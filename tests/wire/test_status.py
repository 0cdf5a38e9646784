"""The registry of enhanced status codes; and that this package says none that is not in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import smtpcore
from smtpcore import EnhancedCode, Reply
from smtpcore.cli.explain.codes import explain_code, explain_enhanced
from smtpcore.wire.status import (
    CLASSES,
    DOMAIN_TAKES_NO_MAIL,
    HOST_TAKES_NO_MAIL,
    STATUSES,
    SUBJECTS,
    is_registered,
    meaning_of,
)

PACKAGE = Path(smtpcore.__file__).parent
CODE = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")


def test_nothing_is_missing_in_between():
    """Each subject is registered from 0 up to its last detail."""
    last = {0: 0, 1: 10, 2: 4, 3: 6, 4: 7, 5: 6, 6: 10, 7: 30}
    assert set(STATUSES) == {(subject, detail) for subject, most in last.items() for detail in range(most + 1)}
    assert set(SUBJECTS) == set(last)
    assert set(CLASSES) == {2, 4, 5}
    for (subject, detail), status in STATUSES.items():
        assert (status.subject, status.detail) == (subject, detail)
        assert str(status) == f"X.{subject}.{detail}"
        assert re.fullmatch(r"(RFC [0-9]{4}( s[0-9.]+)?)?", status.rule)
        assert Reply(250, status.text).text == status.text


@pytest.mark.parametrize(
    ("code", "text", "rule"),
    [
        ("5.7.1", "Delivery not authorized, message refused", "RFC 3463 s3.8"),
        ("4.2.2", "Mailbox full", "RFC 3463 s3.3"),
        ("5.2.2", "Mailbox full", "RFC 3463 s3.3"),
        ("2.1.5", "Destination address valid", "RFC 3463 s3.2"),
        ("5.7.30", "REQUIRETLS support required", "RFC 8689 s7"),
        ("5.7.23", "SPF validation failed", "RFC 7372"),
        ("5.1.10", "Recipient address has null MX", "RFC 7505"),
        ("4.7.99", "Security or Policy Status, not registered", "RFC 3463 s2"),
        ("5.8.0", "Unregistered subject, not registered", "RFC 3463 s2"),
    ],
)
def test_meanings(code, text, rule):
    meaning = meaning_of(EnhancedCode.parse(code))
    assert (meaning.text, meaning.rule) == (text, rule)
    assert is_registered(EnhancedCode.parse(code)) is ("egistered" not in text)


@given(st.builds(EnhancedCode, st.sampled_from([2, 4, 5]), st.integers(0, 999), st.integers(0, 999)))
def test_every_code_has_a_meaning(code):
    meaning = meaning_of(code)
    assert (meaning.subject, meaning.detail) == (code.subject, code.detail)
    said = explain_enhanced(code)
    assert said.text.startswith(f"{code}: ")
    assert said.rule == meaning.rule
    assert (not code.subject and not code.detail) or meaning.text[1:] in said.text


def written_codes(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
            yield node.value


def test_codes_are_found():
    assert list(written_codes('Reply(550, "no", "5.9.9"); x = {b"MAIL": "5.1.7"}; "see 5.7.1"')) == ["5.9.9", "5.1.7"]


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_what_this_package_says_is_registered(path):
    unknown = [code for code in written_codes(path.read_text("utf-8")) if not is_registered(EnhancedCode.parse(code))]
    assert not unknown


def test_there_is_something_to_look_at():
    found = [code for path in PACKAGE.rglob("*.py") for code in written_codes(path.read_text("utf-8"))]
    assert len(found) > 40


@pytest.mark.parametrize(
    ("reply", "code", "enhanced"), [(HOST_TAKES_NO_MAIL, 521, "5.3.2"), (DOMAIN_TAKES_NO_MAIL, 556, "5.1.10")]
)
def test_the_replies_of_rfc_7504(reply, code, enhanced):
    assert (reply.code, str(reply.enhanced)) == (code, enhanced)
    assert explain_code(code, None).rule.startswith("RFC 7504 ")
