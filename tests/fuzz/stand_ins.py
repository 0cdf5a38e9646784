"""Things that are broken on purpose, one way each, to show that the targets notice."""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from smtpcore import ClientConnection, ParseError, ServerConnection, State
from smtpcore.extensions.auth import Auth, decode_base64
from smtpcore.session.event import CommandReceived, ReplyReceived, VerdictReceived
from smtpcore.wire.address import Mailbox
from smtpcore.wire.capabilities import Capabilities, Capability
from smtpcore.wire.chunks import ChunkReader
from smtpcore.wire.command import Command, Mail, Noop, parse_command
from smtpcore.wire.content import DotStuffer, DotUnstuffer
from smtpcore.wire.host import AddressLiteral, Domain
from smtpcore.wire.meter import ContentMeter
from smtpcore.wire.newlines import NewlineFilter
from smtpcore.wire.parameters import parse_parameters
from smtpcore.wire.proxy_reader import ProxyReader
from smtpcore.wire.reply import EnhancedCode, ReplyReader
from smtpcore.wire.tolerance import LAX
from smtpcore.wire.xtext import decode_xtext
from tests.fuzz.oracle import Oracle
from tests.fuzz.values import prefixed_path


class StandIn(NamedTuple):
    """What is broken, the target that has to notice, and the promise that it has to name."""

    what: str
    target: str
    oracle: Oracle
    arguments: tuple[Any, ...]


class Around:
    """Does as the thing inside does, but for what a subclass changes."""

    def __init__(self, real: Any) -> None:
        self.real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


# --- values --------------------------------------------------------------------------------------


class _Dirty(Command):
    __slots__ = ()
    verb = "NOOP"

    def __bytes__(self) -> bytes:
        return b"NOOP\nDATA\r\n"


def _raises_index_error(line: bytes, *others: Any) -> Command:
    if b"," in line:
        raise IndexError(line)
    return parse_command(line, *others)


def _swaps_case(line: bytes, *others: Any) -> Command:
    command = parse_command(line, *others)
    if isinstance(command, Mail) and command.sender:
        return Mail(Mailbox(command.sender.local_part.swapcase(), command.sender.domain))
    return command


def _lax_refuses(line: bytes, vocabulary: Any, tolerance: Any) -> Command:
    if tolerance.level is LAX:
        raise ParseError("no")
    return parse_command(line, vocabulary, tolerance)


def _normalises(text: str, *others: Any) -> Mailbox:
    return Mailbox.parse(unicodedata.normalize("NFKC", text), *others)


def _to_the_end(text: str, *others: Any) -> tuple[Mailbox, int]:
    return prefixed_path(text, *others)[0], len(text)


class _AnyNumber:
    """An address literal whose numbers may be of any size."""

    def __init__(self, tag: str, address: str) -> None:
        self.tag = tag
        self.address = address

    @classmethod
    def parse(cls, text: str) -> Any:
        if text[1:-1].replace(".", "").isdigit():
            return cls("IPv4", text[1:-1])
        return AddressLiteral.parse(text)

    def __str__(self) -> str:
        return f"[{self.address}]"

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


def _int(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ParseError("no number") from None


def _shows_it(text: str) -> bytes:
    try:
        return decode_base64(text)
    except ParseError:
        raise ParseError("not base64", text=text) from None


def _all_lines(lines: list[str]) -> Capabilities:
    return Capabilities(*[Capability(line.partition(" ")[0], line.partition(" ")[2]) for line in lines])


def _any_digits(text: str) -> EnhancedCode:
    try:
        klass, subject, detail = map(int, text.split("."))
    except ValueError:
        raise ParseError("no code") from None
    return EnhancedCode(klass, subject, detail)


class _AnyText(Around):
    def __init__(self, code: int, lines: list[str], enhanced: object) -> None:
        self.code = code
        self.lines = lines

    def encode(self, *, with_enhanced: bool) -> bytes:
        *lines, last = self.lines
        made = "".join([f"{self.code}-{line}\r\n" for line in lines]) + f"{self.code} {last}\r\n"
        return made.encode("utf-8", "surrogateescape")


# --- streams -------------------------------------------------------------------------------------


class _LfEndsReplies(Around):
    def receive(self, data: bytes) -> None:
        self.real.receive(data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))


class _LfEndsLines:
    def __init__(self) -> None:
        self.data = b""

    def append(self, data: bytes) -> None:
        self.data += data

    def take_line(self) -> bytes | None:
        line, mark, rest = self.data.partition(b"\n")
        self.data = rest if mark else self.data
        return line.removesuffix(b"\r") if mark else None

    def view(self) -> tuple[bytes, int]:
        return self.data, 0

    def seek(self, offset: int) -> None:
        self.data = self.data[offset:]

    def take(self, limit: int = -1) -> bytes:
        taken = self.data if limit < 0 else self.data[:limit]
        self.data = self.data[len(taken) :]
        return taken

    def clear(self) -> None:
        self.data = b""

    def __len__(self) -> int:
        return len(self.data)


