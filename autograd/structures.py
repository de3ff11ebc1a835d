"""Structures of numbers are taken apart into their leaves here, and put together again with others in their places.

    leaves, form = flatten(structure)
    structure = unflatten(form, leaves)

A structure is a list, tuple, named tuple, dict, deque, dataclass instance or NumPy array of structures, however nested.
It keeps its class: subclasses stay, a deque keeps its maxlen, a defaultdict its factory. But a range and an array.array
become lists, and numpy.matrix becomes an array. An array may have any shape, () too.

Anything else is a leaf. A Value is always a leaf, also one of a subclass. Whoever needs numbers reads the leaves with
`scalar` or `number`: `flatten(structure, scalar)`.
"""

from __future__ import annotations

import math
import reprlib
import sys
from array import array
from collections import OrderedDict, defaultdict, deque
from contextlib import suppress
from itertools import islice, product

from autograd import operands
from autograd.engines import Value
from autograd.operands import described, real_number
from autograd.wording import located

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, TypeAlias

    from autograd.value import Scalar

    Structure: TypeAlias = Any  # Any: a leaf, or a list, tuple, dict, ... of structures

__all__ = ["Form", "flatten", "map", "number", "numbers_like", "scalar", "sequence", "unflatten", "unflatten_matrix"]


class Form:
    """A structure without its leaves: its classes, keys and shapes.

    Two forms are equal if their classes, keys and shapes are, in the same order. The factory of a defaultdict and the
    maxlen of a deque do not count. `count` is the number of leaves.
    """

    __slots__ = ("count", "keys", "kind", "option", "parts", "shape")

    def __init__(
        self,
        kind: type | None = None,
        keys: tuple[Any, ...] = (),
        parts: tuple[Form, ...] = (),
        option: Any = None,
        shape: tuple[int, ...] | None = None,
    ) -> None:
        self.kind = kind  # the class; None for a leaf and for an array
        self.keys = keys  # of a dict; the names of a named tuple's or dataclass's fields
        self.parts = parts
        self.option = option  # a deque's maxlen, a defaultdict's factory
        self.shape = shape  # of an array
        self.count: int = math.prod(shape or ()) if kind is None else sum([part.count for part in parts])

    @property
    def is_single(self) -> bool:
        """Whether it is the form of a number by itself: of a leaf, or of an array of the shape ()."""
        return self.kind is None and not self.shape

    def places(self) -> list[str]:
        """Where each leaf stands, as Python would write it: "['w'][0]", ".slope"; "" for a leaf by itself.

        >>> flatten({"w": [1.0, 2.0], "b": 3.0})[1].places()
        ["['w'][0]", "['w'][1]", "['b']"]
        """
        return list(self._places(""))

    def _places(self, start: str) -> Iterator[str]:
        if self.kind is None:
            for index in product(*[range(length) for length in self.shape or ()]):
                yield start + "".join([f"[{i}]" for i in index])
            return
        for step, part in zip(self._steps(), self.parts, strict=True):
            yield from part._places(start + step)

    def _steps(self) -> list[str]:
        """How Python would write the way to each part."""
        assert self.kind is not None
        if issubclass(self.kind, dict):
            return [f"[{key!r}]" for key in self.keys]
        return [f".{name}" for name in self.keys] or [f"[{i}]" for i in range(len(self.parts))]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Form) and [*self._compared()] == [*other._compared()]

    def __hash__(self) -> int:
        return hash(tuple(self._compared()))

    def _compared(self) -> Iterator[tuple[object, ...]]:
        """What all forms within it are, by a loop: a comparison of nested tuples takes several calls a level."""
        waiting = [self]
        while waiting:
            form = waiting.pop()
            yield form.kind, form.keys, len(form.parts), form.shape
            waiting += form.parts

    def __repr__(self) -> str:
        name = self.kind.__name__ if self.kind else "leaf" if self.shape is None else f"array of the shape {self.shape}"
        return f"<Form of {name}: {reprlib.repr(self.places())}>"


LEAF = Form()


class EndlessError(ValueError):
    """A structure that holds itself, or that is nested too deeply to be followed to its end."""


