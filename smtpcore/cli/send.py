"""``smtpcore send``: a user agent that hands one message to a server and says what became of each recipient."""

from __future__ import annotations

import argparse
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

from ..adapters.blocking import Client
from ..adapters.unix import unix_path
from ..compose import Letter
from ..errors import LocalProtocolError, ParseError, ProtocolError
from ..extensions import BODY, DSN, ENVID, NOTIFY, RET, SIZE, SMTPUTF8, Body, Notify
from ..flows.client import TlsMode
from ..flows.error import Disconnected, FlowError, NoMechanism, TlsNotOffered
from ..flows.options import ClientOptions
from ..flows.outcome import Outcome, RecipientOutcome, Status
from ..sasl import STRENGTH, ClientMechanism, with_password, with_token
from ..wire.address import Mailbox
from ..wire.newlines import BareNewlines
from ..wire.parameter import Parameter, ParameterType
from .arguments import TLS_MODES, Subparsers, endpoint, mailbox, password_in, read_file, show_endpoint
from .failure import CONNECTION, FAILED, Failure
from .letter import StoredMessage, new_letter
from .terminal import columns, counted, say

__all__ = ["add", "run"]

T = TypeVar("T")
Message: TypeAlias = Letter | StoredMessage

_STYLES: Final = {
    Status.ACCEPTED: "green",
    Status.REFUSED_FOR_NOW: "yellow",
    Status.REFUSED: "red",
    Status.NOT_SENT: "red",
    Status.UNKNOWN: "yellow",
}
_EPILOG: Final = """\
Exit status: 0 every recipient was accepted, 1 some were not, 2 usage, 3 no session with the server.

  smtpcore send --server 127.0.0.1:2525 --from alice@crepes.fr --to bob@hamburger.edu \\
      --subject 'Picture for you' --body @letter.txt --attach picture.jpg
"""


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "send",
        help="a user agent: writes a message and sends it",
        description="Write a message, hand it to a server, and say what became of each recipient.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--server", metavar="HOST:PORT", type=endpoint, required=True, help="whom to hand it to")
    parser.add_argument(
        "--from", dest="sender", metavar="ADDRESS", type=_sender, required=True, help="<> for none, with --message"
    )
    parser.add_argument("--to", metavar="ADDRESS", type=mailbox, action="append", required=True, help="may be repeated")
    parser.add_argument("--subject", metavar="TEXT")
    parser.add_argument("--body", metavar="TEXT|@FILE", help="the text, or the file that it is in")
    parser.add_argument("--attach", metavar="FILE", type=Path, action="append", default=[], help="may be repeated")
    parser.add_argument("--message", metavar="FILE", type=Path, help="send this message as it is, instead of a new one")
    parser.add_argument(
        "--tls",
        choices=TLS_MODES,
        help="TLS by STARTTLS where offered (opportunistic, the default), by STARTTLS or not at all (required, the "
        "default with --user), from the first octet (implicit), or none",
    )
    parser.add_argument(
        "--ca", metavar="FILE", type=Path, help="PEM: the authority to trust; the system's unless given"
    )
    parser.add_argument("--lmtp", action="store_true", help="speak LMTP; each recipient has a verdict of its own")
    parser.add_argument(
        "--chunking", action="store_true", help="send the content by BDAT where the server offers CHUNKING"
    )
    parser.add_argument(
        "--notify",
        metavar="WHEN",
        type=_parameter(NOTIFY, Notify.parse),
        help="have reports of delivery: never, or some of success,failure,delay",
    )
    parser.add_argument(
        "--ret",
        metavar="WHAT",
        type=_parameter(RET, RET.decode),
        help="what a report of failure returns of the message: full or hdrs",
    )
    parser.add_argument(
        "--envid", metavar="TEXT", type=_parameter(ENVID, str), help="a name for this message in reports of delivery"
    )
    parser.add_argument("--user", metavar="NAME", help="log in as this user")
    parser.add_argument("--password-file", metavar="FILE", type=Path, help="the password is on its first line")
    parser.add_argument("--token-file", metavar="FILE", type=Path, help="an OAuth token is on its first line")
    parser.add_argument(
        "--auth-mechanism",
        metavar="NAME",
        choices=[name for name in STRENGTH if name != "EXTERNAL"],
        action="append",
        help="log in by this one only; may be repeated; the strongest that the server offers unless given",
    )
    parser.add_argument(
        "--allow-plaintext-auth", action="store_true", help="log in without TLS too: password in the clear"
    )
    parser.add_argument("--hostname", metavar="NAME", help="what to call this machine (its address)")
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=_seconds, help="for each step, in place of the RFC's minutes"
    )
    parser.set_defaults(run=run)


