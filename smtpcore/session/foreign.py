"""Other protocols on a port of SMTP: a browser made to send an HTTP request, or a client that begins with TLS.

A web page can have its visitor's browser send an HTTP request anywhere, and put lines of SMTP into its body (an attack
as old as 2001). So a server must not pass over the lines of HTTP that it does not understand until it finds some that
it does: from the first of them on nothing is a command.
"""

from __future__ import annotations

import re
from typing import Final

from ..wire.reply import Reply

__all__ = ["TLS_HELLO", "foreign_protocol", "foreign_reply"]

#: RFC 8446 s5.1: what a record of a handshake begins with. No line of SMTP can begin so.
TLS_HELLO: Final = b"\x16\x03"

# RFC 9112 s3
#   request-line = method SP request-target SP HTTP-version
# Of the methods that everybody knows any line will do, since a target may be anything; of others one that names the
# version. RFC 9112 s3.2: "A client MUST send a Host header field" of a request whose first line was not understood.
_HTTP: Final = re.compile(
    rb"(?:GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH) "
    rb"|[!#-'*+.0-9A-Z^-z|~\-]++ [!-~]++ HTTP/[0-9]"
    rb"|HTTP/[0-9]"
    rb"|(?i:host:)"
)
_REPLIES: Final = {
    "TLS": Reply(421, "this port does not begin with TLS", "4.7.0"),
    "HTTP": Reply(421, "this is not HTTP", "4.7.0"),
}


def foreign_protocol(line: bytes) -> str | None:
    """The protocol that a line belongs to which no command begins, ``"TLS"`` or ``"HTTP"``, if it is one of these."""
    if line.startswith(TLS_HELLO):
        return "TLS"
    return "HTTP" if _HTTP.match(line) else None


def foreign_reply(protocol: str) -> Reply:
    """What the client is told, though it will hardly read it; 421 is the code to close with (RFC 5321 s3.8)."""
    return _REPLIES[protocol]
