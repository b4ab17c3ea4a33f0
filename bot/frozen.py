"""How the classes of our data are made: frozen dataclasses with slots.

Sixty of them were an eighth of a cold start of `triage`, for `dataclass` compiles the methods of
each anew. What is the same for all is shared here; only `__init__` is of each class its own.
"""

from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, TypeVar, dataclass_transform

_Class = TypeVar("_Class")


@cache
def _names(made: type, what: str) -> tuple[str, ...]:
    """The fields that are to be compared, or shown."""
    return tuple(one.name for one in fields(made) if getattr(one, what))


def _values(self: Any) -> tuple[Any, ...]:
    return tuple([getattr(self, name) for name in _names(self.__class__, "compare")])


def _equal(self: Any, other: object) -> Any:
    if self.__class__ is not other.__class__:
        return NotImplemented
    return _values(self) == _values(other)


def _hash(self: Any) -> int:
    return hash(_values(self))


def _told(self: Any) -> str:
    said = ", ".join(f"{name}={getattr(self, name)!r}" for name in _names(self.__class__, "repr"))
    return f"{type(self).__qualname__}({said})"


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(made: type[_Class]) -> type[_Class]:
    """`dataclass(frozen=True, slots=True)`, made in two thirds of the time.

    The functions of `dataclasses` take what it returns, and type checkers know it by PEP 681. Of a
    field's options, `hash` is not heeded.
    """
    shared: dict[str, Any] = {"__eq__": _equal, "__hash__": _hash, "__repr__": _told}
    for name, method in shared.items():
        if made.__dict__.get(name) is None:  # an own `__eq__` has set `__hash__` to None
            setattr(made, name, method)
    return dataclass(frozen=True, slots=True, eq=False, repr=False)(made)
