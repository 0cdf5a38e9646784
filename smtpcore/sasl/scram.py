"""SCRAM (RFC 5802, RFC 7677): both sides prove that they know the password, and neither says it. Needs ``scramp``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, final

from ..errors import ParseError
from ..wire.secret import Secret
from .channel import Channel
from .gs2 import HEADER, decode_saslname, encode_saslname
from .mechanism import Credentials, Question, Unproven
from .scram_binding import Gs2Header, bindings_of
from .scram_keys import DIGEST_SIZES, ITERATIONS, ITERATIONS_LIMIT, SALT, Kept, ScramKeys, scramp, tried
from .text import decode_name, decode_utf8, encode_text

__all__ = ["SCRAM_MECHANISMS", "Scram", "ScramServer"]

_RULE: Final = "RFC 5802 s5.1"
#: Strongest first: a binding to the channel is worth more than a longer hash.
SCRAM_MECHANISMS: Final = ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1")


def _check_name(mechanism: str) -> str:
    if mechanism not in SCRAM_MECHANISMS:
        raise ValueError(f"one of {', '.join(SCRAM_MECHANISMS)}, not {mechanism}")
    return mechanism


@final
class Scram:
    """The client's half.

    ``authzid`` is who it wants to act as. A server that asks for more than ``max_iterations`` of the hash is given up.
    Raises ParseError for a name or password that cannot be sent. Those that SASLprep (RFC 4013) does not allow do not
    suit, and the first step refuses them; without ``scramp`` both raise ModuleNotFoundError.
    """

    client_first: bool = True

    def __init__(
        self,
        username: str,
        password: str,
        mechanism: str = "SCRAM-SHA-256",
        authzid: str = "",
        *,
        max_iterations: int = ITERATIONS_LIMIT,
    ) -> None:
        self.name: str = _check_name(mechanism)
        self._base = mechanism.removesuffix("-PLUS")
        encode_text(username, "username", _RULE)
        self._authzid = encode_saslname(authzid, "authzid", _RULE).decode()
        self._max_iterations = max_iterations
        self._username = username
        self._password = Secret(encode_text(password, "password", _RULE))
        self._client: Kept | None = None
        self._flag = "n"
        self._binding: Secret | None = None
        self._steps = 0
        #: Whether the server has proved that it knows the password too.
        self.proven = False

    def suits(self, channel: Channel | None) -> bool:
        """Whether SASLprep allows name and password, and for -PLUS, whether there is data to bind to."""
        if self.name != self._base and not bindings_of(channel, server=False):
            return False
        return self._prepare() is not None

    def _prepare(self) -> Any:
        """Scramp's client, made when it is needed first; None where SASLprep (RFC 4013) refuses."""
        if self._client is None:
            password = self._password.reveal().decode()
            made = tried(scramp().ScramClient, [self._base], self._username, password)
            self._client = Kept(made[0]) if made else None
        return self._client and self._client.it

    def bind(self, channel: Channel | None, offered: Sequence[str]) -> None:
        """Bind to the channel, or say why not (RFC 5802 s6)."""
        bindings = bindings_of(channel, server=False)
        self._flag = "n"
        self._binding = None
        if self.name != self._base:
            for kind, data in bindings.items():
                self._flag, self._binding = f"p={kind}", data
                break
        elif bindings and f"{self._base}-PLUS" not in offered:
            # "y": the client could, and thinks that the server could not; one that could then knows of somebody between
            self._flag = "y"

    def step(self, challenge: bytes | None) -> bytes:
        """The next message; after the server's last one, nothing. Raises ParseError for what must not be believed."""
        self._steps += 1
        if self._steps == 1:
            return self._first(challenge)
        text = decode_utf8(challenge or b"")
        if not text or self._steps > 3:
            raise ParseError("SCRAM has two messages of the server", 0, _RULE)
        client = self._prepare()
        if self._steps == 2:
            # Refuses a nonce that is not ours with more behind it, m=, e= and fields out of order.
            if not tried(client.set_server_first, text):
                raise ParseError("the server's first message is not as it has to be", 0, _RULE)
            if int(client.iterations) > self._max_iterations:
                raise ParseError(f"the server asks for more than {self._max_iterations} iterations", 0, _RULE)
            final: str = client.get_client_final()
            return final.encode()
        if not tried(client.set_server_final, text):
            raise ParseError("the server has not proved that it knows the password", 0, _RULE)
        self.proven = True
        return b""

    def _first(self, challenge: bytes | None) -> bytes:
        if challenge:
            raise ParseError("SCRAM begins with the client's message", 0, _RULE)
        if self.name != self._base and self._binding is None:
            raise ParseError("no channel to bind to", 0, "RFC 5802 s6")
        client = self._prepare()
        if client is None:
            raise ParseError("not a name and a password", 0, "RFC 4013 s2.3")
        client.gs2_header = Gs2Header(f"{self._flag},{f'a={self._authzid}' if self._authzid else ''},", self._binding)
        first: str = client.get_client_first()
        return first.encode()


