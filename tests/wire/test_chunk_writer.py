"""ChunkWriter: what goes behind BDAT is what would go behind DATA, wherever the chunks are cut."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore import ParseError
from smtpcore.wire.chunks import ChunkWriter
from smtpcore.wire.content import DotStuffer, DotUnstuffer
from smtpcore.wire.newlines import BareNewlines
from tests.strategies import partitions

TOKENS = st.lists(st.sampled_from([b"a", b"\r\n", b"\r", b"\n", b".", b"..", b"\0", b"\xe9"]), max_size=12)
SENDING = st.sampled_from([BareNewlines.REJECT, BareNewlines.NORMALIZE])


@pytest.mark.parametrize(
    ("parts", "content"),
    [
        pytest.param([b""], b"", id="nothing"),
        pytest.param([b"a"], b"a\r\n", id="a line without end"),
        pytest.param([b"a\r", b"\n"], b"a\r\n", id="a CRLF that is cut"),
        pytest.param([b"a", b"\r\n", b""], b"a\r\n", id="an empty last chunk"),
        pytest.param([b"\r\n.\r\n"], b"\r\n.\r\n", id="a dot alone is content"),
        pytest.param([b"a\n"], 1, id="a bare LF"),
        pytest.param([b"a", b"\r", b""], 1, id="a CR that stays alone"),
        pytest.param([b"a\r\n", b"\r", b"b"], 3, id="counted over chunks"),
    ],
)
def test_what_is_sent(parts, content):
    writer = ChunkWriter()
    out: Any = b""
    try:
        for index, part in enumerate(parts):
            out += writer.write(part, last=index == len(parts) - 1)
    except ParseError as error:
        out = error.where
    assert out == content


@given(tokens=TOKENS, policy=SENDING, data=st.data())
def test_the_same_message_as_behind_data(tokens, policy, data):
    content = b"".join(tokens)
    stuffer, reader = DotStuffer(policy), DotUnstuffer(BareNewlines.PASS)
    expected: bytes | int
    try:
        expected = reader.receive(stuffer.stuff(content) + stuffer.finish())
    except ParseError as error:
        expected = error.where
    writer = ChunkWriter(policy)
    out: Any = b""
    try:
        for part in data.draw(partitions(content)):
            out += writer.write(part)
        out += writer.write(b"", last=True)
    except ParseError as error:
        out = error.where
    assert out == expected


@given(content=st.binary())
def test_binary_content_is_left_alone(content):
    writer = ChunkWriter(BareNewlines.PASS)
    assert writer.write(content) is content
    assert writer.write(content, last=True) is content


def test_a_space_for_a_newline_is_not_for_sending():
    with pytest.raises(ValueError, match=r"choose REJECT"):
        ChunkWriter(BareNewlines.SPACE)
