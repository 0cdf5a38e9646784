"""Commands in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from ...extensions import Atrn, Auth, AuthResponse, Burl, BurlLast, Etrn, StartTls, XClient, XForward
from ...extensions.chunking import Bdat, BdatCommand, BdatLast
from ...wire.address import Mailbox, Postmaster
from ...wire.command import Command, Data, Ehlo, Expn, Helo, Help, Lhlo, Mail, Noop, Quit, Rcpt, Rset, Vrfy
from .extensions import explain_parameter
from .story import Remark

__all__ = ["KINDS", "explain_command", "verb_of"]

#: The commands by their verbs, for lines that could not be read whole.
KINDS: Final[Mapping[str, type[Command]]] = {
    kind.verb: kind
    for kind in (
        Ehlo,
        Helo,
        Lhlo,
        Mail,
        Rcpt,
        Data,
        Rset,
        Vrfy,
        Expn,
        Help,
        Noop,
        Quit,
        Auth,
        StartTls,
        Bdat,
        Atrn,
        Burl,
        Etrn,
        XClient,
        XForward,
    )
}


def verb_of(line: bytes) -> str:
    """The first word of a line, in upper case; empty where it is no word of letters."""
    word = line.lstrip(b" \t")[:12].partition(b" ")[0].strip(b"\t\r\n:")
    return word.decode("ascii").upper() if word.isascii() and word.isalpha() else ""


def _mail(command: Mail) -> Remark:
    if command.sender is None:
        return Remark(
            "A transaction begins, from nobody: the null reverse-path of reports, which are never answered.",
            "RFC 5321 s4.5.5",
        )
    return Remark(f"A transaction begins; failures are reported to {_path(command.sender)}.", "RFC 5321 s4.1.1.2")


def _rcpt(command: Rcpt) -> Remark:
    return Remark(f"One recipient: {_path(command.recipient)}.", "RFC 5321 s4.1.1.3")


def _path(path: Mailbox | Postmaster) -> str:
    return str(path)


def _bdat(command: BdatCommand) -> Remark:
    which = "the last chunk" if command.last else "a chunk"
    return Remark(f"Content: {which}, {command.size:,} octets right behind the line.", "RFC 3030 s2")


def _auth(command: Auth) -> Remark:
    first = "" if command.initial_response is None else " and responds at once"
    return Remark(f"The client wants to log in with {command.mechanism}{first}.", "RFC 4954 s4")


def _response(command: AuthResponse) -> Remark:
    words = "The client gives the log-in up." if command.gives_up else "The client responds to the challenge."
    return Remark(words, "RFC 4954 s4")


def _etrn(command: Etrn) -> Remark:
    what = f"queue {command.name}" if command.option == "#" else f"queue for {command.name}"
    below = " and all hosts below it" if command.option == "@" else ""
    return Remark(f"The client asks the server to start its {what}{below}.", "RFC 1985 s5")


_COMMANDS: Final[Mapping[type[Command], Callable[[Any], Remark]]] = {
    Ehlo: lambda c: Remark(f"The client calls itself {c.client} and asks for extensions.", "RFC 5321 s4.1.1.1"),
    Helo: lambda c: Remark(f"The client calls itself {c.client}; it asks for no extensions.", "RFC 5321 s4.1.1.1"),
    Lhlo: lambda c: Remark(f"The client calls itself {c.client} and speaks LMTP.", "RFC 2033 s4.1"),
    Mail: _mail,
    Rcpt: _rcpt,
    Data: lambda _: Remark("The client asks leave to send the content.", "RFC 5321 s4.1.1.4"),
    Bdat: _bdat,
    BdatLast: _bdat,
    Rset: lambda _: Remark("The client drops the transaction.", "RFC 5321 s4.1.1.5"),
    Vrfy: lambda c: Remark(f"The client asks whether {c.text} names a mailbox.", "RFC 5321 s4.1.1.6"),
    Expn: lambda c: Remark(f"The client asks who is on the list {c.text}.", "RFC 5321 s4.1.1.7"),
    Help: lambda _: Remark("The client asks for help.", "RFC 5321 s4.1.1.8"),
    Noop: lambda _: Remark("The client asks for a reply and nothing else.", "RFC 5321 s4.1.1.9"),
    Quit: lambda _: Remark("The client wants to end the session.", "RFC 5321 s4.1.1.10"),
    StartTls: lambda _: Remark("The client wants to encrypt the connection.", "RFC 3207 s4"),
    Auth: _auth,
    Burl: lambda _: Remark("The client names a URL to fetch a part of the content from.", "RFC 4468 s3.2"),
    BurlLast: lambda _: Remark("The client names a URL to fetch the last part of the content from.", "RFC 4468 s3.2"),
    Atrn: lambda _: Remark("The client asks for its mail: the roles are to be reversed.", "RFC 2645 s5.2.1"),
    Etrn: _etrn,
    XClient: lambda c: Remark(f"Of Postfix: a proxy says who its client is, by {' '.join(c.keywords)}."),
    XForward: lambda c: Remark(f"Of Postfix: a filter says who the client was, by {' '.join(c.keywords)}."),
    AuthResponse: _response,
}
_BY_VERB: Final[Mapping[str, Remark]] = {
    "TURN": Remark("A command of old to change sides; nobody takes it any more.", "RFC 5321 sF.1"),
    "SEND": Remark("A command of old, to a terminal.", "RFC 5321 sF.6"),
    "SOML": Remark("A command of old, to a terminal or a mailbox.", "RFC 5321 sF.6"),
    "SAML": Remark("A command of old, to a terminal and a mailbox.", "RFC 5321 sF.6"),
}


def explain_command(command: Command | None, line: bytes) -> Iterator[Remark]:
    """What a command says; ``line`` stands for one that could not be read."""
    if command is None:
        verb = verb_of(line)
        if verb in KINDS:
            yield Remark(f"A {verb} command that cannot be read.", "RFC 5321 s4.1.1")
        else:
            yield _BY_VERB.get(verb) or Remark("No command of SMTP.", "RFC 5321 s4.1.1")
        return
    explain: Any = _COMMANDS.get(type(command))
    yield explain(command) if explain else Remark(f"The command {command.verb}.", "RFC 5321 s2.2.2")
    if isinstance(command, (Mail, Rcpt)):
        for parameter in command.parameters.items:
            yield explain_parameter(parameter.keyword, parameter.text)
