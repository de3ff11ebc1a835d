"""What is trained on batches? Networks and examples, as arrays: the same numbers for every contestant."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy
from workloads import SEED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from numpy.typing import NDArray

    Array = NDArray[numpy.float64]

LEARNING_RATE = 0.01


@dataclass(frozen=True)
class Network:
    """A multilayer perceptron: relu in the hidden layers, none in the last; the loss is a mean over the examples.

    The loss is "hinge", with one output and targets of -1 and +1, or "cross-entropy", of softmax, with a class's index.
    """

    widths: tuple[int, ...]  # of the layers, the inputs first
    loss: str

    def parameters(self) -> list[Array]:
        """Of each layer the weights (inputs, outputs), then the biases (outputs,)."""
        source = numpy.random.default_rng(SEED)
        result = []
        for inputs, outputs in pairwise(self.widths):
            result.append(source.uniform(-1.0, 1.0, (inputs, outputs)) / inputs**0.5)
            result.append(source.uniform(-0.1, 0.1, outputs))
        return result

    def examples(self, count: int) -> tuple[Array, Array]:
        """Inputs (count, widths[0]) and targets (count,)."""
        source = numpy.random.default_rng(SEED)
        if self.loss == "hinge":
            return moons(count, source)
        inputs = source.uniform(0.0, 1.0, (count, self.widths[0]))
        return inputs, source.integers(self.widths[-1], size=count).astype(float)


def moons(count: int, source: numpy.random.Generator) -> tuple[Array, Array]:
    """Two half circles that reach into each other, with noise, and their classes."""
    angles, signs = source.uniform(0.0, numpy.pi, count), source.choice([-1.0, 1.0], count)
    left = numpy.column_stack([numpy.cos(angles), numpy.sin(angles)])
    right = numpy.column_stack([1.0 - numpy.cos(angles), 0.5 - numpy.sin(angles)])
    points = numpy.where(signs[:, numpy.newaxis] < 0, left, right)
    return points + source.normal(0.0, 0.1, points.shape), signs


NETWORKS = {
    "2-16-16-1": Network((2, 16, 16, 1), "hinge"),
    "64-32-10": Network((64, 32, 10), "cross-entropy"),
    "203-80-26": Network((203, 80, 26), "cross-entropy"),
}


def as_classes(targets: Array) -> NDArray[numpy.int64]:
    return targets.astype(numpy.int64)


def flat(arrays: Sequence[Any]) -> Array:
    return numpy.concatenate([numpy.ravel(array) for array in arrays])


def affine(x: Any, weights: Any, bias: Any) -> Any:
    return x @ weights + bias


def outputs(
    parameters: list[Any], x: Any, relu: Callable[[Any], Any], affine: Callable[[Any, Any, Any], Any] = affine
) -> Any:
    """The network's outputs for inputs x, in anyone's arrays."""
    *hidden, (weights, bias) = zip(parameters[::2], parameters[1::2], strict=True)
    for hidden_weights, hidden_bias in hidden:
        x = relu(affine(x, hidden_weights, hidden_bias))
    return affine(x, weights, bias)
