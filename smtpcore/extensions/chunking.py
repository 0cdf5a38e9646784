"""CHUNKING (RFC 3030): BDAT says how many octets of the content follow, and nothing in them is looked for.

Two commands share the verb, since they lead to different places: BDAT goes on with the content,
BDAT with LAST ends it and gets the verdict on the message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final, final

from ..errors import ParseError
from ..table import State
from ..wire.command import Command, Ehlo, Expn, Helo, Help, Lhlo, Noop, Quit, Rset, Vrfy
from ..wire.tolerance import Tolerance
from ..wire.value import assign
from ..wire.vocabulary import Vocabulary
from .extension import Extension

__all__ = ["CHUNKING", "Bdat", "BdatCommand", "BdatLast", "announced_octets", "between_chunks"]

# RFC 3030 s2
#   bdat-cmd   ::= "BDAT" SP chunk-size [ SP end-marker ] CR LF
#   chunk-size ::= 1*DIGIT
#   end-marker ::= "LAST"
_ARGUMENTS: Final = re.compile(r"([0-9]{1,20}+)( (?i:LAST))?+")
_OCTETS: Final = re.compile(rb"(?i:BDAT) ([0-9]++)(?=[ \t]|\Z)")


class BdatCommand(Command):
    """What both kinds of BDAT have: the size of their chunk.

    Raises ParseError for a size below zero or of more than twenty digits.
    """

    __slots__ = ("size",)
    __match_args__ = ("size",)
    verb: ClassVar[str] = "BDAT"
    pipelines: ClassVar[bool] = True  # RFC 3030 s2: the server must cope with chunks in the pipeline
    carries: ClassVar[bool] = True
    last: ClassVar[bool]  #: Whether the chunk ends the content.

    size: int  #: Octets that follow the line.

    def __init__(self, size: int) -> None:
        super().__init__()
        if type(size) is not int:
            raise TypeError(f"a size is an int, not {type(size).__name__}")
        if not 0 <= size < BEYOND:
            raise ParseError("not a chunk size", 0, "RFC 3030 s2", str(size)[:100])
        assign(self, "size", size)

    def arguments(self) -> str:
        """The size, and LAST."""
        return f" {self.size} LAST" if self.last else f" {self.size}"

    @classmethod
    def parse_arguments(cls, text: str | None, vocabulary: Vocabulary, tolerance: Tolerance) -> BdatCommand:
        """``chunk-size [SP "LAST"]``."""
        found = _ARGUMENTS.fullmatch(text or "")
        if not found:
            raise ParseError("expected a chunk size in octets, and nothing but LAST behind it", 0, "RFC 3030 s2")
        size = int(found[1])
        return BdatLast(size) if found[2] else Bdat(size)


@final
class Bdat(BdatCommand):
    """BDAT: a chunk of the content, and not the last one (RFC 3030 s2)."""

    __slots__ = ()
    last: ClassVar[bool] = False


@final
class BdatLast(BdatCommand):
    """BDAT with LAST: the chunk that ends the content; its reply is the verdict on the message (RFC 3030 s2)."""

    __slots__ = ()
    last: ClassVar[bool] = True


def announced_octets(line: bytes) -> int | None:
    """How many octets follow a line that begins with BDAT, right or wrong as it may be; None if nobody can say.

    A size of more than twenty digits is :data:`BEYOND`, which nobody can mean.
    """
    found = _OCTETS.match(line.rstrip(b" \t"))
    if not found:
        return None
    digits = found[1]
    return int(digits) if len(digits) <= _DIGITS else BEYOND


_DIGITS: Final = 20
#: More than any chunk can have.
BEYOND: Final = 10**_DIGITS

#: What the reply to a chunk leads to, and to the last one.
CHUNK_ROW: Final[Mapping[int, State]] = {2: State.CHUNKS, 4: State.SPOILT, 5: State.SPOILT}
LAST_ROW: Final[Mapping[int, State]] = {2: State.READY, 4: State.READY, 5: State.READY}
_ENDS: Final[Mapping[type[Command], Mapping[int, State]]] = {
    Ehlo: {2: State.READY},
    Helo: {2: State.READY},
    Lhlo: {2: State.READY},
    Rset: {2: State.READY},  # RFC 3030 s2: "clears all segments"
    Quit: {2: State.CLOSED},
}


def between_chunks(state: State) -> Mapping[type[Command], Mapping[int, State]]:
    """The rows of what is good at any time (RFC 5321 s4.1.4), where a part of a content has come."""
    return {Noop: {2: state}, Help: {2: state}, Vrfy: {2: state}, Expn: {2: state}, **_ENDS}


#: The content may travel in chunks.
CHUNKING: Final[Extension[Any]] = Extension(
    "CHUNKING",
    "RFC 3030",
    verbs=[Bdat, BdatLast],
    transitions={
        State.RCPT: {Bdat: CHUNK_ROW, BdatLast: LAST_ROW},
        # RFC 3030 s2: neither DATA nor MAIL nor RCPT from here on
        State.CHUNKS: {Bdat: CHUNK_ROW, BdatLast: LAST_ROW, **between_chunks(State.CHUNKS)},
        # RFC 3030 s2: "the sender-SMTP MUST NOT send any additional BDAT segments"
        State.SPOILT: between_chunks(State.SPOILT),
    },
)