def flatten(structure: Structure, read: Callable[[Any], Any] | None = None, what: str = "") -> tuple[list[Any], Form]:
    """The leaves of a structure, in order, and its form.

    Arguments:
        structure: a leaf, or a list, tuple, dict, ... of structures.
        read: `scalar` or `number`, where all leaves must be numbers: it is called with each.
        what: what the structure is, as in "grad: the argument": the errors' messages begin with it.

    Raises TypeError or OverflowError if `read` does, and names the place; ValueError for a structure that holds itself,
    and for one whose nesting is deeper than a fourth of Python's recursion limit.

    >>> leaves, form = flatten({"w": [1, 2.5], "b": Value(3.0)}, number)
    >>> leaves
    [1.0, 2.5, 3.0]
    >>> unflatten(form, [leaf + 1.0 for leaf in leaves])
    {'w': [2.0, 3.5], 'b': 4.0}
    """
    leaves: list[Any] = []
    try:
        form = take_apart(structure, leaves)
    except EndlessError as error:
        raise EndlessError(f"{what}: {error}" if what else str(error)) from None
    if read is None:
        return leaves, form
    try:
        return [read(leaf) for leaf in leaves], form
    except (TypeError, OverflowError):
        for leaf, place in zip(leaves, form.places(), strict=True):
            read_at(place, leaf, read, what)
        raise


def read_at(place: str, leaf: Any, read: Callable[[Any], Any], what: str = "") -> Any:
    try:
        return read(leaf)
    except (TypeError, OverflowError) as error:
        raise located(error, what, place) from None


def unflatten(form: Form, leaves: Sequence[Any]) -> Structure:
    """The structure of this form with these leaves. Its arrays are of float64, or of objects if not all are floats.

    Raises ValueError if there are more leaves, or fewer, than the form has.
    """
    if len(leaves) != form.count:
        raise ValueError(
            f"unflatten: expected {form.count} {'leaf' if form.count == 1 else 'leaves'}, got {len(leaves)}"
        )
    following = iter(leaves)

    def take(place: Form) -> Any:
        return next(following) if place.shape is None else as_array(list(islice(following, place.count)), place.shape)

    return built(form, take)


def map(function: Callable[[Any], Any], structure: Structure) -> Structure:
    """A new structure with function(leaf) in the place of each leaf.

    Its arrays are of float64, or of objects if not all leaves are floats. But if the function has returned every
    element of an array as it was, there is a copy of this array. Raises ValueError as `flatten` does.

    >>> map(abs, {"w": [-1.0, 2.0], "b": -3.0})
    {'w': [1.0, 2.0], 'b': 3.0}
    """
    return mapped(function, structure, ())


def mapped(function: Callable[[Any], Any], structure: Structure, around: tuple[int, ...]) -> Structure:
    if is_array(structure):
        elements = elements_of_array(structure)
        others = [function(element) for element in elements]
        unchanged = same_objects(elements, others)
        return structure.copy() if unchanged else as_array(others, structure.shape)
    taken = parts_of(structure)
    if taken is None:
        return function(structure)
    kind, keys, parts, option = taken
    around = within(structure, around)
    return put_together(kind, keys, [mapped(function, part, around) for part in parts], option)


def sequence(structure: Structure) -> list[Structure] | None:
    """The elements of a list, tuple, deque, range or array with axes; None for anything else."""
    if is_array(structure):
        return list(sys.modules["numpy"].asarray(structure)) if structure.ndim else None
    taken = parts_of(structure)
    return taken[2] if taken is not None and issubclass(taken[0], SEQUENCES) else None


def scalar(leaf: Any) -> Scalar:
    """A Value as it is, any other real number as a float. Raises TypeError for anything else."""
    result: Scalar = operands.scalar(leaf, Value)
    return result


def number(leaf: Any) -> float:
    """The float of a Value or of any other real number. Raises TypeError for anything else."""
    if isinstance(leaf, Value):
        return leaf.data
    operands.refuse_other_engine(leaf, Value)
    return real_number(leaf)


# ---- Further structures of the same form


