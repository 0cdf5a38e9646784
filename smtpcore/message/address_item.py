"""One mailbox or group of an address list, token by token (RFC 5322 s3.4, s3.4.1, s4.4)."""

from __future__ import annotations

import re
from typing import Final

from ..errors import ParseError
from ..wire import grammar
from ..wire.address import Mailbox, parse_mailbox
from ..wire.tolerance import INTEROP, LAX, Defect, Tolerance
from .address import Address, Group, make_address, make_group
from .cfws import read_comments, skip_cfws
from .phrase import QUOTED_STRING, decode_phrase

__all__ = ["parse_addr_spec", "parse_item", "skip_item"]

# RFC 5322 s3.2.3, RFC 6532 s3.2
#   atom = [CFWS] 1*atext [CFWS]
_ATOM: Final = re.compile(r"[^\x00- \"(),.:;<>@\[\\\]\x7f]++")
# RFC 5322 s3.4.1, s4.4
#   domain         = dot-atom / domain-literal / obs-domain
#   domain-literal = [CFWS] "[" *([FWS] dtext) [FWS] "]" [CFWS]
#   dtext          = %d33-90 / %d94-126 / obs-dtext
_DOMAIN_LITERAL: Final = re.compile(r"\[[^\[\]\\\x00-\x08\x0a-\x1f\x7f]*+\]")


class _Words:
    """What stands at the start of an element: words and dots, of which a phrase or a local-part is made."""

    __slots__ = ("apart", "dots", "end", "pieces", "quoted", "start")

    def __init__(self, start: int) -> None:
        self.start = self.end = start  # where it begins, and where its last token ends
        self.pieces: list[str] = []  # words, dots, and the spaces between
        self.dots = -1  # where the first dot is
        self.apart = -1  # where the first space or comment between two tokens is
        self.quoted = False

    def __str__(self) -> str:
        return "".join(self.pieces)


def _parse_words(text: str, pos: int) -> tuple[_Words, int]:
    """``*(word / "." / CFWS)`` at ``pos``, and the offset behind the white space and comments that follow."""
    words = _Words(pos)
    pieces = words.pieces
    gap = False
    while True:
        found = _ATOM.match(text, pos)
        if not found and text.startswith('"', pos):
            found = QUOTED_STRING.match(text, pos)
            if not found:
                raise ParseError("quoted string without an end", pos, "RFC 5322 s3.2.4", text)
            words.quoted = True
        if found:
            token, end = found[0], found.end()
        elif pieces and text.startswith(".", pos):
            token, end = ".", pos + 1
            if words.dots < 0:
                words.dots = pos
        else:
            return words, pos
        if gap:
            pieces.append(" ")
            if words.apart < 0:
                words.apart = words.end
        pieces.append(token)
        words.end = end
        if text[end : end + 1] in _OPENS_CFWS:
            pos, gap = skip_cfws(text, end), True
        else:
            pos, gap = end, False


_OPENS_CFWS: Final = frozenset(" \t(")


def parse_item(text: str, pos: int, tolerance: Tolerance) -> tuple[Address | Group, int]:
    """``address`` at ``pos``, which is not white space, and the offset behind it and the comments that follow.

    Raises ParseError for what is neither a mailbox nor a group.
    """
    words, pos = _parse_words(text, pos)
    if text.startswith(":", pos) and words.pieces:
        return _parse_group(text, pos, words, tolerance)
    return _parse_mailbox(text, pos, words, tolerance)


