"""Folding: one header field as the lines it travels in (RFC 5322 s2.2.3).

A line end goes before white space that is there already, so taking it out again (unfolding)
gives the same text back, whatever the field means. It never goes where the text of a field would
change for somebody: within a quoted string, within an encoded-word, or where a line of white
space alone would come out, which some readers take for the end of the header.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ..errors import ParseError

__all__ = ["LINE_LENGTH", "LINE_LIMIT", "fold", "unfold"]

#: RFC 5322 s2.1.1: characters that a line should have at most, without its CRLF.
LINE_LENGTH: Final = 78
#: RFC 5322 s2.1.1: octets that a line must have at most, without its CRLF.
LINE_LIMIT: Final = 998

# RFC 5322 s3.6.8
#   field-name = 1*ftext
#   ftext      = %d33-57 / %d59-126
_NAME: Final = re.compile(r"[!-9;-~]++")

# RFC 5322 s2.2: a body holds no CR and no LF but those of folding; of the other controls TAB alone has a meaning.
# Surrogates stand for octets that are no text, and what is written anew is text.
_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")

# A quoted string, for as far as nothing in it has to be understood (RFC 5322 s3.2.4)
#   quoted-string = DQUOTE *([FWS] qcontent) [FWS] DQUOTE
_QUOTED: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"')
_SPACE: Final = re.compile(r"[ \t]++")
_BLACK: Final = re.compile(r'[^ \t"]++')


def fold(name: str, body: str, *, utf8: bool = False, length: int = LINE_LENGTH) -> bytes:
    """The octets of the field ``name: body``, in lines of at most ``length`` characters where it can be had.

    ``body`` is unfolded; its white space is kept as it is. With ``utf8`` it may hold characters
    beyond ASCII (RFC 6532 s3.2), for a message that goes by SMTPUTF8. A word longer than a line
    gets a line of its own.

    Raises ParseError for a name that is none (RFC 5322 s3.6.8), for a character that no body can
    hold (RFC 5322 s2.2), for one beyond ASCII without ``utf8``, and where a line of more than
    998 octets could not be helped (RFC 5322 s2.1.1).
    """
    if len(name) + len(body) < length - 2 and body.isascii() and body.isprintable() and _NAME.fullmatch(name):
        # Nothing to fold and nothing to refuse; white space at the end is taken off, as below.
        body = body.rstrip(" ")
        return f"{name}:{body}\r\n".encode() if not body or body[0] == " " else f"{name}: {body}\r\n".encode()
    if not _NAME.fullmatch(name):
        bad = _NAME.match(name)
        raise ParseError("not a field name", bad.end() if bad else 0, "RFC 5322 s3.6.8", name)
    # Of ASCII all that is printable may stand there, and nothing else but TAB.
    if not body.isascii() or not body.isprintable():
        _check(body, utf8)
    body = body.rstrip(" \t")
    # What else there is has to be looked at word by word.
    if '"' not in body and "  " not in body and "\t" not in body and length <= _SHORT:
        return _fold_plain(f"{name}:{body}" if not body or body[0] == " " else f"{name}: {body}", length)
    lines: list[str] = []
    line = f"{name}:"
    for white, black in _words(body if not body or body[0] in " \t" else f" {body}"):
        if len(line) + len(white) + len(black) > length or _too_long(line, white, black):
            lines.append(line)
            line = ""
        line += white + black
    lines.append(line)
    octets = [text.encode() for text in lines]
    for text in octets:
        if len(text) > LINE_LIMIT:
            raise ParseError(f"no place to fold within {LINE_LIMIT} octets", 0, "RFC 5322 s2.1.1", body)
    return b"\r\n".join(octets) + b"\r\n"


#: Characters of which no line of text can have too many octets.
_SHORT: Final = LINE_LIMIT // 4


def _check(body: str, utf8: bool) -> None:
    found = _FORBIDDEN.search(body)
    if found:
        raise ParseError("character not allowed in a header field", found.start(), "RFC 5322 s2.2", body)
    if not utf8 and not body.isascii():
        where = next(at for at, character in enumerate(body) if not character.isascii())
        raise ParseError("beyond ASCII: encode it as words, or ask for UTF-8", where, "RFC 5322 s2.2", body)


def _fold_plain(text: str, length: int) -> bytes:
    """The same for a field of words with one space between each two, and no quotes."""
    lines: list[str] = []
    start, size = 0, len(text)
    while size - start > length:
        end = text.rfind(" ", start + 1, start + length + 1)
        if end < 0:
            end = text.find(" ", start + 1)
            if end < 0:
                break
        lines.append(text[start:end])
        start = end
    lines.append(text[start:])
    if max(map(len, lines)) > _SHORT and max([len(line.encode()) for line in lines]) > LINE_LIMIT:
        raise ParseError(f"no place to fold within {LINE_LIMIT} octets", 0, "RFC 5322 s2.1.1", text)
    return ("\r\n".join(lines) + "\r\n").encode()


def _too_long(line: str, white: str, black: str) -> bool:
    """Whether a line has too many octets, although few characters; so only for a length of one's own."""
    return 4 * (len(line) + len(white) + len(black)) > LINE_LIMIT and len(f"{line}{white}{black}".encode()) > LINE_LIMIT


def _words(text: str) -> Iterator[tuple[str, str]]:
    """The places to fold: white space, and what stands behind it up to the next place."""
    pos, size = 0, len(text)
    quotes = True  # until one is found that nothing closes: what is behind it is no quoted string
    while pos < size:
        space = _SPACE.match(text, pos)
        start = pos = space.end() if space else pos
        white = space[0] if space else ""
        while pos < size and text[pos] not in " \t":
            found = _BLACK.match(text, pos)
            if not found and quotes:
                found = _QUOTED.match(text, pos)
                quotes = found is not None
            pos = found.end() if found else pos + 1
        yield white, text[start:pos]


_FOLD: Final = re.compile(r"\r\n(?=[ \t])")


def unfold(text: str) -> str:
    """The text without its folding: each CRLF before white space is taken out (RFC 5322 s2.2.3)."""
    return _FOLD.sub("", text)
