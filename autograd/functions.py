"""The functions of the table, `exp`, `tanh`, `dot`, ..., on floats and Values alike.

Where an operand is a Value the result is a Value, else it is a float: `exp(0.0)` is 1.0, `exp(Value(0.0))` a node.
There is one function for each row of `operations.py`; its docstring has the formula. `define` adds a row at run time.

`value_mathematics` has them as the rules of the table take them: with it, a partial derivative is a graph itself.
"""

from __future__ import annotations

import builtins
from contextlib import suppress
from functools import wraps
from keyword import iskeyword
from types import FunctionType

from autograd.engines import Value, function
from autograd.operands import described, introduce, real_number
from autograd.operation import Mathematics, Operation, ieee, strict, where
from autograd.operations import OPERATIONS, add_row
from autograd.subclasses import own_sums

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from autograd.value import Operand, Scalar


# A method is its function, so that pickle finds either: a network knows its activation function.
_functions: dict[str, Callable[..., Any]] = {
    name: vars(Value).get(name) or function(operation) for name, operation in OPERATIONS.items()
}
globals().update(_functions)


def sum(x: Iterable[Any], /, start: Any = 0) -> Any:
    """sum(x), from left to right, behind `start`: one node if there are Values among numbers.

    Takes all that the builtin takes, since `from autograd import *` puts it in the place of that, and returns what the
    builtin returns where there are no Values, or Values of a subclass with a + of its own.

    >>> sum([Value(1.0), 2.0], Value(3.0))
    Value(data=6.0, grad=0.0, op='sum')
    >>> sum(range(4)), sum([[1], [2]], [])
    (6, [1, 2])
    """
    is_zero = isinstance(start, (int, float)) and not start
    terms = x if is_zero and type(x) in (list, tuple) else [*x] if is_zero else [start, *x]
    if not own_sums or own_sums.isdisjoint(map(type, terms)):
        with suppress(TypeError, OverflowError):  # there is something else among them, or a large integer
            result = _functions["sum"](terms)
            if isinstance(result, Value) or {*map(type, terms)} == {float}:
                return result
    return builtins.sum(terms, 0) if is_zero else builtins.sum([*terms][1:], start)


def abs(*operands: Any, **keywords: Any) -> Any:
    is_plain = len(operands) == 1 and not keywords and not isinstance(operands[0], Value)
    return builtins.abs(operands[0]) if is_plain else _functions["abs"](*operands, **keywords)


introduce(abs, OPERATIONS["abs"])
setattr(Value, "abs", abs)  # noqa: B010  the methods come from the table


def define(
    name: str,
    compute: Callable[..., Any],
    partials: Sequence[Callable[..., Any]],
    *,
    symbol: str = "",
    formula: str = "",
    domain: str = "",
    sequences: int = 0,
) -> Callable[..., Any]:
    """Defines an operation of one's own, as a row of the table has it, and returns its function.

    It then works everywhere: as a method of Value, in drawings and traces, in derivatives of any order, and in tapes,
    by the NumPy executor. The rules run on floats, Values and arrays alike; `operations.py` says how to write them.

    Arguments:
        name: of the function and the method, an identifier.
        compute: the value, `compute(m, *operands)`, with the functions of the mathematics m, such as `m.exp(x)`.
        partials: for each operand, in order, a rule `partial(m, r, *operands)`: the derivative of the result r by it;
            for an operand that is a sequence, the sequence of derivatives.
        symbol: what drawings show; by default, the name.
        formula: the definition in the operands' names, for the docstring; by default, a call of it.
        domain: what the operands must fulfil, for the error where `compute` raises.
        sequences: how many leading operands are sequences.

    Raises ValueError if there is an operation or an attribute of Value with that name, or not one partial derivative
    for each operand; TypeError if the name is no identifier, or what should be a function is none.

    >>> cubed = define("cubed", lambda m, x: x * x * x, [lambda m, r, x: 3.0 * x * x], formula="x ** 3")
    >>> x = Value(2.0)
    >>> cubed(x).backward()
    >>> x.grad, x.cubed().data
    (12.0, 8.0)
    >>> from autograd import derivative
    >>> [derivative(cubed, order=n)(2.0) for n in range(4)]
    [8.0, 12.0, 12.0, 6.0]
    """
    if not isinstance(name, str) or not name.isidentifier() or iskeyword(name):
        raise TypeError(f"define: expected an identifier as the name, such as 'cube', got {described(name)}")
    if name in OPERATIONS:
        raise ValueError(f"define: there is an operation {name!r} already: {OPERATIONS[name]!r}; choose another name")
    if hasattr(Value, name) or name in globals():
        raise ValueError(f"define: the name {name!r} has a meaning already; choose another name")
    operands = named_operands(name, compute, partials)
    if not 0 <= sequences <= len(operands):
        raise ValueError(f"define: {name}: sequences: expected 0 to {len(operands)}, got {sequences}")
    formula = formula or f"{name}({', '.join(operands)})"
    row = Operation(name, symbol or name, formula, compute, partials, samples=[], domain=domain, sequences=sequences)
    row.compute = on_floats(f"{name}: the value", compute)
    row.partials = tuple(
        [
            on_floats(f"{name}: the derivative by {operand}", partial, i + 1 if i < sequences else None)
            for i, (operand, partial) in enumerate(zip(operands, partials, strict=True))
        ]
    )
    _functions[name] = defined = function(row)
    add_row(row)
    if not sequences:
        setattr(Value, name, defined)
    return defined


