"""MT-PRIORITY (RFC 6710): how urgent a message is, from -9 to 9.

``Mail(alice, PRIORITY(3))`` asks for more than the 0 that every message has by itself. What a number means is a
policy, and a server may say the name of its own: ``MT_PRIORITY.offer("MIXER")``. It may also lower what was asked for
(3.6), or refuse what is not urgent enough (7.15), which is for its application to say; so it is not offered unless it
is among the capabilities.
"""

from __future__ import annotations

import re
from typing import Final

from ..errors import ParseError
from ..wire.parameter import ParameterType
from .extension import Extension

__all__ = ["MT_PRIORITY", "PRIORITY"]

# RFC 6710 s7
#   priority-value   = (["-"] NZDIGIT) / "0"
#   priority-profile = 1*20(ALPHA / DIGIT / "-" / "_" / ".")
_PRIORITY: Final = re.compile(r"0|-?[1-9]")
_POLICY: Final = re.compile(r"[A-Za-z0-9\-_.]{1,20}")


def _decode(text: str) -> int:
    if not _PRIORITY.fullmatch(text):
        raise ParseError("expected a priority from -9 to 9", 0, "RFC 6710 s7", text)
    return int(text)


def _decode_policy(text: str) -> str:
    if not _POLICY.fullmatch(text):
        raise ParseError("not the name of a priority assignment policy", 0, "RFC 6710 s7", text)
    return text


#: ``MT-PRIORITY=number`` on MAIL: how urgent the message is, from -9 to 9.
PRIORITY: Final[ParameterType[int]] = ParameterType("MT-PRIORITY", _decode)

#: Messages may have priorities; ``MT_PRIORITY.offer(name)`` says by which policy.
MT_PRIORITY: Final[Extension[str]] = Extension(
    "MT-PRIORITY",
    "RFC 6710",
    argument=ParameterType("MT-PRIORITY", _decode_policy, str, kind=str),
    mail_parameters=[PRIORITY],
)
