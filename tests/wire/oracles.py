"""What is right, said a second time and in the plainest way; and every way to cut octets.

Nothing here imports the package: an oracle that asks the code it judges is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations, product
from typing import NamedTuple

CRLF = b"\r\n"
END = b"\r\n.\r\n"
#: The octets that matter to where content ends, and one that does not.
ALPHABET = (b"\r", b"\n", b".", b"a", b"\0")


def strings(longest: int, shortest: int = 0) -> Iterator[bytes]:
    """Every string over the alphabet, up to that length."""
    for length in range(shortest, longest + 1):
        for tokens in product(ALPHABET, repeat=length):
            yield b"".join(tokens)


def one_by_one(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


def splits(data: bytes) -> Iterator[list[bytes]]:
    """Whole, octet by octet, and cut in two at every place."""
    yield [data]
    yield one_by_one(data)
    for i in range(1, len(data)):
        yield [data[:i], data[i:]]


# --- content -------------------------------------------------------------------------------------


def end_of_data(stream: bytes) -> int:
    """The offset behind the end of data, or -1; the start of the content counts as behind a CRLF."""
    at = (CRLF + stream).find(END)
    return at + 3 if at >= 0 else -1


def unstuffed(stream: bytes) -> bytes:
    """The content of a stream that has an end of data: every line without the dot that it may begin with."""
    lines = stream[: end_of_data(stream) - 3].split(CRLF)
    return CRLF.join(line[1:] if line[:1] == b"." else line for line in lines)


def stuffed(content: bytes) -> bytes:
    """What goes over the wire for content without bare CR or LF: stuffed, and ended by a line with a dot."""
    if content and not content.endswith(CRLF):
        content += CRLF
    lines = content.split(CRLF)[:-1]
    return b"".join((b"." if line[:1] == b"." else b"") + line + CRLF for line in lines) + b".\r\n"


def first_bare(content: bytes) -> int:
    """The offset of the first CR without LF behind it or LF without CR before it, or -1."""
    for i, octet in enumerate(content):
        if octet == 0x0D and content[i + 1 : i + 2] != b"\n":
            return i
        if octet == 0x0A and (i == 0 or content[i - 1] != 0x0D):
            return i
    return -1


def is_clean(content: bytes) -> bool:
    return first_bare(content) < 0


def under_policy(content: bytes, policy: str) -> bytes:
    """Whole content under a policy on bare newlines, named as the package names it."""
    bare = first_bare(content)
    if policy == "unsafe-pass" or bare < 0:
        return content
    if policy == "reject":
        return content[:bare]
    replacement = CRLF if policy == "normalize" else b" "
    out, i = bytearray(), 0
    while i < len(content):
        if content[i : i + 2] == CRLF:
            out += CRLF
            i += 2
        else:
            out += replacement if content[i] in b"\r\n" else content[i : i + 1]
            i += 1
    return bytes(out)


# --- other people's receivers --------------------------------------------------------------------


class Dialect(NamedTuple):
    """How a receiver finds the end of data; the one of RFC 5321 has everything false and CRLF alone."""

    lf: bool  #: A bare LF ends a line.
    cr: bool  #: A bare CR ends a line.
    before: frozenset[str]  #: What may have ended the line before the dot.
    behind: frozenset[str]  #: What may end the line with the dot.
    more_cr: bool  #: CRs before the line end do not count.
    nul: bool  #: A line ends at NUL as far as its content goes.


_ENDINGS = [frozenset({"CRLF", *more}) for count in range(3) for more in combinations(("LF", "CR"), count)]
DIALECTS = [
    Dialect(*choice)
    for choice in product((False, True), (False, True), _ENDINGS, _ENDINGS, (False, True), (False, True))
]


def lines_of(stream: bytes, lf: bool, cr: bool) -> list[tuple[bytes, str, int]]:
    """The lines of a stream as such a receiver cuts them: content, kind of line end, offset behind it."""
    lines = []
    start = pos = 0
    while pos < len(stream):
        kind, width = "", 1
        if stream.startswith(CRLF, pos):
            kind, width = "CRLF", 2
        elif lf and stream.startswith(b"\n", pos):
            kind = "LF"
        elif cr and stream.startswith(b"\r", pos):
            kind = "CR"
        pos += width
        if kind:
            lines.append((stream[start : pos - width], kind, pos))
            start = pos
    return lines


def ends_at(lines: Iterable[tuple[bytes, str, int]], dialect: Dialect) -> int:
    """Where a receiver of that dialect sees the end of data, or -1."""
    last = "CRLF"
    for line, kind, offset in lines:
        if dialect.more_cr:
            line = line.rstrip(b"\r")
        if dialect.nul:
            line = line.partition(b"\0")[0]
        if line == b"." and last in dialect.before and kind in dialect.behind:
            return offset
        last = kind
    return -1


def disagreements(stream: bytes) -> int:
    """How many of the dialects see the end of data elsewhere than at the end of the stream."""
    wrong = 0
    for lf, cr in product((False, True), repeat=2):
        lines = lines_of(stream, lf, cr)
        wrong += sum(
            ends_at(lines, dialect) != len(stream) for dialect in DIALECTS if dialect.lf == lf and dialect.cr == cr
        )
    return wrong
