r"""DSN (RFC 3461, RFC 6533): a sender says which reports of delivery it wants, and what they shall hold.

On MAIL, RET says how much of the message a report of failure returns, and ENVID gives the envelope a name that all
reports repeat. On RCPT, NOTIFY says what is to be reported of that recipient, and ORCPT who it was before anybody
forwarded the message::

    Mail(alice, RET(Ret.HDRS), ENVID("QQ314159"))
    Rcpt(bob, NOTIFY(Notify(success=True, failure=True)), ORCPT(OriginalRecipient("rfc822", "bob@hamburger.edu")))

An original recipient beyond ASCII has the type ``utf-8``. It is written with ``\x{...}`` for what is not ASCII, which
any server with DSN takes; ``unitext`` writes the characters themselves, which needs SMTPUTF8.

A server that offers DSN has promised to report: only its application knows whether it can, so it is not offered unless
it is among the capabilities.
"""

from __future__ import annotations

import re
from enum import Enum
from itertools import permutations, product
from operator import attrgetter
from typing import Any, Final, final

from ..errors import ParseError
from ..wire import grammar
from ..wire.address import Mailbox, Postmaster
from ..wire.parameter import ParameterType
from ..wire.value import Value, assign, draft, exact
from ..wire.xtext import decode_xtext, encode_xtext
from .extension import Extension

__all__ = ["DSN", "ENVID", "NEVER", "NOTIFY", "ORCPT", "RET", "Notify", "OriginalRecipient", "Ret"]

#: RFC 3461 s4.4, s5.4: characters of an envelope identifier as it is written.
ENVID_LIMIT: Final = 100
#: RFC 3461 s4.2, s5.4: characters of an original recipient as it is written, with its type.
ORCPT_LIMIT: Final = 500


@final
class Ret(Enum):
    """How much of the message a report of failure returns (RFC 3461 s4.3)."""

    FULL = "FULL"
    HDRS = "HDRS"  #: The header alone.

    # There is one of each; an Enum's own way goes by the name, and takes longer than looking a parameter up
    __hash__ = object.__hash__


_RETS: Final = {ret.value: ret for ret in Ret}


def _decode_ret(text: str) -> Ret:
    # In upper case a dotless i is an I.
    found = _RETS.get(text.upper()) if text.isascii() else None
    if found is None:
        raise ParseError("expected FULL or HDRS", 0, "RFC 3461 s4.3", text)
    return found


# -- ENVID ----------------------------------------------------------------------------------------

_NOT_PRINTABLE: Final = re.compile(r"[^ -~]")


def _printable(text: str, rule: str) -> str:
    """``text``, if it is "printable (graphic and white space) characters from the US-ASCII repertoire"."""
    found = _NOT_PRINTABLE.search(text)
    if found:
        raise ParseError("not a printable character of ASCII", found.start(), rule, text)
    return text


def _within(text: str, limit: int, rule: str) -> str:
    if len(text) > limit:
        raise ParseError(f"longer than {limit} characters", limit, rule, text)
    return text


def _decode_envid(text: str) -> str:
    if not text:
        raise ParseError("an envelope identifier needs a character", 0, "RFC 3461 s4.4")
    return _printable(decode_xtext(_within(text, ENVID_LIMIT, "RFC 3461 s4.4")), "RFC 3461 s4.4")


def _encode_envid(text: str) -> str:
    return encode_xtext(exact(text))


# -- NOTIFY ---------------------------------------------------------------------------------------


@final
class Notify(Value):
    """What is to be reported of a recipient (RFC 3461 s4.1). With nothing at all it is NEVER, and false."""

    __slots__ = ("delay", "failure", "success")
    __match_args__ = ("success", "failure", "delay")

    success: bool  #: That the message was delivered.
    failure: bool  #: That it was not, and will not be.
    delay: bool  #: That it is late; without this no report says so.

    def __new__(cls, *, success: bool = False, failure: bool = False, delay: bool = False) -> Notify:
        """Raises TypeError for what is no bool."""
        wanted: tuple[object, ...] = (success, failure, delay)
        if {*map(type, wanted)} != _BOOL:
            name, value = next(pair for pair in zip(cls.__match_args__, wanted) if type(pair[1]) is not bool)
            raise TypeError(f"{name} is True or False, not {value!r}")
        return _NOTIFIES[wanted]

    @classmethod
    def parse(cls, text: str) -> Notify:
        """Read ``NEVER``, or some of ``SUCCESS,FAILURE,DELAY`` in any order and case. Raises ParseError."""
        usual = _USUAL.get(text)
        if usual is not None:
            return usual
        names = text.upper().split(",") if text.isascii() else []
        if names == ["NEVER"]:
            return NEVER
        # RFC 3461 s4.1: "the NEVER keyword MUST appear by itself"; that an element occurs once only is not said
        if not names or not _CONDITIONS.issuperset(names):
            raise ParseError("expected NEVER, or a list of SUCCESS, FAILURE and DELAY", 0, "RFC 3461 s4.1", text)
        return cls(success="SUCCESS" in names, failure="FAILURE" in names, delay="DELAY" in names)

    def __bool__(self) -> bool:
        return self.success or self.failure or self.delay

    def __str__(self) -> str:
        wanted = zip(("SUCCESS", "FAILURE", "DELAY"), (self.success, self.failure, self.delay))
        return ",".join([name for name, want in wanted if want]) or "NEVER"

    # There are eight in all, which are told apart by what they are
    __hash__ = object.__hash__

    def __reduce__(self) -> tuple[Any, ...]:
        return Notify.parse, (str(self),)


