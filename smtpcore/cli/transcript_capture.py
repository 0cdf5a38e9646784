"""Captured packets: what ``tshark -z follow,tcp,...`` prints, and capture files, which tshark is asked to read."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Final

from .failure import FAILED, Failure
from .transcript_text import split_lines
from .transcript_turn import CLIENT, SERVER, Conversation, Turn, octets

__all__ = ["is_capture", "is_follow", "read_capture", "read_follow"]

#: The first octets of pcap, in either order of octets and with either resolution of time, and of pcapng.
_MAGIC: Final = frozenset(
    (b"\xa1\xb2\xc3\xd4", b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x4d\x3c\xb2\xa1", b"\n\r\r\n")
)
_FOLLOW: Final = re.compile(r"^Follow: tcp,([a-z]++)", re.M)
_NODE: Final = re.compile(r"Node ([01]): (.*?)\r?")
_RULE: Final = re.compile(r"={20,}\r?")
_COUNT: Final = re.compile(r"(\t?)([0-9]{1,9})\r?")
_HEX: Final = re.compile(r"(\t?)((?:[0-9a-fA-F]{2})++)\r?")
_CODE: Final = re.compile(rb"[2-5][0-9][0-9][ \-\r]")
#: Where servers listen: SMTP, submission with TLS from the start and without, LMTP, and what people use for trials.
_PORTS: Final = frozenset(("25", "465", "587", "24", "2525", "1025"))
#: Streams of one capture that are explained; beyond that somebody should choose.
STREAMS: Final = 100
#: Seconds that tshark may take for one pass over a capture.
_SECONDS: Final = 120


def is_capture(data: bytes) -> bool:
    """Whether the octets are those of a capture file."""
    return data[:4] in _MAGIC


def is_follow(text: str) -> bool:
    """Whether a line is the heading of what tshark prints of a stream."""
    return _FOLLOW.search(text) is not None


def read_capture(data: bytes, name: str) -> list[Conversation]:
    """The SMTP conversations in a capture, by way of tshark. Raises Failure."""
    program = shutil.which("tshark")
    if program is None:
        raise Failure(
            f"{name} is a capture, and reading one needs tshark, which is not installed; install it "
            "(apt install tshark, brew install wireshark), or give the output of 'tshark -q -z follow,tcp,ascii,0'",
            FAILED,
        )
    base = [program, "-n", "-r", "-"]
    fields = _run([*base, "-Y", "tcp.len > 0", "-T", "fields", "-e", "tcp.stream", "-e", "smtp"], data, name)
    smtp: dict[str, bool] = {}
    for line in split_lines(fields):
        stream, _, found = line.partition("\t")
        smtp[stream] = smtp.get(stream, False) or bool(found)
    # On a port that tshark does not know, every stream may be one.
    streams = [stream for stream, is_smtp in smtp.items() if is_smtp] or list(smtp)
    if not streams:
        raise Failure(f"{name}: no TCP connection with octets is in this capture; check the filter it was taken with")
    if len(streams) > STREAMS:
        raise Failure(f"{name}: {len(streams)} TCP connections, {STREAMS} at most; choose with 'tshark -Y ... -w ...'")
    follow = [word for stream in streams for word in ("-z", f"follow,tcp,raw,{stream}")]
    return read_follow(_run([*base, "-q", *follow], data, name))


def _run(command: list[str], data: bytes, name: str) -> str:
    try:
        # The capture goes in by its standard input, so that no name of a file is taken for an option.
        done = subprocess.run(command, input=data, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603 - a program found on PATH, its words are our own
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failure(f"{name}: tshark could not be run: {error}; run it by hand", FAILED) from None
    if done.returncode:
        words = done.stderr.decode("utf-8", "replace").strip("\r\n ").rpartition("\n")[2]
        raise Failure(f"{name}: tshark cannot read it: {words}; check the capture with 'tshark -r'", FAILED)
    return done.stdout.decode("utf-8", "surrogateescape")


def read_follow(text: str) -> list[Conversation]:
    """The streams in what tshark printed, each a conversation. Raises Failure."""
    starts = [found.start() for found in _FOLLOW.finditer(text)]
    conversations: list[Conversation] = []
    line = 1
    done = 0
    for start, end in zip(starts, [*starts[1:], len(text)]):
        line += text.count("\n", done, start)
        done = start
        conversation = _read_stream(text[start:end], line)
        if conversation.turns:
            conversations.append(conversation)
    return conversations


def _read_stream(text: str, line: int) -> Conversation:
    """One stream, whose heading stands in that line."""
    kind = _FOLLOW.match(text)
    form = kind[1] if kind else ""
    nodes = ["", ""]
    pos = 0
    while pos < len(text):  # the heading goes up to Node 1
        end = _end_of_line(text, pos)
        found = _NODE.fullmatch(text[pos:end].removesuffix("\n"))
        pos = end
        line += 1
        if found:
            nodes[int(found[1])] = found[2]
            if found[1] == "1":
                break
    if form == "raw":
        chunks = list(_raw(text, pos, line))
    elif form == "ascii":
        chunks = list(_counted(text, pos, line) if _is_counted(text, pos) else _plain(text, pos, line))
    else:
        raise Failure(f"line {line}: the form {form!r} of tshark is not read here; ask it for follow,tcp,ascii or raw")
    server = _find_server(chunks, nodes)
    turns = [Turn(SERVER if node == server else CLIENT, data, where) for node, data, where in chunks if data]
    return Conversation(f"{nodes[1 - server]} to {nodes[server]}", "tshark", turns, exact=True)


def _end_of_line(text: str, pos: int) -> int:
    end = text.find("\n", pos)
    return len(text) if end < 0 else end + 1


def _find_server(chunks: list[tuple[int, bytes, int]], nodes: list[str]) -> int:
    """Which node is the server: the one that speaks like one, else the one with the port of one."""
    for node, data, _ in chunks:
        if _CODE.match(data):
            return node
    return 0 if nodes[0].rpartition(":")[2] in _PORTS else 1


def _raw(text: str, pos: int, line: int) -> Iterator[tuple[int, bytes, int]]:
    """Chunks in hexadecimal, one a line; those of Node 1 behind a tab."""
    for number, row in enumerate(text[pos:].split("\n"), line):
        found = _HEX.fullmatch(row)
        if found:
            yield len(found[1]), bytes.fromhex(found[2]), number
        elif row.strip("\r\t =") and not row.startswith("="):
            raise Failure(f"line {number}: {row[:40]!r} is not hexadecimal")


def _is_counted(text: str, pos: int) -> bool:
    end = _end_of_line(text, pos)
    return _COUNT.fullmatch(text[pos:end].removesuffix("\n")) is not None


def _counted(text: str, pos: int, line: int) -> Iterator[tuple[int, bytes, int]]:
    """Chunks behind their lengths, as newer versions print them."""
    size = len(text)
    while pos < size:
        end = _end_of_line(text, pos)
        row = text[pos:end].removesuffix("\n")
        found = _COUNT.fullmatch(row)
        if not found:
            if row.strip("\r") and not _RULE.fullmatch(row):
                raise Failure(f"line {line}: {row[:40]!r} stands where the length of a chunk should")
            if row.strip("\r"):
                return
            pos, line = end, line + 1
            continue
        stop = end + int(found[2])
        if stop > size or (text[stop : stop + 1] != "\n" and text[stop : stop + 2] != "\r\n"):
            # Line ends were changed on the way here: a chunk goes up to the next length.
            stop = _next_count(text, end)
            rows = split_lines(text[end:stop])
            if rows and not rows[-1]:
                del rows[-1]  # what stands between two chunks
            yield len(found[1]), b"".join([octets(each) + b"\r\n" for each in rows]), line + 1
        else:
            yield len(found[1]), octets(text[end:stop]), line + 1
        line += 1 + text.count("\n", end, stop)
        pos = stop


_NEXT_COUNT: Final = re.compile(r"^(?:\t?[0-9]{1,9}|={20,})\r?\n", re.M)


def _next_count(text: str, pos: int) -> int:
    found = _NEXT_COUNT.search(text, pos)
    return found.start() if found else len(text)


def _plain(text: str, pos: int, line: int) -> Iterator[tuple[int, bytes, int]]:
    """Lines as older versions print them; those of Node 1 behind a tab."""
    for number, row in enumerate(split_lines(text[pos:]), line):
        if _RULE.fullmatch(row):
            return
        if row:
            yield int(row.startswith("\t")), octets(row.removeprefix("\t")) + b"\r\n", number
