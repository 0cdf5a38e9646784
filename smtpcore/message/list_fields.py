"""The fields of mailing lists: where to send what, and which list it is (RFC 2369, RFC 2919, RFC 8058)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, final

from ..errors import ParseError
from ..wire import grammar
from ..wire.tolerance import INTEROP, LAX, Defect, Tolerance
from ..wire.value import Value, assign, exact
from .cfws import _end_of_comment, read_comments, skip_cfws
from .trace import check_text, without_controls, write_comment

__all__ = ["ONE_CLICK", "ListId", "ListUrl", "ListUrls", "is_one_click"]

# RFC 3986 s2: what a URI is written with
_is_url: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*+:[!#$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]*+").fullmatch


@final
class ListUrl(Value):
    """One URL of a list field, with the comments on it."""

    __slots__ = ("comments", "url")
    __match_args__ = ("url", "comments")

    url: str  #: The URL, without angle brackets and white space.
    comments: tuple[str, ...]  #: For people: what it is good for.

    def __init__(self, url: str, comments: Iterable[str] = ()) -> None:
        if not _is_url(exact(url)):
            raise ParseError("not a URL", 0, "RFC 2369 s2", url)
        comments = tuple([exact(comment) for comment in comments])
        for comment in comments:
            check_text(comment, "a comment")
        _fill_url(self, exact(url), comments)

    def __str__(self) -> str:
        return self.url

    @property
    def scheme(self) -> str:
        """``mailto``, ``https``, in lower case."""
        return self.url.partition(":")[0].lower()


def _fill_url(found: ListUrl, url: str, comments: tuple[str, ...]) -> None:
    assign(found, "url", url)
    assign(found, "comments", comments)


@final
class ListUrls(Value):
    """The body of List-Help, List-Unsubscribe, List-Subscribe, List-Post, List-Owner or List-Archive (RFC 2369 s2).

    The first URL is the one that the list likes best. ``closed`` is the ``NO`` of List-Post: nobody may post.
    """

    __slots__ = ("closed", "comments", "defects", "urls")
    __match_args__ = ("urls", "closed", "comments")

    urls: tuple[ListUrl, ...]
    closed: bool  #: Whether the body is ``NO``, as in List-Post of a list for announcements.
    comments: tuple[str, ...]  #: Comments on ``NO``, or where there is no URL for them to stand behind.
    defects: tuple[Defect, ...]  #: What was let through when it was read, in order.

    def __init__(
        self, urls: Iterable[ListUrl | str] = (), *, closed: bool = False, comments: Iterable[str] = ()
    ) -> None:
        made = tuple([url if isinstance(url, ListUrl) else ListUrl(url) for url in urls])
        comments = tuple([exact(comment) for comment in comments])
        if bool(made) == closed or (made and comments):
            raise ParseError("either URLs or NO", 0, "RFC 2369 s2")
        for comment in comments:
            check_text(comment, "a comment")
        _fill_urls(self, made, closed, comments, ())

    @classmethod
    def parse(cls, text: str, tolerance: Tolerance | None = None) -> ListUrls:
        """Read the body of a list field. Raises ParseError."""
        tolerance = tolerance or Tolerance()
        return _parse_urls(without_controls(text, tolerance), tolerance)

    @classmethod
    def read(cls, text: str) -> ListUrls:
        """The same for any text at all: never raises."""
        return cls.parse(text, Tolerance(LAX))

    def of_scheme(self, *schemes: str) -> ListUrl | None:
        """The first URL of one of these schemes, such as ``https``, or None."""
        for url in self.urls:
            if url.scheme in schemes:
                return url
        return None

    def __str__(self) -> str:
        shown = [" ".join([f"<{url.url}>", *map(write_comment, url.comments)]) for url in self.urls]
        return " ".join(
            [*([", ".join(shown)] if shown else []), *["NO"] * self.closed, *map(write_comment, self.comments)]
        )


def _fill_urls(
    found: ListUrls, urls: tuple[ListUrl, ...], closed: bool, comments: tuple[str, ...], defects: tuple[Defect, ...]
) -> None:
    assign(found, "urls", urls)
    assign(found, "closed", closed)
    assign(found, "comments", comments)
    assign(found, "defects", defects)


# RFC 2369 s2: URLs stand in angle brackets with commas between them, comments in parentheses; white space within a URL
# does not count.
_ANGLE: Final = re.compile(r"<([^<>]*+)>")
_BLANK: Final = re.compile(r"[ \t]++")
_BARE: Final = re.compile(r"[^ \t,()<>]++")
_NO: Final = re.compile(r"(?i:no)(?![^ \t,(])")


def _parse_urls(text: str, tolerance: Tolerance) -> ListUrls:
    urls: list[tuple[str, list[str]]] = []
    early: list[str] = []  # comments before the first URL
    closed, comma = False, True
    pos, size = 0, len(text)
    while (pos := _past_blanks(text, pos)) < size:
        angle = _ANGLE.match(text, pos)
        bare = None if angle else _BARE.match(text, pos)
        if text[pos] == "(":
            note, pos = _read_note(text, pos, tolerance)
            (urls[-1][1] if urls and not comma else early).append(note)
            continue
        if text[pos] == ",":
            if comma:
                tolerance.permit(LAX, "nothing before the comma", pos, "RFC 2369 s2", text)
            comma = True
            pos += 1
            continue
        if not urls and not closed and _NO.match(text, pos):
            closed, comma = True, False
            pos += 2
            continue
        if closed or not comma:
            tolerance.permit(LAX, "no comma between URLs", pos, "RFC 2369 s2", text)
        if angle:
            url = _BLANK.sub("", angle[1])
            if url != angle[1]:
                tolerance.permit(INTEROP, "white space within a URL", pos, "RFC 2369 s2", text)
            where, pos = pos, angle.end()
        else:
            where, url = pos, bare[0] if bare else ""
            pos = bare.end() if bare else pos + 1
            tolerance.permit(LAX, "URL without angle brackets", where, "RFC 2369 s2", text)
        if _is_url(url):
            urls.append((url, early))
            early, closed = [], False
        else:
            tolerance.permit(LAX, "not a URL", where, "RFC 2369 s2", text)
        comma = False
    if not urls and not closed:
        tolerance.permit(LAX, "no URL", 0, "RFC 2369 s2", text)
    elif comma:
        tolerance.permit(LAX, "nothing after the comma", size, "RFC 2369 s2", text)
    if urls:
        urls[-1][1].extend(early)
        early = []
    made: list[ListUrl] = []
    for url, notes in urls:
        found = ListUrl.__new__(ListUrl)
        _fill_url(found, url, tuple(notes))
        made.append(found)
    result = ListUrls.__new__(ListUrls)
    defects = sorted(tolerance.defects, key=_position)
    _fill_urls(result, tuple(made), closed, tuple(early), tuple(defects))
    return result


def _position(defect: Defect) -> int:
    return defect.where


def _past_blanks(text: str, pos: int) -> int:
    found = _BLANK.match(text, pos)
    return found.end() if found else pos


def _read_note(text: str, pos: int, tolerance: Tolerance) -> tuple[str, int]:
    try:
        end = _end_of_comment(text, pos)
        return read_comments(text[pos:end], 0)[0][0], end
    except ParseError as error:
        tolerance.permit(LAX, error.why, error.where, error.rule, text)
        return text[pos + 1 :], len(text)


# --- List-Id -------------------------------------------------------------------------------------

# RFC 2919 s3
#   list-id-header = "List-ID:" [phrase] "<" list-id ">" CRLF
#   list-id        = list-label "." list-id-namespace
#   list-label     = dot-atom-text
#   list-id-namespace = domain-name / unmanaged-list-id-namespace
_is_id: Final = grammar.DOT_STRING.fullmatch
#: RFC 2919 s2: octets of a list identifier at most.
ID_LIMIT: Final = 255
_LAST_ANGLE: Final = re.compile(r"<([^<>]*+)>[ \t]*+(?:\([^()]*+\)[ \t]*+)*+")
_QUOTED: Final = re.compile(r'"((?:[^"\\]++|\\.)*+)"')
_PAIR: Final = re.compile(r"\\(.)")
# RFC 5322 s3.2.5
#   phrase = 1*word / obs-phrase
_is_phrase: Final = re.compile(f"[{grammar.ATEXT}]++(?:[ \\t]++[{grammar.ATEXT}]++)*+").fullmatch


@final
class ListId(Value):
    """Which list it is (RFC 2919): an identifier that stays when the list moves, and a description for people.

    Two are of the same list when ``key`` is equal.
    """

    __slots__ = ("defects", "description", "id")
    __match_args__ = ("id", "description")

    id: str  #: The identifier as written, such as ``dev.lists.crepes.fr``; empty where none could be read.
    description: str  #: What the list is called, without quotes; encoded-words are left as they are.
    defects: tuple[Defect, ...]  #: What was let through when it was read, in order.

    def __init__(self, id: str, description: str = "") -> None:
        _fill_id(self, exact(id), exact(description), ())
        check_text(description, "a description")
        ListId.parse(str(self))

    @classmethod
    def parse(cls, text: str, tolerance: Tolerance | None = None) -> ListId:
        """Read the body of a List-Id field. Raises ParseError."""
        tolerance = tolerance or Tolerance()
        return _parse_id(without_controls(text, tolerance), tolerance)

    @classmethod
    def read(cls, text: str) -> ListId:
        """The same for any text at all: never raises."""
        return cls.parse(text, Tolerance(LAX))

    @property
    def key(self) -> str:
        """What to compare lists by: case does not count (RFC 2919 s6)."""
        return self.id.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")

    def __str__(self) -> str:
        if not self.description:
            return f"<{self.id}>"
        if _is_phrase(self.description):
            return f"{self.description} <{self.id}>"
        escaped = self.description.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}" <{self.id}>'


def _fill_id(found: ListId, id: str, description: str, defects: tuple[Defect, ...]) -> None:
    assign(found, "id", id)
    assign(found, "description", description)
    assign(found, "defects", defects)


def _parse_id(text: str, tolerance: Tolerance) -> ListId:
    start = text.rfind("<")
    found = _LAST_ANGLE.fullmatch(text, start) if start >= 0 else None
    if found:
        id, phrase = found[1].strip(" \t"), text[:start]
        if id != found[1]:
            tolerance.permit(INTEROP, "white space within the identifier", start + 1, "RFC 2919 s3", text)
    else:
        tolerance.permit(LAX, "no identifier in angle brackets", max(start, 0), "RFC 2919 s3", text)
        id, phrase = text.strip(" \t"), ""
    if not _is_id(id) or len(id.encode("utf-8", "surrogatepass")) > ID_LIMIT or "." not in id:
        tolerance.permit(LAX, "not a list identifier", start + 1, "RFC 2919 s2", text)
        id = id if _is_id(id) else ""
    description = _parse_phrase(phrase, tolerance)
    made = ListId.__new__(ListId)
    _fill_id(made, id, description, tuple(sorted(tolerance.defects, key=_position)))
    return made


def _parse_phrase(text: str, tolerance: Tolerance) -> str:
    try:
        begin = skip_cfws(text, 0)
        quoted = _QUOTED.match(text, begin)
        if quoted and skip_cfws(text, quoted.end()) == len(text):
            return _PAIR.sub(r"\1", quoted[1])
    except ParseError:
        pass
    plain = text.strip(" \t")
    if plain and not _is_phrase(plain):
        tolerance.permit(LAX, "description that is no phrase", 0, "RFC 2919 s3", text)
    return plain


# --- List-Unsubscribe-Post -----------------------------------------------------------------------

#: RFC 8058 s8.1: the one body that a List-Unsubscribe-Post field can have.
ONE_CLICK: Final = "List-Unsubscribe=One-Click"


def is_one_click(text: str) -> bool:
    """Whether the body of a List-Unsubscribe-Post field allows unsubscribing by one POST request (RFC 8058 s3.1).

    A list has it only where List-Unsubscribe has an ``https`` URL too.
    """
    return text.strip(" \t").upper() == ONE_CLICK.upper() if text.isascii() else False
