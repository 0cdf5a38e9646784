"""What a caller can choose when it connects or serves, in one place for all adapters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypedDict

from ..extensions import (
    AUTH,
    CHUNKING,
    EIGHTBITMIME,
    ENHANCEDSTATUSCODES,
    PIPELINING,
    SIZE,
    SMTPUTF8,
    STANDARD,
    STARTTLS,
    Atrn,
    ExtensionSet,
)
from ..extensions.limits import NO_LIMITS
from ..sasl import SERVER_MECHANISMS, ClientMechanism, ScramServer, ServerMechanism, with_password
from ..sasl.scram_keys import scramp
from ..session.client import ClientConnection
from ..session.limits import ClientLimits, ServerLimits
from ..session.server import ServerConnection
from ..session.settings import ServerSettings
from ..wire.address import Mailbox
from ..wire.capabilities import Capabilities, Offered
from ..wire.newlines import BareNewlines
from ..wire.parameter import Parameter
from ..wire.reply import Reply
from ..wire.tolerance import INTEROP, Strictness
from .chain import Letter, submit_all
from .client import TlsMode, open_session
from .content import Content, octets_of
from .control import MINIMUM_RATE, Control
from .effect import Flow
from .handler import Served
from .limited import submit_within_limits
from .needs import EightBit
from .outcome import Outcome
from .recipient import Recipient
from .server import serve_connection
from .submission import submission_methods
from .submit import submit
from .turned import turn

__all__ = [
    "ClientOptions",
    "SendOptions",
    "ServerOptions",
    "addresses",
    "begin_client",
    "client_name",
    "open_client",
    "prepare_server",
    "send",
    "send_all",
    "turn_round",
    "without_password",
]


class ClientOptions(TypedDict, total=False):
    """What ``connect`` takes besides the address and the TLS mode."""

    hostname: str  #: What the client calls itself; its own address as a literal unless given.
    #: Name and password, or mechanisms in the order of preference, as ``with_token`` makes them for OAuth.
    auth: tuple[str, str] | Sequence[ClientMechanism]
    allow_plaintext_auth: bool  #: AUTH without TLS; off.
    bare_newlines: BareNewlines  #: REJECT, or NORMALIZE to send a text with any line ends.
    lmtp: bool  #: Speak LMTP: a verdict for each recipient (RFC 2033); off.
    limits: ClientLimits
    extensions: ExtensionSet


class SendOptions(TypedDict, total=False):
    """What ``send`` takes besides the message."""

    mail_parameters: Sequence[Parameter[Any]]  #: Put on MAIL.
    rcpt_parameters: Sequence[Parameter[Any]]  #: Put on every RCPT that has none of that keyword itself.
    chunking: bool  #: Send the content by BDAT where the server offers CHUNKING; off.
    #: What to do with octets beyond ASCII at a server without 8BITMIME: ``"refuse"`` unless given, ``"downgrade"`` (all
    #: of it is held in memory then) or ``"send"``.
    eight_bit: EightBit
    is_ascii: bool  #: What is known of a content in pieces; that of octets at hand is looked at.


class ServerOptions(TypedDict, total=False):
    """What ``serve`` takes besides the handler, the address and the TLS mode."""

    hostname: str  #: What the server calls itself; ``localhost`` unless given.
    size: int  #: Octets of the largest message; 35,882,577 unless given.
    capabilities: Sequence[Offered | Parameter[object]]  #: What it offers beyond the usual.
    strictness: Strictness
    bare_newlines: BareNewlines
    lmtp: bool  #: Speak LMTP: a handler may answer a message for each recipient (RFC 2033); off.
    limits: ServerLimits
    extensions: ExtensionSet
    require_auth: bool
    #: Serve users who hand in messages of their own, on ports 587 and 465 (RFC 6409, RFC 8314): nobody sends without
    #: AUTH, or has AUTH without TLS, domains have to be whole, and the handler's ``sender`` is asked; off.
    submission: bool
    allow_plaintext_auth: bool  #: Offer AUTH without TLS; off.
    #: How each SASL mechanism begins; those that the handler has no method for are not offered.
    mechanisms: Mapping[str, Callable[[], ServerMechanism]]
    certificate: bytes  #: The server's own, in DER or PEM, for channel binding: an ``ssl_context`` does not tell it.
    timeout: float  #: Seconds for each step of the client, in place of RFC 5321 s4.5.3.2.
    minimum_rate: float  #: Octets per second that a content has to keep up with.


#: What Gmail and others of its size announce.
DEFAULT_SIZE: Final = 35_882_577


def begin_client(options: ClientOptions) -> ClientConnection:
    """The machine for one connection."""
    return ClientConnection(
        bare_newlines=options.get("bare_newlines", BareNewlines.REJECT),
        limits=options.get("limits"),
        extensions=options.get("extensions", STANDARD),
        allow_plaintext_auth=options.get("allow_plaintext_auth", False),
        lmtp=options.get("lmtp", False),
    )


def without_password(options: ClientOptions) -> ClientOptions:
    """The same options with mechanisms in place of a name and a password, which would show where they are kept.

    Raises ParseError for a name or a password that cannot be sent.
    """
    auth = options.get("auth")
    if auth and isinstance(auth[0], str):
        return {**options, "auth": with_password(auth[0], auth[1])}  # type: ignore[arg-type]  # told apart by the first
    return options


def open_client(machine: ClientConnection, tls: TlsMode, local_address: str, options: ClientOptions) -> Flow[None]:
    """Everything before the first message; ``local_address`` is the client's IP address."""
    mechanisms: Any = without_password(options).get("auth") or ()
    if tls == "implicit":
        machine.tls = True
    return open_session(machine, client_name(options, local_address), tls, mechanisms)


