"""What is an argument of a function that is differentiated? Numbers: one, or lists, tuples, dicts and arrays of them.

Such a structure is taken apart into its numbers, and put together again with others in their places.
"""

from __future__ import annotations

import math
import sys

from autograd.engines import Value
from autograd.operands import described, real_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any, TypeAlias

    from autograd.value import Scalar

    Structure: TypeAlias = Any  # Any: a number, or a list, tuple, dict or array of structures
    Shape: TypeAlias = "tuple[int, ...] | None"  # of an array; None for what is no array


def leaves_of(structure: Structure) -> Iterator[Any]:
    """The numbers in their order, or whatever else stands there."""
    if is_array(structure):
        yield from structure.flat
    elif (elements := elements_of(structure)) is not None:
        for element in elements:
            yield from leaves_of(element)
    else:
        yield structure


def numbers_in(structure: Structure) -> list[Scalar]:
    """The numbers in their order: Values as they are, others as floats. Raises TypeError for what is no number."""
    return [scalar(leaf) for leaf in leaves_of(structure)]


def numbers_like(structure: Structure, given: Structure) -> list[Scalar]:
    """The numbers of `given`, which must have the form of `structure`; what is a list there may be an array here.

    Raises TypeError or ValueError if it has another form.
    """
    elements = elements_of(structure)
    if elements is None:
        return [scalar(given)]
    if isinstance(structure, dict) or isinstance(given, dict):
        if not isinstance(structure, dict) or not isinstance(given, dict) or given.keys() != structure.keys():
            raise ValueError(f"expected {expected(structure)}, got {described(given)}")
        given = [given[key] for key in structure]
    others = elements_of(given)
    if others is None or len(others) != len(elements):
        raise ValueError(f"expected {expected(structure)}, got {described(given)}")
    return [number for pair in zip(elements, others, strict=True) for number in numbers_like(*pair)]


def expected(structure: Structure) -> str:
    if isinstance(structure, dict):
        return f"a dict with the keys {', '.join(map(repr, structure))}"
    return f"a sequence of {len(structure)}"


def rebuilt(structure: Structure, numbers: Sequence[Scalar]) -> Structure:
    """The structure with other numbers. An array is of float64, unless there are Values among its numbers."""
    return arranged(structure, [numbers])


def arranged(structure: Structure, rows: Sequence[Sequence[Scalar]], shape: Shape = None) -> Structure:
    """The structure with, in the place of its i-th number, the i-th of the row; or, of several rows, the i-th of each.

    They are an array of this shape then, and an array in the structure is one of both shapes.
    """
    position = 0

    def take(leaf: Any) -> Any:
        nonlocal position
        start, position = position, position + count(leaf)
        numbers = [number for row in rows for number in row[start:position]]
        own = shape_of(leaf)
        return numbers[0] if own is None and shape is None else array(numbers, (shape or ()) + (own or ()))

    return mapped(structure, take)


def jacobian_like(outputs: Structure, inputs: Structure, matrix: Sequence[Sequence[Scalar]]) -> Structure:
    """The structure of the outputs with, in the place of each number, its row of the matrix in that of the inputs."""
    position = 0

    def take(leaf: Any) -> Any:
        nonlocal position
        start, position = position, position + count(leaf)
        return arranged(inputs, matrix[start:position], shape_of(leaf))

    return mapped(outputs, take)


def mapped(structure: Structure, function: Callable[[Any], Any]) -> Structure:
    """The structure with function(it) in the place of each array, and of each number that is in none."""
    elements = None if is_array(structure) else elements_of(structure)
    if elements is None:
        return function(structure)
    others = [mapped(element, function) for element in elements]
    if isinstance(structure, dict):
        return dict(zip(structure, others, strict=True))
    return type(structure)(*others) if hasattr(structure, "_fields") else type(structure)(others)


def elements_of(structure: Structure) -> list[Any] | None:
    """What a list, tuple, dict or array holds; None for anything else, which is taken for a number."""
    if isinstance(structure, dict):
        return list(structure.values())
    if isinstance(structure, (list, tuple)) or (is_array(structure) and structure.ndim > 0):
        return list(structure)
    return None


def is_array(structure: object) -> bool:
    numpy = sys.modules.get("numpy")  # where nobody has imported it, there is no array
    return numpy is not None and isinstance(structure, numpy.ndarray)


def shape_of(leaf: Any) -> Shape:
    return leaf.shape if is_array(leaf) else None


def count(leaf: Any) -> int:
    return math.prod(shape_of(leaf) or ())


def array(numbers: Sequence[Scalar], shape: tuple[int, ...]) -> Any:
    """Of float64; of objects, if there is anything but floats, such as Values, among the numbers."""
    import numpy

    if all(isinstance(number, float) for number in numbers):
        return numpy.array(numbers, numpy.float64).reshape(shape)
    objects = numpy.empty(len(numbers), object)
    objects[:] = numbers
    return objects.reshape(shape)


def scalar(number: Any) -> Scalar:
    return number if isinstance(number, Value) else real_number(number)
