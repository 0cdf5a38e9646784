"""The parameters of RFC 2231: values in several sections, with a character set and a language.

``title*0*=utf-8'en'One%20; title*1=two`` is one parameter, ``title``, with the value ``One two``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, final

from ..wire.tolerance import INTEROP, LAX, Tolerance
from .charset import decode_octets

__all__ = ["PIECE_LENGTH", "SECTION_LIMIT", "Pieces", "extended_form", "pack"]

#: How many sections a value may come in; the number that Mozilla's MIME parameter reader stops at (MAX_CONTINUATIONS).
SECTION_LIMIT: Final = 999
#: Characters of one ``name=value`` that is written, where its name leaves room: a line of 78 (RFC 5322 s2.1.1) has
#: place for one and for the name of the field.
PIECE_LENGTH: Final = 60

# RFC 2231 s7
#   section          := initial-section / other-sections
#   initial-section  := "*0"
#   other-sections   := "*" ("1" / "2" / ... / "9") *DIGIT
# Here without the asterisk in front, and with that of an extended value behind.
_SECTION: Final = re.compile(r"(0|[1-9][0-9]{0,2})(\*?)")

# RFC 2231 s7
#   extended-initial-value := [charset] "'" [language] "'" extended-other-values
_INITIAL: Final = re.compile(r"([^']*+)'([^']*+)'")
_LANGUAGE: Final = re.compile(r"[A-Za-z0-9\-]{0,64}+")

# RFC 2231 s7
#   extended-other-values := *(ext-octet / attribute-char)
#   ext-octet             := "%" 2(DIGIT / "A" / "B" / "C" / "D" / "E" / "F")
#   attribute-char        := <any (ASCII) CHAR except SPACE, CTLs, "*", "'", "%", or tspecials>
# Small letters are let through, as in every escape of that form.
_OTHER: Final = re.compile(r"(?:[!#$&+\-.0-9A-Z^_`a-z{|}~]++|%[0-9A-Fa-f]{2})*+")
_ESCAPE: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_OCTET: Final = {b"%02x" % octet: bytes([octet]) for octet in range(256)}
_UNESCAPED: Final = frozenset("!#$&+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz{|}~")


@final
class Piece:
    """One ``name=value`` as it stands in the field."""

    __slots__ = ("extended", "quoted", "text", "where")

    def __init__(self, text: str, where: int, *, quoted: bool, extended: bool) -> None:
        self.text = text
        self.where = where
        self.quoted = quoted
        self.extended = extended


@final
class Pieces:
    """Everything that a field says about one parameter."""

    __slots__ = ("plain", "sections", "where", "whole")

    def __init__(self, where: int) -> None:
        self.where = where  #: Where the first of them stands.
        self.plain: Piece | None = None  #: ``name=value``
        self.whole: Piece | None = None  #: ``name*=charset'language'value``
        self.sections: dict[int, Piece] = {}  #: ``name*0=value``, ``name*1*=value``

    def add(self, suffix: str | None, text: str, where: int, quoted: bool) -> str:
        """Take in one piece; ``suffix`` is what follows the first asterisk of its name. What is wrong, or nothing."""
        if suffix is None:
            if self.plain:
                return "parameter given twice"
            self.plain = Piece(text, where, quoted=quoted, extended=False)
        elif not suffix:
            if self.whole:
                return "parameter given twice"
            self.whole = Piece(text, where, quoted=quoted, extended=True)
        else:
            found = _SECTION.fullmatch(suffix)
            if not found or int(found[1]) >= SECTION_LIMIT:
                return "not a section of a parameter"
            if int(found[1]) in self.sections:
                return "section of a parameter given twice"
            self.sections[int(found[1])] = Piece(text, where, quoted=quoted, extended=bool(found[2]))
        return ""

    def assemble(self, tolerance: Tolerance, text: str) -> tuple[str, str, bool] | None:
        """The value, its language, and whether a character set came with it; None where no section is the first.

        A value with a character set goes before one in sections, that before a plain one, whatever
        their order: who writes two forms means the plain one for readers that know no other. One
        that cannot be decoded is passed over when there is another.
        """
        runs: list[list[Piece]] = []
        if self.whole:
            runs.append([self.whole])
        if self.sections:
            run = self._consecutive(tolerance, text)
            if run:
                runs.append(run)
        if self.plain:
            runs.append([self.plain])
        if len(runs) > 1:
            # RFC 2231 s3: nothing is said about both; RFC 6266 s4.3 has the extended form win, for HTTP
            tolerance.permit(INTEROP, "parameter in more than one form", runs[1][0].where, "RFC 2231 s3", text)
        first = None
        for run in runs:
            value, language, flaw = _join(run, tolerance, text)
            said = value, language, run[0].extended
            if not flaw:
                return said
            tolerance.permit(LAX, flaw, run[0].where, "RFC 2231 s4", text)
            first = first or said
        return first

    def _consecutive(self, tolerance: Tolerance, text: str) -> list[Piece]:
        """The sections from 0 on, up to the first that is missing."""
        run: list[Piece] = []
        while len(run) in self.sections:
            run.append(self.sections[len(run)])
        if len(run) < len(self.sections):
            # RFC 2231 s3: "numbered consecutively starting at zero"
            beyond = min(piece.where for number, piece in self.sections.items() if number > len(run))
            tolerance.permit(LAX, f"section {len(run)} of the parameter is missing", beyond, "RFC 2231 s3", text)
        return run


def _join(run: list[Piece], tolerance: Tolerance, text: str) -> tuple[str, str, str]:
    """The value of sections, its language, and what about it cannot be understood."""
    charset = language = flaw = ""
    parts: list[str] = []
    octets: list[bytes] = []  # consecutive extended sections are decoded as one: a character may be cut by their border

    def flush() -> None:
        nonlocal flaw
        if octets:
            # RFC 2231 s4: the character set may be left blank
            decoded, why = decode_octets(b"".join(octets), charset or "utf-8")
            parts.append(decoded)
            if "\ufffd" in decoded:
                flaw = flaw or why
            elif why:
                tolerance.permit(LAX, why, run[0].where, "RFC 2231 s4", text)
            octets.clear()

    for number, piece in enumerate(run):
        written = piece.text
        if not piece.extended:
            flush()
            parts.append(written)
            continue
        if number == 0:
            found = _INITIAL.match(written)
            if found:
                charset, language, written = found[1], found[2], written[found.end() :]
                if not _LANGUAGE.fullmatch(language):
                    language, flaw = "", "not a language"
            else:
                flaw = "no character set before the value"
        elif not run[0].extended:
            why = "extended section behind one without a character set"
            tolerance.permit(LAX, why, piece.where, "RFC 2231 s4.1", text)
        if piece.quoted or not _OTHER.fullmatch(written):
            tolerance.permit(INTEROP, "extended value not percent-encoded", piece.where, "RFC 2231 s7", text)
        octets.append(_ESCAPE.sub(_unescape, written.encode("utf-8", "surrogateescape")))
    flush()
    return "".join(parts), language, flaw


def _unescape(found: re.Match[bytes]) -> bytes:
    return _OCTET[found[1].lower()]


# --- written -----------------------------------------------------------------------------------------------


def extended_form(name: str, value: str, language: str) -> str:
    """``name*=utf-8'language'value``, or sections of that where it is long."""
    units = [f"utf-8'{language}'"]
    units += [character if character in _UNESCAPED else _escape(character) for character in value]
    whole = f"{name}*={''.join(units)}"
    if len(whole) <= PIECE_LENGTH:
        return whole
    return "; ".join(f"{name}*{number}*={part}" for number, part in enumerate(pack(name, units)))


def pack(name: str, units: list[str]) -> Iterable[str]:
    """Texts made of ``units``, none of which is cut, each as long as a piece with that name has room for."""
    size = sum(map(len, units))
    # Never more sections than are read again: past some ten thousand characters they become longer instead.
    room = max(PIECE_LENGTH - len(name) - len("*000*="), 12, size // (SECTION_LIMIT - 100) + 12)
    part: list[str] = []
    held = 0
    for unit in units:
        if held + len(unit) > room and part:
            yield "".join(part)
            part, held = [], 0
        part.append(unit)
        held += len(unit)
    yield "".join(part)


def _escape(character: str) -> str:
    return "".join([f"%{octet:02X}" for octet in character.encode()])
