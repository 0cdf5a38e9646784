"""Recorded conversations, played against the machines. Each player gives back what did not go as recorded.

A server machine is driven by an application that behaves as the record says wherever that is its business: which code
a sender, a recipient or a message gets. What RFC 5321 decides - syntax, sequence, framing - is left to the machine, so
the codes of that kind (:data:`OF_THE_MACHINE`) are never given by the application.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from smtpcore import (
    LAX,
    NEED_DATA,
    PAUSED,
    Auth,
    AuthResponse,
    Capabilities,
    ClientConnection,
    CommandReceived,
    ConnectionClosed,
    ContentEnded,
    ContentReceived,
    Ehlo,
    EndOfContent,
    Expn,
    Help,
    Lhlo,
    LocalProtocolError,
    ParseError,
    RemoteProtocolError,
    Reply,
    ReplyReceived,
    ServerConnection,
    State,
    VerdictReceived,
    Vocabulary,
    Vrfy,
    parse_command,
)
from smtpcore import extensions as ext
from smtpcore.extensions import STANDARD, Bdat, BdatLast
from smtpcore.table import may_answer
from tests.session.looking import codes, octets

EXTENSIONS = STANDARD
OFFER = Capabilities(
    ext.PIPELINING,
    ext.SIZE(33_554_432),
    ext.EIGHTBITMIME,
    ext.SMTPUTF8,
    ext.ENHANCEDSTATUSCODES,
    ext.STARTTLS,
    ext.AUTH.offer(("PLAIN", "LOGIN", "CRAM-MD5", "DENYMISSING")),
    ext.HELP,
    ext.CHUNKING,
    ext.BINARYMIME,
    ext.DSN,
)
#: What clients say, with the verb of LMTP (RFC 2033 s4.1).
VOCABULARY = Vocabulary(
    [*EXTENSIONS.vocabulary.verbs.values(), Lhlo],
    EXTENSIONS.vocabulary.mail_parameters.values(),
    EXTENSIONS.vocabulary.rcpt_parameters.values(),
)
#: Syntax, sequence and what is not implemented: for the machine to find out.
OF_THE_MACHINE = frozenset((500, 501, 502, 503, 504, 555))

Cut = Callable[[bytes], Iterable[bytes]]


def whole(data: bytes) -> list[bytes]:
    """As it was recorded."""
    return [data] if data else []


CUTS: dict[str, Cut] = {"as-recorded": whole, "octets": octets}


# -- a server machine under a recorded client ----------------------------------------------------------


class Server:
    """A server machine and the application that the record calls for."""

    def __init__(self, *, tls: bool = False, **options: Any) -> None:
        options.setdefault("extensions", EXTENSIONS)
        options.setdefault("allow_plaintext_auth", True)
        self.machine = ServerConnection("hamburger.edu", OFFER, tls=tls, strictness=LAX, **options)
        self.wanted: list[int] = []
        self.said: list[int] = []
        self.content = b""
        self.contents: list[bytes] = []

    def step(self, data: Iterable[bytes], wanted: list[int]) -> list[int]:
        """Take the octets; what is wanted is the codes, 0 for any. What came."""
        self.wanted, self.said = wanted, []
        if self.machine.state is State.CONNECTED:
            self._answer(self.machine.awaiting)
        for piece in data:
            self.machine.receive_data(piece)
            self._listen()
        self._collect()
        return self.said

    def _listen(self) -> None:
        while True:
            event = self.machine.next_event()
            if event is NEED_DATA or event is PAUSED or isinstance(event, ConnectionClosed):
                return
            if isinstance(event, ContentReceived):
                self.content += event.data
            elif isinstance(event, (CommandReceived, ContentEnded)):
                if not self.machine.receiving and isinstance(event, CommandReceived):
                    self.content = b""  # RSET and the like drop what has come
                self._collect()
                self._answer(self.machine.awaiting)
            if isinstance(event, ContentEnded):
                self.contents.append(self.content)
                self.content = b""

    def _collect(self) -> None:
        self.said += codes(self.machine.data_to_send())

    def _answer(self, command: Any) -> None:
        place = len(self.said)
        code = self.wanted[place] if place < len(self.wanted) else 0
        ends = isinstance(command, EndOfContent) or (isinstance(command, BdatLast) and self.machine.receiving)
        if ends and self.machine.settings.lmtp:
            count = len(self.machine.transaction.rcpts)
            wanted = [*self.wanted[place : place + count], *[0] * count][:count]
            self.machine.reply_each([Reply(each or 250, "as recorded") for each in wanted])
            self._collect()
            return
        if isinstance(command, BdatLast) and not ends:
            code = 0  # what is said of it is said of the message
        row = self.machine.session.rows.get(type(command), {})
        if not code or (code in OF_THE_MACHINE and not _may_say(command, code)) or not may_answer(row, code // 100):
            if isinstance(command, Auth) and command.initial_response is None:
                self.machine.challenge(b"")
            else:
                self.machine.accept()
        elif code // 100 == 2 and command.verb in {"EHLO", "(connect)"}:
            self.machine.accept()
        else:
            self.machine.reply(Reply(code, "as recorded"))
        self._collect()


def _may_say(command: Any, code: int) -> bool:
    """What an application may say of these codes: a mechanism of its own, or what it does not implement."""
    if isinstance(command, Ehlo):
        return code in {500, 502}  # as servers did before RFC 1869
    if isinstance(command, (Auth, AuthResponse)):
        return code == 501
    if isinstance(command, Bdat):
        return code == 555  # of what an application makes of it
    return code == 502 and isinstance(command, (Vrfy, Expn, Help))


def wanted_of(entries: list[dict[str, Any]] | None) -> list[int]:
    """The codes that a step expects, one for each reply; a class is that of its hundred, 0 where nothing is said."""
    found: list[int] = []
    run: list[dict[str, Any]] = []
    for number, entry in enumerate(entries or []):
        if "code" not in entry and "class" not in entry:
            continue
        code = entry.get("code") or entry["class"] * 100
        before = entries[number - 1] if entries and number else {}
        continues = (entry.get("continued") or before.get("continued")) and before.get("code") == code
        if continues and run:
            run.append(entry)
            continue
        run = [entry]
        found.append(code)
    return found


def play_dialogue(record: dict[str, Any], cut: Cut, **options: Any) -> list[str]:
    """A record of mode ``server``: what is sent, and the codes to expect."""
    faults: list[str] = []
    server: Server | None = None
    for number, step in enumerate(record["steps"]):
        wanted = wanted_of(step.get("expect"))
        classes = [entry.get("code") is None for entry in step.get("expect") or [] if "class" in entry]
        if step.get("connect"):
            server = Server(tls=bool(step.get("tls") or step.get("tls_after")), **options)
        assert server is not None
        data = step.get("send", "").encode("utf-8", "surrogateescape")
        try:
            said = server.step(cut(data), list(wanted))
        except RemoteProtocolError as error:
            return [*faults, f"step {number}: {error}"]
        if step.get("tls_after") and not step.get("connect"):
            if server.machine.state is not State.UPGRADING:
                return [*faults, f"step {number}: no upgrade"]
            server.machine.tls_established()
        if wanted and any(classes):
            said = [code // 100 * 100 for code in said]
        if wanted and said != wanted:
            faults.append(f"step {number}: {said}, not {wanted}")
    return faults


def unstuffed(data: bytes) -> tuple[bytes, bytes]:
    """The content at the start of the octets and what stands behind it, in three lines and without a machine."""
    end = (b"\r\n" + data).find(b"\r\n.\r\n")
    content = (b"\r\n" + data)[: end + 2].replace(b"\r\n.", b"\r\n")[2:]
    return content, data[end + 3 :]


def is_lmtp(record: dict[str, Any]) -> bool:
    """Whether the record speaks LMTP."""
    turns = [
        *record.get("events", ()),
        *[(key, text) for step in record.get("steps", ()) for key, text in step.items()],
    ]
    return any(isinstance(each, str) and each[:5].upper() == "LHLO " for turn in turns for each in turn)


def play_transcript(record: dict[str, Any], way: str) -> list[str]:
    """A recorded client against a server machine: the same codes, and the contents that the plainest reader finds."""
    stretches: list[list[bytes]] = [[]]
    wanted: list[list[int]] = [[]]
    for event in record["events"]:
        if event[0] == "c":
            stretches[-1].append(event[1].encode("latin-1"))
        elif event[0] == "s":
            wanted[-1] += codes(event[1].encode("latin-1"))
        elif event[0] == "tls":
            stretches.append([])
            wanted.append([])
    server = Server(lmtp=is_lmtp(record))
    faults: list[str] = []
    for number, (pieces, expected) in enumerate(zip(stretches, wanted)):
        if number:
            server.machine.tls_established()
        data = b"".join(pieces)
        cut = {"as-recorded": pieces, "octets": octets(data), "at-once": [data] if data else []}[way]
        try:
            said = server.step(cut, expected)
        except RemoteProtocolError as error:
            return [*faults, str(error)]
        if said != expected:
            faults.append(f"{said}, not {expected}")
    sent = [content for pieces in stretches for content in contents_of(b"".join(pieces))]
    if server.contents != sent:
        faults.append("other contents")
    return faults


def contents_of(data: bytes) -> Iterator[bytes]:
    """The contents in what a client sent: each stands behind a DATA line that is no content itself, or behind BDAT."""
    chunks = b""
    while data:
        line, _, data = data.partition(b"\r\n")
        if line.upper() == b"DATA":
            content, data = unstuffed(data)
            yield content
        elif line[:5].upper() == b"BDAT ":
            chunk, data, last = chunk_of(line, data)
            chunks += chunk
            if last:
                yield chunks
                chunks = b""


def chunk_of(line: bytes, data: bytes) -> tuple[bytes, bytes, bool]:
    """The octets that a BDAT line announces, what stands behind them, and whether they are the last."""
    _, size, *last = line.split(b" ")
    return data[: int(size)], data[int(size) :], bool(last)


# -- a client machine under a recorded server ----------------------------------------------------------


class Client:
    """A client machine whose caller sends what the recorded client sent."""

    def __init__(self, machine: ClientConnection | None = None, *, lmtp: bool = False) -> None:
        self.machine: Any = machine or ClientConnection(extensions=EXTENSIONS, allow_plaintext_auth=True, lmtp=lmtp)
        self.replies: list[Any] = []
        self.sent: list[Any] = []

    def say(self, data: bytes) -> bytes:
        """Send the commands or the content in these octets; what the machine wrote."""
        machine = self.machine
        while data:
            if machine.state is State.CONTENT:
                if not machine.in_flight:
                    content, data = unstuffed(data)
                    machine.send_content(content)
                    self.sent.append(machine.end_content())
                    continue
                if isinstance(machine.in_flight[0], EndOfContent) and data.startswith(b".\r\n"):
                    data = data[3:]  # the lone dot of RFC 2920 s3.1 goes by itself
                    continue
            line, _, data = data.partition(b"\r\n")
            if line[:5] == b"BDAT ":
                chunk, data, last = chunk_of(line, data)
                self.sent.append(machine.send_chunk(chunk, last=last))
                continue
            if machine.state is State.AUTHENTICATING:
                command: Any = AuthResponse.parse_line(line)
            else:
                command = parse_command(line, VOCABULARY)
            machine.send(command)
            self.sent.append(command)
        written: bytes = machine.data_to_send()
        return written

    def hear(self, pieces: Iterable[bytes]) -> None:
        """Take the octets of the server."""
        for piece in pieces:
            self.machine.receive_data(piece)
            while (event := self.machine.next_event()) not in {NEED_DATA, PAUSED}:
                if isinstance(event, ConnectionClosed):
                    return
                assert isinstance(event, (ReplyReceived, VerdictReceived)), event
                self.replies.append(event)


def play_client(turns: list[tuple[str, bytes]], cut: Cut, machine: ClientConnection | None = None) -> list[str]:
    """Turns of "c", "s" and "tls": the same octets must be written, and each reply must find its command."""
    lmtp = any(who == "c" and data[:5] == b"LHLO " for who, data in turns)
    client = Client(machine, lmtp=lmtp)
    faults: list[str] = []
    due = ahead = b""
    try:
        for who, data in turns:
            if who == "tls":
                client.machine.tls_established()
            elif who == "c":
                due += data[len(ahead) :] if data.startswith(ahead) else data
                ahead = b""
                written = client.say(data)
                if not due.startswith(written):
                    return [f"wrote {written[:60]!r}, not {due[:60]!r}"]
                due = due[len(written) :]
            else:
                client.hear(cut(data))
                written = client.machine.data_to_send()
                if due.startswith(written):
                    due = due[len(written) :]
                elif written == b".\r\n":
                    ahead = written  # the machine's own, which comes before its caller says so
                else:
                    return [f"wrote {written[:60]!r} behind {data[:40]!r}"]
    except (LocalProtocolError, RemoteProtocolError, ParseError) as error:
        return [*faults, f"{type(error).__name__}: {error}"]
    if due:
        faults.append(f"never wrote {due[:60]!r}")
    answered = list(dict.fromkeys([id(event.command) for event in client.replies]))  # verdicts share theirs
    ours = [id(command) for command in client.sent]
    mine = [number for number in answered if number in ours]
    if mine != ours[: len(mine)]:
        faults.append("a reply found another command")
    return faults
