"""Capabilities: the lines of an EHLO reply, as an ordered look-up without regard to case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar, final

from ..errors import ParseError
from . import grammar
from .parameter import Keyed, Parameter
from .value import Value, assign, exact

__all__ = ["Capabilities", "Capability", "Offered"]

T = TypeVar("T")


@final
class Capability(Value):
    """One line of an EHLO reply: a keyword and what follows it (RFC 5321 s4.1.1.1)."""

    __slots__ = ("argument", "keyword")
    __match_args__ = ("keyword", "argument")

    keyword: str  #: In upper case.
    argument: str  #: What follows the keyword and a space; empty when nothing does.

    def __init__(self, keyword: str, argument: str = "") -> None:
        name = grammar.KEYWORD.fullmatch(keyword)
        if not name:
            raise ParseError("not an EHLO keyword", 0, "RFC 5321 s4.1.1.1", keyword)
        argument = exact(argument)
        if not grammar.PRINTABLE.fullmatch(argument) or argument.strip(" ") != argument:
            raise ParseError("not an EHLO parameter", 0, "RFC 5321 s4.1.1.1", argument)
        assign(self, "keyword", name[0].upper())
        assign(self, "argument", argument)

    def __str__(self) -> str:
        return f"{self.keyword} {self.argument}" if self.argument else self.keyword


class Offered(Protocol):
    """Whatever can be announced in an EHLO reply: an extension."""

    @property
    def keyword(self) -> str:
        """The EHLO keyword."""
        ...


@final
class Capabilities(Value):
    """What a server offers, in order: ``Capabilities(PIPELINING, SIZE(35_882_577), EIGHTBITMIME)``.

    Takes extensions, extensions called with a value, and :class:`Capability` for what no
    extension describes. Of a keyword given twice, the last one counts.
    """

    __slots__ = ("_by_keyword",)
    __match_args__ = ("items",)

    _by_keyword: dict[str, Capability]

    def __init__(self, *offered: Offered | Parameter[object] | Capability) -> None:
        assign(self, "_by_keyword", {line.keyword: line for line in map(_capability, offered)})

    @classmethod
    def parse(cls, lines: Iterable[str]) -> Capabilities:
        """Read the lines of an EHLO reply after its first; what is no capability is left out.

        ``AUTH=PLAIN``, which servers wrote before RFC 2554, counts as ``AUTH PLAIN`` where no
        other AUTH line stands.
        """
        found: dict[str, Capability] = {}
        legacy: Capability | None = None
        for line in lines:
            keyword, _, argument = line.strip(" ").partition(" ")
            try:
                if keyword[:5].upper() == "AUTH=" and keyword.isascii():
                    legacy = Capability("AUTH", f"{keyword[5:]} {argument}".strip(" "))
                else:
                    capability = Capability(keyword, argument.strip(" "))
                    found[capability.keyword] = capability
            except ParseError:
                continue
        if legacy:
            found.setdefault("AUTH", legacy)
        return cls(*found.values())

    @property
    def items(self) -> tuple[Capability, ...]:
        """All of them, in order."""
        return tuple(self._by_keyword.values())

    def __contains__(self, key: object) -> bool:
        keyword = key if isinstance(key, str) else getattr(key, "keyword", None)
        if not isinstance(keyword, str):
            return False
        # A long s is no S, but is one in upper case.
        return keyword in self._by_keyword or (keyword.isascii() and keyword.upper() in self._by_keyword)

    def get(self, key: Keyed[T]) -> T | None:
        """The value offered with that keyword; None when it is not offered, or carries no value that can be read."""
        found = self._by_keyword.get(key.keyword)
        if found is None:
            return None
        try:
            return key.decode(found.argument or None)
        except ParseError:
            return None

    def argument(self, keyword: str) -> str | None:
        """The text behind a keyword, empty when it stands alone; None when it is not offered."""
        found = self._by_keyword.get(keyword.upper()) if keyword.isascii() else None
        return found.argument if found else None

    def without(self, *keys: Offered | str) -> Capabilities:
        """The same without these."""
        names = [key if isinstance(key, str) else key.keyword for key in keys]
        gone = {name.upper() for name in names if name.isascii()}
        return Capabilities(*[item for item in self.items if item.keyword not in gone])

    def __iter__(self) -> Iterator[Capability]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self._by_keyword)


def _capability(offered: Offered | Parameter[object] | Capability) -> Capability:
    if isinstance(offered, Capability):
        return offered
    if isinstance(offered, Parameter):
        return Capability(offered.keyword, offered.text or "")
    return Capability(offered.keyword)
