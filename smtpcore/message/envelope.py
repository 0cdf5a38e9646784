"""The envelope that a header asks for: who sends it, and to whom (RFC 5322 s3.6.2, s3.6.3, s3.6.6).

The header is a letter's head, and says what its author wrote; an envelope is what servers act on. The one is derived
from the other only where a user agent hands a message in, and never guessed: what cannot be read for sure raises.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, final

from ..errors import ParseError
from ..wire.address import Mailbox
from ..wire.tolerance import INTEROP, Tolerance
from ..wire.value import Value, assign
from .address_list import AddressList
from .field import Field
from .header import Header

__all__ = ["Envelope", "envelope_of"]


@final
class Envelope(Value):
    """Who a message is from and who gets it. Raises ValueError for no recipient."""

    __slots__ = ("recipients", "sender")
    __match_args__ = ("sender", "recipients")

    sender: Mailbox  #: Where failures are reported.
    recipients: tuple[Mailbox, ...]  #: Each once, in the order in which the header names them.

    def __init__(self, sender: Mailbox, recipients: Iterable[Mailbox]) -> None:
        recipients = tuple(dict.fromkeys(recipients))  # a domain has no case, a local-part has
        if not recipients:
            raise ValueError("an envelope without a recipient (RFC 5321 s3.3)")
        assign(self, "sender", sender)
        assign(self, "recipients", recipients)


_RESENT: Final = b"resent-"
# RFC 5322 s3.6.6
#   resent-date / resent-from / resent-sender / resent-to / resent-cc / resent-bcc / resent-msg-id
_BLOCK: Final = frozenset(_RESENT + name for name in (b"date", b"from", b"sender", b"to", b"cc", b"bcc", b"message-id"))


def envelope_of(header: Header) -> Envelope:
    """The envelope of a message that is handed in with this header.

    Its sender is the mailbox of Sender, or of From without one; its recipients are those of To, Cc and Bcc, with the
    members of groups, each once. In a message that was sent again only the first block of Resent fields counts, which
    is that of who sent it last (RFC 5322 s3.6.6).

    Raises ParseError where that is not sure or not there: several fields of a name, an address that cannot be read,
    several authors without a Sender (RFC 5322 s3.6.2), no recipient.
    """
    block = _first_block(header)
    if block:
        return _derive(Header(block), _RESENT)
    return _derive(header, b"")


def _first_block(header: Header) -> list[Field]:
    """The Resent fields of who sent it last: up to the first that is there a second time, or a trace of the way."""
    block: list[Field] = []
    seen: set[bytes] = set()
    for field in header:
        name = field.name.lower()
        # RFC 5322 s3.6.6: the fields of a block stand together, and each block is put before what was there
        if name in seen or (block and name in (b"received", b"return-path")):
            break
        if name in _BLOCK:
            seen.add(name)
            block.append(field)
    return block


def _derive(header: Header, prefix: bytes) -> Envelope:
    authors = _addresses(header, prefix + b"from")
    senders = _addresses(header, prefix + b"sender")
    if len(senders) > 1:
        raise ParseError("several mailboxes in Sender", 0, "RFC 5322 s3.6.2", _shown(prefix, "Sender"))
    if not senders and len(authors) != 1:
        why = "several authors and no Sender" if authors else "neither From nor Sender names a mailbox"
        raise ParseError(why, 0, "RFC 5322 s3.6.2", _shown(prefix, "From"))
    recipients = [mailbox for name in (b"to", b"cc", b"bcc") for mailbox in _addresses(header, prefix + name)]
    if not recipients:
        raise ParseError("no recipient", 0, "RFC 5322 s3.6.3", _shown(prefix, "To"))
    return Envelope((senders or authors)[0], recipients)


def _addresses(header: Header, name: bytes) -> list[Mailbox]:
    field = header.only(name)
    # RFC 5322 s3.6.3: Bcc may be empty
    if field is None or (not field.text and name.endswith(b"bcc")):
        return []
    return [address.mailbox for address in AddressList.parse(field.text, Tolerance(INTEROP)).addresses]


def _shown(prefix: bytes, name: str) -> str:
    return f"Resent-{name}" if prefix else name
