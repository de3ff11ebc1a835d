"""Common is what a Value has beside its graph: how it is compared, shown, copied and pickled, and its names elsewhere.

Both engines share it. The native one takes what is rare from here, and has comparisons of its own, in C. Beside it
stand the errors that both engines raise.
"""

from __future__ import annotations

import operator
import warnings
from contextlib import suppress
from copyreg import __newobj__, _slotnames  # type: ignore[attr-defined]  # what pickle itself takes objects apart with

from autograd import recording
from autograd.displays import Table, in_notebooks
from autograd.operands import by_hand, listed, name_methods, ordered, scalar_or_not
from autograd.operation import ieee, strict
from autograd.operations import OPERATIONS
from autograd.spelling import MEANT
from autograd.subclasses import complete, engines_class
from autograd.wording import counted, shown

TYPE_CHECKING = bool()  # noqa: UP018  Jedi, in editors, would not look into an `if False`
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, Self, SupportsIndex

    from autograd.operation import Operation
    from autograd.table import Methods, Numeric

    class Engines(Methods):
        """The part of a Value that each engine has by itself."""

        data: float
        grad: float
        _created: int
        _number: float
        _label: str
        _symbol: str
        _operation: Any  # an Operation, or None
        _operands: tuple[Any, ...]
        _parents: tuple[Any, ...]
        _local_derivatives: tuple[float, ...]
        _x: Any  # the first operand, or None, and the derivative by it
        _dx: float | None
        _y: Any
        _dy: float | None

        @property
        def operands(self) -> tuple[Any, ...]: ...
        @property
        def parents(self) -> tuple[Any, ...]: ...
        @property
        def local_derivatives(self) -> tuple[float, ...]: ...

else:
    Engines = object


def comparison(compare: Callable[[float, float], bool]) -> Callable[[Any, Numeric], bool]:
    """A comparison's method: it compares data, with a Value or a real number."""

    def method(value: Common, other: Any) -> Any:
        recording.ask_guard(value, "a comparison")
        try:
            operand = scalar_or_not(other, Common)
        except OverflowError:
            return compare(value._number, other)  # it is beyond all floats, with which a float can be compared
        if operand is NotImplemented:
            return operand
        if isinstance(operand, Common):
            recording.ask_guard(operand, "a comparison")
            return compare(value._number, operand._number)
        if operand == value._number and type(other) is not float:
            with suppress(TypeError):  # other than by rounding? A float knows, if it can be compared with that
                return bool(compare(value._number, other))
        return compare(value._number, operand)

    return method


def table(value: Common) -> Table:
    """What notebooks show of a Value: its label and numbers, and the parents it was computed from, never their graph.

    A parent's row has the local derivative d value / d parent. Of very many parents the first ones are shown.
    """
    parents, name = value.parents, type(value).__name__
    derivatives = [str(derivative) for derivative in value.local_derivatives[:MOST_PARENTS]]
    rows: list[list[str]] = [cells(name, value)]
    for k, parent in enumerate(parents[:MOST_PARENTS]):
        rows.append([*cells(f"parent {k}", parent)[:-1], derivatives[k] if derivatives else ""])
    if len(parents) > MOST_PARENTS:
        rows.append([f"… and {len(parents) - MOST_PARENTS:,} more"])
    op, count = shown(value.op, LONGEST_LABEL), counted(len(parents), "parent")
    made = (f"computed by {op} from {count}" if op else f"of {count}") if parents else "a leaf"
    head = ["node", "label", "data", "grad", "op", "local derivative"]
    left_out = [head[k] for k in range(1, 6) if not any(row[k] for row in rows if len(row) > 1)]
    return Table(f"{name}, {made}", head, rows, numbers=("data", "grad", "local derivative"), left_out=left_out)


def cells(what: str, value: Common) -> list[str]:
    label, op = (shown(text, LONGEST_LABEL) for text in (value.label, value.op))
    return [what, label, str(value.data), str(value.grad), op, ""]


MOST_PARENTS = 10  # in the table of a Value
LONGEST_LABEL = 60  # characters of it there


