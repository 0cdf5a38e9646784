"""The two forms of RFC 6376 s3.4, by its own examples and against the plain reading of its rules."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smtpcore.message.canonical import RelaxedBody, SimpleBody, relaxed_field, signed_fields, simple_field
from smtpcore.message.header import Header

BODIES = st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b" ", b"\t", b"a", b"bc", b"\r\n\r\n"]), max_size=20).map(
    b"".join
)


def simple(body: bytes) -> bytes:
    while body.endswith(b"\r\n"):
        body = body[:-2]
    return body + b"\r\n"


def relaxed(body: bytes) -> bytes:
    lines = [re.sub(rb"[ \t]+", b" ", line).removesuffix(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        del lines[-1]
    return b"".join([line + b"\r\n" for line in lines])


def fed(form, body: bytes, step: int) -> bytes:
    machine = form()
    return b"".join([machine.feed(body[at : at + step]) for at in range(0, len(body), step)]) + machine.finish()


def test_the_example_of_the_rfc():
    """RFC 6376 s3.4.5"""
    header = Header.parse(b"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n")
    assert b"".join(map(relaxed_field, header)) == b"a:X\r\nb:Y Z\r\n"
    assert b"".join(map(simple_field, header)) == b"A: X\r\nB : Y\t\r\n\tZ  \r\n"
    body = b" C \r\nD \t E\r\n\r\n\r\n"
    assert fed(RelaxedBody, body, 100) == b" C\r\nD E\r\n"
    assert fed(SimpleBody, body, 100) == b" C \r\nD \t E\r\n"


def test_an_empty_body():
    """RFC 6376 s3.4.3, s3.4.4"""
    assert fed(SimpleBody, b"", 1) == b"\r\n"
    assert fed(RelaxedBody, b"", 1) == b""


@given(BODIES)
@pytest.mark.parametrize(("form", "plainly"), [(SimpleBody, simple), (RelaxedBody, relaxed)])
def test_whatever_the_pieces(form, plainly, body):
    expected = plainly(body)
    for step in (1, 2, 3, 100):
        assert fed(form, body, step) == expected


def test_which_fields_are_signed():
    """RFC 6376 s5.4.2: from the bottom of the header upwards"""
    header = Header.parse(b"A: 1\r\nB: 2\r\nA: 3\r\n\r\n")
    assert [field.text for field in signed_fields(header, ["a", "b", "A", "a", "c"])] == ["3", "2", "1"]
