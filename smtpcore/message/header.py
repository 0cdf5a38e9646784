"""Header: the fields of a message in their order, every octet kept.

``bytes(header)`` is what was parsed. A header is never edited: each edit gives a new one, in which all other fields are
the very objects that they were.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Final, final

from ..errors import ParseError
from ..wire.newlines import is_clean
from ..wire.tolerance import Defect
from ..wire.value import Value, assign, setter
from .accessors import Accessors
from .field import Field, LineEnds, check_name, make_field, make_fields, read_text
from .names import AnyNames, Names, PlainNames

__all__ = ["Header", "HeaderLimits"]


@final
class HeaderLimits(Value):
    """What is taken as a header. Each is exact: the number itself still passes."""

    __slots__ = ("fields", "line", "size")
    __match_args__ = ("size", "fields", "line")

    size: int  #: Octets with the empty line; Exim's header_maxsize is the same 1 MiB, sendmail takes 32 KiB.
    fields: int  #: Haraka takes 1,000 lines.
    line: int  #: Octets of a line with its end; RFC 5322 s2.1.1 asks for 1,000, our server takes as many as this.

    def __init__(self, size: int = 1_048_576, fields: int = 1000, line: int = 65_536) -> None:
        if size < 1000 or fields < 1 or line < 1000:
            raise ValueError("a limit below what a header of one line may need (RFC 5322 s2.1.1)")
        assign(self, "size", size)
        assign(self, "fields", fields)
        assign(self, "line", line)


#: RFC 5322 s3.6: what a header may have only one of.
SINGLE: Final = frozenset(
    b"date from sender reply-to to cc bcc message-id in-reply-to references subject".split(b" ")
)  # fmt: skip


@final
class Header(Accessors, Value):
    """The header of a message (RFC 5322 s2.2), in order, with duplicates, names in any case.

    ``end`` is the empty line behind it: CRLF for a new header, so that ``bytes(header) + body`` is a message; no octets
    where the input ended without one.
    """

    __slots__ = ("_made", "_names", "_pieces", "end", "line_ends")
    __match_args__ = ("fields", "end")

    end: bytes
    line_ends: LineEnds  #: What ends its lines.
    # Where every line without white space before it begins a field: the octets of each; missing else.
    _pieces: list[bytes]
    # The fields, or nothing before somebody asks. A list, so that two threads that ask at once get the same objects.
    _made: list[tuple[Field, ...]]
    _names: Names  # made when it is needed

    def __init__(self, fields: Iterable[Field] = (), end: bytes = b"\r\n", line_ends: LineEnds = LineEnds.CRLF) -> None:
        if end and not _ENDS[line_ends].fullmatch(end):
            raise ParseError("not an empty line", 0, "RFC 5322 s2.1")
        assign(self, "line_ends", line_ends)
        assign(self, "end", end)
        assign(self, "_made", [_in_order([_admitted(field, line_ends) for field in fields], line_ends)])

    @classmethod
    def parse(cls, data: bytes, line_ends: LineEnds = LineEnds.CRLF, limits: HeaderLimits | None = None) -> Header:
        """The header at the start of ``data``: all up to the first empty line, or all there is.

        Takes any octets. What is no field becomes one without a name, in its place, so that ``bytes(header)`` is
        ``data``, up to its body if it has one. Raises ParseError only where a limit that was given is exceeded.
        """
        if type(data) is not bytes:
            data = bytes(memoryview(data))  # not bytes(data): a number is a mistake of the caller
        if limits is None and line_ends is _CRLF:
            # As a rule nothing stands behind what ends so; what is longer than a header is searched for its end.
            alone = len(data) <= _LIKELY and data.endswith(b"\r\n\r\n")
            stop = len(data) if alone else data.find(b"\r\n\r\n") + 4
            if stop > 3 and is_clean(block := data[:stop]):
                pieces = _find_plain(block)
                # One empty line and no line that is not of a field: nothing else has been passed over.
                if sum(map(len, pieces)) == len(block) - 2:
                    header = _new_header(cls)
                    _set_pieces(header, pieces)
                    _set_made(header, [])
                    _set_end(header, b"\r\n")
                    _set_line_ends(header, _CRLF)
                    return header
        size, end = find_end(data, 0, line_ends, whole=True)
        if size < 0:
            size, end = len(data), b""
        return make_header(data[:size], end, line_ends, limits)

    @classmethod
    def split(cls, message: bytes, line_ends: LineEnds = LineEnds.CRLF) -> tuple[Header, bytes]:
        """A whole message as its header and its body. Never raises."""
        header = cls.parse(message, line_ends)
        return header, message[header.size :]

    @property
    def fields(self) -> tuple[Field, ...]:
        """All of them, in their order."""
        if not self._made:
            self._made.append(make_fields(self._pieces))
        return self._made[0]

    def _raws(self) -> list[bytes]:
        """The octets of each field."""
        return [field.raw for field in self._made[0]] if self._made else self._pieces

    @property
    def size(self) -> int:
        """Octets of it, with the empty line."""
        return sum(map(len, self._raws())) + len(self.end)

    def __bytes__(self) -> bytes:
        return b"".join(self._raws()) + self.end

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self._raws())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, (bytes, str)) and bool(self._named().places(_key(name)))

    # --- looking fields up ---------------------------------------------------------------------

    def get(self, name: bytes | str) -> Field | None:
        """The first field of that name, in any case, or None. Where only one is allowed, ask for ``only``."""
        found = self._named().places(_key(name))
        return self.fields[found[0]] if found else None

    def all(self, name: bytes | str) -> tuple[Field, ...]:
        """All fields of that name, in their order."""
        fields = self.fields
        return tuple([fields[place] for place in self._named().places(_key(name))])

    def only(self, name: bytes | str) -> Field | None:
        """The field of that name, or None. Raises ParseError for several: programs differ in which they take."""
        place = self._place_of(name)
        return None if place < 0 else self.fields[place]

    def _text(self, name: bytes) -> str | None:
        """The text of the only field of that name in lower case, without an object being made of it."""
        found = self._named().places(name)
        if len(found) != 1:
            self._place_of(name)  # which raises for several
            return None
        place = found[0]
        try:
            return read_text(self._pieces[place], len(name) + 1)
        except AttributeError:
            return self.fields[place].text

    def _place_of(self, name: bytes | str) -> int:
        """Where the only field of that name stands, -1 for none."""
        found = self._named().places(_key(name))
        if len(found) > 1:
            where = max(self.fields[found[1]].offset, 0)
            raise ParseError("several fields of one name", where, "RFC 5322 s3.6", repr(name))
        return found[0] if found else -1

    def _named(self) -> Names:
        try:
            return self._names
        except AttributeError:
            plain = not self._made or hasattr(self, "_pieces")
            names = PlainNames(self._pieces) if plain else AnyNames(self.fields)
            _set_names(self, names)
            return names

    @property
    def defects(self) -> tuple[Defect, ...]:
        """What is wrong with it, in order: of each field, and what is there too often. Offsets are from its start."""
        found: list[Defect] = []
        where = 0
        seen: set[bytes] = set()
        for field in self.fields:
            name = field.name.lower()
            if name in SINGLE:
                if name in seen:
                    found.append(Defect("RFC 5322 s3.6", f"another {name.decode('ascii')} field", where))
                seen.add(name)
            found += [Defect(each.rule, each.why, where + each.where) for each in field.defects]
            where += len(field.raw)
        return tuple(found)

    # --- edits ---------------------------------------------------------------------------------

    def with_added(self, *fields: Field) -> Header:
        """The header with these fields at its end. Raises ParseError for one that would not stay one field."""
        return self._edited([*self.fields, *self._admitted(fields)])

    def with_prepended(self, *fields: Field) -> Header:
        """The header with these fields, in their order, before all others, as trace fields are written."""
        return self._edited([*self._admitted(fields), *self.fields])

    def with_replaced(self, old: Field | bytes | str, *new: Field) -> Header:
        """The header with these fields in the place of one: a field of its own, or the only one of a name.

        A name that it has no field of adds them at its end. Raises ValueError for a field that is not here, ParseError
        for a name that several have.
        """
        if not isinstance(old, Field):
            found = self.only(old)
            if found is None:
                return self.with_added(*new)
            old = found
        place = self._place(old)
        return self._edited([*self.fields[:place], *self._admitted(new), *self.fields[place + 1 :]])

    def without(self, *old: Field | bytes | str) -> Header:
        """The header without these fields, each one of its own, or all of a name."""
        names = {_key(each) for each in old if not isinstance(each, Field)}
        gone = {id(self.fields[self._place(each)]) for each in old if isinstance(each, Field)}
        kept = [field for field in self.fields if id(field) not in gone]
        if names:
            kept = [field for field in kept if field.name.lower() not in names]
        return self._edited(kept)

    def with_order(self, fields: Iterable[Field]) -> Header:
        """The header with its own fields in another order. Raises ValueError unless each is there once."""
        fields = list(fields)
        if sorted(map(id, fields)) != sorted(map(id, self.fields)):
            raise ValueError("not the fields of this header, each once")
        return self._edited(fields)

    def normalized(self) -> Header:
        """The header as it may be sent on: see ``Field.normalized``. Itself where nothing has to change."""
        fields = [field for field in [field.normalized() for field in self.fields] if field.raw != b"\r\n"]
        end = b"\r\n" if self.end else b""
        if self.line_ends is _CRLF and end == self.end and len(fields) == len(self) and all(map(_is, fields, self)):
            return self
        return _made(_in_order(fields, _CRLF), end, _CRLF)

    def _place(self, field: Field) -> int:
        for place, each in enumerate(self.fields):
            if each is field:
                return place
        raise ValueError("not a field of this header")

    def _admitted(self, fields: Iterable[Field]) -> list[Field]:
        return [_admitted(field, self.line_ends) for field in fields]

    def _edited(self, fields: list[Field]) -> Header:
        return _made(_in_order(fields, self.line_ends), self.end, self.line_ends)


_CRLF: Final = LineEnds.CRLF
_new_header: Final = Header.__new__
#: Octets that hardly a header has more of.
_LIKELY: Final = 65_536
_set_made, _set_end, _set_line_ends = setter(Header, "_made"), setter(Header, "end"), setter(Header, "line_ends")
_set_pieces, _set_names = setter(Header, "_pieces"), setter(Header, "_names")
_ENDS: Final = {
    LineEnds.CRLF: re.compile(rb"\r\n"),
    LineEnds.LF: re.compile(rb"\r?\n"),
    LineEnds.ANY: re.compile(rb"\r\n?+|\n"),
}


def _is(one: object, other: object) -> bool:
    return one is other


def _key(name: bytes | str) -> bytes:
    if isinstance(name, bytes):
        return name.lower()
    return name.encode("utf-8", "surrogatepass").lower()  # of bytes: no letter but those of ASCII has a case


def _made(fields: tuple[Field, ...], end: bytes, line_ends: LineEnds) -> Header:
    header = _new_header(Header)
    _set_made(header, [fields])
    _set_end(header, end)
    _set_line_ends(header, line_ends)
    return header


def join_fields(fields: Iterable[Field]) -> Header:
    """A header of fields that were just built, so that nothing in them has to be looked at again."""
    return _made(tuple(fields), b"\r\n", _CRLF)


# --- octets to fields ----------------------------------------------------------------------------

# RFC 5322 s2.2, s2.2.3, over octets in which each CR has its LF and each LF its CR: what "." leaves out is LF alone.
#   fields = *(field-name ":" unstructured CRLF)
# Only where a line begins: a search goes on behind what it could not match, and would look at a long line without a
# colon from each of its octets.
_find_plain: Final = re.compile(rb"(?m:^)[!-9;-~]++:.*+\n(?:[ \t].*+\n)*+").findall

# The same for lines of any octets: each that does not begin with white space begins a field, or what should be one.
_find_any: Final = {
    LineEnds.CRLF: re.compile(rb"(?:[^\r]++|\r(?!\n))++(?:\r\n[ \t](?:[^\r]++|\r(?!\n))*+)*+(?:\r\n)?+").findall,
    LineEnds.LF: re.compile(rb"[^\n]++(?:\n[ \t][^\n]*+)*+\n?+").findall,
    LineEnds.ANY: re.compile(rb"[^\r\n]++(?:(?:\r\n?+|\n)[ \t][^\r\n]*+)*+(?:\r\n?+|\n)?+").findall,
}
# Two line ends in a row; the second is the empty line.
_EMPTY: Final = {
    LineEnds.CRLF: re.compile(rb"\r\n(\r\n)"),
    LineEnds.LF: re.compile(rb"\n(\r?+\n)"),
    LineEnds.ANY: re.compile(rb"(?:\r\n?+|\n)(\r\n?+|\n)"),
}


def find_end(data: bytes | bytearray, start: int, line_ends: LineEnds, *, whole: bool) -> tuple[int, bytes]:
    """The octets of ``data`` before the first empty line, and that line; -1 where there is none.

    No line ends before ``start``. Unless ``data`` is ``whole``, a CR at its end may be half a line end.
    """
    stop = len(data)
    if line_ends is not _CRLF and not whole and data.endswith(b"\r"):
        stop -= 1
    if not start:
        found = _ENDS[line_ends].match(data, 0, stop)
        if found:
            return 0, bytes(found[0])
    if line_ends is _CRLF:
        place = data.find(b"\r\n\r\n", start)
        return (place + 2, b"\r\n") if place >= 0 else (-1, b"")
    found = _EMPTY[line_ends].search(data, start, stop)
    return (found.start(1), bytes(found[1])) if found else (-1, b"")


def make_header(block: bytes, end: bytes, line_ends: LineEnds, limits: HeaderLimits | None = None) -> Header:
    """The header of octets in which no line is empty, with the empty line behind it."""
    pieces = _find_any[line_ends](block)
    if limits:
        _check_limits(block, len(block) + len(end), len(pieces), line_ends, limits)
    offsets = accumulate(map(len, pieces), initial=0)
    fields = [make_field(piece, offset, line_ends) for piece, offset in zip(pieces, offsets)]
    return _made(tuple(fields), end, line_ends)


def _check_limits(block: bytes, size: int, fields: int, line_ends: LineEnds, limits: HeaderLimits) -> None:
    if size > limits.size:
        raise ParseError(f"header longer than {limits.size} octets", limits.size, "RFC 5322 s2.1")
    if fields > limits.fields:
        raise ParseError(f"more than {limits.fields} header fields", len(block), "RFC 5322 s2.1")
    where = 0
    for found in _ENDS[line_ends].finditer(block):
        if found.end() - where > limits.line:
            break
        where = found.end()
    else:
        if len(block) - where <= limits.line:
            return
    raise ParseError(f"header line longer than {limits.line} octets", where, "RFC 5322 s2.1.1")


# --- what may stand in a header ------------------------------------------------------------------


def _admitted(field: Field, line_ends: LineEnds) -> Field:
    """``field``, if it stays one field among lines that end so. Raises ParseError else."""
    if not isinstance(field, Field):
        raise TypeError(f"a header is made of Field objects, not {type(field).__name__}")
    check_name(field.name)
    raw = field.raw
    if field.line_ends is not line_ends:
        raise ParseError("a field of lines that end otherwise: normalized() changes that", 0, "RFC 5322 s2.1")
    if not _whole(raw, line_ends):
        raise ParseError("no line end behind the field", len(raw), "RFC 5322 s2.2")
    return field


def _whole(raw: bytes, line_ends: LineEnds) -> bool:
    """Whether a line ends with these octets."""
    return raw.endswith(b"\r\n" if line_ends is _CRLF else (b"\n", b"\r") if line_ends is LineEnds.ANY else b"\n")


def _in_order(fields: list[Field], line_ends: LineEnds) -> tuple[Field, ...]:
    """Fields that can stand in this order without becoming part of each other. Raises ParseError else."""
    for place, field in enumerate(fields):
        if place and field.raw[:1] in (b" ", b"\t"):
            raise ParseError("a folded line would become part of the field before it", 0, "RFC 5322 s2.2.3")
        if not _whole(field.raw, line_ends):
            # Only what was cut off at the end of the input has none.
            fields[place] = make_field(field.raw + b"\r\n", field.offset, line_ends)
    return tuple(fields)
