"""AuthenticationResults: what a host of the receiving side found out about a message (RFC 8601).

Only a field of one's own border is worth anything: compare ``authserv_id`` first, for anybody can write the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, final

from ..errors import ParseError
from ..wire import grammar
from ..wire.tolerance import LAX, Defect, Tolerance
from ..wire.value import Value, assign, exact
from .auto_submitted import parse_value, write_value
from .cfws import _end_of_comment, read_comments
from .trace import check_text, without_controls, write_comment

__all__ = ["AuthProperty", "AuthResult", "AuthenticationResults"]

# RFC 8601 s2.2
#   authres-payload = [CFWS] authserv-id [ CFWS authres-version ] ( no-result / 1*resinfo ) [CFWS] CRLF
#   authserv-id     = value
#   authres-version = 1*DIGIT [CFWS]
#   no-result       = [CFWS] ";" [CFWS] "none"
#   resinfo         = [CFWS] ";" methodspec [ CFWS reasonspec ] [ CFWS 1*propspec ]
#   methodspec      = [CFWS] method [CFWS] "=" [CFWS] result
#   reasonspec      = "reason" [CFWS] "=" [CFWS] value
#   propspec        = ptype [CFWS] "." [CFWS] property [CFWS] "=" pvalue
#   method          = Keyword [ [CFWS] "/" [CFWS] method-version ]
# RFC 5321 s4.1.2
#   Keyword = Ldh-str
_KEYWORD: Final = re.compile(r"[A-Za-z0-9\-]*+(?<=[A-Za-z0-9])")
_VERSION: Final = re.compile(r"[0-9]{1,9}(?![^ \t;(])")
_NONE: Final = re.compile(r"(?i:none)(?![^ \t;(])")
# RFC 8601 s2.2
#   pvalue = [CFWS] ( value / [ [ local-part ] "@" ] domain-name ) [CFWS]
_ADDRESS: Final = re.compile(
    f"(?:{grammar.DOT_STRING.pattern}|{grammar.QUOTED_STRING.pattern})?@{grammar.DOMAIN.pattern}(?![^ \\t;(])"
)
# What is written there without the quotes that it needs: octets of base64, IPv6 addresses.
_UNQUOTED: Final = re.compile(r"[^ \t;()\"\\]*+")


def _check_keyword(word: str) -> None:
    if not _KEYWORD.fullmatch(exact(word)):
        raise ParseError("not a keyword", 0, "RFC 8601 s2.2", word)


@final
class AuthProperty(Value):
    """What a result is about: ``smtp.mailfrom=crepes.fr``, of ptype ``smtp`` (RFC 8601 s2.3) and name ``mailfrom``."""

    __slots__ = ("name", "ptype", "value")
    __match_args__ = ("ptype", "name", "value")

    ptype: str  #: ``smtp``, ``header``, ``body``, ``policy``, in lower case; empty for what Microsoft adds without one.
    name: str  #: In lower case.
    value: str  #: Without quotes.

    def __init__(self, ptype: str, name: str, value: str) -> None:
        for word in (ptype, name) if ptype else (name,):
            _check_keyword(word)
        check_text(value, "the value of a property")
        _fill_property(self, exact(ptype).lower(), exact(name).lower(), exact(value))

    def __str__(self) -> str:
        shown = self.value if _ADDRESS.fullmatch(self.value) else write_value(self.value)
        return f"{self.ptype}.{self.name}={shown}" if self.ptype else f"{self.name}={shown}"


def _fill_property(found: AuthProperty, ptype: str, name: str, value: str) -> None:
    assign(found, "ptype", ptype)
    assign(found, "name", name)
    assign(found, "value", value)


@final
class AuthResult(Value):
    """What one method says: ``dkim=pass`` with the reason and the properties."""

    __slots__ = ("comments", "method", "properties", "reason", "result", "version")
    __match_args__ = ("method", "result", "reason", "properties", "version", "comments")

    method: str  #: ``spf``, ``dkim``, ``dmarc``, ``auth``, ``iprev``, in lower case.
    result: str  #: ``pass``, ``fail``, ``none``, ``temperror``, in lower case.
    reason: str | None  #: For people, why.
    properties: tuple[AuthProperty, ...]  #: In their order.
    version: int  #: The version of the method; 1 where none is given.
    comments: tuple[str, ...]  #: For people, wherever they stood.

    def __init__(
        self,
        method: str,
        result: str,
        reason: str | None = None,
        properties: Iterable[AuthProperty] = (),
        version: int = 1,
        comments: Iterable[str] = (),
    ) -> None:
        for word in (method, result):
            _check_keyword(word)
        comments = tuple([exact(comment) for comment in comments])
        for text in (reason or "", *comments):
            check_text(text, "a result")
        if not 0 <= version < VERSIONS:
            raise ParseError("not a version", 0, "RFC 8601 s2.2", str(version))
        _fill_result(self, exact(method).lower(), exact(result).lower(), reason, tuple(properties), version, comments)

    def get(self, ptype: str, name: str) -> str | None:
        """The value of the first property of that ptype and name, such as ``header`` and ``d``, or None."""
        for each in self.properties:
            if each.ptype == ptype and each.name == name:
                return each.value
        return None

    def __str__(self) -> str:
        version = "" if self.version == 1 else f"/{self.version}"
        words = [f"{self.method}{version}={self.result}", *map(write_comment, self.comments)]
        if self.reason is not None:
            words.append(f"reason={write_value(self.reason)}")
        return " ".join([*words, *map(str, self.properties)])


#: Versions have at most nine digits, so that no number of a stranger's is long to work with.
VERSIONS: Final = 1_000_000_000


def _fill_result(
    found: AuthResult,
    method: str,
    result: str,
    reason: str | None,
    properties: tuple[AuthProperty, ...],
    version: int,
    comments: tuple[str, ...],
) -> None:
    assign(found, "method", method)
    assign(found, "result", result)
    assign(found, "reason", reason)
    assign(found, "properties", properties)
    assign(found, "version", version)
    assign(found, "comments", comments)


@final
class AuthenticationResults(Value):
    """The body of an Authentication-Results field (RFC 8601 s2.2). Without results it says ``none``."""

    __slots__ = ("authserv_id", "comments", "defects", "results", "version")
    __match_args__ = ("authserv_id", "results", "version", "comments")

    authserv_id: str  #: Who says so: to be compared without regard to case; empty where a field that was read has none.
    results: tuple[AuthResult, ...]  #: In their order; a method may have several.
    version: int  #: The version of the field; 1 where none is given.
    comments: tuple[str, ...]  #: Comments before the first result.
    defects: tuple[Defect, ...]  #: What was let through when it was read, in order.

    def __init__(
        self, authserv_id: str, results: Iterable[AuthResult] = (), version: int = 1, comments: Iterable[str] = ()
    ) -> None:
        comments = tuple([exact(comment) for comment in comments])
        for text in (authserv_id, *comments):
            check_text(text, "a result")
        if not authserv_id or not 0 <= version < VERSIONS:
            raise ParseError("nobody to say so, or not a version", 0, "RFC 8601 s2.2", authserv_id)
        _fill(self, exact(authserv_id), tuple(results), version, comments, ())

    @classmethod
    def parse(cls, text: str, tolerance: Tolerance | None = None) -> AuthenticationResults:
        """Read the body of an Authentication-Results field. Raises ParseError."""
        tolerance = tolerance or Tolerance()
        return _Reader(without_controls(text, tolerance), tolerance).read()

    @classmethod
    def read(cls, text: str) -> AuthenticationResults:
        """The same for any text at all: never raises. What cannot be understood is left out, and is never a pass."""
        return cls.parse(text, Tolerance(LAX))

    def of(self, method: str) -> tuple[AuthResult, ...]:
        """The results of a method, such as ``dkim``; a message may have several signatures."""
        return tuple([result for result in self.results if result.method == method])

    def __str__(self) -> str:
        words = [write_value(self.authserv_id)] if self.authserv_id else []
        if self.version != 1:
            words.append(str(self.version))
        words += map(write_comment, self.comments)
        return "; ".join([" ".join(words), *(map(str, self.results) if self.results else ["none"])])


def _fill(
    found: AuthenticationResults,
    authserv_id: str,
    results: tuple[AuthResult, ...],
    version: int,
    comments: tuple[str, ...],
    defects: tuple[Defect, ...],
) -> None:
    assign(found, "authserv_id", authserv_id)
    assign(found, "results", results)
    assign(found, "version", version)
    assign(found, "comments", comments)
    assign(found, "defects", defects)


class _Draft:
    """A result of which more may come."""

    __slots__ = ("method", "notes", "properties", "reason", "result", "version")

    def __init__(self, method: str, version: int, result: str) -> None:
        self.method, self.version, self.result = method, version, result
        self.reason: str | None = None
        self.properties: list[AuthProperty] = []
        self.notes: list[str] = []

    def made(self) -> AuthResult:
        found, more = AuthResult.__new__(AuthResult), (self.version, tuple(self.notes))
        _fill_result(found, self.method, self.result, self.reason, tuple(self.properties), *more)
        return found


class _Reader:
    """A text, how far it has been read, and the comments since the last result began."""

    __slots__ = ("notes", "pos", "text", "tolerance")

    def __init__(self, text: str, tolerance: Tolerance) -> None:
        self.text, self.tolerance = text, tolerance
        self.pos: int = 0
        self.notes: list[str] = []

    def read(self) -> AuthenticationResults:
        text, size = self.text, len(self.text)
        authserv_id, version = "", 1
        drafts: list[_Draft] = []
        none = False
        try:
            authserv_id, version = self._identity()
        except ParseError as error:
            self._give_up(error)
        comments, self.notes = tuple(self.notes), []
        while self.pos < size:
            start = self.pos
            self.pos += text.startswith(";", start)
            try:
                self._blanks()
                if _NONE.match(text, self.pos) and not drafts and not none:
                    self.pos += 4
                    self._blanks()
                    none = True
                else:
                    self._result(drafts)
                if self.pos < size and text[self.pos] != ";":
                    self._fail("text behind a result")
            except ParseError as error:
                self._give_up(error)
            self.notes = []
        results = tuple([draft.made() for draft in drafts])
        if none == bool(results):
            self.tolerance.permit(LAX, "either results or none", size, "RFC 8601 s2.2", text)
        found = AuthenticationResults.__new__(AuthenticationResults)
        defects = tuple(sorted(self.tolerance.defects, key=_position))
        _fill(found, authserv_id, results, version, comments, defects)
        return found

    def _fail(self, why: str) -> None:
        raise ParseError(why, self.pos, "RFC 8601 s2.2", self.text)

    def _give_up(self, error: ParseError) -> None:
        """Go on behind the next semicolon, where that is allowed."""
        self.tolerance.permit(LAX, error.why, error.where, error.rule, self.text)
        self._skip()

    def _skip(self) -> None:
        """Go to the next semicolon that is in no comment and in no quotes: what is in those is a stranger's."""
        text, size = self.text, len(self.text)
        while self.pos < size and text[self.pos] != ";":
            found = _FILLER.match(text, self.pos)
            if found:
                self.pos = found.end()
            else:
                try:
                    self.pos = _end_of_comment(text, self.pos)
                except ParseError:
                    self.pos = size  # half of a pair: all that follows may be within it

    def _blanks(self) -> None:
        notes, self.pos = read_comments(self.text, self.pos)
        self.notes += notes

    def _mark(self, mark: str) -> bool:
        """Whether that mark comes next, comments aside; it is passed over with what surrounds it."""
        self._blanks()
        if not self.text.startswith(mark, self.pos):
            return False
        self.pos += 1
        self._blanks()
        return True

    def _keyword(self) -> str:
        return self._match(_KEYWORD, "expected a keyword").lower()

    def _number(self) -> int:
        return int(self._match(_DIGITS, "expected a version"))

    def _match(self, pattern: re.Pattern[str], why: str) -> str:
        found = pattern.match(self.text, self.pos)
        if not found:
            raise ParseError(why, self.pos, "RFC 8601 s2.2", self.text)
        self.pos = found.end()
        return found[0]

    def _identity(self) -> tuple[str, int]:
        self._blanks()
        start = self.pos
        authserv_id, self.pos = parse_value(self.text, start, "RFC 8601 s2.2")
        self._blanks()
        if self.text.startswith(("=", "/"), self.pos):
            self.pos = start
            self.tolerance.permit(LAX, "no authserv-id", start, "RFC 8601 s2.2", self.text)
            return "", 1
        version = 1
        if _VERSION.match(self.text, self.pos):
            version = self._number()
            self._blanks()
        if self.pos < len(self.text) and self.text[self.pos] != ";":
            self.tolerance.permit(LAX, "text behind the authserv-id", self.pos, "RFC 8601 s2.2", self.text)
            self._skip()
        return authserv_id, version

    def _result(self, drafts: list[_Draft]) -> None:
        """One result, added to the others; or more properties of the last."""
        method = self._keyword()
        if drafts and self.text.startswith(".", self.pos):
            # A property behind a semicolon belongs to the result before it.
            self.tolerance.permit(LAX, "semicolon before a property", self.pos, "RFC 8601 s2.2", self.text)
            self.pos -= len(method)
            self._rest(drafts[-1])
            return
        version = self._number() if self._mark("/") else 1
        if not self._mark("="):
            self._fail("expected = after the method")
        result = self._keyword()
        if self.text[self.pos : self.pos + 1] not in ("", " ", "\t", ";", "("):
            self._fail("not a result")
        drafts.append(_Draft(method, version, result))
        self._rest(drafts[-1])

    def _rest(self, draft: _Draft) -> None:
        """What stands behind a result, as far as it can be understood."""
        self._blanks()
        while self.pos < len(self.text) and self.text[self.pos] != ";":
            start = self.pos
            try:
                ptype, name = "", self._keyword()
                if self._mark("."):
                    ptype, name = name, self._keyword()
                if not self._mark("="):
                    self._fail("expected = after a property")
                value = self._value()
            except ParseError as error:
                self._give_up(error)
                break
            self._blanks()
            if name == "reason" and not ptype and draft.reason is None and not draft.properties:
                draft.reason = value
                continue
            if not ptype:
                self.tolerance.permit(LAX, "property without a type", start, "RFC 8601 s2.2", self.text)
            found = AuthProperty.__new__(AuthProperty)
            _fill_property(found, ptype, name, value)
            draft.properties.append(found)
        draft.notes += self.notes

    def _value(self) -> str:
        address = _ADDRESS.match(self.text, self.pos)
        if address:
            self.pos = address.end()
            return address[0]
        try:
            value, end = parse_value(self.text, self.pos, "RFC 8601 s2.2")
            if self.text[end : end + 1] in ("", " ", "\t", ";", "("):
                self.pos = end
                return value
        except ParseError:
            pass
        self.tolerance.permit(LAX, "value without quotes", self.pos, "RFC 8601 s2.2", self.text)
        return self._match(_UNQUOTED, "expected a value")


# What has no semicolon that counts
_FILLER: Final = re.compile(r'(?:[^;("]++|"(?:[^"\\]++|\\.)*+")++')
_DIGITS: Final = re.compile(r"[0-9]{1,9}(?![0-9])")


def _position(defect: Defect) -> int:
    return defect.where
