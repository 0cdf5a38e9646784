"""Turn and Conversation: what every form of transcript is read into."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

__all__ = ["CLIENT", "FORMATS", "NOTE", "SERVER", "TLS", "Conversation", "Format", "Speaker", "Turn", "octets"]

Speaker: TypeAlias = Literal["C", "S", "tls", "note"]
CLIENT: Final = "C"
SERVER: Final = "S"
TLS: Final = "tls"  #: The handshake is done, says the transcript; no octets.
NOTE: Final = "note"  #: What the recording program says; the octets are its words.


#: What a file may be; the first means that it is found out.
Format: TypeAlias = Literal["auto", "transcript", "swaks", "postfix", "tshark"]
FORMATS: Final[tuple[Format, ...]] = ("auto", "transcript", "swaks", "postfix", "tshark")


class Turn(NamedTuple):
    """Octets that one side said, with their CRLFs."""

    who: Speaker
    data: bytes
    line: int  #: Where it begins in the file, counted from 1.


class Conversation(NamedTuple):
    """One connection."""

    title: str  #: What tells it from others of the same file; may be empty.
    form: str  #: The form that it was read from.
    turns: list[Turn]
    exact: bool  #: Whether the octets are those of the wire; else line ends are what SMTP would have had.
    whole: bool = True  #: Whether contents are in it; logs leave them out.


def octets(text: str) -> bytes:
    """The octets that stood in the file."""
    return text.encode("utf-8", "surrogateescape")
