"""Which fields of a header have a name, in any case of its letters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import itemgetter
from typing import Final, Protocol, final

from .field import Field

__all__ = ["AnyNames", "Names", "PlainNames"]


class Names(Protocol):
    """The places of fields by their names."""

    def places(self, key: bytes) -> Sequence[int]:
        """Where the fields stand whose name in lower case is ``key``, in their order."""
        ...


@final
class PlainNames:
    """Of a header in which every line that begins without white space begins a field, after its name.

    A table of names takes longer to make than the header took to be read, and few names are ever asked for. So only the
    first letters are kept, and a field that begins as the name does is looked at.
    """

    __slots__ = ("_letters", "_raws")

    def __init__(self, raws: list[bytes]) -> None:
        self._raws = raws
        self._letters = bytes(map(_first, raws)).lower()

    def places(self, key: bytes) -> Sequence[int]:
        """Where the fields stand whose name in lower case is ``key``, in their order."""
        found: list[int] = []
        if not key or b":" in key:
            return found
        letters, raws = self._letters, self._raws
        letter, start = key[:1], key + b":"
        size = len(start)
        place = letters.find(letter)
        while place >= 0:
            if raws[place][:size].lower() == start:
                found.append(place)
            place = letters.find(letter, place + 1)
        return found


_first: Final = itemgetter(0)


@final
class AnyNames:
    """Of any header: a table of all names."""

    __slots__ = ("_table",)

    def __init__(self, fields: tuple[Field, ...]) -> None:
        names = [field.raw.partition(b":")[0].lower() for field in fields]
        # White space before the colon, and lines that are no fields, are rare.
        if _ODD.search(b":".join(names)):
            names = [field.name.lower() for field in fields]
        self._table: dict[bytes, list[int]] = {}
        for place, name in enumerate(names):
            self._table.setdefault(name, []).append(place)
        self._table.pop(b"", None)  # what is no field has no name

    def places(self, key: bytes) -> Sequence[int]:
        """Where the fields stand whose name in lower case is ``key``, in their order."""
        return self._table.get(key, ())


_ODD: Final = re.compile(rb"[^!-9;-~:]|(?<![^:]):|:\Z")
