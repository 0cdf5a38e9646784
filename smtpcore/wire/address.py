"""Mailbox and Postmaster: who a message is from and to, in the envelope.

``str(mailbox)`` is the one canonical form, and parsing it gives the same mailbox back. The
domain is what follows the last unquoted ``@``; nothing is ever decoded, mapped or normalised on
the way.
"""

from __future__ import annotations

import re
from typing import ClassVar, Final, final

from ..errors import ParseError
from . import grammar
from .host import DOMAIN_LIMIT, AddressLiteral, Domain, make_domain, parse_host
from .tolerance import LAX, Tolerance
from .value import Value, assign, exact, setter

__all__ = ["POSTMASTER", "Mailbox", "Postmaster", "parse_mailbox"]

#: RFC 5321 s4.5.3.1.1: octets of a local-part, without the quotes that it may need.
LOCAL_PART_LIMIT: Final = 64
#: RFC 5321 s4.5.3.1.3: octets of a path, with its angle brackets.
PATH_LIMIT: Final = 256


@final
class Mailbox(Value):
    """``local-part@domain`` (RFC 5321 s4.1.2, RFC 6531 s3.3).

    ``local_part`` is what the quotes mean, not what they look like: ``"a"@x`` and ``a@x`` are
    one mailbox, and ``str()`` puts quotes where they are needed. Its case is kept and counts;
    that of the domain is kept and does not.

    Raises ParseError when a part is not what the grammar allows or is longer than RFC 5321
    s4.5.3.1 lets every server accept.
    """

    __slots__ = ("_parts", "_raw", "written")
    __match_args__ = ("local_part", "domain")

    written: str  #: The canonical form, as it goes on the wire; what ``str()`` gives.
    # These two are missing from a plain mailbox that was parsed, until somebody takes it apart.
    _raw: str | None
    _parts: tuple[str, Domain | AddressLiteral]

    def __init__(self, local_part: str, domain: Domain | AddressLiteral | str) -> None:
        if isinstance(domain, str):
            found, end = parse_host(domain, 0, Tolerance())
            if end != len(domain):
                raise ParseError("not a domain", end, "RFC 5321 s4.1.2", domain)
            domain = found
        elif not isinstance(domain, (Domain, AddressLiteral)):
            raise TypeError(f"domain must be a Domain, an AddressLiteral or a str, not {type(domain).__name__}")
        local_part = exact(local_part)
        bad = _find_unquotable(local_part)
        if bad >= 0:
            raise ParseError("character not allowed in a local-part", bad, "RFC 5321 s4.1.2", local_part)
        text = f"{_quote(local_part)}@{domain}"
        _check_lengths(local_part, str(domain), text, 0, Tolerance())
        assign(self, "_parts", (local_part, domain))
        assign(self, "_raw", None)
        assign(self, "written", text)

    @classmethod
    def parse(cls, text: str, tolerance: Tolerance | None = None) -> Mailbox:
        """Read a whole mailbox, without angle brackets. Raises ParseError."""
        if type(text) is str and len(text) <= SHORT and _is_plain(text):
            mailbox = _new_mailbox(cls)  # what plain_mailbox does, without the call
            _set_written(mailbox, text)
            return mailbox
        mailbox, end = parse_mailbox(text, 0, tolerance or Tolerance())
        if end != len(text):
            raise ParseError("text after the mailbox", end, "RFC 5321 s4.1.2", text)
        return mailbox

    @property
    def raw(self) -> str | None:
        """The text this was parsed from; None when it was built."""
        return getattr(self, "_raw", self.written)

    @property
    def local_part(self) -> str:
        """What stands before the ``@``, unquoted."""
        return self._taken_apart()[0]

    @property
    def domain(self) -> Domain | AddressLiteral:
        """What follows the last unquoted ``@``."""
        return self._taken_apart()[1]

    def _taken_apart(self) -> tuple[str, Domain | AddressLiteral]:
        try:
            return self._parts
        except AttributeError:
            local_part, _, name = self.written.rpartition("@")
            _set_parts(self, parts := (local_part, make_domain(name)))
            return parts

    def __str__(self) -> str:
        return self.written

    @property
    def is_ascii(self) -> bool:
        """Whether it can travel without SMTPUTF8 (RFC 6531)."""
        return self.written.isascii()


