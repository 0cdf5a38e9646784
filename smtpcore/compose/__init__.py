"""What a user agent writes: a message from text, HTML and attachments, and the envelope it goes in.

Pure: the time and identifiers are handed in, nothing is read but what the caller gives. The one such room that knows
the standard library's ``email``, and only to convert from and to its messages; it is imported when that is asked for.
"""

from __future__ import annotations

from .attachment import Attachment
from .conversion import from_email_message, to_email_message
from .envelope import envelope_of
from .letter import Content, Letter, compose

__all__ = ["Attachment", "Content", "Letter", "compose", "envelope_of", "from_email_message", "to_email_message"]
