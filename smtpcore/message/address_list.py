"""AddressList: the mailboxes and groups of a From, To, Cc, Reply-To, Sender or Bcc field.

RFC 5322 s3.4 and s4.4, RFC 6532, RFC 6854. A list of the plain kind is found by one pattern;
everything else is read token by token. Either way no address comes out of a text that could be
read in two ways: what is wrong up to the next comma is left out as a whole, with a defect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, final

from ..errors import ParseError
from ..wire import grammar
from ..wire.address import SHORT
from ..wire.tolerance import INTEROP, LAX, Defect, Tolerance
from ..wire.value import Value, assign, setter
from .address import Address, Group, make_addresses
from .address_item import parse_item, skip_item
from .cfws import skip_cfws

__all__ = ["AddressList"]


@final
class AddressList(Value):
    """Addresses and groups in their order; what ``for`` goes through, ``addresses`` without the groups around them."""

    __slots__ = ("_found", "_made", "defects")
    __match_args__ = ("items",)

    defects: tuple[Defect, ...]  #: What was wrong with the text it was read from, in its order.
    _found: tuple[tuple[str, ...], tuple[str, ...]]  # of a plain list, the phrases and the addresses; missing else
    # The items, or nothing before somebody asks. A list, so that two threads that ask at once get the same objects.
    _made: list[tuple[Address | Group, ...]]

    def __init__(self, items: Iterable[Address | Group] = ()) -> None:
        items = tuple(items)
        for item in items:
            if not isinstance(item, (Address, Group)):
                raise TypeError(f"an address list is made of Address and Group objects, not {type(item).__name__}")
        assign(self, "_made", [items])
        assign(self, "defects", ())

    @classmethod
    def parse(cls, text: str, tolerance: Tolerance | None = None) -> AddressList:
        """Read an unfolded list of at least one address or group. Raises ParseError.

        With no ``tolerance`` that is the grammar messages may be written in (RFC 5322 s3.4). INTEROP
        lets through what RFC 5322 s4.4 has for old ones: routes, empty elements, dots in names,
        white space around the dots and the ``@`` of an address. LAX also reads a semicolon for a
        comma, a group without an end, and a name with an unquoted comma.
        """
        plain = _read_plain(text)
        if plain is not None:
            return plain
        tolerance = tolerance or Tolerance()
        before = len(tolerance.defects)
        items = _parse_list(text, tolerance)
        return _made(tuple(items), tuple(tolerance.defects[before:]))

    @classmethod
    def read(cls, text: str) -> AddressList:
        """The addresses and groups that ``text`` surely names, with its defects. Never raises.

        An element that breaks even the LAX grammar is left out from comma to comma.
        """
        plain = _read_plain(text)
        return _read_list(text) if plain is None else plain

    @property
    def items(self) -> tuple[Address | Group, ...]:
        """All of it, in its order."""
        if not self._made:
            self._made.append(make_addresses(*self._found))
        return self._made[0]

    @property
    def addresses(self) -> tuple[Address, ...]:
        """All addresses, those within groups too."""
        plain = not self._made  # a list of the plain kind, of which nobody has asked for anything
        items = self.items
        if plain or Group not in set(map(type, items)):
            return items  # type: ignore[return-value]  # it holds no Group
        found: list[Address] = []
        for item in items:
            if isinstance(item, Group):
                found += item.members
            else:
                found.append(item)
        return tuple(found)

    def __iter__(self) -> Iterator[Address | Group]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self._made[0] if self._made else self._found[0])

    def serialise(self, *, utf8: bool = False) -> str:
        """The text of it, unfolded; with ``utf8`` characters beyond ASCII in names stay as they are (RFC 6532)."""
        return ", ".join([item.serialise(utf8=utf8) for item in self.items])

    def __str__(self) -> str:
        return self.serialise()


_new_list: Final = AddressList.__new__
_set_found, _set_made = setter(AddressList, "_found"), setter(AddressList, "_made")
_set_defects = setter(AddressList, "defects")


def _made(items: tuple[Address | Group, ...], defects: tuple[Defect, ...]) -> AddressList:
    found = _new_list(AddressList)
    _set_made(found, [items])
    _set_defects(found, defects)
    return found


# --- the plain kind ------------------------------------------------------------------------------

# RFC 5322 s3.4
#   mailbox-list = (mailbox *("," mailbox)) / obs-mbox-list
#   mailbox      = name-addr / addr-spec
#   name-addr    = [display-name] angle-addr
# of ASCII, without comments, with names of atoms between single spaces, or of one quoted string
_ATOM = f"[{grammar.ATEXT}]++"
_NAME = rf'(?:{_ATOM}(?: {_ATOM})*+|"[\t !#-\[\]-~]*+")'
_find_items: Final = re.compile(
    rf"(?<![^,])[ \t]*+(?:({_NAME})?+[ \t]*+(?=<))?+(<)?+({grammar.PLAIN_MAILBOX.pattern})(?(2)>)[ \t]*+(?:,|\Z)"
).findall


def _read_plain(text: str) -> AddressList | None:
    """A plain list; None for every other text."""
    found = _find_items(text)
    if not found:
        return None
    phrases, _, specs = zip(*found, strict=True)
    # Each match begins at the start or behind a comma, so a comma stands in whatever has been passed over: with one
    # fewer than matches, all of it has been matched, and none is the last. No mailbox could be longer than any limit.
    commas = text.count(",") - ("".join(phrases).count(",") if '"' in text else 0)
    if commas != len(specs) - 1 or max(map(len, specs)) > SHORT:
        return None
    several = _new_list(AddressList)
    _set_found(several, (phrases, specs))
    _set_made(several, [])
    _set_defects(several, ())
    return several


# --- every kind ----------------------------------------------------------------------------------


def _parse_list(text: str, tolerance: Tolerance) -> list[Address | Group]:
    """``address-list``, all of the text."""
    items: list[Address | Group] = []
    pos = start = skip_cfws(text, 0)
    while True:
        # RFC 5322 s4.4
        #   obs-addr-list = *([CFWS] ",") address *("," [address / CFWS])
        if text.startswith((",", ";"), pos) or pos == len(text):
            if not items and pos == len(text):
                raise ParseError("no address", start, "RFC 5322 s3.4", text)
            why = "nothing between commas" if pos < len(text) else "nothing behind a comma"
            tolerance.permit(INTEROP, why, pos, "RFC 5322 s4.4", text)
        else:
            item, pos = parse_item(text, pos, tolerance)
            items.append(item)
        if pos == len(text):
            return items
        pos = skip_cfws(text, _parse_comma(text, pos, tolerance, items))


def _parse_comma(text: str, pos: int, tolerance: Tolerance, items: list[Address | Group]) -> int:
    if text.startswith(",", pos):
        return pos + 1
    if text.startswith(";", pos):
        tolerance.permit(LAX, "semicolon where a comma belongs", pos, "RFC 5322 s3.4", text)
        return pos + 1
    if items and isinstance(items[-1], Group):
        tolerance.permit(LAX, "no comma behind a group", pos, "RFC 5322 s3.4", text)
        return pos
    raise ParseError("text behind an address", pos, "RFC 5322 s3.4", text)


def _read_list(text: str) -> AddressList:
    items: list[Address | Group] = []
    tolerance = Tolerance(LAX)
    pos = start = 0
    while pos < len(text):
        start = pos
        size = len(items)
        try:
            pos = skip_cfws(text, pos)
            if not text.startswith((",", ";"), pos) and pos < len(text):
                item, pos = parse_item(text, pos, tolerance)
                items.append(item)
            elif size or pos < len(text):
                tolerance.permit(INTEROP, "nothing between commas", pos, "RFC 5322 s4.4")
            if pos < len(text):
                pos = _parse_comma(text, pos, tolerance, items)
                if pos == len(text):
                    tolerance.permit(INTEROP, "nothing behind a comma", pos, "RFC 5322 s4.4")
        except ParseError as error:
            tolerance.defects.append(Defect(error.rule, error.why, error.where))
            del items[size:]  # an address that more text stands behind is none
            pos = skip_item(text, start)
    if not items and not tolerance.defects:
        tolerance.defects.append(Defect("RFC 5322 s3.4", "no address", 0))
    return _made(tuple(items), tuple(tolerance.defects))
