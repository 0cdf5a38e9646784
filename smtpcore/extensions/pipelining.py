"""PIPELINING (RFC 2920): commands in groups, answered in order.

The keyword is all there is: which commands end a group stands with the commands, and the client
machine does the rest.
"""

from __future__ import annotations

from typing import Any, Final

from .extension import Extension

__all__ = ["PIPELINING"]

#: Commands may be sent in groups.
PIPELINING: Final[Extension[Any]] = Extension("PIPELINING", "RFC 2920")