def client_name(options: ClientOptions, local_address: str) -> str:
    """What a client calls itself."""
    return options.get("hostname") or literal(local_address)


def literal(address: str) -> str:
    """An IP address as an address literal (RFC 5321 s4.1.3)."""
    address = address.partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def addresses(recipients: Iterable[str | Recipient]) -> list[Recipient]:
    """Recipients given in the caller's own terms. Raises ParseError for an address that is none."""
    if isinstance(recipients, str):
        raise TypeError("recipients must be several: a list of addresses")
    return [Mailbox.parse(each) if isinstance(each, str) else each for each in recipients]


def send(
    machine: ClientConnection,
    sender: str | Mailbox | None,
    recipients: Iterable[str | Recipient],
    content: Content,
    options: SendOptions,
) -> Flow[Outcome]:
    """Submit a message given in the caller's own terms. Raises ParseError for an address that is none."""
    mailbox = Mailbox.parse(sender) if isinstance(sender, str) else sender
    mailboxes = addresses(recipients)
    unlimited = machine.usage.limits is NO_LIMITS
    if unlimited and not options:
        return submit(machine, mailbox, mailboxes, octets_of(content))
    on_mail, on_rcpt = options.get("mail_parameters", ()), options.get("rcpt_parameters", ())
    chunking, eight_bit = options.get("chunking", False), options.get("eight_bit", "refuse")
    is_ascii = options.get("is_ascii")
    if unlimited:
        source = octets_of(content, is_ascii)
        return submit(machine, mailbox, mailboxes, source, on_mail, on_rcpt, chunking=chunking, eight_bit=eight_bit)
    return submit_within_limits(
        machine,
        mailbox,
        mailboxes,
        content,
        on_mail,
        on_rcpt,
        chunking=chunking,
        eight_bit=eight_bit,
        is_ascii=is_ascii,
    )


def send_all(
    machine: ClientConnection,
    messages: Iterable[tuple[str | Mailbox | None, Iterable[str | Recipient], Content]],
    options: SendOptions,
) -> Flow[list[Outcome]]:
    """Submit messages, each given as sender, recipients and content. Raises ParseError for an address that is none."""
    letters = [
        Letter(
            Mailbox.parse(sender) if isinstance(sender, str) else sender,
            addresses(recipients),
            content,
            options.get("is_ascii"),
        )
        for sender, recipients, content in messages
    ]
    on_mail, on_rcpt = options.get("mail_parameters", ()), options.get("rcpt_parameters", ())
    chunking, eight_bit = options.get("chunking", False), options.get("eight_bit", "refuse")
    return submit_all(machine, letters, on_mail, on_rcpt, chunking=chunking, eight_bit=eight_bit)


