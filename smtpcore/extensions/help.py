"""HELP as an EHLO keyword (RFC 5321 s4.1.1.1): the server has something to say to HELP."""

from __future__ import annotations

from typing import Any, Final

from .extension import Extension

__all__ = ["HELP"]

#: The server answers HELP.
HELP: Final[Extension[Any]] = Extension("HELP", "RFC 5321")
