"""Subclasses of Value get what they need beside what they define: a hash, and derived operators.

Programs for engines of this kind define operators as micrograd does. So a subclass with a `+` of its own has `1 + v`
and `sum` go through it.
"""

from __future__ import annotations

import reprlib
from functools import wraps
from types import MemberDescriptorType
from weakref import WeakSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


CHECKED = "_checked_hash"  # a subclass's attribute: the hash that it had when check() last looked at it


def is_checked(subclass: type) -> bool:
    """Whether check() has looked at the class since its hash was set. Both engines ask before they make an instance."""
    return subclass.__dict__.get(CHECKED, CHECKED) is subclass.__hash__


def check(subclass: type) -> None:
    """Completes a subclass again, before its first instance: decorators change a class that is made, as dataclass does.

    Raises TypeError if it is a frozen dataclass, or hides what the engine computes with.

    >>> from dataclasses import dataclass
    >>> from autograd import Value
    >>> @dataclass
    ... class Point(Value):
    ...     data: float
    >>> Point.__hash__ is None, len({Point(1.0), Point(1.0)})
    (True, 2)
    """
    refuse_frozen(subclass)
    refuse_hidden(subclass)
    complete(subclass)
    type.__setattr__(subclass, CHECKED, subclass.__hash__)


def complete(subclass: type) -> None:
    """Gives a subclass what it has to have beside what it has defined itself."""
    plain = engines_class(subclass)
    if subclass.__hash__ is None:  # it has an == of its own
        subclass.__hash__ = object.__hash__
    elif subclass.__hash__ not in (object.__hash__, plain.__hash__):
        subclass.__hash__ = identity_checked(subclass.__hash__)  # type: ignore[assignment, arg-type]
    for name in ("__setattr__", "__delattr__"):
        own = vars(subclass).get(name)  # what it inherits has been explained, and another base may come before that
        if callable(own) and getattr(plain, name) is not getattr(object, name):
            setattr(subclass, name, explained(own, name))
    derive_operators(subclass)


def refuse_frozen(subclass: type) -> None:
    of_values = [
        vars(kind).get("__dataclass_params__") for kind in subclass.__mro__ if engines_class(subclass) in kind.__mro__
    ]
    if any(getattr(parameters, "frozen", False) for parameters in of_values):  # a frozen mixin freezes its own fields
        raise TypeError(
            f"{subclass.__name__} is a frozen dataclass, but backward() sets the grad of a Value, and an optimiser its "
            "data: leave frozen=True away"
        )


# What operations compute with, and graphs are walked by. Words are no part of it: a class may have a `label` for all.
COMPUTED_WITH = (
    "data", "grad", "parents", "operands", "operation", "local_derivatives",
    "_number", "_prev", "_children", "_local_grads",
)  # fmt: skip


def refuse_hidden(subclass: type) -> None:
    """Raises TypeError if an attribute of the class, or a slot of its own, hides what the engine computes with.

    A property may hide it. For that is asked by whoever reads or sets the attribute, and can pass it on to Value's.
    """
    engines_own = engines_class(subclass).__mro__
    for name in COMPUTED_WITH:
        owner = next(base for base in subclass.__mro__ if name in vars(base))
        found = vars(owner)[name]
        is_slot = type(found) is MemberDescriptorType
        if owner in engines_own or (hasattr(type(found), "__set__") and not is_slot):
            continue
        what, hint = "a slot", "leave it out of __slots__, and slots=True out of a dataclass"
        if not is_slot:
            what = reprlib.repr(found)
            hint = "set it in __init__ (a dataclass's default is a field(default_factory=...)), or make it a property"
        raise TypeError(f"{owner.__name__}.{name} is {what}, and hides the {name} that Values compute with: {hint}")


def identity_checked(own: Callable[[Any], int]) -> Callable[[Any], int]:
    """A hash of a subclass's own, which may only go by identity: equal data must not make one node of two."""
    if hasattr(own, "is_identity_checked"):
        return own

    def checked(self: Any) -> int:
        number = own(self)
        if number not in (id(self), object.__hash__(self)):
            raise TypeError(
                f"{type(self).__name__}.__hash__: expected id(self), got {number!r}: graphs keep Values in sets and "
                "dicts, where two of the same data must be two (a dataclass has a hash of its data by "
                "unsafe_hash=True); return id(self), or leave __hash__ away"
            )
        return number

    checked.is_identity_checked = True  # type: ignore[attr-defined]
    return checked


def explained(own: Callable[..., None], name: str) -> Callable[..., None]:
    """A `__setattr__` or `__delattr__` of a subclass's own, whose error says what to write.

    CPython keeps object.__setattr__ from setting what a class in C sets in its own way, as the native engine's does.
    """
    if hasattr(own, "is_explained"):
        return own

    @wraps(own)
    def method(self: Any, *arguments: Any) -> None:
        try:
            own(self, *arguments)
        except TypeError as error:
            if str(error) != f"can't apply this {name} to {type(self).__name__} object":
                raise
            raise TypeError(
                f"{type(self).__name__}.{name}: expected it to call super().{name}, got object.{name}, which does not "
                "know how a Value keeps its attributes"
            ) from None

    method.is_explained = True  # type: ignore[attr-defined]
    return method


# The operators that micrograd derives from others, and from which.
DERIVED: dict[str, tuple[set[str], Callable[..., Any]]] = {
    "__neg__": ({"__mul__"}, lambda self: self * -1),
    "__radd__": ({"__add__"}, lambda self, other: self + other),
    "__sub__": ({"__add__", "__mul__"}, lambda self, other: self + (-other)),
    "__rsub__": ({"__add__", "__mul__"}, lambda self, other: (-self) + other),
    "__rmul__": ({"__mul__"}, lambda self, other: self * other),
    "__truediv__": ({"__mul__", "__pow__"}, lambda self, other: self * other**-1),
    "__rtruediv__": ({"__mul__", "__pow__"}, lambda self, other: self**-1 * other),
}


own_sums: WeakSet[type] = WeakSet()  # the subclasses with a + of their own, which sum() goes through


def derive_operators(subclass: type) -> None:
    """Gives a subclass with +, * or ** of its own those operators that are derived from it, unless it has its own."""
    plain = engines_class(subclass)

    def is_own(name: str) -> bool:
        return getattr(subclass, name) is not getattr(plain, name)

    own = {name for name in ("__add__", "__mul__", "__pow__") if is_own(name)}
    if "__add__" in own:
        own_sums.add(subclass)
    for name, (others, derived) in DERIVED.items():
        if not own.isdisjoint(others) and not is_own(name):
            setattr(subclass, name, derived)


def engines_class(kind: type) -> Any:
    """Value itself, of the engine that the class is of, which may be a subclass."""
    return next(base for base in reversed(kind.__mro__) if "local_derivatives" in vars(base))