def _sender(text: str) -> Mailbox | None:
    return None if text == "<>" else mailbox(text)


def _parameter(kind: ParameterType[T], read: Callable[[str], T]) -> Callable[[str], Parameter[T]]:
    def parameter(text: str) -> Parameter[T]:
        try:
            return kind(read(text))
        except ParseError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return parameter


def _seconds(text: str) -> float:
    seconds = float(text)  # argparse turns the ValueError into a usage error
    if not 0 < seconds < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return seconds


def run(arguments: argparse.Namespace) -> int:
    """Send the message."""
    message = _message(arguments)
    server = show_endpoint(*arguments.server)
    try:
        client = _client(arguments)
        client.__enter__()
    except ParseError as error:
        raise Failure(f"{error}; check --hostname, --user and the password") from None
    except (OSError, FlowError, ProtocolError, UnicodeError) as error:
        raise Failure(f"no session with {server}: {_explain(error)}", CONNECTION) from None
    try:
        outcome = _send(client, arguments, message)
        _show(outcome)  # before QUIT, which a server may be slow to answer
    except ProtocolError as error:
        raise Failure(f"the message cannot be sent: {error}", FAILED) from None
    finally:
        client.__exit__(None, None, None)
    if outcome.error is not None:
        say(f"smtpcore send: the session with {server} broke: {outcome.error}")
    return 0 if outcome.all_accepted else FAILED


# --- what is sent --------------------------------------------------------------------------------


def _message(arguments: argparse.Namespace) -> Message:
    if arguments.message is not None:
        if arguments.subject is not None or arguments.body is not None or arguments.attach:
            raise Failure("--message is a whole message; leave out --subject, --body and --attach")
        return StoredMessage(arguments.message)
    if arguments.sender is None:
        raise Failure("a new message needs an author; give an address with --from, or a whole message with --message")
    body = arguments.body or ""
    if body.startswith("@"):
        path = Path(body[1:])
        try:
            body = read_file(path).decode()
        except UnicodeDecodeError:
            raise Failure(f"{path} is not UTF-8 text; send it with --attach") from None
    return new_letter(arguments.sender, arguments.to, arguments.subject, body, arguments.attach)


def _send(client: Client, arguments: argparse.Namespace, message: Message) -> Outcome:
    addresses: list[Mailbox] = [*arguments.to, *([arguments.sender] if arguments.sender else [])]
    beyond_ascii = [address for address in addresses if not address.is_ascii]
    if isinstance(message, Letter) and beyond_ascii and SMTPUTF8 not in client.capabilities:
        # RFC 6531 s3.2: neither these addresses nor a header with them may go to such a server
        why = f"the server does not offer SMTPUTF8, which {beyond_ascii[0]} needs"
        return Outcome(tuple([RecipientOutcome(to, Status.NOT_SENT, why=why) for to in arguments.to]))
    octets = message.content if isinstance(message, Letter) else message
    parameters = _parameters(client, octets.size, isinstance(message, Letter) and message.is_ascii)
    for option in ("notify", "ret", "envid"):
        if getattr(arguments, option) is not None and DSN not in client.capabilities:
            raise Failure(f"the server does not offer DSN, which --{option} needs; leave it out", FAILED)
    parameters += [each for each in (arguments.ret, arguments.envid) if each is not None]
    return client.send(
        arguments.sender,
        arguments.to,
        counted(octets, octets.size),
        mail_parameters=parameters,
        rcpt_parameters=[arguments.notify] if arguments.notify is not None else [],
        chunking=arguments.chunking,
    )


