"""A problem is a function of examples and parameters: its outputs and derivatives are found here, in one of three ways.

`ByExample` builds the graph of one example after the other. `ByTape` replays the graph of one example for all of them,
which is quicker by far, but only right where all examples have the same graph at all times. `ByTapes` has one for each
shape that examples have, as sequences of several lengths and trees. All answer alike, up to rounding. `choose` takes
one of them. Whether a tape may stand for the function is checked here and nowhere else.
"""

from __future__ import annotations

import math
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from reprlib import repr as shortened
from typing import TYPE_CHECKING

from autograd import Tape, Value, gather, gradients, no_grad, scatter, structures
from autograd.packages import numpy
from autograd.undo import Undo, ancestors, put_back_random_states, random_states
from nn.arguments import columns_of, copied, copier, have_one_form, measured, numbers_and_shape, shapes_of, with_numbers
from nn.dropout import Generated, Given, Noted, drawing, nobody
from nn.optimizers import gathered, is_finite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, TypeAlias

    from numpy.typing import NDArray

    from nn.arguments import Example
    from nn.dropout import Source

    Array = NDArray[numpy.float64]
    Metric = Callable[[Any, Any], Value | float]
    Evaluator: TypeAlias = "ByTape | ByTapes | ByExample"

TARGETS_AT_ONCE = 1024
MOST_SHAPES = 256  # that have a tape: each takes memory, and its time to be recorded and checked


@dataclass(eq=False)
class Problem:
    """A function, its parameters, and the examples that it is computed for.

    caller: the name in errors, such as "fit".
    function: from one example's data, its arguments, to a Value, or to a structure of Values and numbers. Where there
        is a model it is the loss: from an output and a target to a Value.
    parameters: p Values, with respect to which derivatives are taken.
    examples: n tuples, each of one example's data. A function without arguments has a single example, ().
    model: from an input to an output, where examples are pairs of an input and a target.
    metric: from an output and a target to a number.
    held_out: further pairs, which are only measured.
    generated: draws for `Dropout` while the gradient of a batch is computed; without it nothing is left out.
    source: who draws for `Dropout` now.
    whole, numbers: the problem that this one has some examples of; which ones, as `name` counts them.
    """

    caller: str
    function: Callable[..., Any]
    parameters: list[Value]
    examples: list[Example]
    model: Callable[[Any], Any] | None = None
    metric: Metric | None = None
    held_out: list[Example] = field(default_factory=list)
    generated: Generated | None = None
    source: Source = nobody
    whole: Problem | None = None
    numbers: list[int] = field(default_factory=list)

    def part(self, numbers: list[int]) -> Problem:
        """The problem of some of the examples, held-out ones among them. If they all are, they are its examples too."""
        n = len(self.examples)
        held_out = [self.held_out[i - n] for i in numbers if i >= n]
        examples = [self.examples[i] for i in numbers if i < n]
        numbers = numbers if examples else numbers * 2
        return replace(self, examples=examples or held_out, held_out=held_out, whole=self, numbers=numbers)

    def name(self, i: int) -> str:
        """What errors call an example; the held-out ones are counted behind the others."""
        if self.whole is not None:
            return self.whole.name(self.numbers[i])
        n = len(self.examples)
        return f"example {i}" if i < n else f"example {i - n} of the validation"

    def outcome(self, data: Example) -> Any:
        """What the function returns; where there is a model, [loss], and with a metric [loss, output]."""
        return drawing(self.source, self.outcome_now, data)

    def outcome_now(self, data: Example) -> Any:
        """The outcome, with the source that draws already."""
        if self.model is None:
            return self.function(*data)
        input, target = data
        output = self.model(input)
        loss = self.function(output, target)
        return [loss] if self.metric is None else [loss, output]

    def outputs(self, data: Example) -> list[Value]:
        """All Values and numbers of the outcome, as Values with their graph."""
        outcome = self.outcome(data)
        if self.model is not None:
            self.check_loss(outcome[0])
        if type(outcome) is list and outcome and VALUES.issuperset(map(type, outcome)):
            return outcome  # as mostly; this is quicker
        outputs, _ = structures.flatten(outcome, structures.scalar)
        if not outputs:
            raise ValueError("expected a function that returns at least one Value, got an empty list")
        return [output if isinstance(output, Value) else Value(output) for output in outputs]

    def slopes(self, data: Example) -> list[Value]:
        """The derivatives of the first output with respect to each parameter, with their graph."""
        slopes: list[Value] = gradients(self.outputs(data)[0], self.parameters, create_graph=True)
        return slopes

    def measured(self, output: Any, target: Any) -> float:
        """The metric. Raises MetricError in the place of errors that would be taken for those of the loss."""
        assert self.metric is not None
        try:
            return drawing(nobody, measured, self.metric, output, target)
        except ArithmeticError as error:
            raise MetricError from error

    def drawn_from(self, source: Source) -> Problem:
        """This problem. From now on the source draws for `Dropout`."""
        self.source = source
        return self

    def check_loss(self, loss: object) -> None:
        if not isinstance(loss, Value):
            raise TypeError(
                f"{self.caller}: expected a loss that returns a Value, got {type(loss).__name__}: {loss!r}; "
                "write it with the functions of autograd, with maximum for max"
            )


