"""REQUIRETLS (RFC 8689): a message that travels by TLS all the way, or not at all.

``Mail(alice, REQUIRETLS(True))`` says that every server on the way must hand the message on within TLS, to a server
that offers the same, and send it back where there is none. A client machine so writes it within TLS only, and only
where it was offered there; otherwise the message does not go, and LocalProtocolError says why before anything was
said. That the server's certificate was verified is for whoever made the connection to see to: with
``tls="opportunistic"`` any is taken.

A server announces it within TLS only. By accepting such a message it promises to keep to it, so it is not offered
unless it is among the capabilities. A message that cannot go on is returned with 5.7.30.
"""

from __future__ import annotations

from typing import Final

from ..wire.parameters import ParameterType
from .extension import Extension

__all__ = ["REQUIRETLS"]

# RFC 8689 s2: "There is no esmtp-value associated with requiretls-param."
_REQUIRETLS: Final[ParameterType[bool]] = ParameterType("REQUIRETLS")

#: ``REQUIRETLS`` on MAIL: TLS all the way. ``REQUIRETLS(True)``.
REQUIRETLS: Final[Extension[bool]] = Extension("REQUIRETLS", "RFC 8689", mail_parameters=[_REQUIRETLS], needs_tls=True)
