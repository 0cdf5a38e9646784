"""The commands of RFC 5321 as values, and the one place where a command line is written or read.

Every command is immutable and checked when it is built; ``bytes(command)`` is its line with
CRLF, and ``parse_command(line)`` is the inverse. Which verbs and parameters there are is a
:class:`~smtpcore.wire.vocabulary.Vocabulary`, so that an extension adds its own without touching
this file.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final, final

from ..errors import ParseError
from . import grammar
from .address import POSTMASTER, SHORT, Mailbox, Postmaster, plain_mailbox
from .host import AddressLiteral, Domain, parse_host
from .line import encode_line
from .parameter import Parameter
from .parameters import NO_PARAMETERS, Parameters, make_parameters, parse_parameters
from .path import parse_path, skip_prefix
from .tolerance import INTEROP, Tolerance
from .value import assign, draft, exact, setter
from .vocabulary import Command, Vocabulary, set_raw

__all__ = [
    "BASE_VOCABULARY",
    "Command",
    "Data",
    "Ehlo",
    "Expn",
    "Greeting",
    "Helo",
    "Help",
    "Lhlo",
    "Mail",
    "Noop",
    "Quit",
    "Rcpt",
    "Rset",
    "UnknownCommand",
    "Vrfy",
    "parse_command",
]


class UnknownCommand(ParseError):
    """A line whose verb is not in the vocabulary: reply 500 (RFC 5321 s4.2.4)."""


def parse_command(line: bytes, vocabulary: Vocabulary | None = None, tolerance: Tolerance | None = None) -> Command:
    """The command in one line, which comes without its CRLF.

    Raises UnknownCommand when the verb is in no vocabulary, UnknownParameter when a keyword of
    MAIL or RCPT is not, ParseError for any other fault; offsets count from the verb.
    """
    if vocabulary is None:
        vocabulary = BASE_VOCABULARY
    ready = vocabulary.ready.get(line)
    if ready is not None:
        return ready
    # RFC 5321 s4.1.1: "servers SHOULD tolerate trailing white space"
    whole = line.rstrip(b" \t") if line[-1:] in _BLANK else line
    verb, space, rest = whole.partition(b" ")
    # RFC 5321 s2.4: verbs are not case sensitive
    found = vocabulary.verbs.get(verb) or vocabulary.verbs.get(verb.upper())
    if found is None:
        raise UnknownCommand("command not recognized", 0, "RFC 5321 s4.2.4", _show(verb))
    try:
        text = rest.decode("utf-8", "surrogateescape") if space else None
        command = found.parse_arguments(text, vocabulary, tolerance or Tolerance())
    except ParseError as error:
        error.where += len(verb) + 1
        raise
    set_raw(command, None if found.confidential else line)
    return command


_BLANK: Final = frozenset((b" ", b"\t"))


def _show(text: bytes) -> str:
    return text[:100].decode("ascii", "backslashreplace")


class Greeting(Command):
    """HELO, EHLO and LHLO: the client says who it is (RFC 5321 s4.1.1.1, RFC 2033 s4.1).

    ``client`` is the client's domain, or its address as a literal such as ``[192.0.2.1]``.
    Raises ParseError when it is neither. A name received may break that rule and is kept as it
    came, since refusing mail over it helps nobody.
    """

    __slots__ = ("client",)
    __match_args__ = ("client",)

    client: str  #: A domain or an address literal, as written.

    def __init__(self, client: str | Domain | AddressLiteral) -> None:
        super().__init__()
        text = exact(str(client) if isinstance(client, (Domain, AddressLiteral)) else client)
        _, end = parse_host(text, 0, Tolerance())
        if end != len(text):
            raise ParseError("not a domain or address literal", end, "RFC 5321 s4.1.1.1", text)
        assign(self, "client", text)

    def arguments(self) -> str:
        """The name, after a space."""
        return f" {self.client}"

    @classmethod
    def parse_arguments(cls, text: str | None, vocabulary: Vocabulary, tolerance: Tolerance) -> Greeting:
        """``Domain / address-literal``."""
        if not text:
            raise ParseError(f"{cls.verb} needs a domain", 0, "RFC 5321 s4.1.1.1")
        if not _NAME.fullmatch(text) or grammar.find_forbidden(text) >= 0:
            raise ParseError("not a domain or address literal", 0, "RFC 5321 s4.1.1.1", text)
        try:
            _, end = parse_host(text, 0, Tolerance())
        except ParseError:
            end = -1
        if end != len(text):
            # RFC 5321 s4.1.4: a server must not refuse mail because such a name cannot be verified
            tolerance.permit(INTEROP, "not a domain or address literal", 0, "RFC 5321 s4.1.1.1", text)
        command = cls.__new__(cls)
        assign(command, "client", text)
        return command


_NAME: Final = re.compile(r"[^\x00- \x7f]{1,255}")


@final
class Helo(Greeting):
    """HELO: the greeting without extensions (RFC 5321 s4.1.1.1)."""

    __slots__ = ()
    verb: ClassVar[str] = "HELO"


@final
class Ehlo(Greeting):
    """EHLO: the greeting that is answered with the server's capabilities (RFC 5321 s4.1.1.1)."""

    __slots__ = ()
    verb: ClassVar[str] = "EHLO"


