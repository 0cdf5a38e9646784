"""Which fields of a header have a name, in any case of its letters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Protocol, final

from .field import Field

__all__ = ["AnyNames", "Names", "PlainNames"]


class Names(Protocol):
    """Fields by their names."""

    def all(self, key: bytes) -> Sequence[Field]:
        """The fields whose name in lower case is ``key``, in their order."""
        raise NotImplementedError


#: Octets from the start of each field in which a name of common length ends.
_HEAD: Final = 32


@final
class PlainNames:
    """Of a header in which every line that begins without white space begins a field, after its name.

    A name is looked for in what all fields begin with, joined: a table of all names costs ten times as much, and few
    of them are ever asked for.
    """

    __slots__ = ("_fields", "_heads")

    def __init__(self, fields: tuple[Field, ...]) -> None:
        self._fields = fields
        # No two line ends stand side by side within a field, so two are a mark that nothing else is.
        self._heads = b"\n\n" + b"\n\n".join([field.raw[:_HEAD] for field in fields]).lower()

    def all(self, key: bytes) -> Sequence[Field]:
        """The fields whose name in lower case is ``key``, in their order."""
        if len(key) >= _HEAD:
            return [field for field in self._fields if field.name.lower() == key]
        mark = b"\n\n" + key + b":"
        heads = self._heads
        place = heads.find(mark)
        if place < 0 or b":" in key or b"\n" in key:
            return ()
        number = heads.count(b"\n\n", 0, place)
        start, place = place, heads.find(mark, place + 1)
        if place < 0:
            return (self._fields[number],)
        found = [self._fields[number]]
        while place >= 0:
            number += heads.count(b"\n\n", start, place)
            found.append(self._fields[number])
            start, place = place, heads.find(mark, place + 1)
        return found


@final
class AnyNames:
    """Of any header: a table of all names."""

    __slots__ = ("_table",)

    def __init__(self, fields: tuple[Field, ...]) -> None:
        names = [field.raw.partition(b":")[0].lower() for field in fields]
        # White space before the colon, and lines that are no fields, are rare.
        if _ODD.search(b":".join(names)):
            fields = tuple([field for field in fields if field.name])
            names = [field.name.lower() for field in fields]
        self._table: dict[bytes, list[Field]] = {}
        for name, field in zip(names, fields, strict=True):
            self._table.setdefault(name, []).append(field)

    def all(self, key: bytes) -> Sequence[Field]:
        """The fields whose name in lower case is ``key``, in their order."""
        return self._table.get(key, ())


_ODD: Final = re.compile(rb"[^!-9;-~:]|(?<![^:]):|:\Z")
