"""Graphs that are more than layers: a convolution, a recurrence, attention, and ways to write a layer.

Each is written twice: on arrays, in what the libraries have for it, and on numbers one by one, as the tape records it.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy
from workloads import SEED, Array

Nested = Any  # parameters in the place of arrays' numbers, in lists


class Structure:
    """As a Network: parameters, examples and a loss, which is "cross-entropy" or "squared"."""

    loss = "squared"
    width: int  # how many inputs there are
    shapes: Sequence[tuple[int, ...]]  # of the parameters' arrays

    def parameters(self) -> list[Array]:
        source = numpy.random.default_rng(SEED)
        return [source.uniform(-1.0, 1.0, shape) / math.prod(shape[1:]) ** 0.5 for shape in self.shapes]

    def examples(self, count: int) -> tuple[Array, Array]:
        """Inputs (count, width) and targets (count,)."""
        source = numpy.random.default_rng(SEED)
        inputs = source.uniform(-1.0, 1.0, (count, self.width))
        return inputs, source.integers(10, size=count) if self.loss == "cross-entropy" else source.uniform(size=count)

    def on_arrays(self, m: Any, parameters: Sequence[Any], x: Any) -> Any:
        """The outputs, (examples, outputs)."""
        raise NotImplementedError

    def on_numbers(self, m: Any, parameters: Nested, x: Sequence[Any]) -> list[Any]:
        """The outputs of one example."""
        raise NotImplementedError


class LeNet(Structure):
    """That of 1989: 16 x 16 pixels, two layers of twelve maps of 5 x 5 weights, 30 units, 10 classes.

    Y. LeCun et al., "Backpropagation applied to handwritten zip code recognition", Neural Computation 1, 1989: 64,660
    connections, 9,760 parameters. A map's units share their weights and not their biases; those of the second layer
    see eight of the first's maps, in three ways, since the paper does not say which. The logistic unit is tanh here.
    """

    loss, width = "cross-entropy", 256
    shapes = (12, 1, 5, 5), (12, 8, 8), (12, 8, 5, 5), (12, 4, 4), (30, 192), (30,), (10, 30), (10,)
    seen = [*range(8)], [*range(4, 12)], [*range(4), *range(8, 12)]  # by four maps each

    def on_arrays(self, m: Any, parameters: Sequence[Any], x: Any) -> Any:
        first, first_bias, second, second_bias, third, third_bias, last, last_bias = parameters
        x = m.tanh(m.convolved(x.reshape(-1, 1, 16, 16), first) + first_bias)
        parts = [m.convolved(x[:, numpy.array(maps)], second[4 * k : 4 * k + 4]) for k, maps in enumerate(self.seen)]
        x = m.tanh(m.joined(parts) + second_bias)
        x = m.tanh(x.reshape(-1, 192) @ third.T + third_bias)
        return x @ last.T + last_bias

    def on_numbers(self, m: Any, parameters: Nested, x: Sequence[Any]) -> list[Any]:
        first, first_bias, second, second_bias, third, third_bias, last, last_bias = parameters
        image = [[*x[row : row + 16]] for row in range(0, 256, 16)]
        maps = [self.convolved(m, [image], *pair) for pair in zip(first, first_bias, strict=True)]
        maps = [self.convolved(m, [maps[i] for i in self.seen[k // 4]], second[k], second_bias[k]) for k in range(12)]
        x = [unit for rows in maps for row in rows for unit in row]
        x = [m.tanh(m.dot(weights, x, bias)) for weights, bias in zip(third, third_bias, strict=True)]
        return [m.dot(weights, x, bias) for weights, bias in zip(last, last_bias, strict=True)]

    def convolved(self, m: Any, maps: Nested, kernels: Nested, biases: Nested) -> Nested:
        """Each second place of each second row, with -1 around the maps."""
        size = len(maps[0])
        edge = [[-1.0] * (size + 4)] * 2
        padded = [[*edge, *[[-1.0, -1.0, *row, -1.0, -1.0] for row in rows], *edge] for rows in maps]
        weights = [weight for kernel in kernels for row in kernel for weight in row]

        def unit(i: int, j: int) -> Any:
            seen = [number for rows in padded for row in rows[2 * i : 2 * i + 5] for number in row[2 * j : 2 * j + 5]]
            return m.tanh(m.dot(weights, seen, biases[i][j]))

        return [[unit(i, j) for j in range(size // 2)] for i in range(size // 2)]


class Recurrence(Structure):
    """h = tanh(W h + u x + b), for 50 numbers x one after the other, and 16 of h."""

    width = 50
    shapes = (16, 16), (16,), (16,), (16,)

    def on_arrays(self, m: Any, parameters: Sequence[Any], x: Any) -> Any:
        w, u, b, last = parameters
        h = m.tanh(x[:, :1] * u + b)
        h = m.scanned(lambda h, x: m.tanh(h @ w.T + x[:, None] * u + b), h, x[:, 1:].T)
        return h @ last[:, None]

    def on_numbers(self, m: Any, parameters: Nested, x: Sequence[Any]) -> list[Any]:
        w, u, b, last = parameters
        h = [m.tanh(weight * x[0] + bias) for weight, bias in zip(u, b, strict=True)]
        for number in x[1:]:
            h = [m.tanh(m.dot(row, h, weight * number + bias)) for row, weight, bias in zip(w, u, b, strict=True)]
        return [m.dot(last, h)]


class Attention(Structure):
    """Queries, keys and values of eight tokens, eight wide: softmax(Q K' / sqrt(8)) V, and a mean over the tokens."""

    size = 8
    width = size * size
    shapes = (size, size), (size, size), (size, size), (size,)

    def on_arrays(self, m: Any, parameters: Sequence[Any], x: Any) -> Any:
        q, k, v, last = parameters
        x = x.reshape(-1, self.size, self.size)
        scores = (x @ q.T) @ m.transposed(x @ k.T) / math.sqrt(self.size)
        return (m.softmax(scores) @ (x @ v.T)).mean(1) @ last[:, None]

    def on_numbers(self, m: Any, parameters: Nested, x: Sequence[Any]) -> list[Any]:
        *matrices, last = parameters
        tokens = [x[start : start + self.size] for start in range(0, self.width, self.size)]
        queries, keys, values = ([[m.dot(row, token) for row in matrix] for token in tokens] for matrix in matrices)
        mixed = []
        for query in queries:
            shares = m.softmax([m.dot(query, key) / math.sqrt(self.size) for key in keys])
            mixed.append([m.dot(shares, column) for column in zip(*values, strict=True)])
        return [m.sum([m.dot(last, token) for token in mixed]) / self.size]


class Layer(Structure):
    """64 neurons of 64 inputs: dot(w, x, b). Another input, y, is 1 in all examples. Of the ways to write them,

    "a bias varies"      has b y in the place of b;
    "a weight varies"    has w_j y in the place of a weight w_j, at one place in all neurons;
    "weights vary"       the same, at another place in each neuron;
    "columns"            adds w_k x_k to all neurons' sums, before the next input's.
    """

    width = 65
    shapes = (64, 64), (64,), (64,)

    def __init__(self, way: str = "") -> None:
        self.way = way

    def examples(self, count: int) -> tuple[Array, Array]:
        inputs, targets = super().examples(count)
        inputs[:, -1] = 1.0
        return inputs, targets

    def on_numbers(self, m: Any, parameters: Nested, x: Sequence[Any]) -> list[Any]:
        w, b, last = parameters
        *x, y = x
        if self.way == "columns":
            sums = b
            for k, number in enumerate(x):
                sums = [z + row[k] * number for row, z in zip(w, sums, strict=True)]
        else:
            b = [bias * y for bias in b] if self.way == "a bias varies" else b
            places = {"a weight varies": [3] * len(w), "weights vary": range(len(w))}.get(self.way, [])
            for row, place in zip(w, places, strict=False):
                row[place] = row[place] * y
            sums = [m.dot(row, x, bias) for row, bias in zip(w, b, strict=True)]
        return [m.dot(last, [m.tanh(z) for z in sums])]


STRUCTURES: dict[str, Structure] = {
    "lenet": LeNet(), "recurrence": Recurrence(), "attention": Attention(),
    "layer": Layer(), "varying-bias": Layer("a bias varies"), "varying-weight": Layer("a weight varies"),
    "varying-weights": Layer("weights vary"), "columns": Layer("columns"),
}  # fmt: skip


def nested(arrays: Sequence[Array], leaf: Callable[[float], Any]) -> Nested:
    """The arrays as lists of lists, with a leaf for each number; and these leaves, one after the other."""
    leaves: list[Any] = []

    def replaced(numbers: Any) -> Any:
        if isinstance(numbers, list):
            return [replaced(element) for element in numbers]
        leaves.append(leaf(numbers))
        return leaves[-1]

    return [replaced(array.tolist()) for array in arrays], leaves
