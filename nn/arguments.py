"""Arguments are checked here, and examples copied: a check returns what it was given as `nn` takes it, or raises.

An error names the argument, says what was expected and what was given. Nothing has been changed then.
"""

from __future__ import annotations

import math
import operator
import random
import re
import sys
from collections.abc import Iterable, KeysView, Mapping, Set
from contextlib import suppress
from functools import lru_cache
from numbers import Real
from reprlib import repr as shortened
from typing import Generic, TypeVar

from autograd import Value, structures
from autograd.packages import numpy
from autograd.wording import BEYOND_FLOATS, counted, located

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeGuard

    from numpy.typing import NDArray

    Array = NDArray[numpy.float64]
    Scalar = Value | float
    Example = tuple[Any, ...]  # Any: an input and a target, or other data, of whatever form the functions agree upon

T = TypeVar("T")


# ---- Numbers


def positive(name: str, count: int) -> int:
    """An int of at least 1."""
    return at_least(1, name, count, "a positive int")


def positive_argument(text: str) -> int:
    """The same of a command line, as the `type` of an argument of argparse."""
    from argparse import ArgumentTypeError

    try:
        return positive("", int(text))
    except ValueError:
        raise ArgumentTypeError(f"expected a positive int, got {text!r}") from None


def flag(name: str, given: object) -> bool:
    """True or False. Other objects are true or false too, but "no" is true."""
    if not isinstance(given, (bool, numpy.bool_)):
        raise TypeError(f"{name}: expected True or False, got {shortened(given)}")
    return bool(given)


def flag_or_none(name: str, given: object) -> bool | None:
    """True, False or None, where None leaves the choice to the callee."""
    if given is not None and not isinstance(given, (bool, numpy.bool_)):
        raise TypeError(f"{name}: expected True, False or None, got {shortened(given)}")
    return None if given is None else bool(given)


def at_least(least: int, name: str, count: int, expected: str = "") -> int:
    expected = expected or f"an int of at least {least}"
    number = whole(name, count, expected)
    if number < least:
        raise ValueError(f"{name}: expected {expected}, got {number}")
    return number


def whole(name: str, given: int, expected: str = "an int") -> int:
    """An int of Python, with which nothing overflows."""
    try:
        if isinstance(given, bool):  # an int to Python
            raise TypeError
        return operator.index(given)
    except TypeError:
        raise TypeError(f"{name}: expected {expected}, got {shortened(given)}") from None


def seed_number(seed: int | None) -> int:
    """The seed as an int of at least 0, which NumPy's generator asks for; None draws one."""
    if seed is None:
        return random.SystemRandom().getrandbits(63)
    try:
        number = operator.index(seed)
        return number if number >= 0 else 2**64 - number
    except TypeError:
        raise TypeError(f"seed: expected an int, or None to draw one, got {shortened(seed)}") from None


def within(name: str, number: float, low: float, high: float) -> float:
    """A number in [low, high)."""
    if not isinstance(number, Real) or isinstance(number, bool):
        raise TypeError(f"{name}: expected a real number, got {shortened(number)}")
    got: object = number
    try:
        converted = float(number)
    except OverflowError:
        converted, got = math.nan, BEYOND_FLOATS
    if not low <= converted < high:
        lowest = "0 <" if low == math.ulp(0.0) else f"{low} <="
        raise ValueError(f"{name}: expected {lowest} {name.rpartition(': ')[2]} < {high}, got {got}")
    return converted


def standard_deviation(name: str, given: float) -> float:
    """The standard deviation of normal numbers, which are drawn up to nine times as large, and are to be floats."""
    return within(name, given, 0.0, 1e307)


class CheckedBy(Generic[T]):
    """An attribute that is what `check(name, given)` makes of what is given. Where that raises, it stays as it was.

    >>> class Method:
    ...     nesterov = CheckedBy(flag)
    >>> method = Method()
    >>> method.nesterov = "no"
    Traceback (most recent call last):
    TypeError: Method: nesterov: expected True or False, got 'no'
    """

    def __init__(self, check: Callable[[str, T], T]) -> None:
        self.check = check

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    if TYPE_CHECKING:  # there is no such method: so Python takes what is kept from the instance, as quickly as any

        def __get__(self, instance: object, owner: type) -> T: ...

    def __set__(self, instance: object, given: T) -> None:
        vars(instance)[self.name] = self.check(f"{type(instance).__name__}: {self.name}", given)


