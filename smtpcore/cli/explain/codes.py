"""Reply codes and enhanced status codes in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ...extensions import Auth, AuthResponse, Etrn, StartTls, XClient
from ...table import Connect, EndOfContent
from ...wire.command import Command, Data, Ehlo, Expn, Helo, Lhlo, Mail, Noop, Quit, Rcpt, Rset, Vrfy
from ...wire.reply import EnhancedCode
from ...wire.status import meaning_of
from .story import Remark

__all__ = ["OWNERS", "explain_code", "explain_enhanced"]

# RFC 5321 s4.2.3
CODES: Final[Mapping[int, Remark]] = {
    211: Remark("System status, or help.", "RFC 5321 s4.2.3"),
    214: Remark("Help for people.", "RFC 5321 s4.2.3"),
    220: Remark("The server is ready.", "RFC 5321 s4.2.3"),
    221: Remark("The server closes the connection.", "RFC 5321 s4.2.3"),
    235: Remark("Authentication succeeded.", "RFC 4954 s6"),
    250: Remark("Done.", "RFC 5321 s4.2.3"),
    251: Remark("Not a local user; the server will forward.", "RFC 5321 s3.4"),
    252: Remark("Cannot verify the user, but will take mail for it.", "RFC 5321 s3.5.3"),
    253: Remark("Mail is waiting and will be sent.", "RFC 1985 s5.3"),
    334: Remark("A challenge: the client has to respond.", "RFC 4954 s4"),
    354: Remark("Go ahead with the content; end it with a line of one dot.", "RFC 5321 s4.1.1.4"),
    421: Remark("The service is not available; the server closes the connection.", "RFC 5321 s3.8"),
    422: Remark("Refused for now: the mailbox is full.", ""),
    432: Remark("A password transition is needed.", "RFC 4954 s6"),
    450: Remark("Refused for now: the mailbox is not available.", "RFC 5321 s4.2.3"),
    451: Remark("Refused for now: an error in processing.", "RFC 5321 s4.2.3"),
    452: Remark("Refused for now: not enough storage, or too many recipients.", "RFC 5321 s4.5.3.1.10"),
    454: Remark("Refused for now: TLS or authentication is not available.", "RFC 3207 s4"),
    455: Remark("The server cannot do what the parameters ask for now.", "RFC 5321 s4.1.1.11"),
    500: Remark("Syntax error: the command was not recognized.", "RFC 5321 s4.2.4"),
    501: Remark("Syntax error in the parameters or arguments.", "RFC 5321 s4.2.2"),
    502: Remark("The command is not implemented.", "RFC 5321 s4.2.4"),
    503: Remark("Bad sequence of commands.", "RFC 5321 s4.1.4"),
    504: Remark("A parameter is not implemented.", "RFC 5321 s4.2.2"),
    521: Remark("This host takes no mail.", "RFC 7504 s3"),
    523: Remark("Encryption is needed for this mechanism.", "RFC 4954 s6"),
    530: Remark("Authentication, or TLS, is required first.", "RFC 4954 s6"),
    534: Remark("The authentication mechanism is too weak.", "RFC 4954 s6"),
    535: Remark("The credentials are invalid.", "RFC 4954 s6"),
    538: Remark("Encryption is required for this mechanism.", "RFC 4954 s6"),
    550: Remark("Refused for good: no such mailbox, no access, or policy.", "RFC 5321 s4.2.3"),
    551: Remark("Refused for good: the user is not local; another path is named.", "RFC 5321 s3.4"),
    552: Remark("Refused for good: too big, or no storage left.", "RFC 5321 s4.2.3"),
    553: Remark("Refused for good: the mailbox name is not allowed.", "RFC 5321 s4.2.3"),
    554: Remark("Refused for good: the transaction failed, or there is no SMTP service here.", "RFC 5321 s4.2.3"),
    555: Remark("A parameter of MAIL or RCPT was not recognized.", "RFC 5321 s4.1.1.11"),
    556: Remark("Refused for good: the domain takes no mail.", "RFC 7504 s4"),
}
_CLASSES: Final = {
    2: "Done, with a code of the server's own.",
    3: "More is expected, with a code of the server's own.",
    4: "Refused for now, with a code of the server's own; the same may succeed later.",
    5: "Refused for good, with a code of the server's own.",
}

_HELLO: Final = Remark(
    "The server knows the client by this name now, and a transaction may begin.", "RFC 5321 s4.1.1.1"
)
#: What success means, said of the command and not of the code.
_SUCCESS: Final[Mapping[type[Command], Remark]] = {
    Connect: Remark("The greeting: the server is ready.", "RFC 5321 s3.1"),
    Ehlo: Remark("The server knows the client by this name now, and offers these extensions.", "RFC 5321 s4.1.1.1"),
    Lhlo: Remark("The server knows the client by this name now, and offers these extensions.", "RFC 2033 s4.1"),
    Helo: _HELLO,
    Mail: Remark("The reverse-path is accepted: a transaction has begun.", "RFC 5321 s3.3"),
    Rcpt: Remark("This recipient is accepted.", "RFC 5321 s3.3"),
    EndOfContent: Remark(
        "The server has the message and is responsible for it: it delivers, relays or reports.", "RFC 5321 s4.2.5"
    ),
    Rset: Remark("The transaction is dropped; the session goes on.", "RFC 5321 s4.1.1.5"),
    Noop: Remark("Nothing was asked for, and nothing was done.", "RFC 5321 s4.1.1.9"),
    Quit: Remark("The server says goodbye and closes the connection.", "RFC 5321 s4.1.1.10"),
    StartTls: Remark("The server is ready for the TLS handshake.", "RFC 3207 s4"),
    XClient: Remark("The session begins anew, with another client."),
    Auth: Remark("Authentication succeeded.", "RFC 4954 s4"),
    AuthResponse: Remark("Authentication succeeded.", "RFC 4954 s4"),
    Vrfy: Remark("The server says what it knows of the name.", "RFC 5321 s3.5"),
    Expn: Remark("The server names the members of the list.", "RFC 5321 s3.5"),
}
_CHALLENGE: Final = CODES[334]

#: Codes that answer some commands only: another reply would be taken for something that it is not.
OWNERS: Final[Mapping[int, tuple[type[Command], ...]]] = {
    220: (Connect, StartTls, XClient),
    221: (Quit,),
    235: (Auth, AuthResponse),
    251: (Rcpt, Vrfy, Expn, Etrn),
    252: (Vrfy, Expn, Rcpt, Etrn),
    253: (Etrn,),
    334: (Auth, AuthResponse),
    354: (Data,),
}


def explain_code(code: int, kind: type[Command] | None) -> Remark:
    """What a reply with that code to a command of that kind says."""
    success = _SUCCESS.get(kind) if kind is not None and code in {250, 220, 221, 235} else None
    if success is not None and (code == 250 or kind in OWNERS[code]):
        return success
    if kind is Connect and code >= 400:
        return Remark("The server refuses to speak SMTP with this client.", "RFC 5321 s3.1")
    return CODES.get(code) or Remark(_CLASSES[code // 100], "RFC 5321 s4.2.1")


_CLASS_WORDS: Final = {2: "success", 4: "refused for now", 5: "refused for good"}


def explain_enhanced(code: EnhancedCode) -> Remark:
    """The enhanced status code in words (RFC 3463)."""
    meaning = meaning_of(code)
    if not code.subject and not code.detail:
        return Remark(f"{code}: {_CLASS_WORDS[code.klass]}.", meaning.rule)
    text = meaning.text
    # Within a sentence, unless it begins with an abbreviation
    if text[1:2].islower():
        text = text[0].lower() + text[1:]
    return Remark(f"{code}: {_CLASS_WORDS[code.klass]}, {text}.", meaning.rule)