def named_operands(name: str, compute: Callable[..., Any], partials: Sequence[Callable[..., Any]]) -> tuple[str, ...]:
    """What the rules of an operation call its operands. Raises TypeError or ValueError if they do not fit together."""
    for rule in (compute, *partials):
        if not isinstance(rule, FunctionType):
            raise TypeError(
                f"define: {name}: expected functions with named operands, as lambda m, x: ..., got {described(rule)}"
            )
    operands = compute.__code__.co_varnames[1 : compute.__code__.co_argcount]
    if not operands:
        raise ValueError(f"define: {name}: expected a value of the form lambda m, x: ..., got one without an operand")
    if len(partials) != len(operands):
        raise ValueError(
            f"define: {name}: expected a partial derivative for each of {len(operands)} operands "
            f"({', '.join(operands)}), got {len(partials)}"
        )
    for partial in partials:
        if (given := partial.__code__.co_argcount) != 2 + len(operands):
            expected = ", ".join(["m", "r", *operands])
            raise ValueError(
                f"define: {name}: expected partial derivatives of the form lambda {expected}: ..., got one of {given} "
                "arguments"
            )
    return operands


def on_floats(what: str, rule: Callable[..., Any], sequence: int | None = None) -> Callable[..., Any]:
    """The rule, which must return a float on floats; for an operand that is a sequence, as many as that has."""

    @wraps(rule)
    def checked(m: Mathematics, *operands: Any) -> Any:
        result = rule(m, *operands)
        if m is not strict and m is not ieee:
            return result  # of Values, or of arrays
        try:
            if sequence is None:
                return real_number(result)
            numbers = [real_number(number) for number in result]
        except TypeError as error:
            raise TypeError(f"{what}: {error}") from None
        if len(numbers) != len(operands[sequence]):
            raise ValueError(f"{what}: expected {len(operands[sequence])} numbers, got {len(numbers)}")
        return numbers

    return checked


def __getattr__(name: str) -> Callable[..., Any]:
    """Those that were defined at run time: pickle looks here."""
    if name in _functions:
        return _functions[name]
    raise AttributeError(
        f"module {__name__!r} has no attribute {name!r}; an operation of your own must be defined before it is used"
    )


__all__ = ["define", "where", *_functions]  # pyright: ignore[reportUnsupportedDunderAll]


def _sum(terms: Iterable[Scalar], start: Scalar = 0.0) -> Scalar:
    result: Scalar = _functions["sum"]([start, *terms])
    return result


def _largest(x: Iterable[Scalar]) -> float:
    """A constant: rules shift by it, and what they compute does not depend on the shift."""
    return max([x_i._number_to_copy() if isinstance(x_i, Value) else x_i for x_i in x])


def _varies(operand: Operand) -> bool:
    return isinstance(operand, Value) or (isinstance(operand, (tuple, list)) and any(map(_varies, operand)))


value_mathematics = Mathematics(**_functions | {"where": where, "sum": _sum, "max": _largest, "varies": _varies})