def turn_round(
    machine: ClientConnection, command: Atrn, handler: object, peer: tuple[str, int] | None, options: ServerOptions
) -> Flow[Reply]:
    """ATRN, and where it is taken a server that asks ``handler``; an exception of the handler is raised at the end."""
    errors: list[BaseException] = []
    settings, control = prepare_server(handler, "none", errors.append, options)

    def serve(server: ServerConnection) -> Flow[None]:
        return serve_connection(server, handler, Served(server, peer), control)

    reply = yield from turn(machine, command, settings, serve)
    if errors:
        raise errors[0]
    return reply


def prepare_server(
    handler: object, tls: TlsMode, report: Callable[[BaseException], None], options: ServerOptions
) -> tuple[ServerSettings, Control]:
    """The settings that all connections of a server share, and its control.

    Raises ModuleNotFoundError when the handler has ``scram_keys`` and the extra ``scram`` is not installed; ValueError
    for a submission server that nobody could use, or that would hear passwords in the clear.
    """
    mechanisms = _served_mechanisms(handler, options)
    submission = options.get("submission", False)
    if submission:
        _check_submission(mechanisms, tls, options)
    size = options.get("size", DEFAULT_SIZE)
    offered: list[Any] = [PIPELINING, SIZE(size), EIGHTBITMIME, SMTPUTF8, ENHANCEDSTATUSCODES, CHUNKING]
    if tls in {"required", "opportunistic"}:
        offered.append(STARTTLS)
    if mechanisms:
        offered.append(AUTH.offer(tuple(mechanisms)))
    offered += options.get("capabilities", ())
    settings = ServerSettings(
        options.get("hostname", "localhost"),
        Capabilities(*offered),
        strictness=options.get("strictness", INTEROP),
        bare_newlines=options.get("bare_newlines", BareNewlines.REJECT),
        limits=options.get("limits"),
        extensions=options.get("extensions", STANDARD),
        require_tls=tls == "required",
        require_auth=submission or options.get("require_auth", False),
        allow_plaintext_auth=options.get("allow_plaintext_auth", False),
        lmtp=options.get("lmtp", False),
    )
    control = Control(
        report,
        mechanisms,
        options.get("timeout"),
        options.get("minimum_rate", MINIMUM_RATE),
        submission_methods if submission else None,
    )
    return settings, control


def _served_mechanisms(handler: object, options: ServerOptions) -> Mapping[str, Callable[[], ServerMechanism]]:
    """Those that have what they need of the handler and, where they bind to TLS, of the server's certificate."""
    served: dict[str, Callable[[], ServerMechanism]] = {}
    for name, begin in options.get("mechanisms", SERVER_MECHANISMS).items():
        mechanism = begin()
        needs: Sequence[str] = getattr(mechanism, "needs", ("authenticate",))
        binds = getattr(mechanism, "binds", False)
        if all(hasattr(handler, method) for method in needs) and ("certificate" in options or not binds):
            if isinstance(mechanism, ScramServer):
                scramp()  # raises now where it is not installed, and not when the first client comes
            served[name] = begin
    return served


def _check_submission(mechanisms: Mapping[str, Any], tls: TlsMode, options: ServerOptions) -> None:
    # RFC 8314 s3.3: AUTH goes with TLS
    if tls == "none" or options.get("allow_plaintext_auth"):
        raise ValueError('submission needs TLS (RFC 8314 s3.3): tls="implicit" on port 465, "required" on port 587')
    # RFC 6409 s4.3: "The MSA MUST by default issue an error response to the MAIL command if the session has not been
    # authenticated"
    if not mechanisms:
        raise ValueError("submission needs a handler with authenticate, or nobody could send (RFC 6409 s4.3)")
    if options.get("lmtp"):
        raise ValueError("nobody submits by LMTP (RFC 2033 s5)")
