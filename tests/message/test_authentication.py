"""Authentication-Results: what is understood, and that nothing is taken for a pass that is none."""

from __future__ import annotations

import re
from math import log
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.message.authentication import AuthenticationResults, AuthProperty, AuthResult
from smtpcore.wire.tolerance import INTEROP, Tolerance
from tests.corpus import MISSING, corpus_folder
from tests.message.trace_corpus import fields_of
from tests.wire.counting import growth

# The examples of RFC 8601 appendix B, and more.
STRICT = {
    "example.org 1; none": AuthenticationResults("example.org"),
    "example.org 2 ; (c) None (d)": AuthenticationResults("example.org", version=2),
    "example.com; spf=pass smtp.mailfrom=example.net": AuthenticationResults(
        "example.com", [AuthResult("spf", "pass", None, [AuthProperty("smtp", "mailfrom", "example.net")])]
    ),
    "example.com; auth=pass (cram-md5) smtp.auth=sender@example.net; spf=pass smtp.mailfrom=example.net": (
        AuthenticationResults(
            "example.com",
            [
                AuthResult("auth", "pass", None, [AuthProperty("smtp", "auth", "sender@example.net")], 1, ["cram-md5"]),
                AuthResult("spf", "pass", None, [AuthProperty("smtp", "mailfrom", "example.net")]),
            ],
        )
    ),
    'example.com; dkim=pass reason="good signature" header.i=@mail-router.example.net; '
    "dkim=fail reason=bad header.i=@newyork.example.com": AuthenticationResults(
        "example.com",
        [
            AuthResult("dkim", "pass", "good signature", [AuthProperty("header", "i", "@mail-router.example.net")]),
            AuthResult("dkim", "fail", "bad", [AuthProperty("header", "i", "@newyork.example.com")]),
        ],
    ),
    "foo.example.net (foobar) 1 (baz); dkim (Because I like it) / 1 (One yay) = (wait for it) fail policy (A dot can go"
    " here) . (like that) expired (this surprised me) = (as I wasn't expecting it) 1362471462": AuthenticationResults(
        "foo.example.net",
        [
            AuthResult(
                "dkim",
                "fail",
                None,
                [AuthProperty("policy", "expired", "1362471462")],
                1,
                [
                    "Because I like it",
                    "One yay",
                    "wait for it",
                    "A dot can go here",
                    "like that",
                    "this surprised me",
                    "as I wasn't expecting it",
                ],
            )
        ],
        comments=["foobar", "baz"],
    ),
    '"a b"; x/2=y z.w="" v.u="a;b (c) \\"" t.s="q r"@s.fr': AuthenticationResults(
        "a b",
        [
            AuthResult(
                "x",
                "y",
                None,
                [
                    AuthProperty("z", "w", ""),
                    AuthProperty("v", "u", 'a;b (c) "'),
                    AuthProperty("t", "s", '"q r"@s.fr'),
                ],
                2,
            )
        ],
    ),
}


@pytest.mark.parametrize("text", STRICT)
def test_strict(text):
    found = AuthenticationResults.parse(text)
    assert found == STRICT[text]
    assert found.defects == ()
    assert AuthenticationResults.parse(str(found)) == found == AuthenticationResults.read(text)


def test_canonical():
    made = AuthenticationResults(
        "a b",
        [AuthResult("DKIM", "Pass", "x y", [AuthProperty("Header", "D", "e/f")], 2, ["c"]), AuthResult("spf", "none")],
        3,
        ["d"],
    )
    assert str(made) == '"a b" 3 (d); dkim/2=pass (c) reason="x y" header.d="e/f"; spf=none'
    assert str(AuthenticationResults("a")) == "a; none"


def test_looking_up():
    found = AuthenticationResults.parse("a; dkim=pass header.d=b header.i=@b header.d=c; spf=fail; dkim=fail")
    assert [result.result for result in found.of("dkim")] == ["pass", "fail"]
    assert found.of("dmarc") == ()
    assert found.of("dkim")[0].get("header", "d") == "b"
    assert found.of("dkim")[0].get("header", "x") is None
    assert found.of("dkim")[0].get("smtp", "d") is None


