"""What the caller of a client machine does, chosen by fuzz bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from smtpcore import ClientLimits
from smtpcore.extensions import BODY, SIZE, SUBMITTER, UTF8, Auth, AuthResponse, Body, StartTls
from smtpcore.wire.address import POSTMASTER, Mailbox
from smtpcore.wire.command import Command, Data, Ehlo, Expn, Helo, Help, Lhlo, Mail, Noop, Quit, Rcpt, Rset, Vrfy
from smtpcore.wire.newlines import BareNewlines
from tests.fuzz import tokens
from tests.fuzz.streams import under
from tests.fuzz.tokens import HANDSHAKE, Source

_ALICE: Final = Mailbox.parse("alice@crepes.fr")
_BOB: Final = Mailbox.parse("bob@hamburger.edu")
_E: Final = Mailbox.parse("é@b")
SECRET: Final = b"\0alice\0sesame"


class Chunk(NamedTuple):
    """A call of ``send_chunk``, which makes a command of it."""

    data: bytes
    last: bool = False


class Chunks:
    """A content that goes in chunks: what was given, and what left."""

    def __init__(self, mail: Mail | None, policy: BareNewlines) -> None:
        self.binary = mail is not None and b"BODY=BINARYMIME" in bytes(mail)
        self.policy = policy
        self.mail = mail
        self.given = b""
        self.sent = b""
        self.over = False  # all of it was given, or some of it refused

    @property
    def meant(self) -> bytes:
        """All of it as it has to be sent, once the last has been given."""
        if self.binary:
            return self.given
        meant = under(self.policy, self.given)[0]
        return meant if not meant or meant.endswith(b"\r\n") else meant + b"\r\n"


Move: TypeAlias = Sequence[Command | Chunk]

#: One call each gives commands that were never sent before: a command is its own handle.
MOVES: Final[tuple[Callable[[], Move], ...]] = (
    lambda: [Ehlo("crepes.fr")],
    lambda: [Mail(_ALICE), Rcpt(_BOB), Rcpt(_BOB), Data()],
    list,
    lambda: [Helo("[127.0.0.1]")],
    lambda: [Lhlo("crepes.fr")],
    lambda: [Mail(_ALICE)],
    lambda: [Mail(None, SIZE(10), BODY(Body.EIGHTBITMIME))],
    lambda: [Mail(_E, UTF8(True)), Rcpt(_E)],
    lambda: [Mail(_ALICE, SUBMITTER(_BOB))],
    lambda: [Rcpt(_BOB)],
    lambda: [Rcpt(POSTMASTER)],
    lambda: [Data()],
    lambda: [Rset(), Mail(_ALICE), Rcpt(_BOB)],
    lambda: [Rset()],
    lambda: [Noop()],
    lambda: [Vrfy("bob"), Expn("staff"), Help()],
    lambda: [StartTls()],
    lambda: [Auth("PLAIN", SECRET)],
    lambda: [Auth("PLAIN")],
    lambda: [AuthResponse(SECRET)],
    lambda: [AuthResponse(None)],
    lambda: [AuthResponse(b"sesame")],
    lambda: [Mail(_ALICE), Rcpt(_BOB), Data(), Rset(), Quit()],
    lambda: [Quit()],
    lambda: [Chunk(b"a\r\n", last=True)],
    lambda: [Chunk(b".\r\nb\r")],
    lambda: [Chunk(b"\n")],
    lambda: [Chunk(b"", last=True)],
    lambda: [Chunk(b"c\nd")],
    lambda: [Mail(_ALICE), Rcpt(_BOB), Rcpt(_BOB), Chunk(b"e", last=True)],
    lambda: [Mail(_ALICE), Rcpt(_BOB), Chunk(b"f\r"), Chunk(b"\n"), Chunk(b".", last=True), Mail(None)],
    lambda: [Mail(_ALICE, BODY(Body.BINARYMIME)), Rcpt(_BOB), Chunk(b"\r\n.\n\0"), Chunk(b"\r", last=True)],
    lambda: [Mail(_ALICE), Rcpt(_BOB), Chunk(b"g\nh"), Chunk(b"", last=True)],
)
#: What greets in SMTP and in LMTP.
GREETS: Final = (0, 4)

_CONTENT: Final = (
    b"Subject: x\r\n",
    b".",
    b"\r\n",
    b"\r\n.\r\n",
    b"a",
    b"\r",
    b"\n",
    b"..",
    b"x" * 70,
    b"\xc3\xa9",
    b"\0",
)
_LIMITS: Final = (
    ClientLimits(),
    ClientLimits(in_flight=2),
    ClientLimits(reply_line=510, reply_size=512, reply_lines=6),
)


_OFFER: Final = b"220 x\r\n250-x\r\n250-PIPELINING\r\n250-SIZE 9\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"
#: What comes before what the fuzzer chooses: replies, and the moves at the start and behind each of these.
BEGINNINGS: Final = (
    (b"", (), ()),
    (_OFFER, (0,), ()),
    (_OFFER, (0,), (2, 1)),
    (_OFFER + b"250 a\r\n250 b\r\n450 c\r\n354 d\r\n", (0,), (2, 1, 2, 2, 2)),
)


def turned(number: int) -> int:
    """The same move in LMTP: EHLO and LHLO change places."""
    return GREETS[1 - GREETS.index(number)] if number in GREETS else number


class Script:
    """What the caller does, by number: first at the start, then once after each reply."""

    def __init__(self, source: Source) -> None:
        choice = source.byte()
        self.options: dict[str, Any] = {
            "bare_newlines": (BareNewlines.REJECT, BareNewlines.NORMALIZE)[choice & 1],
            "limits": _LIMITS[(choice >> 1) % 3],
            "tls": bool(choice & 8),
            "allow_plaintext_auth": bool(choice & 16),
        }
        self.eof = bool(choice & 32)
        self.fails = bool(choice & 64)  # the handshakes
        self.seed = source.byte()
        beginning, first, moves = BEGINNINGS[self.seed >> 6]
        if self.seed & 1:
            beginning = beginning.replace(b"SIZE 9", b"CHUNKING\r\n250-BINARYMIME")
        self.first = [*first, *[byte % len(MOVES) for byte in source.short(3)]]
        self.moves = [*moves, *[byte % len(MOVES) for byte in source.short(15)]]
        if self.seed & 2:
            self.options["lmtp"] = True
            self.first, self.moves = (
                [turned(number) for number in self.first],
                [turned(number) for number in self.moves],
            )
        self.contents = tokens.octets(Source(b"\1" + source.short(20)), _CONTENT, 300).split(b"c")
        octets = tokens.octets(source, tokens.REPLIES, 1200 if choice & 128 else 120)
        self.stretches = (beginning + octets).split(HANDSHAKE)
