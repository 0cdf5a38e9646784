"""The script of AUTH on the side of a server: the exchange is the mechanism's, the verdict the handler's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, final

from ..errors import LocalProtocolError, ParseError
from ..extensions import Auth
from ..extensions.auth import offered_mechanisms
from ..sasl import Channel, Credentials, Question, ServerMechanism, Unproven
from ..session.server import ServerConnection
from ..wire.reply import Reply
from ..wire.secret import Secret
from .control import FAILED
from .effect import Flow
from .handler import Served

__all__ = ["MOST_ROUNDS", "Authentication"]

#: Challenges of one exchange; no mechanism that is known has more than a few.
MOST_ROUNDS: Final = 20

_BAD_CREDENTIALS: Final = Reply(535, "authentication credentials invalid", "5.7.8")
_AUTH_FAILED: Final = Reply(454, "temporary authentication failure", "4.7.0")  # RFC 4954 s6
_BAD_EXCHANGE: Final = Reply(501, "malformed authentication exchange", "5.5.2")
_NO_MECHANISM: Final = Reply(504, "authentication mechanism not supported", "5.5.4")  # RFC 4954 s4

_Step = bytes | Credentials | Question | Unproven | None


@final
class Authentication:
    """The exchanges of one connection, one after the other; ``control`` is that of the server."""

    __slots__ = ("_ask", "_control", "_handler", "_machine", "_mechanism", "_rounds", "_session")

    def __init__(
        self,
        machine: ServerConnection,
        session: Served,
        handler: Any,
        control: Any,
        ask: Callable[..., Flow[Any]],
    ) -> None:
        self._machine = machine
        self._session = session
        self._handler = handler
        self._control = control
        self._ask = ask
        self._mechanism: ServerMechanism | None = None
        self._rounds = 0

    def hear(self, command: Any) -> Flow[None]:
        """AUTH, or a response within its exchange."""
        machine = self._machine
        response: Secret | None
        if isinstance(command, Auth):
            begin: Callable[[], ServerMechanism] | None = self._control.mechanisms.get(command.mechanism)
            if begin is None:
                machine.reply(_NO_MECHANISM)
                return
            self._mechanism = self._begin(begin)
            response = command.initial_response
        else:
            response = command.response
        mechanism = self._mechanism
        if mechanism is None:
            machine.reply(_BAD_EXCHANGE)
            return
        try:
            result: _Step = mechanism.step(None if response is None else response.reveal())
            while isinstance(result, Question):
                answer = yield from self._ask(result.method, *result.arguments)
                if isinstance(answer, Reply):
                    self._refuse(answer)
                    return
                result = self._tell(mechanism, answer)
        except ParseError:
            machine.reply(_BAD_EXCHANGE)
            return
        if isinstance(result, bytes):
            self._rounds += 1
            if self._rounds > MOST_ROUNDS:
                machine.reply(_BAD_EXCHANGE)
            else:
                machine.challenge(result)
        elif isinstance(result, Credentials):
            yield from self._decide(result)
        elif result is None:
            machine.reply(_AUTH_FAILED)
        else:
            machine.reply(_BAD_CREDENTIALS)

    def _begin(self, begin: Callable[[], ServerMechanism]) -> ServerMechanism:
        self._rounds = 0
        mechanism = begin()
        bind: Callable[[Channel | None, Sequence[str]], None] | None = getattr(mechanism, "bind", None)
        if bind is not None:
            bind(self._session.channel, offered_mechanisms(self._machine.session))
        return mechanism

    def _tell(self, mechanism: ServerMechanism, answer: Any) -> _Step:
        """What the mechanism makes of the application's answer; None where that makes no sense."""
        asking: Any = mechanism  # whoever asks takes the answer
        try:
            result: _Step = asking.answer(answer)
            return result
        except ParseError:
            raise
        except (TypeError, ValueError) as error:
            self._control.report(error)
            return None

    def _refuse(self, reply: Reply) -> None:
        """The application refuses in its own words, or could not tell."""
        if reply.code < 400:
            self._control.report(LocalProtocolError(f"{reply.code} is no answer to what a mechanism asks"))
        self._machine.reply(_AUTH_FAILED if reply.code < 400 or reply is FAILED else reply)

    def _decide(self, credentials: Credentials) -> Flow[None]:
        """The handler's verdict; without one, what is proven is believed."""
        machine, session = self._machine, self._session
        if hasattr(self._handler, "authenticate"):
            verdict = yield from self._ask("authenticate", credentials)
        else:
            # RFC 4422 s3.4.1: to act as somebody else takes a permission, which nobody has given
            verdict = credentials.proven and credentials.authzid in {"", credentials.authcid}
        if isinstance(verdict, Reply) and verdict.code // 100 == 3:
            self._control.report(LocalProtocolError(f"{verdict.code} is no verdict on credentials (RFC 4954 s4)"))
            verdict = FAILED
        if isinstance(verdict, Reply):
            machine.reply(_AUTH_FAILED if verdict is FAILED else verdict)
        elif verdict is True:
            machine.accept()
        else:
            machine.reply(_BAD_CREDENTIALS)
        if not session.authenticated:
            session.identity = None
        elif session.identity is None:
            session.identity = credentials.authcid  # who it wants to act as is for the handler to allow, and to set
