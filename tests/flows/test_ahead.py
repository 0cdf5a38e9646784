"""A small content is looked at while the server has the envelope: behind the write, before the read."""

from __future__ import annotations

from typing import Any

import pytest

from smtpcore.flows.content import SMALL
from smtpcore.flows.effect import Close, Read, Write
from smtpcore.flows.options import send, send_all
from smtpcore.wire.content import DotStuffer
from tests.flows.fakeserver import connected, statuses

BOB = ["bob@hamburger.edu"]
ENVELOPE = b"250 ok\r\n250 ok\r\n354 go\r\n"


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was looked at ahead, among the effects there were."""
    seen: list[Any] = []
    real = DotStuffer.prepare

    def prepare(self: DotStuffer, data: bytes) -> None:
        seen.append(data)
        real(self, data)

    monkeypatch.setattr(DotStuffer, "prepare", prepare)
    return seen


def effects(flow: Any, seen: list[Any], *turns: bytes) -> list[Any]:
    """Writes by their octets, reads as None, and between them what was looked at, as a list of it."""
    order: list[Any] = []
    answers = list(turns)
    value: Any = None
    while True:
        try:
            effect = flow.send(value)
        except StopIteration as stop:
            assert not seen
            return [*order, stop.value]
        order += [[data] for data in seen]
        seen.clear()
        value = None
        if isinstance(effect, Write):
            order.append(effect.data)
        elif isinstance(effect, Read):
            order.append(None)
            value = answers.pop(0)


def test_behind_the_write_and_before_the_read(looked):
    content = b".a\r\n"
    flow = send(connected("PIPELINING"), None, BOB, content, {})
    *order, outcome = effects(flow, looked, ENVELOPE, b"250 taken\r\n")
    envelope = b"MAIL FROM:<>\r\nRCPT TO:<bob@hamburger.edu>\r\nDATA\r\n"
    assert order == [envelope, [content], None, b"..a\r\n.\r\n", None]
    assert outcome.all_accepted


def test_so_is_each_of_a_chain(looked):
    contents = [b"one\r\n", b".two\r\n"]
    flow = send_all(connected("PIPELINING"), [(None, BOB, content) for content in contents], {})
    *order, outcomes = effects(flow, looked, ENVELOPE, b"250 taken\r\n" + ENVELOPE, b"250 taken\r\n")
    envelope = b"MAIL FROM:<>\r\nRCPT TO:<bob@hamburger.edu>\r\nDATA\r\n"
    assert order == [
        envelope,
        [contents[0]],
        None,
        b"one\r\n.\r\n" + envelope,
        [contents[1]],
        None,
        b"..two\r\n.\r\n",
        None,
    ]
    assert all(outcome.all_accepted for outcome in outcomes)


@pytest.mark.parametrize("content", [b"x" * SMALL + b"\r\n", iter([b"x\r\n"])], ids=["large", "in pieces"])
def test_what_goes_piece_by_piece_is_not(looked, content):
    flow = send(connected("PIPELINING"), None, BOB, content, {})
    assert effects(flow, looked, ENVELOPE, b"250 taken\r\n")[-1].all_accepted


def test_nor_is_what_goes_in_chunks(looked):
    flow = send(connected("PIPELINING", "CHUNKING"), None, BOB, b".a\r\n", {"chunking": True})
    *order, outcome = effects(flow, looked, b"250 ok\r\n250 ok\r\n250 taken\r\n")
    assert order[0].endswith(b"BDAT 4 LAST\r\n.a\r\n")
    assert outcome.all_accepted


def test_a_write_that_fails_is_an_outcome_as_ever():
    flow = send(connected("PIPELINING"), None, BOB, b"a\r\n", {})
    assert isinstance(next(flow), Write)
    assert isinstance(flow.throw(ConnectionResetError("gone")), Close)
    with pytest.raises(StopIteration) as end:
        next(flow)
    outcome = end.value.value
    assert statuses(outcome) == ["not sent"]
    assert isinstance(outcome.error, ConnectionResetError)
