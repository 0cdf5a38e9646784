"""Targets over streams: the codecs of content, the reader of replies, the buffer of lines.

Each input is read whole, in pieces, and octet by octet, and compared with the rule written plainly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Final

from smtpcore.errors import ParseError, RemoteProtocolError
from smtpcore.wire.buffer import ReceiveBuffer
from smtpcore.wire.chunks import ChunkReader
from smtpcore.wire.content import DotStuffer, DotUnstuffer
from smtpcore.wire.meter import ContentMeter, Excess
from smtpcore.wire.newlines import BareNewlines, NewlineFilter, find_bare
from smtpcore.wire.reply import Reply, ReplyReader
from tests.fuzz import tokens
from tests.fuzz.oracle import BARE, Oracle, check, end_of_data, splits, stuffed, unstuffed
from tests.fuzz.tokens import Source

POLICIES: Final = tuple(BareNewlines)
_CONTENT: Final = (*tokens.NEWLINES, b"Subject: x\r\n", b"x" * 30, b".\r", b"\r\n.\r", b"QUIT\r\n", b"\xc3\xa9")


def under(policy: BareNewlines, content: bytes) -> tuple[bytes, int]:
    """What comes of a whole content under a policy, and the offset of its first bare CR or LF."""
    found = BARE.search(content)
    if not found:
        return content, -1
    if policy is BareNewlines.REJECT:
        content = content[: found.start()]
    elif policy is not BareNewlines.PASS:
        content = BARE.sub(b"\r\n" if policy is BareNewlines.NORMALIZE else b" ", content)
    return content, found.start()


def _same(results: Sequence[Any], what: str, octets: bytes) -> None:
    for result in results[1:]:
        check(result == results[0], Oracle.SPLIT, what, octets, results[0], result)


# --- content -------------------------------------------------------------------------------------


def unstuffer(data: bytes, kind: Callable[[BareNewlines], Any] = DotUnstuffer) -> None:
    """DotUnstuffer: the end of data, the dots, the policies, what is left over."""
    source = Source(data)
    policy, seed = source.pick(POLICIES), source.byte()
    octets = tokens.octets(source, _CONTENT, 64)
    results = []
    for pieces in splits(octets, seed):
        codec = kind(policy)
        content = b"".join([codec.receive(piece) for piece in pieces])
        results.append((content, codec.eof, codec.unused_data, codec.first_bare))
    _same(results, "DotUnstuffer", octets)
    content, eof, unused, first_bare = results[0]
    end = end_of_data(octets)
    check(eof == (end >= 0), Oracle.END_OF_DATA, "DotUnstuffer", octets, results[0])
    if eof:
        check(unused == octets[end:], Oracle.END_OF_DATA, "DotUnstuffer: what is left over", octets, unused)
        meant = under(policy, unstuffed(octets[:end]))
        check((content, first_bare) == meant, Oracle.REFERENCE, "DotUnstuffer: the content", octets, results[0], meant)
        if policy is not BareNewlines.PASS and policy is not BareNewlines.REJECT:
            check(not BARE.search(content), Oracle.CLEAN_LINES, "DotUnstuffer: a bare CR or LF", octets, content)


def stuffer(data: bytes, kind: Callable[[BareNewlines], Any] = DotStuffer) -> None:
    """DotStuffer: nothing that it writes ends early, and a receiver has the content back."""
    source = Source(data)
    policy, seed = source.pick((BareNewlines.REJECT, BareNewlines.NORMALIZE)), source.byte()
    content = tokens.octets(source, _CONTENT, 64)
    results: list[tuple[bytes, int]] = []
    for number, pieces in enumerate(splits(content, seed), seed):
        codec = kind(policy)
        made = []
        fault = -1
        last = b""
        if pieces and number % 3:  # the last piece goes with the end; every other time it was looked at before
            *pieces, last = pieces
            if number % 3 == 2:
                codec.prepare(last)
        try:
            for piece in pieces:
                made.append(codec.stuff(piece))
            made.append(codec.finish(last))
        except ParseError as error:
            fault = error.where
        results.append((b"".join(made), fault))
    meant, bare = under(policy, content)
    for written, fault in results:
        if policy is BareNewlines.REJECT and bare >= 0:
            check(fault == bare, Oracle.REFERENCE, "DotStuffer: a bare CR or LF goes unseen", content, fault, bare)
            check(
                stuffed(meant).startswith(written),
                Oracle.REFERENCE,
                "DotStuffer: octets behind a fault",
                content,
                written,
            )
        else:
            check((written, fault) == (stuffed(meant), -1), Oracle.REFERENCE, "DotStuffer", content, written, fault)
            check(end_of_data(written) == len(written), Oracle.END_OF_DATA, "DotStuffer", content, written)
            check(not BARE.search(written), Oracle.CLEAN_LINES, "DotStuffer", content, written)
            whole = meant if not meant or meant.endswith(b"\r\n") else meant + b"\r\n"
            check(unstuffed(written) == whole, Oracle.ROUND_TRIP, "DotStuffer", content, written)
    if bare < 0 or policy is not BareNewlines.REJECT:
        _same(results, "DotStuffer", content)


def chunks(data: bytes, kind: Callable[[BareNewlines], Any] = ChunkReader) -> None:
    """ChunkReader: counted, never searched; a CRLF may be cut by the end of a chunk."""
    source = Source(data)
    policy, seed = source.pick(POLICIES), source.byte()
    sizes = [size % 24 for size in source.short(6)] or [5]
    octets = tokens.octets(source, _CONTENT, 64)
    results = []
    for pieces in splits(octets, seed):
        codec = kind(policy)
        waiting = list(pieces)
        content = b""
        begun = 0
        for number, size in enumerate(sizes):
            content += codec.begin(size, last=number == len(sizes) - 1)
            begun += size
            while codec.remaining and waiting:
                content += codec.receive(waiting.pop(0))
            if codec.remaining:
                break
            if codec.unused_data:
                waiting.insert(0, codec.unused_data)
        left = b"".join(waiting)
        results.append((content, codec.eof, codec.remaining, codec.first_bare, left))
    _same(results, "ChunkReader", octets)
    content, eof, remaining, first_bare, left = results[0]
    total = sum(sizes)
    check(eof == (len(octets) >= total), Oracle.END_OF_DATA, "ChunkReader", octets, sizes, results[0])
    if eof:
        meant = under(policy, octets[:total])
        check(
            (content, first_bare) == meant,
            Oracle.REFERENCE,
            "ChunkReader: the content",
            octets,
            sizes,
            results[0],
            meant,
        )
        check(left == octets[total:], Oracle.END_OF_DATA, "ChunkReader: what is left over", octets, sizes, left)
    else:
        check(
            remaining == begun - len(octets),
            Oracle.END_OF_DATA,
            "ChunkReader: what is to come",
            octets,
            sizes,
            remaining,
        )


def newlines(data: bytes, kind: Callable[[BareNewlines], Any] = NewlineFilter) -> None:
    """NewlineFilter and find_bare."""
    source = Source(data)
    policy, seed = source.pick(POLICIES), source.byte()
    octets = tokens.octets(source, _CONTENT, 64)
    results = []
    for pieces in splits(octets, seed):
        codec = kind(policy)
        content = b"".join([codec.feed(piece) for piece in pieces]) + codec.finish()
        results.append((content, codec.first_bare))
    _same(results, "NewlineFilter", octets)
    meant = under(policy, octets)
    check(results[0] == meant, Oracle.REFERENCE, "NewlineFilter", policy, octets, results[0], meant)
    check(find_bare(octets) == meant[1], Oracle.REFERENCE, "find_bare", octets, find_bare(octets))


_METERED: Final = (*_CONTENT, b"y" * 499, b"z" * 998, b"\n", b"\r\n")


def meter(data: bytes, kind: Callable[[int | None, int], Any] = ContentMeter) -> None:
    """ContentMeter: the size, the length of lines, and where either is too much."""
    source = Source(data)
    seed = source.byte()
    size_limit = source.pick((None, 0, 1, 5, 64, 100, 999, 1000, 1001, 2100))
    line_limit = source.pick((1000, 1001, 3, 10, 65, 1100, 1998, 2000))
    octets = tokens.octets(source, _METERED, 2300)
    results = []
    for pieces in splits(octets, seed):
        counter = kind(size_limit, line_limit)
        content = b"".join([counter.feed(piece) for piece in pieces])
        results.append((content, counter.seen, counter.excess, counter.long_line))
    _same(results, "ContentMeter", octets)
    meant = metered(octets, size_limit, line_limit)
    check(results[0] == meant, Oracle.REFERENCE, "ContentMeter", size_limit, line_limit, octets, results[0], meant)


def metered(octets: bytes, size_limit: int | None, line_limit: int) -> tuple[bytes, int, Excess | None, int]:
    """What is within the limits, its size, what there was too much of, and where the first long line became one."""
    line = 0
    long_line = -1
    for pos, octet in enumerate(octets):
        if size_limit is not None and pos == size_limit:
            return octets[:pos], pos, Excess.SIZE, long_line
        line += 1
        if line > line_limit:
            return octets[:pos], pos, Excess.LINE, long_line
        if line > 1000 and long_line < 0:
            long_line = pos
        if octet == 0x0A:
            line = 0
    return octets, len(octets), None, long_line


# --- replies -------------------------------------------------------------------------------------

_REPLY: Final = re.compile(rb"([2-5][0-9][0-9])(?:([ -])([^\r\n\0]*))?")


def replies(data: bytes, kind: Callable[[int, int, int], Any] = ReplyReader) -> None:
    """ReplyReader: where a reply ends, the limits, and that nothing but RemoteProtocolError comes of any octets."""
    source = Source(data)
    seed = source.byte()
    limits = source.pick(((8192, 65_536, 1000), (40, 120, 4), (512, 1024, 10), (3, 10, 2)))
    octets = tokens.octets(source, tokens.REPLIES)
    results: list[tuple[list[Reply], bool, bool]] = []
    for pieces in splits(octets, seed):
        reader = kind(*limits)
        found: list[Reply] = []
        failed = False
        try:
            for piece in pieces:
                reader.receive(piece)
                while (reply := reader.next_reply()) is not None:
                    found.append(reply)
        except RemoteProtocolError:
            failed = True
        results.append((found, failed, failed or reader.pending))
    _same(results, "ReplyReader", octets)
    found, failed, pending = results[0]
    meant, broken, held = _read_replies(octets, *limits)
    seen = [(reply.code, reply.raw) for reply in found]
    check(
        (seen, failed, pending) == (meant, broken, broken or held),
        Oracle.REFERENCE,
        "ReplyReader",
        octets,
        seen,
        failed,
        meant,
    )
    for reply in found:
        written = bytes(reply)
        again = ReplyReader(len(written), len(written), 1000)
        again.receive(written)
        value = again.next_reply()
        check(value == reply and not again.pending, Oracle.ROUND_TRIP, "a reply", reply.raw, reply, value)
        check(value and bytes(value) == written, Oracle.ROUND_TRIP, "a reply", reply.raw, written)


def _read_replies(
    octets: bytes, line_limit: int, size_limit: int, lines_limit: int
) -> tuple[list[tuple[int, bytes]], bool, bool]:
    """Code and octets of each reply, whether the peer broke a rule, and whether part of a reply is left."""
    found: list[tuple[int, bytes]] = []
    lines: list[bytes] = []
    code = b""
    *whole, rest = octets.split(b"\r\n")
    for line in whole:
        match = _REPLY.fullmatch(line)
        if not match or len(line) > line_limit or (lines and match[1] != code):
            return found, True, True
        code = match[1]
        lines.append(line + b"\r\n")
        last = match[2] != b"-"
        if len(lines) > 1 or not last:
            if sum(map(len, lines)) > size_limit or len(lines) > lines_limit:
                return found, True, True
        if last:
            found.append((int(code), b"".join(lines)))
            lines = []
    # A CR at the end may belong to a CRLF, so a line is too long by itself only from two octets more on.
    return found, len(rest) > line_limit + 1, bool(lines or rest)


# --- lines ---------------------------------------------------------------------------------------


def buffer(data: bytes, kind: Callable[[], Any] = ReceiveBuffer) -> None:
    """ReceiveBuffer against plain bytes: any order of append, take_line, view and seek, take and clear."""
    source = Source(data)
    held = kind()
    model = b""
    pieces = (*tokens.NEWLINES, b"NOOP\r\n", b"x" * 40, b"\r\n\r\n")
    while source:
        step = source.byte()
        if step < 128:
            piece = pieces[step % len(pieces)]
            held.append(piece)
            model += piece
        elif step < 176:
            line, mark, rest = model.partition(b"\r\n")
            check(held.take_line() == (line if mark else None), Oracle.REFERENCE, "take_line", model)
            model = rest if mark else model
        elif step < 208:
            octets, start = held.view()
            check(octets[start:] == model, Oracle.REFERENCE, "view", model, octets, start)
            used = min(len(model), (0, 1, 3, 9)[step & 3])
            held.seek(start + used)
            model = model[used:]
        elif step < 248:
            size = (-1, 0, 1, 2, 3, 7, 50)[step % 7]
            taken = model if size < 0 else model[:size]
            check(held.take(size) == taken, Oracle.REFERENCE, "take", model, size)
            model = model[len(taken) :]
        else:
            held.clear()
            model = b""
        check(len(held) == len(model), Oracle.REFERENCE, "len", model, len(held))
        check(bool(held.data) == bool(model), Oracle.REFERENCE, "data is empty when nothing is held", model, held.data)
    check(held.take() == model, Oracle.REFERENCE, "what is left", model)
