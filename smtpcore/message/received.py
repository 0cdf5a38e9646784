"""Received: what each host writes on top of a message that it takes (RFC 5321 s4.4).

The field is clauses, each a name and what it says, and behind a semicolon the date. The comments between them hold
half of what is known about the hop, so they stay with their clause. :meth:`Received.build` writes one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias, final

from ..errors import ParseError
from ..wire import grammar
from ..wire.address import Mailbox, Postmaster
from ..wire.host import AddressLiteral, parse_host
from ..wire.path import parse_path
from ..wire.tolerance import LAX, Defect, Tolerance
from ..wire.value import Value, assign, exact
from .date import DateTime
from .stamp import CLAUSES, Clause, parse_stamp
from .trace import check_text, without_controls, write_comment
from .trace_host import TraceHost, from_clause, read_host

__all__ = ["Clause", "Received", "TraceHost", "with_keyword"]

#: What a recipient is given as.
Recipient: TypeAlias = Mailbox | Postmaster | str


@final
class Received(Value):
    """One Received field: its clauses in their order, and the date.

    ``from_``, ``by``, ``via``, ``with_``, ``id``, ``for_`` and ``tls`` are what the first clause of that name says, or
    None. ``str()`` is the field on one line; ``read`` gives the same value back from it.
    """

    __slots__ = ("clauses", "comments", "date", "date_text", "defects")
    __match_args__ = ("clauses", "date_text", "comments")

    clauses: tuple[Clause, ...]
    date_text: str  #: What stands behind the semicolon, as written, with the comments on it.
    date: DateTime | None  #: The date in that; None where none can be read.
    comments: tuple[str, ...]  #: Comments before the first clause: ``qmail 123 invoked by uid 0``.
    defects: tuple[Defect, ...]  #: What was let through when it was read, in order.

    def __init__(self, clauses: Iterable[Clause], date: DateTime | str = "", comments: Iterable[str] = ()) -> None:
        clauses, comments, date_text = tuple(clauses), tuple(comments), str(date)
        check_text(date_text, "a date")
        for comment in comments:
            check_text(comment, "a comment")
        _fill(self, clauses, date_text, comments, DateTime.read(date_text) or None, ())
        if Received.read(str(self)) != self:
            raise ParseError("clauses that would be read as others", 0, "RFC 5321 s4.4", str(self))

    @classmethod
    def parse(cls, text: str, tolerance: Tolerance | None = None) -> Received:
        """Read the body of a Received field. Raises ParseError.

        As strict as RFC 5321 s4.4 by default. INTEROP takes what RFC 5322 s3.6.7 does, words in any order and none at
        all; LAX takes what else is out there, but for nothing.
        """
        tolerance = tolerance or Tolerance()
        text = without_controls(text, tolerance)
        stamp = parse_stamp(text, tolerance)
        found = cls.__new__(cls)
        clauses = tuple([clause for clause, _ in stamp.clauses])
        date = _parse_date(stamp.date_text, text.find(stamp.date_text, stamp.date_pos), tolerance)
        defects = tuple(sorted(tolerance.defects, key=_position))
        _fill(found, clauses, stamp.date_text, tuple(stamp.comments), date, defects)
        return found

    @classmethod
    def build(
        cls,
        from_name: str,
        address: str | None,
        *,
        by: str,
        with_: str,
        date: DateTime | str,
        reverse_name: str | None = None,
        via: str | None = None,
        id: str | None = None,
        for_: Recipient | Sequence[Recipient] = (),
        tls: str | None = None,
        tls_group: str | None = None,
    ) -> Received:
        """The field that a server writes on a message, as RFC 5321 s4.4 has it.

        ``from_name`` is the argument of EHLO just as the client gave it: what is no host stands in a comment, harmless.
        ``address`` is the peer's as its socket has it, such as ``192.0.2.1`` or ``fe80::1%eth0``, or None for a peer
        without one. ``with_`` comes from :func:`~smtpcore.message.received.with_keyword`. ``for_`` is who the message
        is for: where those are several, none is named, lest one of them see the others (RFC 5321 s7.2, s7.6).
        ``tls`` is the cipher suite, ``tls_group`` that of the key exchange (RFC 8314 s4.3).

        ``date`` is when the message came in.

        Raises ParseError for what such a field cannot say, and for characters beyond ASCII unless ``with_`` says UTF8.
        """
        several = (for_,) if isinstance(for_, (str, Mailbox, Postmaster)) else tuple(for_)
        recipient = several[0] if len(several) == 1 else None
        if isinstance(recipient, str):
            recipient = Mailbox.parse(recipient)
        named = str(recipient) if isinstance(recipient, Mailbox) else None
        first = from_clause(exact(from_name), address, reverse_name, CLAUSES)
        rest = further_clauses(by=by, via=via, with_=with_, id=id, recipient=named, tls=tls, group=tls_group)
        text = f"{first} {rest}; {date}"
        # RFC 6531 s3.7.3
        if not text.isascii() and not with_.upper().startswith("UTF8"):
            raise ParseError("beyond ASCII without SMTPUTF8", 0, "RFC 6531 s3.7.3", text)
        tolerance = Tolerance()
        check_text(text, "a field")
        found = cls.parse(text, tolerance)
        names = re.findall(
            r"[a-z]++", "from by" + " via" * bool(via) + " with" + " id" * bool(id) + " for" * bool(named)
        )
        if [clause.name for clause in found.clauses][: len(names)] != names or found._value("id") != (id or None):
            raise ParseError("a value that reads as a clause", 0, "RFC 5321 s4.4", text)
        return found

    @classmethod
    def read(cls, text: str) -> Received:
        """The same for any text at all: never raises."""
        return cls.parse(text, Tolerance(LAX))

    def clause(self, name: str) -> Clause | None:
        """The first clause of that name, or None."""
        for clause in self.clauses:
            if clause.name == name:
                return clause
        return None

    @property
    def from_(self) -> TraceHost | None:
        """Who sent it: what the client called itself, and where the connection came from."""
        return self._host("from")

    @property
    def by(self) -> TraceHost | None:
        """Who took it and wrote this field."""
        return self._host("by")

    def _host(self, name: str) -> TraceHost | None:
        for clause, behind in zip(self.clauses, (*self.clauses[1:], None)):
            if clause.name == name:
                if behind is None or behind.name:
                    return read_host(clause.value, clause.comments)
                return read_host(f"{clause.value} {behind.value}", clause.comments + behind.comments)
        return None

    def _value(self, name: str) -> str | None:
        found = self.clause(name)
        return found.value if found else None

    @property
    def via(self) -> str | None:
        """The link, where that is not TCP."""
        return self._value("via")

    @property
    def with_(self) -> str | None:
        """The protocol, a keyword of RFC 3848 as a rule: ``ESMTPS``."""
        return self._value("with")

    @property
    def id(self) -> str | None:
        """What the server calls the message, without angle brackets."""
        found = self._value("id")
        return found[1:-1] if found and found[0] == "<" and found[-1] == ">" else found

    @property
    def for_(self) -> Mailbox | str | None:
        """The recipient; a str where it is no mailbox."""
        found = self._value("for")
        if not found:
            return found
        try:
            mailbox, end = parse_path(found, 0, Tolerance(LAX))
        except ParseError:
            return found
        return mailbox if end == len(found) else found

    @property
    def tls(self) -> str | None:
        """The TLS cipher suite (RFC 8314 s4.3)."""
        return self._value("tls")

    def __str__(self) -> str:
        parts = [write_comment(comment) for comment in self.comments] + [str(clause) for clause in self.clauses]
        text = " ".join(parts)
        return f"{text}; {self.date_text}" if self.date_text else text


def _fill(
    found: Received,
    clauses: tuple[Clause, ...],
    date_text: str,
    comments: tuple[str, ...],
    date: DateTime | None,
    defects: tuple[Defect, ...],
) -> None:
    assign(found, "clauses", clauses)
    assign(found, "date_text", date_text)
    assign(found, "comments", comments)
    assign(found, "date", date)
    assign(found, "defects", defects)


def _parse_date(date_text: str, where: int, tolerance: Tolerance) -> DateTime | None:
    """The date that begins at ``where`` of the field."""
    if not date_text:
        return None
    own = Tolerance(tolerance.level)
    try:
        date = DateTime.parse(date_text, own)
    except ParseError as error:
        tolerance.permit(LAX, error.why, where + error.where, error.rule, date_text)
        date = None
    tolerance.defects += [Defect(each.rule, each.why, where + each.where) for each in own.defects]
    return date


def _position(defect: Defect) -> int:
    return defect.where


# --- writing -------------------------------------------------------------------------------------


def with_keyword(
    *, esmtp: bool = True, tls: bool = False, auth: bool = False, lmtp: bool = False, utf8: bool = False
) -> str:
    """The protocol as a Received field names it: ``ESMTPSA`` (RFC 3848), ``UTF8LMTPS`` (RFC 6531 s4.3).

    ``utf8`` is for a message that came with SMTPUTF8. What SMTP by HELO cannot have (``esmtp`` is false) has no name of
    its own there: that a connection was encrypted or authenticated is then not said.
    """
    if lmtp:
        base = "LMTP"
    elif esmtp or utf8:
        base = "SMTP" if utf8 else "ESMTP"
    else:
        return "SMTP"
    # RFC 3848 s2: S for STARTTLS, or for TLS from the first octet on, then A for AUTH
    return f"{'UTF8' if utf8 else ''}{base}{'S' if tls else ''}{'A' if auth else ''}"


_is_atom: Final = re.compile(f"[{grammar.ATEXT}]++").fullmatch
# RFC 8314 s4.3
#   tls-cipher-name = ALPHA *(ALPHA / DIGIT / "_")
#   tls-cipher-hex  = "0x" 4HEXDIG
_is_cipher: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*+|0x[0-9A-Fa-f]{4}").fullmatch


def further_clauses(
    *, by: str, via: str | None, with_: str, id: str | None, recipient: str | None, tls: str | None, group: str | None
) -> str:
    """All clauses but ``from``. Raises ParseError for a value that the clause cannot have."""
    host, end = parse_host(by, 0, Tolerance())
    if end != len(by):
        raise ParseError("text after the host", end, "RFC 5321 s4.4", by)
    words = [f"by {host} ({host})" if isinstance(host, AddressLiteral) else f"by {host}"]
    remark = ""
    if tls and not _is_cipher(tls):
        # A name of OpenSSL's own is none of those that RFC 8314 wants.
        remark, tls, group = f" ({_atom(tls)})", None, None
    if via:
        words.append(f"via {_atom(via)}")
    words.append(f"with {_atom(with_)}{remark}")
    if id:
        words.append(f"id {id}")
    if recipient:
        words.append(f"for <{recipient}>")
    if tls:
        words.append(f"tls {tls}" + (f" group {_atom(group)}" if group else ""))
    return " ".join(words)


def _atom(text: str) -> str:
    if not _is_atom(text):
        raise ParseError("not an atom", 0, "RFC 5321 s4.4", text)
    return exact(text)
