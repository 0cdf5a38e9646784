"""Address and Group: whom the fields From, To, Cc and their like name (RFC 5322 s3.4).

The address proper is the envelope's Mailbox, of the envelope's grammar. The name in front of it
is only shown: it is never part of what an address is, and nothing decoded from it becomes one.
"""

from __future__ import annotations

from itertools import repeat
from typing import Final, final

from ..wire.address import Mailbox, plain_mailbox
from ..wire.value import Value, assign, setter
from .phrase import check_display, decode_phrase, encode_phrase

__all__ = ["Address", "Group"]


@final
class Address(Value):
    """A mailbox with the name it is shown under: ``Alice <alice@crepes.fr>`` (RFC 5322 s3.4).

    ``mailbox`` may be given as text. Raises ParseError for a mailbox that is none, and for a name
    with a CR, an LF or another control character.
    """

    __slots__ = ("_display_name", "_mailbox", "_phrase", "_spec")
    __match_args__ = ("display_name", "mailbox")

    # What was read, and what is made of it when somebody asks.
    _phrase: str  # missing where the name was given
    _display_name: str | None  # not missing, but None: to ask for what is missing takes as long as to decode a name
    _spec: str  # missing where the mailbox is there
    _mailbox: Mailbox  # or that

    def __init__(self, display_name: str, mailbox: Mailbox | str) -> None:
        if isinstance(mailbox, str):
            mailbox = Mailbox.parse(mailbox)
        elif not isinstance(mailbox, Mailbox):
            raise TypeError(f"mailbox must be a Mailbox or a str, not {type(mailbox).__name__}")
        assign(self, "_display_name", check_display(display_name))
        assign(self, "_mailbox", mailbox)

    @property
    def display_name(self) -> str:
        """The name, decoded, to be shown and for nothing else; empty where there is none."""
        name = self._display_name
        if name is None:
            phrase = self._phrase
            name = decode_phrase(phrase) if phrase else phrase
            _set_display_name(self, name)
        return name

    @property
    def mailbox(self) -> Mailbox:
        """The address itself, as an envelope would carry it."""
        mailbox = getattr(self, "_mailbox", None)
        if mailbox is None:
            set_mailbox(self, mailbox := plain_mailbox(self._spec))
        return mailbox

    @property
    def addr_spec(self) -> str:
        """The text of ``mailbox`` (RFC 5322 s3.4.1)."""
        spec = getattr(self, "_spec", None)
        return str(self._mailbox) if spec is None else spec

    def serialise(self, *, utf8: bool = False) -> str:
        """The text of it; with ``utf8`` characters beyond ASCII in the name stay as they are (RFC 6532)."""
        name = encode_phrase(self.display_name, utf8=utf8)
        return f"{name} <{self.addr_spec}>" if name else self.addr_spec

    def __str__(self) -> str:
        return self.serialise()


@final
class Group(Value):
    """Addresses under one name: ``undisclosed-recipients:;`` (RFC 5322 s3.4, RFC 6854).

    Raises ParseError for a name with a control character.
    """

    __slots__ = ("members", "name")
    __match_args__ = ("name", "members")

    name: str  #: The name, decoded, to be shown.
    members: tuple[Address, ...]

    def __init__(self, name: str, members: tuple[Address, ...] | list[Address] = ()) -> None:
        for member in members:
            if not isinstance(member, Address):
                raise TypeError(f"a group is made of Address objects, not {type(member).__name__}")
        # RFC 5322 s3.4: display-name = phrase, which is at least one word; an empty quoted string is one
        assign(self, "name", check_display(name))
        assign(self, "members", tuple(members))

    def serialise(self, *, utf8: bool = False) -> str:
        """The text of it; with ``utf8`` characters beyond ASCII in names stay as they are (RFC 6532)."""
        members = ", ".join([member.serialise(utf8=utf8) for member in self.members])
        name = encode_phrase(self.name, utf8=utf8) or '""'
        return f"{name}: {members};" if members else f"{name}:;"

    def __str__(self) -> str:
        return self.serialise()


_new_address: Final = Address.__new__
_set_phrase, _set_spec = setter(Address, "_phrase"), setter(Address, "_spec")
set_mailbox, _set_display_name = setter(Address, "_mailbox"), setter(Address, "_display_name")


def make_address(phrase: str, mailbox: Mailbox) -> Address:
    """An address from a phrase and a mailbox that were parsed."""
    found = _new_address(Address)
    _set_phrase(found, phrase)
    _set_display_name(found, None)
    set_mailbox(found, mailbox)
    return found


def make_addresses(phrases: tuple[str, ...], specs: tuple[str, ...]) -> tuple[Address, ...]:
    """Addresses from their phrases, and plain mailboxes that were matched."""
    found = tuple(map(_new_address, [Address] * len(specs)))
    # What sets a slot returns None.
    any(map(_set_phrase, found, phrases))
    any(map(_set_display_name, found, repeat(None)))
    any(map(_set_spec, found, specs))
    return found


def make_group(name: str, members: list[Address]) -> Group:
    """A group from parts that were parsed."""
    found = Group.__new__(Group)
    assign(found, "name", name)
    assign(found, "members", tuple(members))
    return found
