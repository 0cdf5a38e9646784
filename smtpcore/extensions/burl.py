"""BURL (RFC 4468): the content of a message, or a part of it, lies behind a URL, and the server fetches it from there.

::

    BurlLast("imap://harry@gryffindor.example.com/outbox;uidvalidity=1078863300/;uid=25;urlauth=submit+harry:internal:...")

It takes the place of a chunk of CHUNKING, and the two may be mixed: ``Bdat``, ``Burl``, ``Bdat``, ``BurlLast``. Two
commands share the verb, as for BDAT, since they lead to different places.

A server machine fetches nothing. Its application does, hands over what it got by
:meth:`~smtpcore.session.server.ServerConnection.supply`, and the machine treats it like a content that has come from
the client, limits and all; a refusal is a reply like any other. Whom to fetch for, and from where, is for the
application to decide: a server that follows any URL for anybody is a tool for others (RFC 4468 s8).

What stands behind ``urlauth=`` gives access to the message, so it does not show in any ``repr``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Final, final

from ..errors import ParseError
from ..table import State
from ..wire.parameter import ParameterType
from ..wire.tolerance import Tolerance
from ..wire.value import assign, exact
from ..wire.vocabulary import Command, Vocabulary
from .chunking import CHUNK_ROW, LAST_ROW, between_chunks
from .extension import Extension

__all__ = ["BURL", "Burl", "BurlCommand", "BurlLast"]

# RFC 3986 s4.3
#   absolute-URI = scheme ":" hier-part [ "?" query ] ; so without "#"
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*+:(?:[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})++")
# RFC 4468 s3.5
#   burl-cmd   = "BURL" SP absolute-URI [SP end-marker] CRLF
#   end-marker = "LAST"
_LAST: Final = re.compile(r"(.*?)( (?i:LAST))?", re.DOTALL)
#: RFC 4467: the token with which a URL may be resolved, behind the mechanism.
_TOKEN: Final = re.compile(r"(?i)(;urlauth=[^:]*+:?+[^:]*+:?+).*+")


class BurlCommand(Command):
    """What both kinds of BURL have: where the octets are.

    Raises ParseError for what is no absolute URI.
    """

    __slots__ = ("url",)
    __match_args__ = ("url",)
    verb: ClassVar[str] = "BURL"
    confidential: ClassVar[bool] = True
    last: ClassVar[bool]  #: Whether it ends the content.

    url: str  #: An absolute URI (RFC 3986 s4.3).

    def __init__(self, url: str) -> None:
        super().__init__()
        text = exact(url)
        if not _URI.fullmatch(text):
            raise ParseError("not an absolute URI", 0, "RFC 3986 s4.3")
        assign(self, "url", text)

    def arguments(self) -> str:
        """The URL, and LAST."""
        return f" {self.url} LAST" if self.last else f" {self.url}"

    @classmethod
    def parse_arguments(cls, text: str | None, vocabulary: Vocabulary, tolerance: Tolerance) -> BurlCommand:
        """``absolute-URI [SP "LAST"]``."""
        found = _LAST.fullmatch(text or "")
        url, last = found.groups() if found else ("", None)
        if not _URI.fullmatch(url):
            raise ParseError("expected an absolute URI, and nothing but LAST behind it", 0, "RFC 4468 s3.5")
        return BurlLast(url) if last else Burl(url)

    def __repr__(self) -> str:
        shown = _TOKEN.sub(r"\1...", getattr(self, "url", ""))
        return f"{type(self).__name__}(url={shown!r})"


@final
class Burl(BurlCommand):
    """BURL: a part of the content, and not the last one (RFC 4468 s3.2)."""

    __slots__ = ()
    last: ClassVar[bool] = False


@final
class BurlLast(BurlCommand):
    """BURL with LAST: what ends the content; its reply is the verdict on the message (RFC 4468 s3.2)."""

    __slots__ = ()
    last: ClassVar[bool] = True


def _decode(text: str) -> Sequence[str]:
    return tuple([name for name in text.split(" ") if name])


def _encode(names: Sequence[str]) -> str:
    for name in names:
        if name.lower() != "imap" and not _URI.fullmatch(name):
            raise ParseError("neither imap nor a URL of a server", 0, "RFC 4468 s3.3", name)
    return " ".join(names)


#: Offered with what a URL may be of: ``BURL.offer(("imap",))`` for IMAP URLs that carry their authorization (RFC 4467),
#: ``BURL.offer(("imap://imap.example.com",))`` for a server that trusts this one; alone where AUTH has to come first.
BURL: Final[Extension[Sequence[str]]] = Extension(
    "BURL",
    "RFC 4468",
    argument=ParameterType("BURL", _decode, _encode),
    verbs=[Burl, BurlLast],
    transitions={
        State.RCPT: {Burl: CHUNK_ROW, BurlLast: LAST_ROW},
        State.CHUNKS: {Burl: CHUNK_ROW, BurlLast: LAST_ROW, **between_chunks(State.CHUNKS)},
        State.SPOILT: between_chunks(State.SPOILT),
    },
)
