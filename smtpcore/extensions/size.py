"""SIZE (RFC 1870): the server says how big a message may be, the client how big this one is."""

from __future__ import annotations

from typing import Final

from ..wire.command import Mail
from ..wire.parameter import ParameterType, parse_number
from ..wire.reply import Reply
from .extension import Extension, SessionView

__all__ = ["SIZE"]


def _check_mail(session: SessionView, command: Mail) -> Reply | None:
    """Refused with a size beyond what this server takes (RFC 1870 s6.1)."""
    declared, limit = command.parameters.get(SIZE), session.size_limit
    if declared and limit is not None and declared > limit:
        return Reply(552, f"message size exceeds the maximum of {limit} octets", "5.3.4")
    return None


_OCTETS: Final = ParameterType("SIZE", parse_number, plain="[0-9]{1,20}")

#: In EHLO the largest message in octets, 0 for no limit; in MAIL the size of this one.
SIZE: Final[Extension[int]] = Extension(
    "SIZE", "RFC 1870", argument=_OCTETS, mail_parameters=[_OCTETS], parameter_checks={_OCTETS: _check_mail}
)
