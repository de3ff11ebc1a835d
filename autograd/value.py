"""Value: a number that remembers how it was computed, and so can tell its derivative.

An operation on Values makes a new Value that records its operands, `parents`, and the derivative of the result with
respect to each, `local_derivatives`. The Values of a computation form a graph. `backward()` walks it from the result to
the leaves and applies the chain rule on the way:

    d result / d parent  +=  d node / d parent  *  d result / d node

The table, `operations.py`, has the value and the derivatives of each operation.
"""

from __future__ import annotations

from functools import partial
from itertools import count

from autograd.common import MODULUS, Common, differentiated, evaluate
from autograd.graph import topological_order
from autograd.operands import (
    add_methods,
    arguments,
    by_hand,
    introduce,
    name_methods,
    real_number,
    scalar_or_not,
)
from autograd.operations import OPERATIONS
from autograd.recording import end_stale_blocks, is_recording
from autograd.specialised import make_nodes_of, specialised
from autograd.spelling import MEANT, Misspelling
from autograd.subclasses import check, is_checked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from autograd.operands import Number
    from autograd.operation import Operation
    from autograd.table import Numeric

    Children = Iterable["Value"]
    Symbol = str | Iterable[Number]
    Power = Callable[["Value", Numeric], "Value"]


new = object.__new__
BEGINNING: dict[str, object] = {
    "_number": 0.0, "_grad": 0.0, "_label": "", "_symbol": "", "_operation": None, "_operands": (), "_parents": (),
    "_local_derivatives": (), "_x": None, "_dx": None, "_y": None, "_dy": None,
}  # fmt: skip

# Values are numbered as they are created. An operand is there before its result: so, from the highest number to the
# lowest, each node comes after everything that was computed from it. This is a reverse topological order.
next_number = count().__next__


def infix(name: str) -> tuple[Callable[[Value, Numeric], Value], Callable[[Value, Numeric], Value]]:
    """An operator's two methods, `value + other` and `other + value`; other may be a Value or a real number.

    For anything else they return NotImplemented. Then Python asks the other operand: an array, a string.
    """
    operation = OPERATIONS[name]

    def method(value: Value, other: Numeric) -> Any:
        operand = other if type(other) is Value else scalar_or_not(other, Value)
        return operand if operand is NotImplemented else apply(operation, value, operand)

    def reflected(value: Value, other: Numeric) -> Any:
        operand = other if type(other) is Value else scalar_or_not(other, Value)
        return operand if operand is NotImplemented else apply(operation, operand, value)

    return specialised(operation, ["value", "other"], method), specialised(operation, ["other", "value"], reflected)


