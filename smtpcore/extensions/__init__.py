"""The ESMTP extensions, one file each, and the set of all of them."""

from __future__ import annotations

from typing import Final

from .auth import AUTH, SUBMITTER, Auth, AuthResponse
from .chunking import CHUNKING, Bdat, BdatLast
from .eightbitmime import BINARYMIME, BODY, EIGHTBITMIME, Body
from .enhancedstatuscodes import ENHANCEDSTATUSCODES
from .etrn import ETRN, Etrn
from .extension import Check, Extension, ExtensionSet, SessionView
from .help import HELP
from .pipelining import PIPELINING
from .size import SIZE
from .smtputf8 import SMTPUTF8, UTF8
from .starttls import STARTTLS, StartTls

__all__ = [
    "AUTH",
    "BINARYMIME",
    "BODY",
    "CHUNKING",
    "EIGHTBITMIME",
    "ENHANCEDSTATUSCODES",
    "ETRN",
    "HELP",
    "PIPELINING",
    "SIZE",
    "SMTPUTF8",
    "STANDARD",
    "STARTTLS",
    "SUBMITTER",
    "UTF8",
    "Auth",
    "AuthResponse",
    "Bdat",
    "BdatLast",
    "Body",
    "Check",
    "Etrn",
    "Extension",
    "ExtensionSet",
    "SessionView",
    "StartTls",
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
)
