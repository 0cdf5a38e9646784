"""The message that ``smtpcore send`` sends: a new one, or one that is in a file."""

from __future__ import annotations

import mimetypes
import re
import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, final

from ..compose import Attachment, Letter, compose
from ..wire.address import Mailbox
from .failure import Failure

__all__ = ["StoredMessage", "new_letter"]

_READ: Final = 131_072
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_NOT_TEXT: Final = re.compile(r"[\ud800-\udfff]")  # octets of the command line that nobody could decode


def new_letter(
    sender: Mailbox, recipients: Sequence[Mailbox], subject: str | None, body: str, files: Sequence[Path]
) -> Letter:
    """A new message of today, with these files. Raises Failure for a subject or a file that cannot be sent.

    Its lines are of 7 bits; only addresses beyond ASCII need a server with SMTPUTF8, and then the subject is as it is.
    """
    found = _CONTROL.search(subject or "")
    if found:
        # A line end here would begin a field of somebody else's making.
        raise Failure(f"the subject has the control character {found[0]!a}; a subject is one line")
    for what, text in (("subject", subject or ""), ("body", body)):
        if _NOT_TEXT.search(text):
            raise Failure(f"the {what} is not text in this terminal's character set; check the locale")
    return compose(
        from_=sender,
        to=recipients,
        subject=subject,
        text=body,
        attachments=map(_attachment, files),
        date=datetime.now(UTC).astimezone(),
        message_id=f"{secrets.token_hex(16)}@{sender.domain}",
        utf8=not all(mailbox.is_ascii for mailbox in (sender, *recipients)),
    )


def _attachment(path: Path) -> Attachment:
    kind, encoding = mimetypes.guess_type(path.name)
    # Not what is inside of a .gz; and a message may not be in base64 (RFC 2046 s5.2.1), which a file always is.
    if kind is None or encoding is not None or kind.startswith(("message/", "multipart/")):
        kind = "application/octet-stream"
    name = _CONTROL.sub("?", path.name).encode("utf-8", "replace").decode()
    size = _size(path)
    return Attachment(partial(_whole, path, size), name, kind, size=size)


def _whole(path: Path, size: int) -> Iterator[bytes]:
    """The octets of a file, if they are still as many as they were."""
    for octets in _octets(path, _READ):
        size -= len(octets)
        if size < 0:
            break
        yield octets
    if size:
        raise Failure(f"{path} changed while it was sent, so the message was not finished; send it again")


@final
class StoredMessage:
    """A message that is in a file already, with any line ends. Raises Failure when it cannot be read."""

    def __init__(self, path: Path) -> None:
        self.size = _size(path)  #: As stored; with CRLF for each line end it may grow.
        self._path = path

    def __iter__(self) -> Iterator[bytes]:
        return _octets(self._path, _READ)


def _size(path: Path) -> int:
    try:
        if not path.is_file():
            path.stat()
            raise Failure(f"cannot send {path}: it is no plain file; give a file")
        return path.stat().st_size
    except OSError as error:
        raise _unreadable(path, error) from None


def _octets(path: Path, piece: int) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            while octets := file.read(piece):
                yield octets
    except OSError as error:
        # Not an OSError of the connection, which is what it would be taken for further out.
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: OSError) -> Failure:
    return Failure(f"cannot read {path}: {error.strerror}; check the path and its permissions")
