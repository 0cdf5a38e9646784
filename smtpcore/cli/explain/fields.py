"""The header of a message, field by field: what each is for, and what its value says where a reader for it is there."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final, NamedTuple

from ...message.field import Field
from ...message.header import Header
from ...wire.tolerance import Defect
from .story import FieldRow, Finding, Remark

__all__ = ["FIELDS", "FieldKind", "explain_header"]


class FieldKind(NamedTuple):
    """What a field of some name is for, and who reads its value."""

    meaning: str
    rule: str = ""
    #: Module within :mod:`smtpcore.message` and the class in it that has ``read``; taken where it is there.
    reader: tuple[str, str] = ("", "")


_ADDRESSES: Final = ("address_list", "AddressList")
_WORDS: Final = ("unstructured", "Unstructured")
_DATE: Final = ("date", "DateTime")
_IDS: Final = ("identifier", "MessageIdList")
_URLS: Final = ("list_fields", "ListUrls")

#: By names in small letters.
FIELDS: Final[dict[str, FieldKind]] = {
    # RFC 5322 s3.6
    "date": FieldKind("when the author put the message under way", "RFC 5322 s3.6.1", _DATE),
    "from": FieldKind("who wrote it", "RFC 5322 s3.6.2", _ADDRESSES),
    "sender": FieldKind("who sent it, where that is not the author", "RFC 5322 s3.6.2", _ADDRESSES),
    "reply-to": FieldKind("where answers shall go", "RFC 5322 s3.6.2", _ADDRESSES),
    "to": FieldKind("whom it is for; the envelope decides who gets it", "RFC 5322 s3.6.3", _ADDRESSES),
    "cc": FieldKind("who else shall read it", "RFC 5322 s3.6.3", _ADDRESSES),
    "bcc": FieldKind("blind copies: should not have left the sender", "RFC 5322 s3.6.3", _ADDRESSES),
    "message-id": FieldKind("the one name of this message", "RFC 5322 s3.6.4", ("identifier", "MessageId")),
    "in-reply-to": FieldKind("the message that this answers", "RFC 5322 s3.6.4", _IDS),
    "references": FieldKind("the messages before it in the thread", "RFC 5322 s3.6.4", _IDS),
    "subject": FieldKind("what it is about, for people", "RFC 5322 s3.6.5", _WORDS),
    "comments": FieldKind("a remark for people", "RFC 5322 s3.6.5", _WORDS),
    "keywords": FieldKind("words to find it by", "RFC 5322 s3.6.5"),
    "resent-date": FieldKind("when it was sent on by hand", "RFC 5322 s3.6.6", _DATE),
    "resent-from": FieldKind("who sent it on by hand", "RFC 5322 s3.6.6", _ADDRESSES),
    "resent-to": FieldKind("to whom it was sent on by hand", "RFC 5322 s3.6.6", _ADDRESSES),
    "resent-message-id": FieldKind("the name of the copy sent on", "RFC 5322 s3.6.6", ("identifier", "MessageId")),
    "return-path": FieldKind("the reverse-path; written at final delivery", "RFC 5321 s4.4", ("trace", "ReturnPath")),
    "received": FieldKind("one hop, written by the host that took it", "RFC 5321 s4.4", ("received", "Received")),
    # RFC 2045, 2183
    "mime-version": FieldKind("the body is MIME", "RFC 2045 s4", ("mime_version", "MimeVersion")),
    "content-type": FieldKind("what the body is", "RFC 2045 s5", ("content_type", "ContentType")),
    "content-transfer-encoding": FieldKind(
        "how the body was made fit to travel", "RFC 2045 s6", ("transfer_encoding", "TransferEncoding")
    ),
    "content-disposition": FieldKind(
        "to be shown, or kept as a file", "RFC 2183 s2", ("disposition", "ContentDisposition")
    ),
    "content-id": FieldKind("the name of this part", "RFC 2045 s7", ("identifier", "MessageId")),
    "content-description": FieldKind("what this part is, for people", "RFC 2045 s8", _WORDS),
    "content-language": FieldKind("the language of the body", "RFC 3282 s2"),
    # Who has looked at it on its way
    "dkim-signature": FieldKind("a domain's signature over fields and body", "RFC 6376 s3.5"),
    "authentication-results": FieldKind(
        "what a host found out about the sender", "RFC 8601 s2", ("authentication", "AuthenticationResults")
    ),
    "received-spf": FieldKind("what a host found in SPF", "RFC 7208 s9.1"),
    "arc-seal": FieldKind("a link of the chain of hosts that vouch", "RFC 8617 s4.1.3"),
    "arc-message-signature": FieldKind("the message as a link of the chain saw it", "RFC 8617 s4.1.2"),
    "arc-authentication-results": FieldKind("what a link of the chain found out", "RFC 8617 s4.1.1"),
    # Lists and machines
    "list-id": FieldKind("the list it came by", "RFC 2919 s2", ("list_fields", "ListId")),
    "list-unsubscribe": FieldKind("how to leave the list", "RFC 2369 s3.2", _URLS),
    "list-unsubscribe-post": FieldKind("leaving the list takes one click", "RFC 8058 s3.1"),
    "list-subscribe": FieldKind("how to join the list", "RFC 2369 s3.3", _URLS),
    "list-post": FieldKind("how to write to the list", "RFC 2369 s3.4", _URLS),
    "list-help": FieldKind("how to get help with the list", "RFC 2369 s3.1", _URLS),
    "list-owner": FieldKind("who runs the list", "RFC 2369 s3.5", _URLS),
    "list-archive": FieldKind("where the list is kept", "RFC 2369 s3.6", _URLS),
    "auto-submitted": FieldKind(
        "a machine sent it: do not answer by machine", "RFC 3834 s5", ("auto_submitted", "AutoSubmitted")
    ),
    "precedence": FieldKind("how urgent bulk mail is; in no standard"),
    "disposition-notification-to": FieldKind("who asks to be told that it was read", "RFC 8098 s2.1", _ADDRESSES),
    "importance": FieldKind("how important the sender finds it", "RFC 4021 s2.1"),
    "user-agent": FieldKind("the program that wrote it; in no mail standard"),
    "x-mailer": FieldKind("the program that wrote it; in no standard"),
}
_EXTRA: Final = FieldKind("a field that is not known here", "RFC 5322 s3.6.8")
_PRIVATE: Final = FieldKind("a field of somebody's own", "RFC 6648 s2")
#: A value is shown up to here, in characters.
_SHOWN: Final = 500
#: Values longer than that are shown, and not read: what explains them would be longer still.
_READ: Final = 100_000


def explain_header(header: Header) -> list[FieldRow]:
    """Each field of a header, in order."""
    return [_explain(field) for field in header]


def _explain(field: Field) -> FieldRow:
    name = field.name.decode("ascii")
    defects = [Finding("client", each.rule, f"{name or 'header'}: {each.why}") for each in field.defects]
    if not name:
        text = field.text[:_SHOWN]
        return FieldRow("", text, Remark("a line that is no header field", "RFC 5322 s2.2"), _once(defects))
    key = name.lower()
    kind = FIELDS.get(key) or (_PRIVATE if key.startswith("x-") else _EXTRA)
    text = field.text
    shown = text
    reader = _reader(*kind.reader)
    if reader is not None and len(text) <= _READ:
        value = reader.read(text)
        found: tuple[Defect, ...] = getattr(value, "defects", ())
        defects += [Finding("client", each.rule, f"{name}: {each.why}") for each in found]
        if not found:  # else the reader may have left out what it could not understand
            shown = _readable(value) or text
    shown = shown[:_SHOWN] + ("..." if len(shown) > _SHOWN else "")
    return FieldRow(name, shown, Remark(kind.meaning, kind.rule), _once(defects))


def _readable(value: Any) -> str:
    """A value for people, with encoded-words decoded where it has any."""
    said = getattr(value, "text", None)
    if isinstance(said, str):
        return said
    serialise = getattr(value, "serialise", None)
    return serialise(utf8=True) if serialise is not None else str(value)


def _once(defects: list[Finding]) -> tuple[Finding, ...]:
    return tuple(dict.fromkeys(defects))


def _reader(module: str, name: str) -> Any:
    """The class that reads such values; None where there is none."""
    if not module:
        return None
    try:
        found = getattr(import_module(f"smtpcore.message.{module}"), name, None)
    except ImportError:
        return None
    return found if hasattr(found, "read") else None
