"""What a SASL mechanism is, on either side (RFC 4422 s3): a thing with a name that answers step by step.

Mechanisms are pure: octets in, octets out. They know nothing of SMTP, base64 or connections.
"""

from __future__ import annotations

from typing import Any, Protocol, final

from ..wire.secret import Secret
from ..wire.value import Value, assign

__all__ = ["ClientMechanism", "Credentials", "Question", "ServerMechanism", "Unproven"]


class ClientMechanism(Protocol):
    """The client's half of one exchange; an object serves one exchange.

    These it may have besides:

    ``bind(channel, offered)``
        is called before the first step, with the :class:`~smtpcore.sasl.channel.Channel` that the exchange runs in
        (None where nothing is known of it) and the names that the server offers.
    ``suits(channel)``
        says whether it can be used there at all; it is not chosen where that is False.
    ``reveals``
        True where the server, and whoever reads along, sees the secret itself; outside TLS these come last.
    ``proven``
        False until the server has proved what the mechanism asks of it: success before that is none.
    """

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
    """The server's half of one exchange; an object serves one exchange.

    These it may have besides:

    ``bind(channel, offered)``
        as in a client, with the names that this server offers.
    ``answer(given)``
        is called with the answer to a :class:`Question`, and returns what ``step`` may return. It raises TypeError or
        ValueError where the application's answer makes no sense.
    ``needs``
        the names of the handler's methods without which it is not offered; ``("authenticate",)`` unless given.
    ``binds``
        True where it needs the server's own certificate, and is not offered without.
    """

    @property
    def name(self) -> str:
        """The registered name."""
        ...

    def step(self, response: bytes | None) -> bytes | Credentials | Question | Unproven:
        """The next challenge, or how it ends; ``None`` is the absence of an initial response.

        Raises ParseError for a response that the mechanism does not allow.
        """
        ...


@final
class Question(Value):
    """What a server's mechanism has to ask the application before it can go on."""

    __slots__ = ("arguments", "method")
    __match_args__ = ("method", "arguments")

    method: str  #: The handler's method, which is called with the session and ...
    arguments: tuple[Any, ...]  #: ... with these.

    def __init__(self, method: str, *arguments: Any) -> None:
        assign(self, "method", method)
        assign(self, "arguments", arguments)


@final
class Unproven(Value):
    """The end of an exchange in which the client has not proved what it claims."""

    __slots__ = ("why",)
    __match_args__ = ("why",)

    why: str  #: What was wrong, without any octets of the client's. It is not for the client.

    def __init__(self, why: str) -> None:
        assign(self, "why", why)


@final
class Credentials(Value):
    """Who a client says it is: for the application to believe or not, unless it is proven already."""

    __slots__ = ("_challenge", "authcid", "authzid", "mechanism", "password", "proven")
    __match_args__ = ("mechanism", "authcid", "authzid", "password", "proven")

    mechanism: str  #: The name of the mechanism.
    authcid: str  #: Whose password this is.
    authzid: str  #: Who the client wants to act as; empty: the same. Never merged into ``authcid``.
    password: Secret  #: What is to be verified: a password in UTF-8; in CRAM-MD5 the digest; empty where it is proven.
    proven: bool  #: Whether the mechanism has proved by itself that it is ``authcid``, as SCRAM does.
    _challenge: bytes

    def __init__(
        self,
        mechanism: str,
        authcid: str,
        password: Secret | bytes = b"",
        authzid: str = "",
        *,
        proven: bool = False,
        challenge: bytes = b"",
    ) -> None:
        assign(self, "mechanism", mechanism)
        assign(self, "authcid", authcid)
        assign(self, "authzid", authzid)
        assign(self, "password", password if isinstance(password, Secret) else Secret(password))
        assign(self, "proven", proven)
        assign(self, "_challenge", challenge)

    def verify(self, password: str | bytes) -> bool:
        """Whether ``password`` is the one given, compared in constant time.

        In CRAM-MD5, whether it is the one that the challenge was answered with. False where the client has given
        none, which is so of all mechanisms that prove who it is by themselves: look at ``proven`` first.
        """
        from hmac import compare_digest, digest  # noqa: PLC0415 - only a server that authenticates needs it

        given = self.password.reveal()
        if not given:
            return False
        expected = password.encode() if isinstance(password, str) else password
        if self._challenge:
            expected = digest(expected, self._challenge, "md5").hex().encode()  # RFC 2195 s2
        return compare_digest(given, expected)
