"""Extension: what one ESMTP extension adds to the conversation, as one value.

An extension is data and a few pure functions, so both machines can read it: its EHLO keyword, the
parameters that it adds to MAIL and RCPT, its verbs with their rows of the table, and what a
server checks before its application sees a command. A machine is given an :class:`ExtensionSet`;
nothing is registered globally.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, final

from ..errors import ParseError
from ..table import HAPPENINGS, TRANSITIONS, State, Transitions, after_success, merge
from ..wire import grammar
from ..wire.address import Mailbox, Postmaster
from ..wire.capabilities import Capabilities, Capability
from ..wire.command import BASE_VERBS, Command, Ehlo, Helo, Lhlo, Mail
from ..wire.parameter import Keyed, Parameter, ParameterType
from ..wire.reply import Reply
from ..wire.vocabulary import Vocabulary

__all__ = ["Check", "Extension", "ExtensionSet", "Objection", "ServerView", "SessionView"]

T = TypeVar("T")


class SessionView(Protocol):
    """What a check may know about the session that a command arrived in."""

    @property
    def capabilities(self) -> Capabilities:
        """What this server offers now."""
        ...

    @property
    def size_limit(self) -> int | None:
        """Octets of the largest message that this server takes; None for no limit."""
        ...

    @property
    def esmtp(self) -> bool:
        """Whether the client said EHLO (or LHLO) and not HELO."""
        ...

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        ...

    @property
    def authenticated(self) -> bool:
        """Whether AUTH has succeeded."""
        ...

    @property
    def trusted(self) -> bool:
        """Whether the client may say who its own client is."""
        ...

    @property
    def proxied(self) -> bool:
        """Whether it has, by XCLIENT."""
        ...

    @property
    def mail(self) -> Mail | None:
        """The MAIL of the transaction in hand."""
        ...

    @property
    def sender(self) -> Mailbox | None:
        """The reverse-path of the transaction in hand."""
        ...

    @property
    def recipients(self) -> tuple[Mailbox | Postmaster, ...]:
        """The accepted recipients of the transaction in hand."""
        ...

    @property
    def allow_plaintext_auth(self) -> bool:
        """Whether AUTH is to be had without TLS."""
        ...

    @property
    def require_auth(self) -> bool:
        """Whether a transaction needs AUTH first."""
        ...


class ServerView(Protocol):
    """What an objection may know about the server that a command is for."""

    @property
    def capabilities(self) -> Capabilities:
        """What it offers."""
        ...

    @property
    def verified(self) -> bool:
        """Whether it has shown, by a certificate that was verified, that it is who was asked for."""
        ...


#: Looks at a command before the application does; a reply refuses it.
Check: TypeAlias = Callable[[SessionView, Any], "Reply | None"]
#: Looks at MAIL or RCPT before a client says it to this server: why it must not; empty: it may.
Objection: TypeAlias = Callable[[ServerView, Any], str]


@final
class Extension(Generic[T]):
    """One ESMTP extension (RFC 5321 s2.2).

    ``argument`` reads and writes what stands behind the keyword in the EHLO reply. Where MAIL or
    RCPT have a parameter of the same name and kind, the extension called with a value gives a
    :class:`~smtpcore.wire.parameter.Parameter` that serves in both places; :meth:`offer` gives
    the capability alone. Where nothing stands behind the keyword, the call gives the parameter of
    that name::

        Capabilities(PIPELINING, SIZE(35_882_577), AUTH.offer(("PLAIN", "LOGIN")))
        Mail(sender, SIZE(1200), REQUIRETLS(True))
    """

    __slots__ = (
        "_make",
        "announced",
        "argument",
        "checks",
        "covers",
        "keyword",
        "mail_parameters",
        "needs_tls",
        "objection",
        "parameter_checks",
        "rcpt_parameters",
        "rfc",
        "transitions",
        "verbs",
    )

    def __init__(
        self,
        keyword: str,
        rfc: str,
        *,
        argument: ParameterType[T] | None = None,
        mail_parameters: Iterable[Keyed[Any]] = (),
        rcpt_parameters: Iterable[Keyed[Any]] = (),
        verbs: Iterable[type[Command]] = (),
        transitions: Transitions | None = None,
        checks: Mapping[type[Command], Check] | None = None,
        parameter_checks: Mapping[Keyed[Any], Check] | None = None,
        announced: Callable[[SessionView], bool] | None = None,
        covers: Callable[[Parameter[Any]], bool] | None = None,
        needs_tls: bool = False,
        objection: Objection | None = None,
    ) -> None:
        if not grammar.KEYWORD.fullmatch(keyword):
            raise ParseError("not an EHLO keyword", 0, "RFC 5321 s4.1.1.1", keyword)
        self.keyword = keyword.upper()  #: The EHLO keyword.
        self.rfc = rfc  #: Where it is defined.
        self.argument = argument
        self.mail_parameters = tuple(mail_parameters)  #: What it adds to MAIL.
        self.rcpt_parameters = tuple(rcpt_parameters)  #: What it adds to RCPT.
        # What a call makes: the argument, where it is a parameter too; or, without an argument, what is called the same
        parameters = (*self.mail_parameters, *self.rcpt_parameters)
        named = [key for key in parameters if isinstance(key, ParameterType) and key.keyword == self.keyword]
        makes: ParameterType[T] | None = argument if argument in parameters else None
        parameter = named[0] if argument is None and named else makes
        self._make: Callable[[T], Parameter[T]] | None = None if parameter is None else parameter.__call__
        self.verbs = tuple(verbs)  #: The commands it adds.
        self.transitions: Transitions = transitions or {}  #: Their rows of the table.
        self.checks: Mapping[type[Command], Check] = checks or {}  #: What a server asks before its application does.
        #: The same about a MAIL or RCPT with that parameter; what says nothing of it is not looked at.
        self.parameter_checks: Mapping[Keyed[Any], Check] = parameter_checks or {}
        #: Whether it is to be had within TLS only: not announced outside, and what is announced outside does not count.
        self.needs_tls = needs_tls
        if announced is None and needs_tls:
            announced = _within_tls
        self.announced = announced  #: Whether a server that has it says so in this session; None: always.
        self.covers = covers  #: Which of its parameters a server that offers it takes; None: all.
        self.objection = objection  #: Why a client must not say a command with one of its parameters; None: it may.

    def __call__(self, value: T) -> Parameter[T]:
        """The parameter of MAIL or RCPT, and the capability, with this value.

        Raises ParseError for a value that it cannot have, TypeError when there is no such parameter.
        """
        if self._make is None:
            raise TypeError(f"{self.keyword} is no parameter with a value of that kind; see offer()")
        return self._make(value)

    def offer(self, value: T) -> Capability:
        """The capability with this value. Raises ParseError for a value that it cannot have."""
        if self.argument is None:
            raise TypeError(f"{self.keyword} takes no value")
        return Capability(self.keyword, self.argument.encode(value))

    def decode(self, text: str | None, /) -> T:
        """Read what stands behind the keyword. Raises ParseError."""
        if self.argument is None:
            raise ParseError(f"{self.keyword} takes no value", 0, self.rfc, text or "")
        return self.argument.decode(text)

    def __repr__(self) -> str:
        return f"Extension({self.keyword!r})"


def _within_tls(session: SessionView) -> bool:
    return session.tls


@final
class ExtensionSet:
    """The extensions that a machine understands, and the sum of what they add.

    Whether a server offers one is a matter of its capabilities; whether a client may use one, of
    what the server offered. ``STANDARD.with_extensions(MINE)`` adds one of your own.
    """

    __slots__ = (
        "_extensions",
        "_objections",
        "checks",
        "parameter_checks",
        "parameter_owners",
        "successes",
        "transitions",
        "verb_owner",
        "vocabulary",
    )

    def __init__(self, *extensions: Extension[Any]) -> None:
        by_keyword = {extension.keyword: extension for extension in extensions}
        held = tuple(by_keyword.values())
        self._extensions = by_keyword
        #: What parsers need to know.
        self.vocabulary = Vocabulary(
            [*BASE_VERBS, *[verb for extension in held for verb in extension.verbs]],
            [key for extension in held for key in extension.mail_parameters],
            [key for extension in held for key in extension.rcpt_parameters],
        )
        #: The base table and the rows of all extensions.
        self.transitions = merge([TRANSITIONS, *[extension.transitions for extension in held]])
        #: What a client may send in each state, and where success leads from there.
        self.successes: Mapping[State, Mapping[type[Command], State]] = {
            state: {kind: after_success(row, state) for kind, row in rows.items() if kind not in HAPPENINGS}
            for state, rows in self.transitions.items()
        }
        #: The extension that a verb came with; the verbs of RFC 5321 are not in it.
        self.verb_owner: Mapping[type[Command], Extension[Any]] = {
            verb: extension for extension in held for verb in extension.verbs
        }
        owners: dict[str, tuple[Extension[Any], ...]] = {}
        for extension in held:
            for key in (*extension.mail_parameters, *extension.rcpt_parameters):
                owners[key.keyword] = (*owners.get(key.keyword, ()), extension)
        #: The extensions that a parameter of MAIL or RCPT came with, by the parameter's keyword.
        self.parameter_owners: Mapping[str, tuple[Extension[Any], ...]] = owners
        # Most parameters have none, and are in no need of being looked at
        self._objections: dict[str, list[Objection]] = {}
        for extension in held:
            if extension.objection is not None:
                for key in (*extension.mail_parameters, *extension.rcpt_parameters):
                    self._objections.setdefault(key.keyword, []).append(extension.objection)
        checks: dict[type[Command], list[Check]] = {}
        for extension in held:
            for command, check in extension.checks.items():
                checks.setdefault(command, []).append(check)
        #: The checks of each command, in the order of the extensions.
        self.checks: Mapping[type[Command], tuple[Check, ...]] = {
            command: tuple(found) for command, found in checks.items()
        }
        guards: dict[str, tuple[Check, ...]] = {}
        for extension in held:
            for key, check in extension.parameter_checks.items():
                guards[key.keyword] = (*guards.get(key.keyword, ()), check)
        #: The checks of each parameter of MAIL or RCPT, by its keyword, in the order of the extensions.
        self.parameter_checks: Mapping[str, tuple[Check, ...]] = guards

    def lmtp_vocabulary(self) -> Vocabulary:
        """What a parser needs to know for LMTP, which has LHLO in place of EHLO and HELO (RFC 2033 s4.1)."""
        known = self.vocabulary
        verbs = [verb for verb in known.verbs.values() if verb not in {Ehlo, Helo}]
        return Vocabulary([Lhlo, *verbs], known.mail_parameters.values(), known.rcpt_parameters.values())

    def with_extensions(self, *more: Extension[Any]) -> ExtensionSet:
        """The same and these; one with a keyword that is there already takes its place."""
        return ExtensionSet(*self._extensions.values(), *more)

    def is_offered(self, parameter: Parameter[Any], capabilities: Capabilities) -> bool:
        """Whether a server with these capabilities takes that parameter, with that value."""
        for extension in self.parameter_owners.get(parameter.keyword, ()):
            if extension.keyword in capabilities and (extension.covers is None or extension.covers(parameter)):
                return True
        return False

    def certain(self, capabilities: Capabilities) -> frozenset[str]:
        """The keywords of the parameters that a server with these capabilities takes with any value."""
        return frozenset([
            keyword
            for keyword, owners in self.parameter_owners.items()
            if any(owner.covers is None and owner.keyword in capabilities for owner in owners)
        ])  # fmt: skip

    def free(self, capabilities: Capabilities) -> frozenset[str]:
        """Those of them that no extension objects to, so that a client may say them to such a server."""
        return self.certain(capabilities) - self._objections.keys()

    def objection(self, command: Any, server: ServerView) -> str:
        """Why a client must not say this MAIL or RCPT to this server; empty: it may."""
        for keyword in self._objections.keys() & command.parameters.keywords:
            for objection in self._objections[keyword]:
                why = objection(server, command)
                if why:
                    return why
        return ""

    def within(self, capabilities: Capabilities, *, tls: bool) -> Capabilities:
        """What counts of these capabilities: what needs TLS does not count outside of it."""
        beyond = [] if tls else [each for each in self._extensions.values() if each.needs_tls and each in capabilities]
        return capabilities.without(*beyond) if beyond else capabilities

    def __iter__(self) -> Iterator[Extension[Any]]:
        return iter(self._extensions.values())

    def __contains__(self, key: object) -> bool:
        keyword = key if isinstance(key, str) else getattr(key, "keyword", None)
        return isinstance(keyword, str) and keyword.isascii() and keyword.upper() in self._extensions

    def __len__(self) -> int:
        return len(self._extensions)
