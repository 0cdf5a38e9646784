"""Where a message goes while it comes in, and what is done to keep it: a Maildir, or standard output."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Protocol, final

from ..flows.handler import Served
from .header_filter import HeaderFilter
from .maildir import Maildir
from .terminal import visible
from .trace import trace_fields

__all__ = ["Filing", "Printer", "Sink"]

#: Octets of a message that is held in memory until it is printed; a longer one is in a temporary file.
_SPOOL: Final = 1_048_576
#: Recipients that are named.
_SHOWN: Final = 10
#: Octets of a line that are printed at a time.
_LINE: Final = 65_536


class Sink(Protocol):
    """Where one message goes. Methods raise OSError when it cannot, Refusal when the message is not to be kept."""

    def write(self, data: bytes) -> None:
        """Octets of the content."""

    def commit(self) -> str:
        """Keep the message; behind this a crash does not lose it. Returns the words of the 250."""
        ...

    def abandon(self) -> None:
        """Forget the message."""


@final
class Filing:
    """A sink into a Maildir; with a ``hostname``, behind the trace fields that final delivery adds.

    Then a Return-Path that the content brings along is left out (RFC 5321 s4.4).
    ``report`` is told of each message that was kept.
    """

    def __init__(
        self, maildir: Maildir, session: Served, hostname: str | None, report: Callable[[str], None] | None = None
    ) -> None:
        self._delivery = delivery = maildir.begin()
        self._report = report
        self._filter = HeaderFilter(strip=hostname is not None)
        self._envelope = _envelope(session)
        if hostname is None:
            return
        try:
            delivery.write(trace_fields(session, hostname, delivery.id, datetime.now(UTC).astimezone()))
        except BaseException:
            delivery.abandon()
            raise

    def write(self, data: bytes) -> None:
        """Octets of the content."""
        self._delivery.write(self._filter.receive(data))

    def commit(self) -> str:
        """Onto the disk, and into ``new``."""
        try:
            self._delivery.write(self._filter.end())
        except BaseException:
            self._delivery.abandon()
            raise
        path = self._delivery.commit()
        if self._report is not None:
            self._report(f"kept {path.name}, {self._delivery.size} octets {self._envelope}")
        return f"kept as {self._delivery.id}"

    def abandon(self) -> None:
        """Forget the message."""
        self._delivery.abandon()


@final
class Printer:
    """Prints messages, one after the other."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.count = 0

    def begin(self, session: Served) -> Sink:
        """A sink for the next message."""
        return _Printing(self, session)


@final
class _Printing:
    """A message that is printed when it is whole."""

    def __init__(self, printer: Printer, session: Served) -> None:
        self._printer = printer
        self._envelope = _envelope(session)
        self._file = tempfile.SpooledTemporaryFile(_SPOOL)  # noqa: SIM115 - closed by commit and abandon
        self._filter = HeaderFilter(strip=False)
        self._size = 0

    def write(self, data: bytes) -> None:
        """Octets of the content."""
        self._file.write(self._filter.receive(data))
        self._size += len(data)

    def commit(self) -> str:
        """Print it; a terminal is not steered by what strangers send."""
        with self._printer.lock, self._file:
            self._file.write(self._filter.end())
            self._printer.count += 1
            print(visible(f"--- message {self._printer.count}, {self._size} octets {self._envelope}"))
            self._file.seek(0)
            while line := self._file.readline(_LINE):
                end = "\n" if line[-1:] == b"\n" else ""
                text = line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "backslashreplace")
                print(visible(text, keep="\t"), end=end)
            print(end="", flush=True)
            return f"printed as {self._printer.count}"

    def abandon(self) -> None:
        """Forget the message."""
        self._file.close()


def _envelope(session: Served) -> str:
    """From whom and for whom a message is; of many recipients, some."""
    recipients = session.transaction.recipients
    shown = ", ".join([f"<{recipient}>" for recipient in recipients[:_SHOWN]])
    more = f" and {len(recipients) - _SHOWN} more" if len(recipients) > _SHOWN else ""
    return f"from <{session.transaction.sender or ''}> for {shown}{more}"
