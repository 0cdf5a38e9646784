"""The ESMTP extensions, one file each, and the set of all of them."""

from __future__ import annotations

from typing import Final

from .atrn import ATRN, Atrn
from .attributes import Unavailable
from .auth import AUTH, Auth, AuthResponse
from .burl import BURL, Burl, BurlLast
from .chunking import CHUNKING, Bdat, BdatLast
from .conversion import CONNEG, CONPERM
from .deliverby import BY, DELIVERBY, ByMode, DeliverBy
from .dsn import DSN, ENVID, NEVER, NOTIFY, ORCPT, RET, Notify, OriginalRecipient, Ret
from .eightbitmime import BINARYMIME, BODY, EIGHTBITMIME, Body
from .enhancedstatuscodes import ENHANCEDSTATUSCODES
from .etrn import ETRN, Etrn
from .extension import Check, Extension, ExtensionSet, Objection, ServerView, SessionView
from .futurerelease import FUTURERELEASE, HOLDFOR, HOLDUNTIL, ReleaseLimits
from .help import HELP
from .limits import LIMITS, Limits
from .mtpriority import MT_PRIORITY, PRIORITY
from .nosoliciting import NO_SOLICITING, SOLICIT
from .pipelining import PIPELINING
from .requiretls import REQUIRETLS
from .rrvs import RRVS, IfUnsupported, ValidSince
from .size import SIZE
from .smtputf8 import SMTPUTF8, UTF8
from .starttls import STARTTLS, StartTls
from .submitter import SUBMITTER, believed_submitter
from .timestamp import Timestamp
from .xclient import XCLIENT, XCLIENT_ATTRIBUTES, XClient
from .xforward import XFORWARD, XFORWARD_ATTRIBUTES, MessageSource, XForward

__all__ = [
    "ATRN",
    "AUTH",
    "BINARYMIME",
    "BODY",
    "BURL",
    "BY",
    "CHUNKING",
    "CONNEG",
    "CONPERM",
    "DELIVERBY",
    "DSN",
    "EIGHTBITMIME",
    "ENHANCEDSTATUSCODES",
    "ENVID",
    "ETRN",
    "FUTURERELEASE",
    "HELP",
    "HOLDFOR",
    "HOLDUNTIL",
    "LIMITS",
    "MT_PRIORITY",
    "NEVER",
    "NOTIFY",
    "NO_SOLICITING",
    "ORCPT",
    "PIPELINING",
    "PRIORITY",
    "REQUIRETLS",
    "RET",
    "RRVS",
    "SIZE",
    "SMTPUTF8",
    "SOLICIT",
    "STANDARD",
    "STARTTLS",
    "SUBMITTER",
    "UTF8",
    "XCLIENT",
    "XCLIENT_ATTRIBUTES",
    "XFORWARD",
    "XFORWARD_ATTRIBUTES",
    "Atrn",
    "Auth",
    "AuthResponse",
    "Bdat",
    "BdatLast",
    "Body",
    "Burl",
    "BurlLast",
    "ByMode",
    "Check",
    "DeliverBy",
    "Etrn",
    "Extension",
    "ExtensionSet",
    "IfUnsupported",
    "Limits",
    "MessageSource",
    "Notify",
    "Objection",
    "OriginalRecipient",
    "ReleaseLimits",
    "Ret",
    "ServerView",
    "SessionView",
    "StartTls",
    "Timestamp",
    "Unavailable",
    "ValidSince",
    "XClient",
    "XForward",
    "believed_submitter",
]

#: What both machines understand unless told otherwise.
STANDARD: Final = ExtensionSet(
    PIPELINING,
    SIZE,
    EIGHTBITMIME,
    SMTPUTF8,
    ENHANCEDSTATUSCODES,
    STARTTLS,
    AUTH,
    HELP,
    CHUNKING,
    BINARYMIME,
    ETRN,
    XCLIENT,
    XFORWARD,
    DSN,
    REQUIRETLS,
    DELIVERBY,
    FUTURERELEASE,
    MT_PRIORITY,
    RRVS,
    NO_SOLICITING,
    CONPERM,
    CONNEG,
    LIMITS,
    BURL,
    ATRN,
)
