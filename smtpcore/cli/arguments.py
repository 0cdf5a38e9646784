"""What several subcommands read from their command lines in the same way."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Final, TypeAlias

from ..adapters.unix import unix_path
from ..errors import ParseError
from ..flows.client import TlsMode
from ..wire.address import Mailbox
from .failure import Failure

__all__ = ["TLS_MODES", "Subparsers", "endpoint", "mailbox", "password_in", "read_file", "show_endpoint"]

#: What a subcommand declares itself to.
Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

#: Each says what it demands, and nothing falls back by itself; what each means is told where it is offered.
TLS_MODES: Final[tuple[TlsMode, ...]] = ("none", "opportunistic", "required", "implicit")

_ENDPOINT: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:\s]+)):([0-9]{1,5})")
#: Octets of the longest password file that is read; nobody types more.
_PASSWORD_LIMIT: Final = 4096


def endpoint(text: str) -> tuple[str, int]:
    """``HOST:PORT``, with an IPv6 address in brackets; or ``unix:/path``, whose port is 0."""
    if unix_path(text):
        return text, 0
    found = _ENDPOINT.fullmatch(text)
    if not found or int(found[3]) > 65_535:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not HOST:PORT, such as 127.0.0.1:2525 or [::1]:2525, nor unix:/path"
        )
    return found[1] or found[2], int(found[3])


def show_endpoint(host: str, port: int) -> str:
    """The opposite of :func:`endpoint`."""
    if unix_path(host):
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def mailbox(text: str) -> Mailbox:
    """An address as it stands in an envelope."""
    try:
        return Mailbox.parse(text)
    except ParseError as error:
        raise argparse.ArgumentTypeError(f"{error}: write it as alice@crepes.fr, without a name") from None


def read_file(path: Path) -> bytes:
    """The octets of a file. Raises Failure."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Failure(f"cannot read {path}: {error.strerror}; check the path and its permissions") from None


def password_in(path: Path) -> str:
    """The first line of a file. Raises Failure."""
    line = read_file(path)[:_PASSWORD_LIMIT].partition(b"\n")[0].removesuffix(b"\r")
    try:
        password = line.decode()
    except UnicodeDecodeError:
        raise Failure(f"the password in {path} is not UTF-8; save the file as UTF-8") from None
    if not password:
        raise Failure(f"{path} is empty; put the password on its first line")
    return password
