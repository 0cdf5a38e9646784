"""``smtpcore serve``: a receiving server that prints messages, or puts them into a Maildir."""

from __future__ import annotations

import argparse
import asyncio
import signal
import socket
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, final

from ..adapters.asyncio import Server
from ..adapters.proxies import Proxies
from ..errors import ParseError
from ..flows.client import TlsMode
from ..flows.handler import Served
from ..flows.options import DEFAULT_SIZE, ServerOptions
from ..sasl import SCRAM_MECHANISMS, SERVER_MECHANISMS, CramMd5Server, ServerMechanism
from ..sasl.scram_keys import scramp_is_there
from ..session.settings import ServerSettings
from ..wire.newlines import BareNewlines
from ..wire.tolerance import Strictness
from .arguments import TLS_MODES, Subparsers, endpoint, password_in, read_file, show_endpoint
from .failure import FAILED, Failure
from .maildir import Maildir
from .receiver import Receiver
from .sinks import Filing, Printer, Sink
from .terminal import say

__all__ = ["add", "run"]

_ALL_MECHANISMS: Final[dict[str, Callable[[], ServerMechanism]]] = {**SERVER_MECHANISMS, "CRAM-MD5": CramMd5Server}
_MECHANISMS: Final = tuple(_ALL_MECHANISMS)
#: Seconds until a report is repeated: a server that is out of handles has one for each client in the queue.
_QUIET: Final = 10.0
_EPILOG: Final = """\
It takes mail for any recipient and relays none. Exit status: 0 ended by SIGINT or SIGTERM, 1 cannot listen, 2 usage.

  smtpcore serve 127.0.0.1:2525 --print          then talk to it: telnet 127.0.0.1 2525
  smtpcore serve '[::]:587' --maildir Mail --tls required --cert chain.pem --key key.pem --auth alice:alice.password
"""


