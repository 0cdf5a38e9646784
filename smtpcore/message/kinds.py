"""Which class reads which field.

Each is imported when the first such field is read: all of them together take five times as long to import as the rest
of a header.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, final

__all__ = ["Readers", "find_kind"]


def _date() -> Any:
    from .date import DateTime  # noqa: PLC0415 - as the head of the file says

    return DateTime


def _addresses() -> Any:
    from .address_list import AddressList  # noqa: PLC0415 - as above

    return AddressList


def _unstructured() -> Any:
    from .unstructured import Unstructured  # noqa: PLC0415 - as above

    return Unstructured


def _identifier() -> Any:
    from .identifier import MessageId  # noqa: PLC0415 - as above

    return MessageId


def _identifiers() -> Any:
    from .identifier import MessageIdList  # noqa: PLC0415 - as above

    return MessageIdList


def _return_path() -> Any:
    from .trace import ReturnPath  # noqa: PLC0415 - as above

    return ReturnPath


def _received() -> Any:
    from .received import Received  # noqa: PLC0415 - as above

    return Received


def _mime_version() -> Any:
    from .mime_version import MimeVersion  # noqa: PLC0415 - as above

    return MimeVersion


def _content_type() -> Any:
    from .content_type import ContentType  # noqa: PLC0415 - as above

    return ContentType


def _disposition() -> Any:
    from .disposition import ContentDisposition  # noqa: PLC0415 - as above

    return ContentDisposition


def _transfer_encoding() -> Any:
    from .transfer_encoding import TransferEncoding  # noqa: PLC0415 - as above

    return TransferEncoding


def _authentication() -> Any:
    from .authentication import AuthenticationResults  # noqa: PLC0415 - as above

    return AuthenticationResults


def _auto_submitted() -> Any:
    from .auto_submitted import AutoSubmitted  # noqa: PLC0415 - as above

    return AutoSubmitted


def _list_id() -> Any:
    from .list_fields import ListId  # noqa: PLC0415 - as above

    return ListId


def _list_urls() -> Any:
    from .list_fields import ListUrls  # noqa: PLC0415 - as above

    return ListUrls


_KINDS: Final[dict[bytes, Callable[[], Any]]] = {
    b"date": _date,
    b"from": _addresses,
    b"sender": _addresses,
    b"reply-to": _addresses,
    b"to": _addresses,
    b"cc": _addresses,
    b"bcc": _addresses,
    b"message-id": _identifier,
    b"in-reply-to": _identifiers,
    b"references": _identifiers,
    b"resent-date": _date,
    b"resent-from": _addresses,
    b"resent-sender": _addresses,
    b"resent-to": _addresses,
    b"resent-cc": _addresses,
    b"resent-bcc": _addresses,
    b"resent-message-id": _identifier,
    b"return-path": _return_path,
    b"received": _received,
    b"mime-version": _mime_version,
    b"content-type": _content_type,
    b"content-disposition": _disposition,
    b"content-transfer-encoding": _transfer_encoding,
    b"authentication-results": _authentication,
    b"auto-submitted": _auto_submitted,
    b"list-id": _list_id,
    b"list-help": _list_urls,
    b"list-subscribe": _list_urls,
    b"list-unsubscribe": _list_urls,
    b"list-post": _list_urls,
    b"list-owner": _list_urls,
    b"list-archive": _list_urls,
}
_found: Final[dict[bytes, Any]] = {}  # those that have been imported


def find_kind(name: bytes) -> Any:
    """The class of what a field of that name in lower case says.

    Every name that is not known is of unstructured text (RFC 5322 s3.6.8).
    """
    if name not in _KINDS:
        name = b""
    kind = _found.get(name)
    if kind is None:
        kind = _found[name] = _KINDS.get(name, _unstructured)()
    return kind


@final
class Readers(Mapping[bytes, Callable[[str], Any]]):
    """What reads the text of each field whose name is known."""

    __slots__ = ()

    def __getitem__(self, name: bytes) -> Callable[[str], Any]:
        if name not in _KINDS:
            raise KeyError(name)
        read: Callable[[str], Any] = find_kind(name).read
        return read

    def __iter__(self) -> Iterator[bytes]:
        return iter(_KINDS)

    def __len__(self) -> int:
        return len(_KINDS)

    def __contains__(self, name: object) -> bool:
        return name in _KINDS
