"""Operands are read here: Values and real numbers, and the arguments that a function of the table is called with.

Nothing here depends on an engine: each passes its own Value.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Mapping, Set
from contextlib import suppress
from functools import partial
from numbers import Complex, Real
from types import FunctionType

from autograd.operation import strict
from autograd.operations import OPERATIONS
from autograd.subclasses import engines_class
from autograd.wording import BEYOND_FLOATS, counted, located

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, SupportsFloat, SupportsIndex, TypeVar

    from autograd.operation import Operation

    T = TypeVar("T")
    Number = SupportsFloat | SupportsIndex  # of these, real numbers only


class OwnGradientError(TypeError):
    """A number that records a gradient of its own, which would be lost: no operator leaves it to the other operand."""


def real_number(number: object) -> float:
    """The float of a real number. Raises TypeError for everything else, of which some has a `__float__` too.

    A Value gives its number, to be copied. An array's scalar, and an array of no dimensions, is the number in it.
    Raises OverflowError for what no float stands for, such as 10**400.
    """
    if isinstance(number, (float, int)):
        return as_float(number)
    inner = number_in(number)
    if is_value(inner):
        return inner._number_to_copy()  # type: ignore[no-any-return]
    convertible = hasattr(inner, "__float__") or hasattr(inner, "__index__")
    complex_number = isinstance(inner, Complex) and not isinstance(inner, Real)
    if convertible and not complex_number and not hasattr(inner, "__len__"):
        with suppress(TypeError):
            return as_float(inner)
    many = isinstance(number, (list, tuple)) or bool(getattr(number, "ndim", 0))
    hint = "; a batch goes through one example at a time, or through a Tape" if many else ""
    raise TypeError(f"expected a real number, got {described(number)}{hint}")


def as_float(number: Number) -> float:
    try:
        if math.isfinite(found := float(number)) or found != found or number == found:
            return found  # of a Decimal beyond all floats Python makes inf
    except OverflowError:
        pass
    raise OverflowError(f"expected a real number, got {BEYOND_FLOATS}")


def is_value(number: object) -> bool:
    """Whether it is a Value, of either engine. Its type decides: a proxy's or a mock's `__class__` says so too."""
    return hasattr(type(number), "_number_to_copy")


def refuse_to_pose(number: Any) -> None:
    """Raises TypeError for what has a Value's `__class__`, which isinstance() believes, and is none."""
    if number.__class__ is not type(number) and hasattr(number.__class__, "_number_to_copy") and not is_value(number):
        raise TypeError(
            f"expected a Value, got a {type(number).__qualname__} that stands for one: pass the Value itself, "
            "or its data for the plain number"
        )


def refuse_other_engine(number: Any, value_type: type) -> None:
    """Raises TypeError for a Value of the other engine: as a plain number it would lose its derivative."""
    if is_value(number) and not issubclass(type(number), value_type):
        raise OwnGradientError(
            f"expected a number or a Value of the same engine, got an {engines_class(type(number)).__module__}.Value, "
            "whose graph is the other engine's: make all of them by autograd.Value, or pass x.data for the plain number"
        )


def number_in(array: Any) -> Any:
    """What is in an array of no dimensions, or in an array's scalar, of whatever library; all else as it is.

    It may be a Value. It is None in a date, and where it is masked: these are no numbers.
    """
    refuse_to_pose(array)
    if is_value(array) or issubclass(type(array), type) or not callable(getattr(array, "item", None)):
        return array  # of a class, the methods are not its own
    if getattr(array, "ndim", getattr(array, "shape", None)):
        return array
    if getattr(array, "requires_grad", False) is True:
        raise OwnGradientError(
            f"expected a real number, got {described(array)}, which records a gradient of its own; its number is "
            "array.item(), and Value(array.item()) a leaf to differentiate by"
        )
    if getattr(getattr(array, "dtype", None), "kind", "") in ("m", "M") or is_masked(array):
        return None
    return array.item()


def is_masked(number: Any) -> bool:
    """Whether an array's mask hides it."""
    return not is_value(number) and not getattr(number, "ndim", 0) and bool(getattr(number, "mask", False))


def scalar(operand: Any, value_type: type) -> Any:
    """An operand as the engine takes it: a Value as it is, any other real number as a float."""
    if issubclass(type(operand), value_type) or type(operand) is float:
        return operand
    inner = number_in(operand)
    if issubclass(type(inner), value_type):
        return inner
    refuse_other_engine(inner, value_type)
    return real_number(operand)


def scalar_or_not(operand: Any, value_type: type) -> Any:
    """The same; NotImplemented for anything else, whereupon Python asks the other operand of an operator."""
    try:
        return operand if type(operand) is float else scalar(operand, value_type)
    except OwnGradientError:
        raise
    except TypeError:
        return NotImplemented


