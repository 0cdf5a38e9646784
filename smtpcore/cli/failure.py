"""Failure: what a subcommand cannot go on from, said in one line that names the way out."""

from __future__ import annotations

from typing import Final, final

from .terminal import visible

__all__ = ["CONNECTION", "FAILED", "USAGE", "Failure"]

#: Exit statuses besides 0, which is success.
FAILED: Final = 1
USAGE: Final = 2
CONNECTION: Final = 3


@final
class Failure(Exception):
    """Ends the program with one line and an exit status."""

    def __init__(self, line: str, status: int = USAGE) -> None:
        self.status = status
        super().__init__(visible(line))
