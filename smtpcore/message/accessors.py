"""What a header says, field by field, as values.

Each accessor reads its field when it is asked, as far as it can be read, and never raises for
what stands in it; what is wrong is in the ``defects`` of the value. It does raise where a header
has several of a field that may be there only once: programs differ in which they believe, and
choosing for the caller would hide that (RFC 5322 s3.6).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from .address_list import AddressList
from .authentication import AuthenticationResults
from .auto_submitted import AutoSubmitted
from .content_type import ContentType
from .date import DateTime
from .disposition import ContentDisposition
from .field import Field
from .identifier import MessageId, MessageIdList
from .list_fields import ListId, ListUrls
from .mime_version import MimeVersion
from .received import Received
from .trace import ReturnPath
from .transfer_encoding import TransferEncoding
from .unstructured import Unstructured

__all__ = ["READERS", "Accessors", "read_value"]

#: Who reads which field, by its name in lower case; every other is unstructured text (RFC 5322 s3.6.8).
READERS: Final[Mapping[bytes, Callable[[str], Any]]] = MappingProxyType({
    b"date": DateTime.read,
    b"from": AddressList.read,
    b"sender": AddressList.read,
    b"reply-to": AddressList.read,
    b"to": AddressList.read,
    b"cc": AddressList.read,
    b"bcc": AddressList.read,
    b"message-id": MessageId.read,
    b"in-reply-to": MessageIdList.read,
    b"references": MessageIdList.read,
    b"resent-date": DateTime.read,
    b"resent-from": AddressList.read,
    b"resent-sender": AddressList.read,
    b"resent-to": AddressList.read,
    b"resent-cc": AddressList.read,
    b"resent-bcc": AddressList.read,
    b"resent-message-id": MessageId.read,
    b"return-path": ReturnPath.read,
    b"received": Received.read,
    b"mime-version": MimeVersion.read,
    b"content-type": ContentType.read,
    b"content-disposition": ContentDisposition.read,
    b"content-transfer-encoding": TransferEncoding.read,
    b"authentication-results": AuthenticationResults.read,
    b"auto-submitted": AutoSubmitted.read,
    b"list-id": ListId.read,
    b"list-help": ListUrls.read,
    b"list-subscribe": ListUrls.read,
    b"list-unsubscribe": ListUrls.read,
    b"list-post": ListUrls.read,
    b"list-owner": ListUrls.read,
    b"list-archive": ListUrls.read,
})  # fmt: skip


def read_value(field: Field) -> Any:
    """What a field says, as a value of the kind its name asks for; :class:`~smtpcore.message.unstructured.Unstructured`
    where nothing is known of the name, None where an identifier is asked for and there is none. Never raises.
    """
    return READERS.get(field.name.lower(), Unstructured.read)(field.text)


# RFC 2045 s5.2, s6.1: what is meant where the field is missing
_PLAIN_TEXT: Final = ContentType("text", "plain", {"charset": "us-ascii"})
_SEVEN_BIT: Final = TransferEncoding("7bit")


class Accessors:
    """The accessors of a header, whose class gives ``only``, ``all`` and ``_text``."""

    __slots__ = ()

    def only(self, name: bytes | str) -> Field | None:
        """The field of that name, or None. Raises ParseError for several."""
        raise NotImplementedError

    def all(self, name: bytes | str) -> tuple[Field, ...]:
        """All fields of that name, in their order."""
        raise NotImplementedError

    def _text(self, name: bytes) -> str | None:
        """The text of the field of that name in lower case, or None. Raises ParseError for several."""
        raise NotImplementedError

    def value(self, name: bytes | str) -> Any:
        """What the only field of that name says, as :func:`~smtpcore.message.accessors.read_value` has it; None
        without one. Raises ParseError for several.
        """
        field = self.only(name)
        return None if field is None else read_value(field)

    def values(self, name: bytes | str) -> tuple[Any, ...]:
        """What each field of that name says, in their order."""
        return tuple(map(read_value, self.all(name)))

    def _addresses(self, name: bytes) -> AddressList | None:
        text = self._text(name)
        return None if text is None else AddressList.read(text)

    # --- who and when (RFC 5322 s3.6.1 to s3.6.3) ----------------------------------------------

    @property
    def date(self) -> DateTime | None:
        """When the message was written. Raises ParseError for several."""
        text = self._text(b"date")
        return None if text is None else DateTime.read(text)

    @property
    def from_(self) -> AddressList | None:
        """Who wrote it. Raises ParseError for several From fields; one may name several people."""
        return self._addresses(b"from")

    @property
    def sender(self) -> AddressList | None:
        """Who sent it, where that is not who wrote it. Raises ParseError for several."""
        return self._addresses(b"sender")

    @property
    def reply_to(self) -> AddressList | None:
        """Where answers should go. Raises ParseError for several."""
        return self._addresses(b"reply-to")

    @property
    def to(self) -> AddressList | None:
        """Whom it is written to. Raises ParseError for several To fields."""
        return self._addresses(b"to")

    @property
    def cc(self) -> AddressList | None:
        """Who else should see it. Raises ParseError for several."""
        return self._addresses(b"cc")

    @property
    def bcc(self) -> AddressList | None:
        """Who should see it without the others knowing. Raises ParseError for several."""
        return self._addresses(b"bcc")

    # --- what (RFC 5322 s3.6.4, s3.6.5) ----------------------------------------------------------

    @property
    def message_id(self) -> MessageId | None:
        """What it is called; None also where the field holds no identifier. Raises ParseError for several."""
        text = self._text(b"message-id")
        return None if text is None else MessageId.read(text)

    @property
    def in_reply_to(self) -> MessageIdList | None:
        """What it answers. Raises ParseError for several."""
        text = self._text(b"in-reply-to")
        return None if text is None else MessageIdList.read(text)

    @property
    def references(self) -> MessageIdList | None:
        """The conversation it belongs to, oldest first. Raises ParseError for several."""
        text = self._text(b"references")
        return None if text is None else MessageIdList.read(text)

    @property
    def subject(self) -> Unstructured | None:
        """What it is about, decoded. Raises ParseError for several."""
        text = self._text(b"subject")
        return None if text is None else Unstructured.read(text)

    # --- which way (RFC 5322 s3.6.7, RFC 8601) ---------------------------------------------------

    @property
    def return_path(self) -> ReturnPath | None:
        """Where failures should be reported. Raises ParseError for several."""
        text = self._text(b"return-path")
        return None if text is None else ReturnPath.read(text)

    @property
    def received(self) -> tuple[Received, ...]:
        """Its way, the last host first."""
        return tuple([Received.read(field.text) for field in self.all(b"received")])

    @property
    def authentication_results(self) -> tuple[AuthenticationResults, ...]:
        """What hosts say that they checked; believe only those of your own (RFC 8601 s1.6)."""
        return tuple([AuthenticationResults.read(field.text) for field in self.all(b"authentication-results")])

    # --- what its body is (RFC 2045, RFC 2183) ---------------------------------------------------

    @property
    def mime_version(self) -> MimeVersion | None:
        """The version of MIME. Raises ParseError for several."""
        text = self._text(b"mime-version")
        return None if text is None else MimeVersion.read(text)

    @property
    def content_type(self) -> ContentType:
        """What the body is; plain ASCII text where nothing is said (RFC 2045 s5.2). Raises ParseError for several."""
        text = self._text(b"content-type")
        return _PLAIN_TEXT if text is None else ContentType.read(text)

    @property
    def content_disposition(self) -> ContentDisposition | None:
        """How the body should be shown, and under which file name. Raises ParseError for several."""
        text = self._text(b"content-disposition")
        return None if text is None else ContentDisposition.read(text)

    @property
    def content_transfer_encoding(self) -> TransferEncoding:
        """How the body is written; ``7bit`` where nothing is said (RFC 2045 s6.1). Raises ParseError for several."""
        text = self._text(b"content-transfer-encoding")
        return _SEVEN_BIT if text is None else TransferEncoding.read(text)
