"""Targets over the message: what fields say, encoded-words, headers, and the parser of messages in pieces."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from smtpcore.errors import ParseError
from smtpcore.message.accessors import read_value
from smtpcore.message.address_list import AddressList
from smtpcore.message.authentication import AuthenticationResults
from smtpcore.message.auto_submitted import AutoSubmitted
from smtpcore.message.canonical import relaxed_field
from smtpcore.message.content_type import ContentType
from smtpcore.message.date import DateTime
from smtpcore.message.disposition import ContentDisposition
from smtpcore.message.event import Body, HeaderEnd
from smtpcore.message.field import Field, LineEnds
from smtpcore.message.header import Header, HeaderLimits
from smtpcore.message.identifier import MessageId, MessageIdList
from smtpcore.message.list_fields import ListId, ListUrls
from smtpcore.message.mime_version import MimeVersion
from smtpcore.message.parameters import MimeParameters
from smtpcore.message.parser import MessageParser
from smtpcore.message.received import Received
from smtpcore.message.trace import ReturnPath
from smtpcore.message.transfer_encoding import TransferEncoding
from smtpcore.message.unstructured import Unstructured
from smtpcore.message.words import decode_words, encode_words
from smtpcore.wire.tolerance import LAX, STRICT, Tolerance
from tests.fuzz import tokens
from tests.fuzz.oracle import Oracle, OracleFailure, check, splits
from tests.fuzz.tokens import Source
from tests.fuzz.values import LEVELS, error_is_sound

#: The values of fields; each is read strictly by ``parse``, and as far as it goes by ``read``.
KINDS: Final[tuple[Any, ...]] = (
    AddressList, AuthenticationResults, AutoSubmitted, ContentDisposition, ContentType, DateTime, ListId, ListUrls,
    MessageId, MessageIdList, MimeParameters, MimeVersion, Received, ReturnPath, TransferEncoding, Unstructured,
)  # fmt: skip


def _words(*texts: str) -> tuple[bytes, ...]:
    return tuple([word.encode("utf-8", "surrogateescape") for text in texts for word in text.split(" ")])


_PRINTED: Final = r"""
alice@crepes.fr <bob@hamburger.edu> Alice "a, b" friends: undisclosed-recipients: ; , ( ) < > @ " \ [ ]
<a@b> <"a b"@c> <a@[x]> <@a,@b:c@d> a..b@c <> <<a@b>> é ü@é.example 中 😀
Mon, Tue 1 31 Feb Jan 2026 26 99 00:00:00 24:00 23:59:60 +0000 -0000 +9960 GMT EST Z (comment) ((a)b) (\))
from by via with id for ; ESMTPSA hamburger.edu [127.0.0.1] [IPv6:::1] (Postfix) (HELO 1.0 7bit base64 8BIT
text/plain multipart/mixed; charset=utf-8 charset*=utf-8'en'%C3%A9 name*0=a name*1*=%20b name*00= = * ' % ;;
attachment; inline filename="../x" filename*=''%FF%00 boundary="=_x" auto-replied no auto-generated
=?utf-8?q?a=C3=A9?= =?UTF-8?B?w6k=?= =?utf-8?b??= =?utf-8?q??= =?x?q?a?= =?utf-8?b?w6l?= =?iso-8859-1?q?=E9?=
=?utf-8*en?q?a?= =?us-ascii?q?a=40b?= =?utf-8?q?=0A?= =? ?= ? _ =20 =?utf-8?b?=3D?= =?utf-16?b?AGE=?=
<mailto:list@x?subject=y> <https://x/> NO <x.y.z> mx.example; spf=pass smtp.mailfrom=a@b dkim=fail reason="x"
"""
#: What the bodies of fields are made of.
FIELDS: Final = (
    *_words(*_PRINTED.split()), *_words("\u202e \u00ad \udcff \udcc3 \ufeff \u0085 \u2028"),
    b" ", b" ", b" ", b"  ", b"\t", b"\r\n ", b"\n", b"\r", b"\0", b"\x7f", b"\x1b", b"x" * 75, b"x" * 998, b"(" * 40,
)  # fmt: skip

#: What headers are made of.
HEADERS: Final = (
    *_words("From: To: Date: Subject: Received: Content-Type: DKIM-Signature: Message-ID: from: X-Y: : X X:: x:y Bcc:"),
    b"\r\n", b"\r\n", b"\r\n", b"\r\n\r\n", b"\r\n ", b"\r\n\t", b"\n", b"\r", b"\n\n", b"\r\r\n", b"\r\n \r\n",
    b"From : a@b\r\n", b"From alice Mon\n", b"To: a@b\r\n", b"\xc3\xa9: x\r\n", b"X-Y:\r\n", *FIELDS,
)[:223]  # fmt: skip


def fields(data: bytes, kinds: tuple[Any, ...] = KINDS) -> None:
    """What fields say: nothing but ParseError comes of parse, nothing at all of read, and what is written is read."""
    source = Source(data)
    kind = source.pick(kinds)
    text = tokens.text(source, FIELDS, 300)
    lenient = kind.read(text)
    check(kind.read(text) == lenient, Oracle.REFERENCE, "another value of the same text", kind, text)
    found = None
    for level in LEVELS:
        try:
            found = kind.parse(text, Tolerance(level))
        except ParseError as error:
            error_is_sound(error, len(text), text)
            check(found is None, Oracle.STRICTNESS, "a laxer level refuses", kind, text, level, found)
            continue
        if level is STRICT:
            defects = getattr(lenient, "defects", ())
            check((lenient == found) and not defects, Oracle.STRICTNESS, "read differs", kind, text, found, lenient)
    if found is None:
        return
    written = str(found)
    try:
        again = kind.parse(written, Tolerance(LAX))
    except ParseError as error:
        raise OracleFailure(Oracle.ROUND_TRIP, "a value is not read back", kind, text, written, error) from error
    check(str(again) == written, Oracle.ROUND_TRIP, "a value", kind, text, written, str(again))
    check("\r" not in written and "\n" not in written, Oracle.CLEAN_LINES, "a value", kind, text, written)


def words(data: bytes, codec: tuple[Callable[..., str], Callable[[str], str]] = (decode_words, encode_words)) -> None:
    """Encoded-words, both ways."""
    decode, encode = codec
    text = tokens.text(Source(data), FIELDS, 300)
    shown = decode(text)
    if not text.isascii() or "=?" not in text:
        check("=?" in text or shown == text, Oracle.REFERENCE, "a text without an encoded-word", text, shown)
    try:
        written = encode(text)
    except (ParseError, UnicodeEncodeError):
        return
    check(written.isascii(), Oracle.CLEAN_LINES, "encoded words", text, written)
    check(all(len(word) <= 75 for word in written.split(" ")), Oracle.CLEAN_LINES, "a long word", text, written)
    check(decode(written) == text, Oracle.ROUND_TRIP, "encoded words", text, written, decode(written))


_LIMITS: Final = (None, HeaderLimits(size=1000, fields=3, line=1000))


def header(data: bytes, parse: Callable[..., Header] = Header.parse) -> None:
    """Header: any octets, octet for octet, and every value of every field."""
    source = Source(data)
    line_ends, limits = source.pick(tuple(LineEnds)), source.pick(_LIMITS)
    octets = tokens.octets(source, HEADERS, 400)
    try:
        found = parse(octets, line_ends=line_ends, limits=limits)
    except ParseError as error:
        error_is_sound(error, len(octets), octets)
        return
    raw = bytes(found)
    check(octets.startswith(raw), Oracle.REFERENCE, "other octets than came", octets, raw)
    held = b"".join([*[each.raw for each in found.fields], found.end])
    check(held == raw, Oracle.REFERENCE, "octets between fields", octets)
    for each in found.fields:
        check(not each.name or each in found.all(each.name), Oracle.REFERENCE, "a field is not found", octets, each)
        check(read_value(each) == read_value(each), Oracle.REFERENCE, "two values of a field", octets, each)
        if each.name:
            relaxed = relaxed_field(each)
            check(
                relaxed.endswith(b"\r\n") and b"\r\n" not in relaxed[:-2],
                Oracle.CLEAN_LINES,
                "relaxed",
                octets,
                relaxed,
            )
    found.defects  # noqa: B018 - whatever it says, it says something


def message_parser(data: bytes, kind: Callable[..., Any] = MessageParser) -> None:
    """MessageParser: the same events however the octets come; nothing is lost."""
    source = Source(data)
    line_ends, limits, seed = source.pick(tuple(LineEnds)), source.pick(_LIMITS), source.byte()
    octets = tokens.octets(source, HEADERS, 400)
    results = [_parsed(kind(line_ends, limits), pieces) for pieces in splits(octets, seed)]
    for result in results[1:]:
        check(result == results[0], Oracle.SPLIT, "MessageParser", octets, results[0], result)
    found, end, body, failure = results[0]
    if failure is None:
        check(b"".join([*found, end, body]) == octets, Oracle.REFERENCE, "octets are lost", octets, results[0])


def _parsed(parser: Any, pieces: list[bytes]) -> tuple[list[bytes], bytes, bytes, str | None]:
    found: list[bytes] = []
    end = body = b""
    for piece in (*pieces, b""):
        parser.receive_data(piece)
        try:
            while (event := parser.next_event()) is not None:
                if isinstance(event, Field):
                    found.append(event.raw)
                elif isinstance(event, HeaderEnd):
                    end = event.line
                elif isinstance(event, Body):
                    body += event.data
        except ParseError as error:
            return [], b"", b"", str(error)
    return found, end, body, None
