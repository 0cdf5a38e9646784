"""Targets over texts: parameters, xtext, numbers, base64, what a server offers, replies."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any, Final

from smtpcore.errors import ParseError
from smtpcore.extensions import STANDARD
from smtpcore.extensions.auth import Auth, AuthResponse, decode_base64, encode_base64
from smtpcore.wire.capabilities import Capabilities
from smtpcore.wire.command import Command, parse_command
from smtpcore.wire.parameter import parse_number
from smtpcore.wire.parameters import Parameters, ParameterTypes, parse_parameters
from smtpcore.wire.reply import EnhancedCode, Reply, ReplyReader
from smtpcore.wire.xtext import decode_xtext, encode_xtext
from tests.fuzz import tokens
from tests.fuzz.oracle import Oracle, check
from tests.fuzz.tokens import Source
from tests.fuzz.values import CLEAN_LINE, CLEAN_TEXT, error_is_sound

# --- parameters ----------------------------------------------------------------------------------

_KNOWN: Final = ParameterTypes(
    [*STANDARD.vocabulary.mail_parameters.values(), *STANDARD.vocabulary.rcpt_parameters.values()]
)


_PARAMETERS: Final = (*tokens.PARAMETERS, *tokens.ADDRESSES[:40], "é".encode(), b"\t", b"\0", b"\r\n")


def parameters(data: bytes, parse: Callable[[str, int, ParameterTypes], Parameters] = parse_parameters) -> None:
    """What follows a path: Parameters, and the values of all the standard ones."""
    text = tokens.text(Source(data), _PARAMETERS)
    try:
        value = parse(text, 0, _KNOWN)
    except ParseError as error:
        error_is_sound(error, len(text), text)
        return
    written = str(value)
    again = parse(written, 0, _KNOWN)
    check(again == value and str(again) == written, Oracle.ROUND_TRIP, "parameters", text, value, again)
    check(written.lower() == text.lower(), Oracle.REFERENCE, "parameters", text, written)
    keywords = [item.keyword for item in value]
    check(len(set(keywords)) == len(keywords), Oracle.REFERENCE, "a keyword occurs twice", text)
    for item in value:
        key: Any = _KNOWN[item.keyword]
        check(
            item.text is None or key.decode(key(item.value).text) == item.value,
            Oracle.ROUND_TRIP,
            "a value",
            text,
            item,
        )


_XCHARS: Final = re.compile("(?:[!-*,-<>-~]|\\+[0-9A-F][0-9A-F])*")


_XTEXTS: Final = (*tokens.PARAMETERS, *tokens.ADDRESSES, b"+41", b"+0a", b"+FF", b"+F")


def xtext(data: bytes, codec: tuple[Callable[[str], str], Callable[[str], str]] = (encode_xtext, decode_xtext)) -> None:
    """xtext, both ways."""
    encode, decode = codec
    text = tokens.text(Source(data), _XTEXTS)
    try:
        written = encode(text)
    except ParseError as error:
        error_is_sound(error, len(text), text)
    else:
        check(_XCHARS.fullmatch(written), Oracle.CLEAN_LINES, "xtext", text, written)
        check(decode(written) == text, Oracle.ROUND_TRIP, "xtext", text, written)
    try:
        meant = decode(text)
    except ParseError as error:
        error_is_sound(error, len(text), text)
        return
    check(_XCHARS.fullmatch(text) and CLEAN_TEXT.fullmatch(meant), Oracle.REFERENCE, "not xtext", text, meant)
    check(decode(encode(meant)) == meant, Oracle.ROUND_TRIP, "xtext", text, meant)


_DIGITS: Final = (
    b"0",
    b"1",
    b"9",
    b"12",
    b"1234567890",
    b"_",
    b"+",
    b"-",
    b" ",
    b"\n",
    b".",
    b"e",
    b"x",
    "٣".encode(),
    b"\xff",
)


def number(data: bytes, parse: Callable[[str], int] = parse_number) -> None:
    """parse_number."""
    text = tokens.text(Source(data), _DIGITS)
    sound = 0 < len(text) <= 20 and all(digit in "0123456789" for digit in text)
    try:
        value = parse(text)
    except ParseError as error:
        error_is_sound(error, len(text), text)
        check(not sound, Oracle.REFERENCE, "a good number is refused", text)
        return
    check(sound and value == sum((ord(digit) - 48) * 10**power for power, digit in enumerate(reversed(text))),
          Oracle.REFERENCE, "a number", text, value)  # fmt: skip
    check(parse(str(value)) == value, Oracle.ROUND_TRIP, "a number", text)


def secret_text(data: bytes, decode: Callable[[str], bytes] = decode_base64) -> None:
    """Base64, and the lines of an exchange of AUTH that carry it."""
    source = Source(data)
    raw = source.short(12)
    text = tokens.text(source, tokens.BASE64)
    check(decode(encode_base64(raw)) == raw, Oracle.ROUND_TRIP, "base64", raw)
    meant = _canonical(text)
    line = text.encode("utf-8", "surrogateescape")
    try:
        value = decode(text)
    except ParseError as error:
        check(meant is None, Oracle.REFERENCE, "good base64 is refused", text)
        check(len(text) < 4 or text not in str(error), Oracle.SECRET, "an error shows a response", text, str(error))
    else:
        check(value == meant, Oracle.REFERENCE, "not canonical base64", text, value)
    for read in (AuthResponse.parse_line, _read_auth):
        try:
            command = read(line)
        except ParseError:
            continue
        written = bytes(command)
        check(CLEAN_LINE.fullmatch(written) or written == b"\r\n", Oracle.CLEAN_LINES, "AUTH", text, written)
        prefix = b"AUTH PLAIN " if isinstance(command, Auth) else b""
        again = read(written[len(prefix) : -2])
        check(again == command and bytes(again) == written, Oracle.ROUND_TRIP, "AUTH", text, written)
        check(len(text) < 4 or text not in repr(command), Oracle.SECRET, "repr shows a response", text, command)


def _read_auth(line: bytes) -> Command:
    return parse_command(b"AUTH PLAIN " + line, STANDARD.vocabulary)


def _canonical(text: str) -> bytes | None:
    try:
        octets = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
    return octets if base64.b64encode(octets).decode() == text else None


# --- replies -------------------------------------------------------------------------------------

_EHLO_WORDS: Final = (
    b"PIPELINING", b"SIZE", b"SIZE 10", b"SIZE x", b"AUTH", b"AUTH=PLAIN", b"auth=", b"AUTH PLAIN LOGIN", b"8BITMIME",
    b"X", b"-X", b"X_Y", b"=", b"\n", b"\n", b"\n", b" ", b" ", b"  ", b"\t", b"\x01", b"\xc3\xa9", b"\xff", b"a",
    b"STARTTLS",
    "ſIZE".encode(), "ıX".encode(),
)  # fmt: skip


def capabilities(data: bytes, parse: Callable[[list[str]], Capabilities] = Capabilities.parse) -> None:
    """Capabilities.parse, which leaves out what it cannot read and never fails."""
    text = tokens.text(Source(data), _EHLO_WORDS)
    lines = [line.replace("\r", "").replace("\0", "") for line in text.split("\n")]
    value = parse(lines)
    written = [str(line) for line in value]
    check(
        all(map(CLEAN_TEXT.fullmatch, [line.replace("\t", "") for line in written])),
        Oracle.CLEAN_LINES,
        "EHLO",
        written,
    )
    again = parse(written)
    check(
        again == value and [str(line) for line in again] == written, Oracle.ROUND_TRIP, "capabilities", lines, written
    )
    for extension in STANDARD:
        offered = any(
            re.split("[ =]", line.strip(" "))[0].upper() == extension.keyword for line in lines if line.isascii()
        )
        if extension in value:
            check(offered or not text.isascii(), Oracle.REFERENCE, "nobody offered that", lines, extension)
        value.get(extension)
        check(extension not in value.without(extension), Oracle.REFERENCE, "without", lines, extension)


_ENHANCED: Final = re.compile(r"[245]\.(0|[1-9][0-9]?[0-9]?)\.(0|[1-9][0-9]?[0-9]?)")


_CODE_PARTS: Final = (
    b"2",
    b"4",
    b"5",
    b".",
    b".",
    b"0",
    b"1",
    b"7",
    b"10",
    b"999",
    b"1000",
    b"00",
    b"3",
    b" ",
    b"\n",
    "٢".encode(),
)


def enhanced_code(data: bytes, parse: Callable[[str], EnhancedCode] = EnhancedCode.parse) -> None:
    """EnhancedCode.parse."""
    text = tokens.text(Source(data), _CODE_PARTS)
    sound = bool(_ENHANCED.fullmatch(text))
    try:
        value = parse(text)
    except ParseError as error:
        error_is_sound(error, len(text), text)
        check(not sound, Oracle.REFERENCE, "a good code is refused", text)
        return
    check(sound, Oracle.REFERENCE, "not an enhanced status code", text, value)
    check(str(value) == text and parse(str(value)) == value, Oracle.ROUND_TRIP, "an enhanced status code", text, value)


_REPLY_TEXTS: Final = (
    b"\n", b"\n", b"ok", b" ", b"2.1.0", b"2.1.0 ", b"5.7.1 no", b"250 ", b"250-", b"\r", b"\0", b"\t", b"\x01",
    b"\xc3\xa9", b"\xff",
    b"-", b"x" * 64, b"4.0.0", b"\x7f",
)  # fmt: skip


def reply(data: bytes, make: Callable[..., Any] = Reply) -> None:
    """Reply: whatever can be built is one reply on the wire, and read back as that."""
    source = Source(data)
    code = source.pick((250, 200, 354, 421, 450, 535, 550, 599, 199, 600, 220))
    enhanced = source.pick((None, None, "2.1.0", "4.0.0", "5.7.1", "3.0.0", "2.0.1000"))
    lines = tokens.text(source, _REPLY_TEXTS).split("\n")
    try:
        value = make(code, lines, enhanced)
    except ParseError:
        return
    for with_enhanced in (False, True):
        written = value.encode(with_enhanced=with_enhanced)
        check(written.count(b"\r\n") == written.count(b"\r") == written.count(b"\n") == len(lines),
              Oracle.CLEAN_LINES, "a reply", value, written)  # fmt: skip
        check(b"\0" not in written, Oracle.CLEAN_LINES, "a reply", value, written)
        reader = ReplyReader(line_limit=len(written), size_limit=len(written), lines_limit=len(lines))
        reader.receive(written)
        again = reader.next_reply()
        check(again is not None and not reader.pending, Oracle.ORDER, "a reply is not one reply", value, written)
        if again is not None:
            # A text that begins like an enhanced code is one to the reader.
            same = bytes(again) == written or _ENHANCED.match(lines[0])
            check(again.code == code and same, Oracle.ROUND_TRIP, "a reply", value, written, again)
