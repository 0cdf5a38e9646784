"""The ESMTP extensions, one file each, and the set of all of them."""

from __future__ import annotations

from typing import Final

from .attributes import Unavailable
from .auth import AUTH, SUBMITTER, Auth, AuthResponse
from .auth import AUTH, Auth, AuthResponse
from .chunking import CHUNKING, Bdat, BdatLast
from .dsn import DSN, ENVID, NEVER, NOTIFY, ORCPT, RET, Notify, OriginalRecipient, Ret
from .eightbitmime import BINARYMIME, BODY, EIGHTBITMIME, Body
from .enhancedstatuscodes import ENHANCEDSTATUSCODES
from .etrn import ETRN, Etrn
from .extension import Check, Extension, ExtensionSet, SessionView
from .help import HELP
from .pipelining import PIPELINING
from .size import SIZE
from .smtputf8 import SMTPUTF8, UTF8
from .starttls import STARTTLS, StartTls
from .xclient import XCLIENT, XCLIENT_ATTRIBUTES, XClient
from .xforward import XFORWARD, XFORWARD_ATTRIBUTES, MessageSource, XForward
from .submitter import SUBMITTER, believed_submitter

__all__ = [
    "AUTH",
    "BINARYMIME",
    "BODY",
    "CHUNKING",
    "DSN",
    "EIGHTBITMIME",
    "ENHANCEDSTATUSCODES",
    "ENVID",
    "ETRN",
    "HELP",
    "NEVER",
    "NOTIFY",
    "ORCPT",
    "PIPELINING",
    "RET",
    "SIZE",
    "SMTPUTF8",
    "STANDARD",
    "STARTTLS",
    "SUBMITTER",
    "UTF8",
    "XCLIENT",
    "XCLIENT_ATTRIBUTES",
    "XFORWARD",
    "XFORWARD_ATTRIBUTES",
    "Auth",
    "AuthResponse",
    "Bdat",
    "BdatLast",
    "Body",
    "Check",
    "Etrn",
    "Extension",
    "ExtensionSet",
    "MessageSource",
    "Notify",
    "OriginalRecipient",
    "Ret",
    "SessionView",
    "StartTls",
    "Unavailable",
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
)
