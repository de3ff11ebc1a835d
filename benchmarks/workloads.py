"""The computations that are measured. Each is written once, and every contestant computes the same numbers.

An Expression is computed number by number: the same code runs on floats and on every engine's numbers. Besides Python's
operators it needs `leaf`, which makes a number that is differentiated by, and `relu`. A Network is trained on examples.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy
import transformer
from numpy.typing import NDArray

Array = NDArray[Any]
Number = Any  # a float, or what an engine has for one
Function = Callable[[Number], Number]
Points = list[tuple[list[float], float]]
Step = Callable[[], Any]  # what is measured

SEED, LEARNING_RATE = 1337, 0.01


@dataclass(frozen=True)
class Network:
    """A multilayer perceptron: relu in the hidden layers, none in the last; the loss is a mean over the examples.

    The loss is "hinge", with one output and targets of -1 and +1, or "cross-entropy", of softmax, with a class's index.
    The `penalty` times the sum of the parameters' squares is added to it.
    """

    widths: tuple[int, ...]  # of the layers, the inputs first
    loss: str
    penalty: float = 0.0

    @property
    def width(self) -> int:
        return self.widths[0]

    def on_arrays(self, m: Any, parameters: Sequence[Any], x: Any) -> Any:
        return m.outputs(parameters, x)

    def parameters(self) -> list[Array]:
        """Of each layer the weights (inputs, outputs), then the biases (outputs,)."""
        source = numpy.random.default_rng(SEED)
        result = []
        for inputs, outputs in pairwise(self.widths):
            result.append(source.uniform(-1.0, 1.0, (inputs, outputs)) / inputs**0.5)
            result.append(source.uniform(-0.1, 0.1, outputs))
        return result

    def numbers(self) -> list[float]:
        """The parameters in the order of an `MLP`: of each neuron the weights, then the bias."""
        arrays = self.parameters()
        layers = [numpy.vstack(pair).T for pair in zip(arrays[::2], arrays[1::2], strict=True)]
        return flat(layers).tolist()  # type: ignore[no-any-return]

    def examples(self, count: int) -> tuple[Array, Array]:
        """Inputs (count, widths[0]) and targets (count,)."""
        source = numpy.random.default_rng(SEED)
        if self.loss == "hinge":
            return moons(count, source)
        return source.uniform(0.0, 1.0, (count, self.widths[0])), source.integers(self.widths[-1], size=count)

    def model(self, kind: Callable[[int, list[int]], Any]) -> Any:
        """An `MLP` of this or that engine, with these parameters."""
        model = kind(self.widths[0], list(self.widths[1:]))
        for parameter, number in zip(model.parameters(), self.numbers(), strict=True):
            parameter.data = number
        return model

    def points(self, count: int) -> Points:
        """The examples in Python's floats."""
        inputs, targets = self.examples(count)
        return list(zip(inputs.tolist(), targets.tolist(), strict=True))


def moons(count: int, source: numpy.random.Generator) -> tuple[Array, Array]:
    """Two half circles that reach into each other, with noise, and their classes."""
    angles, signs = source.uniform(0.0, numpy.pi, count), source.choice([-1.0, 1.0], count)
    left = numpy.column_stack([numpy.cos(angles), numpy.sin(angles)])
    right = numpy.column_stack([1.0 - numpy.cos(angles), 0.5 - numpy.sin(angles)])
    places = numpy.where(signs[:, numpy.newaxis] < 0, left, right)
    return places + source.normal(0.0, 0.1, places.shape), signs


def flat(arrays: Sequence[Any]) -> Array:
    return numpy.concatenate([numpy.ravel(array) for array in arrays])


def hinge(penalty: float, points: Points, leaf: Function, relu: Function, model: Function, parameters: Any) -> Number:
    """The loss over all points, number by number. As in micrograd's demo, the inputs are leaves."""
    margins = [relu(1.0 + -sign * model([leaf(number) for number in inputs])) for inputs, sign in points]
    return sum(margins) * (1.0 / len(margins)) + penalty * sum(p * p for p in parameters)


def by_hand(network: Network, relu: Function, parameters: Sequence[Number]) -> Function:
    """The model written with `* + relu`, from inputs to the only output. Parameters are in the order of an `MLP`."""
    given = iter(parameters)
    *hidden, last = [
        [([next(given) for _ in range(inputs)], next(given)) for _ in range(width)]
        for inputs, width in pairwise(network.widths)
    ]

    def model(x: Sequence[Number]) -> Number:
        for layer in hidden:
            x = [relu(net_input(weights, bias, x)) for weights, bias in layer]
        [score] = [net_input(weights, bias, x) for weights, bias in last]
        return score

    return model


def net_input(weights: Sequence[Number], bias: Number, inputs: Sequence[Number]) -> Number:
    for weight, x in zip(weights, inputs):  # noqa: B905  # as one writes it; asking for strictness takes time
        bias = bias + weight * x
    return bias