def _one_of_all(*wanted: bool) -> Notify:
    made = object.__new__(Notify)
    for name, want in zip(Notify.__match_args__, wanted):
        assign(made, name, want)
    return made


_BOOL: Final = {bool}
_NOTIFIES: Final[dict[tuple[object, ...], Notify]] = {
    wanted: _one_of_all(*wanted) for wanted in product((False, True), repeat=3)
}
_CONDITIONS: Final = frozenset(("SUCCESS", "FAILURE", "DELAY"))
#: No report of this recipient, whatever happens.
NEVER: Final = Notify()
#: As nearly everybody writes them.
_USUAL: Final[dict[str, Notify]] = {
    "NEVER": NEVER,
    **{
        ",".join(names): Notify(success="SUCCESS" in names, failure="FAILURE" in names, delay="DELAY" in names)
        for count in (1, 2, 3)
        for names in permutations(("SUCCESS", "FAILURE", "DELAY"), count)
    },
}

# -- ORCPT ----------------------------------------------------------------------------------------

# RFC 3461 s4.2
#   original-recipient-address = addr-type ";" xtext
#   addr-type = atom
# RFC 5321 s4.1.2 keeps "=" out of a value.
_ORCPT: Final = re.compile(r"([A-Za-z0-9!#$%&'*+\-/?^_`{|}~]++);([^\x00- \x7f]++)")
# The usual type, and xtext in which nothing is encoded
_PLAIN_ORCPT: Final = re.compile(r"([Rr][Ff][Cc]822);([!-*,-<>-~]++)")
_PLAIN_ADDRESS: Final = re.compile(r"[!-*,-<>-~]++")
_ADDRESS_TYPE: Final = re.compile(r"[A-Za-z0-9!#$%&'*+\-/?^_`{|}~]++")

# RFC 6533 s3
#   utf-8-enc-addr      = utf-8-addr-xtext / utf-8-addr-unitext / utf-8-address
#   utf-8-addr-xtext    = 1*(QCHAR / EmbeddedUnicodeChar)
#   utf-8-addr-unitext  = 1*(QUCHAR / EmbeddedUnicodeChar)
#   QCHAR               = %x21-2a / %x2c-3c / %x3e-5b / %x5d-7e
#   QUCHAR              = QCHAR / UTF8-2 / UTF8-3 / UTF8-4
#   EmbeddedUnicodeChar = %x5C.78 "{" HEXPOINT "}"
_UTF8_ADDRESS: Final = re.compile(r"(?:[^\x00- +=\\\x7f]++|\\x\{[0-9A-Fa-f]{2,6}\})++")
_EMBEDDED: Final = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_TO_EMBED: Final = re.compile(r"[^!-*,-<>-\[\]-~]")
_TO_EMBED_IN_UNITEXT: Final = re.compile(r"[ +=\\]")
# Surrogates stand for no character, and a control in an envelope means harm.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_EMBEDDED_ASCII: Final = frozenset(" +=\\")


