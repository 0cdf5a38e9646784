"""Anything can be explained: no octets raise, no secret of size or shape makes it slow."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import State
from smtpcore.cli.explain.page import write_page
from smtpcore.cli.explain.report import WIDTH, tell
from smtpcore.cli.explain.story import Side, Verdict
from tests.cli.explaining import story_of
from tests.wire.counting import growth

OFFER = b"250-h\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-STARTTLS\r\n250-AUTH PLAIN LOGIN\r\n250 SIZE 100\r\n"
CLIENT = st.sampled_from(
    [
        b"EHLO c", b"HELO c", b"LHLO c", b"MAIL FROM:<a@b>", b"RCPT TO:<c@d>", b"RCPT TO:<\xff", b"DATA", b"RSET",
        b"NOOP", b"QUIT", b"AUTH LOGIN", b"AUTH PLAIN AGEAYg==", b"YQ==", b"*", b"STARTTLS", b"BDAT 4", b"BDAT 0 LAST",
        b"BDAT 9 LAST",
        b"From: a@b", b".", b"..", b"", b"x", b"\0", b"\r\n", b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b"\x16\x03\x01",
        b"VRFY a", b"XCLIENT a", b" AUTH b", b"\r\n.\r\n", b"\n.\n",
    ]
)  # fmt: skip
SERVER = st.sampled_from(
    [
        b"220 h\r\n", b"250 ok\r\n", b"250 2.1.0 ok\r\n", OFFER, b"354 go\r\n", b"334 VXNlcm5hbWU6\r\n", b"235 ok\r\n",
        b"221 bye\r\n", b"421 bye\r\n", b"503 no\r\n", b"550 5.7.1 no\r\n", b"451 later\r\n", b"250-", b"\r\n", b"\n",
        b"x",
        b"\xff", b"299 x\r\n", b"\x16\x03", b"100 x\r\n", b"250-a\r\n251 b\r\n",
    ]
)  # fmt: skip
TURNS = st.lists(
    st.one_of(
        st.tuples(st.just("C"), st.lists(CLIENT, min_size=1, max_size=6).map(b"".join)),
        st.tuples(st.just("S"), SERVER),
        st.tuples(st.just("S"), SERVER),
        st.tuples(st.just("tls"), st.just(b"")),
        st.tuples(st.just("note"), st.just(b"a note")),
    ),
    max_size=30,
)


@given(TURNS, st.booleans(), st.booleans())
def test_anything_is_explained(turns, exact, show_secrets):
    story = story_of(turns, exact=exact, show_secrets=show_secrets)
    assert all(isinstance(state, State) for step in story.steps for state in (step.before, step.after))
    assert all(finding.by in get_args(Side) for _, finding in story.findings())
    assert all(
        finding.rule.startswith(("RFC ", "XCLIENT_README", "XFORWARD_README")) for _, finding in story.findings()
    )
    assert all(each.verdict in get_args(Verdict) for message in story.messages for each in message.recipients)
    lines = [step.line for step in story.steps]
    assert lines == sorted(lines)
    assert all(len(line) <= WIDTH for line, _ in tell(story))
    assert write_page([story]).count("<article ") == len(story.steps)


@given(TURNS)
def test_each_octet_is_in_a_step_or_counted(turns):
    """Whoever spoke has a step for each turn with a whole line of it."""
    story = story_of([(who, data) for who, data in turns if who in {"C", "S"}])
    if any(b"\r\n" in data for _, data in turns if data):
        assert story.steps


START = [("S", b"220 h\r\n"), ("C", b"EHLO c\r\n"), ("S", OFFER.replace(b" 100", b" 0"))]
MAIL = [("C", b"MAIL FROM:<a@b>\r\n"), ("S", b"250 ok\r\n")]
RCPT = ("C", b"RCPT TO:<c@d>\r\n")
DATA = [*MAIL, RCPT, ("S", b"250 ok\r\n"), ("C", b"DATA\r\n"), ("S", b"354 go\r\n")]
OK = ("S", b"250 ok\r\n")
LOGIN = [("C", b"AUTH LOGIN\r\n"), ("S", b"334 \r\n")]

FAMILIES = {
    "commands in one packet": lambda n: [*START, ("C", b"NOOP\r\n" * n), ("S", b"250 ok\r\n" * n)],
    "recipients": lambda n: [*START, *MAIL, ("C", RCPT[1] * n), ("S", b"250 ok\r\n" * n)],
    "recipients and chunks": lambda n: [
        *START, *MAIL, ("C", RCPT[1] * n), ("S", b"250 ok\r\n" * n), ("C", b"BDAT 0\r\n" * n), ("S", b"250 ok\r\n" * n)
    ],
    "recipients of LMTP": lambda n: [
        START[0], ("C", b"LHLO c\r\n"), START[2], *MAIL, ("C", RCPT[1] * n), ("S", b"250 ok\r\n" * n),
        ("C", b"DATA\r\n"), ("S", b"354 go\r\n"), ("C", b".\r\n"), ("S", b"250 ok\r\n" * n),
    ],
    "octets one by one": lambda n: [*START, *[("C", b"x")] * n],
    "content octet by octet": lambda n: [*START, *DATA, *[("C", b"x")] * n],
    "a line without end, and replies": lambda n: [*START, ("C", b"x" * n), *[OK] * n],
    "a content without end, and replies": lambda n: [*START, *DATA, ("C", b"x" * n), *[OK] * n],
    "a reply without end": lambda n: [*START, ("C", b"NOOP\r\n"), ("S", b"250-x\r\n" * n)],
    "replies that nobody asked for": lambda n: [*START, *[OK] * n],
    "what is no reply": lambda n: [*START, ("S", b"x\r\n" * n)],
    "bare LF": lambda n: [*START, *[("C", b"NOOP\n"), OK] * n],
    "a long line": lambda n: [*START, ("C", b"VRFY " + b"x" * n + b"\r\n"), OK],
    "a long name": lambda n: [*START, ("C", b"RCPT TO:<" + b"x" * n + b"@b>\r\n"), OK],
    "dots": lambda n: [*START, *DATA, ("C", b"\n." * n + b"\r\n.\r\n"), OK],
    "header fields": lambda n: [*START, *DATA, ("C", b"X: y\r\n" * n + b"\r\n.\r\n"), OK],
    "equal fields": lambda n: [*START, *DATA, ("C", b"Date: y\r\n" * n + b"\r\n.\r\n"), OK],
    "no fields": lambda n: [*START, *DATA, ("C", b"From: a\r\n" + b"no field\r\n" * n + b".\r\n"), OK],
    "responses": lambda n: [*START, *LOGIN, *[("C", b"YWJjZGVm\r\n"), ("S", b"334 YWJj\r\n")] * n],
    "a long secret": lambda n: [
        *START, *LOGIN, ("C", b"YWJj" * n + b"\r\n"), *[("S", b"334 YWJj\r\n"), ("C", b"YQ==\r\n")] * n
    ],
    "capabilities": lambda n: [*START[:2], ("S", b"".join(b"250-X%d\r\n" % i for i in range(n)) + b"250 x\r\n")],
    "greetings": lambda n: [*START, *START[1:] * n],
    "transactions": lambda n: [*START, *[*MAIL, ("C", b"RSET\r\n"), OK] * n],
    "octets of TLS": lambda n: [*START, ("C", b"STARTTLS\r\n"), ("S", b"220 go\r\n"), *[("C", b"\x16\x03\x01")] * n],
    "behind the end": lambda n: [*START, ("S", b"421 bye\r\n"), *[("C", b"x\r\n"), OK] * n],
}  # fmt: skip


@pytest.mark.law(14)
@pytest.mark.parametrize("family", FAMILIES)
def test_work_is_linear(family):
    def work(size):
        turns = FAMILIES[family](size)
        return lambda: (story := story_of(turns), list(tell(story)), write_page([story]))

    work(10)()
    assert growth(work, 150) < 1.1
