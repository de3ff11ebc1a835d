"""The functions of the table, `exp`, `tanh`, `dot`, ..., on floats and Values alike.

Where an operand is a Value the result is a Value, else it is a float: `exp(0.0)` is 1.0, `exp(Value(0.0))` a node.
There is one function for each row of `operations.py`; its docstring has the formula.

`value_mathematics` has them as the rules of the table take them: with it, a partial derivative is a graph itself.
"""

from __future__ import annotations

from autograd.engines import Value, function
from autograd.operation import Mathematics
from autograd.operations import OPERATIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from autograd.value import Operand, Scalar

    def __getattr__(name: str) -> Callable[..., Any]: ...  # Any: a float or a Value, as the operands are


def where(condition: bool, x: Scalar, y: Scalar) -> Scalar:
    """x if the condition holds, else y: `where(x > 0, x, 0.0)`. The derivative is that of the chosen branch."""
    return x if condition else y


# A method is its function, so that pickle finds either: a network knows its activation function.
_functions: dict[str, Callable[..., Any]] = {
    name: vars(Value).get(name) or function(operation) for name, operation in OPERATIONS.items()
}
globals().update(_functions)

__all__ = ["where", *_functions]  # pyright: ignore[reportUnsupportedDunderAll]


def _sum(terms: Iterable[Scalar], start: Scalar = 0.0) -> Scalar:
    result: Scalar = _functions["sum"]([start, *terms])
    return result


def _largest(x: Iterable[Scalar]) -> float:
    """A constant: rules shift by it, and what they compute does not depend on the shift."""
    return max(map(float, x))


def _varies(operand: Operand) -> bool:
    return isinstance(operand, Value) or (isinstance(operand, (tuple, list)) and any(map(_varies, operand)))


value_mathematics = Mathematics(**_functions | {"where": where, "sum": _sum, "max": _largest, "varies": _varies})