VALUES = {Value}


class MetricError(Exception):
    """The metric has raised an ArithmeticError, the cause of this one."""


# ---- The ways


class ByExample:
    """Builds every example's graph, one after the other, so memory does not grow with the batch."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.parameters = problem.parameters

    @cached_property
    def _copied(self) -> Callable[[Example], Example]:
        return copier(self.problem.examples + self.problem.held_out)

    def outputs(self, vector: Array) -> Array:
        """(n, outputs), with `vector` as parameters, which they keep. Raises what the function raises."""
        scatter(vector, self.parameters, "data")
        with no_grad():
            rows = [[output.data for output in outputs] for outputs in self._outputs()]
        check_counts(self.problem, [len(row) for row in rows])
        return numpy.array(rows)

    def jacobian(self, vector: Array) -> Array:
        """(n, outputs, p): the derivative of every output of every example with respect to every parameter."""
        scatter(vector, self.parameters, "data")
        return numpy.array([self._derivatives(outputs) for outputs in self._outputs()])

    def gradient_and_hessian(self, vector: Array) -> tuple[Array, Array]:
        """(p,) and (p, p): the first and second derivatives of the mean over the examples of their first output."""
        scatter(vector, self.parameters, "data")
        gradient, hessian = numpy.zeros(len(vector)), numpy.zeros((len(vector), len(vector)))
        for data in self._copies():
            slopes = self.problem.slopes(data)
            gradient += [slope.data for slope in slopes]
            hessian += self._derivatives(slopes)
        return gradient / len(self.problem.examples), hessian / len(self.problem.examples)

    def sums_and_gradient(self, vector: Array, batch: list[int], undo: Undo | None = None) -> tuple[list[float], Array]:
        """The loss, and the metric if there is one, summed up over a batch, and the gradient of the mean loss.

        Arguments:
            vector: (p,) numbers, which the parameters keep.
            batch: which of the examples.
            undo: is told of a loss before leaves get another `grad`.

        Raises FloatingPointError if a loss or the gradient is not finite, TypeError if the loss is not a Value, and
        whatever model, loss and metric raise.
        """
        scatter(vector, self.parameters, "data")
        scatter(numpy.zeros(len(vector)), self.parameters, "grad")
        sums = drawing(
            self.problem.generated or nobody, self._sums, batch, undo
        )  # once for all of them, which is quicker
        return sums, finite_gradient(gathered(self.parameters, "grad"))

    def _sums(self, batch: list[int], undo: Undo | None) -> list[float]:
        """The sums of `sums_and_gradient`, while gradients add up in the parameters."""
        problem, sums = self.problem, [0.0] if self.problem.metric is None else [0.0, 0.0]
        for i in batch:
            data = self._copied(problem.examples[i])
            try:
                loss, *output = problem.outcome_now(data)
            except Exception as error:
                note(error, problem.name(i))
                raise
            problem.check_loss(loss)
            if not math.isfinite(loss.data):
                raise FloatingPointError(f"the loss of an example is {loss.data}")
            if undo is not None:
                undo.note(loss)
            loss.backward(1 / len(batch))
            sums[0] += loss.data
            if problem.metric is not None:
                with no_grad():
                    sums[1] += problem.measured(output[0], data[1])
        return sums

    def means(self, vector: Array) -> list[float]:
        """The means of the loss, and of the metric, over the held-out examples. Nothing is recorded."""
        scatter(vector, self.parameters, "data")
        problem = self.problem
        assert problem.model is not None
        functions = [problem.function] if problem.metric is None else [problem.function, problem.measured]
        n = len(problem.examples)
        return means(problem.model, functions, map(self._copied, problem.held_out), lambda i: problem.name(n + i))

    def depends_on_parameters(self, batch: Iterable[int]) -> bool:
        """Whether any output, or the loss of a model, is computed from any parameter. A derivative of 0 is no proof."""
        problem = self.problem.drawn_from(nobody)
        for i in batch:
            outputs = problem.outputs(self._copied(problem.examples[i]))
            if not ancestors(outputs[:1] if problem.model else outputs).isdisjoint(self.parameters):
                return True
        return False

    def _copies(self) -> Iterator[Example]:
        return map(self._copied, self.problem.examples)

    def _outputs(self) -> Iterator[list[Value]]:
        """Those of each example."""
        for i, data in enumerate(self._copies()):
            try:
                outputs = self.problem.outputs(data)
            except Exception as error:
                note(error, self.problem.name(i))
                raise
            yield outputs

    def _derivatives(self, outputs: list[Value]) -> Array:
        """(outputs, p). The tape is this example's own, for this time: so it has no inputs, and touches no `grad`."""
        tape = Tape(outputs)
        return Places(tape, self.parameters).of_parameters(tape.jacobian()[0])


