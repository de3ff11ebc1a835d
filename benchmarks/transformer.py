"""microgpt's training, number by number: a script that runs on any engine of its kind, as that of short_class.py.

It is written anew, from the description of A. Karpathy's microgpt (2026). `examples/microgpt.py` trains the same model
through tapes: from the same random numbers, the same losses.
"""

import math
import random
import runpy
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

Number = Any  # of any engine, or a float
EXAMPLE = Path(__file__).parents[1] / "examples" / "microgpt.py"
WIDTH, HEADS, CONTEXT, TOKENS, END = 16, 4, 16, 27, 26
BETA1, BETA2, STEPS, SEED = 0.85, 0.99, 1000, 0  # the rate falls to zero in so many steps

Vector = list[Number]


def method(name: str, of_float: Callable[[float], float]) -> Callable[[Number], Number]:
    """The engine's method of this name, or the function of floats."""
    return lambda x: of_float(x) if isinstance(x, float) else getattr(x, name)()


exp, log, relu = method("exp", math.exp), method("log", math.log), method("relu", lambda x: max(0.0, x))


def number_in(x: Number) -> float:
    return x if isinstance(x, float) else x.data


@cache
def example() -> dict[str, Any]:
    """What examples/microgpt.py defines."""
    return runpy.run_path(str(EXAMPLE))


def names(count: int) -> list[str]:
    """The first names that the example learns from. Raises ImportError without the package that has them."""
    learned: list[str] = example()["census_names"]()[0]
    return learned[:count]


def learn(leaf: Callable[[float], Number], names: Sequence[str]) -> list[float]:
    """Makes the parameters, and takes a step for each name, the first of STEPS. Returns the losses."""
    random.seed(SEED)
    model = Model(leaf)
    means, squares = [0.0] * len(model.parameters), [0.0] * len(model.parameters)
    losses = []
    for step, name in enumerate(names):
        loss = model.loss(name)
        loss.backward()
        losses.append(loss.data)
        rate = 0.01 * (1.0 - step / STEPS)
        for i, p in enumerate(model.parameters):
            means[i] = BETA1 * means[i] + (1.0 - BETA1) * p.grad
            squares[i] = BETA2 * squares[i] + (1.0 - BETA2) * p.grad**2
            mean, square = means[i] / (1.0 - BETA1 ** (step + 1)), squares[i] / (1.0 - BETA2 ** (step + 1))
            p.data -= rate * mean / (square**0.5 + 1e-8)
            p.grad = 0.0
    return losses


class Model:
    def __init__(self, leaf: Callable[[float], Number], chance: Any = random) -> None:
        shapes = [(TOKENS, WIDTH), (CONTEXT, WIDTH), *[(WIDTH, WIDTH)] * 4]
        shapes += [(4 * WIDTH, WIDTH), (WIDTH, 4 * WIDTH), (TOKENS, WIDTH)]
        self.matrices = [
            [[leaf(chance.gauss(0.0, 0.08)) for _ in range(columns)] for _ in range(rows)] for rows, columns in shapes
        ]
        self.parameters = [p for matrix in self.matrices for row in matrix for p in row]

    def loss(self, name: str) -> Number:
        letters = [ord(letter) - ord("a") for letter in name]
        keys: list[Vector] = []
        values: list[Vector] = []
        places = range(len(letters) + 1)
        losses = [
            -log(softmax(self.logits(place, token, keys, values))[target])
            for place, token, target in zip(places, [END, *letters], [*letters, END])  # noqa: B905
        ]
        return sum(losses) * (1.0 / len(losses))

    def logits(self, place: int, token: int, keys: list[Vector], values: list[Vector]) -> Vector:
        tokens, places, query, key, value, mix, hidden, back, logits = self.matrices
        x = normalised([t + p for t, p in zip(tokens[token], places[place])])  # noqa: B905
        y = normalised(x)
        q = linear(query, y)
        keys.append(linear(key, y))
        values.append(linear(value, y))
        attended: Vector = []
        size = WIDTH // HEADS
        for first in range(0, WIDTH, size):
            head = range(first, first + size)
            weights = softmax([sum(q[j] * k[j] for j in head) * (1.0 / size**0.5) for k in keys])
            attended += [sum(w * v[j] for w, v in zip(weights, values)) for j in head]  # noqa: B905
        x = [a + b for a, b in zip(linear(mix, attended), x)]  # noqa: B905
        y = [relu(h) for h in linear(hidden, normalised(x))]
        x = [a + b for a, b in zip(linear(back, y), x)]  # noqa: B905
        return linear(logits, x)


def linear(weights: list[Vector], x: Vector) -> Vector:
    return [sum(w * x_i for w, x_i in zip(row, x)) for row in weights]  # noqa: B905


def softmax(logits: Vector) -> Vector:
    largest = max(map(number_in, logits))
    powers = [exp(z - largest) for z in logits]
    total = sum(powers)
    return [power / total for power in powers]


def normalised(x: Vector) -> Vector:
    factor = (sum(x_i * x_i for x_i in x) * (1.0 / len(x)) + 1e-5) ** -0.5
    return [x_i * factor for x_i in x]
