"""XCLIENT (Postfix, XCLIENT_README): a proxy says who its client is, and the server believes it.

::

    XClient(name="spike.example", address="192.0.2.1", login="alice")

A server offers it to clients that its application trusts, and to nobody else: see
:meth:`~smtpcore.session.server.ServerConnection.trust`. Once it is accepted, with a greeting of its own, the session
begins anew as if that client had connected: EHLO has to be said again, what was authenticated is so no more (unless a
login is among the attributes), and what was said stands in ``session.xclient`` of the machine. Several commands add up.

Whoever has said the address of a client speaks for it from there on, and is not trusted any more: a proxy that hands
its client's own octets on must not let it say XCLIENT too. For the same reason STARTTLS, which begins a session in
which nothing counts that came before, is not to be had behind XCLIENT.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final, final

from ..errors import ParseError
from ..table import State
from ..wire.host import Domain
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

__all__ = ["XCLIENT", "XCLIENT_ATTRIBUTES", "XClient"]

_NONE: Final = Unavailable.UNAVAILABLE


def _read_name(text: str) -> str:
    return Domain(text).text


def _read_protocol(text: str) -> str:
    if text.upper() not in {"SMTP", "ESMTP"}:
        raise ParseError("expected SMTP or ESMTP", 0, "XCLIENT_README", text)
    return text.upper()


@final
class XClient(AttributeCommand):
    """XCLIENT: what the session is to know of its client from here on.

    Raises ParseError for a value that the attribute cannot have, and where there is none at all.
    """

    __slots__ = ("address", "destination_address", "destination_port", "helo", "login", "name", "port", "protocol")
    __match_args__ = (
        "name",
        "address",
        "port",
        "protocol",
        "helo",
        "login",
        "destination_address",
        "destination_port",
    )
    verb: ClassVar[str] = "XCLIENT"
    attributes: ClassVar[Attributes] = {
        "name": in_xtext("NAME", _read_name, str, *Unavailable),
        "address": in_xtext("ADDR", read_address, write_address, _NONE),
        "port": in_xtext("PORT", read_port, str, _NONE),
        "protocol": in_xtext("PROTO", _read_protocol),
        "helo": in_xtext("HELO", read_token, str, _NONE),
        "login": in_xtext("LOGIN", str, str, _NONE),
        "destination_address": in_xtext("DESTADDR", read_address, write_address, _NONE),
        "destination_port": in_xtext("DESTPORT", read_port, str, _NONE),
    }

    name: str | Unavailable | None  #: The client's host name, by its address.
    address: str | Unavailable | None  #: Its IP address, without brackets and without ``IPV6:``.
    port: int | Unavailable | None  #: Its TCP port.
    protocol: str | None  #: ``SMTP`` or ``ESMTP``.
    helo: str | Unavailable | None  #: What it called itself.
    login: str | Unavailable | None  #: Who it has proved to be.
    destination_address: str | Unavailable | None  #: The IP address that it connected to.
    destination_port: int | Unavailable | None  #: The TCP port that it connected to.

    def __init__(
        self,
        *,
        name: str | Unavailable | None = None,
        address: str | Unavailable | None = None,
        port: int | Unavailable | None = None,
        protocol: str | None = None,
        helo: str | Unavailable | None = None,
        login: str | Unavailable | None = None,
        destination_address: str | Unavailable | None = None,
        destination_port: int | Unavailable | None = None,
    ) -> None:
        super().__init__(
            name=name,
            address=address,
            port=port,
            protocol=protocol,
            helo=helo,
            login=login,
            destination_address=destination_address,
            destination_port=destination_port,
        )


def _check(session: SessionView, command: XClient) -> Reply | None:
    """550 to whom the application does not trust, 501 for an attribute that was not offered."""
    return check_attributes(session, command, session.capabilities.get(XCLIENT))


#: All that there are, for a server that takes them all: ``XCLIENT.offer(XCLIENT_ATTRIBUTES)``.
XCLIENT_ATTRIBUTES: Final = tuple([kind.keyword for kind in XClient.attributes.values()])

#: Offered with the names of its attributes: ``XCLIENT.offer(("NAME", "ADDR"))``.
XCLIENT: Final[Extension[Sequence[str]]] = Extension(
    "XCLIENT",
    "Postfix",
    argument=attribute_list("XCLIENT", XClient.attributes),
    verbs=[XClient],
    # XCLIENT_README: "at any time, except in the middle of a mail delivery transaction"; behind another one, without
    # an EHLO between them, as swaks has it
    transitions={State.READY: {XClient: {2: State.GREETED}}, State.GREETED: {XClient: {2: State.GREETED}}},
    checks={XClient: _check},
    announced=lambda session: session.trusted,
)
