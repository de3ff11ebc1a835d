"""What are the derivatives of each example's outputs? Found example by example, or through a tape.

A function takes one example's data and uses the parameters. Its outputs are residuals, or a loss, or whatever a
second-order method wants to know the slopes of. The Hessian of a loss is the Jacobian of its gradient, whose graph the
first way through the loss's graph has left behind. Both ways answer alike, up to rounding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy

from autograd import Tape, Value, gather, gradients, no_grad, scatter
from nn.differentiation import NotAlikeError, Places, leaves_of, matrices

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from numpy.typing import NDArray

    Array = NDArray[numpy.float64]
    Function = Callable[..., Any]  # Any: a Value or number, or a (nested) list of these


class JacobianByExample:
    """Builds every example's graph, one after the other; none has to be like another.

    Arguments:
        function: from one example's data, its arguments, to a Value or a (nested) list or tuple of Values.
        parameters: p Values that derivatives are taken with respect to.
        examples: n tuples, each of one example's data. A function without arguments has a single one, ().
    """

    def __init__(self, function: Function, parameters: list[Value], examples: list[tuple[Any, ...]]) -> None:
        self.function = function
        self.parameters = parameters
        self.examples = examples

    def outputs(self, vector: Array) -> Array:
        """(n, outputs), with `vector` as parameters, which they keep. Raises what the function raises."""
        scatter(vector, self.parameters, "data")
        with no_grad():
            rows = [[output.data for output in self.outputs_of(example)] for example in self.examples]
        if len({len(row) for row in rows}) > 1:
            raise ValueError(
                f"expected as many outputs for each example, got {len(rows[0])} for the first one and "
                f"{next(len(row) for row in rows if len(row) != len(rows[0]))} for another"
            )
        return numpy.array(rows)

    def jacobian(self, vector: Array) -> Array:
        """(n, outputs, p): the derivative of every output of every example with respect to every parameter."""
        scatter(vector, self.parameters, "data")
        return numpy.array([self._derivatives(self.outputs_of(example)) for example in self.examples])

    def gradient_and_hessian(self, vector: Array) -> tuple[Array, Array]:
        """(p,) and (p, p): the first and second derivatives of the mean over the examples of their first output."""
        scatter(vector, self.parameters, "data")
        gradient, hessian = numpy.zeros(len(vector)), numpy.zeros((len(vector), len(vector)))
        for example in self.examples:
            slopes = self.slopes_of(example)
            gradient += [slope.data for slope in slopes]
            hessian += self._derivatives(slopes)
        return gradient / len(self.examples), hessian / len(self.examples)

    def depends_on_parameters(self) -> bool:
        """Whether any output is computed from any parameter. Derivatives of 0 are no proof."""
        return any(
            len(Places(Tape(self.outputs_of(example)), self.parameters).learned) > 0 for example in self.examples
        )

    def outputs_of(self, example: tuple[Any, ...]) -> list[Value]:
        """Of one example, in one list."""
        outputs = [leaf if isinstance(leaf, Value) else Value(leaf) for leaf in leaves_of(self.function(*example))]
        if not outputs:
            raise ValueError("expected a function that returns at least one Value, got an empty list")
        return outputs

    def slopes_of(self, example: tuple[Any, ...]) -> list[Value]:
        """The derivatives of one example's first output with respect to each parameter, with their graph."""
        slopes: list[Value] = gradients(self.outputs_of(example)[0], self.parameters, create_graph=True)
        return slopes

    def _derivatives(self, outputs: list[Value]) -> Array:
        """(outputs, p). The tape is this example's own, for this time: so it has no inputs, and touches no `grad`."""
        tape = Tape(outputs)
        return Places(tape, self.parameters).of_parameters(tape.jacobian()[0])


class JacobianByTape:
    """Replays the graph of one example for all of them. Arguments and methods are those of JacobianByExample.

    Raises NotAlikeError where the examples do not all have the same graph: where the function cannot be recorded, or
    where for some example the recorded graph has other outputs than the function, which is asked once for each.
    """

    def __init__(
        self, function: Function, parameters: list[Value], examples: list[tuple[Any, ...]], **options: Any
    ) -> None:
        self.by_example = JacobianByExample(function, parameters, examples)
        self.options = options
        vector = numpy.empty(len(parameters))
        gather(parameters, "data", vector)
        outputs = self.by_example.outputs(vector)  # what the function raises is raised here
        self.batch = numpy.hstack([*matrices(examples), numpy.empty((len(examples), 0))])
        self.tape = self._recorded(self.by_example.outputs_of)
        self.places = Places(self.tape, parameters)
        self._check(outputs, self.outputs(vector))

    def outputs(self, vector: Array) -> Array:
        return self.tape.forward(self.batch, parameters=self.places.of_tape(vector))

    def jacobian(self, vector: Array) -> Array:
        return self.places.of_parameters(self.tape.jacobian(self.batch, parameters=self.places.of_tape(vector)))

    def depends_on_parameters(self) -> bool:
        return len(self.places.learned) > 0

    def _recorded(self, function: Callable[[tuple[Any, ...]], list[Value]]) -> Tape:
        example = self.by_example.examples[0]
        try:  # as inputs first, to see that no branch depends on the parameters: they will change, too
            Tape.record(lambda *data: function(data[: len(example)]), (*example, *self.by_example.parameters))
            return Tape.record(lambda *data: function(data), example, **self.options)
        except Exception as error:
            raise NotAlikeError(f"the graph of one example cannot serve for all: {error}") from error

    def _check(self, outputs: Array, replayed: Array) -> None:
        """A graph that depends on the example, or on chance, would be silently wrong for others."""
        is_alike = outputs.shape == replayed.shape
        if is_alike:
            largest = numpy.abs(outputs[numpy.isfinite(outputs)]).max(initial=0.0)
            is_alike = numpy.allclose(outputs, replayed, rtol=0.0, atol=1e-6 * largest, equal_nan=True)
        if not is_alike:
            raise NotAlikeError("the graph of one example cannot serve for all: others have other outputs than it says")


class HessianByTape(JacobianByTape):
    """Replays the graph of one example's gradient too.

    Raises NotAlikeError where that cannot be recorded: where a derivative has cases, as that of relu, it depends on the
    example which of them is in the graph.
    """

    def __init__(
        self, function: Function, parameters: list[Value], examples: list[tuple[Any, ...]], **options: Any
    ) -> None:
        super().__init__(function, parameters, examples, **options)
        self.slopes = self._recorded(self.by_example.slopes_of)
        self.places_of_slopes = Places(self.slopes, parameters)

    def gradient_and_hessian(self, vector: Array) -> tuple[Array, Array]:
        parameters, n = self.places_of_slopes.of_tape(vector), len(self.batch)
        rows = []
        for seeds in numpy.eye(len(vector)) / n:  # each row for all examples at once: no example's own is kept
            slopes, row = self.slopes.value_and_grad(self.batch, parameters=parameters, gradient=seeds)
            rows.append(self.places_of_slopes.of_parameters(row))
        return slopes.mean(axis=0), numpy.array(rows)
