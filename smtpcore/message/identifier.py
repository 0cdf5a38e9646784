"""MessageId: what a message is called, and MessageIdList: what it answers and refers to (RFC 5322 s3.6.4)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, final

from ..errors import ParseError
from ..wire import grammar
from ..wire.tolerance import INTEROP, LAX, Defect, Tolerance
from ..wire.value import Value, assign
from .cfws import skip_cfws

__all__ = ["MessageId", "MessageIdList"]

# RFC 5322 s3.6.4
#   msg-id          = [CFWS] "<" id-left "@" id-right ">" [CFWS]
#   id-left         = dot-atom-text / obs-id-left
#   id-right        = dot-atom-text / no-fold-literal / obs-id-right
#   no-fold-literal = "[" *dtext "]"
# RFC 6532 s3.2
#   atext =/ UTF8-non-ascii
_DOT_ATOM = grammar.DOT_STRING.pattern
_ID: Final = re.compile(rf"{_DOT_ATOM}@(?:{_DOT_ATOM}|\[[!-Z^-~]*+\])")
# RFC 5322 s4.5.4
#   obs-id-left = local-part
#   obs-id-right = domain
_OLD_ID: Final = re.compile(
    rf'(?:{_DOT_ATOM}|"(?:[^"\\\x00- \x7f]++|\\[!-~])*+")@(?:{_DOT_ATOM}|\[[!-Z^-~]*+\])'
)  # without the white space that it may have
# What is seen: anything between brackets without white space, with and without an "@".
_ANY_ID: Final = re.compile(r"[^<>\x00- \x7f]++")
_BRACKETS: Final = re.compile(r"<([^<>]*+)>")
_BARE: Final = re.compile(r"[^<>(),;\x00- \"\x7f]++")
_NOT_TEXT: Final = re.compile(r"[\x00-\x20\x7f<>\ud800-\udfff]")


@final
class MessageId(Value):
    """An identifier, ``<left@right>`` on the wire, ``left@right`` as text. Case counts.

    Raises ParseError for what nobody could read again: nothing, white space, controls, ``<`` and ``>``.
    """

    __slots__ = ("defects", "text")
    __match_args__ = ("text",)

    text: str  #: What stands between the brackets.
    defects: tuple[Defect, ...]  #: What was wrong with the text it was read from.

    def __init__(self, text: str) -> None:
        bad = _NOT_TEXT.search(text)
        if bad or not text:
            raise ParseError("not an identifier", bad.start() if bad else 0, "RFC 5322 s3.6.4", text)
        assign(self, "text", str.__str__(text))
        assign(self, "defects", ())

    @classmethod
    def parse(cls, text: str, tolerance: Tolerance | None = None) -> MessageId:
        """Read one identifier with its brackets. Raises ParseError.

        INTEROP lets through quotes on the left (RFC 5322 s4.5.4), LAX one without ``@`` or brackets.
        """
        tolerance = tolerance or Tolerance()
        before = len(tolerance.defects)
        found, end = parse_identifier(text, skip_cfws(text, 0), tolerance)
        if end != len(text):
            raise ParseError("text behind the identifier", end, "RFC 5322 s3.6.4", text)
        assign(found, "defects", tuple(tolerance.defects[before:]))
        return found

    @classmethod
    def read(cls, text: str) -> MessageId | None:
        """The first identifier in ``text``, with its defects; None where there is none. Never raises."""
        several = MessageIdList.read(text)
        if not several.items:
            return None
        found = several.items[0]
        more = (Defect("RFC 5322 s3.6.4", "more than one identifier", 0),) if len(several) > 1 else ()
        assign(found, "defects", several.defects + more)
        return found

    @property
    def left(self) -> str:
        """What stands before the last ``@``; all of one without."""
        left, at, right = self.text.rpartition("@")
        return left if at else right

    @property
    def right(self) -> str:
        """What stands behind the last ``@``, a domain as a rule; nothing in one without."""
        return self.text.rpartition("@")[2] if "@" in self.text else ""

    def __str__(self) -> str:
        return f"<{self.text}>"


@final
class MessageIdList(Value):
    """The identifiers of References or In-Reply-To, in their order."""

    __slots__ = ("defects", "items")
    __match_args__ = ("items",)

    items: tuple[MessageId, ...]
    defects: tuple[Defect, ...]  #: What was wrong with the text it was read from.

    def __init__(self, items: Iterable[MessageId] = ()) -> None:
        items = tuple(items)
        for item in items:
            if not isinstance(item, MessageId):
                raise TypeError(f"a list of identifiers is made of MessageId objects, not {type(item).__name__}")
        assign(self, "items", items)
        assign(self, "defects", ())

    @classmethod
    def parse(cls, text: str, tolerance: Tolerance | None = None) -> MessageIdList:
        """Read identifiers with space or comments between them, at least one. Raises ParseError.

        INTEROP lets through words between them, which mean nothing (RFC 5322 s4.5.4), LAX commas.
        """
        tolerance = tolerance or Tolerance()
        before = len(tolerance.defects)
        items: list[MessageId] = []
        pos = skip_cfws(text, 0)
        while pos < len(text):
            if text[pos] != "<":
                pos = skip_cfws(text, _skip_words(text, pos, tolerance))
                continue
            found, pos = parse_identifier(text, pos, tolerance)
            items.append(found)
        if not items:
            raise ParseError("no identifier", 0, "RFC 5322 s3.6.4", text)
        return _made(tuple(items), tuple(tolerance.defects[before:]))

    @classmethod
    def read(cls, text: str) -> MessageIdList:
        """All that stands between brackets, with what is wrong; the words where nothing does. Never raises."""
        tolerance = Tolerance(LAX)
        try:
            return cls.parse(text, tolerance)
        except ParseError as error:
            defects = (*tolerance.defects, Defect(error.rule, error.why, error.where))
        # Of words without brackets only what has an "@" can be meant as one.
        found = _BRACKETS.findall(text) if "<" in text else [each for each in _BARE.findall(text) if "@" in each]
        items = [_made_id(each) for each in found if _ANY_ID.fullmatch(each)]
        return _made(tuple([each for each in items if not _NOT_TEXT.search(each.text)]), defects)

    def __iter__(self) -> Iterator[MessageId]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __str__(self) -> str:
        return " ".join(map(str, self.items))


def _made(items: tuple[MessageId, ...], defects: tuple[Defect, ...]) -> MessageIdList:
    found = MessageIdList.__new__(MessageIdList)
    assign(found, "items", items)
    assign(found, "defects", defects)
    return found


def _made_id(text: str) -> MessageId:
    found = MessageId.__new__(MessageId)
    assign(found, "text", text)
    assign(found, "defects", ())
    return found


def parse_identifier(text: str, pos: int, tolerance: Tolerance) -> tuple[MessageId, int]:
    """``msg-id`` at ``pos``, and the offset behind the white space and comments that follow it."""
    found = _BRACKETS.match(text, pos)
    if not found:
        bare = _BARE.match(text, pos)
        if not bare:
            raise ParseError("expected an identifier", pos, "RFC 5322 s3.6.4", text)
        tolerance.permit(LAX, "no brackets around the identifier", pos, "RFC 5322 s3.6.4", text)
        inner, inside, end = bare[0], pos, bare.end()
    else:
        inner, inside, end = found[1], pos + 1, found.end()
    plain = _ID.match(inner)
    if not plain or plain.end() < len(inner):
        tight = inner.translate(_NO_SPACE)
        if tight != inner:
            tolerance.permit(INTEROP, "white space within an identifier", inside, "RFC 5322 s4.5.4", text)
        if not _ID.fullmatch(tight):
            least = INTEROP if _OLD_ID.fullmatch(tight) else LAX
            if not _ANY_ID.fullmatch(tight):
                raise ParseError("not an identifier", inside, "RFC 5322 s3.6.4", text)
            tolerance.permit(least, "not the form of an identifier", inside, "RFC 5322 s3.6.4", text)
        inner = tight
    bad = _NOT_TEXT.search(inner) if not inner.isascii() else None
    if bad:
        raise ParseError("not UTF-8", inside + bad.start(), "RFC 6532 s3.1", text)
    return _made_id(inner), skip_cfws(text, end)


_NO_SPACE: Final = {0x20: None, 0x09: None}
_WORD: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"|[^<("\x00- \x7f]++|.', re.DOTALL)


def _skip_words(text: str, pos: int, tolerance: Tolerance) -> int:
    """The offset behind one word between identifiers."""
    # RFC 5322 s4.5.4
    #   obs-in-reply-to = "In-Reply-To" *WSP ":" *(phrase / msg-id) CRLF
    found = _WORD.match(text, pos)
    end = found.end() if found else pos + 1
    if text[pos] in "()\\" or text[pos] < " " or text[pos:end] == '"':
        raise ParseError("neither an identifier nor a word", pos, "RFC 5322 s4.5.4", text)
    least = LAX if text[pos] in ",;" else INTEROP
    tolerance.permit(least, "words between identifiers", pos, "RFC 5322 s4.5.4", text)
    return end