@final
class ScramServer:
    """The server's half; the handler's ``scram_keys`` has the keys of a user.

    A user that it does not know is asked for a proof like any other (RFC 5802 s9), with a salt made from ``seed``: give
    the same seed to all processes of a server, and the ``iterations`` that its users have.
    """

    needs: tuple[str, ...] = ("scram_keys",)

    def __init__(
        self, mechanism: str = "SCRAM-SHA-256", *, seed: bytes | None = None, iterations: int = ITERATIONS
    ) -> None:
        self.name: str = _check_name(mechanism)
        self._base = mechanism.removesuffix("-PLUS")
        self.binds: bool = mechanism != self._base
        self._seed = None if seed is None else Secret(seed)
        self._iterations = iterations
        self._bindings: dict[str, Secret] = {}
        self._offered: Sequence[str] = ()
        self._header = Gs2Header("n,,", None)
        self._bare = ""
        self._authcid = self._authzid = ""
        self._known = False
        self._server: Kept | None = None
        self._proven = False

    def bind(self, channel: Channel | None, offered: Sequence[str]) -> None:
        """Learn what a client may bind to, and what it has been offered."""
        self._bindings = bindings_of(channel, server=True)
        self._offered = offered

    def step(self, response: bytes | None) -> bytes | Credentials | Question | Unproven:
        """The next message, the question for the keys of a user, or the end."""
        if self._proven:
            if response:
                raise ParseError("the last response is empty", 0, _RULE)
            return Credentials(self.name, self._authcid, b"", self._authzid, proven=True)
        if self._server is not None:
            return self._final(self._server.it, response or b"")
        return b"" if response is None else self._first(response)

    def _first(self, response: bytes) -> Question | Unproven:
        found = HEADER.fullmatch(response)
        bare = found and decode_utf8(found[4])
        if not found or not bare:
            raise ParseError("expected a GS2 header, a name and a nonce", 0, _RULE)
        flag = found[1].decode()
        self._authzid = decode_saslname(found[3] or b"", _RULE)
        data = self._bindings.get(flag[2:])
        # RFC 5802 s6: "p" goes with -PLUS alone, and -PLUS with nothing else
        if (flag[:1] == "p") is not self.binds or (self.binds and data is None):
            return Unproven("no binding to this channel")
        if flag == "y" and f"{self._base}-PLUS" in self._offered:
            return Unproven("the client believes that channel binding is not offered")
        header = f"{flag},{f'a={found[3].decode()}' if found[3] else ''},"
        self._header, self._bare = Gs2Header(header, data), bare
        # scramp calls for the keys, which may have to be waited for: the first time only the name is taken.
        names: list[str] = []
        tried(self._make_server(names.append).set_client_first, f"n,,{bare}")
        if not names:
            raise ParseError("expected a name and a nonce", 0, _RULE)
        self._authcid = decode_name(names[0].encode(), _RULE)
        return Question("scram_keys", self._authcid, self._base)

    def _make_server(self, keys_of: Any) -> Any:
        return scramp().ScramMechanism(self._base).make_server(keys_of)

    def answer(self, given: Any) -> bytes:
        """The server's first message, by the keys of the user, or None where there is no such user."""
        if given is not None and not isinstance(given, ScramKeys):
            raise TypeError(f"scram_keys answers with ScramKeys or None, not {type(given).__name__}")
        self._known = given is not None
        keys = self._invent() if given is None else given
        if len(keys.stored_key) != DIGEST_SIZES[self._base]:
            raise ValueError(f"these keys are not for {self._base}")
        stored = keys.salt, keys.stored_key.reveal(), keys.server_key.reveal(), keys.iterations

        def keys_of(name: str) -> Any:
            return stored

        server = self._make_server(keys_of)
        server.set_client_first(f"n,,{self._bare}")
        self._server = Kept(server)
        server.gs2_header = self._header
        first: str = server.get_server_first()
        return first.encode()

    def _invent(self) -> ScramKeys:
        """Keys that nobody has, the same for a name at every try."""
        from hmac import digest  # noqa: PLC0415 - few need it

        seed = _seed() if self._seed is None else self._seed.reveal()
        size = DIGEST_SIZES[self._base]
        made = [digest(seed, f"{what}:{self._base}:{self._authcid}".encode(), "sha256") for what in ("salt", "key")]
        return ScramKeys(made[0][:SALT], self._iterations, made[1][:size], made[1][:size])

    def _final(self, server: Any, response: bytes) -> bytes | Unproven:
        text = decode_utf8(response)
        # Refuses another nonce than the one given out, another header or binding than c= says, and a wrong proof.
        if text is None or not tried(server.set_client_final, text) or not self._known:
            return Unproven("the proof is wrong")
        self._proven = True
        final: str = server.get_server_final()
        return final.encode()


_SEEDS: Final[list[bytes]] = []


def _seed() -> bytes:
    """The seed of this process."""
    if not _SEEDS:
        from secrets import token_bytes  # noqa: PLC0415 - few need it

        _SEEDS.append(token_bytes(32))
    return _SEEDS[0]