def add(subparsers: Subparsers) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser(
        "serve",
        help="a receiving server: prints messages, or puts them into a Maildir",
        description="Receive mail and print it, or put it into a Maildir: on the disk first, then 250.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("where", metavar="HOST:PORT", type=endpoint, help="where to listen; port 0 takes a free one")
    to = parser.add_mutually_exclusive_group()
    to.add_argument("--maildir", metavar="DIR", type=Path, help="put messages into this Maildir, made where missing")
    to.add_argument("--print", action="store_true", help="print messages (the default)")
    parser.add_argument("--raw", action="store_true", help="no Return-Path and Received in the Maildir")
    parser.add_argument("--hostname", metavar="NAME", help="what the server calls itself (this machine's name)")
    parser.add_argument(
        "--tls", choices=TLS_MODES, help="STARTTLS offered (opportunistic) or demanded (required), or TLS at once"
    )
    parser.add_argument("--cert", metavar="FILE", type=Path, help="PEM: the certificate and those above it")
    parser.add_argument("--key", metavar="FILE", type=Path, help="PEM: its private key, unless that is in --cert")
    parser.add_argument(
        "--auth",
        metavar="USER:FILE",
        type=_user,
        action="append",
        default=[],
        help="only take mail after AUTH; the first line of FILE is USER's password; may be repeated",
    )
    parser.add_argument(
        "--auth-token",
        metavar="USER:FILE",
        type=_user,
        action="append",
        default=[],
        help="the same with an OAuth token, on the first line of FILE; may be repeated",
    )
    parser.add_argument(
        "--auth-mechanism",
        metavar="NAME",
        choices=_MECHANISMS,
        action="append",
        help=f"offer this one; may be repeated; all but CRAM-MD5 unless given: {', '.join(_MECHANISMS)}",
    )
    parser.add_argument(
        "--allow-plaintext-auth", action="store_true", help="AUTH without TLS too: passwords in the clear"
    )
    parser.add_argument(
        "--proxy-from",
        metavar="NET",
        action="append",
        default=[],
        help="an address or network, such as a load balancer's, whose connections begin with a PROXY header; unix: is "
        "whoever comes by a unix socket; may be repeated",
    )
    parser.add_argument("--lmtp", action="store_true", help="speak LMTP, as mail servers do to who delivers for them")
    parser.add_argument("--size", metavar="N", type=_count, default=DEFAULT_SIZE, help="octets of the largest message")
    parser.add_argument("--max-connections", metavar="N", type=_count, default=1000, help="clients at one time (1000)")
    parser.add_argument(
        "--bare-newlines",
        choices=[policy.value for policy in (BareNewlines.REJECT, BareNewlines.NORMALIZE, BareNewlines.SPACE)],
        default=BareNewlines.REJECT.value,
        help="what becomes of a CR or LF that stands alone in a message (reject)",
    )
    parser.add_argument(
        "--strictness",
        choices=[level.name.lower() for level in Strictness],
        default=Strictness.INTEROP.name.lower(),
        help="how strictly commands are read (interop)",
    )
    parser.add_argument(
        "--loop",
        choices=["asyncio", "uvloop"],
        default="asyncio",
        help="what it runs on; uvloop, of smtpcore[uvloop], takes up to a fifth less CPU for large messages (asyncio)",
    )
    parser.set_defaults(run=run)


_SMTP_PORT: Final = 25


def _user(text: str) -> tuple[str, Path]:
    name, colon, path = text.partition(":")
    if not (name and colon and path):
        raise argparse.ArgumentTypeError("not USER:FILE; the password is on the first line of FILE")
    return name, Path(path)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:20]) < 2**63:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Serve until a signal comes."""
    new_loop = _loop(arguments.loop)
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(_serve_until_signal(prepare(arguments), show_endpoint(*arguments.where)))
    return 0


def _loop(name: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes a loop of that name; None for asyncio's own."""
    if name == "asyncio":
        return None
    try:
        import uvloop  # noqa: PLC0415 - an extra that need not be there
    except ModuleNotFoundError:
        raise Failure("uvloop is not installed; install smtpcore[uvloop], or leave --loop out") from None
    return uvloop.new_event_loop


def prepare(arguments: argparse.Namespace) -> Server:
    """The server that a command line asks for; it does not listen yet. Raises Failure."""
    if arguments.lmtp and arguments.where[1] == _SMTP_PORT:
        raise Failure("LMTP must not be spoken on port 25 (RFC 2033 s5); choose another, such as 24")
    tls: TlsMode = arguments.tls or ("opportunistic" if arguments.cert else "none")
    context = _context(tls, arguments)
    users = {name: password_in(path).encode() for name, path in arguments.auth}
    tokens = {password_in(path).encode(): name for name, path in arguments.auth_token}
    if (users or tokens) and tls == "none" and not arguments.allow_plaintext_auth:
        raise Failure("--auth without TLS would let nobody in; add --tls and --cert, or --allow-plaintext-auth")
    hostname = arguments.hostname or _own_name()
    if not _is_hostname(hostname):
        raise Failure(f"{hostname!r} is no domain; give one with --hostname")
    try:
        Proxies(arguments.proxy_from)
    except ValueError as error:
        raise Failure(f"--proxy-from takes an address, a network such as 10.0.0.0/8, or unix: ({error})") from None
    receiver = Receiver(_sinks(arguments, hostname), users, tokens)
    options: ServerOptions = {
        "hostname": hostname,
        "size": arguments.size,
        "bare_newlines": BareNewlines(arguments.bare_newlines),
        "strictness": Strictness[arguments.strictness.upper()],
        "require_auth": bool(users or tokens),
        "allow_plaintext_auth": arguments.allow_plaintext_auth,
        "mechanisms": _mechanisms(arguments),
        "lmtp": arguments.lmtp,
    }
    if context is not None:
        options["certificate"] = read_file(arguments.cert)
    return Server(
        receiver,
        *arguments.where,
        tls=tls,
        ssl_context=context,
        max_connections=arguments.max_connections,
        proxy_from=arguments.proxy_from,
        **options,
    )


