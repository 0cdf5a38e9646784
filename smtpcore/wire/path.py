"""Paths: what stands between the angle brackets of MAIL and RCPT."""

from __future__ import annotations

from ..errors import ParseError
from .address import Mailbox, parse_mailbox
from .host import parse_domain
from .tolerance import LAX, STRICT, Tolerance

__all__ = ["parse_path", "skip_prefix"]


def skip_prefix(text: str, prefix: str, tolerance: Tolerance) -> int:
    """The offset behind ``FROM:`` or ``TO:`` at the start of ``text``. Raises ParseError."""
    pos = len(prefix)
    if text[:pos].upper() != prefix:
        raise ParseError(f"expected {prefix}<address>", 0, "RFC 5321 s4.1.1", text)
    if text[pos : pos + 1] == " ":
        # RFC 5321 s3.3: "spaces are not permitted on either side of the colon"
        tolerance.permit(LAX, f"space after {prefix}", pos, "RFC 5321 s3.3", text)
        pos += 1
    return pos


def parse_path(text: str, pos: int, tolerance: Tolerance) -> tuple[Mailbox, int]:
    """``"<" [ A-d-l ":" ] Mailbox ">"`` at ``pos``: the mailbox, and where it ends.

    A source route is dropped; other liberties that clients take are a matter of ``tolerance``.
    Raises ParseError.
    """
    bare = text[pos : pos + 1] != "<"
    if bare:
        tolerance.permit(LAX, "address without angle brackets", pos, "RFC 5321 s4.1.2", text)
    else:
        pos = _skip_route(text, pos + 1, tolerance)
    mailbox, pos = parse_mailbox(text, pos, tolerance)
    if not bare:
        if text[pos : pos + 1] != ">":
            raise ParseError("expected > after the address", pos, "RFC 5321 s4.1.2", text)
        pos += 1
    return mailbox, pos


def _skip_route(text: str, pos: int, tolerance: Tolerance) -> int:
    """The offset behind a source route, which is dropped.

    RFC 5321 appendix C: "SMTP servers MUST continue to accept source route syntax", and s3.6.1 has
    them ignored.
    """
    # A-d-l = At-domain *( "," At-domain ); At-domain = "@" Domain
    start = pos
    while text[pos : pos + 1] == "@":
        _, pos = parse_domain(text, pos + 1, tolerance)
        mark = text[pos : pos + 1]
        if mark not in {",", ":"}:
            raise ParseError("expected , or : in the source route", pos, "RFC 5321 s4.1.2", text)
        pos += 1
        if mark == ":":
            tolerance.permit(STRICT, "source route ignored", start, "RFC 5321 s3.6.1", text)
            return pos
    if pos != start:
        raise ParseError("expected @ in the source route", pos, "RFC 5321 s4.1.2", text)
    return pos
