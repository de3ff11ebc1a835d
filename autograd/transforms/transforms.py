"""Transforms: functions to functions. From a function its gradient, its Jacobian, its derivative of any order.

    grad, value_and_grad    the gradient of a number, by reverse mode
    derivative              the n-th derivative by one number
    vjp, jvp                a vector times the Jacobian, by reverse mode; the Jacobian times a vector, by forward mode
    jacobian, hessian, hvp  all first and all second derivatives; the latter times a vector
    gradients               the primitive, on Values: of a result with respect to what it was computed from

The names and conventions are those of JAX and functorch. A function is evaluated once, on fresh Values in the place of
its arguments' numbers; sweeps along the graph that this records find the derivatives (`sweeps.py`). Arguments and
results are numbers, Values, or lists, tuples, dicts and NumPy arrays of them, however nested; for an array the function
gets an array of objects. A derivative has its argument's structure. Transforms compose: with each other, with Python's
control flow, with `nn`. They change no `grad`.

**Floats or Values?** A derivative is a float; but a Value, where it depends on Values that the transform has not made:
on those of a transform around it, on its argument's, on the parameters of a model. So it can be differentiated further,
and `loss = derivative(model)(x) ** 2` has all of its gradient. In a `no_grad()` block it is a float always.

**Where there is no derivative.** Derivatives follow IEEE 754: that of sqrt at 0 is inf, the second -inf, and nothing
raises but the function itself. At a kink the table has its conventions, and higher derivatives are those of the branch
that it takes; at the origin of hypot and atan2 they have no meaning.

In a function that `Tape.record` records, a derivative is recorded like anything else. Where a rule asks for a number,
as those of abs, maximum, hypot and logsumexp do, it would not hold for other examples: RecordingError.
"""

from __future__ import annotations

import functools
import operator
from functools import cached_property

from autograd import functions, structures
from autograd.engines import Value, is_recording, recording
from autograd.graph import topological_order
from autograd.operands import described
from autograd.transforms import sweeps
from autograd.transforms.sweeps import Variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from typing import Any, Literal

    from autograd.operation import Mathematics
    from autograd.structures import Form, Structure
    from autograd.transforms.sweeps import Step
    from autograd.value import Scalar

    Function = Callable[..., Any]  # Any: of numbers, to numbers, in whatever structure