class Common(Engines):
    """A Value without its graph."""

    __slots__ = ()

    __lt__ = comparison(operator.lt)
    __le__ = comparison(operator.le)
    __gt__ = comparison(operator.gt)
    __ge__ = comparison(operator.ge)

    def __eq__(self, other: object) -> bool:  # identity, as for any object
        is_number = hasattr(type(other), "__float__") or hasattr(type(other), "__index__")  # or many of them
        if is_number and not issubclass(type(other), Common):
            recording.ask_guard(self, "a comparison")
            warnings.warn(EQUALITY, stacklevel=2)
        return self is other or NotImplemented

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        recording.ask_guard(self, "bool()")
        return self._number != 0

    def __pos__(self) -> Self:
        return self

    # What it is made of, where nobody has an own way: the native engine has.

    @property
    def label(self) -> str:
        """A name, for drawings, traces and error messages."""
        return getattr(self, "_label", "")

    @label.setter
    def label(self, label: str) -> None:
        self._label = label

    @property
    def operation(self) -> Operation | None:
        """The row of the table that computed this Value, or None."""
        return self._operation  # type: ignore[no-any-return]

    @property
    def op(self) -> str:
        """The symbol of the operation that computed this Value; "" for a leaf."""
        return self._symbol if hasattr(self, "_symbol") else self._operation.symbol

    def _attributes(self) -> dict[str, Any]:
        return self.__dict__

    def _set_symbol(self, symbol: str) -> None:
        self._symbol = symbol

    def _set_by_hand(self, parents: tuple[Any, ...], symbol: str, local_derivatives: tuple[float, ...]) -> None:
        self._parents, self._symbol, self._local_derivatives = parents, symbol, local_derivatives
        self._operation, self._operands = None, ()
        self._x = self._dx = self._y = self._dy = None

    def _number_to_copy(self) -> float:
        recording.ask_guard(self, "float()")
        return self._number

    # The number without its graph: a Value does not turn into one by itself.

    def item(self) -> float:
        """The number itself, as `data`: arrays have it under this name."""
        recording.ask_guard(self, "item()")
        return self.data

    def detach(self) -> Any:
        """A new leaf with the same number: results computed from it know nothing of how this was computed."""
        recording.ask_guard(self, "detach()")
        return engines_class(type(self))(self.data)

    def conjugate(self) -> Self:
        """Itself, as of any real number. NumPy asks the elements of an array of objects for it: in std, var, vdot."""
        return self

    if not TYPE_CHECKING:  # a type checker refuses float(value), as the engine does while it records

        def __float__(self) -> float:
            recording.refuse_to_leave(self, "float()")
            return self.data

        def __complex__(self) -> complex:
            recording.refuse_to_leave(self, "complex()")
            return complex(self.data)

        def __int__(self) -> int:
            recording.refuse_to_leave(self, "int()")
            return int(self.data)

    # How it is shown, copied and pickled.

    def __format__(self, specification: str) -> str:
        return format(self.data, specification) if specification else repr(self)

    def __repr__(self) -> str:
        op = f", op={self.op!r}" if self.op else ""
        label = f", label={self.label!r}" if self.label else ""
        return f"Value(data={self.data}, grad={self.grad}{op}{label})"

    _repr_html_ = in_notebooks(table)

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        recording.ask_guard(self, "a copy")
        if self.parents:
            raise TypeError(
                f"cannot copy or pickle {self!r}: it was computed, and a copy would need its whole graph; "
                "copy the leaves and compute it again, or make a new leaf from its data with Value(v)"
            )
        engines_own = vars(engines_class(type(self)))
        of_subclass = [name for name in _slotnames(type(self)) if name not in engines_own and hasattr(self, name)]
        attributes = self._attributes() | {name: getattr(self, name) for name in of_subclass}
        return __newobj__, (type(self),), (self.data, self.grad, self.label, attributes)

    def __setstate__(self, state: tuple[float, float, str, dict[str, Any]]) -> None:
        data, grad, label, attributes = state
        engines_class(type(self)).__init__(self, data, label=label)
        for name, attribute in {"grad": grad, **attributes}.items():
            if name in MEANT and not hasattr(type(self), name):  # misspelt, of which the original has warned
                vars(self)[name] = attribute
            else:
                setattr(self, name, attribute)

    # What micrograd and microgpt call the parents, the local derivatives and the operation. All of it can be assigned.

    @property
    def _prev(self) -> set[Self]:
        return set(self.parents)

    @_prev.setter
    def _prev(self, children: Iterable[Self]) -> None:
        parents = listed(children)
        if {*map(id, parents)} != {*map(id, self.parents)}:  # otherwise it is what it was, with its derivatives
            self._become(parents, ())

    @property
    def _children(self) -> tuple[Self, ...]:
        return self.parents

    @_children.setter
    def _children(self, children: Iterable[Self]) -> None:
        """As in microgpt, a local derivative belongs to the child at its place, whichever that is now."""
        parents, known = listed(children), self.local_derivatives
        has_places = not isinstance(children, (set, frozenset))
        kind = list if has_places else set
        if kind(map(id, parents)) != kind(map(id, self.parents)):  # otherwise it is what it was
            has_places = has_places and bool(known)
            added = (0.0,) * (len(parents) - len(known))
            self._become(parents, (known + added)[: len(parents)] if has_places else ())

    @property
    def _local_grads(self) -> tuple[float, ...]:
        return self.local_derivatives

    @_local_grads.setter
    def _local_grads(self, derivatives: Iterable[Numeric]) -> None:
        self._become(self.parents, tuple(ordered(derivatives, "local derivatives, such as (1.0, 1.0)")))

    def _become(self, parents: tuple[Self, ...], derivatives: tuple[Numeric, ...]) -> None:
        """A node by hand, with the symbol that it had. Raises what `by_hand` raises."""
        parents, _, numbers = by_hand(parents, derivatives, engines_class(type(self)))
        self._set_by_hand(parents, self.op, numbers)

    @property
    def _op(self) -> str:
        if self.operation is None or self.op != self.operation.symbol:
            return self.op
        if self.operation is OPERATIONS["power"] and isinstance(exponent := self.operands[1], float):
            return f"**{exponent:g}"
        return {"relu": "ReLU"}.get(self.op, self.op)

    @_op.setter
    def _op(self, symbol: str) -> None:
        if not isinstance(symbol, str):
            raise TypeError(f"expected a string as _op, got {symbol!r}")
        self._set_symbol(symbol)

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if Common not in cls.__bases__:  # it is not the engine's own class
            complete(cls)


