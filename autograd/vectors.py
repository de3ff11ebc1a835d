"""gather() and scatter(): the numbers of many Values as one vector, which is what an optimiser computes with.

`borrowed_gradients` lends their `grad` to somebody who computes with it, and puts it back.
"""

from __future__ import annotations

from array import array
from functools import partial
from operator import add

from autograd.engines import Value, engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Literal

    Attribute = Literal["data", "grad"]
    Vector = Any  # Any: what offers float64 numbers as a buffer, for which Python 3.11 has no type

if engine == "native":
    from autograd.native import engine as native


def gather(values: Sequence[Value], attribute: Attribute, vector: Vector) -> None:
    """vector[i] = values[i].data, or .grad, for each i.

    Arguments:
        values: n Values, in a list or tuple.
        attribute: "data" or "grad".
        vector: n float64 numbers in one piece that can be written: a NumPy array, an array.array("d").

    Raises TypeError if one of the values is no Value, and ValueError for another attribute and for a vector of another
    kind or length; then nothing has been written.

    >>> from array import array
    >>> vector = array("d", [0.0, 0.0])
    >>> gather([Value(1.5), Value(-2.0)], "data", vector)
    >>> vector
    array('d', [1.5, -2.0])
    """
    numbers = checked(values, attribute, vector)
    if numbers.readonly:
        raise ValueError(f"expected a vector that can be written, got a read-only {type(vector).__name__}")
    take(values, attribute == "grad", numbers)


def scatter(vector: Vector, values: Sequence[Value], attribute: Attribute) -> None:
    """values[i].data, or .grad, = vector[i], for each i: the reverse of `gather`, with the same arguments and errors.

    >>> from array import array
    >>> x, y = Value(0.0), Value(0.0)
    >>> scatter(array("d", [1.5, -2.0]), [x, y], "data")
    >>> x.data, y.data
    (1.5, -2.0)
    """
    put(values, attribute == "grad", checked(values, attribute, vector))


class borrowed_gradients:  # noqa: N801  a function to its users
    """Within it the values' `grad` is 0 and may be set. Afterwards it is as it was.

    The native engine writes them in single C calls, so no interrupt leaves them at 0 (recording.py says why).
    """

    def __init__(self, values: Sequence[Value]) -> None:
        self.values = values
        self.before, self.zeros = array("d", bytes(8 * len(values))), array("d", bytes(8 * len(values)))
        gather(values, "grad", self.before)

    @property
    def __enter__(self) -> Callable[[], None]:
        return self._putting(self.zeros)

    @property
    def __exit__(self) -> Callable[..., None]:
        return self._putting(self.before)

    def _putting(self, numbers: array[float]) -> Callable[..., None]:
        return partial(put, self.values, True, numbers)


def checked(values: Sequence[Value], attribute: str, vector: Vector) -> memoryview:
    """The vector as a view, if all three arguments fit each other."""
    if not isinstance(values, (list, tuple)):
        raise TypeError(f"expected a list or tuple of Values, got {type(values).__name__}")
    if engine == "native":
        stranger = native.first_stranger(values)
    else:
        stranger = next((i for i, value in enumerate(values) if not issubclass(type(value), Value)), -1)
    if stranger >= 0:
        raise TypeError(f"expected Values, got {type(values[stranger]).__name__} among them")
    if attribute not in ("data", "grad"):
        raise ValueError(f"expected the attribute data or grad, got {attribute!r}")
    try:
        view = memoryview(vector)
    except TypeError:
        raise ValueError(f"expected a vector of float64, such as a NumPy array, got {type(vector).__name__}") from None
    if (view.format, view.shape, view.c_contiguous) != ("d", (len(values),), True):
        raise ValueError(
            f"expected a vector of {len(values)} float64 in one piece, "
            f"got the format {view.format!r} in the shape {view.shape}"
        )
    return view


# ---- What is done once the arguments are checked


def take_by_python(values: Sequence[Value], is_grad: bool, numbers: Vector) -> None:
    name = "grad" if is_grad else "data"
    memoryview(numbers)[:] = memoryview(array("d", [getattr(value, name) for value in values]))


def put_by_python(values: Sequence[Value], is_grad: bool, numbers: Vector, *exception: object) -> None:
    """It may be given what `with` calls its end with."""
    for value, number in zip(values, memoryview(numbers), strict=True):
        setattr(value, "grad" if is_grad else "data", number)


def add_to(values: Sequence[Value], is_grad: bool, numbers: Vector, are_plain: bool) -> None:
    """values[i].data, or .grad, += numbers[i], for each i.

    Unless they are plain, none of a subclass, all are read before the first is written: a subclass may raise there.
    """
    if are_plain and engine == "native":
        native.add(values, is_grad, numbers)
        return
    sums = array("d", bytes(8 * len(values)))
    take(values, is_grad, sums)
    put(values, is_grad, array("d", map(add, sums, memoryview(numbers))))


if engine == "native":
    take, put = native.gather, native.scatter
else:
    take, put = take_by_python, put_by_python
