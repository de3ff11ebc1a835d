"""This engine with a graph that is recorded once and replayed: the tape, `nn.fit`, and what recording takes."""

import os
import random
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from time import perf_counter
from typing import Any

import numpy
import transformer
from arrays import THREADS
from backgammon import DECAY, RATE, Backgammon
from nettalk import MARGIN, Reading
from structures import Structure, nested
from workloads import EXPRESSIONS, LEARNING_RATE, NETWORKS, Array, Expression, Network, Step, flat

import autograd
from autograd import Tape, Value, maximum, relu, sigmoid
from autograd import engine as engine_in_use
from autograd.graph import topological_order
from nn import MLP, SGD, Adam, EligibilityTraces, Layer, Module, Sequential, cross_entropy, fit, hinge
from nn.schedules import LinearDecay

LOSSES: dict[str, Callable[[Any, Any], Value]] = {
    "hinge": hinge, "cross-entropy": cross_entropy, "squared": lambda outputs, target: (outputs[0] - target) ** 2,
}  # fmt: skip


class Taped:
    """A tape of an expression, or of one example's loss, with the project's own optimiser on its vector."""

    differentiates = True

    def __init__(self, executor: str, fused: bool = True, fast_math: bool = False) -> None:
        if executor == "native" and engine_in_use != "native":
            raise ImportError("the native engine is not built")
        self.model = partial(MLP, fused=fused)  # unless fused, a neuron is written with * and +
        self.options: dict[str, Any] = {"executor": executor, "threads": THREADS, "fast_math": fast_math}
        self.places: Any = slice(None)  # in the vector of a step's outcome, of the numbers to report

    def expression(self, expression: Expression) -> Step:
        result, leaves = expression.compute(Value, relu)
        tape = Tape(result, **self.options)
        return partial(tape.value_and_grad, parameters=self.vector(tape, leaves))

    def differentiate(self, network: Network | Structure, examples: int) -> Step:
        tape, vector, batch = self.recorded(network, examples)
        return partial(tape.value_and_grad, batch, parameters=vector)

    def together(self, network: Network | Structure, examples: int) -> Step:
        """The same, with the parameters' data as they are in the Values."""
        tape, _, batch = self.recorded(network, examples)
        return partial(tape.value_and_grad, batch)

    def apart(self, network: Network | Structure, examples: int) -> Step:
        """The same as people write it; the gradients go on adding up."""
        tape, _, batch = self.recorded(network, examples)

        def step() -> tuple[Array, Array]:
            losses = tape.forward(batch)
            tape.backward()
            return losses, numpy.empty(0)

        return step

    def ready(self, network: Network | Structure, examples: int) -> tuple[Step, int]:
        """A step of a tape whose list is ready for replays, and how many parameters it has."""
        tape, vector, batch = self.recorded(network, examples)
        tape.forward(batch[:0])
        return partial(tape.value_and_grad, batch, parameters=vector), len(vector)

    def train(self, network: Network, examples: int) -> Step:
        tape, vector, batch = self.recorded(network, examples)
        optimizer = SGD(tape.parameters, LEARNING_RATE)

        def step() -> tuple[Array, Array]:
            nonlocal vector
            losses, gradient = tape.value_and_grad(batch, parameters=vector)
            vector = optimizer.stepped(vector, gradient)
            return losses, vector

        return step

    def fit(self, network: Network, examples: int) -> Step:
        if hasattr(os, "sched_setaffinity"):  # `fit` takes as many threads as there are processors
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
        return Fitting(*self.made(network), network, examples, batch_size=examples)

    def present(self, network: Network | Structure, examples: int) -> Step:
        """A loop over a tape, one example at a time."""
        tape, vector, batch = self.recorded(network, examples)
        optimizer, rows = SGD(tape.parameters, LEARNING_RATE), [batch[k : k + 1] for k in range(examples)]

        def step() -> tuple[list[float], Array]:
            nonlocal vector
            losses = []
            for row in rows:
                [loss], gradient = tape.value_and_grad(row, parameters=vector)
                vector = optimizer.stepped(vector, gradient)
                losses.append(loss)
            return losses, vector

        return step

    def present_by_fit(self, network: Network | Structure, examples: int) -> Step:
        """The same as people write it."""
        return Fitting(*self.made(network), network, examples, batch_size=1)

    def read(self, reading: Reading) -> Step:
        """A loop over a tape of one letter, as the notebook has it."""
        widths = pairwise(reading.network.widths)
        model = Sequential(*[Layer(*pair, activation=sigmoid) for pair in widths])
        for parameter, number in zip(model.parameters(), reading.network.numbers(), strict=True):
            parameter.data = number

        def error(inputs: list[Value], targets: list[Value]) -> Any:
            errors = [y - target for y, target in zip(model(inputs), targets, strict=True)]
            return 0.5 * autograd.sum([maximum(e * e, MARGIN**2) for e in errors])

        example = [[0.0] * width for width in (reading.network.width, len(model.layers[-1].neurons))]
        tape = Tape.record(error, example, **self.options)
        vector = self.vector(tape, in_order(reading.network, model))

        def learn(word: Array) -> Array:
            losses, gradient = tape.value_and_grad(word, parameters=vector, gradient=1.0)
            numpy.subtract(vector, LEARNING_RATE * gradient, out=vector)
            return losses

        return lambda: (len(reading.rows[-1]) * numpy.mean(reading.read(learn)), vector)

    def self_play(self, game: Backgammon) -> Step:
        model = Sequential(*(Layer(*widths, activation=sigmoid) for widths in pairwise(game.network.widths)))
        for parameter, number in zip(model.parameters(), game.network.numbers(), strict=True):
            parameter.data = number
        tape = Tape.record(model, [[0.0] * game.network.width], **self.options)
        player = EligibilityTraces(tape, RATE, DECAY)
        return lambda: (game.play(player), numpy.empty(0))

    def learn(self, names: Sequence[str]) -> list[float]:
        """With the model of examples/microgpt.py, and a tape for each length of a name. Making them is part of it."""
        module, model = self.microgpt()
        optimizer = Adam(model.parameters(), LinearDecay(0.01, transformer.STEPS), betas=(0.85, 0.99))
        tapes: dict[int, Tape] = {}
        losses = []
        for name in names:
            tokens, targets = module["seen_and_next"](name)
            if len(name) not in tapes:
                tapes[len(name)] = Tape.record(
                    lambda *example: module["loss"](model(example[0]), example[1]), [tokens, targets], **self.options
                )
            optimizer.zero_grad()
            losses += tapes[len(name)].forward([[*tokens, *targets]]).tolist()
            tapes[len(name)].backward()
            optimizer.step()
        return losses

    def fit_names(self, names: Sequence[str]) -> list[float]:
        """As examples/microgpt.py does it, by `nn.fit`, which tells the mean loss only."""
        module, model = self.microgpt()
        module["train"](model, names, progress=False)
        return []

    def microgpt(self) -> tuple[dict[str, Any], Any]:
        module = transformer.example()
        random.seed(transformer.SEED)
        return module, module["MicroGPT"]()

    def recorded(self, network: Network | Structure, examples: int) -> tuple[Tape, Array, Array]:
        """The tape, its parameters as a vector, and the batch."""
        model, leaves = self.made(network)
        loss, example = LOSSES[network.loss], ([0.0] * network.width, 1.0)
        tape = Tape.record(lambda inputs, target: loss(model(inputs), target), example, **self.options)
        return tape, self.vector(tape, leaves), numpy.column_stack(network.examples(examples))

    def made(self, network: Network | Structure) -> tuple[Any, list[Value]]:
        """The model, and its parameters in the order of `network.parameters()`."""
        if isinstance(network, Structure):
            parameters, leaves = nested(network.parameters(), Value)
            return partial(network.on_numbers, autograd, parameters), leaves
        model = network.model(self.model)
        return model, in_order(network, model)

    def vector(self, tape: Tape, reported: Sequence[Value]) -> Array:
        place = {parameter: i for i, parameter in enumerate(tape.parameters)}
        self.places = [place[parameter] for parameter in reported]
        return numpy.array([parameter.data for parameter in tape.parameters])

    def numbers(self, outcome: tuple[Any, Array]) -> list[float]:
        losses, vector = outcome
        return [float(numpy.mean(losses)), *(vector[self.places].tolist() if len(vector) else [])]


