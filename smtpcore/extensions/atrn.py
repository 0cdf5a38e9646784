"""ATRN (RFC 2645, on-demand mail relay): a client without an address of its own gets its mail over its own connection.

::

    Atrn("example.org", "example.com")       # Atrn() asks for all that is there

The client says who it is by AUTH, then ATRN. When the server says 250 the roles are reversed: the one that was the
client greets, and the one that was the server says EHLO and sends. The conversation of before is over, in the state
TURNED, and both sides go on with a machine of the other kind, over the same connection and inside the same TLS, as
``smtpcore.session.turning`` makes them. A client of the adapters does all of it by its method ``turn``, a handler of a
server by its method ``atrn``.

:data:`NOT_ALLOWED`, :data:`NOT_NOW` and :data:`NO_MAIL` are the refusals that RFC 2645 has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final, final

from ..errors import ParseError
from ..table import State
from ..wire.command import Command
from ..wire.host import Domain
from ..wire.reply import Reply
from ..wire.tolerance import Tolerance
from ..wire.value import assign
from ..wire.vocabulary import Vocabulary
from .extension import Extension, SessionView

__all__ = ["ATRN", "NOT_ALLOWED", "NOT_NOW", "NO_MAIL", "Atrn"]

# RFC 2645 s7
NOT_ALLOWED: Final = Reply(450, "ATRN request refused", "4.7.1")  #: Not for these domains.
NOT_NOW: Final = Reply(451, "unable to process ATRN request now", "4.3.0")  #: For some other reason.
NO_MAIL: Final = Reply(453, "you have no mail", "4.2.0")  #: Nothing waits.


@final
class Atrn(Command):
    """ATRN: reverse the roles, and send what waits for these domains (RFC 2645 s5.2.1).

    Raises ParseError for a name that is no domain.
    """

    __slots__ = ("domains",)
    __match_args__ = ("domains",)
    verb: ClassVar[str] = "ATRN"

    domains: tuple[Domain, ...]  #: Empty: all that the client may have.

    def __init__(self, *domains: str | Domain) -> None:
        super().__init__()
        assign(self, "domains", tuple([each if isinstance(each, Domain) else Domain(each) for each in domains]))

    def arguments(self) -> str:
        """The domains, with commas between them."""
        return f" {','.join([domain.text for domain in self.domains])}" if self.domains else ""

    @classmethod
    def parse_arguments(cls, text: str | None, vocabulary: Vocabulary, tolerance: Tolerance) -> Atrn:
        """``[ SP domain *("," domain) ]``."""
        if text is None:
            return cls()
        found: Sequence[str] = text.split(",")
        where = 0
        domains: list[Domain] = []
        for name in found:
            try:
                domains.append(Domain(name))
            except ParseError as error:
                raise ParseError(error.why, where + error.where, error.rule, text) from None
            where += len(name) + 1
        return cls(*domains)


def _check(session: SessionView, command: Atrn) -> Reply | None:
    """530 before AUTH."""
    if not session.authenticated:
        return Reply(530, "authentication required", "5.7.0")  # RFC 2645 s5.2, s7
    return None


#: A client gets the mail that waits for it over the connection that it has opened.
ATRN: Final[Extension[Any]] = Extension(
    "ATRN",
    "RFC 2645",
    verbs=[Atrn],
    transitions={State.READY: {Atrn: {2: State.TURNED}}},
    checks={Atrn: _check},
)
