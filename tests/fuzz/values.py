"""Targets over commands and addresses: what is read, is written, and is read again.

A target takes the fuzzer's bytes and the thing it tries out, so that a test can hand it a broken one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from smtpcore.errors import ParseError
from smtpcore.extensions import STANDARD
from smtpcore.wire.address import Mailbox
from smtpcore.wire.command import BASE_VOCABULARY, Command, parse_command
from smtpcore.wire.host import AddressLiteral, Domain
from smtpcore.wire.path import parse_path, skip_prefix
from smtpcore.wire.tolerance import INTEROP, LAX, STRICT, Defect, Tolerance
from smtpcore.wire.vocabulary import Vocabulary
from tests.fuzz import tokens
from tests.fuzz.oracle import Oracle, OracleFailure, check
from tests.fuzz.tokens import Source

LEVELS: Final = (STRICT, INTEROP, LAX)
#: No control of ASCII may stand in what we write.
CLEAN_LINE: Final = re.compile(rb"[ -~\x80-\xff]+\r\n")
CLEAN_TEXT: Final = re.compile(r"[^\x00-\x1f\x7f]*")

Read = tuple[Any, list[Defect]]


def error_is_sound(error: ParseError, size: int, what: object) -> None:
    """An error can be shown, points into the text, and shows no control character of a stranger's."""
    shown = str(error)
    check(0 <= error.where <= size, Oracle.REFERENCE, "an error points outside of its text", what, error.where, shown)
    check(shown.isascii() and CLEAN_TEXT.fullmatch(shown), Oracle.CLEAN_LINES, "an error shows controls", what, shown)


def read_at_all_levels(what: object, size: int, read: Callable[[Tolerance], Any]) -> Read | None:
    """What the laxest level makes of a text, compared with the stricter ones; None where even that refuses."""
    found: Read | None = None
    for level in LEVELS:
        tolerance = Tolerance(level)
        try:
            value = read(tolerance)
        except ParseError as error:
            error_is_sound(error, size, what)
            check(found is None, Oracle.STRICTNESS, "a laxer level refuses", what, level, found)
            continue
        if found is not None:
            check(value == found[0], Oracle.STRICTNESS, "levels differ", what, level, value, found)
            check(tolerance.defects == found[1], Oracle.STRICTNESS, "defects differ", what, level, tolerance.defects)
        elif level is not STRICT:
            check(tolerance.defects, Oracle.STRICTNESS, "let through without a defect", what, level)
        found = value, tolerance.defects
    return found


# --- commands ------------------------------------------------------------------------------------

Parse = Callable[[bytes, Vocabulary, Tolerance], Command]


def command(data: bytes, parse: Parse = parse_command) -> None:
    """parse_command: any line, every level, with and without extensions."""
    source = Source(data)
    vocabulary = BASE_VOCABULARY if source.byte() == 1 else STANDARD.vocabulary
    line = tokens.octets(source, tokens.COMMANDS, 320)
    found = read_at_all_levels(line, len(line) + 1, lambda tolerance: parse(line, vocabulary, tolerance))
    if found is None:
        return
    value = found[0]
    written = bytes(value)
    check(CLEAN_LINE.fullmatch(written), Oracle.CLEAN_LINES, "a command", line, written)
    try:
        again = parse(written[:-2], vocabulary, Tolerance(LAX))
    except ParseError as error:
        raise OracleFailure(Oracle.ROUND_TRIP, "a command is not read back", line, written, error) from error
    check(again == value and hash(again) == hash(value), Oracle.ROUND_TRIP, "a command", line, value, again)
    check(bytes(again) == written, Oracle.ROUND_TRIP, "the octets of a command", line, written, bytes(again))
    raw = b"" if value.raw is None else value.raw
    check(
        raw.rstrip(b" \t") == (b"" if value.confidential else line.rstrip(b" \t")), Oracle.REFERENCE, "raw", line, raw
    )
    check(line[:4].upper() == written[:4], Oracle.REFERENCE, "another verb", line, written)


# --- addresses -----------------------------------------------------------------------------------


def mailbox(data: bytes, parse: Callable[[str, Tolerance], Mailbox] = Mailbox.parse) -> None:
    """Mailbox.parse."""
    text = tokens.text(Source(data), tokens.ADDRESSES, 320)
    found = read_at_all_levels(text, len(text), lambda tolerance: parse(text, tolerance))
    if found is None:
        return
    value, defects = found
    _check_mailbox(text, value, parse)
    check(value.raw == text, Oracle.REFERENCE, "raw", text, value.raw)
    if not defects:
        built = Mailbox(value.local_part, value.domain)
        check(
            built == value and str(built) == str(value), Oracle.ROUND_TRIP, "a mailbox built anew", text, value, built
        )


def _check_mailbox(text: str, value: Mailbox, parse: Callable[[str, Tolerance], Mailbox]) -> None:
    written = str(value)
    check(CLEAN_TEXT.fullmatch(written), Oracle.CLEAN_LINES, "a mailbox", text, written)
    try:
        again = parse(written, Tolerance(LAX))
    except ParseError as error:
        raise OracleFailure(Oracle.ROUND_TRIP, "a mailbox is not read back", text, written, error) from error
    check(again == value and hash(again) == hash(value), Oracle.ROUND_TRIP, "a mailbox", text, value, again)
    check(str(again) == written, Oracle.ROUND_TRIP, "the canonical form", text, written, str(again))
    check(value.is_ascii == written.isascii(), Oracle.REFERENCE, "is_ascii", text)
    # The domain is what follows the last @ outside of brackets, whatever the local-part holds.
    local_part = written.rpartition("@[" if written.endswith("]") else "@")[0]
    check(value.domain == written[len(local_part) + 1 :], Oracle.REFERENCE, "another domain", text, value)
    plain = _unquoted(local_part)
    check(plain == value.local_part, Oracle.REFERENCE, "the local-part", text, value)


