"""ContentDisposition: how a body part is to be shown, and the name that its file would have (RFC 2183)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final, final

from ..errors import ParseError
from ..wire.grammar import FORBIDDEN
from ..wire.tolerance import LAX, Defect, Tolerance
from ..wire.value import Value, assign, exact, setter
from .mime_token import TOKEN, cleaned, in_order, skip_junk, skip_softly
from .parameters import MimeParameter, MimeParameters, parse_parameters

__all__ = ["ContentDisposition", "parse_disposition", "safe_file_name"]

# RFC 2183 s2
#   disposition := "Content-Disposition" ":" disposition-type *(";" disposition-parm)
#   disposition-type := "inline" / "attachment" / extension-token
_TYPE: Final = re.compile(f"[ \\t]*+({TOKEN.pattern})[ \\t]*+(?=;|\\Z)")
_NO_TYPE: Final = re.compile(f"[ \\t]*+{TOKEN.pattern}[ \\t]*+=")
#   size-parm := "size" "=" 1*DIGIT
# Twenty digits hold every number of 64 bits.
_SIZE: Final = re.compile(r"[0-9]{1,20}")


@final
class ContentDisposition(Value):
    """``attachment; filename="crepes.txt"`` (RFC 2183 s2).

    A disposition that is neither ``inline`` nor ``attachment`` is kept; RFC 2183 s2.8 wants it
    treated as ``attachment``. Raises ParseError for one that is no token.
    """

    __slots__ = ("defects", "disposition", "parameters")
    __match_args__ = ("disposition", "parameters")

    disposition: str  #: In lower case.
    parameters: MimeParameters  #: What follows.
    defects: tuple[Defect, ...]  #: What ``read`` let through, in order of position.

    def __init__(
        self,
        disposition: str,
        parameters: MimeParameters | Mapping[str, str] | Iterable[MimeParameter | tuple[str, str]] = (),
    ) -> None:
        disposition = exact(disposition)
        if not TOKEN.fullmatch(disposition):
            raise ParseError("not a disposition", 0, "RFC 2183 s2", disposition)
        if not isinstance(parameters, MimeParameters):
            parameters = MimeParameters(parameters)
        assign(self, "disposition", disposition.lower())
        assign(self, "parameters", parameters)
        assign(self, "defects", ())

    @classmethod
    def parse(cls, text: str, tolerance: Tolerance | None = None) -> ContentDisposition:
        """Read the body of a Content-Disposition field, unfolded. Raises ParseError."""
        return parse_disposition(text, 0, tolerance or Tolerance())[0]

    @classmethod
    def read(cls, text: str) -> ContentDisposition:
        """What can be understood of the field, for any text at all; ``attachment`` where the disposition is none."""
        tolerance = Tolerance(LAX)
        found, _ = parse_disposition(text, 0, tolerance)
        if tolerance.defects:
            _set_defects(found, in_order(tolerance))
        return found

    @property
    def is_inline(self) -> bool:
        """Whether it is to be shown with the message; whatever is unknown is not (RFC 2183 s2.8)."""
        return self.disposition == "inline"

    @property
    def filename(self) -> str | None:
        """The name that the sender gave, as it stands there: it may be a path, or a trap (RFC 2183 s2.3)."""
        return self.parameters.get("filename")

    @property
    def safe_name(self) -> str | None:
        """A name made of that which can be one of a file and of nothing else; None when nothing is left."""
        given = self.filename
        return safe_file_name(given) if given else None

    @property
    def size(self) -> int | None:
        """The size that the sender gives, in octets (RFC 2183 s2.7); None where that is no number."""
        given = self.parameters.get("size")
        return int(given) if given and _SIZE.fullmatch(given) else None

    @property
    def creation_date(self) -> str | None:
        """When the file was made, as text (RFC 2183 s2.4)."""
        return self.parameters.get("creation-date")

    @property
    def modification_date(self) -> str | None:
        """When it was last changed, as text (RFC 2183 s2.5)."""
        return self.parameters.get("modification-date")

    @property
    def read_date(self) -> str | None:
        """When it was last read, as text (RFC 2183 s2.6)."""
        return self.parameters.get("read-date")

    def __str__(self) -> str:
        return f"{self.disposition}; {self.parameters}" if self.parameters else self.disposition


_new = ContentDisposition.__new__
_set_disposition = setter(ContentDisposition, "disposition")
_set_parameters = setter(ContentDisposition, "parameters")
_set_defects = setter(ContentDisposition, "defects")


def parse_disposition(text: str, pos: int, tolerance: Tolerance) -> tuple[ContentDisposition, int]:
    """``disposition-type *(";" disposition-parm)`` from ``pos`` to the end of the text."""
    text = cleaned(text, tolerance)
    found = _TYPE.match(text, pos)
    kind, end = (found[1], found.end()) if found else _parse_type(text, pos, tolerance)
    parameters, end = parse_parameters(text, end, tolerance)
    made = _new(ContentDisposition)
    _set_disposition(made, kind.lower())
    _set_parameters(made, parameters)
    _set_defects(made, ())
    return made, end


def _parse_type(text: str, start: int, tolerance: Tolerance) -> tuple[str, int]:
    """The disposition with comments before it, or what stands in for one that is none."""
    pos = skip_softly(text, start)
    kind = TOKEN.match(text, pos) if pos >= 0 else None
    if kind and not _NO_TYPE.match(text, pos):
        return kind[0], kind.end()
    # RFC 2183 s2.8: "Unrecognized disposition types should be treated as attachment"
    tolerance.permit(LAX, "not a disposition", start, "RFC 2183 s2.8", text)
    return "attachment", pos if kind else skip_junk(text, start)


# --- names of files ----------------------------------------------------------------------------------------

#: Octets of a file's name: what Linux, macOS and Windows all take (NAME_MAX).
NAME_LIMIT: Final = 255

# What Windows does not take, or takes for a stream, and what looks like a slash.
_SPECIAL: Final = re.compile(r'[:*?"<>|\u2044\u2215\u29f8\u29f9\ufe68\uff0f\uff3c]')
# Names of devices, whatever follows a dot behind them.
_DEVICE: Final = re.compile(
    r"(?:con|prn|aux|nul|clock\$|conin\$|conout\$|(?:com|lpt)[0-9\xb9\xb2\xb3])[ ]*+(?:\.|\Z)", re.IGNORECASE | re.ASCII
)


@cache
def _unseen() -> re.Pattern[str]:
    return re.compile(rf"[\x00-\x1f\x7f{FORBIDDEN}]")  # slow to compile, and rarely needed


def safe_file_name(name: str) -> str | None:
    """The last part of a path as the name of a file on any system, or None.

    Control characters and those that nobody sees, such as what turns the direction of text, are
    taken out; what parts a path or means something to a system becomes ``_``; dots and spaces at
    either end go; a device's name gets a ``_`` in front; at most 255 octets are left, with the
    extension. Whether such a file exists already is the caller's question.
    """
    name = name.rpartition("/")[2].rpartition("\\")[2]
    name = _SPECIAL.sub("_", _unseen().sub("", name)).strip(". \t\xa0")
    if _DEVICE.match(name):
        name = f"_{name}"
    octets = name.encode("utf-8", "ignore")
    if len(octets) > NAME_LIMIT:
        stem, dot, extension = name.rpartition(".")
        tail = (dot + extension).encode("utf-8", "ignore")
        if not stem or len(tail) > 32:
            stem, tail = name, b""
        name = (stem.encode("utf-8", "ignore")[: NAME_LIMIT - len(tail)] + tail).decode("utf-8", "ignore").rstrip(". ")
    return name or None
