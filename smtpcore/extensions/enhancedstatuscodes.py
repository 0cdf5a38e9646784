"""ENHANCEDSTATUSCODES (RFC 2034): every reply but the greeting and that to EHLO says more than its code."""

from __future__ import annotations

from typing import Any, Final

from .extension import Extension

__all__ = ["ENHANCEDSTATUSCODES"]

#: Replies carry enhanced status codes.
ENHANCEDSTATUSCODES: Final[Extension[Any]] = Extension("ENHANCEDSTATUSCODES", "RFC 2034")
