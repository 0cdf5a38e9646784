"""smtpcore: the SMTP protocol as pure values and state machines.

Octets in, events out, octets out. Nothing here owns a socket, a clock or a thread; the adapters
in :mod:`smtpcore.adapters` do, and are imported by name.
"""

from __future__ import annotations

from .errors import LocalProtocolError, ParseError, ProtocolError, RemoteProtocolError
from .extensions import Auth, AuthResponse, Bdat, BdatLast, Extension, ExtensionSet, StartTls
from .session.client import ClientConnection
from .session.event import (
    NEED_DATA,
    PAUSED,
    ClientEvent,
    CommandReceived,
    CommandRejected,
    CommandSkipped,
    ConnectionClosed,
    ContentEnded,
    ContentReceived,
    ContentRejected,
    ForeignProtocol,
    ReplyReceived,
    ServerEvent,
    Signal,
    VerdictReceived,
)
from .session.limits import ClientLimits, Deadline, ServerLimits
from .session.server import ServerConnection
from .session.transaction import Transaction
from .table import Connect, EndOfContent, State
from .wire.address import POSTMASTER, Mailbox, Postmaster
from .wire.capabilities import Capabilities, Capability
from .wire.command import (
    Command,
    Data,
    Ehlo,
    Expn,
    Helo,
    Help,
    Lhlo,
    Mail,
    Noop,
    Quit,
    Rcpt,
    Rset,
    Vrfy,
    parse_command,
)
from .wire.host import AddressLiteral, Domain
from .wire.newlines import BareNewlines
from .wire.parameter import Parameter, ParameterType
from .wire.parameters import Parameters
from .wire.reply import EnhancedCode, Reply, ReplyReader
from .wire.secret import Secret
from .wire.tolerance import INTEROP, LAX, STRICT, Defect, Strictness
from .wire.vocabulary import Vocabulary

__all__ = [
    "INTEROP",
    "LAX",
    "NEED_DATA",
    "PAUSED",
    "POSTMASTER",
    "STRICT",
    "AddressLiteral",
    "Auth",
    "AuthResponse",
    "BareNewlines",
    "Bdat",
    "BdatLast",
    "Capabilities",
    "Capability",
    "ClientConnection",
    "ClientEvent",
    "ClientLimits",
    "Command",
    "CommandReceived",
    "CommandRejected",
    "CommandSkipped",
    "Connect",
    "ConnectionClosed",
    "ContentEnded",
    "ContentReceived",
    "ContentRejected",
    "Data",
    "Deadline",
    "Defect",
    "Domain",
    "Ehlo",
    "EndOfContent",
    "EnhancedCode",
    "Expn",
    "Extension",
    "ExtensionSet",
    "ForeignProtocol",
    "Helo",
    "Help",
    "Lhlo",
    "LocalProtocolError",
    "Mail",
    "Mailbox",
    "Noop",
    "Parameter",
    "ParameterType",
    "Parameters",
    "ParseError",
    "Postmaster",
    "ProtocolError",
    "Quit",
    "Rcpt",
    "RemoteProtocolError",
    "Reply",
    "ReplyReader",
    "ReplyReceived",
    "Rset",
    "Secret",
    "ServerConnection",
    "ServerEvent",
    "ServerLimits",
    "Signal",
    "StartTls",
    "State",
    "Strictness",
    "Transaction",
    "VerdictReceived",
    "Vocabulary",
    "Vrfy",
    "parse_command",
]

__version__ = "0.1.0"