@final
class Postmaster(Value):
    """The recipient ``<Postmaster>``, without a domain, which every server takes (RFC 5321 s4.5.1)."""

    __slots__ = ()

    written: ClassVar[str] = "Postmaster"  #: As it goes on the wire.

    @property
    def local_part(self) -> str:
        """Always ``Postmaster``."""
        return self.written

    @property
    def domain(self) -> None:
        """Always None: the receiving host's own."""

    @property
    def is_ascii(self) -> bool:
        """Always true."""
        return True

    def __str__(self) -> str:
        return self.written


POSTMASTER: Final = Postmaster()


#: A mailbox no longer than this can break none of the limits of RFC 5321 s4.5.3.1.
SHORT: Final = LOCAL_PART_LIMIT

_is_plain: Final = grammar.PLAIN_MAILBOX.fullmatch
# What a hot path fills without the look-ups that ``assign`` makes.
_new_mailbox = Mailbox.__new__
_set_parts, _set_raw, _set_written = setter(Mailbox, "_parts"), setter(Mailbox, "_raw"), setter(Mailbox, "written")


def make_mailbox(local_part: str, domain: Domain | AddressLiteral, raw: str, written: str) -> Mailbox:
    """A mailbox from parts that a pattern has checked already."""
    found = _new_mailbox(Mailbox)
    _set_parts(found, (local_part, domain))
    _set_raw(found, raw)
    _set_written(found, written)
    return found


def plain_mailbox(text: str) -> Mailbox:
    """The mailbox in text that ``PLAIN_MAILBOX`` has matched, no longer than ``SHORT``; few are ever taken apart."""
    mailbox = _new_mailbox(Mailbox)
    _set_written(mailbox, text)
    return mailbox


def parse_mailbox(text: str, pos: int, tolerance: Tolerance) -> tuple[Mailbox, int]:
    """``Local-part "@" ( Domain / address-literal )`` at ``pos``."""
    start = pos
    plain = grammar.DOT_STRING.match(text, pos)
    if plain:
        local_part, pos = plain[0], plain.end()
    else:
        local_part, pos = _parse_quoted(text, pos)
    if text[pos : pos + 1] != "@":
        raise ParseError("expected @ after the local-part", pos, "RFC 5321 s4.1.2", text)
    domain, pos = parse_host(text, pos + 1, tolerance)
    raw = text[start:pos]
    bad = grammar.find_forbidden(raw)
    if bad >= 0:
        raise ParseError("character not allowed in an address", start + bad, "RFC 6531 s3.3", text)
    if not plain:
        canonical = f"{_quote(local_part)}@{domain}"
    else:
        canonical = raw if type(domain) is Domain else f"{local_part}@{domain}"  # a tag has no case
    _check_lengths(local_part, str(domain), canonical, start, tolerance)
    return make_mailbox(local_part, domain, raw, canonical), pos


def _parse_quoted(text: str, pos: int) -> tuple[str, int]:
    found = grammar.QUOTED_STRING.match(text, pos)
    if not found:
        raise ParseError("expected a local-part", pos, "RFC 5321 s4.1.2", text)
    return _QUOTED_PAIR.sub(r"\1", found[1]), found.end()


_QUOTED_PAIR: Final = re.compile(r"\\([ -~])")


def _check_lengths(local_part: str, domain: str, text: str, pos: int, tolerance: Tolerance) -> None:
    # Text of at most this many characters cannot break any of the three limits, whatever they encode to.
    if len(text) <= 16:
        return
    if _octets(local_part) > LOCAL_PART_LIMIT:
        why = f"local-part longer than {LOCAL_PART_LIMIT} octets"
        tolerance.permit(LAX, why, pos, "RFC 5321 s4.5.3.1.1", text)
    if _octets(domain) > DOMAIN_LIMIT:
        raise ParseError(f"domain longer than {DOMAIN_LIMIT} octets", pos, "RFC 5321 s4.5.3.1.2", text)
    if _octets(text) + 2 > PATH_LIMIT:
        tolerance.permit(LAX, f"path longer than {PATH_LIMIT} octets", pos, "RFC 5321 s4.5.3.1.3", text)


def _octets(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogateescape"))


_UNQUOTABLE: Final = re.compile(r"[\x00-\x1f\x7f]")


def _find_unquotable(local_part: str) -> int:
    """The offset of the first character that not even a quoted string can carry, or -1."""
    found = _UNQUOTABLE.search(local_part)
    return found.start() if found else grammar.find_forbidden(local_part)


def _quote(local_part: str) -> str:
    # RFC 5321 s4.1.2: "SHOULD avoid defining mailboxes where the Local-part requires the Quoted-string form"
    if grammar.DOT_STRING.fullmatch(local_part):
        return local_part
    escaped = local_part.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
