"""Which fields of a header have a name, in any case of its letters."""

from __future__ import annotations

import re
from collections.abc import Sequence
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

    A list is made in a quarter of the time of a table, and few names are ever asked for.
    """

    __slots__ = ("_names",)

    def __init__(self, raws: list[bytes]) -> None:
        self._names = [raw.partition(b":")[0].lower() for raw in raws]

    def places(self, key: bytes) -> Sequence[int]:
        """Where the fields stand whose name in lower case is ``key``, in their order."""
        names = self._names
        count = names.count(key)
        if not count:
            return ()
        if count == 1:
            return (names.index(key),)
        return [place for place, name in enumerate(names) if name == key]


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
