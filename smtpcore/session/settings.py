"""ServerSettings: what the owner of a server decides, once for all its connections."""

from __future__ import annotations

from typing import Final, TypedDict, final

from ..extensions import LIMITS, SIZE, STANDARD, ExtensionSet
from ..extensions.auth import AUTH_LINE_LIMIT
from ..extensions.limits import NO_LIMITS
from ..wire.capabilities import Capabilities
from ..wire.command import Helo
from ..wire.meter import TEXT_LINE_LIMIT
from ..wire.newlines import BareNewlines
from ..wire.tolerance import INTEROP, STRICT, Strictness
from ..wire.value import Value, assign
from ..wire.vocabulary import Vocabulary
from .limits import ServerLimits

__all__ = ["NO_CAPABILITIES", "ServerSettings", "SettingsOptions"]

NO_CAPABILITIES: Final = Capabilities()


class SettingsOptions(TypedDict, total=False):
    """What :class:`ServerSettings` takes by name, and means there."""

    strictness: Strictness
    bare_newlines: BareNewlines
    limits: ServerLimits | None
    extensions: ExtensionSet
    require_tls: bool
    require_auth: bool
    allow_plaintext_auth: bool
    lmtp: bool


@final
class ServerSettings(Value):
    """How a server behaves; one object serves any number of connections.

    Raises ParseError when ``hostname`` is neither a domain nor an address literal, and ValueError when
    LIMITS announces more recipients than the limits take.
    """

    __slots__ = (
        "allow_plaintext_auth",
        "bare_newlines",
        "capabilities",
        "domain_limit",
        "extensions",
        "hostname",
        "limits",
        "line_budget",
        "line_limit",
        "lmtp",
        "mail_limit",
        "recipient_limit",
        "require_auth",
        "require_tls",
        "size_limit",
        "strictness",
        "vocabulary",
    )
    __match_args__ = (
        "hostname",
        "capabilities",
        "strictness",
        "bare_newlines",
        "limits",
        "extensions",
        "require_tls",
        "require_auth",
        "allow_plaintext_auth",
        "lmtp",
    )

    hostname: str  #: What the server calls itself.
    capabilities: Capabilities  #: What it offers after EHLO.
    strictness: Strictness  #: How strictly commands are read.
    bare_newlines: BareNewlines  #: What becomes of a bare CR or LF in a message.
    limits: ServerLimits
    extensions: ExtensionSet  #: What the capabilities mean.
    require_tls: bool  #: Refuse all but EHLO, NOOP, STARTTLS and QUIT before TLS (RFC 3207 s4).
    require_auth: bool  #: Refuse MAIL before AUTH (RFC 4954 s6).
    allow_plaintext_auth: bool  #: Offer AUTH without TLS.
    lmtp: bool  #: Speak LMTP: LHLO, and a reply for each recipient behind the content (RFC 2033).
    vocabulary: Vocabulary  #: The verbs and parameters that are known.
    size_limit: int | None  #: Octets of the largest message, by the limits or by what SIZE announces.
    mail_limit: int | None  #: MAIL commands in a session, by what LIMITS announces (RFC 9422 s4.1).
    recipient_limit: int  #: Recipients of a message, by the limits or by what LIMITS announces (RFC 9422 s4.2).
    domain_limit: int | None  #: Different domains of recipients in a session, by LIMITS (RFC 9422 s4.3).
    line_limit: int  #: Octets of the longest line of a message.
    line_budget: int  #: Octets of a command line that are read to find its end.

    def __init__(
        self,
        hostname: str,
        capabilities: Capabilities = NO_CAPABILITIES,
        *,
        strictness: Strictness = INTEROP,
        bare_newlines: BareNewlines = BareNewlines.REJECT,
        limits: ServerLimits | None = None,
        extensions: ExtensionSet = STANDARD,
        require_tls: bool = False,
        require_auth: bool = False,
        allow_plaintext_auth: bool = False,
        lmtp: bool = False,
    ) -> None:
        Helo(hostname)  # must be a name that a greeting can carry
        assign(self, "hostname", hostname)
        assign(self, "capabilities", capabilities)
        assign(self, "strictness", strictness)
        assign(self, "bare_newlines", bare_newlines)
        limits = limits or _LIMITS
        assign(self, "limits", limits)
        # RFC 1870 s3: zero is no limit
        assign(self, "size_limit", limits.size or capabilities.get(SIZE) or None)
        announced = capabilities.get(LIMITS) or NO_LIMITS
        if announced.rcptmax is not None and announced.rcptmax > limits.recipients:
            raise ValueError(f"LIMITS announces RCPTMAX={announced.rcptmax}, and {limits.recipients} are taken")
        assign(self, "mail_limit", announced.mailmax)
        assign(self, "recipient_limit", announced.rcptmax or limits.recipients)
        assign(self, "domain_limit", announced.rcptdomainmax)
        assign(self, "line_limit", TEXT_LINE_LIMIT if strictness is STRICT else limits.text_line)
        # A line may be refused in step up to twice its limit.
        assign(self, "line_budget", 2 * max(limits.command_line, AUTH_LINE_LIMIT))
        assign(self, "extensions", extensions)
        assign(self, "require_tls", require_tls)
        assign(self, "require_auth", require_auth)
        assign(self, "allow_plaintext_auth", allow_plaintext_auth)
        assign(self, "lmtp", lmtp)
        assign(self, "vocabulary", extensions.lmtp_vocabulary() if lmtp else extensions.vocabulary)


_LIMITS: Final = ServerLimits()