class _StartsWithinALine(Around):
    def __init__(self, policy: Any) -> None:
        super().__init__(DotUnstuffer(policy))
        self.real.receive(b"x")


class _ForgetsCr(Around):
    def receive(self, data: bytes) -> bytes:
        received: bytes = self.real.receive(data.removesuffix(b"\r"))
        return received


class _ForgetsTheFirstDot(Around):
    def stuff(self, data: bytes) -> bytes:
        return data.replace(b"\r\n.", b"\r\n..")


class _NoNul(Around):
    def receive(self, data: bytes) -> bytes:
        received: bytes = self.real.receive(data)
        return received.replace(b"\0", b" ")


class _LosesOne(Around):
    """Takes the octet behind the header for part of it."""

    @property
    def unused_data(self) -> bytes:
        unused: bytes = self.real.unused_data
        return unused[1:]


class _JudgesEachPiece(Around):
    def __init__(self, policy: Any) -> None:
        super().__init__(NewlineFilter(policy))

    def feed(self, data: bytes) -> bytes:
        fed: bytes = self.real.feed(data) + self.real.finish()
        return fed


# --- machines ------------------------------------------------------------------------------------


class _DropsLf(Around):
    def receive_data(self, data: bytes) -> None:
        if data != b"\n":
            self.real.receive_data(data)


class _LfDotLf(Around):
    def receive_data(self, data: bytes) -> None:
        self.real.receive_data(data.replace(b"\n.\n", b"\r\n.\r\n"))


class _SaysItTwice(Around):
    def data_to_send(self) -> bytes:
        said: bytes = self.real.data_to_send()
        return said * 2


class _BareLf(Around):
    def data_to_send(self) -> bytes:
        said: bytes = self.real.data_to_send()
        return said.replace(b"ok", b"\n")


class _ForgetsMail(Around):
    @property
    def state(self) -> State:
        return State.READY if self.real.state is State.MAIL else self.real.state


class _CountsRefusals(Around):
    def reply(self, reply: Any) -> None:
        self.real.session.errors += 1
        self.real.reply(reply)


class _RaisesKeyError(Around):
    def next_event(self) -> Any:
        event = self.real.next_event()
        if isinstance(event, CommandReceived) and isinstance(event.command, Noop):
            raise KeyError(event)
        return event


class _Shown(CommandReceived):  # type: ignore[misc]  # final, which only a type checker knows
    __slots__ = ()

    def __repr__(self) -> str:
        command = self.command
        secret = command.initial_response if isinstance(command, Auth) else None
        return repr(secret and secret.reveal())


class _ShowsSecrets(Around):
    def next_event(self) -> Any:
        event = self.real.next_event()
        return _Shown(event.command) if isinstance(event, CommandReceived) else event


class _OffersNothing(Around):
    @property
    def capabilities(self) -> Capabilities:
        return Capabilities()


class _AnotherCommand(Around):
    def next_event(self) -> Any:
        event = self.real.next_event()
        return ReplyReceived(event.reply, Noop()) if isinstance(event, ReplyReceived) else event


class _ReadsChunks(Around):
    """What BDAT announces is read as commands."""

    def receive_data(self, data: bytes) -> None:
        self.real.receive_data(data.replace(b"BDAT", b"XDAT"))


class _ShortChunks(Around):
    def receive_data(self, data: bytes) -> None:
        self.real.receive_data(data.replace(b"BDAT 3 LAST", b"BDAT 2 LAST"))


class _OneVerdict(Around):
    """LMTP as if it were SMTP: one reply to a content."""

    def next_event(self) -> Any:
        event = self.real.next_event()
        return ReplyReceived(event.reply, event.command) if isinstance(event, VerdictReceived) else event


class _LosesAnOctet(Around):
    def send_chunk(self, data: bytes, *, last: bool = False) -> Any:
        return self.real.send_chunk(data[1:], last=last)


class _Authenticated(Around):
    @property
    def authenticated(self) -> bool:
        return True


class _NeverStuffs(Around):
    def __init__(self, real: Any) -> None:
        super().__init__(real)
        self.raw = b""

    def send_content(self, data: bytes) -> None:
        self.raw += data

    def data_to_send(self) -> bytes:
        raw, self.raw = self.raw, b""
        said: bytes = self.real.data_to_send()
        return raw + b"\r\n" + said if raw else said


def _server(kind: type[Around]) -> tuple[Any, ...]:
    return (lambda settings, tls: kind(ServerConnection.from_settings(settings, tls=tls)),)


def _client(kind: type[Around]) -> tuple[Any, ...]:
    return (lambda **options: kind(ClientConnection(**options)),)