class Fitting(SGD):
    """A step of `nn.fit`, an epoch, and the time of many in one call: an optimiser that notes when it was asked.

    So a step is what passes between as many updates as an epoch has.
    """

    def __init__(
        self, model: Any, leaves: list[Value], network: Network | Structure, examples: int, batch_size: int
    ) -> None:
        super().__init__(leaves, LEARNING_RATE)
        self.updates, self.clock, self.times = examples // batch_size, perf_counter, [0.0]
        options: dict[str, Any] = {"batch_size": batch_size, "shuffle": False, "progress": False, "tape": True}
        self.fit = partial(fit, model, *network.examples(examples), LOSSES[network.loss], self, **options)

    def __call__(self) -> tuple[list[float], Array]:
        return self.fit(epochs=1).loss, numpy.array([parameter.data for parameter in self.parameters])

    def seconds(self, steps: int, clock: Callable[[], float]) -> float:
        self.clock, self.times = clock, []
        self.fit(epochs=steps + 1)
        return self.times[steps * self.updates] - self.times[0]

    def stepped(self, parameters: Array, gradient: Array) -> Array:
        self.times.append(self.clock())
        return super().stepped(parameters, gradient)


def in_order(network: Network, model: Module) -> list[Value]:
    """The model's parameters in the order of `network.parameters()`. No number is there twice."""
    of_number = {parameter.data: parameter for parameter in model.parameters()}
    return [of_number[number] for number in flat(network.parameters()).tolist()]


def recording(graph: str, clock: Callable[[], float]) -> dict[str, float]:
    """The seconds that building a graph takes, writing it down, and a first replay; and how much of it there is."""
    times = [clock()]
    output, inputs = built_graph(graph)
    times.append(clock())
    tape = Tape(output, inputs, threads=1)
    times.append(clock())
    tape.forward(numpy.ones((1, len(inputs))))
    times.append(clock())
    built, recorded, replayed = numpy.diff(times).tolist()
    nodes = topological_order(output)
    edges = sum(len(node.parents) for node in nodes)
    counts = {"nodes": len(nodes), "edges": edges, "instructions": len(tape)}
    return counts | {"built": built, "recorded": recorded, "a node": recorded / len(nodes), "first replay": replayed}


def built_graph(name: str) -> tuple[Value, list[Value]]:
    """An expression, which has no inputs; or a network's loss of one example, and its inputs."""
    if name in EXPRESSIONS:
        return EXPRESSIONS[name].compute(Value, relu)[0], []
    network = NETWORKS[name]
    *inputs, target = leaves = [Value(1.0) for _ in range(network.widths[0] + 1)]
    return LOSSES[network.loss](network.model(MLP)(inputs), target), leaves