class Within(CheckedBy[float]):
    """An attribute that is a number in [low, high). Whoever assigns anything else gets the error.

    >>> class Method:
    ...     rate = Within(0.0, 1.0)
    >>> method = Method()
    >>> method.rate = 2.0
    Traceback (most recent call last):
    ValueError: Method: rate: expected 0.0 <= rate < 1.0, got 2.0
    """

    def __init__(self, low: float, high: float) -> None:
        super().__init__(lambda name, number: within(name, number, low, high))


class WithinOrNone(CheckedBy["float | None"]):
    """An attribute that is a number in [low, high), or None."""

    def __init__(self, low: float, high: float) -> None:
        super().__init__(lambda name, number: None if number is None else within(name, number, low, high))


def finite(name: str, number: object) -> float:
    """A number that is neither nan nor infinite. True and False are none."""
    got = ""
    if isinstance(number, Real) and not isinstance(number, bool):
        try:
            if math.isfinite(number):
                return float(number)
        except OverflowError:
            got = BEYOND_FLOATS
    raise ValueError(f"{name}: expected a finite number, got {got or shortened(number)}")


def check_record(name: str, record: object, lists: Iterable[str], texts: Iterable[str]) -> None:
    """Raises ValueError unless these attributes of a record are lists of floats, and those are texts."""
    for attribute in lists:
        kept = getattr(record, attribute)
        if not isinstance(kept, (list, tuple)) or not all(map(is_plain_number, kept)):
            raise ValueError(f"{name}: expected a list of floats in {attribute}, got {shortened(kept)}")
    for attribute in texts:
        if not isinstance(kept := getattr(record, attribute), str):
            raise ValueError(f"{name}: expected a text in {attribute}, got {shortened(kept)}")


def is_plain_number(number: object) -> bool:
    """Whether it is a float, one of NumPy's numbers, or an int for which there is a float."""
    is_numpys = isinstance(number, (numpy.floating, numpy.integer))
    return isinstance(number, float) or is_numpys or (isinstance(number, int) and abs(number) <= sys.float_info.max)


def nested_numbers(name: str, given: Any) -> Any:
    """What a state has under a name: arrays and tensors as nested lists, anything else as it is."""
    if type(given) is float or not hasattr(given, "__array__"):
        return given
    if numpy.ma.is_masked(given):
        raise ValueError(f"{name}: expected numbers, got a masked array, of which some are masked; fill them")
    dtype = getattr(given, "dtype", None)
    if getattr(dtype, "kind", "f") in "mMV":  # as lists, times would be whole numbers, and records would be rows
        raise ValueError(f"{name}: expected numbers, got an array of {dtype}")
    return plain(given)


# ---- Values and numbers


def distinct_leaves(parameters: Iterable[Value], caller: str = "") -> list[Value]:
    """The parameters of an optimiser: Values that were not computed, at least one, and each of them once.

    Errors begin with the name of the caller, if one is given.
    """
    name = f"{caller}: " if caller else ""
    # An optimizer's state is kept in the order of its parameters. A dict's keys, as a view, are in that of the dict.
    if isinstance(parameters, (Set, Mapping)) and not isinstance(parameters, KeysView):
        raise TypeError(f"{name}expected the parameters in an order, got {shortened(parameters)}, which has none")
    try:
        parameters = list(parameters)
    except TypeError:
        raise TypeError(
            f"{name}expected the parameters, such as model.parameters(), got {shortened(parameters)}"
        ) from None
    if not parameters:
        raise ValueError(f"{name}expected at least one parameter, got none")
    for i, parameter in enumerate(parameters):
        if not isinstance(parameter, Value):
            raise TypeError(f"{name}parameter {i}: expected a Value, got {shortened(parameter)}")
        if parameter.parents:
            raise ValueError(f"{name}parameter {i}: expected a leaf, got {parameter!r}, which was computed")
    if len(set(parameters)) < len(parameters):
        twice = next(i for i, parameter in enumerate(parameters) if parameter in parameters[:i])
        raise ValueError(f"{name}parameter {twice} is there already: expected each parameter once")
    return parameters


