"""NO-SOLICITING (RFC 3865): a sign at the door that says which mail is not wanted.

A server may name classes of solicitation that it takes no mail of, ``NO_SOLICITING.offer(("net.example:ADV",))``, or
hang out the sign without a word. A sender says what a message is: ``Mail(alice, SOLICIT(("net.example:ADV",)))``. A
server refuses a class that it has named, with 550 5.7.1; about all others its application decides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from ..errors import ParseError
from ..wire.command import Mail
from ..wire.parameter import ParameterType
from ..wire.reply import Reply
from .extension import Extension, SessionView

__all__ = ["NO_SOLICITING", "SOLICIT"]

# RFC 3865 s2.2
#   Solicitation-keywords = word 0*("," word) ; length of this string is limited to <= 1000 characters
#   word                  = ALPHA 0*(wordchar)
#   wordchar              = "." / "-" / "_" / ":" / ALPHA / DIGIT
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9.\-_:]*+")
#: Characters of all classes together.
LIMIT: Final = 1000


def _decode(text: str) -> tuple[str, ...]:
    if len(text) > LIMIT:
        raise ParseError(f"longer than {LIMIT} characters", LIMIT, "RFC 3865 s2.2", text)
    words = tuple(text.split(","))
    if not all(map(_WORD.fullmatch, words)):
        raise ParseError("expected classes of solicitation with commas between them", 0, "RFC 3865 s2.2", text)
    return words


def _encode(words: Sequence[str]) -> str:
    if isinstance(words, str):
        raise TypeError("classes of solicitation must be several: a tuple of them")
    return ",".join(words)


#: ``SOLICIT=classes`` on MAIL: which classes of solicitation the message belongs to.
SOLICIT: Final[ParameterType[Sequence[str]]] = ParameterType("SOLICIT", _decode, _encode)


def _check_mail(session: SessionView, command: Mail) -> Reply | None:
    """Refused with a keyword that was announced as not wanted (RFC 3865 s2.3)."""
    classes = command.parameters.get(SOLICIT)
    if classes is None:
        return None
    unwanted = session.capabilities.get(NO_SOLICITING) or ()
    said = {word.lower() for word in classes}
    for word in unwanted:
        if word.lower() in said:
            return Reply(550, f"no soliciting: {word}", "5.7.1")  # RFC 3865 s2.4
    return None


#: No soliciting; ``NO_SOLICITING.offer(classes)`` names what is not wanted.
NO_SOLICITING: Final[Extension[Sequence[str]]] = Extension(
    "NO-SOLICITING",
    "RFC 3865",
    argument=ParameterType("NO-SOLICITING", _decode, _encode),
    mail_parameters=[SOLICIT],
    parameter_checks={SOLICIT: _check_mail},
)
