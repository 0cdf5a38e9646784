"""SMTPUTF8 (RFC 6531): addresses and headers beyond ASCII.

What a server does about such octets without it is the server machine's business, whether it has
this extension or not.
"""

from __future__ import annotations

from typing import Any, Final

from ..wire.parameter import ParameterType
from .extension import Extension

__all__ = ["SMTPUTF8", "UTF8"]

#: ``SMTPUTF8`` on MAIL: this transaction needs it. ``UTF8(True)``.
UTF8: Final[ParameterType[bool]] = ParameterType("SMTPUTF8")

#: Addresses and headers may hold UTF-8.
SMTPUTF8: Final[Extension[Any]] = Extension("SMTPUTF8", "RFC 6531", mail_parameters=[UTF8])