def _made() -> Iterator[StandIn]:
    yield StandIn("an IndexError", "command", Oracle.EXCEPTION, (_raises_index_error,))
    yield StandIn("the case changes", "command", Oracle.ROUND_TRIP, (_swaps_case,))
    yield StandIn("LAX refuses", "command", Oracle.STRICTNESS, (_lax_refuses,))
    dirty = _Dirty()
    yield StandIn("LF in a command", "command", Oracle.CLEAN_LINES, (lambda *others: dirty,))
    yield StandIn("NFKC", "mailbox", Oracle.REFERENCE, (_normalises,))
    yield StandIn("what follows belongs to it", "path", Oracle.REFERENCE, (_to_the_end,))
    yield StandIn("numbers beyond 255", "literal", Oracle.REFERENCE, (_AnyNumber,))
    yield StandIn("spaces are taken off", "domain", Oracle.ROUND_TRIP, (lambda text: Domain(text.strip()),))
    loose = (lambda text, *others: parse_parameters(text.rstrip(" "), *others),)
    yield StandIn("a space at the end", "parameters", Oracle.REFERENCE, loose)
    yield StandIn("nothing is encoded", "xtext", Oracle.CLEAN_LINES, ((str, decode_xtext),))
    yield StandIn("int()", "number", Oracle.REFERENCE, (_int,))
    yield StandIn("lenient base64", "base64", Oracle.REFERENCE, (base64.b64decode,))
    yield StandIn("an error shows it", "base64", Oracle.SECRET, (_shows_it,))
    yield StandIn("all lines count", "capabilities", Oracle.EXCEPTION, (_all_lines,))
    yield StandIn("leading zeros", "enhanced-code", Oracle.REFERENCE, (_any_digits,))
    yield StandIn("CR in a reply", "reply", Oracle.CLEAN_LINES, (_AnyText,))
    yield StandIn(
        "LF ends a line", "reply-reader", Oracle.REFERENCE, (lambda *limits: _LfEndsReplies(ReplyReader(*limits)),)
    )
    yield StandIn("CR cut off", "reply-reader", Oracle.SPLIT, (lambda *limits: _ForgetsCr(ReplyReader(*limits)),))
    yield StandIn("LF ends a line", "receive-buffer", Oracle.REFERENCE, (_LfEndsLines,))
    yield StandIn("no dot at the start", "dot-unstuffer", Oracle.END_OF_DATA, (_StartsWithinALine,))
    yield StandIn("CR cut off", "dot-unstuffer", Oracle.SPLIT, (lambda policy: _ForgetsCr(DotUnstuffer(policy)),))
    forgets = (lambda policy: _ForgetsTheFirstDot(DotStuffer(policy)),)
    yield StandIn("the first dot", "dot-stuffer", Oracle.REFERENCE, forgets)
    yield StandIn("an octet too many", "proxy-header", Oracle.REFERENCE, (lambda: _LosesOne(ProxyReader()),))
    yield StandIn("NUL is lost", "chunk-reader", Oracle.REFERENCE, (lambda policy: _NoNul(ChunkReader(policy)),))
    yield StandIn("pieces are judged alone", "newline-filter", Oracle.SPLIT, (_JudgesEachPiece,))
    more = (lambda size, line: ContentMeter(None if size is None else size + 1, line),)
    yield StandIn("one octet more", "content-meter", Oracle.REFERENCE, more)
    yield StandIn("a piece is lost", "server", Oracle.SPLIT, _server(_DropsLf))
    yield StandIn("LF . LF", "server", Oracle.END_OF_DATA, _server(_LfDotLf))
    yield StandIn("replies twice", "server", Oracle.ORDER, _server(_SaysItTwice))
    yield StandIn("LF in a reply", "server", Oracle.CLEAN_LINES, _server(_BareLf))
    yield StandIn("MAIL is forgotten", "server", Oracle.STATE, _server(_ForgetsMail))
    yield StandIn("a refused call counts", "server", Oracle.UNCHANGED, _server(_CountsRefusals))
    yield StandIn("a KeyError", "server", Oracle.EXCEPTION, _server(_RaisesKeyError))
    yield StandIn("a response shows", "server", Oracle.SECRET, _server(_ShowsSecrets))
    yield StandIn("chunks are read", "server", Oracle.REFERENCE, _server(_ReadsChunks))
    yield StandIn("a chunk is short", "server", Oracle.REFERENCE, _server(_ShortChunks))
    yield StandIn("a piece is lost", "client", Oracle.SPLIT, _client(_DropsLf))
    yield StandIn("one verdict", "client", Oracle.ORDER, _client(_OneVerdict))
    yield StandIn("a chunk is short", "client", Oracle.REFERENCE, _client(_LosesAnOctet))
    yield StandIn("a chunk is short", "pair", Oracle.END_OF_DATA, _client(_LosesAnOctet))
    yield StandIn("nobody offered groups", "client", Oracle.PIPELINING, _client(_OffersNothing))
    yield StandIn("another command's reply", "client", Oracle.ORDER, _client(_AnotherCommand))
    yield StandIn("AUTH is made up", "pair", Oracle.AGREEMENT, _client(_Authenticated))
    yield StandIn("no dots", "pair", Oracle.END_OF_DATA, _client(_NeverStuffs))


STAND_INS: Final = tuple(_made())
