"""Transforms make functions of functions: of a function its gradient, its Jacobian, its derivative of any order.

    grad, value_and_grad    the gradient of a number, by reverse mode
    derivative              the n-th derivative by one number
    vjp, jvp                a vector times the Jacobian, by reverse mode; the Jacobian times a vector, by forward mode
    jacobian, hessian, hvp  all first and all second derivatives; the latter times a vector
    gradients               the primitive, on Values: of a result with respect to what it was computed from

The names and conventions are those of JAX and functorch. A transform evaluates the function once, on fresh Values in
the place of its arguments' numbers (`call.py`). Sweeps along the graph that this records find the derivatives
(`sweeps.py`). Arguments and results are numbers, Values, or structures of them (`autograd.structures`): lists, tuples,
dicts, dataclass instances, NumPy arrays, however nested. For an array the function gets an array of objects. A
derivative has its argument's structure. Transforms compose: with each other, with Python's control flow, with `nn`.
They change no `grad`.

**Floats and Values.** A derivative is a Value where it depends on Values that the transform has not made: on those of a
transform around it, on those in its argument, on the parameters of a model. It can be differentiated further, so
`loss = derivative(model)(x) ** 2` has all of its gradient. Otherwise a derivative is a float, and in a `no_grad()`
block it is always a float.

**Infinite derivatives and kinks.** Derivatives follow IEEE 754: that of sqrt at 0 is inf, the second is -inf, and only
the function itself may raise. 0 times inf is nan in every mode: so is the derivative of sqrt(x * x) at 0. At a kink the
table has its conventions, and higher derivatives are those of the branch that it takes. Where there are none, as at the
origin of hypot and atan2, they are nan.

**Refusals.** What is differentiated is what was computed. A Value between the variables and the result must come from
an operation of the table, or have its local derivatives given, and have no `_backward` of its own: else TypeError. If
its derivative is to be differentiated again, it needs an operation of the table, else TypeError, and its operands must
still have their data, else ValueError.

**Recordings.** In a function that `Tape.record` records, a derivative is recorded like anything else. Some rules ask
for a number, as those of abs, maximum and relu do. Their derivatives would not hold for other examples, so they raise
RecordingError.
"""

from __future__ import annotations

import operator
import reprlib
from typing import TYPE_CHECKING, Any, Literal, overload

from autograd import structures
from autograd.engines import Value
from autograd.graph import topological_order
from autograd.locks import Lock
from autograd.operands import described
from autograd.recording import recorded_inputs
from autograd.transforms import sweeps
from autograd.transforms.call import Call, Made, named, single_number, unit, values_among
from autograd.transforms.sweeps import Variable
from autograd.wording import misfit

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol, TypeVar

    from autograd.structures import Structure
    from autograd.transforms.call import Function

    Key = TypeVar("Key")
    Argument = TypeVar("Argument")
    Pair = Callable[..., tuple[Any, Any]]

    class Gradient(Protocol):
        """A function of the structure of its first argument. Any: a float, or a Value where it depends on Values."""

        @overload
        def __call__(self, argument: Value | float, /, *others: Any, **keywords: Any) -> Any: ...
        @overload
        def __call__(self, argument: list[Any], /, *others: Any, **keywords: Any) -> list[Any]: ...
        @overload
        def __call__(self, argument: tuple[Any, ...], /, *others: Any, **keywords: Any) -> tuple[Any, ...]: ...
        @overload
        def __call__(self, argument: dict[Key, Any], /, *others: Any, **keywords: Any) -> dict[Key, Any]: ...
        @overload
        def __call__(self, argument: Argument, /, *others: Any, **keywords: Any) -> Argument: ...


__all__ = ["derivative", "grad", "gradients", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]