def without_modulus(power: Power, reflected: Power) -> tuple[Callable[..., Value], Callable[..., Value]]:
    """The methods that pow() calls with a third argument, too."""

    def method(value: Value, other: Numeric, modulus: object = None) -> Value:
        if modulus is not None:
            raise TypeError(MODULUS)
        return power(value, other)

    def reflected_method(value: Value, other: Numeric, modulus: object = None) -> Any:
        return reflected(value, other) if modulus is None else NotImplemented

    return method, reflected_method


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

    # A node of one or two scalars has them in _x and _y, and in _dx and _dy the derivatives, None by a constant. It has
    # no tuples of operands, parents and local derivatives, since they would take more time than all the rest. Nor has a
    # computed node a _label and a _symbol until they are set.
    __slots__ = (
        "__dict__", "__weakref__", "_created", "_dx", "_dy", "_grad", "_label", "_local_derivatives", "_number",
        "_operands", "_operation", "_parents", "_symbol", "_x", "_y",
    )  # fmt: skip

    if not TYPE_CHECKING:  # which would ask for subclasses' constructors that take the same

        def __new__(cls, *arguments, **keywords):
            """A leaf of 0.0. A subclass's constructor may set its data and little else, as micrograd's does."""
            if cls is not Value and not is_checked(cls):
                check(cls)
            value = new(cls)
            if cls is Value and (arguments or keywords):
                value._created = next_number()  # the constructor sets all the rest
            else:
                for name, start in {**BEGINNING, "_created": next_number()}.items():
                    object.__setattr__(value, name, start)
            return value

    def __init__(self, data: Numeric, _children: Children = (), _op: Symbol = "", label: str = "") -> None:
        number = data if type(data) is float else real_number(data)
        by_whom = by_hand(_children, _op, Value) if _children or _op else None
        self._number, self._grad = number, 0.0
        self._label, self._symbol = label, ""
        self._operation = None
        self._parents = self._operands = self._local_derivatives = ()
        self._x = self._dx = self._y = self._dy = None
        if by_whom:
            self._parents, self._symbol, self._local_derivatives = by_whom

    if not TYPE_CHECKING:
        __new__.__wrapped__ = __init__  # where inspect.signature looks

    @property
    def parents(self) -> tuple[Value, ...]:
        """The operands that are Values, in order."""
        if self._dx is not None:
            return (self._x,) if self._dy is None else (self._x, self._y)
        if self._dy is not None:
            return (self._y,)
        return self._parents

    @property
    def local_derivatives(self) -> tuple[float, ...]:
        """The derivative by each of the parents."""
        if self._dx is self._dy is None:
            return self._local_derivatives
        return tuple([derivative for derivative in (self._dx, self._dy) if derivative is not None])

    @property
    def operands(self) -> tuple[Any, ...]:
        """What the operation got: Values, floats, and tuples of these."""
        if self._dx is self._dy is None:
            return self._operands
        return (self._x,) if len(self._operation.operands) == 1 else (self._x, self._y)

    @property
    def data(self) -> float:
        """The number itself."""
        return self._number

    @data.setter
    def data(self, number: Numeric) -> None:
        self._number = real_number(number)

    @property
    def grad(self) -> float:
        """The derivative of the result whose `backward()` ran; on a leaf, the sum over the runs since it was 0."""
        return self._grad

    @grad.setter
    def grad(self, number: Numeric) -> None:
        self._grad = real_number(number)

    def backward(self, gradient: Numeric = 1.0) -> None:
        """Adds `gradient` * d self / d leaf to the `grad` of every leaf, and sets that of every computed node.

        Each node is visited once, the latest first, and so after everything that was computed from it (reverse
        topological order). Leaves accumulate: a second call doubles their gradients, and results that share a part of
        their graphs add up.
        """
        end_stale_blocks()
        seed = real_number(gradient)
        order = topological_order(self)
        for node in order:
            if node._dx is not None or node._dy is not None or node._parents:
                node._grad = 0.0
        self._grad += seed
        for node in reversed(order):
            node._backward()

    def _backward(self) -> None:
        if self._dx is not None:
            self._x._grad += self._dx * self._grad
        if self._dy is not None:
            self._y._grad += self._dy * self._grad
        elif self._dx is None:
            for parent, local_derivative in zip(self._parents, self._local_derivatives):  # noqa: B905  it takes time
                parent._grad += local_derivative * self._grad

    def __dir__(self) -> list[str]:
        """Misspelt names are on the class to warn of them, and no attributes."""
        own = self.__dict__
        return [name for name in super().__dir__() if name not in MEANT or name in own]

    __add__, __radd__ = infix("add")
    __sub__, __rsub__ = infix("subtract")
    __mul__, __rmul__ = infix("multiply")
    __truediv__, __rtruediv__ = infix("divide")
    __pow__, __rpow__ = without_modulus(*infix("power"))

    @partial(specialised, OPERATIONS["negative"], ["value"])
    def __neg__(self) -> Value:
        return apply(OPERATIONS["negative"], self)  # type: ignore[return-value]

    @partial(specialised, OPERATIONS["abs"], ["value"])
    def __abs__(self) -> Value:
        return apply(OPERATIONS["abs"], self)  # type: ignore[return-value]


for _name in MEANT:
    setattr(Value, _name, Misspelling(_name))
name_methods(Value)
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
        result = new(Value)  # as the constructor does, in half the time
        result._created, result._number, result._grad = next_number(), data, 0.0
    else:
        result = Value(data)  # somebody has wrapped it
    result._operation, result._symbol = operation, operation.symbol
    result._operands, result._parents, result._local_derivatives = operands, tuple(parents), tuple(local_derivatives)
    result._dx = result._dy = None
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

    quick = specialised(operation, None, call)
    introduce(quick, operation)
    return quick


make_nodes_of(Value, next_number)
add_methods(Value, function)
