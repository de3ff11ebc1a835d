"""Apart is the arguments of a call, taken apart: their form, their numbers, and what else stands among them."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from decimal import Decimal

from autograd import structures
from autograd.engines import Value
from autograd.operands import described
from autograd.packages import numpy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from autograd.structures import Form, Structure


class Static:
    """An argument that is a part of the structure as a whole: a leaf."""

    __slots__ = ("argument",)

    def __init__(self, argument: Any) -> None:
        self.argument = argument


def exactly(leaf: Any) -> tuple[Any, ...]:
    """What tells it from others: to Python 1, 1.0 and True are equal, and 0.0 and -0.0; and nan is not even itself.

    So a number has its class and its digits here, by itself and within a tuple, a frozenset or a frozen dataclass.
    Objects of any other class are one if their class says that they are equal.
    """
    kind = type(leaf)
    if kind is Static:
        return kind, exactly(leaf.argument)
    if isinstance(leaf, (tuple, frozenset)):
        parts = map(exactly, leaf)
        return kind, tuple(parts) if isinstance(leaf, tuple) else frozenset(parts)
    for number in (float, complex, Decimal):
        if isinstance(leaf, number):
            return kind, number.__repr__(leaf)  # a subclass may have one that rounds
    if isinstance(leaf, numpy.generic):
        return kind, repr(leaf)
    if is_dataclass(kind) and kind.__dataclass_params__.frozen:  # type: ignore[attr-defined]  # typeshed leaves it out
        told = [exactly(getattr(leaf, field.name, None)) for field in fields(kind) if field.compare]
        return kind, leaf, tuple([part if is_hashable(part) else None for part in told])  # its == may be its own
    return kind, leaf


def is_hashable(part: object) -> bool:
    try:
        hash(part)
    except TypeError:
        return False
    return True


def seen_in(form: Form) -> Iterator[tuple[object, ...]]:
    """What a function can see of a form, and equal forms may differ in: the keys of dicts, a maxlen, a factory."""
    waiting = [form]
    while waiting:
        each = waiting.pop()
        if each.kind is not None and (each.option is not None or issubclass(each.kind, dict)):
            yield each.option, exactly(each.keys)
        waiting += each.parts


class Apart:
    """The arguments of a call, apart: their form, their numbers, and what else stands among them."""

    def __init__(self, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        self.leaves, self.form = structures.flatten((arguments, keywords), what="compiled: the arguments")
        self.has_values = any(isinstance(leaf, Value) for leaf in self.leaves)
        self.places = [] if self.has_values else [i for i, leaf in enumerate(self.leaves) if is_number(leaf)]
        self.numbers = [structures.number(self.leaves[i]) for i in self.places]

    @property
    def key(self) -> object:
        numbers = {*self.places}
        others = [None if i in numbers else exactly(leaf) for i, leaf in enumerate(self.leaves)]
        key = self.form, tuple(seen_in(self.form)), tuple(others)
        try:
            hash(key)
        except TypeError as error:
            raise TypeError(
                f"compiled: expected numbers as arguments, and else what can be hashed, got {error} among them"
            ) from None
        return key

    def filled(self, numbers: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments and keywords with these numbers."""
        leaves = [leaf.argument if isinstance(leaf, Static) else leaf for leaf in self.leaves]
        for place, number in zip(self.places, numbers, strict=True):
            leaves[place] = number
        arguments, keywords = structures.unflatten(self.form, leaves)
        return arguments, keywords

    def chosen(self, positions: Sequence[int], is_single: bool) -> tuple[list[int], Form]:
        """Which of the numbers stand in the arguments at these positions, and the form of these arguments.

        Raises ValueError for a static argument, which has no numbers here, TypeError for one that holds anything else.
        """
        forms = self.form.parts[0].parts
        ends = [sum(form.count for form in forms[: i + 1]) for i in range(len(forms))]
        leaves = [leaf for i in positions for leaf in range(ends[i] - forms[i].count, ends[i])]
        number_of = {place: k for k, place in enumerate(self.places)}
        if not number_of.keys() >= set(leaves):
            arguments, _ = self.filled(self.numbers)
            for i in positions:
                leaf = self.leaves[ends[i] - 1] if forms[i].count else None
                if isinstance(leaf, Static):
                    raise ValueError(
                        f"compiled: static: expected arguments that are not differentiated by, got the one at position "
                        f"{i}, {described(leaf.argument)}: take it out of static=, or differentiate by another one"
                    )
                structures.flatten(arguments[i], structures.scalar, "compiled: the argument")  # which raises
        form = forms[positions[0]] if is_single else structures.Form(tuple, parts=tuple(forms[i] for i in positions))
        return [number_of[leaf] for leaf in leaves], form


def is_number(leaf: object) -> bool:
    try:
        structures.number(leaf)
    except TypeError:
        return False
    return True


PLAIN = {float, int}  # not bool, which is an int to `isinstance` alone
DEEPEST = 20


def quick_key(structure: Structure, numbers: list[float], depth: int = 0) -> object:
    """What tells the structure from others, if it is of the most usual kinds; else None. Adds its numbers."""
    kind = type(structure)
    if kind in PLAIN:
        numbers.append(structure)
        return "number"
    if kind is list or kind is tuple:
        if PLAIN.issuperset(map(type, structure)):
            numbers += structure
            return kind, len(structure)
        parts = [quick_key(part, numbers, depth + 1) for part in structure] if depth < DEEPEST else [None]
        return None if None in parts else (kind, *parts)
    if is_plain_array(structure):
        numbers += structure.ravel().tolist()
        return "array", structure.shape
    return None


def is_plain_array(array: Any) -> bool:
    return type(array) is numpy.ndarray and array.dtype.char == "d"
