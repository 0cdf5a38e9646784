"""The messages of the standard library's ``email`` as a header and a body, and the way back."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING, Any, Final

from ..errors import ParseError
from ..message.accessors import READERS
from ..message.address import Address, Group
from ..message.address_list import AddressList
from ..message.build import build_field
from ..message.content_type import ContentType
from ..message.date import DateTime
from ..message.disposition import ContentDisposition
from ..message.field import Field
from ..message.header import Header
from ..message.unstructured import Unstructured
from ..wire.tolerance import INTEROP, Tolerance

if TYPE_CHECKING:
    from email.message import EmailMessage, Message

__all__ = ["from_email_message", "to_email_message"]


def from_email_message(message: Message[Any, Any], *, utf8: bool = False) -> tuple[Header, bytes]:
    """The header and the body of a message of the standard library, with CRLF for its line ends.

    A field that was parsed, or set as text of ASCII, keeps its folds and its octets. One that was set as a value is
    written anew from what it means, by this library and not by that one; so no value becomes a second field, and no
    name an address. The headers of inner parts are written by the standard library.

    Bcc stays: :func:`~smtpcore.compose.envelope.envelope_of` wants it, and who sends takes it out.

    Raises ParseError for a field that would not stay one: a line end that does not fold, NUL, a name that is none; and
    for a value that cannot be written, such as an address that is none.
    """
    body, boundary = _body(message)
    fields = [_field(name, value, utf8, boundary) for name, value in message.raw_items()]
    return Header(fields), body


def _body(message: Any) -> tuple[bytes, str]:
    """The body, and the boundary that was chosen for it, or nothing."""
    # What is beside the body does not come from there, so nothing stands there but what the body is written by.
    # (Deleting, even what is not there, gives the copy a list of fields of its own.)
    bare = copy.copy(message)
    for name in {"Content-Type", *message}:
        del bare[name]
    kind, boundary = message.get_content_type(), message.get_boundary()
    if boundary is not None and not _BOUNDARY.fullmatch(boundary):
        raise ParseError("not a boundary", 0, "RFC 2046 s5.1.1", boundary)
    parameter = "" if boundary is None else f'; boundary="{boundary}"'
    bare.set_raw("Content-Type", f"{kind if _KIND.fullmatch(kind) else 'text/plain'}{parameter}")
    policy = message.policy.clone(linesep="\r\n", cte_type="8bit", mangle_from_=False)
    if hasattr(policy, "refold_source"):
        policy = policy.clone(refold_source="none")
    octets: bytes = bare.as_bytes(policy=policy)
    return octets[octets.index(b"\r\n\r\n") + 4 :], "" if boundary else bare.get_boundary("")


_KIND: Final = re.compile(r"[!-~]++")
_BOUNDARY: Final = re.compile(r"[ !#-\[\]-~]*+")


def _is_of_body(field: Field) -> bool:
    name = field.name.lower()
    return name == b"mime-version" or name.startswith(b"content-")


def _with_boundary(field: Field, boundary: str) -> Field:
    said = ContentType.read(field.text)
    parameters = said.parameters.with_value("boundary", boundary)
    return build_field(field.name.decode("ascii"), ContentType(said.type, said.subtype, parameters))


def _field(name: str, value: Any, utf8: bool, boundary: str) -> Field:
    """One field of it, from what is stored there: text as it came, or a value."""
    if type(value) is not str:
        return build_field(name, _meaning(name, value, boundary), utf8=utf8)
    try:
        value.encode("ascii", "surrogateescape")
    except UnicodeEncodeError:
        # No octets that were parsed, but text that is still to be encoded.
        said = Unstructured.parse(value, Tolerance(INTEROP)) if _key(name) not in READERS else value
        return build_field(name, said, utf8=utf8)
    field = _kept(name, _LINE_END.sub("\r\n", value).encode("utf-8", "surrogateescape"))
    return _with_boundary(field, boundary) if boundary and _key(name) == b"content-type" else field


_LINE_END: Final = re.compile(r"\r\n?+|\n")


def _key(name: str) -> bytes:
    return name.lower().encode("utf-8", "surrogatepass")


def _kept(name: str, body: bytes) -> Field:
    """A field of octets as they were stored, if it stays one."""
    Field.build(name, b"")
    first, *folded = body.split(b"\r\n")
    if b"\0" in body:
        raise ParseError("NUL in a header field", body.index(b"\0"), "RFC 5322 s2.2", name)
    where = len(first)
    for line in folded:
        if line[:1] not in (b" ", b"\t"):
            raise ParseError("line end that does not fold", where, "RFC 5322 s2.2.3", name)
        if not line.strip(b" \t"):
            raise ParseError("folded line of white space only", where, "RFC 5322 s3.2.2", name)
        where += len(line) + 2
    raw = b"%b: %b\r\n" % (name.encode("ascii"), body)
    return Header.parse(raw + b"\r\n").fields[0]


def _meaning(name: str, value: Any, boundary: str) -> object:
    """What a header object of the standard library says, as a value of ours, or as text that is parsed."""
    if hasattr(value, "groups"):
        items: list[Address | Group] = []
        for group in value.groups:
            members = [Address(each.display_name, each.addr_spec) for each in group.addresses]
            items += members if group.display_name is None else [Group(group.display_name, members)]
        return AddressList(items)
    if getattr(value, "datetime", None) is not None:
        return DateTime.from_datetime(value.datetime)
    if hasattr(value, "maintype"):
        parameters = {"boundary": boundary, **value.params} if boundary else value.params
        return ContentType(value.maintype, value.subtype, parameters)
    if hasattr(value, "content_disposition"):
        return ContentDisposition(value.content_disposition or "attachment", value.params)
    # Decoded text; of an email.header.Header too.
    text = str(value)
    return text if _key(name) in READERS else Unstructured(text)


def to_email_message(header: Header, body: bytes) -> EmailMessage:
    """A message of the standard library with this header and this body.

    What is read from it is up to its policy, ``email.policy.SMTP``, but nothing is folded anew: ``as_bytes()`` gives
    the octets back, but for what the standard library cannot hold:

    - no white space behind a colon, or a tab: a space is put there; in the headers of inner parts any is one space;
    - line ends other than CRLF, in the header and in the body: they become CRLF;
    - the headers of inner parts where they are not well-formed.

    Raises ParseError for what it would take for something else: a line that is no field, white space before a colon
    (to it the end of the header), VT, FF, FS, GS, RS, a bare CR or LF in a field (to it line ends).
    """
    from email import policy  # noqa: PLC0415 - slow to import, and used only here
    from email.message import EmailMessage  # noqa: PLC0415 - as above
    from email.parser import BytesParser  # noqa: PLC0415 - as above

    for field in header:
        if not field.name or not field.raw.startswith(field.name + b":"):
            raise ParseError("not a field that email can hold", max(field.offset, 0), "RFC 5322 s2.2")
        if _VANISHING.search(field.raw):
            raise ParseError("a control that email takes for a line end", max(field.offset, 0), "RFC 5322 s2.2")
    rules = policy.SMTP.clone(refold_source="none")
    kept = [field.raw for field in header if _is_of_body(field)]
    message: Any = BytesParser(EmailMessage, policy=rules).parsebytes(b"".join(kept) + b"\r\n" + body)
    for name in set(message):
        del message[name]
    for field in header:
        message.set_raw(field.name.decode("ascii"), _stored(field))
    found: EmailMessage = message
    return found


def _stored(field: Field) -> str:
    """The text of a field as the standard library keeps it: octets beyond ASCII as surrogates."""
    return field.body.decode("ascii", "surrogateescape").removeprefix(" ")


_VANISHING: Final = re.compile(rb"[\x0b\x0c\x1c-\x1e]|\r(?!\n)|(?<!\r)\n")
