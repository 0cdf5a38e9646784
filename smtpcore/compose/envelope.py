"""The envelope of a message that is handed in: of its first sending, or of a later one."""

from __future__ import annotations

from ..errors import ParseError
from ..message import envelope as derivation
from ..message.envelope import Envelope
from ..message.header import Header

__all__ = ["envelope_of"]


def envelope_of(header: Header, *, resent: bool | None = None) -> Envelope:
    """The envelope that ``header`` asks for, as :func:`smtpcore.message.envelope.envelope_of` derives it.

    In a message that was sent again the first block of Resent fields decides (RFC 5322 s3.6.6). ``resent`` says which
    sending is meant: ``True`` only that, ``False`` the first one, whatever Resent fields there are.

    Raises ParseError where the header leaves it open, and with ``resent=True`` where it has no Resent field.
    """
    names = [field.name for field in header if field.name[:7].lower() == b"resent-"]
    if resent is False:
        header = header.without(*names)
    elif resent and not names:
        raise ParseError("no Resent field", 0, "RFC 5322 s3.6.6")
    return derivation.envelope_of(header)
