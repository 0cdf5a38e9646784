"""STARTTLS (RFC 3207): the conversation starts anew inside TLS."""

from __future__ import annotations

from typing import Any, ClassVar, Final, final

from ..table import State
from ..wire.command import Command
from ..wire.reply import Reply
from .extension import Extension, SessionView

__all__ = ["STARTTLS", "StartTls"]


@final
class StartTls(Command):
    """STARTTLS: asks for a TLS handshake (RFC 3207 s4)."""

    __slots__ = ()
    verb: ClassVar[str] = "STARTTLS"


def _check(session: SessionView, command: StartTls) -> Reply | None:
    """Refused within TLS and behind AUTH."""
    if session.tls:
        return Reply(503, "TLS is active already", "5.5.1")
    if session.authenticated:
        return Reply(503, "not after AUTH", "5.5.1")
    if session.proxied:
        return Reply(503, "not after XCLIENT", "5.5.1")  # or it would bring back whom the proxy speaks for
    return None


#: The connection can be upgraded to TLS; not announced where it has been (RFC 3207 s4.2).
STARTTLS: Final[Extension[Any]] = Extension(
    "STARTTLS",
    "RFC 3207",
    verbs=[StartTls],
    # RFC 3207 s4: within a transaction it would be legal; refusing it there keeps one way to reset a session
    transitions={State.READY: {StartTls: {2: State.UPGRADING}}},
    checks={StartTls: _check},
    announced=lambda session: not session.tls and not session.proxied,
)
