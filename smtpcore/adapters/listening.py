"""What a listening server is made of, over every library."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from typing import Any, Final, Unpack

from ..flows.client import TlsMode
from ..flows.effect import Flow
from ..flows.handler import Served
from ..flows.options import ServerOptions, prepare_server
from ..flows.server import serve_connection
from ..sasl.channel import Channel
from ..session.server import ServerConnection
from ..wire.proxy import ProxyHeader
from ..wire.reply import Reply
from .proxies import Proxies
from .tls import der, server_context

__all__ = ["BACKLOG", "PAUSE", "TOO_MANY", "Listening"]

#: Connections that may wait to be accepted.
BACKLOG: Final = 1000
#: Seconds before a connection is accepted again where that has failed; asyncio's own servers wait as long.
PAUSE: Final = 1.0

#: What a client is told beyond the limit of connections.
TOO_MANY: Final = bytes(Reply(421, "too many connections", "4.7.0"))


class Listening:
    """A server that does not listen yet; entering it listens, leaving it stops.

    ``handler`` has any of the methods of :class:`~smtpcore.flows.handler.Handler`. ``host`` is a
    name or an address, or a unix socket as ``unix:/path``. Port 0 takes a free one, and ``address``
    says which. ``tls`` is ``"none"``, ``"opportunistic"`` (STARTTLS is
    offered), ``"required"`` (and nothing is done without it) or ``"implicit"``; all but the first
    need an ``ssl_context`` with a certificate. Beyond ``max_connections`` a client is told 421.
    Leaving says 421 to idle clients and lets transactions finish for at most ``grace`` seconds.
    From the addresses and networks in ``proxy_from``, such as ``"192.0.2.8"`` or ``"10.0.0.0/8"``,
    and with ``"unix:"`` from a unix socket, every connection has to begin with a PROXY header, in
    the clear, which says who the client is; from all others none is read.
    Other options are those of :class:`~smtpcore.flows.options.ServerOptions`.
    """

    def __init__(
        self,
        handler: object,
        host: str,
        port: int = 0,
        *,
        tls: TlsMode = "none",
        ssl_context: ssl.SSLContext | None = None,
        max_connections: int = 1000,
        grace: float = 30.0,
        proxy_from: Iterable[str] = (),
        **options: Unpack[ServerOptions],
    ) -> None:
        self.settings, self.control = prepare_server(handler, tls, self._report, options)
        self.handler = handler
        self.certificate = der(options.get("certificate"))  #: Its own, in DER, where it was given.
        self.context = server_context(tls, ssl_context)
        self.implicit_tls: Final = tls == "implicit"
        self.max_connections = max_connections
        self.proxies: Final = Proxies(proxy_from)
        self._where = host, port
        self._grace = grace

    def begin(
        self, peer: Any, proxy: ProxyHeader | None = None, channel: Channel | None = None
    ) -> tuple[ServerConnection, Flow[None]]:
        """The machine and the script for a new connection.

        ``proxy`` is the header that it began with, and ``channel`` that of implicit TLS.
        """
        machine = ServerConnection.from_settings(self.settings, tls=self.implicit_tls)
        client = peer if proxy is None else proxy.peer(peer)
        session = Served(machine, client or None, proxy)
        session.channel = channel
        return machine, serve_connection(machine, self.handler, session, self.control)

    def _report(self, error: BaseException) -> None:
        """Show an error of a handler, and of nothing else."""
        raise NotImplementedError
