"""The arithmetic of deadlines: set anew, put off, capped."""

from __future__ import annotations

import pytest

from smtpcore.flows.effect import Handshake, Read, Write


@pytest.mark.parametrize(
    ("read", "left", "seconds"),
    [
        pytest.param(Read(300.0), 5.0, 300.0, id="anew"),
        pytest.param(Read(0.0), 200.0, 0.0, id="anew-at-once"),
        pytest.param(Read(None), 100.0, 100.0, id="as-before"),
        pytest.param(Read(None), 0.0, 0.0, id="as-before-and-over"),
        pytest.param(Read(None, 20.0, 180.0), 100.0, 120.0, id="put-off"),
        pytest.param(Read(None, 500.0, 180.0), 100.0, 180.0, id="put-off-to-the-cap"),
        pytest.param(Read(None, 0.0, 180.0), 200.0, 200.0, id="put-off-by-nothing"),
        pytest.param(Read(10.0, 500.0, 180.0), 5000.0, 10.0, id="anew-takes-precedence"),
    ],
)
def test_how_long_a_read_waits(read, left, seconds):
    assert read.wait(left) == seconds


def test_write_and_handshake_have_their_time():
    assert Write.seconds == 180.0  # RFC 5321 s4.5.3.2.5
    assert 10.0 <= Handshake.seconds <= 300.0