def check_counts(problem: Problem, counts: Sequence[int]) -> None:
    """Raises ValueError, naming two examples, unless all have as many outputs."""
    other = next((i for i, count in enumerate(counts) if count != counts[0]), None)
    if other is not None:
        raise ValueError(
            f"{problem.caller}: expected as many outputs for each example, got {counts[0]} for {problem.name(0)} and "
            f"{counts[other]} for {problem.name(other)}; residuals may be filled up with 0.0, which adds nothing to "
            "the sum of their squares"
        )


class ByTape:
    """Replays the graph of one example for all of them. The methods are those of ByExample.

    Arguments:
        problem: what is replayed.
        with_hessian: whether `gradient_and_hessian` will be asked for, whose lists the table's rules write.
        compared: how many of the examples are computed for the check, about.
        options: of the Tape.

    Raises NotAlikeError where the examples do not all have the same graph at all times, as far as some of them tell:
    where the numbers are not in the same places in each of them (SeveralShapesError), or where the function asks for a
    number, takes it as an index, draws random numbers, comes to other numbers than the graph of the first example does,
    or raises.
    Raises ValueError if held-out examples have another form, and for an example with an index that is none (see
    `autograd.take`); whatever a function without a model raises for any of the examples.
    """

    def __init__(self, problem: Problem, with_hessian: bool = False, compared: int = 64, **options: Any) -> None:
        self.problem = problem
        self.by_example = ByExample(problem)
        n = len(problem.examples)
        columns = self._columns()
        with without_chance():
            # Without a model every example is computed once: errors of the function's own are raised here.
            known = None if problem.model else self.by_example.outputs(gathered(problem.parameters, "data"))
            try:
                numbers = numpy.hstack(columns) if columns else numpy.empty((n, 0))
                self.numbers, self.held_out = numbers[:n], numbers[n:]
                factors = Noted()
                problem.drawn_from(factors if problem.generated else nobody)
                self.tape = self._recorded(problem.outputs, options, factors.leaves)
                self.rates = numpy.array(factors.rates)
                self.places = Places(self.tape, problem.parameters)
                self._check_indices(numbers)
                check = Check(self, columns, numbers)
                form = check.form(known, compared)
                self.seeds = numpy.zeros(form.count)
                self.seeds[0] = 1.0  # only the loss is differentiated, not the model's output
                if with_hessian:
                    self.tape.hessian(self.numbers[:1], gradient=self.seeds)  # which raises if there can be none
                self.is_alike_measured = check.is_alike_measured
            except WrongExampleError:
                raise
            except Exception as error:
                raise NotAlikeError(error) from error
            finally:
                problem.drawn_from(nobody)
        if len(self.held_out) < len(problem.held_out):
            [example, *_] = of_another_form(problem)
            raise ValueError(f"{refusal(problem, example)}; with tape=False a model may take any form")
        self.read_outputs = reader(form)

    def outputs(self, vector: Array) -> Array:
        return self.tape.forward(self.numbers, parameters=self.places.of_tape(vector))

    def jacobian(self, vector: Array) -> Array:
        return self.places.of_parameters(self.tape.jacobian(self.numbers, parameters=self.places.of_tape(vector)))

    def gradient_and_hessian(self, vector: Array) -> tuple[Array, Array]:
        parameters, seeds = self.places.of_tape(vector), self.seeds / len(self.numbers)
        _, gradient = self.tape.value_and_grad(self.numbers, parameters=parameters, gradient=seeds)
        hessian = self.tape.hessian(self.numbers, parameters=parameters, gradient=seeds)
        rows = self.places.of_parameters(hessian)
        return self.places.of_parameters(gradient), self.places.of_parameters(rows.T).T

    def sums_and_gradient(self, vector: Array, batch: list[int], undo: Undo | None = None) -> tuple[list[float], Array]:
        sums, gradient = self.share(vector, batch, len(batch), self.factors(len(batch), self.problem.generated))
        return sums, finite_gradient(gradient)

    def share(self, vector: Array, batch: list[int], count: int, factors: Array) -> tuple[list[float], Array]:
        """The sums over the batch, and what it adds to the gradient of the mean loss of so many examples.

        Arguments:
            factors: (batch, factors), what `Dropout` multiplies by.
        """
        seeds, parameters, numbers = self.seeds / count, self.places.of_tape(vector), self.numbers[batch]
        if len(self.rates):
            numbers = numpy.hstack([numbers, factors])
        outputs, of_tape = self.tape.value_and_grad(numbers, parameters=parameters, gradient=seeds)
        if not numpy.isfinite(outputs[:, 0]).all():
            self._explain(vector, batch, outputs[:, 0], numbers[:, self.numbers.shape[1] :])
        sums = self._sums(vector, outputs, (self.problem.examples[i] for i in batch))
        return sums, self.places.of_parameters(of_tape)

    def means(self, vector: Array) -> list[float]:
        held_out = self.problem.held_out
        if not held_out:
            return []
        if not self.is_alike_measured:  # a Module that asks for its mode computes something else
            return self.by_example.means(vector)
        nothing_left_out = numpy.ones((len(held_out), len(self.rates)))
        numbers = numpy.hstack([self.held_out, nothing_left_out])
        outputs = self.tape.forward(numbers, parameters=self.places.of_tape(vector))
        if not numpy.isfinite(outputs[:, 0]).all():
            return self.by_example.means(vector)  # which raises where an operation does
        return [total / len(held_out) for total in self._sums(vector, outputs, held_out)]

    def depends_on_parameters(self, batch: Iterable[int]) -> bool:
        return self.by_example.depends_on_parameters(batch) if self.problem.model else len(self.places.learned) > 0

    def _columns(self) -> list[Array]:
        """The numbers of the examples and of the held-out ones, or if these have another form, of the examples."""
        if self.problem.held_out:
            with suppress(TypeError, ValueError):
                return columns_of(self.problem.examples + self.problem.held_out)
        try:
            return columns_of(self.problem.examples)
        except TypeError as error:
            raise NotAlikeError(error) from error
        except ValueError as error:
            raise SeveralShapesError(error) from error

    def factors(self, count: int, generated: Generated | None) -> Array:
        """(count, factors): what `Dropout` multiplies by, for so many examples."""
        if generated and len(self.rates):  # most models have no Dropout
            return generated.factors(count, self.rates)
        return numpy.ones((count, len(self.rates)))

    def _check_indices(self, numbers: Array) -> None:
        """Raises WrongExampleError, naming the example, if one has an index that is none, of a lookup by `take`."""
        if len(self.rates):
            numbers = numpy.hstack([numbers, self.factors(len(numbers), None)])
        try:
            self.tape.check(numbers)
        except ValueError:
            examples = self.problem.examples + self.problem.held_out
            wrong = next(i for i in range(len(numbers)) if self._is_refused(numbers[i : i + 1]))
            try:
                self.problem.drawn_from(nobody).outputs(copied(examples[wrong]))  # says best what is wrong
            except ValueError as error:
                raise WrongExampleError(f"{self.problem.caller}: {self.problem.name(wrong)}: {error}") from None
            raise  # the function does not mind

    def _is_refused(self, numbers: Array) -> bool:
        try:
            self.tape.check(numbers)
        except ValueError:
            return True
        return False

    def _recorded(
        self, function: Callable[[Example], list[Value]], options: dict[str, Any], factors: Sequence[Value] = ()
    ) -> Tape:
        """The tape of the function for the first example. A branch on a parameter is refused as one on an input is.

        Arguments:
            factors: leaves that the function makes, and that are inputs too.
        """
        parameters = self.problem.parameters
        numbers, shape = numbers_and_shape(self.problem.examples[0])
        outputs: list[Value] = []

        def recording(numbers: list[Value], _: list[Value]) -> list[Value]:
            outputs[:] = function(with_numbers(shape, numbers))
            return outputs

        inputs = Tape.record(recording, [numbers, parameters]).inputs
        return Tape(outputs, [*inputs[: len(inputs) - len(parameters)], *factors], **options)

    def _sums(self, vector: Array, outputs: Array, examples: Iterable[Example]) -> list[float]:
        sums = [float(outputs[:, 0].sum())]
        if self.problem.metric is not None:
            scatter(vector, self.problem.parameters, "data")  # the metric may look at them
            of_model = zip(self.read_outputs(outputs), examples, strict=True)
            with no_grad():
                sums.append(sum(self.problem.measured(output, copied(target)) for output, (_, target) in of_model))
        return sums

    def _explain(self, vector: Array, batch: list[int], losses: Array, factors: Array) -> None:
        """The graph of the example whose loss is not finite, built anew, says which operation has met which number."""
        i = int(numpy.isfinite(losses).argmin())
        scatter(vector, self.problem.parameters, "data")
        self.problem.drawn_from(Given(factors[i])).outputs(copied(self.problem.examples[batch[i]]))
        raise FloatingPointError(f"the loss of an example is {losses[i]}")