@final
class Lhlo(Greeting):
    """LHLO: what EHLO is called in LMTP (RFC 2033 s4.1)."""

    __slots__ = ()
    verb: ClassVar[str] = "LHLO"


@final
class Mail(Command):
    """MAIL: begins a transaction (RFC 5321 s4.1.1.2).

    ``Mail(None)`` is the null reverse-path ``<>``; parameters follow as values::

        >>> bytes(Mail(Mailbox.parse("alice@crepes.fr")))
        b'MAIL FROM:<alice@crepes.fr>\\r\\n'
    """

    __slots__ = ("parameters", "sender")
    __match_args__ = ("sender", "parameters")
    verb: ClassVar[str] = "MAIL"
    pipelines: ClassVar[bool] = True

    sender: Mailbox | None  #: None is the null reverse-path.
    parameters: Parameters

    def __init__(self, sender: Mailbox | None, *parameters: Parameter[Any]) -> None:
        if type(sender) is not Mailbox and sender is not None:
            raise TypeError(f"sender must be a Mailbox or None, not {type(sender).__name__}; see Mailbox.parse")
        _set_sender(self, sender)
        _set_mail_parameters(self, make_parameters(parameters) if parameters else NO_PARAMETERS)

    def encode(self) -> bytes:
        """The line as octets, with CRLF."""
        sender = self.sender
        return encode_line(f"MAIL FROM:<{'' if sender is None else sender.written}>{self.parameters.written}")

    @classmethod
    def parse_arguments(cls, text: str | None, vocabulary: Vocabulary, tolerance: Tolerance) -> Mail:
        """``FROM: Reverse-path [SP Mail-parameters]``."""
        text = text or ""
        sender: Mailbox | None
        found = _match_from(text)
        if found and (end := found.end()) <= SHORT:
            sender = plain_mailbox(found[1])
        else:
            pos = skip_prefix(text, "FROM:", tolerance)
            # RFC 5321 s4.5.5: the null reverse-path
            sender, end = (None, pos + 2) if text[pos : pos + 2] == "<>" else parse_path(text, pos, tolerance)
        known = vocabulary.mail_parameters
        made = _MailDraft()
        made.sender = sender
        made.parameters = NO_PARAMETERS if end == len(text) else parse_parameters(text, end, known)
        made.__class__ = Mail
        command: Mail = made
        return command


@final
class Rcpt(Command):
    """RCPT: names one recipient (RFC 5321 s4.1.1.3).

    The recipient is a mailbox, or ``POSTMASTER`` for ``<Postmaster>`` without a domain.
    """

    __slots__ = ("parameters", "recipient")
    __match_args__ = ("recipient", "parameters")
    verb: ClassVar[str] = "RCPT"
    pipelines: ClassVar[bool] = True

    recipient: Mailbox | Postmaster
    parameters: Parameters

    def __init__(self, recipient: Mailbox | Postmaster, *parameters: Parameter[Any]) -> None:
        if type(recipient) is not Mailbox and type(recipient) is not Postmaster:
            raise TypeError(f"recipient must be a Mailbox, not {type(recipient).__name__}; see Mailbox.parse")
        _set_recipient(self, recipient)
        _set_rcpt_parameters(self, make_parameters(parameters) if parameters else NO_PARAMETERS)

    def encode(self) -> bytes:
        """The line as octets, with CRLF."""
        return encode_line(f"RCPT TO:<{self.recipient.written}>{self.parameters.written}")

    @classmethod
    def parse_arguments(cls, text: str | None, vocabulary: Vocabulary, tolerance: Tolerance) -> Rcpt:
        """``TO: Forward-path [SP Rcpt-parameters]``."""
        text = text or ""
        recipient: Mailbox | Postmaster
        found = _match_to(text)
        if found and (end := found.end()) <= SHORT:
            recipient = plain_mailbox(found[1])
        elif text[3:4] == "<" and text[:15].upper() == "TO:<POSTMASTER>" and text[:15].isascii():
            recipient, end = POSTMASTER, len("TO:<Postmaster>")  # RFC 5321 s4.1.1.3
        else:
            recipient, end = parse_path(text, skip_prefix(text, "TO:", tolerance), tolerance)
        known = vocabulary.rcpt_parameters
        made = _RcptDraft()
        made.recipient = recipient
        made.parameters = NO_PARAMETERS if end == len(text) else parse_parameters(text, end, known)
        made.__class__ = Rcpt
        command: Rcpt = made
        return command