@overload
def gradients(output: Value | float, inputs: Value, create_graph: Literal[False] = False) -> float: ...
@overload
def gradients(output: Value | float, inputs: Value, create_graph: Literal[True]) -> Value: ...
@overload
def gradients(output: Value | float, inputs: list[Value], create_graph: Literal[False] = False) -> list[float]: ...
@overload
def gradients(output: Value | float, inputs: list[Value], create_graph: Literal[True]) -> list[Value]: ...
@overload
def gradients(output: Value | float, inputs: Structure, create_graph: bool = False) -> Structure: ...
def gradients(output: Value | float, inputs: Structure, create_graph: bool = False) -> Structure:
    """The derivative of `output` with respect to each of `inputs`. No `grad` is changed.

    Arguments:
        output: a Value. A number is a constant.
        inputs: a Value or a structure of Values, leaves or computed. If one of them was computed from another, the
            derivative with respect to the other goes through it.
        create_graph: the derivatives are Values with a graph, and can be differentiated again.

    Returns the derivatives in the structure of the inputs, 0 where the output does not depend on one. They are floats;
    for leaves those that `backward()` finds, to the bit. With create_graph they are Values. So they are
    within a function that a transform differentiates or that `Tape.record` records, if the output depends on its
    argument; `.data` of one is a constant there, too.

    Raises TypeError if the output is no number, an input is no Value, or the derivatives of a Value in between are not
    known: no operation of the table computed it, or it has a `_backward` of its own. With create_graph it raises
    ValueError if data have been assigned since the output was computed. The others are the derivatives at the data that
    it was computed from, at any rate.

    >>> x, y = Value(3.0), Value(2.0)
    >>> gradients(x * x * y, [x, y])
    [12.0, 9.0]
    >>> dx = gradients(x * x * y, x, create_graph=True)
    >>> gradients(dx, {"x": x, "y": y})
    {'x': 4.0, 'y': 6.0}
    """
    result = single_number("gradients: expected a number or a Value as the output", output)
    variables, form = structures.flatten(inputs, what="gradients: inputs")
    for variable in variables:
        if not issubclass(type(variable), Value):
            raise TypeError(f"gradients: expected Values as inputs, got {described(variable)} among them")
    order = topological_order(*values_among([result]))
    around = sweeps.open_variables().union(*recorded_inputs.contents())
    is_within = not around.isdisjoint(order)
    tracked = sweeps.tracked_nodes(order, around.union(variables)) if create_graph or is_within else set()
    adjoints = unit(result)
    sweeps.pull_back(sweeps.linearised(order, variables, tracked), adjoints)
    derivatives = sweeps.found(variables, adjoints)
    if create_graph:
        derivatives = [number if isinstance(number, Value) else Variable(number) for number in derivatives]
    return structures.unflatten(form, derivatives)


