"""Value: a number that remembers how it was computed, and so can tell its derivative.

An operation on Values makes a new Value that records its operands, `parents`, and the derivative of the result with
respect to each, `local_derivatives`. The Values of a computation form a graph. `backward()` walks it from the result to
the leaves and applies the chain rule on the way:

    d result / d parent  +=  d node / d parent  *  d result / d node

The table, `operations.py`, has the value and the derivatives of each operation.
"""

from __future__ import annotations

from itertools import count
from operator import attrgetter

from autograd import specialised
from autograd.common import MODULUS, Common, differentiated, evaluate
from autograd.graph import topological_order
from autograd.operands import add_methods, arguments, by_hand, introduce, real_number, scalar_or_not
from autograd.operations import OPERATIONS
from autograd.recording import end_stale_blocks, is_recording

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Self

    from autograd.operands import Number
    from autograd.operation import Operation

    Children = Iterable["Value"]
    Symbol = str | Iterable[Number]


NOBODY: tuple[tuple[Value, ...], str, tuple[float, ...]] = ((), "", ())  # by whom a leaf was computed
BEGINNING: dict[str, object] = {"_number": 0.0, "_grad": 0.0, "_label": "", "_symbol": ""} | dict.fromkeys(
    ("_operation", "_x", "_dx", "_y", "_dy", "_many")
)

# Values are numbered as they are created. An operand is there before its result: so, from the highest number to the
# lowest, each node comes after everything that was computed from it. This is a reverse topological order.
next_number = count().__next__


def infix(name: str) -> tuple[Callable[[Value, Number], Value], Callable[[Value, Number], Value]]:
    """An operator's two methods, `value + other` and `other + value`; other may be a Value or a real number.

    For anything else they return NotImplemented. Then Python asks the other operand: an array, a string.
    """
    operation = OPERATIONS[name]

    def method(value: Value, other: Number) -> Any:
        operand = other if type(other) is Value else scalar_or_not(other, Value)
        return operand if operand is NotImplemented else apply(operation, value, operand)

    def reflected(value: Value, other: Number) -> Any:
        operand = other if type(other) is Value else scalar_or_not(other, Value)
        return operand if operand is NotImplemented else apply(operation, operand, value)

    return (
        specialised.specialised(operation, method, ["value", "other"]),
        specialised.specialised(operation, reflected, ["other", "value"]),
    )


def prefix(name: str) -> Callable[[Value], Value]:
    """The method of an operator that stands before its only operand."""
    operation = OPERATIONS[name]
    return specialised.specialised(operation, lambda value: apply(operation, value), ["value"])


def without_modulus(power: Callable[[Value, Number], Value]) -> Callable[..., Value]:
    """The method that pow() calls with a third argument, too."""

    def method(value: Value, other: Number, modulus: object = None) -> Value:
        if modulus is not None:
            raise TypeError(MODULUS)
        return power(value, other)

    return method


