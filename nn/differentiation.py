"""What is the gradient of a batch? The mean of its examples' gradients: found example by example, or through a tape.

Both ways answer alike, up to rounding. A tape replays the graph of one example for all of them, so it can be had only
where all have the same graph.
"""

from __future__ import annotations

import math
import pickle
import random
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy

from autograd import Tape, Value, gather, no_grad, scatter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, TypeVar

    from numpy.typing import NDArray

    Vector = NDArray[numpy.float64]
    T = TypeVar("T")
    E = TypeVar("E")
    Example = tuple[Any, Any]  # Any: an input and a target, of whatever form the model and the loss agree upon

EXAMPLES_CHECKED, TARGETS_AT_ONCE = 64, 1024


class ByExample:
    """Builds every example's graph, one after the other, so memory does not grow with the batch.

    Arguments:
        model, functions: the first function is the loss, Values; the others are metrics.
        parameters: the Values that gradients are taken with respect to.
        examples: pairs of an input and a target, which batches are chosen from.
        held_out: further pairs, which are only measured.
    """

    def __init__(
        self,
        model: Callable[[Any], Any],
        functions: Sequence[Callable[[Any, Any], Any]],
        parameters: list[Value],
        examples: list[Example],
        held_out: list[Example],
    ) -> None:
        self.model = model
        self.functions = functions
        self.parameters = parameters
        self.examples = examples
        self.held_out = held_out

    def differentiate(self, vector: Vector, batch: list[int]) -> tuple[list[float], Vector]:
        """Each function, summed up over the batch, and the gradient of its mean loss, with `vector` as parameters.

        Arguments:
            vector: (parameters,).
            batch: which of the examples.

        Raises FloatingPointError if a loss or the gradient is not finite, TypeError if the loss is not a Value, and
        whatever model and functions raise.
        """
        scatter(vector, self.parameters, "data")
        scatter(numpy.zeros(len(vector)), self.parameters, "grad")
        totals = [0.0] * len(self.functions)
        for i in batch:
            input, target = self.examples[i]
            output = self.model(input)
            loss = self._loss(output, target)
            loss.backward(1 / len(batch))
            with no_grad():
                numbers = [loss.data, *(float(metric(output, target)) for metric in self.functions[1:])]
            totals = [total + number for total, number in zip(totals, numbers, strict=True)]
        gradient = numpy.empty(len(vector))
        gather(self.parameters, "grad", gradient)
        return totals, finite(gradient)

    def measure(self, vector: Vector) -> list[float]:
        """The mean of each function over the held-out examples, with `vector` as parameters. Nothing is recorded."""
        scatter(vector, self.parameters, "data")
        return means(self.model, self.held_out, self.functions)

    def depends_on_parameters(self, batch: list[int]) -> bool:
        """Whether the losses are computed from any parameter, or from nothing. A gradient of 0 is no proof."""
        seen: set[Value] = set()
        examples = [self.examples[i] for i in batch]
        unseen = [parent for input, target in examples for parent in self._loss(self.model(input), target).parents]
        while unseen:
            node = unseen.pop()
            if node not in seen:
                seen.add(node)
                unseen.extend(node.parents)
        return not seen or not seen.isdisjoint(self.parameters)

    def _loss(self, output: Any, target: Any) -> Value:
        loss = self.functions[0](output, target)
        if not isinstance(loss, Value):
            raise TypeError(
                f"fit: expected a loss that returns a Value, got {type(loss).__name__}: {loss!r}; "
                "write it with the functions of autograd, with maximum for max"
            )
        if not math.isfinite(loss.data):
            raise FloatingPointError(f"the loss of an example is {loss.data}")
        return loss


