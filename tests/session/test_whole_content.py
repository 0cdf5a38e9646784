"""A content that has come whole is understood in one step, and just as one that has come octet by octet."""

from __future__ import annotations

import pytest

from smtpcore import (
    NEED_DATA,
    Capabilities,
    CommandReceived,
    ConnectionClosed,
    ContentEnded,
    ContentReceived,
    ContentRejected,
    ServerConnection,
)
from smtpcore.extensions import SIZE
from smtpcore.session.limits import ServerLimits
from smtpcore.table import State
from smtpcore.wire.content import plain_content
from smtpcore.wire.meter import has_long_line

BEFORE = b"EHLO crepes.fr\r\nMAIL FROM:<alice@crepes.fr>\r\nRCPT TO:<bob@hamburger.edu>\r\nDATA\r\n"
LONG = b"x" * 998
SIZE_62 = {"capabilities": Capabilities(SIZE(62))}
CONTENTS = [
    b"a\r\n.\r\n",
    b".\r\n",
    b"..\r\n.\r\n",
    b"a\r\n..b\r\n.\r\n",
    b"a\nb\r\n.\r\n",
    b"a\rb\r\n.\r\n",
    b"a\n.\r\n\r\n.\r\n",
    b"a\r\n.\rb\r\n.\r\n",
    LONG + b"\r\n.\r\n",
    LONG + b"y\r\n.\r\n",
    b"a\r\n" + LONG + b"\r\nb\r\n.\r\n",
    b"a\r\n" + LONG + b"y\r\nb\r\n.\r\n",
    (LONG + b"\r\n") * 40 + b".\r\n",
    b"a" * 60 + b"\r\n.\r\n",
    b"a" * 59 + b"\r\n.\r\n",
]


def observed(octets: bytes, step: int, **options: object) -> tuple[list[object], bytes]:
    """The events and replies of a session fed by pieces of ``step`` octets, its content in one piece."""
    machine = ServerConnection("hamburger.edu", **options)  # type: ignore[arg-type]  # whatever a test asks for
    machine.greet()
    events: list[object] = []
    content = b""
    for start in range(0, len(octets), step):
        if machine.state is State.CLOSED:
            break
        machine.receive_data(octets[start : start + step])
        while (event := machine.next_event()) is not NEED_DATA:
            if isinstance(event, ContentReceived):
                content += event.data
                continue
            if isinstance(event, (ContentEnded, ContentRejected)):
                events.append(content)
                content = b""
            events.append(event)
            if isinstance(event, ConnectionClosed):
                break
            if isinstance(event, (CommandReceived, ContentEnded)):
                machine.accept()
    return events, machine.data_to_send()


@pytest.mark.parametrize("content", CONTENTS, ids=range(len(CONTENTS)))
@pytest.mark.parametrize(
    "behind", [b"", b"NOOP\r\n", BEFORE[16:] + b"b\r\n.\r\nQUIT\r\n"], ids=["alone", "noop", "more"]
)
@pytest.mark.parametrize(
    "options", [{}, SIZE_62, {"limits": ServerLimits(text_line=1000)}], ids=["default", "size", "line"]
)
def test_whole_or_by_pieces(content, behind, options):
    octets = BEFORE + content + behind
    whole = observed(octets, len(octets), **options)
    assert whole == observed(octets, 1, **options)
    assert whole == observed(octets, 7, **options)


def test_the_size_limit_is_exact():
    events, _ = observed(BEFORE + b"a" * 60 + b"\r\n.\r\n", 10_000, **SIZE_62)
    assert type(events[-1]) is ContentEnded
    events, _ = observed(BEFORE + b"a" * 61 + b"\r\n.\r\n", 10_000, **SIZE_62)
    assert type(events[-1]) is ContentRejected
    assert events[-1].reply.code == 552


@pytest.mark.parametrize(
    ("data", "content"),
    [
        (b"a\r\n.\r\nNOOP\r\n", b"a\r\n"),
        (b"\r\n.\r\n", b"\r\n"),
        (b"a\r\nb\r\n.\r\n", b"a\r\nb\r\n"),
        (b".\r\n", None),
        (b".a\r\n.\r\n", None),
        (b"a\r\n.b\r\n.\r\n", None),
        (b"a\r\n.\r", None),
        (b"a\r\n.\n\r\n.\r\n", None),
        (b"a\nb\r\n.\r\n", None),
        (b"a\rb\r\n.\r\n", None),
        (b"", None),
    ],
)
def test_what_is_plain(data, content):
    assert plain_content(data, 0) == content
    assert plain_content(b"DATA\r\n" + data, 6) == content


@pytest.mark.parametrize("limit", [2, 3, 10])
def test_a_long_line_is_longer_than_the_limit(limit):
    exact, more = b"x" * (limit - 2) + b"\r\n", b"x" * (limit - 1) + b"\r\n"
    assert not has_long_line(b"", limit)
    assert not has_long_line(exact * 5, limit)
    assert has_long_line(exact * 2 + more + exact, limit)
    assert has_long_line(more, limit)
    assert has_long_line(exact + b"x" * (limit + 1), limit)
    assert not has_long_line(exact + b"x" * limit, limit)


def test_verbs_that_stand_alone_keep_their_lines():
    machine = ServerConnection("hamburger.edu")
    machine.greet()
    for line in (b"RSET", b"rset", b"RSET "):
        machine.receive_data(line + b"\r\n")
        event = machine.next_event()
        assert isinstance(event, CommandReceived)
        assert event.command.raw == line
        machine.accept()
