"""How does this engine train a network on batches? Trainers as in `trainers.py`, and what a tape costs to record."""

from __future__ import annotations

from functools import partial
from time import perf_counter

import numpy
import workloads
from networks import LEARNING_RATE, NETWORKS, Network, as_classes, flat
from tqdm import tqdm
from trainers import THREADS

import nn.training
from autograd import Tape, Value, relu, scatter
from autograd import engine as engine_in_use
from autograd.graph import topological_order
from nn import MLP
from nn.differentiation import ByTape
from nn.losses import cross_entropy, hinge
from nn.optimizers import SGD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Literal

    from networks import Array

    Step = Callable[[], tuple[Array, Array]]


class TapeTrainer:
    """A tape of one example's loss, and the project's own optimiser, both on one vector."""

    differentiates = True

    def __init__(self, executor: Literal["native", "numpy"] = "native") -> None:
        if executor == "native" and engine_in_use != "native":
            raise ImportError("the native engine is not built")
        self.executor = executor
        self.order: Any = slice(None)  # where a parameter of the network stands in the vector

    def differentiate(self, network: Network, count: int) -> Step:
        tape, vector, batch = self.prepared(network, count)
        return lambda: tape.value_and_grad(batch, parameters=vector)

    def train(self, network: Network, count: int) -> Step:
        tape, vector, batch = self.prepared(network, count)
        optimizer = SGD(tape.parameters, LEARNING_RATE)

        def step() -> tuple[Array, Array]:
            nonlocal vector
            losses, gradient = tape.value_and_grad(batch, parameters=vector)
            vector = optimizer.stepped(vector, gradient)
            return losses, vector

        return step

    def prepared(self, network: Network, count: int) -> tuple[Tape, Array, Array]:
        """The tape, its parameters as a vector, and the batch."""
        tape, parameters = recorded(network, executor=self.executor, threads=THREADS)
        return tape, self.vector(tape, parameters), numpy.column_stack(network.examples(count))

    def graph(self) -> Step:
        """The moons' loss over all examples, one graph: a tape without inputs."""
        parameters = [Value(number) for number in workloads.initial_parameters()]
        tape = Tape(moons_loss(parameters), executor=self.executor, threads=THREADS)
        vector = self.vector(tape, parameters)
        return lambda: tape.value_and_grad(parameters=vector)

    def vector(self, tape: Tape, parameters: Sequence[Value]) -> Array:
        place = {parameter: i for i, parameter in enumerate(tape.parameters)}
        self.order = [place[parameter] for parameter in parameters]
        return numpy.array([parameter.data for parameter in tape.parameters])

    def numbers(self, outcome: tuple[Array, Array]) -> list[float]:
        losses, vector = outcome
        return [float(losses.mean()), *vector[self.order].tolist()]


class FitTrainer(TapeTrainer):
    """A step as `nn.fit` takes it, from choosing the batch's rows to the totals that the progress bar shows."""

    def train(self, network: Network, count: int) -> Step:
        model, loss, parameters = model_of(network)
        inputs, targets = network.examples(count)
        goals = targets if network.loss == "hinge" else as_classes(targets)
        examples = nn.training.examples_of("fit", inputs, goals)
        way = ByTape(model, [loss], parameters, examples, [])
        way.tape.threads = THREADS
        run = nn.training.Run(SGD(parameters, LEARNING_RATE), [loss])
        batches, bar = [list(range(count))], tqdm(disable=True)

        def step() -> tuple[Array, Array]:
            return numpy.array(run.epoch(2, way, batches, bar)), run.vector

        return step


def model_of(network: Network) -> tuple[MLP, Callable[[Any, Any], Any], list[Value]]:
    """The network in this project's `nn`, its loss, and its parameters as in `network.parameters()`."""
    inputs, *widths = network.widths
    model = MLP(inputs, widths)
    parameters = []
    for layer in model.layers:
        weights = [neuron.weights for neuron in layer.neurons]
        parameters += [weights[j][i] for i in range(len(weights[0])) for j in range(len(weights))]
        parameters += [neuron.bias for neuron in layer.neurons]
    scatter(flat(network.parameters()), parameters, "data")
    return model, hinge if network.loss == "hinge" else cross_entropy, parameters


def recorded(network: Network, **options: Any) -> tuple[Tape, list[Value]]:
    model, loss, parameters = model_of(network)
    example = [0.0] * network.widths[0], 1.0
    return Tape.record(lambda inputs, target: loss(model(inputs), target), example, **options), parameters


# ---- recording


def recording(name: str) -> dict[str, Any]:
    """Seconds that building a graph takes, writing it down, and a first replay; and how much of it there is."""
    build = moons_graph if name == "moons" else partial(example_graph, NETWORKS[name])
    seconds = [seconds_to_record(build) for _ in range(15)]
    output, inputs = build()
    order = topological_order(output)
    return {
        "nodes": len(order),
        "edges": sum(len(node.parents) for node in order),
        "instructions": len(Tape(output, inputs)),
        "seconds": numpy.median(seconds, axis=0).tolist(),
    }


def seconds_to_record(build: Callable[[], tuple[Value, list[Value]]]) -> list[float]:
    times = [perf_counter()]
    output, inputs = build()
    times.append(perf_counter())
    tape = Tape(output, inputs, threads=1)
    times.append(perf_counter())
    tape.forward(numpy.ones((1, len(inputs))))
    times.append(perf_counter())
    return numpy.diff(times).tolist()


def example_graph(network: Network) -> tuple[Value, list[Value]]:
    """The loss of one example, and its inputs."""
    model, loss, _ = model_of(network)
    *inputs, target = leaves = [Value(1.0) for _ in range(network.widths[0] + 1)]
    return loss(model(inputs), target), leaves


def moons_graph() -> tuple[Value, list[Value]]:
    return moons_loss([Value(number) for number in workloads.initial_parameters()]), []


def moons_loss(parameters: list[Value]) -> Value:
    """Over all examples, which are constants in the graph."""
    return workloads.moons_loss(float, relu, parameters)  # type: ignore[no-any-return]
