"""ScramKeys: what a server keeps in place of a password (RFC 5802 s3), and the door to the package ``scramp``."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final, final

from ..errors import ParseError
from ..wire.secret import Secret
from ..wire.value import Value, assign

__all__ = ["DIGEST_SIZES", "ITERATIONS", "ITERATIONS_LIMIT", "ScramKeys", "scramp", "scramp_is_there"]

#: RFC 7677 s4: the least number of iterations; most servers have just this.
ITERATIONS: Final = 4096
#: What OWASP wants of PBKDF2; some tenths of a second for whoever has to compute it.
ITERATIONS_LIMIT: Final = 600_000
#: Octets of a salt of ours.
SALT: Final = 16
#: Octets of a salt that scramp takes at least.
_SALT: Final = 12
#: Octets of a key, by mechanism.
DIGEST_SIZES: Final = {"SCRAM-SHA-1": 20, "SCRAM-SHA-256": 32}


def scramp() -> Any:
    """The package that does the cryptography of SCRAM, which is an extra. Raises ModuleNotFoundError."""
    if not scramp_is_there():
        raise ModuleNotFoundError("SCRAM needs the package scramp: install smtpcore[scram]", name="scramp")
    return import_module("scramp.core")


def scramp_is_there() -> bool:
    """Whether SCRAM can be used; it takes the package ``scramp``, the extra ``scram``. Imports nothing of it."""
    from importlib.util import find_spec  # noqa: PLC0415 - few need it

    return find_spec("scramp") is not None


@final
class Kept:
    """An object of scramp's, which has secrets in its attributes: it does not show, and cannot be pickled or copied."""

    __slots__ = ("it",)

    def __init__(self, it: Any) -> None:
        self.it = it

    def __repr__(self) -> str:
        return "[secret]"

    def __reduce__(self) -> Any:
        raise TypeError("an exchange is not pickled")


def tried(work: Any, *args: Any) -> list[Any]:
    """What scramp makes of it, alone in a list; an empty one where it refuses.

    Its errors hold what they failed on in their frames, and whatever is raised while one is handled holds that error.
    """
    error: type[Exception] = scramp().ScramException
    try:
        return [work(*args)]
    except error:
        return []


@final
class ScramKeys(Value):
    """What a server keeps of a user: neither the password nor anything that could be used in place of it.

    Who steals them can guess at the password, and can play the server to this user. Raises ValueError for keys that
    belong to no mechanism, a salt below 12 octets, or iterations beyond 4,096 to 600,000.
    """

    __slots__ = ("iterations", "salt", "server_key", "stored_key")
    __match_args__ = ("salt", "iterations", "stored_key", "server_key")

    salt: bytes
    iterations: int
    stored_key: Secret
    server_key: Secret

    def __init__(self, salt: bytes, iterations: int, stored_key: Secret | bytes, server_key: Secret | bytes) -> None:
        stored, server = (each if isinstance(each, Secret) else Secret(each) for each in (stored_key, server_key))
        if len(salt) < _SALT:
            raise ValueError(f"a salt has at least {_SALT} octets")
        if not ITERATIONS <= iterations <= ITERATIONS_LIMIT:
            raise ValueError(f"iterations go from {ITERATIONS} to {ITERATIONS_LIMIT}")
        if len(stored) != len(server) or len(stored) not in DIGEST_SIZES.values():
            raise ValueError("keys have 20 octets (SCRAM-SHA-1) or 32 (SCRAM-SHA-256)")
        assign(self, "salt", bytes(salt))
        assign(self, "iterations", iterations)
        assign(self, "stored_key", stored)
        assign(self, "server_key", server)

    @classmethod
    def derive(
        cls, password: str, mechanism: str = "SCRAM-SHA-256", *, iterations: int = ITERATIONS, salt: bytes | None = None
    ) -> ScramKeys:
        """The keys of a password, for one of the two hashes; a random salt unless given.

        Needs the extra ``scram``. Raises ParseError for a password that SASLprep (RFC 4013) does not allow, and
        ValueError as the class does.
        """
        name = mechanism.removesuffix("-PLUS")
        if name not in DIGEST_SIZES:
            raise ValueError(f"SCRAM-SHA-1 or SCRAM-SHA-256, not {mechanism}")
        if not ITERATIONS <= iterations <= ITERATIONS_LIMIT:
            raise ValueError(f"iterations go from {ITERATIONS} to {ITERATIONS_LIMIT}")
        if salt is not None and len(salt) < _SALT:
            raise ValueError(f"a salt has at least {_SALT} octets")
        if salt is None:
            from secrets import token_bytes  # noqa: PLC0415 - few need it

            salt = token_bytes(SALT)
        made = tried(scramp().ScramMechanism(name).make_auth_info, password, iterations, salt) if password else []
        if not made:
            raise ParseError("not a password", 0, "RFC 4013 s2.3")
        _, stored_key, server_key, count = made[0]
        return cls(salt, count, stored_key, server_key)
