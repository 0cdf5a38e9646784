"""The stamp of a Received field: its clauses, found in whatever order and shape they come (RFC 5321 s4.4)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, final

from ..errors import ParseError
from ..wire import grammar
from ..wire.address import parse_mailbox
from ..wire.host import parse_host
from ..wire.path import parse_path
from ..wire.tolerance import INTEROP, LAX, Tolerance
from ..wire.value import Value, assign, exact
from .cfws import _end_of_comment, read_comments
from .trace import check_text, write_comment
from .trace_host import is_tcp_info

__all__ = ["Clause"]

#: RFC 5321 s4.4 in the order of writing; RFC 8314 s4.3 for the last two.
CLAUSES: Final = {name: place for place, name in enumerate("from by via with id for tls group".split(" "))}


@final
class Clause(Value):
    """One clause: its name in lower case, what it says, and the comments behind it.

    ``name`` is empty for words that belong to no clause.
    """

    __slots__ = ("comments", "name", "value")
    __match_args__ = ("name", "value", "comments")

    name: str  #: ``from``, ``by``, ``via``, ``with``, ``id``, ``for``, ``tls``, ``group``, or nothing.
    value: str  #: Its words as written, one space between them.
    comments: tuple[str, ...]  #: The comments, without their parentheses.

    def __init__(self, name: str, value: str, comments: Iterable[str] = ()) -> None:
        name, value = exact(name), exact(value)
        if name and name not in CLAUSES:
            raise ParseError("not the name of a clause", 0, "RFC 5321 s4.4", name)
        comments = tuple([exact(comment) for comment in comments])
        for text in (value, *comments):
            check_text(text, "a clause")
        _fill(self, name, value, comments)

    def __str__(self) -> str:
        words = [self.name] if self.name else []
        if self.value:
            words.append(self.value)
        words += [write_comment(comment) for comment in self.comments]
        return " ".join(words)


def _fill(clause: Clause, name: str, value: str, comments: tuple[str, ...]) -> None:
    assign(clause, "name", name)
    assign(clause, "value", value)
    assign(clause, "comments", comments)


# --- reading -------------------------------------------------------------------------------------

# RFC 5321 s4.4
#   Stamp    = From-domain By-domain Opt-info [CFWS] ";" FWS date-time
#   Opt-info = [Via] [With] [ID] [For] [Additional-Registered-Clauses]
# RFC 8314 s4.3
#   tls-cipher-clause   = CFWS "tls" FWS tls-cipher [ CFWS tls-dh-group-clause ]
#   tls-dh-group-clause = "group" FWS dh-group

_SPACE: Final = re.compile(r"[ \t]*+")
_COMMENT: Final = re.compile(r"\(([^()\\]*+)\)")
_ANGLE: Final = r"<(?:[^<>\"( \t]++|\"(?:[^\"\\<>]++|\\[^<>])*+\")*+>"
_BRACKET: Final = r"\[[^\[\]<>\"( \t]*+\]"
# A word: what no space, comment or semicolon ends, but for those within angles, brackets and quotes.
_WORD: Final = re.compile(f'(?:[^ \\t();<\\["]++|{_ANGLE}|{_BRACKET}|"(?:[^"\\\\]++|\\\\.)*+")++')
_UNQUOTED: Final = re.compile(f'(?:[^ \\t();<\\["]++|{_ANGLE}|{_BRACKET})++')
_DAY: Final = r"(?i:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6}+,?+[ \t]++"
_MONTH: Final = r"(?i:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_DATE_START: Final = re.compile(f"(?:{_DAY})?[0-9]{{1,2}}[ \\t]++{_MONTH}|{_DAY}{_MONTH}[ \\t]++[0-9]")
_BEHIND: Final = re.compile(r"[ \t]*+(?:\([^()\\]*+\)[ \t]*+)*+([A-Za-z]{2,5}+)?+(?![^ \t();])")
_NEXT: Final = re.compile(r"[ \t]*+([A-Za-z]{2,5}+)?+(?![^ \t();])")


class Stamp:
    """What has been read so far."""

    __slots__ = (
        "clauses",
        "comments",
        "current",
        "date_pos",
        "date_text",
        "early",
        "notes",
        "quotes",
        "tolerance",
        "where",
        "words",
    )

    def __init__(self, tolerance: Tolerance) -> None:
        self.tolerance = tolerance
        self.clauses: list[tuple[Clause, int]] = []
        self.comments: list[str] = []
        self.current: str | None = None  # the name of the clause that is being read
        self.words: list[str] = []
        self.notes: list[str] = []
        self.where = 0
        self.early = -1  # where a comment stood between the name of the clause and what it says
        self.date_text = ""
        self.date_pos = -1  # where it begins, or -1 without one
        self.quotes = True  # until one is found that nothing closes

    def begin(self, name: str, where: int) -> None:
        self.end()
        self.current, self.where = name, where

    def end(self) -> None:
        if self.current is None:
            return
        clause = Clause.__new__(Clause)
        _fill(clause, self.current, " ".join(self.words), tuple(self.notes))
        self.clauses.append((clause, self.where))
        if self.early >= 0:
            why = "comment between the name of a clause and its value"
            self.tolerance.permit(INTEROP, why, self.early, "RFC 5321 s4.4")
        self.current, self.words, self.notes, self.early = None, [], [], -1

    def takes_name(self, name: str, text: str, pos: int) -> bool:
        """Whether the word that ends at ``pos``, the name of a clause, begins one here."""
        if name in ("tls", "group"):
            # ``by mx over TLS secured channel`` has none.
            return len(self.words) == 1
        return not self.current or bool(self.words or self.notes) or not _is_value(text, pos)

    def add_note(self, note: str) -> None:
        (self.comments if self.current is None else self.notes).append(note)

    def add_word(self, word: str, start: int) -> None:
        if self.current is None or (self.words and self.notes):
            self.begin("", start)
        elif self.notes:
            self.early = start
        self.words.append(word)


def parse_stamp(text: str, tolerance: Tolerance) -> Stamp:
    stamp = Stamp(tolerance)
    pos, size, date_pos = 0, len(text), -1
    while (pos := _skip(_SPACE, text, pos)) < size:
        first = text[pos]
        if first == "(":
            note, pos = _read_comment(text, pos, tolerance)
            stamp.add_note(note)
        elif first == ";":
            following = _BEHIND.match(text, pos + 1)
            if not following or not following[1] or following[1].lower() not in CLAUSES:
                date_pos = pos + 1
                break
            tolerance.permit(LAX, "semicolon before the last clause", pos, "RFC 5321 s4.4", text)
            pos += 1
        elif _DATE_START.match(text, pos):
            tolerance.permit(LAX, "no semicolon before the date", pos, "RFC 5322 s3.6.7", text)
            date_pos = pos
            break
        else:
            start = pos
            word, pos = _read_word(text, pos, stamp)
            name = word.lower()
            if name not in CLAUSES or not stamp.takes_name(name, text, pos):
                stamp.add_word(word, start)
            else:
                stamp.begin(name, start)
    stamp.end()
    _check(stamp, text, tolerance)
    if date_pos >= 0:
        stamp.date_text = text[date_pos:].strip(" \t")
        if stamp.date_text and text[date_pos] not in " \t" and text[date_pos - 1] == ";":
            tolerance.permit(INTEROP, "no space before the date", date_pos, "RFC 5321 s4.4", text)
    stamp.date_pos = date_pos
    if not stamp.date_text:
        tolerance.permit(LAX, "no date", size, "RFC 5322 s3.6.7", text)
    return stamp


def _skip(pattern: re.Pattern[str], text: str, pos: int) -> int:
    found = pattern.match(text, pos)
    return found.end() if found else pos


def _is_value(text: str, pos: int) -> bool:
    """Whether the name of a clause, right behind that of another, is what the other says: ``from by by mx``."""
    following = _NEXT.match(text, pos)
    pos = _skip(_SPACE, text, pos)
    return text[pos : pos + 1] in ("", ";") or bool(following and following[1] and following[1].lower() in CLAUSES)


def _read_comment(text: str, pos: int, tolerance: Tolerance) -> tuple[str, int]:
    plain = _COMMENT.match(text, pos)
    if plain:
        return plain[1], plain.end()
    try:
        end = _end_of_comment(text, pos)
        return read_comments(text[pos:end], 0)[0][0], end
    except ParseError as error:
        # All up to the date is the comment.
        tolerance.permit(LAX, error.why, error.where, error.rule, text)
        end = text.rfind(";", pos)
        end = len(text) if end < 0 else end
        return text[pos + 1 : end], end


def _read_word(text: str, pos: int, stamp: Stamp) -> tuple[str, int]:
    parts: list[str] = []
    while True:
        found = (_WORD if stamp.quotes else _UNQUOTED).match(text, pos)
        if found:
            parts.append(found[0])
            pos = found.end()
        odd = text[pos : pos + 1]
        if odd in ("", " ", "\t", "(", ";"):
            return "".join(parts), pos
        stamp.tolerance.permit(LAX, "half of a pair", pos, "RFC 5322 s3.6.7", text)
        if odd == '"':
            stamp.quotes, odd = False, "?"  # else another reader would find its other half in a comment
        parts.append(odd)
        pos += 1


# --- what is how strict --------------------------------------------------------------------------

_is_atom: Final = re.compile(f"[{grammar.ATEXT}]++").fullmatch
# RFC 5322 s3.6.4
#   msg-id = [CFWS] "<" id-left "@" id-right ">" [CFWS]
_DOT_ATOM: Final = grammar.DOT_STRING.pattern
_LITERAL: Final = r"\[[^\[\]\\]*+\]"
_is_msg_id: Final = re.compile(f"<{_DOT_ATOM}@(?:{_DOT_ATOM}|{_LITERAL})>").fullmatch
# RFC 5322 s3.6.7
#   received       = "Received:" *received-token ";" date-time CRLF
#   received-token = word / angle-addr / addr-spec / domain
_WORDS: Final = f"(?:{_DOT_ATOM}|{grammar.QUOTED_STRING.pattern})"
_HOST: Final = f"(?:{_DOT_ATOM}|{_LITERAL})"
_TOKEN: Final = f"(?:{_WORDS}(?:@{_HOST})?|<{_WORDS}@{_HOST}>|{_LITERAL})"
_is_tokens: Final = re.compile(f"(?:{_TOKEN}(?: {_TOKEN})*+)?").fullmatch


def _check(stamp: Stamp, text: str, tolerance: Tolerance) -> None:
    """Note what RFC 5321 s4.4 would have otherwise, or refuse it."""
    if stamp.comments:
        tolerance.permit(INTEROP, "comment before the first clause", 0, "RFC 5321 s4.4", text)
    last = -1
    for clause, where in stamp.clauses:
        name = clause.name
        if not name:
            least = INTEROP if _is_tokens(clause.value) else LAX
            tolerance.permit(least, "words of no clause", where, "RFC 5321 s4.4", text)
        elif not _is_strict(name, clause.value, clause.comments):
            least = INTEROP if _is_tokens(clause.value) else LAX
            tolerance.permit(least, f"not what stands behind {name}", where, "RFC 5321 s4.4", text)
        # RFC 5321 s4.4: each at most once, in this order
        if name:
            if CLAUSES[name] <= last:
                tolerance.permit(INTEROP, f"{name} clause out of order", where, "RFC 5321 s4.4", text)
            last = max(CLAUSES[name], last)
    names = [clause.name for clause, _ in stamp.clauses]
    for name in ("from", "by"):
        if name not in names:
            tolerance.permit(INTEROP, f"no {name} clause", 0, "RFC 5321 s4.4", text)


def _is_strict(name: str, value: str, comments: tuple[str, ...]) -> bool:
    if name in ("from", "by"):
        try:
            _, end = parse_host(value, 0, Tolerance())
        except ParseError:
            return False
        # RFC 5321 s4.4: an address literal has TCP-info behind it
        return end == len(value) and (value[0] != "[" or bool(comments and is_tcp_info(comments[0])))
    if name == "for":
        try:
            mailbox = parse_path if value.startswith("<") else parse_mailbox
            return mailbox(value, 0, Tolerance())[1] == len(value)
        except ParseError:
            return False
    return bool(_is_atom(value) or (name == "id" and _is_msg_id(value)))
