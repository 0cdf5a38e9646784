"""Value: what every immutable object of this package is made of.

``dataclasses`` would say the same in fewer lines, but importing it takes longer than importing
the whole of this package (10 ms, and half a millisecond for each class). A subclass names its
fields in ``__match_args__``; they decide equality, hash, repr and pickling. Slots beyond those
(``raw``, cached forms) are baggage that does not count.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

__all__ = ["Value", "assign", "draft", "exact", "setter"]

#: Sets a slot of an object under construction, past the guard of :class:`Value`.
assign = object.__setattr__


def setter(cls: type[Value], name: str) -> Callable[[Value, object], None]:
    """What sets one slot of a new object; half the price of ``assign``, for the few places where that shows."""
    set_slot: Callable[[Value, object], None] = getattr(cls, name).__set__
    return set_slot


def draft(cls: type[Value]) -> type[Any]:
    """A class like ``cls``, of objects whose fields may still be set; for the few places where the time shows.

    It is called without arguments. When all fields are set, ``made.__class__ = cls`` closes the object; nobody else
    has seen it before. For an object of three fields that is half the price of setting each past the guard.
    """
    plain = {name: getattr(object, name) for name in ("__new__", "__init__", "__setattr__", "__delattr__")}
    return type(f"{cls.__name__}Draft", (cls,), {"__slots__": (), **plain})


#: A text as a plain ``str``. A subclass, such as an Enum with ``str`` mixed in, may format as something else than
#: what was checked.
exact = str.__str__


class Value:
    """An immutable object, equal to another of its own class with equal fields."""

    __slots__ = ()
    __match_args__: tuple[str, ...] = ()

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: {name} cannot be deleted")

    def _fields(self) -> tuple[Any, ...]:
        return tuple([getattr(self, name) for name in self.__match_args__])

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(other) is not type(self):
            return NotImplemented
        return self._fields() == other._fields()

    def __hash__(self) -> int:
        return hash((type(self), self._fields()))

    def __repr__(self) -> str:
        # One that could not be built is still shown, in a traceback with the variables of its frames.
        names = [name for name in self.__match_args__ if hasattr(self, name)]
        shown = ", ".join([f"{name}={getattr(self, name)!r}" for name in names])
        return f"{type(self).__name__}({shown})"

    def __copy__(self) -> Value:
        return self

    def __deepcopy__(self, memo: object) -> Value:
        return self

    def __getstate__(self) -> dict[str, Any]:
        slots = [name for cls in type(self).__mro__ for name in getattr(cls, "__slots__", ())]
        return {name: getattr(self, name) for name in slots if hasattr(self, name)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            assign(self, name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_blank, (type(self),), self.__getstate__())


def _blank(cls: type[Value]) -> Value:
    """An object of ``cls`` whose slots are still to be filled by ``__setstate__``."""
    return object.__new__(cls)