@final
class OriginalRecipient(Value):
    r"""Who a message was sent to first (RFC 3461 s4.2), as a sender wrote it.

    ``kind`` is the type of the address, in lower case: ``rfc822``, or ``utf-8`` for one beyond ASCII (RFC 6533 s3).
    What ``address`` looks like is a matter of its type and is not checked; it is printable, and ASCII in every type
    but ``utf-8``. With ``unitext`` a ``utf-8`` address is written as it is and not with ``\x{...}``, for a
    transaction that has SMTPUTF8.

    Raises ParseError for what cannot be written within 500 characters.
    """

    __slots__ = ("address", "kind", "unitext", "written")
    __match_args__ = ("kind", "address")

    kind: str  #: The type of the address, in lower case.
    address: str  #: The address, decoded.
    unitext: bool  #: Whether characters beyond ASCII are written as themselves.
    written: str  #: As it goes on the wire, behind ``ORCPT=``.

    def __init__(self, kind: str, address: str, *, unitext: bool = False) -> None:
        kind, address = exact(kind), exact(address)
        if not _ADDRESS_TYPE.fullmatch(kind):
            raise ParseError("not the type of an address", 0, "RFC 3461 s4.2", kind)
        if not address:
            raise ParseError("an original recipient needs an address", 0, "RFC 3461 s4.2")
        assign(self, "kind", kind.lower())
        assign(self, "address", address)
        assign(self, "unitext", unitext and self.kind == "utf-8")
        if self.kind == "utf-8":
            _refuse_unreadable(address)
            to_embed = _TO_EMBED_IN_UNITEXT if self.unitext else _TO_EMBED
            text = to_embed.sub(_embed, address)
        else:
            text = encode_xtext(_printable(address, "RFC 3461 s4.2"))
        assign(self, "written", _within(f"{self.kind};{text}", ORCPT_LIMIT, "RFC 3461 s4.2"))

    @classmethod
    def of(cls, recipient: Mailbox | Postmaster) -> OriginalRecipient:
        """The original recipient that a new message has: the recipient itself (RFC 3461 s4.2)."""
        text = recipient.written
        if len(text) < ORCPT_LIMIT - len("rfc822;") and _PLAIN_ADDRESS.fullmatch(text):
            return _made("rfc822", text)
        return cls("rfc822" if text.isascii() else "utf-8", text)

    @classmethod
    def parse(cls, text: str) -> OriginalRecipient:
        """Read ``addr-type;xtext``, or what RFC 6533 has in place of xtext. Raises ParseError."""
        plain = _PLAIN_ORCPT.fullmatch(text)
        if plain and len(text) <= ORCPT_LIMIT:
            return _made(plain[1].lower(), plain[2])
        found = _ORCPT.fullmatch(_within(text, ORCPT_LIMIT, "RFC 3461 s4.2"))
        if not found:
            raise ParseError("expected the type of an address, a semicolon and xtext", 0, "RFC 3461 s4.2", text)
        kind, address = found.groups()
        if kind.lower() == "utf-8":
            return cls(kind, _decode_utf8_address(address, found.start(2)), unitext=not address.isascii())
        return cls(kind, decode_xtext(address))

    def __str__(self) -> str:
        return self.address


_OriginalRecipientDraft: Final = draft(OriginalRecipient)


def _made(kind: str, address: str) -> OriginalRecipient:
    """One of parts that have been checked already, and are written as they are."""
    made = _OriginalRecipientDraft()
    made.kind = kind
    made.address = address
    made.unitext = False
    made.written = f"{kind};{address}"
    made.__class__ = OriginalRecipient
    recipient: OriginalRecipient = made
    return recipient


def _refuse_unreadable(address: str) -> None:
    found = _CONTROL.search(address)
    where = found.start() if found else grammar.find_forbidden(address)
    if where >= 0:
        raise ParseError("character not allowed in an address", where, "RFC 6533 s3", address)


def _embed(found: re.Match[str]) -> str:
    return f"\\x{{{ord(found[0]):02X}}}"


def _decode_utf8_address(text: str, start: int) -> str:
    if not _UTF8_ADDRESS.fullmatch(text):
        raise ParseError("expected an address with \\x{...} for what xtext cannot hold", start, "RFC 6533 s3", text)
    return _EMBEDDED.sub(_disclose, text)


def _disclose(found: re.Match[str]) -> str:
    point = int(found[1], 16)
    # HEXPOINT has no leading zeros but for two digits, no surrogates, and of ASCII only what could not stand there
    as_written = f"{point:02X}" == found[1].upper() and point <= 0x10FFFF and not 0xD800 <= point <= 0xDFFF
    if not as_written or (point < 0x80 and chr(point) not in _EMBEDDED_ASCII):
        raise ParseError("not a character that may be embedded", found.start(), "RFC 6533 s3", found.string)
    return chr(point)


# -- all of it ------------------------------------------------------------------------------------

#: ``RET=FULL`` or ``RET=HDRS`` on MAIL: what a report of failure returns.
RET: Final[ParameterType[Ret]] = ParameterType(
    "RET", _decode_ret, attrgetter("value"), kind=Ret, plain="|".join(_RETS), usual=Ret
)

#: ``ENVID=xtext`` on MAIL: a name for the envelope, decoded; up to 100 characters as it is written.
ENVID: Final[ParameterType[str]] = ParameterType(
    "ENVID", _decode_envid, _encode_envid, kind=str, plain=f"[!-*,-<>-~]{{1,{ENVID_LIMIT}}}"
)

#: ``NOTIFY=NEVER``, or some of ``SUCCESS,FAILURE,DELAY``, on RCPT: what is to be reported.
NOTIFY: Final[ParameterType[Notify]] = ParameterType(
    "NOTIFY",
    Notify.parse,
    str,
    kind=Notify,
    plain=r"(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY)){0,2}+|NEVER",
    usual=_NOTIFIES.values(),
)

#: ``ORCPT=addr-type;xtext`` on RCPT: who the recipient was at first; up to 500 characters as it is written.
ORCPT: Final[ParameterType[OriginalRecipient]] = ParameterType(
    "ORCPT",
    OriginalRecipient.parse,
    attrgetter("written"),
    kind=OriginalRecipient,
    plain=f"[Rr][Ff][Cc]822;[!-*,-<>-~]{{1,{ORCPT_LIMIT - len('rfc822;')}}}",
)

#: The server reports what becomes of a message, as its sender wants it.
DSN: Final[Extension[Any]] = Extension("DSN", "RFC 3461", mail_parameters=[RET, ENVID], rcpt_parameters=[NOTIFY, ORCPT])