MOONS = Network((2, 16, 16, 1), "hinge", penalty=1e-4)  # micrograd's demo
NETWORKS = {
    "moons": MOONS,
    "2-16-16-1": Network((2, 16, 16, 1), "hinge"),
    "64-32-10": Network((64, 32, 10), "cross-entropy"),
    "203-80-26": Network((203, 80, 26), "cross-entropy"),
    "784-128-10": Network((784, 128, 10), "cross-entropy"),
}


@dataclass(frozen=True)
class Expression:
    compute: Callable[[Function, Function], tuple[Number, Sequence[Number]]]  # leaf, relu -> result, leaves
    on_floats: Callable[[], Any]  # what the engines are held against: the result, or it and a gradient by hand

    def point(self) -> list[float]:
        """Where the gradient is taken: the leaves, which on floats are their own numbers."""
        return list(self.compute(float, relu_of_float)[1])


def relu_of_float(x: float) -> float:
    return x if x > 0.0 else 0.0


def readme(leaf: Function, relu: Function) -> tuple[Number, Sequence[Number]]:
    """The expression of micrograd's README."""
    a = leaf(-4.0)
    b = leaf(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + relu(b + a)
    d += 3 * d + relu(b - a)
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    return g, (a, b)


def readme_gradient(a: float, b: float) -> tuple[float, float, float]:
    """The same and its gradient (g, dg/da, dg/db), as one writes it by hand on floats."""
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    plus = b + a
    d += d * 2 + (plus if plus > 0 else 0.0)
    minus = b - a
    d += 3 * d + (minus if minus > 0 else 0.0)
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f

    dg_de = (0.5 - 10.0 / f**2) * 2 * e
    dg_dplus = -4 * dg_de if plus > 0 else 0.0
    dg_dminus = -dg_de if minus > 0 else 0.0
    dg_da = 3 * dg_de - 12 * dg_de * b + dg_dplus - dg_dminus
    dg_db = 4 * dg_de - 12 * dg_de * (a + 3 * b**2) + dg_dplus + dg_dminus
    return g, dg_da, dg_db


CHAIN_POINT = (0.5, 0.9999, 1e-4)  # x is on its way to b / (1 - a) = 1
CHAIN_NODES = 10_000


def chain(nodes: int, leaf: Function, relu: Function) -> tuple[Number, Sequence[Number]]:
    """x → a x + b, again and again: every node but the first needs the one before it."""
    x, a, b = leaves = [leaf(number) for number in CHAIN_POINT]
    for _ in range(nodes // 2):
        x = x * a + b
    return x, leaves


def wide(width: int, leaf: Function, relu: Function) -> tuple[Number, Sequence[Number]]:
    """Every weight with every input, relu(w x + b), added up in pairs: 4 width² - 1 nodes, and 2 width + 1 leaves.

    Shallow, so that engines that recurse can do it.
    """
    weights = [leaf(math.sin(i)) for i in range(width)]
    inputs = [leaf(math.cos(i)) for i in range(width)]
    bias = leaf(0.1)
    terms = [relu(weight * x + bias) for weight in weights for x in inputs]
    while len(terms) > 1:
        odd = terms[len(terms) & ~1 :]
        terms = [left + right for left, right in zip(terms[::2], terms[1::2], strict=False)] + odd
    return terms[0], [*weights, *inputs, bias]


def moons_graph(leaf: Function, relu: Function) -> tuple[Number, Sequence[Number]]:
    """The loss of the moons over all points, which are constants here, and the parameters."""
    parameters = [leaf(number) for number in MOONS_NUMBERS]
    return hinge(MOONS.penalty, MOONS_POINTS, float, relu, by_hand(MOONS, relu, parameters), parameters), parameters


def language_model(leaf: Function, relu: Function) -> tuple[Number, Sequence[Number]]:
    """The loss of microgpt's transformer on a name, each product and sum spelled out; and its parameters."""
    model = transformer.Model(leaf, random.Random(SEED))
    return model.loss("emma"), model.parameters


MOONS_NUMBERS, MOONS_POINTS = MOONS.numbers(), MOONS.points(100)
README = Expression(readme, partial(readme_gradient, -4.0, 2.0))
CHAIN = Expression(partial(chain, CHAIN_NODES), lambda: chain(CHAIN_NODES, float, float)[0])
MOONS_GRAPH = Expression(moons_graph, lambda: moons_graph(float, relu_of_float)[0])
LANGUAGE_MODEL = Expression(language_model, lambda: language_model(float, relu_of_float)[0])
EXPRESSIONS = {"readme": README, "chain": CHAIN, "moons-graph": MOONS_GRAPH, "language-model": LANGUAGE_MODEL}


def sigmoid(x: Array) -> Array:
    return 1.0 / (1.0 + numpy.exp(-x))
