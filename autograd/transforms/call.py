"""Call evaluates a function once, so that sweeps along the graph that this records can differentiate it.

The function gets a *variable*, a fresh Value, in the place of each number that it is differentiated by. Tangents go
from the variables to the outputs, adjoints from the outputs to the variables.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterator, Mapping, Set
from contextlib import suppress
from functools import cached_property
from typing import NamedTuple
from weakref import ref

from autograd import functions, structures
from autograd.engines import Value, is_recording, recording
from autograd.graph import topological_order
from autograd.operands import described
from autograd.transforms import sweeps
from autograd.transforms.refusals import check_rule
from autograd.transforms.sweeps import Variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from typing import Any, Protocol

    from autograd.operation import Mathematics
    from autograd.structures import Form, Structure
    from autograd.transforms.sweeps import Step
    from autograd.value import Scalar

    class Function(Protocol):
        """A function of numbers, to numbers, in whatever structure (Any). Of a lambda, its first parameter is known."""

        def __call__(self, argument: Any, /, *others: Any, **keywords: Any) -> Any: ...


class Call:
    """A function evaluated once, on variables in the place of the numbers that it is differentiated by.

    argument_form   the form of the argument that it is differentiated by, or of a tuple of several arguments
    variables       in the place of the numbers there, in their order
    output, aux     what the function has returned: a structure of numbers, and with has_aux something else
    output_form     the form of the output
    outputs         the numbers of the output, in their order
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
        check_function(name, function)
        self.is_tracking = is_recording()
        positions, is_single = checked_positions(name, argnums, len(arguments))
        chosen = tuple(arguments[position] for position in positions)
        argument = chosen[0] if is_single else chosen
        numbers, self.argument_form = structures.flatten(argument, structures.scalar, f"{name}: the argument")
        self.variables = [self._variable(number) for number in numbers]

        given = list(arguments)
        replaced = structures.unflatten(self.argument_form, self.variables)
        for position, argument in zip(positions, [replaced] if is_single else replaced, strict=True):
            given[position] = argument
        before = [repr(variable.data) for variable in self.variables]
        with recording(), sweeps.evaluated.holding(self.variables):
            self.output, self.aux = returned_by(name, function, given, keywords, has_aux)
        if [repr(variable.data) for variable in self.variables] != before:
            raise ValueError(f"{name}: the function has set the data of its argument; it must compute new Values")
        what = f"{name}: what the function has returned"
        self.outputs, self.output_form = structures.flatten(self.output, structures.scalar, what)

    def _variable(self, number: Scalar) -> Value:
        """A fresh Value for a number, or for a Value: other uses of that are no uses of the argument.

        It depends on the Value whose place it takes, so that a derivative can be differentiated by that again.
        """
        if not isinstance(number, Value):
            return Variable(number)
        return functions.multiply(number, 1.0) if self.is_tracking else Variable(number.data)

    def gradient(self) -> Structure:
        single_number(f"{self.name}: expected the function to return a number", self.output)
        return structures.unflatten(self.argument_form, self.adjoints(unit(self.outputs[0])))

    def jacobian(self, mode: str) -> list[list[Scalar]]:
        """A row for each output. A sweep forward finds a column, a sweep backward a row.

        A sweep has one seed. The other variables, or outputs, have none: a seed of 0.0 would make nan of an inf.
        """
        if mode == "reverse":
            return [self.adjoints(unit(output)) for output in self.outputs]
        directions = [unit(variable) for variable in self.variables]
        if self.is_own:
            columns = sweeps.tangents_by_engine(self.order, self.variables, directions, self.outputs)
        else:
            columns = [self.tangents(seeds) for seeds in directions]
        return [[column[i] for column in columns] for i in range(len(self.outputs))]

    def tangents(self, seeds: Mapping[Value, Scalar], derived: Sequence[Scalar] | None = None) -> list[Scalar]:
        """The tangents of the outputs, or of Values derived from these, where the seeds are those of variables."""
        outputs, order = (self.outputs, self.order) if derived is None else (derived, self._order(derived))
        if self.is_own and not values_among(seeds.values()):
            return sweeps.tangents_by_engine(order, self.variables, [seeds], outputs)[0]
        tangents = dict(seeds)
        steps = self.steps if derived is None else sweeps.linearised(order, self.variables, self._tracked(order))
        sweeps.push_forward(steps, tangents)
        return sweeps.found(outputs, tangents)

    def adjoints(self, seeds: Mapping[Value, Scalar]) -> list[Scalar]:
        """The adjoints of the variables, where the seeds are those of outputs."""
        if self.is_own and not values_among(seeds.values()):
            return sweeps.adjoints_by_engine(seeds, self.variables)
        adjoints = dict(seeds)
        sweeps.pull_back(self.steps, adjoints)
        return sweeps.found(self.variables, adjoints)

    @recording(raises=False)
    def check_data(self) -> None:
        """Raises ValueError if data have been assigned since the graph was linearised: some edges are Values there."""
        if not self.is_own:
            for node, _ in self.steps:
                if node in self.tracked:
                    check_rule(node)

    @cached_property
    def order(self) -> list[Value]:
        return self._order(self.outputs)

    @cached_property
    def tracked(self) -> set[Value]:
        return self._tracked(self.order)

    @cached_property
    def is_own(self) -> bool:
        """Whether the outputs depend on no Value from outside. Then the engine may walk the graph, and set `grad`.

        If they do, others hold a part of the graph, so its derivatives come from sweeps that set nothing.
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
        """The graph from these variables to these outputs, whose derivatives will be differentiated by them again."""
        order = self._order(outputs, variables)
        return sweeps.linearised(order, variables, self._tracked(order, variables), mathematics)

    def _order(self, outputs: Iterable[object], variables: Collection[Value] = ()) -> list[Value]:
        """The graph of the outputs, from the variables on, and from those of transforms around this one.

        Nodes before them have no part in the derivative.
        """
        until = {node for node in (*self.variables, *variables, *sweeps.open_variables()) if node.parents}
        return topological_order(*values_among(outputs), until=until)

    def _tracked(self, order: Sequence[Value], known: Collection[Value] = ()) -> set[Value]:
        if self.is_tracking:
            return self._outside(order, known)
        return sweeps.tracked_nodes(order, known) if known else set()

    def _outside(self, order: Sequence[Value], known: Collection[Value] = ()) -> set[Value]:
        """The nodes that depend on Values that this call has not made, or on the known ones."""
        connected = [variable for variable in self.variables if variable.parents]
        return sweeps.tracked_nodes(order, sweeps.open_variables().union(known, connected))

    def seeds(self, what: str, form: Form, given: Structure) -> list[Scalar]:
        """The numbers of tangents or cotangents, which must have this form."""
        try:
            numbers = structures.numbers_like(form, given)
        except (TypeError, ValueError, OverflowError) as error:
            raise type(error)(f"{self.name}: {what}: {error}") from None
        return numbers if self.is_tracking else [structures.number(number) for number in numbers]

    def settled(self, returned: Any) -> Any:
        """A result of the function, with floats in the place of the Values that depend on no Value from outside.

        An aux may be anything. If it has no end, it stays as it is.
        """
        try:
            order = self._order(structures.flatten(returned)[0])
        except structures.EndlessError:
            return returned
        tracked = self._tracked(order)

        def settle(leaf: Any) -> Any:
            return leaf.data if isinstance(leaf, Value) and leaf not in tracked else leaf

        return structures.map(settle, returned)


class Made(NamedTuple):
    """What a transform has made a function from."""

    name: str
    function: Function
    argnums: int | Sequence[int] = 0
    has_aux: bool = False

    def noted(self, function: Function) -> Function:
        """The function, with a note for `compiled`: a function that `functools.wraps` copies it to is another one.

        Raises TypeError for positions that are none, before the function is called.
        """
        read_positions(self.name, self.argnums)
        function._made = self, ref(function)  # type: ignore[attr-defined]
        return function


def made_from(function: object) -> Made | None:
    """What a transform has made this function from; None if none has."""
    made, owner = getattr(function, "_made", None) or (None, None)
    return made if owner is not None and owner() is function else None


def named(name: str, function: Function) -> Callable[[Function], Function]:
    """A decorator: a transform's function gets the name, docstring and signature of the function it was made from."""
    check_function(name, function)
    return functools.wraps(function, updated=())


