"""The SMTP conversation as one table: who may say what, when, and what the answer changes.

Two rules make this file worth having:

1. Everything that decides the state of a conversation stands here. There is no flag beside it.
2. This file does not know which role reads it. The client and the server look up the same row
   and take the same step, the one when it reads the reply, the other when it writes it.

``TRANSITIONS[state][command][digit]`` is the state after ``command`` was answered in ``state``
with a reply whose code begins with ``digit``. A command without a row in a state is out of
sequence there (503). A digit that a row does not list changes nothing; which digits a server may
answer with is :func:`may_answer`. Two things hold in every state and need no row: 421 closes
(RFC 5321 s3.8), and so does the end of the stream.

Two events of a conversation are no commands but are answered like one, and have rows: the
connection itself (:class:`Connect`, answered by the greeting) and the end of the content
(:class:`EndOfContent`, answered after the final dot).

The life of a session::

    CONNECTED --220--> GREETED --EHLO 250--> READY --MAIL 250--> MAIL --RCPT 250--> RCPT
                                               ^                                     |
                                               |                                  DATA 354
                                               +------- 250, 4yz, 5yz -------- CONTENT <-+

RSET, EHLO and HELO lead back to READY from every state in which a command may be sent
(RFC 5321 s4.1.4), since each of them ends a transaction. An extension with a verb brings rows of
the same form, in its own file; :func:`merge` makes the sum, and the sum is what runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import ClassVar, Final, TypeAlias, final

from .wire.command import Command, Data, Ehlo, Expn, Helo, Help, Lhlo, Mail, Noop, Quit, Rcpt, Rset, Vrfy

__all__ = [
    "HAPPENINGS",
    "SILENT",
    "TRANSITIONS",
    "Connect",
    "EndOfContent",
    "State",
    "Transitions",
    "after_success",
    "may_answer",
    "merge",
]


@final
class State(Enum):
    """Where a conversation stands."""

    CONNECTED = "connected"  #: The greeting is still to come.
    REFUSED = "refused"  #: The greeting was no 2yz, such as 554: nothing but QUIT will do (RFC 5321 s3.1).
    GREETED = "greeted"  #: The client has not said who it is.
    READY = "ready"  #: A transaction may begin.
    MAIL = "mail"  #: There is a reverse-path.
    RCPT = "rcpt"  #: There is at least one recipient.
    CONTENT = "content"  #: Octets of the message travel.
    CHUNKS = "chunks"  #: A part of the message has travelled, more or RSET is to come (RFC 3030).
    SPOILT = "spoilt"  #: A part of it was refused: nothing but RSET leads on (RFC 3030 s2).
    AUTHENTICATING = "authenticating"  #: Challenges and responses travel (RFC 4954).
    UPGRADING = "upgrading"  #: Nothing but a TLS handshake may travel (RFC 3207).
    TURNED = "turned"  #: The roles are reversed: another conversation goes on over this connection (RFC 2645 s5.3).
    CLOSED = "closed"  #: It is over.

    # Members are singletons, and the table is looked up at every step: Enum's own hash is Python code.
    __hash__ = object.__hash__


#: Where no octets of SMTP travel, in either direction.
SILENT: Final = frozenset((State.UPGRADING, State.TURNED, State.CLOSED))


@final
class Connect(Command):
    """The connection itself, which the server answers with its greeting (RFC 5321 s3.1)."""

    __slots__ = ()
    verb: ClassVar[str] = "(connect)"


@final
class EndOfContent(Command):
    """The end of the content, which is answered like a command (RFC 5321 s4.1.1.4)."""

    __slots__ = ()
    verb: ClassVar[str] = "(end of content)"


#: What is answered like a command and is none.
HAPPENINGS: Final[frozenset[type[Command]]] = frozenset((Connect, EndOfContent))

Row: TypeAlias = Mapping[int, State]
Transitions: TypeAlias = Mapping[State, Mapping[type[Command], Row]]

TRANSITIONS: Final[Transitions] = {
    # RFC 5321 s4.3.2: CONNECTION ESTABLISHMENT  S: 220  E: 554
    State.CONNECTED: {
        Connect: {2: State.GREETED, 4: State.REFUSED, 5: State.REFUSED},
    },
    # RFC 5321 s3.1: "the server MUST still wait for the client to send a QUIT"
    State.REFUSED: {
        Quit: {2: State.CLOSED},
    },
    # RFC 5321 s4.1.4: NOOP, HELP, EXPN, VRFY, RSET and QUIT are good at any time in a session
    State.GREETED: {
        Ehlo: {2: State.READY},
        Helo: {2: State.READY},
        Lhlo: {2: State.READY},
        Rset: {2: State.GREETED},
        Noop: {2: State.GREETED},
        Help: {2: State.GREETED},
        Vrfy: {2: State.GREETED},
        Expn: {2: State.GREETED},
        Quit: {2: State.CLOSED},
    },
    State.READY: {
        Mail: {2: State.MAIL},
        Ehlo: {2: State.READY},
        Helo: {2: State.READY},
        Lhlo: {2: State.READY},
        Rset: {2: State.READY},
        Noop: {2: State.READY},
        Help: {2: State.READY},
        Vrfy: {2: State.READY},
        Expn: {2: State.READY},
        Quit: {2: State.CLOSED},
    },
    State.MAIL: {
        Rcpt: {2: State.RCPT},
        Ehlo: {2: State.READY},
        Helo: {2: State.READY},
        Lhlo: {2: State.READY},
        Rset: {2: State.READY},
        Noop: {2: State.MAIL},
        Help: {2: State.MAIL},
        Vrfy: {2: State.MAIL},
        Expn: {2: State.MAIL},
        Quit: {2: State.CLOSED},
    },
    State.RCPT: {
        Rcpt: {2: State.RCPT},
        Data: {3: State.CONTENT},
        Ehlo: {2: State.READY},
        Helo: {2: State.READY},
        Lhlo: {2: State.READY},
        Rset: {2: State.READY},
        Noop: {2: State.RCPT},
        Help: {2: State.RCPT},
        Vrfy: {2: State.RCPT},
        Expn: {2: State.RCPT},
        Quit: {2: State.CLOSED},
    },
    # RFC 5321 s4.1.1.4: whatever the answer, the buffers are cleared
    State.CONTENT: {
        EndOfContent: {2: State.READY, 4: State.READY, 5: State.READY},
    },
    State.CHUNKS: {},
    State.SPOILT: {},
    State.AUTHENTICATING: {},
    State.UPGRADING: {},
    State.TURNED: {},
    State.CLOSED: {},
}


def after_success(row: Row, state: State) -> State:
    """The state behind success in ``state``: 3yz where more of the same exchange follows, else 2yz."""
    return row.get(3) or row.get(2) or state


def may_answer(row: Row, digit: int) -> bool:
    """Whether a server may answer with that class: what the row lists, and a refusal always (RFC 5321 s4.2.1)."""
    return digit in row or digit >= 4


def merge(parts: Iterable[Transitions]) -> Transitions:
    """The sum of the base table and of the rows that extensions bring; a later row for the same command wins."""
    total: dict[State, dict[type[Command], Row]] = {state: {} for state in State}
    for part in parts:
        for state, rows in part.items():
            total[state].update(rows)
    return total
