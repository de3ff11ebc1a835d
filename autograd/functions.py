"""The functions of the table, `exp`, `tanh`, `dot`, ..., on floats and Values alike.

Where an operand is a Value the result is a Value, else it is a float: `exp(0.0)` is 1.0, `exp(Value(0.0))` a node.
There is one function for each row of `operations.py`; its docstring has the formula. `define` adds a row at run time.

`value_mathematics` has them as the rules of the table take them: with it, a partial derivative is a graph itself.
"""

from __future__ import annotations

import builtins
import math
import reprlib
from functools import reduce, wraps
from keyword import iskeyword
from operator import mul
from types import CodeType, FunctionType

from autograd.engines import Value, function
from autograd.operands import described, introduce, is_masked, iterable, ordered, real_number, scalar, scalars
from autograd.operation import Mathematics, Operation, ieee, is_place, largest, places, strict, where
from autograd.operations import OPERATIONS, ROW, ROWS, TABLE, add_row, each_among_the_others
from autograd.subclasses import own_sums
from autograd.wording import counted, located

TYPE_CHECKING = bool()  # noqa: UP018  Jedi, in editors, would not look into an `if False`
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, SupportsAbs, TypeVar, overload

    from autograd.operands import Number
    from autograd.table import *
    from autograd.table import Numeric
    from autograd.value import Operand, Scalar

    T = TypeVar("T")
    Default = TypeVar("Default")
    Key = Callable[[Any], Any] | None  # as the builtins take it
else:

    def overload(declared):  # for type checkers; to import typing takes as long as half of the engine
        return declared


# A method is its function, so that pickle finds either: a network knows its activation function.
_functions: dict[str, Callable[..., Any]] = {
    name: vars(Value).get(name) or function(operation) for name, operation in OPERATIONS.items()
}
globals().update(_functions)
_definitions: dict[str, tuple[object, ...]] = {}  # what `define` was given, by name


def document(function: Any, operation: Operation) -> None:
    """Gives a function of the table its docstring, unless it has that from the build."""
    if function.__doc__ is None:
        from autograd.formulas import description  # the native engine has no need of it

        function.__doc__ = description(operation)


for _operation in OPERATIONS.values():
    document(_functions[_operation.name], _operation)


@overload
def sum(x: Iterable[Value], /, start: Numeric = 0) -> Value: ...
@overload
def sum(x: Iterable[Numeric], /, start: Value) -> Value: ...
@overload
def sum(x: Iterable[int], /, start: int = 0) -> int: ...  # type: ignore[overload-overlap]  # int comes first
@overload
def sum(x: Iterable[Number], /, start: Number = 0) -> float: ...
@overload
def sum(x: Iterable[Numeric], /, start: Numeric = 0) -> Value | float: ...
@overload
def sum(x: Iterable[T], /, start: T) -> T: ...
def sum(x: Iterable[Any], /, start: Any = 0) -> Any:
    """sum(x), from left to right, behind `start`: one node if there are Values among numbers.

    Takes all that the builtin takes, since `from autograd import *` puts it in the place of that, and returns what the
    builtin returns where there are no Values, or Values of a subclass with a + of its own. Raises TypeError for what is
    no iterable, and for masked elements.

    >>> sum([Value(1.0), 2.0], Value(3.0))
    Value(data=6.0, grad=0.0, op='sum')
    >>> sum(range(4)), sum([[1], [2]], [])
    (6, [1, 2])
    """
    is_zero = isinstance(start, (int, float)) and not start
    is_listed = type(x) in (list, tuple)
    if not is_listed:
        iterable_of("sum", x)
    terms = x if is_zero and is_listed else [*x] if is_zero else [start, *x]
    if not own_sums or own_sums.isdisjoint(map(type, terms)):
        try:
            result = _functions["sum"](terms)
            if isinstance(result, Value) or {*map(type, terms)} == {float}:
                return result
        except (TypeError, OverflowError):  # there is something else among them, or a large integer
            if any(map(is_masked, terms)):
                raise  # for the builtin would add what is no number to Values, or leave it out
    return builtins.sum(terms, 0) if is_zero else builtins.sum([*terms][1:], start)