class ByTape:
    """Replays the graph of one example for all of a batch. Arguments and methods are those of ByExample.

    Raises NotAlikeError where the examples do not all have the same graph at all times, as far as some of them tell:
    where the numbers are not in the same places in each of them, where model or loss ask for a number or take it as an
    index, draw random numbers, come to other numbers than the graph of the first example does, or raise.
    """

    def __init__(
        self,
        model: Callable[[Any], Any],
        functions: Sequence[Callable[[Any, Any], Any]],
        parameters: list[Value],
        examples: list[Example],
        held_out: list[Example],
    ) -> None:
        self.eager = ByExample(model, functions, parameters, examples, held_out)
        inputs, targets = matrices(examples)
        self.numbers = numpy.hstack([inputs, targets])
        self.inputs, self.targets = numpy.split(self.numbers, [inputs.shape[1]], axis=1)
        if held_out:
            self.held_out = numpy.hstack(matrices(held_out))
        try:
            with without_chance():
                self.tape, self.output = self._recorded(examples[0])
                self._recorded(examples[0], parameters)  # which refuses to branch on a parameter
                with changed(parameters), no_grad():
                    evaluated = self._check_examples()
                    self._check_targets(evaluated[len(evaluated) // 2])
        except Exception as error:
            raise NotAlikeError(f"the graph of one example cannot serve for all: {error}") from error
        self.seeds = numpy.zeros(1 + len(leaves_of(self.output)))
        self.seeds[0] = 1.0  # only the loss is differentiated, not the model's outputs
        self.is_flat = form_of(self.output) == [None] * (len(self.seeds) - 1)
        self.places = Places(self.tape, parameters)

    def differentiate(self, vector: Vector, batch: list[int]) -> tuple[list[float], Vector]:
        seeds = self.seeds / len(batch)
        parameters = self.places.of_tape(vector)
        outputs, of_tape = self.tape.value_and_grad(self.numbers[batch], parameters=parameters, gradient=seeds)
        if not numpy.isfinite(outputs[:, 0]).all():
            self._explain(vector, batch, outputs[:, 0])
        gradient = self.places.of_parameters(of_tape)
        return self._sums(vector, outputs, (self.eager.examples[i] for i in batch)), finite(gradient)

    def measure(self, vector: Vector) -> list[float]:
        examples = self.eager.held_out
        if not examples:
            return []
        outputs = self.tape.forward(self.held_out, parameters=self.places.of_tape(vector))
        if not numpy.isfinite(outputs[:, 0]).all():
            return self.eager.measure(vector)  # which raises where an operation does
        return [total / len(examples) for total in self._sums(vector, outputs, examples)]

    def depends_on_parameters(self, batch: list[int]) -> bool:
        return self.eager.depends_on_parameters(batch)

    def _loss_and_output(self, input: Any, target: Any) -> tuple[Any, Any]:
        """The output only where there are metrics, which need it."""
        output = self.eager.model(input)
        loss = self.eager.functions[0](output, target)
        return loss, output if len(self.eager.functions) > 1 else []

    def _recorded(self, example: Example, others: Sequence[Value] = ()) -> tuple[Tape, Any]:
        """The tape of the loss and the output of the model, and this output. Others are recorded as inputs, too."""
        output: Any = None

        def loss_and_outputs(input: Any, target: Any, _: Any) -> list[Value]:
            nonlocal output
            loss, output = self._loss_and_output(input, target)
            return [loss, *(leaf if isinstance(leaf, Value) else Value(leaf) for leaf in leaves_of(output))]

        return Tape.record(loss_and_outputs, [*example, [*others]]), output

    def _check_examples(self) -> list[int]:
        """Evaluates some, spread over all, with the tape and without. Returns which could be evaluated."""
        evaluated, examples = [], self.eager.examples
        some = numpy.unique(numpy.linspace(0, len(examples) - 1, EXAMPLES_CHECKED).astype(int))
        replayed = self.tape.forward(self.numbers[some])
        for i, numbers in zip(some.tolist(), replayed, strict=True):
            try:
                loss, output = self._loss_and_output(*examples[i])
            except (ArithmeticError, ValueError):  # of this example alone, and to be raised when it is met
                continue
            found = numpy.array([float(leaf) for leaf in (loss, *leaves_of(output))])
            if form_of(output) != form_of(self.output) or not alike(found, numbers).all():
                raise TypeError(f"example {i} has another graph than example 0")
            evaluated.append(i)
        if not evaluated:
            raise ValueError("no example can be evaluated")
        return evaluated

    def _check_targets(self, example: int) -> None:
        """The same for every target that there is, with the input of one example.

        The loss also refuses numbers that cannot be targets, but not the Values that a tape is recorded with.
        """
        some = numpy.unique(self.targets, axis=0, return_index=True)[1]
        output = self.eager.model(self.eager.examples[example][0])
        for block in numpy.array_split(some, len(some) // TARGETS_AT_ONCE + 1):
            inputs = numpy.broadcast_to(self.inputs[example], (len(block), self.inputs.shape[1]))
            replayed = self.tape.forward(numpy.hstack([inputs, self.targets[block]]))[:, 0]
            losses = numpy.array([self._loss_of_target(output, i) for i in block.tolist()])
            others = ~(alike(losses, replayed) | numpy.isnan(losses))
            if others.any():
                i = block[int(others.argmax())]
                raise TypeError(f"the loss has another graph with the target of example {i} than with example 0's")

    def _loss_of_target(self, output: Any, i: int) -> float:
        """With the output of another example; nan where this only does not go with the target of example i."""
        loss, (input, target) = self.eager.functions[0], self.eager.examples[i]
        try:
            return float(loss(output, target))
        except Exception:  # of the target, or of the two together?
            loss(self.eager.model(input), target)
            return math.nan

    def _sums(self, vector: Vector, outputs: Vector, examples: Iterable[Example]) -> list[float]:
        metrics = self.eager.functions[1:]
        sums = [float(outputs[:, 0].sum()), *(0.0 for _ in metrics)]
        if metrics:
            scatter(vector, self.eager.parameters, "data")  # a metric may look at them
            for row, (_, target) in zip(outputs[:, 1:].tolist(), examples, strict=True):
                output = row if self.is_flat else filled(self.output, iter(row))
                for k, metric in enumerate(metrics, 1):
                    sums[k] += float(metric(output, target))
        return sums

    def _explain(self, vector: Vector, batch: list[int], losses: Vector) -> None:
        """The graph of the example whose loss is not finite, built anew, says which operation has met which number."""
        i = int(numpy.isfinite(losses).argmin())
        self.eager.differentiate(vector, [batch[i]])
        raise FloatingPointError(f"the loss of an example is {losses[i]}")


class Places:
    """Where the parameters are among those of a tape: it has others too, and need not have each of them."""

    def __init__(self, tape: Tape, parameters: list[Value]) -> None:
        place = {parameter: i for i, parameter in enumerate(tape.parameters)}
        learned = [i for i, parameter in enumerate(parameters) if parameter in place]
        self.tape = tape
        self.count = len(parameters)
        self.learned = numpy.array(learned, int)  # which of the parameters the tape has,
        self.places = numpy.array([place[parameters[i]] for i in learned], int)  # and as which of its own

    def of_tape(self, vector: Vector) -> Vector:
        """The numbers of all of the tape's parameters, with `vector` for those that are learned."""
        numbers = numpy.empty(len(self.tape.parameters))
        if len(self.places) < len(numbers):
            gather(self.tape.parameters, "data", numbers)
        numbers[self.places] = vector[self.learned]
        return numbers

    def of_parameters(self, derivatives: Vector) -> Vector:
        """The derivatives, (..., p), with respect to the parameters, from those with respect to the tape's."""
        spread = numpy.zeros((*derivatives.shape[:-1], self.count))
        spread[..., self.learned] = derivatives[..., self.places]
        return spread


class NotAlikeError(TypeError):
    """Not all examples have the same graph."""


def chosen(
    caller: str, tape: bool | None, by_tape: Callable[..., T], by_example: Callable[..., E], *arguments: Any
) -> tuple[T | E, str]:
    """One of the two ways, made with the arguments, and why not through a tape."""
    if tape is False:
        return by_example(*arguments), "tape=False"
    try:
        return by_tape(*arguments), ""
    except NotAlikeError as error:
        if tape:
            raise TypeError(
                f"{caller}: tape=True: {error}; with tape=None or False every example's graph is built"
            ) from error
        return by_example(*arguments), str(error)


@contextmanager
def without_chance() -> Iterator[None]:
    """Leaves the global random states of Python and NumPy as they were. Raises TypeError where they have been used."""
    before = random_states()
    try:
        yield
        if pickle.dumps(random_states()) != pickle.dumps(before):
            raise TypeError("model or loss draw random numbers")
    finally:
        random.setstate(before[0])
        numpy.random.set_state(before[1])  # noqa: NPY002  # it is the model's, if anybody's


@contextmanager
def changed(parameters: list[Value]) -> Iterator[None]:
    """Within it, the parameters have other numbers: what does not follow them is no part of the graph."""
    before = numpy.empty(len(parameters))
    gather(parameters, "data", before)
    try:
        scatter(0.9 * before + 0.01, parameters, "data")
        yield
    finally:
        scatter(before, parameters, "data")


def random_states() -> tuple[Any, Any]:  # Any: as each has them
    return random.getstate(), numpy.random.get_state(legacy=False)  # noqa: NPY002


def alike(mine: Vector, others: Vector) -> NDArray[numpy.bool_]:
    """But for rounding, and for what it leaves of a difference of large numbers."""
    return numpy.isclose(mine, others, rtol=1e-6, atol=1e-9, equal_nan=True)


def finite(gradient: Vector) -> Vector:
    if not numpy.isfinite(gradient).all():
        raise FloatingPointError("the gradient is not finite, though the loss is")
    return gradient


def means(
    model: Callable[[Any], Any], examples: list[Example], functions: Sequence[Callable[[Any, Any], Any]]
) -> list[float]:
    """The mean of function(model(input), target) over the examples, for each function; nothing without examples."""
    totals = [0.0] * len(functions)
    with no_grad():
        for input, target in examples:
            output = model(input)
            totals = [
                total + float(function(output, target)) for total, function in zip(totals, functions, strict=True)
            ]
    return [total / len(examples) for total in totals] if examples else []


def matrices(examples: Sequence[tuple[Any, ...]]) -> list[Vector]:
    """The numbers of the inputs and of the targets, or whatever an example consists of, a row for each example."""
    columns = []
    names = ("inputs", "targets") if len(examples[0]) == 2 else [f"data {i}" for i in range(len(examples[0]))]
    for what, data in zip(names, zip(*examples, strict=True), strict=True):
        try:
            array = numpy.asarray(data)
        except ValueError:
            raise NotAlikeError(f"the {what} have different forms") from None
        if array.dtype.kind not in "fiub":
            raise NotAlikeError(f"the {what} are no numbers, or have different forms")
        columns.append(array.reshape(len(examples), -1).astype(float))
    return columns


# ---- What a model returns: a Value or number, or a (nested) list or tuple of these


def leaves_of(output: Any) -> list[Any]:
    if type(output) in (list, tuple):
        return [leaf for element in output for leaf in leaves_of(element)]
    return [output]


def form_of(output: Any) -> Any:
    return filled(output, iter([None] * len(leaves_of(output))))


def filled(output: Any, leaves: Iterator[Any]) -> Any:
    """The same form with other leaves."""
    if type(output) in (list, tuple):
        return type(output)([filled(element, leaves) for element in output])
    return next(leaves)
