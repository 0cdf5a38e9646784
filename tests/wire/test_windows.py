"""Content longer than what is looked at in one piece: what lies across a border is found all the same."""

from __future__ import annotations

import pytest

from smtpcore import ParseError
from smtpcore.wire.content import DotStuffer, DotUnstuffer
from smtpcore.wire.meter import ContentMeter, Excess
from smtpcore.wire.newlines import find_bare, is_clean
from tests.wire.oracles import end_of_data, first_bare, stuffed, unstuffed

LINE = b"x" * 70 + b"\r\n"
#: Offsets of the borders: of the windows of searches, of those of the check for bare newlines, and their multiples.
BORDERS = (512, 512 + 16_384, 65_535, 65_536, 131_070, 131_072)
AROUND = range(-4, 5)


def filled(size: int) -> bytes:
    """Octets without a line end."""
    return b"x" * size


@pytest.mark.parametrize("piece", [b"\r\n", b"\r", b"\n", b"\r\r\n", b"\r\n\n", b"\n\r", b"\r\n\r\n"])
@pytest.mark.parametrize("border", BORDERS)
def test_bare_newlines_at_a_border(border, piece):
    for shift in AROUND:
        data = filled(border + shift) + piece + filled(200)
        assert find_bare(data) == first_bare(data)
        assert is_clean(data) == (first_bare(data) < 0)
        data = filled(border + shift) + piece
        assert find_bare(data) == first_bare(data)


@pytest.mark.parametrize("piece", [b"\r\n.", b"\r\n.a", b"\r\n..", b"\n.", b"\r\n.\r", b"\r\n.\r\n", b"\r\n..\r\n."])
@pytest.mark.parametrize("border", BORDERS)
def test_dots_at_a_border(border, piece):
    for shift in AROUND:
        for fill in (filled(border + shift), (LINE * (border // len(LINE) + 1))[: border + shift]):
            stream = fill + piece + LINE * 300 + b".\r\nQUIT\r\n" + LINE * 300 + b".\r\n"
            reader = DotUnstuffer()
            content = reader.receive(stream)
            end = end_of_data(stream)
            assert (reader.eof, reader.unused_data) == (True, stream[end:])
            bare = first_bare(unstuffed(stream))
            assert reader.first_bare == bare
            assert content == unstuffed(stream)[: bare if bare >= 0 else None]


@pytest.mark.parametrize("border", BORDERS)
def test_stuffing_at_a_border(border):
    for shift in AROUND:
        content = filled(border + shift) + b"\r\n.a\r\n..\r\n" + LINE * 2000
        stuffer = DotStuffer()
        assert stuffer.stuff(content) + stuffer.finish() == stuffed(content)


def test_many_dots_and_ends():
    """More than are put in by pieces, and more than one end in a window."""
    content = b".\r\n" * 5000
    stuffer = DotStuffer()
    wire = stuffer.stuff(content) + stuffer.finish()
    assert wire == stuffed(content)
    reader = DotUnstuffer()
    assert reader.receive(wire * 3) == content
    assert reader.unused_data == wire * 2


def test_offset_of_a_bare_newline_counts_all_chunks():
    stuffer = DotStuffer()
    stuffer.stuff(LINE * 3)
    stuffer.stuff(LINE + b"a\r")  # a CR held back
    stuffer.stuff(b"\n" + LINE)
    with pytest.raises(ParseError) as caught:
        stuffer.stuff(b"ab\nc")
    assert caught.value.where == 5 * len(LINE) + 3 + 2
    with pytest.raises(ParseError):
        stuffer.finish()


def test_lines_of_every_length_around_the_limit():
    for length in range(995, 1006):
        line = b"x" * (length - 1) + b"\n"
        for before in (b"", LINE * 20, b"y" * 999 + b"\n"):
            meter = ContentMeter(None, 2000)
            meter.feed(before)
            meter.feed(line * 3)
            assert meter.long_line == (-1 if length <= 1000 else len(before) + 1000)
            strict = ContentMeter(None, 1000)
            taken = strict.feed(before + line * 3)
            assert (strict.excess is Excess.LINE) == (length > 1000)
            assert len(taken) == len(before) + (3 * length if length <= 1000 else 1000)
