"""Whatever a server offers and answers, each recipient has the message once, octet for octet, or is said not to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from smtpcore import Capabilities, ClientLimits, LocalProtocolError, Reply, State
from smtpcore import extensions as ext
from smtpcore.adapters.memory import Link
from smtpcore.extensions import BODY, STANDARD, Body
from smtpcore.flows.handler import Served
from smtpcore.flows.outcome import Outcome, Status
from smtpcore.session.settings import ServerSettings
from tests.fuzz.oracle import BARE

pytestmark = [pytest.mark.law(10), pytest.mark.law(17)]

OFFERED: Final[dict[str, Any]] = {
    **{extension.keyword: extension for extension in STANDARD},
    "SIZE": ext.SIZE(200_000),
    "AUTH": ext.AUTH.offer(("PLAIN",)),
}
#: What a handler says; None is yes.
ANSWERS = st.sampled_from([*[None] * 9, Reply(450, "later"), Reply(550, "no"), Reply(421, "bye")])
RECIPIENTS = ["bob@hamburger.edu", "carol@hamburger.edu", "b\u00e9b\u00e9@hamburger.edu", "bob@b\u00fccher.example"]
TOKENS = [b"Subject: x\r\n", b"\r\n", b".", b"..\r\n", b"a", b"\xc3\xa9\r\n", b"\0", b"x" * 70, b"\r\n.\r\n"]
BARES = [b"\r", b"\n", b"\n\r", b"\r\r\n"]


class Handler:
    """Answers as it is told, and keeps what it has taken responsibility for."""

    def __init__(self, answers: dict[str, list[Reply | None]], *, lmtp: bool, each: bool) -> None:
        self.answers = answers
        self.lmtp = lmtp
        self.each = each  # a verdict for each recipient, or one for all
        self.said: list[int] = []
        self.taken: list[tuple[str, bytes]] = []
        self.octets = b""
        self.asked: Counter[str] = Counter()

    def _next(self, what: str) -> Reply | None:
        answers = self.answers[what]
        answer = answers[self.asked[what] % len(answers)]
        self.asked[what] += 1
        self.said.append(answer.code if answer else 250)
        return answer

    def mail(self, session: Served, command: object) -> Reply | None:
        return self._next("mail")

    def rcpt(self, session: Served, command: object) -> Reply | None:
        return self._next("rcpt")

    def data(self, session: Served) -> Reply | None:
        self.octets = b""
        return self._next("data")

    def content(self, session: Served, data: bytes) -> Reply | None:
        self.octets += data
        return None

    def message(self, session: Served) -> Any:
        whom = [str(who) for who in session.transaction.recipients]
        if not self.lmtp or not self.each:
            answer = self._next("message")
            self.taken += [(who, self.octets) for who in whom] if answer is None else []
            return answer
        answers = [self._next("message") for _ in whom]
        answers = [None if answer and answer.code == 421 else answer for answer in answers]
        self.taken += [(who, self.octets) for who, answer in zip(whom, answers) if answer is None]
        return answers

    def authenticate(self, session: Served, credentials: object) -> bool:
        return True


def check(outcome: Outcome | None, handler: Handler, meant: bytes, hung_up: bool) -> None:
    """Who is said to have it has it, once, and nobody else does."""
    assert {octets for _, octets in handler.taken} <= {meant}
    taken = Counter(who for who, _ in handler.taken)
    if outcome is None:
        assert not taken
        return
    accepted = Counter(str(each.recipient) for each in outcome.recipients if each.status is Status.ACCEPTED)
    assert taken == accepted
    for each in outcome.recipients:
        if each.status is Status.UNKNOWN:
            assert hung_up, "nothing was lost"
        elif each.status is Status.NOT_SENT:
            assert each.why or (each.reply is not None and each.reply.code >= 400)
        elif each.status is not Status.ACCEPTED:
            assert each.reply is not None
            assert each.reply.code >= 400


@st.composite
def _contents(draw: st.DrawFn) -> Any:
    pieces = draw(st.lists(st.sampled_from(TOKENS), max_size=8))
    if draw(st.integers(0, 4)) == 4:
        pieces.insert(draw(st.integers(0, len(pieces))), draw(st.sampled_from(BARES)))
    whole = b"".join(pieces)
    kind = draw(st.sampled_from(["whole", "pieces", "large"]))
    if kind == "large":
        line = b"y" * 77 + b"\r\n"
        whole = line * draw(st.sampled_from([210, 1700, 2500])) + whole
        return whole, (whole if draw(st.booleans()) else iter([whole[:1000], b"", whole[1000:]]))
    return whole, (whole if kind == "whole" else iter(pieces))


@settings(deadline=None)
@given(data=st.data())
def test_never_lost_and_never_doubled(data: st.DataObject) -> None:
    draw = data.draw
    offered = {keyword for keyword in sorted(OFFERED) if draw(st.booleans(), label=keyword)}
    lmtp, each, chunking = draw(st.booleans()), draw(st.booleans()), draw(st.booleans())
    if chunking and draw(st.booleans()):
        offered.add("CHUNKING")
    answers = {
        what: draw(st.lists(ANSWERS, min_size=1, max_size=4), label=what)
        for what in ("mail", "rcpt", "data", "message")
    }
    handler = Handler(answers, lmtp=lmtp, each=each)
    link = Link(handler, lmtp=lmtp)
    link.settings = ServerSettings(
        "hamburger.edu",
        Capabilities(*[OFFERED[keyword] for keyword in sorted(offered)]),
        allow_plaintext_auth=True,
        lmtp=lmtp,
    )
    limits = ClientLimits(in_flight=draw(st.sampled_from([1, 2, 3, 5, 1000])))
    options: dict[str, Any] = {"auth": ("alice", "sesame")} if "AUTH" in offered else {}
    with link.connect(
        tls="opportunistic", hostname="crepes.fr", lmtp=lmtp, limits=limits, allow_plaintext_auth=True, **options
    ) as client:
        for _ in range(draw(st.integers(1, 3), label="messages")):
            content, given_as = draw(_contents())
            sender = draw(st.sampled_from([None, "alice@crepes.fr", "alice@crepes.fr", "\u00e9@crepes.fr"]))
            recipients: Sequence[str] = draw(st.lists(st.sampled_from(RECIPIENTS), min_size=1, max_size=4))
            binary = draw(st.booleans())
            parameters = [BODY(Body.BINARYMIME)] if binary else []
            handler.taken.clear()
            handler.said.clear()
            outcome: Outcome | None = None
            try:
                outcome = client.send(sender, recipients, given_as, mail_parameters=parameters, chunking=chunking)
            except LocalProtocolError:
                cannot = binary and not {"CHUNKING", "BINARYMIME"} <= offered
                assert cannot or (not binary and BARE.search(content)), "a good message is refused"
            event(f"binary {binary}, chunking {chunking}, {'refused' if outcome is None else 'sent'}")
            ended = binary or not content or content.endswith(b"\r\n")
            check(outcome, handler, content if ended else content + b"\r\n", 421 in handler.said)
            if outcome is None or 421 in handler.said or client.machine.state is State.CLOSED:
                return  # the connection is closed, which the next message would be told
    assert link.errors == []
