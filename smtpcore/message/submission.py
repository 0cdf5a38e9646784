"""What a submission server may add to the header of a message (RFC 6409 s8), and how, while the message streams by."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import final

from ..wire.address import Mailbox
from .address import Address
from .address_list import AddressList
from .build import build_field
from .date import DateTime
from .event import Body
from .field import Field
from .header import Header, HeaderLimits
from .identifier import MessageId
from .parser import MessageParser

__all__ = ["HeaderEditor", "complete_header"]


def complete_header(
    header: Header, *, now: DateTime | datetime, domain: str, unique: str, sender: Mailbox | None = None
) -> Header:
    """``header`` with what a message needs: Date, Message-ID, and Sender where it is somebody else's than From's.

    A Date is added, or put in the place of one that is no date (RFC 6409 s8.2), and so is a Message-ID, made of
    ``unique`` and ``domain`` (RFC 6409 s8.3). ``sender`` is who has proved to send it: where From does not name that
    mailbox, Sender does, whatever it said before (RFC 6409 s8.1). All other octets stay as they are, and the header
    itself is returned where it lacks nothing. Of a field that is there several times none is touched.

    New fields stand at the end, but before a line that is no field: some programs take that for the end of the header.

    Raises ParseError for ``unique`` and ``domain`` that make no identifier.
    """
    when = now if isinstance(now, DateTime) else DateTime.from_datetime(now)
    new: list[Field] = []
    for name, value, reads in (
        ("Date", when, DateTime.read),
        ("Message-ID", f"<{unique}@{domain}>", MessageId.read),
    ):
        found = header.all(name)
        if not found:
            new.append(build_field(name, value))
        elif len(found) == 1 and not reads(found[0].text):
            header = header.with_replaced(found[0], build_field(name, value))
    if sender is not None and sender not in _mailboxes(header.all("From")):
        found = header.all("Sender")
        field = build_field("Sender", AddressList([Address("", sender)]), utf8=not sender.is_ascii)
        if not found:
            new.append(field)
        elif len(found) == 1 and _mailboxes(found) != [sender]:
            header = header.with_replaced(found[0], field)
    return _with_added(header, new)


def _mailboxes(fields: tuple[Field, ...]) -> list[Mailbox]:
    return [address.mailbox for field in fields for address in AddressList.read(field.text).addresses]


def _with_added(header: Header, new: list[Field]) -> Header:
    if not new:
        return header
    count = len(header)
    named = [place for place, field in enumerate(header) if field.name]
    first = named[0] if named else 0
    place = next((place for place in range(first, count) if not header.fields[place].name), count)
    fields = header.with_added(*new)
    if place == count:
        return fields
    return fields.with_order([*fields.fields[:place], *fields.fields[count:], *fields.fields[place:count]])


@final
class HeaderEditor:
    """The octets of a message in, the same with another header out; only the header is held.

    ``edit`` is given the header once it is whole. A message without one, in which no line before the first empty line
    is a field, is all body, and ``edit`` is given an empty header to stand before it. ``limits`` are those of the
    header; ``receive`` and ``end`` raise ParseError beyond them, and what ``edit`` raises.
    """

    __slots__ = ("_edit", "_parser", "_passing")

    def __init__(self, edit: Callable[[Header], Header], limits: HeaderLimits | None = None) -> None:
        self._edit = edit
        self._parser = MessageParser(limits=limits)
        self._passing = False  # the header has gone by

    def receive(self, data: bytes) -> bytes:
        """What of the message may go on, behind ``data``; nothing as long as its header is not whole."""
        return data if self._passing else self._take(data)

    def end(self) -> bytes:
        """The message has ended: what is left of it, where it has ended within its header."""
        return b"" if self._passing else self._take(b"")

    def _take(self, data: bytes) -> bytes:
        parser = self._parser
        parser.receive_data(data)
        body: list[bytes] = []
        while (event := parser.next_event()) is not None:
            if isinstance(event, Body):
                body.append(event.data)
        header = parser.header
        if header is None:
            return b""
        self._passing = True
        if len(header) and not any(field.name for field in header):
            return b"".join([bytes(self._edit(Header())), bytes(header), *body])
        return b"".join([bytes(self._edit(header)), *body])
