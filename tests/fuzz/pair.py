"""The target that puts the two machines against each other, over two pipes that deliver when they like.

Fuzz bytes choose what the client does, what the server's application answers, and how many octets
arrive when. Nothing may raise but what a caller does out of place; whenever nothing is under way
both sides have to know the same; and each command has to have had its own reply.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from smtpcore import ClientConnection, Reply, ServerConnection, State
from smtpcore.errors import LocalProtocolError
from smtpcore.extensions.chunking import BdatCommand
from smtpcore.session.event import (
    CommandReceived,
    CommandSkipped,
    ConnectionClosed,
    ContentEnded,
    ContentReceived,
    ContentRejected,
    ReplyReceived,
    Signal,
    VerdictReceived,
)
from smtpcore.session.settings import ServerSettings
from smtpcore.table import Connect, EndOfContent
from smtpcore.wire.command import Command, Data, Greeting, Mail
from smtpcore.wire.newlines import BareNewlines
from tests.fuzz import tokens
from tests.fuzz.client import is_one_of
from tests.fuzz.oracle import BARE, Oracle, OracleFailure, check, reply_codes
from tests.fuzz.script import MOVES, Chunk, Chunks, turned
from tests.fuzz.server import ANSWERS, LMTP_SETTINGS, SETTINGS
from tests.fuzz.streams import under
from tests.fuzz.tokens import Source

MakeClient = Callable[..., Any]
MakeServer = Callable[[ServerSettings, bool], Any]

_CONTENT: Final = (
    b"Subject: x\r\n",
    b".",
    b"\r\n",
    b"\r\n.\r\n",
    b"a",
    b"..",
    b"x" * 70,
    b"\xc3\xa9",
    b"\0",
    b"\r",
    b"\n",
)


#: The steps before those that the fuzzer chooses: a greeting and EHLO, then a transaction up to its content.
BEGINNINGS: Final = (b"", b"\3\0\xff", b"\3\0\xff", b"\3\0\xff\4\xff")


def pair(
    data: bytes,
    make_client: MakeClient = ClientConnection,
    make_server: MakeServer = lambda settings, tls: ServerConnection.from_settings(settings, tls=tls),
) -> None:
    """ClientConnection and ServerConnection against each other."""
    source = Source(data)
    choice = source.byte()
    lmtp = choice & 24 == 24  # TLS from the start, and a policy on newlines, which is seldom what LMTP is spoken with
    settings = (LMTP_SETTINGS if lmtp else SETTINGS)[choice & 7]
    policy = (BareNewlines.REJECT, BareNewlines.NORMALIZE)[choice >> 3 & 1]
    tls = bool(choice & 16)
    content = tokens.octets(Source(b"\1" + source.short(12)), _CONTENT)
    client = make_client(bare_newlines=policy, tls=tls, allow_plaintext_auth=bool(choice & 32), lmtp=lmtp)
    Meeting(client, make_server(settings, tls), settings, policy, content).run(BEGINNINGS[choice >> 6] + source.rest())


class Meeting:
    """The two machines, what travels between them, and the books."""

    def __init__(
        self, client: Any, server: Any, settings: ServerSettings, policy: BareNewlines, content: bytes
    ) -> None:
        self.client = client
        self.server = server
        self.settings = settings
        self.policy = policy
        self.content = content
        self.upstream = bytearray()  # to the server
        self.downstream = bytearray()  # to the client
        self.written = bytearray()  # all that the server has said
        self.taken: list[Command] = []  # by send(), and neither answered nor skipped yet
        self.asked: list[
            Command
        ] = []  # what the server was asked, in the order of its replies; a Command where nobody outside was
        self.replied: list[tuple[Command | None, Reply]] = []  # what the client heard
        self.carried: dict[int, Chunks] = {}  # by the command that goes before the octets
        self.by_chunks = False  # how it comes
        self.received: list[bytes] = []  # the content in hand
        self.chunks: list[Chunks] = [Chunks(None, policy)]  # the contents that the client has sent by BDAT
        self.over = False  # for the client
        self.abandoned = False
        self.closed = False  # for the server
        self.log: list[object] = []

    def run(self, steps: bytes) -> None:
        for step in steps:
            if self.abandoned:
                return
            kind, number = step & 3, step >> 2
            if kind == 0:
                self._move(number)
            elif kind == 1:
                self._deliver_up(number if number < 60 else 100_000)
            elif kind == 2:
                self._deliver_down(number if number < 60 else 100_000)
            elif number == 63:
                self._settle()
            else:
                self._answer(ANSWERS[number % len(ANSWERS)])
        self._settle()

    # -- the client's side ------------------------------------------------------------------------

    def _move(self, number: int) -> None:
        client = self.client
        if client.state is State.CONTENT and not client.in_flight and number < 60:
            self._send_content()
            return
        number %= len(MOVES)
        for move in MOVES[turned(number) if client.lmtp else number]():
            if self.over or client.state is State.CLOSED:
                return
            try:
                command = self._send(move)
            except LocalProtocolError:
                continue
            self.log.append(command)
            self.taken.append(command)
        self._collect()

    def _send(self, move: Command | Chunk) -> Command:
        if isinstance(move, Chunk):
            command: Command = self.client.send_chunk(move.data, last=move.last)
            chunks = self.chunks[-1]
            if chunks.over:
                chunks = Chunks(chunks.mail, chunks.policy)
                self.chunks.append(chunks)
            chunks.given += move.data
            chunks.over = move.last
            self.carried[id(command)] = chunks
            return command
        self.client.send(move)
        if isinstance(move, Mail):
            self.chunks.append(Chunks(move, self.policy))
        return move

    def _send_content(self) -> None:
        try:
            self.client.send_content(self.content)
            end = self.client.end_content()
        except LocalProtocolError as error:
            bare = self.policy is BareNewlines.REJECT and BARE.search(self.content)
            check(bare, Oracle.REFERENCE, "pair: a good content is refused", self.content, error)
            self.abandoned = True
            return
        self.log.append(end)
        self.taken.append(end)
        self._collect()

    def _hear(self) -> None:
        client = self.client
        while not self.over:
            event = client.next_event()
            if isinstance(event, Signal):
                return
            self.log.append(event)
            if isinstance(event, ReplyReceived):
                self.replied.append((event.command, event.reply))
                if isinstance(event.command, BdatCommand) and event.reply.code >= 400:
                    self.carried[id(event.command)].over = True
                self._forget(event.command)
            elif isinstance(event, VerdictReceived):
                self.replied.append((event.command, event.reply))
                if not is_one_of(event.command, client.in_flight):
                    self._forget(event.command)
            elif isinstance(event, CommandSkipped):
                self._forget(event.command)
            elif isinstance(event, ConnectionClosed):
                self.over = True
                for command in (*event.unanswered, *event.unsent):
                    self._forget(command)
                check(not self.taken, Oracle.ORDER, "pair: commands without an end", self.taken, event)
            self._collect()

    def _forget(self, command: Command | None) -> None:
        if command is None or isinstance(command, (Connect, EndOfContent)):
            self.taken = [other for other in self.taken if other is not command]
            return
        check(is_one_of(command, self.taken), Oracle.ORDER, "pair: a reply to what nobody sent", command, self.taken)
        self.taken = [other for other in self.taken if other is not command]

    def _collect(self) -> None:
        self.upstream += self.client.data_to_send()

    # -- the server's side ------------------------------------------------------------------------

    def _answer(self, answer: Reply | bool | None) -> None:
        server = self.server
        command = server.awaiting
        if command is None:
            return
        # Another reply to EHLO than the standard one would offer what the server does not have.
        if isinstance(command, Greeting) and isinstance(answer, Reply) and answer.is_positive:
            answer = None
        try:
            if isinstance(answer, Reply):
                server.reply(answer)
            elif answer:
                server.challenge(b"user")
            elif answer is False:
                server.close()
            else:
                server.accept()
        except LocalProtocolError:
            server.accept()
        self.log.append((command, answer))
        self._account(command)
        self._serve()

    def _account(self, command: Command) -> None:
        """What was written answers this, in LMTP once for each recipient."""
        written = self.server.data_to_send()
        self.written += written
        self.downstream += written
        self.asked += [command] * len(reply_codes(written, "pair"))

    def _serve(self) -> None:
        server = self.server
        while not self.closed:
            event = server.next_event()
            if isinstance(event, Signal):
                break
            self._account(EndOfContent() if isinstance(event, ContentRejected) and not self.by_chunks else Command())
            if isinstance(event, ContentReceived):
                self.received.append(event.data)
            elif isinstance(event, (ContentEnded, ContentRejected)):
                self._on_content(event)
            elif isinstance(event, ConnectionClosed):
                self.closed = True
            elif isinstance(event, CommandReceived):
                self.by_chunks = isinstance(event.command, BdatCommand) or (
                    self.by_chunks and not isinstance(event.command, Data)
                )
                if not server.receiving:
                    self.received = []  # RSET and the like drop what has come
            self.log.append(event)
        self._account(Command())

    def _on_content(self, event: ContentEnded | ContentRejected) -> None:
        if self.by_chunks:
            self._on_chunks(event)
            return
        sent = under(self.policy, self.content)[0]
        sent += b"" if not sent or sent.endswith(b"\r\n") else b"\r\n"
        got = b"".join(self.received)
        self.received = []
        # RFC 2920 s3.1: DATA that was let in although no recipient was is answered with a lone dot.
        lone = not any(isinstance(command, EndOfContent) for command in self.taken) and not got
        if isinstance(event, ContentEnded):
            check(got == sent or lone, Oracle.END_OF_DATA, "pair: another content", sent, got)
        else:
            check(sent.startswith(got), Oracle.END_OF_DATA, "pair: another content", sent, got)
            longest = max(map(len, sent.split(b"\r\n")))
            too_much = len(sent) > (self.settings.limits.size or 300) or longest >= 999
            check(too_much, Oracle.REFERENCE, "pair: a good content is refused", sent)

    def _on_chunks(self, event: ContentEnded | ContentRejected) -> None:
        """What came is one of the contents that were sent; which one, hangs on what was refused before it."""
        got = b"".join(self.received)
        self.received = []
        contents = [chunks.meant for chunks in self.chunks]
        if isinstance(event, ContentEnded):
            check(got in contents, Oracle.END_OF_DATA, "pair: other chunks", contents, got, self.log)
            return
        close = [content for content in contents if content.startswith(got)]
        check(close, Oracle.END_OF_DATA, "pair: other chunks", contents, got)
        too_much = max(map(len, close)) > (self.settings.limits.size or 300)
        check(too_much, Oracle.REFERENCE, "pair: good chunks are refused", close)

    # -- the pipes --------------------------------------------------------------------------------

    def _deliver_up(self, size: int) -> None:
        data = bytes(self.upstream[: size + 1])
        if data:
            del self.upstream[: size + 1]
            self.server.receive_data(data)
            self._serve()

    def _deliver_down(self, size: int) -> None:
        data = bytes(self.downstream[: size + 1])
        if data and not self.over and self.client.state is not State.CLOSED:
            del self.downstream[: size + 1]
            self.client.receive_data(data)
            self._hear()

    def _settle(self) -> None:
        """Let all that is under way arrive, and compare what both sides know."""
        if self.abandoned:
            return
        for _ in range(10_000):
            self._answer(None)
            self._deliver_up(100_000)
            self._deliver_down(100_000)
            self._hear()
            if (self.server.awaiting is None and not (self.upstream or self.downstream)) or self.over:
                break
        else:
            raise OracleFailure(Oracle.ORDER, "pair: no end", self.log[-20:])
        self._compare()
        if self.client.state is State.UPGRADING:
            self.server.tls_established()
            self.client.tls_established()
            self._compare()

    def _compare(self) -> None:
        client, server = self.client, self.server
        codes = reply_codes(bytes(self.written), "pair")
        heard = [reply.code for _, reply in self.replied]
        check(heard == codes[: len(heard)], Oracle.ORDER, "pair: replies", codes, heard, self.log)
        for (command, reply), asked in zip(self.replied, self.asked, strict=False):
            if type(asked) is not Command and reply.code != 421 and command is not None:
                check(
                    type(asked) is type(command),
                    Oracle.ORDER,
                    "pair: the reply of another command",
                    command,
                    asked,
                    self.log,
                )
        for code, (_, reply) in zip(codes, self.replied, strict=False):
            check(code == reply.code, Oracle.ORDER, "pair: another reply", code, reply)
        if self.over or client.state is State.CLOSED or server.state is State.CLOSED:
            check(
                client.state is server.state,
                Oracle.AGREEMENT,
                "pair: only one side is closed",
                client.state,
                server.state,
                self.log,
            )
            return
        check(len(heard) == len(codes), Oracle.ORDER, "pair: a reply is lost", codes, heard, self.log)
        check(
            not client.in_flight and not client.queued,
            Oracle.ORDER,
            "pair: no reply",
            client.in_flight,
            client.queued,
            self.log,
        )
        check(not self.taken, Oracle.ORDER, "pair: a command is lost", self.taken, self.log)
        check(client.state is server.state, Oracle.AGREEMENT, "pair: states", client.state, server.state, self.log)
        knows = (client.tls, client.authenticated, [str(line) for line in client.capabilities])
        offered = server.session.offered if server.session.esmtp else ()
        told = (server.session.tls, server.session.authenticated, [str(line) for line in offered])
        check(knows == told, Oracle.AGREEMENT, "pair: sessions", knows, told, self.log)
        check(server.buffered == 0, Oracle.AGREEMENT, "pair: octets are left", server.buffered)
