"""What is shown to a person: strangers' text made harmless, colours and bars where ``rich`` is installed."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["columns", "counted", "say", "styled", "visible"]

#: Octets from which on a message is large enough to show how far it has got.
LARGE: Final = 1_048_576
_MIB: Final = 1_048_576
#: Seconds between two looks at the counter.
_TICK: Final = 0.2


def visible(text: str, keep: str = "") -> str:
    """``text`` with whatever could steer a terminal (controls, directions, stray octets) as a backslash escape.

    The characters of ``keep`` stay.
    """
    if text.isprintable():
        return text
    return "".join([char if char.isprintable() or char in keep else ascii(char)[1:-1] for char in text])


def say(line: str) -> None:
    """A line for whoever looks after the program. It may get lost: nothing hangs on it."""
    try:
        print(visible(line), file=sys.stderr, flush=True)
    except (OSError, ValueError):
        pass  # nobody reads it


def _console(*, stderr: bool = False) -> Console | None:
    """A console of rich, where that is installed and writes to a terminal."""
    stream = sys.stderr if stderr else sys.stdout
    if stream is None or not stream.isatty():  # None where it is closed
        return None
    try:
        from rich.console import Console  # noqa: PLC0415 - an extra that need not be there
    except ImportError:
        return None
    return Console(stderr=stderr)


def styled(lines: Iterable[tuple[str, str]]) -> None:
    """Print lines, each with the style that it has on a terminal with rich."""
    console = _console()
    for line, style in lines:
        if console is None:
            print(visible(line))
        else:
            console.print(visible(line), style=style or None, markup=False, highlight=False, soft_wrap=True)


def columns(head: Sequence[str], rows: Sequence[Sequence[str]], styles: Sequence[str]) -> None:
    """Print a table; ``styles`` has one style for each row."""
    shown = [[visible(cell) for cell in row] for row in rows]
    console = _console()
    if console is not None:
        from rich.table import Table  # noqa: PLC0415 - as above
        from rich.text import Text  # noqa: PLC0415 - as above

        table = Table(*head, box=None)
        for row, style in zip(shown, styles):
            table.add_row(*[Text(cell, style=style) for cell in row])
        console.print(table)
        return
    table_rows = [list(head), *shown]
    widths = [max(len(row[column]) for row in table_rows) for column in range(len(head))]
    for row in table_rows:
        print("  ".join([cell.ljust(width) for cell, width in zip(row, widths)]).rstrip(" "))


def counted(chunks: Iterable[bytes], total: int) -> Iterable[bytes]:
    """The same chunks; of a large total, a terminal on standard error is shown how many octets have gone."""
    if total < LARGE or sys.stderr is None or not sys.stderr.isatty():
        return chunks
    console = _console(stderr=True)
    return _counted_plainly(chunks, total) if console is None else _counted_richly(chunks, total, console)


def _counted_richly(chunks: Iterable[bytes], total: int, console: Console) -> Iterator[bytes]:
    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn  # noqa: PLC0415 - as above

    with Progress("sending", BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=console) as progress:
        task = progress.add_task("sending", total=total)
        for chunk in chunks:
            yield chunk
            progress.advance(task, len(chunk))


def _counted_plainly(chunks: Iterable[bytes], total: int) -> Iterator[bytes]:
    gone, due = 0, 0.0
    try:
        for chunk in chunks:
            yield chunk
            gone += len(chunk)
            if time.monotonic() >= due:
                due = time.monotonic() + _TICK
                _count(gone, total)
        _count(gone, total)
    finally:
        print(file=sys.stderr)


def _count(gone: int, total: int) -> None:
    percent = min(100, gone * 100 // total)
    print(f"\rsending {gone / _MIB:.1f} of {total / _MIB:.1f} MiB ({percent} %)", end="", file=sys.stderr, flush=True)