def neuron_inputs(
    x: Iterable[Scalar],
    expected: int,
    others: tuple[object, ...] = (),
    what: str = "a neuron",
    which: str = "one for each weight",
) -> list[Scalar]:
    """The inputs of a neuron: as many as it has weights, in one sequence; `others` are what a call gave beside it.

    `which` says in an error which they are to be.
    """
    if others:
        raise TypeError(f"expected the inputs as one sequence, [x1, x2, ...], got {1 + len(others)} arguments")
    if type(x) is not list and not is_sequence(x):
        raise TypeError(f"expected a sequence of inputs, Values or numbers, got {type(x).__name__}: {shortened(x)}")
    inputs = x if type(x) is list else list(x)
    if len(inputs) != expected:
        scalars(f"{what}'s inputs", inputs)  # that a batch is no example says more than its length
        raise ValueError(f"{what} got {counted(len(inputs), 'input')}, expected {expected}, {which}")
    return inputs


def check_function(name: str, given: object, example: str, synonyms: Mapping[str, str] | None = None) -> None:
    """A function, or TypeError. What is written in its place elsewhere, as a string, may have a name here."""
    if callable(given):
        return
    synonyms = synonyms or {}
    names = {**synonyms, **{name: name for name in synonyms.values()}}
    by_letters = {re.sub("[^a-z]", "", written): name for written, name in names.items()}
    name_here = by_letters.get(re.sub("[^a-z]", "", given.lower())) if isinstance(given, str) else None
    what_to_do = f"write {name_here}, without quotes" if name_here else f"such as {example}"
    if callable(getattr(given, "forward", None)):
        what_to_do = f"rename {type(given).__name__}'s method forward to __call__"
    elif isinstance(given, (list, tuple)) and given and all(map(callable, given)):
        what_to_do = "give it by itself; several to evaluate one after the other"
    raise TypeError(f"{name}: expected a function, got {shortened(given)}; {what_to_do}")


def scalars(name: str, numbers: Iterable[Any]) -> list[Scalar]:
    """Values as they are, other real numbers as floats, of a sequence. Errors begin with the name."""
    if type(numbers) is not list and not is_sequence(numbers):
        raise TypeError(f"{name}: expected a sequence of numbers, got {shortened(numbers)}")
    try:
        return [
            number if type(number) is float or isinstance(number, Value) else structures.scalar(number)
            for number in numbers
        ]
    except (TypeError, OverflowError) as error:
        raise located(error, name) from None


def is_sequence(given: object) -> TypeGuard[Iterable[Any]]:
    """Whether it has elements in an order.

    A set has none, a dict's elements are its keys, a string is one name, and an array without dimensions, a number,
    only claims to have some.
    """
    if isinstance(given, (float, int, Value, list, tuple)):  # as mostly, and quickly
        return isinstance(given, (list, tuple))
    has_none = isinstance(given, (Set, Mapping, str, bytes, bytearray)) or getattr(given, "ndim", 1) == 0
    return isinstance(given, Iterable) and not has_none


def paired(
    name: str, output: Scalar | Iterable[Scalar], target: Scalar | Iterable[Scalar]
) -> list[tuple[Scalar, Scalar]]:
    """Each output of a model with its target: one of each, or equally many."""
    are_many = is_sequence(output)
    if are_many != is_sequence(target):
        one, many = ("target", "outputs") if are_many else ("output", "targets")
        known = [*(output if are_many else target)]  # type: ignore[misc]
        advice = f"; instead of the {many} {shortened(known)} give {shortened(known[0])}" if len(known) == 1 else ""
        got = f"a single {one} and a sequence of {many}{advice}"
        raise ValueError(f"{name}: expected as many targets as outputs, got {got}")
    if not are_many:
        output, target = [output], [target]  # type: ignore[list-item]
    outputs, targets = scalars(name, output), scalars(name, target)  # type: ignore[arg-type]
    if len(outputs) != len(targets) or not outputs:
        raise ValueError(
            f"{name}: expected as many targets as outputs, at least one, got {len(targets)} and {len(outputs)}"
        )
    return list(zip(outputs, targets, strict=True))


def measured(function: Callable[[Any, Any], Any], output: Any, target: Any) -> float:
    """What a loss or a metric says of an output: a number."""
    result = function(output, target)
    try:
        return result if type(result) is float else structures.number(result)
    except (TypeError, OverflowError) as error:
        name = getattr(function, "__name__", type(function).__name__)
        raise located(error, f"{name}: as a loss or metric, it has to return a number") from None


# ---- Examples


