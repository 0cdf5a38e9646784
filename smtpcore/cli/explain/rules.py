"""The rules that a transcript is held against, beyond those that the machines apply by themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ...errors import ParseError
from ...extensions import ENHANCEDSTATUSCODES, PIPELINING, Auth, AuthResponse, StartTls, XClient
from ...extensions.chunking import Bdat
from ...table import Connect, EndOfContent, State
from ...wire.capabilities import Capabilities
from ...wire.command import Command, Data, Ehlo, Helo, Lhlo, Mail, Noop, Quit, Rcpt, Rset, parse_command
from ...wire.reply import Reply
from ...wire.tolerance import LAX, Tolerance
from .codes import OWNERS
from .exchange import Exchange
from .extensions import EXTENSIONS
from .machine import Machine
from .story import Finding, Step
from .verbs import verb_of

__all__ = ["check_command", "check_early", "check_reply", "why_refused"]

#: RFC 5321 s4.5.3.1.4: octets of a command line with its CRLF.
COMMAND_LINE: Final = 512
#: What parameters may add to it: RFC 1870 s3, RFC 6152 s2, RFC 4954 s3, RFC 3461 s4, RFC 6531 s3.4 taken together.
PARAMETERS: Final = 1500
#: RFC 5321 s4.5.3.1.5: octets of a reply line with its CRLF.
REPLY_LINE: Final = 512
#: Mechanisms that hand over what logs in, to whoever listens.
_CLEAR: Final = frozenset(("PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"))
_MINIMUM: Final = frozenset((Mail, Rcpt, Data, Rset, Noop, Quit))
_GREETINGS: Final = frozenset((Ehlo, Helo, Lhlo))
_PIPELINES: Final = frozenset((EndOfContent, Bdat))
_NAMES: Final[Mapping[type[Command], str]] = {Connect: "the connection", AuthResponse: "a response"}
_ENHANCED: Final = re.compile(r"([245])\.([0-9]{1,3})\.([0-9]{1,3})(?: |\Z)")


def check_early(step: Step, turn: int, before: Exchange, answered: int, offered: Capabilities) -> None:
    """Whether what came in turn ``turn`` waited for the reply to what was ``before`` it, if it had to."""
    if turn > answered:
        return
    if before.kind is Connect:
        step.blame("client", "RFC 5321 s4.3.1", "said before the greeting had come")
    elif before.kind in {Auth, AuthResponse}:
        step.blame("client", "RFC 4954 s4", f"said before the reply to {before.label}")
    elif before.kind is StartTls:
        step.blame("client", "RFC 3207 s4", "said in the clear behind STARTTLS")
    elif before.kind in _GREETINGS:
        step.blame("client", "RFC 2920 s3.1", f"said before the reply to {before.label} had told what is offered")
    elif PIPELINING not in offered:
        why = f"said before the reply to {before.label}"
        step.blame("client", "RFC 2920 s3.1", f"{why}, although PIPELINING was not offered")
    elif before.kind is not None and not before.kind.pipelines and before.kind not in _PIPELINES:
        step.blame(
            "client", "RFC 2920 s3.1", f"{before.label} has to be the last of its group, and this came behind it"
        )


def check_command(step: Step, exchange: Exchange, machine: Machine) -> None:
    """What a command breaks that the machine lets through or cannot know."""
    line, command = exchange.line, exchange.command
    limit = COMMAND_LINE
    if isinstance(command, (Mail, Rcpt)) and command.parameters.items:
        limit += PARAMETERS
    confidential = exchange.kind is not None and exchange.kind.confidential
    if len(line) + 2 > limit and not confidential:
        step.blame(
            "client", "RFC 5321 s4.5.3.1.4", f"a command line of {len(line) + 2:,} octets; {COMMAND_LINE} is the limit"
        )
    if isinstance(command, Auth) and not machine.tls and command.mechanism in _CLEAR:
        step.blame("client", "RFC 4954 s9", "credentials in the clear: whoever listens can log in with them")


def _not_offered(what: str, keyword: str) -> Finding:
    return Finding("client", "RFC 5321 s2.2.1", f"{what} used, but the server has not offered {keyword}")


def _find_not_offered(command: Command | None, offered: Capabilities) -> Finding | None:
    """The first parameter that the server has not offered the extension of."""
    for parameter in command.parameters.items if isinstance(command, (Mail, Rcpt)) else ():
        if not EXTENSIONS.is_offered(parameter, offered):
            owners = EXTENSIONS.parameter_owners[parameter.keyword]
            owner = next(owner for owner in owners if owner.covers is None or owner.covers(parameter))
            return _not_offered(str(parameter) if len(owners) > 1 else parameter.keyword, owner.keyword)
    return None


def parse(line: bytes) -> Command | ParseError:
    """The command in a line, whether or not it has a place where it stands; or why it is none."""
    try:
        return parse_command(line, EXTENSIONS.vocabulary, Tolerance(LAX))
    except ParseError as error:
        return error


def why_refused(exchange: Exchange, refusal: Reply, state: State, machine: Machine) -> Finding:
    """Why the machine refuses a line in that state, as a finding; the line itself is in no word of it."""
    line, kind = exchange.line, exchange.kind
    octet = next((name for mark, name in ((b"\n", "LF"), (b"\r", "CR"), (b"\0", "NUL")) if mark in line), "")
    if octet:
        return Finding("client", "RFC 5321 s2.3.8", f"a bare {octet} in a command")
    if state is State.AUTHENTICATING:
        return Finding("client", "RFC 4954 s4", f"not a response: {refusal.text}")
    if kind is None:
        return Finding("client", "RFC 5321 s4.1.1", "a command that SMTP does not have")
    if exchange.error is not None:
        shown = "" if kind.confidential else f", at offset {exchange.error.where}"
        return Finding("client", exchange.error.rule, f"{exchange.error.why}{shown}")
    owner = EXTENSIONS.verb_owner.get(kind)
    if owner is not None and owner.keyword not in machine.offered and not machine.authenticated:
        return _not_offered(verb_of(line), owner.keyword)
    if refusal.code == 503:
        why = f"{verb_of(line)} out of order: it has no place in state {state.value}"
        in_place = kind in EXTENSIONS.transitions[state]
        return Finding("client", "RFC 5321 s4.1.4", refusal.text if in_place else why)
    parameter = _find_not_offered(exchange.command, machine.offered)
    if parameter is not None:
        return parameter
    if not line.isascii():
        return Finding("client", "RFC 6531 s3.1", f"beyond ASCII: {refusal.text}")
    return Finding("client", "RFC 5321 s4.2.4", refusal.text)


def check_reply(step: Step, reply: Reply, exchange: Exchange | None, machine: Machine) -> None:
    """What a reply breaks. ``exchange`` is what it answers."""
    raw = reply.raw or b""
    if any(len(line) + 2 > REPLY_LINE for line in raw.split(b"\r\n")):
        step.blame("server", "RFC 5321 s4.5.3.1.5", f"a reply line longer than {REPLY_LINE} octets")
    code = reply.code
    if not 0 <= code // 10 % 10 <= 5:
        step.blame("server", "RFC 5321 s4.2", f"the second digit of {code} is none that RFC 5321 has")
    first = (raw[4:].split(b"\r\n", 1)[0]).decode("utf-8", "surrogateescape")
    found = _ENHANCED.match(first)
    if found and int(found[1]) != code // 100:
        step.blame("server", "RFC 2034 s4", f"the enhanced code {found[0].strip(' ')} is of another class than {code}")
    if exchange is None:
        return
    kind = exchange.kind
    missing = found is None and code // 100 != 3 and kind not in _GREETINGS and kind not in {Connect, XClient}
    if missing and ENHANCEDSTATUSCODES in machine.offered:
        step.blame("server", "RFC 2034 s4", "no enhanced status code, although ENHANCEDSTATUSCODES was offered")
    owners = OWNERS.get(code)
    if owners is not None and kind is not None and kind is not Connect and kind not in owners:
        answers = " or ".join([_NAMES.get(owner, owner.verb) for owner in owners])
        step.blame("server", "RFC 5321 s4.3.2", f"{code} answers {answers}, not {exchange.label}")
    elif kind is Data and code // 100 == 2:
        step.blame("server", "RFC 5321 s4.3.2", f"{code} is no answer to DATA: 354 lets the content come")
    if code in {500, 502} and exchange.refusal is None:
        if kind in _MINIMUM:
            step.blame("server", "RFC 5321 s4.5.1", f"{exchange.label} is a command that every server has to know")
        elif kind in {Ehlo, Helo}:
            step.say("A server of old, or one of LMTP, which begins with LHLO.", "RFC 2033 s4.1")
    if kind is Connect and code < 400 and code != 220:
        step.blame("server", "RFC 5321 s4.3.2", f"{code} is no greeting: that is 220")
    if code // 100 < 4 and exchange.refusal is not None and exchange.refusal.code == 503:
        step.blame("server", "RFC 5321 s4.1.4", f"{exchange.label} was taken out of order; 503 is the answer to it")
