"""Writing octets as ASCII: quoted-printable and base64 (RFC 2045 s6.7, s6.8)."""

from __future__ import annotations

import re
from binascii import b2a_base64
from typing import Final

__all__ = ["LINE", "encode_base64", "encode_quoted_printable"]

#: RFC 2045 s6.7, s6.8: octets of an encoded line, without its CRLF.
LINE: Final = 76

# RFC 2045 s6.7
#   safe-char := <any octet with decimal value of 33 through 60 inclusive, and 62 through 126>
# Space and tab may stand anywhere but at the end of a line.
_UNSAFE: Final = re.compile(rb"[^\t !-<>-~]")
_QUOTED: Final = [b"=%02X" % octet for octet in range(256)]


def encode_quoted_printable(data: bytes) -> bytes:
    """``data`` as quoted-printable: CRLF stays a line end, any other CR or LF is quoted like what is not ASCII."""
    return b"\r\n".join([_line(line) for line in data.split(b"\r\n")])


def _line(line: bytes) -> bytes:
    quoted = _UNSAFE.sub(_quote, line)
    if quoted[-1:] in (b" ", b"\t"):
        quoted = quoted[:-1] + _QUOTED[quoted[-1]]
    if len(quoted) <= LINE and quoted == line:
        return line
    # What was written anew must not become the boundary of a multipart around it (RFC 2046 s5.1.1), and a boundary
    # begins with two hyphens. A line that stays as it was is none, or it would have ended the part.
    pieces: list[bytes] = []
    start, size = 0, len(quoted)
    while True:
        room = LINE
        if quoted.startswith(b"--", start):
            pieces.append(b"=2D")
            start += 1
            room -= 3
        if size - start <= room:
            pieces.append(quoted[start:])
            return b"".join(pieces)
        end = start + room - 1  # RFC 2045 s6.7: the soft line break is a "=" at the end
        cut = quoted.find(b"=", end - 2, end)
        end = cut if cut >= 0 else end
        pieces += (quoted[start:end], b"=\r\n")
        start = end


def _quote(found: re.Match[bytes]) -> bytes:
    return _QUOTED[found[0][0]]


def encode_base64(data: bytes) -> bytes:
    """``data`` as base64 in lines of 76, without a CRLF behind the last one."""
    text = b2a_base64(data, newline=False)
    return b"\r\n".join([text[start : start + LINE] for start in range(0, len(text), LINE)])