def _unquoted(text: str) -> str:
    """What a local-part means: without its quotes, and without the backslash before a character."""
    if text[:1] != '"':
        return text
    made = []
    characters = iter(text[1:-1])
    for character in characters:
        made.append(next(characters) if character == "\\" else character)
    return "".join(made)


_PATHS: Final = (b"<", b">", b"<", b">", b"<alice@crepes.fr>", b"<@a,@b:c@d>", *tokens.ADDRESSES)


def prefixed_path(text: str, prefix: str, tolerance: Tolerance) -> tuple[Mailbox, int]:
    """A path behind FROM: or TO:, and where it ends."""
    return parse_path(text, skip_prefix(text, prefix, tolerance), tolerance)


def path(data: bytes, parse: Callable[[str, str, Tolerance], tuple[Mailbox, int]] = prefixed_path) -> None:
    """Reverse-path and forward-path, source routes with them."""
    source = Source(data)
    prefix = source.pick(("FROM:", "TO:"))
    body = tokens.text(source, _PATHS, 320)
    text = (prefix if len(data) % 8 else "") + body
    found = read_at_all_levels(text, len(text), lambda tolerance: parse(text, prefix, tolerance))
    if found is None:
        return
    (value, end), _ = found
    check(len(prefix) < end <= len(text), Oracle.REFERENCE, "the end of a path", text, end)
    bracketed = text[len(prefix) :].lstrip(" ")[:1] == "<"
    check(text[end - 1] == ">" or not bracketed, Oracle.REFERENCE, "the end of a path", text, end)
    check(parse(text[:end], prefix, Tolerance(LAX)) == (value, end), Oracle.REFERENCE, "what follows counts", text, end)
    _check_mailbox(text, value, Mailbox.parse)
    again = parse(f"{prefix}<{value}>", prefix, Tolerance(LAX))
    check(again[0] == value, Oracle.ROUND_TRIP, "a path", text, value, again)


_SNUM: Final = re.compile("[0-9]{1,3}")


_LITERALS: Final = (
    b"[",
    b"]",
    *[token for token in tokens.DOMAINS if len(token) < 40],
    b"IPv6:",
    b"::",
    b":",
    b".",
    b"0",
    b"%",
)


def literal(data: bytes, kind: type[AddressLiteral] = AddressLiteral) -> None:
    """AddressLiteral.parse."""
    text = tokens.text(Source(data), _LITERALS)
    try:
        value = kind.parse(text)
    except ParseError as error:
        error_is_sound(error, len(text), text)
        return
    written = str(value)
    check(written.lower() == text.lower(), Oracle.ROUND_TRIP, "an address literal", text, written)
    again = kind.parse(written)
    check(again == value and str(again) == written, Oracle.ROUND_TRIP, "an address literal", text, again)
    check(kind(value.tag, value.address) == value, Oracle.ROUND_TRIP, "an address literal built anew", text, value)
    if value.tag == "IPv4":
        numbers = value.address.split(".")
        sound = all(_SNUM.fullmatch(number) and int(number) < 256 for number in numbers)
        check(len(numbers) == 4 and sound, Oracle.REFERENCE, "not four numbers", text)
    elif value.tag == "IPv6":
        check(_is_ipv6(value.address), Oracle.REFERENCE, "not an IPv6 address", text)


_GROUP: Final = re.compile("[0-9A-Fa-f]{1,4}")


def _is_ipv6(address: str) -> bool:
    """RFC 5321 s4.1.3, in the plainest way: the groups on both sides of at most one double colon."""
    sides = address.split("::")
    groups = [group for side in sides if side for group in side.split(":")]
    if groups and "." in groups[-1] and sides[-1]:
        numbers = groups.pop().split(".")
        if len(numbers) != 4 or not all(_SNUM.fullmatch(number) and int(number) < 256 for number in numbers):
            return False
        groups += ["0", "0"]
    if not all(map(_GROUP.fullmatch, groups)):
        return False
    return len(groups) == 8 if len(sides) == 1 else len(sides) == 2 and len(groups) <= 6


_LABEL: Final = re.compile("[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")


_DOMAINS: Final = (*[token for token in tokens.ADDRESSES if b"[" not in token], b".", b"-", b"a", b"0")


def domain(data: bytes, kind: Callable[[str], Domain] = Domain) -> None:
    """Domain."""
    text = tokens.text(Source(data), _DOMAINS, 320)
    try:
        value = kind(text)
    except ParseError as error:
        error_is_sound(error, len(text), text)
        sound = text.isascii() and len(text) < 256
        sound = sound and all(len(label) < 64 and _LABEL.fullmatch(label) for label in text.split("."))
        check(not sound, Oracle.REFERENCE, "a good domain is refused", text, error)
        return
    check(str(value) == text and kind(str(value)) == value == text, Oracle.ROUND_TRIP, "a domain", text, value)
    check(CLEAN_TEXT.fullmatch(str(value)), Oracle.CLEAN_LINES, "a domain", text)
    check(len(text.encode()) < 256, Oracle.REFERENCE, "longer than 255 octets", text)
    for label in text.split("."):
        sound = len(label) < 64 and (not label.isascii() or bool(_LABEL.fullmatch(label)))
        check(sound, Oracle.REFERENCE, "not a label", text, label)