def _parse_group(text: str, pos: int, words: _Words, tolerance: Tolerance) -> tuple[Group, int]:
    # RFC 5322 s3.4, s4.4
    #   group          = display-name ":" [group-list] ";" [CFWS]
    #   group-list     = mailbox-list / CFWS / obs-group-list
    name = decode_phrase(_checked_phrase(text, words, tolerance))
    members: list[Address] = []
    pos = skip_cfws(text, pos + 1)
    comma = False  # whether one stands before
    while pos < len(text) and text[pos] != ";":
        if text[pos] == ",":
            tolerance.permit(INTEROP, "nothing between commas", pos, "RFC 5322 s4.4", text)
        else:
            words, pos = _parse_words(text, pos)
            if text.startswith(":", pos):
                raise ParseError("a group within a group", pos, "RFC 5322 s3.4", text)
            member, pos = _parse_mailbox(text, pos, words, tolerance)
            members.append(member)
        comma = text.startswith(",", pos)
        if comma:
            pos = skip_cfws(text, pos + 1)
        elif pos < len(text) and text[pos] != ";":
            raise ParseError("text behind an address", pos, "RFC 5322 s3.4", text)
    if comma:
        tolerance.permit(INTEROP, "nothing behind a comma", pos, "RFC 5322 s4.4", text)
    if pos == len(text):
        tolerance.permit(LAX, "group without its semicolon", pos, "RFC 5322 s3.4", text)
        return make_group(name, members), pos
    return make_group(name, members), skip_cfws(text, pos + 1)


def _parse_mailbox(text: str, pos: int, words: _Words, tolerance: Tolerance) -> tuple[Address, int]:
    """``mailbox``, of which the words it begins with have been read."""
    if text.startswith("<", pos):
        phrase = _checked_phrase(text, words, tolerance)
        mailbox, pos = _parse_angle(text, pos, tolerance)
        return make_address(phrase, mailbox), skip_cfws(text, pos)
    if text.startswith("@", pos) and words.pieces:
        mailbox, pos = _parse_spec(text, pos, words, tolerance)
        if text.startswith("<", angle := skip_cfws(text, pos)):
            return _parse_twice(text, angle, mailbox, tolerance)
        comments, pos = read_comments(text, pos)
        # RFC 822 s6.1: who had no phrase put the name into a comment behind the address
        return make_address(_as_phrase(comments[-1]) if comments else "", mailbox), pos
    if text.startswith(",", pos) and words.pieces:
        return _parse_comma_name(text, pos, words, tolerance)
    raise ParseError("expected an address", pos, "RFC 5322 s3.4", text)


def _parse_twice(text: str, pos: int, mailbox: Mailbox, tolerance: Tolerance) -> tuple[Address, int]:
    """``alice@crepes.fr <alice@crepes.fr>``, which cannot be read in two ways while both are one."""
    again, end = _parse_angle(text, pos, tolerance)
    if again != mailbox:
        raise ParseError("an address in brackets behind another", pos, "RFC 5322 s3.4", text)
    tolerance.permit(LAX, "an address for a name", pos, "RFC 5322 s3.4", text)
    return make_address(_as_phrase(str(mailbox)), again), skip_cfws(text, end)


def _parse_comma_name(text: str, pos: int, words: _Words, tolerance: Tolerance) -> tuple[Address, int]:
    """A name with commas that nobody quoted, ``Smith, John <john@smith.example>``: sure only with brackets."""
    start, comma = words.start, pos
    while text.startswith(",", pos):
        words, pos = _parse_words(text, skip_cfws(text, pos + 1))
        if not words.pieces:
            break
    if not words.pieces or not text.startswith("<", pos):
        raise ParseError("a name without an address", start, "RFC 5322 s3.4", text)
    tolerance.permit(LAX, "unquoted comma in a name", comma, "RFC 5322 s3.4", text)
    mailbox, end = _parse_angle(text, pos, tolerance)
    return make_address(text[start : words.end], mailbox), skip_cfws(text, end)


def _checked_phrase(text: str, words: _Words, tolerance: Tolerance) -> str:
    phrase = str(words)
    # RFC 5322 s4.1
    #   obs-phrase = word *(word / "." / CFWS)
    if words.dots >= 0:
        tolerance.permit(INTEROP, "dot in a name without quotes", words.dots, "RFC 5322 s4.1", text)
    if not phrase.isascii():
        bad = _NO_TEXT.search(text, words.start, words.end)
        if bad:
            tolerance.permit(LAX, "not UTF-8", bad.start(), "RFC 6532 s3.1", text)
    return phrase


