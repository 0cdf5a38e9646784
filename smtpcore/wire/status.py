"""What enhanced status codes mean: the registry of RFC 5248, as a table.

    >>> meaning_of(EnhancedCode.parse("5.7.1")).text
    'Delivery not authorized, message refused'

The registry says nothing of the class: 4.2.2 and 5.2.2 are the same full mailbox, for now and for good. So the table
has subject and detail. :data:`CLASSES` and :data:`SUBJECTS` say what the first two numbers mean by themselves, which is
all there is to say of a code that nobody has registered.

The two replies of RFC 7504 are here as well, since no command has them for its usual answer:
:data:`HOST_TAKES_NO_MAIL` is a greeting, or an answer to anything; :data:`DOMAIN_TAKES_NO_MAIL` answers RCPT.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, final

from .reply import EnhancedCode, Reply
from .value import Value, assign

__all__ = [
    "CLASSES",
    "DOMAIN_TAKES_NO_MAIL",
    "HOST_TAKES_NO_MAIL",
    "STATUSES",
    "SUBJECTS",
    "Status",
    "is_registered",
    "meaning_of",
]


@final
class Status(Value):
    """One registered subject and detail, of any class (RFC 5248 s2.1)."""

    __slots__ = ("detail", "rule", "subject", "text")
    __match_args__ = ("subject", "detail", "text", "rule")

    subject: int
    detail: int
    text: str  #: What it means, in the registry's words.
    rule: str  #: Where it is defined.

    def __init__(self, subject: int, detail: int, text: str, rule: str) -> None:
        assign(self, "subject", subject)
        assign(self, "detail", detail)
        assign(self, "text", text)
        assign(self, "rule", rule)

    def __str__(self) -> str:
        return f"X.{self.subject}.{self.detail}"


#: RFC 3463 s3: what the first number says.
CLASSES: Final[Mapping[int, str]] = {2: "Success", 4: "Persistent Transient Failure", 5: "Permanent Failure"}
#: RFC 3463 s2: what the second number says.
SUBJECTS: Final[Mapping[int, str]] = {
    0: "Other or Undefined Status",
    1: "Addressing Status",
    2: "Mailbox Status",
    3: "Mail System Status",
    4: "Network and Routing Status",
    5: "Mail Delivery Protocol Status",
    6: "Message Content or Media Status",
    7: "Security or Policy Status",
}

_TABLE: Final[tuple[tuple[int, str, Mapping[int, str]], ...]] = (
    (0, "RFC 3463 s3.1", {0: "Other undefined Status"}),
    (
        1,
        "RFC 3463 s3.2",
        {
            0: "Other address status",
            1: "Bad destination mailbox address",
            2: "Bad destination system address",
            3: "Bad destination mailbox address syntax",
            4: "Destination mailbox address ambiguous",
            5: "Destination address valid",
            6: "Destination mailbox has moved, No forwarding address",
            7: "Bad sender's mailbox address syntax",
            8: "Bad sender's system address",
        },
    ),
    (1, "RFC 5248 s2.4", {9: "Message relayed to non-compliant mailer"}),
    (1, "RFC 7505", {10: "Recipient address has null MX"}),
    (
        2,
        "RFC 3463 s3.3",
        {
            0: "Other or undefined mailbox status",
            1: "Mailbox disabled, not accepting messages",
            2: "Mailbox full",
            3: "Message length exceeds administrative limit",
            4: "Mailing list expansion problem",
        },
    ),
    (
        3,
        "RFC 3463 s3.4",
        {
            0: "Other or undefined mail system status",
            1: "Mail system full",
            2: "System not accepting network messages",
            3: "System not capable of selected features",
            4: "Message too big for system",
            5: "System incorrectly configured",
        },
    ),
    (3, "RFC 6710 s10", {6: "Requested priority was changed"}),
    (
        4,
        "RFC 3463 s3.5",
        {
            0: "Other or undefined network or routing status",
            1: "No answer from host",
            2: "Bad connection",
            3: "Directory server failure",
            4: "Unable to route",
            5: "Mail system congestion",
            6: "Routing loop detected",
            7: "Delivery time expired",
        },
    ),
    (
        5,
        "RFC 3463 s3.6",
        {
            0: "Other or undefined protocol status",
            1: "Invalid command",
            2: "Syntax error",
            3: "Too many recipients",
            4: "Invalid command arguments",
            5: "Wrong protocol version",
        },
    ),
    (5, "RFC 4954 s6", {6: "Authentication Exchange line is too long"}),
    (
        6,
        "RFC 3463 s3.7",
        {
            0: "Other or undefined media error",
            1: "Media not supported",
            2: "Conversion required and prohibited",
            3: "Conversion required but not supported",
            4: "Conversion with loss performed",
            5: "Conversion Failed",
        },
    ),
    (6, "RFC 4468", {6: "Message content not available"}),
    (
        6,
        "RFC 6531 s4.2",
        {
            7: "Non-ASCII addresses not permitted for that sender/recipient",
            8: "UTF-8 string reply is required, but not permitted by the SMTP client",
            9: "UTF-8 header message cannot be transferred to one or more recipients, so the message must be rejected",
            10: "UTF-8 string reply is required, but not permitted by the SMTP client (obsolete, see X.6.8)",
        },
    ),
    (
        7,
        "RFC 3463 s3.8",
        {
            0: "Other or undefined security status",
            1: "Delivery not authorized, message refused",
            2: "Mailing list expansion prohibited",
            3: "Security conversion required but not possible",
            4: "Security features not supported",
            5: "Cryptographic failure",
            6: "Cryptographic algorithm not supported",
            7: "Message integrity failure",
        },
    ),
    (
        7,
        "RFC 4954 s6",
        {8: "Authentication credentials invalid", 9: "Authentication mechanism is too weak"},
    ),
    (7, "RFC 5248 s2.4", {10: "Encryption Needed"}),
    (
        7,
        "RFC 4954 s6",
        {
            11: "Encryption required for requested authentication mechanism",
            12: "A password transition is needed",
        },
    ),
    (7, "RFC 5248 s2.4", {13: "User Account Disabled", 14: "Trust relationship required"}),
    (
        7,
        "RFC 6710 s10",
        {15: "Priority Level is too low", 16: "Message is too big for the specified priority"},
    ),
    (
        7,
        "RFC 7293",
        {17: "Mailbox owner has changed", 18: "Domain owner has changed", 19: "RRVS test cannot be completed"},
    ),
    (
        7,
        "RFC 7372",
        {
            20: "No passing DKIM signature found",
            21: "No acceptable DKIM signature found",
            22: "No valid author-matched DKIM signature found",
        },
    ),
    (7, "RFC 7372", {23: "SPF validation failed", 24: "SPF validation error"}),
    (7, "RFC 7372", {25: "Reverse DNS validation failed"}),
    (7, "RFC 7372", {26: "Multiple authentication checks failed"}),
    (7, "RFC 7505", {27: "Sender address has null MX"}),
    (7, "", {28: "Mail flood detected"}),
    (7, "RFC 8617", {29: "ARC validation failure"}),
    (7, "RFC 8689 s7", {30: "REQUIRETLS support required"}),
)

#: The registered ones, by subject and detail.
STATUSES: Final[Mapping[tuple[int, int], Status]] = {
    (subject, detail): Status(subject, detail, text, rule)
    for subject, rule, details in _TABLE
    for detail, text in details.items()
}


def is_registered(code: EnhancedCode) -> bool:
    """Whether the subject and detail of this code are in the registry."""
    return (code.subject, code.detail) in STATUSES


def meaning_of(code: EnhancedCode) -> Status:
    """What a code says; of one that is not registered, no more than its subject does."""
    found = STATUSES.get((code.subject, code.detail))
    if found is not None:
        return found
    # RFC 3463 s3: of a detail that one does not know, the subject is to be heeded
    text = SUBJECTS.get(code.subject, "Unregistered subject")
    return Status(code.subject, code.detail, f"{text}, not registered", "RFC 3463 s2")


#: RFC 7504 s3: this host takes no mail at all. A handler's ``connected`` may say so, for a greeting.
HOST_TAKES_NO_MAIL: Final = Reply(521, "host does not accept mail", "5.3.2")
#: RFC 7504 s4: the domain of this recipient takes no mail, as its null MX says (RFC 7505 s4.2).
DOMAIN_TAKES_NO_MAIL: Final = Reply(556, "domain does not accept mail", "5.1.10")