class ByTapes:
    """Has a tape for each shape that examples have. The methods are those of ByExample; arguments as for ByTape.

    A batch is computed shape by shape, in the order in which the shapes are first met: so sums are the same each time.
    Raises NotAlikeError where one of the tapes does, and for more than `MOST_SHAPES` shapes.
    """

    def __init__(self, problem: Problem, with_hessian: bool = False, **options: Any) -> None:
        self.problem = problem
        try:
            shapes = shapes_of(problem.examples + problem.held_out)
        except (TypeError, OverflowError) as error:
            raise NotAlikeError(f"the examples are no numbers: {error}") from None
        if len(shapes) > MOST_SHAPES:
            raise NotAlikeError(f"the examples have {len(shapes)} shapes, and {MOST_SHAPES} at most have tapes")
        compared = max(64 // len(shapes), 4)
        self.tapes = [ByTape(problem.part(numbers), with_hessian, compared, **options) for numbers in shapes]
        n = len(problem.examples)
        self.which = [[i for i in numbers if i < n] for numbers in shapes]  # of each tape, the examples
        self.number, self.place = numpy.empty((2, n), int)  # of each example: its tape's, and its own among that's
        for k, which in enumerate(self.which):
            self.number[which], self.place[which] = k, range(len(which))

    def outputs(self, vector: Array) -> Array:
        return self._gathered([tape.outputs(vector) for tape, _ in self._learning()])

    def jacobian(self, vector: Array) -> Array:
        return self._gathered([tape.jacobian(vector) for tape, _ in self._learning()])

    def gradient_and_hessian(self, vector: Array) -> tuple[Array, Array]:
        gradient, hessian = numpy.zeros(len(vector)), numpy.zeros((len(vector), len(vector)))
        for tape, which in self._learning():
            share = len(which) / len(self.problem.examples)
            of_shape = tape.gradient_and_hessian(vector)
            gradient += share * of_shape[0]
            hessian += share * of_shape[1]
        return gradient, hessian

    def sums_and_gradient(self, vector: Array, batch: list[int], undo: Undo | None = None) -> tuple[list[float], Array]:
        sums, gradient = [0.0] if self.problem.metric is None else [0.0, 0.0], numpy.zeros(len(vector))
        for tape, places, factors in self._by_shape(batch):
            of_shape, share = tape.share(vector, places, len(batch), factors)
            sums = [total + summand for total, summand in zip(sums, of_shape, strict=True)]
            gradient += share
        return sums, finite_gradient(gradient)

    def means(self, vector: Array) -> list[float]:
        held_out = len(self.problem.held_out)
        shares = [
            [mean * len(tape.problem.held_out) / held_out for mean in tape.means(vector)]
            for tape in self.tapes
            if tape.problem.held_out
        ]
        return [sum(shares_of_one) for shares_of_one in zip(*shares, strict=True)]

    def depends_on_parameters(self, batch: Iterable[int]) -> bool:
        return any(self.tapes[self.number[i]].depends_on_parameters([int(self.place[i])]) for i in batch)

    def _learning(self) -> list[tuple[ByTape, list[int]]]:
        """The tapes that have examples, and which: others are for held-out ones alone."""
        return [(tape, which) for tape, which in zip(self.tapes, self.which, strict=True) if which]

    def _gathered(self, of_tapes: list[Array]) -> Array:
        """What each tape has found for its examples, in the order of all examples."""
        counts = numpy.empty(len(self.problem.examples), int)
        for (_, which), array in zip(self._learning(), of_tapes, strict=True):
            counts[which] = array.shape[1]
        check_counts(self.problem, counts.tolist())
        gathered = numpy.empty((len(self.problem.examples), *of_tapes[0].shape[1:]))
        for (_, which), array in zip(self._learning(), of_tapes, strict=True):
            gathered[which] = array
        return gathered

    def _by_shape(self, batch: list[int]) -> Iterator[tuple[ByTape, list[int], Array]]:
        """Each tape that examples of the batch have, their places there, and their factors for `Dropout`."""
        numbers, places = self.number[batch], self.place[batch]
        factors = self._factors(numbers.tolist()) if any(len(tape.rates) for tape in self.tapes) else {}
        for k in sorted({*numbers.tolist()}):
            yield self.tapes[k], places[numbers == k].tolist(), factors.get(k, numpy.empty(0))

    def _factors(self, numbers: list[int]) -> dict[int, Array]:
        """For each tape the factors, drawn one example after the other, as where each example's graph is built."""
        factors: dict[int, list[Array]] = {k: [] for k in numbers}
        for k in numbers:
            factors[k].append(self.tapes[k].factors(1, self.problem.generated))
        return {k: numpy.concatenate(rows) for k, rows in factors.items()}


class Places:
    """Where the parameters are among those of a tape: it has others too, and need not have each of them."""

    def __init__(self, tape: Tape, parameters: list[Value]) -> None:
        place = {parameter: i for i, parameter in enumerate(tape.parameters)}
        learned = [i for i, parameter in enumerate(parameters) if parameter in place]
        self.tape = tape
        self.count = len(parameters)
        self.learned = numpy.array(learned, int)  # which of the parameters the tape has,
        self.places = numpy.array([place[parameters[i]] for i in learned], int)  # and as which of its own
        self.is_permutation = len(learned) == len(parameters) == len(place)
        self.is_identity = self.is_permutation and self.places.tolist() == [*range(self.count)]
        self.sources = numpy.argsort(self.places)

    def of_tape(self, vector: Array) -> Array:
        """The numbers of all of the tape's parameters, with `vector` for those that are learned."""
        if self.is_identity:  # as mostly: with batches of one, a step is hardly longer than such a copy
            return vector
        if self.is_permutation:
            return vector[self.sources]
        numbers = numpy.empty(len(self.tape.parameters))
        gather(self.tape.parameters, "data", numbers)
        numbers[self.places] = vector[self.learned]
        return numbers

    def of_parameters(self, derivatives: Array) -> Array:
        """The derivatives, (..., p), with respect to the parameters, from those with respect to the tape's."""
        if self.is_identity:
            return derivatives
        if self.is_permutation:
            return numpy.take(derivatives, self.places, axis=-1)
        spread = numpy.zeros((*derivatives.shape[:-1], self.count))
        spread[..., self.learned] = derivatives[..., self.places]
        return spread


def reader(form: structures.Form) -> Callable[[Array], list[Any]]:
    """From a tape's outputs, losses first, to what the model returned, with numbers in the place of Values."""
    if form == form_of([0.0, 0.0]):
        return lambda outputs: outputs[:, 1].tolist()
    if form == form_of([0.0, [0.0] * (form.count - 1)]):
        return lambda outputs: outputs[:, 1:].tolist()
    return lambda outputs: [structures.unflatten(form, row)[1] for row in outputs.tolist()]


def form_of(structure: Any) -> structures.Form:
    return structures.flatten(structure)[1]


# ---- Which of them


class NotAlikeError(TypeError):
    """Not all examples have the same graph."""

    def __init__(self, reason: object) -> None:
        super().__init__(f"the graph of one example cannot serve for all: {reason}")


class SeveralShapesError(NotAlikeError):
    """The numbers are not in the same places in all examples."""


class WrongExampleError(ValueError):
    """An example cannot be computed at all, with no tape, either."""


def by_tape(problem: Problem, with_hessian: bool = False, **options: Any) -> ByTape | ByTapes:
    """One tape, or one for each shape. Raises NotAlikeError if there can be none."""
    try:
        return ByTape(problem, with_hessian, **options)
    except SeveralShapesError:
        return ByTapes(problem, with_hessian, **options)


def choose(problem: Problem, tape: bool | None, with_hessian: bool = False) -> tuple[Evaluator, str]:
    """One of the ways, and why not through a tape.

    Arguments:
        tape: None takes a tape where one can be had; True insists on it; False refuses it.

    Raises TypeError if `tape` is True and none can be had. Raises ValueError for held-out examples of another form, if
    there is a tape, or if the model does not take them, and within no_grad().
    """
    Value(0.0).backward()  # ends blocks of no_grad() that suspended generators have left open
    if not (-Value(0.0)).parents:
        raise ValueError(
            f"{problem.caller}: nothing is recorded within no_grad(), so nothing would be learned; "
            f"end the block before {problem.caller}"
        )
    reason = "tape=False"
    if tape is not False:
        try:
            return by_tape(problem, with_hessian), ""
        except NotAlikeError as error:
            if tape:
                raise TypeError(
                    f"{problem.caller}: tape=True: {error}; with tape=None or False every example's graph is built, "
                    "unless one cannot be: then an error names the example"
                ) from error
            reason = str(error)
    for example in of_another_form(problem):
        try:
            with without_chance(), no_grad():
                problem.outcome(copied(example))
        except NotAlikeError:
            pass  # it draws random numbers, as it may
        except Exception as error:
            raise ValueError(f"{refusal(problem, example)} ({error})") from error
    return ByExample(problem), reason


def of_another_form(problem: Problem) -> list[Example]:
    """The held-out examples that have not the form of the examples, if all of these have one."""
    first = problem.examples[0]
    if have_one_form([first, *problem.held_out]) or not have_one_form(problem.examples):
        return []
    return [example for example in problem.held_out if not have_one_form([first, example])]


def refusal(problem: Problem, example: Example) -> str:
    return (
        f"{problem.caller}, validation: expected examples of the form of those to learn from, such as "
        f"{shortened(problem.examples[0])}, got {shortened(example)}"
    )


class Check:
    """Compares a tape with its function: with the parameters as they are, and twice with others.

    Some of the examples are computed, spread over all, and the loss of a model for every target that there is. What the
    parameters are moved by is drawn at random, so that none keeps its value, as some value would by a fixed rule.
    """

    def __init__(self, by_tape: ByTape, columns: list[Array], numbers: Array) -> None:
        self.problem, self.tape = by_tape.problem, by_tape.tape
        self.examples = (self.problem.examples + self.problem.held_out)[: len(numbers)]
        self.start = gathered(self.problem.parameters, "data")
        self.draws = numpy.random.default_rng(0)
        self.factors = Generated(0).factors(len(numbers), by_tape.rates)
        self.columns, self.numbers = columns, numpy.hstack([numbers, self.factors])
        self.outcome_form: structures.Form | None = None
        self.is_alike_measured = True
        self.compared: list[tuple[Sequence[int], Array, Array]] = []

    def form(self, known: Array | None, compared: int) -> structures.Form:
        """The form of the outcome. Raises an error that names an example which has another graph.

        Arguments:
            known: the outputs of all examples with the parameters as they are, if they have been computed.
            compared: how many examples to compute, about.
        """
        n = len(self.problem.examples)
        few = max(compared // 4, 2)
        some = spread(0, n, compared if known is None else few) + spread(n, len(self.examples), few)
        try:
            if known is None:
                self._compare(some[::8])
            else:
                self._note(range(n), known, self.tape.forward(self.numbers))
            for half in (some[::2], some[1::2]) if len(some) > 8 else (some, some):
                which = self._compare_elsewhere(half)
            self._judge()
            with no_grad():
                self._compare_targets(which[len(which) // 2])
                self.is_alike_measured = self._measured_is_alike(half)
        finally:
            scatter(self.start, self.problem.parameters, "data")
        assert self.outcome_form is not None
        return self.outcome_form

    def _compare(self, some: list[int]) -> list[int]:
        """Computes these examples, with the parameters as they are now. Returns which could be computed."""
        which, computed = [], []
        with no_grad():
            for i in some:
                try:
                    outcome = self._outcome(i)
                    outputs, form = structures.flatten(outcome, structures.number)
                except (ArithmeticError, ValueError):  # of this example alone, and to be raised when it is met
                    continue
                self.outcome_form = self.outcome_form or form
                if form != self.outcome_form:
                    raise TypeError(f"{self._name(i)} has another graph than the one recorded")
                which.append(i)
                computed.append(outputs)
        if which:
            self._note(which, numpy.array(computed), self.tape.forward(self.numbers[which]))
        return which

    def _outcome(self, i: int) -> Any:
        return self.problem.drawn_from(self._source(i)).outcome(copied(self.examples[i]))

    def _source(self, i: int) -> Source:
        return Given(self.factors[i]) if self.problem.generated else nobody

    def _note(self, which: Sequence[int], computed: Array, replayed: Array) -> None:
        if computed.shape != replayed.shape:
            raise TypeError(f"{self._name(which[0])} has another graph than the one recorded")
        self.compared.append((which, computed, replayed))

    def _compare_elsewhere(self, some: list[int]) -> list[int]:
        """Moves every parameter: far, or less far if no example can be computed there."""
        for size, least in ((0.1, 1.0), (0.1, 0.0), (0.01, 0.0), (0.001, 0.0)):
            lengths = numpy.maximum(numpy.abs(self.start), least)
            lengths[lengths < 1e-300] = 1.0
            draws = self.draws.uniform(-size / 2, size / 2, len(self.start))
            with numpy.errstate(over="ignore"):
                moved = self.start + (draws + numpy.copysign(size / 2, draws)) * lengths
            scatter(moved, self.problem.parameters, "data")
            which = self._compare(some)
            if which:
                return which
        raise ValueError("no example can be computed with other parameters")

    def _measured_is_alike(self, some: list[int]) -> bool:
        """Whether the examples that are not learned from come to the tape's numbers in evaluation mode too."""
        for i in [i for i in some if i >= len(self.problem.examples)]:
            numbers = numpy.hstack([*(column[i] for column in self.columns), numpy.ones(self.factors.shape[1])])
            try:
                outcome = self.problem.drawn_from(nobody).outcome(copied(self.examples[i]))
                computed = numpy.array(structures.flatten(outcome, structures.number)[0])
            except (ArithmeticError, ValueError):  # of this example alone
                continue
            replayed = self.tape.forward(numbers[numpy.newaxis])[0]
            if computed.shape != replayed.shape or not alike(computed, replayed).all():
                return False
        return True

    def _judge(self) -> None:
        which = [i for numbers, _, _ in self.compared for i in numbers]
        computed, replayed = (numpy.concatenate(parts) for parts in list(zip(*self.compared, strict=True))[1:])
        is_alike = alike(computed, replayed).all(axis=1)
        if not is_alike.all():
            raise TypeError(f"{self._name(which[is_alike.argmin()])} has another graph than the one recorded")

    def _compare_targets(self, example: int) -> None:
        """Computes the loss of a model for every target that there is, with the output of one example.

        The loss may refuse numbers that cannot be targets, but not the Values that a tape is recorded with.
        """
        if self.problem.model is None:
            return
        inputs, targets = self.columns
        first = {target.tobytes(): i for i, target in reversed(list(enumerate(targets)))}  # not numpy.unique, which
        some = numpy.array(list(first.values()))  # makes a TypeError of an interrupt
        output = drawing(self._source(example), self.problem.model, copied(self.examples[example][0]))
        for block in numpy.array_split(some, len(some) // TARGETS_AT_ONCE + 1):
            input, factors = (numpy.tile(numbers[example], (len(block), 1)) for numbers in (inputs, self.factors))
            replayed = self.tape.forward(numpy.hstack([input, targets[block], factors]))[:, 0]
            losses = numpy.array([self._loss_of_target(output, i) for i in block.tolist()])
            is_alike = alike(losses, replayed) | numpy.isnan(losses)
            if not is_alike.all():
                name = self._name(block[is_alike.argmin()])
                raise TypeError(f"the loss has another graph with the target of {name} than the one recorded")

    def _loss_of_target(self, output: Any, i: int) -> float:
        """With the output of another example; nan where this only does not go with the target of example i."""
        try:
            return float(self.problem.function(output, copied(self.examples[i][1])))
        except Exception:  # of the target, or of the two together?
            self._outcome(i)
            return math.nan

    def _name(self, i: int) -> str:
        return self.problem.name(i)


def spread(first: int, end: int, count: int) -> list[int]:
    """Some of the numbers from `first` to `end`, at equal distances."""
    return sorted({first + k * (end - 1 - first) // (count - 1) for k in range(count)}) if first < end else []


def alike(computed: Array, replayed: Array) -> NDArray[numpy.bool_]:
    """But for rounding, and for what it leaves of a difference of numbers as large as the largest in the column."""
    largest = numpy.abs(numpy.where(numpy.isfinite(computed), computed, 0.0)).max(axis=0, initial=0.0)
    with numpy.errstate(invalid="ignore"):
        is_near = numpy.abs(computed - replayed) <= 1e-6 * numpy.abs(replayed) + 1e-9 * largest
    both_are_nan = numpy.isnan(computed) & numpy.isnan(replayed)
    is_alike: NDArray[numpy.bool_] = (is_near & numpy.isfinite(replayed)) | (computed == replayed) | both_are_nan
    return is_alike


# ---- What else is computed


def means(
    model: Callable[[Any], Any],
    functions: Sequence[Callable[[Any, Any], Any]],
    examples: Iterable[Example],
    name: Callable[[int], str] = "example {}".format,
) -> list[float]:
    """The mean of function(model(input), target) over the examples, for each function; nothing without examples."""
    return drawing(nobody, means_as_they_are, model, functions, examples, name)


def means_as_they_are(
    model: Callable[[Any], Any],
    functions: Sequence[Callable[[Any, Any], Any]],
    examples: Iterable[Example],
    name: Callable[[int], str],
) -> list[float]:
    totals, count = [0.0] * len(functions), 0
    with no_grad():
        for input, target in examples:
            try:
                output = model(input)
                numbers = [measured(function, output, target) for function in functions]
            except Exception as error:
                note(error, name(count))
                raise
            count += 1
            totals = [total + number for total, number in zip(totals, numbers, strict=True)]
    return [total / count for total in totals] if count else []


def note(error: Exception, name: str) -> None:
    """Has an error say which example raised it, below its own message."""
    error.add_note(f"It was raised by {name}.")


def finite_gradient(gradient: Array) -> Array:
    if not is_finite(gradient):
        raise FloatingPointError("the gradient is not finite, though the loss is")
    return gradient


@contextmanager
def without_chance() -> Iterator[None]:
    """Leaves the global random states of Python and NumPy as they were. Raises NotAlikeError if they have been used."""
    before = random_states()
    try:
        yield
    finally:
        is_used = put_back_random_states(before)
    if is_used:
        raise NotAlikeError("model or loss draw random numbers")
