"""The extensions that a transcript may speak of: what they are for, and those that the machines do not know yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ...extensions import STANDARD, Extension
from ...wire.parameter import ParameterType
from .story import Remark

__all__ = ["EXTENSIONS", "explain_capability", "explain_parameter"]

_as_written: Callable[[str], str] = str


_MORE: Final[tuple[Extension[Any], ...]] = (
    Extension("MTRK", "RFC 3885", mail_parameters=[ParameterType("MTRK", _as_written)]),
)
#: What the machines know, and more; where both know one, the machines' own.
EXTENSIONS: Final = STANDARD.with_extensions(*[extension for extension in _MORE if extension not in STANDARD])

_CAPABILITIES: Final[Mapping[str, Remark]] = {
    "PIPELINING": Remark("several commands may go in one packet", "RFC 2920 s3"),
    "SIZE": Remark("the client may say how big a message is", "RFC 1870 s3"),
    "8BITMIME": Remark("contents may have octets beyond ASCII", "RFC 6152 s2"),
    "SMTPUTF8": Remark("addresses and headers may have UTF-8", "RFC 6531 s3.1"),
    "ENHANCEDSTATUSCODES": Remark("replies carry codes such as 5.7.1", "RFC 2034 s3"),
    "STARTTLS": Remark("the connection can be encrypted", "RFC 3207 s2"),
    "AUTH": Remark("clients can log in", "RFC 4954 s3"),
    "HELP": Remark("HELP is answered", "RFC 5321 s4.1.1.8"),
    "DSN": Remark("reports of delivery can be asked for", "RFC 3461 s4"),
    "CHUNKING": Remark("contents may travel in chunks of a length said before (BDAT)", "RFC 3030 s2"),
    "BINARYMIME": Remark("contents may be any octets, in chunks", "RFC 3030 s3"),
    "DELIVERBY": Remark("a time for the delivery can be set", "RFC 2852 s3"),
    "MT-PRIORITY": Remark("messages may have priorities", "RFC 6710 s4"),
    "FUTURERELEASE": Remark("messages can be held until a time", "RFC 4865 s3"),
    "REQUIRETLS": Remark("a message may insist on TLS all the way", "RFC 8689 s2"),
    "RRVS": Remark("a message may be for an owner of a mailbox alone, and not for the next", "RFC 7293 s3.1"),
    "CONPERM": Remark("a message may permit that its content is converted", "RFC 4141 s4"),
    "CONNEG": Remark("a client may ask what a recipient can show", "RFC 4141 s5"),
    "ETRN": Remark("a queue can be started from afar", "RFC 1985 s5"),
    "VRFY": Remark("VRFY is answered", "RFC 5321 s3.5"),
    "EXPN": Remark("EXPN is answered", "RFC 5321 s3.5"),
    "LIMITS": Remark("the server states its limits", "RFC 9422 s3"),
    "XCLIENT": Remark("of Postfix: a proxy may say who its client is"),
    "XFORWARD": Remark("of Postfix: a filter may be told who the client is"),
    "BURL": Remark("a content can be fetched by its URL", "RFC 4468 s3"),
    "NO-SOLICITING": Remark("unsolicited bulk mail is not wanted", "RFC 3865 s2"),
}


def explain_capability(line: str) -> Remark:
    """One line of the answer to EHLO."""
    keyword, _, argument = line.strip(" ").partition(" ")
    keyword = keyword.upper()
    if keyword.startswith("AUTH="):
        return Remark("AUTH=: clients can log in, as servers wrote it before RFC 2554", "RFC 4954 s3")
    found = _CAPABILITIES.get(keyword)
    if found is None:
        return Remark(f"{keyword[:40]}: an extension that is not known here", "RFC 5321 s2.2.2")
    text = found.text
    if keyword == "SIZE" and argument.isascii() and argument.isdecimal():
        text += f", up to {int(argument[:20]):,} octets" if int(argument[:20]) else ", of any size"
    if keyword == "AUTH" and argument:
        text += f", by {', '.join(argument.split(' ')[:12])}"
    return Remark(f"{keyword}: {text}", found.rule)


_PARAMETERS: Final[Mapping[str, Remark]] = {
    "SIZE": Remark("the message has about {value} octets", "RFC 1870 s5"),
    "BODY": Remark("the content is {value}", "RFC 6152 s2"),
    "SMTPUTF8": Remark("addresses or header of this message have UTF-8", "RFC 6531 s3.4"),
    "AUTH": Remark("{value} submitted the message first", "RFC 4954 s5"),
    "RET": Remark("a report of failure returns {value}", "RFC 3461 s4.3"),
    "ENVID": Remark("reports shall name the envelope {value}", "RFC 3461 s4.4"),
    "NOTIFY": Remark("reports are wanted for {value}", "RFC 3461 s4.1"),
    "ORCPT": Remark("the original recipient is {value}", "RFC 3461 s4.2"),
    "BY": Remark("deliver by {value} seconds from now", "RFC 2852 s4"),
    "MT-PRIORITY": Remark("the priority is {value}", "RFC 6710 s5"),
    "HOLDFOR": Remark("hold it for {value} seconds", "RFC 4865 s3"),
    "HOLDUNTIL": Remark("hold it until {value}", "RFC 4865 s3"),
    "REQUIRETLS": Remark("it must travel by TLS all the way", "RFC 8689 s3"),
    "MTRK": Remark("the message can be tracked", "RFC 3885 s3"),
    "SOLICIT": Remark("it solicits, in the classes {value}", "RFC 3865 s2.3"),
    "CONPERM": Remark("its content may be converted", "RFC 4141 s4.2"),
    "CONNEG": Remark("what can this recipient show?", "RFC 4141 s5.2"),
    "RRVS": Remark("only if the mailbox has had its owner since {value}", "RFC 7293 s3.1"),
}


def explain_parameter(keyword: str, value: str | None) -> Remark:
    """One parameter of MAIL or RCPT."""
    found = _PARAMETERS.get(keyword.upper())
    if found is None:
        return Remark(f"{keyword}: a parameter that is not known here", "RFC 5321 s4.1.1.11")
    return Remark(f"{keyword.upper()}: {found.text.replace('{value}', (value or '')[:200])}", found.rule)