def _parameters(client: Client, size: int, seven_bit: bool) -> list[Parameter[Any]]:
    """What is known of the message before it is read."""
    parameters: list[Parameter[Any]] = []
    if SIZE in client.capabilities:
        parameters.append(SIZE(size))
    if seven_bit and "8BITMIME" in client.capabilities:
        parameters.append(BODY(Body.SEVENBIT))
    return parameters


# --- by whom -------------------------------------------------------------------------------------


def _client(arguments: argparse.Namespace) -> Client:
    if (arguments.user is None) != (arguments.password_file is None and arguments.token_file is None):
        raise Failure("--user goes with --password-file or --token-file: the secret is on the first line of the file")
    options: ClientOptions = {
        "allow_plaintext_auth": arguments.allow_plaintext_auth,
        "lmtp": arguments.lmtp,
        "bare_newlines": BareNewlines.NORMALIZE,  # a file has the line ends of its system
    }
    if arguments.hostname is not None:
        options["hostname"] = arguments.hostname
    tls: TlsMode = arguments.tls or "opportunistic"
    if arguments.user is not None:
        options["auth"] = _mechanisms(arguments)
        # Opportunistic TLS believes any certificate, and a password is not for just anybody.
        if arguments.tls is None and not arguments.allow_plaintext_auth:
            tls = "required"
    host, port = arguments.server
    return Client(host, port, tls=tls, ssl_context=_context(tls, arguments.ca), timeout=arguments.timeout, **options)


def _mechanisms(arguments: argparse.Namespace) -> list[ClientMechanism]:
    """Those to log in by, strongest first."""
    found: list[ClientMechanism] = []
    if arguments.token_file is not None:
        host, port = arguments.server
        token = password_in(arguments.token_file)
        found += with_token(arguments.user, token, host="" if unix_path(host) else host, port=port or None)
    if arguments.password_file is not None:
        found += with_password(arguments.user, password_in(arguments.password_file))
    wanted: list[str] | None = arguments.auth_mechanism
    if wanted is not None:
        found = [each for each in found if each.name in wanted]
        if not found:
            why = "SCRAM needs smtpcore[scram]; others go with --password-file or with --token-file"
            raise Failure(f"cannot log in by {' or '.join(wanted)}: {why}")
    return sorted(found, key=lambda each: STRENGTH.index(each.name))


def _context(tls: TlsMode, authority: Path | None) -> ssl.SSLContext | None:
    if authority is None:
        return None
    if tls == "none":
        raise Failure("--ca does nothing with --tls none; leave out one of them")
    try:
        return ssl.create_default_context(cafile=authority)
    except OSError as error:
        raise Failure(f"cannot use {authority}: {error.strerror}; --ca takes a PEM file") from None


def _explain(error: Exception) -> str:
    """Why there is no session, and what may help."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not to be trusted: {error.verify_message}; name its authority with --ca FILE"
        case ssl.SSLError():
            return f"no TLS: {error.reason or error}; check --tls and the port"
        case ConnectionRefusedError():
            return "connection refused; check that a server listens there"
        case TimeoutError():
            return "no answer in time; check the address, or raise --timeout"
        case TlsNotOffered():
            return f"{error}; --tls none or --tls implicit, if that is what it speaks"
        case NoMechanism():
            return f"{error}; leave out --user, or use another --tls or port"
        case LocalProtocolError():
            return f"{error}; use --tls required, or --allow-plaintext-auth to send the password in the clear"
        case Disconnected():
            return f"{error}; check --tls and the port"
        case OSError():
            return f"{error.strerror or error}; check the address"
        case _:
            return str(error)


def _show(outcome: Outcome) -> None:
    rows = [
        (str(each.recipient), each.status.value, "; ".join(str(each.reply or each.why).split("\n")))
        for each in outcome.recipients
    ]
    columns(("recipient", "status", "reply"), rows, [_STYLES[each.status] for each in outcome.recipients])
    print(end="", flush=True)