@overload
def max(x: Iterable[T], /, *, key: Key = None) -> T: ...
@overload
def max(x: Iterable[T], /, *, key: Key = None, default: Default) -> T | Default: ...
@overload
def max(x: Value, y: Numeric, /, *others: Numeric, key: Key = None) -> Value: ...
@overload
def max(x: Numeric, y: Value, /, *others: Numeric, key: Key = None) -> Value: ...
@overload
def max(x: T, y: T, /, *others: T, key: Key = None) -> T: ...
def max(*numbers: Any, **keywords: Any) -> Any:
    """max(x), the largest of an iterable, or of several arguments: one node, if there are Values among numbers.

    The derivative by each of k that tie is 1 / k, and 0 by all others, as in JAX's max and PyTorch's amax. A
    not-a-number goes through. With `key=`, with `default=` for an empty iterable, and where there are no Values, it
    returns what the builtin returns (of floats, nan if one is nan). Raises ValueError unless x is not empty, or
    `default=` is given. `from autograd import *` leaves the builtin alone: that compares the data and returns the Value
    that is the largest, which alone has the derivative then, and which a tape cannot record.

    >>> import autograd
    >>> x = [Value(1.0), Value(3.0), Value(3.0)]
    >>> autograd.max(x).backward()
    >>> [x_i.grad for x_i in x], autograd.max(0.5, 2), autograd.max([], default=1.0)
    ([0.0, 0.5, 0.5], 2, 1.0)
    """
    return extreme("max", builtins.max, numbers, keywords)


@overload
def min(x: Iterable[T], /, *, key: Key = None) -> T: ...
@overload
def min(x: Iterable[T], /, *, key: Key = None, default: Default) -> T | Default: ...
@overload
def min(x: Value, y: Numeric, /, *others: Numeric, key: Key = None) -> Value: ...
@overload
def min(x: Numeric, y: Value, /, *others: Numeric, key: Key = None) -> Value: ...
@overload
def min(x: T, y: T, /, *others: T, key: Key = None) -> T: ...
def min(*numbers: Any, **keywords: Any) -> Any:
    """min(x), the smallest of an iterable, or of several arguments; all else as in `autograd.max`.

    Raises ValueError unless x is not empty, or `default=` is given.

    >>> import autograd
    >>> x = Value(2.0)
    >>> autograd.min(x, 1.5, 3 * x)
    Value(data=1.5, grad=0.0, op='min')
    """
    return extreme("min", builtins.min, numbers, keywords)


