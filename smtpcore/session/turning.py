"""The roles are reversed: behind the 250 to ATRN, each side goes on with a machine of the other kind (RFC 2645 s5.3).

Write out what the machine of before has to send; then its state is TURNED, and the new one takes its place::

    client = become_client(server)               # the provider: waits for a greeting
    server = become_server(client, settings)     # the customer: has a greeting to give

Whether the connection is inside TLS goes over to the new machine; nothing else does. A customer has shown who it is by
AUTH and not by a certificate, so no message with REQUIRETLS goes that way (RFC 8689 s4.2.1).
"""

from __future__ import annotations

from ..extensions import STANDARD, ExtensionSet
from ..wire.newlines import BareNewlines
from .client import ClientConnection
from .limits import ClientLimits
from .server import ServerConnection
from .settings import ServerSettings

__all__ = ["become_client", "become_server"]


def become_client(
    server: ServerConnection,
    *,
    bare_newlines: BareNewlines = BareNewlines.REJECT,
    limits: ClientLimits | None = None,
    extensions: ExtensionSet = STANDARD,
) -> ClientConnection:
    """The machine that goes on where ``server`` has accepted ATRN.

    What the peer has sent since then, its greeting, is in it already. Raises LocalProtocolError in any other state, and
    while the reply to ATRN has not been taken.
    """
    rest, eof = server.hand_over()
    tls = server.session.tls
    client = ClientConnection(bare_newlines=bare_newlines, limits=limits, extensions=extensions, tls=tls)
    if rest:
        client.receive_data(rest)
    if eof:
        client.receive_data(b"")
    return client


def become_server(client: ClientConnection, settings: ServerSettings) -> ServerConnection:
    """The machine that goes on where the ATRN of ``client`` has been accepted.

    Raises LocalProtocolError in any other state, and RemoteProtocolError when the peer has not waited for the greeting.
    """
    eof = client.hand_over()
    server = ServerConnection.from_settings(settings, tls=client.tls)
    if eof:
        server.receive_data(b"")
    return server
