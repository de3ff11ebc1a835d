"""What are the derivatives of each example's outputs? Found example by example, or through a tape.

A function takes one example's data and uses the parameters. Its outputs are residuals, or a loss, or whatever a
second-order method wants to know the slopes of. Both ways answer alike, up to rounding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy

from autograd import Tape, Value, gather, no_grad, scatter
from nn.differentiation import NotAlikeError, Places, leaves_of, matrices, with_ancestors

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from numpy.typing import NDArray

    Array = NDArray[numpy.float64]
    Function = Callable[..., Any]  # Any: a Value or number, or a (nested) list of these


class JacobianByExample:
    """Builds every example's graph, one after the other.

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
        return numpy.array([[self._gradient(output) for output in self.outputs_of(e)] for e in self.examples])

    def outputs_of(self, example: tuple[Any, ...]) -> list[Value]:
        """Of one example, in one list."""
        outputs = [leaf if isinstance(leaf, Value) else Value(leaf) for leaf in leaves_of(self.function(*example))]
        if not outputs:
            raise ValueError("expected a function that returns at least one Value, got an empty list")
        return outputs

    def depends_on_parameters(self) -> bool:
        """Whether any output is computed from any parameter. Derivatives of 0 are no proof."""
        return any(not with_ancestors(self.outputs_of(e)).isdisjoint(self.parameters) for e in self.examples)

    def _gradient(self, output: Value) -> Array:
        """Every `grad` is afterwards what it was."""
        before, gradient = numpy.empty(len(self.parameters)), numpy.zeros(len(self.parameters))
        gather(self.parameters, "grad", before)
        try:
            scatter(gradient, self.parameters, "grad")
            output.backward()
            gather(self.parameters, "grad", gradient)
        finally:
            scatter(before, self.parameters, "grad")
        return gradient


class JacobianByTape:
    """Replays the graph of one example for all of them. Arguments and methods are those of JacobianByExample.

    Raises NotAlikeError where the examples do not all have the same graph: where the function cannot be recorded, or
    where for some example the recorded graph has other outputs than the function, which is asked once for each.
    """

    def __init__(
        self, function: Function, parameters: list[Value], examples: list[tuple[Any, ...]], **options: Any
    ) -> None:
        self.by_example = JacobianByExample(function, parameters, examples)
        vector = numpy.empty(len(parameters))
        gather(parameters, "data", vector)
        outputs = self.by_example.outputs(vector)  # what the function raises is raised here
        self.batch = numpy.hstack([*matrices(examples), numpy.empty((len(examples), 0))])
        try:
            self.tape = Tape.record(lambda *data: self.by_example.outputs_of(data), examples[0], **options)
        except Exception as error:
            raise NotAlikeError(f"the graph of one example cannot serve for all: {error}") from error
        self.places = Places(self.tape, parameters)
        self._check(outputs, self.outputs(vector))

    def outputs(self, vector: Array) -> Array:
        return self.tape.forward(self.batch, parameters=self.places.of_tape(vector))

    def jacobian(self, vector: Array) -> Array:
        return self.places.of_parameters(self.tape.jacobian(self.batch, parameters=self.places.of_tape(vector)))

    def depends_on_parameters(self) -> bool:
        return len(self.places.learned) > 0

    def _check(self, outputs: Array, replayed: Array) -> None:
        """A graph that depends on the example, or on chance, would be silently wrong for others."""
        is_alike = outputs.shape == replayed.shape
        if is_alike:
            largest = numpy.abs(outputs[numpy.isfinite(outputs)]).max(initial=0.0)
            alike = numpy.isclose(outputs, replayed, rtol=0.0, atol=1e-6 * largest, equal_nan=True)
            is_alike = alike.all()
        if not is_alike:
            raise NotAlikeError("the graph of one example cannot serve for all: others have other outputs than it says")