def numbers_like(structure: Structure | Form, given: Structure) -> list[Scalar]:
    """The scalars of `given`, which must have the form of `structure`, in the order of `structure`.

    For a sequence, any other sequence or an array may be given; for a number, an array of the shape (); for a dict, one
    with its keys in another order.

    Raises TypeError for a leaf that is no number, ValueError for another form. The message names the place.
    """
    form = structure if isinstance(structure, Form) else flatten(structure)[1]
    return list(matched(form, given, ""))


def matched(form: Form, given: Structure, place: str) -> Iterator[Scalar]:
    if is_array(given) and given.ndim == 0:
        given = given[()]
    if form.is_single:
        yield read_at(place, given, scalar)
        return
    if form.shape is not None:  # as a list of its rows
        rows = (Form(shape=form.shape[1:]),) * form.shape[0]
        form = Form(list, parts=rows)
    elements = elements_like(form, given)
    if elements is None:
        where = f" at {place}" if place else ""
        raise ValueError(f"expected {expected(form)}, got {described(given)}{where}")
    for step, part, element in zip(form._steps(), form.parts, elements, strict=True):
        yield from matched(part, element, place + step)


def elements_like(form: Form, given: Structure) -> list[Any] | None:
    """The parts of `given` in the order of the form's; None if it has other parts."""
    assert form.kind is not None
    if issubclass(form.kind, dict):
        same_keys = isinstance(given, dict) and given.keys() == set(form.keys)
        return [given[key] for key in form.keys] if same_keys else None
    if not issubclass(form.kind, SEQUENCES):
        taken = parts_of(given)
        return taken[2] if taken is not None and taken[0] is form.kind else None
    elements = sequence(given)
    return elements if elements is not None and len(elements) == len(form.parts) else None


def expected(form: Form) -> str:
    assert form.kind is not None
    if issubclass(form.kind, dict):
        return f"a dict with the keys {', '.join([repr(key) for key in form.keys])}"
    return f"a sequence of {len(form.parts)}" if issubclass(form.kind, SEQUENCES) else f"a {form.kind.__name__}"


def unflatten_matrix(outputs: Form, inputs: Form, matrix: Sequence[Sequence[Scalar]]) -> Structure:
    """A matrix, (outputs, inputs), as a structure: in the place of each output, its row in the structure of the inputs.

    For an array of outputs there is one structure of inputs. Its leaves are arrays of the outputs' shape. Its arrays
    have the axes of the outputs first, then their own.

    >>> outputs, inputs = flatten({"a": 0.0, "b": 0.0})[1], flatten((0.0, [0.0]))[1]
    >>> unflatten_matrix(outputs, inputs, [[1.0, 2.0], [3.0, 4.0]])
    {'a': (1.0, [2.0]), 'b': (3.0, [4.0])}
    """
    rows = iter(matrix)

    def take_rows(place: Form) -> Structure:
        chosen = list(islice(rows, place.count))
        column = 0

        def take_columns(inner: Form) -> Any:
            nonlocal column
            start, column = column, column + inner.count
            block = [number for row in chosen for number in row[start:column]]
            if place.shape is None and inner.shape is None:
                return block[0]
            return as_array(block, (place.shape or ()) + (inner.shape or ()))

        return built(inputs, take_columns)

    return built(outputs, take_rows)


# ---- How each kind is taken apart and put together

SEQUENCES = (list, tuple, deque)


def take_apart(structure: Structure, leaves: list[Any], around: tuple[int, ...] = ()) -> Form:
    """The form of the structure, whose leaves are appended to the list. `around` are the ids of those that hold it."""
    if type(structure) is float or isinstance(structure, Value):  # as most often, and quickly
        leaves.append(structure)
        return LEAF
    if is_array(structure):
        leaves += elements_of_array(structure)
        return Form(shape=structure.shape)
    taken = parts_of(structure)
    if taken is None:
        leaves.append(structure)
        return LEAF
    kind, keys, parts, option = taken
    around = within(structure, around)
    return Form(kind, keys, tuple([take_apart(part, leaves, around) for part in parts]), option)


def within(structure: Structure, around: tuple[int, ...]) -> tuple[int, ...]:
    """The ids of the structures that hold its parts. Raises EndlessError if it is one of these, or they are many."""
    if id(structure) in around:
        raise EndlessError(f"expected a structure of numbers, got {described(structure)}, which holds itself")
    if len(around) >= sys.getrecursionlimit() // 4:  # a level takes up to three calls, and those around need some too
        raise EndlessError(
            f"expected a structure of numbers, got one that is nested more than {len(around)} levels deep, with "
            f"{described(structure)} there; sys.setrecursionlimit() moves this limit, a fourth of Python's own"
        )
    return (*around, id(structure))


