"""ReturnPath: where a message came from at the end of its way, and what the trace fields have in common.

RFC 5321 s4.4 has two trace fields: Return-Path, written once on final delivery, and Received, written by every host
(:class:`~smtpcore.message.received.Received`).
"""

from __future__ import annotations

import re
from typing import Final, final

from ..errors import ParseError
from ..wire.address import Mailbox, parse_mailbox
from ..wire.path import parse_path
from ..wire.tolerance import INTEROP, LAX, Defect, Tolerance
from ..wire.value import Value, assign
from .cfws import DEPTH, skip_cfws

__all__ = ["ReturnPath"]


@final
class ReturnPath(Value):
    """The reverse-path of the envelope, as final delivery wrote it into the message (RFC 5321 s4.4, RFC 5322 s3.6.7).

    ``mailbox`` is None for the null reverse-path ``<>`` of a bounce; only then is ``is_null`` true. Text that was read
    but is no path at all has neither: nobody may take it for a bounce.
    """

    __slots__ = ("defects", "is_null", "mailbox")
    __match_args__ = ("mailbox", "is_null")

    mailbox: Mailbox | None  #: Who gets the bounces; None for ``<>``.
    is_null: bool  #: Whether it is ``<>``: no notification may be sent (RFC 5321 s4.5.5).
    defects: tuple[Defect, ...]  #: What was let through when it was read.

    def __init__(self, mailbox: Mailbox | str | None) -> None:
        if isinstance(mailbox, str):
            mailbox = Mailbox.parse(mailbox)
        elif mailbox is not None and not isinstance(mailbox, Mailbox):
            raise TypeError(f"mailbox must be a Mailbox, a str or None, not {type(mailbox).__name__}")
        _fill(self, mailbox, mailbox is None, ())

    @classmethod
    def parse(cls, text: str, tolerance: Tolerance | None = None) -> ReturnPath:
        """Read the body of a Return-Path field: ``<alice@crepes.fr>`` or ``<>``. Raises ParseError.

        White space and comments around it are for RFC 5322 and INTEROP; an address without brackets for LAX.
        """
        tolerance = tolerance or Tolerance()
        text = without_controls(text, tolerance)
        path, end = parse_return_path(text, 0, tolerance)
        if end != len(text):
            tolerance.permit(LAX, "text after the return path", end, "RFC 5321 s4.4", text)
        assign(path, "defects", tuple(tolerance.defects))
        return path

    @classmethod
    def read(cls, text: str) -> ReturnPath:
        """The same for any text at all: never raises."""
        tolerance = Tolerance(LAX)
        try:
            return cls.parse(text, tolerance)
        except ParseError as error:
            found = cls.__new__(cls)
            _fill(found, None, False, (*tolerance.defects, Defect(error.rule, error.why, error.where)))
            return found

    def __str__(self) -> str:
        if self.mailbox is None:
            return "<>" if self.is_null else ""
        return f"<{self.mailbox}>"


def _fill(path: ReturnPath, mailbox: Mailbox | None, is_null: bool, defects: tuple[Defect, ...]) -> None:
    assign(path, "mailbox", mailbox)
    assign(path, "is_null", is_null)
    assign(path, "defects", defects)


def parse_return_path(text: str, pos: int, tolerance: Tolerance) -> tuple[ReturnPath, int]:
    """``Reverse-path`` at ``pos``, with the white space and comments of RFC 5322 around it where tolerated."""
    # RFC 5321 s4.4
    #   Return-path-line = "Return-Path:" FWS Reverse-path <CRLF>
    # RFC 5322 s3.6.7
    #   path = angle-addr / ([CFWS] "<" [CFWS] ">" [CFWS])
    pos = _around(text, pos, tolerance)
    found = ReturnPath.__new__(ReturnPath)
    if text.startswith("<", pos):
        inner = _around(text, pos + 1, tolerance)
        if text.startswith(">", inner):
            _fill(found, None, True, ())
            return found, _around(text, inner + 1, tolerance)
        if text.startswith("@", inner):
            mailbox, pos = parse_path(text, pos, tolerance)  # with a source route, which has no white space
        else:
            mailbox, inner = parse_mailbox(text, inner, tolerance)
            inner = _around(text, inner, tolerance)
            if not text.startswith(">", inner):
                raise ParseError("expected > after the address", inner, "RFC 5321 s4.1.2", text)
            pos = inner + 1
    else:
        mailbox, pos = parse_path(text, pos, tolerance)
    _fill(found, mailbox, False, ())
    return found, _around(text, pos, tolerance)


def _around(text: str, pos: int, tolerance: Tolerance) -> int:
    end = skip_cfws(text, pos)
    if end != pos:
        tolerance.permit(INTEROP, "white space or a comment beside the path", pos, "RFC 5321 s4.4", text)
    return end


# --- what the fields with comments share ---------------------------------------------------------

_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SPACED: Final = dict.fromkeys((*range(9), *range(10, 32), 127), " ")


def without_controls(text: str, tolerance: Tolerance) -> str:
    """``text`` with a space for each control character but TAB, so that what is written again stays one line."""
    found = _CONTROL.search(text)
    if not found:
        return text
    tolerance.permit(LAX, "control character in a field", found.start(), "RFC 5322 s2.2", text)
    return text.translate(_SPACED)


def check_text(text: str, what: str) -> None:
    """Raise ParseError for a control character, or for a surrogate that stands for no octet."""
    found = _UNWRITABLE.search(text)
    if found:
        raise ParseError(f"character not allowed in {what}", found.start(), "RFC 5322 s2.2", text)


_UNWRITABLE: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")

# RFC 5322 s3.2.2, a comment in which nothing has to be understood
_PLAIN_COMMENT: Final = re.compile(r"[^()\\]*+")
_TO_ESCAPE: Final = re.compile(r"([()\\])")
_PAREN: Final = re.compile(r"[()]")


def write_comment(text: str) -> str:
    """``text`` as a comment; reading that gives ``text`` again. Parentheses in pairs stay what they are."""
    if _PLAIN_COMMENT.fullmatch(text):
        return f"({text})"
    depth = 1
    for found in _PAREN.finditer(text):
        depth += 1 if found[0] == "(" else -1
        if not 0 < depth <= DEPTH:
            break
    if depth != 1:
        escaped = _TO_ESCAPE.sub(r"\\\1", text)
        return f"({escaped})"
    doubled = text.replace("\\", "\\\\")
    return f"({doubled})"
