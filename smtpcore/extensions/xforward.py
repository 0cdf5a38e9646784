"""XFORWARD (Postfix, XFORWARD_README): a content filter passes on who the client of the message was, for the record.

::

    XForward(name="spike.example", address="192.0.2.1", protocol="ESMTP", identifier="4711")

Unlike XCLIENT it changes nothing of the session: it belongs to the next transaction, several commands add up, and it is
forgotten when that transaction has ended. It may be said in one group with MAIL. A server offers it to clients that its
application trusts, as for XCLIENT; what was said stands in ``session.xforward`` of the machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import ClassVar, Final, final

from ..errors import ParseError
from ..table import State
from ..wire.reply import Reply
from .attributes import (
    AttributeCommand,
    Attributes,
    Unavailable,
    attribute_list,
    check_attributes,
    in_xtext,
    read_address,
    read_port,
    read_token,
    write_address,
)
from .extension import Extension, SessionView

__all__ = ["XFORWARD", "XFORWARD_ATTRIBUTES", "MessageSource", "XForward"]

_NONE: Final = Unavailable.UNAVAILABLE
#: XFORWARD_README: characters of the name of a protocol.
PROTOCOL_LIMIT: Final = 64


@final
class MessageSource(Enum):
    """Where a message came from, as its first server sees it."""

    LOCAL = "LOCAL"  #: From that host itself, or from one near to it.
    REMOTE = "REMOTE"  #: From anywhere else.


_SOURCES: Final = {member.value: member for member in MessageSource}


def _read_address(text: str) -> str:
    """An address of any kind: not only of IP."""
    return read_address(text) if text[:5].upper() == "IPV6:" else read_token(text)


def _read_protocol(text: str) -> str:
    if len(text) > PROTOCOL_LIMIT:
        raise ParseError(f"name of a protocol longer than {PROTOCOL_LIMIT} characters", 0, "XFORWARD_README", text)
    return read_token(text)


def _read_source(text: str) -> MessageSource:
    found = _SOURCES.get(text.upper()) if text.isascii() else None
    if found is None:
        raise ParseError("expected LOCAL or REMOTE", 0, "XFORWARD_README", text)
    return found


def _write_source(source: object) -> str:
    if not isinstance(source, MessageSource):
        raise ParseError("not a MessageSource", 0, "XFORWARD_README", str(source))
    return source.value


@final
class XForward(AttributeCommand):
    """XFORWARD: what is to be recorded of the client that a message came from.

    Raises ParseError for a value that the attribute cannot have, and where there is none at all.
    """

    __slots__ = ("address", "helo", "identifier", "name", "port", "protocol", "source")
    __match_args__ = ("name", "address", "port", "protocol", "helo", "identifier", "source")
    verb: ClassVar[str] = "XFORWARD"
    pipelines: ClassVar[bool] = True  # XFORWARD_README: "The command may be pipelined"
    attributes: ClassVar[Attributes] = {
        "name": in_xtext("NAME", read_token, str, _NONE),
        "address": in_xtext("ADDR", _read_address, write_address, _NONE),
        "port": in_xtext("PORT", read_port, str, _NONE),
        "protocol": in_xtext("PROTO", _read_protocol, str, _NONE),
        "helo": in_xtext("HELO", read_token, str, _NONE),
        "identifier": in_xtext("IDENT", read_token, str, _NONE),
        "source": in_xtext("SOURCE", _read_source, _write_source, _NONE),
    }

    name: str | Unavailable | None  #: The client's host name.
    address: str | Unavailable | None  #: Its address; one of IPv6 without ``IPV6:``.
    port: int | Unavailable | None  #: Its TCP port.
    protocol: str | Unavailable | None  #: How the message came, such as ``ESMTP``.
    helo: str | Unavailable | None  #: What the client called itself.
    identifier: str | Unavailable | None  #: What the message is called where it came from, such as a queue's number.
    source: MessageSource | Unavailable | None

    def __init__(
        self,
        *,
        name: str | Unavailable | None = None,
        address: str | Unavailable | None = None,
        port: int | Unavailable | None = None,
        protocol: str | Unavailable | None = None,
        helo: str | Unavailable | None = None,
        identifier: str | Unavailable | None = None,
        source: MessageSource | Unavailable | None = None,
    ) -> None:
        super().__init__(
            name=name,
            address=address,
            port=port,
            protocol=protocol,
            helo=helo,
            identifier=identifier,
            source=source,
        )


def _check(session: SessionView, command: XForward) -> Reply | None:
    """550 to whom the application does not trust, 501 for an attribute that was not offered."""
    return check_attributes(session, command, session.capabilities.get(XFORWARD))


#: All that there are, for a server that takes them all: ``XFORWARD.offer(XFORWARD_ATTRIBUTES)``.
XFORWARD_ATTRIBUTES: Final = tuple([kind.keyword for kind in XForward.attributes.values()])

#: Offered with the names of its attributes: ``XFORWARD.offer(("NAME", "ADDR"))``.
XFORWARD: Final[Extension[Sequence[str]]] = Extension(
    "XFORWARD",
    "Postfix",
    argument=attribute_list("XFORWARD", XForward.attributes),
    verbs=[XForward],
    transitions={State.READY: {XForward: {2: State.READY}}},
    checks={XForward: _check},
    announced=lambda session: session.trusted,
)
