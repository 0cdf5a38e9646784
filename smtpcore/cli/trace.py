"""The trace fields of final delivery: Return-Path and Received (RFC 5321 s4.4).

Everything in them but the date comes from strangers or from the command line; nothing gets in that is not one word of
the grammar it has to follow.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

from ..errors import ParseError
from ..extensions import UTF8
from ..flows.handler import Served
from ..message.date import DateTime
from ..message.received import with_keyword
from ..wire.host import AddressLiteral

__all__ = ["trace_fields"]

# What hosts call themselves: the characters of RFC 5321 s4.1.2, and the underscores found beyond them.
_HOST: Final = re.compile(r"[A-Za-z0-9_.\-]{1,255}")


def trace_fields(session: Served, hostname: str, identity: str, now: datetime) -> bytes:
    """The fields for the message in hand, with CRLF; ``identity`` is an atom, ``now`` knows its zone."""
    transaction = session.transaction
    utf8 = transaction.mail is not None and bool(transaction.mail.parameters.get(UTF8))
    word = with_keyword(esmtp=session.esmtp, tls=session.tls, auth=session.authenticated, utf8=utf8)
    lines = [f"from {_client(session)}", f"by {hostname} with {word} id {identity}"]
    # RFC 5321 s7.2: naming several recipients would tell each of the others
    if len(transaction.recipients) == 1:
        lines.append(f"for <{transaction.recipients[0]}>")
    received = "\r\n\t".join(lines)
    sender = "" if transaction.sender is None else str(transaction.sender)
    fields = f"Return-Path: <{sender}>\r\nReceived: {received};\r\n\t{DateTime.from_datetime(now)}\r\n"
    return fields.encode("utf-8", "surrogateescape")


def _client(session: Served) -> str:
    """What the client called itself, and where it really is."""
    address = _literal(session.peer)
    name = session.client or ""
    if not _is_host(name):
        name = address or "unknown.invalid"
    return f"{name} ({address})" if address else name


def _is_host(name: str) -> bool:
    if name[:1] != "[":
        return _HOST.fullmatch(name) is not None
    try:
        AddressLiteral.parse(name)
    except ParseError:
        return False
    return True


def _literal(peer: Any) -> str | None:
    """The address of a TCP peer as a literal (RFC 5321 s4.1.3); None for any other kind of peer."""
    if not isinstance(peer, tuple) or not peer or not isinstance(peer[0], str):
        return None
    address = peer[0].partition("%")[0]
    try:
        return str(AddressLiteral("IPv6" if ":" in address else "IPv4", address))
    except ParseError:
        return None
