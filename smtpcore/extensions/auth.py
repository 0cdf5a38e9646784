"""AUTH (RFC 4954): SASL over SMTP. The mechanisms themselves live in :mod:`smtpcore.sasl`."""

from __future__ import annotations

import re
from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Sequence
from typing import ClassVar, Final, final

from ..errors import ParseError
from ..table import State
from ..wire.command import Command, Mail
from ..wire.parameter import ParameterType
from ..wire.reply import Reply
from ..wire.secret import Secret
from ..wire.tolerance import Tolerance
from ..wire.value import assign
from ..wire.vocabulary import Vocabulary
from .extension import Extension, SessionView
from .submitter import SUBMITTER

__all__ = [
    "AUTH",
    "AUTH_LINE_LIMIT",
    "Auth",
    "AuthResponse",
    "decode_base64",
    "encode_base64",
    "offered_mechanisms",
]

#: RFC 4954 s4: octets of a line of the exchange, with its CRLF.
AUTH_LINE_LIMIT: Final = 12_288

# RFC 4422 s3.1
#   sasl-mech = 1*20mech-char ; mech-char = UPPER-ALPHA / DIGIT / HYPHEN / UNDERSCORE
_MECHANISM: Final = re.compile(r"[A-Za-z0-9_\-]{1,20}")


def encode_base64(octets: bytes) -> str:
    """Base64 on one line (RFC 4648 s4)."""
    return b2a_base64(octets, newline=False).decode()


def decode_base64(text: str) -> bytes:
    """The octets of a canonical base64 text. Raises ParseError for any other, without showing it."""
    try:
        octets = a2b_base64(text.encode())
    except (Error, UnicodeEncodeError):
        raise ParseError("not base64", 0, "RFC 4648 s4") from None
    # The standard library lets wrong padding and stray bits pass, in its strict mode too.
    if encode_base64(octets) != text:
        raise ParseError("not canonical base64", 0, "RFC 4648 s3.5")
    return octets


@final
class Auth(Command):
    """AUTH: begins an exchange (RFC 4954 s4).

    ``initial_response`` is None when there is none, which is not the empty one.
    """

    __slots__ = ("initial_response", "mechanism")
    __match_args__ = ("mechanism", "initial_response")
    verb: ClassVar[str] = "AUTH"
    confidential: ClassVar[bool] = True

    mechanism: str  #: In upper case.
    initial_response: Secret | None

    def __init__(self, mechanism: str, initial_response: Secret | bytes | None = None) -> None:
        super().__init__()
        initial_response = _secret(initial_response)  # first, so that no traceback shows the octets
        name = _MECHANISM.fullmatch(mechanism)
        if not name:
            raise ParseError("not a SASL mechanism name", 0, "RFC 4422 s3.1", mechanism)
        if initial_response is not None:
            _check_length(initial_response, f"AUTH {name[0]} \r\n")
        assign(self, "mechanism", name[0].upper())
        assign(self, "initial_response", initial_response)

    @property
    def secret(self) -> Secret | None:
        """What must not show."""
        return self.initial_response

    @property
    def gives_up(self) -> bool:
        """Whether this ends the exchange: it begins it."""
        return False

    def arguments(self) -> str:
        """The mechanism and the initial response; ``=`` is the empty one (RFC 4954 s4)."""
        if self.initial_response is None:
            return f" {self.mechanism}"
        return f" {self.mechanism} {encode_base64(self.initial_response.reveal()) or '='}"

    @classmethod
    def parse_arguments(cls, text: str | None, vocabulary: Vocabulary, tolerance: Tolerance) -> Auth:
        """``mechanism [SP initial-response]``."""
        mechanism, space, response = (text or "").partition(" ")
        if not _MECHANISM.fullmatch(mechanism):
            raise ParseError("expected a SASL mechanism name", 0, "RFC 4954 s4")
        if not space:
            return cls(mechanism)
        return cls(mechanism, b"" if response == "=" else decode_base64(response))