def pairs_of(name: str, inputs: Iterable[Any], targets: Iterable[Any]) -> list[Example]:
    """The examples as pairs of an input and a target."""
    rows, goals = (rows_of(name, data) for data in (inputs, targets))
    if len(rows) != len(goals):
        got = f"{counted(len(rows), 'input')} and {counted(len(goals), 'target')}"
        raise ValueError(f"{name}: expected one target per input, got {got}")
    return examples_of(name, rows, goals)


def examples_of(name: str, *data: Iterable[Any]) -> list[Example]:
    """The examples as tuples of their data. Without any data there is one example, ()."""
    columns = [rows_of(name, column) for column in data]
    if len({len(column) for column in columns}) > 1:
        counts = [len(column) for column in columns]
        raise ValueError(f"{name}: expected equally many of each of the data, got {counts}")
    if columns and not columns[0]:
        raise ValueError(f"{name}: expected at least one example, got none")
    return list(zip(*columns, strict=True)) if columns else [()]


def rows_of(name: str, data: Iterable[Any]) -> list[Any]:
    """What each example has of the data, in Python's numbers, which the engine takes faster than NumPy's."""
    if numpy.ma.is_masked(data):
        raise TypeError(f"{name}: expected numbers, got a masked array, of which some are masked; fill them")
    rows = plain(data)
    if isinstance(rows, (Mapping, Set, str, bytes)) or not isinstance(rows, Iterable):
        raise TypeError(f"{name}: expected a list or an array, with a row for each example, got {shortened(data)}")
    return [plain(row) for row in rows]


def plain(data: Any) -> Any:
    """An array, or what can be seen as one, as nested lists; anything else as it is."""
    if not hasattr(data, "__array__"):
        return data
    # PyTorch gives no array of a tensor that has a gradient, or lies on a GPU, but the list.
    return data.tolist() if hasattr(data, "tolist") else numpy.asarray(data).tolist()


def copied(data: Any) -> Any:
    """The data in lists, dicts, arrays and sets of their own, so that a function may change what it gets."""
    kind = type(data)
    if kind is list or kind is tuple:
        return kind(data if UNCHANGEABLE.issuperset(map(type, data)) else [copied(datum) for datum in data])
    if kind in UNCHANGEABLE:
        return data
    return structures.map(lambda leaf: leaf.copy() if isinstance(leaf, (set, bytearray)) else leaf, data)


UNCHANGEABLE = {float, int, bool, str, type(None), Value}


def copier(examples: Iterable[Example]) -> Callable[[Example], Example]:
    """`copied`, or if it does the same for these examples, what is quicker."""
    return flatly_copied if all(map(is_flat, examples)) else copied


def is_flat(example: Example) -> bool:
    """Whether there is nothing but numbers and the like, and lists of these."""
    lists = [datum for datum in example if type(datum) not in UNCHANGEABLE]
    return all(type(datum) is list and UNCHANGEABLE.issuperset(map(type, datum)) for datum in lists)


def flatly_copied(example: Example) -> Example:
    return tuple([datum.copy() if type(datum) is list else datum for datum in example])


def columns_of(examples: Sequence[Example]) -> list[Array]:
    """The numbers of the inputs and of the targets, or whatever an example consists of, a row for each example.

    Raises TypeError for what is no number, and ValueError if the numbers are in other places in some of the examples.
    """
    names = ("inputs", "targets") if len(examples[0]) == 2 else [f"data {i}" for i in range(len(examples[0]))]
    return [column_of(name, data) for name, data in zip(names, zip(*examples, strict=True), strict=True)]


def column_of(name: str, data: Sequence[Any]) -> Array:
    with suppress(ValueError):  # of lists of different lengths
        array = numpy.asarray(data)
        if array.dtype.kind in "fiub":
            return array.reshape(len(data), -1).astype(float)
    try:
        rows, shapes = zip(*[numbers_and_shape(datum) for datum in data], strict=True)
    except (TypeError, OverflowError) as error:
        raise TypeError(f"the {name} are no numbers: {error}") from None
    if any(shape != shapes[0] for shape in shapes):
        raise ValueError(f"the {name} have different forms")
    return numpy.array(rows).reshape(len(data), -1)


Shape = tuple[structures.Form, tuple[bool, ...]]  # and for each leaf, whether it is a number: None is another shape


