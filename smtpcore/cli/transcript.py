"""A recorded conversation, as turns: who said which octets, and where in the file that stands.

The reader finds out which form a file has; :mod:`~smtpcore.cli.transcript_text` reads dialogues and what swaks prints,
:mod:`~smtpcore.cli.transcript_log` the logs of Postfix, :mod:`~smtpcore.cli.transcript_capture` captured packets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from .failure import Failure
from .transcript_capture import is_capture, is_follow, read_capture, read_follow
from .transcript_log import is_log, read_log
from .transcript_text import is_dialogue, is_swaks, read_dialogue, read_swaks
from .transcript_turn import Conversation, Format

__all__ = ["read_transcript"]

_READERS: Final[Mapping[str, Callable[[str], list[Conversation]]]] = {
    "transcript": read_dialogue,
    "swaks": read_swaks,
    "postfix": read_log,
    "tshark": read_follow,
}
#: In the order in which they are asked: what only one form can look like comes first.
_SIGNS: Final[tuple[tuple[str, Callable[[str], bool]], ...]] = (
    ("tshark", is_follow),
    ("swaks", is_swaks),
    ("postfix", is_log),
    ("transcript", is_dialogue),
)


def read_transcript(data: bytes, name: str, form: Format = "auto") -> list[Conversation]:
    """The conversations in the octets of a file called ``name``; at least one, each with at least one turn.

    Raises Failure, with the line, for what cannot be read.
    """
    if is_capture(data):
        if form not in {"auto", "tshark"}:
            raise Failure(f"{name} is a capture of packets, not of the form {form}; leave --format out")
        return read_capture(data, name)
    # What is no UTF-8 stays what it was: an SMTP conversation is made of octets.
    text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    found = form if form != "auto" else next((each for each, looks_so in _SIGNS if looks_so(text)), "")
    if not found:
        raise Failure(
            f"{name}: no line looks like SMTP; expected 'C: ' and 'S: ' lines, the output of swaks, a log of Postfix "
            "with -v, 'tshark -q -z follow,tcp,ascii,0', or a capture; see --format"
        )
    try:
        conversations = _READERS[found](text)
    except Failure as failure:
        raise Failure(f"{name}, {failure}") from None
    if not conversations:
        raise Failure(f"{name}: no line is of the form {found}; leave --format out, or name another")
    return conversations