name_methods(Common)

# What the native engine takes from here, since it has nothing of its own for it.
RARE = (
    "__complex__", "__float__", "__format__", "__int__", "__reduce_ex__", "__repr__", "__setstate__", "_become",
    "_children", "_local_grads", "_number_to_copy", "_op", "_prev", "_repr_html_", "conjugate", "detach", "item",
)  # fmt: skip

EQUALITY = (
    "== and != of a Value and a number ask whether they are the same object, which they never are, since Values can "
    "live in sets and dicts; compare the numbers, as in x.data == 2.0"
)


MODULUS = "pow(x, y, modulus): a Value is no integer, so a power of it has no modulus; write x**y"


def evaluate(operation: Operation, numbers: Sequence[float | list[float]], operands: Sequence[object]) -> float:
    """The value by the table's rule. Raises what Python's `math` does, and says which numbers and labels it met."""
    try:
        return operation.compute(strict, *numbers)  # type: ignore[no-any-return]  # a rule on floats returns a float
    except (ValueError, ArithmeticError) as error:
        if not recording.may_raise():
            return getattr(ieee, operation.name)(*numbers)  # type: ignore[no-any-return]  # as above
        labels = [getattr(operand, "label", "") for operand in operands]
        raise operation.explained(error, numbers, labels) from None


def differentiated(
    operation: Operation,
    value: float,
    numbers: Sequence[float | list[float]],
    operands: Sequence[Any],
    value_type: type,
) -> tuple[list[Any], list[float]]:
    """The operands that are Values, and the local derivative with respect to each, by the table's rules."""
    parents: list[Any] = []
    local_derivatives: list[float] = []
    for operand, derivative_of in zip(operands, operation.partials, strict=True):
        if isinstance(operand, value_type):
            parents.append(operand)
            local_derivatives.append(derivative_of(ieee, value, *numbers))
        elif isinstance(operand, tuple):
            for element, derivative in zip(operand, derivative_of(ieee, value, *numbers), strict=True):
                if isinstance(element, value_type):
                    parents.append(element)
                    local_derivatives.append(derivative)
    return parents, local_derivatives


def uncomputable(node: Common, consequence: str) -> TypeError:
    """The error of whoever needs the operation of a node that has none: `so a tape cannot compute it again`."""
    return TypeError(f"{node!r} was not computed by an operation of the table, {consequence}")
