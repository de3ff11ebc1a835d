"""Common is what a Value has beside its graph: how it is compared, shown, copied and pickled, and micrograd's names.

Both engines share it. The native one takes what is rare from here, and has comparisons of its own, in C. Beside it
stand the errors that both engines raise.
"""

from __future__ import annotations

import operator
from copyreg import __newobj__, _slotnames  # type: ignore[attr-defined]  # what pickle itself takes objects apart with

from autograd import recording
from autograd.operands import scalar_or_not
from autograd.operation import ieee, strict
from autograd.operations import OPERATIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Self, SupportsIndex

    from autograd.operation import Operation

    class Engines:
        """The part of a Value that each engine has by itself."""

        data: float
        grad: float
        label: str
        op: str
        operation: Operation | None
        operands: tuple[Any, ...]
        parents: tuple[Self, ...]
else:
    Engines = object


def comparison(compare: Callable[[float, float], bool]) -> Callable[[Any, Any], Any]:
    """A comparison's method: it compares data, with a Value or a real number."""

    def method(value: Common, other: object) -> Any:
        for operand in (value, other):
            if isinstance(operand, Common):
                recording.ask_guard(operand, "a comparison")
        number = scalar_or_not(other, Common)
        if number is NotImplemented:
            return number
        return compare(value.data, number.data if isinstance(number, Common) else number)

    return method


class Common(Engines):
    """A Value without its graph."""

    __slots__ = ()

    __lt__ = comparison(operator.lt)
    __le__ = comparison(operator.le)
    __gt__ = comparison(operator.gt)
    __ge__ = comparison(operator.ge)

    def __eq__(self, other: object) -> bool:  # identity, as for any object
        is_number = hasattr(type(other), "__float__") or hasattr(type(other), "__index__")  # or many of them
        if is_number and not isinstance(other, Common):
            recording.ask_guard(self, "a comparison")
        return self is other or NotImplemented

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        recording.ask_guard(self, "bool()")
        return self.data != 0

    def __float__(self) -> float:
        recording.ask_guard(self, "float()")
        return self.data

    def __pos__(self) -> Self:
        return self

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
        engines_own = vars(engines_class(self))
        of_subclass = [name for name in _slotnames(type(self)) if name not in engines_own and hasattr(self, name)]
        attributes = self.__dict__ | {name: getattr(self, name) for name in of_subclass}
        return __newobj__, (type(self),), (self.data, self.grad, self.label, attributes)

    def __setstate__(self, state: tuple[float, float, str, dict[str, Any]]) -> None:
        data, grad, label, attributes = state
        engines_class(self).__init__(self, data, label=label)
        for name, attribute in {"grad": grad, **attributes}.items():
            setattr(self, name, attribute)

    # What micrograd calls the parents and the operation.

    @property
    def _prev(self) -> set[Self]:
        return set(self.parents)

    @property
    def _op(self) -> str:
        if self.operation is OPERATIONS["power"] and isinstance(exponent := self.operands[1], float):
            return f"**{exponent:g}"
        return {"relu": "ReLU"}.get(self.op, self.op)


def engines_class(value: Common) -> Any:
    """Value itself, of the engine that made the value, which may be of a subclass."""
    return next(kind for kind in reversed(type(value).__mro__) if "backward" in vars(kind))


def evaluate(operation: Operation, numbers: Sequence[float | list[float]], operands: Sequence[object]) -> float:
    """The value by the table's rule. Raises what Python's `math` does, and says which numbers and labels it met."""
    try:
        return operation.compute(strict, *numbers)  # type: ignore[no-any-return]  # a rule on floats returns a float
    except (ValueError, ArithmeticError) as error:
        if not recording.may_raise.get():
            return getattr(ieee, operation.name)(*numbers)  # type: ignore[no-any-return]  # as above
        labels = [getattr(operand, "label", "") for operand in operands]
        raise operation.explained(error, numbers, labels) from None


def uncomputable(node: Common, consequence: str) -> TypeError:
    """The error of whoever needs the operation of a node that has none: `so a tape cannot compute it again`."""
    return TypeError(f"{node!r} was not computed by an operation of the table, {consequence}")