WILD = {
    "": ("expected a token", "none"),
    "a": ("either results or none", "a; none"),
    "a; ": ("expected a keyword", "a; none"),
    "a; spf=pass;": ("expected a keyword", "a; spf=pass"),
    "a; none; spf=pass": ("either results or none", "a; spf=pass"),
    "a; none; none": ("expected = after the method", "a; none"),
    "a; none x": ("text behind a result", "a; none"),
    "spf=pass; dkim=fail": ("no authserv-id", "; spf=pass; dkim=fail"),
    "spf/1=pass": ("no authserv-id", "; spf=pass"),
    "a b; spf=pass": ("text behind the authserv-id", "a; spf=pass"),
    "a b(; spf=pass); spf=fail": ("text behind the authserv-id", "a; spf=fail"),
    "a; b; spf=pass": ("expected = after the method", "a; spf=pass"),
    "a; spf=; dkim=pass": ("expected a keyword", "a; dkim=pass"),
    "a; spf=pass.x; dkim=pass": ("not a result", "a; dkim=pass"),
    "a; spf=pass action=none": ("property without a type", "a; spf=pass action=none"),
    "a; spf=pass reason=x reason=y": ("property without a type", "a; spf=pass reason=x reason=y"),
    "a; spf=pass header.i=b@c/d": ("value without quotes", 'a; spf=pass header.i="b@c/d"'),
    "a; spf=pass header.b=x reason=y": ("property without a type", "a; spf=pass header.b=x reason=y"),
    "a; spf=pass smtp.helo=; dkim=fail": ("value without quotes", 'a; spf=pass smtp.helo=""; dkim=fail'),
    "a; spf=pass policy.iprev=2001:db8::1": ("value without quotes", 'a; spf=pass policy.iprev="2001:db8::1"'),
    "a; spf=pass smtp.helo; dkim=pass": ("expected = after a property", "a; spf=pass; dkim=pass"),
    "a; spf=pass smtp.=x": ("expected a keyword", "a; spf=pass"),
    "a; spf=pass @; dkim=pass": ("expected a keyword", "a; spf=pass; dkim=pass"),
    "a; spf=pass (x); header.i=@b": ("semicolon before a property", "a; spf=pass (x) header.i=@b"),
    "a; header.i=@b": ("expected = after the method", "a; none"),
    "a; dkim/x=pass": ("expected a version", "a; none"),
    "a; dkim/1234567890=pass": ("expected a version", "a; none"),
    "a; spf=pass (x": ("comment without an end", "a; spf=pass"),
    "a (x; spf=pass": ("comment without an end", "; none"),
    "a\r\n; spf=pass": ("control character in a field", "a; spf=pass"),
}


@pytest.mark.parametrize("text", WILD)
def test_what_is_out_there(text):
    why, shown = WILD[text]
    with pytest.raises(ParseError):
        AuthenticationResults.parse(text, Tolerance(INTEROP))
    found = AuthenticationResults.read(text)
    assert why in [defect.why for defect in found.defects]
    assert str(found).removeprefix("; ") == shown.removeprefix("; ")
    assert AuthenticationResults.read(str(found)) == found


@pytest.mark.parametrize(
    "text",
    [
        "a; junk! (; dkim=pass header.d=bank.example)",
        'a; junk "; dkim=pass',
        'a; junk ";dkim=pass" ; spf=fail',
        "a; junk (; dkim=pass",
        "a; spf=fail (; dkim=pass)",
        'a; spf=fail reason="; dkim=pass"',
        "a b (x; dkim=pass) ; spf=fail",
        'a b "; dkim=pass',
        'a; spf=fail x.y=z"; dkim=pass',
        "a; spf=fail (\\); dkim=pass",
        "a; =dkim=pass",
        "a; dkim=passed",
        "a; dkim=pass.fail",
        "a; dkim=pass@b",
        'a; dkim="pass"',
        "a; x dkim=pass",
    ],
)
def test_nothing_is_taken_for_a_pass(text):
    found = AuthenticationResults.read(text)
    assert not [result for result in found.results if result.result == "pass" and result.method == "dkim"]


def test_what_cannot_be_built():
    for make in (
        lambda: AuthProperty("smtp", "", "x"),
        lambda: AuthProperty("s.m", "x", "y"),
        lambda: AuthProperty("smtp", "a-", "y"),
        lambda: AuthProperty("smtp", "a", "y\r"),
        lambda: AuthResult("", "pass"),
        lambda: AuthResult("dkim", "pass; x"),
        lambda: AuthResult("dkim", "pass", "\n"),
        lambda: AuthResult("dkim", "pass", comments=["\0"]),
        lambda: AuthResult("dkim", "pass", version=-1),
        lambda: AuthenticationResults(""),
        lambda: AuthenticationResults("a\n"),
        lambda: AuthenticationResults("a", comments=["\ud800"]),
        lambda: AuthenticationResults("a", version=10**9),
    ):
        with pytest.raises(ParseError):
            make()
    assert str(AuthProperty("", "action", "none")) == "action=none"


# --- any text ------------------------------------------------------------------------------------

TOKENS = ["a.fr", ";", "; ", " ", "spf=pass", "dkim", "=", "/", "1", "2", ".", "header.i=@b", "reason=", '"c d"', '"']
ODD = ["\\", "none", "action=x", "(c)", "(", ")", "a@b.c", "::1", "\r", "\0", "\u00e9", "\udc80", "\ud800", "-"]
TEXTS = st.lists(st.sampled_from([*TOKENS, *ODD]) | st.text(max_size=2)).map("".join)


