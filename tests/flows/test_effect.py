"""The arithmetic of deadlines: set anew, put off, capped."""

from __future__ import annotations

import pytest

from smtpcore.flows.effect import Read


@pytest.mark.parametrize(
    ("read", "now", "before", "expires"),
    [
        pytest.param(Read(300.0), 1000.0, 5.0, 1300.0, id="anew"),
        pytest.param(Read(0.0), 1000.0, 1200.0, 1000.0, id="anew-at-once"),
        pytest.param(Read(None), 1000.0, 1100.0, 1100.0, id="as-before"),
        pytest.param(Read(None), 1000.0, 900.0, 900.0, id="as-before-and-over"),
        pytest.param(Read(None, 20.0, 180.0), 1000.0, 1100.0, 1120.0, id="put-off"),
        pytest.param(Read(None, 500.0, 180.0), 1000.0, 1100.0, 1180.0, id="put-off-to-the-cap"),
        pytest.param(Read(None, 0.0, 180.0), 1000.0, 1100.0, 1100.0, id="put-off-by-nothing"),
        pytest.param(Read(10.0, 500.0, 180.0), 1000.0, 5000.0, 1010.0, id="anew-takes-precedence"),
    ],
)
def test_when_a_read_expires(read, now, before, expires):
    assert read.expires(now, before) == expires
