"""Value: a number that remembers how it was computed, and so can tell its derivative.

An operation on Values makes a new Value that records its operands, `parents`, and the derivative of the result with
respect to each, `local_derivatives`. The Values of a computation form a graph. `backward()` walks it from the result to
the leaves and applies the chain rule on the way:

    d result / d parent  +=  d node / d parent  *  d result / d node

What an operation computes and what its derivatives are stands in the table, `operations.py`.
"""

from __future__ import annotations

import operator
import reprlib
from contextlib import contextmanager
from contextvars import ContextVar
from copyreg import __newobj__  # type: ignore[attr-defined]  # what pickle itself makes objects with
from functools import partial
from numbers import Complex, Real

from autograd.graph import topological_order
from autograd.operations import OPERATIONS, Operation, ieee, strict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, SupportsFloat, SupportsIndex

    Number = SupportsFloat | SupportsIndex  # of these, real numbers only; a Value is one

_recording = ContextVar("recording", default=True)


@contextmanager
def no_grad() -> Iterator[None]:
    """Operations record nothing: `with no_grad():`, or `@no_grad()` on a function. Their results are leaves."""
    token = _recording.set(False)
    try:
        yield
    finally:
        _recording.reset(token)


def infix(name: str) -> tuple[Callable[[Value, Number], Value], Callable[[Value, Number], Value]]:
    """An operator's two methods, `value + other` and `other + value`; other may be a Value or a real number.

    For anything else they return NotImplemented, whereupon Python asks the other operand: an array adds itself to each
    of its elements, a string raises TypeError.
    """
    operation = OPERATIONS[name]

    def method(value: Value, other: Number) -> Any:
        try:
            operand = scalar(other)
        except TypeError:
            return NotImplemented
        return apply(operation, value, operand)

    def reflected(value: Value, other: Number) -> Any:
        try:
            operand = scalar(other)
        except TypeError:
            return NotImplemented
        return apply(operation, operand, value)

    return method, reflected


def comparison(compare: Callable[[float, float], bool]) -> Callable[[Value, Number], bool]:
    """A comparison's method: it compares data, with a Value or a real number."""

    def method(value: Value, other: Number) -> Any:
        try:
            number = real_number(other)
        except TypeError:
            return NotImplemented
        return compare(value._data, number)

    return method


def scalar(operand: Number) -> Scalar:
    """An operand as the engine takes it: a Value as it is, any other real number as a float."""
    return operand if isinstance(operand, Value) or type(operand) is float else real_number(operand)


def scalars(elements: Iterable[Number]) -> tuple[Scalar, ...]:
    try:
        iterator = iter(elements)
    except TypeError:
        raise TypeError(f"expected a sequence of numbers, got {type(elements).__name__}: {elements!r}") from None
    return tuple([scalar(element) for element in iterator])


def real_number(number: Number) -> float:
    """The float of a real number. Raises TypeError for everything else, of which some has a `__float__` too."""
    if isinstance(number, (float, int)):
        return float(number)
    convertible = hasattr(number, "__float__") or hasattr(number, "__index__")
    complex_number = isinstance(number, Complex) and not isinstance(number, Real)
    if convertible and not complex_number and not hasattr(number, "__len__"):
        return float(number)
    raise TypeError(f"expected a real number, got {type(number).__name__}: {reprlib.repr(number)}")


