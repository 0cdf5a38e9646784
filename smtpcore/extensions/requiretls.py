"""REQUIRETLS (RFC 8689): a message that travels by TLS all the way, or not at all.

``Mail(alice, REQUIRETLS(True))`` says that every server on the way must hand the message on within TLS, to a server
that offers the same, and send it back where there is none. A client machine so writes it within TLS only, only where
it was offered there, and only to a server whose certificate was verified; otherwise the message does not go, and
LocalProtocolError says why before anything was said. Another host of the domain may do, or the message is returned:
with 5.7.30 where REQUIRETLS was not offered, with 5.7.10 where there was no such TLS (RFC 8689 s4.2.1).

Whether it was verified the machine is told: by ``tls_established(verified=True)``, or by ``verified=True`` where TLS
comes first. ``connect`` of an adapter tells it: an ``ssl_context`` verifies that requires a certificate and checks the
name, as that of ``tls="required"`` does by default and that of ``"opportunistic"`` does not; and so does a verdict of
MTA-STS or DANE. That the host's own name is to be believed, because DNSSEC or MTA-STS vouches for it, is asked by
:func:`~smtpcore.policy.requiretls.tls_required`. A message with the null reverse-path, which is a notification, goes
over TLS that is not verified as well.

A server announces it within TLS only. By accepting such a message it promises to keep to it, so it is not offered
unless it is among the capabilities.
"""

from __future__ import annotations

from typing import Final

from ..wire.command import Mail
from ..wire.parameter import ParameterType
from .extension import Extension, ServerView

__all__ = ["REQUIRETLS"]

# RFC 8689 s2: "There is no esmtp-value associated with requiretls-param."
_REQUIRETLS: Final[ParameterType[bool]] = ParameterType("REQUIRETLS")


def _objection(server: ServerView, command: Mail) -> str:
    # RFC 8689 s4.2.1, 4: "authenticate the server's certificate"; asked only of what has a return-path
    if server.verified or command.sender is None:
        return ""
    return "the message has REQUIRETLS, and the server's certificate was not verified (5.7.10, RFC 8689 s4.2.1)"


#: ``REQUIRETLS`` on MAIL: TLS all the way. ``REQUIRETLS(True)``.
REQUIRETLS: Final[Extension[bool]] = Extension(
    "REQUIRETLS", "RFC 8689", mail_parameters=[_REQUIRETLS], needs_tls=True, objection=_objection
)
