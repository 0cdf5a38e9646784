"""What a SASL mechanism is, on either side (RFC 4422 s3): a thing with a name that answers step by step.

Mechanisms are pure: octets in, octets out. They know nothing of SMTP, base64 or connections.
"""

from __future__ import annotations

from typing import Protocol, final

from ..wire.secret import Secret
from ..wire.value import Value, assign

__all__ = ["ClientMechanism", "Credentials", "ServerMechanism"]


class ClientMechanism(Protocol):
    """The client's half of one exchange."""

    @property
    def name(self) -> str:
        """The registered name, such as ``PLAIN``."""
        ...

    @property
    def client_first(self) -> bool:
        """Whether the client speaks first, so that its message can go with AUTH (RFC 4954 s4)."""
        ...

    def step(self, challenge: bytes | None) -> bytes:
        """The answer to a challenge; ``None`` asks for the initial response. Raises ParseError to give up."""
        ...


class ServerMechanism(Protocol):
    """The server's half of one exchange."""

    @property
    def name(self) -> str:
        """The registered name."""
        ...

    def step(self, response: bytes | None) -> bytes | Credentials:
        """The next challenge, or what the client has claimed; ``None`` is the absence of an initial response.

        Raises ParseError for a response that the mechanism does not allow.
        """
        ...


@final
class Credentials(Value):
    """Who a client says it is, for the application to believe or not."""

    __slots__ = ("authcid", "authzid", "mechanism", "password")
    __match_args__ = ("mechanism", "authcid", "authzid", "password")

    mechanism: str  #: The name of the mechanism.
    authcid: str  #: Whose password this is.
    authzid: str  #: Who the client wants to act as; empty: the same. Never merged into ``authcid``.
    password: Secret  #: What is to be verified, as UTF-8.

    def __init__(self, mechanism: str, authcid: str, password: Secret | bytes, authzid: str = "") -> None:
        assign(self, "mechanism", mechanism)
        assign(self, "authcid", authcid)
        assign(self, "authzid", authzid)
        assign(self, "password", password if isinstance(password, Secret) else Secret(password))

    def verify(self, password: str | bytes) -> bool:
        """Whether ``password`` is the one given, compared in constant time."""
        from hmac import compare_digest  # noqa: PLC0415 - only a server that authenticates needs it

        expected = password.encode() if isinstance(password, str) else password
        return compare_digest(self.password.reveal(), expected)
