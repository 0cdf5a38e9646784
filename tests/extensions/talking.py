"""What the tests of parameters do with both machines."""

from __future__ import annotations

from typing import Any

from smtpcore import Capabilities, ServerConnection
from tests.session.helpers import Pair, run_server_cut


def codes(lines: list[bytes], *offered: Any, greeting: bytes = b"EHLO c", **options: Any) -> list[int]:
    """The codes that these lines get behind the greeting; the same whole, octet by octet and at every split."""
    trace = run_server_cut(
        b"".join([line + b"\r\n" for line in lines]),
        capabilities=Capabilities(*offered),
        before=greeting + b"\r\n",
        **options,
    )
    return trace.codes


def pair(*offered: Any, **options: Any) -> Pair:
    """A client and a server that offers these."""
    return Pair(server=ServerConnection("hamburger.edu", Capabilities(*offered), **options))