__all__ = ["derivative", "grad", "gradients", "hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]


def gradients(output: Value | float, inputs: Structure, create_graph: bool = False) -> Structure:
    """The derivative of `output` with respect to each of `inputs`. No `grad` is changed.

    Arguments:
        output: a Value. A number is a constant.
        inputs: a Value or a structure of Values, leaves or computed. If one of them was computed from another, the
            derivative with respect to the other goes through it.
        create_graph: the derivatives are Values with a graph, and can be differentiated again. They are computed from
            the data that the Values have now, the others from what they had.

    Returns the derivatives in the structure of the inputs, 0 where the output does not depend on one. They are floats;
    for leaves those that `backward()` finds, to the bit. With create_graph they are Values.

    Raises TypeError if the output is no number, an input is no Value, or a Value in between was not computed by an
    operation of the table.

    >>> x, y = Value(3.0), Value(2.0)
    >>> gradients(x * x * y, [x, y])
    [12.0, 9.0]
    >>> dx = gradients(x * x * y, x, create_graph=True)
    >>> gradients(dx, {"x": x, "y": y})
    {'x': 4.0, 'y': 6.0}
    """
    result = single_number("gradients: expected a number or a Value as the output", output)
    variables, form = structures.flatten(inputs)
    for variable in variables:
        if not isinstance(variable, Value):
            raise TypeError(f"gradients: expected Values as inputs, got {described(variable)} among them")
    order = topological_order(*values_among([result]))
    tracked = sweeps.tracked_nodes(order, sweeps.open_variables.union(variables)) if create_graph else set()
    adjoints = sweeps.seeded([result], [1.0])
    sweeps.pull_back(sweeps.linearised(order, variables, tracked), adjoints)
    derivatives = sweeps.found(variables, adjoints)
    if create_graph:
        derivatives = [number if isinstance(number, Value) else Variable(number) for number in derivatives]
    return structures.unflatten(form, derivatives)


def grad(function: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """The function that returns the gradient of `function`, by reverse mode.

    Arguments:
        function: returns a number: a Value, or a number that does not depend on its arguments.
        argnums: by which of the positional arguments to differentiate: one, or several.
        has_aux: the function returns a pair, the number and something else, which is passed on.

    The function returned takes the same arguments and returns the gradient in the structure of the argument; a tuple of
    these if argnums is a sequence; with has_aux, the pair of the gradient and what else the function has returned.

    It raises TypeError if the function does not return a number, or if there is anything but numbers in the argument;
    ValueError if there is no such argument, or if the function sets the data of the Values that it gets.

    >>> from autograd import tanh
    >>> grad(lambda w, x: tanh(w[0] * x + w[1]))([0.0, 0.0], 2.0)
    [2.0, 1.0]
    >>> grad(grad(lambda x: x**3))(2.0)
    12.0
    """

    @named("grad", function)
    def gradient(*arguments: Any, **keywords: Any) -> Any:
        call = Call("grad", function, arguments, argnums, keywords, has_aux)
        derivatives = call.gradient()
        return (derivatives, call.settled(call.aux)) if has_aux else derivatives

    return gradient


def value_and_grad(function: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
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

    return value_and_gradient


def derivative(function: Function, order: int = 1) -> Function:
    """The function that returns the n-th derivative of `function`, n = order, with respect to its first argument.

    By forward mode: the tangent of the tangent, n times, in one graph that grows with a power of n.

    Arguments:
        function: of a number, and of further arguments if it has any. If it returns a structure of numbers, each is
            differentiated: the derivative of a curve.
        order: how often to differentiate; 0 gives what the function returns.

    Raises ValueError for a negative order. The function returned raises as that of `grad` does.

    >>> [derivative(lambda x: x**3, order=n)(2.0) for n in range(5)]
    [8.0, 12.0, 12.0, 6.0, 0.0]
    """
    times = operator.index(order)
    if times < 0:
        raise ValueError(f"derivative: order: expected 0 or more, got {order}")

    @named("derivative", function)
    def nth_derivative(*arguments: Any, **keywords: Any) -> Any:
        call = Call("derivative", function, arguments, 0, keywords)
        if not call.argument_form.is_single:
            raise TypeError(f"derivative: expected a number, got {described(arguments[0])}; use grad or jacobian")
        if times == 0:
            return call.settled(call.output)
        outputs, tangents = call.outputs, sweeps.seeded(call.variables, [1.0])
        mathematics = sweeps.without_repetition()
        for _ in range(times - 1):
            sweeps.push_forward(call.linearised(outputs, tangents, mathematics), tangents, mathematics)
            outputs = sweeps.found(outputs, tangents)
        return structures.unflatten(call.output_form, call.tangents([1.0], outputs if times > 1 else None))

    return nth_derivative


def vjp(function: Function, *primals: Structure, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of function(*primals), and the function that multiplies a vector by the Jacobian J: u ↦ uᵀJ.

    That function takes u in the structure of the value, and returns a tuple that has, for each of the primals, the
    product in its structure. Each call is one sweep backward along the graph of one evaluation.

    Returns (value, that function); with has_aux, (value, that function, aux). Raises as the function does that `grad`
    returns; that function raises TypeError or ValueError if u has not the structure of the value.

    >>> value, times_jacobian = vjp(lambda x, y: [x * y, x + y], 3.0, 2.0)
    >>> value
    [6.0, 5.0]
    >>> times_jacobian([1.0, 10.0])
    (12.0, 13.0)
    """
    call = Call("vjp", function, primals, range(len(primals)), {}, has_aux)

    def times_jacobian(cotangents: Structure) -> tuple[Structure, ...]:
        adjoints = call.adjoints(call.seeds("cotangents", call.output_form, cotangents))
        product: tuple[Structure, ...] = structures.unflatten(call.argument_form, adjoints)
        return product

    value = call.settled(call.output)
    return (value, times_jacobian, call.settled(call.aux)) if has_aux else (value, times_jacobian)


def jvp(
    function: Function, primals: Sequence[Structure], tangents: Sequence[Structure], has_aux: bool = False
) -> tuple[Any, ...]:
    """The value of function(*primals), and its Jacobian J times a vector v: Jv. Forward mode, in one sweep.

    Arguments:
        function: returns a number or a structure of numbers.
        primals: the arguments, in a tuple or list.
        tangents: v: for each of the primals a tangent of its structure.
        has_aux: as for `grad`.

    A tangent of 0.0 adds nothing, also where the derivative is inf.

    Returns (value, product), each in the structure of what the function returns; with has_aux, (value, product, aux).
    Raises as the function does that `grad` returns, and TypeError or ValueError for tangents of another structure.

    >>> jvp(lambda x, y: [x * y, x + y], (3.0, 2.0), (1.0, 10.0))
    ([6.0, 5.0], [32.0, 11.0])
    """
    for what, given in {"primals": primals, "tangents": tangents}.items():
        if not isinstance(given, (tuple, list)):
            raise TypeError(f"jvp: expected a tuple or list of {what}, one for each argument, got {described(given)}")
    call = Call("jvp", function, primals, range(len(primals)), {}, has_aux)
    products = call.tangents(call.seeds("tangents", call.argument_form, tuple(tangents)))
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

    @named("jacobian", function)
    def all_derivatives(*arguments: Any, **keywords: Any) -> Any:
        call = Call("jacobian", function, arguments, argnums, keywords, has_aux)
        fewer = "forward" if len(call.variables) <= len(call.outputs) else "reverse"
        matrix = call.jacobian(mode or fewer)
        result = structures.unflatten_matrix(call.output_form, call.argument_form, matrix)
        return (result, call.settled(call.aux)) if has_aux else result

    return all_derivatives


def hessian(function: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """The function that returns all second derivatives of `function`: H_ij = d² output / d input_i d input_j.

    Forward over reverse: the Jacobian, by forward mode, of the gradient. Arguments and errors are those of `grad`, the
    structure is that of `jacobian`: for a list the list of the rows, for an array of shape (n,) one of shape (n, n).

    >>> hessian(lambda x: x[0] ** 3 * x[1])([2.0, 5.0])
    [[60.0, 12.0], [12.0, 0.0]]
    """
    return jacobian(grad(function, argnums, has_aux), argnums, has_aux, mode="forward")


def hvp(function: Function, primals: Sequence[Structure], tangents: Sequence[Structure]) -> Structure:
    """The Hessian of `function` at `primals` times the vector `tangents`, at the price of a few evaluations.

    Forward over reverse, without the Hessian: jvp(grad(function), primals, tangents)[1] (B. A. Pearlmutter, "Fast exact
    multiplication by the Hessian", Neural Computation 6, 1994). Arguments and errors are those of `jvp`; the function
    returns a number.

    Returns the product in the structure of the primal; if there are several, a tuple with the product for each.

    >>> hvp(lambda x: x[0] ** 3 * x[1], ([2.0, 5.0],), ([1.0, 0.0],))
    [60.0, 12.0]
    """
    return jvp(grad(function, 0 if len(primals) == 1 else range(len(primals))), primals, tangents)[1]


class Call:
    """A function evaluated once, on variables in the place of the numbers that it is to be differentiated by.

    argument_form   of what it is differentiated by: of one of the arguments, or of a tuple of several
    variables       in the place of the numbers there, in their order
    output          what the function has returned, and `aux`, what else
    output_form     of the output
    outputs         the output's numbers, in their order
    """

    def __init__(
        self,
        name: str,
        function: Function,
        arguments: Sequence[Any],
        argnums: int | Sequence[int],
        keywords: Mapping[str, Any],
        has_aux: bool = False,
    ) -> None:
        self.name = name
        self.is_tracking = is_recording()
        positions, is_single = checked_positions(name, argnums, len(arguments))
        chosen = tuple(arguments[position] for position in positions)
        numbers, self.argument_form = flattened(f"{name}: the argument", chosen[0] if is_single else chosen)
        self.variables = [self._variable(number) for number in numbers]

        given = list(arguments)
        replaced = structures.unflatten(self.argument_form, self.variables)
        for position, argument in zip(positions, [replaced] if is_single else replaced, strict=True):
            given[position] = argument
        before = [repr(variable.data) for variable in self.variables]
        with recording(), sweeps.opened(self.variables):
            self.output, self.aux = returned_by(name, function, given, keywords, has_aux)
        if [repr(variable.data) for variable in self.variables] != before:
            raise ValueError(f"{name}: the function has set the data of its argument; it must compute new Values")
        self.outputs, self.output_form = flattened(f"{name}: what the function has returned", self.output)

    def _variable(self, number: Scalar) -> Value:
        """A fresh Value: its uses are told from those of the Value in its place, to which it stays connected."""
        if not isinstance(number, Value):
            return Variable(number)
        return functions.multiply(number, 1.0) if self.is_tracking else Variable(number.data)

    def gradient(self) -> Structure:
        single_number(f"{self.name}: expected the function to return a number", self.output)
        return structures.unflatten(self.argument_form, self.adjoints([1.0]))

    def jacobian(self, mode: str) -> list[list[Scalar]]:
        """A row for each output. A sweep forward finds a column, a sweep backward a row."""
        if mode == "reverse":
            return [self.adjoints(seeds) for seeds in unit_vectors(len(self.outputs))]
        directions = unit_vectors(len(self.variables))
        if self.is_own:
            columns = sweeps.tangents_by_engine(self.order, self.variables, directions, self.outputs)
        else:
            columns = [self.tangents(seeds) for seeds in directions]
        return [[column[i] for column in columns] for i in range(len(self.outputs))]

    def tangents(self, seeds: Sequence[Scalar], derived: Sequence[Scalar] | None = None) -> list[Scalar]:
        """The tangents of the outputs, or of what was derived from them, from those of the variables."""
        outputs, order = (self.outputs, self.order) if derived is None else (derived, self._order(derived))
        if self.is_own and not values_among(seeds):
            return sweeps.tangents_by_engine(order, self.variables, [seeds], outputs)[0]  # type: ignore[list-item]
        tangents = sweeps.seeded(self.variables, seeds)
        steps = self.steps if derived is None else sweeps.linearised(order, self.variables, self._tracked(order))
        sweeps.push_forward(steps, tangents)
        return sweeps.found(outputs, tangents)

    def adjoints(self, seeds: Sequence[Scalar]) -> list[Scalar]:
        """The adjoints of the variables, from those of the outputs."""
        if self.is_own and not values_among(seeds):
            return sweeps.adjoints_by_engine(self.outputs, seeds, self.variables)
        adjoints = sweeps.seeded(self.outputs, seeds)
        sweeps.pull_back(self.steps, adjoints)
        return sweeps.found(self.variables, adjoints)

    @cached_property
    def order(self) -> list[Value]:
        return self._order(self.outputs)

    @cached_property
    def tracked(self) -> set[Value]:
        return self._tracked(self.order)

    @cached_property
    def is_own(self) -> bool:
        """Whether the outputs depend on nothing from outside: then the engine itself may walk, and set `grad`.

        If they do, derivatives are Values, or within no_grad() floats; in either case by sweeps that touch nothing.
        """
        outside = self.tracked if self.is_tracking else self._outside(self.order)
        return outside.isdisjoint(values_among(self.outputs))

    @cached_property
    def steps(self) -> list[Step]:
        """The graph from the variables to the outputs, with the local derivatives on its edges."""
        return sweeps.linearised(self.order, self.variables, self.tracked)

    def linearised(
        self, outputs: Iterable[Scalar], variables: Collection[Value], mathematics: Mathematics
    ) -> list[Step]:
        """The same, to other outputs and from these variables on, to be differentiated by them again."""
        order = self._order(outputs, variables)
        return sweeps.linearised(order, variables, self._tracked(order, variables), mathematics)

    def _order(self, outputs: Iterable[object], variables: Collection[Value] = ()) -> list[Value]:
        """From the variables on, and from those of transforms around this: what is before them has no part in it."""
        until = {node for node in (*self.variables, *variables, *sweeps.open_variables) if node.parents}
        return topological_order(*values_among(outputs), until=until)

    def _tracked(self, order: Sequence[Value], known: Collection[Value] = ()) -> set[Value]:
        if self.is_tracking:
            return self._outside(order, known)
        return sweeps.tracked_nodes(order, known) if known else set()

    def _outside(self, order: Sequence[Value], known: Collection[Value] = ()) -> set[Value]:
        """What depends on Values that this call has not made, or on the known ones."""
        connected = [variable for variable in self.variables if variable.parents]
        return sweeps.tracked_nodes(order, sweeps.open_variables.union(known, connected))

    def seeds(self, what: str, form: Form, given: Structure) -> list[Scalar]:
        try:
            numbers = structures.numbers_like(form, given)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{self.name}: {what}: {error}") from None
        return numbers if self.is_tracking else [structures.number(number) for number in numbers]

    def settled(self, returned: Any) -> Any:
        """What the function has returned, with floats in the place of Values that depend on nothing from outside."""
        order = self._order(structures.flatten(returned)[0])
        tracked = self._tracked(order)

        def settle(leaf: Any) -> Any:
            return leaf.data if isinstance(leaf, Value) and leaf not in tracked else leaf

        return structures.map(settle, returned)


def named(name: str, function: Function) -> Callable[[Function], Function]:
    """Gives a transform's function the name, docstring and signature of the one that it was made from."""
    if not callable(function):
        raise TypeError(f"{name}: expected a function, got {described(function)}")
    return functools.wraps(function, updated=())


def checked_positions(name: str, argnums: int | Sequence[int], given: int) -> tuple[list[int], bool]:
    """The positions of the arguments to differentiate by, and whether it is a single one and no sequence."""
    is_single = hasattr(argnums, "__index__")
    positions = []
    for number in [argnums] if is_single else argnums:  # type: ignore[union-attr]
        if not -given <= operator.index(number) < given:  # type: ignore[arg-type]
            raise ValueError(f"{name}: argnums: expected positional arguments that are given, got {number} of {given}")
        positions.append(operator.index(number) % given)  # type: ignore[arg-type]
    if len(set(positions)) < len(positions):
        raise ValueError(f"{name}: argnums: expected each argument once, got {argnums}")
    return positions, is_single


def returned_by(
    name: str, function: Function, arguments: Sequence[Any], keywords: Mapping[str, Any], has_aux: bool
) -> tuple[Any, Any]:
    returned = function(*arguments, **keywords)
    if not has_aux:
        return returned, None
    if not isinstance(returned, (tuple, list)) or len(returned) != 2:
        raise TypeError(f"{name}: has_aux: expected the function to return a pair, got {described(returned)}")
    return returned[0], returned[1]


def flattened(what: str, structure: Structure) -> tuple[list[Scalar], Form]:
    try:
        return structures.flatten(structure, structures.scalar)
    except TypeError as error:
        raise TypeError(f"{what}: {error}") from None


def single_number(expectation: str, given: Any) -> Scalar:
    if structures.is_array(given) and given.ndim == 0:
        given = given.item()
    try:
        return structures.scalar(given)
    except TypeError:
        raise TypeError(f"{expectation}, got {described(given)}; jacobian takes several") from None


def unit_vectors(n: int) -> Iterator[list[float]]:
    return ([0.0] * i + [1.0] + [0.0] * (n - 1 - i) for i in range(n))


def values_among(numbers: Iterable[object]) -> list[Value]:
    return [number for number in numbers if isinstance(number, Value)]
