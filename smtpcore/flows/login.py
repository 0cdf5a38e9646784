"""The server's half of an AUTH exchange, with the mechanism on one side and the handler on the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ..errors import LocalProtocolError, ParseError
from ..extensions import Auth, AuthResponse
from ..sasl import Credentials, ServerMechanism
from ..wire.reply import Reply
from .effect import Flow
from .handler import Served
from .verbs import FAILED

__all__ = ["log_in"]

_BAD_CREDENTIALS: Final = Reply(535, "authentication credentials invalid", "5.7.8")
_AUTH_FAILED: Final = Reply(454, "temporary authentication failure", "4.7.0")  # RFC 4954 s6
_BAD_EXCHANGE: Final = Reply(501, "malformed authentication exchange", "5.5.2")
_NO_MECHANISM: Final = Reply(504, "authentication mechanism not supported", "5.5.4")  # RFC 4954 s4


def log_in(
    session: Served,
    command: Auth | AuthResponse,
    mechanism: ServerMechanism | None,
    ask: Callable[..., Flow[Any]],
    report: Callable[[BaseException], None],
) -> Flow[None]:
    """Answer AUTH or a response; the handler is asked, by ``ask``, when the mechanism has credentials.

    ``mechanism`` is None where nobody can do what AUTH names.
    """
    machine = session.machine
    if mechanism is None:
        machine.reply(_NO_MECHANISM)
        return
    response = command.initial_response if isinstance(command, Auth) else command.response
    try:
        result = mechanism.step(None if response is None else response.reveal())
    except ParseError:
        machine.reply(_BAD_EXCHANGE)
        return
    if not isinstance(result, Credentials):
        machine.challenge(result)
        return
    verdict = yield from ask("authenticate", result)
    if isinstance(verdict, Reply) and verdict.code // 100 == 3:
        report(LocalProtocolError(f"{verdict.code} is no verdict on credentials (RFC 4954 s4)"))
        verdict = FAILED
    if verdict is FAILED:
        machine.reply(_AUTH_FAILED)
    elif isinstance(verdict, Reply):
        machine.reply(verdict)
    elif verdict is True:
        machine.accept()
    else:
        machine.reply(_BAD_CREDENTIALS)
    if not session.authenticated:
        session.identity = None
    elif session.identity is None:
        session.identity = result.authcid  # who it wants to act as is for the handler to allow, and to set