@final
class AuthResponse(Command):
    """One line of the client within an exchange: a response, or None for ``*``, which gives up (RFC 4954 s4)."""

    __slots__ = ("response",)
    __match_args__ = ("response",)
    verb: ClassVar[str] = "(response)"
    confidential: ClassVar[bool] = True

    response: Secret | None

    def __init__(self, response: Secret | bytes | None) -> None:
        super().__init__()
        response = _secret(response)  # first, so that no traceback shows the octets
        if response is not None:
            _check_length(response, "\r\n")
        assign(self, "response", response)

    @property
    def secret(self) -> Secret | None:
        """What must not show."""
        return self.response

    @property
    def gives_up(self) -> bool:
        """Whether this ends the exchange with ``*``."""
        return self.response is None

    def encode(self) -> bytes:
        """The response in base64, or ``*``, with CRLF."""
        text = "*" if self.response is None else encode_base64(self.response.reveal())
        return f"{text}\r\n".encode()

    @classmethod
    def parse_line(cls, line: bytes) -> AuthResponse:
        """Read a line of the exchange. Raises ParseError when it is not base64."""
        return cls(None if line == b"*" else decode_base64(line.decode("utf-8", "surrogateescape")))


def _check_length(secret: Secret, rest: str) -> None:
    if (len(secret) + 2) // 3 * 4 + len(rest) > AUTH_LINE_LIMIT:
        raise ParseError(f"longer than a line of {AUTH_LINE_LIMIT} octets", 0, "RFC 4954 s4")


def _secret(octets: Secret | bytes | None) -> Secret | None:
    if octets is None or isinstance(octets, Secret):
        return octets
    return Secret(bytes(memoryview(octets)))  # not bytes(octets): a number or a text is a mistake of the caller


def offered_mechanisms(session: SessionView) -> tuple[str, ...]:
    """The mechanisms that may be used in this session: those that speak of TLS only where there is TLS."""
    offered = session.capabilities.get(AUTH) or ()
    return tuple([name for name in offered if session.tls or not (name == "EXTERNAL" or name.endswith("-PLUS"))])


def _check_auth(session: SessionView, command: Auth) -> Reply | None:
    """Refused: a second one, one without TLS unless allowed, and a mechanism that is not offered (RFC 4954 s4)."""
    if session.authenticated:
        return Reply(503, "authenticated already", "5.5.1")  # RFC 4954 s4
    if not session.tls and not session.allow_plaintext_auth:
        return Reply(538, "encryption required for authentication", "5.7.11")  # RFC 4954 s6
    if command.mechanism not in offered_mechanisms(session):
        return Reply(504, "authentication mechanism not supported", "5.5.4")  # RFC 4954 s4
    return None


def _check_mail(session: SessionView, command: Mail) -> Reply | None:
    """Refused before AUTH where the server requires it (RFC 4954 s6)."""
    if session.require_auth and not session.authenticated:
        return Reply(530, "authentication required", "5.7.0")  # RFC 4954 s6
    return None


def _decode_mechanisms(text: str) -> Sequence[str]:
    return tuple([name.upper() for name in text.split(" ") if _MECHANISM.fullmatch(name)])


def _encode_mechanisms(names: Sequence[str]) -> str:
    for name in names:
        if not _MECHANISM.fullmatch(name):
            raise ParseError("not a SASL mechanism name", 0, "RFC 4422 s3.1", name)
    return " ".join(names)


#: Announced with the mechanisms: ``AUTH.offer(("PLAIN", "LOGIN"))``.
AUTH: Final[Extension[Sequence[str]]] = Extension(
    "AUTH",
    "RFC 4954",
    argument=ParameterType("AUTH", _decode_mechanisms, _encode_mechanisms),
    verbs=[Auth],
    mail_parameters=[SUBMITTER],
    transitions={
        State.READY: {Auth: {2: State.READY, 3: State.AUTHENTICATING}},
        State.AUTHENTICATING: {
            AuthResponse: {2: State.READY, 3: State.AUTHENTICATING, 4: State.READY, 5: State.READY},
        },
    },
    checks={Auth: _check_auth, Mail: _check_mail},
    # RFC 4954 s3, s4: not before TLS where plaintext is not allowed, and once only
    announced=lambda session: (session.tls or session.allow_plaintext_auth) and not session.authenticated,
)
