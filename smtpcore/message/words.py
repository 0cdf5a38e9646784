"""Encoded-words: text beyond ASCII in a header of ASCII (RFC 2047, RFC 2231 s5).

They are decoded for people to read and for nothing else: nothing that comes out is looked at by a
parser, and no control character comes out.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, a2b_qp, b2a_base64
from typing import Final

from ..errors import ParseError
from ..wire.tolerance import INTEROP, LAX, Tolerance
from .charset import PLAIN_CODECS, decode_octets, is_known

__all__ = ["WORD_LENGTH", "decode_words", "encode_words", "looks_encoded"]

#: RFC 2047 s2: "An 'encoded-word' may not be more than 75 characters long".
WORD_LENGTH: Final = 75
#: The longest that is decoded all the same: as long as a line may be (RFC 5322 s2.1.1).
_DECODED_LIMIT: Final = 998
#: The longest that is written, so that a line has room for the name of its field before it.
_WRITTEN_LIMIT: Final = 64

# RFC 2047 s2
#   encoded-word = "=?" charset "?" encoding "?" encoded-text "?="
#   charset      = token
#   token        = 1*<Any CHAR except SPACE, CTLs, and especials>
#   encoded-text = 1*<Any printable ASCII character other than "?" or SPACE>
# RFC 2231 s5
#   encoded-word := "=?" charset ["*" language] "?" encoding "?" encoded-text "?="
# What stands between the last two marks is taken as it comes, and looked at then.
_WORD: Final = re.compile(
    r"=\?([A-Za-z0-9!#$%&'+\-^_`{|}~.:]{1,75}+)(?:\*([A-Za-z0-9\-]{0,75}+))?+"
    r"\?([A-Za-z])\?([^?\x00-\x08\x0a-\x1f\x7f]*+)\?="
)
_TEXT: Final = re.compile(r"[!->@-~]++")
_SPACE: Final = re.compile(r"[ \t]*+")
_NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9+/]")
_BAD_HEX: Final = re.compile(r"=(?![0-9A-Fa-f]{2})")
# C0 but TAB, DEL, C1, and the separators that some take for the end of a line
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")


def looks_encoded(text: str) -> bool:
    """Whether some reader would see an encoded-word in it."""
    return "=?" in text and _WORD.search(text) is not None


def decode_words(text: str, tolerance: Tolerance | None = None) -> str:
    """``text`` with its encoded-words decoded, and the white space between two of them dropped (RFC 2047 s6.2).

    One that cannot be decoded stays as it is, and a control character that one hides becomes
    U+FFFD. Without a ``tolerance`` nothing raises and nothing is noted; with one of STRICT,
    ParseError is raised for a word that RFC 2047 s2 and s5 do not allow.
    """
    if "=?" not in text:
        return text
    plain = _decode_plain(text)
    if plain is not None:
        return plain
    tolerance = tolerance or Tolerance(LAX)
    pieces: list[str] = []
    run: list[tuple[str, bytes]] = []  # the words before, between which is nothing but white space
    start = last = 0  # where the run began, and what has been passed on
    for found in _WORD.finditer(text):
        octets = _decode_word(found, tolerance, text)
        if octets is None:
            continue
        where = found.start()
        gap = text[last:where]
        if not run or gap.strip(" \t"):
            if run:
                pieces.append(_decode_run(run, start, tolerance, text))
                run = []
            pieces.append(gap)
            start = where
        # RFC 2047 s5 (1): "Ordinary ASCII text and 'encoded-word's must be separated by 'linear-white-space'."
        if where and text[where - 1] not in " \t(":
            tolerance.permit(INTEROP, "encoded-word without white space before it", where, "RFC 2047 s5", text)
        last = found.end()
        if last < len(text) and text[last] not in " \t)" and not text.startswith("=?", last):
            tolerance.permit(INTEROP, "encoded-word without white space behind it", last, "RFC 2047 s5", text)
        run.append((found[1].lower(), octets))
    if run:
        pieces.append(_decode_run(run, start, tolerance, text))
    pieces.append(text[last:])
    return "".join(pieces)


# RFC 2047 s4.2, of which the words have no SPACE
_is_q: Final = re.compile(r"(?:[!-<>@-~]++|=[0-9A-Fa-f]{2})++").fullmatch


def _decode_plain(text: str) -> str | None:
    """``text`` decoded, if it is words with one space between them of which none is wrong; None else."""
    if not text.isascii():  # so that the name of a character set has no letter that is another in lower case
        return None
    decoded: list[str] = []
    joins = True  # whether a word that is encoded stands right behind what is decoded so far
    try:
        for word in text.split(" "):
            if "=?" not in word:
                if not word or "\t" in word:
                    return None
                decoded.append(f" {word}" if decoded else word)
                joins = False
                continue
            start, charset, encoding, inner, end = word.split("?")
            if start != "=" or end != "=" or len(word) > WORD_LENGTH or not inner:
                return None
            if encoding in ("B", "b"):
                octets = a2b_base64(inner)
                # What is written has no other spelling.
                if b2a_base64(octets, newline=False).decode() != inner:
                    return None
            elif encoding in ("Q", "q") and _is_q(inner):
                octets = a2b_qp(inner.replace("_", "=20"))
            else:
                return None
            shown = octets.decode(PLAIN_CODECS[charset.lower()])
            if not shown.isprintable():  # what may be a control is looked at more closely
                return None
            decoded.append(shown if joins else f" {shown}")
            joins = True
    except (KeyError, ValueError):  # an unknown character set; another number of marks, no base64, not of that set
        return None
    return "".join(decoded)


def _decode_word(found: re.Match[str], tolerance: Tolerance, text: str) -> bytes | None:
    """The octets of one encoded-word; None for one that is left as it is."""
    charset, encoding, inner = found[1], found[3].upper(), found[4]
    where, inside = found.start(), found.start(4)
    size = found.end() - where
    if size > WORD_LENGTH:
        tolerance.permit(INTEROP, f"encoded-word longer than {WORD_LENGTH} characters", where, "RFC 2047 s2", text)
        if size > _DECODED_LIMIT:
            return None
    if not is_known(charset):
        tolerance.permit(INTEROP, "unknown character set", where + 2, "RFC 2047 s2", text)
        return None
    if encoding not in "BQ":
        tolerance.permit(INTEROP, "unknown encoding", found.start(3), "RFC 2047 s4", text)
        return None
    printable = _TEXT.match(inner)
    if not printable or printable.end() < len(inner):
        bad = inside + (printable.end() if printable else 0)
        tolerance.permit(INTEROP, "character not allowed in an encoded-word", bad, "RFC 2047 s2", text)
        if not inner.isascii():
            return None
    return (
        _decode_base64(inner, inside, tolerance, text) if encoding == "B" else _decode_q(inner, inside, tolerance, text)
    )


def _decode_base64(inner: str, where: int, tolerance: Tolerance, text: str) -> bytes:
    digits = inner.rstrip("=")
    if not digits.isalnum():
        digits = _NOT_BASE64.sub("", digits)
    if len(digits) % 4 == 1:
        digits = digits[:-1]  # six bits alone are no octet
    octets = a2b_base64(digits + "=" * (-len(digits) % 4))
    if b2a_base64(octets, newline=False).decode() != inner:
        tolerance.permit(INTEROP, "not base64", where, "RFC 2047 s4.1", text)
    return octets


def _decode_q(inner: str, where: int, tolerance: Tolerance, text: str) -> bytes:
    # RFC 2047 s4.2: "_" is a space, "=" two hexadecimal digits
    bad = _BAD_HEX.search(inner)
    if bad:
        tolerance.permit(INTEROP, "= without two hexadecimal digits", where + bad.start(), "RFC 2047 s4.2", text)
        inner = _BAD_HEX.sub("=3D", inner)
    return a2b_qp(inner.replace("_", "=20"))


def _decode_run(run: list[tuple[str, bytes]], where: int, tolerance: Tolerance, text: str) -> str:
    """The text of adjacent encoded-words."""
    decoded: list[str] = []
    place = 0
    while place < len(run):
        charset, octets = run[place]
        piece, why = decode_octets(octets, charset)
        place += 1
        # RFC 2047 s5: "characters ... may not be split across adjacent 'encoded-word's", but many are
        if "\ufffd" in piece and why and place < len(run) and run[place][0] == charset:
            joined = [octets]
            while place < len(run) and run[place][0] == charset:
                joined.append(run[place][1])
                place += 1
            piece, why = decode_octets(b"".join(joined), charset)
            why = why or "character split between encoded-words"
        if why:
            tolerance.permit(INTEROP, why, where, "RFC 2047 s5", text)
        decoded.append(piece)
    shown = "".join(decoded)
    if _CONTROL.search(shown):
        tolerance.permit(LAX, "control character in an encoded-word", where, "RFC 2047 s5", text)
        shown = _CONTROL.sub("\ufffd", shown)
    return shown


# --- writing -------------------------------------------------------------------------------------

# RFC 2047 s5 (3): in a phrase only letters, digits, "!", "*", "+", "-", "/", "=" and "_" may stand for themselves;
# where nothing says otherwise every reader takes these too. RFC 2047 s4.2: "=", "?" and "_" always are encoded.
_PLAIN: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/")
_Q: Final = [chr(octet) if octet in _PLAIN else "_" if octet == 0x20 else f"={octet:02X}" for octet in range(256)]
_START_Q: Final = "=?utf-8?q?"
_START_B: Final = "=?utf-8?b?"
_ROOM: Final = _WRITTEN_LIMIT - len(_START_Q) - len("?=")
_WORTH: Final = 5
_NOT_TEXT: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def encode_words(text: str) -> str:
    """``text`` as encoded-words with a space between each two, whole characters in each, in Q or B by which is shorter.

    They may stand in unstructured text, in comments and in phrases. Raises ParseError for a CR, an
    LF or another control, and for what is no text (RFC 5322 s2.2).
    """
    bad = _NOT_TEXT.search(text)
    if bad:
        raise ParseError("character not allowed in a header field", bad.start(), "RFC 5322 s2.2", text)
    octets = text.encode()
    q_length = sum(map(len, map(_Q.__getitem__, octets)))
    # Q where it is not much longer: people without a decoder can read most of it (RFC 2047 s4)
    if q_length < (len(octets) + 2) // 3 * 4 + _WORTH:
        characters = ["".join([_Q[octet] for octet in character.encode()]) for character in text]
        words = _pack(characters, _ROOM)
        return " ".join([f"{_START_Q}{word}?=" for word in words])
    words = _pack(list(text), _ROOM // 4 * 3)
    return " ".join([f"{_START_B}{b2a_base64(word.encode(), newline=False).decode()}?=" for word in words])


def _pack(units: list[str], room: int) -> list[str]:
    """Units joined to pieces of at most ``room`` octets."""
    pieces: list[str] = []
    piece: list[str] = []
    size = 0
    for unit in units:
        length = len(unit.encode())
        if size + length > room:
            pieces.append("".join(piece))
            piece, size = [], 0
        piece.append(unit)
        size += length
    if piece:
        pieces.append("".join(piece))
    return pieces