def _as_phrase(comment: str) -> str:
    """A comment as words that say the same."""
    if '"' not in comment:
        return comment
    escaped = comment.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _parse_angle(text: str, pos: int, tolerance: Tolerance) -> tuple[Mailbox, int]:
    # RFC 5322 s3.4, s4.4
    #   angle-addr     = [CFWS] "<" addr-spec ">" [CFWS] / obs-angle-addr
    #   obs-angle-addr = [CFWS] "<" obs-route addr-spec ">" [CFWS]
    start = pos
    pos = skip_cfws(text, pos + 1)
    if text.startswith(("@", ","), pos):
        pos = skip_cfws(text, _parse_route(text, pos, tolerance))
    mailbox, pos = parse_addr_spec(text, pos, tolerance)
    pos = skip_cfws(text, pos)
    if not text.startswith(">", pos):
        why = "expected > behind the address" if pos < len(text) else "bracket without an end"
        raise ParseError(why, pos if pos < len(text) else start, "RFC 5322 s3.4", text)
    return mailbox, pos + 1


def _parse_route(text: str, pos: int, tolerance: Tolerance) -> int:
    """The offset behind a route, which is dropped."""
    # RFC 5322 s4.4
    #   obs-route       = obs-domain-list ":"
    #   obs-domain-list = *(CFWS / ",") "@" domain *("," [CFWS] ["@" domain])
    tolerance.permit(INTEROP, "source route", pos, "RFC 5322 s4.4", text)
    hosts = 0
    while not text.startswith(":", pos):
        if text.startswith("@", pos):
            _, pos = _parse_domain(text, pos + 1)
            hosts += 1
            pos = skip_cfws(text, pos)
            if text.startswith(":", pos):
                break
        if not text.startswith(",", pos):
            raise ParseError("expected a comma or the colon of a route", pos, "RFC 5322 s4.4", text)
        pos = skip_cfws(text, pos + 1)
    if not hosts:
        raise ParseError("a route without a host", pos, "RFC 5322 s4.4", text)
    return pos + 1


# --- addr-spec -----------------------------------------------------------------------------------


def parse_addr_spec(text: str, pos: int, tolerance: Tolerance) -> tuple[Mailbox, int]:
    """``addr-spec`` at ``pos``, without what stands behind it."""
    plain = grammar.PLAIN_MAILBOX.match(text, pos)
    if plain and text[plain.end() : plain.end() + 1] in _ENDS:
        return parse_mailbox(text, pos, tolerance)
    words, pos = _parse_words(text, pos)
    if not words.pieces or not text.startswith("@", pos):
        raise ParseError("expected an address", pos, "RFC 5322 s3.4.1", text)
    return _parse_spec(text, pos, words, tolerance)


_ENDS: Final = frozenset(["", ">", ","])


