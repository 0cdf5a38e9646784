"""Reply and EnhancedCode, and the ReplyReader that finds replies in a stream of octets."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from typing import Final, NoReturn, final

from ..errors import ParseError, RemoteProtocolError
from . import grammar
from .buffer import ReceiveBuffer
from .value import Value, assign, exact

__all__ = ["EnhancedCode", "Reply", "ReplyReader"]

#: RFC 5321 s4.5.3.1.5: octets of a reply line with code and CRLF that we stay within when sending.
REPLY_LINE_LIMIT: Final = 512

# RFC 3463 s2
#   status-code = class "." subject "." detail
#   class = "2" / "4" / "5" ; subject = 1*3digit ; detail = 1*3digit
_ENHANCED: Final = re.compile(r"([245])\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})")


@final
class EnhancedCode(Value):
    """An enhanced status code such as 5.7.1 (RFC 3463)."""

    __slots__ = ("detail", "klass", "subject")
    __match_args__ = ("klass", "subject", "detail")

    klass: int  #: 2 success, 4 persistent transient failure, 5 permanent failure.
    subject: int
    detail: int

    def __init__(self, klass: int, subject: int, detail: int) -> None:
        text = f"{klass}.{subject}.{detail}"
        found = _ENHANCED.fullmatch(text)
        if not found:
            raise ParseError("not an enhanced status code", 0, "RFC 3463 s2", text)
        assign(self, "klass", int(found[1]))
        assign(self, "subject", int(found[2]))
        assign(self, "detail", int(found[3]))

    @classmethod
    def parse(cls, text: str) -> EnhancedCode:
        """Read ``5.7.1``. Raises ParseError."""
        found = _ENHANCED.fullmatch(text)
        if not found:
            raise ParseError("not an enhanced status code", 0, "RFC 3463 s2", text)
        return _make_enhanced(found)

    def __str__(self) -> str:
        return f"{self.klass}.{self.subject}.{self.detail}"


def _make_enhanced(found: re.Match[str]) -> EnhancedCode:
    """An enhanced status code from what its pattern found."""
    code = EnhancedCode.__new__(EnhancedCode)
    assign(code, "klass", int(found[1]))
    assign(code, "subject", int(found[2]))
    assign(code, "detail", int(found[3]))
    return code


@final
class Reply(Value):
    """A reply: code, lines of text, and the enhanced status code where there is one.

    ``text`` is one line or an iterable of lines, without CR and LF. Its characters are those of
    RFC 5321 s4.2 or beyond ASCII (RFC 6531 s3.7.4.2); octets that were no UTF-8 stand as
    surrogate escapes.

    Raises ParseError when anything in it cannot be sent as exactly one reply.
    """

    __slots__ = ("code", "enhanced", "lines", "raw")
    __match_args__ = ("code", "lines", "enhanced")

    code: int  #: 200 to 599.
    lines: tuple[str, ...]  #: The text, at least one line, without code and enhanced code.
    enhanced: EnhancedCode | None  #: RFC 2034
    raw: bytes | None  #: The octets this was parsed from, with every CRLF; None when it was built.

    def __init__(self, code: int, text: str | Iterable[str] = "", enhanced: EnhancedCode | str | None = None) -> None:
        if type(code) is not int or not 200 <= code <= 599:
            raise ParseError("reply code outside 200 to 599", 0, "RFC 5321 s4.2", str(code))
        if isinstance(enhanced, str):
            enhanced = EnhancedCode.parse(enhanced)
        elif enhanced is not None and not isinstance(enhanced, EnhancedCode):
            raise TypeError(f"enhanced must be an EnhancedCode or a str, not {type(enhanced).__name__}")
        if enhanced and enhanced.klass != code // 100:
            raise ParseError(f"{enhanced} does not go with {code}", 0, "RFC 2034 s4", str(enhanced))
        lines = tuple([exact(line) for line in ((text,) if isinstance(text, str) else text)])
        for line in lines:
            # CR or LF here would be a second reply of somebody else's making.
            if not grammar.PRINTABLE.fullmatch(line):
                raise ParseError("character not allowed in a reply", 0, "RFC 5321 s4.2", line)
        assign(self, "code", code)
        assign(self, "lines", lines or ("",))
        assign(self, "enhanced", enhanced)
        assign(self, "raw", None)

    @property
    def text(self) -> str:
        """The lines joined by LF."""
        return "\n".join(self.lines)

    @property
    def is_positive(self) -> bool:
        """Whether the command was done or may go on: 2yz or 3yz (RFC 5321 s4.2.1)."""
        return self.code < 400

    @property
    def is_transient(self) -> bool:
        """4yz: the same command may succeed later."""
        return 400 <= self.code < 500

    @property
    def is_permanent(self) -> bool:
        """5yz: the same command will not succeed."""
        return self.code >= 500

    def __bytes__(self) -> bytes:
        return self.encode(with_enhanced=True)

    def encode(self, *, with_enhanced: bool) -> bytes:
        """The octets of the reply; the enhanced code, if any, on every line or on none (RFC 2034 s4)."""
        prefix = f"{self.enhanced} " if with_enhanced and self.enhanced else ""
        code = self.code
        if len(self.lines) == 1:
            octets = f"{code} {prefix}{self.lines[0]}\r\n"
        else:
            body = "".join([f"{code}-{prefix}{line}\r\n" for line in self.lines[:-1]])
            octets = f"{body}{code} {prefix}{self.lines[-1]}\r\n"
        return octets.encode("utf-8", "surrogateescape")

    def __str__(self) -> str:
        prefix = f"{self.enhanced} " if self.enhanced else ""
        return f"{self.code} {prefix}{self.text}"


# RFC 5321 s4.2
#   Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
#   Reply-code = %x32-35 %x30-35 %x30-39
# The second digit may be any: law 3 takes every class apart by the first alone.
_LINE: Final = re.compile(rb"([2-5][0-9][0-9])(?:([ \-])([\t -~\x80-\xff]*+))?")
# Some servers repeat what they were sent, controls and all. In the text of a reply these show as "?", so that nobody
# who writes it anywhere writes them; but CR, LF and NUL make it no reply.
_SHOWN: Final = bytes(0x3F if (o < 0x20 and o not in b"\0\t\n\r") or o == 0x7F else o for o in range(256))


# RFC 8446 s5.1: what an alert and a handshake begin with; no reply does.
_TLS: Final = (b"\x15\x03", b"\x16\x03")
_TLS_SPOKEN: Final = "TLS where a reply should be: this port takes nothing in the clear (RFC 8314 s3.3)"

# How many chunks and lines of what length a reader remembers: what answers one message to ten recipients, with room to
# spare; at most some kilobytes a connection.
_SEEN_COUNT: Final = 16
_SEEN_LENGTH: Final = 512


@final
class ReplyReader:
    """Octets in, replies out; whole however they were cut.

    Limits are octets of one line without CRLF, octets of one reply, and lines of one reply
    (smtplib and exim have 8,192 and 65,536; CVE-2013-1752 is what their absence costs).
    A peer that exceeds them or breaks the grammar of RFC 5321 s4.2 raises RemoteProtocolError.
    """

    __slots__ = (
        "_chunk",
        "_code",
        "_failure",
        "_found",
        "_known",
        "_lines",
        "_raw",
        "_seen",
        "_size",
        "buffer",
        "line_limit",
        "lines_limit",
        "ready",
        "size_limit",
    )

    def __init__(self, line_limit: int = 8192, size_limit: int = 65_536, lines_limit: int = 1000) -> None:
        self.line_limit = min(line_limit, size_limit - 2)
        self.size_limit = size_limit
        self.lines_limit = lines_limit
        self.buffer = ReceiveBuffer()  #: What no reply has been made of.
        self._failure = ""
        self._seen: dict[bytes, Reply | list[Reply]] = {}  # a server says the same few things again and again
        self._known: dict[bytes, Reply] = {}  # the same, line by line
        self.ready: deque[Reply] = deque()  #: Replies of such a chunk, not taken yet.
        self._chunk = b""  # a chunk to be remembered if it holds whole replies and nothing else
        self._found: list[Reply] = []  # what it has held so far
        self._reset()

    def _reset(self) -> None:
        self._code = b""
        self._lines: list[str] = []
        self._raw: list[bytes] = []
        self._size = 0

    def receive(self, data: bytes) -> None:
        """Take octets as they came."""
        buffer = self.buffer
        if buffer.data or self._raw:
            self._chunk = b""
        else:
            known = self._seen.get(data)
            if known is not None:
                if type(known) is Reply:
                    self.ready.append(known)
                else:
                    self.ready.extend(known)
                return
            new = len(data) <= _SEEN_LENGTH and len(self._seen) < _SEEN_COUNT and not self._failure
            self._chunk = data if new else b""
            self._found.clear()
        buffer.append(data)

    @property
    def pending(self) -> bool:
        """Whether octets are held that no reply has been made of, even part of a line."""
        return bool(self.ready or self.buffer.data or self._raw)

    def next_reply(self) -> Reply | None:
        """The next whole reply, or None when there is none yet.

        Raises RemoteProtocolError, from then on at every call: nobody knows which reply comes next.
        """
        if self.ready:
            return self.ready.popleft()
        if self._failure:
            raise RemoteProtocolError(self._failure)
        return self._read() if self.buffer.data else None

    def _read(self) -> Reply | None:
        while self.buffer.data:
            line = self.buffer.take_line()
            if line is None:
                if self.buffer.starts_with(_TLS):
                    self._fail(_TLS_SPOKEN)  # which has no line end to wait for
                if len(self.buffer) > self.line_limit + 1:
                    self._fail(f"reply line longer than {self.line_limit} octets (RFC 5321 s4.5.3.1.5)")
                return None
            if not self._raw and (known := self._known.get(line)) is not None:
                return self._remembered(known)
            if len(line) > self.line_limit:
                self._fail(_other(line) or f"reply line longer than {self.line_limit} octets (RFC 5321 s4.5.3.1.5)")
            found = _LINE.fullmatch(line) or _LINE.fullmatch(line.translate(_SHOWN))
            if not found:
                self._fail(_other(line) or f"not a reply line: {line[:100]!r} (RFC 5321 s4.2)")
            code, mark, text = found.groups()
            if not self._raw and mark != b"-":
                reply = _make_reply(int(code), (_decode(text),), line + b"\r\n")
                if len(line) <= _SEEN_LENGTH and len(self._known) < _SEEN_COUNT:
                    self._known[line] = reply
                return self._remembered(reply)
            if self._code and code != self._code:
                self._fail(f"reply begun with {self._code!r} goes on with {code!r} (RFC 5321 s4.2.1)")
            self._code = code
            self._size += len(line) + 2
            self._lines.append(_decode(text))
            self._raw.append(line)
            if self._size > self.size_limit or len(self._lines) > self.lines_limit:
                self._fail(f"reply longer than {self.size_limit} octets or {self.lines_limit} lines (RFC 5321 s4.2.1)")
            if mark != b"-":
                reply = _make_reply(int(code), tuple(self._lines), b"\r\n".join([*self._raw, b""]))
                self._reset()
                return self._remembered(reply)
        return None

    def _remembered(self, reply: Reply) -> Reply:
        """``reply``, which is known from now on if it was the last one of a chunk to be remembered."""
        if self._chunk:
            self._found.append(reply)
            if not self.buffer.data:
                found = self._found
                self._seen[self._chunk] = reply if len(found) == 1 else found.copy()
                self._chunk = b""
        return reply

    def _fail(self, why: str) -> NoReturn:
        self._failure = why
        self._seen.clear()  # nothing that comes now is a reply
        raise RemoteProtocolError(why)


def _other(line: bytes) -> str:
    """What a server speaks in place of SMTP, if that can be told; else nothing."""
    if line.startswith(_TLS):
        return _TLS_SPOKEN
    return f"HTTP, not a reply: {line[:100]!r} (RFC 5321 s4.2)" if line.startswith(b"HTTP/") else ""


def _decode(text: bytes | None) -> str:
    return text.decode("utf-8", "surrogateescape") if text else ""


def _make_reply(code: int, lines: tuple[str, ...], raw: bytes) -> Reply:
    """A reply from lines that were received; takes the enhanced code off where each line has the same."""
    enhanced = None
    found = _ENHANCED.match(lines[0])
    # RFC 2034 s4: the class of the enhanced code is the first digit of the reply code
    if found and int(found[1]) == code // 100 and lines[0][found.end() : found.end() + 1] in {"", " "}:
        mark = found[0]
        if all(line == mark or line.startswith(mark + " ") for line in lines[1:]):
            enhanced = _make_enhanced(found)
            lines = tuple([line[len(mark) + 1 :] for line in lines])
    reply = Reply.__new__(Reply)
    assign(reply, "code", code)
    assign(reply, "lines", lines)
    assign(reply, "enhanced", enhanced)
    assign(reply, "raw", raw)
    return reply
