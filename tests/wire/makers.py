"""Everything of the package that writes a line with a caller's text in it, by the id of what it must not do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from smtpcore import (
    Auth,
    Capability,
    Ehlo,
    Expn,
    Helo,
    Help,
    Lhlo,
    Mail,
    Mailbox,
    Noop,
    Parameter,
    ParameterType,
    ParseError,
    Rcpt,
    Reply,
    Vrfy,
)
from smtpcore.extensions import SIZE, SUBMITTER
from smtpcore.wire.xtext import encode_xtext

#: What they may raise instead; nothing is written then.
REFUSALS = (ParseError, TypeError)


def flag(keyword: str) -> Parameter[bool]:
    """A parameter that is a keyword alone."""
    kind: ParameterType[bool] = ParameterType(keyword)
    return kind(True)


#: Everything that puts a caller's text into a line, as functions of that text.
MAKERS: dict[str, Callable[[Any], bytes]] = {
    "INJ-01-local-part": lambda text: bytes(Mail(Mailbox(text, "b"))),
    "INJ-01-domain": lambda text: bytes(Mail(Mailbox("a", text))),
    "INJ-01-rcpt": lambda text: bytes(Rcpt(Mailbox(text, "b"))),
    "INJ-01-parse": lambda text: bytes(Rcpt(Mailbox.parse(text))),
    "INJ-02-ehlo": lambda text: bytes(Ehlo(text)),
    "INJ-02-helo": lambda text: bytes(Helo(text)),
    "INJ-02-lhlo": lambda text: bytes(Lhlo(text)),
    "INJ-03-size": lambda text: bytes(Mail(None, SIZE(text))),
    "INJ-04-auth": lambda text: bytes(Mail(None, SUBMITTER(Mailbox.parse(text)))),
    "INJ-04-xtext": lambda text: bytes(Mail(None, Parameter("X", text, encode_xtext(text)))),
    "INJ-04-raw-value": lambda text: bytes(Mail(None, Parameter("X", text, text))),
    "INJ-11-keyword": lambda text: bytes(Mail(None, Parameter(text, True, None))),
    "INJ-11-keyword-with-value": lambda text: bytes(Mail(None, Parameter(text, 1, "1"))),
    "INJ-11-type": lambda text: bytes(Mail(None, flag(text))),
    "vrfy": lambda text: bytes(Vrfy(text)),
    "expn": lambda text: bytes(Expn(text)),
    "help": lambda text: bytes(Help(text)),
    "noop": lambda text: bytes(Noop(text)),
    "auth-mechanism": lambda text: bytes(Auth(text)),
    "INJ-08-reply": lambda text: bytes(Reply(550, text)),
    "INJ-08-reply-line": lambda text: bytes(Reply(550, ["a", text])),
    "INJ-08-enhanced": lambda text: bytes(Reply(550, "a", text)),
    "capability-keyword": lambda text: bytes(Reply(250, str(Capability(text)))),
    "capability-argument": lambda text: bytes(Reply(250, str(Capability("X", text)))),
}
