"""The script of a server behind a proxy: what comes before TLS and before the greeting."""

from __future__ import annotations

from typing import Final

from ..errors import RemoteProtocolError
from ..session.limits import Deadline
from ..wire.proxy import ProxyHeader
from ..wire.proxy_reader import ProxyReader
from .effect import Flow, Read
from .server import Control, Drain

__all__ = ["PROXY_HEADER", "read_proxy_header"]

#: How long a proxy has for its header, which it sends at once; Postfix waits as long.
PROXY_HEADER: Final = Deadline("PROXY header", 5)


def read_proxy_header(control: Control) -> Flow[ProxyHeader]:
    """The header that a proxy sends first; not an octet is read behind it.

    Raises OSError for anything else, and when it does not come in time, or the server stops: then the connection is to
    be closed without a word. What is no header is reported, for somebody has set the proxy or the server up wrongly;
    a connection that only ends is not, for so some proxies look whether a server is there.
    """
    reader = ProxyReader()
    effect = Read(PROXY_HEADER.seconds if control.timeout is None else control.timeout, most=reader.wanted)
    while True:
        try:
            data = yield effect
        except Drain:
            raise ConnectionAbortedError("the server stops") from None
        if not data:
            raise ConnectionResetError("the connection has ended before the PROXY header")
        try:
            header = reader.receive(data)
        except RemoteProtocolError as error:
            control.report(error)
            raise ConnectionAbortedError(str(error)) from None
        if header is not None:
            return header
        effect = Read(None, most=reader.wanted)