_match_from, _match_to = grammar.FROM_PATH.match, grammar.TO_PATH.match
_MailDraft, _RcptDraft = draft(Mail), draft(Rcpt)
_set_sender, _set_mail_parameters = setter(Mail, "sender"), setter(Mail, "parameters")
_set_recipient, _set_rcpt_parameters = setter(Rcpt, "recipient"), setter(Rcpt, "parameters")


@final
class Data(Command):
    """DATA: asks leave to send the content (RFC 5321 s4.1.1.4)."""

    __slots__ = ()
    verb: ClassVar[str] = "DATA"


@final
class Rset(Command):
    """RSET: drops the transaction (RFC 5321 s4.1.1.5)."""

    __slots__ = ()
    verb: ClassVar[str] = "RSET"
    pipelines: ClassVar[bool] = True


@final
class Quit(Command):
    """QUIT: ends the session (RFC 5321 s4.1.1.10)."""

    __slots__ = ()
    verb: ClassVar[str] = "QUIT"


class _Text(Command):
    """A verb with free text behind it."""

    __slots__ = ("text",)
    __match_args__ = ("text",)
    text: str

    def __init__(self, text: str = "") -> None:
        super().__init__()
        text = exact(text)
        if not grammar.PRINTABLE.fullmatch(text) or text[-1:] in {" ", "\t"} or "\t" in text:
            raise ParseError(f"not a text for {self.verb}", 0, "RFC 5321 s4.1.2", text)
        if self.needs_text and not text:
            raise ParseError(f"{self.verb} needs an argument", 0, "RFC 5321 s4.1.1")
        assign(self, "text", text)

    #: Whether the verb makes no sense alone.
    needs_text: ClassVar[bool] = False

    def arguments(self) -> str:
        """The text, after a space when there is any."""
        return f" {self.text}" if self.text else ""

    @classmethod
    def parse_arguments(cls, text: str | None, vocabulary: Vocabulary, tolerance: Tolerance) -> Command:
        """``[ SP String ]``."""
        return cls(text or "")


@final
class Vrfy(_Text):
    """VRFY: asks whether ``text`` names a user or mailbox (RFC 5321 s4.1.1.6)."""

    __slots__ = ()
    verb: ClassVar[str] = "VRFY"
    needs_text: ClassVar[bool] = True


@final
class Expn(_Text):
    """EXPN: asks for the members of the mailing list ``text`` (RFC 5321 s4.1.1.7)."""

    __slots__ = ()
    verb: ClassVar[str] = "EXPN"
    needs_text: ClassVar[bool] = True


@final
class Help(_Text):
    """HELP: asks for help, about ``text`` or in general (RFC 5321 s4.1.1.8)."""

    __slots__ = ()
    verb: ClassVar[str] = "HELP"


@final
class Noop(_Text):
    """NOOP: asks for a positive reply; ``text`` is ignored (RFC 5321 s4.1.1.9)."""

    __slots__ = ()
    verb: ClassVar[str] = "NOOP"


#: RFC 5321 without any extension.
BASE_VERBS: Final[tuple[type[Command], ...]] = (Ehlo, Helo, Mail, Rcpt, Data, Rset, Vrfy, Expn, Help, Noop, Quit)
BASE_VOCABULARY: Final = Vocabulary(BASE_VERBS)
