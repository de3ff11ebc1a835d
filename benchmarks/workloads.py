"""What is measured? Each computation, written once: the same code runs on floats and on every engine's numbers.

Besides Python's operators a computation needs `relu`, which it is given. What differs between the engines, how the
gradient is had, stands in `contestants.py`.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Number = Any  # a float, or what an engine has for one
    Function = Callable[[Number], Number]

WIDTHS = (2, 16, 16, 1)  # of the layers of micrograd's demo, the inputs first
EXAMPLES = 100
SEED = 1337
LEARNING_RATE = 0.1
REGULARISATION = 1e-4


# ---- the moons step: a multilayer perceptron, max-margin loss, L2 regularisation


def moons() -> list[tuple[float, float, int]]:
    """Two half circles that reach into each other, with noise: x, y and the class, -1 or +1."""
    source = random.Random(SEED)
    examples = []
    for i in range(EXAMPLES):
        t = source.uniform(0.0, math.pi)
        x, y = (math.cos(t), math.sin(t)) if i % 2 == 0 else (1.0 - math.cos(t), 0.5 - math.sin(t))
        examples.append((x + source.gauss(0.0, 0.1), y + source.gauss(0.0, 0.1), -1 if i % 2 == 0 else 1))
    return examples


MOONS = moons()


def initial_parameters() -> list[float]:
    """The parameters of MLP(2, [16, 16, 1]) in micrograd's order: of each neuron the weights, then the bias."""
    source = random.Random(SEED)
    return [
        source.uniform(-1, 1) if i < inputs else 0.0
        for inputs, outputs in pairwise(WIDTHS)
        for _ in range(outputs)
        for i in range(inputs + 1)
    ]


def layers(parameters: Sequence[Number]) -> list[list[tuple[Sequence[Number], Number]]]:
    """The parameters as layers of neurons: (weights, bias)."""
    result, start = [], 0
    for inputs, outputs in pairwise(WIDTHS):
        layer = []
        for _ in range(outputs):
            layer.append((parameters[start : start + inputs], parameters[start + inputs]))
            start += inputs + 1
        result.append(layer)
    return result


def net_input(weights: Sequence[Number], bias: Number, inputs: Sequence[Number]) -> Number:
    result = bias
    for weight, x in zip(weights, inputs):  # noqa: B905  # as one writes it; asking for strictness takes time
        result = result + weight * x
    return result


def total(terms: Sequence[Number]) -> Number:
    result = terms[0]
    for term in terms[1:]:
        result = result + term
    return result


def moons_loss(leaf: Function, relu: Function, parameters: Sequence[Number]) -> Number:
    """The loss over all examples, written by hand with `* + relu`. As in micrograd's demo, the inputs are leaves."""
    *hidden, last = layers(parameters)
    margins = []
    for x1, x2, sign in MOONS:
        x = [leaf(x1), leaf(x2)]
        for layer in hidden:
            x = [relu(net_input(weights, bias, x)) for weights, bias in layer]
        [score] = [net_input(weights, bias, x) for weights, bias in last]
        margins.append(relu(1.0 + -sign * score))
    return total(margins) * (1.0 / EXAMPLES) + REGULARISATION * total([p * p for p in parameters])


def network_loss(model: Any, value: Function) -> Number:
    """The same loss through a network of `nn`, as micrograd's demo has it."""
    scores = [model([value(x1), value(x2)]) for x1, x2, _ in MOONS]
    margins = [(1 + -sign * score).relu() for (_, _, sign), score in zip(MOONS, scores, strict=True)]
    return sum(margins) * (1.0 / len(margins)) + REGULARISATION * sum(p * p for p in model.parameters())


def tensor_loss(relu: Function, parameters: Sequence[Any], inputs: Any, signs: Any) -> Any:
    """The same loss on arrays: parameters are (weights, bias, weights, ...), weights of shape (inputs, outputs)."""
    *hidden, (weights, bias) = list(zip(parameters[::2], parameters[1::2], strict=True))
    x = inputs
    for hidden_weights, hidden_bias in hidden:
        x = relu(x @ hidden_weights + hidden_bias)
    scores = (x @ weights + bias)[:, 0]
    return relu(1.0 - signs * scores).mean() + REGULARISATION * total([(p * p).sum() for p in parameters])


def tensor_parameters(parameters: Sequence[float]) -> list[list[Any]]:
    """The parameters for `tensor_loss`, as nested lists."""
    result: list[list[Any]] = []
    for layer in layers(parameters):
        result.append([list(row) for row in zip(*(weights for weights, _ in layer), strict=True)])
        result.append([bias for _, bias in layer])
    return result


# ---- expressions: made from leaves that they make themselves; they return the result and the leaves


@dataclass(frozen=True)
class Expression:
    compute: Callable[[Function, Function], tuple[Number, Sequence[Number]]]  # of leaf and relu
    on_floats: Callable[[], Any]  # what the engines are held against


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


def chain(nodes: int, leaf: Function, relu: Function) -> tuple[Number, Sequence[Number]]:
    """x → a x + b, again and again: every node but the first needs the one before it."""
    x, a, b = leaves = [leaf(number) for number in CHAIN_POINT]
    for _ in range(nodes // 2):
        x = x * a + b
    return x, leaves


CHAIN_POINT = (0.5, 0.9999, 1e-4)  # x is on its way to b / (1 - a) = 1
CHAIN_NODES = 10_000

README = Expression(readme, partial(readme_gradient, -4.0, 2.0))
CHAIN = Expression(partial(chain, CHAIN_NODES), lambda: chain(CHAIN_NODES, float, float)[0])


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
