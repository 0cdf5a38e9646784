"""New fields: a value, written and folded, so that it is read as what it was.

What a field means is decided by its name. A text for a structured field is parsed first, and
strictly; a value of another kind than the name asks for is refused. So nothing is written that
its own parser would not take.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from .field import Field, make_field
from .fold import fold
from .header import Header, join_fields
from .kinds import find_kind
from .unstructured import Unstructured

__all__ = ["build_field", "build_header"]


def build_field(name: str, value: object, *, utf8: bool = False) -> Field:
    """The field ``name`` that says ``value``, in lines of 78 characters where it can be had (RFC 5322 s2.1.1).

    ``value`` is of the class by which a field of that name is read, such as an
    :class:`~smtpcore.message.address_list.AddressList` for To, or a text: of a structured field what may stand in one,
    of any other what it says to people. With ``utf8`` characters beyond ASCII stay as they are, for a message that goes
    by SMTPUTF8 (RFC 6532); else they become encoded-words.

    Raises ParseError for a name that is none, for a text that the field cannot hold, for line ends and other controls,
    and for a line that cannot be folded within 998 octets; TypeError for a value of another kind.
    """
    kind = _kinds.get(name) or _remember(name)
    if isinstance(value, str):
        value = Unstructured(value) if kind is Unstructured else kind.parse(value)
    elif not isinstance(value, kind):
        raise TypeError(f"{name} takes {kind.__name__} or str, not {type(value).__name__}")
    serialise = getattr(value, "serialise", None)
    text = str(value) if serialise is None else serialise(utf8=utf8)
    return make_field(fold(name, text, utf8=utf8))


#: Names that are remembered as they are spelled; hardly a program writes as many.
_REMEMBERED: Final = 200
_kinds: Final[dict[str, Any]] = {}


def _remember(name: str) -> Any:
    if len(_kinds) >= _REMEMBERED:
        _kinds.clear()
    kind = _kinds[name] = find_kind(name.encode("utf-8", "surrogatepass").lower())
    return kind


def build_header(fields: Iterable[tuple[str, object]], *, utf8: bool = False) -> Header:
    """A header of names and values in their order, as :func:`~smtpcore.message.build.build_field` takes them."""
    return join_fields([build_field(name, value, utf8=utf8) for name, value in fields])
