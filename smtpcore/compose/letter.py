"""compose(): a new message from what its author says, and Letter, which is that message."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final, TypeAlias, final

from ..errors import ParseError
from ..message.address import Address, Group
from ..message.address_list import AddressList
from ..message.build import build_field
from ..message.date import DateTime
from ..message.envelope import Envelope, envelope_of
from ..message.field import Field
from ..message.fold import fold
from ..message.header import Header
from ..message.identifier import MessageId, MessageIdList
from ..message.unstructured import Unstructured
from ..message.words import encode_words
from ..wire.address import Mailbox
from ..wire.value import Value, assign
from .attachment import Attachment
from .body import Part, Piece, make_body

__all__ = ["Content", "Letter", "compose"]

#: One of those a field names: an address with a name or without, a group, or text of one or several.
Person: TypeAlias = str | Mailbox | Address | Group
#: Whom a field names.
People: TypeAlias = Person | AddressList | Iterable[Person]
Date: TypeAlias = DateTime | datetime
Id: TypeAlias = MessageId | str


@final
class Content(Value):
    """The octets of a message, in pieces: each iteration goes through them from the start."""

    __slots__ = ("pieces", "size")
    __match_args__ = ("pieces",)

    pieces: tuple[Piece, ...]
    size: int  #: How many octets there are, known before any file is read.

    def __init__(self, pieces: Iterable[Piece]) -> None:
        pieces = tuple(pieces)
        assign(self, "pieces", pieces)
        sizes = [len(piece) if isinstance(piece, bytes) else piece.encoded_size for piece in pieces]
        assign(self, "size", sum(sizes))

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                yield from piece.encoded()

    def __bytes__(self) -> bytes:
        return b"".join(self)


@final
class Letter(Value):
    """A new message: its header, its octets with the header in front, and the envelope it goes in."""

    __slots__ = ("content", "envelope", "header")
    __match_args__ = ("header", "content", "envelope")

    header: Header
    content: Content  #: All of it; what an adapter's ``send()`` takes.
    envelope: Envelope

    def __init__(self, header: Header, body: Iterable[Piece], envelope: Envelope) -> None:
        assign(self, "header", header)
        assign(self, "content", Content([bytes(header), *body]))
        assign(self, "envelope", envelope)

    @property
    def is_ascii(self) -> bool:
        """Whether it may go without SMTPUTF8; its body is of 7-bit lines always."""
        addresses = (self.envelope.sender, *self.envelope.recipients)
        return all(mailbox.is_ascii for mailbox in addresses) and all(field.raw.isascii() for field in self.header)

    def __bytes__(self) -> bytes:
        return bytes(self.content)


def compose(
    *,
    from_: People,
    to: People = (),
    cc: People = (),
    bcc: People = (),
    sender: People = (),
    reply_to: People = (),
    subject: str | None = None,
    text: str | None = None,
    html: str | None = None,
    attachments: Iterable[Attachment] = (),
    date: Date | Callable[[], Date] | None = None,
    message_id: Id | Callable[[], Id] | None = None,
    in_reply_to: Id | Iterable[Id] = (),
    references: Id | Iterable[Id] = (),
    fields: Iterable[tuple[str, object]] = (),
    utf8: bool = False,
) -> Letter:
    """A new message.

    People are named by text (``"Alice <alice@crepes.fr>, bob@hamburger.edu"``), by values, or by several of either.
    Those of ``bcc`` are in the envelope alone. ``text`` and ``html`` say the same in two ways (RFC 2046 s5.1.4).
    ``date`` and ``message_id`` must be there, as values or as functions that give them; text for an identifier goes
    with or without its brackets. ``fields`` are more fields, of names that nothing else here is written to.

    All of it is ASCII in lines of 78 characters where it can be had. Only with ``utf8`` characters beyond it may stand
    in the header: then the message needs a server with SMTPUTF8 (RFC 6531), and so do addresses beyond ASCII.

    Raises ParseError for what cannot stand in a message and for an envelope that is left open: several authors without
    a ``sender``, no recipient (RFC 5322 s3.6.2, s3.6.3). Raises TypeError for values of another kind and without
    ``date`` or ``message_id``, ValueError for a name in ``fields`` that is not for them.
    """
    found: list[Field] = []

    def add(name: str, value: object) -> None:
        found.append(build_field(name, value, utf8=utf8))

    add("Date", _date(date))
    for name, people in (("From", from_), ("Sender", sender), ("Reply-To", reply_to), ("To", to), ("Cc", cc)):
        several = _people(people, name)
        if several is not None:
            add(name, several)
        elif name == "From":
            raise ParseError("no author", 0, "RFC 5322 s3.6.2", "From")
    if subject is not None:
        found.append(_subject(subject, utf8))
    add("Message-ID", _message_id(message_id))
    for name, ids in (("In-Reply-To", in_reply_to), ("References", references)):
        several_ids = _identifiers(ids)
        if several_ids.items:
            add(name, several_ids)
    for name, value in fields:
        _check_free(name)
        add(name, value)
    hidden = _people(bcc, "Bcc")
    envelope = envelope_of(Header([*found, *([build_field("Bcc", hidden, utf8=utf8)] if hidden else [])]))
    add("MIME-Version", "1.0")
    body: Part = make_body(text, html, attachments)
    return Letter(Header([*found, *body.fields]), body.pieces, envelope)


# --- people --------------------------------------------------------------------------------------


def _people(people: People, name: str) -> AddressList | None:
    """Those who are named, or None for nobody."""
    if isinstance(people, AddressList):
        items: list[Address | Group] = list(people)
    elif isinstance(people, (str, Mailbox, Address, Group)):
        items = _person(people, name)
    else:
        items = [item for person in people for item in _person(person, name)]
    return AddressList(items) if items else None


def _person(person: Person, name: str) -> list[Address | Group]:
    if isinstance(person, str):
        return list(AddressList.parse(person))
    if isinstance(person, Mailbox):
        return [Address("", person)]
    if isinstance(person, (Address, Group)):
        return [person]
    raise TypeError(f"{name} takes text, Mailbox, Address and Group objects, not {type(person).__name__}")


# --- when, and what it is called -----------------------------------------------------------------


def _date(date: Date | Callable[[], Date] | None) -> DateTime:
    if callable(date):
        date = date()
    if isinstance(date, datetime):
        date = DateTime.from_datetime(date)
    if date is None:
        # RFC 5322 s3.6: Date must be there
        raise TypeError("date is missing: give a DateTime, a datetime, or a function that gives one")
    if not isinstance(date, DateTime):
        raise TypeError(f"date must be a DateTime or a datetime, not {type(date).__name__}")
    if not date:
        raise ParseError("no date", 0, "RFC 5322 s3.6.1")
    return date


def _message_id(message_id: Id | Callable[[], Id] | None) -> MessageId:
    if callable(message_id):
        message_id = message_id()
    if message_id is None:
        # RFC 5322 s3.6.4: every message should have one
        raise TypeError("message_id is missing: give a MessageId, its text, or a function that gives one")
    return _identifier(message_id)


def _identifier(said: Id) -> MessageId:
    if isinstance(said, MessageId):
        return MessageId.parse(str(said))
    if not isinstance(said, str):
        raise TypeError(f"an identifier is a MessageId or a str, not {type(said).__name__}")
    return MessageId.parse(said if said[:1] == "<" else f"<{said}>")


def _identifiers(said: Id | Iterable[Id]) -> MessageIdList:
    return MessageIdList(map(_identifier, [said] if isinstance(said, (str, MessageId)) else said))


# --- subject -------------------------------------------------------------------------------------

#: Characters of a word that fits into the line of its field's name. A longer one would begin on a line of its own, and
#: some readers keep the space of that fold.
_LONG_WORD: Final = 68


def _subject(subject: str, utf8: bool) -> Field:
    if not isinstance(subject, str):
        raise TypeError(f"subject must be a str, not {type(subject).__name__}")
    if max(map(len, subject.split(" "))) <= _LONG_WORD:
        return build_field("Subject", Unstructured(subject), utf8=utf8)
    return Field.build("Subject", fold("Subject", encode_words(subject))[len("Subject:") : -len("\r\n")])


# --- more fields ---------------------------------------------------------------------------------

# What compose() writes itself; Bcc, which nobody may see; and what only those may write who hand a message on.
_TAKEN: Final = frozenset(
    "date from sender reply-to to cc bcc subject message-id in-reply-to references mime-version received "
    "return-path".split(" ")
)


def _check_free(name: str) -> None:
    lower = name.lower()
    if lower in _TAKEN or lower.startswith(("content-", "resent-")):
        raise ValueError(f"{name} is not for fields: it has its own argument, or is not for a new message")
