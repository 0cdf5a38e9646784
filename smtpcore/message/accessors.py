"""What a header says, field by field, as values.

Each accessor reads its field when it is asked, as far as it can be read, and never raises for
what stands in it; what is wrong is in the ``defects`` of the value. It does raise where a header
has several of a field that may be there only once: programs differ in which they believe, and
choosing for the caller would hide that (RFC 5322 s3.6).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from .field import Field
from .kinds import Readers, find_kind

if TYPE_CHECKING:
    from .address_list import AddressList
    from .authentication import AuthenticationResults
    from .content_type import ContentType
    from .date import DateTime
    from .disposition import ContentDisposition
    from .identifier import MessageId, MessageIdList
    from .mime_version import MimeVersion
    from .received import Received
    from .trace import ReturnPath
    from .transfer_encoding import TransferEncoding
    from .unstructured import Unstructured

__all__ = ["READERS", "Accessors", "read_value"]

#: Who reads which field, by its name in lower case; every other is unstructured text (RFC 5322 s3.6.8).
READERS: Final[Mapping[bytes, Callable[[str], Any]]] = Readers()


def read_value(field: Field) -> Any:
    """What a field says, as a value of the kind its name asks for; :class:`~smtpcore.message.unstructured.Unstructured`
    where nothing is known of the name, None where an identifier is asked for and there is none. Never raises.
    """
    return find_kind(field.name.lower()).read(field.text)


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

    def _said(self, name: bytes) -> Any:
        """What the only field of that name in lower case says; None without one."""
        text = self._text(name)
        return None if text is None else find_kind(name).read(text)

    # --- who and when (RFC 5322 s3.6.1 to s3.6.3) ----------------------------------------------

    @property
    def date(self) -> DateTime | None:
        """When the message was written. Raises ParseError for several."""
        said: DateTime | None = self._said(b"date")
        return said

    @property
    def from_(self) -> AddressList | None:
        """Who wrote it. Raises ParseError for several From fields; one may name several people."""
        said: AddressList | None = self._said(b"from")
        return said

    @property
    def sender(self) -> AddressList | None:
        """Who sent it, where that is not who wrote it. Raises ParseError for several."""
        said: AddressList | None = self._said(b"sender")
        return said

    @property
    def reply_to(self) -> AddressList | None:
        """Where answers should go. Raises ParseError for several."""
        said: AddressList | None = self._said(b"reply-to")
        return said

    @property
    def to(self) -> AddressList | None:
        """Whom it is written to. Raises ParseError for several To fields."""
        said: AddressList | None = self._said(b"to")
        return said

    @property
    def cc(self) -> AddressList | None:
        """Who else should see it. Raises ParseError for several."""
        said: AddressList | None = self._said(b"cc")
        return said

    @property
    def bcc(self) -> AddressList | None:
        """Who should see it without the others knowing. Raises ParseError for several."""
        said: AddressList | None = self._said(b"bcc")
        return said

    # --- what (RFC 5322 s3.6.4, s3.6.5) ----------------------------------------------------------

    @property
    def message_id(self) -> MessageId | None:
        """What it is called; None also where the field holds no identifier. Raises ParseError for several."""
        said: MessageId | None = self._said(b"message-id")
        return said

    @property
    def in_reply_to(self) -> MessageIdList | None:
        """What it answers. Raises ParseError for several."""
        said: MessageIdList | None = self._said(b"in-reply-to")
        return said

    @property
    def references(self) -> MessageIdList | None:
        """The conversation it belongs to, oldest first. Raises ParseError for several."""
        said: MessageIdList | None = self._said(b"references")
        return said

    @property
    def subject(self) -> Unstructured | None:
        """What it is about, decoded. Raises ParseError for several."""
        said: Unstructured | None = self._said(b"subject")
        return said

    # --- which way (RFC 5322 s3.6.7, RFC 8601) ---------------------------------------------------

    @property
    def return_path(self) -> ReturnPath | None:
        """Where failures should be reported. Raises ParseError for several."""
        said: ReturnPath | None = self._said(b"return-path")
        return said

    @property
    def received(self) -> tuple[Received, ...]:
        """Its way, the last host first."""
        return self.values(b"received")

    @property
    def authentication_results(self) -> tuple[AuthenticationResults, ...]:
        """What hosts say that they checked; believe only those of your own (RFC 8601 s1.6)."""
        return self.values(b"authentication-results")

    # --- what its body is (RFC 2045, RFC 2183) ---------------------------------------------------

    @property
    def mime_version(self) -> MimeVersion | None:
        """The version of MIME. Raises ParseError for several."""
        said: MimeVersion | None = self._said(b"mime-version")
        return said

    @property
    def content_type(self) -> ContentType:
        """What the body is; plain ASCII text where nothing is said (RFC 2045 s5.2). Raises ParseError for several."""
        text = self._text(b"content-type")
        said: ContentType = find_kind(b"content-type").read("text/plain; charset=us-ascii" if text is None else text)
        return said

    @property
    def content_disposition(self) -> ContentDisposition | None:
        """How the body should be shown, and under which file name. Raises ParseError for several."""
        said: ContentDisposition | None = self._said(b"content-disposition")
        return said

    @property
    def content_transfer_encoding(self) -> TransferEncoding:
        """How the body is written; ``7bit`` where nothing is said (RFC 2045 s6.1). Raises ParseError for several."""
        text = self._text(b"content-transfer-encoding")
        said: TransferEncoding = find_kind(b"content-transfer-encoding").read("7bit" if text is None else text)
        return said