def _parse_spec(text: str, pos: int, words: _Words, tolerance: Tolerance) -> tuple[Mailbox, int]:
    """``addr-spec`` of which the local-part has been read, as words; ``pos`` is that of the ``@``."""
    # RFC 5322 s3.4.1
    #   addr-spec = local-part "@" domain
    one = words.apart < 0 and pos == words.end and not (words.quoted and len(words.pieces) > 1)
    if one and text[pos + 1 : pos + 2] not in _OPENS_CFWS:
        mailbox, end = parse_mailbox(text, words.start, trial := Tolerance(tolerance.level))
        # White space or a comment may stand between a label and its dot.
        if text[end - 1] != "." and not text.startswith(".", skip_cfws(text, end)):
            tolerance.defects += trial.defects
            return mailbox, end
    local_part = _parse_local_part(text, words, tolerance)
    domain, end = _parse_domain(text, pos + 1)
    spec = f"{local_part}@{domain}"
    if spec != text[words.start : end]:
        # RFC 5322 s3.4.1: "Comments and folding white space SHOULD NOT be used around the "@" in the addr-spec."
        why = "address not written as one"
        tolerance.permit(INTEROP, why, words.start, "RFC 5322 s3.4.1", text)
    trial = Tolerance(tolerance.level)
    try:
        mailbox, size = parse_mailbox(spec, 0, trial)
        if size != len(spec):
            raise ParseError("not a domain", size, "RFC 5321 s4.1.2", spec)
    except ParseError as error:
        raise ParseError(error.why, words.start, error.rule, text) from None
    for defect in trial.defects:
        tolerance.defects.append(Defect(defect.rule, defect.why, words.start))
    return mailbox, end


def _parse_local_part(text: str, words: _Words, tolerance: Tolerance) -> str:
    # RFC 5322 s3.4.1, s4.4
    #   local-part     = dot-atom / quoted-string / obs-local-part
    #   obs-local-part = word *("." word)
    tokens = [piece for piece in words.pieces if piece != " "]
    if not len(tokens) % 2 or tokens[1::2] != ["."] * (len(tokens) // 2) or "." in tokens[::2]:
        raise ParseError("words before the @ without dots between", words.start, "RFC 5322 s3.4.1", text)
    if not words.quoted or len(tokens) == 1:
        return "".join(tokens)
    tolerance.permit(INTEROP, "quotes within a local-part", words.start, "RFC 5322 s4.4", text)
    parts = [_PAIR.sub(r"\1", token[1:-1]) if token[0] == '"' else token for token in tokens]
    inner = "".join(parts).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{inner}"'


def _parse_domain(text: str, pos: int) -> tuple[str, int]:
    """The text of a ``domain`` at ``pos``, without the white space and comments in it."""
    pos = skip_cfws(text, pos)
    literal = _DOMAIN_LITERAL.match(text, pos)
    if literal:
        return literal[0].replace(" ", "").replace("\t", ""), literal.end()
    # RFC 5322 s4.4
    #   obs-domain = atom *("." atom)
    labels: list[str] = []
    while True:
        atom = _ATOM.match(text, pos)
        if not atom:
            raise ParseError("expected a domain", pos, "RFC 5322 s3.4.1", text)
        labels.append(atom[0])
        pos = skip_cfws(text, end := atom.end())
        if not text.startswith(".", pos):
            return ".".join(labels), end
        pos = skip_cfws(text, pos + 1)


_PAIR: Final = re.compile(r"\\(.)")
_NO_TEXT: Final = re.compile(r"[\ud800-\udfff]")

# --- what is left out ----------------------------------------------------------------------------

_SKIPPED: Final = re.compile(r'(?:[^",;:(<]++|"(?:[^"\\]++|\\.)*+"|<[^>]*+>)*+', re.DOTALL)
_MORE_THAN_WORDS: Final = re.compile(r"[<>@\[\]]")


def skip_item(text: str, pos: int) -> int:
    """The offset behind an element that begins at ``pos`` and is none, and behind the comma that ends it.

    Words that no address follows may be a part of the name behind the comma, which goes with them.
    """
    words = True  # nothing else so far
    group = False
    while pos < len(text):
        found = _SKIPPED.match(text, pos)
        end = found.end() if found else pos
        words = words and not _MORE_THAN_WORDS.search(text, pos, end)
        pos, octet = end + 1, text[end : end + 1]
        if octet == "(":
            try:
                pos = skip_cfws(text, end)
            except ParseError:
                return len(text)
        elif octet == ":":
            group, words = True, False
        elif octet == ";" or (octet == "," and not group and not words):
            return pos
        elif octet != ",":  # the end, or an opening without one
            return len(text)
    return len(text)