def extreme(name: str, builtin: Callable[..., Any], given: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    if len(given) == 1:
        given = ([*iterable_of(name, given[0])],)
    numbers = given[0] if len(given) == 1 else given
    usual = {"key", "default"} if len(given) == 1 else {"key"}
    if not numbers or keywords.get("key") is not None or keywords.keys() - usual:
        return builtin(*given, **keywords)  # or its error
    try:
        result = _functions[name](numbers)
        if isinstance(result, Value) or all(isinstance(number, float) for number in numbers):
            return result
    except (TypeError, OverflowError):
        if any(isinstance(number, Value) or getattr(number, "ndim", 0) or is_masked(number) for number in numbers):
            raise  # for the builtin would compare what is no number with Values, or arrays with each other
    return builtin(*given, **keywords)


@overload
def take(sequence: Iterable[Value], index: Numeric) -> Value: ...
@overload
def take(sequence: Iterable[Numeric], index: Value) -> Value: ...
@overload
def take(sequence: Iterable[Number], index: Number) -> float: ...
@overload
def take(sequence: Iterable[Numeric], index: Numeric) -> Any: ...  # a Value or a float
def take(sequence: Iterable[Any], index: Any) -> Any:
    """take(sequence, index) = sequence[round(index)]: a lookup, by an index that is part of an example.

    Of an index that is a number, the element itself is returned, a Value or a float: nothing is recorded but what is
    computed from the chosen element. An index that is a Value, an input of a `Tape` most often, is recorded, with all
    elements, since it may be another in each example; a tape refuses one that was computed. The derivative is 1 by the
    chosen element, and 0 by all others and by the index. A tape goes back to the chosen element alone; `backward()` and
    the transforms take these zeros as factors, as all others: times an infinite adjoint they are nan.
    In a replay each example costs its lookups, however long the sequence is; besides, a replay reads all parameters
    once for the whole batch. It refuses a batch in which an index is none.
    Raises ValueError unless given a whole index, 0 <= index < len(sequence); TypeError for what is no sequence of
    numbers, as sets and dicts, which have no order.

    >>> x, y, i = Value(2.0), Value(5.0), Value(0.0)
    >>> take([x, y], 1) is y
    True
    >>> from autograd import Tape
    >>> Tape(3.0 * take([x, y], i), inputs=[i]).forward([0, 1, 1])
    array([ 6., 15., 15.])
    """
    try:
        elements = sequence if isinstance(sequence, (list, tuple)) else [*ordered(sequence)]
        number = index_number(index)
        if not isinstance(number, Value) and is_place(number, len(elements)):
            return scalar(elements[int(number)], Value)
    except (TypeError, OverflowError) as error:
        raise located(error, "take") from None
    return _functions["take"](elements, number)


def index_number(index: Any) -> Any:
    """The index as the engine takes it; an int beyond the largest float, which is the index of nothing, as inf."""
    try:
        return scalar(index, Value)
    except OverflowError:
        return math.inf if index > 0 else -math.inf


@overload
def mean(x: Iterable[Value]) -> Value: ...
@overload
def mean(x: Iterable[Number]) -> float: ...
@overload
def mean(x: Iterable[Numeric]) -> Value | float: ...
def mean(x: Iterable[Any]) -> Any:
    """mean(x) = sum(x) / n, of n numbers. A Value where one of them is, else a float.

    Raises ValueError if there are none, TypeError for what is no iterable of numbers.

    >>> mean([Value(1.0), 2.0, 6.0]).data, mean(range(4))
    (3.0, 1.5)
    """
    numbers = numbers_of("mean", [*iterable_of("mean", x)], 1)
    return sum(numbers) / len(numbers)


@overload
def prod(x: Iterable[Value]) -> Value: ...
@overload
def prod(x: Iterable[Number]) -> float: ...
@overload
def prod(x: Iterable[Numeric]) -> Value | float: ...
def prod(x: Iterable[Any]) -> Any:
    """prod(x) = x_1 x_2 ... x_n, multiplied from left to right; 1.0 of nothing. A Value where one of them is.

    It is a chain of `n` products, so its derivatives are right to any order where factors are 0 as well: that by x_i is
    the product of the others, as the chain rule multiplies what stands before x_i with what stands behind it. (A row of
    the table sees the elements of a sequence without their places, and prod(x) / x_i is 0 / 0 where x_i is 0.)
    Raises TypeError for what is no iterable of numbers.

    >>> x = [Value(0.0), Value(3.0), Value(5.0)]
    >>> prod(x).backward()
    >>> [x_i.grad for x_i in x], prod([2, 0.5])
    ([15.0, 0.0, 0.0], 1.0)
    """
    return reduce(mul, numbers_of("prod", [*iterable_of("prod", x)], 0), 1.0)


@overload
def softmax(logits: Iterable[Value]) -> list[Value]: ...
@overload
def softmax(logits: Iterable[Number]) -> list[float]: ...
@overload
def softmax(logits: Iterable[Numeric]) -> list[Value] | list[float]: ...
def softmax(logits: Iterable[Any]) -> list[Any]:
    """softmax(logits) = [p_1, ..., p_n], p_i = exp(z_i) / (exp(z_1) + ... + exp(z_n)): probabilities, with the sum 1.

    The derivative of p_i by z_j is p_i (1 - p_i) for i = j, else -p_i p_j. Each p_i is a node of the row `softmax_of`
    with an edge for each logit, n² edges in all. So all derivatives keep their digits where p_i is next to 0 or 1, and
    no logit is too large. A loss should take the logits, not these: log p_i is z_i - logsumexp(logits), as
    `nn.cross_entropy` has it.
    Floats where all logits are numbers. Raises ValueError if there are none, ZeroDivisionError if all are -inf,
    TypeError for what is no sequence of numbers, as sets and dicts, which have no order.
    Source: J. S. Bridle, "Probabilistic interpretation of feedforward classification network outputs", 1990.

    >>> softmax([0.0, 0.0]), softmax([1000.0, 0.0])
    ([0.5, 0.5], [1.0, 0.0])
    >>> z = Value(0.0)
    >>> softmax([z, 0.0])[0].backward()
    >>> z.grad
    0.25
    """
    numbers = numbers_of("softmax", logits, 1)
    try:
        return each_among_the_others(value_mathematics, numbers)
    except (ValueError, ArithmeticError) as error:
        raise outside("softmax: expected any logit > -inf", numbers, error) from None


@overload
def logaddexp(x: Value, y: Numeric) -> Value: ...
@overload
def logaddexp(x: Numeric, y: Value) -> Value: ...
@overload
def logaddexp(x: Number, y: Number) -> float: ...
def logaddexp(x: Any, y: Any) -> Any:
    """logaddexp(x, y) = log(exp(x) + exp(y)), the `logsumexp` of two: no exponential overflows or vanishes.

    The derivatives are those of softmax: 1 / (1 + exp(y - x)) by x. Raises ValueError if both are -inf, TypeError for
    what is no number.

    >>> logaddexp(1000.0, 1000.0)
    1000.6931471805599
    """
    numbers = numbers_of("logaddexp", (x, y), 2)
    try:
        return _functions["logsumexp"](numbers)
    except (ValueError, ArithmeticError) as error:
        raise outside("logaddexp: expected x or y > -inf", numbers, error) from None


def outside(expectation: str, numbers: Iterable[Any], error: Exception) -> Exception:
    """The error of a row, as that of the function that has been called."""
    shown = [number.data if isinstance(number, Value) else number for number in numbers]
    return type(error)(f"{expectation}, got {reprlib.repr(shown)}")


def iterable_of(name: str, given: Any) -> Iterable[Any]:
    try:
        return iterable(given)
    except TypeError as error:
        raise TypeError(f"{name}: {error}") from None


def numbers_of(name: str, given: Iterable[Any], least: int) -> tuple[Any, ...]:
    try:
        numbers = scalars(given, Value)
    except (TypeError, OverflowError) as error:
        raise located(error, name) from None
    if len(numbers) < least:
        raise ValueError(f"{name}: expected at least one number, got none")
    return numbers


@overload
def abs(x: Value) -> Value: ...
@overload
def abs(x: float) -> float: ...
@overload
def abs(x: SupportsAbs[T]) -> T: ...
def abs(*operands: Any, **keywords: Any) -> Any:
    is_plain = len(operands) == 1 and not keywords and not isinstance(operands[0], Value)
    return builtins.abs(operands[0]) if is_plain else _functions["abs"](*operands, **keywords)


introduce(abs, OPERATIONS["abs"])
abs.__doc__ = _functions["abs"].__doc__
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
    by the NumPy and the C executor. The rules run on floats, Values and arrays alike; `operations.py` says how to write
    them.

    Arguments:
        name: of the function and the method, an identifier.
        compute: the value, `compute(m, *operands)`, with the functions of the mathematics m, such as `m.exp(x)`.
        partials: for each operand, in order, a rule `partial(m, r, *operands)`: the derivative of the result r by it;
            for an operand that is a sequence, the sequence of derivatives.
        symbol: what drawings show; by default, the name.
        formula: the definition in the operands' names, for the docstring; by default, a call of it.
        domain: what the operands must fulfil, for the error where `compute` raises.
        sequences: how many leading operands are sequences.

    The same definition once more, as when a notebook's cell runs again, returns the function that there is.

    Raises ValueError if there is another operation or an attribute of Value with that name, or not one partial
    derivative for each operand; TypeError if the name is no identifier, or an argument is not of its type. Then the
    name stays free.

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
    given = tuple(partials) if isinstance(partials, list) else partials  # a list may be changed later
    definition = (compute, given, symbol, formula, domain, sequences)
    if name in OPERATIONS:
        if name in _definitions and are_same(_definitions[name], definition):
            return _functions[name]
        advice = "choose another name" + ", or start Python again to change it" * (name in _definitions)
        raise ValueError(f"define: there is an operation {name!r} already: {OPERATIONS[name]!r}; {advice}")
    if hasattr(Value, name) or name in globals():
        raise ValueError(f"define: the name {name!r} has a meaning already; choose another name")
    for option, text in {"symbol": symbol, "formula": formula, "domain": domain}.items():
        if not isinstance(text, str):
            raise TypeError(f"define: {name}: {option}: expected a string, got {described(text)}")
    operands = named_operands(name, compute, partials)
    if not isinstance(sequences, int):
        raise TypeError(f"define: {name}: sequences: expected how many there are, got {described(sequences)}")
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
    for operand, default in row.defaults.items():
        try:
            row.defaults[operand] = real_number(default)
        except (TypeError, OverflowError) as error:
            raise located(error, f"define: {name}: the default of {operand}") from None
    defined = function(row)
    document(defined, row)
    _functions[name] = defined
    _definitions[name] = definition
    add_row(row)
    if not sequences:
        setattr(Value, name, defined)
    return defined


def forget_definition(name: str) -> None:
    """Takes back a `define`, as in a process that has not defined it. The last to be defined must be the first.

    For tests, and for a page that runs one program after the other. Values that the operation has computed must not be
    used any more.
    """
    if ROWS[-1].name != name or len(ROWS) == TABLE:
        raise ValueError(f"forget_definition: expected the operation that was defined last, got {name!r}")
    row = ROWS.pop()
    del ROW[name], OPERATIONS[name], _functions[name], _definitions[name]
    if not row.sequences:
        delattr(Value, name)


def forget_definitions() -> None:
    """Takes back every `define`."""
    while len(ROWS) > TABLE:
        forget_definition(ROWS[-1].name)


def are_same(mine: object, others: object) -> bool:
    """Whether definitions are equal, with functions of the same code, wherever it stands in its file."""
    if isinstance(mine, FunctionType) and isinstance(others, FunctionType):
        are_open = mine.__closure__ is None is others.__closure__  # what a closure holds may have changed
        are_alike = mine.__globals__ is others.__globals__ and code_of(mine) == code_of(others)
        return mine is others or (are_open and are_alike)
    if isinstance(mine, tuple) and isinstance(others, tuple):
        return len(mine) == len(others) and all(map(are_same, mine, others))
    return type(mine) is type(others) and mine == others


def code_of(function: FunctionType) -> tuple[object, ...]:
    """What it does, without the lines and columns where that stands."""
    return repr(function.__defaults__), repr(function.__kwdefaults__), what_runs(function.__code__)


def what_runs(code: CodeType) -> tuple[object, ...]:
    """Constants are told apart by type and digits: 1 is not True, 0.0 is not -0.0."""
    constants = [what_runs(each) if isinstance(each, CodeType) else (type(each), repr(each)) for each in code.co_consts]
    counts = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags
    names = code.co_names, code.co_varnames, code.co_cellvars, code.co_freevars
    return code.co_code, *constants, *counts, *names


def named_operands(name: str, compute: Callable[..., Any], partials: Sequence[Callable[..., Any]]) -> tuple[str, ...]:
    """What the rules of an operation call its operands. Raises TypeError or ValueError if they do not fit together."""
    if not isinstance(partials, (list, tuple)):
        raise TypeError(
            f"define: {name}: partials: expected a list of functions, one for each operand, got {described(partials)}"
        )
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
            f"define: {name}: expected {counted(len(operands), 'partial derivative')}, one for each operand "
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
            raise ValueError(f"{what}: expected {counted(len(operands[sequence]), 'number')}, got {len(numbers)}")
        return numbers

    return checked


if not TYPE_CHECKING:

    def __getattr__(name):
        """Those that were defined at run time: pickle looks here."""
        if name in _functions:
            return _functions[name]
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}; an operation of your own must be defined before it is used"
        )


_BUILTINS = {"max", "min"}  # which `from autograd import *` leaves alone; sum and abs take all that the builtins take
__all__: list[str] = ["abs", "define", "logaddexp", "mean", "prod", "softmax", "sum", "take", "where"]
if not TYPE_CHECKING:  # which has those of the table from table.pyi
    __all__ += [name for name in _functions if name not in {*__all__, *_BUILTINS}]


def _sum(terms: Iterable[Scalar], start: Scalar = 0.0) -> Scalar:
    result: Scalar = _functions["sum"]([start, *terms])
    return result


def _largest(x: Iterable[Scalar]) -> float:
    """A constant: rules shift by it, and what they compute does not depend on the shift."""
    return largest([x_i._number_to_copy() if isinstance(x_i, Value) else x_i for x_i in x])


def _varies(operand: Operand) -> bool:
    return isinstance(operand, Value) or (isinstance(operand, (tuple, list)) and any(map(_varies, operand)))


value_mathematics = Mathematics(
    **_functions | {"where": where, "sum": _sum, "largest": _largest, "places": places, "varies": _varies}
)