def by_hand(
    children: Iterable[object], third: str | Iterable[object], value_type: type
) -> tuple[tuple[Any, ...], str, tuple[float, ...]]:
    """The parents, symbol and local derivatives of a node that no operation of the table computes.

    micrograd's constructor has the symbol as its third argument, microgpt's the local derivatives. Raises TypeError
    unless all parents are Values, and the third argument is a string or numbers; ValueError unless there is a local
    derivative for each parent, or none.
    """
    parents = listed(children)
    for parent in parents:
        refuse_other_engine(parent, value_type)
        if not issubclass(type(parent), value_type):
            raise TypeError(f"expected Values as _children, got {parent!r}; a label is given as label=")
    if isinstance(third, str):
        return parents, third, ()
    try:
        derivatives = tuple([real_number(derivative) for derivative in third])
    except TypeError:
        raise TypeError(
            f"expected a symbol, such as '+', or the local derivatives, such as (1.0, 1.0), got {described(third)}"
        ) from None
    if len(derivatives) > 1 and isinstance(children, (set, frozenset)):
        raise TypeError(
            "expected children in an order, such as a tuple, since the local derivatives have one; got a set"
        )
    if derivatives and len(derivatives) != len(parents):
        expected = counted(len(parents), "local derivative")
        raise ValueError(f"expected {expected}, one for each of the children, got {len(derivatives)}")
    return parents, "", derivatives


def listed(children: Iterable[T]) -> tuple[T, ...]:
    """The children, in their order. Raises TypeError if it is no iterable."""
    return tuple(iterable(children, "Values as _children, such as (a, b)", "; a label is given as label="))


def described(given: object) -> str:
    """Its type and what it is, for an error's message."""
    return f"{type(given).__name__}: {reprlib.repr(given)}"


def arguments(
    operation: Operation, operands: tuple[Any, ...], keywords: dict[str, Any], value_type: type
) -> tuple[Any, ...]:
    """The operands of a call as the engine takes them: Values, floats, and tuples of these for sequences.

    Raises TypeError for operands that the function does not take, and for what is no real number (or sequence of them);
    OverflowError for one beyond all floats; ValueError for sequences of different lengths.
    """
    bound = operation.bind(operands, keywords)
    try:
        sequences = [scalars(elements, value_type) for elements in bound[: operation.sequences]]
        rest = [scalar(operand, value_type) for operand in bound[operation.sequences :]]
    except (TypeError, OverflowError) as error:
        raise located(error, operation.signature) from None
    if len({len(elements) for elements in sequences}) > 1:
        lengths = " and ".join(f"{len(s)} {name}" for name, s in zip(operation.operands, sequences, strict=False))
        raise ValueError(f"{operation.signature}: expected as many of each, got {lengths}")
    return (*sequences, *rest)


def scalars(elements: Any, value_type: type) -> tuple[Any, ...]:
    """The elements of a sequence as the engine takes them. Raises TypeError if it is none, or not of numbers."""
    return tuple([scalar(element, value_type) for element in ordered(elements)])


def ordered(elements: Any, expected: str = "a sequence of numbers") -> Iterable[Any]:
    """What it is given. Raises TypeError if it is no iterable, or one without an order, as sets and dicts are."""
    if isinstance(elements, (Set, Mapping)):
        raise TypeError(f"expected {expected}, got {described(elements)}, which has no order")
    return iterable(elements, expected)


def iterable(elements: Any, expected: str = "a sequence of numbers", hint: str = "") -> Iterable[Any]:
    """What it is given. Raises TypeError if it is no iterable, as an array of no dimensions only claims to be."""
    try:
        iter(elements)
    except TypeError:
        raise TypeError(f"expected {expected}, got {described(elements)}{hint}") from None
    return elements  # type: ignore[no-any-return]


def introduce(function: Any, operation: Operation) -> None:
    """Gives a function of the table its name and signature."""
    function.__name__ = function.__qualname__ = operation.name
    function.__module__ = "autograd.functions"  # where pickle finds it: a network knows its activation function
    function.__wrapped__ = partial(operation.compute, strict)  # where inspect.signature looks


def name_methods(value_type: type) -> None:
    """Gives the methods that functions have made the names that the class has them by: pickle finds them there."""
    for name, method in vars(value_type).items():
        if isinstance(method, FunctionType):
            method.__name__, method.__qualname__ = name, f"{value_type.__qualname__}.{name}"


def add_methods(value_type: type, function: Callable[[Operation], Callable[..., Any]]) -> None:
    """Gives a Value the operations of scalars as methods, also under the names that NumPy calls on object arrays."""
    for operation in OPERATIONS.values():
        if not operation.sequences:
            setattr(value_type, operation.name, function(operation))
    for name in ("asin", "acos", "atan", "atan2", "asinh", "acosh", "atanh"):
        setattr(value_type, f"arc{name[1:]}", getattr(value_type, name))
