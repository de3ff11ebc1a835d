"""Value: a number that remembers how it was computed, and so can tell its derivative.

An operation on Values makes a new Value that records its operands, `parents`, and the derivative of the result with
respect to each, `local_derivatives`. The Values of a computation form a graph. `backward()` walks it from the result to
the leaves and applies the chain rule on the way:

    d result / d parent  +=  d node / d parent  *  d result / d node

What an operation computes and what its derivatives are stands in the table, `operations.py`.
"""

from __future__ import annotations

import operator
from contextlib import contextmanager
from contextvars import ContextVar
from copyreg import __newobj__, _slotnames  # type: ignore[attr-defined]  # what pickle itself takes objects apart with

from autograd.graph import topological_order
from autograd.operands import add_methods, arguments, introduce, real_number
from autograd.operations import OPERATIONS, Operation, ieee, strict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, SupportsIndex

    from autograd.operands import Number

_open_blocks = ContextVar("open_blocks", default=0)  # of no_grad(): operations record where there is none


@contextmanager
def no_grad() -> Iterator[None]:
    """Operations record nothing: `with no_grad():`, or `@no_grad()` on a function. Their results are leaves."""
    _open_blocks.set(_open_blocks.get() + 1)
    try:
        yield
    finally:
        _open_blocks.set(_open_blocks.get() - 1)


def is_recording() -> bool:
    """Whether operations record here: whether no no_grad() block is open."""
    return not _open_blocks.get()


_raises = ContextVar("raises", default=True)  # whether a result that is not finite may be an error


@contextmanager
def recording(*, raises: bool = True) -> Iterator[None]:
    """Operations record, also in a no_grad() block around: what is to be differentiated must.

    With raises=False they follow IEEE 754, as the table's partials on floats do: what is undefined is nan, what is too
    large is inf, and nothing raises.
    """
    blocks, errors = _open_blocks.set(0), _raises.set(raises)
    try:
        yield
    finally:
        _raises.reset(errors)
        _open_blocks.reset(blocks)


_guard: Callable[[Value, str], None] | None = None


def guard(check: Callable[[Value, str], None] | None) -> None:
    """Has check(value, what) called before a comparison, bool() or float() of a Value; None ends it."""
    global _guard
    _guard = check


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
        if _guard is not None:
            for operand in (value, other):
                if isinstance(operand, Value):
                    _guard(operand, "a comparison")
        try:
            number = real_number(other)
        except TypeError:
            return NotImplemented
        return compare(value._data, number)

    return method


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

    __slots__ = {
        "__dict__": "", "__weakref__": "", "_data": "", "_grad": "",
        "label": "A name, for drawings, traces and error messages.",
        "local_derivatives": "The derivative of this Value with respect to each of its parents.",
        "op": 'The symbol of the operation that computed this Value; "" for a leaf.',
        "operands": "What the operation got: Values, floats, and tuples of these where it takes sequences.",
        "operation": "The row of the table that computed this Value, or None.",
        "parents": "The operands that are Values, in order.",
    }  # fmt: skip

    def __init__(self, data: Number, _children: tuple[Value, ...] = (), _op: str = "", label: str = "") -> None:
        self._data = data if type(data) is float else real_number(data)
        self._grad = 0.0
        self.label = label
        self.op = _op
        self.operation: Operation | None = None
        self.operands: tuple[Operand, ...] = ()
        self.parents = checked_parents(_children) if _children else ()
        self.local_derivatives: tuple[float, ...] = ()

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

    def __eq__(self, other: object) -> bool:  # identity, as for any object
        is_number = hasattr(type(other), "__float__") or hasattr(type(other), "__index__")  # or many of them
        if _guard is not None and is_number and not isinstance(other, Value):
            _guard(self, "a comparison")
        return self is other or NotImplemented

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        if _guard is not None:
            _guard(self, "bool()")
        return self._data != 0

    def __float__(self) -> float:
        if _guard is not None:
            _guard(self, "float()")
        return self._data

    def __format__(self, specification: str) -> str:
        return format(self.data, specification) if specification else repr(self)

    def __repr__(self) -> str:
        op = f", op={self.op!r}" if self.op else ""
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self.data}, grad={self.grad}{op}{label})"

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        if self.parents:
            raise TypeError(
                f"cannot copy or pickle {self!r}: it was computed, and a copy would need its whole graph; "
                "copy the leaves and compute it again, or make a new leaf from its data with Value(v)"
            )
        of_subclass = [name for name in _slotnames(type(self)) if name not in Value.__slots__ and hasattr(self, name)]
        attributes = self.__dict__ | {name: getattr(self, name) for name in of_subclass}
        return __newobj__, (type(self),), (self.data, self.grad, self.label, attributes)

    def __setstate__(self, state: tuple[float, float, str, dict[str, Any]]) -> None:
        data, grad, label, attributes = state
        Value.__init__(self, data, label=label)
        self._grad = grad
        for name, attribute in attributes.items():
            setattr(self, name, attribute)

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
    data = evaluate(operation, numbers, operands)
    if _open_blocks.get():
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


def evaluate(operation: Operation, numbers: Sequence[float | list[float]], operands: Sequence[object]) -> float:
    """The value by the table's rule. Raises what Python's `math` does, and says which numbers and labels it met."""
    try:
        return operation.compute(strict, *numbers)  # type: ignore[no-any-return]  # a rule on floats returns a float
    except (ValueError, ArithmeticError) as error:
        if not _raises.get():
            return getattr(ieee, operation.name)(*numbers)  # type: ignore[no-any-return]  # as above
        labels = [getattr(operand, "label", "") for operand in operands]
        raise operation.explained(error, numbers, labels) from None


def numbers_of(operand: Operand) -> float | list[float]:
    if isinstance(operand, Value):
        return operand._data
    if isinstance(operand, tuple):
        return [element._data if isinstance(element, Value) else element for element in operand]
    return operand


def holds_value(operand: Operand) -> bool:
    return isinstance(operand, Value) or (isinstance(operand, tuple) and any(map(holds_value, operand)))


def checked_parents(children: Iterable[object]) -> tuple[Value, ...]:
    parents = tuple(children)
    for parent in parents:
        if not isinstance(parent, Value):
            raise TypeError(f"expected Values as _children, got {parent!r}; a label is given as label=")
    return parents  # type: ignore[return-value]  # all of them are Values


def scalar(operand: Number) -> Scalar:
    """An operand as the engine takes it: a Value as it is, any other real number as a float."""
    return operand if isinstance(operand, Value) or type(operand) is float else real_number(operand)


def function(operation: Operation) -> Callable[..., Any]:
    """The function that a row of the table stands for: the method on Value, and the function in `functions.py`."""

    def call(*operands: Any, **keywords: Any) -> Scalar:
        return apply(operation, *arguments(operation, operands, keywords, Value))

    introduce(call, operation)
    return call


add_methods(Value, function)
