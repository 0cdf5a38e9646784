"""``smtpcore explain``: a recorded SMTP conversation, told step by step, with what was wrong in it."""

from __future__ import annotations

from .command import add, run

__all__ = ["add", "run"]