class Value:
    """A scalar, `data`, and the derivative of a result with respect to it, `grad`, set by the result's `backward()`.

    Arguments:
        data: a real number: int, float, bool, a NumPy scalar, Fraction, Decimal. From a Value, its data is copied.
        label: a name for drawings, traces and error messages.
        _children, _op: as micrograd's constructor has them, for scripts that define operations of their own.

    Raises TypeError if `data` is anything else: a complex number, a string, None, a list, an array.

    >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    >>> c = a * b + a**2
    >>> c.backward()
    >>> a.grad, b.grad
    (1.0, 2.0)
    """

    __slots__ = (
        "__dict__", "__weakref__", "_data", "_grad", "label", "local_derivatives", "op", "operands", "operation",
        "parents",
    )  # fmt: skip

    def __init__(self, data: Number, _children: tuple[Value, ...] = (), _op: str = "", label: str = "") -> None:
        self._data = data if type(data) is float else real_number(data)
        self._grad = 0.0
        self.label = label
        self.op = _op  # the symbol of the operation that computed this Value; "" for a leaf
        self.operation: Operation | None = None
        self.operands: tuple[Operand, ...] = ()
        self.parents = tuple(_children)  # the operands that are Values, in order
        self.local_derivatives: tuple[float, ...] = ()  # one per parent

    @property
    def data(self) -> float:
        """The number itself."""
        return self._data

    @data.setter
    def data(self, number: Number) -> None:
        self._data = real_number(number)

    @property
    def grad(self) -> float:
        """The derivative of the result whose `backward()` ran; on a leaf, the sum over the runs since it was 0."""
        return self._grad

    @grad.setter
    def grad(self, number: Number) -> None:
        self._grad = real_number(number)

    def backward(self, gradient: Number = 1.0) -> None:
        """Adds `gradient` * d self / d leaf to the `grad` of every leaf, and sets that of every computed node.

        Each node is visited once, after everything that was computed from it (reverse topological order). Leaves
        accumulate: a second call doubles their gradients, and results that share a part of their graphs add up.
        """
        seed = real_number(gradient)
        order = topological_order(self)
        for node in order:
            if node.parents:
                node._grad = 0.0
        self._grad += seed
        for node in reversed(order):
            node._backward()

    def _backward(self) -> None:
        for parent, local_derivative in zip(self.parents, self.local_derivatives, strict=False):
            parent._grad += local_derivative * self._grad

    __add__, __radd__ = infix("add")
    __sub__, __rsub__ = infix("subtract")
    __mul__, __rmul__ = infix("multiply")
    __truediv__, __rtruediv__ = infix("divide")
    __pow__, __rpow__ = infix("power")

    def __neg__(self) -> Value:
        return apply(OPERATIONS["negative"], self)  # type: ignore[return-value]

    def __abs__(self) -> Value:
        return apply(OPERATIONS["abs"], self)  # type: ignore[return-value]

    def __pos__(self) -> Value:
        return self

    __lt__ = comparison(operator.lt)
    __le__ = comparison(operator.le)
    __gt__ = comparison(operator.gt)
    __ge__ = comparison(operator.ge)

    def __bool__(self) -> bool:
        return self._data != 0

    def __float__(self) -> float:
        return self._data

    def __format__(self, specification: str) -> str:
        return format(self._data, specification) if specification else repr(self)

    def __repr__(self) -> str:
        op = f", op={self.op!r}" if self.op else ""
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self._data}, grad={self._grad}{op}{label})"

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        if self.parents:
            raise TypeError(
                f"cannot copy or pickle {self!r}: it was computed, and a copy would need its whole graph; "
                "copy the leaves and compute it again, or make a new leaf from its data with Value(v)"
            )
        return __newobj__, (type(self),), (self._data, self._grad, self.label, self.__dict__)

    def __setstate__(self, state: tuple[float, float, str, dict[str, Any]]) -> None:
        data, grad, label, attributes = state
        Value.__init__(self, data, label=label)
        self._grad = grad
        self.__dict__.update(attributes)

    # What micrograd calls the parents and the operation.

    @property
    def _prev(self) -> set[Value]:
        return set(self.parents)

    @property
    def _op(self) -> str:
        if self.operation is OPERATIONS["power"] and isinstance(exponent := self.operands[1], float):
            return f"**{exponent:g}"
        return {"relu": "ReLU"}.get(self.op, self.op)

    if TYPE_CHECKING:  # Any: the methods come from the table, and other attributes are the user's.

        def __getattr__(self, name: str) -> Any: ...
        def __setattr__(self, name: str, attribute: Any) -> None: ...


if TYPE_CHECKING:
    Scalar = Value | float
    Operand = Scalar | tuple[Scalar, ...]


def apply(operation: Operation, *operands: Operand) -> Scalar:
    """The result of an operation: a Value that records its edges, or a float where no operand is a Value."""
    numbers = [numbers_of(operand) for operand in operands]
    try:
        data: float = operation.compute(strict, *numbers)
    except (ValueError, ArithmeticError) as error:
        labels = [operand.label if isinstance(operand, Value) else "" for operand in operands]
        raise operation.explained(error, numbers, labels) from None
    if not _recording.get():
        return Value(data) if any(map(holds_value, operands)) else data

    parents: list[Value] = []
    local_derivatives: list[float] = []
    for operand, derivative_of in zip(operands, operation.partials, strict=True):
        if isinstance(operand, Value):
            parents.append(operand)
            local_derivatives.append(derivative_of(ieee, data, *numbers))
        elif isinstance(operand, tuple):
            for element, derivative in zip(operand, derivative_of(ieee, data, *numbers), strict=True):
                if isinstance(element, Value):
                    parents.append(element)
                    local_derivatives.append(derivative)
    if not parents:
        return data

    result = Value(data)
    result.op = operation.symbol
    result.operation = operation
    result.operands = operands
    result.parents = tuple(parents)
    result.local_derivatives = tuple(local_derivatives)
    return result


def numbers_of(operand: Operand) -> float | list[float]:
    if isinstance(operand, Value):
        return operand._data
    if isinstance(operand, tuple):
        return [element._data if isinstance(element, Value) else element for element in operand]
    return operand


def holds_value(operand: Operand) -> bool:
    return isinstance(operand, Value) or (isinstance(operand, tuple) and any(map(holds_value, operand)))


def function(operation: Operation) -> Callable[..., Any]:
    """The function that a row of the table stands for: the method on Value, and the function in `functions.py`."""

    def call(*operands: Any, **keywords: Any) -> Scalar:
        bound = operation.bind(operands, keywords)
        try:
            sequences = [scalars(bound[i]) for i in range(operation.sequences)]
            rest = [scalar(operand) for operand in bound[operation.sequences :]]
        except TypeError as error:
            raise TypeError(f"{operation.signature}: {error}") from None
        if len({len(elements) for elements in sequences}) > 1:
            lengths = " and ".join(f"{len(s)} {name}" for name, s in zip(operation.operands, sequences, strict=False))
            raise ValueError(f"{operation.signature}: expected as many of each, got {lengths}")
        return apply(operation, *sequences, *rest)

    call.__name__ = call.__qualname__ = operation.name
    call.__module__ = "autograd.functions"  # where pickle finds it: a network knows its activation function
    call.__doc__ = operation.description
    call.__wrapped__ = partial(operation.compute, strict)  # type: ignore[attr-defined]  # for inspect.signature and help
    return call


for _operation in OPERATIONS.values():
    if not _operation.sequences:
        setattr(Value, _operation.name, function(_operation))
for _name in ("asin", "acos", "atan", "atan2", "asinh", "acosh", "atanh"):
    setattr(Value, f"arc{_name[1:]}", getattr(Value, _name))  # what numpy.arcsin calls on an object array
