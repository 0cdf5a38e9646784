"""Dialogues as people write them (``C: `` and ``S: ``), and as swaks prints them."""

from __future__ import annotations

import re
from typing import Final

from .failure import Failure
from .transcript_turn import CLIENT, NOTE, SERVER, TLS, Conversation, Speaker, Turn, octets

__all__ = ["is_dialogue", "is_swaks", "read_dialogue", "read_swaks", "split_lines"]

_DIALOGUE: Final = re.compile(r"[ \t]*+(?:(C|c|Client|client|CLIENT)|S|s|Server|server|SERVER):([ \t]*+)(.*)")
# swaks: " -> " sent, "<-  " received, "~" in TLS, "**" for what was not expected, "=== " and "*** " its own words.
_SWAKS: Final = re.compile(r"(?:( [-~*]>|[*][*~]>)|<(?:- |~ |\*\*|~\*))(?: (.*))?")
_SWAKS_NOTE: Final = re.compile(r"(===|\*\*\*) (.*)")
_SIGN: Final = re.compile(r"^(?:<- |<~ |<\*\*|<~\*) [2-5][0-9][0-9]", re.M)
_DIALOGUE_SIGN: Final = re.compile(r"^[ \t]*+(?:C|c|S|s|[Cc]lient|[Ss]erver|CLIENT|SERVER):", re.M)
_GREETING: Final = re.compile(rb"220[ -]")


def split_lines(text: str) -> list[str]:
    """The lines of a file, whatever ended them there: LF, or CRLF."""
    lines = text.split("\n")
    if not lines[-1]:
        del lines[-1]
    return [line.removesuffix("\r") for line in lines]


def is_dialogue(text: str) -> bool:
    """Whether a line begins with ``C:`` or ``S:``."""
    return _DIALOGUE_SIGN.search(text) is not None


def is_swaks(text: str) -> bool:
    """Whether a line is a reply as swaks shows it."""
    return _SIGN.search(text) is not None


def read_dialogue(text: str) -> list[Conversation]:
    """Lines with ``C:`` and ``S:``; a content may go on in lines without. Raises Failure."""
    turns: list[Turn] = []
    reading = _Dialogue()
    for number, line in enumerate(split_lines(text), 1):
        turns += reading.read(line, number)
    return _apart(turns, "transcript")


class _Dialogue:
    """Where a reader of ``C:`` and ``S:`` lines stands."""

    def __init__(self) -> None:
        self._padding = -1  # spaces that everybody has behind the colon; unknown
        self._data = False  # DATA was the last command
        self._content = False  # 354 was the answer
        self._begun = False

    def read(self, line: str, number: int) -> list[Turn]:
        found = _DIALOGUE.fullmatch(line)
        if found:
            self._begun = True
            who: Speaker = CLIENT if found[1] else SERVER
            space, said = found[2], found[3]
            if self._padding < 0:
                self._padding = len(space)
            # A content may begin with spaces of its own; a command or a reply does not.
            inside = self._content and who == CLIENT
            said = (space + said)[min(len(space), self._padding) :] if inside else said
            return [self._turn(who, said, number)]
        if self._content:
            return [self._turn(CLIENT, line, number)]
        if not self._begun or not line.strip(" \t") or line.startswith(("```", "#", "~~~")):
            return []  # words before the dialogue, and lines that set it off
        stripped = line.strip(" \t")
        if re.match(r"[2-5][0-9][0-9][ \-]", stripped):
            return [self._turn(SERVER, stripped, number)]
        raise Failure(f"line {number}: {line[:60]!r} begins with neither 'C:' nor 'S:', and no content is on its way")

    def _turn(self, who: Speaker, said: str, number: int) -> Turn:
        if who == SERVER:
            self._content = self._data and said.startswith("354")
            self._data = False
        elif self._content:
            self._content = said != "."
        else:
            self._data = said.strip(" \t").upper() == "DATA"
        return Turn(who, octets(said) + b"\r\n", number)


def read_swaks(text: str) -> list[Conversation]:
    """What swaks prints. Raises Failure."""
    turns: list[Turn] = []
    for number, line in enumerate(split_lines(text), 1):
        if note := _SWAKS_NOTE.fullmatch(line):
            started = note[1] == "===" and note[2].startswith("TLS started")
            turns.append(Turn(TLS if started else NOTE, octets(note[2]), number))
        elif found := _SWAKS.fullmatch(line):
            turns.append(Turn(CLIENT if found[1] else SERVER, octets(found[2] or "") + b"\r\n", number))
        # Anything else is a warning of its own, such as that of a module that it did not find.
    return _apart(turns, "swaks") if any(turn.who in {CLIENT, SERVER} for turn in turns) else []


def _apart(turns: list[Turn], form: str) -> list[Conversation]:
    """One conversation for each greeting that follows a 221 or 421, or the words of a new connection."""
    parts: list[list[Turn]] = [[]]
    over = False
    for turn in turns:
        begins = turn.who == SERVER and _GREETING.match(turn.data) is not None
        if over and (begins or (turn.who == NOTE and turn.data.startswith(b"Trying "))):
            parts.append([])
            over = False
        if turn.who == SERVER and turn.data.startswith((b"221 ", b"421 ")):
            over = True
        parts[-1].append(turn)
    several = len(parts) > 1
    return [
        Conversation(f"conversation {number}" if several else "", form, part, exact=False)
        for number, part in enumerate(parts, 1)
        if part
    ]