def check_function(name: str, function: object) -> None:
    if not callable(function):
        raise TypeError(f"{name}: expected a function, got {described(function)}")


def checked_positions(name: str, argnums: int | Sequence[int], given: int) -> tuple[list[int], bool]:
    """The positions of the arguments to differentiate by, and whether argnums is one of them and no sequence."""
    positions, is_single = read_positions(name, argnums)
    for position in positions:
        if not -given <= position < given:
            raise ValueError(
                f"{name}: argnums: expected positional arguments that are given, got {position} of {given}"
            )
    positions = [position % given for position in positions]
    if len(set(positions)) < len(positions):
        raise ValueError(f"{name}: argnums: expected each argument once, got {argnums}")
    return positions, is_single


def read_positions(name: str, argnums: int | Sequence[int]) -> tuple[list[int], bool]:
    """The positions as they are given, and whether it is one and no sequence."""
    is_single = hasattr(argnums, "__index__")
    try:
        if isinstance(argnums, (Set, Mapping, Iterator)):  # in no order; or read once, and then none
            raise TypeError
        return [operator.index(number) for number in ([argnums] if is_single else argnums)], is_single  # type: ignore[union-attr, arg-type]
    except TypeError:
        raise TypeError(
            f"{name}: argnums: expected a position, or several of them, got {described(argnums)}; an argument is given "
            f"to the function that {name} returns, {name}(f)(x)"
        ) from None


def returned_by(
    name: str, function: Function, arguments: Sequence[Any], keywords: Mapping[str, Any], has_aux: bool
) -> tuple[Any, Any]:
    """The output of the function, and with has_aux what else it has returned."""
    returned = function(*arguments, **keywords)
    if not has_aux:
        return returned, None
    if not isinstance(returned, (tuple, list)) or len(returned) != 2:
        raise TypeError(f"{name}: has_aux: expected the function to return a pair, got {described(returned)}")
    return returned[0], returned[1]


def single_number(expectation: str, given: Any) -> Scalar:
    with suppress(TypeError, OverflowError, structures.EndlessError):
        leaves, form = structures.flatten(given, structures.scalar)
        if form.is_single:
            number: Scalar = leaves[0]
            return number
    raise TypeError(f"{expectation}, got {described(given)}; jacobian takes several")


def unit(number: Scalar) -> dict[Value, Scalar]:
    """The seed 1 of one variable, or of one output. An output that is a plain number has none."""
    return {number: 1.0} if isinstance(number, Value) else {}


def values_among(numbers: Iterable[object]) -> list[Value]:
    return [number for number in numbers if isinstance(number, Value)]
