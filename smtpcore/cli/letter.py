"""Letter: a message as a user agent writes it (RFC 5322, RFC 2045), in pieces, so that attachments are never in memory.

All of it is 7-bit lines: text is encoded where it needs to be, attachments are base64. Only addresses beyond ASCII
stand as they are, as RFC 6532 wants it, and need a server with SMTPUTF8.
"""

from __future__ import annotations

import mimetypes
import re
import secrets
from base64 import encodebytes
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, final
from urllib.parse import quote

from ..errors import ParseError
from ..message.address import Address
from ..message.address_list import AddressList
from ..message.build import build_field
from ..message.date import DateTime
from ..message.fold import fold
from ..message.identifier import MessageId
from ..message.unstructured import Unstructured
from ..message.words import encode_words
from ..wire.address import Mailbox
from .failure import Failure

__all__ = ["Letter", "StoredMessage"]

# RFC 2045 s6.8: lines of at most 76 characters, which are 57 octets
_GROUP: Final = 57
_PIECE: Final = _GROUP * 1600
_READ: Final = 131_072
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_.\- ]{1,70}")

_LONG_WORD: Final = 68


@final
class Letter:
    """A new message. Iterating gives its octets; ``size`` is how many there will be.

    Raises Failure for a subject or an attachment that cannot be sent.
    """

    seven_bit: bool = True  #: Nothing beyond ASCII; an address beyond it needs SMTPUTF8, not 8BITMIME alone.

    def __init__(
        self,
        sender: Mailbox,
        recipients: Sequence[Mailbox],
        subject: str | None,
        body: str,
        attachments: Sequence[Path],
    ) -> None:
        head = _fields(sender, recipients, subject)
        self.seven_bit = head.isascii()
        text = _text(body)
        self._pieces: list[bytes | _Attachment]
        if attachments:
            # "=_" is never part of base64 or quoted-printable (RFC 2045 s6.7), and nobody guesses the rest.
            boundary = f"=_{secrets.token_hex(16)}"
            head += f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n'.encode()
            delimiter = f"--{boundary}\r\n".encode()
            self._pieces = [head, delimiter, text]
            for path in attachments:
                self._pieces += [b"\r\n", delimiter, _attachment_head(path), _Attachment(path)]
            self._pieces.append(f"\r\n--{boundary}--\r\n".encode())
        else:
            self._pieces = [head, text]
        self.size = sum([len(piece) if isinstance(piece, bytes) else piece.encoded_size for piece in self._pieces])

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                yield from piece


@final
class StoredMessage:
    """A message that is in a file already, with any line ends. Raises Failure when it cannot be read."""

    seven_bit: bool = False  #: Not known before it is read.

    def __init__(self, path: Path) -> None:
        self.size = _size(path)  #: As stored; with CRLF for each line end it may grow.
        self._path = path

    def __iter__(self) -> Iterator[bytes]:
        return _octets(self._path, _READ)


@final
class _Attachment:
    """A file in base64."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._size = _size(path)
        groups, rest = divmod(self._size, _GROUP)
        self.encoded_size = groups * (_GROUP // 3 * 4 + 2) + (-(-rest // 3) * 4 + 2 if rest else 0)

    def __iter__(self) -> Iterator[bytes]:
        left = self._size
        for piece in _octets(self._path, _PIECE):
            left -= len(piece)
            if left < 0:
                break
            yield encodebytes(piece).replace(b"\n", b"\r\n")
        if left:
            raise Failure(f"{self._path} changed while it was sent, so the message was not finished; send it again")


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


# --- fields --------------------------------------------------------------------------------------


def _fields(sender: Mailbox, recipients: Iterable[Mailbox], subject: str | None) -> bytes:
    """The fields of the message itself; the Content fields follow."""
    # RFC 5322 s3.6: From and Date must be there, Message-ID should
    fields: list[tuple[str, object]] = [
        ("Date", DateTime.from_datetime(datetime.now(UTC).astimezone())),
        ("From", AddressList([Address("", sender)])),
        ("To", AddressList([Address("", recipient) for recipient in recipients])),
        ("Message-ID", MessageId(f"{secrets.token_hex(16)}@{sender.domain}")),
        ("MIME-Version", "1.0"),
    ]
    found = [build_field(name, value, utf8=True).raw for name, value in fields]
    if subject is not None:
        found.insert(3, fold("Subject", _subject(subject)))
    return b"".join(found)


def _subject(subject: str) -> str:
    """The subject as it is written, all of ASCII."""
    found = _CONTROL.search(subject)
    if found:
        # A line end here would begin a field of somebody else's making.
        raise Failure(f"the subject has the control character {found[0]!a}; a subject is one line")
    try:
        # A word longer than a line would begin on one of its own, and some readers keep the space of that fold.
        longest = max(map(len, subject.split(" ")))
        return encode_words(subject) if longest > _LONG_WORD else str(Unstructured(subject))
    except ParseError:
        raise Failure("the subject is not text in this terminal's character set; check the locale") from None


def _text(body: str) -> bytes:
    """The part with the text, its fields included."""
    from email.message import MIMEPart  # noqa: PLC0415 - slow to import, and the only use
    from email.policy import SMTP  # noqa: PLC0415 - as above

    part = MIMEPart(SMTP.clone(cte_type="7bit"))
    # RFC 2045 s2.7: 7-bit lines have no NUL
    part.set_content(body, cte="base64" if "\0" in body else None)
    return part.as_bytes()


def _attachment_head(path: Path) -> bytes:
    """The fields of an attachment."""
    kind, encoding = mimetypes.guess_type(path.name)
    if kind is None or encoding is not None:
        kind = "application/octet-stream"
    filename = f'filename="{path.name}"'
    if not _PLAIN_NAME.fullmatch(path.name):
        # RFC 2231 s4: whatever the name is made of, this is one word of ASCII, and shorter than a line may be
        filename = "filename*=utf-8''" + quote(path.name.encode("utf-8", "replace"), safe="")
    lines = (
        f"Content-Type: {kind}",
        f"Content-Disposition: attachment;\r\n {filename}",
        "Content-Transfer-Encoding: base64",
    )
    return "\r\n".join([*lines, "", ""]).encode()
