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
        raise NotImplementedError


#: Octets from the start of each field in which a name of common length ends.
_HEAD: Final = 32


@final
class PlainNames:
    """Of a header in which every line that begins without white space begins a field, after its name.

    A name is looked for in what all fields begin with, joined: a table of all names costs ten times as much, and few
    of them are ever asked for.
    """

    __slots__ = ("_heads", "_raws")

    def __init__(self, raws: list[bytes]) -> None:
        self._raws = raws
        # No two line ends stand side by side within a field, so two are a mark that nothing else is.
        self._heads = b"\n\n" + b"\n\n".join([raw[:_HEAD] for raw in raws]).lower()

    def places(self, key: bytes) -> Sequence[int]:
        """Where the fields stand whose name in lower case is ``key``, in their order."""
        if len(key) >= _HEAD:
            names = [raw.partition(b":")[0] for raw in self._raws]
            return [place for place, name in enumerate(names) if len(name) == len(key) and name.lower() == key]
        mark = b"\n\n" + key + b":"
        heads = self._heads
        at = heads.find(mark)
        if at < 0 or b":" in key or b"\n" in key:
            return ()
        place = heads.count(b"\n\n", 0, at)
        start, at = at, heads.find(mark, at + 1)
        if at < 0:
            return (place,)
        found = [place]
        while at >= 0:
            place += heads.count(b"\n\n", start, at)
            found.append(place)
            start, at = at, heads.find(mark, at + 1)
        return found


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