def built(form: Form, take: Callable[[Form], Any]) -> Structure:
    """The structure with take(its form) in the place of each array, and of each leaf that is in none."""
    if form.kind is None:
        return take(form)
    parts = [take(part) if part.kind is None else built(part, take) for part in form.parts]
    return put_together(form.kind, form.keys, parts, form.option)


def parts_of(structure: Structure) -> tuple[type, tuple[Any, ...], list[Any], Any] | None:
    """The class, keys, parts and option of a structure that is no array, as a Form has them; None for a leaf."""
    kind = type(structure)
    if isinstance(structure, Value):
        return None
    if isinstance(structure, (list, deque)):
        return kind, (), list(structure), getattr(structure, "maxlen", None)
    if isinstance(structure, tuple):
        return kind, getattr(kind, "_fields", ()), list(structure), None
    if isinstance(structure, dict):
        return kind, tuple(structure), list(structure.values()), getattr(structure, "default_factory", None)
    if isinstance(structure, (range, array)):
        return list, (), list(structure), None
    if hasattr(kind, "__dataclass_fields__"):
        from dataclasses import fields  # whoever made the class has imported it already; here nobody should wait for it

        names = tuple([field.name for field in fields(structure)])
        return kind, names, [getattr(structure, name) for name in names], None
    return None


def put_together(kind: type, keys: tuple[Any, ...], parts: list[Any], option: Any) -> Structure:
    if kind is list:
        return parts
    if kind is tuple:
        return tuple(parts)
    if kind is dict:
        return dict(zip(keys, parts, strict=True))
    if issubclass(kind, tuple) and keys:
        return kind._make(parts)  # type: ignore[attr-defined]  # it has fields, so it is a named tuple
    if issubclass(kind, (*SEQUENCES, dict)):
        return of_subclass(kind, keys, parts, option)
    instance: Any = kind.__new__(kind)  # a dataclass's constructor may refuse Values, or a negative derivative
    for name, part in zip(keys, parts, strict=True):
        object.__setattr__(instance, name, part)  # also where it is frozen
    return instance


def of_subclass(kind: type, keys: tuple[Any, ...], parts: list[Any], option: Any) -> Structure:
    """An instance of a subclass of list, tuple, dict, ...: by its constructor, if that takes what theirs takes."""
    base = next(base for base in (list, tuple, deque, OrderedDict, defaultdict, dict) if issubclass(kind, base))
    content: Any = dict(zip(keys, parts, strict=True)) if issubclass(kind, dict) else parts
    arguments = {deque: (content, option), defaultdict: (option, content)}.get(base, (content,))
    with suppress(Exception):
        made = kind(*arguments)
        taken = parts_of(made)
        if taken is not None and taken[:2] == (kind, keys) and same_objects(taken[2], parts):
            return made
    if base is tuple:
        return tuple.__new__(kind, parts)
    instance: Any = base.__new__(kind)
    base.__init__(instance, *arguments)
    return instance


def same_objects(some: list[Any], others: list[Any]) -> bool:
    return len(some) == len(others) and all(one is other for one, other in zip(some, others, strict=True))


def is_array(structure: object) -> bool:
    """Whether it is one of NumPy's arrays. Where nobody has imported NumPy, there is none."""
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(structure, numpy.ndarray)


def elements_of_array(structure: Any) -> list[Any]:
    if type(structure) is sys.modules["numpy"].ndarray and structure.dtype.kind in "fiub":
        return structure.ravel().tolist()  # type: ignore[no-any-return]
    return list(structure.flat)


def as_array(leaves: list[Any], shape: tuple[int, ...]) -> Any:
    from autograd.packages import numpy

    if all(isinstance(leaf, float) for leaf in leaves):
        return numpy.array(leaves, numpy.float64).reshape(shape)
    return numpy.fromiter(leaves, object, len(leaves)).reshape(shape)  # Values with a length are no rows
