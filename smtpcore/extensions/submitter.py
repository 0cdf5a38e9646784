"""AUTH on MAIL (RFC 4954 s5): who submitted a message first, as one server tells the next.

The parameter belongs to the AUTH extension; it is a claim about somebody else and not an exchange, and so has a file
of its own. ``SUBMITTER(mailbox)`` names who submitted the message, ``SUBMITTER(None)`` is ``AUTH=<>``: nobody is
named.

Any client may write it. A server believes it of those alone that have authenticated and that it trusts to say such a
thing; what anybody else says counts as ``AUTH=<>``, and that is what it passes on. :func:`believed_submitter` is the
first half of that; trust is the application's half.

The SUBMITTER extension of RFC 4405, which is historic, is something else, and is not here.
"""

from __future__ import annotations

from typing import Final

from ..errors import ParseError
from ..wire.address import Mailbox
from ..wire.parameter import ParameterType
from ..wire.xtext import decode_xtext, encode_xtext
from .extension import SessionView

__all__ = ["SUBMITTER", "believed_submitter"]


def _decode(text: str) -> Mailbox | None:
    decoded = decode_xtext(text)
    if decoded == "<>":
        return None
    try:
        return Mailbox.parse(decoded)
    except ParseError as error:
        # Offsets count in the mailbox, which need not be where it stands in xtext
        raise ParseError(f"not a mailbox within xtext: {error.why}", 0, "RFC 4954 s5", text) from None


def _encode(mailbox: Mailbox | None) -> str:
    if mailbox is None:
        return "<>"
    if type(mailbox) is not Mailbox:
        raise TypeError(f"a submitter is a Mailbox or None, not {type(mailbox).__name__}")
    return encode_xtext(mailbox.written)


#: ``AUTH=mailbox`` in xtext on MAIL: who submitted the message first, None for ``<>``.
SUBMITTER: Final[ParameterType[Mailbox | None]] = ParameterType("AUTH", _decode, _encode)


def believed_submitter(session: SessionView) -> Mailbox | None:
    """Who submitted the message of the transaction in hand, if a client that has authenticated says so.

    None where nobody is named, and where whoever names somebody might be anybody: "the server MUST behave as if the
    AUTH=<> parameter was supplied". Whether this client is trusted with it, remains to be asked.
    """
    mail = session.mail
    # RFC 4954 s5
    return mail.parameters.get(SUBMITTER) if mail is not None and session.authenticated else None
