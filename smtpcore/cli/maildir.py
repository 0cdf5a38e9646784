"""Maildir: where final delivery puts messages, each in a file of its own, so that 250 means what it says.

RFC 5321 s6.1: a server that has said 250 "MUST NOT lose the message for frivolous reasons, such as because the host
later crashes". So a message is written to ``tmp``, checked, flushed to the disk by fsync, closed, renamed into ``new``,
and the folder is flushed too; only behind that may anybody say 250. A failure on the way leaves nothing in ``new``.
"""

from __future__ import annotations

import errno
import itertools
import os
import socket
import stat
import time
from pathlib import Path
from typing import Final, final

__all__ = ["Delivery", "Maildir"]

#: Seconds after which a file in ``tmp`` is one that was left behind; the Maildir format's own number.
STALE: Final = 36 * 3600

_FOLDERS: Final = ("tmp", "new", "cur")
_CREATE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_counter: Final = itertools.count()


@final
class Maildir:
    """A folder with ``tmp``, ``new`` and ``cur`` in it, which are made where they are missing. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name in _FOLDERS:
            (path / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (path, path.parent):
            handle = _open_folder(folder)
            try:
                _sync_folder(handle)
            finally:
                _close_folder(handle)

    def begin(self) -> Delivery:
        """A new message. Raises OSError."""
        return Delivery(self.path)

    def reap(self, now: float | None = None) -> int:
        """Remove what deliveries that did not end have left in ``tmp``; returns how many files. Raises OSError."""
        oldest = (time.time() if now is None else now) - STALE
        reaped = 0
        for path in sorted((self.path / "tmp").iterdir()):
            try:
                found = path.lstat()
                if stat.S_ISREG(found.st_mode) and found.st_mtime < oldest:
                    path.unlink()
                    reaped += 1
            except FileNotFoundError:
                pass  # somebody else was faster
        return reaped

    def messages(self) -> list[Path]:
        """The messages that nobody has looked at yet, in the order of their names."""
        return sorted((self.path / "new").iterdir())


@final
class Delivery:
    """One message on its way into a Maildir: ``write``, then ``commit`` or ``abandon``.

    Its methods raise OSError; a delivery that has failed can only be abandoned.
    """

    def __init__(self, path: Path) -> None:
        self.id, name = _unique()  #: What no other delivery is called.
        self.size = 0  #: Octets written so far.
        self._tmp = path / "tmp" / name
        self._new = path / "new" / name
        self._file = os.open(self._tmp, _CREATE, 0o600)

    def write(self, data: bytes) -> None:
        """Octets of the message."""
        view = memoryview(data)
        while view:
            written = os.write(self._file, view)
            if written < 1:
                raise OSError(errno.EIO, "nothing was written")
            self.size += written
            view = view[written:]

    def commit(self) -> Path:
        """Make the message appear in ``new``, for good: when this returns, a crash does not undo it."""
        try:
            if os.fstat(self._file).st_size != self.size:
                raise OSError(errno.EIO, "the file is not as long as what was written to it")
            # A second fsync after one that failed would succeed and prove nothing: it is never tried again.
            os.fsync(self._file)
            file, self._file = self._file, -1
            os.close(file)
            folder = _open_folder(self._new.parent)  # before the rename, so that lacking a handle undoes nothing
            try:
                os.rename(self._tmp, self._new)
                _sync_folder(folder)
            finally:
                _close_folder(folder)
        except BaseException:
            self.abandon()
            # RFC 5321 s4.2.5: after a refusal the server must not deliver
            _remove(self._new)
            raise
        return self._new

    def abandon(self) -> None:
        """Forget the message."""
        file, self._file = self._file, -1
        if file >= 0:
            try:
                os.close(file)
            except OSError:
                pass  # the file goes anyway
        _remove(self._tmp)


def _unique() -> tuple[str, str]:
    """An identity, which is an atom (RFC 5322 s3.2.3), and the file name with it, as the Maildir format wants it."""
    # Seconds alone would do where a clock never goes back and no number of a process is used twice.
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    identity = f"M{nanoseconds // 1000:06d}P{os.getpid()}Q{next(_counter)}R{os.urandom(6).hex()}"
    host = socket.gethostname().replace("/", "\\057").replace(":", "\\072")
    return identity, f"{seconds}.{identity}.{host}"


def _remove(path: Path) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass  # not there; or it stays, and in tmp it is reaped one day


# Where a folder cannot be opened (Windows), its entries need no flushing of their own.


def _open_folder(path: Path) -> int:
    directory = getattr(os, "O_DIRECTORY", None)
    return -1 if directory is None else os.open(path, os.O_RDONLY | directory)


def _sync_folder(folder: int) -> None:
    if folder >= 0:
        os.fsync(folder)


def _close_folder(folder: int) -> None:
    if folder >= 0:
        os.close(folder)