def _mechanisms(arguments: argparse.Namespace) -> dict[str, Callable[[], ServerMechanism]]:
    """Those to offer, strongest first; what the users and the installation allow of them is found out later."""
    wanted: list[str] | None = arguments.auth_mechanism
    if wanted is None:
        return dict(SERVER_MECHANISMS)
    if not arguments.auth and not arguments.auth_token:
        raise Failure("--auth-mechanism goes with --auth or --auth-token, which say who may log in")
    of_scram = [name for name in wanted if name in SCRAM_MECHANISMS]
    if of_scram and not scramp_is_there():
        raise Failure(f"{of_scram[0]} needs the package scramp; install smtpcore[scram]")
    return {name: begin for name, begin in _ALL_MECHANISMS.items() if name in wanted}


def _context(tls: TlsMode, arguments: argparse.Namespace) -> ssl.SSLContext | None:
    if tls == "none":
        if arguments.cert or arguments.key:
            raise Failure("--cert and --key do nothing without TLS; add --tls opportunistic, or leave them out")
        return None
    if arguments.cert is None:
        raise Failure(f"--tls {tls} needs a certificate; add --cert FILE, and --key FILE if its key is not in there")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(arguments.cert, arguments.key)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise Failure(f"cannot use the certificate {arguments.cert}: {why}; --cert and --key take PEM files") from None
    return context


def _own_name() -> str:
    name = socket.gethostname()  # not getfqdn(): nobody is asked on the network
    return name if _is_hostname(name) else "localhost"


def _is_hostname(name: str) -> bool:
    try:
        ServerSettings(name)
    except ParseError:
        return False
    return name.isascii()


# --- sinks ---------------------------------------------------------------------------------------


def _sinks(arguments: argparse.Namespace, hostname: str) -> Callable[[Served], Sink]:
    """What opens a sink for a message."""
    if arguments.maildir is None:
        if arguments.raw:
            raise Failure("--raw goes with --maildir; printed messages are as they came anyway")
        return Printer().begin
    try:
        maildir = Maildir(arguments.maildir)
        maildir.reap()
    except OSError as error:
        raise Failure(f"cannot use the Maildir {arguments.maildir}: {error.strerror}; check it and its owner") from None
    return lambda session: Filing(maildir, session, None if arguments.raw else hostname, say)


# --- until a signal comes ------------------------------------------------------------------------


async def _serve_until_signal(server: Server, where: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    caught: list[signal.Signals] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
            caught.append(number)
        except NotImplementedError:
            pass  # there Ctrl-C raises KeyboardInterrupt
    async with AsyncExitStack() as listening:
        await listen(server, where, listening)
        await stop.wait()
        for number in caught:
            loop.remove_signal_handler(number)  # the second signal does not wait for transactions in hand


async def listen(server: Server, where: str, listening: AsyncExitStack) -> None:
    """Listen and say so; leaving ``listening`` ends it when transactions in hand have ended (RFC 5321 s3.8)."""
    asyncio.get_running_loop().set_exception_handler(_Reports())
    try:
        await listening.enter_async_context(server)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise Failure(f"cannot listen on {where}: {why}; choose another HOST:PORT", FAILED) from None
    print(f"listening on {show_endpoint(*server.address)}", flush=True)


@final
class _Reports:
    """Says what the event loop and the server report; what they repeat is said once in a while."""

    def __init__(self) -> None:
        self._said = ""
        self._due = 0.0

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        line = str(context.get("message") or "an error in the event loop")
        if "_start_serving" in line:
            return  # once out of handles, asyncio comes back to its listener later, even to one that is closed by then
        if line != self._said or loop.time() >= self._due:
            self._said, self._due = line, loop.time() + _QUIET
            say(line)