@overload
def grad(function: Function, argnums: Literal[0] = 0, has_aux: Literal[False] = False) -> Gradient: ...
@overload
def grad(function: Function, argnums: int, has_aux: Literal[False] = False) -> Function: ...
@overload
def grad(
    function: Function, argnums: Sequence[int], has_aux: Literal[False] = False
) -> Callable[..., tuple[Any, ...]]: ...
@overload
def grad(function: Function, argnums: int | Sequence[int] = 0, *, has_aux: Literal[True]) -> Pair: ...
def grad(function: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """The function that returns the gradient of `function`, by reverse mode.

    Arguments:
        function: returns a number: a Value, or a number that does not depend on its arguments.
        argnums: the position of the argument to differentiate by, or several positions.
        has_aux: the function returns a pair, the number and something else, which is passed on.

    The function returned takes the same arguments and returns the gradient in the structure of the argument; a tuple of
    these if argnums is a sequence; with has_aux, the pair of the gradient and what else the function has returned.

    It raises TypeError if the function does not return a number, or if there is anything but numbers in the argument,
    and names its place; ValueError if there is no such argument, or if the function sets the data of the Values that it
    gets.

    >>> from autograd import tanh
    >>> grad(lambda w, x: tanh(w[0] * x + w[1]))([0.0, 0.0], 2.0)
    [2.0, 1.0]
    >>> grad(grad(lambda x: x**3))(2.0)
    12.0
    """
    return gradient_of("grad", function, argnums, has_aux)


def gradient_of(name: str, function: Function, argnums: int | Sequence[int], has_aux: bool = False) -> Function:
    """What grad returns; its errors say the name."""

    @named(name, function)
    def gradient(*arguments: Any, **keywords: Any) -> Any:
        call = Call(name, function, arguments, argnums, keywords, has_aux)
        derivatives = call.gradient()
        return (derivatives, call.settled(call.aux)) if has_aux else derivatives

    return Made(name, function, argnums, has_aux).noted(gradient)


def value_and_grad(function: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Pair:
    """The function that returns the pair of what `function` returns and its gradient, from one evaluation.

    Arguments and errors are those of `grad`. With has_aux, it returns ((value, aux), gradient).

    >>> value_and_grad(lambda x: x[0] * x[1])([3.0, 4.0])
    (12.0, [4.0, 3.0])
    """

    @named("value_and_grad", function)
    def value_and_gradient(*arguments: Any, **keywords: Any) -> Any:
        call = Call("value_and_grad", function, arguments, argnums, keywords, has_aux)
        derivatives = call.gradient()
        value = call.settled(call.output)
        return ((value, call.settled(call.aux)) if has_aux else value), derivatives

    return Made("value_and_grad", function, argnums, has_aux).noted(value_and_gradient)


def derivative(function: Function, order: int = 1) -> Function:
    """The function that returns the n-th derivative of `function`, n = order, with respect to its first argument.

    By forward mode: the tangent of the tangent, n times, in one graph that grows with a power of n.

    Arguments:
        function: of a number, and of further arguments if it has any. If it returns a structure of numbers, each is
            differentiated: the derivative of a curve.
        order: how often to differentiate; 0 gives what the function returns.

    Raises ValueError for a negative order, TypeError for one that is no integer. The function returned raises as that
    of `grad` does.

    >>> [derivative(lambda x: x**3, order=n)(2.0) for n in range(5)]
    [8.0, 12.0, 12.0, 6.0, 0.0]
    """
    if not hasattr(order, "__index__"):
        raise TypeError(f"derivative: order: expected a whole number, got {described(order)}")
    n = operator.index(order)
    if n < 0:
        raise ValueError(f"derivative: order: expected 0 or more, got {order}")

    @named("derivative", function)
    def nth_derivative(*arguments: Any, **keywords: Any) -> Any:
        if (
            arguments
            and not structures.flatten(arguments[0], structures.scalar, "derivative: the argument")[1].is_single
        ):
            raise TypeError(f"derivative: expected a number, got {described(arguments[0])}; use grad or jacobian")
        call = Call("derivative", function, arguments, 0, keywords)
        if n == 0:
            return call.settled(call.output)
        [variable], outputs = call.variables, call.outputs
        tangents = unit(variable)
        mathematics = sweeps.without_repetition()
        for _ in range(n - 1):
            sweeps.push_forward(call.linearised(outputs, tangents, mathematics), tangents, mathematics)
            outputs = sweeps.found(outputs, tangents)
        return structures.unflatten(call.output_form, call.tangents(unit(variable), outputs if n > 1 else None))

    return nth_derivative


@overload
def vjp(
    function: Function, *primals: Structure, has_aux: Literal[False] = False
) -> tuple[Any, Callable[[Structure], tuple[Any, ...]]]: ...
@overload
def vjp(
    function: Function, *primals: Structure, has_aux: Literal[True]
) -> tuple[Any, Callable[[Structure], tuple[Any, ...]], Any]: ...
def vjp(function: Function, *primals: Structure, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of function(*primals), and the function that multiplies a vector by the Jacobian J: u ↦ uᵀJ.

    That function takes u in the structure of the value, and returns a tuple that has, for each of the primals, the
    product in its structure. Each call is one sweep backward along the graph of one evaluation. Several threads may
    call it at once.

    Returns (value, that function); with has_aux, (value, that function, aux). Raises as the function does that `grad`
    returns; that function raises TypeError or ValueError if u has not the structure of the value.

    >>> value, times_jacobian = vjp(lambda x, y: [x * y, x + y], 3.0, 2.0)
    >>> value
    [6.0, 5.0]
    >>> times_jacobian([1.0, 10.0])
    (12.0, 13.0)
    """
    call = Call("vjp", function, primals, range(len(primals)), {}, has_aux)

    in_turn = Lock()  # a sweep may borrow the gradients of the graph

    def times_jacobian(cotangents: Structure) -> tuple[Structure, ...]:
        seeds = call.seeds("cotangents", call.output_form, cotangents)
        with in_turn():
            call.check_data()
            adjoints = call.adjoints(sweeps.seeded(call.outputs, seeds))
        product: tuple[Structure, ...] = structures.unflatten(call.argument_form, adjoints)
        return product

    value = call.settled(call.output)
    return (value, times_jacobian, call.settled(call.aux)) if has_aux else (value, times_jacobian)


@overload
def jvp(
    function: Function, primals: Sequence[Structure], tangents: Sequence[Structure], has_aux: Literal[False] = False
) -> tuple[Any, Any]: ...
@overload
def jvp(
    function: Function, primals: Sequence[Structure], tangents: Sequence[Structure], has_aux: Literal[True]
) -> tuple[Any, Any, Any]: ...
def jvp(
    function: Function, primals: Sequence[Structure], tangents: Sequence[Structure], has_aux: bool = False
) -> tuple[Any, ...]:
    """The value of function(*primals), and its Jacobian J times a vector v: Jv. Forward mode, in one sweep.

    Arguments:
        function: returns a number or a structure of numbers.
        primals: the arguments, in a tuple or list.
        tangents: v: for each of the primals a tangent of its structure.
        has_aux: as for `grad`.

    A tangent of 0.0 times an infinite derivative is nan, as 0.0 times inf is; jacobian keeps such inputs apart.

    Returns (value, product), each in the structure of what the function returns; with has_aux, (value, product, aux).
    Raises as the function does that `grad` returns, and TypeError or ValueError for tangents of another structure.

    >>> jvp(lambda x, y: [x * y, x + y], (3.0, 2.0), (1.0, 10.0))
    ([6.0, 5.0], [32.0, 11.0])
    """
    return pushed_forward("jvp", function, primals, tangents, has_aux)


def pushed_forward(
    name: str, function: Function, primals: Sequence[Structure], tangents: Sequence[Structure], has_aux: bool
) -> tuple[Any, ...]:
    """What jvp returns; its errors say the name."""
    check_tuples(name, function, primals, tangents)
    call = Call(name, function, primals, range(len(primals)), {}, has_aux)
    seeds = call.seeds("tangents", call.argument_form, tuple(tangents))
    products = call.tangents(dict(zip(call.variables, seeds, strict=True)))
    result = call.settled(call.output), structures.unflatten(call.output_form, products)
    return (*result, call.settled(call.aux)) if has_aux else result


def jacobian(
    function: Function,
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    mode: Literal["forward", "reverse"] | None = None,
) -> Function:
    """The function that returns all derivatives of what `function` returns: J_ij = d output_i / d input_j.

    Arguments:
        function: returns a number or a structure of numbers.
        argnums, has_aux: as for `grad`.
        mode: "forward", a sweep for each input, or "reverse", a sweep for each output; by default, whichever are fewer.

    The Jacobian has the structure of the outputs with, in the place of each number there, that of the inputs: from a
    list to a list, it is the list of the rows; from an array of shape (n,) to one of shape (m,), an array of shape
    (m, n). Raises ValueError for another mode. The function returned raises as that of `grad` does.

    >>> jacobian(lambda x: [x[0] * x[1], x[0] + x[1], x[0]])([3.0, 2.0])
    [[2.0, 3.0], [1.0, 1.0], [1.0, 0.0]]
    """
    if mode not in (None, "forward", "reverse"):
        raise ValueError(f"jacobian: mode: expected 'forward', 'reverse' or None, got {mode!r}")
    return jacobian_of("jacobian", function, argnums, has_aux, mode)


def jacobian_of(
    name: str,
    function: Function,
    argnums: int | Sequence[int],
    has_aux: bool,
    mode: Literal["forward", "reverse"] | None,
) -> Function:
    """What jacobian returns; its errors say the name."""

    @named(name, function)
    def all_derivatives(*arguments: Any, **keywords: Any) -> Any:
        call = Call(name, function, arguments, argnums, keywords, has_aux)
        fewer = "forward" if len(call.variables) <= len(call.outputs) else "reverse"
        matrix = call.jacobian(mode or fewer)
        result = structures.unflatten_matrix(call.output_form, call.argument_form, matrix)
        return (result, call.settled(call.aux)) if has_aux else result

    return Made(name, function, argnums, has_aux).noted(all_derivatives)


def hessian(function: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """The function that returns all second derivatives of `function`: H_ij = d² output / d input_i d input_j.

    Forward over reverse: the Jacobian, by forward mode, of the gradient. Arguments and errors are those of `grad`, the
    structure is that of `jacobian`: for a list the list of the rows, for an array of shape (n,) one of shape (n, n).

    >>> hessian(lambda x: x[0] ** 3 * x[1])([2.0, 5.0])
    [[60.0, 12.0], [12.0, 0.0]]
    """
    gradient = gradient_of("hessian", function, argnums, has_aux)
    matrix = jacobian_of("hessian", gradient, argnums, has_aux, "forward")
    return Made("hessian", function, argnums, has_aux).noted(matrix)


def hvp(function: Function, primals: Sequence[Structure], tangents: Sequence[Structure]) -> Structure:
    """The Hessian of `function` at `primals` times the vector `tangents`, at the price of a few evaluations.

    Forward over reverse, without the Hessian: jvp(grad(function), primals, tangents)[1] (B. A. Pearlmutter, "Fast exact
    multiplication by the Hessian", Neural Computation 6, 1994). Arguments and errors are those of `jvp`; the function
    returns a number.

    Returns the product in the structure of the primal; if there are several, a tuple with the product for each.

    >>> hvp(lambda x: x[0] ** 3 * x[1], ([2.0, 5.0],), ([1.0, 0.0],))
    [60.0, 12.0]
    """
    check_tuples("hvp", function, primals, tangents)
    gradient = gradient_of("hvp", function, 0 if len(primals) == 1 else range(len(primals)))
    return pushed_forward("hvp", gradient, primals, tangents, False)[1]


def check_tuples(name: str, function: Function, primals: object, tangents: object) -> None:
    """Raises TypeError unless there is one of each for each argument of the function."""
    for what, given in {"primals": primals, "tangents": tangents}.items():
        if not isinstance(given, (tuple, list)):
            raise TypeError(
                f"{name}: expected a tuple or list of {what}, one for each argument, got {described(given)}; "
                f"for one argument, a tuple of one, ({reprlib.repr(given)},)"
            )
    assert isinstance(primals, (tuple, list))
    if callable(function) and (expected := misfit(function, len(primals))):
        raise TypeError(
            f"{name}: primals: {expected}: {reprlib.repr(primals)}; for one argument, a tuple of one, "
            f"({reprlib.repr(primals)},), and of the tangents likewise"
        )
