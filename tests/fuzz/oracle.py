"""What a fuzz target may complain of, and the ways to cut a stream that has to read the same however it is cut."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum
from typing import Final


class Oracle(Enum):
    """The promises that the targets hold the library to."""

    EXCEPTION = "only the documented exceptions are raised"
    ROUND_TRIP = "decode, encode, decode gives the same value"
    REFERENCE = "the plainest way to write the rule gives the same"
    SPLIT = "any split of the octets gives the same"
    END_OF_DATA = "CRLF . CRLF ends the content and nothing else does"
    CLEAN_LINES = "no CR, LF or NUL stands inside a line that was written"
    ORDER = "every command gets one reply, in order"
    STATE = "the state follows the table"
    UNCHANGED = "a call that was refused changes nothing"
    STRICTNESS = "a stricter level takes nothing that a laxer one does not"
    PIPELINING = "no command leaves before it may"
    AGREEMENT = "both sides know the same when nothing is under way"
    SECRET = "a secret does not show"


class OracleFailure(AssertionError):
    """A promise was broken; the message shows by what."""

    def __init__(self, oracle: Oracle, what: str, *details: object) -> None:
        self.oracle = oracle
        shown = "".join([f"\n    {detail!r}"[:1500] for detail in details])
        super().__init__(f"{what}: broken is that {oracle.value}{shown}")


def check(holds: object, oracle: Oracle, what: str, *details: object) -> None:
    """Complain unless ``holds``; ``details`` are shown, one a line, and cost nothing as long as all is well."""
    if not holds:
        raise OracleFailure(oracle, what, *details)


# --- rules, written as plainly as can be ---------------------------------------------------------

BARE: Final = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_REPLY_LINE: Final = re.compile(rb"([2-5][0-9][0-9])([ -])[^\r\n\0]*\r\n")


def end_of_data(octets: bytes) -> int:
    """The offset behind CRLF . CRLF, or -1; the start counts as behind a CRLF."""
    found = (b"\r\n" + octets).find(b"\r\n.\r\n")
    return found + 3 if found >= 0 else -1


def unstuffed(octets: bytes) -> bytes:
    """The content that ``octets``, which end with the final dot, stand for."""
    lines = octets[: -len(b".\r\n")].split(b"\r\n")
    return b"\r\n".join([line[1:] if line[:1] == b"." else line for line in lines])


def stuffed(content: bytes) -> bytes:
    """The octets that a content of whole CRLF lines travels as, with the final dot."""
    if content and not content.endswith(b"\r\n"):
        content += b"\r\n"
    lines = content.split(b"\r\n")[:-1]
    return b"".join([(b"." + line if line[:1] == b"." else line) + b"\r\n" for line in lines]) + b".\r\n"


def reply_codes(output: bytes, what: str) -> list[int]:
    """The codes of the replies that a server wrote. Complains of anything that is not made of whole reply lines."""
    codes: list[int] = []
    pos = 0
    open_code = b""
    while pos < len(output):
        found = _REPLY_LINE.match(output, pos)
        if not found:
            raise OracleFailure(Oracle.CLEAN_LINES, what, output[pos : pos + 200])
        check(open_code in (b"", found[1]), Oracle.CLEAN_LINES, what, output)
        open_code = found[1] if found[2] == b"-" else b""
        if not open_code:
            codes.append(int(found[1]))
        pos = found.end()
    check(not open_code, Oracle.CLEAN_LINES, what, output)
    return codes


# --- splits --------------------------------------------------------------------------------------

#: A longer stream is not cut octet by octet but into so many pieces: a machine's time is better spent on more inputs.
MANY: Final = 256


def octet_by_octet(octets: bytes) -> list[bytes]:
    """Pieces of one octet; of a few where there are more than MANY."""
    step = 1 + len(octets) // MANY
    return [octets[pos : pos + step] for pos in range(0, len(octets), step)]


def scattered(octets: bytes, seed: int) -> list[bytes]:
    """Pieces of many sizes, the same ones for the same seed; CR and LF get parted more often than chance would."""
    pieces: list[bytes] = []
    pos = 0
    while pos < len(octets):
        seed = (seed * 1_103_515_245 + 12_345) & 0x7FFFFFFF
        size = 1 + (seed >> 16) % (3, 7, 40, 300)[(seed >> 8) & 3]
        if seed & 0x80:
            newline = octets.find(b"\r", pos)
            if newline >= 0:
                size = newline + 1 - pos
        pieces.append(octets[pos : pos + size])
        pos += size
    return pieces


def splits(octets: bytes, seed: int) -> Sequence[list[bytes]]:
    """The ways to cut a stream: whole, at places that the seed chooses, octet by octet."""
    return ([octets] if octets else [], scattered(octets, seed), octet_by_octet(octets))
