"""ReceiveBuffer, by itself."""

from __future__ import annotations

from smtpcore.wire.buffer import ReceiveBuffer


def filled(*parts: bytes) -> ReceiveBuffer:
    buffer = ReceiveBuffer()
    for part in parts:
        buffer.append(part)
    return buffer


def test_lines_end_at_crlf_only():
    buffer = filled(b"a\nb\rc\r\r\n", b"\nd\r\n")
    assert buffer.take_line() == b"a\nb\rc\r"
    assert buffer.take_line() == b"\nd"
    assert buffer.take_line() is None
    assert not buffer
    assert len(buffer) == 0


def test_a_line_end_cut_in_two():
    buffer = filled(b"a\r")
    assert buffer.take_line() is None
    assert buffer.take_line() is None
    buffer.append(b"\nb\r")
    assert buffer.take_line() == b"a"
    assert buffer.take_line() is None
    assert len(buffer) == 2
    buffer.append(b"\n")
    assert buffer.take_line() == b"b"


def test_octets_then_lines():
    buffer = filled(b"12345", b"678\r\n9")
    assert buffer.take(2) == b"12"
    assert buffer.take(0) == b""
    assert buffer.take_line() == b"345678"
    assert buffer.take(100) == b"9"
    assert buffer.take() == b""


def test_what_is_handed_out_is_bytes():
    """Never the bytearray that the octets were gathered in, which would change later."""
    buffer = filled(b"ab", b"cd\r\n", b"efgh")
    assert [type(part) for part in (buffer.take_line(), buffer.take(1), buffer.view()[0], buffer.take())] == [bytes] * 4


def test_a_view_and_where_to_go_on():
    buffer = filled(b"ab\r\ncd", b"ef")
    assert buffer.take_line() == b"ab"
    octets, offset = buffer.view()
    assert octets[offset:] == b"cdef"
    buffer.seek(offset + 2)
    assert buffer.take_line() is None
    buffer.append(b"\r\n")
    assert buffer.take_line() == b"ef"
    buffer.append(b"xyz")
    octets, offset = buffer.view()
    buffer.seek(len(octets))
    assert not buffer


def test_clear():
    buffer = filled(b"ab", b"c")
    buffer.clear()
    assert not buffer
    buffer.append(b"d\r\n")
    assert buffer.take_line() == b"d"


def test_what_is_held_is_copied_no_more_often_than_it_doubles():
    """A short rest and a long chunk are joined as bytes; a long rest grows in place."""
    buffer = ReceiveBuffer()
    buffer.append(b"a\r\nbc")
    assert buffer.take_line() == b"a"
    assert buffer.take_line() is None
    buffer.append(b"d\r\ne")
    assert isinstance(buffer.data, bytes)
    assert buffer.take_line() == b"bcd"
    buffer.append(b"f")
    buffer.append(b"g")
    assert not isinstance(buffer.data, bytes)
    buffer.append(b"\r\n")
    assert buffer.take_line() == b"efg"
    assert not buffer.data
