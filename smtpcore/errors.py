"""The exceptions of smtpcore, all of them.

::

    Exception
      ProtocolError                the conversation cannot go on
        LocalProtocolError           because our side broke the rules
        RemoteProtocolError          because the peer did
      ValueError
        ParseError                 octets or text that no grammar of ours accepts

A reply is never an exception: 550 is an event like 250 is.
"""

from __future__ import annotations

from typing import final

__all__ = ["LocalProtocolError", "ParseError", "ProtocolError", "RemoteProtocolError"]


class ProtocolError(Exception):
    """The SMTP conversation cannot go on."""


@final
class LocalProtocolError(ProtocolError):
    """The caller asked for something that SMTP forbids in the present state.

    Raised before anything is queued, so the peer never sees half of it.
    """


@final
class RemoteProtocolError(ProtocolError):
    """The peer broke the protocol in a way that cannot be answered with a reply.

    The machine that raised it is dead: every further call raises the same error.
    """


class ParseError(ValueError):
    """Text that is not what the grammar wants.

    ``why`` says what is wrong in a few words, ``where`` is the offset of the first octet (or
    character) that cannot be accepted, and ``rule`` names the RFC and section. The text itself
    is not part of the message beyond a short excerpt, because it may be long and comes from a
    stranger.
    """

    def __init__(self, why: str, where: int = 0, rule: str = "RFC 5321 s4.1.2", text: str = "") -> None:
        self.why = why
        self.where = where
        self.rule = rule
        self.text = text[:EXCERPT]
        super().__init__(why, where, rule, self.text)

    def __str__(self) -> str:
        shown = f" in {self.text!a}" if self.text else ""
        return f"{self.why} at offset {self.where}{shown} ({self.rule})"


#: How much of a stranger's text an error shows, in characters.
EXCERPT = 100
