"""What the tests of ``smtpcore explain`` share: running it, looking at stories, and captures made by hand."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path

from smtpcore.cli import main
from smtpcore.cli.explain.replay import replay
from smtpcore.cli.explain.story import Story
from smtpcore.cli.transcript import read_transcript
from smtpcore.cli.transcript_turn import Conversation, Turn

TEXTBOOK = """\
S: 220 hamburger.edu
C: HELO crepes.fr
S: 250 Hello crepes.fr, pleased to meet you
C: MAIL FROM: <alice@crepes.fr>
S: 250 alice@crepes.fr ... Sender ok
C: RCPT TO: <bob@hamburger.edu>
S: 250 bob@hamburger.edu ... Recipient ok
C: DATA
S: 354 Enter mail, end with "." on a line by itself
C: Do you like ketchup?
C: How about pickles?
C: .
S: 250 Message accepted for delivery
C: QUIT
S: 221 hamburger.edu closing connection
"""

#: A transaction in which nothing is wrong.
CLEAN = """\
S: 220 hamburger.edu ESMTP
C: EHLO crepes.fr
S: 250-hamburger.edu greets crepes.fr
S: 250-PIPELINING
S: 250-SIZE 35882577
S: 250-8BITMIME
S: 250 ENHANCEDSTATUSCODES
C: MAIL FROM:<alice@crepes.fr> SIZE=120 BODY=8BITMIME
S: 250 2.1.0 sender ok
C: RCPT TO:<bob@hamburger.edu>
S: 250 2.1.5 recipient ok
C: RCPT TO:<carol@hamburger.edu>
S: 550 5.1.1 no such mailbox here
C: DATA
S: 354 end data with <CR><LF>.<CR><LF>
C: From: alice@crepes.fr
C: Date: Mon, 23 Nov 2026 15:54:20 +0000
C: Subject: Ketchup
C:
C: Do you like ketchup?
C: .
S: 250 2.0.0 queued as 4711
C: QUIT
S: 221 2.0.0 closing connection
"""


def story_of(turns: Iterable[tuple[str, bytes]], *, show_secrets: bool = False, exact: bool = True) -> Story:
    """The story of turns that are there already; "C", "S", "tls"."""
    held = [Turn(who, data, number) for number, (who, data) in enumerate(turns, 1)]  # type: ignore[arg-type]  # tests say "C" or "S"
    return replay(Conversation("", "transcript", held, exact), "test", show_secrets=show_secrets)


def story_of_text(text: str, *, show_secrets: bool = False) -> Story:
    """The story of a transcript with one conversation."""
    (conversation,) = read_transcript(text.encode("utf-8", "surrogateescape"), "test")
    return replay(conversation, "test", show_secrets=show_secrets)


def found_in(story: Story) -> list[tuple[int, str, str, str]]:
    """What was wrong: line, who, rule, why."""
    return [(step.line, *_sorted(finding)) for step, finding in story.findings()]


def _sorted(finding: tuple[str, str, str]) -> tuple[str, str, str]:
    by, rule, why = finding
    return by, rule, why


def rules_of(story: Story) -> list[tuple[str, str]]:
    """What was wrong: who, and which rule."""
    return [(finding.by, finding.rule) for _, finding in story.findings()]


def explain(folder: Path, text: str | bytes, *argv: object) -> int:
    """``smtpcore explain`` of a file with that text; the exit status."""
    path = folder / "transcript.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return main(["explain", str(path), *map(str, argv)])


# -- captures ------------------------------------------------------------------------------------------


def _checksum(octets: bytes) -> int:
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


class Capture:
    """A file of packets, as tcpdump would have written it."""

    def __init__(self) -> None:
        self._packets = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)]

    def connection(self, turns: Sequence[tuple[str, bytes]], port: int = 25, client_port: int = 40000) -> Capture:
        """A connection from its first packet to its last."""
        numbers = {"C": 1000, "S": 5000}
        ports = {"C": (client_port, port), "S": (port, client_port)}
        for who, flags, data in [
            ("C", 2, b""),
            ("S", 18, b""),
            ("C", 16, b""),
            *[(who, 24, data) for who, data in turns],
            ("C", 17, b""),
            ("S", 17, b""),
            ("C", 16, b""),
        ]:
            acknowledged = numbers["S" if who == "C" else "C"] if flags & 16 else 0
            header = struct.pack("!HHIIBBHHH", *ports[who], numbers[who], acknowledged, 0x50, flags, 65535, 0, 0)
            self._add(who, header + data)
            numbers[who] += len(data) + (1 if flags & 3 else 0)
        return self

    def _add(self, who: str, segment: bytes) -> None:
        ends = [bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])]
        source, target = ends if who == "C" else ends[::-1]
        pseudo = source + target + struct.pack("!BBH", 0, 6, len(segment))
        segment = segment[:16] + struct.pack("!H", _checksum(pseudo + segment)) + segment[18:]
        header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 1, 0, 64, 6, 0, source, target)
        packet = header[:10] + struct.pack("!H", _checksum(header)) + header[12:] + segment
        self._packets.append(struct.pack("<IIII", len(self._packets), 0, len(packet), len(packet)) + packet)

    def __bytes__(self) -> bytes:
        return b"".join(self._packets)
