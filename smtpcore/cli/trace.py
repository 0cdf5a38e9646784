"""The trace fields of final delivery: Return-Path and Received (RFC 5321 s4.4).

Everything in them but the date comes from strangers or from the command line; the values that they are made of let
nothing through that would be more than it has to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ..errors import ParseError
from ..extensions import UTF8
from ..flows.handler import Served
from ..message.date import DateTime
from ..message.field import Field
from ..message.received import Received, with_keyword
from ..message.trace import ReturnPath
from ..wire.address import Mailbox, Postmaster
from ..wire.host import AddressLiteral

__all__ = ["trace_fields"]


def trace_fields(session: Served, hostname: str, identity: str, now: datetime) -> bytes:
    """The fields for the message in hand, with CRLF; ``identity`` is an atom, ``now`` knows its zone."""
    transaction = session.transaction
    # Never folded, so that a reverse-path of any length the server takes is there.
    path = f"Return-Path: {ReturnPath(transaction.sender)}\r\n".encode()
    try:
        received = _received(session, hostname, identity, now, transaction.recipients)
    except ParseError:
        # A recipient that the server lets through and Received has no grammar for; "for" may be left out.
        received = _received(session, hostname, identity, now, ())
    return path + received.raw


def _received(
    session: Served, hostname: str, identity: str, now: datetime, recipients: Sequence[Mailbox | Postmaster]
) -> Field:
    """The Received field, one line for each thing that it tells. Raises ParseError."""
    mail = session.transaction.mail
    utf8 = mail is not None and bool(mail.parameters.get(UTF8))
    date = DateTime.from_datetime(now)
    value = Received.build(
        session.client or "",
        _address(session.peer),
        by=hostname,
        with_=with_keyword(
            esmtp=session.esmtp, tls=session.tls, auth=session.authenticated, lmtp=session.lmtp, utf8=utf8
        ),
        id=identity,
        for_=recipients,
        date=date,
    )
    clauses = [str(clause) for clause in value.clauses]
    told = "\r\n\t".join([clauses[0], " ".join(clauses[1:4]), *clauses[4:]])
    return Field.build("Received", f" {told};\r\n\t{date}".encode())


def _address(peer: Any) -> str | None:
    """The address of a TCP peer; None for any other kind of peer."""
    if not isinstance(peer, tuple) or not peer or not isinstance(peer[0], str):
        return None
    address = peer[0].partition("%")[0]
    try:
        AddressLiteral("IPv6" if ":" in address else "IPv4", address)
    except ParseError:
        return None
    return address
