"""ETRN (RFC 1985): asks a server to start its queue for a host, over connections that the server opens itself.

::

    Etrn("hamburger.edu")           # what waits for that host
    Etrn("hamburger.edu", "@")      # and for every host below it
    Etrn("uucp", "#")               # a queue by a name that only the server knows

Nothing of a transaction is touched, so it may be said wherever none is in hand. Whether to do what is asked is the
server application's decision, since anybody may ask; :func:`queue_started`, :func:`unable` and :func:`not_allowed`
are what RFC 1985 lets it answer.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final, final

from ..errors import ParseError
from ..table import State
from ..wire.command import Command
from ..wire.host import Domain
from ..wire.reply import Reply
from ..wire.tolerance import Tolerance
from ..wire.value import assign, exact
from ..wire.vocabulary import Vocabulary
from .extension import Extension

__all__ = ["ETRN", "Etrn", "not_allowed", "queue_started", "unable"]

# RFC 1985 s5.3: the name of a queue "would be dependant on the receiving server"
_QUEUE: Final = re.compile(r"[!-~]{1,255}+")
_OPTIONS: Final = frozenset(("", "@", "#"))


@final
class Etrn(Command):
    """ETRN: start the queue for a node (RFC 1985 s5).

    Raises ParseError for a name that is no domain, or behind ``#`` no printable ASCII, and for another option.
    """

    __slots__ = ("name", "option")
    __match_args__ = ("name", "option")
    verb: ClassVar[str] = "ETRN"

    name: str  #: A domain as written; with ``#`` the name of a queue.
    option: str  #: Empty; ``@`` for all domains below it, too; ``#`` for a queue of the server's own (RFC 1985 s5.3).

    def __init__(self, name: str | Domain, option: str = "") -> None:
        super().__init__()
        text = exact(str(name) if isinstance(name, Domain) else name)
        if option not in _OPTIONS:
            raise ParseError("not an option of ETRN", 0, "RFC 1985 s5.3", option)
        if option == "#":
            if not _QUEUE.fullmatch(text):
                raise ParseError("not the name of a queue", 0, "RFC 1985 s5.3", text)
        else:
            Domain(text)
        assign(self, "name", text)
        assign(self, "option", exact(option))

    def arguments(self) -> str:
        """The option and the name."""
        return f" {self.option}{self.name}"

    @classmethod
    def parse_arguments(cls, text: str | None, vocabulary: Vocabulary, tolerance: Tolerance) -> Etrn:
        """``[option-character] node-name``."""
        if not text:
            raise ParseError("ETRN needs the name of a node", 0, "RFC 1985 s5")
        option = text[0] if text[0] in _OPTIONS else ""
        try:
            return cls(text[len(option) :], option)
        except ParseError as error:
            error.where += len(option)
            raise


def queue_started(command: Etrn, waiting: int | None = None) -> Reply:
    """The positive reply: 253 with the number of messages that wait, 251 when none does, 250 when nobody has counted.

    RFC 1985 s5.1. Raises ParseError for a number below zero.
    """
    if waiting is None:
        return Reply(250, f"queuing for node {command.name} started", "2.0.0")
    if waiting < 0:
        raise ParseError("not a number of messages", 0, "RFC 1985 s5.1", str(waiting))
    if not waiting:
        return Reply(251, f"no messages waiting for node {command.name}", "2.0.0")
    return Reply(253, f"{waiting} pending messages for node {command.name} started", "2.0.0")


def unable(command: Etrn) -> Reply:
    """458: the queue cannot be started (RFC 1985 s5.1)."""
    return Reply(458, f"unable to queue messages for node {command.name}", "4.3.0")


def not_allowed(command: Etrn, why: str) -> Reply:
    """459: it will not be, for that reason (RFC 1985 s5.1)."""
    return Reply(459, f"node {command.name} not allowed: {why}", "4.7.1")


#: A queue of the server can be started from afar.
ETRN: Final[Extension[Any]] = Extension(
    "ETRN",
    "RFC 1985",
    verbs=[Etrn],
    # RFC 1985 s5: "at any time once a session is established, as long as there is not a transaction occuring"
    transitions={State.READY: {Etrn: {2: State.READY}}},
)