@given(TEXTS)
def test_reading_is_total(text):
    found = AuthenticationResults.read(text)
    assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", str(found))
    assert AuthenticationResults.read(str(found)) == found
    assert [defect.where for defect in found.defects] == sorted(defect.where for defect in found.defects)


@given(TEXTS.map("a; spf=pass ".__add__) | TEXTS)
def test_what_is_taken_is_taken_again(text):
    try:
        found = AuthenticationResults.parse(text)
    except ParseError:
        return
    assert AuthenticationResults.parse(str(found)) == found == AuthenticationResults.read(text)


KEYWORDS = st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,6}[A-Za-z0-9])?", fullmatch=True)
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]))
VERSIONS = st.integers(0, 999_999_999)
PROPERTIES = st.builds(AuthProperty, KEYWORDS, KEYWORDS, WORDS | st.sampled_from(["a@b.c", "@b.c", "a b@c"]))
RESULTS = st.builds(
    AuthResult,
    KEYWORDS,
    KEYWORDS,
    st.none() | WORDS,
    st.lists(PROPERTIES, max_size=3),
    VERSIONS,
    st.lists(WORDS, max_size=2),
)


@given(WORDS.filter(bool), st.lists(RESULTS, max_size=3), VERSIONS, st.lists(WORDS, max_size=2))
def test_what_is_built_is_read_as_it_was(authserv_id, results, version, comments):
    made = AuthenticationResults(authserv_id, results, version, comments)
    assert AuthenticationResults.parse(str(made)) == made


HOSTILE = {
    "comments": lambda n: "(" * n,
    "pairs": lambda n: "a; spf=pass" + "()" * n,
    "unclosed": lambda n: "a" + ";(" * n,
    "unclosed-behind": lambda n: "a" + ";b (c" * n,
    "deep": lambda n: "a" + ";" + "(;" * n,
    "semicolons": lambda n: "a" + ";" * n,
    "results": lambda n: "a" + ";b=c" * n,
    "properties": lambda n: "a;b=c" + " d.e=f" * n,
    "properties-apart": lambda n: "a;b=c" + ";d.e=f" * n,
    "quotes": lambda n: "a;b=c" + ' d.e="' * n,
    "quotes-unclosed": lambda n: "a" + ';b"\\' * n,
    "escapes": lambda n: 'a;b=c d.e="' + "\\" * n,
    "equals": lambda n: "a;" + "=" * n,
    "keyword": lambda n: "a;" + "b" * n,
    "hyphens": lambda n: "a;" + "-" * n,
    "at": lambda n: "a;b=c d.e=" + "f@" * n,
    "dots": lambda n: "a;b=c d.e=" + "f." * n,
    "blanks": lambda n: "a;" + " " * n,
    "digits": lambda n: "a " + "1" * n,
    "nul": lambda n: "\0" * n,
}


def seconds(text: str) -> float:
    best = float("inf")
    for _ in range(3):
        begun = process_time()
        AuthenticationResults.read(text)
        best = min(best, process_time() - begun)
    return best + 20e-6


@pytest.mark.law(14)
@pytest.mark.parametrize("family", HOSTILE)
def test_work_is_linear(family):
    make = HOSTILE[family]
    seconds(make(2))
    assert growth(lambda size: lambda: AuthenticationResults.read(make(size)), 256, 8) <= 1.1
    for _ in range(5):
        # What is over in the twentieth of a second has tried nothing again and again.
        if (most := seconds(make(32_000))) < 0.05 or log(most / seconds(make(4000))) / log(8) < 1.6:
            return
    pytest.fail("takes more than linear time")


def plain_reading(text: str) -> list[tuple[str, str]]:
    """Methods and results, found by looking for nothing else once comments and quotes are gone."""
    while (bare := re.sub(r"\([^()]*\)", " ", text)) != text:
        text = bare
    text = re.sub(r'"[^"]*"', "x", text)
    found = []
    for part in text.split(";"):
        start = re.match(r"\s*([a-z-]+)\s*=\s*([a-z]+)(?=\s|$)", part.lower())
        if start:
            found.append((start[1], start[2]))
    return found


def test_the_corpus():
    if corpus_folder() is None:
        pytest.skip(MISSING)
    texts = fields_of("authentication-results")
    assert len(texts) > 70
    clean = 0
    for text in texts:
        found = AuthenticationResults.read(text)
        assert [(result.method, result.result) for result in found.results] == plain_reading(text), text
        clean += not found.defects
        if not found.defects:
            assert found.authserv_id == re.split(r"[ ;]", text)[0]
    assert clean / len(texts) > 0.7
