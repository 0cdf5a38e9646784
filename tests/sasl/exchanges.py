"""Both halves of a mechanism, put together without anything between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from smtpcore.sasl import Channel, ClientMechanism, Credentials, Question, ScramKeys, ServerMechanism, Unproven

USER, PASSWORD, TOKEN = "alice", "Tr0ub4dor&3 is no secret", "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg=="
EXPORTED = b"\x00\xff the octets of tls-exporter \x01\x02"


def nobody(question: Question) -> Any:
    return None


def keys(password: str = PASSWORD, user: str = USER) -> Callable[[Question], ScramKeys | None]:
    """Answers SCRAM's question for the keys of one user."""

    def answer(question: Question) -> ScramKeys | None:
        name, mechanism = question.arguments
        return ScramKeys.derive(password, mechanism) if name == user else None

    return answer


def converse(
    client: ClientMechanism,
    server: ServerMechanism,
    answer: Callable[[Question], Any] = nobody,
    *,
    channel: Channel | None = None,
    servers_channel: Channel | None = None,
    offered: tuple[str, ...] = (),
    initial: bool = True,
) -> tuple[Credentials | Unproven, list[bytes]]:
    """How the exchange ends, and all that was said."""
    untyped_client: Any = client
    untyped_server: Any = server
    offered = offered or (client.name,)
    if hasattr(client, "bind"):
        untyped_client.bind(channel, offered)
    if hasattr(server, "bind"):
        untyped_server.bind(servers_channel or channel, offered)
    said: list[bytes] = []
    response = client.step(None) if client.client_first and initial else None
    for _ in range(10):
        if response is not None:
            said.append(response)
        result: Any = server.step(response)
        while isinstance(result, Question):
            result = untyped_server.answer(answer(result))
        if not isinstance(result, bytes):
            return result, said
        said.append(result)
        response = client.step(result)
    raise AssertionError("no end")