def numbers_and_shape(datum: Any) -> tuple[list[float], Shape]:
    """The numbers in a structure, in order, and where they stand. `with_numbers` puts others there.

    None within a structure, which stands for what a tree has not, is a part of the shape. Raises TypeError for anything
    else.
    """
    if type(datum) in PLAIN:  # as mostly, and quickly
        return [float(datum)], SINGLE
    if type(datum) is list and PLAIN.issuperset(map(type, datum)):
        return [float(number) for number in datum], flat_shape(len(datum))
    if datum is None:
        structures.number(datum)  # raises the error
    leaves, form = structures.flatten(datum, plain_number_or_none)
    return [leaf for leaf in leaves if leaf is not None], (form, tuple([leaf is not None for leaf in leaves]))


PLAIN = {float, int}
SINGLE: Shape = (structures.flatten(0.0)[1], (True,))


@lru_cache(1000)
def flat_shape(length: int) -> Shape:
    return structures.flatten([0.0] * length)[1], (True,) * length


def with_numbers(shape: Shape, numbers: Iterable[Any]) -> Any:
    form, are_numbers = shape
    following = iter(numbers)
    return structures.unflatten(form, [next(following) if is_number else None for is_number in are_numbers])


def plain_number_or_none(leaf: Any) -> float | None:
    if isinstance(leaf, Value):
        raise TypeError("expected a number, got a Value")
    return None if leaf is None else structures.number(leaf)


def shapes_of(examples: Iterable[Example]) -> list[list[int]]:
    """For each shape, which of the examples have it; in the order in which the shapes are first met."""
    found: dict[tuple[Shape, ...], list[int]] = {}
    for i, example in enumerate(examples):
        found.setdefault(tuple([numbers_and_shape(datum)[1] for datum in example]), []).append(i)
    return [*found.values()]


def have_one_form(examples: Sequence[Example]) -> bool:
    """Whether all examples have numbers, in the same places."""
    try:
        columns_of(examples)
    except (TypeError, ValueError):
        return False
    return True


# ---- Arrays


def real_array(name: str, given: Any, shape: tuple[int | str, ...], *, finite: bool = True) -> Array:
    """A float64 array with so many axes, and numbers in it: of the length that is given, or of any but 0, as "n".

    Raises ValueError for another shape, and for nan and inf unless these may be; TypeError for what are no numbers.
    """
    lengths = ", ".join(map(str, shape)) + "," * (len(shape) == 1)
    expected = f"{name}: expected {'finite ' if finite else ''}numbers of shape ({lengths})"
    array = as_array(expected, given)
    if array.ndim != len(shape) or not array.size or any(
        isinstance(length, int) and length != n for length, n in zip(shape, array.shape, strict=True)
    ):  # fmt: skip
        raise ValueError(f"{expected}, got the shape {array.shape}")
    if array.dtype.kind == "O":
        try:
            array = numpy.array([structures.number(x) for x in scalars(name, array.flat)]).reshape(array.shape)
        except OverflowError:
            raise ValueError(f"{expected}, got {BEYOND_FLOATS}") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{expected}, got {shortened(given)}")
    numbers = array.astype(float)
    if finite and not numpy.isfinite(numbers).all():
        raise ValueError(f"{expected}, got {numbers[~numpy.isfinite(numbers)][0]} among them")
    return numbers


def class_array(name: str, given: Any) -> NDArray[numpy.int64]:
    """The class of each example, a whole number, of shape (n,). Raises as `real_array`."""
    numbers = real_array(name, given, ("n",))
    if (numbers != numpy.rint(numbers)).any():
        raise ValueError(
            f"{name}: expected whole numbers, the classes, got {numbers[numbers != numpy.rint(numbers)][0]}"
        )
    if (abs(numbers) >= 2.0**63).any():
        raise ValueError(f"{name}: expected the classes' numbers, got {numbers[abs(numbers) >= 2.0**63][0]}")
    return numbers.astype(numpy.int64)


def as_array(expected: str, given: Any) -> NDArray[Any]:
    if isinstance(given, (Set, Mapping)):
        raise TypeError(f"{expected}, got {shortened(given)}, which has no order")
    if isinstance(given, Iterable) and not isinstance(given, (str, bytes)) and not hasattr(given, "__array__"):
        given = [*given]
    if numpy.ma.is_masked(given):
        raise TypeError(f"{expected}, got a masked array, of which some are masked; fill them")
    try:
        return numpy.asarray(given)
    except ValueError:
        raise ValueError(f"{expected}, got rows of different lengths") from None