class Value(Common):
    """A scalar, `data`, and the derivative of a result with respect to it, `grad`, set by the result's `backward()`.

    Arguments:
        data: a real number: int, float, bool, a NumPy scalar, Fraction, Decimal. From a Value, its data is copied.
        label: a name for drawings, traces and error messages.
        _children, _op: as micrograd's constructor has them; or the local derivatives as _op, as microgpt's has them.

    Raises TypeError if `data` is anything else: a complex number, a string, None, a list, an array.

    >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    >>> c = a * b + a**2
    >>> c.backward()
    >>> a.grad, b.grad
    (1.0, 2.0)
    """

    # A node of one or two scalars has these, x and y, and the derivatives by them, None by a constant: three tuples would
    # take as long as all the rest, and the garbage collector's time too. All other nodes have the tuples, in _many.
    __slots__ = (
        "__dict__", "__weakref__", "_created", "_dx", "_dy", "_grad", "_label", "_many", "_number", "_operation",
        "_symbol", "_x", "_y",
    )  # fmt: skip

    def __new__(cls, *arguments: object, **keywords: object) -> Self:
        """A leaf of 0.0, of which a subclass's constructor may set the data and little else, as micrograd's does."""
        value = object.__new__(cls)
        if cls is Value and (arguments or keywords):  # the constructor sets all the rest
            value._created = next_number()
            return value
        for name, start in BEGINNING.items():
            object.__setattr__(value, name, start)
        object.__setattr__(value, "_created", next_number())
        return value

    def __init__(self, data: Number, _children: Children = (), _op: Symbol = "", label: str = "") -> None:
        number = data if type(data) is float else real_number(data)
        parents, symbol, derivatives = by_hand(_children, _op, Value) if _children or _op else NOBODY
        self._number, self._grad, self._label = number, 0.0, label
        self._symbol, self._many = symbol, ((), parents, derivatives) if parents else None
        self._operation = self._x = self._dx = self._y = self._dy = None

    def _set_by_hand(self, parents: tuple[Value, ...], symbol: str, derivatives: tuple[float, ...]) -> None:
        self._symbol, self._many = symbol, ((), parents, derivatives) if parents else None
        self._operation = self._x = self._dx = self._y = self._dy = None

    __new__.__wrapped__ = __init__  # type: ignore[attr-defined]  # where inspect.signature looks

    @property
    def parents(self):
        """The operands that are Values, in order."""
        if self._many:
            return self._many[1]
        if self._dy is None:
            return () if self._dx is None else (self._x,)
        return (self._y,) if self._dx is None else (self._x, self._y)

    @property
    def local_derivatives(self):
        """The derivative by each of the parents."""
        if self._many:
            return self._many[2]
        return tuple([derivative for derivative in (self._dx, self._dy) if derivative is not None])

    @property
    def operands(self):
        """What the operation got: Values, floats, and tuples of these."""
        if self._many:
            return self._many[0]
        return tuple([operand for operand in (self._x, self._y) if operand is not None])

    op = property(attrgetter("_symbol"), doc='The symbol of the operation that computed this Value; "" for a leaf.')
    operation = property(attrgetter("_operation"), doc="The row of the table that computed this Value, or None.")

    @property
    def data(self) -> float:
        """The number itself."""
        return self._number

    @data.setter
    def data(self, number: Number) -> None:
        self._number = real_number(number)

    @property
    def grad(self) -> float:
        """The derivative of the result whose `backward()` ran; on a leaf, the sum over the runs since it was 0."""
        return self._grad

    @grad.setter
    def grad(self, number: Number) -> None:
        self._grad = real_number(number)

    def backward(self, gradient: Number = 1.0) -> None:
        """Adds `gradient` * d self / d leaf to the `grad` of every leaf, and sets that of every computed node.

        Each node is visited once, the latest first, and so after everything that was computed from it (reverse
        topological order). Leaves accumulate: a second call doubles their gradients, and results that share a part of
        their graphs add up.
        """
        end_stale_blocks()
        seed = real_number(gradient)
        order = topological_order(self)
        for node in order:
            if node._x is not None or node._many:  # it was computed
                node._grad = 0.0
        self._grad += seed
        for node in reversed(order):
            node._backward()

    def _backward(self) -> None:
        grad = self._grad
        if self._many:
            for parent, derivative in zip(self._many[1], self._many[2]):  # noqa: B905  a keyword takes time
                parent._grad += derivative * grad
            return
        if self._dx is not None:
            self._x._grad += self._dx * grad
        if self._dy is not None:
            self._y._grad += self._dy * grad

    __add__, __radd__ = infix("add")
    __sub__, __rsub__ = infix("subtract")
    __mul__, __rmul__ = infix("multiply")
    __truediv__, __rtruediv__ = infix("divide")
    __pow__, __rpow__ = map(without_modulus, infix("power"))

    __neg__, __abs__ = prefix("negative"), prefix("abs")


CONSTRUCTOR = Value.__init__

if TYPE_CHECKING:
    Scalar = Value | float
    Operand = Scalar | tuple[Scalar, ...]


def apply(operation: Operation, *operands: Operand) -> Scalar:
    """The result of an operation: a Value that records its edges, or a float where no operand is a Value."""
    numbers = [numbers_of(operand) for operand in operands]
    data = evaluate(operation, numbers, operands)
    if not is_recording():
        return Value(data) if any(map(holds_value, operands)) else data

    parents, local_derivatives = differentiated(operation, data, numbers, operands, Value)
    if not parents:
        return data

    if Value.__init__ is CONSTRUCTOR:
        result = object.__new__(Value)  # as the constructor does, in half the time
        result._created, result._number, result._grad, result._label = next_number(), data, 0.0, ""
    else:
        result = Value(data)  # somebody has wrapped it
    result._symbol, result._operation = operation.symbol, operation
    result._x = result._dx = result._y = result._dy = None
    result._many = operands, tuple(parents), tuple(local_derivatives)
    return result


def numbers_of(operand: Operand) -> float | list[float]:
    if isinstance(operand, tuple):
        return [element._number if isinstance(element, Value) else element for element in operand]
    return operand._number if isinstance(operand, Value) else operand


def holds_value(operand: Operand) -> bool:
    return isinstance(operand, Value) or (isinstance(operand, tuple) and any(map(holds_value, operand)))


def function(operation: Operation) -> Callable[..., Any]:
    """The function that a row of the table stands for: the method on Value, and the function in `functions.py`."""

    def call(*operands: Any, **keywords: Any) -> Scalar:
        return apply(operation, *arguments(operation, operands, keywords, Value))

    quick = specialised.specialised(operation, call)
    introduce(quick, operation)
    return quick


specialised.make_nodes_of(Value, next_number)
add_methods(Value, function)
